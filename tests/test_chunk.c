/* Producing: put, edit, loan, remove. Versions count by one, racing editors lose nothing, a full store or arena is an error
 * with a cure and never more than that, and no way through the calls keeps a byte that the store does not name. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static uint16_t voxels[ADIT_CHUNK_VOXELS], seen[ADIT_CHUNK_VOXELS];
static const struct adit_key key = {.x = -7, .y = 3, .z = 12, .lod = 1, .world = 2};

static uint64_t version_of(struct adit_arena *a, const struct adit_key *k)
{
    uint64_t version = 99;
    assert_int_equal(adit_chunk_version(a, k, &version), 0);
    return version;
}

/* The current voxels in seen; the answer of acquire. */
static int look(struct adit_arena *a, const struct adit_key *k)
{
    struct adit_reader *r;
    struct adit_chunk_view view;
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    int error = adit_chunk_acquire(r, k, &view);
    if (!error) {
        assert_true(adit_chunk_is_intact(&view));
        adit_chunk_decode(&view, seen);
        assert_int_equal(view.version, version_of(a, k));
    }
    adit_exit(r);
    adit_reader_close(&r);
    return error;
}

static void versions_of_a_key_grow_by_one(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_key other = {.x = 1};
    (void)state;
    assert_int_equal(version_of(a, &key), 0);
    assert_int_equal(look(a, &key), -ENOENT);
    for (uint64_t n = 1; n <= 20; n++) {
        uint64_t version = 0;
        struct adit_put_params params = {.size = sizeof params, .version = &version};
        fixture_paint(n, voxels);
        assert_int_equal(adit_chunk_put(a, &key, voxels, &params), 0);
        assert_int_equal(version, n);
        assert_int_equal(look(a, &key), 0);
        assert_memory_equal(seen, voxels, sizeof voxels);
    }
    assert_int_equal(version_of(a, &other), 0); /* each key counts for itself */
    assert_int_equal(adit_chunk_put(a, &other, voxels, NULL), 0);
    assert_int_equal(version_of(a, &other), 1);
    adit_detach(&a);
}

static void a_version_that_is_not_current_is_stale(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_put_params params = {.size = sizeof params, .if_version = 1};
    struct adit_voxel_edit edit = {1, 2, 3, 0, 9};
    struct adit_loan loan;
    (void)state;
    fixture_paint(1, voxels);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &params), -ESTALE); /* there is none yet */
    assert_int_equal(version_of(a, &key), 0);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &params), 0);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &params), -ESTALE);
    assert_non_null(strstr(adit_detail(), "not the expected one"));
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), -ESTALE);
    assert_int_equal(adit_chunk_remove(a, &key, &params), -ESTALE);
    assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
    memcpy(loan.voxels, voxels, sizeof voxels);
    assert_int_equal(adit_chunk_publish(a, &loan, &params), -ESTALE);
    assert_int_equal(version_of(a, &key), 2);
    params.if_version = 2;
    assert_int_equal(adit_chunk_publish(a, &loan, &params), 0); /* a stale loan is still a loan */
    assert_int_equal(loan.ref, 0);
    params.if_version = 3;
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), 0);
    params.if_version = 4;
    assert_int_equal(adit_chunk_remove(a, &key, &params), 0);
    assert_int_equal(version_of(a, &key), 5);
    adit_detach(&a);
}

static void edits_publish_what_a_put_of_edited_voxels_would(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct adit_key k = {.x = (int32_t)seed};
        struct adit_voxel_edit edits[200];
        uint64_t version = 0;
        struct adit_put_params params = {.size = sizeof params, .version = &version};
        fixture_paint(seed, voxels);
        if (seed) /* key 0 was never published: edits start from air */
            assert_int_equal(adit_chunk_put(a, &k, voxels, NULL), 0);
        for (uint32_t i = 0; i < 200; i++) {
            uint64_t h = fixture_mix(seed * 1000 + i);
            uint8_t small = (uint8_t)(h >> 40 & 7); /* places repeat: the later edit wins */
            edits[i] = (struct adit_voxel_edit){(uint8_t)(h & 63), small, (uint8_t)(h >> 8 & 3), 0, (uint16_t)(h >> 16 & 511)};
            voxels[(edits[i].z * 64 + edits[i].y) * 64 + edits[i].x] = edits[i].material;
        }
        assert_int_equal(adit_chunk_edit(a, &k, edits, 200, &params), 0);
        assert_int_equal(version, seed ? 2 : 1);
        assert_int_equal(look(a, &k), 0);
        assert_memory_equal(seen, voxels, sizeof voxels);
    }
    adit_detach(&a);
}

/* (tried: masked to 0..63, voxel (0,0,0) becomes 9) */
static void an_edit_outside_the_chunk_is_refused_and_edits_nothing(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_voxel_edit good[2] = {{1, 1, 1, 0, 3}, {5, 6, 7, 0, 3}};
    const struct adit_voxel_edit bad[] = {{64, 0, 0, 0, 9}, {0, 64, 0, 0, 9}, {0, 0, 255, 0, 9}};
    (void)state;
    assert_int_equal(adit_chunk_edit(a, &key, good, 2, NULL), 0);
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct adit_voxel_edit both[2] = {{1, 1, 1, 0, 9}, bad[i]};
        assert_int_equal(adit_chunk_edit(a, &key, both, 2, NULL), -ERANGE);
        assert_non_null(strstr(adit_detail(), "edit 1 is of voxel ("));
    }
    assert_int_equal(version_of(a, &key), 1);
    assert_int_equal(adit_chunk_edit(a, &(struct adit_key){.x = 77}, bad, 1, NULL), -ERANGE);
    assert_int_equal(fixture_stats(a).chunks, 1); /* not even a key */
    adit_detach(&a);
}

static void an_edit_that_changes_nothing_publishes_nothing(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    uint64_t version = 0;
    struct adit_put_params params = {.size = sizeof params, .version = &version};
    struct adit_voxel_edit edit = {5, 6, 7, 0, 3};
    (void)state;
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), 0);
    assert_int_equal(version, 1);
    version = 0;
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), 0);
    assert_int_equal(version, 1);
    assert_int_equal(adit_chunk_edit(a, &key, NULL, 0, NULL), 0);
    assert_int_equal(version_of(a, &key), 1);
    adit_detach(&a);
}

/* ---- editors that race: editor e of EDITORS sets every voxel of column x = e, one after the other */

#define EDITORS 3
#define EDITS 100

struct editor {
    struct adit_arena *arena; /* NULL: attach */
    uint32_t number;
};

static void *edit_column(void *user)
{
    struct editor *e = user;
    struct adit_arena *a = e->arena ? e->arena : shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    for (uint32_t i = 0; i < EDITS; i++) {
        struct adit_voxel_edit edit = {(uint8_t)e->number, (uint8_t)(i & 63), (uint8_t)(i >> 6), 0, (uint16_t)(i + 1)};
        int error = -EAGAIN; /* 64 others in between is legal and rare */
        for (uint32_t again = 0; again < 100 && error == -EAGAIN; again++)
            error = adit_chunk_edit(a, &key, &edit, 1, NULL);
        REQUIRE(!error);
    }
    if (!e->arena)
        adit_detach(&a);
    return NULL;
}

static void edit_column_alone(void *user) { edit_column(user); }

static void check_columns(struct adit_arena *a)
{
    assert_int_equal(look(a, &key), 0);
    memset(voxels, 0, sizeof voxels);
    for (uint32_t e = 0; e < EDITORS; e++)
        for (uint32_t i = 0; i < EDITS; i++)
            voxels[((i >> 6) * 64 + (i & 63)) * 64 + e] = (uint16_t)(i + 1);
    assert_memory_equal(seen, voxels, sizeof voxels);
    assert_int_equal(version_of(a, &key), EDITORS * EDITS); /* each edit is one version */
}

static void threads_that_edit_one_chunk_lose_no_edit(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct editor editors[EDITORS];
    pthread_t threads[EDITORS];
    (void)state;
    for (uint32_t i = 0; i < EDITORS; i++) {
        editors[i] = (struct editor){a, i};
        assert_int_equal(pthread_create(&threads[i], NULL, edit_column, &editors[i]), 0);
    }
    for (uint32_t i = 0; i < EDITORS; i++)
        pthread_join(threads[i], NULL);
    check_columns(a);
    adit_detach(&a);
}

static void processes_that_edit_one_chunk_lose_no_edit(void **state)
{
    pid_t children[EDITORS];
    (void)state;
    for (uint32_t i = 0; i < EDITORS; i++)
        children[i] = fixture_fork(edit_column_alone, &(struct editor){NULL, i});
    struct adit_arena *a = fixture_create(NULL);
    fixture_start();
    for (uint32_t i = 0; i < EDITORS; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    check_columns(a);
    adit_detach(&a);
}

static void a_removed_chunk_is_gone_and_its_numbers_go_on(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    uint64_t version = 0;
    struct adit_put_params params = {.size = sizeof params, .version = &version};
    struct adit_voxel_edit edit = {1, 1, 1, 0, 4};
    (void)state;
    assert_int_equal(adit_chunk_remove(a, &key, NULL), -ENOENT);
    fixture_paint(3, voxels);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    assert_int_equal(adit_chunk_remove(a, &key, &params), 0);
    assert_int_equal(version, 2);
    assert_int_equal(look(a, &key), -ENOENT);
    assert_int_equal(version_of(a, &key), 2);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), -ENOENT); /* once is enough */
    assert_int_equal(version_of(a, &key), 2);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &params), 0);
    assert_int_equal(version, 3);
    assert_int_equal(look(a, &key), 0);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), 0); /* of what is removed nothing is left */
    assert_int_equal(version, 5);
    assert_int_equal(look(a, &key), 0);
    memset(voxels, 0, sizeof voxels);
    voxels[(64 + 1) * 64 + 1] = 4;
    assert_memory_equal(seen, voxels, sizeof voxels);
    adit_detach(&a);
}

/* ---- memory */

static void no_way_through_the_calls_leaks(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_put_params stale = {.size = sizeof stale, .if_version = 1u << 30};
    struct adit_voxel_edit edit = {1, 1, 1, 0, 0};
    (void)state;
    fixture_paint(2, voxels);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    assert_true(fixture_eventually(fixture_is_tidy, a));
    uint64_t before = fixture_stats(a).version_bytes;
    assert_true(before > sizeof voxels);
    for (uint16_t i = 0; i < 12; i++) {
        struct adit_loan loan;
        assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
        assert_true(!i || fixture_stats(a).segments[1].loaned_bytes > sizeof voxels);
        adit_chunk_discard(a, &loan);
        adit_chunk_discard(a, &loan); /* an empty loan is accepted */
        assert_int_equal(loan.ref, 0);
        assert_int_equal(adit_chunk_publish(a, &loan, NULL), -EINVAL);
        assert_int_equal(adit_chunk_prepare(a, &loan), -EINVAL);
        assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
        memcpy(loan.voxels, voxels, sizeof voxels);
        assert_int_equal(i % 2 ? adit_chunk_prepare(a, &loan) : 0, 0);
        assert_int_equal(adit_chunk_publish(a, &loan, i % 3 ? NULL : &stale), i % 3 ? 0 : -ESTALE);
        adit_chunk_discard(a, &loan); /* of the stale one; nothing is left of the other */
        assert_int_equal(adit_chunk_put(a, &key, voxels, &stale), -ESTALE);
        edit.material = (uint16_t)(500 + i);
        assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &stale), -ESTALE);
        assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, NULL), 0);
        assert_int_equal(adit_chunk_remove(a, &key, &stale), -ESTALE);
        assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    }
    assert_true(fixture_eventually(fixture_is_tidy, a));
    assert_int_equal(look(a, &key), 0);
    assert_memory_equal(seen, voxels, sizeof voxels);
    assert_int_equal(fixture_stats(a).version_bytes, before);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
    assert_true(fixture_eventually(fixture_is_tidy, a));
    assert_int_equal(fixture_stats(a).version_bytes, 512);
    adit_detach(&a);
}

static void a_prepared_loan_and_a_plain_one_publish_the_same(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    (void)state;
    for (uint32_t prepared = 0; prepared < 2; prepared++) {
        struct adit_loan loan;
        assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
        fixture_paint(5 + prepared, voxels);
        memcpy(loan.voxels, voxels, sizeof voxels);
        assert_int_equal(prepared ? adit_chunk_prepare(a, &loan) : 0, 0);
        assert_int_equal(version_of(a, &key), prepared);
        assert_int_equal(adit_chunk_publish(a, &loan, NULL), 0);
        assert_int_equal(look(a, &key), 0);
        assert_memory_equal(seen, voxels, sizeof voxels);
    }
    adit_detach(&a);
}

/* (tried: keys entered first: edits of air with air fill the store) */
static void who_publishes_nothing_enters_no_key(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 8u << 20, .chunks_max = 40};
    struct adit_arena *a = fixture_create(&params);
    struct adit_put_params at_seven = {.size = sizeof at_seven, .if_version = 7};
    struct adit_voxel_edit air = {.x = 1}, stone = {.material = 7};
    struct adit_loan loan;
    (void)state;
    fixture_paint(1, voxels);
    for (struct adit_key k = {0}; k.x < 100; k.x++) { /* a store of 40 */
        uint64_t version = 1;
        struct adit_put_params p = {.size = sizeof p, .version = &version};
        assert_int_equal(adit_chunk_edit(a, &k, &air, 1, &p), 0);
        assert_int_equal(version, 0);
        assert_int_equal(adit_chunk_put(a, &k, voxels, &at_seven), -ESTALE);
        assert_int_equal(adit_chunk_edit(a, &k, &stone, 1, &at_seven), -ESTALE);
        assert_int_equal(adit_chunk_remove(a, &k, NULL), -ENOENT);
        assert_int_equal(adit_chunk_loan(a, &k, &loan), 0);
        assert_int_equal(adit_chunk_publish(a, &loan, &at_seven), -ESTALE);
        adit_chunk_discard(a, &loan);
    }
    assert_int_equal(fixture_stats(a).keys, 0);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

/* (tried: removals that take data blocks only: -ENOMEM) */
static void a_full_arena_is_relieved_by_removals(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 2u << 20, .chunks_max = 5000, .guests_max = 1};
    struct adit_arena *a = fixture_create(&params);
    struct adit_arena *guest = shm_fixture_attach(FIXTURE_NAME, ADIT_GUEST);
    struct adit_reader *r;
    struct adit_chunk_view view;
    static uint64_t refs[4096];
    uint64_t ref, version;
    uint32_t refs_n = 0;
    int32_t n = 0;
    (void)state;
    assert_int_equal(adit_reader_open(guest, &r), 0);
    fixture_paint(2, voxels);
    for (struct adit_key k = {0}; !adit_chunk_put(a, &k, voxels, NULL); k.x++)
        n = k.x + 1;
    assert_true(n > 2);
    while (!adit_block_alloc(a, 512, ADIT_BLOCK_HERE, &ref)) { /* not a granule is left */
        assert_true(refs_n < 4096);
        refs[refs_n++] = ref;
    }
    for (int32_t i = 0; i < 2; i++) {
        struct adit_key k = {.x = i};
        assert_int_equal(adit_chunk_remove(a, &k, NULL), 0);
        assert_int_equal(look(a, &k), -ENOENT);
        assert_int_equal(adit_chunk_version(guest, &k, &version), 0);
        assert_int_equal(version, 2);
        int got;
        do { /* producers that need memory oust guests */
            adit_enter(r);
            got = adit_chunk_acquire(r, &k, &view);
        } while (adit_exit(r));
        assert_int_equal(got, -ENOENT); /* whose block a guest may not see */
    }
    assert_int_equal(fixture_stats(a).segments[0].blocks, 1); /* the second one had what the first gave back */
    shm_fixture_verify(a, ADIT_VERIFY_LIVING | ADIT_VERIFY_DEEP);
    struct adit_key first = {0};
    assert_int_equal(adit_chunk_put(a, &first, voxels, NULL), 0); /* where the second one was; and the heap has its block back */
    assert_int_equal(look(a, &first), 0);
    while (refs_n)
        adit_block_free(a, refs[--refs_n]);
    adit_reader_close(&r);
    adit_detach(&guest);
    assert_int_equal(adit_reclaim(a, true), 0);
    assert_true(fixture_eventually(fixture_is_tidy, a));
    assert_int_equal(fixture_stats(a).segments[0].blocks, 0);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

static void a_full_store_refuses_new_keys_and_all_else_goes_on(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 8u << 20, .chunks_max = 40};
    struct adit_arena *a = fixture_create(&params);
    struct adit_key k = {0};
    struct adit_loan loan;
    int error = 0;
    (void)state;
    fixture_paint(1, voxels);
    while (k.x < 1000 && !(error = adit_chunk_put(a, &k, voxels, NULL)))
        k.x++;
    assert_int_equal(error, -ENOSPC);
    assert_true(k.x >= 40); /* what was asked for, at least */
    assert_int_equal(fixture_stats(a).chunks, k.x);
    assert_non_null(strstr(adit_detail(), "chunks_max"));
    assert_non_null(strstr(adit_detail(), FIXTURE_NAME));
    assert_int_equal(adit_chunk_loan(a, &k, &loan), -ENOSPC);
    assert_int_equal(loan.ref, 0);
    assert_int_equal(adit_chunk_edit(a, &k, &(struct adit_voxel_edit){.material = 1}, 1, NULL), -ENOSPC);
    assert_int_equal(adit_chunk_remove(a, &k, NULL), -ENOENT);
    assert_int_equal(look(a, &k), -ENOENT);
    for (k.x--; k.x >= 0; k.x--) {
        assert_int_equal(adit_chunk_edit(a, &k, &(struct adit_voxel_edit){.material = 77}, 1, NULL), 0);
        assert_int_equal(look(a, &k), 0);
        assert_int_equal(seen[0], 77);
    }
    assert_true(fixture_eventually(fixture_is_tidy, a));
    adit_detach(&a);
}

static void a_full_arena_refuses_and_works_again_once_there_is_room(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 4u << 20};
    struct adit_arena *a = fixture_create(&params);
    struct adit_key k = {0};
    struct adit_loan loan;
    int error = 0;
    (void)state;
    fixture_paint(2, voxels); /* dense */
    while (k.x < 100 && !(error = adit_chunk_put(a, &k, voxels, NULL)))
        k.x++;
    assert_int_equal(error, -ENOMEM);
    assert_in_range(k.x, 4, 8);
    assert_non_null(strstr(adit_detail(), FIXTURE_NAME));
    assert_non_null(strstr(adit_detail(), "larger"));
    assert_int_equal(version_of(a, &k), 0);
    assert_int_equal(adit_chunk_loan(a, &k, &loan), -ENOMEM);
    for (int32_t i = 0; i < k.x; i++) { /* readers see nothing of it */
        assert_int_equal(look(a, &(struct adit_key){.x = i}), 0);
        assert_memory_equal(seen, voxels, sizeof voxels);
    }
    assert_int_equal(adit_chunk_remove(a, &(struct adit_key){.x = 0}, NULL), 0);
    assert_int_equal(adit_chunk_put(a, &k, voxels, NULL), 0); /* waits for the grace period by itself */
    assert_int_equal(look(a, &k), 0);
    assert_memory_equal(seen, voxels, sizeof voxels);
    assert_true(fixture_eventually(fixture_is_tidy, a));
    adit_detach(&a);
}

/* ---- who may not, and what is refused */

static void a_consumer_may_not_write(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *c = NULL;
    struct adit_loan loan, empty = {0};
    struct adit_voxel_edit edit = {0};
    (void)state;
    fixture_paint(1, voxels);
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    for (enum adit_role role = ADIT_CONSUMER; role <= ADIT_OBSERVER; role++) {
        assert_int_equal(adit_attach(FIXTURE_NAME, role, NULL, &c), 0);
        assert_int_equal(adit_chunk_put(c, &key, voxels, NULL), -EROFS);
        assert_non_null(strstr(adit_detail(), "attach as a producer"));
        assert_int_equal(adit_chunk_loan(c, &key, &loan), -EROFS);
        assert_int_equal(adit_chunk_prepare(c, &empty), -EROFS);
        assert_int_equal(adit_chunk_publish(c, &empty, NULL), -EROFS);
        assert_int_equal(adit_chunk_edit(c, &key, &edit, 1, NULL), -EROFS);
        assert_int_equal(adit_chunk_remove(c, &key, NULL), -EROFS);
        assert_int_equal(version_of(c, &key), 1); /* looking is for everybody */
        adit_detach(&c);
    }
    adit_detach(&a);
}

static void keys_at_the_limits_work_and_beyond_them_are_refused(void **state)
{
    static const struct adit_key in[] = {{-524288, -2048, -524288, 0, 0}, {524287, 2047, 524287, 15, 62},
                                         {-524288, 2047, 524287, 15, 0}, {0, 0, 0, 0, 62}};
    static const struct adit_key out[] = {{-524289, 0, 0, 0, 0}, {524288, 0, 0, 0, 0}, {0, -2049, 0, 0, 0},
                                          {0, 2048, 0, 0, 0},    {0, 0, -524289, 0, 0}, {0, 0, 524288, 0, 0},
                                          {0, 0, 0, 16, 0},      {0, 0, 0, 0, 63},     {INT32_MIN, 0, 0, 0, 0},
                                          {0, INT32_MAX, 0, 0, 0}};
    struct adit_arena *a = fixture_create(NULL);
    struct adit_loan loan;
    struct adit_voxel_edit edit = {.material = 1};
    uint64_t version;
    (void)state;
    fixture_paint(1, voxels);
    for (uint32_t i = 0; i < sizeof in / sizeof *in; i++) {
        voxels[0] = (uint16_t)(i + 1);
        assert_int_equal(adit_chunk_put(a, &in[i], voxels, NULL), 0);
    }
    for (uint32_t i = 0; i < sizeof in / sizeof *in; i++) {
        assert_int_equal(look(a, &in[i]), 0);
        assert_int_equal(seen[0], i + 1);
    }
    for (uint32_t i = 0; i < sizeof out / sizeof *out; i++) {
        assert_int_equal(adit_chunk_put(a, &out[i], voxels, NULL), -ERANGE);
        assert_int_equal(adit_chunk_loan(a, &out[i], &loan), -ERANGE);
        assert_int_equal(adit_chunk_edit(a, &out[i], &edit, 1, NULL), -ERANGE);
        assert_int_equal(adit_chunk_remove(a, &out[i], NULL), -ERANGE);
        assert_non_null(strstr(adit_detail(), "-524288..524287"));
        assert_int_equal(adit_chunk_version(a, &out[i], &version), -ERANGE);
        assert_int_equal(look(a, &out[i]), -ERANGE);
    }
    assert_int_equal(fixture_stats(a).chunks, sizeof in / sizeof *in);
    adit_detach(&a);
}

static void params_of_another_size_are_refused(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_put_params params = {.size = sizeof params - 8};
    struct adit_voxel_edit edit = {.material = 1};
    struct adit_loan loan;
    (void)state;
    assert_int_equal(adit_chunk_put(a, &key, voxels, &params), -EMSGSIZE);
    assert_non_null(strstr(adit_detail(), "sizeof"));
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &params), -EMSGSIZE);
    assert_int_equal(adit_chunk_remove(a, &key, &params), -EMSGSIZE);
    assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
    assert_int_equal(adit_chunk_publish(a, &loan, &params), -EMSGSIZE);
    adit_chunk_discard(a, &loan);
    assert_int_equal(version_of(a, &key), 0);
    adit_detach(&a);
}

static void it_can_be_asked_for_that_there_is_none(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_voxel_edit edit = {.material = 1};
    struct adit_loan loan;
    uint64_t version = 0;
    struct adit_put_params first = {.size = sizeof first, .if_version = ADIT_VERSION_NONE, .version = &version};
    (void)state;
    assert_int_equal(adit_chunk_loan(a, &key, &loan), 0); /* a key on loan has none yet */
    assert_int_equal(adit_chunk_put(a, &key, voxels, &first), 0);
    assert_int_equal(version, 1);
    memset(loan.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
    assert_int_equal(adit_chunk_publish(a, &loan, &first), -ESTALE);
    adit_chunk_discard(a, &loan);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &first), -ESTALE);
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &first), -ESTALE);
    assert_int_equal(adit_chunk_remove(a, &key, &first), -ESTALE);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, &first), 0); /* removed is as if there never was one, but for the numbers */
    assert_int_equal(version, 3);
    assert_int_equal(adit_chunk_remove(a, &key, NULL), 0);
    assert_int_equal(adit_chunk_put(a, &key, voxels, &first), 0);
    assert_int_equal(version, 5);
    adit_detach(&a);
}

static bool is_renewable(struct adit_arena *a)
{
    struct adit_reader *r;
    struct adit_chunk_view view;
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    assert_int_equal(adit_chunk_acquire(r, &key, &view), 0);
    assert_true(adit_chunk_is_intact(&view));
    assert_int_equal(adit_exit(r), 0);
    adit_reader_close(&r);
    return view.renewable;
}

/* (tried: an edit that keeps it; a loan that says so after it was sealed: not intact) */
static void who_can_make_a_version_again_says_so(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    const struct adit_put_params again = {.size = sizeof again, .renewable = true}, first = {.size = sizeof first, .if_version = 77, .renewable = true};
    const struct adit_voxel_edit edit = {.x = 9, .material = 77}, other = {.x = 9, .material = 78};
    struct adit_loan loan;
    (void)state;
    assert_int_equal(adit_chunk_put(a, &key, voxels, &again), 0);
    assert_true(is_renewable(a));
    assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, NULL), 0);
    assert_false(is_renewable(a));
    assert_int_equal(adit_chunk_edit(a, &key, &other, 1, &again), 0);
    assert_true(is_renewable(a));
    assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    assert_false(is_renewable(a));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
        memset(loan.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
        assert_int_equal(i ? adit_chunk_prepare(a, &loan) : 0, 0);
        if (i == 2) /* it said so in vain, and does not say so any more */
            assert_int_equal(adit_chunk_publish(a, &loan, &first), -ESTALE);
        assert_int_equal(adit_chunk_publish(a, &loan, i == 2 ? NULL : &again), 0);
        assert_int_equal(is_renewable(a), i != 2);
    }
    adit_detach(&a);
}

static void flags_that_are_unknown_or_at_odds_are_refused(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .flags = 1u << 31};
    struct adit_arena *a = NULL;
    (void)state;
    assert_int_equal(adit_create("flags", &params, &a), -EINVAL);
    assert_non_null(strstr(adit_detail(), "0x80000000"));
    params.flags = ADIT_CREATE_SMALL_PAGES | ADIT_CREATE_HUGE_1G;
    assert_int_equal(adit_create("flags", &params, &a), -EINVAL);
    params.flags = ADIT_CREATE_SMALL_PAGES;
    assert_int_equal(adit_create("flags", &params, &a), 0);
    assert_null(strstr(adit_notes(a), "4 KiB")); /* they are what was asked for */
    adit_detach(&a);
}

/* Through a copy of the struct, as a careless caller would. */
static void a_loan_is_published_or_discarded_once(void **state)
{
    struct adit_loan loan, copy;
    struct adit_arena *a = fixture_create(NULL);
    (void)state;
    assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
    memset(loan.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
    loan.voxels[5] = 7;
    copy = loan;
    assert_int_equal(adit_chunk_publish(a, &loan, NULL), 0);
    assert_int_equal(adit_chunk_publish(a, &copy, NULL), -EINVAL);
    copy.prepared = true;
    assert_int_equal(adit_chunk_publish(a, &copy, NULL), -EINVAL);
    assert_non_null(strstr(adit_detail(), "once"));
    assert_int_equal(adit_chunk_loan(a, &key, &loan), 0);
    copy = loan;
    copy.prepared = true;
    adit_chunk_discard(a, &loan);
    assert_int_equal(adit_chunk_publish(a, &copy, NULL), -EINVAL);
    assert_int_equal(look(a, &key), 0);
    assert_int_equal(version_of(a, &key), 1);
    assert_int_equal(seen[5], 7);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loan_is_published_or_discarded_once),
        cmocka_unit_test(versions_of_a_key_grow_by_one),
        cmocka_unit_test(a_version_that_is_not_current_is_stale),
        cmocka_unit_test(edits_publish_what_a_put_of_edited_voxels_would),
        cmocka_unit_test(an_edit_outside_the_chunk_is_refused_and_edits_nothing),
        cmocka_unit_test(an_edit_that_changes_nothing_publishes_nothing),
        cmocka_unit_test(threads_that_edit_one_chunk_lose_no_edit),
        cmocka_unit_test(processes_that_edit_one_chunk_lose_no_edit),
        cmocka_unit_test(a_removed_chunk_is_gone_and_its_numbers_go_on),
        cmocka_unit_test(no_way_through_the_calls_leaks),
        cmocka_unit_test(a_prepared_loan_and_a_plain_one_publish_the_same),
        cmocka_unit_test(who_publishes_nothing_enters_no_key),
        cmocka_unit_test(a_full_arena_is_relieved_by_removals),
        cmocka_unit_test(a_full_store_refuses_new_keys_and_all_else_goes_on),
        cmocka_unit_test(a_full_arena_refuses_and_works_again_once_there_is_room),
        cmocka_unit_test(a_consumer_may_not_write),
        cmocka_unit_test(keys_at_the_limits_work_and_beyond_them_are_refused),
        cmocka_unit_test(params_of_another_size_are_refused),
        cmocka_unit_test(it_can_be_asked_for_that_there_is_none),
        cmocka_unit_test(who_can_make_a_version_again_says_so),
        cmocka_unit_test(flags_that_are_unknown_or_at_odds_are_refused),
    };
    return cmocka_run_group_tests_name("chunks", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
