/* raw.c - the raw limits. Release and acquire are on the variable; on x86 they are plain stores and loads. */
#include "perf/raw.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETTLE_NS 60e3 /* long enough for a woken or about-to-wait process to be asleep again */

struct raw_shared *raw_lanes_create(void)
{
    return partner_memory_create(PARTNER_LANES * sizeof(struct raw_shared));
}

int raw_begin(struct raw *raw, struct bench *bench, struct partner *partner, uint32_t count, raw_duty *const duties[])
{
    struct partner_duty list[PARTNER_DUTIES_MAX] = {0};
    if (count > PARTNER_DUTIES_MAX)
        return -EINVAL;
    *raw = (struct raw){raw_lanes_create(), count ? partner : NULL, 1, bench->machine->ns_per_tick, 0};
    if (!raw->lanes)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct partner_duty){duties[i], raw->lanes};
    return count ? partner_start(partner, bench, list, count) : 0;
}

static uint64_t await(_Atomic uint64_t *word, uint64_t wanted)
{
    uint64_t now;
    while ((now = atomic_load_explicit(word, memory_order_acquire)) != wanted)
        ;
    return now;
}

/* Chooses the block's lane and has the partner serve it there. Returns 0 or a negative errno. */
static int assign(struct raw *raw, struct raw_shared **shared)
{
    uint32_t lane = raw->next++ % PARTNER_LANES;
    *shared = &raw->lanes[lane];
    return raw->partner ? partner_assign_lane(raw->partner, raw->duty, lane) : 0;
}

/* A duty's side of that. */
static struct raw_shared *lane_of(const struct partner *partner, void *lanes)
{
    return (struct raw_shared *)lanes + partner->lane;
}

double raw_line_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared;
    int error = assign(raw, &shared);
    if (error)
        return error;
    _Atomic uint64_t *line = &shared->line;
    uint64_t turn = atomic_load_explicit(line, memory_order_relaxed) & ~1ull;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        atomic_store_explicit(line, turn + 1, memory_order_release);
        turn += 2;
        await(line, turn);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

void raw_line_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    uint64_t turn = atomic_load_explicit(&shared->line, memory_order_acquire), now;
    if (turn & 1) /* the measured side was quicker than this duty */
        atomic_store_explicit(&shared->line, ++turn, memory_order_release);
    while (partner_await(partner, &shared->line, turn, &now)) {
        turn = now + 1;
        atomic_store_explicit(&shared->line, turn, memory_order_release);
    }
}

double raw_lines_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared;
    int error = assign(raw, &shared);
    if (error)
        return error;
    uint64_t turn = atomic_load_explicit(&shared->there.flag, memory_order_relaxed);
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        atomic_store_explicit(&shared->there.flag, ++turn, memory_order_release);
        await(&shared->back.flag, turn);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

void raw_lines_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    uint64_t turn = atomic_load_explicit(&shared->back.flag, memory_order_relaxed);
    while (partner_await(partner, &shared->there.flag, turn, &turn))
        atomic_store_explicit(&shared->back.flag, turn, memory_order_release);
}

static uint64_t take(struct raw_message *message)
{
    uint64_t sum = 0;
    for (int i = 0; i < RAW_PAYLOAD_BYTES / 8; i++)
        sum += message->payload[i];
    return sum;
}

static void send(struct raw_message *message, uint64_t value, uint64_t turn)
{
    for (int i = 0; i < RAW_PAYLOAD_BYTES / 8; i++)
        message->payload[i] = value + (uint64_t)i;
    atomic_store_explicit(&message->flag, turn, memory_order_release);
}

double raw_message_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared;
    int error = assign(raw, &shared);
    if (error)
        return error;
    uint64_t turn = atomic_load_explicit(&shared->there.flag, memory_order_relaxed), sum = 0;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        send(&shared->there, sum, ++turn);
        await(&shared->back.flag, turn);
        sum = take(&shared->back);
    }
    double ns = (clock_now_ns() - from) / (double)rounds;
    bench_consume(sum);
    return ns;
}

void raw_message_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    uint64_t turn = atomic_load_explicit(&shared->back.flag, memory_order_relaxed);
    while (partner_await(partner, &shared->there.flag, turn, &turn))
        send(&shared->back, take(&shared->there), turn);
}

static double one_way(struct raw *raw, uint64_t rounds, bool is_back)
{
    double sample[RAW_ONE_WAY_SAMPLES];
    struct raw_shared *shared;
    size_t count = rounds < RAW_ONE_WAY_SAMPLES ? (size_t)rounds : RAW_ONE_WAY_SAMPLES;
    int error = assign(raw, &shared);
    if (error)
        return error;
    uint64_t turn = atomic_load_explicit(&shared->published, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        uint64_t sent = clock_ticks_before();
        atomic_store_explicit(&shared->published, ++turn, memory_order_release);
        await(&shared->seen, turn);
        uint64_t returned = clock_ticks_after();
        int64_t ticks = is_back ? (int64_t)(returned - shared->seen_ticks) : (int64_t)(shared->seen_ticks - sent);
        sample[i] = (double)ticks * raw->ns_per_tick;
    }
    stats_sort(sample, count);
    double ns = stats_median(sample, count);
    return ns > 0 ? ns : -ERANGE; /* the counters of the two CPUs disagree */
}

double raw_one_way_block(void *context, uint64_t rounds)
{
    return one_way(context, rounds, false);
}

double raw_one_way_back_block(void *context, uint64_t rounds)
{
    return one_way(context, rounds, true);
}

void raw_one_way_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    uint64_t turn = atomic_load_explicit(&shared->seen, memory_order_relaxed);
    while (partner_await(partner, &shared->published, turn, &turn)) {
        shared->seen_ticks = clock_ticks_after();
        atomic_store_explicit(&shared->seen, turn, memory_order_release);
    }
}

double raw_slot_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared = raw->lanes;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t epoch = atomic_load_explicit(&shared->epoch, memory_order_relaxed);
        atomic_store_explicit(&shared->slot, epoch | 1, memory_order_relaxed);
        bench_compiler_barrier();
        atomic_store_explicit(&shared->slot, 0, memory_order_release);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

double raw_swap_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    uint64_t free_word = 0;
    double from = clock_now_ns();
    atomic_store_explicit(&raw->lanes->slot, free_word, memory_order_relaxed);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t expected = free_word;
        atomic_compare_exchange_strong_explicit(&raw->lanes->slot, &expected, i + 1, memory_order_acq_rel,
                                                memory_order_acquire);
        expected = i + 1;
        atomic_compare_exchange_strong_explicit(&raw->lanes->slot, &expected, free_word, memory_order_acq_rel,
                                                memory_order_acquire);
    }
    return (clock_now_ns() - from) / (double)rounds;
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

double raw_wake_nobody_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        futex(&raw->lanes->word_back, FUTEX_WAKE, 1);
    return (clock_now_ns() - from) / (double)rounds;
}

/* The sleeper: waits for the next count, says when it woke up. Ends by the wake that follows its dismissal, or by the
 * time-out of a wait, so that a dismissed sleeper never stays. */
void raw_wake_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    const struct timespec limit = {.tv_nsec = 2000000};
    uint32_t turn = (uint32_t)atomic_load_explicit(&shared->woken, memory_order_relaxed);
    while (partner_is_on(partner)) {
        syscall(SYS_futex, &shared->word, FUTEX_WAIT, turn, &limit, NULL, 0);
        uint64_t ticks = clock_ticks_after();
        uint32_t now = atomic_load_explicit(&shared->word, memory_order_acquire);
        if (now == turn)
            continue;
        turn = now;
        shared->woken_ticks = ticks;
        atomic_store_explicit(&shared->woken, turn, memory_order_release);
    }
}

static void settle(void)
{
    double until = clock_now_ns() + SETTLE_NS;
    while (clock_now_ns() < until)
        ;
}

double raw_wake_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared = raw->lanes; /* one lane: a sleeper would notice a change of it late */
    int error = partner_assign(raw->partner, raw->duty);
    double total = 0;
    if (error)
        return error;
    uint32_t turn = atomic_load_explicit(&shared->word, memory_order_relaxed);
    for (uint64_t i = 0; i < rounds; i++) {
        settle();
        uint64_t from = clock_ticks_before();
        atomic_store_explicit(&shared->word, ++turn, memory_order_release);
        futex(&shared->word, FUTEX_WAKE, 1);
        await(&shared->woken, turn);
        total += (double)(int64_t)(shared->woken_ticks - from) * raw->ns_per_tick;
    }
    return total > 0 ? total / (double)rounds : -ERANGE;
}

static void sleep_while(_Atomic uint32_t *word, uint32_t value)
{
    const struct timespec limit = {.tv_nsec = 2000000};
    if (atomic_load_explicit(word, memory_order_acquire) == value)
        syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0);
}

/* Both sides settle before they send: whoever answers at once finds the other still awake, and nobody ever sleeps. The
 * partner's settling lies within the round and is taken off. */
double raw_sleep_round_block(void *context, uint64_t rounds)
{
    struct raw *raw = context;
    struct raw_shared *shared = raw->lanes;
    int error = partner_assign(raw->partner, raw->duty);
    double total = 0;
    if (error)
        return error;
    uint32_t turn = atomic_load_explicit(&shared->word, memory_order_relaxed);
    for (uint64_t i = 0; i < rounds; i++) {
        settle();
        double from = clock_now_ns();
        atomic_store_explicit(&shared->word, ++turn, memory_order_release);
        futex(&shared->word, FUTEX_WAKE, 1);
        while (atomic_load_explicit(&shared->word_back, memory_order_acquire) != turn)
            sleep_while(&shared->word_back, turn - 1);
        total += clock_now_ns() - from - SETTLE_NS;
    }
    return total > 0 ? total / (double)rounds : -ERANGE;
}

void raw_sleep_round_duty(const struct partner *partner, void *context)
{
    struct raw_shared *shared = lane_of(partner, context);
    uint32_t turn = atomic_load_explicit(&shared->word, memory_order_acquire);
    atomic_store_explicit(&shared->word_back, turn, memory_order_release);
    while (partner_is_on(partner)) {
        sleep_while(&shared->word, turn);
        uint32_t now = atomic_load_explicit(&shared->word, memory_order_acquire);
        if (now == turn)
            continue;
        turn = now;
        settle();
        atomic_store_explicit(&shared->word_back, turn, memory_order_release);
        futex(&shared->word_back, FUTEX_WAKE, 1);
    }
}

int raw_membarrier_register(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0 ? 0 : -errno;
}

static double membarriers(const struct raw *raw, int command, uint64_t rounds)
{
    int error = partner_assign(raw->partner, raw->duty);
    if (error)
        return error;
    double from = clock_now_ns();
    for (uint64_t i = 0; i < rounds; i++)
        if (syscall(SYS_membarrier, command, 0, 0) != 0)
            return -errno;
    return (clock_now_ns() - from) / (double)rounds;
}

double raw_membarrier_block(void *context, uint64_t rounds)
{
    return membarriers(context, MEMBARRIER_CMD_GLOBAL_EXPEDITED, rounds);
}

double raw_membarrier_global_block(void *context, uint64_t rounds)
{
    return membarriers(context, MEMBARRIER_CMD_GLOBAL, rounds);
}

void raw_busy_duty(const struct partner *partner, void *context)
{
    (void)context;
    while (partner_is_on(partner))
        bench_compiler_barrier();
}
