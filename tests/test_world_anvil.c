/* test_world_anvil.c - regions made here, of every shape and compression that Anvil had, sound and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/world_files.h"
#include "tools/worlds/anvil_world.h"

#define SHAPES 4
enum { NAMES = 40 };

static char error_line[ADIT_WORLD_LINE_BYTES];
static uint16_t chunk[ADIT_CHUNK_VOXELS];
static uint16_t pattern[4096];
static char name_text[NAMES][32];
static const char *names[NAMES];

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name_text[i], sizeof(name_text[i]), i ? "minecraft:kind_%u" : "minecraft:air", i);
        names[i] = name_text[i];
    }
    return 0;
}

/* A pattern in which every voxel tells its place apart, of `kinds` values. */
static void make_pattern(uint32_t kinds)
{
    for (uint32_t i = 0; i < 4096; i++)
        pattern[i] = (uint16_t)(((i & 15) * 7 + (i >> 4 & 15) * 5 + (i >> 8) * 3 + i / 1000) % kinds);
}

static struct adit_world *parse(const struct bytes *region)
{
    struct adit_world *world = NULL;
    uint8_t *copy = malloc(region->size ? region->size : 1); /* exact: ASan sees a read beyond it */
    if (region->size)
        memcpy(copy, region->data, region->size);
    int result = adit_anvil_parse(copy, region->size, "test.mca", NULL, &world,
                                  (struct adit_world_error){error_line, sizeof(error_line)});
    free(copy);
    assert_true(result ? !world : world != NULL);
    if (world)
        *error_line = 0;
    return world;
}

/* The name of the voxel at world coordinates; "air" outside. */
static const char *name_at(const struct adit_world *world, int32_t x, int32_t y, int32_t z)
{
    adit_world_chunk(world, x >> 6, y >> 6, z >> 6, chunk);
    uint16_t id = chunk[((z & 63) * 64 + (y & 63)) * 64 + (x & 63)];
    assert_true(id <= world->material_count);
    return world->materials[id].name;
}

/* Whether the cube at (x, y, z) holds the pattern. */
static bool holds_pattern(const struct adit_world *world, int32_t x, int32_t y, int32_t z)
{
    adit_world_chunk(world, x >> 6, y >> 6, z >> 6, chunk);
    for (uint32_t i = 0; i < 4096; i++) {
        int32_t vx = x + (int32_t)(i & 15), vz = z + (int32_t)(i >> 4 & 15), vy = y + (int32_t)(i >> 8);
        uint16_t id = chunk[((vz & 63) * 64 + (vy & 63)) * 64 + (vx & 63)];
        const char *wanted = pattern[i] ? names[pattern[i]] : "air";
        if (id > world->material_count || strcmp(world->materials[id].name, wanted) != 0)
            return false;
    }
    return true;
}

static bool has_warning(const struct adit_world *world, const char *part)
{
    for (uint32_t i = 0; i < world->warning_count; i++)
        if (strstr(world->warnings[i], part))
            return true;
    return false;
}

static void add_column(struct bytes *region, enum column_shape shape, uint32_t slot, uint8_t compression, int32_t x,
                       int32_t z, const struct column_section *sections, uint32_t count)
{
    struct bytes nbt = {0};
    column_write(&nbt, shape, x, z, sections, count);
    region_add(region, slot, compression, &nbt);
    bytes_free(&nbt);
}

/* One column at the slot, whose one section holds the pattern. */
static void add_pattern(struct bytes *region, enum column_shape shape, uint32_t slot, uint8_t compression, int32_t x,
                        int32_t z)
{
    struct column_section section = {.y = 4, .name_count = NAMES, .names = names, .voxels = pattern};
    add_column(region, shape, slot, compression, x, z, &section, 1);
}

static void every_paletted_shape_gives_its_voxels(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {2, 16, 17, 33, 40};
    for (int shape = COLUMN_SPANNING; shape <= COLUMN_FLAT; shape++)
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            make_pattern(kinds[k]);
            struct bytes region = {0};
            struct column_section section = {.y = 2, .name_count = kinds[k], .names = names, .voxels = pattern};
            region_begin(&region);
            add_column(&region, (enum column_shape)shape, 33, 2, 1, 1, &section, 1);
            struct adit_world *world = parse(&region);
            assert_non_null(world);
            assert_int_equal(world->material_count, kinds[k] - 1);
            assert_int_equal(world->columns_read, 1);
            assert_int_equal(world->warning_count, 0);
            assert_true(holds_pattern(world, 16, 32, 16));
            adit_world_close(world);
            bytes_free(&region);
        }
}

static void indices_wider_than_needed_are_read(void **state)
{
    (void)state;
    make_pattern(5);
    for (int shape = COLUMN_SPANNING; shape <= COLUMN_FLAT; shape++)
        for (uint32_t bits = 4; bits <= 11; bits++) { /* 12 unspanned bits make as many longs as 11 do */
            struct bytes region = {0};
            struct column_section section = {.y = 0, .name_count = 5, .names = names, .voxels = pattern, .bits = bits};
            region_begin(&region);
            add_column(&region, (enum column_shape)shape, 0, 3, 0, 0, &section, 1);
            struct adit_world *world = parse(&region);
            assert_non_null(world);
            assert_true(holds_pattern(world, 0, 0, 0));
            adit_world_close(world);
            bytes_free(&region);
        }
}

static void numeric_ids_with_data_and_add_get_their_names(void **state)
{
    (void)state;
    static const struct {
        uint16_t id, data;
        const char *name;
    } known[] = {
        {1, 0, "minecraft:stone"},
        {1, 5, "minecraft:andesite"},
        {5, 3, "minecraft:jungle_planks"},
        {17, 2, "minecraft:birch_log"},
        {17, 9, "minecraft:spruce_log"},
        {17, 12, "minecraft:oak_wood"},
        {18, 7, "minecraft:jungle_leaves"},
        {35, 11, "minecraft:blue_wool"},
        {43, 8, "minecraft:smooth_stone"},
        {44, 13, "minecraft:stone_brick_slab"},
        {97, 2, "minecraft:infested_stone_bricks"},
        {95, 3, "minecraft:light_blue_stained_glass"},
        {162, 5, "minecraft:dark_oak_log"},
        {175, 4, "minecraft:rose_bush"},
        {219, 3, "minecraft:white_shulker_box"},
        {250, 0, "minecraft:black_glazed_terracotta"},
        {252, 14, "minecraft:red_concrete_powder"},
        {3, 9, "minecraft:dirt"},
        {253, 0, "numeric:253"},
        {256, 4, "numeric:256"},
        {4095, 15, "numeric:4095"},
        {0, 9, "air"},
    };
    const uint32_t count = sizeof(known) / sizeof(*known);
    uint16_t voxels[4096] = {0};
    for (uint32_t i = 0; i < count; i++)
        voxels[i * 17] = (uint16_t)(known[i].id << 4 | known[i].data);
    struct column_section section = {.y = 15, .voxels = voxels};
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_NUMERIC, 31, 1, 31, 0, &section, 1);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i * 17;
        assert_string_equal(name_at(world, 31 * 16 + (int32_t)(at & 15), 240 + (int32_t)(at >> 8),
                                    (int32_t)(at >> 4 & 15)),
                            known[i].name);
    }
    assert_int_equal(world->material_count, count - 1);
    adit_world_close(world);
    bytes_free(&region);
}

static void every_compression_is_read(void **state)
{
    (void)state;
    make_pattern(NAMES);
    struct bytes region = {0};
    region_begin(&region);
    for (uint8_t c = 1; c <= 4; c++)
        add_pattern(&region, COLUMN_FLAT, c, c, c, 0);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->columns_read, 4);
    assert_int_equal(world->warning_count, 0);
    assert_int_equal(world->material_count, NAMES - 1); /* a name is one material, wherever it occurs */
    for (int32_t c = 1; c <= 4; c++)
        assert_true(holds_pattern(world, c * 16, 64, 0));
    adit_world_close(world);
    bytes_free(&region);
}

static void places_are_absolute_and_signed(void **state)
{
    (void)state;
    make_pattern(3);
    struct bytes region = {0};
    struct column_section sections[2] = {{.y = -4, .name_count = 3, .names = names, .voxels = pattern},
                                         {.y = 19, .name_count = 3, .names = names, .voxels = pattern}};
    region_begin(&region);
    add_column(&region, COLUMN_FLAT, 31 + 32 * 30, 2, -1, 62, sections, 2);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    const int32_t lo[3] = {-16, -64, 992}, hi[3] = {0, 320, 1008};
    assert_memory_equal(world->voxel_min, lo, sizeof(lo));
    assert_memory_equal(world->voxel_max, hi, sizeof(hi));
    const int32_t chunk_lo[3] = {-1, -1, 15}, chunk_hi[3] = {0, 5, 16};
    assert_memory_equal(world->chunk_min, chunk_lo, sizeof(chunk_lo));
    assert_memory_equal(world->chunk_max, chunk_hi, sizeof(chunk_hi));
    assert_true(holds_pattern(world, -16, -64, 992));
    assert_true(holds_pattern(world, -16, 304, 992));
    assert_true(adit_world_has_chunk(world, -1, -1, 15));
    assert_false(adit_world_has_chunk(world, -1, 1, 15));
    assert_false(adit_world_has_chunk(world, INT32_MIN, INT32_MAX, 0));
    assert_int_equal(adit_world_chunk(world, -1, 1, 15, chunk), 0);
    assert_int_equal(adit_world_chunk(world, INT32_MAX, INT32_MIN, INT32_MAX, chunk), 0);
    adit_world_close(world);
    bytes_free(&region);
}

static void air_has_three_names_and_no_material(void **state)
{
    (void)state;
    static const char *const airs[] = {"minecraft:air", "minecraft:cave_air", "minecraft:void_air", "minecraft:stone"};
    uint16_t voxels[4096] = {0};
    for (uint32_t i = 0; i < 4096; i++)
        voxels[i] = i % 4 == 3 && i > 4000 ? 3 : (uint16_t)(i % 3);
    struct column_section section = {.y = 0, .name_count = 4, .names = airs, .voxels = voxels};
    struct column_section empty = {.y = 1, .name_count = 1, .names = airs + 1, .voxels = voxels};
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_FLAT, 0, 2, 0, 0, (struct column_section[]){empty, section}, 2);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->material_count, 1);
    assert_int_equal(world->voxel_max[1], 16);
    assert_string_equal(name_at(world, 15, 15, 15), "minecraft:stone");
    assert_string_equal(name_at(world, 14, 15, 15), "air");
    adit_world_close(world);
    bytes_free(&region);
}

static void ids_are_dense_and_depend_on_what_is_used_alone(void **state)
{
    (void)state;
    uint16_t voxels[4096] = {0};
    voxels[0] = 7;
    voxels[1] = 2;
    struct column_section section = {.y = 3, .name_count = NAMES, .names = names, .voxels = voxels};
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_FLAT, 5, 2, 5, 0, &section, 1);
    for (int i = 0; i < 2; i++) {
        struct adit_world *world = parse(&region);
        assert_non_null(world);
        assert_int_equal(world->material_count, 2);
        assert_string_equal(world->materials[1].name, "minecraft:kind_7");
        assert_string_equal(world->materials[2].name, "minecraft:kind_2");
        adit_world_close(world);
    }
    bytes_free(&region);
}

static void a_column_in_a_file_of_its_own_is_read(void **state)
{
    (void)state;
    make_pattern(6);
    char folder[] = "/tmp/adit-mcc-XXXXXX", path[128], spec[128];
    assert_non_null(mkdtemp(folder));
    struct bytes region = {0}, nbt = {0}, packed = {0};
    struct column_section section = {.y = 1, .name_count = 6, .names = names, .voxels = pattern};
    region_begin(&region);
    add_pattern(&region, COLUMN_FLAT, 0, 2, -32, 64);
    column_write(&nbt, COLUMN_FLAT, -31, 64, &section, 1);
    compress_into(&packed, 2, nbt.data, nbt.size);
    for (uint32_t slot = 1; slot <= 2; slot++) { /* the file of slot 1 exists, that of slot 2 does not */
        region_pad(&region);
        region_set_location(&region, slot, (uint32_t)(region.size / 4096), 1);
        bytes_add_big(&region, 1, 4);
        bytes_add_big(&region, 128 + 2, 1);
    }
    snprintf(path, sizeof(path), "%s/c.-31.64.mcc", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(packed.data, 1, packed.size, file), packed.size);
    fclose(file);
    snprintf(spec, sizeof(spec), "%s/r.-1.2.mca", folder);
    file = fopen(spec, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(region.data, 1, region.size, file), region.size);
    fclose(file);
    struct adit_world *world;
    assert_int_equal(adit_world_open(spec, &world, error_line, sizeof(error_line)), 0);
    assert_int_equal(world->columns_read, 2);
    assert_int_equal(world->columns_skipped, 1);
    assert_true(has_warning(world, "c.-30.64.mcc"));
    assert_true(holds_pattern(world, -31 * 16, 16, 64 * 16));
    adit_world_close(world);
    world = parse(&region); /* in memory there is no folder */
    assert_non_null(world);
    assert_int_equal(world->columns_skipped, 2);
    adit_world_close(world);
    unlink(path);
    unlink(spec);
    rmdir(folder);
    bytes_free(&region);
    bytes_free(&nbt);
    bytes_free(&packed);
}

static void damaged_columns_are_named_and_the_others_kept(void **state)
{
    (void)state;
    make_pattern(4);
    struct bytes region = {0};
    region_begin(&region);
    for (uint32_t slot = 0; slot < 12; slot++)
        add_pattern(&region, COLUMN_FLAT, slot, 2, (int32_t)slot, 0);
    region_pad(&region);
    uint32_t sector[12];
    for (uint32_t slot = 0; slot < 12; slot++)
        sector[slot] = (uint32_t)region.data[4 * slot] << 16 | (uint32_t)region.data[4 * slot + 1] << 8 |
                       region.data[4 * slot + 2];
    region_set_location(&region, 1, 1, 1);                           /* in the header */
    region_set_location(&region, 2, sector[2], 0);                   /* of no sectors */
    region_set_location(&region, 3, 0xffffff, 255);                  /* far beyond the file */
    bytes_put_big(&region, (size_t)sector[4] * 4096, 0, 4);          /* no length */
    bytes_put_big(&region, (size_t)sector[5] * 4096, 0xffffffff, 4); /* longer than the file */
    region.data[(size_t)sector[6] * 4096 + 4] = 9;                   /* unknown compression */
    region.data[(size_t)sector[7] * 4096 + 40] ^= 0x55;              /* a damaged stream */
    region_set_location(&region, 8, sector[0], 1);                   /* over another column */
    region.data[(size_t)sector[9] * 4096 + 4] = 1;                   /* zlib called gzip */
    region.data[(size_t)sector[10] * 4096 + 4] = 4;                  /* zlib called LZ4 */
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->columns_read, 2);
    assert_int_equal(world->columns_skipped, 10);
    assert_int_equal(world->warning_count, 10);
    for (uint32_t slot = 1; slot <= 10; slot++) {
        char place[64];
        snprintf(place, sizeof(place), "test.mca: chunk column %u,0 of the region", slot);
        assert_true(has_warning(world, place));
    }
    assert_true(has_warning(world, "(byte 4096): its location is damaged (sector 1, 1 sectors)"));
    assert_true(has_warning(world, "its length is 0 bytes"));
    assert_true(has_warning(world, "beyond the end of the file"));
    assert_true(has_warning(world, "over another column"));
    assert_true(has_warning(world, "LZ4 stream is damaged"));
    assert_true(holds_pattern(world, 0, 64, 0));
    assert_true(holds_pattern(world, 11 * 16, 64, 0));
    assert_false(adit_world_has_chunk(world, 1, 1, 0));
    adit_world_close(world);
    bytes_free(&region);
}

static void a_damaged_section_does_not_cost_its_column(void **state)
{
    (void)state;
    make_pattern(4);
    uint16_t high[4096], other[4096] = {1, 2, 3};
    for (uint32_t i = 0; i < 4096; i++)
        high[i] = i == 77 ? 4 : 0;
    struct column_section sections[] = {
        {.y = 0, .name_count = 4, .names = names, .voxels = high},    /* index 4 of 4 */
        {.y = 1, .name_count = 4, .names = names, .voxels = pattern}, /* sound */
        {.y = 1, .name_count = 4, .names = names, .voxels = other},   /* sound, but there is one */
        {.y = 2, .name_count = 0, .names = names, .voxels = high},    /* an empty palette */
    };
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_PADDED, 0, 2, 0, 0, sections, 4);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->columns_read, 1);
    assert_int_equal(world->warning_count, 1);
    assert_true(
        has_warning(world,
                    "3 of its sections left out, the first is section 0: voxel 77 has index 4 of a palette of 4"));
    assert_true(holds_pattern(world, 0, 16, 0));
    assert_int_equal(world->voxel_min[1], 16);
    adit_world_close(world);
    bytes_free(&region);
}

static void sections_of_absurd_height_are_left_out(void **state)
{
    (void)state;
    make_pattern(4);
    struct bytes region = {0}, nbt = {0};
    nbt_tag(&nbt, 10, "");
    nbt_int(&nbt, "xPos", 0);
    nbt_int(&nbt, "zPos", 0);
    nbt_list(&nbt, "sections", 10, 3);
    static const int32_t heights[3] = {2147483647, -129, 5};
    for (int i = 0; i < 3; i++) {
        nbt_int(&nbt, "Y", heights[i]);
        nbt_tag(&nbt, 10, "block_states");
        nbt_list(&nbt, "palette", 10, 1);
        nbt_string(&nbt, "Name", "minecraft:stone");
        nbt_end(&nbt);
        nbt_end(&nbt);
        nbt_end(&nbt);
    }
    nbt_end(&nbt);
    region_begin(&region);
    region_add(&region, 0, 3, &nbt);
    /* Numeric worlds are 16 sections high. */
    for (uint32_t i = 0; i < 4096; i++)
        pattern[i] = 1 << 4;
    struct column_section numeric[] = {{.y = 16, .voxels = pattern}, {.y = 15, .voxels = pattern}};
    add_column(&region, COLUMN_NUMERIC, 1, 3, 1, 0, numeric, 2);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_true(has_warning(world, "2 of its sections left out, the first is section 2147483647: no world is so high"));
    assert_true(has_warning(world, "1 of its sections left out, the first is section 16"));
    assert_string_equal(name_at(world, 3, 80, 3), "minecraft:stone");
    assert_int_equal(world->voxel_min[1], 80);
    assert_int_equal(world->voxel_max[1], 256);
    adit_world_close(world);
    bytes_free(&region);
    bytes_free(&nbt);
}

static void most_columns_say_which_region_it_is(void **state)
{
    (void)state;
    make_pattern(4);
    struct bytes region = {0};
    region_begin(&region);
    add_pattern(&region, COLUMN_FLAT, 0, 2, 32000, -7); /* of another region */
    add_pattern(&region, COLUMN_FLAT, 1, 2, 33, 64);
    add_pattern(&region, COLUMN_FLAT, 2, 2, 34, 64);
    add_pattern(&region, COLUMN_FLAT, 3, 2, 40, 65); /* of this region, but not of this slot */
    add_pattern(&region, COLUMN_FLAT, 4, 2, 2147483647, -2147483647 - 1);
    add_pattern(&region, COLUMN_FLAT, 5, 2, 69, 64);
    add_pattern(&region, COLUMN_FLAT, 6, 2, 38, 32);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->columns_read, 3);
    assert_int_equal(world->columns_skipped, 4);
    assert_true(
        has_warning(world,
                    "column 0,0 of the region (byte 8192): it says that it is column 32000,-7 of the world; left out"));
    assert_true(has_warning(world, "it says that it is column 40,65 of the world; kept where it is stored"));
    assert_true(has_warning(world, "xPos or zPos lies beyond any world"));
    assert_true(holds_pattern(world, 33 * 16, 64, 64 * 16));
    assert_true(holds_pattern(world, 35 * 16, 64, 64 * 16));
    adit_world_close(world);
    bytes_free(&region);
}

static void bombs_cost_bounded_memory(void **state)
{
    (void)state;
    const size_t size = 80u << 20;
    struct bytes region = {0};
    struct bytes bomb = {calloc(1, size), size, size};
    make_pattern(4);
    region_begin(&region);
    bomb.data[0] = 10; /* a compound without a name, then nothing but zeros */
    region_add(&region, 0, 2, &bomb);
    region_add(&region, 1, 1, &bomb);
    region_add(&region, 2, 4, &bomb);
    bomb.size = 60u << 20; /* below the limit: decompressed, then an empty column */
    region_add(&region, 3, 2, &bomb);
    add_pattern(&region, COLUMN_FLAT, 4, 2, 4, 0);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->columns_read, 1);
    assert_int_equal(world->columns_skipped, 2); /* the third takes more sectors than a location can say; the fourth is no column */
    assert_int_equal(world->columns_large, 2);
    assert_true(has_warning(world, "chunk column 0,0 of the region (byte 8192): it decompresses to more than 64 MiB"));
    assert_true(has_warning(world, "it is no chunk column"));
    adit_world_close(world);
    bytes_free(&region);
    bytes_free(&bomb);
}

static void files_with_nothing_sound_give_one_clear_line(void **state)
{
    (void)state;
    struct bytes region = {0}, nbt = {0};
    assert_null(parse(&region));
    assert_non_null(strstr(error_line, "test.mca: has 0 bytes"));
    region_begin(&region);
    assert_null(parse(&region));
    assert_non_null(strstr(error_line, "holds no chunk column"));
    nbt_tag(&nbt, 10, "");
    nbt_tag(&nbt, 10, "Level");
    nbt_byte_array(&nbt, "Blocks", (const uint8_t *)"12345678", 8);
    nbt_int(&nbt, "xPos", 0);
    nbt_int(&nbt, "zPos", 0);
    nbt_end(&nbt);
    nbt_end(&nbt);
    region_add(&region, 9, 2, &nbt);
    assert_null(parse(&region));
    assert_non_null(
        strstr(error_line, "none of its 1 chunk columns is sound: 1 from before 1.2 (open the world once in Minecraft 1.2 to 1.12)"));
    assert_null(strstr(error_line, "backup")); /* which would be of no use */
    nbt.size = 0; /* an entities region */
    nbt_tag(&nbt, 10, "");
    nbt_list(&nbt, "Entities", 10, 0);
    nbt_end(&nbt);
    region.size = 0;
    region_begin(&region);
    region_add(&region, 9, 2, &nbt);
    assert_null(parse(&region));
    assert_non_null(strstr(error_line, "1 of entities or places (give the file of the region folder)"));
    assert_null(strchr(error_line, '\n'));
    bytes_free(&region);
    bytes_free(&nbt);
}

static void a_region_of_air_is_an_empty_world(void **state)
{
    (void)state;
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_FLAT, 9, 2, 9, 0, NULL, 0);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    assert_int_equal(world->material_count, 0);
    assert_int_equal(world->chunk_max[0] - world->chunk_min[0], 0);
    assert_true(has_warning(world, "air only"));
    assert_int_equal(adit_world_chunk(world, 0, 0, 0, chunk), 0);
    adit_world_close(world);
    bytes_free(&region);
}

/* Three columns, small: what is cut is never more than cut. */
/* One thread reads, of which ThreadSanitizer says nothing that the other variants do not: there a few of the damages have to do. */
#ifdef __SANITIZE_THREAD__
enum { DAMAGE_STRIDE = 61 };
#else
enum { DAMAGE_STRIDE = 1 };
#endif

static void a_region_cut_at_any_byte_is_survived(void **state)
{
    (void)state;
    uint16_t voxels[4096] = {0};
    voxels[5] = 1;
    voxels[4000] = 2;
    struct column_section section = {.y = 0, .name_count = 3, .names = names, .voxels = voxels};
    struct bytes region = {0};
    region_begin(&region);
    add_column(&region, COLUMN_FLAT, 0, 2, 0, 0, &section, 1);
    add_column(&region, COLUMN_NUMERIC, 1, 2, 1, 0, &section, 1);
    add_column(&region, COLUMN_PADDED, 2, 3, 2, 0, &section, 1); /* plain: a read beyond the end is one of ours */
    const size_t whole = region.size;
    uint32_t read[4] = {0};
    for (size_t size = whole % DAMAGE_STRIDE; size <= whole; size += DAMAGE_STRIDE) { /* the last is the whole one */
        region.size = size;
        struct adit_world *world = parse(&region);
        read[world ? world->columns_read : 0]++;
        assert_true(world || *error_line);
        if (size < 8192)
            assert_non_null(strstr(error_line, "less than the 8192"));
        adit_world_close(world);
    }
    assert_true(read[0] > 8192 / DAMAGE_STRIDE); /* until the first column is whole */
    assert_true(read[1] > 0 && read[2] > 0);
    assert_int_equal(read[3], 1);
    region.size = whole;
    bytes_free(&region);
}

static void a_byte_changed_anywhere_in_a_column_is_survived(void **state)
{
    (void)state;
    make_pattern(4);
    struct column_section section = {.y = 0, .name_count = 4, .names = names, .voxels = pattern};
    for (int shape = 0; shape < SHAPES; shape++) {
        struct bytes region = {0};
        region_begin(&region);
        add_column(&region, (enum column_shape)shape, 0, 3, 0, 0, &section, 1);
        uint32_t step = 1;
        for (size_t at = 8192; at < region.size; at += step) {
            uint8_t old = region.data[at];
            static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
            for (size_t v = 0; v < sizeof(values); v++) {
                region.data[at] = values[v];
                adit_world_close(parse(&region));
            }
            region.data[at] = old;
            step = at > 8192 + 300 ? 97 : DAMAGE_STRIDE; /* every byte of the tags, some of the arrays */
        }
        bytes_free(&region);
    }
}

struct asker {
    const struct adit_world *world;
    uint64_t sum;
};

static void *ask_for_all(void *argument)
{
    struct asker *asker = argument;
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof(*voxels));
    for (int32_t x = asker->world->chunk_min[0]; voxels && x < asker->world->chunk_max[0]; x++) {
        adit_world_chunk(asker->world, x, 1, 0, voxels);
        for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
            asker->sum = asker->sum * 31 + voxels[i];
    }
    free(voxels);
    return NULL;
}

static void threads_may_ask_for_chunks_at_once(void **state)
{
    (void)state;
    make_pattern(NAMES);
    struct bytes region = {0};
    region_begin(&region);
    for (uint32_t slot = 0; slot < 32; slot++)
        add_pattern(&region, COLUMN_FLAT, slot, 2, (int32_t)slot, 0);
    struct adit_world *world = parse(&region);
    assert_non_null(world);
    struct asker askers[3] = {{.world = world}, {.world = world}, {.world = world}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_all, &askers[i]), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(askers[0].sum && askers[0].sum == askers[1].sum && askers[0].sum == askers[2].sum);
    adit_world_close(world);
    bytes_free(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_paletted_shape_gives_its_voxels),
        cmocka_unit_test(indices_wider_than_needed_are_read),
        cmocka_unit_test(numeric_ids_with_data_and_add_get_their_names),
        cmocka_unit_test(every_compression_is_read),
        cmocka_unit_test(places_are_absolute_and_signed),
        cmocka_unit_test(air_has_three_names_and_no_material),
        cmocka_unit_test(ids_are_dense_and_depend_on_what_is_used_alone),
        cmocka_unit_test(a_column_in_a_file_of_its_own_is_read),
        cmocka_unit_test(damaged_columns_are_named_and_the_others_kept),
        cmocka_unit_test(a_damaged_section_does_not_cost_its_column),
        cmocka_unit_test(sections_of_absurd_height_are_left_out),
        cmocka_unit_test(most_columns_say_which_region_it_is),
        cmocka_unit_test(bombs_cost_bounded_memory),
        cmocka_unit_test(files_with_nothing_sound_give_one_clear_line),
        cmocka_unit_test(a_region_of_air_is_an_empty_world),
        cmocka_unit_test(a_region_cut_at_any_byte_is_survived),
        cmocka_unit_test(a_byte_changed_anywhere_in_a_column_is_survived),
        cmocka_unit_test(threads_may_ask_for_chunks_at_once),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
