/* devices.h - the devices that a program's dispatcher is given, by what the user asked for (tiers.h) and by what is known of them (tier_table.h).
 *
 * Nothing asked for: hardware alone, since a program on the CPU takes its processors from the threads; and where no driver has left a sign of hardware in /dev, Vulkan is
 * not even loaded.
 */
#ifndef ADIT_DEVICES_H
#define ADIT_DEVICES_H

#include <jansson.h>

#include "runtime/adit.h"
#include "tools/tiers.h"

/* How a program wants it. measures: where there is hardware of which nothing is known yet, all tiers are measured first (some seconds); not for workers, which measuring
 * starts. quiet: no notes and no progress. */
struct adit_devices_wish {
    const char *program, *option; /* option: how the user gave the tiers, for lines */
    bool measures, quiet;
};

/* *out: NULL when there are none and none were asked for. 0; or, where devices were asked for by name and there is no such, a negative errno after one
 * line. A device that was found to make wrong
 * meshes is left out, with a note; what each costs is filled in as far as it is known, the dispatcher learns the rest. Blocks while drivers load, some 100 ms. Close with adit_devices_close after the dispatcher. */
int adit_devices_choose(const struct adit_devices_wish *wish, const struct adit_tiers *tiers, struct adit_devices **out);

/* The chunks that each device of a dispatcher has meshed, by its name; an object without members where there is none. NULL: no memory. */
json_t *adit_devices_counts(const struct adit_dispatcher *dispatcher);
/* One line on stderr for each device that was lost since the last call, and why. told: a bit a device, 0 at first. */
void adit_devices_tell_lost(const char *program, const struct adit_dispatcher *dispatcher, uint32_t *told);

#endif
