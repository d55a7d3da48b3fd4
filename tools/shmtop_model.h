/* shmtop_model.h - what shmtop knows of an arena: the snapshots of the last minutes, and the rates between two of them.
 *
 *     data (shmtop_data.h)  --snapshot-->  model  --look-->  screens, view (shmtop_view.h)  -->  curses, or plain text
 *
 * A model holds copies only. Nothing here touches shared memory, the terminal, or a clock.
 */
#ifndef ADIT_SHMTOP_MODEL_H
#define ADIT_SHMTOP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/shmtop_snapshot.h"

#define SHMTOP_HISTORY_MAX 4096u /* snapshots */
#define SHMTOP_HISTORY_BYTES ((size_t)64 << 20)
#define SHMTOP_HISTORY_NS 300000000000u
#define SHMTOP_METRICS_MAX 96u

/* What the verifier has found: a look by itself, not of a snapshot. */
#define SHMTOP_FINDINGS_MAX 256u
struct shmtop_finding {
    char invariant[8], place[64], what[128];
};
struct shmtop_findings {
    bool is_made;          /* somebody has asked; an image is looked at when it is opened */
    int found;             /* how many there are; below 0: why it could not look */
    uint64_t wall_ns, took_ns;
    struct adit_verify_counts counts;
    uint32_t kept;
    struct shmtop_finding list[SHMTOP_FINDINGS_MAX];
};

struct shmtop_model {
    char name[64];  /* of the arena, or the image's path; printable */
    char notes[160]; /* of an image: that it is not one moment; "" else */
    bool is_image;
    struct adit_metric_info metrics[SHMTOP_METRICS_MAX]; /* by their numbers; type 0: damaged */
    uint32_t metrics_n;
    struct shmtop_limits limits;
    struct shmtop_findings findings;
    struct shmtop_snapshot *history[SHMTOP_HISTORY_MAX]; /* the oldest first */
    uint32_t history_n;
    size_t bytes, bytes_max; /* of all of them; 0: SHMTOP_HISTORY_BYTES */
    uint64_t span_ns;        /* from the oldest to the newest, at most; 0: SHMTOP_HISTORY_NS */
    uint64_t left_wall_ns;   /* when no producer was first seen; 0: there are some */
    char trouble[256];       /* why the last snapshot could not be taken, "" when it could; the last good one is shown */
};

/* What happens in a second, between a snapshot and the one before; all 0 when there is none. */
struct shmtop_rates {
    double published, edits, meshed, retired, reclaimed, grace_periods;
};

/* Takes the snapshot in as the newest, sorts it, notes whose counters have moved, the last producer's leaving, and what is beyond its limit; lets old ones go: those older than span_ns, and of more than bytes_max, but two at least stay. */
void shmtop_model_add(struct shmtop_model *model, struct shmtop_snapshot *snapshot);
void shmtop_model_fini(struct shmtop_model *model);

/* The index in history of the newest snapshot that was taken at at_ns or before (0: the newest of all); the oldest, where all are later. UINT32_MAX: there is none. */
uint32_t shmtop_model_at(const struct shmtop_model *model, uint64_t at_ns);
/* The one before; NULL: none. */
const struct shmtop_snapshot *shmtop_model_before(const struct shmtop_model *model, uint32_t index);

/* (now - then) a second between two snapshots; 0: then is NULL, or more than now. */
double shmtop_rate(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before, uint64_t now, uint64_t then);
/* The participant of the same slot and generation in the snapshot before; NULL: none. */
const struct shmtop_participant *shmtop_participant_before(const struct shmtop_snapshot *before, const struct adit_participant_info *p);
/* Of one participant (the same slot and generation in both snapshots), and of all of them. */
struct shmtop_rates shmtop_rates(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before, const struct adit_participant_info *p);
struct shmtop_rates shmtop_rates_all(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before);

/* What a number of a metric means, and the number of a name; NULL, UINT32_MAX: nothing that the arena describes. */
const struct adit_metric_info *shmtop_model_metric(const struct shmtop_model *model, uint32_t metric);
uint32_t shmtop_model_metric_find(const struct shmtop_model *model, const char *name);

/* A histogram of the snapshot, NULL: it has none of that name; and what came to it since the snapshot before, false: there is none to compare with. */
const struct adit_histogram *shmtop_latency(const struct shmtop_model *model, const struct shmtop_snapshot *s, const char *name);
bool shmtop_latency_since(const struct shmtop_snapshot *before, const struct shmtop_latency *now, struct adit_histogram *out);

/* How many epochs the oldest section of a participant lies behind; 0: it is in none. */
uint64_t shmtop_behind(const struct shmtop_snapshot *s, const struct adit_participant_info *p);
/* How long ago a moment of the arena was, as the snapshot sees it; false: it never was, or lies ahead. */
bool shmtop_age(const struct shmtop_snapshot *s, uint64_t at_ns, uint64_t *age_ns);

#endif
