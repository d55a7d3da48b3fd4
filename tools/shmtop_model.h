/* shmtop_model.h - what shmtop knows of an arena: the last two samples, and the rates between them.
 *
 *     data (shmtop_data.h)  --sample-->  model  --layout-->  lines (shmtop_view.h)  -->  curses, or plain text
 *
 * A model holds copies only. Nothing here touches shared memory, the terminal, or a clock.
 */
#ifndef ADIT_SHMTOP_MODEL_H
#define ADIT_SHMTOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/adit.h"

#define SHMTOP_PARTICIPANTS_MAX 1024u

struct shmtop_sample {
    uint64_t taken_ns;      /* CLOCK_MONOTONIC */
    uint64_t taken_wall_ns; /* CLOCK_REALTIME */
    struct adit_stats stats;
    uint32_t participants_count;
    struct adit_participant_info participants[SHMTOP_PARTICIPANTS_MAX];
};

struct shmtop_model {
    char name[64];
    struct shmtop_sample samples[2];
    uint32_t taken;       /* how many samples were taken; the last is samples[(taken - 1) % 2] */
    uint64_t left_wall_ns; /* when no producer was first seen; 0: there are some */
    char trouble[256];    /* why the last sample could not be taken, "" when it could; the last good one is shown */
};

/* What happens in a second, between the last two samples; all 0 when there is one only. */
struct shmtop_rates {
    double published, edits, meshed, retired, reclaimed, grace_periods;
};

/* The sample to be filled next, and its adoption as the last. Labels and states are made printable ASCII, and the
 * last producer's leaving is noted. */
struct shmtop_sample *shmtop_model_next(struct shmtop_model *model);
void shmtop_model_commit(struct shmtop_model *model);

/* The last sample, the one before it; NULL when there is none. */
const struct shmtop_sample *shmtop_model_last(const struct shmtop_model *model);
const struct shmtop_sample *shmtop_model_before(const struct shmtop_model *model);

/* Of one participant (the same slot and generation in both samples), and of all of them. */
struct shmtop_rates shmtop_model_rates(const struct shmtop_model *model, const struct adit_participant_info *participant);
struct shmtop_rates shmtop_model_rates_all(const struct shmtop_model *model);

/* How many epochs the oldest section of a participant lies behind; 0: it is in none. */
uint64_t shmtop_model_behind(const struct shmtop_sample *sample, const struct adit_participant_info *participant);

/* The last sample as JSON. */
json_t *shmtop_model_json(const struct shmtop_model *model);

#endif
