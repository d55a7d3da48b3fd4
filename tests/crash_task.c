/* crash_task.c - a process dies at any instruction of submitting and of running tasks, with others that wait for them and with buffers: a task whose submit has returned is there
 * once, an interrupted one whole or not at all; each is committed once, none is lost, no slot stays in use, and later tasks have the whole capacity.
 * (tried: QUEUED before the arguments; DONE before the result; a recovery that leaves FILLING, RUNNING, what its submitter left, or when a DELAYED task is due; that does
 * not look after HELD, that ends COMMITTED without its buffers or has it run again; submitters that take 17 that wait for a full level; a task that is RUNNING by its submitter, whose word names nobody) */
#include <string.h>

#include "runtime/recover.h"
#include "runtime/task_run.h"
#include "tests/crashbench.h"

#define LAST 18u /* values LAST and LAST + 1 are of the host, too, and detached */
#define FAR_NS 3600000000000u

static uint64_t buffers[2][2], others[3]; /* buffers: in live and copy */
static struct adit_use uses[2];
static uint64_t wrote[2]; /* of the last judged: whether the child's first two ran */

static void two_wait_in_levels(struct adit_arena *arena) { crash_bench_prepare(arena, &crash_levels, 2); }

static void many_wait(struct adit_arena *arena) { crash_bench_prepare(arena, &crash_fifo, 18); }

static void two_are_due_and_one_is_not(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 3, 2);
    for (uint32_t v = 1; v <= 3; v++) {
        struct adit_task_spec s = crash_bench_spec(v);
        s.delay_ns = v < 3 ? 1 : FAR_NS;
        (void)crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

/* 1 <- 2 <- 3 <- LAST <- LAST + 1; 3 waits for 1, too. */
static void a_chain_waits(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 3, 5);
    uint64_t tasks[6] = {0};
    for (uint32_t i = 1; i <= 5; i++) {
        struct adit_task_spec s = crash_bench_spec(i <= 3 ? i : LAST + i - 4);
        uint64_t after[2] = {tasks[i - 1], tasks[1]};
        s.after = after;
        s.after_n = i == 1 ? 0 : i == 3 ? 2 : 1;
        s.detached = i > 3;
        tasks[i] = crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

static void two_take_memory(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 2, 2);
    for (uint32_t v = 1; v <= 2; v++) {
        struct adit_task_spec s = crash_bench_spec(v);
        s.memory_bytes = 4096;
        (void)crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

static void make_buffers(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < 2; i++) {
        REQUIRE(!adit_buffer_create(arena, CRASH_WORDS * 8, NULL, &buffers[crash_bench_which(arena)][i]));
        uses[i] = (struct adit_use){buffers[crash_bench_which(arena)][i], ADIT_READ_WRITE};
    }
}

static void buffers_are_there(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 0, 0);
    make_buffers(arena);
    adit_queue_close(&q);
}

/* Both have both buffers to write, so the second waits for the first. */
static void two_write(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_begin(arena, &crash_fifo, 2, 2);
    make_buffers(arena);
    for (uint32_t v = 1; v <= 2; v++) {
        struct adit_task_spec s = crash_bench_spec(v);
        s.uses = uses;
        s.uses_n = 2;
        (void)crash_bench_submit(q, s);
    }
    adit_queue_close(&q);
}

static void attach_and_know_levels(void *user)
{
    crash_bench_attach_and_know(user);
    for (uint32_t v = CRASH_FIRST; v < CRASH_FIRST + 4; v++)
        bench.specs[v].priority = v % 2 ? ADIT_HIGH : ADIT_NORMAL;
}

static void attach_and_delay(void *user)
{
    crash_bench_attach_and_know(user);
    bench.specs[CRASH_FIRST].delay_ns = bench.specs[CRASH_FIRST + 1].delay_ns = 1;
}

/* The first waits for both of the host, the second for the first. */
static void attach_and_wait_for(void *user)
{
    crash_bench_attach_and_know(user);
    others[0] = adit_task_handle(bench.queue, 0, 0);
    others[1] = adit_task_handle(bench.queue, 0, 1);
    bench.specs[CRASH_FIRST].after = others;
    bench.specs[CRASH_FIRST].after_n = 2;
    others[2] = adit_task_handle(bench.queue, 0, 2);
    bench.specs[CRASH_FIRST + 1].after = &others[2];
    bench.specs[CRASH_FIRST + 1].after_n = 1;
}

static void attach_and_use(void *user)
{
    crash_bench_attach_and_know(user);
    for (uint32_t i = 0; i < 2; i++) {
        uses[i] = (struct adit_use){buffers[0][i], ADIT_READ_WRITE};
        bench.specs[CRASH_FIRST + i].uses = uses;
        bench.specs[CRASH_FIRST + i].uses_n = 2;
    }
}

static void submit_two(void *user)
{
    uint64_t task;
    (void)user;
    for (uint32_t i = 0; i < 2; i++)
        *bench.done += !adit_submit(bench.queue, &bench.specs[CRASH_FIRST + i], &task);
    crash_bench_outlive();
}

/* As their own worker. */
static void run_two(void *user)
{
    struct adit_task_result r = {.size = sizeof r};
    (void)user;
    for (uint32_t i = 0; i < 2; i++)
        *bench.done += !adit_run_by(bench.queue, &bench.specs[CRASH_FIRST + i], ADIT_FOR_EVER, ADIT_WAY_HERE, &r);
    crash_bench_outlive();
}

static void submit_four(void *user)
{
    uint64_t tasks[4];
    (void)user;
    *bench.done = (uint32_t)adit_submit_n(bench.queue, &bench.specs[CRASH_FIRST], 4, tasks);
    crash_bench_outlive();
}

static void submit_twenty(void *user)
{
    uint64_t tasks[20];
    (void)user;
    *bench.done = (uint32_t)adit_submit_n(bench.queue, &bench.specs[CRASH_FIRST], 20, tasks);
    crash_bench_outlive();
}

/* As it does before it sleeps. */
static void work_from_anywhere(void *user)
{
    struct adit_task_claim c;
    (void)user;
    for (; *bench.done < bench.steps_n && adit_task_claim_any(bench.queue, &bench.worker.cursor, UINT64_MAX, &c); ++*bench.done) {
        uint64_t result[2] = {(*bench.done + 1) * (*bench.done + 1)};
        result[1] = ~result[0];
        (void)adit_task_commit(bench.queue, &c, NULL, 0, result, sizeof result);
    }
    crash_bench_outlive();
}

static void cancel_waiting(void *user)
{
    (void)user;
    *bench.done = !adit_cancel(bench.queue, adit_task_handle(bench.queue, 0, 0));
    crash_bench_outlive();
}

/* Of who died as it ended the first task that others wait for, or between its buffers. */
static void recover_victim(void *user)
{
    (void)user;
    (void)adit_recover_participant(crash_mine, 1);
}

/* Of up to n the child's first ones, those whose submit had returned among them, once each. */
static const char *a_prefix_of(struct adit_arena *arena, uint32_t n, bool fills)
{
    struct adit_queue *q = crash_bench_judge(arena);
    uint32_t there = 0, filled = fills ? crash_bench_fill_up(q, ADIT_NORMAL) : 0;
    crash_bench_drain(q);
    for (uint32_t v = 1; v <= bench.hosts_n; v++)
        if (bench.ran[v] != 1)
            return "a task of another process is lost, or runs twice";
    for (uint32_t i = 0; i < n; i++) {
        if (bench.ran[CRASH_FIRST + i] > 1)
            return "a task runs twice";
        if (bench.ran[CRASH_FIRST + i] && there != i)
            return "a later task is there without an earlier one";
        there += bench.ran[CRASH_FIRST + i];
    }
    if (there < *bench.done)
        return "a task whose submit had returned is lost";
    wrote[0] = bench.ran[CRASH_FIRST];
    wrote[1] = bench.ran[CRASH_FIRST + 1];
    if (fills && filled + there + bench.hosts_n != 1u << q->shift)
        return "beside tasks that wait there is not the room there should be";
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}

static const char *some_of_two(struct adit_arena *arena) { return a_prefix_of(arena, 2, true); }

static const char *some_of_four(struct adit_arena *arena) { return a_prefix_of(arena, 4, false); }

static const char *some_of_twenty(struct adit_arena *arena) { return a_prefix_of(arena, 20, true); }

static const char *the_chain_is_done(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    if (bench.ran[1] + bench.ran[2] + bench.ran[3] + bench.ran[LAST] + bench.ran[LAST + 1] > 5 - *bench.done)
        return "a committed task runs again";
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}

static const char *the_chain_is_done_or_cancelled(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    const char *why = NULL;
    crash_bench_drain(q);
    if (*bench.done && bench.ran[1])
        return "a cancelled task runs";
    for (uint32_t v = 2; v <= LAST + 1; v += v == 3 ? LAST - 3 : 1)
        if (bench.ran[v] != bench.ran[1])
            return "a task does not share the lot of the one it waits for";
    for (uint32_t v = 1; v <= 3 && !why; v++)
        why = crash_bench_took(q, v - 1, v, bench.ran[1] ? ADIT_ENDED_DONE : ADIT_ENDED_CANCELLED);
    return why ? why : crash_bench_flows(q);
}

/* Both buffers hold the sum of all that wrote, in all words; then they are given up. */
static const char *buffers_hold(struct adit_arena *arena, uint64_t sum)
{
    struct adit_reader *reader;
    const char *why = NULL;
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    for (uint32_t i = 0; i < 2 && !why; i++) {
        struct adit_buffer_view view;
        if (adit_buffer_acquire(reader, buffers[crash_bench_which(arena)][i], &view))
            why = "a buffer is gone";
        for (uint32_t k = 0; k < CRASH_WORDS && !why; k++)
            if (((const uint64_t *)view.data)[k] != sum)
                why = "what a task wrote is there in part, twice, or not at all";
    }
    adit_exit(reader);
    adit_reader_close(&reader);
    for (uint32_t i = 0; i < 2 && !why; i++)
        if (adit_buffer_destroy(arena, buffers[crash_bench_which(arena)][i]))
            why = "a buffer cannot be given up";
    return why;
}

/* Whoever lives runs nothing now, so nothing is reserved (tried: recovery that leaves what the dead had reserved). */
static const char *both_are_done_and_nothing_is_reserved(struct adit_arena *arena)
{
    const char *why = crash_bench_all_committed_once(arena);
    for (uint32_t i = 0; i < arena->participants_max && !why; i++)
        if (adit_load_acquire(&arena->task_memory[i].reserved))
            why = "memory is reserved for a task that nobody runs";
    return why;
}

static const char *both_have_written(struct adit_arena *arena)
{
    const char *why = crash_bench_all_committed_once(arena);
    return why ? why : buffers_hold(arena, 3);
}

static const char *some_have_written(struct adit_arena *arena)
{
    const char *why = a_prefix_of(arena, 2, false);
    return why ? why : buffers_hold(arena, 3 + CRASH_FIRST * wrote[0] + (CRASH_FIRST + 1) * wrote[1]);
}

/* Of two that the child ran itself: what had come back runs no more, the one under way once or not at all. *late: whether it ran after the death. */
static const char *the_one_under_way(struct adit_arena *arena, uint32_t *late)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    for (uint32_t v = 1; v <= bench.hosts_n; v++)
        if (bench.ran[v] != 1)
            return "a task of another process is lost, or runs twice";
    *late = *bench.done < 2 ? bench.ran[CRASH_FIRST + *bench.done] : 0;
    if (bench.ran[CRASH_FIRST] + bench.ran[CRASH_FIRST + 1] != *late || *late > 1)
        return "a task that had come back, or had not begun, runs; or one runs twice";
    const char *why = crash_bench_took_hosts(q);
    return why ? why : crash_bench_flows(q);
}

static const char *at_most_one_runs_again(struct adit_arena *arena)
{
    uint32_t late;
    return the_one_under_way(arena, &late);
}

static const char *each_has_written_once(struct adit_arena *arena)
{
    struct adit_reader *reader;
    struct adit_buffer_view view;
    uint32_t late;
    const char *why = the_one_under_way(arena, &late);
    uint64_t before = *bench.done > 1 ? 2 * CRASH_FIRST + 1 : *bench.done * CRASH_FIRST, next = *bench.done < 2 ? CRASH_FIRST + *bench.done : 0, sum = UINT64_MAX;
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    if (!adit_buffer_acquire(reader, buffers[crash_bench_which(arena)][0], &view))
        sum = *(const uint64_t *)view.data;
    adit_exit(reader);
    adit_reader_close(&reader);
    if (!why && sum != before + next && (late || sum != before))
        why = "a task's writes are lost, or there twice";
    return why ? why : buffers_hold(arena, sum);
}

static const char *both_are_due_and_one_is_not(struct adit_arena *arena)
{
    struct adit_queue *q = crash_bench_judge(arena);
    crash_bench_drain(q);
    uint64_t due = adit_load_acquire(&q->slot->due_ns) & ~ADIT_TASK_DUE_LOOK;
    if (!due || due > adit_load_relaxed(&adit_task_at(q, 0, 2)->due_ns))
        return "nobody will look for the delayed task when its time comes";
    if (adit_cancel(q, adit_task_handle(q, 0, 2)))
        return "the delayed task is not there";
    const char *why = crash_bench_took(q, 0, 1, ADIT_ENDED_DONE);
    why = why ? why : crash_bench_took(q, 1, 2, ADIT_ENDED_DONE);
    why = why ? why : crash_bench_took(q, 2, 3, ADIT_ENDED_CANCELLED);
    return why ? why : crash_bench_flows(q);
}

int main(void)
{
    static const char *const submit_met[] = {"adit_submit_n", NULL};
    static const char *const delay_met[] = {"adit_submit_n", "adit_task_due", NULL};
    static const char *const work_met[] = {"adit_worker_step", "adit_task_claim", "adit_task_commit", NULL};
    static const char *const memory_met[] = {"adit_task_wants_suit", "adit_memory_available_bytes", "adit_task_wants_release", NULL};
    static const char *const due_met[] = {"adit_task_release_due", "adit_task_return", "adit_task_commit", NULL};
    static const char *const any_met[] = {"adit_task_claim_any", NULL};
    static const char *const after_met[] = {"adit_task_look_after", "adit_task_was_submitted", NULL};
    static const char *const uses_met[] = {"adit_task_uses_lock", "adit_task_uses_set", NULL};
    static const char *const told_met[] = {"adit_task_tell_after", "adit_task_look_after", "adit_task_commit", NULL};
    static const char *const told_met2[] = {"adit_cancel", "adit_task_tell_after", NULL};
    static const char *const write_met[] = {"adit_task_uses_open", "adit_task_uses_publish", "adit_task_uses_apply", "adit_buffer_replace", NULL};
    static const char *const recover_met[] = {"adit_tasks_recover", "adit_task_look_after", NULL};
    static const char *const finish_met[] = {"adit_tasks_recover", "adit_task_conclude_committed", "adit_buffer_replace", NULL};
    static const char *const here_met[] = {"adit_task_submit_timed", "adit_worker_run", "adit_task_commit", "adit_task_free", NULL};
    static const char *const here_write_met[] = {"adit_task_submit_timed", "adit_task_uses_publish", "adit_task_uses_apply", "adit_buffer_replace", NULL};
    static const struct crash_case cases[] = {
        CRASH_TASK_CASE("submit", crash_bench_attach_and_know, submit_two, submit_met, crash_bench_two_wait, some_of_two),
        CRASH_TASK_CASE("submit, delayed", attach_and_delay, submit_two, delay_met, crash_bench_two_wait, some_of_two),
        CRASH_TASK_CASE("submit several, two levels", attach_and_know_levels, submit_four, submit_met, two_wait_in_levels, some_of_four),
        CRASH_TASK_CASE("submit many", crash_bench_attach_and_know, submit_twenty, submit_met, crash_bench_two_wait, some_of_twenty),
        CRASH_TASK_CASE("run", crash_bench_attach_and_know, crash_bench_work, work_met, many_wait, crash_bench_all_committed_once),
        CRASH_TASK_CASE("run with memory", crash_bench_attach_and_know, crash_bench_work, memory_met, two_take_memory, both_are_done_and_nothing_is_reserved),
        CRASH_TASK_CASE("run before sleeping", crash_bench_attach_and_know, work_from_anywhere, any_met, crash_bench_two_wait, crash_bench_all_committed_once),
        CRASH_TASK_CASE("run what is due", crash_bench_attach_and_know, crash_bench_work, due_met, two_are_due_and_one_is_not, both_are_due_and_one_is_not),
        CRASH_TASK_CASE("submit after others", attach_and_wait_for, submit_two, after_met, crash_bench_two_wait, some_of_two),
        CRASH_TASK_CASE("submit with buffers", attach_and_use, submit_two, uses_met, two_write, some_have_written),
        CRASH_TASK_CASE("run what others wait for", crash_bench_attach_and_know, crash_bench_work, told_met, a_chain_waits, the_chain_is_done),
        CRASH_TASK_CASE("run with buffers", crash_bench_attach_and_know, crash_bench_work, write_met, two_write, both_have_written),
        CRASH_TASK_CASE("run one's own at once", crash_bench_attach_and_know, run_two, here_met, crash_bench_two_wait, at_most_one_runs_again),
        CRASH_TASK_CASE("run one's own at once, with buffers", attach_and_use, run_two, here_write_met, buffers_are_there, each_has_written_once),
        CRASH_TASK_CASE("cancel what others wait for", crash_bench_attach_and_know, cancel_waiting, told_met2, a_chain_waits, the_chain_is_done_or_cancelled),
        {.op = {.name = "recover who ran what others wait for", .set_up = crash_bench_attach, .run = recover_victim, .functions = recover_met}, .prepare = a_chain_waits,
         .judge = the_chain_is_done, .victim = crash_bench_work, .victim_set_up = crash_bench_attach_and_know, .victim_at = "adit_task_tell_after", .victim_nth = 1},
        {.op = {.name = "recover who ran with buffers", .set_up = crash_bench_attach, .run = recover_victim, .functions = finish_met}, .prepare = two_write,
         .judge = both_have_written, .victim = crash_bench_work, .victim_set_up = crash_bench_attach_and_know, .victim_at = "adit_buffer_replace", .victim_nth = 2},
    };
    bench.done = shm_fixture_shared(sizeof *bench.done);
    return crash_arena_run("crash_task", cases, sizeof cases / sizeof *cases);
}
