#include "runtime/task_limit.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_limits(const struct adit_task_slot *t) { return __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_LIMITS; }

/* Sets the timer to so long from now; 0: not at all. */
static void set_killer(struct adit_worker *w, uint64_t ns)
{
    const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)}};
    struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    if (!w->has_killer && ns)
        w->has_killer = !timer_create(CLOCK_MONOTONIC, &kill, &w->killer);
    if (w->has_killer)
        (void)timer_settime(w->killer, 0, &at, NULL);
}

/* When an attempt began, with its number: what an attempt or a task before has left there is not taken for it. */
static uint64_t began(uint64_t now, uint64_t word) { return (now & ~15ull) | adit_task_attempt(word); }

static __attribute__((noinline)) uint64_t begin_limited(struct adit_worker *w, struct adit_task_slot *t, uint64_t word)
{
    uint64_t now = adit_clock_ns(), limit = adit_load_relaxed(&t->limit_ns), kill = adit_load_relaxed(&t->kill_ns);
    adit_store_relaxed(&t->started_ns, began(now, word)); /* relaxed: recovery reads it when this process has ended */
    w->is_timed = kill && w->slot;
    if (w->is_timed)
        set_killer(w, kill);
    uint64_t first = limit && (!kill || limit < kill) ? limit : kill, ends = first ? adit_task_later(now, first) : 0;
    return ends && (!w->ends_ns || ends < w->ends_ns) ? ends : w->ends_ns;
}

uint64_t adit_task_limit_begin(struct adit_worker *w, struct adit_task_slot *t, uint64_t word) { return has_limits(t) ? begin_limited(w, t, word) : w->ends_ns; }

int adit_task_limit_end(struct adit_worker *w, const struct adit_task_run *run, int status)
{
    if (w->is_timed) { /* its own word: what the slot says now a mad peer may have changed */
        set_killer(w, 0);
        w->is_timed = false;
    }
    bool is_cancelled = adit_load_relaxed(run->word) & ADIT_TASK_CANCEL;
    return run->ends_ns && status == -ECANCELED && !is_cancelled && adit_clock_ns() >= run->ends_ns ? -ETIMEDOUT : status;
}

bool adit_task_limit_is_over(const struct adit_task_slot *t, uint64_t word)
{
    uint64_t kill = has_limits(t) ? adit_load_relaxed(&t->kill_ns) : 0, start = adit_load_relaxed(&t->started_ns);
    return kill && began(start, word) == start && adit_clock_ns() >= adit_task_later(start & ~15ull, kill);
}

/* The worker process whose participant owner is; NULL: it is none. */
static const struct adit_worker_slot *process_of(const struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < arena->workers_max; i++) {
        const struct adit_worker_slot *s = &arena->workers[i];
        enum adit_worker_life life = adit_worker_life(adit_load_acquire(&s->word));
        if (adit_load32_acquire(&s->owner) == owner && life > ADIT_LIFE_WARMING && life < ADIT_LIFE_TERMINATED)
            return s;
    }
    return NULL;
}

/* Kills the process that has the task of word, if that is so still once it is held by a descriptor: so no other process of that number is meant. */
static int kill_worker(const struct adit_queue *q, const struct adit_task_slot *t, uint64_t word)
{
    uint32_t owner = adit_task_owner(word), slot = adit_owner_slot(owner);
    const struct adit_worker_slot *w = slot < q->arena->participants_max ? process_of(q->arena, owner) : NULL;
    if (!w)
        return -EBUSY;
    const struct adit_participant *p = &q->arena->participants[slot];
    uint64_t who = adit_load_acquire(&p->word); /* PART:alive */
    pid_t pid = (pid_t)adit_part_pid(who);
    int fd = pid > 1 && pid != getpid() ? (int)syscall(SYS_pidfd_open, pid, 0) : -1; /* never oneself, nor the first process */
    if (fd < 0)
        return -ESRCH;
    bool is_its = adit_owner_make(slot, adit_part_generation(who)) == owner && adit_worker_is(w, p, who);
    int error = is_its ? 0 : -ESRCH;
    if (is_its && !((adit_load_seq_cst(&t->word) ^ word) & ~ADIT_TASK_FLAGS) && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0))
        error = -ESRCH;
    close(fd);
    return error;
}

int adit_cancel_now(struct adit_queue *q, uint64_t task)
{
    struct adit_task_place place;
    int error = adit_cancel(q, task);
    if (error != -EBUSY || !adit_task_resolve(q, task, &place))
        return error;
    uint64_t word = adit_load_acquire(&place.slot->word);
    bool runs = !adit_task_lead(word, adit_task_round_at(q, place.position)) && adit_task_state(word) == ADIT_TASK_RUNNING;
    return runs ? kill_worker(q, place.slot, word) : 0; /* else it has just ended, or is being committed */
}
