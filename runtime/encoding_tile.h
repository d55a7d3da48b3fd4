/* encoding_tile.h - 4096 voxels at a time: what materials they hold, their packed indices and back, their opacity.
 *
 * A tile is u16[4096]: a border plane, or a brick gathered into 8 KiB. Bricks are never worked on where they lie: their
 * rows are 16 slabs of 8 KiB apart, which fall on the same few sets of a first-level cache and push each other out. So
 * the chunk is walked in strips of four bricks (16 x 16 rows of 64 voxels), whose rows are read and written whole.
 *
 * Private to encoding_*.c. Every loop over voxels of encoder and decoder is here, in a set of functions that exists once
 * for each instruction set; all give the same bytes.
 */
#ifndef ADIT_ENCODING_TILE_H
#define ADIT_ENCODING_TILE_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_TILE_VOXELS 4096u
#define ADIT_TILE_ROW 16u
#define ADIT_TILE_SET_MAX 16u
#define ADIT_TILE_MANY (ADIT_TILE_SET_MAX + 1) /* n of a set that holds more than fit */
#define ADIT_STRIP_TILES 4u
#define ADIT_STRIPS 16u

/* Where strip 0..15 starts in a chunk; its bricks are strip * 4 + 0..3. */
static inline uint32_t adit_strip_at(uint32_t strip)
{
    return (strip / 4 * 16 * 64 + strip % 4 * 16) * 64;
}

/* The materials of a tile, ascending; with n == ADIT_TILE_MANY material[] says nothing. */
struct adit_tile_set {
    uint16_t material[ADIT_TILE_SET_MAX];
    uint32_t n;
};

struct adit_tile_kernel {
    /* Copies the first and last voxel of each row of a strip to low and high (slabs 64 apart: the -X and +X planes), and
     * returns bit b set where brick b is uniform. */
    uint32_t (*strip_scan)(const uint16_t *strip, uint16_t *low, uint16_t *high);
    /* Copies the bricks whose bit is set in which to tiles, ADIT_TILE_VOXELS apart; the others' tiles are left alone. */
    void (*strip_gather)(const uint16_t *strip, uint32_t which, uint16_t *tiles);
    /* The other way; row r of brick b is at tile[b] + r * step[b], so a step of 0 repeats one row. */
    void (*strip_scatter)(uint16_t *strip, const uint16_t *const tile[ADIT_STRIP_TILES],
                          const uint32_t step[ADIT_STRIP_TILES]);

    /* The set of a tile; the search ends once there are too many. */
    void (*materials)(const uint16_t *tile, struct adit_tile_set *set);

    /* Packed indices into a set that is not MANY, n at most 2^bits: bits 1, 2 or 4, 512 * bits bytes. */
    void (*pack)(const uint16_t *tile, const struct adit_tile_set *set, uint32_t bits, uint8_t *out);
    /* Bit i set where voxel i is one of material[0..n), or is none with invert; 512 bytes. Returns how many are set. */
    uint32_t (*mask)(const uint16_t *tile, const uint16_t *material, uint32_t n, bool invert, uint8_t *out);
    /* How many voxels are one of material[0..n). */
    uint32_t (*count)(const uint16_t *tile, const uint16_t *material, uint32_t n);

    /* The way back from pack: local has 2^bits entries. bits 8: 256 entries, one byte a voxel. Reads 512 * bits bytes,
     * whatever they are. */
    void (*unpack)(uint16_t *tile, const uint16_t *local, uint32_t bits, const uint8_t *from);
    void (*fill)(uint16_t *tile, uint16_t material);
};

extern const struct adit_tile_kernel adit_tile_portable, adit_tile_avx2;

/* The fastest of this processor (avx2 can be switched off by ADIT_DISABLE). */
const struct adit_tile_kernel *adit_tile_kernel_best(void);
/* The kernel called "portable" or "avx2"; NULL: this processor lacks it, or it is switched off. */
const struct adit_tile_kernel *adit_tile_kernel_named(const char *name);

/* By table, for any number of materials, where vectors do not help. */

/* Sets the bit of each material of a tile in present (65536 bits). */
void adit_tile_mark(const uint16_t *tile, uint64_t *present);
/* 8 bits a voxel: index_of[material] (65536 entries). */
void adit_tile_map(const uint16_t *tile, const uint8_t *index_of, uint8_t *out);
/* Bit i set where voxel i is opaque; adds to *solid how many are not air, to *opaque how many bits are set. */
void adit_tile_mask_by_class(const uint16_t *tile, const uint8_t *classes, uint8_t *out, uint32_t *solid, uint32_t *opaque);

#endif
