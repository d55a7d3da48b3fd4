/* What is seen first (runtime/interest.h, agenda.h): ranks, viewers and their slots, and the order in which a dispatcher meshes. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/agenda.h"
#include "runtime/offers.h"
#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "runtime/reach.h"
#include "tests/chunk_fixture.h"

static uint64_t pack(struct adit_key k)
{
    uint64_t packed;
    REQUIRE(!adit_key_pack(&k, &packed));
    return packed;
}

static struct adit_interest one(float x, float y, float z, float ahead, float radius) { return (struct adit_interest){.n = 1, .viewer = {{.at = {x, y, z}, .toward = {ahead, 0, 0}, .radius = radius}}}; }

static int32_t rank(const struct adit_interest *seen, int32_t x, int32_t y, int32_t z) { return adit_interest_rank(seen, pack((struct adit_key){.x = x, .y = y, .z = z}), 0); }

/* tried: from the chunk's corner instead of its nearest point; behind not told apart; the radius left out */
static void near_ahead_and_within_come_first(void **state)
{
    struct adit_interest seen = one(32, 32, 32, 1, 640);
    assert_int_equal(rank(&seen, 0, 0, 0), 0);
    int32_t last = 0;
    for (int32_t x = 1; x < 10; x++) {
        assert_true(rank(&seen, x, 0, 0) > last);
        assert_true(rank(&seen, -x, 0, 0) > rank(&seen, x, 0, 0));
        assert_int_equal(rank(&seen, 0, x, 0), rank(&seen, 0, -x, 0));
        assert_int_equal(rank(&seen, 0, x, 0), rank(&seen, 0, 0, x));
        last = rank(&seen, x, 0, 0);
    }
    assert_true(rank(&seen, 10, 0, 0) < (int32_t)(ADIT_RANK_BEYOND * ADIT_RANK_PARTS));
    assert_true(rank(&seen, 12, 0, 0) >= (int32_t)(ADIT_RANK_BEYOND * ADIT_RANK_PARTS));
    assert_true(rank(&seen, 12, 0, 0) < rank(&seen, 30, 0, 0));
    assert_true(rank(&seen, 500000, 0, 0) < ADIT_RANK_MAX);
    seen.viewer[0].toward[0] = 0; /* no direction */
    assert_int_equal(rank(&seen, 3, 0, 0), rank(&seen, -3, 0, 0));
    (void)state;
}

/* tried: behind twice as far; beyond as within */
static void a_distance_does_not_know_where_viewers_look(void **state)
{
    struct adit_interest seen = one(32, 32, 32, 1, 640);
    for (int32_t x = 1; x < 10; x++) {
        float ahead = adit_interest_distance(&seen, pack((struct adit_key){.x = x})), behind = adit_interest_distance(&seen, pack((struct adit_key){.x = -x}));
        assert_true(ahead == behind && ahead == (float)x - 0.5f);
    }
    assert_true(adit_interest_distance(&seen, pack((struct adit_key){.x = 11})) == ADIT_RANK_BEYOND + 10.5f);
    assert_true(adit_interest_distance(&seen, pack((struct adit_key){.x = 500000})) == 2 * ADIT_RANK_BEYOND - 1);
    seen.viewer[seen.n++] = (struct adit_interest_viewer){.at = {11 * 64 + 32, 32, 32}, .radius = 1};
    assert_true(adit_interest_distance(&seen, pack((struct adit_key){.x = 11})) == 0);
    assert_true(adit_interest_distance(&seen, pack((struct adit_key){.x = 9})) == 8.5f);  /* within the radius of the first; nearer to the second, which does not see it */
    assert_true(adit_interest_distance(&seen, pack((struct adit_key){.x = 4, .lod = 2})) == (4 * 256 - 32) / 256.0f); /* in chunks of its level, of the first: of the second it lies beyond */
    assert_true(isinf(adit_interest_distance(&seen, pack((struct adit_key){.world = 1}))));
    (void)state;
}

/* tried: distances in voxels for all levels */
static void levels_of_detail_reach_as_much_further(void **state)
{
    const struct adit_interest seen = one(0, 0, 0, 0, 640);
    for (uint8_t lod = 0; lod < 8; lod++) {
        int32_t fourth = adit_interest_rank(&seen, pack((struct adit_key){.x = 4, .lod = lod}), 0), twelfth = adit_interest_rank(&seen, pack((struct adit_key){.x = 12, .lod = lod}), 0);
        assert_int_equal(fourth, rank(&seen, 4, 0, 0));
        assert_int_equal(twelfth, rank(&seen, 12, 0, 0));
    }
    (void)state;
}

static void of_several_viewers_the_nearest_counts_and_worlds_are_apart(void **state)
{
    struct adit_interest seen = one(0, 0, 0, 0, 640);
    int32_t alone = rank(&seen, 20, 0, 0);
    seen.viewer[seen.n++] = (struct adit_interest_viewer){.at = {21 * 64}, .radius = 640};
    assert_true(rank(&seen, 20, 0, 0) < alone);
    assert_int_equal(rank(&seen, 1, 0, 0), rank(&(struct adit_interest){.n = 1, .viewer = {seen.viewer[0]}}, 1, 0, 0));
    assert_true(adit_interest_rank(&seen, pack((struct adit_key){.world = 3}), 0) >= (int32_t)((2 * ADIT_RANK_BEYOND - 2) * ADIT_RANK_PARTS));
    (void)state;
}

/* tried: no ageing; none below 0: then of what has waited for long, all ranks alike, and the first in the store is the first, again and again */
static void what_waits_comes_first_after_two_seconds_wherever_it_is(void **state)
{
    const struct adit_interest seen = one(0, 0, 0, 1, 640);
    const uint64_t far = pack((struct adit_key){.x = -100000}), other = pack((struct adit_key){.world = 9}), near = pack((struct adit_key){0});
    int32_t last = INT32_MAX;
    for (uint64_t ms = 0; ms <= 60000; ms += 100) {
        int32_t now = adit_interest_rank(&seen, far, ms * 1000000);
        assert_true(now < last);
        last = now;
    }
    assert_true(adit_interest_rank(&seen, other, 2100000000u) < adit_interest_rank(&seen, near, 0));
    assert_true(adit_interest_rank(&seen, far, 10000000000u) < adit_interest_rank(&seen, near, 7900000000u));
    assert_true(adit_interest_rank(&seen, near, 10000000000u) < adit_interest_rank(&seen, far, 10000000000u));
    assert_int_equal(adit_interest_rank(&seen, near, UINT64_MAX), -ADIT_RANK_AGED);
    (void)state;
}

/* ---- the agenda ---- */

/* tried: the best kept on top; not sorted at the end */
static void an_agenda_is_the_best_of_all_in_order(void **state)
{
    enum { ITEMS = 1000 };
    static struct adit_agenda_item items[ADIT_OFFERS_MAX];
    struct adit_agenda a = {.item = items};
    uint64_t seed = 21;
    for (uint32_t n = 0; n <= ITEMS; n += n < 130 ? 1 : 290) {
        int32_t ranks[ITEMS];
        uint32_t better, index;
        adit_agenda_begin(&a, ADIT_OFFERS_MAX, 0);
        for (uint32_t i = 0; i < n; i++)
            adit_agenda_add(&a, i, ranks[i] = (int32_t)(shm_fixture_random(&seed) % 500) - 250);
        adit_agenda_end(&a, 10);
        int32_t last = INT32_MIN;
        uint32_t taken = 0;
        assert_int_equal(adit_agenda_is_fresh(&a, 11), n > 0);
        for (; adit_agenda_take(&a, &index); taken++) {
            assert_true(index < n && ranks[index] >= last);
            last = ranks[index];
            ranks[index] = INT32_MAX;
        }
        assert_int_equal(taken, n < ADIT_OFFERS_MAX ? n : ADIT_OFFERS_MAX);
        better = 0;
        for (uint32_t i = 0; i < n; i++)
            better += ranks[i] < last;
        assert_int_equal(better, 0);
        assert_false(adit_agenda_is_fresh(&a, 11));
    }
    (void)state;
}

static void an_agenda_is_used_sixteen_times_as_long_as_it_took(void **state)
{
    struct adit_agenda_item items[8];
    struct adit_agenda a = {.item = items};
    adit_agenda_begin(&a, 8, 1000);
    adit_agenda_add(&a, 1, 1);
    adit_agenda_end(&a, 1100);
    assert_true(adit_agenda_is_fresh(&a, 1100 + 1599));
    assert_false(adit_agenda_is_fresh(&a, 1100 + 1600));
    (void)state;
}

/* ---- viewers ---- */

static struct adit_viewer_place at(float x, float y, float z) { return (struct adit_viewer_place){.size = sizeof(struct adit_viewer_place), .at = {x, y, z}, .toward = {0, 0, 5}, .radius = 100, .world = 2}; }

static void viewers_are_seen_where_they_are(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_viewer *v[ADIT_VIEWERS_MAX], *more;
    struct adit_viewer_place p = at(1, 2, 3);
    struct adit_interest seen;
    assert_int_equal(adit_interest_high(a), 0);
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX; i++)
        assert_int_equal(adit_viewer_open(a, &p, &v[i]), 0);
    assert_int_equal(adit_viewer_open(a, &p, &more), -EUSERS);
    adit_interest_look(a, &seen);
    assert_int_equal(seen.n, ADIT_VIEWERS_MAX);
    p.at[1] = -7;
    assert_int_equal(adit_viewer_move(v[5], &p), 0);
    adit_interest_look(a, &seen);
    assert_true(seen.viewer[5].at[0] == 1 && seen.viewer[5].at[1] == -7 && seen.viewer[5].toward[2] == 1 && seen.viewer[5].radius == 100 && seen.viewer[5].world == 2);
    p.at[0] = NAN;
    assert_int_equal(adit_viewer_move(v[5], &p), -EINVAL);
    p = at(0, 0, 0);
    p.radius = -1;
    assert_int_equal(adit_viewer_move(v[5], &p), -EINVAL);
    p.size = 3;
    assert_int_equal(adit_viewer_open(a, &p, &more), -EMSGSIZE);
    shm_fixture_verify(a, 0);
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX; i++)
        adit_viewer_close(&v[i]);
    adit_interest_look(a, &seen);
    assert_int_equal(seen.n, 0);
    adit_detach(&a);
    (void)state;
}

static void watch_and_wait(void *user)
{
    (void)user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    struct adit_viewer_place p = at(9, 9, 9);
    struct adit_viewer *v;
    REQUIRE(!adit_viewer_open(a, &p, &v));
    for (;;)
        pause();
}

static bool is_seen(void *user)
{
    struct adit_interest seen;
    adit_interest_look(user, &seen);
    return seen.n == 1;
}

static bool is_not_seen(void *user) { return !is_seen(user); }

/* tried: recovery that leaves viewers; detach likewise */
static void a_viewer_ends_with_its_process(void **state)
{
    pid_t child = fixture_fork(watch_and_wait, NULL);
    struct adit_arena *a = fixture_create(NULL);
    fixture_start();
    assert_true(fixture_eventually(is_seen, a));
    kill(child, SIGKILL);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
    assert_true(fixture_eventually(is_not_seen, a));
    struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER), *observer = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    struct adit_viewer_place p = at(0, 0, 0);
    struct adit_viewer *v;
    assert_int_equal(adit_viewer_open(observer, &p, &v), -EROFS);
    assert_int_equal(adit_viewer_open(other, &p, &v), 0);
    adit_detach(&other); /* without closing it: the handle is lost, the slot is not */
    free(v);
    assert_true(is_not_seen(a));
    adit_detach(&observer);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    (void)state;
}

/* Whatever lies in a slot, a rank is a number in its range. */
static void damaged_viewers_give_ranks_all_the_same(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    uint64_t seed = 4;
    struct adit_interest seen;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t *word = (uint32_t *)&a->viewers[i % ADIT_VIEWERS_MAX] + shm_fixture_random(&seed) % 12;
        *word = i & 1 ? (uint32_t)shm_fixture_random(&seed) : i & 2 ? 0x7f800001u : 2;
        a->control->viewers_high = i & 4 ? UINT64_MAX : ADIT_VIEWERS_MAX;
        if (i % 16)
            continue;
        adit_interest_look(a, &seen);
        assert_true(seen.n <= ADIT_VIEWERS_MAX);
        assert_true(adit_interest_rank(&seen, pack((struct adit_key){.x = (int32_t)(i % 1000) - 500, .lod = (uint8_t)(i % 16)}), 0) < ADIT_RANK_MAX);
    }
    memset(a->viewers, 0, sizeof *a->viewers * ADIT_VIEWERS_MAX);
    a->control->viewers_high = 0;
    adit_detach(&a);
    (void)state;
}

/* ---- a dispatcher ---- */

enum { ROW = 240, HERE = 150, PAIRS = ROW * ROW };

/* A row of chunks, all dirty for so long, more than an agenda holds, meshed by so many: of how many pairs the farther one was before the other, by more than workers overtake one another. */
static uint32_t meshed_the_wrong_way(uint32_t workers, uint64_t waited_ns)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    const struct adit_create_params room = {.size = sizeof room, .chunks_max = 1024};
    struct adit_arena *a = shm_fixture_create(FIXTURE_NAME, &room, 16u << 20);
    struct adit_viewer_place p = {.size = sizeof p, .at = {HERE * 64 + 32, 32, 32}, .radius = 1e6f};
    struct adit_viewer *v;
    struct adit_dispatcher *d;
    struct adit_reader *r;
    uint64_t made[ROW];
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = i / 64 % 64 < 20 ? 1 : 0;
    for (int32_t i = 0; i < ROW; i++)
        assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = i}, voxels, NULL), 0);
    for (uint64_t i = 0, since = adit_clock_ns() - waited_ns; i < a->chunks_max; i++)
        a->entries[i].dirty_ns = since; /* all have waited alike */
    assert_int_equal(adit_viewer_open(a, &p, &v), 0);
    assert_int_equal(adit_dispatcher_open(a, &(struct adit_dispatcher_params){.size = sizeof(struct adit_dispatcher_params), .workers = workers}, &d), 0);
    assert_int_equal(adit_settle(a, ADIT_FOR_EVER), 0);
    assert_int_equal(adit_reader_open(a, &r), 0);
    for (int32_t i = 0; i < ROW; i++) {
        struct adit_mesh_view m;
        adit_enter(r);
        assert_int_equal(adit_mesh_acquire(r, &(struct adit_key){.x = i}, &m), 0);
        made[i] = m.published_ns;
        assert_int_equal(adit_exit(r), 0);
    }
    for (int32_t i = 0; i < ROW; i++)
        for (int32_t k = 0; k < ROW; k++)
            wrong += abs(i - HERE) + 12 * (int32_t)workers < abs(k - HERE) && made[i] > made[k];
    adit_reader_close(&r);
    adit_viewer_close(&v);
    adit_dispatcher_close(&d);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
    return wrong;
}

/* By one worker exactly, by several as far as they overtake one another; which is further where one has lost its processor, so then it is tried again. tried: as they come; what was listed and not come to thrown away */
static void a_dispatcher_meshes_what_is_near_first(void **state)
{
    for (uint32_t workers = 1; workers <= 3; workers++) {
        uint32_t wrong = PAIRS;
        for (uint32_t tries = 0; tries < 5 && wrong * 50 >= PAIRS; tries++)
            wrong = meshed_the_wrong_way(workers, workers == 2 ? 20000000000u : 0); /* (tried: ranks that end at 0) */
        assert_true(wrong * 50 < PAIRS);
    }
    (void)state;
}

/* tried: the clock set anew by every mark */
static void a_chunk_marked_again_and_again_has_waited_since_the_first(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint64_t since = 0;
    uint32_t cursor = 0, index;
    struct adit_dirty_walk walk = {0};
    for (uint32_t i = 0; i < 5; i++) {
        voxels[0] = (uint16_t)(i + 1);
        assert_int_equal(adit_chunk_put(a, &(struct adit_key){0}, voxels, NULL), 0);
        if (!i) {
            assert_true(adit_dirty_next(a, &walk, &cursor, &index));
            since = a->entries[index].dirty_ns;
        }
        shm_fixture_nap(2);
    }
    assert_int_equal(a->entries[index].dirty_ns, since);
    assert_true(adit_dirty_claim_at(a, index));
    adit_dirty_finish(a, index, false);
    assert_int_equal(adit_chunk_put(a, &(struct adit_key){0}, voxels, NULL), 0);
    assert_true(a->entries[index].dirty_ns > since);
    adit_detach(&a);
    (void)state;
}

static bool may_take_even(void *user, uint32_t index)
{
    (void)user;
    return index % 2 == 0;
}

/* A foreman with nothing at home takes of another's what is seen first. (tried: as they come) */
static void what_is_taken_from_others_is_what_is_seen_first(void **state)
{
    (void)state;
    static const uint16_t voxels[ADIT_CHUNK_VOXELS] = {1};
    struct adit_arena *a = fixture_create(NULL);
    struct adit_viewer_place p = {.size = sizeof p, .at = {10 * 64 + 32, 32, 32}, .radius = 1e6f};
    const struct adit_reach thief = {.segment = 1, .homes = 1u << 2, .workers = {0, 1, 1}};
    struct adit_reach_passed passed = {.is_any = true};
    struct adit_viewer *v;
    uint32_t list[8], n = 0, nearer = 0;
    for (int32_t i = 0; i < 32; i++)
        assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = i}, voxels, NULL), 0);
    for (uint64_t i = 0, since = adit_clock_ns() - 1000000; i < a->chunks_max; i++)
        a->entries[i].dirty_ns = since;
    assert_int_equal(adit_viewer_open(a, &p, &v), 0);
    passed.n[1] = 32;
    n = adit_reach_steal(&thief, a, &passed, may_take_even, NULL, list, 8);
    assert_int_equal(n, 8);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(list[i] % 2, 0);
    for (uint32_t i = 0; i + 1 < n; i++)
        assert_true(abs(adit_key_unpack(a->keys[list[i]]).x - 10) <= abs(adit_key_unpack(a->keys[list[i + 1]]).x - 10));
    for (uint32_t i = 0; i < a->chunks_max; i += 2)
        nearer += a->keys[i] && abs(adit_key_unpack(a->keys[i]).x - 10) < abs(adit_key_unpack(a->keys[list[n - 1]]).x - 10);
    assert_in_range(nearer, n - 2, n - 1); /* of the last distance there may be two */
    adit_viewer_close(&v);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_ahead_and_within_come_first),
        cmocka_unit_test(a_distance_does_not_know_where_viewers_look),
        cmocka_unit_test(levels_of_detail_reach_as_much_further),
        cmocka_unit_test(of_several_viewers_the_nearest_counts_and_worlds_are_apart),
        cmocka_unit_test(what_waits_comes_first_after_two_seconds_wherever_it_is),
        cmocka_unit_test(an_agenda_is_the_best_of_all_in_order),
        cmocka_unit_test(an_agenda_is_used_sixteen_times_as_long_as_it_took),
        cmocka_unit_test(viewers_are_seen_where_they_are),
        cmocka_unit_test(a_viewer_ends_with_its_process),
        cmocka_unit_test(damaged_viewers_give_ranks_all_the_same),
        cmocka_unit_test(a_dispatcher_meshes_what_is_near_first),
        cmocka_unit_test(a_chunk_marked_again_and_again_has_waited_since_the_first),
        cmocka_unit_test(what_is_taken_from_others_is_what_is_seen_first),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
