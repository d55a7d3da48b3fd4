/* sight.h - which chunks a viewer can see, and for how long each of them is there without its mesh: what somebody who flies would notice.
 *
 * A chunk is in sight from the frame on in which it comes within the radius. It is bare from then on, or from when another version of it is published, or it is found gone, until a mesh of its version is; each such time
 * is one sample: 0 where the mesh was there first. Publish times are the arena's own (published_ns), so samples are exact though it is looked at once a frame only.
 */
#ifndef ADIT_SIGHT_H
#define ADIT_SIGHT_H

#include "runtime/adit.h"
#include "tools/latency.h"

#define ADIT_SIGHT_RADIUS_MAX 24u /* chunks */
#define ADIT_SIGHT_LAYERS_MAX 8u

struct adit_sight;

struct adit_sight_figures {
    struct adit_latency came;   /* from coming into sight to the mesh */
    struct adit_latency edited; /* from a version published in sight to its mesh */
    uint64_t lost;              /* chunks that went out of sight still bare: with the time that they were, they are samples as well */
    uint64_t torn;              /* versions and meshes that are not as they were published */
};

/* Of one level of detail: radius and layers, y from y_lo on, in its chunks. figures: what is added to, as long as it is open; several may share them. 0 or -ENOMEM, -EUSERS. */
int adit_sight_open(struct adit_arena *arena, uint32_t radius, int32_t y_lo, uint32_t layers, uint8_t world, uint8_t lod, struct adit_sight_figures *figures, struct adit_sight **out);
void adit_sight_close(struct adit_sight **sight);

/* A frame: what is around `at` (voxels). */
void adit_sight_look(struct adit_sight *sight, const float at[3]);
/* How many chunks are in sight, and are bare, now. */
uint32_t adit_sight_count(const struct adit_sight *sight, uint32_t *bare);
/* One of those in sight that are there, at random, and the version that it had; false: there is none. */
bool adit_sight_pick(const struct adit_sight *sight, uint64_t random, struct adit_key *key, uint64_t *version);

#endif
