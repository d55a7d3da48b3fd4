/* The verifier on rings, locks and robust words: as test_verify, each damage is the control of one check. */
#include <unistd.h>

#include "tests/verify_fixture.h"

#define ALL ADIT_VERIFY_QUIET

static struct verify_scene scene;
static struct adit_arena *a;

/* As verify_wanted, when nobody is at work. */
static void wanted_with(uint32_t flags, const char *invariant, const char *place, const char *what)
{
    verify_wanted(a, flags, invariant, place, what);
}
static void wanted(const char *invariant, const char *place, const char *what) { verify_wanted(a, ALL, invariant, place, what); }

static struct adit_ring_head *ring_of(uint32_t i) { return adit_arena_at(a, a->rings[i].ref, sizeof(struct adit_ring_head)); }
static uint64_t *slot_of(uint32_t ring, uint64_t index)
{
    struct adit_ring_head *h = ring_of(ring);
    return (uint64_t *)(void *)((uint8_t *)(h + 1) + (index & (h->capacity - 1)) * h->stride);
}

/* ---- rings */

/* The slot of index in a ring of 8, as places name it. */
static const char *slot_at(uint32_t ring, uint64_t index) { return verify_at("ring %u slot %u", ring, (uint32_t)index & 7); }

static void an_spsc_ring_that_does_not_add_up_is_found(void **state)
{
    struct adit_ring_head *h = ring_of(0);
    (void)state;
    assert_true(h->tail == 5 && h->head == 2 && h->capacity == 8 && h->pusher == a->owner);
    VERIFY_POKE(*slot_of(0, 3), 0);
    wanted_with(0, "I7", slot_at(0, 3), "no word of its");
    VERIFY_POKE(*slot_of(0, 3), 5); /* a neighbour's */
    wanted_with(0, "I7", slot_at(0, 3), "no word of its");
    VERIFY_POKE(*slot_of(0, 3), 3); /* as if never filled */
    wanted_with(0, "I7", slot_at(0, 3), "tail is beyond it");
    VERIFY_POKE(h->tail, 6);
    wanted_with(0, "I7", slot_at(0, 5), "tail is beyond it");
    VERIFY_POKE(h->head, 6);
    wanted_with(0, "I7", slot_at(0, 5), "head is beyond it");
    VERIFY_POKE(*slot_of(0, 6), 7); /* filled, and the one before is not */
    wanted_with(0, "I7", slot_at(0, 6), "a round behind");
    VERIFY_POKE(*slot_of(0, 5), 6); /* pushed, and tail is yet to be stored */
    assert_int_equal(verify_run(a, 0, 0), 0);
    wanted("I7", "ring 0", "its tail is 5, and 1 elements more are there");
    VERIFY_POKE(*slot_of(0, 5), 6); /* the same of one that died there: the next pusher finds them */
    VERIFY_POKE(h->pusher, 0);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(h->head_seen, 3);
    wanted_with(0, "I7", "ring 0", "saw head at 3, and it is at 2");
    for (uint64_t i = 5; i < 11; i++)
        VERIFY_POKE(*slot_of(0, i), i + 1);
    wanted_with(0, "I7", "ring 0", "holds 9 elements from head 2 on, and has room for 8");
    VERIFY_POKE(h->pusher, adit_owner_make(8, 1));
    wanted_with(0, "I5", "ring 0", "its pusher, owner 0x90001, names no slot");
    VERIFY_POKE(h->popper, 1u << 28 | a->owner);
    wanted_with(0, "I5", "ring 0", "its popper, owner 0x10010001, names no slot");
    VERIFY_POKE(h->pusher, VERIFY_NOBODY); /* who has left by itself */
    VERIFY_POKE(h->popper, VERIFY_NOBODY);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    verify_heal();
}

static void an_mpmc_ring_that_does_not_add_up_is_found(void **state)
{
    struct adit_ring_head *h = ring_of(1);
    (void)state;
    assert_true(h->tail == 10 && h->head == 6 && h->capacity == 8);
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(8, ADIT_RING_FILLED, 0)); /* a neighbour's */
    wanted_with(0, "I7", slot_at(1, 7), "no word of its");
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(7, ADIT_RING_FILLED, a->owner));
    wanted_with(0, "I7", slot_at(1, 7), "no word of its");
    VERIFY_POKE(*slot_of(1, 10), adit_ring_word(10, ADIT_RING_FILLING, 0));
    wanted_with(0, "I7", slot_at(1, 10), "no word of its");
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(7, ADIT_RING_FREE, 0));
    wanted_with(0, "I7", slot_at(1, 7), "tail is beyond it");
    VERIFY_POKE(h->tail, 11);
    wanted_with(0, "I7", slot_at(1, 10), "tail is beyond it");
    VERIFY_POKE(h->head, 7);
    wanted_with(0, "I7", slot_at(1, 6), "head is beyond it");
    VERIFY_POKE(h->head, 2); /* stored late: hints may be low */
    VERIFY_POKE(h->tail, 3);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(7, ADIT_RING_FREE, 0)); /* and with low hints, too, indices lie together */
    wanted_with(0, "I7", slot_at(1, 9), "a round behind");
    VERIFY_POKE(*slot_of(1, 13), adit_ring_word(21, ADIT_RING_FREE, 0));
    wanted_with(0, "I7", slot_at(1, 13), "a round behind");
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(7, ADIT_RING_DRAINING, a->owner));
    wanted_with(0, "I7", slot_at(1, 7), "popped before others");
    VERIFY_POKE(*slot_of(1, 7), adit_ring_word(15, ADIT_RING_FREE, 0)); /* given up by recovery */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(h->capacity, 12);
    wanted_with(0, "I2", "ring 1", "do not fit");
    VERIFY_POKE(h->stride, 12);
    wanted_with(0, "I2", "ring 1", "do not agree");
    VERIFY_POKE(a->rings[1].ref, a->rings[1].ref + 512);
    wanted_with(0, "I2", "ring 1", "its block");
}

/* Its slot is 2; written to 20, read to 17, its reader saw 20 and its writer 10. */
static void a_ring_of_samples_that_does_not_add_up_is_found(void **state)
{
    struct adit_ring_head *h = ring_of(2);
    (void)state;
    assert_true(h->tail == 20 && h->tail_seen == 20 && h->head == 17 && h->head_seen == 10 && h->capacity == 16 && h->stride == 8);
    VERIFY_POKE(h->head, 21);
    wanted_with(0, "I7", "ring 2", "its reader saw tail before head");
    VERIFY_POKE(h->tail_seen, 16);
    wanted_with(0, "I7", "ring 2", "its reader saw tail before head");
    VERIFY_POKE(h->tail, 19);
    wanted_with(0, "I7", "ring 2", "its reader saw tail beyond it");
    VERIFY_POKE(h->tail, 27);
    wanted_with(0, "I7", "ring 2", "its writer saw less room than it took");
    VERIFY_POKE(h->head_seen, 3);
    wanted_with(0, "I7", "ring 2", "its writer saw less room than it took");
    VERIFY_POKE(h->head_seen, 18);
    wanted_with(0, "I7", "ring 2", "its writer saw head beyond it");
    VERIFY_POKE(h->stride, 16);
    wanted_with(0, "I2", "ring 2", "no floats side by side");
    VERIFY_POKE(h->capacity, 4096);
    wanted_with(0, "I2", "ring 2", "do not fit");
    VERIFY_POKE(h->kind, 4);
    wanted_with(0, "I2", "ring 2", "its kind is none");
    VERIFY_POKE(h->pusher, adit_owner_make(8, 1));
    wanted_with(0, "I5", "ring 2", "its writer, owner 0x90001, names no slot");
    VERIFY_POKE(h->popper, 1u << 28 | a->owner);
    wanted_with(0, "I5", "ring 2", "its reader, owner 0x10010001, names no slot");
    VERIFY_POKE(h->pusher, VERIFY_NOBODY); /* who has left by itself */
    VERIFY_POKE(h->popper, 0);             /* and who was recovered */
    VERIFY_POKE(h->overrun, 77);           /* counts are what they are */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    verify_heal();
}

static void a_claim_in_a_ring_is_found(void **state)
{
    (void)state;
    VERIFY_POKE(*slot_of(1, 10), adit_ring_word(10, ADIT_RING_FILLING, VERIFY_NOBODY));
    wanted_with(0, "I5", slot_at(1, 10), "a claim, its owner, slot 6 generation 9, has left");
    VERIFY_POKE(*slot_of(1, 6), adit_ring_word(6, ADIT_RING_DRAINING, a->owner + 1));
    wanted_with(0, "I5", slot_at(1, 6), "the slot is at generation");
    VERIFY_POKE(*slot_of(1, 6), adit_ring_word(6, ADIT_RING_DRAINING, 0xfff0001));
    wanted_with(0, "I5", slot_at(1, 6), "names no slot");
    VERIFY_POKE(*slot_of(1, 10), adit_ring_word(10, ADIT_RING_FILLING, a->owner));
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    wanted("I7", slot_at(1, 10), "nobody is at it; 0 slots like it");
    VERIFY_POKE(*slot_of(1, 6), adit_ring_word(6, ADIT_RING_DRAINING, a->owner));
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    wanted("I7", slot_at(1, 6), "nobody is at it");
    VERIFY_POKE(*slot_of(1, 6), adit_ring_word(6, ADIT_RING_DRAINING, a->owner));
    VERIFY_POKE(a->self->start_time, a->self->start_time + 1);
    wanted_with(ADIT_VERIFY_LIVING, "I5", slot_at(1, 6), "which is gone");
}

/* ---- locks */

static void a_lock_that_is_not_as_its_holders_leave_it_is_found(void **state)
{
    struct adit_lock_slot *s = &a->locks[0];
    (void)state;
    assert_true(s->state == 2 && s->commit == 1 && s->draft == 1);
    VERIFY_POKE(s->commit, 2);
    wanted_with(0, "I7", "lock 0", "its draft is version 1, and 2 is committed");
    VERIFY_POKE(s->draft, 3);
    wanted_with(0, "I7", "lock 0", "its draft is version 3, and 1 is committed");
    VERIFY_POKE(s->draft, 2); /* drafted, and given back or lost with its holder */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(s->bytes, ADIT_LOCK_BYTES_MAX + 1);
    wanted_with(0, "I7", "lock 0", "guards 4097 bytes");
    VERIFY_POKE(s->bytes, 0);
    wanted_with(0, "I7", "lock 0", "guards 0 bytes");
    VERIFY_POKE(s->state, 1);
    wanted_with(0, "I5", "lock 0", "in state 1");
    VERIFY_POKE(s->name[0], 0);
    wanted_with(0, "I5", "lock 0", "its name has no characters");
    for (uint32_t i = 0; i < 6; i++)
        VERIFY_POKE(((uint64_t *)(void *)s->name)[i], 0x6161616161616161);
    wanted_with(0, "I5", "lock 0", "its name has no end");
    VERIFY_POKE(a->locks[9].state, 3);
    wanted_with(0, "I5", "lock 9", "in state 3");
    VERIFY_POKE(a->control->locks.n, a->control->locks.n - 1);
    wanted_with(0, "I7", "control", "its tables are others");
}

/* The id of a thread that has ended. */
static uint32_t ended_thread(void)
{
    pid_t child = fork();
    if (!child)
        _exit(0);
    REQUIRE(child > 0 && !shm_fixture_wait(child));
    return (uint32_t)child;
}

static void a_robust_word_that_no_thread_gives_back_is_found(void **state)
{
    struct adit_robust *robust[] = {&a->locks[0].robust, &a->waits->naming, &a->waits->keeper};
    const char *const places[] = {"lock 0", "naming", "keeper"};
    uint32_t gone = ended_thread(), here = (uint32_t)gettid();
    void *draft;
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct adit_robust *r = robust[i];
        VERIFY_POKE(r->word, gone);
        VERIFY_POKE(r->owner, a->owner);
        wanted_with(0, "I5", places[i], "no such thread is there");
        VERIFY_POKE(r->word, ADIT_ROBUST_WAITERS | gone);
        VERIFY_POKE(r->owner, 0);
        wanted_with(0, "I5", places[i], "no such thread is there");
        VERIFY_POKE(r->word, here);
        VERIFY_POKE(r->owner, 0xfff0001);
        wanted_with(0, "I5", places[i], "names no slot");
        VERIFY_POKE(r->word, ADIT_ROBUST_DIED); /* until somebody takes it */
        VERIFY_POKE(r->owner, VERIFY_NOBODY);
        assert_int_equal(verify_run(a, ALL, 0), 0);
        VERIFY_POKE(r->word, here); /* taken, and the owner yet to be stored */
        assert_int_equal(verify_run(a, 0, 0), 0);
        wanted("I5", places[i], i < 2 ? "nobody is at it" : "slot 6 generation 9, has left");
    }
    VERIFY_POKE(a->waits->keeper.owner, 0);
    wanted("I5", "keeper", "by nobody");
    assert_int_equal(adit_lock_lock(scene.lock, 0, &draft), 0);
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    assert_true(verify_run(a, ALL, 0) == 1 && verify_said("I5", "lock 0", "nobody is at it"));
    assert_int_equal(adit_lock_discard(scene.lock), 0);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(robust[0]->word, gone); /* thread ids of another PID namespace say nothing */
    VERIFY_POKE(robust[0]->owner, a->owner);
    VERIFY_POKE(a->self->pid_ns, 1);
    assert_int_equal(verify_run(a, 0, 0), 0);
    verify_heal();
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    verify_scene_make(&scene, false);
    a = scene.arena;
    return 0;
}

static int tear_down(void **state)
{
    verify_scene_end(&scene);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_spsc_ring_that_does_not_add_up_is_found),
        cmocka_unit_test(an_mpmc_ring_that_does_not_add_up_is_found),
        cmocka_unit_test(a_ring_of_samples_that_does_not_add_up_is_found),
        cmocka_unit_test(a_claim_in_a_ring_is_found),
        cmocka_unit_test(a_lock_that_is_not_as_its_holders_leave_it_is_found),
        cmocka_unit_test(a_robust_word_that_no_thread_gives_back_is_found),
    };
    return cmocka_run_group_tests_name("verify rings", tests, set_up, tear_down);
}
