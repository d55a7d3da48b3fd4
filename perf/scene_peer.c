/* scene_peer.c - somebody else's mesher (peer.h) beside ours: the 62^3 inside the same volumes of 64^3, volume after volume, time per volume. Ours
 * has 16-bit voxels and six planes, and finds out itself which are solid; the peer has what it likes best, made beforehand. That both cover the same
 * number of unit faces is made sure of first. A second row has ours mesh all 64^3 of each volume as a version keeps them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perf/peer_worlds.h"
#include "perf/scenes.h"

/* The volumes of a world, in the forms of both. */
struct match {
    const struct peer_mesher *peer;
    adit_mesh_kernel *kernel;
    struct adit_mesh_result result;
    uint8_t *classes; /* everything but air is opaque */
    uint16_t (*volumes)[ADIT_CHUNK_VOXELS];
    struct lab_chunk **chunks;
    void *taken[PEER_WORLD_VOLUMES_MAX];
    uint32_t n;
};

static double ours_block(void *context, uint64_t rounds)
{
    struct match *match = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        for (uint32_t v = 0; v < match->n; v++)
            error |= match->kernel(&match->chunks[v]->plain, &match->result);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double published_block(void *context, uint64_t rounds)
{
    struct match *match = context;
    int error = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        for (uint32_t v = 0; v < match->n; v++)
            error |= match->kernel(&match->chunks[v]->published, &match->result);
    return error ? -EIO : (clock_now_ns() - from) / (double)rounds;
}

static double peer_block(void *context, uint64_t rounds)
{
    struct match *match = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        for (uint32_t v = 0; v < match->n; v++)
            bench_consume(match->peer->mesh(match->taken[v]));
    return (clock_now_ns() - from) / (double)rounds;
}

static int cut_volume(void *context, uint32_t i, struct lab_chunk **out)
{
    const struct match *match = context;
    return lab_chunk_cut(out, match->volumes[i], match->classes);
}

/* Gives each volume to both. */
static int take(struct match *match)
{
    uint8_t *bytes = malloc(PEER_VOLUME_BYTES);
    int error = bytes ? lab_chunks_make(cut_volume, match, match->n, &match->chunks) : -ENOMEM;
    for (uint32_t v = 0; v < match->n && !error; v++) {
        for (uint32_t at = 0; at < PEER_VOLUME_BYTES; at++)
            bytes[at] = (uint8_t)match->volumes[v][at];
        match->taken[v] = match->peer->take(bytes);
        error = match->taken[v] ? 0 : -ENOMEM;
    }
    free(bytes);
    return error;
}

static void give_back(struct match *match)
{
    lab_chunks_free(match->chunks, match->n);
    match->chunks = NULL;
    for (uint32_t v = 0; v < match->n; v++)
        match->peer->drop(match->taken[v]);
    memset(match->taken, 0, sizeof match->taken);
}

/* Meshes each volume by both. A peer that covers other faces does other work: -EBADMSG, and what it was. */
static int compare(struct match *match, char *note, size_t note_bytes)
{
    uint64_t faces = 0, ours = 0, theirs = 0;
    for (uint32_t v = 0; v < match->n; v++) {
        int error = match->kernel(&match->chunks[v]->plain, &match->result);
        if (error)
            return error;
        theirs += match->peer->mesh(match->taken[v]);
        if (match->peer->faces() != match->result.faces) {
            snprintf(note, note_bytes, "volume %u: ours covers %u unit faces, the peer %llu", v, match->result.faces,
                     (unsigned long long)match->peer->faces());
            return -EBADMSG;
        }
        ours += match->result.start[ADIT_MESH_RANGES];
        faces += match->result.faces;
    }
    snprintf(note, note_bytes, "%u of 62^3: %llu faces; quads %llu, peer %llu (%s)", match->n, (unsigned long long)faces / match->n,
             (unsigned long long)ours / match->n, (unsigned long long)theirs / match->n, match->peer->name);
    return 0;
}

static int measure(struct bench *bench, struct match *match, const struct peer_world *world)
{
    char note[FIGURE_TEXT_MAX], name[64];
    int error = take(match);
    if (!error)
        error = compare(match, note, sizeof note);
    else
        snprintf(note, sizeof note, "taking its volumes");
    if (error) {
        bench_fail(bench, world->name, note, error);
        return error;
    }
    const double each = 1e-3 / match->n;
    const struct bench_side raw = {"the peer", peer_block, match};
    error = bench_measure(bench, &(struct bench_spec){.figure = world->name, .unit = "us", .scale = each, .note = note, .raw = raw,
                                                      .goal = world->best > 0 ? (struct goal){GOAL_RATIO, 1 / world->best} : (struct goal){GOAL_NONE, 0},
                                                      .ours = {"ours", ours_block, match}});
    snprintf(name, sizeof name, "%s, published", world->name);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = each, .raw = raw,
                                                          .note = "64^3 as a version keeps them, beside the peer's 62^3",
                                                          .ours = {"ours", published_block, match}});
    return error;
}

static int run_worlds(struct bench *bench, struct match *match)
{
    int error = 0;
    for (uint32_t i = 0; i < peer_worlds_n && !error; i++) {
        const struct peer_world *world = &peer_worlds[i];
        char why[FIGURE_TEXT_MAX] = "";
        int n = world->make(world, match->volumes, why, sizeof why);
        if (n == -ENOENT || n == 0) {
            bench_skip(bench, world->name, n ? why : "no volume of it holds both voxels and air");
            continue;
        }
        if (n < 0) {
            bench_fail(bench, world->name, "its volumes", n);
            return n;
        }
        match->n = (uint32_t)n;
        error = measure(bench, match, world);
        give_back(match);
    }
    return error;
}

static int run(struct bench *bench)
{
    char why[FIGURE_TEXT_MAX];
    struct match match = {.peer = peer_open(&peer_of_meshers, why, sizeof why), .kernel = adit_mesh_kernel_best(NULL)};
    if (!match.peer) {
        bench_skip(bench, "the same volumes by both", why);
        return 0;
    }
    match.classes = malloc(ADIT_MATERIALS);
    match.volumes = malloc(PEER_WORLD_VOLUMES_MAX * sizeof *match.volumes);
    match.result = (struct adit_mesh_result){.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t)), .quads_max = ADIT_MESH_QUADS_MAX};
    if (!match.classes || !match.volumes || !match.result.quads)
        return -ENOMEM;
    memset(match.classes, ADIT_CLASS_OPAQUE, ADIT_MATERIALS);
    match.classes[0] = ADIT_CLASS_AIR;
    return run_worlds(bench, &match);
}

const struct scene scene_peer = {
    .name = "peer-mesh",
    .what = "meshing the same volumes of 62^3 by ours and by a peer's mesher, where there is one (perf/peer.h)",
    .unit = "us",
    .goal = "3.5 times as fast as binary greedy meshing v2 on terrain, 4.3 on Minecraft, 6 on noise",
    .cpus = 1,
    .run = run,
};
