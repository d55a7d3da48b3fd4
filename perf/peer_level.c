/* peer_level.c - see peer_level.h. Every offset is compared with what is left, never added first. */
#include "perf/peer_level.h"

#include <errno.h>

#define VOXELS (64u * 64 * 64)
#define ENTRY_BYTES 12u

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t peer_level_chunks(const uint8_t *level, size_t bytes)
{
    uint32_t chunks = bytes > 0 ? (uint32_t)level[0] * level[0] : 0;
    return chunks > 0 && (bytes - 1) / ENTRY_BYTES >= chunks ? chunks : 0;
}

int peer_level_chunk(const uint8_t *level, size_t bytes, uint32_t i, uint8_t volume[VOXELS])
{
    if (i >= peer_level_chunks(level, bytes))
        return -EBADMSG;
    const uint8_t *entry = level + 1 + (size_t)i * ENTRY_BYTES;
    uint32_t begin = word_at(entry + 4), length = word_at(entry + 8), filled = 0;
    if (begin > bytes || length > bytes - begin || length % 2 != 0)
        return -EBADMSG;
    for (const uint8_t *pair = level + begin; pair != level + begin + length; pair += 2) {
        if (pair[1] > VOXELS - filled)
            return -EBADMSG;
        for (uint32_t n = pair[1]; n > 0; n--, filled++) {
            uint32_t z = filled & 63, x = filled >> 6 & 63, y = filled >> 12;
            volume[(z * 64 + y) * 64 + x] = pair[0];
        }
    }
    return filled == VOXELS ? 0 : -EBADMSG;
}
