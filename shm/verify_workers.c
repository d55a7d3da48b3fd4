/* Slots of worker processes (I5, I7). What they say between any two instructions of all (layout_tasks.h has the moves; W the worker, or a zygote):
 *
 *     state                              pool       owner, pid           heir                                alive
 *     COLD                               nobody     anything             anything                            anything
 *     WARMING                            an owner   being stored         being stored                        the one before's, or W's
 *     READY, BUSY, CLEANING, TERMINATING an owner   W's, while it is     of the word's generation; not W,    held by W until it leaves or
 *                                                   a participant        nobody while W holds alive          dies, and by nobody after that
 *     TERMINATED                         an owner   W's, or none         as above
 *
 * A slot outlives its pool: who needs one takes it when pool, worker and zygote are all gone. So an owner that has left is no finding in itself, and whoever has the slot of
 * a participant after it is told by the generation. What the slot says of its worker is of this word if the word is the same afterwards: it is stored anew after a word of another
 * generation.
 *
 * Quiet, also, where the pool is there: whoever is at work or waits for it is there, and holds alive; no other says that it is the same process. */
#include "shm/verify.h"

#define ENDED_BITS (ADIT_WORKER_REAPED | ADIT_WORKER_NEVER | 0xffffu)

/* A slot's words, loaded once, word first; private. */
struct worker_look {
    uint64_t word, heir;
    enum adit_worker_life life;
    uint32_t owner, pid, zygote, ended, alive;
};

static void load_worker(const struct adit_worker_slot *s, struct worker_look *l)
{
    l->word = adit_load_acquire(&s->word); /* WORKER:move */
    l->life = adit_worker_life(l->word);
    l->owner = adit_load32_acquire(&s->owner);
    l->pid = adit_load32_acquire(&s->pid);
    l->zygote = adit_load32_acquire(&s->zygote);
    l->ended = adit_load32_acquire(&s->ended);
    l->heir = adit_load_acquire(&s->heir);
    l->alive = adit_load32_acquire(&s->alive.word); /* after heir: who has one has given it up before, and takes it no more */
}

/* Whether a process has begun there, and nobody has said yet that it runs no more. */
static bool has_begun(const struct worker_look *l) { return l->life >= ADIT_LIFE_READY && l->life < ADIT_LIFE_TERMINATED; }

static bool names_slot(const struct adit_arena *a, uint32_t owner) { return !owner || (!(owner >> 28) && adit_owner_slot(owner) < a->participants_max); }

/* The process of the participant that owner names; 0: it has left. */
static uint32_t pid_of(const struct adit_arena *a, uint32_t owner)
{
    uint64_t word = adit_load_acquire(&a->participants[adit_owner_slot(owner)].word);
    bool is_there = adit_part_state(word) != ADIT_PART_FREE && adit_part_generation(word) == (owner & 0xffff);
    return is_there ? adit_part_pid(word) : 0;
}

/* What the slot says in itself. */
static const char *slot_fault(const struct adit_arena *a, const struct worker_look *l)
{
    uint32_t pool = adit_worker_pool(l->word), heir = (uint32_t)l->heir;
    if (l->life >= ADIT_LIVES)
        return "in no state there is";
    if (l->life == ADIT_LIFE_COLD)
        return pool ? "a pool's, and nobody is to sit there" : NULL;
    if (!pool)
        return "no pool's, and somebody is to sit there";
    if (!names_slot(a, pool) || !names_slot(a, l->owner) || !names_slot(a, l->zygote) || !names_slot(a, heir))
        return "its pool, worker, zygote or heir names no slot";
    if (l->ended & ~ENDED_BITS)
        return "it has ended as no process can";
    if (!has_begun(l))
        return NULL;
    if (!l->owner || !l->pid)
        return "it has begun, and does not say who it is";
    if (l->heir >> 32 != adit_worker_generation(l->word))
        return "its heir is of another generation";
    if (heir == l->owner)
        return "it is its own heir";
    return heir && l->alive & ADIT_ROBUST_TID ? "it has an heir, and lives" : NULL;
}

/* The slot before i of a worker that says it is the same process; i: none. */
static uint32_t twin_of(const struct adit_arena *a, uint32_t i, uint32_t owner)
{
    struct worker_look other;
    for (uint32_t k = 0; k < i; k++) {
        load_worker(&a->workers[k], &other);
        if (has_begun(&other) && other.owner == owner)
            return k;
    }
    return i;
}

/* Against the participant that it is. */
static const char *process_fault(struct adit_verifier *v, const struct worker_look *l, uint32_t i)
{
    uint32_t pid = pid_of(v->arena, l->owner);
    if (pid && pid != l->pid)
        return "the participant that it is has another process";
    if (!v->quiet || !pid_of(v->arena, adit_worker_pool(l->word)))
        return NULL;
    if (twin_of(v->arena, i, l->owner) != i)
        return "another slot says that it is the same process";
    const char *fault = l->life < ADIT_LIFE_TERMINATING ? adit_verify_owner(v, l->owner) : NULL;
    return fault || l->life >= ADIT_LIFE_TERMINATING || l->alive & ADIT_ROBUST_TID ? fault : "its thread has ended, and nobody has noticed";
}

static void look_at_worker(struct adit_verifier *v, uint32_t i)
{
    const struct adit_worker_slot *s = &v->arena->workers[i];
    struct worker_look l;
    load_worker(s, &l);
    const char *invariant = "I7", *fault = slot_fault(v->arena, &l);
    if (!fault && has_begun(&l)) {
        invariant = "I5";
        fault = process_fault(v, &l, i);
    }
    if (fault && adit_load_acquire(&s->word) == l.word)
        adit_finding_add(v->findings, invariant, "worker %u|word %#llx, owner %#x, process %u: %s", i, (unsigned long long)l.word, l.owner, l.pid, fault);
}

void adit_verify_workers(struct adit_verifier *v)
{
    for (uint32_t i = 0; i < v->arena->workers_max; i++)
        look_at_worker(v, i);
}
