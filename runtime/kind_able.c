#include "runtime/kind_able.h"

#include <errno.h>
#include <stdio.h>

#include "kernels/kernels.h"

static const struct {
    uint32_t bit;
    const char *name;
} cans[] = {{ADIT_CAN_PUBLISH, "a producer"}, {ADIT_CAN_AVX2, "avx2"}, {ADIT_CAN_AVX512, "avx512"}, {ADIT_CAN_PROCESS, "a worker process"}};

uint32_t adit_can_here(const struct adit_arena *arena)
{
    return (arena->role == ADIT_ROLE_PRODUCER ? ADIT_CAN_PUBLISH : 0u) | (adit_isa_named("avx2") >= 0 ? ADIT_CAN_AVX2 : 0u) |
           (adit_isa_named("avx512") >= 0 ? ADIT_CAN_AVX512 : 0u) | (arena->is_bare ? ADIT_CAN_PROCESS : 0u);
}

void adit_kind_able_set(struct adit_arena *arena, uint32_t kind)
{
    uint32_t slot = adit_owner_slot(arena->owner);
    (void)adit_or_acq_rel(&arena->kinds[kind].able[slot / 64], 1ull << slot % 64);
}

void adit_kinds_able_clear(struct adit_arena *arena, uint32_t slot)
{
    for (uint32_t i = 0; i < arena->kinds_max; i++)
        if (adit_load_relaxed(&arena->kinds[i].able[slot / 64]) >> slot % 64 & 1) /* relaxed: its own bit, or one of a dead process */
            (void)adit_and_seq_cst(&arena->kinds[i].able[slot / 64], ~(1ull << slot % 64));
}

uint64_t adit_kinds_able(const struct adit_arena *arena, uint32_t slot)
{
    uint64_t kinds = 0;
    for (uint32_t i = 0; i < arena->kinds_max && i < 64 && slot < arena->participants_max; i++)
        kinds |= (adit_load_relaxed(&arena->kinds[i].able[slot / 64]) >> slot % 64 & 1) << i; /* relaxed: advice */
    return kinds;
}

uint32_t adit_kind_able_n(const struct adit_arena *arena, uint32_t kind, bool producers, uint32_t n_max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < arena->participants_max && n < n_max; i++) {
        if (!(adit_load_relaxed(&arena->kinds[kind].able[i / 64]) >> i % 64 & 1)) /* relaxed: advice, as who is there may be gone in a moment */
            continue;
        uint64_t word = adit_load_acquire(&arena->participants[i].word);
        n += adit_part_state(word) == ADIT_PART_ALIVE && (!producers || adit_part_role(word) == ADIT_ROLE_PRODUCER);
    }
    return n;
}

/* The names of the capabilities of a kind that this process lacks, or if it lacks nothing of it, of all. */
static void name_capabilities(const struct adit_arena *arena, uint32_t capabilities, char text[96])
{
    uint32_t missing = capabilities & ~adit_can_here(arena), named = missing ? missing : capabilities;
    int at = 0;
    *text = 0;
    for (uint32_t i = 0; i < sizeof cans / sizeof *cans; i++)
        if (named & cans[i].bit)
            at += snprintf(text + at, 96 - (size_t)at, "%s%s", at ? " and " : "", cans[i].name);
}

int adit_kind_able_check(const struct adit_arena *arena, uint32_t kind, bool producers)
{
    char needed[96];
    const struct adit_kind_slot *k = &arena->kinds[kind];
    if (adit_kind_able_n(arena, kind, producers, 1))
        return 0;
    name_capabilities(arena, k->capabilities | (producers ? ADIT_CAN_PUBLISH : 0u), needed);
    return *needed ? adit_fault(-ENOTSUP, "arena %s: kind %.47s needs %s, and no process that is attached has that and runs it; start one that does", arena->name, k->name, needed)
                   : adit_fault(-ENOTSUP, "arena %s: kind %.47s is run by no process that is attached; have one register it with its function", arena->name, k->name);
}
