/* What is asked of tasks and cannot be is refused in one line that says what is wrong and where, before anything is submitted; the queue is as it was. (tried: a submit of arguments
 * beyond what the kind takes that takes a slot first; a check that leaves the line of the error before) */
#include <errno.h>
#include <string.h>

#include "tests/task_fixture.h"

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t kind;
static uint64_t buffer;

static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    return 0;
}

/* The error, and a line that has all of these words ('|' between them). */
static void told(int error, int wanted, const char *words)
{
    char list[128], *left = list, *word;
    assert_int_equal(error, wanted);
    snprintf(list, sizeof list, "%s", words);
    while ((word = strsep(&left, "|")))
        if (!strstr(adit_detail(), word))
            fail_msg("'%s' does not say '%s'", adit_detail(), word);
    assert_non_null(strstr(adit_detail(), FIXTURE_NAME)); /* where */
    assert_null(strchr(adit_detail(), '\n'));
    (void)adit_fault(-EIO, "of before"); /* so that the next line is its own */
}

static void refused(struct adit_task_spec s, int wanted, const char *words)
{
    uint64_t task = 77;
    s.size = sizeof s;
    told(adit_submit(queue, &s, &task), wanted, words);
    assert_int_equal(task, 77);
}

static void what_no_task_can_be_is_refused_in_a_line(void **state)
{
    static const uint8_t args[200];
    (void)state;
    const struct adit_use twice[] = {{buffer, ADIT_READ}, {buffer, ADIT_WRITE}}, none = {buffer + (1ull << 32), ADIT_READ}, no_way = {buffer, (enum adit_access)4};
    const uint64_t itself = 1ull << 52, later = (1ull << 52) + 2, nothing = UINT64_MAX; /* handles of the first queue: the next two to be given, and no queue's */
    refused((struct adit_task_spec){.kind = 9, .args = args, .args_bytes = 4}, -ENOENT, "kind 9|none of that id is registered");
    refused((struct adit_task_spec){.kind = UINT32_MAX, .args = args, .args_bytes = 4}, -ENOENT, "kind 4294967295");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 3}, -EINVAL, "kind echo|4 to 16 bytes|not 3");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 17}, -EINVAL, "kind echo|4 to 16 bytes|not 17");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = sizeof args}, -EINVAL, "kind echo|not 200");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .attempts_max = 16}, -EINVAL, "kind echo|16 attempts (to 15)");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .priority = (enum adit_priority)6}, -EINVAL, "priority 6 (1 to 5");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .after = &itself, .after_n = 1}, -EDEADLK, "kind echo|0x10000000000000|not submitted yet");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .after = &later, .after_n = 1}, -EDEADLK, "0x10000000000002|not submitted yet");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .after = &nothing, .after_n = 1}, -EDEADLK, "not submitted yet");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .after = &itself, .after_n = 9}, -EINVAL, "after 9 others; 8 are possible");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .uses = twice, .uses_n = 2}, -EINVAL, "twice; say ADIT_READ_WRITE");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .uses = &none, .uses_n = 1}, -ENOENT, "there is no buffer");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .uses = &no_way, .uses_n = 1}, -EINVAL, "access 4|ADIT_READ, ADIT_WRITE or ADIT_READ_WRITE");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .uses = twice, .uses_n = 5}, -EINVAL, "5 buffers; 4 are possible");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .affinity = (enum adit_affinity)3}, -EINVAL, "kind echo|affinity 3|0 to 2");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .affinity = ADIT_NEAR_NODE, .near = 4000}, -EINVAL, "kind echo|near node 4000|this machine's are 0 to");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .affinity = ADIT_NEAR_WORKER, .near = 4000}, -EINVAL, "near participant 4000|adit_task_result.worker");
    refused((struct adit_task_spec){.kind = kind, .args = args, .args_bytes = 4, .memory_bytes = 1ull << 60}, -ENOMEM, "kind echo|1099511627776 MiB|cgroup|raise the limit");
}

static void kinds_and_queues_that_cannot_be_are_refused_in_a_line(void **state)
{
    struct adit_kind_params k = {.size = sizeof k, .name = "echo", .run = run_echo, .args_bytes_min = 4, .args_bytes_max = 17, .result_bytes_max = 16};
    struct adit_queue_params q = {.size = sizeof q, .capacity = 8};
    struct adit_queue *other;
    uint32_t id;
    (void)state;
    told(adit_kind_find(arena, "ekho", &id), -ENOENT, "'ekho'|registered");
    told(adit_kind_register(arena, &k, &id), -EEXIST, "kind echo|4 to 16 bytes");
    k.args_bytes_max = 65;
    told(adit_kind_register(arena, &k, &id), -EINVAL, "at most 64 bytes");
    told(adit_queue_open(arena, "work", &q, &other), -EEXIST, "work");
    q.capacity = 1u << 21;
    told(adit_queue_open(arena, "other", &q, &other), -EINVAL, "at most 2^20 tasks a level");
}

/* All of it has left nothing. */
static void the_queue_is_as_it_was(void **state)
{
    (void)state;
    uint32_t word = 5;
    uint64_t task = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .args = &word, .args_bytes = 4});
    assert_int_equal(task, 1ull << 52); /* its first slot */
    struct adit_pool *pool = task_pool(queue, 1);
    assert_int_equal(task_take(queue, task).end, ADIT_ENDED_DONE);
    adit_pool_close(&pool);
    assert_int_equal(adit_buffer_destroy(arena, buffer), 0);
    (void)adit_reclaim(arena, true);
    shm_fixture_verify_quiet(arena);
}

static int set_up(void **state)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "echo", .run = run_echo, .args_bytes_min = 4, .args_bytes_max = 16, .result_bytes_max = 16};
    if (shm_fixture_set_up(state))
        return -1;
    arena = fixture_create(NULL);
    return adit_kind_register(arena, &k, &kind) || adit_buffer_create(arena, 600, NULL, &buffer) ||
           adit_queue_open(arena, "work", &(struct adit_queue_params){.size = sizeof(struct adit_queue_params), .order = ADIT_ORDER_FIFO, .capacity = 8}, &queue);
}

static int tear_down(void **state)
{
    adit_queue_close(&queue);
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_task_can_be_is_refused_in_a_line),
        cmocka_unit_test(kinds_and_queues_that_cannot_be_are_refused_in_a_line),
        cmocka_unit_test(the_queue_is_as_it_was),
    };
    return cmocka_run_group_tests_name("task refused", tests, set_up, tear_down);
}
