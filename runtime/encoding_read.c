/* encoding_read.c - from a block back to materials and masks, and what can be said about a block without that.
 *
 * Nothing here trusts an index: the palette is read through a table of 256 entries, local palettes in tables of as many
 * as their bits can name, and what the block does not fill is material 0. So the places adit_encoding_is_sound looked at
 * are the only ones that could lead outside, and voxels need no checking.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "runtime/encoding_parts.h"
#include "runtime/encoding_tile.h"

/* What is followed of a block: its head and descriptors, copied once, so that a peer who changes them meanwhile leads nowhere. */
struct seen {
    const uint8_t *base;
    struct adit_version head;
    uint32_t bricks[ADIT_BRICKS];
};

static inline const uint8_t *part(const struct seen *s, uint32_t at) { return s->base + at; }

/* A part of n bytes that starts behind the head, on 16 bytes, and ends inside the block. */
static bool part_is_inside(const struct adit_version *v, uint32_t at, uint32_t n)
{
    return at >= ADIT_HEAD_BYTES && at % ADIT_PART_ALIGN == 0 && at <= v->bytes && n <= v->bytes - at;
}

/* Copies; room: bytes that may be looked at. Descriptors outside are 0. */
static void see(struct seen *s, const struct adit_version *v, size_t room)
{
    s->base = (const uint8_t *)v;
    memcpy(&s->head, v, sizeof s->head);
    adit_barrier_compiler(); /* the copy is what is looked at from here on */
    if (s->head.encoding != ADIT_ENC_BRICKS)
        return;
    if (s->head.bytes <= room && part_is_inside(&s->head, s->head.bricks_at, ADIT_BRICKS_BYTES))
        memcpy(s->bricks, part(s, s->head.bricks_at), sizeof s->bricks);
    else
        memset(s->bricks, 0, sizeof s->bricks);
    adit_barrier_compiler();
}

/* ---- chunk, voxel, plane, mask ---------------------------------------------------------------------------------- */

/* The palette as a table that any byte may index. */
static void palette_load(const struct seen *s, uint16_t table[ADIT_PALETTE_MAX])
{
    uint32_t n = s->head.palette_n < ADIT_PALETTE_MAX ? s->head.palette_n : ADIT_PALETTE_MAX;
    memset(table, 0, ADIT_PALETTE_MAX * sizeof *table);
    memcpy(table, part(s, s->head.palette_at), n * sizeof *table);
}

/* A brick that is not uniform, as a tile. */
static void brick_decode(const struct seen *s, uint32_t d, const uint16_t *palette, uint16_t *tile)
{
    const uint8_t *data = part(s, s->head.voxels_at + adit_brick_place(d) * ADIT_PART_ALIGN);
    uint32_t code = adit_brick_code(d);
    uint16_t local[ADIT_TILE_SET_MAX];
    if (code == 4) {
        adit_tile_kernel_best()->unpack(tile, palette, 8, data);
        return;
    }
    for (uint32_t i = 0; i < ADIT_TILE_SET_MAX; i++)
        local[i] = palette[data[i]];
    adit_tile_kernel_best()->unpack(tile, local, 1u << (code - 1), data + ADIT_BRICK_LOCAL_BYTES);
}

static void bricks_decode(const struct seen *s, uint16_t *voxels)
{
    uint16_t palette[ADIT_PALETTE_MAX], tiles[ADIT_STRIP_TILES * ADIT_TILE_VOXELS];
    palette_load(s, palette);
    for (uint32_t strip = 0; strip < ADIT_STRIPS; strip++) {
        const uint16_t *tile[ADIT_STRIP_TILES];
        uint32_t step[ADIT_STRIP_TILES];
        for (uint32_t i = 0; i < ADIT_STRIP_TILES; i++) {
            uint32_t d = s->bricks[strip * ADIT_STRIP_TILES + i];
            uint16_t *to = tiles + i * ADIT_TILE_VOXELS;
            tile[i] = to;
            step[i] = adit_brick_code(d) ? ADIT_TILE_ROW : 0;
            if (adit_brick_code(d))
                brick_decode(s, d, palette, to);
            else
                for (uint32_t x = 0; x < ADIT_TILE_ROW; x++)
                    to[x] = palette[adit_brick_place(d) & 0xff];
        }
        adit_tile_kernel_best()->strip_scatter(voxels + adit_strip_at(strip), tile, step);
    }
}

static void chunk_decode(const struct seen *s, uint16_t *voxels)
{
    if (s->head.encoding == ADIT_ENC_DENSE16)
        memcpy(voxels, part(s, s->head.voxels_at), ADIT_CHUNK_VOXELS * 2);
    else if (s->head.encoding == ADIT_ENC_BRICKS)
        bricks_decode(s, voxels);
    else
        for (uint32_t z = 0; z < 64; z++) /* a layer is as many voxels as a tile */
            adit_tile_kernel_best()->fill(voxels + z * ADIT_TILE_VOXELS,
                                          s->head.encoding == ADIT_ENC_UNIFORM ? s->head.uniform : 0);
}

void adit_decode_chunk(const struct adit_version *v, uint16_t voxels[ADIT_CHUNK_VOXELS])
{
    struct seen s;
    see(&s, v, v->bytes);
    chunk_decode(&s, voxels);
}

/* n bytes of the block from at on, 0 where that is not inside. at: 64 bits, so that sums of the block's own words do not wrap. */
static inline uint32_t load(const struct adit_version *v, size_t bytes, uint64_t at, uint32_t n)
{
    uint32_t value = 0;
    if (at <= bytes && n <= bytes - at)
        memcpy(&value, (const uint8_t *)v + at, n);
    return value;
}

uint16_t adit_decode_voxel_within(const struct adit_version *v, size_t bytes, uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t d, code, i, index;
    uint64_t at;
    x &= 63, y &= 63, z &= 63;
    if (v->encoding == ADIT_ENC_DENSE16)
        return (uint16_t)load(v, bytes, (uint64_t)v->voxels_at + ((z * 64 + y) * 64 + x) * 2, 2);
    if (v->encoding != ADIT_ENC_BRICKS)
        return v->encoding == ADIT_ENC_UNIFORM ? v->uniform : 0;
    d = load(v, bytes, (uint64_t)v->bricks_at + ((z / 16 * 4 + y / 16) * 4 + x / 16) * 4, 4);
    code = adit_brick_code(d);
    at = (uint64_t)v->voxels_at + adit_brick_place(d) * 16;
    i = (z % 16 * 16 + y % 16) * 16 + x % 16;
    if (code == 0) {
        index = adit_brick_place(d) & 0xff;
    } else if (code >= 4) {
        index = load(v, bytes, at + i, 1);
    } else {
        uint32_t bits = 1u << (code - 1), bit = i * bits;
        index = load(v, bytes, at + (load(v, bytes, at + ADIT_BRICK_LOCAL_BYTES + bit / 8, 1) >> bit % 8 & ((1u << bits) - 1)), 1);
    }
    return index < v->palette_n ? (uint16_t)load(v, bytes, (uint64_t)v->palette_at + index * 2, 2) : 0;
}

uint16_t adit_decode_voxel(const struct adit_version *v, uint32_t x, uint32_t y, uint32_t z)
{
    return adit_decode_voxel_within(v, v->bytes, x, y, z);
}

static void plane_view(const struct seen *s, enum adit_face face, struct adit_plane_view *view)
{
    const struct adit_plane *p = &s->head.plane[face];
    view->bits = p->bits;
    view->packed = p->bits ? part(s, p->at + adit_plane_local_bytes(p->bits)) : NULL;
    if (p->bits == 8)
        palette_load(s, view->material);
    else if (p->bits == 1 || p->bits == 2 || p->bits == 4)
        memcpy(view->material, part(s, p->at), 2u << p->bits);
    else
        view->material[0] = p->value;
}

static void plane_decode(const struct seen *s, enum adit_face face, uint16_t *plane)
{
    const struct adit_tile_kernel *kernel = adit_tile_kernel_best();
    struct adit_plane_view view;
    plane_view(s, face, &view);
    if (!view.bits)
        kernel->fill(plane, view.material[0]);
    else if (view.bits == 16)
        memcpy(plane, view.packed, ADIT_PLANE_VOXELS * 2);
    else
        kernel->unpack(plane, view.material, view.bits, view.packed);
}

void adit_decode_plane(const struct adit_version *v, enum adit_face face, uint16_t plane[ADIT_PLANE_VOXELS])
{
    struct seen s;
    see(&s, v, v->bytes);
    plane_decode(&s, face, plane);
}

static void bricks_mask(const struct seen *s, uint64_t *mask)
{
    static const uint16_t clear[256];
    uint16_t opaque[256];
    memset(opaque, 0xff, sizeof opaque);
    for (uint32_t strip = 0; strip < ADIT_BRICKS / 4; strip++) {
        const uint16_t *rows[4];
        uint64_t *to = mask + strip / 4 * 16 * 64 + strip % 4 * 16;
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t d = s->bricks[strip * 4 + i], kind = adit_brick_mask(d);
            rows[i] = kind == ADIT_BRICK_CLEAR    ? clear
                      : kind == ADIT_BRICK_OPAQUE ? opaque
                                                  : (const uint16_t *)part(s, s->head.masks_at + adit_brick_mask_place(d) *
                                                                                                     ADIT_BRICK_MASK_BYTES);
        }
        for (uint32_t r = 0; r < 256; r++)
            to[r / 16 * 64 + r % 16] = rows[0][r] | (uint64_t)rows[1][r] << 16 | (uint64_t)rows[2][r] << 32 |
                                       (uint64_t)rows[3][r] << 48;
    }
}

void adit_decode_mask(const struct adit_version *v, uint64_t mask[ADIT_MASK_WORDS])
{
    struct seen s;
    see(&s, v, v->bytes);
    if (s.head.encoding == ADIT_ENC_DENSE16)
        memcpy(mask, part(&s, s.head.masks_at), ADIT_MASK_WORDS * 8);
    else if (s.head.encoding == ADIT_ENC_BRICKS)
        bricks_mask(&s, mask);
    else
        memset(mask, s.head.summary & ADIT_SUM_FULL ? 0xff : 0, ADIT_MASK_WORDS * 8);
}

/* ---- hashes ----------------------------------------------------------------------------------------------------- */

uint64_t adit_plane_hash_uniform(uint16_t material)
{
    uint16_t plane[ADIT_PLANE_VOXELS];
    adit_tile_kernel_best()->fill(plane, material);
    return XXH3_64bits(plane, sizeof plane);
}

uint64_t adit_encode_hash_within(const struct adit_version *v, size_t bytes)
{
    struct adit_version head;
    memcpy(&head, v, sizeof head);
    adit_barrier_compiler();
    size_t end = head.bytes < bytes ? head.bytes : bytes;
    head.version = head.content_hash = head.published_ns = 0;
    head.publisher = 0;
    return XXH3_64bits_withSeed((const uint8_t *)v + ADIT_HEAD_BYTES, end > ADIT_HEAD_BYTES ? end - ADIT_HEAD_BYTES : 0,
                                XXH3_64bits(&head, sizeof head));
}

uint64_t adit_encode_hash(const struct adit_version *v) { return adit_encode_hash_within(v, v->bytes); }

/* ---- soundness and statistics ----------------------------------------------------------------------------------- */

static bool plane_is_sound(const struct adit_version *v, const struct adit_plane *p)
{
    switch (p->bits) {
    case 0:
        return true;
    case 1:
    case 2:
    case 4:
        break;
    case 8:
        if (v->encoding != ADIT_ENC_BRICKS)
            return false;
        break;
    case 16:
        if (v->encoding != ADIT_ENC_DENSE16)
            return false;
        break;
    default:
        return false;
    }
    return (v->encoding == ADIT_ENC_BRICKS || v->encoding == ADIT_ENC_DENSE16) &&
           part_is_inside(v, p->at, adit_plane_bytes(p->bits));
}

static bool bricks_are_sound(const struct seen *s)
{
    const struct adit_version *v = &s->head;
    const uint16_t *palette = (const uint16_t *)part(s, v->palette_at);
    if (v->palette_n == 0 || v->palette_n > ADIT_PALETTE_MAX || v->masks_n > ADIT_BRICKS ||
        !part_is_inside(v, v->palette_at, v->palette_n * 2u) || !part_is_inside(v, v->bricks_at, ADIT_BRICKS_BYTES) ||
        !part_is_inside(v, v->masks_at, v->masks_n * ADIT_BRICK_MASK_BYTES) || !part_is_inside(v, v->voxels_at, 0))
        return false;
    for (uint32_t i = 1; i < v->palette_n; i++)
        if (palette[i - 1] >= palette[i])
            return false;
    for (uint32_t b = 0; b < ADIT_BRICKS; b++) {
        uint32_t d = s->bricks[b], code = adit_brick_code(d), mask = adit_brick_mask(d);
        if (code > 4 || mask > ADIT_BRICK_MIXED || (mask == ADIT_BRICK_MIXED && adit_brick_mask_place(d) >= v->masks_n))
            return false;
        if (code == 0 && adit_brick_place(d) >= v->palette_n)
            return false;
        if (code != 0 && !part_is_inside(v, v->voxels_at + adit_brick_place(d) * 16, adit_brick_bytes(code)))
            return false;
    }
    return true;
}

static bool head_is_sound(const struct adit_version *v, size_t bytes)
{
    return v->kind == ADIT_KIND_VERSION && v->bytes >= ADIT_HEAD_BYTES && v->bytes <= bytes && v->bytes <= ADIT_ENCODED_BYTES_MAX &&
           v->solid <= ADIT_CHUNK_VOXELS && v->opaque <= v->solid;
}

static bool is_sound(const struct seen *s, size_t bytes)
{
    const struct adit_version *v = &s->head;
    if (!head_is_sound(v, bytes))
        return false;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (!plane_is_sound(v, &v->plane[f]))
            return false;
    switch (v->encoding) {
    case ADIT_ENC_UNIFORM:
    case ADIT_ENC_REMOVED:
        return true;
    case ADIT_ENC_BRICKS:
        return bricks_are_sound(s);
    case ADIT_ENC_DENSE16:
        return part_is_inside(v, v->voxels_at, ADIT_CHUNK_VOXELS * 2) && part_is_inside(v, v->masks_at, ADIT_MASK_WORDS * 8);
    default:
        return false;
    }
}

/* Copies what is followed of v; false: it is not sound. */
static bool see_sound(struct seen *s, const struct adit_version *v, size_t bytes)
{
    if (bytes < ADIT_HEAD_BYTES)
        return false;
    see(s, v, bytes);
    return is_sound(s, bytes);
}

bool adit_encoding_is_sound(const struct adit_version *v, size_t bytes)
{
    struct seen s;
    return see_sound(&s, v, bytes);
}

bool adit_decode_chunk_within(const struct adit_version *v, size_t bytes, uint16_t voxels[ADIT_CHUNK_VOXELS])
{
    struct seen s;
    bool sound = see_sound(&s, v, bytes);
    if (sound)
        chunk_decode(&s, voxels);
    return sound;
}

bool adit_decode_plane_within(const struct adit_version *v, size_t bytes, enum adit_face face, uint16_t plane[ADIT_PLANE_VOXELS])
{
    struct seen s;
    bool sound = see_sound(&s, v, bytes);
    if (sound)
        plane_decode(&s, face, plane);
    return sound;
}

/* No more is judged than the view leads to. */
bool adit_plane_view_within(const struct adit_version *v, size_t bytes, enum adit_face face, struct adit_plane_view *view)
{
    struct seen s = {.base = (const uint8_t *)v};
    if (bytes < ADIT_HEAD_BYTES)
        return false;
    memcpy(&s.head, v, sizeof s.head);
    adit_barrier_compiler();
    if (!head_is_sound(&s.head, bytes) || !plane_is_sound(&s.head, &s.head.plane[face]) ||
        (s.head.plane[face].bits == 8 && (s.head.palette_n > ADIT_PALETTE_MAX ||
                                          !part_is_inside(&s.head, s.head.palette_at, s.head.palette_n * 2u))))
        return false;
    plane_view(&s, face, view);
    return true;
}

bool adit_voxels_view_within(const struct adit_version *v, size_t bytes, struct adit_voxels *view)
{
    struct seen s;
    if (!see_sound(&s, v, bytes))
        return false;
    *view = (struct adit_voxels){.uniform = s.head.encoding == ADIT_ENC_UNIFORM ? s.head.uniform : 0};
    if (s.head.encoding == ADIT_ENC_BRICKS) {
        view->form = ADIT_VOXELS_BRICKS;
        palette_load(&s, view->palette);
        memcpy(view->bricks, s.bricks, sizeof view->bricks);
        view->bytes = s.head.bytes - s.head.voxels_at;
        view->packed = part(&s, s.head.voxels_at);
    } else if (s.head.encoding == ADIT_ENC_DENSE16) {
        view->form = ADIT_VOXELS_DENSE;
        view->bytes = ADIT_CHUNK_VOXELS * 2;
        view->packed = part(&s, s.head.voxels_at);
    }
    return true;
}

void adit_encoding_bytes_within(const struct adit_version *v, size_t room, struct adit_encoding_bytes *bytes)
{
    struct seen s;
    uint32_t used;
    see(&s, v, room);
    *bytes = (struct adit_encoding_bytes){.head = ADIT_HEAD_BYTES};
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        bytes->planes += adit_plane_bytes(s.head.plane[f].bits);
    if (s.head.encoding == ADIT_ENC_DENSE16) {
        bytes->masks = ADIT_MASK_WORDS * 8;
        bytes->voxels = ADIT_CHUNK_VOXELS * 2;
    } else if (s.head.encoding == ADIT_ENC_BRICKS) {
        bytes->descriptors = ADIT_BRICKS_BYTES;
        bytes->palette = s.head.palette_n * 2u;
        bytes->masks = s.head.masks_n * ADIT_BRICK_MASK_BYTES;
        for (uint32_t b = 0; b < ADIT_BRICKS; b++)
            bytes->voxels += adit_brick_bytes(adit_brick_code(s.bricks[b]));
    }
    used = adit_encoding_bytes_overhead(bytes) + bytes->palette + bytes->masks + bytes->planes + bytes->voxels;
    bytes->padding = s.head.bytes > used ? s.head.bytes - used : 0; /* a damaged block may use bytes twice */
}

void adit_encoding_bytes_of(const struct adit_version *v, struct adit_encoding_bytes *bytes)
{
    adit_encoding_bytes_within(v, v->bytes, bytes);
}
