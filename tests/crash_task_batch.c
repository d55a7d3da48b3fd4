/* crash_task_batch.c - a process dies at any instruction of adit_map and adit_reduce, running its own tasks and others' as it waits, and of making, replacing and ending buffers: what it had
 * submitted is run once or not at all and takes no slot, others' tasks are done once, a buffer holds the old content or the new, whole, and goes with its maker.
 * (tried: a recovery that leaves what its submitter left; that leaves MAKING buffers, or those of the dead; a put that commits its block before it is filled) */
#include <string.h>

#include "runtime/buffer.h"
#include "tests/crashbench.h"

#define ITEMS 3u
#define OLD 5u
#define NEW 7u

static uint64_t buffers[2]; /* of the host, in live and copy */
static uint32_t sum_kind;

/* Of two values, one behind the other. */
static int run_sum(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint64_t two[2];
    (void)run;
    memcpy(two, args, sizeof two);
    two[0] += two[1];
    memcpy(result, two, sizeof two[0]);
    *result_bytes = sizeof two[0];
    return 0;
}

static void know_sum(struct adit_arena *arena)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "sum", .run = run_sum, .args_bytes_min = 16, .args_bytes_max = 16, .result_bytes_max = 8};
    REQUIRE(!adit_kind_register(arena, &k, &sum_kind));
}

static void fill(uint64_t words[CRASH_WORDS], uint64_t value)
{
    for (uint32_t i = 0; i < CRASH_WORDS; i++)
        words[i] = value;
}

static void two_wait_and_sums_are_known(struct adit_arena *arena)
{
    crash_bench_two_wait(arena);
    know_sum(arena);
}

static void a_buffer_is_there(struct adit_arena *arena)
{
    uint64_t words[CRASH_WORDS];
    crash_bench_two_wait(arena);
    fill(words, OLD);
    REQUIRE(!adit_buffer_create(arena, sizeof words, words, &buffers[crash_bench_which(arena)]));
}

static void attach_and_know_sums(void *user)
{
    crash_bench_attach_and_know(user);
    know_sum(crash_mine);
}

static struct adit_batch_params params_of(uint32_t kind) { return (struct adit_batch_params){.size = sizeof(struct adit_batch_params), .kind = kind, .attempts_max = 4}; }

static void map(void *user)
{
    static const uint64_t values[ITEMS] = {CRASH_FIRST, CRASH_FIRST + 1, CRASH_FIRST + 2};
    uint64_t results[ITEMS][2];
    const struct adit_batch_params p = params_of(bench.kind);
    const struct adit_map_items items = {.n = ITEMS, .args = values, .args_stride = 8, .args_bytes = 8, .results = results, .results_stride = 16, .results_bytes = 16};
    (void)user;
    *bench.done = !adit_map(bench.queue, &p, &items, NULL) && results[2][0] == values[2] * values[2];
    crash_bench_outlive();
}

static void reduce(void *user)
{
    static const uint64_t values[ITEMS] = {1, 2, 4}, none;
    const struct adit_batch_params p = params_of(sum_kind);
    uint64_t result;
    (void)user;
    *bench.done = !adit_reduce(bench.queue, &p, values, ITEMS, 8, &none, &result) && result == 7;
    crash_bench_outlive();
}

static void put(void *user)
{
    static uint64_t words[CRASH_WORDS];
    (void)user;
    fill(words, NEW);
    *bench.done = !adit_buffer_put(crash_mine, buffers[0], words, sizeof words);
    crash_bench_outlive();
}

static void make_and_end(void *user)
{
    uint64_t own;
    (void)user;
    *bench.done = !adit_buffer_create(crash_mine, 600, NULL, &own) && !adit_buffer_destroy(crash_mine, own);
    crash_bench_outlive();
}

/* What the child had submitted runs here at most once, and not when its call had returned; the others' tasks are done. */
static const char *nothing_is_left_of_it(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    know_sum(arena);
    crash_bench_drain(q);
    for (uint32_t v = CRASH_FIRST; v < CRASH_FIRST + ITEMS; v++)
        if (bench.ran[v] > (*bench.done ? 0 : 1))
            return "a committed task runs again";
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}

/* The host's buffer is old or new; no other is there. */
static const char *buffers_are_whole(struct adit_arena *arena, uint64_t old, uint64_t new)
{
    struct adit_reader *reader;
    struct adit_buffer_view v;
    uint64_t buffer = buffers[crash_bench_which(arena)], others = 0;
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    REQUIRE(!adit_buffer_acquire(reader, buffer, &v));
    const uint64_t *words = v.data;
    const char *why = words[0] == (*bench.done ? new : old) || (!*bench.done && words[0] == new) ? NULL : "a buffer holds what it should not";
    for (uint32_t i = 1; i < CRASH_WORDS && !why; i++)
        why = words[i] == words[0] ? NULL : "a buffer is torn";
    adit_exit(reader);
    adit_reader_close(&reader);
    for (uint32_t i = 0; i < arena->buffers_max; i++)
        others += adit_buffer_state(adit_load_acquire(&arena->buffers[i].word)) != ADIT_BUFFER_FREE;
    if (!why && others != 1)
        why = "a buffer of the dead is left";
    if (!why && adit_buffer_destroy(arena, buffer))
        why = "a buffer cannot be given up";
    return why ? why : nothing_is_left_of_it(arena);
}

static const char *it_is_old_or_new(struct adit_arena *arena) { return buffers_are_whole(arena, OLD, NEW); }

static const char *it_is_as_it_was(struct adit_arena *arena) { return buffers_are_whole(arena, OLD, OLD); }

int main(void)
{
    static const char *const map_met[] = {"adit_map", "adit_worker_help", "adit_task_claim", "adit_task_commit", "adit_wait", NULL};
    static const char *const reduce_met[] = {"adit_reduce", "adit_worker_help", NULL};
    static const char *const put_met[] = {"adit_buffer_put", "adit_task_uses_lock", "adit_buffer_replace", NULL};
    static const char *const make_met[] = {"adit_buffer_create", "adit_buffer_destroy", "adit_buffer_replace", NULL};
    static const struct crash_case cases[] = {
        CRASH_TASK_CASE("map", crash_bench_attach_and_know, map, map_met, crash_bench_two_wait, nothing_is_left_of_it),
        CRASH_TASK_CASE("reduce", attach_and_know_sums, reduce, reduce_met, two_wait_and_sums_are_known, nothing_is_left_of_it),
        CRASH_TASK_CASE("put", crash_bench_attach_and_know, put, put_met, a_buffer_is_there, it_is_old_or_new),
        CRASH_TASK_CASE("make and end a buffer", crash_bench_attach_and_know, make_and_end, make_met, a_buffer_is_there, it_is_as_it_was),
    };
    bench.done = shm_fixture_shared(sizeof *bench.done);
    return crash_arena_run("crash_task_batch", cases, sizeof cases / sizeof *cases);
}
