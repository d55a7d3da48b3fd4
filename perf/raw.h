/* raw.h - raw limits: the least a machine can do for each purpose, with nothing of the library in the way.
 *
 * The raw scenes report them; the library's scenes use the same code as the raw side of their pairs. What needs the
 * other CPU comes as a block for this process and a duty for its partner, over one struct raw_shared:
 *
 *     struct raw raw;
 *     struct partner partner;
 *     raw_begin(&raw, bench, &partner, 1, (raw_duty *[]){raw_line_duty});
 *     ... .raw = {"line there and back", raw_line_block, &raw}
 *
 * All spinning is plain loads without a pause instruction, here and in the library's scenes alike: a pause may cost an
 * exit to the hypervisor, and would blur what is compared. A partner that dies leaves the measured side spinning; the
 * runner's time limit for a scene ends that.
 */
#ifndef PERF_RAW_H
#define PERF_RAW_H

#include "perf/partner.h"

#define RAW_PAYLOAD_BYTES 64
#define RAW_ONE_WAY_SAMPLES 1024

/* A message on its way: the payload's line and the flag's, of a group nothing else touches. */
struct raw_message {
    _Alignas(128) uint64_t payload[RAW_PAYLOAD_BYTES / 8];
    _Atomic uint64_t flag;
};

/* What the two processes hand to and fro. Groups lie 128 bytes apart, since processors fetch lines in pairs. */
struct raw_shared {
    _Alignas(128) _Atomic uint64_t line; /* odd: written by the measured process; even: by the partner */
    struct raw_message there, back; /* the flags serve alone, too */
    _Alignas(128) _Atomic uint64_t published; /* one way: a sequence number, */
    _Alignas(128) _Atomic uint64_t seen;      /* the partner's answer, */
    uint64_t seen_ticks;                      /* and when it saw it */
    _Alignas(128) _Atomic uint32_t word; /* a futex: counts up, one side waits on it */
    _Alignas(128) _Atomic uint32_t word_back;
    _Alignas(128) _Atomic uint64_t woken; /* the count the sleeper woke up to, */
    uint64_t woken_ticks;                 /* and when */
    _Alignas(128) _Atomic uint64_t epoch;
    _Alignas(128) _Atomic uint64_t slot;
};

/* The context of every raw block. */
struct raw {
    struct raw_shared *lanes; /* PARTNER_LANES of them */
    struct partner *partner;  /* NULL for blocks that need none */
    uint32_t duty;            /* the partner's duty that serves this block */
    double ns_per_tick;
    uint32_t next; /* lane of the next block */
};

typedef void raw_duty(const struct partner *partner, void *lanes);

/* Makes the shared memory and a partner with these duties (numbers 1, 2, ...; none: no partner, partner may be NULL).
 * Nothing needs undoing: a scene's process ends after its figures, and memory and partner go with it. Fills raw with
 * duty 1. Returns 0 or a negative errno. */
int raw_begin(struct raw *raw, struct bench *bench, struct partner *partner, uint32_t count, raw_duty *const duties[]);

/* The same context for another duty. */
static inline struct raw raw_with_duty(const struct raw *raw, uint32_t duty)
{
    return (struct raw){raw->lanes, raw->partner, duty, raw->ns_per_tick, 0};
}

/* PARTNER_LANES of struct raw_shared, for a scene that makes its own struct raw. NULL when there is no memory. */
struct raw_shared *raw_lanes_create(void);

/* One line, written by both in turn: there and back. */
double raw_line_block(void *raw, uint64_t rounds);
raw_duty raw_line_duty;

/* A line each way, each written by one side: there and back. */
double raw_lines_block(void *raw, uint64_t rounds);
raw_duty raw_lines_duty;

/* 64 bytes and a flag, there and back. */
double raw_message_block(void *raw, uint64_t rounds);
raw_duty raw_message_duty;

/* From before the store of one word to its sight in the other process, and the way back: medians by the tick counter.
 * At most RAW_ONE_WAY_SAMPLES rounds a block. */
double raw_one_way_block(void *raw, uint64_t rounds);
double raw_one_way_back_block(void *raw, uint64_t rounds);
raw_duty raw_one_way_duty;

/* What a reader's section cannot do without: read the epoch, store it to the slot, keep the compiler from moving
 * accesses across, store 0 with release. */
double raw_slot_block(void *raw, uint64_t rounds);

/* Reads bytes (a multiple of 256) once, with the widest loads there are; from is aligned to 64. */
void raw_read(const void *from, size_t bytes);

/* Two compare-and-swaps on one shared word that nobody else touches: taking something and giving it back. */
double raw_swap_block(void *raw, uint64_t rounds);

/* FUTEX_WAKE when nobody waits; from before the wake to the woken process running; there and back asleep. */
double raw_wake_nobody_block(void *raw, uint64_t rounds);
double raw_wake_block(void *raw, uint64_t rounds);
double raw_sleep_round_block(void *raw, uint64_t rounds);
raw_duty raw_wake_duty;
raw_duty raw_sleep_round_duty;

/* membarrier GLOBAL_EXPEDITED, with the partner asleep (duty PARTNER_SLEEPS) or busy and registered. */
double raw_membarrier_block(void *raw, uint64_t rounds);
/* membarrier GLOBAL, which waits for a grace period of the kernel. */
double raw_membarrier_global_block(void *raw, uint64_t rounds);
raw_duty raw_busy_duty;

/* Registers this process as one that GLOBAL_EXPEDITED reaches; inherited by fork. 0 or a negative errno. */
int raw_membarrier_register(void);

#endif
