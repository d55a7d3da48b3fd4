/* worker_life.h - the life of a worker process, from its fork to its end. It has one thread; what a dead one leaves can therefore be taken up as soon as the
 * kernel says that this thread has ended (supervisor.h), long before its memory is unmapped. */
#ifndef ADIT_WORKER_LIFE_H
#define ADIT_WORKER_LIFE_H

#include "runtime/task_queue.h"
#include "runtime/wear.h"

/* What all workers of a zygote have in common. */
struct adit_worker_terms {
    struct adit_wear_limits limits;
    enum adit_confine confine;
    bool is_background;
    uint32_t needs; /* enum adit_needs, of the kinds that it can run, ored */
};

/* What the child of a zygote begins with. */
struct adit_worker_birth {
    struct adit_arena *arena;       /* the zygote's, of which the child gets its own part */
    const struct adit_queue *queue; /* of arena */
    struct adit_worker_slot *slot;
    uint32_t generation;            /* of slot */
    uint32_t *bell;                 /* of its supervisor */
    const struct adit_worker_terms *terms;
    int zygote_pid;
    int application; /* pidfd of the zygote's parent; below 0: none */
};

/* Runs tasks until asked to end, and ends the process; its exit code is 0, or the errno of what kept it from beginning. */
_Noreturn void adit_worker_live(const struct adit_worker_birth *birth);

/* Whether this process is a worker process. */
bool adit_is_worker_process(void);

#endif
