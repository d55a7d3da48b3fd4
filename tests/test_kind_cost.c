/* What runs of a kind cost (runtime/kind_cost.h): medians that converge and that no outlier moves, kept in the arena whoever learned them, and damaged words that lead nowhere. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/kind_cost.h"
#include "tests/task_fixture.h"

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t echo;
static struct board {
    uint32_t ready;
} *board;

/* The sum of its first two words; fails if that is 0. */
static int run_echo(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    uint32_t words[2];
    memcpy(words, args, sizeof words);
    words[0] += words[1];
    memcpy(result, words, 4);
    *result_bytes = 4;
    return words[0] ? 0 : -EIO;
}

/* The first word, as it is. */
static uint64_t work_of(const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n)
{
    uint32_t word;
    (void)args_bytes;
    (void)buffer_bytes;
    (void)buffers_n;
    memcpy(&word, args, sizeof word);
    return word;
}

static void know(struct adit_arena *a, struct adit_queue **q)
{
    const struct adit_kind_params e = {.size = sizeof e, .name = "echo", .run = run_echo, .args_bytes_min = 8, .args_bytes_max = 8, .result_bytes_max = 4, .work = work_of,
                                       .guess_ns = 500, .guess_each_ns = 2};
    REQUIRE(!adit_kind_register(a, &e, &echo) && !adit_queue_open(a, "work", NULL, q));
}

static struct adit_kind_info look(void)
{
    struct adit_kind_info i = {.size = sizeof i};
    REQUIRE(!adit_kind_look(arena, echo, &i));
    return i;
}

static void run_some(struct adit_queue *q, uint32_t n, uint32_t first, uint32_t second)
{
    const uint32_t words[2] = {first, second};
    const struct adit_task_spec s = {.size = sizeof s, .kind = echo, .args = words, .args_bytes = sizeof words};
    for (uint32_t i = 0; i < n; i++) {
        struct adit_task_result r = task_take(q, task_submit(q, s));
        REQUIRE(r.end == ADIT_ENDED_DONE && r.status == (first + second ? 0 : -EIO));
    }
}

static void a_class_is_four_times_as_much_work_as_the_one_before(void **state)
{
    (void)state;
    for (uint32_t class = 0; class < ADIT_KIND_CLASSES; class++) {
        uint64_t least = adit_kind_class_work(class);
        assert_int_equal(adit_kind_class(least), class);
        if (class)
            assert_int_equal(adit_kind_class(least - 1), class - 1);
    }
    assert_int_equal(adit_kind_class(UINT64_MAX), ADIT_KIND_CLASSES - 1);
}

static void a_cost_converges_to_the_median(void **state)
{
    (void)state;
    uint64_t word = 0, seed = 5;
    for (uint32_t i = 0; i < 400; i++) /* half of them 700 to 1,300, the others as far off as they come: their mean is 250,000 */
        adit_kind_cost_learn(&word, i % 2 ? 700 + shm_fixture_random(&seed) % 600 : i % 4 ? 1 : 1000000);
    assert_in_range(adit_kind_cost_ns(&word), 600, 1500); /* (tried: a mean of the last sixty-four) */
    assert_int_equal(adit_kind_cost_known(&word), 400);
    for (uint32_t i = 0; i < 100; i++)
        adit_kind_cost_learn(&word, 50000);
    assert_int_equal(adit_kind_cost_ns(&word), 50000); /* what has become dearer is known soon */
}

static void an_outlier_moves_nothing(void **state)
{
    (void)state;
    uint64_t word = 0;
    for (uint32_t i = 0; i < 20; i++)
        adit_kind_cost_learn(&word, 2000);
    adit_kind_cost_learn(&word, 500 * 2000);
    assert_in_range(adit_kind_cost_ns(&word), 2000, 2126); /* (tried: a step of an eighth) */
    adit_kind_cost_learn(&word, UINT64_MAX);
    assert_in_range(adit_kind_cost_ns(&word), 2000, 2260);
    word = 0; /* the first one of all met cold caches */
    for (uint32_t i = 0; i < 12; i++)
        adit_kind_cost_learn(&word, i ? 2000 : 500 * 2000);
    assert_in_range(adit_kind_cost_ns(&word), 2000, 6300); /* (tried: small steps from the first on, 480,000) */
}

static void whatever_a_word_holds_is_a_number_and_is_learned_away(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t word = i < 64 ? UINT64_MAX << i : shm_fixture_random(&seed) >> i % 64;
        for (uint32_t n = 0; n < 600; n++) {
            adit_kind_cost_learn(&word, 1000);
            assert_true(adit_kind_cost_ns(&word) && adit_kind_cost_ns(&word) < 1ull << 48 && adit_kind_cost_known(&word) <= 65535);
        }
        assert_int_equal(adit_kind_cost_ns(&word), 1000);
    }
}

static bool has_told(void *user) { return look().runs >= *(const uint64_t *)user; }

static void workers_tell_what_they_ran_and_what_it_took(void **state)
{
    (void)state;
    uint64_t all = 1500 + 7;
    arena = fixture_create(NULL);
    know(arena, &queue);
    struct adit_kind_info i = look();
    assert_string_equal(i.name, "echo");
    assert_true(i.runs_here && !i.runs && !i.classes[2].worker_ns);
    assert_int_equal(i.classes[2].guess_ns, 500 + 2 * i.classes[2].work);
    struct adit_pool *pool = task_pool(queue, 2);
    run_some(queue, 1500, 10, 1); /* of class 2 */
    run_some(queue, 7, 0, 0);     /* of class 0, failing */
    assert_true(fixture_eventually(has_told, &all)); /* (tried: tell nothing before sleeping) */
    i = look();
    assert_int_equal(i.runs, all);
    assert_int_equal(i.failures, 7);
    assert_true(i.classes[2].worker_ns && !i.classes[0].worker_ns && !i.classes[1].worker_ns && !i.classes[2].inline_ns);
    assert_int_equal(i.inlined + i.offloaded, 0); /* nobody has asked */
    adit_pool_close(&pool);
    assert_int_equal(look().runs, all);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static void work_and_stay(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_queue *q;
    know(a, &q);
    (void)task_pool(q, 1);
    run_some(q, 300, 100, 0); /* of class 3 */
    __atomic_store_n(&board->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static void what_was_learned_outlives_its_process(void **state)
{
    (void)state;
    board = shm_fixture_shared(sizeof *board);
    pid_t child = fixture_fork(work_and_stay, NULL);
    arena = fixture_create(NULL);
    know(arena, &queue);
    fixture_start();
    shm_fixture_until(&board->ready, 1);
    assert_int_equal(look().participants, 2);
    REQUIRE(!kill(child, SIGKILL));
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    assert_true(look().classes[3].worker_ns);
    assert_int_equal(look().participants, 1); /* (tried: recovery that clears no bits, and a participant in the dead one's slot) */
    struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    assert_int_equal(look().participants, 1);
    adit_detach(&other);
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static void what_cannot_be_looked_at_is_an_error(void **state)
{
    (void)state;
    struct adit_kind_params p = {.size = sizeof p, .name = "odd", .run = run_echo, .needs = 1u << 9};
    struct adit_kind_info i = {.size = 1};
    uint32_t kind;
    arena = fixture_create(NULL);
    know(arena, &queue);
    assert_int_equal(adit_kind_look(arena, echo, &i), -EMSGSIZE);
    i.size = sizeof i;
    assert_int_equal(adit_kind_look(arena, echo + 1, &i), -ENOENT);
    assert_int_equal(adit_kind_look(arena, UINT32_MAX, &i), -ENOENT);
    assert_int_equal(adit_kind_register(arena, &p, &kind), -EINVAL);
    p.needs = 0;
    p.guess_each_ns = -1;
    assert_int_equal(adit_kind_register(arena, &p, &kind), -EINVAL);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_is_four_times_as_much_work_as_the_one_before),
        cmocka_unit_test(a_cost_converges_to_the_median),
        cmocka_unit_test(an_outlier_moves_nothing),
        cmocka_unit_test(whatever_a_word_holds_is_a_number_and_is_learned_away),
        cmocka_unit_test(workers_tell_what_they_ran_and_what_it_took),
        cmocka_unit_test(what_was_learned_outlives_its_process),
        cmocka_unit_test(what_cannot_be_looked_at_is_an_error),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
