/* storm_script.h - what torture_kills publishes: version v of a chunk is a function of the seed, the chunk and v, so that every version
 * can be judged by its number alone, whoever made it and however often its maker was killed.
 *
 *     adit_chunk_version(arena, &key, &v);
 *     storm_publish(arena, seed, chunk, v + 1, voxels);     // put, loan and publish, edit or remove, as the script says
 *     storm_voxels(seed, chunk, view.version, wanted);      // what a reader must find
 *
 * A chunk has one producer at a time (storm_producer_of), which goes on from the number it finds in the arena.
 */
#ifndef ADIT_STORM_SCRIPT_H
#define ADIT_STORM_SCRIPT_H

#include "runtime/adit.h"

#define STORM_CHUNKS 16u
#define STORM_PRODUCERS 2u
#define STORM_NAMED 20u /* materials 10 .. 29 have a name and a class */

enum storm_op { STORM_PUT, STORM_LOAN, STORM_EDIT, STORM_REMOVE };

/* A function of three numbers with no pattern to it. */
uint64_t storm_mix(uint64_t seed, uint64_t a, uint64_t b);

struct adit_key storm_key(uint32_t chunk);
/* STORM_CHUNKS when it is none of the script's. */
uint32_t storm_chunk_of(const struct adit_key *key);
static inline uint32_t storm_producer_of(uint32_t chunk) { return chunk % STORM_PRODUCERS; }

/* How version (from 1) comes to be. After REMOVE there is nothing to acquire. */
enum storm_op storm_op_of(uint64_t seed, uint32_t chunk, uint64_t version);
/* All voxels at that version; air after REMOVE. */
void storm_voxels(uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels);

/* Makes version, given that the one before is current; voxels is room to work in. 0; -EPROTO: the library says it made another number;
 * else what the library answers. -ESTALE: somebody else publishes this chunk. */
int storm_publish(struct adit_arena *arena, uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels);
/* Brings a chunk that is at version to its last state, which is the same whatever was before; every fourth is removed. */
int storm_finish(struct adit_arena *arena, uint64_t seed, uint32_t chunk, uint64_t version, uint16_t *voxels);

/* Names the materials that have a class. Any producer, any number of times; before it publishes. */
int storm_materials(struct adit_arena *arena);

#endif
