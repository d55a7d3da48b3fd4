/* layout_tasks.h - the part of layout.h, which includes it, that is about tasks: kinds, queues, slots of tasks with their words, and of worker processes. "w" and "o" as there. */
#ifndef ADIT_LAYOUT_TASKS_H
#define ADIT_LAYOUT_TASKS_H

#define ADIT_KINDS 64u /* that an arena can name */
#define ADIT_QUEUES 16u
#define ADIT_WORKER_SLOTS 256u
#define ADIT_TASK_LEVELS 5u
#define ADIT_TASKS_MAX (1u << 22)
#define ADIT_TASK_SHIFT_MAX 20u /* a level has 2^that slots at most */
#define ADIT_TASK_BYTES 64u /* of arguments, and of a result */
#define ADIT_TASK_SHORT_ARGS 16u /* that lie on the task's first line */
#define ADIT_TASK_SHORT_RESULT 8u
#define ADIT_TASK_ATTEMPTS_MAX 15u
#define ADIT_TASK_AFTER_MAX 8u /* tasks that one may depend on */
#define ADIT_TASK_USES_MAX 4u  /* buffers that one may use */
#define ADIT_BUFFERS_MAX (1u << 20)
#define ADIT_KIND_COSTS 16u /* classes of work that a kind's costs are kept for */

/* task word, one a slot of a queue:  | round 24 | attempt 4 | flags 4 | state 4 | owner 28 |. A slot is used once a round at most: position p of a
 * level of 2^k slots is slot p mod 2^k in round p >> k. Every change is a compare-and-swap of the whole word, so flags are never lost.
 *
 *   FREE       no task, or round's has ended and its result was taken          nobody
 *   FILLING    kind and arguments are being stored                             the submitter (from here it may go to RUNNING at once, being its own worker)
 *   HELD       waits for tasks it depends on                                   nobody
 *   DELAYED    waits for its time                                              nobody
 *   QUEUED     may be claimed                                                  nobody
 *   RUNNING    attempt of it runs                                              the worker's process
 *   COMMITTED  it has ended well, and the buffers it wrote are being replaced   the same
 *   DONE       committed: status and result are there                          nobody
 *   CANCELLED, EXPIRED, POISONED   ended without                               nobody
 *
 * Who makes which transition, and what is true if that process dies right after, stands in runtime/README.md. */
enum adit_task_state {
    ADIT_TASK_FREE,
    ADIT_TASK_FILLING,
    ADIT_TASK_HELD,
    ADIT_TASK_DELAYED,
    ADIT_TASK_QUEUED,
    ADIT_TASK_RUNNING,
    ADIT_TASK_COMMITTED,
    ADIT_TASK_DONE,
    ADIT_TASK_CANCELLED,
    ADIT_TASK_EXPIRED,
    ADIT_TASK_POISONED,
    ADIT_TASK_STATES
};
#define ADIT_TASK_WAITED (1ull << 32)   /* somebody sleeps until it ends */
#define ADIT_TASK_CANCEL (1ull << 33)   /* its kind is asked to stop */
#define ADIT_TASK_DETACHED (1ull << 34) /* nobody will take its result */
#define ADIT_TASK_AWAITED (1ull << 35)  /* tasks are HELD for it */
#define ADIT_TASK_FLAGS (15ull << 32)
static inline uint64_t adit_task_word(uint64_t round, uint32_t attempt, uint64_t flags, enum adit_task_state state, uint32_t owner)
{
    return round << 40 | (uint64_t)(attempt & 15) << 36 | flags | (uint64_t)state << 28 | owner;
}
static inline uint64_t adit_task_round(uint64_t w) { return w >> 40; }
static inline uint32_t adit_task_attempt(uint64_t w) { return (uint32_t)(w >> 36 & 15); }
static inline enum adit_task_state adit_task_state(uint64_t w) { return (enum adit_task_state)(w >> 28 & 15); }
static inline uint32_t adit_task_owner(uint64_t w) { return (uint32_t)(w & 0xfffffff); }
/* The same task in another state, with another owner. */
static inline uint64_t adit_task_with(uint64_t w, enum adit_task_state state, uint32_t owner)
{
    return (w & ~0xffffffffull) | (uint64_t)state << 28 | owner;
}
static inline bool adit_task_has_ended(uint64_t w) { return adit_task_state(w) >= ADIT_TASK_DONE && adit_task_state(w) < ADIT_TASK_STATES; }
#define ADIT_TASK_DUE_LOOK 1ull /* of a queue's due_ns */
#define ADIT_TASK_POSITION ((1ull << 48) - 1) /* of a level's head */

/* What runs of a kind have cost, by class of work (runtime/kind_cost.h); advice, each word for itself. A cost:  | measurements, to 65,535 16 | median, ns 48 |, 0: none yet. */
struct adit_kind_cost {
    uint64_t by_worker[ADIT_KIND_COSTS]; /* of the kind in a worker, its buffers included; w: workers, relaxed */
    uint64_t in_place[ADIT_KIND_COSTS];  /* of a whole adit_run on the thread that called it; w: that thread, relaxed */
    uint64_t runs, failures;             /* attempts: of workers that have told; that returned an error; w: who ran them, relaxed */
    uint64_t inlined, offloaded;         /* of adit_run; w: it, relaxed */
};

/* A kind of tasks by name; its index is its id. Made once under control.naming, never freed. */
struct adit_kind_slot {
    uint32_t state; /* 0 free, 2 valid; w: the holder of control.naming, o: release, last */
    uint32_t capabilities; /* enum adit_can: what a process must be able to do to run it */
    uint16_t args_bytes_min, args_bytes_max, result_bytes_max;
    uint16_t pad0;
    char name[ADIT_NAME_BYTES];
    uint64_t able[ADIT_PARTICIPANTS_MAX / 64]; /* a bit a participant's slot: it runs this kind; w: it, who recovers it: relaxed (runtime/kind_able.h) */
    struct adit_kind_cost cost;
    uint32_t needs; /* enum adit_needs: what it must be let do */
    uint32_t pad1;
    uint64_t pad2[3];
};

/* One level of a queue: what submitters store and what workers store lie on line pairs of their own. Hints; what makes them sound stands in
 * runtime/task_queue.h. Positions count from 0 for ever: 48 bits last for years of 10^6 tasks a second. */
struct adit_task_level {
    uint64_t tail; /* the position where a submitter looks first; w: submitters, CAS, only raised */
    uint64_t pad0[15];
    uint64_t head; /* | returns 16 | position 48 |: nothing before position can be claimed; w: workers, CAS, raised; who makes a task
                    * QUEUED that workers may have passed: lowered, returns + 1 */
    uint64_t pad1[15];
};

/* How a submitter finds a queue's workers: one looks; all that there are sleep; none is to be seen, so they are busy, or there are none. */
enum adit_handover { ADIT_HANDOVER_HOT, ADIT_HANDOVER_ASLEEP, ADIT_HANDOVER_BUSY, ADIT_HANDOVERS };

/* A named queue. Made once under control.naming, never freed; its slots are tasks[first .. first + levels_n << shift). */
enum adit_queue_order_word { ADIT_QUEUE_BY_PRIORITY, ADIT_QUEUE_BY_FIFO, ADIT_QUEUE_BY_LIFO };
static inline uint32_t adit_queue_levels(uint32_t order) { return order == ADIT_QUEUE_BY_PRIORITY ? ADIT_TASK_LEVELS : 1; }
struct adit_queue_slot {
    uint32_t state; /* 0 free, 2 valid; w: the holder of control.naming, o: release, last */
    uint32_t order, levels_n;
    uint32_t shift; /* a level has 1 << shift slots */
    uint32_t first;
    uint32_t pad0[3];
    char name[ADIT_NAME_BYTES];
    uint64_t pad1[6];
    struct adit_event work; /* workers without work sleep here */
    uint64_t spinner;       /* | owner 32 | thread 32 |: the worker that looks without sleeping; w: workers, seq_cst; 0: none */
    uint64_t woken_ns;      /* when a sleeper was last woken; w: who wakes, relaxed: for sleepers to learn what a wake takes */
    uint64_t due_ns;        /* when the first DELAYED task is due, or the first DELAYED or HELD one expires, or earlier; 0: there is none; its lowest bit: a worker looks for them, until then at
                             * most; w: any, CAS; who makes a task DELAYED or HELD lowers it afterwards, and takes that bit away */
    uint64_t looked_ns;     /* when a sleeper whose nap was over last looked at everything; w: workers, CAS: then it does */
    uint64_t pad2[11];
    struct adit_event room; /* submitters that found it full sleep here */
    uint64_t room_wanted;   /* 1: one of them does, or is about to; w: they, seq_cst, and who wakes them */
    uint64_t pad3[14];
    struct adit_event done; /* who waits for a task sleeps here, having set WAITED */
    uint64_t pad4[15];
    struct adit_task_level level[ADIT_TASK_LEVELS];
    uint64_t bell; /* any other value than before: tasks come; a hint for the one that spins, which looks at nothing else meanwhile (runtime/task_bell.h); w: who
                    * submits or makes QUEUED while there is a spinner, relaxed */
    uint64_t pad5[15];
    uint64_t handover[ADIT_HANDOVERS]; /* costs, as of kinds: what handing a task to a worker and its result back takes beyond the run; w: adit_run, relaxed */
    uint64_t at_work[ADIT_PARTICIPANTS_MAX / 64]; /* a bit a participant's slot: it has workers here; w: it, who recovers it; seq_cst (TASK:at_work); for tasks near it (runtime/task_wants.h) */
    uint64_t memory_wanted; /* 1: a worker has left a task for want of memory; w: workers, seq_cst, and who wakes them */
    uint32_t sleepers[ADIT_PARTICIPANTS_MAX]; /* of work.waiters, what a participant has added (runtime/task_sleepers.h); w: its workers, who recovers it, CAS */
    uint64_t pad6[252];
};

enum adit_task_has { ADIT_TASK_HAS_TIMES = 1u /* backoff_ns, expires_ns are set */, ADIT_TASK_HAS_RETRY = 2u /* errors are tried again, too */,
                     ADIT_TASK_HAS_DUE = 4u /* due_ns is set */, ADIT_TASK_AFTER_ANY = 8u /* dependencies that failed count as ended */, ADIT_TASK_HAS_USES = 16u,
                     ADIT_TASK_HAS_WRITES = 32u /* of buffers: its worker must be a producer */,
                     ADIT_TASK_HAS_LIMITS = 128u, ADIT_TASK_IS_JOIN = 64u /* nothing to run: it has ended when what it depends on has */,
                     ADIT_TASK_IS_TIMED = 256u /* who waits for it wants took_ns */,
                     ADIT_TASK_HAS_WANTS = 512u /* where it is to run, or what it takes: struct adit_task_wants */ };

/* Where a task had better run, and how much memory it takes, one a slot of the tasks table; w: the submitter, before it is visible. What they come to: runtime/task_wants.h. */
enum adit_task_near { ADIT_TASK_NEAR_NOTHING, ADIT_TASK_NEAR_NODE, ADIT_TASK_NEAR_WORKER, ADIT_TASK_NEARS };
struct adit_task_wants {
    uint32_t near;   /* enum adit_task_near */
    uint32_t number; /* of the node, or the participant's slot */
    uint64_t patience_ns; /* from waits_ns on it is left to who is near */
    uint64_t memory_bytes;
    uint64_t pad0;
};

/* Memory that tasks under way have asked for, one a participant's slot. */
struct adit_task_memory {
    uint64_t reserved; /* w: its threads, before they claim and after they have committed, one at a time, seq_cst; who recovers it: 0 */
    uint64_t fresh;    /* of it, what was reserved shortly before since_ns: it may not be in use yet; w: likewise */
    uint64_t since_ns; /* CLOCK_MONOTONIC, of the last reservation; w: likewise, before the other two */
    uint64_t pad0;
};

/* group word, one for so many slots of a level that lie in a row:  | round 62 | FREE 1 | ENDED 1 |: none of them was ever taken for that round or a later one; and of
 * what they were taken for before
 *
 *     ENDED   all that was submitted has ended       set (CAS) by who has looked at each of them; not set: maybe
 *     FREE    likewise all of them are free, and ENDED
 *
 * w: submitters, before FILLING: the round behind theirs, without either; who looks; o: seq_cst CAS. Why nothing is missed: runtime/task_groups.h. */
#define ADIT_TASK_GROUP_ENDED 1ull
#define ADIT_TASK_GROUP_FREE 2ull
#define ADIT_TASK_GROUP_ROUND 2u /* its lowest bit */
#define ADIT_TASK_GROUP_SHIFT 6u /* a group has 2^that slots at least, or a level's, */
#define ADIT_TASK_GROUPS_SHIFT 10u /* and a level 2^that groups at most */
static inline uint32_t adit_task_group_shift(uint32_t shift)
{
    uint32_t least = shift < ADIT_TASK_GROUP_SHIFT ? shift : ADIT_TASK_GROUP_SHIFT;
    return shift > least + ADIT_TASK_GROUPS_SHIFT ? shift - ADIT_TASK_GROUPS_SHIFT : least;
}
/* Words in the table: a queue's begin at first / 64 + 5 id, and it has one a level more than its slots / 64 at most, so the next one's lie behind. */
static inline uint64_t adit_task_groups(uint64_t tasks_max) { return (tasks_max >> ADIT_TASK_GROUP_SHIFT) + ADIT_QUEUES * ADIT_TASK_LEVELS; }
static inline uint64_t adit_task_group_index(uint32_t id, uint32_t first, uint32_t shift, uint32_t level, uint64_t slot)
{
    uint32_t each = adit_task_group_shift(shift);
    return (first >> ADIT_TASK_GROUP_SHIFT) + (uint64_t)id * ADIT_TASK_LEVELS + ((uint64_t)level << (shift - each)) + (slot >> each);
}

/* What a task depends on, one a slot of the tasks table; while the task is HELD. blocker stands in a table of its own, dense, so that who ends a task finds
 * those it holds up in some lines. */
struct adit_task_after {
    uint64_t task[ADIT_TASK_AFTER_MAX]; /* handles, 0 behind the last; w: the submitter, before HELD */
};
/* blocker: the handle of a task that has not ended yet and is AWAITED, one of the above; w: the submitter, who ends tasks, recovery; o: seq_cst */

/* buffer word:  | generation 32 | state 4 | owner 28 |
 *
 *   from      to        by                             if that process dies right after
 *   FREE      MAKING    the maker (CAS)                recovery: FREE of the next generation; its block was on loan or named by no valid buffer
 *   MAKING    LIVE      the same, current stored       recovery: nobody's (owner 0), or ENDING when no task uses it
 *   LIVE      LIVE of nobody   recovery                whoever ends the last task that uses it, or recovery again, ends it
 *   LIVE      ENDING    who ends it (CAS)              recovery goes on
 *   ENDING    FREE      the same, its block retired    nothing to do
 *
 * A use in a task: a handle with the access in bits 30 and 31. Handle: | generation 32 | 0 2 | index + 1, 30 bits |. */
enum adit_buffer_state { ADIT_BUFFER_FREE, ADIT_BUFFER_MAKING, ADIT_BUFFER_LIVE, ADIT_BUFFER_ENDING };
static inline uint64_t adit_buffer_word(uint64_t generation, enum adit_buffer_state state, uint32_t owner)
{
    return generation << 32 | (uint64_t)state << 28 | owner;
}
static inline enum adit_buffer_state adit_buffer_state(uint64_t w) { return (enum adit_buffer_state)(w >> 28 & 15); }
static inline uint32_t adit_buffer_owner(uint64_t w) { return (uint32_t)(w & 0xfffffff); }
#define ADIT_USE_READ (1u << 30)
#define ADIT_USE_WRITE (1u << 31)

struct adit_buffer_slot {
    uint64_t word;    /* w: see the table, o: acq_rel CAS */
    uint64_t current; /* commit word of its block; w: who commits a task that wrote it, puts or ends it, o: acq_rel CAS */
    uint64_t bytes;   /* w: the maker, before LIVE */
    uint64_t pad[5];
};

/* The buffers that a task uses, one a slot of the tasks table. A table beside it has 64 bits a slot, one of them for each buffer by its index mod 64, so that who submits
 * finds the tasks that use a buffer in some lines: what stands there is only looked at closer. */
struct adit_task_uses {
    uint64_t use[ADIT_TASK_USES_MAX];    /* 0 behind the last; w: the submitter, before it is visible */
    uint64_t shadow[ADIT_TASK_USES_MAX]; /* the block that is to replace what a WRITE use names; w: the worker, before COMMITTED */
};

/* A task. Its first line is all that a short task needs; who may store what follows from the word's state: the submitter while FILLING, the
 * worker while RUNNING. */
struct adit_task_slot {
    uint64_t word; /* w: see the table above, o: acq_rel CAS */
    uint8_t kind, args_bytes, result_bytes, attempts_max;
    uint16_t worker; /* of its last attempt: the participant's slot, for operators */
    uint16_t flags;  /* enum adit_task_has */
    int32_t status;     /* DONE: 0 or a negative errno of the kind; POISONED: the signal by which its last worker died, 0: not known */
    uint32_t submitter; /* owner, for recovery */
    uint64_t waits_ns;  /* CLOCK_MONOTONIC: since when it could have run; advice, w: the submitter, who makes a HELD or DELAYED one QUEUED, relaxed */
    uint8_t args[ADIT_TASK_SHORT_ARGS];     /* when there are no more */
    uint8_t result[ADIT_TASK_SHORT_RESULT]; /* likewise */
    uint64_t tag;                           /* the user's */
    uint8_t long_args[ADIT_TASK_BYTES];
    uint8_t long_result[ADIT_TASK_BYTES];
    uint64_t due_ns;    /* DELAYED: when it becomes QUEUED */
    uint64_t expires_ns; /* while QUEUED, HELD or DELAYED: when it has EXPIRED; 0: never */
    uint64_t backoff_ns; /* before the next attempt, doubled each time */
    uint64_t progress;   /* what its kind says; w: the worker, relaxed */
    uint64_t limit_ns, kill_ns; /* that an attempt may run until it is asked to stop, and until its process is killed; 0: for ever */
    uint64_t started_ns; /* when an attempt began, its number in the low 4 bits; 0: none has; where there are limits; w: the submitter, the worker, who puts it back */
    uint64_t took_ns; /* that the last attempt ran; w: the worker, before DONE, where IS_TIMED */
};

/* worker word, one a worker process:  | generation 32 | state 4 | pool 28 |: pool is the owner whose supervisor has the slot, 0: nobody. Each state but
 * COLD has one writer, so who sees a state that is its own to end may count on it; which moves are legal is a table (runtime/worker_slot.c).
 *
 *   from            to           by                                if that process dies right after
 *   COLD            WARMING      a supervisor (CAS), generation+1  whoever needs a slot takes it: neither pool, worker nor zygote is there
 *   WARMING         READY        the worker (CAS), joined          its robust word says so to the supervisor
 *   READY           BUSY         the worker, having claimed        the same; the task is RUNNING by its owner
 *   BUSY            CLEANING     the worker: told to end, or nothing was left to claim        the same
 *   CLEANING        READY, TERMINATING   the worker                the same
 *   READY           TERMINATING  the worker, told to end           the same
 *   all but COLD    TERMINATED   the supervisor: it runs no more   as the first line
 *   TERMINATED      COLD         the supervisor: it is reaped      nothing to do
 *
 * alive is held by the worker's only thread from before READY until it has nothing of the pool any more: the kernel says when that thread ends. */
enum adit_worker_life {
    ADIT_LIFE_COLD,
    ADIT_LIFE_WARMING,
    ADIT_LIFE_READY,
    ADIT_LIFE_BUSY,
    ADIT_LIFE_CLEANING,
    ADIT_LIFE_TERMINATING,
    ADIT_LIFE_TERMINATED,
    ADIT_LIVES
};
static inline uint64_t adit_worker_word(uint32_t generation, enum adit_worker_life life, uint32_t pool)
{
    return (uint64_t)generation << 32 | (uint64_t)life << 28 | pool;
}
static inline uint32_t adit_worker_generation(uint64_t w) { return (uint32_t)(w >> 32); }
static inline enum adit_worker_life adit_worker_life(uint64_t w) { return (enum adit_worker_life)(w >> 28 & 15); }
static inline uint32_t adit_worker_pool(uint64_t w) { return (uint32_t)(w & 0xfffffff); }

#define ADIT_WORKER_REAPED 0x10000u /* of ended: the process is gone, its wait status is in the low 16 bits */
#define ADIT_WORKER_NEVER 0x20000u  /* of ended: it could not be forked, the errno is in the low 16 bits */

/* A worker process, or the zygote of a pool, which forks them. */
struct adit_worker_slot {
    uint64_t word;    /* see above, o: acq_rel CAS */
    uint32_t owner;   /* the participant that it is, 0: not joined; w: the worker, before READY */
    uint32_t pid;     /* w: likewise */
    uint64_t task;    /* the handle of what it runs or ran last; w: the worker, relaxed, before it runs */
    uint64_t tasks;   /* that it has run; of a zygote: workers that it was asked to fork, and has seen to; w: the worker, the zygote, relaxed */
    uint64_t born_ns; /* CLOCK_MONOTONIC; w: the worker, before READY */
    uint32_t threads; /* that it has by this library's doing; w: the worker, relaxed */
    uint32_t pad0[5];
    uint32_t ask;    /* 1: end after the task under way; w: the supervisor, the zygote, the worker's signal handler, release */
    uint32_t stop;   /* 1: that task is asked to stop; w: the supervisor, release, before ask */
    uint32_t go;     /* a standby sleeps here until it is 1; w: the supervisor, release */
    uint32_t ended;  /* ADIT_WORKER_REAPED, NEVER: see there; w: the zygote, release */
    uint32_t bell;   /* of a zygote's slot: changes when the supervisor is to look; w: workers, the zygote, who closes the pool, seq_cst */
    uint32_t zygote; /* the participant that is its parent; w: the supervisor, before WARMING */
    uint64_t heir;   /* | generation 32 | owner 32 |: who takes its place, once it has died; owner 0: nobody yet; w: standbys, the supervisor: CAS */
    uint32_t watches; /* 1: a standby that has parked: it is told of deaths of those at work; w: it, release */
    uint32_t worn;    /* futex: 0 -> 1: it is to be replaced, and takes no task until it is heard; w: the worker, release; 1 -> 2: heard, and asked to end if a standby was ready; w: the
                       * supervisor, release */
    uint32_t confined_by; /* enum adit_confined_by; w: the worker, before READY */
    uint32_t died_of;     /* the signal by which its own doing ends it, 0: none yet; w: the worker's signal handler, relaxed */
    uint32_t pad1[4];
    struct adit_robust alive;
};

_Static_assert(sizeof(struct adit_worker_slot) == 192, "adit_worker_slot");
_Static_assert(offsetof(struct adit_worker_slot, ask) == 64, "adit_worker_slot.ask");
_Static_assert(offsetof(struct adit_worker_slot, alive) == 128, "adit_worker_slot.alive");
_Static_assert(sizeof(struct adit_kind_slot) == 512, "adit_kind_slot");
_Static_assert(offsetof(struct adit_kind_slot, cost) == 192, "adit_kind_slot.cost");
_Static_assert(sizeof(struct adit_task_level) == 256, "adit_task_level");
_Static_assert(sizeof(struct adit_queue_slot) == 8192, "adit_queue_slot");
_Static_assert(offsetof(struct adit_queue_slot, work) == 128, "adit_queue_slot.work");
_Static_assert(offsetof(struct adit_queue_slot, room) == 256, "adit_queue_slot.room");
_Static_assert(offsetof(struct adit_queue_slot, done) == 384, "adit_queue_slot.done");
_Static_assert(offsetof(struct adit_queue_slot, level) == 512, "adit_queue_slot.level");
_Static_assert(offsetof(struct adit_queue_slot, bell) == 1792, "adit_queue_slot.bell");
_Static_assert(offsetof(struct adit_queue_slot, handover) == 1920, "adit_queue_slot.handover");
_Static_assert(offsetof(struct adit_queue_slot, at_work) == 1944, "adit_queue_slot.at_work");
_Static_assert(offsetof(struct adit_queue_slot, sleepers) == 2080, "adit_queue_slot.sleepers");
_Static_assert(sizeof(struct adit_task_after) == 64, "adit_task_after");
_Static_assert(sizeof(struct adit_buffer_slot) == 64, "adit_buffer_slot");
_Static_assert(sizeof(struct adit_task_uses) == 64, "adit_task_uses");
_Static_assert(sizeof(struct adit_task_wants) == 32, "adit_task_wants");
_Static_assert(sizeof(struct adit_task_memory) == 32, "adit_task_memory");
_Static_assert(sizeof(struct adit_task_slot) == 256, "adit_task_slot");
_Static_assert(offsetof(struct adit_task_slot, args) == 32, "adit_task_slot.args");
_Static_assert(offsetof(struct adit_task_slot, long_args) == 64, "adit_task_slot.long_args");
_Static_assert(offsetof(struct adit_task_slot, due_ns) == 192, "adit_task_slot.due_ns");

#endif
