/* mesh_maker.c - see mesh_maker.h. */
#include "tests/mesh_maker.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fenced.h"
#include "tests/volumes.h"

enum { FULL = 64, BORDER = 1, SEED = 7, INTERIOR = FULL - 2 * BORDER };

void mesh_of_kind(const char *kind, bool is_mixed, uint8_t flags, struct adit_mesh_result *mesh)
{
    static const uint32_t full[3] = { FULL, FULL, FULL };
    static uint8_t volume[FULL * FULL * FULL], classes[ADIT_MATERIALS];
    static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
    uint16_t *plane[ADIT_FACES];
    struct adit_mesh_source source = { .voxels = voxels, .classes = classes, .dim = { INTERIOR, INTERIOR, INTERIOR }, .flags = flags };
    for (int f = 0; f < ADIT_FACES; f++)
        source.plane[f] = plane[f] = planes[f];
    if (volume_fill(kind, full, BORDER, SEED, volume))
        abort();
    volume_split(volume, full, BORDER, voxels, plane);
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    if (is_mixed) {
        classes[4] = ADIT_CLASS_TRANSLUCENT;
        classes[7] = ADIT_CLASS_CUTOUT;
    }
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    *mesh = (struct adit_mesh_result){ 0 };
    kernel(&source, mesh); /* no room: says how much is needed */
    mesh->quads_max = mesh->start[ADIT_MESH_RANGES] + 1;
    mesh->quads = fenced_alloc(mesh->quads_max * sizeof *mesh->quads);
    if (kernel(&source, mesh))
        abort();
}

/* The quads of one layer. */
static void draw_layer(uint64_t *state, const struct mesh_traits *traits, uint32_t face, uint32_t layer, struct adit_mesh_result *mesh)
{
    for (uint32_t n = 1 + fenced_draw(state, traits->quads_max); n; n--) {
        uint32_t at[3], u = adit_face_u(face), v = adit_face_v(face);
        at[adit_face_axis(face)] = layer;
        at[u] = fenced_draw(state, 64);
        at[v] = fenced_draw(state, 64);
        uint32_t w = 1 + fenced_draw(state, 64 - at[u]), h = 1 + fenced_draw(state, 64 - at[v]);
        uint32_t material = (fenced_draw(state, traits->materials) * 40503 + 1) & 0xffff; /* odd: no two alike */
        uint64_t light = traits->has_light ? fenced_draw(state, 1024) : 0;
        mesh->quads[mesh->start[ADIT_MESH_RANGES]++] =
            adit_quad_pack(at[0], at[1], at[2], w, h, material, traits->has_ao ? fenced_draw(state, 256) : ADIT_QUAD_AO_OPEN) | light << 54;
        mesh->faces += w * h;
        for (uint32_t a = 0; a < 3; a++) {
            uint32_t last = at[a] + (a == u ? w - 1 : a == v ? h - 1 : 0);
            mesh->bounds_lo[a] = (uint8_t)(at[a] < mesh->bounds_lo[a] ? at[a] : mesh->bounds_lo[a]);
            mesh->bounds_hi[a] = (uint8_t)(last > mesh->bounds_hi[a] ? last : mesh->bounds_hi[a]);
        }
    }
}

void mesh_of_chance(uint64_t seed, const struct mesh_traits *traits, struct adit_mesh_result *mesh)
{
    uint64_t state = seed, *loose;
    adit_mesh_result_init(mesh);
    mesh->quads = loose = malloc((size_t)ADIT_MESH_RANGES * 64 * traits->quads_max * sizeof *loose);
    if (!loose)
        abort();
    mesh->start[ADIT_MESH_RANGES] = 0;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        mesh->start[r] = mesh->start[ADIT_MESH_RANGES];
        for (uint32_t layer = 0; layer < 64; layer++)
            if (traits->ranges >> r & 1 && fenced_draw(&state, 64) < traits->layers_of_64)
                draw_layer(&state, traits, r / ADIT_MESH_CLASSES, layer, mesh);
    }
    uint32_t n = mesh->start[ADIT_MESH_RANGES];
    mesh->quads_max = n + 1;
    mesh->quads = fenced_alloc(mesh->quads_max * sizeof *mesh->quads);
    memcpy(mesh->quads, loose, n * sizeof *loose);
    free(loose);
}

void mesh_free(struct adit_mesh_result *mesh)
{
    fenced_free(mesh->quads, mesh->quads_max * sizeof *mesh->quads);
    mesh->quads = NULL;
}
