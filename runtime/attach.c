/* attach.c - create, attach, detach and errors (adit.h): defaults and limits here, the work in shm/arena.c. */
#include <errno.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/buffer.h"
#include "runtime/dirty.h"
#include "runtime/frame_log.h"
#include "runtime/interest.h"
#include "runtime/kind.h"
#include "runtime/kind_able.h"
#include "runtime/material.h"
#include "runtime/params.h"
#include "runtime/recover.h"
#include "runtime/tombstone.h"
#include "runtime/scratch.h"
#include "runtime/task_wants.h"
#include "runtime/watch.h"

#define DATA_BYTES (256ull << 20)
#define DATA_BYTES_MAX (1ull << 40) /* what a ref can name in one segment */
#define ATTACH_TIMEOUT_NS 5000000000u

_Static_assert((int)ADIT_PRODUCER == (int)ADIT_ROLE_PRODUCER && (int)ADIT_CONSUMER == (int)ADIT_ROLE_CONSUMER &&
                   (int)ADIT_OBSERVER == (int)ADIT_ROLE_OBSERVER && (int)ADIT_GUEST == (int)ADIT_ROLE_GUEST, "one list of roles");

const char *adit_detail(void) { return adit_fault_detail(); }

const char *adit_strerror(int error)
{
    switch (error < 0 ? -error : error) {
    case 0: return "done";
    case EACCES: return "-EACCES: the arena, or the folder for it, is not this user's";
    case EAGAIN: return "-EAGAIN: nothing there now, or others were quicker too often; try again";
    case EALREADY: return "-EALREADY: the task has ended";
    case EBADMSG: return "-EBADMSG: what lies there is damaged";
    case EBUSY: return "-EBUSY: the task runs, and is asked to stop; or tasks use the buffer";
    case ECANCELED: return "-ECANCELED: the task was cancelled, or its pool closed";
    case ECHILD: return "-ECHILD: a process that was started for it ended before it had begun";
    case ECONNRESET: return "-ECONNRESET: who served the arena ended before it answered";
    case EDEADLK: return "-EDEADLK: this thread holds the lock, or a task would wait for one that was not submitted yet";
    case EEXIST: return "-EEXIST: the name is in use";
    case EFAULT: return "-EFAULT: a kind wrote where it must not; the task's result says where";
    case EINVAL: return "-EINVAL: an argument is out of its range";
    case EIO: return "-EIO: the file, the kernel or a device gave less than was asked for";
    case EMFILE: return "-EMFILE: this process has too many descriptors open";
    case EMSGSIZE: return "-EMSGSIZE: the params struct is of another version of adit.h";
    case ENAMETOOLONG: return "-ENAMETOOLONG: a path is too long; choose a shorter one";
    case ENFILE: return "-ENFILE: the machine has too many files open";
    case ENODEV: return "-ENODEV: there is no such device, or none that adit can use";
    case ENOENT: return "-ENOENT: there is none of that name or key";
    case ENOEXEC: return "-ENOEXEC: the file is no object of kinds, or no worker program";
    case ENOMEM: return "-ENOMEM: the arena or the machine has no memory for it";
    case ENOSPC: return "-ENOSPC: a table of the arena is full";
    case ENOSYS: return "-ENOSYS: this kernel or C library has none of what that needs";
    case ETOOMANYREFS: return "-ETOOMANYREFS: the keeper's user has too many descriptors under way to others";
    case ENOTSUP: return "-ENOTSUP: the arena was made without guests, no device does that, or kinds that start threads when they are loaded";
    case EOWNERDEAD: return "-EOWNERDEAD: each worker that ran the task has died";
    case EPERM: return "-EPERM: sealed against writers, not held by this thread, or not granted by the kernel";
    case EPROTO: return "-EPROTO: not an arena of this layout, or a damaged one";
    case ERANGE: return "-ERANGE: a key, a voxel or a slot lies outside its range";
    case EROFS: return "-EROFS: this role may not do that";
    case ESRCH: return "-ESRCH: the arena's keeper cannot see this process";
    case ESTALE: return "-ESTALE: the current version is another one, or the section was ousted";
    case ETIME: return "-ETIME: a point of a frame was reached too late";
    case ETIMEDOUT: return "-ETIMEDOUT: it took too long";
    case EUSERS: return "-EUSERS: all slots are taken";
    default: return strerrordesc_np(error < 0 ? -error : error) ? strerrordesc_np(error < 0 ? -error : error)
                                                                : "unknown error";
    }
}

static uint32_t or_default(uint32_t value, uint32_t fallback) { return value ? value : fallback; }

/* The store keeps at least a fifth of its table free, so that probes stay short; a power of two. */
static uint32_t table_size(uint32_t chunks)
{
    uint64_t wanted = (uint64_t)chunks + chunks / 4, n = 64;
    while (n < wanted)
        n *= 2;
    return (uint32_t)n;
}

static int check_limit(const char *name, const char *what, uint64_t value, uint64_t max)
{
    return value <= max ? 0 : adit_fault(-EINVAL, "arena %s: %s %llu; at most %llu is possible", name, what,
                                         (unsigned long long)value, (unsigned long long)max);
}

static int check_plan(const struct adit_arena_plan *p)
{
    int error = check_limit(p->name, "data_bytes", p->data_bytes, DATA_BYTES_MAX);
    if (!error)
        error = check_limit(p->name, "guests_max", p->guests_max, ADIT_GUESTS_MAX);
    if (!error)
        error = check_limit(p->name, "participants_max", p->participants_max, ADIT_PARTICIPANTS_MAX - p->guests_max);
    if (!error)
        error = check_limit(p->name, "readers_max", p->readers_max, ADIT_READERS_MAX - p->guests_max);
    if (!error)
        error = check_limit(p->name, "watches_max", p->watches_max, ADIT_WATCHES_MAX - p->guests_max * ADIT_GUEST_WATCHES);
    if (!error)
        error = check_limit(p->name, "pins_max", p->pins_max, ADIT_PINS_MAX);
    if (!error)
        error = check_limit(p->name, "materials_max", p->materials_max, ADIT_MATERIALS);
    if (!error)
        error = check_limit(p->name, "tasks_max", p->tasks_max, ADIT_TASKS_MAX);
    if (!error)
        error = check_limit(p->name, "buffers_max", p->buffers_max, ADIT_BUFFERS_MAX);
    if (!error)
        error = check_limit(p->name, "heap_bytes", p->heap_bytes, 1u << 30);
    return error;
}

static enum adit_pages pages_of(uint32_t flags)
{
    return flags & ADIT_CREATE_SMALL_PAGES ? ADIT_PAGES_SMALL : flags & ADIT_CREATE_HUGE_1G ? ADIT_PAGES_1G : ADIT_PAGES_2M;
}

static int check_placement(const char *name, enum adit_placement placement)
{
    return (uint32_t)placement <= ADIT_PLACE_INTERLEAVED ? 0 : adit_fault(-EINVAL, "arena %s: no placement %d; see enum adit_placement", name, (int)placement);
}

static int check_guests(const struct adit_arena_plan *p)
{
    if (p->guest_path && *p->guest_path != '/')
        return adit_fault(-EINVAL, "arena %s: guest_path '%.60s' does not begin with a slash; give a whole path", p->name, p->guest_path);
    if (p->guest_path && !p->guests_max)
        return adit_fault(-EINVAL, "arena %s: guest_path without guests; say how many may come (guests_max)", p->name);
    return 0;
}

static int check_flags(const char *name, uint32_t flags)
{
    const uint32_t known = ADIT_CREATE_SEAL_WRITERS | ADIT_CREATE_TT_NONE | ADIT_CREATE_HUGE_1G | ADIT_CREATE_SMALL_PAGES |
                           ADIT_CREATE_AO | ADIT_CREATE_STRICT_NODES;
    const uint32_t pages = ADIT_CREATE_HUGE_1G | ADIT_CREATE_SMALL_PAGES;
    if (flags & ~known)
        return adit_fault(-EINVAL, "arena %s: flags 0x%x are unknown; see adit.h", name, flags & ~known);
    if ((flags & pages) == pages)
        return adit_fault(-EINVAL, "arena %s: flags ask for pages of 4 KiB and of 1 GiB; ask for one", name);
    return 0;
}

int adit_create(const char *name, const struct adit_create_params *params, struct adit_arena **out)
{
    static const struct adit_create_params defaults = {.size = sizeof defaults};
    const struct adit_create_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_create", p->size, sizeof *p);
    if (error)
        return error;
    error = check_limit(name ? name : "", "chunks_max", p->chunks_max, ADIT_CHUNKS_MAX / 2);
    struct adit_arena_plan plan = {
        .name = name ? name : "", .label = p->label, .data_bytes = p->data_bytes ? p->data_bytes : DATA_BYTES,
        .chunks_max = table_size(or_default(p->chunks_max, 16384)),
        .participants_max = or_default(p->participants_max, 64), .readers_max = or_default(p->readers_max, 256),
        .watches_max = or_default(p->watches_max, 32), .pins_max = or_default(p->pins_max, 1024),
        .materials_max = or_default(p->materials_max, 4096), .heap_bytes = p->heap_bytes ? p->heap_bytes : 4u << 20,
        .tasks_max = or_default(p->tasks_max, 4096), .buffers_max = or_default(p->buffers_max, 1024),
        .hold_max_bytes = p->hold_max_bytes ? p->hold_max_bytes : (p->data_bytes ? p->data_bytes : DATA_BYTES) / 4,
        .seal_writers = p->flags & ADIT_CREATE_SEAL_WRITERS, .tt_none = p->flags & ADIT_CREATE_TT_NONE, .ao = p->flags & ADIT_CREATE_AO,
        .strict_nodes = p->flags & ADIT_CREATE_STRICT_NODES, .placement = (uint32_t)p->placement,
        .guests_max = p->guests_max, .guest_path = p->guest_path, .pages = pages_of(p->flags), .recover = adit_recover_participant, .mind = adit_tombstones_mind};
    if (!error)
        error = check_flags(plan.name, p->flags);
    if (!error)
        error = check_placement(plan.name, p->placement);
    if (!error)
        error = check_guests(&plan);
    if (!error)
        error = check_plan(&plan);
    return error ? error : adit_arena_create(&plan, out);
}

int adit_attach(const char *name, enum adit_role role, const struct adit_attach_params *params, struct adit_arena **out)
{
    static const struct adit_attach_params defaults = {.size = sizeof defaults};
    const struct adit_attach_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_attach", p->size, sizeof *p);
    if (error)
        return error;
    if (role < ADIT_PRODUCER || role > ADIT_GUEST)
        return adit_fault(-EINVAL, "adit_attach: role %d; use ADIT_PRODUCER, ADIT_CONSUMER, ADIT_OBSERVER or ADIT_GUEST", (int)role);
    struct adit_attach_plan plan = {.name = name, .label = p->label, .role = (uint32_t)role,
                                    .timeout_ns = p->timeout_ns ? p->timeout_ns : ATTACH_TIMEOUT_NS,
                                    .recover = adit_recover_participant, .mind = adit_tombstones_mind};
    error = adit_arena_attach(&plan, out);
    if (!error && (*out)->owner)
        adit_task_wants_forget(*out, adit_owner_slot((*out)->owner)); /* whatever a mad peer has left there */
    return error;
}

void adit_detach(struct adit_arena **arena)
{
    if (!*arena)
        return;
    if ((*arena)->owner) { /* nobody comes back for these: as if it had died */
        adit_kinds_able_clear(*arena, adit_owner_slot((*arena)->owner));
        (void)adit_tasks_recover(*arena, (*arena)->owner);
        adit_task_wants_forget(*arena, adit_owner_slot((*arena)->owner));
        adit_buffers_recover(*arena, (*arena)->owner);
        adit_viewers_recover(*arena, (*arena)->owner);
        adit_frame_log_recover(*arena, (*arena)->owner);
    }
    adit_watch_fini(*arena);
    adit_scratch_fini(*arena);
    adit_material_fini(*arena);
    adit_kinds_fini(*arena);
    adit_arena_detach(arena);
}

const char *adit_notes(const struct adit_arena *arena) { return arena->notes; }

int adit_arenas_each(int (*each)(const char *name, void *user), void *user) { return adit_rendezvous_each(each, user); }

/* The least power of two from n on, 2^31 at most, which is more than any ring takes. */
static uint32_t power_of_two(uint32_t n)
{
    uint32_t power = 1;
    while (power < n && power < 1u << 31)
        power *= 2;
    return power;
}

int adit_ring_open(struct adit_arena *arena, const char *name, const struct adit_ring_params *params,
                   struct adit_ring **out)
{
    static const struct adit_ring_params defaults = {.size = sizeof defaults};
    const struct adit_ring_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_ring_open", p->size, sizeof *p);
    if (error)
        return error;
    return adit_shm_ring_open(arena, name, p->kind ? (uint32_t)p->kind : ADIT_RING_KIND_SPSC,
                              or_default(p->element_bytes, 64), power_of_two(or_default(p->capacity, 1024)), out);
}

int adit_samples_open(struct adit_arena *arena, const char *name, const struct adit_samples_params *params,
                      struct adit_samples **out)
{
    static const struct adit_samples_params defaults = {.size = sizeof defaults};
    const struct adit_samples_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_samples_open", p->size, sizeof *p);
    return error ? error : adit_shm_samples_open(arena, name, or_default(p->channels, 2), power_of_two(or_default(p->capacity_frames, 4096)), out);
}

int adit_lock_open(struct adit_arena *arena, const char *name, const struct adit_lock_params *params,
                   struct adit_lock **out)
{
    static const struct adit_lock_params defaults = {.size = sizeof defaults};
    const struct adit_lock_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_lock_open", p->size, sizeof *p);
    return error ? error : adit_shm_lock_open(arena, name, or_default(p->bytes, 64), out);
}

int adit_settle(struct adit_arena *arena, uint64_t timeout_ns)
{
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: an observer or a guest cannot wait for that; attach as a consumer", arena->name);
    return adit_dirty_settle(arena, timeout_ns);
}
