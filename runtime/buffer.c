#include "runtime/buffer.h"

#include <errno.h>
#include <string.h>

#include "runtime/publish.h"
#include "runtime/task_uses.h"

#define DROPS_MAX 4u
#define TRIES_MAX 64u /* others in between, or ousted in a row */

static uint64_t handle_of(const struct adit_arena *arena, const struct adit_buffer_slot *b, uint64_t word)
{
    return word >> 32 << 32 | (uint64_t)(b - arena->buffers + 1);
}

static struct adit_buffer_slot *slot_of(const struct adit_arena *arena, uint64_t handle)
{
    uint64_t index = (handle & (ADIT_USE_READ - 1)) - 1;
    return arena->buffers && index < arena->buffers_max ? &arena->buffers[index] : NULL; /* a guest sees none */
}

struct adit_buffer_slot *adit_buffer_find(const struct adit_arena *arena, uint64_t handle)
{
    struct adit_buffer_slot *b = slot_of(arena, handle);
    uint64_t word = b ? adit_load_acquire(&b->word) : 0; /* BUFFER:live */
    return b && adit_buffer_state(word) == ADIT_BUFFER_LIVE && word >> 32 == handle >> 32 ? b : NULL;
}

static void give_up(struct adit_arena *arena, uint64_t ref)
{
    if (!ref)
        return;
    if (arena->reclaimer)
        adit_retire(arena, ref);
    else
        (void)adit_block_orphan(arena, ref); /* the keeper of a consumer's process: the section keeps it from being reused */
}

int adit_buffer_replace(struct adit_arena *arena, struct adit_buffer_slot *b, uint64_t ref, struct adit_reader *reader, const uint64_t *task, uint64_t word)
{
    struct adit_reader *borrowed = NULL;
    uint32_t index = (uint32_t)(b - arena->buffers);
    int error = reader ? 0 : adit_rcu_borrow(arena, &borrowed);
    if (error)
        return error;
    reader = reader ? reader : borrowed;
    error = -EAGAIN;
    adit_rcu_enter(reader);
    for (uint32_t i = 0; i < TRIES_MAX && error == -EAGAIN; i++) {
        uint64_t old = adit_load_acquire(&b->current); /* BUFFER:commit */
        if (adit_commit_ref(old) == ref) {
            error = 0;
        } else if (!adit_intent_set(arena, reader, ADIT_INTENT_BUFFER, index, old)) { /* stopped here for long, and ousted */
            adit_intent_clear(arena, reader);
            (void)adit_rcu_exit(reader);
            adit_rcu_enter(reader);
        } else if (task && (adit_load_seq_cst(task) ^ word) & ~ADIT_TASK_FLAGS) { /* after old was read: others have finished it */
            error = -ESTALE;
        } else {
            uint64_t new = ref ? adit_commit_make((old >> 40) + 1, ref) : 0, seen = old;
            if (adit_cas_acq_rel(&b->current, &seen, new)) { /* BUFFER:commit. Release: the block is whole for whoever acquires the word */
                give_up(arena, old ? adit_commit_ref(old) : 0);
                error = 0;
            }
        }
    }
    adit_intent_clear(arena, reader);
    (void)adit_rcu_exit(reader);
    if (borrowed)
        adit_rcu_give_back(arena, borrowed);
    if (arena->reclaimer)
        adit_retire_help(arena);
    return error;
}

/* ENDING, ours, to FREE. */
static int end(struct adit_arena *arena, struct adit_buffer_slot *b, uint64_t word)
{
    int error = adit_buffer_replace(arena, b, 0, NULL, NULL, 0);
    /* ENDING is nobody else's to change. No reader was to be had: as before */
    adit_store_release(&b->word, error ? word : adit_buffer_word((word >> 32) + 1, ADIT_BUFFER_FREE, 0));
    return error;
}

/* LIVE as word says to ENDING to FREE. Under the lock of uses, when no task uses it. */
static int end_live(struct adit_arena *arena, struct adit_buffer_slot *b, uint64_t word)
{
    if (!adit_cas_acq_rel(&b->word, &word, adit_buffer_word(word >> 32, ADIT_BUFFER_ENDING, arena->owner)))
        return -ENOENT;
    return end(arena, b, word);
}

/* Whether the lock of uses is had at once; else whoever has it does what is to be done when it lets go of it: it looks at drops_due after that, and here the lock is looked at after the store, so one of the two sees the other
 * (seq_cst both). If that one dies in between, who recovers it looks at all buffers. */
static bool lock_or_leave(struct adit_arena *arena)
{
    if (adit_task_uses_trylock(arena))
        return true;
    __atomic_store_n(&arena->waits->drops_due, 1, __ATOMIC_SEQ_CST); /* DROPS:due */
    return adit_task_uses_trylock(arena);
}

/* Under the lock. */
static void drop(struct adit_arena *arena, struct adit_buffer_slot *b)
{
    uint64_t word = adit_load_acquire(&b->word);
    if (adit_buffer_state(word) == ADIT_BUFFER_LIVE && !adit_buffer_owner(word) && !adit_task_uses_has(arena, handle_of(arena, b, word)))
        (void)end_live(arena, b, word);
}

void adit_buffer_drop(struct adit_arena *arena, uint64_t handle)
{
    struct adit_buffer_slot *b = adit_buffer_find(arena, handle);
    if (!b || adit_buffer_owner(adit_load_acquire(&b->word)) || !lock_or_leave(arena))
        return;
    drop(arena, b); /* if it is another one by now, that one has its own reasons */
    adit_task_uses_unlock(arena);
}

void adit_buffers_drop_due(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < DROPS_MAX && __atomic_exchange_n(&arena->waits->drops_due, 0, __ATOMIC_SEQ_CST); i++) { /* more often only who is mad asks anew; whoever lets go of the lock next looks again */
        if (!lock_or_leave(arena))
            return;
        for (uint32_t k = 0; k < arena->buffers_max; k++)
            drop(arena, &arena->buffers[k]);
        adit_robust_unlock(&arena->waits->uses);
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* DROPS:due, as after any unlock */
    }
}

void adit_buffers_recover(struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < arena->buffers_max; i++) {
        struct adit_buffer_slot *b = &arena->buffers[i];
        uint64_t word = adit_load_acquire(&b->word);
        if (adit_buffer_state(word) == ADIT_BUFFER_LIVE && !adit_buffer_owner(word))
            adit_buffer_drop(arena, handle_of(arena, b, word)); /* the dead one may have been about to */
        if (adit_buffer_owner(word) != owner || !owner)
            continue;
        if (adit_buffer_state(word) == ADIT_BUFFER_LIVE) {
            (void)adit_cas_acq_rel(&b->word, &word, adit_buffer_word(word >> 32, ADIT_BUFFER_LIVE, 0));
            adit_buffer_drop(arena, handle_of(arena, b, word));
        } else if (adit_buffer_state(word) == ADIT_BUFFER_MAKING) {
            adit_store_release(&b->current, 0); /* its block is published by the dead and named by nobody, or on loan to it */
            adit_store_release(&b->word, adit_buffer_word((word >> 32) + 1, ADIT_BUFFER_FREE, 0));
        } else if (adit_buffer_state(word) == ADIT_BUFFER_ENDING) {
            (void)end(arena, b, word);
        }
    }
}

/* ---- public ---- */

static int check_role(const struct adit_arena *arena)
{
    return arena->role == ADIT_ROLE_PRODUCER ? 0 : adit_fault(-EROFS, "arena %s: only a producer makes and changes buffers", arena->name);
}

/* A published block of bytes with n of data and zeroes behind. */
static int new_block(struct adit_arena *arena, uint64_t bytes, const void *data, uint64_t n, uint64_t *ref)
{
    int error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HERE, ref);
    if (error)
        return error;
    uint8_t *block = adit_arena_at(arena, *ref, bytes);
    if (n)
        memcpy(block, data, n);
    memset(block + n, 0, bytes - n);
    (void)adit_block_publish(arena, *ref);
    return 0;
}

/* A FREE slot, MAKING by this process; NULL: there is none. */
static struct adit_buffer_slot *take_slot(struct adit_arena *arena, uint64_t *word)
{
    for (uint32_t i = 0; i < arena->buffers_max; i++) {
        struct adit_buffer_slot *b = &arena->buffers[i];
        uint64_t seen = adit_load_relaxed(&b->word); /* relaxed: the CAS looks again */
        *word = adit_buffer_word(seen >> 32, ADIT_BUFFER_MAKING, arena->owner);
        if (adit_buffer_state(seen) == ADIT_BUFFER_FREE && adit_cas_acq_rel(&b->word, &seen, *word))
            return b;
    }
    return NULL;
}

int adit_buffer_create(struct adit_arena *arena, uint64_t bytes, const void *data, uint64_t *buffer)
{
    uint64_t word, ref;
    *buffer = 0;
    int error = check_role(arena);
    if (error)
        return error;
    if (!bytes || bytes > ADIT_BLOCK_BYTES_MAX)
        return adit_fault(-EINVAL, "arena %s: a buffer of %llu bytes; 1 to %u are possible", arena->name, (unsigned long long)bytes, ADIT_BLOCK_BYTES_MAX);
    struct adit_buffer_slot *b = take_slot(arena, &word);
    if (!b)
        return adit_fault(-ENOSPC, "arena %s: all %u buffers are in use; create the arena with more (buffers_max)", arena->name, arena->buffers_max);
    error = new_block(arena, bytes, data, data ? bytes : 0, &ref);
    if (error) {
        adit_store_release(&b->word, adit_buffer_word(word >> 32, ADIT_BUFFER_FREE, 0));
        return error;
    }
    adit_store_relaxed(&b->bytes, bytes);
    adit_store_release(&b->current, adit_commit_make(1, ref));
    adit_store_release(&b->word, adit_buffer_word(word >> 32, ADIT_BUFFER_LIVE, arena->owner)); /* BUFFER:live, pairs with find: bytes, current */
    *buffer = handle_of(arena, b, word);
    return 0;
}

/* The buffer, under the lock of uses, when no task uses it; the caller unlocks unless it failed. */
static int hold(struct adit_arena *arena, uint64_t buffer, struct adit_buffer_slot **b)
{
    int error = check_role(arena);
    if (!error)
        error = adit_task_uses_lock(arena);
    if (error)
        return error;
    *b = buffer & (ADIT_USE_READ | ADIT_USE_WRITE) ? NULL : adit_buffer_find(arena, buffer);
    if (!*b)
        error = adit_fault(-ENOENT, "arena %s: there is no buffer 0x%llx", arena->name, (unsigned long long)buffer);
    else if (adit_task_uses_has(arena, buffer))
        error = adit_fault(-EBUSY, "arena %s: tasks use buffer 0x%llx; wait for them", arena->name, (unsigned long long)buffer);
    if (error)
        adit_task_uses_unlock(arena);
    return error;
}

int adit_buffer_destroy(struct adit_arena *arena, uint64_t buffer)
{
    struct adit_buffer_slot *b;
    int error = hold(arena, buffer, &b);
    if (error)
        return error;
    error = end_live(arena, b, adit_load_acquire(&b->word));
    adit_task_uses_unlock(arena);
    return error;
}

int adit_buffer_put(struct adit_arena *arena, uint64_t buffer, const void *data, uint64_t bytes)
{
    struct adit_buffer_slot *b;
    uint64_t ref;
    int error = hold(arena, buffer, &b);
    if (error)
        return error;
    uint64_t all = adit_load_relaxed(&b->bytes);
    if (bytes > all || all > ADIT_BLOCK_BYTES_MAX)
        error = adit_fault(-EINVAL, "arena %s: buffer 0x%llx has %llu bytes, not %llu", arena->name, (unsigned long long)buffer, (unsigned long long)all,
                           (unsigned long long)bytes);
    if (!error)
        error = new_block(arena, all, data, bytes, &ref);
    if (!error && (error = adit_buffer_replace(arena, b, ref, NULL, NULL, 0)))
        adit_retire(arena, ref);
    adit_task_uses_unlock(arena);
    return error;
}

int adit_buffer_acquire(struct adit_reader *reader, uint64_t buffer, struct adit_buffer_view *view)
{
    struct adit_arena *arena = reader->arena;
    struct adit_buffer_slot *b = adit_buffer_find(arena, buffer);
    if (!b)
        return -ENOENT;
    if (adit_rcu_is_ousted(reader))
        return -ESTALE;
    uint64_t commit = adit_load_acquire(&b->current), bytes = adit_load_relaxed(&b->bytes); /* BUFFER:commit; relaxed: BUFFER:live came first */
    const void *data = commit ? adit_arena_at(arena, adit_commit_ref(commit), bytes) : NULL;
    if (!data)
        return commit ? -EBADMSG : -ENOENT; /* it has just ended */
    *view = (struct adit_buffer_view){data, bytes, commit >> 40};
    return 0;
}
