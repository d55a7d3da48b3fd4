/* zygote.c - why it is safe to fork here: this process has one thread, so no lock is held by another, and its children have what it has. An object that
 * starts threads when it is loaded is refused for that reason. */
#include "runtime/zygote.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/confine.h"
#include "runtime/kind.h"
#include "runtime/recover.h"
#include "runtime/worker_life.h"
#include "runtime/worker_slot.h"

#define ATTACH_TIMEOUT_NS 5000000000u
#define ALIVE_TIMEOUT_NS 1000000000u
#define STOP_NS 1000000000u /* that a task may go on without its application, until it is asked to stop, */
#define KILL_NS 3000000000u /* and until it is ended */
#define HURRY_MS 100 /* workers that were asked to end are woken again so often */

struct zygote {
    struct adit_arena *arena;
    struct adit_queue queue;
    struct adit_worker_slot *slot; /* its own */
    struct adit_worker_terms terms; /* of all its workers */
    int signals;                   /* signalfd */
    int application;               /* pidfd: workers whose zygote is gone look there */
    bool is_ending;
    uint64_t ending_ns; /* since when */
    uint32_t children_n;
    struct child {
        pid_t pid;
        struct adit_zygote_wish of;
    } children[ADIT_WORKER_SLOTS];
};

/* ---- making ready ----------------------------------------------------------------------------------------------- */

static int load_object(struct adit_arena *arena, const char *path)
{
    char here[4096];
    if (snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path) >= (int)sizeof here) /* a path, never a name to be searched for */
        return adit_fault(-ENAMETOOLONG, "kinds %.64s...: a path of %zu bytes; %zu are possible", path, strlen(path), sizeof here - 3);
    void *object = dlopen(here, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return adit_fault(-ENOEXEC, "kinds %s: it cannot be loaded: %s", path, dlerror());
    int (*load)(struct adit_arena *) = NULL;
    *(void **)&load = dlsym(object, "adit_kinds_load"); /* dlsym(3): as POSIX has it */
    if (!load)
        return adit_fault(-ENOEXEC, "kinds %s: it has no adit_kinds_load(struct adit_arena *); see adit.h", path);
    int error = load(arena);
    return error ? adit_fault(error < 0 ? error : -EINVAL, "kinds %s: adit_kinds_load failed with %d: %s", path, error, adit_detail()) : 0;
}

static int load_kinds(struct adit_arena *arena, char **paths)
{
    uint32_t threads = adit_process_threads_here(); /* a sanitizer may have one */
    int error = adit_kinds_register_builtin(arena);
    if (error)
        return error;
    for (; *paths; paths++) {
        error = load_object(arena, *paths);
        if (error)
            return error;
        if (adit_process_threads_here() > threads)
            return adit_fault(-ENOTSUP, "kinds %s: loading it starts threads; a process that forks has none", *paths);
    }
    return 0;
}

/* While objects are loaded nobody listens, so it ends at once with its application, and by SIGTERM. */
static int mind_parent(struct zygote *z, pid_t parent)
{
    signal(SIGINT, SIG_IGN); /* a terminal sends these to all its processes; the application answers them */
    signal(SIGQUIT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL))
        return -errno;
    z->application = adit_process_open((uint32_t)parent);
    return getppid() == parent ? 0 : -ESRCH; /* it died before that was asked for; else the descriptor is its own */
}

/* From here on both are to be heard (serve): it has workers to see to. Who dies before the prctl kills it, who dies after it leaves a signal that waits. */
static int mind_signals(struct zygote *z)
{
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, SIGCHLD);
    sigaddset(&mine, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &mine, NULL) || prctl(PR_SET_PDEATHSIG, SIGTERM))
        return -errno;
    z->signals = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
    return z->signals < 0 ? -errno : 0;
}

/* Whether the kinds and this kernel let workers be confined as they shall be. */
static int mind_needs(struct zygote *z)
{
    uint32_t kind, needs = z->terms.needs = adit_kinds_need(z->arena, &kind);
    if (z->terms.confine != ADIT_CONFINE_STRICTLY)
        return 0;
    if (needs)
        return adit_fault(-EACCES, "arena %s: kind %.47s needs more than memory and clocks (all kinds here: 0x%x, enum adit_needs), and its workers shall be confined strictly; "
                          "confine them to needs, or give it a pool of its own", z->arena->name, z->arena->kinds[kind].name, needs);
    return adit_confine_available() & ADIT_CONFINED_BY_SECCOMP
               ? 0
               : adit_fault(-ENOTSUP, "arena %s: this kernel, or what this process runs in, takes no seccomp filters; confine its workers to needs, which does without", z->arena->name);
}

static uint64_t number(char **argv, enum adit_zygote_word i) { return strtoull(argv[i], NULL, 10); }

/* As it was told. */
static int begin(struct zygote *z, char **argv)
{
    struct adit_attach_plan plan = {.name = argv[ADIT_ZYGOTE_ARENA], .label = "zygote", .role = (uint32_t)number(argv, ADIT_ZYGOTE_ROLE), .timeout_ns = ATTACH_TIMEOUT_NS,
                                    .is_bare = true, .recover = adit_recover_participant};
    uint32_t queue = (uint32_t)number(argv, ADIT_ZYGOTE_QUEUE), slot = (uint32_t)number(argv, ADIT_ZYGOTE_SLOT);
    z->terms = (struct adit_worker_terms){.confine = (enum adit_confine)number(argv, ADIT_ZYGOTE_CONFINE),
                                          .is_background = number(argv, ADIT_ZYGOTE_BACKGROUND) != 0,
                                          .limits = {number(argv, ADIT_ZYGOTE_TASKS), number(argv, ADIT_ZYGOTE_AGE), number(argv, ADIT_ZYGOTE_BYTES)}};
    int error = mind_parent(z, (pid_t)number(argv, ADIT_ZYGOTE_PARENT));
    if (error)
        return adit_fault(error, "arena %s: a zygote without its application: %s", plan.name, strerror(-error));
    error = adit_arena_attach(&plan, &z->arena);
    if (error)
        return error;
    if (!z->arena->owner || queue >= z->arena->queues_max || !adit_queue_adopt(z->arena, queue, &z->queue) || slot >= z->arena->workers_max)
        return adit_fault(-EINVAL, "arena %s: no queue %u or worker slot %u there", plan.name, queue, slot);
    z->slot = &z->arena->workers[slot];
    error = load_kinds(z->arena, argv + ADIT_ZYGOTE_WORDS);
    if (!error)
        error = mind_needs(z);
    if (error)
        return error;
    error = mind_signals(z);
    if (error)
        return adit_fault(error, "arena %s: a zygote cannot have its signals: %s", plan.name, strerror(-error));
    error = adit_robust_lock(&z->slot->alive, z->arena->owner, NULL, ALIVE_TIMEOUT_NS);
    adit_store32_relaxed(&z->slot->owner, z->arena->owner); /* relaxed, both: WORKER:move follows */
    adit_store32_relaxed(&z->slot->pid, (uint32_t)getpid());
    if ((error && error != -EOWNERDEAD) || !adit_worker_move(z->slot, ADIT_LIFE_READY))
        return adit_fault(-ECANCELED, "arena %s: its pool has given up this zygote", plan.name);
    return 0;
}

/* ---- children --------------------------------------------------------------------------------------------------- */

/* What became of a child is told in its slot, which nobody gives to another before. */
static void tell_end(struct zygote *z, struct adit_zygote_wish of, uint32_t ended)
{
    struct adit_worker_slot *s = &z->arena->workers[of.slot];
    if (adit_worker_generation(adit_load_acquire(&s->word)) == of.generation)
        adit_store32_release(&s->ended, ended);
    adit_worker_ring(&z->slot->bell);
}

static void fork_child(struct zygote *z, struct adit_zygote_wish wish)
{
    struct adit_worker_birth birth = {.arena = z->arena, .queue = &z->queue, .slot = &z->arena->workers[wish.slot], .generation = wish.generation,
                                      .bell = &z->slot->bell, .terms = &z->terms, .zygote_pid = getpid(), .application = z->application};
    pid_t pid = z->children_n < ADIT_WORKER_SLOTS ? fork() : -1;
    if (!pid) {
        close(z->signals);
        close(ADIT_ZYGOTE_FD);
        adit_worker_live(&birth);
    }
    if (pid < 0)
        tell_end(z, wish, ADIT_WORKER_NEVER | (uint32_t)(errno & 0xffff));
    else
        z->children[z->children_n++] = (struct child){pid, wish};
    if (pid > 0 && z->is_ending) /* wished for before the end was known */
        adit_store32_release(&birth.slot->ask, 1);
}

static void reap(struct zygote *z)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (uint32_t i = 0; i < z->children_n; i++)
            if (z->children[i].pid == pid) {
                tell_end(z, z->children[i].of, ADIT_WORKER_REAPED | (uint32_t)(status & 0xffff));
                z->children[i] = z->children[--z->children_n];
                break;
            }
}

/* The supervisor, or its process, has ended: so do the workers, after the tasks that they are at. Who asked for these may be gone for ever, and so nobody is left to end one that
 * goes on and on: it is asked to stop, then killed, and is for other pools to run. */
static void end_children(struct zygote *z)
{
    uint64_t now = adit_clock_ns();
    z->ending_ns = z->is_ending ? z->ending_ns : now;
    z->is_ending = true;
    for (uint32_t i = 0; i < z->children_n; i++) {
        struct adit_worker_slot *s = &z->arena->workers[z->children[i].of.slot];
        adit_store32_release(&s->ask, 1);
        adit_futex_wake(&s->go, 1);
        if (now - z->ending_ns > STOP_NS)
            adit_store32_release(&s->stop, 1);
        if (now - z->ending_ns > KILL_NS)
            (void)kill(z->children[i].pid, SIGKILL);
    }
    adit_event_wake(&z->queue.slot->work, UINT32_MAX);
}

/* False: the socket is closed. */
static bool hear(struct zygote *z)
{
    struct adit_zygote_wish wishes[ADIT_ZYGOTE_WISHES];
    ssize_t n = recv(ADIT_ZYGOTE_FD, wishes, sizeof wishes, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    for (size_t i = 0; i < (size_t)n / sizeof *wishes; i++)
        if (wishes[i].slot < z->arena->workers_max)
            fork_child(z, wishes[i]);
    adit_store_relaxed(&z->slot->tasks, adit_load_relaxed(&z->slot->tasks) + (uint64_t)n / sizeof *wishes); /* relaxed: its own, and tells of nothing else */
    return true;
}

/* True: told to end. */
static bool hear_signals(struct zygote *z)
{
    struct signalfd_siginfo info;
    bool is_told = false;
    while (read(z->signals, &info, sizeof info) == (ssize_t)sizeof info) /* bounded: each kind is pending once */
        is_told |= info.ssi_signo == SIGTERM;
    reap(z);
    return is_told;
}

static void serve(struct zygote *z)
{
    while (!z->is_ending || z->children_n) {
        struct pollfd p[2] = {{.fd = z->signals, .events = POLLIN}, {.fd = z->is_ending ? -1 : ADIT_ZYGOTE_FD, .events = POLLIN}};
        (void)poll(p, 2, z->is_ending ? HURRY_MS : -1);
        bool is_told = p[0].revents && hear_signals(z);
        bool is_open = !p[1].revents || hear(z);
        if (z->is_ending || is_told || !is_open)
            end_children(z);
    }
}

int adit_zygote_main(int argc, char **argv)
{
    static struct zygote z;
    struct adit_zygote_report report = {0};
    int type;
    socklen_t bytes = sizeof type;
    if (argc < ADIT_ZYGOTE_WORDS || getsockopt(ADIT_ZYGOTE_FD, SOL_SOCKET, SO_TYPE, &type, &bytes)) {
        fprintf(stderr, "adit-worker is started by pools of worker processes (adit_pool_params.processes), not by hand\n");
        return 2;
    }
    (void)syscall(SYS_close_range, ADIT_ZYGOTE_FD + 1, ~0u, 0); /* what the application had open is not for its workers */
    report.error = begin(&z, argv);
    if (report.error)
        snprintf(report.why, sizeof report.why, "%s", adit_detail());
    (void)!send(ADIT_ZYGOTE_FD, &report, sizeof report, MSG_NOSIGNAL);
    if (z.slot)
        adit_worker_ring(&z.slot->bell);
    if (!report.error) {
        serve(&z);
        adit_robust_unlock(&z.slot->alive);
    }
    adit_detach(&z.arena);
    return report.error ? 1 : 0;
}
