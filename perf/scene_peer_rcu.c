/* scene_peer_rcu.c - our read sections and grace periods beside those of liburcu's flavours (peer_rcu.h), and a reader's turn at a pthread_rwlock_t, shared between processes as ours are. Sections alone, and with one
 * value of 64 bytes opened: ours through a commit word, theirs through a pointer. Grace periods with one reader, a thread on the other CPU for both: all the time in and out of sections; out of them, ours
 * at rest, that of qsbr offline. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/peer.h"
#include "perf/peer_rcu.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define TIMEOUT_NS 1000000000u
#define SHORT_BUDGET_NS 0.18e9 /* a figure, of some twenty */
#define PERIOD 64u             /* sections between two quiescent states, in the second of the rows for who has them */

/* liburcu's thread-local variables are aligned to 128 bytes, and a library opened later gets its own beside those of the program only where these are aligned as much. */
static _Thread_local _Alignas(128) uint8_t aligned[128];

enum duty { OURS_READ = 1, OURS_REST, THEIRS_READ, THEIRS_OUT, DUTIES = THEIRS_OUT };

struct lab {
    struct adit_arena *arena;
    struct adit_reader *reader; /* of the measured thread */
    struct partner thread;
    const struct peer_rcu *peer; /* of the block */
    pthread_rwlock_t *rwlock;
    uint64_t commit, *value;
};

struct side {
    struct lab *lab;
    const struct peer_rcu *peer;
    uint32_t duty;
    uint64_t period;
};

/* ---- the reader on the other CPU ---- */

static struct adit_reader *its_reader(struct lab *lab)
{
    static _Thread_local struct adit_reader *reader;
    return reader || adit_reader_open(lab->arena, &reader) == 0 ? reader : NULL;
}

static void ours_read_duty(const struct partner *partner, void *context)
{
    struct adit_reader *reader = its_reader(context);
    while (reader && partner_is_on(partner))
        for (int i = 0; i < 64; i++) {
            adit_enter(reader);
            adit_exit(reader);
        }
    if (reader)
        adit_rest(reader);
}

static void ours_rest_duty(const struct partner *partner, void *context)
{
    struct adit_reader *reader = its_reader(context);
    if (!reader)
        return;
    adit_enter(reader);
    adit_exit(reader);
    adit_rest(reader);
    while (partner_is_on(partner))
        ;
}

static void theirs(const struct partner *partner, const struct peer_rcu *peer, void (*be)(const uint32_t *word, uint32_t value))
{
    peer->join();
    be((const uint32_t *)&partner->words->assigned, partner->serving);
    peer->leave();
}

static void theirs_read_duty(const struct partner *partner, void *context)
{
    const struct lab *lab = context;
    theirs(partner, lab->peer, lab->peer->read);
}

static void theirs_out_duty(const struct partner *partner, void *context)
{
    const struct lab *lab = context;
    theirs(partner, lab->peer, lab->peer->stay_out);
}

/* ---- blocks ---- */

static double ours_grace_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    int error = partner_assign(&s->lab->thread, s->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = adit_grace_period(s->lab->arena, TIMEOUT_NS);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double theirs_grace_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    int error = partner_assign(&s->lab->thread, PARTNER_SLEEPS);
    s->lab->peer = s->peer;
    if (!error)
        error = partner_assign(&s->lab->thread, s->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        s->peer->grace();
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double ours_sections_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct adit_reader *reader = s->lab->reader;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        adit_exit(reader);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double theirs_sections_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    double from = clock_now_ns();
    s->peer->sections(rounds, s->period);
    return (clock_now_ns() - from) / (double)rounds;
}

static double rwlock_sections_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        pthread_rwlock_rdlock(s->lab->rwlock);
        pthread_rwlock_unlock(s->lab->rwlock);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double ours_look_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    struct adit_reader *reader = s->lab->reader;
    const struct adit_arena *arena = s->lab->arena;
    const uint64_t *commit = &s->lab->commit;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        adit_enter(reader);
        const uint64_t *value = adit_arena_head(arena, adit_load_acquire(commit));
        bench_consume(*value);
        adit_exit(reader);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static double theirs_look_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    double from = clock_now_ns();
    s->peer->look(rounds, s->period, (const uint64_t *const *)&s->lab->value);
    return (clock_now_ns() - from) / (double)rounds;
}

static double rwlock_look_block(void *context, uint64_t rounds)
{
    const struct side *s = context;
    uint64_t *const *pointer = &s->lab->value;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        pthread_rwlock_rdlock(s->lab->rwlock);
        bench_consume(**pointer);
        pthread_rwlock_unlock(s->lab->rwlock);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

/* ---- figures ---- */

static int measure_grace(struct bench *bench, struct lab *lab, const struct peer_rcu *peer)
{
    int error = 0;
    for (uint32_t is_out = 0; is_out < 2 && !error; is_out++) {
        struct side ours = {lab, NULL, is_out ? OURS_REST : OURS_READ, 1}, side = {lab, peer, is_out ? THEIRS_OUT : THEIRS_READ, 1};
        char name[64];
        snprintf(name, sizeof name, "grace period, one reader %s: %.28s", is_out ? "out" : "busy", peer->name);
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "us", .scale = 1e-3, .ours = {"grace", ours_grace_block, &ours}, .raw = {peer->name, theirs_grace_block, &side}});
    }
    return error;
}

/* peer: NULL for the rwlock. */
static int measure_sections(struct bench *bench, struct lab *lab, const struct peer_rcu *peer, uint64_t period)
{
    struct side side = {lab, peer, PARTNER_SLEEPS, period};
    char name[64], who[40];
    snprintf(who, sizeof who, "%.16s%s", peer ? peer->name : "pthread_rwlock", !peer || !peer->is_quiescent ? "" : period == 1 ? ", a state each" : ", a state in 64");
    snprintf(name, sizeof name, "section: %s", who);
    if (peer)
        peer->join();
    int error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"section", ours_sections_block, &side},
                                                          .raw = {who, peer ? theirs_sections_block : rwlock_sections_block, &side}});
    snprintf(name, sizeof name, "open 64 B: %s", who);
    if (!error)
        error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns", .ours = {"section", ours_look_block, &side},
                                                          .raw = {who, peer ? theirs_look_block : rwlock_look_block, &side}});
    if (peer)
        peer->leave();
    return error;
}

static int make_value(struct lab *lab)
{
    uint64_t ref;
    int error = adit_block_alloc(lab->arena, 64, ADIT_BLOCK_HERE, &ref);
    if (error)
        return error;
    adit_block_publish(lab->arena, ref);
    lab->commit = adit_commit_make(1, ref);
    lab->value = adit_arena_at(lab->arena, ref, 64);
    return 0;
}

static int open_all(struct bench *bench, struct lab *lab)
{
    char name[LAB_ARENA_NAME_BYTES];
    pthread_rwlockattr_t shared;
    lab->rwlock = partner_memory_create(sizeof *lab->rwlock);
    if (!lab->rwlock)
        return -ENOMEM;
    pthread_rwlockattr_init(&shared);
    pthread_rwlockattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(lab->rwlock, &shared);
    lab_arena_name(name);
    int error = lab_arena_create(bench, name, NULL, &lab->arena);
    if (!error)
        error = make_value(lab);
    return error ? error
                 : partner_start_thread(&lab->thread, bench, (struct partner_duty[DUTIES]){{ours_read_duty, lab}, {ours_rest_duty, lab}, {theirs_read_duty, lab}, {theirs_out_duty, lab}}, DUTIES);
}

static int run(struct bench *bench)
{
    static const struct {
        const char *name;
        struct peer_library library;
    } peers[] = {
        {"liburcu memb", {"libpeer_rcu_memb.so", PEER_RCU_FUNCTION, "apt-get install liburcu-dev, then ninja peers-rcu makes it", PEER_RCU_ABI}},
        {"liburcu mb", {"libpeer_rcu_mb.so", PEER_RCU_FUNCTION, "apt-get install liburcu-dev, then ninja peers-rcu makes it", PEER_RCU_ABI}},
        {"liburcu qsbr", {"libpeer_rcu_qsbr.so", PEER_RCU_FUNCTION, "apt-get install liburcu-dev, then ninja peers-rcu makes it", PEER_RCU_ABI}},
        {"liburcu bp", {"libpeer_rcu_bp.so", PEER_RCU_FUNCTION, "apt-get install liburcu-dev, then ninja peers-rcu makes it", PEER_RCU_ABI}},
    };
    enum { PEERS = sizeof peers / sizeof *peers };
    const struct peer_rcu *peer[PEERS];
    bench_consume((uint64_t)(uintptr_t)aligned);
    struct lab *lab = calloc(1, sizeof *lab); /* until the process ends */
    int error = lab ? open_all(bench, lab) : -ENOMEM;
    if (bench->is_short)
        bench->budget_ns = SHORT_BUDGET_NS;
    for (uint32_t i = 0; i < PEERS && !error; i++) {
        char why[FIGURE_TEXT_MAX];
        peer[i] = peer_open(&peers[i].library, why, sizeof why);
        if (!peer[i])
            bench_skip(bench, peers[i].name, why);
        else
            error = measure_grace(bench, lab, peer[i]); /* before the measured thread is a reader itself */
    }
    if (!error)
        error = partner_assign(&lab->thread, PARTNER_SLEEPS);
    if (!error)
        error = adit_reader_open(lab->arena, &lab->reader);
    for (uint32_t i = 0; i < PEERS && !error; i++) {
        if (peer[i])
            error = measure_sections(bench, lab, peer[i], 1);
        if (peer[i] && peer[i]->is_quiescent && !error)
            error = measure_sections(bench, lab, peer[i], PERIOD);
    }
    return error ? error : measure_sections(bench, lab, NULL, 1);
}

const struct scene scene_peer_rcu = {
    .name = "peer-rcu",
    .what = "our read sections and grace periods, beside liburcu's and pthread_rwlock",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
