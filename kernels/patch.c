/* patch.c - the atlas of patch.h.
 *
 * A first walk over the quads tells the flat ones and piles the others up by size: 64 x 64 lists that are chained through places[], so no memory
 * is needed. Then shelves are filled, each as high as the tallest patch left, from left to right. A *gap* w x h always takes the tallest patch that
 * fits, of these the widest; upon a patch lower than its gap a new gap is opened, which is filled first. Gaps upon each other get lower, so there are at most 64
 * at a time, and each step places a patch or closes a gap. (Shelf algorithms: Coffman, Garey, Johnson, Tarjan, "Performance bounds for level-oriented
 * two-dimensional packing algorithms", 1980; gaps instead of a fixed order of patches are what differs here.)
 *
 * Why a hostile peer does no harm: places follow from the piles, which are private but for the links, and these are the caller's. When a patch is written
 * its quad is read once more, and left out unless it has the size that the place was made for and lies in the volume.
 */
#include "kernels/patch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "kernels/mesh_side.h"

enum { DIM = ADIT_CHUNK_DIM, END = -1 };

/* Patches that have no place yet, by size. Widths and heights are less one. */
struct pile {
    uint64_t widths_of[DIM], heights_of[DIM], heights; /* which there are of a height, of a width, of any width */
    uint32_t first[DIM][DIM];                          /* quad, by height and width, where there is one; places[] has the next one, or END */
};

/* Texels of flat quads: number n is at n % width, n / width. */
struct flats {
    uint32_t n;
    uint64_t is_seen[ADIT_MATERIALS / 64];
    uint16_t number[ADIT_MATERIALS]; /* where seen */
};

/* One quad: its voxels begin at `index` of a chunk's. */
struct patch {
    uint32_t w, h, index, step_u, step_v; /* w and h as they are */
    uint16_t material;
};

struct work {
    const struct adit_mesh_source *source;
    const struct adit_mesh_result *mesh;
    struct adit_patch_atlas *atlas;
    const uint16_t *voxels; /* NULL: bricks, or one material */
    struct pile pile;
    struct flats flats;
};

static uint32_t highest(uint64_t bits)
{
    return 63 - (uint32_t)__builtin_clzll(bits);
}

/* -- voxels -------------------------------------------------------------------------------------------------------- */

/* The quad number i of a face, read once. False when it reaches beyond the volume. */
static inline bool patch_of(const struct work *work, const struct adit_mesh_side *side, uint32_t i, struct patch *p)
{
    uint64_t quad = *(const volatile uint64_t *)&work->mesh->quads[i];
    const uint32_t at[3] = {adit_quad_x(quad), adit_quad_y(quad), adit_quad_z(quad)};
    p->w = adit_quad_w(quad);
    p->h = adit_quad_h(quad);
    p->index = (uint32_t)quad & (ADIT_CHUNK_VOXELS - 1);
    p->step_u = side->voxel_u;
    p->step_v = side->voxel_v;
    p->material = (uint16_t)adit_quad_material(quad);
    return at[side->axis] < side->layers && at[side->u_axis] + p->w <= side->width && at[side->v_axis] + p->h <= side->height;
}

static inline uint16_t material_at(const struct work *work, uint32_t index)
{
    return work->voxels ? work->voxels[index] : adit_mesh_material(work->source, index);
}

/* Whether n materials, of every step'th voxel from index on, are the one given. A loop for each form and the usual step, as most of the time goes here. */
static inline bool run_is(const struct work *work, uint32_t index, uint32_t step, uint32_t n, uint16_t material)
{
    uint32_t differ = 0;
    if (!work->voxels)
        for (uint32_t i = 0; i < n; i++)
            differ |= adit_mesh_material(work->source, index + i * step) ^ material;
    else if (step == 1)
        for (uint32_t i = 0; i < n; i++)
            differ |= work->voxels[index + i] ^ material;
    else
        for (uint32_t i = 0; i < n; i++)
            differ |= work->voxels[index + i * step] ^ material;
    return !differ;
}

/* Whether all its faces have the quad's own material: of a quad made exact even the first one need not. */
static inline bool patch_is_flat(const struct work *work, const struct patch *p)
{
    for (uint32_t v = 0; v < p->h; v++)
        if (!run_is(work, p->index + v * p->step_v, p->step_u, p->w, p->material))
            return false;
    return true;
}

/* -- the first walk ------------------------------------------------------------------------------------------------ */

static uint32_t flat_place(struct flats *flats, uint32_t width, uint16_t material)
{
    if (!(flats->is_seen[material / 64] >> material % 64 & 1)) {
        flats->is_seen[material / 64] |= 1ull << material % 64;
        flats->number[material] = (uint16_t)flats->n++;
    }
    uint32_t number = flats->number[material];
    return ADIT_PATCH_FLAT | number % width | number / width << 16;
}

static void pile_add(struct pile *pile, uint32_t *places, uint32_t i, uint32_t w, uint32_t h)
{
    places[i] = pile->widths_of[h] >> w & 1 ? pile->first[h][w] : (uint32_t)END;
    pile->first[h][w] = i;
    pile->widths_of[h] |= 1ull << w;
    pile->heights_of[w] |= 1ull << h;
    pile->heights |= 1ull << h;
}

/* Flat quads get their places, others onto the pile. -EINVAL if one lies outside. */
static int sort_out(struct work *work)
{
    struct adit_patch_atlas *atlas = work->atlas;
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        struct adit_mesh_side side = adit_mesh_side_of(work->source, range / ADIT_MESH_CLASSES);
        bool is_mixed = range % ADIT_MESH_CLASSES == ADIT_CLASS_OPAQUE - 1 && (work->source->flags & ADIT_MESH_ANY_OPAQUE);
        for (uint32_t i = work->mesh->start[range]; i < work->mesh->start[range + 1]; i++) {
            struct patch p;
            if (!patch_of(work, &side, i, &p))
                return -EINVAL;
            if (!is_mixed || patch_is_flat(work, &p))
                atlas->places[i] = flat_place(&work->flats, atlas->width, p.material);
            else
                pile_add(&work->pile, atlas->places, i, p.w - 1, p.h - 1);
        }
    }
    return 0;
}

/* -- packing ------------------------------------------------------------------------------------------------------- */

/* Takes the tallest patch off the pile that fits into w x h, the widest of these; its size less one. False if none does. */
static bool pile_take(struct pile *pile, const uint32_t *places, uint32_t gap_w, uint32_t gap_h, uint32_t *quad, uint32_t *w, uint32_t *h)
{
    if (!gap_w)
        return false;
    uint32_t narrow = gap_w < DIM ? gap_w : DIM;
    uint64_t fit = 0;
    if (narrow == DIM)
        fit = pile->heights;
    else if (narrow <= gap_h)
        for (uint32_t i = 0; i < narrow; i++)
            fit |= pile->heights_of[i];
    else
        for (uint32_t i = 0; i < gap_h; i++)
            fit |= (uint64_t)((pile->widths_of[i] & adit_low_bits(narrow)) != 0) << i;
    fit &= adit_low_bits(gap_h);
    if (!fit)
        return false;
    *h = highest(fit);
    *w = highest(pile->widths_of[*h] & adit_low_bits(narrow));
    *quad = pile->first[*h][*w];
    pile->first[*h][*w] = places[*quad];
    if (places[*quad] == (uint32_t)END) {
        pile->widths_of[*h] &= ~(1ull << *w);
        pile->heights_of[*w] &= ~(1ull << *h);
        if (!pile->widths_of[*h])
            pile->heights &= ~(1ull << *h);
    }
    return true;
}

static uint32_t face_of(const struct adit_mesh_result *mesh, uint32_t quad)
{
    uint32_t face = 0;
    for (uint32_t f = 1; f < ADIT_FACES; f++)
        face += quad >= mesh->start[f * ADIT_MESH_CLASSES];
    return face;
}

/* Writes the texels of a quad at x, y, where they fit. */
static void patch_write(struct work *work, uint32_t quad, uint32_t x, uint64_t y, uint32_t w, uint32_t h)
{
    struct adit_patch_atlas *atlas = work->atlas;
    struct adit_mesh_side side = adit_mesh_side_of(work->source, face_of(work->mesh, quad));
    struct patch p;
    if (y + h > atlas->height_max || !patch_of(work, &side, quad, &p) || p.w != w || p.h != h)
        return;
    uint64_t to = y * atlas->width + x;
    for (uint32_t v = 0; v < h; v++, to += atlas->width)
        for (uint32_t u = 0; u < w; u++) {
            uint16_t material = material_at(work, p.index + v * p.step_v + u * p.step_u);
            if (atlas->materials)
                atlas->materials[to + u] = material;
            if (atlas->colours)
                atlas->colours[to + u] = atlas->palette[material];
        }
}

static void flats_write(const struct flats *flats, struct adit_patch_atlas *atlas)
{
    for (uint32_t word = 0; word < ADIT_MATERIALS / 64; word++)
        for (uint64_t left = flats->is_seen[word]; left; left &= left - 1) {
            uint32_t material = word * 64 + (uint32_t)__builtin_ctzll(left), at = flats->number[material];
            if (at / atlas->width >= atlas->height_max)
                continue;
            if (atlas->materials)
                atlas->materials[at] = (uint16_t)material;
            if (atlas->colours)
                atlas->colours[at] = atlas->palette[material];
        }
}

/* Fills a gap of the atlas, and those that open upon its patches. */
static void gap_fill(struct work *work, uint32_t x, uint64_t y, uint32_t gap_w, uint32_t gap_h)
{
    struct {
        uint64_t y;
        uint32_t x, w, h;
    } gap[DIM + 1] = {{y, x, gap_w, gap_h}}; /* each lower than the one before */
    for (uint32_t n = 1; n;) {
        uint32_t quad, w, h, at_x = gap[n - 1].x, rest = gap[n - 1].h;
        uint64_t at_y = gap[n - 1].y;
        if (!pile_take(&work->pile, work->atlas->places, gap[n - 1].w, rest, &quad, &w, &h)) {
            n--;
            continue;
        }
        w++, h++;
        work->atlas->places[quad] = at_x | (uint32_t)at_y << 16;
        work->atlas->texels += w * h;
        patch_write(work, quad, at_x, at_y, w, h);
        gap[n - 1].x += w;
        gap[n - 1].w -= w;
        if (h < rest) {
            gap[n].x = at_x, gap[n].y = at_y + h, gap[n].w = w, gap[n].h = rest - h;
            n++;
        }
    }
}

static bool is_valid(const struct adit_mesh_source *source, const struct adit_mesh_result *mesh, const struct adit_patch_atlas *atlas)
{
    const uint32_t *start = mesh->start, n = start[ADIT_MESH_RANGES];
    bool is_sound = start[0] == 0 && n <= mesh->quads_max && adit_mesh_is_valid(source, mesh);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++)
        is_sound &= start[range] <= start[range + 1];
    return is_sound && atlas->width >= ADIT_PATCH_WIDTH_MIN && atlas->width <= ADIT_PATCH_WIDTH_MAX &&
           atlas->width % ADIT_PATCH_WIDTH_MIN == 0 && atlas->height_max <= ADIT_PATCH_HEIGHT_MAX && (atlas->places || !n) &&
           (!atlas->colours || atlas->palette);
}

int adit_patch_make(const struct adit_mesh_source *source, const struct adit_mesh_result *mesh, struct adit_patch_atlas *atlas)
{
    atlas->height = atlas->texels = 0;
    if (!is_valid(source, mesh, atlas))
        return -EINVAL;
    struct work work;
    work.source = source;
    work.mesh = mesh;
    work.atlas = atlas;
    const struct adit_voxels *encoded = source->encoded;
    bool is_dense = encoded && encoded->form == ADIT_VOXELS_DENSE;
    work.voxels = is_dense ? (const uint16_t *)(const void *)encoded->packed : encoded ? NULL : source->voxels;
    memset(&work.pile, 0, offsetof(struct pile, first));
    memset(&work.flats, 0, offsetof(struct flats, number));
    int status = sort_out(&work);
    if (status)
        return status;
    uint32_t width = atlas->width, begun = work.flats.n % width;
    uint64_t y = work.flats.n / width;
    atlas->texels = work.flats.n;
    flats_write(&work.flats, atlas);
    if (begun) /* patches of one texel in height beside the last flat ones */
        gap_fill(&work, begun, y++, width - begun, 1);
    while (work.pile.heights) {
        uint32_t h = highest(work.pile.heights) + 1;
        gap_fill(&work, 0, y, width, h);
        y += h;
    }
    atlas->height = y < UINT32_MAX ? (uint32_t)y : UINT32_MAX;
    return y > atlas->height_max ? -ENOSPC : 0;
}
