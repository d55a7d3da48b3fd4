/* test_batcher.c - devices under a dispatcher (runtime/batcher.h): what one takes and gives, and that nothing is lost when it is. The device is one of the
 * test's: a kernel behind the interface of executor.h, which fails when it is told to. tests/test_gpu_dispatch.c has Vulkan. */
#include "tests/mesh_world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/encoding.h"
#include "runtime/executor.h"
#include "runtime/material.h"

#define SETTLE_NS 60000000000u
#define BATCH 5u
#define NEVER UINT32_MAX
#ifdef __SANITIZE_THREAD__ /* a world takes seconds there; what is refused and why is one thread's affair, and the killed are not seen */
#define ROUNDS 1u
#define KILLED 1u
#define IS_DEAR true
#else
#define ROUNDS 4u
#define KILLED 3u
#define IS_DEAR false
#endif

/* What happens when. Counted over all batches of the device. */
static struct {
    uint32_t opened, submits, waits, adds, landed, later, unsound; /* so far */
    uint32_t open_fails, submit_fails, wait_fails, no_memory, full, refused, slow, stopped; /* the number of the call, or NEVER */
    uint32_t nap_ms; /* of each wait */
    uint32_t first_nap_ms; /* of the first one besides */
    bool hangs, never_has_memory;
    uint64_t busy_until_ns; /* no batch is done before */
    struct adit_arena *namer; /* the second chunk of a batch names LATE there, once */
} device;

/* The clock jumps, as for a process that was stopped (the program is linked with --wrap). */
#define STOPPED_NS 30000000000u
static uint64_t slept_ns;
uint64_t __real_adit_clock_ns(void);
uint64_t __wrap_adit_clock_ns(void);

uint64_t __wrap_adit_clock_ns(void) { return __real_adit_clock_ns() + adit_load_relaxed(&slept_ns); } /* relaxed: a number alone */

/* Adds to a count that the threads of several devices share; what it was. */
static uint32_t counted(uint32_t *count, uint32_t more) { return __atomic_fetch_add(count, more, __ATOMIC_RELAXED); }

#define LATE 3000u
static void name_late(struct adit_arena *a);

struct fake_chunk {
    struct adit_mesh_task task;
    uint16_t voxels[ADIT_CHUNK_VOXELS], plane[ADIT_FACES][ADIT_PLANE_VOXELS];
    struct adit_mesh_rim rim;
    struct adit_mesh_source source;
    uint64_t *quads;
    struct adit_mesh_result result;
};

struct fake_batch {
    uint32_t n;
    bool in_flight, reads_later;
    uint8_t classes[ADIT_MATERIALS];
    struct fake_chunk chunk[BATCH];
};

static int fake_open(struct adit_executor *e, void **batch)
{
    (void)e;
    struct fake_batch *b = calloc(1, sizeof *b);
    if (counted(&device.opened, 1) == device.open_fails) {
        free(b);
        return adit_fault(-ENODEV, "fake: it does not want to");
    }
    *batch = b;
    return 0;
}

static void fake_begin(void *batch)
{
    struct fake_batch *b = batch;
    REQUIRE(!b->in_flight);
    b->n = 0;
    b->reads_later = false;
}

/* What is read of a task; at once, or with imports when the batch is waited for. */
static bool take(struct fake_batch *b, struct fake_chunk *c, const struct adit_mesh_task *t)
{
    if (!adit_decode_chunk_within(t->version, t->bytes, c->voxels))
        return false;
    c->source = (struct adit_mesh_source){.voxels = c->voxels, .dim = {64, 64, 64}, .flags = (uint8_t)t->flags, .classes = b->classes};
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        if (t->beside[f] && !adit_decode_plane_within(t->beside[f], t->beside_bytes[f], f ^ 1, c->plane[f]))
            return false;
        c->source.plane[f] = t->beside[f] ? c->plane[f] : NULL;
    }
    c->source.rim = c->task.rim ? &c->rim : NULL;
    return true;
}

static int fake_add(void *batch, const struct adit_mesh_task *t)
{
    struct fake_batch *b = batch;
    uint32_t nth = counted(&device.adds, 1);
    if (nth == device.refused)
        return -ENOTSUP;
    if (b->n == BATCH || nth == device.full)
        return -ENOSPC;
    if (b->n == 1 && device.namer)
        name_late(device.namer);
    struct fake_chunk *c = &b->chunk[b->n];
    c->task = *t;
    if (t->rim)
        c->rim = *t->rim;
    if (!b->reads_later && !take(b, c, t))
        return -EBADMSG;
    b->n++;
    return 0;
}

static int fake_submit(void *batch, const uint8_t *classes)
{
    struct fake_batch *b = batch;
    REQUIRE(b->n > 0);
    memcpy(b->classes, classes, sizeof b->classes);
    if (counted(&device.submits, 1) == device.submit_fails)
        return adit_fault(-EIO, "fake: lost at a submission");
    b->in_flight = true;
    return 0;
}

static int fake_wait(void *batch, uint64_t timeout_ns)
{
    struct fake_batch *b = batch;
    uint32_t nth = counted(&device.waits, 1);
    (void)timeout_ns;
    REQUIRE(b->in_flight);
    shm_fixture_nap(device.nap_ms + (nth ? 0 : device.first_nap_ms));
    if (nth == device.stopped) {
        adit_store_relaxed(&slept_ns, slept_ns + STOPPED_NS); /* relaxed: likewise */
        return -ETIMEDOUT;
    }
    if (nth == device.slow || device.hangs || adit_clock_ns() < device.busy_until_ns)
        return -ETIMEDOUT;
    b->in_flight = false;
    if (nth == device.wait_fails)
        return adit_fault(-EIO, "fake: lost in flight");
    if (nth == device.no_memory || device.never_has_memory)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->n; i++) {
        struct fake_chunk *c = &b->chunk[i];
        if (!c->quads)
            REQUIRE((c->quads = malloc((size_t)ADIT_MESH_QUADS_MAX * 8)));
        c->result = (struct adit_mesh_result){.quads = c->quads, .quads_max = ADIT_MESH_QUADS_MAX};
        if (b->reads_later && !take(b, c, &c->task)) {
            counted(&device.unsound, 1); /* only in a section that was ousted; the mesh is worth nothing anyway */
            continue;
        }
        REQUIRE(!adit_mesh_kernel_best(NULL)(&c->source, &c->result));
    }
    counted(&device.landed, b->n);
    return 0;
}

static void fake_result(void *batch, uint32_t i, struct adit_mesh_result *r) { *r = ((struct fake_batch *)batch)->chunk[i].result; }

static void fake_close(void *batch)
{
    struct fake_batch *b = batch;
    for (uint32_t i = 0; i < BATCH; i++)
        free(b->chunk[i].quads);
    free(b);
}

static int fake_import(struct adit_executor *e, const struct adit_import_range *ranges, uint32_t n, void **imports)
{
    (void)e;
    REQUIRE(n >= 1 && ranges[0].bytes % 4096 == 0 && (uintptr_t)ranges[0].at % 4096 == 0);
    *imports = &device;
    return 0;
}

static void fake_unimport(void *imports) { REQUIRE(imports == &device); }

static void fake_read_from(void *batch, void *imports)
{
    struct fake_batch *b = batch;
    REQUIRE(imports == &device && !b->n);
    b->reads_later = true;
    counted(&device.later, 1);
}

static struct adit_executor fake = {.name = "fake:0", .batch_max = BATCH, .open = fake_open, .begin = fake_begin, .add = fake_add,
                                    .submit = fake_submit, .wait = fake_wait, .result = fake_result, .close = fake_close};
static struct adit_devices devices = {.n = 1, .executor = {&fake}};

static void name_late(struct adit_arena *a)
{
    struct adit_material_info info = {.name = "late glass", .material_class = ADIT_CLASS_TRANSLUCENT};
    uint16_t id = LATE;
    device.namer = NULL;
    REQUIRE(!adit_material_register(a, &info, &id));
}

static void reset_device(void)
{
    memset(&device, 0, sizeof device);
    device.open_fails = device.submit_fails = device.wait_fails = device.no_memory = device.full = device.refused = device.slow = device.stopped = NEVER;
    memset(fake.cost, 0, sizeof fake.cost);
    fake.is_software = false;
    fake.import = NULL;
}

/* From here on it reads voxels where they lie, when it is waited for. */
static void let_import(void)
{
    fake.import = fake_import;
    fake.unimport = fake_unimport;
    fake.read_from = fake_read_from;
}

static struct adit_dispatcher *dispatch(struct adit_arena *a, bool only)
{
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 2, .only_devices = only, .devices = &devices};
    struct adit_dispatcher *d;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    return d;
}

static struct adit_tier_info tier(const struct adit_dispatcher *d, uint32_t i)
{
    struct adit_tier_info info;
    assert_int_equal(adit_dispatcher_tier(d, i, &info), 0);
    return info;
}

/* The whole world by the device alone, twice with edits; what has become of the device. */
static struct adit_tier_info mesh_world(uint32_t flags)
{
    struct adit_arena *a = mesh_world_create(flags);
    struct adit_dispatcher *d = dispatch(a, true);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    for (uint32_t i = 0; i < 40; i++)
        mesh_world_edit(a, i * 5 % MESH_WORLD_CHUNKS, i);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    struct adit_tier_info info = tier(d, 1);
    assert_int_equal(tier(d, 0).meshed, 0);
    assert_string_equal(info.name, "fake:0");
    assert_int_equal(adit_dispatcher_tier(d, 2, &(struct adit_tier_info){0}), -ERANGE);
    mesh_world_close(a, &d, info.is_lost);
    mesh_world_assert_right(a);
    adit_detach(&a);
    return info;
}

static void a_device_alone_meshes_all(void **state)
{
    (void)state;
    reset_device();
    struct adit_tier_info info = mesh_world(0);
    assert_false(info.is_lost);
    assert_true(info.meshed >= MESH_WORLD_CHUNKS / 2); /* the sky is meshed in place */
    assert_int_equal(info.meshed, device.landed);
    reset_device();
    info = mesh_world(ADIT_CREATE_AO);
    assert_false(info.is_lost);
    reset_device();
    let_import();
    (void)mesh_world(ADIT_CREATE_AO | ADIT_CREATE_TT_NONE);
    assert_true(device.later > 0 && !device.unsound);
}

/* (tried: chunks of a failed submission, or of one lost in flight, not marked dirty again: never settled) */
static void nothing_is_lost_with_a_device(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < ROUNDS; n++) {
        reset_device();
        device.submit_fails = n;
        struct adit_tier_info info = mesh_world(0);
        assert_true(info.is_lost);
        assert_string_equal(info.why, "fake: lost at a submission");
        reset_device();
        device.wait_fails = n;
        if (n & 2)
            let_import();
        info = mesh_world(n & 1 ? ADIT_CREATE_AO : 0);
        assert_true(info.is_lost);
        assert_string_equal(info.why, "fake: lost in flight");
    }
    for (uint32_t n = 0; n < 2; n++) {
        reset_device();
        device.open_fails = n;
        struct adit_tier_info info = mesh_world(0);
        assert_true(info.is_lost);
        assert_int_equal(info.meshed, 0);
    }
}

static void what_it_refuses_or_has_no_room_for_is_meshed_in_place(void **state)
{
    (void)state;
    reset_device();
    let_import();
    device.refused = device.full = 1;
    assert_false(mesh_world(0).is_lost);
    for (uint32_t what = 0; what < 5 && !IS_DEAR; what++) {
        reset_device();
        device.full = what == 0 ? 3 : what == 1 ? 0 : NEVER; /* in the middle of a batch; then as the first of one */
        device.refused = what == 2 ? 2 : NEVER;
        device.no_memory = what == 3 ? 1 : NEVER;
        device.slow = what == 4 ? 1 : NEVER;
        assert_false(mesh_world(0).is_lost);
    }
    reset_device();
    device.never_has_memory = true; /* (tried: what it had no memory for left to it again: never settled) */
    struct adit_tier_info info = mesh_world(0);
    assert_false(info.is_lost);
    assert_int_equal(info.meshed, 0);
}

/* (tried: waited for for ever; the line of something else) */
static void a_device_that_hangs_is_lost_in_seconds(void **state)
{
    (void)state;
    reset_device();
    device.hangs = true;
    device.nap_ms = 20;
    let_import();
    uint64_t begin = adit_clock_ns();
    struct adit_tier_info info = mesh_world(0);
    assert_true(info.is_lost);
    if (!strstr(info.why, "fake:0: a batch of") || !strstr(info.why, "hangs"))
        fail_msg("why: %s", info.why);
    assert_in_range(adit_clock_ns() - begin, 4000000000u, 25000000000u);
}

/* As lavapipe is beside other work, while it compiles. (tried: given up after five seconds, as a GPU is: lost, and all meshed in place) */
static void a_program_on_a_busy_cpu_does_not_hang(void **state)
{
    (void)state;
    reset_device();
    fake.is_software = true;
    device.nap_ms = 20;
    device.busy_until_ns = adit_clock_ns() + 7000000000u;
    struct adit_tier_info info = mesh_world(0);
    assert_false(info.is_lost);
    assert_true(info.meshed >= MESH_WORLD_CHUNKS / 2);
}

/* It goes on a minute later, in the middle of a wait; the device was stopped as well. (tried: one look, and given up by the clock) */
static void who_was_stopped_loses_no_device(void **state)
{
    (void)state;
    reset_device();
    device.nap_ms = 20;
    device.slow = 3;
    device.stopped = 2;
    struct adit_tier_info info = mesh_world(0);
    assert_true(adit_load_relaxed(&slept_ns) >= STOPPED_NS);
    assert_false(info.is_lost);
    assert_true(info.meshed >= MESH_WORLD_CHUNKS / 2);
}

/* ---- voxels that are read where they lie */

static bool stop_editing, edit_naps;

static void *edit_on(void *user)
{
    for (uint32_t i = 0; !__atomic_load_n(&stop_editing, __ATOMIC_ACQUIRE); i++) {
        mesh_world_edit(user, i * 5 % MESH_WORLD_CHUNKS, i);
        if (edit_naps && i % 8 == 0)
            shm_fixture_nap(1);
    }
    return NULL;
}

/* Versions are replaced and their memory used anew all the while: what a flight reads stays, as its section lasts. (tried: the section ended when the batch is
 * submitted: meshes of other chunks' bytes) */
static void what_a_device_reads_stays_until_it_is_done(void **state)
{
    (void)state;
    reset_device();
    let_import();
    device.nap_ms = 5;
    edit_naps = true;
    struct adit_arena *a = mesh_world_create_of(0, 512u << 20); /* enough that nobody is ousted */
    struct adit_dispatcher *d = dispatch(a, true);
    pthread_t editor;
    stop_editing = false;
    assert_int_equal(pthread_create(&editor, NULL, edit_on, a), 0);
    for (uint32_t i = 0; i < 3 || (i < 60 && __atomic_load_n(&device.later, __ATOMIC_RELAXED) <= 10); i++)
        shm_fixture_nap(500);
    __atomic_store_n(&stop_editing, true, __ATOMIC_RELEASE);
    pthread_join(editor, NULL);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    adit_dispatcher_close(&d);
    assert_true(device.later > 10 && !device.unsound);
    mesh_world_assert_right(a);
    adit_detach(&a);
}

/* A flight that lasts longer than memory does is ousted: nothing of it is published, and the next ones copy. (tried: published all the same) */
static void a_flight_that_is_ousted_is_made_again(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* what is read in a section that was ousted is being written: that is what it is about */
#endif
    reset_device();
    let_import();
    device.nap_ms = 400;
    edit_naps = false;
    struct adit_arena *a = mesh_world_create_of(0, 24u << 20);
    struct adit_dispatcher *d = dispatch(a, true);
    pthread_t editor;
    stop_editing = false;
    assert_int_equal(pthread_create(&editor, NULL, edit_on, a), 0);
    shm_fixture_nap(3000);
    __atomic_store_n(&stop_editing, true, __ATOMIC_RELEASE);
    pthread_join(editor, NULL);
    device.nap_ms = 0;
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    uint64_t meshed = tier(d, 1).meshed;
    adit_dispatcher_close(&d);
    assert_true(device.submits > device.later); /* some flight was ousted, and others have copied */
    assert_true(meshed + BATCH <= device.landed); /* and its meshes were not published */
    mesh_world_assert_right(a);
    adit_detach(&a);
}

/* ---- beside threads */

static uint64_t edit_rounds(struct adit_arena *a, const struct adit_dispatcher *d, uint32_t rounds, uint64_t enough)
{
    for (uint32_t round = 0; round < rounds && tier(d, 1).meshed < enough; round++) {
        for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++)
            mesh_world_edit(a, i, round);
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    }
    return tier(d, 1).meshed;
}

/* Whether a decision was told for that reason. */
static bool has_decided(const struct adit_dispatcher *d, const char *why)
{
    struct adit_share_report r = {.size = sizeof r};
    for (uint32_t back = 0; !adit_dispatcher_explain(d, 1, back, &r) && strcmp(r.why, why); back++)
        continue;
    return r.why && !strcmp(r.why, why);
}

/* A device that takes 100 ms a batch is tried a few times (learning its price, and a fiftieth of the time), and the threads do the rest. */
static void who_is_slow_gets_nothing(void **state)
{
    (void)state;
    reset_device();
    device.nap_ms = 100;
    fake.is_software = true;
    struct adit_arena *a = mesh_world_create(0);
    struct adit_dispatcher *d = dispatch(a, false);
    assert_in_range(edit_rounds(a, d, 5 * ROUNDS, 100), 0, 10);
    assert_true(tier(d, 0).meshed > 100);
    assert_true(has_decided(d, "slower than the threads whose processors it takes") && !has_decided(d, "done sooner with it")); /* (tried: told as done sooner without it) */
    adit_dispatcher_close(&d);
    mesh_world_assert_right(a);
    adit_detach(&a);
}

/* (tried: nothing given beside threads; the first batch, a warm-up, taken for the price: never tried again) */
static void who_is_quick_gets_some_however_slow_it_began(void **state)
{
    (void)state;
    for (uint32_t known = 0; known < 3; known++) { /* 2: of batches of one (tried: four for its price, whatever it takes at once: ASan) */
        reset_device();
        device.first_nap_ms = known == 1 ? 0 : 60;
        fake.batch_max = known == 2 ? 1 : BATCH;
        fake.cost[ADIT_SIZE_DENSE] = (struct adit_cost){known == 1, known == 1};
        struct adit_arena *a = mesh_world_create(0);
        const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1, .kernel = "scalar", .devices = &devices}; /* the device has the best kernel */
        struct adit_dispatcher *d;
        assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
        assert_true(edit_rounds(a, d, 1000, 40) >= 40);
        assert_true(known == 2 || has_decided(d, "done sooner with it"));
        adit_dispatcher_close(&d);
        mesh_world_assert_right(a);
        adit_detach(&a);
    }
    fake.batch_max = BATCH;
}
static uint32_t most_at_once; /* chunks of one submission of either device */

static int submit_counted(void *batch, const uint8_t *classes)
{
    uint32_t n = ((struct fake_batch *)batch)->n, most = __atomic_load_n(&most_at_once, __ATOMIC_RELAXED);
    while (n > most && !__atomic_compare_exchange_n(&most_at_once, &most, n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return fake_submit(batch, classes);
}

/* Ten chunks, and three who all take a minute for one: a thread and two devices. So 3 are for each, 4 where one looks just before the other has bid; who forgets the other device takes 5. (tried: bids of
 * the others not looked at; the price of a thread not taken from the params: nothing given to devices before a thread has shown it) */
static void devices_count_on_each_other(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    (void)state;
    reset_device();
    device.nap_ms = 20;
    most_at_once = 0;
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 64u << 20};
    struct adit_arena *a = fixture_create(&params);
    for (int32_t i = 0; i < 10; i++) {
        struct adit_key key = {.x = 2 * i};
        adit_generate(adit_generator_named("noise50"), 1, i, 0, 0, voxels);
        assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
    }
    struct adit_executor two[2] = {fake, fake};
    for (uint32_t i = 0; i < 2; i++) {
        two[i].cost[ADIT_SIZE_DENSE] = (struct adit_cost){1, 6e10};
        two[i].submit = submit_counted;
    }
    struct adit_devices both = {.n = 2, .executor = {&two[0], &two[1]}};
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1, .kernel = "scalar", .devices = &both, .thread_ns = 60000000000u};
    struct adit_dispatcher *d;
    assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
    for (uint32_t round = 0; round < 10 && !__atomic_load_n(&most_at_once, __ATOMIC_RELAXED); round++) { /* again if the thread had done all before a device has looked */
        for (int32_t i = 0; i < 10 && round; i++)
            assert_int_equal(adit_chunk_edit(a, &(struct adit_key){.x = 2 * i}, &(struct adit_voxel_edit){9, 9, 9, 0, (uint16_t)(1 + round)}, 1, NULL), 0);
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    }
    adit_dispatcher_close(&d);
    assert_in_range(most_at_once, 1, 4);
    adit_detach(&a);
}

/* Two devices and no threads: of few chunks, too, somebody takes the last one. */
static void without_threads_devices_do_all_between_them(void **state)
{
    (void)state;
    for (uint32_t known = 0; known < 2; known++) {
        reset_device();
        struct adit_arena *a = mesh_world_create(0);
        struct adit_executor two[2] = {fake, fake};
        for (uint32_t i = 0; i < 2 && known; i++)
            two[i].cost[ADIT_SIZE_DENSE] = (struct adit_cost){1e5, i ? 1e4 : 1e6};
        struct adit_devices both = {.n = 2, .executor = {&two[0], &two[1]}};
        const struct adit_dispatcher_params p = {.size = sizeof p, .only_devices = true, .devices = &both};
        struct adit_dispatcher *d;
        assert_int_equal(adit_dispatcher_open(a, &p, &d), 0);
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
        for (uint32_t i = 0; i < 40; i++) {
            mesh_world_edit(a, i * 5 % MESH_WORLD_CHUNKS, i);
            if (i % 4 == 0)
                assert_int_equal(adit_settle(a, SETTLE_NS), 0); /* of one chunk or a few each time */
        }
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
        adit_dispatcher_close(&d);
        mesh_world_assert_right(a);
        adit_detach(&a);
    }
}

/* ---- little of what is needed */

/* One reader for publishing and for what is meshed in place. (tried: kept by a flight while chunks are meshed in place: never settled) */
static void one_reader_is_enough(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    (void)state;
    for (uint32_t imports = 0; imports < 2; imports++) {
        reset_device();
        if (imports)
            let_import();
        const struct adit_create_params params = {.size = sizeof params, .readers_max = 1, .data_bytes = 64u << 20};
        struct adit_arena *a = fixture_create(&params);
        struct adit_dispatcher *d = dispatch(a, true);
        for (int32_t i = 0; i < 24; i++) {
            struct adit_key key = {.x = i};
            for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
                voxels[v] = i & 1 ? (uint16_t)(v >> 11 & 3) : 7;
            int error = -EUSERS; /* the device may have the reader just now */
            for (uint32_t again = 0; again < 1000 && error == -EUSERS; again++) {
                error = adit_chunk_put(a, &key, voxels, NULL);
                if (error)
                    shm_fixture_nap(1);
            }
            assert_int_equal(error, 0);
        }
        assert_int_equal(adit_settle(a, SETTLE_NS), 0);
        assert_true(tier(d, 1).meshed > 0 && tier(d, 1).in_place > 0);
        adit_dispatcher_close(&d);
        adit_detach(&a);
    }
}

/* No room for meshes: it rests between attempts. (tried: at once again: thousands) */
static void short_memory_is_no_busy_loop(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    (void)state;
    reset_device();
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 4u << 20};
    struct adit_arena *a = fixture_create(&params);
    for (int32_t i = 0, error = 0; !error && i < 64; i++) {
        struct adit_key key = {.x = i};
        adit_generate(adit_generator_named("noise50"), 1, i, 0, 0, voxels);
        error = adit_chunk_put(a, &key, voxels, NULL);
        assert_true(!error || error == -ENOMEM);
    }
    struct adit_dispatcher *d = dispatch(a, true);
    shm_fixture_nap(1500);
    adit_dispatcher_close(&d);
    assert_in_range(device.submits, 2, 320);
    adit_detach(&a);
}

/* A material that is there already is named while a batch is filled: what a chunk before it was read with, its rim, is by other classes than the rest
 * will be. (tried: the batch meshed all the same) */
static void classes_may_change_while_a_batch_is_filled(void **state)
{
    (void)state;
    reset_device();
    struct adit_arena *a = mesh_world_create(ADIT_CREATE_AO);
    for (uint32_t i = 0; i < MESH_WORLD_CHUNKS; i++) {
        struct adit_key key = mesh_world_key(i);
        struct adit_voxel_edit corners[8];
        for (uint32_t c = 0; c < 8; c++)
            corners[c] = (struct adit_voxel_edit){c & 1 ? 63 : 0, c & 2 ? 63 : 0, c & 4 ? 63 : 0, 0, LATE};
        assert_int_equal(adit_chunk_edit(a, &key, corners, 8, NULL), 0);
    }
    device.namer = a;
    struct adit_dispatcher *d = dispatch(a, true);
    assert_int_equal(adit_settle(a, SETTLE_NS), 0);
    assert_null(device.namer);
    adit_dispatcher_close(&d);
    mesh_world_assert_right(a);
    adit_detach(&a);
}

/* ---- death */

static void mesh_until_killed(void *user)
{
    struct adit_arena *a = shm_fixture_attach(user, ADIT_PRODUCER);
    struct adit_dispatcher *d = dispatch(a, true);
    (void)d;
    for (;;)
        shm_fixture_nap(1000);
}

/* Killed with two batches in flight: others get all of it. (tried: work of the dead not given back) */
static void who_dies_with_batches_in_flight_loses_none(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (uint32_t n = 0; n < KILLED; n++) {
        reset_device();
        device.nap_ms = 200;
        mesh_world_survives_death(mesh_until_killed, n & 1 ? ADIT_CREATE_AO : 0, BATCH, 0, &seed); /* more than one batch in its hands */
    }
}

static void wrong_params_are_refused(void **state)
{
    (void)state;
    struct adit_arena *a = fixture_create(NULL);
    struct adit_dispatcher *d;
    const struct adit_dispatcher_params p = {.size = sizeof p, .only_devices = true};
    assert_int_equal(adit_dispatcher_open(a, &p, &d), -EINVAL);
    assert_null(d);
    adit_detach(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_dies_with_batches_in_flight_loses_none),
        cmocka_unit_test(a_device_alone_meshes_all),
        cmocka_unit_test(nothing_is_lost_with_a_device),
        cmocka_unit_test(what_it_refuses_or_has_no_room_for_is_meshed_in_place),
        cmocka_unit_test(what_a_device_reads_stays_until_it_is_done),
        cmocka_unit_test(a_flight_that_is_ousted_is_made_again),
        cmocka_unit_test(who_is_slow_gets_nothing),
        cmocka_unit_test(who_is_quick_gets_some_however_slow_it_began),
        cmocka_unit_test(devices_count_on_each_other),
        cmocka_unit_test(without_threads_devices_do_all_between_them),
        cmocka_unit_test(a_device_that_hangs_is_lost_in_seconds),
        cmocka_unit_test(a_program_on_a_busy_cpu_does_not_hang),
        cmocka_unit_test(who_was_stopped_loses_no_device),
        cmocka_unit_test(one_reader_is_enough),
        cmocka_unit_test(short_memory_is_no_busy_loop),
        cmocka_unit_test(classes_may_change_while_a_batch_is_filled),
        cmocka_unit_test(wrong_params_are_refused),
    };
    return cmocka_run_group_tests_name("devices under a dispatcher", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
