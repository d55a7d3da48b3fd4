#include "runtime/worker_life.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "runtime/confine.h"
#include "runtime/worker.h"

#define ALIVE_TIMEOUT_NS 100000000u /* for the lock of a slot, which only somebody born too late could hold */
#define PEERS ADIT_POOL_SEATS
#define DYING_NS 1000000u           /* before it looks again at peers that have died, and are others' to replace */
#define WORN_NS 100000000u          /* that one which is worn waits to be heard, should there be nobody who hears */
#define PARK_NS 1000000000u         /* a standby looks around at least so often, should a signal have come just before it slept */
#define LOOK_S 1                    /* between looks of one without a zygote whether its application is there */
#define STOP_NS 900000000u          /* that a task may go on without either until it is asked to stop, */
#define KILL_NS 2900000000u         /* and until its process ends: as a zygote would have it (zygote.c), at the second and the fourth look */

/* For the handler; set before it is installed. */
static struct {
    struct adit_worker_slot *slot;
    int zygote_pid, application; /* application: pidfd, below 0: nothing is known of it */
    timer_t looks;
    bool has_looks; /* there is that timer */
    bool is_looking;
    uint64_t alone_ns; /* since when neither is there; 0: one of them is */
} my;

static bool is_application_gone(void)
{
    struct pollfd p = {.fd = my.application, .events = POLLIN}; /* of a negative one nothing is told */
    return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

/* The zygote has died, and it alone would have ended a task that goes on and on. While the application lives that is the application's business, and its supervisor asks this worker to end when there are
 * others; should both have died, or nothing be known of it, it is this process's own. A timer brings the signal again for each look. All of this may be called in a handler, and by a confined process
 * (sieve_calls.h). */
static void mind_being_orphaned(void)
{
    const struct itimerspec often = {.it_value = {.tv_sec = LOOK_S}, .it_interval = {.tv_sec = LOOK_S}};
    uint64_t now = adit_clock_ns();
    bool is_gone = is_application_gone();
    if (!my.is_looking)
        my.is_looking = my.has_looks && !timer_settime(my.looks, 0, &often, NULL);
    if (is_gone || !my.is_looking || my.application < 0)
        adit_store32_release(&my.slot->ask, 1);
    if (!is_gone)
        return;
    my.alone_ns = my.alone_ns ? my.alone_ns : now;
    if (now - my.alone_ns >= STOP_NS)
        adit_store32_release(&my.slot->stop, 1);
    if (now - my.alone_ns >= KILL_NS)
        (void)kill(getpid(), SIGKILL);
}

/* The zygote has died, it is time to look whether the application has, or an operator wants this worker to end: after the task that it is at. */
static void on_term(int signal, siginfo_t *info, void *context)
{
    int before = errno;
    bool is_orphan = getppid() != my.zygote_pid, is_look = is_orphan && (!my.is_looking || info->si_code == SI_TIMER); /* the kernel tells of a parent's death as of a kill */
    (void)signal;
    (void)context;
    if (is_orphan)
        mind_being_orphaned();
    if (!is_look)
        adit_store32_release(&my.slot->ask, 1);
    errno = before;
}

/* What a kind has done ends this process: it is noted before it does, for the result of the task (task_recover.c). The action is the default again by then, so what raised the signal raises it once more. */
static void on_fatal(int signal) { adit_store32_relaxed(&my.slot->died_of, (uint32_t)signal); }

/* On a stack of its own, as the one at hand may be what has overflowed. */
static int mind_dying(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    static uint8_t stack[16384] __attribute__((aligned(16)));
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction note = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND | SA_ONSTACK};
    int error = sigaltstack(&own, NULL);
    adit_store32_relaxed(&my.slot->died_of, 0); /* of the worker before */
    for (uint32_t i = 0; i < sizeof fatal / sizeof *fatal && !error; i++) {
        struct sigaction had;
        error = sigaction(fatal[i], NULL, &had);
        if (!error && had.sa_handler == SIG_DFL) /* a sanitizer's, or one that the object set as it was loaded, stays */
            error = sigaction(fatal[i], &note, NULL);
    }
    return error ? -errno : 0;
}

/* Signals as a worker has them: SIGTERM asks it to end, or tells of its parent's death; what a terminal sends to all is the application's to answer. */
static int mind_signals(const struct adit_worker_birth *b)
{
    struct sigaction term = {.sa_sigaction = on_term, .sa_flags = SA_SIGINFO};
    struct sigevent again = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
    sigset_t none;
    my.slot = b->slot;
    my.zygote_pid = b->zygote_pid;
    my.application = b->application;
    my.has_looks = !timer_create(CLOCK_MONOTONIC, &again, &my.looks); /* refused where too many signals may wait already: then it ends with its zygote */
    sigemptyset(&none);
    if (sigaction(SIGTERM, &term, NULL) || prctl(PR_SET_PDEATHSIG, SIGTERM) || sigprocmask(SIG_SETMASK, &none, NULL))
        return -errno;
    int error = mind_dying();
    return error || getppid() == b->zygote_pid ? error : -ESRCH; /* it died before that was asked for */
}

/* Lets the keeper know of this participant: it looks who is there when somebody hangs up. */
static void tell_keeper(const struct adit_arena *arena)
{
    char place[ADIT_PLACE_BYTES];
    int fd = adit_rendezvous_connect(arena->name, 0, place);
    if (fd >= 0)
        close(fd);
}

/* Opens what it will need, and gives up the rest. */
static int confine(const struct adit_worker_birth *b, struct adit_wear *wear)
{
    uint32_t by = 0;
    tell_keeper(b->arena);
    adit_wear_begin(wear, &b->terms->limits);
    int error = b->terms->confine ? adit_confine(b->terms->needs, wear->memory_fd, &by) : 0;
    if (!error && b->terms->confine == ADIT_CONFINE_STRICTLY && !(by & ADIT_CONFINED_BY_SECCOMP))
        error = -ENOTSUP;
    adit_store32_relaxed(&b->slot->confined_by, by); /* relaxed: WORKER:move follows */
    return error;
}

/* Becomes a participant, and tells the supervisor: from READY on this process is watched by its robust word. */
static int begin(const struct adit_worker_birth *b, struct adit_wear *wear)
{
    char label[ADIT_NAME_BYTES];
    struct adit_worker_slot *s = b->slot;
    snprintf(label, sizeof label, ADIT_WORKER_LABEL "%d", b->zygote_pid);
    int error = mind_signals(b);
    if (!error)
        error = adit_arena_rejoin(b->arena, label);
    if (!error)
        error = adit_robust_lock(&s->alive, b->arena->owner, NULL, ALIVE_TIMEOUT_NS);
    error = error == -EOWNERDEAD ? 0 : error; /* of the worker before, which is forgotten */
    if (!error && b->terms->is_background)
        (void)adit_thread_background(); /* refused, by whom this process runs under: it runs as others do */
    if (!error)
        error = confine(b, wear);
    if (error)
        return error;
    adit_store32_relaxed(&s->owner, b->arena->owner); /* relaxed, all: WORKER:move follows */
    adit_store32_relaxed(&s->pid, (uint32_t)getpid());
    adit_store32_relaxed(&s->threads, adit_process_threads_here());
    adit_store_relaxed(&s->born_ns, wear->born_ns);
    uint64_t word = adit_load_acquire(&s->word);
    bool is_ours = adit_worker_generation(word) == b->generation && adit_worker_life(word) == ADIT_LIFE_WARMING;
    return is_ours && adit_worker_move_from(s, word, ADIT_LIFE_READY) ? 0 : -ECANCELED; /* given up meanwhile, and maybe another's */
}

/* One of the same pool that is at work. */
struct peer {
    struct adit_worker_slot *slot;
    uint32_t generation;
    int threads; /* adit_process_threads_open, while nothing hurries; or an errno */
};

/* Those that are at work, to be told of their deaths; returns how many. *is_calm: none of them has died. */
static uint32_t watch_peers(const struct adit_worker_birth *b, struct peer peers[PEERS], struct adit_futex_look looks[PEERS + 1], bool *is_calm)
{
    uint32_t pool = adit_worker_pool(adit_load_acquire(&b->slot->word)), n = 0;
    looks[0] = (struct adit_futex_look){&b->slot->go, 0};
    *is_calm = true;
    for (uint32_t i = 0; i < b->arena->workers_max && n < PEERS; i++) {
        struct adit_worker_slot *s = &b->arena->workers[i];
        uint64_t word = adit_load_acquire(&s->word);
        bool is_peer = s != b->slot && adit_worker_pool(word) == pool && adit_worker_life(word) > ADIT_LIFE_WARMING && adit_worker_life(word) < ADIT_LIFE_TERMINATED;
        if (!is_peer || !adit_load32_acquire(&s->go) || adit_load32_acquire(&s->ask) || (uint32_t)adit_load_acquire(&s->heir))
            continue;
        peers[n] = (struct peer){s, adit_worker_generation(word), adit_process_threads_open(adit_load32_relaxed(&s->pid))};
        *is_calm = adit_worker_watch(s, &looks[++n]) && *is_calm;
    }
    return n;
}

static void unwatch_peers(struct peer *peers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (peers[i].threads >= 0)
            close(peers[i].threads);
}

/* A standby takes a dead peer's place by itself, one wake sooner than by its supervisor; which it tells. What it does is the supervisor's to do as well: whoever
 * is first. If it dies in between, its supervisor looks through all the tasks of both. */
static void inherit(const struct adit_worker_birth *b, const struct peer *peer)
{
    struct adit_worker_dead dead;
    if (!adit_worker_has_died(peer->slot, &dead) || dead.generation != peer->generation)
        return;
    bool is_over = peer->threads == -ENOENT || (peer->threads >= 0 && adit_process_threads(peer->threads) < 2); /* see supervisor.h */
    if (!is_over || !adit_worker_inherit(peer->slot, &dead, b->arena->owner))
        return;
    (void)adit_task_recover_one(b->arena, dead.task, dead.owner);
    adit_store32_release(&b->slot->go, 1);
}

/* A standby sleeps until the supervisor has it go to work, or one at work dies. */
static void stand_by(const struct adit_worker_birth *b, const struct adit_worker *w)
{
    struct peer peers[PEERS];
    struct adit_futex_look looks[PEERS + 1];
    const uint32_t *go = &b->slot->go; /* the supervisor's, or its own */
    while (!adit_load32_acquire(go) && !adit_worker_is_told(w)) {
        bool is_calm;
        uint32_t n = watch_peers(b, peers, looks, &is_calm);
        adit_store32_release(&b->slot->watches, 1);
        if (is_calm && adit_futex_wait_any(looks, n + 1, PARK_NS) == -ENOSYS)
            (void)adit_futex_wait(go, 0, PARK_NS);
        for (uint32_t i = 0; i < n && !adit_load32_acquire(go) && !adit_worker_is_told(w); i++) {
            is_calm = is_calm && adit_worker_is_held(peers[i].slot);
            inherit(b, &peers[i]);
        }
        unwatch_peers(peers, n);
        if (is_calm)
            continue;
        adit_worker_ring(b->bell); /* the rest is the supervisor's */
        if (!adit_load32_acquire(go))
            (void)adit_futex_wait(go, 0, DYING_NS);
    }
}

/* After a task: rings once when it is worn, and leaves what is submitted meanwhile to the standby that takes its place; if none is ready it goes on. */
static void mind_wear(const struct adit_worker_birth *b, const struct adit_wear *wear, uint64_t tasks)
{
    struct adit_worker_slot *s = b->slot;
    if (adit_load32_relaxed(&s->worn) || !adit_wear_has_come(wear, tasks)) /* relaxed: its own */
        return;
    adit_store32_release(&s->worn, 1); /* before the bell, whose hearers look at it */
    adit_worker_ring(b->bell);
    for (uint64_t until = adit_clock_ns() + WORN_NS, now; adit_load32_acquire(&s->worn) == 1 && !adit_load32_acquire(&s->ask) && (now = adit_clock_ns()) < until;) /* WORKER:worn */
        (void)adit_futex_wait(&s->worn, 1, until - now);
}

static void work_until_told(const struct adit_worker_birth *b, const struct adit_wear *wear)
{
    static uint64_t wake_ns = ADIT_WORKER_WAKE_FIRST_NS;
    static struct adit_kind_tally tally;
    struct adit_worker_slot *s = b->slot;
    struct adit_worker w = {.queue = b->queue, .stop = &s->stop, .wake_ns = &wake_ns, .name = adit_worker_name(b->queue, 1), .slot = s, .tally = &tally};
    adit_worker_warm(&w);
    stand_by(b, &w);
    for (uint64_t seen = 0; !adit_worker_is_told(&w);) {
        adit_worker_step(&w);
        if (w.tasks != seen && adit_wear_is_limited(&wear->limits))
            mind_wear(b, wear, w.tasks);
        seen = w.tasks;
        if (adit_reclaimer_mind(b->arena))
            adit_store32_relaxed(&s->threads, adit_process_threads_here()); /* a sanitizer may have added one of its own */
    }
    adit_kind_tally_tell(b->arena, &tally);
    adit_worker_leave(&w);
    if (w.is_busy)
        (void)adit_worker_move(s, ADIT_LIFE_CLEANING);
    (void)adit_worker_move(s, ADIT_LIFE_TERMINATING);
}

static bool lives; /* set before the first task, by the only thread there is */

bool adit_is_worker_process(void) { return lives; }

_Noreturn void adit_worker_live(const struct adit_worker_birth *b)
{
    struct adit_wear wear;
    lives = true;
    int error = begin(b, &wear);
    if (!error) {
        adit_worker_ring(b->bell);
        work_until_told(b, &wear);
        adit_robust_unlock(&b->slot->alive); /* of the pool it has nothing any more; the supervisor wakes */
    } else if (adit_robust_is_mine(&b->slot->alive)) {
        adit_robust_unlock(&b->slot->alive);
    }
    struct adit_arena *arena = b->arena;
    adit_detach(&arena);
    _exit(-error);
}
