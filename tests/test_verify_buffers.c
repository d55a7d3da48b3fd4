/* The verifier on buffers of tasks, and on what tasks use of them: as test_verify, each damage is the control of one check, and what is legal beside it is no finding. False
 * alarms beside processes at work: torture_tasks. (tried: intents of buffers taken for those of entries; a shadow looked at while its task is RUNNING) */
#include <string.h>

#include "runtime/task_queue.h"
#include "tests/task_fixture.h"
#include "tests/verify_fixture.h"

#define QUIET ADIT_VERIFY_QUIET
#define BYTES 3000u /* of buffer 0; all others: 600 */
#define BUFFERS 200u
#define CHUNKS 64u

/* Buffers: 0 is written by both tasks, 1 read by the first; 2 is nobody's concern, 3 not there. Slots of the queue: the first task waits, the second for the first. */
enum { WRITTEN, READ, IDLE, NONE };
static struct adit_arena *a;
static struct adit_queue *queue;

static struct adit_buffer_slot *buffer(uint32_t i) { return &a->buffers[i]; }
static struct adit_task_uses *uses(uint32_t slot) { return &a->task_uses[slot]; }

static void wanted(uint32_t flags, const char *invariant, const char *place, const char *what) { verify_wanted(a, flags, invariant, place, what); }

static void sound(uint32_t flags)
{
    if (verify_run(a, flags, 0))
        fail_msg("not sound:\n%s", verify_lines());
}

/* That state, of that owner, in buffer i. */
static void poke_state(uint32_t i, uint32_t state, uint32_t owner) { VERIFY_POKE(buffer(i)->word, (buffer(i)->word & ~0xffffffffull) | (uint64_t)state << 28 | owner); }

static void a_word_that_no_transition_makes_is_found(void **state)
{
    (void)state;
    for (uint32_t none = ADIT_BUFFER_ENDING + 1; none < 16; none++) {
        poke_state(IDLE, none, 0);
        wanted(0, "I7", "buffer 2", "in no state there is");
    }
    poke_state(NONE, ADIT_BUFFER_FREE, a->owner);
    wanted(0, "I7", "buffer 3", "somebody's, in a state that is nobody's");
    poke_state(NONE, ADIT_BUFFER_MAKING, 0);
    wanted(0, "I5", "buffer 3", "nobody's, in a state that is somebody's");
    poke_state(NONE, ADIT_BUFFER_MAKING, VERIFY_NOBODY);
    wanted(0, "I5", "buffer 3", "its owner, slot 6 generation 9, has left");
    poke_state(NONE, ADIT_BUFFER_MAKING, a->owner);
    sound(ADIT_VERIFY_LIVING);
    wanted(QUIET, "I5", "buffer 3", "being made, and nobody is at it");
    poke_state(IDLE, ADIT_BUFFER_ENDING, a->owner);
    sound(ADIT_VERIFY_LIVING);
    wanted(QUIET, "I5", "buffer 2", "being ended, and nobody is at it");
    poke_state(IDLE, ADIT_BUFFER_LIVE, VERIFY_NOBODY);
    wanted(0, "I5", "buffer 2", "its owner, slot 6 generation 9, has left");
    poke_state(WRITTEN, ADIT_BUFFER_LIVE, 0); /* its maker has left, and tasks use it */
    sound(QUIET);
    verify_heal();
    poke_state(IDLE, ADIT_BUFFER_LIVE, 0);
    sound(0); /* somebody is about to end it */
    wanted(QUIET, "I5", "buffer 2", "nobody's, and no task uses it");
}

static void a_block_that_a_buffer_cannot_have_is_found(void **state)
{
    static const uint64_t sizes[] = {0, ADIT_BLOCK_BYTES_MAX + 1, UINT64_MAX};
    uint64_t on_loan;
    (void)state;
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        VERIFY_POKE(buffer(IDLE)->bytes, sizes[i]);
        wanted(0, "I7", "buffer 2", "a size that no buffer may have");
    }
    VERIFY_POKE(buffer(IDLE)->bytes, 1025); /* its block has 1,024 */
    wanted(0, "I7", "buffer 2", "too small");
    VERIFY_POKE(buffer(NONE)->current, buffer(IDLE)->current);
    wanted(0, "I7", "buffer 3", "free, and it holds a block");
    assert_int_equal(adit_block_alloc(a, 600, ADIT_BLOCK_HERE, &on_loan), 0);
    const uint64_t wrong[] = {0, adit_commit_make(1, on_loan), adit_commit_make(1, adit_commit_ref(buffer(IDLE)->current) + ADIT_GRANULE_BYTES),
                              adit_commit_make(1, ADIT_REF(9, 0)), UINT64_MAX};
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        VERIFY_POKE(buffer(IDLE)->current, wrong[i]);
        wanted(0, "I7", "buffer 2", "holds no block, or one that is not published");
    }
    adit_block_free(a, on_loan);
    VERIFY_POKE(buffer(IDLE)->current, buffer(READ)->current); /* two owners of one block, and one of none */
    sound(0);
    uint64_t ref = adit_commit_ref(buffer(READ)->current);
    wanted(QUIET, "I2", verify_at("segment %u granule %llu", adit_ref_segment(ref), (unsigned long long)(adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT)), "named more than once");
}

static void what_a_task_uses_and_is_not_there_is_found(void **state)
{
    const char *first = "queue 0 level 0 slot 0";
    struct adit_task_slot *t = &queue->tasks[0];
    uint64_t use = uses(0)->use[0];
    (void)state;
    assert_true(adit_task_state(t->word) == ADIT_TASK_QUEUED && adit_task_state(queue->tasks[1].word) == ADIT_TASK_HELD);
    const uint64_t not_there[] = {use + (1ull << 32), (use & ~0x3fffffffull) | (NONE + 1), (use & ~0x3fffffffull) | (BUFFERS + 1), use | 0x3fffffff};
    for (uint32_t i = 0; i < sizeof not_there / sizeof *not_there; i++) {
        VERIFY_POKE(uses(0)->use[0], not_there[i]);
        wanted(0, "I7", first, "uses a buffer that is not there");
    }
    VERIFY_POKE(uses(0)->use[0], use & ~(uint64_t)(ADIT_USE_READ | ADIT_USE_WRITE));
    wanted(0, "I7", first, "in no way there is");
    VERIFY_POKE(uses(0)->use[0], 0);
    wanted(0, "I7", first, "have a gap");
    VERIFY_POKE(uses(0)->use[0], use & ~(uint64_t)ADIT_USE_WRITE);
    wanted(0, "I7", first, "whether it writes");
    VERIFY_POKE(t->flags, t->flags & ~ADIT_TASK_HAS_WRITES);
    wanted(0, "I7", first, "whether it writes");
    VERIFY_POKE(t->flags, t->flags & ~ADIT_TASK_HAS_USES);
    wanted(0, "I7", first, "whether it writes");
    VERIFY_POKE(a->task_use_bits[1], 0);
    wanted(0, "I7", "queue 0 level 0 slot 1", "who uses the same buffer next");
    poke_state(WRITTEN, ADIT_BUFFER_ENDING, a->owner); /* ended under it */
    wanted(0, "I7", first, "uses a buffer that is not there");
}

static void a_shadow_that_cannot_replace_is_found(void **state)
{
    const char *first = "queue 0 level 0 slot 0";
    uint64_t lost;
    (void)state;
    const struct {
        uint64_t written, read;
        const char *what;
    } shadows[] = {{0, 0, "what it wrote is not published"},
                   {adit_commit_ref(buffer(READ)->current), 0, "what it wrote is not published"}, /* too small */
                   {adit_commit_ref(buffer(WRITTEN)->current) + ADIT_GRANULE_BYTES, 0, "what it wrote is not published"},
                   {ADIT_REF(0, 8), 0, "what it wrote is not published"},
                   {adit_commit_ref(buffer(WRITTEN)->current), adit_commit_ref(buffer(READ)->current), "replace a buffer that it only reads"},
                   {adit_commit_ref(buffer(WRITTEN)->current), 0, NULL}}; /* replaced, and not DONE yet */
    for (uint32_t i = 0; i < sizeof shadows / sizeof *shadows; i++)
        for (enum adit_task_state s = ADIT_TASK_RUNNING; s <= ADIT_TASK_COMMITTED; s++) {
            VERIFY_POKE(queue->tasks[0].word, adit_task_word(0, 1, ADIT_TASK_AWAITED, s, a->owner));
            VERIFY_POKE(uses(0)->shadow[0], shadows[i].written);
            VERIFY_POKE(uses(0)->shadow[1], shadows[i].read);
            if (shadows[i].what && s == ADIT_TASK_COMMITTED)
                wanted(0, "I7", first, shadows[i].what);
            sound(0); /* RUNNING: an attempt that died may have left anything */
            verify_heal();
        }
    assert_int_equal(adit_block_alloc(a, 600, ADIT_BLOCK_HERE, &lost), 0); /* of an attempt that was never committed, and that nobody gave back */
    assert_true(adit_block_publish(a, lost));
    assert_true(verify_run(a, QUIET, 0) == 1 && strstr(verify_lines(), "named by no commit word: leaked"));
    assert_true(adit_block_retire(a, lost));
    adit_block_free(a, lost);
    sound(QUIET);
}

static void who_replaces_a_buffer_is_no_breach(void **state)
{
    struct adit_reader *reader;
    (void)state;
    assert_int_equal(adit_reader_open(a, &reader), 0);
    const char *place = verify_at("reader %u", reader->index);
    VERIFY_POKE(a->readers[reader->index].intent, adit_intent_make(ADIT_INTENT_BUFFER, CHUNKS + 1)); /* there are more buffers than entries */
    sound(0);
    wanted(QUIET, "I5", place, "buffer 65 was being published");
    VERIFY_POKE(a->readers[reader->index].intent, adit_intent_make(ADIT_INTENT_BUFFER, BUFFERS));
    wanted(0, "I5", place, "is about to commit to buffer 200 of 200");
    VERIFY_POKE(a->readers[reader->index].intent, adit_intent_make(ADIT_INTENT_MESH, a->chunks_max));
    wanted(0, "I5", place, "is about to commit to entry");
    adit_reader_close(&reader);
}

static int set_up(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 4u << 20, .participants_max = 8, .buffers_max = BUFFERS, .chunks_max = CHUNKS};
    const struct adit_kind_params k = {.size = sizeof k, .name = "nothing", .run = task_run_nothing};
    uint64_t made[3];
    uint32_t kind;
    if (shm_fixture_set_up(state))
        return -1;
    a = fixture_create(&p);
    assert_int_equal(adit_kind_register(a, &k, &kind), 0);
    assert_int_equal(adit_queue_open(a, "work", &(struct adit_queue_params){.size = sizeof(struct adit_queue_params), .order = ADIT_ORDER_FIFO, .capacity = 4}, &queue), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(adit_buffer_create(a, i == WRITTEN ? BYTES : 600, NULL, &made[i]), 0);
    const struct adit_use both[] = {{made[WRITTEN], ADIT_READ_WRITE}, {made[READ], ADIT_READ}};
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .uses = both, .uses_n = 2};
    (void)task_submit(queue, s);
    s.uses_n = 1;
    (void)task_submit(queue, s);
    return verify_run(a, QUIET, 0);
}

static int tear_down(void **state)
{
    adit_queue_close(&queue);
    adit_detach(&a);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_that_no_transition_makes_is_found),
        cmocka_unit_test(a_block_that_a_buffer_cannot_have_is_found),
        cmocka_unit_test(what_a_task_uses_and_is_not_there_is_found),
        cmocka_unit_test(a_shadow_that_cannot_replace_is_found),
        cmocka_unit_test(who_replaces_a_buffer_is_no_breach),
    };
    return cmocka_run_group_tests_name("verify buffers", tests, set_up, tear_down);
}
