/* png_file.c - see png_file.h. */
#include "tools/exports/png_file.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/exports/sink.h"

int adit_png_open(const char *path, const struct adit_png *png, struct adit_sink **sink, char *error, size_t error_bytes)
{
    *sink = NULL;
    uint32_t channels = png->is_grey ? 1 : 3;
    png_image image = {.version = PNG_IMAGE_VERSION, .width = png->width, .height = png->height,
                       .format = png->is_grey ? PNG_FORMAT_LINEAR_Y : PNG_FORMAT_RGB};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *file = malloc(bytes);
    if (!file) {
        snprintf(error, error_bytes, "%s: out of memory for the PNG; %s", path, png->advice);
        return -ENOMEM;
    }
    int status = 0;
    if (!png_image_write_to_memory(&image, file, &bytes, 0, png->pixels, (int32_t)(png->stride * channels), NULL)) {
        snprintf(error, error_bytes, "%s: libpng: %s; %s", path, image.message, png->advice);
        status = -EIO;
    }
    if (!status)
        status = adit_sink_open(path, sink, error, error_bytes);
    if (!status)
        adit_sink_write(*sink, file, bytes);
    free(file);
    return status;
}

int adit_png_write(const char *path, const struct adit_png *png, char *error, size_t error_bytes)
{
    struct adit_sink *sink;
    int status = adit_png_open(path, png, &sink, error, error_bytes);
    return status ? status : adit_sink_commit(&sink, error, error_bytes);
}
