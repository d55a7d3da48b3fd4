/* count.c - paths run between marks. A mark asks callgrind for all it counted since the one before; outside of valgrind it is a few instructions that do nothing.
 *
 * The request is that of valgrind/valgrind.h and valgrind/callgrind.h (the sequence of rotations that no compiler makes, and the tool's numbers), written out here so that nothing of
 * valgrind is needed to build, and so that counting works in a program without symbols. Instrumentation is off while paths are set up: that is quicker, and nobody asks.
 */
#include "perf/count.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

enum request { /* of callgrind.h: VG_USERREQ_TOOL_BASE('C', 'T') and up */
    DUMP_STATS = 'C' << 24 | 'T' << 16,
    START_INSTRUMENTATION = DUMP_STATS + 4,
    STOP_INSTRUMENTATION = DUMP_STATS + 5,
};

static void ask(enum request request)
{
    volatile uint64_t arguments[6] = {(uint64_t)request};
    uint64_t answer = 0;
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                     : "+d"(answer)
                     : "a"(&arguments[0])
                     : "cc", "memory");
}

static uint64_t marks;

static void mark(void)
{
    ask(DUMP_STATS);
    marks++;
}

const struct count_path *const count_paths[] = {count_section, count_chunk, count_ring, count_alloc, count_lock, count_task, count_mesh, count_metrics, NULL};

bool count_matches(const struct count_path *path, const char *pattern) { return fnmatch(pattern, path->name, 0) == 0 || strstr(path->name, pattern); }

int count_arena_open(struct adit_arena **arena) { return adit_create("perf-lab-count", NULL, arena); }

/* Series of N and 2N, a mark before the first and after each. */
static int run_marked(const struct count_path *path)
{
    int error = path->run(path->n);
    ask(START_INSTRUMENTATION);
    mark();
    for (int i = 0; i < COUNT_SERIES && !error; i++) {
        error = path->run(path->n);
        mark();
        if (!error)
            error = path->run(2 * path->n);
        mark();
    }
    ask(STOP_INSTRUMENTATION);
    return error;
}

int count_inside(const char *pattern, FILE *out)
{
    for (size_t a = 0; count_paths[a]; a++)
        for (const struct count_path *path = count_paths[a]; path->name; path++) {
            if (!count_matches(path, pattern))
                continue;
            uint64_t before = marks;
            int error = path->open(path->argument);
            if (!error)
                error = run_marked(path);
            if (path->close)
                path->close();
            if (error)
                fprintf(out, "%s\t%s\t%s\n", error == -ENOTSUP ? "skip" : "fail", path->name, error == -ENOTSUP ? "this processor, or valgrind's, or this build has no such path" : strerror(-error));
            else
                fprintf(out, "path\t%s\t%llu\t%llu\n", path->name, (unsigned long long)path->n, (unsigned long long)before);
            if (fflush(out) != 0)
                return -errno;
        }
    return 0;
}
