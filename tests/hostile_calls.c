#include "tests/hostile_calls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/kinds.h"
#include "runtime/mesher.h"
#include "runtime/recover.h"
#include "runtime/store.h"
#include "runtime/worker.h"
#include "tests/hostile_looks.h"

static uint16_t voxels[ADIT_CHUNK_VOXELS];
static volatile uint64_t sink;

static struct adit_key any_key(uint64_t r) { return hostile_key((uint32_t)(r % (HOSTILE_CHUNKS + 1))); }

/* ---- producing */

static int call_put(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    uint64_t version;
    struct adit_put_params p = {.size = sizeof p, .version = &version, .if_version = r >> 8 & 7 ? 0 : r >> 12 & 3};
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = r >> 16 & 3 ? 9 : (uint16_t)((i & 63) < (r >> 20 & 63) ? 10 + (i >> 12 & 3) : 0);
    return adit_chunk_put(h->arena, &key, voxels, &p);
}

static int call_loan(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    struct adit_loan loan;
    int error = adit_chunk_loan(h->arena, &key, &loan);
    if (error)
        return error;
    memset(loan.voxels, (int)(r >> 8 & 3), ADIT_CHUNK_VOXELS * 2);
    if (r >> 16 & 1)
        error = adit_chunk_prepare(h->arena, &loan);
    if (!error)
        error = adit_chunk_publish(h->arena, &loan, NULL);
    adit_chunk_discard(h->arena, &loan);
    return error;
}

static int call_discard(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    struct adit_loan loan;
    int error = adit_chunk_loan(h->arena, &key, &loan);
    adit_chunk_discard(h->arena, &loan);
    return error;
}

static int call_edit(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    struct adit_voxel_edit edits[2] = {{(uint8_t)(r & 63), (uint8_t)(r >> 8 & 63), 3, 0, (uint16_t)(r >> 40)}, {1, 2, (uint8_t)(r >> 16 & 63), 0, 12}};
    return adit_chunk_edit(h->arena, &key, edits, 2, NULL);
}

static int call_remove(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    return adit_chunk_remove(h->arena, &key, NULL);
}

static int call_material_register(struct hostile *h, uint64_t r)
{
    struct adit_material_info m = {.name = "stone", .material_class = ADIT_CLASS_OPAQUE};
    uint16_t id = r & 1 ? 0 : (uint16_t)(r >> 8 & 15);
    m.name[4] = (char)('a' + (r >> 16) % 8);
    return adit_material_register(h->arena, &m, &id);
}

static int call_material_get(struct hostile *h, uint64_t r)
{
    struct adit_material_info m;
    int error = adit_material_get(h->arena, (uint16_t)(r & 1 ? r >> 8 & 15 : r >> 8), &m);
    sink += error ? 0 : strlen(m.name);
    return error;
}

/* ---- reading */

static int read_chunk(struct hostile *h, uint64_t r, bool decode, bool intact)
{
    struct adit_key key = any_key(r);
    struct adit_chunk_view view;
    adit_enter(h->reader);
    int error = adit_chunk_acquire(h->reader, &key, &view);
    for (uint32_t i = 0; !error && i < 8; i++)
        sink += adit_chunk_voxel(&view, (uint32_t)(r >> i), (uint32_t)(r >> (i * 5)), (uint32_t)(r >> (i * 7)));
    if (!error && decode)
        adit_chunk_decode(&view, voxels);
    if (!error && intact)
        sink += adit_chunk_is_intact(&view);
    adit_exit(h->reader);
    return error;
}

static int call_acquire(struct hostile *h, uint64_t r) { return read_chunk(h, r, false, false); }
static int call_decode(struct hostile *h, uint64_t r) { return read_chunk(h, r, true, false); }
static int call_is_intact(struct hostile *h, uint64_t r) { return read_chunk(h, r, false, true); }

static int read_mesh(struct hostile *h, uint64_t r, bool intact)
{
    struct adit_key key = any_key(r);
    struct adit_mesh_view mesh;
    adit_enter(h->reader);
    int error = adit_mesh_acquire(h->reader, &key, &mesh);
    for (uint32_t range = 0; !error && range < ADIT_MESH_RANGES; range++)
        for (uint32_t q = mesh.start[range], end = mesh.start[range + 1]; q < end; q += 1 + (q & 31))
            sink += adit_quad_material(mesh.quads[q]);
    if (!error && intact)
        sink += adit_mesh_is_intact(&mesh);
    adit_exit(h->reader);
    return error;
}

static int call_mesh_acquire(struct hostile *h, uint64_t r) { return read_mesh(h, r, false); }
static int call_mesh_is_intact(struct hostile *h, uint64_t r) { return read_mesh(h, r, true); }

static int call_version(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    uint64_t version;
    return adit_chunk_version(h->arena, &key, &version);
}

static int call_pin(struct hostile *h, uint64_t r)
{
    struct adit_key key = any_key(r);
    struct adit_chunk_view view;
    uint32_t pin;
    adit_enter(h->reader);
    int error = adit_chunk_acquire(h->reader, &key, &view);
    if (!error)
        error = adit_pin(h->reader, r >> 8 & 1 ? view.ref : r >> 9, &pin);
    adit_exit(h->reader);
    return error ? error : adit_unpin(h->arena, pin);
}

static int see_key(const struct adit_key *key, void *user)
{
    *(uint64_t *)user += (uint32_t)key->x;
    return 0;
}

static int call_keys_each(struct hostile *h, uint64_t r)
{
    uint64_t sum = r;
    adit_enter(h->reader);
    int error = adit_keys_each(h->reader, see_key, &sum);
    adit_exit(h->reader);
    return error;
}

static int call_reader(struct hostile *h, uint64_t r)
{
    struct adit_reader *reader;
    int error = adit_reader_open(h->arena, &reader);
    if (error)
        return error;
    adit_enter(reader);
    if (r & 1)
        adit_exit(reader);
    else
        adit_rest(reader);
    adit_reader_close(&reader);
    return 0;
}

/* ---- watches, rings, locks */

static int call_watch_next(struct hostile *h, uint64_t r)
{
    struct adit_watch_event event;
    int error = 0;
    for (uint32_t i = 0; i < 20 && !error; i++)
        error = adit_watch_next(h->watch, &event, r & 63 ? 0 : 1000);
    return error;
}

static int call_watch_open(struct hostile *h, uint64_t r)
{
    struct adit_watch_params p = {.size = sizeof p, .lo = {0, 0, 0}, .hi = {2, 2, 2}, .what = (uint32_t)(r & 3), .with_present = r >> 2 & 1};
    struct adit_watch_event event;
    struct adit_watch *watch;
    int error = adit_watch_open(h->arena, &p, &watch);
    if (error)
        return error;
    error = adit_watch_next(watch, &event, 0);
    adit_watch_close(&watch);
    return error;
}

static int call_watch_fd(struct hostile *h, uint64_t r)
{
    struct adit_watch *watch;
    (void)r;
    int error = adit_watch_open(h->arena, NULL, &watch);
    if (error)
        return error;
    error = adit_watch_fd(watch) < 0 ? -EAGAIN : 0;
    adit_watch_close(&watch);
    return error;
}

static int call_ring(struct hostile *h, uint64_t r)
{
    struct adit_ring *ring = r & 1 ? h->spsc : h->mpmc;
    uint64_t elements[8] = {r};
    uint32_t n = (uint32_t)(r >> 1 & 7) + 1, got = r >> 5 & 1 ? adit_ring_push(ring, elements, n) : adit_ring_pop(ring, elements, n);
    REQUIRE(got <= n);
    return r >> 6 & 1 ? adit_ring_wait_room(ring, 0) : adit_ring_wait_item(ring, 0);
}

static int call_ring_open(struct hostile *h, uint64_t r)
{
    struct adit_ring_params p = {.size = sizeof p, .kind = r & 1 ? ADIT_RING_SPSC : ADIT_RING_MPMC, .element_bytes = 8, .capacity = 8};
    const char *name = r & 6 || (r >> 8) % 256 ? r & 1 ? "spsc" : "mpmc" : "new"; /* a new one may wait for memory */
    struct adit_ring *ring;
    uint64_t element = r;
    int error = adit_ring_open(h->arena, name, &p, &ring);
    if (error)
        return error;
    (void)adit_ring_push(ring, &element, 1);
    (void)adit_ring_pop(ring, &element, 1);
    adit_ring_close(&ring);
    return adit_ring_destroy(h->arena, "new");
}

static int call_samples(struct hostile *h, uint64_t r)
{
    float frames[24] = {(float)(r & 255)};
    struct adit_samples_params p = {.size = sizeof p, .channels = 1, .capacity_frames = 16};
    struct adit_samples *other;
    uint32_t n = (uint32_t)(r >> 8) % 24 + 1, got = r >> 16 & 1 ? adit_samples_write(h->samples, frames, n) : adit_samples_read(h->samples, frames, n);
    REQUIRE(got <= n && got <= 16 && adit_samples_fill(h->samples) <= 16);
    int error = r >> 17 & 1 ? adit_samples_wait_room(h->samples, n, 0) : adit_samples_wait_fill(h->samples, n, 0);
    if (r >> 18 & 31)
        return error;
    error = adit_samples_open(h->arena, "samples", &p, &other); /* as a ring: named, found, its shape looked at */
    adit_samples_close(&other);
    return error;
}

static int call_ring_get(struct hostile *h, uint64_t r)
{
    struct adit_ring_info info = {.size = sizeof info};
    int error = adit_ring_get(h->arena, (uint32_t)(r >> 1) % (r & 1 ? 4 : 70), &info);
    REQUIRE(error || (info.filled <= info.capacity && strnlen(info.name, sizeof info.name) < sizeof info.name));
    return error;
}

static int call_lock(struct hostile *h, uint64_t r)
{
    void *draft;
    int got = adit_lock_lock(h->lock, r & 31 ? 0 : 1000000, &draft);
    if (got < 0)
        return got;
    memset(draft, (int)r, 64);
    return r >> 8 & 1 ? adit_lock_unlock(h->lock) : adit_lock_discard(h->lock);
}

static int call_lock_read(struct hostile *h, uint64_t r)
{
    uint8_t copy[64];
    uint64_t version;
    (void)r;
    return adit_lock_read(h->lock, copy, sizeof copy, &version);
}

static int call_lock_open(struct hostile *h, uint64_t r)
{
    struct adit_lock *lock;
    int error = adit_lock_open(h->arena, r & 1 ? "lock" : "other", NULL, &lock);
    if (!error)
        adit_lock_close(&lock);
    return error;
}

/* ---- tasks */

static struct adit_queue *any_queue(const struct hostile *h, uint64_t r) { return h->queues[r % HOSTILE_QUEUES]; }

static uint64_t any_task(const struct hostile *h, uint64_t r)
{
    return r & 7 ? h->tasks[(r >> 3) % 8] : (uint64_t)(r >> 8 & 3) << 52 | (uint64_t)(r >> 10 & 7) << 48 | (r >> 16 & 31);
}

static int call_kind_register(struct hostile *h, uint64_t r)
{
    uint32_t kind;
    return hostile_kind_register(h->arena, r & 15 ? "copy" : r & 16 ? "another" : "a third", &kind);
}

/* What the built-in kinds about chunks do, without a task around. */
static int call_kind(struct hostile *h, uint64_t r)
{
    static uint64_t word, progress;
    static uint32_t stop;
    const struct adit_task_run run = {.arena = h->arena, .attempt = 1, .word = &word, .stop = &stop, .progress = &progress};
    uint8_t result[ADIT_TASK_DATA_BYTES] __attribute__((aligned(16)));
    struct adit_key key = any_key(r >> 8);
    uint32_t n;
    switch (r & 7) {
    case 0: return adit_kind_mesh(&run, &(struct adit_mesh_args){.key = key}, result, &n);
    case 1: return adit_kind_cull(&run, &(struct adit_cull_args){key}, result, &n);
    case 2: return adit_kind_lod_publish(&run, &(struct adit_lod_args){key}, result, &n);
    case 3: return adit_kind_generate(&run, &(struct adit_generate_args){.generator = "checker", .replaces = r >> 16 & 3, .key = key}, result, &n);
    case 4: return adit_kind_box(&run, &(struct adit_box_args){.hi = {127, 127, 127}, .mode = (uint8_t)(1 + (r >> 16 & 1))}, result, &n);
    default:
        return adit_kind_raycast(&run, &(struct adit_raycast_args){.origin = {-5, (double)(r >> 16 & 127), 3.5}, .direction = {1, (float)(r >> 24 & 255) / 512, 0.3f}, .distance_max = 300},
                                 result, &n);
    }
}

static int call_queue_open(struct hostile *h, uint64_t r)
{
    struct adit_queue *q;
    int error = hostile_queue_open(h->arena, (uint32_t)(r & 3), &q);
    if (error)
        return error;
    error = adit_queue_wait_room(q, (enum adit_priority)(r >> 2 & 7), 0);
    adit_queue_close(&q);
    return error;
}

static int call_submit(struct hostile *h, uint64_t r)
{
    struct adit_task_spec s[8];
    struct adit_use uses[2] = {{h->buffers[r >> 44 & 1], (enum adit_access)(1 + (r >> 46) % 3)}, {h->buffers[~r >> 44 & 1], (enum adit_access)(1 + (r >> 50) % 3)}};
    uint64_t args[8] = {r, r >> 1}, after[2] = {any_task(h, r >> 9), any_task(h, r >> 13)};
    uint32_t n = r & 1 ? 1 : (uint32_t)(r >> 1 & 7) + 1, q = (uint32_t)(r >> 40) % HOSTILE_QUEUES;
    for (uint32_t i = 0; i < n; i++)
        s[i] = (struct adit_task_spec){.size = sizeof *s, .kind = r >> 4 & 15 ? h->kind : (uint32_t)(r >> 8 & 63), .args = args, .args_bytes = (uint32_t)(r >> 8 & 63),
                                       .priority = (enum adit_priority)((r >> 16) % 6), .attempts_max = (uint32_t)(r >> 20 & 15), .retry_errors = r >> 24 & 1,
                                       .detached = r >> 25 & 1, .delay_ns = r >> 26 & 7 ? 0 : r >> 32, .backoff_ns = r >> 30 & 3 ? 0 : r << 20,
                                       .expires_ns = r >> 32 & 7 ? 0 : r >> 20, .tag = r + i,
                                       .uses = uses, .uses_n = r >> 52 & 3 ? 0 : (uint32_t)(r >> 54 & 1) + 1, .after = after,
                                       .after_n = r >> 56 & 3 ? 0 : (uint32_t)(r >> 58 & 1) + 1, .after_failures = r >> 59 & 1};
    int done = adit_submit_n(h->queues[q], s, n, h->tasks);
    return done < 0 ? done : 0;
}

static int call_wait(struct hostile *h, uint64_t r)
{
    struct adit_task_result result = {.size = sizeof result};
    int error = adit_wait(any_queue(h, r), any_task(h, r >> 8), r >> 56 ? 0 : 1000, &result);
    REQUIRE(error || (result.bytes <= ADIT_TASK_DATA_BYTES && result.end >= ADIT_ENDED_DONE && result.end <= ADIT_ENDED_POISONED));
    return error;
}

/* Here or left to somebody, of whom there is none: so it is taken back, or the time is over. */
static int call_run(struct hostile *h, uint64_t r)
{
    struct adit_use use = {h->buffers[r >> 44 & 1], (enum adit_access)(1 + (r >> 46) % 3)};
    struct adit_task_spec s = {.size = sizeof s, .kind = r >> 4 & 15 ? h->kind : (uint32_t)(r >> 8 & 63), .args = &r, .args_bytes = 8, .uses = &use, .uses_n = r >> 52 & 3 ? 0 : 1,
                               .attempts_max = (uint32_t)(r >> 20 & 15), .retry_errors = r >> 24 & 1};
    struct adit_task_result result = {.size = sizeof result};
    struct adit_kind_info info = {.size = sizeof info};
    sink += !adit_kind_look(h->arena, s.kind, &info) && info.participants;
    return adit_run(any_queue(h, r >> 2), &s, r >> 56 ? 200000 : 0, &result);
}

static int call_cancel(struct hostile *h, uint64_t r) { return adit_cancel(any_queue(h, r), any_task(h, r >> 8)); }

static int call_look(struct hostile *h, uint64_t r)
{
    struct adit_task_info info = {.size = sizeof info};
    int error = adit_task_look(any_queue(h, r), any_task(h, r >> 8), &info);
    sink += error ? 0 : info.pid + info.stage;
    return error;
}

static int call_wait_room(struct hostile *h, uint64_t r)
{
    return adit_queue_wait_room(any_queue(h, r), (enum adit_priority)((r >> 8) % 7), r >> 56 ? 0 : 1000);
}

/* What a worker's thread does, in this one. */
static int call_work(struct hostile *h, uint64_t r)
{
    static struct adit_task_cursor cursors[HOSTILE_QUEUES];
    static const int statuses[] = {0, 0, 7, -EIO, -ECANCELED};
    uint8_t result[ADIT_TASK_DATA_BYTES] = {(uint8_t)r};
    struct adit_task_cursor fresh = {0}, *c = r >> 8 & 1 ? &cursors[r % HOSTILE_QUEUES] : &fresh;
    const struct adit_queue *q = any_queue(h, r);
    struct adit_task_claim claim;
    uint64_t kinds = r >> 9 & 7 ? UINT64_MAX : 0;
    if (!(r >> 12 & 3))
        sink += adit_task_release_due(q, kinds);
    if (!(r >> 14 & 3 ? adit_task_claim(q, c, kinds, &claim) : adit_task_claim_any(q, c, kinds, &claim)))
        return -ENOENT;
    sink += adit_task_more_kinds(q, c);
    if (r >> 16 & 7) /* else it stays as a dead worker leaves it */
        sink += adit_task_commit(q, &claim, NULL, statuses[(r >> 20) % 5], result, (uint32_t)(r >> 24) % 65);
    return 0;
}

/* The same with its kind run, and the buffers that it uses. */
static int call_help(struct hostile *h, uint64_t r)
{
    static uint32_t stop;
    static uint64_t wake_ns;
    static struct adit_task_cursor cursors[HOSTILE_QUEUES];
    struct adit_worker w = {.queue = any_queue(h, r), .stop = &stop, .wake_ns = &wake_ns, .name = adit_worker_name(any_queue(h, r), 9),
                            .cursor = cursors[r % HOSTILE_QUEUES]};
    bool is_done = adit_worker_help(&w);
    cursors[r % HOSTILE_QUEUES] = w.cursor;
    return is_done ? 0 : -ENOENT;
}

static int call_buffer(struct hostile *h, uint64_t r)
{
    uint64_t data[16] = {r}, buffer = r & 1 ? h->buffers[r >> 1 & 1] : r >> 1;
    struct adit_buffer_view view;
    int error;
    switch (r >> 60 & 3) {
    case 0: return adit_buffer_put(h->arena, buffer, data, r >> 8 & 127);
    case 1:
        error = adit_buffer_create(h->arena, 1 + (r >> 8 & 4095), NULL, &buffer);
        return error ? error : adit_buffer_destroy(h->arena, buffer);
    default:
        adit_enter(h->reader);
        error = adit_buffer_acquire(h->reader, buffer, &view);
        for (uint64_t i = 0; !error && i < view.bytes; i += 1 + view.bytes / 16)
            sink += ((const uint8_t *)view.data)[i];
        adit_exit(h->reader);
        return error;
    }
}

static int call_pool(struct hostile *h, uint64_t r)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = 1 + (uint32_t)(r >> 8 & 1)};
    struct adit_pool_stats stats = {.size = sizeof stats};
    struct adit_pool *pool;
    int error = adit_pool_open(any_queue(h, r), &p, &pool);
    if (error)
        return error;
    for (uint32_t i = 0; i < 4; i++)
        (void)call_submit(h, shm_fixture_random(&r));
    error = adit_pool_look(pool, &stats);
    adit_pool_close(&pool);
    return error;
}

/* ---- looking in, meshing, recovery */

static int call_stats(struct hostile *h, uint64_t r)
{
    struct adit_stats stats = {.size = sizeof stats};
    (void)r;
    return adit_stats(h->arena, &stats);
}

static int call_participants(struct hostile *h, uint64_t r)
{
    struct adit_participant_info info;
    int error = adit_participant_get(h->arena, (uint32_t)(r % 10), &info);
    sink += error ? 0 : strlen(info.label) + strlen(info.state);
    return error;
}

static int call_verify(struct hostile *h, uint64_t r)
{
    struct adit_verify_params p = {.size = sizeof p, .looks = 1, .flags = r & 7 ? 0 : (uint32_t)(r >> 3 & 7)};
    return adit_verify(h->arena, &p, NULL, NULL);
}

static int call_mesher(struct hostile *h, uint64_t r)
{
    struct adit_scratch *scratch;
    struct adit_key key = any_key(r);
    uint64_t packed;
    uint32_t index;
    REQUIRE(!adit_key_pack(&key, &packed));
    if (!adit_store_find(h->arena, packed, &index))
        return -ENOENT;
    int error = adit_scratch_borrow(h->arena, &scratch);
    if (error)
        return error;
    error = adit_mesher_run(h->arena, scratch, adit_mesh_kernel_best(NULL), 0, index);
    adit_scratch_give_back(h->arena, scratch);
    return error;
}

static int call_dirty(struct hostile *h, uint64_t r)
{
    uint32_t cursor = (uint32_t)r, index;
    if (!adit_dirty_claim(h->arena, &cursor, &index))
        return -ENOENT;
    REQUIRE(index < h->arena->chunks_max);
    adit_dirty_finish(h->arena, index, r >> 32 & 1);
    return 0;
}

static int call_settle(struct hostile *h, uint64_t r) { return adit_settle(h->arena, r & 15 ? 0 : 1000); }

static int call_dispatcher(struct hostile *h, uint64_t r)
{
    struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    (void)r;
    int error = adit_dispatcher_open(h->arena, &p, &d);
    if (error)
        return error;
    error = adit_settle(h->arena, 1000000);
    adit_dispatcher_close(&d);
    return error;
}

static int call_recover(struct hostile *h, uint64_t r)
{
    uint32_t slot = (uint32_t)(r % h->arena->participants_max);
    return slot == adit_owner_slot(h->arena->owner) ? 0 : adit_recover_participant(h->arena, slot);
}

static int call_recover_all(struct hostile *h, uint64_t r)
{
    uint32_t n = (uint32_t)r;
    return adit_recover_all(h->arena, &n);
}

static int call_reclaim(struct hostile *h, uint64_t r) { return adit_reclaim(h->arena, r & 1); }
static int call_grace_period(struct hostile *h, uint64_t r) { return adit_grace_period(h->arena, r & 1 ? 0 : 1000000); }

/* share: how often among all; what costs much is rare, so that many states are tried. may_wait: adit.h says that it may sleep, for
 * memory that readers hold back, a lock, a name that is being given, or a time given. */
static const struct {
    const char *name;
    int (*call)(struct hostile *h, uint64_t r);
    uint32_t share;
    bool may_wait;
} calls[] = {
    {"put", call_put, 40, true}, {"loan", call_loan, 10, true}, {"discard", call_discard, 60, true},
    {"edit", call_edit, 20, true}, {"remove", call_remove, 60, true},
    {"material_register", call_material_register, 300, true}, {"material_get", call_material_get, 400, false},
    {"acquire", call_acquire, 1500, false}, {"decode", call_decode, 150, false}, {"is_intact", call_is_intact, 60, false},
    {"mesh_acquire", call_mesh_acquire, 1000, false}, {"mesh_is_intact", call_mesh_is_intact, 200, false},
    {"version", call_version, 300, false}, {"pin", call_pin, 400, false}, {"keys_each", call_keys_each, 300, false},
    {"reader", call_reader, 300, false}, {"watch_next", call_watch_next, 400, true},
    {"watch_open", call_watch_open, 200, false}, {"watch_fd", call_watch_fd, 1, true}, {"ring", call_ring, 1000, false},
    {"samples", call_samples, 1000, true}, {"ring_get", call_ring_get, 300, false},
    {"ring_open", call_ring_open, 300, true}, {"lock", call_lock, 400, true}, {"lock_read", call_lock_read, 300, false},
    {"lock_open", call_lock_open, 300, true}, {"stats", call_stats, 40, false},
    {"participants", call_participants, 60, false}, {"verify", call_verify, 20, true}, {"mesher", call_mesher, 10, true},
    {"dirty", call_dirty, 300, false}, {"settle", call_settle, 40, true}, {"dispatcher", call_dispatcher, 1, true},
    {"recover", call_recover, 150, true}, {"recover_all", call_recover_all, 20, true}, {"reclaim", call_reclaim, 6, true},
    {"grace_period", call_grace_period, 4, true}, {"metrics", hostile_metrics, 100, false}, {"metric_events", hostile_metric_events, 20, false},
    {"kind_register", call_kind_register, 150, true}, {"kind", call_kind, 30, true}, {"queue_open", call_queue_open, 150, true}, {"submit", call_submit, 1500, true},
    {"task_wait", call_wait, 600, true}, {"run", call_run, 300, true}, {"cancel", call_cancel, 300, false}, {"task_look", call_look, 300, false},
    {"wait_room", call_wait_room, 100, true}, {"work", call_work, 1500, false}, {"help", call_help, 600, true}, {"buffer", call_buffer, 300, true}, {"pool", call_pool, 3, true},
    {"look_one_by_one", hostile_look_one_by_one, 100, false},
};
#define CALLS_N ((uint32_t)(sizeof calls / sizeof *calls))

uint32_t hostile_calls_n(void) { return CALLS_N; }
const char *hostile_call_name(uint32_t call) { return calls[call].name; }

/* ---- the watchdog */

static struct {
    pthread_t thread;
    const uint64_t *state;
    uint64_t begin_ns; /* of the call under way, 0: none */
    uint32_t call, stop;
} dog;

/* Counts its own naps: where the whole process is stopped for a while, no call has hung. */
static void *watch_calls(void *user)
{
    enum { NAP_MS = 20 };
    uint64_t last = 0;
    uint32_t naps = 0;
    (void)user;
    while (!adit_load32_acquire(&dog.stop)) {
        uint64_t begin = adit_load_acquire(&dog.begin_ns);
        naps = begin == last ? naps + 1 : 0;
        last = begin;
        if (begin && naps > HOSTILE_HUNG_S * 1000 / NAP_MS) {
            fprintf(stderr, "state %llu: %s has not come back for %u s\n", (unsigned long long)*dog.state, calls[dog.call].name, HOSTILE_HUNG_S);
            abort();
        }
        shm_fixture_nap(NAP_MS);
    }
    return NULL;
}

void hostile_watchdog_start(const uint64_t *state)
{
    dog.state = state;
    dog.stop = 0;
    REQUIRE(!pthread_create(&dog.thread, NULL, watch_calls, NULL));
}

void hostile_watchdog_stop(void)
{
    adit_store32_release(&dog.stop, 1);
    pthread_join(dog.thread, NULL);
}

static bool is_known(int result)
{
    switch (-result) {
    case EAGAIN: case EALREADY: case EBADMSG: case EBUSY: case EDEADLK: case EEXIST: case EINVAL: case ENOENT: case ENOMEM: case ENOSPC: case ENOTSUP: case EPERM:
    case EPROTO: case ERANGE: case EROFS: case ESTALE: case ETIMEDOUT: case EUSERS: return true;
    default: return result >= 0;
    }
}

static uint64_t used_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* How often this thread has slept. */
static long sleeps_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_THREAD, &u);
    return u.ru_nvcsw;
}

void hostile_call_this(struct hostile *h, uint32_t call, uint64_t *seed, uint64_t *used_ns)
{
    uint64_t r = shm_fixture_random(seed), begin_ns = adit_clock_ns();
    dog.call = call;
    adit_store_release(&dog.begin_ns, begin_ns);
    long sleeps = sleeps_now();
    uint64_t begin = used_now();
    int result = calls[call].call(h, r);
    *used_ns = used_now() - begin;
    if (sleeps_now() != sleeps || result == -ETIMEDOUT || result == -ENOMEM)
        *used_ns = calls[call].may_wait ? 0 : adit_clock_ns() - begin_ns;
    adit_store_release(&dog.begin_ns, 0);
    if (!is_known(result)) {
        fprintf(stderr, "%s answered %d\n", calls[call].name, result);
        abort();
    }
}

void hostile_call(struct hostile *h, uint64_t *seed, uint32_t *call, uint64_t *used_ns)
{
    static uint32_t all;
    for (uint32_t i = 0; i < CALLS_N && !(all & 1u << 31); i++)
        all += calls[i].share;
    all |= 1u << 31;
    uint32_t at = (uint32_t)(shm_fixture_random(seed) % (all & INT32_MAX));
    for (*call = 0; at >= calls[*call].share; ++*call)
        at -= calls[*call].share;
    hostile_call_this(h, *call, seed, used_ns);
}

void hostile_read(struct hostile *h, uint64_t *seed)
{
    uint64_t r = shm_fixture_random(seed);
    (void)read_chunk(h, r, r >> 60 & 1, r >> 61 & 1);
    (void)read_mesh(h, r >> 8, r >> 62 & 1);
}
