/* arena_json.h - what the library tells of an arena, as JSON: the same keys in adit dump and in shmtop. */
#ifndef ADIT_ARENA_JSON_H
#define ADIT_ARENA_JSON_H

#include <jansson.h>

#include "runtime/adit.h"

const char *adit_arena_role(enum adit_role role);

/* Counts of the whole arena, segments left out. */
json_t *adit_arena_stats_json(const struct adit_stats *stats);
/* [{"segment": 0, ...}, ...] */
json_t *adit_arena_segments_json(const struct adit_stats *stats);
json_t *adit_arena_participant_json(const struct adit_participant_info *participant);

#endif
