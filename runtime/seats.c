#include "runtime/seats.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/worker_slot.h"

#define SEATS (ADIT_POOL_SEATS)

static void set_duty(struct adit_seat *seat, enum adit_duty duty) { adit_store32_relaxed(&seat->duty, duty); }

void adit_seats_init(struct adit_seats *s, const struct adit_queue *queue)
{
    *s = (struct adit_seats){.queue = queue, .arena = queue->arena};
    for (uint32_t i = 0; i < SEATS; i++)
        s->seat[i].threads_fd = -1;
}

void adit_seats_fini(struct adit_seats *s)
{
    for (uint32_t i = 0; i < SEATS; i++)
        if (s->seat[i].threads_fd >= 0)
            close(s->seat[i].threads_fd);
}

enum adit_worker_life adit_seat_life(const struct adit_seat *seat)
{
    return seat->duty != ADIT_DUTY_NONE ? adit_worker_life(adit_load_acquire(&seat->slot->word)) : ADIT_LIFE_COLD; /* WORKER:move */
}

uint32_t adit_seat_threads(struct adit_seat *seat)
{
    if (seat->threads_fd < 0)
        seat->threads_fd = adit_process_threads_open(adit_load32_relaxed(&seat->slot->pid));
    return seat->threads_fd >= 0 ? adit_process_threads(seat->threads_fd) : seat->threads_fd == -ENOENT ? 0 : 2;
}

/* ---- standbys --------------------------------------------------------------------------------------------------- */

void adit_seat_promote(struct adit_seat *seat)
{
    set_duty(seat, ADIT_DUTY_WORK);
    adit_store32_release(&seat->slot->go, 1);
    adit_futex_wake(&seat->slot->go, 1);
}

struct adit_seat *adit_seats_standby(struct adit_seats *s, bool must_be_ready)
{
    struct adit_seat *found = NULL;
    for (uint32_t i = 0; i < SEATS; i++) {
        struct adit_seat *seat = &s->seat[i];
        if (seat->duty != ADIT_DUTY_STANDBY || seat->is_orphan)
            continue;
        if (adit_seat_life(seat) == ADIT_LIFE_READY && adit_worker_is_held(seat->slot))
            return seat;
        found = found || must_be_ready ? found : seat;
    }
    return found;
}

/* Standbys look whom they watch. */
static void rouse_standbys(struct adit_seats *s)
{
    for (uint32_t i = 0; i < SEATS; i++)
        if (s->seat[i].duty == ADIT_DUTY_STANDBY)
            adit_futex_wake(&s->seat[i].slot->go, 1);
}

/* The standby that has taken a dead one's place by itself is at work. */
static void note_heir(struct adit_seats *s, uint32_t heir)
{
    for (uint32_t i = 0; i < SEATS; i++)
        if (s->seat[i].duty == ADIT_DUTY_STANDBY && adit_load32_relaxed(&s->seat[i].slot->owner) == heir)
            set_duty(&s->seat[i], ADIT_DUTY_WORK);
}

/* ---- deaths ----------------------------------------------------------------------------------------------------- */

/* The tasks of a worker that runs no more are others' to run: first the one that it was at, which a standby begins while the queues are looked through. */
static void give_back_tasks(struct adit_seats *s, const struct adit_seat *seat, const struct adit_worker_dead *dead)
{
    if (adit_worker_inherit(seat->slot, dead, s->arena->owner)) {
        bool is_returned = adit_task_recover_one(s->arena, dead->task, dead->owner);
        struct adit_seat *standby = seat->duty == ADIT_DUTY_WORK ? adit_seats_standby(s, true) : NULL;
        if (standby)
            adit_seat_promote(standby); /* also for a task that the dead one had been woken for, and has not claimed */
        else if (is_returned)
            adit_event_post(&s->queue->slot->work);
    } else {
        note_heir(s, (uint32_t)adit_load_acquire(&seat->slot->heir));
    }
    (void)adit_tasks_recover(s->arena, dead->owner);
}

/* A worker whose thread has ended. */
static void bury(struct adit_seats *s, struct adit_seat *seat)
{
    struct adit_worker_slot *w = seat->slot;
    struct adit_worker_dead dead;
    bool has_died = adit_worker_has_died(w, &dead);
    seat->is_dying = !adit_load32_acquire(&w->ended) && adit_seat_threads(seat) > 1;
    if (seat->is_dying && has_died)
        return;
    if (has_died) {
        give_back_tasks(s, seat, &dead);
        adit_store_relaxed(&s->deaths, s->deaths + 1);
    }
    seat->is_dying = false;
    set_duty(seat, ADIT_DUTY_LEAVING);
    (void)adit_worker_move(w, ADIT_LIFE_TERMINATED);
}

/* Participants that have died and are not recovered. */
static uint32_t count_dead(const struct adit_arena *a)
{
    uint32_t n = 0;
    for (uint32_t i = a->guests_max; i < a->participants_max; i++)
        n += adit_part_state(adit_load_acquire(&a->participants[i].word)) != ADIT_PART_FREE && adit_participant_is_gone(&a->participants[i]);
    return n;
}

/* Why a worker could not begin. */
static int failure(const struct adit_seats *s, uint32_t ended)
{
    int status = (int)(ended & 0xffff), error = ended & ADIT_WORKER_NEVER ? status : WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    error = error ? error : ECHILD;
    uint32_t dead = error == EUSERS ? count_dead(s->arena) : 0;
    if (dead)
        return adit_fault(-error, "arena %s: a worker process cannot begin: %u of its %u participants have died and are not recovered; its keeper may be stopped", s->arena->name, dead, s->arena->participants_max);
    return adit_fault(-error, "arena %s: a worker process cannot begin: %s%s", s->arena->name, strerror(error),
                      error == EUSERS ? "; create the arena with a larger participants_max" : "");
}

static void leave_seat(struct adit_seats *s, struct adit_seat *seat, uint32_t ended)
{
    if (ended & ADIT_WORKER_REAPED && WIFSIGNALED((int)(ended & 0xffff)))
        adit_store32_relaxed(&s->last_signal, (uint32_t)WTERMSIG((int)(ended & 0xffff)));
    adit_store_relaxed(&s->tasks_before, s->tasks_before + adit_load_relaxed(&seat->slot->tasks));
    (void)adit_worker_move(seat->slot, ADIT_LIFE_COLD);
    if (seat->threads_fd >= 0)
        close(seat->threads_fd);
    seat->threads_fd = -1;
    set_duty(seat, ADIT_DUTY_NONE);
    seat->is_orphan = false;
}

static int mind_seat(struct adit_seats *s, struct adit_seat *seat)
{
    struct adit_worker_slot *w = seat->slot;
    uint64_t word = adit_load_acquire(&w->word); /* WORKER:move */
    enum adit_worker_life life = adit_worker_life(word);
    uint32_t ended = adit_load32_acquire(&w->ended);
    int error = 0;
    if (life == ADIT_LIFE_WARMING && (ended || seat->is_orphan) && adit_worker_move_from(w, word, ADIT_LIFE_TERMINATED)) {
        error = ended ? failure(s, ended) : 0;
        life = ADIT_LIFE_TERMINATED;
    } else if (life != ADIT_LIFE_WARMING && life != ADIT_LIFE_TERMINATED && (ended || !adit_worker_is_held(w))) {
        bury(s, seat);
        life = adit_seat_life(seat);
    } else if (life != ADIT_LIFE_WARMING && life != ADIT_LIFE_TERMINATED && seat->threads_fd < 0) {
        (void)adit_seat_threads(seat); /* now, and not when it has died */
        rouse_standbys(s);
    }
    if (life == ADIT_LIFE_TERMINATED && (ended || seat->is_orphan))
        leave_seat(s, seat, ended);
    return error;
}

int adit_seats_mind(struct adit_seats *s)
{
    int error = 0;
    for (uint32_t i = 0; i < SEATS; i++) {
        int one = s->seat[i].duty != ADIT_DUTY_NONE ? mind_seat(s, &s->seat[i]) : 0;
        error = one ? one : error;
    }
    return error;
}

void adit_seats_orphan(struct adit_seats *s)
{
    for (uint32_t i = 0; i < SEATS; i++)
        s->seat[i].is_orphan |= s->seat[i].duty != ADIT_DUTY_NONE;
}

/* ---- taking and leaving ----------------------------------------------------------------------------------------- */

uint32_t adit_seats_count(const struct adit_seats *s, enum adit_duty duty)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < SEATS; i++)
        n += s->seat[i].duty == duty && !s->seat[i].is_orphan;
    return n;
}

bool adit_seats_claim(struct adit_seats *s, uint32_t zygote, enum adit_duty duty, struct adit_zygote_wish *wish)
{
    uint32_t i = 0;
    while (i < SEATS && s->seat[i].duty != ADIT_DUTY_NONE)
        i++;
    struct adit_worker_slot *slot = i < SEATS ? adit_worker_slot_claim(s->arena, zygote) : NULL;
    if (!slot)
        return false;
    struct adit_seat *seat = &s->seat[i];
    seat->generation = adit_worker_generation(adit_load_acquire(&slot->word));
    __atomic_store_n(&seat->slot, slot, __ATOMIC_RELEASE); /* SEAT:duty, pairs with look */
    adit_store32_release(&seat->duty, duty);
    adit_store32_release(&slot->go, duty == ADIT_DUTY_WORK);
    *wish = (struct adit_zygote_wish){(uint32_t)(slot - s->arena->workers), seat->generation};
    return true;
}

void adit_seats_dismiss(struct adit_seats *s, struct adit_seat *seat)
{
    set_duty(seat, ADIT_DUTY_LEAVING);
    adit_store32_release(&seat->slot->ask, 1);
    adit_futex_wake(&seat->slot->go, 1); /* a standby */
    adit_event_wake(&s->queue->slot->work, UINT32_MAX);
}

void adit_seat_hear(struct adit_seat *seat)
{
    uint32_t worn = 1;
    if (seat->duty != ADIT_DUTY_NONE && adit_cas32_acq_rel(&seat->slot->worn, &worn, 2)) /* WORKER:worn: ask came before */
        adit_futex_wake(&seat->slot->worn, 1);
}

void adit_seats_dismiss_all(struct adit_seats *s)
{
    for (uint32_t i = 0; i < SEATS; i++) {
        struct adit_worker_slot *w = s->seat[i].slot;
        if (s->seat[i].duty == ADIT_DUTY_NONE)
            continue;
        adit_store32_release(&w->stop, 1);
        adit_store32_release(&w->ask, 1);
        adit_futex_wake(&w->go, 1);
        adit_seat_hear(&s->seat[i]);
    }
    adit_event_wake(&s->queue->slot->work, UINT32_MAX);
}

void adit_seats_kill(const struct adit_seats *s)
{
    for (uint32_t i = 0; i < SEATS; i++)
        if (s->seat[i].duty != ADIT_DUTY_NONE)
            (void)adit_worker_kill(s->arena, s->seat[i].slot);
}

/* ---- from outside ----------------------------------------------------------------------------------------------- */

/* Of a seat that others may be changing; *duty: as it was. Slots are never anything else: it may be another's by now. */
static const struct adit_worker_slot *slot_of(const struct adit_seat *seat, uint32_t *duty)
{
    *duty = adit_load32_acquire(&seat->duty); /* SEAT:duty */
    return __atomic_load_n(&seat->slot, __ATOMIC_RELAXED);
}

void adit_seats_look(const struct adit_seats *s, struct adit_pool_stats *stats)
{
    for (uint32_t i = 0; i < SEATS; i++) {
        uint32_t duty;
        const struct adit_worker_slot *w = slot_of(&s->seat[i], &duty);
        enum adit_worker_life life = duty != ADIT_DUTY_NONE ? adit_worker_life(adit_load_acquire(&w->word)) : ADIT_LIFE_COLD;
        bool is_ready = life > ADIT_LIFE_WARMING;
        stats->processes += duty == ADIT_DUTY_WORK && is_ready && life < ADIT_LIFE_TERMINATING;
        stats->standbys += duty == ADIT_DUTY_STANDBY && is_ready;
        uint32_t by = (duty == ADIT_DUTY_STANDBY || duty == ADIT_DUTY_WORK) && is_ready ? adit_load32_relaxed(&w->confined_by) : 0;
        stats->confined_by = !by ? stats->confined_by : stats->confined ? stats->confined_by & by : by;
        stats->confined += by != 0;
    }
    stats->deaths = adit_load_relaxed(&s->deaths);
    stats->last_signal = adit_load32_relaxed(&s->last_signal);
}

/* Those at work whose life is from first to last. */
static uint32_t count_at_work(const struct adit_seats *s, enum adit_worker_life first, enum adit_worker_life last)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < SEATS; i++) {
        uint32_t duty;
        const struct adit_worker_slot *w = slot_of(&s->seat[i], &duty);
        enum adit_worker_life life = duty == ADIT_DUTY_WORK ? adit_worker_life(adit_load_acquire(&w->word)) : ADIT_LIFE_COLD;
        n += duty == ADIT_DUTY_WORK && life >= first && life <= last;
    }
    return n;
}

uint32_t adit_seats_begun(const struct adit_seats *s) { return count_at_work(s, ADIT_LIFE_READY, ADIT_LIFE_TERMINATED); }
uint64_t adit_seats_tasks(const struct adit_seats *s)
{
    uint64_t n = adit_load_relaxed(&s->tasks_before);
    for (uint32_t i = 0; i < SEATS; i++) {
        uint32_t duty;
        const struct adit_worker_slot *w = slot_of(&s->seat[i], &duty);
        n += duty != ADIT_DUTY_NONE ? adit_load_relaxed(&w->tasks) : 0;
    }
    return n;
}

uint32_t adit_seats_busy(const struct adit_seats *s) { return count_at_work(s, ADIT_LIFE_BUSY, ADIT_LIFE_BUSY); }

void adit_seat_look(const struct adit_seat *seat, struct adit_worker_info *info)
{
    uint32_t duty;
    const struct adit_worker_slot *w = slot_of(seat, &duty);
    *info = (struct adit_worker_info){.size = sizeof *info, .state = ADIT_WORKER_COLD};
    if (duty == ADIT_DUTY_NONE)
        return;
    info->state = (enum adit_worker_state)adit_worker_life(adit_load_acquire(&w->word));
    info->is_standby = duty == ADIT_DUTY_STANDBY;
    if (info->state < ADIT_WORKER_READY)
        return;
    info->pid = adit_load32_relaxed(&w->pid);
    info->tasks = adit_load_relaxed(&w->tasks);
    info->task = info->state == ADIT_WORKER_BUSY ? adit_load_relaxed(&w->task) : 0;
    info->age_ns = adit_clock_ns() - adit_load_relaxed(&w->born_ns);
    info->private_bytes = adit_process_private_bytes(info->pid);
    info->confined_by = adit_load32_relaxed(&w->confined_by);
}
