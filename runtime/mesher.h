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
#include "runtime/scratch.h"

/* Meshes the entry at index with kernel (flags as in kernels/mesh.h, and those of the arena: TT_NONE, AO) and publishes the result. scratch is borrowed and
 * outside a section. -ENOMEM: no room; -EBADMSG: the version is damaged; -EAGAIN: it was ousted, or what it
 * read changed each time; the mesh there is stays. */
int adit_mesher_run(struct adit_arena *arena, struct adit_scratch *scratch, adit_mesh_kernel *kernel, uint8_t flags,
                    uint32_t index);

#endif
