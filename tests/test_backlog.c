/* How far meshing is behind, as a producer is told (adit_backlog). */
#include <errno.h>
#include <string.h>

#include "tests/chunk_fixture.h"

#define CHUNKS 2000u

static uint16_t voxels[ADIT_CHUNK_VOXELS];

static struct adit_backlog look(struct adit_arena *a)
{
    struct adit_backlog b = {.size = sizeof b};
    assert_int_equal(adit_backlog(a, &b), 0);
    return b;
}

static void put(struct adit_arena *a, uint32_t i)
{
    const struct adit_key key = {.x = (int32_t)i * 3}; /* no neighbours */
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
}

static void what_waits_is_counted_and_how_long(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *observer = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    (void)state;
    struct adit_backlog b = look(a);
    assert_int_equal(b.dirty + b.in_work + b.oldest_ns + b.each_ns + b.clear_ns, 0);
    put(a, 0);
    shm_fixture_nap(30);
    for (uint32_t i = 1; i < 20; i++)
        put(a, i);
    b = look(observer);
    assert_int_equal(b.dirty, 20);
    assert_true(b.oldest_ns >= 30000000); /* the first of all (tried: the last one's) */
    assert_int_equal(b.each_ns, 0); /* nobody meshes */
    assert_int_equal(b.clear_ns, b.oldest_ns); /* then all that is known is how long it has been */
    adit_detach(&observer);
    adit_detach(&a);
}

/* One worker, and more than it does in 5 ms: what each takes is known, and times that. */
static void what_is_left_to_do_is_told_in_time(void **state)
{
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 256u << 20, .chunks_max = 4096};
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    struct adit_arena *a = fixture_create(&room);
    struct adit_dispatcher *d;
    uint32_t known = 0;
    (void)state;
    for (uint32_t i = 0; i < 200; i++)
        voxels[i * 997] = 7;
    for (uint32_t i = 0; i < CHUNKS; i++)
        put(a, i);
    uint64_t begin = adit_clock_ns();
    (void)look(a);
    assert_int_equal(adit_dispatcher_open(a, &one, &d), 0);
    for (struct adit_backlog b = look(a); b.dirty; b = look(a)) {
        assert_true(b.clear_ns >= b.oldest_ns && b.clear_ns >= b.each_ns * b.dirty);
        known += b.each_ns != 0;
        if (b.each_ns) /* no mesh takes longer than all have until now, or the half of what one of them must have taken */
            assert_in_range(b.each_ns, 1, adit_clock_ns() - begin);
        shm_fixture_nap(1);
    }
    assert_true(known > 0);
    assert_int_equal(adit_settle(a, ADIT_FOREVER), 0);
    uint64_t each = look(a).each_ns;
    shm_fixture_nap(50);
    put(a, 0);
    assert_int_equal(adit_settle(a, ADIT_FOREVER), 0);
    struct adit_backlog b = look(a);
    assert_int_equal(b.dirty + b.oldest_ns + b.clear_ns, 0);
    assert_int_equal(b.each_ns, each); /* when nothing waits time says nothing (tried: 50 ms for one mesh) */
    adit_dispatcher_close(&d);
    adit_detach(&a);
}

/* Meshes all of it, once more as long as no two looks came while it did. */
static void learn_rate(struct adit_arena *a)
{
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    struct adit_dispatcher *d;
    bool known = false;
    for (int i = 0; i < 100 && !known; i++) {
        for (uint32_t k = 0; k < CHUNKS; k++)
            put(a, k);
        (void)look(a);
        assert_int_equal(adit_dispatcher_open(a, &one, &d), 0);
        for (struct adit_backlog b = look(a); b.dirty && !known; b = look(a)) {
            known = b.each_ns != 0;
            shm_fixture_nap(1);
        }
        adit_dispatcher_close(&d);
    }
    assert_true(known);
}

static bool has_no_rate(void *user)
{
    return look(user).each_ns == 0;
}

/* Who meshed is gone, and what it took is no longer what it takes. (tried: it is kept: for ever) */
static void when_nobody_meshes_any_more_nothing_is_known(void **state)
{
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 256u << 20, .chunks_max = 4096};
    struct adit_arena *a = fixture_create(&room);
    (void)state;
    for (uint32_t i = 0; i < 200; i++)
        voxels[i * 997] = 7;
    learn_rate(a);
    put(a, 0);
    assert_true(fixture_eventually(has_no_rate, a));
    struct adit_backlog b = look(a);
    assert_true(b.dirty && b.clear_ns >= b.oldest_ns && b.oldest_ns);
    learn_rate(a); /* and known again */
    adit_detach(&a);
}

static void what_is_wrong_is_said(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 16u << 20, .guests_max = 1};
    struct adit_arena *a = fixture_create(&p), *guest = shm_fixture_attach(FIXTURE_NAME, ADIT_GUEST);
    struct adit_backlog b = {.size = sizeof b};
    (void)state;
    assert_int_equal(adit_backlog(guest, &b), -EROFS);
    b.size = 7;
    assert_int_equal(adit_backlog(a, &b), -EMSGSIZE);
    adit_detach(&guest);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_counted_and_how_long),
        cmocka_unit_test(what_is_left_to_do_is_told_in_time),
        cmocka_unit_test(when_nobody_meshes_any_more_nothing_is_known),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("backlog", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
