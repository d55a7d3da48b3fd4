/* harvest.h - what a consumer takes out of an arena: meshes as a file or a picture, voxels as a raw volume.
 *
 * Meshes are pinned and read where they lie. A participant has a limited number of pins; meshes beyond it are copied, as
 * are those whose quads have to be changed or read several times (mode exact, no_t_junctions).
 * Worlds stand side by side along x, a chunk apart, the first where its keys say. Levels of detail above 0 are left out.
 */
#ifndef ADIT_HARVEST_H
#define ADIT_HARVEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"
#include "tools/tally.h"

#define ADIT_HARVEST_LINE_BYTES 640
#define ADIT_HARVEST_SIDE_MAX (1 << 20) /* voxels along one side of a raw volume */

/* A box of world voxels, lo <= v < hi: the origin of exports (lo), the extent of a raw volume. */
struct adit_harvest_box {
    int64_t lo[3], hi[3];
};

struct adit_harvest_params {
    const char *out, *picture, *raw; /* NULL: not wanted */
    /* What out is to be like, as users write it; NULL and false: plain (tools/exports/scene.h says what each does). */
    const char *mode;    /* "greedy", or "exact": the fewest quads, see kernels/exact.h */
    const char *mirror;  /* "x", "y" or "z" */
    const char *winding; /* "ccw" or "cw" */
    bool no_t_junctions;
    const struct adit_harvest_box *box; /* NULL: the box of the chunks of the lowest world there is */
    uint8_t raw_world;                  /* which world a raw volume is made of */
    bool (*step)(void *user, uint32_t done, uint32_t total); /* while the picture is drawn, see picture.h; may be NULL */
    void *user;
};

struct adit_harvest_result {
    uint64_t meshes, quads;
    struct adit_harvest_box raw_box;
    uint32_t raw_voxel_bytes; /* 1 or 2; 0: no raw volume was made */
};

#define ADIT_HARVEST_OUTPUTS_MAX 4

/* The files that params name, NULL where there is none: --out, --picture, --raw, and what stands beside --out, of which beside[PATH_MAX] keeps the
 * name. */
void adit_harvest_outputs(const struct adit_harvest_params *params, const char *names[ADIT_HARVEST_OUTPUTS_MAX], char *beside);

/* Whether the files asked for can be what their names and the options say, where they say: 0, or -EINVAL and a line. */
int adit_harvest_check(const struct adit_harvest_params *params, char *error, size_t error_bytes);

/* "X0,Y0,Z0,X1,Y1,Z1" into a box; -EINVAL. */
int adit_harvest_box_parse(const char *text, struct adit_harvest_box *box);

/* Makes the files wanted from what tally found. Each appears whole or not at all. 0, -EINTR, -EBADMSG when a mesh or a chunk is
 * damaged, or another negative errno, and a line in error. */
int adit_harvest_take(struct adit_arena *arena, struct adit_reader *reader, const struct adit_tally *tally,
                      const struct adit_harvest_params *params, struct adit_harvest_result *result, char *error,
                      size_t error_bytes);

#endif
