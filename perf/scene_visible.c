/* scene_visible.c - from handing over a prepared value to another process holding it, spinning: of a block by its commit
 * word, as the library itself publishes, and of a whole chunk through the store, as applications do.
 *
 * The clock starts before the call that publishes, when the value is written and prepared, and stops when the reader, in
 * and out of sections all the time, has resolved the new commit word (has acquired the new version). The chunk is a loan
 * of 512 KiB of voxels with masks and borders. Two raw limits, timed the same way, each after writing and reading 256 KiB,
 * since a writer whose caches are full of its value hands over more slowly than one that does nothing else:
 *     a line          the other process sees one word change
 *     line and value  it sees the word change and reads the first word of the value, as from a mailbox */
#include <errno.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/raw.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define ROUNDS_MAX 24
#define VALUE_BYTES (256u * 1024)
#define VALUES 2 /* raw ones, written in turn: the reader holds no lines of the one being written */

enum duty { READ_CHUNK = 1, SEE_LINE, SEE_VALUE, RESOLVE_BLOCK, READ_BLOCK, DUTIES = READ_BLOCK };

struct visible {
    char name[LAB_ARENA_NAME_BYTES];
    struct adit_arena *arena;
    struct partner *partner;
    struct raw_shared *raw, *chunks, *blocks; /* lanes of each: what was seen last, and when */
    uint8_t *values;                          /* of the raw sides */
    uint64_t commit_ref[PARTNER_LANES]; /* blocks whose first word is a commit word */
    double ns_per_tick;
    uint32_t next; /* lane of the next block: the x of its key */
    uint16_t stamp;
};

/* One way of handing over: a side of a figure. */
struct way {
    struct visible *visible;
    enum duty duty;
};

static void read_duty(const struct partner *partner, void *context)
{
    struct visible *visible = context;
    struct raw_shared *shared = &visible->chunks[partner->lane];
    const struct adit_key key = {.x = (int32_t)partner->lane};
    struct adit_reader *reader = lab_arena_visit(visible->name, ADIT_CONSUMER)->reader;
    uint64_t last = atomic_load_explicit(&shared->seen, memory_order_relaxed);

    for (uint32_t spins = 1; spins % 256 != 0 || partner_is_on(partner); spins++) {
        struct adit_chunk_view view;
        adit_enter(reader);
        if (adit_chunk_acquire(reader, &key, &view) != 0 || view.version == last) {
            adit_exit(reader);
            continue;
        }
        shared->seen_ticks = clock_ticks_after();
        adit_exit(reader);
        last = view.version;
        atomic_store_explicit(&shared->seen, last, memory_order_release);
    }
}

static void see_value_duty(const struct partner *partner, void *context)
{
    struct visible *visible = context;
    struct raw_shared *shared = &visible->raw[partner->lane];
    uint64_t turn = atomic_load_explicit(&shared->published, memory_order_relaxed);
    while (partner_await(partner, &shared->published, turn, &turn)) {
        bench_consume(*(volatile uint64_t *)(visible->values + turn % VALUES * VALUE_BYTES));
        shared->seen_ticks = clock_ticks_after();
        atomic_store_explicit(&shared->seen, turn, memory_order_release);
    }
}

/* The commit word's low version bits stand for the sequence number. */
static void block_duty(const struct partner *partner, struct visible *visible, bool is_read)
{
    struct raw_shared *shared = &visible->blocks[partner->lane];
    struct lab_visitor *visitor = lab_arena_visit(visible->name, ADIT_CONSUMER);
    struct adit_reader *reader = visitor->reader;
    const struct adit_arena *arena = visitor->arena;
    const uint64_t *commit = adit_arena_at(arena, visible->commit_ref[partner->lane], sizeof *commit);
    uint64_t last = atomic_load_explicit(&shared->seen, memory_order_relaxed);

    for (uint32_t spins = 1; spins % 256 != 0 || partner_is_on(partner); spins++) {
        adit_enter(reader);
        uint64_t now = adit_load_acquire(commit);
        const volatile uint64_t *value = adit_arena_at(arena, adit_commit_ref(now), VALUE_BYTES);
        if (now == last || !value) {
            adit_exit(reader);
            continue;
        }
        if (is_read)
            bench_consume(*value);
        shared->seen_ticks = clock_ticks_after();
        adit_exit(reader);
        last = now;
        atomic_store_explicit(&shared->seen, last, memory_order_release);
    }
}

static void resolve_block_duty(const struct partner *partner, void *context)
{
    block_duty(partner, context, false);
}

static void read_block_duty(const struct partner *partner, void *context)
{
    block_duty(partner, context, true);
}

/* Waits until the partner has seen `wanted`, and returns the ticks since `from`, or -ERANGE. */
static int64_t ticks_until_seen(struct raw_shared *shared, uint64_t wanted, uint64_t from)
{
    while (atomic_load_explicit(&shared->seen, memory_order_acquire) != wanted)
        ;
    int64_t ticks = (int64_t)(shared->seen_ticks - from);
    return ticks > 0 ? ticks : -ERANGE; /* the counters of the CPUs disagree */
}

/* The ticks when all that was stored before has left the store buffer: filling a value is not part of handing it over. */
static uint64_t ticks_when_written(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    return clock_ticks_before();
}

/* Publishes one block of 256 KiB by a commit word, as publish.h does, and retires the one before. */
static int64_t publish_block(struct visible *visible, uint32_t lane)
{
    struct adit_arena *arena = visible->arena;
    uint64_t *commit = adit_arena_at(arena, visible->commit_ref[lane], sizeof *commit), ref;
    uint64_t old = adit_load_acquire(commit);
    int error = adit_block_alloc(arena, VALUE_BYTES, ADIT_BLOCK_HERE, &ref);

    if (error)
        return error;
    uint8_t *value = adit_arena_at(arena, ref, VALUE_BYTES);
    memset(value, ++visible->stamp, VALUE_BYTES);
    raw_read(value, VALUE_BYTES);
    uint64_t new = adit_commit_make((old >> 40) + 1, ref), from = ticks_when_written();
    adit_block_publish(arena, ref);
    if (!adit_cas_acq_rel(commit, &old, new))
        return -EAGAIN;
    int64_t ticks = ticks_until_seen(&visible->blocks[lane], new, from);
    if (adit_commit_ref(old))
        adit_retire(arena, adit_commit_ref(old));
    adit_retire_help(arena);
    return ticks;
}

/* Publishes one version of a chunk. */
static int64_t publish_chunk(struct visible *visible, uint32_t lane)
{
    const struct adit_key key = {.x = (int32_t)lane};
    struct adit_loan loan;
    uint64_t version = 0;
    struct adit_put_params params = {.size = sizeof params, .version = &version};
    int error = adit_chunk_loan(visible->arena, &key, &loan);

    if (error)
        return error;
    memset(loan.voxels, 0, ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
    loan.voxels[0] = ++visible->stamp;
    error = adit_chunk_prepare(visible->arena, &loan);
    if (error) {
        adit_chunk_discard(visible->arena, &loan);
        return error;
    }
    uint64_t from = ticks_when_written();
    error = adit_chunk_publish(visible->arena, &loan, &params);
    return error ? error : ticks_until_seen(&visible->chunks[lane], version, from);
}

/* Stores one word after writing a value. */
static int64_t hand_over(struct visible *visible, uint32_t lane)
{
    struct raw_shared *shared = &visible->raw[lane];
    uint64_t turn = atomic_load_explicit(&shared->published, memory_order_relaxed) + 1;

    uint8_t *value = visible->values + turn % VALUES * VALUE_BYTES;
    memset(value, (int)turn, VALUE_BYTES);
    raw_read(value, VALUE_BYTES); /* as preparing a version does */
    uint64_t from = ticks_when_written();
    atomic_store_explicit(&shared->published, turn, memory_order_release);
    return ticks_until_seen(shared, turn, from);
}

static double hand_over_block(void *context, uint64_t rounds)
{
    const struct way *way = context;
    struct visible *visible = way->visible;
    double sample[ROUNDS_MAX];
    size_t count = rounds < ROUNDS_MAX ? (size_t)rounds : ROUNDS_MAX;
    uint32_t lane = visible->next++ % PARTNER_LANES;
    int error = partner_assign_lane(visible->partner, way->duty, lane);

    for (size_t i = 0; i < count && !error; i++) {
        int64_t ticks = way->duty == READ_CHUNK                               ? publish_chunk(visible, lane)
                        : way->duty == RESOLVE_BLOCK || way->duty == READ_BLOCK ? publish_block(visible, lane)
                                                                              : hand_over(visible, lane);
        error = ticks < 0 ? (int)ticks : 0;
        sample[i] = (double)ticks * visible->ns_per_tick;
    }
    if (error)
        return error;
    stats_sort(sample, count);
    return stats_median(sample, count);
}

static int measure(struct bench *bench, struct visible *visible)
{
    static const struct {
        const char *name;
        enum duty ours, raw;
        struct goal goal;
    } figures[] = {
        {"256 KiB block, publish to resolved", RESOLVE_BLOCK, SEE_LINE, {GOAL_RATIO, 1.4}},
        {"256 KiB block, publish to first word", READ_BLOCK, SEE_VALUE, {GOAL_NONE, 0}},
        {"chunk, publish to acquired", READ_CHUNK, SEE_LINE, {GOAL_RATIO, 1.4}},
        {"chunk, publish to acquired (mailbox)", READ_CHUNK, SEE_VALUE, {GOAL_NONE, 0}},
    };
    int error = 0;

    for (size_t i = 0; i < sizeof figures / sizeof figures[0] && !error; i++) {
        struct way ours = {visible, figures[i].ours}, raw = {visible, figures[i].raw};
        error = bench_measure(bench, &(struct bench_spec){
                                         .figure = figures[i].name, .unit = "ns", .goal = figures[i].goal,
                                         .rounds_max = ROUNDS_MAX, .ours = {"publish", hand_over_block, &ours},
                                         .raw = {raw.duty == SEE_LINE ? "a line" : "line and value", hand_over_block, &raw},
                                         .note = ours.duty == READ_CHUNK ? "512 KiB of voxels, masks, borders" : NULL});
    }
    return error;
}

/* The blocks whose first words are commit words, one a lane, in the control segment as the store's entries are. */
static int make_commit_words(struct visible *visible)
{
    int error = 0;
    for (uint32_t lane = 0; lane < PARTNER_LANES && !error; lane++) {
        uint64_t *ref = &visible->commit_ref[lane];
        error = adit_block_alloc(visible->arena, sizeof(uint64_t), ADIT_BLOCK_HEAP, ref);
        if (!error)
            adit_store_relaxed(adit_arena_at(visible->arena, *ref, sizeof(uint64_t)), 0); /* relaxed: nobody looks yet */
    }
    return error;
}

/* Shared memory, so that what is set after the fork reaches the partner; NULL when there is none. */
static struct visible *prepare(struct bench *bench, struct partner *partner)
{
    struct visible *visible = partner_memory_create(sizeof *visible);
    if (!visible)
        return NULL;
    lab_arena_name(visible->name);
    visible->partner = partner;
    visible->raw = raw_lanes_create();
    visible->chunks = raw_lanes_create();
    visible->blocks = raw_lanes_create();
    visible->values = partner_memory_create(VALUES * VALUE_BYTES);
    visible->ns_per_tick = bench->machine->ns_per_tick;
    return visible->raw && visible->chunks && visible->blocks && visible->values ? visible : NULL;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct visible *visible = prepare(bench, &partner);

    if (!visible)
        return -ENOMEM;
    if (!bench->machine->tsc_invariant) {
        bench_skip(bench, "all", "the processor's counter is not the same on all CPUs");
        return 0;
    }
    const struct partner_duty duties[DUTIES] = {{read_duty, visible},          {raw_one_way_duty, visible->raw},
                                                {see_value_duty, visible},     {resolve_block_duty, visible},
                                                {read_block_duty, visible}};
    int error = partner_start(&partner, bench, duties, DUTIES);
    if (!error)
        error = lab_arena_create(bench, visible->name, NULL, &visible->arena);
    if (!error)
        error = make_commit_words(visible);
    return error ? error : measure(bench, visible);
}

const struct scene scene_visible = {
    .name = "visible",
    .what = "publish of a prepared value until another process holds it, spinning",
    .unit = "ns",
    .goal = "1.4 times the raw hand-off or less",
    .cpus = 2,
    .run = run,
};
