/* soup.c - reading exported files, and judging what is in them. See soup.h. */
#include "tests/soup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/json_walk.h"

static struct polygon *polygon_add(struct soup *soup)
{
    if (soup->count == soup->max) {
        soup->max = soup->max ? soup->max * 2 : 4096;
        soup->polygons = realloc(soup->polygons, soup->max * sizeof *soup->polygons);
        assert_non_null(soup->polygons);
    }
    struct polygon *polygon = &soup->polygons[soup->count++];
    memset(polygon, 0, sizeof *polygon);
    return polygon;
}

void soup_free(struct soup *soup)
{
    free(soup->polygons);
    *soup = (struct soup){0};
}

/* ---- OBJ */

static void obj_face(struct soup *soup, const char *line, const double (*vertices)[3], uint64_t vertices_count,
                     const double (*normals)[3], uint64_t normals_count, uint32_t material)
{
    struct polygon *polygon = polygon_add(soup);
    unsigned long long v, n;
    int used;
    polygon->material = material;
    for (const char *s = line + 1; sscanf(s, " %llu//%llu%n", &v, &n, &used) == 2; s += used) {
        assert_true(polygon->sides < 4 && v >= 1 && v <= vertices_count && n >= 1 && n <= normals_count);
        memcpy(polygon->at[polygon->sides++], vertices[v - 1], sizeof polygon->at[0]);
        memcpy(polygon->normal, normals[n - 1], sizeof polygon->normal);
    }
    assert_true(polygon->sides >= 3);
}

static void obj_read(struct soup *soup, char *text)
{
    uint64_t vertices_count = 0, normals_count = 0;
    double (*vertices)[3] = malloc((strlen(text) / 8 + 1) * sizeof *vertices), normals[6][3];
    uint32_t material = 0;
    assert_non_null(vertices);
    for (char *next, *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        if (!strncmp(line, "v ", 2)) {
            double *v = vertices[vertices_count++];
            assert_int_equal(sscanf(line, "v %lf %lf %lf", &v[0], &v[1], &v[2]), 3);
        } else if (!strncmp(line, "vn ", 3)) {
            assert_true(normals_count < 6);
            double *v = normals[normals_count++];
            assert_int_equal(sscanf(line, "vn %lf %lf %lf", &v[0], &v[1], &v[2]), 3);
        } else if (!strncmp(line, "usemtl m", 8)) {
            material = (uint32_t)atoi(line + 8);
        } else if (line[0] == 'f') {
            obj_face(soup, line, (const double(*)[3])vertices, vertices_count, (const double(*)[3])normals, normals_count, material);
        }
    }
    free(vertices);
}

/* ---- PLY */

static void ply_read(struct soup *soup, const char *text, size_t bytes)
{
    unsigned long long vertices_count, faces_count;
    const char *line = strstr(text, "element vertex "), *end = text + bytes;
    assert_non_null(line);
    assert_int_equal(sscanf(line, "element vertex %llu\nproperty float x\n", &vertices_count), 1);
    assert_non_null(line = strstr(line, "element face "));
    assert_int_equal(sscanf(line, "element face %llu\n", &faces_count), 1);
    assert_non_null(line = strstr(line, "end_header\n"));
    const char *vertices = line + strlen("end_header\n"), *face = vertices + vertices_count * 16;
    for (unsigned long long i = 0; i < faces_count; i++) {
        struct polygon *polygon = polygon_add(soup);
        assert_true(face < end);
        polygon->sides = (uint8_t)*face++;
        assert_true(polygon->sides == 3 || polygon->sides == 4);
        for (uint32_t k = 0; k < polygon->sides; k++, face += 4) {
            int32_t index;
            float at[3];
            memcpy(&index, face, sizeof index);
            assert_true(index >= 0 && (unsigned long long)index < vertices_count);
            memcpy(at, vertices + (size_t)index * 16, sizeof at);
            for (uint32_t axis = 0; axis < 3; axis++)
                polygon->at[k][axis] = (double)at[axis];
        }
    }
    assert_ptr_equal(face, end);
}

/* ---- GLB */

static struct json member(struct json value, const char *name)
{
    struct json found;
    assert_true(json_member(value, name, &found));
    return found;
}

static struct json item(struct json array, uint64_t i)
{
    struct json found = {0};
    do
        assert_true(json_next(array, &found));
    while (i--);
    return found;
}

static uint64_t number_or_0(struct json value, const char *name)
{
    struct json found;
    return json_member(value, name, &found) ? (uint64_t)json_number(found) : 0;
}

/* An accessor of a primitive: its first byte, its step, its count. */
struct array {
    const char *first;
    uint64_t stride, count, type;
};

static struct array array_of(struct json root, const char *bin, uint64_t accessor)
{
    struct json a = item(member(root, "accessors"), accessor);
    struct json view = item(member(root, "bufferViews"), (uint64_t)json_number(member(a, "bufferView")));
    struct array array = {bin + number_or_0(view, "byteOffset") + number_or_0(a, "byteOffset"), number_or_0(view, "byteStride"),
                          (uint64_t)json_number(member(a, "count")), (uint64_t)json_number(member(a, "componentType"))};
    if (!array.stride)
        array.stride = array.type == 5123 ? 2 : 4;
    return array;
}

static void primitive_read(struct soup *soup, struct json root, const char *bin, struct json primitive, struct json translation)
{
    struct json attributes = member(primitive, "attributes");
    struct array positions = array_of(root, bin, (uint64_t)json_number(member(attributes, "POSITION")));
    struct array normals = array_of(root, bin, (uint64_t)json_number(member(attributes, "NORMAL")));
    struct array materials = array_of(root, bin, (uint64_t)json_number(member(attributes, "_MATERIAL")));
    struct array indices = array_of(root, bin, (uint64_t)json_number(member(primitive, "indices")));
    double shift[3];
    for (uint32_t axis = 0; axis < 3; axis++)
        shift[axis] = json_number(item(translation, axis));
    assert_int_equal(indices.count % 3, 0);
    for (uint64_t i = 0; i < indices.count; i++) {
        struct polygon *polygon = i % 3 ? &soup->polygons[soup->count - 1] : polygon_add(soup);
        uint32_t index = 0;
        uint16_t material;
        float at[3], normal[3];
        memcpy(&index, indices.first + i * indices.stride, indices.type == 5123 ? 2 : 4);
        assert_true(index < positions.count);
        memcpy(at, positions.first + index * positions.stride, sizeof at);
        memcpy(normal, normals.first + index * normals.stride, sizeof normal);
        memcpy(&material, materials.first + index * materials.stride, sizeof material);
        polygon->material = material;
        for (uint32_t axis = 0; axis < 3; axis++) {
            polygon->at[polygon->sides][axis] = (double)at[axis] + shift[axis];
            polygon->normal[axis] = (double)normal[axis];
        }
        polygon->sides++;
    }
}

static void glb_read(struct soup *soup, const char *bytes)
{
    uint32_t json_bytes;
    struct json root;
    memcpy(&json_bytes, bytes + 12, sizeof json_bytes);
    assert_true(json_parse(bytes + 20, json_bytes, &root));
    for (struct json node = {0}; json_next(member(root, "nodes"), &node);) {
        struct json mesh = item(member(root, "meshes"), (uint64_t)json_number(member(node, "mesh")));
        for (struct json primitive = {0}; json_next(member(mesh, "primitives"), &primitive);)
            primitive_read(soup, root, bytes + 28 + json_bytes, primitive, member(node, "translation"));
    }
}

void soup_read(struct soup *soup, const char *path)
{
    size_t bytes;
    char *text = export_world_read(path, &bytes);
    *soup = (struct soup){0};
    if (strstr(path, ".obj"))
        obj_read(soup, text);
    else if (strstr(path, ".ply"))
        ply_read(soup, text, bytes);
    else
        glb_read(soup, text);
    free(text);
}

/* ---- judges */

void soup_mirror(struct soup *soup, uint32_t axis)
{
    for (size_t i = 0; i < soup->count; i++) {
        struct polygon *polygon = &soup->polygons[i];
        for (uint32_t k = 0; k < polygon->sides; k++)
            polygon->at[k][axis] = 0 - polygon->at[k][axis]; /* and no -0 */
        polygon->normal[axis] = 0 - polygon->normal[axis];
    }
}

/* Twice the area, as a vector along which the corners turn counter-clockwise. */
static void turn(const struct polygon *polygon, double sum[3])
{
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint32_t b = (axis + 1) % 3, c = (axis + 2) % 3;
        sum[axis] = 0;
        for (uint32_t k = 0; k < polygon->sides; k++) {
            const double *p = polygon->at[k], *q = polygon->at[(k + 1) % polygon->sides];
            sum[axis] += p[b] * q[c] - q[b] * p[c];
        }
    }
}

uint64_t soup_wrong_normals(const struct soup *soup)
{
    uint64_t wrong = 0;
    for (size_t i = 0; i < soup->count; i++) {
        const struct polygon *polygon = &soup->polygons[i];
        double area[3], along = 0, across = 0, length = 0;
        turn(polygon, area);
        for (uint32_t axis = 0; axis < 3; axis++) {
            along += area[axis] * polygon->normal[axis];
            across += area[axis] * area[axis] * (1 - polygon->normal[axis] * polygon->normal[axis]);
            length += polygon->normal[axis] * polygon->normal[axis];
        }
        wrong += !(along > 0 && across == 0 && length == 1);
    }
    return wrong;
}

/* A byte a place of the world's lattice. */
static uint8_t *place_of(uint8_t *lattice, const uint32_t dim[3], const int64_t at[3])
{
    for (uint32_t axis = 0; axis < 3; axis++)
        assert_true(at[axis] >= 0 && at[axis] <= dim[axis]);
    return &lattice[((size_t)at[2] * (dim[1] + 1) + (size_t)at[1]) * (dim[0] + 1) + (size_t)at[0]];
}

static int64_t steps_of(const double a[3], const double b[3], int64_t from[3], int64_t step[3])
{
    int64_t parts = 0;
    for (uint32_t axis = 0; axis < 3; axis++) {
        from[axis] = (int64_t)a[axis];
        step[axis] = (int64_t)b[axis] - from[axis];
        assert_true((double)from[axis] == a[axis] && (double)(from[axis] + step[axis]) == b[axis]);
        int64_t x = llabs(step[axis]);
        while (x) { /* the greatest common divisor so far */
            int64_t rest = parts % x;
            parts = x;
            x = rest;
        }
    }
    for (uint32_t axis = 0; axis < 3; axis++)
        step[axis] /= parts;
    return parts;
}

uint64_t soup_t_junctions(const struct soup *soup, const uint32_t dim[3], uint64_t *points)
{
    uint64_t junctions = 0, places = 0;
    size_t bytes = (size_t)(dim[0] + 1) * (dim[1] + 1) * (dim[2] + 1);
    uint8_t *lattice = calloc(bytes, 1);
    assert_non_null(lattice);
    for (int round = 0; round < 2; round++) { /* corners, then what lies inside edges */
        for (size_t i = 0; i < soup->count; i++) {
            const struct polygon *polygon = &soup->polygons[i];
            for (uint32_t k = 0; k < polygon->sides; k++) {
                int64_t at[3], step[3], parts = steps_of(polygon->at[k], polygon->at[(k + 1) % polygon->sides], at, step);
                if (!round)
                    *place_of(lattice, dim, at) = 1;
                for (int64_t n = 1; round && n < parts; n++) {
                    for (uint32_t axis = 0; axis < 3; axis++)
                        at[axis] += step[axis];
                    uint8_t *place = place_of(lattice, dim, at);
                    junctions += *place != 0;
                    places += *place == 1;
                    *place = *place ? 2 : 0;
                }
            }
        }
    }
    free(lattice);
    if (points)
        *points = places;
    return junctions;
}

/* Whether the triangle, on a plane across flat, holds the point; edges do not pass through any that is asked for. */
static bool holds(const struct polygon *t, uint32_t b, uint32_t c, double pb, double pc)
{
    uint32_t left = 0, right = 0;
    for (uint32_t k = 0; k < 3; k++) {
        const double *p = t->at[k], *q = t->at[(k + 1) % 3];
        double side = (q[b] - p[b]) * (pc - p[c]) - (q[c] - p[c]) * (pb - p[b]);
        left += side > 0;
        right += side < 0;
        assert_true(side != 0);
    }
    return left == 3 || right == 3;
}

static void triangle_cover(const struct polygon *t, struct export_world *world, const double at[2])
{
    double area[3], lo[3], hi[3];
    uint32_t flat = 3;
    turn(t, area);
    for (uint32_t axis = 0; axis < 3; axis++) {
        lo[axis] = hi[axis] = t->at[0][axis];
        for (uint32_t k = 1; k < 3; k++) {
            lo[axis] = t->at[k][axis] < lo[axis] ? t->at[k][axis] : lo[axis];
            hi[axis] = t->at[k][axis] > hi[axis] ? t->at[k][axis] : hi[axis];
        }
        flat = lo[axis] == hi[axis] ? axis : flat;
    }
    if (flat == 3 || area[flat] == 0) {
        world->strange++;
        return;
    }
    uint32_t b = (flat + 1) % 3, c = (flat + 2) % 3;
    for (double i = lo[b]; i < hi[b]; i++) {
        for (double j = lo[c]; j < hi[c]; j++) {
            if (!holds(t, b, c, i + at[0], j + at[1]))
                continue;
            double corners[4][3], around[4][2] = {{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}};
            for (uint32_t k = 0; k < 4; k++) {
                const double *corner = around[area[flat] > 0 ? k : 3 - k];
                corners[k][flat] = lo[flat];
                corners[k][b] = corner[0];
                corners[k][c] = corner[1];
            }
            export_world_cover(world, (const double(*)[3])corners, t->material);
        }
    }
}

double soup_cover(const struct soup *soup, struct export_world *world, uint32_t sample)
{
    static const double samples[3][2] = {{0.3716, 0.6179}, {0.0137, 0.0071}, {0.9941, 0.4387}};
    double sum = 0;
    for (size_t i = 0; i < soup->count; i++) {
        double area[3];
        turn(&soup->polygons[i], area);
        for (uint32_t axis = 0; axis < 3; axis++)
            sum += area[axis] < 0 ? -area[axis] : area[axis];
        if (soup->polygons[i].sides == 3)
            triangle_cover(&soup->polygons[i], world, samples[sample]);
        else
            export_world_cover(world, (const double(*)[3])soup->polygons[i].at, soup->polygons[i].material);
    }
    return sum;
}
