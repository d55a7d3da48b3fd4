/* remesh_slice.h - one slice of a mesh after an edit: the quads of one face, class and layer. Private to remesh.c.
 *
 * A *cell* is a unit face of the slice's layer: 0 when nothing is to be seen of this class there, else the class and what a quad of it carries
 * in its bits 30 to 63 (material, AO, light), its *key*. Cells merge where they are equal, so the greedy of mesh.h treats each key by itself: what other
 * keys cover is to it as air. That AO does not change along an axis in which cells merge follows from their being equal: faces next to each other share two
 * corners and, as neither has an opaque cell before it, agree about the AO there. Where materials do not count (ADIT_MESH_ANY_OPAQUE), they are not in the
 * key, and a quad that begins takes that of its first cell from the source.
 *
 *        u ->                          rows before v0: cells are as they were, so quads begin as they did, and those that end before
 *      v  . . A A A A B B              row v0 - 1 are as they were. The quads open at row v0 - 1 may end elsewhere.
 *      |  . . A A A A B B
 *      v  . . A[# #]A B B   v0         rows of the rectangle: cells that are read anew
 *         . . A A A A A A
 *         . . . . A A A A              behind it: as soon as the open quads of a key are those that were open there before, all
 *         . . . . A A A A              that follows is as it was
 */
#ifndef ADIT_REMESH_SLICE_H
#define ADIT_REMESH_SLICE_H

#include "kernels/mesh.h"
#include "kernels/mesh_side.h"

enum {
    ADIT_SLICE_CELLS = ADIT_CHUNK_DIM * ADIT_CHUNK_DIM, /* no slice has more quads */
    ADIT_SLICE_RECT_MAX = 18,                           /* a side of the rectangle */
    ADIT_SLICE_KEYS_MAX = 48                            /* changed in one slice: more are not worth it */
};

#define ADIT_CELL_KEY_BITS 34
static inline uint64_t adit_cell_make(uint64_t key, uint32_t class) { return key | (uint64_t)class << ADIT_CELL_KEY_BITS; }
static inline uint32_t adit_cell_class(uint64_t cell) { return (uint32_t)(cell >> ADIT_CELL_KEY_BITS); }

/* A slice at work. The first part is set by the caller; u and v, first and last, are the rectangle within 0 .. 63. */
struct adit_slice {
    const struct adit_mesh_source *source;
    uint32_t u_bit, v_bit;  /* where u and v stand in a quad */
    uint64_t layer;         /* as bits of a quad */
    uint32_t rows;          /* dim along v */
    uint32_t u0, u1, v0, v1;
    uint32_t class;         /* enum adit_class */
    bool is_culled, is_any; /* is_any: of any material */
    uint32_t n;                      /* quads it had: */
    uint64_t quad[ADIT_SLICE_CELLS]; /* a copy, so that nobody else changes it */

    uint64_t want[ADIT_SLICE_RECT_MAX * ADIT_SLICE_RECT_MAX], had[ADIT_SLICE_RECT_MAX * ADIT_SLICE_RECT_MAX]; /* cells of the rectangle */
    uint32_t from, open_n;             /* quads from number from on begin at v0 or behind; and which of those before reach row v0 - 1: */
    uint16_t open[ADIT_SLICE_CELLS];
    uint64_t key[ADIT_SLICE_KEYS_MAX]; /* cells, of which some came or went */
    uint32_t keys;
    uint32_t stop;                                      /* the row at which all keys are as before */
    uint32_t begun_n;                                   /* quads that begin from v0 on: */
    uint64_t begins[ADIT_CHUNK_DIM];                    /* by row, bit u */
    uint64_t begun[ADIT_SLICE_CELLS];                   /* by v*64 + u */
    bool is_gone[ADIT_SLICE_CELLS];                     /* quads that are not taken over, from v0 on */
};

/* What became of cells, summed up over slices: faces that are more now, and by axis the coordinates (a bit each) where some came or went. */
struct adit_slice_change {
    int32_t faces;
    uint64_t came[3], went[3];
};

enum adit_slice_result { ADIT_SLICE_AS_IT_WAS, ADIT_SLICE_CHANGED, ADIT_SLICE_TOO_MUCH };

/* Compares the rectangle with cells (of all classes, row by row), and where they differ from the old quads makes the slice again. */
enum adit_slice_result adit_slice_update(struct adit_slice *s, const uint64_t *cells, struct adit_slice_change *change);

/* Writes a slice that has changed. Returns its number of quads; more than room, and nothing is written. */
uint32_t adit_slice_write(struct adit_slice *s, uint64_t *to, uint32_t room);

#endif
