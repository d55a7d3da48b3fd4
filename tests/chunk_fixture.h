/* chunk_fixture.h - what tests of runtime/ share beyond shm_fixture.h: cmocka itself, one arena at a time, chunks to publish.
 *
 *     struct adit_arena *a = fixture_create(NULL);
 *     fixture_paint(seed, voxels);
 *     assert_int_equal(adit_chunk_put(a, &key, voxels, NULL), 0);
 *     adit_detach(&a);
 */
#ifndef ADIT_CHUNK_FIXTURE_H
#define ADIT_CHUNK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

/* The name of this program's arena, for children to attach to. */
#define FIXTURE_NAME "fixture"
/* Creates it; params NULL: 16 MiB of data and small tables. */
struct adit_arena *fixture_create(const struct adit_create_params *params);

/* A child that waits for fixture_start before it works, then may attach. Forked before the arena is made, while this process
 * has no threads: ThreadSanitizer takes a child's thread for one of the parent's otherwise. Join with shm_fixture_wait. */
pid_t fixture_fork(void (*work)(void *user), void *user);
/* Lets all children of before go to work. */
void fixture_start(void);

/* Waits up to half a minute for is(user); returns what it said last. */
bool fixture_eventually(bool (*is)(void *user), void *user);

/* A function of seed with no pattern to it. */
uint64_t fixture_mix(uint64_t seed);
/* Fills a chunk: seed 0 air, odd seeds slabs of a few materials, even seeds of 300 (dense). */
void fixture_paint(uint64_t seed, uint16_t *voxels);

/* adit_stats, asserted. */
struct adit_stats fixture_stats(struct adit_arena *arena);
/* Nothing is on loan or retired in the arena (user), and what is published is what the store names. */
bool fixture_is_tidy(void *arena);
/* Nobody but this process is attached: those who died have been recovered. */
bool fixture_is_alone(void *arena);

#endif
