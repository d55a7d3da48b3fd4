/* The world around viewers is there, and the rest is not (runtime/adit_stream.h). */
#include <errno.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "tests/chunk_fixture.h"

#define CHUNK 64.0f

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;
static struct adit_viewer *viewer;
static struct adit_stream *s; /* closed after a test that has failed, too */
static uint32_t plain, runs, broken; /* a kind that publishes a chunk of one voxel; how often it ran; its runs fail */

static int run_plain(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    static const uint16_t voxels[ADIT_CHUNK_VOXELS] = {[5] = 3};
    const struct adit_put_params fresh = {.size = sizeof fresh, .if_version = ADIT_VERSION_NONE};
    struct adit_key key;
    (void)result;
    *result_bytes = 0;
    memcpy(&key, (const char *)args + 8, sizeof key);
    __atomic_add_fetch(&runs, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&broken, __ATOMIC_RELAXED))
        return -EIO;
    int error = adit_chunk_put(run->arena, &key, voxels, &fresh);
    return error == -ESTALE ? 0 : error;
}

static void look_from(float x, float radius)
{
    const struct adit_viewer_place p = {.size = sizeof p, .at = {x * CHUNK + 32, 32, 32}, .radius = radius * CHUNK};
    if (viewer)
        assert_int_equal(adit_viewer_move(viewer, &p), 0);
    else
        assert_int_equal(adit_viewer_open(arena, &p, &viewer), 0);
}

static uint32_t ran(void) { return __atomic_load_n(&runs, __ATOMIC_RELAXED); }

static int set_up(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 32u << 20, .chunks_max = 512};
    const struct adit_pool_params workers = {.size = sizeof workers, .workers = 2};
    struct adit_kind_params k = {.size = sizeof k, .name = "plain", .run = run_plain, .args_bytes_max = 8 + sizeof(struct adit_key)};
    (void)state;
    runs = broken = 0;
    arena = fixture_create(&p);
    assert_int_equal(adit_kind_register(arena, &k, &plain), 0);
    assert_int_equal(adit_queue_open(arena, "stream", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &workers, &pool), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    adit_stream_close(&s);
    adit_viewer_close(&viewer);
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
    return 0;
}

static const uint8_t args[8 + sizeof(struct adit_key)];
static struct adit_stream_params params(void)
{
    return (struct adit_stream_params){.size = sizeof(struct adit_stream_params), .queue = queue, .y_lo = 0, .y_hi = 1, .ahead = 1, .keep = 1, .kind = plain, .args = args, .args_bytes = sizeof args, .key_at = 8};
}

static void begin(const struct adit_stream_params *p) { assert_int_equal(adit_stream_open(arena, p, &s), 0); }

static struct adit_stream_info look(void)
{
    struct adit_stream_info info = {.size = sizeof info};
    assert_int_equal(adit_stream_look(s, &info), 0);
    return info;
}

static bool is_there_at(uint32_t lod, int32_t x, int32_t z)
{
    struct adit_reader *r;
    struct adit_chunk_view view;
    const struct adit_key key = {.x = x, .z = z, .lod = (uint8_t)lod};
    assert_int_equal(adit_reader_open(arena, &r), 0);
    adit_enter(r);
    int error = adit_chunk_acquire(r, &key, &view);
    adit_exit(r);
    adit_reader_close(&r);
    return !error;
}

static bool is_there(int32_t x, int32_t z) { return is_there_at(0, x, z); }

/* The row of chunks from a to b, and nothing beside it, is there. */
struct row {
    int32_t a, b;
    uint32_t lod;
};
static bool has_row(void *user)
{
    const struct row *row = user;
    for (int32_t x = row->a - 3; x <= row->b + 3; x++)
        if (is_there_at(row->lod, x, 0) != (x >= row->a && x <= row->b))
            return false;
    return true;
}

static bool is_one_there(void *user) { return is_there(*(const int32_t *)user, 0); }

static bool has_all(void *user)
{
    (void)user;
    struct adit_stream_info info = look();
    return !info.missing && !info.wanted && !info.under_way;
}

/* Radius 2 and 1 ahead: 3 to both sides; they go once they are beyond 4. */
static void the_world_follows_a_viewer(void **state)
{
    const struct adit_stream_params p = params();
    (void)state;
    look_from(0, 2);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-3, 3, 0}));
    assert_true(is_there(1, 2));
    assert_false(is_there(3, 3)); /* a ball, no box */
    struct adit_stream_info info = look();
    assert_int_equal(info.removed, 0);
    look_from(1, 2);
    assert_true(fixture_eventually(has_row, &(struct row){-3, 4, 0})); /* -3 is kept: it is 4 away (tried: no keep) */
    shm_fixture_nap(200);
    assert_true(is_there(-3, 0));
    look_from(2, 2);
    assert_true(fixture_eventually(has_row, &(struct row){-2, 5, 0}));
    look_from(1000, 2);
    assert_true(fixture_eventually(has_row, &(struct row){997, 1003, 0}));
    assert_true(fixture_eventually(has_row, &(struct row){5, 4, 0})); /* none there */
    assert_true(fixture_eventually(has_all, NULL));
    info = look();
    assert_int_equal(info.missing_ns, 0);
    assert_int_equal(info.failed, 0);
    assert_int_equal(info.made - info.removed, fixture_stats(arena).chunks - fixture_stats(arena).encodings[ADIT_ENC_REMOVED]);
    assert_int_equal(ran(), info.made); /* none twice */
    adit_stream_close(&s);
    assert_true(is_there(1000, 0)); /* chunks stay */
}

static struct adit_viewer *open_at(struct adit_arena *a, float x, float z, float radius)
{
    const struct adit_viewer_place p = {.size = sizeof p, .at = {x, 32, z}, .radius = radius};
    struct adit_viewer *v;
    assert_int_equal(adit_viewer_open(a, &p, &v), 0);
    return v;
}

/* (tried: a chunk that both see is made for each) */
static void two_viewers_share_what_both_see(void **state)
{
    const struct adit_viewer_place p = {.size = sizeof p, .at = {CHUNK * 2, 32, 32}, .radius = 2 * CHUNK};
    struct adit_stream_params sp = params();
    struct adit_viewer *second;
    (void)state;
    sp.flight_max = 256;
    adit_pool_close(&pool);
    look_from(0, 2);
    assert_int_equal(adit_viewer_open(arena, &p, &second), 0);
    begin(&sp);
    for (uint32_t i = 0; i < 1000 && look().under_way < 40; i++)
        shm_fixture_nap(20);
    shm_fixture_nap(200);
    assert_in_range(look().under_way, 40, 60); /* not 37 for each */
    adit_stream_close(&s);
    adit_viewer_close(&second);
}

/* What is missing, or wanted, by its definition. */
static bool tells_all(void *user)
{
    struct adit_interest seen;
    uint32_t missing = 0, wanted = 0, levels = *(const uint32_t *)user;
    adit_interest_look(arena, &seen);
    for (int32_t lod = 0; lod <= (int32_t)levels; lod++)
        for (int32_t x = -100; x <= 100; x++)
            for (int32_t z = -100; z <= 100; z++) {
                const struct adit_key key = {.x = x, .z = z, .lod = (uint8_t)lod};
                uint64_t packed;
                assert_int_equal(adit_key_pack(&key, &packed), 0);
                float by = adit_interest_beyond(&seen, packed) / (CHUNK * (float)(1 << lod));
                missing += by <= 0;
                wanted += by > 0 && by <= 1;
            }
    return look().missing == missing && look().wanted == wanted;
}

/* (tried: for each viewer once; those that the viewer before sees farther out are left out, too) */
static void what_several_viewers_miss_is_told_once(void **state)
{
    const struct adit_stream_params p = params();
    struct adit_viewer *more[7];
    (void)state;
    adit_pool_close(&pool);
    look_from(0, 2);
    for (int i = 0; i < 7; i++)
        more[i] = open_at(arena, 32 + (float)(i / 4) * CHUNK * 2, 32 + (float)(i % 4) * CHUNK, CHUNK * (float)(i % 3)); /* some at one place, others beside it */
    begin(&p);
    assert_true(fixture_eventually(tells_all, &(uint32_t){0}));
    assert_int_equal(look().under_way, 32);
    for (int i = 0; i < 7; i++)
        adit_viewer_close(&more[i]);
    adit_stream_close(&s);
}

/* More than a round looks at. (tried: a long walk that forgets the column where it stopped, or begins anew each round) */
static void what_takes_several_rounds_is_found_and_told_as_well(void **state)
{
    struct adit_stream_params p = params();
    (void)state;
    adit_pool_close(&pool);
    p.levels = 2;
    look_from(0, 64);
    begin(&p);
    assert_true(fixture_eventually(tells_all, &(uint32_t){2})); /* some 40,000 */
    assert_true(look().missing_ns);
    adit_stream_close(&s);
}

/* Any consumer may be a viewer, and say anything. (tried: its radius as it is: what the other left stays for ever) */
static void a_viewer_that_sees_everything_keeps_nothing(void **state)
{
    const struct adit_stream_params p = params();
    struct adit_arena *consumer = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_viewer *greedy = open_at(consumer, 4e7f, 0, 1e9f); /* outside of the world */
    (void)state;
    look_from(0, 2);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-3, 3, 0}));
    look_from(1000, 2);
    assert_true(fixture_eventually(has_row, &(struct row){5, 4, 0})); /* none there */
    assert_true(fixture_eventually(has_row, &(struct row){997, 1003, 0}));
    adit_stream_close(&s);
    adit_viewer_close(&greedy);
    adit_detach(&consumer);
}

/* The store is full of what the first sees by then, and what is near the second is there. (tried: what the first sees as well is left to it: the second, 50 chunks off, has nothing) */
static void what_is_near_one_comes_before_what_is_far_from_another(void **state)
{
    struct adit_stream_params p = params();
    struct adit_viewer *greedy = open_at(arena, 0, 50 * CHUNK, 1e9f);
    (void)state;
    p.levels = 1;
    look_from(0, 2);
    begin(&p);
    for (int32_t x = -2; x <= 2; x++)
        assert_true(fixture_eventually(is_one_there, &x));
    adit_stream_close(&s);
    adit_viewer_close(&greedy);
}

static bool has_made(void *user)
{
    (void)user;
    return look().made > 0;
}

/* Viewers ask for some 100 million chunks: work goes on, and close does not wait until all have been looked at. (tried: rounds without a bound: none is made; a walk that does not look at stop, and has no bound: close takes minutes) */
static void however_much_is_asked_for_rounds_are_short(void **state)
{
    struct adit_stream_params p = params();
    struct adit_viewer *greedy[16];
    (void)state;
    p.y_lo = -64;
    p.y_hi = 64;
    p.ahead = 64;
    p.levels = 15;
    for (int i = 0; i < 16; i++)
        greedy[i] = open_at(arena, 1e5f * (float)i, 0, 1e9f);
    begin(&p);
    assert_true(fixture_eventually(has_made, NULL));
    assert_in_range(look().missing, 1000, UINT32_MAX); /* so many at least, though it has not seen all */
    uint64_t begin_ns = adit_clock_ns();
    adit_stream_close(&s);
    assert_true(adit_clock_ns() - begin_ns < 10000000000u); /* as it is documented; it takes some milliseconds */
    for (int i = 0; i < 16; i++)
        adit_viewer_close(&greedy[i]);
}

static void poke(float *word, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    __atomic_store_n((uint32_t *)(void *)word, bits, __ATOMIC_RELAXED);
}

/* A viewer's place may be anything: it is shared memory. */
static void viewers_anywhere_do_no_harm(void **state)
{
    const struct adit_stream_params p = params();
    (void)state;
    look_from(0, 1);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-2, 2, 0}));
    const float places[][2] = {{1e30f, 1e30f}, {-1e30f, 64}, {0, -1e30f}, {3e7f, 1}};
    for (uint32_t i = 0; i < 4; i++) {
        poke(&arena->viewers[0].at[0], places[i][0]);
        poke(&arena->viewers[0].radius, places[i][1]);
        shm_fixture_nap(50);
    }
    poke(&arena->viewers[0].radius, CHUNK);
    look_from(50, 1);
    assert_true(fixture_eventually(has_row, &(struct row){48, 52, 0}));
    adit_stream_close(&s);
}

static void others_worlds_and_levels_are_let_alone(void **state)
{
    static const uint16_t voxels[ADIT_CHUNK_VOXELS] = {1};
    const struct adit_key other = {.x = 400, .world = 1}, level = {.x = 400, .lod = 1}, far = {.x = 400}, deep = {.y = -9};
    const struct adit_stream_params p = params();
    uint64_t version;
    (void)state;
    assert_int_equal(adit_chunk_put(arena, &other, voxels, NULL) | adit_chunk_put(arena, &level, voxels, NULL) | adit_chunk_put(arena, &far, voxels, NULL) | adit_chunk_put(arena, &deep, voxels, NULL), 0);
    begin(&p);
    shm_fixture_nap(300);
    assert_int_equal(adit_chunk_version(arena, &far, &version), 0);
    assert_int_equal(version, 1); /* nobody looks: nothing goes (tried: it does) */
    assert_int_equal(ran(), 0);
    look_from(0, 1);
    assert_true(fixture_eventually(has_row, &(struct row){-2, 2, 0}));
    for (uint32_t i = 0; i < 5000 && version == 1; i++) { /* not made here, and far: it goes, too */
        shm_fixture_nap(1);
        assert_int_equal(adit_chunk_version(arena, &far, &version), 0);
    }
    assert_int_equal(version, 2);
    shm_fixture_nap(200);
    assert_int_equal(adit_chunk_version(arena, &other, &version), 0);
    assert_int_equal(version, 1);
    assert_int_equal(adit_chunk_version(arena, &level, &version), 0);
    assert_int_equal(version, 1);
    adit_stream_close(&s);
}

static struct {
    uint32_t asked, saved;
    bool stays;
    uint64_t version;
} saver;

static int save(const struct adit_chunk_view *view, void *user)
{
    if (view->key.x || view->key.z)
        return 0;
    assert_ptr_equal(user, &saver);
    __atomic_add_fetch(&saver.asked, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&saver.stays, __ATOMIC_RELAXED))
        return 1;
    __atomic_store_n(&saver.version, view->version, __ATOMIC_RELAXED);
    __atomic_add_fetch(&saver.saved, 1, __ATOMIC_RELAXED);
    return 0;
}

static bool was_asked(void *user)
{
    (void)user;
    return __atomic_load_n(&saver.asked, __ATOMIC_RELAXED) > 3;
}

static bool is_gone(void *user)
{
    (void)user;
    return !is_there(0, 0);
}

static void what_leaves_can_be_saved_or_stay(void **state)
{
    struct adit_stream_params p = params();
    const struct adit_voxel_edit edit = {.x = 1, .material = 9};
    const struct adit_key key = {0};
    (void)state;
    memset(&saver, 0, sizeof saver);
    saver.stays = true;
    p.leaving = save;
    p.user = &saver;
    look_from(0, 1);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-2, 2, 0}));
    assert_int_equal(adit_chunk_edit(arena, &key, &edit, 1, NULL), 0);
    look_from(100, 1);
    assert_true(fixture_eventually(was_asked, NULL));
    assert_true(is_there(0, 0));
    assert_in_range(look().kept, 3, UINT32_MAX);
    __atomic_store_n(&saver.stays, false, __ATOMIC_RELAXED);
    assert_true(fixture_eventually(is_gone, NULL));
    assert_int_equal(saver.saved, 1);
    assert_int_equal(saver.version, 2); /* the edited one */
    adit_stream_close(&s);
}

static bool has_failed(void *user)
{
    (void)user;
    return look().failed >= 5;
}

static void what_fails_is_tried_again_and_not_at_once(void **state)
{
    const struct adit_stream_params p = params();
    (void)state;
    broken = 1;
    look_from(0, 1);
    begin(&p);
    assert_true(fixture_eventually(has_failed, NULL));
    shm_fixture_nap(100);
    assert_in_range(ran(), 5, 60); /* 21 chunks are wanted (tried: each again at once: hundreds) */
    assert_int_equal(look().last_error, -EIO);
    assert_true(look().missing > 0 && look().missing_ns);
    __atomic_store_n(&broken, 0, __ATOMIC_RELAXED);
    assert_true(fixture_eventually(has_row, &(struct row){-2, 2, 0}));
    adit_stream_close(&s);
}

static void without_workers_it_waits_and_closes(void **state)
{
    const struct adit_stream_params p = params();
    (void)state;
    adit_pool_close(&pool);
    look_from(0, 1);
    begin(&p);
    shm_fixture_nap(100);
    assert_in_range(look().missing + look().wanted, 9, 25);
    assert_int_equal(look().under_way, look().missing + look().wanted); /* (tried: what is under way is asked for again) */
    adit_stream_close(&s);
    look_from(0, 3);
    begin(&p);
    shm_fixture_nap(50);
    assert_int_equal(look().under_way, 32);
    uint64_t since = look().missing_ns;
    look_from(500, 3); /* what is under way is no longer wanted (tried: it is waited for all the same: the new ones never come) */
    for (uint32_t i = 0; i < 5000 && look().cancelled < 32; i++)
        shm_fixture_nap(1);
    assert_in_range(look().cancelled, 32, UINT32_MAX);
    assert_int_equal(look().missing_ns, since);
    adit_stream_close(&s);
    assert_int_equal(fixture_stats(arena).tasks_queued + fixture_stats(arena).tasks_ended, 0); /* (tried: tasks that are left) */
}

static void the_next_stream_goes_on(void **state)
{
    struct adit_stream_params p = params();
    (void)state;
    look_from(0, 2);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-3, 3, 0}));
    adit_stream_close(&s);
    uint32_t before = ran();
    look_from(3, 2);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){-1, 6, 0}));
    assert_in_range(ran() - before, 1, 37);
    adit_stream_close(&s);
}

static void terrain_is_what_comes_by_itself(void **state)
{
    const struct adit_stream_params p = {.size = sizeof p, .queue = queue, .y_lo = 0, .y_hi = 2, .ahead = 1};
    (void)state;
    look_from(7, 1);
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){5, 9, 0}));
    adit_stream_close(&s);
}

/* As far in chunks of each level, so twice as far from one to the next. (tried: ahead, or what is too far, counted in chunks of level 0; levels left where they were) */
static void beyond_the_radius_there_is_less_detail(void **state)
{
    struct adit_stream_params p = params();
    (void)state;
    p.levels = 2;
    p.y_lo = -1; /* at every level -1 and 0 */
    look_from(0, 2);
    begin(&p);
    for (uint32_t lod = 0; lod < 3; lod++)
        assert_true(fixture_eventually(has_row, &(struct row){-3, 3, lod}));
    assert_true(fixture_eventually(has_all, NULL));
    assert_false(is_there_at(3, 0, 0));
    uint32_t before = ran();
    shm_fixture_nap(100);
    assert_int_equal(ran(), before);
    look_from(1000, 2); /* at level 1 it is in the first half of a chunk again, likewise at level 2 */
    for (uint32_t lod = 0; lod < 3; lod++)
        assert_true(fixture_eventually(has_row, &(struct row){(1000 >> lod) - 3, (1000 >> lod) + 3, lod}));
    for (uint32_t lod = 0; lod < 3; lod++)
        assert_true(fixture_eventually(has_row, &(struct row){5, 4, lod})); /* none there */
    adit_stream_close(&s);
}

static void terrain_far_off_is_that_of_its_level(void **state)
{
    static uint16_t want[ADIT_CHUNK_VOXELS], got[ADIT_CHUNK_VOXELS];
    const struct adit_stream_params p = {.size = sizeof p, .queue = queue, .y_lo = 0, .y_hi = 2, .ahead = 1, .levels = 2, .seed = 9};
    const struct adit_key key = {.x = 1, .lod = 2};
    struct adit_reader *r;
    struct adit_chunk_view view;
    (void)state;
    look_from(7, 0); /* chunk 1 of level 2 */
    begin(&p);
    assert_true(fixture_eventually(has_row, &(struct row){0, 2, 2}));
    adit_stream_close(&s);
    adit_generate_level(adit_generator_named("terrain"), 9, 2, 1, 0, 0, want);
    assert_int_equal(adit_reader_open(arena, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_chunk_acquire(r, &key, &view), 0);
    adit_chunk_decode(&view, got);
    assert_int_equal(adit_exit(r), 0);
    adit_reader_close(&r);
    assert_memory_equal(got, want, sizeof want);
}

static void what_is_wrong_is_said(void **state)
{
    struct adit_stream_params bad[7];
    struct adit_stream_info info = {.size = 1};
    (void)state;
    for (uint32_t i = 0; i < 7; i++)
        bad[i] = params();
    bad[0].queue = NULL;
    bad[1].y_hi = bad[1].y_lo;
    bad[2].ahead = 65;
    bad[3].flight_max = 257;
    bad[4].key_at = 9; /* it does not fit behind it */
    bad[5].args_bytes = 65;
    bad[6].levels = 16;
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(adit_stream_open(arena, &bad[i], &s), -EINVAL);
        assert_null(s);
        assert_true(*adit_detail());
    }
    bad[6] = params();
    bad[6].size--;
    assert_int_equal(adit_stream_open(arena, &bad[6], &s), -EMSGSIZE);
    bad[6] = params();
    struct adit_arena *consumer = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    assert_int_equal(adit_stream_open(consumer, &bad[6], &s), -EROFS);
    adit_detach(&consumer);
    look_from(0, 1);
    begin(&bad[6]);
    assert_int_equal(adit_stream_look(s, &info), -EMSGSIZE);
    adit_stream_close(&s);
    adit_stream_close(&s); /* and nothing more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_world_follows_a_viewer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_viewers_share_what_both_see, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_several_viewers_miss_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_several_rounds_is_found_and_told_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_viewer_that_sees_everything_keeps_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_near_one_comes_before_what_is_far_from_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(however_much_is_asked_for_rounds_are_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(viewers_anywhere_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_worlds_and_levels_are_let_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_leaves_can_be_saved_or_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_tried_again_and_not_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_workers_it_waits_and_closes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_stream_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(terrain_is_what_comes_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_radius_there_is_less_detail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(terrain_far_off_is_that_of_its_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("streams", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
