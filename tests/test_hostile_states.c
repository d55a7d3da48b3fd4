/* Hostile memory under a process at work (invariant I9): heads of control segments at attach, then any word of both segments while
 * this process makes every call of adit.h, then words that change while it reads. Errors, never a fault, never a hang, and no
 * call that works a millisecond longer than on sound memory.
 *
 *     test_hostile_states [SEED [STATES [HEADS [FIRST]]]]        the soak: 1 100000000 10000000; FIRST: the state at which to begin
 *
 * One process is all there is: what is hostile is the memory. Robust words that a thread of this process holds are left alone: their
 * links are followed by the kernel and by glibc, which is why robust.h keeps them from untrusted writers.
 *
 * (tried: a table's end not checked at attach; no bound on a commit word's granule in arena.h: a fault; a material's slot waited for
 * a million spins: 22 ms too long; heads read anew after they were checked, as before encoding_read.c copied them: a fault.) */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shm/control.h"
#include "tests/hostile_calls.h"

#ifdef __SANITIZE_ADDRESS__
#define STATES 100000u
#define SLOWER_NS 20000000u
#define RACES 4000u
#else
#define STATES 1000000u
#define SLOWER_NS 1000000u
#define RACES 30000u
#endif
#define HEADS 1000000u
#define RESTORE_EVERY 200u
#define REST_MS 200u
#define AGAIN 10u /* a slow state must be slow each time, beside sound memory of that moment: a machine is, once in a while */

static uint64_t seed_of_all = 1, states_n = STATES, heads_n = HEADS, first_state, state_now;
static struct hostile h;
static uint64_t limit_ns[64], first_ns[64];

/* ---- heads */

static bool is_inside(const void *table, uint64_t n, uint64_t each_bytes)
{
    const uint8_t *p = table, *end = h.base[0] + h.bytes[0];
    return p >= h.base[0] + sizeof(struct adit_control) && p <= end && n <= (uint64_t)(end - p) / each_bytes;
}

static bool tables_are_inside(const struct adit_arena *a)
{
    bool all = is_inside(a->participants, a->participants_max, sizeof *a->participants) &&
               is_inside(a->readers, a->readers_max, sizeof *a->readers) &&
               is_inside(a->pins, (uint64_t)a->participants_max * a->pins_each, 8) && is_inside(a->keys, a->chunks_max, 8) &&
               is_inside(a->entries, a->chunks_max, sizeof *a->entries) && is_inside(a->dirty, (uint64_t)a->bits_words * 2, 8) &&
               is_inside(a->watches, a->watches_max, sizeof *a->watches) &&
               is_inside(a->watch_bits, (uint64_t)a->bits_words * 2 * a->watches_max, 8) &&
               is_inside(a->materials, a->materials_max, sizeof *a->materials) &&
               is_inside(a->rings, a->rings_max, sizeof *a->rings) && is_inside(a->locks, a->locks_max, sizeof *a->locks) &&
               is_inside(a->kinds, a->kinds_max, sizeof *a->kinds) && is_inside(a->queues, a->queues_max, sizeof *a->queues) &&
               is_inside(a->tasks, a->tasks_max, sizeof *a->tasks) &&
               is_inside(a->task_after, a->tasks_max, sizeof *a->task_after) && is_inside(a->task_blockers, a->tasks_max, 8) &&
               is_inside(a->task_uses, a->tasks_max, sizeof *a->task_uses) && is_inside(a->task_use_bits, a->tasks_max, 8) &&
               is_inside(a->task_wants, a->tasks_max, sizeof *a->task_wants) && is_inside(a->task_memory, a->participants_max, sizeof *a->task_memory) &&
               is_inside(a->task_groups, adit_task_groups(a->tasks_max), 8) &&
               is_inside(a->buffers, a->buffers_max, sizeof *a->buffers) && is_inside(a->metrics, ADIT_METRICS_MAX, sizeof *a->metrics) &&
               is_inside(a->metric_shards, a->metric_shards_n, sizeof *a->metric_shards) && is_inside(a->metric_cells, a->metric_cells_n, sizeof *a->metric_cells) &&
               is_inside(a->metric_commons, ADIT_METRIC_SERIES, sizeof *a->metric_commons);
    for (uint32_t s = 0; s < 2 && all; s++)
        all = is_inside(a->segments[s].words, a->segments[s].granules, 8) &&
              is_inside(a->segments[s].hints, a->segments[s].extents, sizeof(struct adit_extent)) &&
              ((uint64_t)a->segments[s].first + a->segments[s].granules) * ADIT_GRANULE_BYTES <= h.bytes[s];
    return all && a->bits_words >= adit_bitset_words(a->chunks_max);
}

/* What an observer does at once. */
static void look_around(struct adit_arena *a)
{
    struct adit_material_info material;
    struct adit_participant_info info;
    struct adit_lock *lock;
    uint8_t copy[64];
    (void)adit_participant_get(a, a->participants_max - 1, &info);
    (void)adit_material_get(a, (uint16_t)(a->materials_max - 1), &material);
    if (!adit_lock_open(a, "lock", NULL, &lock)) {
        (void)adit_lock_read(lock, copy, sizeof copy, NULL);
        adit_lock_close(&lock);
    }
}

static void a_head_of_any_bytes_is_refused_or_leads_inside(void **state)
{
    struct adit_arena *a = calloc(1, sizeof *a);
    uint64_t seed = seed_of_all, refused = 0;
    (void)state;
    for (uint64_t n = 0; n < heads_n; n++) {
        uint64_t r = shm_fixture_random(&seed);
        uint8_t *head = h.base[0];
        memcpy(head, h.kept[0], sizeof(struct adit_control));
        for (uint32_t i = 0; i <= r % 4; i++) { /* bytes of the described part mostly, words of it, any byte */
            uint64_t k = shm_fixture_random(&seed), at = k % (r >> 8 & 7 ? 840 : sizeof(struct adit_control) - 8);
            if (k >> 60 & 3)
                *(uint64_t *)(void *)(head + at / 8 * 8) = hostile_value(&h, &seed, *(uint64_t *)(void *)(head + at / 8 * 8));
            else
                head[at] = (uint8_t)(k >> 32);
        }
        *a = (struct adit_arena){.name = "damaged", .segments_n = 2, .role = ADIT_ROLE_OBSERVER};
        for (uint32_t s = 0; s < 2; s++)
            a->maps[s] = (struct adit_mapping){.base = h.base[s], .bytes = h.bytes[s], .fd = -1};
        int error = adit_control_adopt(a);
        assert_true(!error || error == -EPROTO);
        refused += error != 0;
        if (!error) {
            assert_true(tables_are_inside(a));
            look_around(a);
        }
    }
    assert_in_range(refused, heads_n / 4, heads_n - heads_n / 100); /* both happen */
    free(a);
    hostile_restore(&h);
}

/* ---- states */

/* How long that call takes on sound memory at most, of so many, and SLOWER_NS more. rested: after a sleep each; what a virtual processor does first
 * after a fifth of a second of sleep takes a hundred times as long on many a host, a millisecond and more where it is 5 us. */
static uint64_t limit_of(uint32_t call, uint32_t tries, bool rested)
{
    uint64_t seed = seed_of_all + 1 + call, used, most = 0;
    for (uint32_t i = 0; i < tries; i++) {
        hostile_restore(&h);
        if (rested)
            shm_fixture_nap(REST_MS);
        hostile_call_this(&h, call, &seed, &used);
        most = used > most ? used : most;
    }
    hostile_restore(&h);
    return most + SLOWER_NS;
}

/* Damages, calls, mends. By how much the slowest call was too slow, 0: none; *slow: which. */
static uint64_t try_state(uint64_t n, uint32_t *slow)
{
    uint64_t seed = (n + 1) * 0x9e3779b97f4a7c15ull ^ seed_of_all, late = 0, used, r = shm_fixture_random(&seed);
    hostile_damage(&h, &seed, n % 256 ? 1u << r % 6 : 1u << 10);
    for (uint32_t i = 0; i <= (r >> 8) % 3; i++) {
        uint32_t call;
        hostile_call(&h, &seed, &call, &used);
        if (used > limit_ns[call] && used - limit_ns[call] > late) {
            late = used - limit_ns[call];
            *slow = call;
        }
    }
    hostile_mend(&h);
    return late;
}

static void tell(const struct adit_breach *b, void *user)
{
    (void)user;
    print_error("%s %s: %s\n", b->invariant, b->place, b->what);
}

static void any_word_may_be_anything(void **state)
{
    struct adit_verify_params p = {.size = sizeof p};
    uint32_t slow = 0;
    (void)state;
    assert_int_equal(adit_verify(h.arena, &p, tell, NULL), 0);
    for (uint32_t call = 0; call < hostile_calls_n(); call++)
        limit_ns[call] = limit_of(call, 24, false);
    for (state_now = first_state; state_now < states_n; state_now++) {
        if (state_now % RESTORE_EVERY == 0)
            hostile_restore(&h);
        uint64_t late = try_state(state_now, &slow);
        for (uint32_t i = 0; i < AGAIN && late; i++) /* mostly another process had this processor, which the limits need not be measured for */
            late = try_state(state_now, &slow);
        memcpy(first_ns, limit_ns, sizeof first_ns);
        for (uint32_t i = 0; i < AGAIN && late; i++) { /* a hundred calls: 24 may all miss the dense chunk, whose edit is the dearest */
            uint64_t now_ns = limit_of(slow, 100, false), rested_ns = limit_of(slow, 10, true); /* calls before it may have slept */
            now_ns = rested_ns > now_ns ? rested_ns : now_ns;
            limit_ns[slow] = now_ns > limit_ns[slow] ? now_ns : limit_ns[slow];
            late = try_state(state_now, &slow);
        }
        memcpy(limit_ns, first_ns, sizeof first_ns); /* a loaded moment must not hide a later state */
        if (late)
            fail_msg("state %llu: %s works %llu us longer than it may", (unsigned long long)state_now, hostile_call_name(slow),
                     (unsigned long long)late / 1000);
    }
    hostile_restore(&h);
    assert_int_equal(adit_verify(h.arena, &p, tell, NULL), 0); /* the control: what is put back is sound */
}

/* Words that say of every section that it is ousted from its beginning: nothing is committed in such, and nobody tries for ever. (tried: a million
 * times, a fifth of a second) */
static void an_epoch_that_ousts_everybody_stalls_nobody(void **state)
{
    static const char *const writing[] = {"put", "edit", "remove", "loan"};
    uint64_t seed = seed_of_all + 6, used;
    (void)state;
    for (uint32_t i = 0; i < sizeof writing / sizeof *writing; i++) {
        uint32_t call = 0;
        bool is_late = true;
        while (strcmp(hostile_call_name(call), writing[i]))
            call++;
        for (uint32_t try = 0; try < AGAIN && is_late; try++) {
            uint64_t limit = limit_of(call, 100, false);
            hostile_poke(&h, &h.arena->control->epoch, ADIT_MARK_FENCED);
            for (uint32_t slot = 0; slot < h.arena->readers_max; slot++)
                hostile_poke(&h, &h.arena->readers[slot].ousted, ADIT_MARK_FENCED);
            hostile_call_this(&h, call, &seed, &used);
            hostile_mend(&h);
            is_late = used > limit;
        }
        assert_false(is_late);
    }
    hostile_restore(&h);
}

/* ---- words that change meanwhile */

static uint32_t race_stop;

static void *change_words(void *user)
{
    uint64_t seed = seed_of_all + 3;
    (void)user;
    while (!adit_load32_acquire(&race_stop)) {
        uint64_t r = shm_fixture_random(&seed), commit = adit_load_relaxed(&h.arena->entries[r % h.arena->chunks_max].current);
        if (r >> 32 & 1)
            commit = adit_load_relaxed(&h.arena->entries[r % h.arena->chunks_max].mesh);
        uint64_t *head = adit_arena_head(h.arena, commit);
        uint64_t *word = commit && head ? head + (r >> 33) % 32 : NULL;
        if (r >> 50 & 1) /* a task's */
            word = (uint64_t *)&h.arena->tasks[(r >> 51) % HOSTILE_TASK_SLOTS] + (r >> 57 & 1 ? (r >> 58) % 28 : 0);
        uint64_t was = word ? adit_load_relaxed(word) : 0;
        for (uint32_t i = 0; word && i < 40; i++) { /* there and back, so that a look and a use may fall on both sides */
            adit_store_relaxed(word, hostile_value(&h, &seed, was));
            for (uint32_t k = 0; k < (r >> 40 & 31); k++)
                adit_spin_pause();
            adit_store_relaxed(word, was);
            for (uint32_t k = 0; k < (r >> 45 & 31); k++)
                adit_spin_pause();
        }
    }
    return NULL;
}

static void words_may_change_while_they_are_read(void **state)
{
    static const char *const busy[] = {"edit", "mesher", "is_intact", "decode", "remove", "verify", "stats", "submit", "work", "task_wait", "cancel", "help", "pool"};
    pthread_t thread;
    uint64_t seed = seed_of_all + 4, used;
    (void)state;
    race_stop = 0;
    assert_int_equal(pthread_create(&thread, NULL, change_words, NULL), 0);
    for (state_now = 0; state_now < RACES; state_now++) {
        const char *name = busy[state_now / 16 % (sizeof busy / sizeof *busy)];
        uint32_t call = 0;
        while (strcmp(hostile_call_name(call), name))
            call++;
        hostile_read(&h, &seed);
        if (state_now % 16 == 0)
            hostile_call_this(&h, call, &seed, &used);
    }
    adit_store32_release(&race_stop, 1);
    pthread_join(thread, NULL);
    hostile_restore(&h);
}

/* ---- the ends */

static void a_process_can_leave_whatever_lies_there(void **state)
{
    uint64_t seed = seed_of_all + 5;
    (void)state;
    hostile_close(&h);
    for (state_now = 0; state_now < 12; state_now++) {
        hostile_open(&h);
        hostile_damage(&h, &seed, 50u << state_now % 6);
        h.watch = NULL;
        hostile_close_handles(&h);
        adit_detach(&h.arena); /* closes the watch, reclaims, leaves */
        free(h.kept[0]);
        free(h.kept[1]);
    }
    hostile_open(&h);
}

/* The one word that a call waits for, as documented. */
static void a_naming_lock_that_seems_held_costs_its_five_seconds(void **state)
{
    struct adit_ring_params p = {.size = sizeof p, .element_bytes = 8, .capacity = 8};
    struct adit_ring *ring;
    (void)state;
    adit_store32_relaxed(&h.arena->waits->naming.word, 1);
    uint64_t begin = adit_clock_ns();
    assert_int_equal(adit_ring_open(h.arena, "another", &p, &ring), -ETIMEDOUT);
    assert_in_range(adit_clock_ns() - begin, 4900000000ull, 60000000000ull);
    hostile_restore(&h);
    assert_int_equal(adit_ring_open(h.arena, "another", &p, &ring), 0);
    adit_ring_close(&ring);
    hostile_restore(&h);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    hostile_open(&h);
    hostile_watchdog_start(&state_now);
    return 0;
}

static int tear_down(void **state)
{
    hostile_watchdog_stop();
    hostile_close(&h);
    return shm_fixture_tear_down(state);
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
    puts("words that change under their readers are what this is about: nothing for ThreadSanitizer");
    return 77;
#endif
    seed_of_all = argc > 1 ? strtoull(argv[1], NULL, 10) : seed_of_all;
    states_n = argc > 2 ? strtoull(argv[2], NULL, 10) : states_n;
    heads_n = argc > 3 ? strtoull(argv[3], NULL, 10) : heads_n;
    first_state = argc > 4 ? strtoull(argv[4], NULL, 10) / RESTORE_EVERY * RESTORE_EVERY : 0; /* a state builds on those since all was restored */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_of_any_bytes_is_refused_or_leads_inside),
        cmocka_unit_test(any_word_may_be_anything),
        cmocka_unit_test(an_epoch_that_ousts_everybody_stalls_nobody),
        cmocka_unit_test(words_may_change_while_they_are_read),
        cmocka_unit_test(a_process_can_leave_whatever_lies_there),
        cmocka_unit_test(a_naming_lock_that_seems_held_costs_its_five_seconds),
    };
    return cmocka_run_group_tests_name("hostile_states", tests, set_up, tear_down);
}
