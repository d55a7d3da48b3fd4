/* Why this is correct: the table changes under one robust lock, and each change is in an order that can be left anywhere.
 *
 *     make:  state 1 ; block on loan, its ref ; head and slots ; block published ; state 2
 *            died before state 2: the slot is freed; the block is on loan to the dead, or published and named by no valid slot
 *     end:   state 3 ; block retired ; ref 0 ; block freed ; state 0
 *            died before retired: still PUBLISHED, and ended by who finds it; later: the block is the dead one's, as any block */
#include "shm/ring_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/block.h"
#include "shm/lock.h"
#include "shm/ring.h"
#include "shm/robust.h"

#define ELEMENT_BYTES_MAX 4096u
#define CAPACITY_MAX (1u << 20)

/* Word and element; those that take more than a line begin on a pair of lines, which is fetched together. Frames of samples have no
 * word and lie side by side. */
static uint32_t stride_of(uint32_t kind, uint32_t element_bytes)
{
    uint32_t bytes = (8 + element_bytes + 7) / 8 * 8;
    if (kind == ADIT_RING_KIND_SAMPLES)
        return element_bytes;
    return bytes > 64 ? (bytes + 127) / 128 * 128 : bytes;
}

static bool is_shape(uint32_t kind, uint32_t element_bytes, uint32_t capacity)
{
    return kind >= ADIT_RING_KIND_SPSC && kind <= ADIT_RING_KIND_SAMPLES && element_bytes && element_bytes <= ELEMENT_BYTES_MAX &&
           (kind != ADIT_RING_KIND_SAMPLES || element_bytes % sizeof(float) == 0) && capacity && capacity <= CAPACITY_MAX &&
           !(capacity & (capacity - 1));
}

int adit_ring_adopt(const struct adit_arena *arena, const struct adit_ring_slot *slot, struct adit_ring *r)
{
    uint64_t ref = adit_load_acquire(&slot->ref); /* once: a peer may change it */
    uint64_t room = adit_block_bytes(arena, ref); /* 0 unless ref is aligned and names a block */
    struct adit_ring_head *h = room ? adit_arena_at(arena, ref, room) : NULL;
    uint32_t kind = h ? adit_load32_relaxed(&h->kind) : 0, element = h ? adit_load32_relaxed(&h->element_bytes) : 0;
    uint32_t capacity = h ? adit_load32_relaxed(&h->capacity) : 0; /* relaxed: RING:valid came first; each once */
    if (adit_ref_segment(ref) || !h || !is_shape(kind, element, capacity) ||
        sizeof *h + (uint64_t)capacity * stride_of(kind, element) > room)
        return adit_fault(-EPROTO, "arena %s: ring %.47s is damaged", arena->name, slot->name);
    *r = (struct adit_ring){h, (uint8_t *)(h + 1), capacity - 1, kind, element, stride_of(kind, element), arena->owner};
    return 0;
}

static struct adit_ring_slot *find(const struct adit_arena *arena, const char *name)
{
    for (uint32_t i = 0; i < arena->rings_max; i++) {
        struct adit_ring_slot *s = &arena->rings[i];
        if (adit_load32_acquire(&s->state) == ADIT_RING_SLOT_VALID && !strncmp(s->name, name, ADIT_NAME_BYTES)) /* RING:valid */
            return s;
    }
    return NULL;
}

bool adit_ring_is_named(const struct adit_arena *arena, uint64_t ref)
{
    for (uint32_t i = 0; i < arena->rings_max; i++)
        if (adit_load32_acquire(&arena->rings[i].state) == ADIT_RING_SLOT_VALID && /* RING:valid */
            adit_load_relaxed(&arena->rings[i].ref) == ref)
            return true;
    return false;
}

static void set_free(struct adit_ring_slot *s)
{
    adit_store32_relaxed(&s->owner, 0);
    adit_store32_release(&s->state, ADIT_RING_SLOT_FREE);
}

/* What remains to be done from state 3 on. */
static void finish_ending(struct adit_arena *arena, struct adit_ring_slot *s)
{
    uint64_t ref = adit_load_relaxed(&s->ref);
    bool is_ours = adit_block_retire(arena, ref);
    adit_store_release(&s->ref, 0); /* before the block can be another's */
    if (is_ours) /* no reader reaches rings by sections: it can go at once */
        adit_block_free(arena, ref);
    set_free(s);
}

void adit_ring_names_settle(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < arena->rings_max; i++) {
        struct adit_ring_slot *s = &arena->rings[i];
        uint32_t state = adit_load32_relaxed(&s->state);
        if (state == ADIT_RING_SLOT_ENDING) {
            finish_ending(arena, s);
        } else if (state == ADIT_RING_SLOT_MAKING) {
            adit_store_release(&s->ref, 0);
            set_free(s);
        }
    }
}

static int fill_slot(struct adit_arena *arena, struct adit_ring_slot *slot, const char *name, uint32_t kind,
                     uint32_t element_bytes, uint32_t capacity)
{
    uint32_t stride = stride_of(kind, element_bytes);
    uint64_t bytes = sizeof(struct adit_ring_head) + (uint64_t)capacity * stride, ref;
    int error = adit_block_alloc(arena, bytes, ADIT_BLOCK_HEAP, &ref);
    if (error)
        return error;
    adit_store_relaxed(&slot->ref, ref); /* relaxed: the slot is not valid */
    struct adit_ring_head *h = adit_arena_at(arena, ref, bytes);
    memset(h, 0, bytes);
    h->kind = kind;
    h->element_bytes = element_bytes;
    h->stride = stride;
    h->capacity = capacity;
    for (uint64_t i = 0; i < capacity && kind != ADIT_RING_KIND_SAMPLES; i++) {
        uint64_t word = kind == ADIT_RING_KIND_SPSC ? i : adit_ring_word(i, ADIT_RING_FREE, 0);
        memcpy((uint8_t *)(h + 1) + i * stride, &word, 8);
    }
    snprintf(slot->name, sizeof slot->name, "%s", name);
    adit_block_publish(arena, ref);
    return 0;
}

/* Under the naming lock. */
static int make(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes, uint32_t capacity,
                struct adit_ring_slot **out)
{
    for (uint32_t i = 0; i < arena->rings_max; i++) {
        struct adit_ring_slot *s = &arena->rings[i];
        if (adit_load32_relaxed(&s->state) != ADIT_RING_SLOT_FREE)
            continue;
        adit_store_relaxed(&s->ref, 0);
        adit_store32_release(&s->state, ADIT_RING_SLOT_MAKING); /* first: a slot that is free has no owner */
        adit_store32_relaxed(&s->owner, arena->owner);
        int error = fill_slot(arena, s, name, kind, element_bytes, capacity);
        if (error)
            set_free(s);
        else
            adit_store32_release(&s->state, ADIT_RING_SLOT_VALID); /* RING:valid, pairs with find: the whole ring */
        *out = s;
        return error;
    }
    return adit_fault(-ENOSPC, "arena %s: all %u rings are in use; destroy one", arena->name, arena->rings_max);
}

static int find_or_make(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes, uint32_t capacity,
                        struct adit_ring_slot **slot)
{
    *slot = find(arena, name);
    if (*slot)
        return 0;
    int error = adit_naming_lock(arena);
    if (error)
        return error;
    adit_ring_names_settle(arena);
    *slot = find(arena, name);
    error = *slot ? 0 : make(arena, name, kind, element_bytes, capacity, slot);
    adit_naming_unlock(arena);
    return error;
}

int adit_ring_bind(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes, uint32_t capacity,
                   struct adit_ring *r)
{
    struct adit_ring_slot *slot;
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: an observer cannot use rings; attach as a consumer", arena->name);
    if (!name || !*name || strlen(name) >= ADIT_NAME_BYTES || !is_shape(kind, element_bytes, capacity))
        return adit_fault(-EINVAL,
                          "arena %s: a ring has a name of 1 to 47 characters, elements of 1 to 4096 bytes and at most 2^20",
                          arena->name);
    int error = find_or_make(arena, name, kind, element_bytes, capacity, &slot);
    if (!error)
        error = adit_ring_adopt(arena, slot, r);
    if (!error && (r->kind != kind || r->element_bytes != element_bytes || r->mask + 1 != capacity))
        error = adit_fault(-EEXIST, "arena %s: ring %s is there with another kind, element size or capacity", arena->name, name);
    return error;
}

int adit_shm_ring_open(struct adit_arena *arena, const char *name, uint32_t kind, uint32_t element_bytes,
                       uint32_t capacity, struct adit_ring **out)
{
    struct adit_ring ring;
    *out = NULL;
    if (kind == ADIT_RING_KIND_SAMPLES)
        return adit_fault(-EINVAL, "arena %s: a ring of samples is opened by adit_samples_open", arena->name);
    int error = adit_ring_bind(arena, name, kind, element_bytes, capacity, &ring);
    if (error)
        return error;
    *out = malloc(sizeof ring);
    if (!*out)
        return adit_fault(-ENOMEM, "arena %s: no memory for a ring's handle", arena->name);
    **out = ring;
    return 0;
}

void adit_ring_close(struct adit_ring **ring)
{
    free(*ring);
    *ring = NULL;
}

int adit_ring_destroy(struct adit_arena *arena, const char *name)
{
    if (!arena->owner || !name)
        return adit_fault(-ENOENT, "arena %s: there is no ring %s", arena->name, name ? name : "");
    int error = adit_naming_lock(arena);
    if (error)
        return error;
    adit_ring_names_settle(arena);
    struct adit_ring_slot *s = find(arena, name);
    if (s) {
        adit_store32_release(&s->state, ADIT_RING_SLOT_ENDING);
        finish_ending(arena, s);
    }
    adit_naming_unlock(arena);
    return s ? 0 : adit_fault(-ENOENT, "arena %s: there is no ring %s", arena->name, name);
}
