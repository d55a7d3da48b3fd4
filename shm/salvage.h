/* salvage.h - what a dead participant left in the tables of shm/: reader slots, pins, block words.
 *
 * For the keeper (keeper.h), which calls it through runtime/recover.c once the process is known to run no more: not one of its
 * threads can store anything later. Each call may be cut off anywhere and made again, by this process or by the next keeper;
 * made twice it does nothing the second time. Everybody else goes on meanwhile.
 *
 *   what names the dead owner                 becomes                         if the recovering process dies in between
 *   reader slot                               epoch 0, then owner 0           the slot still names the dead: done again
 *   block LOANED                              LOANED(keeper), interior 0,     LOANED names a keeper that is dead now: its own
 *                                             then FREE                       recovery frees it
 *   block LOANED inside one LOANED by it      0 (void: split or merge cut     the same
 *                                             off, see block.c)
 *   block RETIRED                             RETIRED(nobody)                 orphanings has not grown: it does when this is done
 *   block PUBLISHED, named by nothing         RETIRED(nobody)                 again to the end
 *   pins of its row                           0                               done again
 */
#ifndef ADIT_SALVAGE_H
#define ADIT_SALVAGE_H

#include "shm/arena.h"
#include "shm/refset.h"

/* Ends the sections of the dead owner and frees its reader slots; its intents must have been seen to. */
void adit_salvage_readers(struct adit_arena *arena, uint32_t owner);

/* Frees or orphans its blocks. named: what commit words named at a time when the owner was dead already, sorted. */
void adit_salvage_blocks(struct adit_arena *arena, uint32_t owner, const struct adit_refset *named);

/* Lets go of what the participant in slot pinned. */
void adit_salvage_pins(struct adit_arena *arena, uint32_t slot);

#endif
