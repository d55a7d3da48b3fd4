#include "shm/bitset.h"

static uint32_t words_of(const struct adit_bitset *set) { return (set->n + 63) / 64; }
static uint64_t *summary_of(const struct adit_bitset *set, uint32_t word)
{
    return &set->words[words_of(set) + word / 64];
}

/* tidying: | at it now 16 | ever begun 48 | */
#define TIDYING_NOW (1ull << 48)
static uint64_t *tidying_of(const struct adit_bitset *set) { return &set->words[adit_bitset_words(set->n) - 1]; }

bool adit_bitset_add(const struct adit_bitset *set, uint32_t i)
{
    uint64_t bit = 1ull << (i % 64), summary = 1ull << (i / 64 % 64);
    uint64_t before = adit_or_seq_cst(&set->words[i / 64], bit); /* BITS:add, pairs with BITS:take */
    if (!(adit_load_seq_cst(summary_of(set, i / 64)) & summary))
        adit_or_seq_cst(summary_of(set, i / 64), summary);
    return !(before & bit);
}

bool adit_bitset_remove(const struct adit_bitset *set, uint32_t i)
{
    uint64_t bit = 1ull << (i % 64);
    /* BITS:take. What preceded the add of a bit taken here is visible to the taker. */
    return adit_and_seq_cst(&set->words[i / 64], ~bit) & bit;
}

/* The summary bit of an empty word goes; it comes back when an add got in between. */
static void clear_summary(const struct adit_bitset *set, uint32_t word)
{
    uint64_t summary = 1ull << (word % 64);
    adit_add_seq_cst(tidying_of(set), TIDYING_NOW + 1);
    adit_and_seq_cst(summary_of(set, word), ~summary);
    if (adit_load_seq_cst(&set->words[word]))
        adit_or_seq_cst(summary_of(set, word), summary);
    adit_add_seq_cst(tidying_of(set), 0 - TIDYING_NOW);
}

/* First member in [from, to), by summary. */
static bool find_in(const struct adit_bitset *set, uint32_t from, uint32_t to, uint32_t *i)
{
    for (uint32_t word = from / 64; word * 64 < to;) {
        uint64_t summary = adit_load_seq_cst(summary_of(set, word)) >> (word % 64);
        if (!summary) {
            word = (word / 64 + 1) * 64;
            continue;
        }
        word += (uint32_t)__builtin_ctzll(summary);
        if (word * 64 >= to)
            return false;
        uint64_t all = adit_load_seq_cst(&set->words[word]), bits = all;
        if (word == from / 64)
            bits &= ~0ull << (from % 64);
        if (bits) {
            *i = word * 64 + (uint32_t)__builtin_ctzll(bits);
            return *i < to;
        }
        if (!all)
            clear_summary(set, word);
        word++;
    }
    return false;
}

/* Any member, by the bits themselves. */
static bool find_any(const struct adit_bitset *set, uint32_t *i)
{
    for (uint32_t w = 0; w < words_of(set); w++) {
        uint64_t bits = adit_load_seq_cst(&set->words[w]);
        *i = w * 64 + (bits ? (uint32_t)__builtin_ctzll(bits) : 0);
        if (bits && *i < set->n)
            return true;
    }
    return false;
}

bool adit_bitset_find(const struct adit_bitset *set, uint32_t *cursor, uint32_t *i)
{
    uint32_t from = *cursor < set->n ? *cursor : 0;
    uint64_t tidying = adit_load_seq_cst(tidying_of(set));
    if (!find_in(set, from, set->n, i) && !find_in(set, 0, from, i) &&
        ((tidying < TIDYING_NOW && adit_load_seq_cst(tidying_of(set)) == tidying) || !find_any(set, i)))
        return false;
    *cursor = *i + 1;
    return true;
}

void adit_bitset_mend(const struct adit_bitset *set)
{
    for (uint32_t w = 0; w < words_of(set); w++)
        if (adit_load_seq_cst(&set->words[w]))
            adit_or_seq_cst(summary_of(set, w), 1ull << (w % 64));
}

uint32_t adit_bitset_count(const struct adit_bitset *set)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < words_of(set); w++)
        n += (uint32_t)__builtin_popcountll(adit_load_relaxed(&set->words[w]));
    return n;
}
