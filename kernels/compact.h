/* compact.h - a mesh at 4 bytes a quad: sorted by face and slice, with an offset table and a palette of its materials.
 *
 * A *slice* is what one layer of one range (face and class) holds. All quads of a slice share their coordinate along the
 * face's axis, so a quad need not store it: it is found from the quad's place, by the table of slices. Materials are
 * numbered by a palette. What a mesh does not have takes no bytes: streams for AO, light and large palettes are there
 * only when a quad needs them. The form holds no pointers: it may lie in a file, in shared memory or in a GPU buffer,
 * where kernels/vertex_pull.glsl reads it word by word.
 *
 *   word  0                                        words of 32 bits, little-endian
 *        +------+---------+------------+--------------------+---------------+------+-----+--------+
 *        | head | slices  | palette    | quads              | index_high    | ao   | light         |
 *        | 49   | u16/u32 | u16        | u32                | u8 or none    | u8   | u16           |
 *        +------+---------+------------+--------------------+---------------+------+-----+--------+
 *                each table and stream starts at a word; the last one ends the form, filled up to a word with 0
 *
 *   bit  0      6      12     18     24        32
 *        |  u   |  v   | w-1  | h-1  |  index  |       a quad; U and V by face as in quad.h
 *
 * material = palette[index + 256 * index_high[i]]; ao = ao[i], or ADIT_QUAD_AO_OPEN without that stream; light = light[i],
 * or 0. Quad i of the form is quad i of the mesh: meshlets and draw commands (meshlet.h) made from one fit the other.
 *
 * The layer of quad i of range r: with first = start[r], s = slices[r].at and n = slices[r].layers, it is slices[r].lowest + k
 * for the last k < n with slice[s + k] <= i - first. A slice that is empty begins where the next one does, so a binary search of six
 * steps finds it; and every slice of a range is found directly, e.g. to draw only the layers on one side of a viewer.
 * Slices are u16, or u32 when ADIT_COMPACT_WIDE says so (a range of more than 65536 quads).
 *
 * Example:
 *     size_t bytes;
 *     adit_compact_pack(&mesh, NULL, 0, &bytes);           -ENOSPC, and bytes says how many are needed
 *     uint32_t *form = malloc(bytes);
 *     adit_compact_pack(&mesh, form, bytes, &bytes);
 *     ...
 *     struct adit_compact_view view;
 *     if (!adit_compact_open(form, bytes, &view))
 *         adit_compact_expand(&view, &result);
 *
 * All of it is pure: no system call, no allocation, any thread. The same mesh gives the same bytes.
 */
#ifndef ADIT_COMPACT_H
#define ADIT_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mesh.h"

#define ADIT_COMPACT_MAGIC 0x34514441u /* "ADQ4" */
#define ADIT_COMPACT_VERSION 1u
enum { ADIT_COMPACT_WIDE = 1u }; /* flags: slices are u32 */

/* Where a range's slices are: entries at .. at + layers of the table are of its layers lowest, lowest + 1, ... (in order along the axis);
 * its first and its last layer have quads. layers 0: no quads. */
struct adit_compact_slices {
    uint8_t lowest, layers;
    uint16_t at;
};

/* The first words of the form. Places are words from its beginning; 0 is a stream that is not there. */
struct adit_compact_head {
    uint32_t magic;
    uint16_t version, flags;
    uint32_t bytes;     /* of the whole form */
    uint32_t faces;     /* unit faces covered */
    uint32_t palette_n; /* materials: those that occur, ascending */
    uint32_t palette_at, quads_at, index_high_at, ao_at, light_at;
    uint8_t bounds_lo[3], bounds_hi[3]; /* as of adit_mesh_result */
    uint16_t slices_n;                  /* entries of the table, which begins right behind the head */
    uint32_t start[ADIT_MESH_RANGES + 1];
    struct adit_compact_slices slices[ADIT_MESH_RANGES];
};

#define ADIT_COMPACT_HEAD_WORDS (sizeof(struct adit_compact_head) / 4)
#define ADIT_COMPACT_SLICES_MAX (ADIT_MESH_RANGES * ADIT_CHUNK_DIM)

/* The most bytes that a mesh of quads_n quads can take, whatever it is, a multiple of 4: 8 a quad with AO, light and more than 256
 * materials, and 2 a material. */
static inline size_t adit_compact_bytes_max(uint32_t quads_n)
{
    size_t palette_n = quads_n < ADIT_MATERIALS ? quads_n : ADIT_MATERIALS;
    return sizeof(struct adit_compact_head) + ADIT_COMPACT_SLICES_MAX * 4u + (palette_n + 1) / 2 * 4 + (size_t)quads_n * 8 + 12;
}

/* Writes mesh in the compact form to form, which is aligned to 4 and has room for `room` bytes (form may be NULL when room is 0).
 * Returns 0, with *bytes the length written (a multiple of 4, the rest of form untouched); or -ENOSPC, with *bytes the length
 * needed and nothing written; or -EINVAL when mesh is no whole mesh of mesh.h (quads are missing, ranges or layers do not
 * ascend, a quad reaches beyond 64, bounds are none) or form is not aligned, with *bytes 0. Every mesh of mesh.h can be packed,
 * with any number of materials, any AO and any light. Quads that a hostile peer changes meanwhile give a form that may not be
 * sound; nothing else happens (mesh itself and its start[] are the caller's own). Stack: at most 144 KiB. */
int adit_compact_pack(const struct adit_mesh_result *mesh, void *form, size_t room, size_t *bytes);

/* A form that was opened: its head, copied and judged. Valid as long as the bytes stay where they are. */
struct adit_compact_view {
    struct adit_compact_head head;
    const uint32_t *words;
};

/* Judges bytes, of which a stranger may have written every one, and opens them: magic, version, every place and length, the order of
 * ranges and slices, every quad within 64 and every index within the palette. So whoever expands or draws it stays inside the form and the
 * chunk; that quads do not overlap, and that bounds, faces and palette are true, is the word of who wrote it. Returns 0; or -EBADMSG when they are no
 * sound compact form of this version, or size is shorter than it; or -EINVAL when bytes is NULL or not aligned to 4. Reads the head, the
 * table and the quads (twice with more than 256 materials). What follows the form within size is not looked at. */
int adit_compact_open(const void *bytes, size_t size, struct adit_compact_view *view);

/* Whether adit_compact_open would open these bytes: what to ask before a GPU is let loose on them. */
bool adit_compact_is_sound(const void *bytes, size_t size);

/* Expands a view into result (quads and quads_max set by the caller): the mesh that was packed, byte for byte. Returns 0, or -ENOSPC
 * when quads_max is too small: quads[] then holds the first quads_max quads, start[ADIT_MESH_RANGES] is the number needed.
 * Bytes that a hostile peer changes after they were opened make the quads worthless, and do no other harm: nothing
 * outside the form is read, nothing beyond quads_max is written, and the call ends. */
int adit_compact_expand(const struct adit_compact_view *view, struct adit_mesh_result *result);

#endif
