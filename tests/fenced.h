/* fenced.h - memory between unreadable pages, so that a read or write beyond it is a fault, and numbers to fill it with. */
#ifndef ADIT_TESTS_FENCED_H
#define ADIT_TESTS_FENCED_H

#include <stddef.h>
#include <stdint.h>

/* Exactly size bytes that end at an unreadable page, after another that lies up to a page before them; zero, shared with children, aligned to 4 when size is
 * a multiple of 4. Never NULL (aborts). */
void *fenced_alloc(size_t size);
void fenced_free(void *memory, size_t size);

/* splitmix64: the next number, in 0..below-1. */
uint32_t fenced_draw(uint64_t *state, uint32_t below);

#endif
