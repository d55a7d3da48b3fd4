/* meshlet.c - cutting meshes, and commands for what a viewer can see.
 *
 * Culling by face is exact: a face towards + at plane p is seen from beyond p only, a face towards - from before p only, wherever on
 * the quad one looks. So a meshlet whose planes are lo..hi faces the viewer with some quad if and only if the viewer is
 * beyond lo, or before hi.
 */
#include "kernels/meshlet.h"

/* Renderers copy commands and meshlets as they lie. */
_Static_assert(sizeof(struct adit_meshlet) == 12 && sizeof(struct adit_draw_command) == 16 &&
                   sizeof(struct adit_draw_indexed_command) == 20, "no padding");

uint32_t adit_meshlet_count(const uint32_t start[ADIT_MESH_RANGES + 1])
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        n += (start[r + 1] - start[r] + ADIT_MESHLET_QUADS - 1) / ADIT_MESHLET_QUADS;
    return n;
}

static inline uint8_t coordinate_of(uint64_t quad, uint32_t axis)
{
    return (uint8_t)(quad >> 6 * axis & 63);
}

/* Along the axis the first and the last layer are bounds already; along u and v all quads are looked at, as bytes, of which vectors
 * hold many. */
static inline void bound(struct adit_meshlet *m, const uint64_t *quads, uint32_t face)
{
    uint32_t axis = adit_face_axis(face), u = adit_face_u(face), v = adit_face_v(face), plane = face & 1, n = m->count;
    uint8_t lo[2] = { 255, 255 }, hi[2] = { 0, 0 };
    for (uint32_t i = 0; i < n; i++) {
        uint8_t u_lo = coordinate_of(quads[i], u), v_lo = coordinate_of(quads[i], v);
        uint8_t u_hi = (uint8_t)(u_lo + adit_quad_w(quads[i])), v_hi = (uint8_t)(v_lo + adit_quad_h(quads[i]));
        lo[0] = u_lo < lo[0] ? u_lo : lo[0];
        lo[1] = v_lo < lo[1] ? v_lo : lo[1];
        hi[0] = u_hi > hi[0] ? u_hi : hi[0];
        hi[1] = v_hi > hi[1] ? v_hi : hi[1];
    }
    m->lo[u] = lo[0], m->lo[v] = lo[1];
    m->hi[u] = hi[0], m->hi[v] = hi[1];
    m->lo[axis] = (uint8_t)(coordinate_of(quads[0], axis) + plane);
    m->hi[axis] = (uint8_t)(coordinate_of(quads[n - 1], axis) + plane);
}

uint32_t adit_meshlet_cut(const uint64_t *quads, const uint32_t start[ADIT_MESH_RANGES + 1], struct adit_meshlet *meshlets)
{
    struct adit_meshlet *m = meshlets;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        for (uint32_t first = start[r]; first < start[r + 1]; first += m++->count) {
            uint32_t left = start[r + 1] - first;
            m->first = first;
            m->count = (uint8_t)(left < ADIT_MESHLET_QUADS ? left : ADIT_MESHLET_QUADS);
            m->range = (uint8_t)r;
            switch (r / ADIT_MESH_CLASSES) { /* a constant face in each */
            case 0: bound(m, quads + first, 0); break;
            case 1: bound(m, quads + first, 1); break;
            case 2: bound(m, quads + first, 2); break;
            case 3: bound(m, quads + first, 3); break;
            case 4: bound(m, quads + first, 4); break;
            default: bound(m, quads + first, 5); break;
            }
        }
    }
    return (uint32_t)(m - meshlets);
}

bool adit_meshlet_is_facing(const struct adit_meshlet *meshlet, const float viewer[3])
{
    uint32_t face = meshlet->range / ADIT_MESH_CLASSES, axis = adit_face_axis(face);
    /* Not (in the plane or behind it), so that what is no number counts as facing. */
    return face & 1 ? !(viewer[axis] <= (float)meshlet->lo[axis]) : !(viewer[axis] >= (float)meshlet->hi[axis]);
}

/* Consecutive quads of one range that one command draws. */
struct span {
    uint32_t first, count, range;
};

/* The next span from meshlet *at on, which moves behind it. Returns false when there is none left. */
static bool next_span(const struct adit_meshlet *meshlets, uint32_t n, const struct adit_draw_params *params, uint32_t *at,
                      struct span *span)
{
    uint32_t ranges = params->ranges ? params->ranges : ADIT_DRAW_ALL, max = params->quads_max ? params->quads_max : UINT32_MAX;
    *span = (struct span){ 0 };
    for (; *at < n; ++*at) {
        const struct adit_meshlet *m = &meshlets[*at];
        if (!(ranges >> m->range & 1) || (params->viewer && !adit_meshlet_is_facing(m, params->viewer)))
            continue;
        if (!span->count)
            *span = (struct span){ .first = m->first, .count = m->count, .range = m->range };
        else if (m->range == span->range && m->first == span->first + span->count && span->count + m->count <= max)
            span->count += m->count;
        else
            break;
    }
    return span->count != 0;
}

uint32_t adit_draw_commands(const struct adit_meshlet *meshlets, uint32_t meshlets_n, const struct adit_draw_params *params,
                            struct adit_draw_command *commands, uint32_t commands_max)
{
    uint32_t n = 0;
    struct span span;
    for (uint32_t at = 0; next_span(meshlets, meshlets_n, params, &at, &span); n++)
        if (n < commands_max)
            commands[n] = (struct adit_draw_command){ .vertex_count = 6 * span.count, .instance_count = 1,
                                                      .first_vertex = 6 * (params->quad_base + span.first),
                                                      .first_instance = params->chunk << 5 | span.range };
    return n;
}

uint32_t adit_draw_indexed_commands(const struct adit_meshlet *meshlets, uint32_t meshlets_n, const struct adit_draw_params *params,
                                    struct adit_draw_indexed_command *commands, uint32_t commands_max)
{
    uint32_t n = 0;
    struct span span;
    for (uint32_t at = 0; next_span(meshlets, meshlets_n, params, &at, &span); n++)
        if (n < commands_max)
            commands[n] = (struct adit_draw_indexed_command){ .index_count = 6 * span.count, .instance_count = 1,
                                                              .vertex_offset = (int32_t)(4 * (params->quad_base + span.first)),
                                                              .first_instance = params->chunk << 5 | span.range };
    return n;
}

void adit_meshlet_indices(uint16_t *indices, uint32_t quads_n)
{
    static const uint8_t corner[6] = { 0, 1, 2, 2, 1, 3 }; /* as vertex_pull.glsl splits a quad */
    for (uint32_t i = 0; i < quads_n * 6; i++)
        indices[i] = (uint16_t)(i / 6 * 4 + corner[i % 6]);
}
