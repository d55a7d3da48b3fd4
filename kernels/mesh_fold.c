#include "kernels/mesh_fold.h"

#include <string.h>

/* Of an encoded chunk: the only material that is not air, 0 if there are several, -1 if there is none or one is not translucent. */
static int only_material(const struct adit_mesh_source *source)
{
    const struct adit_voxels *v = source->encoded;
    const uint16_t *palette = v->form == ADIT_VOXELS_BRICKS ? v->palette : &v->uniform;
    uint32_t n = v->form == ADIT_VOXELS_BRICKS ? ADIT_PALETTE_MAX : 1;
    int only = -1;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t class = palette[i] ? source->classes[palette[i]] & 3 : ADIT_CLASS_AIR; /* beyond its end a palette is 0 */
        if (class != ADIT_CLASS_AIR && class != ADIT_CLASS_TRANSLUCENT)
            return -1;
        if (class == ADIT_CLASS_TRANSLUCENT)
            only = only < 0 || only == palette[i] ? palette[i] : 0;
    }
    return only;
}

/* Classes by which the chunk is one of opaque voxels: opaque is what hides a face. Copied first, as another process may be writing them. */
static void fold_classes(const struct adit_mesh_source *source, int only, uint8_t classes[ADIT_MATERIALS])
{
    memcpy(classes, source->classes, ADIT_MATERIALS);
    if (source->flags & ADIT_MESH_TT_NONE) {
        for (uint32_t i = 0; i < ADIT_MATERIALS; i++)
            classes[i] = classes[i] & 3 ? ADIT_CLASS_OPAQUE : ADIT_CLASS_AIR;
        return;
    }
    for (uint32_t i = 0; i < ADIT_MATERIALS; i++)
        classes[i] = (classes[i] & 3) == ADIT_CLASS_OPAQUE ? ADIT_CLASS_OPAQUE : ADIT_CLASS_AIR;
    classes[only] = ADIT_CLASS_OPAQUE;
}

bool adit_mesh_fold(const struct adit_mesh_source *source, adit_mesh_kernel *kernel, struct adit_mesh_result *result, int *status)
{
    uint8_t classes[ADIT_MATERIALS];
    struct adit_mesh_source folded = *source;
    if (!source->encoded || source->encoded->form == ADIT_VOXELS_DENSE || source->flags & ADIT_MESH_AO)
        return false;
    int only = only_material(source);
    if (only < 0 || !(only || source->flags & ADIT_MESH_TT_NONE))
        return false;
    fold_classes(source, only, classes);
    folded.classes = classes;
    folded.flags &= (uint8_t)~(ADIT_MESH_TT_NONE | ADIT_MESH_ANY_OPAQUE);
    *status = kernel(&folded, result);
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r += ADIT_MESH_CLASSES) {
        result->start[r + 2] = result->start[r + 1];
        result->start[r + 1] = result->start[r];
    }
    return true;
}
