/* crash_memory.c - a process dies at any instruction of taking and giving back memory: a loan, a block that is merged from free runs and split,
 * a retired version and its reclaiming. Every block is free or named afterwards, whatever the dead held.
 *
 * (tried: a split that shortens the head before it marks the rest: 8 points and 8 kills find bytes in no block; recovery that does
 * not count an orphaning: 1,268 kills find a block that stays retired) */
#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define RUN (8u * ADIT_GRANULE_BYTES) /* what the free runs of the fragmented scene are long */

static struct adit_loan loan;
static uint64_t block;

static void loan_and_discard(void *user)
{
    (void)user;
    if (!adit_chunk_loan(crash_mine, &crash_key_c, &loan))
        adit_chunk_discard(crash_mine, &loan);
}

/* Free runs of one length side by side, then one block that stays (in no store: the host keeps it on loan and the judge frees it). */
static void fragment(struct adit_arena *arena)
{
    uint64_t run[4];
    for (uint32_t i = 0; i < 4; i++)
        REQUIRE(!adit_block_alloc(arena, RUN, ADIT_BLOCK_HERE, &run[i]));
    for (uint32_t i = 0; i < 3; i++)
        adit_block_free(arena, run[i]); /* forwards: each but the last has a neighbour that is taken, so none is merged */
    const struct adit_base *g = &arena->segments[1];
    uint32_t first = (uint32_t)(adit_ref_byte(run[0]) >> ADIT_GRANULE_SHIFT) - g->first;
    adit_store32_relaxed(&g->hints[0].cursor, first); /* the next search begins there */
    REQUIRE(adit_word_state(g->words[first]) == ADIT_BLOCK_FREE && adit_word_granules(g->words[first]) == 8);
    REQUIRE(adit_word_state(g->words[first + 8]) == ADIT_BLOCK_FREE && adit_word_granules(g->words[first + 8]) == 8);
    REQUIRE(adit_block_bytes(arena, run[3]) == RUN);
    block = run[3];
}

/* Two merges, one split; then the block is given back in two neighbouring parts' place, merged with what was split off. */
static void merge_split_free(void *user)
{
    (void)user;
    uint64_t ref;
    if (!adit_block_alloc(crash_mine, RUN * 2 + ADIT_GRANULE_BYTES, ADIT_BLOCK_HERE, &ref))
        adit_block_free(crash_mine, ref);
}

/* The dead held nothing but its own: the host's block is still on loan to the host. */
static const char *host_keeps_its_block(struct adit_arena *arena)
{
    if (adit_block_bytes(arena, block) != RUN)
        return "a block of the living has changed";
    adit_block_free(arena, block);
    return adit_block_bytes(arena, block) ? NULL : "the block of the living is not free";
}

static void remove_and_reclaim(void *user)
{
    (void)user;
    if (!adit_chunk_remove(crash_mine, &crash_key_a, NULL))
        (void)adit_reclaim(crash_mine, true);
}

static const char *a_is_old_or_removed(struct adit_arena *arena)
{
    return crash_is_old_or_new(arena, &crash_key_a, CRASH_MATERIAL_OLD, 0);
}

int main(void)
{
    static const char *const loan_met[] = {"adit_chunk_loan", "adit_chunk_discard", "adit_block_alloc", "adit_block_free", NULL};
    static const char *const merge_met[] = {"adit_block_alloc", "merge", "adit_block_free", NULL};
    static const char *const reclaim_met[] = {"adit_retire", "adit_reclaim", "adit_grace_period_hurried", "adit_pins_collect",
                                              "adit_block_free", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "loan and discard", .set_up = crash_attach, .run = loan_and_discard, .functions = loan_met}},
        {.op = {.name = "merge, split, free", .set_up = crash_attach, .run = merge_split_free, .functions = merge_met},
         .prepare = fragment, .judge = host_keeps_its_block},
        {.op = {.name = "retire and reclaim", .set_up = crash_attach, .run = remove_and_reclaim, .functions = reclaim_met},
         .judge = a_is_old_or_removed},
    };
    return crash_arena_run("crash_memory", cases, sizeof cases / sizeof *cases);
}
