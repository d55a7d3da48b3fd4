/* dispatcher.c - what meshes what is dirty (adit.h): a foreman (foreman.h) a node, with threads and worker processes there, and a thread for each device (batcher.h). Any number of processes may run
 * one on the same arena: a chunk is claimed by compare-and-swap (dirty.h), so each is in one worker's hands at a time.
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
#include "runtime/topology.h"

#define WORKERS_MAX 256u
#define FOREMEN_MAX ADIT_NODES_MAX

struct adit_dispatcher {
    struct adit_arena *arena;
    adit_mesh_kernel *kernel;
    uint8_t flags;
    uint32_t stop;
    uint32_t batchers_n;
    uint64_t chunk_ns; /* the mean of what a chunk takes a thread, or a worker process */
    bool has_processes, is_background;
    uint32_t foremen_n; /* 0: there are devices only */
    struct adit_foreman *foremen[FOREMEN_MAX];
    struct adit_node nodes[ADIT_NODES_MAX]; /* of foremen, where there are several */
    uint8_t *whose;                         /* foreman_params */
    struct adit_batcher *batchers[ADIT_EXECUTORS_MAX];
    struct adit_bid bids[ADIT_EXECUTORS_MAX]; /* of their devices */
};

static int start_batchers(struct adit_dispatcher *d, const struct adit_devices *devices, uint32_t threads, enum adit_route_policy policy)
{
    int error = 0;
    for (uint32_t i = 0; devices && i < devices->n; i++)
        adit_bid_init(&d->bids[i], devices->executor[i]);
    for (uint32_t i = 0; devices && i < devices->n && !error; i++) {
        const struct adit_batcher_params p = {.arena = d->arena, .executor = devices->executor[i], .kernel = d->kernel, .stop = &d->stop,
                                              .thread_ns = &d->chunk_ns, .threads = threads, .flags = d->flags, .bids = d->bids,
                                              .bids_n = devices->n, .own = i, .policy = policy, .is_background = d->is_background};
        error = adit_batcher_open(&p, &d->batchers[i]);
        d->batchers_n += !error;
    }
    return error;
}

static int check(struct adit_arena *arena, const struct adit_dispatcher_params *p, uint32_t n, adit_mesh_kernel *kernel)
{
    enum adit_route_policy policy;
    if (arena->role != ADIT_ROLE_PRODUCER)
        return adit_fault(-EROFS, "arena %s: only a producer can run a dispatcher", arena->name);
    if (p->policy && adit_route_policy_named(p->policy, &policy))
        return -EINVAL;
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

/* Shares n out among nodes by their processors, each a whole number: the i-th has what is due to the first i + 1 of them, less what those before it have. */
static uint32_t share_of(const struct adit_dispatcher *d, uint32_t nodes_n, uint32_t i, uint32_t n)
{
    uint64_t all = 0, before = 0, own = d->nodes[i].cpus_n;
    for (uint32_t k = 0; k < nodes_n; k++) {
        all += d->nodes[k].cpus_n;
        before += k < i ? d->nodes[k].cpus_n : 0;
    }
    return (uint32_t)((before + own) * n / all - before * n / all);
}

/* A foreman a node that gets workers, or one for all. */
static int start_foremen(struct adit_dispatcher *d, const struct adit_dispatcher_params *p, const char *kernel_name, uint32_t threads)
{
    uint32_t nodes_n = d->arena->segments_n > 2 ? adit_nodes_here(d->nodes) : 1, n = 0, workers[FOREMEN_MAX];
    struct adit_foreman_params f[FOREMEN_MAX];
    struct adit_reach reaches[FOREMEN_MAX];
    int32_t ids[FOREMEN_MAX];
    int error = 0;
    if (nodes_n == 1)
        d->nodes[0].cpus_n = 1;
    for (uint32_t i = 0; i < nodes_n; i++) {
        uint32_t most = share_of(d, nodes_n, i, p->workers_max);
        f[n] = (struct adit_foreman_params){.arena = d->arena, .kernel = d->kernel, .kernel_name = kernel_name, .stop = &d->stop, .chunk_ns = &d->chunk_ns, .threads = share_of(d, nodes_n, i, threads),
                                            .processes = share_of(d, nodes_n, i, p->processes), .objects = p->objects, .flags = d->flags, .node = nodes_n > 1 ? &d->nodes[i] : NULL, .is_background = p->background,
                                            .own = (uint8_t)(n + 1)};
        f[n].threads_max = f[n].threads ? most : 0;
        ids[n] = d->nodes[i].id;
        workers[n] = f[n].threads + f[n].processes;
        n += workers[n] != 0;
    }
    if (n == 1)
        f[0].node = NULL; /* so few workers go wherever there is room */
    d->has_processes = p->processes;
    d->whose = n > 1 ? calloc(d->arena->chunks_max, 1) : NULL;
    if (n > 1 && !d->whose)
        return adit_fault(-ENOMEM, "arena %s: no memory for a dispatcher", d->arena->name);
    adit_reaches_init(reaches, d->arena, ids, workers, n);
    for (uint32_t i = 0; i < n && !error; i++) {
        f[i].reach = reaches[i];
        f[i].whose = d->whose;
        error = adit_foreman_open(&f[i], &d->foremen[i]);
        d->foremen_n += !error;
    }
    return error;
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
    uint32_t n = p->only_devices ? 0 : p->workers ? p->workers : p->processes ? 0 : adit_topology_workers(NULL);
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
    d->is_background = p->background;
    enum adit_route_policy policy = ADIT_ROUTE_ADAPTIVE;
    if (p->policy)
        (void)adit_route_policy_named(p->policy, &policy); /* checked */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    error = start_batchers(d, p->devices, n + p->processes, policy);
    error = error ? error : start_foremen(d, p, p->kernel ? p->kernel : name, n);
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
    else
        for (uint32_t i = 0; i < d->foremen_n; i++)
            adit_foreman_info(d->foremen[i], is_processes, out);
    return 0;
}

int adit_dispatcher_explain(const struct adit_dispatcher *d, uint32_t tier, uint32_t back, struct adit_share_report *out)
{
    int error = adit_params_check("adit_dispatcher_explain", out->size, sizeof *out);
    return error ? error : !tier || tier > d->batchers_n ? -ERANGE : adit_batcher_explain(d->batchers[tier - 1], back, out);
}

int adit_dispatcher_node(const struct adit_dispatcher *d, uint32_t index, struct adit_node_info *out)
{
    int error = adit_params_check("adit_dispatcher_node", out->size, sizeof *out);
    if (error)
        return error;
    if (index >= d->foremen_n)
        return -ERANGE;
    *out = (struct adit_node_info){.size = sizeof *out};
    adit_foreman_on_node(d->foremen[index], out);
    return 0;
}

void adit_dispatcher_close(struct adit_dispatcher **dispatcher)
{
    struct adit_dispatcher *d = *dispatcher;
    if (!d)
        return;
    adit_store32_release(&d->stop, 1);
    adit_event_post(&d->arena->waits->dirty_event);
    for (uint32_t i = 0; i < d->foremen_n; i++)
        adit_foreman_close(&d->foremen[i]);
    for (uint32_t i = 0; i < d->batchers_n; i++)
        adit_batcher_close(&d->batchers[i]);
    free(d->whose);
    free(d);
    *dispatcher = NULL;
}
