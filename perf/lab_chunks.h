/* lab_chunks.h - chunks kept by the hundred, for scenes that mesh many in turn: each in both forms, in memory of its own and no more than it takes.
 *
 *     struct lab_chunk *chunk;
 *     lab_chunk_keep(&chunk, source);           the 64^3 of lab_voxels.h with its neighbours' planes
 *     lab_chunk_cut(&chunk, volume, classes);   the 62^3 inside a volume of 64^3, for comparison with others (peer.h)
 */
#ifndef PERF_LAB_CHUNKS_H
#define PERF_LAB_CHUNKS_H

#include "perf/lab_voxels.h"

#define LAB_CUT_DIM 62 /* voxels a side inside a shell of neighbours */

/* plain and published point into the rest and into the classes that the maker was given. Never copied. */
struct lab_chunk {
    struct adit_mesh_source plain, published;
    uint16_t voxels[ADIT_CHUNK_VOXELS]; /* of plain */
    uint16_t planes[ADIT_FACES][ADIT_PLANE_VOXELS]; /* of plain, and of published but for a cut */
    uint16_t shell[ADIT_FACES][ADIT_PLANE_VOXELS]; /* of published in a cut */
    void *block; /* the version */
    size_t block_bytes;
    struct adit_voxels encoded;
};

/* Keeps what source holds, whose classes must outlive the chunk. Returns 0 and *out, to be freed with lab_chunk_free; or -ENOMEM, or -EBADMSG. */
int lab_chunk_keep(struct lab_chunk **out, const struct voxels_source *source);

/* Makes two chunks of one volume, index (z*64 + y)*64 + x, whose outermost layer is neighbours. plain: the 62^3 inside, with that
 * layer as planes. published: all 64^3, as a version; behind each side lies what is in the outermost layer itself, so solid sides show no face.
 * classes as in mesh.h, outliving the chunk. Returns as lab_chunk_keep. */
int lab_chunk_cut(struct lab_chunk **out, const uint16_t *volume, const uint8_t *classes);

void lab_chunk_free(struct lab_chunk *chunk); /* NULL is accepted */

/* Makes chunk i of a set (its number in context) for lab_chunks_make. */
typedef int lab_chunk_maker(void *context, uint32_t i, struct lab_chunk **out);

/* A set of n chunks by a maker. Returns 0 and *out, to be freed with lab_chunks_free; or what the maker returned, or -ENOMEM. */
int lab_chunks_make(lab_chunk_maker *make, void *context, uint32_t n, struct lab_chunk ***out);
void lab_chunks_free(struct lab_chunk **chunks, uint32_t n);

/* n chunks of an input beside each other, as lab_chunk_keep; classes (ADIT_MATERIALS) is filled and must outlive them. */
int lab_chunks_of_input(const char *input, uint32_t n, uint8_t *classes, struct lab_chunk ***out);

#endif
