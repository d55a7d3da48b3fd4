/* path_mesh.c - instructions of meshing and halving a chunk, by kernel and input. Versions as they are published, which is what dispatchers mesh. */
#include <errno.h>
#include <stdlib.h>

#include "perf/count.h"
#include "perf/lab_voxels.h"

enum { HILLS, TERRAIN, HILLS_AND_SKY, NOISE50 }; /* of voxels_inputs */
enum { SCALAR, AVX2 };
#define OF(kernel, input) ((uint64_t)(kernel) << 8 | (uint64_t)(input))

static const char *const kernels[] = {"scalar", "avx2"};
static struct voxels_source *source;
static struct adit_mesh_result result;
static adit_mesh_kernel *mesh;
static adit_lod_kernel *halve;
static uint16_t *halved;

static int open_source(uint64_t input)
{
    source = aligned_alloc(64, sizeof *source);
    return source ? voxels_source_fill(source, &voxels_inputs[input]) : -ENOMEM;
}

static int open_mesh(uint64_t argument)
{
    mesh = adit_mesh_kernel_named(kernels[argument >> 8]);
    if (!mesh)
        return -ENOTSUP;
    result = (struct adit_mesh_result){.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)), .quads_max = ADIT_MESH_QUADS_MAX};
    return result.quads ? open_source(argument & 255) : -ENOMEM;
}

static int open_halve(uint64_t argument)
{
    halve = adit_lod_kernel_named(kernels[argument >> 8]);
    if (!halve)
        return -ENOTSUP;
    halved = malloc(ADIT_CHUNK_VOXELS / 8 * sizeof *halved);
    return halved ? open_source(argument & 255) : -ENOMEM;
}

static void close_mesh(void)
{
    free(source);
    free(result.quads);
    free(halved);
    source = NULL;
    result.quads = NULL;
    halved = NULL;
}

static int run_mesh(uint64_t n)
{
    int error = 0;
    for (uint64_t i = 0; i < n; i++)
        error |= mesh(&source->published, &result);
    return error ? -EIO : 0;
}

static int run_halve(uint64_t n)
{
    const uint32_t d = ADIT_CHUNK_DIM, h = d / 2;
    int error = 0;
    for (uint64_t i = 0; i < n; i++)
        error |= halve(&(struct adit_lod_halving){.from = source->voxels, .to = halved, .from_row = d, .from_layer = d * d, .to_row = h, .to_layer = h * h, .dim = {(uint8_t)d, (uint8_t)d, (uint8_t)d}});
    return error ? -EIO : 0;
}

const struct count_path count_mesh[] = {
    {"mesh: scalar, hills", 4, OF(SCALAR, HILLS), open_mesh, run_mesh, close_mesh},
    {"mesh: scalar, terrain", 2, OF(SCALAR, TERRAIN), open_mesh, run_mesh, close_mesh},
    {"mesh: avx2, hills", 8, OF(AVX2, HILLS), open_mesh, run_mesh, close_mesh},
    {"mesh: avx2, terrain", 4, OF(AVX2, TERRAIN), open_mesh, run_mesh, close_mesh},
    {"mesh: avx2, noise50", 1, OF(AVX2, NOISE50), open_mesh, run_mesh, close_mesh},
    {"lod: scalar, terrain", 2, OF(SCALAR, TERRAIN), open_halve, run_halve, close_mesh},
    {"lod: avx2, terrain", 8, OF(AVX2, TERRAIN), open_halve, run_halve, close_mesh},
    {0},
};
