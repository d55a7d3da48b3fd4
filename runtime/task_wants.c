#include "runtime/task_wants.h"

#include <errno.h>

#define FRESH_NS 1000000000u /* that what is reserved may not be in use yet */

int adit_task_wants_check(const struct adit_queue *q, const char *kind, const struct adit_task_spec *s)
{
    const struct adit_arena *a = q->arena;
    uint64_t all = s->memory_bytes ? adit_memory_all_bytes() : 0;
    if ((uint32_t)s->affinity > ADIT_NEAR_WORKER)
        return adit_fault(-EINVAL, "arena %s: a task of kind %.47s with affinity %u; there are 0 to %u", a->name, kind, (unsigned)s->affinity, (unsigned)ADIT_NEAR_WORKER);
    if (s->affinity == ADIT_NEAR_NODE && s->near >= adit_numa_nodes_end())
        return adit_fault(-EINVAL, "arena %s: a task of kind %.47s near node %u; this machine's are 0 to %u", a->name, kind, s->near, adit_numa_nodes_end() - 1);
    if (s->affinity == ADIT_NEAR_WORKER && s->near >= a->participants_max)
        return adit_fault(-EINVAL, "arena %s: a task of kind %.47s near participant %u; there are %u at most (adit_task_result.worker says who ran one)", a->name, kind, s->near, a->participants_max);
    if (s->memory_bytes > all)
        return adit_fault(-ENOMEM, "arena %s: a task of kind %.47s that takes %llu MiB of memory; this machine, or the cgroup that limits this process, has %llu: split it, or raise the limit",
                          a->name, kind, (unsigned long long)(s->memory_bytes >> 20), (unsigned long long)(all >> 20));
    return 0;
}

static enum adit_task_near near_of(const struct adit_task_spec *s)
{
    if (s->affinity == ADIT_NEAR_NODE)
        return adit_numa_has_cpus(s->near) ? ADIT_TASK_NEAR_NODE : ADIT_TASK_NEAR_NOTHING;
    return s->affinity == ADIT_NEAR_WORKER ? ADIT_TASK_NEAR_WORKER : ADIT_TASK_NEAR_NOTHING;
}

void adit_task_wants_set(const struct adit_queue *q, const struct adit_task_slot *t, const struct adit_task_spec *s)
{
    struct adit_task_wants *w = &q->arena->task_wants[t - q->arena->tasks];
    adit_store32_relaxed(&w->near, near_of(s)); /* relaxed, all: the word follows */
    adit_store32_relaxed(&w->number, s->near);
    adit_store_relaxed(&w->patience_ns, s->patience_ns ? s->patience_ns : ADIT_TASK_PATIENCE_NS);
    adit_store_relaxed(&w->memory_bytes, s->memory_bytes);
}

static void look_again_at(struct adit_task_cursor *c, uint64_t ns) { c->again_ns = ns < c->again_ns ? ns : c->again_ns; }

static bool is_at_work(const struct adit_queue *q, uint32_t slot)
{
    return slot < q->arena->participants_max && adit_load_seq_cst(&q->slot->at_work[slot / 64]) >> slot % 64 & 1; /* TASK:at_work */
}

/* TASK:at_work. Who goes to sleep says so (TASK:sleep, seq_cst) before it looks, and this bit goes (seq_cst) before the post looks who sleeps: a look that still saw the bit is before it went, so the
 * post sees that sleeper (event.h). Then nobody sleeps on beside what has become anybody's. */
static void leave(struct adit_queue_slot *queue, uint32_t slot)
{
    uint64_t bit = 1ull << slot % 64;
    if (adit_and_seq_cst(&queue->at_work[slot / 64], ~bit) & bit)
        adit_event_post(&queue->work);
}

void adit_task_at_work(const struct adit_queue *q, bool is_so)
{
    struct adit_arena *a = q->arena;
    uint32_t slot = adit_owner_slot(a->owner), *workers = &a->workers_here[q->id];
    pthread_mutex_lock(&a->memory_here.lock); /* count and bit change together: else one that comes meanwhile would find its bit taken away */
    *workers += is_so ? 1 : UINT32_MAX;
    if (is_so && *workers == 1)
        (void)adit_or_seq_cst(&q->slot->at_work[slot / 64], 1ull << slot % 64); /* seq_cst: as in leave */
    else if (!*workers)
        leave(q->slot, slot);
    pthread_mutex_unlock(&a->memory_here.lock);
}

/* Whether this thread is near, or nobody can be. */
static bool is_near(const struct adit_queue *q, const struct adit_task_wants *w)
{
    uint32_t number = adit_load32_relaxed(&w->number);
    switch (adit_load32_relaxed(&w->near)) { /* relaxed, both: the claim's CAS says whether they were the task's */
    case ADIT_TASK_NEAR_NODE: return adit_numa_here() == (int32_t)number;
    case ADIT_TASK_NEAR_WORKER: return number == adit_owner_slot(q->arena->owner) || !is_at_work(q, number);
    default: return true;
    }
}

static bool is_its_place(const struct adit_queue *q, struct adit_task_cursor *c, const struct adit_task_slot *t, const struct adit_task_wants *w)
{
    if (is_near(q, w))
        return true;
    uint64_t until = adit_task_later(adit_load_relaxed(&t->waits_ns), adit_load_relaxed(&w->patience_ns)); /* relaxed: likewise */
    if (until <= adit_clock_ns())
        return true;
    look_again_at(c, until);
    return false;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static uint64_t plus(uint64_t a, uint64_t b) { return b < UINT64_MAX - a ? a + b : UINT64_MAX; }

struct reservations {
    uint64_t all, fresh; /* fresh: of it, what may not be in use yet */
};

static struct reservations sum_of_all(const struct adit_arena *a, uint64_t now)
{
    struct reservations sum = {0};
    for (uint32_t i = 0; i < a->participants_max; i++) {
        const struct adit_task_memory *m = &a->task_memory[i];
        uint64_t bytes = adit_load_seq_cst(&m->reserved), fresh = adit_load_seq_cst(&m->fresh);
        bool is_fresh = (int64_t)(now - adit_load_relaxed(&m->since_ns)) < FRESH_NS; /* one that is later than now is, too */
        if (!bytes || adit_part_state(adit_load_acquire(&a->participants[i].word)) != ADIT_PART_ALIVE)
            continue; /* what a dead one had is nobody's by the time its task is */
        sum.all = plus(sum.all, bytes);
        sum.fresh = plus(sum.fresh, !is_fresh ? 0 : fresh < bytes ? fresh : bytes);
    }
    return sum;
}

/* Under the lock, as what follows. */
static void take(struct adit_task_memory *own, uint64_t bytes, uint64_t now)
{
    bool is_stale = (int64_t)(now - adit_load_relaxed(&own->since_ns)) >= FRESH_NS;
    adit_store_relaxed(&own->since_ns, now); /* relaxed: the others follow */
    adit_store_seq_cst(&own->fresh, plus(is_stale ? 0 : adit_load_relaxed(&own->fresh), bytes));
    adit_store_seq_cst(&own->reserved, plus(adit_load_relaxed(&own->reserved), bytes)); /* TASK:memory, before the sum: of two that reserve at once one at least sees the other */
}

static void give_back(struct adit_task_memory *own, uint64_t bytes)
{
    uint64_t reserved = adit_load_relaxed(&own->reserved), fresh = adit_load_relaxed(&own->fresh); /* relaxed: under the lock they are this thread's */
    adit_store_seq_cst(&own->reserved, reserved > bytes ? reserved - bytes : 0);
    adit_store_seq_cst(&own->fresh, fresh > bytes ? fresh - bytes : 0);
}

static uint64_t available_of(struct adit_memory_here *here, uint64_t now)
{
    if (!here->looked_ns || now - here->looked_ns >= ADIT_TASK_MEMORY_LOOK_NS) { /* what was reserved since counts apart */
        here->available = adit_memory_available_bytes();
        here->looked_ns = now;
    }
    return here->available;
}

/* Whether there is room; if not, here->room says how much there will be when all reservations have ended. */
static bool reserve(const struct adit_queue *q, uint64_t bytes, uint64_t now)
{
    struct adit_memory_here *here = &q->arena->memory_here;
    struct adit_task_memory *own = &q->arena->task_memory[adit_owner_slot(q->arena->owner)];
    take(own, bytes, now);
    struct reservations sum = sum_of_all(q->arena, now);
    uint64_t available = available_of(here, now);
    if (sum.all <= adit_memory_all_bytes() && sum.fresh <= available) {
        here->refused = here->patience_ns = 0;
        return true;
    }
    give_back(own, bytes);
    uint64_t patience = here->patience_ns * 2;
    here->patience_ns = patience < ADIT_TASK_MEMORY_LOOK_NS ? ADIT_TASK_MEMORY_LOOK_NS : patience < ADIT_TASK_MEMORY_LOOK_MAX_NS ? patience : ADIT_TASK_MEMORY_LOOK_MAX_NS;
    here->refused = bytes;
    here->again_ns = now + here->patience_ns;
    adit_store_seq_cst(&q->slot->memory_wanted, 1); /* who gives some back from here on wakes those who wait; before, they look in a moment */
    here->room = plus(available, sum.all - sum.fresh); /* what is fresh is available still */
    return false;
}

/* The same, if it is not known that there is none. */
static bool has_memory(const struct adit_queue *q, struct adit_task_cursor *c, uint64_t bytes, uint64_t now, bool *may_fit)
{
    struct adit_memory_here *here = &q->arena->memory_here;
    pthread_mutex_lock(&here->lock);
    bool is_known = here->refused && bytes >= here->refused && now < here->again_ns, is_had = !is_known && reserve(q, bytes, now);
    if (!is_had)
        look_again_at(c, here->again_ns);
    *may_fit = bytes <= here->room;
    pthread_mutex_unlock(&here->lock);
    return is_had;
}

bool adit_task_wants_suit(const struct adit_queue *q, struct adit_task_cursor *c, const struct adit_task_slot *t, uint64_t *reserved)
{
    const struct adit_task_wants *w = &q->arena->task_wants[t - q->arena->tasks];
    uint64_t bytes = adit_load_relaxed(&w->memory_bytes); /* relaxed: the claim's CAS says whether it was the task's */
    bool may_fit = false;
    *reserved = 0;
    if (!is_its_place(q, c, t, w))
        return false;
    if (!bytes)
        return true;
    uint64_t now = adit_clock_ns();
    if (!c->is_memory_taken && has_memory(q, c, bytes, now, &may_fit)) {
        *reserved = bytes;
        return true;
    }
    c->is_memory_taken = c->is_memory_taken || (may_fit && now - adit_load_relaxed(&t->waits_ns) > ADIT_TASK_MEMORY_TURN_NS); /* relaxed: likewise */
    look_again_at(c, now + ADIT_TASK_MEMORY_LOOK_MAX_NS);
    return false;
}

void adit_task_wants_release(const struct adit_queue *q, uint64_t reserved)
{
    struct adit_memory_here *here = &q->arena->memory_here;
    if (!reserved)
        return;
    pthread_mutex_lock(&here->lock);
    give_back(&q->arena->task_memory[adit_owner_slot(q->arena->owner)], reserved);
    here->refused = here->looked_ns = here->patience_ns = 0; /* it is looked at anew */
    pthread_mutex_unlock(&here->lock);
    if (!adit_load_seq_cst(&q->slot->memory_wanted)) /* after reserved, as a refusal says so after its sum */
        return;
    adit_store_relaxed(&q->slot->memory_wanted, 0);
    adit_event_post(&q->slot->work);
}

void adit_task_wants_forget(struct adit_arena *arena, uint32_t slot)
{
    if (slot >= arena->participants_max)
        return;
    adit_store_seq_cst(&arena->task_memory[slot].reserved, 0); /* seq_cst: as TASK:memory */
    adit_store_seq_cst(&arena->task_memory[slot].fresh, 0);
    for (uint32_t i = 0; i < arena->queues_max; i++)
        leave(&arena->queues[i], slot);
}
