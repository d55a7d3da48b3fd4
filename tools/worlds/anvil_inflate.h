/* anvil_inflate.h - the payload of a chunk column, from its compressed form to NBT.
 *
 * One inflater serves a whole region: its output memory grows to what the largest column needs and is used again. A
 * column may come to ADIT_INFLATE_COLUMN_MAX bytes, all columns of a region to ADIT_INFLATE_REGION_MAX, counting what
 * failed: a file of bombs costs bounded memory and bounded time.
 *
 * Source: minecraft.wiki, "Region file format"; lz4-java, LZ4BlockOutputStream (the framing of compression 4).
 */
#ifndef ADIT_ANVIL_INFLATE_H
#define ADIT_ANVIL_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#define ADIT_INFLATE_COLUMN_MAX (64u << 20)
#define ADIT_INFLATE_REGION_MAX (4ull << 30)

enum adit_anvil_compression {
    ADIT_ANVIL_GZIP = 1,
    ADIT_ANVIL_ZLIB = 2,
    ADIT_ANVIL_PLAIN = 3,
    ADIT_ANVIL_LZ4 = 4,
    ADIT_ANVIL_EXTERNAL = 128 /* flag: the payload is in a .mcc file */
};

struct libdeflate_decompressor;

/* Zero-initialised before first use. */
struct adit_inflater {
    struct libdeflate_decompressor *deflate;
    uint8_t *memory;
    size_t memory_bytes;
    uint64_t spent_bytes; /* of ADIT_INFLATE_REGION_MAX */
};

void adit_inflater_fini(struct adit_inflater *inflater);

/* Decompresses data. *out points into data or into the inflater's memory, valid until the next call. Returns 0; or
 * -EBADMSG damaged, -EFBIG beyond the limits, -EINVAL an unknown compression, -ENOMEM, each with *why, a few words. */
int adit_inflate(struct adit_inflater *inflater, uint32_t compression, const uint8_t *data, size_t bytes,
                 const uint8_t **out, size_t *out_bytes, const char **why);

#endif
