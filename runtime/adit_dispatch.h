/* adit_dispatch.h - who meshes what is dirty: devices, dispatchers, and how far they are. Part of adit.h, which includes it.
 */
#ifndef ADIT_DISPATCH_H
#define ADIT_DISPATCH_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- dispatcher ------------------------------------------------------------------------------------------------- */

/* Vulkan devices that mesh chunks for dispatchers, with the same bytes. */
struct adit_devices;
struct adit_devices_params {
    size_t size;
    uint32_t batch_max;     /* chunks of one submission, to 4,096; default 256, less of a device with little memory. Two are kept, of 1.6 MiB a chunk each */
    uint32_t only;          /* a bit a device wanted, in the order in which Vulkan lists them; default: all hardware */
    bool software;          /* where there is no hardware, programs on the CPU (lavapipe) */
    bool copies;            /* chunks are copied to devices even where a device could read the arena itself */
};
/* Opens them: finds drivers, makes queues; blocks some 100 ms. -ENOENT: no Vulkan here; -ENODEV: no driver, or no such device that adit could use; -EINVAL: batch_max;
 * -ENOMEM. A machine without any of this misses a tier and nothing else. Drivers' threads take no signals. Needs no arena. */
ADIT_API int adit_devices_open(const struct adit_devices_params *params, struct adit_devices **out);
/* Closes them, after all dispatchers that were given them. What a device that does not answer still has is left to its driver after half a minute. */
ADIT_API void adit_devices_close(struct adit_devices **devices);
/* How many there are. Any thread. */
ADIT_API uint32_t adit_devices_n(const struct adit_devices *devices);

struct adit_dispatcher_params {
    size_t size;
    uint32_t workers;   /* threads that mesh, to 256; default: one a CPU this process may use, as far as its cgroups' limits on processor time go, none where there are processes */
    const char *kernel; /* "scalar", "avx2", "avx512"; default: the fastest here */
    bool culled;        /* one quad a face instead of greedy merging */
    bool only_devices;  /* no threads besides: devices take all there is. workers does not count; devices must be there, and no processes */
    struct adit_devices *devices; /* that take from the backlog what they do sooner than the threads; default: none. They stay open until the dispatcher is closed */
    uint64_t thread_ns; /* what a chunk of most takes one of these threads, as far as it is known, for the shares of devices; default: learned from the first chunks */
    uint32_t workers_max; /* threads, as many as load asks for: as workers_max of adit_pool_params; default: workers */
    uint32_t processes;   /* worker processes that mesh: what kills one takes nobody along; default none */
    const char *const *objects; /* with kinds for these processes, beside the built-in ones: as objects of adit_pool_params */
    const char *policy; /* how devices are given their shares of the backlog: "adaptive" (the default: what is done sooner with them), "round_robin" (as much as to each other tier, threads being one), "least_loaded" (the same, to whom is done
                         * with what it has before the threads are with the backlog), "capability" (what is more than a chunk for each thread, the first device before the next) */
    bool background; /* threads, of devices, too, and processes: as of adit_pool_params */
};
/* Meshes dirty chunks until closed, on threads of this process, and in worker processes (adit_tasks.h); several may run on one arena. Before detach it is closed. Its workers are a pool
 * on the queue "adit.mesh", which it makes with the default shape unless it is there (adit_queue_open): what else is submitted there they run, too, by priority; meshes
 * are NORMAL. On a machine of several nodes with processors it may use, threads and processes are shared out among these by their processors, stay there, and mesh what lies there; what others do not get
 * to they mesh also (adit_dispatcher_node tells), the nearest first. Then the first node
 * serves "adit.mesh", and each further one a queue of its own. One of them looks what is dirty and meshes as well, unless there are processes only. A chunk that kills each worker that meshes it (3 in a row) is given up: it counts as
 * settled, gets no mesh until another version of it is published, and is told of by adit_dispatcher_tier. Producers
 * only: -EROFS. -EINVAL: no such policy, no such kernel on this machine, too many workers, or devices only and processes; -ENOMEM; -EAGAIN: the kernel gives no more threads; -ENOSPC, -EEXIST: there is no room
 * for that queue (one thread alone does without), or it has another shape; with processes it blocks, and fails, as adit_pool_open. */
ADIT_API int adit_dispatcher_open(struct adit_arena *arena, const struct adit_dispatcher_params *params,
                                  struct adit_dispatcher **out);
/* Blocks until the chunks in work are done and threads and processes have ended, mostly some milliseconds; what is dirty stays so, for others. */
ADIT_API void adit_dispatcher_close(struct adit_dispatcher **dispatcher);

struct adit_tier_info {
    char name[32];   /* "threads", "vulkan:0", "processes" */
    uint32_t workers; /* of threads and processes: how many there are */
    uint64_t meshed; /* chunks, by this dispatcher; what it handed to its queue counts here also when another dispatcher's workers did it */
    uint64_t in_place; /* of a device: chunks that were not for it (air, one material), meshed by its thread's kernel */
    bool is_lost;    /* a device that is given nothing any more */
    uint64_t deaths;   /* of processes: how many ended without being asked; others took their places */
    uint64_t given_up; /* of threads and processes: chunks that killed who meshed them */
    char why[160];   /* in one line, when it is lost; of the last chunk given up */
};
/* The tiers of a dispatcher: 0, its threads, then the devices, then its processes, if it has any. -ERANGE: there are no more. Any thread; of threads and processes it may block some
 * milliseconds, for workers that have just published to say so. */
ADIT_API int adit_dispatcher_tier(const struct adit_dispatcher *dispatcher, uint32_t tier, struct adit_tier_info *out);
/* One moment at which a device could have been given some of the backlog, and what came of it. */
struct adit_share_report {
    size_t size;
    uint64_t at_ns;              /* CLOCK_MONOTONIC */
    uint32_t backlog, threads;   /* chunks that waited; threads and processes that take from the same backlog */
    uint32_t taken;              /* chunks that the device went for; others may have been quicker */
    uint64_t thread_ns;          /* a chunk on one of those, in the mean; 0: not known yet */
    uint64_t fixed_ns, each_ns;  /* what n chunks cost the device: fixed + n x each; 0: not known yet */
    uint64_t busy_ns;            /* until it has done what it has */
    const char *why;             /* "done sooner with it", "done sooner without it", "slower than the threads whose processors it takes", "tried: its price is not known", "tried: prices change",
                                  * "waits until its price is known", "waits until the price of a thread is known", "there are no threads"; or the policy's name */
};
/* The decision before the last `back` ones, of the last 64, about tier (1: the first device), as adit_dispatcher_tier counts; of decisions in a row that give nothing for the same reason there is one. -ERANGE: no
 * such device, or decision; -EMSGSIZE. Any thread. */
ADIT_API int adit_dispatcher_explain(const struct adit_dispatcher *dispatcher, uint32_t tier, uint32_t back, struct adit_share_report *out);
/* One node's share of a dispatcher. */
struct adit_node_info {
    size_t size;
    int32_t node; /* the kernel's number; -1: the dispatcher does not tell nodes apart */
    uint32_t threads, processes;
    uint64_t meshed[16]; /* chunks, by the data segment (adit_stats) that their version lay in; 0: in none */
};
/* The share of number index. -ERANGE: there are no more; -EMSGSIZE. Otherwise as adit_dispatcher_tier. */
ADIT_API int adit_dispatcher_node(const struct adit_dispatcher *dispatcher, uint32_t index, struct adit_node_info *out);
/* Blocks until no chunk is dirty or in work anywhere in the arena: every version published before the call then has its mesh,
 * be it one of no quads. What viewers see in frames is meshed by these (adit_viewer_place.frame_ns), so it may last one longer. At most timeout_ns (UINT64_MAX: for ever): -ETIMEDOUT. -ENOMEM: the arena has no room for a mesh; -EROFS:
 * not for observers and guests. */
ADIT_API int adit_settle(struct adit_arena *arena, uint64_t timeout_ns);
/* How far meshing is behind, as numbers that a producer can act on: publishing itself never waits for it. */
struct adit_backlog {
    size_t size;
    uint32_t dirty, in_work; /* chunks that wait for their mesh; that somebody is at */
    uint64_t oldest_ns; /* how long the one has waited that has waited longest, of 256; 0: none waits */
    uint64_t each_ns;   /* what a mesh took lately, of all who mesh together: between two looks of this process, 5 ms apart or more, that both found something waiting; 0: there were none yet, or since then looks have found something waiting for 2 s, and nothing meshed */
    uint64_t clear_ns;  /* until what waits now has its mesh: dirty times each, or the oldest's wait if that is longer */
};
/* Looks how far it is. Any thread, also of consumers and observers; does not block. 0.3 us, 3.5 more where much waits, and 0.1 for each thousand keys of the store; where there are viewers it walks over what waits, besides. -EMSGSIZE; -EROFS: a guest does not see it. */
ADIT_API int adit_backlog(struct adit_arena *arena, struct adit_backlog *out);

#ifdef __cplusplus
}
#endif

#endif
