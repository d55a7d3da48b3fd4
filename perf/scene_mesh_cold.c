/* scene_mesh_cold.c - what a chunk costs that has not been meshed a moment ago: many chunks in turn, whose voxels lie in no near cache and whose shape no
 * predictor knows, and the same with their voxels in DRAM; each beside the same chunk meshed four times running, of which the last is timed.
 * Dropping lines from the caches leaves their pages in the TLB, so "from DRAM" may take less than "in turn" where L3 is far away.
 * And the published form beside unpacking it first. One thread, the best kernel. The quads go to one buffer, which stays warm, as do the classes. */
#include <errno.h>
#include <stdlib.h>

#include "perf/flush.h"
#include "perf/lab_chunks.h"
#include "perf/scenes.h"

enum {
    CHUNKS = 200,      /* hills: some 4 MiB published without planes; 100 MiB plain */
    WARMING_TIMES = 3
};

enum before { NOTHING, WARM, FLUSH };
enum form { PUBLISHED, PLAIN, UNPACKED };

struct lot {
    struct lab_chunk **chunks;
    uint32_t next; /* of both sides of a figure: no side finds a chunk that the other has just brought near */
    uint16_t *unpacked;
    uint8_t *classes;
    adit_mesh_kernel *kernel;
    struct adit_mesh_result result;
};

/* A side of a figure. */
struct turn {
    struct lot *lot;
    enum form form;
    enum before before;
};

static int mesh(struct lot *lot, const struct lab_chunk *chunk, enum form form)
{
    struct adit_mesh_source source = form == PUBLISHED ? chunk->published : chunk->plain;
    if (form == UNPACKED) {
        if (!adit_decode_chunk_within(chunk->block, chunk->block_bytes, lot->unpacked))
            return -EBADMSG;
        source.voxels = lot->unpacked;
    }
    return lot->kernel(&source, &lot->result);
}

static int prepare(const struct turn *turn, const struct lab_chunk *chunk)
{
    int error = 0;
    for (int i = 0; turn->before == WARM && i < WARMING_TIMES; i++)
        error |= mesh(turn->lot, chunk, turn->form);
    if (turn->before == FLUSH) {
        if (turn->form == PLAIN)
            flush_lines(chunk->voxels, sizeof chunk->voxels);
        else
            flush_lines(chunk->block, chunk->block_bytes);
        flush_lines(chunk->planes, sizeof chunk->planes);
        flush_lines(chunk, sizeof chunk->plain + sizeof chunk->published);
        flush_lines(&chunk->encoded, sizeof chunk->encoded);
    }
    return error;
}

/* Each chunk is timed by itself, all sides alike: what prepares it must not count. */
static double turn_block(void *context, uint64_t rounds)
{
    struct turn *turn = context;
    double sum = 0;
    int error = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        const struct lab_chunk *chunk = turn->lot->chunks[turn->lot->next];
        turn->lot->next = (turn->lot->next + 1) % CHUNKS;
        error |= prepare(turn, chunk);
        double from = clock_now_ns();
        error |= mesh(turn->lot, chunk, turn->form);
        sum += clock_now_ns() - from;
    }
    return error ? -EIO : sum / (double)rounds;
}

static const struct row {
    const char *name;
    enum form form;
    enum before before;
    const char *raw_name;
    enum form raw_form;
    enum before raw_before;
} rows[] = {
    {"in turn", PUBLISHED, NOTHING, "just meshed", PUBLISHED, WARM},
    {"from DRAM", PUBLISHED, FLUSH, "just meshed", PUBLISHED, WARM},
    {"plain, in turn", PLAIN, NOTHING, "just meshed", PLAIN, WARM},
    {"plain, from DRAM", PLAIN, FLUSH, "just meshed", PLAIN, WARM},
    {"against unpacking", PUBLISHED, NOTHING, "unpack + plain", UNPACKED, NOTHING},
};

static int measure(struct bench *bench, struct lot *lot, const char *input)
{
    size_t published = 0, quads = 0;
    char note[96];
    int error = 0;
    for (uint32_t i = 0; i < CHUNKS && !error; i++) {
        error = mesh(lot, lot->chunks[i], PUBLISHED);
        published += lot->chunks[i]->block_bytes;
        quads += lot->result.start[ADIT_MESH_RANGES];
    }
    snprintf(note, sizeof note, "%d chunks of %zu KiB published and %zu quads on average", CHUNKS, published / CHUNKS >> 10, quads / CHUNKS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !error; i++) {
        const struct row *row = &rows[i];
        struct turn ours = {lot, row->form, row->before}, raw = {lot, row->raw_form, row->raw_before};
        char name[64];
        snprintf(name, sizeof name, "%s, %s", input, row->name);
        if (row->before == FLUSH && !flush_is_possible())
            bench_skip(bench, name, "no instruction to drop cache lines is known for this processor");
        else
            error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note,
                                                              .ours = {row->name, turn_block, &ours},
                                                              .raw = {row->raw_name, turn_block, &raw}});
    }
    return error;
}

static int run(struct bench *bench)
{
    static const char *const inputs[] = {"hills", "terrain"};
    struct lot lot = {.unpacked = aligned_alloc(64, ADIT_CHUNK_VOXELS * sizeof(uint16_t)), .classes = malloc(ADIT_MATERIALS),
                      .kernel = adit_mesh_kernel_best(NULL),
                      .result = {.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)), .quads_max = ADIT_MESH_QUADS_MAX}};
    int error = lot.unpacked && lot.classes && lot.result.quads ? 0 : -ENOMEM;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs && !error; i++) {
        error = lab_chunks_of_input(inputs[i], CHUNKS, lot.classes, &lot.chunks);
        if (!error)
            error = measure(bench, &lot, inputs[i]);
        lab_chunks_free(lot.chunks, CHUNKS);
    }
    return error;
}

const struct scene scene_mesh_cold = {
    .name = "mesh-cold",
    .what = "meshing many chunks in turn, from far caches and from DRAM, against one just meshed; and against unpacking first",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
