/* test_remesh.c - meshes after edits: adit_mesh_update against a whole mesh by the scalar kernel, byte for byte.
 *
 * A round draws a chunk, an edit and what it does, and each result is the next edit's old mesh, so an error would also be carried on. Sources
 * and quads lie between unreadable pages, quads end with guard words. Whether the whole was meshed after all is counted: small edits never do that.
 * The seed is the first argument or 1.
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
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/remesh.h"
#include "tests/mesh_bench.h"
#include "tests/mesh_maker.h"
#include "tests/volumes.h"

enum { DIM = ADIT_CHUNK_DIM };

#ifdef __SANITIZE_THREAD__
enum { ROUNDS = 40, CHAIN = 40, HOSTILE = 200 };
#elif defined __SANITIZE_ADDRESS__
enum { ROUNDS = 240, CHAIN = 120, HOSTILE = 1200 };
#else
enum { ROUNDS = 700, CHAIN = 300, HOSTILE = 3000 };
#endif

static uint64_t seed = 1;

static struct adit_mesh_result before; /* the mesh of bench.source before the edit, in bench.old */
static uint32_t wholes;                /* calls of the kernel by adit_mesh_update */

static uint32_t index_of(const int32_t at[3])
{
    return ((uint32_t)at[2] * DIM + (uint32_t)at[1]) * DIM + (uint32_t)at[0];
}

static uint16_t *voxel(const int32_t at[3])
{
    return &bench.voxels[index_of(at)];
}

/* -- judging ------------------------------------------------------------------------------------------------------- */

static int counted(const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    wholes++;
    return adit_mesh_scalar(source, result);
}

/* Meshes as a whole (edit NULL) or after an edit, into the end of the memory at to, with room for quads_max. */
static struct adit_mesh_result mesh(uint64_t *to, uint32_t quads_max, const struct adit_mesh_box *edit, int expected_rc)
{
    uint64_t *quads = to + ADIT_MESH_QUADS_MAX - quads_max;
    struct adit_mesh_result result = { .quads = quads, .quads_max = quads_max };
    memset(result.start, 0xaa, sizeof result.start);
    bench_guard(quads, quads_max);
    mesh_soil_stack(quads_max & 1 ? 0xff : 0);
    int rc = edit ? adit_mesh_update(counted, &bench.source, edit, &before, &result) : adit_mesh_scalar(&bench.source, &result);
    assert_int_equal(rc, expected_rc);
    bench_assert_guarded(quads, quads_max);
    assert_true(result.quads == quads && result.quads_max == quads_max);
    return result;
}

static void decode(void)
{
    bench.source.encoded = NULL;
    bench.source.voxels = bench.voxels;
}

/* The mesh that the chunk has before the first edit. */
static void begin(void)
{
    before = mesh(bench.old, ADIT_MESH_QUADS_MAX, NULL, 0);
}

/* Boxes that are not meshed whole; with AO or light as many merge keys as cells may change, and those of larger boxes may be too many. */
static bool is_small(const struct adit_mesh_box *edit)
{
    int32_t voxels = 1, side_max = bench.source.flags & ADIT_MESH_AO || bench.source.light ? 2 : 16;
    for (int axis = 0; axis < 3; axis++) {
        int32_t side = edit->hi[axis] - edit->lo[axis] + 1;
        if (side > side_max)
            return false;
        voxels *= side;
    }
    return voxels <= 512;
}

/* The source has changed within edit: judges the update, and makes its result the old mesh. It must do without a whole mesh if is_alone. */
static void judge(const struct adit_mesh_box *edit, bool is_alone)
{
    struct adit_mesh_result want = mesh(bench.expected, ADIT_MESH_QUADS_MAX, NULL, 0);
    uint32_t n = want.start[ADIT_MESH_RANGES], rooms[] = { n - 1, n / 2, n ? bench_draw(n) : 0, 0 };
    bool is_whole_chunk = bench.source.dim[0] == DIM && bench.source.dim[1] == DIM && bench.source.dim[2] == DIM;
    for (int i = 0; i < 4 && bench_draw(4) == 0; i++) {
        if (rooms[i] >= n)
            continue;
        struct adit_mesh_result got = mesh(bench.quads, rooms[i], edit, -ENOSPC);
        mesh_assert_same(&got, &want);
    }
    if (is_whole_chunk && bench_draw(3) == 0) {
        bench_encode();
        struct adit_mesh_result got = mesh(bench.quads, n, edit, 0);
        mesh_assert_same(&got, &want);
        decode();
    }
    wholes = 0;
    struct adit_mesh_result got = mesh(bench.quads, n, edit, 0);
    mesh_assert_same(&got, &want);
    assert_true(!is_alone || !is_small(edit) || wholes == 0);
    uint64_t *was = bench.old;
    bench.old = bench.quads;
    bench.quads = was;
    before = got;
}

/* -- chunks and edits ---------------------------------------------------------------------------------------------- */

static void reset(uint32_t x, uint32_t y, uint32_t z)
{
    bench_reset(x, y, z);
    for (int f = 0; f < ADIT_FACES; f++)
        memset(bench.plane[f], 0, ADIT_PLANE_VOXELS * sizeof *bench.plane[f]);
}

static uint32_t materials, air; /* of draw_material: how many, and air how many times of 256 */

static uint16_t draw_material(void)
{
    return bench_draw(256) < air ? 0 : (uint16_t)(1 + bench_draw(materials));
}

static void draw_chunk(void)
{
    static const uint32_t airs[] = { 0, 16, 100, 128, 200, 250 };
    uint32_t how = bench_draw(4);
    materials = (uint32_t[]){ 1, 2, 3, 7 }[bench_draw(4)];
    air = airs[bench_draw(6)];
    for (uint32_t i = 1, pick = bench_draw(4); i < 256; i++)
        bench.classes[i] = (uint8_t)(pick == 0 ? ADIT_CLASS_OPAQUE : pick == 1 ? 1 + bench_draw(3) : pick);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) /* noise, or columns that make tall quads, or ground */
        bench.voxels[i] = how == 0 ? draw_material() : how == 1 && i >= 4096 ? bench.voxels[i - 4096] : how == 2 && i % 4096 >= 64 ? bench.voxels[i - 64]
                    : how == 3 ? (uint16_t)(i / 64 % 64 < 20 + i / 512 % 3) : draw_material();
    for (int f = 0; f < ADIT_FACES; f++) {
        bench.source.plane[f] = bench_draw(4) ? bench.plane[f] : NULL;
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            bench.plane[f][i] = how == 3 ? i / 64 < 21 : draw_material();
    }
    bench.source.flags = (uint8_t)bench_draw(4);
}

static uint16_t draw_light(void) /* with bits that do not count */
{
    return (uint16_t)((bench_draw(8) ? 15 : bench_draw(16) << 6) | (bench_draw(64) << 10));
}

static void draw_shade(void)
{
    bench.source.flags = (uint8_t)bench_draw(16);
    bench.source.rim = bench_draw(3) ? bench.rim : NULL;
    for (uint32_t i = 0; i < 12; i++)
        bench.rim->edge[i] = bench_draw(4) ? (uint64_t)bench_draw(1u << 31) << 33 ^ bench_draw(1u << 31) : ~0ull;
    bench.rim->corner = (uint8_t)bench_draw(256);
    for (int f = 0; f < ADIT_FACES; f++) {
        bench.source.light_plane[f] = bench_draw(3) ? bench.light_plane[f] : NULL;
        for (uint32_t i = 0; i < ADIT_PLANE_VOXELS; i++)
            bench.light_plane[f][i] = draw_light();
    }
    if (bench_draw(2))
        return; /* without light its planes do not count */
    bench.source.light = bench.light;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        bench.light[i] = draw_light();
}

/* A box of up to side a side; one of four reaches a border plane where it can. */
static struct adit_mesh_box draw_box(uint32_t side)
{
    struct adit_mesh_box box;
    for (int axis = 0; axis < 3; axis++) {
        int32_t dim = bench.source.dim[axis], length = (int32_t)bench_draw(side);
        int32_t lo = bench_draw(4) == 0 ? -1 : bench_draw(4) == 0 ? dim - length : (int32_t)bench_draw((uint32_t)dim);
        box.lo[axis] = lo < -1 ? -1 : lo;
        box.hi[axis] = lo + length > dim ? dim : lo + length < box.lo[axis] ? box.lo[axis] : lo + length;
    }
    return box;
}

/* Turns a cell of the rim from opaque to air or back. side: of each axis 0 low, 1 high, 2 within, at at. */
static void turn_rim(const int32_t at[3], const uint32_t side[3])
{
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint32_t i = side[axis == 0], j = side[axis == 2 ? 1 : 2];
        if (side[axis] == 2) {
            bench.rim->edge[axis * 4 + i + 2 * j] ^= 1ull << at[axis];
            return;
        }
    }
    bench.rim->corner ^= (uint8_t)(1u << (side[0] + 2 * side[1] + 4 * side[2]));
}

/* Changes a voxel, a cell of a plane or of the rim, and its light or not. */
static void edit_at(const int32_t at[3], uint16_t material, bool has_light)
{
    uint32_t beyond = 0, face = 0, side[3];
    for (uint32_t axis = 0; axis < 3; axis++) {
        side[axis] = at[axis] < 0 ? 0 : at[axis] >= bench.source.dim[axis] ? 1 : 2;
        if (side[axis] < 2)
            beyond++, face = axis * 2 + side[axis];
    }
    uint32_t i = beyond == 0 ? index_of(at) : (uint32_t)at[adit_face_v(face)] * DIM + (uint32_t)at[adit_face_u(face)];
    if (beyond > 1) {
        turn_rim(at, side);
        return;
    }
    *(beyond ? &bench.plane[face][i] : &bench.voxels[i]) = material;
    if (has_light)
        *(beyond ? &bench.light_plane[face][i] : &bench.light[i]) = draw_light();
}

/* Changes what lies in the box: nothing, all to one material, or anything. */
static void edit_box(const struct adit_mesh_box *box)
{
    uint32_t how = bench_draw(6), odds = 1 + bench_draw(4), light = bench_draw(2);
    uint16_t one = bench_draw(2) ? 0 : (uint16_t)(1 + bench_draw(materials + 1));
    int32_t at[3];
    for (at[2] = box->lo[2]; at[2] <= box->hi[2]; at[2]++)
        for (at[1] = box->lo[1]; at[1] <= box->hi[1]; at[1]++)
            for (at[0] = box->lo[0]; at[0] <= box->hi[0]; at[0]++)
                if (how && bench_draw(odds) == 0)
                    edit_at(at, how < 4 ? one : draw_material(), light);
}

static void edit_and_judge(uint32_t side, bool is_alone)
{
    struct adit_mesh_box box = draw_box(side);
    edit_box(&box);
    judge(&box, is_alone);
}

/* A kind of volumes.h of 64^3 with planes; terrain's water and leaves are see-through. */
static void take_volume(const char *kind)
{
    static const uint32_t full[3] = { 66, 66, 66 };
    static uint8_t volume[66 * 66 * 66];
    reset(64, 64, 64);
    assert_int_equal(volume_fill(kind, full, 1, 7, volume), 0);
    volume_split(volume, full, 1, bench.voxels, bench.plane);
    for (int f = 0; f < ADIT_FACES; f++)
        bench.source.plane[f] = bench.plane[f];
    bench.classes[4] = ADIT_CLASS_TRANSLUCENT;
    bench.classes[7] = ADIT_CLASS_CUTOUT;
    materials = 8;
    air = 100;
}

/* -- the tests ----------------------------------------------------------------------------------------------------- */

/* (tried: layers lo .. hi alone, or one less of a -A face; what lies around the box not read; a coordinate beyond the chunk not counted;
 * the stop of the last key for that of all; with AO no cells beside the box; light of planes and the rim left out; where materials do not count, those of
 * quads that begin in the box as they were, or of new ones any) */
static void any_edit_of_a_random_chunk_gives_the_whole_mesh(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bench.rng = seed * 1000003 + round;
        if (bench_draw(8) == 0)
            reset(64, 64, 64);
        else if (bench_draw(2))
            reset(1 + bench_draw(20), 1 + bench_draw(20), 1 + bench_draw(20));
        else
            reset(1 + bench_draw(64), 1 + bench_draw(8), 1 + bench_draw(64));
        draw_chunk();
        if (round & 1)
            draw_shade();
        begin();
        for (uint32_t i = 0; i < 6; i++)
            edit_and_judge((uint32_t[]){ 1, 1, 3, 8, 16, 30 }[i], true);
    }
}

/* (tried: stopping as soon as cells and first cells are the same, whichever row they began in, or within the box; heights not taken from the old quads at a
 * stop; quads that end right above the box not open) */
static void hundreds_of_edits_one_after_another(void **state)
{
    static const char *const kinds[] = { "terrain", "flat", "solid", "empty", "menger", "glass", "stripes", "terrain", "flat", "stripes", "terrain" };
    static const uint8_t flags[] = { 0, 0, 0, 0, ADIT_MESH_CULLED, ADIT_MESH_TT_NONE, 0, ADIT_MESH_AO, ADIT_MESH_AO, ADIT_MESH_ANY_OPAQUE,
                                     ADIT_MESH_AO | ADIT_MESH_ANY_OPAQUE };
    (void)state;
    for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bench.rng = seed * 2000003 + k;
        take_volume(kinds[k]);
        bench.source.flags = flags[k];
        begin();
        for (uint32_t i = 0; i < CHAIN; i++)
            edit_and_judge(1 + bench_draw(bench_draw(3) ? 1 : 16), true);
    }
}

/* One voxel, set and taken away again, at places where layers, rows and columns begin and end. (tried: bounds that only grow; faces not
 * counted; the lower of two layers forgotten) */
static void one_voxel_alone_and_gone_again(void **state)
{
    static const uint8_t at[] = { 0, 1, 15, 16, 31, 32, 62, 63 };
    (void)state;
    bench.rng = seed;
    materials = 3;
    for (uint32_t flags = 0; flags < 4; flags++) {
        reset(64, 64, 64);
        bench.source.flags = (uint8_t)flags;
        begin();
        for (uint32_t i = 0; i < 64; i++) {
            int32_t x = at[i % 8], y = at[i / 8], z = at[(i * 3 + i / 8) % 8];
            struct adit_mesh_box box = { .lo = { x, y, z }, .hi = { x, y, z } };
            *voxel(box.lo) = (uint16_t)(1 + i % 3);
            judge(&box, true);
            assert_int_equal(before.faces, 6);
            *voxel(box.lo) = 0;
            judge(&box, true);
            assert_int_equal(before.faces, 0);
            assert_true(before.bounds_lo[0] == 63 && before.bounds_hi[2] == 0);
        }
    }
}

/* A neighbour's edit: a rectangle of a border plane and of the rim, and nothing of the chunk. (tried: planes not read where the box lies in them) */
static void planes_change_alone(void **state)
{
    (void)state;
    bench.rng = seed * 3000017;
    take_volume("terrain");
    bench.source.rim = bench.rim;
    bench.source.flags = ADIT_MESH_AO;
    begin();
    for (uint32_t i = 0; i < CHAIN; i++) {
        uint32_t face = bench_draw(ADIT_FACES), axis = adit_face_axis(face);
        struct adit_mesh_box box = draw_box(8);
        box.lo[axis] = box.hi[axis] = face & 1 ? DIM : -1;
        edit_box(&box);
        judge(&box, true);
    }
}

/* More materials than a slice is made again for one by one: then the whole is meshed, to the same bytes. */
static void many_materials_in_one_box(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        bench.rng = seed * 4000037 + round;
        reset(64, 64, 64);
        materials = 65535;
        air = 0;
        begin();
        struct adit_mesh_box box = { .lo = { 20, 20, 20 }, .hi = { 35, 21, 35 } };
        for (uint32_t i = 0; i < 512; i++)
            *voxel((int32_t[]){ 20 + (int32_t)(i % 16), 20 + (int32_t)(i >> 8), 20 + (int32_t)(i / 16 % 16) }) = draw_material();
        judge(&box, false);
        assert_true(wholes > 0);
    }
}

static void what_is_no_edit_or_no_mesh_is_refused(void **state)
{
    (void)state;
    bench.rng = seed;
    take_volume("terrain");
    begin();
    for (int axis = 0; axis < 3; axis++) {
        for (uint32_t i = 0; i < 4; i++) {
            struct adit_mesh_box box = { .lo = { 5, 5, 5 }, .hi = { 5, 5, 5 } };
            box.lo[axis] = (int32_t[]){ -2, 6, 5, INT32_MIN }[i];
            box.hi[axis] = (int32_t[]){ 5, 5, 65, INT32_MAX }[i];
            struct adit_mesh_result got = mesh(bench.quads, 9, &box, -EINVAL);
            assert_int_equal(got.start[ADIT_MESH_RANGES], 0);
            assert_true(got.bounds_lo[0] == 63 && got.faces == 0);
        }
    }
    struct adit_mesh_box box = { .lo = { 5, 5, 5 }, .hi = { 5, 5, 5 } };
    const struct adit_mesh_result good = before;
    before.start[0] = 1;
    mesh(bench.quads, 9, &box, -EINVAL);
    before = good, before.start[7] = before.start[8] + 1;
    mesh(bench.quads, 9, &box, -EINVAL);
    before = good, before.quads_max = good.start[ADIT_MESH_RANGES] - 1; /* the beginning of a mesh for which there was no room */
    mesh(bench.quads, 9, &box, -EINVAL);
    before = good, before.bounds_hi[1] = 64;
    mesh(bench.quads, 9, &box, -EINVAL);
    before = good, before.quads = NULL;
    mesh(bench.quads, 9, &box, -EINVAL);
    before = good, bench.source.dim[2] = 65;
    mesh(bench.quads, 9, &box, -EINVAL);
    bench.source.dim[2] = 64;
    struct adit_mesh_result result = { .quads = bench.quads, .quads_max = 9 };
    assert_int_equal(adit_mesh_update(NULL, &bench.source, &box, &before, &result), -EINVAL);
    mesh(bench.quads, good.start[ADIT_MESH_RANGES], &box, 0);
}

/* -- old meshes of ill will ---------------------------------------------------------------------------------------- */

/* The update of a mesh that is none: it ends, guards live, and its table is one. */
static void survive(const struct adit_mesh_result *old, uint32_t quads_max, const struct adit_mesh_box *box)
{
    uint64_t *quads = bench.quads + ADIT_MESH_QUADS_MAX - quads_max;
    struct adit_mesh_result result = { .quads = quads, .quads_max = quads_max };
    bench_guard(quads, quads_max);
    int rc = adit_mesh_update(counted, &bench.source, box, old, &result);
    assert_true(rc == 0 || rc == -ENOSPC || rc == -EINVAL);
    bench_assert_guarded(quads, quads_max);
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        assert_true(result.start[r] <= result.start[r + 1]);
    assert_true(result.start[ADIT_MESH_RANGES] <= quads_max || rc == -ENOSPC);
    for (int axis = 0; axis < 3; axis++)
        assert_true(result.bounds_lo[axis] < DIM && result.bounds_hi[axis] < DIM);
}

/* (tried: quads that cover what open ones do taken in; widths not cut at 64: a shift too far) */
static void an_old_mesh_may_be_anything(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < HOSTILE; round++) {
        bench.rng = seed * 5000011 + round;
        if (round % 100 == 0) {
            reset(64, 64, 64);
            draw_chunk();
            draw_shade();
            begin();
        }
        struct adit_mesh_result old = before;
        uint32_t n = old.start[ADIT_MESH_RANGES] < 5000 ? old.start[ADIT_MESH_RANGES] : 5000, how = bench_draw(4);
        uint64_t *quads = bench.expected + ADIT_MESH_QUADS_MAX + BENCH_GUARDS - n; /* nothing is behind the last one */
        for (uint32_t i = 0; i < n; i++) {
            uint64_t noise = (uint64_t)bench_draw(1 << 30) << 34 | (uint64_t)bench_draw(1 << 30) << 4;
            quads[i] = how == 0 ? noise : how == 1 ? before.quads[i] ^ 1ull << bench_draw(64) : how == 2 ? noise % (1u << 30) | 1ull << 30 | 255ull << 46
                     : before.quads[bench_draw(n)];
        }
        old.quads = quads;
        old.quads_max = n;
        for (uint32_t r = 0; r <= ADIT_MESH_RANGES; r++)
            old.start[r] = how == 1 && old.start[r] <= n ? old.start[r] : r * n / ADIT_MESH_RANGES;
        old.start[ADIT_MESH_RANGES] = n;
        if (bench_draw(8) == 0)
            old.start[bench_draw(ADIT_MESH_RANGES + 1)] = bench_draw(2) ? bench_draw(n + 2) : bench_draw(UINT32_MAX);
        struct adit_mesh_box box = draw_box(16);
        survive(&old, bench_draw(3) ? 100000 : bench_draw(n + 1), &box);
    }
}

/* One slice of more quads than it has cells. (tried: no limit, and the copy of the slice ran over) */
static void a_slice_may_be_too_long(void **state)
{
    (void)state;
    bench.rng = seed;
    take_volume("terrain");
    begin();
    enum { N = 100000 };
    struct adit_mesh_result old = before;
    old.quads = bench.expected + ADIT_MESH_QUADS_MAX + BENCH_GUARDS - N;
    old.quads_max = N;
    for (uint32_t i = 0; i < N; i++)
        old.quads[i] = adit_quad_pack(5, 5, 5, 1 + i % 64, 1 + i % 59, 1 + i % 3, ADIT_QUAD_AO_OPEN);
    for (uint32_t r = 0; r <= ADIT_MESH_RANGES; r++)
        old.start[r] = r * (N / ADIT_MESH_RANGES);
    struct adit_mesh_box box = { .lo = { 5, 5, 5 }, .hi = { 5, 5, 5 } };
    *voxel(box.lo) = 0;
    survive(&old, 100000, &box);
}

/* A peer writes the old quads and the voxels all the while. It is a process, so that ThreadSanitizer has nothing to say. */
static void an_old_mesh_may_change_meanwhile(void **state)
{
    (void)state;
    bench.rng = seed;
    take_volume("terrain");
    begin();
    uint32_t n = before.start[ADIT_MESH_RANGES];
    pid_t peer = fork();
    assert_true(peer >= 0);
    if (!peer) {
        for (uint32_t i = 0; getppid() != 1 && i < 2000000000; i++) {
            before.quads[bench_draw(n)] = (uint64_t)bench_draw(1 << 30) << (i & 32);
            bench.voxels[bench_draw(ADIT_CHUNK_VOXELS)] = (uint16_t)bench_draw(9);
        }
        _exit(0);
    }
    for (uint32_t i = 0; i < HOSTILE; i++) {
        struct adit_mesh_box box = draw_box(8);
        survive(&before, n + 100, &box);
    }
    kill(peer, SIGKILL);
    assert_int_equal(waitpid(peer, NULL, 0), peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_edit_of_a_random_chunk_gives_the_whole_mesh),
        cmocka_unit_test(hundreds_of_edits_one_after_another),
        cmocka_unit_test(one_voxel_alone_and_gone_again),
        cmocka_unit_test(planes_change_alone),
        cmocka_unit_test(many_materials_in_one_box),
        cmocka_unit_test(what_is_no_edit_or_no_mesh_is_refused),
        cmocka_unit_test(an_old_mesh_may_be_anything),
        cmocka_unit_test(a_slice_may_be_too_long),
        cmocka_unit_test(an_old_mesh_may_change_meanwhile),
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, bench_open, NULL);
}
