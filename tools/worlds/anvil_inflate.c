/* anvil_inflate.c - decompression into memory that doubles until the data fit or the limit is reached. Each attempt is
 * charged to the region's budget: what came out, or when none did, the most that could have. */
#include "tools/worlds/anvil_inflate.h"

#include <errno.h>
#include <libdeflate.h>
#include <lz4.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define FIRST_BYTES (1u << 20)
#define DEFLATE_RATIO_MAX 1032 /* no deflate stream makes more bytes of one */

void adit_inflater_fini(struct adit_inflater *inflater)
{
    if (inflater->deflate)
        libdeflate_free_decompressor(inflater->deflate);
    free(inflater->memory);
    *inflater = (struct adit_inflater){0};
}

static int refuse(int error, const char **why, const char *words)
{
    *why = words;
    return error;
}

/* Makes room for bytes of output, keeping none of the old. */
static int reserve(struct adit_inflater *inflater, size_t bytes, const char **why)
{
    if (bytes > ADIT_INFLATE_COLUMN_MAX)
        return refuse(-EFBIG, why, "it decompresses to more than 64 MiB");
    if (inflater->spent_bytes + bytes > ADIT_INFLATE_REGION_MAX)
        return refuse(-EFBIG, why, "the region decompresses to more than 4 GiB");
    if (bytes <= inflater->memory_bytes)
        return 0;
    free(inflater->memory);
    inflater->memory_bytes = 0;
    inflater->memory = malloc(bytes);
    if (!inflater->memory)
        return refuse(-ENOMEM, why, "it does not fit into memory");
    inflater->memory_bytes = bytes;
    return 0;
}

static int inflate_deflate(struct adit_inflater *inflater, bool gzip, const uint8_t *data, size_t bytes,
                           size_t *out_bytes, const char **why)
{
    if (!inflater->deflate && !(inflater->deflate = libdeflate_alloc_decompressor()))
        return refuse(-ENOMEM, why, "it does not fit into memory");
    const uint64_t most = DEFLATE_RATIO_MAX * (uint64_t)bytes + 64;
    size_t room = inflater->memory_bytes ? inflater->memory_bytes : FIRST_BYTES;
    for (;; room *= 2) { /* ends: reserve refuses beyond the limit */
        int error = reserve(inflater, room, why);
        if (error)
            return error;
        enum libdeflate_result result = gzip ? libdeflate_gzip_decompress_ex(inflater->deflate, data, bytes,
                                                                             inflater->memory, room, NULL, out_bytes)
                                             : libdeflate_zlib_decompress_ex(inflater->deflate, data, bytes,
                                                                             inflater->memory, room, NULL, out_bytes);
        inflater->spent_bytes += result == LIBDEFLATE_SUCCESS ? *out_bytes : most < room ? most : room;
        if (result == LIBDEFLATE_SUCCESS)
            return 0;
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
            return refuse(-EBADMSG, why, gzip ? "its gzip stream is damaged" : "its zlib stream is damaged");
    }
}

static uint32_t little_endian(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* One block of lz4-java's stream: "LZ4Block", token (method, level), packed size, plain size, checksum, data. */
#define LZ4_HEAD_BYTES 21
#define LZ4_METHOD_RAW 0x10
#define LZ4_METHOD_LZ4 0x20
#define LZ4_BLOCK_MAX (1u << 25)
#define LZ4_SEED 0x9747b28cu

struct lz4_block {
    uint32_t method, packed_bytes, plain_bytes, checksum;
};

static bool read_lz4_block(const uint8_t *data, size_t bytes, struct lz4_block *block)
{
    if (bytes < LZ4_HEAD_BYTES || memcmp(data, "LZ4Block", 8) != 0)
        return false;
    block->method = data[8] & 0xf0u;
    block->packed_bytes = little_endian(data + 9);
    block->plain_bytes = little_endian(data + 13);
    block->checksum = little_endian(data + 17);
    if (block->packed_bytes > bytes - LZ4_HEAD_BYTES || block->plain_bytes > LZ4_BLOCK_MAX)
        return false;
    return block->method == LZ4_METHOD_LZ4 ||
           (block->method == LZ4_METHOD_RAW && block->packed_bytes == block->plain_bytes);
}

/* The plain size of the whole stream, by its heads alone. Returns 0 or -EBADMSG; -EFBIG beyond the limit. */
static int measure_lz4(const uint8_t *data, size_t bytes, size_t *total, const char **why)
{
    struct lz4_block block;
    *total = 0;
    for (size_t at = 0; at < bytes; at += LZ4_HEAD_BYTES + block.packed_bytes) {
        if (!read_lz4_block(data + at, bytes - at, &block))
            return refuse(-EBADMSG, why, "its LZ4 stream is damaged");
        if (block.plain_bytes == 0) /* the end mark */
            return 0;
        *total += block.plain_bytes;
        if (*total > ADIT_INFLATE_COLUMN_MAX)
            return refuse(-EFBIG, why, "it decompresses to more than 64 MiB");
    }
    return 0;
}

static int inflate_lz4(struct adit_inflater *inflater, const uint8_t *data, size_t bytes, size_t *out_bytes,
                       const char **why)
{
    size_t total;
    int error = measure_lz4(data, bytes, &total, why);
    if (!error)
        error = reserve(inflater, total ? total : 1, why);
    if (error)
        return error;
    inflater->spent_bytes += total;
    struct lz4_block block;
    size_t done = 0;
    for (size_t at = 0; at < bytes && done < total; at += LZ4_HEAD_BYTES + block.packed_bytes) {
        read_lz4_block(data + at, bytes - at, &block); /* measured: sound */
        const uint8_t *packed = data + at + LZ4_HEAD_BYTES;
        uint8_t *plain = inflater->memory + done;
        bool sound = true;
        if (block.method == LZ4_METHOD_RAW)
            memcpy(plain, packed, block.plain_bytes);
        else
            sound = LZ4_decompress_safe((const char *)packed, (char *)plain, (int)block.packed_bytes,
                                        (int)block.plain_bytes) == (int)block.plain_bytes;
        /* lz4-java keeps 28 bits of the checksum. */
        if (!sound || (XXH32(plain, block.plain_bytes, LZ4_SEED) & 0x0fffffffu) != block.checksum)
            return refuse(-EBADMSG, why, "its LZ4 stream is damaged");
        done += block.plain_bytes;
    }
    *out_bytes = done;
    return 0;
}

int adit_inflate(struct adit_inflater *inflater, uint32_t compression, const uint8_t *data, size_t bytes,
                 const uint8_t **out, size_t *out_bytes, const char **why)
{
    int error;
    *out = NULL;
    *out_bytes = 0;
    switch (compression) {
    case ADIT_ANVIL_GZIP:
    case ADIT_ANVIL_ZLIB:
        error = inflate_deflate(inflater, compression == ADIT_ANVIL_GZIP, data, bytes, out_bytes, why);
        break;
    case ADIT_ANVIL_LZ4:
        error = inflate_lz4(inflater, data, bytes, out_bytes, why);
        break;
    case ADIT_ANVIL_PLAIN:
        *out = data;
        *out_bytes = bytes;
        return 0;
    default:
        return refuse(-EINVAL, why, "its compression is not gzip, zlib, none or LZ4");
    }
    if (!error)
        *out = inflater->memory;
    return error;
}
