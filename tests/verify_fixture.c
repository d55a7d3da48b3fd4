#include "tests/verify_fixture.h"

#include <string.h>

#define KEPT 64u
#define POKES_MAX 32u

static char lines[KEPT * 280];
static struct {
    char invariant[8], place[64], what[192];
} kept[KEPT];
static uint32_t kept_n;

struct adit_key verify_key(uint32_t chunk)
{
    return (struct adit_key){.x = (int32_t)(chunk & 1), .y = (int32_t)(chunk >> 1 & 1), .z = (int32_t)(chunk >> 2)};
}

void verify_put(struct adit_arena *arena, uint32_t chunk, uint64_t seed)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_key key = verify_key(chunk);
    if (seed < VERIFY_SIMPLE)
        fixture_paint(seed, voxels);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS && seed >= VERIFY_SIMPLE; i++)
        voxels[i] = (i & 63) < 5 + seed % 50 && i >> 12 < 30 ? (uint16_t)(10 + (i >> 10 & 3)) : 0;
    REQUIRE(!adit_chunk_put(arena, &key, voxels, NULL));
}

void verify_mesh(struct adit_arena *arena)
{
    struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    REQUIRE(!adit_dispatcher_open(arena, &p, &d));
    REQUIRE(!adit_settle(arena, 30000000000u));
    adit_dispatcher_close(&d);
}

static void make_rings(struct verify_scene *s)
{
    struct adit_ring_params p = {.size = sizeof p, .kind = ADIT_RING_SPSC, .element_bytes = 8, .capacity = 8};
    uint64_t elements[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    REQUIRE(!adit_ring_open(s->arena, "spsc", &p, &s->spsc));
    p.kind = ADIT_RING_MPMC;
    REQUIRE(!adit_ring_open(s->arena, "mpmc", &p, &s->mpmc));
    REQUIRE(adit_ring_push(s->spsc, elements, 5) == 5 && adit_ring_pop(s->spsc, elements, 2) == 2);
    REQUIRE(adit_ring_push(s->mpmc, elements, 8) == 8 && adit_ring_pop(s->mpmc, elements, 6) == 6);
    REQUIRE(adit_ring_push(s->mpmc, elements, 2) == 2);
    struct adit_samples_params q = {.size = sizeof q, .capacity_frames = 16};
    float frames[2 * 16] = {1.0f};
    REQUIRE(!adit_samples_open(s->arena, "samples", &q, &s->samples) && adit_samples_write(s->samples, frames, 12) == 12);
    REQUIRE(adit_samples_read(s->samples, frames, 10) == 10 && adit_samples_write(s->samples, frames, 8) == 8 && adit_samples_read(s->samples, frames, 7) == 7);
}

static void make_lock(struct verify_scene *s)
{
    void *draft;
    REQUIRE(!adit_lock_open(s->arena, "lock", NULL, &s->lock) && !adit_lock_lock(s->lock, 0, &draft));
    memset(draft, 7, 64);
    REQUIRE(!adit_lock_unlock(s->lock));
}

static int run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    memcpy(result, args, 4);
    *result_bytes = 4;
    return 0;
}

/* buffer: that it writes, 0: none. */
static uint64_t submit_one(struct adit_queue *q, uint32_t kind, uint64_t delay_ns, uint64_t buffer)
{
    const struct adit_use use = {buffer, ADIT_WRITE};
    const struct adit_task_spec s = {.size = sizeof s, .kind = kind, .args = &kind, .args_bytes = 4, .delay_ns = delay_ns, .uses = &use, .uses_n = buffer != 0};
    uint64_t task = 0;
    REQUIRE(!adit_submit(q, &s, &task));
    return task;
}

static void make_tasks(struct verify_scene *s)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "nothing", .run = run_nothing, .args_bytes_min = 4, .args_bytes_max = 16, .result_bytes_max = 8};
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO, .capacity = 8}, levels = {.size = sizeof levels, .capacity = 2};
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_info info = {.size = sizeof info};
    struct adit_pool *pool;
    uint32_t kind;
    REQUIRE(!adit_kind_register(s->arena, &k, &kind));
    REQUIRE(!adit_queue_open(s->arena, "fifo", &fifo, &s->fifo) && !adit_queue_open(s->arena, "levels", &levels, &s->levels));
    uint64_t left = submit_one(s->fifo, kind, 0, 0), taken = submit_one(s->fifo, kind, 0, 0);
    REQUIRE(!adit_pool_open(s->fifo, &(struct adit_pool_params){.size = sizeof(struct adit_pool_params), .workers = 1}, &pool));
    REQUIRE(!adit_wait(s->fifo, taken, 30000000000u, &r));
    while (!adit_task_look(s->fifo, left, &info) && info.stage != ADIT_STAGE_ENDED)
        shm_fixture_nap(1);
    adit_pool_close(&pool);
    (void)submit_one(s->fifo, kind, 0, 0);
    REQUIRE(!adit_buffer_create(s->arena, 600, NULL, &s->buffer));
    (void)submit_one(s->fifo, kind, ADIT_FOR_EVER, s->buffer);
    REQUIRE(!adit_cancel(s->fifo, submit_one(s->fifo, kind, 0, 0)));
}

static bool is_reclaimed(void *user)
{
    struct adit_stats s = fixture_stats(user);
    uint64_t retired = 0;
    for (uint32_t i = 1; i < s.segments_n; i++)
        retired += s.segments[i].retired_bytes;
    return !retired;
}

/* What chunk i is painted as in round n. */
static uint64_t seed_of(uint32_t i, uint32_t n, bool small)
{
    return i == 4 ? 0 : small ? VERIFY_SIMPLE + i + n : i + 10 * n;
}

void verify_scene_make(struct verify_scene *s, bool small)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = (small ? 4u : 12u) << 20, .participants_max = 8, .readers_max = 80,
                                   .watches_max = 4, .pins_max = 16, .materials_max = 400, .heap_bytes = 64u << 10};
    struct adit_material_info stone = {.name = "stone", .rgba = 0x808488ff, .material_class = ADIT_CLASS_OPAQUE};
    struct adit_key removed = verify_key(VERIFY_REMOVED), pinned = verify_key(VERIFY_PINNED), other = verify_key(7);
    struct adit_chunk_view view;
    uint16_t id = 0;
    *s = (struct verify_scene){.arena = fixture_create(&p)};
    REQUIRE(!adit_material_register(s->arena, &stone, &id));
    make_tasks(s); /* its queues and kind are the first ones; then come those of dispatchers */
    for (uint32_t n = 0; n < 2; n++) {
        for (uint32_t i = 0; i < VERIFY_CHUNKS; i++)
            verify_put(s->arena, i, seed_of(i, n, small));
        verify_mesh(s->arena);
    }
    REQUIRE(!adit_chunk_remove(s->arena, &removed, NULL));
    verify_mesh(s->arena);
    REQUIRE(!adit_reader_open(s->arena, &s->reader) && !adit_watch_open(s->arena, NULL, &s->watch));
    adit_enter(s->reader);
    REQUIRE(!adit_chunk_acquire(s->reader, &pinned, &view) && !adit_pin(s->reader, view.ref, &s->pin));
    adit_exit(s->reader);
    REQUIRE(small || !adit_chunk_loan(s->arena, &other, &s->loan));
    make_rings(s);
    make_lock(s);
    REQUIRE(fixture_eventually(is_reclaimed, s->arena));
}

void verify_scene_end(struct verify_scene *s)
{
    adit_chunk_discard(s->arena, &s->loan);
    adit_queue_close(&s->fifo);
    adit_queue_close(&s->levels);
    adit_lock_close(&s->lock);
    adit_ring_close(&s->spsc);
    adit_ring_close(&s->mpmc);
    adit_samples_close(&s->samples);
    adit_watch_close(&s->watch);
    adit_reader_close(&s->reader);
    adit_detach(&s->arena);
}

static void keep(const struct adit_breach *b, void *user)
{
    size_t n = strlen(lines);
    (void)user;
    snprintf(lines + n, sizeof lines - n, "%s %s: %s\n", b->invariant, b->place, b->what);
    if (kept_n == KEPT)
        return;
    snprintf(kept[kept_n].invariant, sizeof kept->invariant, "%s", b->invariant);
    snprintf(kept[kept_n].place, sizeof kept->place, "%s", b->place);
    snprintf(kept[kept_n++].what, sizeof kept->what, "%s", b->what);
}

int verify_run(const struct adit_arena *arena, uint32_t flags, uint32_t looks)
{
    struct adit_verify_params p = {.size = sizeof p, .flags = flags, .looks = looks};
    kept_n = 0;
    *lines = 0;
    return adit_verify(arena, &p, keep, NULL);
}

bool verify_said(const char *invariant, const char *place, const char *what)
{
    for (uint32_t i = 0; i < kept_n; i++)
        if (!strcmp(kept[i].invariant, invariant) && !strcmp(kept[i].place, place) && strstr(kept[i].what, what))
            return true;
    return false;
}

const char *verify_lines(void) { return lines; }

/* ---- damage, and its undoing */

static struct {
    void *at;
    uint64_t was;
    uint32_t bytes;
} poked[POKES_MAX];
static uint32_t poked_n;

/* The keeper's thread may be at work there. */
static uint64_t load(const void *at, uint32_t bytes)
{
    switch (bytes) {
    case 1: return __atomic_load_n((const uint8_t *)at, __ATOMIC_SEQ_CST);
    case 2: return __atomic_load_n((const uint16_t *)at, __ATOMIC_SEQ_CST);
    case 4: return __atomic_load_n((const uint32_t *)at, __ATOMIC_SEQ_CST);
    default: return __atomic_load_n((const uint64_t *)at, __ATOMIC_SEQ_CST);
    }
}

static void store(void *at, uint64_t value, uint32_t bytes)
{
    switch (bytes) {
    case 1: __atomic_store_n((uint8_t *)at, (uint8_t)value, __ATOMIC_SEQ_CST); break;
    case 2: __atomic_store_n((uint16_t *)at, (uint16_t)value, __ATOMIC_SEQ_CST); break;
    case 4: __atomic_store_n((uint32_t *)at, (uint32_t)value, __ATOMIC_SEQ_CST); break;
    default: __atomic_store_n((uint64_t *)at, value, __ATOMIC_SEQ_CST);
    }
}

void verify_poke(void *at, uint64_t value, uint32_t bytes)
{
    REQUIRE(poked_n < POKES_MAX);
    poked[poked_n].at = at;
    poked[poked_n].bytes = bytes;
    poked[poked_n++].was = load(at, bytes);
    store(at, value, bytes);
}

void verify_heal(void)
{
    while (poked_n) {
        poked_n--;
        store(poked[poked_n].at, poked[poked_n].was, poked[poked_n].bytes);
    }
}

const char *verify_at(const char *format, ...)
{
    static char places[4][64]; /* by turns, so that several can be told of at once */
    static uint32_t turn;
    char *place = places[turn++ % 4];
    va_list list;
    va_start(list, format);
    vsnprintf(place, sizeof places[0], format, list);
    va_end(list);
    return place;
}

void verify_wanted(const struct adit_arena *arena, uint32_t flags, const char *invariant, const char *place, const char *what)
{
    int n = verify_run(arena, flags, 0);
    bool said = n > 0 && verify_said(invariant, place, what);
    if (!said)
        print_error("wanted %s %s: ..%s.., of %d:\n%s", invariant, place, what, n, verify_lines());
    verify_heal();
    assert_true(said);
    if (verify_run(arena, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP, 0))
        fail_msg("not healed:\n%s", verify_lines());
}
