/* foreman_parts.h - a foreman from inside: what foreman.c, which offers and meshes, and foreman_account.c, which sees what became of that, have in common.
 */
#ifndef ADIT_FOREMAN_PARTS_H
#define ADIT_FOREMAN_PARTS_H

#include <pthread.h>

#include "runtime/agenda.h"
#include "runtime/foreman.h"
#include "runtime/kinds.h"
#include "runtime/offers.h"

struct adit_foreman {
    struct adit_foreman_params p;
    struct adit_queue *queue;
    struct adit_pool *pool; /* NULL, as the queue: the arena has no room for one */
    pthread_t threads[2];
    uint32_t threads_n;
    pthread_mutex_t baton; /* whoever of them has it is the foreman: the fields up to lock are its */
    bool is_alone;      /* it offers nothing */
    uint32_t workers_n; /* who take offers */
    uint32_t cursor;
    struct adit_agenda agenda;
    struct adit_agenda_item items[ADIT_OFFERS_MAX]; /* its */
    uint64_t meshed_here[ADIT_SEGMENTS_MAX]; /* by the foreman, before the chunk is done; by where its version was, as by_others */
    uint32_t list[ADIT_OFFERS_MAX], at[ADIT_OFFERS_MAX]; /* free chunks of one look; where they stood in the agenda */
    struct adit_task_spec specs[ADIT_OFFERS_MAX];
    struct adit_mesh_dirty_args args[ADIT_OFFERS_MAX];
    pthread_mutex_t lock; /* of what follows: the thread, and who looks */
    struct adit_offers offers;
    uint64_t by_threads, by_processes, given_up;
    uint64_t by_others[ADIT_SEGMENTS_MAX];
    bool is_refused; /* a worker could not do at all what it was offered */
    char why[160];
};

/* All of these under the lock. Takes the results of offers that have ended, and gives up chunks whose task is poisoned. */
void adit_foreman_collect(struct adit_foreman *foreman);
/* What one has come to; it is removed, unless its chunk is to be given up and cannot be yet. */
void adit_foreman_account(struct adit_foreman *foreman, struct adit_offer *offer, const struct adit_task_result *result);
/* Its worker has not claimed the chunk yet, or has finished with it, and lives: see foreman.c. */
bool adit_foreman_is_spent(const struct adit_foreman *foreman, const struct adit_offer *offer);

#endif
