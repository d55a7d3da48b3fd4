/* scene_kinds.c - the built-in kinds of tasks (runtime/adit_kinds.h): submitted to a thread on the other CPU and waited for, against the same function called in place on memory of this
 * process. What lies between is what a task costs: the way there and back, shadow blocks that are zeroed, and input that lies in the other CPU's cache, or in none. One at a time, so a
 * short kind is better called in place, and for a long one it makes no difference. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/scenes.h"
#include "runtime/dirty.h"
#include "runtime/kinds.h"
#include "runtime/store.h"

#define VOXELS_BYTES (ADIT_CHUNK_VOXELS * 2u)
#define IMAGES 64u
#define IMAGE_BYTES (32u * 32u * 4u)

struct lab {
    struct adit_arena *arena;
    struct adit_queue *queue;
    uint32_t chunk; /* in the store */
    uint16_t voxels[ADIT_CHUNK_VOXELS];
    float samples[65536];
    uint8_t packed[ADIT_CHUNK_VOXELS * 2 + 8192], encoded[ADIT_ENCODE_BYTES_MAX], image[512 * 512 * 4], images[IMAGES * (sizeof(struct adit_atlas_image) + IMAGE_BYTES)];
    uint64_t packed_bytes;
};

/* One kind with its arguments, as a task and in place. */
struct way {
    struct lab *lab;
    const char *figure, *kind;
    adit_kind_run *run;
    const void *args;
    uint32_t args_bytes, buffers_n;
    struct {
        const void *from; /* NULL: it is written */
        uint64_t bytes;
    } buffer[3];
    bool is_of_dirty; /* the chunk is marked dirty before each */
    struct adit_task_spec spec;
    struct adit_use uses[3];
    struct adit_task_run here;
};

static void mark(const struct way *w)
{
    if (w->is_of_dirty)
        adit_dirty_mark(w->lab->arena, w->lab->chunk);
}

static double task_block(void *context, uint64_t rounds)
{
    struct way *w = context;
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        mark(w);
        error = adit_submit(w->lab->queue, &w->spec, &task);
        if (!error)
            error = adit_wait(w->lab->queue, task, ADIT_FOR_EVER, &r);
        error = error ? error : r.status;
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double here_block(void *context, uint64_t rounds)
{
    struct way *w = context;
    uint8_t result[ADIT_TASK_DATA_BYTES] __attribute__((aligned(16)));
    uint32_t result_bytes;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        mark(w);
        error = w->run(&w->here, w->args, result, &result_bytes);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

/* Its buffers, in the arena and here; until the process ends. */
static int make_buffers(struct way *w)
{
    static const uint64_t word;
    static const uint32_t stop;
    static uint64_t progress;
    int error = adit_kind_find(w->lab->arena, w->kind, &w->spec.kind);
    w->here = (struct adit_task_run){.arena = w->lab->arena, .args_bytes = w->args_bytes, .attempt = 1, .buffers_n = w->buffers_n, .word = &word, .stop = &stop, .progress = &progress};
    for (uint32_t i = 0; i < w->buffers_n && !error; i++) {
        enum adit_access access = w->buffer[i].from ? ADIT_READ : ADIT_WRITE;
        uint8_t *memory = aligned_alloc(64, (w->buffer[i].bytes + 63) / 64 * 64);
        if (!memory)
            return -ENOMEM;
        memset(memory, 0, w->buffer[i].bytes);
        if (w->buffer[i].from)
            memcpy(memory, w->buffer[i].from, w->buffer[i].bytes);
        w->here.buffers[i] = (struct adit_task_buffer){memory, w->buffer[i].bytes, access};
        w->uses[i].access = access;
        error = adit_buffer_create(w->lab->arena, w->buffer[i].bytes, memory, &w->uses[i].buffer);
    }
    w->spec = (struct adit_task_spec){.size = sizeof w->spec, .kind = w->spec.kind, .args = w->args, .args_bytes = w->args_bytes, .uses = w->uses, .uses_n = w->buffers_n};
    return error;
}

static int measure(struct bench *bench, struct way *w)
{
    int error = make_buffers(w);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = w->figure, .unit = "us", .scale = 1e-3, .ours = {"as a task", task_block, w}, .raw = {"in place", here_block, w}});
    return error;
}

/* A chunk of terrain, published and here, and what is made from it. */
static int fill(struct lab *lab)
{
    static const struct adit_key key = {.x = 0};
    static const struct adit_generate_args made = {.generator = "terrain", .seed = 1};
    uint8_t result[ADIT_TASK_DATA_BYTES] __attribute__((aligned(16)));
    uint32_t result_bytes;
    uint64_t packed, version;
    struct adit_task_run run = {.arena = lab->arena};
    int error = adit_kind_generate(&run, &made, result, &result_bytes);
    if (!error)
        error = adit_kind_read_chunk(lab->arena, &key, lab->voxels, &version);
    if (!error && (!adit_key_try(&key, &packed) || !adit_store_find(lab->arena, packed, &lab->chunk)))
        error = -ENOENT;
    const struct adit_compress_args lz4 = {.codec = ADIT_CODEC_LZ4};
    run.buffers_n = 2;
    run.buffers[0] = (struct adit_task_buffer){lab->voxels, VOXELS_BYTES, ADIT_READ};
    run.buffers[1] = (struct adit_task_buffer){lab->packed, sizeof lab->packed, ADIT_WRITE};
    if (!error)
        error = adit_kind_compress(&run, &lz4, result, &result_bytes);
    memcpy(&lab->packed_bytes, result, sizeof lab->packed_bytes);
    run.buffers[1] = (struct adit_task_buffer){lab->encoded, sizeof lab->encoded, ADIT_WRITE};
    if (!error)
        error = adit_kind_encode(&run, NULL, result, &result_bytes);
    struct adit_atlas_image *list = (struct adit_atlas_image *)(void *)lab->images;
    for (uint32_t i = 0; i < IMAGES; i++)
        list[i] = (struct adit_atlas_image){32, 32, IMAGES * sizeof *list + i * IMAGE_BYTES};
    for (uint32_t i = 0; i < 65536; i++)
        lab->samples[i] = (float)(i * 7919 % 1000) / 1000;
    return error;
}

static int measure_all(struct bench *bench, struct lab *lab)
{
    static const struct adit_fft_args fft_512 = {.points = 512}, fft_64k = {.points = 65536};
    static const struct adit_compress_args lz4 = {.codec = ADIT_CODEC_LZ4}, zstd = {.codec = ADIT_CODEC_ZSTD};
    static const struct adit_generate_args again = {.generator = "terrain", .seed = 1};
    static const struct adit_mesh_args mesh;
    static const struct adit_cull_args cull;
    static const struct adit_lod_args lod;
    static const struct adit_raycast_args ray = {.origin = {3.5, 127.5, 3.5}, .direction = {0.5f, -1, 0.3f}, .distance_max = 256};
    static const struct adit_box_args box = {.hi = {63, 63, 63}, .mode = ADIT_BOX_COUNT};
    static const struct adit_mip_args mip = {.width = 512, .height = 512};
    static const struct adit_atlas_args atlas = {.images = IMAGES, .width = 300, .height = 300, .margin = 2};
    const struct adit_decompress_args back = {.codec = ADIT_CODEC_LZ4, .bytes = lab->packed_bytes};
#define ARGS(a) .args = &(a), .args_bytes = sizeof(a)
    struct way ways[] = {
        {.figure = "fft of 512", .kind = "adit.fft", .run = adit_kind_fft, ARGS(fft_512), .buffers_n = 2, .buffer = {{lab->samples, 2048}, {NULL, 2048}}},
        {.figure = "fft of 65,536", .kind = "adit.fft", .run = adit_kind_fft, ARGS(fft_64k), .buffers_n = 2, .buffer = {{lab->samples, 262144}, {NULL, 262144}}},
        {.figure = "terrain to LZ4", .kind = "adit.compress", .run = adit_kind_compress, ARGS(lz4), .buffers_n = 2, .buffer = {{lab->voxels, VOXELS_BYTES}, {NULL, sizeof lab->packed}}},
        {.figure = "terrain to zstd", .kind = "adit.compress", .run = adit_kind_compress, ARGS(zstd), .buffers_n = 2, .buffer = {{lab->voxels, VOXELS_BYTES}, {NULL, sizeof lab->packed}}},
        {.figure = "terrain from LZ4", .kind = "adit.decompress", .run = adit_kind_decompress, ARGS(back), .buffers_n = 2, .buffer = {{lab->packed, sizeof lab->packed}, {NULL, VOXELS_BYTES}}},
        {.figure = "terrain encoded", .kind = "adit.encode", .run = adit_kind_encode, .buffers_n = 2, .buffer = {{lab->voxels, VOXELS_BYTES}, {NULL, ADIT_ENCODE_BYTES_MAX}}},
        {.figure = "terrain decoded", .kind = "adit.decode", .run = adit_kind_decode, .buffers_n = 2, .buffer = {{lab->encoded, ADIT_ENCODE_BYTES_MAX}, {NULL, VOXELS_BYTES}}},
        {.figure = "terrain generated, found there", .kind = "adit.generate", .run = adit_kind_generate, ARGS(again)},
        {.figure = "terrain meshed", .kind = "adit.mesh", .run = adit_kind_mesh, ARGS(mesh), .is_of_dirty = true},
        {.figure = "faces of terrain counted", .kind = "adit.cull", .run = adit_kind_cull, ARGS(cull)},
        {.figure = "terrain halved", .kind = "adit.lod", .run = adit_kind_lod, ARGS(lod), .buffers_n = 1, .buffer = {{NULL, VOXELS_BYTES / 8}}},
        {.figure = "a ray to the ground", .kind = "adit.raycast", .run = adit_kind_raycast, ARGS(ray)},
        {.figure = "a box of 64^3 counted", .kind = "adit.box", .run = adit_kind_box, ARGS(box)},
        {.figure = "levels of 512 x 512", .kind = "adit.mip", .run = adit_kind_mip, ARGS(mip), .buffers_n = 2, .buffer = {{lab->image, sizeof lab->image}, {NULL, sizeof lab->image / 2}}},
        {.figure = "atlas of 64 images", .kind = "adit.atlas", .run = adit_kind_atlas, ARGS(atlas), .buffers_n = 3,
         .buffer = {{lab->images, sizeof lab->images}, {NULL, 300 * 300 * 4}, {NULL, IMAGES * sizeof(struct adit_atlas_place)}}},
    };
#undef ARGS
    int error = 0;
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways && !error; i++) {
        ways[i].lab = lab;
        error = measure(bench, &ways[i]);
    }
    return error;
}

static int run(struct bench *bench)
{
    static const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    static const struct adit_pool_params one_worker = {.size = sizeof one_worker, .workers = 1};
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_pool *pool; /* until the process ends */
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return -ENOMEM;
    lab_arena_name(name);
    int error = lab_arena_create(bench, name, NULL, &lab->arena);
    if (!error)
        error = adit_kinds_register_builtin(lab->arena);
    if (!error)
        error = adit_queue_open(lab->arena, "kinds", &fifo, &lab->queue);
    if (!error)
        error = bench_pin(bench->machine->cpu[1]);
    if (!error)
        error = adit_pool_open(lab->queue, &one_worker, &pool);
    int back = bench_pin(bench->machine->cpu[0]);
    error = error ? error : back;
    if (!error)
        error = fill(lab);
    return error ? error : measure_all(bench, lab);
}

const struct scene scene_kinds = {
    .name = "kinds",
    .what = "built-in kinds of tasks, by a thread on the other CPU and called in place",
    .unit = "us",
    .goal = "",
    .cpus = 2,
    .run = run,
};
