/* Rings of samples (shm/samples.h) whose users die: at every instruction of write and read, and in storms of kills.
 *
 * The guarantee: the frames of a write are there all or not at all, those of a read come again all or not at all, and who takes over, without
 * any recovery, goes on exactly there. Frame i of a stream is written as i + 1 in every channel, so each place of the ring says what it is. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"
#include "tests/stepped.h"

#define CHANNELS 3u
#define CAPACITY 8u
#define START 5u /* frames through the ring before: what follows wraps */
#define STEPS_MAX 5000u
#define KILLS 200u
#define BLOCK 48u /* of the storm, in a ring of STORM_CAPACITY */
#define STORM_CAPACITY 128u

static struct adit_arena *arena;

static struct adit_samples *open_as(struct adit_arena *a, uint32_t capacity)
{
    struct adit_samples_params p = {.size = sizeof p, .channels = CHANNELS, .capacity_frames = capacity};
    struct adit_samples *s;
    REQUIRE(!adit_samples_open(a, "deaths", &p, &s));
    return s;
}

static uint32_t write_from(struct adit_samples *s, uint64_t index, uint32_t n)
{
    float frames[BLOCK * CHANNELS];
    for (uint32_t i = 0; i < n * CHANNELS; i++)
        frames[i] = (float)((index + i / CHANNELS) % (1u << 20)) + 1.0f;
    return adit_samples_write(s, frames, n);
}

/* Reads n frames, which must be those from index on, then silence; how many there were, UINT32_MAX: they are not. */
static uint32_t read_from(struct adit_samples *s, uint64_t index, uint32_t n)
{
    float frames[BLOCK * CHANNELS];
    uint32_t got = adit_samples_read(s, frames, n);
    for (uint32_t i = 0; i < n * CHANNELS; i++)
        if (frames[i] != (i / CHANNELS < got ? (float)((index + i / CHANNELS) % (1u << 20)) + 1.0f : 0.0f))
            return UINT32_MAX;
    return got;
}

/* ---- every instruction */

static struct {
    bool is_write;
    uint32_t n, filled;
    uint32_t at;   /* the instruction after which it died */
    uint32_t done; /* what the call returned, if it did */
    bool is_dead;
    struct adit_samples *dead, *living;
} s;

static void act(void *user)
{
    (void)user;
    s.done = s.is_write ? write_from(s.dead, START + s.filled, s.n) : read_from(s.dead, START, s.n);
}

static void begin(struct adit_arena *mortal)
{
    s.dead = open_as(mortal, CAPACITY);
    s.living = open_as(arena, CAPACITY);
    REQUIRE(write_from(s.living, 0, START) == START && read_from(s.living, 0, START) == START);
    REQUIRE(write_from(s.living, START, s.filled) == s.filled);
}

/* Every frame of the call or none; then the living take over both ends. */
static bool is_survived(void)
{
    const struct adit_verify_params one_look = {.size = sizeof one_look, .flags = ADIT_VERIFY_QUIET, .looks = 1}; /* nobody is at work: one says it */
    uint32_t room = CAPACITY - s.filled, fits = s.n < room ? s.n : room, took = s.n < s.filled ? s.n : s.filled, fill = adit_samples_fill(s.living);
    uint32_t without = s.filled, with = s.is_write ? s.filled + fits : s.filled - took;
    uint64_t next = s.is_write ? START : START + (s.filled - fill), end = next + fill;
    uint64_t counted = s.is_write ? adit_samples_overrun(s.living) : adit_samples_underrun(s.living);
    uint32_t lost = s.is_write ? s.n - fits : s.n - took;
    bool is_well = fill == with || (s.is_dead && fill == without);
    is_well &= s.is_dead ? !counted || (fill == with && counted == lost) : counted == lost && s.done == (s.is_write ? fits : took);
    is_well &= !adit_verify(arena, &one_look, NULL, NULL); /* (tried: no copy of tail stored: seen here) */
    is_well &= write_from(s.living, end, CAPACITY - fill) == CAPACITY - fill && !write_from(s.living, end, 1);
    for (uint32_t round = 0; round < 4 && is_well; round++, next += CAPACITY)
        is_well &= read_from(s.living, next, CAPACITY) == CAPACITY && !read_from(s.living, next, 1) &&
                   write_from(s.living, next + CAPACITY, CAPACITY) == CAPACITY;
    return is_well;
}

/* (tried: tail stored before the frames are copied in: 344 deaths are not survived) */
static void a_death_at_any_instruction_leaves_all_or_nothing(void **state)
{
    static const uint32_t fills[] = {0, 1, 5, CAPACITY}, sizes[] = {1, 3, CAPACITY + 1};
    uint32_t wedged = 0, points = 0;
    struct adit_arena mortal = *arena;
    (void)state;
    for (uint32_t way = 0; way < 24; way++) {
        mortal.owner = adit_owner_make(60, way + 1);
        s.is_write = way & 1;
        s.filled = fills[way / 2 % 4];
        s.n = sizes[way / 8];
        for (s.at = 1; s.at < STEPS_MAX; s.at += STEPPED_STRIDE) {
            begin(&mortal);
            uint32_t steps = stepped_death(act, s.at, NULL, &s.is_dead);
            bool is_well = is_survived();
            if (!is_well)
                print_error("%s of %u with %u there: not survived at instruction %u\n", s.is_write ? "write" : "read", s.n, s.filled, s.at);
            wedged += !is_well;
            adit_samples_close(&s.dead);
            adit_samples_close(&s.living);
            REQUIRE(!adit_ring_destroy(arena, "deaths"));
            if (steps < s.at)
                break;
            points++;
        }
    }
    print_message("%u deaths\n", points);
    assert_int_equal(wedged, 0);
    if (!points) {
        print_message("not by steps here\n");
        skip();
    }
    assert_true(points > 2000 / STEPPED_STRIDE);
}

/* ---- a storm of kills */

static uint64_t *passed; /* shared: frames that readers have checked */

struct life {
    uint32_t number;
    bool is_writer;
    pid_t pid;
};

/* This process's mapping under an owner of its own: the fork's, whose copy of *arena nobody else sees. */
static struct adit_samples *become(const struct life *l, struct adit_ring_info *info)
{
    arena->owner = adit_owner_make(50, l->number + 1);
    struct adit_samples *mine = open_as(arena, STORM_CAPACITY);
    REQUIRE(!adit_ring_get(arena, 0, info) && info->kind == ADIT_RING_SAMPLES);
    return mine;
}

/* Each goes on at the index where the ring says that the one before had got. */
static void live(void *user)
{
    const struct life *l = user;
    struct adit_ring_info info = {.size = sizeof info};
    struct adit_samples *mine = become(l, &info);
    uint64_t index = l->is_writer ? info.pushed : info.popped;
    for (uint32_t i = 0;; i++) {
        uint32_t n = 1 + (uint32_t)(index * 7 + i) % BLOCK;
        if (l->is_writer) {
            (void)adit_samples_wait_room(mine, i % 3 ? n : 1, 50000000u);
            index += write_from(mine, index, n);
        } else {
            (void)adit_samples_wait_fill(mine, i % 3 ? n : 1, 50000000u);
            uint32_t got = read_from(mine, index, n);
            REQUIRE(got != UINT32_MAX);
            index += got;
            __atomic_fetch_add(passed, got, __ATOMIC_RELEASE);
        }
    }
}

static void start(struct life *l, uint32_t number)
{
    l->number = number;
    l->pid = shm_fixture_fork(live, l);
}

static void end(struct life *l)
{
    kill(l->pid, SIGKILL);
    assert_int_equal(shm_fixture_wait(l->pid), -SIGKILL); /* 1: a REQUIRE of its */
}

/* Until something more has come through; false: the ring is stuck. */
static bool is_moving(void)
{
    uint64_t before = __atomic_load_n(passed, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < 10000 && __atomic_load_n(passed, __ATOMIC_ACQUIRE) == before; i++)
        shm_fixture_nap(1);
    return __atomic_load_n(passed, __ATOMIC_ACQUIRE) != before;
}

/* (tried: head stored one too far in a read of 40) */
static void killed_writers_and_readers_are_followed_exactly(void **state)
{
    uint64_t seed = 5;
    struct adit_samples *keeps = open_as(arena, STORM_CAPACITY);
    struct life life[2] = {{.is_writer = true}, {.is_writer = false}};
    (void)state;
    passed = shm_fixture_shared(sizeof *passed);
    start(&life[0], 0);
    start(&life[1], 1);
    for (uint32_t k = 0; k < KILLS; k++) {
        uint64_t h = shm_fixture_random(&seed);
        if (k % 8 == 0)
            assert_true(is_moving());
        usleep((useconds_t)(h % 400));
        struct life *l = &life[h >> 40 & 1];
        end(l);
        if (h >> 41 & 1) /* it changes nothing but names */
            assert_int_equal(adit_ring_recover(arena, adit_owner_make(50, l->number + 1)), 0);
        start(l, k + 2);
    }
    assert_true(is_moving());
    end(&life[0]);
    end(&life[1]);
    shm_fixture_verify_quiet(arena);
    print_message("%llu frames between %u kills\n", (unsigned long long)*passed, KILLS);
    adit_samples_close(&keeps);
    assert_int_equal(adit_ring_destroy(arena, "deaths"), 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("deaths", NULL, 2u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_death_at_any_instruction_leaves_all_or_nothing),
        cmocka_unit_test(killed_writers_and_readers_are_followed_exactly),
    };
    return cmocka_run_group_tests_name("samples deaths", tests, set_up, tear_down);
}
