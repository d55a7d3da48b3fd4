/* mesh_bench.h - what tests of mesh kernels lay out: a chunk with all that belongs to it, in fenced memory that children share, and judges for it.
 *
 *     bench_open();
 *     bench_reset(64, 64, 64);
 *     *bench_voxel(1, 2, 3) = 7;
 *     bench_judge();                    all kernels, the definition, the published form
 */
#ifndef ADIT_TESTS_MESH_BENCH_H
#define ADIT_TESTS_MESH_BENCH_H

#include <stdbool.h>

#include "runtime/encoding.h"
#include "tests/fenced.h"
#include "tests/mesh_defined.h"

enum { BENCH_GUARDS = 8, BENCH_KERNELS = 3 };
#define BENCH_GUARD 0x5ca1ab1e0ddba115u /* what stands behind quads */

/* The definition judges volumes of up to so many voxels; a test of random ones does so many rounds. Under ThreadSanitizer such a program takes a minute and
 * finds nothing that the other builds do not: there it does less. */
#ifdef __SANITIZE_THREAD__
enum { BENCH_JUDGED_MAX = 1024, BENCH_ROUNDS = 12 };
#elif defined __SANITIZE_ADDRESS__ /* each access is seen many times over */
enum { BENCH_JUDGED_MAX = ADIT_CHUNK_VOXELS, BENCH_ROUNDS = 40 };
#else
enum { BENCH_JUDGED_MAX = ADIT_CHUNK_VOXELS, BENCH_ROUNDS = 120 };
#endif

extern struct mesh_bench {
    uint16_t *voxels, *plane[ADIT_FACES], *light, *light_plane[ADIT_FACES];
    struct adit_mesh_rim *rim;
    uint8_t *classes;
    uint64_t *quads, *expected, *old;   /* ADIT_MESH_QUADS_MAX and guards each */
    uint8_t *block;                     /* ADIT_ENCODED_BYTES_MAX: an encoded chunk ends where it ends */
    struct adit_encode_plan *plan;
    struct adit_voxels encoded;
    struct adit_mesh_source source;
    uint64_t rng;
} bench;
extern const char *const bench_kernels[BENCH_KERNELS];

/* Takes all that memory; once. A group's set-up of cmocka. */
int bench_open(void **state);

/* A number in 0..below-1, from bench.rng. */
uint32_t bench_draw(uint32_t below);
/* A material to draw from: of few or many, small or large, air n_air times of 256. */
uint16_t bench_draw_material(uint32_t ids, uint32_t base, uint32_t n_air);
/* What lies diagonal to the volume, and light in boxes or of each voxel. */
void bench_draw_shade(void);

/* A fresh source: no voxels, no planes, all materials opaque. */
void bench_reset(uint32_t x, uint32_t y, uint32_t z);
uint16_t *bench_voxel(uint32_t x, uint32_t y, uint32_t z);
/* The chunk of bench.source in its published form, at the end of what may be read. */
void bench_encode(void);

/* Guard words from quads + quads_max on, and whether they live. */
void bench_guard(uint64_t *quads, uint32_t quads_max);
void bench_assert_guarded(const uint64_t *quads, uint32_t quads_max);
/* Meshes into quads with room for quads_max, over a soiled stack, and sees that the guards behind them live. */
struct adit_mesh_result bench_mesh(adit_mesh_kernel *kernel, uint64_t *quads, uint32_t quads_max, int expected_rc);

/* All kernels give want on bench.source, also with too little room in several ways. */
void bench_judge_kernels(const struct adit_mesh_result *want);
/* Judges all kernels on bench.source: by each other, the definition (fully: if it is wanted), with too little room, and a whole chunk once more in its
 * published form. */
void bench_judge(void);
void bench_judge_fully(bool by_definition);
/* Each flag is set and not set: sixteen times, four times for a large volume. */
void bench_judge_with_all_flags(void);

#endif
