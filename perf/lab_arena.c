/* lab_arena.c - see lab_arena.h. Nothing here is detached: the kernel does that when the scene's process ends, and a
 * scene's end is the end of its arena. */
#include "perf/lab_arena.h"

#include <stdio.h>
#include <unistd.h>

void lab_arena_name(char name[LAB_ARENA_NAME_BYTES])
{
    snprintf(name, LAB_ARENA_NAME_BYTES, "perf-lab-%d", (int)getpid());
}

int lab_arena_create(struct bench *bench, const char *name, const struct adit_create_params *params,
                     struct adit_arena **arena)
{
    int error = adit_create(name, params, arena);
    if (error) {
        char why[FIGURE_TEXT_MAX];
        snprintf(why, sizeof why, "creating an arena (%s)", adit_detail());
        bench_fail(bench, "all", why, error);
    }
    return error;
}

int lab_arena_open_worker(struct bench *bench, struct adit_queue *queue, uint32_t number, struct adit_pool **pool)
{
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    int error = bench_pin(bench->machine->cpu[number]);
    if (!error)
        error = adit_pool_open(queue, &one, pool);
    int back = bench_pin(bench->machine->cpu[0]);
    return error ? error : back;
}

struct lab_visitor *lab_arena_visit(const char *name, enum adit_role role)
{
    static struct lab_visitor visitor;
    if (visitor.arena)
        return &visitor;
    int error = adit_attach(name, role, NULL, &visitor.arena);
    if (!error && role == ADIT_CONSUMER)
        error = adit_reader_open(visitor.arena, &visitor.reader);
    if (error) {
        fprintf(stderr, "perf-lab: partner cannot join %s: %s (%s)\n", name, adit_strerror(error), adit_detail());
        _exit(1);
    }
    return &visitor;
}
