/* png_file.h - pixels to a PNG (ISO/IEC 15948) by libpng: wholly in memory, then into a sink, so the file appears whole or not at all.
 *
 *     struct adit_png png = {.pixels = rgb, .width = 800, .height = 600, .advice = "draw a smaller picture"};
 *     adit_png_write("world.png", &png, error, sizeof error);
 */
#ifndef ADIT_PNG_FILE_H
#define ADIT_PNG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows from the top. Grey: u16 a pixel, which are stored as they are, as linear light; else sRGB, three bytes a pixel. */
struct adit_png {
    const void *pixels;
    uint32_t width, height; /* pixels, 1 or more */
    uint32_t stride;        /* pixels from row to row; 0: width */
    bool is_grey;
    const char *advice; /* what to do when it is too large, for the line of error */
};

struct adit_sink;

/* The same into a sink that is opened for it, which the caller commits. */
int adit_png_open(const char *path, const struct adit_png *png, struct adit_sink **sink, char *error, size_t error_bytes);

/* Writes it. 0; -ENOMEM, -EIO (libpng) or what the system says, and a line in error. Blocks on the disk; any thread. */
int adit_png_write(const char *path, const struct adit_png *png, char *error, size_t error_bytes);

#endif
