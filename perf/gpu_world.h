/* gpu_world.h - a piece of a generated world as versions in memory, what a device is given of it, and the same meshed by the CPU. */
#ifndef PERF_GPU_WORLD_H
#define PERF_GPU_WORLD_H

#include "gpu/mesh_batch.h"

struct gpu_world {
    const char *name;
    uint32_t n;
    uint8_t classes[ADIT_MATERIALS];
    struct adit_mesh_task *tasks; /* n */
    void **blocks;                /* n */
    uint64_t quads, source_bytes; /* of all meshes; of all blocks */
    size_t bytes_each_max;        /* room for one chunk and its neighbours' planes */
};

/* n chunks of a generator of kernels/generate.h (8 along x, two layers, the rest along z), each with those neighbours that are among
 * them; flags: of kernels/mesh.h, for all. Ends the program when there is no memory. */
struct gpu_world *gpu_world_make(const char *generator, uint64_t seed, uint32_t n, uint32_t flags);
void gpu_world_free(struct gpu_world *world);

/* What meshing on the CPU needs: a thread's own. */
struct gpu_world_cpu;
struct gpu_world_cpu *gpu_world_cpu_open(void);
void gpu_world_cpu_close(struct gpu_world_cpu *cpu);
/* Decodes chunk i and its neighbours' planes, as the dispatcher does, and meshes it with the best kernel. */
const struct adit_mesh_result *gpu_world_cpu_mesh(struct gpu_world_cpu *cpu, const struct gpu_world *world, uint32_t i);

/* True when mesh is, byte for byte, that of chunk i. */
bool gpu_world_equals(const struct gpu_world *world, uint32_t i, const struct adit_mesh_result *mesh);

#endif
