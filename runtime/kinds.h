/* kinds.h - the kinds of tasks that adit brings along (adit_kinds.h says what each does): what their files share.
 *
 * Each is a function of the type adit_kind_run in a file of its own, kind_<what>.c, and a line in kinds.c's table. A kind that uses buffers runs in a section of its worker:
 * it takes no memory from the arena, so it never waits for sections to end. What publishes uses none.
 */
#ifndef ADIT_KINDS_INSIDE_H
#define ADIT_KINDS_INSIDE_H

#include "kernels/kernels.h"
#include "runtime/adit.h"

adit_kind_run adit_kind_fft, adit_kind_compress, adit_kind_decompress, adit_kind_encode, adit_kind_decode, adit_kind_generate, adit_kind_mesh, adit_kind_mesh_dirty, adit_kind_cull, adit_kind_lod, adit_kind_lod_publish,
    adit_kind_raycast, adit_kind_move, adit_kind_box, adit_kind_mip, adit_kind_atlas;
/* Points times their binary logarithm, all transforms; voxels of the box. */
adit_kind_work adit_kind_fft_work, adit_kind_box_work;

_Static_assert(sizeof(struct adit_fft_args) == 16, "adit_fft_args");
_Static_assert(sizeof(struct adit_compress_args) == 16 && sizeof(struct adit_decompress_args) == 16, "adit_compress_args");
_Static_assert(sizeof(struct adit_generate_args) == 56 && sizeof(struct adit_key) == 16, "adit_generate_args");
_Static_assert(sizeof(struct adit_mesh_args) == 24 && sizeof(struct adit_mesh_task_result) == 32, "adit_mesh_args");
_Static_assert(sizeof(struct adit_cull_args) == 16 && sizeof(struct adit_cull_result) == 40, "adit_cull_args");
_Static_assert(sizeof(struct adit_lod_args) == 16 && sizeof(struct adit_lod_result) == 24, "adit_lod_args");
_Static_assert(sizeof(struct adit_move_args) == 32 && sizeof(struct adit_move_result) == 16, "adit_move_args");
_Static_assert(sizeof(struct adit_raycast_args) == 48 && sizeof(struct adit_raycast_result) == 48, "adit_raycast_args");
_Static_assert(sizeof(struct adit_box_args) == 32 && sizeof(struct adit_box_result) == 32 && sizeof(struct adit_box_voxel) == 16, "adit_box_args");
_Static_assert(sizeof(struct adit_mip_args) == 16 && sizeof(struct adit_mip_result) == 16, "adit_mip_args");
_Static_assert(sizeof(struct adit_atlas_args) == 16 && sizeof(struct adit_atlas_result) == 16, "adit_atlas_args");
_Static_assert(sizeof(struct adit_atlas_image) == 16 && sizeof(struct adit_atlas_place) == 16, "adit_atlas_image");

/* adit.mesh_dirty: of dispatchers alone (foreman.h). Meshes the chunk at index of the store if it is dirty and nobody is at it, by the kernel of that name. All of it lies on the first line of the
 * task. -EINVAL; -EBUSY: a second attempt, and somebody else has been at it for a second. */
struct adit_mesh_dirty_args {
    uint32_t index;
    uint8_t culled, zero[3];
    char kernel[8]; /* zeroes behind it */
};
struct adit_mesh_dirty_result {
    uint32_t made; /* 1: it has published a mesh */
    uint32_t took_ns;
};
#define ADIT_MESH_DIRTY "adit.mesh_dirty"
_Static_assert(sizeof(struct adit_mesh_dirty_args) == 16 && sizeof(struct adit_mesh_dirty_result) == 8, "adit_mesh_dirty_args");

/* Registers that kind alone, as adit_kinds_register_builtin; its id. */
int adit_kinds_register_mesh_dirty(struct adit_arena *arena, uint32_t *kind);

/* The mesh kernel of that name (8 bytes, zeroes behind), kept, as asking the processor what it can costs more than a small mesh. "": the best. NULL: this machine has none of
 * that name. */
adit_mesh_kernel *adit_kind_kernel(const char name[8]);

/* The buffers of a kind that makes one out of another. */
struct adit_kind_io {
    const void *from;
    void *to;
    uint64_t from_bytes, to_bytes;
};
/* -EINVAL: they are not READ, WRITE. */
int adit_kind_io_open(const struct adit_task_run *run, struct adit_kind_io *io);

/* Room for the voxels of a chunk, aligned to 64 bytes and uninitialised, NULL: no memory; handed on from task to task. give: NULL is none. */
uint16_t *adit_kind_voxels_take(void);
void adit_kind_voxels_give(uint16_t *voxels);

/* Decodes the chunk's current version into voxels, air when it has none or was removed, in a section of its own; *version: its number, 0: never any. -ERANGE, -EBADMSG, -ESTALE,
 * -EUSERS, -EAGAIN. */
int adit_kind_read_chunk(struct adit_arena *arena, const struct adit_key *key, uint16_t *voxels, uint64_t *version);

/* Result is size bytes of a struct. */
static inline void adit_kind_result(void *result, uint32_t *result_bytes, const void *from, uint32_t size)
{
    __builtin_memcpy(result, from, size);
    *result_bytes = size;
}

#endif
