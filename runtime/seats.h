/* seats.h - the worker processes of a pool as its supervisor has them: a seat each, from the wish for one until it is reaped.
 *
 *      NONE --claim--> STANDBY --promote--> WORK --dismiss--> LEAVING --reaped--> NONE
 *                         |  a worker that has died, or could not begin: ------^
 *                         +-- it has inherited a dead one's place: WORK, by itself (worker_life.c)
 *
 * Duty is what the pool has a worker for; what that worker is at stands in its slot (worker_slot.h). All by the supervisor's thread, but look and look_at.
 *
 * A death is known by the robust word that the worker's thread holds: the kernel hands it on when that thread has ended, before the process's memory is
 * unmapped (some 100 ms a GiB), which its pidfd waits for. That is soon enough to run its task again only if nothing of that process can store any more.
 * A worker has one thread, so it cannot; what if a kind has started others? The supervisor asks the kernel (adit_process_threads, which touches no memory
 * of the process): while there is more than the one that has ended, it waits. So a task is never returned while any thread of its worker can run. Only its
 * tasks are taken up so early: what else it had (sections, loans, locks) is the keeper's to recover, by the pidfd, and doing tasks again there finds nothing.
 */
#ifndef ADIT_SEATS_H
#define ADIT_SEATS_H

#include "runtime/task_queue.h"
#include "runtime/zygote.h"

enum adit_duty { ADIT_DUTY_NONE, ADIT_DUTY_STANDBY, ADIT_DUTY_WORK, ADIT_DUTY_LEAVING };

struct adit_seat {
    struct adit_worker_slot *slot; /* w: the supervisor, relaxed, as duty: others look */
    uint32_t duty;
    uint32_t generation; /* of slot */
    int threads_fd;      /* of the process, once it is READY; -1: none */
    bool is_orphan;      /* its zygote has died: nobody will tell that it is reaped */
    bool is_dying;       /* its first thread has ended, others have not */
};

struct adit_seats {
    const struct adit_queue *queue;
    struct adit_arena *arena;
    struct adit_seat seat[ADIT_POOL_SEATS];
    uint64_t tasks_before; /* run by those that have left; w: the supervisor, relaxed */
    uint64_t deaths; /* this and what follows: w: the supervisor, relaxed */
    uint32_t last_signal;
};

/* All empty. *queue stays for as long. */
void adit_seats_init(struct adit_seats *seats, const struct adit_queue *queue);
/* Lets go of those that are taken still; their slots stay as they are. */
void adit_seats_fini(struct adit_seats *seats);

/* Looks at all: tasks of the dead are given back, the reaped leave. 0, or the negative errno for which a worker could not begin (adit_detail). Does not wait. */
int adit_seats_mind(struct adit_seats *seats);

/* How many have that duty and a zygote. */
uint32_t adit_seats_count(const struct adit_seats *seats, enum adit_duty duty);
/* A standby: one that waits for work, else (unless it must be ready) one that is being made; NULL. */
struct adit_seat *adit_seats_standby(struct adit_seats *seats, bool must_be_ready);
/* What its worker is at; COLD: nobody sits there. */
enum adit_worker_life adit_seat_life(const struct adit_seat *seat);
/* How many threads it has; one that cannot be told counts as two, and is waited for. */
uint32_t adit_seat_threads(struct adit_seat *seat);

/* Takes a seat, and a slot of the arena, for a worker that zygote (a participant) is to fork; *wish is to be sent to it. False: not now. */
bool adit_seats_claim(struct adit_seats *seats, uint32_t zygote, enum adit_duty duty, struct adit_zygote_wish *wish);
/* A standby goes to work. */
void adit_seat_promote(struct adit_seat *seat);
/* Asks one to end: between two tasks, by itself. */
void adit_seats_dismiss(struct adit_seats *seats, struct adit_seat *seat);
/* Has one that is worn, and waits to be heard, go on: to its end, if it is asked to, else to another task. */
void adit_seat_hear(struct adit_seat *seat);
/* Asks all to end, and the tasks under way to stop. */
void adit_seats_dismiss_all(struct adit_seats *seats);
/* Kills all that have begun and not ended; their deaths are minded as any. */
void adit_seats_kill(const struct adit_seats *seats);
/* Their zygote has died: nobody will reap them. */
void adit_seats_orphan(struct adit_seats *seats);

/* Any thread: adds what is known; one seat; how many of those at work have begun, and how many are BUSY; how many tasks all have run so far, more or less while one leaves. */
void adit_seats_look(const struct adit_seats *seats, struct adit_pool_stats *stats);
void adit_seat_look(const struct adit_seat *seat, struct adit_worker_info *info);
uint32_t adit_seats_begun(const struct adit_seats *seats);
uint32_t adit_seats_busy(const struct adit_seats *seats);
uint64_t adit_seats_tasks(const struct adit_seats *seats);

#endif
