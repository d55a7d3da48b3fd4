/* kind_compress.c - adit.compress and adit.decompress, by the libraries of LZ4 and Zstandard (Y. Collet; both BSD).
 *
 * Both libraries ask that their input stays as it is while they read it. What lies in the arena may be written by a peer that has gone mad, so they are given a copy; that
 * takes a twentieth of what they do with it.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4hc.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "runtime/spares.h"

#define LZ4_FAST_MAX 2 /* levels below 3 are the fast way */
#define ZSTD_LEVEL_MAX 19

static struct adit_spares compressors, decompressors; /* of Zstandard: a megabyte each, which is dear to touch anew */

/* What one call works on: a copy of the input, and where the output goes. */
struct job {
    void *from;
    size_t from_bytes;
    void *to;
    size_t to_bytes;
};

static int open_job(const struct adit_task_run *run, uint64_t bytes, struct job *j)
{
    struct adit_kind_io io;
    if (adit_kind_io_open(run, &io) || bytes > io.from_bytes)
        return -EINVAL;
    bytes = bytes ? bytes : io.from_bytes;
    *j = (struct job){malloc(bytes), bytes, io.to, io.to_bytes};
    if (!j->from)
        return -ENOMEM;
    memcpy(j->from, io.from, bytes);
    return 0;
}

static int status_of_zstd(size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_no_error: return 0;
    case ZSTD_error_dstSize_tooSmall: return -ENOSPC;
    case ZSTD_error_memory_allocation: return -ENOMEM;
    default: return -EBADMSG;
    }
}

/* Buffers have at most 16 MiB, so all sizes are ints. */
static int lz4_compress(const struct job *j, int level, size_t *bytes)
{
    int n = level <= LZ4_FAST_MAX ? LZ4_compress_default(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes)
                                  : LZ4_compress_HC(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes, level);
    *bytes = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : -ENOSPC;
}

static int zstd_compress(const struct job *j, int level, size_t *bytes)
{
    ZSTD_CCtx *c = adit_spares_take(&compressors);
    c = c ? c : ZSTD_createCCtx();
    if (!c)
        return -ENOMEM;
    *bytes = ZSTD_compressCCtx(c, j->to, j->to_bytes, j->from, j->from_bytes, level);
    if (!adit_spares_give(&compressors, c))
        ZSTD_freeCCtx(c);
    return status_of_zstd(*bytes);
}

static int lz4_decompress(const struct job *j, size_t *bytes)
{
    int n = LZ4_decompress_safe(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes);
    *bytes = n >= 0 ? (size_t)n : 0;
    return n >= 0 ? 0 : -EBADMSG;
}

static int zstd_decompress(const struct job *j, size_t *bytes)
{
    ZSTD_DCtx *d = adit_spares_take(&decompressors);
    d = d ? d : ZSTD_createDCtx();
    if (!d)
        return -ENOMEM;
    *bytes = ZSTD_decompressDCtx(d, j->to, j->to_bytes, j->from, j->from_bytes);
    if (!adit_spares_give(&decompressors, d))
        ZSTD_freeDCtx(d);
    return status_of_zstd(*bytes);
}

/* Ends the job with what came of it; zeroes behind. */
static int close_job(struct job *j, int status, size_t bytes, void *result, uint32_t *result_bytes)
{
    const struct adit_compress_result r = {status ? 0 : bytes};
    free(j->from);
    if (!status) /* the libraries may have left something behind what they say */
        memset((uint8_t *)j->to + bytes, 0, j->to_bytes - bytes);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}

int adit_kind_compress(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_compress_args a;
    struct job j;
    size_t bytes = 0;
    memcpy(&a, args, sizeof a);
    bool is_lz4 = a.codec == ADIT_CODEC_LZ4;
    if ((!is_lz4 && a.codec != ADIT_CODEC_ZSTD) || a.level < 0 || a.level > (is_lz4 ? LZ4HC_CLEVEL_MAX : ZSTD_LEVEL_MAX))
        return -EINVAL;
    int status = open_job(run, a.bytes, &j);
    if (status)
        return status;
    status = is_lz4 ? lz4_compress(&j, a.level, &bytes) : zstd_compress(&j, a.level ? a.level : ZSTD_CLEVEL_DEFAULT, &bytes);
    return close_job(&j, status, bytes, result, result_bytes);
}

int adit_kind_decompress(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_decompress_args a;
    struct job j;
    size_t bytes = 0;
    memcpy(&a, args, sizeof a);
    if ((a.codec != ADIT_CODEC_LZ4 && a.codec != ADIT_CODEC_ZSTD) || a.zero)
        return -EINVAL;
    int status = open_job(run, a.bytes, &j);
    if (status)
        return status;
    status = a.codec == ADIT_CODEC_LZ4 ? lz4_decompress(&j, &bytes) : zstd_decompress(&j, &bytes);
    return close_job(&j, status, bytes, result, result_bytes);
}
