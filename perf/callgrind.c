/* callgrind.c - see callgrind.h. Each mark of a path has callgrind write a part, a file whose line "summary: N" is what it counted since the part before. Parts are numbered from 1, and a
 * path's first mark, which ends its set-up, is the part of that number: its series lie in the next ones. Threads are counted apart, and the first alone is believed: an arena's own threads wake by the clock.
 *
 * Valgrind knows no AVX-512, so that is taken away by ADIT_DISABLE: what is counted then is the same on processors with and without. */
#include "perf/callgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gnu/libc-version.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/clock.h"
#include "perf/count.h"
#include "tools/say.h"

#define LIMIT_S 600.0
#define TAKEN_AWAY "avx512"

extern char **environ;

struct counting {
    char folder[64];
    char *why;
    sigset_t watched, before;
};

__attribute__((format(printf, 3, 4))) static int failed(const struct counting *c, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->why, CALLGRIND_WHY_MAX, format, arguments);
    va_end(arguments);
    return error;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* The last line of valgrind's log that says something, for a message. */
static void last_words(const struct counting *c, char *out, size_t bytes)
{
    char path[96], line[256];
    snprintf(path, sizeof path, "%s/log", c->folder);
    FILE *file = fopen(path, "re");
    snprintf(out, bytes, "no word from it");
    while (file && fgets(line, sizeof line, file)) {
        size_t length = strcspn(line, "\n");
        if (length > 12)
            adit_say_printable(out, bytes, line, length);
    }
    if (file)
        fclose(file);
}

/* Waits for valgrind, which is killed when this process is told to stop or the limit is over. */
static int await(const struct counting *c, pid_t pid)
{
    const struct timespec nap = {.tv_nsec = 100000000};
    char words[160];
    int status = 0, error = 0;
    for (double until = clock_now_ns() + LIMIT_S * 1e9; waitpid(pid, &status, WNOHANG) == 0;) {
        int got = sigtimedwait(&c->watched, NULL, &nap);
        if (got > 0 && got != SIGCHLD)
            error = failed(c, -EINTR, "stopped");
        else if (clock_now_ns() > until)
            error = failed(c, -ETIMEDOUT, "valgrind came to no end within %.0f s and was killed", LIMIT_S);
        if (error) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return error;
        }
    }
    last_words(c, words, sizeof words);
    if (WIFSIGNALED(status))
        return failed(c, -EIO, "valgrind was ended by signal %d: %s", WTERMSIG(status), words);
    return WEXITSTATUS(status) ? failed(c, -EIO, "valgrind ended with status %d: %s", WEXITSTATUS(status), words) : 0;
}

/* As posix_spawnp, with the signals that this process holds back let through. */
static int spawn(const struct counting *c, char **arguments, pid_t *pid)
{
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error)
        return error;
    posix_spawnattr_setsigmask(&attributes, &c->before);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    error = posix_spawnp(pid, arguments[0], NULL, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* This program once more, under callgrind. */
static int run_inside(const struct counting *c, const char *pattern)
{
    char self[4096], parts[96], log[96], inside[96], disable[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return failed(c, -errno, "cannot find out this program's name: %s", strerror(errno));
    self[length] = '\0';
    snprintf(parts, sizeof parts, "--callgrind-out-file=%s/part", c->folder);
    snprintf(log, sizeof log, "--log-file=%s/log", c->folder);
    snprintf(inside, sizeof inside, "%s/paths", c->folder);
    const char *already = getenv("ADIT_DISABLE");
    snprintf(disable, sizeof disable, "%s%s" TAKEN_AWAY, already ? already : "", already && *already ? "," : "");
    setenv("ADIT_DISABLE", disable, 1);
    setenv("XDG_RUNTIME_DIR", c->folder, 1);
    char *arguments[] = {"valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", parts, log, self, "count", (char *)(uintptr_t)pattern, "--inside", inside, NULL};
    pid_t pid;
    int error = spawn(c, arguments, &pid);
    if (error == ENOENT)
        return failed(c, -ENOENT, "no valgrind here, which counts the instructions; install it: apt-get install valgrind");
    return error ? failed(c, -error, "cannot start valgrind: %s", strerror(error)) : await(c, pid);
}

/* What was counted in the part of that number; the first line that is counter's name goes there too. Negative errno as a number below 0. */
static double part_of(const struct counting *c, uint64_t number, char *creator, size_t bytes)
{
    char path[96], line[512];
    unsigned long long sum = 0;
    bool found = false;
    snprintf(path, sizeof path, "%s/part.%llu-01", c->folder, (unsigned long long)number);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        found = sscanf(line, "summary: %llu", &sum) == 1;
        if (!strncmp(line, "creator: ", 9))
            adit_say_printable(creator, bytes, line + 9, strcspn(line + 9, "\n"));
    }
    if (file)
        fclose(file);
    return found ? (double)sum : -ENOENT;
}

static struct figure *add(struct figure_list *list, const char *name)
{
    return figure_add(list, "count", name, "instructions");
}

/* A path's series, of the parts after its first mark. */
static int take_path(const struct counting *c, struct figure_list *list, const char *name, uint64_t n, uint64_t before, char *creator, size_t bytes)
{
    double each[COUNT_SERIES];
    for (uint64_t i = 0; i < COUNT_SERIES; i++) {
        double once = part_of(c, before + 2 + 2 * i, creator, bytes), twice = part_of(c, before + 3 + 2 * i, creator, bytes);
        if (once < 0 || twice < 0)
            return failed(c, -EIO, "callgrind wrote no part %llu of %s: is this its 3.19 or newer?", (unsigned long long)(before + 2 + 2 * i), name);
        each[i] = (twice - once) / (double)n;
    }
    stats_sort(each, COUNT_SERIES);
    struct figure *figure = add(list, name);
    if (!figure)
        return failed(c, -ENOSPC, "more paths than figures fit");
    figure->median = stats_median(each, COUNT_SERIES);
    figure->interval = (struct stats_interval){each[0], each[COUNT_SERIES - 1]};
    figure->p10 = each[0];
    figure->p90 = each[COUNT_SERIES - 1];
    figure->p99 = figure->p999 = NAN;
    figure->blocks = COUNT_SERIES;
    return 0;
}

/* What the program inside wrote: see count_inside. */
static int take_all(const struct counting *c, struct figure_list *list, char *creator, size_t bytes)
{
    char path[96], line[512];
    int error = 0;
    snprintf(path, sizeof path, "%s/paths", c->folder);
    FILE *file = fopen(path, "re");
    while (file && !error && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *what = strsep(&rest, "\t"), *name = strsep(&rest, "\t"), *first = strsep(&rest, "\t");
        if (!name || !first)
            error = failed(c, -EBADMSG, "not understood, from within valgrind: %s", line);
        else if (!strcmp(what, "path"))
            error = take_path(c, list, name, strtoull(first, NULL, 10), rest ? strtoull(rest, NULL, 10) : 0, creator, bytes);
        else {
            struct figure *figure = add(list, name);
            if (!figure)
                break;
            figure->state = strcmp(what, "skip") ? FIGURE_FAILED : FIGURE_SKIPPED;
            snprintf(figure->note, sizeof figure->note, "%s", first);
        }
    }
    if (file)
        fclose(file);
    return error || list->count ? error : failed(c, -EINVAL, "no path was run");
}

int callgrind_count(const char *pattern, struct figure_list *list, char *counter, size_t counter_bytes, char why[CALLGRIND_WHY_MAX])
{
    struct counting c = {.folder = "/tmp/perf-lab-XXXXXX", .why = why};
    char creator[64] = "callgrind";
    bool is_any = false;
    for (size_t a = 0; count_paths[a]; a++)
        for (const struct count_path *path = count_paths[a]; path->name; path++)
            is_any = is_any || count_matches(path, pattern);
    if (!is_any)
        return failed(&c, -EINVAL, "no path matches '%s'; `perf-lab count` alone counts them all and lists them", pattern);
    if (!mkdtemp(c.folder))
        return failed(&c, -errno, "cannot make a folder in /tmp: %s", strerror(errno));
    sigemptyset(&c.watched);
    sigaddset(&c.watched, SIGCHLD);
    sigaddset(&c.watched, SIGINT);
    sigaddset(&c.watched, SIGTERM);
    sigaddset(&c.watched, SIGHUP);
    sigprocmask(SIG_BLOCK, &c.watched, &c.before);
    int error = run_inside(&c, pattern);
    if (!error)
        error = take_all(&c, list, creator, sizeof creator);
    if (!error) /* ADIT_DISABLE is there since run_inside */
        snprintf(counter, counter_bytes, "%s, glibc %s, without %s", creator, gnu_get_libc_version(), getenv("ADIT_DISABLE"));
    nftw(c.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    sigprocmask(SIG_SETMASK, &c.before, NULL);
    return error;
}
