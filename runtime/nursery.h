/* nursery.h - a pool's zygote as its supervisor has it: started, heard, asked for workers, and lost. All by the supervisor's thread, whose end the zygote
 * takes for that of its process. */
#ifndef ADIT_NURSERY_H
#define ADIT_NURSERY_H

#include <limits.h>
#include <sys/types.h>

#include "runtime/task_queue.h"
#include "runtime/zygote.h"

struct adit_nursery {
    struct adit_arena *arena;
    struct adit_worker_slot *slot; /* the zygote's; NULL: there is none */
    pid_t pid;
    int socket;
    bool is_starting; /* it has not reported */
    uint64_t started_ns, step_ns; /* step: it was asked for workers, or had done some of it */
    uint64_t wished, done;
    char *argv[ADIT_POOL_OBJECTS + ADIT_ZYGOTE_WORDS + 1], program[PATH_MAX], numbers[ADIT_ZYGOTE_WORDS][24];
};

/* Finds the program, and what it shall be told. -ENOENT, -EINVAL, -ENOMEM; fini is due all the same. */
int adit_nursery_init(struct adit_nursery *nursery, const struct adit_queue *queue, const struct adit_pool_params *params);
void adit_nursery_fini(struct adit_nursery *nursery);

/* Starts a zygote where there is none. 0: it is starting; -EUSERS, or why the program cannot be run. */
int adit_nursery_start(struct adit_nursery *nursery);
/* What one that is starting has said: 0: it is ready; -EAGAIN: nothing yet; else it could not begin (adit_detail says why), and has ended. Does not wait. */
int adit_nursery_hear(struct adit_nursery *nursery);
/* Has workers forked. False: the zygote is not there to hear it. */
bool adit_nursery_wish(struct adit_nursery *nursery, const struct adit_zygote_wish *wishes, uint32_t n);
/* For how long it has not forked whom it was asked for; 0: it has. */
uint64_t adit_nursery_silent_ns(struct adit_nursery *nursery);
/* Tells it that it is to end its workers and itself: it asks these, and kills them after 3 s. Does not wait. */
void adit_nursery_shut(struct adit_nursery *nursery);
/* Waits for its end, which it is told of, for limit_ns, one that is starting half a second at most, as what it loads may never return; then it is killed. Its wait status. */
int adit_nursery_end(struct adit_nursery *nursery, uint64_t limit_ns);
#define ADIT_NURSERY_LEAVING_NS 5000000000u /* longer than it gives its workers (zygote.c) */

/* Ready, and its thread has not ended. */
bool adit_nursery_is_ready(const struct adit_nursery *nursery);

#endif
