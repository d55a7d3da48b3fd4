/* result_read.c - reading results that were kept. Nothing of a file is believed: each value is looked at before use, texts are cut and made printable, and the first thing
 * that is wrong is named by its place in the file. */
#include "perf/result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/say.h"

#define NUMBER_MOST 1e30 /* no figure is larger; ratios of such still are numbers */

__attribute__((format(printf, 3, 4))) static int refuse(char why[RESULT_WHY_MAX], const char *path, const char *format, ...)
{
    char shown[160], what[280];
    va_list arguments;
    adit_say_printable(shown, sizeof shown, path, strlen(path));
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(why, RESULT_WHY_MAX, "%s: %s", shown, what);
    return -EBADMSG;
}

/* What is being read, for messages, and whether it is sound so far. */
struct place {
    const char *path;
    char *why;
    json_t *object;
    uint32_t index; /* of scenes */
    int error;
};

static void wrong(struct place *at, const char *member, const char *what)
{
    if (!at->error)
        at->error = refuse(at->why, at->path, "scenes[%u].%s is %s; the file is damaged or was not made by perf-lab: measure again", at->index, member, what);
}

static void take_text(struct place *at, const char *member, char *out, size_t bytes)
{
    const json_t *value = json_object_get(at->object, member);
    out[0] = '\0';
    if (json_is_string(value))
        adit_say_printable(out, bytes, json_string_value(value), json_string_length(value));
    else if (value && !json_is_null(value))
        wrong(at, member, "not a text");
}

/* A number of that member; where it has none, otherwise. */
static double take_number(struct place *at, const char *member, double otherwise)
{
    const json_t *value = json_object_get(at->object, member);
    double number = json_number_value(value);
    if (!value || json_is_null(value))
        return otherwise;
    if (!json_is_number(value) || !isfinite(number) || fabs(number) > NUMBER_MOST) {
        wrong(at, member, "not a number that a figure can have");
        return otherwise;
    }
    return number;
}

static uint32_t take_count(struct place *at, const char *member)
{
    double number = take_number(at, member, 0);
    if (number < 0 || number > UINT32_MAX || number != floor(number)) {
        wrong(at, member, "not a number of blocks");
        return 0;
    }
    return (uint32_t)number;
}

static void take_goal(struct place *at, struct goal *goal)
{
    static const char *const on[] = {"", "median", "ratio", "beyond raw"};
    json_t *object = json_object_get(at->object, "goal");
    *goal = (struct goal){GOAL_NONE, 0};
    if (!object || json_is_null(object))
        return;
    const char *named = json_string_value(json_object_get(object, "on"));
    const json_t *limit = json_object_get(object, "at_most");
    for (uint32_t i = GOAL_MEDIAN; named && i <= GOAL_BEYOND; i++)
        if (!strcmp(named, on[i]))
            goal->on = (enum goal_on)i;
    goal->limit = json_number_value(limit);
    if (goal->on == GOAL_NONE || !json_is_number(limit) || !isfinite(goal->limit))
        wrong(at, "goal", "neither null nor {on: median, ratio or beyond raw, at_most: a number}");
}

static void take_figure(struct place *at, struct figure *figure)
{
    static const char *const states[] = {"measured", "skipped", "failed"};
    char state[16];
    memset(figure, 0, sizeof *figure);
    take_text(at, "name", figure->scene, sizeof figure->scene);
    take_text(at, "figure", figure->name, sizeof figure->name);
    take_text(at, "unit", figure->unit, sizeof figure->unit);
    take_text(at, "note", figure->note, sizeof figure->note);
    take_text(at, "state", state, sizeof state);
    figure->state = FIGURE_FAILED + 1;
    for (uint32_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(state, states[i]))
            figure->state = (enum figure_state)i;
    if (figure->state > FIGURE_FAILED)
        wrong(at, "state", "none of measured, skipped, failed");
    if (!figure->scene[0] || !figure->name[0])
        wrong(at, "figure", "without a name");
    if (at->error || figure->state != FIGURE_MEASURED)
        return;
    if (!json_is_number(json_object_get(at->object, "median")))
        wrong(at, "median", "not a number");
    figure->median = take_number(at, "median", 0);
    figure->p10 = take_number(at, "p10", figure->median);
    figure->p90 = take_number(at, "p90", figure->median);
    figure->p99 = take_number(at, "p99", NAN);
    figure->p999 = take_number(at, "p999", NAN);
    figure->interval = (struct stats_interval){take_number(at, "low", -INFINITY), take_number(at, "high", INFINITY)};
    take_text(at, "raw_name", figure->raw_name, sizeof figure->raw_name);
    figure->has_raw = figure->raw_name[0] && json_is_number(json_object_get(at->object, "ratio"));
    figure->raw_median = take_number(at, "raw_median", 0);
    figure->ratio = take_number(at, "ratio", 0);
    figure->ratio_interval = (struct stats_interval){take_number(at, "ratio_low", -INFINITY), take_number(at, "ratio_high", INFINITY)};
    take_goal(at, &figure->goal);
    figure->blocks = take_count(at, "blocks");
    figure->blocks_disturbed = take_count(at, "blocks_disturbed");
    if (figure->interval.low > figure->median || figure->interval.high < figure->median)
        wrong(at, "low", "an interval that the median is not in");
    if (figure->has_raw && (figure->ratio_interval.low > figure->ratio || figure->ratio_interval.high < figure->ratio))
        wrong(at, "ratio_low", "an interval that the ratio is not in");
}

static int take_figures(const char *path, struct past_result *result, char why[RESULT_WHY_MAX])
{
    json_t *scenes = json_object_get(result->root, "scenes");
    size_t count = json_array_size(scenes);
    if (!json_is_array(scenes) || count > RESULT_FIGURES_MAX)
        return refuse(why, path, "scenes is not a list of at most %d figures; the file is damaged or was not made by perf-lab: measure again", RESULT_FIGURES_MAX);
    result->figures = calloc(count ? count : 1, sizeof *result->figures);
    if (!result->figures) {
        refuse(why, path, "no memory for its %zu figures", count);
        return -ENOMEM;
    }
    struct place at = {.path = path, .why = why};
    for (; at.index < count && !at.error; at.index++) {
        at.object = json_array_get(scenes, at.index);
        if (!json_is_object(at.object))
            wrong(&at, "name", "missing");
        else
            take_figure(&at, &result->figures[at.index]);
    }
    result->count = (uint32_t)count;
    return at.error;
}

static void take_quiet(const json_t *quiet, const char *when, char *out)
{
    const json_t *text = json_object_get(quiet, when);
    if (json_is_string(text))
        adit_say_printable(out, QUIET_TEXT_MAX, json_string_value(text), json_string_length(text));
}

static int take_head(const char *path, struct past_result *result, char why[RESULT_WHY_MAX])
{
    const char *tool = json_string_value(json_object_get(result->root, "tool"));
    json_t *format = json_object_get(result->root, "format"), *when = json_object_get(result->root, "time"), *counter = json_object_get(result->root, "counter");
    if (!tool || strcmp(tool, "perf-lab") != 0)
        return refuse(why, path, "tool is not perf-lab; give what `perf-lab run --out DIR` or `perf-lab count --out DIR` wrote");
    if (!json_is_integer(format) || json_integer_value(format) != RESULT_FORMAT)
        return refuse(why, path, "format is not %d, the one that this perf-lab reads; measure again, or use the perf-lab that wrote it", RESULT_FORMAT);
    result->machine = json_object_get(result->root, "machine");
    if (!json_is_object(result->machine) || !json_is_string(when))
        return refuse(why, path, "%s is missing; the file is damaged: measure again", json_is_string(when) ? "machine" : "time");
    adit_say_printable(result->when, sizeof result->when, json_string_value(when), json_string_length(when));
    if (json_is_string(counter))
        adit_say_printable(result->counter, sizeof result->counter, json_string_value(counter), json_string_length(counter));
    take_quiet(json_object_get(result->root, "quiet"), "before", result->quiet_before);
    take_quiet(json_object_get(result->root, "quiet"), "after", result->quiet_after);
    result->is_short = json_is_true(json_object_get(result->root, "short"));
    result->stopped = json_is_true(json_object_get(result->root, "stopped"));
    return 0;
}

/* The newest result in a folder. */
static int find_newest(const char *folder, char path[4096], char why[RESULT_WHY_MAX])
{
    char newest[256] = "";
    DIR *dir = opendir(folder);
    if (!dir)
        return refuse(why, folder, "%s", strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (fnmatch("perf-lab-*.json", entry->d_name, FNM_PERIOD) == 0 && strcmp(entry->d_name, newest) > 0)
            snprintf(newest, sizeof newest, "%s", entry->d_name);
    closedir(dir);
    if (!newest[0])
        return refuse(why, folder, "no perf-lab-*.json in this folder; make one: perf-lab run --out DIR");
    return snprintf(path, 4096, "%s/%s", folder, newest) < 4096 ? 0 : refuse(why, folder, "its name is too long");
}

/* The text of a file into root. Not a pipe or a device, which might never end. */
static int load(const char *path, struct past_result *result, char why[RESULT_WHY_MAX])
{
    json_error_t error;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        int code = -errno;
        refuse(why, path, "%s", strerror(-code));
        if (fd >= 0)
            close(fd);
        return code;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > (off_t)RESULT_BYTES_MAX) {
        close(fd);
        return refuse(why, path, "not a file of at most %u MiB; give what `perf-lab run --out DIR` wrote", RESULT_BYTES_MAX >> 20);
    }
    result->root = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
    close(fd);
    if (!result->root) {
        char text[160];
        adit_say_printable(text, sizeof text, error.text, strlen(error.text));
        return refuse(why, path, "line %d: %s; it is not JSON: measure again", error.line, text);
    }
    return 0;
}

int result_read(const char *path, struct past_result *result, char why[RESULT_WHY_MAX])
{
    struct stat status;
    int error = 0;
    memset(result, 0, sizeof *result);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        error = find_newest(path, result->path, why);
    else if (snprintf(result->path, sizeof result->path, "%s", path) >= (int)sizeof result->path)
        error = refuse(why, path, "its name is too long");
    if (!error)
        error = load(result->path, result, why);
    if (!error)
        error = take_head(result->path, result, why);
    if (!error)
        error = take_figures(result->path, result, why);
    if (error)
        result_forget(result);
    return error;
}

void result_forget(struct past_result *result)
{
    json_decref(result->root);
    free(result->figures);
    result->root = result->machine = NULL;
    result->figures = NULL;
    result->count = 0;
}

const struct figure *result_find(const struct past_result *result, const char *scene, const char *name)
{
    for (uint32_t i = 0; i < result->count; i++)
        if (!strcmp(result->figures[i].scene, scene) && !strcmp(result->figures[i].name, name))
            return &result->figures[i];
    return NULL;
}

char *result_machine_fact(const struct past_result *result, const char *name, char *out, size_t bytes)
{
    const json_t *value = json_object_get(result->machine, name);
    if (json_is_string(value))
        adit_say_printable(out, bytes, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        snprintf(out, bytes, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, bytes, "%.4g", json_real_value(value));
    else
        snprintf(out, bytes, "%s", json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "unknown");
    return out;
}
