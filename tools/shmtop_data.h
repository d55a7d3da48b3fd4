/* shmtop_data.h - where shmtop's samples come from: an arena, seen as an observer, who takes no slot and stores nothing.
 */
#ifndef ADIT_SHMTOP_DATA_H
#define ADIT_SHMTOP_DATA_H

#include <stddef.h>

#include "runtime/adit.h"
#include "tools/shmtop_model.h"

/* Attaches to the arena name, or with NULL to the only one there is, and notes its name in model. 0, or an exit code
 * and one line in error. */
int shmtop_data_open(const char *name, struct shmtop_model *model, struct adit_arena **arena, char *error,
                     size_t error_bytes);

/* Takes a sample. When it cannot be taken the model keeps the last one and says so in its trouble. */
void shmtop_data_sample(struct adit_arena *arena, struct shmtop_model *model);

#endif
