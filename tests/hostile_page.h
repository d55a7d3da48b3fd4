/* hostile_page.h - a guest's page that may say anything, between guards, and one look of the proxy at it at a time.
 *
 * The arena is a live one, with chunks; the page is private memory of this process with 5 GiB around it that nobody may touch, in the
 * hands of a guest that the arena's own proxy does not know. After each look all that it may have brought about is judged: the
 * slot of the guest, its pins, its watches. A breach ends the process.
 */
#ifndef ADIT_HOSTILE_PAGE_H
#define ADIT_HOSTILE_PAGE_H

#include "tests/shm_fixture.h"

#define HOSTILE_PAGE_KEYS 4u

struct hostile_page {
    struct adit_arena *arena;
    struct adit_guest_page *pages[ADIT_GUESTS_MAX]; /* the first: the one */
    uint64_t bytes, epoch;
    uint64_t looks, ousts, longest_look_ns, longest_put_ns;
    uint32_t slot;
};

void hostile_page_open(struct hostile_page *h);
void hostile_page_close(struct hostile_page *h);

/* Its words, and a value such as stands there or nearly, by any number. */
uint64_t hostile_page_words(const struct hostile_page *h);
void hostile_page_poke(struct hostile_page *h, uint64_t word, uint64_t value);
uint64_t hostile_page_value(const struct hostile_page *h, uint64_t *seed);

/* What others do meanwhile: 0 a new epoch, 1 a chunk published, 2 the guest ousted, else nothing. */
void hostile_page_others(struct hostile_page *h, uint32_t what);

/* The proxy looks, and what it did is judged. */
void hostile_page_look(struct hostile_page *h);

#endif
