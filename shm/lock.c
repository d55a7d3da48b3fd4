/* Why this is correct.
 *
 * Strict. Between robust's take and give one thread alone stores commit and the draft. Committing is one store (LOCK:commit,
 * release): before it the draft is nobody's, after it nobody's to write, until a later holder makes it a draft again.
 *
 * Optimistic (after H.-J. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). The copy of
 * version v is written again only by a holder that found commit = v + 1 or later. It says so in draft, passes a fence, and then stores
 * into the copy; a reader that copied any such store passes its own fence and then sees that draft: it copies again. That v + 1
 * was committed meanwhile does not matter.
 *
 *     holder: load commit (v + 1) ; draft = v + 2  ; fence release ; store into copy[v & 1]
 *     reader: load commit (v)     ; copy copy[v & 1] ; fence acquire ; load draft: v + 1 or less, or again
 *
 * A slot's number of bytes is read once, bounded, and kept; of commit only a bit leads anywhere. */
#include "shm/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/metrics.h"
#include "shm/robust.h"

#define READ_TRIES 1000u
#define NAMING_TIMEOUT_NS 5000000000u
enum { SLOT_FREE, SLOT_VALID = 2 };

struct adit_lock {
    struct adit_lock_slot *slot;
    struct adit_arena *arena;
    uint64_t version; /* of the draft, while held */
    uint32_t bytes;
    bool is_held;
};

static struct adit_lock_slot *find(const struct adit_arena *arena, const char *name)
{
    for (uint32_t i = 0; i < arena->locks_max; i++) {
        struct adit_lock_slot *s = &arena->locks[i];
        if (adit_load32_acquire(&s->state) == SLOT_VALID && !strncmp(s->name, name, ADIT_NAME_BYTES)) /* LOCK:valid */
            return s;
    }
    return NULL;
}

/* Under the naming lock: nobody else makes one, and a slot that a dead holder had begun is as free as any. */
static int make(struct adit_arena *arena, const char *name, uint32_t bytes, struct adit_lock_slot **out)
{
    for (uint32_t i = 0; i < arena->locks_max; i++) {
        struct adit_lock_slot *s = &arena->locks[i];
        if (adit_load32_relaxed(&s->state) != SLOT_FREE)
            continue;
        s->bytes = bytes;
        snprintf(s->name, sizeof s->name, "%s", name);
        adit_store32_release(&s->state, SLOT_VALID); /* LOCK:valid, pairs with find: name and bytes */
        *out = s;
        return 0;
    }
    return adit_fault(-ENOSPC, "arena %s: all %u locks are in use", arena->name, arena->locks_max);
}

int adit_naming_lock(struct adit_arena *arena)
{
    struct adit_robust *r = &arena->waits->naming;
    int error = adit_robust_lock(r, arena->owner, NULL, NAMING_TIMEOUT_NS);
    if (error == -ETIMEDOUT)
        return adit_fault(error, "arena %s: participant %u has been naming something for 5 s; is it stopped?", arena->name,
                          adit_owner_slot(adit_load32_relaxed(&r->owner)));
    return error == -EOWNERDEAD ? 0 : error;
}

void adit_naming_unlock(struct adit_arena *arena) { adit_robust_unlock(&arena->waits->naming); }

static int find_or_make(struct adit_arena *arena, const char *name, uint32_t bytes, struct adit_lock_slot **slot)
{
    *slot = find(arena, name);
    if (*slot)
        return 0;
    if (!arena->owner)
        return adit_fault(-ENOENT, "arena %s: there is no lock %s", arena->name, name);
    int error = adit_naming_lock(arena);
    if (error)
        return error;
    *slot = find(arena, name);
    error = *slot ? 0 : make(arena, name, bytes, slot);
    adit_naming_unlock(arena);
    return error;
}

int adit_shm_lock_open(struct adit_arena *arena, const char *name, uint32_t bytes, struct adit_lock **out)
{
    struct adit_lock_slot *slot;
    *out = NULL;
    if (!name || !*name || strlen(name) >= ADIT_NAME_BYTES || !bytes || bytes > ADIT_LOCK_BYTES_MAX)
        return adit_fault(-EINVAL, "arena %s: a lock has a name of 1 to 47 characters and guards 1 to 4096 bytes", arena->name);
    int error = find_or_make(arena, name, bytes, &slot);
    if (error)
        return error;
    if (slot->bytes != bytes)
        return adit_fault(-EEXIST, "arena %s: lock %s is there and guards another number of bytes", arena->name, name);
    struct adit_lock *l = malloc(sizeof *l);
    if (!l)
        return adit_fault(-ENOMEM, "arena %s: no memory for a lock's handle", arena->name);
    *l = (struct adit_lock){.slot = slot, .arena = arena, .bytes = bytes};
    *out = l;
    return 0;
}

void adit_lock_close(struct adit_lock **lock)
{
    if (*lock && (*lock)->is_held)
        (void)adit_lock_discard(*lock);
    free(*lock);
    *lock = NULL;
}

/* Takes the lock, and counts; relaxed: whether somebody had it at the first look. */
static int take(struct adit_arena *arena, struct adit_robust *robust, uint64_t timeout_ns)
{
    bool is_contended = adit_load32_relaxed(&robust->word) & ADIT_ROBUST_TID;
    uint64_t begin = is_contended ? adit_clock_ns() : 0;
    int got = adit_robust_lock(robust, arena->owner, NULL, timeout_ns);
    adit_count(arena, ADIT_COUNT_LOCKS_TAKEN, !got || got == -EOWNERDEAD);
    if (is_contended) {
        adit_count(arena, ADIT_COUNT_LOCKS_CONTENDED, 1);
        adit_record(arena, ADIT_HISTOGRAM_LOCK_WAIT_NS, adit_clock_ns() - begin, 1);
    }
    if (got == -EOWNERDEAD)
        adit_count(arena, ADIT_COUNT_LOCKS_INHERITED, 1);
    return got;
}

int adit_lock_lock(struct adit_lock *lock, uint64_t timeout_ns, void **bytes)
{
    struct adit_lock_slot *s = lock->slot;
    *bytes = NULL;
    if (!lock->arena->owner)
        return adit_fault(-EROFS, "arena %s: an observer cannot lock; attach as a consumer", lock->arena->name);
    int got = take(lock->arena, &s->robust, timeout_ns);
    if (got && got != -EOWNERDEAD)
        return got;
    uint64_t v = adit_load_relaxed(&s->commit); /* relaxed: the last holder's, by ROBUST:take */
    uint8_t *draft = s->copy[(v + 1) & 1];
    adit_store_relaxed(&s->draft, v + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* LOCK:draft, see above: it is seen before what is stored there */
    memcpy(draft, s->copy[v & 1], lock->bytes);
    lock->version = v + 1;
    lock->is_held = true;
    *bytes = draft;
    return got ? 1 : 0;
}

int adit_lock_discard(struct adit_lock *lock)
{
    if (!lock->is_held || !adit_robust_is_mine(&lock->slot->robust))
        return adit_fault(-EPERM, "arena %s: lock %.47s is not held by this handle and thread", lock->arena->name, lock->slot->name);
    lock->is_held = false;
    adit_robust_unlock(&lock->slot->robust);
    return 0;
}

int adit_lock_unlock(struct adit_lock *lock)
{
    if (lock->is_held && adit_robust_is_mine(&lock->slot->robust))
        adit_store_release(&lock->slot->commit, lock->version); /* LOCK:commit */
    return adit_lock_discard(lock);
}

typedef uint64_t quad_word __attribute__((vector_size(32), may_alias));

/* Copies what somebody may be writing: each byte once (volatile), and the caller finds out whether they are of one version. */
__attribute__((no_sanitize("thread"))) static void copy_unsure(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
    uint32_t at = 0;
    for (; at + sizeof(quad_word) <= bytes; at += (uint32_t)sizeof(quad_word)) {
        quad_word words = *(const volatile quad_word *)(const void *)(from + at);
        __builtin_memcpy(to + at, &words, sizeof words);
    }
    for (; at < bytes; at++)
        to[at] = *(const volatile uint8_t *)(from + at);
}

int adit_lock_read(const struct adit_lock *lock, void *copy, uint32_t bytes, uint64_t *version)
{
    const struct adit_lock_slot *s = lock->slot;
    if (bytes > lock->bytes)
        return adit_fault(-EINVAL, "arena %s: lock %.47s guards %u bytes, not %u", lock->arena->name, s->name, lock->bytes, bytes);
    for (uint32_t i = 0; i < READ_TRIES; i++) { /* every round somebody has committed and drafted anew */
        uint64_t v = adit_load_acquire(&s->commit); /* LOCK:commit */
        copy_unsure(copy, s->copy[v & 1], bytes);
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* LOCK:draft, see above */
        if ((int64_t)(adit_load_relaxed(&s->draft) - v) <= 1) {
            if (version)
                *version = v;
            return 0;
        }
    }
    return adit_fault(-EAGAIN, "arena %s: lock %.47s is committed all the time", lock->arena->name, s->name);
}
