/* Of the workers that make a stream's chunks one is stopped in the middle of one: no hole stays in sight (runtime/adit_stream.h). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/interest.h"
#include "tests/chunk_fixture.h"

#define CHUNK 64.0f

static struct adit_arena *arena;
static struct adit_queue *queue, *second; /* two handles of one: a pool is opened on the second while the stream uses the first */
static struct adit_pool *pool;
static struct adit_viewer *viewer;
static struct adit_stream *s;
static uint32_t plain;
static bool is_to_stop; /* in the child */
static pid_t child;

static int run_plain(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    static const uint16_t voxels[ADIT_CHUNK_VOXELS] = {[5] = 3};
    const struct adit_put_params fresh = {.size = sizeof fresh, .if_version = ADIT_VERSION_NONE, .renewable = true};
    struct adit_key key;
    (void)result;
    *result_bytes = 0;
    memcpy(&key, args, sizeof key);
    if (__atomic_exchange_n(&is_to_stop, false, __ATOMIC_RELAXED))
        raise(SIGSTOP);
    int error = adit_chunk_put(run->arena, &key, voxels, &fresh);
    return error == -ESTALE ? 0 : error; /* as adit.generate does, where the same is there */
}

static void work_in(struct adit_arena *a)
{
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    struct adit_kind_params k = {.size = sizeof k, .name = "plain", .run = run_plain, .args_bytes_max = sizeof(struct adit_key)};
    REQUIRE(!adit_kind_register(a, &k, &plain));
    REQUIRE(!adit_queue_open(a, "stream", NULL, &queue));
    REQUIRE(!adit_pool_open(queue, &one, &pool));
}

static void work_and_stop(void *user)
{
    (void)user;
    is_to_stop = true;
    work_in(shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER));
    for (;;)
        shm_fixture_nap(1000);
}

static int set_up(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 32u << 20, .chunks_max = 512};
    struct adit_kind_params k = {.size = sizeof k, .name = "plain", .run = run_plain, .args_bytes_max = sizeof(struct adit_key)};
    (void)state;
    child = fixture_fork(work_and_stop, NULL);
    arena = fixture_create(&p);
    assert_int_equal(adit_kind_register(arena, &k, &plain), 0);
    assert_int_equal(adit_queue_open(arena, "stream", NULL, &queue), 0);
    assert_int_equal(adit_queue_open(arena, "stream", NULL, &second), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kill(child, SIGKILL);
    (void)shm_fixture_wait(child);
    adit_stream_close(&s);
    adit_viewer_close(&viewer);
    adit_pool_close(&pool);
    adit_queue_close(&second);
    adit_queue_close(&queue);
    adit_detach(&arena);
    return 0;
}

static struct adit_stream_info look(void)
{
    struct adit_stream_info info = {.size = sizeof info};
    assert_int_equal(adit_stream_look(s, &info), 0);
    return info;
}

static bool is_whole(void *user)
{
    struct adit_stream_info info = look();
    return !info.missing && !info.wanted && info.under_way == *(const uint32_t *)user;
}

/* Whether the child has stopped; a minute at most. */
static bool has_stopped(void)
{
    int status = 0;
    for (uint32_t i = 0; i < 12000; i++) {
        if (waitpid(child, &status, WUNTRACED | WNOHANG) == child)
            return WIFSTOPPED(status);
        shm_fixture_nap(5);
    }
    return false;
}

/* What the stopped one makes is nearest to the viewer. (tried: nobody is late; late ones stand for their chunks: both leave the hole) */
static void a_stopped_worker_leaves_no_hole(void **state)
{
    static const uint8_t args[sizeof(struct adit_key)];
    const struct adit_stream_params p = {.size = sizeof p, .queue = queue, .y_lo = 0, .y_hi = 1, .ahead = 1, .keep = 1, .kind = plain, .args = args, .args_bytes = sizeof args};
    const struct adit_viewer_place here = {.size = sizeof here, .at = {32, 32, 32}, .radius = 2 * CHUNK};
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    (void)state;
    assert_int_equal(adit_viewer_open(arena, &here, &viewer), 0);
    assert_int_equal(adit_stream_open(arena, &p, &s), 0);
    fixture_start();
    assert_true(has_stopped());
    assert_int_equal(adit_pool_open(second, &one, &pool), 0);
    assert_true(fixture_eventually(is_whole, &(uint32_t){1})); /* the stopped one's */
    struct adit_stream_info info = look();
    assert_int_equal(info.failed, 0);
    assert_in_range(info.late, 1, 8); /* one, and what a laden machine held up */
    const uint64_t made = info.made;
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_true(fixture_eventually(is_whole, &(uint32_t){0}));
    info = look();
    assert_int_equal(info.made, made); /* (tried: who comes second counts as made) */
    assert_in_range(info.found, 1, 8);
    assert_int_equal(info.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stopped_worker_leaves_no_hole, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("streams with stopped workers", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
