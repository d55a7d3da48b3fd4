/* damage.h - what a job that kept the sound part of a world says at its end.
 *
 *     struct adit_damage damage = adit_damage_of(world);    // while it is open
 *     ...
 *     return adit_damage_exit("adit run", spec, &damage);   // 0, or 2 after one line a kind of loss
 */
#ifndef ADIT_DAMAGE_H
#define ADIT_DAMAGE_H

#include <stdint.h>

#include "tools/worlds/world.h"

/* As in struct adit_world: what was read, and what was left out. */
struct adit_damage {
    uint32_t columns_read, columns_skipped, columns_large, parts_skipped, models_far;
};

struct adit_damage adit_damage_of(const struct adit_world *world);

/* 0 when nothing was left out, else ADIT_EXIT_BAD_INPUT after a line for each kind of loss with its cure. */
int adit_damage_exit(const char *program, const char *spec, const struct adit_damage *damage);

#endif
