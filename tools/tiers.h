/* tiers.h - the names of what can mesh in this build, as users give and read them.
 *
 *   threads   worker threads of the dispatcher with the fastest kernel of this processor
 *   scalar    worker threads with the portable kernel
 *   avx2      worker threads with the AVX2 kernel, where the processor has it
 *   avx512    worker threads with the AVX-512 kernel, where the processor has it
 *   vulkan    all GPUs, or, where there are none, programs on the CPU (lavapipe); vulkan:0, vulkan:1, ... one of them, as `adit tiers` lists them
 *
 * Of several kernels in a list the fastest is taken. What the kept table of tiers (tier_table.h) has switched off for wrong bytes is left out and named; where there is a
 * table, the fastest is what it measured. Threads and devices share the work by what it costs each. Figures name the kernel that ran.
 */
#ifndef ADIT_TIERS_H
#define ADIT_TIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/tier_table.h"

struct adit_arena;

/* How a program wants it. list: as the user gave it, NULL: nothing. measures: where there is hardware of which nothing is known yet, all tiers are measured first (some
 * seconds); not for workers, which measuring starts. quiet: no progress, and no notes but of what is switched off. is_told: not of kernels either, as whoever
 * started this program has said it. */
struct adit_tiers_wish {
    const char *program, *option, *list; /* option: its name, for lines */
    const char *policy;                  /* as adit_dispatcher_params; NULL: the default */
    bool measures, quiet, is_told;
};

#define ADIT_TIERS_OFF_MAX 24u

struct adit_tiers {
    const char *kernel; /* of the threads, and of what devices leave */
    uint32_t kernels;   /* those that would do, a set as in tier_table.h */
    uint64_t thread_ns; /* what a chunk of most takes a thread with it; 0: not known */
    bool threads, devices;
    uint32_t only;      /* a bit a device asked for by its number, 0: none was */
    bool is_default;    /* nothing was asked for: threads, and devices if there is hardware */
    uint32_t off_n;
    struct adit_tiers_off {
        char name[32], why[256];
    } off[ADIT_TIERS_OFF_MAX]; /* what was to mesh, but is switched off */
};

/* For --help. */
#define ADIT_TIERS_HELP "of threads, scalar, avx2, avx512, vulkan, vulkan:N (default: threads, the fastest, and GPUs where they are quicker)"

/* The number N of "vulkan:N", -1 for "vulkan", ADIT_TIERS_NO_DEVICE for other words of n characters. */
#define ADIT_TIERS_NO_DEVICE (-3)
int adit_tiers_device(const char *word, size_t n);

/* Understands a list such as "scalar,avx512" or "threads,vulkan" (NULL: the default), and what the kept table says of its kernels; loads no driver. 0, or after one line: -EINVAL, one that
 * lists what there is; -ENODEV: each kernel of the list is switched off. */
int adit_tiers_choose(const struct adit_tiers_wish *wish, struct adit_tiers *out);

/* Has a table judge the kernels, and tell the price of a thread. The same error. */
int adit_tiers_judge(const struct adit_tiers_wish *wish, const struct adit_tier_table *table, struct adit_tiers *tiers);

/* Keeps that a tier is switched off, and says so in one line, a note of program. program NULL: says nothing. */
void adit_tiers_off_add(const char *program, const struct adit_tier *tier, struct adit_tiers *tiers);

/* Counts those in the arena as well, where shmtop finds them, as long as this process is attached. */
void adit_tiers_off_tell(struct adit_arena *arena, const struct adit_tiers *tiers);

#endif
