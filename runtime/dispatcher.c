/* dispatcher.c - worker threads that mesh what is dirty (adit.h). Any number of processes may run one on the same arena:
 * a chunk is claimed by compare-and-swap (dirty.h), so each is in one worker's hands at a time.
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
    uint32_t threads_n;
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

/* Meshes one claimed entry. */
static void work_on(struct adit_dispatcher *d, uint32_t index)
{
    struct adit_arena *arena = d->arena;
    struct adit_scratch *scratch;
    int error = adit_scratch_borrow(arena, &scratch);
    if (!error) {
        error = adit_mesher_run(arena, scratch, d->kernel, d->flags, index);
        adit_scratch_give_back(arena, scratch);
    }
    bool again = error == -ENOMEM || error == -EAGAIN || error == -EUSERS;
    if (error == -ENOMEM)
        adit_add_relaxed(&arena->control->starved, 1);
    else if (adit_load_relaxed(&arena->control->starved))
        adit_store_relaxed(&arena->control->starved, 0);
    adit_dirty_finish(arena, index, again);
    if (again)
        nap(STARVED_NAP_NS);
}

static void *worker_main(void *user)
{
    struct worker *w = user;
    struct adit_dispatcher *d = w->dispatcher;
    while (!adit_load32_acquire(&d->stop)) {
        uint32_t index;
        if (adit_dirty_claim(d->arena, &w->cursor, &index))
            work_on(d, index);
        else
            (void)adit_dirty_wait(d->arena, &d->stop, SLEEP_NS);
    }
    return NULL;
}

/* CPUs this process may run on. */
static uint32_t cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (uint32_t)CPU_COUNT(&set);
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
    if (arena->role != ADIT_ROLE_PRODUCER)
        return adit_fault(-EROFS, "arena %s: only a producer can run a dispatcher", arena->name);
    adit_mesh_kernel *kernel = p->kernel ? adit_mesh_kernel_named(p->kernel) : adit_mesh_kernel_best(NULL);
    if (!kernel)
        return adit_fault(-EINVAL, "kernel '%.40s': this machine or build has none of that name", p->kernel);
    uint32_t n = p->workers ? p->workers : cpus();
    if (n > WORKERS_MAX)
        return adit_fault(-EINVAL, "arena %s: %u workers; at most %u are possible", arena->name, n, WORKERS_MAX);
    struct adit_dispatcher *d = calloc(1, sizeof *d + n * sizeof *d->workers);
    if (!d)
        return adit_fault(-ENOMEM, "arena %s: no memory for a dispatcher", arena->name);
    d->arena = arena;
    d->kernel = kernel;
    d->flags = p->culled ? ADIT_MESH_CULLED : 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    for (; d->threads_n < n && !error; d->threads_n += !error) {
        struct worker *w = &d->workers[d->threads_n];
        *w = (struct worker){.dispatcher = d, .cursor = arena->chunks_max / n * d->threads_n};
        error = pthread_create(&w->thread, NULL, worker_main, w);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        adit_dispatcher_close(&d);
    *out = d;
    return error ? adit_fault(-error, "arena %s: cannot start %u workers: %s", arena->name, n, strerror(error)) : 0;
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
    free(d);
    *dispatcher = NULL;
}
