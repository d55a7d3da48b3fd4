/* placement.h - on which node a chunk lies: where its next version is wanted, where its mesh is, and whose it is to mesh it.
 *
 *     version   ADIT_PLACE_PRODUCER      of the thread that publishes it
 *               ADIT_PLACE_REGION        of its region, 8^3 chunks: regions go to nodes in turn along a Hilbert curve over x and z, and layers of y in turn: chunks that are near one another
 *                                        are mostly on one node, and of any part of a world that is some regions wide, plain or tower, every node has its share
 *               ADIT_PLACE_INTERLEAVED   chunk by chunk in turn, (x + y + z) mod nodes
 *     mesh      of the consumers that watch it, where all of them are on one node; else of the version
 *     meshing   by the foremen nearest to the version (reach.h)
 *
 * Why the consumers' node: who meshes writes a mesh once, and stores need not be waited for; who draws reads it once at least, and waits. So a mesh that only one node reads costs the link no more there, and its
 * readers nothing. With readers on several nodes none is better than the version's, where no link is crossed to write it.
 *
 * In an arena that is strict about nodes (ADIT_CREATE_STRICT_NODES) a version is on the node where it is wanted, or publishing it is -ENOSPC; else the next node by distance has it. Meshes and what
 * tasks use take what there is in either.
 *
 * Regions and turns are of the nodes that have processors; far nodes take what the others have no room for.
 */
#ifndef ADIT_PLACEMENT_H
#define ADIT_PLACEMENT_H

#include "runtime/adit.h"
#include "shm/shm.h"

#define ADIT_REGION_SHIFT 3 /* a region is a cube of 2^3 chunks an edge */

/* For adit_block_alloc: where a version of the key is wanted. Any thread, wait-free. */
uint32_t adit_placement_of(const struct adit_arena *arena, uint64_t packed);

/* The data segment of a commit word; 0: of no version, or it lies in the heap. */
static inline uint32_t adit_placement_segment(const struct adit_arena *arena, uint64_t commit)
{
    uint32_t segment = (uint32_t)(commit >> 32 & 0xf);
    return segment < arena->segments_n ? segment : 0;
}

/* For adit_block_alloc: where a mesh of the key is wanted, whose version lies in segment (0: anywhere). Walks the watches. */
uint32_t adit_placement_of_mesh(const struct adit_arena *arena, uint64_t packed, uint32_t segment);

/* The number of a cell on the Hilbert curve through the square of 2^bits cells an edge; bits 1 to 31. Pure. (Warren, "Hacker's Delight", 16; Hilbert, "Über die stetige Abbildung einer Linie auf ein Flächenstück", 1891.) */
uint64_t adit_hilbert(uint32_t x, uint32_t z, uint32_t bits);

#endif
