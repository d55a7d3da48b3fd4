/* mesh_uniform.c - six layers, of which the planes say what is visible. Compiled once for each kernel, with ADIT_MESH_UNIFORM its name. */
#include "kernels/mesh_uniform.h"

#include "kernels/mesh_lanes.h"

#define PASTE(a, b) a##b
#define NAME(a, b) PASTE(a, b)

enum { DIM = ADIT_CHUNK_DIM, PAGE = 4096 };

#if defined __AVX512F__
#define LANES 64
#elif defined __AVX2__
#define LANES 32
#else
#define LANES 16
#endif
typedef uint64_t lanes __attribute__((vector_size(LANES), aligned(2), may_alias)); /* voxels are aligned as their type wants */

/* Whether n voxels, whole pages, are all like the first; a page at a time, so that most others are known by the first page. */
static bool are_one(const uint16_t *voxels, uint32_t n)
{
    const uint64_t first = voxels[0] * 0x0001000100010001u;
    uint64_t differ = 0;
    for (const char *at = (const char *)voxels, *end = at + n * sizeof *voxels; at < end && !differ; at += PAGE) {
        lanes even = {0}, odd = {0};
        for (uint32_t i = 0; i < PAGE; i += 2 * LANES) {
            even |= *(const lanes *)(at + i) ^ first;
            odd |= *(const lanes *)(at + i + LANES) ^ first;
        }
        even |= odd;
        for (uint32_t i = 0; i < LANES / sizeof(uint64_t); i++)
            differ |= even[i];
    }
    return !differ;
}

struct maker {
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    uint64_t extent[3]; /* by axis: bit i is set when layer i has quads */
    uint32_t count;
    uint16_t material;
};

/* Which of 64 materials are opaque. Most rows are of one material; the loop drops a bit a turn, whatever another process writes there meanwhile. */
static uint64_t opaque_of(const uint16_t *material, const uint8_t *classes)
{
    uint64_t opaque = 0;
    for (uint64_t rest = ~0ull; rest;) {
        uint16_t id = material[adit_word_lowest(rest)];
        uint64_t found = adit_row16_holds(material, id) & rest;
        opaque |= (classes[id] & 3) == ADIT_CLASS_OPAQUE ? found : 0;
        rest &= (rest - 1) & ~found;
    }
    return opaque;
}

static void add(struct maker *m, uint32_t face, uint32_t u, uint32_t v, uint32_t w, uint32_t h)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = face & 1 ? DIM - 1 : 0;
    at[adit_face_u(face)] = u;
    at[adit_face_v(face)] = v;
    if (m->count < m->result->quads_max)
        m->result->quads[m->count] = adit_quad_pack(at[0], at[1], at[2], w, h, m->material, ADIT_QUAD_AO_OPEN);
    m->count++;
}

/* The layer of a face, of which visible cells are set in rows: each is cleared when a quad covers it. */
static void cover(struct maker *m, uint32_t face, uint64_t rows[DIM])
{
    bool is_culled = m->source->flags & ADIT_MESH_CULLED;
    for (uint32_t v = 0; v < DIM; v++) {
        while (rows[v]) {
            uint32_t u = adit_word_lowest(rows[v]), w = 1, h = 1;
            uint64_t past = ~(rows[v] >> u);
            if (!is_culled)
                w = past ? adit_word_lowest(past) : DIM;
            uint64_t span = ~0ull >> (DIM - w) << u;
            rows[v] &= ~span;
            for (; !is_culled && v + h < DIM && (rows[v + h] & span) == span; h++)
                rows[v + h] &= ~span;
            add(m, face, u, v, w, h);
        }
    }
}

/* The whole layer of a face is visible. */
static void mesh_layer(struct maker *m, uint32_t face)
{
    m->extent[adit_face_axis(face)] |= 1ull << (face & 1 ? DIM - 1 : 0);
    m->extent[adit_face_u(face)] = m->extent[adit_face_v(face)] = ~0ull;
    m->result->faces += DIM * DIM;
    if (m->source->flags & ADIT_MESH_CULLED) {
        for (uint32_t v = 0; v < DIM; v++)
            for (uint32_t u = 0; u < DIM; u++)
                add(m, face, u, v, 1, 1);
    } else {
        add(m, face, 0, 0, DIM, DIM);
    }
}

/* Only some of it, as the plane says. */
static void mesh_rows(struct maker *m, uint32_t face, const uint16_t *plane)
{
    uint64_t rows[DIM], any = 0, any_v = 0;
    for (uint32_t v = 0; v < DIM; v++) {
        rows[v] = ~opaque_of(plane + v * DIM, m->source->classes);
        any |= rows[v];
        any_v |= (uint64_t)(rows[v] != 0) << v;
        m->result->faces += adit_word_count(rows[v]);
    }
    m->extent[adit_face_axis(face)] |= (uint64_t)(any != 0) << (face & 1 ? DIM - 1 : 0);
    m->extent[adit_face_u(face)] |= any;
    m->extent[adit_face_v(face)] |= any_v;
    cover(m, face, rows);
}

static void mesh_face(struct maker *m, uint32_t face)
{
    const uint16_t *plane = m->source->plane[face];
    if (plane && !are_one(plane, DIM * DIM))
        mesh_rows(m, face, plane);
    else if (!plane || (m->source->classes[*plane] & 3) != ADIT_CLASS_OPAQUE)
        mesh_layer(m, face);
}

/* Whether a source is of one material. */
static bool find_material(const struct adit_mesh_source *source, uint16_t *material)
{
    const struct adit_voxels *v = source->encoded;
    *material = v ? v->uniform : source->voxels[0];
    return v ? v->form == ADIT_VOXELS_UNIFORM
             : source->dim[0] == DIM && source->dim[1] == DIM && source->dim[2] == DIM && are_one(source->voxels, DIM * DIM * DIM);
}

bool NAME(adit_mesh_uniform_, ADIT_MESH_UNIFORM)(const struct adit_mesh_source *source, struct adit_mesh_result *result, int *status)
{
    struct maker m = {.source = source, .result = result};
    bool is_shaded = source->light || source->flags & ADIT_MESH_AO;
    if (!find_material(source, &m.material))
        return false;
    uint8_t class = source->classes[m.material] & 3;
    *status = 0;
    if (class == ADIT_CLASS_AIR)
        return true;
    if (class != ADIT_CLASS_OPAQUE || is_shaded)
        return false;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        result->start[face * ADIT_MESH_CLASSES] = m.count;
        mesh_face(&m, face);
        result->start[face * ADIT_MESH_CLASSES + 1] = result->start[face * ADIT_MESH_CLASSES + 2] = m.count;
    }
    *status = adit_mesh_result_finish(result, m.extent, m.count);
    return true;
}
