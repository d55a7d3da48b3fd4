#include "runtime/publish.h"

#include <errno.h>

#include "runtime/dirty.h"
#include "runtime/encoding.h"
#include "runtime/rim.h"
#include "runtime/store.h"
#include "runtime/watch.h"

#define TRIES_MAX (1u << 20) /* publishers that got in between; each of them made progress */
#define OUSTS_MAX 64u /* in a row: in sound memory a section that has just begun is not ousted again */
#define NUMBER_STEP (1u << 20)

/* Bit f: the side f of the chunk is not what it was. air: hash of a plane of air, what a missing chunk counts as. */
static uint32_t changed_sides(const struct adit_version *old, const struct adit_version *new)
{
    uint32_t changed = 0;
    uint64_t air = old ? 0 : adit_plane_hash_uniform(0);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        changed |= (uint32_t)(new->border_hash[f] != (old ? old->border_hash[f] : air)) << f;
    return changed;
}

/* The chunk of that key, 0: none, is to be meshed again if it was ever published. */
static void mark_key(struct adit_arena *arena, uint64_t key)
{
    uint32_t index;
    if (key && adit_store_find(arena, key, &index) && adit_load_acquire(&arena->entries[index].current))
        adit_dirty_mark(arena, index);
}

/* Those that the chunk touches along an edge or at a corner: what they see of it has changed only if all sides there have (rim.h). */
static void mark_diagonal(struct adit_arena *arena, uint64_t packed, uint32_t sides)
{
    for (uint32_t p = 0; p < ADIT_RIM_PLACES; p++) {
        uint32_t meeting = adit_rim_sides(p);
        int32_t step[3];
        if ((sides & meeting) != meeting)
            continue;
        adit_rim_step(p, step);
        mark_key(arena, adit_key_beside(packed, step));
    }
}

void adit_publish_tell(struct adit_arena *arena, uint32_t index, uint32_t sides)
{
    uint64_t packed = adit_load_relaxed(&arena->keys[index]); /* relaxed: found here before, never changes */
    adit_watch_tell(arena, packed, index, ADIT_WATCH_CHUNKS);
    adit_dirty_mark(arena, index);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (sides >> f & 1)
            mark_key(arena, adit_key_neighbour(packed, f));
    if (arena->control->ao && (sides & (sides - 1))) /* an edge is where two of them meet */
        mark_diagonal(arena, packed, sides);
}

int adit_publish_version(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint64_t ref,
                         const struct adit_expected *expected, uint64_t *version)
{
    struct adit_entry *entry = &arena->entries[index];
    struct adit_version *head = adit_arena_at(arena, ref, sizeof *head);
    uint64_t number = 0;
    uint32_t ousts = 0;
    int error = -EAGAIN;
    adit_prefetch_writable(entry); /* it comes while the rest is made ready: a quarter of the way to being visible */
    if (!head || !adit_block_publish(arena, ref)) /* before the head is touched: it may be somebody's by now */
        return adit_fault(-EINVAL, "arena %s: the block is not on loan to this process; a loan is published or discarded once",
                          arena->name);
    head->publisher = arena->owner;
    head->published_ns = adit_clock_ns();
    adit_rcu_enter(reader);
    uint64_t old = adit_load_acquire(&entry->current); /* PUBLISH:commit */
    for (uint32_t i = 0; i < TRIES_MAX && error == -EAGAIN && ousts < OUSTS_MAX; i++) {
        if (!adit_intent_set(arena, reader, ADIT_INTENT_VERSION, index, old)) { /* stopped here for long, and ousted */
            adit_intent_clear(arena, reader);
            (void)adit_rcu_exit(reader);
            adit_rcu_enter(reader);
            old = adit_load_acquire(&entry->current);
            ousts++;
            continue;
        }
        number = adit_store_number(entry, old);
        if (expected->exactly && number != expected->version) {
            error = -ESTALE;
            break;
        }
        head->version = ++number;
        if (!(number & (NUMBER_STEP - 1)))
            adit_raise_acq_rel(&entry->number, number); /* see adit_store_number; a late publisher must not lower it */
        /* PUBLISH:commit. Release: the block is whole for whoever acquires the word; acquire: so is the old one. */
        if (adit_cas_acq_rel(&entry->current, &old, adit_commit_make(number, ref)))
            error = 0;
    }
    /* the old version is read only now: nothing of it stands between the call and the commit */
    uint32_t sides = error ? 0 : changed_sides(adit_store_version(arena, old), head);
    if (error) {
        adit_intent_clear(arena, reader);
        (void)adit_rcu_exit(reader);
        adit_block_unpublish(arena, ref);
        return adit_fault(error, "arena %s: the chunk's current version is not the expected one", arena->name);
    }
    /* Order the commit before the looks at watches and neighbours: they store first and then look at this entry. */
    adit_barrier_after_rmw();
    adit_publish_tell(arena, index, sides);
    if (old)
        adit_retire(arena, adit_commit_ref(old));
    adit_intent_clear(arena, reader);
    (void)adit_rcu_exit(reader); /* ousted or not: all that was read was read before the intent was cleared */
    adit_retire_help(arena);
    adit_add_relaxed(&arena->self->published, 1);
    if (version)
        *version = number;
    return 0;
}
