/* export_ply.c - Stanford PLY, binary little endian: every quad a face of four, every vertex with its colour.
 *
 * Format: Greg Turk, "The PLY Polygon File Format", 1994. Positions are float while that is exact (below 2^24), else
 * double; colours are sRGB as in the materials table, which is what viewers take uchar colours for. */
#include "tools/exports/export.h"

#include <errno.h>
#include <stdio.h>

#define QUADS_MAX 536870911u /* four vertices each, numbered by a signed 32-bit int */
#define FLOAT_EXACT 16777216

static bool float_is_exact(const struct adit_scene *scene)
{
    for (size_t m = 0; m < scene->meshes_count; m++) {
        int64_t origin[3], reach = (int64_t)2 * ADIT_CHUNK_DIM << scene->meshes[m].lod;
        adit_scene_mesh_origin(scene, &scene->meshes[m], origin);
        for (uint32_t axis = 0; axis < 3; axis++)
            if (origin[axis] < -FLOAT_EXACT || origin[axis] + reach > FLOAT_EXACT)
                return false;
    }
    return true;
}

static void write_vertices(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, bool floats,
                           struct adit_sink *sink)
{
    int64_t origin[3];
    adit_scene_mesh_origin(scene, mesh, origin);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
            uint64_t quad = adit_scene_quad(mesh, i);
            uint32_t corners[4][3], rgba = adit_scene_rgba(scene, adit_quad_material(quad));
            uint8_t color[4] = {(uint8_t)(rgba >> 24), (uint8_t)(rgba >> 16), (uint8_t)(rgba >> 8), (uint8_t)rgba};
            adit_scene_corners(quad, range / ADIT_MESH_CLASSES, corners);
            for (uint32_t k = 0; k < 4; k++) {
                for (uint32_t axis = 0; axis < 3; axis++) {
                    double at = (double)(origin[axis] + ((int64_t)corners[k][axis] << mesh->lod));
                    if (floats)
                        adit_sink_f32(sink, (float)at);
                    else
                        adit_sink_f64(sink, at);
                }
                adit_sink_write(sink, color, sizeof color);
            }
        }
    }
}

int adit_export_ply(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    uint64_t quads = adit_scene_quads(scene);
    if (quads > QUADS_MAX) {
        snprintf(error, error_bytes, "%s: PLY numbers at most %u quads and this world has %llu; export .obj or fewer chunks",
                 adit_sink_path(sink), QUADS_MAX, (unsigned long long)quads);
        return -EFBIG;
    }
    bool floats = float_is_exact(scene);
    const char *number = floats ? "float" : "double";
    adit_sink_printf(sink,
                     "ply\nformat binary_little_endian 1.0\ncomment made by adit, one unit a voxel, y up\n"
                     "element vertex %llu\nproperty %s x\nproperty %s y\nproperty %s z\n"
                     "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty uchar alpha\n"
                     "element face %llu\nproperty list uchar int vertex_indices\nend_header\n",
                     (unsigned long long)quads * 4, number, number, number, (unsigned long long)quads);
    for (size_t m = 0; m < scene->meshes_count; m++)
        write_vertices(scene, &scene->meshes[m], floats, sink);
    for (uint32_t quad = 0; quad < quads; quad++) {
        adit_sink_write(sink, "\4", 1);
        for (uint32_t k = 0; k < 4; k++)
            adit_sink_u32(sink, quad * 4 + k);
    }
    return 0;
}
