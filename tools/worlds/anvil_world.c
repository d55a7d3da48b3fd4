/* anvil_world.c - two passes over the slots, then one over what they gave.
 *
 * The first pass decodes the columns within the file, the second those in files of their own, whose names need the
 * region's place. Only then are columns that claim another region left out and dense ids given, so that the ids do not
 * depend on columns that do not count. */
#include "tools/worlds/anvil_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/anvil_column.h"
#include "tools/worlds/anvil_inflate.h"
#include "tools/worlds/anvil_look.h"
#include "tools/worlds/anvil_region.h"

#define REGION_DIM 32

enum slot_state { SLOT_ABSENT, SLOT_DAMAGED, SLOT_LARGE, SLOT_EXTERNAL, SLOT_READ };

/* Why a column is left out, as far as the cures differ or a person would look elsewhere. */
enum fault { FAULT_OLD, FAULT_NO_VOXELS, FAULT_EXTERNAL, FAULT_LARGE, FAULT_LOCATION, FAULT_STREAM, FAULT_CONTENTS, FAULTS };

struct anvil_world {
    struct adit_world_source source; /* first */
    int32_t region_x, region_z;
    struct adit_anvil_column *columns[ADIT_REGION_COLUMNS]; /* by slot, NULL where none is kept */
};

/* What only reading needs. */
struct reader {
    struct adit_world *world;
    struct anvil_world *anvil;
    const char *name, *path;
    struct adit_anvil_region region;
    struct adit_inflater inflater;
    struct adit_anvil_decoder decoder;
    uint8_t states[ADIT_REGION_COLUMNS]; /* enum slot_state */
    uint32_t faults[FAULTS]; /* columns left out, by why */
    char first_damage[96];   /* of the first one that a backup would cure */
};

static void anvil_close(struct adit_world_source *source)
{
    struct anvil_world *anvil = (struct anvil_world *)(void *)source;
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++)
        adit_anvil_column_free(anvil->columns[slot]);
    free(anvil);
}

/* The column at a chunk column position, NULL when there is none. */
static const struct adit_anvil_column *column_at(const struct anvil_world *anvil, int32_t x, int32_t z)
{
    int32_t lx = x - anvil->region_x * REGION_DIM, lz = z - anvil->region_z * REGION_DIM;
    if (lx < 0 || lx >= REGION_DIM || lz < 0 || lz >= REGION_DIM)
        return NULL;
    return anvil->columns[lx + lz * REGION_DIM];
}

/* One of the 64 cubes of a chunk, x fastest, then y, then z. Keys are within the world's box: nothing overflows. */
static const struct adit_anvil_cube *cube_at(const struct anvil_world *anvil, const int32_t key[3], uint32_t cube)
{
    const struct adit_anvil_column *column =
        column_at(anvil, key[0] * 4 + (int32_t)(cube & 3), key[2] * 4 + (int32_t)(cube >> 4));
    int32_t level = key[1] * 4 + (int32_t)(cube >> 2 & 3) - ADIT_CUBE_LEVEL_MIN;
    return column && level >= 0 && level < ADIT_CUBE_LEVELS ? column->cubes[level] : NULL;
}

static bool anvil_has_chunk(const struct adit_world *world, const int32_t key[3])
{
    const struct anvil_world *anvil = (const struct anvil_world *)(const void *)world->source;
    for (uint32_t cube = 0; cube < 64; cube++)
        if (cube_at(anvil, key, cube))
            return true;
    return false;
}

static int anvil_fill(const struct adit_world *world, const int32_t key[3], uint16_t *voxels)
{
    const struct anvil_world *anvil = (const struct anvil_world *)(const void *)world->source;
    for (uint32_t c = 0; c < 64; c++) {
        const struct adit_anvil_cube *cube = cube_at(anvil, key, c);
        if (!cube)
            continue;
        uint16_t *corner = voxels + (c >> 4) * 16 * ADIT_PLANE_VOXELS + (c >> 2 & 3) * 16 * 64 + (c & 3) * 16;
        for (uint32_t i = 0; i < ADIT_CUBE_VOXELS; i++)
            corner[(i >> 4 & 15) * ADIT_PLANE_VOXELS + (i >> 8) * 64 + (i & 15)] =
                cube->words[adit_anvil_cube_index(cube, i)];
    }
    return 1; /* a cube that is kept has a voxel */
}

/* Names a slot that is left out, or something about one that is kept. */
__attribute__((format(printf, 3, 4))) static void warn_slot(struct reader *reader, uint32_t slot, const char *format,
                                                            ...)
{
    char reason[ADIT_WORLD_LINE_BYTES / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    const uint8_t *at = reader->region.data + 4 * slot;
    unsigned long long offset = ((unsigned long long)at[0] << 16 | (unsigned long long)at[1] << 8 | at[2]) << 12;
    adit_world_warn(reader->world, "%s: chunk column %u,%u of the region (byte %llu): %s", reader->name,
                    slot % REGION_DIM, slot / REGION_DIM, offset, reason);
}

static void leave_out(struct reader *reader, uint32_t slot, enum fault fault, const char *why)
{
    reader->faults[fault]++;
    if (fault >= FAULT_LOCATION && !reader->first_damage[0])
        snprintf(reader->first_damage, sizeof(reader->first_damage), "column %u,%u: %s", slot % REGION_DIM,
                 slot / REGION_DIM, why);
    reader->states[slot] = fault == FAULT_LARGE ? SLOT_LARGE : SLOT_DAMAGED;
    adit_anvil_column_free(reader->anvil->columns[slot]);
    reader->anvil->columns[slot] = NULL;
    warn_slot(reader, slot, "%s; left out", why);
}

/* Why a column is left out, by what decoding it said. */
static enum fault fault_of(int result)
{
    switch (-result) {
    case EOPNOTSUPP: return FAULT_OLD;
    case ENOMSG: return FAULT_NO_VOXELS;
    case EFBIG: return FAULT_LARGE;
    default: return FAULT_CONTENTS;
    }
}

/* Decompresses and decodes a payload into its slot. False when it is left out. */
static bool read_payload(struct reader *reader, uint32_t slot, uint32_t compression, const uint8_t *payload,
                         size_t bytes)
{
    const uint8_t *nbt;
    size_t nbt_bytes;
    const char *words;
    char why[ADIT_COLUMN_WHY_BYTES] = "";
    struct adit_anvil_column **column = &reader->anvil->columns[slot];
    int result = adit_inflate(&reader->inflater, compression, payload, bytes, &nbt, &nbt_bytes, &words);
    if (result) {
        leave_out(reader, slot, result == -EFBIG ? FAULT_LARGE : FAULT_STREAM, words);
        return false;
    }
    result = adit_anvil_column_decode(&reader->decoder, nbt, nbt_bytes, column, why);
    if (result) {
        leave_out(reader, slot, fault_of(result), why);
        return false;
    }
    reader->states[slot] = SLOT_READ;
    if ((*column)->cubes_damaged)
        warn_slot(reader, slot, "%u of its sections left out, the first is %s", (*column)->cubes_damaged, why);
    return true;
}

static void read_slot(struct reader *reader, uint32_t slot)
{
    struct adit_anvil_span span;
    char why[ADIT_REGION_WHY_BYTES];
    int found = adit_anvil_region_find(&reader->region, slot, &span, why);
    if (found < 0)
        leave_out(reader, slot, FAULT_LOCATION, why);
    if (found <= 0)
        return;
    if (span.external) {
        reader->states[slot] = SLOT_EXTERNAL;
        return;
    }
    if (!read_payload(reader, slot, span.compression, span.payload, span.bytes))
        return;
    adit_anvil_region_claim(&reader->region, &span);
    if (span.overlong)
        warn_slot(reader, slot, "it takes more sectors than its location says; read all the same");
}

/* The region that most of the columns read claim to be of, the first of equals. False when none was read. */
static bool find_region(struct reader *reader)
{
    struct anvil_world *anvil = reader->anvil;
    uint32_t best = 0;
    for (uint32_t i = 0; i < ADIT_REGION_COLUMNS; i++) {
        if (reader->states[i] != SLOT_READ)
            continue;
        int32_t x = anvil->columns[i]->x >> 5, z = anvil->columns[i]->z >> 5;
        if (best && x == anvil->region_x && z == anvil->region_z)
            continue; /* counted */
        uint32_t votes = 0;
        for (uint32_t k = i; k < ADIT_REGION_COLUMNS; k++)
            votes += reader->states[k] == SLOT_READ && anvil->columns[k]->x >> 5 == x && anvil->columns[k]->z >> 5 == z;
        if (votes > best) {
            best = votes;
            anvil->region_x = x;
            anvil->region_z = z;
        }
    }
    if (best)
        return true;
    const char *slash = reader->path ? strrchr(reader->path, '/') : NULL;
    int end = 0;
    return reader->path &&
           sscanf(slash ? slash + 1 : reader->path, "r.%8d.%8d.mca%n", &anvil->region_x, &anvil->region_z, &end) == 2 &&
           end && abs(anvil->region_x) < ADIT_COLUMN_POSITION_MAX / REGION_DIM &&
           abs(anvil->region_z) < ADIT_COLUMN_POSITION_MAX / REGION_DIM;
}

/* Reads a column from its own file, c.X.Z.mcc in the folder of the region. */
static void read_external(struct reader *reader, uint32_t slot, bool region_known)
{
    if (!reader->path || !region_known) {
        leave_out(reader, slot, FAULT_EXTERNAL, "it is in a .mcc file of its own, whose name is not known");
        return;
    }
    const char *slash = strrchr(reader->path, '/');
    int folder = slash ? (int)(slash + 1 - reader->path) : 0;
    char path[4096], line[ADIT_WORLD_LINE_BYTES], why[ADIT_COLUMN_WHY_BYTES];
    int x = reader->anvil->region_x * REGION_DIM + (int)(slot % REGION_DIM);
    int z = reader->anvil->region_z * REGION_DIM + (int)(slot / REGION_DIM);
    uint8_t *data;
    size_t bytes;
    snprintf(why, sizeof(why), "its file c.%d.%d.mcc beside the region cannot be read", x, z);
    const struct adit_world_error error = {line, sizeof(line)};
    if (snprintf(path, sizeof(path), "%.*sc.%d.%d.mcc", folder, reader->path, x, z) >= (int)sizeof(path) ||
        adit_world_read_file(path, ADIT_INFLATE_COLUMN_MAX, &data, &bytes, error)) {
        leave_out(reader, slot, FAULT_EXTERNAL, why);
        return;
    }
    struct adit_anvil_span span;
    char unused[ADIT_REGION_WHY_BYTES];
    if (adit_anvil_region_find(&reader->region, slot, &span, unused) > 0)
        read_payload(reader, slot, span.compression, data, bytes);
    else
        leave_out(reader, slot, FAULT_LOCATION, unused);
    free(data);
}

/* Leaves out the columns that claim another region, and names those that claim another place in this one. */
static void check_places(struct reader *reader)
{
    const struct anvil_world *anvil = reader->anvil;
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++) {
        if (reader->states[slot] != SLOT_READ)
            continue;
        int32_t x = anvil->columns[slot]->x, z = anvil->columns[slot]->z;
        char why[ADIT_COLUMN_WHY_BYTES];
        snprintf(why, sizeof(why), "it says that it is column %d,%d of the world", x, z);
        if (x >> 5 != anvil->region_x || z >> 5 != anvil->region_z)
            leave_out(reader, slot, FAULT_CONTENTS, why);
        else if ((x & 31) != (int32_t)(slot % REGION_DIM) || (z & 31) != (int32_t)(slot / REGION_DIM))
            warn_slot(reader, slot, "%s; kept where it is stored", why);
    }
}

/* Makes dense ids of the numbers in a cube. */
static int give_cube_ids(struct reader *reader, struct adit_anvil_cube *cube, uint16_t *ids)
{
    for (uint32_t i = 0; i < cube->palette_count; i++) {
        uint16_t number = cube->words[i];
        if (number && !ids[number]) {
            const char *name = reader->decoder.names.names[number - 1];
            enum adit_class class;
            uint32_t rgba = adit_anvil_look(name, &class);
            int id = adit_world_add_material(reader->world, name, rgba, class);
            if (id < 0)
                return id;
            ids[number] = (uint16_t)id;
        }
        cube->words[i] = ids[number];
    }
    return 0;
}

static int give_ids(struct reader *reader)
{
    uint16_t *ids = calloc(ADIT_MATERIALS, sizeof(*ids));
    int result = ids ? 0 : -ENOMEM;
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++) {
        const struct adit_anvil_column *column = reader->anvil->columns[slot];
        for (uint32_t level = column ? column->level_begin : 0; column && level < column->level_end && !result; level++)
            if (column->cubes[level])
                result = give_cube_ids(reader, column->cubes[level], ids);
    }
    free(ids);
    return result;
}

/* The box of the columns that have voxels, also of those that are air throughout, as high as the cubes that are kept. */
static void set_box(struct reader *reader)
{
    const struct anvil_world *anvil = reader->anvil;
    int32_t lo[3] = {INT32_MAX, INT32_MAX, INT32_MAX}, hi[3] = {INT32_MIN, INT32_MIN, INT32_MIN};
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++) {
        const struct adit_anvil_column *column = anvil->columns[slot];
        if (!column || !column->sections_count)
            continue;
        const int32_t x = anvil->region_x * REGION_DIM + (int32_t)(slot % REGION_DIM);
        const int32_t z = anvil->region_z * REGION_DIM + (int32_t)(slot / REGION_DIM);
        const int32_t first[3] = {x, (int32_t)column->level_begin + ADIT_CUBE_LEVEL_MIN, z};
        const int32_t behind[3] = {x + 1, (int32_t)column->level_end + ADIT_CUBE_LEVEL_MIN, z + 1};
        for (int a = 0; a < 3; a++) {
            if (a == 1 && column->level_begin == column->level_end)
                continue;
            lo[a] = lo[a] < first[a] * ADIT_CUBE_DIM ? lo[a] : first[a] * ADIT_CUBE_DIM;
            hi[a] = hi[a] > behind[a] * ADIT_CUBE_DIM ? hi[a] : behind[a] * ADIT_CUBE_DIM;
        }
    }
    if (lo[1] < hi[1])
        adit_world_set_box(reader->world, lo, hi);
}

/* Of a region with nothing sound: how many columns of each kind, each kind with its cure. */
static int fail_faults(const struct reader *reader, uint32_t present, struct adit_world_error error)
{
    static const char *const kinds[FAULTS] = {
        "from before 1.2 (open the world once in Minecraft 1.2 to 1.12)",
        "of entities or places (give the file of the region folder)",
        "in .mcc files that cannot be read (put them beside the region)",
        "too large to be read (64 MiB a column, 4 GiB and 65535 materials a region: give fewer of them at once)",
        "with damaged locations", "with damaged streams", "with damaged contents",
    };
    char text[ADIT_WORLD_LINE_BYTES] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < FAULTS; i++)
        if (reader->faults[i] && used < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u %s", used ? ", " : "", reader->faults[i], kinds[i]);
    const char *damage = reader->first_damage;
    return adit_world_fail(error, EBADMSG, "%s: none of its %u chunk columns is sound: %s%s%s%s", reader->name, present, text,
                           *damage ? " (" : "", damage, *damage ? "; restore the file from a backup)" : "");
}

static int read_region(struct reader *reader, struct adit_world_error error)
{
    uint32_t present = 0;
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++)
        read_slot(reader, slot);
    bool known = find_region(reader);
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++)
        if (reader->states[slot] == SLOT_EXTERNAL)
            read_external(reader, slot, known);
    check_places(reader);
    for (uint32_t slot = 0; slot < ADIT_REGION_COLUMNS; slot++) {
        present += reader->states[slot] != SLOT_ABSENT;
        reader->world->columns_read += reader->states[slot] == SLOT_READ;
        reader->world->columns_skipped += reader->states[slot] == SLOT_DAMAGED;
        reader->world->columns_large += reader->states[slot] == SLOT_LARGE;
    }
    if (!present)
        return adit_world_fail(error, EBADMSG, "%s: the region holds no chunk column: give one that was explored",
                               reader->name);
    if (!reader->world->columns_read)
        return fail_faults(reader, present, error);
    int result = give_ids(reader);
    if (result)
        return adit_world_fail(error, -result, "%s: no memory for its materials", reader->name);
    set_box(reader);
    if (!reader->world->material_count)
        adit_world_warn(reader->world, "%s: its %u chunk columns hold air only", reader->name, present);
    return 0;
}

int adit_anvil_parse(const uint8_t *data, size_t bytes, const char *spec, const char *path, struct adit_world **out,
                     struct adit_world_error error)
{
    const char *name = adit_world_short(spec);
    struct reader *reader = calloc(1, sizeof(*reader));
    struct anvil_world *anvil = calloc(1, sizeof(*anvil));
    struct adit_world *world = adit_world_new(spec, "mca");
    *out = NULL;
    if (!reader || !anvil || !world) {
        free(reader);
        free(anvil);
        adit_world_close(world);
        return adit_world_fail(error, ENOMEM, "%s: no memory to read it", name);
    }
    anvil->source = (struct adit_world_source){anvil_fill, anvil_has_chunk, anvil_close};
    world->source = &anvil->source;
    reader->world = world;
    reader->anvil = anvil;
    reader->name = name;
    reader->path = path;
    reader->region = (struct adit_anvil_region){.data = data, .bytes = bytes};
    int result = adit_anvil_region_init(&reader->region);
    if (result == -EBADMSG)
        adit_world_fail(error, EBADMSG,
                        "%s: has %zu bytes, less than the 8192 of a region's header: it is truncated or no region",
                        name, bytes);
    else if (result)
        adit_world_fail(error, -result, "%s: no memory to read it", name);
    else
        result = read_region(reader, error);
    adit_anvil_region_fini(&reader->region);
    adit_inflater_fini(&reader->inflater);
    adit_anvil_decoder_fini(&reader->decoder);
    free(reader);
    if (result)
        adit_world_close(world);
    else
        *out = world;
    return result;
}
