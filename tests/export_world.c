/* export_world.c - a small world for tests of exports. See export_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/mesh.h"
#include "tests/export_world.h"
#include "tests/volumes.h"

static const int32_t first_chunk[3] = {-1, 2, 5};

static uint8_t class_of(uint32_t material)
{
    return material == 0 ? ADIT_CLASS_AIR : material == 4 ? ADIT_CLASS_TRANSLUCENT : material == 7 ? ADIT_CLASS_CUTOUT
                                                                                                  : ADIT_CLASS_OPAQUE;
}

/* The material at a voxel, air beyond the volume. */
static uint8_t at(const struct export_world *world, int64_t x, int64_t y, int64_t z)
{
    if (x < 0 || y < 0 || z < 0 || x >= world->dim[0] || y >= world->dim[1] || z >= world->dim[2])
        return 0;
    return world->volume[((size_t)z * world->dim[1] + (size_t)y) * world->dim[0] + (size_t)x];
}

static size_t voxels_of(const struct export_world *world)
{
    return (size_t)world->dim[0] * world->dim[1] * world->dim[2];
}

static void mesh_chunk(const struct export_world *world, const int64_t from[3], struct adit_scene_mesh *mesh)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS], planes[ADIT_FACES][ADIT_PLANE_VOXELS];
    static uint8_t classes[ADIT_MATERIALS];
    struct adit_mesh_source source = {.voxels = voxels, .classes = classes, .dim = {64, 64, 64}};
    struct adit_mesh_result result = {.quads_max = 6 * ADIT_CHUNK_VOXELS};
    for (uint32_t i = 0; i < ADIT_MATERIALS; i++)
        classes[i] = class_of(i);
    for (int64_t z = 0; z < 64; z++)
        for (int64_t y = 0; y < 64; y++)
            for (int64_t x = 0; x < 64; x++)
                voxels[(z * 64 + y) * 64 + x] = at(world, from[0] + x, from[1] + y, from[2] + z);
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++) {
            int64_t p[3] = {from[0], from[1], from[2]};
            p[adit_face_axis(face)] += face & 1 ? 64 : -1;
            p[adit_face_u(face)] += i % 64;
            p[adit_face_v(face)] += i / 64;
            planes[face][i] = at(world, p[0], p[1], p[2]);
        }
        source.plane[face] = planes[face];
    }
    result.quads = malloc(result.quads_max * sizeof *result.quads);
    assert_non_null(result.quads);
    assert_int_equal(adit_mesh_scalar(&source, &result), 0);
    mesh->quads = realloc(result.quads, (result.start[ADIT_MESH_RANGES] + 1) * sizeof *result.quads);
    memcpy(mesh->start, result.start, sizeof mesh->start);
}

void export_world_make(struct export_world *world, const char *kind, const uint32_t dim[3], uint64_t seed)
{
    size_t count = 0;
    memset(world, 0, sizeof *world);
    memcpy(world->dim, dim, sizeof world->dim);
    world->volume = malloc(voxels_of(world));
    world->covered = calloc(ADIT_FACES, voxels_of(world));
    world->material = calloc(ADIT_FACES, voxels_of(world));
    assert_true(world->volume && world->covered && world->material);
    assert_int_equal(volume_fill(kind, dim, 0, seed, world->volume), 0);
    uint32_t chunks[3] = {(dim[0] + 63) / 64, (dim[1] + 63) / 64, (dim[2] + 63) / 64};
    world->meshes = calloc((size_t)chunks[0] * chunks[1] * chunks[2], sizeof *world->meshes);
    assert_non_null(world->meshes);
    for (uint32_t z = 0; z < chunks[2]; z++) {
        for (uint32_t y = 0; y < chunks[1]; y++) {
            for (uint32_t x = 0; x < chunks[0]; x++) {
                int64_t from[3] = {x * 64, y * 64, z * 64};
                struct adit_scene_mesh *mesh = &world->meshes[count++];
                *mesh = (struct adit_scene_mesh){.x = first_chunk[0] + (int32_t)x, .y = first_chunk[1] + (int32_t)y,
                                                 .z = first_chunk[2] + (int32_t)z};
                mesh_chunk(world, from, mesh);
            }
        }
    }
    for (uint32_t i = 0; i < EXPORT_WORLD_MATERIALS; i++) /* far enough apart to be told apart when made linear */
        world->materials[i] = (struct adit_scene_material){
            .name = "stone", .class = class_of(i), .rgba = (0x60 + i * 37 % 0xa0) << 24 | (0x60 + i * 91 % 0xa0) << 16 |
            (0x60 + i * 151 % 0xa0) << 8 | (i == 4 ? 0x70 : 0xff)};
    world->scene = (struct adit_scene){.meshes = world->meshes, .meshes_count = count, .materials = world->materials,
                                       .materials_count = EXPORT_WORLD_MATERIALS};
    for (uint32_t axis = 0; axis < 3; axis++)
        world->scene.origin[axis] = first_chunk[axis] * 64;
}

void export_world_free(struct export_world *world)
{
    for (size_t i = 0; i < world->scene.meshes_count; i++)
        free((void *)(uintptr_t)world->meshes[i].quads);
    free(world->meshes);
    free(world->volume);
    free(world->covered);
    free(world->material);
}

/* ---- the ledger */

static bool is_visible(const struct export_world *world, const int64_t p[3], uint32_t face)
{
    int64_t n[3] = {p[0], p[1], p[2]};
    n[adit_face_axis(face)] += face & 1 ? 1 : -1;
    uint8_t a = at(world, p[0], p[1], p[2]), b = at(world, n[0], n[1], n[2]);
    if (!a || class_of(b) == ADIT_CLASS_OPAQUE)
        return false;
    if (!b || class_of(a) == ADIT_CLASS_OPAQUE)
        return true;
    return a != b || class_of(a) == ADIT_CLASS_CUTOUT;
}

/* The axis that all corners share, or 3. */
static uint32_t flat_axis(const double corners[4][3])
{
    uint32_t flat = 3;
    for (uint32_t axis = 0; axis < 3; axis++)
        if (corners[0][axis] == corners[1][axis] && corners[1][axis] == corners[2][axis] &&
            corners[2][axis] == corners[3][axis])
            flat = flat == 3 ? axis : 4;
    return flat > 3 ? 3 : flat;
}

/* From corners to a face and the box of voxels behind it. False if they are not a rectangle around a face. */
static bool rectangle(const double corners[4][3], uint32_t *face, int64_t lo[3], int64_t hi[3])
{
    uint32_t flat = flat_axis(corners);
    if (flat == 3)
        return false;
    uint32_t b = (flat + 1) % 3, c = (flat + 2) % 3;
    double area = 0; /* by the shoelace formula: signed, so it knows the winding; wrong for a bow-tie */
    for (uint32_t axis = 0; axis < 3; axis++) {
        double low = corners[0][axis], high = low;
        for (uint32_t k = 1; k < 4; k++) {
            low = corners[k][axis] < low ? corners[k][axis] : low;
            high = corners[k][axis] > high ? corners[k][axis] : high;
        }
        if (low != (double)(int64_t)low || high != (double)(int64_t)high)
            return false;
        lo[axis] = (int64_t)low;
        hi[axis] = (int64_t)high;
    }
    for (uint32_t k = 0; k < 4; k++) {
        const double *p = corners[k], *q = corners[(k + 1) % 4];
        if (p[b] != q[b] && p[c] != q[c])
            return false;
        area += (p[b] * q[c] - q[b] * p[c]) / 2;
    }
    if (area * area != (double)((hi[b] - lo[b]) * (hi[b] - lo[b]) * (hi[c] - lo[c]) * (hi[c] - lo[c])) || area == 0)
        return false;
    *face = flat * 2 + (area > 0);
    lo[flat] -= area > 0;
    hi[flat] = lo[flat] + 1;
    return true;
}

void export_world_cover(struct export_world *world, const double corners[4][3], uint32_t material)
{
    uint32_t face;
    int64_t lo[3], hi[3];
    if (!rectangle(corners, &face, lo, hi)) {
        world->strange++;
        return;
    }
    for (uint32_t axis = 0; axis < 3; axis++) {
        if (lo[axis] < 0 || hi[axis] > world->dim[axis]) {
            world->strange++;
            return;
        }
    }
    for (int64_t z = lo[2]; z < hi[2]; z++) {
        for (int64_t y = lo[1]; y < hi[1]; y++) {
            for (int64_t x = lo[0]; x < hi[0]; x++) {
                size_t i = face * voxels_of(world) + (size_t)((z * world->dim[1] + y) * world->dim[0] + x);
                world->covered[i]++;
                world->material[i] = (uint8_t)material;
            }
        }
    }
}

/* Walks all unit faces: how many are visible, and how many are covered wrongly. */
static uint64_t audit(const struct export_world *world, uint64_t *wrong)
{
    uint64_t visible = 0;
    int64_t p[3];
    *wrong = 0;
    for (p[2] = 0; p[2] < world->dim[2]; p[2]++) {
        for (p[1] = 0; p[1] < world->dim[1]; p[1]++) {
            for (p[0] = 0; p[0] < world->dim[0]; p[0]++) {
                for (uint32_t face = 0; face < ADIT_FACES; face++) {
                    size_t i = face * voxels_of(world) + (size_t)((p[2] * world->dim[1] + p[1]) * world->dim[0] + p[0]);
                    bool is_wanted = is_visible(world, p, face);
                    visible += is_wanted;
                    *wrong += world->covered[i] != is_wanted ||
                              (is_wanted && world->material[i] != at(world, p[0], p[1], p[2]));
                }
            }
        }
    }
    return visible;
}

uint64_t export_world_wrong(struct export_world *world)
{
    uint64_t wrong, strange = world->strange;
    audit(world, &wrong);
    memset(world->covered, 0, ADIT_FACES * voxels_of(world));
    world->strange = 0;
    return wrong + strange;
}

uint64_t export_world_faces(const struct export_world *world)
{
    uint64_t wrong;
    return audit(world, &wrong);
}

/* ---- files */

static char folder[256];

const char *export_world_folder(void)
{
    const char *base = getenv("TMPDIR");
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/adit-export-XXXXXX", base ? base : "/tmp");
        assert_non_null(mkdtemp(folder));
    }
    return folder;
}

/* Visits the files in the folder, removing them if asked to. */
static uint32_t visit(bool removes)
{
    uint32_t files = 0;
    DIR *directory = opendir(export_world_folder());
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[1024];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        files++;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (removes)
            remove(path);
    }
    closedir(directory);
    return files;
}

uint32_t export_world_files(void)
{
    return visit(false);
}

void export_world_remove(void)
{
    visit(true);
    rmdir(folder);
    folder[0] = '\0';
}

char *export_world_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *content = malloc((size_t)size + 1);
    assert_non_null(content);
    assert_int_equal(fread(content, 1, (size_t)size, file), size);
    content[size] = '\0';
    fclose(file);
    *bytes = (size_t)size;
    return content;
}
