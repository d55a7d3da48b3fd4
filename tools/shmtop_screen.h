/* shmtop_screen.h - the live form: pages of shmtop_view.h on a terminal, through ncursesw.
 */
#ifndef ADIT_SHMTOP_SCREEN_H
#define ADIT_SHMTOP_SCREEN_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"
#include "tools/shmtop_model.h"

/* Shows the arena until q or a signal, sampling every interval_ns. The terminal is as before afterwards. Returns an exit
 * code; a line in error when it is not 0. */
int shmtop_screen_run(struct adit_arena *arena, struct shmtop_model *model, uint64_t interval_ns, char *error,
                      size_t error_bytes);

#endif
