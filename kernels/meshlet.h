/* meshlet.h - a mesh in pieces of up to 64 quads with bounds, and the draw commands for those that a viewer can see.
 *
 * A *meshlet* is up to 64 consecutive quads of one range, so all of them have one face and one class: its normal cone is
 * a single direction, and whether it faces a viewer is one comparison with its bounds, exact for the meshlet as a whole: at least one
 * of its quads faces the viewer, or none does. As quads lie in order of their layers, the meshlets of a range that face a viewer
 * follow each other: they become one command, unless params->quads_max cuts it.
 *
 * A vertex finds its quad by kernels/vertex_pull.glsl. Its quad counts from the beginning of the mesh (plus quad_base), its range and the
 * number of its chunk come with the instance: gl_InstanceIndex = chunk << 5 | range. That is first_instance, so the
 * device needs the feature drawIndirectFirstInstance (or the same number in a buffer indexed by gl_DrawID).
 *
 *     adit_draw_command          6 vertices a quad, no index buffer:   gl_VertexIndex = 6 * quad + corner of two triangles
 *     adit_draw_indexed_command  4 vertices a quad, one index buffer for everything (adit_meshlet_indices):
 *                                                                      gl_VertexIndex = 4 * quad + corner
 *
 * Example:
 *     struct adit_meshlet meshlets[...];  adit_meshlet_count(mesh.start) of them
 *     adit_meshlet_cut(mesh.quads, mesh.start, meshlets);
 *     float viewer[3] = { eye.x - 64 * key.x, ... };
 *     struct adit_draw_params params = { .ranges = ADIT_DRAW_OPAQUE, .viewer = viewer, .chunk = slot };
 *     uint32_t n = adit_draw_commands(meshlets, meshlets_n, &params, commands, commands_max);
 *
 * Pure: no system call, no allocation, any thread.
 */
#ifndef ADIT_MESHLET_H
#define ADIT_MESHLET_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/quad.h"

#define ADIT_MESHLET_QUADS 64u

/* lo and hi: the least box around the meshlet's quads, in voxels from the chunk's corner, 0..64. Faces are planes: along
 * the face's axis the box reaches from the first plane to the last, which are equal if all quads are of one layer. */
struct adit_meshlet {
    uint32_t first; /* quad of the mesh */
    uint8_t count;  /* 1..ADIT_MESHLET_QUADS */
    uint8_t range;  /* face * 3 + class - 1 */
    uint8_t lo[3], hi[3];
};

/* How many meshlets a mesh with these ranges has: each range by itself, all but its last one full. */
uint32_t adit_meshlet_count(const uint32_t start[ADIT_MESH_RANGES + 1]);

/* Cuts a mesh, as adit_mesh_result has it, into meshlets, in the order of its quads; there is room for
 * adit_meshlet_count(start). Returns how many were written. quads may be memory that a hostile peer writes: bounds are then worthless,
 * 0..127, and nothing else happens; start is the caller's own, and ascends. */
uint32_t adit_meshlet_cut(const uint64_t *quads, const uint32_t start[ADIT_MESH_RANGES + 1], struct adit_meshlet *meshlets);

/* Whether a quad of the meshlet shows its front to a viewer (voxels from the chunk's corner; anywhere). A viewer in a quad's
 * plane sees nothing of it. A coordinate that is no number sees everything. */
bool adit_meshlet_is_facing(const struct adit_meshlet *meshlet, const float viewer[3]);

/* Sets of ranges: bit face * 3 + class - 1. */
#define ADIT_DRAW_ALL 0x3ffffu
#define ADIT_DRAW_OPAQUE 0x09249u
#define ADIT_DRAW_TRANSLUCENT 0x12492u
#define ADIT_DRAW_CUTOUT 0x24924u
#define ADIT_DRAW_FACE(face) (7u << 3 * (face))

/* What to draw. Zero is a default everywhere. */
struct adit_draw_params {
    uint32_t ranges;     /* a set; 0: all */
    const float *viewer; /* three coordinates in voxels from the chunk's corner; NULL: nothing is culled */
    uint32_t chunk;      /* the renderer's own number, below 2^27; in first_instance */
    uint32_t quad_base;  /* of the mesh's first quad in the renderer's buffer; 0 for compact forms, and where the shader adds a base of its own */
    uint32_t quads_max;  /* of a command: what the index buffer is good for, at least ADIT_MESHLET_QUADS (a meshlet is never cut); 0: no limit */
};

/* As VkDrawIndirectCommand and VkDrawIndexedIndirectCommand (Vulkan 1.0), members in their order. */
struct adit_draw_command {
    uint32_t vertex_count, instance_count, first_vertex, first_instance;
};
struct adit_draw_indexed_command {
    uint32_t index_count, instance_count, first_index;
    int32_t vertex_offset;
    uint32_t first_instance;
};

/* Writes the commands that draw the meshlets of params->ranges that face the viewer: all of a mesh, or those that are left after a
 * culling of the renderer's own, in their order. Returns how many there are; only the first
 * commands_max of them were written, so a result above commands_max asks for more room. There are never more than meshlets. */
uint32_t adit_draw_commands(const struct adit_meshlet *meshlets, uint32_t meshlets_n, const struct adit_draw_params *params,
                            struct adit_draw_command *commands, uint32_t commands_max);
uint32_t adit_draw_indexed_commands(const struct adit_meshlet *meshlets, uint32_t meshlets_n, const struct adit_draw_params *params,
                                    struct adit_draw_indexed_command *commands, uint32_t commands_max);

/* Fills the index buffer of indexed commands: 6 indices for each of quads_n quads. 64 quads (params->quads_max) fit 8-bit
 * values, 16384 fit the 16 bits of VK_INDEX_TYPE_UINT16. */
void adit_meshlet_indices(uint16_t *indices, uint32_t quads_n);

#endif
