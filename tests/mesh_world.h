/* mesh_world.h - a small world in an arena and a digest of its meshes, to compare who made them: the tiers of a dispatcher give the same bytes.
 */
#ifndef ADIT_TESTS_MESH_WORLD_H
#define ADIT_TESTS_MESH_WORLD_H

#include "tests/chunk_fixture.h"

enum { MESH_WORLD_SIDE = 4, MESH_WORLD_CHUNKS = MESH_WORLD_SIDE * MESH_WORLD_SIDE * 2 };

/* An arena (flags as in adit_create) with 4x2x4 chunks of terrain, its materials named, one chunk of noise and one of more materials than a palette takes; all
 * dirty. */
struct adit_arena *mesh_world_create(uint32_t flags);
/* The same with so many bytes of data; the other has 96 MiB. */
struct adit_arena *mesh_world_create_of(uint32_t flags, uint64_t data_bytes);
struct adit_key mesh_world_key(uint32_t i);
/* Changes something in chunk i: its border, mostly. round: what. */
void mesh_world_edit(struct adit_arena *arena, uint32_t i, uint32_t round);

/* Closes a dispatcher, of whose devices so many are lost: the arena says so to who looks in, and no more then. */
void mesh_world_close(struct adit_arena *arena, struct adit_dispatcher **dispatcher, uint32_t lost);

/* Of every mesh the hash of what a reader sees of it; all must be there and of the current version. */
void mesh_world_digest(struct adit_arena *arena, uint64_t digest[MESH_WORLD_CHUNKS]);
/* A process that dispatches in an arena (named FIXTURE_NAME, as it is handed over) is killed, up to nap_ms_max after more than `claims` chunks are in its hands; another dispatcher then makes what is
 * left, and nothing is lost. work never returns. Before this process has threads. */
void mesh_world_survives_death(void (*work)(void *name), uint32_t flags, uint32_t claims, uint32_t nap_ms_max, uint64_t *seed);

/* The meshes are those of a dispatcher of threads alone, which then makes all of them again. Under ThreadSanitizer, to which bytes say nothing, that is left
 * out: they must be there. */
void mesh_world_assert_right(struct adit_arena *arena);

#endif
