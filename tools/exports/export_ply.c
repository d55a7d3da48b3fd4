/* export_ply.c - Stanford PLY, binary little endian: every quad a face of four (triangles where the scene is to conform),
 * every vertex with its colour.
 *
 * Format: Greg Turk, "The PLY Polygon File Format", 1994. Positions are float while that is exact (below 2^24), else
 * double; colours are sRGB as in the materials table, which is what viewers take uchar colours for, darkened (in linear light) by the ambient occlusion
 * that quads have (shape.h). */
#include "tools/exports/export.h"
#include "tools/exports/shade.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define VERTICES_MAX 2147483647u /* numbered by a signed 32-bit int */
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

/* Walks all quads in order, writing vertices (the first time) or faces (the second). */
struct writing {
    const struct adit_scene *scene;
    struct adit_sink *sink;
    struct adit_shaper *shaper;
    bool floats, faces;
    uint32_t vertex; /* of faces: the number of the quad's first */
};

static void write_vertices(const struct writing *w, const struct adit_shape *shape, uint64_t quad, const int64_t origin[3],
                           uint32_t lod)
{
    uint32_t rgba = adit_scene_rgba(w->scene, adit_quad_material(quad));
    uint8_t color[4] = {(uint8_t)(rgba >> 24), (uint8_t)(rgba >> 16), (uint8_t)(rgba >> 8), (uint8_t)rgba};
    for (uint32_t i = 0; i < shape->corners; i++) {
        for (uint32_t k = 0; k < 3 && !shape->is_open; k++)
            color[k] = (uint8_t)lroundf(255 * adit_shade_srgb(shape->open[i] * adit_shade_linear((float)(rgba >> (24 - 8 * k) & 255) / 255)));
        for (uint32_t axis = 0; axis < 3; axis++) {
            double at = (double)(origin[axis] + shape->corner[i][axis] * ((int64_t)1 << lod));
            if (w->floats)
                adit_sink_f32(w->sink, (float)at);
            else
                adit_sink_f64(w->sink, at);
        }
        adit_sink_write(w->sink, color, sizeof color);
    }
}

static void write_faces(struct writing *w, const struct adit_shape *shape)
{
    const uint8_t sides = (uint8_t)shape->sides;
    for (uint32_t i = 0; i < shape->faces; i++) {
        adit_sink_write(w->sink, &sides, 1);
        for (uint32_t k = 0; k < shape->sides; k++)
            adit_sink_u32(w->sink, w->vertex + shape->face[i][k]);
    }
    w->vertex += shape->corners;
}

static void write_meshes(struct writing *w)
{
    for (size_t m = 0; m < w->scene->meshes_count; m++) {
        const struct adit_scene_mesh *mesh = &w->scene->meshes[m];
        int64_t origin[3];
        adit_shaper_origin(w->scene, mesh, origin);
        adit_shaper_mesh(w->shaper, mesh);
        for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
            for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
                uint64_t quad = adit_scene_quad(mesh, i);
                const struct adit_shape *shape = adit_shaper_quad(w->shaper, quad, range / ADIT_MESH_CLASSES, 4);
                if (w->faces)
                    write_faces(w, shape);
                else
                    write_vertices(w, shape, quad, origin, mesh->lod);
            }
        }
    }
}

static struct adit_shape_count count_all(const struct writing *w)
{
    struct adit_shape_count all = {0};
    for (size_t m = 0; m < w->scene->meshes_count; m++) {
        adit_shaper_mesh(w->shaper, &w->scene->meshes[m]);
        struct adit_shape_count one = adit_shaper_count(w->shaper, &w->scene->meshes[m], 0, 4);
        all.corners += one.corners;
        all.faces += one.faces;
    }
    return all;
}

static int write_all(struct writing *w, char *error, size_t error_bytes)
{
    struct adit_shape_count all = count_all(w);
    if (all.corners > VERTICES_MAX) {
        snprintf(error, error_bytes, "%s: PLY numbers at most %u vertices and this world has %llu; export .obj or fewer chunks",
                 adit_sink_path(w->sink), VERTICES_MAX, (unsigned long long)all.corners);
        return -EFBIG;
    }
    const char *number = w->floats ? "float" : "double";
    adit_sink_printf(w->sink,
                     "ply\nformat binary_little_endian 1.0\ncomment made by adit, one unit a voxel, y up\n"
                     "element vertex %llu\nproperty %s x\nproperty %s y\nproperty %s z\n"
                     "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty uchar alpha\n"
                     "element face %llu\nproperty list uchar int vertex_indices\nend_header\n",
                     (unsigned long long)all.corners, number, number, number, (unsigned long long)all.faces);
    write_meshes(w);
    w->faces = true;
    write_meshes(w);
    return 0;
}

int adit_export_ply(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    struct writing w = {.scene = scene, .sink = sink, .floats = float_is_exact(scene)};
    int status = adit_export_shaper(scene, sink, &w.shaper, error, error_bytes);
    if (!status)
        status = write_all(&w, error, error_bytes);
    adit_shaper_close(w.shaper);
    return status;
}
