/* layout.h - every structure that lies in shared memory, and the words of this project.
 *
 * Glossary
 *   arena        all shared memory of one world: a control segment and one data segment a NUMA node
 *   segment      one sealed memfd; segment 0 is the control segment, 1.. are data segments
 *   block        an allocation: a run of granules of one segment;  granule: 512 bytes
 *   ref          how blocks are named in shared memory: segment and byte, never a pointer
 *   commit word  a ref and the low bits of a version number in one atomic word; storing it publishes
 *   participant  an attached process; owner: slot and generation of one, checkable against pid and start time
 *   guest        a consumer that is not trusted: it can write its guest page and nothing else;  proxy: the thread of the keeper's
 *                process that takes part for the guests, in slots that belong to them
 *   version      one immutable encoding of a chunk; mesh: quads made from versions
 *   section      what a reader is inside between enter and exit;  pin: keeps a block beyond a section
 *   retire       give up a block that readers may still see;  reclaim: free it after a grace period
 *   kind         a registered operation;  task: one run of a kind, a slot of a queue;  worker: a thread that runs tasks
 *
 * The control segment, in this order (offsets stand in struct adit_control, tables start on 4 KiB):
 *
 *   | adit_control | participants | readers | pins | block words of every segment | extent hints |
 *   | store keys | store entries | materials |
 *   - - - inner_at: what follows is no guest's to see - - -
 *   | adit_waits | dirty, working bits | watches | watch bits | rings | locks | kinds | queues | tasks, what they wait for | buffers | workers | viewers | heap (segment 0 blocks) |
 *
 * With guests these are two memfds, mapped one behind the other; a guest is given the first, read-only. All words that anybody
 * sleeps on lie in the second: who can map a futex word can have its sleepers moved elsewhere (FUTEX_REQUEUE), read-only or not.
 * The first guests_max slots of participants and readers, and ADIT_GUEST_WATCHES times as many of watches, are those of guests: slot k
 * of each is guest k's, written by the keeper's process in its stead.
 *
 * Integers are little endian, as on every machine adit runs on. "w" below is who writes, "o" the memory order of the
 * publishing store; what has no such mark is written once at create, before magic.
 */
#ifndef ADIT_LAYOUT_H
#define ADIT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADIT_MAGIC 0x31304e4554494441ull /* "ADITEN01" */
#define ADIT_LAYOUT_VERSION 12u

#define ADIT_GRANULE_SHIFT 9
#define ADIT_GRANULE_BYTES (1u << ADIT_GRANULE_SHIFT)
#define ADIT_BLOCK_BYTES_MAX (16u << 20)
#define ADIT_EXTENT_SHIFT 16 /* an extent, the range one walk covers: 65,536 granules, 32 MiB */
#define ADIT_EXTENT_GRANULES (1u << ADIT_EXTENT_SHIFT)
#define ADIT_SEGMENTS_MAX 16u
#define ADIT_PARTICIPANTS_MAX 1024u
#define ADIT_READERS_MAX 4096u
#define ADIT_CHUNKS_MAX (1u << 24)
#define ADIT_WATCHES_MAX 256u
#define ADIT_PINS_MAX 65536u
#define ADIT_RINGS_MAX 1024u
#define ADIT_NAME_BYTES 48u
#define ADIT_LOCKS_MAX 1024u
#define ADIT_LOCK_BYTES_MAX 4096u
#define ADIT_GUESTS_MAX 64u
#define ADIT_GUEST_SECTIONS 16u /* reading threads of a guest */
#define ADIT_GUEST_PINS 64u
#define ADIT_GUEST_WATCHES 2u
#define ADIT_VIEWERS_MAX 64u
#define ADIT_GUEST_PATH_BYTES 104u /* what a socket's address has room for */

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* ref: | segment 8 | byte 40 | (upper 16 bits 0). 0 is "none": byte 0 of the control segment is never a block. */
#define ADIT_REF(segment, byte) ((uint64_t)(segment) << 40 | (uint64_t)(byte))
static inline uint32_t adit_ref_segment(uint64_t ref) { return (uint32_t)(ref >> 40); }
static inline uint64_t adit_ref_byte(uint64_t ref) { return ref & ((1ull << 40) - 1); }

/* commit word: | version, low 24 | 0 4 | segment 4 | granule 32 |. Low 40 bits 0: nothing was ever published. */
static inline uint64_t adit_commit_make(uint64_t version, uint64_t ref)
{
    return version << 40 | (uint64_t)adit_ref_segment(ref) << 32 | adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT;
}
static inline uint64_t adit_commit_ref(uint64_t commit)
{
    return ADIT_REF(commit >> 32 & 0xff, (commit & 0xffffffffu) << ADIT_GRANULE_SHIFT);
}

/* intent, what a thread is about to commit, in its reader slot:  | 0 24 | which 8 | index 32 |; 0: nothing. index: of the entry, or the buffer. Life: runtime/publish.h. */
enum adit_intent_kind { ADIT_INTENT_VERSION = 1, ADIT_INTENT_MESH, ADIT_INTENT_BUFFER };
static inline uint64_t adit_intent_make(enum adit_intent_kind kind, uint32_t index) { return (uint64_t)kind << 32 | index; }
static inline uint32_t adit_intent_index(uint64_t intent) { return (uint32_t)intent; }
static inline uint32_t adit_intent_kind(uint64_t intent) { return (uint32_t)(intent >> 32 & 0xff); }

/* owner: | slot + 1, 12 bits | generation 16 |; 0 is nobody. The participant table says whose slot it is. */
static inline uint32_t adit_owner_make(uint32_t slot, uint32_t generation)
{
    return (slot + 1) << 16 | (generation & 0xffffu);
}
static inline uint32_t adit_owner_slot(uint32_t owner) { return (owner >> 16) - 1; }

/* block word, one a granule:  | tag 8 | state 4 | length 24 | owner 28 |
 *
 *   0          inside a block (or never used)
 *   FREE       the first granule of a free run                       nobody
 *   CLAIMED    being split, merged or freed                          owner
 *   LOANED     being filled                                          owner
 *   PUBLISHED  a commit word may name it                             nobody (owner field: who published)
 *   RETIRED    unlinked, waits for its grace period                  owner, or nobody: any may adopt it
 *
 *   from       to          by                   if that process dies right after
 *   FREE       CLAIMED     any (CAS)            recovery frees what a dead owner had claimed
 *   CLAIMED    LOANED      the owner            recovery frees what a dead owner had on loan
 *   LOANED     PUBLISHED   the owner            named by no commit word: retired by the scrub
 *   PUBLISHED  LOANED      the owner whose commit lost the race, never seen by any reader; as the first line
 *   PUBLISHED  RETIRED     who replaced it      recovery adopts what a dead owner had retired
 *   LOANED, RETIRED   CLAIMED   the owner, for RETIRED after the grace period      as the first line
 *   CLAIMED    FREE        the owner            nothing to do
 *
 * tag counts transitions of a word, for whoever reads a dump; a compare-and-swap needs none, as a word that says FREE is a
 * whole free run whatever happened meanwhile. Invariants, see block.c:
 * FREE is always a true head; a word inside a run is 0, or CLAIMED by the one who has claimed the run around it. */
enum adit_block_state {
    ADIT_BLOCK_INSIDE,
    ADIT_BLOCK_FREE,
    ADIT_BLOCK_CLAIMED,
    ADIT_BLOCK_LOANED,
    ADIT_BLOCK_PUBLISHED,
    ADIT_BLOCK_RETIRED,
    ADIT_BLOCK_STATES
};
static inline uint64_t adit_word_make(uint64_t before, enum adit_block_state state, uint32_t granules, uint32_t owner)
{
    return ((before >> 56) + 1) << 56 | (uint64_t)state << 52 | (uint64_t)granules << 28 | (uint64_t)owner;
}
static inline enum adit_block_state adit_word_state(uint64_t w) { return (enum adit_block_state)(w >> 52 & 15); }
static inline uint32_t adit_word_granules(uint64_t w) { return (uint32_t)(w >> 28 & 0xffffff); }
static inline uint32_t adit_word_owner(uint64_t w) { return (uint32_t)(w & 0xfffffff); }

/* participant word:  | state 4 | role 4 | generation 16 | birth 8 | pid 32 |: the claim already names who claims. birth: the low bits
 * of the process's start time, so that a pid used again is told from the one that claimed.
 *
 *   FREE -> JOINING   the process itself (CAS)   dies: recovery frees the slot
 *   JOINING -> ALIVE  the process itself         the same; every word it owns is recovered first
 *   ALIVE -> LEAVING  the process itself         the same
 *   LEAVING -> FREE   the process itself, having given back all it owned
 *   any of the three -> DEAD   the keeper (CAS), once the process runs no more      the next keeper goes on with it
 *   DEAD -> FREE      the keeper, having recovered all the dead owned               nothing is left to do
 *
 * The generation grows with every claim, so an owner word of a dead participant never names its successor. */
enum adit_participant_state { ADIT_PART_FREE, ADIT_PART_JOINING, ADIT_PART_ALIVE, ADIT_PART_LEAVING, ADIT_PART_DEAD };
static inline uint64_t adit_part_make(enum adit_participant_state s, uint32_t role, uint32_t generation, uint32_t birth,
                                      uint32_t pid)
{
    return (uint64_t)s << 60 | (uint64_t)role << 56 | (uint64_t)(generation & 0xffffu) << 40 |
           (uint64_t)(birth & 0xffu) << 32 | pid;
}
static inline uint64_t adit_part_with(uint64_t word, enum adit_participant_state s)
{
    return (word & ~(15ull << 60)) | (uint64_t)s << 60;
}
static inline enum adit_participant_state adit_part_state(uint64_t w) { return (enum adit_participant_state)(w >> 60); }
static inline uint32_t adit_part_role(uint64_t w) { return (uint32_t)(w >> 56 & 15); }
static inline uint32_t adit_part_generation(uint64_t w) { return (uint32_t)(w >> 40 & 0xffff); }
static inline uint32_t adit_part_birth(uint64_t w) { return (uint32_t)(w >> 32 & 0xff); }
static inline uint32_t adit_part_pid(uint64_t w) { return (uint32_t)w; }

/* robust word:  | WAITERS 1 | OWNER_DIED 1 | thread id 30 |: the kernel's format (linux/futex.h), and the kernel is one of its writers.
 *
 *   from             to                 by                           if that thread dies right after
 *   0                TID                who takes it (CAS)           the kernel: OWNER_DIED, one waiter woken
 *   TID              TID|WAITERS        who is about to sleep (CAS)  a wake of nobody later
 *   TID[|WAITERS]    0                  the holder                   the kernel wakes one waiter in its stead
 *   TID[|WAITERS]    OWNER_DIED[|W.]    the kernel, TID having ended -
 *   OWNER_DIED[|W.]  TID[|WAITERS]      who takes it (CAS) and now must repair; the kernel: OWNER_DIED again
 *   0, by who slept  TID|WAITERS        a woken waiter (CAS): others may sleep still
 *
 * prev and next chain what one thread holds, by addresses in that thread's process; glibc's mutexes are in the same chain. They
 * are written by the holder's thread alone and mean nothing to others, who overwrite them when they are holders. A peer that
 * changed them could direct writes of the holder: a robust word never lies in memory that an untrusted process can write. */
#define ADIT_ROBUST_WAITERS 0x80000000u
#define ADIT_ROBUST_DIED 0x40000000u
#define ADIT_ROBUST_TID 0x3fffffffu

/* slot word of an MPMC ring:  | index 34 | phase 2 | owner 28 |: a claim is one compare-and-swap here and names who claims.
 *
 *   FREE@i      for index i to be pushed   nobody
 *   FILLING@i   being copied in            the pusher
 *   FILLED@i    to be popped               nobody
 *   DRAINING@i  being copied out           the popper
 *
 *   from        to                   by                      if that process dies right after
 *   FREE@i      FILLING@i            a pusher (CAS)          recovery: FREE@i+capacity, the element was never there
 *   FILLING@i   FILLED@i             the same                nothing to do: it is there
 *   FILLED@i    DRAINING@i           a popper (CAS)          recovery: FREE@i+capacity, the element is lost with its popper
 *   DRAINING@i  FREE@i+capacity      the same                nothing to do
 *   FILLING@i or DRAINING@i of a dead owner -> FREE@i+capacity, by recovery (CAS of the whole word)
 *
 * Pushers and poppers at index i step over a slot that is further than they need: so tail and head of the ring are hints, and
 * nobody waits at an index that was given up. Indices are compared within 2^33 of each other. */
enum adit_ring_phase { ADIT_RING_FREE, ADIT_RING_FILLING, ADIT_RING_FILLED, ADIT_RING_DRAINING };
static inline uint64_t adit_ring_word(uint64_t index, enum adit_ring_phase phase, uint32_t owner)
{
    return index << 30 | (uint64_t)phase << 28 | owner;
}
/* How far the slot is beyond phase at index, in phases; four to an index. */
static inline int64_t adit_ring_lead(uint64_t word, uint64_t index, enum adit_ring_phase phase)
{
    return (int64_t)(word - adit_ring_word(index, phase, 0)) >> 28;
}
static inline uint32_t adit_ring_word_owner(uint64_t word) { return (uint32_t)(word & 0xfffffff); }
static inline enum adit_ring_phase adit_ring_word_phase(uint64_t word) { return (enum adit_ring_phase)(word >> 28 & 3); }

/* ---- parts of the control segment ------------------------------------------------------------------------------- */

/* A futex event: seq moves with every post, waiters says whether a post must wake (event.h). */
struct adit_event {
    uint32_t seq;     /* w: any poster, o: release */
    uint32_t waiters; /* w: waiters, o: seq_cst */
};

/* A lock that survives its holder (robust.h); the offsets of word, prev, next are those of glibc's pthread_mutex_t. */
struct adit_robust {
    uint32_t word;   /* w: see the table above, o: acq_rel CAS */
    uint32_t owner;  /* the participant that holds it, for dumps; w: the holder, relaxed; may be stale for a moment */
    uint32_t deaths; /* holders that died, counted by who took it next; w: the holder, relaxed */
    uint32_t pad0[3];
    uint64_t prev, next; /* w: the holder's thread, for the kernel and glibc */
    uint64_t pad1[3];
};

/* One segment. words: offset in the control segment of its block words, hints: of its extents' struct adit_extent. */
struct adit_segment {
    uint64_t bytes;
    uint64_t words_at, hints_at;
    uint32_t granules;      /* that blocks may use */
    uint32_t granule_first; /* the first of them: 0 in data segments, the heap's start in the control segment */
    uint32_t page_bytes;
    int32_t node; /* NUMA node, -1: not bound */
    uint32_t extents;
    uint32_t pad[5];
};

/* Advice for the allocator, never an authority: w: any, relaxed. */
struct adit_extent {
    uint32_t cursor;  /* granule in the extent where the next walk starts */
    uint32_t largest; /* longest free run the last whole walk saw, in granules */
};

/* A table of the control segment: where it starts and how many entries it has. */
struct adit_table {
    uint64_t at;
    uint64_t n;
};

struct adit_control {
    uint64_t magic; /* stored last at create (release), checked first at attach (acquire) */
    uint32_t layout_version;
    uint32_t control_bytes_head; /* sizeof this */
    uint64_t signature;          /* of all structures of this file: a peer built otherwise is refused */
    uint64_t control_bytes;
    uint8_t uuid[16];
    uint64_t created_ns; /* CLOCK_REALTIME */
    char name[ADIT_NAME_BYTES];
    uint32_t fenced; /* 1: readers fence at enter (no membarrier on this host); 0: asymmetric */
    uint32_t segments_n;
    uint32_t seal_writers;
    uint32_t tt_none; /* faces between different translucent materials: 0 both, 1 none */
    uint32_t pins_each;
    uint32_t guests_max;
    uint64_t hold_max_bytes; /* retired memory that sections may hold back before they are ousted */
    uint32_t ao; /* 1: meshes have ambient occlusion, and chunks diagonal to one another concern each other */
    uint32_t placement;    /* on which node versions are wanted: enum adit_placement (runtime/adit.h) */
    uint32_t strict_nodes; /* 1: a block is on the node where it is wanted, or there is none */
    uint32_t pad6[13];
    struct adit_table participants, readers, pins, keys, entries, dirty, watches, watch_bits, materials, rings, heap, locks;
    struct adit_table waits, kinds, queues, tasks, task_after, task_blockers, task_uses, task_use_bits, buffers;
    uint64_t inner_at;                      /* see above */
    char guest_path[ADIT_GUEST_PATH_BYTES]; /* of the guests' socket; "" without guests */
    struct adit_table workers, task_wants, task_memory, viewers, task_groups;
    uint64_t pad1[5];
    struct adit_segment segments[ADIT_SEGMENTS_MAX];
    /* each of the following on a line pair of its own */
    uint64_t epoch; /* odd, counts by ADIT_EPOCH_STEP; w: grace periods, o: seq_cst RMW; read at every enter */
    uint64_t pad2[31];
    uint64_t orphanings; /* grows whenever retired blocks were left to nobody; who sees it grown adopts; w: any, seq_cst */
    uint64_t readers_high; /* reader slots ever used, the bound of scans; w: any, acq_rel */
    uint64_t classes_changes; /* materials registered that are not opaque; w: registrars, acq_rel, after the material */
    uint64_t starved; /* meshes in a row that found no memory; w: dispatchers, relaxed */
    uint64_t watches_high; /* watch slots ever used; w: any, acq_rel */
    uint64_t returns; /* chunks that went from working back to dirty; w: dispatchers, keepers, seq_cst, between the two bits */
    uint64_t viewers_high; /* viewer slots ever used; w: any, acq_rel */
    uint64_t version_floor; /* no key that was forgotten had a version, or a mesh, of a higher number (runtime/tombstone.h); w: sweeps, acq_rel, before the key goes */
    struct adit_table metrics, metric_shards, metric_cells, metric_commons; /* layout_metrics.h */
    uint64_t pad5[240];
};

/* Words that processes sleep on, each on a line pair of its own. */
struct adit_waits {
    struct adit_robust keeper; /* held by who serves the name and recovers the dead (keeper.h) */
    uint64_t pad0[8];
    struct adit_robust naming; /* held while a lock or a ring is given a slot and a name, or a ring is ended */
    uint64_t pad1[8];
    struct adit_robust uses; /* held while tasks that use buffers are submitted (runtime/task_uses.h) */
    uint32_t drops_due;      /* a buffer is to end, and uses was held: for whoever lets go of it; w: any, seq_cst */
    uint32_t pad6[15];
    struct adit_event dirty_event; /* posted when a chunk becomes dirty: dispatchers wait here */
    uint64_t pad2[15];
    struct adit_event settled_event; /* posted when the last dirty chunk was meshed */
    uint64_t pad3[15];
    struct adit_event proxy_event; /* posted when the proxy shall look: it waits here */
    uint64_t proxy_calls;          /* how often that was; w: any, seq_cst */
    uint64_t proxy_wanted;         /* the latest epoch that a grace period waits to see in the slots of guests; w: any, acq_rel */
    uint32_t proxy_owner;          /* the participant whose process runs the proxy; w: it, release; 0: nobody has */
    uint32_t pad4[25];
};

/* A participant. word is the owner's identity; the rest is told by the participant itself before ALIVE. */
struct adit_participant {
    uint64_t word;       /* w: see the table above, o: acq_rel CAS */
    uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks after boot */
    uint64_t pid_ns;     /* inode of /proc/PID/ns/pid: pids compare only within one */
    uint64_t joined_ns;  /* CLOCK_REALTIME */
    uint64_t published, edits, meshed, retired, reclaimed, grace_periods; /* w: self, relaxed; for operators */
    uint64_t limbo_bytes; /* retired by this process, not yet reclaimed; w: self, relaxed */
    uint32_t pins_high;   /* pin slots ever used; w: self, release before the pin */
    uint32_t uid;
    char label[ADIT_NAME_BYTES - 16];
};

#define ADIT_EPOCH_FIRST 3u
#define ADIT_EPOCH_STEP 2u

/* One reading thread. epoch: what it says stands in rcu.h; odd: inside a section. */
struct adit_reader_slot {
    uint64_t epoch;  /* w: the thread, o: see rcu.h */
    uint64_t ousted; /* the epoch of the section that held back too much (rcu.h), 0 or 1: none, bit 63: pending; w: reclaimers, the thread: CAS */
    uint32_t owner; /* w: CAS by the claimer; 0: free */
    uint32_t tid;
    uint64_t intent;    /* what this thread is about to commit (runtime/publish.h), 0: nothing; w: the thread, release */
    uint64_t replacing; /* the commit word that stood there before; w: the thread, before intent */
    uint64_t ousts;     /* of a guest's slot: how often it was ousted (proxy.h); w: the proxy, release, before epoch */
    uint64_t revokes;      /* of a guest's slot: how often its pins were taken away (pin.h); w: producers, seq_cst, before the pins go */
    uint64_t revokes_seen; /* up to which the proxy has refused what the guest wanted; w: the proxy, relaxed */
    uint64_t pad[8];
};

/* The store's entry of one key; the key itself stands at the same index of the keys table. */
struct adit_entry {
    uint64_t current; /* commit word of the version; w: publishers, o: acq_rel CAS */
    uint64_t mesh;    /* commit word of the mesh; w: who holds work, o: acq_rel CAS */
    uint64_t work;    /* 0: idle, else owner of who meshes it, enters its key or forgets it; w: they, o: acq_rel CAS */
    uint64_t dirty_ns; /* CLOCK_MONOTONIC since when it has been dirty: advice for who meshes; relaxed */
    uint64_t number;   /* a version number within 2^23 of the current one: the upper bits that current lacks; relaxed */
    uint64_t given_up; /* current as it was when nobody would mesh that version any more, as its meshers died of it; w: who holds work, o: release */
    uint64_t reach;    /* of the place: how many places from it on may have a key whose home it is (runtime/store.h); w: who enters one, o: acq_rel, grows */
    uint64_t due_ns;   /* CLOCK_MONOTONIC before which another mesh would be seen by nobody (runtime/interest.h), 0: at once; w: who holds work, relaxed: advice */
};

/* A consumer's subscription: a box of keys, lo <= key < hi. The bits table holds two bit sets a watch. */
enum adit_watch_state { ADIT_WATCH_SLOT_FREE, ADIT_WATCH_SLOT_SETTING /* up or down */, ADIT_WATCH_SLOT_ACTIVE };
struct adit_watch_slot {
    uint32_t state; /* enum adit_watch_state; w: owner, o: release */
    uint32_t owner; /* CAS: claims the slot */
    int32_t lo[3], hi[3];
    uint8_t world, lod;
    uint16_t what; /* bit 0 versions, bit 1 meshes */
    int32_t node;  /* that its thread was on when it last looked, -1: not known; w: it, relaxed: advice */
    uint32_t lapses; /* counts chunks that were forgotten before it had looked at them (runtime/tombstone.h); w: sweeps, o: seq_cst */
    uint32_t pad0[5];
    struct adit_event event; /* on its own line: the only word consumers of this watch wait on */
    uint32_t pad1[14];
};

/* A viewer: where a consumer looks from (runtime/interest.h). On lines of its own, as it moves sixty times a second. */
enum adit_viewer_state { ADIT_VIEWER_FREE, ADIT_VIEWER_SETTING, ADIT_VIEWER_ACTIVE };
struct adit_viewer_slot {
    uint32_t state; /* enum adit_viewer_state; w: owner, o: release */
    uint32_t owner; /* CAS: claims the slot */
    float at[3], toward[3], radius; /* voxels; w: owner, relaxed, as what follows */
    uint8_t world, pad0[3];
    uint64_t frame_ns, frame_at_ns; /* of its frames: how long each is, 0: it looks all the time; when one begins, or 0 */
    uint64_t pad1[9];
};

/* A material. id is the index. Its states: runtime/material.h. */
enum adit_material_state { ADIT_MATERIAL_FREE, ADIT_MATERIAL_NAMING, ADIT_MATERIAL_NAMED, ADIT_MATERIAL_VALID };
struct adit_material {
    uint32_t state; /* enum adit_material_state; w: registrar, who finds it, o: release */
    uint32_t owner;
    uint32_t rgba; /* 0xRRGGBBAA */
    uint8_t material_class;
    uint8_t pad[3];
    char name[ADIT_NAME_BYTES];
};

/* A named ring; its memory is a block of segment 0 (ring.h). Slots change under control.naming only:
 *
 *   state    0 free -> 1 being made -> 2 valid -> 3 being ended -> 0
 *   A slot in state 1 or 3 that is found while holding control.naming is one that a dead holder left: it is freed. Its block, if
 *   LOANED or RETIRED by the dead, or PUBLISHED and named by nobody, is recovered as any block; PUBLISHED in state 3 it is ended. */
struct adit_ring_slot {
    uint32_t state; /* w: the holder of control.naming, o: release */
    uint32_t owner; /* who made it */
    uint64_t ref;
    char name[ADIT_NAME_BYTES];
    uint64_t pad[8];
};

/* The head of a ring's block; slots of stride bytes follow. Each group on lines of its own. Of a ring of samples (samples.h) the writer is
 * the pusher and the reader the popper; its states are told there. */
struct adit_ring_head {
    uint32_t kind, element_bytes, stride, capacity; /* capacity a power of two */
    uint64_t pad0[14];
    uint64_t tail;      /* next index to push; w: SPSC the pusher, relaxed; MPMC a hint, any, relaxed, never too high; samples: release */
    uint64_t head_seen; /* SPSC, samples: the pusher's copy of head; nobody else reads it */
    uint32_t pusher;    /* SPSC, samples: owner; another one first makes sure of tail; w: the pusher, release; recovery: 0 */
    uint32_t pad1;
    uint64_t overrun; /* samples: frames that found no room, ever; w: the pusher, relaxed */
    uint64_t pad2[12];
    uint64_t head;   /* next index to pop; w: SPSC, samples the popper, release; MPMC a hint like tail */
    uint32_t popper; /* SPSC, samples: owner; w: the popper, relaxed; recovery: 0 */
    uint32_t pad3;
    uint64_t tail_seen; /* samples: the popper's copy of tail; nobody else reads it */
    uint64_t underrun;  /* samples: frames of silence given for missing ones, ever; w: the popper, relaxed */
    uint64_t pad4[12];
    struct adit_event item, room;
    uint64_t pad5[14];
};

/* A named lock and the object it guards (lock.h): made once, never freed, so that no word here is ever anything else.
 *
 *   state   0 -> 2  by the holder of control.naming, after name and bytes (release); it dies before: the slot is still free
 *   commit  v -> v + 1  by the holder of robust (release): version v lies in copy[v & 1], the other copy is the next holder's
 *           draft. The holder dies before: the draft is void; after: it was committed. Either way nothing is left to repair.
 *   draft   the version that the last holder has drafted, told before it stores there (release fence): what readers compare with */
struct adit_lock_slot {
    uint32_t state; /* 0 free, 2 valid; w: the holder of control.naming, o: release */
    uint32_t bytes; /* of the object */
    char name[ADIT_NAME_BYTES];
    uint64_t pad0;
    struct adit_robust robust;
    uint64_t commit; /* w: the holder of robust, o: release */
    uint64_t draft;  /* w: the holder of robust, relaxed before a fence */
    uint64_t pad1[14];
    uint8_t copy[2][ADIT_LOCK_BYTES_MAX]; /* w: the holder, its draft only */
};

#include "shm/layout_tasks.h"

#include "shm/layout_metrics.h"

/* ---- a guest's page --------------------------------------------------------------------------------------------- */

/* A memfd of its own for each guest, the only memory that it can write; in this order: adit_guest_page on 4 KiB, then two bit sets
 * (chunks, meshes) for each of its watches. The proxy is the only other process's thread that looks at it, and takes every byte for an
 * enemy's: it loads a word once, into private memory, and what it says can at worst be a wrong number within its range. "w" guest
 * below is what an honest one does. */

/* One reading thread of a guest. */
struct adit_guest_section {
    uint64_t epoch; /* odd: inside a section that began then, else outside; w: the guest, seq_cst exchange, release */
    uint64_t mark;  /* 1: exit and acquire take their slow ways; w: the guest */
    uint32_t taken; /* 1: a reader is open; w: the guest, CAS */
    uint32_t pad[11];
};

/* A pin that a guest wants.  wanted: | 0 1 | serial 15 | ref 48 |, 0: none. The serial tells one wish from the next: an answer to an earlier one,
 * even of the same ref, may be on its way while the proxy is about to clear what it was for.
 * answer: the wish as it was, when the ref stands in the row of pins of the guest's participant; with ADIT_GUEST_PIN_REFUSED, when it does not. */
#define ADIT_GUEST_PIN_REFUSED (1ull << 63)
struct adit_guest_pin {
    uint64_t wanted; /* w: the guest, release */
    uint64_t answer; /* w: the proxy, release */
};
static inline uint64_t adit_guest_pin_ref(uint64_t wanted) { return wanted & ((1ull << 48) - 1); }

/* A watch that a guest wants.
 *
 *   NONE -> WANTED     the guest, after the box           WANTED -> ACTIVE    the proxy (CAS): publishers tell it from now on
 *   ACTIVE -> UNWANTED the guest                          UNWANTED -> NONE    the proxy (CAS): nobody tells it any more
 *   Anything else that stands there is taken for NONE. */
enum adit_guest_watch_state { ADIT_GUEST_WATCH_NONE, ADIT_GUEST_WATCH_WANTED, ADIT_GUEST_WATCH_ACTIVE, ADIT_GUEST_WATCH_UNWANTED };
struct adit_guest_watch {
    uint32_t state;
    int32_t lo[3], hi[3];
    uint8_t world, lod;
    uint16_t what;
    uint32_t lapses; /* of its slot, as the proxy last saw it; w: the proxy, release */
    uint32_t pad0[7];
    struct adit_event event; /* the only word that this guest sleeps on for this watch */
    uint32_t pad1[14];
};

struct adit_guest_page {
    uint32_t leaving; /* 1: the guest leaves; w: the guest, release */
    uint32_t pad0[15];
    struct adit_guest_section sections[ADIT_GUEST_SECTIONS];
    struct adit_guest_watch watches[ADIT_GUEST_WATCHES];
    struct adit_guest_pin pins[ADIT_GUEST_PINS];
    uint64_t pad1[216];
};

/* ---- blocks of data segments ------------------------------------------------------------------------------------ */

enum adit_encoding { ADIT_ENC_UNIFORM = 1, ADIT_ENC_BRICKS, ADIT_ENC_DENSE16, ADIT_ENC_REMOVED };

/* summary flags */
enum { ADIT_SUM_EMPTY = 1u /* all air */, ADIT_SUM_FULL = 2u /* all opaque */, ADIT_SUM_UNIFORM = 4u /* one material */, ADIT_SUM_RENEWABLE = 8u /* who made it says so (adit_put_params) */ };

/* One border plane: bits 0 uniform (value), 1, 2, 4 (a local palette of 2^bits u16 materials, then the indices), 8 (indices
 * into the chunk's palette), 16 (materials); 64x64 in the order v*64+u of kernels/quad.h. at: from the block's start. */
struct adit_plane {
    uint32_t at;
    uint16_t value;
    uint8_t bits;
    uint8_t pad;
};

/* The head of a version's block; the encoding is described in runtime/encoding.h. Immutable once committed. All that
 * acquiring looks at lies in the first 64 bytes: one line to fetch from the publisher's cache. */
struct adit_version {
    uint32_t kind; /* ADIT_KIND_VERSION */
    uint32_t bytes;
    uint64_t key;
    uint64_t version;
    uint64_t published_ns; /* CLOCK_MONOTONIC */
    uint32_t publisher;    /* owner */
    uint32_t payload_bytes; /* of bytes, what is encoded content: palette, masks, planes, voxels */
    uint64_t content_hash; /* adit_encode_hash: of what follows, and of key */
    uint32_t solid;        /* voxels that are not air */
    uint8_t encoding, summary;
    uint16_t uniform; /* material, ADIT_ENC_UNIFORM */
    uint32_t opaque;
    uint16_t palette_n, masks_n;
    uint32_t palette_at, bricks_at, voxels_at, masks_at;
    uint64_t border_hash[6]; /* XXH3 of the 4096 u16 materials of each side */
    struct adit_plane plane[6];
};

/* The head of a mesh's block; quads_at is where start[0] points. Immutable once committed. */
struct adit_mesh {
    uint32_t kind; /* ADIT_KIND_MESH */
    uint32_t bytes;
    uint64_t key;
    uint64_t serial;       /* counts the meshes of this key, from above all that forgotten keys had (version_floor) */
    uint64_t content_hash; /* XXH3 of the quads seeded with key */
    uint64_t source[7];    /* versions it was made from: the chunk, then -X +X -Y +Y -Z +Z; 0: none was there */
    uint64_t border_hash[6]; /* of the neighbours' planes that were used; 0: missing */
    uint32_t start[19];
    uint8_t bounds_lo[3], bounds_hi[3];
    uint8_t kernel, pad0; /* kernel: index in the list of kernels, for operators */
    uint32_t faces;
    uint32_t quads_at;
    uint64_t published_ns;
    uint64_t source_ns; /* published_ns of the newest version in it */
    uint32_t publisher;
    uint32_t rim_hash; /* of the cells diagonal to the chunk that were used (runtime/rim.h); 0: made without ambient occlusion */
};

#define ADIT_KIND_VERSION 0x52455641u
#define ADIT_KIND_MESH 0x534d4441u

/* ---- the layout, nailed down ------------------------------------------------------------------------------------ */

#define ADIT_AT(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define ADIT_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), #type)
ADIT_SIZE(adit_event, 8);
ADIT_SIZE(adit_robust, 64);
ADIT_AT(adit_robust, prev, 24);
ADIT_AT(adit_robust, next, 32);
ADIT_SIZE(adit_segment, 64);
ADIT_SIZE(adit_extent, 8);
ADIT_SIZE(adit_control, 4096);
ADIT_AT(adit_control, magic, 0);
ADIT_AT(adit_control, signature, 16);
ADIT_AT(adit_control, name, 56);
ADIT_AT(adit_control, fenced, 104);
ADIT_AT(adit_control, ao, 136);
ADIT_AT(adit_control, placement, 140);
ADIT_AT(adit_control, participants, 200);
ADIT_AT(adit_control, waits, 392);
ADIT_AT(adit_control, inner_at, 536);
ADIT_AT(adit_control, segments, 768);
ADIT_AT(adit_control, epoch, 1792);
ADIT_AT(adit_control, orphanings, 2048);
ADIT_AT(adit_control, metrics, 2112);
ADIT_SIZE(adit_waits, 768);
ADIT_AT(adit_waits, naming, 128);
ADIT_AT(adit_waits, uses, 256);
ADIT_AT(adit_waits, dirty_event, 384);
ADIT_AT(adit_waits, proxy_event, 640);
ADIT_AT(adit_waits, proxy_owner, 664);
ADIT_SIZE(adit_guest_section, 64);
ADIT_SIZE(adit_guest_pin, 16);
ADIT_SIZE(adit_guest_watch, 128);
ADIT_AT(adit_guest_watch, event, 64);
ADIT_SIZE(adit_guest_page, 4096);
ADIT_AT(adit_guest_page, watches, 64 + 64 * ADIT_GUEST_SECTIONS);
ADIT_AT(adit_guest_page, pins, 64 + 64 * ADIT_GUEST_SECTIONS + 128 * ADIT_GUEST_WATCHES);
ADIT_SIZE(adit_participant, 128);
ADIT_SIZE(adit_reader_slot, 128);
ADIT_AT(adit_reader_slot, ousted, 8);
ADIT_SIZE(adit_entry, 64);
ADIT_SIZE(adit_watch_slot, 128);
ADIT_AT(adit_watch_slot, event, 64);
ADIT_SIZE(adit_viewer_slot, 128);
ADIT_AT(adit_viewer_slot, world, 36);
ADIT_SIZE(adit_material, 64);
ADIT_SIZE(adit_ring_slot, 128);
ADIT_SIZE(adit_lock_slot, 256 + 2 * ADIT_LOCK_BYTES_MAX);
ADIT_AT(adit_lock_slot, robust, 64);
ADIT_AT(adit_lock_slot, commit, 128);
ADIT_AT(adit_lock_slot, copy, 256);
ADIT_SIZE(adit_ring_head, 512);
ADIT_AT(adit_ring_head, tail, 128);
ADIT_AT(adit_ring_head, overrun, 152);
ADIT_AT(adit_ring_head, head, 256);
ADIT_AT(adit_ring_head, tail_seen, 272);
ADIT_AT(adit_ring_head, item, 384);
ADIT_SIZE(adit_version, 176);
ADIT_AT(adit_version, content_hash, 40);
ADIT_AT(adit_version, masks_n, 62);
ADIT_AT(adit_version, border_hash, 80);
ADIT_AT(adit_version, plane, 128);
ADIT_SIZE(adit_mesh, 256);
ADIT_AT(adit_mesh, start, 136);
ADIT_AT(adit_mesh, rim_hash, 252);

#endif
