/* crashscene.h - the arena that crash tests work on (crasharena.h): made, looked at after a recovery, and used once more. */
#ifndef ADIT_CRASHSCENE_H
#define ADIT_CRASHSCENE_H

#include "runtime/adit.h"

/* A small arena of that name with the scene in it. *watch: of all keys, drained. */
struct adit_arena *crash_scene_create(const char *name, struct adit_watch **watch);
/* In a judge: the host's watch on the arena that is judged. */
void crash_scene_use(struct adit_watch *watch);

/* After recovery: NULL, or what of the dead is left. */
const char *crash_scene_is_recovered(struct adit_arena *arena);
/* A full round: every dirty chunk meshed, a version published, read, replaced and removed, all retired blocks reclaimed; then
 * every block is free or named, and every mesh is of the current version. NULL, or what fails. */
const char *crash_scene_round(struct adit_arena *arena);

#endif
