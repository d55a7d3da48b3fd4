/* mesh_scalar.c - the definition of kernels/mesh.h as portable code: what every other kernel has to equal.
 *
 * A class of materials is a field of bits, one a voxel, 64 voxels a word, so that the visibility of a row of 64 unit
 * faces is a few words of logic. For the faces -Y +Y -Z +Z a word runs along x, which is the U of their quads, and words
 * are indexed z*64 + y. The U of -X +X is y: for those two faces every slab of one z is transposed, words run along
 * y, indexed z*64 + x, and transposed back afterwards. So a layer of any face is a list of words, one for each v.
 */
#include "kernels/mesh.h"

#include <errno.h>
#include <string.h>

#include "kernels/mesh_side.h"

enum { DIM = ADIT_CHUNK_DIM, CLASSES = ADIT_MESH_CLASSES, OPAQUE = 0, TRANSLUCENT = 1, CUTOUT = 2 };

/* One row of 64 voxels as bits, one word a class (index: enum adit_class less one). */
struct row {
    uint64_t of[CLASSES];
};

struct mesher {
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    uint32_t count;             /* quads found so far, whether or not there was room for them */
    struct row plane[DIM];      /* border plane of the face at work, by v; bits along u */
    struct row row[DIM * DIM];  /* the volume */
    bool has_class[CLASSES];
};

/* Steps in mesher.row of a face: to its next layer, and to the next V. */
static uint32_t row_layer(const struct adit_mesh_side *s)
{
    return s->axis == 2 ? DIM : 1;
}

static uint32_t row_v(const struct adit_mesh_side *s)
{
    return s->axis == 2 ? 1 : DIM;
}

/* The classes of the first n of a row of 64 materials. Most rows of most worlds are one material throughout. */
static struct row classify(const uint16_t *material, uint32_t n, const uint8_t *classes)
{
    struct row row = { { 0 } };
    if (!memcmp(material, material + 1, (DIM - 1) * sizeof *material)) {
        uint32_t class = classes[material[0]] & 3;
        if (class != ADIT_CLASS_AIR)
            row.of[class - 1] = ~0ull >> (DIM - n);
        return row;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t class = classes[material[i]] & 3;
        row.of[OPAQUE] |= (uint64_t)(class == ADIT_CLASS_OPAQUE) << i;
        row.of[TRANSLUCENT] |= (uint64_t)(class == ADIT_CLASS_TRANSLUCENT) << i;
        row.of[CUTOUT] |= (uint64_t)(class == ADIT_CLASS_CUTOUT) << i;
    }
    return row;
}

static void classify_volume(struct mesher *m)
{
    const struct adit_mesh_source *source = m->source;
    const uint8_t *dim = source->dim;
    uint16_t materials[DIM];
    memset(m->row, 0, sizeof m->row);
    memset(m->has_class, 0, sizeof m->has_class);
    for (uint32_t z = 0; z < dim[2]; z++) {
        for (uint32_t y = 0; y < dim[1]; y++) {
            struct row *row = &m->row[z * DIM + y];
            if (source->encoded)
                adit_voxels_row(source->encoded, y, z, materials);
            *row = classify(source->encoded ? materials : source->voxels + (z * DIM + y) * DIM, dim[0], source->classes);
            for (int class = 0; class < CLASSES; class++)
                m->has_class[class] |= row->of[class] != 0;
        }
    }
}

static void classify_plane(struct mesher *m, const struct adit_mesh_side *s)
{
    const uint16_t *plane = m->source->plane[s->face];
    memset(m->plane, 0, sizeof m->plane);
    for (uint32_t v = 0; plane && v < s->height; v++)
        m->plane[v] = classify(plane + v * DIM, s->width, m->source->classes);
}

/* Turns every slab of one z: bit i of word j becomes bit j of word i (Hacker's Delight, 2nd edition, section 7-3:
 * swap the off-diagonal blocks of 32, then of 16 inside each, and so on down to single bits). */
static void transpose_slabs(struct mesher *m)
{
    for (uint32_t z = 0; z < m->source->dim[2]; z++) {
        struct row *slab = &m->row[z * DIM];
        for (int class = 0; class < CLASSES; class++) {
            if (!m->has_class[class])
                continue;
            uint64_t mask = 0x00000000ffffffffull;
            for (uint32_t half = 32; half; half >>= 1, mask ^= mask << half) {
                for (uint32_t i = 0; i < DIM; i = (i + half + 1) & ~half) {
                    uint64_t *low = &slab[i].of[class], *high = &slab[i + half].of[class];
                    uint64_t swap = (*low >> half ^ *high) & mask;
                    *low ^= swap << half;
                    *high ^= swap;
                }
            }
        }
    }
}

/* Of the bits in mask, those whose voxel in layer, row v has the very material of its neighbour across the face. */
static uint64_t same_as_neighbour(const struct mesher *m, const struct adit_mesh_side *s, uint32_t layer, uint32_t v,
                                  uint64_t mask)
{
    uint32_t voxel = layer * s->voxel_layer + v * s->voxel_v;
    bool is_plus = s->face & 1, is_border = layer == (is_plus ? s->layers - 1 : 0);
    uint64_t same = 0;
    for (; mask; mask &= mask - 1) {
        uint32_t u = (uint32_t)__builtin_ctzll(mask);
        uint32_t a = voxel + u * s->voxel_u;
        uint16_t b = is_border ? m->source->plane[s->face][v * DIM + u]
                               : adit_mesh_material(m->source, is_plus ? a + s->voxel_layer : a - s->voxel_layer);
        same |= (uint64_t)(adit_mesh_material(m->source, a) == b) << u;
    }
    return same;
}

/* The visible unit faces of one class in layer, row v: the four lines of "Visibility" in mesh.h. */
static uint64_t visible(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer, uint32_t v)
{
    const struct row *own = &m->row[layer * row_layer(s) + v * row_v(s)];
    bool is_plus = s->face & 1, is_border = layer == (is_plus ? s->layers - 1 : 0);
    const struct row *next = is_border ? &m->plane[v] : is_plus ? own + row_layer(s) : own - row_layer(s);
    uint64_t open = own->of[class] & ~next->of[OPAQUE];
    if (class == OPAQUE || !open)
        return open;

    uint64_t touching = open & (next->of[TRANSLUCENT] | next->of[CUTOUT]);
    uint64_t same = same_as_neighbour(m, s, layer, v, touching);
    uint64_t differ = touching & ~same;
    bool shows_differ = !(m->source->flags & ADIT_MESH_TT_NONE), shows_same = class == CUTOUT;
    return (open & ~touching) | (shows_differ ? differ : 0) | (shows_same ? same : 0);
}

static void emit(struct mesher *m, const struct adit_mesh_side *s, uint32_t layer, uint32_t u, uint32_t v, uint32_t w, uint32_t h,
                 uint16_t material)
{
    struct adit_mesh_result *result = m->result;
    uint32_t lo[3], hi[3];
    lo[s->axis] = hi[s->axis] = layer;
    lo[s->u_axis] = u, hi[s->u_axis] = u + w - 1;
    lo[s->v_axis] = v, hi[s->v_axis] = v + h - 1;
    for (int axis = 0; axis < 3; axis++) {
        if (lo[axis] < result->bounds_lo[axis])
            result->bounds_lo[axis] = (uint8_t)lo[axis];
        if (hi[axis] > result->bounds_hi[axis])
            result->bounds_hi[axis] = (uint8_t)hi[axis];
    }
    if (m->count < result->quads_max)
        result->quads[m->count] = adit_quad_pack(lo[0], lo[1], lo[2], w, h, material, ADIT_QUAD_AO_OPEN);
    m->count++;
    result->faces += w * h;
}

/* Covers the visible faces uncovered[v] (bits along u) of one layer with quads: "Greedy" and "Culled" in mesh.h. */
static void cover(struct mesher *m, const struct adit_mesh_side *s, uint32_t layer, uint64_t uncovered[DIM])
{
    bool is_culled = m->source->flags & ADIT_MESH_CULLED;
    for (uint32_t v = 0; v < s->height; v++) {
        while (uncovered[v]) {
            uint32_t u = (uint32_t)__builtin_ctzll(uncovered[v]), w = 1, h = 1;
            uint32_t first = layer * s->voxel_layer + u * s->voxel_u + v * s->voxel_v;
            uint16_t material = adit_mesh_material(m->source, first);
            while (!is_culled && u + w < DIM && uncovered[v] >> (u + w) & 1 && adit_mesh_material(m->source, first + w * s->voxel_u) == material)
                w++;
            uint64_t span = ~0ull >> (DIM - w) << u;
            uncovered[v] &= ~span;
            for (; !is_culled && v + h < s->height && (uncovered[v + h] & span) == span; h++) {
                uint32_t i = 0;
                while (i < w && adit_mesh_material(m->source, first + h * s->voxel_v + i * s->voxel_u) == material)
                    i++;
                if (i < w)
                    break;
                uncovered[v + h] &= ~span;
            }
            emit(m, s, layer, u, v, w, h, material);
        }
    }
}

static void mesh_face(struct mesher *m, uint32_t face)
{
    struct adit_mesh_side s = adit_mesh_side_of(m->source, face);
    classify_plane(m, &s);
    for (int class = 0; class < CLASSES; class++) {
        m->result->start[face * CLASSES + (uint32_t)class] = m->count;
        for (uint32_t layer = 0; m->has_class[class] && layer < s.layers; layer++) {
            uint64_t uncovered[DIM], any = 0;
            for (uint32_t v = 0; v < s.height; v++)
                any |= uncovered[v] = visible(m, &s, class, layer, v);
            if (any)
                cover(m, &s, layer, uncovered);
        }
    }
}

int adit_mesh_scalar(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    struct mesher m;
    adit_mesh_result_init(result);
    if (!adit_mesh_is_valid(source, result))
        return -EINVAL;
    m.source = source;
    m.result = result;
    m.count = 0;
    classify_volume(&m);
    transpose_slabs(&m);
    mesh_face(&m, ADIT_FACE_NX);
    mesh_face(&m, ADIT_FACE_PX);
    transpose_slabs(&m);
    for (uint32_t face = ADIT_FACE_NY; face < ADIT_FACES; face++)
        mesh_face(&m, face);
    result->start[ADIT_MESH_RANGES] = m.count;
    return m.count > result->quads_max ? -ENOSPC : 0;
}
