/* shmtop_limits.c - a line is split at its '=', a value into a number and a unit; whatever is left over is an error that says what would be right. */
#include "tools/shmtop_limits.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/say.h"

#define LINE_BYTES 512
#define LINES_MAX 10000u

const struct shmtop_limit_about shmtop_limit_about[SHMTOP_LIMITS] = {
    [SHMTOP_READER_HELD] = {"reader_held", SHMTOP_IN_BYTES, 64u << 20, 1ull << 46, "Memory that the pins of a participant, or its section where that is the oldest, keep from being freed.",
                            "Have it leave its section, release its pins, or end it."},
    [SHMTOP_QUEUE_WAIT] = {"queue_wait", SHMTOP_IN_NS, 1000000000u, 86400000000000u, "How long the oldest task that could run has waited, by queue and level.",
                           "Start workers for the queue, or submit less to it."},
    [SHMTOP_MESH_WAIT] = {"mesh_wait", SHMTOP_IN_NS, 10000000000u, 86400000000000u, "How long the chunk that has waited longest is without the mesh of now.",
                          "Start `adit work`, or publish less; see screen chunks."},
    [SHMTOP_FRAMES_DROPPED] = {"frames_dropped", SHMTOP_IN_NUMBERS, 1, 1000000000u, "Frames skipped, and points of frames that were reached too late, in the last minute.",
                               "Make the loop's work less, or its frames longer."},
    [SHMTOP_TIERS_OFF] = {"tiers_off", SHMTOP_IN_NUMBERS, 1, 1000, "Devices and kernels that were to mesh and are switched off, lost or wrong.",
                          "See what `adit tiers` says; the rest meshes meanwhile."},
    [SHMTOP_PARTICIPANT_LOST] = {"participant_lost", SHMTOP_IN_NS, 60000000000u, 86400000000000u, "How long it is told that a participant has died.",
                                 "Look why it died; start it again."},
    [SHMTOP_MEMORY_USED] = {"memory_used", SHMTOP_IN_PERCENT, 90, 100, "The share of the arena's data that blocks take.",
                            "See who holds it (screen memory); give it more --size."},
};

void shmtop_limits_init(struct shmtop_limits *l)
{
    *l = (struct shmtop_limits){0};
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++)
        l->at[i] = shmtop_limit_about[i].built;
}

const char *shmtop_measure_name(enum shmtop_measure measure)
{
    static const char *const names[] = {"bytes", "ns", "percent", "number"};
    return names[measure];
}

char *shmtop_limit_text(enum shmtop_measure measure, uint64_t value, char *out, size_t bytes)
{
    switch (measure) {
    case SHMTOP_IN_BYTES: return adit_say_bytes(out, bytes, value);
    case SHMTOP_IN_NS: return adit_say_duration(out, bytes, (double)value);
    case SHMTOP_IN_PERCENT: snprintf(out, bytes, "%llu %%", (unsigned long long)value); return out;
    default: return adit_say_count(out, bytes, value);
    }
}

/* ---- a line ----------------------------------------------------------------------------------------------------- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

/* What a unit of a measure makes of a number; 0: no such unit. */
static double unit_of(enum shmtop_measure measure, const char *unit)
{
    static const struct {
        enum shmtop_measure measure;
        const char *name;
        double times;
    } units[] = {{SHMTOP_IN_BYTES, "B", 1}, {SHMTOP_IN_BYTES, "KiB", 1024.0}, {SHMTOP_IN_BYTES, "MiB", 1048576.0}, {SHMTOP_IN_BYTES, "GiB", 1073741824.0},
                 {SHMTOP_IN_BYTES, "TiB", 1099511627776.0}, {SHMTOP_IN_NS, "ns", 1}, {SHMTOP_IN_NS, "us", 1e3}, {SHMTOP_IN_NS, "ms", 1e6}, {SHMTOP_IN_NS, "s", 1e9},
                 {SHMTOP_IN_NS, "min", 6e10}, {SHMTOP_IN_NS, "h", 3.6e12}, {SHMTOP_IN_PERCENT, "%", 1}, {SHMTOP_IN_PERCENT, "", 1}, {SHMTOP_IN_NUMBERS, "", 1}};
    for (uint32_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].measure == measure && !strcmp(units[i].name, unit))
            return units[i].times;
    return 0;
}

static const char *right_of(enum shmtop_measure measure)
{
    static const char *const right[] = {"like 64 MiB", "like 500 ms or 2 s", "like 90 %", "like 3"};
    return right[measure];
}

/* digits, and maybe a point and digits: what strtod takes beside that (inf, 0x, exponents, signs) is no value. */
static bool number_take(const char *text, double *value, const char **rest)
{
    size_t n = strspn(text, "0123456789"), whole = n;
    if (text[n] == '.')
        n += 1 + strspn(text + n + 1, "0123456789");
    *rest = text + n + strspn(text + n, " \t");
    *value = strtod(text, NULL);
    return whole && n < 24 && text[n] != 'e' && text[n] != 'E' && text[n] != 'x' && text[n] != 'X';
}

/* "" when all is well, else what is wrong. */
static const char *value_take(const struct shmtop_limit_about *about, const char *text, uint64_t *at, char *wrong, size_t bytes)
{
    char shown[48], least[24], most[24];
    const char *unit;
    double value, times;
    adit_say_printable(shown, sizeof shown, text, strlen(text));
    if (!strcmp(text, "off")) {
        *at = SHMTOP_LIMIT_OFF;
        return "";
    }
    *wrong = 0;
    if (!number_take(text, &value, &unit) || !(times = unit_of(about->measure, unit)))
        snprintf(wrong, bytes, "%s = '%s' is no value of it; write it %s, or off", about->name, shown, right_of(about->measure));
    else if (value * times < 1 || value * times > (double)about->most)
        snprintf(wrong, bytes, "%s = %s is out of range; from %s to %s are possible, or off", about->name, shown, shmtop_limit_text(about->measure, 1, least, sizeof least),
                 shmtop_limit_text(about->measure, about->most, most, sizeof most));
    else
        *at = (uint64_t)(value * times + 0.5);
    return wrong;
}

static const char *line_take(char *line, struct shmtop_limits *limits, char *wrong, size_t bytes)
{
    line[strcspn(line, "#")] = 0;
    char *name = trim(line), *value = strchr(name, '='), shown[48];
    if (!*name)
        return "";
    if (value)
        *value++ = 0;
    name = trim(name);
    adit_say_printable(shown, sizeof shown, name, strlen(name));
    if (!value || !*name) {
        snprintf(wrong, bytes, "'%s' is no limit; write NAME = VALUE, or begin the line with #", shown);
        return wrong;
    }
    for (uint32_t i = 0; i < SHMTOP_LIMITS; i++)
        if (!strcmp(shmtop_limit_about[i].name, name)) {
            limits->is_set[i] = true;
            return value_take(&shmtop_limit_about[i], trim(value), &limits->at[i], wrong, bytes);
        }
    snprintf(wrong, bytes, "there is no limit '%s'; `shmtop --help` lists them", shown);
    return wrong;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

bool shmtop_limits_read(FILE *f, const char *path, struct shmtop_limits *limits, char *error, size_t error_bytes)
{
    char line[LINE_BYTES], shown[128], wrong[256] = "";
    adit_say_printable(shown, sizeof shown, path, strlen(path));
    for (uint32_t number = 1; fgets(line, sizeof line, f); number++) {
        size_t n = strlen(line);
        bool is_whole = n && line[n - 1] == '\n';
        if (is_whole)
            line[n - 1] = 0;
        const char *bad = "";
        if (!is_whole && (n + 1 == sizeof line || !feof(f)))
            bad = "it is longer than 510 characters, or has a byte 0; write NAME = VALUE";
        else if (number > LINES_MAX)
            bad = "there are more than 10,000 lines; a file of limits has a few";
        else
            bad = line_take(line, limits, wrong, sizeof wrong);
        if (*bad) {
            snprintf(error, error_bytes, "%s:%u: %s", shown, number, bad);
            return false;
        }
    }
    if (ferror(f)) {
        snprintf(error, error_bytes, "%s: cannot be read: %s; give another file with --config", shown, strerror(errno));
        return false;
    }
    memcpy(limits->file, shown, sizeof limits->file);
    return true;
}

/* Where a user's file would be; false: nowhere. Relative paths do not count (XDG base directories). */
static bool path_of_user(char *out, size_t bytes)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = config && *config == '/' ? snprintf(out, bytes, "%s/adit/shmtop.conf", config) : home && *home == '/' ? snprintf(out, bytes, "%s/.config/adit/shmtop.conf", home) : -1;
    return n > 0 && (size_t)n < bytes;
}

bool shmtop_limits_load(const char *path, struct shmtop_limits *limits, char *error, size_t error_bytes)
{
    char own[4096], shown[128];
    shmtop_limits_init(limits);
    if (!path && !path_of_user(own, sizeof own))
        return true;
    const char *chosen = path ? path : own;
    FILE *f = fopen(chosen, "re");
    if (!f && !path && (errno == ENOENT || errno == ENOTDIR))
        return true;
    adit_say_printable(shown, sizeof shown, chosen, strlen(chosen));
    if (!f) {
        snprintf(error, error_bytes, "%s: cannot be opened: %s; %s", shown, strerror(errno), path ? "give another file with --config" : "see to its rights, or give another file with --config");
        return false;
    }
    bool is_read = shmtop_limits_read(f, chosen, limits, error, error_bytes);
    fclose(f);
    return is_read;
}
