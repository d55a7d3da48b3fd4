/* adit_tasks.h - tasks: work handed to workers in any process, that no death loses or commits twice. Part of adit.h, which includes it.
 *
 *     static int blur(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes) { ... return 0; }
 *
 *     struct adit_kind_params blurs = {.size = sizeof blurs, .name = "blur", .run = blur, .args_bytes_max = 16};
 *     uint32_t kind;                                              in every process that submits or runs it
 *     adit_kind_register(a, &blurs, &kind);
 *     struct adit_queue *q;  adit_queue_open(a, "work", NULL, &q);
 *     struct adit_pool *p;   adit_pool_open(q, NULL, &p);         in processes that work
 *
 *     struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &args, .args_bytes = sizeof args};
 *     uint64_t task;                                              in processes that submit
 *     adit_submit(q, &s, &task);
 *     struct adit_task_result r = {.size = sizeof r};
 *     adit_wait(q, task, ADIT_FOR_EVER, &r);                      r.status, r.data
 *
 * What is submitted is run, whoever dies: a worker's death gives the task to another worker, a submitter's leaves it to the queue. A task may
 * run more than once (an attempt whose worker died leaves nothing in it), and is committed once: its status and result are those of the one
 * attempt that ended. After attempts_max deaths it is *poisoned* and runs no more.
 *
 * Who detaches leaves what it submitted to the queue likewise: it is run, and nobody else need take its result.
 *
 * Producers and consumers may do all of this; observers and guests get -EROFS. Handles of queues may be used by all threads of a process at once.
 */
#ifndef ADIT_TASKS_H
#define ADIT_TASKS_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ADIT_FOR_EVER UINT64_MAX /* as a timeout_ns */
#define ADIT_TASK_DATA_BYTES 64u /* of arguments, and of a result */

struct adit_queue;
struct adit_pool;

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

/* How a task uses a buffer. Tasks that write a buffer, and those that read it, run in the order of their submission: as if one after the other. */
enum adit_access { ADIT_READ = 1, ADIT_WRITE /* all of it anew; zeroes before */, ADIT_READ_WRITE /* a copy of what it was, to be changed */ };
struct adit_use {
    uint64_t buffer;
    enum adit_access access;
};
#define ADIT_USES_MAX 4u /* buffers of one task */

/* A buffer in a task that runs: of READ data is the arena's, read-only whatever it says; else a block that becomes the buffer's content when the task is committed. All of the call is one section of a reader. So a
 * kind that is at its buffers for long, while others replace more than hold_max_bytes (adit_create_params) of whatever the arena holds, is ousted as any reader: its status is -ESTALE, the attempt counts, and it is tried again while there
 * are attempts left. One that takes seconds beside such a flow copies what it reads into memory of its own first, in a task for that, or the arena gets a larger hold_max_bytes. A task waits up to 10 s for a reader where others have all that there are
 * (64 a process, readers_max in all); then its status is -EAGAIN or -EUSERS. */
struct adit_task_buffer {
    void *data;
    uint64_t bytes;
    enum adit_access access;
};

/* What a kind is told of the task it runs. */
struct adit_task_run {
    struct adit_arena *arena;
    void *user;         /* of this process's adit_kind_register */
    uint64_t task, tag; /* handle, 0: an item of a batch that is no task; the submitter's */
    uint32_t args_bytes;
    uint32_t attempt; /* from 1 */
    uint32_t buffers_n;
    struct adit_task_buffer buffers[ADIT_USES_MAX];
    uint64_t ends_ns;     /* CLOCK_MONOTONIC: when it is to stop; 0: no limit */
    const uint64_t *word; /* these three are for adit_task_should_stop and adit_task_progress alone */
    const uint32_t *stop;
    uint64_t *progress;
};

/* Runs one task on one worker's thread: args are args_bytes of the submitter's, aligned to 16 and valid during the call; result has room for
 * ADIT_TASK_DATA_BYTES, of which *result_bytes (0 before) are kept. 0 or a negative errno, which becomes the task's status; what it
 * stored in result goes along either way. It must not call adit_pool_close, fork, or end its thread.
 *
 * To find one that writes where it must not, start the processes that run it with ADIT_DEBUG=guards: it is given fenced copies of everything, and a task that writes just outside
 * of its buffers or result, or into what it may only read, ends with -EFAULT, its result being a line of text that says where; one that writes further off is killed there. Each task
 * then takes some 0.1 ms longer, on a guest of 2 busy CPUs, and as long as its bytes take to be copied. */
typedef int adit_kind_run(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes);

/* True when the task was cancelled, has reached its limit, or its pool closes: a kind that runs long looks now and then and returns -ECANCELED. Wait-free. */
ADIT_API bool adit_task_should_stop(const struct adit_task_run *run);
/* Says how far it is, in any unit, for adit_task_look. Wait-free. */
ADIT_API void adit_task_progress(const struct adit_task_run *run, uint64_t progress);

/* How much work a task is, in any unit that its cost grows with: what is known of tasks of about as much says what it will take. Quick, pure, and fit for whatever arguments: what
 * lies in an arena a mad peer may have changed. buffer_bytes: of buffers_n buffers, in the order of the task's uses. */
typedef uint64_t adit_kind_work(const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n);

/* What a process must be able to do to run a kind; one that lacks any of it leaves the kind's tasks to others. */
enum adit_can {
    ADIT_CAN_PUBLISH = 1, /* it is attached as a producer: for kinds that publish chunks or meshes */
    ADIT_CAN_AVX2 = 2,    /* its processor has AVX2 (with BMI2), and ADIT_DISABLE does not take it away */
    ADIT_CAN_AVX512 = 4,  /* likewise what adit's own AVX-512 kernels need: F, BW, VL, VBMI, VBMI2, VPOPCNTDQ, GFNI */
    ADIT_CAN_PROCESS = 8  /* it is a worker process of a pool: for kinds that may crash, or that nobody waits to stop by themselves */
};

/* What a kind needs of the machine beyond memory, clocks, threads of its own and signals to itself: all that confined worker processes (adit_pool_params.confine) are let do.
 * Standard output and error may always be written. The calls of this library that a kind may make need none of these, but for adit_create, adit_attach, adit_pool_open,
 * adit_dispatcher_open, adit_devices_open, adit_watch_fd, and adit_cancel_now. */
enum adit_needs {
    ADIT_NEEDS_FILES_READ = 1,  /* opens and reads files, lists folders */
    ADIT_NEEDS_FILES_WRITE = 2, /* the same, and makes, changes, removes them */
    ADIT_NEEDS_NETWORK = 4,     /* sockets of any family */
    ADIT_NEEDS_PROCESSES = 8,   /* starts programs, waits for them, signals others */
    ADIT_NEEDS_CODE = 16,       /* memory that can be executed: compilers, objects loaded later (which are files read, too) */
    ADIT_NEEDS_ANYTHING = 32    /* devices, namespaces, whatever it is: a worker that runs it is not confined */
};

struct adit_kind_params {
    size_t size;
    const char *name;   /* 1 to 47 characters */
    adit_kind_run *run; /* NULL: this process submits it and does not run it */
    void *user;
    uint32_t args_bytes_min, args_bytes_max, result_bytes_max; /* to 64; all processes must say the same, as of capabilities and needs */
    uint32_t capabilities; /* of enum adit_can, any of them together; default none */
    uint32_t needs;        /* of enum adit_needs, likewise */
    adit_kind_work *work; /* default: bytes of arguments and buffers; this and what follows: this process's own business */
    uint64_t guess_ns;    /* what a run takes, guess_ns + guess_each_ns * work, until that was measured; default: nothing is known */
    double guess_each_ns;
};
/* Names a kind in the arena, or finds it, and tells this process how to run it; *kind is its id, the same in all processes. A process runs the kinds it
 * has registered with run, and leaves tasks of others in the queue. run and user stay valid until detach. Blocks while others give names, 5 s at
 * most. -EEXIST: it is there with other sizes, capabilities or needs, or this process has registered it with another run; -ENOSPC: there are 64; -EINVAL: no name, sizes beyond 64, capabilities, needs or a
 * guess that there are not; -EROFS, -ENOMEM, -ETIMEDOUT, -ENOSYS. */
ADIT_API int adit_kind_register(struct adit_arena *arena, const struct adit_kind_params *params, uint32_t *kind);
/* The id of a kind that some process has registered: all that a submitter needs of one. -ENOENT. Any role but guests; wait-free. */
ADIT_API int adit_kind_find(const struct adit_arena *arena, const char *name, uint32_t *kind);

#define ADIT_KIND_CLASSES 16u
/* What the arena knows of a kind. Costs are medians of what was measured, robust: one run that takes 500 times as long moves them by a sixteenth (by half where fewer than
 * eight were measured). They are learned from every run while few are known or runs take long, else from one in up to a hundred of a worker's. */
struct adit_kind_info {
    size_t size;
    char name[48];
    uint32_t capabilities, needs;
    bool runs_here;        /* this process runs it */
    uint32_t participants; /* that run it now, as they have said */
    uint64_t runs;         /* attempts in workers, which tell before they sleep, and inlined */
    uint64_t failures;     /* of them, that returned an error */
    uint64_t inlined, offloaded; /* what adit_run chose */
    struct adit_kind_class {
        uint64_t work;      /* the least of this class; the last one has no most */
        uint64_t worker_ns; /* of the kind in a worker; 0: not measured */
        uint64_t inline_ns; /* of adit_run on the thread that called it, from call to return; 0: not measured */
        uint64_t guess_ns;  /* of this process's adit_kind_params, at that work; 0: none */
    } classes[ADIT_KIND_CLASSES];
};
/* Looks at a kind, counted while others go on. -ENOENT: no such kind; -EMSGSIZE. Any role but guests; wait-free. */
ADIT_API int adit_kind_look(const struct adit_arena *arena, uint32_t kind, struct adit_kind_info *info);

/* ---- queues ----------------------------------------------------------------------------------------------------- */

enum adit_queue_order { ADIT_ORDER_PRIORITY = 1, ADIT_ORDER_FIFO, ADIT_ORDER_LIFO };
enum adit_priority { ADIT_CRITICAL = 1, ADIT_HIGH, ADIT_NORMAL, ADIT_LOW, ADIT_IDLE };
struct adit_queue_params {
    size_t size;
    enum adit_queue_order order; /* default PRIORITY: five levels, FIFO in each; a lower one whose oldest task has waited 0.1 s a level goes before */
    uint32_t capacity;           /* tasks of each level, rounded up to a power of two; default 256 (PRIORITY), else 1,024 */
};
/* Makes a queue of that name in the arena or opens the one there is (-EEXIST when its shape differs). It stays as long as the arena. Blocks as
 * adit_kind_register. -ENOSPC: there are 16, or tasks_max leaves no room; -EINVAL: no name, order, or a capacity beyond 2^20;
 * -EPROTO: a queue that is there is damaged. */
ADIT_API int adit_queue_open(struct adit_arena *arena, const char *name, const struct adit_queue_params *params, struct adit_queue **out);
/* What handing a task of this queue to a worker, and its result back, takes beyond its run, as adit_run has learned: where a worker looks, where all sleep, where none is to be
 * seen. 0: not measured. */
struct adit_queue_info {
    size_t size;
    uint64_t hot_ns, asleep_ns, busy_ns;
};
/* Looks at what is known of the queue. -EMSGSIZE. Any thread, wait-free. */
ADIT_API int adit_queue_look(const struct adit_queue *queue, struct adit_queue_info *info);
/* Frees the handle, after pools on it are closed; the queue and its tasks stay. */
ADIT_API void adit_queue_close(struct adit_queue **queue);

/* ---- submitting ------------------------------------------------------------------------------------------------- */

/* What a task is better run near. */
enum adit_affinity {
    ADIT_ANYWHERE,
    ADIT_NEAR_NODE,  /* a NUMA node, by its number: for what lies there */
    ADIT_NEAR_WORKER /* a participant, by its slot (adit_task_result.worker): for what it has in caches or has set up for itself */
};
struct adit_task_spec {
    size_t size;
    uint32_t kind;
    enum adit_priority priority; /* default NORMAL; the same for all tasks of FIFO and LIFO queues */
    const void *args;            /* copied */
    uint32_t args_bytes;
    uint32_t attempts_max; /* to 15, deaths of workers included; default 3. A death in the second is followed by 20 ms until the next, in each further one by twice as long */
    bool retry_errors;     /* also errors of the kind are tried again, but for -ECANCELED; default: only deaths */
    bool detached;         /* nobody will wait for it: its slot is free as soon as it has ended, and what became of it is not known any more (after) */
    bool must_run;         /* -ENOTSUP where no participant has registered its kind with run now; default: it waits for one that does. Whether that one has workers on this queue, and
                            * worker processes for a kill_ns, is not looked at */
    const uint64_t *after; /* handles of tasks, of any queue, that must have ended before; those whose results were taken have. How long an old handle is good: adit_submit. Whether one failed is known until its
                            * result is taken, but of a detached one, or one whose submitter has left or died, only until it has ended: what is submitted later runs. So do not detach what others must not run
                            * without, unless they say after_failures */
    uint32_t after_n;      /* to 8 */
    const struct adit_use *uses; /* buffers, each at most once */
    uint32_t uses_n;       /* to 4 */
    bool after_failures;   /* it runs whatever became of them; default: it is cancelled when one was not done with a status of 0 or more */
    uint64_t delay_ns;     /* it may run so long from now; default at once */
    uint64_t backoff_ns;   /* before the second attempt of retry_errors, doubled before each further one; default none */
    uint64_t expires_ns;   /* so long from now it may wait to be run, be it for a worker, for tasks or for its time, then it has EXPIRED, as who waits for it, or a worker of its queue, sees; default for ever */
    uint64_t limit_ns;     /* an attempt that has run so long is asked to stop; one that then returns -ECANCELED is DONE with -ETIMEDOUT; default for ever */
    uint64_t kill_ns;      /* a worker process that has run it for so long is killed, and it has EXPIRED; a thread cannot be killed, so it is asked to stop; default never. Where the kernel has no timer left for that
                            * (RLIMIT_SIGPENDING, of all processes of a user) it is not run: DONE with -EAGAIN, which retry_errors may have tried again */
    enum adit_affinity affinity; /* default ANYWHERE */
    uint32_t near;         /* the node, or participant */
    uint64_t patience_ns;  /* so long, once it may run, it is left to a worker there, then any takes it; default 1 ms, ADIT_FOR_EVER: to those alone, be they stopped or do they not run its kind.
                            * A participant that has no workers on this queue is not waited for, nor is a node without CPUs */
    uint64_t memory_bytes; /* that a run takes beside its buffers: it is begun when so much is available, and what tasks under way have asked for leaves room; default: that is not looked
                            * at. To look takes a worker some 0.1 ms. One that has waited 0.1 s for memory goes before later ones that want some, if it would fit in when those under way have ended */
    uint64_t tag;          /* the user's, for its kind and for adit_task_look */
};
/* Submits a task; *task is its handle until its result is taken, or, of a detached one, until it has ended. After that it names nothing while 16 million (2^24) more tasks of its level are
 * submitted, of a level of 256 in even use 4,000 million: a slot has gone round so often then, and while it is at the one round in 2^24 that looks the same, the handle names another task. Lock-free; a system call only if a worker sleeps. -EAGAIN: its level of the queue is full (also of
 * results that nobody has taken), or was 20 us ago: adit_queue_wait_room waits; -ENOENT: no such kind; -EINVAL: a number out of range; -ENOMEM: more memory_bytes than this machine, or the cgroup that limits this process, has; -EDEADLK: after names a task that was not submitted yet (so there are
 * no cycles); -ENOTSUP: must_run, and no participant that is attached now runs its kind (adit_detail names what it needs); -EMSGSIZE. With uses it takes a lock that all such submits take; -ENOENT, -EROFS, -ETIMEDOUT, -ENOSYS: as adit_buffer_destroy. */
ADIT_API int adit_submit(struct adit_queue *queue, const struct adit_task_spec *spec, uint64_t *task);
/* Submits n, in order, with one wake. Returns how many, the first ones; tasks may be NULL where all are detached. Less than n: the next one met the errors above
 * (0 submitted: the errno itself). */
ADIT_API int adit_submit_n(struct adit_queue *queue, const struct adit_task_spec *specs, uint32_t n, uint64_t *tasks);
/* Blocks until a slot of that priority's level is free, at most timeout_ns: -ETIMEDOUT. Others may have it first. */
ADIT_API int adit_queue_wait_room(struct adit_queue *queue, enum adit_priority priority, uint64_t timeout_ns);

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

/* A buffer is a block of up to 16 MiB that tasks read and write, named by a handle. What a task writes is a shadow: it becomes the buffer's content when the task is
 * committed, all buffers of a task together, or never: an attempt that fails or dies leaves nothing. A buffer belongs to the process that made it, and ends
 * with it, once no task uses it. Producers only (-EROFS), but for acquire. Makes one with a copy of data (NULL: zeroes). Blocks for memory as
 * adit_chunk_put. -ENOSPC: buffers_max; -ENOMEM; -EINVAL: 0 bytes, or more than 16 MiB. */
ADIT_API int adit_buffer_create(struct adit_arena *arena, uint64_t bytes, const void *data, uint64_t *buffer);
/* Ends it. -EBUSY: tasks that have not ended use it; -ENOENT; -ETIMEDOUT: who submits such tasks was stopped at it for 5 s; -ENOSYS. */
ADIT_API int adit_buffer_destroy(struct adit_arena *arena, uint64_t buffer);
/* Replaces its content by bytes bytes of data and zeroes behind. -EINVAL: more than it has; otherwise as create and destroy. */
ADIT_API int adit_buffer_put(struct adit_arena *arena, uint64_t buffer, const void *data, uint64_t bytes);
struct adit_buffer_view {
    const void *data;
    uint64_t bytes, version; /* version: low 24 bits of how often its content was replaced */
};
/* Its content at this moment, in place, valid until the reader's section ends. Wait-free. -ENOENT: no such buffer; -ESTALE: ousted; -EBADMSG. */
ADIT_API int adit_buffer_acquire(struct adit_reader *reader, uint64_t buffer, struct adit_buffer_view *view);

enum adit_task_end { ADIT_ENDED_DONE = 1, ADIT_ENDED_CANCELLED, ADIT_ENDED_EXPIRED, ADIT_ENDED_POISONED };
struct adit_task_result {
    size_t size;
    enum adit_task_end end;
    int32_t status;    /* DONE: the kind's, or -EPROTO: damaged arguments, -EFAULT: it wrote where it must not (adit_kind_run); else -ECANCELED, -ETIMEDOUT, -EOWNERDEAD */
    uint32_t attempts; /* begun */
    uint32_t worker;   /* the participant's slot that ran the last one */
    uint32_t signal;   /* POISONED: by which what its kind did ended that worker process (SIGSEGV, SIGABRT, ...); 0: it was ended from outside (SIGKILL), ran too long, or left by itself */
    uint32_t bytes;
    uint64_t tag;
    bool inlined;    /* of adit_run: the thread that called it ran it */
    uint64_t ran_ns; /* of adit_run that handed it over: how long its kind took; else 0 */
    uint8_t data[ADIT_TASK_DATA_BYTES] __attribute__((aligned(16)));
};
/* Blocks until the task has ended, at most timeout_ns (0: just looks): -ETIMEDOUT; then takes its result, after which the handle names nothing. 0 however the task ended: see
 * result->end. -ENOENT: no such task, its result was taken, or went with its submitter, who has died. Any process. */
ADIT_API int adit_wait(struct adit_queue *queue, uint64_t task, uint64_t timeout_ns, struct adit_task_result *result);
/* Cancels it: one that waits ends now (0); one that runs is asked to stop (-EBUSY: it ends when its kind returns); -EALREADY: it has ended;
 * -ENOENT. Lock-free. Its result is still to be taken, unless it is detached. */
ADIT_API int adit_cancel(struct adit_queue *queue, uint64_t task);

/* The same, and one that runs in a worker process (adit_pool_params) ends at once: that process is killed and replaced. 0: it has ended, or will as soon as its process's death is
 * noticed; -EBUSY: it runs in a thread, which cannot be killed, and is asked to stop; -ESRCH: the process is another PID namespace's, cannot be signalled, or is not the worker that the arena tells of.
 * Which process that is stands in the arena. Pid and start time are compared with what the kernel says, and neither this process nor pid 1 is ever meant; but who may write all of the arena, as a confined
 * worker whose kinds were taken over may, can write the identity of another process of this user's there. Where workers are not trusted so far set kill_ns, by which each ends itself. */
ADIT_API int adit_cancel_now(struct adit_queue *queue, uint64_t task);

/* Runs a task now and takes its result: on the calling thread, or handed to a worker and waited for, whichever is done sooner by what the arena has measured (adit_kind_look,
 * adit_queue_look). Either way it is a task: committed once with its buffers, run by a worker if this process is killed, counted and limited alike. Now and then the other way is tried, so
 * seldom that it costs a sixty-fourth of the time. Handed over in any case: what this process does not run, what has a kill_ns, a delay, dependencies, an affinity or memory_bytes, and what takes longer than timeout_ns
 * allows, as far as is known. What no worker takes up while it could have run here, this thread takes back. Blocks, at most timeout_ns if its kind heeds adit_task_should_stop: -ETIMEDOUT; then it
 * was cancelled, or asked to stop, and nobody need take its result. 0 however the task ended, as adit_wait; -ENOTSUP: as must_run; -EINVAL: detached; else as adit_submit but -EAGAIN: it waits for room.
 * Outside sections if it uses buffers. */
ADIT_API int adit_run(struct adit_queue *queue, const struct adit_task_spec *spec, uint64_t timeout_ns, struct adit_task_result *result);

enum adit_task_stage { ADIT_STAGE_DELAYED = 1, ADIT_STAGE_QUEUED, ADIT_STAGE_RUNNING, ADIT_STAGE_ENDED };
struct adit_task_info {
    size_t size;
    enum adit_task_stage stage;
    bool is_cancelled, is_detached;
    uint32_t kind, attempt, pid; /* pid: RUNNING: of the worker's process */
    uint64_t tag, progress;
};
/* Looks at a task without taking anything. -ENOENT. Wait-free. */
ADIT_API int adit_task_look(const struct adit_queue *queue, uint64_t task, struct adit_task_info *info);

/* ---- many at once ----------------------------------------------------------------------------------------------- */

/* What these calls have in common; their tasks have no other properties of adit_task_spec. All of them block until everything has ended, and run tasks of the queue on the calling thread meanwhile, where this process can; in a worker process their own alone, so that
 * nobody else's die with the task that calls. Where items are short the calling thread runs some of its own, the last ones first, without making tasks of them: adit_task_run.task is 0 then. If this process dies what it had not submitted is not run. */
struct adit_batch_params {
    size_t size;
    uint32_t kind;
    enum adit_priority priority; /* default NORMAL */
    uint32_t attempts_max;       /* as adit_task_spec */
    uint32_t under_way_max;      /* tasks submitted and not ended at once; default and at most half of a level */
    bool fail_fast;              /* the first failure cancels what is under way, and nothing more is submitted */
    bool stays_out;              /* the calling thread runs no tasks */
    const uint32_t *cancel;      /* not 0, set by anybody, stops it as a failure would; may be NULL. Who waits looks each 2 ms, which took 2 % of a processor on a laden guest of 2 CPUs (without: 0.4 %) */
    void (*progress)(uint64_t done, uint64_t n, void *user); /* called by this thread some times a second; may be NULL */
    void *user;
};
struct adit_batch_outcome {
    uint64_t done, failed;  /* failed: with a status below 0, cancelled, poisoned */
    uint64_t not_run;       /* never submitted, or cancelled before they ran */
    uint64_t first_failed;  /* index of the first one of those; UINT64_MAX: none */
    int32_t first_status;
};
/* What adit_map goes over. */
struct adit_map_items {
    uint64_t n;
    const void *args;
    size_t args_stride;
    uint32_t args_bytes;
    void *results; /* may be NULL */
    size_t results_stride;
    uint32_t results_bytes;
    int32_t *statuses;
};
/* Runs the kind on n items: task i is given args_bytes bytes at args + i * args_stride, and its result, cut or filled with zeroes to results_bytes, goes to results + i *
 * results_stride; statuses (may be NULL) gets n of them, -ECANCELED for those not run. Results are in the order of the items whatever order they ran in. Returns 0: all done with 0 or more;
 * -ECANCELED: *cancel was set; else the status of the first failed item, or an errno of adit_submit but -EAGAIN; -ENOTSUP: no participant that is attached now runs the kind, this one included. Should
 * all leave meanwhile, it waits for one that does, until *cancel is set. outcome may be NULL. */
ADIT_API int adit_map(struct adit_queue *queue, const struct adit_batch_params *params, const struct adit_map_items *items, struct adit_batch_outcome *outcome);

/* Combines n values of bytes (to 32) each: the kind is given two of them, one behind the other, and its result is what they come to. The tree is fixed by n alone: values 2 i and 2 i + 1
 * at each level, one without a partner goes up as it is; so floating-point sums are the same bytes whoever computes them. result: bytes, of no values the identity. Returns
 * as adit_map (any failure ends it); -ENOMEM. */
ADIT_API int adit_reduce(struct adit_queue *queue, const struct adit_batch_params *params, const void *values, uint64_t n, uint32_t bytes, const void *identity,
                         void *result);

/* What a kind for ranges is given: its part of [begin, end), then the caller's args_bytes (to 48). */
struct adit_range_args {
    uint64_t begin, end;
    uint8_t args[48] __attribute__((aligned(16)));
};
/* Runs the kind on [begin, end) in parts of grain (0: parts that take some 50 us, as the first ones show, and at least eight a CPU of this process). Results are not kept. Returns as adit_map;
 * outcome counts parts, and its first_failed is where the first one that failed begins. */
ADIT_API int adit_range(struct adit_queue *queue, const struct adit_batch_params *params, uint64_t begin, uint64_t end, uint64_t grain, const void *args, uint32_t args_bytes,
                        struct adit_batch_outcome *outcome);

/* ---- workers ---------------------------------------------------------------------------------------------------- */

#define ADIT_POOL_SEATS 120u  /* worker processes of a pool, those that stand by and those that are ending included */
#define ADIT_POOL_OBJECTS 16u /* of kinds, that a pool's processes load */

enum adit_scaled_what { ADIT_SCALED_THREADS = 1, ADIT_SCALED_PROCESSES };
/* A change of how many threads a pool has, or processes at work, or one that would be made but for what reason says. */
struct adit_scaled {
    enum adit_scaled_what what;
    uint32_t from, to;
    double load, trend;   /* 0 to 1; of its mean over the last ten samples, against the ten before */
    char grade;           /* 'A' to 'F', of load and steadiness */
    double effectiveness; /* of the last change that could be judged, 0 to 1; below 0: none yet */
    char reason[96];
};

/* Whether worker processes give up what their kinds do not need, before their first task and for good: a seccomp filter and, where the kernel has it, Landlock. What is an attack
 * (execve, ptrace, another process's memory, mount, bpf, ...) kills the worker by SIGSYS, anything else that is not let do is EPERM or EACCES. */
enum adit_confine {
    ADIT_CONFINE_OFF, /* default */
    ADIT_CONFINE_TO_NEEDS, /* to what the kinds that the pool's processes run need, taken together, as far as this kernel can */
    ADIT_CONFINE_STRICTLY  /* to memory and clocks: a kind that needs more, or a kernel without seccomp filters, has the pool refused */
};
enum adit_confined_by { ADIT_CONFINED_BY_SECCOMP = 1, ADIT_CONFINED_BY_LANDLOCK = 2 };

struct adit_pool_params {
    size_t size;
    uint32_t workers;   /* threads, to 256; default one a CPU that this process may use, as far as its cgroups' limits on processor time go, none where there are processes */
    uint32_t workers_max; /* as many as load asks for (runtime/scaling.h), from workers to this; default: workers, whatever the load */
    uint64_t wait_max_ns; /* that a task should wait for a worker: beyond it threads or processes are added; default 1.5 ms */
    uint64_t cooldown_up_ns, cooldown_down_ns; /* after a change, before one upwards (unless load is critical), or downwards, of the same; default 1 s, 10 s */
    void (*scaled)(const struct adit_scaled *change, void *user); /* called by a thread of the pool; may be NULL. It must not close the pool */
    void *user;
    uint32_t processes; /* worker processes at work; default none, one where there is a processes_max */
    uint32_t processes_max; /* as many as load asks for, from processes to this, standbys first; default: processes, whatever the load. With standbys at most 100 */
    uint32_t standbys;  /* processes that wait, ready, to take a dead or worn one's place; default 1 */
    const char *const *objects; /* paths of shared objects with the kinds that processes run beside the built-in ones (adit_kinds.h), NULL behind the last; see adit_kinds_load */
    const char *worker_path;    /* the program adit-worker; default $ADIT_WORKER, else beside this program or the library, or in ../bin or ../../bin from there, else on $PATH */
    uint32_t recycle_tasks;     /* a process is replaced by a standby, as soon as one is ready, after so many tasks, */
    uint64_t recycle_age_ns;    /* so old, */
    uint64_t recycle_bytes;     /* or with so much memory of its own, between two of its tasks; default never */
    enum adit_confine confine;  /* of its processes, not of its threads */
    bool background; /* threads and processes run when no other thread wants the processor (SCHED_IDLE): no frame waits for them (adit_frame_open). Beside load that takes all processors they hardly get on */
};
/* Threads of this process, and worker processes, that run the queue's tasks until closed; any number of processes may have pools on one queue. Without work one of a
 * queue's workers looks on for as long as a wake takes, then all sleep. With processes it blocks until they are ready, some 10 s at most. A process that dies, in whatever way,
 * takes nobody along: its task runs again in another (attempts_max), a standby takes its place. Each is a participant of its own (participants_max), in this arena's role.
 * When this process dies its worker processes end after the task that each is at, or within some 3 s. -EINVAL: too many; -ENOMEM; -EAGAIN: the kernel gives no more threads;
 * -ENOENT: there is no adit-worker; -ENOEXEC: an object that is none, or that has no adit_kinds_load; -ENOTSUP: one that starts threads when it is loaded, or a kernel that cannot
 * confine as asked; -EACCES: a kind that needs more than ADIT_CONFINE_STRICTLY allows; -ECHILD: loading them killed the program; -EUSERS: no participant or worker slots are left; -ETIMEDOUT: an object hangs as it is loaded, maybe; what adit_kinds_load returned. */
ADIT_API int adit_pool_open(struct adit_queue *queue, const struct adit_pool_params *params, struct adit_pool **out);
/* Blocks until the tasks under way have returned (adit_task_should_stop is true for them; those that then return -ECANCELED are for other workers to try again), and
 * threads and processes have ended. For tasks of threads as long as they take. For those of processes 3 s at most: processes that are left then are killed, as is whatever else of the pool does not end, and their tasks
 * have had an attempt more; 10 s in all, and 2 s more where the number of processes was being changed. */
ADIT_API void adit_pool_close(struct adit_pool **pool);

/* What a shared object of kinds defines: registers them in the arena given (adit_kind_register) and returns 0 or a negative errno. It is called once, in the process
 * that worker processes are forked from, and must not start threads. Its kinds, too, had better not: a worker process that has others is replaced. */
ADIT_API int adit_kinds_load(struct adit_arena *arena);

struct adit_pool_stats {
    size_t size;
    uint32_t workers;            /* threads */
    uint32_t processes, standbys; /* at work, and ready to be: those alone that have begun and live */
    uint32_t last_signal;        /* that killed one of them, 0: none yet */
    uint64_t tasks, sleeps; /* since open, of all its threads */
    uint64_t wake_ns;       /* what waking a sleeper takes, as learned: so long one looks on before it sleeps */
    uint64_t deaths, recycled; /* processes that ended without being asked; that were replaced */
    uint64_t changes;          /* of the number of threads, and of processes; this and what follows: where there is a workers_max or processes_max */
    double load;               /* of threads or processes, whichever is higher, and its grade */
    char grade;
    uint32_t confined;         /* processes, of those at work and ready, that are, */
    uint32_t confined_by;      /* and enum adit_confined_by, ored: by what each of them is; 0: there are none */
    uint64_t silent_ns;        /* so long the process that forks the others has not done what it was asked to, as seen half a second ago at most; 0: it does. After 3 s it is killed and replaced */
    uint64_t errors;           /* since open: processes that could not begin, or had to be killed for that; each is tried again, so there are as many as tries */
    int last_error;            /* of the last of them, a negative errno (adit_pool_open), 0: there was none; */
    char last_reason[200];     /* and a line that says what it was */
};
/* Looks at the pool, counted while others go on. -EMSGSIZE. Any thread. */
ADIT_API int adit_pool_look(const struct adit_pool *pool, struct adit_pool_stats *stats);

/* COLD: nobody sits there. WARMING: being made. READY: waits for tasks. BUSY: runs them. CLEANING: between BUSY and the next. TERMINATING: leaves. TERMINATED: has
 * ended, and is not reaped yet. */
enum adit_worker_state {
    ADIT_WORKER_COLD,
    ADIT_WORKER_WARMING,
    ADIT_WORKER_READY,
    ADIT_WORKER_BUSY,
    ADIT_WORKER_CLEANING,
    ADIT_WORKER_TERMINATING,
    ADIT_WORKER_TERMINATED
};
struct adit_worker_info {
    size_t size;
    enum adit_worker_state state;
    bool is_standby;
    uint32_t pid;           /* this and what follows: 0 before READY */
    uint64_t task;          /* BUSY: what it runs */
    uint64_t tasks, age_ns; /* run so far; since it was ready first */
    uint64_t private_bytes; /* memory that is no file's or shared, what it still has in common with its parent included */
    uint32_t confined_by;   /* enum adit_confined_by, ored; 0: not at all */
};
/* Looks at the worker process in seat index of the pool, below ADIT_POOL_SEATS. -ENOENT: beyond, or the pool has none; -EMSGSIZE. Any thread; reads /proc. */
ADIT_API int adit_worker_look(const struct adit_pool *pool, uint32_t index, struct adit_worker_info *info);

#ifdef __cplusplus
}
#endif

#endif
