/* Confined worker processes (runtime/confine.h): what kinds need not is denied, attacks are a worker's end and nobody else's, and all that adit brings along works. Each thing that is denied is
 * done, too, where it is let: the control. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/confine.h"
#include "tests/confine_kinds.h"
#include "tests/kind_fixture.h"
#include "tests/task_fixture.h"

static char object[TASK_OBJECT_BYTES];
static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;

static int open_pool(enum adit_confine confine, uint32_t processes)
{
    const char *objects[] = {object, NULL};
    const struct adit_pool_params p = {.size = sizeof p, .processes = processes, .objects = objects, .confine = confine};
    arena = fixture_create(NULL);
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    return adit_pool_open(queue, &p, &pool);
}

static void close_pool(void)
{
    adit_pool_close(&pool);
    assert_true(fixture_eventually(fixture_is_alone, arena));
    shm_fixture_verify(arena, 0);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static struct adit_pool_stats stats(void)
{
    struct adit_pool_stats s = {.size = sizeof s};
    REQUIRE(!adit_pool_look(pool, &s));
    return s;
}

static uint64_t submit(enum confine_try what)
{
    struct adit_task_spec s = {.size = sizeof s, .args = &what, .args_bytes = sizeof what, .attempts_max = 2};
    REQUIRE(!adit_kind_find(arena, "try", &s.kind));
    return task_submit(queue, s);
}

/* What became of it: 0 let, an errno, or -SIGSYS: its worker was killed, each time. */
static int outcome(enum confine_try what)
{
    uint64_t deaths = stats().deaths;
    struct adit_task_result r = task_take(queue, submit(what));
    int error = -1;
    if (r.end == ADIT_ENDED_POISONED) {
        for (uint32_t i = 0; i < 10000 && (stats().last_signal != SIGSYS || stats().deaths < deaths + 2); i++) /* a standby knows before the supervisor has counted */
            shm_fixture_nap(1);
        assert_int_equal(r.attempts, 2);
        assert_int_equal(stats().deaths, deaths + 2);
        return -(int)stats().last_signal;
    }
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    REQUIRE(r.bytes == sizeof error);
    memcpy(&error, r.data, sizeof error);
    return error;
}

static void assert_outcome(enum confine_try what, int wanted)
{
    int got = outcome(what);
    if (got != wanted)
        fail_msg("try %d: %d (%s) instead of %d", (int)what, got, strerror(abs(got)), wanted);
}

static void all_that_is_let(void)
{
    for (enum confine_try what = TRY_NOTHING; what < TRY_READ_FILE; what++)
        assert_outcome(what, 0);
}

static void unconfined_workers_may_do_all_of_it(void **state)
{
    (void)state;
    assert_int_equal(open_pool(ADIT_CONFINE_OFF, 1), 0);
    all_that_is_let();
    for (enum confine_try what = TRY_READ_FILE; what < TRY_EXECVE; what++)
        assert_outcome(what, what == TRY_READ_OF_PATH ? EBADF : what == TRY_CONNECT ? ECONNREFUSED : 0);
    assert_int_equal(stats().confined, 0);
    assert_int_equal(stats().confined_by, 0);
    close_pool();
}

static void what_is_not_needed_is_denied(void **state)
{
    (void)state;
    assert_int_equal(open_pool(ADIT_CONFINE_STRICTLY, 2), 0);
    all_that_is_let();
    for (enum confine_try what = TRY_READ_FILE; what < TRY_EXECVE; what++)
        assert_outcome(what, what == TRY_NEW_CLONE ? ENOSYS : EPERM); /* (tried: a filter that lets what stands on no line; and one that does not look at arguments) */
    struct adit_pool_stats s = stats();
    assert_int_equal(s.deaths, 0);
    assert_in_range(s.confined, 2, 3);
    assert_int_equal(s.confined_by, adit_confine_available());
    assert_true(s.confined_by & ADIT_CONFINED_BY_SECCOMP);
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info info = {.size = sizeof info};
        assert_int_equal(adit_worker_look(pool, i, &info), 0);
        assert_int_equal(info.confined_by, info.pid ? s.confined_by : 0);
    }
    close_pool();
}

static void an_attack_ends_its_worker_and_others_go_on(void **state)
{
    (void)state;
    assert_int_equal(open_pool(ADIT_CONFINE_STRICTLY, 2), 0);
    for (enum confine_try what = TRY_EXECVE; what < TRIES; what++) {
        uint64_t healthy[8];
        for (uint32_t i = 0; i < 8; i++)
            healthy[i] = submit(i % 2 ? TRY_SLEEP : TRY_MEMORY);
        assert_outcome(what, -SIGSYS); /* (tried: EPERM for these, too) */
        for (uint32_t i = 0; i < 8; i++) {
            struct adit_task_result r = task_take(queue, healthy[i]);
            assert_int_equal(r.end, ADIT_ENDED_DONE);
            assert_int_equal(r.attempts, 1);
        }
    }
    close_pool();
}

/* With one of the two taken away the other does what it can, and it is said. */
static void assert_without(const char *feature, uint32_t by)
{
    char list[256], before[128];
    snprintf(before, sizeof before, "%s", getenv("ADIT_DISABLE") ? getenv("ADIT_DISABLE") : "");
    snprintf(list, sizeof list, "%s,%s", before, feature);
    setenv("ADIT_DISABLE", list, 1); /* while there are no threads */
    assert_int_equal(open_pool(ADIT_CONFINE_TO_NEEDS, 1), 0);
    all_that_is_let();
    assert_int_equal(stats().confined_by, by);
    assert_in_range(stats().confined, by ? 1 : 0, by ? 2 : 0);
    assert_outcome(TRY_READ_FILE, by & ADIT_CONFINED_BY_SECCOMP ? EPERM : by ? EACCES : 0);
    assert_outcome(TRY_LIST_FOLDER, by & ADIT_CONFINED_BY_SECCOMP ? EPERM : by ? EACCES : 0);
    assert_outcome(TRY_WRITE_FILE, by & ADIT_CONFINED_BY_SECCOMP ? EPERM : by ? EACCES : 0);
    assert_outcome(TRY_SOCKET, by & ADIT_CONFINED_BY_SECCOMP ? EPERM : 0);
    close_pool();
    if (!(by & ADIT_CONFINED_BY_SECCOMP)) {
        assert_int_equal(open_pool(ADIT_CONFINE_STRICTLY, 1), -ENOTSUP);
        assert_non_null(strstr(adit_detail(), "seccomp"));
        close_pool();
    }
    setenv("ADIT_DISABLE", before, 1);
}

static void kernels_without_one_confine_by_the_other(void **state)
{
    (void)state;
    uint32_t landlock = adit_confine_available() & ADIT_CONFINED_BY_LANDLOCK;
    assert_without("landlock", ADIT_CONFINED_BY_SECCOMP);
    assert_without("seccomp", landlock);
    assert_without("seccomp,landlock", 0);
}

/* What one kind of a pool needs its workers may, and no more. */
static void kinds_that_need_more_are_refused_or_let(void **state)
{
    (void)state;
    char needs[16];
    uint32_t kind;
    snprintf(needs, sizeof needs, "%u", ADIT_NEEDS_FILES_READ);
    setenv("CONFINE_NEEDS", needs, 1); /* while there are no threads */
    assert_int_equal(open_pool(ADIT_CONFINE_STRICTLY, 1), -EACCES);
    assert_non_null(strstr(adit_detail(), "kind reader needs")); /* (tried: without mind_needs it opens, and open is EPERM) */
    close_pool();
    assert_int_equal(open_pool(ADIT_CONFINE_TO_NEEDS, 1), 0);
    all_that_is_let();
    assert_outcome(TRY_READ_FILE, 0);
    assert_outcome(TRY_LIST_FOLDER, 0);
    assert_outcome(TRY_WRITE_FILE, EPERM);
    assert_outcome(TRY_SOCKET, EPERM);
    assert_outcome(TRY_FORK, EPERM);
    assert_outcome(TRY_EXECVE, -SIGSYS);
    struct adit_kind_params p = {.size = sizeof p, .name = "reader", .args_bytes_min = 4, .args_bytes_max = 4, .result_bytes_max = 4};
    assert_int_equal(adit_kind_register(arena, &p, &kind), -EEXIST); /* needs are a part of what it is */
    p.needs = ADIT_NEEDS_FILES_READ;
    assert_int_equal(adit_kind_register(arena, &p, &kind), 0);
    p.name = "more";
    p.needs = 1u << 20;
    assert_int_equal(adit_kind_register(arena, &p, &kind), -EINVAL);
    close_pool();
    static const struct {
        uint32_t needs;
        enum confine_try what;
        int error;
    } more[] = {{ADIT_NEEDS_FILES_WRITE, TRY_WRITE_FILE, 0},        {ADIT_NEEDS_FILES_WRITE, TRY_READ_FILE, 0},    {ADIT_NEEDS_FILES_WRITE, TRY_CONNECT, EPERM},
                {ADIT_NEEDS_NETWORK, TRY_CONNECT, ECONNREFUSED},    {ADIT_NEEDS_NETWORK, TRY_READ_FILE, EPERM},    {ADIT_NEEDS_PROCESSES, TRY_FORK, 0},
                {ADIT_NEEDS_PROCESSES, TRY_KILL_PARENT, 0},         {ADIT_NEEDS_PROCESSES, TRY_READ_FILE, EPERM},  {ADIT_NEEDS_PROCESSES, TRY_PTRACE, -SIGSYS},
                {ADIT_NEEDS_CODE, TRY_CODE, 0},                     {ADIT_NEEDS_CODE, TRY_SOCKET, EPERM},          {ADIT_NEEDS_ANYTHING, TRY_UNSHARE, 0}};
    for (uint32_t i = 0; i < sizeof more / sizeof *more; i++) {
        bool is_new = !i || more[i].needs != more[i - 1].needs, is_last = i + 1 == sizeof more / sizeof *more || more[i].needs != more[i + 1].needs;
        snprintf(needs, sizeof needs, "%u", more[i].needs);
        if (is_new && !setenv("CONFINE_NEEDS", needs, 1)) {
            assert_int_equal(open_pool(ADIT_CONFINE_TO_NEEDS, 1), 0);
            assert_int_equal(!stats().confined, more[i].needs == ADIT_NEEDS_ANYTHING);
        }
        if (more[i].needs != ADIT_NEEDS_ANYTHING) /* whether that one may depends on the machine */
            assert_outcome(more[i].what, more[i].error);
        if (is_last)
            close_pool();
    }
    unsetenv("CONFINE_NEEDS");
}

/* ---- what adit brings along ---- */

#define BUFFER_BYTES (1u << 20)
#define BUILTINS 14u

/* One of each, with its result; and the last content of what each wrote, as a hash. */
struct sweep {
    struct adit_task_result results[BUILTINS];
    uint64_t hashes[BUILTINS];
};

static uint64_t hash_of(uint64_t buffer)
{
    static uint64_t words[BUFFER_BYTES / 8];
    uint64_t hash = 0;
    kind_read(buffer, words, BUFFER_BYTES);
    for (uint32_t i = 0; i < BUFFER_BYTES / 8; i++)
        hash = fixture_mix(hash ^ words[i]);
    return hash;
}

static void sweep_kinds(struct sweep *sweep)
{
    static uint16_t voxels[BUFFER_BYTES / 2];
    const struct adit_key key = {.x = 0};
    const struct adit_generate_args generate = {.generator = "terrain", .seed = 3, .key = key};
    const struct adit_mesh_args mesh = {.key = key};
    const struct adit_lod_args lod = {.key = key};
    const struct adit_raycast_args ray = {.origin = {32.5, 32.5, 200}, .direction = {0, 0, -1}, .distance_max = 400};
    const struct adit_box_args box = {.hi = {63, 63, 63}, .mode = ADIT_BOX_COUNT};
    const struct adit_fft_args fft = {.points = 512};
    const struct adit_compress_args lz4 = {.codec = ADIT_CODEC_LZ4, .bytes = 4096};
    const struct adit_mip_args mip = {.width = 256, .height = 256};
    const struct adit_atlas_args atlas = {.images = 1, .width = 64, .height = 64};
    const struct adit_atlas_image image = {8, 8, 64};
    fixture_paint(3, voxels);
    uint64_t from = kind_buffer(BUFFER_BYTES, voxels), to = kind_buffer(BUFFER_BYTES, NULL), encoded = kind_buffer(BUFFER_BYTES, NULL), packed = kind_buffer(BUFFER_BYTES, NULL),
             images = kind_buffer(4096, NULL), places = kind_buffer(64, NULL);
    REQUIRE(!adit_buffer_put(kind_arena, images, &image, sizeof image));
    const struct adit_use only_to = {to, ADIT_WRITE}, three[] = {{images, ADIT_READ}, {to, ADIT_WRITE}, {places, ADIT_WRITE}};
    struct adit_task_result *r = sweep->results;
#define RUN(i, name, args, uses, n, written) (r[i] = KIND_RUN(name, args, uses, n), sweep->hashes[i] = (written) ? hash_of(written) : 0)
    RUN(0, "adit.generate", generate, NULL, 0, 0);
    RUN(1, "adit.mesh", mesh, NULL, 0, 0);
    RUN(2, "adit.cull", key, NULL, 0, 0);
    RUN(3, "adit.lod", lod, &only_to, 1, to);
    RUN(4, "adit.lod_publish", lod, NULL, 0, 0);
    RUN(5, "adit.raycast", ray, NULL, 0, 0);
    RUN(6, "adit.box", box, NULL, 0, 0);
    RUN(7, "adit.fft", fft, kind_uses(from, to), 2, to);
    RUN(8, "adit.compress", lz4, kind_uses(from, packed), 2, packed);
    struct adit_decompress_args back = {.codec = ADIT_CODEC_LZ4};
    memcpy(&back.bytes, r[8].data, sizeof back.bytes);
    RUN(9, "adit.decompress", back, kind_uses(packed, to), 2, to);
    r[10] = kind_run("adit.encode", NULL, 0, kind_uses(from, encoded), 2);
    sweep->hashes[10] = hash_of(encoded);
    r[11] = kind_run("adit.decode", NULL, 0, kind_uses(encoded, to), 2);
    sweep->hashes[11] = hash_of(to);
    RUN(12, "adit.mip", mip, kind_uses(from, to), 2, to);
    RUN(13, "adit.atlas", atlas, three, 3, to);
#undef RUN
}

static void built_in_kinds_do_the_same_in_confined_workers(void **state)
{
    (void)state;
    static struct sweep threads, confined;
    kind_open_confined(2);
    sweep_kinds(&confined);
    kind_close();
    kind_open(1);
    sweep_kinds(&threads);
    kind_close();
    for (uint32_t i = 0; i < BUILTINS; i++) {
        assert_int_equal(threads.results[i].status, 0);
        assert_int_equal(confined.results[i].status, 0);
        assert_int_equal(confined.results[i].bytes, threads.results[i].bytes);
        assert_memory_equal(confined.results[i].data, threads.results[i].data, threads.results[i].bytes);
        assert_int_equal(confined.hashes[i], threads.hashes[i]);
    }
}

static int set_up_all(void **state)
{
    task_object("confine_kinds", object);
    return shm_fixture_set_up(state);
}

int main(void)
{
    if (!(adit_confine_available() & ADIT_CONFINED_BY_SECCOMP)) {
        printf("this kernel, or what the test runs in, takes no seccomp filters\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unconfined_workers_may_do_all_of_it),
        cmocka_unit_test(what_is_not_needed_is_denied),
        cmocka_unit_test(an_attack_ends_its_worker_and_others_go_on),
        cmocka_unit_test(kernels_without_one_confine_by_the_other),
        cmocka_unit_test(kinds_that_need_more_are_refused_or_let),
        cmocka_unit_test(built_in_kinds_do_the_same_in_confined_workers),
    };
    return cmocka_run_group_tests(tests, set_up_all, shm_fixture_tear_down);
}
