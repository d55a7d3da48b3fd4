/* crash_ring.c - a process dies at any instruction of pushing, popping, making and destroying a ring of either kind: elements are whole, in order and
 * there once; the ring goes on with its full capacity, and its name can be given again. */
#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define WORDS 8u
#define CAPACITY 4u

static const struct adit_ring_params spsc = {sizeof spsc, ADIT_RING_SPSC, WORDS * sizeof(uint64_t), CAPACITY};
static const struct adit_ring_params mpmc = {sizeof mpmc, ADIT_RING_MPMC, WORDS * sizeof(uint64_t), CAPACITY};
static const struct adit_ring_params *shape; /* of the case: set before anything is forked for it */
static struct adit_ring *ring;
static uint64_t element[WORDS];

static void fill(uint64_t *words, uint64_t value)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = value * 1000 + i;
}

static uint32_t push(struct adit_ring *r, uint64_t value)
{
    uint64_t words[WORDS];
    fill(words, value);
    return adit_ring_push(r, words, 1);
}

/* The value popped, 0: none, UINT64_MAX: torn. */
static uint64_t pop(struct adit_ring *r)
{
    uint64_t words[WORDS];
    if (!adit_ring_pop(r, words, 1))
        return 0;
    for (uint32_t i = 0; i < WORDS; i++)
        if (words[i] != words[0] + i)
            return UINT64_MAX;
    return words[0] / 1000;
}

/* A ring with the elements 1 and 2 in it. */
static void make_ring(struct adit_arena *arena)
{
    struct adit_ring *r;
    REQUIRE(!adit_ring_open(arena, "ring", shape, &r) && push(r, 1) && push(r, 2));
    adit_ring_close(&r);
}
static void make_spsc(struct adit_arena *arena)
{
    shape = &spsc;
    make_ring(arena);
}
static void make_mpmc(struct adit_arena *arena)
{
    shape = &mpmc;
    make_ring(arena);
}
static void make_none(struct adit_arena *arena)
{
    (void)arena;
    shape = &mpmc;
}

static void attach_and_open(void *user)
{
    crash_attach(user);
    REQUIRE(!adit_ring_open(crash_mine, "ring", shape, &ring));
    fill(element, 3);
}

static void push_three(void *user)
{
    (void)user;
    (void)adit_ring_push(ring, element, 1);
}

static void pop_one(void *user)
{
    (void)user;
    (void)adit_ring_pop(ring, element, 1);
}

static void make(void *user)
{
    (void)user;
    (void)adit_ring_open(crash_mine, "ring", shape, &ring);
}

static void destroy(void *user)
{
    (void)user;
    (void)adit_ring_destroy(crash_mine, "ring");
}

/* The elements first, first + 1, ... up to last or one before it, and nothing else; with none, too, if it may be empty. Then the ring
 * takes as many as it has room for and gives them back, and its name is given up. */
static const char *holds(struct adit_arena *arena, uint64_t first_min, uint64_t first_max, uint64_t last_min, uint64_t last_max, bool or_none)
{
    struct adit_ring *r;
    if (adit_ring_open(arena, "ring", shape, &r))
        return "the ring cannot be opened";
    uint64_t first = pop(r), last = first;
    for (uint64_t next = first ? pop(r) : 0; next; next = pop(r)) {
        if (next != last + 1)
            return "an element is torn or out of order";
        last = next;
    }
    if (!(or_none && !first) && (first < first_min || first > first_max || last < last_min || last > last_max))
        return "an element is lost or there twice";
    for (uint64_t v = 10; v < 10 + CAPACITY; v++)
        if (!push(r, v))
            return "the ring has lost room";
    if (push(r, 99))
        return "the ring holds more than it can";
    for (uint64_t v = 10; v < 10 + CAPACITY; v++)
        if (pop(r) != v)
            return "the ring has lost an element";
    if (pop(r))
        return "the ring has an element too many";
    adit_ring_close(&r);
    return adit_ring_destroy(arena, "ring") ? "the ring cannot be destroyed" : NULL;
}

static const char *two_or_three(struct adit_arena *arena) { return holds(arena, 1, 1, 2, 3, false); }
static const char *two_or_one(struct adit_arena *arena) { return holds(arena, 1, 2, 2, 2, false); }
static const char *is_empty(struct adit_arena *arena) { return holds(arena, 1, 0, 1, 0, true); }
static const char *two_or_none(struct adit_arena *arena) { return holds(arena, 1, 1, 2, 2, true); }

int main(void)
{
    static const char *const push_met[] = {"adit_ring_push", NULL}, *const pop_met[] = {"adit_ring_pop", NULL};
    static const char *const make_met[] = {"adit_shm_ring_open", "adit_block_alloc", NULL};
    static const char *const destroy_met[] = {"adit_ring_destroy", "adit_block_free", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "push, SPSC", .set_up = attach_and_open, .run = push_three, .functions = push_met}, .prepare = make_spsc,
         .judge = two_or_three},
        {.op = {.name = "pop, SPSC", .set_up = attach_and_open, .run = pop_one, .functions = pop_met}, .prepare = make_spsc,
         .judge = two_or_one},
        {.op = {.name = "push, MPMC", .set_up = attach_and_open, .run = push_three, .functions = push_met}, .prepare = make_mpmc,
         .judge = two_or_three},
        {.op = {.name = "pop, MPMC", .set_up = attach_and_open, .run = pop_one, .functions = pop_met}, .prepare = make_mpmc,
         .judge = two_or_one},
        {.op = {.name = "make a ring", .set_up = crash_attach, .run = make, .functions = make_met}, .prepare = make_none,
         .judge = is_empty},
        {.op = {.name = "destroy a ring", .set_up = crash_attach, .run = destroy, .functions = destroy_met}, .prepare = make_mpmc,
         .judge = two_or_none},
    };
    return crash_arena_run("crash_ring", cases, sizeof cases / sizeof *cases);
}
