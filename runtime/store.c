#include "runtime/store.h"

#include <errno.h>
#include <string.h>

#define PROBES_MAX 4096u

/* Mixes all bits of the key into the low ones (the finalizer of splitmix64, S. Vigna). */
static uint32_t hash(uint64_t k)
{
    k = (k ^ k >> 30) * 0xbf58476d1ce4e5b9ull;
    k = (k ^ k >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(k ^ k >> 31);
}

bool adit_store_find(const struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t mask = arena->chunks_max - 1, at = hash(packed) & mask;
    for (uint32_t i = 0; i < PROBES_MAX && i <= mask; i++, at = (at + 1) & mask) {
        uint64_t key = adit_load_acquire(&arena->keys[at]); /* STORE:key, pairs with insert */
        if (key == packed) {
            *index = at;
            return true;
        }
        if (!key)
            return false;
    }
    return false;
}

static int no_room(const struct adit_arena *arena, uint64_t packed)
{
    struct adit_key k = adit_key_unpack(packed);
    return adit_fault(-ENOSPC, "arena %s: the store of %u keys has no room for chunk (%d,%d,%d); create it with a larger "
                      "chunks_max", arena->name, arena->chunks_max, k.x, k.y, k.z);
}

int adit_store_insert(struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t mask = arena->chunks_max - 1, at = hash(packed) & mask;
    for (uint32_t i = 0; i < PROBES_MAX && i <= mask; i++, at = (at + 1) & mask) {
        uint64_t key = adit_load_acquire(&arena->keys[at]);
        if (!key && adit_cas_acq_rel(&arena->keys[at], &key, packed)) /* STORE:key */
            key = packed;
        if (key == packed) { /* a failed CAS left what another entered here, perhaps the same key */
            *index = at;
            return 0;
        }
    }
    return no_room(arena, packed);
}

int adit_store_foresee(const struct adit_arena *arena, uint64_t packed, uint32_t *index)
{
    uint32_t mask = arena->chunks_max - 1, at = hash(packed) & mask;
    for (uint32_t i = 0; i < PROBES_MAX && i <= mask; i++, at = (at + 1) & mask) {
        uint64_t key = adit_load_acquire(&arena->keys[at]); /* STORE:key */
        if (!key || key == packed) {
            *index = key ? at : ADIT_STORE_NONE;
            return 0;
        }
    }
    return no_room(arena, packed);
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
