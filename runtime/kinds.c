/* kinds.c - the table of the kinds that adit brings along, and their names in an arena. */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/spares.h"
#include "shm/shm.h"

static const struct builtin {
    const char *name;
    adit_kind_run *run;
    uint32_t args_bytes, result_bytes_max;
    uint32_t capabilities;
    adit_kind_work *work;
    double guess_each_ns;
} builtins[] = {
    {"adit.fft", adit_kind_fft, sizeof(struct adit_fft_args), 0, 0, adit_kind_fft_work, 0.4},
    {"adit.compress", adit_kind_compress, sizeof(struct adit_compress_args), sizeof(struct adit_compress_result), 0, NULL, 0},
    {"adit.decompress", adit_kind_decompress, sizeof(struct adit_decompress_args), sizeof(struct adit_compress_result), 0, NULL, 0},
    {"adit.encode", adit_kind_encode, 0, sizeof(struct adit_encode_result), 0, NULL, 0},
    {"adit.decode", adit_kind_decode, 0, 0, 0, NULL, 0},
    {"adit.generate", adit_kind_generate, sizeof(struct adit_generate_args), sizeof(struct adit_generate_result), ADIT_CAN_PUBLISH, NULL, 0},
    {"adit.mesh", adit_kind_mesh, sizeof(struct adit_mesh_args), sizeof(struct adit_mesh_task_result), ADIT_CAN_PUBLISH, NULL, 0},
    {ADIT_MESH_DIRTY, adit_kind_mesh_dirty, sizeof(struct adit_mesh_dirty_args), sizeof(struct adit_mesh_dirty_result), ADIT_CAN_PUBLISH, NULL, 0},
    {"adit.cull", adit_kind_cull, sizeof(struct adit_cull_args), sizeof(struct adit_cull_result), 0, NULL, 0},
    {"adit.lod", adit_kind_lod, sizeof(struct adit_lod_args), sizeof(struct adit_lod_result), 0, NULL, 0},
    {"adit.lod_publish", adit_kind_lod_publish, sizeof(struct adit_lod_args), sizeof(struct adit_lod_result), ADIT_CAN_PUBLISH, NULL, 0},
    {"adit.move", adit_kind_move, sizeof(struct adit_move_args), sizeof(struct adit_move_result), ADIT_CAN_PUBLISH, NULL, 0},
    {"adit.raycast", adit_kind_raycast, sizeof(struct adit_raycast_args), sizeof(struct adit_raycast_result), 0, NULL, 0},
    {"adit.box", adit_kind_box, sizeof(struct adit_box_args), sizeof(struct adit_box_result), 0, adit_kind_box_work, 0},
    {"adit.mip", adit_kind_mip, sizeof(struct adit_mip_args), sizeof(struct adit_mip_result), 0, NULL, 0},
    {"adit.atlas", adit_kind_atlas, sizeof(struct adit_atlas_args), sizeof(struct adit_atlas_result), 0, NULL, 0},
};

static int register_one(struct adit_arena *arena, const struct builtin *b, uint32_t *kind)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = b->name, .run = b->run, .args_bytes_min = b->args_bytes, .args_bytes_max = b->args_bytes,
                                       .result_bytes_max = b->result_bytes_max, .capabilities = b->capabilities, .work = b->work, .guess_each_ns = b->guess_each_ns};
    return adit_kind_register(arena, &p, kind);
}

int adit_kinds_register_builtin(struct adit_arena *arena)
{
    int error = 0;
    uint32_t kind;
    for (uint32_t i = 0; i < sizeof builtins / sizeof *builtins && !error; i++)
        error = register_one(arena, &builtins[i], &kind);
    return error;
}

int adit_kinds_register_mesh_dirty(struct adit_arena *arena, uint32_t *kind)
{
    uint32_t i = 0;
    while (builtins[i].run != adit_kind_mesh_dirty)
        i++;
    return register_one(arena, &builtins[i], kind);
}

adit_mesh_kernel *adit_kind_kernel(const char name[8])
{
    static const char names[][8] = {"", "scalar", "avx2", "avx512"};
    static adit_mesh_kernel *kernels[sizeof names / sizeof *names];
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (memcmp(name, names[i], sizeof names[i]))
            continue;
        adit_mesh_kernel *k = __atomic_load_n(&kernels[i], __ATOMIC_RELAXED); /* relaxed: whoever asks gets the same */
        if (!k) {
            k = *name ? adit_mesh_kernel_named(name) : adit_mesh_kernel_best(NULL);
            __atomic_store_n(&kernels[i], k, __ATOMIC_RELAXED);
        }
        return k;
    }
    return NULL;
}

int adit_kind_io_open(const struct adit_task_run *run, struct adit_kind_io *io)
{
    const struct adit_task_buffer *b = run->buffers;
    if (run->buffers_n != 2 || b[0].access != ADIT_READ || b[1].access != ADIT_WRITE)
        return -EINVAL;
    *io = (struct adit_kind_io){b[0].data, b[1].data, b[0].bytes, b[1].bytes};
    return 0;
}

static struct adit_spares voxels_kept;

uint16_t *adit_kind_voxels_take(void)
{
    uint16_t *v = adit_spares_take(&voxels_kept);
    return v ? v : aligned_alloc(64, ADIT_CHUNK_VOXELS * sizeof *v);
}

void adit_kind_voxels_give(uint16_t *voxels)
{
    if (voxels && !adit_spares_give(&voxels_kept, voxels))
        free(voxels);
}

int adit_kind_read_chunk(struct adit_arena *arena, const struct adit_key *key, uint16_t *voxels, uint64_t *version)
{
    struct adit_reader *reader;
    struct adit_chunk_view view;
    int error = adit_rcu_borrow(arena, &reader);
    if (error)
        return error;
    adit_rcu_enter(reader);
    error = adit_chunk_version(arena, key, version);
    if (!error)
        error = adit_chunk_acquire(reader, key, &view);
    if (!error) {
        *version = view.version;
        adit_chunk_decode(&view, voxels);
    } else if (error == -ENOENT) { /* a removal is a version, too; one that comes in between is found by if_version */
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
        error = 0;
    }
    if (!adit_rcu_exit(reader))
        error = -ESTALE;
    adit_rcu_give_back(arena, reader);
    return error;
}
