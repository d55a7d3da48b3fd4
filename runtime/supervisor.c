#include "runtime/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kind_able.h"
#include "runtime/nursery.h"
#include "runtime/seats.h"
#include "runtime/wear.h"
#include "runtime/worker_slot.h"

#define SEATS (ADIT_POOL_SEATS)
#define OPEN_NS 10000000000u  /* for the first workers to be at work */
#define RESIZE_NS 2000000000u /* for more of them */
#define LOOK_NS 20000000u     /* between looks at age and memory of workers, which they look at themselves after each task, and at their threads */
#define IDLE_NS 500000000u    /* the same where none of these is limited */
#define START_NS 2000000u     /* between looks at a zygote that may have died before it could tell */
#define DYING_NS 100000u      /* between looks at a process that has threads left */
#define AGAIN_NS 100000000u   /* after a zygote or a worker could not begin */
#define LIVED_NS 1000000000u  /* so long a zygote could */
#define SILENT_NS 3000000000u /* that a zygote may do nothing of what it was asked to */
#define KILL_NS 3000000000u   /* that a worker has to end once its pool closes */
#define GIVE_UP_NS 10000000000u /* and that the pool then waits for any */
#define MORE_WORDS 3u         /* to wait for, beside those of seats */

struct adit_supervisor {
    struct adit_arena *arena;
    uint32_t standbys;
    struct adit_wear_limits limits;
    pthread_t thread;
    uint32_t call;      /* futex: changes when somebody has asked for something, or stop is 1; w: they, release */
    uint32_t stop;      /* 1: end; w: close, release */
    uint32_t processes; /* that shall be at work; w: who asks, before asked */
    uint32_t asked;     /* a number more a question; w: who asks, release */
    uint32_t answered;  /* futex: the last question that error and why answer; 0: it has not begun; w: the thread, release */
    int error;
    char why[512];
    /* the thread's own */
    struct adit_nursery nursery;
    struct adit_seats seats;
    uint32_t wanted; /* processes, as of this round */
    bool cannot_wait; /* for many words */
    uint64_t again_ns, looked_ns, opened_ns;
    uint64_t recycled, silent_ns, kinds; /* w: the thread, relaxed, all; kinds: that its workers run */
    pthread_mutex_t told;         /* of what follows: what went wrong since open */
    uint64_t errors;
    int last_error;
    char last_reason[sizeof ((struct adit_pool_stats *)0)->last_reason];
};

/* What went wrong is told of to whoever looks. */
static void note(struct adit_supervisor *s, int error, const char *reason)
{
    pthread_mutex_lock(&s->told);
    s->errors++;
    s->last_error = error;
    snprintf(s->last_reason, sizeof s->last_reason, "%s", reason);
    pthread_mutex_unlock(&s->told);
}

/* What became of a question is told once; whoever asks again asks by another number. */
static void answer(struct adit_supervisor *s, uint32_t asked, int error, const char *why)
{
    if (adit_load32_relaxed(&s->answered) == asked)
        return;
    s->error = error;
    snprintf(s->why, sizeof s->why, "%s", why);
    adit_store32_release(&s->answered, asked); /* SUPERVISOR:answer */
    adit_futex_wake(&s->answered, 1);
}

static void call(struct adit_supervisor *s)
{
    adit_store32_release(&s->call, adit_load32_relaxed(&s->call) + 1); /* whoever makes one makes all: the pool's scaler, and close once that has ended */
    adit_futex_wake(&s->call, 1);
}

/* ---- zygote ----------------------------------------------------------------------------------------------------- */

/* What could not begin may not the next time either. */
static void try_later(struct adit_supervisor *s) { s->again_ns = adit_clock_ns() + AGAIN_NS; }

/* Another one is made at once, but where it would die as soon as this one. Its workers are orphans. */
static void lose_zygote(struct adit_supervisor *s, uint64_t limit_ns)
{
    (void)adit_nursery_end(&s->nursery, limit_ns);
    if (adit_clock_ns() - s->nursery.started_ns < LIVED_NS)
        try_later(s);
    adit_seats_orphan(&s->seats);
}

/* 0 or why there is none (adit_detail). */
static int mind_zygote(struct adit_supervisor *s)
{
    struct adit_nursery *n = &s->nursery;
    bool was_starting = n->is_starting;
    int error = was_starting ? adit_nursery_hear(n) : 0;
    if (error == -EAGAIN)
        return 0;
    if (!error && was_starting)
        adit_store_relaxed(&s->kinds, adit_kinds_able(s->arena, adit_owner_slot(adit_load32_relaxed(&n->slot->owner)))); /* relaxed: its report came after these */
    uint64_t silent_ns = adit_nursery_silent_ns(n);
    adit_store_relaxed(&s->silent_ns, silent_ns);
    if (!error && n->slot && !adit_nursery_is_ready(n))
        lose_zygote(s, ADIT_NURSERY_LEAVING_NS);
    if (!error && n->slot && silent_ns > SILENT_NS) {
        note(s, -ETIMEDOUT, "the process that forks workers did nothing for 3 s, and was killed; another takes its place");
        lose_zygote(s, 0);
    }
    if (!error && !n->slot && adit_clock_ns() >= s->again_ns)
        error = adit_nursery_start(n);
    if (error)
        try_later(s);
    return error;
}

/* ---- how many --------------------------------------------------------------------------------------------------- */

/* Whom the pool can do without first, of those with a zygote or without: one that has nothing to do. */
static struct adit_seat *find_idle(struct adit_supervisor *s, bool is_orphan)
{
    struct adit_seat *found = NULL;
    for (uint32_t i = 0; i < SEATS; i++) {
        struct adit_seat *seat = &s->seats.seat[i];
        if (seat->duty != ADIT_DUTY_WORK || seat->is_orphan != is_orphan)
            continue;
        if (adit_seat_life(seat) == ADIT_LIFE_READY)
            return seat;
        found = found ? found : seat;
    }
    return found;
}

/* Workers of a zygote that has died end as soon as others have taken over; standbys among them at once. */
static void dismiss_orphans(struct adit_supervisor *s)
{
    uint32_t at_work = 0, orphans = 0;
    for (uint32_t i = 0; i < SEATS; i++) {
        struct adit_seat *seat = &s->seats.seat[i];
        enum adit_worker_life life = adit_seat_life(seat);
        if (seat->duty == ADIT_DUTY_STANDBY && seat->is_orphan)
            adit_seats_dismiss(&s->seats, seat);
        else if (seat->duty == ADIT_DUTY_WORK && seat->is_orphan)
            orphans++;
        else
            at_work += seat->duty == ADIT_DUTY_WORK && life >= ADIT_LIFE_READY && life <= ADIT_LIFE_CLEANING;
    }
    for (struct adit_seat *seat; orphans && at_work + orphans > s->wanted && (seat = find_idle(s, true)); orphans--)
        adit_seats_dismiss(&s->seats, seat);
}

/* As many at work and standing by as there shall be. */
static void fill(struct adit_supervisor *s)
{
    struct adit_zygote_wish wishes[ADIT_ZYGOTE_WISHES];
    struct adit_seats *seats = &s->seats;
    uint32_t working = adit_seats_count(seats, ADIT_DUTY_WORK), waiting = adit_seats_count(seats, ADIT_DUTY_STANDBY), n = 0;
    bool may = adit_nursery_is_ready(&s->nursery) && (adit_clock_ns() >= s->again_ns || !adit_load32_relaxed(&s->answered));
    for (struct adit_seat *seat; working < s->wanted && (seat = adit_seats_standby(seats, false)); working++, waiting--)
        adit_seat_promote(seat);
    for (struct adit_seat *seat; working > s->wanted && (seat = find_idle(s, false)); working--) /* also when one that was about to leave has died, and has an heir */
        adit_seats_dismiss(seats, seat);
    while (may && working + waiting < s->wanted + s->standbys) {
        bool is_for_work = working < s->wanted;
        may = adit_seats_claim(seats, adit_load32_relaxed(&s->nursery.slot->owner), is_for_work ? ADIT_DUTY_WORK : ADIT_DUTY_STANDBY, &wishes[n]);
        working += may && is_for_work;
        waiting += may && !is_for_work;
        n += may;
        if (n && (n == ADIT_ZYGOTE_WISHES || !may || working + waiting == s->wanted + s->standbys)) {
            may = adit_nursery_wish(&s->nursery, wishes, n) && may;
            n = 0;
        }
    }
}

/* Whether a worker is to be replaced: it says so itself after a task; of one without tasks its age says so, and of any its threads. */
static bool is_worn(const struct adit_supervisor *s, struct adit_seat *seat, bool looks_close)
{
    const struct adit_worker_slot *w = seat->slot;
    if (adit_load32_acquire(&w->worn))
        return true;
    return looks_close && (adit_wear_is_over(&s->limits, adit_load_relaxed(&w->tasks), adit_load_relaxed(&w->born_ns)) ||
                           (s->limits.bytes && adit_process_private_bytes(adit_load32_relaxed(&w->pid)) > s->limits.bytes) ||
                           adit_seat_threads(seat) > adit_load32_relaxed(&w->threads));
}

/* Replaces workers that are worn by standbys that are ready, one for one. */
static void recycle(struct adit_supervisor *s)
{
    uint64_t now = adit_clock_ns();
    bool looks_close = now - s->looked_ns >= (adit_wear_is_limited(&s->limits) ? LOOK_NS : IDLE_NS);
    if (looks_close)
        s->looked_ns = now;
    for (uint32_t i = 0; i < SEATS; i++) {
        struct adit_seat *seat = &s->seats.seat[i], *standby;
        enum adit_worker_life life = seat->duty == ADIT_DUTY_WORK ? adit_seat_life(seat) : ADIT_LIFE_COLD;
        if (life >= ADIT_LIFE_READY && life <= ADIT_LIFE_CLEANING && !seat->is_orphan && is_worn(s, seat, looks_close) && (standby = adit_seats_standby(&s->seats, true))) {
            adit_store_relaxed(&s->recycled, s->recycled + 1); /* first: who sees the standby at work sees it counted */
            adit_seat_promote(standby);
            adit_seats_dismiss(&s->seats, seat);
        }
        adit_seat_hear(seat);
    }
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

/* Sleeps until somebody may have died, told or asked something, or it is time to look. bell, called: as they were before the last looks. */
static void wait_for_news(struct adit_supervisor *s, uint32_t bell, uint32_t called, bool is_ending)
{
    struct adit_futex_look looks[SEATS + MORE_WORDS];
    const struct adit_nursery *zygote = &s->nursery;
    uint64_t limit_ns = zygote->is_starting || !zygote->slot ? START_NS : adit_wear_is_limited(&s->limits) || is_ending ? LOOK_NS : IDLE_NS;
    uint64_t now = adit_clock_ns(), left = s->again_ns > now ? s->again_ns - now : limit_ns;
    limit_ns = left < limit_ns ? left : limit_ns; /* what could not begin may then */
    const struct adit_seat *standby = is_ending || s->cannot_wait ? NULL : adit_seats_standby(&s->seats, true);
    const bool is_watched = standby && adit_load32_acquire(&standby->slot->watches); /* those at work (worker_life.c): here their deaths would be told of instead of there */
    uint32_t n = 0;
    if (!is_ending)
        looks[n++] = (struct adit_futex_look){&s->call, called};
    if (zygote->slot)
        looks[n++] = (struct adit_futex_look){&zygote->slot->bell, bell};
    if (zygote->slot && !zygote->is_starting && !adit_worker_watch(zygote->slot, &looks[n++]))
        return;
    for (uint32_t i = 0; i < SEATS; i++) {
        const struct adit_seat *seat = &s->seats.seat[i];
        enum adit_worker_life life = adit_seat_life(seat);
        if (seat->is_dying)
            limit_ns = DYING_NS;
        else if (life > ADIT_LIFE_WARMING && life < ADIT_LIFE_TERMINATED && !adit_worker_watch(seat->slot, &looks[n]))
            return;
        else
            n += life > ADIT_LIFE_WARMING && life < ADIT_LIFE_TERMINATED && !(is_watched && seat->duty == ADIT_DUTY_WORK);
    }
    s->cannot_wait = s->cannot_wait || adit_futex_wait_any(looks, n, limit_ns) == -ENOSYS;
    if (s->cannot_wait)
        (void)adit_futex_wait(zygote->slot ? &zygote->slot->bell : &s->call, zygote->slot ? bell : called, limit_ns < LOOK_NS ? limit_ns : LOOK_NS);
}

/* What is left of limit_ns after begin_ns. */
static uint64_t left_of(uint64_t limit_ns, uint64_t begin_ns)
{
    uint64_t gone = adit_clock_ns() - begin_ns;
    return gone < limit_ns ? limit_ns - gone : 0;
}

/* Everybody is asked, then killed: bounded, whatever tasks heed, and whoever is stopped (README.md). */
static void end_all(struct adit_supervisor *s)
{
    struct adit_nursery *zygote = &s->nursery;
    uint64_t begin = adit_clock_ns();
    if (zygote->slot)
        adit_nursery_shut(zygote);
    while (adit_seats_count(&s->seats, ADIT_DUTY_NONE) < SEATS && left_of(GIVE_UP_NS, begin)) {
        uint32_t bell = zygote->slot ? adit_load32_acquire(&zygote->slot->bell) : 0, called = adit_load32_acquire(&s->call);
        adit_seats_dismiss_all(&s->seats);
        if (!left_of(KILL_NS, begin))
            adit_seats_kill(&s->seats); /* before the zygote, which could not reap them then */
        if (zygote->slot && (!left_of(ADIT_NURSERY_LEAVING_NS, begin) || (!zygote->is_starting && !adit_nursery_is_ready(zygote)))) {
            (void)adit_nursery_end(zygote, left_of(ADIT_NURSERY_LEAVING_NS, begin));
            adit_seats_orphan(&s->seats);
        }
        (void)adit_seats_mind(&s->seats);
        if (adit_seats_count(&s->seats, ADIT_DUTY_NONE) < SEATS)
            wait_for_news(s, bell, called, true);
    }
    if (zygote->slot)
        (void)adit_nursery_end(zygote, left_of(ADIT_NURSERY_LEAVING_NS, begin));
    adit_seats_fini(&s->seats);
}

static void *supervise(void *user)
{
    struct adit_supervisor *s = user;
    while (!adit_load32_acquire(&s->stop)) {
        uint32_t bell = s->nursery.slot ? adit_load32_acquire(&s->nursery.slot->bell) : 0, called = adit_load32_acquire(&s->call);
        uint32_t asked = adit_load32_acquire(&s->asked); /* SUPERVISOR:ask */
        s->wanted = adit_load32_relaxed(&s->processes); /* relaxed: after asked; of a later question, too */
        int error = adit_seats_mind(&s->seats); /* first of all: somebody may wait for a dead one's task */
        if (error) {
            try_later(s);
            note(s, error, adit_detail());
            answer(s, asked, error, adit_detail());
        }
        error = mind_zygote(s);
        if (error) {
            note(s, error, adit_detail());
            answer(s, asked, error, adit_detail());
        }
        fill(s);
        dismiss_orphans(s);
        recycle(s);
        if (adit_seats_begun(&s->seats) >= s->wanted)
            answer(s, asked, 0, "");
        else if (!adit_load32_relaxed(&s->answered) && adit_clock_ns() - s->opened_ns > OPEN_NS)
            answer(s, asked, -ETIMEDOUT, "its worker processes did not begin within 10 s");
        wait_for_news(s, bell, called, false);
    }
    end_all(s);
    return NULL;
}

/* ---- from outside ----------------------------------------------------------------------------------------------- */

/* For n processes; the number of that question. */
static uint32_t ask(struct adit_supervisor *s, uint32_t n)
{
    uint32_t asked = adit_load32_relaxed(&s->asked) + 1;
    adit_store32_relaxed(&s->processes, n);
    adit_store32_release(&s->asked, asked); /* SUPERVISOR:ask: processes */
    call(s);
    return asked;
}

/* What was answered to question asked, waiting so long for it. */
static int wait_for_answer(struct adit_supervisor *s, uint32_t asked, uint64_t timeout_ns)
{
    uint64_t until = timeout_ns == ADIT_FOREVER ? ADIT_FOREVER : adit_clock_ns() + timeout_ns, now;
    uint32_t answered;
    while ((answered = adit_load32_acquire(&s->answered)) != asked) { /* SUPERVISOR:answer */
        now = adit_clock_ns();
        if (now >= until)
            return adit_fault(-ETIMEDOUT, "arena %s: its worker processes did not begin in time", s->arena->name);
        (void)adit_futex_wait(&s->answered, answered, until - now);
    }
    return s->error ? adit_fault(s->error, "%s", s->why) : 0;
}

int adit_supervisor_resize(struct adit_supervisor *s, uint32_t n)
{
    uint32_t before = adit_load32_relaxed(&s->processes), asked = ask(s, n);
    int error = n > before ? wait_for_answer(s, asked, RESIZE_NS) : 0;
    if (!error)
        return (int)n;
    uint32_t there = adit_seats_begun(&s->seats);
    (void)ask(s, there > before ? there : before);
    return there > before ? (int)there : error;
}

void adit_supervisor_load(const struct adit_supervisor *s, uint32_t *processes, uint32_t *busy)
{
    *processes = adit_load32_relaxed(&s->processes);
    *busy = adit_seats_busy(&s->seats);
}

uint64_t adit_supervisor_tasks(const struct adit_supervisor *s) { return adit_seats_tasks(&s->seats); }
uint64_t adit_supervisor_kinds(const struct adit_supervisor *s) { return adit_load_relaxed(&s->kinds); } /* relaxed: advice */

static void supervisor_free(struct adit_supervisor *s)
{
    adit_nursery_fini(&s->nursery);
    pthread_mutex_destroy(&s->told);
    free(s);
}

static int start_thread(struct adit_supervisor *s)
{
    int error = adit_thread_start(&s->thread, supervise, s);
    return error ? adit_fault(error, "arena %s: cannot start a supervisor: %s", s->arena->name, strerror(-error)) : 0;
}

int adit_supervisor_open(const struct adit_queue *queue, const struct adit_pool_params *p, uint32_t processes, struct adit_supervisor **out)
{
    struct adit_supervisor *s = calloc(1, sizeof *s);
    if (!s)
        return adit_fault(-ENOMEM, "arena %s: no memory for a pool", queue->arena->name);
    s->arena = queue->arena;
    s->standbys = p->standbys ? p->standbys : 1;
    s->limits = (struct adit_wear_limits){p->recycle_tasks, p->recycle_age_ns, p->recycle_bytes};
    s->opened_ns = adit_clock_ns();
    pthread_mutex_init(&s->told, NULL);
    adit_seats_init(&s->seats, queue);
    int error = adit_nursery_init(&s->nursery, queue, p);
    uint32_t asked = ask(s, processes);
    if (!error)
        error = start_thread(s);
    if (error) {
        supervisor_free(s);
        return error;
    }
    error = wait_for_answer(s, asked, ADIT_FOREVER); /* bounded by OPEN_NS */
    if (error)
        adit_supervisor_close(&s);
    *out = s;
    return error;
}

void adit_supervisor_close(struct adit_supervisor **supervisor)
{
    struct adit_supervisor *s = *supervisor;
    if (!s)
        return;
    adit_store32_release(&s->stop, 1);
    call(s);
    pthread_join(s->thread, NULL);
    supervisor_free(s);
    *supervisor = NULL;
}

void adit_supervisor_look(struct adit_supervisor *s, struct adit_pool_stats *stats)
{
    adit_seats_look(&s->seats, stats);
    stats->recycled = adit_load_relaxed(&s->recycled);
    stats->silent_ns = adit_load_relaxed(&s->silent_ns);
    pthread_mutex_lock(&s->told);
    stats->errors = s->errors;
    stats->last_error = s->last_error;
    memcpy(stats->last_reason, s->last_reason, sizeof stats->last_reason);
    pthread_mutex_unlock(&s->told);
}

int adit_supervisor_look_at(const struct adit_supervisor *s, uint32_t index, struct adit_worker_info *info)
{
    if (index >= SEATS)
        return -ENOENT;
    adit_seat_look(&s->seats.seat[index], info);
    return 0;
}
