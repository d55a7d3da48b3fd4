/* A stream in an arena that is too small for what viewers see: what is nearest is there, and it is calm (runtime/adit_stream.h, runtime/room.h). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "tests/chunk_fixture.h"

#define CHUNK 64.0f
#define REACH 40 /* chunks to all sides that are looked at here */

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;
static struct adit_dispatcher *dispatcher;
static struct adit_viewer *viewer, *second;
static struct adit_reader *reader;
static struct adit_stream *s;
static uint32_t plain, runs;
static uint16_t light[ADIT_CHUNK_VOXELS], heavy[ADIT_CHUNK_VOXELS];
static const uint16_t *voxels; /* of each chunk; NULL: terrain */

static int run_plain(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const struct adit_put_params fresh = {.size = sizeof fresh, .if_version = ADIT_VERSION_NONE, .renewable = true};
    struct adit_key key;
    (void)result;
    *result_bytes = 0;
    memcpy(&key, args, sizeof key);
    __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED);
    uint16_t *terrain = voxels ? NULL : malloc(ADIT_CHUNK_VOXELS * sizeof *terrain);
    if (terrain)
        adit_generate(adit_generator_named("terrain"), 1, key.x, key.y, key.z, terrain);
    int error = adit_chunk_put(run->arena, &key, terrain ? terrain : voxels, &fresh);
    free(terrain);
    return error == -ESTALE ? -EEXIST : error;
}

static uint32_t ran(void) { return __atomic_load_n(&runs, __ATOMIC_RELAXED); }

static void look_from(struct adit_viewer **v, float x, float z, float radius)
{
    const struct adit_viewer_place p = {.size = sizeof p, .at = {x * CHUNK + 32, 32, z * CHUNK + 32}, .radius = radius * CHUNK};
    assert_int_equal(*v ? adit_viewer_move(*v, &p) : adit_viewer_open(arena, &p, v), 0);
}

static void set_up_with(uint64_t data_bytes, uint32_t chunks_max)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = data_bytes, .chunks_max = chunks_max};
    const struct adit_pool_params workers = {.size = sizeof workers, .workers = 2};
    const struct adit_dispatcher_params meshing = {.size = sizeof meshing, .workers = 1};
    struct adit_kind_params k = {.size = sizeof k, .name = "plain", .run = run_plain, .args_bytes_max = sizeof(struct adit_key)};
    runs = 0;
    light[5] = 3;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* cubes of 8 */
        heavy[i] = (uint16_t)(fixture_mix(i >> 15 << 6 | (i >> 9 & 7) << 3 | (i >> 3 & 7)) % 3);
    voxels = light;
    arena = fixture_create(&p);
    assert_int_equal(adit_kind_register(arena, &k, &plain), 0);
    assert_int_equal(adit_queue_open(arena, "stream", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &workers, &pool), 0);
    assert_int_equal(adit_dispatcher_open(arena, &meshing, &dispatcher), 0);
    assert_int_equal(adit_reader_open(arena, &reader), 0);
}

static int few_keys(void **state)
{
    (void)state;
    set_up_with(32u << 20, 64); /* 128 places, of which 112 are used */
    return 0;
}

static int little_memory(void **state)
{
    (void)state;
    set_up_with(8u << 20, 2048);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    adit_stream_close(&s);
    adit_viewer_close(&second);
    adit_viewer_close(&viewer);
    adit_reader_close(&reader);
    adit_dispatcher_close(&dispatcher);
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
    return 0;
}

static void begin(void)
{
    static const uint8_t args[sizeof(struct adit_key)];
    const struct adit_stream_params p = {.size = sizeof p, .queue = queue, .y_lo = 0, .y_hi = 1, .ahead = 1, .keep = 1, .kind = plain, .args = args, .args_bytes = sizeof args};
    assert_int_equal(adit_stream_open(arena, &p, &s), 0);
}

static struct adit_stream_info look(void)
{
    struct adit_stream_info info = {.size = sizeof info};
    assert_int_equal(adit_stream_look(s, &info), 0);
    return info;
}

/* The chunks that are there: how many, and how far from the viewers the farthest of them lies and the nearest of the others. */
struct held {
    uint32_t n;
    float farthest, nearest_missing;
};
static struct held held(void)
{
    struct held h = {.nearest_missing = INFINITY};
    struct adit_interest seen;
    struct adit_chunk_view view;
    adit_interest_look(arena, &seen);
    for (int32_t x = -REACH; x <= REACH; x++)
        for (int32_t z = -REACH; z <= REACH; z++) {
            const struct adit_key key = {.x = x, .z = z};
            uint64_t packed;
            assert_int_equal(adit_key_pack(&key, &packed), 0);
            float distance = adit_interest_distance(&seen, packed);
            adit_enter(reader);
            int error = adit_chunk_acquire(reader, &key, &view);
            adit_exit(reader);
            h.n += !error;
            if (!error)
                h.farthest = distance > h.farthest ? distance : h.farthest;
            else
                h.nearest_missing = distance < h.nearest_missing ? distance : h.nearest_missing;
        }
    return h;
}

/* Waits until nothing has been made or removed for a second and a half, up to two minutes. */
static void settle(void)
{
    struct adit_stream_info before = look(), now = before;
    bool is_calm = false;
    for (uint32_t i = 0; i < 80 && !is_calm; i++) {
        before = now;
        shm_fixture_nap(1500);
        now = look();
        is_calm = now.made == before.made && now.removed == before.removed && !now.under_way;
    }
    assert_true(is_calm);
}

/* By more than the margin of one chunk nothing that is there is farther than what is not. */
static bool has_nearest(void *user)
{
    (void)user;
    struct held h = held();
    return h.farthest <= h.nearest_missing + 1.01f && h.n > 20;
}

static bool is_there(int32_t x, int32_t z)
{
    struct adit_chunk_view view;
    const struct adit_key key = {.x = x, .z = z};
    adit_enter(reader);
    int error = adit_chunk_acquire(reader, &key, &view);
    adit_exit(reader);
    return !error;
}

static void expect_pressed(uint32_t pressed)
{
    struct adit_stream_info info = look();
    struct held h = held();
    assert_int_equal(info.pressed, pressed);
    assert_true(info.missing > 0 && info.missing_ns);
    assert_true(fabsf(info.whole - h.nearest_missing) < 0.01f);
}

/* (tried: no bound on what is begun: all 128 places are taken; what was under way as a look began is not counted: the same with slow workers; a margin of -1: made and removed in turns, never calm) */
static void a_store_that_is_too_small_holds_what_is_nearest(void **state)
{
    (void)state;
    look_from(&viewer, 0, 0, 9);
    begin();
    settle();
    assert_true(has_nearest(NULL));
    expect_pressed(ADIT_STREAM_KEYS);
    struct held h = held();
    assert_in_range(h.n, 100, 112);
    assert_true(h.nearest_missing > 4);
    assert_int_equal(look().failed, 0);
    uint32_t before = ran();
    for (int32_t x = 1; x <= 12; x++) { /* each time some 11 come nearer than what was the farthest */
        look_from(&viewer, (float)x, 0, 9);
        assert_true(fixture_eventually(has_nearest, NULL)); /* (tried: nothing goes for want of room) */
    }
    settle();
    assert_true(has_nearest(NULL));
    assert_in_range(ran() - before, 12 * 8, 12 * 16);
    assert_in_range(look().evicted, 12 * 4, 12 * 16);
    assert_int_equal(look().made - look().removed, held().n);
}

/* What others have published or edited is not the stream's to take while somebody sees it. (tried: anything goes) */
static void what_cannot_be_made_again_stays(void **state)
{
    const struct adit_voxel_edit edit = {.x = 1, .material = 9};
    const struct adit_key edited = {.x = -3}, put = {.x = -8};
    (void)state;
    assert_int_equal(adit_chunk_put(arena, &put, light, NULL), 0);
    look_from(&viewer, 0, 0, 9);
    begin();
    settle();
    assert_int_equal(adit_chunk_edit(arena, &edited, &edit, 1, NULL), 0);
    look_from(&viewer, 5, 0, 20); /* 8 and 13 away: all others go */
    settle();
    assert_false(is_there(-3, 1));
    assert_true(is_there(-3, 0));
    assert_true(is_there(-8, 0));
    look_from(&viewer, 30, 0, 4); /* as ever: far from all viewers */
    for (uint32_t i = 0; i < 5000 && (is_there(-3, 0) || is_there(-8, 0)); i++)
        shm_fixture_nap(5);
    assert_false(is_there(-3, 0) || is_there(-8, 0));
}

static bool has_second(void *user)
{
    (void)user;
    for (int32_t x = 19; x <= 21; x++)
        for (int32_t z = -1; z <= 1; z++)
            if (!is_there(x, z))
                return false;
    return true;
}

static bool sees_far(void *user)
{
    (void)user;
    return look().whole > 4;
}

/* The first has filled the store by then. (tried: nothing goes for want of room) */
static void what_is_near_a_second_viewer_replaces_what_is_far_from_the_first(void **state)
{
    (void)state;
    look_from(&viewer, 0, 0, 64);
    begin();
    settle();
    look_from(&second, 20, 0, 3);
    assert_true(fixture_eventually(has_second, NULL));
    assert_true(fixture_eventually(has_nearest, NULL));
    settle();
    adit_viewer_close(&second);
    assert_true(fixture_eventually(has_nearest, NULL));
    assert_true(fixture_eventually(sees_far, NULL));
}

static bool is_whole(void *user)
{
    (void)user;
    struct adit_stream_info info = look();
    return !info.missing && !info.pressed && isinf(info.whole);
}

static bool all_are_meshed(void *user)
{
    (void)user;
    struct adit_stats st = fixture_stats(arena);
    return !st.dirty && !st.in_work && st.meshes >= held().n;
}

static bool holds_less(void *user) { return held().n < *(const uint32_t *)user; }

/* Voxels leave room for meshes, and make way for others. (tried: no reserve, and meshes to come not counted: nothing makes way) */
static void memory_that_is_too_small_holds_what_is_nearest_with_its_meshes(void **state)
{
    struct adit_key fill = {.world = 1};
    (void)state;
    voxels = heavy;
    look_from(&viewer, 0, 0, 9);
    begin();
    settle();
    assert_true(has_nearest(NULL));
    expect_pressed(ADIT_STREAM_BYTES);
    assert_true(fixture_eventually(all_are_meshed, NULL));
    for (int32_t x = 1; x <= 6; x++) {
        look_from(&viewer, (float)x, 0, 9);
        assert_true(fixture_eventually(has_nearest, NULL));
    }
    settle();
    assert_true(fixture_eventually(all_are_meshed, NULL));
    struct held h = held();
    int error = 0;
    for (fill.x = 0; fill.x < 24 && !error; fill.x++) /* others take memory: what is farthest makes way */
        error = adit_chunk_put(arena, &fill, heavy, NULL);
    assert_true(!error || error == -ENOMEM);
    assert_true(fixture_eventually(holds_less, &h.n));
    settle();
    assert_true(has_nearest(NULL));
    assert_true(fixture_eventually(all_are_meshed, NULL));
    for (; fill.x >= 0; fill.x--) /* and give it back */
        (void)adit_chunk_remove(arena, &fill, NULL);
    look_from(&viewer, 6, 0, 2);
    assert_true(fixture_eventually(is_whole, NULL));
    look_from(&viewer, 6, 0, 9);
    settle();
    assert_true(held().n + 12 > h.n);
    struct adit_verify_params deep = {.size = sizeof deep, .flags = ADIT_VERIFY_DEEP};
    assert_int_equal(adit_verify(arena, &deep, NULL, NULL), 0);
}

static bool is_whole_at(void *user) { return is_there(*(const int32_t *)user, 0) && is_whole(NULL); }

/* Whoever counted may have gone, and what was short with it. Several places, since a count of what there is takes some rounds. (tried: any number other than 0 counts: nothing is made, for ever) */
static void what_starved_once_stops_nothing(void **state)
{
    (void)state;
    adit_dispatcher_close(&dispatcher); /* a mesh that finds room sets it to 0 */
    adit_store_relaxed(&arena->control->starved, 7);
    for (int32_t x = 0; x < 120; x += 40) {
        look_from(&viewer, (float)x, 0, 2);
        if (!x)
            begin();
        assert_true(fixture_eventually(is_whole_at, &x));
        shm_fixture_nap(300);
        if (x == 40)
            adit_store_relaxed(&arena->control->starved, 8); /* it grows once: it stops, and goes on */
    }
}

static bool is_whole_while_it_grows(void *user)
{
    adit_add_relaxed(&arena->control->starved, 1);
    return is_whole_at(user);
}

/* Any producer can count on and on. It is whole while it makes, so between two stops. (tried: each that has grown is heard: nothing is made, for ever) */
static void who_says_starved_for_ever_does_not_stop_it_for_good(void **state)
{
    (void)state;
    adit_dispatcher_close(&dispatcher);
    for (int32_t x = 0; x < 120; x += 40) {
        look_from(&viewer, (float)x, 0, 2);
        if (!x)
            begin();
        assert_true(fixture_eventually(is_whole_while_it_grows, &x));
        for (uint32_t i = 0; i < 60; i++, shm_fixture_nap(5))
            (void)is_whole_while_it_grows(&x);
    }
}

/* What a flight has removed leaves room for chunks, not for splinters of it. tried: nothing forgotten while keys are many */
static void a_flight_leaves_no_rubble(void **state)
{
    (void)state;
    voxels = NULL;
    look_from(&viewer, 30, 0, 4);
    begin();
    for (uint32_t i = 0; i < 400; i++) {
        look_from(&viewer, 30 * cosf((float)i / 15), 30 * sinf((float)i / 15), 4);
        shm_fixture_nap(20);
    }
    settle();
    assert_true(held().nearest_missing >= 1);
    assert_true(look().evicted + look().removed > 50); /* on a machine that does little else some thousands */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_that_is_too_small_holds_what_is_nearest, few_keys, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_again_stays, few_keys, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_a_second_viewer_replaces_what_is_far_from_the_first, few_keys, tear_down),
        cmocka_unit_test_setup_teardown(memory_that_is_too_small_holds_what_is_nearest_with_its_meshes, little_memory, tear_down),
        cmocka_unit_test_setup_teardown(what_starved_once_stops_nothing, few_keys, tear_down),
        cmocka_unit_test_setup_teardown(who_says_starved_for_ever_does_not_stop_it_for_good, few_keys, tear_down),
        cmocka_unit_test_setup_teardown(a_flight_leaves_no_rubble, little_memory, tear_down),
    };
    return cmocka_run_group_tests_name("streams short of room", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
