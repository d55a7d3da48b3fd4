/* shmtop_snapshot.h - all that shmtop has seen of an arena at one time; copies only, with bounded memory.
 */
#ifndef ADIT_SHMTOP_SNAPSHOT_H
#define ADIT_SHMTOP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"
#include "tools/shmtop_limits.h"

#define SHMTOP_CHUNKS_MAX 65536u /* kept of a snapshot; those beyond are counted */
#define SHMTOP_TASKS_MAX 4096u
#define SHMTOP_EVENTS_MAX 1024u /* the newest of all */
#define SHMTOP_EVENTS_EACH 32u  /* and so many of each participant, however old */
#define SHMTOP_BLOCK_CLASSES 25u /* class i: blocks of more than 256 << i to 512 << i bytes; what is larger is in the last */

struct shmtop_participant {
    struct adit_participant_info info;
    uint64_t pinned_bytes, loaned_bytes, retired_bytes; /* retired: of blocks that are its to reclaim */
    uint64_t active_ns; /* taken_ns of the snapshot in which one of its counters had moved last; 0: in none (shmtop_model.h) */
};
struct shmtop_kind_seen {
    uint32_t id;
    struct adit_kind_info info;
};
struct shmtop_queue_seen {
    uint32_t slot;
    struct adit_queue_view view;
};
struct shmtop_seat_seen {
    uint32_t slot;
    struct adit_seat_info info;
};
struct shmtop_blocks {
    uint64_t blocks, bytes, loaned, published, retired; /* the last three: bytes of them */
    uint64_t runs, free;                                /* free runs, their bytes */
};
struct shmtop_lock_seen {
    uint32_t slot;
    struct adit_lock_info info;
};
struct shmtop_ring_seen {
    uint32_t slot;
    struct adit_ring_info info;
};
struct shmtop_watch_seen {
    uint32_t slot;
    struct adit_watch_info info;
};
struct shmtop_viewer_seen {
    uint32_t slot;
    struct adit_viewer_info info;
};

/* Who counts in the arena, or has counted: it may have left, or died (adit_metric_thread). */
struct shmtop_member {
    uint32_t who, slot, pid, threads;
    uint32_t told;   /* of its events, in the snapshot */
    uint64_t events; /* of it, ever */
    bool is_here;
    char label[32];
};

#define SHMTOP_FRAMES 100u /* of a loop, the last ones */
struct shmtop_loop_seen {
    uint32_t slot, past_n;
    struct adit_frame_loop_info info;
    struct adit_frame_past past[SHMTOP_FRAMES]; /* oldest first */
};

/* A histogram of the arena's, all its labels together. */
struct shmtop_latency {
    uint32_t metric;
    struct adit_histogram all;
};

/* What meshes, as the arena's metrics tell of it: a label of meshes_made, and of mesh_ns; and the mean and the sum of those. */
struct shmtop_maker_seen {
    uint32_t maker;
    char name[16];
    uint64_t meshes, median_ns, spent_ns;
};
/* A device, by its number at its dispatcher: gauges are of who is attached, and sums of several dispatchers. */
struct shmtop_device_seen {
    uint32_t device;
    int64_t tiers, off, fixed_ns, each_ns, chunks;
    uint64_t meshes, busy_ns;
};
/* What threads, or worker processes, have run of tasks. */
struct shmtop_crew_seen {
    uint64_t runs, spent_ns;
};

/* What has come to its limit (shmtop_alarm.h). */
struct shmtop_alert {
    enum shmtop_limit limit;
    uint64_t id;       /* of what it is of, among those of its limit */
    uint64_t since_ns; /* as the arena's clock */
    uint64_t value;    /* in the limit's unit */
    char about[56];
};

/* A growing array of what was seen. */
#define SHMTOP_LIST(type, name) \
    type *name;                 \
    uint32_t name##_n, name##_max

struct shmtop_snapshot {
    uint64_t taken_ns;      /* CLOCK_MONOTONIC */
    uint64_t taken_wall_ns; /* CLOCK_REALTIME */
    uint64_t now_ns;        /* what ages count to: taken_ns, or the latest moment that an image tells of */
    size_t bytes;           /* that it takes, itself included */
    bool is_short;          /* memory did not suffice for all of it */
    struct adit_stats stats;
    uint64_t chunks_all, tasks_all; /* that there were */
    struct shmtop_blocks blocks[16][SHMTOP_BLOCK_CLASSES]; /* by segment */
    SHMTOP_LIST(struct shmtop_participant, participants);
    SHMTOP_LIST(struct adit_chunk_info, chunks); /* sorted by shmtop_chunk_compare */
    SHMTOP_LIST(struct shmtop_kind_seen, kinds);
    SHMTOP_LIST(struct shmtop_queue_seen, queues);
    SHMTOP_LIST(struct adit_task_view, tasks);
    SHMTOP_LIST(struct shmtop_seat_seen, seats);
    SHMTOP_LIST(struct shmtop_lock_seen, locks);
    SHMTOP_LIST(struct shmtop_ring_seen, rings);
    SHMTOP_LIST(struct shmtop_watch_seen, watches);
    SHMTOP_LIST(struct shmtop_viewer_seen, viewers);
    SHMTOP_LIST(struct shmtop_member, members);
    SHMTOP_LIST(struct adit_flight_event, events); /* the newest first */
    uint64_t events_all; /* that the recorders held */
    int64_t frames_missed, tiers_off; /* of all there are and were; of who is attached */
    SHMTOP_LIST(struct shmtop_loop_seen, loops);
    SHMTOP_LIST(struct shmtop_latency, latencies);
    SHMTOP_LIST(struct shmtop_maker_seen, makers);
    SHMTOP_LIST(struct shmtop_device_seen, devices); /* those that are there, or have meshed */
    struct shmtop_crew_seen by_threads, by_processes; /* without what adit_run runs in place, which kinds count */
    SHMTOP_LIST(struct shmtop_alert, alerts);
    double reached[SHMTOP_LIMITS]; /* how much of a limit is the most that was measured of it, 1: all */
    char grade; /* A to F */
};

struct shmtop_snapshot *shmtop_snapshot_new(void);
void shmtop_snapshot_free(struct shmtop_snapshot *snapshot);

/* A place for one more in a list of it, zeroed; NULL: memory is short, and is_short says so. */
#define shmtop_snapshot_more(s, list) \
    ((__typeof__((s)->list))shmtop_snapshot_grow((s), (void *)&(s)->list, &(s)->list##_n, &(s)->list##_max, sizeof *(s)->list))
void *shmtop_snapshot_grow(struct shmtop_snapshot *s, void *list, uint32_t *n, uint32_t *max, size_t bytes);

/* By world, level of detail, y, z, x. */
int shmtop_key_compare(const struct adit_key *a, const struct adit_key *b);
void shmtop_snapshot_sort(struct shmtop_snapshot *s);
/* The chunk of a key; NULL: there was none, or it is not kept. */
const struct adit_chunk_info *shmtop_snapshot_chunk(const struct shmtop_snapshot *s, const struct adit_key *key);
/* Who that is; NULL: it counts there no more, and others do in its place. */
const struct shmtop_member *shmtop_snapshot_member(const struct shmtop_snapshot *s, uint32_t who);
/* One number for a key, other than that of any other key. */
uint64_t shmtop_key_id(const struct adit_key *key);
/* The class of so many bytes. */
uint32_t shmtop_block_class(uint64_t bytes);

#endif
