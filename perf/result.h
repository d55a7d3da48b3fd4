/* result.h - a run as a file: what --json prints and --out keeps, and reading it again.
 *
 *     {"tool": "perf-lab", "format": 1, "time": "20261201T030000Z", "short": false, "stopped": false, "counter": null, "quiet": {"before": "quiet", "after": "loud: ..."},
 *      "machine": {...}, "scenes": [{"name": ..., "figure": ..., "unit": ..., "state": "measured", "median": ..., "low": ..., "high": ..., ...}]}
 *
 * format is a whole number. It grows when a reader of before would misunderstand; what is only new may come in without. A reader refuses any but its own.
 *
 * A file may come from anywhere: every value is checked, texts lose what is not printable, and numbers of things have limits.
 */
#ifndef PERF_RESULT_H
#define PERF_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perf/figure.h"
#include "perf/machine.h"
#include "perf/quiet.h"

#define RESULT_FORMAT 1
#define RESULT_FIGURES_MAX 4096
#define RESULT_BYTES_MAX (64u << 20)
#define RESULT_WHY_MAX 512

/* A run, to be shown or kept. */
struct result {
    struct machine machine;
    const struct figure_list *list;
    char when[32];    /* UTC, fit for a file's name */
    char counter[96]; /* who counted instructions; "" where time was measured */
    struct quiet before, after; /* where that was looked at */
    bool is_short, stopped;
};

/* Sets when, and describes the machine (machine.h). */
void result_begin(struct result *result);

/* NULL when memory is short. */
json_t *result_json(const struct result *result);

/* Writes a JSON object and lets go of it; false when it could not be made or written. */
bool result_write(FILE *out, json_t *object);

/* Keeps it as dir/perf-lab-<when>.json; the folder is made. Returns 0, or 1 with a message. */
int result_save(const char *dir, const struct result *result);

/* A run that was kept. */
struct past_result {
    char path[4096]; /* of the file, where a folder was given the newest in it */
    char when[32];
    char counter[96];
    char quiet_before[QUIET_TEXT_MAX], quiet_after[QUIET_TEXT_MAX]; /* as quiet_say; "" where the file has none */
    bool is_short, stopped;
    json_t *root, *machine; /* machine: within root */
    struct figure *figures;
    uint32_t count;
};

/* Reads path: a file, or a folder, which means the perf-lab-*.json in it whose name is the last, so the newest. Returns 0, or a negative errno with why: file, place and cure
 * in one line. On success result_forget lets go of it. */
int result_read(const char *path, struct past_result *result, char why[RESULT_WHY_MAX]);
void result_forget(struct past_result *result);

/* The figure of that scene and name, or NULL. */
const struct figure *result_find(const struct past_result *result, const char *scene, const char *name);

/* One fact of its machine as text: a name of machine_json's. "unknown" where it has none. Returns out. */
char *result_machine_fact(const struct past_result *result, const char *name, char *out, size_t bytes);

#endif
