/* pool.c - workers of a queue (adit_tasks.h): threads of this process, each a loop of worker.h, and processes, under a supervisor (supervisor.h);
 * as many of either as a scaler asks for (scaler.h).
 *
 * A thread that is to go ends after its task, whoever asked it to does not wait for it, and until it has ended it may be asked to stay. So its word goes
 *     STAYS -> LEAVES (who changes the number) -> STAYS (the same, CAS)
 *                                              -> LEFT (the thread, CAS, last): joined at once by who wants the place, or when the pool closes */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kind.h"
#include "runtime/params.h"
#include "runtime/scaler.h"
#include "runtime/supervisor.h"
#include "runtime/task_wants.h"
#include "runtime/topology.h"
#include "runtime/worker.h"

#define PROCESSES_MAX (ADIT_POOL_SEATS - 20u) /* seats are left for those that are ending */

struct adit_pool {
    struct adit_queue queue;
    uint32_t stop, workers_max; /* workers_max: places */
    uint32_t workers_n;         /* threads that are to be there; w: who changes it, relaxed */
    uint64_t wake_ns; /* of all its workers */
    uint32_t rests;   /* of the scaler (scaler.h) */
    bool is_background;
    struct adit_scaler *scaler; /* NULL: their number stays */
    struct adit_supervisor *supervisor; /* of its processes; NULL: it has none */
    struct pool_worker {
        struct adit_worker worker;
        struct adit_kind_tally tally;
        pthread_t thread;
        bool is_there; /* to be joined; w: who changes the number */
    } workers[];
};

static void *worker_main(void *user)
{
    struct adit_worker *w = user;
    uint32_t leaves;
    if (w->is_background)
        (void)adit_thread_background(); /* refused, by whom this process runs under: it runs as others do */
    do {
        while (!adit_worker_is_told(w))
            adit_worker_step(w);
        leaves = ADIT_WORKER_LEAVES;
    } while (!adit_load32_acquire(w->stop) && !adit_cas32_acq_rel(&w->leaves, &leaves, ADIT_WORKER_LEFT)); /* POOL:left; else it was asked to stay meanwhile */
    adit_kind_tally_tell(w->queue->arena, w->tally);
    adit_worker_leave(w);
    return NULL;
}

static int start_thread(struct adit_pool *pool, uint32_t i)
{
    struct pool_worker *w = &pool->workers[i];
    struct adit_worker *own = &w->worker; /* tasks and sleeps, of one that was there before, stay as they are: others look */
    own->queue = &pool->queue;
    own->stop = &pool->stop;
    own->wake_ns = &pool->wake_ns;
    own->name = adit_worker_name(&pool->queue, i + 1);
    own->cursor = (struct adit_task_cursor){0};
    own->expects = 0;
    own->tally = &w->tally;
    own->rests = &pool->rests;
    own->leaves = ADIT_WORKER_STAYS;
    own->is_background = pool->is_background;
    adit_task_at_work(&pool->queue, own->has_begun = true); /* from here on tasks may be near it */
    int error = adit_thread_start(&w->thread, worker_main, &w->worker);
    w->is_there = !error;
    if (error)
        adit_task_at_work(&pool->queue, own->has_begun = false);
    return error;
}

static void join(struct pool_worker *w)
{
    if (w->is_there)
        pthread_join(w->thread, NULL);
    w->is_there = false;
}

/* A thread is in place i, and stays. */
static int have_thread(struct adit_pool *pool, uint32_t i)
{
    struct pool_worker *w = &pool->workers[i];
    uint32_t leaves = ADIT_WORKER_LEAVES;
    if (w->is_there && (adit_cas32_acq_rel(&w->worker.leaves, &leaves, ADIT_WORKER_STAYS) || leaves == ADIT_WORKER_STAYS))
        return 0;
    join(w); /* which has LEFT */
    return start_thread(pool, i);
}

/* Makes it n threads; by one thread at a time. Waits for nobody's task. */
static int resize(struct adit_pool *pool, uint32_t n)
{
    int error = 0;
    bool one_leaves = false;
    for (uint32_t i = n; i < pool->workers_max; i++) { /* also those begun by a call that failed */
        uint32_t stays = ADIT_WORKER_STAYS;
        one_leaves |= pool->workers[i].is_there && adit_cas32_acq_rel(&pool->workers[i].worker.leaves, &stays, ADIT_WORKER_LEAVES);
    }
    if (one_leaves)
        adit_event_wake(&pool->queue.slot->work, UINT32_MAX);
    for (uint32_t i = 0; i < n && !error; i++)
        error = have_thread(pool, i);
    if (!error)
        adit_store32_relaxed(&pool->workers_n, n);
    return error ? adit_fault(error, "arena %s: cannot start %u workers: %s", pool->queue.arena->name, n, strerror(-error)) : 0;
}

/* ---- for the scaler ---- */

static int resize_threads(void *user, uint32_t n)
{
    int error = resize(user, n);
    return error ? error : (int)n;
}

/* What threads and processes have in common. kinds: that these run; what waits for others is nothing to them. */
static void look_at_queue(const struct adit_pool *pool, uint64_t kinds, struct adit_scaler_view *v)
{
    v->oldest_ns = adit_task_oldest_ns(&pool->queue, kinds);
    for (uint32_t i = 0; i < pool->workers_max; i++)
        v->ended += adit_load_relaxed(&pool->workers[i].worker.tasks);
    v->ended += pool->supervisor ? adit_supervisor_tasks(pool->supervisor) : 0;
    for (uint32_t i = 0; i < pool->queue.levels_n; i++)
        v->arrived += adit_load_relaxed(&pool->queue.slot->level[i].tail); /* relaxed: advice */
}

static void look_at_threads(void *user, struct adit_scaler_view *v)
{
    const struct adit_pool *pool = user;
    *v = (struct adit_scaler_view){.workers = adit_load32_relaxed(&pool->workers_n)};
    for (uint32_t i = 0; i < v->workers; i++)
        v->at_work += adit_load32_relaxed(&pool->workers[i].worker.at_work);
    look_at_queue(pool, adit_kinds_runnable(pool->queue.arena), v);
}

static int resize_processes(void *user, uint32_t n)
{
    const struct adit_pool *pool = user;
    return adit_supervisor_resize(pool->supervisor, n);
}

static void look_at_processes(void *user, struct adit_scaler_view *v)
{
    const struct adit_pool *pool = user;
    *v = (struct adit_scaler_view){0};
    adit_supervisor_load(pool->supervisor, &v->workers, &v->at_work);
    look_at_queue(pool, adit_supervisor_kinds(pool->supervisor), v);
}

/* What load decides of: threads where there may be more than threads of them, processes likewise. */
static int open_scaler(struct adit_pool *pool, const struct adit_pool_params *p, uint32_t threads, uint32_t processes)
{
    struct adit_scaler_params s = {.wait_max_ns = p->wait_max_ns, .cooldown_up_ns = p->cooldown_up_ns, .cooldown_down_ns = p->cooldown_down_ns, .pool = pool,
                                   .rests = &pool->rests, .scaled = p->scaled, .user = p->user};
    if (pool->workers_max > threads)
        s.sorts[s.sorts_n++] = (struct adit_scaler_sort){ADIT_SCALED_THREADS, threads ? threads : 1, pool->workers_max, resize_threads, look_at_threads};
    if (p->processes_max > processes)
        s.sorts[s.sorts_n++] = (struct adit_scaler_sort){ADIT_SCALED_PROCESSES, processes, p->processes_max, resize_processes, look_at_processes};
    return s.sorts_n ? adit_scaler_open(&s, &pool->scaler) : 0;
}

int adit_pool_open(struct adit_queue *queue, const struct adit_pool_params *params, struct adit_pool **out)
{
    static const struct adit_pool_params defaults = {.size = sizeof defaults};
    const struct adit_pool_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_pool_open", p->size, sizeof *p);
    if (error)
        return error;
    uint32_t processes = p->processes ? p->processes : p->processes_max ? 1 : 0, processes_most = p->processes_max > processes ? p->processes_max : processes;
    uint32_t n = p->workers ? p->workers : processes ? 0 : adit_topology_workers(NULL);
    if (n > ADIT_WORKERS_MAX || p->workers_max > ADIT_WORKERS_MAX)
        return adit_fault(-EINVAL, "arena %s: %u workers, up to %u; at most %u are possible", queue->arena->name, n, p->workers_max, ADIT_WORKERS_MAX);
    if (processes_most > PROCESSES_MAX || (processes && p->standbys > PROCESSES_MAX - processes_most))
        return adit_fault(-EINVAL, "arena %s: %u worker processes and %u that stand by; at most %u are possible", queue->arena->name, processes_most, p->standbys, PROCESSES_MAX);
    if ((uint32_t)p->confine > ADIT_CONFINE_STRICTLY)
        return adit_fault(-EINVAL, "arena %s: no way %u to confine; see enum adit_confine", queue->arena->name, (uint32_t)p->confine);
    uint32_t most = p->workers_max > n ? p->workers_max : n;
    struct adit_pool *pool = calloc(1, sizeof *pool + most * sizeof *pool->workers);
    if (!pool)
        return adit_fault(-ENOMEM, "arena %s: no memory for a pool", queue->arena->name);
    pool->queue = (struct adit_queue){.arena = queue->arena, .slot = queue->slot, .tasks = queue->tasks, .groups = queue->groups, .id = queue->id, .order = queue->order, .levels_n = queue->levels_n,
                                      .shift = queue->shift, .group_shift = queue->group_shift}; /* not what submitters by this handle write */
    pool->wake_ns = ADIT_WORKER_WAKE_FIRST_NS;
    pool->workers_max = most;
    pool->is_background = p->background;
    error = resize(pool, n);
    if (!error && processes)
        error = adit_supervisor_open(&pool->queue, p, processes, &pool->supervisor);
    if (!error)
        error = open_scaler(pool, p, n, processes);
    if (error)
        adit_pool_close(&pool);
    *out = pool;
    return error;
}

void adit_pool_close(struct adit_pool **pool)
{
    struct adit_pool *p = *pool;
    if (!p)
        return;
    adit_store32_release(&p->stop, 1); /* first: whatever others wait for below ends */
    adit_event_wake(&p->queue.slot->work, UINT32_MAX);
    adit_scaler_close(&p->scaler);
    adit_supervisor_close(&p->supervisor);
    for (uint32_t i = 0; i < p->workers_max; i++)
        join(&p->workers[i]);
    free(p);
    *pool = NULL;
}

int adit_pool_look(const struct adit_pool *pool, struct adit_pool_stats *stats)
{
    int error = adit_params_check("adit_pool_look", stats->size, sizeof *stats);
    if (error)
        return error;
    *stats = (struct adit_pool_stats){.size = sizeof *stats, .workers = adit_load32_relaxed(&pool->workers_n), .wake_ns = adit_load_relaxed(&pool->wake_ns)};
    for (uint32_t i = 0; i < pool->workers_max; i++) {
        stats->tasks += adit_load_relaxed(&pool->workers[i].worker.tasks);
        stats->sleeps += adit_load_relaxed(&pool->workers[i].worker.sleeps);
    }
    if (pool->supervisor)
        adit_supervisor_look(pool->supervisor, stats);
    if (pool->scaler)
        adit_scaler_look(pool->scaler, stats);
    return 0;
}

int adit_worker_look(const struct adit_pool *pool, uint32_t index, struct adit_worker_info *info)
{
    int error = adit_params_check("adit_worker_look", info->size, sizeof *info);
    return error ? error : pool->supervisor ? adit_supervisor_look_at(pool->supervisor, index, info) : -ENOENT;
}
