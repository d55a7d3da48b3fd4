/* batch.c - many tasks of one kind, from one call: a window of them is under way, filled from the front, emptied in whatever order they end (adit_tasks.h).
 *
 *     items      0 1 2 3 | 4 5 6 7 8 9 | 10 11 12 13 ... 97 | 98 99
 *                 ended    under way     to be submitted      run by the caller        window: handle and item of each, no more than under_way_max
 *
 * The calling thread works, too. While items are long it claims tasks of the queue, as any worker; when a burst of those was short it takes items from the end of what is to be submitted and runs
 * them as they are: an item that dies with its caller is one that was never submitted, so it needs no task, and a task costs more than such an item. Half of what is left stays for
 * workers, until that is too little to hand over. In a worker process it claims those of this batch alone: it may be killed in them, for what it does itself.
 *
 * The batch itself is private memory: who dies in it leaves tasks, which recovery makes DETACHED.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kind.h"
#include "runtime/kind_able.h"
#include "runtime/params.h"
#include "runtime/worker.h"
#include "runtime/worker_life.h"

#define SUBMIT_MAX 32u          /* with one wake */
#define BURST_MAX 32u           /* tasks that it runs itself between looks at its own */
#define BURST_NS 20000u         /* that they should take */
#define CLOCK_EVERY 4u          /* items between looks at the clock */
#define DEPTH_MAX 4u            /* batches inside of tasks that batches run: beyond, one runs its own tasks alone, or any queue of such tasks would be a stack */
#define PASSED_MAX 16u          /* tasks under way that a look passes before it has seen enough */
#define PATIENCE_NS 20000000u   /* of a wait, */
#define LOOK_NS 2000000u        /* and where there is a cancel to be looked at, which nobody tells of */
#define PROGRESS_NS 100000000u
#define PART_NS 50000u          /* that a part of a range should take */
#define TELLS_NS 6000u          /* that one takes, beyond being handed over, to tell what its elements cost */
#define PARTS_A_CPU 8u
#define SMALL_PART 16u          /* elements of a part that would make many of the range, so it is tried */
#define TRIES_SMALL 5u          /* so often, else twice */

struct under_way {
    uint64_t task, item;
};

struct batch {
    struct adit_queue *q;
    const struct adit_batch_params *p;
    struct adit_map_items items;
    void (*make)(const struct batch *b, uint64_t item, struct adit_range_args *args); /* of a range; NULL: items.args */
    const struct adit_range_args *range;
    uint64_t grain;
    uint64_t next, end; /* items to be submitted, or run here */
    bool may_run; /* this thread, items that are no tasks */
    struct under_way *window; /* a ring of mask + 1 */
    uint32_t attempts_max;
    uint32_t first, n, max, mask; /* n of them are under way or not looked at, from first on; max: at most */
    bool stops;
    int error;
    uint64_t told_ns;
    uint32_t burst;
    uint32_t own; /* where in the window this thread looks for one that nobody has begun; wraps */
    struct adit_worker helper;
    struct adit_kind_tally tally;
    uint64_t wake_ns;
    struct adit_batch_outcome out;
    struct adit_task_spec specs[SUBMIT_MAX]; /* alike but for where their arguments are, so made once */
    struct adit_range_args parts[SUBMIT_MAX];
};

static const uint32_t goes_on = 0;
static const struct adit_batch_outcome no_outcome = {.first_failed = UINT64_MAX};

/* The i-th of the window. */
static struct under_way *at(const struct batch *b, uint32_t i) { return &b->window[(b->first + i) & b->mask]; }

static bool is_cancelled(const struct batch *b) { return b->p->cancel && adit_load32_acquire(b->p->cancel); }

static void note_failure(struct batch *b, uint64_t item, int32_t status)
{
    b->out.failed++;
    if (item < b->out.first_failed) {
        b->out.first_failed = item;
        b->out.first_status = status;
    }
    b->stops = b->stops || b->p->fail_fast;
}

/* What became of an item. */
static void note(struct batch *b, uint64_t item, const struct adit_task_result *r)
{
    const struct adit_map_items *m = &b->items;
    b->out.done += r->end == ADIT_ENDED_DONE && r->status >= 0;
    b->out.not_run += r->end == ADIT_ENDED_CANCELLED && !r->attempts;
    if (r->end != ADIT_ENDED_DONE || r->status < 0)
        note_failure(b, item, r->status);
    if (m->statuses)
        m->statuses[item] = r->status;
    if (m->results) {
        uint8_t *to = (uint8_t *)m->results + item * m->results_stride;
        uint32_t n = r->bytes < m->results_bytes ? r->bytes : m->results_bytes;
        memcpy(to, r->data, n);
        memset(to + n, 0, m->results_bytes - n);
    }
}

/* The arguments of an item; made: room for those that are made. */
static const void *args_of(const struct batch *b, uint64_t item, struct adit_range_args *made)
{
    if (!b->make)
        return b->items.args ? (const uint8_t *)b->items.args + item * b->items.args_stride : NULL;
    b->make(b, item, made);
    return made;
}

/* Whether items are so short that this thread had better run some that are no tasks. */
static bool runs_items(const struct batch *b) { return b->may_run && b->burst == BURST_MAX; }

/* Submits what the window has room for; false: nothing could be submitted now. */
static bool submit_some(struct batch *b)
{
    uint64_t tasks[SUBMIT_MAX], left = b->end - b->next;
    left = runs_items(b) ? (left + 1) / 2 : left; /* the rest is for this thread, or for later */
    uint32_t room = b->max - b->n, n = room < SUBMIT_MAX ? room : SUBMIT_MAX;
    n = left < n ? (uint32_t)left : n;
    for (uint32_t i = 0; i < n; i++)
        b->specs[i].args = args_of(b, b->next + i, &b->parts[i]);
    int done = n ? adit_submit_n(b->q, b->specs, n, tasks) : 0;
    if (done < 0 && done != -EAGAIN) {
        b->error = done;
        b->stops = true;
    }
    for (int i = 0; i < done; i++)
        *at(b, b->n++) = (struct under_way){tasks[i], b->next++};
    return done > 0;
}

/* Whether a task of the window goes on, by a look at its word alone; else adit_wait tells what became of it. */
static bool goes_on_still(const struct batch *b, uint64_t task)
{
    uint64_t position = task & ADIT_TASK_POSITION, word = adit_load_relaxed(&adit_task_at(b->q, (uint32_t)(task >> 48 & 15), position)->word); /* relaxed: adit_wait looks again */
    return adit_task_state(word) < ADIT_TASK_DONE && !adit_task_lead(word, adit_task_round_at(b->q, position));
}

/* Takes the results of those that have ended, after waiting for the first of the window up to timeout_ns. Of a long window only what comes before many that have not: mostly
 * they end in the order in which they began. */
static void take_some(struct batch *b, uint64_t timeout_ns)
{
    uint32_t kept = 0, i = 0;
    for (; i < b->n && (kept < PASSED_MAX || timeout_ns); i++) {
        const struct under_way u = *at(b, i);
        struct adit_task_result r;
        r.size = sizeof r;
        bool waits = !i && timeout_ns;
        int error = !waits && goes_on_still(b, u.task) ? -ETIMEDOUT : adit_wait(b->q, u.task, waits ? timeout_ns : 0, &r);
        if (error == -ETIMEDOUT) {
            *at(b, kept++) = u;
            continue;
        }
        if (error)
            r = (struct adit_task_result){.end = ADIT_ENDED_CANCELLED, .status = error, .attempts = 1}; /* somebody else took it */
        note(b, u.item, &r);
    }
    for (uint32_t k = kept; k > 0 && i > kept; k--) /* to where those behind begin */
        *at(b, i - kept + k - 1) = *at(b, k - 1);
    b->first += i - kept;
    b->n -= i - kept;
}

/* Runs the last item that is left. */
static void run_item(struct batch *b)
{
    struct adit_range_args made;
    struct adit_task_result r;
    const void *args = args_of(b, --b->end, &made);
    r.end = ADIT_ENDED_DONE; /* by hand: its data need no zeroes */
    r.attempts = 0;
    do { /* bounded by attempts_max, as a task's attempts are */
        r.status = adit_worker_run_item(&b->helper, b->p->kind, args, b->items.args_bytes, ++r.attempts, r.data, &r.bytes);
    } while (r.status == -ESTALE && r.attempts < b->attempts_max && !is_cancelled(b));
    if (r.status == -ECANCELED && is_cancelled(b)) { /* it has stopped because of that: as if it had not begun */
        b->end++;
        b->stops = true;
        return;
    }
    note(b, b->end, &r);
}

static bool run_some_items(struct batch *b, uint64_t begin)
{
    uint32_t n = 0;
    for (; n < BURST_MAX && b->next < b->end && !(b->p->under_way_max && b->n == b->max) && !b->stops; n++) { /* it counts as under way, too */
        if (is_cancelled(b) || (n && n % CLOCK_EVERY == 0 && adit_clock_ns() - begin > BURST_NS))
            break;
        run_item(b);
    }
    return n;
}

/* How many batches this thread is in, one inside a task that the other runs. */
static _Thread_local uint32_t depth;

/* One that this batch has submitted, if nobody has begun it. */
static bool run_own(struct batch *b)
{
    struct adit_task_place place;
    struct adit_task_claim c;
    for (uint32_t i = 0; i < b->n; i++)
        if (adit_task_resolve(b->q, at(b, b->own++ % b->n)->task, &place) && adit_task_claim_back(b->q, &place, adit_kinds_runnable(b->q->arena), &c)) {
            (void)adit_worker_run(&b->helper, &c);
            return true;
        }
    return false;
}

/* Of others, too, unless those have led here, or this is a task in a worker process, which may be killed: they would die with it, and have no kill_ns of their own here, as nobody sets its timer. */
static bool run_some_tasks(struct batch *b)
{
    bool is_own = depth > DEPTH_MAX || adit_is_worker_process();
    uint32_t n = 0;
    while (n < b->burst && !is_cancelled(b) && (is_own ? run_own(b) : adit_worker_help(&b->helper)))
        n++;
    return n;
}

/* Runs some items, or tasks; false: there were none. */
static bool help(struct batch *b)
{
    uint64_t begin = adit_clock_ns();
    bool is_some = runs_items(b) && run_some_items(b, begin);
    is_some = is_some || run_some_tasks(b);
    bool is_short = adit_clock_ns() - begin < BURST_NS;
    b->burst = is_short ? (b->burst < BURST_MAX ? b->burst * 2 : BURST_MAX) : b->burst > 1 ? b->burst / 2 : 1;
    return is_some;
}

static void tell(struct batch *b)
{
    uint64_t now = b->p->progress ? adit_clock_ns() : 0;
    if (!b->p->progress || now - b->told_ns < PROGRESS_NS)
        return;
    b->told_ns = now;
    b->p->progress(b->out.done + b->out.failed, b->items.n, b->p->user);
}

/* The newest first: were those that run asked to stop before the others are gone, their workers would begin some of them. */
static void cancel_all(struct batch *b)
{
    for (uint32_t i = b->n; i-- > 0;)
        (void)adit_cancel(b->q, at(b, i)->task);
}

/* All items, or as many as it takes to fail. */
static void run_all(struct batch *b)
{
    const uint64_t patience = b->p->cancel ? LOOK_NS : PATIENCE_NS;
    bool was_stopped = false;
    while (b->n || (!b->stops && b->next < b->end)) { /* bounded by the tasks' ends */
        b->stops = b->stops || is_cancelled(b);
        if (b->stops && !was_stopped)
            cancel_all(b);
        was_stopped = b->stops;
        bool has_more = !b->stops && submit_some(b);
        bool helps = !b->p->stays_out && !b->stops && help(b);
        if (!helps && !has_more && !b->n && !b->stops)
            (void)adit_queue_wait_room(b->q, b->p->priority, patience); /* others have it full */
        else if ((!helps && !has_more) || b->n == b->max)
            take_some(b, helps || has_more ? 0 : b->stops ? PATIENCE_NS : patience);
        tell(b);
    }
    b->out.not_run += b->end - b->next; /* never begun */
    for (uint64_t i = b->next; i < b->end && b->items.statuses; i++)
        b->items.statuses[i] = -ECANCELED;
}

/* Adds what became of all items to *sum. Returns what keeps more from being run, and 0 though some failed. */
static int run(struct batch *b, struct adit_batch_outcome *sum)
{
    uint32_t half = b->q->shift ? 1u << (b->q->shift - 1) : 1;
    int error = adit_params_check("adit_map", b->p->size, sizeof *b->p);
    if (!error && b->items.n && adit_kind_named(b->q->arena, b->p->kind))
        error = adit_kind_able_check(b->q->arena, b->p->kind, false);
    if (error)
        return error;
    b->max = b->p->under_way_max && b->p->under_way_max < half ? b->p->under_way_max : half;
    for (b->mask = 0; b->mask < b->max - 1;)
        b->mask = b->mask * 2 + 1;
    b->window = malloc((b->mask + 1u) * sizeof *b->window);
    if (!b->window)
        return adit_fault(-ENOMEM, "arena %s: no memory for a batch", b->q->arena->name);
    b->helper = (struct adit_worker){.queue = b->q, .stop = b->p->cancel ? b->p->cancel : &goes_on, .wake_ns = &b->wake_ns, .name = adit_worker_name(b->q, UINT32_MAX),
                                     .tally = &b->tally};
    b->burst = 1;
    b->end = b->items.n;
    b->attempts_max = b->p->attempts_max ? b->p->attempts_max : ADIT_TASK_ATTEMPTS;
    b->may_run = adit_kind_takes(b->q->arena, b->p->kind, b->items.args_bytes);
    b->out = no_outcome;
    for (uint32_t i = 0; i < SUBMIT_MAX; i++)
        b->specs[i] = (struct adit_task_spec){.size = sizeof b->specs[i], .kind = b->p->kind, .priority = b->p->priority, .attempts_max = b->p->attempts_max,
                                              .args = &b->parts[i], .args_bytes = b->items.args_bytes};
    depth++;
    run_all(b);
    depth--;
    adit_kind_tally_tell(b->q->arena, &b->tally);
    free(b->window);
    sum->done += b->out.done;
    sum->failed += b->out.failed;
    sum->not_run += b->out.not_run;
    if (b->out.first_failed != UINT64_MAX && sum->first_failed == UINT64_MAX) {
        sum->first_failed = b->range ? b->range->begin + b->out.first_failed * b->grain : b->out.first_failed;
        sum->first_status = b->out.first_status;
    }
    return b->error ? b->error : is_cancelled(b) ? -ECANCELED : b->p->fail_fast && b->out.failed ? b->out.first_status : 0;
}

/* What a call returns: error, or else the first failure. */
static int conclude(int error, const struct adit_batch_outcome *sum, struct adit_batch_outcome *out)
{
    if (out)
        *out = *sum;
    return error ? error : sum->first_failed != UINT64_MAX ? sum->first_status : 0;
}

int adit_map(struct adit_queue *queue, const struct adit_batch_params *params, const struct adit_map_items *items, struct adit_batch_outcome *outcome)
{
    struct batch b = {.q = queue, .p = params, .items = *items};
    struct adit_batch_outcome sum = no_outcome;
    return conclude(run(&b, &sum), &sum, outcome);
}

int adit_reduce(struct adit_queue *queue, const struct adit_batch_params *params, const void *values, uint64_t n, uint32_t bytes, const void *identity, void *result)
{
    if (!bytes || bytes > ADIT_TASK_BYTES / 2)
        return adit_fault(-EINVAL, "arena %s: values of %u bytes to reduce; 1 to %u are possible", queue->arena->name, bytes, ADIT_TASK_BYTES / 2);
    uint8_t *from = NULL, *to = NULL;
    int error = adit_params_check("adit_reduce", params->size, sizeof *params);
    if (error)
        return error;
    struct adit_batch_params p = *params;
    p.fail_fast = true;
    if (n > 1 && (n > SIZE_MAX / bytes || !(from = malloc(n * bytes)) || !(to = malloc(n * bytes))))
        error = adit_fault(-ENOMEM, "arena %s: no memory to reduce %llu values", queue->arena->name, (unsigned long long)n);
    if (n > 1 && !error)
        memcpy(from, values, n * bytes);
    for (uint64_t left = n; left > 1 && !error; left = left / 2 + left % 2) {
        const struct adit_map_items items = {.n = left / 2, .args = from, .args_stride = 2 * (size_t)bytes, .args_bytes = 2 * bytes, .results = to, .results_stride = bytes,
                                             .results_bytes = bytes};
        error = adit_map(queue, &p, &items, NULL);
        if (left % 2)
            memcpy(to + left / 2 * bytes, from + (left - 1) * bytes, bytes);
        uint8_t *swap = from;
        from = to;
        to = swap;
    }
    if (!error)
        memcpy(result, n > 1 ? from : n ? values : identity, bytes);
    free(from);
    free(to);
    return error;
}

/* ---- ranges ---- */

static void make_part(const struct batch *b, uint64_t item, struct adit_range_args *args)
{
    *args = *b->range;
    args->begin = b->range->begin + item * b->grain;
    args->end = b->range->end - args->begin > b->grain ? args->begin + b->grain : b->range->end;
}

static int run_range(struct adit_queue *queue, const struct adit_batch_params *params, const struct adit_range_args *range, uint32_t args_bytes, uint64_t grain,
                     struct adit_batch_outcome *sum)
{
    struct batch b = {.q = queue, .p = params, .make = make_part, .range = range, .grain = grain,
                      .items = {.n = (range->end - range->begin - 1) / grain + 1, .args_bytes = (uint32_t)offsetof(struct adit_range_args, args) + args_bytes}};
    return run(&b, sum);
}

/* Runs the next part elements of the range and takes them off it. *ns: what that took. */
static int try_part(struct adit_queue *queue, const struct adit_batch_params *params, struct adit_range_args *range, uint32_t args_bytes, uint64_t part,
                    struct adit_batch_outcome *sum, uint64_t *ns)
{
    struct adit_range_args first = *range;
    first.end = range->end - first.begin > part ? first.begin + part : range->end;
    uint64_t begin = adit_clock_ns();
    int error = run_range(queue, params, &first, args_bytes, part, sum);
    *ns = adit_clock_ns() - begin;
    range->begin = first.end;
    return error;
}

/* Runs the first parts, each four times the one before, until one tells what grain should be: what it took beyond the first, of one element. Each is run twice or more, and the shortest counts: a
 * worker that lost its CPU in one would have it say that a few elements take milliseconds, and so many tasks be made. range->begin is what is left. */
static int find_grain(struct adit_queue *queue, const struct adit_batch_params *params, struct adit_range_args *range, uint32_t args_bytes, uint64_t *grain,
                      struct adit_batch_outcome *sum)
{
    uint64_t most = (range->end - range->begin) / (adit_cpus() * PARTS_A_CPU), one = UINT64_MAX, ns = 0;
    int error = 0;
    *grain = most ? most : 1;
    for (uint64_t part = 1; part < most && !error; part *= 4) {
        uint64_t least = UINT64_MAX;
        for (uint32_t i = 0; i < (part <= SMALL_PART ? TRIES_SMALL : 2) && range->begin < range->end && !error; i++) {
            error = try_part(queue, params, range, args_bytes, part, sum, &ns);
            least = ns < least ? ns : least;
            if (part > 1 && least < one + TELLS_NS)
                break; /* it tells nothing either way */
        }
        if (part > 1 && least > one + TELLS_NS && least != UINT64_MAX) {
            uint64_t wanted = (part - 1) * PART_NS / (least - one);
            *grain = wanted < 1 ? 1 : wanted < most ? wanted : most;
            break;
        }
        one = part == 1 ? least : one;
    }
    return error;
}

int adit_range(struct adit_queue *queue, const struct adit_batch_params *params, uint64_t begin, uint64_t end, uint64_t grain, const void *args, uint32_t args_bytes,
               struct adit_batch_outcome *outcome)
{
    struct adit_range_args range = {.begin = begin, .end = end};
    struct adit_batch_outcome sum = no_outcome;
    int error = 0;
    if (end < begin || args_bytes > sizeof range.args || (args_bytes && !args))
        return adit_fault(-EINVAL, "arena %s: a range from %llu to %llu with %u bytes of arguments (to %zu)", queue->arena->name, (unsigned long long)begin,
                          (unsigned long long)end, args_bytes, sizeof range.args);
    if (args_bytes)
        memcpy(range.args, args, args_bytes);
    if (!grain)
        error = find_grain(queue, params, &range, args_bytes, &grain, &sum);
    if (!error && range.begin < range.end)
        error = run_range(queue, params, &range, args_bytes, grain, &sum);
    return conclude(error, &sum, outcome);
}
