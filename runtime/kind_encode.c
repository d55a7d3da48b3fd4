/* kind_encode.c - adit.encode and adit.decode: the encoding of versions (encoding.h) from buffer to buffer. Both may read what a peer writes meanwhile, as encoding.h says.
 * They are one chunk's, some 0.1 ms (README), so they do not look whether they shall stop. */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"
#include "runtime/material.h"
#include "runtime/scratch.h"

_Static_assert(ADIT_ENCODE_BYTES_MAX == ADIT_ENCODED_BYTES_MAX, "what adit_kinds.h says");

#define VOXELS_BYTES (ADIT_CHUNK_VOXELS * sizeof(uint16_t))

static int encode(struct adit_encode_plan *plan, const uint8_t *classes, const struct adit_kind_io *io, struct adit_encode_result *r)
{
    size_t bytes;
    int error = adit_encode_plan(plan, io->from, classes, &bytes);
    if (error)
        return error;
    *r = (struct adit_encode_result){.bytes = (uint32_t)bytes};
    if (bytes > io->to_bytes)
        return -ENOSPC;
    struct adit_version *v = io->to;
    adit_encode_write(plan, v);
    adit_encode_seal(v, bytes, 0);
    r->encoding = v->encoding;
    r->solid = v->solid;
    return 0;
}

/* With the arena's classes, in a section. */
static int encode_here(struct adit_arena *arena, struct adit_encode_plan *plan, const struct adit_kind_io *io, struct adit_encode_result *r)
{
    const uint8_t *classes = adit_classes_try(arena);
    if (classes) {
        int status = encode(plan, classes, io, r);
        adit_classes_exit(arena);
        return status;
    }
    uint8_t *own = malloc(ADIT_MATERIALS);
    if (!own)
        return -ENOMEM;
    adit_classes_copy(arena, own);
    int status = encode(plan, own, io, r);
    free(own);
    return status;
}

int adit_kind_encode(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_kind_io io;
    struct adit_scratch *scratch;
    struct adit_encode_result r = {0};
    (void)args;
    if (adit_kind_io_open(run, &io) || io.from_bytes < VOXELS_BYTES)
        return -EINVAL;
    int status = adit_scratch_borrow(run->arena, &scratch);
    if (status)
        return status;
    status = encode_here(run->arena, scratch->plan, &io, &r);
    adit_scratch_give_back(run->arena, scratch);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}

int adit_kind_decode(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_kind_io io;
    (void)args;
    (void)result;
    (void)result_bytes;
    if (adit_kind_io_open(run, &io) || io.to_bytes < VOXELS_BYTES)
        return -EINVAL;
    const struct adit_version *v = io.from;
    if (io.from_bytes < sizeof *v || !adit_decode_chunk_within(v, io.from_bytes, io.to) || adit_encode_hash_within(v, io.from_bytes) != v->content_hash)
        return -EBADMSG;
    return 0;
}
