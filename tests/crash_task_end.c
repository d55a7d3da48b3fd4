/* crash_task_end.c - a process dies at any instruction of trying tasks again, cancelling, taking results, waiting, naming kinds and queues, and of recovering
 * what another had in a queue: each task ends once, as it must; nothing is lost, no slot stays in use, and later tasks have the whole capacity.
 * (tried: a cancel that does not ask; a recovery that makes a poisoned task QUEUED in between, or leaves when a DELAYED task is due; kinds and queues valid before they are
 * named) */
#include <errno.h>
#include <string.h>

#include "runtime/task_queue.h"
#include "tests/crashbench.h"

#define ANY UINT64_MAX /* kinds */

static struct adit_task_claim held[2]; /* what the host runs, in live and copy */

/* Host's, values CRASH_FAILS and CRASH_FAILS + 1 at positions 0 and 1, the second of which waits before it is tried again. */
static void two_that_fail(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 0, 4);
    for (uint32_t i = 0; i < 2; i++) {
        struct adit_task_spec s = crash_bench_spec(CRASH_FAILS + i);
        s.retry_errors = true;
        s.backoff_ns = i;
        (void)crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

static void two_have_ended(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 2, 0);
    for (uint32_t v = 1; v <= 2; v++) {
        (void)crash_bench_submit(q, crash_bench_spec(v));
        adit_worker_step(&bench.worker);
    }
    adit_queue_close(&q);
}

/* The host runs the first, the second waits. */
static void one_runs(struct adit_arena *arena)
{
    crash_bench_two_wait(arena);
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 2, 0);
    REQUIRE(adit_task_claim(q, &bench.worker.cursor, ANY, &held[crash_bench_which(arena)]));
    adit_queue_close(&q);
}

static void nothing_is_there(struct adit_arena *arena)
{
    (void)arena;
    bench.shape = &crash_fifo;
}

static void cancel(uint64_t position, int wanted)
{
    *bench.done = adit_cancel(bench.queue, adit_task_handle(bench.queue, 0, position)) == wanted;
    crash_bench_outlive();
}

static void cancel_first(void *user)
{
    (void)user;
    cancel(0, -EBUSY);
}

static void cancel_second(void *user)
{
    (void)user;
    cancel(1, 0);
}

static void take_two(void *user)
{
    struct adit_task_result r = {.size = sizeof r};
    (void)user;
    for (uint32_t i = 0; i < 2; i++)
        *bench.done += !adit_wait(bench.queue, adit_task_handle(bench.queue, 0, i), 0, &r);
    crash_bench_outlive();
}

static void wait_in_vain(void *user)
{
    struct adit_task_result r = {.size = sizeof r};
    (void)user;
    (void)adit_wait(bench.queue, adit_task_handle(bench.queue, 0, 0), 1000000, &r);
}

static void register_kind(void *user)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "new", .args_bytes_max = 8};
    uint32_t id;
    (void)user;
    (void)adit_kind_register(crash_mine, &k, &id);
}

static void open_queue(void *user)
{
    (void)user;
    (void)adit_queue_open(crash_mine, "work", bench.shape, &bench.queue);
}

/* ---- the victim, whose recovery is the operation: it has submitted two tasks, one of which has ended; runs three, of which the first may not run again, the second was
 * cancelled; was submitting one; and is the one that spins. It dies as it commits the third. */

static void last_attempt(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 3, 0);
    for (uint32_t v = 1; v <= 3; v++) {
        struct adit_task_spec s = crash_bench_spec(v);
        s.attempts_max = v == 1 ? 1 : 4;
        (void)crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

static void have_much(void *user)
{
    struct adit_task_claim c[4];
    uint64_t free = 0;
    (void)user;
    (void)crash_bench_submit(bench.queue, bench.specs[CRASH_FIRST]);
    (void)crash_bench_submit(bench.queue, bench.specs[CRASH_FIRST + 1]);
    for (uint32_t i = 0; i < 4; i++)
        REQUIRE(adit_task_claim(bench.queue, &bench.worker.cursor, ANY, &c[i]));
    REQUIRE(adit_task_end(bench.queue, &c[3].place, c[3].word, ADIT_TASK_DONE)); /* without status: nobody will ask */
    REQUIRE(adit_cancel(bench.queue, adit_task_handle(bench.queue, 0, 1)) == -EBUSY);
    REQUIRE(adit_cas_seq_cst(&adit_task_at(bench.queue, 0, 5)->word, &free, adit_task_word(0, 0, 0, ADIT_TASK_FILLING, crash_mine->owner)));
    adit_store_seq_cst(&bench.queue->slot->spinner, bench.worker.name);
    (void)adit_task_commit(bench.queue, &c[2], NULL, 0, &free, 0);
}

static void recover_victim(void *user)
{
    (void)user;
    (void)adit_tasks_recover(crash_mine, adit_owner_make(1, adit_part_generation(adit_load_acquire(&crash_mine->participants[1].word))));
}

static const char *both_are_tried_again(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    const char *why = crash_bench_took(q, 0, CRASH_FAILS, ADIT_ENDED_DONE);
    why = why ? why : crash_bench_took(q, 1, CRASH_FAILS + 1, ADIT_ENDED_DONE);
    return why ? why : crash_bench_flows(q);
}

static const char *the_second_is_done_or_cancelled(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    if (*bench.done && bench.ran[2])
        return "a cancelled task runs";
    const char *why = crash_bench_took(q, 0, 1, ADIT_ENDED_DONE);
    why = why ? why : crash_bench_took(q, 1, 2, bench.ran[2] ? ADIT_ENDED_DONE : ADIT_ENDED_CANCELLED);
    return why ? why : crash_bench_flows(q);
}

static const char *the_first_is_asked_to_stop(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    const struct adit_task_claim *c = &held[crash_bench_which(arena)];
    bool is_asked = adit_load_acquire(&c->place.slot->word) & ADIT_TASK_CANCEL;
    uint64_t result[2] = {1, ~1ull};
    if (*bench.done && !is_asked)
        return "a running task is not asked to stop";
    if (!adit_task_commit(q, c, NULL, is_asked ? -ECANCELED : 0, result, sizeof result))
        return "a running task cannot be committed";
    crash_bench_drain(q);
    const char *why = crash_bench_took(q, 0, 1, is_asked ? ADIT_ENDED_CANCELLED : ADIT_ENDED_DONE);
    why = why ? why : crash_bench_took(q, 1, 2, ADIT_ENDED_DONE);
    return why ? why : crash_bench_flows(q);
}

/* A result goes with who took it, and not without. */
static const char *results_are_there_or_taken(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    struct adit_task_result r = {.size = sizeof r};
    uint32_t left = 0;
    crash_bench_drain(q);
    for (uint32_t v = 1; v <= 2; v++) {
        if (bench.ran[v])
            return "a committed task runs again";
        if (!adit_wait(q, adit_task_handle(q, 0, v - 1), 0, &r)) {
            if (v <= *bench.done)
                return "a result that was taken is there";
            if (r.end != ADIT_ENDED_DONE || *r.data != v * v)
                return "a result is torn";
            left++;
        }
    }
    return 2 - left > *bench.done + 1 ? "a result has gone that nobody had asked for" : crash_bench_flows(q);
}

static const char *kinds_are_whole(struct adit_arena *arena)
{
    struct adit_kind_params k = {.size = sizeof k, .name = "new", .args_bytes_max = 8};
    uint32_t id, other;
    if (adit_kind_register(arena, &k, &id) || id != bench.kind + 1)
        return "the kind cannot be named, or its place is lost";
    k.name = "other";
    if (adit_kind_register(arena, &k, &other) || other != id + 1)
        return "the next kind cannot be named, or its place is lost";
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}

static const char *the_queue_is_whole(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena), *next;
    if (q->id || q->tasks != arena->tasks)
        return "a queue's place is lost";
    const char *why = crash_bench_flows(q);
    if (!why && adit_queue_open(arena, "next", bench.shape, &next))
        return "there is no room for another queue";
    return why ? why : next->tasks != arena->tasks + 32 ? "slots are lost between queues" : crash_bench_flows(next);
}

static const char *each_ends_as_it_must(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    if (bench.ran[1] || bench.ran[2] || bench.ran[3] != 1)
        return "what should run again does not, or what should not does";
    if (bench.ran[CRASH_FIRST] + bench.ran[CRASH_FIRST + 1] != 1)
        return "what the victim had submitted and nobody had run is lost, or runs twice";
    const char *why = crash_bench_took(q, 0, 1, ADIT_ENDED_POISONED);
    why = why ? why : crash_bench_took(q, 1, 2, ADIT_ENDED_CANCELLED);
    why = why ? why : crash_bench_took(q, 2, 3, ADIT_ENDED_DONE);
    return why ? why : crash_bench_flows(q);
}

int main(void)
{
    static const char *const retry_met[] = {"adit_task_commit", "adit_task_return", "adit_task_due", "adit_task_release_due", NULL};
    static const char *const cancel_met[] = {"adit_cancel", NULL};
    static const char *const end_met[] = {"adit_cancel", "adit_task_end", NULL};
    static const char *const take_met[] = {"adit_wait", "adit_task_free", NULL};
    static const char *const wait_met[] = {"adit_wait", "adit_event_wait", NULL};
    static const char *const kind_met[] = {"adit_kind_register", "adit_naming_lock", NULL};
    static const char *const queue_met[] = {"adit_queue_open", "adit_naming_lock", NULL};
    static const char *const recover_met[] = {"adit_tasks_recover", "adit_task_return", "adit_task_end", "adit_task_free", NULL};
    static const struct crash_case cases[] = {
        CRASH_TASK_CASE("fail and try again", crash_bench_attach_and_know, crash_bench_work, retry_met, two_that_fail, both_are_tried_again),
        CRASH_TASK_CASE("cancel what waits", crash_bench_attach_and_know, cancel_second, end_met, crash_bench_two_wait, the_second_is_done_or_cancelled),
        CRASH_TASK_CASE("cancel what runs", crash_bench_attach_and_know, cancel_first, cancel_met, one_runs, the_first_is_asked_to_stop),
        CRASH_TASK_CASE("take results", crash_bench_attach_and_know, take_two, take_met, two_have_ended, results_are_there_or_taken),
        {.op = {.name = "wait in vain", .set_up = crash_bench_attach_and_know, .run = wait_in_vain, .functions = wait_met}, .prepare = crash_bench_two_wait,
         .judge = crash_bench_all_committed_once, .is_long = true},
        CRASH_TASK_CASE("register a kind", crash_bench_attach, register_kind, kind_met, crash_bench_two_wait, kinds_are_whole),
        CRASH_TASK_CASE("make a queue", crash_bench_attach, open_queue, queue_met, nothing_is_there, the_queue_is_whole),
        {.op = {.name = "recover", .set_up = crash_bench_attach, .run = recover_victim, .functions = recover_met}, .prepare = last_attempt,
         .judge = each_ends_as_it_must, .victim = have_much, .victim_set_up = crash_bench_attach_and_know, .victim_at = "adit_task_commit", .victim_nth = 1},
    };
    bench.done = shm_fixture_shared(sizeof *bench.done);
    return crash_arena_run("crash_task_end", cases, sizeof cases / sizeof *cases);
}
