/* remesh_slice.c - see remesh_slice.h.
 *
 * sweep() makes the greedy of one key again. Side by side it keeps two sets of open quads while it walks down the rows: those of the old
 * mesh, of which the quads tell where they begin and end, and those of the new one, which follow from the cells of the row. Both are words of
 * first cells and of all cells covered. When the rectangle is behind and both sets hold the same quads, begun in the same rows, the rest follows
 * from the same state and the same cells, and is the same.
 *
 * Why two words show that: in either set each visible cell of the row is covered, so words of cells and of first cells say where every open quad
 * lies; and `same` holds the first cells of those that were begun in one row and have been open in both sets ever since.
 *
 * A new quad that is open before the rectangle differs from its old self in its height alone, so that is mended in place. Of the rows
 * behind, old quads that the sweep has met are gone, and new ones lie at their places in a field; so slices stay in order without sorting.
 *
 * Old quads may be anything (a peer may have written them). Each is taken in if it covers nothing that an open one does, else it is left where it is,
 * so the words always describe quads that are apart; and all indices come from words and fields of six bits.
 */
#include "kernels/remesh_slice.h"

#include <string.h>

enum { DIM = ADIT_CHUNK_DIM, W_BIT = 18, H_BIT = 24, KEY_BIT = 30, AT_BITS = 18 };

#define MATERIAL 0xffffull /* of a key */

static inline uint32_t field(uint64_t quad, uint32_t bit)
{
    return (uint32_t)(quad >> bit & 63);
}

static inline uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint32_t lowest(uint64_t word) /* not 0 */
{
    return (uint32_t)__builtin_ctzll(word);
}

/* Bits first .. last, 0 <= first <= last <= 63. */
static inline uint64_t span_of(uint32_t first, uint32_t last)
{
    return ~0ull >> (63 - last) & ~0ull << first;
}

static inline uint64_t quad_span(const struct adit_slice *s, uint64_t quad)
{
    uint32_t u = field(quad, s->u_bit);
    return span_of(u, least(u + field(quad, W_BIT), DIM - 1));
}

static inline uint64_t quad_key(const struct adit_slice *s, uint64_t quad)
{
    return quad >> KEY_BIT & ~(s->is_any ? MATERIAL : 0);
}

/* The material of a quad's first cell, whose voxel lies at its x, y and z. */
static inline uint64_t quad_material(const struct adit_slice *s, uint64_t quad)
{
    return adit_mesh_material(s->source, (uint32_t)quad & ((1u << AT_BITS) - 1));
}

/* -- the rectangle ------------------------------------------------------------------------------------------------- */

/* Makes had: what the old quads cover of the rectangle; and finds those that a sweep begins with. */
static void find_had(struct adit_slice *s)
{
    uint32_t width = s->u1 - s->u0 + 1, height = s->v1 - s->v0 + 1;
    for (uint32_t i = 0; i < width * height; i++)
        s->had[i] = 0;
    s->from = s->n;
    s->open_n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t quad = s->quad[i];
        uint32_t u = field(quad, s->u_bit), v = field(quad, s->v_bit), w = field(quad, W_BIT), h = field(quad, H_BIT);
        if (v >= s->v0)
            s->from = least(s->from, i);
        else if (v + h + 1 >= s->v0)
            s->open[s->open_n++] = (uint16_t)i;
        if (v > s->v1)
            break; /* they are in order */
        if (v + h < s->v0 || u + w < s->u0 || u > s->u1)
            continue;
        uint64_t cell = adit_cell_make(quad_key(s, quad), s->class);
        for (uint32_t row = most(v, s->v0); row <= least(v + h, s->v1); row++)
            for (uint32_t at = most(u, s->u0); at <= least(u + w, s->u1); at++)
                s->had[(row - s->v0) * width + at - s->u0] = cell;
    }
}

/* Where materials do not count: gives quads that begin in the rectangle the material that is there now. Returns whether one has changed. */
static bool mend_materials(struct adit_slice *s)
{
    bool has_changed = false;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t quad = s->quad[i];
        uint32_t u = field(quad, s->u_bit), v = field(quad, s->v_bit);
        if (u < s->u0 || u > s->u1 || v < s->v0 || v > s->v1)
            continue;
        s->quad[i] = (quad & ~(MATERIAL << KEY_BIT)) | quad_material(s, quad) << KEY_BIT;
        has_changed |= s->quad[i] != quad;
    }
    return has_changed;
}

static bool add_key(struct adit_slice *s, uint64_t cell)
{
    for (uint32_t k = 0; k < s->keys; k++)
        if (s->key[k] == cell)
            return true;
    if (s->keys == ADIT_SLICE_KEYS_MAX)
        return false;
    s->key[s->keys++] = cell;
    return true;
}

/* Lists the keys of cells that differ, and counts faces. False: too many keys. */
static bool find_keys(struct adit_slice *s, struct adit_slice_change *change)
{
    uint32_t width = s->u1 - s->u0 + 1, height = s->v1 - s->v0 + 1;
    s->keys = 0;
    for (uint32_t i = 0; i < width * height; i++) {
        uint64_t had = s->had[i], want = s->want[i];
        if (had == want)
            continue;
        if ((had && !add_key(s, had)) || (want && !add_key(s, want)))
            return false;
        if (had && want)
            continue;
        uint64_t *to = want ? change->came : change->went;
        to[s->u_bit / 6] |= 1ull << (s->u0 + i % width);
        to[s->v_bit / 6] |= 1ull << (s->v0 + i / width);
        to[3 - s->u_bit / 6 - s->v_bit / 6] |= 1ull << field(s->layer, 18 - s->u_bit - s->v_bit);
        change->faces += want ? 1 : -1;
    }
    return true;
}

/* -- one key ------------------------------------------------------------------------------------------------------- */

struct sweep {
    struct adit_slice *s;
    uint64_t cell;
    uint32_t next; /* the first old quad that begins below the row at work */
    /* open quads as they were, by their first cells; and which of them end in a row, first cells and all */
    uint64_t had_first, had_cells, begun; /* begun: first cells, in this row */
    uint64_t end_first[DIM], end_cells[DIM];
    uint16_t had_open[DIM];
    /* and as they are now */
    uint64_t first, last, cells, same;
    uint64_t *open[DIM];
};

/* Takes an old quad among the open ones, unless it covers what another one does. */
static bool had_begin(struct sweep *w, uint32_t number)
{
    uint64_t quad = w->s->quad[number], span = quad_span(w->s, quad);
    if (span & w->had_cells)
        return false;
    uint32_t u = field(quad, w->s->u_bit), end = least(field(quad, w->s->v_bit) + field(quad, H_BIT), DIM - 1);
    w->had_first |= 1ull << u;
    w->had_cells |= span;
    w->end_first[end] |= 1ull << u;
    w->end_cells[end] |= span;
    w->had_open[u] = (uint16_t)number;
    return true;
}

static inline bool is_of_key(const struct sweep *w, uint64_t quad)
{
    return adit_cell_make(quad_key(w->s, quad), w->s->class) == w->cell;
}

/* Makes both sets as they are at row v0 - 1. */
static void open_all(struct sweep *w)
{
    struct adit_slice *s = w->s;
    w->had_first = w->had_cells = w->first = w->last = w->cells = 0;
    w->next = s->from;
    memset(w->end_first, 0, sizeof w->end_first);
    memset(w->end_cells, 0, sizeof w->end_cells);
    for (uint32_t i = 0; i < s->open_n; i++) {
        uint32_t number = s->open[i];
        if (is_of_key(w, s->quad[number]) && had_begin(w, number)) {
            uint64_t span = quad_span(s, s->quad[number]);
            w->last |= span & ~(span >> 1);
            w->open[lowest(span)] = &s->quad[number];
        }
    }
    w->first = w->same = w->had_first;
    w->cells = w->had_cells;
}

/* The old set goes on to a row. */
static void had_row(struct sweep *w, uint32_t row)
{
    struct adit_slice *s = w->s;
    if (row) {
        w->had_first &= ~w->end_first[row - 1];
        w->had_cells &= ~w->end_cells[row - 1];
    }
    w->begun = 0;
    for (; w->next < s->n && field(s->quad[w->next], s->v_bit) <= row; w->next++) {
        uint32_t number = w->next;
        if (is_of_key(w, s->quad[number]) && field(s->quad[number], s->v_bit) == row && had_begin(w, number)) {
            s->is_gone[number] = true;
            w->begun |= 1ull << field(s->quad[number], s->u_bit);
        }
    }
}

/* Ends the new quads of which not all cells are in good; row is the first that they do not cover. */
static void end_quads(struct sweep *w, uint32_t row, uint64_t good)
{
    for (uint64_t bad = w->cells & ~good; bad;) {
        uint32_t at = lowest(bad);
        uint32_t u = 63 - (uint32_t)__builtin_clzll(w->first & span_of(0, at)), end = lowest(w->last & span_of(at, 63));
        uint64_t *quad = w->open[u], span = span_of(u, end);
        uint32_t height = row - field(*quad, w->s->v_bit);
        *quad = (*quad & ~(63ull << H_BIT)) | (uint64_t)(height - 1) << H_BIT;
        w->first &= ~(1ull << u);
        w->last &= ~(1ull << end);
        w->cells &= ~span;
        bad &= ~span;
    }
}

/* Begins new quads where cells are not covered. Returns their first cells. */
static uint64_t begin_quads(struct sweep *w, uint32_t row, uint64_t cells)
{
    struct adit_slice *s = w->s;
    uint64_t begun = 0, key = w->cell & ((1ull << ADIT_CELL_KEY_BITS) - 1);
    for (uint64_t fresh = cells & ~w->cells; fresh;) {
        uint32_t u = lowest(fresh), end = u;
        uint64_t behind = ~(fresh >> u);
        if (!s->is_culled)
            end = behind ? u + lowest(behind) - 1 : 63;
        uint64_t *quad = &s->begun[row * DIM + u];
        *quad = s->layer | (uint64_t)u << s->u_bit | (uint64_t)row << s->v_bit | (uint64_t)(end - u) << W_BIT | key << KEY_BIT;
        if (s->is_any)
            *quad |= quad_material(s, *quad) << KEY_BIT;
        w->open[u] = quad;
        w->last |= 1ull << end;
        begun |= 1ull << u;
        s->begun_n++;
        fresh &= ~span_of(u, end);
    }
    w->first |= begun;
    w->cells = cells;
    s->begins[row] |= begun;
    return begun;
}

/* The cells of a row of the rectangle that the key has now. */
static uint64_t row_of(const struct adit_slice *s, uint64_t cell, uint32_t row)
{
    uint32_t width = s->u1 - s->u0 + 1;
    const uint64_t *want = s->want + (row - s->v0) * width;
    uint64_t cells = 0;
    for (uint32_t i = 0; i < width; i++)
        cells |= (uint64_t)(want[i] == cell) << i;
    return cells << s->u0;
}

static void sweep_key(struct sweep *w)
{
    struct adit_slice *s = w->s;
    open_all(w);
    uint32_t row = s->v0;
    for (; row < s->rows; row++) {
        had_row(w, row);
        uint64_t cells = w->had_cells;
        if (row <= s->v1)
            cells = (cells & ~span_of(s->u0, s->u1)) | row_of(s, w->cell, row);
        end_quads(w, row, s->is_culled ? 0 : cells);
        uint64_t kept = w->first & w->had_first & ~w->begun, begun = begin_quads(w, row, cells);
        w->same = (w->same & kept) | (w->begun & begun);
        if (row >= s->v1 && w->first == w->had_first && w->cells == w->had_cells && !(w->first & ~w->same))
            break;
    }
    s->stop = most(s->stop, least(row, s->rows - 1));
    if (row == s->rows) {
        end_quads(w, row, 0);
        return;
    }
    for (uint64_t first = w->first; first; first &= first - 1) /* they end where they ended */
        *w->open[lowest(first)] = s->quad[w->had_open[lowest(first)]];
}

/* -- the slice ----------------------------------------------------------------------------------------------------- */

enum adit_slice_result adit_slice_update(struct adit_slice *s, const uint64_t *cells, struct adit_slice_change *change)
{
    uint32_t n = (s->u1 - s->u0 + 1) * (s->v1 - s->v0 + 1);
    uint64_t differ = 0;
    find_had(s);
    for (uint32_t i = 0; i < n; i++) {
        s->want[i] = adit_cell_class(cells[i]) == s->class ? cells[i] : 0;
        differ |= s->want[i] ^ s->had[i];
    }
    bool has_mended = s->is_any && mend_materials(s);
    if (!differ && !has_mended)
        return ADIT_SLICE_AS_IT_WAS;
    if (!find_keys(s, change))
        return ADIT_SLICE_TOO_MUCH;
    struct sweep w;
    w.s = s;
    s->stop = s->v1;
    s->begun_n = 0;
    memset(s->begins, 0, sizeof s->begins);
    memset(s->is_gone, 0, s->n * sizeof *s->is_gone);
    for (uint32_t k = 0; k < s->keys; k++) {
        w.cell = s->key[k];
        sweep_key(&w);
    }
    return ADIT_SLICE_CHANGED;
}

uint32_t adit_slice_write(struct adit_slice *s, uint64_t *to, uint32_t room)
{
    const uint64_t *first = to;
    uint32_t from = s->from, behind;
    for (behind = from; behind < s->n && field(s->quad[behind], s->v_bit) <= s->stop; behind++) {
        uint32_t u = field(s->quad[behind], s->u_bit), v = field(s->quad[behind], s->v_bit);
        if (s->is_gone[behind])
            continue;
        s->begins[v] |= 1ull << u;
        s->begun[v * DIM + u] = s->quad[behind];
        s->begun_n++;
    }
    if (from + s->begun_n + s->n - behind > room) /* two at one place, which no mesh has, count twice */
        return from + s->begun_n + s->n - behind;
    memcpy(to, s->quad, from * sizeof *to);
    to += from;
    for (uint32_t row = s->v0; row <= s->stop; row++)
        for (uint64_t u = s->begins[row]; u; u &= u - 1)
            *to++ = s->begun[row * DIM + lowest(u)];
    memcpy(to, s->quad + behind, (s->n - behind) * sizeof *to);
    return (uint32_t)(to - first) + s->n - behind;
}
