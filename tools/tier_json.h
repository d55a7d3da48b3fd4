/* tier_json.h - a table of tiers as JSON, as `adit tiers --json` prints it and as it is kept, and the way back. */
#ifndef ADIT_TIER_JSON_H
#define ADIT_TIER_JSON_H

#include <jansson.h>

#include "tools/tier_table.h"

/* As they stand there: "ready", "mesh", "uniform" ... */
extern const char *const adit_tier_state_names[ADIT_TIER_STATES], *const adit_tier_kind_names[ADIT_COST_KINDS],
    *const adit_tier_size_names[ADIT_SIZE_CLASSES];

/* NULL: no memory. */
json_t *adit_tier_table_json(const struct adit_tier_table *table);
/* The way back; unknown keys do not count. -EBADMSG: a key is missing or not of its kind, or a figure is none; -ENOMEM. */
int adit_tier_table_parse(const json_t *root, struct adit_tier_table **out);

#endif
