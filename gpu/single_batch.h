/* single_batch.h - what batches share whose work is one submission: how much comes back is known before, a piece a chunk, so nothing is ever run again.
 *
 *     struct adit_lod_batch {
 *         struct adit_single_batch single;             first, so that the two functions of its kind find the rest
 *         ...
 *     };
 *     static const struct adit_single_kind kind = {.gpu_kind = ADIT_GPU_LOD, .stamps = 4, ...};
 *     adit_single_batch_open(&b->single, gpu, &kind, chunks_max, bytes, upload_bytes);
 *     adit_single_batch_begin(&b->single);
 *     ... b->single.upload is written, b->single.chunks counted up to chunks_max
 *     adit_single_batch_submit(&b->single);            copy_in, a barrier, run, a barrier, all pieces back
 *     adit_single_batch_wait(&b->single, timeout_ns, ns);
 *     adit_single_batch_piece(&b->single, i);
 *
 * States: filling -> (submit) in flight -> (wait) done, or failed -> (begin) filling. gpu/README.md has the table of who moves a batch on. One thread's at a time.
 */
#ifndef ADIT_SINGLE_BATCH_H
#define ADIT_SINGLE_BATCH_H

#include "gpu/submission.h"

enum adit_single_state { ADIT_SINGLE_FILLING, ADIT_SINGLE_IN_FLIGHT, ADIT_SINGLE_DONE, ADIT_SINGLE_FAILED };

struct adit_single_batch;
struct adit_single_kind {
    enum adit_gpu_kind gpu_kind;
    uint32_t stamps;      /* timestamps: at the begin, after copy_in, those of run, at its end, after the pieces are back */
    uint32_t back;        /* the buffer that is brought back */
    uint32_t piece_bytes; /* of it, a chunk */
    void (*copy_in)(struct adit_single_batch *batch); /* commands: from upload to buffers */
    void (*run)(struct adit_single_batch *batch);     /* commands: the stages */
};

struct adit_single_batch {
    struct adit_gpu *gpu;
    const struct adit_single_kind *kind;
    enum adit_single_state state;
    uint32_t chunks_max, chunks;
    struct adit_gpu_memory buffers[ADIT_GPU_BUFFERS_MAX]; /* as many as the kind has */
    struct adit_gpu_memory upload, readback;
    struct adit_submission submission;
};

/* On zeroes. bytes: of each buffer of the kind, within the device's limit, which callers see to. Blocks while the driver compiles, for the first batch of a device. 0;
 * -ENODEV: its driver does not take the shaders; -ENOMEM; with a line in adit_detail(), and then there is nothing to close. */
int adit_single_batch_open(struct adit_single_batch *out, struct adit_gpu *gpu, const struct adit_single_kind *kind, uint32_t chunks_max,
                           const uint64_t *bytes, uint64_t upload_bytes);
/* As adit_mesh_batch_close, of a device that hangs, too; what was allocated around it stays the caller's. */
void adit_single_batch_close(struct adit_single_batch *batch);

/* False, and nothing done: the device may still read what would be written over. */
bool adit_single_batch_begin(struct adit_single_batch *batch);
/* Whether another chunk can be added now. */
bool adit_single_batch_has_room(const struct adit_single_batch *batch);
/* Does not block. -EIO: the device is lost, hangs or refuses; -EBUSY: it is in flight. */
int adit_single_batch_submit(struct adit_single_batch *batch);
/* Blocks. ns: kind->stamps - 1 times between timestamps, written when 0 is returned after a wait for something that ran. -ETIMEDOUT: still in flight; -EIO. */
int adit_single_batch_wait(struct adit_single_batch *batch, uint64_t timeout_ns, double *ns);
/* What came back of the i-th chunk, until the next begin; NULL: there is no result. */
const void *adit_single_batch_piece(const struct adit_single_batch *batch, uint32_t i);

#endif
