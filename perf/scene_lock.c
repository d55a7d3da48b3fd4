/* scene_lock.c - what it costs to change a small shared object under a lock, and to read it without: strict (lock, change a word,
 * commit) and optimistic (copy the committed bytes), with nobody else there and with another process changing it all the
 * time, beside glibc's robust mutex around the same change of a plain object. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "perf/lab_arena.h"
#include "perf/partner.h"
#include "perf/scenes.h"

#define SIZES 2
#define BYTES_MAX 4096u

/* The raw side: an object behind a robust mutex. */
struct guarded {
    pthread_mutex_t mutex;
    _Alignas(128) uint8_t object[BYTES_MAX];
};

struct locks {
    char name[LAB_ARENA_NAME_BYTES];
    struct partner *partner;
    struct guarded *raw;
    struct adit_lock *lock[SIZES];
};

/* One size, alone or with the partner at work; also the context of the partner's duty. */
struct lane {
    struct locks *locks;
    uint32_t size, bytes, duty;
};

static const uint32_t sizes[SIZES] = {64, BYTES_MAX};

static int open_lock(struct adit_arena *arena, uint32_t bytes, struct adit_lock **lock)
{
    char name[16];
    const struct adit_lock_params params = {.size = sizeof params, .bytes = bytes};
    snprintf(name, sizeof name, "object-%u", bytes);
    return adit_lock_open(arena, name, &params, lock);
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

static void change_raw(struct guarded *raw)
{
    if (pthread_mutex_lock(&raw->mutex) == EOWNERDEAD)
        pthread_mutex_consistent(&raw->mutex);
    ++*(uint64_t *)(void *)raw->object;
    pthread_mutex_unlock(&raw->mutex);
}

static void change_duty(const struct partner *partner, void *context)
{
    static struct adit_lock *lock[SIZES];
    const struct lane *lane = context;
    if (!lock[lane->size] && open_lock(lab_arena_visit(lane->locks->name, ADIT_PRODUCER)->arena, lane->bytes, &lock[lane->size]))
        return;
    while (partner_is_on(partner))
        (void)change(lock[lane->size]);
}

static void change_raw_duty(const struct partner *partner, void *context)
{
    const struct lane *lane = context;
    while (partner_is_on(partner))
        change_raw(lane->locks->raw);
}

static double strict_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    int error = partner_assign(lane->locks->partner, lane->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        error = change(lane->locks->lock[lane->size]);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double optimistic_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    uint8_t copy[BYTES_MAX];
    int error = partner_assign(lane->locks->partner, lane->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        error = adit_lock_read(lane->locks->lock[lane->size], copy, lane->bytes, NULL);
        bench_consume(copy[0]);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static double raw_change_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    int error = partner_assign(lane->locks->partner, lane->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++)
        change_raw(lane->locks->raw);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

/* The same bytes copied under the mutex: what reading costs who has no other way. */
static double raw_read_block(void *context, uint64_t rounds)
{
    const struct lane *lane = context;
    struct guarded *raw = lane->locks->raw;
    uint8_t copy[BYTES_MAX];
    int error = partner_assign(lane->locks->partner, lane->duty);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds && !error; i++) {
        if (pthread_mutex_lock(&raw->mutex) == EOWNERDEAD)
            pthread_mutex_consistent(&raw->mutex);
        memcpy(copy, raw->object, lane->bytes);
        pthread_mutex_unlock(&raw->mutex);
        bench_consume(copy[0]);
    }
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

static int measure(struct bench *bench, struct lane lanes[], struct lane raw_lanes[])
{
    int error = 0;
    for (uint32_t is_beset = 0; is_beset < 2; is_beset++)
        for (uint32_t size = 0; size < SIZES && !error; size++) {
            struct lane *ours = &lanes[is_beset * SIZES + size], *raw = &raw_lanes[is_beset * SIZES + size];
            const char *who = is_beset ? "another process changing" : "alone";
            char name[64];
            snprintf(name, sizeof name, "strict, %u B, %s", sizes[size], who);
            error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns",
                                                              .ours = {"lock, change, commit", strict_block, ours},
                                                              .raw = {"glibc robust mutex", raw_change_block, raw}});
            snprintf(name, sizeof name, "optimistic, %u B, %s", sizes[size], who);
            if (!error)
                error = bench_measure(bench, &(struct bench_spec){.figure = name, .unit = "ns",
                                                                  .ours = {"copy, look again", optimistic_block, ours},
                                                                  .raw = {"copy under a robust mutex", raw_read_block, raw}});
        }
    return error;
}

static int run(struct bench *bench)
{
    struct partner partner;
    struct adit_arena *arena;
    struct locks locks = {.partner = &partner, .raw = partner_memory_create(sizeof *locks.raw)};
    struct partner_duty duties[2 * SIZES];
    struct lane lanes[2 * SIZES], raw_lanes[2 * SIZES];
    pthread_mutexattr_t shared;

    if (!locks.raw)
        return -ENOMEM;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&locks.raw->mutex, &shared);
    lab_arena_name(locks.name);
    for (uint32_t i = 0; i < SIZES; i++) {
        lanes[i] = raw_lanes[i] = (struct lane){&locks, i, sizes[i], PARTNER_SLEEPS};
        lanes[SIZES + i] = (struct lane){&locks, i, sizes[i], 2 * i + 1};
        raw_lanes[SIZES + i] = (struct lane){&locks, i, sizes[i], 2 * i + 2};
        duties[2 * i] = (struct partner_duty){change_duty, &lanes[SIZES + i]};
        duties[2 * i + 1] = (struct partner_duty){change_raw_duty, &raw_lanes[SIZES + i]};
    }
    int error = partner_start(&partner, bench, duties, 2 * SIZES);
    if (!error)
        error = lab_arena_create(bench, locks.name, NULL, &arena);
    for (uint32_t i = 0; i < SIZES && !error; i++) {
        error = open_lock(arena, sizes[i], &locks.lock[i]);
        if (error)
            bench_fail(bench, "all", adit_detail(), error);
    }
    return error ? error : measure(bench, lanes, raw_lanes);
}

const struct scene scene_lock = {
    .name = "lock",
    .what = "a small object changed under a lock, and read without",
    .unit = "ns",
    .goal = "",
    .cpus = 2,
    .run = run,
};
