/* lab_chunks.c - see lab_chunks.h. */
#include "perf/lab_chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ACROSS 16u /* chunks along x */

static uint32_t index_of(const uint32_t at[3])
{
    return (at[2] * ADIT_CHUNK_DIM + at[1]) * ADIT_CHUNK_DIM + at[0];
}

/* n x n voxels of the layer of volume that lies at `layer` along the axis of face; row u = 0, v = 0 is voxel `from`, `from`. */
static void take_layer(uint16_t *plane, const uint16_t *volume, uint32_t face, uint32_t layer, uint32_t from, uint32_t n)
{
    uint32_t at[3];
    at[adit_face_axis(face)] = layer;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t u = 0; u < n; u++) {
            at[adit_face_u(face)] = from + u;
            at[adit_face_v(face)] = from + v;
            plane[v * ADIT_CHUNK_DIM + u] = volume[index_of(at)];
        }
}

/* Encodes volume into the chunk, and has its planes be of the version. */
static int publish(struct lab_chunk *chunk, const uint16_t *volume, const uint8_t *classes, uint16_t planes[][ADIT_PLANE_VOXELS])
{
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    int error = plan ? adit_encode_plan(plan, volume, classes, &chunk->block_bytes) : -ENOMEM;
    if (!error && !(chunk->block = aligned_alloc(64, (chunk->block_bytes + 63) & ~(size_t)63)))
        error = -ENOMEM;
    if (!error) {
        memset(chunk->block, 0, chunk->block_bytes);
        adit_encode_write(plan, chunk->block);
        if (!adit_voxels_view_within(chunk->block, chunk->block_bytes, &chunk->encoded))
            error = -EBADMSG;
    }
    free(plan);
    chunk->published = (struct adit_mesh_source){.encoded = &chunk->encoded, .classes = classes, .dim = {64, 64, 64}};
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        chunk->published.plane[face] = planes[face];
    return error;
}

static struct lab_chunk *make_empty(const uint8_t *classes, uint8_t dim)
{
    size_t bytes = (sizeof(struct lab_chunk) + 63) & ~(size_t)63;
    struct lab_chunk *chunk = aligned_alloc(64, bytes);
    if (!chunk)
        return NULL;
    memset(chunk, 0, bytes);
    chunk->plain = (struct adit_mesh_source){.voxels = chunk->voxels, .classes = classes, .dim = {dim, dim, dim}};
    for (uint32_t face = 0; face < ADIT_FACES; face++)
        chunk->plain.plane[face] = chunk->planes[face];
    return chunk;
}

static int finish(struct lab_chunk **out, struct lab_chunk *chunk, int error)
{
    if (error)
        lab_chunk_free(chunk);
    *out = error ? NULL : chunk;
    return error;
}

int lab_chunk_keep(struct lab_chunk **out, const struct voxels_source *source)
{
    struct lab_chunk *chunk = make_empty(source->classes, ADIT_CHUNK_DIM);
    if (!chunk)
        return finish(out, NULL, -ENOMEM);
    memcpy(chunk->voxels, source->voxels, sizeof chunk->voxels);
    memcpy(chunk->planes, source->planes, sizeof chunk->planes); /* a missing plane is air here, and so are the source's bytes of it */
    return finish(out, chunk, publish(chunk, source->voxels, source->classes, chunk->planes));
}

int lab_chunk_cut(struct lab_chunk **out, const uint16_t *volume, const uint8_t *classes)
{
    struct lab_chunk *chunk = make_empty(classes, LAB_CUT_DIM);
    if (!chunk)
        return finish(out, NULL, -ENOMEM);
    for (uint32_t z = 0; z < LAB_CUT_DIM; z++)
        for (uint32_t y = 0; y < LAB_CUT_DIM; y++)
            memcpy(chunk->voxels + index_of((uint32_t[]){0, y, z}), volume + index_of((uint32_t[]){1, y + 1, z + 1}),
                   LAB_CUT_DIM * sizeof *volume);
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        uint32_t outermost = face & 1 ? ADIT_CHUNK_DIM - 1 : 0;
        take_layer(chunk->planes[face], volume, face, outermost, 1, LAB_CUT_DIM);
        take_layer(chunk->shell[face], volume, face, outermost, 0, ADIT_CHUNK_DIM);
    }
    return finish(out, chunk, publish(chunk, volume, classes, chunk->shell));
}

void lab_chunk_free(struct lab_chunk *chunk)
{
    if (chunk)
        free(chunk->block);
    free(chunk);
}

int lab_chunks_make(lab_chunk_maker *make, void *context, uint32_t n, struct lab_chunk ***out)
{
    struct lab_chunk **chunks = calloc(n, sizeof(struct lab_chunk *));
    int error = chunks ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < n && !error; i++)
        error = make(context, i, &chunks[i]);
    if (error && chunks)
        lab_chunks_free(chunks, n), chunks = NULL;
    *out = chunks;
    return error;
}

void lab_chunks_free(struct lab_chunk **chunks, uint32_t n)
{
    for (uint32_t i = 0; chunks && i < n; i++)
        lab_chunk_free(chunks[i]);
    free(chunks);
}

struct making {
    const struct voxels_input *input;
    struct voxels_source *source;
    uint8_t *classes;
};

static int keep_input(void *context, uint32_t i, struct lab_chunk **out)
{
    struct making *making = context;
    int error = voxels_source_fill_at(making->source, making->input, (int32_t)(i % ACROSS), (int32_t)(i / ACROSS));
    if (error)
        return error;
    memcpy(making->classes, making->source->classes, ADIT_MATERIALS);
    error = lab_chunk_keep(out, making->source);
    if (!error)
        (*out)->plain.classes = (*out)->published.classes = making->classes;
    return error;
}

int lab_chunks_of_input(const char *input, uint32_t n, uint8_t *classes, struct lab_chunk ***out)
{
    struct making making = {.source = aligned_alloc(64, (sizeof *making.source + 63) & ~(size_t)63), .classes = classes};
    int error = making.source ? -ENOENT : -ENOMEM;
    *out = NULL;
    for (uint32_t i = 0; i < voxels_inputs_n && making.source; i++)
        if (!strcmp(voxels_inputs[i].name, input)) {
            making.input = &voxels_inputs[i];
            error = lab_chunks_make(keep_input, &making, n, out);
        }
    free(making.source);
    return error;
}
