/* exact.c - layer by layer: quads painted into a slice, its regions cut anew, quads read off.
 *
 * In place, because a layer's new quads are never more than its old ones (these are a partition, too, and the new one is the
 * smallest), and because all of a layer is painted before the first is written.
 */
#include "kernels/exact.h"

#include <errno.h>
#include <string.h>

#include "kernels/partition.h"

enum { DIM = ADIT_CHUNK_DIM, LOOK_SHIFT = 30, LOOK_BITS = 64 - LOOK_SHIFT };

/* One layer of one range. look: of each covered cell the quad's bits beyond place and size, and above them a
 * number of its own for cells of a quad that must stay as it is; what is not covered holds anything. */
struct slice {
    uint32_t axis, u_axis, v_axis;
    uint64_t covered[DIM];
    struct adit_partition joins;
    uint64_t look[DIM][DIM];
};

static uint32_t quad_along(uint64_t quad, uint32_t axis)
{
    return (uint32_t)(quad >> 6 * axis & 63);
}

static bool has_even_ao(uint64_t quad)
{
    return adit_quad_ao(quad) == (adit_quad_ao(quad) & 3) * 0x55;
}

/* False if the quad leaves the slice or meets one that was painted before. */
static bool paint(struct slice *s, uint64_t quad, uint32_t number)
{
    uint32_t u = quad_along(quad, s->u_axis), v = quad_along(quad, s->v_axis), w = adit_quad_w(quad), h = adit_quad_h(quad);
    if (u + w > DIM || v + h > DIM)
        return false;
    uint64_t span = ~0ull >> (DIM - w) << u, look = quad >> LOOK_SHIFT, met = 0;
    if (!has_even_ao(quad))
        look |= (uint64_t)number << LOOK_BITS;
    for (uint32_t j = v; j < v + h; j++) {
        met |= s->covered[j] & span;
        s->covered[j] |= span;
        s->joins.right[j] |= span & span >> 1;
        s->joins.below[j] |= j + 1 < v + h ? span : 0;
        for (uint32_t i = u; i < u + w; i++)
            s->look[j][i] = look;
    }
    return !met;
}

/* Joins what looks the same on both sides of a seam between quads. */
static void join_seams(struct slice *s)
{
    for (uint32_t v = 0; v < DIM; v++) {
        uint64_t row = s->covered[v], next = v + 1 < DIM ? s->covered[v + 1] : 0;
        for (uint64_t seams = row & row >> 1 & ~s->joins.right[v]; seams; seams &= seams - 1) {
            uint32_t u = (uint32_t)__builtin_ctzll(seams);
            s->joins.right[v] |= (uint64_t)(s->look[v][u] == s->look[v][u + 1]) << u;
        }
        for (uint64_t seams = row & next & ~s->joins.below[v]; seams; seams &= seams - 1) {
            uint32_t u = (uint32_t)__builtin_ctzll(seams);
            s->joins.below[v] |= (uint64_t)(s->look[v][u] == s->look[v + 1][u]) << u;
        }
    }
}

/* Writes the rectangles that cells are joined to, in the order of their first cells. Returns how many. */
static uint32_t emit(struct slice *s, uint32_t layer, uint64_t *quads)
{
    uint32_t n = 0, at[3];
    at[s->axis] = layer;
    for (uint32_t v = 0; v < DIM; v++) {
        while (s->covered[v]) {
            uint32_t u = (uint32_t)__builtin_ctzll(s->covered[v]), h = 1;
            uint32_t w = 1 + (uint32_t)__builtin_ctzll(~(s->joins.right[v] >> u));
            uint64_t span = ~0ull >> (DIM - w) << u;
            s->covered[v] &= ~span;
            for (; (s->joins.below[v + h - 1] & span) == span; h++)
                s->covered[v + h] &= ~span;
            at[s->u_axis] = u;
            at[s->v_axis] = v;
            quads[n++] = adit_quad_pack(at[0], at[1], at[2], w, h, 0, 0) | s->look[v][u] << LOOK_SHIFT;
        }
    }
    return n;
}

/* Cuts the layer that quads[0..n-1] cover anew. Returns how many quads it has then, or 0 when it was no layer. */
static uint32_t layer_cut(uint32_t face, uint64_t *quads, uint32_t n, uint64_t *out)
{
    struct slice s;
    s.axis = adit_face_axis(face);
    s.u_axis = adit_face_u(face);
    s.v_axis = adit_face_v(face);
    uint32_t layer = quad_along(quads[0], s.axis);
    memset(s.covered, 0, sizeof s.covered);
    memset(&s.joins, 0, sizeof s.joins);
    for (uint32_t i = 0; i < n; i++)
        if (!paint(&s, quads[i], i + 1))
            return 0;
    join_seams(&s);
    adit_partition_cut(&s.joins);
    return emit(&s, layer, out);
}

static bool has_order(const struct adit_mesh_result *result)
{
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        if (result->start[r] > result->start[r + 1])
            return false;
    return !result->start[0] && result->start[ADIT_MESH_RANGES] <= result->quads_max && (result->quads || !result->start[ADIT_MESH_RANGES]);
}

static int refuse(struct adit_mesh_result *result)
{
    adit_mesh_result_init(result);
    return -EINVAL;
}

int adit_mesh_exact(struct adit_mesh_result *result)
{
    uint32_t in = 0, out = 0;
    if (!has_order(result))
        return refuse(result);
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        uint32_t face = r / ADIT_MESH_CLASSES, axis = adit_face_axis(face), end = result->start[r + 1];
        result->start[r] = out;
        for (uint32_t n, last = 0; in < end; in += n) {
            uint32_t layer = quad_along(result->quads[in], axis), cut;
            for (n = 1; in + n < end && quad_along(result->quads[in + n], axis) == layer; n++)
                ;
            if (layer < last || !(cut = layer_cut(face, result->quads + in, n, result->quads + out)))
                return refuse(result);
            last = layer + 1;
            out += cut;
        }
    }
    result->start[ADIT_MESH_RANGES] = out;
    return 0;
}
