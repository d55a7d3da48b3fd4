/* tiers.h - the names of what can mesh in this build, as users give and read them.
 *
 *   threads   worker threads of the dispatcher with the fastest kernel of this processor
 *   scalar    worker threads with the portable kernel
 *   avx2      worker threads with the AVX2 kernel, where the processor has it
 *   avx512    worker threads with the AVX-512 kernel, where the processor has it
 *   vulkan    all GPUs, or, where there are none, programs on the CPU (lavapipe); vulkan:0, vulkan:1, ... one of them, as `adit tiers` lists them
 *
 * Of several kernels in a list the fastest is taken. Threads and devices share the work by what it costs each. Figures name the kernel that ran.
 */
#ifndef ADIT_TIERS_H
#define ADIT_TIERS_H

#include <stdbool.h>
#include <stdint.h>

struct adit_tiers {
    const char *kernel; /* of the threads, and of what devices leave */
    bool threads, devices;
    uint32_t only;      /* a bit a device asked for by its number, 0: none was */
    bool is_default;    /* nothing was asked for: threads, and devices if there is hardware */
};

/* For --help. */
#define ADIT_TIERS_HELP "of threads, scalar, avx2, avx512, vulkan, vulkan:N (default: threads, the fastest, and GPUs where they are quicker)"

/* Understands a list such as "scalar,avx512" or "threads,vulkan" (NULL: the default). 0, or -EINVAL after one line that lists what there is; option is how
 * the user gave it, for that line. */
int adit_tiers_choose(const char *program, const char *option, const char *list, struct adit_tiers *out);

#endif
