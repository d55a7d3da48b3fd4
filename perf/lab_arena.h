/* lab_arena.h - an arena for the time of one scene, and how the scene's partner gets to it.
 *
 *     lab_arena_name(name);                       before the fork: the partner inherits it
 *     partner_start(...);                         before the arena: no mapping and no thread is forked
 *     lab_arena_create(bench, name, NULL, &arena);
 *     ... in a duty: struct lab_visitor *v = lab_arena_visit(name, ADIT_CONSUMER);
 *
 * The broker's socket lies in a folder that perf-lab makes for the run and removes, so that nothing stays behind.
 */
#ifndef PERF_LAB_ARENA_H
#define PERF_LAB_ARENA_H

#include "perf/bench.h"
#include "runtime/adit.h"

#define LAB_ARENA_NAME_BYTES 32

/* A name no other scene running now has. */
void lab_arena_name(char name[LAB_ARENA_NAME_BYTES]);

/* Creates it. On failure a failed figure says why; returns the negative errno. */
int lab_arena_create(struct bench *bench, const char *name, const struct adit_create_params *params,
                     struct adit_arena **arena);

/* A pool of one thread on the bench's CPU of that number (machine.cpu). The caller's thread is on CPU 0 of the pair afterwards. Returns as adit_pool_open, or as bench_pin. */
int lab_arena_open_worker(struct bench *bench, struct adit_queue *queue, uint32_t number, struct adit_pool **pool);

/* This process's attach to name, made on first use and kept until the process ends. A partner that cannot attach says
 * why on stderr and exits; the measured process then sees -ECHILD. */
struct lab_visitor {
    struct adit_arena *arena;
    struct adit_reader *reader; /* NULL for producers */
};
struct lab_visitor *lab_arena_visit(const char *name, enum adit_role role);

#endif
