#include "runtime/publish.h"

#include <errno.h>

#include "runtime/dirty.h"
#include "runtime/encoding.h"
#include "runtime/rim.h"
#include "runtime/store.h"
#include "runtime/watch.h"

#define TRIES_MAX (1u << 20) /* publishers that got in between; each of them made progress */
#define OUSTS_MAX 64u /* in a row: in sound memory a section that has just begun is not ousted again, and a key just entered not forgotten */
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

/* The chunk of that key, 0: none, is to be meshed again if it was ever published. One that is leaving is not: if it has a version by now it is dirty, and is meshed only once the sweep has
 * let go of it, which is after this; and its place may be another's before this section ends. */
static void mark_key(struct adit_arena *arena, uint64_t key)
{
    uint32_t index;
    if (key && adit_store_find(arena, key, &index) && adit_load_acquire(&arena->keys[index]) == key && adit_load_acquire(&arena->entries[index].current))
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
    uint64_t packed = adit_store_key(arena, index);
    adit_watch_tell(arena, packed, index, ADIT_WATCH_CHUNKS);
    adit_dirty_mark(arena, index);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (sides >> f & 1)
            mark_key(arena, adit_key_neighbour(packed, f));
    if (arena->control->ao && (sides & (sides - 1))) /* an edge is where two of them meet */
        mark_diagonal(arena, packed, sides);
}

/* Whether that is the version a publisher goes by. Inside its section. */
static bool is_as_expected(const struct adit_arena *arena, const struct adit_expected *expected, uint64_t commit, uint64_t number)
{
    if (!expected->exactly || number == expected->version)
        return true;
    const struct adit_version *v = expected->version ? NULL : adit_store_version(arena, commit);
    return v && v->encoding == ADIT_ENC_REMOVED;
}

/* The number after that of commit; of a first version one that no forgotten key has had. */
static uint64_t next_number(const struct adit_arena *arena, struct adit_entry *entry, uint64_t commit)
{
    uint64_t number = (commit ? adit_store_number(entry, commit) : adit_load_acquire(&arena->control->version_floor)) + 1;
    if (!commit || !(number & (NUMBER_STEP - 1)))
        adit_raise_acq_rel(&entry->number, number); /* see adit_store_number; a late publisher must not lower it */
    return number;
}

/* The key's entry, outside sections. Who goes by a version that a key without one has not, does not enter it. */
static int look_up(struct adit_arena *arena, uint64_t packed, const struct adit_expected *expected, uint32_t *index)
{
    if (!expected->exactly || !expected->version)
        return adit_store_enter(arena, packed, index);
    return adit_store_find(arena, packed, index)
               ? 0
               : adit_fault(-ESTALE, "arena %s: the chunk's current version is not the expected one: it has none", arena->name);
}

/* In a section, with the key in its entry and the intent told with old, what is current. Else outside: 0, or an error. */
static bool begin(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint32_t *index, const struct adit_expected *expected, uint64_t *old, int *error)
{
    *error = -EAGAIN;
    for (uint32_t tries = 0; tries < OUSTS_MAX; tries++) { /* each: ousted, or the key was forgotten since it was looked up */
        *error = *index < arena->chunks_max ? 0 : look_up(arena, packed, expected, index);
        if (*error)
            return false;
        adit_rcu_enter(reader);
        bool is_there = adit_store_keep(arena, packed, *index); /* STORE:keep: a sweep that finds it leaving after this waits for this section */
        if (is_there) {
            *old = adit_load_acquire(&arena->entries[*index].current); /* PUBLISH:commit */
            if (adit_intent_set(arena, reader, ADIT_INTENT_VERSION, *index, *old))
                return true;
            adit_intent_clear(arena, reader); /* stopped here for long, and ousted */
        } else {
            *index = ADIT_STORE_NONE;
        }
        (void)adit_rcu_exit(reader);
        *error = -EAGAIN;
    }
    return false;
}

/* The commit, in the section that begin entered: 0, -ESTALE; -EAGAIN: ousted. *old: the word that was replaced. */
static int commit(struct adit_arena *arena, const struct adit_reader *reader, uint32_t index, uint64_t ref, const struct adit_expected *expected, uint64_t *old, uint64_t *number)
{
    struct adit_entry *entry = &arena->entries[index];
    struct adit_version *head = adit_arena_at(arena, ref, sizeof *head);
    for (uint32_t i = 0; i < TRIES_MAX; i++) {
        if (!is_as_expected(arena, expected, *old, adit_store_number(entry, *old)))
            return -ESTALE;
        head->version = *number = next_number(arena, entry, *old);
        /* PUBLISH:commit. Release: the block is whole for whoever acquires the word; acquire: so is the old one. */
        if (adit_cas_acq_rel(&entry->current, old, adit_commit_make(*number, ref)))
            return 0;
        if (!adit_intent_set(arena, reader, ADIT_INTENT_VERSION, index, *old))
            break;
    }
    return -EAGAIN;
}

/* Before the section ends: then the block may be another's. */
static void count_version(struct adit_arena *arena, const struct adit_version *v, uint64_t packed, uint64_t ref)
{
    bool is_removed = v->encoding == ADIT_ENC_REMOVED;
    adit_count(arena, ADIT_COUNT_CHUNKS_PUT, 1);
    adit_count(arena, ADIT_COUNT_CHUNKS_REMOVED, is_removed);
    adit_count(arena, ADIT_COUNT_VERSION_BYTES + adit_ref_segment(ref) % ADIT_SEGMENTS_MAX, v->bytes);
    ADIT_PROBE(publish, packed, v->version);
    adit_event(arena, is_removed ? ADIT_EVENT_REMOVE : ADIT_EVENT_PUT, v->published_ns, packed, v->version);
}

int adit_publish_version(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint32_t *index, uint64_t ref,
                         const struct adit_expected *expected, uint64_t *version)
{
    struct adit_version *head = adit_arena_at(arena, ref, sizeof *head);
    uint64_t number = 0, old = 0;
    int error = -EAGAIN;
    if (*index < arena->chunks_max)
        adit_prefetch_writable(&arena->entries[*index]); /* it comes while the rest is made ready: a quarter of the way to being visible */
    if (!head || !adit_block_publish(arena, ref)) /* before the head is touched: it may be somebody's by now */
        return adit_fault(-EINVAL, "arena %s: the block is not on loan to this process; a loan is published or discarded once",
                          arena->name);
    head->publisher = arena->owner;
    head->published_ns = adit_clock_ns();
    for (uint32_t i = 0; error == -EAGAIN && i < OUSTS_MAX; i++) {
        if (!begin(arena, reader, packed, index, expected, &old, &error))
            break;
        error = commit(arena, reader, *index, ref, expected, &old, &number);
        if (!error)
            break;
        adit_intent_clear(arena, reader);
        (void)adit_rcu_exit(reader);
    }
    if (error) {
        adit_count(arena, ADIT_COUNT_PUTS_LOST, 1);
        adit_block_unpublish(arena, ref);
        return error == -ESTALE || error == -EAGAIN ? adit_fault(error, "arena %s: the chunk's current version is not the expected one", arena->name) : error;
    }
    /* the old version is read only now: nothing of it stands between the call and the commit */
    uint32_t sides = changed_sides(adit_store_version(arena, old), head);
    count_version(arena, head, packed, ref);
    /* Order the commit before the looks at watches and neighbours: they store first and then look at this entry. */
    adit_barrier_after_rmw();
    adit_publish_tell(arena, *index, sides);
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
