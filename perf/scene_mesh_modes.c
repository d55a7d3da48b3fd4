/* scene_mesh_modes.c - what else a mesher is asked for, by the best kernel on published versions, one thread: ambient occlusion, light, opaque faces merged over
 * materials, everything see-through, and faces not merged at all. Beside reading 256 KiB from the cache, or beside the same chunk meshed plainly. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_voxels.h"
#include "perf/raw.h"
#include "perf/scenes.h"

enum raw_of { RAW_READ, RAW_PLAINLY };

/* is_glass: all materials are translucent. per_quad: the figure is nanoseconds a quad. */
static const struct mode {
    const char *name;
    uint8_t flags;
    bool is_glass, is_lit, per_quad;
    enum raw_of raw;
    struct goal goal; /* for hills and terrain; microseconds of the issue are ratios to a read of 1.6 us */
} modes[] = {
    {.name = "AO", .flags = ADIT_MESH_AO, .raw = RAW_READ, .goal = {GOAL_RATIO, 40 / 1.6}},
    {.name = "AO beside none", .flags = ADIT_MESH_AO, .raw = RAW_PLAINLY},
    {.name = "AO and light", .flags = ADIT_MESH_AO, .is_lit = true, .raw = RAW_PLAINLY},
    {.name = "any material", .flags = ADIT_MESH_ANY_OPAQUE, .raw = RAW_PLAINLY},
    {.name = "see-through, faces to air", .flags = ADIT_MESH_TT_NONE, .is_glass = true, .raw = RAW_PLAINLY, .goal = {GOAL_RATIO, 1.3}},
    {.name = "see-through", .is_glass = true, .raw = RAW_PLAINLY},
    {.name = "culled, a quad", .flags = ADIT_MESH_CULLED, .per_quad = true, .raw = RAW_PLAINLY, .goal = {GOAL_MEDIAN, 1.0}}, /* of noise, which is all quads */
};

struct meshing {
    struct voxels_source *source;
    adit_mesh_kernel *kernel;
    struct adit_mesh_source form, plainly; /* of the mode, and of one material class without flags */
    struct adit_mesh_result result, other;
    uint8_t opaque[ADIT_MATERIALS], glass[ADIT_MATERIALS];
    uint16_t light[ADIT_CHUNK_VOXELS];
};

static double time_of(struct meshing *m, const struct adit_mesh_source *form, struct adit_mesh_result *result, uint64_t rounds)
{
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= m->kernel(form, result);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double mode_block(void *context, uint64_t rounds)
{
    struct meshing *m = context;
    return time_of(m, &m->form, &m->result, rounds);
}

static double plainly_block(void *context, uint64_t rounds)
{
    struct meshing *m = context;
    return time_of(m, &m->plainly, &m->other, rounds);
}

static double read_block(void *context, uint64_t rounds)
{
    struct meshing *m = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        raw_read(m->source->voxels, ADIT_CHUNK_VOXELS);
    return (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct meshing *m, const char *input, const struct mode *mode)
{
    char name[64], note[96];
    m->form = m->plainly = m->source->published;
    m->plainly.classes = m->opaque;
    m->form.classes = mode->is_glass ? m->glass : m->opaque;
    m->form.flags = mode->flags;
    m->form.light = mode->is_lit ? m->light : NULL;
    int error = m->kernel(&m->form, &m->result);
    snprintf(name, sizeof name, "%s, %s", input, mode->name);
    if (error || m->kernel(&m->plainly, &m->other)) {
        bench_fail(bench, name, "meshing", error);
        return error ? error : -EIO;
    }
    uint32_t quads = m->result.start[ADIT_MESH_RANGES];
    snprintf(note, sizeof note, "%u faces in %u quads", m->result.faces, quads);
    bool is_read = mode->raw == RAW_READ, is_judged = !mode->per_quad || !strcmp(input, "noise50");
    return bench_measure(bench, &(struct bench_spec){.figure = name, .unit = mode->per_quad ? "ns" : "us", .scale = mode->per_quad ? 1.0 / quads : 1e-3, .note = note,
                                                     .goal = is_judged ? mode->goal : (struct goal){GOAL_NONE, 0}, .ours = {mode->name, mode_block, m},
                                                     .raw = {is_read ? "reading 256 KiB" : "meshed plainly", is_read ? read_block : plainly_block, m}});
}

static int run(struct bench *bench)
{
    struct meshing *m = aligned_alloc(64, (sizeof *m + 63) / 64 * 64);
    if (!m)
        return -ENOMEM;
    *m = (struct meshing){.source = aligned_alloc(64, sizeof *m->source), .kernel = adit_mesh_kernel_best(NULL)};
    m->result.quads_max = m->other.quads_max = ADIT_MESH_QUADS_MAX;
    m->result.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    m->other.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    if (!m->source || !m->result.quads || !m->other.quads)
        return -ENOMEM;
    memset(m->opaque + 1, ADIT_CLASS_OPAQUE, sizeof m->opaque - 1);
    memset(m->glass + 1, ADIT_CLASS_TRANSLUCENT, sizeof m->glass - 1);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* less with each eight voxels down, and changing along z */
        m->light[i] = (uint16_t)(i / ADIT_CHUNK_DIM % ADIT_CHUNK_DIM / 8 * 16 + i / ADIT_PLANE_VOXELS / 16);
    int error = 0;
    for (uint32_t i = 0; i < voxels_inputs_n && !error; i++) {
        const struct voxels_input *input = &voxels_inputs[i];
        bool is_noise = !strcmp(input->name, "noise50");
        if (!is_noise && strcmp(input->name, "hills") && strcmp(input->name, "terrain"))
            continue;
        error = voxels_source_fill(m->source, input);
        for (size_t k = 0; k < sizeof modes / sizeof modes[0] && !error; k++)
            if (!is_noise || modes[k].per_quad)
                error = measure(bench, m, input->name, &modes[k]);
    }
    return error;
}

const struct scene scene_mesh_modes = {
    .name = "mesh-modes",
    .what = "meshing with AO, light, merged over materials, see-through, and not merged, by the best kernel",
    .unit = "us",
    .goal = "AO in the time of 25 reads of 256 KiB; all see-through at 1.3 times opaque; culled a quad a nanosecond",
    .cpus = 1,
    .run = run,
};
