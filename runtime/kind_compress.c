/* kind_compress.c - adit.compress and adit.decompress, by the libraries of LZ4 and Zstandard (Y. Collet; both BSD).
 *
 * Both libraries ask that their input stays as it is while they read it. What lies in the arena may be written by a peer that has gone mad, so they are given a copy; that
 * takes a twentieth of what they do with it.
 *
 * What is long is done in slices, with a look in between whether it shall stop. Of Zstandard that is its streams. A stream of LZ4 gives a block a slice, each of which refers to those
 * before it, and these are joined to one (LZ4 Block Format Description, lz4/doc/lz4_Block_format.md): a block is sequences of literals and a match, the last without one, so the literals at a
 * block's end go before those with which the next begins. Offsets of matches count from where they are, so nothing else changes.
 *
 *     block of slice 1   [2 literals, match] [5 literals, match] [6 literals]         its last match ends 5 bytes or more before its end, as the format wants it of the whole, so
 *     block of slice 2                                 [3 literals, match] [8 literals]     the last slice may be as short as it likes
 *     joined             [2 literals, match] [5 literals, match] [9 literals, match] [8 literals]
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
#define LZ4_LITERALS 15 /* of a token: as many, and more follow */
#define LZ4_SLICE_FAST (1u << 20) /* as is fast enough: joining takes time, too */
#define LZ4_SLICE_HC (1u << 16)
#define ZSTD_LEVEL_MAX 19
#define ZSTD_SLICE (1u << 17) /* a block of Zstandard at its largest: it does nothing before it has one */
#define ZSTD_WHOLE (1u << 20) /* as is fast enough, and saves what its streams copy: at levels to its own, and back */

static struct adit_spares compressors, decompressors; /* of Zstandard: a megabyte each, and the window of what is long, which is dear to touch anew */

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

/* What is joined. */
struct join {
    uint8_t *to, *end;     /* where it goes on, and the end of the room */
    const uint8_t *anchor; /* of the input: what lies before is written */
};

/* What a token's four bits say, and the bytes behind it if they are all set. The block was made by the library in this process's own memory. */
static size_t get_length(const uint8_t **at, size_t n)
{
    uint8_t more = n == LZ4_LITERALS ? 255 : 0;
    while (more == 255)
        n += more = *(*at)++;
    return n;
}

static void put(struct join *j, const uint8_t *from, size_t bytes)
{
    memcpy(j->to, from, bytes);
    j->to += bytes;
}

/* A token, and as literals the input from anchor to until. False: there is no room. */
static bool put_literals(struct join *j, const uint8_t *until, uint8_t match)
{
    size_t n = (size_t)(until - j->anchor), rest = n - LZ4_LITERALS, more = n >= LZ4_LITERALS ? 1 + rest / 255 : 0;
    if ((size_t)(j->end - j->to) < 1 + more + n)
        return false;
    *j->to++ = (uint8_t)(least(n, LZ4_LITERALS) << 4 | match);
    for (; more; more--, rest -= 255)
        *j->to++ = (uint8_t)(more > 1 ? 255 : rest);
    put(j, j->anchor, n);
    j->anchor = until;
    return true;
}

/* The block of the slice from begin to end, but for its last literals. */
static bool put_block(struct join *j, const uint8_t *block, size_t bytes, const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = block, *const ends = block + bytes;
    uint8_t token = *at++;
    size_t literals = get_length(&at, token >> 4);
    at += literals;
    if (at == ends)
        return true; /* nothing but literals: they go with the next */
    if (!put_literals(j, begin + literals, token & 15))
        return false;
    const uint8_t *from = at, *last;
    do {
        at += 2; /* the match's offset */
        (void)get_length(&at, token & 15);
        last = at;
        token = *at++;
        literals = get_length(&at, token >> 4);
        at += literals;
    } while (at < ends);
    if (j->end - j->to < last - from)
        return false;
    put(j, from, (size_t)(last - from));
    j->anchor = end - literals;
    return true;
}

/* Memory for a stream of either sort, of which there is one. */
struct lz4 {
    LZ4_stream_t *fast;
    LZ4_streamHC_t *hc;
    char *block;
};

static int lz4_slices(const struct adit_task_run *run, const struct job *job, const struct lz4 *l, int level, size_t *bytes)
{
    const uint8_t *const from = job->from;
    const size_t slice = l->hc ? LZ4_SLICE_HC : LZ4_SLICE_FAST;
    const int block_bytes = LZ4_compressBound((int)slice);
    struct join j = {job->to, (uint8_t *)job->to + job->to_bytes, from};
    if (l->hc)
        LZ4_resetStreamHC_fast(l->hc, level);
    for (size_t begin = 0, n; begin < job->from_bytes; begin += n) {
        const char *at = (const char *)from + begin;
        n = least(slice, job->from_bytes - begin);
        if (adit_task_should_stop(run))
            return -ECANCELED;
        int got = l->hc ? LZ4_compress_HC_continue(l->hc, at, l->block, (int)n, block_bytes) : LZ4_compress_fast_continue(l->fast, at, l->block, (int)n, block_bytes, 1);
        if (got <= 0)
            return -ENOMEM; /* there is room, so it is not that */
        if (!put_block(&j, (const uint8_t *)l->block, (size_t)got, from + begin, from + begin + n))
            return -ENOSPC;
        adit_task_progress(run, begin + n);
    }
    if (!put_literals(&j, from + job->from_bytes, 0))
        return -ENOSPC;
    *bytes = (size_t)(j.to - (uint8_t *)job->to);
    return 0;
}

/* Buffers have at most 16 MiB, so all sizes are ints. */
static int lz4_compress_whole(const struct job *j, int level, size_t *bytes)
{
    int n = level <= LZ4_FAST_MAX ? LZ4_compress_default(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes)
                                  : LZ4_compress_HC(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes, level);
    *bytes = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : -ENOSPC;
}

static int lz4_compress(const struct adit_task_run *run, const struct job *j, int level, size_t *bytes)
{
    bool is_fast = level <= LZ4_FAST_MAX;
    size_t slice = is_fast ? LZ4_SLICE_FAST : LZ4_SLICE_HC;
    if (j->from_bytes <= slice)
        return lz4_compress_whole(j, level, bytes);
    struct lz4 l = {is_fast ? LZ4_createStream() : NULL, is_fast ? NULL : LZ4_createStreamHC(), malloc((size_t)LZ4_compressBound((int)slice))};
    int status = (l.fast || l.hc) && l.block ? lz4_slices(run, j, &l, level, bytes) : -ENOMEM;
    (void)LZ4_freeStream(l.fast);
    (void)LZ4_freeStreamHC(l.hc);
    free(l.block);
    return status;
}

static int lz4_decompress(const struct job *j, size_t *bytes)
{
    int n = LZ4_decompress_safe(j->from, j->to, (int)j->from_bytes, (int)j->to_bytes);
    *bytes = n >= 0 ? (size_t)n : 0;
    return n >= 0 ? 0 : -EBADMSG;
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
    status = a.codec == ADIT_CODEC_LZ4 ? lz4_decompress(&j, &bytes) : zstd_decompress(run, &j, &bytes);
    return close_job(&j, status, bytes, result, result_bytes);
}
