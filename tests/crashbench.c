#include "tests/crashbench.h"

#include <errno.h>
#include <string.h>

const struct adit_queue_params crash_fifo = {sizeof crash_fifo, ADIT_ORDER_FIFO, 32}, crash_levels = {sizeof crash_levels, ADIT_ORDER_PRIORITY, 4};
struct crash_bench bench;
static uint64_t values[CRASH_VALUES];

uint32_t crash_bench_which(const struct adit_arena *a) { return !strcmp(a->name, "copy"); }

/* The square and the same inverted, or an error; adds to all words of buffers. */
static int run_square(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t value, both[2];
    memcpy(&value, args, sizeof value);
    if (value >= CRASH_FAILS && value < CRASH_FILLER && run->attempt == 1)
        return -EIO;
    for (uint32_t i = 0; i < run->buffers_n; i++)
        for (uint32_t k = 0; k < CRASH_WORDS; k++)
            ((uint64_t *)run->buffers[i].data)[k] += value;
    bench.ran[value % CRASH_VALUES]++;
    both[0] = value * value;
    both[1] = ~both[0];
    memcpy(result, both, sizeof both);
    *result_bytes = sizeof both;
    return 0;
}

struct adit_task_spec crash_bench_spec(uint32_t value)
{
    values[value] = value;
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = bench.kind, .args = &values[value], .args_bytes = 8, .attempts_max = 4};
}

uint64_t crash_bench_submit(struct adit_queue *q, struct adit_task_spec s)
{
    uint64_t task;
    REQUIRE(!adit_submit(q, &s, &task));
    return task;
}

void crash_bench_know(struct adit_arena *arena, struct adit_queue **q)
{
    static uint32_t never;
    static uint64_t wake_ns; /* it looks once and goes to sleep: stepped or not, it takes the same way */
    const struct adit_kind_params k = {.size = sizeof k, .name = "square", .run = run_square, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 16};
    REQUIRE(!adit_kind_register(arena, &k, &bench.kind) && !adit_queue_open(arena, "work", bench.shape, q));
    bench.worker = (struct adit_worker){.queue = *q, .stop = &never, .wake_ns = &wake_ns, .name = adit_worker_name(*q, 1)};
    memset(bench.ran, 0, sizeof bench.ran);
}

struct adit_queue *crash_bench_begin(struct adit_arena *arena, const struct adit_queue_params *its, uint32_t hosts, uint32_t steps)
{
    struct adit_queue *q;
    bench.shape = its;
    bench.hosts_n = hosts;
    bench.steps_n = steps;
    crash_bench_know(arena, &q);
    return q;
}

void crash_bench_prepare(struct adit_arena *arena, const struct adit_queue_params *its, uint32_t n)
{
    struct adit_queue *q = crash_bench_begin(arena, its, n, n);
    for (uint32_t v = 1; v <= n; v++)
        (void)crash_bench_submit(q, crash_bench_spec(v));
    adit_queue_close(&q);
}

void crash_bench_two_wait(struct adit_arena *arena) { crash_bench_prepare(arena, &crash_fifo, 2); }

void crash_bench_attach(void *user)
{
    crash_attach(user);
    *bench.done = 0;
}

void crash_bench_attach_and_know(void *user)
{
    crash_bench_attach(user);
    crash_bench_know(crash_mine, &bench.queue);
    for (uint32_t v = CRASH_FIRST; v < CRASH_FAILS; v++)
        bench.specs[v] = crash_bench_spec(v);
}

void crash_bench_outlive(void) { (void)adit_strerror(0); }

void crash_bench_work(void *user)
{
    (void)user;
    for (; *bench.done < bench.steps_n; ++*bench.done)
        adit_worker_step(&bench.worker);
    crash_bench_outlive();
}

struct adit_queue *crash_bench_judge(struct adit_arena *arena)
{
    struct adit_queue *q;
    crash_bench_know(arena, &q);
    return q;
}

static bool is_to_run(const struct adit_task_slot *t)
{
    enum adit_task_state state = adit_task_state(adit_load_acquire(&t->word));
    return state == ADIT_TASK_QUEUED || (state == ADIT_TASK_DELAYED && adit_load_relaxed(&t->due_ns) <= adit_clock_ns());
}

#define SOON_NS 2000000000u /* longer than after any death, shorter than what cases delay */

/* The judge has no time: a task that waits for a moment, as after deaths, is due now, if workers would look for it in time. */
static void hasten(const struct adit_queue *q, struct adit_task_slot *t)
{
    uint64_t due = adit_load_relaxed(&t->due_ns), known = adit_load_relaxed(&q->slot->due_ns), now = adit_clock_ns();
    if (adit_task_state(adit_load_acquire(&t->word)) != ADIT_TASK_DELAYED || due <= now || due > now + SOON_NS || !known || known > due)
        return;
    adit_store_relaxed(&t->due_ns, 1);
    adit_store_relaxed(&q->slot->due_ns, 2);
}

void crash_bench_drain(const struct adit_queue *q)
{
    for (uint64_t i = 0; i < (uint64_t)q->levels_n << q->shift; i++) {
        hasten(q, &q->tasks[i]);
        if (is_to_run(&q->tasks[i])) {
            adit_worker_step(&bench.worker);
            i = UINT64_MAX; /* from the first again, bounded by attempts, and by the judge's time */
        }
    }
}

uint32_t crash_bench_fill_up(struct adit_queue *q, enum adit_priority priority)
{
    struct adit_task_spec s = crash_bench_spec(CRASH_FILLER);
    uint64_t task;
    uint32_t n = 0;
    int error;
    s.detached = true;
    s.priority = priority;
    while (!(error = adit_submit(q, &s, &task)))
        n++;
    return error == -EAGAIN ? n : UINT32_MAX;
}

static bool is_all_free(const struct adit_queue *q)
{
    for (uint32_t level = 0; level < q->levels_n; level++)
        for (uint64_t i = 0; i >> q->shift == 0; i++)
            if (adit_task_state(adit_load_acquire(&adit_task_at(q, level, i)->word)) != ADIT_TASK_FREE)
                return false;
    return true;
}

const char *crash_bench_flows(struct adit_queue *q)
{
    const char *why = is_all_free(q) ? NULL : "a slot stays in use";
    uint64_t spinner = adit_load_acquire(&q->slot->spinner);
    if (!why && spinner && spinner != bench.worker.name)
        why = "the dead one's name as spinner is left";
    for (uint32_t round = 0; round < 3 && !why; round++) {
        uint32_t n = 0, before = bench.ran[CRASH_FILLER];
        for (uint32_t level = 0; level < q->levels_n; level++)
            n += crash_bench_fill_up(q, ADIT_CRITICAL + level);
        if (n != q->levels_n << q->shift)
            why = "the queue has lost room";
        crash_bench_drain(q);
        if (!why && bench.ran[CRASH_FILLER] - before != n)
            why = "a later task is lost, or runs twice";
        if (!why && !is_all_free(q))
            why = "a later task's slot stays in use";
    }
    adit_queue_close(&q);
    return why;
}

const char *crash_bench_took(struct adit_queue *q, uint64_t position, uint64_t value, enum adit_task_end end)
{
    uint64_t task = adit_task_handle(q, q->levels_n > 1 ? ADIT_NORMAL - ADIT_CRITICAL : 0, position), result[2];
    struct adit_task_result r = {.size = sizeof r};
    if (adit_wait(q, task, 0, &r))
        return "a task has not ended, or its result is lost";
    memcpy(result, r.data, sizeof result);
    if (r.end != end)
        return "a task has ended otherwise";
    if (end == ADIT_ENDED_DONE && (r.status || r.bytes != sizeof result || result[0] != value * value || result[1] != ~result[0]))
        return "a result is torn";
    return adit_wait(q, task, 0, &r) == -ENOENT ? NULL : "a result is there twice";
}

const char *crash_bench_took_hosts(struct adit_queue *q)
{
    const char *why = NULL;
    for (uint32_t v = 1; v <= bench.hosts_n && !why; v++)
        why = crash_bench_took(q, v - 1, v, ADIT_ENDED_DONE);
    return why;
}

const char *crash_bench_all_committed_once(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    uint32_t again = 0;
    crash_bench_drain(q);
    for (uint32_t v = 1; v <= bench.hosts_n; v++)
        again += bench.ran[v];
    if (again > bench.hosts_n - *bench.done)
        return "a committed task runs again";
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}
