/* test_lab_chunks.c - the chunks that perf-lab's scenes mesh are what they say: the 62^3 inside a volume with its neighbours as planes, and a kept chunk
 * that of its source, in both forms. Judged by faces counted one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "perf/lab_chunks.h"
#include "perf/peer_worlds.h"

static uint16_t volume[ADIT_CHUNK_VOXELS];
static uint8_t classes[ADIT_MATERIALS];
static struct adit_mesh_result result;

static uint16_t at(int x, int y, int z)
{
    return volume[(z * 64 + y) * 64 + x];
}

/* A third of the voxels solid, of three materials, all different in place, so that no two sides are alike. */
static void fill_volume(void)
{
    uint64_t state = 7;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        volume[i] = (uint16_t)((state >> 40) % 9 < 3 ? 1 + (state >> 50) % 3 : 0);
    }
}

static int clamp(int v)
{
    return v < 0 ? 0 : v > 63 ? 63 : v;
}

/* Faces by direction of the voxels low..high of the volume; beyond it, the outermost layer goes on. */
static void count_faces(int low, int high, uint32_t faces[ADIT_FACES])
{
    memset(faces, 0, ADIT_FACES * sizeof *faces);
    for (int z = low; z <= high; z++)
        for (int y = low; y <= high; y++)
            for (int x = low; x <= high; x++)
                for (int face = 0; face < ADIT_FACES; face++) {
                    int next[3] = {x, y, z};
                    next[face >> 1] = clamp(next[face >> 1] + (face & 1 ? 1 : -1));
                    faces[face] += at(x, y, z) && !at(next[0], next[1], next[2]);
                }
}

static void mesh(const struct adit_mesh_source *source, uint32_t faces[ADIT_FACES])
{
    assert_int_equal(adit_mesh_scalar(source, &result), 0);
    memset(faces, 0, ADIT_FACES * sizeof *faces);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++)
        for (uint32_t q = result.start[range]; q < result.start[range + 1]; q++)
            faces[range / ADIT_MESH_CLASSES] += adit_quad_w(result.quads[q]) * adit_quad_h(result.quads[q]);
}

/* By direction: planes of two sides changed for each other are seen. (tried: the shell taken from layer 1; u and v of a plane swapped) */
static void a_cut_has_the_faces_of_its_inside(void **state)
{
    (void)state;
    struct lab_chunk *chunk;
    uint32_t wanted[ADIT_FACES], got[ADIT_FACES];
    fill_volume();
    assert_int_equal(lab_chunk_cut(&chunk, volume, classes), 0);
    count_faces(1, 62, wanted);
    mesh(&chunk->plain, got);
    assert_memory_equal(got, wanted, sizeof got);
    count_faces(0, 63, wanted);
    mesh(&chunk->published, got);
    assert_memory_equal(got, wanted, sizeof got);
    lab_chunk_free(chunk);
}

static void a_kept_chunk_gives_the_mesh_of_its_source(void **state)
{
    (void)state;
    struct voxels_source *source = aligned_alloc(64, (sizeof *source + 63) & ~(size_t)63);
    uint64_t *wanted = malloc(ADIT_MESH_QUADS_MAX * sizeof *wanted);
    assert_non_null(source);
    assert_non_null(wanted);
    for (uint32_t i = 0; i < 3; i++) { /* hills, terrain, hills and sky */
        struct lab_chunk *chunk;
        assert_int_equal(voxels_source_fill_at(source, &voxels_inputs[i], 3, 5), 0);
        assert_int_equal(adit_mesh_scalar(&source->mesh, &result), 0);
        uint32_t n = result.start[ADIT_MESH_RANGES];
        memcpy(wanted, result.quads, n * sizeof *wanted);
        assert_int_equal(lab_chunk_keep(&chunk, source), 0);
        const struct adit_mesh_source *forms[] = {&chunk->plain, &chunk->published};
        for (int form = 0; form < 2; form++) {
            assert_int_equal(adit_mesh_scalar(forms[form], &result), 0);
            assert_int_equal(result.start[ADIT_MESH_RANGES], n);
            assert_memory_equal(result.quads, wanted, n * sizeof *wanted);
        }
        lab_chunk_free(chunk);
    }
    free(wanted);
    free(source);
}

/* Chunks beside each other are pieces of one world: what one has for a neighbour is the other. (tried: hills, and the planes of terrain, without their place) */
static void chunks_of_an_input_are_neighbours(void **state)
{
    (void)state;
    static const char *const inputs[] = {"hills", "terrain"};
    uint8_t *of_input = malloc(ADIT_MATERIALS);
    assert_non_null(of_input);
    for (int i = 0; i < 2; i++) {
        struct lab_chunk **chunks;
        assert_int_equal(lab_chunks_of_input(inputs[i], 2, of_input, &chunks), 0);
        for (int v = 0; v < 64; v++)
            for (int u = 0; u < 64; u++) {
                assert_int_equal(chunks[0]->planes[ADIT_FACE_PX][v * 64 + u], chunks[1]->voxels[(v * 64 + u) * 64]);
                assert_int_equal(chunks[1]->planes[ADIT_FACE_NX][v * 64 + u], chunks[0]->voxels[(v * 64 + u) * 64 + 63]);
            }
        assert_memory_not_equal(chunks[0]->voxels, chunks[1]->voxels, sizeof chunks[0]->voxels);
        lab_chunks_free(chunks, 2);
    }
    free(of_input);
}

/* (tried: the remainder by 256) */
static void no_material_folds_to_air(void **state)
{
    (void)state;
    assert_int_equal(peer_material(0), 0);
    for (uint32_t m = 1; m < ADIT_MATERIALS; m++) {
        assert_in_range(peer_material((uint16_t)m), 1, 255);
        if (m <= 255)
            assert_int_equal(peer_material((uint16_t)m), m);
    }
}

static int prepare(void **state)
{
    (void)state;
    memset(classes, ADIT_CLASS_OPAQUE, sizeof classes);
    classes[0] = ADIT_CLASS_AIR;
    result = (struct adit_mesh_result){.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)), .quads_max = ADIT_MESH_QUADS_MAX};
    return result.quads ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    free(result.quads);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_has_the_faces_of_its_inside),
        cmocka_unit_test(a_kept_chunk_gives_the_mesh_of_its_source),
        cmocka_unit_test(chunks_of_an_input_are_neighbours),
        cmocka_unit_test(no_material_folds_to_air),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
