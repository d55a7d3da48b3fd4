/* mesh_words.c - the mesh of kernels/mesh.h a word of 64 voxels at a time: the kernels "scalar" and "avx2", compiled from the same lines.
 *
 * mesh_words_read.c makes words of bits along x, index z*SLAB + y. A layer of a face is a list of words along U, one for each v:
 *     -Y +Y   layer y, v = z   words as read, SLAB apart
 *     -Z +Z   layer z, v = y   words as read, one after another
 *     -X +X   layer x, v = z   words along y, index z*SLAB + x: visible faces are found in words as read, and those alone are turned
 * Only rows are visited that carry faces. Of opaque voxels these are known exactly; for others it is all rows that have see-through voxels.
 *
 * sweep() walks v and keeps the rows of quads that are open: which cells they cover (all visible cells of the row before), their first and
 * their last cells. An open row is kept when all its cells are visible again, of the same material as above: the carry of one addition runs
 * upwards from the first cells through good ones, and a row is kept whose last cell it has reached. As rows are disjoint, the cells of all
 * that are kept are twice their last cells less their first ones, in one subtraction. Everything visible that is not kept begins new rows.
 * Kept rows are exactly the greedy heightening of mesh.h: a new row never overlaps a kept one, so widening stops where it has to.
 *
 * Quads are ordered by the row they begin in, and their height is known when they end. So a quad is written when it begins, its height less
 * one being less the v it begins at (modulo 2^64), and where it went is noted at its first cell; the v it ends at is added later.
 */
#include "kernels/mesh_words.h"

#include <errno.h>
#include <string.h>

#include "kernels/mesh_shade.h"
#include "kernels/mesh_side.h"
#include "kernels/mesh_fold.h"
#include "kernels/mesh_uniform.h"

enum { DIM = ADIT_CHUNK_DIM, SLAB = ADIT_WORDS_SLAB, CLASSES = ADIT_MESH_CLASSES, VOLUME = ADIT_WORDS_VOLUME };
enum { OPAQUE = ADIT_WORDS_OPAQUE, TRANSLUCENT = ADIT_WORDS_TRANSLUCENT, CUTOUT = ADIT_WORDS_CUTOUT };
enum { SPARSE_MAX = 24 }; /* faces of a slab that are turned one by one: more take longer than turning all of it */

#define AO_OPEN ((uint64_t)ADIT_QUAD_AO_OPEN << 46)

ADIT_SHADE_DEFINE(uint64_t, word, ADIT_SHADE_LOW, ADIT_SHADE_HIGH, ADIT_SHADE_DIFFER)

struct mesher {
    struct adit_words read;
    struct { /* words along y, index z*SLAB + x */
        uint64_t seen[VOLUME];              /* of the face -X or +X and class at work, where columns have faces */
        uint64_t same_y[VOLUME], same_z[VOLUME]; /* of slabs that are turned whole */
        uint64_t whole;                     /* bit z: such slabs */
        uint64_t opaque[VOLUME];            /* for AO, of slabs that are in has_opaque, bit z */
        uint64_t has_opaque;
    } turned;
    uint64_t plane_same[DIM]; /* of the face at work: see-through border voxels of the material beyond, by v */
    uint64_t rows[DIM];       /* of the face and class at work, by layer: bit v is set where faces may be */
    uint64_t like_all;        /* all bits if materials part no faces of the class at work, else none */
    struct adit_shade_side shade; /* of the face at work, with AO */
    const struct adit_mesh_source *source;
    struct adit_mesh_result *result;
    uint64_t extent[3]; /* by axis: bit i is set when layer i has quads */
    uint32_t count;     /* quads found so far, whether or not there was room for them */
    uint32_t slot[DIM]; /* of open rows, by their first cells */
};

/* -- visibility ---------------------------------------------------------------------------------------------------- */

/* Voxels and what lies across the face from them. same: of those, which are of one material with that. */
struct pair {
    uint64_t own, opaque, see_through, same;
};

/* The visible ones: the four lines of "Visibility" in mesh.h. */
static inline uint64_t visible(const struct mesher *m, int class, struct pair p)
{
    uint64_t open = p.own & ~p.opaque;
    if (class == OPAQUE)
        return open;
    if (m->source->flags & ADIT_MESH_TT_NONE)
        open &= ~(p.see_through & ~p.same);
    if (class == TRANSLUCENT)
        open &= ~(p.see_through & p.same);
    return open;
}

/* Row (z, y) as seen from -X or +X: the neighbour is one bit away, and at the border a bit of the plane. */
static inline uint64_t visible_x(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t z, uint32_t y)
{
    const struct adit_words *w = &m->read;
    const uint64_t(*plane)[DIM] = w->plane[s->face];
    uint32_t i = z * SLAB + y, up = s->face & 1, down = !up, at = up ? s->layers - 1 : 0;
    struct pair p = {.own = w->of[class][i]};
    p.opaque = w->of[OPAQUE][i] >> up << down | (plane[OPAQUE][z] >> y & 1) << at;
    if (class != OPAQUE) {
        uint64_t other = w->of[TRANSLUCENT][i] | w->of[CUTOUT][i], beyond = plane[TRANSLUCENT][z] | plane[CUTOUT][z];
        p.see_through = other >> up << down | (beyond >> y & 1) << at;
        p.same = ((w->same[0][i] << down | w->all_same) & ~(1ull << at)) | (m->plane_same[z] >> y & 1) << at;
    }
    return visible(m, class, p);
}

/* Row v of a layer as seen from -Y, +Y, -Z or +Z. */
static inline uint64_t visible_yz(const struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer, uint32_t v)
{
    const struct adit_words *w = &m->read;
    uint32_t at = s->axis == 2 ? layer * SLAB + v : v * SLAB + layer, step = s->axis == 2 ? SLAB : 1; /* to the next layer */
    bool up = s->face & 1, is_border = layer == (up ? s->layers - 1 : 0);
    uint32_t beyond = up ? at + step : at - step;
    struct pair p = {.own = w->of[class][at]};
    p.opaque = is_border ? w->plane[s->face][OPAQUE][v] : w->of[OPAQUE][beyond];
    if (class != OPAQUE) {
        p.see_through = is_border ? w->plane[s->face][TRANSLUCENT][v] | w->plane[s->face][CUTOUT][v]
                                  : w->of[TRANSLUCENT][beyond] | w->of[CUTOUT][beyond];
        p.same = is_border ? m->plane_same[v] : w->same[s->axis][up ? at : beyond] | w->all_same;
    }
    return visible(m, class, p);
}

/* See-through voxels of row v, bits along u, of the border layer of a face. */
static uint64_t border_row(const struct mesher *m, const struct adit_mesh_side *s, uint32_t v)
{
    const uint64_t *one = m->read.of[TRANSLUCENT], *two = m->read.of[CUTOUT];
    uint32_t layer = s->face & 1 ? s->layers - 1 : 0;
    if (s->axis == 1)
        return one[v * SLAB + layer] | two[v * SLAB + layer];
    if (s->axis == 2)
        return one[layer * SLAB + v] | two[layer * SLAB + v];
    uint64_t row = 0;
    for (uint32_t y = 0; y < s->width; y++)
        row |= ((one[v * SLAB + y] | two[v * SLAB + y]) >> layer & 1) << y;
    return row;
}

/* Finds where see-through voxels of the border layer meet their own material in the plane of a face. */
static void compare_plane(struct mesher *m, const struct adit_mesh_side *s)
{
    const uint16_t *plane = m->source->plane[s->face];
    uint32_t border = (s->face & 1 ? s->layers - 1 : 0) * s->voxel_layer;
    memset(m->plane_same, 0, sizeof m->plane_same);
    for (uint32_t v = 0; plane && adit_words_has_see_through(&m->read) && v < s->height; v++) {
        uint64_t beyond = m->read.plane[s->face][TRANSLUCENT][v] | m->read.plane[s->face][CUTOUT][v];
        for (uint64_t both = beyond ? beyond & border_row(m, s, v) : 0; both; both &= both - 1) {
            uint32_t u = adit_word_lowest(both);
            bool is_same = adit_mesh_material(m->source, border + v * s->voxel_v + u * s->voxel_u) == plane[v * DIM + u];
            m->plane_same[v] |= (uint64_t)is_same << u;
        }
    }
}

/* -- turning for -X and +X ----------------------------------------------------------------------------------------- */

/* Turns a slab's visible faces. found: the columns that have faces. */
static void turn_faces(struct mesher *m, uint32_t z, const uint64_t seen[DIM], uint64_t rows, uint64_t found)
{
    uint64_t *to = m->turned.seen + z * SLAB;
    for (; found; found &= found - 1)
        to[adit_word_lowest(found)] = 0;
    for (; rows; rows &= rows - 1) {
        uint32_t y = adit_word_lowest(rows);
        for (uint64_t faces = seen[y]; faces; faces &= faces - 1)
            to[adit_word_lowest(faces)] |= 1ull << y;
    }
}

/* The same for a slab of many faces, and where its voxels are the same. */
static void turn_slab(struct mesher *m, uint32_t z, const uint64_t seen[DIM])
{
    memcpy(m->turned.seen + z * SLAB, seen, DIM * sizeof *seen);
    adit_words_turn(m->turned.seen + z * SLAB);
    if (m->like_all || m->turned.whole >> z & 1)
        return;
    memcpy(m->turned.same_y + z * SLAB, m->read.same[1] + z * SLAB, DIM * sizeof *seen);
    memcpy(m->turned.same_z + z * SLAB, m->read.same[2] + z * SLAB, DIM * sizeof *seen);
    adit_words_turn(m->turned.same_y + z * SLAB);
    adit_words_turn(m->turned.same_z + z * SLAB);
    m->turned.whole |= 1ull << z;
}

/* Turns the opaque voxels of the slabs z for which rows[z] is not 0, and of those beside them. */
static void turn_opaque(struct mesher *m, const uint64_t rows[DIM], uint32_t n)
{
    uint64_t wanted = 0;
    for (uint32_t z = 0; z < n; z++)
        wanted |= rows[z] ? (z ? 7ull << (z - 1) : 3) : 0;
    wanted &= ~m->turned.has_opaque & ~0ull >> (DIM - n);
    m->turned.has_opaque |= wanted;
    for (; wanted; wanted &= wanted - 1) {
        uint32_t z = adit_word_lowest(wanted);
        memcpy(m->turned.opaque + z * SLAB, m->read.of[OPAQUE] + z * SLAB, DIM * sizeof *m->turned.opaque);
        adit_words_turn(m->turned.opaque + z * SLAB);
    }
}

/* Makes m->turned and m->rows. */
static void turn_x(struct mesher *m, const struct adit_mesh_side *s, int class)
{
    const uint64_t *of_slab = class == OPAQUE ? m->read.shown[s->face] : m->read.see_through;
    memset(m->rows, 0, sizeof m->rows);
    for (uint32_t z = 0; z < s->height; z++) {
        uint64_t seen[DIM], found = 0;
        uint32_t n = 0;
        if (!of_slab[z])
            continue;
        for (uint64_t rows = of_slab[z]; rows; rows &= rows - 1) {
            uint32_t y = adit_word_lowest(rows);
            seen[y] = visible_x(m, s, class, z, y);
            found |= seen[y];
            n += adit_word_count(seen[y]);
        }
        if (n <= SPARSE_MAX) {
            turn_faces(m, z, seen, of_slab[z], found);
        } else {
            for (uint64_t rest = ~of_slab[z]; rest; rest &= rest - 1)
                seen[adit_word_lowest(rest)] = 0;
            turn_slab(m, z, seen);
        }
        m->rows[z] = found;
    }
    if (m->source->flags & ADIT_MESH_AO)
        turn_opaque(m, m->rows, s->height);
    adit_words_turn(m->rows);
}

/* -- quads --------------------------------------------------------------------------------------------------------- */

/* Where quads go while a layer is swept. */
struct sink {
    uint64_t *quads;
    uint32_t *slot; /* of open rows, by their first cells */
    uint32_t max;
};

/* The AO of cell u, at its place in a quad. */
ADIT_LANES_OF uint64_t ao_at(const struct word_shade *s, uint64_t u)
{
    uint64_t shade = 0;
    for (uint32_t i = 0; i < 4; i++)
        shade |= ((s->low[i] >> u & 1) | (s->high[i] >> u & 1) << 1) << 2 * i;
    return AO_OPEN ^ shade << 46;
}

/* Begins a row of quads, from number count on, at each cell of first, to the cell of last that belongs to it. quad: all that they share, at cell 0
 * of their row. shade: of that row, or NULL if it is open. Returns the new count. */
ADIT_LANES_OF uint32_t begin(struct sink to, uint32_t count, uint64_t quad, uint32_t u_bit, uint64_t first, uint64_t last, const struct word_shade *shade)
{
    for (; first; first &= first - 1, last &= last - 1, count++) {
        uint64_t u = adit_word_lowest(first), w = adit_word_lowest(last) - u;
        to.slot[u] = count;
        if (count < to.max)
            to.quads[count] = quad + (u << u_bit) + (w << 18) + (shade ? ao_at(shade, u) : AO_OPEN);
    }
    return count;
}

/* Ends the rows of quads with these first cells. height: their last row, at bit 24. */
ADIT_LANES_OF void end(struct sink to, uint64_t first, uint64_t height)
{
    for (; first; first &= first - 1) {
        uint32_t slot = to.slot[adit_word_lowest(first)];
        if (slot < to.max)
            to.quads[slot] += height;
    }
}

/* Bit x of the words of rows, as bits of a word. */
ADIT_LANES_OF uint64_t column_of(const uint64_t word[DIM], uint32_t x, uint64_t rows)
{
    uint64_t column = 0;
    for (; rows; rows &= rows - 1) {
        uint32_t y = adit_word_lowest(rows);
        column |= (word[y] >> x & 1) << y;
    }
    return column;
}

/* One layer at work: where its words lie, and how far they are apart. next: opaque voxels before its faces; of -X and +X with AO only. */
struct lines {
    const uint64_t *own, *next, *same_u, *same_v;
    uint32_t step, next_step;
};

ADIT_LANES_OF struct lines lines_of(const struct mesher *m, const struct adit_mesh_side *s, uint32_t layer, uint32_t axis)
{
    const struct adit_words *w = &m->read;
    const uint64_t *plane = w->plane[s->face][OPAQUE];
    uint32_t from = axis == 2 ? layer * SLAB : layer, step = axis == 2 ? 1 : SLAB, up = s->face & 1;
    bool is_border = layer == (up ? s->layers - 1 : 0);
    if (axis == 0)
        return (struct lines){.own = m->turned.seen + layer, .same_u = m->turned.same_y + layer, .same_v = m->turned.same_z + layer, .step = SLAB,
                              .next = is_border ? plane : m->turned.opaque + (up ? layer + 1 : layer - 1), .next_step = is_border ? 1 : SLAB};
    const uint64_t *own = w->of[OPAQUE] + from;
    return (struct lines){.own = own, .next = is_border ? plane : up ? own + SLAB / step : own - SLAB / step, .step = step, .next_step = is_border ? 1 : step,
                          .same_u = w->same[0] + from, .same_v = w->same[axis == 1 ? 2 : 1] + from};
}

/* Which cells of row v are as the next one, asked for those of a row that begins. Columns of sparse slabs are put together here. */
ADIT_LANES_OF uint64_t like_next(const struct mesher *m, const struct lines *l, uint32_t layer, uint32_t axis, uint32_t v, uint64_t fresh)
{
    if (axis == 0 && !(m->turned.whole >> v & 1))
        return m->like_all ? fresh : column_of(m->read.same[1] + v * SLAB, layer, fresh & fresh >> 1);
    return l->same_u[v * l->step] | m->like_all;
}

/* Which of these cells of row v are as those of row v - 1. */
ADIT_LANES_OF uint64_t like_above(const struct mesher *m, const struct lines *l, uint32_t layer, uint32_t axis, uint32_t v, uint64_t both)
{
    if (!both || m->like_all)
        return both;
    if (axis == 0 && !(m->turned.whole >> (v - 1) & 1))
        return column_of(m->read.same[2] + (v - 1) * SLAB, layer, both);
    return both & l->same_v[(v - 1) * l->step];
}

/* The shade of row v, as far as it matters to cells of seen. Returns whether any of them has some; else shade is left as it is. */
ADIT_LANES_OF bool find_shade(const struct mesher *m, const struct adit_mesh_side *s, const struct lines *l, uint32_t layer, uint32_t v, uint64_t seen,
                              struct word_shade *shade)
{
    uint64_t left[3], mid[3], right[3], near, inside = ~0ull >> (DIM - s->width); /* turned words hold more */
    for (uint32_t i = 0; i < 3; i++) {
        bool is_past = v + i == 0 || v + i > s->height;
        mid[i] = (is_past ? m->shade.past[i / 2][layer] : l->next[(v + i - 1) * l->next_step]) & inside;
        left[i] = mid[i] << 1 | (m->shade.lo[v + i] >> layer & 1);
        right[i] = mid[i] >> 1 | (m->shade.hi[v + i] >> layer & 1) << (s->width - 1);
    }
    near = left[0] | left[1] | left[2] | mid[0] | mid[2] | right[0] | right[1] | right[2];
    if (!(near & seen))
        return false;
    word_shade_of(shade, left, mid, right);
    return true;
}

/* One layer of one class. axis is that of the face, is_opaque whether the class is, is_shaded whether there is AO or light: constants where this
 * is inlined. */
ADIT_LANES_OF void sweep(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer, uint32_t axis, bool is_opaque, bool is_shaded)
{
    const struct lines l = lines_of(m, s, layer, axis);
    const struct sink to = {.quads = m->result->quads, .slot = m->slot, .max = m->result->quads_max};
    const bool is_greedy = !(m->source->flags & ADIT_MESH_CULLED), is_exact = axis == 0 || is_opaque;
    const uint64_t rows = m->rows[layer], linked = rows & rows << 1;
    const bool has_ao = is_shaded && m->source->flags & ADIT_MESH_AO, has_light = is_shaded && m->source->light;
    struct word_shade shade;
    const uint64_t quad_0 = layer * s->voxel_layer, quad_v = s->voxel_v - (is_greedy ? 1ull << 24 : 0);
    uint64_t all = 0, v_all = is_exact ? rows : 0; /* where every row has faces */
    uint64_t covered = 0, open_first = 0, open_last = 0, before = 0, uneven_above = 0;
    uint32_t count = m->count, faces = 0;
    for (uint64_t rest = rows; rest; rest &= rest - 1) {
        uint64_t v = adit_word_lowest(rest);
        uint64_t seen = axis == 0 ? l.own[v * l.step] : is_opaque ? l.own[v * l.step] & ~l.next[v * l.next_step]
                                                                  : visible_yz(m, s, class, layer, (uint32_t)v);
        all |= seen;
        v_all |= is_exact ? 0 : (uint64_t)(seen != 0) << v;
        faces += adit_word_count(seen);
        bool is_dark = has_ao && find_shade(m, s, &l, layer, (uint32_t)v, seen, &shade);
        const struct word_shade *dark = is_dark ? &shade : NULL;
        if (!is_greedy) {
            count = begin(to, count, quad_0 + v * quad_v, axis == 0 ? 6 : 0, seen, seen, dark);
            continue;
        }
        uint64_t good = like_above(m, &l, layer, axis, (uint32_t)v, covered & seen & -(linked >> v & 1));
        if (has_ao) {
            uint64_t uneven = is_dark ? word_shade_uneven_v(&shade) : 0;
            good &= ~(uneven | uneven_above);
            uneven_above = uneven;
        }
        if (has_light && good)
            good &= adit_light_like_above(m->source, s, layer, (uint32_t)v);
        uint64_t start = good & open_first;
        uint64_t kept_last = good & (~(good + start) | start) & open_last;
        uint64_t kept_first = adit_word_firsts(kept_last, open_last, open_first);
        uint64_t fresh = seen & ~((kept_last << 1) - kept_first), like = like_next(m, &l, layer, axis, (uint32_t)v, fresh);
        if (is_dark)
            like &= word_shade_like_next(&shade);
        if (has_light && fresh)
            like &= adit_light_like_next(m->source, s, layer, (uint32_t)v);
        uint64_t first = fresh & ~((fresh & like) << 1), last = fresh & ~(fresh >> 1 & like);
        end(to, open_first ^ kept_first, before << 24);
        count = begin(to, count, quad_0 + v * quad_v, axis == 0 ? 6 : 0, first, last, dark);
        open_first = kept_first | first;
        open_last = kept_last | last;
        covered = seen;
        before = v;
    }
    end(to, open_first, before << 24);
    m->count = count;
    m->result->faces += faces;
    m->extent[axis] |= (uint64_t)(all != 0) << layer;
    m->extent[s->u_axis] |= all;
    m->extent[s->v_axis] |= v_all;
}

/* Gives the quads from number from on their materials. x, y and z lie in a quad as in an index of voxels. */
static void add_materials(struct mesher *m, uint32_t from)
{
    const struct adit_voxels *v = m->source->encoded;
    uint64_t *quads = m->result->quads;
    uint32_t to = m->count < m->result->quads_max ? m->count : m->result->quads_max;
    if (m->read.all_same) {
        for (uint32_t i = from; i < to; i++)
            quads[i] |= (uint64_t)m->read.material << 30;
    } else if (!v || v->form == ADIT_VOXELS_DENSE) {
        const uint16_t *voxels = v ? (const uint16_t *)(const void *)v->packed : m->source->voxels;
        for (uint32_t i = from; i < to; i++)
            quads[i] |= (uint64_t)voxels[quads[i] & 0x3ffff] << 30;
    } else {
        for (uint32_t i = from; i < to; i++) { /* without a branch that depends on the brick */
            uint32_t index = quads[i] & 0x3ffff;
            const struct adit_words_brick *brick = &m->read.brick[adit_index_brick(index)];
            uint32_t bit = adit_index_in_brick(index) * brick->bits;
            quads[i] |= (uint64_t)brick->material[brick->at[bit / 8] >> bit % 8 & brick->mask] << 30;
        }
    }
}

/* Makes m->rows, and m->turned where it is needed. */
static void find_rows(struct mesher *m, const struct adit_mesh_side *s, int class)
{
    if (s->axis == 0) {
        turn_x(m, s, class);
        return;
    }
    const uint64_t *by_z = class == OPAQUE ? m->read.shown[s->face] : m->read.see_through;
    memset(m->rows, 0, sizeof m->rows);
    memcpy(m->rows, by_z, m->source->dim[2] * sizeof *by_z);
    if (s->axis == 1)
        adit_words_turn(m->rows);
}

static void sweep_layer(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer)
{
    if (s->axis == 0)
        sweep(m, s, class, layer, 0, class == OPAQUE, false);
    else if (s->axis == 1 && class == OPAQUE)
        sweep(m, s, class, layer, 1, true, false);
    else if (s->axis == 1)
        sweep(m, s, class, layer, 1, false, false);
    else if (class == OPAQUE)
        sweep(m, s, class, layer, 2, true, false);
    else
        sweep(m, s, class, layer, 2, false, false);
}

static void sweep_shaded_layer(struct mesher *m, const struct adit_mesh_side *s, int class, uint32_t layer)
{
    if (s->axis == 0)
        sweep(m, s, class, layer, 0, class == OPAQUE, true);
    else if (s->axis == 1)
        sweep(m, s, class, layer, 1, class == OPAQUE, true);
    else
        sweep(m, s, class, layer, 2, class == OPAQUE, true);
}

static void mesh_face(struct mesher *m, uint32_t face)
{
    struct adit_mesh_side s = adit_mesh_side_of(m->source, face);
    bool has_ao = m->source->flags & ADIT_MESH_AO, is_shaded = has_ao || m->source->light;
    uint32_t max = m->result->quads_max;
    compare_plane(m, &s);
    if (has_ao && (m->read.has[OPAQUE] || adit_words_has_see_through(&m->read)))
        adit_shade_side_make(&m->shade, m->source, &s, m->read.plane);
    for (int class = 0; class < CLASSES; class++) {
        uint32_t from = m->count;
        m->result->start[face * CLASSES + (uint32_t)class] = from;
        if (!m->read.has[class])
            continue;
        m->like_all = class == OPAQUE && m->source->flags & ADIT_MESH_ANY_OPAQUE ? ~0ull : m->read.all_same;
        find_rows(m, &s, class);
        for (uint32_t layer = 0; layer < s.layers; layer++) {
            if (m->rows[layer] && is_shaded)
                sweep_shaded_layer(m, &s, class, layer);
            else if (m->rows[layer])
                sweep_layer(m, &s, class, layer);
        }
        add_materials(m, from);
        if (m->source->light && from < max)
            adit_light_add(m->source, &s, m->result->quads + from, (m->count < max ? m->count : max) - from);
    }
}

/* Not inlined: a folded chunk comes here by way of another kernel call, and this frame is large. */
static __attribute__((noinline)) int mesh_all(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    struct mesher m;
    m.source = source;
    m.result = result;
    m.count = 0;
    m.turned.whole = m.turned.has_opaque = 0;
    memset(m.extent, 0, sizeof m.extent);
    adit_words_read(&m.read, source);
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        mesh_face(&m, face);
    return adit_mesh_result_finish(result, m.extent, m.count);
}

#define THIS_KERNEL ADIT_WORDS_NAME(adit_mesh_, ADIT_MESH_WORDS)

int THIS_KERNEL(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    int status;
    adit_mesh_result_init(result);
    if (!adit_mesh_is_valid(source, result))
        return -EINVAL;
    if (ADIT_WORDS_NAME(adit_mesh_uniform_, ADIT_MESH_WORDS)(source, result, &status) || adit_mesh_fold(source, THIS_KERNEL, result, &status))
        return status;
    return mesh_all(source, result);
}
