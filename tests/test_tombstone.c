/* Removed chunks are forgotten, and their places in the store used anew (runtime/tombstone.h): numbers go on, watches miss nothing, a key is there once. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "runtime/dirty.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"
#include "runtime/watch.h"
#include "tests/chunk_fixture.h"

#define FEW 64u /* chunks_max; the table has 128 places. It is swept without these tests' doing once 64 are taken */

static uint16_t voxels[ADIT_CHUNK_VOXELS];
static struct adit_arena *arena;
static const struct adit_key key = {.x = 3, .y = -1};

static int set_up(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .chunks_max = FEW};
    (void)state;
    memset(voxels, 0, sizeof voxels);
    voxels[77] = 5;
    arena = fixture_create(&p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shm_fixture_verify_quiet(arena);
    assert_true(fixture_eventually(fixture_is_tidy, arena));
    adit_detach(&arena);
    return 0;
}

static uint64_t put_if(const struct adit_key *k, uint64_t if_version)
{
    uint64_t version = 0;
    const struct adit_put_params p = {.size = sizeof p, .version = &version, .if_version = if_version};
    int error = adit_chunk_put(arena, k, voxels, &p);
    return error ? 0 : version;
}

static uint64_t put(const struct adit_key *k) { return put_if(k, 0); }
static void take_away(const struct adit_key *k) { assert_int_equal(adit_chunk_remove(arena, k, NULL), 0); }
static uint32_t sweep(bool pressed) { return adit_tombstones_sweep(arena, 0, arena->chunks_max, pressed); }

static uint64_t version_of(const struct adit_key *k)
{
    uint64_t version = 77;
    assert_int_equal(adit_chunk_version(arena, k, &version), 0);
    return version;
}

static uint64_t word_of(const struct adit_key *k, uint32_t *index)
{
    uint64_t packed;
    assert_int_equal(adit_key_pack(k, &packed), 0);
    for (*index = 0; *index < arena->chunks_max; ++*index)
        if (adit_store_key(arena, *index) == packed)
            return adit_load_acquire(&arena->keys[*index]);
    return 0;
}

/* ---- one chunk ---- */

static void a_removed_chunk_is_forgotten_and_its_numbers_are_not(void **state)
{
    uint32_t index;
    (void)state;
    assert_int_equal(put(&key), 1);
    assert_int_equal(sweep(true), 0); /* it is there (tried: any chunk is taken) */
    take_away(&key);
    assert_int_equal(fixture_stats(arena).keys, 1);
    assert_int_equal(sweep(false), 1);
    assert_int_equal(fixture_stats(arena).keys, 0);
    assert_int_equal(fixture_stats(arena).dirty, 0); /* (tried: its bit stays) */
    assert_int_equal(word_of(&key, &index), 0);
    assert_int_equal(version_of(&key), 0);
    assert_int_equal(adit_chunk_remove(arena, &key, NULL), -ENOENT);
    assert_int_equal(put_if(&key, 2), 0); /* its version of now is none */
    assert_int_equal(fixture_stats(arena).keys, 0); /* and nothing is entered for it */
    assert_int_equal(put_if(&key, ADIT_VERSION_NONE), 3); /* (tried: no floor: 1) */
    const struct adit_key another = {.z = 40};
    assert_int_equal(put(&another), 3); /* no key has a number that a forgotten one had */
}

static void none_is_also_one_that_was_removed(void **state)
{
    (void)state;
    assert_int_equal(put_if(&key, ADIT_VERSION_NONE), 1);
    assert_int_equal(put_if(&key, ADIT_VERSION_NONE), 0);
    take_away(&key);
    assert_int_equal(put_if(&key, ADIT_VERSION_NONE), 3); /* whether it is forgotten by now or not */
    take_away(&key);
}

static void a_key_that_was_entered_for_nothing_is_forgotten(void **state)
{
    uint64_t packed;
    uint32_t index;
    (void)state;
    assert_int_equal(adit_key_pack(&key, &packed), 0);
    assert_int_equal(adit_store_enter(arena, packed, &index), 0);
    assert_int_equal(sweep(false), 1);
    assert_int_equal(fixture_stats(arena).keys, 0);
}

static bool has_meshed(void *user)
{
    (void)user;
    struct adit_stats s = fixture_stats(arena);
    return !s.dirty && !s.in_work;
}

static int acquire_mesh(struct adit_reader *r, struct adit_mesh_view *mesh)
{
    adit_enter(r);
    int error = adit_mesh_acquire(r, &key, mesh);
    adit_exit(r);
    return error;
}

static void its_mesh_goes_along(void **state)
{
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    struct adit_reader *r;
    struct adit_mesh_view mesh;
    (void)state;
    assert_int_equal(adit_dispatcher_open(arena, &p, &d), 0);
    assert_int_equal(adit_reader_open(arena, &r), 0);
    const struct adit_key beside = {.x = key.x + 1, .y = key.y};
    assert_true(put(&key));
    for (uint32_t i = 0; i < 5; i++) { /* its mesh is made anew each time */
        for (uint32_t z = 0; z < 64; z++)
            voxels[z * 64 * 64] = (uint16_t)(i % 2 ? 0 : 9);
        assert_true(put(&beside));
        assert_int_equal(adit_settle(arena, ADIT_FOREVER), 0);
    }
    assert_int_equal(acquire_mesh(r, &mesh), 0);
    uint64_t serial = mesh.serial;
    take_away(&key);
    assert_int_equal(adit_settle(arena, ADIT_FOREVER), 0);
    assert_int_equal(sweep(false), 1);
    assert_int_equal(acquire_mesh(r, &mesh), -ENOENT);
    assert_true(put(&key));
    assert_int_equal(adit_settle(arena, ADIT_FOREVER), 0);
    assert_int_equal(acquire_mesh(r, &mesh), 0);
    assert_true(mesh.serial > serial); /* (tried: the floor is that of versions alone) */
    assert_true(fixture_eventually(has_meshed, NULL));
    adit_dispatcher_close(&d);
    const struct adit_watch_params meshes = {.size = sizeof meshes, .what = ADIT_WATCH_MESHES};
    struct adit_watch_event e;
    struct adit_watch *w;
    assert_int_equal(adit_watch_open(arena, &meshes, &w), 0);
    take_away(&key); /* and nobody meshes it again: the mesh is of before */
    assert_int_equal(adit_watch_next(w, &e, 0), -EAGAIN);
    assert_int_equal(sweep(false), 0); /* who sees it has to be told (tried: a stale mesh counts for nothing) */
    assert_int_equal(sweep(true), 1);
    assert_int_equal(adit_watch_next(w, &e, 0), 0); /* who draws it hears that it goes (tried: as nothing of a mesh was unseen, nobody) */
    assert_int_equal(e.what, ADIT_WATCH_LAPSED);
    assert_int_equal(e.key.world, 255); /* no key */
    adit_watch_close(&w);
    assert_int_equal(acquire_mesh(r, &mesh), -ENOENT);
    adit_reader_close(&r);
}

/* ---- with others in between ---- */

static void *sweep_in_the_background(void *user)
{
    *(uint32_t *)user = sweep(true);
    return NULL;
}

/* A reader's section makes the sweep wait; until it has ended the key is one that leaves. */
static void who_publishes_a_leaving_key_keeps_it(void **state)
{
    struct adit_reader *r;
    pthread_t thread;
    uint32_t index, swept, rescued = 0;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    assert_true(put(&key));
    for (uint32_t i = 0; i < 200 && rescued < 5; i++) {
        uint64_t before = version_of(&key) + 1;
        take_away(&key);
        adit_enter(r);
        assert_int_equal(pthread_create(&thread, NULL, sweep_in_the_background, &swept), 0);
        uint64_t word = 0, begin = adit_clock_ns();
        while (!(word & ADIT_KEY_LEAVING) && adit_clock_ns() - begin < 10000000)
            word = word_of(&key, &index);
        bool is_leaving = word & ADIT_KEY_LEAVING;
        if (is_leaving) {
            assert_int_equal(version_of(&key), before); /* removed, as before */
            struct adit_chunk_view view;
            assert_int_equal(adit_chunk_acquire(r, &key, &view), -ENOENT);
        }
        uint64_t version = put(&key); /* by a reader of its own, in a section of its own */
        assert_true(version > before);
        uint64_t after = word_of(&key, &index);
        assert_false(after & ADIT_KEY_STATE);
        adit_exit(r);
        pthread_join(thread, NULL);
        rescued += is_leaving && !swept;
        assert_true(!is_leaving || !swept); /* (tried: the key goes whatever has become of it: this version is lost) */
        assert_int_equal(version_of(&key), version);
    }
    assert_int_equal(rescued, 5);
    adit_reader_close(&r);
}

static void a_section_that_stays_only_puts_it_off(void **state)
{
    struct adit_reader *r;
    uint32_t index;
    (void)state;
    assert_int_equal(adit_reader_open(arena, &r), 0);
    assert_true(put(&key));
    take_away(&key);
    uint32_t cursor = 0;
    assert_true(adit_dirty_claim(arena, &cursor, &index));
    adit_dirty_finish(arena, index, false); /* as if it had been meshed */
    adit_enter(r);
    assert_int_equal(sweep(true), 0); /* after 20 ms */
    assert_int_equal(word_of(&key, &index) & ADIT_KEY_STATE, 0); /* (tried: it stays leaving) */
    assert_int_equal(fixture_stats(arena).dirty, 1); /* neighbours have not marked it meanwhile (tried: as it was) */
    assert_int_equal(arena->entries[index].work, 0);
    adit_exit(r);
    assert_int_equal(sweep(true), 1);
    adit_reader_close(&r);
}

/* ---- watches ---- */

static uint32_t events(struct adit_watch *w, uint32_t *lapses)
{
    struct adit_watch_event e;
    uint32_t n = 0;
    for (*lapses = 0; !adit_watch_next(w, &e, 0); n += e.what != ADIT_WATCH_LAPSED)
        *lapses += e.what == ADIT_WATCH_LAPSED;
    return n;
}

static void what_a_watch_has_not_seen_stays_until_room_is_needed(void **state)
{
    const struct adit_watch_params here = {.size = sizeof here, .lo = {0, -5, -5}, .hi = {10, 5, 5}}, there = {.size = sizeof there, .lo = {50, 50, 50}, .hi = {60, 60, 60}};
    struct adit_watch *w, *v;
    uint32_t lapses, index;
    (void)state;
    assert_int_equal(adit_watch_open(arena, &here, &w), 0);
    assert_int_equal(adit_watch_open(arena, &there, &v), 0);
    assert_true(put(&key));
    take_away(&key);
    assert_int_equal(sweep(false), 0); /* (tried: nobody is asked) */
    assert_int_equal(events(w, &lapses), 1);
    assert_int_equal(lapses, 0);
    assert_int_equal(sweep(false), 1); /* it has seen it */
    assert_int_equal(events(w, &lapses), 0);
    assert_int_equal(lapses, 0); /* (tried: it lapses whatever was seen) */
    assert_true(put(&key));
    take_away(&key);
    (void)word_of(&key, &index);
    uint64_t packed = adit_store_key(arena, index);
    assert_int_equal(sweep(true), 1);
    assert_false(adit_watch_has_unseen(arena, packed, index)); /* (tried: bits that stay) */
    const struct adit_key another = {.x = 4};
    assert_int_equal(events(w, &lapses), 0);
    assert_int_equal(lapses, 1); /* (tried: it is not told) */
    assert_true(put(&another));
    assert_int_equal(events(w, &lapses), 1);
    assert_int_equal(lapses, 0);
    assert_int_equal(events(v, &lapses), 0);
    assert_int_equal(lapses, 0); /* not of its box */
    adit_watch_close(&w);
    adit_watch_close(&v);
}

/* (tried: a lapse before anything else, each time) */
static void lapses_hold_nothing_else_up(void **state)
{
    struct adit_watch_event e;
    struct adit_watch *w;
    uint32_t lapses = 0, others = 0;
    (void)state;
    assert_int_equal(adit_watch_open(arena, NULL, &w), 0);
    for (int32_t i = 0; i < 10; i++) {
        const struct adit_key gone = {.x = 100 + i}, comes = {.x = i};
        assert_true(put(&gone) && put(&comes));
        take_away(&gone);
        assert_true(sweep(true) > 0);
        assert_int_equal(adit_watch_next(w, &e, 0), 0);
        *(e.what == ADIT_WATCH_LAPSED ? &lapses : &others) += 1;
    }
    assert_int_equal(lapses, 5);
    assert_int_equal(others, 5);
    adit_watch_close(&w);
}

/* Where its bits are cannot be known, so it is told each time. */
static void a_guest_is_told_that_something_lapsed(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .chunks_max = FEW, .guests_max = 1};
    struct adit_watch_event e;
    struct adit_arena *guest, *outer = arena;
    struct adit_watch *w;
    (void)state;
    adit_detach(&outer);
    arena = fixture_create(&p);
    guest = shm_fixture_attach(FIXTURE_NAME, ADIT_GUEST);
    assert_int_equal(adit_watch_open(guest, NULL, &w), 0);
    for (uint32_t i = 0; i < 3; i++) {
        bool has_lapsed = false;
        assert_true(put(&key));
        take_away(&key);
        assert_int_equal(sweep(true), 1);
        while (!has_lapsed) { /* whatever else it hears */
            assert_int_equal(adit_watch_next(w, &e, 10000000000u), 0);
            has_lapsed = e.what == ADIT_WATCH_LAPSED;
        }
        while (!adit_watch_next(w, &e, 20000000u))
            assert_int_not_equal(e.what, ADIT_WATCH_LAPSED); /* once (tried: as long as the page says so) */
    }
    adit_watch_close(&w);
    adit_detach(&guest);
}

/* ---- without end ---- */

#define WINDOW 40u

/* A window moves along; who follows it by a watch, and looks after lapses, has what is there and nothing else. */
static void a_world_without_end_fits(void **state)
{
    const struct adit_watch_params all = {.size = sizeof all, .what = ADIT_WATCH_CHUNKS};
    struct adit_watch_event e;
    struct adit_watch *w;
    struct adit_reader *r;
#ifdef __SANITIZE_THREAD__ /* one thread */
    static bool has[7000];
#else
    static bool has[20000];
#endif
    uint32_t lapses = 0, held = 0, n = sizeof has / sizeof *has;
    (void)state;
    memset(has, 0, sizeof has);
    assert_int_equal(adit_watch_open(arena, &all, &w), 0);
    assert_int_equal(adit_reader_open(arena, &r), 0);
    for (uint32_t i = 0; i < n; i++) {
        struct adit_key k = {.x = (int32_t)i};
        struct adit_chunk_view view;
        assert_true(put(&k)); /* (tried: nobody makes room) */
        if (i >= WINDOW)
            take_away(&(struct adit_key){.x = (int32_t)(i - WINDOW)});
        for (uint32_t j = 0; (i % 300 == 299 || i % 300 < 20) && !adit_watch_next(w, &e, 0); j++) { /* at times it looks, at times it does not */
            uint32_t from = e.what == ADIT_WATCH_LAPSED ? 0 : (uint32_t)e.key.x, to = e.what == ADIT_WATCH_LAPSED ? i + 1 : from + 1;
            lapses += e.what == ADIT_WATCH_LAPSED;
            adit_enter(r);
            for (uint32_t x = from; x < to; x++)
                if (x == (uint32_t)e.key.x || has[x]) {
                    bool is_there = !adit_chunk_acquire(r, &(struct adit_key){.x = (int32_t)x}, &view);
                    held += is_there - has[x];
                    has[x] = is_there;
                }
            adit_exit(r);
        }
        if (i % 300 == 19)
            assert_int_equal(held, i < WINDOW ? i + 1 : WINDOW); /* (tried: a lapse that is not told: it keeps chunks for ever) */
    }
    assert_in_range(lapses, n / 2000, n);
    adit_reader_close(&r);
    adit_watch_close(&w);
}

/* ---- at once ---- */

#define THREADS 3u
#define OWN 12 /* keys of each */

struct racer {
    pthread_t thread;
    uint32_t number;
    uint64_t lives, laps;
};

static uint32_t stop, holders, failures;
static const struct adit_key common = {.x = -7, .y = 7, .z = -7};

static void *race(void *user)
{
    struct racer *me = user;
    uint64_t seen[OWN] = {0}, seed = me->number + 1;
    static const struct adit_put_params fresh = {.size = sizeof fresh, .if_version = ADIT_VERSION_NONE};
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        uint32_t i = (uint32_t)(shm_fixture_random(&seed) % OWN);
        struct adit_key k = {.x = (int32_t)i, .z = (int32_t)me->number * 100};
        uint64_t version = 0, now = 0;
        struct adit_put_params p = {.size = sizeof p, .version = &version};
        bool is_there = !adit_chunk_version(arena, &k, &now) && now == seen[i];
        if (adit_chunk_put(arena, &k, voxels, &p) || version <= seen[i] || (seen[i] && !is_there && now)) /* numbers grow, and what was put is what is there (tried: no floor) */
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        seen[i] = version;
        if (shm_fixture_random(&seed) % 2) {
            uint64_t gone = 0;
            const struct adit_put_params q = {.size = sizeof q, .if_version = version, .version = &gone};
            if (adit_chunk_remove(arena, &k, &q) || gone != version + 1)
                __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
            seen[i] = gone;
        }
        me->laps++;
        /* one key for all: whoever is told that there was none has it alone, until it removes it (who enters a key and does not look at the others' places: test_stepped) */
        if (adit_chunk_put(arena, &common, voxels, &fresh))
            continue;
        if (__atomic_add_fetch(&holders, 1, __ATOMIC_ACQ_REL) != 1)
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        me->lives++;
        __atomic_sub_fetch(&holders, 1, __ATOMIC_ACQ_REL);
        if (adit_chunk_remove(arena, &common, NULL))
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *sweep_on(void *user)
{
    uint64_t *swept = user;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        *swept += sweep(true);
    return NULL;
}

static void publishers_and_sweeps_race(void **state)
{
    struct racer racers[THREADS] = {0};
    pthread_t sweepers[2];
    uint64_t swept[2] = {0}, lives = 0, laps = 0;
    (void)state;
    stop = holders = failures = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        racers[i].number = i;
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&sweepers[i], NULL, sweep_on, &swept[i]), 0);
    for (uint32_t i = 0; i < 20; i++) {
        shm_fixture_nap(100);
#ifndef __SANITIZE_THREAD__ /* it reads outside of sections, and looks again at what was changed meanwhile */
        shm_fixture_verify(arena, ADIT_VERIFY_LIVING);
#endif
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < 2; i++)
        pthread_join(sweepers[i], NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(racers[i].thread, NULL);
        lives += racers[i].lives;
        laps += racers[i].laps;
    }
    print_message("%llu publishes, %llu lives of one key, %llu forgotten\n", (unsigned long long)laps, (unsigned long long)lives, (unsigned long long)(swept[0] + swept[1]));
    assert_int_equal(failures, 0);
    assert_true(laps > 100 && lives > 10 && swept[0] + swept[1] > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removed_chunk_is_forgotten_and_its_numbers_are_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_is_also_one_that_was_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_was_entered_for_nothing_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_mesh_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_publishes_a_leaving_key_keeps_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_section_that_stays_only_puts_it_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_watch_has_not_seen_stays_until_room_is_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lapses_hold_nothing_else_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_is_told_that_something_lapsed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_world_without_end_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publishers_and_sweeps_race, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("tombstones", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
