/* encoding_tile.c - the loops over voxels, compiled once for each instruction set (runtime/build.ninja says which).
 *
 * A loop goes over vectors of ADIT_LANES voxels. What decides the cost of a set is how often a vector leaves the straight
 * path: it does so only for a material that neither the row before nor the last few finds hold.
 */
#include "runtime/encoding_tile.h"

#include "runtime/encoding_lanes.h"

#define ROW ADIT_TILE_ROW
#define RECENT_FEW 4u
#define RECENT_MAX 8u
#define SEARCH_ROWS 15u /* at a time; all rows but the first are 17 times as many */

/* ---- strips ----------------------------------------------------------------------------------------------------- */

static uint32_t strip_scan(const uint16_t *strip, uint16_t *low, uint16_t *high)
{
    adit_lanes first[ADIT_STRIP_TILES], differs[ADIT_STRIP_TILES] = {{0}};
    uint32_t uniform = 0;
    for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++)
        first[b] = adit_lanes_all(strip[b * ROW]);
    for (uint32_t z = 0; z < 16; z++) {
        for (uint32_t y = 0; y < 16; y++) {
            const uint16_t *row = strip + z * 4096 + y * 64;
#pragma GCC unroll 4
            for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++)
#pragma GCC unroll 2
                for (uint32_t x = 0; x < ROW; x += ADIT_LANES)
                    differs[b] |= adit_lanes_load(row + b * ROW + x) ^ first[b];
            low[z * 64 + y] = row[0];
            high[z * 64 + y] = row[63];
        }
    }
    for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++)
        uniform |= (uint32_t)adit_lanes_hold(differs[b] == 0) << b;
    return uniform;
}

static void strip_gather(const uint16_t *strip, uint32_t which, uint16_t *tiles)
{
    uint32_t wanted[ADIT_STRIP_TILES], n = 0;
    for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++)
        if (which >> b & 1)
            wanted[n++] = b;
    for (uint32_t z = 0; z < 16; z++)
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t y = 0; y < 16; y++)
                memcpy(tiles + wanted[i] * ADIT_TILE_VOXELS + (z * 16 + y) * ROW,
                       strip + z * 4096 + y * 64 + wanted[i] * ROW, ROW * 2);
}

static void strip_scatter(uint16_t *strip, const uint16_t *const tile[ADIT_STRIP_TILES],
                          const uint32_t step[ADIT_STRIP_TILES])
{
    const uint16_t *from[ADIT_STRIP_TILES] = {tile[0], tile[1], tile[2], tile[3]};
    for (uint32_t z = 0; z < 16; z++) {
        for (uint32_t y = 0; y < 16; y++) {
            uint16_t *row = strip + z * 4096 + y * 64;
#pragma GCC unroll 4
            for (uint32_t b = 0; b < ADIT_STRIP_TILES; b++) {
                memcpy(row + b * ROW, from[b], ROW * 2);
                from[b] += step[b];
            }
        }
    }
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

/* What a search knows: the set so far, not yet sorted (lanes beyond n repeat material[0]), and the last finds. */
struct search {
    struct adit_tile_set *set;
    adit_lanes recent[RECENT_MAX];
    uint32_t oldest;
};

static void set_add(struct adit_tile_set *set, uint16_t material)
{
    adit_signed_lanes found = {0};
    for (uint32_t i = 0; i < ADIT_TILE_SET_MAX; i += ADIT_LANES)
        found |= adit_lanes_load(set->material + i) == adit_lanes_all(material);
    if (adit_lanes_bits(found))
        return;
    if (set->n < ADIT_TILE_SET_MAX)
        set->material[set->n++] = material;
    else
        set->n = ADIT_TILE_MANY;
}

static void set_sort(struct adit_tile_set *set)
{
    for (uint32_t i = 1; i < set->n; i++) {
        uint16_t m = set->material[i];
        uint32_t to = i;
        for (; to > 0 && set->material[to - 1] > m; to--)
            set->material[to] = set->material[to - 1];
        set->material[to] = m;
    }
}

/* Adds the voxels of a vector that are not known; they replace the oldest of the n recent finds. */
static void search_add(struct search *s, const uint16_t *at, adit_signed_lanes known, uint32_t n)
{
    adit_lanes v = adit_lanes_load(at);
    uint32_t unknown = ~adit_lanes_bits(known) & ADIT_LANES_BITS;
    while (unknown && s->set->n != ADIT_TILE_MANY) { /* each turn clears at least the lowest bit */
        uint16_t material = at[__builtin_ctz(unknown)];
        adit_lanes m = adit_lanes_all(material);
        set_add(s->set, material);
        s->recent[s->oldest++ % n] = m;
        unknown &= unknown - 1;
        unknown &= ~adit_lanes_bits(v == m);
    }
}

/* Some rows, each against the row before and the n recent finds. */
ADIT_LANES_INLINE void search_rows(struct search *s, const uint16_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < SEARCH_ROWS * ROW; i += ADIT_LANES) {
        adit_lanes v = adit_lanes_load(at + i);
        adit_signed_lanes known = v == adit_lanes_load(at + i - ROW);
#pragma GCC unroll 8
        for (uint32_t r = 0; r < n; r++)
            known |= v == s->recent[r];
        if (!adit_lanes_hold(known))
            search_add(s, at + i, known, n);
    }
}

static void materials(const uint16_t *tile, struct adit_tile_set *set)
{
    struct search s = {.set = set};
    set->n = 1;
    for (uint32_t i = 0; i < ADIT_TILE_SET_MAX; i++)
        set->material[i] = tile[0];
    for (uint32_t i = 0; i < RECENT_MAX; i++)
        s.recent[i] = adit_lanes_all(tile[0]);
    for (uint32_t x = 0; x < ROW; x += ADIT_LANES)
        search_add(&s, tile + x, adit_lanes_load(tile + x) == s.recent[0], RECENT_FEW);
    for (uint32_t at = ROW; at < ADIT_TILE_VOXELS && set->n != ADIT_TILE_MANY; at += SEARCH_ROWS * ROW)
        search_rows(&s, tile + at, set->n <= RECENT_FEW ? RECENT_FEW : RECENT_MAX);
    if (set->n != ADIT_TILE_MANY)
        set_sort(set);
}

/* ---- masks ------------------------------------------------------------------------------------------------------ */

static uint32_t members_load(adit_lanes *member, const uint16_t *material, uint32_t n)
{
    n = n < ADIT_TILE_SET_MAX ? n : ADIT_TILE_SET_MAX;
    for (uint32_t i = 0; i < n; i++)
        member[i] = adit_lanes_all(material[i]);
    return n;
}

ADIT_LANES_INLINE adit_signed_lanes lanes_members(adit_lanes v, const adit_lanes *member, uint32_t n)
{
    adit_signed_lanes is = v == member[0];
    for (uint32_t i = 1; i < n; i++)
        is |= v == member[i];
    return is;
}

ADIT_LANES_INLINE uint32_t mask_all(const uint16_t *tile, const adit_lanes *member, uint32_t n, bool invert,
                                    uint8_t *out)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 64) {
        uint64_t word = 0;
#pragma GCC unroll 4
        for (uint32_t x = 0; x < 64; x += 2 * ADIT_LANES) {
            adit_signed_lanes first = lanes_members(adit_lanes_load(tile + i + x), member, n);
            adit_signed_lanes second = lanes_members(adit_lanes_load(tile + i + x + ADIT_LANES), member, n);
            word |= (uint64_t)adit_lanes_bits2(first, second) << x;
        }
        word ^= invert ? UINT64_MAX : 0;
        memcpy(out + i / 8, &word, sizeof word);
        set += (uint32_t)__builtin_popcountll(word);
    }
    return set;
}

static uint32_t mask(const uint16_t *tile, const uint16_t *material, uint32_t n, bool invert, uint8_t *out)
{
    adit_lanes member[ADIT_TILE_SET_MAX];
    n = members_load(member, material, n);
    switch (n) {
    case 0:
        memset(out, invert ? 0xff : 0, ADIT_TILE_VOXELS / 8);
        return invert ? ADIT_TILE_VOXELS : 0;
    case 1:
        return mask_all(tile, member, 1, invert, out);
    case 2:
        return mask_all(tile, member, 2, invert, out);
    default:
        return mask_all(tile, member, n, invert, out);
    }
}

static uint32_t count(const uint16_t *tile, const uint16_t *material, uint32_t n)
{
    adit_lanes member[ADIT_TILE_SET_MAX], counts = {0}; /* at most 512 a lane */
    uint32_t sum = 0;
    n = members_load(member, material, n);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS && n; i += ADIT_LANES)
        counts -= (adit_lanes)lanes_members(adit_lanes_load(tile + i), member, n);
    for (uint32_t i = 0; i < ADIT_LANES; i++)
        sum += counts[i];
    return sum;
}

/* ---- packing ---------------------------------------------------------------------------------------------------- */

/* index = how many of material[1..n) are at most the voxel. Where the set spans less than 256 ids, nearly always, voxels
 * are taken relative to its first and compared as bytes, else as words. Both sides of a comparison are moved by half
 * their range, so that a signed one, which every target has, orders them as unsigned. */
ADIT_LANES_INLINE adit_wide_bytes indices_by_bytes(const uint16_t *at, uint16_t base, const adit_wide_bytes *above,
                                                   uint32_t n)
{
    adit_lanes from = adit_lanes_all(base);
    adit_wide_bytes v = adit_lanes_narrow2(adit_lanes_load(at) - from, adit_lanes_load(at + ADIT_LANES) - from) ^ 0x80;
    adit_signed_wide_bytes index = {0};
#pragma GCC unroll 16
    for (uint32_t i = 1; i < n; i++)
        index -= (adit_signed_wide_bytes)v > (adit_signed_wide_bytes)above[i];
    return (adit_wide_bytes)index;
}

ADIT_LANES_INLINE adit_lanes indices_by_words(const uint16_t *at, const adit_lanes *above, uint32_t n)
{
    adit_signed_lanes v = (adit_signed_lanes)(adit_lanes_load(at) ^ 0x8000), index = {0};
#pragma GCC unroll 16
    for (uint32_t i = 1; i < n; i++)
        index -= v > (adit_signed_lanes)above[i];
    return (adit_lanes)index;
}

/* Indices side by side in a 16-bit lane are moved together, then lanes are narrowed: once for 4 bits, twice for 2. */
ADIT_LANES_INLINE void indices_store(adit_wide_bytes indices, uint32_t bits, uint8_t *out)
{
    adit_lanes pairs = (adit_lanes)indices;
    if (bits == 4) {
        adit_bytes packed = __builtin_convertvector((pairs | pairs >> 4) & 0xff, adit_bytes);
        memcpy(out, &packed, sizeof packed);
    } else {
        adit_pairs fours = (adit_pairs)__builtin_convertvector((pairs | pairs >> 6) & 0xf, adit_bytes);
        adit_half_bytes packed = __builtin_convertvector((fours | fours >> 4) & 0xff, adit_half_bytes);
        memcpy(out, &packed, sizeof packed);
    }
}

ADIT_LANES_INLINE void pack_by_bytes(const uint16_t *tile, const struct adit_tile_set *set, uint32_t n, uint32_t bits,
                                     uint8_t *out)
{
    adit_wide_bytes above[ADIT_TILE_SET_MAX];
    for (uint32_t i = 1; i < n; i++) { /* beyond the set: above any voxel */
        uint8_t least = i < set->n ? (uint8_t)((set->material[i] - set->material[0] - 1) ^ 0x80) : 0x7f;
        above[i] = least - (adit_wide_bytes){0};
    }
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 2 * ADIT_LANES)
        indices_store(indices_by_bytes(tile + i, set->material[0], above, n), bits, out + i * bits / 8);
}

ADIT_LANES_INLINE void pack_by_words(const uint16_t *tile, const struct adit_tile_set *set, uint32_t n, uint32_t bits,
                                     uint8_t *out)
{
    adit_lanes above[ADIT_TILE_SET_MAX];
    for (uint32_t i = 1; i < n; i++)
        above[i] = adit_lanes_all(i < set->n ? (uint16_t)((set->material[i] - 1) ^ 0x8000) : 0x7fff);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 2 * ADIT_LANES)
        indices_store(adit_lanes_narrow2(indices_by_words(tile + i, above, n),
                                         indices_by_words(tile + i + ADIT_LANES, above, n)),
                      bits, out + i * bits / 8);
}

/* n is a constant in each of these, so that its comparisons are laid out one after the other. */
static void pack(const uint16_t *tile, const struct adit_tile_set *set, uint32_t bits, uint8_t *out)
{
    bool bytes = set->material[set->n - 1] - set->material[0] < 256;
    if (bits == 1)
        mask(tile, set->material + 1, set->n - 1, false, out);
    else if (bits == 2 && bytes)
        pack_by_bytes(tile, set, 4, 2, out);
    else if (bits == 2)
        pack_by_words(tile, set, 4, 2, out);
    else if (!bytes)
        pack_by_words(tile, set, 16, 4, out);
    else if (set->n <= 8)
        pack_by_bytes(tile, set, 8, 4, out);
    else if (set->n <= 12)
        pack_by_bytes(tile, set, 12, 4, out);
    else
        pack_by_bytes(tile, set, 16, 4, out);
}

/* ---- unpacking -------------------------------------------------------------------------------------------------- */

static void fill(uint16_t *tile, uint16_t material)
{
    adit_lanes all = adit_lanes_all(material);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += ADIT_LANES)
        memcpy(tile + i, &all, sizeof all);
}

static void unpack_1(uint16_t *tile, const uint16_t *local, const uint8_t *from)
{
    adit_lanes bit, zero = adit_lanes_all(local[0]), change = adit_lanes_all(local[0] ^ local[1]);
    for (uint32_t i = 0; i < ADIT_LANES; i++)
        bit[i] = (uint16_t)(1u << i);
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += ADIT_LANES) {
        uint16_t bits = 0;
        memcpy(&bits, from + i / 8, ADIT_LANES / 8);
        adit_lanes v = zero ^ (change & (adit_lanes)((adit_lanes_all(bits) & bit) == bit));
        memcpy(tile + i, &v, sizeof v);
    }
}

/* A table of what each byte, two or four voxels, means. */
ADIT_LANES_INLINE void unpack_by_table(uint16_t *tile, const uint16_t *local, uint32_t bits, const uint8_t *from)
{
    uint64_t meaning[256];
    for (uint32_t i = 0; i < 256; i++)
        meaning[i] = bits == 4 ? local[i & 15] | (uint64_t)local[i >> 4] << 16
                               : local[i & 3] | (uint64_t)local[i >> 2 & 3] << 16 | (uint64_t)local[i >> 4 & 3] << 32 |
                                     (uint64_t)local[i >> 6] << 48;
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 8 / bits)
        memcpy(tile + i, &meaning[from[i * bits / 8]], 16 / bits);
}

/* Bytes that hold two numbers each, the low one in keep and the high one shift above: twice as many bytes of one. */
ADIT_LANES_INLINE adit_bytes16 bytes_spread(adit_bytes16 v, uint8_t keep, uint32_t shift)
{
    return ADIT_BYTES_LOW_PAIRS(v & keep, v >> (uint8_t)shift & keep);
}

/* Indices as bytes, looked up in the low and the high bytes of local. */
ADIT_LANES_INLINE void unpack_by_lookup(uint16_t *tile, const uint16_t *local, uint32_t bits, const uint8_t *from)
{
    adit_bytes16 low, high;
    for (uint32_t i = 0; i < 16; i++) {
        low[i] = (uint8_t)local[i & ((1u << bits) - 1)];
        high[i] = (uint8_t)(local[i & ((1u << bits) - 1)] >> 8);
    }
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 16) {
        uint64_t word = 0;
        adit_bytes16 v, v_low, v_high;
        memcpy(&word, from + i * bits / 8, 2 * bits);
        v = bytes_spread((adit_bytes16)(adit_words2){word, 0}, 15, 4);
        if (bits == 2)
            v = bytes_spread(v, 3, 2);
        v_low = adit_bytes_lookup(low, v);
        v_high = adit_bytes_lookup(high, v);
        v = ADIT_BYTES_LOW_PAIRS(v_low, v_high);
        memcpy(tile + i, &v, sizeof v);
        v = ADIT_BYTES_HIGH_PAIRS(v_low, v_high);
        memcpy(tile + i + 8, &v, sizeof v);
    }
}

static void unpack_8(uint16_t *tile, const uint16_t *local, const uint8_t *from)
{
#pragma GCC unroll 16
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++)
        tile[i] = local[from[i]];
}

static void unpack(uint16_t *tile, const uint16_t *local, uint32_t bits, const uint8_t *from)
{
    if (bits == 1)
        unpack_1(tile, local, from);
    else if (bits == 2 && ADIT_LANES_LOOKUP)
        unpack_by_lookup(tile, local, 2, from);
    else if (bits == 2)
        unpack_by_table(tile, local, 2, from);
    else if (bits == 4 && ADIT_LANES_LOOKUP)
        unpack_by_lookup(tile, local, 4, from);
    else if (bits == 4)
        unpack_by_table(tile, local, 4, from);
    else
        unpack_8(tile, local, from);
}

const struct adit_tile_kernel ADIT_TILE_KERNEL = {
    .strip_scan = strip_scan,
    .strip_gather = strip_gather,
    .strip_scatter = strip_scatter,
    .materials = materials,
    .pack = pack,
    .mask = mask,
    .count = count,
    .unpack = unpack,
    .fill = fill,
};
