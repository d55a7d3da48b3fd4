/* sum.c - a kind of tasks for worker processes, as a shared object that they load: what may crash in there takes nobody along.
 *
 *     cc -shared -fPIC sum.c -o sum.so          it needs no library: the program adit-worker has all calls
 *     whole ./sum.so                            runs it (whole.c)
 */
#include <errno.h>
#include <unistd.h>

#include "runtime/adit.h"

struct sum_result {
    double sum;
    int64_t pid;
};

/* Adds up the floats of its one buffer, and says which process did so. */
static int sum(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct sum_result *r = result;
    (void)args;
    if (run->buffers_n != 1 || run->buffers[0].access != ADIT_READ)
        return -EINVAL;
    const float *values = run->buffers[0].data;
    *r = (struct sum_result){.pid = getpid()};
    for (uint64_t i = 0; i < run->buffers[0].bytes / sizeof *values; i++)
        r->sum += (double)values[i];
    *result_bytes = sizeof *r;
    return 0;
}

int adit_kinds_load(struct adit_arena *arena)
{
    const struct adit_kind_params params = {.size = sizeof params, .name = "sum", .run = sum, .result_bytes_max = sizeof(struct sum_result)};
    uint32_t kind;
    return adit_kind_register(arena, &params, &kind);
}
