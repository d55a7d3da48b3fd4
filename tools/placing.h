/* placing.h - what commands that make an arena say of its nodes: where chunks are to lie, and who has meshed them. */
#ifndef ADIT_PLACING_H
#define ADIT_PLACING_H

#include <jansson.h>

#include "runtime/adit.h"

#define ADIT_PLACING_ARGUMENT "producer|region|interleaved"
#define ADIT_PLACING_HELP "the node whose memory chunks go to: their producer's, their region's, or all in turn (default producer)"

/* The placement of that name, NULL: the default. 0, or -EINVAL after one line. */
int adit_placing_choose(const char *program, const char *name, enum adit_placement *placement);

/* What each node of a dispatcher has done: an array of objects with node, threads, processes, meshed_here and meshed_from_others; empty where it does not tell nodes apart. NULL: no memory. */
json_t *adit_placing_json(struct adit_arena *arena, const struct adit_dispatcher *dispatcher);

#endif
