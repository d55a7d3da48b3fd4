/* devices.h - the devices that a program's dispatcher is given, by what the user asked for (tiers.h) and by what is known of them (tier_table.h).
 *
 * Nothing asked for: hardware alone, since a program on the CPU takes its processors from the threads; and where no driver has left a sign of hardware in /dev, Vulkan is
 * not even loaded.
 */
#ifndef ADIT_DEVICES_H
#define ADIT_DEVICES_H

#include <jansson.h>

#include "runtime/adit.h"
#include "tools/columns.h"
#include "tools/tiers.h"

/* *out: NULL when there are none and none were asked for. 0; or, where devices were asked for by name and there is no such, a negative errno after one
 * line. A device that was found to make wrong
 * meshes is left out, with a note; what each costs is filled in as far as it is known, the dispatcher learns the rest. The table that
 * tells it may have been measured just now: kernels are judged by it again (adit_tiers_judge). Blocks while drivers load, some 100 ms. Close with adit_devices_close after the dispatcher. */
int adit_devices_choose(const struct adit_tiers_wish *wish, struct adit_tiers *tiers, struct adit_devices **out);

/* Whether a driver of a GPU has left a sign of itself, or the environment names drivers: else Vulkan is not worth loading to look. Some microseconds. */
bool adit_devices_are_likely(void);

/* The chunks that each device of a dispatcher has meshed, by its name; an object without members where there is none. NULL: no memory. */
json_t *adit_devices_counts(const struct adit_dispatcher *dispatcher);

/* Says on stderr what each device was given lately, what it was expected to take, and why; a line where there is none. */
void adit_devices_explain(const char *program, const struct adit_dispatcher *dispatcher);
extern const struct adit_columns adit_devices_columns; /* of what that prints */
/* What a dispatcher's worker processes have done; false: it has none. */
bool adit_devices_processes(const struct adit_dispatcher *dispatcher, struct adit_tier_info *info);
/* That as an object of meshed, deaths and given_up; NULL: no memory. */
json_t *adit_devices_processes_json(const struct adit_tier_info *info);
/* For --help. */
#define ADIT_POLICY_HELP "how devices get their shares: adaptive, round_robin, least_loaded, capability (default adaptive: who is done first)"
/* 0, or -EINVAL after one line: worker processes were asked for, and tiers that leave them nothing to do; or a policy that there is not. */
int adit_devices_check(const struct adit_tiers_wish *wish, const struct adit_tiers *tiers, uint64_t processes);

/* What has been told already, nothing at first. */
struct adit_devices_told {
    uint32_t lost; /* a bit a device */
    uint64_t given_up;
};
/* One line on stderr for each device that was lost since the last call, and why, and for the last chunk that was given up since. */
void adit_devices_tell_lost(const char *program, const struct adit_dispatcher *dispatcher, struct adit_devices_told *told);

#endif
