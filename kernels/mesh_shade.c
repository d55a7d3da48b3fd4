/* mesh_shade.c - what lies around a volume, as ambient occlusion wants it, and light: for mesh kernels. */
#include "kernels/mesh_shade.h"

#include <string.h>

#include "kernels/mesh_lanes.h"

enum { DIM = ADIT_CHUNK_DIM, OPAQUE = ADIT_CLASS_OPAQUE - 1 };

/* The cells of the rim along axis, beyond the sides (0 low, 1 high) of the two other axes that side names; side[axis] is not looked at. */
static uint64_t edge_of(const struct adit_mesh_source *source, uint32_t axis, const uint32_t side[3])
{
    uint32_t i = side[adit_face_u(axis * 2)], j = side[adit_face_v(axis * 2)];
    return source->rim ? source->rim->edge[axis * 4 + i + 2 * j] & adit_low_bits(source->dim[axis]) : 0;
}

static uint64_t corner_of(const struct adit_mesh_source *source, const uint32_t side[3])
{
    return source->rim ? (uint64_t)source->rim->corner >> (side[0] + 2 * side[1] + 4 * side[2]) & 1 : 0;
}

/* The plane of a face that lies beside the layers of another: rows of bits along the axis of those, by v of theirs, or along u by layer. */
static void turned_plane(uint64_t to[DIM], const uint64_t from[DIM], bool is_turned)
{
    memcpy(to, from, DIM * sizeof *to);
    if (is_turned)
        adit_words_turn(to);
}

/* Beyond one end of u, by v + 1: from layers of cells to layers of faces, and into the last the layer of the plane. */
static void make_end(uint64_t to[DIM + 2], const struct adit_mesh_source *source, const struct adit_mesh_side *s, const uint64_t beside[DIM], uint32_t end)
{
    bool up = s->face & 1;
    uint32_t at[3];
    at[s->axis] = up;
    at[s->u_axis] = end;
    uint64_t outside = edge_of(source, s->v_axis, at), inside = adit_low_bits(s->layers);
    for (uint32_t i = 0; i <= s->height + 1; i++) {
        bool is_past = i == 0 || i > s->height;
        at[s->v_axis] = i > s->height;
        uint64_t cells = (is_past ? edge_of(source, s->axis, at) : beside[i - 1]) & inside;
        uint64_t last = is_past ? corner_of(source, at) : outside >> (i - 1) & 1;
        to[i] = up ? cells >> 1 | last << (s->layers - 1) : cells << 1 | last;
    }
}

/* The rows before the first and after the last one. */
static void make_past(uint64_t to[DIM + 8], const struct adit_mesh_source *source, const struct adit_mesh_side *s, const uint64_t beside[DIM], uint32_t end)
{
    bool up = s->face & 1;
    uint32_t at[3];
    at[s->axis] = up;
    at[s->v_axis] = end;
    memcpy(to + !up, beside + up, (DIM - 1) * sizeof *to);
    to[up ? s->layers - 1 : 0] = edge_of(source, s->u_axis, at);
}

void adit_shade_side_make(struct adit_shade_side *to, const struct adit_mesh_source *source, const struct adit_mesh_side *side,
                          const uint64_t (*plane)[ADIT_MESH_CLASSES][ADIT_CHUNK_DIM])
{
    memset(to, 0, sizeof *to);
    for (uint32_t end = 0; end < 2; end++) {
        uint64_t beside[DIM];
        turned_plane(beside, plane[side->u_axis * 2 + end][OPAQUE], side->axis == 2); /* by v, bits along the axis */
        make_end(end ? to->hi : to->lo, source, side, beside, end);
        turned_plane(beside, plane[side->v_axis * 2 + end][OPAQUE], side->axis == 0); /* by layer, bits along u */
        make_past(to->past[end], source, side, beside, end);
    }
}

/* -- light --------------------------------------------------------------------------------------------------------- */

const uint16_t *adit_light_row(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v,
                               uint16_t room[ADIT_CHUNK_DIM])
{
    static const uint16_t dark[DIM];
    bool up = side->face & 1;
    if (layer == (up ? side->layers - 1 : 0))
        return source->light_plane[side->face] ? source->light_plane[side->face] + v * DIM : dark;
    const uint16_t *from = source->light + (up ? layer + 1 : layer - 1) * side->voxel_layer + v * side->voxel_v;
    if (side->u_axis == 0)
        return from;
    for (uint32_t u = 0; u < DIM; u++)
        room[u] = from[u * side->voxel_u];
    return room;
}

/* The values before a row that count, and one more. */
static void light_of(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v, uint16_t value[DIM + 1])
{
    uint16_t room[DIM];
    const uint16_t *row = adit_light_row(source, side, layer, v, room);
    for (uint32_t u = 0; u < DIM; u++)
        value[u] = row[u] & ADIT_LIGHT_BITS;
    value[DIM] = 0;
}

uint64_t adit_light_like_next(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v)
{
    uint16_t value[DIM + 1];
    light_of(source, side, layer, v, value);
    return adit_row16_equal(value, value + 1);
}

uint64_t adit_light_like_above(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint32_t layer, uint32_t v)
{
    uint16_t value[DIM + 1], above[DIM + 1];
    light_of(source, side, layer, v, value);
    light_of(source, side, layer, v - 1, above);
    return adit_row16_equal(value, above);
}

void adit_light_add(const struct adit_mesh_source *source, const struct adit_mesh_side *side, uint64_t *quads, uint32_t n)
{
    bool up = side->face & 1;
    const uint16_t *plane = source->light_plane[side->face];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at[3] = {adit_quad_x(quads[i]), adit_quad_y(quads[i]), adit_quad_z(quads[i])}, index = (uint32_t)quads[i] & 0x3ffff;
        uint64_t light = 0;
        if (at[side->axis] != (up ? side->layers - 1 : 0))
            light = source->light[up ? index + side->voxel_layer : index - side->voxel_layer];
        else if (plane)
            light = plane[at[side->v_axis] * DIM + at[side->u_axis]];
        quads[i] |= (light & ADIT_LIGHT_BITS) << 54;
    }
}
