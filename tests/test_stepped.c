/* Operations on shared memory with others in between any two of their instructions (stepped.h): what a race shows once in a million
 * rounds is shown here each time. In one thread memory order plays no part: what is judged is the order of steps. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/dirty.h"
#include "runtime/encoding.h"
#include "runtime/key.h"
#include "runtime/material.h"
#include "runtime/publish.h"
#include "runtime/store.h"
#include "tests/stepped.h"

static struct adit_arena *arena, *other; /* two participants, so two owners */

/* ---- rings */

struct passing {
    struct adit_ring *ring;
    uint64_t sent[8], got[8];
    uint32_t popped, torn;
};

static void push_one(void *user)
{
    struct passing *p = user;
    assert_int_equal(adit_ring_push(p->ring, p->sent, 1), 1);
}

static bool pop_any(uint32_t n, void *user)
{
    struct passing *p = user;
    if (n % STEPPED_STRIDE == 0 && adit_ring_pop(p->ring, p->got, 1)) {
        p->popped++;
        p->torn += !!memcmp(p->got, p->sent, sizeof p->got);
    }
    return true;
}

static void pop_one(void *user)
{
    struct passing *p = user;
    p->popped = adit_ring_pop(p->ring, p->got, 1);
}

static bool push_other(uint32_t n, void *user)
{
    static const uint64_t wrong[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct passing *p = user;
    return n % STEPPED_STRIDE || !adit_ring_push(p->ring, wrong, 1);
}

static void an_element_is_whole_at_any_instruction(void **state)
{
    (void)state;
    for (uint32_t kind = ADIT_RING_SPSC; kind <= ADIT_RING_MPMC; kind++)
        for (uint32_t round = 0; round < 5; round++) { /* over the wrap */
            struct adit_ring_params params = {sizeof params, (enum adit_ring_kind)kind, 64, 2};
            struct passing p = {0};
            assert_int_equal(adit_ring_open(arena, kind == ADIT_RING_SPSC ? "spsc" : "mpmc", &params, &p.ring), 0);
            memset(p.sent, 0x40 + (int)round, sizeof p.sent);
            (void)stepped_run(push_one, pop_any, &p);
            assert_int_equal(p.torn, 0);
            while (adit_ring_pop(p.ring, p.got, 1)) {
            }
            assert_int_equal(adit_ring_push(p.ring, p.sent, 1) + adit_ring_push(p.ring, p.sent, 1), 2); /* full */
            (void)stepped_run(pop_one, push_other, &p); /* each place is waited for */
            assert_int_equal(p.popped, 1);
            assert_memory_equal(p.got, p.sent, sizeof p.got);
            while (adit_ring_pop(p.ring, p.got, 1)) {
            }
            adit_ring_close(&p.ring);
        }
    assert_int_equal(adit_ring_destroy(arena, "spsc") | adit_ring_destroy(arena, "mpmc"), 0);
}

/* ---- blocks */

struct allocation {
    uint64_t ref, ref_of_other;
    uint32_t bytes, acts_at, overlaps;
    const char *broken;
};

/* A1 and A2 of shm/block.c, at this moment. */
static const char *broken_invariant(void)
{
    const struct adit_base *b = &arena->segments[1];
    for (uint32_t i = 0; i < b->granules;) {
        uint64_t head = b->words[i];
        uint32_t n = adit_word_granules(head), owner = adit_word_owner(head);
        if (!head || !n || n > b->granules - i)
            return "words do not tile the segment";
        for (uint32_t k = i + 1; k < i + n; k++)
            if (b->words[k] && (adit_word_state(head) != ADIT_BLOCK_CLAIMED || adit_word_state(b->words[k]) != ADIT_BLOCK_CLAIMED ||
                                adit_word_owner(b->words[k]) != owner))
                return "a word inside a run is neither 0 nor claimed by its owner";
        i += n;
    }
    return NULL;
}

static void alloc_one(void *user)
{
    struct allocation *a = user;
    assert_int_equal(adit_block_alloc(arena, a->bytes, ADIT_BLOCK_HERE, &a->ref), 0);
}

static void free_one(void *user)
{
    struct allocation *a = user;
    adit_block_free(arena, a->ref);
}

static bool check_words(uint32_t n, void *user)
{
    struct allocation *a = user;
    if (n % STEPPED_STRIDE == 0 && !a->broken)
        a->broken = broken_invariant();
    return true;
}

/* The other takes a block at one step, and all that is left is looked at. */
static bool alloc_between(uint32_t n, void *user)
{
    struct allocation *a = user;
    if (n != a->acts_at)
        return true;
    if (adit_block_alloc(other, 1024, ADIT_BLOCK_HERE, &a->ref_of_other))
        a->ref_of_other = 0;
    return false;
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes) { return a < b + b_bytes && b < a + a_bytes; }

/* Leaves the segment with free runs of several sizes, some side by side, between blocks. */
static uint32_t make_holes(uint64_t refs[16])
{
    static const uint32_t sizes[16] = {512, 1024, 512, 2048, 512, 512, 4096, 512, 512, 1024, 1024, 512, 3072, 512, 512, 512};
    uint64_t kept[16];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(adit_block_alloc(arena, sizes[i], ADIT_BLOCK_HERE, &kept[i]), 0);
    for (uint32_t i = 0; i < 16; i++)
        if (i % 4 == 3)
            refs[n++] = kept[i];
        else
            adit_block_free(arena, kept[i]);
    return n;
}

static void free_all(const uint64_t *refs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        adit_block_free(arena, refs[i]);
}

static void blocks_are_sound_at_any_instruction(void **state)
{
    static const uint32_t sizes[] = {512, 1536, 2560, 70000};
    (void)state;
    for (uint32_t s = 0; s < 4; s++) {
        struct allocation a = {.bytes = sizes[s]};
        uint64_t refs[16];
        uint32_t n = make_holes(refs);
        (void)stepped_run(alloc_one, check_words, &a);
        assert_null(a.broken);
        assert_int_equal(adit_block_bytes(arena, a.ref), (sizes[s] + 511) / 512 * 512);
        (void)stepped_run(free_one, check_words, &a);
        assert_null(a.broken);
        free_all(refs, n);
        assert_null(broken_invariant());
    }
}

static void an_allocation_at_any_instruction_of_another_never_shares(void **state)
{
    struct allocation a = {.bytes = 1536};
    uint32_t steps;
    (void)state;
    for (uint32_t freeing = 0; freeing < 2; freeing++)
        for (a.acts_at = 1, steps = 0; steps + (2 * STEPPED_STRIDE - 1) >= a.acts_at; a.acts_at += 2 * STEPPED_STRIDE - 1) {
            uint64_t refs[16];
            uint32_t n = make_holes(refs);
            a.ref_of_other = 0;
            if (freeing)
                alloc_one(&a);
            steps = stepped_run(freeing ? free_one : alloc_one, alloc_between, &a);
            if (a.ref_of_other && !freeing)
                assert_false(overlap(a.ref, 1536, a.ref_of_other, 1024));
            for (uint32_t i = 0; i < n && a.ref_of_other; i++)
                assert_false(overlap(refs[i], 512, a.ref_of_other, 1024));
            assert_null(broken_invariant());
            if (!freeing)
                free_one(&a);
            if (a.ref_of_other)
                adit_block_free(other, a.ref_of_other);
            free_all(refs, n);
            assert_null(broken_invariant());
        }
}

/* ---- the store */

struct meeting {
    uint64_t mine, theirs;
    uint32_t index_mine, index_theirs, acts_at;
};

static void insert_mine(void *user)
{
    struct meeting *m = user;
    assert_int_equal(adit_store_enter(arena, m->mine, &m->index_mine), 0);
}

static bool insert_theirs(uint32_t n, void *user)
{
    struct meeting *m = user;
    if (n == m->acts_at)
        assert_int_equal(adit_store_enter(other, m->theirs, &m->index_theirs), 0);
    return n < m->acts_at;
}

/* Two keys that begin at one place, or the same one twice. */
static void keys_that_meet_at_any_instruction_are_both_there(void **state)
{
    struct adit_key key = {.lod = 9};
    uint32_t place, at;
    (void)state;
    for (uint32_t same = 0; same < 2; same++) {
        struct meeting m = {0};
        assert_int_equal(adit_key_pack(&key, &m.mine), 0);
        assert_int_equal(adit_store_enter(arena, m.mine, &place), 0);
        arena->keys[place] = 0;
        for (key.x = same ? 0 : 1, at = UINT32_MAX; at != place; key.x += at != place) {
            assert_int_equal(adit_key_pack(&key, &m.theirs), 0);
            assert_int_equal(adit_store_enter(arena, m.theirs, &at), 0);
            arena->keys[at] = 0;
        }
        uint32_t steps = 0;
        for (m.acts_at = 1; steps + 1 >= m.acts_at; m.acts_at++) { /* until the last step comes before */
            m.index_theirs = UINT32_MAX;
            steps = stepped_run(insert_mine, insert_theirs, &m);
            uint32_t found;
            assert_true(adit_store_find(arena, m.mine, &found));
            assert_int_equal(found, m.index_mine);
            if (m.index_theirs != UINT32_MAX) {
                assert_true(adit_store_find(arena, m.theirs, &found));
                assert_int_equal(found, m.index_theirs);
                assert_int_equal(m.index_mine == m.index_theirs, same);
                arena->keys[m.index_theirs] = 0;
            }
            arena->keys[m.index_mine] = 0;
        }
        key = (struct adit_key){.lod = 9};
    }
}

/* ---- the dirty set */

struct shift {
    uint32_t index;
    bool again, settled_early, has_claimed;
};

static void claim_and_finish(void *user)
{
    struct shift *s = user;
    uint32_t cursor = 0;
    s->has_claimed = adit_dirty_claim(arena, &cursor, &s->index);
    adit_dirty_finish(arena, s->index, s->again);
}

static bool settle_between(uint32_t n, void *user)
{
    struct shift *s = user;
    bool is_done = !s->again && adit_load_relaxed(&arena->entries[s->index].work) == 0 && s->has_claimed;
    if (n % STEPPED_STRIDE == 0 && !adit_settle(other, 0)) {
        struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
        s->settled_early |= !is_done && (adit_bitset_has(&dirty, s->index) || adit_bitset_has(&working, s->index) || s->again);
    }
    return true;
}

/* Somebody settles while the chunk goes from working back to dirty after its n-th instruction, and to working again later. */
struct there_and_back {
    uint32_t index, back_at, again_at;
    int settled;
};

static void settle_once(void *user)
{
    struct there_and_back *t = user;
    t->settled = adit_settle(other, 0);
}

static bool go_there_and_back(uint32_t n, void *user)
{
    struct there_and_back *t = user;
    uint32_t cursor = 0;
    if (n == t->back_at)
        adit_dirty_finish(arena, t->index, true);
    if (n == t->again_at)
        (void)adit_dirty_claim(arena, &cursor, &t->index);
    return n < t->again_at;
}

/* Tried: without the count of returns it is settled at some of these. */
static void a_chunk_that_comes_back_is_never_settled(void **state)
{
    struct there_and_back t = {.index = 13};
    uint32_t cursor = 0, steps = 1;
    (void)state;
    adit_dirty_mark(arena, t.index);
    assert_true(adit_dirty_claim(arena, &cursor, &t.index));
    for (uint32_t apart = 16; apart <= 1024; apart *= 2)
        for (t.back_at = 1; steps && t.back_at < 600; t.back_at += 7) {
            t.again_at = t.back_at + apart;
            steps = stepped_run(settle_once, go_there_and_back, &t);
            assert_int_equal(t.settled, -ETIMEDOUT);
            cursor = 0;
            if (!adit_load_relaxed(&arena->entries[t.index].work)) /* it was over before that */
                assert_true(adit_dirty_claim(arena, &cursor, &t.index));
        }
    adit_dirty_finish(arena, t.index, false);
    assert_int_equal(adit_settle(arena, 0), 0);
}

static void a_chunk_in_work_is_never_settled_at_any_instruction(void **state)
{
    (void)state;
    for (uint32_t again = 0; again < 2; again++) {
        struct shift s = {.index = 11, .again = again};
        adit_dirty_mark(arena, s.index);
        (void)stepped_run(claim_and_finish, settle_between, &s);
        assert_true(s.has_claimed);
        assert_false(s.settled_early);
        assert_int_equal(adit_settle(arena, 0), again ? -ETIMEDOUT : 0);
        s.again = false;
        if (again)
            claim_and_finish(&s);
    }
}

/* ---- publishing */

struct publication {
    struct adit_key key;
    struct adit_loan loan;
    struct adit_reader *reader;
    uint64_t version, seen;
    uint32_t wrong;
};

static void lend(struct adit_loan *loan, const struct adit_key *key, uint16_t material)
{
    assert_int_equal(adit_chunk_loan(arena, key, loan), 0);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        loan->voxels[i] = material;
    assert_int_equal(adit_chunk_prepare(arena, loan), 0);
}

static void publish_one(void *user)
{
    struct publication *p = user;
    struct adit_put_params params = {.size = sizeof params, .version = &p->version};
    assert_int_equal(adit_chunk_publish(arena, &p->loan, &params), 0);
}

/* A consumer: voxels are a function of the number, whichever it sees; numbers do not go back. */
static bool read_between(uint32_t n, void *user)
{
    struct publication *p = user;
    struct adit_chunk_view view;
    if (n % STEPPED_STRIDE)
        return true;
    adit_enter(p->reader);
    int error = adit_chunk_acquire(p->reader, &p->key, &view);
    p->wrong += error || view.version < p->seen || adit_chunk_voxel(&view, n, n >> 6, n >> 12) != view.version ||
                adit_chunk_voxel(&view, 63, 63, 63) != view.version;
    p->seen = error ? p->seen : view.version;
    adit_exit(p->reader);
    return true;
}

static void a_version_is_whole_at_any_instruction_of_publishing(void **state)
{
    struct publication p = {.key = {.y = 3}};
    (void)state;
    assert_int_equal(adit_reader_open(other, &p.reader), 0);
    for (uint16_t version = 1; version < 4; version++) {
        lend(&p.loan, &p.key, version);
        if (version == 1)
            publish_one(&p);
        else
            (void)stepped_run(publish_one, read_between, &p);
        assert_int_equal(p.wrong, 0);
        assert_int_equal(p.version, version);
    }
    adit_reader_close(&p.reader);
}

/* A publish as chunk.c does it, of the smallest block there is: one that says "removed". */
struct rivalry {
    struct adit_reader *reader[2];
    uint64_t packed, ref[3], version[3]; /* 0 is mine, 1 and 2 are the other's */
    uint32_t index, acts_at;
    int error[3];
};

static void prepare(struct rivalry *r, uint32_t who)
{
    struct adit_arena *a = who ? other : arena;
    assert_int_equal(adit_block_alloc(a, sizeof(struct adit_version), ADIT_BLOCK_HERE, &r->ref[who]), 0);
    struct adit_version *v = adit_arena_at(a, r->ref[who], sizeof *v);
    adit_encode_removed(v);
    v->kind = ADIT_KIND_VERSION;
    v->key = r->packed;
    r->version[who] = 0;
}

static void publish_as(struct rivalry *r, uint32_t who)
{
    struct adit_expected any = {0};
    r->error[who] = adit_publish_version(who ? other : arena, r->reader[!!who], r->packed, &r->index, r->ref[who], &any, &r->version[who]);
}

static void publish_mine(void *user) { publish_as(user, 0); }

static bool publish_theirs(uint32_t n, void *user)
{
    struct rivalry *r = user;
    if (n == r->acts_at) {
        publish_as(r, 1);
        publish_as(r, 2);
    }
    return n < r->acts_at;
}

static void publishers_at_any_instruction_of_each_other_both_count(void **state)
{
    struct rivalry r = {0};
    struct adit_key key = {.y = 4};
    uint64_t number = 0, current;
    uint32_t steps = 0;
    (void)state;
    assert_int_equal(adit_key_pack(&key, &r.packed), 0);
    assert_int_equal(adit_store_enter(arena, r.packed, &r.index), 0);
    assert_int_equal(adit_rcu_borrow(arena, &r.reader[0]) | adit_rcu_borrow(other, &r.reader[1]), 0);
    for (r.acts_at = 1; steps + 1 + 2 * STEPPED_STRIDE >= r.acts_at; r.acts_at += 1 + 2 * STEPPED_STRIDE) {
        for (uint32_t i = 0; i < 3; i++)
            prepare(&r, i);
        steps = stepped_run(publish_mine, publish_theirs, &r);
        if (!r.version[1]) /* the other's turn did not come */
            (void)publish_theirs(r.acts_at, &r);
        assert_int_equal(r.error[0] | r.error[1] | r.error[2], 0);
        number += 3;
        assert_int_equal(r.version[1] + 1 == r.version[2] || r.version[1] + 2 == r.version[2], 1);
        assert_int_equal(r.version[0] + r.version[1] + r.version[2], 3 * number - 3); /* number - 2, number - 1, number */
        assert_int_equal(adit_chunk_version(arena, &key, &current), 0);
        assert_int_equal(current, number);
    }
    adit_rcu_give_back(arena, r.reader[0]);
    adit_rcu_give_back(other, r.reader[1]);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 8u << 20, .materials_max = 8}; /* few: looked through by every naming */
    arena = fixture_create(&p);
    other = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    return 0;
}

static int tear_down(void **state)
{
    bool tidy = fixture_eventually(fixture_is_tidy, arena);
    adit_detach(&other);
    adit_detach(&arena);
    return shm_fixture_tear_down(state) || !tidy;
}

/* ---- materials */

struct naming {
    struct adit_material_info info;
    uint16_t mine, theirs;
    uint32_t acts_at;
    int error;
    uint8_t class_then;
};

static void name_mine(void *user)
{
    struct naming *n = user;
    n->mine = 0;
    assert_int_equal(adit_material_register(arena, &n->info, &n->mine), 0);
}

/* The other gives the same name at one step, and encodes by the id it is told. */
static bool name_theirs(uint32_t step, void *user)
{
    struct naming *n = user;
    if (step != n->acts_at)
        return true;
    n->error = adit_material_register(other, &n->info, &n->theirs);
    const uint8_t *classes = adit_classes_enter(other);
    n->class_then = classes[n->theirs];
    adit_classes_exit(other);
    return false;
}

/* (tried: a material that is found before its class is counted: the other's table does not know it, for good) */
static void a_name_found_at_any_instruction_has_its_class(void **state)
{
    struct naming n = {.info = {.name = "glass"}};
    uint32_t steps, found = 0, is_stepped = 0;
    (void)state;
    for (n.acts_at = 1, steps = 0; steps + STEPPED_STRIDE >= n.acts_at; n.acts_at += STEPPED_STRIDE) {
        n.info.material_class = n.acts_at & 1 ? ADIT_CLASS_TRANSLUCENT : ADIT_CLASS_CUTOUT; /* not what a table has of the last time */
        n.theirs = 0;
        n.class_then = UINT8_MAX;
        (void)adit_classes_enter(other); /* its table knows all that was counted so far */
        adit_classes_exit(other);
        steps = stepped_run(name_mine, name_theirs, &n);
        is_stepped |= steps;
        if (n.class_then != UINT8_MAX) {
            assert_true(!n.error || n.error == -EAGAIN); /* it is stopped in the middle of naming */
            assert_true(n.error || (n.theirs == n.mine && n.class_then == n.info.material_class));
            found += !n.error;
        }
        memset(&arena->materials[n.mine], 0, sizeof *arena->materials); /* as if it had never been */
    }
    assert_true(found > 10 || !is_stepped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_is_whole_at_any_instruction),
        cmocka_unit_test(blocks_are_sound_at_any_instruction),
        cmocka_unit_test(an_allocation_at_any_instruction_of_another_never_shares),
        cmocka_unit_test(keys_that_meet_at_any_instruction_are_both_there),
        cmocka_unit_test(a_chunk_in_work_is_never_settled_at_any_instruction),
        cmocka_unit_test(a_chunk_that_comes_back_is_never_settled),
        cmocka_unit_test(a_version_is_whole_at_any_instruction_of_publishing),
        cmocka_unit_test(publishers_at_any_instruction_of_each_other_both_count),
        cmocka_unit_test(a_name_found_at_any_instruction_has_its_class),
    };
    return cmocka_run_group_tests_name("stepped", tests, set_up, tear_down);
}
