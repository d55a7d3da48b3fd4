/* How often a chunk is meshed (runtime/interest.h, How often; dirty.h): as often as viewers with frames can see it, and as soon as may be for all others. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"
#include "tests/chunk_fixture.h"

#define MS 1000000ull
#define CHUNK 64.0f

static uint64_t pack(struct adit_key k)
{
    uint64_t packed;
    REQUIRE(!adit_key_pack(&k, &packed));
    return packed;
}

static struct adit_interest_viewer viewer(float x, float chunks, uint64_t frame_ns, uint64_t frame_at_ns)
{
    return (struct adit_interest_viewer){.at = {x, 32, 32}, .radius = chunks * CHUNK, .frame_ns = frame_ns, .frame_at_ns = frame_at_ns};
}

static uint64_t due(const struct adit_interest *seen, int32_t x, uint8_t lod, uint64_t now) { return adit_interest_due(seen, pack((struct adit_key){.x = x, .lod = lod}), now); }

/* tried: the quarter before the frame left out; the frame that begins now instead of the next; frames in the future taken as those of the past */
static void the_next_mesh_is_for_the_next_frame(void **state)
{
    (void)state;
    struct adit_interest seen = {.n = 1, .viewer = {viewer(32, 3, 16 * MS, 0)}};
    assert_int_equal(due(&seen, 0, 0, 1000 * MS), 1016 * MS); /* not known when they begin: one later */
    seen.viewer[0].frame_at_ns = 1000 * MS;                   /* begun at 996, 1012, 1028, ... and as well 980 */
    assert_int_equal(due(&seen, 0, 0, 1000 * MS), 1012 * MS);
    assert_int_equal(due(&seen, 0, 0, 1012 * MS - 1), 1012 * MS);
    assert_int_equal(due(&seen, 0, 0, 1012 * MS), 1028 * MS);
    assert_int_equal(due(&seen, 0, 0, 990 * MS), 996 * MS);
    assert_int_equal(due(&seen, 0, 0, 980 * MS), 996 * MS);
    assert_int_equal(due(&seen, 0, 0, 979 * MS), 980 * MS);
    assert_int_equal(due(&seen, 0, 0, 5000 * MS), 5012 * MS); /* 996 + 251 * 16 */
    for (uint64_t now = 1; now < 3000 * MS; now += 1234567)
        for (uint64_t at = 1; at < 3000 * MS; at += 98765432) {
            seen.viewer[0].frame_at_ns = at;
            uint64_t d = due(&seen, 0, 0, now);
            assert_true(d > now && d <= now + 16 * MS && (at + 16000 * MS - 4 * MS - d) % (16 * MS) == 0);
        }
}

/* tried: whoever comes last counts; beyond the radius counts; another world counts; the radius not of the level */
static void the_soonest_of_who_sees_it_counts(void **state)
{
    (void)state;
    struct adit_interest seen = {.n = 3, .viewer = {viewer(32, 3, 16 * MS, 0), viewer(32, 2, 7 * MS, 0), viewer(32, 1, 100 * MS, 0)}};
    assert_int_equal(due(&seen, 0, 0, 50), 50 + 7 * MS);
    assert_int_equal(due(&seen, 3, 0, 50), 50 + 16 * MS);
    assert_int_equal(due(&seen, 9, 0, 50), 50 + 100 * MS); /* in nobody's sight, where all look in frames */
    assert_int_equal(due(&seen, 2, 2, 50), 50 + 7 * MS); /* of level 2 four times as far is seen */
    seen.viewer[2].frame_ns = 0;
    assert_int_equal(due(&seen, 0, 0, 50), 0); /* somebody looks all the time */
    assert_int_equal(due(&seen, 3, 0, 50), 50 + 16 * MS);
    assert_int_equal(due(&seen, 9, 0, 50), 0);
    seen.viewer[2].world = 1;
    assert_int_equal(due(&seen, 0, 0, 50), 50 + 7 * MS);
    seen.n = 0;
    assert_int_equal(due(&seen, 0, 0, 50), 0);
}

static void frames_are_checked(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL);
    struct adit_viewer_place p = {.size = sizeof p, .radius = 100, .frame_ns = ADIT_FRAME_LONGEST + 1};
    struct adit_viewer *v;
    struct adit_interest seen;
    assert_int_equal(adit_viewer_open(a, &p, &v), -EINVAL);
    p.frame_ns = ADIT_FRAME_LONGEST;
    p.frame_at_ns = 77;
    assert_int_equal(adit_viewer_open(a, &p, &v), 0);
    adit_interest_look(a, &seen);
    assert_true(seen.n == 1 && seen.viewer[0].frame_ns == ADIT_FRAME_LONGEST && seen.viewer[0].frame_at_ns == 77);
    a->viewers[0].frame_ns = UINT64_MAX; /* damaged */
    a->viewers[0].frame_at_ns = 3;
    adit_interest_look(a, &seen);
    for (uint64_t now = 1; now < UINT64_MAX / 3; now = now * 5 + 1) {
        uint64_t d = due(&seen, 0, 0, now);
        assert_true(d > now && d <= now + ADIT_FRAME_LONGEST);
    }
    adit_viewer_close(&v);
    adit_detach(&a);
}

/* ---- with dispatchers ---- */

static const struct adit_key key = {.x = 0};

static const uint16_t *terrain(void)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    adit_generate(adit_generator_named("terrain"), 1, 0, 0, 0, voxels);
    return voxels;
}

static uint64_t serial_of(struct adit_reader *r)
{
    struct adit_mesh_view m;
    adit_enter(r);
    uint64_t serial = adit_mesh_acquire(r, &key, &m) ? 0 : m.serial;
    adit_exit(r);
    return serial;
}

struct storm {
    uint64_t meshes, took_ns, soonest_ns; /* soonest_ns: from one to the next */
};

/* Edits one chunk on and on until it has been meshed so often; the mesh there is at the end shows the last edit. */
static struct storm edit_until(uint64_t meshes, const struct adit_viewer_place *place, const struct adit_dispatcher_params *by)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_viewer *v = NULL;
    struct adit_dispatcher *d;
    struct adit_reader *r;
    struct adit_mesh_view m;
    uint64_t version = 0;
    assert_int_equal(adit_chunk_put(a, &key, terrain(), NULL), 0);
    assert_int_equal(adit_reader_open(a, &r), 0);
    assert_int_equal(adit_viewer_open(a, place, &v), 0);
    assert_int_equal(adit_dispatcher_open(a, by, &d), 0);
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    uint64_t first = serial_of(r), begin = adit_clock_ns(), seen = first, last = begin, soonest = UINT64_MAX;
    for (uint32_t i = 0; seen < first + meshes; i++) {
        uint64_t serial = serial_of(r), now = adit_clock_ns();
        if (serial == seen + 1 && seen > first)
            soonest = now - last < soonest ? now - last : soonest;
        last = serial != seen ? now : last;
        seen = serial;
        const struct adit_voxel_edit e = {.x = i % 64, .y = 63, .z = i / 64 % 64, .material = (uint16_t)(1 + ((i + i / 4096) & 1))}; /* never what is there */
        const struct adit_put_params p = {.size = sizeof p, .version = &version};
        assert_int_equal(adit_chunk_edit(a, &key, &e, 1, &p), 0);
    }
    struct storm s = {seen - first, adit_clock_ns() - begin, soonest};
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    adit_enter(r);
    assert_int_equal(adit_mesh_acquire(r, &key, &m), 0);
    assert_int_equal(m.source[0], version);
    adit_exit(r);
    adit_dispatcher_close(&d);
    adit_viewer_close(&v);
    adit_reader_close(&r);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    return s;
}

/* Each mesh but the first waits for its frame, however laden the machine is, and not for the next look around, which is 100 ms later. tried: a walk that looks at no due time; meshers that set none; sleepers that do not wait until something is due */
static void a_chunk_edited_on_and_on_is_meshed_once_a_frame(void **state)
{
    (void)state;
    const uint64_t frame_ns = 10 * MS;
    const struct adit_viewer_place in_frames = {.size = sizeof in_frames, .radius = 200, .frame_ns = frame_ns}, at_once = {.size = sizeof at_once, .radius = 200};
    const struct adit_dispatcher_params ways[] = {{.size = sizeof ways[0], .workers = 1}, {.size = sizeof ways[0], .workers = 3}, {.size = sizeof ways[0], .processes = 2}};
    for (uint32_t i = 0; i < 3; i++) {
        struct storm s = edit_until(20, &in_frames, &ways[i]);
        if (s.took_ns < 19 * frame_ns || s.soonest_ns > 4 * frame_ns)
            fail_msg("way %u: %llu meshes in %llu ns, %llu ns apart at least", i, (unsigned long long)s.meshes, (unsigned long long)s.took_ns, (unsigned long long)s.soonest_ns);
    }
    assert_true(edit_until(8, &at_once, &ways[0]).meshes >= 8);
}

static struct waiting {
    struct adit_arena *arena;
    const uint32_t *never;
    int error;
} waiting;
static void *wait_for_dirty(void *user)
{
    struct waiting *w = user;
    w->error = adit_dirty_wait(w->arena, w->never, 20ull * ADIT_FRAME_LONGEST);
    return NULL;
}

/* Who watches meshes and is no viewer has each change's at once, whoever looks in frames beside him. tried: watches not looked at */
static void who_watches_without_a_viewer_does_not_wait(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL), *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    const struct adit_viewer_place in_frames = {.size = sizeof in_frames, .radius = 200, .frame_ns = ADIT_FRAME_LONGEST};
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    struct adit_watch_params meshes = {.size = sizeof meshes, .what = ADIT_WATCH_MESHES};
    struct adit_viewer *v;
    struct adit_watch *w;
    struct adit_dispatcher *d;
    uint32_t cursor = 0, index;
    struct adit_dirty_walk walk = {0};
    assert_int_equal(adit_chunk_put(a, &key, terrain(), NULL), 0);
    assert_true(adit_dirty_next(a, &walk, &cursor, &index));
    assert_int_equal(adit_viewer_open(a, &in_frames, &v), 0);
    assert_int_equal(adit_dispatcher_open(a, &one, &d), 0);
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    assert_true(a->entries[index].due_ns > 0);
    assert_int_equal(adit_watch_open(other, &meshes, &w), 0);
    const struct adit_voxel_edit e = {.x = 1, .y = 63, .z = 1, .material = 2};
    assert_int_equal(adit_chunk_edit(a, &key, &e, 1, NULL), 0);
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    assert_int_equal(a->entries[index].due_ns, 0);
    adit_watch_close(&w);
    adit_dispatcher_close(&d);
    adit_viewer_close(&v);
    adit_detach(&other);
    adit_detach(&a);
}

static bool is_behind(void *arena) { return adit_dirty_count(arena) == 1; }

/* A viewer that tells its frames anew in each of them never tells quite the same. (tried: what is due later than it would be now is due at once: a chunk is meshed twice a frame) */
static void a_grid_that_shakes_brings_no_meshes_sooner_than_its_frames(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL);
    struct adit_viewer_place in_frames = {.size = sizeof in_frames, .radius = 200, .frame_ns = ADIT_FRAME_LONGEST, .frame_at_ns = adit_clock_ns() + ADIT_FRAME_LONGEST};
    struct adit_viewer *v;
    uint32_t cursor = 0, index = 0;
    assert_int_equal(adit_viewer_open(a, &in_frames, &v), 0);
    assert_int_equal(adit_chunk_put(a, &key, terrain(), NULL), 0);
    assert_true(adit_dirty_next(a, &(struct adit_dirty_walk){0}, &cursor, &index));
    struct adit_interest seen;
    adit_interest_look(a, &seen);
    uint64_t due = a->entries[index].due_ns = adit_interest_due(&seen, adit_store_key(a, index), adit_clock_ns());
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t at = index;
        cursor = 0;
        in_frames.frame_at_ns = i % 3 ? in_frames.frame_at_ns + MS : in_frames.frame_at_ns - 3 * MS;
        assert_int_equal(adit_viewer_move(v, &in_frames), 0);
        bool is_due = adit_dirty_next(a, &(struct adit_dirty_walk){0}, &cursor, &at);
        assert_true(!is_due || adit_clock_ns() > due - 60 * MS);
        assert_true(a->entries[index].due_ns <= due);
        assert_true(a->entries[index].due_ns >= due - 60 * MS);
    }
    adit_viewer_close(&v);
    adit_detach(&a);
}

/* Who comes while chunks wait until they are due does not wait for that. (tried: nobody is woken) */
static void who_comes_to_look_all_the_time_wakes_who_waits_until_then(void **state)
{
    (void)state;
    static const uint32_t never = 0;
    struct adit_arena *a = fixture_create(NULL);
    const struct adit_viewer_place in_frames = {.size = sizeof in_frames, .radius = 200, .frame_ns = ADIT_FRAME_LONGEST}, always = {.size = sizeof always, .radius = 200};
    struct adit_viewer *v, *w;
    uint32_t cursor = 0, index = 0;
    pthread_t sleeper;
    assert_int_equal(adit_chunk_put(a, &key, terrain(), NULL), 0);
    assert_true(adit_dirty_next(a, &(struct adit_dirty_walk){0}, &cursor, &index));
    assert_int_equal(adit_viewer_open(a, &in_frames, &v), 0);
    const uint64_t due = a->entries[index].due_ns = adit_clock_ns() + ADIT_FRAME_LONGEST;
    waiting = (struct waiting){.arena = a, .never = &never};
    assert_int_equal(pthread_create(&sleeper, NULL, wait_for_dirty, &waiting), 0);
    while (!adit_load32_relaxed(&a->waits->dirty_event.waiters))
        shm_fixture_nap(1);
    uint32_t posts = adit_load32_acquire(&a->waits->dirty_event.seq);
    assert_int_equal(adit_viewer_open(a, &always, &w), 0);
    assert_true(adit_load32_acquire(&a->waits->dirty_event.seq) != posts || adit_clock_ns() >= due);
    pthread_join(sleeper, NULL);
    assert_int_equal(waiting.error, 0);
    adit_viewer_close(&w);
    adit_viewer_close(&v);
    adit_detach(&a);
}

/* An entry's due time that no frame can have given is damage, and keeps nobody from its mesh; nor does that of who had its place before, or of who looked before. tried: each */
static void no_mesh_waits_for_what_lies_in_an_entry(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL);
    uint32_t cursor = 0, index;
    struct adit_dirty_walk walk = {0};
    struct adit_viewer_place in_frames = {.size = sizeof in_frames, .radius = 200, .frame_ns = ADIT_FRAME_LONGEST};
    struct adit_viewer *v;
    assert_int_equal(adit_viewer_open(a, &in_frames, &v), 0);
    assert_int_equal(adit_chunk_put(a, &key, terrain(), NULL), 0);
    assert_true(adit_dirty_next(a, &walk, &cursor, &index));
    a->entries[index].due_ns = adit_clock_ns() + 3600 * 1000 * MS;
    walk = (struct adit_dirty_walk){0};
    cursor = 0;
    uint32_t damaged = index;
    assert_false(adit_dirty_next(a, &walk, &cursor, &damaged));
    assert_true(a->entries[index].due_ns <= adit_clock_ns() + ADIT_FRAME_LONGEST); /* a frame, from that look */
    a->entries[index].due_ns = adit_clock_ns() + ADIT_FRAME_LONGEST;
    walk = (struct adit_dirty_walk){0};
    uint32_t at = index;
    assert_false(adit_dirty_next(a, &walk, &cursor, &at));
    assert_int_equal(walk.due_ns, a->entries[index].due_ns);
    const uint32_t never = 0;
    uint64_t begin = adit_clock_ns();
    assert_int_equal(adit_dirty_wait(a, &never, 3 * ADIT_FRAME_LONGEST), 0); /* until it is due, and not longer */
    assert_true(adit_clock_ns() - begin >= ADIT_FRAME_LONGEST / 2);
    a->entries[index].due_ns = adit_clock_ns() + ADIT_FRAME_LONGEST - MS;
    assert_int_equal(adit_dirty_count(a), 0); /* nothing is behind */
    assert_true(adit_dirty_since(a, index) > adit_clock_ns());
    in_frames.frame_ns = MS; /* who looks now looks sooner */
    assert_int_equal(adit_viewer_move(v, &in_frames), 0);
    assert_true(fixture_eventually(is_behind, a));
    in_frames.frame_ns = ADIT_FRAME_LONGEST;
    assert_int_equal(adit_viewer_move(v, &in_frames), 0);
    a->entries[index].due_ns = adit_clock_ns() + ADIT_FRAME_LONGEST;
    assert_int_equal(adit_dirty_count(a), 0);
    adit_viewer_close(&v); /* nobody does: who reads meshes without a viewer is not to wait for one that was */
    assert_int_equal(adit_dirty_count(a), 1);
    adit_tombstones_clear(a, index);
    assert_int_equal(a->entries[index].due_ns, 0);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_mesh_is_for_the_next_frame),
        cmocka_unit_test(the_soonest_of_who_sees_it_counts),
        cmocka_unit_test(frames_are_checked),
        cmocka_unit_test(a_chunk_edited_on_and_on_is_meshed_once_a_frame),
        cmocka_unit_test(who_watches_without_a_viewer_does_not_wait),
        cmocka_unit_test(a_grid_that_shakes_brings_no_meshes_sooner_than_its_frames),
        cmocka_unit_test(who_comes_to_look_all_the_time_wakes_who_waits_until_then),
        cmocka_unit_test(no_mesh_waits_for_what_lies_in_an_entry),
    };
    return cmocka_run_group_tests_name("pace", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
