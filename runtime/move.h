/* move.h - a chunk's version, or its mesh, copied to another node and put in the place of what was there. Nobody can tell but by where it lies: number, content and hashes are the same, so nothing is dirty, and no
 * watch is told.
 *
 *   of a version                                 if the process dies right after
 *   1 block taken on the node                    recovery frees it
 *   2 section entered; the same commit word      the same
 *     still; copied
 *   3 block word -> PUBLISHED; intent            named by no commit word: recovery retires it (publish.h, 2 and 3)
 *   4 entry.current: (n, old) -> (n, new), CAS   the new block is the version; recovery goes by the intent: tells of it once more than needed, retires the old block
 *   5 old block -> RETIRED, intent 0, section    the same; nothing
 *     left
 *
 * A publisher that comes in between has changed the word: then 4 fails, what it published lies where it was put, and nothing is moved. Of a mesh it is the same with entry.mesh. The entry is held meanwhile as by who
 * meshes it (dirty.h): nobody meshes it, or gives its version up, and if the process dies the chunk is meshed again.
 */
#ifndef ADIT_MOVE_H
#define ADIT_MOVE_H

#include "shm/shm.h"

/* Each: 0, it was moved to a block at place (as adit_block_alloc has it); 1: there is none, it was replaced meanwhile, is given up, or somebody is making its mesh. reader is borrowed and outside a section.
 * -ENOMEM, -ENOSPC: as adit_block_alloc; -EBADMSG: it is damaged; -EAGAIN: ousted each time. */
int adit_move_version(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint32_t place);
int adit_move_mesh(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint32_t place);

#endif
