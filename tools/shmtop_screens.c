/* shmtop_screens.c - the table of screens, and what their cells have in common. */
#include "tools/shmtop_look.h"

#include <string.h>

/* In the order of their keys. */
#define SCREENS(X)  \
    X(overview)     \
    X(participants) \
    X(chunks)       \
    X(kinds)        \
    X(tasks)        \
    X(memory)       \
    X(locks)        \
    X(rings)        \
    X(viewers)      \
    X(events)       \
    X(alerts)       \
    X(frames)       \
    X(tiers)        \
    X(findings)

#define DECLARE(name) extern const struct shmtop_screen shmtop_screen_##name;
#define ENTER(name) &shmtop_screen_##name,
SCREENS(DECLARE)
const struct shmtop_screen *const shmtop_screens[] = {SCREENS(ENTER)};
const uint32_t shmtop_screens_n = sizeof shmtop_screens / sizeof *shmtop_screens;
_Static_assert(sizeof shmtop_screens / sizeof *shmtop_screens <= SHMTOP_SCREENS_MAX, "a view has room for so many");

uint32_t shmtop_screen_find(const char *name)
{
    for (uint32_t i = 0; i < shmtop_screens_n; i++)
        if (!strcmp(shmtop_screens[i]->name, name))
            return i;
    return UINT32_MAX;
}

const char *shmtop_chunk_state(uint8_t state)
{
    static const char *const names[] = {"none", "clean", "dirty", "in work", "given up", "removed"};
    _Static_assert(sizeof names / sizeof *names == ADIT_CHUNK_STATES, "a name each");
    return state < ADIT_CHUNK_STATES ? names[state] : "?";
}

const char *shmtop_encoding(uint8_t encoding)
{
    static const char *const names[] = {"-", "uniform", "bricks", "dense16", "removed"};
    return encoding < sizeof names / sizeof *names ? names[encoding] : "?";
}

void shmtop_cell_age(struct shmtop_table *t, const struct shmtop_snapshot *s, uint64_t at_ns)
{
    uint64_t age;
    if (shmtop_age(s, at_ns, &age))
        shmtop_cell_count(t, age);
    else
        shmtop_cell_none(t);
}

void shmtop_cell_pid(struct shmtop_table *t, uint32_t pid)
{
    if (pid)
        shmtop_cell_number(t, pid);
    else
        shmtop_cell_none(t);
}

void shmtop_cell_node(struct shmtop_table *t, int32_t node)
{
    if (node >= 0)
        shmtop_cell_number(t, node);
    else
        shmtop_cell_none(t);
}

void shmtop_bar(char *out, uint32_t cells, uint64_t used, uint64_t all)
{
    uint32_t full = all ? (uint32_t)((double)used / (double)all * cells + 0.5) : 0;
    full = full > cells ? cells : full == 0 && used ? 1 : full;
    memset(out, '#', full);
    memset(out + full, '.', cells - full);
    out[cells] = 0;
}
