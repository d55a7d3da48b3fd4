#include "runtime/store.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "runtime/dirty.h"

#define PROBES_MAX 4096u
#define REUSES_MAX 1024u /* of one place, between two loads, each after a grace period: in sound memory there are never as many */
#define TRIES_MAX 65536u
#define PATIENCE 16u /* times that who enters a key gives way to one who has it tentative nearer to its home; then that one is taken away: it may be stopped */

/* Mixes all bits of the key into the low ones (the finalizer of splitmix64, S. Vigna). */
static uint32_t hash(uint64_t k)
{
    k = (k ^ k >> 30) * 0xbf58476d1ce4e5b9ull;
    k = (k ^ k >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(k ^ k >> 31);
}

static uint32_t home_of(const struct adit_arena *arena, uint64_t packed) { return hash(packed) & (arena->chunks_max - 1); }
static uint32_t place_of(const struct adit_arena *arena, uint32_t home, uint32_t step) { return (home + step) & (arena->chunks_max - 1); }
static uint32_t steps_max(const struct adit_arena *arena) { return arena->chunks_max < PROBES_MAX ? arena->chunks_max : PROBES_MAX; }

/* How many places from home on may have a key of it. */
static uint32_t reach_of(const struct adit_arena *arena, uint32_t home)
{
    uint64_t reach = adit_load_acquire(&arena->entries[home].reach); /* STORE:reach: who has heard of a key has its reach */
    return reach < steps_max(arena) ? (uint32_t)reach : steps_max(arena);
}

static bool is_here(const struct adit_arena *arena, uint32_t index, uint64_t packed)
{
    return (adit_load_acquire(&arena->keys[index]) & ~ADIT_KEY_LEAVING) == packed; /* STORE:key, pairs with enter */
}

bool adit_store_find(const struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t home = home_of(arena, packed);
    *index = home;
    if (is_here(arena, home, packed))
        return true;
    for (uint32_t i = 1, reach = reach_of(arena, home); i < reach; i++) {
        *index = place_of(arena, home, i);
        if (is_here(arena, *index, packed))
            return true;
    }
    return false;
}

static int no_room(const struct adit_arena *arena, uint64_t packed)
{
    struct adit_key k = adit_key_unpack(packed);
    return adit_fault(-ENOSPC, "arena %s: the store of %u keys has no room for chunk (%d,%d,%d); create it with a larger "
                      "chunks_max", arena->name, arena->chunks_max, k.x, k.y, k.z);
}

bool adit_store_keep(struct adit_arena *arena, uint64_t packed, uint32_t index)
{
    uint64_t word = adit_load_acquire(&arena->keys[index]);
    if (word == (packed | ADIT_KEY_LEAVING) && adit_cas_acq_rel(&arena->keys[index], &word, packed))
        return true;
    return word == packed; /* after a failed CAS, too: another has done it */
}

/* Where the key is a member, or is made one again. */
static bool find_or_keep(struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t home = home_of(arena, packed), reach = reach_of(arena, home);
    for (uint32_t i = 0; i < reach; i++) {
        *index = place_of(arena, home, i);
        if (adit_store_keep(arena, packed, *index))
            return true;
    }
    return false;
}

/* Has a free place, that nobody else can use: by its work. False: none is free. */
static bool take_place(struct adit_arena *arena, uint32_t home, uint32_t *step)
{
    for (*step = 0; *step < steps_max(arena); ++*step) {
        uint32_t at = place_of(arena, home, *step);
        uint64_t nobody = 0;
        if (adit_load_acquire(&arena->keys[at]) || !adit_cas_acq_rel(&arena->entries[at].work, &nobody, arena->owner))
            continue;
        if (!adit_load_acquire(&arena->keys[at]))
            return true;
        adit_dirty_let_go(arena, at); /* another was quicker, and is done with it */
    }
    return false;
}

enum rival { NOBODY, IS_THERE, COMES_FIRST };

/* Looks at the other places that may have the key. patient: one who enters it nearer to its home goes first; others make way. */
static enum rival look_around(struct adit_arena *arena, uint64_t packed, uint32_t home, uint32_t own, bool patient)
{
    uint32_t reach = reach_of(arena, home);
    for (uint32_t i = 0, again = 0; i < reach; i++) {
        uint64_t *key = &arena->keys[place_of(arena, home, i)], word = i == own ? 0 : adit_load_acquire(key);
        if ((word & ~ADIT_KEY_STATE) != packed)
            continue;
        if (word != (packed | ADIT_KEY_TENTATIVE))
            return IS_THERE;
        if (patient && i < own)
            return COMES_FIRST;
        if (!adit_cas_acq_rel(key, &word, 0)) { /* it is something else by now: looked at again */
            if (again++ == TRIES_MAX)
                return COMES_FIRST;
            i--;
        }
    }
    return NOBODY;
}

/* Whether somebody is just entering the key. */
static bool is_entered(const struct adit_arena *arena, uint64_t packed, uint32_t home)
{
    for (uint32_t i = 0, reach = reach_of(arena, home); i < reach; i++)
        if (adit_load_acquire(&arena->keys[place_of(arena, home, i)]) == (packed | ADIT_KEY_TENTATIVE))
            return true;
    return false;
}

/* One try. 1: again. */
static int enter_once(struct adit_arena *arena, uint64_t packed, bool patient, uint32_t *index)
{
    uint32_t home = home_of(arena, packed), step;
    if (find_or_keep(arena, packed, index))
        return 0;
    if (!take_place(arena, home, &step))
        return patient && is_entered(arena, packed, home) ? 1 : no_room(arena, packed);
    uint32_t at = place_of(arena, home, step);
    uint64_t free = 0, tentative = packed | ADIT_KEY_TENTATIVE;
    adit_raise_acq_rel(&arena->entries[home].reach, step + 1); /* STORE:reach, before the key */
    (void)adit_cas_acq_rel(&arena->keys[at], &free, tentative); /* nobody else stores here */
    /* STORE:tentative. The key, then the look at the others (Dekker): of two who are here at once with the same key one sees the other's, or at least its reach. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    enum rival rival = look_around(arena, packed, home, step, patient);
    /* STORE:key. Acquire and release: who finds the key finds what the entry's last user left, which is nothing. */
    bool is_in = adit_cas_acq_rel(&arena->keys[at], &tentative, rival == NOBODY ? packed : 0) && rival == NOBODY;
    adit_dirty_let_go(arena, at);
    *index = at;
    return !is_in;
}

int adit_store_enter(struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    int error = 1;
    for (uint32_t i = 0; error == 1 && i < TRIES_MAX; i++) { /* each turns to what another has entered, or taken away */
        error = enter_once(arena, packed, i < PATIENCE, index);
        if (error == 1 && i)
            sched_yield();
    }
    return error == 1 ? adit_fault(-EAGAIN, "arena %s: others enter the same chunk all the time; call again", arena->name) : error;
}

int adit_store_foresee(const struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t home = home_of(arena, packed);
    if (adit_store_find(arena, packed, index))
        return 0;
    *index = ADIT_STORE_NONE;
    for (uint32_t i = 0; i < steps_max(arena); i++) {
        uint64_t word = adit_load_acquire(&arena->keys[place_of(arena, home, i)]);
        if (!word || word == (packed | ADIT_KEY_LEAVING))
            return 0;
    }
    return no_room(arena, packed);
}

uint32_t adit_store_window(const struct adit_arena *arena, uint64_t packed, uint32_t *begin)
{
    *begin = home_of(arena, packed);
    return steps_max(arena);
}

bool adit_store_recover(struct adit_arena *arena, uint32_t index)
{
    uint64_t word = adit_load_acquire(&arena->keys[index]), state = word & ADIT_KEY_STATE;
    if (state)
        (void)adit_cas_acq_rel(&arena->keys[index], &word, state == ADIT_KEY_TENTATIVE ? 0 : word & ~ADIT_KEY_STATE); /* else another has done it: taken it away, or made it a member */
    return adit_store_key(arena, index);
}

/* The head a commit word names, when it is of kind and its block of *bytes lies inside the arena. head_bytes: of that kind's head. */
static inline const void *head_of(const struct adit_arena *arena, uint64_t commit, uint32_t kind, uint32_t head_bytes, uint32_t *bytes)
{
    const uint32_t *head = adit_arena_head(arena, commit); /* both kinds begin with kind, bytes */
    if (!(commit & 0xffffffffffu) || !head || head[0] != kind)
        return NULL;
    *bytes = adit_load32_relaxed(&head[1]); /* once: a peer may change it */
    return *bytes < head_bytes || !adit_arena_at(arena, adit_commit_ref(commit), *bytes) ? NULL : head;
}

const struct adit_version *adit_store_version_sized(const struct adit_arena *arena, uint64_t commit, uint32_t *bytes)
{
    return head_of(arena, commit, ADIT_KIND_VERSION, sizeof(struct adit_version), bytes);
}

const struct adit_version *adit_store_version(const struct adit_arena *arena, uint64_t commit)
{
    uint32_t bytes;
    return adit_store_version_sized(arena, commit, &bytes);
}

const struct adit_version *adit_store_current(const struct adit_arena *arena, uint64_t packed, uint32_t *index, uint64_t *commit, uint32_t *bytes)
{
    for (uint32_t i = 0; i < REUSES_MAX; i++) {
        *commit = 0;
        if (!adit_store_find(arena, packed, index))
            break;
        *commit = adit_load_acquire(&arena->entries[*index].current); /* VIEW:acquire, pairs with PUBLISH:commit: the block named is whole */
        const struct adit_version *v = adit_store_version_sized(arena, *commit, bytes);
        if (!v || v->key == packed || adit_store_key(arena, *index) == packed)
            return v;
        *commit = 0; /* the key was leaving, and is gone; it may be elsewhere */
    }
    return NULL;
}

const struct adit_mesh *adit_store_mesh_placed(const struct adit_arena *arena, uint64_t commit, struct adit_mesh_places *p)
{
    const struct adit_mesh *m = head_of(arena, commit, ADIT_KIND_MESH, sizeof *m, &p->bytes);
    if (!m)
        return NULL;
    memcpy(p->start, m->start, sizeof p->start);
    p->quads_at = m->quads_at;
    adit_barrier_compiler(); /* what is checked is what was copied */
    if (p->quads_at % 8 || p->quads_at < sizeof *m || p->quads_at > p->bytes ||
        p->start[ADIT_MESH_RANGES] > (p->bytes - p->quads_at) / 8)
        return NULL;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        if (p->start[r] > p->start[r + 1])
            return NULL;
    return m;
}

const struct adit_mesh *adit_store_mesh(const struct adit_arena *arena, uint64_t commit)
{
    struct adit_mesh_places places;
    return adit_store_mesh_placed(arena, commit, &places);
}
