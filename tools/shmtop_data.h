/* shmtop_data.h - where shmtop's snapshots come from: an arena or an image, seen as an observer, who takes no slot and stores nothing.
 */
#ifndef ADIT_SHMTOP_DATA_H
#define ADIT_SHMTOP_DATA_H

#include <stddef.h>

#include "runtime/adit.h"
#include "tools/shmtop_model.h"

/* Opens what operand means: a file that is an image, else the arena of that name, or with NULL the only one there is; notes its name in model. A path that is a guests' socket is looked at as a guest. 0, or an exit
 * code and one line in error. */
int shmtop_data_open(const char *operand, struct shmtop_model *model, struct adit_arena **arena, char *error, size_t error_bytes);

/* Takes a snapshot into the model's history. When it cannot be taken the model keeps what it has and says so in its trouble. */
void shmtop_data_sample(struct adit_arena *arena, struct shmtop_model *model);

#endif
