/* dispatcher.c - what meshes what is dirty (adit.h): a foreman (foreman.h), with threads and worker processes, and a thread for each device (batcher.h). Any number of processes may run one on the
 * same arena: a chunk is claimed by compare-and-swap (dirty.h), so each is in one worker's hands at a time.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/batcher.h"
#include "runtime/dirty.h"
#include "runtime/foreman.h"
#include "runtime/params.h"

#define WORKERS_MAX 256u

struct adit_dispatcher {
    struct adit_arena *arena;
    adit_mesh_kernel *kernel;
    uint8_t flags;
    uint32_t stop;
    uint32_t batchers_n;
    uint64_t chunk_ns; /* the mean of what a chunk takes a thread, or a worker process */
    bool has_processes;
    struct adit_foreman *foreman; /* NULL: there are devices only */
    struct adit_batcher *batchers[ADIT_EXECUTORS_MAX];
    struct adit_bid bids[ADIT_EXECUTORS_MAX]; /* of their devices */
};

static int start_batchers(struct adit_dispatcher *d, const struct adit_devices *devices, uint32_t threads)
{
    int error = 0;
    for (uint32_t i = 0; devices && i < devices->n; i++)
        adit_bid_init(&d->bids[i], devices->executor[i]);
    for (uint32_t i = 0; devices && i < devices->n && !error; i++) {
        const struct adit_batcher_params p = {.arena = d->arena, .executor = devices->executor[i], .kernel = d->kernel, .stop = &d->stop,
                                              .thread_ns = &d->chunk_ns, .threads = threads, .flags = d->flags, .bids = d->bids,
                                              .bids_n = devices->n, .own = i};
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
    if (n > WORKERS_MAX || p->workers_max > WORKERS_MAX)
        return adit_fault(-EINVAL, "arena %s: %u workers, up to %u; at most %u are possible", arena->name, n, p->workers_max, WORKERS_MAX);
    if (p->only_devices && !p->devices)
        return adit_fault(-EINVAL, "arena %s: a dispatcher with devices only needs devices", arena->name);
    if (p->only_devices && p->processes)
        return adit_fault(-EINVAL, "arena %s: a dispatcher with devices only has no worker processes; leave one of them out", arena->name);
    return 0;
}

static int start_foreman(struct adit_dispatcher *d, const struct adit_dispatcher_params *p, const char *kernel_name, uint32_t threads)
{
    const struct adit_foreman_params f = {.arena = d->arena, .kernel = d->kernel, .kernel_name = kernel_name, .stop = &d->stop, .chunk_ns = &d->chunk_ns, .threads = threads,
                                         .threads_max = threads ? p->workers_max : 0, .processes = p->processes, .objects = p->objects, .flags = d->flags};
    d->has_processes = p->processes;
    return threads || p->processes ? adit_foreman_open(&f, &d->foreman) : 0;
}

int adit_dispatcher_open(struct adit_arena *arena, const struct adit_dispatcher_params *params,
                         struct adit_dispatcher **out)
{
    static const struct adit_dispatcher_params defaults = {.size = sizeof defaults};
    const struct adit_dispatcher_params *p = params ? params : &defaults;
    const char *name = NULL;
    *out = NULL;
    int error = adit_params_check("adit_dispatcher_open", p->size, sizeof *p);
    if (error)
        return error;
    adit_mesh_kernel *kernel = p->kernel ? adit_mesh_kernel_named(p->kernel) : adit_mesh_kernel_best(&name);
    uint32_t n = p->only_devices ? 0 : p->workers ? p->workers : p->processes ? 0 : adit_cpus();
    error = check(arena, p, n, kernel);
    if (error)
        return error;
    struct adit_dispatcher *d = calloc(1, sizeof *d);
    if (!d)
        return adit_fault(-ENOMEM, "arena %s: no memory for a dispatcher", arena->name);
    d->arena = arena;
    d->kernel = kernel;
    d->flags = p->culled ? ADIT_MESH_CULLED : 0;
    d->chunk_ns = p->thread_ns;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    error = start_batchers(d, p->devices, n + p->processes);
    error = error ? error : start_foreman(d, p, p->kernel ? p->kernel : name, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        adit_dispatcher_close(&d);
    *out = d;
    return error;
}

int adit_dispatcher_tier(const struct adit_dispatcher *d, uint32_t tier, struct adit_tier_info *out)
{
    bool is_processes = d->has_processes && tier == d->batchers_n + 1;
    if (tier > d->batchers_n && !is_processes)
        return -ERANGE;
    *out = (struct adit_tier_info){.name = "threads"};
    if (is_processes)
        strcpy(out->name, "processes");
    if (tier && !is_processes)
        adit_batcher_info(d->batchers[tier - 1], out);
    else if (d->foreman)
        adit_foreman_info(d->foreman, is_processes, out);
    return 0;
}

void adit_dispatcher_close(struct adit_dispatcher **dispatcher)
{
    struct adit_dispatcher *d = *dispatcher;
    if (!d)
        return;
    adit_store32_release(&d->stop, 1);
    adit_event_post(&d->arena->waits->dirty_event);
    adit_foreman_close(&d->foreman);
    for (uint32_t i = 0; i < d->batchers_n; i++)
        adit_batcher_close(&d->batchers[i]);
    free(d);
    *dispatcher = NULL;
}
