/* The verifier on kinds, queues and tasks: as test_verify, each damage is the control of one check; and no false alarm beside processes that submit, run,
 * cancel and take tasks, come and go, some of them stopped in the middle of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/task_queue.h"
#include "shm/verify.h"
#include "tests/verify_fixture.h"

#define ALL ADIT_VERIFY_QUIET

static struct verify_scene scene;
static struct adit_arena *a;

/* As verify_wanted, when nobody is at work. */
static void wanted_with(uint32_t flags, const char *invariant, const char *place, const char *what)
{
    verify_wanted(a, flags, invariant, place, what);
}

/* Slots of the first queue, as verify_fixture.h says. */
enum { SLOT_DONE, SLOT_FREE, SLOT_QUEUED, SLOT_DELAYED, SLOT_CANCELLED, SLOT_UNUSED };
#define TAIL 5u

static struct adit_task_slot *task_of(uint32_t slot) { return &scene.fifo->tasks[slot]; }
static const char *place_of(uint32_t slot) { return verify_at("queue 0 level 0 slot %u", slot); }
static void poke_word(uint32_t slot, uint64_t round, uint32_t attempt, uint64_t flags, enum adit_task_state state, uint32_t owner)
{
    VERIFY_POKE(task_of(slot)->word, adit_task_word(round, attempt, flags, state, owner));
}

/* That word is found in that slot, whatever else goes on. */
static void wrong(uint32_t slot, uint64_t word, const char *invariant, const char *what)
{
    VERIFY_POKE(task_of(slot)->word, word);
    wanted_with(0, invariant, place_of(slot), what);
}

static void sound(uint32_t slot, uint64_t word)
{
    VERIFY_POKE(task_of(slot)->word, word);
    if (verify_run(a, 0, 0))
        fail_msg("not sound:\n%s", verify_lines());
    verify_heal();
}

static void a_word_that_no_transition_makes_is_found(void **state)
{
    uint32_t self = a->owner;
    (void)state;
    assert_true(task_of(SLOT_QUEUED)->attempts_max == 3 && scene.fifo->slot->level[0].tail == TAIL);
    for (uint32_t none = ADIT_TASK_STATES; none < 16; none++)
        wrong(SLOT_QUEUED, (uint64_t)none << 28, "I7", "in no state there is");
    for (enum adit_task_state s = ADIT_TASK_FREE; s < ADIT_TASK_STATES; s++) {
        uint32_t attempt = s == ADIT_TASK_POISONED ? 3 : s >= ADIT_TASK_RUNNING && s <= ADIT_TASK_DONE ? 1 : 0;
        bool is_claim = s == ADIT_TASK_FILLING || s == ADIT_TASK_RUNNING || s == ADIT_TASK_COMMITTED;
        sound(SLOT_QUEUED, adit_task_word(0, attempt, 0, s, is_claim ? self : 0));
        if (is_claim)
            wrong(SLOT_QUEUED, adit_task_word(0, attempt, 0, s, VERIFY_NOBODY), "I5", "its owner, slot 6 generation 9, has left");
        else
            wrong(SLOT_QUEUED, adit_task_word(0, attempt, 0, s, self), "I7", "somebody's, in a state that is nobody's");
        if (s < ADIT_TASK_HELD)
            wrong(SLOT_QUEUED, adit_task_word(0, 0, ADIT_TASK_WAITED, s, is_claim ? self : 0), "I7", "flagged, and no task is there");
        else
            sound(SLOT_QUEUED, adit_task_word(0, attempt, ADIT_TASK_FLAGS, s, is_claim ? self : 0));
        if (s < ADIT_TASK_DONE)
            continue;
        poke_word(SLOT_QUEUED, 0, attempt, ADIT_TASK_DETACHED, s, 0);
        wanted_with(ALL, "I7", place_of(SLOT_QUEUED), "it is to be free");
        poke_word(SLOT_QUEUED, 0, attempt, ADIT_TASK_AWAITED, s, 0);
        wanted_with(ALL, "I7", place_of(SLOT_QUEUED), "who waits for that was not told");
    }
}

static void an_attempt_that_cannot_be_is_found(void **state)
{
    uint32_t self = a->owner;
    (void)state;
    wrong(SLOT_UNUSED, adit_task_word(0, 1, 0, ADIT_TASK_FREE, 0), "I7", "nothing of it has begun");
    wrong(SLOT_UNUSED, adit_task_word(0, 1, 0, ADIT_TASK_FILLING, self), "I7", "nothing of it has begun");
    wrong(SLOT_QUEUED, adit_task_word(0, 3, 0, ADIT_TASK_QUEUED, 0), "I7", "as often as it may be, and not ended so");
    wrong(SLOT_QUEUED, adit_task_word(0, 3, 0, ADIT_TASK_DELAYED, 0), "I7", "as often as it may be, and not ended so");
    wrong(SLOT_QUEUED, adit_task_word(0, 3, 0, ADIT_TASK_EXPIRED, 0), "I7", "as often as it may be, and not ended so");
    wrong(SLOT_QUEUED, adit_task_word(0, 4, 0, ADIT_TASK_RUNNING, self), "I7", "more often than it may be");
    wrong(SLOT_QUEUED, adit_task_word(0, 4, 0, ADIT_TASK_DONE, 0), "I7", "more often than it may be");
    wrong(SLOT_QUEUED, adit_task_word(0, 0, 0, ADIT_TASK_RUNNING, self), "I7", "and says that it has not");
    wrong(SLOT_QUEUED, adit_task_word(0, 0, 0, ADIT_TASK_DONE, 0), "I7", "and says that it has not");
    VERIFY_POKE(task_of(SLOT_QUEUED)->flags, ADIT_TASK_IS_JOIN); /* what it joins has ended: nothing of it runs */
    VERIFY_POKE(task_of(SLOT_QUEUED)->kind, 9);
    sound(SLOT_QUEUED, adit_task_word(0, 0, 0, ADIT_TASK_DONE, 0));
    wrong(SLOT_QUEUED, adit_task_word(0, 2, 0, ADIT_TASK_POISONED, 0), "I7", "before its last attempt");
    sound(SLOT_QUEUED, adit_task_word(0, 3, 0, ADIT_TASK_RUNNING, self));
    sound(SLOT_QUEUED, adit_task_word(0, 3, 0, ADIT_TASK_CANCELLED, 0));
    VERIFY_POKE(task_of(SLOT_QUEUED)->attempts_max, 0);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "as no task may");
    VERIFY_POKE(task_of(SLOT_QUEUED)->attempts_max, 16);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "as no task may");
}

static void a_task_that_is_not_as_its_submitter_left_it_is_found(void **state)
{
    struct adit_task_slot *t = task_of(SLOT_QUEUED);
    (void)state;
    VERIFY_POKE(t->kind, 2); /* 0 is the fixture's, 1 its dispatcher's */
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "of a kind that is not named");
    VERIFY_POKE(t->kind, 255);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "of a kind that is not named");
    VERIFY_POKE(t->args_bytes, 3);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "a size that its kind does not take");
    VERIFY_POKE(t->args_bytes, 17);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "a size that its kind does not take");
    VERIFY_POKE(task_of(SLOT_DONE)->result_bytes, 65);
    wanted_with(0, "I7", place_of(SLOT_DONE), "larger than there is room");
    for (uint32_t slot = 0; slot < TAIL; slot++) {
        VERIFY_POKE(task_of(slot)->submitter, VERIFY_NOBODY);
        if (slot != SLOT_FREE)
            wanted_with(0, "I5", place_of(slot), "who submitted it is not there");
        VERIFY_POKE(task_of(slot)->submitter, 0);
        if (slot != SLOT_FREE)
            wanted_with(0, "I5", place_of(slot), "who submitted it is not there");
    }
    assert_int_equal(verify_run(a, ALL, 0), 0); /* of a free slot nothing is asked */
    VERIFY_POKE(t->submitter, VERIFY_NOBODY);
    VERIFY_POKE(t->word, t->word | ADIT_TASK_DETACHED); /* as recovery leaves it */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    verify_heal();
}

static void what_a_task_wants_and_what_is_reserved_is_looked_at(void **state)
{
    struct adit_task_slot *t = task_of(SLOT_QUEUED);
    (void)state;
    VERIFY_POKE(a->task_wants[t - a->tasks].near, ADIT_TASK_NEARS);
    assert_int_equal(verify_run(a, ALL, 0), 0); /* it does not say that it wants anything */
    VERIFY_POKE(a->task_wants[t - a->tasks].near, ADIT_TASK_NEARS);
    VERIFY_POKE(t->flags, (uint16_t)(t->flags | ADIT_TASK_HAS_WANTS));
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "near something that there is not");
    VERIFY_POKE(a->task_memory[adit_owner_slot(a->owner)].reserved, 4096);
    assert_int_equal(verify_run(a, 0, 0), 0);
    wanted_with(ALL, "I5", verify_at("participant %u", adit_owner_slot(a->owner)), "4096 bytes of memory are reserved for tasks, and nobody is at work");
    VERIFY_POKE(a->task_memory[a->participants_max - 1].reserved, 1);
    wanted_with(0, "I5", verify_at("participant %u", a->participants_max - 1), "nobody is there");
}

/* Of the first queue's only level, which is one group. */
static uint64_t *group(void) { return &a->task_groups[adit_task_group_index(0, 0, 3, 0, 0)]; }

static void a_group_that_has_its_slots_passed_by_is_found(void **state)
{
    (void)state;
    assert_true(*group() == 1u << ADIT_TASK_GROUP_ROUND);
    VERIFY_POKE(*group(), 0);
    wanted_with(0, "I7", place_of(SLOT_DONE), "its group does not say that it was taken");
    VERIFY_POKE(*group(), 2u << ADIT_TASK_GROUP_ROUND); /* by who was about to fill, and died */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    VERIFY_POKE(*group(), *group() | ADIT_TASK_GROUP_ENDED);
    wanted_with(0, "I7", place_of(SLOT_QUEUED), "its group says that all have ended");
    for (uint32_t slot = SLOT_QUEUED; slot <= SLOT_DELAYED; slot++)
        poke_word(slot, 0, 1, 0, ADIT_TASK_DONE, 0);
    VERIFY_POKE(*group(), *group() | ADIT_TASK_GROUP_ENDED);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    poke_word(SLOT_UNUSED, 0, 0, 0, ADIT_TASK_FILLING, a->owner); /* of a late submitter, who will see tail */
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    VERIFY_POKE(*group(), *group() | ADIT_TASK_GROUP_FREE);
    wanted_with(ADIT_VERIFY_LIVING, "I7", place_of(SLOT_UNUSED), "its group says that all are free");
    verify_heal();
}

static void places_that_tail_and_head_do_not_allow_are_found(void **state)
{
    struct adit_task_level *l = &scene.fifo->slot->level[0];
    (void)state;
    sound(SLOT_UNUSED, adit_task_word(0, 0, 0, ADIT_TASK_FILLING, a->owner)); /* at tail */
    VERIFY_POKE(*group(), 2u << ADIT_TASK_GROUP_ROUND);
    sound(SLOT_QUEUED, adit_task_word(1, 0, 0, ADIT_TASK_QUEUED, 0));     /* position 10, below tail + 8 */
    sound(SLOT_UNUSED, adit_task_word(1, 0, 0, ADIT_TASK_FREE, 0));       /* used at 5, and tail yet to be raised */
    wrong(SLOT_UNUSED, adit_task_word(1, 0, 0, ADIT_TASK_FILLING, a->owner), "I7", "yet to come"); /* position 13 */
    wrong(SLOT_UNUSED, adit_task_word(2, 0, 0, ADIT_TASK_FREE, 0), "I7", "yet to come");
    wrong(SLOT_QUEUED, adit_task_word(2, 0, 0, ADIT_TASK_QUEUED, 0), "I7", "yet to come");
    sound(SLOT_DONE, adit_task_word(0xffffff, 1, 0, ADIT_TASK_DONE, 0)); /* left behind by a round: a result that nobody took */
    VERIFY_POKE(l->head, 13);
    assert_int_equal(verify_run(a, 0, 0), 0);
    VERIFY_POKE(l->head, 7ull << 48 | 14);
    wanted_with(0, "I7", "queue 0 level 0", "its head is at 14, and its tail at 5");
    VERIFY_POKE(scene.levels->slot->level[3].head, 3);
    wanted_with(0, "I7", "queue 1 level 3", "its head is at 3, and its tail at 0");
    VERIFY_POKE(l->tail, 1ull << 48);
    wanted_with(0, "I7", "queue 0 level 0", "its tail is 0x1000000000000");
}

static void a_queue_without_workers_may_hold_what_waits_and_nothing_that_somebody_has(void **state)
{
    (void)state;
    assert_int_equal(verify_run(a, ALL, 0), 0); /* queued and delayed tasks, results */
    poke_word(SLOT_UNUSED, 0, 0, 0, ADIT_TASK_FILLING, a->owner);
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    wanted_with(ALL, "I5", place_of(SLOT_UNUSED), "being submitted, and nobody is at it");
    poke_word(SLOT_QUEUED, 0, 1, 0, ADIT_TASK_RUNNING, a->owner);
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    wanted_with(ALL, "I5", place_of(SLOT_QUEUED), "running, and nobody is at it");
    poke_word(SLOT_QUEUED, 0, 1, 0, ADIT_TASK_COMMITTED, a->owner);
    wanted_with(ALL, "I5", place_of(SLOT_QUEUED), "being concluded, and nobody is at it");
    poke_word(SLOT_QUEUED, 0, 1, 0, ADIT_TASK_RUNNING, a->owner);
    VERIFY_POKE(a->self->start_time, a->self->start_time + 1);
    wanted_with(ADIT_VERIFY_LIVING, "I5", place_of(SLOT_QUEUED), "which is gone");
    uint64_t *blocker = &a->task_blockers[task_of(SLOT_UNUSED) - a->tasks];
    for (uint32_t i = 0; i < 5; i++) { /* held, for: nothing, nothing in a queue, what has ended, what does not know, a task that does */
        const uint64_t handles[] = {0, 9ull << 52 | 2, adit_task_handle(scene.fifo, 0, SLOT_DONE), adit_task_handle(scene.fifo, 0, SLOT_QUEUED),
                                    adit_task_handle(scene.fifo, 0, SLOT_QUEUED)};
        static const char *const faults[] = {"waits for nothing", "waits for nothing", "has ended", "does not know"};
        VERIFY_POKE(task_of(SLOT_UNUSED)->attempts_max, 3);
        VERIFY_POKE(task_of(SLOT_UNUSED)->args_bytes, 4);
        VERIFY_POKE(task_of(SLOT_UNUSED)->submitter, a->owner);
        poke_word(SLOT_UNUSED, 0, 0, 0, ADIT_TASK_HELD, 0);
        VERIFY_POKE(*blocker, handles[i]);
        assert_int_equal(verify_run(a, 0, 0), 0);
        if (i < 4)
            wanted_with(ALL, "I7", place_of(SLOT_UNUSED), faults[i]);
    }
    VERIFY_POKE(task_of(SLOT_QUEUED)->word, task_of(SLOT_QUEUED)->word | ADIT_TASK_AWAITED);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    verify_heal();
    VERIFY_POKE(scene.fifo->slot->due_ns, 0);
    assert_int_equal(verify_run(a, 0, 0), 0); /* about to be told */
    wanted_with(ALL, "I7", place_of(SLOT_DELAYED), "does not say that something is due");
    VERIFY_POKE(scene.fifo->slot->due_ns, UINT64_MAX);
    wanted_with(ALL, "I7", place_of(SLOT_DELAYED), "does not say that something is due");
    VERIFY_POKE(scene.fifo->slot->due_ns, 1); /* earlier than need be */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    verify_heal();
}

static void a_queue_or_kind_that_cannot_be_is_found(void **state)
{
    struct adit_queue_slot *q = &a->queues[0], *second = &a->queues[1];
    struct adit_kind_slot *k = &a->kinds[0];
    (void)state;
    assert_true(q->shift == 3 && second->first == 8 && second->levels_n == 5 && a->tasks_max == 4096);
    VERIFY_POKE(q->levels_n, 2);
    wanted_with(0, "I7", "queue 0", "do not agree");
    VERIFY_POKE(second->levels_n, 4);
    wanted_with(0, "I7", "queue 1", "do not agree");
    VERIFY_POKE(q->order, 3);
    wanted_with(0, "I7", "queue 0", "do not agree");
    VERIFY_POKE(second->shift, 21);
    wanted_with(0, "I7", "queue 1", "do not agree");
    VERIFY_POKE(second->shift, 10);
    wanted_with(0, "I7", "queue 1", "does not lie inside");
    VERIFY_POKE(second->first, 4);
    wanted_with(0, "I7", "queue 1", "does not begin where the one before it ends");
    VERIFY_POKE(q->shift, 4);
    wanted_with(0, "I7", "queue 1", "does not begin where the one before it ends");
    VERIFY_POKE(a->queues[2].state, 1); /* the last one, of dispatchers */
    wanted_with(0, "I5", "queue 2", "in state 1");
    VERIFY_POKE(a->queues[4].state, 2);
    wanted_with(0, "I7", "queue 4", "in state 2, and queue 3 is not there");
    VERIFY_POKE(q->name[0], 0);
    wanted_with(0, "I5", "queue 0", "its name has no characters");
    for (uint32_t i = 0; i < 6; i++)
        VERIFY_POKE(((uint64_t *)(void *)k->name)[i], 0x6161616161616161);
    wanted_with(0, "I5", "kind 0", "its name has no end");
    VERIFY_POKE(k->args_bytes_max, 65);
    wanted_with(0, "I7", "kind 0", "takes 4 to 65 bytes and gives 8");
    VERIFY_POKE(k->args_bytes_min, 17);
    wanted_with(0, "I7", "kind 0", "takes 17 to 16 bytes");
    VERIFY_POKE(k->result_bytes_max, 65);
    wanted_with(0, "I7", "kind 0", "gives 65");
    VERIFY_POKE(a->kinds[7].state, 1);
    wanted_with(0, "I5", "kind 7", "in state 1");
    VERIFY_POKE(q->spinner, (uint64_t)VERIFY_NOBODY << 32 | 1);
    wanted_with(0, "I5", "queue 0", "looked after by 0x7000900000001: its owner, slot 6 generation 9, has left");
    VERIFY_POKE(q->spinner, (uint64_t)a->owner << 32);
    wanted_with(0, "I5", "queue 0", "no thread of it");
    VERIFY_POKE(q->spinner, (uint64_t)a->owner << 32 | 1);
    assert_int_equal(verify_run(a, ADIT_VERIFY_LIVING, 0), 0);
    VERIFY_POKE(a->control->kinds.n, a->control->kinds.n - 1);
    wanted_with(0, "I7", "control", "its tables are others");
}

static void tasks_are_counted(void **state)
{
    struct adit_verify_counts counts;
    struct adit_verify_params p = {.size = sizeof p, .counts = &counts};
    (void)state;
    assert_int_equal(adit_verify(a, &p, NULL, NULL), 0);
    assert_int_equal(counts.tasks, 4);
}

/* ---- beside others at work */

#define SECONDS 3u
#define CHILDREN 6u
#define LOOKS 400u
struct shared {
    uint32_t stop, ready;
    uint64_t done, cancelled, expired, failed, visits;
};
static struct shared *shared;

static bool is_over(void) { return __atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE); }
static void count(uint64_t *what) { __atomic_add_fetch(what, 1, __ATOMIC_RELAXED); }

/* Fails now and then, so that tasks are tried again, at once and later. */
static int run_fickle(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t wanted;
    memcpy(&wanted, args, 4);
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    adit_task_progress(run, wanted);
    return run->attempt <= wanted % 4 ? -EIO : 0;
}

static struct adit_queue *open_queue(struct adit_arena *arena, uint32_t number, uint32_t *kind)
{
    static const char *const names[] = {"by priority", "first in", "last in"};
    const struct adit_kind_params k = {.size = sizeof k, .name = "fickle", .run = run_fickle, .args_bytes_min = 4, .args_bytes_max = 64, .result_bytes_max = 64};
    const struct adit_queue_params p = {.size = sizeof p, .order = (enum adit_queue_order)(number % 3 + 1), .capacity = number % 3 == 2 ? 4 : 16};
    struct adit_queue *q;
    REQUIRE(!adit_kind_register(arena, &k, kind) && !adit_queue_open(arena, names[number % 3], &p, &q));
    return q;
}

static void take_one(struct adit_queue *q, uint64_t task)
{
    struct adit_task_result r = {.size = sizeof r};
    int error = -ETIMEDOUT;
    while (error == -ETIMEDOUT && !is_over())
        error = adit_wait(q, task, 20000000, &r);
    REQUIRE(!error || is_over());
    if (!error)
        count(r.end == ADIT_ENDED_CANCELLED ? &shared->cancelled : r.end == ADIT_ENDED_EXPIRED ? &shared->expired : r.status ? &shared->failed : &shared->done);
}

/* Handfuls of tasks of all sorts, some cancelled, some left behind. */
static void submit_for(struct adit_queue *q, uint32_t kind, uint64_t *seed)
{
    struct adit_task_spec specs[24];
    uint64_t tasks[24], args[24][8];
    uint64_t h = shm_fixture_random(seed);
    uint32_t n = 1 + (uint32_t)(h % 24);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t r = shm_fixture_random(seed);
        args[i][0] = r;
        specs[i] = (struct adit_task_spec){.size = sizeof *specs, .kind = kind, .args = args[i], .args_bytes = r >> 8 & 1 ? 4 : 64, .retry_errors = r >> 9 & 1,
                                           .priority = (enum adit_priority)((r >> 12) % 6), .delay_ns = r >> 16 & 7 ? 0 : 300000, .attempts_max = 1 + (uint32_t)(r >> 20) % 5,
                                           .expires_ns = r >> 24 & 7 ? 0 : 50000, .backoff_ns = r >> 28 & 3 ? 0 : 40000, .detached = r >> 32 & 1};
    }
    int done = adit_submit_n(q, specs, n, tasks);
    for (int i = 0; i < done; i++)
        if (!(shm_fixture_random(seed) & 7))
            (void)adit_cancel(q, tasks[i]);
    for (int i = 0; i < done; i++)
        if (!specs[i].detached && h >> 32 & 7)
            take_one(q, tasks[i]);
    if (done == -EAGAIN)
        (void)adit_queue_wait_room(q, ADIT_NORMAL, 1000000);
}

static void submit_tasks(void *user)
{
    uint32_t number = *(uint32_t *)user, kind;
    uint64_t seed = 31 + number;
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!is_over()) { /* what was left behind is freed as this leaves */
        struct adit_arena *arena;
        if (adit_attach(FIXTURE_NAME, ADIT_CONSUMER, NULL, &arena))
            continue; /* stopped while it waited for the broker */
        struct adit_queue *q = open_queue(arena, number, &kind);
        for (uint32_t i = 0; i < 50 && !is_over(); i++)
            submit_for(q, kind, &seed);
        adit_queue_close(&q);
        adit_detach(&arena);
        count(&shared->visits);
    }
}

static void run_tasks(void *user)
{
    uint32_t number = *(uint32_t *)user, kind;
    struct adit_arena *arena = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
    struct adit_queue *q = open_queue(arena, number, &kind);
    while (!is_over()) {
        struct adit_pool *pool;
        REQUIRE(!adit_pool_open(q, &(struct adit_pool_params){.size = sizeof(struct adit_pool_params), .workers = 2}, &pool));
        shm_fixture_nap(20);
        adit_pool_close(&pool);
    }
    adit_queue_close(&q);
    adit_detach(&arena);
}

static void stop_or_go(pid_t child, bool stop)
{
    int status;
    REQUIRE(!kill(child, stop ? SIGSTOP : SIGCONT));
    REQUIRE(!stop || (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)));
}

static void print_finding(const struct adit_finding *f, void *user)
{
    print_error("%s %s: %s\n", f->invariant, f->place, f->what);
    ++*(uint32_t *)user;
}

/* One look at all, and so many at tasks alone, each for itself (tried: false alarms without the second look at a task's word). */
static void look(struct adit_arena *seen, uint32_t looks, const char *when)
{
    uint32_t alarms = 0;
    int n = verify_run(seen, ADIT_VERIFY_LIVING, 1);
    for (uint32_t i = 0; i < looks && !alarms; i++) {
        struct adit_verifier v;
        REQUIRE(!adit_verifier_init(&v, seen, false, true));
        adit_findings_look(v.findings);
        adit_verify_tasks(&v);
        adit_findings_each(v.findings, print_finding, &alarms);
        adit_verifier_fini(&v);
    }
    if (n || alarms) {
        __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
        fail_msg("%u false alarms, %s:\n%s", (uint32_t)n + alarms, when, verify_lines());
    }
}

static void tasks_under_way_are_no_breach(void **state)
{
    static const uint32_t numbers[3] = {0, 1, 2};
    pid_t children[CHILDREN];
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it sees one side of what processes share */
#endif
    shared = shm_fixture_shared(sizeof *shared);
    for (uint32_t i = 0; i < CHILDREN; i++)
        children[i] = fixture_fork(i % 2 ? run_tasks : submit_tasks, (void *)&numbers[i / 2]);
    struct adit_arena *arena = fixture_create(NULL), *seen = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    fixture_start();
    shm_fixture_until(&shared->ready, CHILDREN);
    uint64_t begin = adit_clock_ns();
    for (uint32_t rounds = 0; adit_clock_ns() - begin < SECONDS * 1000000000ull; rounds++) {
        look(seen, LOOKS, "all at work");
        pid_t stopped = children[rounds % CHILDREN];
        stop_or_go(stopped, true); /* in the middle of whatever it does */
        look(seen, 1, "one of them stopped");
        stop_or_go(stopped, false);
    }
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < CHILDREN; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    assert_true(shared->done > 50 && shared->cancelled && shared->expired && shared->failed && shared->visits > 3);
    if (verify_run(seen, ALL, 0))
        fail_msg("not sound when all have left:\n%s", verify_lines());
    adit_detach(&seen);
    adit_detach(&arena);
}

static int set_up(void **state)
{
    (void)state;
    verify_scene_make(&scene, false);
    a = scene.arena;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    verify_scene_end(&scene);
    return 0;
}

int main(void)
{
    const struct CMUnitTest live[] = {cmocka_unit_test(tasks_under_way_are_no_breach)}; /* first: it forks */
    const struct CMUnitTest damaged[] = {
        cmocka_unit_test(tasks_are_counted),
        cmocka_unit_test(a_word_that_no_transition_makes_is_found),
        cmocka_unit_test(an_attempt_that_cannot_be_is_found),
        cmocka_unit_test(a_task_that_is_not_as_its_submitter_left_it_is_found),
        cmocka_unit_test(what_a_task_wants_and_what_is_reserved_is_looked_at),
        cmocka_unit_test(a_group_that_has_its_slots_passed_by_is_found),
        cmocka_unit_test(places_that_tail_and_head_do_not_allow_are_found),
        cmocka_unit_test(a_queue_without_workers_may_hold_what_waits_and_nothing_that_somebody_has),
        cmocka_unit_test(a_queue_or_kind_that_cannot_be_is_found),
    };
    void *none = NULL;
    if (shm_fixture_set_up(&none))
        return 1;
    int failed = cmocka_run_group_tests_name("verify tasks, live", live, NULL, NULL) + cmocka_run_group_tests_name("verify tasks", damaged, set_up, tear_down);
    return shm_fixture_tear_down(&none) || failed;
}
