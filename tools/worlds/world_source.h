/* world_source.h - what a reader of worlds is made of; seen by the readers only, never by users of world.h.
 *
 * A reader makes an empty world with adit_world_new, adds materials, sets the boxes, names what it leaves out, and
 * gives it a source: its own state behind three functions. On any failure it calls adit_world_close, which frees what is
 * there, and returns adit_world_fail(...).
 */
#ifndef ADIT_WORLD_SOURCE_H
#define ADIT_WORLD_SOURCE_H

#include "tools/worlds/world.h"

#define ADIT_WORLD_WARNINGS_MAX 2048     /* lines kept */
#define ADIT_WORLD_FILE_MAX (1ull << 31) /* bytes of a file that is read whole */

/* Where a reader's error line goes. */
struct adit_world_error {
    char *line;
    size_t bytes;
};

/* A reader's state begins with this. fill: the chunk at a key that has_chunk says may hold voxels, over voxels that are
 * all zero; returns 1, 0 or a negative errno as adit_world_chunk does. */
struct adit_world_source {
    int (*fill)(const struct adit_world *world, const int32_t key[3], uint16_t *voxels);
    bool (*has_chunk)(const struct adit_world *world, const int32_t key[3]); /* NULL: every key in the box may */
    void (*close)(struct adit_world_source *source);
};

/* Writes one line into error, cut at its size, and returns -code. */
__attribute__((format(printf, 3, 4))) int adit_world_fail(struct adit_world_error error, int code, const char *format,
                                                          ...);

/* An empty world with material 0 (air) alone. Returns NULL when memory is short. */
struct adit_world *adit_world_new(const char *spec, const char *kind);

/* Adds a material, whose name is copied, with the next id. Returns the id, 1..65535, or a negative errno: -ENOSPC when
 * all ids are taken, -ENOMEM. */
int adit_world_add_material(struct adit_world *world, const char *name, uint32_t rgba, enum adit_class class);

/* Adds a warning. Lost silently when memory is short, counted beyond ADIT_WORLD_WARNINGS_MAX. */
__attribute__((format(printf, 2, 3))) void adit_world_warn(struct adit_world *world, const char *format, ...);

/* Sets both boxes from that of the voxels. min == max on an axis means that there are none. */
void adit_world_set_box(struct adit_world *world, const int32_t voxel_min[3], const int32_t voxel_max[3]);

/* Reads a regular file of at most bytes_max bytes into memory that the caller frees. Returns 0, or a negative errno with
 * the line written. */
int adit_world_read_file(const char *path, uint64_t bytes_max, uint8_t **data, size_t *bytes,
                         struct adit_world_error error);

/* The part of a path that a line has room for: all of it, or its end. */
const char *adit_world_short(const char *path);

/* floor(v / 64), the chunk of a voxel. */
static inline int32_t adit_world_chunk_of(int32_t v)
{
    return v >> 6; /* arithmetic in gcc and clang: rounds towards minus infinity */
}

/* Copies text with everything but printable ASCII turned into '?', cut at bytes: names from files in lines for people. */
void adit_world_printable(char *out, size_t bytes, const void *text, size_t text_bytes);

#endif
