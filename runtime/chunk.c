/* chunk.c - producing: put, loan, prepare, publish, discard, edit, remove (adit.h). All end in publish.h's one commit. */
#include <errno.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/encoding.h"
#include "runtime/material.h"
#include "runtime/params.h"
#include "runtime/placement.h"
#include "runtime/publish.h"
#include "runtime/scratch.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"

#define EDIT_TRIES_MAX 64u

static int check_producer(const struct adit_arena *arena, const struct adit_put_params *params)
{
    int error = params ? adit_params_check("adit_chunk_*", params->size, sizeof *params) : 0;
    return error || arena->role == ADIT_ROLE_PRODUCER
               ? error
               : adit_fault(-EROFS, "arena %s: this process may only read; attach as a producer", arena->name);
}

static struct adit_expected expected_of(const struct adit_put_params *params)
{
    uint64_t wanted = params ? params->if_version : 0;
    return (struct adit_expected){.exactly = wanted != 0, .version = wanted == ADIT_VERSION_NONE ? 0 : wanted};
}

static uint64_t *version_of(const struct adit_put_params *params) { return params ? params->version : NULL; }

static void set_renewable(struct adit_version *v, const struct adit_put_params *params)
{
    v->summary = (uint8_t)((v->summary & ~ADIT_SUM_RENEWABLE) | (params && params->renewable ? ADIT_SUM_RENEWABLE : 0));
}

/* Encodes voxels into a block of their own. */
static int encode(struct adit_arena *arena, struct adit_scratch *s, uint64_t packed, const uint16_t *voxels, const struct adit_put_params *params, uint64_t *ref)
{
    const uint8_t *classes = adit_classes_enter(arena);
    size_t bytes = 0;
    if (!classes)
        return -ENOMEM;
    int error = adit_encode_plan(s->plan, voxels, classes, &bytes);
    if (!error)
        error = adit_block_alloc(arena, bytes, adit_placement_of(arena, packed), ref);
    if (!error) {
        struct adit_version *v = adit_arena_at(arena, *ref, bytes);
        adit_encode_write(s->plan, v);
        set_renewable(v, params);
        adit_encode_seal(v, bytes, packed);
    }
    adit_classes_exit(arena);
    return error;
}

/* What one call needs; 0 or negative errno with nothing taken. */
static int begin(struct adit_arena *arena, const struct adit_key *key, const struct adit_put_params *params,
                 uint64_t *packed, struct adit_scratch **scratch)
{
    int error = check_producer(arena, params);
    if (!error)
        error = adit_key_pack(key, packed);
    return error ? error : adit_scratch_borrow(arena, scratch);
}

/* Publishes the block at ref for the key; where the store has no place for it, those of removed chunks are looked through. On failure the block is still on loan. */
static int publish(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint32_t *index, uint64_t ref, const struct adit_expected *expected, uint64_t *version)
{
    int error = adit_publish_version(arena, reader, packed, index, ref, expected, version);
    if (error == -ENOSPC) { /* again in any case: its detail says what is the matter */
        adit_tombstones_make_room(arena, packed);
        error = adit_publish_version(arena, reader, packed, index, ref, expected, version);
    }
    return error;
}

/* The same, or frees it. */
static int publish_or_free(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint64_t ref,
                           const struct adit_expected *expected, uint64_t *version)
{
    uint32_t index = ADIT_STORE_NONE;
    int error = publish(arena, reader, packed, &index, ref, expected, version);
    if (error)
        adit_block_free(arena, ref);
    return error;
}

int adit_chunk_put(struct adit_arena *arena, const struct adit_key *key, const uint16_t *voxels,
                   const struct adit_put_params *params)
{
    uint64_t packed, ref = 0, begin_ns = adit_metrics_are_on(arena) ? adit_clock_ns() : 0;
    struct adit_scratch *s;
    struct adit_expected expected = expected_of(params);
    int error = begin(arena, key, params, &packed, &s);
    if (error)
        return error;
    error = encode(arena, s, packed, voxels, params, &ref);
    if (!error)
        error = publish_or_free(arena, s->reader, packed, ref, &expected, version_of(params));
    adit_scratch_give_back(arena, s);
    if (begin_ns && !error)
        adit_record(arena, ADIT_HISTOGRAM_PUT_NS, adit_clock_ns() - begin_ns, 1);
    return error;
}

int adit_chunk_loan(struct adit_arena *arena, const struct adit_key *key, struct adit_loan *loan)
{
    uint64_t packed;
    *loan = (struct adit_loan){.key = *key};
    int error = check_producer(arena, NULL);
    if (!error)
        error = adit_key_pack(key, &packed);
    if (!error)
        error = adit_store_foresee(arena, packed, &loan->index); /* looked up now: publishing is what must be quick */
    if (error == -ENOSPC) {
        adit_tombstones_make_room(arena, packed);
        error = adit_store_foresee(arena, packed, &loan->index);
    }
    if (!error)
        error = adit_block_alloc(arena, adit_encode_dense_bytes(), adit_placement_of(arena, packed), &loan->ref);
    if (error)
        return error;
    uint8_t *block = adit_arena_at(arena, loan->ref, adit_encode_dense_bytes());
    loan->voxels = (uint16_t *)(void *)(block + adit_encode_dense_voxels_at());
    return 0;
}

int adit_chunk_prepare(struct adit_arena *arena, struct adit_loan *loan)
{
    uint64_t packed;
    int error = check_producer(arena, NULL);
    if (!error)
        error = adit_key_pack(&loan->key, &packed);
    if (error)
        return error;
    struct adit_version *v = loan->ref ? adit_arena_at(arena, loan->ref, adit_encode_dense_bytes()) : NULL;
    if (!v || !adit_block_is_loaned(arena, loan->ref))
        return adit_fault(-EINVAL, "arena %s: nothing is on loan", arena->name);
    const uint8_t *classes = adit_classes_enter(arena);
    if (!classes)
        return -ENOMEM;
    adit_encode_dense_finish(v, classes);
    adit_classes_exit(arena);
    adit_encode_seal(v, adit_encode_dense_bytes(), packed);
    loan->prepared = true;
    return 0;
}

int adit_chunk_publish(struct adit_arena *arena, struct adit_loan *loan, const struct adit_put_params *params)
{
    struct adit_expected expected = expected_of(params);
    uint64_t packed;
    int error = check_producer(arena, params);
    if (!error && !loan->prepared)
        error = adit_chunk_prepare(arena, loan);
    if (!error)
        error = adit_key_pack(&loan->key, &packed);
    if (error)
        return error;
    if (!loan->ref || (loan->index != ADIT_STORE_NONE && loan->index >= arena->chunks_max))
        return adit_fault(-EINVAL, "arena %s: nothing is on loan", arena->name);
    struct adit_version *v = adit_arena_at(arena, loan->ref, adit_encode_dense_bytes());
    if (v && adit_block_is_loaned(arena, loan->ref) && (params && params->renewable) != !!(v->summary & ADIT_SUM_RENEWABLE)) { /* prepare did not know */
        set_renewable(v, params);
        adit_encode_seal(v, adit_encode_dense_bytes(), packed);
    }
    struct adit_reader *reader;
    error = adit_rcu_borrow(arena, &reader);
    if (error)
        return error;
    error = publish(arena, reader, packed, &loan->index, loan->ref, &expected, version_of(params));
    adit_rcu_give_back(arena, reader);
    if (!error)
        *loan = (struct adit_loan){0};
    return error;
}

void adit_chunk_discard(struct adit_arena *arena, struct adit_loan *loan)
{
    if (loan->ref)
        adit_block_free(arena, loan->ref);
    *loan = (struct adit_loan){0};
}

/* Reads the key's current version into voxels and says which it is (0: none); air if there is none, or it was removed: *is_gone. */
static int read_current(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint16_t *voxels,
                        uint64_t *version, bool *is_gone)
{
    int error = 0;
    uint32_t bytes, index;
    uint64_t commit;
    adit_rcu_enter(reader);
    const struct adit_version *v = adit_store_current(arena, packed, &index, &commit, &bytes);
    *is_gone = !commit || (v && v->encoding == ADIT_ENC_REMOVED);
    *version = v && *is_gone ? v->version : commit ? adit_store_number(&arena->entries[index], commit) : 0; /* of one that is gone by itself: its entry may be another's by now */
    if (*is_gone)
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    else if (!v || v->version != *version || !adit_decode_chunk_within(v, bytes, voxels)) /* a wrong number would be -EAGAIN 64 times */
        error = adit_fault(-EBADMSG, "arena %s: the current version of the chunk is damaged", arena->name);
    return adit_rcu_exit(reader) ? error : -EAGAIN; /* ousted: read it again */
}

/* Applies edits; true when any changed a voxel. */
static bool apply(uint16_t *voxels, const struct adit_voxel_edit *edits, size_t n)
{
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        uint16_t *v = &voxels[((edits[i].z & 63u) * 64 + (edits[i].y & 63u)) * 64 + (edits[i].x & 63u)]; /* the caller may change them yet */
        changed |= *v != edits[i].material;
        *v = edits[i].material;
    }
    return changed;
}

static int check_edits(const struct adit_arena *arena, const struct adit_voxel_edit *edits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((edits[i].x | edits[i].y | edits[i].z) > 63)
            return adit_fault(-ERANGE, "arena %s: edit %zu is of voxel (%u,%u,%u); a chunk has 0 to 63 on each axis", arena->name, i,
                              edits[i].x, edits[i].y, edits[i].z);
    return 0;
}

static int edit_once(struct adit_arena *arena, struct adit_scratch *s, uint64_t packed, const struct adit_voxel_edit *edits, size_t n,
                     const struct adit_put_params *params)
{
    struct adit_expected expected = {.exactly = true};
    uint64_t ref;
    bool is_gone;
    int error = read_current(arena, s->reader, packed, s->voxels, &expected.version, &is_gone);
    const struct adit_expected wanted = expected_of(params);
    if (!error && wanted.exactly && wanted.version != expected.version && (wanted.version || !is_gone))
        return adit_fault(-ESTALE, "arena %s: the chunk's current version is not the expected one", arena->name);
    if (!error && !apply(s->voxels, edits, n)) {
        if (version_of(params))
            *params->version = expected.version;
        return 0;
    }
    if (!error)
        error = encode(arena, s, packed, s->voxels, params, &ref);
    if (error)
        return error;
    error = publish_or_free(arena, s->reader, packed, ref, &expected, version_of(params));
    return error == -ESTALE && !(params && params->if_version) ? -EAGAIN : error;
}

int adit_chunk_edit(struct adit_arena *arena, const struct adit_key *key, const struct adit_voxel_edit *edits, size_t n,
                    const struct adit_put_params *params)
{
    uint64_t packed;
    struct adit_scratch *s;
    int error = check_edits(arena, edits, n);
    if (!error)
        error = begin(arena, key, params, &packed, &s);
    if (error)
        return error;
    error = -EAGAIN;
    for (uint32_t i = 0; i < EDIT_TRIES_MAX && error == -EAGAIN; i++)
        error = edit_once(arena, s, packed, edits, n, params);
    adit_scratch_give_back(arena, s);
    if (!error) {
        adit_add_relaxed(&arena->self->edits, n);
        adit_count(arena, ADIT_COUNT_CHUNKS_EDITED, 1);
    }
    return error;
}

int adit_chunk_remove(struct adit_arena *arena, const struct adit_key *key, const struct adit_put_params *params)
{
    uint64_t packed, ref, commit;
    uint32_t index = ADIT_STORE_NONE, bytes;
    struct adit_expected expected = expected_of(params);
    int error = check_producer(arena, params);
    if (!error)
        error = adit_key_pack(key, &packed);
    if (error)
        return error;
    struct adit_reader *reader;
    error = adit_rcu_borrow(arena, &reader);
    if (error)
        return error;
    adit_rcu_enter(reader);
    const struct adit_version *current = adit_store_current(arena, packed, &index, &commit, &bytes);
    bool is_there = current && current->encoding != ADIT_ENC_REMOVED;
    is_there |= !adit_rcu_exit(reader); /* ousted: then it had a version, and another removal does no harm */
    error = is_there ? adit_block_alloc(arena, sizeof(struct adit_version), adit_placement_of(arena, packed), &ref)
                     : adit_fault(-ENOENT, "arena %s: chunk (%d,%d,%d) has no version", arena->name, key->x, key->y, key->z);
    if (error == -ENOMEM || error == -ENOSPC) /* a full arena can be relieved: the heap is for this, too, and what is removed gives memory back */
        error = adit_block_alloc(arena, sizeof(struct adit_version), ADIT_BLOCK_HEAP, &ref);
    if (!error) {
        struct adit_version *v = adit_arena_at(arena, ref, sizeof *v);
        adit_encode_removed(v);
        adit_encode_seal(v, sizeof *v, packed);
        error = publish(arena, reader, packed, &index, ref, &expected, version_of(params));
        if (error)
            adit_block_free(arena, ref);
    }
    adit_rcu_give_back(arena, reader);
    return error;
}
