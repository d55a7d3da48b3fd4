#include "runtime/task_uses.h"

#include <errno.h>
#include <string.h>

#include "runtime/buffer.h"
#include "runtime/task_groups.h"

#define LOCK_NS 5000000000u

int adit_task_uses_lock(struct adit_arena *arena)
{
    struct adit_robust *r = &arena->waits->uses;
    int error = adit_robust_lock(r, arena->owner, NULL, LOCK_NS);
    if (error == -ETIMEDOUT)
        return adit_fault(error, "arena %s: participant %u has been submitting a task for 5 s; is it stopped?", arena->name,
                          adit_owner_slot(adit_load32_relaxed(&r->owner)));
    return error == -EOWNERDEAD ? 0 : error;
}

bool adit_task_uses_trylock(struct adit_arena *arena)
{
    int error = adit_robust_trylock(&arena->waits->uses, arena->owner);
    return !error || error == -EOWNERDEAD;
}

void adit_task_uses_unlock(struct adit_arena *arena)
{
    adit_robust_unlock(&arena->waits->uses);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* DROPS:due: the word is given up before the look */
    if (adit_load32_relaxed(&arena->waits->drops_due))
        adit_buffers_drop_due(arena);
}

/* A handle without its access, and what it is found by. */
static uint64_t bare(uint64_t use) { return use & ~(uint64_t)(ADIT_USE_READ | ADIT_USE_WRITE); }
static uint64_t bit_of(uint64_t use) { return 1ull << (bare(use) & 63); }

typedef int each_use(const struct adit_queue *q, const struct adit_task_place *place, const struct adit_task_uses *uses, void *user);

/* Of those in n slots of a queue's level. */
static int each_of(const struct adit_queue *q, uint32_t level, uint64_t slot, uint32_t n, uint64_t bits, each_use *each, void *user)
{
    struct adit_arena *arena = q->arena;
    const uint64_t first = (uint64_t)(q->tasks - arena->tasks) + ((uint64_t)level << q->shift);
    int error = 0;
    for (uint64_t i = slot; i < slot + n && !error; i++) {
        if (!(adit_load_relaxed(&arena->task_use_bits[first + i]) & bits)) /* relaxed: stored under the lock, or by a task of before */
            continue;
        const struct adit_task_slot *t = adit_task_at(q, level, i);
        uint64_t word = adit_load_acquire(&t->word);
        bool is_live = adit_task_state(word) > ADIT_TASK_FILLING && !adit_task_has_ended(word);
        if (!is_live || !(__atomic_load_n(&t->flags, __ATOMIC_RELAXED) & ADIT_TASK_HAS_USES)) /* relaxed: with the bits */
            continue;
        struct adit_task_place place = adit_task_place_of(q, level, i, word);
        error = each(q, &place, &arena->task_uses[first + i], user);
    }
    return error;
}

/* Calls each for the tasks that have not ended and use a buffer of bits (closer looks are each's). They are in groups without the mark, which each entered before its submitter gave the lock up. */
static int each_user(struct adit_arena *arena, uint64_t bits, each_use *each, void *user)
{
    struct adit_queue q;
    int error = 0;
    for (uint32_t id = 0; id < arena->queues_max && !error; id++) {
        const uint32_t levels_n = adit_queue_adopt(arena, id, &q) ? q.levels_n : 0;
        for (uint32_t level = 0; level < levels_n && !error; level++) {
            struct adit_task_walk w = adit_task_walk(&q, level, ADIT_TASK_GROUP_ENDED);
            uint64_t slot;
            for (uint32_t n; !error && (n = adit_task_walk_group(&w, &slot));)
                error = each_of(&q, level, slot, n, bits, each, user);
        }
    }
    return error;
}

/* ---- whether one is used ---- */

static int is_used(const struct adit_queue *q, const struct adit_task_place *place, const struct adit_task_uses *uses, void *user)
{
    uint64_t buffer = *(const uint64_t *)user;
    (void)q;
    (void)place;
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++)
        if (bare(adit_load_relaxed(&uses->use[i])) == buffer)
            return 1;
    return 0;
}

bool adit_task_uses_has(struct adit_arena *arena, uint64_t buffer) { return each_user(arena, bit_of(buffer), is_used, &buffer) != 0; }

/* ---- submitting ---- */

static uint64_t use_of(const struct adit_use *u)
{
    return u->buffer | (u->access == ADIT_READ ? ADIT_USE_READ : u->access == ADIT_WRITE ? ADIT_USE_WRITE : ADIT_USE_READ | ADIT_USE_WRITE);
}

int adit_task_uses_check(const struct adit_queue *q, const struct adit_task_spec *s)
{
    if (s->uses_n > ADIT_TASK_USES_MAX || (s->uses_n && !s->uses))
        return adit_fault(-EINVAL, "arena %s: a task that uses %u buffers; %u are possible", q->arena->name, s->uses_n, ADIT_TASK_USES_MAX);
    for (uint32_t i = 0; i < s->uses_n; i++) {
        const struct adit_use *u = &s->uses[i];
        if (u->access < ADIT_READ || u->access > ADIT_READ_WRITE)
            return adit_fault(-EINVAL, "arena %s: access %u to a buffer; use ADIT_READ, ADIT_WRITE or ADIT_READ_WRITE", q->arena->name, (unsigned)u->access);
        for (uint32_t k = 0; k < i; k++)
            if (s->uses[k].buffer == u->buffer)
                return adit_fault(-EINVAL, "arena %s: a task uses buffer 0x%llx twice; say ADIT_READ_WRITE", q->arena->name, (unsigned long long)u->buffer);
        if (u->buffer != bare(u->buffer) || !adit_buffer_find(q->arena, u->buffer))
            return adit_fault(-ENOENT, "arena %s: there is no buffer 0x%llx", q->arena->name, (unsigned long long)u->buffer);
    }
    return 0;
}

struct finding {
    const struct adit_task_spec *spec;
    int (*each)(uint64_t handle, void *user);
    void *user;
};

static int conflicts(const struct adit_queue *q, const struct adit_task_place *place, const struct adit_task_uses *uses, void *user)
{
    const struct finding *f = user;
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++)
        for (uint32_t k = 0; k < f->spec->uses_n; k++) {
            uint64_t theirs = adit_load_relaxed(&uses->use[i]), ours = use_of(&f->spec->uses[k]);
            if (bare(theirs) == bare(ours) && (theirs | ours) & ADIT_USE_WRITE)
                return f->each(adit_task_handle(q, place->level, place->position), f->user);
        }
    return 0;
}

int adit_task_uses_each(const struct adit_queue *q, const struct adit_task_spec *spec, int (*each)(uint64_t handle, void *user), void *user)
{
    struct finding f = {spec, each, user};
    uint64_t bits = 0;
    for (uint32_t i = 0; i < spec->uses_n; i++)
        bits |= bit_of(spec->uses[i].buffer);
    return each_user(q->arena, bits, conflicts, &f);
}

void adit_task_uses_set(const struct adit_queue *q, const struct adit_task_slot *t, const struct adit_task_spec *spec)
{
    uint64_t at = (uint64_t)(t - q->arena->tasks), bits = 0;
    struct adit_task_uses *uses = &q->arena->task_uses[at];
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) { /* relaxed: the task's word follows */
        adit_store_relaxed(&uses->use[i], i < spec->uses_n ? use_of(&spec->uses[i]) : 0);
        adit_store_relaxed(&uses->shadow[i], 0);
        bits |= i < spec->uses_n ? bit_of(spec->uses[i].buffer) : 0;
    }
    adit_store_relaxed(&q->arena->task_use_bits[at], bits);
}

/* ---- running ---- */

static struct adit_task_uses *uses_of(const struct adit_queue *q, const struct adit_task_slot *t) { return &q->arena->task_uses[t - q->arena->tasks]; }

static void free_shadows(const struct adit_queue *q, const struct adit_task_run *run, const struct adit_task_slot *t)
{
    struct adit_task_uses *uses = uses_of(q, t);
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) {
        uint64_t ref = adit_load_relaxed(&uses->shadow[i]);
        adit_store_relaxed(&uses->shadow[i], 0);
        if (ref && i < run->buffers_n && adit_block_is_loaned(q->arena, ref))
            adit_block_free(q->arena, ref);
    }
}

/* Takes shadows; outside sections, as a full arena waits for them to end. */
static int take_shadows(const struct adit_queue *q, const struct adit_task_slot *t, struct adit_task_run *run)
{
    struct adit_task_uses *uses = uses_of(q, t);
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++)
        adit_store_relaxed(&uses->shadow[i], 0); /* an attempt that died left its own, which by now may be anybody's blocks */
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) {
        uint64_t use = adit_load_relaxed(&uses->use[i]), ref = 0; /* relaxed: TASK:claim */
        if (!use)
            break;
        const struct adit_buffer_slot *b = adit_buffer_find(q->arena, use);
        struct adit_task_buffer *to = &run->buffers[i];
        if (!b)
            return -ENOENT;
        to->bytes = adit_load_relaxed(&b->bytes);
        to->access = !(use & ADIT_USE_WRITE) ? ADIT_READ : use & ADIT_USE_READ ? ADIT_READ_WRITE : ADIT_WRITE;
        run->buffers_n = i + 1;
        if (to->access == ADIT_READ)
            continue;
        int error = adit_block_alloc(q->arena, to->bytes, ADIT_BLOCK_HERE, &ref);
        if (error)
            return error;
        adit_store_relaxed(&uses->shadow[i], ref);
        to->data = adit_arena_at(q->arena, ref, to->bytes);
    }
    return 0;
}

int adit_task_uses_open(const struct adit_queue *q, const struct adit_task_claim *claim, struct adit_reader *reader, struct adit_task_run *run)
{
    const struct adit_task_slot *t = claim->place.slot;
    int error = take_shadows(q, t, run);
    adit_rcu_enter(reader);
    for (uint32_t i = 0; i < run->buffers_n && !error; i++) {
        struct adit_task_buffer *to = &run->buffers[i];
        struct adit_buffer_view view;
        error = adit_buffer_acquire(reader, bare(adit_load_relaxed(&uses_of(q, t)->use[i])), &view);
        if (!error && view.bytes != to->bytes)
            error = -EBADMSG;
        if (error)
            break;
        if (to->access == ADIT_READ)
            memcpy(&to->data, &view.data, sizeof to->data); /* read-only, as adit_tasks.h says */
        else if (to->access == ADIT_READ_WRITE)
            memcpy(to->data, view.data, to->bytes);
        else
            memset(to->data, 0, to->bytes);
    }
    if (error) {
        (void)adit_rcu_exit(reader);
        free_shadows(q, run, t);
    }
    return error;
}

int adit_task_uses_close(const struct adit_queue *q, const struct adit_task_claim *claim, struct adit_reader *reader, const struct adit_task_run *run, int status)
{
    if (!adit_rcu_exit(reader))
        status = -ESTALE; /* what it read may have been anything */
    if (status < 0)
        free_shadows(q, run, claim->place.slot);
    return status;
}

/* ---- committing ---- */

bool adit_task_uses_publish(const struct adit_queue *q, const struct adit_task_slot *t)
{
    const struct adit_task_uses *uses = uses_of(q, t);
    bool all = true;
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) {
        uint64_t ref = adit_load_relaxed(&uses->shadow[i]);
        all = all && (!ref || adit_block_publish(q->arena, ref));
    }
    return all;
}

bool adit_task_uses_apply(const struct adit_queue *q, struct adit_task_slot *t, uint64_t word, struct adit_reader *reader)
{
    const struct adit_task_uses *uses = uses_of(q, t);
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) {
        uint64_t ref = adit_load_relaxed(&uses->shadow[i]); /* relaxed: stored before COMMITTED */
        struct adit_buffer_slot *b = ref ? adit_buffer_find(q->arena, adit_load_relaxed(&uses->use[i])) : NULL;
        if (b && adit_buffer_replace(q->arena, b, ref, reader, &t->word, word))
            return false;
    }
    return true;
}

void adit_task_uses_drop(const struct adit_queue *q, const struct adit_task_slot *t)
{
    const struct adit_task_uses *uses = uses_of(q, t);
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX; i++) {
        uint64_t use = adit_load_relaxed(&uses->use[i]); /* by now it may be another task's: then that one has not ended */
        if (use)
            adit_buffer_drop(q->arena, use);
    }
}
