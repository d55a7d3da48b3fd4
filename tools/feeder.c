/* feeder.c - one pass over each world's box, layer by layer upwards; which chunks are this feeder's is counted off on the
 * way, alike in every feeder. Layers, because chunks of one layer are alike and those of one column are not: dealt out
 * column by column, one of two feeders would get all the ground and the other all the sky. */
#include "tools/command.h"
#include "tools/feeder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/moment.h"
#include "tools/say.h"

#define FULL_WAIT_NS 1000000000ull /* for memory to be reclaimed */
#define FULL_STEP_NS 2000000ull
#define BEHIND_STEP_NS 10000000u
#define BEHIND_MOST_NS 10000000000ull
#define WARNINGS_SHOWN 3u
#define EDIT_BATCH 16u

uint64_t adit_feeder_box(const struct adit_world *world)
{
    uint64_t n = 1;
    for (int a = 0; a < 3; a++)
        n *= (uint64_t)(world->chunk_max[a] - world->chunk_min[a]);
    return n;
}

/* The three differences are below 2^21 where keys can reach, so their product fits; beyond, it is refused first. */
int adit_feeder_world_check(const struct adit_world *world, char *error, size_t error_bytes)
{
    static const int32_t reach_min[3] = {-524288, -2048, -524288}, reach_max[3] = {524288, 2048, 524288};
    for (int a = 0; a < 3; a++)
        if (world->chunk_min[a] < reach_min[a] || world->chunk_max[a] > reach_max[a]) {
            snprintf(error, error_bytes, "%s: chunks %d to %d along %c lie beyond what keys can name; "
                     "move it closer to the origin", world->spec, world->chunk_min[a], world->chunk_max[a], "xyz"[a]);
            return -ERANGE;
        }
    if (adit_feeder_box(world) > ADIT_FEEDER_BOX_MAX) {
        snprintf(error, error_bytes, "%s: its box holds %llu chunks, more than %llu; split it",
                 world->spec, (unsigned long long)adit_feeder_box(world), (unsigned long long)ADIT_FEEDER_BOX_MAX);
        return -EFBIG;
    }
    return 0;
}

int adit_feeder_open(struct adit_arena *arena, const struct adit_feeder_params *params, struct adit_feeder **out)
{
    struct adit_feeder *feeder = calloc(1, sizeof *feeder);
    *out = feeder;
    if (!feeder)
        return -ENOMEM;
    feeder->params = *params;
    feeder->arena = arena;
    feeder->voxels_scratch = malloc(sizeof(uint16_t) * ADIT_CHUNK_VOXELS);
    int status = feeder->voxels_scratch ? 0 : -ENOMEM;
    for (uint32_t i = 0; !status && i < params->specs_count; i++) {
        status = adit_world_open(params->specs[i], &feeder->world[i], feeder->error, sizeof feeder->error);
        if (!status)
            status = adit_feeder_world_check(feeder->world[i], feeder->error, sizeof feeder->error);
        if (!status && !(feeder->palette[i] = adit_palette_open(arena, feeder->world[i], params->opaque)))
            status = -ENOMEM;
    }
    bool is_built_in = false;
    for (uint32_t i = 0; !status && i < params->specs_count; i++)
        is_built_in |= feeder->world[i]->generator != NULL;
    if (is_built_in)
        status = adit_generate_device_open(&params->generate, &feeder->device, feeder->error, sizeof feeder->error);
    if (feeder->device)
        snprintf(feeder->device_name, sizeof feeder->device_name, "%s", adit_generate_device_name(feeder->device));
    if (status == -ENOMEM && !*feeder->error)
        snprintf(feeder->error, sizeof feeder->error, "not enough memory to open the worlds");
    return status;
}

void adit_feeder_close(struct adit_feeder **out)
{
    struct adit_feeder *feeder = *out;
    *out = NULL;
    if (!feeder)
        return;
    for (uint32_t i = 0; i < feeder->params.specs_count; i++) {
        adit_palette_close(&feeder->palette[i]);
        adit_world_close(feeder->world[i]);
    }
    adit_generate_device_close(&feeder->device);
    free(feeder->keys);
    free(feeder->voxels_scratch);
    free(feeder);
}

static int key_remember(struct adit_feeder *feeder, const struct adit_key *key)
{
    if (!feeder->params.edits)
        return 0;
    if (feeder->keys_count == feeder->keys_max) {
        size_t max = feeder->keys_max ? feeder->keys_max * 2 : 1024;
        struct adit_key *keys = realloc(feeder->keys, max * sizeof *keys);
        if (!keys)
            return -ENOMEM;
        feeder->keys = keys;
        feeder->keys_max = max;
    }
    feeder->keys[feeder->keys_count++] = *key;
    return 0;
}

/* Puts a library failure at a key into words; one of hold_back has its own. */
static int failure_say(struct adit_feeder *feeder, const char *what, const struct adit_key *key, int status)
{
    if (status == -ETIME)
        return status;
    const char *why = status == -ENOMEM    ? "the arena is full, it is too small for this; make it larger with --size"
                      : status == -ENOSPC ? "the store is full, it is too small for this; make the arena with more --chunks"
                                          : adit_strerror(status);
    snprintf(feeder->error, sizeof feeder->error, "%s: chunk %d,%d,%d %s: %s",
             feeder->params.specs[key->world - feeder->params.first_world], key->x, key->y, key->z, what, why);
    return status;
}

/* Chunks that all who are attached have meshed. */
static uint64_t meshed_by_all(struct adit_arena *arena)
{
    struct adit_participant_info info;
    uint64_t sum = 0;
    int error = 0;
    for (uint32_t slot = 0; error != -ERANGE; slot++) {
        error = adit_participant_get(arena, slot, &info);
        sum += error ? 0 : info.meshed;
    }
    return sum;
}

/* Waits while meshing is further behind than the producer was told to let it be; not for who is dead. */
static int hold_back(struct adit_feeder *feeder)
{
    struct adit_backlog b = {.size = sizeof b};
    const uint64_t most = feeder->params.behind_max_ns;
    uint64_t meshed = 0, meshed_ns = 0;
    while (most && !adit_interrupt_is_set() && !adit_backlog(feeder->arena, &b) && b.dirty && b.clear_ns > most) {
        uint64_t now = adit_moment_ns(), sum = meshed_by_all(feeder->arena);
        if (!meshed_ns || sum > meshed)
            meshed_ns = now;
        meshed = sum; /* less than before: somebody who had meshed has left, or died */
        if (now - meshed_ns > BEHIND_MOST_NS) {
            snprintf(feeder->error, sizeof feeder->error, "--max-behind: %u chunks wait, and nothing has been meshed for 10 s; is a dispatcher running?", b.dirty);
            return -ETIME;
        }
        adit_moment_sleep(b.clear_ns - most < BEHIND_STEP_NS ? b.clear_ns - most : BEHIND_STEP_NS);
    }
    return 0;
}

/* One attempt after another while the arena is full, until memory was reclaimed or a second has passed. */
static int chunk_put(struct adit_feeder *feeder, const struct adit_key *key, const struct adit_voxel_edit *edits, size_t n)
{
    uint64_t until = 0;
    int behind = hold_back(feeder);
    if (behind)
        return behind;
    for (;;) {
        int status = n ? adit_chunk_edit(feeder->arena, key, edits, n, NULL)
                       : adit_chunk_put(feeder->arena, key, feeder->voxels_scratch, NULL);
        if (status != -ENOMEM && status != -EAGAIN)
            return status;
        uint64_t now = adit_moment_ns();
        if (!until)
            until = now + FULL_WAIT_NS;
        if (now > until || adit_interrupt_is_set())
            return status;
        adit_moment_sleep(FULL_STEP_NS);
    }
}

/* Where the world is air; the arena may hold another one's version there. */
static int chunk_clear(struct adit_feeder *feeder, const struct adit_key *key)
{
    int gone = feeder->params.clears ? adit_chunk_remove(feeder->arena, key, NULL) : -ENOENT;
    feeder->removed += !gone;
    return gone && gone != -ENOENT ? failure_say(feeder, "cannot be removed", key, gone) : 0;
}

/* Publishes what lies in voxels_scratch, if it holds any voxel; else there is no version at the key any more, where the world clears. */
static int chunk_publish(struct adit_feeder *feeder, const struct adit_key *key)
{
    const uint32_t i = key->world - feeder->params.first_world;
    uint16_t *voxels = feeder->voxels_scratch;
    uint64_t solid = 0;
    for (size_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
        solid += voxels[v] != 0;
    if (!solid)
        return chunk_clear(feeder, key);
    int status = adit_palette_map(feeder->palette[i], voxels);
    if (status) {
        snprintf(feeder->error, sizeof feeder->error, "%s: %s", feeder->params.specs[i], feeder->palette[i]->error);
        return status;
    }
    status = chunk_put(feeder, key, NULL, 0);
    if (status)
        return failure_say(feeder, "cannot be published", key, status);
    feeder->voxels += solid;
    feeder->chunks++;
    if (key_remember(feeder, key)) {
        snprintf(feeder->error, sizeof feeder->error, "not enough memory to remember which chunks to edit");
        return -ENOMEM;
    }
    return 0;
}

/* Made or read here. */
static int chunk_feed(struct adit_feeder *feeder, const struct adit_key *key)
{
    const uint32_t i = key->world - feeder->params.first_world;
    const uint64_t before = feeder->chunks;
    int got = adit_world_chunk(feeder->world[i], key->x, key->y, key->z, feeder->voxels_scratch);
    if (got < 0) {
        snprintf(feeder->error, sizeof feeder->error, "%s: chunk %d,%d,%d can no longer be read: %s",
                 feeder->params.specs[i], key->x, key->y, key->z, strerror(-got));
        return got;
    }
    int status = chunk_publish(feeder, key);
    feeder->by_cpu += feeder->world[i]->generator ? feeder->chunks - before : 0;
    return status;
}

/* What the device has made so far, or with all, all that it was asked for. */
static int device_take(struct adit_feeder *feeder, bool all)
{
    const uint16_t *voxels;
    struct adit_key key;
    int got, status = 0;
    while (!status && (got = adit_generate_device_next(feeder->device, all, &key, &voxels))) {
        const uint64_t before = feeder->chunks;
        if (got < 0)
            return got;
        if (!voxels) {
            status = chunk_feed(feeder, &key);
            continue;
        }
        memcpy(feeder->voxels_scratch, voxels, sizeof(uint16_t) * ADIT_CHUNK_VOXELS);
        status = chunk_publish(feeder, &key);
        feeder->by_device += feeder->chunks - before;
    }
    return status;
}

/* A key of this feeder's; may: hold a voxel. */
static int place_feed(struct adit_feeder *feeder, const struct adit_key *key, bool may)
{
    const struct adit_world *w = feeder->world[key->world - feeder->params.first_world];
    if (!may)
        return chunk_clear(feeder, key);
    if (!feeder->device || !w->generator)
        return chunk_feed(feeder, key);
    adit_generate_device_ask(feeder->device, w, key);
    return device_take(feeder, false);
}

static int world_feed(struct adit_feeder *feeder, uint32_t i)
{
    const struct adit_world *w = feeder->world[i];
    const struct adit_feeder_params *p = &feeder->params;
    uint64_t turn = 0, seen = 0, box = adit_feeder_box(w);
    for (int32_t y = w->chunk_min[1]; y < w->chunk_max[1]; y++)
        for (int32_t x = w->chunk_min[0]; x < w->chunk_max[0]; x++)
            for (int32_t z = w->chunk_min[2]; z < w->chunk_max[2]; z++, seen++) {
                if (adit_interrupt_is_set())
                    return -EINTR;
                bool may = adit_world_has_chunk(w, x, y, z);
                bool mine = (may ? turn : seen) % p->parts == p->part;
                turn += may;
                if (!mine || (!may && !p->clears))
                    continue;
                struct adit_key key = {.x = x, .y = y, .z = z, .world = (uint8_t)(p->first_world + i)};
                int status = place_feed(feeder, &key, may);
                if (status)
                    return status;
                if (p->progress)
                    adit_progress_show(p->progress, seen, box, "places for chunks looked at");
            }
    return feeder->device ? device_take(feeder, true) : 0;
}

int adit_feeder_publish(struct adit_feeder *feeder)
{
    int status = 0;
    for (uint32_t i = 0; !status && i < feeder->params.specs_count; i++)
        status = world_feed(feeder, i);
    adit_generate_device_close(&feeder->device);
    return status;
}

json_t *adit_feeder_generated(const struct adit_feeder *feeder)
{
    json_t *by = json_object();
    adit_jsonout_set_count(by, "cpu", feeder->by_cpu);
    if (*feeder->device_name)
        adit_jsonout_set_count(by, feeder->device_name, feeder->by_device);
    return by;
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* A batch around one place: half of it digs, half of it builds with a material published before (there is one, since
 * only chunks that were published are edited). */
static size_t batch_make(const struct adit_feeder *feeder, uint32_t world, uint64_t *random, struct adit_voxel_edit *edits)
{
    const struct adit_palette *palette = feeder->palette[world];
    uint64_t r = random_next(random);
    size_t n = 1 + (size_t)(r % EDIT_BATCH);
    uint8_t centre[3] = {(uint8_t)(r >> 8 & 63), (uint8_t)(r >> 16 & 63), (uint8_t)(r >> 24 & 63)};
    for (size_t i = 0; i < n; i++) {
        uint64_t e = random_next(random);
        uint16_t built = palette->used[(e >> 32) % palette->used_count];
        edits[i] = (struct adit_voxel_edit){.x = (uint8_t)((centre[0] + (e & 3)) & 63),
                                            .y = (uint8_t)((centre[1] + (e >> 8 & 3)) & 63),
                                            .z = (uint8_t)((centre[2] + (e >> 16 & 3)) & 63),
                                            .material = e >> 24 & 1 ? built : 0};
    }
    return n;
}

int adit_feeder_edit(struct adit_feeder *feeder)
{
    const struct adit_feeder_params *p = &feeder->params;
    uint64_t random = p->seed * 0x2545f4914f6cdd1dull + p->part, start = adit_moment_ns();
    for (uint64_t i = 0; i < p->edits && feeder->keys_count; i++) {
        if (adit_interrupt_is_set())
            return -EINTR;
        if (p->edits_per_s) {
            uint64_t due = start + i * 1000000000ull / p->edits_per_s, now = adit_moment_ns();
            if (due > now)
                adit_moment_sleep(due - now);
        }
        const struct adit_key *key = &feeder->keys[random_next(&random) % feeder->keys_count];
        struct adit_voxel_edit edits[EDIT_BATCH];
        size_t n = batch_make(feeder, key->world - p->first_world, &random, edits);
        int status = chunk_put(feeder, key, edits, n);
        if (status)
            return failure_say(feeder, "cannot be edited", key, status);
        feeder->edits++;
        if (p->progress)
            adit_progress_show(p->progress, i, p->edits, "edits made");
    }
    return 0;
}

void adit_feeder_world_notes(const struct adit_world *world, const char *program)
{
    uint32_t shown = world->warning_count < WARNINGS_SHOWN ? world->warning_count : WARNINGS_SHOWN;
    for (uint32_t i = 0; i < shown; i++)
        adit_say_note(program, "%s", world->warnings[i]);
    uint64_t more = (uint64_t)world->warning_count - shown + world->warnings_dropped;
    if (more)
        adit_say_note(program, "%s: %llu more of this kind; what was sound is kept", world->spec,
                      (unsigned long long)more);
}

void adit_feeder_notes(const struct adit_feeder *feeder, const char *program)
{
    for (uint32_t i = 0; i < feeder->params.specs_count; i++) {
        const struct adit_palette *p = feeder->palette[i];
        if (p->moved)
            adit_say_note(program, "%s: %u material numbers were taken by other materials and are renumbered",
                          feeder->params.specs[i], p->moved);
        if (p->unnamed)
            adit_say_note(program, "%s: %u material numbers are beyond what this arena can name: they are opaque",
                          feeder->params.specs[i], p->unnamed);
        if (p->other_class)
            adit_say_note(program, "%s: %u materials were named before with another class, which stays",
                          feeder->params.specs[i], p->other_class);
    }
}
