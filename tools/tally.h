/* tally.h - what is in an arena, counted by a consumer from the versions and meshes themselves, not from their heads.
 *
 * Each chunk is one short section, so a tally of a world that changes meanwhile is right chunk by chunk, not as a whole.
 */
#ifndef ADIT_TALLY_H
#define ADIT_TALLY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"

#define ADIT_TALLY_WORLDS 256

struct adit_tally_world {
    uint64_t chunks, voxels, faces, quads, version_bytes, mesh_bytes;
    uint64_t unmeshed;             /* chunks whose mesh is missing or older than their version */
    uint32_t materials;            /* that occur on voxels, air not counted */
    uint16_t material_max;
    int32_t key_min[3], key_max[3]; /* the box of keys with a version at level of detail 0, max exclusive */
};

struct adit_tally {
    struct adit_tally_world *world[ADIT_TALLY_WORLDS]; /* NULL where there is nothing */
    struct adit_tally_world all;                        /* the sum; its box means nothing */
    struct adit_key *keys;                              /* all keys that had a version */
    size_t keys_count;
};

/* The keys alone, in order; the rest is empty. 0 or -ENOMEM; close it in either case. */
int adit_tally_keys(struct adit_reader *reader, struct adit_tally *tally);

/* Counts. 0, -ENOMEM, -EINTR after a signal; close it in either case. */
int adit_tally_take(struct adit_reader *reader, struct adit_tally *tally);
void adit_tally_close(struct adit_tally *tally);

/* {"chunks":..., "voxels":..., "visible_faces":..., "quads":..., "bytes":..., "materials":...} of a world or of all;
 * bytes are those of versions and meshes. */
json_t *adit_tally_json(const struct adit_tally_world *t);
/* The worlds there are: [{"world": 0, ...as above}, ...]. */
json_t *adit_tally_worlds_json(const struct adit_tally *tally);

#endif
