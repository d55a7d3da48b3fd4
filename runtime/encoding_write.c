/* encoding_write.c - from 64^3 materials to a block: the plan that finds sizes, and the writing.
 *
 * The plan alone decides codes, sets and therefore sizes and places; the writer follows it and never looks at voxels to
 * decide where a byte goes. So a producer that scribbles over its voxels between the two spoils its own chunk only.
 * Sets come out ascending and the palette is read from a bit set, so no order of discovery shows in the bytes.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "runtime/encoding_parts.h"
#include "runtime/encoding_tile.h"

#define PRESENT_WORDS (ADIT_MATERIALS / 64)

/* A plane as it will be stored: its materials in order and their set. */
struct plane_plan {
    struct adit_tile_set set;
    uint16_t voxels[ADIT_PLANE_VOXELS];
};

struct brick_plan {
    struct adit_tile_set set;
    uint8_t code, mask;
};

struct adit_encode_plan {
    const struct adit_tile_kernel *kernel;
    const uint16_t *voxels;
    const uint8_t *classes;
    enum adit_encoding encoding;
    uint32_t bytes;
    uint32_t palette_n, masks_n;
    uint32_t bricks_at, masks_at, planes_at, voxels_at;
    uint16_t palette[ADIT_PALETTE_MAX];
    struct brick_plan brick[ADIT_BRICKS];
    struct plane_plan plane[ADIT_FACES];
    uint64_t present[PRESENT_WORDS];
    uint8_t index_of[ADIT_MATERIALS]; /* place in the palette; only of the materials in it, the rest is stale */
};

size_t adit_encode_plan_bytes(void)
{
    return sizeof(struct adit_encode_plan);
}

/* ---- pass one --------------------------------------------------------------------------------------------------- */

static uint32_t code_of(const struct adit_tile_set *set)
{
    return set->n == 1 ? 0 : set->n == 2 ? 1 : set->n <= 4 ? 2 : set->n <= ADIT_TILE_SET_MAX ? 3 : 4;
}

static uint32_t plane_bits(const struct adit_tile_set *set, uint32_t many_bits)
{
    uint32_t code = code_of(set);
    return code == 0 ? 0 : code == 4 ? many_bits : 1u << (code - 1);
}

/* Whether the voxels of a brick are opaque: by its materials, or by itself where they are too many to know. */
static enum adit_brick_mask brick_mask(const struct adit_tile_set *set, const uint16_t *tile, const uint8_t *classes)
{
    uint32_t opaque = 0, of = set->n;
    if (set->n == ADIT_TILE_MANY) {
        uint8_t mask[ADIT_BRICK_MASK_BYTES];
        uint32_t solid = 0;
        adit_tile_mask_by_class(tile, classes, mask, &solid, &opaque);
        of = ADIT_BRICK_VOXELS;
    } else {
        for (uint32_t i = 0; i < set->n; i++)
            opaque += classes[set->material[i]] == ADIT_CLASS_OPAQUE;
    }
    return opaque == 0 ? ADIT_BRICK_CLEAR : opaque == of ? ADIT_BRICK_OPAQUE : ADIT_BRICK_MIXED;
}

static void mark(uint64_t *present, uint16_t material)
{
    present[material >> 6] |= 1ull << (material & 63);
}

/* tile: where the brick was gathered, unless it is uniform. */
static void plan_brick(struct adit_encode_plan *plan, struct brick_plan *brick, const uint16_t *tile)
{
    if (brick->set.n != 1)
        plan->kernel->materials(tile, &brick->set);
    if (brick->set.n == ADIT_TILE_MANY)
        adit_tile_mark(tile, plan->present);
    for (uint32_t i = 0; i < brick->set.n && brick->set.n != ADIT_TILE_MANY; i++)
        mark(plan->present, brick->set.material[i]);
    brick->code = (uint8_t)code_of(&brick->set);
    brick->mask = (uint8_t)brick_mask(&brick->set, tile, plan->classes);
}

/* Sets of all bricks, the materials present, the -X and +X planes; true when the chunk is one material. */
static bool plan_bricks(struct adit_encode_plan *plan)
{
    uint16_t tiles[ADIT_STRIP_TILES * ADIT_TILE_VOXELS];
    bool one = true;
    memset(plan->present, 0, sizeof plan->present);
    for (uint32_t strip = 0; strip < ADIT_STRIPS; strip++) {
        const uint16_t *at = plan->voxels + adit_strip_at(strip);
        uint32_t row = adit_strip_at(strip) / 64;
        uint32_t uniform = plan->kernel->strip_scan(at, plan->plane[ADIT_FACE_NX].voxels + row,
                                                    plan->plane[ADIT_FACE_PX].voxels + row);
        if (uniform != 0xf)
            plan->kernel->strip_gather(at, ~uniform & 0xf, tiles);
        for (uint32_t i = 0; i < ADIT_STRIP_TILES; i++) {
            struct brick_plan *brick = &plan->brick[strip * ADIT_STRIP_TILES + i];
            brick->set.n = uniform >> i & 1;
            brick->set.material[0] = at[i * ADIT_TILE_ROW];
            plan_brick(plan, brick, tiles + i * ADIT_TILE_VOXELS);
            one = one && brick->set.n == 1 && brick->set.material[0] == plan->brick[0].set.material[0];
        }
    }
    return one;
}

/* The ascending palette from the bit set; returns how many materials there are, even where they do not fit. */
static uint32_t plan_palette(struct adit_encode_plan *plan)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < PRESENT_WORDS; w++) {
        for (uint64_t left = plan->present[w]; left; left &= left - 1, n++) {
            uint16_t material = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(left));
            if (n >= ADIT_PALETTE_MAX)
                return n + 1;
            plan->palette[n] = material;
            plan->index_of[material] = (uint8_t)n;
        }
    }
    return n;
}

/* Reads one border plane out of a chunk, in the order v*64 + u of quad.h. */
static void plane_gather(const uint16_t *voxels, enum adit_face face, uint16_t *plane)
{
    switch (face) {
    case ADIT_FACE_NX:
    case ADIT_FACE_PX:
        for (uint32_t row = 0; row < 4096; row++)
            plane[row] = voxels[row * 64 + (face == ADIT_FACE_PX ? 63 : 0)];
        break;
    case ADIT_FACE_NY:
    case ADIT_FACE_PY:
        for (uint32_t z = 0; z < 64; z++)
            memcpy(plane + z * 64, voxels + (z * 64 + (face == ADIT_FACE_PY ? 63 : 0)) * 64, 128);
        break;
    default:
        memcpy(plane, voxels + (face == ADIT_FACE_PZ ? 63 * 4096 : 0), 8192);
    }
}

static void plan_planes(struct adit_encode_plan *plan)
{
    for (enum adit_face f = 0; f < ADIT_FACES; f++) {
        struct plane_plan *plane = &plan->plane[f];
        if (f >= ADIT_FACE_NY) /* -X and +X are there already */
            plane_gather(plan->voxels, f, plane->voxels);
        plan->kernel->materials(plane->voxels, &plane->set);
    }
}

static void plan_places(struct adit_encode_plan *plan)
{
    bool dense = plan->encoding == ADIT_ENC_DENSE16;
    uint32_t at;
    plan->masks_n = 0;
    for (uint32_t b = 0; b < ADIT_BRICKS; b++)
        plan->masks_n += plan->brick[b].mask == ADIT_BRICK_MIXED;
    plan->bricks_at = adit_part_align(ADIT_HEAD_BYTES + plan->palette_n * 2);
    plan->masks_at = plan->bricks_at + ADIT_BRICKS_BYTES;
    plan->planes_at = dense ? ADIT_DENSE_PLANES_AT : plan->masks_at + plan->masks_n * ADIT_BRICK_MASK_BYTES;
    at = plan->planes_at;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        at += adit_plane_bytes(plane_bits(&plan->plane[f].set, dense ? 16 : 8));
    plan->voxels_at = dense ? ADIT_DENSE_VOXELS_AT : at;
    for (uint32_t b = 0; b < ADIT_BRICKS && !dense; b++)
        at += adit_brick_bytes(plan->brick[b].code);
    plan->bytes = at;
}

int adit_encode_plan(struct adit_encode_plan *plan, const uint16_t *voxels, const uint8_t *classes, size_t *bytes)
{
    plan->kernel = adit_tile_kernel_best();
    plan->voxels = voxels;
    plan->classes = classes;
    if (plan_bricks(plan)) {
        plan->encoding = ADIT_ENC_UNIFORM;
        plan->bytes = ADIT_HEAD_BYTES;
    } else {
        plan->palette_n = plan_palette(plan);
        plan->encoding = plan->palette_n <= ADIT_PALETTE_MAX ? ADIT_ENC_BRICKS : ADIT_ENC_DENSE16;
        plan_planes(plan);
        plan_places(plan);
    }
    *bytes = plan->bytes;
    return 0;
}

/* ---- pass two --------------------------------------------------------------------------------------------------- */

static void head_write(struct adit_version *v, enum adit_encoding encoding, uint32_t bytes)
{
    v->kind = ADIT_KIND_VERSION;
    v->bytes = bytes;
    v->encoding = (uint8_t)encoding;
    v->summary = 0;
    v->uniform = 0;
    v->solid = v->opaque = 0;
    v->palette_n = v->masks_n = 0;
    v->palette_at = v->bricks_at = v->voxels_at = v->masks_at = 0;
    memset(v->plane, 0, sizeof v->plane);
    v->payload_bytes = 0; /* set by who knows the whole block */
}

/* From the counts. */
static void head_summarise(struct adit_version *v)
{
    v->summary = (uint8_t)((v->solid == 0 ? ADIT_SUM_EMPTY : 0) | (v->opaque == ADIT_CHUNK_VOXELS ? ADIT_SUM_FULL : 0));
}

static void uniform_write(struct adit_version *v, enum adit_encoding encoding, uint16_t material, uint8_t class)
{
    uint64_t hash = adit_plane_hash_uniform(material);
    head_write(v, encoding, ADIT_HEAD_BYTES);
    v->solid = class == ADIT_CLASS_AIR ? 0 : ADIT_CHUNK_VOXELS;
    v->opaque = class == ADIT_CLASS_OPAQUE ? ADIT_CHUNK_VOXELS : 0;
    head_summarise(v);
    v->summary |= ADIT_SUM_UNIFORM;
    v->uniform = material;
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        v->border_hash[f] = hash;
        v->plane[f].value = material;
    }
}

/* One plane, at the given place; returns the place after it. index_of is used where bits are 8. */
static uint32_t plane_write(struct adit_version *v, uint32_t face, const uint16_t *voxels, const struct adit_tile_set *set,
                            const uint8_t *index_of, uint32_t at)
{
    const struct adit_tile_kernel *kernel = adit_tile_kernel_best();
    uint32_t bits = plane_bits(set, index_of ? 8 : 16), local_bytes = adit_plane_local_bytes(bits);
    uint8_t *to = (uint8_t *)v + at;
    v->border_hash[face] = XXH3_64bits(voxels, ADIT_PLANE_VOXELS * 2);
    v->plane[face] = (struct adit_plane){.bits = (uint8_t)bits};
    if (bits == 0) {
        v->plane[face].value = set->material[0];
        return at;
    }
    v->plane[face].at = at;
    if (bits == 8) {
        adit_tile_map(voxels, index_of, to);
    } else if (bits == 16) {
        memcpy(to, voxels, ADIT_PLANE_VOXELS * 2);
    } else {
        memset(to, 0, local_bytes);
        memcpy(to, set->material, set->n * 2);
        kernel->pack(voxels, set, bits, to + local_bytes);
    }
    return at + adit_plane_bytes(bits);
}

/* Writes the mask of a tile (NULL: it is not wanted, being all or nothing) and adds its voxels to the counts. */
static void mask_write(const struct adit_tile_kernel *kernel, const struct adit_tile_set *set, const uint16_t *tile,
                       const uint8_t *classes, uint8_t *mask, struct adit_version *v)
{
    uint16_t blocks[ADIT_TILE_SET_MAX], other[ADIT_TILE_SET_MAX], air[ADIT_TILE_SET_MAX];
    uint32_t blocks_n = 0, other_n = 0, air_n = 0, opaque;
    uint8_t unwanted[ADIT_BRICK_MASK_BYTES];
    if (set->n == ADIT_TILE_MANY) {
        adit_tile_mask_by_class(tile, classes, mask ? mask : unwanted, &v->solid, &v->opaque);
        return;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        uint16_t material = set->material[i];
        uint8_t class = classes[material];
        if (class == ADIT_CLASS_OPAQUE)
            blocks[blocks_n++] = material;
        else
            other[other_n++] = material;
        if (class == ADIT_CLASS_AIR)
            air[air_n++] = material;
    }
    opaque = other_n == 0 ? ADIT_TILE_VOXELS : 0;
    if (mask) {
        bool invert = other_n <= blocks_n; /* compare with whichever are fewer */
        opaque = kernel->mask(tile, invert ? other : blocks, invert ? other_n : blocks_n, invert, mask);
    }
    v->opaque += opaque;
    if (air_n == other_n) /* what is not opaque is air */
        v->solid += opaque;
    else
        v->solid += ADIT_TILE_VOXELS - (air_n ? kernel->count(tile, air, air_n) : 0);
}

static void brick_voxels_write(const struct adit_encode_plan *plan, const struct brick_plan *brick, const uint16_t *tile,
                               uint8_t *to)
{
    if (brick->code == 4) {
        adit_tile_map(tile, plan->index_of, to);
    } else if (brick->code) {
        memset(to, 0, ADIT_BRICK_LOCAL_BYTES);
        for (uint32_t i = 0; i < brick->set.n; i++)
            to[i] = plan->index_of[brick->set.material[i]];
        plan->kernel->pack(tile, &brick->set, 1u << (brick->code - 1), to + ADIT_BRICK_LOCAL_BYTES);
    }
}

static void bricks_write(const struct adit_encode_plan *plan, struct adit_version *v)
{
    uint16_t tiles[ADIT_STRIP_TILES * ADIT_TILE_VOXELS];
    uint8_t *block = (uint8_t *)v;
    uint32_t *descriptor = (uint32_t *)(block + plan->bricks_at);
    uint32_t place = 0, masks_n = 0;
    for (uint32_t b = 0; b < ADIT_BRICKS; b++) {
        const struct brick_plan *brick = &plan->brick[b];
        const uint16_t *tile = tiles + b % ADIT_STRIP_TILES * ADIT_TILE_VOXELS;
        bool mixed = brick->mask == ADIT_BRICK_MIXED;
        uint8_t *mask = mixed ? block + plan->masks_at + masks_n * ADIT_BRICK_MASK_BYTES : NULL;
        if (b % ADIT_STRIP_TILES == 0) {
            uint32_t which = 0;
            for (uint32_t i = 0; i < ADIT_STRIP_TILES; i++)
                which |= (uint32_t)(brick[i].code != 0) << i;
            plan->kernel->strip_gather(plan->voxels + adit_strip_at(b / ADIT_STRIP_TILES), which, tiles);
        }
        descriptor[b] = adit_brick_make(brick->code, brick->mask,
                                        brick->code ? place : plan->index_of[brick->set.material[0]], mixed ? masks_n : 0);
        mask_write(plan->kernel, &brick->set, tile, plan->classes, mask, v);
        brick_voxels_write(plan, brick, tile, block + plan->voxels_at + place * ADIT_PART_ALIGN);
        masks_n += mixed;
        place += adit_brick_bytes(brick->code) / ADIT_PART_ALIGN;
    }
    head_summarise(v);
}

/* Mask and counts of a block whose voxels are in place. */
static void dense_write(struct adit_version *v, const uint8_t *classes)
{
    const struct adit_tile_kernel *kernel = adit_tile_kernel_best();
    uint8_t *block = (uint8_t *)v;
    memset(block + ADIT_HEAD_BYTES, 0, ADIT_DENSE_VOXELS_AT - ADIT_HEAD_BYTES);
    v->voxels_at = ADIT_DENSE_VOXELS_AT;
    v->masks_at = ADIT_DENSE_MASK_AT;
    for (uint32_t z = 0; z < 64; z++) { /* a layer is as many voxels as a tile */
        const uint16_t *layer = (const uint16_t *)(block + ADIT_DENSE_VOXELS_AT) + z * ADIT_TILE_VOXELS;
        struct adit_tile_set set;
        kernel->materials(layer, &set);
        mask_write(kernel, &set, layer, classes, block + ADIT_DENSE_MASK_AT + z * ADIT_BRICK_MASK_BYTES, v);
    }
    head_summarise(v);
}

void adit_encode_write(const struct adit_encode_plan *plan, void *block)
{
    struct adit_version *v = block;
    uint32_t at;
    if (plan->encoding == ADIT_ENC_UNIFORM) {
        uint16_t material = plan->brick[0].set.material[0];
        uniform_write(v, ADIT_ENC_UNIFORM, material, plan->classes[material]);
        return;
    }
    head_write(v, plan->encoding, plan->bytes);
    at = plan->planes_at;
    if (plan->encoding == ADIT_ENC_DENSE16) {
        memcpy((uint8_t *)block + ADIT_DENSE_VOXELS_AT, plan->voxels, ADIT_CHUNK_VOXELS * 2);
        dense_write(v, plan->classes);
    } else {
        v->voxels_at = plan->voxels_at;
        v->palette_at = ADIT_HEAD_BYTES;
        v->palette_n = (uint16_t)plan->palette_n;
        v->bricks_at = plan->bricks_at;
        v->masks_at = plan->masks_at;
        v->masks_n = (uint16_t)plan->masks_n;
        memset((uint8_t *)block + ADIT_HEAD_BYTES, 0, plan->bricks_at - ADIT_HEAD_BYTES);
        memcpy((uint8_t *)block + ADIT_HEAD_BYTES, plan->palette, plan->palette_n * 2);
        bricks_write(plan, v);
    }
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        at = plane_write(v, f, plan->plane[f].voxels, &plan->plane[f].set,
                         plan->encoding == ADIT_ENC_BRICKS ? plan->index_of : NULL, at);
}

/* ---- dense ------------------------------------------------------------------------------------------------------ */

size_t adit_encode_dense_bytes(void)
{
    return ADIT_DENSE_BYTES;
}

uint32_t adit_encode_dense_voxels_at(void)
{
    return ADIT_DENSE_VOXELS_AT;
}

void adit_encode_dense_finish(void *block, const uint8_t *classes)
{
    struct adit_version *v = block;
    const uint16_t *voxels = (const uint16_t *)((const uint8_t *)block + ADIT_DENSE_VOXELS_AT);
    uint32_t at = ADIT_DENSE_PLANES_AT, uniform_n = 0;
    head_write(v, ADIT_ENC_DENSE16, 0);
    dense_write(v, classes);
    for (enum adit_face f = 0; f < ADIT_FACES; f++) {
        struct plane_plan plane;
        plane_gather(voxels, f, plane.voxels);
        adit_tile_kernel_best()->materials(plane.voxels, &plane.set);
        at = plane_write(v, f, plane.voxels, &plane.set, NULL, at);
        uniform_n += v->plane[f].bits == 0;
    }
    v->bytes = at;
    if (uniform_n == ADIT_FACES && memcmp(voxels, voxels + 1, (ADIT_CHUNK_VOXELS - 1) * 2) == 0) {
        v->summary |= ADIT_SUM_UNIFORM;
        v->uniform = voxels[0];
    }
}

void adit_encode_removed(void *block)
{
    uniform_write(block, ADIT_ENC_REMOVED, 0, ADIT_CLASS_AIR);
}

void adit_encode_seal(struct adit_version *v, size_t bytes, uint64_t key)
{
    struct adit_encoding_bytes spent;
    v->kind = ADIT_KIND_VERSION;
    v->key = key;
    adit_encoding_bytes_within(v, bytes, &spent);
    v->payload_bytes = spent.palette + spent.masks + spent.planes + spent.voxels;
    v->content_hash = adit_encode_hash_within(v, bytes);
}
