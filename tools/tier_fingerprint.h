/* tier_fingerprint.h - what figures of tiers depend on: the machine, its drivers, what was switched off, and this very build. Figures that were taken
 * under another fingerprint say nothing. */
#ifndef ADIT_TIER_FINGERPRINT_H
#define ADIT_TIER_FINGERPRINT_H

#include <stdint.h>

#include "gpu/gpu_device.h"

#define ADIT_TIER_FINGERPRINT_CPU 8u

struct adit_tier_fingerprint {
    char hex[17];     /* its first ADIT_TIER_FINGERPRINT_CPU digits are of the machine and the build alone, the others of all; half of an XXH3 each */
    char text[16384]; /* "cpu: ...\nkernel: ...\n", for people who wonder why it changed */
};

/* Of this process: CPU model, microcode (where it is told), the CPUs it may use, their nodes, kernel release, each Vulkan device's UUID and driver (gpus NULL:
 * none), ADIT_DISABLE, VK_DRIVER_FILES and VK_ICD_FILENAMES, and the bytes of the program that runs. Reads some files of /proc and the program: a few
 * milliseconds. */
void adit_tier_fingerprint_make(const struct adit_gpu_list *gpus, struct adit_tier_fingerprint *out);

#endif
