#include "runtime/rim.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/encoding.h"
#include "runtime/key.h"
#include "runtime/store.h"

_Static_assert(sizeof(struct adit_rim_cells) == (ADIT_RIM_EDGES * ADIT_CHUNK_DIM + 8) * 2, "no gaps in what is hashed");

/* n materials of a border plane, from index first on, step apart. */
static void plane_pick(const struct adit_plane_view *view, uint32_t first, uint32_t step, uint32_t n, uint16_t *to)
{
    uint32_t mask = (1u << view->bits) - 1;
    for (uint32_t k = 0, i = first; k < n; k++, i += step) {
        uint32_t bit = i * view->bits;
        if (view->bits == 0)
            to[k] = view->material[0];
        else if (view->bits == 16)
            memcpy(&to[k], view->packed + 2 * i, 2);
        else
            to[k] = view->material[(uint32_t)view->packed[bit / 8] >> bit % 8 & mask];
    }
}

/* The cells that the chunk lying step away shows us: of its border plane across the first axis it lies away along, the row or column next to us. */
static bool cells_read(const struct adit_version *v, uint32_t bytes, const int32_t step[3], uint32_t n, uint16_t *to)
{
    uint32_t axis = step[0] ? 0 : 1, face = 2 * axis + (step[axis] < 0), u = adit_face_u(face), w = adit_face_v(face);
    struct adit_plane_view view;
    if (!adit_plane_view_within(v, bytes, face, &view))
        return false;
    uint32_t first = (step[u] < 0 ? 63u : 0u) + (step[w] < 0 ? 63u * 64 : 0u);
    plane_pick(&view, first, step[u] ? 64 : 1, n, to);
    return true;
}

void adit_rim_read(const struct adit_arena *arena, uint64_t packed, struct adit_rim_cells *cells, uint64_t *newest_ns)
{
    memset(cells, 0, sizeof *cells);
    for (uint32_t p = 0; p < ADIT_RIM_PLACES; p++) {
        bool is_edge = p < ADIT_RIM_EDGES;
        int32_t step[3];
        uint32_t index, bytes;
        uint64_t commit;
        adit_rim_step(p, step);
        uint64_t key = adit_key_beside(packed, step);
        const struct adit_version *v = key ? adit_store_current(arena, key, &index, &commit, &bytes) : NULL;
        if (v && cells_read(v, bytes, step, is_edge ? ADIT_CHUNK_DIM : 1, is_edge ? cells->edge[p] : &cells->corner[p - ADIT_RIM_EDGES]))
            *newest_ns = v->published_ns > *newest_ns ? v->published_ns : *newest_ns;
    }
}

uint32_t adit_rim_hash(const struct adit_rim_cells *cells)
{
    uint32_t hash = (uint32_t)XXH3_64bits(cells, sizeof *cells);
    return hash ? hash : 1;
}

static uint64_t is_opaque(const uint8_t *classes, uint16_t material) { return (classes[material] & 3) == ADIT_CLASS_OPAQUE; }

void adit_rim_opacity(const struct adit_rim_cells *cells, const uint8_t *classes, struct adit_mesh_rim *rim)
{
    *rim = (struct adit_mesh_rim){0};
    for (uint32_t e = 0; e < ADIT_RIM_EDGES; e++) {
        const uint16_t *line = cells->edge[e];
        if (!memcmp(line, line + 1, (ADIT_CHUNK_DIM - 1) * sizeof *line)) /* one material, as most are */
            rim->edge[e] = is_opaque(classes, line[0]) ? UINT64_MAX : 0;
        else
            for (uint32_t k = 0; k < ADIT_CHUNK_DIM; k++)
                rim->edge[e] |= is_opaque(classes, line[k]) << k;
    }
    for (uint32_t c = 0; c < ADIT_RIM_PLACES - ADIT_RIM_EDGES; c++)
        rim->corner |= (uint8_t)(is_opaque(classes, cells->corner[c]) << c);
}
