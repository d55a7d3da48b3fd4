/* export_quads.c - quads as lines of text, for checkers and for people.
 *
 *     face x y z w h material a b c d
 *
 * face 0..5 is -X +X -Y +Y -Z +Z; x y z is a voxel of the world less the scene's origin, never a corner; w and h count
 * voxels along (U,V) of kernels/quad.h; a b c d is the ambient occlusion of the corners u0v0 u1v0 u0v1 u1v1, 0 dark to
 * 3 open. A mesh of level of detail n is written in voxels of level 0: its voxel (x,y,z) is the cube of 1 << n there,
 * and a + face lies on that cube's last layer. */
#include "tools/exports/export.h"

#include <errno.h>
#include <stdio.h>

static void write_quad(struct adit_sink *sink, uint64_t quad, uint32_t face, const int64_t origin[3], uint32_t lod)
{
    int64_t at[3] = {adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad)};
    int64_t numbers[11] = {face};
    for (uint32_t axis = 0; axis < 3; axis++)
        numbers[1 + axis] = origin[axis] + (at[axis] << lod);
    if (face & 1)
        numbers[1 + adit_face_axis(face)] += ((int64_t)1 << lod) - 1;
    numbers[4] = (int64_t)adit_quad_w(quad) << lod;
    numbers[5] = (int64_t)adit_quad_h(quad) << lod;
    numbers[6] = adit_quad_material(quad);
    for (uint32_t corner = 0; corner < 4; corner++)
        numbers[7 + corner] = adit_quad_ao(quad) >> 2 * corner & 3;
    for (uint32_t i = 0; i < 11; i++) {
        adit_sink_decimal(sink, numbers[i]);
        adit_sink_write(sink, i < 10 ? " " : "\n", 1);
    }
}

int adit_export_quads(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    if (scene->form.conforming || scene->form.mirror || scene->form.clockwise) {
        snprintf(error, error_bytes, "%s: quads as text have no corners that could be joined, mirrored or turned; export .obj, "
                 ".ply or .glb", adit_sink_path(sink));
        return -EINVAL;
    }
    adit_sink_text(sink, "# face x y z w h material ao_u0v0 ao_u1v0 ao_u0v1 ao_u1v1\n");
    for (size_t m = 0; m < scene->meshes_count; m++) {
        const struct adit_scene_mesh *mesh = &scene->meshes[m];
        int64_t origin[3];
        adit_scene_mesh_origin(scene, mesh, origin);
        for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++)
            for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++)
                write_quad(sink, adit_scene_quad(mesh, i), range / ADIT_MESH_CLASSES, origin, mesh->lod);
    }
    return 0;
}
