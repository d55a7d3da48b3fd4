/* near.h - which data segment is near: to the node a thread runs on, to another segment, and on which of them work can be done at all.
 *
 *     place = adit_near_here(arena);                        the segment of this thread's node, or the nearest to it
 *     for (i = 0; i < arena->segments_n - 1; i++)
 *         adit_near_at(arena, place, i)                     it, then the others, by the distance of their nodes
 *     arena->homes[0 .. arena->homes_n - 1]                 segments whose node has processors; all, where none is known to
 *
 * Distances are the firmware's (ACPI SLIT, as sysfs has them), 10 for a node to itself. Where two are the same the next by number, going round from the
 * segment itself, comes first, so that what overflows from several nodes does not end on the same one. Private memory, made once at attach: nodes do not change their
 * distance. Any thread, wait-free.
 */
#ifndef ADIT_NEAR_H
#define ADIT_NEAR_H

#include "shm/arena.h"

/* At attach, when segments are adopted. */
void adit_near_init(struct adit_arena *arena);

/* The part of init that sorts: the row of segment, by distances that are known. For tests, too. */
void adit_near_order(struct adit_arena *arena, uint32_t segment);

/* The data segment on node, or the one nearest to it. One system call at most, where a node has no segment. */
uint32_t adit_near_node(const struct adit_arena *arena, int32_t node);
/* The same of the node that this thread runs on at this moment. */
uint32_t adit_near_here(const struct adit_arena *arena);

/* The i-th nearest to segment, 1.., which itself is the 0-th; i below segments_n - 1. */
static inline uint32_t adit_near_at(const struct adit_arena *arena, uint32_t segment, uint32_t i) { return arena->near[segment][i]; }

/* How far it is from one data segment's node to another's: 10 is the same. */
static inline uint32_t adit_near_distance(const struct adit_arena *arena, uint32_t from, uint32_t to) { return arena->distance[from][to]; }

#endif
