/* make_corpus.c - writes the seeds of the fuzz targets compact, control, mca and vox: small files, each of one shape of the format.
 *
 *     build/release/tests/make_corpus [tests/corpus]
 *
 * The seeds are kept in the repository; this program is how they come to be. The same program gives the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernels/compact.h"
#include "tests/mesh_maker.h"
#include "tests/world_files.h"

static const char *folder = "tests/corpus";

static void keep(const char *kind, const char *name, struct bytes *bytes)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, kind);
    if (mkdir(path, 0777) && errno != EEXIST) {
        fprintf(stderr, "make_corpus: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    snprintf(path, sizeof(path), "%s/%s/%s", folder, kind, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file)) {
        fprintf(stderr, "make_corpus: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    bytes_free(bytes);
}

/* Mostly air, so that the columns stay small. */
static void sparse(uint16_t voxels[4096], uint16_t kinds)
{
    for (uint32_t i = 0; i < 4096; i++)
        voxels[i] = (uint16_t)(i % 257 == 0 ? 1 + i / 257 % (kinds - 1u) : 0);
}

static void make_regions(void)
{
    static const char *const names[] = {"minecraft:air", "minecraft:stone", "minecraft:oak_log", "minecraft:water",
                                        "minecraft:a",   "minecraft:b",     "minecraft:c",       "minecraft:d",
                                        "minecraft:e",   "minecraft:f",     "minecraft:g",       "minecraft:h",
                                        "minecraft:i",   "minecraft:j",     "minecraft:k",       "minecraft:l",
                                        "minecraft:m",   "minecraft:n"};
    static const char *const shape_names[] = {"numeric", "spanning", "padded", "flat"};
    static const char *const compression_names[] = {"", "gzip", "zlib", "plain", "lz4"};
    uint16_t voxels[4096];
    for (int shape = COLUMN_NUMERIC; shape <= COLUMN_FLAT; shape++) {
        struct column_section sections[2] = {{.y = 0, .name_count = 18, .names = names, .voxels = voxels},
                                             {.y = 1, .name_count = 1, .names = names + 1, .voxels = voxels}};
        char name[64];
        sparse(voxels, shape == COLUMN_NUMERIC ? 4000 : 18);
        struct bytes nbt = {0}, alone = {0};
        column_write(&nbt, (enum column_shape)shape, shape, 0, sections, shape == COLUMN_FLAT ? 2 : 1);
        for (uint8_t c = 1; c <= 4; c++) {
            if (shape != COLUMN_FLAT && c != 2)
                continue;
            struct bytes region = {0};
            region_begin(&region);
            region_add(&region, (uint32_t)shape, c, &nbt);
            snprintf(name, sizeof(name), "%s-%s.mca", shape_names[shape], compression_names[c]);
            keep("mca", name, &region);
        }
        bytes_add(&alone, "NBT", 3);
        bytes_add(&alone, nbt.data, nbt.size);
        snprintf(name, sizeof(name), "%s.nbt", shape_names[shape]);
        keep("mca", name, &alone);
        bytes_free(&nbt);
    }
    struct bytes nbt = {0}, region = {0};
    sparse(voxels, 4);
    struct column_section section = {.y = -4, .name_count = 4, .names = names, .voxels = voxels};
    column_write(&nbt, COLUMN_FLAT, -1, -1, &section, 1);
    region_begin(&region);
    region_add(&region, 1023, 2, &nbt);
    region_add(&region, 0, 2, &nbt);         /* says that it is another column */
    region_set_location(&region, 5, 2, 1);   /* over the first */
    region_set_location(&region, 6, 900, 1); /* beyond the file */
    keep("mca", "places.mca", &region);
    bytes_free(&nbt);
}

static void make_models(void)
{
    static const uint32_t size[3] = {4, 5, 6};
    static const uint8_t voxels[4][4] = {{0, 0, 0, 1}, {3, 4, 5, 200}, {1, 2, 3, 79}, {3, 0, 0, 255}};
    struct bytes vox = {0};
    uint8_t rgba[1024];
    for (uint32_t i = 0; i < sizeof(rgba); i++)
        rgba[i] = (uint8_t)(i * 37);
    vox_begin(&vox, 150);
    vox_model(&vox, size, voxels, 4);
    vox_finish(&vox);
    keep("vox", "one.vox", &vox);
    vox_begin(&vox, 150);
    vox_chunk(&vox, "PACK", "\2\0\0\0", 4);
    vox_model(&vox, size, voxels, 4);
    vox_model(&vox, size, voxels, 2);
    vox_chunk(&vox, "RGBA", rgba, sizeof(rgba));
    vox_chunk(&vox, "MATT", "\1\0\0\0\2\0\0\0\0\0\x80?\0\0\0\0", 16);
    vox_finish(&vox);
    keep("vox", "pack.vox", &vox);
    vox_begin(&vox, 200);
    vox_model(&vox, size, voxels, 4);
    vox_model(&vox, size, voxels, 3);
    vox_transform(&vox, 0, 1, -1, NULL, 0, -1);
    vox_group(&vox, 1, (const int32_t[]){2, 4, 6}, 3);
    vox_transform(&vox, 2, 3, 4, (const int32_t[]){-20, 10, 3}, 0, 0);
    vox_shape(&vox, 3, (const int32_t[]){0}, 1);
    vox_transform(&vox, 4, 5, 1 | 2 << 2 | 6 << 4, (const int32_t[]){70, 0, -3}, 0, 1);
    vox_shape(&vox, 5, (const int32_t[]){1, 0}, 2);
    vox_transform(&vox, 6, 3, 2 | 1 << 2, NULL, 1, 0);
    vox_layer(&vox, 0, 0);
    vox_layer(&vox, 1, 0);
    vox_material(&vox, 79, "_glass", "_trans", "0.4");
    vox_finish(&vox);
    keep("vox", "scene.vox", &vox);
    uint8_t many[700][4];
    for (uint32_t i = 0; i < 700; i++)
        memcpy(many[i], (const uint8_t[4]){(uint8_t)(i * 5), (uint8_t)(i * 3), (uint8_t)i, 9}, 4);
    vox_begin(&vox, 200);
    vox_model(&vox, (const uint32_t[]){256, 256, 256}, many, 700);
    vox_transform(&vox, 0, 1, 2 | 0 << 2, (const int32_t[]){100, 100, 100}, 0, -1);
    vox_shape(&vox, 1, (const int32_t[]){0}, 1);
    vox_finish(&vox);
    keep("vox", "large.vox", &vox);
}

/* Inputs of fuzz_control.c: a place in the head and what to put there; or four calls, and words to damage before them. */
static void make_controls(void)
{
    static const uint8_t heads[3][13] = {{0, 200, 0, 0, 16, 0, 0, 208, 0, 64, 0, 0, 0},
                                         {0, 128, 2, 255, 255, 255, 255, 152, 2, 255, 255, 255, 127},
                                         {0, 16, 0, 1, 0, 0, 0, 20, 0, 0, 0, 0, 0}};
    struct bytes b = {0};
    char name[32];
    uint32_t state = 7;
    for (uint32_t i = 0; i < 3; i++) {
        bytes_add(&b, heads[i], sizeof heads[i]);
        snprintf(name, sizeof(name), "head-%u", i);
        keep("control", name, &b);
    }
    for (uint32_t k = 0; k < 12; k++) {
        uint8_t record[2 + 8 + 9 * 4] = {1, 4};
        for (uint32_t i = 2; i < sizeof(record); i++) {
            state = state * 1664525 + 1013904223; /* Numerical Recipes' generator */
            record[i] = i < 10 && i % 2 == 0 ? (uint8_t)(k * 4 + (i - 2) / 2) : (uint8_t)(state >> 24);
        }
        bytes_add(&b, record, 10 + 9 * (1 + k % 4));
        snprintf(name, sizeof(name), "calls-%u", k);
        keep("control", name, &b);
    }
}

/* One record of fuzz_guest.c. */
static void guest_record(struct bytes *b, uint32_t word, uint64_t value, uint8_t then)
{
    uint8_t record[11] = {(uint8_t)word, (uint8_t)(word >> 8)};
    for (uint32_t i = 0; i < 8; i++)
        record[2 + i] = (uint8_t)(value >> 8 * i);
    record[10] = then;
    bytes_add(b, record, sizeof record);
}

/* Inputs of fuzz_guest.c: epochs of sections, pins, watches, leaving, as they lie in a guest's page (shm/layout.h). */
static void make_guests(void)
{
    enum { LEAVING = 0, SECTIONS = 8, WATCHES = 136, PINS = 168 };
    const uint8_t look = 128, advance = 0, publish = 1, oust = 2;
    struct bytes b = {0};
    for (uint32_t i = 0; i < 16; i++) /* inside, out, long ago, in the future */
        guest_record(&b, SECTIONS + 8 * i, i % 4 == 0 ? 3 : i % 4 == 1 ? 0 : i % 4 == 2 ? UINT64_MAX : 2, look | advance);
    keep("guest", "epochs", &b);
    for (uint32_t i = 0; i < 64; i++) /* granules of the data segment, of no segment, askew */
        guest_record(&b, PINS + 2 * i, (uint64_t)(i % 8 ? 1 : i) << 40 | ((uint64_t)i * 512 + (i % 16 == 15)), i % 4 ? look | publish : publish);
    keep("guest", "pins", &b);
    for (uint32_t i = 0; i < 6; i++) { /* states, then boxes that contain all, nothing, or are turned round */
        guest_record(&b, WATCHES + 16 * (i & 1) + 1, i % 3 ? 0x8000000080000000u : 0x7fffffff7fffffffu, 15);
        guest_record(&b, WATCHES + 16 * (i & 1), 0x8000000000000000u | (i % 5), look | publish);
    }
    keep("guest", "watches", &b);
    guest_record(&b, WATCHES, 1, look | publish);
    guest_record(&b, SECTIONS, 3, look | oust);
    guest_record(&b, LEAVING, 1, look | publish);
    guest_record(&b, LEAVING, 0, look | advance);
    keep("guest", "leaving", &b);
}

/* Compact forms: without quads; of few; with AO and light; with so many materials that indices have a high byte. */
static void make_forms(void)
{
    static const char *const names[] = {"empty.adq", "few.adq", "lit.adq", "many.adq"};
    static const struct mesh_traits traits[] = {
        {.quads_max = 1, .materials = 1},
        {.layers_of_64 = 8, .quads_max = 3, .materials = 5, .ranges = 0x3ffff},
        {.layers_of_64 = 9, .quads_max = 4, .materials = 9, .ranges = 0x08421, .has_ao = true, .has_light = true},
        {.layers_of_64 = 40, .quads_max = 13, .materials = 3000, .ranges = 0x00208},
    };
    for (int i = 0; i < 4; i++) {
        struct adit_mesh_result mesh;
        struct bytes form = {0};
        mesh_of_chance((uint64_t)i, &traits[i], &mesh);
        size_t room = adit_compact_bytes_max(mesh.start[ADIT_MESH_RANGES]), size;
        void *packed = malloc(room);
        if (!packed || adit_compact_pack(&mesh, packed, room, &size))
            abort();
        bytes_add(&form, packed, size);
        free(packed);
        mesh_free(&mesh);
        keep("compact", names[i], &form);
    }
}

int main(int count, char **arguments)
{
    if (count > 1)
        folder = arguments[1];
    make_controls();
    make_forms();
    make_guests();
    make_regions();
    make_models();
    return 0;
}
