/* partition.c - the fewest rectangles, by good chords and matching.
 *
 * Why it is right (Ohtsuki, "Minimum dissection of rectilinear regions", 1982; Ferrari, Sankar and Sklansky, "Minimal
 * rectangular partitions of digitized blobs", 1984; Lipski, Lodi, Luccio, Mugnai and Pagli, 1979): a region is cut into
 * rectangles when no reflex corner is left. A cut from a reflex corner to the first edge or cut it meets mends that
 * corner, makes no new one, and adds one rectangle (or opens a hole); a cut along a good chord mends two for the same
 * price. So the count falls by one for each good chord chosen, and no two chosen may meet, not even in a common end.
 * Chords of one direction never meet: horizontal and vertical ones are the two sides of a bipartite graph, a meeting is
 * an edge, and the largest set without one is what a least vertex cover leaves over (Koenig, 1931), which comes from a
 * largest matching (Hopcroft and Karp, 1973).
 *
 * Two cells of one region that touch in a point only make no reflex corner there, just two convex ones: the joins around
 * the point are none, and nothing below sees it.
 *
 * Words. Lines between rows are numbered by the row below them, 1..63, points on a line by the column right of them.
 * On line v, across = below[v-1] has a bit for each unit step of the line that is inside a region. A step's end is a
 * reflex corner where one of the two joins along the line goes on and the other does not: right[v] ^ right[v-1]. Vertical
 * lines are the same with all words transposed.
 */
#include "kernels/partition.h"

#include <stdbool.h>
#include <string.h>

enum {
    DIM = ADIT_CHUNK_DIM,
    CHORDS_MAX = 63 * 31, /* of one direction: 63 lines of 63 inner points, two ends a chord, none in common */
    NONE = 0xffff,
};

/* The chords of one direction: on a line, from one point to another. */
struct chords {
    uint32_t n;
    uint8_t line[CHORDS_MAX], from[CHORDS_MAX], to[CHORDS_MAX];
};

/* The graph and its matching. Horizontal chords look for vertical ones by the points they share. */
struct matching {
    struct chords across, down;           /* horizontal, vertical */
    uint64_t points[DIM];                 /* by line v: the points that lie on a vertical chord, */
    uint16_t down_at[DIM][DIM];           /* and on which, [v][u] */
    uint16_t mate_across[CHORDS_MAX], mate_down[CHORDS_MAX];
    uint16_t level[CHORDS_MAX];           /* of horizontal chords: steps from an unmatched one, or NONE */
    uint64_t untried[CHORDS_MAX];            /* points not yet tried in this round */
    uint16_t path[CHORDS_MAX], via[CHORDS_MAX]; /* queue of the search by breadth; stack and vertical chords of that by depth */
};

/* Bits from..to-1; from < to <= 64. */
static uint64_t span(uint32_t from, uint32_t to)
{
    return ~0ull >> (DIM - (to - from)) << from;
}

/* Hacker's Delight, 2nd edition, section 7-3: swap blocks of 32, then of 16 inside each, and so on down to single bits. */
static void transpose(uint64_t word[DIM])
{
    uint64_t mask = 0x00000000ffffffffull;
    for (uint32_t half = 32; half; half >>= 1, mask ^= mask << half) {
        for (uint32_t i = 0; i < DIM; i = (i + half + 1) & ~half) {
            uint64_t swap = (word[i] >> half ^ word[i + half]) & mask;
            word[i] ^= swap << half;
            word[i + half] ^= swap;
        }
    }
}

/* One line as words, bits by unit step: step i leads from point i to point i + 1. */
struct line {
    uint64_t steps;  /* inside a region */
    uint64_t starts; /* whose first point is a reflex corner */
    uint64_t ends;   /* whose second point is one */
    uint64_t runs_on; /* followed by a step of the same region */
};

static struct line line_of(const uint64_t along[DIM], const uint64_t across[DIM], uint32_t line)
{
    uint64_t steps = across[line - 1], corner = along[line] ^ along[line - 1];
    return (struct line){
        .steps = steps,
        .starts = steps & corner << 1,
        .ends = steps & corner,
        .runs_on = steps & steps >> 1 & along[line],
    };
}

/* The last step of the run that step first is in, and the first of that which last is in. */
static uint32_t run_last(const struct line *l, uint32_t first)
{
    return first + (uint32_t)__builtin_ctzll(~(l->runs_on >> first));
}

static uint32_t run_first(const struct line *l, uint32_t last)
{
    uint64_t breaks = ~l->runs_on & ((1ull << last) - 1);
    return breaks ? DIM - (uint32_t)__builtin_clzll(breaks) : 0;
}

static void chords_find(const uint64_t along[DIM], const uint64_t across[DIM], struct chords *chords)
{
    chords->n = 0;
    for (uint32_t line = 1; line < DIM; line++) {
        struct line l = line_of(along, across, line);
        for (uint64_t starts = l.starts; starts; starts &= starts - 1) {
            uint32_t first = (uint32_t)__builtin_ctzll(starts), last = run_last(&l, first);
            if (!(l.ends >> last & 1))
                continue;
            chords->line[chords->n] = (uint8_t)line;
            chords->from[chords->n] = (uint8_t)first;
            chords->to[chords->n++] = (uint8_t)(last + 1);
        }
    }
}

static void graph_make(struct matching *m)
{
    memset(m->points, 0, sizeof m->points);
    for (uint32_t i = 0; i < m->down.n; i++) {
        for (uint32_t v = m->down.from[i]; v <= m->down.to[i]; v++) {
            m->points[v] |= 1ull << m->down.line[i];
            m->down_at[v][m->down.line[i]] = (uint16_t)i;
        }
    }
}

/* The points of a horizontal chord that lie on vertical ones: its edges. */
static uint64_t edges(const struct matching *m, uint32_t i)
{
    return m->points[m->across.line[i]] & span(m->across.from[i], m->across.to[i] + 1u);
}

/* Levels of all horizontal chords that alternating paths reach from unmatched ones. True if one of the paths ends at an
 * unmatched vertical chord, that is, if the matching can grow. */
static bool levels_find(struct matching *m)
{
    uint32_t head = 0, tail = 0;
    bool grows = false;
    for (uint32_t i = 0; i < m->across.n; i++) {
        m->level[i] = m->mate_across[i] == NONE ? 0 : NONE;
        m->untried[i] = edges(m, i);
        if (!m->level[i])
            m->path[tail++] = (uint16_t)i;
    }
    while (head < tail) {
        uint32_t i = m->path[head++];
        for (uint64_t at = m->untried[i]; at; at &= at - 1) {
            uint16_t mate = m->mate_down[m->down_at[m->across.line[i]][__builtin_ctzll(at)]];
            if (mate == NONE) {
                grows = true;
            } else if (m->level[mate] == NONE) {
                m->level[mate] = (uint16_t)(m->level[i] + 1);
                m->path[tail++] = mate;
            }
        }
    }
    return grows;
}

/* One augmenting path down the levels from an unmatched chord; each edge is tried once a round. */
static void augment(struct matching *m, uint32_t root)
{
    uint32_t depth = 0;
    m->path[0] = (uint16_t)root;
    for (;;) {
        uint32_t i = m->path[depth];
        if (!m->untried[i]) {
            if (!depth--)
                return;
            continue;
        }
        uint16_t down = m->down_at[m->across.line[i]][__builtin_ctzll(m->untried[i])], mate = m->mate_down[down];
        m->untried[i] &= m->untried[i] - 1;
        m->via[depth] = down;
        if (mate == NONE)
            break;
        if (m->level[mate] == m->level[i] + 1)
            m->path[++depth] = mate;
    }
    for (uint32_t k = 0; k <= depth; k++) {
        m->mate_across[m->path[k]] = m->via[k];
        m->mate_down[m->via[k]] = m->path[k];
    }
}

/* A largest matching; what the last search by breadth reached stays in level[]. */
static void match(struct matching *m)
{
    memset(m->mate_across, 0xff, m->across.n * sizeof *m->mate_across);
    memset(m->mate_down, 0xff, m->down.n * sizeof *m->mate_down);
    while (levels_find(m)) /* each round adds a pair at least */
        for (uint32_t i = 0; i < m->across.n; i++)
            if (m->mate_across[i] == NONE)
                augment(m, i);
}

/* By Koenig, no two of these meet and there are as many as can be: the horizontal chords that were reached, and the
 * vertical ones that were not. Fills cut[v], the steps of line v along chosen horizontal chords, and chosen[v], the points
 * of line v on chosen vertical ones; across, transposed, is cut along these. */
static void choose(struct matching *m, uint64_t cut[DIM], uint64_t chosen[DIM], uint64_t across_down[DIM])
{
    memset(cut, 0, DIM * sizeof *cut);
    memcpy(chosen, m->points, DIM * sizeof *chosen);
    for (uint32_t i = 0; i < m->across.n; i++) {
        if (m->level[i] == NONE)
            continue;
        cut[m->across.line[i]] |= span(m->across.from[i], m->across.to[i]);
        for (uint64_t at = edges(m, i); at; at &= at - 1) { /* reached: each of these is met by a chosen chord */
            uint32_t k = m->down_at[m->across.line[i]][__builtin_ctzll(at)];
            for (uint32_t v = m->down.from[k]; v <= m->down.to[k]; v++)
                chosen[v] &= ~(1ull << m->down.line[k]);
        }
    }
    for (uint32_t k = 0; k < m->down.n; k++)
        if (chosen[m->down.from[k]] >> m->down.line[k] & 1)
            across_down[m->down.line[k] - 1] &= ~span(m->down.from[k], m->down.to[k]);
}

/* From each reflex corner of the line that no chosen chord ends at, cuts along the line up to the end of its run or the
 * first chosen vertical chord. */
static uint64_t rest_cut(const struct line *l, uint64_t cut, uint64_t chosen)
{
    for (uint64_t starts = l->starts & ~cut & ~chosen; starts; starts &= starts - 1) {
        uint32_t from = (uint32_t)__builtin_ctzll(starts), to = run_last(l, from) + 1;
        uint64_t stops = chosen & ~span(0, from + 1);
        uint32_t stop = stops ? (uint32_t)__builtin_ctzll(stops) : DIM;
        cut |= span(from, stop < to ? stop : to);
    }
    for (uint64_t ends = l->ends & ~cut & ~(chosen >> 1); ends; ends &= ends - 1) {
        uint32_t last = (uint32_t)__builtin_ctzll(ends), from = run_first(l, last);
        uint64_t stops = chosen & span(0, last + 1);
        uint32_t stop = stops ? DIM - 1u - (uint32_t)__builtin_clzll(stops) : 0;
        cut |= span(stop > from ? stop : from, last + 1);
    }
    return cut;
}

void adit_partition_cut(struct adit_partition *joins)
{
    struct matching m;
    uint64_t right_down[DIM], below_down[DIM], cut[DIM], chosen[DIM];
    memcpy(right_down, joins->right, sizeof right_down);
    memcpy(below_down, joins->below, sizeof below_down);
    transpose(right_down);
    transpose(below_down);
    chords_find(joins->right, joins->below, &m.across);
    chords_find(below_down, right_down, &m.down);
    graph_make(&m);
    match(&m);
    choose(&m, cut, chosen, right_down);
    for (uint32_t line = 1; line < DIM; line++) {
        struct line l = line_of(joins->right, joins->below, line);
        joins->below[line - 1] &= ~rest_cut(&l, cut[line], chosen[line]);
    }
    transpose(right_down);
    memcpy(joins->right, right_down, sizeof right_down);
}
