/* result.c - writing results. See result.h. */
#include "perf/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

void result_begin(struct result *result)
{
    time_t now = time(NULL);
    strftime(result->when, sizeof result->when, "%Y%m%dT%H%M%SZ", gmtime(&now));
    machine_describe(&result->machine);
}

static json_t *quiet_json(const struct result *result)
{
    char before[QUIET_TEXT_MAX], after[QUIET_TEXT_MAX];
    if (!result->before.is_known)
        return json_null();
    return json_pack("{s:s, s:s}", "before", quiet_say(&result->before, before, sizeof before), "after", quiet_say(&result->after, after, sizeof after));
}

json_t *result_json(const struct result *result)
{
    json_t *figures = json_array();
    for (uint32_t i = 0; i < result->list->count; i++)
        json_array_append_new(figures, figure_json(&result->list->figure[i]));
    return json_pack("{s:s, s:i, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "tool", "perf-lab", "format", RESULT_FORMAT, "time", result->when, "short", result->is_short,
                     "stopped", result->stopped, "counter", result->counter[0] ? json_string(result->counter) : json_null(),
                     "quiet", quiet_json(result), "machine", machine_json(&result->machine), "scenes", figures);
}

bool result_write(FILE *out, json_t *object)
{
    bool done = object && json_dumpf(object, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 && putc('\n', out) != EOF && fflush(out) == 0;
    json_decref(object);
    return done;
}

int result_save(const char *dir, const struct result *result)
{
    char path[4096];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "perf-lab: cannot make the folder %s: %s\n", dir, strerror(errno));
        return 1;
    }
    if (snprintf(path, sizeof path, "%s/perf-lab-%s.json", dir, result->when) >= (int)sizeof path) {
        fprintf(stderr, "perf-lab: the folder's name is too long: %s\n", dir);
        return 1;
    }
    FILE *file = fopen(path, "we");
    bool done = file && result_write(file, result_json(result));
    if (file && fclose(file) != 0)
        done = false;
    if (done)
        fprintf(stderr, "perf-lab: result in %s\n", path);
    else
        fprintf(stderr, "perf-lab: cannot write %s: %s\n", path, strerror(errno));
    return done ? 0 : 1;
}
