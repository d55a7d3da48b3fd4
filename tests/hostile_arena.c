#include "tests/hostile_arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/recover.h"
#include "shm/control.h"
#include "shm/participant.h"

#define GUARD_BYTES (5ull << 30)
#define NAME "hostile"

static uint16_t voxels[ADIT_CHUNK_VOXELS];

struct adit_key hostile_key(uint32_t i) { return (struct adit_key){.x = (int32_t)(i & 1), .y = (int32_t)(i >> 1 & 1), .z = (int32_t)(i >> 2)}; }

/* Slabs of a few materials; 0: one material throughout. */
static void paint(uint32_t i)
{
    for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
        voxels[v] = i == 0 ? 9 : ((v & 63) + (v >> 6 & 63)) % 40 < 12 + i ? (uint16_t)(10 + (v >> 15) + (i == 2 ? v % 300 : 0)) : 0;
}

static void make_chunks(struct adit_arena *a)
{
    struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    struct adit_loan loan;
    struct adit_key dense = hostile_key(2), removed = hostile_key(3);
    for (uint32_t i = 0; i < HOSTILE_CHUNKS; i++) {
        struct adit_key key = hostile_key(i);
        paint(i);
        REQUIRE(!adit_chunk_put(a, &key, voxels, NULL));
    }
    paint(2);
    REQUIRE(!adit_chunk_loan(a, &dense, &loan));
    memcpy(loan.voxels, voxels, sizeof voxels);
    REQUIRE(!adit_chunk_publish(a, &loan, NULL) && !adit_chunk_remove(a, &removed, NULL));
    REQUIRE(!adit_dispatcher_open(a, &p, &d) && !adit_settle(a, 60000000000u));
    adit_dispatcher_close(&d);
}

static void make_objects(struct adit_arena *a)
{
    struct adit_material_info stone = {.name = "stone", .rgba = 0x808488ff, .material_class = ADIT_CLASS_OPAQUE};
    struct adit_material_info glass = {.name = "glass", .rgba = 0x80848840, .material_class = ADIT_CLASS_TRANSLUCENT};
    struct adit_ring_params r = {.size = sizeof r, .kind = ADIT_RING_SPSC, .element_bytes = 8, .capacity = 8};
    struct adit_lock *lock;
    struct adit_ring *ring;
    uint64_t elements[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint16_t id = 0, other = 11;
    void *draft;
    REQUIRE(!adit_material_register(a, &stone, &id) && !adit_material_register(a, &glass, &other));
    REQUIRE(!adit_ring_open(a, "spsc", &r, &ring) && adit_ring_push(ring, elements, 5) == 5);
    adit_ring_close(&ring);
    r.kind = ADIT_RING_MPMC;
    REQUIRE(!adit_ring_open(a, "mpmc", &r, &ring) && adit_ring_push(ring, elements, 8) == 8 && adit_ring_pop(ring, elements, 5) == 5);
    adit_ring_close(&ring);
    struct adit_samples_params q = {.size = sizeof q, .channels = 1, .capacity_frames = 16};
    struct adit_samples *samples;
    REQUIRE(!adit_samples_open(a, "samples", &q, &samples) && adit_samples_write(samples, (float[9]){1.0f}, 9) == 9);
    adit_samples_close(&samples);
    REQUIRE(!adit_lock_open(a, "lock", NULL, &lock) && !adit_lock_lock(lock, ADIT_FOREVER, &draft));
    memset(draft, 7, 64);
    REQUIRE(!adit_lock_unlock(lock));
    adit_lock_close(&lock);
}

/* As many bytes of result as of arguments; what it writes to buffers is all of their bytes. */
static int run_copy(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    adit_task_progress(run, run->tag);
    for (uint32_t i = 0; i < run->buffers_n; i++) {
        uint8_t *data = run->buffers[i].data, last = data[run->buffers[i].bytes - 1];
        if (run->buffers[i].access != ADIT_READ)
            memset(data, last + 1, run->buffers[i].bytes);
    }
    memcpy(result, args, run->args_bytes);
    *result_bytes = run->args_bytes;
    return adit_task_should_stop(run) ? -ECANCELED : run->args_bytes & 1 ? -EIO : 0;
}

int hostile_kind_register(struct adit_arena *arena, const char *name, uint32_t *kind)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = name, .run = run_copy, .args_bytes_max = 64, .result_bytes_max = 64};
    return adit_kind_register(arena, &k, kind);
}

int hostile_queue_open(struct adit_arena *arena, uint32_t i, struct adit_queue **out)
{
    static const char *const names[] = {"priority", "fifo", "lifo", "another"};
    const struct adit_queue_params p = {.size = sizeof p, .order = (enum adit_queue_order)(i % 3 + 1), .capacity = i == 1 ? 8 : 4};
    return adit_queue_open(arena, names[i], &p, out);
}

/* Of each queue one task that has ended, one that waits, a delayed one, and one that expires soon. */
static void make_tasks(struct adit_arena *a)
{
    struct adit_queue *q;
    struct adit_pool *pool;
    uint32_t kind;
    REQUIRE(!hostile_kind_register(a, "copy", &kind));
    for (uint32_t i = 0; i < HOSTILE_QUEUES; i++) {
        struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = voxels, .args_bytes = 20, .tag = i};
        struct adit_task_info info = {.size = sizeof info};
        uint64_t task;
        REQUIRE(!hostile_queue_open(a, i, &q) && !adit_submit(q, &s, &task));
        REQUIRE(!adit_pool_open(q, &(struct adit_pool_params){.size = sizeof(struct adit_pool_params), .workers = 1}, &pool));
        while (!adit_task_look(q, task, &info) && info.stage != ADIT_STAGE_ENDED)
            shm_fixture_nap(1);
        adit_pool_close(&pool);
        REQUIRE(!adit_submit(q, &s, &task));
        s.delay_ns = ADIT_FOR_EVER;
        REQUIRE(!adit_submit(q, &s, &task));
        s.delay_ns = 0;
        s.expires_ns = 1000000000;
        s.retry_errors = true;
        s.backoff_ns = 1000;
        REQUIRE(!adit_submit(q, &s, &task));
        adit_queue_close(&q);
    }
}

static uint8_t *guarded(uint64_t bytes)
{
    uint8_t *p = mmap(NULL, 2 * GUARD_BYTES + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(p != MAP_FAILED && !mprotect(p + GUARD_BYTES, bytes, PROT_READ | PROT_WRITE));
    return p + GUARD_BYTES;
}

static void copy_segments(struct hostile *h, const struct adit_arena *a)
{
    for (uint32_t s = 0; s < 2; s++) {
        h->bytes[s] = a->maps[s].bytes;
        h->base[s] = guarded(h->bytes[s]);
        memcpy(h->base[s], a->maps[s].base, h->bytes[s]);
        h->kept[s] = aligned_alloc(4096, h->bytes[s]);
        REQUIRE(h->kept[s]);
    }
}

/* What attach does behind the broker's answer. */
static void join_copy(struct hostile *h)
{
    struct adit_mapping maps[2];
    for (uint32_t s = 0; s < 2; s++)
        maps[s] = (struct adit_mapping){.base = h->base[s], .bytes = h->bytes[s], .fd = -1, .node = -1, .writable = true};
    REQUIRE(!adit_arena_adopt(NAME, maps, 2, &h->arena));
    h->arena->role = ADIT_ROLE_PRODUCER;
    h->arena->recover = adit_recover_participant;
    REQUIRE(h->arena->fenced || !adit_membarrier_register());
    REQUIRE(!adit_participant_join(h->arena, "hostile") && !adit_rcu_pool_init(h->arena) && !adit_reclaimer_init(h->arena));
}

/* Handles that outlive each state, and one try of what opens private ones. */
static void open_handles(struct hostile *h)
{
    struct adit_watch_params w = {.size = sizeof w, .with_present = true};
    struct adit_viewer_place p = {.size = sizeof p, .radius = 640};
    struct adit_ring_params r = {.size = sizeof r, .kind = ADIT_RING_SPSC, .element_bytes = 8, .capacity = 8};
    struct adit_key key = hostile_key(1);
    struct adit_chunk_view view;
    uint32_t pin;
    REQUIRE(!adit_reader_open(h->arena, &h->reader) && !adit_watch_open(h->arena, &w, &h->watch) && !adit_viewer_open(h->arena, &p, &h->viewer));
    REQUIRE(!adit_ring_open(h->arena, "spsc", &r, &h->spsc));
    r.kind = ADIT_RING_MPMC;
    REQUIRE(!adit_ring_open(h->arena, "mpmc", &r, &h->mpmc) && !adit_lock_open(h->arena, "lock", NULL, &h->lock));
    struct adit_samples_params q = {.size = sizeof q, .channels = 1, .capacity_frames = 16};
    REQUIRE(!adit_samples_open(h->arena, "samples", &q, &h->samples));
    REQUIRE(!hostile_kind_register(h->arena, "copy", &h->kind));
    REQUIRE(!adit_buffer_create(h->arena, 100, NULL, &h->buffers[0]) && !adit_buffer_create(h->arena, 3000, NULL, &h->buffers[1]));
    for (uint32_t i = 0; i < HOSTILE_QUEUES; i++)
        REQUIRE(!hostile_queue_open(h->arena, i, &h->queues[i]));
    paint(1);
    REQUIRE(!adit_chunk_put(h->arena, &key, voxels, NULL));
    adit_enter(h->reader);
    REQUIRE(!adit_chunk_acquire(h->reader, &key, &view) && !adit_pin(h->reader, view.ref, &pin));
    adit_exit(h->reader);
    shm_fixture_nap(100); /* what was replaced is reclaimed */
}

void hostile_open(struct hostile *h)
{
    struct adit_create_params p = {.size = sizeof p, .participants_max = 8, .readers_max = 80, .watches_max = 4, .pins_max = 16,
                                   .materials_max = 400, .heap_bytes = 64u << 10, .tasks_max = 64};
    *h = (struct hostile){0};
    struct adit_arena *a = shm_fixture_create(NAME, &p, 4u << 20);
    make_chunks(a);
    make_objects(a);
    make_tasks(a);
    copy_segments(h, a); /* its maker counts as a participant that has ended, once this process is told apart below */
    adit_detach(&a);
    join_copy(h);
    h->arena->participants[0].start_time ^= 1;
    memset(&h->arena->waits->keeper, 0, sizeof h->arena->waits->keeper); /* it was its maker's thread */
    open_handles(h);
    for (uint32_t s = 0; s < 2; s++)
        memcpy(h->kept[s], h->base[s], h->bytes[s]);
}

void hostile_close(struct hostile *h)
{
    hostile_restore(h);
    hostile_close_handles(h);
    adit_detach(&h->arena);
    free(h->kept[0]);
    free(h->kept[1]);
}

void hostile_close_handles(struct hostile *h)
{
    for (uint32_t i = 0; i < HOSTILE_QUEUES; i++)
        adit_queue_close(&h->queues[i]);
    adit_lock_close(&h->lock);
    adit_ring_close(&h->spsc);
    adit_ring_close(&h->mpmc);
    adit_samples_close(&h->samples);
    adit_watch_close(&h->watch);
    adit_viewer_close(&h->viewer);
    adit_reader_close(&h->reader);
}

void hostile_poke(struct hostile *h, uint64_t *word, uint64_t value)
{
    if (h->damaged_n == HOSTILE_DAMAGE_MAX)
        return;
    if (word == (uint64_t *)&h->arena->waits->naming || word == (uint64_t *)&h->arena->waits->uses)
        value &= ~(uint64_t)ADIT_ROBUST_TID;
    h->damaged[h->damaged_n].word = word;
    h->damaged[h->damaged_n++].was = *word;
    adit_store_relaxed(word, value);
}

uint64_t hostile_value(const struct hostile *h, uint64_t *seed, uint64_t was)
{
    static const uint64_t some[] = {0, 1, 2, 3, 16, 63, 64, 511, 512, 4096, 0xffff, 0x10000, INT32_MAX, 0x80000000, 0xffffffff,
                                    0xfffffff0, UINT64_MAX, 1ull << 63, 1ull << 40};
    uint64_t r = shm_fixture_random(seed), one = some[(r >> 8) % (sizeof some / sizeof *some)], two = some[(r >> 16) % (sizeof some / sizeof *some)];
    switch (r >> 60) {
    case 0: case 1: return was ^ 1ull << (r & 63);
    case 2: return was + (r & 31) - 16;
    case 3: return one;
    case 4: return one | two << 32;
    case 5: return (was & UINT32_MAX) | one << 32;
    case 6: return (was & ~(uint64_t)UINT32_MAX) | (one & UINT32_MAX);
    case 7: return ((uint64_t *)(void *)h->base[0])[(r & 0xffffffffff) % (h->bytes[0] / 8)];
    case 9: return adit_task_word(r & 3, (uint32_t)(r >> 4), (r >> 8 & 15) << 32, (enum adit_task_state)(r >> 12 & 15), r >> 16 & 1 ? h->arena->owner : 0);
    case 8:
        return adit_word_make(r, (enum adit_block_state)(r >> 8 & 7), (uint32_t)(r >> 12 & (r & 1 ? 0xffffff : 0xff)),
                              r & 2 ? h->arena->owner : (uint32_t)(r >> 20));
    case 10:
        if (r >> 59 & 1)
            return (r & 1 ? h->tasks[r >> 1 & 7] : h->buffers[r >> 1 & 1]) | (r >> 4 & 3) << 30;
        return ADIT_REF(r & 3, r >> 20 & 0xfffe00);
    case 11: return adit_commit_make(r, ADIT_REF(r >> 8 & 1, r >> 20 & 0xfffe00));
    case 12: return adit_owner_make((uint32_t)(r & 15), (uint32_t)(r >> 4 & 3)) | (r & 64 ? 2ull << 32 : 0);
    case 13: return adit_load_relaxed(&h->arena->control->epoch) + (r & 7) - 6;
    case 14: return adit_part_make((enum adit_participant_state)(r & 7), (uint32_t)(r >> 4 & 3), (uint32_t)(r >> 8 & 3), 0, (uint32_t)(r >> 32));
    default: return r;
    }
}

/* The head of a block that a commit word, or a ring, names; keys when it names none by now. */
static uint64_t *in_block(const struct hostile *h, uint64_t commit, uint64_t r, uint32_t words)
{
    uint64_t *head = adit_arena_head(h->arena, commit);
    return head ? head + r % words : &h->arena->keys[0];
}

uint64_t *hostile_place(const struct hostile *h, uint64_t *seed)
{
    uint64_t r = shm_fixture_random(seed), k = shm_fixture_random(seed);
    const struct adit_arena *a = h->arena;
    switch (r % 50) {
    case 49: return (uint64_t *)a->metrics + k % (sizeof *a->metrics * ADIT_METRICS_MAX / 8);
    case 48:
        if (k & 1)
            return (uint64_t *)&a->metric_cells[(k >> 1) % a->metric_cells_n] + (k >> 32) % (k & 2 ? 8 : sizeof *a->metric_cells / 8);
        return (uint64_t *)&a->metric_shards[(k >> 2) % a->metric_shards_n] + (k >> 32) % (k & 2 ? 16 : sizeof *a->metric_shards / 8);
    case 47: return (uint64_t *)a->queues[k % 4].sleepers + (k >> 32) % 8;
    case 46: return k & 2 ? (uint64_t *)a->frames + (k >> 8) % (2 * sizeof *a->frames / 8) : (uint64_t *)&a->viewers[k & 1] + (k >> 8) % 6;
    case 40: return k & 1 ? &a->task_blockers[(k >> 1) % HOSTILE_TASK_SLOTS] : &a->task_use_bits[(k >> 1) % HOSTILE_TASK_SLOTS];
    case 41: return &a->task_after[(k >> 8) % HOSTILE_TASK_SLOTS].task[k & 1];
    case 42: return (uint64_t *)&a->task_uses[(k >> 8) % HOSTILE_TASK_SLOTS] + k % 8;
    case 44:
        if (k & 64)
            return &a->task_groups[(k >> 8) % 32];
        return (uint64_t *)&a->task_wants[(k >> 8) % HOSTILE_TASK_SLOTS] + k % 3;
    case 45: return (uint64_t *)&a->task_memory[(k >> 8) % a->participants_max] + k % 2;
    case 43: return (uint64_t *)&a->buffers[k & 3] + (k >> 8) % 3;
    case 30: case 31: case 32: return &a->tasks[k % HOSTILE_TASK_SLOTS].word;
    case 33: case 34: return (uint64_t *)&a->tasks[k % HOSTILE_TASK_SLOTS] + (k >> 32) % 28;
    case 35: return (uint64_t *)&a->queues[k % 4] + (k >> 32) % 4;
    case 36: return (uint64_t *)&a->queues[k % 4] + (k >> 32) % 224;
    case 37: return &a->queues[k % 3].level[(k >> 8) % 5].tail + (k >> 16 & 1) * 16;
    case 38: return (uint64_t *)&a->kinds[k & 1] + (k >> 32) % (k & 2 ? 9 : sizeof *a->kinds / 8);
    case 0: return &a->keys[k % a->chunks_max];
    case 1: case 2: return (uint64_t *)&a->entries[k % a->chunks_max] + (k >> 32) % 5;
    case 3: return (uint64_t *)&a->participants[k % a->participants_max] + (k >> 32) % 12;
    case 4: case 5: return (uint64_t *)&a->readers[k % (k >> 63 ? 4 : a->readers_max)] + (k >> 32) % 4;
    case 6: return (uint64_t *)&a->rings[k % 4] + (k >> 32) % 10;
    case 7: case 8: { /* a ring's head and slots */
        uint64_t *head = adit_arena_at(a, a->rings[k % 3].ref & ~511ull, 1024);
        return head ? head + (k >> 2) % 128 : &a->keys[0];
    }
    case 9: case 10: return &a->segments[1].words[k % (r >> 8 & 1 ? 64 : a->segments[1].granules)];
    case 11: return &a->segments[0].words[k % (r >> 8 & 1 ? 8 : a->segments[0].granules)];
    case 12: return (uint64_t *)&a->segments[k & 1].hints[0];
    case 13: return (uint64_t *)(void *)h->base[1] + k % (h->bytes[1] / 8);
    case 14: case 15: case 16: case 17: return in_block(h, a->entries[k % a->chunks_max].current, k >> 32, 22);
    case 18: return in_block(h, a->entries[k % a->chunks_max].current, k >> 32, 64);
    case 19: case 20: return in_block(h, a->entries[k % a->chunks_max].mesh, k >> 32, 32);
    case 21: return &a->pins[k % (a->pins_each * a->participants_max)];
    case 22: return (uint64_t *)&a->watches[k % a->watches_max] + (k >> 32) % 9;
    case 23: return (uint64_t *)&a->materials[k % 20] + (k >> 32) % 8;
    case 24: return (uint64_t *)&a->locks[k & 1] + (k >> 32) % 18;
    case 25: return &a->dirty[k % (a->bits_words * 2)];
    case 26: return &a->watch_bits[k % (a->bits_words * 2 * a->watches_max)];
    case 27: case 28: return &a->control->epoch + k % ((sizeof *a->control - offsetof(struct adit_control, epoch)) / 8);
    case 29: return (uint64_t *)a->control + k % (sizeof *a->control / 8);
    default: return (uint64_t *)(void *)h->base[0] + k % (h->bytes[0] / 8);
    }
}

void hostile_damage(struct hostile *h, uint64_t *seed, uint32_t n)
{
    for (; n; n--) {
        uint64_t *word = hostile_place(h, seed);
        hostile_poke(h, word, hostile_value(h, seed, adit_load_relaxed(word)));
    }
}

void hostile_mend(struct hostile *h)
{
    while (h->damaged_n) {
        h->damaged_n--;
        adit_store_relaxed(h->damaged[h->damaged_n].word, h->damaged[h->damaged_n].was);
    }
}

void hostile_restore(struct hostile *h)
{
    h->damaged_n = 0;
    memcpy(h->base[0], h->kept[0], h->bytes[0]);
    memcpy(h->base[1], h->kept[1], h->bytes[1]);
}
