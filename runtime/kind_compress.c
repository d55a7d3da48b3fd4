/* kind_compress.c - adit.compress and adit.decompress, by the libraries of LZ4 and Zstandard (Y. Collet; both BSD).
 *
 * Both libraries ask that their input stays as it is while they read it. What lies in the arena may be written by a peer that has gone mad, so they are given a copy; that
 * takes a twentieth of what they do with it.
 *
 * What is long is done in slices, by both libraries' streams, with a look in between whether it shall stop.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <lz4hc.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "runtime/spares.h"

#define LZ4_FAST_MAX 2 /* levels below 3 are the fast way */
#define LZ4_SLICE_FAST (1u << 20) /* blocks of LZ4 frames: of the fast way, and of the other */
#define LZ4_SLICE_HC (1u << 18)
#define ZSTD_LEVEL_MAX 19
#define ZSTD_SLICE (1u << 17) /* a block of Zstandard at its largest: it does nothing before it has one */
#define ZSTD_WHOLE (1u << 20) /* as is fast enough, and saves what its streams copy: at levels to its own, and back */

static struct adit_spares compressors, decompressors; /* of Zstandard: a megabyte each, and the window of what is long, which is dear to touch anew */
static struct adit_spares lz4_compressors, lz4_decompressors; /* with what they hold of blocks before */

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
    if (adit_task_should_stop(run))
        return -ECANCELED;
    bytes = bytes ? bytes : io.from_bytes;
    *j = (struct job){malloc(bytes), bytes, io.to, io.to_bytes};
    if (!j->from)
        return -ENOMEM;
    memcpy(j->from, io.from, bytes);
    return 0;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* ---- LZ4 ---- */

static int status_of_lz4(size_t code)
{
    return !LZ4F_isError(code) ? 0 : !strcmp(LZ4F_getErrorName(code), "ERROR_allocation_failed") ? -ENOMEM : -EBADMSG; /* by number it is said to static programs alone */
}

/* What was written into the block goes to the output, if it has room. */
static int put(const struct job *j, const uint8_t *block, size_t n, size_t *bytes)
{
    if (LZ4F_isError(n))
        return status_of_lz4(n); /* there is room in the block, so it is not that */
    if (n > j->to_bytes - *bytes)
        return -ENOSPC;
    memcpy((uint8_t *)j->to + *bytes, block, n);
    *bytes += n;
    return 0;
}

/* A slice after the other, by way of a block that has room for whatever may come of one: the library asks for that. */
static int lz4_slices(const struct adit_task_run *run, const struct job *j, LZ4F_cctx *c, uint8_t *block, size_t room, const LZ4F_preferences_t *p, size_t slice, size_t *bytes)
{
    const LZ4F_compressOptions_t stays = {.stableSrc = 1};
    int status = put(j, block, LZ4F_compressBegin(c, block, room, p), bytes);
    for (size_t at = 0, n; at < j->from_bytes && !status; at += n) {
        if (adit_task_should_stop(run))
            return -ECANCELED;
        n = least(slice, j->from_bytes - at);
        status = put(j, block, LZ4F_compressUpdate(c, block, room, (const uint8_t *)j->from + at, n, &stays), bytes);
        adit_task_progress(run, at + n);
    }
    return status ? status : put(j, block, LZ4F_compressEnd(c, block, room, &stays), bytes);
}

static int lz4_compress(const struct adit_task_run *run, const struct job *j, int level, size_t *bytes)
{
    const bool is_fast = level <= LZ4_FAST_MAX;
    const size_t slice = is_fast ? LZ4_SLICE_FAST : LZ4_SLICE_HC;
    const LZ4F_preferences_t p = {.frameInfo = {.blockSizeID = is_fast ? LZ4F_max1MB : LZ4F_max256KB, .contentChecksumFlag = LZ4F_contentChecksumEnabled, .contentSize = j->from_bytes}, .compressionLevel = level, .autoFlush = 1};
    const size_t room = LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(least(slice, j->from_bytes), &p);
    LZ4F_cctx *c = adit_spares_take(&lz4_compressors);
    uint8_t *block = malloc(room);
    *bytes = 0;
    int status = block && (c || !LZ4F_isError(LZ4F_createCompressionContext(&c, LZ4F_VERSION))) ? 0 : -ENOMEM;
    if (!status)
        status = lz4_slices(run, j, c, block, room, &p, slice, bytes);
    free(block);
    if (c && !adit_spares_give(&lz4_compressors, c)) /* the next begin ends what was left in the middle */
        (void)LZ4F_freeCompressionContext(c);
    return status;
}

/* All frames of the input. Once the output is full what follows is given a byte of room, to see whether there is more of it. */
static int lz4_decompress_slices(const struct adit_task_run *run, const struct job *j, LZ4F_dctx *d, size_t *bytes)
{
    uint8_t more;
    for (size_t at = 0;;) { /* bounded by input and room: each round takes, or writes, or is the last */
        if (adit_task_should_stop(run))
            return -ECANCELED;
        bool is_full = *bytes == j->to_bytes;
        size_t in = least(LZ4_SLICE_FAST, j->from_bytes - at), out = is_full ? 1 : least(LZ4_SLICE_FAST, j->to_bytes - *bytes);
        size_t left = LZ4F_decompress(d, is_full ? &more : (uint8_t *)j->to + *bytes, &out, (const uint8_t *)j->from + at, &in, NULL);
        if (LZ4F_isError(left))
            return status_of_lz4(left);
        if (is_full && out)
            return -ENOSPC;
        at += in;
        *bytes += is_full ? 0 : out;
        adit_task_progress(run, *bytes);
        if (at == j->from_bytes && !left)
            return 0;
        if (!in && !out)
            return -EBADMSG; /* it is cut off */
    }
}

static int lz4_decompress(const struct adit_task_run *run, const struct job *j, size_t *bytes)
{
    LZ4F_dctx *d = adit_spares_take(&lz4_decompressors);
    *bytes = 0;
    if (!d && LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
        return -ENOMEM;
    LZ4F_resetDecompressionContext(d);
    int status = lz4_decompress_slices(run, j, d, bytes);
    if (!adit_spares_give(&lz4_decompressors, d))
        (void)LZ4F_freeDecompressionContext(d);
    return status;
}

/* ---- Zstandard ---- */

static int status_of_zstd(size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_no_error: return 0;
    case ZSTD_error_dstSize_tooSmall: return -ENOSPC;
    case ZSTD_error_memory_allocation: return -ENOMEM;
    default: return -EBADMSG;
    }
}

static int zstd_compress_slices(const struct adit_task_run *run, const struct job *j, ZSTD_CCtx *c, int level, size_t *bytes)
{
    ZSTD_inBuffer in = {j->from, 0, 0};
    ZSTD_outBuffer out = {j->to, j->to_bytes, 0};
    (void)ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters); /* these three do not fail of a level that there is, and between two frames */
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setPledgedSrcSize(c, j->from_bytes);
    for (;;) { /* bounded by input and room: each call takes a slice, or writes */
        if (adit_task_should_stop(run))
            return -ECANCELED;
        in.size = least(in.pos + ZSTD_SLICE, j->from_bytes);
        bool is_last = in.size == j->from_bytes;
        size_t left = ZSTD_compressStream2(c, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return status_of_zstd(left);
        adit_task_progress(run, in.pos);
        *bytes = out.pos;
        if (is_last && !left)
            return 0;
        if (out.pos == out.size)
            return -ENOSPC; /* a block is to come, at least */
    }
}

static int zstd_compress(const struct adit_task_run *run, const struct job *j, int level, size_t *bytes)
{
    int status;
    ZSTD_CCtx *c = adit_spares_take(&compressors);
    c = c ? c : ZSTD_createCCtx();
    if (!c)
        return -ENOMEM;
    if (j->from_bytes > (level <= ZSTD_CLEVEL_DEFAULT ? ZSTD_WHOLE : ZSTD_SLICE)) {
        status = zstd_compress_slices(run, j, c, level, bytes);
        (void)ZSTD_CCtx_reset(c, ZSTD_reset_session_only); /* it may have been left in a frame */
    } else {
        *bytes = ZSTD_compressCCtx(c, j->to, j->to_bytes, j->from, j->from_bytes, level);
        status = status_of_zstd(*bytes);
    }
    if (!adit_spares_give(&compressors, c))
        ZSTD_freeCCtx(c);
    return status;
}

/* All frames of the input. Once the output is full what follows is given a byte of room, to see whether there is more of it. */
static int zstd_decompress_slices(const struct adit_task_run *run, const struct job *j, ZSTD_DCtx *d, size_t *bytes)
{
    uint8_t more;
    ZSTD_inBuffer in = {j->from, 0, 0};
    (void)ZSTD_DCtx_reset(d, ZSTD_reset_session_only);
    *bytes = 0;
    for (;;) { /* bounded by input and room: the library ends what does not get on */
        if (adit_task_should_stop(run))
            return -ECANCELED;
        bool is_full = *bytes == j->to_bytes;
        ZSTD_outBuffer out = is_full ? (ZSTD_outBuffer){&more, 1, 0} : (ZSTD_outBuffer){j->to, least(*bytes + ZSTD_SLICE, j->to_bytes), *bytes};
        in.size = least(in.pos + ZSTD_SLICE, j->from_bytes);
        size_t left = ZSTD_decompressStream(d, &out, &in);
        if (ZSTD_isError(left))
            return status_of_zstd(left);
        if (is_full && out.pos)
            return -ENOSPC;
        *bytes = is_full ? *bytes : out.pos;
        adit_task_progress(run, *bytes);
        if (in.pos == j->from_bytes && (!left || out.pos < out.size))
            return left ? -EBADMSG : 0; /* it is cut off */
    }
}

static int zstd_decompress(const struct adit_task_run *run, const struct job *j, size_t *bytes)
{
    int status;
    ZSTD_DCtx *d = adit_spares_take(&decompressors);
    d = d ? d : ZSTD_createDCtx();
    if (!d)
        return -ENOMEM;
    if (j->from_bytes > ZSTD_WHOLE || (j->to_bytes > ZSTD_WHOLE && ZSTD_getFrameContentSize(j->from, j->from_bytes) > ZSTD_WHOLE)) { /* what it does not say is a large number */
        status = zstd_decompress_slices(run, j, d, bytes);
    } else {
        *bytes = ZSTD_decompressDCtx(d, j->to, j->to_bytes, j->from, j->from_bytes);
        status = status_of_zstd(*bytes);
    }
    if (!adit_spares_give(&decompressors, d))
        ZSTD_freeDCtx(d);
    return status;
}

/* ---- the kinds ---- */

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
    status = is_lz4 ? lz4_compress(run, &j, a.level, &bytes) : zstd_compress(run, &j, a.level ? a.level : ZSTD_CLEVEL_DEFAULT, &bytes);
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
    status = a.codec == ADIT_CODEC_LZ4 ? lz4_decompress(run, &j, &bytes) : zstd_decompress(run, &j, &bytes);
    return close_job(&j, status, bytes, result, result_bytes);
}
