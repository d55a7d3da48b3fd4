#include "tests/hostile_page.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/key.h"
#include "runtime/store.h"

#define GUARD_BYTES (5ull << 30)
#define HOLD_MAX (4u << 20)

static uint16_t voxels[ADIT_CHUNK_VOXELS];

/* The guest of the page comes in, as by its door. */
static void admit(struct hostile_page *h)
{
    REQUIRE(!adit_admit(h->arena, h->pages, (uint32_t)getpid(), geteuid(), &h->slot));
    h->epoch = h->arena->readers[h->slot].epoch;
}

void hostile_page_open(struct hostile_page *h)
{
    struct adit_create_params p = {.size = sizeof p, .hold_max_bytes = HOLD_MAX, .guests_max = 1, .pins_max = 70, .chunks_max = 5000};
    *h = (struct hostile_page){.arena = shm_fixture_create("page", &p, 16u << 20)};
    h->bytes = adit_guest_page_bytes(h->arena);
    uint8_t *place = mmap(NULL, 2 * GUARD_BYTES + h->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(place != MAP_FAILED && !mprotect(place + GUARD_BYTES, h->bytes, PROT_READ | PROT_WRITE));
    h->pages[0] = (void *)(place + GUARD_BYTES);
    for (uint32_t i = 0; i < HOSTILE_PAGE_KEYS; i++)
        hostile_page_others(h, 1);
    admit(h);
}

void hostile_page_close(struct hostile_page *h)
{
    adit_admit_end(h->arena, h->slot);
    shm_fixture_verify(h->arena, ADIT_VERIFY_LIVING | ADIT_VERIFY_DEEP);
    (void)munmap((uint8_t *)h->pages[0] - GUARD_BYTES, 2 * GUARD_BYTES + h->bytes);
    adit_detach(&h->arena);
}

uint64_t hostile_page_words(const struct hostile_page *h) { return h->bytes / 8; }

void hostile_page_poke(struct hostile_page *h, uint64_t word, uint64_t value)
{
    adit_store_relaxed((uint64_t *)(void *)h->pages[0] + word % hostile_page_words(h), value);
}

uint64_t hostile_page_value(const struct hostile_page *h, uint64_t *seed)
{
    uint64_t random = shm_fixture_random(seed), k = shm_fixture_random(seed);
    const struct adit_arena *a = h->arena;
    switch (random % 12) {
    case 0: return 0;
    case 1: case 2: return adit_load_relaxed(&a->control->epoch) - 4 + k % 9;
    case 3: case 4: return adit_commit_ref(a->entries[k % a->chunks_max].current); /* mostly none */
    case 5: case 6: { /* a block of one of the keys, or near it */
        struct adit_key key = {.x = (int32_t)(k % HOSTILE_PAGE_KEYS)};
        uint64_t packed, word = 0;
        uint32_t index;
        if (adit_key_try(&key, &packed) && adit_store_find(a, packed, &index))
            word = adit_commit_ref(a->entries[index].current);
        return word + (random >> 8 & 7 ? 0 : (k >> 32 & 3) * 512);
    }
    case 7: return ADIT_REF(k % 20, k >> 24);
    case 8: return k % 5;
    case 9: return 1ull << (k % 64);
    case 10: return ADIT_REF(1, k % (64u << 10) << ADIT_GRANULE_SHIFT);
    default: return k;
    }
}

void hostile_page_others(struct hostile_page *h, uint32_t what)
{
    static uint32_t n;
    uint64_t epoch, begin;
    struct adit_key key = {.x = (int32_t)(n % HOSTILE_PAGE_KEYS)};
    switch (what) {
    case 0:
        (void)adit_add_seq_cst(&h->arena->control->epoch, ADIT_EPOCH_STEP);
        break;
    case 1: /* by turns of one material and dense, so that pins meet their limit */
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            voxels[i] = (uint16_t)(n % 4 ? n % 100 + 1 : (i * 7 + n) % 300 + 1);
        begin = adit_clock_ns();
        REQUIRE(!adit_chunk_put(h->arena, &key, voxels, NULL));
        begin = adit_clock_ns() - begin;
        h->longest_put_ns = begin > h->longest_put_ns ? begin : h->longest_put_ns;
        n++;
        break;
    case 2:
        epoch = adit_add_seq_cst(&h->arena->control->epoch, ADIT_EPOCH_STEP) + ADIT_EPOCH_STEP;
        h->ousts += adit_rcu_oust_guests(h->arena, epoch);
        break;
    default: break;
    }
}

/* What a reclaimer would find in the row. */
static void judge_pins(const struct hostile_page *h)
{
    const struct adit_arena *a = h->arena;
    const uint64_t *row = a->pins + (size_t)h->slot * a->pins_each;
    uint32_t high = a->participants[h->slot].pins_high;
    uint64_t bytes = 0;
    REQUIRE(high <= a->pins_each && high <= ADIT_GUEST_PINS);
    for (uint32_t i = 0; i < a->pins_each; i++) {
        uint32_t s = adit_ref_segment(row[i]);
        REQUIRE(!row[i] || i < high);
        REQUIRE(!row[i] || (s && s < a->segments_n && adit_ref_byte(row[i]) % ADIT_GRANULE_BYTES == 0 && adit_arena_at(a, row[i], 512)));
        enum adit_block_state state = row[i] ? adit_word_state(a->segments[s].words[adit_ref_byte(row[i]) >> ADIT_GRANULE_SHIFT]) : ADIT_BLOCK_FREE;
        bytes += state == ADIT_BLOCK_PUBLISHED || state == ADIT_BLOCK_RETIRED ? adit_block_bytes(a, row[i]) : 0;
    }
    REQUIRE(bytes <= HOLD_MAX / 2 / a->guests_max);
}

void hostile_page_look(struct hostile_page *h)
{
    const struct adit_arena *a = h->arena;
    uint64_t begin = adit_clock_ns();
    enum adit_proxy_sight sight = adit_proxy_pass(h->arena, h->pages[0], h->slot);
    begin = adit_clock_ns() - begin;
    h->longest_look_ns = begin > h->longest_look_ns ? begin : h->longest_look_ns;
    h->looks++;
    if (sight == ADIT_PROXY_LEFT) {
        REQUIRE(!a->readers[h->slot].epoch && !a->readers[h->slot].owner && !a->participants[h->slot].pins_high);
        REQUIRE(adit_part_state(a->participants[h->slot].word) == ADIT_PART_FREE);
        admit(h);
        return;
    }
    const struct adit_reader_slot *s = &a->readers[h->slot];
    uint64_t word = adit_load_acquire(&s->epoch);
    REQUIRE((word & 1) && word >= h->epoch && word <= adit_load_acquire(&a->control->epoch)); /* inside, never back, never ahead */
    h->epoch = word;
    for (uint32_t w = 0; w < a->watches_max; w++) {
        uint32_t owner = a->watches[w].owner, state = a->watches[w].state;
        REQUIRE(w < ADIT_GUEST_WATCHES ? (owner != 0) == (state == ADIT_WATCH_SLOT_ACTIVE) : !owner);
    }
    judge_pins(h);
}
