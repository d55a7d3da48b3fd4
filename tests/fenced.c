/* fenced.c - see fenced.h. */
#include "tests/fenced.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static size_t span_of(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

void *fenced_alloc(size_t size)
{
    size_t span = span_of(size);
    char *p = mmap(NULL, span + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p, PAGE, PROT_NONE) || mprotect(p + PAGE + span, PAGE, PROT_NONE))
        abort();
    return p + PAGE + span - size;
}

void fenced_free(void *memory, size_t size)
{
    if (memory)
        munmap((char *)memory + size - span_of(size) - PAGE, span_of(size) + 2 * PAGE);
}

uint32_t fenced_draw(uint64_t *state, uint32_t below)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}
