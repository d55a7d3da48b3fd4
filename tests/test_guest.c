/* Guests (shm/guest.h): consumers that are not trusted read, pin and watch as others do, and can change nothing. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/chunk_fixture.h"

#define GUESTS 3u
#define HOLD_MAX (3u << 20)
#define WAIT_NS 10000000000u

static struct adit_arena *arena, *guest;
static struct adit_reader *reader;
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static const struct adit_key key = {.x = 1}, other_key = {.x = 2}, far_key = {.x = 100, .y = 7};
static char path[ADIT_GUEST_PATH_BYTES];

static void put(const struct adit_key *k, uint64_t seed)
{
    fixture_paint(seed, voxels);
    assert_int_equal(adit_chunk_put(arena, k, voxels, NULL), 0);
}

/* Replaces dense versions until bytes of them are retired. */
static void churn(const struct adit_key *k, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += sizeof voxels) {
        struct adit_loan loan;
        assert_int_equal(adit_chunk_loan(arena, k, &loan), 0);
        memset(loan.voxels, (int)(done >> 19) & 63, sizeof voxels);
        assert_int_equal(adit_chunk_publish(arena, &loan, NULL), 0);
    }
}

static void enter_and_acquire(struct adit_chunk_view *view)
{
    for (uint32_t i = 0; i < 100; i++) { /* an earlier test may have it ousted still */
        adit_enter(reader);
        int error = adit_chunk_acquire(reader, &key, view);
        if (!error)
            return;
        assert_int_equal(error, -ESTALE);
        (void)adit_exit(reader);
        shm_fixture_nap(5);
    }
    fail();
}

/* ---- reading */

static void a_guest_reads_in_place_what_others_publish(void **state)
{
    static uint16_t read[ADIT_CHUNK_VOXELS];
    struct adit_chunk_view view;
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        put(&key, seed);
        enter_and_acquire(&view);
        assert_true(adit_chunk_is_intact(&view));
        adit_chunk_decode(&view, read);
        assert_int_equal(adit_exit(reader), 0);
        assert_memory_equal(read, voxels, sizeof read);
    }
    adit_enter(reader);
    assert_int_equal(adit_chunk_acquire(reader, &(struct adit_key){.x = -5}, &view), -ENOENT);
    assert_int_equal(adit_exit(reader), 0);
}

static void a_guest_reads_meshes(void **state)
{
    struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    struct adit_dispatcher *dispatcher;
    struct adit_mesh_view mesh;
    (void)state;
    put(&key, 3);
    assert_int_equal(adit_dispatcher_open(arena, &one, &dispatcher), 0);
    assert_int_equal(adit_settle(arena, WAIT_NS), 0);
    adit_enter(reader);
    assert_int_equal(adit_mesh_acquire(reader, &key, &mesh), 0);
    assert_true(mesh.quads_n && adit_mesh_is_intact(&mesh));
    assert_int_equal(adit_exit(reader), 0);
    adit_dispatcher_close(&dispatcher);
}

static void what_a_guest_has_acquired_stays_while_it_is_inside(void **state)
{
    struct adit_chunk_view view;
    (void)state;
    put(&key, 4);
    enter_and_acquire(&view);
    churn(&key, HOLD_MAX / 4);
    for (uint32_t i = 0; i < 20; i++)
        (void)adit_reclaim(arena, true);
    assert_true(adit_chunk_is_intact(&view));
    assert_int_equal(adit_exit(reader), 0);
    assert_true(fixture_eventually(fixture_is_tidy, arena)); /* once it is out nothing is held */
}

/* The negative control of the test above, and what a guest may cost. */
static void a_guest_that_stays_is_ousted_and_told(void **state)
{
    struct adit_chunk_view view, again;
    uint32_t pin;
    (void)state;
    put(&key, 4);
    enter_and_acquire(&view);
    churn(&key, 5 * HOLD_MAX);
    for (uint32_t i = 0; i < 2000 && adit_chunk_acquire(reader, &key, &again) != -ESTALE; i++)
        shm_fixture_nap(5);
    assert_int_equal(adit_chunk_acquire(reader, &key, &again), -ESTALE);
    assert_int_equal(adit_mesh_acquire(reader, &key, &(struct adit_mesh_view){0}), -ESTALE);
    assert_int_equal(adit_pin(reader, view.ref, &pin), -ESTALE);
    assert_int_equal(adit_exit(reader), -ESTALE);
    assert_true(fixture_eventually(fixture_is_tidy, arena));
    enter_and_acquire(&view); /* with nothing held back the next section is like any other */
    assert_true(adit_chunk_is_intact(&view));
    assert_int_equal(adit_exit(reader), 0);
}

/* ---- pins */

static void pins_of_a_guest_hold_beyond_its_section(void **state)
{
    struct adit_chunk_view views[3];
    uint32_t pins[3];
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        put(&key, 11 + 2 * i); /* slabs: some KiB each */
        enter_and_acquire(&views[i]);
        assert_int_equal(adit_pin(reader, views[i].ref, &pins[i]), 0);
        assert_int_equal(adit_exit(reader), 0);
    }
    churn(&key, HOLD_MAX);
    for (uint32_t i = 0; i < 20; i++)
        (void)adit_reclaim(arena, true);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(adit_chunk_is_intact(&views[i]));
        assert_int_equal(adit_unpin(guest, pins[i]), 0);
        assert_int_equal(adit_unpin(guest, pins[i]), -EINVAL);
    }
    assert_true(fixture_eventually(fixture_is_tidy, arena));
}

static void pins_of_a_guest_have_a_limit_in_number_and_in_bytes(void **state)
{
    struct adit_chunk_view view;
    uint32_t pins[ADIT_GUEST_PINS], pin, n = 0;
    (void)state;
    churn(&key, 1); /* a dense version, of more than half a MiB: each may hold HOLD_MAX / 2 / GUESTS */
    enter_and_acquire(&view);
    assert_int_equal(adit_pin(reader, view.ref, &pin), -ENOSPC);
    assert_non_null(strstr(adit_detail(), "KiB each"));
    assert_int_equal(adit_exit(reader), 0);
    put(&key, 0); /* air: one granule */
    enter_and_acquire(&view);
    while (n < ADIT_GUEST_PINS && !adit_pin(reader, view.ref, &pins[n]))
        n++;
    assert_int_equal(n, ADIT_GUEST_PINS < arena->pins_each ? ADIT_GUEST_PINS : arena->pins_each);
    assert_int_equal(adit_pin(reader, view.ref, &pin), -ENOSPC);
    assert_int_equal(adit_pin(reader, view.ref + 512 * 1000000ull, &pin), -EINVAL);
    assert_int_equal(adit_exit(reader), 0);
    while (n--)
        assert_int_equal(adit_unpin(guest, pins[n]), 0);
    assert_true(fixture_eventually(fixture_is_tidy, arena));
}

/* Pins granules here and there, so that no free run is as long as a dense version. How many. */
static uint32_t pin_here_and_there(uint32_t pins[ADIT_GUEST_PINS])
{
    struct adit_chunk_view view;
    uint64_t fill[ADIT_GUEST_PINS];
    uint32_t n = 0;
    put(&key, 0);
    assert_true(fixture_eventually(fixture_is_tidy, arena)); /* small blocks are left, and what is free is free */
    /* as long as there is room: an alloc that fails would take the pins away */
    while (n < ADIT_GUEST_PINS - 1 && fixture_stats(arena).segments[1].largest_free_bytes > 600 * ADIT_GRANULE_BYTES) {
        assert_int_equal(adit_block_alloc(arena, 540 * ADIT_GRANULE_BYTES, ADIT_BLOCK_HERE, &fill[n]), 0);
        put(&key, 0); /* one granule: the next one free */
        enter_and_acquire(&view);
        assert_int_equal(adit_pin(reader, view.ref, &pins[n]), 0);
        assert_int_equal(adit_exit(reader), 0);
        n++;
    }
    for (uint32_t i = 0; i < n; i++)
        adit_block_free(arena, fill[i]);
    assert_in_range(n, 20, ADIT_GUEST_PINS - 2);
    return n;
}

static void pins_give_way_to_a_producer_without_memory(void **state)
{
    struct adit_chunk_view view;
    struct adit_loan loan;
    uint32_t pins[ADIT_GUEST_PINS], taken = 0, pin;
    (void)state;
    assert_int_equal(adit_chunk_remove(arena, &other_key, NULL), 0);
    assert_int_equal(adit_chunk_remove(arena, &far_key, NULL), 0);
    for (uint32_t tries = 0; tries < 10 && !taken; tries++) { /* two free runs side by side may still be one that is long enough */
        uint32_t n = pin_here_and_there(pins);
        assert_int_equal(adit_chunk_loan(arena, &key, &loan), 0);
        memset(loan.voxels, 0, sizeof voxels);
        assert_int_equal(adit_chunk_publish(arena, &loan, NULL), 0);
        for (uint32_t i = 0; i < n; i++) {
            int error = adit_unpin(guest, pins[i]);
            assert_true(!error || error == -ESTALE);
            taken += error == -ESTALE;
        }
        assert_true(!taken || taken == n);
    }
    assert_true(taken);
    put(&key, 0);
    enter_and_acquire(&view); /* and those who pin later are served again */
    assert_int_equal(adit_pin(reader, view.ref, &pin), 0);
    assert_int_equal(adit_exit(reader), 0);
    assert_int_equal(adit_unpin(guest, pin), 0);
    assert_true(fixture_eventually(fixture_is_tidy, arena));
}

/* ---- watches */

static void a_guest_is_told_of_changes_in_its_box(void **state)
{
    const struct adit_watch_params box = {.size = sizeof box, .lo = {0, 0, 0}, .hi = {50, 50, 50}, .what = ADIT_WATCH_CHUNKS, .reader = reader};
    struct adit_watch_event event;
    struct adit_watch *watch, *second, *third;
    (void)state;
    assert_int_equal(adit_watch_open(guest, &box, &watch), 0);
    assert_int_equal(adit_watch_next(watch, &event, 0), -EAGAIN);
    put(&far_key, 5);
    put(&key, 6);
    assert_int_equal(adit_watch_next(watch, &event, WAIT_NS), 0);
    assert_int_equal(event.key.x, key.x);
    assert_int_equal(event.what, ADIT_WATCH_CHUNKS);
    assert_int_equal(adit_watch_next(watch, &event, 20000000), -ETIMEDOUT); /* the far one is not in the box */
    struct pollfd p = {.fd = adit_watch_fd(watch), .events = POLLIN};
    assert_true(p.fd >= 0);
    put(&other_key, 7);
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(adit_watch_next(watch, &event, 0), 0);
    assert_int_equal(event.key.x, other_key.x);
    assert_int_equal(adit_watch_open(guest, NULL, &second), 0);
    assert_int_equal(adit_watch_open(guest, NULL, &third), -EUSERS);
    adit_watch_close(&second);
    adit_watch_close(&watch);
    assert_int_equal(fixture_stats(arena).watches, 0);
}

static void a_guest_finds_what_is_there_already(void **state)
{
    const struct adit_watch_params present = {.size = sizeof present, .with_present = true, .what = ADIT_WATCH_CHUNKS};
    struct adit_watch_event event;
    struct adit_watch *watch;
    uint32_t n = 0;
    (void)state;
    put(&key, 8);
    put(&other_key, 9);
    put(&far_key, 10);
    assert_int_equal(adit_watch_open(guest, &present, &watch), 0);
    while (!adit_watch_next(watch, &event, 0))
        n++;
    assert_int_equal(n, 3);
    adit_watch_close(&watch);
}

static void a_change_reaches_a_guest_that_sleeps(void **state)
{
    const struct adit_watch_params box = {.size = sizeof box, .what = ADIT_WATCH_CHUNKS};
    struct adit_watch_event event;
    struct adit_watch *watch;
    (void)state;
    assert_int_equal(adit_watch_open(guest, &box, &watch), 0);
    for (uint64_t seed = 20; seed < 40; seed++) {
        put(&key, seed);
        assert_int_equal(adit_watch_next(watch, &event, WAIT_NS), 0);
        enter_and_acquire(&(struct adit_chunk_view){0});
        assert_int_equal(adit_exit(reader), 0);
    }
    adit_watch_close(&watch);
}

/* ---- what is refused */

static void what_changes_the_arena_is_refused_to_guests(void **state)
{
    struct adit_material_info stone = {.name = "stone", .material_class = ADIT_CLASS_OPAQUE};
    struct adit_loan loan = {0};
    struct adit_ring *ring;
    struct adit_lock *lock;
    struct adit_dispatcher *dispatcher;
    struct adit_voxel_edit edit = {.material = 1};
    uint16_t id = 0;
    (void)state;
    assert_int_equal(adit_chunk_put(guest, &key, voxels, NULL), -EROFS);
    assert_int_equal(adit_chunk_loan(guest, &key, &loan), -EROFS);
    assert_int_equal(adit_chunk_edit(guest, &key, &edit, 1, NULL), -EROFS);
    assert_int_equal(adit_chunk_remove(guest, &key, NULL), -EROFS);
    assert_int_equal(adit_material_register(guest, &stone, &id), -EROFS);
    assert_int_equal(adit_dispatcher_open(guest, NULL, &dispatcher), -EROFS);
    assert_int_equal(adit_settle(guest, 0), -EROFS);
    assert_int_equal(adit_verify(guest, NULL, NULL, NULL), -EROFS);
    assert_int_equal(adit_image_save(guest, "image"), -EROFS);
    assert_true(adit_ring_open(guest, "ring", NULL, &ring) < 0);
    assert_true(adit_ring_destroy(guest, "ring") < 0);
    assert_true(adit_lock_open(guest, "lock", NULL, &lock) < 0);
}

static void a_guest_can_look_around(void **state)
{
    struct adit_stats s = {.size = sizeof s};
    struct adit_participant_info info;
    struct adit_material_info material;
    uint64_t version;
    (void)state;
    shm_fixture_verify(arena, ADIT_VERIFY_LIVING); /* with a guest in it, and what it holds */
    assert_int_equal(adit_stats(guest, &s), 0);
    assert_int_equal(s.participants, 2);
    assert_true(s.chunks >= 1);
    assert_int_equal(adit_participant_get(guest, 0, &info), 0);
    assert_int_equal(info.role, ADIT_GUEST);
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.uid, geteuid());
    assert_int_equal(adit_material_get(guest, 77, &material), -ENOENT);
    assert_int_equal(adit_chunk_version(guest, &key, &version), 0);
    assert_true(version > 0);
}

/* ---- coming and going */

static void guests_come_by_their_socket_and_nobody_else_does(void **state)
{
    struct adit_arena *a, *b;
    (void)state;
    for (int role = ADIT_PRODUCER; role < ADIT_GUEST; role++) {
        assert_int_equal(adit_attach(path, (enum adit_role)role, NULL, &a), -EINVAL);
        assert_non_null(strstr(adit_detail(), "for guests"));
    }
    assert_int_equal(adit_attach(path, ADIT_GUEST, NULL, &a), 0);
    assert_string_equal(a->name, FIXTURE_NAME);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_GUEST, NULL, &b), 0); /* of the same user: by name, too */
    struct adit_arena *c;
    assert_int_equal(adit_attach(path, ADIT_GUEST, NULL, &c), -EUSERS);
    assert_non_null(strstr(adit_detail(), "--guests N"));
    adit_detach(&a);
    assert_int_equal(adit_attach(path, ADIT_GUEST, NULL, &a), 0); /* its page is free again */
    adit_detach(&a);
    adit_detach(&b);
    assert_int_equal(adit_attach("/nowhere/at/all", ADIT_GUEST, NULL, &a), -ENOENT);
}

static bool is_alone_with_one_guest(void *user)
{
    (void)user;
    return fixture_stats(arena).participants == 2;
}

static void one_that_leaves_with_all_open_leaves_nothing(void **state)
{
    struct adit_reader *r;
    struct adit_watch *watch;
    struct adit_chunk_view view;
    uint32_t pin;
    (void)state;
    put(&key, 11);
    struct adit_arena *a = shm_fixture_attach(path, ADIT_GUEST);
    assert_int_equal(adit_reader_open(a, &r), 0);
    assert_int_equal(adit_watch_open(a, NULL, &watch), 0);
    adit_enter(r);
    assert_int_equal(adit_chunk_acquire(r, &key, &view), 0);
    assert_int_equal(adit_pin(r, view.ref, &pin), 0);
    adit_detach(&a);
    free(r);
    assert_true(fixture_eventually(is_alone_with_one_guest, NULL));
    assert_int_equal(fixture_stats(arena).watches, 0);
    churn(&key, 1);
    assert_true(fixture_eventually(fixture_is_tidy, arena));
}

static void readers_of_a_guest_have_a_limit(void **state)
{
    struct adit_reader *r[ADIT_GUEST_SECTIONS + 1];
    uint32_t n = 0;
    (void)state;
    while (n <= ADIT_GUEST_SECTIONS && !adit_reader_open(guest, &r[n]))
        n++;
    assert_int_equal(n, ADIT_GUEST_SECTIONS - 1); /* and the one that is open */
    while (n--)
        adit_reader_close(&r[n]);
}

static void arenas_without_guests_say_so(void **state)
{
    struct adit_create_params bad = {.size = sizeof bad, .data_bytes = 1u << 20, .guest_path = path};
    struct adit_arena *a, *g;
    (void)state;
    assert_int_equal(adit_create("without", &bad, &a), -EINVAL);
    bad.guests_max = ADIT_GUESTS_MAX + 1;
    assert_int_equal(adit_create("without", &bad, &a), -EINVAL);
    bad.guests_max = 1;
    bad.guest_path = "relative/path";
    assert_int_equal(adit_create("without", &bad, &a), -EINVAL);
    bad.guest_path = path; /* in use */
    assert_int_equal(adit_create("without", &bad, &a), -EEXIST);
    bad.guests_max = 0;
    bad.guest_path = NULL;
    assert_int_equal(adit_create("without", &bad, &a), 0);
    assert_int_equal(adit_attach("without", ADIT_GUEST, NULL, &g), -ENOTSUP);
    adit_detach(&a);
}

static int set_up(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .hold_max_bytes = HOLD_MAX, .guests_max = GUESTS, .guest_path = path};
    if (shm_fixture_set_up(state))
        return -1;
    snprintf(path, sizeof path, "%s/guests", shm_fixture_directory());
    path[strlen(path) - strlen("/adit/guests")] = 0; /* beside the directory of names: other users cannot reach it */
    strcat(path, "/guests");
    arena = fixture_create(&p);
    put(&key, 1);
    put(&other_key, 1);
    put(&far_key, 1);
    guest = shm_fixture_attach(path, ADIT_GUEST);
    return adit_reader_open(guest, &reader);
}

static int tear_down(void **state)
{
    adit_reader_close(&reader);
    adit_detach(&guest);
    shm_fixture_verify(arena, ADIT_VERIFY_LIVING | ADIT_VERIFY_DEEP);
    adit_detach(&arena);
    if (!access(path, F_OK))
        return -1; /* the last one out takes the guests' socket along */
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_reads_in_place_what_others_publish),
        cmocka_unit_test(a_guest_reads_meshes),
        cmocka_unit_test(what_a_guest_has_acquired_stays_while_it_is_inside),
        cmocka_unit_test(a_guest_that_stays_is_ousted_and_told),
        cmocka_unit_test(pins_of_a_guest_hold_beyond_its_section),
        cmocka_unit_test(pins_of_a_guest_have_a_limit_in_number_and_in_bytes),
        cmocka_unit_test(pins_give_way_to_a_producer_without_memory),
        cmocka_unit_test(a_guest_is_told_of_changes_in_its_box),
        cmocka_unit_test(a_guest_finds_what_is_there_already),
        cmocka_unit_test(a_change_reaches_a_guest_that_sleeps),
        cmocka_unit_test(what_changes_the_arena_is_refused_to_guests),
        cmocka_unit_test(a_guest_can_look_around),
        cmocka_unit_test(guests_come_by_their_socket_and_nobody_else_does),
        cmocka_unit_test(one_that_leaves_with_all_open_leaves_nothing),
        cmocka_unit_test(readers_of_a_guest_have_a_limit),
        cmocka_unit_test(arenas_without_guests_say_so),
    };
    return cmocka_run_group_tests_name("guest", tests, set_up, tear_down);
}
