/* adit_look.h - looking in further than adit_stats: chunk by chunk, task by task, lock by lock, for tools that show an arena. Part of adit.h, which includes it.
 *
 *     static int count(const struct adit_chunk_info *chunk, void *user) { *(uint64_t *)user += chunk->state == ADIT_CHUNK_DIRTY; return 0; }
 *
 *     uint64_t dirty = 0;
 *     adit_chunk_each(a, count, &dirty);                              what adit_stats counts, one by one
 *     struct adit_lock_info lock = {.size = sizeof lock};
 *     for (uint32_t slot = 0; adit_lock_get(a, slot, &lock) != -ERANGE; slot++) ...
 *
 * All of these: any role, any thread, on a live arena or an image (adit_image_open); they store nothing, take nothing, and wait for nobody. Each thing is told as it is at the moment it is
 * looked at, while others go on, so two of them need not fit together. Times are CLOCK_MONOTONIC of the machine that the arena is on, 0: never. A pid is 0 where nobody is, or has left. Text is
 * cut to its field and ends with a 0; what bytes are in it is up to who wrote them. Numbers of slots: from 0; -ENOENT: that slot is free; -ERANGE past the last, and of everything that a guest
 * does not see; -EMSGSIZE: out->size is not that of this library. Calls with each() stop when it returns non-zero and return that, else 0. Of their failures only -EMSGSIZE keeps a line
 * (adit_detail).
 */
#ifndef ADIT_LOOK_H
#define ADIT_LOOK_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- chunks ----------------------------------------------------------------------------------------------------- */

/* IN_WORK: somebody meshes it, or enters or forgets its key. DIRTY: to be meshed. NONE: a key without a version, as one that is just being published. GIVEN_UP: its version killed whoever
 * meshed it. REMOVED: its version says that there are no voxels. CLEAN: none of these. Of several the one that stands first here. */
enum adit_chunk_state { ADIT_CHUNK_NONE, ADIT_CHUNK_CLEAN, ADIT_CHUNK_DIRTY, ADIT_CHUNK_IN_WORK, ADIT_CHUNK_GIVEN_UP, ADIT_CHUNK_REMOVED, ADIT_CHUNK_STATES };
struct adit_chunk_info {
    struct adit_key key;
    uint8_t state;        /* enum adit_chunk_state */
    uint8_t encoding;     /* 1 uniform, 2 bricks, 3 dense, 4 removed; 0: none, or damaged */
    int16_t node;         /* that its version lies on; -1: not bound, or none */
    uint64_t version;     /* its number, 0: none */
    uint64_t mesh;        /* the serial of its mesh, 0: none */
    uint64_t published_ns;
    uint64_t dirty_ns;    /* since when it has been dirty; of use while it is */
    uint32_t bytes, mesh_bytes; /* of the blocks, in whole granules */
    uint32_t solid;       /* voxels that are not air */
    uint32_t quads;
    uint32_t pid;         /* IN_WORK: who is at it */
};
/* Every key of the store, in no order. Takes as long as a walk over chunks_max words. */
ADIT_API int adit_chunk_each(const struct adit_arena *arena, int (*each)(const struct adit_chunk_info *chunk, void *user), void *user);

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

enum adit_block_use { ADIT_BLOCK_IS_FREE = 1, ADIT_BLOCK_IS_LOANED /* or just being taken or given back */, ADIT_BLOCK_IS_PUBLISHED, ADIT_BLOCK_IS_RETIRED };
struct adit_block_info {
    uint64_t bytes;
    uint32_t segment; /* 0: the heap */
    enum adit_block_use use;
    int32_t slot;     /* of the participant that has it (LOANED, RETIRED) or published it; -1: nobody, or one that has left */
};
/* Every block and every free run, by segment and address. About 1 ms a GiB. A guest sees data segments alone. */
ADIT_API int adit_block_look_each(const struct adit_arena *arena, int (*each)(const struct adit_block_info *block, void *user), void *user);
/* Bytes of the blocks that the participant in a slot has pinned. */
ADIT_API int adit_pinned_get(const struct adit_arena *arena, uint32_t slot, uint64_t *bytes);

/* ---- tasks ------------------------------------------------------------------------------------------------------ */

#define ADIT_QUEUE_LEVELS 5u
/* One level of a queue: tasks by where they are, and what became of those whose slots have not been used again since. */
struct adit_level_info {
    uint64_t held, delayed, queued, running; /* held: for other tasks; running: those being committed among them */
    uint64_t done, cancelled, expired, poisoned; /* ended, and nobody has taken the result yet */
    uint64_t again;     /* of those that have not ended, begun more than once */
    uint64_t oldest_ns; /* since when the one that has waited longest could have run; 0: none is queued */
};
struct adit_queue_view {
    size_t size;
    char name[48];
    uint32_t order;    /* enum adit_queue_order */
    uint32_t levels_n; /* 5, by enum adit_priority from CRITICAL on, or 1 */
    uint32_t capacity; /* of a level */
    uint32_t sleepers; /* workers that sleep until there is a task */
    uint64_t hot_ns, asleep_ns, busy_ns; /* as adit_queue_look */
    struct adit_level_info levels[ADIT_QUEUE_LEVELS];
};
/* Walks all of the queue's slots. -EPROTO: it is damaged. */
ADIT_API int adit_queue_get(struct adit_arena *arena, uint32_t slot, struct adit_queue_view *out);

enum adit_task_where { ADIT_TASK_IS_HELD = 1, ADIT_TASK_IS_DELAYED, ADIT_TASK_IS_QUEUED, ADIT_TASK_IS_RUNNING, ADIT_TASK_IS_COMMITTED, ADIT_TASK_IS_DONE, ADIT_TASK_IS_CANCELLED,
                       ADIT_TASK_IS_EXPIRED, ADIT_TASK_IS_POISONED };
struct adit_task_view {
    uint64_t task;      /* its handle */
    uint64_t tag, progress, since_ns; /* since_ns: since when it could have run */
    uint32_t queue, level, kind;
    uint32_t attempt, attempts_max;
    uint32_t pid, submitter_pid; /* pid: RUNNING: of the worker */
    int32_t status;     /* DONE: its status */
    enum adit_task_where where;
    bool is_detached, is_cancelled;
};
/* Every task of every queue whose slot is in use: what has not ended, or whose result nobody has taken. */
ADIT_API int adit_task_each(struct adit_arena *arena, int (*each)(const struct adit_task_view *task, void *user), void *user);

/* A worker process's seat. */
struct adit_seat_info {
    size_t size;
    enum adit_worker_state state;
    bool is_zygote;     /* not a worker: the process that forks a pool's */
    bool is_parked;     /* it stands by: READY, and takes no task until it is told to */
    bool is_worn;       /* to be replaced */
    uint32_t pid, pool_pid; /* pid: 0 before READY; pool_pid: of the process whose pool it is */
    uint32_t sat;       /* how many have sat here, this one among them: those before have died, or were replaced */
    uint32_t confined_by; /* enum adit_confined_by, ored */
    uint64_t task;      /* BUSY: the handle of what it runs */
    uint64_t tasks, born_ns; /* run so far; READY since */
};
/* Who sits in a seat, of whatever pool of whatever process. */
ADIT_API int adit_seat_get(const struct adit_arena *arena, uint32_t slot, struct adit_seat_info *out);

/* ---- locks, watches, viewers ------------------------------------------------------------------------------------ */

struct adit_lock_info {
    size_t size;
    char name[48];
    uint32_t bytes;     /* of the object; 0: one of the arena's own */
    bool is_held, is_waited, has_died; /* is_waited: somebody may sleep for it; has_died: its holder died, and nobody has taken it since */
    uint32_t pid;       /* of who holds it */
    uint32_t deaths;    /* holders that died, as far as those who took it next have counted */
    uint64_t commits;   /* of the object */
};
/* The first three are the arena's own: "(keeper)", "(naming)", "(uses)"; the named ones follow. */
ADIT_API int adit_lock_get(const struct adit_arena *arena, uint32_t slot, struct adit_lock_info *out);

struct adit_watch_info {
    size_t size;
    uint32_t pid, what, lapses; /* what: ADIT_WATCH_CHUNKS, _MESHES */
    bool is_active;     /* publishers tell it; else it is being set up or ended */
    bool is_waited;     /* its thread sleeps */
    int32_t node;       /* that its thread was on, -1: not known */
    int32_t lo[3], hi[3];
    uint64_t pending;   /* changes it has not taken yet */
};
/* A watch, of whatever participant; those of guests come first. */
ADIT_API int adit_watch_get(const struct adit_arena *arena, uint32_t slot, struct adit_watch_info *out);

struct adit_viewer_info {
    size_t size;
    uint32_t pid;
    uint8_t world;
    bool is_active;
    float at[3], toward[3], radius; /* whatever its owner stored, so maybe no numbers */
    uint64_t frame_ns;  /* how long its frames are, 0: it looks all the time */
};
/* A viewer (adit_frames.h), of whatever participant. */
ADIT_API int adit_viewer_get(const struct adit_arena *arena, uint32_t slot, struct adit_viewer_info *out);

/* ---- frame loops ------------------------------------------------------------------------------------------------ */

/* A loop at a rate that counts its frames in the arena (adit_frame_params.arena): also one that was closed, or whose process has died, until others have come in its place. */
struct adit_frame_loop_info {
    size_t size;
    uint32_t who;      /* whose, as adit_metric_thread's */
    uint32_t pid, tid; /* of its thread, as it was opened */
    bool is_here;      /* it is open, or its process is dead and not recovered yet */
    uint64_t since_ns, left_ns; /* CLOCK_MONOTONIC; left_ns 0: it is here */
    uint64_t period_ns, frames, skipped; /* frames that have ended, and those that passed without a wait, ever */
    char label[32];    /* the participant's */
    uint32_t points_n;
    struct adit_frame_point_info points[ADIT_FRAME_POINTS];
    uint64_t offset_ns[ADIT_FRAME_POINTS]; /* from the frame's begin: until when each is to be reached */
};
/* What is known of loop number loop (from 0). 0; -ENOENT: there is none, or another has come in its place meanwhile; -ERANGE: there are no more; -EMSGSIZE. Any thread, observers included. Wait-free. */
ADIT_API int adit_frame_loop_get(const struct adit_arena *arena, uint32_t loop, struct adit_frame_loop_info *out);

#define ADIT_FRAME_LOOP_FRAMES 128u /* that are kept of a loop */
struct adit_frame_past {
    uint64_t number;           /* from 1 */
    uint64_t begin_ns;         /* CLOCK_MONOTONIC at which it was to begin */
    uint64_t late_ns, took_ns; /* how much later it began; from when it was to begin to its end, more than a period: it was too long */
    uint32_t skipped;          /* whole frames that passed behind it without a wait; 32,767 and more */
    uint32_t missed;           /* points reached too late, bit i: point i */
};
/* The last frames of a loop, at most max, oldest first; those that are being overwritten are left out. Returns how many. */
ADIT_API int adit_frame_loop_frames(const struct adit_arena *arena, uint32_t loop, struct adit_frame_past *out, uint32_t max);

#ifdef __cplusplus
}
#endif

#endif
