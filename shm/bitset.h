/* bitset.h - a shared set of small numbers that can be added to by anybody at any time and loses nothing.
 *
 * It is the queue of this project where "what" matters and "how often" does not: a number added twice before it is taken is
 * taken once, nothing can overflow, and no adder can leave it broken, because one atomic OR is the whole of an add. A
 * summary (one bit a word) makes looking for the next one quick; it may say too much, and too little only while it is tidied:
 *
 *     adder                              who finds a word empty          who finds nothing at all
 *     set the bit       (seq_cst)        tidying: begun                  tidying none, before and after the look: true
 *     set the summary   (seq_cst)        clear the summary bit           else: look at every word
 *                                        look at the word again; not
 *                                        empty: set the summary again
 *                                        tidying: ended
 *
 * So "empty" is never said of a set that an add has returned for, although third parties can see the summary without a bit
 * that is just being set again. An adder that dies between its two steps leaves a bit without summary: recovery sets all
 * summary bits anew. Who dies while tidying leaves looks that find nothing slower, and right.
 * Words: (n + 63) / 64 of bits, (n + 4095) / 4096 of summary, one of tidying. Adding is wait-free, taking lock-free.
 */
#ifndef ADIT_BITSET_H
#define ADIT_BITSET_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/atomics.h"

struct adit_bitset {
    uint64_t *words;
    uint32_t n; /* numbers 0..n-1 */
};

/* How many words a set over n numbers has, all 0 at first. */
static inline uint64_t adit_bitset_words(uint64_t n) { return (n + 63) / 64 + (n + 4095) / 4096 + 1; }

/* Adds i; true when it was not in the set before. */
bool adit_bitset_add(const struct adit_bitset *set, uint32_t i);
/* Takes i out; true when it was in. */
bool adit_bitset_remove(const struct adit_bitset *set, uint32_t i);
/* The first member at or after *cursor, wrapping around once; false: at some moment of the call it was empty but for what
 * was added or taken meanwhile. It stays in the set. *cursor: its successor. */
bool adit_bitset_find(const struct adit_bitset *set, uint32_t *cursor, uint32_t *i);
/* Sets the summary of every word that has a member: what an adder that died had not got to. Any time. */
void adit_bitset_mend(const struct adit_bitset *set);
/* How many are in, roughly while others add and take. */
uint32_t adit_bitset_count(const struct adit_bitset *set);
static inline bool adit_bitset_has(const struct adit_bitset *set, uint32_t i)
{
    return adit_load_acquire(&set->words[i / 64]) >> (i % 64) & 1;
}

#endif
