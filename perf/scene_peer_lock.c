/* scene_peer_lock.c - an object of 64 bytes changed and read by our lock in its two modes, beside glibc's mutexes (normal, robust, with priority inheritance; all shared between processes, as ours is) and
 * Boost.Interprocess's (peer_lock.h): alone, and with another process changing it all the time. Strict is beside a change under the mutex, optimistic beside a copy under it, as who has a mutex alone has no other way to
 * read. What theirs do not do and ours does: a holder that dies leaves the last committed object (of these, a robust one says that it died). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/peer.h"
#include "perf/peer_lock.h"
#include "perf/scenes.h"

#define PEERS_MAX 4u
#define SHORT_BUDGET_NS 0.18e9 /* a figure, of some sixteen */

enum duty { OURS = 1, THEIRS, DUTIES = THEIRS };

struct lab {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner partner;
    struct adit_lock *lock; /* of this process */
    const struct peer_lock *peer[PEERS_MAX];
    void *memory[PEERS_MAX]; /* of theirs */
    uint32_t *chosen;        /* of them, by the partner; shared */
    uint32_t peers;
};

struct side {
    struct lab *lab;
    uint32_t peer;
    bool is_beset;
};

/* ---- glibc's ---- */

struct guarded {
    pthread_mutex_t mutex;
    _Alignas(128) uint64_t object[PEER_LOCK_OBJECT_BYTES / 8];
};

static int make_mutex(void *memory, int robust, int protocol)
{
    struct guarded *g = memory;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&a, robust);
    int error = pthread_mutexattr_setprotocol(&a, protocol);
    return error ? -error : -pthread_mutex_init(&g->mutex, &a);
}

static int make_normal(void *memory) { return make_mutex(memory, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE); }
static int make_robust(void *memory) { return make_mutex(memory, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE); }
static int make_inheriting(void *memory) { return make_mutex(memory, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT); }

static void take(struct guarded *g)
{
    if (pthread_mutex_lock(&g->mutex) == EOWNERDEAD)
        pthread_mutex_consistent(&g->mutex);
}

static void change_mutex(void *memory, uint64_t n)
{
    for (struct guarded *g = memory; n > 0; n--) {
        take(g);
        ++g->object[0];
        pthread_mutex_unlock(&g->mutex);
    }
}

static void read_mutex(void *memory, uint64_t n)
{
    uint64_t copy[PEER_LOCK_OBJECT_BYTES / 8];
    for (struct guarded *g = memory; n > 0; n--) {
        take(g);
        memcpy(copy, g->object, sizeof copy);
        pthread_mutex_unlock(&g->mutex);
        bench_consume(copy[0]);
    }
}

static void beset_mutex(void *memory, const uint32_t *word, uint32_t value)
{
    while (__atomic_load_n(word, __ATOMIC_RELAXED) == value)
        change_mutex(memory, 1);
}

static const struct peer_lock mutexes[] = {
    {PEER_LOCK_ABI, "pthread normal", sizeof(struct guarded), make_normal, change_mutex, read_mutex, beset_mutex},
    {PEER_LOCK_ABI, "pthread robust", sizeof(struct guarded), make_robust, change_mutex, read_mutex, beset_mutex},
    {PEER_LOCK_ABI, "pthread inheriting", sizeof(struct guarded), make_inheriting, change_mutex, read_mutex, beset_mutex},
};

/* ---- ours ---- */

static int open_lock(struct adit_arena *arena, struct adit_lock **lock)
{
    return adit_lock_open(arena, "object", &(struct adit_lock_params){.size = sizeof(struct adit_lock_params), .bytes = PEER_LOCK_OBJECT_BYTES}, lock);
}

static int change(struct adit_lock *lock)
{
    void *bytes;
    int error = adit_lock_lock(lock, UINT64_MAX, &bytes);
    if (error < 0)
        return error;
    ++*(uint64_t *)bytes;
    return adit_lock_unlock(lock);
}

static void ours_duty(const struct partner *partner, void *context)
{
    struct lab *lab = context; /* the partner's own copy since the fork */
    if (!lab->lock && open_lock(lab_arena_visit(lab->name, ADIT_PRODUCER)->arena, &lab->lock) != 0)
        return;
    while (partner_is_on(partner))
        (void)change(lab->lock);
}

static void theirs_duty(const struct partner *partner, void *context)
{
    const struct lab *lab = context;
    lab->peer[*lab->chosen]->beset(lab->memory[*lab->chosen], (const uint32_t *)&partner->words->assigned, partner->serving);
}

/* ---- blocks ---- */

static int begin(const struct side *s, enum duty duty)
{
    if (s->is_beset && duty == THEIRS) {
        int error = partner_assign(&s->lab->partner, PARTNER_SLEEPS);
        if (error)
            return error;
        *s->lab->chosen = s->peer;
    }
    return partner_assign(&s->lab->partner, s->is_beset ? duty : PARTNER_SLEEPS);
}

static double strict_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    int error = begin(s, OURS);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = change(s->lab->lock);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double optimistic_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    uint64_t copy[PEER_LOCK_OBJECT_BYTES / 8];
    int error = begin(s, OURS);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        error = adit_lock_read(s->lab->lock, copy, sizeof copy, NULL);
        bench_consume(copy[0]);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double change_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    int error = begin(s, THEIRS);
    double from = clock_now_ns();
    if (!error)
        s->lab->peer[s->peer]->change(s->lab->memory[s->peer], rounds);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double read_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    int error = begin(s, THEIRS);
    double from = clock_now_ns();
    if (!error)
        s->lab->peer[s->peer]->read(s->lab->memory[s->peer], rounds);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct lab *lab, bool is_beset, uint32_t peer)
{
    struct side side = {lab, peer, is_beset};
    const char *name = lab->peer[peer]->name, *who = is_beset ? "contended" : "alone";
    char figure[64];
    snprintf(figure, sizeof figure, "strict, %s: %.32s", who, name);
    int error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "ns", .ours = {"lock, change, commit", strict_block, &side}, .raw = {name, change_block, &side}});
    snprintf(figure, sizeof figure, "optimistic, %s: %.32s", who, name);
    return error ? error : bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "ns", .ours = {"copy, look again", optimistic_block, &side}, .raw = {name, read_block, &side}});
}

static int add(struct lab *lab, const struct peer_lock *peer)
{
    void *memory = partner_memory_create(peer->bytes);
    lab->peer[lab->peers] = peer;
    lab->memory[lab->peers++] = memory;
    return memory ? peer->make(memory) : -ENOMEM;
}

static int run(struct bench *bench)
{
    static const struct peer_library library = {"libpeer_lock.so", PEER_LOCK_FUNCTION, "apt-get install libboost-dev, then ninja peers-locks makes it", PEER_LOCK_ABI};
    struct lab *lab = calloc(1, sizeof *lab); /* until the process ends */
    struct adit_arena *arena;
    char why[FIGURE_TEXT_MAX];
    int error = 0;
    if (!lab || !(lab->chosen = partner_memory_create(sizeof *lab->chosen)))
        return -ENOMEM;
    if (bench->is_short)
        bench->budget_ns = SHORT_BUDGET_NS;
    for (uint32_t i = 0; i < sizeof mutexes / sizeof *mutexes && !error; i++)
        error = add(lab, &mutexes[i]);
    const struct peer_lock *boost = peer_open(&library, why, sizeof why); /* before the fork, as the partner needs it as well */
    if (!boost)
        bench_skip(bench, "Boost.Interprocess", why);
    else if (!error)
        error = add(lab, boost);
    lab_arena_name(lab->name);
    if (!error)
        error = partner_start(&lab->partner, bench, (struct partner_duty[DUTIES]){{ours_duty, lab}, {theirs_duty, lab}}, DUTIES);
    if (!error)
        error = lab_arena_create(bench, lab->name, NULL, &arena);
    if (!error && (error = open_lock(arena, &lab->lock)) != 0)
        bench_fail(bench, "all", adit_detail(), error);
    for (uint32_t is_beset = 0; is_beset < 2; is_beset++)
        for (uint32_t i = 0; i < lab->peers && !error; i++)
            error = measure(bench, lab, is_beset, i);
    return error;
}

const struct scene scene_peer_lock = {
    .name = "peer-lock",
    .what = "an object of 64 B under our lock, beside glibc's mutexes and Boost.Interprocess's",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
