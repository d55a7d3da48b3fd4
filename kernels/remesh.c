/* remesh.c - see remesh.h.
 *
 * read_block() reads what can matter of the source once: the box and one voxel around it, with AO two, beyond the chunk from planes and rim. Then face by face
 * the cells of the layers concerned are made from that, and range by range the slices of these layers are found in the old quads, copied
 * to private memory, and made again where their cells differ (remesh_slice.c). What lies between is copied in as few pieces as there are slices that change.
 *
 * Bounds follow from the cells that came and went: a bound can only shrink if a cell went that lay on it. Then a quad is looked for that still
 * does, which most often is soon found; and if there is none, all are looked through.
 *
 * Of old, which may be hostile: the ranges are the caller's own and judged, searches are bounded by them, and slices are copied
 * before anything is made of them. A slice that is longer than its layer has cells is no slice, and the whole is meshed.
 */
#include "kernels/remesh.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "kernels/mesh_side.h"
#include "kernels/remesh_slice.h"

enum { DIM = ADIT_CHUNK_DIM, SIDE = ADIT_REMESH_SIDE_MAX + 4, CLASSES = ADIT_MESH_CLASSES, LIGHT_BIT = 22 };
enum { SLICE_USUAL = 32 }; /* quads */

/* The voxels of a box that was widened by what its faces depend on, within -1 .. dim: material, class from bit 16 on, light from bit 22 on. Without AO
 * its edges, where more than one coordinate is beyond the box, are not read. */
struct block {
    int32_t lo[3];
    uint32_t n[3];
    uint32_t voxel[SIDE * SIDE * SIDE]; /* index (z*n[1] + y)*n[0] + x, from lo on */
};

static inline uint32_t class_of(uint32_t voxel) { return voxel >> 16 & 3; }

/* The layers of a face that an edit can change, and the rectangle of cells in each. */
struct reach {
    struct adit_mesh_side side;
    uint32_t first, last;       /* layers */
    uint32_t u0, u1, v0, v1;
    uint32_t cells;             /* of a layer */
    uint32_t classes;           /* bits: which occur among them */
};

struct update {
    const struct adit_mesh_source *source;
    const struct adit_mesh_result *old;
    struct adit_mesh_result *result;
    const struct adit_mesh_box *edit;
    bool has_ao;
    uint32_t from; /* quads of old up to here are dealt with */
    uint32_t count;
    struct adit_slice_change change;
    struct block block;
    uint64_t cell[(ADIT_REMESH_SIDE_MAX + 1) * ADIT_SLICE_RECT_MAX * ADIT_SLICE_RECT_MAX]; /* of the face at work, by layer, v, u */
    struct adit_slice slice;
};

/* -- voxels to cells ----------------------------------------------------------------------------------------------- */

/* A cell of the rim: opaque or air. side: of each axis 0 low, 1 high, or 2: it lies within, at at. */
static bool is_rim_opaque(const struct adit_mesh_rim *rim, const int32_t at[3], const uint32_t side[3])
{
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint32_t i = side[axis == 0 ? 1 : 0], j = side[axis == 2 ? 1 : 2];
        if (side[axis] == 2)
            return rim->edge[axis * 4 + i + 2 * j] >> at[axis] & 1;
    }
    return rim->corner >> (side[0] + 2 * side[1] + 4 * side[2]) & 1;
}

static inline uint32_t voxel_make(const struct adit_mesh_source *source, uint16_t material, uint32_t light)
{
    return material | (uint32_t)(source->classes[material] & 3) << 16 | light << LIGHT_BIT;
}

/* A voxel inside, as a block keeps it. */
static inline uint32_t voxel_inside(const struct adit_mesh_source *source, const int32_t at[3])
{
    uint32_t i = ((uint32_t)at[2] * DIM + (uint32_t)at[1]) * DIM + (uint32_t)at[0];
    return voxel_make(source, adit_mesh_material(source, i), source->light ? source->light[i] : 0);
}

/* One within -1 .. dim. */
static uint32_t voxel_at(const struct adit_mesh_source *source, const int32_t at[3])
{
    uint32_t side[3], n = 0, face = 0;
    for (uint32_t axis = 0; axis < 3; axis++) {
        side[axis] = at[axis] < 0 ? 0 : at[axis] >= source->dim[axis] ? 1 : 2;
        if (side[axis] < 2) {
            face = axis * 2 + side[axis];
            n++;
        }
    }
    if (n > 1)
        return source->rim && is_rim_opaque(source->rim, at, side) ? (uint32_t)ADIT_CLASS_OPAQUE << 16 : 0;
    if (n == 0)
        return voxel_inside(source, at);
    uint32_t i = (uint32_t)at[adit_face_v(face)] * DIM + (uint32_t)at[adit_face_u(face)];
    const uint16_t *plane = source->plane[face], *light = source->light ? source->light_plane[face] : NULL;
    return voxel_make(source, plane ? plane[i] : 0, light ? light[i] : 0);
}

static bool is_outer(const struct update *u, uint32_t axis, int32_t at)
{
    return at < u->edit->lo[axis] || at > u->edit->hi[axis];
}

static void read_block(struct update *u)
{
    struct block *b = &u->block;
    uint32_t *to = b->voxel, outer_max = u->has_ao ? 3 : 1;
    int32_t at[3], end[3], margin = u->has_ao ? 2 : 1;
    for (int axis = 0; axis < 3; axis++) {
        int32_t lo = u->edit->lo[axis] - margin, hi = u->edit->hi[axis] + margin, dim = u->source->dim[axis];
        b->lo[axis] = lo < -1 ? -1 : lo;
        end[axis] = (hi > dim ? dim : hi) + 1;
        b->n[axis] = (uint32_t)(end[axis] - b->lo[axis]);
    }
    for (at[2] = b->lo[2]; at[2] < end[2]; at[2]++) {
        uint32_t z = is_outer(u, 2, at[2]);
        for (at[1] = b->lo[1]; at[1] < end[1]; at[1]++) {
            uint32_t yz = z + is_outer(u, 1, at[1]);
            bool is_row = at[2] >= 0 && at[2] < u->source->dim[2] && at[1] >= 0 && at[1] < u->source->dim[1]; /* inside, but for its ends */
            for (at[0] = b->lo[0]; at[0] < end[0]; at[0]++, to++) {
                if (yz + is_outer(u, 0, at[0]) > outer_max)
                    *to = 0;
                else
                    *to = is_row && at[0] >= 0 && at[0] < u->source->dim[0] ? voxel_inside(u->source, at) : voxel_at(u->source, at);
            }
        }
    }
}

/* The visibility of mesh.h, of a towards b. */
static inline bool is_visible(uint32_t a, uint32_t b, uint8_t flags)
{
    uint32_t class = class_of(a), other = class_of(b);
    if (class == ADIT_CLASS_AIR || other == ADIT_CLASS_OPAQUE)
        return false;
    if (other == ADIT_CLASS_AIR || class == ADIT_CLASS_OPAQUE)
        return true;
    return (a & 0xffff) == (b & 0xffff) ? class == ADIT_CLASS_CUTOUT : !(flags & ADIT_MESH_TT_NONE);
}

/* False when the edit cannot change anything of that face. */
static bool find_reach(const struct update *u, uint32_t face, struct reach *r)
{
    const struct adit_mesh_box *edit = u->edit;
    int32_t around = u->has_ao;
    r->side = adit_mesh_side_of(u->source, face);
    int32_t up = face & 1, first = edit->lo[r->side.axis] - up, last = edit->hi[r->side.axis] + 1 - up, end = (int32_t)r->side.layers - 1;
    int32_t u0 = edit->lo[r->side.u_axis] - around, u1 = edit->hi[r->side.u_axis] + around;
    int32_t v0 = edit->lo[r->side.v_axis] - around, v1 = edit->hi[r->side.v_axis] + around;
    r->first = (uint32_t)(first < 0 ? 0 : first);
    r->u0 = (uint32_t)(u0 < 0 ? 0 : u0);
    r->v0 = (uint32_t)(v0 < 0 ? 0 : v0);
    last = last < end ? last : end;
    u1 = u1 < (int32_t)r->side.width ? u1 : (int32_t)r->side.width - 1;
    v1 = v1 < (int32_t)r->side.height ? v1 : (int32_t)r->side.height - 1;
    if (last < (int32_t)r->first || u1 < (int32_t)r->u0 || v1 < (int32_t)r->v0)
        return false;
    r->last = (uint32_t)last;
    r->u1 = (uint32_t)u1;
    r->v1 = (uint32_t)v1;
    r->cells = (r->u1 - r->u0 + 1) * (r->v1 - r->v0 + 1);
    return true;
}

static inline uint32_t is_opaque(uint32_t voxel) { return class_of(voxel) == ADIT_CLASS_OPAQUE; }

/* The AO of a corner, without a branch. */
static inline uint64_t ao_corner(uint32_t a, uint32_t b, uint32_t d)
{
    return (3 - a - b - d) & ((a & b) - 1);
}

/* The AO of a face, from the voxel before it and what lies around that, a step along u and along v away. */
static uint64_t ao_of(const uint32_t *front, uint32_t u, uint32_t v)
{
    const uint32_t *above = front - v, *below = front + v;
    uint32_t left = is_opaque(*(front - u)), right = is_opaque(front[u]), up = is_opaque(*above), down = is_opaque(*below);
    return ao_corner(left, up, is_opaque(*(above - u))) | ao_corner(right, up, is_opaque(above[u])) << 2 |
           ao_corner(left, down, is_opaque(*(below - u))) << 4 | ao_corner(right, down, is_opaque(below[u])) << 6;
}

static void make_cells(struct update *u, struct reach *r)
{
    const struct block *b = &u->block;
    const uint32_t step[3] = { 1, b->n[0], b->n[0] * b->n[1] };
    const struct adit_mesh_side *side = &r->side;
    uint32_t step_u = step[side->u_axis], step_v = step[side->v_axis];
    bool is_any = u->source->flags & ADIT_MESH_ANY_OPAQUE;
    uint64_t *to = u->cell;
    uint32_t at[3];
    r->classes = 0;
    for (uint32_t layer = r->first; layer <= r->last; layer++) {
        for (uint32_t v = r->v0; v <= r->v1; v++) {
            at[side->axis] = layer - (uint32_t)b->lo[side->axis];
            at[side->v_axis] = v - (uint32_t)b->lo[side->v_axis];
            at[side->u_axis] = r->u0 - (uint32_t)b->lo[side->u_axis];
            const uint32_t *voxel = b->voxel + at[2] * step[2] + at[1] * step[1] + at[0];
            const uint32_t *front = side->face & 1 ? voxel + step[side->axis] : voxel - step[side->axis];
            for (uint32_t n = r->u0; n <= r->u1; n++, voxel += step_u, front += step_u) {
                uint32_t class = class_of(*voxel);
                *to = 0;
                if (is_visible(*voxel, *front, u->source->flags)) {
                    uint64_t material = is_any && class == ADIT_CLASS_OPAQUE ? 0 : *voxel & 0xffff;
                    uint64_t ao = u->has_ao ? ao_of(front, step_u, step_v) : ADIT_QUAD_AO_OPEN;
                    *to = adit_cell_make(material | ao << 16 | (uint64_t)(*front >> LIGHT_BIT) << 24, class);
                    r->classes |= 1u << class;
                }
                to++;
            }
        }
    }
}

/* -- quads --------------------------------------------------------------------------------------------------------- */

/* Copies the old quads up to one that is not dealt with yet. False: no room. */
static bool copy_upto(struct update *u, uint32_t upto)
{
    uint32_t n = upto - u->from;
    if (n > u->result->quads_max - u->count)
        return false;
    if (n)
        memcpy(u->result->quads + u->count, u->old->quads + u->from, n * sizeof(uint64_t));
    u->count += n;
    u->from = upto;
    return true;
}

/* The first of quads from .. to - 1, which ascend, whose layer is not below layer, or to. */
static uint32_t find_layer(const uint64_t *quads, uint32_t from, uint32_t to, uint32_t bit, uint32_t layer)
{
    const uint64_t *at = quads + from;
    uint32_t n = to - from, near = SLICE_USUAL;
    if (!n)
        return to;
    while (near < n && (at[near - 1] >> bit & 63) < layer)
        near *= 2;
    n = near < n ? near : n;
    while (n > 1) { /* a move on a condition instead of a branch, which would be guessed wrong half the time */
        uint32_t half = n / 2;
        at = (at[half - 1] >> bit & 63) < layer ? at + half : at;
        n -= half;
    }
    return (uint32_t)(at - quads) + ((*at >> bit & 63) < layer);
}

/* A slice of layer, old quads from .. to - 1. False: it is not for us. */
static bool update_slice(struct update *u, const struct reach *r, uint32_t layer, uint32_t from, uint32_t to)
{
    struct adit_slice *s = &u->slice;
    s->n = to - from;
    if (s->n > ADIT_SLICE_CELLS)
        return false;
    s->layer = (uint64_t)layer << r->side.axis * 6;
    if (s->n)
        memcpy(s->quad, u->old->quads + from, s->n * sizeof *s->quad);
    enum adit_slice_result became = adit_slice_update(s, u->cell + (layer - r->first) * r->cells, &u->change);
    if (became != ADIT_SLICE_CHANGED)
        return became == ADIT_SLICE_AS_IT_WAS;
    if (!copy_upto(u, from))
        return false;
    uint32_t room = u->result->quads_max - u->count, n = adit_slice_write(s, u->result->quads + u->count, room);
    u->from = to;
    u->count += n;
    return n <= room;
}

static bool update_range(struct update *u, const struct reach *r, uint32_t class)
{
    const uint32_t *start = u->old->start + r->side.face * CLASSES + class - 1;
    uint32_t from = start[0], end = start[1], bit = r->side.axis * 6;
    if (from == end && !(r->classes >> class & 1))
        return true;
    u->slice.class = class;
    u->slice.is_any = class == ADIT_CLASS_OPAQUE && u->source->flags & ADIT_MESH_ANY_OPAQUE;
    from = find_layer(u->old->quads, from, end, bit, r->first);
    for (uint32_t layer = r->first; layer <= r->last; layer++) {
        uint32_t to = find_layer(u->old->quads, from, end, bit, layer + 1);
        if (!update_slice(u, r, layer, from, to))
            return false;
        from = to;
    }
    return true;
}

static bool update_face(struct update *u, uint32_t face)
{
    struct reach r;
    bool is_reached = find_reach(u, face, &r);
    if (is_reached) {
        make_cells(u, &r);
        struct adit_slice *s = &u->slice;
        s->u_bit = r.side.u_axis * 6;
        s->v_bit = r.side.v_axis * 6;
        s->rows = r.side.height;
        s->u0 = r.u0, s->u1 = r.u1, s->v0 = r.v0, s->v1 = r.v1;
        s->is_culled = u->source->flags & ADIT_MESH_CULLED;
    }
    for (uint32_t class = ADIT_CLASS_OPAQUE; class <= CLASSES; class++) {
        uint32_t range = face * CLASSES + class - 1;
        u->result->start[range] = u->count + (u->old->start[range] - u->from);
        if (is_reached && !update_range(u, &r, class))
            return false;
    }
    return true;
}

/* -- bounds -------------------------------------------------------------------------------------------------------- */

/* Bounds from all quads. */
static void find_bounds(struct adit_mesh_result *result)
{
    uint32_t lo[3] = { DIM - 1, DIM - 1, DIM - 1 }, hi[3] = { 0 };
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t end = result->start[(face + 1) * CLASSES], u_axis = adit_face_u(face), v_axis = adit_face_v(face);
        for (uint32_t i = result->start[face * CLASSES]; i < end; i++) {
            uint64_t quad = result->quads[i];
            uint32_t at[3] = { adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad) };
            for (int axis = 0; axis < 3; axis++)
                lo[axis] = at[axis] < lo[axis] ? at[axis] : lo[axis];
            at[u_axis] += adit_quad_w(quad) - 1;
            at[v_axis] += adit_quad_h(quad) - 1;
            for (int axis = 0; axis < 3; axis++)
                hi[axis] = at[axis] > hi[axis] ? at[axis] : hi[axis];
        }
    }
    for (int axis = 0; axis < 3; axis++) {
        result->bounds_lo[axis] = (uint8_t)lo[axis];
        result->bounds_hi[axis] = (uint8_t)(hi[axis] < DIM ? hi[axis] : DIM - 1);
    }
}

/* Whether a quad reaches coordinate at of an axis: with its first voxel, or is_far, with its last one. */
static bool is_reached(const struct adit_mesh_result *mesh, uint32_t axis, uint32_t at, bool is_far)
{
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t end = mesh->start[(face + 1) * CLASSES];
        bool is_wide = is_far && axis == adit_face_u(face), is_high = is_far && axis == adit_face_v(face);
        for (uint32_t i = mesh->start[face * CLASSES]; i < end; i++) {
            uint64_t quad = mesh->quads[i];
            uint32_t more = is_wide ? adit_quad_w(quad) - 1 : is_high ? adit_quad_h(quad) - 1 : 0;
            if ((quad >> axis * 6 & 63) + more == at)
                return true;
        }
    }
    return false;
}

/* Bounds from those of old and what came and went. */
static void update_bounds(struct update *u)
{
    struct adit_mesh_result *result = u->result;
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint64_t came = u->change.came[axis], went = u->change.went[axis];
        uint32_t was_lo = u->old->bounds_lo[axis], was_hi = u->old->bounds_hi[axis], lo = was_lo, hi = was_hi;
        if (came) {
            uint32_t came_lo = (uint32_t)__builtin_ctzll(came), came_hi = 63 - (uint32_t)__builtin_clzll(came);
            lo = came_lo < lo ? came_lo : lo;
            hi = came_hi > hi ? came_hi : hi;
        }
        if ((lo == was_lo && went >> lo & 1 && !is_reached(result, axis, lo, false)) ||
            (hi == was_hi && went >> hi & 1 && !is_reached(result, axis, hi, true))) {
            find_bounds(result);
            return;
        }
        result->bounds_lo[axis] = (uint8_t)lo;
        result->bounds_hi[axis] = (uint8_t)hi;
    }
}

/* -- the call ------------------------------------------------------------------------------------------------------ */

static bool is_box(const struct adit_mesh_source *source, const struct adit_mesh_box *edit)
{
    for (int axis = 0; axis < 3; axis++)
        if (edit->lo[axis] < -1 || edit->hi[axis] > source->dim[axis] || edit->lo[axis] > edit->hi[axis])
            return false;
    return true;
}

static bool is_mesh(const struct adit_mesh_result *old)
{
    uint32_t n = old->start[ADIT_MESH_RANGES];
    if (old->start[0] || n > old->quads_max || n > ADIT_MESH_QUADS_MAX || (n && !old->quads))
        return false;
    for (int r = 0; r < ADIT_MESH_RANGES; r++)
        if (old->start[r] > old->start[r + 1])
            return false;
    for (int axis = 0; axis < 3; axis++)
        if (old->bounds_lo[axis] >= DIM || old->bounds_hi[axis] >= DIM)
            return false;
    return true;
}

/* Whether an edit is small enough for this to be quicker than meshing the whole. */
static bool is_local(const struct adit_mesh_box *edit)
{
    int32_t voxels = 1;
    for (int axis = 0; axis < 3; axis++) {
        int32_t side = edit->hi[axis] - edit->lo[axis] + 1;
        if (side > ADIT_REMESH_SIDE_MAX)
            return false;
        voxels *= side;
    }
    return voxels <= ADIT_REMESH_VOXELS_MAX;
}

/* False: it takes a kernel; which is why this is never inlined, and its scratch memory is given back before. */
static __attribute__((noinline)) bool update(const struct adit_mesh_source *source, const struct adit_mesh_box *edit, const struct adit_mesh_result *old,
                   struct adit_mesh_result *result)
{
    struct update u;
    u.source = source;
    u.edit = edit;
    u.old = old;
    u.result = result;
    u.slice.source = source;
    u.has_ao = source->flags & ADIT_MESH_AO;
    u.from = u.count = 0;
    u.change = (struct adit_slice_change){ 0 };
    read_block(&u);
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        if (!update_face(&u, face))
            return false;
    if (!copy_upto(&u, old->start[ADIT_MESH_RANGES]))
        return false;
    result->start[ADIT_MESH_RANGES] = u.count;
    result->faces = old->faces + (uint32_t)u.change.faces;
    update_bounds(&u);
    return true;
}

int adit_mesh_update(adit_mesh_kernel *whole, const struct adit_mesh_source *source, const struct adit_mesh_box *edit,
                     const struct adit_mesh_result *old, struct adit_mesh_result *result)
{
    if (!whole || !adit_mesh_is_valid(source, result) || !is_box(source, edit) || !is_mesh(old)) {
        adit_mesh_result_init(result);
        return -EINVAL;
    }
    if (is_local(edit) && update(source, edit, old, result))
        return 0;
    return whole(source, result);
}
