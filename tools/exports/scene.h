/* scene.h - what every export reads: meshes where they lie, and the table of materials.
 *
 * A scene borrows. A consumer acquires or pins the meshes it wants, writes one `struct adit_scene_mesh` for each and
 * calls an export before it lets go of them; the quads stay in shared memory and are read there, one load each, never
 * copied as a whole. A peer that misbehaves may change a quad meanwhile: then the output is wrong in that quad, and
 * nothing else happens, because counts come from `start`, which is the caller's own copy, and every 64-bit value is a
 * quad that can be drawn.
 *
 *     struct adit_scene_mesh mesh = {.x = 0, .y = 1, .z = -2, .quads = quads};
 *     memcpy(mesh.start, start, sizeof mesh.start);
 *     struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1, .materials = table, .materials_count = 3};
 *     adit_export_write("world.glb", &scene, error, sizeof error);
 *
 * Space: right-handed, y up, one unit a voxel. The chunk (x,y,z) of level of detail n starts at the world voxel
 * (x,y,z) * 64 << n and its voxels are 1 << n units wide. Exports write world positions less `origin`.
 */
#ifndef ADIT_SCENE_H
#define ADIT_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/quad.h"

#define ADIT_SCENE_LOD_MAX 16                    /* keeps every world position below 2^54, exact in a double */
#define ADIT_SCENE_ORIGIN_MAX ((int64_t)1 << 54)
#define ADIT_SCENE_RGBA_UNKNOWN 0xd03fd0ffu      /* drawn for a material that the table does not have */

struct adit_scene_mesh {
    int32_t x, y, z; /* the chunk */
    uint32_t lod;
    const uint64_t *quads;                 /* kernels/quad.h; may be NULL when the mesh is empty */
    uint32_t start[ADIT_MESH_RANGES + 1];  /* range r is quads[start[r]] .. quads[start[r + 1] - 1] */
};

struct adit_scene_material {
    const char *name; /* UTF-8 from the world file, or NULL */
    uint32_t rgba;    /* sRGB, 0xRRGGBBAA */
    uint8_t class;    /* enum adit_class */
};

/* What is wanted of an export's geometry beyond the plain one; pictures do not care. */
struct adit_scene_form {
    /* No corner lies inside an edge of another polygon: quads become triangles that meet at corners only (shape.h). The
     * quads are then read several times and must be memory that no peer writes; all meshes are of one level of detail. */
    bool conforming;
    /* 0, or 1 + the axis whose positions and normals are negated: what a left-handed reader takes for the world itself.
     * Faces are still counter-clockwise seen from outside, in the coordinates of the file. */
    uint8_t mirror;
    /* Faces are clockwise seen from outside: for who mirrors the file afterwards and does not turn faces round. */
    bool clockwise;
};

struct adit_scene {
    const struct adit_scene_mesh *meshes;
    size_t meshes_count;
    const struct adit_scene_material *materials; /* by id; [0] is air */
    uint32_t materials_count;
    int64_t origin[3]; /* the world voxel written as 0,0,0 */
    struct adit_scene_form form;
};

/* 0 if every mesh can be exported in the form wanted, or -EINVAL and a line in error that names the mesh. */
int adit_scene_check(const struct adit_scene *scene, char *error, size_t error_bytes);

/* Quads in all meshes; quads of one class (of enum adit_class) in one mesh. */
uint64_t adit_scene_quads(const struct adit_scene *scene);
uint32_t adit_scene_mesh_quads(const struct adit_scene_mesh *mesh, uint32_t class);

/* The colour of a material, whatever its number. */
uint32_t adit_scene_rgba(const struct adit_scene *scene, uint32_t material);

/* Where the mesh's corner lies, scene origin taken off, in voxels. */
void adit_scene_mesh_origin(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, int64_t origin[3]);

/* A quad's four corners in voxels of its chunk, counter-clockwise seen from outside; face is one of enum adit_face. */
void adit_scene_corners(uint64_t quad, uint32_t face, uint32_t corners[4][3]);

/* The box around the corners of all quads of one class, in voxels of the chunk, or of all classes with class 0.
 * Reads every such quad. Leaves lo > hi when there is none. */
void adit_scene_mesh_bounds(const struct adit_scene_mesh *mesh, uint32_t class, uint32_t lo[3], uint32_t hi[3]);

/* The first and past-the-last quad of a face and class. */
static inline uint32_t adit_scene_first(const struct adit_scene_mesh *mesh, uint32_t face, uint32_t class)
{
    return mesh->start[face * ADIT_MESH_CLASSES + class - 1];
}
static inline uint32_t adit_scene_end(const struct adit_scene_mesh *mesh, uint32_t face, uint32_t class)
{
    return mesh->start[face * ADIT_MESH_CLASSES + class];
}

/* Reads quad i exactly once: what is worked out from it agrees with itself even if a peer writes there. */
static inline uint64_t adit_scene_quad(const struct adit_scene_mesh *mesh, uint32_t i)
{
    return *(const volatile uint64_t *)&mesh->quads[i];
}

#endif
