/* crash_ring.c - a process dies at any instruction of pushing, popping, making and destroying a ring of either kind, of writing and reading samples: elements are
 * whole, in order and there once, the frames of a call all or none; the ring goes on with its full capacity, and its name can be given again. */
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

/* ---- samples: a ring of 8 frames of one channel, frame i is i + 1; five were there and read, then 6 to 11 were written */

#define FRAMES 8u
#define THERE 6u

static struct adit_samples *line;

static struct adit_samples *open_line(struct adit_arena *arena)
{
    const struct adit_samples_params p = {.size = sizeof p, .channels = 1, .capacity_frames = FRAMES};
    struct adit_samples *s;
    return adit_samples_open(arena, "line", &p, &s) ? NULL : s;
}

static uint32_t write_from(struct adit_samples *s, uint32_t first, uint32_t n)
{
    float frames[FRAMES];
    for (uint32_t i = 0; i < n; i++)
        frames[i] = (float)(first + i);
    return adit_samples_write(s, frames, n);
}

/* Reads FRAMES; how many were there, UINT32_MAX: they are not first, first + 1, ..., then silence. */
static uint32_t read_all(struct adit_samples *s, uint32_t first)
{
    float frames[FRAMES];
    uint32_t got = adit_samples_read(s, frames, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        if (frames[i] != (i < got ? (float)(first + i) : 0.0f))
            return UINT32_MAX;
    return got;
}

static void make_line(struct adit_arena *arena)
{
    struct adit_samples *s = open_line(arena);
    REQUIRE(s && write_from(s, 1, 5) == 5 && read_all(s, 1) == 5 && write_from(s, 6, THERE) == THERE);
    adit_samples_close(&s);
}

static void attach_and_open_line(void *user)
{
    crash_attach(user);
    line = open_line(crash_mine);
    REQUIRE(line);
}

static void write_four(void *user) /* two find room */
{
    (void)user;
    (void)write_from(line, 6 + THERE, 4);
}

static void read_eight(void *user) /* six are there */
{
    (void)user;
    (void)read_all(line, 6);
}

/* As many frames as with or without the call, and the ring is as good as new. */
static const char *has_frames(struct adit_arena *arena, uint32_t without, uint32_t with, uint32_t first)
{
    struct adit_samples *s = open_line(arena);
    if (!s)
        return "the ring of samples cannot be opened";
    uint32_t fill = adit_samples_fill(s);
    if (fill != without && fill != with)
        return "a part of the call's frames is there";
    if (read_all(s, first) != fill)
        return "the frames are not those that were written";
    for (uint32_t round = 0; round < 3; round++)
        if (write_from(s, 100 * round, FRAMES) != FRAMES || write_from(s, 0, 1) || read_all(s, 100 * round) != FRAMES)
            return "the ring of samples does not go on";
    adit_samples_close(&s);
    return adit_ring_destroy(arena, "line") ? "the ring of samples cannot be destroyed" : NULL;
}

static const char *six_or_eight(struct adit_arena *arena) { return has_frames(arena, THERE, FRAMES, 6); }
static const char *six_or_none(struct adit_arena *arena) { return has_frames(arena, THERE, 0, 6); }

/* ---- elements */

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
    static const char *const write_met[] = {"adit_samples_write", NULL}, *const read_met[] = {"adit_samples_read", NULL};
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
        {.op = {.name = "write, samples", .set_up = attach_and_open_line, .run = write_four, .functions = write_met}, .prepare = make_line,
         .judge = six_or_eight},
        {.op = {.name = "read, samples", .set_up = attach_and_open_line, .run = read_eight, .functions = read_met}, .prepare = make_line,
         .judge = six_or_none},
        {.op = {.name = "make a ring", .set_up = crash_attach, .run = make, .functions = make_met}, .prepare = make_none,
         .judge = is_empty},
        {.op = {.name = "destroy a ring", .set_up = crash_attach, .run = destroy, .functions = destroy_met}, .prepare = make_mpmc,
         .judge = two_or_none},
    };
    return crash_arena_run("crash_ring", cases, sizeof cases / sizeof *cases);
}
