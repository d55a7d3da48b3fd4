/* foreman_account.c - what has become of a foreman's offers, and what it tells of that (foreman.h).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/cost.h"
#include "runtime/dirty.h"
#include "runtime/foreman_parts.h"
#include "runtime/key.h"
#include "runtime/placement.h"
#include "runtime/store.h"
#include "runtime/task_queue.h"

#define INFO_NAP_NS 50000
#define INFO_LOOKS 1000u

static void say_given_up(struct adit_foreman *f, uint32_t index)
{
    struct adit_pool_stats s = {.size = sizeof s};
    struct adit_key key = adit_key_unpack(adit_store_key(f->p.arena, index));
    (void)adit_pool_look(f->pool, &s);
    f->given_up++;
    snprintf(f->why, sizeof f->why, "chunk %d,%d,%d of world %u, level %u killed each worker that meshed it (the last by signal %u); it gets no mesh until it is published again", key.x, key.y, key.z,
             key.world, key.lod, s.last_signal);
}

/* Gives up a chunk whose task is poisoned, as soon as its last worker's claim is undone. True: the offer is over. */
static bool bury(struct adit_foreman *f, const struct adit_offer *offer)
{
    uint64_t current = adit_load_acquire(&f->p.arena->entries[offer->index].current);
    if (current >> 40 != offer->current >> 40)
        return true; /* another version, which may be better; the same one may lie elsewhere by now (move.h) */
    if (!adit_dirty_give_up(f->p.arena, offer->index, current))
        return false;
    if (adit_dirty_is_given_up(f->p.arena, offer->index))
        say_given_up(f, offer->index);
    return true;
}

void adit_foreman_account(struct adit_foreman *f, struct adit_offer *offer, const struct adit_task_result *r)
{
    struct adit_mesh_dirty_result made = {0};
    if (r->end == ADIT_ENDED_POISONED) {
        offer->is_poisoned = true;
        if (!bury(f, offer))
            return;
    }
    memcpy(&made, r->data, r->end == ADIT_ENDED_DONE && r->bytes == sizeof made ? sizeof made : 0);
    bool is_here = r->worker == adit_owner_slot(f->p.arena->owner) || !f->p.processes;
    *(is_here ? &f->by_threads : &f->by_processes) += made.made == 1;
    f->by_others[adit_placement_segment(f->p.arena, offer->current)] += made.made == 1;
    if (made.made)
        adit_cost_average(f->p.chunk_ns, made.took_ns);
    f->is_refused |= r->status == -EINVAL;
    adit_offers_remove(&f->offers, offer);
}

void adit_foreman_collect(struct adit_foreman *f)
{
    struct adit_task_result r = {.size = sizeof r};
    for (uint32_t i = f->offers.n; i-- > 0;) {
        struct adit_offer *offer = &f->offers.of[i];
        int error = offer->is_poisoned ? 0 : adit_wait(f->queue, offer->task, 0, &r);
        if (offer->is_poisoned ? bury(f, offer) : error == -ENOENT)
            adit_offers_remove(&f->offers, offer);
        else if (!offer->is_poisoned && !error)
            adit_foreman_account(f, offer, &r);
    }
}

bool adit_foreman_is_spent(const struct adit_foreman *f, const struct adit_offer *offer)
{
    struct adit_task_info t = {.size = sizeof t};
    return !offer->is_poisoned && (adit_task_look(f->queue, offer->task, &t) || t.stage == ADIT_STAGE_ENDED || (t.stage == ADIT_STAGE_RUNNING && t.attempt == 1));
}

/* ---- looking in ---- */

/* A worker has published and says so in a moment. Under the lock. */
static bool is_about_to_end(struct adit_foreman *f)
{
    for (uint32_t i = 0; i < f->offers.n; i++)
        if (!f->offers.of[i].is_poisoned && !adit_load_acquire(&f->p.arena->entries[f->offers.of[i].index].work) && adit_foreman_is_spent(f, &f->offers.of[i]))
            return true;
    return false;
}

/* Until all that has been published is accounted for, or it takes too long. Returns with the lock. */
static void lock_settled(struct adit_foreman *f)
{
    bool is_late = true;
    pthread_mutex_lock(&f->lock);
    for (uint32_t looks = 0; looks < INFO_LOOKS && is_late; looks++) {
        adit_foreman_collect(f);
        is_late = is_about_to_end(f);
        pthread_mutex_unlock(&f->lock);
        if (is_late)
            nanosleep(&(struct timespec){.tv_nsec = INFO_NAP_NS}, NULL);
        pthread_mutex_lock(&f->lock);
    }
}

static uint32_t threads_of(const struct adit_foreman *f, const struct adit_pool_stats *s) { return !f->p.threads ? 0 : f->is_alone ? 1 : s->workers + 1; }

void adit_foreman_info(struct adit_foreman *f, bool of_processes, struct adit_tier_info *info)
{
    struct adit_pool_stats s = {.size = sizeof s};
    lock_settled(f);
    info->meshed += of_processes ? f->by_processes : f->by_threads;
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX && !of_processes; i++)
        info->meshed += adit_load_relaxed(&f->meshed_here[i]); /* relaxed: counted before the chunk was done */
    info->given_up += f->given_up;
    if (*f->why)
        snprintf(info->why, sizeof info->why, "%s", f->why);
    pthread_mutex_unlock(&f->lock);
    if (f->pool && adit_pool_look(f->pool, &s))
        return;
    info->workers += of_processes ? s.processes : threads_of(f, &s);
    info->deaths += of_processes ? s.deaths : 0;
}

void adit_foreman_on_node(struct adit_foreman *f, struct adit_node_info *info)
{
    struct adit_pool_stats s = {.size = sizeof s};
    lock_settled(f);
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        info->meshed[i] = f->by_others[i] + adit_load_relaxed(&f->meshed_here[i]); /* relaxed: counted before the chunk was done */
    pthread_mutex_unlock(&f->lock);
    info->node = f->p.node ? f->p.node->id : -1;
    if (!f->pool || !adit_pool_look(f->pool, &s)) {
        info->threads = threads_of(f, &s);
        info->processes = s.processes;
    }
}
