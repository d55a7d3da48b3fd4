/* The verifier on hostile memory: whatever stands in the segments of an arena that was adopted, it neither faults nor hangs. Segments
 * are copies in private memory, each just as long as it says, so that AddressSanitizer sees the first byte beyond. A child does
 * it under an alarm. (tried: without the bound on a ring's slots by its block, or on an owner's slot or a used buffer by the table, the child dies.) */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/control.h"
#include "tests/verify_fixture.h"

#ifdef __SANITIZE_THREAD__
#define STATES 5000u /* one thread: nothing to see there */
#elif defined(__SANITIZE_ADDRESS__)
#define STATES 10000u /* each look's large buffer is mapped anew there */
#else
#define STATES 100000u
#endif
#define DEADLINE_S 240u

static uint8_t *segments[2];
static uint64_t bytes_of[2];
static struct adit_arena *damaged;

/* What was changed, to be put back. */
static struct {
    uint64_t *word, was;
} changed[1u << 12];
static uint32_t changed_n;

static void change(uint64_t *word, uint64_t value)
{
    if (changed_n == sizeof changed / sizeof *changed)
        return;
    changed[changed_n].word = word;
    changed[changed_n++].was = *word;
    *word = value;
}

static void put_back(void)
{
    while (changed_n) {
        changed_n--;
        *changed[changed_n].word = changed[changed_n].was;
    }
}

/* A value that is like the one there, like another, or like nothing. */
static uint64_t strange(uint64_t *seed, uint64_t was)
{
    static const uint64_t some[] = {0, 1, 2, 3, 63, 64, 511, 512, 0xffff, 0x10000, 0xffffffff, UINT64_MAX, 1ull << 63, 1ull << 40};
    uint64_t h = shm_fixture_random(seed);
    switch (h >> 60) {
    case 0: case 1: return was ^ 1ull << (h & 63);
    case 2: return was + (h & 7) - 3;
    case 3: return some[h % (sizeof some / sizeof *some)];
    case 4: return was | (some[h % (sizeof some / sizeof *some)] << (h >> 32 & 63));
    case 5: return ((uint64_t *)(void *)segments[0])[(h & 0xffffffffff) % (bytes_of[0] / 8)];
    case 6: case 7: case 8:
        return adit_word_make(h, (enum adit_block_state)(h >> 8 & 7), (uint32_t)(h >> 12 & (h & 1 ? 0xffffff : 0xff)), (uint32_t)h);
    case 9: return ADIT_REF(h & 3, h >> 20 & 0xfffe00);
    case 10: return adit_commit_make(h, ADIT_REF(h >> 8 & 1, h >> 20 & 0xfffe00));
    case 11: return adit_owner_make((uint32_t)(h & 15), (uint32_t)(h >> 4 & 3));
    case 12: return (was & UINT32_MAX) | was >> 32 << (32 + (h & 15)); /* a capacity, say */
    default: return h;
    }
}

/* Where to damage: anywhere in the control segment, or in a table that leads somewhere, or in a block. */
static uint64_t *somewhere(uint64_t *seed)
{
    uint64_t h = shm_fixture_random(seed), k = shm_fixture_random(seed);
    const struct adit_arena *a = damaged;
    switch (h & 15) {
    case 0: return &a->keys[k % a->chunks_max];
    case 1: case 2: return (uint64_t *)&a->entries[k % a->chunks_max] + (k >> 32) % 5;
    case 3: return (uint64_t *)&a->participants[k % a->participants_max] + (k >> 32) % 12;
    case 4: return (uint64_t *)&a->readers[k % a->readers_max] + (k >> 32) % 3;
    case 5: return (uint64_t *)&a->rings[k % 4] + (k >> 32) % 10;
    case 6: { /* a ring */
        uint64_t *head = adit_arena_at(a, a->rings[k % 3].ref & ~511ull, 1024); /* the ref may be damaged by now */
        return head ? head + (k >> 2) % (k >> 60 & 1 ? 128 : 2) : &a->keys[0];
    }
    case 7: return &a->segments[1].words[k % a->segments[1].granules];
    case 8: return &a->segments[0].words[k % a->segments[0].granules];
    case 9: return (uint64_t *)(void *)segments[1] + k % (bytes_of[1] / 8);
    case 10: { /* the head of a block that an entry names */
        uint64_t commit = a->entries[k % a->chunks_max].current;
        uint64_t *head = adit_arena_head(a, k >> 32 & 1 ? commit : a->entries[k % a->chunks_max].mesh);
        return head ? head + (k >> 33) % 32 : &a->keys[0];
    }
    case 12: /* a lock, or a robust word of the control segment */
        return (uint64_t *)(k & 1 ? (void *)&a->locks[(k >> 1) % 2] : k & 2 ? (void *)&a->waits->keeper : (void *)&a->waits->naming) +
               (k >> 32) % (k & 1 ? 18 : 2);
    case 14: /* buffers, what tasks use, workers */
        return k & 1 ? (uint64_t *)&a->buffers[(k >> 2) % 3] + (k >> 32) % 3
                     : k & 2 ? (uint64_t *)&a->task_uses[(k >> 2) % 18] + (k >> 32) % 8 : (uint64_t *)&a->workers[(k >> 2) % 4] + (k >> 32) % 17;
    case 13: /* queues, kinds, their tasks */
        return k & 3 ? (uint64_t *)&a->tasks[(k >> 2) % 18] + (k >> 32) % 28
                     : k & 4 ? (uint64_t *)&a->queues[(k >> 3) & 1] + (k >> 32) % (k & 8 ? 224 : 5) : (uint64_t *)&a->kinds[(k >> 3) & 1] + (k >> 32) % (sizeof *a->kinds / 8);
    case 11: return &a->pins[k % (a->pins_each * a->participants_max)];
    default: return (uint64_t *)(void *)segments[0] + k % (bytes_of[0] / 8);
    }
}

static void verify_states(void *user)
{
    uint64_t seed = 20, found = 0;
    (void)user;
    alarm(DEADLINE_S);
    for (uint32_t n = 0; n < STATES; n++) {
        uint64_t h = shm_fixture_random(&seed);
        for (uint32_t words = n % 50 ? 1u << h % 6 : 1u << 11; words; words--) {
            uint64_t *word = somewhere(&seed);
            change(word, strange(&seed, *word));
        }
        int breaches = verify_run(damaged, (uint32_t)(h >> 16) & (h >> 40 & 7 ? 2 : 7), n % 1000 ? 1 : 2);
        REQUIRE(breaches >= 0);
        found += breaches > 0;
        put_back();
    }
    REQUIRE(found > STATES / 2);
    REQUIRE(!verify_run(damaged, ADIT_VERIFY_DEEP, 1)); /* what was put back is as it was */
}

static void hostile_memory_neither_faults_nor_hangs(void **state)
{
    (void)state;
    assert_int_equal(verify_run(damaged, ADIT_VERIFY_DEEP, 1), 0);
    assert_int_equal(shm_fixture_in_child(verify_states, NULL), 0);
}

/* All of it at once: nothing in it makes sense any more. */
static void verify_noise(void *user)
{
    uint64_t seed = 21;
    (void)user;
    alarm(DEADLINE_S);
    for (uint32_t n = 0; n < 60; n++) {
        for (uint32_t s = 0; s < 2; s++)
            for (uint64_t i = s ? 0 : sizeof(struct adit_control) / 8; i < bytes_of[s] / 8; i++) {
                uint64_t *word = (uint64_t *)(void *)segments[s] + i;
                *word = n % 3 == 0 ? shm_fixture_random(&seed) : n % 3 == 1 ? strange(&seed, *word) : UINT64_MAX >> (i + n) % 64;
            }
        REQUIRE(verify_run(damaged, n % 8, 1) > 0);
    }
}

static void noise_neither_faults_nor_hangs(void **state)
{
    (void)state;
    assert_int_equal(shm_fixture_in_child(verify_noise, NULL), 0);
}

/* The keeper's thread is at work there. */
__attribute__((no_sanitize("thread"))) static uint8_t *copy_of(const void *from, uint64_t bytes)
{
    uint8_t *copy = aligned_alloc(4096, bytes);
    REQUIRE(copy);
    for (uint64_t i = 0; i < bytes / 8; i++)
        ((uint64_t *)(void *)copy)[i] = ((const volatile uint64_t *)from)[i];
    return copy;
}

static int set_up(void **state)
{
    struct verify_scene scene;
    if (shm_fixture_set_up(state))
        return -1;
    verify_scene_make(&scene, true);
    for (uint32_t s = 0; s < 2; s++) {
        bytes_of[s] = scene.arena->maps[s].bytes;
        segments[s] = copy_of(scene.arena->maps[s].base, bytes_of[s]);
    }
    verify_scene_end(&scene);
    damaged = calloc(1, sizeof *damaged);
    for (uint32_t s = 0; s < 2; s++)
        damaged->maps[s] = (struct adit_mapping){.base = segments[s], .bytes = bytes_of[s], .fd = -1};
    damaged->segments_n = 2;
    damaged->role = ADIT_ROLE_OBSERVER;
    strcpy(damaged->name, "damaged");
    if (adit_control_adopt(damaged))
        return -1;
    damaged->waits->keeper = (struct adit_robust){0}; /* the thread that held it has ended */
    return 0;
}

static int tear_down(void **state)
{
    free(damaged);
    free(segments[0]);
    free(segments[1]);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_memory_neither_faults_nor_hangs),
        cmocka_unit_test(noise_neither_faults_nor_hangs),
    };
    return cmocka_run_group_tests_name("verify_hostile", tests, set_up, tear_down);
}
