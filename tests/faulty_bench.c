#include "tests/faulty_bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu/generate_batch.h"
#include "gpu/lod_batch.h"
#include "runtime/adit.h"

#define TOO_LONG_S 200u

struct adit_gpu_list *bench_list;
struct adit_gpu_device *bench_sound, *bench_faulty;
uint8_t bench_classes[ADIT_MATERIALS];
struct gpu_chunk bench_chunk, bench_crowded;
uint32_t bench_left, bench_complaints;

static uint16_t voxels[ADIT_CHUNK_VOXELS], halved[ADIT_LOD_BATCH_VOXELS];
static uint64_t *quads;
static struct adit_mesh_result mesh, crowded; /* in quads */

/* ---- batches of every kind */

static void *mesh_open(struct adit_gpu *gpu)
{
    struct adit_mesh_batch *b;
    return adit_mesh_batch_open(gpu, bench_classes, 1, BENCH_SOURCE_BYTES, &b) ? NULL : b;
}

static void *generate_open(struct adit_gpu *gpu)
{
    struct adit_generate_batch *b;
    return adit_generate_batch_open(gpu, 1, &b) ? NULL : b;
}

static void *lod_open(struct adit_gpu *gpu)
{
    struct adit_lod_batch *b;
    return adit_lod_batch_open(gpu, 1, BENCH_SOURCE_BYTES, &b) ? NULL : b;
}

static int mesh_fill(void *b)
{
    adit_mesh_batch_begin(b);
    return adit_mesh_batch_add(b, &bench_chunk.task);
}

static int crowded_fill(void *b)
{
    adit_mesh_batch_begin(b);
    return adit_mesh_batch_add(b, &bench_crowded.task);
}

static int generate_fill(void *b)
{
    adit_generate_batch_begin(b);
    return adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 1, 1, 0);
}

static int lod_fill(void *b)
{
    adit_lod_batch_begin(b);
    return adit_lod_batch_add(b, bench_chunk.task.version, bench_chunk.task.bytes);
}

static int mesh_submit(void *b) { return adit_mesh_batch_submit(b); }
static int generate_submit(void *b) { return adit_generate_batch_submit(b); }
static int lod_submit(void *b) { return adit_lod_batch_submit(b); }
static int mesh_wait(void *b, uint64_t ns) { return adit_mesh_batch_wait(b, ns); }
static int generate_wait(void *b, uint64_t ns) { return adit_generate_batch_wait(b, ns); }
static int lod_wait(void *b, uint64_t ns) { return adit_lod_batch_wait(b, ns); }

static void mesh_close(void *batch)
{
    struct adit_mesh_batch *b = batch;
    adit_mesh_batch_close(&b);
}

static void generate_close(void *batch)
{
    struct adit_generate_batch *b = batch;
    adit_generate_batch_close(&b);
}

static void lod_close(void *batch)
{
    struct adit_lod_batch *b = batch;
    adit_lod_batch_close(&b);
}

static int judge(const void *b, const struct adit_mesh_result *want)
{
    struct adit_mesh_result got;
    adit_mesh_batch_result(b, 0, &got);
    if (!got.quads)
        return 0;
    bool same = !memcmp(got.start, want->start, sizeof got.start) && got.faces == want->faces &&
                !memcmp(got.quads, want->quads, want->start[ADIT_MESH_RANGES] * sizeof *quads);
    return same ? 1 : -1;
}

static int mesh_judge(const void *b) { return judge(b, &mesh); }
static int crowded_judge(const void *b) { return judge(b, &crowded); }

static int generate_judge(const void *b)
{
    const uint16_t *got;
    adit_generate_batch_result(b, 0, &got);
    return !got ? 0 : !memcmp(got, voxels, sizeof voxels) ? 1 : -1;
}

static int lod_judge(const void *b)
{
    const uint16_t *got;
    adit_lod_batch_result(b, 0, &got);
    return !got ? 0 : !memcmp(got, halved, ADIT_LOD_BATCH_VOXELS * sizeof *got) ? 1 : -1;
}

const struct bench_kind bench_kinds[BENCH_KINDS] = {
    {mesh_open, mesh_fill, mesh_submit, mesh_wait, mesh_judge, mesh_close, 2}, /* the second brings quads */
    {mesh_open, crowded_fill, mesh_submit, mesh_wait, crowded_judge, mesh_close, 3},
    {generate_open, generate_fill, generate_submit, generate_wait, generate_judge, generate_close, 1},
    {lod_open, lod_fill, lod_submit, lod_wait, lod_judge, lod_close, 1},
};

void *bench_open_filled(const struct bench_kind *k, struct adit_gpu *gpu)
{
    void *b = k->open(gpu);
    assert_non_null(b);
    assert_int_equal(k->fill(b), 0);
    return b;
}

void bench_works(struct adit_gpu *gpu)
{
    for (const struct bench_kind *k = bench_kinds; k < bench_kinds + BENCH_KINDS; k++) {
        void *b = bench_open_filled(k, gpu);
        assert_int_equal(k->submit(b), 0);
        assert_int_equal(k->wait(b, BENCH_WAIT_NS), 0);
        assert_int_equal(k->judge(b), 1);
        k->close(b);
    }
}

/* ---- devices */

static void find_devices(void)
{
    bench_faulty = &bench_list->devices[strncmp(bench_list->devices[0].name, "faulty ", 7) != 0];
    bench_sound = &bench_list->devices[bench_list->n > 1 && bench_faulty == bench_list->devices];
}

void bench_reopen(const char *fault)
{
    bench_complaints += bench_list->vk.complaints;
    adit_gpu_list_close(&bench_list);
    faulty_driver_break(fault);
    assert_int_equal(adit_gpu_list_open(&bench_list), 0);
    find_devices();
}

struct adit_gpu *bench_open(const char *fault)
{
    struct adit_gpu *gpu;
    faulty_driver_break(fault);
    assert_int_equal(adit_gpu_open(bench_list, bench_faulty, &gpu), 0);
    return gpu;
}

struct adit_gpu *bench_open_at(const char *fault, uint32_t n, uint32_t more)
{
    char text[64];
    snprintf(text, sizeof text, "%s:%u:%u", fault, n, more);
    return bench_open(text);
}

void bench_assert_detail(const char *what)
{
    const char *line = adit_detail();
    if (!strstr(line, bench_faulty->name) || !strstr(line, what) || strchr(line, '\n'))
        fail_msg("\"%s\" does not say \"%s\" of \"%s\"", line, what, bench_faulty->name);
}

/* ---- around */

void bench_drivers(void)
{
    static char drivers[800];
    const char *faulty = faulty_driver_manifest("");
    snprintf(drivers, sizeof drivers, "%s:%s", faulty ? faulty : "", gpu_test_driver() ? gpu_test_driver() : "");
    gpu_use_drivers(faulty ? drivers : NULL);
}

int bench_before(void **state)
{
    (void)state;
    (void)alarm(TOO_LONG_S);
    faulty_driver_break("");
    if (adit_gpu_list_open(&bench_list) || bench_list->n != 2)
        return -1;
    find_devices();
    return 0;
}

int bench_after(void **state)
{
    (void)state;
    bench_complaints += bench_list->vk.complaints;
    adit_gpu_list_close(&bench_list);
    uint32_t live = faulty_driver_live();
    if (live != bench_left)
        print_error("%u objects of the device are there, not %u\n", live, bench_left);
    return live != bench_left ? -1 : 0;
}

static int mesh_of(const uint16_t *of, uint64_t *into, struct adit_mesh_result *out)
{
    const struct adit_mesh_source s = {.voxels = of, .classes = bench_classes, .dim = {64, 64, 64}};
    *out = (struct adit_mesh_result){.quads = into, .quads_max = ADIT_MESH_QUADS_MAX};
    return adit_mesh_scalar(&s, out);
}

int bench_set_up(void **state)
{
    static uint16_t checker[ADIT_CHUNK_VOXELS];
    uint16_t *none[ADIT_FACES] = {0};
    (void)state;
    adit_generate(adit_generator_named("terrain"), 1, 1, 1, 0, voxels);
    adit_generate(adit_generator_named("checker"), 1, 0, 0, 0, checker);
    memset(bench_classes, ADIT_CLASS_OPAQUE, sizeof bench_classes);
    bench_classes[0] = ADIT_CLASS_AIR;
    gpu_chunk_make(&bench_chunk, voxels, none, bench_classes, 0);
    gpu_chunk_make(&bench_crowded, checker, none, bench_classes, 0);
    quads = malloc(2 * ADIT_MESH_QUADS_MAX * sizeof *quads);
    const struct adit_lod_halving h = {.from = voxels, .to = halved, .to_row = 32, .to_layer = 32 * 32, .dim = {64, 64, 64}};
    return !quads || mesh_of(voxels, quads, &mesh) || mesh_of(checker, quads + ADIT_MESH_QUADS_MAX, &crowded) || adit_lod_scalar(&h) ? -1 : 0;
}

int bench_tear_down(void **state)
{
    (void)state;
    gpu_chunk_free(&bench_chunk);
    gpu_chunk_free(&bench_crowded);
    free(quads);
    return 0;
}
