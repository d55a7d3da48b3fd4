/* mesher.h - one chunk of the store meshed and its mesh published: the glue between the store and a kernel.
 *
 * Caller has claimed the entry (dirty.h). Inside one section the adjoining border planes of the six
 * neighbours, and with ambient occlusion the cells diagonal to the chunk (rim.h), are copied out and the kernel reads the current version where it lies. So the section lasts as long as the mesh takes: tens of
 * microseconds for terrain, milliseconds for a chunk of noise, which is what memory may be held back by. The mesh names the versions
 * it was made from. Its commit is the CAS of entry.mesh; only who holds the claim may do it. If the process dies before,
 * the block is LOANED (recovery frees it) or PUBLISHED and unnamed (the scrub retires it), and the claim is undone.
 */
#ifndef ADIT_MESHER_H
#define ADIT_MESHER_H

#include "kernels/kernels.h"
#include "runtime/executor.h"
#include "runtime/scratch.h"

/* What a mesh was made from, and names: as in struct adit_mesh (shm/layout.h). */
struct adit_mesh_origin {
    uint64_t key; /* whose chunk it was: of an entry that is not claimed it may be another's by now */
    uint64_t version[7], border_hash[6];
    uint64_t newest_ns; /* when the newest of these versions was published */
    uint32_t rim_hash;  /* of the cells diagonal to it, 0: they did not count */
    uint32_t maker;     /* enum adit_maker */
    uint64_t begin_ns;  /* when its making began; 0: that is not counted by the mesh */
};

/* Reads and meshes the entry at index in one section, into r->quads (room for r->quads_max), which need not be claimed; what it was made from is *origin. own: NULL, or room for
 * ADIT_MATERIALS classes, used when this process's table is not up to date. scratch is borrowed and outside a section. Does not block. -ENOSPC: more room is needed, r says how much;
 * -ESTALE: classes are to be made anew, and own is NULL; -EAGAIN: ousted, and what was read may have been anything; -EBADMSG. */
int adit_mesher_make(struct adit_arena *arena, struct adit_scratch *scratch, adit_mesh_kernel *kernel, uint8_t flags, uint32_t index, uint8_t *own,
                     struct adit_mesh_origin *origin, struct adit_mesh_result *r);

/* Meshes the entry at index with kernel (flags as in kernels/mesh.h, and those of the arena: TT_NONE, AO) and publishes the result. scratch is borrowed and
 * outside a section. -ENOMEM: no room; -EBADMSG: the version is damaged; -EAGAIN: it was ousted, or what it
 * read changed each time; the mesh there is stays. */
int adit_mesher_run(struct adit_arena *arena, struct adit_scratch *scratch, adit_mesh_kernel *kernel, uint8_t flags,
                    uint32_t index);

/* Ends the claim of an entry after an attempt at its mesh. False: it is dirty again, as there was no memory, no reader, or it changed each time: who tries again at
 * once should rest first. */
bool adit_mesher_done(struct adit_arena *arena, uint32_t index, int error);

/* Meshes and publishes a claimed entry and ends the claim: what a worker does. *meshed counts it before that, for whoever waits for the end. One whose version was
 * given up (dirty.h) is not meshed. As done. */
bool adit_mesher_work(struct adit_arena *arena, adit_mesh_kernel *kernel, uint8_t flags, uint32_t index, uint64_t *meshed);

/* For a device, inside a section of the caller: reads the entry at index, claimed by the caller, and adds it to a batch of the executor. Does not block. 0 with its
 * origin. 1: it is better meshed in place (air, one material, classes to be made anew). -ENOSPC, -EBADMSG, -ENOTSUP: as add of executor.h; mesh it in
 * place. When the section turns out to have been ousted, what was read may have been anything. */
int adit_mesher_add(struct adit_arena *arena, uint8_t flags, uint32_t index, const struct adit_executor *executor, void *batch,
                    struct adit_mesh_origin *origin);

/* Publishes a mesh made from origin for the entry at index, which the caller has claimed since before it was read. reader is borrowed and outside a section. -ENOMEM: no
 * room; -EAGAIN: as run. */
int adit_mesher_publish(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, const struct adit_mesh_origin *origin,
                        const struct adit_mesh_result *result);

#endif
