/* test_mesh_worlds.c - the generated worlds: every voxel is what the formulas say, wherever a chunk border runs.
 *
 * The formulas of kernels/generate.h, generate_noise.h and generate_terrain.c are written down a second time here, for
 * one voxel and with no thought of speed. What a chunk holds is compared with them at random places, most of them at
 * borders. golden_worlds.h holds hashes of whole chunks: a world never changes under its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/generate.h"
#include "kernels/mesh.h"
#include "tests/golden_worlds.h"
#include "tests/volumes.h"

enum { DIM = ADIT_CHUNK_DIM };

static uint16_t chunk[ADIT_CHUNK_VOXELS];

static const struct adit_generator *generator(const char *name)
{
    const struct adit_generator *g = adit_generator_named(name);
    assert_non_null(g);
    return g;
}

/* -- the formulas, a second time ----------------------------------------------------------------------------------- */

static uint64_t seed;

static uint32_t m(uint32_t a)
{
    a ^= a >> 16;
    a *= 0x7feb352d;
    a ^= a >> 15;
    a *= 0x846ca68b;
    return a ^ (a >> 16);
}

static uint32_t H(uint32_t k, int64_t x, int64_t y, int64_t z)
{
    uint32_t key = m((uint32_t)seed ^ m((uint32_t)(seed >> 32) + k * 0x27d4eb2fu));
    return m(m(m(key ^ (uint32_t)x * 0x9e3779b1u) + (uint32_t)y * 0x85ebca77u) + (uint32_t)z * 0xc2b2ae3du);
}

static int64_t P(uint32_t k, int64_t x, int64_t y, int64_t z)
{
    return H(k, x, y, z) & 65535;
}

static int64_t L(int64_t a, int64_t b, int64_t w)
{
    return a + (((b - a) * w) >> 12);
}

static int64_t W(int64_t t)
{
    return (((t * t) >> 12) * (12288 - 2 * t)) >> 12;
}

static int64_t weight(int64_t a, int bits)
{
    return W((a & ((1 << bits) - 1)) << (12 - bits));
}

static int64_t N2(uint32_t k, int b, int64_t x, int64_t z)
{
    int64_t X = x >> b, Z = z >> b, wx = weight(x, b);
    return L(L(P(k, X, 0, Z), P(k, X + 1, 0, Z), wx), L(P(k, X, 0, Z + 1), P(k, X + 1, 0, Z + 1), wx), weight(z, b));
}

static int64_t N3(uint32_t k, int64_t x, int64_t y, int64_t z)
{
    int64_t X = x >> 4, Y = y >> 3, Z = z >> 4, along[2];
    for (int i = 0; i < 2; i++)
        along[i] = L(L(P(k, X + i, Y, Z), P(k, X + i, Y + 1, Z), weight(y, 3)),
                     L(P(k, X + i, Y, Z + 1), P(k, X + i, Y + 1, Z + 1), weight(y, 3)), weight(z, 4));
    return L(along[0], along[1], weight(x, 4));
}

static int64_t clamp(int64_t a, int64_t lo, int64_t hi)
{
    return a < lo ? lo : a > hi ? hi : a;
}

static int64_t octave(uint32_t k, int b, int64_t voxels, int64_t x, int64_t z)
{
    return ((N2(k, b, x, z) - 32768) * voxels * 256) >> 16;
}

static int64_t height_at(int64_t x, int64_t z)
{
    int64_t h = 49 * 256 + octave(1, 8, 36, x, z) + octave(4, 6, 20, x, z) + octave(5, 5, 9, x, z) + octave(6, 4, 4, x, z);
    int64_t crest = (65535 - llabs(2 * N2(2, 7, x, z) - 65535)) >> 4, where = clamp((N2(3, 7, x, z) - 26000) >> 3, 0, 4096);
    h += ((((crest * crest) >> 12) * where >> 12) * 64 * 256) >> 12;
    if (h > 35 * 256)
        h = L(35 * 256, h, W(clamp(llabs(N2(8, 7, x, z) - 32768), 0, 4095)));
    return clamp((h + octave(7, 3, 2, x, z)) >> 8, 4, 116);
}

static int64_t wet_at(int64_t x, int64_t z)
{
    return clamp((N2(9, 7, x, z) + (N2(6, 3, x, z) >> 3) - 4096) >> 8, 0, 255);
}

/* The names of the top material and of that below it. */
static void surface_at(int64_t x, int64_t z, const char **top, const char **under)
{
    int64_t h = height_at(x, z), fuzz = N2(6, 3, x, z) >> 12, wet = wet_at(x, z), slope = 0;
    for (int i = 0; i < 4; i++) {
        int64_t d = llabs(height_at(x + (i == 0) - (i == 1), z + (i == 2) - (i == 3)) - h);
        slope = d > slope ? d : slope;
    }
    *top = "grass", *under = "dirt";
    if (h < 33)
        *top = *under = "clay";
    else if (h < 42)
        *top = fuzz >= 12 ? "gravel" : "sand", *under = "sand";
    else if (slope >= (h > 60 ? 3 : 4))
        *top = *under = fuzz >= 11 ? "dark stone" : "stone";
    else if (h - fuzz > 84)
        *top = "snow", *under = "stone";
    else if (h - fuzz > 74)
        *top = *under = fuzz >= 9 ? "gravel" : "stone";
    else if (wet < 56)
        *top = "sand", *under = "sandstone";
    else if (wet < 92)
        *top = "dry grass";
}

static const char *ground_at(int64_t x, int64_t y, int64_t z, int64_t h)
{
    const char *top, *under;
    if (y >= 3 && (h > 41 || y < h - 5)) {
        int64_t width = 2600 + 24 * clamp(h - y, 0, 60);
        if (llabs(N3(10, x, y, z) - 32768) < width && llabs(N3(11, x, y, z) - 32768) < width)
            return y < 7 ? "lava" : "air";
    }
    if (y == 0)
        return "bedrock";
    if (y > h - 4) {
        surface_at(x, z, &top, &under);
        if (strcmp(y == h ? top : under, "stone") != 0 && strcmp(y == h ? top : under, "dark stone") != 0)
            return y == h ? top : under;
    }
    uint32_t v = H(12, x >> 3, y >> 3, z >> 3), lot = v & 31;
    int64_t low = y & ~7ll, dx = (x & 7) - 2 - (v >> 5 & 3);
    int64_t dy = (y & 7) - 2 - (v >> 7 & 3), dz = (z & 7) - 2 - (v >> 9 & 3);
    if (dx * dx + dy * dy + dz * dz <= 1 + (v >> 11 & 3)) {
        if (lot < 8)
            return "coal ore";
        if (lot < 13 && low < 64)
            return "iron ore";
        if (lot >= 8 && lot < 15 && low < 32)
            return "gold ore";
        if (lot >= 8 && lot < 16 && low < 16)
            return "crystal";
    }
    if (y > h - 4)
        return y == h ? top : under;
    return y < 12 + (wet_at(x, z) >> 4) ? "dark stone" : "stone";
}

/* What trees put at a voxel of air: the trunk of any, else the leaves of the first in the order of cells. */
static const char *tree_at(int64_t x, int64_t y, int64_t z)
{
    static const int pine[] = { 0, 0, 1, 5, 2, 5, 9 }, round_[] = { 1, 4, 6, 6, 4 };
    const char *leaves = NULL;
    for (int64_t Z = (z - 3) >> 3; Z <= (z + 3) >> 3; Z++) {
        for (int64_t X = (x - 3) >> 3; X <= (x + 3) >> 3; X++) {
            uint32_t t = H(13, X, 0, Z);
            int64_t tx = 8 * X + (t & 7), tz = 8 * Z + (t >> 3 & 7), dx = x - tx, dz = z - tz;
            const char *top, *under;
            if (llabs(dx) > 3 || llabs(dz) > 3)
                continue;
            surface_at(tx, tz, &top, &under);
            int64_t h = height_at(tx, tz), wet = wet_at(tx, tz);
            if (!strstr(top, "grass") || (t >> 6 & 255) > (wet - 70) * 3 / 2 + 4)
                continue;
            bool is_pine = h > 58 + (t >> 14 & 7), is_birch = !is_pine && wet % 32 < 10;
            int64_t tall = (is_pine ? 6 : 4) + (t >> 20 & 1) + (t >> 21 & 1), dy = y - h - 1;
            if (!dx && !dz && dy >= 0 && dy < tall)
                return is_pine ? "pine log" : is_birch ? "birch log" : "log";
            int64_t below = tall - dy + 1; /* 0 for the voxel above the one above the trunk */
            if (!leaves && dy >= 0 && below >= 0 && below < (is_pine ? 7 : 5) &&
                dx * dx + dz * dz <= (is_pine ? pine : round_)[below])
                leaves = is_pine ? "pine needles" : is_birch ? "birch leaves" : "leaves";
        }
    }
    return leaves;
}

static const char *terrain_at(int64_t x, int64_t y, int64_t z)
{
    int64_t h = height_at(x, z);
    const char *tree, *is = y <= h ? ground_at(x, y, z, h) : y <= 40 ? "water" : "air";
    return !strcmp(is, "air") && (tree = tree_at(x, y, z)) ? tree : is;
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void check_voxel(const int32_t at[3], uint32_t x, uint32_t y, uint32_t z)
{
    const struct adit_generator *g = generator("terrain");
    uint16_t id = chunk[(z * DIM + y) * DIM + x];
    assert_true(id < g->materials_n);
    const char *want = terrain_at(at[0] * 64ll + x, at[1] * 64ll + y, at[2] * 64ll + z);
    if (strcmp(g->materials[id].name, want) != 0)
        fail_msg("chunk %d,%d,%d, voxel %u,%u,%u is %s, not %s", at[0], at[1], at[2], x, y, z, g->materials[id].name, want);
}

static void every_voxel_of_terrain_is_what_the_formulas_say(void **state)
{
    static const int32_t at[][3] = { /* of seed 1; the last four have a pine three columns beyond a border */
        { 0, 0, 0 }, { 0, 1, 0 }, { -1, 0, -1 }, { 2, 1, 2 }, { -1, 1, -2 }, { 1, 1, 1 }, { 0, 1, 4 }, { 4, 1, -4 },
        { 1, 0, -7 }, { -90, 1, 5 }, { 1 << 20, 0, -1234 }, { 3, 1, 6 }, /* of other seeds */
    };
    (void)state;
    for (int i = 0; i < 12; i++) {
        seed = i < 8 ? 1 : 0x123456789abcdefu * (uint64_t)i;
        adit_generate(generator("terrain"), seed, at[i][0], at[i][1], at[i][2], chunk);
        for (int n = 0; n < 3000; n++)
            check_voxel(at[i], draw(64), draw(64), draw(64));
        for (uint32_t n = 0; n < 256; n++) { /* trees and ground at the four borders */
            uint32_t x = n >> 6 == 0 ? 0 : n >> 6 == 1 ? 63 : n & 63, z = n >> 6 == 2 ? 0 : n >> 6 == 3 ? 63 : n & 63;
            int64_t h = height_at(at[i][0] * 64ll + x, at[i][2] * 64ll + z);
            for (int64_t y = h - 5; y < h + 12; y++)
                if (y >> 6 == at[i][1])
                    check_voxel(at[i], x, (uint32_t)y & 63, z);
        }
    }
}

static void terrain_has_all_that_it_promises(void **state)
{
    const struct adit_generator *g = generator("terrain");
    uint32_t count[ADIT_GENERATE_TERRAIN_MATERIALS] = { 0 };
    (void)state;
    for (int32_t z = 0; z < 6; z++) {
        for (int32_t x = 0; x < 6; x++) {
            for (int32_t y = 0; y < 2; y++) {
                adit_generate(g, 1, x, y, z, chunk);
                for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
                    assert_true(chunk[i] < g->materials_n);
                    count[chunk[i]]++;
                    if (y == 0 && (i >> 6 & 63) == 0)
                        assert_string_equal(g->materials[chunk[i]].name, "bedrock");
                }
            }
        }
    }
    for (uint32_t i = 0; i < g->materials_n; i++)
        if (!count[i])
            fail_msg("there is no %s", g->materials[i].name);
}

static void noise50_and_checker_are_the_volumes_of_that_name(void **state)
{
    static const char *const names[] = { "noise50", "checker" };
    static uint8_t volume[ADIT_CHUNK_VOXELS];
    const uint32_t full[3] = { 64, 64, 64 };
    (void)state;
    for (int i = 0; i < 2; i++) {
        adit_generate(generator(names[i]), 99, 0, 0, 0, chunk);
        assert_int_equal(volume_fill(names[i], full, 0, 99, volume), 0);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            assert_int_equal(chunk[v], volume[v]);
    }
    const uint32_t shell[3] = { 3, 3, 3 }; /* its shell has the coordinates -1, which chunk -1 has at 63 */
    assert_int_equal(volume_fill("noise50", shell, 1, 5, volume), 0);
    adit_generate(generator("noise50"), 5, -1, -1, -1, chunk);
    assert_int_equal(chunk[ADIT_CHUNK_VOXELS - 1], volume[0]);
    adit_generate(generator("noise50"), 5, -1, 0, 0, chunk);
    assert_int_equal(chunk[63], volume[1 * 9 + 1 * 3]);
    adit_generate(generator("checker"), 5, -3, 7, -1, chunk);
    assert_int_equal(chunk[0], 1);
    assert_int_equal(chunk[1], 0);
    assert_int_equal(chunk[65], 4);
}

static void chunks_above_and_below_the_terrain_are_air(void **state)
{
    const struct adit_generator *g = generator("terrain");
    static const int32_t heights[] = { INT32_MIN, -1, 2, 3, INT32_MAX };
    (void)state;
    assert_false(adit_generate_is_air(g, 0) || adit_generate_is_air(g, 1));
    for (int i = 0; i < 5; i++) {
        assert_true(adit_generate_is_air(g, heights[i]));
        memset(chunk, 0xff, sizeof chunk);
        adit_generate(g, 1, INT32_MIN, heights[i], INT32_MAX, chunk);
        for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
            assert_int_equal(chunk[v], 0);
    }
    adit_generate(g, 1, INT32_MIN, 0, INT32_MAX, chunk); /* the ends of the world: no overflow */
    adit_generate(g, 1, (1 << 23) - 1, 1, -(1 << 23), chunk);
    adit_generate(generator("noise50"), 1, INT32_MIN, INT32_MAX, INT32_MIN, chunk);
}

static void materials_have_names_colours_and_classes(void **state)
{
    const struct adit_generator *g;
    uint32_t n = 0;
    (void)state;
    for (; (g = adit_generator_at(n)); n++) {
        assert_ptr_equal(adit_generator_named(g->name), g);
        assert_true(g->summary && *g->summary && g->materials_n > 1);
        assert_int_equal(g->materials[0].material_class, ADIT_CLASS_AIR);
        for (uint32_t i = 1; i < g->materials_n; i++) {
            const struct adit_generate_material *a = &g->materials[i];
            assert_true(a->name && *a->name);
            assert_true(a->material_class >= ADIT_CLASS_OPAQUE && a->material_class <= ADIT_CLASS_CUTOUT);
            assert_int_equal((a->rgba & 0xff) == 0xff, a->material_class != ADIT_CLASS_TRANSLUCENT);
            for (uint32_t j = 0; j < i; j++)
                assert_true(strcmp(a->name, g->materials[j].name) != 0);
        }
    }
    assert_int_equal(n, 3);
    assert_null(adit_generator_named("nowhere"));
    assert_null(adit_generator_named(""));
}

/* FNV-1a over the bytes of the chunk, low byte first. */
static uint64_t hash_chunk(void)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        h = (h ^ (chunk[i] & 0xff)) * 0x100000001b3u;
        h = (h ^ (chunk[i] >> 8)) * 0x100000001b3u;
    }
    return h;
}

static void worlds_never_change_under_their_seed(void **state)
{
    static uint8_t classes[ADIT_MATERIALS];
    uint64_t *quads = malloc(ADIT_MESH_QUADS_MAX * sizeof *quads);
    (void)state;
    assert_non_null(quads);
    for (int i = 0; i < GOLDEN_WORLDS; i++) {
        const struct golden_chunk *want = &golden_worlds[i];
        const struct adit_generator *g = generator(want->world);
        for (uint32_t j = 0; j < g->materials_n; j++)
            classes[j] = (uint8_t)g->materials[j].material_class;
        adit_generate(g, want->seed, want->x, want->y, want->z, chunk);
        struct adit_mesh_source source = { .voxels = chunk, .classes = classes, .dim = { 64, 64, 64 } };
        struct adit_mesh_result result = { .quads = quads, .quads_max = ADIT_MESH_QUADS_MAX };
        assert_int_equal(adit_mesh_kernel_best(NULL)(&source, &result), 0);
        if (hash_chunk() != want->hash || result.faces != want->faces || result.start[ADIT_MESH_RANGES] != want->quads)
            fail_msg("    { \"%s\", %llu, %d, %d, %d, 0x%016llx, %u, %u },", want->world, (unsigned long long)want->seed,
                     want->x, want->y, want->z, (unsigned long long)hash_chunk(), result.faces,
                     result.start[ADIT_MESH_RANGES]);
    }
    free(quads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_voxel_of_terrain_is_what_the_formulas_say),
        cmocka_unit_test(terrain_has_all_that_it_promises),
        cmocka_unit_test(noise50_and_checker_are_the_volumes_of_that_name),
        cmocka_unit_test(chunks_above_and_below_the_terrain_are_air),
        cmocka_unit_test(materials_have_names_colours_and_classes),
        cmocka_unit_test(worlds_never_change_under_their_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
