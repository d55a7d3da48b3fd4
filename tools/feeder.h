/* feeder.h - a producer that publishes worlds, and then edits them.
 *
 * World i of the list gets the world number first_world + i in its keys. Chunks that hold no voxel are not published: a
 * key without a version reads as air to meshers and consumers alike, costs no memory, and an edit can still begin
 * there. Several feeders share the work: the chunks that may hold voxels are dealt out by turns, part by part.
 *
 * Edits are batches of 1 to 16 voxels close together. A feeder edits only chunks of its own part, so the final world
 * depends on the worlds, the number of parts and the seed alone, however the processes run.
 */
#ifndef ADIT_FEEDER_H
#define ADIT_FEEDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "runtime/adit.h"
#include "tools/generate_device.h"
#include "tools/palette.h"
#include "tools/progress.h"
#include "tools/worlds/world.h"

#define ADIT_FEEDER_LINE_BYTES 768
#define ADIT_FEEDER_WORLDS_MAX 63u /* of the world number in a key */
#define ADIT_FEEDER_BOX_MAX ((uint64_t)1 << 28) /* chunks in the box of one world */

struct adit_feeder_params {
    char *const *specs;
    uint32_t specs_count, first_world;
    uint32_t part, parts; /* this is part 0..parts-1 */
    bool opaque;          /* every material */
    bool clears;          /* remove versions where the world is air: the arena may hold another world there */
    uint64_t edits;       /* of this feeder */
    uint64_t edits_per_s; /* 0: as fast as it goes */
    uint64_t behind_max_ns; /* nothing is published while meshing is further behind (adit_backlog), and where nothing is meshed for 10 s publishing fails; 0: however far */
    uint64_t seed;
    struct adit_generate_wish generate; /* who makes chunks of built-in worlds */
    struct adit_progress *progress; /* may be NULL */
};

struct adit_feeder {
    struct adit_feeder_params params;
    struct adit_arena *arena;
    struct adit_world *world[ADIT_FEEDER_WORLDS_MAX];
    struct adit_palette *palette[ADIT_FEEDER_WORLDS_MAX];
    struct adit_key *keys; /* published by this feeder */
    size_t keys_count, keys_max;
    struct adit_generate_device *device; /* NULL: the CPU makes all; until all is published */
    char device_name[24];
    uint64_t chunks, voxels, edits, removed; /* done so far */
    uint64_t by_cpu, by_device; /* of these chunks those of built-in worlds, by who made them */
    uint16_t *voxels_scratch;
    char error[ADIT_FEEDER_LINE_BYTES];
};

/* Opens the worlds, and a device if one is meant and a world is built in. 0, or a negative errno with a line in (*out)->error; close it in either case. -ENOMEM and *out NULL
 * when not even that much memory is there. */
int adit_feeder_open(struct adit_arena *arena, const struct adit_feeder_params *params, struct adit_feeder **out);
void adit_feeder_close(struct adit_feeder **feeder);

/* Publishes its part of every world; what a device was to make and did not, the CPU makes. Waits up to a second for memory to be reclaimed when the arena is full. 0, -EINTR
 * after a signal, or another negative errno and feeder->error. */
int adit_feeder_publish(struct adit_feeder *feeder);

/* Makes the edits. As publish. */
int adit_feeder_edit(struct adit_feeder *feeder);

/* Who made the chunks of built-in worlds, as {name: count}. NULL: no memory. */
json_t *adit_feeder_generated(const struct adit_feeder *feeder);

/* Says what a person should know about the worlds read: warnings (the first few), renumbered materials. */
void adit_feeder_notes(const struct adit_feeder *feeder, const char *program);

/* The same for one world before it is fed. */
void adit_feeder_world_notes(const struct adit_world *world, const char *program);

/* Whether keys can name every chunk of the world and its box is of a size to walk: 0, or -ERANGE, -EFBIG and a line. */
int adit_feeder_world_check(const struct adit_world *world, char *error, size_t error_bytes);

/* The number of chunks in the box of a world that passed the check. */
uint64_t adit_feeder_box(const struct adit_world *world);

#endif
