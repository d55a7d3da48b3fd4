/* scene_compact.c - the compact form of a chunk's mesh: packing, judging and expanding it, and cutting a mesh into meshlets with the
 * draw commands for one viewer. The raw limit is a copy of what each reads or writes: the 8-byte quads (for judging: of the form). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/scenes.h"
#include "perf/lab_voxels.h"

struct compacting {
    struct voxels_source *source;
    struct adit_mesh_result mesh, again;
    uint64_t *copy;
    void *form;
    size_t form_bytes;
    struct adit_meshlet *meshlets;
    uint32_t meshlets_n;
};

static double pack_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    int error = 0;
    size_t bytes;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= adit_compact_pack(&c->mesh, c->form, c->form_bytes, &bytes);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double open_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= !adit_compact_is_sound(c->form, c->form_bytes);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double expand_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    struct adit_compact_view view;
    int error = adit_compact_open(c->form, c->form_bytes, &view);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = adit_compact_expand(&view, &c->again);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double cut_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        bench_consume(adit_meshlet_cut(c->mesh.quads, c->mesh.start, c->meshlets));
    return (clock_now_ns() - from) / (double)rounds;
}

static double draw_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    const float viewer[3] = {-40.0f, 30.0f, 20.5f};
    struct adit_draw_command commands[ADIT_MESH_RANGES];
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        bench_consume(adit_draw_commands(c->meshlets, c->meshlets_n, &(struct adit_draw_params){.viewer = viewer}, commands,
                                         ADIT_MESH_RANGES));
    return (clock_now_ns() - from) / (double)rounds;
}

static double copy(void *to, const void *from, size_t bytes, uint64_t rounds)
{
    double begin = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        memcpy(to, from, bytes);
        bench_compiler_barrier();
    }
    return (clock_now_ns() - begin) / (double)rounds;
}

static double copy_quads_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    return copy(c->copy, c->mesh.quads, c->mesh.start[ADIT_MESH_RANGES] * sizeof *c->copy, rounds);
}

static double copy_form_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    return copy(c->copy, c->form, c->form_bytes, rounds);
}

static double copy_meshlets_block(void *context, uint64_t rounds)
{
    struct compacting *c = context;
    return copy(c->copy, c->meshlets, c->meshlets_n * sizeof *c->meshlets, rounds);
}

/* Fills what the blocks use with the mesh of an input. Returns 0, or a negative errno with a failed figure added. */
static int prepare(struct bench *bench, struct compacting *c, const struct voxels_input *input)
{
    int error = voxels_source_fill(c->source, input);
    if (!error)
        error = adit_mesh_kernel_best(NULL)(&c->source->mesh, &c->mesh);
    if (!error)
        error = adit_compact_pack(&c->mesh, c->form, adit_compact_bytes_max(c->mesh.quads_max), &c->form_bytes);
    if (error)
        bench_fail(bench, input->name, "packing", error);
    c->meshlets_n = error ? 0 : adit_meshlet_cut(c->mesh.quads, c->mesh.start, c->meshlets);
    return error;
}

static int measure(struct bench *bench, struct compacting *c, const struct voxels_input *input)
{
    const struct {
        const char *name;
        bench_block *block;
        struct bench_side raw;
    } parts[] = {{"pack", pack_block, {"copying the quads", copy_quads_block, c}},
                 {"judge", open_block, {"copying the form", copy_form_block, c}},
                 {"expand", expand_block, {"copying the quads", copy_quads_block, c}},
                 {"meshlets", cut_block, {"copying the quads", copy_quads_block, c}},
                 {"draw commands", draw_block, {"copying the meshlets", copy_meshlets_block, c}}};
    uint32_t n = c->mesh.start[ADIT_MESH_RANGES];
    int error = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !error; i++) {
        char name[64], note[96];
        snprintf(name, sizeof name, "%s, %s", parts[i].name, input->name);
        snprintf(note, sizeof note, "%u quads: %zu B, compact %zu B, %u meshlets", n, n * sizeof *c->copy, c->form_bytes, c->meshlets_n);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                          .ours = {parts[i].name, parts[i].block, c}, .raw = parts[i].raw});
    }
    return error;
}

static int run(struct bench *bench)
{
    enum { QUADS_MAX = 1 << 20 };
    struct compacting c = {.source = malloc(sizeof *c.source),
                           .mesh = {.quads = malloc(QUADS_MAX * sizeof(uint64_t)), .quads_max = QUADS_MAX},
                           .again = {.quads = malloc(QUADS_MAX * sizeof(uint64_t)), .quads_max = QUADS_MAX},
                           .copy = malloc(QUADS_MAX * sizeof(uint64_t)),
                           .form = malloc(adit_compact_bytes_max(QUADS_MAX)),
                           .meshlets = malloc((QUADS_MAX / ADIT_MESHLET_QUADS + ADIT_MESH_RANGES) * sizeof *c.meshlets)};
    int error = 0;
    if (!c.source || !c.mesh.quads || !c.again.quads || !c.copy || !c.form || !c.meshlets)
        return -ENOMEM;
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        error = prepare(bench, &c, &voxels_inputs[i]);
        if (!error && c.mesh.start[ADIT_MESH_RANGES])
            error = measure(bench, &c, &voxels_inputs[i]);
    }
    return error;
}

const struct scene scene_compact = {
    .name = "compact",
    .what = "a chunk's mesh to 4 bytes a quad and back, and to meshlets and draw commands, by input",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
