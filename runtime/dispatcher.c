/* dispatcher.c - worker threads, and a thread for each device (batcher.h), that mesh what is dirty (adit.h). Any number of processes may run one on the
 * same arena: a chunk is claimed by compare-and-swap (dirty.h), so each is in one worker's hands at a time.
 *
 *   worker:  claim -> mesh -> publish -> finish -> claim ...      nothing dirty: sleep on control.dirty_event
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/adit.h"
#include "runtime/batcher.h"
#include "runtime/cost.h"
#include "runtime/dirty.h"
#include "runtime/mesher.h"
#include "runtime/params.h"

#define WORKERS_MAX 256u
#define SLEEP_NS 100000000u /* a worker looks around at least so often, should a poster have died before its wake */
#define STARVED_NAP_NS 5000000u

struct adit_dispatcher {
    struct adit_arena *arena;
    adit_mesh_kernel *kernel;
    uint8_t flags;
    uint32_t stop;
    uint32_t threads_n, batchers_n;
    uint64_t thread_ns; /* the mean of what a chunk takes a thread; any of them may lose another's step */
    uint64_t meshed;    /* by threads */
    struct adit_batcher *batchers[ADIT_EXECUTORS_MAX];
    struct worker {
        struct adit_dispatcher *dispatcher;
        pthread_t thread;
        uint32_t cursor;
    } workers[];
};

static void nap(uint64_t ns)
{
    struct timespec t = {.tv_nsec = (long)ns};
    nanosleep(&t, NULL);
}

static void *worker_main(void *user)
{
    struct worker *w = user;
    struct adit_dispatcher *d = w->dispatcher;
    while (!adit_load32_acquire(&d->stop)) {
        uint32_t index;
        if (!adit_dirty_claim(d->arena, &w->cursor, &index)) {
            (void)adit_dirty_wait(d->arena, &d->stop, SLEEP_NS);
            continue;
        }
        uint64_t begin = d->batchers_n ? adit_clock_ns() : 0; /* nobody else asks */
        if (!adit_mesher_work(d->arena, d->kernel, d->flags, index, &d->meshed)) {
            nap(STARVED_NAP_NS);
            continue;
        }
        if (d->batchers_n)
            adit_cost_average(&d->thread_ns, adit_clock_ns() - begin);
    }
    return NULL;
}

/* CPUs this process may run on. */
static uint32_t cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (uint32_t)CPU_COUNT(&set);
}

static int start_threads(struct adit_dispatcher *d, uint32_t n)
{
    int error = 0;
    for (; d->threads_n < n && !error; d->threads_n += !error) {
        struct worker *w = &d->workers[d->threads_n];
        *w = (struct worker){.dispatcher = d, .cursor = d->arena->chunks_max / n * d->threads_n};
        error = pthread_create(&w->thread, NULL, worker_main, w);
    }
    return error ? adit_fault(-error, "arena %s: cannot start %u workers: %s", d->arena->name, n, strerror(error)) : 0;
}

static int start_batchers(struct adit_dispatcher *d, const struct adit_devices *devices, uint32_t threads)
{
    int error = 0;
    for (uint32_t i = 0; devices && i < devices->n && !error; i++) {
        const struct adit_batcher_params p = {.arena = d->arena, .executor = devices->executor[i], .kernel = d->kernel, .stop = &d->stop,
                                              .thread_ns = &d->thread_ns, .threads = threads, .flags = d->flags};
        error = adit_batcher_open(&p, &d->batchers[i]);
        d->batchers_n += !error;
    }
    return error;
}

static int check(struct adit_arena *arena, const struct adit_dispatcher_params *p, uint32_t n, adit_mesh_kernel *kernel)
{
    if (arena->role != ADIT_ROLE_PRODUCER)
        return adit_fault(-EROFS, "arena %s: only a producer can run a dispatcher", arena->name);
    if (!kernel)
        return adit_fault(-EINVAL, "kernel '%.40s': this machine or build has none of that name", p->kernel);
    if (n > WORKERS_MAX)
        return adit_fault(-EINVAL, "arena %s: %u workers; at most %u are possible", arena->name, n, WORKERS_MAX);
    if (p->only_devices && !p->devices)
        return adit_fault(-EINVAL, "arena %s: a dispatcher with devices only needs devices", arena->name);
    return 0;
}

int adit_dispatcher_open(struct adit_arena *arena, const struct adit_dispatcher_params *params,
                         struct adit_dispatcher **out)
{
    static const struct adit_dispatcher_params defaults = {.size = sizeof defaults};
    const struct adit_dispatcher_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_dispatcher_open", p->size, sizeof *p);
    if (error)
        return error;
    adit_mesh_kernel *kernel = p->kernel ? adit_mesh_kernel_named(p->kernel) : adit_mesh_kernel_best(NULL);
    uint32_t n = p->only_devices ? 0 : p->workers ? p->workers : cpus();
    error = check(arena, p, n, kernel);
    if (error)
        return error;
    struct adit_dispatcher *d = calloc(1, sizeof *d + n * sizeof *d->workers);
    if (!d)
        return adit_fault(-ENOMEM, "arena %s: no memory for a dispatcher", arena->name);
    d->arena = arena;
    d->kernel = kernel;
    d->flags = p->culled ? ADIT_MESH_CULLED : 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    error = start_batchers(d, p->devices, n); /* first, so that the threads know of them */
    error = error ? error : start_threads(d, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        adit_dispatcher_close(&d);
    *out = d;
    return error;
}

int adit_dispatcher_tier(const struct adit_dispatcher *d, uint32_t tier, struct adit_tier_info *out)
{
    *out = (struct adit_tier_info){.name = "threads"};
    if (tier > d->batchers_n)
        return -ERANGE;
    if (tier)
        adit_batcher_info(d->batchers[tier - 1], out);
    else
        out->meshed = adit_load_relaxed(&d->meshed);
    return 0;
}

void adit_dispatcher_close(struct adit_dispatcher **dispatcher)
{
    struct adit_dispatcher *d = *dispatcher;
    if (!d)
        return;
    adit_store32_release(&d->stop, 1);
    adit_event_post(&d->arena->waits->dirty_event);
    for (uint32_t i = 0; i < d->threads_n; i++)
        pthread_join(d->workers[i].thread, NULL);
    for (uint32_t i = 0; i < d->batchers_n; i++)
        adit_batcher_close(&d->batchers[i]);
    free(d);
    *dispatcher = NULL;
}
