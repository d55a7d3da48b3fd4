/* roll.h - who of an arena's participants matters when something died: the keeper, and the dead who wait for it.
 *
 *     struct adit_roll roll;
 *     adit_roll_call(arena, true, &roll);
 *     adit_roll_print(&roll, name);
 */
#ifndef ADIT_ROLL_H
#define ADIT_ROLL_H

#include <jansson.h>
#include <stdbool.h>

#include "runtime/adit.h"

#define ADIT_ROLL_DEAD_MAX 16u

struct adit_roll {
    struct adit_participant_info keeper;
    bool has_keeper; /* false: between two keepers, or none is attached any more */
    struct adit_participant_info dead[ADIT_ROLL_DEAD_MAX];
    uint32_t dead_n; /* in all; dead has the first of them */
};

/* living: processes are asked for; off for images, whose processes are of another time: who was marked dead then is dead. */
void adit_roll_call(struct adit_arena *arena, bool living, struct adit_roll *roll);

/* "keeper pid 12 (slot 0, adit serve)", or that there is none. Returns text. */
char *adit_roll_keeper(const struct adit_roll *roll, char *text, size_t bytes);

/* A line on stdout for each of the dead; nothing when there are none. name: printable. */
void adit_roll_print(const struct adit_roll *roll, const char *name);

/* Sets object's "keeper" (null, or slot, pid, state, label), "dead" (how many) and "dead_list" (the same of each, and "state": "dead" once
 * the keeper is at it). */
void adit_roll_json(const struct adit_roll *roll, json_t *object);

#endif
