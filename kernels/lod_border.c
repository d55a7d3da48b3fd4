/* lod_border.c - the planes of kernels/lod.h that meshes of neighbouring levels are made with.
 *
 * Why no hole is left, area by area of the finer side, with f the finer voxel there and c the coarser one. The finer plane
 * holds c itself, so f's face is drawn exactly if it is visible. The coarser plane holds p in c's place; it has to be that
 * whatever shows c's face towards f shows it towards p:
 *     f air                      p is air: shown
 *     f opaque                   c's face is never visible there
 *     f see-through, c opaque    p is air or see-through: shown
 *     f and c see-through        p is f (the only one there is: the same answer), or air: shown
 * p is opaque only if all four are. So p shows too much only where one of the others has to be shown, or where two
 * see-through materials meet c under ADIT_MESH_TT_NONE.
 */
#include "kernels/lod.h"

#include <errno.h>
#include <stddef.h>

enum { DIM = ADIT_CHUNK_DIM };

static bool is_valid(const struct adit_lod_border *b)
{
    return b->to && b->width >= 1 && b->width <= DIM && b->height >= 1 && b->height <= DIM &&
           b->u + (b->width + 1) / 2 <= DIM && b->v + (b->height + 1) / 2 <= DIM;
}

int adit_lod_plane_from_coarser(const struct adit_lod_border *border)
{
    struct adit_lod_border b = *border;
    if (!is_valid(&b))
        return -EINVAL;
    for (uint32_t v = 0; v < b.height; v++)
        for (uint32_t u = 0; u < b.width; u++)
            b.to[v * DIM + u] = b.from ? b.from[(b.v + v / 2) * DIM + b.u + u / 2] : 0;
    return 0;
}

/* What stands for four finer voxels. */
static uint16_t least_wall(const uint16_t voxel[4], const uint8_t *classes)
{
    uint16_t see_through = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t class = classes[voxel[i]] & 3;
        bool is_second = class != ADIT_CLASS_OPAQUE && see_through && see_through != voxel[i];
        if (class == ADIT_CLASS_AIR || is_second)
            return 0;
        if (class != ADIT_CLASS_OPAQUE)
            see_through = voxel[i];
    }
    return see_through ? see_through : voxel[0];
}

int adit_lod_plane_from_finer(const struct adit_lod_border *border, const uint8_t *classes)
{
    struct adit_lod_border b = *border;
    if (!is_valid(&b) || !classes)
        return -EINVAL;
    for (uint32_t v = 0; v < b.height; v += 2) {
        for (uint32_t u = 0; u < b.width; u += 2) {
            uint16_t voxel[4] = { 0 }; /* beyond the border: air */
            for (uint32_t i = 0; i < 4 && b.from; i++)
                if (u + (i & 1) < b.width && v + (i >> 1) < b.height)
                    voxel[i] = b.from[(v + (i >> 1)) * DIM + u + (i & 1)];
            b.to[(b.v + v / 2) * DIM + b.u + u / 2] = least_wall(voxel, classes);
        }
    }
    return 0;
}
