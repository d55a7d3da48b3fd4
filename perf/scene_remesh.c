/* scene_remesh.c - the mesh of a chunk after an edit, from the mesh before and the version as it is published, one thread. What lies at the surface
 * is dug away and put back, at places all over the chunk: a round is one of the two, and its result is the next round's old mesh. The raw limit is
 * a copy of the old mesh's quads, as the new mesh lies in a place of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/scenes.h"
#include "perf/lab_voxels.h"

enum { PLACES = 64 };

struct digging {
    struct voxels_source *source;
    adit_mesh_kernel *whole;
    struct place {
        struct adit_mesh_box edit;
        void *block; /* the version without it */
        struct adit_voxels encoded;
    } place[PLACES];
    uint32_t rounds;
    struct adit_mesh_result mesh[2]; /* as it was, and dug into */
};

/* Digs at a place if it is not, else fills it again. */
static int dig(struct digging *d)
{
    struct place *place = &d->place[d->rounds / 2 % PLACES];
    bool is_dug = d->rounds++ & 1;
    struct adit_mesh_source source = d->source->published;
    if (!is_dug)
        source.encoded = &place->encoded;
    return adit_mesh_update(d->whole, &source, &place->edit, &d->mesh[is_dug], &d->mesh[!is_dug]);
}

static double update_block(void *context, uint64_t rounds)
{
    struct digging *d = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        error |= dig(d);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double copy_block(void *context, uint64_t rounds)
{
    struct digging *d = context;
    uint32_t bytes = d->mesh[0].start[ADIT_MESH_RANGES] * (uint32_t)sizeof(uint64_t);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        memcpy(d->mesh[1].quads, d->mesh[0].quads, bytes);
        bench_compiler_barrier();
    }
    d->rounds = 0; /* the other mesh is none now */
    return (clock_now_ns() - from) / (double)rounds;
}

/* Chooses a box about a voxel of the surface, and makes the version without it. */
static int place_make(struct digging *d, struct place *place, uint32_t number, int32_t side, struct adit_encode_plan *plan)
{
    uint16_t *voxels = malloc(sizeof d->source->voxels);
    int32_t at[3] = {(int32_t)(3 + number * 37 % 60), ADIT_CHUNK_DIM - 1, (int32_t)(2 + number * 23 % 59)};
    size_t bytes;
    if (!voxels)
        return -ENOMEM;
    memcpy(voxels, d->source->voxels, sizeof d->source->voxels);
    while (at[1] > 0 && !voxels[(at[2] * 64 + at[1]) * 64 + at[0]])
        at[1]--;
    for (int axis = 0; axis < 3; axis++) {
        int32_t lo = at[axis] - side / 2;
        place->edit.lo[axis] = lo < 0 ? 0 : lo > ADIT_CHUNK_DIM - side ? ADIT_CHUNK_DIM - side : lo;
        place->edit.hi[axis] = place->edit.lo[axis] + side - 1;
    }
    for (int32_t z = place->edit.lo[2]; z <= place->edit.hi[2]; z++)
        for (int32_t y = place->edit.lo[1]; y <= place->edit.hi[1]; y++)
            memset(&voxels[(z * 64 + y) * 64 + place->edit.lo[0]], 0, (size_t)side * sizeof *voxels);
    int error = adit_encode_plan(plan, voxels, d->source->classes, &bytes);
    place->block = error ? NULL : aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (place->block) {
        adit_encode_write(plan, place->block);
        error = adit_voxels_view_within(place->block, bytes, &place->encoded) ? 0 : -EBADMSG;
    }
    free(voxels);
    return error || place->block ? error : -ENOMEM;
}

static int measure(struct bench *bench, struct digging *d, const struct voxels_input *input, uint8_t flags, int32_t side, struct adit_encode_plan *plan)
{
    char name[64], note[96];
    int error = voxels_source_fill(d->source, input);
    d->source->published.flags = flags;
    if (side == 1)
        snprintf(name, sizeof name, "%s%s, one voxel", input->name, flags ? " with AO" : "");
    else
        snprintf(name, sizeof name, "%s%s, a box of %d", input->name, flags ? " with AO" : "", (int)side);
    for (uint32_t i = 0; i < PLACES && !error; i++)
        error = place_make(d, &d->place[i], i, side, plan);
    d->rounds = 0;
    if (!error)
        error = d->whole(&d->source->published, &d->mesh[0]);
    if (error) {
        bench_fail(bench, name, "making the versions", error);
        return error;
    }
    bool is_whole = side * side * side > ADIT_REMESH_VOXELS_MAX;
    snprintf(note, sizeof note, "%u quads%s", d->mesh[0].start[ADIT_MESH_RANGES], is_whole ? ", meshed whole: quicker" : "");
    struct goal goal = {side == 1 && !flags && !strcmp(input->name, "hills") ? GOAL_MEDIAN : GOAL_NONE, 3};
    error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .note = note, .goal = goal,
                                                      .ours = {"update", update_block, d},
                                                      .raw = {"copying the quads", copy_block, d}});
    for (uint32_t i = 0; i < PLACES; i++) {
        free(d->place[i].block);
        d->place[i].block = NULL;
    }
    return error;
}

static int run(struct bench *bench)
{
    static const int32_t sides[] = {1, 2, 4, 8, 16};
    struct digging *d = calloc(1, sizeof *d);
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    int error = 0;

    if (!d || !plan || !(d->source = aligned_alloc(64, sizeof *d->source)))
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        d->mesh[i].quads_max = ADIT_MESH_QUADS_MAX;
        d->mesh[i].quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
        if (!d->mesh[i].quads)
            return -ENOMEM;
    }
    d->whole = adit_mesh_kernel_best(NULL);
    for (uint32_t i = 0; i < 4 && !error; i++) /* hills, terrain; and with AO */
        for (size_t k = 0; k < sizeof sides / sizeof sides[0] && !error; k++)
            error = measure(bench, d, &voxels_inputs[i % 2], i < 2 ? 0 : ADIT_MESH_AO, sides[k], plan);
    return error;
}

const struct scene scene_remesh = {
    .name = "remesh",
    .what = "the mesh of a chunk after an edit of one voxel and of boxes, from the mesh before it, one thread",
    .unit = "us",
    .goal = "3 us at most after an edit of one voxel of hills",
    .cpus = 1,
    .run = run,
};
