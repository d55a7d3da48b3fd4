/* world_files.c - the writers of world_files.h. */
#include "tests/world_files.h"

#include <libdeflate.h>
#include <lz4.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SECTOR 4096

static void *must(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = must(realloc(bytes->data, bytes->room));
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_put_big(struct bytes *bytes, size_t at, uint64_t value, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        bytes->data[at + i] = (uint8_t)(value >> 8 * (width - 1 - i));
}

void bytes_put_little(struct bytes *bytes, size_t at, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++)
        bytes->data[at + i] = (uint8_t)(value >> 8 * i);
}

void bytes_add_big(struct bytes *bytes, uint64_t value, uint32_t width)
{
    static const uint8_t room[8];
    bytes_add(bytes, room, width);
    bytes_put_big(bytes, bytes->size - width, value, width);
}

void bytes_add_little(struct bytes *bytes, uint32_t value)
{
    bytes_add(bytes, &value, 4);
    bytes_put_little(bytes, bytes->size - 4, value);
}

void nbt_tag(struct bytes *bytes, uint8_t type, const char *name)
{
    bytes_add_big(bytes, type, 1);
    bytes_add_big(bytes, strlen(name), 2);
    bytes_add(bytes, name, strlen(name));
}

void nbt_int(struct bytes *bytes, const char *name, int32_t value)
{
    nbt_tag(bytes, 3, name);
    bytes_add_big(bytes, (uint32_t)value, 4);
}

void nbt_byte(struct bytes *bytes, const char *name, int32_t value)
{
    nbt_tag(bytes, 1, name);
    bytes_add_big(bytes, (uint8_t)value, 1);
}

void nbt_string(struct bytes *bytes, const char *name, const char *text)
{
    nbt_tag(bytes, 8, name);
    bytes_add_big(bytes, strlen(text), 2);
    bytes_add(bytes, text, strlen(text));
}

void nbt_byte_array(struct bytes *bytes, const char *name, const uint8_t *data, uint32_t count)
{
    nbt_tag(bytes, 7, name);
    bytes_add_big(bytes, count, 4);
    bytes_add(bytes, data, count);
}

void nbt_list(struct bytes *bytes, const char *name, uint8_t type, uint32_t count)
{
    nbt_tag(bytes, 9, name);
    bytes_add_big(bytes, type, 1);
    bytes_add_big(bytes, count, 4);
}

void nbt_end(struct bytes *bytes)
{
    bytes_add_big(bytes, 0, 1);
}

static void write_numeric(struct bytes *nbt, const struct column_section *section)
{
    uint8_t blocks[4096], data[2048] = {0}, add[2048] = {0};
    bool has_add = false;
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t id = section->voxels[i] >> 4, low = section->voxels[i] & 15;
        blocks[i] = (uint8_t)id;
        data[i / 2] |= (uint8_t)(low << i % 2 * 4);
        add[i / 2] |= (uint8_t)(id >> 8 << i % 2 * 4);
        has_add |= id > 255;
    }
    nbt_byte_array(nbt, "Blocks", blocks, 4096);
    if (has_add)
        nbt_byte_array(nbt, "Add", add, 2048);
    nbt_byte_array(nbt, "Data", data, 2048);
}

static void write_palette(struct bytes *nbt, const char *tag, const struct column_section *section)
{
    nbt_list(nbt, tag, 10, section->name_count);
    for (uint32_t i = 0; i < section->name_count; i++) {
        nbt_string(nbt, "Name", section->names[i]);
        nbt_end(nbt);
    }
}

/* The indices as longs: bit i * bits on across the longs, or as many whole ones as fit a long. */
static void write_states(struct bytes *nbt, const char *tag, const struct column_section *section, bool spanning)
{
    uint32_t bits = section->bits ? section->bits : 4;
    while (!section->bits && 1u << bits < section->name_count)
        bits++;
    uint32_t each = 64 / bits, count = spanning ? bits * 64 : (4096 + each - 1) / each;
    uint64_t *longs = must(calloc(count + 1, 8));
    for (uint32_t i = 0; i < 4096; i++)
        for (uint32_t b = 0; b < bits; b++) {
            uint32_t at = spanning ? i * bits + b : i / each * 64 + i % each * bits + b;
            longs[at / 64] |= (uint64_t)(section->voxels[i] >> b & 1) << at % 64;
        }
    nbt_tag(nbt, 12, tag);
    bytes_add_big(nbt, count, 4);
    for (uint32_t i = 0; i < count; i++)
        bytes_add_big(nbt, longs[i], 8);
    free(longs);
}

static void write_section(struct bytes *nbt, enum column_shape shape, const struct column_section *section)
{
    nbt_byte(nbt, "Y", section->y);
    if (shape == COLUMN_NUMERIC)
        write_numeric(nbt, section);
    else if (shape == COLUMN_FLAT) {
        nbt_tag(nbt, 10, "block_states");
        write_palette(nbt, "palette", section);
        if (section->name_count > 1)
            write_states(nbt, "data", section, false);
        nbt_end(nbt);
    } else {
        write_palette(nbt, "Palette", section);
        write_states(nbt, "BlockStates", section, shape == COLUMN_SPANNING);
    }
    nbt_end(nbt);
}

void column_write(struct bytes *nbt, enum column_shape shape, int32_t x, int32_t z,
                  const struct column_section *sections, uint32_t section_count)
{
    static const int32_t versions[] = {1343, 1631, 2586, 3465};
    nbt_tag(nbt, 10, "");
    nbt_int(nbt, "DataVersion", versions[shape]);
    if (shape != COLUMN_FLAT)
        nbt_tag(nbt, 10, "Level");
    nbt_int(nbt, "xPos", x);
    nbt_int(nbt, "zPos", z);
    nbt_list(nbt, shape == COLUMN_FLAT ? "sections" : "Sections", 10, section_count);
    for (uint32_t i = 0; i < section_count; i++)
        write_section(nbt, shape, &sections[i]);
    nbt_end(nbt);
    if (shape != COLUMN_FLAT)
        nbt_end(nbt);
}

/* lz4-java's blocks: 28 bits of a checksum with its own seed, then an end mark of no bytes. */
static void lz4_into(struct bytes *out, const void *data, size_t size)
{
    const size_t block = 1024;
    for (size_t at = 0;; at += block) {
        size_t plain = at >= size ? 0 : size - at < block ? size - at : block;
        char packed[2048];
        const char *from = (const char *)data + at;
        int got = plain ? LZ4_compress_default(from, packed, (int)plain, sizeof(packed)) : 0;
        bool raw = got <= 0 || (size_t)got >= plain;
        bytes_add(out, "LZ4Block", 8);
        bytes_add_big(out, raw ? 0x10 : 0x20, 1);
        bytes_add_little(out, (uint32_t)(raw ? plain : (size_t)got));
        bytes_add_little(out, (uint32_t)plain);
        bytes_add_little(out, plain ? XXH32(from, plain, 0x9747b28cu) & 0x0fffffffu : 0);
        bytes_add(out, raw ? from : packed, raw ? plain : (size_t)got);
        if (!plain)
            return;
    }
}

void compress_into(struct bytes *out, uint8_t compression, const void *data, size_t size)
{
    if (compression == 3) {
        bytes_add(out, data, size);
        return;
    }
    if (compression == 4) {
        lz4_into(out, data, size);
        return;
    }
    struct libdeflate_compressor *deflate = must(libdeflate_alloc_compressor(6));
    size_t room = libdeflate_gzip_compress_bound(deflate, size) + 64;
    uint8_t *packed = must(malloc(room));
    size_t got = compression == 1 ? libdeflate_gzip_compress(deflate, data, size, packed, room)
                                  : libdeflate_zlib_compress(deflate, data, size, packed, room);
    bytes_add(out, packed, got);
    free(packed);
    libdeflate_free_compressor(deflate);
}

void region_begin(struct bytes *region)
{
    static const uint8_t header[2 * SECTOR];
    bytes_add(region, header, sizeof(header));
}

void region_pad(struct bytes *region)
{
    static const uint8_t zeros[SECTOR];
    bytes_add(region, zeros, (SECTOR - region->size % SECTOR) % SECTOR);
}

void region_set_location(struct bytes *region, uint32_t slot, uint32_t sector, uint32_t sectors)
{
    bytes_put_big(region, 4 * slot, sector << 8 | sectors, 4);
    bytes_put_big(region, SECTOR + 4 * slot, 1700000000, 4);
}

void region_add(struct bytes *region, uint32_t slot, uint8_t compression, const struct bytes *nbt)
{
    struct bytes packed = {0};
    compress_into(&packed, compression, nbt->data, nbt->size);
    region_pad(region);
    uint32_t sector = (uint32_t)(region->size / SECTOR);
    region_set_location(region, slot, sector, (uint32_t)((packed.size + 5 + SECTOR - 1) / SECTOR));
    bytes_add_big(region, packed.size + 1, 4);
    bytes_add_big(region, compression, 1);
    bytes_add(region, packed.data, packed.size);
    bytes_free(&packed);
}

void vox_begin(struct bytes *vox, uint32_t version)
{
    bytes_add(vox, "VOX ", 4);
    bytes_add_little(vox, version);
    bytes_add(vox, "MAIN", 4);
    bytes_add_little(vox, 0);
    bytes_add_little(vox, 0);
}

void vox_finish(struct bytes *vox)
{
    bytes_put_little(vox, 16, (uint32_t)(vox->size - 20));
}

void vox_chunk(struct bytes *vox, const char *id, const void *content, size_t size)
{
    bytes_add(vox, id, 4);
    bytes_add_little(vox, (uint32_t)size);
    bytes_add_little(vox, 0);
    bytes_add(vox, content, size);
}

void vox_model(struct bytes *vox, const uint32_t size[3], const uint8_t (*voxels)[4], uint32_t count)
{
    struct bytes content = {0};
    for (int a = 0; a < 3; a++)
        bytes_add_little(&content, size[a]);
    vox_chunk(vox, "SIZE", content.data, content.size);
    content.size = 0;
    bytes_add_little(&content, count);
    bytes_add(&content, voxels, 4ull * count);
    vox_chunk(vox, "XYZI", content.data, content.size);
    bytes_free(&content);
}

static void add_string(struct bytes *bytes, const char *text)
{
    bytes_add_little(bytes, (uint32_t)strlen(text));
    bytes_add(bytes, text, strlen(text));
}

static void add_pair(struct bytes *bytes, const char *key, const char *value)
{
    add_string(bytes, key);
    add_string(bytes, value);
}

static void add_hidden(struct bytes *bytes, int hidden)
{
    bytes_add_little(bytes, hidden ? 1 : 0);
    if (hidden)
        add_pair(bytes, "_hidden", "1");
}

void vox_transform(struct bytes *vox, int32_t id, int32_t child, int32_t rotation, const int32_t move[3], int hidden,
                   int32_t layer)
{
    struct bytes content = {0};
    char text[64];
    bytes_add_little(&content, (uint32_t)id);
    add_hidden(&content, hidden);
    bytes_add_little(&content, (uint32_t)child);
    bytes_add_little(&content, UINT32_MAX);
    bytes_add_little(&content, (uint32_t)layer);
    bytes_add_little(&content, 1);
    bytes_add_little(&content, (rotation >= 0 ? 1u : 0u) + (move ? 1u : 0u));
    if (rotation >= 0) {
        snprintf(text, sizeof(text), "%d", rotation);
        add_pair(&content, "_r", text);
    }
    if (move) {
        snprintf(text, sizeof(text), "%d %d %d", move[0], move[1], move[2]);
        add_pair(&content, "_t", text);
    }
    vox_chunk(vox, "nTRN", content.data, content.size);
    bytes_free(&content);
}

void vox_group(struct bytes *vox, int32_t id, const int32_t *children, uint32_t count)
{
    struct bytes content = {0};
    bytes_add_little(&content, (uint32_t)id);
    bytes_add_little(&content, 0);
    bytes_add_little(&content, count);
    for (uint32_t i = 0; i < count; i++)
        bytes_add_little(&content, (uint32_t)children[i]);
    vox_chunk(vox, "nGRP", content.data, content.size);
    bytes_free(&content);
}

void vox_shape(struct bytes *vox, int32_t id, const int32_t *models, uint32_t count)
{
    struct bytes content = {0};
    bytes_add_little(&content, (uint32_t)id);
    bytes_add_little(&content, 0);
    bytes_add_little(&content, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_add_little(&content, (uint32_t)models[i]);
        bytes_add_little(&content, 0);
    }
    vox_chunk(vox, "nSHP", content.data, content.size);
    bytes_free(&content);
}

void vox_layer(struct bytes *vox, int32_t id, int hidden)
{
    struct bytes content = {0};
    bytes_add_little(&content, (uint32_t)id);
    add_hidden(&content, hidden);
    bytes_add_little(&content, UINT32_MAX);
    vox_chunk(vox, "LAYR", content.data, content.size);
    bytes_free(&content);
}

void vox_material(struct bytes *vox, int32_t id, const char *type, const char *key, const char *value)
{
    struct bytes content = {0};
    bytes_add_little(&content, (uint32_t)id);
    bytes_add_little(&content, key ? 2 : 1);
    add_pair(&content, "_type", type);
    if (key)
        add_pair(&content, key, value);
    vox_chunk(vox, "MATL", content.data, content.size);
    bytes_free(&content);
}
