/* material.h - names, colours and classes of materials, and each process's table of classes by id.
 *
 * Materials lie in the control segment:
 *
 *     free --CAS of owner--> naming --filled--> named --class counted (classes_changes)--> valid
 *
 * If its registrar dies naming, recovery frees the slot; named, whoever finds the name counts the class and makes it valid (so does recovery).
 * A table of classes may have been made just before, and still be the latest: nobody has an id before its class is counted, so all who have one
 * encode by its class.
 *
 * Encoding and meshing need the class of every id at once: each process keeps a table of 65,536 bytes, read under liburcu (private memory,
 * its "bulletproof" flavour: threads of the application need not register), and replaces it when somebody registered a
 * material that is not opaque (classes_changes).
 *
 *     const uint8_t *classes = adit_classes_enter(arena);
 *     if (classes) {
 *         encode(voxels, classes);
 *         adit_classes_exit(arena);
 *     }
 */
#ifndef ADIT_MATERIAL_H
#define ADIT_MATERIAL_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* enum adit_class of every id, ADIT_MATERIALS entries, up to date with all that was registered before the call; valid until
 * exit. NULL: no memory, and nothing to exit. Does not nest, and is not for sections: when classes changed it waits until every thread of this
 * process that is between enter and exit has been out, and some of these wait for sections to end. No system call otherwise. */
const uint8_t *adit_classes_enter(struct adit_arena *arena);
/* The same without waiting, also inside a section: NULL, and nothing to exit, when the table has to be made anew first (by enter). */
const uint8_t *adit_classes_try(struct adit_arena *arena);
void adit_classes_exit(struct adit_arena *arena);
/* A table of the caller's own, as up to date as enter's: for who is inside a section and finds none by try. Some 10 us. */
void adit_classes_copy(const struct adit_arena *arena, uint8_t by_id[ADIT_MATERIALS]);
/* For recovery: what the dead owner was naming is free again. */
void adit_material_recover(struct adit_arena *arena, uint32_t owner);
/* At detach, when no thread is between enter and exit. */
void adit_material_fini(struct adit_arena *arena);

#endif
