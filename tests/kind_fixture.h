/* kind_fixture.h - what tests of the built-in kinds of tasks share: an arena with a queue, a pool of this process or a worker process, buffers.
 *
 *     kind_open(2);                                                  or kind_open_beside(ADIT_PRODUCER, 1): the worker is a process of its own
 *     uint64_t from = kind_buffer(bytes, data), to = kind_buffer(bytes, NULL);
 *     struct adit_task_result r = KIND_RUN("adit.fft", args, kind_uses(from, to), 2);
 *     kind_read(to, got, bytes);
 *     kind_close();
 */
#ifndef ADIT_KIND_FIXTURE_H
#define ADIT_KIND_FIXTURE_H

#include "tests/chunk_fixture.h"

extern struct adit_arena *kind_arena;
extern struct adit_queue *kind_queue;

/* An arena of 64 MiB, the built-in kinds, and workers threads. */
void kind_open(uint32_t workers);
/* The same with n worker processes of the pool instead, confined strictly. */
void kind_open_confined(uint32_t n);
/* The same with n processes that work instead, attached in that role; killing one of them. */
void kind_open_beside(enum adit_role role, uint32_t n);
void kind_kill(uint32_t i);
/* Ends all that, buffers included; the arena must be whole. */
void kind_close(void);

/* A buffer, gone with kind_close. */
uint64_t kind_buffer(uint64_t bytes, const void *data);
void kind_read(uint64_t buffer, void *copy, uint64_t bytes);

/* READ from, WRITE to; valid until the next call. */
const struct adit_use *kind_uses(uint64_t from, uint64_t to);
/* Submits one, waits for it, and takes its result. */
struct adit_task_result kind_run(const char *name, const void *args, uint32_t args_bytes, const struct adit_use *uses, uint32_t uses_n);
#define KIND_RUN(name, args, uses, n) kind_run(name, &(args), sizeof(args), uses, n)
/* Its status alone. */
#define KIND_STATUS(name, args, uses, n) (KIND_RUN(name, args, uses, n).status)

#endif
