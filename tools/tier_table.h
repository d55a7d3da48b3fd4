/* tier_table.h - what can mesh and generate on this machine, and what each costs: measured once, kept in a file, looked up by name.
 *
 *     struct adit_tier_table *table;
 *     const struct adit_tier_params params = {.program = "adit run", .wish = ADIT_TIERS_USUAL};
 *     struct adit_executor *e = ...;                                the device vulkan:0
 *     if (!adit_tier_table_get(&params, &table)) {
 *         const struct adit_tier *tier = adit_tier_named(table, "vulkan:0");
 *         if (!adit_tier_mesh_costs(tier, e->cost))
 *             ... leave it out: adit_tier_why(tier, line, sizeof line) says why
 *         const char *kernel = adit_tier_kernel(table, ADIT_TIER_KERNELS_ALL);
 *         double ns = adit_tier_thread_ns(table, kernel);           a chunk on one thread of the CPU
 *     }
 *     adit_tier_table_free(&table);
 *
 * Names: "inline" (the best kernel, called where one is), "scalar", "avx2", "avx512" (the kernels), "threads:0" ... (the dispatcher's worker
 * threads on node 0), "processes:0" ... (`adit work` there), "vulkan:0" ... (list->devices[0] of gpu/gpu_device.h), or "vulkan" alone, absent,
 * where there is no device at all. A tier is
 *
 *     ready        it gave the right bytes in its self-test, and was measured
 *     off          it gave wrong bytes: nobody should use it
 *     failed       it could not be measured (no memory, no descriptors, too late, a device lost): of that moment alone. Nothing is known of it, which is held
 *                  against nobody later
 *     absent       this machine, build or environment has none
 *
 * What n chunks of one size class cost when they are submitted together and nothing else is done: fixed_ns + n x each_ns (runtime/cost.h), for a tier of
 * several threads all of them together.
 */
#ifndef ADIT_TIER_TABLE_H
#define ADIT_TIER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/cost.h"

#define ADIT_TIERS_MAX 256u
#define ADIT_TIER_KERNELS 3u
#define ADIT_TIER_KERNELS_ALL ((1u << ADIT_TIER_KERNELS) - 1)

/* "scalar", "avx2", "avx512": slow to fast, mostly. A set of kernels is a mask with a bit for each, in this order. */
extern const char *const adit_tier_kernel_names[ADIT_TIER_KERNELS];

enum adit_tier_state { ADIT_TIER_READY, ADIT_TIER_OFF, ADIT_TIER_FAILED, ADIT_TIER_ABSENT, ADIT_TIER_STATES };

/* Of one kind of work and one size class. is_measured false: nothing else counts. */
struct adit_tier_cell {
    bool is_measured, has_energy;
    struct adit_cost cost;
    double chunks_per_s;   /* when many are submitted together */
    double p50_ns, p99_ns; /* of one chunk, submitted alone */
    double energy_uj;      /* that the host used for a chunk while nothing but this was measured, all packages */
};

/* What a Vulkan device is, as in gpu/gpu_device.h. */
struct adit_tier_device {
    char uuid[33], pci[16], driver[256];
    uint64_t local_bytes;
    bool is_software, is_unified, imports;
};

struct adit_tier {
    char name[32];
    char long_name[320];    /* for people: kernel, device and driver */
    enum adit_tier_state state;
    char why[256];          /* it is off, failed or absent; "" when ready */
    uint32_t threads;       /* of the CPU that work in it; 0: a device */
    int32_t node;           /* NUMA node, -1: none in particular */
    struct adit_tier_cell cell[ADIT_COST_KINDS][ADIT_SIZE_CLASSES];
    struct adit_tier_device device; /* of "vulkan:N" */
};

struct adit_tier_table {
    char fingerprint[17];    /* of machine, drivers and build (tier_fingerprint.h), in hexadecimal */
    uint64_t measured_at_ns; /* CLOCK_REALTIME */
    double measured_in_s;    /* how long it took */
    bool is_cached;          /* read from the file, not measured by this call */
    char file[512];          /* where it is kept; "": nowhere */
    uint32_t folded;         /* Vulkan devices that were there already under another driver */
    uint32_t n;
    struct adit_tier tiers[]; /* n */
};

/* CACHED: only look, never measure. `adit work` must say this, because measuring starts it. OF_CPU: only look, and load no driver for it: the newest
 * table of this machine and build, whatever devices there were, whose rows of devices therefore say nothing. */
enum adit_tier_wish { ADIT_TIERS_USUAL /* the cached table, else measure */, ADIT_TIERS_CACHED, ADIT_TIERS_OF_CPU, ADIT_TIERS_ANEW };

struct adit_gpu_list;
struct adit_tier_params {
    const char *program; /* begins lines on stderr */
    enum adit_tier_wish wish;
    bool quiet;          /* no progress, no notes */
    bool no_processes;   /* of a program other than adit, which cannot be started as `adit work` */
    struct adit_gpu_list *gpus; /* where the caller has Vulkan open; NULL: it is opened and closed here */
};

/* The table of this machine, drivers and build. Blocks: some milliseconds beside the loading of drivers when it is cached (OF_CPU: without), else as long as measuring
 * takes (2 to 4 s), with all CPUs busy; not while others measure something. Installs no handler, but ends early when adit_interrupt_is_set: -EINTR.
 * -ENOENT: CACHED or OF_CPU, and there is none; -ENOMEM. A file that cannot be read or written is a note on stderr, no error. */
int adit_tier_table_get(const struct adit_tier_params *params, struct adit_tier_table **out);
void adit_tier_table_free(struct adit_tier_table **table);

/* What its self-test or measuring returned makes of a tier: 0: ready; -EILSEQ, wrong bytes: off; anything else: failed. Who is not ready has no figures. */
void adit_tier_judge(struct adit_tier *tier, int error);

/* The tier of that name, or NULL. "vulkan", "threads" and "processes" are the first of theirs that is ready, else their first. */
const struct adit_tier *adit_tier_named(const struct adit_tier_table *table, const char *name);

/* Copies what meshing costs, by size class. False (and cost untouched): tier is NULL, not ready, or not measured. */
bool adit_tier_mesh_costs(const struct adit_tier *tier, struct adit_cost cost[ADIT_SIZE_CLASSES]);

/* The fastest, as measured with chunks of most, of the kernels in this set that are ready. NULL: none of them gives the right bytes. Of all, it is what inline, threads
 * and processes run. */
const char *adit_tier_kernel(const struct adit_tier_table *table, uint32_t kernels);

/* What meshing a chunk of most takes on one worker thread of a dispatcher with that kernel: while all of them work, of threads:N, the mean of the nodes; where no threads were
 * measured, or with another kernel, what the kernel takes alone. 0: that was not measured either. */
double adit_tier_thread_ns(const struct adit_tier_table *table, const char *kernel);

/* Whether the tier makes terrain for less than one thread of the CPU (inline) does, when it is given batches of so many chunks: of all size classes that both were measured
 * with, together. False: it is not ready, or nothing is known of one of them. */
bool adit_tier_generates_cheaper(const struct adit_tier_table *table, const struct adit_tier *tier, uint32_t chunks);

/* Why a tier is not ready, as one line with its name: "vulkan:0 is switched off: wrong bytes (...)"; "" when it is. NULL: there is none. Returns out. */
char *adit_tier_why(const struct adit_tier *tier, char *out, size_t bytes);

#endif
