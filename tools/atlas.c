/* atlas.c - see atlas.h. */
#include "tools/atlas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/exports/exports.h"

enum { COLUMN = ADIT_PATCH_WIDTH_MIN, WIDTH = ADIT_ATLAS_COLUMNS * COLUMN };

void adit_atlas_fini(struct adit_atlas *atlas)
{
    free(atlas->texels);
    free(atlas->piece.places);
    free(atlas->piece.materials);
    *atlas = (struct adit_atlas){0};
}

/* Makes room for count elements of size, twice as many as before at least. */
static int grow(void **array, uint32_t *max, uint32_t count, size_t size)
{
    if (count <= *max)
        return 0;
    uint32_t more = count < *max * 2 ? *max * 2 : count;
    void *larger = realloc(*array, more * size);
    if (!larger)
        return -ENOMEM;
    *array = larger;
    *max = more;
    return 0;
}

/* The atlas of one piece, in room of its own; texels without a patch are 0. */
static int piece_make(struct adit_atlas *atlas, const struct adit_mesh_source *source, const struct adit_mesh_result *mesh)
{
    struct adit_patch_atlas *piece = &atlas->piece;
    piece->width = COLUMN;
    if (grow((void **)&piece->places, &atlas->places_max, mesh->start[ADIT_MESH_RANGES], sizeof *piece->places))
        return -ENOMEM;
    for (;;) {
        piece->height_max = atlas->piece_rows < ADIT_PATCH_HEIGHT_MAX ? atlas->piece_rows : ADIT_PATCH_HEIGHT_MAX;
        if (piece->materials)
            memset(piece->materials, 0, (size_t)piece->height_max * COLUMN * sizeof *piece->materials);
        int status = adit_patch_make(source, mesh, piece);
        if (status != -ENOSPC)
            return status;
        if (piece->height > ADIT_ATLAS_ROWS_MAX)
            return -EFBIG;
        if (grow((void **)&piece->materials, &atlas->piece_rows, piece->height, COLUMN * sizeof *piece->materials))
            return -ENOMEM;
    }
}

int adit_atlas_add(struct adit_atlas *atlas, const struct adit_mesh_source *source, const struct adit_mesh_result *mesh, uint32_t *x, uint32_t *y)
{
    int status = piece_make(atlas, source, mesh);
    if (status)
        return status;
    uint32_t lowest = 0, rows = atlas->rows;
    for (uint32_t c = 1; c < ADIT_ATLAS_COLUMNS; c++)
        lowest = atlas->height[c] < atlas->height[lowest] ? c : lowest;
    *x = lowest * COLUMN;
    *y = atlas->height[lowest];
    if (atlas->piece.height > ADIT_ATLAS_ROWS_MAX - *y)
        return -EFBIG;
    if (grow((void **)&atlas->texels, &atlas->rows, *y + atlas->piece.height, WIDTH * sizeof *atlas->texels))
        return -ENOMEM;
    if (atlas->rows > rows)
        memset(atlas->texels + (size_t)rows * WIDTH, 0, (size_t)(atlas->rows - rows) * WIDTH * sizeof *atlas->texels);
    for (uint32_t row = 0; row < atlas->piece.height; row++)
        memcpy(atlas->texels + (size_t)(*y + row) * WIDTH + *x, atlas->piece.materials + (size_t)row * COLUMN, COLUMN * sizeof *atlas->texels);
    atlas->height[lowest] += atlas->piece.height;
    atlas->used += atlas->piece.texels;
    return 0;
}

uint32_t adit_atlas_width(const struct adit_atlas *atlas)
{
    uint32_t columns = 0;
    while (columns < ADIT_ATLAS_COLUMNS && atlas->height[columns])
        columns++;
    return columns ? columns * COLUMN : 1;
}

uint32_t adit_atlas_height(const struct adit_atlas *atlas)
{
    uint32_t height = 1;
    for (uint32_t c = 0; c < ADIT_ATLAS_COLUMNS; c++)
        height = atlas->height[c] > height ? atlas->height[c] : height;
    return height;
}

int adit_atlas_open(const struct adit_atlas *atlas, const char *path, struct adit_sink **sink, char *error, size_t error_bytes)
{
    static const uint16_t nothing;
    struct adit_png png = {.pixels = atlas->texels ? atlas->texels : &nothing, .width = adit_atlas_width(atlas), .height = adit_atlas_height(atlas),
                           .stride = WIDTH, .is_grey = true, .advice = "mesh a smaller volume"};
    return adit_png_open(path, &png, sink, error, error_bytes);
}
