/* dirty.h - which chunks must be meshed: a bit set over the store's entries, and who is at work on which.
 *
 * A chunk is in the set once however often it changes. An entry's way:
 *
 *            mark (any publisher)              claim (a dispatcher)                finish
 *   clean  ----------------------->  dirty  ----------------------->  working  ----------------->  clean, or dirty again
 *
 *   step of claim                            if the process dies right after
 *   1 entry.work: 0 -> owner (CAS)           recovery: work of a dead owner -> marked dirty, work 0
 *   2 working bit set                        the same
 *   3 dirty bit removed (was it set? else 5) the same: nothing is lost, the mesh is made again
 *   4 mesh made and committed                the same: made once more than needed
 *   5 working bit removed, work -> 0
 *
 * The bit is removed before versions are read: whoever publishes later sets it again (BITS:add, BITS:take in bitset.h), so
 * the last version always gets its mesh.
 */
#ifndef ADIT_DIRTY_H
#define ADIT_DIRTY_H

#include "shm/shm.h"

/* Marks an entry dirty and wakes dispatchers that sleep. Wait-free; a system call only if one sleeps. */
void adit_dirty_mark(struct adit_arena *arena, uint32_t index);

/* Who looks has changed: what was not due may be. Wakes those who wait until it is, if anything is dirty; else a look at each word of the set. Nothing for observers and guests. */
void adit_dirty_nudge(struct adit_arena *arena);

/* Takes the next dirty entry at or after *cursor that is due for this process; false: none that nobody else is at. */
bool adit_dirty_claim(struct adit_arena *arena, uint32_t *cursor, uint32_t *index);
/* The same of one entry; false: it is not dirty, or somebody is at it. */
bool adit_dirty_claim_at(struct adit_arena *arena, uint32_t index);
/* Holds one, dirty or not, so that nobody meshes it until finish: for who has to do with its mesh. False: somebody is at it. If the process dies the chunk is dirty. */
bool adit_dirty_hold(struct adit_arena *arena, uint32_t index);
/* A walk over the entries that are dirty, due (entry.due_ns: interest.h) and that nobody is at, from *cursor (which goes along) once around at most, whatever others add and take meanwhile. False: there are no more. */
struct adit_dirty_walk {
    uint32_t begin, passed;
    uint64_t now_ns; /* of the first look at the clock, which most walks do without */
    uint64_t due_ns; /* the soonest time at which one is due that is not yet, 0: there is none */
};
/* Since when it waits to be meshed: dirty, and due. */
static inline uint64_t adit_dirty_since(const struct adit_arena *arena, uint32_t index)
{
    uint64_t since = adit_load_relaxed(&arena->entries[index].dirty_ns), due = adit_load_relaxed(&arena->entries[index].due_ns); /* relaxed, both: advice */
    return due > since ? due : since;
}
/* How many wait: dirty, due, and nobody at them. Where no viewer has ever been, one look at each word of the set; else a walk. */
uint32_t adit_dirty_count(const struct adit_arena *arena);
static inline struct adit_dirty_walk adit_dirty_walk_from(const struct adit_arena *arena, uint32_t cursor)
{
    return (struct adit_dirty_walk){.begin = cursor < arena->chunks_max ? cursor : 0};
}
bool adit_dirty_next(const struct adit_arena *arena, struct adit_dirty_walk *walk, uint32_t *cursor, uint32_t *index);

/* Whether it is dirty, and nobody is at it; due or not. */
bool adit_dirty_is_free(const struct adit_arena *arena, uint32_t index);

/* Gives up the mesh of a version that kills who makes it: current is its commit word. The entry is neither dirty nor meshed until another version is published. False: somebody
 * is at it, or it is not dirty; nothing has changed. */
bool adit_dirty_give_up(struct adit_arena *arena, uint32_t index, uint64_t current);
/* Whether its version of now was given up. */
static inline bool adit_dirty_is_given_up(const struct adit_arena *arena, uint32_t index)
{
    uint64_t given_up = adit_load_acquire(&arena->entries[index].given_up);
    return given_up && given_up == adit_load_acquire(&arena->entries[index].current);
}
/* Whether it is neither dirty nor in work: what was published before the call has its mesh. */
bool adit_dirty_is_done(const struct adit_arena *arena, uint32_t index);
/* Lets go of an entry's work that was had for something else than meshing, without the working set: who has marked it dirty meanwhile relied on that. */
void adit_dirty_let_go(struct adit_arena *arena, uint32_t index);
/* Done with it; again: it could not be meshed and stays dirty. */
void adit_dirty_finish(struct adit_arena *arena, uint32_t index, bool again);

/* For recovery: what the dead owner was at is dirty again; who waits looks again. */
void adit_dirty_recover(struct adit_arena *arena, uint32_t owner);

/* Waits until an entry is dirty and due that nobody is at, or *stop is set (by whoever then posts dirty_event). -ETIMEDOUT. */
int adit_dirty_wait(struct adit_arena *arena, const uint32_t *stop, uint64_t timeout_ns);
/* See adit_settle in adit.h. */
int adit_dirty_settle(struct adit_arena *arena, uint64_t timeout_ns);

/* The two sets, for looking in. */
static inline struct adit_bitset adit_dirty_set(const struct adit_arena *arena)
{
    return (struct adit_bitset){arena->dirty, arena->chunks_max};
}
static inline struct adit_bitset adit_working_set(const struct adit_arena *arena)
{
    return (struct adit_bitset){arena->dirty + arena->bits_words, arena->chunks_max};
}

#endif
