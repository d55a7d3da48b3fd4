#include "runtime/tombstone.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/dirty.h"
#include "runtime/publish.h"
#include "runtime/store.h"
#include "runtime/watch.h"

#define BATCH 64u             /* entries whose work is had during one grace period: nobody meshes those that are published again meanwhile */
#define GRACE_NS 20000000u
#define SWEEP_NS 20000000u    /* between two sweeps of a process, */
#define SWEEP_MAX_NS 1280000000u /* twice as long after each that a reader has kept waiting in vain, to this */
#define SHARES 64u            /* of the table: a sweep's */
#define SHARE_MIN 4096u       /* entries */
#define GRACES 8u             /* waited for by who finds no room; */
#define PATIENT_GRACES 4u     /* after as many a section that is in the way is ousted */

/* A key that is leaving. */
struct leaving {
    uint64_t packed, current;
    uint32_t index;
};

/* Inside a section: whether the chunk was removed, or never published. */
static bool is_gone(const struct adit_arena *arena, uint64_t commit)
{
    const struct adit_version *v = adit_store_version(arena, commit);
    return !commit || (v && v->encoding == ADIT_ENC_REMOVED);
}

/* Whether somebody has something to do for it yet. */
static bool is_wanted(const struct adit_arena *arena, uint32_t index, uint64_t packed)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    return (adit_bitset_has(&dirty, index) && adit_load_acquire(&arena->entries[index].mesh)) || adit_watch_has_unseen(arena, packed, index);
}

/* Steps 1 and 2, in a section. */
static bool begin(struct adit_arena *arena, uint32_t index, bool pressed, struct leaving *l)
{
    struct adit_entry *entry = &arena->entries[index];
    uint64_t packed = adit_store_key(arena, index), word = packed;
    if (!packed || !is_gone(arena, adit_load_acquire(&entry->current)) || (!pressed && is_wanted(arena, index, packed)) || !adit_dirty_hold(arena, index))
        return false;
    *l = (struct leaving){.packed = packed, .current = adit_load_acquire(&entry->current), .index = index};
    if (is_gone(arena, l->current) && adit_cas_acq_rel(&arena->keys[index], &word, packed | ADIT_KEY_LEAVING)) /* TOMBSTONE:leaving; work is had: it is what it was looked at as */
        return true;
    adit_dirty_finish(arena, index, false);
    return false;
}

/* Takes the block that *word names away, as publish.h does with what it replaces. is_seen: a mesh that somebody may be drawing; who watches meshes is told that it goes (by recovery, if this process dies), and step 5 finds that
 * he has not looked. */
static bool unlink_block(struct adit_arena *arena, const struct adit_reader *reader, enum adit_intent_kind kind, const struct leaving *l, uint64_t *word, uint64_t commit, bool is_seen)
{
    bool is_done = adit_intent_set(arena, reader, kind, l->index, commit) && adit_cas_acq_rel(word, &commit, 0);
    adit_barrier_after_rmw(); /* as in publish.c: the commit, then the look at watches */
    if (is_done && is_seen)
        adit_watch_tell(arena, l->packed, l->index, ADIT_WATCH_MESHES);
    if (is_done && commit)
        adit_retire(arena, adit_commit_ref(commit));
    adit_intent_clear(arena, reader);
    return is_done;
}

/* Steps 3 and 4. False: it has been published, moved or the section ousted. */
static bool empty(struct adit_arena *arena, const struct adit_reader *reader, const struct leaving *l)
{
    struct adit_entry *entry = &arena->entries[l->index];
    uint64_t mesh = adit_load_acquire(&entry->mesh); /* whose it is is had with work */
    const struct adit_mesh *m = adit_store_mesh(arena, mesh);
    adit_raise_acq_rel(&arena->control->version_floor, adit_store_number(entry, l->current));
    bool is_seen = m && m->start[ADIT_MESH_RANGES]; /* one that was not made anew since the chunk was removed */
    if (m)
        adit_raise_acq_rel(&arena->control->version_floor, m->serial);
    return (!mesh || unlink_block(arena, reader, ADIT_INTENT_MESH, l, &entry->mesh, mesh, is_seen)) &&
           (!l->current || unlink_block(arena, reader, ADIT_INTENT_VERSION, l, &entry->current, l->current, false));
}

void adit_tombstones_clear(struct adit_arena *arena, uint32_t index)
{
    struct adit_bitset dirty = adit_dirty_set(arena);
    adit_bitset_remove(&dirty, index);
    adit_store_relaxed(&arena->entries[index].due_ns, 0); /* relaxed: of whoever has the place next, it is advice at most */
    adit_watch_forget(arena, index);
}

/* It stays. Whether it is to be meshed again: a neighbour that was published meanwhile has not marked it (mark_key of publish.c). */
static bool give_back(struct adit_arena *arena, const struct leaving *l)
{
    uint64_t word = l->packed | ADIT_KEY_LEAVING;
    (void)adit_cas_acq_rel(&arena->keys[l->index], &word, l->packed); /* unless a publisher has made it a member */
    return adit_load_acquire(&arena->entries[l->index].current);
}

/* Steps 3 to 8, after the grace period. */
static bool end(struct adit_arena *arena, struct adit_reader *reader, const struct leaving *l, bool pressed)
{
    uint64_t *key = &arena->keys[l->index], word = l->packed | ADIT_KEY_LEAVING;
    bool is_forgotten = false, again = false;
    if (adit_load_acquire(key) == word && adit_load_acquire(&arena->entries[l->index].current) == l->current && (pressed || !is_wanted(arena, l->index, l->packed))) {
        adit_rcu_enter(reader);
        bool is_empty = empty(arena, reader, l);
        (void)adit_rcu_exit(reader);
        if (is_empty) {
            adit_store_release(&arena->entries[l->index].given_up, 0);
            adit_watch_lapse(arena, l->packed, l->index); /* before the key goes: who finds a bit without a key has been told */
            is_forgotten = adit_cas_acq_rel(key, &word, 0); /* STORE:key */
        }
    }
    if (is_forgotten)
        adit_tombstones_clear(arena, l->index);
    else
        again = give_back(arena, l);
    adit_dirty_finish(arena, l->index, again);
    return is_forgotten;
}

static uint32_t sweep(struct adit_arena *arena, struct adit_reader *reader, struct leaving *list, uint32_t from, uint32_t n, bool pressed, int *error, uint64_t *epoch)
{
    uint32_t leaving = 0, forgotten = 0;
    adit_rcu_enter(reader);
    for (uint32_t i = 0; i < n && leaving < BATCH; i++)
        leaving += begin(arena, (from + i) & (arena->chunks_max - 1), pressed, &list[leaving]);
    (void)adit_rcu_exit(reader); /* ousted: what was taken for a tombstone may be none, and is looked at again below: its commit word is what it was */
    *error = leaving ? adit_grace_period_of(arena, GRACE_NS, epoch) : -ENOENT;
    for (uint32_t i = 0; i < leaving; i++) {
        if (!*error) {
            forgotten += end(arena, reader, &list[i], pressed);
            continue;
        }
        adit_dirty_finish(arena, list[i].index, give_back(arena, &list[i]));
    }
    return forgotten;
}

/* Whether a sweep of these would find something, as far as can be told outside a section, where a version's block may be another's by now: so an arena with nothing to be forgotten is let alone, word by word. */
__attribute__((no_sanitize_thread, noinline)) static bool may_have_some(const struct adit_arena *arena, uint32_t from, uint32_t n, bool pressed)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = (from + i) & (arena->chunks_max - 1);
        uint64_t packed = adit_store_key(arena, index), commit = packed ? adit_load_acquire(&arena->entries[index].current) : 0;
        const struct adit_version *v = commit ? (const struct adit_version *)adit_arena_head(arena, commit) : NULL;
        bool may_be_gone = packed && (!commit || (v && v->encoding == ADIT_ENC_REMOVED));
        if (may_be_gone && (pressed || !is_wanted(arena, index, packed)))
            return true;
    }
    return false;
}

/* The same with what it needs. *epoch: of the grace period, if it has timed out. */
static uint32_t sweep_with(struct adit_arena *arena, uint32_t from, uint32_t n, bool pressed, int *error, uint64_t *epoch)
{
    struct adit_reader *reader;
    uint32_t forgotten = 0;
    *error = -ENOENT;
    if (!may_have_some(arena, from, n, pressed))
        return 0;
    struct leaving *list = malloc(BATCH * sizeof *list);
    *error = list ? adit_rcu_borrow(arena, &reader) : -ENOMEM;
    if (!*error) {
        forgotten = sweep(arena, reader, list, from, n, pressed, error, epoch);
        adit_rcu_give_back(arena, reader);
        adit_retire_help(arena);
    }
    free(list);
    return forgotten;
}

uint32_t adit_tombstones_sweep(struct adit_arena *arena, uint32_t begin, uint32_t n, bool pressed)
{
    uint64_t epoch;
    int error;
    return sweep_with(arena, begin, n < arena->chunks_max ? n : arena->chunks_max, pressed, &error, &epoch);
}

void adit_tombstones_make_room(struct adit_arena *arena, uint64_t packed)
{
    uint32_t begin, n = adit_store_window(arena, packed, &begin);
    for (uint32_t i = 0; i < GRACES; i++) {
        uint64_t epoch;
        int error;
        if (sweep_with(arena, begin, n, true, &error, &epoch) || error != -ETIMEDOUT)
            return; /* some are gone; or each was published again meanwhile, or there was none */
        if (i >= PATIENT_GRACES)
            (void)adit_rcu_oust(arena, epoch);
    }
}

/* Keys are spread evenly, so a share of the table tells of all. */
static bool is_half_full(const struct adit_arena *arena, uint32_t from, uint32_t n)
{
    uint32_t keys = 0;
    for (uint32_t i = 0; i < n; i++)
        keys += adit_load_relaxed(&arena->keys[(from + i) & (arena->chunks_max - 1)]) != 0; /* relaxed: a count */
    return keys >= n / 2;
}

void adit_tombstones_mind(struct adit_arena *arena, struct adit_sweep *own)
{
    uint64_t now = adit_clock_ns();
    if (now < own->next_ns)
        return;
    uint32_t n = arena->chunks_max / SHARES;
    n = n > SHARE_MIN ? n : arena->chunks_max < SHARE_MIN ? arena->chunks_max : SHARE_MIN;
    uint32_t from = own->at;
    own->at = (from + n) & (arena->chunks_max - 1);
    uint64_t epoch;
    int error = 0;
    if (is_half_full(arena, from, n))
        (void)sweep_with(arena, from, n, false, &error, &epoch);
    own->pause_ns = error != -ETIMEDOUT ? SWEEP_NS : own->pause_ns < SWEEP_MAX_NS ? own->pause_ns * 2 : own->pause_ns;
    own->next_ns = adit_clock_ns() + own->pause_ns;
}
