/* world_files.h - makes small .mca and .vox files in memory, for the tests of their readers and for the seed corpus.
 *
 * Everything is written after the formats' descriptions, not with the readers' code. Failures of memory abort.
 */
#ifndef ADIT_TESTS_WORLD_FILES_H
#define ADIT_TESTS_WORLD_FILES_H

#include <stddef.h>
#include <stdint.h>

/* A growing run of bytes. Zero-initialised before first use, freed with bytes_free. */
struct bytes {
    uint8_t *data;
    size_t size, room;
};

void bytes_free(struct bytes *bytes);
void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_add_big(struct bytes *bytes, uint64_t value, uint32_t width);            /* big-endian, of width bytes */
void bytes_add_little(struct bytes *bytes, uint32_t value);                         /* four bytes */
void bytes_put_big(struct bytes *bytes, size_t at, uint64_t value, uint32_t width); /* over what is there */
void bytes_put_little(struct bytes *bytes, size_t at, uint32_t value);

/* NBT: a tag's head, whose payload follows, and whole tags. nbt_end closes a compound. */
void nbt_tag(struct bytes *bytes, uint8_t type, const char *name);
void nbt_int(struct bytes *bytes, const char *name, int32_t value);
void nbt_byte(struct bytes *bytes, const char *name, int32_t value);
void nbt_string(struct bytes *bytes, const char *name, const char *text);
void nbt_byte_array(struct bytes *bytes, const char *name, const uint8_t *data, uint32_t count);
void nbt_list(struct bytes *bytes, const char *name, uint8_t type, uint32_t count);
void nbt_end(struct bytes *bytes);

/* A chunk column of one of the four shapes that Anvil had. */
enum column_shape { COLUMN_NUMERIC, COLUMN_SPANNING, COLUMN_PADDED, COLUMN_FLAT };

/* 16^3 voxels at height y, each an index of names (of blocks; for COLUMN_NUMERIC ids and data are given instead). */
struct column_section {
    int32_t y;
    uint32_t name_count;
    const char *const *names;
    const uint16_t *voxels; /* [(y * 16 + z) * 16 + x]: index of names, or id << 4 | data */
    uint32_t bits;          /* of an index; 0: as few as the shape allows */
};

/* The NBT of a column. */
void column_write(struct bytes *nbt, enum column_shape shape, int32_t x, int32_t z,
                  const struct column_section *sections, uint32_t section_count);

/* A region: begin, columns, and pad at the end. A compression is 1 gzip, 2 zlib, 3 none, 4 LZ4. */
void region_begin(struct bytes *region);
void region_add(struct bytes *region, uint32_t slot, uint8_t compression, const struct bytes *nbt);
void region_set_location(struct bytes *region, uint32_t slot, uint32_t sector, uint32_t sectors);
void region_pad(struct bytes *region);

/* The compressed form alone. */
void compress_into(struct bytes *out, uint8_t compression, const void *data, size_t size);

/* A MagicaVoxel file: begin, chunks, and finish, which mends the sizes. A rotation of -1 writes none. */
void vox_begin(struct bytes *vox, uint32_t version);
void vox_finish(struct bytes *vox);
void vox_model(struct bytes *vox, const uint32_t size[3], const uint8_t (*voxels)[4], uint32_t count);
void vox_transform(struct bytes *vox, int32_t id, int32_t child, int32_t rotation, const int32_t move[3], int hidden,
                   int32_t layer);
void vox_group(struct bytes *vox, int32_t id, const int32_t *children, uint32_t count);
void vox_shape(struct bytes *vox, int32_t id, const int32_t *models, uint32_t count);
void vox_layer(struct bytes *vox, int32_t id, int hidden);
void vox_material(struct bytes *vox, int32_t id, const char *type, const char *key, const char *value);
/* Any chunk without children. */
void vox_chunk(struct bytes *vox, const char *id, const void *content, size_t size);

#endif
