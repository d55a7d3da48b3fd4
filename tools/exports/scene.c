/* scene.c - the geometry all exports share. See scene.h.
 *
 * Winding: U x V is the + axis for x and z faces and the - axis for y faces (U,V are X,Z there, and X x Z = -Y). Going
 * u first is counter-clockwise for whoever looks against U x V; so a face goes u first when its sign is that of
 * U x V, else v first. */
#include "tools/exports/scene.h"

#include <errno.h>
#include <stdio.h>

int adit_scene_check(const struct adit_scene *scene, char *error, size_t error_bytes)
{
    if (scene->form.mirror > 3) {
        snprintf(error, error_bytes, "scene: axis %u cannot be mirrored; give 1, 2 or 3 for x, y or z", scene->form.mirror);
        return -EINVAL;
    }
    for (uint32_t axis = 0; axis < 3; axis++) {
        if (scene->origin[axis] > ADIT_SCENE_ORIGIN_MAX || scene->origin[axis] < -ADIT_SCENE_ORIGIN_MAX) {
            snprintf(error, error_bytes, "scene: origin %c is %lld, beyond 2^54; give a voxel of the world",
                     (char)('x' + axis), (long long)scene->origin[axis]);
            return -EINVAL;
        }
    }
    for (size_t i = 0; i < scene->meshes_count; i++) {
        const struct adit_scene_mesh *mesh = &scene->meshes[i];
        const char *wrong = NULL;
        for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
            if (mesh->start[r] > mesh->start[r + 1])
                wrong = "its ranges do not ascend";
        if (!mesh->quads && mesh->start[ADIT_MESH_RANGES] > mesh->start[0])
            wrong = "it counts quads but has none";
        if (mesh->lod > ADIT_SCENE_LOD_MAX)
            wrong = "its level of detail is above 16";
        if (scene->form.conforming && !wrong && mesh->lod != scene->meshes[0].lod) {
            snprintf(error, error_bytes, "scene: mesh %zu of chunk %d,%d,%d is of another level of detail than the first: their "
                     "edges never meet; export one level at a time", i, mesh->x, mesh->y, mesh->z);
            return -EINVAL;
        }
        if (wrong) {
            snprintf(error, error_bytes, "scene: mesh %zu of chunk %d,%d,%d is damaged: %s; mesh that chunk again", i,
                     mesh->x, mesh->y, mesh->z, wrong);
            return -EINVAL;
        }
    }
    return 0;
}

uint64_t adit_scene_quads(const struct adit_scene *scene)
{
    uint64_t quads = 0;
    for (size_t i = 0; i < scene->meshes_count; i++)
        quads += scene->meshes[i].start[ADIT_MESH_RANGES] - scene->meshes[i].start[0];
    return quads;
}

uint32_t adit_scene_mesh_quads(const struct adit_scene_mesh *mesh, uint32_t class)
{
    uint32_t quads = 0;
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        quads += adit_scene_end(mesh, face, class) - adit_scene_first(mesh, face, class);
    return quads;
}

uint32_t adit_scene_rgba(const struct adit_scene *scene, uint32_t material)
{
    return material < scene->materials_count ? scene->materials[material].rgba : ADIT_SCENE_RGBA_UNKNOWN;
}

void adit_scene_mesh_origin(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, int64_t origin[3])
{
    int64_t side = (int64_t)ADIT_CHUNK_DIM << mesh->lod;
    origin[0] = mesh->x * side - scene->origin[0];
    origin[1] = mesh->y * side - scene->origin[1];
    origin[2] = mesh->z * side - scene->origin[2];
}

void adit_scene_corners(uint64_t quad, uint32_t face, uint32_t corners[4][3])
{
    uint32_t u = adit_face_u(face), v = adit_face_v(face), positive = face & 1;
    bool u_first = (adit_face_axis(face) != 1) == (positive == 1);
    uint32_t base[3] = {adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad)};
    base[adit_face_axis(face)] += positive;
    for (uint32_t k = 0; k < 4; k++)
        for (uint32_t axis = 0; axis < 3; axis++)
            corners[k][axis] = base[axis];
    corners[u_first ? 1 : 3][u] += adit_quad_w(quad);
    corners[2][u] += adit_quad_w(quad);
    corners[2][v] += adit_quad_h(quad);
    corners[u_first ? 3 : 1][v] += adit_quad_h(quad);
}

void adit_scene_mesh_bounds(const struct adit_scene_mesh *mesh, uint32_t class, uint32_t lo[3], uint32_t hi[3])
{
    for (uint32_t axis = 0; axis < 3; axis++) {
        lo[axis] = UINT32_MAX;
        hi[axis] = 0;
    }
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        uint32_t face = range / ADIT_MESH_CLASSES;
        if (class && range % ADIT_MESH_CLASSES != class - 1)
            continue;
        for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
            uint32_t corners[4][3];
            adit_scene_corners(adit_scene_quad(mesh, i), face, corners);
            for (uint32_t axis = 0; axis < 3; axis++) { /* corners 0 and 2 are opposite */
                lo[axis] = corners[0][axis] < lo[axis] ? corners[0][axis] : lo[axis];
                hi[axis] = corners[2][axis] > hi[axis] ? corners[2][axis] : hi[axis];
            }
        }
    }
}
