#include "tests/mesh_defined.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DIM = ADIT_CHUNK_DIM };

static const struct adit_mesh_source *source;
static uint8_t covered[ADIT_CHUNK_VOXELS], shown[ADIT_CHUNK_VOXELS]; /* of the faces of one side */

uint32_t mesh_cell_index(uint32_t face, struct mesh_cell c)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = c.layer;
    at[adit_face_u(face)] = c.u;
    at[adit_face_v(face)] = c.v;
    return (at[2] * DIM + at[1]) * DIM + at[0];
}

static bool is_shown(uint32_t face, struct mesh_cell c)
{
    uint32_t last = source->dim[adit_face_axis(face)] - 1u;
    uint16_t a = source->voxels[mesh_cell_index(face, c)], n;
    if (c.layer == (face & 1 ? last : 0)) {
        n = source->plane[face] ? source->plane[face][c.v * DIM + c.u] : 0;
    } else {
        c.layer += face & 1 ? 1 : -1u;
        n = source->voxels[mesh_cell_index(face, c)];
    }
    uint32_t class = source->classes[a] & 3, beyond = source->classes[n] & 3;
    if (class == ADIT_CLASS_AIR || beyond == ADIT_CLASS_OPAQUE)
        return false;
    if (beyond == ADIT_CLASS_AIR || class == ADIT_CLASS_OPAQUE)
        return true;
    if (a == n)
        return class == ADIT_CLASS_CUTOUT;
    return !(source->flags & ADIT_MESH_TT_NONE);
}

/* Whether the cell at x, y, z is opaque, up to one beyond each side. */
static bool is_opaque(const int at[3])
{
    uint32_t beyond[3], n = 0, axis_in = 0, axis_out = 0, face, edge;
    for (uint32_t axis = 0; axis < 3; axis++) {
        beyond[axis] = at[axis] < 0 ? 0 : at[axis] >= source->dim[axis] ? 1 : 2;
        if (beyond[axis] == 2) {
            axis_in = axis;
        } else {
            axis_out = axis;
            n++;
        }
    }
    if (n == 0)
        return (source->classes[source->voxels[((uint32_t)at[2] * DIM + (uint32_t)at[1]) * DIM + (uint32_t)at[0]]] & 3) == ADIT_CLASS_OPAQUE;
    if (n == 1) {
        face = axis_out * 2 + beyond[axis_out];
        uint32_t i = (uint32_t)at[adit_face_v(face)] * DIM + (uint32_t)at[adit_face_u(face)];
        return source->plane[face] && (source->classes[source->plane[face][i]] & 3) == ADIT_CLASS_OPAQUE;
    }
    if (!source->rim)
        return false;
    if (n == 3)
        return source->rim->corner >> (beyond[0] | beyond[1] << 1 | beyond[2] << 2) & 1;
    edge = axis_in == 0 ? beyond[1] + 2 * beyond[2] : axis_in == 1 ? 4 + beyond[0] + 2 * beyond[2] : 8 + beyond[0] + 2 * beyond[1];
    return source->rim->edge[edge] >> at[axis_in] & 1;
}

static uint32_t ao_of(uint32_t face, struct mesh_cell c)
{
    uint32_t ao = 0;
    if (!(source->flags & ADIT_MESH_AO))
        return ADIT_QUAD_AO_OPEN;
    for (uint32_t corner = 0; corner < 4; corner++) {
        bool is_at[3]; /* beside along u, beside along v, diagonal */
        for (int i = 0; i < 3; i++) {
            int at[3];
            at[adit_face_axis(face)] = (int)c.layer + (face & 1 ? 1 : -1);
            at[adit_face_u(face)] = (int)c.u + (i == 1 ? 0 : corner & 1 ? 1 : -1);
            at[adit_face_v(face)] = (int)c.v + (i == 0 ? 0 : corner & 2 ? 1 : -1);
            is_at[i] = is_opaque(at);
        }
        ao |= (is_at[0] && is_at[1] ? 0 : 3u - is_at[0] - is_at[1] - is_at[2]) << 2 * corner;
    }
    return ao;
}

static uint32_t light_of(uint32_t face, struct mesh_cell c)
{
    if (!source->light)
        return 0;
    if (c.layer == (face & 1 ? source->dim[adit_face_axis(face)] - 1u : 0))
        return source->light_plane[face] ? source->light_plane[face][c.v * DIM + c.u] & 1023u : 0;
    c.layer += face & 1 ? 1 : -1u;
    return source->light[mesh_cell_index(face, c)] & 1023u;
}

/* What faces must share to be merged: bits of a quad, without the material if that does not count. */
static uint64_t key_of(uint32_t face, uint32_t class, struct mesh_cell c)
{
    bool any = class == ADIT_CLASS_OPAQUE && source->flags & ADIT_MESH_ANY_OPAQUE;
    return adit_quad_pack(0, 0, 0, 1, 1, any ? 1 : source->voxels[mesh_cell_index(face, c)], ao_of(face, c)) | (uint64_t)light_of(face, c) << 54;
}

static bool is_even(uint64_t key, bool along_v) /* the AO does not change along v, or u */
{
    uint32_t ao = adit_quad_ao(key);
    return along_v ? (ao & 15) == ao >> 4 : (ao & 0x33) == (ao >> 2 & 0x33);
}

static bool is_open(uint32_t face, uint32_t class, struct mesh_cell c) /* shown, of this class, and not covered yet */
{
    uint32_t i = mesh_cell_index(face, c);
    return shown[i] && !covered[i] && (source->classes[source->voxels[i]] & 3) == class;
}

static bool is_row_open(uint32_t face, uint32_t class, struct mesh_cell c, uint32_t w, uint64_t key)
{
    for (uint32_t i = 0; i < w; i++, c.u++)
        if (!is_open(face, class, c) || key_of(face, class, c) != key)
            return false;
    return true;
}

/* The quad that the definition wants for the first open cell c; its cells become covered. */
static uint64_t quad_at(uint32_t face, uint32_t class, struct mesh_cell c)
{
    uint32_t width = source->dim[adit_face_u(face)], height = source->dim[adit_face_v(face)], w = 1, h = 1, at[3];
    uint64_t key = key_of(face, class, c);
    if (!(source->flags & ADIT_MESH_CULLED)) {
        while (c.u + w < width && is_even(key, false) && is_row_open(face, class, (struct mesh_cell){ c.layer, c.u + w, c.v }, 1, key))
            w++;
        while (c.v + h < height && is_even(key, true) && is_row_open(face, class, (struct mesh_cell){ c.layer, c.u, c.v + h }, w, key))
            h++;
    }
    for (uint32_t j = 0; j < h; j++)
        for (uint32_t i = 0; i < w; i++)
            covered[mesh_cell_index(face, (struct mesh_cell){ c.layer, c.u + i, c.v + j })] = 1;
    at[adit_face_axis(face)] = c.layer;
    at[adit_face_u(face)] = c.u;
    at[adit_face_v(face)] = c.v;
    return adit_quad_pack(at[0], at[1], at[2], w, h, source->voxels[mesh_cell_index(face, c)], adit_quad_ao(key)) | key >> 54 << 54;
}

void mesh_judge(const struct adit_mesh_source *of, const struct adit_mesh_result *result)
{
    source = of;
    uint32_t next = 0, faces = 0;
    uint8_t lo[3] = { 63, 63, 63 }, hi[3] = { 0 };
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t axis = adit_face_axis(face), u = adit_face_u(face), v = adit_face_v(face);
        const uint8_t *dim = source->dim;
        uint32_t of_class[4] = { 0 };
        struct mesh_cell c;
        memset(covered, 0, ADIT_CHUNK_VOXELS);
        memset(shown, 0, ADIT_CHUNK_VOXELS);
        for (c.layer = 0; c.layer < dim[axis]; c.layer++) {
            for (c.v = 0; c.v < dim[v]; c.v++) {
                for (c.u = 0; c.u < dim[u]; c.u++) {
                    if (!is_shown(face, c))
                        continue;
                    uint8_t at[3];
                    at[axis] = (uint8_t)c.layer, at[u] = (uint8_t)c.u, at[v] = (uint8_t)c.v;
                    for (int i = 0; i < 3; i++) {
                        lo[i] = at[i] < lo[i] ? at[i] : lo[i];
                        hi[i] = at[i] > hi[i] ? at[i] : hi[i];
                    }
                    shown[mesh_cell_index(face, c)] = 1;
                    of_class[source->classes[source->voxels[mesh_cell_index(face, c)]] & 3]++;
                    faces++;
                }
            }
        }
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            assert_int_equal(result->start[face * ADIT_MESH_CLASSES + class - 1], next);
            for (c.layer = 0; of_class[class] && c.layer < dim[axis]; c.layer++)
                for (c.v = 0; c.v < dim[v]; c.v++)
                    for (c.u = 0; c.u < dim[u]; c.u++)
                        if (is_open(face, class, c)) {
                            assert_true(next < result->start[ADIT_MESH_RANGES]);
                            assert_int_equal(result->quads[next++], quad_at(face, class, c));
                        }
        }
    }
    assert_int_equal(result->start[ADIT_MESH_RANGES], next);
    assert_int_equal(result->faces, faces);
    assert_memory_equal(result->bounds_lo, lo, 3);
    assert_memory_equal(result->bounds_hi, hi, 3);
}

void mesh_encode(const uint16_t *voxels, const uint8_t *classes, struct adit_encode_plan *plan, uint8_t *block, struct adit_voxels *view)
{
    size_t bytes;
    adit_encode_plan(plan, voxels, classes, &bytes);
    size_t room = (bytes + 63) / 64 * 64;
    struct adit_version *version = (void *)(block + ADIT_ENCODED_BYTES_MAX - room);
    adit_encode_write(plan, version);
    assert_true(adit_voxels_view_within(version, bytes, view));
}

void mesh_assert_same(const struct adit_mesh_result *got, const struct adit_mesh_result *want)
{
    uint32_t n = want->start[ADIT_MESH_RANGES] < got->quads_max ? want->start[ADIT_MESH_RANGES] : got->quads_max;
    assert_memory_equal(got->start, want->start, sizeof got->start);
    assert_memory_equal(got->bounds_lo, want->bounds_lo, sizeof got->bounds_lo);
    assert_memory_equal(got->bounds_hi, want->bounds_hi, sizeof got->bounds_hi);
    assert_int_equal(got->faces, want->faces);
    if (memcmp(got->quads, want->quads, n * sizeof *got->quads) != 0)
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(got->quads[i], want->quads[i]);
}

__attribute__((noinline)) void mesh_soil_stack(int with)
{
    char scratch[900 << 10];
    memset(scratch, with, sizeof scratch);
    __asm__ volatile("" : : "r"(scratch) : "memory");
}
