/* wear.h - when a worker process is worn, and is to be replaced: after so many tasks, at such an age, with so much memory of its own.
 *
 * A worker looks at itself after each task, and rings for its supervisor as soon as it is worn; so it is replaced after that task, if a standby is ready, and not a look later.
 * What it reads of its memory it has open from the start: a confined one can open nothing (confine.h).
 */
#ifndef ADIT_WEAR_H
#define ADIT_WEAR_H

#include <stdbool.h>
#include <stdint.h>

struct adit_wear_limits {
    uint64_t tasks, age_ns, bytes; /* 0: none */
};

/* What a worker knows of itself. */
struct adit_wear {
    struct adit_wear_limits limits;
    uint64_t born_ns;
    int memory_fd; /* adit_process_memory_open, where bytes are limited; else -1 */
};

bool adit_wear_is_limited(const struct adit_wear_limits *limits);
/* Whether tasks and age alone say so. */
bool adit_wear_is_over(const struct adit_wear_limits *limits, uint64_t tasks, uint64_t born_ns);

/* For this process, born just now. */
void adit_wear_begin(struct adit_wear *wear, const struct adit_wear_limits *limits);
/* Whether this process, after so many tasks, is worn. Reads the clock, or /proc, only where that is limited. */
bool adit_wear_has_come(const struct adit_wear *wear, uint64_t tasks);

#endif
