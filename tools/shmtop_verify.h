/* shmtop_verify.h - has the verifier look at an arena or image once (adit_verify), and keeps in the model what it has found; the screen findings shows that.
 */
#ifndef ADIT_SHMTOP_VERIFY_H
#define ADIT_SHMTOP_VERIFY_H

#include "tools/shmtop_model.h"

/* An image's look is one, as nothing moves in it; an arena's findings count that stay for three (adit_verify). Stores nothing; some 10 ms and more by the arena's size. */
void shmtop_verify(const struct adit_arena *arena, struct shmtop_model *model);

#endif
