/* test_export_glb.c - GLB files read back by the rules of the glTF 2.0 specification, section numbers in the comments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/export_world.h"
#include "tests/json_walk.h"
#include "tools/exports/export.h"

enum { LISTED_MAX = 4096 };

/* A GLB taken apart. */
struct glb {
    char *bytes;
    struct json root;
    const uint8_t *bin;
    uint64_t bin_bytes;
    struct json view[LISTED_MAX], accessor[LISTED_MAX], mesh[LISTED_MAX], material[8];
    uint64_t views, accessors, meshes, materials;
};

static struct glb glb;

static uint32_t u32_at(const char *bytes, size_t offset)
{
    uint32_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static struct json member(struct json value, const char *name)
{
    struct json found;
    if (!json_member(value, name, &found))
        fail_msg("no %s in %.*s", name, 200, value.from);
    return found;
}

static uint64_t number(struct json value, const char *name)
{
    double n = json_number(member(value, name));
    assert_true(n >= 0 && n == floor(n));
    return (uint64_t)n;
}

static uint64_t number_or_0(struct json value, const char *name)
{
    struct json found;
    return json_member(value, name, &found) ? number(value, name) : 0;
}

static uint64_t list(struct json root, const char *name, struct json *items, uint64_t most)
{
    uint64_t count = 0;
    for (struct json item = {0}; json_next(member(root, name), &item);) {
        assert_true(count < most);
        items[count++] = item;
    }
    assert_true(count > 0); /* 5.1: lists are not empty */
    return count;
}

/* 4.4: header and chunks. */
static void open_glb(const char *path)
{
    size_t bytes;
    memset(&glb, 0, sizeof glb);
    glb.bytes = export_world_read(path, &bytes);
    assert_true(bytes >= 20);
    assert_memory_equal(glb.bytes, "glTF", 4);
    assert_int_equal(u32_at(glb.bytes, 4), 2);
    assert_int_equal(u32_at(glb.bytes, 8), bytes);
    uint32_t json_bytes = u32_at(glb.bytes, 12);
    assert_memory_equal(glb.bytes + 16, "JSON", 4);
    assert_int_equal(json_bytes % 4, 0);
    assert_true(20 + (uint64_t)json_bytes <= bytes);
    assert_true(json_parse(glb.bytes + 20, json_bytes, &glb.root));
    assert_ptr_equal(glb.root.from, glb.bytes + 20);
    for (const char *p = glb.root.end; p < glb.bytes + 20 + json_bytes; p++)
        assert_int_equal(*p, ' ');
    assert_true(json_is_string(member(member(glb.root, "asset"), "version"), "2.0"));
    assert_true(json_is_string(member(member(glb.root, "asset"), "generator"), "adit"));
    if (20 + (uint64_t)json_bytes == bytes)
        return;
    size_t at = 20 + json_bytes;
    assert_memory_equal(glb.bytes + at + 4, "BIN", 4);
    glb.bin_bytes = u32_at(glb.bytes, at);
    assert_int_equal(glb.bin_bytes % 4, 0);
    assert_int_equal(at + 8 + glb.bin_bytes, bytes);
    glb.bin = (const uint8_t *)glb.bytes + at + 8;
}

/* 3.6.2.4 and 5.11: views lie in the buffer, strides and targets as they must be. */
static void check_views(void)
{
    struct json buffer[2], stride;
    assert_int_equal(list(glb.root, "buffers", buffer, 2), 1);
    uint64_t buffer_bytes = number(buffer[0], "byteLength");
    assert_true(buffer_bytes <= glb.bin_bytes && glb.bin_bytes - buffer_bytes <= 3);
    assert_false(json_member(buffer[0], "uri", &stride));
    glb.views = list(glb.root, "bufferViews", glb.view, LISTED_MAX);
    uint64_t end = 0;
    for (uint64_t i = 0; i < glb.views; i++) {
        uint64_t target = number(glb.view[i], "target"), bytes = number(glb.view[i], "byteLength");
        assert_int_equal(number(glb.view[i], "buffer"), 0);
        assert_true(number_or_0(glb.view[i], "byteOffset") >= end && bytes >= 1); /* none overlaps another */
        end = number_or_0(glb.view[i], "byteOffset") + bytes;
        assert_true(end <= buffer_bytes);
        assert_true(target == 34962 || target == 34963);
        assert_int_equal(json_member(glb.view[i], "byteStride", &stride), target == 34962);
        if (target == 34962)
            assert_true(json_number(stride) >= 4 && json_number(stride) <= 252 && fmod(json_number(stride), 4) == 0);
    }
}

static uint64_t component_bytes(uint64_t type)
{
    return type == 5121 ? 1 : type == 5123 ? 2 : type == 5125 || type == 5126 ? 4 : 0;
}

static uint64_t components(struct json accessor)
{
    struct json type = member(accessor, "type");
    return json_is_string(type, "SCALAR") ? 1 : json_is_string(type, "VEC3") ? 3 : json_is_string(type, "VEC4") ? 4 : 0;
}

static uint64_t stride_of(struct json accessor)
{
    uint64_t stride = number_or_0(glb.view[number(accessor, "bufferView")], "byteStride");
    return stride ? stride : components(accessor) * component_bytes(number(accessor, "componentType"));
}

/* 3.6.2.4: alignment, and that every element lies in the view. */
static void check_accessors(void)
{
    glb.accessors = list(glb.root, "accessors", glb.accessor, LISTED_MAX);
    for (uint64_t i = 0; i < glb.accessors; i++) {
        struct json accessor = glb.accessor[i];
        uint64_t view = number(accessor, "bufferView"), offset = number_or_0(accessor, "byteOffset");
        uint64_t one = component_bytes(number(accessor, "componentType")), count = number(accessor, "count");
        assert_true(view < glb.views && one > 0 && components(accessor) > 0 && count > 0);
        assert_int_equal(offset % one, 0);
        assert_int_equal((offset + number_or_0(glb.view[view], "byteOffset")) % one, 0);
        if (number(glb.view[view], "target") == 34962)
            assert_int_equal(offset % 4, 0);
        assert_true(offset + stride_of(accessor) * (count - 1) + components(accessor) * one <=
                    number(glb.view[view], "byteLength"));
    }
}

static const uint8_t *element(struct json accessor, uint64_t i)
{
    struct json view = glb.view[number(accessor, "bufferView")];
    return glb.bin + number_or_0(view, "byteOffset") + number_or_0(accessor, "byteOffset") + stride_of(accessor) * i;
}

/* What primitives are read through: the lookups above walk JSON, so they are done once a primitive. */
struct reader {
    const uint8_t *first;
    uint64_t stride, count;
};

static struct reader reader_of(struct json accessor)
{
    return (struct reader){element(accessor, 0), stride_of(accessor), number(accessor, "count")};
}

static void vector(struct reader reader, uint64_t i, float v[3])
{
    memcpy(v, reader.first + reader.stride * i, 3 * sizeof *v);
}

/* 3.6.2.5: min and max are those of the data. */
static void check_bounds(struct json accessor, struct reader position)
{
    float lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY}, v[3];
    for (uint64_t i = 0; i < position.count; i++) {
        vector(position, i, v);
        for (int axis = 0; axis < 3; axis++) {
            assert_true(isfinite(v[axis]));
            lo[axis] = fminf(lo[axis], v[axis]);
            hi[axis] = fmaxf(hi[axis], v[axis]);
        }
    }
    struct json low = {0}, high = {0};
    for (int axis = 0; axis < 3; axis++) {
        assert_true(json_next(member(accessor, "min"), &low) && json_next(member(accessor, "max"), &high));
        assert_true(json_number(low) == (double)lo[axis] && json_number(high) == (double)hi[axis]);
    }
}

static uint8_t linear_of(uint32_t srgb)
{
    double c = srgb / 255.0;
    return (uint8_t)lround(255 * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)));
}

/* The material with this colour, by the class of the primitive it was found in. */
static uint32_t material_of(const struct export_world *world, const uint8_t color[4], uint64_t primitive_material)
{
    for (uint32_t id = 1; id < 16; id++) {
        uint32_t rgba = world->materials[id].rgba;
        uint8_t alpha = world->materials[id].class == ADIT_CLASS_TRANSLUCENT ? (uint8_t)rgba : 255;
        if (color[0] == linear_of(rgba >> 24) && color[1] == linear_of(rgba >> 16 & 255) &&
            color[2] == linear_of(rgba >> 8 & 255) && color[3] == alpha &&
            world->materials[id].class == primitive_material + 1)
            return id;
    }
    return 0;
}

static uint64_t index_at(struct reader indices, uint64_t type, uint64_t i)
{
    uint16_t narrow;
    uint32_t wide;
    memcpy(&narrow, indices.first + indices.stride * i, sizeof narrow);
    if (type == 5123)
        return narrow;
    memcpy(&wide, indices.first + indices.stride * i, sizeof wide);
    return wide;
}

/* The name that the extras give to a material; what fails to be a string fails the test. */
static bool is_named(uint32_t id, const char *name)
{
    for (struct json item = {0}; json_next(member(member(glb.root, "extras"), "materials"), &item);)
        if (number(item, "id") == id)
            return json_is_string(member(item, "name"), name);
    return false;
}

/* Three indices of a triangle; its corners, turning as its normal says (3.7.2.1: counter-clockwise is front). */
static void check_triangle(struct reader position, struct reader normal, const uint64_t corner[3])
{
    float p[3][3], n[3][3];
    for (int k = 0; k < 3; k++) {
        vector(position, corner[k], p[k]);
        vector(normal, corner[k], n[k]);
        assert_true(n[k][0] * n[k][0] + n[k][1] * n[k][1] + n[k][2] * n[k][2] == 1);
    }
    float turns = 0;
    for (int axis = 0; axis < 3; axis++) {
        int b = (axis + 1) % 3, c = (axis + 2) % 3;
        float cross = (p[1][b] - p[0][b]) * (p[2][c] - p[0][c]) - (p[1][c] - p[0][c]) * (p[2][b] - p[0][b]);
        turns += cross * n[0][axis];
        assert_true(cross * n[0][axis] >= 0 && n[0][axis] == n[1][axis] && n[0][axis] == n[2][axis]);
    }
    assert_true(turns > 0);
}

/* One primitive of a chunk that lies at translation; its rectangles go into the ledger. Returns its quads. */
static uint64_t check_primitive(struct export_world *world, struct json primitive, const double translation[3])
{
    struct json attributes = member(primitive, "attributes"), indices_accessor = glb.accessor[number(primitive, "indices")];
    struct json position_accessor = glb.accessor[number(attributes, "POSITION")];
    struct json color_accessor = glb.accessor[number(attributes, "COLOR_0")];
    struct reader position = reader_of(position_accessor), normal = reader_of(glb.accessor[number(attributes, "NORMAL")]);
    struct json number_accessor = glb.accessor[number(attributes, "_MATERIAL")];
    struct reader numbers = reader_of(number_accessor);
    struct reader color = reader_of(color_accessor), indices = reader_of(indices_accessor);
    uint64_t type = number(indices_accessor, "componentType"), material = number(primitive, "material");
    assert_int_equal(number(position_accessor, "componentType"), 5126);
    assert_int_equal(number(color_accessor, "componentType"), 5121);
    assert_true(json_is(member(color_accessor, "normalized"), "true"));
    assert_true(type == 5123 || type == 5125);
    assert_int_equal(number(number_accessor, "componentType"), 5123); /* 3.7.2.1: unsigned int is not allowed */
    assert_true(numbers.stride % 4 == 0 && numbers.count == position.count);
    assert_int_equal(number(glb.view[number(indices_accessor, "bufferView")], "target"), 34963);
    assert_int_equal(number(glb.view[number(position_accessor, "bufferView")], "target"), 34962);
    assert_true(position.count == normal.count && position.count == color.count && indices.count % 6 == 0);
    assert_true(material < glb.materials && number(primitive, "mode") == 4);
    check_bounds(position_accessor, position);
    for (uint64_t i = 0; i < indices.count; i += 6) {
        uint64_t corner[6];
        double rectangle[4][3];
        for (uint64_t k = 0; k < 6; k++) {
            corner[k] = index_at(indices, type, i + k);
            assert_true(corner[k] < position.count && corner[k] != (type == 5123 ? 65535 : 4294967295u));
        }
        check_triangle(position, normal, corner);
        check_triangle(position, normal, corner + 3);
        assert_true(corner[0] == corner[3] && corner[2] == corner[4]); /* the two share a diagonal */
        uint64_t around[4] = {corner[0], corner[1], corner[2], corner[5]};
        for (uint32_t k = 0; k < 4; k++) {
            float v[3];
            vector(position, around[k], v);
            for (uint32_t axis = 0; axis < 3; axis++)
                rectangle[k][axis] = (double)v[axis] + translation[axis];
        }
        uint32_t id = material_of(world, color.first + color.stride * corner[0], material);
        for (uint32_t k = 0; k < 4; k++)
            assert_int_equal(index_at(numbers, 5123, around[k]), id);
        export_world_cover(world, rectangle, id);
    }
    return indices.count / 6;
}

static void check_materials(void)
{
    glb.materials = list(glb.root, "materials", glb.material, 8);
    assert_int_equal(glb.materials, 3);
    assert_true(json_is_string(member(glb.material[0], "alphaMode"), "OPAQUE"));
    assert_true(json_is_string(member(glb.material[1], "alphaMode"), "BLEND"));
    assert_true(json_is_string(member(glb.material[2], "alphaMode"), "MASK"));
}

/* Exports a world and reads it back; every visible face must come back once. Returns the quads. */
static uint64_t round_trip(struct export_world *world)
{
    char path[512], error[256] = "";
    struct json nodes[LISTED_MAX], scene[2], at, roots[LISTED_MAX];
    uint64_t quads = 0;
    snprintf(path, sizeof path, "%s/world.glb", export_world_folder());
    if (adit_export_write(path, &world->scene, error, sizeof error))
        fail_msg("%s", error);
    open_glb(path);
    check_views();
    check_accessors();
    check_materials();
    glb.meshes = list(glb.root, "meshes", glb.mesh, LISTED_MAX);
    uint64_t count = list(glb.root, "nodes", nodes, LISTED_MAX);
    assert_int_equal(number(glb.root, "scene"), 0);
    assert_int_equal(list(glb.root, "scenes", scene, 2), 1);
    assert_int_equal(list(scene[0], "nodes", roots, LISTED_MAX), count);
    for (uint64_t i = 0; i < count; i++) {
        double translation[3];
        uint64_t axis = 0, mesh = number(nodes[i], "mesh");
        assert_true(json_number(roots[i]) == (double)i && mesh < glb.meshes);
        for (at = (struct json){0}; json_next(member(nodes[i], "translation"), &at);)
            translation[axis++] = json_number(at);
        assert_int_equal(axis, 3);
        for (at = (struct json){0}; json_next(member(glb.mesh[mesh], "primitives"), &at);)
            quads += check_primitive(world, at, translation);
    }
    assert_int_equal(export_world_wrong(world), 0);
    free(glb.bytes);
    remove(path);
    return quads;
}

static void every_visible_face_comes_back_once_in_its_colour(void **state)
{
    static const char *const kinds[] = {"terrain", "glass", "noise50m3", "sphere", "stripes"};
    (void)state;
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct export_world world;
        export_world_make(&world, kinds[i], (uint32_t[]){70, 64, 33}, 7 + i);
        assert_int_equal(round_trip(&world), adit_scene_quads(&world.scene));
        export_world_free(&world);
    }
}

/* (tried: written as it is, the name with a quote breaks the JSON) */
static void materials_keep_their_names_whatever_these_hold(void **state)
{
    static const char *const names[][2] = {
        {"minecraft:stone", "minecraft:stone"}, {"caf\xc3\xa9", "caf\xc3\xa9"}, {"cut\xc3", "cut?"}, {"a\nb\x7f", "ab"},
        {"\xed\xa0\x80\xc0\x80", "?????"},
    };
    uint64_t quads[7];
    struct adit_scene_material materials[9] = {0};
    struct adit_scene_mesh mesh = {.quads = quads};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1, .materials = materials, .materials_count = 9};
    char path[512], error[256];
    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        materials[i + 1] = (struct adit_scene_material){names[i][0], 0x808080ff, ADIT_CLASS_OPAQUE};
    materials[6].name = "quote \" and \\";
    materials[8].name = "not in any quad";
    for (uint32_t i = 0; i < 7; i++) /* 7 has no name */
        quads[i] = adit_quad_pack(i, 0, 0, 1, 1, (uint16_t)(i + 1), ADIT_QUAD_AO_OPEN);
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 7;
    snprintf(path, sizeof path, "%s/names.glb", export_world_folder());
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    open_glb(path);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(is_named(i + 1, names[i][1]));
    assert_int_equal(json_count(member(member(glb.root, "extras"), "materials")), 6);
    free(glb.bytes);
    remove(path);
}

static void primitives_of_more_than_65535_vertices_use_wide_indices(void **state)
{
    struct export_world world;
    (void)state;
    export_world_make(&world, "checker", (uint32_t[]){64, 64, 40}, 7);
    assert_true(round_trip(&world) > 65536 / 4);
    export_world_free(&world);
}

/* 65,535 restarts a strip and is no vertex (3.7.2.1): 16,383 quads are the most for two bytes. */
static void the_index_65535_is_never_used(void **state)
{
    static uint64_t quads[16384];
    struct adit_scene_mesh mesh = {.quads = quads};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1};
    char path[512], error[256];
    (void)state;
    snprintf(path, sizeof path, "%s/edge.glb", export_world_folder());
    for (uint32_t count = 16383; count <= 16384; count++) {
        for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
            mesh.start[r] = count;
        assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
        open_glb(path);
        check_views();
        check_accessors();
        assert_int_equal(number(glb.accessor[4], "count"), count * 6);
        assert_int_equal(number(glb.accessor[4], "componentType"), count == 16383 ? 5123 : 5125);
        free(glb.bytes);
    }
    remove(path);
}

static void an_empty_world_is_a_valid_file_without_lists(void **state)
{
    char path[512], error[256];
    struct adit_scene scene = {0};
    struct json found;
    (void)state;
    snprintf(path, sizeof path, "%s/empty.glb", export_world_folder());
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    open_glb(path);
    assert_null(glb.bin);
    assert_false(json_member(glb.root, "meshes", &found) || json_member(glb.root, "buffers", &found));
    assert_int_equal(json_count(member(glb.root, "scenes")), 1);
    free(glb.bytes);
    remove(path);
}

static void coarse_chunks_are_scaled_by_their_node(void **state)
{
    uint64_t quad = adit_quad_pack(1, 2, 3, 4, 5, 1, ADIT_QUAD_AO_OPEN);
    struct adit_scene_mesh mesh = {.x = -3, .y = 1, .lod = 2, .quads = &quad};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1};
    struct json node[2], scale = {0}, at = {0};
    char path[512], error[256];
    (void)state;
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 1;
    snprintf(path, sizeof path, "%s/coarse.glb", export_world_folder());
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    open_glb(path);
    assert_int_equal(list(glb.root, "nodes", node, 2), 1);
    assert_true(json_next(member(node[0], "scale"), &scale) && json_next(member(node[0], "translation"), &at));
    assert_true(json_number(scale) == 4 && json_number(at) == -768);
    free(glb.bytes);
    remove(path);
}

/* (tried: corners in the order of the file instead of u and v) */
static void ambient_occlusion_darkens_colours_in_linear_light(void **state)
{
    const struct adit_scene_material materials[2] = {{0}, {.rgba = 0x80c0ff40, .class = ADIT_CLASS_OPAQUE}};
    uint64_t quad = adit_quad_pack(1, 2, 3, 4, 5, 1, 0 | 1 << 2 | 2 << 4 | 3 << 6); /* on face -X: u is y, v is z */
    struct adit_scene_mesh mesh = {.quads = &quad};
    struct adit_scene scene = {.meshes = &mesh, .meshes_count = 1, .materials = materials, .materials_count = 2};
    char path[512], error[256];
    (void)state;
    for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
        mesh.start[r] = 1;
    snprintf(path, sizeof path, "%s/dim.glb", export_world_folder());
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), 0);
    open_glb(path);
    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *vertex = glb.bin + 12 + 32 * i; /* behind six indices */
        float at[3];
        memcpy(at, vertex, sizeof at);
        uint32_t ao = (at[1] > 2) + 2 * (uint32_t)(at[2] > 3); /* as packed above */
        for (uint32_t k = 0; k < 3; k++) {
            double srgb = (double)(0x80c0ffu >> (16 - 8 * k) & 255) / 255, linear = pow((srgb + 0.055) / 1.055, 2.4);
            assert_true(fabs(vertex[24 + k] - 255 * linear * (0.4 + 0.2 * ao)) < 0.51);
        }
        assert_int_equal(vertex[27], 255);
    }
    free(glb.bytes);
    remove(path);
}

static void more_than_4_gib_is_refused_in_a_line_and_leaves_nothing(void **state)
{
    static const uint64_t quad;
    struct adit_scene_mesh meshes[2] = {{.quads = &quad}, {.x = 1, .quads = &quad}};
    struct adit_scene scene = {.meshes = meshes, .meshes_count = 2};
    char path[512], error[256];
    (void)state;
    for (uint32_t m = 0; m < 2; m++) /* the counts alone are too many: no quad is looked at */
        for (uint32_t r = 1; r <= ADIT_MESH_RANGES; r++)
            meshes[m].start[r] = 20000000;
    snprintf(path, sizeof path, "%s/vast.glb", export_world_folder());
    assert_int_equal(adit_export_write(path, &scene, error, sizeof error), -EFBIG);
    assert_non_null(strstr(error, "vast.glb: GLB holds at most 4 GiB"));
    assert_null(strchr(error, '\n'));
    assert_int_equal(export_world_files(), 0);
}

static int tear_down(void **state)
{
    (void)state;
    export_world_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_visible_face_comes_back_once_in_its_colour),
        cmocka_unit_test(materials_keep_their_names_whatever_these_hold),
        cmocka_unit_test(primitives_of_more_than_65535_vertices_use_wide_indices),
        cmocka_unit_test(the_index_65535_is_never_used),
        cmocka_unit_test(an_empty_world_is_a_valid_file_without_lists),
        cmocka_unit_test(coarse_chunks_are_scaled_by_their_node),
        cmocka_unit_test(ambient_occlusion_darkens_colours_in_linear_light),
        cmocka_unit_test(more_than_4_gib_is_refused_in_a_line_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
