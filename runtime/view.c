/* view.c - reading: acquiring versions and meshes inside a section, pins, keys (adit.h). Wait-free, no system call. */
#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/adit.h"
#include "runtime/encoding.h"
#include "runtime/store.h"

_Static_assert(offsetof(struct adit_reader, slot) == offsetof(struct adit_section, slot), "adit_section is its head");
_Static_assert(offsetof(struct adit_reader, epoch) == offsetof(struct adit_section, epoch), "adit_section is its head");
_Static_assert(offsetof(struct adit_reader, always) == offsetof(struct adit_section, always), "adit_section is its head");
_Static_assert(offsetof(struct adit_reader, fenced) == offsetof(struct adit_section, fenced), "adit_section is its head");

int adit_exit_slowly(struct adit_reader *reader)
{
    bool is_good = !adit_rcu_is_ousted(reader);
    adit_store_release(reader->slot, reader->always ? 0 : 2); /* RCU:exit */
    adit_rcu_clear_mark(reader);
    return is_good ? 0 : -ESTALE;
}

void adit_enter_as_guest(struct adit_reader *reader) { adit_guest_enter(reader); }

int adit_reader_open(struct adit_arena *arena, struct adit_reader **out) { return adit_rcu_reader_open(arena, out); }
void adit_reader_close(struct adit_reader **reader) { adit_rcu_reader_close(reader); }

/* What it means that a commit word leads to no such block: there is none, the section was ousted meanwhile, or it is damaged. In the heap, which a
 * guest does not see, there are removals only. */
static int damaged(const struct adit_reader *reader, uint64_t commit)
{
    bool is_unseen = reader->arena->guest && !adit_ref_segment(adit_commit_ref(commit));
    return !commit || is_unseen ? -ENOENT : adit_rcu_is_ousted(reader) ? -ESTALE : -EBADMSG;
}

int adit_chunk_acquire(struct adit_reader *reader, const struct adit_key *key, struct adit_chunk_view *out)
{
    struct adit_arena *arena = reader->arena;
    uint64_t packed;
    uint32_t index;
    if (!adit_key_try(key, &packed))
        return -ERANGE;
    uint64_t commit;
    uint32_t bytes;
    const struct adit_version *v = adit_store_current(arena, packed, &index, &commit, &bytes);
    if (adit_rcu_is_ousted(reader))
        return -ESTALE;
    if (!v)
        return damaged(reader, commit);
    uint64_t number = adit_store_number(&arena->entries[index], commit);
    if (v->key == packed && v->encoding == ADIT_ENC_REMOVED) /* whatever its number: the place may be another's by now */
        return -ENOENT;
    if (v->key != packed || v->version != number)
        return damaged(reader, commit);
    *out = (struct adit_chunk_view){.key = *key, .version = number, .ref = adit_commit_ref(commit), .block = v,
                                    .encoding = v->encoding, .empty = v->summary & ADIT_SUM_EMPTY,
                                    .full = v->summary & ADIT_SUM_FULL, .uniform = v->summary & ADIT_SUM_UNIFORM, .renewable = v->summary & ADIT_SUM_RENEWABLE,
                                    .material = v->uniform, .solid = v->solid, .bytes = bytes,
                                    .published_ns = v->published_ns};
    ADIT_PROBE(acquire, packed, number);
    return 0;
}

#define VERSION_TRIES 1024u

int adit_chunk_version(const struct adit_arena *arena, const struct adit_key *key, uint64_t *version)
{
    uint64_t packed;
    uint32_t index;
    if (!adit_key_try(key, &packed))
        return -ERANGE;
    uint32_t tries = 0;
    do { /* each time the key has been forgotten meanwhile, which takes a grace period */
        *version = 0;
        if (!adit_store_find(arena, packed, &index))
            return 0;
        *version = adit_store_number(&arena->entries[index], adit_load_acquire(&arena->entries[index].current));
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* what was read is another key's only if the key is gone by now */
    } while (adit_store_key(arena, index) != packed && ++tries < VERSION_TRIES);
    return 0;
}

uint16_t adit_chunk_voxel(const struct adit_chunk_view *view, uint32_t x, uint32_t y, uint32_t z)
{
    return adit_decode_voxel_within(view->block, view->bytes, x, y, z);
}

void adit_chunk_decode(const struct adit_chunk_view *view, uint16_t *voxels)
{
    if (!adit_decode_chunk_within(view->block, view->bytes, voxels))
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
}

bool adit_chunk_is_intact(const struct adit_chunk_view *view)
{
    const struct adit_version *v = view->block;
    return v->bytes == view->bytes && v->version == view->version && adit_encoding_is_sound(v, view->bytes) &&
           adit_encode_hash_within(v, view->bytes) == v->content_hash;
}

int adit_mesh_acquire(struct adit_reader *reader, const struct adit_key *key, struct adit_mesh_view *out)
{
    struct adit_arena *arena = reader->arena;
    uint64_t packed;
    uint32_t index;
    if (!adit_key_try(key, &packed))
        return -ERANGE;
    if (!adit_store_find(arena, packed, &index))
        return -ENOENT;
    if (adit_rcu_is_ousted(reader))
        return -ESTALE;
    uint64_t commit = adit_load_acquire(&arena->entries[index].mesh); /* VIEW:mesh, pairs with MESH:commit */
    struct adit_mesh_places places;
    const struct adit_mesh *m = adit_store_mesh_placed(arena, commit, &places);
    if (m && m->key != packed && adit_store_key(arena, index) != packed)
        return -ENOENT; /* the key was leaving, so its mesh had no quads if it had any; the place is another's */
    if (!m || m->key != packed)
        return damaged(reader, commit);
    out->key = *key;
    out->serial = m->serial;
    out->ref = adit_commit_ref(commit);
    out->quads = (const uint64_t *)(const void *)((const uint8_t *)m + places.quads_at);
    out->block = m;
    memcpy(out->start, places.start, sizeof out->start);
    out->quads_n = places.start[ADIT_MESH_RANGES];
    out->faces = m->faces;
    memcpy(out->bounds_lo, m->bounds_lo, 3);
    memcpy(out->bounds_hi, m->bounds_hi, 3);
    memcpy(out->source, m->source, sizeof out->source);
    out->border_hash = m->border_hash;
    out->bytes = places.bytes;
    out->published_ns = m->published_ns;
    out->source_ns = m->source_ns;
    ADIT_PROBE(acquire_mesh, packed, m->serial);
    return 0;
}

bool adit_mesh_is_intact(const struct adit_mesh_view *view)
{
    const struct adit_mesh *m = view->block;
    return m->serial == view->serial && !memcmp(m->start, view->start, sizeof view->start) &&
           XXH3_64bits_withSeed(view->quads, (size_t)view->quads_n * 8, m->key) == m->content_hash;
}

int adit_pin(struct adit_reader *reader, uint64_t ref, uint32_t *pin)
{
    if (!adit_block_bytes(reader->arena, ref) && !adit_rcu_is_ousted(reader)) /* then it may have named one */
        return adit_fault(-EINVAL, "arena %s: ref %#llx names no block", reader->arena->name, (unsigned long long)ref);
    if (reader->proxied)
        return adit_guest_pin(reader, ref, pin);
    int error = adit_pin_set(reader->arena, ref, pin);
    if (error)
        return error;
    adit_barrier_after_rmw(); /* the pin, then the look: a reclaimer marks, then looks at pins (OUST:mark) */
    if (!adit_rcu_is_ousted(reader))
        return 0;
    (void)adit_pin_clear(reader->arena, *pin);
    return adit_fault(-ESTALE, "arena %s: the section held back too much memory and was ousted; leave it and begin anew",
                      reader->arena->name);
}
int adit_unpin(struct adit_arena *arena, uint32_t pin)
{
    return arena->guest ? adit_guest_unpin(arena, pin) : adit_pin_clear(arena, pin);
}

int adit_keys_each(struct adit_reader *reader, int (*each)(const struct adit_key *key, void *user), void *user)
{
    struct adit_arena *arena = reader->arena;
    int result = 0;
    for (uint32_t i = 0; i < arena->chunks_max && !result; i++) {
        uint64_t packed = adit_store_key(arena, i);
        struct adit_key key = adit_key_unpack(packed);
        if (packed && adit_load_acquire(&arena->entries[i].current))
            result = each(&key, user);
    }
    return result;
}
