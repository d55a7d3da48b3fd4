#include "perf/gpu_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

#define ACROSS 8u /* along x */
#define LAYERS 2u /* along y */
#define QUADS_MAX ADIT_MESH_QUADS_MAX

struct gpu_world_cpu {
    uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
    struct adit_mesh_result result;
    adit_mesh_kernel *kernel;
    uint64_t *quads;
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("gpu-bench: no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void *encode(struct adit_encode_plan *plan, const uint16_t *voxels, const uint8_t *classes, size_t *bytes)
{
    (void)adit_encode_plan(plan, voxels, classes, bytes);
    void *block = must(aligned_alloc(64, (*bytes + 63) & ~(size_t)63));
    memset(block, 0, *bytes);
    adit_encode_write(plan, block);
    return block;
}

/* The index of the neighbour across face, or n. */
static uint32_t beside(const struct gpu_world *w, uint32_t i, uint32_t face)
{
    int32_t at[3] = {(int32_t)(i % ACROSS), (int32_t)(i / ACROSS % LAYERS), (int32_t)(i / ACROSS / LAYERS)};
    at[adit_face_axis(face)] += face & 1 ? 1 : -1;
    if (at[0] < 0 || at[0] >= (int32_t)ACROSS || at[1] < 0 || at[1] >= (int32_t)LAYERS || at[2] < 0)
        return w->n;
    uint32_t j = ((uint32_t)at[2] * LAYERS + (uint32_t)at[1]) * ACROSS + (uint32_t)at[0];
    return j < w->n ? j : w->n;
}

static void set_classes(struct gpu_world *w, const struct adit_generator *g)
{
    memset(w->classes, ADIT_CLASS_OPAQUE, sizeof w->classes);
    w->classes[0] = ADIT_CLASS_AIR;
    for (uint32_t m = 1; m < g->materials_n; m++)
        w->classes[m] = (uint8_t)g->materials[m].material_class;
}

struct gpu_world *gpu_world_make(const char *generator, uint64_t seed, uint32_t n, uint32_t flags)
{
    const struct adit_generator *g = adit_generator_named(generator);
    struct gpu_world *w = must(calloc(1, sizeof *w));
    struct adit_encode_plan *plan = must(malloc(adit_encode_plan_bytes()));
    uint16_t *voxels = must(malloc(ADIT_CHUNK_VOXELS * sizeof *voxels));
    w->name = generator;
    w->n = n;
    w->tasks = must(calloc(n, sizeof *w->tasks));
    w->blocks = must(calloc(n, sizeof *w->blocks));
    set_classes(w, g);
    for (uint32_t i = 0; i < n; i++) {
        size_t bytes;
        adit_generate(g, seed, (int32_t)(i % ACROSS), (int32_t)(i / ACROSS % LAYERS), (int32_t)(i / ACROSS / LAYERS), voxels);
        w->blocks[i] = encode(plan, voxels, w->classes, &bytes);
        w->tasks[i] = (struct adit_mesh_task){.version = w->blocks[i], .bytes = bytes, .flags = flags};
        w->source_bytes += bytes;
        w->bytes_each_max = bytes > w->bytes_each_max ? bytes : w->bytes_each_max;
    }
    w->bytes_each_max += ADIT_FACES * 9000u;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t f = 0; f < ADIT_FACES; f++) {
            uint32_t j = beside(w, i, f);
            if (j < n) {
                w->tasks[i].beside[f] = w->tasks[j].version;
                w->tasks[i].beside_bytes[f] = w->tasks[j].bytes;
            }
        }
    free(voxels);
    free(plan);
    struct gpu_world_cpu *cpu = must(gpu_world_cpu_open());
    for (uint32_t i = 0; i < n; i++)
        w->quads += gpu_world_cpu_mesh(cpu, w, i)->start[ADIT_MESH_RANGES];
    gpu_world_cpu_close(cpu);
    return w;
}

void gpu_world_free(struct gpu_world *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        free(w->blocks[i]);
    free(w->blocks);
    free(w->tasks);
    free(w);
}

struct gpu_world_cpu *gpu_world_cpu_open(void)
{
    struct gpu_world_cpu *cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    if (!cpu)
        return NULL;
    cpu->kernel = adit_mesh_kernel_best(NULL);
    cpu->quads = malloc(QUADS_MAX * sizeof *cpu->quads);
    if (!cpu->quads)
        gpu_world_cpu_close(cpu), cpu = NULL;
    return cpu;
}

void gpu_world_cpu_close(struct gpu_world_cpu *cpu)
{
    if (cpu)
        free(cpu->quads);
    free(cpu);
}

const struct adit_mesh_result *gpu_world_cpu_mesh(struct gpu_world_cpu *cpu, const struct gpu_world *w, uint32_t i)
{
    const struct adit_mesh_task *t = &w->tasks[i];
    struct adit_mesh_source source = {.voxels = cpu->voxels, .classes = w->classes, .dim = {64, 64, 64}, .flags = (uint8_t)t->flags};
    (void)adit_decode_chunk_within(t->version, t->bytes, cpu->voxels);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (t->beside[f] && adit_decode_plane_within(t->beside[f], t->beside_bytes[f], (enum adit_face)(f ^ 1), cpu->planes[f]))
            source.plane[f] = cpu->planes[f];
    cpu->result = (struct adit_mesh_result){.quads = cpu->quads, .quads_max = QUADS_MAX};
    (void)cpu->kernel(&source, &cpu->result);
    return &cpu->result;
}

bool gpu_world_equals(const struct gpu_world *w, uint32_t i, const struct adit_mesh_result *mesh)
{
    struct gpu_world_cpu *cpu = must(gpu_world_cpu_open());
    const struct adit_mesh_result *want = gpu_world_cpu_mesh(cpu, w, i);
    bool equal = !memcmp(mesh->start, want->start, sizeof mesh->start) && mesh->faces == want->faces &&
                 !memcmp(mesh->bounds_lo, want->bounds_lo, 3) && !memcmp(mesh->bounds_hi, want->bounds_hi, 3) &&
                 !memcmp(mesh->quads, want->quads, want->start[ADIT_MESH_RANGES] * sizeof *want->quads);
    gpu_world_cpu_close(cpu);
    return equal;
}
