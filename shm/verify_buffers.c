/* Buffers of tasks, and what tasks use (I5, I7). What a buffer's words say between any two instructions of all (layout_tasks.h has the transitions):
 *
 *     state      owner               current
 *     FREE       nobody              nothing: it is stored after MAKING, and taken back before FREE
 *     MAKING     is there            anything: its block is published before it is LIVE
 *     LIVE       is there, or nobody a block that is PUBLISHED, of the buffer's size at least, which is 1 to ADIT_BLOCK_BYTES_MAX
 *     ENDING     is there            that block, or nothing
 *
 * A block's word is read between two loads of the current that names it: current is the same again only if it was all the while, its number of the version included,
 * and who replaces it retires the block afterwards. Two buffers that name one block are found with whatever else names one (runtime/verify_world.h).
 *
 * Of a task that has not ended and uses buffers: each is LIVE, of the generation that it names, as none is ended while a task uses it; and its bit is set, else who
 * submits the next one would not see that it conflicts. From COMMITTED on its shadows are what it wrote: PUBLISHED until the task is DONE, as nobody replaces a buffer that a task
 * uses. Before that they say nothing: an attempt that died leaves its own, which by now may be anybody's blocks. So a shadow that nobody freed is found as what it has become: a loan of
 * the dead (I5), or a published block that nothing names (I2).
 *
 * Quiet, also: none is being made or ended; and one that is nobody's is used by a task, whose end ends it. */
#include "shm/verify.h"

static uint64_t index_of(uint64_t use) { return (use & (ADIT_USE_READ - 1)) - 1; }

/* A block that is there for bytes of a buffer. */
static bool is_published(const struct adit_arena *a, uint64_t ref, uint64_t bytes)
{
    uint64_t word = adit_verify_word(a, ref);
    return adit_word_state(word) == ADIT_BLOCK_PUBLISHED && (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT >= bytes;
}

/* ---- what tasks use */

static const char *shadow_fault(const struct adit_arena *a, const struct adit_buffer_slot *b, uint64_t use, uint64_t ref)
{
    if (!(use & ADIT_USE_WRITE))
        return ref ? "it would replace a buffer that it only reads" : NULL;
    return is_published(a, ref, adit_load_acquire(&b->bytes)) ? NULL : "committed, and what it wrote is not published";
}

const char *adit_verify_uses(struct adit_verifier *v, uint64_t slot, uint32_t flags, enum adit_task_state state)
{
    const struct adit_arena *a = v->arena;
    const struct adit_task_uses *uses = &a->task_uses[slot];
    uint64_t bits = adit_load_acquire(&a->task_use_bits[slot]);
    bool writes = false, is_over = false;
    for (uint32_t i = 0; i < ADIT_TASK_USES_MAX && flags & ADIT_TASK_HAS_USES; i++) {
        uint64_t use = adit_load_acquire(&uses->use[i]), index = index_of(use);
        is_over |= !use;
        if (is_over && use)
            return "the buffers it uses have a gap";
        if (is_over)
            continue;
        const struct adit_buffer_slot *b = index < a->buffers_max ? &a->buffers[index] : NULL;
        uint64_t word = b ? adit_load_acquire(&b->word) : 0; /* BUFFER:live */
        if (adit_buffer_state(word) != ADIT_BUFFER_LIVE || word >> 32 != use >> 32)
            return "it uses a buffer that is not there";
        if (!(use & (ADIT_USE_READ | ADIT_USE_WRITE)))
            return "it uses a buffer in no way there is";
        if (!(bits >> ((index + 1) & 63) & 1))
            return "who uses the same buffer next would not see it";
        const char *fault = state == ADIT_TASK_COMMITTED ? shadow_fault(a, b, use, adit_load_acquire(&uses->shadow[i])) : NULL;
        if (fault)
            return fault;
        v->used[index] = 1;
        writes |= use & ADIT_USE_WRITE;
    }
    return writes == !!(flags & ADIT_TASK_HAS_WRITES) ? NULL : "whether it writes buffers is not what they say";
}

/* ---- buffers */

/* What is wrong with what a buffer holds. */
static const char *content_fault(const struct adit_arena *a, enum adit_buffer_state state, uint64_t current, uint64_t bytes)
{
    if (state == ADIT_BUFFER_FREE)
        return current ? "free, and it holds a block" : NULL;
    if (state != ADIT_BUFFER_LIVE)
        return NULL;
    if (!bytes || bytes > ADIT_BLOCK_BYTES_MAX)
        return "it has a size that no buffer may have";
    return is_published(a, adit_commit_ref(current), bytes) ? NULL : "it holds no block, or one that is not published or too small";
}

static void look_at_buffer(struct adit_verifier *v, uint32_t i)
{
    static const char *const quiet[] = {[ADIT_BUFFER_MAKING] = "being made, and nobody is at it", [ADIT_BUFFER_ENDING] = "being ended, and nobody is at it"};
    const struct adit_buffer_slot *b = &v->arena->buffers[i];
    uint64_t word = adit_load_acquire(&b->word), current = adit_load_acquire(&b->current), bytes = adit_load_acquire(&b->bytes);
    enum adit_buffer_state state = adit_buffer_state(word);
    uint32_t owner = adit_buffer_owner(word);
    const char *invariant = "I7", *fault = NULL;
    if (state > ADIT_BUFFER_ENDING)
        fault = "in no state there is";
    else if (state == ADIT_BUFFER_FREE && owner)
        fault = "somebody's, in a state that is nobody's";
    else
        fault = content_fault(v->arena, state, current, bytes);
    if (!fault && state != ADIT_BUFFER_FREE) {
        invariant = "I5";
        if (owner)
            fault = adit_verify_owner(v, owner);
        else if (state != ADIT_BUFFER_LIVE)
            fault = "nobody's, in a state that is somebody's";
        else if (v->quiet && !v->used[i])
            fault = "nobody's, and no task uses it: it is to be free";
        if (!fault && v->quiet && state != ADIT_BUFFER_LIVE)
            fault = quiet[state];
    }
    if (fault && adit_load_acquire(&b->word) == word && adit_load_acquire(&b->current) == current)
        adit_finding_add(v->findings, invariant, "buffer %u|word %#llx, %llu bytes at %#llx: %s", i, (unsigned long long)word, (unsigned long long)bytes,
                         (unsigned long long)current, fault);
}

void adit_verify_buffers(struct adit_verifier *v)
{
    for (uint32_t i = 0; i < v->arena->buffers_max; i++)
        look_at_buffer(v, i);
}
