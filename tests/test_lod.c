/* test_lod.c - halving: every kernel against the definition of kernels/lod.h, known counts, and an oracle written by others.
 *
 * The definition is written down a second time here, a voxel at a time. Sources and destinations end at unreadable pages,
 * and what lies between the rows of a destination must stay as it was. Where ../shared/oracle is, `voxoracle lod` judges,
 * too; files go to build/oracle. (tried: the highest id on ties, three or five of eight, a 17th mixed cell of a row lost, ids of
 * 256 taken for bytes, a row beyond the end read, a row stored whole: each fails.) The seed of the random volumes is the first argument or 1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "tests/fenced.h"
#include "tests/oracle.h"
#include "tests/volumes.h"

enum { DIM = ADIT_CHUNK_DIM, ROUNDS = 400, ROOM = 2 * ADIT_CHUNK_VOXELS };
#define GUARD 0xdeadu

static const char *const kernel_names[] = { "scalar", "avx2", "avx512" };
enum { KERNELS = sizeof kernel_names / sizeof *kernel_names };

static uint64_t seed = 1, rng_state;
static uint16_t *from_end, *to_end; /* before each, ROOM voxels; behind it, nothing that can be touched */
static uint16_t *from_room, *to_room, *expected;
static uint16_t level[ADIT_LOD_LEVELS + 1][ADIT_CHUNK_VOXELS]; /* of a generated kind, rows and layers as in a chunk */
static char volume_path[64], halved_path[64]; /* of this process */

static uint32_t draw(uint32_t below)
{
    return fenced_draw(&rng_state, below);
}

static int set_up(void **state)
{
    (void)state;
    from_room = fenced_alloc(ROOM * sizeof *from_room);
    to_room = fenced_alloc(ROOM * sizeof *to_room);
    from_end = from_room + ROOM;
    to_end = to_room + ROOM;
    expected = malloc(ROOM * sizeof *expected);
    assert_non_null(expected);
    snprintf(volume_path, sizeof volume_path, "build/oracle/lod.%d", (int)getpid());
    snprintf(halved_path, sizeof halved_path, "build/oracle/halved.%d", (int)getpid());
    oracle_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(volume_path);
    unlink(halved_path);
    oracle_close();
    free(expected);
    return 0;
}

/* -- the definition, a second time --------------------------------------------------------------------------------- */

static uint16_t voxel_at(const struct adit_lod_halving *h, uint32_t x, uint32_t y, uint32_t z)
{
    return x < h->dim[0] && y < h->dim[1] && z < h->dim[2] ? h->from[z * h->from_layer + y * h->from_row + x] : 0;
}

/* The material of a cell, by a list of its materials and how many of each there are. */
static uint16_t cell_at(const struct adit_lod_halving *h, uint32_t x, uint32_t y, uint32_t z)
{
    uint16_t id[8], best = 0;
    uint32_t n[8] = { 0 }, ids = 0, solid = 0, most = 0;
    for (uint32_t i = 0; i < 8; i++) {
        uint16_t material = voxel_at(h, 2 * x + (i & 1), 2 * y + (i >> 1 & 1), 2 * z + (i >> 2));
        uint32_t k = 0;
        if (!material)
            continue;
        while (k < ids && id[k] != material)
            k++;
        if (k == ids)
            id[ids++] = material;
        n[k]++;
        solid++;
    }
    for (uint32_t k = 0; k < ids; k++)
        most = n[k] > most ? n[k] : most;
    for (uint32_t k = 0; k < ids; k++)
        if (n[k] == most && (!best || id[k] < best))
            best = id[k];
    return solid < 4 ? 0 : best;
}

/* Halves by every kernel there is, and demands the definition's voxels and nothing else changed in all of to's room. The steps
 * of h are complete; to lies in to_room. */
static void judge(const struct adit_lod_halving *h)
{
    for (uint32_t i = 0; i < ROOM; i++)
        expected[i] = GUARD;
    for (uint32_t z = 0; z < (h->dim[2] + 1u) / 2; z++)
        for (uint32_t y = 0; y < (h->dim[1] + 1u) / 2; y++)
            for (uint32_t x = 0; x < (h->dim[0] + 1u) / 2; x++)
                expected[h->to - to_room + z * h->to_layer + y * h->to_row + x] = cell_at(h, x, y, z);
    for (int k = 0; k < KERNELS; k++) {
        adit_lod_kernel *halve = adit_lod_kernel_named(kernel_names[k]);
        if (!halve)
            continue;
        for (uint32_t i = 0; i < ROOM; i++)
            to_room[i] = GUARD;
        assert_int_equal(halve(h), 0);
        for (uint32_t i = 0; i < ROOM; i++)
            if (to_room[i] != expected[i])
                fail_msg("%s, dim %u,%u,%u: voxel %d is %u, not %u", kernel_names[k], h->dim[0], h->dim[1], h->dim[2],
                         (int)(i - (uint32_t)(h->to - to_room)), to_room[i], expected[i]);
    }
}

/* A halving of x,y,z with these steps (0: just as large as needed), whose last voxels are the last before the fences. */
static struct adit_lod_halving halving_of(const uint32_t dim[3], const uint32_t step[4])
{
    uint32_t half[3] = { (dim[0] + 1) / 2, (dim[1] + 1) / 2, (dim[2] + 1) / 2 };
    struct adit_lod_halving h = { .dim = { (uint8_t)dim[0], (uint8_t)dim[1], (uint8_t)dim[2] } };
    h.from_row = step[0] ? step[0] : dim[0];
    h.from_layer = step[1] ? step[1] : h.from_row * (dim[1] - 1) + dim[0];
    h.to_row = step[2] ? step[2] : half[0];
    h.to_layer = step[3] ? step[3] : h.to_row * (half[1] - 1) + half[0];
    h.from = from_end - ((dim[2] - 1) * h.from_layer + (dim[1] - 1) * h.from_row + dim[0]);
    h.to = to_end - ((half[2] - 1) * h.to_layer + (half[1] - 1) * h.to_row + half[0]);
    return h;
}

static const uint32_t chunk[3] = { DIM, DIM, DIM }, chunk_steps[4] = { DIM, DIM * DIM, DIM, DIM * DIM };

/* -- cells --------------------------------------------------------------------------------------------------------- */

/* All 4^8 cells of four materials: every count, every tie, in every arrangement. Ids of a byte, of two, and across. */
static void every_cell_of_four_materials_is_decided(void **state)
{
    static const uint16_t sets[][4] = { { 0, 1, 2, 3 }, { 0, 9, 200, 255 }, { 0, 255, 256, 257 }, { 0, 1, 40000, 65535 },
                                        { 5, 6, 7, 8 }, { 65535, 32768, 32767, 1 } };
    (void)state;
    struct adit_lod_halving h = halving_of(chunk, chunk_steps);
    uint16_t *voxels = from_end - ADIT_CHUNK_VOXELS;
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        for (uint32_t half = 0; half < 2; half++) {
            for (uint32_t c = 0; c < ADIT_CHUNK_VOXELS / 8; c++) {
                uint32_t x = c & 31, y = c >> 5 & 31, z = c >> 10, mixture = c + half * (ADIT_CHUNK_VOXELS / 8);
                for (uint32_t i = 0; i < 8; i++)
                    voxels[((2 * z + (i >> 2)) * DIM + 2 * y + (i >> 1 & 1)) * DIM + 2 * x + (i & 1)] =
                        sets[s][mixture >> (2 * i) & 3];
            }
            judge(&h);
        }
    }
}

/* -- volumes ------------------------------------------------------------------------------------------------------- */

static void draw_voxels(void)
{
    static const uint32_t choices[][2] = { { 1, 1 }, { 2, 1 }, { 3, 254 }, { 5, 65530 }, { 200, 30 }, { 65536, 0 } };
    uint32_t pick = draw(6), ids = choices[pick][0], base = choices[pick][1], air = draw(3) * 100, how = draw(3);
    for (uint32_t i = 0; i < ROOM; i++) /* noise; runs of one material with some noise; or long runs */
        if (how == 0 || i == 0 || draw(how == 1 ? 5 : 200) == 0)
            from_room[i] = draw(256) < air ? 0 : (uint16_t)(base + draw(ids));
        else
            from_room[i] = from_room[i - 1];
}

static void random_volumes_are_halved_as_defined(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        rng_state = seed * 1000003 + round;
        uint32_t dim[3], step[4] = { 0 };
        bool is_whole = draw(6) == 0;
        for (int axis = 0; axis < 3; axis++)
            dim[axis] = is_whole ? DIM : 1 + draw(axis == 1 ? 12 : 64);
        if (is_whole || draw(3) == 0)
            memcpy(step, chunk_steps, sizeof step);
        else if (draw(2))
            for (int i = 0; i < 4; i++)
                step[i] = i & 1 ? 1024 + draw(1000) : 64 + draw(10);
        draw_voxels();
        struct adit_lod_halving h = halving_of(dim, step);
        judge(&h);
    }
}

static void each_axis_may_have_any_length(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= DIM; n++) {
        for (uint32_t axis = 0; axis < 3; axis++) {
            uint32_t dim[3] = { 3, 3, 3 }, step[4] = { 0 };
            rng_state = seed * 2000003 + n;
            dim[axis] = n;
            draw_voxels();
            struct adit_lod_halving h = halving_of(dim, step);
            judge(&h);
        }
    }
}

/* The world of the eight chunks at once: octant i of the parent is child i halved. */
static void eight_chunks_become_one_of_the_next_level(void **state)
{
    static uint16_t parent[ADIT_CHUNK_VOXELS];
    const struct adit_generator *world = adit_generator_named("terrain");
    (void)state;
    for (int k = 0; k < KERNELS; k++) {
        adit_lod_kernel *halve = adit_lod_kernel_named(kernel_names[k]);
        for (uint32_t i = 0; halve && i < 8; i++) {
            adit_generate(world, seed, (int32_t)(i & 1), (int32_t)(i >> 1 & 1), (int32_t)(i >> 2), level[i & 1]);
            assert_int_equal(halve(&(struct adit_lod_halving){ .from = level[i & 1], .to = parent + adit_lod_octant(i),
                                                               .dim = { DIM, DIM, DIM } }), 0);
        }
        for (uint32_t i = 0; halve && i < 8; i++) {
            adit_generate(world, seed, (int32_t)(i & 1), (int32_t)(i >> 1 & 1), (int32_t)(i >> 2), level[0]);
            struct adit_lod_halving child = { .from = level[0], .from_row = DIM, .from_layer = DIM * DIM, .dim = { DIM, DIM, DIM } };
            for (uint32_t z = 0; z < 32; z++)
                for (uint32_t y = 0; y < 32; y++)
                    for (uint32_t x = 0; x < 32; x++) {
                        uint32_t px = x + 32 * (i & 1), py = y + 32 * (i >> 1 & 1), pz = z + 32 * (i >> 2);
                        assert_int_equal(parent[(pz * DIM + py) * DIM + px], cell_at(&child, x, y, z));
                    }
        }
    }
}

/* -- what is known of generated kinds ------------------------------------------------------------------------------ */

/* Solid voxels, visible faces and greedy quads of levels 1 to 6 of the kinds of volumes.h at 64^3 without a border, seed
 * 7, as `voxoracle lod` and `voxoracle count` say. */
static const struct {
    const char *kind;
    uint32_t of[ADIT_LOD_LEVELS][3];
} known[] = {
    { "sphere", { { 15768, 4584, 1938 }, { 1984, 1176, 582 }, { 280, 312, 162 }, { 32, 72, 30 }, { 8, 24, 6 }, { 1, 6, 6 } } },
    { "noise50m3", { { 20746, 48162, 40882 }, { 3573, 3902, 3073 }, { 512, 384, 107 }, { 64, 96, 6 }, { 8, 24, 6 }, { 1, 6, 6 } } },
    { "noise25", { { 3759, 19960, 16553 }, { 31, 182, 174 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } } },
    { "mats", { { 32768, 6144, 5993 }, { 4096, 1536, 1354 }, { 512, 384, 279 }, { 64, 96, 50 }, { 8, 24, 6 }, { 1, 6, 6 } } },
    { "terrain", { { 14693, 6512, 1886 }, { 1911, 1378, 436 }, { 251, 278, 65 }, { 33, 68, 12 }, { 4, 16, 6 }, { 1, 6, 6 } } },
    { "glass", { { 31870, 11060, 8461 }, { 4096, 1536, 734 }, { 512, 384, 72 }, { 64, 96, 6 }, { 8, 24, 6 }, { 1, 6, 6 } } },
    { "menger", { { 11190, 22164, 12906 }, { 1563, 3870, 1914 }, { 237, 678, 360 }, { 27, 108, 48 }, { 4, 18, 15 }, { 1, 6, 6 } } },
};
enum { KNOWN = sizeof known / sizeof *known };

/* Makes level[] all levels of a kind. */
static void levels_make(const char *kind, adit_lod_kernel *halve)
{
    static uint8_t volume[ADIT_CHUNK_VOXELS];
    assert_int_equal(volume_fill(kind, chunk, 0, 7, volume), 0);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        level[0][i] = volume[i];
    for (uint32_t n = 1; n <= ADIT_LOD_LEVELS; n++) {
        uint8_t d = (uint8_t)(2 * DIM >> n);
        assert_int_equal(halve(&(struct adit_lod_halving){ .from = level[n - 1], .to = level[n], .dim = { d, d, d } }), 0);
    }
}

static void levels_of_known_volumes_have_the_counts_that_are_known(void **state)
{
    static uint8_t classes[ADIT_MATERIALS];
    static uint64_t quads[65536];
    (void)state;
    memset(classes + 1, ADIT_CLASS_OPAQUE, sizeof classes - 1);
    for (int k = 0; k < KERNELS; k++) {
        adit_lod_kernel *halve = adit_lod_kernel_named(kernel_names[k]);
        for (int i = 0; halve && i < KNOWN; i++) {
            levels_make(known[i].kind, halve);
            for (uint32_t n = 1; n <= ADIT_LOD_LEVELS; n++) {
                uint32_t d = DIM >> n, solid = 0;
                const uint32_t *want = known[i].of[n - 1];
                for (uint32_t v = 0; v < d * d * d; v++)
                    solid += level[n][(v / d / d * DIM + v / d % d) * DIM + v % d] != 0;
                assert_int_equal(solid, want[0]);
                for (int m = 0; m < KERNELS; m++) { /* the mesh kernels take it as it is */
                    adit_mesh_kernel *mesh = adit_mesh_kernel_named(kernel_names[m]);
                    struct adit_mesh_source source = { .voxels = level[n], .classes = classes,
                                                       .dim = { (uint8_t)d, (uint8_t)d, (uint8_t)d } };
                    struct adit_mesh_result result = { .quads = quads, .quads_max = sizeof quads / sizeof *quads };
                    if (!mesh)
                        continue;
                    assert_int_equal(mesh(&source, &result), 0);
                    assert_int_equal(result.faces, want[1]);
                    assert_int_equal(result.start[ADIT_MESH_RANGES], want[2]);
                }
            }
        }
    }
}

/* -- the oracle ---------------------------------------------------------------------------------------------------- */

/* Writes the voxels of a volume with rows and layers of a chunk, a byte each. */
static void volume_write(const uint16_t *voxels, const uint32_t dim[3])
{
    FILE *file = fopen(volume_path, "w");
    assert_non_null(file);
    for (uint32_t z = 0; z < dim[2]; z++)
        for (uint32_t y = 0; y < dim[1]; y++)
            for (uint32_t x = 0; x < dim[0]; x++)
                fputc(voxels[(z * DIM + y) * DIM + x], file);
    assert_int_equal(fclose(file), 0);
}

static void judge_by_oracle(const char *what, const uint16_t *voxels, const uint32_t dim[3])
{
    static uint16_t to[ADIT_CHUNK_VOXELS];
    char command[256];
    volume_write(voxels, dim);
    snprintf(command, sizeof command, "%s lod --vol %s --dim %u,%u,%u > %s", oracle_program(), volume_path, dim[0], dim[1], dim[2],
             halved_path);
    assert_int_equal(system(command), 0);
    assert_int_equal(adit_lod_kernel_best(NULL)(&(struct adit_lod_halving){
                         .from = voxels, .to = to, .dim = { (uint8_t)dim[0], (uint8_t)dim[1], (uint8_t)dim[2] } }), 0);
    FILE *file = fopen(halved_path, "r");
    assert_non_null(file);
    for (uint32_t z = 0; z < (dim[2] + 1) / 2; z++)
        for (uint32_t y = 0; y < (dim[1] + 1) / 2; y++)
            for (uint32_t x = 0; x < (dim[0] + 1) / 2; x++)
                if (to[(z * DIM + y) * DIM + x] != fgetc(file))
                    fail_msg("%s, %u,%u,%u: not the oracle's voxel at %u,%u,%u", what, dim[0], dim[1], dim[2], x, y, z);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static void the_oracle_halves_every_kind_the_same_way(void **state)
{
    static const char *const kinds[] = { "empty", "solid", "sphere", "checker", "noise50", "noise50m3", "noise25",
                                         "mats", "terrain", "flat", "stripes", "glass", "menger" };
    static const uint32_t odd[3] = { 63, 41, 17 };
    (void)state;
    if (!oracle_program())
        skip();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        levels_make(kinds[i], adit_lod_kernel_best(NULL));
        for (uint32_t n = 0; n < ADIT_LOD_LEVELS; n++)
            judge_by_oracle(kinds[i], level[n], (const uint32_t[3]){ DIM >> n, DIM >> n, DIM >> n });
        judge_by_oracle(kinds[i], level[0], odd);
    }
}

/* -- the edges of the interface ------------------------------------------------------------------------------------ */

static void what_is_not_valid_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    const struct adit_lod_halving good = halving_of(chunk, chunk_steps);
    for (int k = 0; k < KERNELS; k++) {
        adit_lod_kernel *halve = adit_lod_kernel_named(kernel_names[k]);
        struct adit_lod_halving bad[12];
        for (int i = 0; i < 12; i++)
            bad[i] = good;
        for (int axis = 0; axis < 3; axis++)
            bad[axis].dim[axis] = 0, bad[3 + axis].dim[axis] = 65;
        bad[6].from = NULL;
        bad[7].to = NULL;
        bad[8].from_row = 63;
        bad[9].from_layer = 64 * 64 - 1;
        bad[10].to_row = 31;
        bad[11].to_layer = 64 * 31 + 31;
        for (uint32_t i = 0; i < ROOM; i++)
            to_room[i] = GUARD;
        for (int i = 0; halve && i < 12; i++)
            assert_int_equal(halve(&bad[i]), -EINVAL);
        for (uint32_t i = 0; i < ROOM; i++)
            assert_int_equal(to_room[i], GUARD);
    }
}

static void kernels_are_found_by_name_unless_disabled(void **state)
{
    static const char *const lists[] = { "avx512,avx2", "hugepages,avx2,avx512", ",,avx512,avx2", "scalar,avx512,avx2" };
    const char *name = NULL, *was = getenv("ADIT_DISABLE");
    char *saved = was ? strdup(was) : NULL;
    (void)state;
    assert_true(adit_lod_kernel_named("scalar") == adit_lod_scalar);
    assert_null(adit_lod_kernel_named("avx51"));
    adit_lod_kernel *best = adit_lod_kernel_best(&name);
    assert_true(best == adit_lod_kernel_named(name));
    for (int i = 0; i < 4; i++) {
        setenv("ADIT_DISABLE", lists[i], 1);
        assert_null(adit_lod_kernel_named("avx512"));
        assert_null(adit_lod_kernel_named("avx2"));
        assert_true(adit_lod_kernel_best(&name) == adit_lod_scalar);
        assert_string_equal(name, "scalar");
    }
    setenv("ADIT_DISABLE", "avx5120,avx51,avx22", 1);
    assert_int_equal(adit_lod_kernel_named("avx512") != NULL, __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("gfni"));
    assert_int_equal(adit_lod_kernel_named("avx2") != NULL, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"));
    unsetenv("ADIT_DISABLE");
    if (saved)
        setenv("ADIT_DISABLE", saved, 1);
    free(saved);
}

/* A peer that may write the source does so all the while: nothing but the destination is written, and every call ends. */
static void voxels_that_change_meanwhile_do_no_harm(void **state)
{
    (void)state;
    struct adit_lod_halving h = halving_of(chunk, chunk_steps);
    pid_t peer = fork();
    assert_true(peer >= 0);
    if (!peer) {
        for (uint32_t i = 0; getppid() != 1 && i < 2000000000; i++)
            from_end[-1 - (int)draw(ADIT_CHUNK_VOXELS)] = (uint16_t)(i & 512 ? draw(65536) : draw(3));
        _exit(0);
    }
    for (int k = 0; k < KERNELS; k++) {
        adit_lod_kernel *halve = adit_lod_kernel_named(kernel_names[k]);
        for (uint32_t i = 0; i < ROOM; i++)
            to_room[i] = GUARD;
        for (int i = 0; halve && i < 200; i++)
            assert_int_equal(halve(&h), 0);
        for (uint32_t i = 0; halve && i < ROOM; i++) {
            uint32_t at = i - (uint32_t)(h.to - to_room);
            if (i < (uint32_t)(h.to - to_room) || at % DIM >= 32 || at / DIM % DIM >= 32)
                assert_int_equal(to_room[i], GUARD);
        }
    }
    kill(peer, SIGKILL);
    assert_int_equal(waitpid(peer, NULL, 0), peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_four_materials_is_decided),
        cmocka_unit_test(random_volumes_are_halved_as_defined),
        cmocka_unit_test(each_axis_may_have_any_length),
        cmocka_unit_test(eight_chunks_become_one_of_the_next_level),
        cmocka_unit_test(levels_of_known_volumes_have_the_counts_that_are_known),
        cmocka_unit_test(the_oracle_halves_every_kind_the_same_way),
        cmocka_unit_test(what_is_not_valid_is_refused_and_writes_nothing),
        cmocka_unit_test(kernels_are_found_by_name_unless_disabled),
        cmocka_unit_test(voxels_that_change_meanwhile_do_no_harm),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    const char *name;
    adit_lod_kernel_best(&name);
    printf("seed %llu, best kernel: %s\n", (unsigned long long)seed, name);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
