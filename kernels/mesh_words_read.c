/* mesh_words_read.c - from the voxels of a source to words of bits: which class a voxel is of, which rows have faces to which side, and where a
 * voxel has the material of its neighbour at x+1, y+1 or z+1.
 *
 * Slab by slab along z. Of an encoded chunk a slab is unpacked to *keys*, a byte a voxel: the palette's entries numbered anew by class, opaque
 * ones first, so that a row's classes are one comparison, and its equalities with the next voxel, row and slab one each. Two slabs, 8 KiB, are
 * all that is ever unpacked; strips of uniform bricks are written once for 16 slabs. Of a dense chunk rows of 16-bit materials are read where
 * they lie. Either way a slab is searched for faces once the classes of the next one are known, and only rows with faces are compared.
 */
#include "kernels/mesh_words.h"

#include <string.h>

#include "kernels/mesh_side.h"

enum { DIM = ADIT_CHUNK_DIM, SLAB = ADIT_WORDS_SLAB, CLASSES = ADIT_MESH_CLASSES, BRICK = ADIT_BRICK_SIDE, SIDE = 4 };
enum { OPAQUE = ADIT_WORDS_OPAQUE, TRANSLUCENT = ADIT_WORDS_TRANSLUCENT, CUTOUT = ADIT_WORDS_CUTOUT };

struct reading {
    struct adit_words *w;
    const struct adit_mesh_source *source;
    uint64_t any[CLASSES];
    uint8_t key_of[ADIT_PALETTE_MAX];
    uint32_t below[CLASSES]; /* keys below this are of that class or one before */
    bool is_air[SIDE][SIDE], is_solid[SIDE][SIDE]; /* strips of four bricks, by z and y */
    uint8_t has_keys[2];             /* by z & 1, bit y / 16: these rows are unpacked */
    uint8_t keys[2][DIM * DIM + 64]; /* by z & 1; a row is read one byte beyond its end */
};

/* -- classes ------------------------------------------------------------------------------------------------------- */

/* The classes of 64 materials, a word each. Each material that stands in the row is looked up once, up to eight; what is left after that by
 * itself. Both loops drop a bit a turn, so they end even if another process changes the row under them. */
static inline void classify(const uint16_t *material, const uint8_t *classes, uint64_t inside, uint64_t of[CLASSES])
{
    uint64_t bit0 = 0, bit1 = 0, rest = inside;
    for (int n = 0; rest && n < 8; n++) {
        uint16_t id = material[adit_word_lowest(rest)];
        uint64_t found = adit_row16_holds(material, id) & rest;
        bit0 |= classes[id] & 1 ? found : 0;
        bit1 |= classes[id] & 2 ? found : 0;
        rest &= (rest - 1) & ~found;
    }
    for (; rest; rest &= rest - 1) {
        uint32_t x = adit_word_lowest(rest);
        uint8_t class = classes[material[x]];
        bit0 |= (uint64_t)(class & 1) << x;
        bit1 |= (uint64_t)(class >> 1 & 1) << x;
    }
    of[OPAQUE] = bit0 & ~bit1;
    of[TRANSLUCENT] = bit1 & ~bit0;
    of[CUTOUT] = bit0 & bit1;
}

/* Most rows of a plane are as the one before. */
static void classify_planes(struct reading *r)
{
    const uint8_t *dim = r->source->dim;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        const uint16_t *plane = r->source->plane[face];
        uint64_t inside = adit_low_bits(dim[adit_face_u(face)]), of[CLASSES] = {0};
        for (uint32_t v = 0; v < DIM; v++) {
            if (!plane || v >= dim[adit_face_v(face)])
                memset(of, 0, sizeof of);
            else if (!v || adit_row16_equal(plane + v * DIM, plane + (v - 1) * DIM) != ~0ull)
                classify(plane + v * DIM, r->source->classes, inside, of);
            for (int class = 0; class < CLASSES; class++)
                r->w->plane[face][class][v] = of[class];
        }
    }
}

/* -- faces --------------------------------------------------------------------------------------------------------- */

/* ADIT_LONGS rows from y on, one down and one up along y, of a slab of top + 1 rows; beyond them lies the plane. */
ADIT_LANES_OF adit_longs rows_below(const uint64_t *row, uint32_t y, uint64_t plane)
{
    return y ? adit_longs_load(row + y - 1) : ADIT_LONGS_FIRST(plane, row);
}

ADIT_LANES_OF adit_longs rows_above(const uint64_t *row, uint32_t y, uint32_t top, uint64_t plane)
{
    uint64_t next[ADIT_LONGS] = {0};
    if (y + ADIT_LONGS <= top)
        return adit_longs_load(row + y + 1);
    if (y + ADIT_LONGS - 1 == top)
        return ADIT_LONGS_LAST(row + y + 1, plane);
    for (uint32_t i = 0; y + i <= top; i++)
        next[i] = y + i < top ? row[y + i + 1] : plane;
    return adit_longs_load(next);
}

/* Finds the rows of slab z, among those in look, that carry faces; its neighbours' classes are known. Returns them. */
static uint64_t find_shown(struct reading *r, uint32_t z, uint64_t look)
{
    struct adit_words *w = r->w;
    const uint8_t *dim = r->source->dim;
    const uint64_t(*plane)[CLASSES][DIM] = w->plane, *row = &w->of[OPAQUE][z * SLAB];
    const uint64_t *front = z > 0 ? row - SLAB : plane[ADIT_FACE_NZ][OPAQUE];
    const uint64_t *back = z < dim[2] - 1u ? row + SLAB : plane[ADIT_FACE_PZ][OPAQUE];
    uint64_t left = plane[ADIT_FACE_NX][OPAQUE][z], right = plane[ADIT_FACE_PX][OPAQUE][z];
    uint64_t below = plane[ADIT_FACE_NY][OPAQUE][z], above = plane[ADIT_FACE_PY][OPAQUE][z];
    uint64_t shown[ADIT_FACES] = {0}, through = 0, all = 0;
    uint32_t last = dim[0] - 1u, top = dim[1] - 1u;
    bool has_through = r->any[TRANSLUCENT] | r->any[CUTOUT];
    for (uint32_t y = 0; y <= top; y += ADIT_LONGS) {
        if (!(look >> y & ((1u << ADIT_LONGS) - 1)))
            continue;
        if (has_through)
            through |= adit_longs_nonzero(adit_longs_load(w->of[TRANSLUCENT] + z * SLAB + y) | adit_longs_load(w->of[CUTOUT] + z * SLAB + y)) << y;
        adit_longs own = adit_longs_load(row + y), next[ADIT_FACES], every;
        next[ADIT_FACE_NX] = own << 1 | adit_longs_of_bits(left >> y);
        next[ADIT_FACE_PX] = own >> 1 | adit_longs_of_bits(right >> y) << last;
        next[ADIT_FACE_NY] = rows_below(row, y, below);
        next[ADIT_FACE_PY] = rows_above(row, y, top, above);
        next[ADIT_FACE_NZ] = adit_longs_load(front + y);
        next[ADIT_FACE_PZ] = adit_longs_load(back + y);
        every = next[0] & next[1] & next[2] & next[3] & next[4] & next[5];
        if (!adit_longs_nonzero(own & ~every))
            continue;
        for (int face = 0; face < ADIT_FACES; face++)
            shown[face] |= adit_longs_nonzero(own & ~next[face]) << y;
    }
    for (int face = 0; face < ADIT_FACES; face++) {
        w->shown[face][z] = shown[face] & look;
        all |= w->shown[face][z];
    }
    w->see_through[z] = through & look;
    return all | w->see_through[z];
}

/* -- dense chunks -------------------------------------------------------------------------------------------------- */

static void classify_slab(struct reading *r, const uint16_t *voxels, uint32_t z)
{
    uint64_t inside = adit_low_bits(r->source->dim[0]), of[CLASSES];
    for (uint32_t y = 0; y < r->source->dim[1]; y++) {
        classify(voxels + (z * DIM + y) * DIM, r->source->classes, inside, of);
        for (int class = 0; class < CLASSES; class++) {
            r->w->of[class][z * SLAB + y] = of[class];
            r->any[class] |= of[class];
        }
    }
}

/* A bit towards a voxel beyond dim has no meaning, and nobody asks for it. */
static void compare_slab(struct reading *r, const uint16_t *voxels, uint32_t z, uint64_t rows)
{
    struct adit_words *w = r->w;
    for (; rows; rows &= rows - 1) {
        uint32_t y = adit_word_lowest(rows), i = z * SLAB + y;
        const uint16_t *row = voxels + (z * DIM + y) * DIM;
        uint16_t next[DIM] = {0}; /* the last has none */
        memcpy(next, row + 1, (DIM - 1) * sizeof *next);
        w->same[0][i] = adit_row16_equal(row, next);
        w->same[1][i] = adit_row16_equal(row, y < DIM - 1 ? row + DIM : row);
        w->same[2][i] = adit_row16_equal(row, z < DIM - 1 ? row + DIM * DIM : row);
    }
}

static void read_dense(struct reading *r, const uint16_t *voxels)
{
    const uint8_t *dim = r->source->dim;
    for (uint32_t z = 0; z <= dim[2]; z++) {
        if (z < dim[2])
            classify_slab(r, voxels, z);
        if (z)
            compare_slab(r, voxels, z - 1, find_shown(r, z - 1, adit_low_bits(dim[1])));
    }
}

/* -- encoded chunks ------------------------------------------------------------------------------------------------ */

/* Numbers the palette anew. Beyond its end it is 0, air: key 255, which is nobody else's then. */
static void number_keys(struct reading *r)
{
    const uint16_t *palette = r->source->encoded->palette;
    static const uint8_t order[] = {ADIT_CLASS_OPAQUE, ADIT_CLASS_TRANSLUCENT, ADIT_CLASS_CUTOUT, ADIT_CLASS_AIR};
    uint8_t class[ADIT_PALETTE_MAX];
    uint32_t n = ADIT_PALETTE_MAX, key = 0;
    while (n && !palette[n - 1])
        n--;
    for (uint32_t i = 0; i < n; i++)
        class[i] = r->source->classes[palette[i]] & 3;
    for (uint32_t k = 0; k < 4; k++) {
        for (uint32_t i = 0; i < n; i++)
            if (class[i] == order[k])
                r->key_of[i] = (uint8_t)key++;
        if (k < CLASSES)
            r->below[k] = key;
    }
    memset(r->key_of + n, ADIT_PALETTE_MAX - 1, ADIT_PALETTE_MAX - n);
    r->any[OPAQUE] = r->below[OPAQUE];
    r->any[TRANSLUCENT] = r->below[TRANSLUCENT] - r->below[OPAQUE];
    r->any[CUTOUT] = r->below[CUTOUT] - r->below[TRANSLUCENT];
}

/* The class of all values of a brick, as far as their number is known: what is not used of a local palette counts. */
static uint8_t class_of_brick(const struct reading *r, const struct adit_words_brick *brick)
{
    uint8_t class = r->source->classes[brick->own[0]] & 3;
    if (brick->bits == 8)
        return ADIT_WORDS_MIXED;
    for (uint32_t i = 1; i <= brick->mask; i++)
        if ((r->source->classes[brick->own[i]] & 3) != class)
            return ADIT_WORDS_MIXED;
    return class;
}

static void find_bricks(struct reading *r)
{
    const struct adit_voxels *v = r->source->encoded;
    for (uint32_t b = 0; b < ADIT_BRICKS; b++) {
        struct adit_words_brick *brick = &r->w->brick[b];
        uint32_t code = adit_brick_code(v->bricks[b]), place = adit_brick_place(v->bricks[b]);
        const uint8_t *local = v->packed + place * 16;
        brick->bits = (uint8_t)(code ? 1u << (code - 1) : 0);
        brick->mask = (uint8_t)((1u << brick->bits) - 1);
        brick->material = code == 4 ? v->palette : brick->own;
        brick->at = code == 4 ? local : code ? local + ADIT_BRICK_LOCAL_BYTES : brick->key;
        brick->key[0] = r->key_of[place & 255];
        brick->own[0] = v->palette[place & 255];
        for (uint32_t i = 0; code && code < 4 && i < 1u << brick->bits; i++) {
            brick->key[i] = r->key_of[local[i]];
            brick->own[i] = v->palette[local[i]];
        }
        brick->class = class_of_brick(r, brick);
    }
}

/* Layer z (0..15) of a brick as keys, 16 rows of a slab from to on. */
static inline void unpack_brick(const struct reading *r, const struct adit_words_brick *brick, uint32_t z, uint8_t *to)
{
    const uint8_t *at = brick->at + z * 32 * brick->bits;
    if (!brick->bits) {
        adit_layer_fill(brick->key[0], to);
    } else if (brick->bits < 8) {
        adit_layer_unpack(brick->bits < 4 ? brick->bits : 3, at, brick->key, to);
    } else {
        for (uint32_t y = 0; y < BRICK; y++)
            for (uint32_t x = 0; x < BRICK; x++)
                to[y * DIM + x] = r->key_of[at[y * BRICK + x]];
    }
}

static inline void classify_keys(const struct reading *r, const uint8_t *row, uint64_t upto[CLASSES])
{
    for (int class = 0; class < CLASSES; class++)
        upto[class] = r->below[class] ? adit_row_upto(row, (uint8_t)(r->below[class] - 1)) : 0;
    upto[CUTOUT] &= ~upto[TRANSLUCENT];
    upto[TRANSLUCENT] &= ~upto[OPAQUE];
}

static inline bool is_plain(const struct reading *r)
{
    return r->below[CUTOUT] == r->below[OPAQUE];
}

/* The keys of sixteen rows of slab z; with_uniform: unless those of uniform bricks stand there from two slabs before. */
static void unpack_strip(struct reading *r, uint32_t z, uint32_t by, bool with_uniform)
{
    const struct adit_words_brick *brick = &r->w->brick[z / BRICK * 16 + by * SIDE];
    for (uint32_t b = 0; b < SIDE; b++)
        if (with_uniform || brick[b].bits)
            unpack_brick(r, &brick[b], z % BRICK, r->keys[z & 1] + by * BRICK * DIM + b * BRICK);
}

/* Sixteen rows of sixteen slabs, of which no brick is of more than one class. */
static void set_strip(struct reading *r, uint32_t z, uint32_t by)
{
    const struct adit_words_brick *brick = &r->w->brick[z / BRICK * 16 + by * SIDE];
    uint64_t of[CLASSES + 1] = {0}; /* of air first */
    for (uint32_t b = 0; b < SIDE; b++)
        of[brick[b].class] |= 0xffffull << b * BRICK;
    r->is_air[z / BRICK][by] = of[ADIT_CLASS_AIR] == ~0ull;
    r->is_solid[z / BRICK][by] = of[ADIT_CLASS_OPAQUE] == ~0ull;
    for (int class = 0; class < (is_plain(r) ? OPAQUE + 1 : CLASSES); class++)
        for (uint32_t i = 0; i < BRICK; i++)
            for (uint32_t j = 0; j < BRICK; j++)
                r->w->of[class][(z + i) * SLAB + by * BRICK + j] = of[class + 1];
}

/* The classes of sixteen rows of keys, words from to on. */
static void classify_strip(struct reading *r, const uint8_t *keys, uint32_t to)
{
    struct adit_words *w = r->w;
    if (is_plain(r)) {
        for (uint32_t row = 0; row < BRICK; row++)
            w->of[OPAQUE][to + row] = adit_row_upto(keys + row * DIM, (uint8_t)(r->below[OPAQUE] - 1));
        return;
    }
    for (uint32_t row = 0; row < BRICK; row++) {
        uint64_t of[CLASSES];
        classify_keys(r, keys + row * DIM, of);
        for (int class = 0; class < CLASSES; class++)
            w->of[class][to + row] = of[class];
    }
}

/* Sixteen rows of slab z. Where their classes need no keys, these are not unpacked before somebody compares them. */
static void read_strip(struct reading *r, uint32_t z, uint32_t by)
{
    const struct adit_words_brick *brick = &r->w->brick[z / BRICK * 16 + by * SIDE];
    if (((brick[0].class | brick[1].class | brick[2].class | brick[3].class) & ADIT_WORDS_MIXED) == 0) {
        r->has_keys[z & 1] &= (uint8_t)~(1u << by);
        if (z % BRICK == 0)
            set_strip(r, z, by);
        return;
    }
    r->has_keys[z & 1] |= (uint8_t)(1u << by);
    unpack_strip(r, z, by, z % BRICK < 2);
    classify_strip(r, r->keys[z & 1] + by * BRICK * DIM, z * SLAB + by * BRICK);
}

/* The rows of slab z that may carry faces: not those in air, and of solid strips the outer ones, or those that end at a border. */
static uint64_t find_rows(const struct reading *r, uint32_t z)
{
    uint64_t look = 0, ends = r->w->plane[ADIT_FACE_NX][OPAQUE][z] & r->w->plane[ADIT_FACE_PX][OPAQUE][z];
    for (uint32_t by = 0; by < SIDE; by++) {
        uint64_t rows = 0xffff;
        if (r->is_air[z / BRICK][by])
            rows = 0;
        else if (r->is_solid[z / BRICK][by] && z % BRICK > 0 && z % BRICK < BRICK - 1)
            rows = 0x8001 | (~(ends >> by * BRICK) & 0xffff);
        look |= rows << by * BRICK;
    }
    return look;
}

/* Unpacks the strips of slab z in which rows stand, if they are not. */
static void need_keys(struct reading *r, uint32_t z, uint64_t rows)
{
    for (uint32_t by = 0; by < SIDE; by++) {
        if (!(rows >> by * BRICK & 0xffff) || r->has_keys[z & 1] >> by & 1)
            continue;
        unpack_strip(r, z, by, true);
        r->has_keys[z & 1] |= (uint8_t)(1u << by);
    }
}

/* What is asked of these rows later is about neighbours that both carry faces, so both rows are among these, or in the next slab. */
static void compare_keys(struct reading *r, uint32_t z, uint64_t rows)
{
    struct adit_words *w = r->w;
    const uint8_t *slab = r->keys[z & 1], *behind = r->keys[~z & 1];
    need_keys(r, z, rows);
    if (z < DIM - 1)
        need_keys(r, z + 1, rows);
    for (; rows; rows &= rows - 1) {
        uint32_t y = adit_word_lowest(rows), i = z * SLAB + y;
        const uint8_t *row = slab + y * DIM;
        w->same[0][i] = adit_row_equal(row, row + 1);
        w->same[1][i] = adit_row_equal(row, row + DIM);
        w->same[2][i] = adit_row_equal(row, behind + y * DIM);
    }
}

static void read_bricks(struct reading *r)
{
    number_keys(r);
    find_bricks(r);
    memset(r->is_air, 0, sizeof r->is_air);
    memset(r->is_solid, 0, sizeof r->is_solid);
    memset(r->keys[0] + DIM * DIM, 0, 64); /* read, and of no meaning */
    memset(r->keys[1] + DIM * DIM, 0, 64);
    for (uint32_t z = 0; z <= DIM; z++) {
        for (uint32_t by = 0; z < DIM && by < SIDE; by++)
            read_strip(r, z, by);
        if (z) {
            uint64_t rows = find_shown(r, z - 1, find_rows(r, z - 1));
            if (!r->w->all_same)
                compare_keys(r, z - 1, rows);
        }
    }
}

/* One material that is not air: its surface is its border. */
static void read_uniform(struct reading *r)
{
    struct adit_words *w = r->w;
    int class = (r->source->classes[r->source->encoded->uniform] & 3) - 1;
    if (class >= 0) /* it was not air when the kernel looked, and who writes classes meanwhile gets nothing */
        r->any[class] = 1;
    for (int c = 0; c < (class == OPAQUE ? OPAQUE + 1 : CLASSES); c++)
        memset(w->of[c], c == class ? 0xff : 0, sizeof w->of[c]);
    memset(w->shown, 0, sizeof w->shown);
    memset(w->see_through, class == OPAQUE ? 0 : 0xff, sizeof w->see_through);
    for (uint32_t i = 0; class == OPAQUE && i < DIM; i++) { /* i is z for sides of x and y, and y for those of z */
        w->shown[ADIT_FACE_NX][i] = ~w->plane[ADIT_FACE_NX][OPAQUE][i];
        w->shown[ADIT_FACE_PX][i] = ~w->plane[ADIT_FACE_PX][OPAQUE][i];
        w->shown[ADIT_FACE_NY][i] = w->plane[ADIT_FACE_NY][OPAQUE][i] != ~0ull;
        w->shown[ADIT_FACE_PY][i] = (uint64_t)(w->plane[ADIT_FACE_PY][OPAQUE][i] != ~0ull) << (DIM - 1);
        w->shown[ADIT_FACE_NZ][0] |= (uint64_t)(w->plane[ADIT_FACE_NZ][OPAQUE][i] != ~0ull) << i;
        w->shown[ADIT_FACE_PZ][DIM - 1] |= (uint64_t)(w->plane[ADIT_FACE_PZ][OPAQUE][i] != ~0ull) << i;
    }
}

/* Whether an encoded chunk has one material besides air. */
static bool has_one_material(struct adit_words *w, const struct adit_mesh_source *source)
{
    const struct adit_voxels *v = source->encoded;
    uint32_t n = 0;
    if (!v || v->form == ADIT_VOXELS_DENSE)
        return false;
    w->material = v->uniform;
    for (uint32_t i = 0; v->form == ADIT_VOXELS_BRICKS && i < ADIT_PALETTE_MAX && n < 2; i++) {
        if (source->classes[v->palette[i]] & 3) {
            n++;
            w->material = v->palette[i];
        }
    }
    return v->form == ADIT_VOXELS_UNIFORM || n == 1;
}

void adit_words_read(struct adit_words *w, const struct adit_mesh_source *source)
{
    struct reading r;
    const struct adit_voxels *encoded = source->encoded;
    r.w = w;
    r.source = source;
    memset(r.any, 0, sizeof r.any);
    w->all_same = has_one_material(w, source) ? ~0ull : 0;
    classify_planes(&r);
    if (!encoded || encoded->form == ADIT_VOXELS_DENSE)
        read_dense(&r, encoded ? (const uint16_t *)(const void *)encoded->packed : source->voxels);
    else if (encoded->form == ADIT_VOXELS_BRICKS)
        read_bricks(&r);
    else
        read_uniform(&r);
    for (int class = 0; class < CLASSES; class++)
        w->has[class] = r.any[class];
}
