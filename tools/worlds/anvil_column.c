/* anvil_column.c - every array is checked for its exact length and every index against its palette before a voxel is
 * stored, so a cube is either whole or left out. */
#include "tools/worlds/anvil_column.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/anvil_look.h"
#include "tools/worlds/anvil_numeric.h"
#include "tools/worlds/nbt.h"

/* What the tags of a column and of one of its sections come to. A tag that is absent has type 0. */
struct column_tags {
    struct adit_nbt_tag level, sections, x, z, blocks, entities;
};
struct section_tags {
    struct adit_nbt_tag y, blocks, data, add, palette, states;
};

void adit_anvil_decoder_fini(struct adit_anvil_decoder *decoder)
{
    adit_name_table_fini(&decoder->names);
}

void adit_anvil_column_free(struct adit_anvil_column *column)
{
    for (uint32_t level = 0; column && level < ADIT_CUBE_LEVELS; level++)
        free(column->cubes[level]);
    free(column);
}

/* The number of a block name: 0 air, else its place in the table + 1. Negative when the table is full. */
static int number_of(struct adit_anvil_decoder *decoder, const char *name)
{
    if (adit_anvil_is_air(name))
        return 0;
    int place = adit_name_table_number(&decoder->names, name);
    return place < 0 ? place : place + 1;
}

static int complain(int error, char *why, const char *words)
{
    snprintf(why, ADIT_COLUMN_WHY_BYTES, "%s", words);
    return error;
}

static int complain_names(int error, char *why)
{
    return complain(error == -ENOSPC ? -EFBIG : error, why,
                    error == -ENOSPC ? "the region has more than 65535 materials" : "memory is short");
}

/* Numbers of the voxels of a cube with numeric ids, from Blocks, Data and Add. */
static int decode_numeric(struct adit_anvil_decoder *decoder, const struct section_tags *tags, char *why)
{
    size_t count, data_count = 0, add_count = 0;
    const uint8_t *blocks = adit_nbt_array(&tags->blocks, ADIT_NBT_BYTES, &count);
    const uint8_t *data = adit_nbt_array(&tags->data, ADIT_NBT_BYTES, &data_count);
    const uint8_t *add = adit_nbt_array(&tags->add, ADIT_NBT_BYTES, &add_count);
    if (count != ADIT_CUBE_VOXELS || (data && data_count != ADIT_CUBE_VOXELS / 2) ||
        (add && add_count != ADIT_CUBE_VOXELS / 2))
        return complain(-EBADMSG, why, "Blocks, Data or Add has a wrong length");
    for (uint32_t i = 0; i < ADIT_CUBE_VOXELS; i++) {
        uint32_t shift = (i & 1) * 4; /* even voxels have the low nibble */
        uint32_t id = blocks[i] | (add ? ((uint32_t)add[i >> 1] >> shift & 15) << 8 : 0);
        uint32_t key = id << 4 | (data ? (uint32_t)data[i >> 1] >> shift & 15 : 0);
        if (id && !decoder->numeric[key]) {
            char name[ADIT_ANVIL_NAME_BYTES];
            adit_anvil_numeric_name(id, key & 15, name);
            int number = number_of(decoder, name);
            if (number < 0)
                return complain_names(number, why);
            decoder->numeric[key] = (uint16_t)number;
        }
        decoder->numbers[i] = decoder->numeric[key];
    }
    return 0;
}

/* The numbers of a palette's names, into decoder->palette. Returns their count or a negative errno. */
static int decode_palette(struct adit_anvil_decoder *decoder, const struct adit_nbt_tag *palette, char *why)
{
    uint8_t type;
    uint32_t count;
    struct adit_nbt list;
    if (adit_nbt_list(palette, &type, &count, &list) || (type != ADIT_NBT_COMPOUND && count))
        return complain(-EBADMSG, why, "its palette is not a list of blocks");
    if (count == 0 || count > ADIT_CUBE_VOXELS) {
        snprintf(why, ADIT_COLUMN_WHY_BYTES, "its palette has %u entries", count);
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct adit_nbt_tag entry, tag;
        const uint8_t *text = NULL;
        size_t bytes = 0;
        if (adit_nbt_element(&list, type, &entry))
            return complain(-EBADMSG, why, "its palette is damaged");
        while (adit_nbt_next(&entry.body, &tag) > 0)
            if (adit_nbt_is(&tag, "Name"))
                text = adit_nbt_array(&tag, ADIT_NBT_STRING, &bytes);
        if (!text || bytes == 0 || bytes >= ADIT_ANVIL_NAME_BYTES) {
            snprintf(why, ADIT_COLUMN_WHY_BYTES, "entry %u of its palette has no usable name", i);
            return -EBADMSG;
        }
        char name[ADIT_ANVIL_NAME_BYTES];
        for (size_t c = 0; c < bytes; c++)
            name[c] = text[c] > 32 && text[c] < 127 ? (char)text[c] : '?';
        name[bytes] = 0;
        int number = number_of(decoder, name);
        if (number < 0)
            return complain_names(number, why);
        decoder->palette[i] = (uint16_t)number;
    }
    return (int)count;
}

/* Longs that 4096 indices of so many bits take, when an index may span two longs and when it may not. */
static size_t spanning_longs(uint32_t bits)
{
    return bits * (ADIT_CUBE_VOXELS / 64);
}
static size_t padded_longs(uint32_t bits)
{
    uint32_t each = 64 / bits;
    return (ADIT_CUBE_VOXELS + each - 1) / each;
}

/* Finds the packing by the number of longs: the least bits that hold the palette (at least 4), or more of them. */
static bool find_packing(size_t longs, uint32_t palette_count, uint32_t *bits, bool *spanning)
{
    uint32_t least = 4;
    while (1u << least < palette_count)
        least++;
    for (*bits = least; *bits <= 16; ++*bits) {
        *spanning = longs == spanning_longs(*bits);
        if (*spanning || longs == padded_longs(*bits))
            return true;
    }
    return false;
}

static int decode_states(struct adit_anvil_decoder *decoder, const struct adit_nbt_tag *states, uint32_t palette_count,
                         char *why)
{
    size_t count = 0;
    const uint8_t *data = adit_nbt_array(states, ADIT_NBT_LONGS, &count);
    uint32_t bits;
    bool spanning;
    if ((!data || count == 0) && palette_count == 1) {
        for (uint32_t i = 0; i < ADIT_CUBE_VOXELS; i++)
            decoder->numbers[i] = decoder->palette[0];
        return 0;
    }
    if (!data || !find_packing(count, palette_count, &bits, &spanning)) {
        snprintf(why, ADIT_COLUMN_WHY_BYTES, "it has %zu longs of indices for %u materials", data ? count : 0,
                 palette_count);
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) { /* at most 1024: spanning_longs(16) */
        uint64_t word;
        memcpy(&word, data + 8 * i, 8);
        decoder->longs[i] = __builtin_bswap64(word);
    }
    const uint32_t mask = (1u << bits) - 1;
    for (uint32_t i = 0, word = 0, bit = 0; i < ADIT_CUBE_VOXELS; i++, bit += bits) {
        if (bit >= 64 || (!spanning && bit + bits > 64)) {
            bit = spanning ? bit - 64 : 0;
            word++;
        }
        uint64_t value = decoder->longs[word] >> bit;
        if (bit + bits > 64)
            value |= decoder->longs[word + 1] << (64 - bit);
        uint32_t index = (uint32_t)value & mask;
        if (index >= palette_count) {
            snprintf(why, ADIT_COLUMN_WHY_BYTES, "voxel %u has index %u of a palette of %u", i, index, palette_count);
            return -EBADMSG;
        }
        decoder->numbers[i] = decoder->palette[index];
    }
    return 0;
}

/* Packs decoder->numbers. *cube stays NULL when they are all air. */
static int pack(struct adit_anvil_decoder *decoder, struct adit_anvil_cube **cube, char *why)
{
    uint32_t count = 0;
    uint16_t *palette = decoder->palette;
    for (uint32_t i = 0; i < ADIT_CUBE_VOXELS; i++)
        if (!decoder->place[decoder->numbers[i]]) {
            palette[count] = decoder->numbers[i];
            decoder->place[decoder->numbers[i]] = (uint16_t)++count;
        }
    uint32_t bits = count == 1 ? 0 : count <= 16 ? 4 : count <= 256 ? 8 : 16;
    size_t words = count + bits * ADIT_CUBE_VOXELS / 16, bytes = sizeof(**cube) + words * sizeof(uint16_t);
    int result = 0;
    if (count == 1 && palette[0] == 0)
        ;
    else if (decoder->cube_bytes + bytes > ADIT_CUBES_BYTES_MAX)
        result = complain(-EFBIG, why, "the region takes more than 512 MiB decoded");
    else if (!(*cube = calloc(1, bytes)))
        result = complain(-ENOMEM, why, "memory is short");
    else {
        decoder->cube_bytes += bytes;
        (*cube)->palette_count = (uint16_t)count;
        (*cube)->bits = (uint8_t)bits;
        memcpy((*cube)->words, palette, count * sizeof(*palette));
        uint16_t *indices = (*cube)->words + count;
        for (uint32_t i = 0; bits && i < ADIT_CUBE_VOXELS; i++)
            indices[i * bits / 16] |= (uint16_t)((decoder->place[decoder->numbers[i]] - 1u) << i * bits % 16);
    }
    for (uint32_t i = 0; i < count; i++)
        decoder->place[palette[i]] = 0;
    return result;
}

static void read_section_tags(struct adit_nbt_tag *section, struct section_tags *tags)
{
    struct adit_nbt_tag tag;
    *tags = (struct section_tags){0};
    while (adit_nbt_next(&section->body, &tag) > 0) { /* the whole section was checked when it was yielded */
        if (adit_nbt_is(&tag, "Y"))
            tags->y = tag;
        else if (adit_nbt_is(&tag, "Blocks"))
            tags->blocks = tag;
        else if (adit_nbt_is(&tag, "Data"))
            tags->data = tag;
        else if (adit_nbt_is(&tag, "Add"))
            tags->add = tag;
        else if (adit_nbt_is(&tag, "Palette"))
            tags->palette = tag;
        else if (adit_nbt_is(&tag, "BlockStates"))
            tags->states = tag;
        else if (adit_nbt_is(&tag, "block_states") && tag.type == ADIT_NBT_COMPOUND) {
            struct adit_nbt_tag inner;
            while (adit_nbt_next(&tag.body, &inner) > 0)
                if (adit_nbt_is(&inner, "palette"))
                    tags->palette = inner;
                else if (adit_nbt_is(&inner, "data"))
                    tags->states = inner;
        }
    }
}

/* Makes the levels of a column include one more. */
static void widen(struct adit_anvil_column *column, uint32_t level)
{
    bool empty = column->level_begin == column->level_end;
    if (empty || level < column->level_begin)
        column->level_begin = level;
    if (empty || level >= column->level_end)
        column->level_end = level + 1;
}

/* Decodes one section into its place in the column. Returns 0, -EBADMSG when this section alone is at fault, or what is
 * wrong with the whole. */
static int decode_section(struct adit_anvil_decoder *decoder, struct adit_nbt_tag *section,
                          struct adit_anvil_column *column, char *why)
{
    struct section_tags tags;
    int64_t y;
    read_section_tags(section, &tags);
    bool numeric = tags.blocks.type == ADIT_NBT_BYTES;
    if (!numeric && !tags.palette.type)
        return 0; /* light only */
    column->sections_count++;
    int64_t lowest = numeric ? 0 : ADIT_CUBE_LEVEL_MIN,
            highest = numeric ? 15 : ADIT_CUBE_LEVEL_MIN + ADIT_CUBE_LEVELS - 1;
    if (!adit_nbt_integer(&tags.y, &y))
        return complain(-EBADMSG, why, "a section without its Y");
    char detail[ADIT_COLUMN_WHY_BYTES] = "";
    int result;
    uint32_t level = y < lowest || y > highest ? 0 : (uint32_t)(y - ADIT_CUBE_LEVEL_MIN);
    if (y < lowest || y > highest)
        result = complain(-EBADMSG, detail, "no world is so high or deep");
    else if (column->cubes[level])
        result = complain(-EBADMSG, detail, "there are two of it");
    else {
        int count = numeric ? 0 : decode_palette(decoder, &tags.palette, detail);
        result = count < 0 ? count
                 : numeric ? decode_numeric(decoder, &tags, detail)
                           : decode_states(decoder, &tags.states, (uint32_t)count, detail);
        if (!result)
            result = pack(decoder, &column->cubes[level], detail);
        if (column->cubes[level])
            widen(column, level);
    }
    if (result)
        snprintf(why, ADIT_COLUMN_WHY_BYTES, "section %lld: %.120s", (long long)y, detail);
    return result;
}

/* Reads the tags of the root, or of Level, that matter. Returns 0 or -EBADMSG. */
static int read_column_tags(struct adit_nbt_tag *compound, struct column_tags *tags)
{
    struct adit_nbt_tag tag;
    int got;
    while ((got = adit_nbt_next(&compound->body, &tag)) > 0) {
        if (adit_nbt_is(&tag, "Level") && tag.type == ADIT_NBT_COMPOUND)
            tags->level = tag;
        else if ((adit_nbt_is(&tag, "sections") || adit_nbt_is(&tag, "Sections")) && tag.type == ADIT_NBT_LIST)
            tags->sections = tag;
        else if (adit_nbt_is(&tag, "xPos"))
            tags->x = tag;
        else if (adit_nbt_is(&tag, "zPos"))
            tags->z = tag;
        else if (adit_nbt_is(&tag, "Blocks"))
            tags->blocks = tag;
        else if (adit_nbt_is(&tag, "Entities") || adit_nbt_is(&tag, "Sections"))
            tags->entities = tag;
    }
    return got;
}

/* Finds where the column is and where its sections are. *sections may be absent: a column not yet generated. */
static int find_sections(const uint8_t *nbt, size_t bytes, struct adit_anvil_column *column,
                         struct adit_nbt_tag *sections, char *why)
{
    struct adit_nbt_tag root;
    struct column_tags tags = {0};
    if (adit_nbt_root(nbt, bytes, &root) || read_column_tags(&root, &tags) ||
        (tags.level.type && read_column_tags(&tags.level, &tags)))
        return complain(-EBADMSG, why, "its NBT data are damaged");
    if (tags.blocks.type && !tags.sections.type)
        return complain(-EOPNOTSUPP, why,
                        "it has the format from before 1.2: open the world once in Minecraft 1.2 to 1.12");
    int64_t x, z;
    if (!adit_nbt_integer(&tags.x, &x) || !adit_nbt_integer(&tags.z, &z))
        return complain(tags.entities.type ? -ENOMSG : -EBADMSG, why,
                        tags.entities.type
                            ? "it holds entities or places, no voxels: give the file of the region folder"
                            : "it is no chunk column (no xPos and zPos)");
    if (x < -ADIT_COLUMN_POSITION_MAX || x > ADIT_COLUMN_POSITION_MAX || z < -ADIT_COLUMN_POSITION_MAX ||
        z > ADIT_COLUMN_POSITION_MAX)
        return complain(-EBADMSG, why, "its xPos or zPos lies beyond any world");
    column->x = (int32_t)x;
    column->z = (int32_t)z;
    *sections = tags.sections;
    return 0;
}

/* Decodes all sections into a column. Returns 0 when none is at fault but by itself. */
static int decode_sections(struct adit_anvil_decoder *decoder, const struct adit_nbt_tag *sections,
                           struct adit_anvil_column *column, char *why)
{
    uint8_t type;
    uint32_t count;
    struct adit_nbt list;
    if (adit_nbt_list(sections, &type, &count, &list) || (count && type != ADIT_NBT_COMPOUND))
        return complain(-EBADMSG, why, "its sections are no list of compounds");
    for (uint32_t i = 0; i < count; i++) { /* each element takes a byte at least */
        struct adit_nbt_tag section;
        char words[ADIT_COLUMN_WHY_BYTES] = "its list breaks off";
        int result = adit_nbt_element(&list, type, &section);
        if (!result)
            result = decode_section(decoder, &section, column, words);
        if (result == -EBADMSG && column->cubes_damaged++ == 0)
            complain(result, why, words);
        if (result && result != -EBADMSG)
            return complain(result, why, words);
    }
    return 0;
}

int adit_anvil_column_decode(struct adit_anvil_decoder *decoder, const uint8_t *nbt, size_t bytes,
                             struct adit_anvil_column **column, char why[ADIT_COLUMN_WHY_BYTES])
{
    struct adit_nbt_tag sections;
    struct adit_anvil_column *made = calloc(1, sizeof(*made));
    *column = NULL;
    if (!made)
        return complain(-ENOMEM, why, "memory is short");
    int result = find_sections(nbt, bytes, made, &sections, why);
    if (!result && sections.type)
        result = decode_sections(decoder, &sections, made, why);
    if (result)
        adit_anvil_column_free(made);
    else
        *column = made;
    return result;
}
