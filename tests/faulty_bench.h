/* faulty_bench.h - a list of two devices, a sound one and one that fails as it is told (faulty_fixture.h), and batches of every kind that a device runs, called alike: each
 * of one chunk, whose results are known. For tests of what becomes of batches.
 *
 *     static const struct CMUnitTest tests[] = { on_bench(a_test) };
 *     bench_drivers();
 *     cmocka_run_group_tests_name("...", tests, bench_set_up, bench_tear_down);
 */
#ifndef ADIT_FAULTY_BENCH_H
#define ADIT_FAULTY_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gpu/gpu_parts.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define BENCH_WAIT_NS 120000000000u
#define BENCH_SOURCE_BYTES (2u << 20)
#define BENCH_KINDS 4u

struct bench_kind {
    void *(*open)(struct adit_gpu *gpu);  /* NULL: with a line in adit_detail() */
    int (*fill)(void *batch);             /* begin and add */
    int (*submit)(void *batch);
    int (*wait)(void *batch, uint64_t timeout_ns);
    int (*judge)(const void *batch);      /* 1: the result is the CPU's; 0: there is none; -1: it is another one */
    void (*close)(void *batch);
    uint32_t submissions;                 /* of a batch that is new */
};

/* Meshes, meshes with more quads than a new batch has room for, generated chunks, halved chunks. */
extern const struct bench_kind bench_kinds[BENCH_KINDS];

extern struct adit_gpu_list *bench_list;
extern struct adit_gpu_device *bench_sound, *bench_faulty;
extern uint8_t bench_classes[ADIT_MATERIALS];
extern struct gpu_chunk bench_chunk, bench_crowded; /* of terrain; with more quads than a new batch has room for */
/* Objects that hung devices have left for good, which a test says that had one hang. */
extern uint32_t bench_left;

/* Of the validation layer, in all tests that have ended. */
extern uint32_t bench_complaints;

/* Opens the list anew with what is told now; the faulty device may be missing. */
void bench_reopen(const char *fault);
/* The faulty device, with that fault. */
struct adit_gpu *bench_open(const char *fault);
/* With fault:n:more. */
struct adit_gpu *bench_open_at(const char *fault, uint32_t n, uint32_t more);
void *bench_open_filled(const struct bench_kind *kind, struct adit_gpu *gpu);
/* Batches of every kind, with the right results. */
void bench_works(struct adit_gpu *gpu);
/* adit_detail() is one line, which names the faulty device and says what happened. */
void bench_assert_detail(const char *what);

/* Or exits: there is no lavapipe. */
void bench_drivers(void);
int bench_set_up(void **state);
int bench_tear_down(void **state);
/* Around each test: the list; nothing of the faulty device is left; nothing waits for ever (SIGALRM). */
int bench_before(void **state);
int bench_after(void **state);
#define on_bench(test) cmocka_unit_test_setup_teardown(test, bench_before, bench_after)

#endif
