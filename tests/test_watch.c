/* Watches: a change is reported once however often it happens, to those whose box holds it, and never lost. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

static uint16_t voxels[ADIT_CHUNK_VOXELS];

static void put(struct adit_arena *a, struct adit_key key)
{
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
}

static struct adit_watch *watch(struct adit_arena *a, const struct adit_watch_params *params)
{
    struct adit_watch *w = NULL;
    assert_int_equal(adit_watch_open(a, params, &w), 0);
    return w;
}

static const struct adit_watch_params everything = {.size = sizeof everything};

/* How many events w has now; the x of their keys are added up in *sum. */
static uint32_t drain(struct adit_watch *w, int32_t *sum)
{
    struct adit_watch_event event;
    uint32_t n = 0;
    while (n < 1000 && !adit_watch_next(w, &event, 0)) {
        n++;
        *sum += event.key.x;
    }
    assert_int_equal(adit_watch_next(w, &event, 0), -EAGAIN);
    return n;
}

static void a_thousand_changes_are_one_event(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch *w = watch(a, NULL);
    struct adit_watch_event event = {0};
    (void)state;
    assert_int_equal(adit_watch_next(w, &event, 0), -EAGAIN);
    for (uint32_t i = 0; i < 1000; i++)
        put(a, (struct adit_key){.x = 4, .y = -2, .z = 9, .lod = 3, .world = 5});
    assert_int_equal(adit_watch_next(w, &event, 0), 0);
    assert_true(event.key.x == 4 && event.key.y == -2 && event.key.z == 9 && event.key.lod == 3 && event.key.world == 5);
    assert_int_equal(event.what, ADIT_WATCH_CHUNKS);
    assert_int_equal(adit_watch_next(w, &event, 0), -EAGAIN);
    put(a, event.key); /* and it is reported anew */
    assert_int_equal(adit_watch_next(w, &event, 0), 0);
    assert_int_equal(adit_chunk_remove(a, &event.key, NULL), 0); /* removal is a change */
    assert_int_equal(adit_watch_next(w, &event, 0), 0);
    adit_watch_close(&w);
    assert_null(w);
    adit_watch_close(&w);
    adit_detach(&a);
}

static void a_watch_sees_its_box_and_nothing_else(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch_params p = {.size = sizeof p, .lo = {-1, 0, 2}, .hi = {2, 1, 4},
                                  .only = ADIT_WATCH_ONLY_WORLD, .world = 3};
    struct adit_watch *box = watch(a, &p), *all = watch(a, &everything), *level;
    struct adit_watch_event event;
    static const struct adit_key outside[] = {{-2, 0, 2, 0, 3}, {2, 0, 2, 0, 3}, {0, -1, 2, 0, 3}, {0, 1, 2, 0, 3},
                                              {0, 0, 1, 0, 3},  {0, 0, 4, 0, 3}, {0, 0, 2, 0, 4}};
    static const struct adit_key inside[] = {{-1, 0, 2, 0, 3}, {1, 0, 3, 0, 3}, {1, 0, 3, 7, 3}};
    uint32_t outside_n = sizeof outside / sizeof *outside, inside_n = sizeof inside / sizeof *inside;
    int32_t sum = 0;
    (void)state;
    p = (struct adit_watch_params){.size = sizeof p, .only = ADIT_WATCH_ONLY_LOD, .lod = 7};
    level = watch(a, &p);
    for (uint32_t i = 0; i < outside_n; i++)
        put(a, outside[i]);
    assert_int_equal(adit_watch_next(box, &event, 0), -EAGAIN);
    for (uint32_t i = 0; i < inside_n; i++)
        put(a, inside[i]);
    assert_int_equal(drain(box, &sum), inside_n);
    assert_int_equal(sum, -1 + 1 + 1);
    assert_int_equal(drain(all, &sum), outside_n + inside_n);
    assert_int_equal(adit_watch_next(level, &event, 0), 0);
    assert_int_equal(event.key.lod, 7);
    assert_int_equal(adit_watch_next(level, &event, 0), -EAGAIN);
    adit_watch_close(&level);
    adit_watch_close(&box);
    adit_watch_close(&all);
    adit_detach(&a);
}

static void world_and_level_count_when_asked_for(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch_params p = {.size = sizeof p, .only = ADIT_WATCH_ONLY_WORLD | ADIT_WATCH_ONLY_LOD};
    const struct adit_watch_params bad[] = {
        {.size = sizeof p, .world = 3}, {.size = sizeof p, .lod = 1}, {.size = sizeof p, .only = ADIT_WATCH_ONLY_LOD, .world = 1},
        {.size = sizeof p, .only = ADIT_WATCH_ONLY_WORLD, .world = 63}, {.size = sizeof p, .only = ADIT_WATCH_ONLY_LOD, .lod = 16},
        {.size = sizeof p, .only = 4},
    };
    struct adit_watch *first = watch(a, &p), *all = watch(a, NULL), *zero = watch(a, &everything), *none;
    struct adit_watch_event event;
    int32_t sum = 0;
    (void)state;
    put(a, (struct adit_key){0});
    put(a, (struct adit_key){.world = 62});
    put(a, (struct adit_key){.lod = 15});
    assert_int_equal(adit_watch_next(first, &event, 0), 0);
    assert_int_equal(event.key.world + event.key.lod, 0);
    assert_int_equal(adit_watch_next(first, &event, 0), -EAGAIN);
    assert_int_equal(drain(all, &sum), 3);
    assert_int_equal(drain(zero, &sum), 3); /* params of zeros are the default, too */
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(adit_watch_open(a, &bad[i], &none), -EINVAL);
    adit_watch_close(&first);
    adit_watch_close(&all);
    adit_watch_close(&zero);
    adit_detach(&a);
}

static void what_is_there_already_is_reported_when_asked_for(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch_params p = everything;
    int32_t sum = 0;
    (void)state;
    for (int32_t x = 1; x <= 5; x++)
        put(a, (struct adit_key){.x = x});
    struct adit_watch *without = watch(a, &p);
    p.with_present = true;
    p.lo[0] = 2;
    p.hi[0] = 5;
    p.hi[1] = p.hi[2] = 1;
    struct adit_watch *with = watch(a, &p);
    assert_int_equal(drain(without, &sum), 0);
    assert_int_equal(drain(with, &sum), 3);
    assert_int_equal(sum, 2 + 3 + 4);
    adit_watch_close(&without);
    adit_watch_close(&with);
    adit_detach(&a);
}

static void what_says_whether_chunk_or_mesh_changed(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch_params p = everything;
    struct adit_watch *both = watch(a, &p), *meshes, *chunks;
    struct adit_watch_event event;
    struct adit_dispatcher *d;
    (void)state;
    p.what = ADIT_WATCH_MESHES;
    meshes = watch(a, &p);
    p.what = ADIT_WATCH_CHUNKS;
    chunks = watch(a, &p);
    put(a, (struct adit_key){.x = 1});
    assert_int_equal(adit_watch_next(meshes, &event, 0), -EAGAIN);
    assert_int_equal(adit_dispatcher_open(a, NULL, &d), 0);
    assert_int_equal(adit_settle(a, 10000000000u), 0);
    assert_int_equal(adit_watch_next(meshes, &event, 0), 0);
    assert_int_equal(event.what, ADIT_WATCH_MESHES);
    assert_int_equal(adit_watch_next(both, &event, 0), 0);
    assert_int_equal(event.what, ADIT_WATCH_CHUNKS | ADIT_WATCH_MESHES);
    assert_int_equal(adit_watch_next(chunks, &event, 0), 0);
    assert_int_equal(event.what, ADIT_WATCH_CHUNKS);
    assert_int_equal(adit_watch_next(chunks, &event, 0), -EAGAIN);
    adit_dispatcher_close(&d);
    adit_detach(&a); /* closes the three */
}

/* ---- waiting */

static void *put_later(void *user)
{
    shm_fixture_nap(20);
    REQUIRE(!adit_chunk_put(user, &(struct adit_key){.x = 6}, voxels, NULL));
    return NULL;
}

static void next_waits_for_a_change_or_its_timeout(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch *w = watch(a, NULL);
    struct adit_watch_event event;
    pthread_t thread;
    (void)state;
    assert_int_equal(adit_watch_next(w, &event, 5000000), -ETIMEDOUT);
    for (uint32_t forever = 0; forever < 2; forever++) {
        assert_int_equal(pthread_create(&thread, NULL, put_later, a), 0);
        assert_int_equal(adit_watch_next(w, &event, forever ? UINT64_MAX : 10000000000u), 0);
        assert_int_equal(event.key.x, 6);
        pthread_join(thread, NULL);
    }
    adit_watch_close(&w);
    adit_detach(&a);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* A late word is legal, but whoever asks again ends it. */
static bool is_quiet_once_drained(void *watch_open)
{
    struct adit_watch *w = watch_open;
    drain(w, &(int32_t){0});
    return !is_readable(adit_watch_fd(w), 0);
}

static void the_descriptor_polls_readable_and_goes_quiet(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch *w = watch(a, NULL);
    int fd = adit_watch_fd(w);
    int32_t sum = 0;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(adit_watch_fd(w), fd);
    assert_false(is_readable(fd, 20));
    for (int32_t i = 0; i < 300; i++) {
        put(a, (struct adit_key){.x = i % 40});
        uint64_t take_ns = adit_clock_ns() + (uint64_t)(i % 64) * 4000; /* taken at any step of the thread's way */
        while (adit_clock_ns() < take_ns)
            adit_spin_pause();
        drain(w, &sum);
        shm_fixture_nap(1);
        assert_true(fixture_eventually(is_quiet_once_drained, w));
    }
    shm_fixture_nap(20);
    assert_true(fixture_eventually(is_quiet_once_drained, w));
    put(a, (struct adit_key){.x = 1});
    assert_true(is_readable(fd, 5000));
    adit_watch_close(&w); /* while it is readable */
    w = watch(a, NULL);
    assert_true(adit_watch_fd(w) >= 0);
    adit_watch_close(&w); /* while its thread sleeps */
    w = watch(a, NULL);
    assert_true(adit_watch_fd(w) >= 0);
    adit_detach(&a); /* and left open */
}

static void watches_have_a_limit_and_are_given_back(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 4u << 20, .watches_max = 3};
    struct adit_arena *a = fixture_create(&params), *o = NULL;
    struct adit_watch *w[4] = {0};
    struct adit_watch_params wrong = {.size = 1};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        w[i] = watch(a, NULL);
    assert_int_equal(fixture_stats(a).watches, 3);
    assert_int_equal(adit_watch_open(a, NULL, &w[3]), -EUSERS);
    assert_null(w[3]);
    assert_non_null(strstr(adit_detail(), "watches_max"));
    put(a, (struct adit_key){.x = 3});
    adit_watch_close(&w[1]);
    w[1] = watch(a, NULL); /* its slot, but nothing of what it had not taken */
    assert_int_equal(adit_watch_next(w[1], &(struct adit_watch_event){0}, 0), -EAGAIN);
    assert_int_equal(adit_watch_open(a, &wrong, &w[3]), -EMSGSIZE);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_OBSERVER, NULL, &o), 0);
    assert_int_equal(adit_watch_open(o, NULL, &w[3]), -EROFS);
    adit_detach(&o);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_CONSUMER, NULL, &o), 0);
    adit_watch_close(&w[0]);
    w[0] = watch(o, NULL);
    adit_detach(&o); /* gives its slot back */
    assert_int_equal(fixture_stats(a).watches, 2);
    adit_detach(&a);
}

/* ---- racing with a publisher in another process */

#define RACE_KEYS 12
#define RACE_ROUNDS 60

static void publish_rounds(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    (void)user;
    for (uint32_t i = 0; i < RACE_ROUNDS; i++)
        for (int32_t x = 0; x < RACE_KEYS; x++)
            REQUIRE(!adit_chunk_put(a, &(struct adit_key){.x = x}, voxels, NULL));
    adit_detach(&a);
}

static void no_last_version_is_missed_beside_a_racing_publisher(void **state)
{
    pid_t child = fixture_fork(publish_rounds, NULL);
    struct adit_arena *a = fixture_create(NULL);
    struct adit_watch_params p = everything;
    uint64_t last[RACE_KEYS] = {0};
    uint32_t finished = 0, events = 0;
    (void)state;
    p.with_present = true;
    fixture_start();
    shm_fixture_nap(10); /* so that it opens in the middle, most times */
    struct adit_watch *w = watch(a, &p);
    while (finished < RACE_KEYS && events < RACE_KEYS * RACE_ROUNDS * 2) {
        struct adit_watch_event event;
        uint64_t version;
        assert_int_equal(adit_watch_next(w, &event, 10000000000u), 0); /* -ETIMEDOUT: one was lost */
        assert_in_range(event.key.x, 0, RACE_KEYS - 1);
        assert_int_equal(adit_chunk_version(a, &event.key, &version), 0);
        assert_true(version >= last[event.key.x]);
        finished += version == RACE_ROUNDS && last[event.key.x] != RACE_ROUNDS;
        last[event.key.x] = version;
        events++;
    }
    assert_int_equal(finished, RACE_KEYS);
    assert_int_equal(shm_fixture_wait(child), 0);
    adit_watch_close(&w);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_changes_are_one_event),
        cmocka_unit_test(a_watch_sees_its_box_and_nothing_else),
        cmocka_unit_test(world_and_level_count_when_asked_for),
        cmocka_unit_test(what_is_there_already_is_reported_when_asked_for),
        cmocka_unit_test(what_says_whether_chunk_or_mesh_changed),
        cmocka_unit_test(next_waits_for_a_change_or_its_timeout),
        cmocka_unit_test(the_descriptor_polls_readable_and_goes_quiet),
        cmocka_unit_test(watches_have_a_limit_and_are_given_back),
        cmocka_unit_test(no_last_version_is_missed_beside_a_racing_publisher),
    };
    return cmocka_run_group_tests_name("watches", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
