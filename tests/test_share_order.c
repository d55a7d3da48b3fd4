/* test_share_order.c - which chunks a device goes for, and by which policy (runtime/batcher.h). The device is one of the test's that notes what it is given and refuses all of it, so its thread meshes that itself. */
#include "tests/mesh_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/executor.h"
#include "runtime/interest.h"

#define BATCH 4u
#define SETTLE_NS 60000000000u

static struct {
    uint32_t n;
    uint64_t key[4096];
} seen; /* by one thread; read after its dispatcher was closed */

static int fake_open(struct adit_executor *e, void **batch)
{
    *batch = e;
    return 0;
}
static void fake_begin(void *batch) { (void)batch; }
static int fake_add(void *batch, const struct adit_mesh_task *t)
{
    (void)batch;
    if (seen.n < sizeof seen.key / sizeof *seen.key)
        seen.key[seen.n++] = t->version->key;
    return -ENOTSUP;
}
static int fake_submit(void *batch, const uint8_t *classes)
{
    (void)batch;
    (void)classes;
    return adit_fault(-EIO, "fake: it was given nothing, and that was submitted");
}
static int fake_wait(void *batch, uint64_t timeout_ns)
{
    (void)batch;
    (void)timeout_ns;
    return adit_fault(-EIO, "fake: nothing was submitted");
}
static void fake_result(void *batch, uint32_t i, struct adit_mesh_result *r)
{
    (void)batch;
    (void)i;
    *r = (struct adit_mesh_result){0};
}
static void fake_close(void *batch) { (void)batch; }

static struct adit_executor fake = {.name = "fake:0", .batch_max = BATCH, .open = fake_open, .begin = fake_begin, .add = fake_add, .submit = fake_submit, .wait = fake_wait, .result = fake_result, .close = fake_close};
static struct adit_devices devices = {.n = 1, .executor = {&fake}};

static struct adit_viewer *look_from(struct adit_arena *a, float x, float y, float z)
{
    const struct adit_viewer_place p = {.size = sizeof p, .at = {x, y, z}, .radius = 1000};
    struct adit_viewer *v;
    assert_int_equal(adit_viewer_open(a, &p, &v), 0);
    return v;
}

/* None is given to it that is needed later than one after it. (tried: as they come; the best last) */
static void what_is_seen_first_goes_first(void **state)
{
    (void)state;
    struct adit_arena *a = mesh_world_create(0);
    struct adit_viewer *v = look_from(a, 250, 100, 250);
    struct adit_interest from;
    struct adit_dispatcher *d;
    const struct adit_dispatcher_params p = {.size = sizeof p, .only_devices = true, .devices = &devices};
    int32_t last = INT32_MIN;
    uint32_t unequal = 0;
    for (uint32_t i = 0; i < a->chunks_max; i++)
        a->entries[i].dirty_ns = UINT64_MAX; /* none has waited, however long it takes */
    seen.n = 0;
    adit_interest_look(a, &from);
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    adit_dispatcher_close(&d);
    assert_in_range(seen.n, MESH_WORLD_CHUNKS / 2, MESH_WORLD_CHUNKS); /* air is not for devices */
    for (uint32_t i = 0; i < seen.n; i++) {
        int32_t rank = adit_interest_rank(&from, seen.key[i], 0);
        assert_true(rank >= last);
        unequal += i && rank != last;
        last = rank;
    }
    assert_true(unequal > 3);
    mesh_world_assert_right(a);
    adit_viewer_close(&v);
    adit_detach(&a);
}

/* How many chunks a device that is far too dear was given, beside a thread. */
static uint32_t given_by(const char *policy, const char *why)
{
    struct adit_arena *a = mesh_world_create(0);
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1, .devices = &devices, .thread_ns = 100000, .policy = policy};
    struct adit_share_report r = {.size = sizeof r};
    struct adit_dispatcher *d;
    fake.cost[ADIT_SIZE_DENSE] = (struct adit_cost){1e13, 1e12};
    seen.n = 0;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    for (uint32_t round = 0; round < 50 && (round < 5 || (strcmp(policy, "adaptive") && !seen.n)); round++) { /* until it has looked before the thread had done all */
        for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
            mesh_world_edit(a, i, round);
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    }
    bool has = false;
    for (uint32_t back = 0; !has && !adit_dispatcher_explain(d, 1, back, &r); back++)
        has = !strcmp(r.why, why);
    assert_true(has);
    adit_dispatcher_close(&d);
    mesh_world_assert_right(a);
    adit_detach(&a);
    return seen.n;
}

/* (tried: the policy not handed to the batcher) */
static void who_is_too_dear_gets_none_unless_the_policy_does_not_ask(void **state)
{
    (void)state;
    assert_int_equal(given_by("adaptive", "done sooner without it"), 0);
    assert_true(given_by("round_robin", "round_robin") > 0);
    assert_true(given_by("least_loaded", "least_loaded") > 0);
    assert_true(given_by("capability", "capability") > 0);
}

static void a_policy_of_no_name_is_refused(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL);
    const struct adit_dispatcher_params p = {.size = sizeof p, .policy = "fastest"};
    struct adit_dispatcher *d;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), -EINVAL);
    assert_non_null(strstr(adit_detail(), "'fastest'"));
    assert_null(d);
    adit_detach(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_seen_first_goes_first),
        cmocka_unit_test(who_is_too_dear_gets_none_unless_the_policy_does_not_ask),
        cmocka_unit_test(a_policy_of_no_name_is_refused),
    };
    return cmocka_run_group_tests_name("what devices go for", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
