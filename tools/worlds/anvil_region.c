/* anvil_region.c - every offset is computed in 64 bits and compared with the file's size before it is used; a location
 * can name 2^24 sectors of 4 KiB, 64 GiB, so nothing overflows. */
#include "tools/worlds/anvil_region.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/worlds/anvil_inflate.h"

#define HEAD_BYTES 5
#define HEADER_SECTORS 2

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int adit_anvil_region_init(struct adit_anvil_region *region)
{
    if (region->bytes < (size_t)HEADER_SECTORS * ADIT_REGION_SECTOR_BYTES)
        return -EBADMSG;
    region->claimed = calloc(region->bytes / ADIT_REGION_SECTOR_BYTES / 64 + 1, sizeof(*region->claimed));
    return region->claimed ? 0 : -ENOMEM;
}

void adit_anvil_region_fini(struct adit_anvil_region *region)
{
    free(region->claimed);
    region->claimed = NULL;
}

/* The sectors that hold a span: its head and payload, never beyond the file. */
static void sectors_of(const struct adit_anvil_span *span, uint64_t *first, uint64_t *last)
{
    *first = span->offset_bytes / ADIT_REGION_SECTOR_BYTES;
    *last = (span->offset_bytes + HEAD_BYTES + span->bytes - 1) / ADIT_REGION_SECTOR_BYTES;
}

int adit_anvil_region_find(const struct adit_anvil_region *region, uint32_t slot, struct adit_anvil_span *span,
                           char why[ADIT_REGION_WHY_BYTES])
{
    const uint32_t location = big_endian(region->data + 4 * slot);
    const uint32_t sector = location >> 8, sectors = location & 255;
    *span = (struct adit_anvil_span){.offset_bytes = (uint64_t)sector * ADIT_REGION_SECTOR_BYTES};
    if (location == 0)
        return 0;
    if (sector < HEADER_SECTORS || sectors == 0) {
        snprintf(why, ADIT_REGION_WHY_BYTES, "its location is damaged (sector %u, %u sectors)", sector, sectors);
        return -EBADMSG;
    }
    if (span->offset_bytes + HEAD_BYTES > region->bytes) {
        snprintf(why, ADIT_REGION_WHY_BYTES, "it lies beyond the end of the file (sector %u)", sector);
        return -EBADMSG;
    }
    const uint8_t *head = region->data + span->offset_bytes;
    const uint64_t length = big_endian(head), left = region->bytes - span->offset_bytes - HEAD_BYTES;
    if (length == 0 || length - 1 > left) {
        snprintf(why, ADIT_REGION_WHY_BYTES, "its length is %llu bytes where the file has %llu more",
                 (unsigned long long)length, (unsigned long long)left + 1);
        return -EBADMSG;
    }
    span->payload = head + HEAD_BYTES;
    span->bytes = (size_t)length - 1;
    span->compression = head[4] & (uint8_t)~ADIT_ANVIL_EXTERNAL;
    span->external = head[4] & ADIT_ANVIL_EXTERNAL;
    span->overlong = length + 4 > (uint64_t)sectors * ADIT_REGION_SECTOR_BYTES;
    uint64_t first, last;
    sectors_of(span, &first, &last);
    for (uint64_t s = first; s <= last; s++) /* at most as many as the file has */
        if (region->claimed[s / 64] >> (s % 64) & 1) {
            snprintf(why, ADIT_REGION_WHY_BYTES, "it lies over another column (sector %llu)", (unsigned long long)s);
            return -EBADMSG;
        }
    return 1;
}

void adit_anvil_region_claim(struct adit_anvil_region *region, const struct adit_anvil_span *span)
{
    uint64_t first, last;
    sectors_of(span, &first, &last);
    for (uint64_t s = first; s <= last; s++)
        region->claimed[s / 64] |= 1ull << (s % 64);
}
