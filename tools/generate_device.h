/* generate_device.h - a Vulkan device that makes the chunks of built-in worlds for a producer, with the very voxels of the CPU (gpu/generate_batch.h).
 *
 *     struct adit_generate_device *device;
 *     const struct adit_generate_wish wish = {.program = "adit feed", .text = "vulkan"};
 *     int error = adit_generate_device_open(&wish, &device, line, sizeof line);      NULL: the CPU is meant
 *     for each chunk:
 *         adit_generate_device_ask(device, world, &key);
 *         while ((got = adit_generate_device_next(device, false, &key, &voxels)) > 0)
 *             ... publish key's voxels, or make them where voxels is NULL
 *     while ((got = adit_generate_device_next(device, true, &key, &voxels)) > 0)
 *         ...
 *     adit_generate_device_close(&device);
 *
 * What is asked for comes back in the order of asking, all of it. Two batches: one is made while the other is published. A device that fails, hangs, or gives
 * a material that its world does not have is lost: a note says so, and what it has not given comes back without voxels.
 */
#ifndef ADIT_GENERATE_DEVICE_H
#define ADIT_GENERATE_DEVICE_H

#include "runtime/adit.h"
#include "tools/worlds/world.h"

#define ADIT_GENERATE_HELP "who makes built-in worlds: cpu, vulkan or vulkan:N (default: cpu, or a GPU that `adit tiers` has found to be cheaper)"

struct adit_generate_device;

struct adit_generate_wish {
    const char *program; /* begins notes */
    const char *text;    /* "cpu", "vulkan" (a GPU, else a program on the CPU), "vulkan:N" as `adit tiers` lists them; NULL: what is known to be cheapest */
};

/* Whether text is one of these, without asking Vulkan: 0, or -EINVAL and a line. */
int adit_generate_wish_check(const char *text, char *line, size_t line_bytes);

/* *out NULL: the CPU is to make all. A device is taken when it is named, or when it is a GPU of which the kept table of tiers says that it is cheaper; nothing is
 * measured here. 0; or, where a device was named and cannot be had, a negative errno and a line. Blocks while drivers load and compile, some 100 ms. */
int adit_generate_device_open(const struct adit_generate_wish *wish, struct adit_generate_device **out, char *line, size_t line_bytes);
/* What was asked for and not taken is dropped. Blocks as adit_generate_batch_close. */
void adit_generate_device_close(struct adit_generate_device **device);

/* As `adit tiers` calls it. */
const char *adit_generate_device_name(const struct adit_generate_device *device);

/* world: has a generator. Does not block. There must be room: next has returned 0 since the last one. */
void adit_generate_device_ask(struct adit_generate_device *device, const struct adit_world *world, const struct adit_key *key);
/* 1: the next one of what was asked for, its voxels to be read until the next call, or NULL: make them yourself, the device is lost. 0: nothing is due; with all,
 * nothing is left. -EINTR after a signal. Blocks while a device is at work on what is due. */
int adit_generate_device_next(struct adit_generate_device *device, bool all, struct adit_key *key, const uint16_t **voxels);

#endif
