/* Frames (runtime/frame.c), and work that yields to them: what is counted, and by what right background work runs. That no frame is missed beside it perf-lab shows (frames). */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/task_fixture.h"

#define MS 1000000u

static void nap_until(uint64_t ns)
{
    while (adit_clock_ns() < ns)
        ;
}

/* tried: the period counted from when a frame began */
static void frames_begin_on_their_grid_and_not_before(void **state)
{
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = 2 * MS};
    struct adit_frame *f;
    struct adit_frame_info info = {.size = sizeof info};
    uint64_t from = adit_clock_ns();
    uint64_t frames = 0, skipped = 0;
    assert_int_equal(adit_frame_open(&p, &f), 0);
    assert_true(adit_frame_left_ns(f) > 0);
    while (frames + skipped < 50) {
        int passed = adit_frame_wait(f);
        assert_true(passed >= 0);
        skipped += (uint64_t)passed;
        frames++;
        assert_true(adit_clock_ns() >= from + (frames + skipped) * p.period_ns);
        assert_true(adit_frame_left_ns(f) <= (int64_t)p.period_ns);
        nap_until(adit_clock_ns() + 300000); /* what is done in a frame does not move the next */
    }
    assert_int_equal(adit_frame_look(f, &info), 0);
    assert_true(info.frames == frames && info.skipped == skipped && info.period_ns == p.period_ns);
    assert_true(info.late_p50_ns <= info.late_p99_ns && info.late_p99_ns <= info.late_p999_ns && info.late_p999_ns <= info.late_most_ns);
    adit_frame_close(&f);
    assert_null(f);
    (void)state;
}

/* tried: all that has passed made up for */
static void whole_frames_that_passed_are_told(void **state)
{
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = 50 * MS};
    struct adit_frame *f;
    assert_int_equal(adit_frame_open(&p, &f), 0);
    (void)adit_frame_wait(f);
    uint64_t begin = adit_clock_ns() + (uint64_t)adit_frame_left_ns(f) - p.period_ns;
    nap_until(begin + 7 * p.period_ns / 2);
    int passed = adit_frame_wait(f);
    assert_in_range(passed, 2, 4); /* 2, unless this machine is very busy */
    assert_true(adit_frame_left_ns(f) <= (int64_t)p.period_ns / 2);
    assert_int_equal(adit_frame_wait(f), 0);
    adit_frame_close(&f);
    (void)state;
}

/* tried: counted from now instead of the frame's begin */
static void points_are_in_time_or_missed(void **state)
{
    static const struct adit_frame_point points[] = {{"late", 10 * MS}, {"end", 400 * MS}};
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = 400 * MS, .points = points, .points_n = 2};
    struct adit_frame *f;
    struct adit_frame_info info = {.size = sizeof info};
    assert_int_equal(adit_frame_open(&p, &f), 0);
    assert_int_equal(adit_frame_reach(f, 0), -EINVAL); /* no frame has begun */
    (void)adit_frame_wait(f);
    nap_until(adit_clock_ns() + 12 * MS);
    assert_int_equal(adit_frame_reach(f, 0), -ETIME);
    assert_int_equal(adit_frame_reach(f, 1), 0);
    assert_int_equal(adit_frame_reach(f, 2), -EINVAL);
    assert_int_equal(adit_frame_look(f, &info), 0);
    assert_int_equal(info.points_n, 2);
    assert_string_equal(info.points[0].name, "late");
    assert_true(info.points[0].reached == 1 && info.points[0].missed == 1 && info.points[0].late_most_ns >= 2 * MS);
    assert_true(info.points[1].reached == 1 && !info.points[1].missed && !info.points[1].late_most_ns);
    adit_frame_close(&f);
    (void)state;
}

/* ---- in the arena ---- */

/* What the arena tells is what the loop's owner is told, frame by frame. (tried: a frame entered under the next one's number; a lateness that was none; skipped ones of all frames; missed bits kept; points not told.) */
static void the_arena_has_the_last_frames_of_a_loop(void **state)
{
    static const struct adit_frame_point points[] = {{"draw", MS}, {"present", 2 * MS}};
    static struct adit_frame_past past[ADIT_FRAME_LOOP_FRAMES];
    struct adit_arena *a = fixture_create(NULL), *o = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = 2 * MS, .points = points, .points_n = 2, .arena = a};
    struct adit_frame_loop_info loop = {.size = sizeof loop};
    struct adit_frame_info info = {.size = sizeof info};
    struct adit_frame *f;
    uint32_t missed[200], skipped[200];
    assert_int_equal(adit_frame_loop_get(o, 0, &loop), -ENOENT);
    assert_int_equal(adit_frame_open(&p, &f), 0);
    (void)adit_frame_wait(f);
    for (uint32_t i = 0; i < 200; i++) { /* the frames 1 to 200: some too long for a point, some for themselves */
        uint64_t begin = adit_clock_ns() + (uint64_t)adit_frame_left_ns(f) - p.period_ns;
        if (i % 7 == 3)
            nap_until(begin + MS + 1);
        missed[i] = adit_frame_reach(f, 0) ? 1 : 0;
        missed[i] |= adit_frame_reach(f, 1) ? 2 : 0;
        if (i % 50 == 49)
            nap_until(begin + 5 * p.period_ns);
        skipped[i] = (uint32_t)adit_frame_wait(f);
    }
    assert_int_equal(adit_frame_look(f, &info), 0);
    assert_int_equal(adit_frame_loop_get(o, 0, &loop), 0);
    assert_true(loop.is_here && loop.pid == (uint32_t)getpid() && loop.tid == (uint32_t)gettid() && loop.who == a->owner && loop.period_ns == p.period_ns);
    assert_true(loop.frames == 200 && info.frames == 201 && loop.skipped == info.skipped && info.skipped >= 4 * 3 && loop.points_n == 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(!strcmp(loop.points[i].name, points[i].name) && loop.offset_ns[i] == points[i].offset_ns);
        assert_memory_equal(&loop.points[i].reached, &info.points[i].reached, 3 * sizeof(uint64_t));
    }
    assert_int_equal(adit_frame_loop_frames(o, 0, past, ADIT_FRAME_LOOP_FRAMES), ADIT_FRAME_LOOP_FRAMES);
    for (uint32_t i = 0; i < ADIT_FRAME_LOOP_FRAMES; i++) {
        uint32_t n = 200 - ADIT_FRAME_LOOP_FRAMES + i;
        assert_true(past[i].number == n + 1 && past[i].missed == missed[n] && past[i].skipped == skipped[n]);
        assert_true(past[i].late_ns <= past[i].took_ns && past[i].late_ns <= info.late_most_ns);
        assert_true(!i || past[i].begin_ns - past[i - 1].begin_ns == (1 + past[i - 1].skipped) * p.period_ns);
        assert_true(past[i].took_ns >= past[i].skipped * p.period_ns && (!(past[i].missed & 1) || past[i].took_ns > MS));
    }
    assert_int_equal(adit_frame_loop_frames(o, 0, past, 3), 3);
    assert_int_equal(past[2].number, 200);
    adit_frame_close(&f);
    assert_int_equal(adit_frame_loop_get(o, 0, &loop), 0); /* told of still */
    assert_true(!loop.is_here && loop.left_ns > loop.since_ns && loop.frames == 200);
    assert_int_equal(adit_frame_open(&p, &f), 0); /* which nobody ever had is taken first */
    assert_true(!adit_frame_loop_get(o, 1, &loop) && loop.is_here && !loop.frames);
    assert_int_equal(adit_frame_loop_get(o, ADIT_FRAME_SLOTS, &loop), -ERANGE);
    assert_int_equal(adit_frame_loop_frames(o, 2, past, 3), -ENOENT);
    loop.size = 3;
    assert_int_equal(adit_frame_loop_get(o, 0, &loop), -EMSGSIZE);
    adit_frame_close(&f);
    adit_detach(&o);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    (void)state;
}

static void frames_and_die(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = MS, .arena = a};
    struct adit_frame *f;
    (void)user;
    REQUIRE(!adit_frame_open(&p, &f));
    for (uint32_t i = 0; i < 21; i++)
        (void)adit_frame_wait(f);
    raise(SIGKILL);
}

static bool is_recovered(void *user)
{
    struct adit_frame_loop_info loop = {.size = sizeof loop};
    return !adit_frame_loop_get(user, 0, &loop) && !loop.is_here;
}

/* (tried: slots of the dead not given back; whichever is free taken first.) */
static void what_the_dead_had_stays_until_all_other_slots_are_used(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    const struct adit_frame_params p = {.size = sizeof p, .arena = a};
    struct adit_frame_loop_info loop = {.size = sizeof loop};
    struct adit_frame_past past[32];
    struct adit_frame *f[ADIT_FRAME_SLOTS + 1];
    assert_int_equal(shm_fixture_in_child(frames_and_die, NULL), -SIGKILL);
    assert_true(fixture_eventually(is_recovered, a));
    assert_true(!adit_frame_loop_get(a, 0, &loop) && loop.frames == 20 && loop.left_ns);
    assert_int_equal(adit_frame_loop_frames(a, 0, past, 32), 20);
    for (uint32_t i = 0; i + 1 < ADIT_FRAME_SLOTS; i++) {
        assert_int_equal(adit_frame_open(&p, &f[i]), 0);
        assert_true(!adit_frame_loop_get(a, i + 1, &loop) && loop.is_here);
    }
    assert_true(!adit_frame_loop_get(a, 0, &loop) && !loop.is_here && loop.frames == 20);
    adit_frame_close(&f[4]); /* both are free: that of the dead was left first */
    assert_int_equal(adit_frame_open(&p, &f[4]), 0);
    assert_true(!adit_frame_loop_get(a, 0, &loop) && loop.is_here && !loop.frames);
    assert_int_equal(adit_frame_open(&p, &f[ADIT_FRAME_SLOTS - 1]), 0);
    assert_int_equal(adit_frame_open(&p, &f[ADIT_FRAME_SLOTS]), 0); /* all are taken: it goes on without */
    assert_true(adit_frame_wait(f[ADIT_FRAME_SLOTS]) >= 0);
    for (uint32_t i = 0; i <= ADIT_FRAME_SLOTS; i++)
        adit_frame_close(&f[i]);
    adit_detach(&a);
    (void)state;
}

static void what_is_wrong_is_said(void **state)
{
    static const struct adit_frame_point behind = {"behind", 20 * MS}, nameless = {"", 1};
    struct adit_frame_params p = {.size = sizeof p, .period_ns = 10};
    struct adit_frame *f;
    struct adit_frame_info info = {.size = 1};
    assert_int_equal(adit_frame_open(&p, &f), -EINVAL);
    p.period_ns = 10 * MS;
    p.points_n = 1;
    assert_int_equal(adit_frame_open(&p, &f), -EINVAL);
    p.points = &behind;
    assert_int_equal(adit_frame_open(&p, &f), -EINVAL);
    p.points = &nameless;
    assert_int_equal(adit_frame_open(&p, &f), -EINVAL);
    p.points_n = 17;
    assert_int_equal(adit_frame_open(&p, &f), -EINVAL);
    assert_string_not_equal(adit_detail(), "");
    p.size = 2;
    assert_int_equal(adit_frame_open(&p, &f), -EMSGSIZE);
    assert_null(f);
    adit_frame_close(&f);
    assert_int_equal(adit_frame_open(NULL, &f), 0); /* sixty a second */
    assert_int_equal(adit_frame_look(f, &info), -EMSGSIZE);
    info.size = sizeof info;
    assert_int_equal(adit_frame_look(f, &info), 0);
    assert_int_equal(info.period_ns, 16666667);
    adit_frame_close(&f);
    (void)state;
}

/* ---- work that yields ---- */

static int run_policy(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    int policy = sched_getscheduler(0);
    (void)run;
    (void)args;
    memcpy(result, &policy, sizeof policy);
    *result_bytes = sizeof policy;
    return 0;
}

static uint32_t idle_threads(void)
{
    uint32_t n = 0;
    DIR *d = opendir("/proc/self/task");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' && sched_getscheduler(atoi(e->d_name)) == SCHED_IDLE;
    closedir(d);
    return n;
}

static bool has_idle_threads(void *user)
{
    (void)user;
    return idle_threads() >= 2;
}

/* tried: threads, processes or foremen left out */
static void background_threads_and_processes_yield_and_others_do_not(void **state)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "policy", .run = run_policy, .result_bytes_max = sizeof(int)};
    for (int background = 0; background < 2; background++) {
        struct adit_arena *a = fixture_create(NULL);
        struct adit_queue *q;
        struct adit_pool *pool;
        struct adit_dispatcher *d;
        uint32_t kind, processes = 0;
        const struct adit_pool_params p = {.size = sizeof p, .workers = 1, .processes = 1, .background = background};
        const struct adit_dispatcher_params dp = {.size = sizeof dp, .workers = 2, .background = background};
        assert_int_equal(adit_kind_register(a, &k, &kind), 0);
        assert_int_equal(adit_queue_open(a, "work", NULL, &q), 0);
        assert_int_equal(adit_pool_open(q, &p, &pool), 0);
        struct adit_task_result r = task_take(q, task_submit(q, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind}));
        int policy;
        memcpy(&policy, r.data, sizeof policy);
        assert_int_equal(policy, background ? SCHED_IDLE : SCHED_OTHER);
        for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
            struct adit_worker_info info = {.size = sizeof info};
            if (adit_worker_look(pool, i, &info) || !info.pid || info.state < ADIT_WORKER_READY)
                continue;
            assert_int_equal(sched_getscheduler((pid_t)info.pid), background ? SCHED_IDLE : SCHED_OTHER);
            processes++;
        }
        assert_true(processes >= 1);
        adit_pool_close(&pool);
        assert_int_equal(adit_dispatcher_open(a, &dp, &d), 0);
        assert_int_equal(adit_chunk_put(a, &(struct adit_key){0}, (const uint16_t[ADIT_CHUNK_VOXELS]){1}, NULL), 0);
        assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
        assert_true(background ? fixture_eventually(has_idle_threads, NULL) : !idle_threads()); /* one that has just been started may not have got to it */
        adit_dispatcher_close(&d);
        adit_queue_close(&q);
        adit_detach(&a);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_begin_on_their_grid_and_not_before),
        cmocka_unit_test(whole_frames_that_passed_are_told),
        cmocka_unit_test(points_are_in_time_or_missed),
        cmocka_unit_test(the_arena_has_the_last_frames_of_a_loop),
        cmocka_unit_test(what_the_dead_had_stays_until_all_other_slots_are_used),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(background_threads_and_processes_yield_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
