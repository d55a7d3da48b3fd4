/* foreman.c - offers are hints: whether a chunk is dirty is decided by the claim, when it is meshed. So nothing here has to be exact but for one thing: a chunk that has killed a worker is not
 * offered anew, and not meshed by this thread, while the task that counts its deaths is there. What makes that so: a chunk is free to be taken when it has no offer, or one that is RUNNING
 * in its first attempt, looked at after the chunk was seen to be dirty. A dead worker's task is returned before its chunk is dirty again (RECOVER:tasks), so such a task's worker lives:
 * it has not claimed yet, or has finished already.
 */
#include "runtime/foreman_parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/cost.h"
#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/mesher.h"
#include "runtime/placement.h"
#include "runtime/survey.h"
#include "runtime/task_queue.h"

#define QUEUE "adit.mesh" /* on further nodes one each: and a point and the node's number */
#define NODE_QUEUE_TASKS 256u /* twice what is offered */
#define CHUNK_FIRST_NS 50000u /* what a chunk takes, before one was seen */
#define WAKE_NS 50000u        /* what waking a worker takes: less work than that is not handed over (perf-lab run raw-futex) */
#define EACH_LEAST 4u         /* offers a worker: at least, */
#define EACH_MOST 64u         /* and at most */
#define SLEEP_NS 100000000u   /* it looks around at least so often, should a poster have died before its wake */
#define REST_OF 16u           /* of a look at what others are to mesh, so often its own time until the next one */
#define ROOM_NS 5000000u      /* the same while it waits for a worker, also for stop */
#define SOON_NS 1000000u      /* for a task that has done its work, or is about to */
#define LEAVE_NS 100000000u   /* for offers that run in other processes, when this one closes */
#define STARVED_NAP_NS 5000000

static void nap(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

static bool is_stopped(const struct adit_foreman *f) { return adit_load32_acquire(f->p.stop); }

static uint64_t chunk_ns(const struct adit_foreman *f)
{
    uint64_t ns = adit_load_relaxed(f->p.chunk_ns); /* relaxed: an estimate */
    return ns ? ns : CHUNK_FIRST_NS;
}

/* ---- what is to be done (under the lock) ------------------------------------------------------------------------ */

static void skip_given_up(struct adit_arena *arena, uint32_t index)
{
    if (adit_dirty_claim_at(arena, index)) /* a neighbour has changed */
        adit_dirty_finish(arena, index, !adit_dirty_is_given_up(arena, index));
}

/* What one look has found. */
struct look {
    uint32_t n;         /* listed */
    uint32_t free;      /* of these, the first ones: not offered */
    uint32_t most;      /* that could be offered */
    uint32_t offered;   /* by now; so many are gone from the front of the list */
    uint32_t under_way; /* offers in all, by now */
    uint64_t soon;      /* a task that is spent, and its chunk dirty; 0: none */
    uint32_t spent;     /* that chunk */
    uint64_t middle;    /* one of those under way; 0: none */
    struct adit_reach_passed passed;
    bool is_ranked;     /* listed from the agenda */
};

static bool is_nobodys(void *user, uint32_t index)
{
    const struct adit_foreman *f = user;
    return !adit_offers_is_elsewhere(&f->offers, index) && !adit_dirty_is_given_up(f->p.arena, index);
}

/* One that is dirty, and that nobody is at: true when it is to be listed, as it is free and at home here. */
static bool consider(struct adit_foreman *f, struct look *look, uint32_t index)
{
    struct adit_arena *arena = f->p.arena;
    const struct adit_offer *offer = adit_offers_find(&f->offers, index);
    if (adit_dirty_is_given_up(arena, index)) {
        skip_given_up(arena, index);
    } else if (!offer && adit_offers_is_elsewhere(&f->offers, index)) {
        look->passed.is_any = true; /* nobody tells when that offer is over: look again soon */
    } else if (!offer && !adit_reach_is_own(&f->p.reach, arena, index)) {
        adit_reach_pass(&look->passed, arena, index);
    } else if (!offer) {
        return true;
    } else if (!look->soon && adit_foreman_is_spent(f, offer)) {
        look->soon = offer->task;
        look->spent = index;
    }
    return false;
}

static void list_as_they_come(struct adit_foreman *f, struct look *look, uint32_t n_max)
{
    struct adit_dirty_walk walk = adit_dirty_walk_from(f->p.arena, f->cursor);
    uint32_t index;
    while (look->n < n_max && adit_dirty_next(f->p.arena, &walk, &f->cursor, &index))
        if (consider(f, look, index))
            f->list[look->n++] = index;
}

/* A look of a foreman, for a survey. */
struct surveyor {
    struct adit_foreman *foreman;
    struct look *look;
};

static bool is_considered(void *user, uint32_t index)
{
    const struct surveyor *s = user;
    return consider(s->foreman, s->look, index);
}

static void list_from_agenda(struct adit_foreman *f, struct look *look, uint32_t n_max)
{
    uint32_t index;
    for (uint32_t at = f->agenda.taken; look->n < n_max && adit_agenda_take(&f->agenda, &index); at = f->agenda.taken)
        if (adit_dirty_is_free(f->p.arena, index) && consider(f, look, index)) {
            f->at[look->n] = at;
            f->list[look->n++] = index;
        }
}

/* By what viewers see first: what was left of the last walk, or a new one. */
static void list_by_rank(struct adit_foreman *f, struct look *look, uint32_t n_max)
{
    look->is_ranked = true;
    if (!n_max)
        return;
    if (adit_agenda_is_fresh(&f->agenda, adit_clock_ns()))
        list_from_agenda(f, look, n_max);
    if (look->n)
        return;
    look->passed = (struct adit_reach_passed){0};
    adit_survey(f->p.arena, &f->agenda, ADIT_OFFERS_MAX, is_considered, &(struct surveyor){f, look});
    list_from_agenda(f, look, n_max);
}

/* What was listed from place n on is not done: it is next. */
static void give_back(struct adit_foreman *f, const struct look *look, uint32_t n)
{
    if (look->is_ranked && n < look->free)
        f->agenda.taken = f->at[n];
}

/* Lists chunks that are dirty, at which nobody is, and that are not offered: those at home here, or, where there are none, some of others'; behind them, for whoever meshes here, one whose
 * offer is spent. */
static void gather(struct adit_foreman *f, struct look *look)
{
    uint32_t n_max = f->p.threads ? ADIT_OFFERS_MAX - 1 : look->most;
    uint64_t own = f->p.threads ? 1 + WAKE_NS / chunk_ns(f) : 0; /* as many as this thread will come to */
    if (adit_interest_high(f->p.arena))
        list_by_rank(f, look, look->most + own < n_max ? look->most + (uint32_t)own : n_max);
    else
        list_as_they_come(f, look, n_max);
    if (!look->n && look->passed.is_any && n_max) {
        look->is_ranked = false;
        look->n = adit_reach_steal(&f->p.reach, f->p.arena, &look->passed, is_nobodys, f, f->list, n_max);
    }
    look->free = look->n;
    if (f->p.threads && look->soon)
        f->list[look->n++] = look->spent;
}

/* A task whose end makes room for about as many as there are before it. */
static uint64_t middle_of(const struct adit_offers *o)
{
    for (uint32_t i = 0; i < o->n; i++) {
        const struct adit_offer *x = &o->of[(i + o->n / 2) % o->n];
        if (!x->is_poisoned)
            return x->task;
    }
    return 0;
}

static uint32_t room(const struct adit_foreman *f)
{
    uint64_t each = 2 * WAKE_NS / chunk_ns(f); /* as many as last until this thread has come back */
    each = each < EACH_LEAST ? EACH_LEAST : each > EACH_MOST ? EACH_MOST : each;
    uint64_t all = f->p.threads_max > f->p.threads ? ADIT_OFFERS_MAX : each * f->workers_n; /* what waits is what a pool is scaled by */
    all = all < ADIT_OFFERS_MAX ? all : ADIT_OFFERS_MAX;
    return all > f->offers.n ? (uint32_t)all - f->offers.n : 0;
}

/* Offers some of the n free ones that are listed, as far as it is worth the while; returns how many, which are gone from the front of the list. Where this thread meshes the first one stays: what is needed soonest is begun
 * at once. */
static uint32_t offer(struct adit_foreman *f, uint32_t n, uint32_t most)
{
    uint64_t tasks[ADIT_OFFERS_MAX];
    uint32_t keeps = f->p.threads ? 1 : 0, begun = 0;
    uint32_t *list = f->list + keeps;
    n = n > keeps ? n - keeps : 0;
    if (keeps && !f->offers.n && n * chunk_ns(f) <= WAKE_NS)
        return 0; /* nobody is awake, and it is done before somebody would be */
    n = n < most ? n : most;
    while (begun < n && adit_offers_begin(&f->offers, list[begun])) {
        f->args[begun].index = list[begun];
        begun++;
    }
    int done = begun ? adit_submit_n(f->queue, f->specs, begun, tasks) : 0;
    for (uint32_t i = done > 0 ? (uint32_t)done : 0; i < begun; i++)
        adit_offers_undo(&f->offers, list[i]);
    for (int i = 0; i < done; i++)
        adit_offers_add(&f->offers, list[i], tasks[i], adit_load_acquire(&f->p.arena->entries[list[i]].current));
    if (done <= 0)
        return 0;
    list[done - 1] = f->list[0]; /* of this thread, if it meshes; else it is offered itself */
    return (uint32_t)done;
}

/* Takes back the newest offer that nobody has begun. */
static bool withdraw(struct adit_foreman *f, uint32_t *index)
{
    struct adit_task_result r = {.size = sizeof r};
    bool is_ours = false;
    pthread_mutex_lock(&f->lock);
    for (struct adit_offer *x = adit_offers_newest(&f->offers, UINT64_MAX); x && !is_ours; x = x ? adit_offers_newest(&f->offers, x->serial) : NULL) {
        if (x->is_poisoned || !adit_task_withdraw(f->queue, x->task))
            continue; /* never one that runs: were it asked to stop, its worker's death would not be counted */
        (void)adit_wait(f->queue, x->task, 0, &r);
        *index = x->index;
        adit_offers_remove(&f->offers, x);
        is_ours = true;
        x = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    return is_ours;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

/* Claimed by this thread just now: whether it may be meshed here. Not while somebody else has an offer of it, nor while one of our own may have killed its worker: see above. */
static bool is_harmless(struct adit_foreman *f, uint32_t index)
{
    pthread_mutex_lock(&f->lock);
    const struct adit_offer *offer = adit_offers_find(&f->offers, index);
    bool is = offer ? adit_foreman_is_spent(f, offer) : !adit_offers_is_elsewhere(&f->offers, index);
    pthread_mutex_unlock(&f->lock);
    return is;
}

/* Meshes what is listed, if it is dirty still, for as long as waking somebody takes where there is somebody else. Returns how many of the list it has come to. */
static uint32_t mesh_here(struct adit_foreman *f, const uint32_t *list, uint32_t n)
{
    uint64_t begin = adit_clock_ns(), last = begin;
    for (uint32_t i = 0; i < n && !is_stopped(f); i++) {
        if (!adit_dirty_claim_at(f->p.arena, list[i]))
            continue;
        if (!is_harmless(f, list[i])) {
            adit_dirty_finish(f->p.arena, list[i], true);
            continue;
        }
        uint32_t segment = adit_placement_segment(f->p.arena, adit_load_relaxed(&f->p.arena->entries[list[i]].current)); /* relaxed: for a figure */
        if (!adit_mesher_work(f->p.arena, f->p.kernel, f->p.flags, list[i], &f->meshed_here[segment])) {
            nap(STARVED_NAP_NS);
            return i + 1;
        }
        uint64_t now = adit_clock_ns();
        adit_cost_average(f->p.chunk_ns, now - last);
        last = now;
        if (f->workers_n && now - begin > WAKE_NS)
            return i + 1;
    }
    return n;
}

/* Until that task has ended, or timeout_ns. */
static void await_task(struct adit_foreman *f, uint64_t task, uint64_t timeout_ns)
{
    struct adit_task_result r = {.size = sizeof r};
    if (adit_wait(f->queue, task, timeout_ns, &r))
        return; /* also when who looks has taken its result meanwhile */
    pthread_mutex_lock(&f->lock);
    for (uint32_t i = 0; i < f->offers.n; i++)
        if (f->offers.of[i].task == task && !f->offers.of[i].is_poisoned) {
            adit_foreman_account(f, &f->offers.of[i], &r);
            break;
        }
    pthread_mutex_unlock(&f->lock);
}

/* Something is to be done for a chunk, or it shall stop. *due_ns: the soonest that will be due, 0: there is none. */
static bool is_wanted(struct adit_foreman *f, uint64_t *due_ns)
{
    struct adit_dirty_walk walk = {0};
    uint32_t cursor = 0, index;
    bool is = is_stopped(f);
    pthread_mutex_lock(&f->lock);
    while (!is && adit_dirty_next(f->p.arena, &walk, &cursor, &index)) {
        const struct adit_offer *offer = adit_offers_find(&f->offers, index);
        is = offer ? offer->is_poisoned || adit_foreman_is_spent(f, offer) : !adit_offers_is_elsewhere(&f->offers, index) && adit_reach_is_own(&f->p.reach, f->p.arena, index);
    }
    pthread_mutex_unlock(&f->lock);
    *due_ns = walk.due_ns;
    return is;
}

/* With offers under way, or several foremen, it sleeps at once: others need the processors, and each look is a walk over what is offered. */
static void await_dirty(struct adit_foreman *f, const struct look *look)
{
    struct adit_event *dirty = &f->p.arena->waits->dirty_event;
    if (!look->under_way && !f->p.reach.homes) {
        (void)adit_dirty_wait(f->p.arena, f->p.stop, SLEEP_NS);
        return;
    }
    adit_add32_seq_cst(&dirty->waiters, 1); /* EVENT:wait, as event.c: before the look */
    uint32_t seq = adit_load32_acquire(&dirty->seq);
    uint64_t begin = adit_clock_ns(), due = 0;
    if (!is_wanted(f, &due)) {
        uint64_t now = adit_clock_ns(), left = due > now ? due - now : 1, often = (now - begin) * REST_OF; /* a walk over thousands that are others' takes as long as one would sleep */
        uint64_t most = !look->passed.is_any ? SLEEP_NS : often > ADIT_REACH_LOOK_NS ? often : ADIT_REACH_LOOK_NS;
        (void)adit_futex_wait(&dirty->seq, seq, due && left < most ? left : most);
    }
    adit_sub32_seq_cst(&dirty->waiters, 1);
}

/* Where processes have all the work: there is nothing to offer, or nobody to offer it to. */
static void await_others(struct adit_foreman *f, const struct look *look)
{
    if (!look->most && look->middle)
        await_task(f, look->middle, ROOM_NS);
    else if (look->n)
        (void)adit_queue_wait_room(f->queue, ADIT_NORMAL, ROOM_NS);
    else if (look->soon)
        await_task(f, look->soon, SOON_NS);
    else
        await_dirty(f, look);
}

/* Having the baton: looks, offers, meshes. False: there was nothing to do, and look says what to wait for. */
static bool step(struct adit_foreman *f, struct look *look)
{
    uint32_t index;
    pthread_mutex_lock(&f->lock);
    adit_foreman_collect(f);
    look->most = f->workers_n ? room(f) : 0;
    gather(f, look);
    look->offered = look->most ? offer(f, look->free, look->most) : 0;
    look->under_way = f->offers.n;
    look->middle = middle_of(&f->offers);
    bool is_refused = f->is_refused;
    f->is_refused = false;
    pthread_mutex_unlock(&f->lock);
    if (is_refused)
        nap(STARVED_NAP_NS);
    if (f->p.threads && look->n > look->offered)
        give_back(f, look, look->offered + mesh_here(f, f->list + look->offered, look->n - look->offered));
    else if (f->p.threads && !look->offered && withdraw(f, &index))
        (void)mesh_here(f, &index, 1);
    else {
        give_back(f, look, look->offered);
        return look->offered;
    }
    return true;
}

/* Both threads: a publisher wakes both, and whoever runs first has the baton until there is nothing to do; the other one waits for it. So no edit waits for a thread that was woken
 * where the publisher itself goes on. */
static void *foreman_main(void *user)
{
    struct adit_foreman *f = user;
    if (f->p.is_background && f->p.threads)
        (void)adit_thread_background();
    while (!is_stopped(f)) {
        struct look look;
        pthread_mutex_lock(&f->baton);
        do
            look = (struct look){0};
        while (step(f, &look) && !is_stopped(f));
        pthread_mutex_unlock(&f->baton);
        if (is_stopped(f))
            break;
        if (f->p.threads)
            await_dirty(f, &look);
        else
            await_others(f, &look);
    }
    return NULL;
}

static int start_threads(struct adit_foreman *f)
{
    uint32_t n = f->p.threads ? 2 : 1;
    int error = 0;
    for (; f->threads_n < n && !error; f->threads_n += !error)
        error = adit_thread_start(&f->threads[f->threads_n], foreman_main, f);
    return !f->threads_n ? adit_fault(error, "arena %s: cannot start a foreman: %s", f->p.arena->name, strerror(-error)) : 0; /* one does it all, if somewhat later */
}

/* ---- from outside ----------------------------------------------------------------------------------------------- */

/* Alone, it meshes all there is in this thread: where the queue is its own, nobody else needs one, and where there is no room for one, it would be others'. */
static int open_pool(struct adit_foreman *f, uint32_t *kind)
{
    const struct adit_foreman_params *p = &f->p;
    char name[ADIT_NAME_BYTES] = QUEUE;
    f->is_alone = p->threads == 1 && !p->processes && p->threads_max < 2;
    const struct adit_pool_params pool = {.size = sizeof pool, .workers = p->threads > 1 ? p->threads - 1 : p->processes ? 0 : p->threads, .workers_max = p->threads_max > 1 ? p->threads_max - 1 : 0,
                                          .processes = p->processes, .objects = p->objects, .background = p->is_background};
    const struct adit_queue_params own = {.size = sizeof own, .order = ADIT_ORDER_FIFO, .capacity = NODE_QUEUE_TASKS};
    bool is_further = p->own > 1;
    if (is_further && f->is_alone)
        return 0;
    if (is_further)
        snprintf(name, sizeof name, QUEUE ".%d", p->node->id);
    int error = adit_kinds_register_mesh_dirty(p->arena, kind);
    if (!error)
        error = adit_queue_open(p->arena, name, is_further ? &own : NULL, &f->queue);
    if (error == -ENOSPC && f->is_alone)
        return 0;
    if (!error)
        error = adit_pool_open(f->queue, &pool, &f->pool);
    f->workers_n = f->is_alone ? 0 : pool.workers + pool.processes;
    return error;
}

static void prepare(struct adit_foreman *f, uint32_t kind)
{
    for (uint32_t i = 0; i < ADIT_OFFERS_MAX; i++) {
        f->args[i] = (struct adit_mesh_dirty_args){.culled = f->p.flags & ADIT_MESH_CULLED ? 1 : 0};
        snprintf(f->args[i].kernel, sizeof f->args[i].kernel, "%s", f->p.kernel_name);
        f->specs[i] = (struct adit_task_spec){.size = sizeof f->specs[i], .kind = kind, .args = &f->args[i], .args_bytes = sizeof f->args[i]};
    }
}

int adit_foreman_open(const struct adit_foreman_params *params, struct adit_foreman **out)
{
    struct adit_foreman *f = *out = calloc(1, sizeof *f);
    uint32_t kind = 0;
    if (!f)
        return adit_fault(-ENOMEM, "arena %s: no memory for a dispatcher", params->arena->name);
    f->p = *params;
    f->agenda.item = f->items;
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->baton, NULL);
    cpu_set_t before;
    int error = adit_offers_init(&f->offers, params->arena->chunks_max, params->whose, params->own);
    adit_node_enter(params->node, &before);
    if (!error)
        error = open_pool(f, &kind);
    if (!error) {
        prepare(f, kind);
        error = start_threads(f);
    }
    adit_node_exit(&before);
    if (error)
        adit_foreman_close(out);
    return error;
}

/* What nobody has begun is taken back, what is under way is waited for. In another process that may last: then its slot is free when this process detaches. */
static void end_offers(struct adit_foreman *f)
{
    struct adit_task_result r = {.size = sizeof r};
    for (uint32_t i = 0; i < f->offers.n; i++)
        (void)adit_cancel(f->queue, f->offers.of[i].task);
    adit_pool_close(&f->pool);
    for (uint32_t i = 0; i < f->offers.n; i++)
        if (!f->offers.of[i].is_poisoned) {
            (void)adit_cancel(f->queue, f->offers.of[i].task); /* a closing worker may have put it back */
            (void)adit_wait(f->queue, f->offers.of[i].task, LEAVE_NS, &r);
        }
}

void adit_foreman_close(struct adit_foreman **foreman)
{
    struct adit_foreman *f = *foreman;
    if (!f)
        return;
    for (uint32_t i = 0; i < f->threads_n; i++)
        pthread_join(f->threads[i], NULL);
    end_offers(f);
    adit_queue_close(&f->queue);
    adit_offers_fini(&f->offers);
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->baton);
    free(f);
    *foreman = NULL;
}
