/* tier_arena.h - the tiers that mesh in an arena, measured in one of their own: worker threads of a node, and worker processes there.
 *
 *     struct adit_tier_stage *stage;
 *     if (!adit_tier_stage_open("adit tiers", chunks, nodes, nodes_n, &stage)) {
 *         adit_tier_stage_threads(stage, 0, "avx512", budget_ns, &energy, &tier);
 *         adit_tier_stage_processes(stage, 0, "avx512", budget_ns, &energy, &tier);
 *     }
 *     adit_tier_stage_close(&stage);
 *
 * The arena has the same chunks once for each node, published from there. A chunk that is published already is marked dirty as a publisher would mark it, so
 * what is timed is from the mark until the arena has settled: waking, claiming, reading, meshing, committing, and waking who waits for it.
 */
#ifndef ADIT_TIER_ARENA_H
#define ADIT_TIER_ARENA_H

#include "tools/tier_chunks.h"
#include "tools/tier_energy.h"
#include "runtime/nodes.h"
#include "tools/tier_table.h"

struct adit_tier_stage;

/* Makes the arena (its name begins with "tiers-") and publishes into it. Blocks some 0.1 s. -EINTR, or what adit_create and adit_chunk_put say: then *why
 * has the line. */
int adit_tier_stage_open(const char *label, const struct adit_tier_chunks *chunks, const struct adit_node *nodes, uint32_t nodes_n,
                         struct adit_tier_stage **out, char *why, size_t why_bytes);
void adit_tier_stage_close(struct adit_tier_stage **stage);

/* Measures meshing by a dispatcher with a thread a CPU of nodes[node], into tier->cell, and sets its threads. 0, -EINTR, or an error and tier->why. */
int adit_tier_stage_threads(struct adit_tier_stage *stage, uint32_t node, const char *kernel, uint64_t budget_ns,
                            const struct adit_tier_energy *energy, struct adit_tier *tier);
/* The same by up to four processes `adit work` there, started from this very program, which share its CPUs; they have ended when it returns. */
int adit_tier_stage_processes(struct adit_tier_stage *stage, uint32_t node, const char *kernel, uint64_t budget_ns,
                              const struct adit_tier_energy *energy, struct adit_tier *tier);

#endif
