/* adit.h - the one header of adit: voxel worlds in shared memory, for producers, consumers and observers.
 *
 * An arena is all shared memory of one world. Producer processes publish immutable versions of chunks (64^3 voxels of
 * 16-bit materials); a dispatcher in any trusted process meshes what changed; consumer processes read voxels and
 * meshes in place. Once attached, publishing without waiters, acquiring and releasing make no system call.
 *
 *     struct adit_arena *a;                                  struct adit_arena *a;
 *     adit_attach("cave", ADIT_PRODUCER, NULL, &a);          adit_attach("cave", ADIT_CONSUMER, NULL, &a);
 *     adit_chunk_put(a, &key, voxels, NULL);                 struct adit_reader *r;  adit_reader_open(a, &r);
 *     adit_detach(&a);                                       adit_enter(r);
 *                                                            if (!adit_mesh_acquire(r, &key, &mesh)) draw(&mesh);
 *                                                            adit_exit(r);
 *
 * Conventions. Calls return 0 or a negative errno unless they say otherwise; adit_strerror names the error, and
 * adit_detail() gives this thread's last failure as one line with place and cure. Each call names all its errors; besides, those
 * that take params return -EMSGSIZE for a struct of another size. Params structs start with their size (sizeof) and zero means the
 * default; a NULL params is all defaults. A call blocks only where it says so, and any role may make it unless it says otherwise.
 * Calls on one arena may come from any thread at once unless they say otherwise; a struct adit_reader, adit_watch, adit_loan,
 * adit_lock belongs to one thread at a time. What opens something sets *out to NULL when it fails; what closes it sets the
 * caller's pointer to NULL, and accepts a NULL there. The library never prints, never exits, and takes no signal. A child of fork()
 * must not use the arena of its parent: attach anew; until it calls exec or ends it keeps that arena's memory, though not its name.
 */
#ifndef ADIT_H
#define ADIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/quad.h"
#include "runtime/adit_version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ADIT_API __attribute__((visibility("default")))

struct adit_arena;
struct adit_reader;
struct adit_watch;
struct adit_ring;
struct adit_samples;
struct adit_lock;
struct adit_dispatcher;

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* What a negative errno means where this library returns it, e.g. "-ENOSPC: a table of the arena is full" (-ENOMEM is a full arena).
 * Others get the system's words for them, or "unknown error". Never NULL, valid for ever; any thread. */
ADIT_API const char *adit_strerror(int error);
/* This thread's last failure in one line (place and cure), "" when there was none. Valid until its next adit call. The calls of
 * the fast paths keep no line, their error says all there is, and leave the last one as it was: adit_exit, adit_chunk_acquire,
 * adit_chunk_version, adit_mesh_acquire, adit_watch_next, adit_keys_each, adit_ring_push, _pop and _wait_*, adit_participant_get,
 * adit_samples_write, _read and _wait_*,
 * and adit_lock_lock where it is late or the thread's already. */
ADIT_API const char *adit_detail(void);

/* ---- arenas ----------------------------------------------------------------------------------------------------- */

/* producer: maps data read-write. consumer: maps data read-only. observer: maps everything read-only, takes no slot.
 * guest: a consumer that is not trusted, of any user: it maps read-only what readers need, and can write one page of its own, which the
 * arena takes for an enemy's. It reads, pins and watches as consumers do, and may look in (adit_stats, adit_participant_get, the names of
 * materials); everything else, and what changes the arena, is -EROFS to it, but locks, and rings to destroy, it does not find (-ENOENT).
 * What differs: a pin, and opening or closing a watch, wait for the keeper's process, some 0.1 ms; a guest has at most 16 readers,
 * 64 pins, which hold its share of half of hold_max_bytes, and 2 watches; and it is ousted (-ESTALE) as soon as it is in the way of a
 * producer that needs memory, from all its sections at once, and last its pins are taken away (adit_unpin). It sees who else is attached, and all chunks. */
enum adit_role { ADIT_PRODUCER = 1, ADIT_CONSUMER, ADIT_OBSERVER, ADIT_GUEST };

enum { ADIT_CREATE_SEAL_WRITERS = 1u /* no new writable mapping of data, later producers included */,
       ADIT_CREATE_TT_NONE = 2u /* no faces between different translucent or cutout materials */,
       ADIT_CREATE_HUGE_1G = 4u, /* 1 GiB pages instead of 2 MiB; falls back like them */
       ADIT_CREATE_SMALL_PAGES = 8u /* 4 KiB pages, though the machine has larger ones reserved; with HUGE_1G: -EINVAL */,
       ADIT_CREATE_AO = 16u /* meshes have ambient occlusion (kernels/mesh.h), over the borders of chunks, too */,
       ADIT_CREATE_STRICT_NODES = 32u /* a version lies on the node where placement wants it, or to publish it is -ENOSPC; else the next node has it */ };

/* On which node's memory the versions of chunks are wanted, on a machine of several. */
enum adit_placement { ADIT_PLACE_PRODUCER /* of the thread that publishes */,
                      ADIT_PLACE_REGION /* of the cube of 8^3 chunks the key lies in; they go to the nodes in turn along a Hilbert curve */,
                      ADIT_PLACE_INTERLEAVED /* chunk by chunk in turn */ };

struct adit_create_params {
    size_t size;
    uint64_t data_bytes;       /* of all data segments together; default 256 MiB, rounded up to 2 MiB a node; to 1 TiB */
    uint32_t chunks_max;       /* keys the store can hold at once, default 16,384; full of chunks that are not removed: -ENOSPC */
    uint32_t participants_max; /* default 64 */
    uint32_t readers_max;      /* reading threads of all processes, default 256 */
    uint32_t watches_max;      /* default 32 */
    uint32_t pins_max;         /* of each participant, default 1,024 */
    uint32_t materials_max;    /* default 4,096; ids below it can be named */
    uint64_t heap_bytes;       /* for rings, and 512 bytes a removal that finds the data full; default 4 MiB */
    uint64_t hold_max_bytes;   /* retired memory that readers inside sections may hold back; beyond it they are ousted (adit_exit);
                                * default a quarter of data_bytes */
    uint32_t tasks_max;        /* slots of all queues together (adit_queue_open), 400 bytes each; default 4,096 */
    uint32_t buffers_max;      /* buffers of tasks (adit_buffer_create), 64 bytes each; default 1,024 */
    uint32_t flags;
    enum adit_placement placement; /* default ADIT_PLACE_PRODUCER; without several nodes it makes no difference */
    const char *label; /* of this participant, for operators; default: the program's name */
    uint32_t guests_max;    /* guests at once, to 64; default none. One page each, which stays with the first user that had it */
    const char *guest_path; /* a socket by which guests of any user come in: who can reach this path (of at most 103 characters, with a
                             * slash first) and may write there (mode 0666) may be one. Default: guests of this user only, by name */
};

/* Creates the arena name ([A-Za-z0-9._-], 1..47 characters, no dot first), joins it as a producer and serves its descriptors to
 * others from a thread until detach. All memory is allocated here: a shortage is -ENOMEM now, never SIGBUS later. Blocks for as
 * long as the kernel takes to allocate, and while others create or look through names (5 s, then -ETIMEDOUT).
 * -EEXIST: the name or guest_path is in use; -EINVAL: a name, flag or number is none that can be; -EACCES: the folder for names
 * (XDG_RUNTIME_DIR/adit, else /run/adit or /tmp/adit-UID) is not this user's alone; -ENAMETOOLONG: it or guest_path is too long;
 * -EPERM: membarrier is there but this process may not use it; -EIO: no random bytes; -EMFILE: no descriptors for guests' pages;
 * or another -errno of the folder, the memory, the sockets or the threads, as the kernel gave it. */
ADIT_API int adit_create(const char *name, const struct adit_create_params *params, struct adit_arena **out);

struct adit_attach_params {
    size_t size;
    const char *label;
    uint64_t timeout_ns; /* to wait for the broker's answer, default 5 s */
};

/* Joins the arena name; a guest also by the path of its socket (anything with a slash in it). Blocks until the broker answers, at
 * most timeout_ns. -ENOENT: no such arena, or nobody serves it; -EINVAL: no role, no name, or a path for others than guests;
 * -EACCES: another user's, or a guest's path for others; -EPROTO: not an arena of this layout, or a damaged one; -EUSERS: no
 * participant slot, no guest's page free; -ETIMEDOUT; -EPERM: producers are sealed out, or this process may not use membarrier as the
 * arena needs it; -ENOTSUP: made without guests; -ESRCH: the keeper cannot see the guest's process; -EROFS: the keeper has no
 * descriptors of that kind to give; -ECONNRESET: keepers ended before they answered, until the time was over; -EMFILE, -ENFILE:
 * no descriptors left, here or at the keeper; -ETOOMANYREFS: its user has too many under way to others; -ENOMEM; -ENAMETOOLONG: as adit_create; or another -errno of the folder, the socket, the mappings or the threads. */
ADIT_API int adit_attach(const char *name, enum adit_role role, const struct adit_attach_params *params,
                         struct adit_arena **out);

/* Leaves: closes watches, gives back reader slots, pins and what was retired, unmaps; sets *arena to NULL. Before: every
 * thread out of its calls and sections, locks given back, dispatchers and pools closed, loans published or discarded; handles of readers, rings,
 * locks and watches that are still open must not be used afterwards. Tasks that it submitted are run, and their results go, as do its buffers. Others go on, whoever leaves. Blocks until this arena's threads have
 * ended, mostly some 20 ms at most, 5 s where others keep the folder for names, a second or two where all others are stopped. *arena may be NULL. */
ADIT_API void adit_detach(struct adit_arena **arena);

/* What the arena could not have (hugepages, NUMA binding, membarrier, ...), one clear line each, separated by newlines;
 * "" when all is as wished. Its creator is told, and who opens an image that is not one moment; who attaches gets "". Valid until
 * detach. */
ADIT_API const char *adit_notes(const struct adit_arena *arena);

/* Calls each(name, user) for every arena of this user that answers, by name; stops when each returns non-zero and returns that.
 * 0 when there is none, too. Needs no arena. Removes what dead arenas left in the folder. Blocks, a second for each that does not answer.
 * -EACCES, -EINVAL, -ENAMETOOLONG or another -errno: the folder for names, as adit_create. */
ADIT_API int adit_arenas_each(int (*each)(const char *name, void *user), void *user);

/* ---- keys and materials ----------------------------------------------------------------------------------------- */

/* A key: the chunk that covers voxels [64 x, 64 x + 64) and so on at level of detail lod of a world. x and z lie in
 * -524288..524287, y in -2048..2047, lod 0..15, world 0..62; anything else is -ERANGE. y is up. */
struct adit_key {
    int32_t x, y, z;
    uint8_t lod, world;
};

struct adit_material_info {
    char name[48];
    uint32_t rgba; /* 0xRRGGBBAA, sRGB */
    enum adit_class material_class;
};

/* Names a material and gives its id in *id. *id 0 on entry: the id of that name, or the lowest free one; otherwise that
 * very id is wanted. The first to name a material decides on class and colour: the same name later answers the same id.
 * A class never changes, so name a material before publishing voxels of it. Ids never named are opaque.
 * Blocks, 50 ms at most, for another who is naming the same slot. -EEXIST: the id has another name, or the name another id; -EAGAIN:
 * that other one does not go on (stopped, or just dead), call again; -ENOSPC: materials_max; -EINVAL: the name is not of 1 to 47 bytes,
 * the class none or air. Producers only: -EROFS. */
ADIT_API int adit_material_register(struct adit_arena *arena, const struct adit_material_info *info, uint16_t *id);
/* Name, colour and class of a material. -ENOENT when id was never named; air (0) never is. */
ADIT_API int adit_material_get(const struct adit_arena *arena, uint16_t id, struct adit_material_info *info);

/* ---- producing: chunks ------------------------------------------------------------------------------------------ */

/* All of these are for producers, others get -EROFS. put, publish, edit and remove borrow a reader slot for the call, and block while
 * 64 calls of this process are under way: -EAGAIN when that stays so, -EUSERS when readers_max leaves none; -EINVAL: somebody has
 * damaged the block's word meanwhile. */

#define ADIT_VERSION_NONE UINT64_MAX /* for if_version: versions are numbered from 1, and none gets as far */
struct adit_put_params {
    size_t size;
    uint64_t *version;        /* out: the version's number, may be NULL */
    uint64_t if_version;      /* publish only if this is the current version (-ESTALE else); 0: whatever is current;
                               * ADIT_VERSION_NONE: only if there is none, or the chunk was removed */
    bool renewable;           /* the version says: whoever made it will make it again just so. A stream that is short of room may remove it (adit_stream.h). Edits that follow do not say so by themselves */
};

/* Encodes and publishes voxels (ADIT_CHUNK_VOXELS materials, index (z*64 + y)*64 + x) as the key's next version; readers
 * see the old or the new one, never a mixture. Marks the chunk dirty, and those neighbours whose shared border changed; under
 * ADIT_CREATE_AO also those it shares an edge or corner with, when every side of it that meets there changed.
 * Outside sections only: a writer that is short of memory blocks until sections end, its own thread's included: 20 ms at a time while
 * much is retired, some 0.2 s before -ENOMEM, a second at worst. Otherwise lock-free, but for the first call after a material that is
 * not opaque was named; no system call unless somebody waits or memory must be reclaimed. -ENOSPC: a strict arena has no room on that node, or the store none for another
 * key; -ENOMEM: the arena is full, or this process; -ERANGE: no key; -ESTALE: if_version is not the current one; -EROFS, -EUSERS,
 * -EINVAL; -EAGAIN: also when a million others got in between. */
ADIT_API int adit_chunk_put(struct adit_arena *arena, const struct adit_key *key, const uint16_t *voxels,
                            const struct adit_put_params *params);

/* A loan: a block that the caller fills in place before it is published as a dense version. */
struct adit_loan {
    uint16_t *voxels; /* ADIT_CHUNK_VOXELS materials in the arena, uninitialised */
    uint64_t ref;     /* the block; 0 when nothing is on loan */
    struct adit_key key;
    uint32_t index; /* of the key in the store, UINT32_MAX: it is entered by publish */
    bool prepared;
};
/* Takes a block of some 592 KiB out of the arena for the key, until it is published or discarded, or this process ends. On failure
 * the loan is an empty one. Blocks for memory as put does, so outside sections only. -ENOSPC, -ENOMEM, -ERANGE, -EROFS: as put. */
ADIT_API int adit_chunk_loan(struct adit_arena *arena, const struct adit_key *key, struct adit_loan *loan);
/* Computes masks, borders and hashes of a filled loan; voxels must not change afterwards, or it is prepared again. Publish does it
 * when it was not done: a producer that cares for latency prepares early and publishes late. -EINVAL: nothing is on loan; -ENOMEM:
 * this process has no memory for its table of classes; -ERANGE: loan->key is no key any more; -EROFS. */
ADIT_API int adit_chunk_prepare(struct adit_arena *arena, struct adit_loan *loan);
/* Publishes the loan as the key's next version; on success the loan is gone (ref 0), after an error it is there still, to be
 * published again (prepared anew if voxels change) or discarded. Takes no memory, but may wait 20 ms to reclaim some, so outside
 * sections only. -EINVAL: nothing is on loan; -ENOSPC: the store has no room for another key by now; -ESTALE, -EUSERS, -EAGAIN, -EROFS: as put; -ENOMEM, -ERANGE: as
 * prepare, where that was not done. */
ADIT_API int adit_chunk_publish(struct adit_arena *arena, struct adit_loan *loan, const struct adit_put_params *params);
/* Gives the loan back unpublished and empties it. Accepts an empty loan; a copy of one that is gone must not be given. */
ADIT_API void adit_chunk_discard(struct adit_arena *arena, struct adit_loan *loan);

struct adit_voxel_edit {
    uint8_t x, y, z; /* 0..63, anything else is -ERANGE and no edit is made */
    uint8_t pad;
    uint16_t material;
};
/* Applies n edits in order to the current version and publishes the result as one new version; when another publisher gets
 * in between, the edits are applied again to what it published (at most 64 times, then -EAGAIN). A key never published
 * starts from air. Edits that change nothing publish nothing, and *params->version is the current one, 0 when there is none. Blocks as put.
 * -ERANGE: no key, or no voxel of a chunk; -EBADMSG: the current version is damaged (put replaces it); -ESTALE, -ENOSPC, -ENOMEM,
 * -EUSERS, -EINVAL, -EROFS: as put. */
ADIT_API int adit_chunk_edit(struct adit_arena *arena, const struct adit_key *key, const struct adit_voxel_edit *edits,
                             size_t n, const struct adit_put_params *params);

/* Publishes a version that says "no voxels here any more"; acquire then answers -ENOENT, numbers go on, and the next mesh has no quads.
 * The key keeps its place until the store is half full, or is wanted for another; then it is forgotten, as if it had never had a version, but for the numbers: those of
 * a chunk that comes back are higher than all it ever had. Works in a full arena, too: the small block that it takes may come from the heap. Blocks as put.
 * -ENOENT: there was none, or it was removed before; -ENOMEM: the heap is full as well; -ENOSPC: as put, where it was forgotten meanwhile; -ERANGE, -ESTALE, -EUSERS, -EAGAIN, -EINVAL, -EROFS:
 * as put. */
ADIT_API int adit_chunk_remove(struct adit_arena *arena, const struct adit_key *key,
                               const struct adit_put_params *params);

/* ---- reading: sections, versions, meshes, pins ------------------------------------------------------------------ */

/* One reader a thread that reads. -EUSERS: readers_max, or 16 of a guest; -EROFS: an observer can have none; -ENOMEM. */
ADIT_API int adit_reader_open(struct adit_arena *arena, struct adit_reader **out);
/* Gives the reader's slot back, outside its sections and by the thread it belongs to (a section it stands in ends unanswered). Pins that
 * were set with it stay. Before the arena is detached. */
ADIT_API void adit_reader_close(struct adit_reader **reader);

/* The part of a reader that enter and exit touch; first member of struct adit_reader. */
struct adit_section {
    uint64_t *slot;        /* in shared memory: the epoch (odd) inside, an even number outside; [1]: ousted; see shm/rcu.h */
    const uint64_t *epoch; /* in shared memory: the global epoch */
    uint32_t fenced;       /* the next enter is */
    uint32_t always;       /* every enter is: 1: no membarrier on this host; 2: a guest */
};

/* The rest of a guest's enter; adit_enter calls it, nobody else. */
ADIT_API void adit_enter_as_guest(struct adit_reader *reader);

/* Enters a section: what is acquired from here on stays valid until exit. Wait-free, about a nanosecond, never blocks.
 * Sections do not nest; keep them short, memory is reclaimed only behind the oldest one. */
static inline void adit_enter(struct adit_reader *reader)
{
    struct adit_section *s = (struct adit_section *)(void *)reader;
    /* RCU:enter. Acquire: who sees epoch e sees every unlink that preceded the advance to e (pairs with rcu.c:advance). */
    uint64_t e = __atomic_load_n(s->epoch, __ATOMIC_ACQUIRE);
    if (__builtin_expect(s->fenced, 0)) {
        s->fenced = s->always;
        (void)__atomic_exchange_n(s->slot, e, __ATOMIC_SEQ_CST); /* store before all later loads, by itself: */
#if !defined(__x86_64__)
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* an exchange alone is no full barrier everywhere */
#endif
        if (s->always == 2)
            adit_enter_as_guest(reader);
    } else {
        /* Release: the reads of earlier sections are before it (pairs with rcu.c:scan). Store before later loads: the grace
         * period sees to it. */
        __atomic_store_n(s->slot, e, __ATOMIC_RELEASE);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
}
/* The slow way out: of a section that may have been ousted, or where every enter is fenced. adit_exit calls it, nobody else; the same
 * answers. */
ADIT_API int adit_exit_slowly(struct adit_reader *reader);

/* Leaves the section. 0, or -ESTALE: the section held back more memory than hold_max_bytes and was ousted, so what was read in it may be
 * something else by now and must be thrown away; the next section is like any other. Only who stays inside for tens of
 * milliseconds, or is stopped there, while others write a lot, need look at the answer. Wait-free. */
static inline int adit_exit(struct adit_reader *reader)
{
    struct adit_section *s = (struct adit_section *)(void *)reader;
    /* OUST:look. After all reads of the section (pairs with OUST:mark, which is before the memory's next use). */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__builtin_expect(__atomic_load_n(&s->slot[1], __ATOMIC_RELAXED) != 0, 0))
        return adit_exit_slowly(reader);
    /* RCU:exit. Release: every read of the section is before the scan that finds it left (pairs with rcu.c:scan). */
    __atomic_store_n(s->slot, 2, __ATOMIC_RELEASE);
    return 0;
}
/* Says that this reader will not enter for a while: a thread that goes to sleep, or does something else for milliseconds,
 * calls it outside sections. Memory can then be reclaimed past the reader at once; past one that merely stays out, only after
 * some ten milliseconds. Its next enter costs some five nanoseconds more. Wait-free. */
static inline void adit_rest(struct adit_reader *reader)
{
    struct adit_section *s = (struct adit_section *)(void *)reader;
    s->fenced = 1;
    __atomic_store_n(s->slot, 0, __ATOMIC_RELEASE); /* RCU:exit */
}

/* A version as a reader holds it. Valid inside the section, or while pinned. */
struct adit_chunk_view {
    struct adit_key key;
    uint64_t version; /* from 1, only grows */
    uint64_t ref;
    const void *block;      /* struct adit_version, for adit_chunk_* below */
    uint8_t encoding;       /* 1 uniform, 2 bricks, 3 dense */
    bool empty, full, uniform; /* all air; all opaque; one material */
    bool renewable;         /* as who published it said (adit_put_params): nothing is lost with it */
    uint16_t material;      /* when uniform */
    uint32_t solid;         /* voxels that are not air */
    uint32_t bytes;         /* of the block */
    uint64_t published_ns;  /* CLOCK_MONOTONIC */
};
/* The key's current version, inside a section of reader. Wait-free, no system call. -ENOENT: the key has no version (any more);
 * -ERANGE: no key; -EBADMSG: the block is damaged; -ESTALE: the section was ousted, leave it and begin anew. *out is written on success
 * only. */
ADIT_API int adit_chunk_acquire(struct adit_reader *reader, const struct adit_key *key, struct adit_chunk_view *out);
/* Only the number of the current version, 0 when the key never had one (a removal counts until it is forgotten): for those who look whether something
 * has changed. Touches nothing but the key and its commit word. -ERANGE: no key. Inside a section or not; lock-free. */
ADIT_API int adit_chunk_version(const struct adit_arena *arena, const struct adit_key *key, uint64_t *version);
/* The next three: while the view is valid, by any thread; no system call.
 * One voxel, coordinates 0..63 (masked). Where a producer has damaged the block it is anything, or air. */
ADIT_API uint16_t adit_chunk_voxel(const struct adit_chunk_view *view, uint32_t x, uint32_t y, uint32_t z);
/* All voxels, expanded to ADIT_CHUNK_VOXELS materials, index (z*64 + y)*64 + x; air if the block is damaged (is_intact tells). */
ADIT_API void adit_chunk_decode(const struct adit_chunk_view *view, uint16_t *voxels);
/* True when the block's bytes are those that were published (XXH3; about 10 GB/s). */
ADIT_API bool adit_chunk_is_intact(const struct adit_chunk_view *view);

/* A mesh as a reader holds it. Valid inside the section, or while pinned. */
struct adit_mesh_view {
    struct adit_key key;
    uint64_t serial; /* counts the meshes of this key from 1 */
    uint64_t ref;
    const uint64_t *quads; /* quads_n of them, in the arena; see quad.h */
    const void *block;     /* struct adit_mesh */
    uint32_t start[ADIT_MESH_RANGES + 1]; /* range face * 3 + class - 1 is quads[start[r]] .. quads[start[r+1]] */
    uint32_t quads_n, faces; /* faces: unit faces that they cover */
    uint8_t bounds_lo[3], bounds_hi[3]; /* smallest and largest voxel with a quad, per axis; lo > hi: none has one */
    /* Versions it was made from: the chunk, -X +X -Y +Y -Z +Z; 0: never one there (a removal counts). Under ADIT_CREATE_AO it was made from
     * cells of the chunks diagonal to it as well, which are not named. */
    uint64_t source[7];
    const uint64_t *border_hash; /* 6: of the neighbours' sides as they were */
    uint32_t bytes; /* of the block */
    uint64_t published_ns, source_ns; /* CLOCK_MONOTONIC; source: of the newest version in it */
};
/* The key's current mesh, inside a section of reader: that of its current version, or of one before where a dispatcher has yet to come
 * (source tells). A chunk that is all air or was removed has one of no quads. Wait-free, no system call. -ENOENT: the key has no mesh
 * (yet); -ERANGE, -EBADMSG, -ESTALE: as adit_chunk_acquire. *out is written on success only. */
ADIT_API int adit_mesh_acquire(struct adit_reader *reader, const struct adit_key *key, struct adit_mesh_view *out);
/* True when the quads and the table of ranges are those that were published (XXH3; about 10 GB/s). While the view is valid, by any
 * thread. */
ADIT_API bool adit_mesh_is_intact(const struct adit_mesh_view *view);

/* Keeps the block named by ref (of a view acquired in this section) valid beyond it, until unpinned or detached. *pin names it, in
 * this process. Never blocks and makes no system call, but for guests: it waits for the keeper, some 0.1 ms, at most 2 s. -ENOSPC:
 * pins_max, or a guest's share; -EINVAL: ref names no block; -ESTALE: the section was ousted, leave it and begin anew; to guests
 * also -ETIMEDOUT: the keeper does not answer, and -EAGAIN: a producer without memory took pins away meanwhile. */
ADIT_API int adit_pin(struct adit_reader *reader, uint64_t ref, uint32_t *pin);
/* Lets the block go; by any thread of the process that pinned it. -EINVAL: not in use; to guests also -ESTALE: a producer had no memory
 * left and the pin was taken away, so what was read by it may be something else and must be thrown away. */
ADIT_API int adit_unpin(struct adit_arena *arena, uint32_t pin);

/* Calls each() for every key that ever had a version, removed ones included, in no order. Stops when it returns non-zero and returns
 * that, else 0. Inside a section where each() acquires; takes as long as a walk over chunks_max words and each() do. */
ADIT_API int adit_keys_each(struct adit_reader *reader, int (*each)(const struct adit_key *key, void *user),
                            void *user);

/* ---- watches ---------------------------------------------------------------------------------------------------- */

enum { ADIT_WATCH_CHUNKS = 1u, ADIT_WATCH_MESHES = 2u, ADIT_WATCH_LAPSED = 4u /* in events only, alone: see adit_watch_open */ };
enum { ADIT_WATCH_ONLY_WORLD = 1u, ADIT_WATCH_ONLY_LOD = 2u };
struct adit_watch_params {
    size_t size;
    int32_t lo[3], hi[3]; /* box of keys, lo <= key < hi; all zero: everything */
    uint32_t only;        /* which of world and lod keys must have; default: every world, every level of detail */
    uint8_t world, lod;   /* -EINVAL when not 0 and not asked for in only */
    uint32_t what;        /* default: both */
    bool with_present; /* also report what is there already, as if it had just changed */
    struct adit_reader *reader; /* of the thread that calls next: put to rest (adit_rest) whenever next has to wait; may be NULL */
};
struct adit_watch_event {
    struct adit_key key; /* with ADIT_WATCH_LAPSED none: of a world that no key has (-ERANGE) */
    uint32_t what; /* what changed since this key was last reported */
};
/* A subscription to changes. A key is reported once however often it changes before it is taken: read its current
 * version then. Nothing is ever lost by being slow, but one thing: of chunks that were removed, and whose keys the store had to give to others before they were looked at, all
 * that is reported is one event of ADIT_WATCH_LAPSED: whoever keeps chunks or meshes looks then which of them are there still (-ENOENT: it is gone). Walks the store when with_present is set. A guest's waits for the keeper, some
 * 0.1 ms, at most 2 s. -EUSERS: watches_max, or 2 of a guest; -EINVAL: world, lod or only; -EROFS: an observer cannot watch;
 * -ENOMEM; -ETIMEDOUT: the keeper does not answer the guest. */
ADIT_API int adit_watch_open(struct adit_arena *arena, const struct adit_watch_params *params, struct adit_watch **out);
/* The next change. Blocks up to timeout_ns (UINT64_MAX: for ever), then -ETIMEDOUT; 0: not at all, -EAGAIN when there is none. One
 * thread at a time, outside sections where it may wait. No system call when there is something. */
ADIT_API int adit_watch_next(struct adit_watch *watch, struct adit_watch_event *event, uint64_t timeout_ns);
/* A descriptor (not negative) that polls readable when there may be something to take; the first call starts a small thread. The
 * descriptor belongs to the watch; next() drains it. By the thread of next(). -EMFILE, -ENFILE, -ENOMEM, -EAGAIN: no
 * descriptor or thread. */
ADIT_API int adit_watch_fd(struct adit_watch *watch);
/* Ends the subscription, its descriptor and its thread, which it waits for, at once. No next() may be under way. A guest's waits for the
 * keeper, some 0.1 ms, at most 2 s. */
ADIT_API void adit_watch_close(struct adit_watch **watch);

#include "runtime/adit_dispatch.h"

/* ---- rings ------------------------------------------------------------------------------------------------------ */

enum adit_ring_kind { ADIT_RING_SPSC = 1, ADIT_RING_MPMC, ADIT_RING_SAMPLES /* of adit_samples_open alone */ };
struct adit_ring_params {
    size_t size;
    enum adit_ring_kind kind; /* default SPSC */
    uint32_t element_bytes;   /* 1..4096, default 64 */
    uint32_t capacity;        /* elements, rounded up to a power of two, default 1,024 */
};
/* If a process dies in push or pop: elements whose push had returned come out once; the one being pushed is there whole or not at all; the
 * one being popped comes again (SPSC) or may be lost with its popper (MPMC). The next pusher or popper of an SPSC ring takes over
 * after the process before it has ended; an MPMC ring waits at a claimed slot until the dead are recovered.
 * Makes a ring of that name in the arena, or opens the one there is (-EEXIST when its shape differs). Memory stays the
 * arena's until adit_ring_destroy. SPSC: one pushing and one popping thread at a time, in any processes. A handle may be used by
 * several threads within that rule. Producers and consumers: -EROFS. Blocks while another makes or destroys a ring or makes a
 * lock, 5 s at most: -ETIMEDOUT. -EINVAL: no name of 1 to 47 characters, no kind, an element of more than 4,096 bytes, more than 2^20
 * elements, or a ring of more than 16 MiB; -ENOSPC: there are 64 rings; -ENOMEM: no room in heap_bytes, or in this process;
 * -EPROTO: the ring is damaged; -ENOSYS: this C library has no robust locks of the shape that is needed. */
ADIT_API int adit_ring_open(struct adit_arena *arena, const char *name, const struct adit_ring_params *params,
                            struct adit_ring **out);
/* Frees the handle, which no thread is using; the ring and what is in it stay. */
ADIT_API void adit_ring_close(struct adit_ring **ring);
/* Frees the ring of that name, of whatever kind; who still has it open must not use it. -ENOENT: there is none, or this is an observer or guest.
 * Blocks as adit_ring_open: -ETIMEDOUT, -ENOSYS. */
ADIT_API int adit_ring_destroy(struct adit_arena *arena, const char *name);
/* Pushes or pops up to n elements of element_bytes each, never blocks; returns how many (0: full or empty). No system call unless the
 * other side sleeps in a wait. */
ADIT_API uint32_t adit_ring_push(struct adit_ring *ring, const void *elements, uint32_t n);
ADIT_API uint32_t adit_ring_pop(struct adit_ring *ring, void *elements, uint32_t n);
/* Blocks until a push (a pop) of one element can succeed: spins shortly, then sleeps, at most timeout_ns (UINT64_MAX: for ever; 0: just
 * looks), then -ETIMEDOUT. Of an SPSC ring by the thread that pushes (that pops). */
ADIT_API int adit_ring_wait_room(struct adit_ring *ring, uint64_t timeout_ns);
ADIT_API int adit_ring_wait_item(struct adit_ring *ring, uint64_t timeout_ns);

/* ---- rings of samples ------------------------------------------------------------------------------------------- */

/* A stream of sound, or of anything that comes at a rate, from one process to another: a *frame* is one float a channel. Neither side
 * ever waits for the other; who is late loses frames, and it is counted.
 *
 *     struct adit_samples *line;
 *     adit_samples_open(a, "microphone", NULL, &line);             in both processes: stereo, 4,096 frames
 *     adit_samples_write(line, block, 256);                        in one, at its pace
 *     adit_samples_read(line, block, 256);                         in the other, at its own: block is full, with silence if need be
 *
 * If a process dies in write: its frames of that call are there all or not at all; in read: they are given to the next reader. The next
 * writer or reader takes over exactly, after the process before it has ended. */
struct adit_samples_params {
    size_t size;
    uint32_t channels;        /* floats a frame, 1..1024, default 2 */
    uint32_t capacity_frames; /* rounded up to a power of two, to 2^20, default 4,096 */
};
/* Makes a ring of that name or opens the one there is, under one table of names with other rings, so adit_ring_destroy ends it. One writing and
 * one reading thread at a time, in any processes (consumers may write). Blocks and fails as adit_ring_open: -EEXIST, -EROFS, -ETIMEDOUT, -EINVAL (no name,
 * too many channels or frames, or more than 16 MiB), -ENOSPC, -ENOMEM, -EPROTO, -ENOSYS. */
ADIT_API int adit_samples_open(struct adit_arena *arena, const char *name, const struct adit_samples_params *params,
                               struct adit_samples **out);
/* Frees the handle, which no thread is using; the ring and what is in it stay. */
ADIT_API void adit_samples_close(struct adit_samples **samples);
/* Writes n frames; the last ones are dropped if there is no room, and counted as overrun. Returns how many are there now. Wait-free; no
 * system call unless the other side sleeps in a wait. The reader is shown all of them at once. */
ADIT_API uint32_t adit_samples_write(struct adit_samples *samples, const float *frames, uint32_t n);
/* Reads n frames in the order they were written; where fewer are there the rest is silence (0.0f), counted as underrun. Returns how many
 * were there. Wait-free, as write. */
ADIT_API uint32_t adit_samples_read(struct adit_samples *samples, float *frames, uint32_t n);
/* Frames that are there to be read: at least so many for its reader, at most for its writer. Any thread, wait-free. */
ADIT_API uint32_t adit_samples_fill(const struct adit_samples *samples);
/* Frames ever dropped, and ever missing, since the ring was made, by whatever processes. Any thread, wait-free. */
ADIT_API uint64_t adit_samples_overrun(const struct adit_samples *samples);
ADIT_API uint64_t adit_samples_underrun(const struct adit_samples *samples);
/* Blocks until there is room for n frames (until n are there): spins shortly, then sleeps, at most timeout_ns (UINT64_MAX: for ever; 0: just
 * looks), then -ETIMEDOUT. -EINVAL: more than the capacity. By the thread that writes (that reads). */
ADIT_API int adit_samples_wait_room(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns);
ADIT_API int adit_samples_wait_fill(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns);

/* ---- locks ------------------------------------------------------------------------------------------------------ */

/* Small named objects that several processes change. strict: one holder at a time writes a draft, and unlocking commits it;
 * optimistic: whoever only reads copies the committed bytes and takes nothing. Whoever dies holding it loses its draft, and the
 * next holder is given the last committed bytes at once. (The third way, lock-free over versions, is what chunks do.) */
struct adit_lock_params {
    size_t size;
    uint32_t bytes; /* of the object, at most 4,096; default 64; zeroed at first */
};
/* Makes the lock of that name or opens it (-EEXIST when its size differs; -ENOSPC: there are 64). It stays as long as the
 * arena. Observers may open what is there (-ENOENT) and read; guests see none (-ENOENT). Blocks as adit_ring_open where it has to
 * make one: -ETIMEDOUT, -ENOSYS. -EINVAL: no name of 1 to 47 characters, or more than 4,096 bytes; -ENOMEM. */
ADIT_API int adit_lock_open(struct adit_arena *arena, const char *name, const struct adit_lock_params *params,
                            struct adit_lock **out);
/* Frees the handle; gives the lock back if it is held by it, its draft discarded, so by the thread that holds it. */
ADIT_API void adit_lock_close(struct adit_lock **lock);
/* Takes it, waiting up to timeout_ns (UINT64_MAX: for ever), and sets *bytes to the draft, a copy of what is committed, which this
 * thread alone may write until it unlocks. 0, or 1: the same, and a holder before has died (its draft is gone). Blocks
 * while a living holder keeps it; no system call when it is free. -ETIMEDOUT (0: at once); -EDEADLK: this thread holds it; -EROFS:
 * an observer; -ENOSYS: as adit_ring_open. *bytes is NULL then. */
ADIT_API int adit_lock_lock(struct adit_lock *lock, uint64_t timeout_ns, void **bytes);
/* Commits the draft and gives the lock back. Wait-free; a system call only if somebody waits. -EPERM: not held by this handle and
 * thread. */
ADIT_API int adit_lock_unlock(struct adit_lock *lock);
/* Gives it back as if it had not been taken: the draft is dropped, the committed bytes stay. Otherwise as adit_lock_unlock. -EPERM:
 * not held by this handle and thread. */
ADIT_API int adit_lock_discard(struct adit_lock *lock);
/* Copies the first `bytes` committed bytes, of one version, to copy; *version (may be NULL) counts the commits. Lock-free: it repeats
 * only when others have committed meanwhile, and never waits for a holder, be it stopped or dead. -EAGAIN: 1,000 times in a row;
 * -EINVAL: more bytes than there are. */
ADIT_API int adit_lock_read(const struct adit_lock *lock, void *copy, uint32_t bytes, uint64_t *version);

/* ---- looking in ------------------------------------------------------------------------------------------------- */

struct adit_segment_stats {
    uint64_t bytes, free_bytes, loaned_bytes, published_bytes, retired_bytes, largest_free_bytes;
    uint32_t blocks, page_bytes;
    int32_t node;
};
struct adit_stats {
    size_t size;
    char name[48];
    uint64_t created_ns; /* CLOCK_REALTIME */
    uint64_t epoch;
    uint32_t participants, participants_max, readers, readers_max, watches, watches_max, viewers, segments_n;
    uint64_t keys, keys_max; /* used places of the store, of how many (chunks_max or more): those of removed chunks among them, until they are forgotten */
    uint64_t chunks, meshes, dirty, in_work; /* chunks: keys with a current version, removals among them */
    uint64_t version_bytes, mesh_bytes; /* of the blocks of current versions and meshes, granules rounded up */
    uint64_t version_payload_bytes;     /* encoded content alone: palettes, masks, planes, voxels */
    uint64_t control_bytes;
    uint64_t encodings[5]; /* chunks by enum adit_encoding: -, uniform, bricks, dense, removed */
    uint64_t quads, faces, voxels; /* of the current meshes; voxels: not air, of the current versions */
    uint32_t queues; /* of tasks (adit_tasks.h) */
    uint64_t tasks_delayed, tasks_queued, tasks_running, tasks_ended; /* as enum adit_task_stage has them; ended: whose results nobody has taken */
    uint32_t keeper_pid; /* who serves the name and recovers the dead; 0: nobody at this moment */
    bool deserted;       /* no producer is attached and alive */
    struct adit_segment_stats segments[16]; /* 0: the control segment's heap */
};
/* A snapshot, counted while others go on; stats->size set by the caller, else -EMSGSIZE. Walks every block: about 1 ms a GiB. A guest
 * finds 0 where it cannot look: dirty, in_work, watches, queues and tasks, keeper_pid, and segment 0. */
ADIT_API int adit_stats(struct adit_arena *arena, struct adit_stats *stats);

struct adit_participant_info {
    uint32_t slot, generation, pid, uid;
    enum adit_role role;
    const char *state; /* "joining", "alive", "leaving", "dead" (being recovered) */
    bool gone;         /* no process of that pid and start time is there any more */
    bool keeper;       /* it serves the name and recovers the dead */
    char label[32];
    uint64_t joined_ns; /* CLOCK_REALTIME */
    uint64_t published, edits, meshed, retired, reclaimed, grace_periods, limbo_bytes;
    uint32_t readers, pins;
    uint64_t oldest_epoch; /* of its readers now inside a section; 0: none */
};
/* The participant in a slot; -ENOENT when it is free, -ERANGE past the last. Asks /proc whether the process is there. */
ADIT_API int adit_participant_get(struct adit_arena *arena, uint32_t slot, struct adit_participant_info *out);

struct adit_ring_info {
    size_t size;
    char name[48];
    enum adit_ring_kind kind;
    uint32_t element_bytes, capacity; /* of samples: 4 a channel, frames */
    uint32_t filled;                  /* of an MPMC ring this and the next are estimates */
    uint64_t pushed, popped;          /* since it was made; of samples: written, read */
    uint64_t overrun, underrun;       /* of samples, else 0 */
    uint32_t pusher_pid, popper_pid;  /* who was last at it; 0: nobody, or it has left; MPMC: 0 */
};
/* The ring in a slot of the arena, counted while others go on; out->size set by the caller, else -EMSGSIZE. -ENOENT: that slot is free;
 * -ERANGE past the last (a guest sees none); -EPROTO: the ring is damaged. Any role, wait-free. */
ADIT_API int adit_ring_get(const struct adit_arena *arena, uint32_t slot, struct adit_ring_info *out);

/* ---- verifying -------------------------------------------------------------------------------------------------- */

enum { ADIT_VERIFY_QUIET = 1u /* nobody works on the arena: so also leaks, unfinished work and unsettled chunks are breaches */,
       ADIT_VERIFY_DEEP = 2u  /* also compares the contents of versions and meshes with their hashes (about 10 GB/s) */,
       ADIT_VERIFY_LIVING = 4u /* a dead process that is not recovered is a breach; part of QUIET, never judged of an image */ };

/* What a look came past. */
struct adit_verify_counts {
    uint64_t participants, readers, pins, rings, tasks, blocks, block_bytes, free_bytes, keys, versions, meshes, hashed_bytes;
};
struct adit_verify_params {
    size_t size;
    uint32_t flags;
    uint32_t looks; /* a finding counts when it is the same in so many looks, 3 ms apart; default 3 */
    struct adit_verify_counts *counts; /* out, of the last look; may be NULL */
};
struct adit_breach {
    const char *invariant; /* "I1" to "I8": shm/README.md says what each means */
    const char *place;     /* "segment 1 granule 734", "entry 12 (0,1,-3)" */
    const char *what;      /* one line */
};
/* Walks the whole arena and calls each (may be NULL) for every breach of its invariants. Returns how many there are (1,025 stands
 * for more), 0: none, or -ENOMEM, -EMSGSIZE; -EROFS: a guest sees too little for it. Any time; it stores nothing, and sleeps between
 * looks. A healthy arena has no breach whatever others do meanwhile; whatever lies in shared memory, it neither faults nor hangs. A
 * look at 2 GiB of segments with 66 MiB of blocks took 33 ms on a guest of 2 CPUs at work, 52 ms with DEEP. */
ADIT_API int adit_verify(const struct adit_arena *arena, const struct adit_verify_params *params,
                         void (*each)(const struct adit_breach *breach, void *user), void *user);

/* Saves all segments of an arena into one file, which appears whole or not at all; zero pages are left out. Others may go on
 * meanwhile; then the image is not one moment, and adit_notes of it says so. Blocks for as long as the writing takes. -EROFS: a
 * guest sees a part only; -ENOMEM; -EIO or another -errno of the file. */
ADIT_API int adit_image_save(const struct adit_arena *arena, const char *path);
/* Opens an image as an observer's arena: adit_stats, adit_verify and what else an observer may do, then adit_detach. -EPROTO: not an
 * image, cut off, damaged, or of another layout; -ENOMEM; or another -errno of the file. */
ADIT_API int adit_image_open(const char *path, struct adit_arena **out);
/* When an image was saved, in nanoseconds of CLOCK_MONOTONIC, by which all times in it are to be read; *wall_ns (may be NULL): of CLOCK_REALTIME. 0, both: the arena is no image. Any thread. */
ADIT_API uint64_t adit_image_moment(const struct adit_arena *arena, uint64_t *wall_ns);

#ifdef __cplusplus
}
#endif

#include "runtime/adit_tasks.h"

#include "runtime/adit_kinds.h"

#include "runtime/adit_router.h"

#include "runtime/adit_frames.h"
#include "runtime/adit_metrics.h"
#include "runtime/adit_stream.h"

#include "runtime/adit_look.h"

#endif
