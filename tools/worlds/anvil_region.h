/* anvil_region.h - the container of 32 x 32 chunk columns, a .mca file: which bytes are whose.
 *
 *   sector 0    1024 locations, big-endian: 24 bits first sector, 8 bits sectors; 0 is an absent column
 *   sector 1    1024 timestamps; they say nothing of the voxels, so only their presence is checked
 *   sector 2..  the columns: 4 bytes length, 1 byte compression, length - 1 bytes of payload, filled up to a sector
 *
 * A sector has 4096 bytes. Column (x, z) of the region is slot x + 32 z. A sector belongs to one column: the first one
 * that proves sound claims it, a later one that lies over it is refused.
 * Source: minecraft.wiki, "Region file format".
 */
#ifndef ADIT_ANVIL_REGION_H
#define ADIT_ANVIL_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADIT_REGION_COLUMNS 1024
#define ADIT_REGION_SECTOR_BYTES 4096
#define ADIT_REGION_WHY_BYTES 160

/* Zero-initialised, then data and bytes set. */
struct adit_anvil_region {
    const uint8_t *data;
    size_t bytes;
    uint64_t *claimed; /* a bit a sector of the file */
};

struct adit_anvil_span {
    uint64_t offset_bytes; /* of the length word in the file */
    const uint8_t *payload;
    size_t bytes;
    uint8_t compression; /* enum adit_anvil_compression, without the external flag */
    bool external;       /* the payload is in the .mcc file of this column */
    bool overlong;       /* it takes more sectors than its location says */
};

/* Whether the file has the two header sectors. Returns 0, -EBADMSG, or -ENOMEM. */
int adit_anvil_region_init(struct adit_anvil_region *region);
void adit_anvil_region_fini(struct adit_anvil_region *region);

/* Finds the payload of a slot. Returns 1; 0 when the column is absent; -EBADMSG with why, a few words, when its location
 * or its head is damaged or it lies over a claimed column. */
int adit_anvil_region_find(const struct adit_anvil_region *region, uint32_t slot, struct adit_anvil_span *span,
                           char why[ADIT_REGION_WHY_BYTES]);

/* Claims the sectors of a span that was found. */
void adit_anvil_region_claim(struct adit_anvil_region *region, const struct adit_anvil_span *span);

#endif
