/* task_wait.c - what a submitter asks of its tasks: whether they have ended, with what, and to end them now. */
#include <errno.h>
#include <string.h>

#include "runtime/params.h"
#include "runtime/task_queue.h"

#define SPINS 4000 /* looks before it flags the task and sleeps: some microseconds */

/* The word of the task that place names; false: it is another one's by now, or nobody's. */
static bool load_word(const struct adit_queue *q, const struct adit_task_place *place, uint64_t *word)
{
    *word = adit_load_acquire(&place->slot->word); /* pairs with TASK:done */
    return !adit_task_lead(*word, adit_task_round_at(q, place->position)) && adit_task_state(*word) > ADIT_TASK_FILLING &&
           adit_task_state(*word) < ADIT_TASK_STATES;
}

/* Copies what an ended task left. While the word stays as it is nobody stores there. */
static void copy_result(const struct adit_task_slot *t, uint64_t word, struct adit_task_result *r)
{
    static const struct {
        enum adit_task_end end;
        int32_t status;
    } ends[ADIT_TASK_STATES] = {[ADIT_TASK_DONE] = {ADIT_ENDED_DONE, 0}, [ADIT_TASK_CANCELLED] = {ADIT_ENDED_CANCELLED, -ECANCELED},
                                [ADIT_TASK_EXPIRED] = {ADIT_ENDED_EXPIRED, -ETIMEDOUT}, [ADIT_TASK_POISONED] = {ADIT_ENDED_POISONED, -EOWNERDEAD}};
    enum adit_task_state state = adit_task_state(word);
    uint32_t bytes = state == ADIT_TASK_DONE ? __atomic_load_n(&t->result_bytes, __ATOMIC_RELAXED) : 0; /* relaxed: after TASK:done, and once */
    bytes = bytes < ADIT_TASK_BYTES ? bytes : ADIT_TASK_BYTES;
    r->end = ends[state].end;
    r->status = state == ADIT_TASK_DONE ? t->status : ends[state].status;
    r->attempts = adit_task_attempt(word);
    r->worker = t->worker;
    r->signal = state == ADIT_TASK_POISONED ? (uint32_t)__atomic_load_n(&t->status, __ATOMIC_RELAXED) & 0x7f : 0; /* relaxed: before POISONED */
    r->tag = t->tag;
    r->inlined = false;
    r->ran_ns = state == ADIT_TASK_DONE && __atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_IS_TIMED ? adit_load_relaxed(&t->took_ns) : 0; /* relaxed: likewise */
    r->bytes = bytes;
    memcpy(r->data, bytes > ADIT_TASK_SHORT_RESULT ? t->long_result : t->result, bytes);
}

struct waiting {
    const struct adit_queue *q;
    struct adit_task_place place;
    bool sets_flag;
};

/* True when the task has ended or is not there; else, from the second look on, with WAITED set. */
static bool has_ended(void *context)
{
    struct waiting *w = context;
    uint64_t word;
    while (load_word(w->q, &w->place, &word) && !adit_task_has_ended(word)) {
        if (adit_task_waits(word) && adit_task_expire(w->q, &w->place, word))
            continue; /* it may be that nobody claims anything */
        if (!w->sets_flag || word & ADIT_TASK_WAITED || adit_cas_seq_cst(&w->place.slot->word, &word, word | ADIT_TASK_WAITED)) /* TASK:waited */
            return false;
    }
    return true;
}

/* Waits until it has ended or is not there: looking, then asleep. */
static int wait_for(const struct adit_queue *q, struct waiting *w, uint64_t timeout_ns)
{
    for (uint32_t i = 0; i < SPINS; i++)
        if (has_ended(w))
            return 0;
    w->sets_flag = true;
    return adit_event_wait(&q->slot->done, has_ended, w, timeout_ns);
}

int adit_wait(struct adit_queue *q, uint64_t task, uint64_t timeout_ns, struct adit_task_result *result)
{
    struct waiting w = {.q = q};
    uint64_t word;
    int error = adit_params_check("adit_wait", result->size, sizeof *result);
    if (error)
        return error;
    if (!adit_task_resolve(q, task, &w.place))
        return -ENOENT;
    if (!has_ended(&w)) {
        error = timeout_ns ? wait_for(q, &w, timeout_ns) : -ETIMEDOUT;
        if (error)
            return error;
    }
    while (load_word(q, &w.place, &word) && adit_task_has_ended(word)) { /* bounded: others can only free it */
        copy_result(w.place.slot, word, result);
        if (adit_task_free(q, &w.place, word))
            return 0;
    }
    return -ENOENT;
}

int adit_cancel(struct adit_queue *q, uint64_t task)
{
    struct adit_task_place place;
    uint64_t word;
    if (!adit_task_resolve(q, task, &place))
        return -ENOENT;
    while (load_word(q, &place, &word)) { /* bounded by the task's transitions */
        if (adit_task_has_ended(word))
            return -EALREADY;
        if (adit_task_state(word) != ADIT_TASK_RUNNING && adit_task_state(word) != ADIT_TASK_COMMITTED) {
            if (adit_task_end(q, &place, word, ADIT_TASK_CANCELLED))
                return 0;
        } else if (word & ADIT_TASK_CANCEL || adit_cas_acq_rel(&place.slot->word, &word, word | ADIT_TASK_CANCEL)) {
            return -EBUSY;
        }
    }
    return -ENOENT;
}

void adit_task_detach(const struct adit_queue *q, const struct adit_task_place *place)
{
    uint64_t word;
    while (load_word(q, place, &word)) /* bounded by the task's transitions */
        if (adit_task_has_ended(word) ? adit_task_free(q, place, word) : adit_cas_acq_rel(&place->slot->word, &word, word | ADIT_TASK_DETACHED))
            return;
}

bool adit_task_withdraw(const struct adit_queue *q, uint64_t task)
{
    struct adit_task_place place;
    uint64_t word;
    if (!adit_task_resolve(q, task, &place) || !load_word(q, &place, &word))
        return false;
    return adit_task_waits(word) && !adit_task_attempt(word) && adit_task_end(q, &place, word, ADIT_TASK_CANCELLED);
}

int adit_task_look(const struct adit_queue *q, uint64_t task, struct adit_task_info *info)
{
    struct adit_task_place place;
    uint64_t word, again;
    int error = adit_params_check("adit_task_look", info->size, sizeof *info);
    if (error)
        return error;
    if (!adit_task_resolve(q, task, &place) || !load_word(q, &place, &word))
        return -ENOENT;
    enum adit_task_state state = adit_task_state(word);
    uint32_t slot = adit_owner_slot(adit_task_owner(word));
    info->stage = adit_task_has_ended(word) ? ADIT_STAGE_ENDED : state == ADIT_TASK_RUNNING || state == ADIT_TASK_COMMITTED ? ADIT_STAGE_RUNNING
                  : state == ADIT_TASK_QUEUED                                               ? ADIT_STAGE_QUEUED
                                                                                            : ADIT_STAGE_DELAYED;
    info->is_cancelled = word & ADIT_TASK_CANCEL || state == ADIT_TASK_CANCELLED;
    info->is_detached = word & ADIT_TASK_DETACHED;
    info->attempt = adit_task_attempt(word);
    info->kind = __atomic_load_n(&place.slot->kind, __ATOMIC_RELAXED);
    info->tag = adit_load_relaxed(&place.slot->tag); /* relaxed, all three: the word is looked at again */
    info->progress = adit_load_relaxed(&place.slot->progress);
    info->pid = info->stage == ADIT_STAGE_RUNNING && slot < q->arena->participants_max ? adit_part_pid(adit_load_acquire(&q->arena->participants[slot].word)) : 0;
    return load_word(q, &place, &again) ? 0 : -ENOENT;
}
