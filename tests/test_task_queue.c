/* Queues of tasks (runtime/task_queue.h) step by step, without workers: what the looks at them see. tests/models/task_queue.pml has every interleaving. */
#include <errno.h>

#include "runtime/kind.h"
#include "runtime/task_groups.h"
#include "runtime/task_queue.h"
#include "runtime/task_sleepers.h"
#include "tests/chunk_fixture.h"

#define CAPACITY 4u
#define ALL_KINDS UINT64_MAX

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t kind;

static void open_in_order(enum adit_queue_order order)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "nothing"};
    const struct adit_queue_params p = {.size = sizeof p, .order = order, .capacity = CAPACITY};
    arena = fixture_create(NULL);
    assert_int_equal(adit_kind_register(arena, &k, &kind), 0);
    assert_int_equal(adit_queue_open(arena, "work", &p, &queue), 0);
}

static void open_all(void) { open_in_order(ADIT_ORDER_FIFO); }

static void close_all(void)
{
    adit_queue_close(&queue);
    adit_detach(&arena);
}

static void submit(uint32_t n)
{
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .detached = true};
    uint64_t task;
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(adit_submit(queue, &s, &task), 0);
}

static struct adit_task_claim claim(struct adit_task_cursor *c, uint64_t position)
{
    struct adit_task_claim claim = {0};
    assert_true(adit_task_claim(queue, c, ALL_KINDS, &claim));
    assert_int_equal(claim.place.position, position);
    return claim;
}

static void there_is_none(struct adit_task_cursor *c)
{
    struct adit_task_claim none;
    assert_false(adit_task_claim(queue, c, ALL_KINDS, &none));
}

static void commit(const struct adit_task_claim *c) { assert_true(adit_task_commit(queue, c, NULL, 0, "", 0)); }

/* The queue as it is when it has gone round so often, and what is not FREE has stayed where it is. */
static void age(uint64_t rounds)
{
    struct adit_task_level *l = &queue->slot->level[0];
    for (uint64_t i = 0; i < CAPACITY; i++)
        if (adit_task_state(adit_load_acquire(&adit_task_at(queue, 0, i)->word)) == ADIT_TASK_FREE)
            adit_store_release(&adit_task_at(queue, 0, i)->word, adit_task_word(rounds & 0xffffff, 0, 0, ADIT_TASK_FREE, 0));
    adit_store_seq_cst(&l->tail, rounds << queue->shift);
    adit_store_seq_cst(&l->head, rounds << queue->shift);
}

/* Words carry 24 bits of a round, and all of these are more than 2^23 (tried: half of what there is counts as ahead). */
static void a_task_of_long_ago_is_known_and_its_slot_used_again(void **state)
{
    static const uint64_t ages[] = {(1u << 23) + 10, (1u << 24) - ADIT_TASK_AHEAD - 8, (5u << 24) + 77};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        open_all();
        struct adit_task_spec s = {.size = sizeof s, .kind = kind};
        struct adit_task_result r = {.size = sizeof r};
        struct adit_task_cursor c = {0};
        struct adit_task_claim got;
        uint64_t first = ages[i] * CAPACITY, taken, kept, task;
        assert_int_equal(adit_submit(queue, &s, &taken), 0);
        assert_int_equal(adit_submit(queue, &s, &kept), 0);
        for (uint64_t p = 0; p < 2; p++) {
            got = claim(&c, p);
            commit(&got);
        }
        assert_int_equal(adit_wait(queue, taken, 0, &r), 0);
        age(ages[i]);
        if (i < 2) /* (tried: who looks through the slots takes it for one that is yet to come) */
            assert_int_equal(adit_task_place_of(queue, 0, 1, adit_load_acquire(&adit_task_at(queue, 0, 1)->word)).position, 1);
        s.detached = true;
        s.after_n = 1;
        s.after = &taken;
        assert_int_equal(adit_submit(queue, &s, &task), 0); /* (tried: -EDEADLK, it seems to be yet to come) */
        s.after = &kept;
        assert_int_equal(adit_submit(queue, &s, &task), 0);
        s.after = &task;
        task += 2 * CAPACITY;
        assert_int_equal(adit_submit(queue, &s, &task), -EDEADLK);
        got = claim(&c, first);
        commit(&got);
        got = claim(&c, first + 2);
        commit(&got);
        assert_int_equal(adit_wait(queue, kept, 0, &r), 0);
        assert_int_equal(adit_wait(queue, kept, 0, &r), -ENOENT);
        for (uint64_t p = first + 3; p < first + 9; p++) {
            submit(1); /* (tried: a submitter takes the slot for one that was used, and goes on) */
            got = claim(&c, p);
            commit(&got);
            there_is_none(&c); /* (tried: a worker takes it for one, and passes it) */
        }
        close_all();
    }
}

static void a_task_that_came_back_is_found_before_sleeping_though_head_was_not_lowered(void **state)
{
    (void)state;
    open_all();
    struct adit_task_cursor cursor = {0};
    submit(2);
    struct adit_task_claim first = claim(&cursor, 0), second = claim(&cursor, 1);
    adit_store_release(&first.place.slot->word, adit_task_with(first.word, ADIT_TASK_QUEUED, 0));
    there_is_none(&cursor);
    assert_true(adit_task_claim_any(queue, &cursor, ALL_KINDS, &first)); /* (tried: without the look at every slot) */
    assert_int_equal(first.place.position, 0);
    commit(&first);
    commit(&second);
    there_is_none(&cursor);
    close_all();
}

static void a_look_for_more_sees_beyond_what_others_have_claimed(void **state)
{
    (void)state;
    open_all();
    struct adit_task_cursor one = {0}, other = {0};
    submit(3);
    struct adit_task_claim claims[3] = {claim(&one, 0)};
    claims[1] = claim(&other, 1);
    assert_true(adit_task_more_kinds(queue, &one)); /* (tried: a look at the next slot alone) */
    claims[2] = claim(&other, 2);
    assert_false(adit_task_more_kinds(queue, &one));
    for (uint32_t i = 0; i < 3; i++)
        commit(&claims[i]);
    close_all();
}

static void a_task_waits_from_when_it_could_have_run_and_in_any_order(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_PRIORITY; order <= ADIT_ORDER_LIFO; order++) {
        open_in_order(order);
        struct adit_task_cursor cursor = {0};
        struct adit_task_claim c;
        struct adit_task_spec s = {.size = sizeof s, .kind = kind, .detached = true, .delay_ns = 30000000};
        uint64_t task, begin = adit_clock_ns(), since;
        assert_true(adit_task_oldest_ns(queue, UINT64_MAX) == UINT64_MAX);
        assert_int_equal(adit_submit(queue, &s, &task), 0);
        assert_true(adit_task_oldest_ns(queue, UINT64_MAX) == UINT64_MAX);
        while (adit_task_release_due(queue, UINT64_MAX) != UINT64_MAX)
            shm_fixture_nap(1);
        since = adit_task_oldest_ns(queue, UINT64_MAX);
        assert_true(since >= begin + s.delay_ns && since <= adit_clock_ns()); /* (tried: since it was submitted, so it looks as if workers were behind) */
        assert_true(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c));
        commit(&c);
        for (uint32_t i = 0; i < 3 * CAPACITY; i++) { /* several rounds (tried: of a LIFO queue only those of the first) */
            submit(1);
            since = adit_task_oldest_ns(queue, UINT64_MAX);
            assert_true(since > begin && since <= adit_clock_ns());
            assert_true(adit_task_claim(queue, &cursor, ALL_KINDS, &c));
            commit(&c);
        }
        assert_true(adit_task_oldest_ns(queue, UINT64_MAX) == UINT64_MAX);
        close_all();
    }
}

static void what_others_are_to_run_is_no_wait(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_PRIORITY; order <= ADIT_ORDER_LIFO; order++) {
        struct adit_task_cursor cursor = {0};
        struct adit_task_spec s = {.size = sizeof s, .kind = kind, .detached = true};
        struct adit_task_place place;
        struct adit_task_claim c;
        uint64_t task;
        open_in_order(order);
        assert_int_equal(adit_submit(queue, &s, &task), 0);
        assert_true(adit_task_resolve(queue, task, &place));
        assert_true(adit_task_oldest_ns(queue, 1ull << kind) != UINT64_MAX);
        assert_true(adit_task_oldest_ns(queue, ~(1ull << kind)) == UINT64_MAX); /* (seen: any) */
        place.slot->flags |= ADIT_TASK_HAS_WRITES;
        queue->arena->role = ADIT_ROLE_CONSUMER;
        assert_true(adit_task_oldest_ns(queue, ALL_KINDS) == UINT64_MAX); /* (seen: any) */
        queue->arena->role = ADIT_ROLE_PRODUCER;
        assert_true(adit_task_oldest_ns(queue, ALL_KINDS) != UINT64_MAX);
        place.slot->flags &= (uint16_t)~ADIT_TASK_HAS_WRITES;
        assert_true(adit_task_claim(queue, &cursor, ALL_KINDS, &c));
        commit(&c);
        close_all();
    }
}

static void what_was_left_committed_is_concluded_by_sleepers(void **state)
{
    (void)state;
    open_all();
    struct adit_task_cursor cursor = {0};
    struct adit_task_spec s = {.size = sizeof s, .kind = kind};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task;
    assert_int_equal(adit_submit(queue, &s, &task), 0);
    struct adit_task_claim c = claim(&cursor, 0);
    adit_store_release(&c.place.slot->word, adit_task_with(c.word, ADIT_TASK_COMMITTED, arena->owner)); /* as by a worker that found no reader */
    assert_int_equal(adit_wait(queue, task, 0, &r), -ETIMEDOUT);
    adit_task_look_after_all(queue);
    assert_int_equal(adit_wait(queue, task, 0, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_DONE);
    close_all();
}

static uint64_t submit_at(enum adit_priority priority)
{
    struct adit_task_spec s = {.size = sizeof s, .kind = kind, .detached = true, .priority = priority};
    uint64_t task;
    REQUIRE(!adit_submit(queue, &s, &task));
    return task;
}

/* What a worker expects next is where it has come to itself: others go on in between. */
static void a_higher_level_goes_first_though_others_have_used_it(void **state)
{
    (void)state;
    open_in_order(ADIT_ORDER_PRIORITY);
    struct adit_task_cursor one = {0}, other = {0};
    struct adit_task_claim c;
    (void)submit_at(ADIT_CRITICAL);
    assert_true(adit_task_claim(queue, &other, ALL_KINDS, &c));
    commit(&c);
    uint64_t low = submit_at(ADIT_NORMAL), high = submit_at(ADIT_CRITICAL);
    assert_true(adit_task_claim_next(queue, &one, ALL_KINDS, &c));
    assert_true(adit_task_handle(queue, c.place.level, c.place.position) == high); /* (tried: without the look at the tails of levels above) */
    commit(&c);
    assert_true(adit_task_claim_next(queue, &one, ALL_KINDS, &c));
    assert_true(adit_task_handle(queue, c.place.level, c.place.position) == low);
    commit(&c);
    close_all();
}

static void a_sleeper_is_taken_away_once_and_by_who_means_it(void **state)
{
    (void)state;
    open_all();
    const uint32_t *waiters = &queue->slot->work.waiters, mine = arena->owner;
    adit_task_sleeper_enter(queue);
    adit_task_sleeper_enter(queue);
    assert_int_equal(*waiters, 2);
    assert_false(adit_task_sleeper_leave(queue, mine ^ 1)); /* who had the slot before, recovered late (tried: without generations it takes this one's) */
    assert_true(adit_task_sleeper_leave(queue, mine));
    assert_true(adit_task_sleeper_leave(queue, mine));
    assert_false(adit_task_sleeper_leave(queue, mine)); /* recovery was sooner */
    assert_int_equal(*waiters, 0);
    queue->slot->sleepers[adit_owner_slot(mine)] = (mine ^ 1) << 16 | 5; /* what a predecessor has left, or a mad peer */
    adit_task_sleeper_enter(queue);
    (void)adit_tasks_recover(arena, mine);
    assert_int_equal(*waiters, 0);
    queue->slot->sleepers[adit_owner_slot(mine)] = mine << 16 | 0xffff; /* a mad peer's: as many as there can be */
    adit_task_sleeper_enter(queue);
    assert_int_equal(queue->slot->sleepers[adit_owner_slot(mine)], mine << 16 | 0xffff);
    (void)adit_tasks_recover(arena, mine);
    assert_int_equal(*waiters, 0);
    close_all();
}

/* ---- groups (runtime/task_groups.h), and what a worker leaves to others: what is planted where nobody is to look is not found */

#define MANY 4096u
#define EACH 64u /* slots of a group */

static uint32_t other_kind;

static void open_large(enum adit_queue_order order)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "nothing"}, o = {.size = sizeof o, .name = "other"};
    const struct adit_queue_params p = {.size = sizeof p, .order = order, .capacity = MANY};
    const struct adit_create_params c = {.size = sizeof c, .chunks_max = 64, .data_bytes = 8 << 20, .tasks_max = 2 * MANY};
    arena = fixture_create(&c);
    assert_int_equal(adit_kind_register(arena, &k, &kind), 0);
    assert_int_equal(adit_kind_register(arena, &o, &other_kind), 0);
    assert_int_equal(adit_queue_open(arena, "work", &p, &queue), 0);
}

/* Slot i of round says that a task waits there, unless it does already; what was there. */
static uint64_t plant(uint64_t i, uint64_t round, enum adit_task_state state, uint32_t owner)
{
    struct adit_task_slot *t = adit_task_at(queue, 0, i);
    uint64_t before = adit_load_acquire(&t->word);
    t->kind = (uint8_t)kind;
    t->attempts_max = 3;
    adit_store_release(&t->word, adit_task_word(round, 0, 0, state, owner));
    return before;
}

static void run_all(struct adit_task_cursor *cursor)
{
    struct adit_task_claim c;
    while (adit_task_claim(queue, cursor, ALL_KINDS, &c))
        commit(&c);
}

/* How many groups a walk by groups comes to, and the first slot of the last. */
static uint32_t groups_without(uint64_t mark, uint64_t *last)
{
    struct adit_task_walk w = adit_task_walk(queue, 0, mark);
    uint32_t groups = 0;
    for (uint32_t n; (n = adit_task_walk_group(&w, last)); groups++)
        assert_int_equal(n, EACH);
    return groups;
}

/* What a task's end, and a submit with buffers, look through: it must not grow with the queue. (tried: no marks set: five each time; a mark though one has not ended: 2 of 3) */
static void a_walk_by_groups_comes_to_what_has_not_ended_alone(void **state)
{
    (void)state;
    open_large(ADIT_ORDER_FIFO);
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim c;
    uint64_t last;
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 0);
    submit(5 * EACH);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 5);
    for (uint32_t i = 0; i < 2 * EACH + 1; i++) {
        c = claim(&cursor, i);
        commit(&c);
    }
    c = claim(&cursor, 2 * EACH + 1); /* runs, in the third */
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 5); /* and marks two of them */
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 3);
    run_all(&cursor);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 3);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 1);
    assert_int_equal(last, 2 * EACH);
    commit(&c);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 1);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 0);
    submit(1);
    assert_int_equal(groups_without(ADIT_TASK_GROUP_ENDED, &last), 1);
    assert_int_equal(last, 5 * EACH);
    close_all();
}

static void who_looks_at_everything_goes_by_what_was_never_taken_or_has_ended(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_FIFO; order <= ADIT_ORDER_LIFO; order++) {
        open_large(order);
        struct adit_task_cursor cursor = {0};
        struct adit_task_claim c;
        uint64_t far = MANY - EACH - 1, near = 2 * EACH + 3;
        submit(5 * EACH);
        run_all(&cursor);
        assert_false(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c)); /* marks the first five groups, which are behind tail */
        uint64_t unused = plant(far, 0, ADIT_TASK_QUEUED, 0), freed = plant(near, 1, ADIT_TASK_QUEUED, 0);
        assert_false(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c)); /* (tried: each of these with the looks as they were, at every slot) */
        assert_true(adit_task_oldest_ns(queue, UINT64_MAX) == UINT64_MAX || order == ADIT_ORDER_FIFO);
        (void)plant(near, 1, ADIT_TASK_HELD, 0);
        adit_task_look_after_all(queue);
        assert_int_equal(adit_task_state(adit_task_at(queue, 0, near)->word), ADIT_TASK_HELD);
        (void)plant(near, 1, ADIT_TASK_FILLING, adit_owner_make(9, 9));
        assert_true(adit_tasks_recover(arena, adit_owner_make(9, 9)));
        assert_int_equal(adit_task_state(adit_task_at(queue, 0, near)->word), ADIT_TASK_FILLING);
        adit_store_release(&adit_task_at(queue, 0, far)->word, unused);
        adit_store_release(&adit_task_at(queue, 0, near)->word, freed);
        submit(MANY); /* around, and into all of them */
        run_all(&cursor);
        close_all();
    }
}

/* A result that nobody takes: workers go by, recovery does not. A task that comes into the same slots later is found, whatever was said of them. */
static void marks_follow_the_tasks_of_a_group_to_their_ends(void **state)
{
    (void)state;
    open_large(ADIT_ORDER_FIFO);
    struct adit_task_cursor cursor = {0};
    struct adit_task_claim c;
    struct adit_task_spec s = {.size = sizeof s, .kind = kind};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task, *group = &queue->groups[0], used = 1u << ADIT_TASK_GROUP_ROUND;
    assert_int_equal(adit_submit(queue, &s, &task), 0);
    submit(2 * EACH);
    assert_true(*group == used);
    c = claim(&cursor, 0);
    run_all(&cursor);
    assert_false(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c));
    assert_true(*group == used); /* one runs (tried: what ran counted as ended, and it was lost when its worker died) */
    assert_true(queue->groups[1] == (used | ADIT_TASK_GROUP_ENDED | ADIT_TASK_GROUP_FREE));
    const struct adit_task_claim first = {{adit_task_at(queue, 0, 0), 0, 0}, adit_task_at(queue, 0, 0)->word, 0};
    commit(&first);
    assert_false(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c));
    assert_true(*group == (used | ADIT_TASK_GROUP_ENDED)); /* (tried: it counted as free, so that recovery left it) */
    assert_true(adit_tasks_recover(arena, arena->owner)); /* frees it */
    assert_true(adit_tasks_recover(arena, arena->owner));
    assert_true(*group == (used | ADIT_TASK_GROUP_ENDED | ADIT_TASK_GROUP_FREE));
    assert_int_equal(adit_wait(queue, task, 0, &r), -ENOENT);
    submit(MANY - 2 * EACH - 1);
    run_all(&cursor);
    submit(1);
    assert_true(*group == 2 * used); /* (tried: FILLING without a word of it: lost if hints are) */
    adit_store_release(&queue->slot->level[0].head, (uint64_t)7 << 48 | 3 * MANY); /* lost */
    there_is_none(&cursor);
    assert_true(adit_task_claim_any(queue, &cursor, ALL_KINDS, &c));
    assert_int_equal(c.place.position, MANY);
    commit(&c);
    close_all();
}

/* Who came first and cannot be run here is passed once; what comes back, or is run by more kinds, is found. */
static void tasks_of_other_kinds_are_looked_at_once(void **state)
{
    (void)state;
    for (enum adit_queue_order order = ADIT_ORDER_FIFO; order <= ADIT_ORDER_LIFO; order++) {
        open_large(order);
        struct adit_task_cursor cursor = {0};
        struct adit_task_claim c, d;
        struct adit_task_spec s = {.size = sizeof s, .kind = other_kind, .detached = true};
        uint64_t task, mine = 1ull << kind;
        for (uint32_t i = 0; i < 300; i++)
            assert_int_equal(adit_submit(queue, &s, &task), 0);
        assert_false(adit_task_claim(queue, &cursor, mine, &c));
        adit_task_at(queue, 0, 150)->kind = (uint8_t)kind; /* planted: no task changes its kind */
        submit(2);
        assert_true(adit_task_claim_next(queue, &cursor, mine, &c));
        assert_int_equal(c.place.position, order == ADIT_ORDER_FIFO ? 300 : 301);
        assert_true(adit_task_claim(queue, &cursor, mine, &d)); /* (tried: the looks from the first that waits on) */
        assert_int_equal(d.place.position, order == ADIT_ORDER_FIFO ? 301 : 300);
        assert_false(adit_task_claim(queue, &cursor, mine, &c));
        assert_true(adit_task_more_kinds(queue, &cursor) == 1ull << other_kind); /* who is asleep may run them (tried: only what comes behind) */
        adit_task_at(queue, 0, 150)->kind = (uint8_t)other_kind;
        assert_true(adit_task_put_back(queue, &d)); /* (tried: a worker that goes on where it was) */
        assert_true(adit_task_claim(queue, &cursor, mine, &c));
        assert_int_equal(c.place.position, d.place.position);
        commit(&c);
        assert_true(adit_task_claim(queue, &cursor, ALL_KINDS, &c)); /* (tried: without a look at the kinds) */
        assert_int_equal(c.place.position, order == ADIT_ORDER_FIFO ? 0 : 299);
        commit(&c);
        assert_false(adit_task_claim_any(queue, &cursor, mine, &c));
        assert_true(cursor.left == 1ull << other_kind);
        submit(1);
        assert_true(adit_task_claim(queue, &cursor, mine, &c));
        assert_int_equal(c.place.position, 302);
        commit(&c);
        submit(1);
        uint64_t word = plant(303, 0, ADIT_TASK_FILLING, arena->owner); /* as its submitter had it */
        assert_false(adit_task_claim_any(queue, &cursor, mine, &c));
        adit_store_release(&adit_task_at(queue, 0, 303)->word, word);
        assert_true(adit_task_claim(queue, &cursor, mine, &c)); /* (tried: whoever has looked at everything goes on behind it) */
        assert_int_equal(c.place.position, 303);
        commit(&c);
        close_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleeper_is_taken_away_once_and_by_who_means_it),
        cmocka_unit_test(a_task_of_long_ago_is_known_and_its_slot_used_again),
        cmocka_unit_test(a_task_that_came_back_is_found_before_sleeping_though_head_was_not_lowered),
        cmocka_unit_test(a_look_for_more_sees_beyond_what_others_have_claimed),
        cmocka_unit_test(what_others_are_to_run_is_no_wait),
        cmocka_unit_test(a_task_waits_from_when_it_could_have_run_and_in_any_order),
        cmocka_unit_test(what_was_left_committed_is_concluded_by_sleepers),
        cmocka_unit_test(a_higher_level_goes_first_though_others_have_used_it),
        cmocka_unit_test(who_looks_at_everything_goes_by_what_was_never_taken_or_has_ended),
        cmocka_unit_test(a_walk_by_groups_comes_to_what_has_not_ended_alone),
        cmocka_unit_test(marks_follow_the_tasks_of_a_group_to_their_ends),
        cmocka_unit_test(tasks_of_other_kinds_are_looked_at_once),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
