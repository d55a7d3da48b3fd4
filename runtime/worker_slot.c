#include "runtime/worker_slot.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TO(life) (1u << ADIT_LIFE_##life)

static const uint32_t moves[ADIT_LIVES] = {
    [ADIT_LIFE_COLD] = TO(WARMING),
    [ADIT_LIFE_WARMING] = TO(READY) | TO(TERMINATED),
    [ADIT_LIFE_READY] = TO(BUSY) | TO(TERMINATING) | TO(TERMINATED),
    [ADIT_LIFE_BUSY] = TO(CLEANING) | TO(TERMINATED),
    [ADIT_LIFE_CLEANING] = TO(READY) | TO(TERMINATING) | TO(TERMINATED),
    [ADIT_LIFE_TERMINATING] = TO(TERMINATED),
    [ADIT_LIFE_TERMINATED] = TO(COLD),
};

bool adit_worker_may_move(enum adit_worker_life from, enum adit_worker_life to)
{
    return from < ADIT_LIVES && to < ADIT_LIVES && moves[from] >> to & 1;
}

bool adit_worker_move_from(struct adit_worker_slot *slot, uint64_t word, enum adit_worker_life to)
{
    uint32_t pool = to == ADIT_LIFE_COLD ? 0 : adit_worker_pool(word);
    return adit_worker_may_move(adit_worker_life(word), to) &&
           adit_cas_acq_rel(&slot->word, &word, adit_worker_word(adit_worker_generation(word), to, pool)); /* WORKER:move: what its maker stored before */
}

bool adit_worker_move(struct adit_worker_slot *slot, enum adit_worker_life to) { return adit_worker_move_from(slot, adit_load_acquire(&slot->word), to); }

/* Nobody who could store anything in the slot is there any more. */
static bool is_left(const struct adit_arena *arena, const struct adit_worker_slot *slot, uint64_t word)
{
    return !adit_participant_has(arena, adit_worker_pool(word)) && !adit_participant_has(arena, adit_load32_relaxed(&slot->owner)) &&
           !adit_participant_has(arena, adit_load32_relaxed(&slot->zygote)); /* relaxed: of this word, or the CAS fails */
}

struct adit_worker_slot *adit_worker_slot_claim(struct adit_arena *arena, uint32_t zygote)
{
    for (uint32_t i = 0; i < arena->workers_max; i++) {
        struct adit_worker_slot *s = &arena->workers[i];
        uint64_t word = adit_load_acquire(&s->word);
        if (adit_worker_life(word) != ADIT_LIFE_COLD && !is_left(arena, s, word))
            continue;
        if (!adit_cas_acq_rel(&s->word, &word, adit_worker_word(adit_worker_generation(word) + 1, ADIT_LIFE_WARMING, arena->owner)))
            continue;
        adit_store32_relaxed(&s->owner, 0); /* relaxed, all: the worker is told of the slot later, by its zygote's socket */
        adit_store32_relaxed(&s->pid, 0);
        adit_store32_relaxed(&s->threads, 0);
        adit_store32_relaxed(&s->ask, 0);
        adit_store32_relaxed(&s->stop, 0);
        adit_store32_relaxed(&s->go, 0);
        adit_store32_relaxed(&s->ended, 0);
        adit_store32_relaxed(&s->watches, 0);
        adit_store32_relaxed(&s->worn, 0);
        adit_store32_relaxed(&s->confined_by, 0);
        adit_store_relaxed(&s->heir, (uint64_t)(adit_worker_generation(word) + 1) << 32);
        adit_store32_relaxed(&s->zygote, zygote);
        adit_store_relaxed(&s->task, 0);
        adit_store_relaxed(&s->tasks, 0);
        return s;
    }
    return NULL;
}

bool adit_worker_is_held(const struct adit_worker_slot *slot) { return adit_load32_acquire(&slot->alive.word) & ADIT_ROBUST_TID; }

bool adit_worker_watch(struct adit_worker_slot *slot, struct adit_futex_look *look)
{
    uint32_t *word = &slot->alive.word, seen = adit_load32_relaxed(word);
    while (seen & ADIT_ROBUST_TID && !(seen & ADIT_ROBUST_WAITERS) && !adit_cas32_acq_rel(word, &seen, seen | ADIT_ROBUST_WAITERS)) {
    }
    *look = (struct adit_futex_look){word, seen | ADIT_ROBUST_WAITERS};
    return seen & ADIT_ROBUST_TID;
}

bool adit_worker_has_died(const struct adit_worker_slot *slot, struct adit_worker_dead *dead)
{
    uint64_t word = adit_load_acquire(&slot->word), again;
    enum adit_worker_life life = adit_worker_life(word);
    uint32_t alive = adit_load32_acquire(&slot->alive.word);
    bool has_died = life > ADIT_LIFE_WARMING && life < ADIT_LIFE_TERMINATED && !(alive & ADIT_ROBUST_TID) &&
                    (life != ADIT_LIFE_TERMINATING || alive & ADIT_ROBUST_DIED);
    *dead = (struct adit_worker_dead){adit_worker_generation(word), adit_load32_relaxed(&slot->owner), adit_load32_relaxed(&slot->pid), adit_load_relaxed(&slot->task)};
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* WORKER:move: all of these were one worker's */
    again = adit_load_relaxed(&slot->word);
    return has_died && adit_worker_generation(again) == dead->generation;
}

bool adit_worker_inherit(struct adit_worker_slot *slot, const struct adit_worker_dead *dead, uint32_t heir)
{
    uint64_t nobody = (uint64_t)dead->generation << 32;
    return adit_cas_acq_rel(&slot->heir, &nobody, nobody | heir);
}

bool adit_worker_is(const struct adit_worker_slot *slot, const struct adit_participant *p, uint64_t word)
{
    uint64_t start_time;
    bool is_told = adit_part_state(word) == ADIT_PART_ALIVE && adit_load32_relaxed(&slot->pid) == adit_part_pid(word) && !strncmp(p->label, ADIT_WORKER_LABEL, sizeof ADIT_WORKER_LABEL - 1) &&
                   p->pid_ns == adit_process_pid_namespace(); /* relaxed: WORKER:move */
    return is_told && !adit_process_start_time(adit_part_pid(word), &start_time) && adit_participant_is(p, word, start_time);
}

int adit_worker_kill(const struct adit_arena *arena, const struct adit_worker_slot *slot)
{
    enum adit_worker_life life = adit_worker_life(adit_load_acquire(&slot->word)); /* WORKER:move: owner, pid */
    uint32_t owner = adit_load32_relaxed(&slot->owner), i = adit_owner_slot(owner);
    if (life <= ADIT_LIFE_WARMING || life >= ADIT_LIFE_TERMINATED || i >= arena->participants_max)
        return -ESRCH;
    const struct adit_participant *p = &arena->participants[i];
    uint64_t word = adit_load_acquire(&p->word); /* PART:alive */
    pid_t pid = (pid_t)adit_part_pid(word);
    int fd = pid > 1 && pid != getpid() ? adit_process_open((uint32_t)pid) : -1; /* never oneself, nor the first process */
    if (fd < 0)
        return -ESRCH;
    bool is_its = adit_owner_make(i, adit_part_generation(word)) == owner && adit_worker_is(slot, p, word);
    int error = is_its && !syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) ? 0 : -ESRCH;
    close(fd);
    return error;
}

void adit_worker_ring(uint32_t *bell)
{
    adit_add32_seq_cst(bell, 1);
    adit_futex_wake(bell, 1);
}
