/* muster.h - the crew of one run: which processes there are, and with which command lines they are spawned.
 *
 * Members 0 .. producers - 1 of the crew are `adit feed`, the following `adit watch`; the first of those reports totals
 * and writes the files asked for. The last are `adit work`, if meshing is done by processes. What is not for users (--tether, --label, --reports) is spoken here and there only.
 */
#ifndef ADIT_MUSTER_H
#define ADIT_MUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/crew.h"
#include "tools/harvest.h"

struct adit_muster {
    const char *arena;
    char *const *specs; /* the worlds, as the user gave them */
    uint32_t specs_count, producers, consumers, workers;
    const char *tiers, *policy; /* of the workers; NULL: the fastest, adaptive */
    uint64_t threads;  /* of each worker; 0: one a CPU */
    const char *generate; /* of the producers; NULL: what is cheapest */
    bool opaque, culled;
    uint64_t edits, seed; /* edits are dealt out to the producers */
    const char *box;      /* of the first world, as --box takes it; NULL: it holds nothing */
    const struct adit_harvest_params *harvest;
};

/* Spawns all. 0, or a negative errno and a line in error; those that were spawned are in the crew. */
int adit_muster(const struct adit_muster *muster, struct adit_crew *crew, char *error, size_t error_bytes);

#endif
