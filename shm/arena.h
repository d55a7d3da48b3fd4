/* arena.h - this process's side of an arena: mappings, checked tables, who we are. Private memory, one a process and attach.
 *
 * Everything here that came out of shared memory was checked once at attach and copied: offsets and counts are never read
 * from the control segment again, so a damaged or hostile one cannot lead a process outside its mappings.
 */
#ifndef ADIT_ARENA_H
#define ADIT_ARENA_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shm/atomics.h"
#include "shm/fault.h"
#include "shm/layout.h"
#include "shm/membarrier.h"
#include "shm/os.h"
#include "shm/rendezvous.h"
#include "shm/segment.h"

enum { ADIT_ROLE_PRODUCER = 1, ADIT_ROLE_CONSUMER, ADIT_ROLE_OBSERVER, ADIT_ROLE_GUEST };

struct adit_guest;
struct adit_keeper;
struct adit_reclaimer;
struct adit_reader_pool;

/* A segment as this process sees it; 64 bytes, so that a commit word's segment scales to it by a shift. */
struct adit_base {
    uint8_t *base;
    uint64_t heads; /* granules of the mapping: the head of a block lies in one of these */
    uint64_t bytes;
    uint64_t *words;             /* block words, in the control segment */
    struct adit_extent *hints;
    uint32_t granules;           /* words; granule i lies at base + (first + i) * 512 */
    uint32_t first;
    uint32_t extents;
    int32_t node;
    uint64_t pad;
};
_Static_assert(sizeof(struct adit_base) == 64, "see above");

/* What the reclaimer's thread does besides, and what it remembers of it: zeroes at first, and that thread's own. */
struct adit_sweep {
    uint64_t next_ns, pause_ns; /* not before then; which is so long after the last time */
    uint32_t at;      /* where it goes on */
};
struct adit_arena;
typedef void adit_mind(struct adit_arena *arena, struct adit_sweep *sweep);

struct adit_arena {
    struct adit_control *control;
    struct adit_waits *waits; /* NULL: a guest, as what else stands behind inner_at */
    struct adit_base segments[ADIT_SEGMENTS_MAX];
    uint32_t segments_n;
    uint32_t homes_n;                     /* near.h, as what follows, by segment */
    uint8_t homes[ADIT_SEGMENTS_MAX];
    uint8_t near[ADIT_SEGMENTS_MAX][ADIT_SEGMENTS_MAX], distance[ADIT_SEGMENTS_MAX][ADIT_SEGMENTS_MAX];
    uint32_t placement;                   /* enum adit_placement (runtime/placement.h); out of shared memory: any number */
    bool is_strict;                       /* and nowhere else */
    uint32_t role;
    uint32_t owner; /* 0: observer, guest */
    uint32_t fenced; /* readers fence at every enter (no membarrier on this host) */
    uint32_t pins_each;
    bool is_bare;  /* of adit_attach_plan */
    bool is_image; /* of a file (image.h): its participants are of another time */
    uint64_t image_ns, image_wall_ns; /* when it was saved, CLOCK_MONOTONIC and _REALTIME; 0: it is none */
    struct adit_participant *self; /* NULL: observer, guest */
    struct adit_participant *participants;
    struct adit_reader_slot *readers;
    uint64_t *pins;
    uint64_t *keys;
    struct adit_entry *entries;
    uint64_t *dirty; /* two bit sets over the entries: dirty, working */
    struct adit_watch_slot *watches;
    uint64_t *watch_bits;
    struct adit_material *materials;
    struct adit_ring_slot *rings;
    struct adit_lock_slot *locks;
    struct adit_kind_slot *kinds;
    struct adit_queue_slot *queues;
    struct adit_task_slot *tasks;
    struct adit_task_after *task_after;
    uint64_t *task_blockers;
    struct adit_task_uses *task_uses;
    uint64_t *task_use_bits;
    struct adit_task_wants *task_wants;
    struct adit_task_memory *task_memory;
    uint64_t *task_groups; /* adit_task_groups(tasks_max) */
    struct adit_buffer_slot *buffers;
    struct adit_worker_slot *workers;
    struct adit_viewer_slot *viewers; /* ADIT_VIEWERS_MAX */
    struct adit_metric_slot *metrics; /* ADIT_METRICS_MAX */
    struct adit_metric_shard *metric_shards;
    struct adit_metric_cell *metric_cells;
    struct adit_metric_common *metric_commons; /* ADIT_METRIC_SERIES */
    uint32_t metric_shards_n, metric_cells_n;
    struct adit_frame_slot *frames; /* ADIT_FRAME_SLOTS */
    uint64_t metrics_serial;           /* metrics.h: of this attach, 0: nothing is counted */
    uint32_t kinds_max, queues_max, tasks_max, buffers_max, workers_max;
    uint32_t participants_max, readers_max, chunks_max, watches_max, materials_max, rings_max, locks_max;
    uint32_t guests_max;
    uint32_t bits_words;        /* words of one bit set over the store's entries, its summary included */
    uint32_t pin_hint;          /* where the next pin looks first; relaxed */
    struct adit_mapping maps[ADIT_SEGMENTS_MAX]; /* 0: control */
    struct adit_guest *guest;          /* guest.h; NULL: another role */
    int guest_pages[ADIT_GUESTS_MAX], guest_bells[ADIT_GUESTS_MAX]; /* descriptors, the first guests_fds of them; every trusted participant's */
    uint32_t guests_fds;
    struct adit_keeper *keeper;        /* NULL: an observer, a guest */
    int (*recover)(struct adit_arena *arena, uint32_t slot); /* runtime/recover.h; called by the keeper */
    adit_mind *mind; /* runtime/tombstone.h; called by the reclaimer's thread after each round; may be NULL */
    struct adit_reclaimer *reclaimer;  /* NULL: publishes nothing */
    struct adit_reader_pool *pool;     /* readers this library itself uses */
    struct adit_classes *classes;      /* runtime/material.h */
    struct adit_kind_here *kinds_here; /* runtime/kind.h */
    uint32_t left_committed;           /* 1: this process has left a task COMMITTED, for its sleepers to conclude; relaxed */
    struct adit_rate { /* runtime/backlog.c, under its lock: how fast meshes are made */
        pthread_mutex_t lock;
        uint64_t at_ns, count, each_ns, stalled_ns;
        bool has_waited;
    } meshing;
    struct adit_memory_here {          /* runtime/task_wants.h: of this process's reservations, under its lock */
        pthread_mutex_t lock;
        uint64_t available, looked_ns;           /* as it was then */
        uint64_t refused, again_ns, patience_ns; /* so many bytes were not to be had; until when nobody looks again; how long that was */
        uint64_t room;                           /* that there would have been, had all reservations ended */
    } memory_here;
    uint32_t workers_here[ADIT_QUEUES]; /* runtime/task_wants.h: of this participant's on each queue, under the lock of memory_here; one at least: its bit is in at_work */
    struct adit_watch *watches_open;   /* runtime/watch.c: this process's, under watches_lock */
    pthread_mutex_t watches_lock;
    struct adit_scratch *scratch[64];  /* runtime/scratch.h, by the pool index of a borrowed reader */
    pthread_mutex_t classes_lock;
    char notes[1024];
    char name[ADIT_NAME_BYTES];
    char place[ADIT_PLACE_BYTES]; /* where the name is (rendezvous.h), as it was at create or attach */
    char guest_path[ADIT_GUEST_PATH_BYTES]; /* of the guests' socket, "": none */
};

/* What create is told; all fields set. */
struct adit_arena_plan {
    const char *name;
    const char *label;
    uint64_t data_bytes;
    uint32_t chunks_max, participants_max, readers_max, watches_max, pins_max, materials_max, guests_max, tasks_max, buffers_max;
    const char *guest_path; /* NULL: guests come by the name only */
    uint64_t heap_bytes, hold_max_bytes;
    bool seal_writers, tt_none, ao, strict_nodes;
    uint32_t placement; /* enum adit_placement */
    enum adit_pages pages;
    int (*recover)(struct adit_arena *arena, uint32_t slot);
    adit_mind *mind;
};

/* What attach is told. */
struct adit_attach_plan {
    const char *name;
    const char *label;
    uint32_t role;
    uint64_t timeout_ns;
    bool is_bare; /* no threads: neither a keeper's nor a reclaimer's; for a process that forks, and its children */
    int (*recover)(struct adit_arena *arena, uint32_t slot);
    adit_mind *mind;
};

/* See adit_create, adit_attach, adit_detach in runtime/adit.h; these do their work. */
int adit_arena_create(const struct adit_arena_plan *plan, struct adit_arena **out);
int adit_arena_attach(const struct adit_attach_plan *plan, struct adit_arena **out);
void adit_arena_detach(struct adit_arena **arena);
/* In a child of fork(), whose parent has attached bare and has one thread: the child becomes a participant of its own. What the parent has of the arena
 * (slot, readers, watches, what it retired) stays the parent's. -EUSERS, -EMFILE, -ENOMEM: the child is none, and must not use the arena. */
int adit_arena_rejoin(struct adit_arena *arena, const char *label);
/* An observer's arena on segments that the caller has mapped, maps[0..n-1], control first; they are taken over, also on failure. */
int adit_arena_adopt(const char *name, const struct adit_mapping *maps, uint32_t n, struct adit_arena **out);

/* The bytes [ref, ref + bytes) of the arena, or NULL when any of them lies outside its segment: the one way from a ref to a
 * pointer. Any thread, wait-free. */
static inline void *adit_arena_at(const struct adit_arena *arena, uint64_t ref, uint64_t bytes)
{
    uint32_t s = adit_ref_segment(ref);
    uint64_t byte = adit_ref_byte(ref);
    if (s >= arena->segments_n || byte > arena->segments[s].bytes || bytes > arena->segments[s].bytes - byte)
        return NULL;
    return arena->segments[s].base + byte;
}

/* The first granule of the block that a commit word names (512 bytes may be read there), or NULL when it lies outside. The
 * short form of at for the read path. */
static inline void *adit_arena_head(const struct adit_arena *arena, uint64_t commit)
{
    const struct adit_base *b = &arena->segments[commit >> 32 & (ADIT_SEGMENTS_MAX - 1)];
    uint64_t granule = commit & 0xffffffffu;
    return granule < b->heads ? b->base + (granule << ADIT_GRANULE_SHIFT) : NULL;
}

#endif
