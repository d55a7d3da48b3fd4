/* quad.h - the 8-byte quad, the unit of every mesh, and the names of its faces and classes.
 *
 * A unit face is a voxel and one of six directions. A quad covers the unit faces of the voxels
 * (x,y,z) + i*U + j*V, 0 <= i < w, 0 <= j < h, where (U,V) = (Y,Z) for faces -X and +X, (X,Z) for -Y and +Y,
 * (X,Y) for -Z and +Z; (x,y,z) is a voxel of the chunk, 0..63, never a corner. The face is not stored: a mesh keeps
 * its quads in ranges, one for each (face, class), so all quads of a range share both.
 *
 *   bit  0      6      12     18     24     30              46         54          64
 *        |  x   |  y   |  z   | w-1  | h-1  |   material    |    AO    |   light   |
 *
 * w and h are stored less one, so a span of 64 fits (stored unbiased, full-span quads are lost).
 * AO: two bits a corner in the order u0v0, u1v0, u0v1, u1v1, 0 dark .. 3 open. Light: 10 bits whose meaning is the user's.
 */
#ifndef ADIT_QUAD_H
#define ADIT_QUAD_H

#include <stdint.h>

#define ADIT_CHUNK_DIM 64
#define ADIT_CHUNK_VOXELS (64 * 64 * 64)
#define ADIT_PLANE_VOXELS (64 * 64)
#define ADIT_MATERIALS 65536 /* material ids are 16 bits; 0 is air */

enum adit_face { ADIT_FACE_NX, ADIT_FACE_PX, ADIT_FACE_NY, ADIT_FACE_PY, ADIT_FACE_NZ, ADIT_FACE_PZ, ADIT_FACES };

/* What a material lets through. Faces between voxels are visible by the rules of kernels/mesh.h. */
enum adit_class { ADIT_CLASS_AIR, ADIT_CLASS_OPAQUE, ADIT_CLASS_TRANSLUCENT, ADIT_CLASS_CUTOUT };
#define ADIT_MESH_CLASSES 3                                   /* opaque, translucent, cutout */
#define ADIT_MESH_RANGES (ADIT_FACES * ADIT_MESH_CLASSES)     /* range = face * 3 + class - 1 */

#define ADIT_QUAD_AO_OPEN 0xffu

/* Packs a quad. x, y, z in 0..63, w and h in 1..64; wider values spill into their neighbours' bits. */
static inline uint64_t adit_quad_pack(uint32_t x, uint32_t y, uint32_t z, uint32_t w, uint32_t h, uint32_t material,
                                      uint32_t ao)
{
    return (uint64_t)x | (uint64_t)y << 6 | (uint64_t)z << 12 | (uint64_t)(w - 1) << 18 | (uint64_t)(h - 1) << 24 |
           (uint64_t)material << 30 | (uint64_t)ao << 46;
}
/* What is packed in a quad: its corner, its size (1..64), its material, ambient occlusion and light. */
static inline uint32_t adit_quad_x(uint64_t q) { return (uint32_t)(q & 63); }
static inline uint32_t adit_quad_y(uint64_t q) { return (uint32_t)(q >> 6 & 63); }
static inline uint32_t adit_quad_z(uint64_t q) { return (uint32_t)(q >> 12 & 63); }
static inline uint32_t adit_quad_w(uint64_t q) { return (uint32_t)(q >> 18 & 63) + 1; }
static inline uint32_t adit_quad_h(uint64_t q) { return (uint32_t)(q >> 24 & 63) + 1; }
static inline uint32_t adit_quad_material(uint64_t q) { return (uint32_t)(q >> 30 & 0xffff); }
static inline uint32_t adit_quad_ao(uint64_t q) { return (uint32_t)(q >> 46 & 0xff); }
static inline uint32_t adit_quad_light(uint64_t q) { return (uint32_t)(q >> 54); }

/* The axes (0 x, 1 y, 2 z) of a face: its normal, and the U and V of its quads. */
static inline uint32_t adit_face_axis(uint32_t face) { return face >> 1; }
static inline uint32_t adit_face_u(uint32_t face) { return face < 2 ? 1 : 0; }
static inline uint32_t adit_face_v(uint32_t face) { return face < 4 ? 2 : 1; }

#endif
