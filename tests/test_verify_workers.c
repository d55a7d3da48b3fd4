/* The verifier on slots of worker processes: as test_verify, each damage is the control of one check. False alarms beside pools at work: test_worker_process.
 * (tried: an heir's generation that is not looked at) */
#include <unistd.h>

#include "tests/verify_fixture.h"

#define QUIET ADIT_VERIFY_QUIET
#define GENERATION 5u

static struct adit_arena *a;

static struct adit_worker_slot *slot(uint32_t i) { return &a->workers[i]; }

static void poke_word(uint32_t i, uint32_t life, uint32_t pool) { VERIFY_POKE(slot(i)->word, adit_worker_word(GENERATION, (enum adit_worker_life)life, pool)); }

/* Slot i as this process would have it, were it a worker of a pool of its own. */
static void poke_worker(uint32_t i, enum adit_worker_life life)
{
    poke_word(i, life, a->owner);
    VERIFY_POKE(slot(i)->owner, a->owner);
    VERIFY_POKE(slot(i)->pid, (uint32_t)getpid());
    VERIFY_POKE(slot(i)->zygote, a->owner);
    VERIFY_POKE(slot(i)->heir, (uint64_t)GENERATION << 32);
    VERIFY_POKE(slot(i)->alive.word, (uint32_t)gettid());
}

static void wanted(uint32_t flags, const char *invariant, const char *place, const char *what) { verify_wanted(a, flags, invariant, place, what); }

static void sound(uint32_t flags)
{
    if (verify_run(a, flags, 0))
        fail_msg("not sound:\n%s", verify_lines());
    verify_heal();
}

static void a_word_that_no_move_makes_is_found(void **state)
{
    (void)state;
    for (uint32_t none = ADIT_LIVES; none < 16; none++) {
        poke_word(3, none, a->owner);
        wanted(0, "I7", "worker 3", "in no state there is");
    }
    poke_word(3, ADIT_LIFE_COLD, a->owner);
    wanted(0, "I7", "worker 3", "nobody is to sit there");
    for (enum adit_worker_life life = ADIT_LIFE_WARMING; life < ADIT_LIVES; life++) {
        poke_worker(3, life);
        sound(QUIET);
        poke_worker(3, life);
        poke_word(3, life, 0);
        wanted(0, "I7", "worker 3", "no pool's");
        poke_worker(3, life);
        poke_word(3, life, VERIFY_NOBODY); /* the application has died: the slot waits for whoever needs it */
        sound(QUIET);
        poke_worker(3, life);
        poke_word(3, life, adit_owner_make(8, 1));
        wanted(0, "I7", "worker 3", "names no slot");
    }
    poke_word(3, ADIT_LIFE_WARMING, a->owner); /* it has said nothing yet */
    sound(QUIET);
    poke_word(3, ADIT_LIFE_TERMINATED, a->owner); /* it never began */
    VERIFY_POKE(slot(3)->ended, ADIT_WORKER_NEVER | 12);
    sound(QUIET);
}

/* Each of these damages the slot of one that is at work. */
static void damaged(uint32_t flags, uint32_t *field, uint64_t value, const char *invariant, const char *what)
{
    poke_worker(3, ADIT_LIFE_BUSY);
    VERIFY_POKE(*field, value);
    wanted(flags, invariant, "worker 3", what);
}

static void a_slot_that_names_no_worker_is_found(void **state)
{
    struct adit_worker_slot *s = slot(3);
    (void)state;
    damaged(0, &s->owner, 0, "I7", "does not say who it is");
    damaged(0, &s->pid, 0, "I7", "does not say who it is");
    damaged(0, &s->owner, adit_owner_make(8, 1), "I7", "names no slot");
    damaged(0, &s->owner, 1u << 28 | a->owner, "I7", "names no slot");
    damaged(0, &s->zygote, adit_owner_make(8, 1), "I7", "names no slot");
    damaged(0, &s->ended, 0x40000, "I7", "ended as no process can");
    damaged(0, &s->pid, (uint32_t)getpid() + 1, "I5", "has another process");
    damaged(QUIET, &s->owner, VERIFY_NOBODY, "I5", "its owner, slot 6 generation 9, has left");
    damaged(QUIET, &s->alive.word, ADIT_ROBUST_DIED, "I5", "its thread has ended, and nobody has noticed");
    poke_worker(3, ADIT_LIFE_BUSY);
    VERIFY_POKE(s->alive.word, ADIT_ROBUST_DIED); /* it has just died */
    sound(0);
    poke_worker(2, ADIT_LIFE_READY);
    poke_worker(3, ADIT_LIFE_BUSY);
    wanted(QUIET, "I5", "worker 3", "another slot says that it is the same process");
}

static void an_heir_that_cannot_be_is_found(void **state)
{
    struct adit_worker_slot *s = slot(3);
    const uint64_t heirs[] = {(uint64_t)(GENERATION + 1) << 32, (uint64_t)GENERATION << 32 | a->owner, (uint64_t)GENERATION << 32 | adit_owner_make(8, 1),
                              (uint64_t)GENERATION << 32 | VERIFY_NOBODY};
    static const char *const faults[] = {"of another generation", "its own heir", "names no slot", "has an heir, and lives"};
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        poke_worker(3, ADIT_LIFE_BUSY);
        VERIFY_POKE(s->heir, heirs[i]);
        wanted(0, "I7", "worker 3", faults[i]);
    }
    poke_worker(3, ADIT_LIFE_BUSY);
    VERIFY_POKE(s->heir, heirs[3]);
    VERIFY_POKE(s->alive.word, ADIT_ROBUST_DIED | ADIT_ROBUST_WAITERS);
    sound(0);
}

static int set_up(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 4u << 20, .participants_max = 8, .chunks_max = 64};
    if (shm_fixture_set_up(state))
        return -1;
    a = fixture_create(&p);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&a);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_that_no_move_makes_is_found),
        cmocka_unit_test(a_slot_that_names_no_worker_is_found),
        cmocka_unit_test(an_heir_that_cannot_be_is_found),
    };
    return cmocka_run_group_tests_name("verify workers", tests, set_up, tear_down);
}
