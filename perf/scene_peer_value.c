/* scene_peer_value.c - values of 256 KiB between processes, ours beside LMDB's and iceoryx's (peer_value.h).
 *
 *     handed over   from before the call that publishes a value that is written and prepared until another process, which looks all the time, has its first word; ours is a block behind a commit word, in a section
 *     replaced      room for a value, 256 KiB written, published, and what becomes of the one before
 *     looked at     the newest value by its key, its first word read, given back: ours adit_chunk_acquire in a section, of a version of some 256 KiB; alone, and while another process replaces it all the time
 *
 * Messages are not looked at: they come once each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "perf/lab_arena.h"
#include "perf/lab_voxels.h"
#include "perf/partner.h"
#include "perf/peer.h"
#include "perf/peer_value.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define ROUNDS_MAX 64u
#define SHORT_BUDGET_NS 0.3e9
#define PEERS 2u

enum duty { OURS_SEE = 1, THEIRS_SEE, OURS_REPLACE, THEIRS_REPLACE, THEIRS_OPEN, DUTIES = THEIRS_OPEN };

/* Shared with the partner, as what is set after the fork has to reach it. */
struct told {
    uint32_t peer;
    uint64_t commit_ref; /* block whose first word is the commit word of ours */
    _Alignas(128) _Atomic uint64_t seen; /* first word that the partner saw last, */
    uint64_t seen_ticks;                 /* and when */
    _Alignas(128) _Atomic uint32_t opened; /* 1 + peer: the partner takes part; UINT32_MAX: it cannot */
};

struct lab {
    char name[LAB_ARENA_NAME_BYTES], folder[128];
    struct partner partner;
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct told *told;
    const struct peer_value *peer[PEERS];
    void *part[PEERS]; /* of this process */
    uint16_t *voxels;
    double ns_per_tick;
    uint64_t stamp; /* first word of the last value handed over, by whomever */
};

static const struct adit_key key = {.x = 1};

/* A side: peer UINT32_MAX is ours. */
struct side {
    struct lab *lab;
    uint32_t peer;
    bool is_beset;
};
#define OURS UINT32_MAX

/* ---- ours ---- */

struct ours {
    struct adit_arena *arena;
    uint64_t *commit, ref, new;
};

static int ours_prepare(struct ours *o, struct lab *lab, uint64_t word)
{
    *o = (struct ours){.arena = lab->arena, .commit = adit_arena_at(lab->arena, lab->told->commit_ref, sizeof(uint64_t))};
    int error = adit_block_alloc(o->arena, PEER_VALUE_BYTES, ADIT_BLOCK_HERE, &o->ref);
    if (error)
        return error;
    void *value = adit_arena_at(o->arena, o->ref, PEER_VALUE_BYTES);
    memset(value, (int)word, PEER_VALUE_BYTES);
    memcpy(value, &word, sizeof word);
    return 0;
}

/* Hands it over; *old is for ours_retire. */
static int ours_publish(struct ours *o, uint64_t *old)
{
    *old = adit_load_acquire(o->commit);
    uint64_t was = *old;
    adit_block_publish(o->arena, o->ref);
    return adit_cas_acq_rel(o->commit, &was, adit_commit_make((*old >> 40) + 1, o->ref)) ? 0 : -EAGAIN;
}

static void ours_retire(struct ours *o, uint64_t old)
{
    if (adit_commit_ref(old))
        adit_retire(o->arena, adit_commit_ref(old));
    adit_retire_help(o->arena);
}

/* ---- the partner ---- */

static void saw(struct told *told, uint64_t word, uint64_t ticks)
{
    told->seen_ticks = ticks;
    atomic_store_explicit(&told->seen, word, memory_order_release);
}

static void ours_see_duty(const struct partner *partner, void *context)
{
    struct lab *lab = context;
    struct lab_visitor *visitor = lab_arena_visit(lab->name, ADIT_CONSUMER);
    const uint64_t *commit = adit_arena_at(visitor->arena, lab->told->commit_ref, sizeof *commit);
    uint64_t last = atomic_load_explicit(&lab->told->seen, memory_order_relaxed);
    for (uint32_t tries = 1; tries % 256 != 0 || partner_is_on(partner); tries++) {
        adit_enter(visitor->reader);
        const volatile uint64_t *value = adit_arena_at(visitor->arena, adit_commit_ref(adit_load_acquire(commit)), PEER_VALUE_BYTES);
        uint64_t word = value ? *value : last, ticks = clock_ticks_after();
        adit_exit(visitor->reader);
        if (word != last)
            saw(lab->told, last = word, ticks);
    }
}

/* The partner's part, opened when it is first asked for. */
static const struct peer_value *its_peer(struct lab *lab, void **part)
{
    uint32_t i = lab->told->peer;
    if (!lab->part[i])
        lab->part[i] = lab->peer[i]->open(lab->folder, 1);
    *part = lab->part[i];
    atomic_store_explicit(&lab->told->opened, *part ? i + 1 : UINT32_MAX, memory_order_release);
    return *part ? lab->peer[i] : NULL;
}

static void theirs_open_duty(const struct partner *partner, void *context)
{
    void *part;
    (void)its_peer(context, &part);
    while (partner_is_on(partner))
        ;
}

static void theirs_see_duty(const struct partner *partner, void *context)
{
    struct lab *lab = context;
    void *part;
    const struct peer_value *peer = its_peer(lab, &part);
    uint64_t last = atomic_load_explicit(&lab->told->seen, memory_order_relaxed), word;
    for (uint32_t tries = 1; peer && (tries % 256 != 0 || partner_is_on(partner)); tries++) {
        if (peer->take(part, &word) != 1 || word == last)
            continue;
        saw(lab->told, last = word, clock_ticks_after());
    }
}

static void ours_replace_duty(const struct partner *partner, void *context)
{
    struct lab *lab = context;
    struct lab_visitor *visitor = lab_arena_visit(lab->name, ADIT_CONSUMER);
    while (partner_is_on(partner))
        if (adit_chunk_put(visitor->arena, &key, lab->voxels, NULL) != 0)
            return;
}

static void theirs_replace_duty(const struct partner *partner, void *context)
{
    struct lab *lab = context;
    void *part;
    const struct peer_value *peer = its_peer(lab, &part);
    for (uint64_t word = 1ull << 63; peer && partner_is_on(partner); word++) /* of no stamp */
        if (peer->prepare(part, word) != 0 || peer->publish(part) != 0)
            return;
}

/* ---- blocks ---- */

static int assign(const struct side *s, enum duty duty)
{
    int error = partner_assign(&s->lab->partner, PARTNER_SLEEPS); /* it sees no half of what it is told */
    if (s->peer != OURS)
        s->lab->told->peer = s->peer;
    return error ? error : partner_assign(&s->lab->partner, duty);
}

/* The ticks from before it is published until the partner has seen it. */
static int64_t hand_over(const struct side *s)
{
    struct lab *lab = s->lab;
    struct told *told = lab->told;
    const struct peer_value *peer = s->peer == OURS ? NULL : lab->peer[s->peer];
    struct ours o;
    uint64_t word = ++lab->stamp, old = 0;
    int error = peer ? peer->prepare(lab->part[s->peer], word) : ours_prepare(&o, lab, word);
    atomic_thread_fence(memory_order_seq_cst); /* filling a value is not part of handing it over: it has left the store buffer */
    uint64_t from = clock_ticks_before();
    if (!error)
        error = peer ? peer->publish(lab->part[s->peer]) : ours_publish(&o, &old);
    if (error)
        return error == -1 ? -EIO : error;
    while (atomic_load_explicit(&told->seen, memory_order_acquire) != word)
        ;
    int64_t ticks = (int64_t)(told->seen_ticks - from);
    if (!peer)
        ours_retire(&o, old);
    return ticks > 0 ? ticks : -ERANGE; /* the counters of the CPUs disagree */
}

static double hand_over_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    double sample[ROUNDS_MAX];
    size_t count = rounds < ROUNDS_MAX ? (size_t)rounds : ROUNDS_MAX;
    int error = assign(s, s->peer == OURS ? OURS_SEE : THEIRS_SEE);
    for (size_t i = 0; i < count && !error; i++) {
        int64_t ticks = hand_over(s);
        error = ticks < 0 ? (int)ticks : 0;
        sample[i] = (double)ticks * s->lab->ns_per_tick;
    }
    if (error)
        return error;
    stats_sort(sample, count);
    return stats_median(sample, count);
}

static double replace_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct lab *lab = s->lab;
    const struct peer_value *peer = s->peer == OURS ? NULL : lab->peer[s->peer];
    struct ours o;
    uint64_t old = 0;
    int error = partner_assign(&lab->partner, PARTNER_SLEEPS);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        error = peer ? peer->prepare(lab->part[s->peer], ++lab->stamp) : ours_prepare(&o, lab, ++lab->stamp);
        if (!error)
            error = peer ? peer->publish(lab->part[s->peer]) : ours_publish(&o, &old);
        if (!error && !peer)
            ours_retire(&o, old);
    }
    return error ? (error == -1 ? -EIO : error) : (clock_now_ns() - from) / (double)rounds;
}

static double look_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct adit_reader *reader = s->lab->reader;
    struct adit_chunk_view view;
    int error = s->is_beset ? assign(s, s->peer == OURS ? OURS_REPLACE : THEIRS_REPLACE) : partner_assign(&s->lab->partner, PARTNER_SLEEPS);
    double from = clock_now_ns();
    if (!error && s->peer != OURS)
        error = s->lab->peer[s->peer]->look(s->lab->part[s->peer], rounds) == 0 ? 0 : -EIO;
    for (uint64_t i = 0; i < rounds && !error && s->peer == OURS; i++) {
        adit_enter(reader);
        error = adit_chunk_acquire(reader, &key, &view);
        if (!error)
            bench_consume(*(const uint64_t *)view.block);
        adit_exit(reader);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

/* ---- figures ---- */

static int measure(struct bench *bench, struct lab *lab, uint32_t i)
{
    const struct peer_value *peer = lab->peer[i];
    struct side ours = {lab, OURS, false}, theirs = {lab, i, false};
    char name[64];
    snprintf(name, sizeof name, "handed over: %.40s", peer->name);
    int error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .rounds_max = ROUNDS_MAX, .ours = {"block", hand_over_block, &ours}, .raw = {peer->name, hand_over_block, &theirs}});
    snprintf(name, sizeof name, "replaced: %.40s", peer->name);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .ours = {"block", replace_block, &ours}, .raw = {peer->name, replace_block, &theirs}});
    for (uint32_t is_beset = 0; is_beset < 2 && peer->look && !error; is_beset++) {
        ours.is_beset = theirs.is_beset = is_beset;
        snprintf(name, sizeof name, "looked at, %s: %.24s", is_beset ? "replaced all the time" : "alone", peer->name);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"acquire", look_block, &ours}, .raw = {peer->name, look_block, &theirs}});
    }
    return error;
}

/* This process's part and the partner's. 0, or a negative errno. */
static int open_peer(struct lab *lab, uint32_t i)
{
    const struct side s = {lab, i, false};
    lab->part[i] = lab->peer[i]->open(lab->folder, 0);
    int error = lab->part[i] ? assign(&s, THEIRS_OPEN) : -EIO;
    uint32_t opened = 0;
    while (!error && opened != i + 1 && opened != UINT32_MAX)
        opened = atomic_load_explicit(&lab->told->opened, memory_order_acquire);
    return opened == UINT32_MAX ? -EIO : error;
}

static int open_ours(struct bench *bench, struct lab *lab)
{
    int error = lab_arena_create(bench, lab->name, NULL, &lab->arena);
    if (!error)
        error = adit_block_alloc(lab->arena, sizeof(uint64_t), ADIT_BLOCK_HEAP, &lab->told->commit_ref);
    if (!error) {
        adit_store_relaxed(adit_arena_at(lab->arena, lab->told->commit_ref, sizeof(uint64_t)), 0); /* relaxed: nobody looks yet */
        error = adit_chunk_put(lab->arena, &key, lab->voxels, NULL);
    }
    return error ? error : adit_reader_open(lab->arena, &lab->reader);
}

/* The peers that are there and can begin, before the fork. */
static void find_peers(struct bench *bench, struct lab *lab)
{
    static const struct {
        const char *name;
        struct peer_library library;
    } peers[PEERS] = {
        {"LMDB", {"libpeer_value_lmdb.so", PEER_VALUE_FUNCTION, "apt-get install liblmdb-dev, then ninja peers-values makes it", PEER_VALUE_ABI}},
        {"iceoryx", {"libpeer_value_iceoryx.so", PEER_VALUE_FUNCTION, "apt-get install iceoryx libiceoryx-posh-dev, then ninja peers-values makes it", PEER_VALUE_ABI}},
    };
    for (uint32_t i = 0; i < PEERS; i++) {
        char why[FIGURE_TEXT_MAX];
        lab->peer[i] = peer_open(&peers[i].library, why, sizeof why);
        if (lab->peer[i] && lab->peer[i]->begin(why, sizeof why) != 0)
            lab->peer[i] = NULL;
        if (!lab->peer[i])
            bench_skip(bench, peers[i].name, why);
    }
}

static int run(struct bench *bench)
{
    struct lab *lab = calloc(1, sizeof *lab); /* until the process ends */
    const char *folder = getenv("XDG_RUNTIME_DIR"); /* the run's own, which goes with it */
    if (!bench->machine->tsc_invariant) {
        bench_skip(bench, "all", "the processor's counter is not the same on all CPUs");
        return 0;
    }
    if (!lab || !(lab->told = partner_memory_create(sizeof *lab->told)) || !(lab->voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *lab->voxels)))
        return -ENOMEM;
    if (bench->is_short)
        bench->budget_ns = SHORT_BUDGET_NS;
    voxels_fill_sized(lab->voxels, VOXELS_SIZES - 1);
    lab->ns_per_tick = bench->machine->ns_per_tick;
    lab_arena_name(lab->name);
    snprintf(lab->folder, sizeof lab->folder, "%s/%s-values", folder ? folder : "/tmp", lab->name);
    if (mkdir(lab->folder, 0700) != 0)
        return -errno;
    find_peers(bench, lab);
    const struct partner_duty duties[DUTIES] = {{ours_see_duty, lab}, {theirs_see_duty, lab}, {ours_replace_duty, lab}, {theirs_replace_duty, lab}, {theirs_open_duty, lab}};
    int error = partner_start(&lab->partner, bench, duties, DUTIES);
    if (!error)
        error = open_ours(bench, lab);
    for (uint32_t i = 0; i < PEERS && !error; i++) {
        if (!lab->peer[i])
            continue;
        error = open_peer(lab, i);
        if (error)
            bench_fail(bench, lab->peer[i]->name, "opening the peer", error);
        else
            error = measure(bench, lab, i);
    }
    return error;
}

const struct scene scene_peer_value = {
    .name = "peer-value",
    .what = "values of 256 KiB between processes, beside LMDB and iceoryx",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
