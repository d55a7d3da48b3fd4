/* plan.h - what `adit run` learns of its worlds before it makes an arena for them: how many chunks, which materials, how
 * many bytes.
 *
 * The bytes are an estimate from a sample of chunks spread over each world, which are encoded on paper and meshed for
 * real; twice that is asked for, because old versions and meshes stay for a while beside the new ones. --size overrules
 * it, and an arena that turns out too small says so.
 */
#ifndef ADIT_PLAN_H
#define ADIT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "tools/feeder.h"
#include "tools/worlds/world.h"

struct adit_plan_world {
    char *spec; /* the caller's */
    char kind[16];
    int32_t voxel_min[3], voxel_max[3];
    uint64_t box_chunks, chunks_may; /* in the box; of these that may hold voxels */
    uint32_t materials, warnings;
    struct adit_world *world; /* NULL after adit_plan_close_worlds */
};

struct adit_plan {
    struct adit_plan_world *worlds;
    uint32_t count;
    uint64_t chunks_may, data_bytes; /* of all worlds */
    uint32_t materials;              /* the highest id all of them can need */
    char error[ADIT_FEEDER_LINE_BYTES];
};

/* Opens and looks at the worlds. 0, -EINTR, or a negative errno and plan->error; close the plan in either case. */
int adit_plan_make(char *const *specs, uint32_t count, struct adit_plan *plan);

/* Lets go of the worlds' memory; the facts stay. */
void adit_plan_close_worlds(struct adit_plan *plan);
void adit_plan_close(struct adit_plan *plan);

#endif
