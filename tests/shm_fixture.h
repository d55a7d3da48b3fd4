/* shm_fixture.h - what tests of shm/ share: a runtime directory of their own, arenas in it, children, random numbers.
 *
 * Children end by REQUIRE or by returning from their work, never through cmocka: a failed assert there would go on with the
 * parent's tests in the child.
 */
#ifndef ADIT_SHM_FIXTURE_H
#define ADIT_SHM_FIXTURE_H

#include <stdint.h>
#include <sys/types.h>

#include "runtime/adit.h"
#include "shm/shm.h"

/* Ends this process (parent or child, any thread) with one line when condition is false. */
#define REQUIRE(condition) ((condition) ? (void)0 : shm_fixture_fail(__FILE__, __LINE__, #condition))
_Noreturn void shm_fixture_fail(const char *file, int line, const char *condition);

/* cmocka group set-up and tear-down: a private XDG_RUNTIME_DIR, which must be empty of sockets at the end. One data segment
 * whatever the machine's nodes (ADIT_DISABLE gets numa, and what is in the environment already). */
int shm_fixture_set_up(void **state);
int shm_fixture_tear_down(void **state);
/* The directory where sockets of arenas lie. */
const char *shm_fixture_directory(void);

/* Creates an arena of data_bytes with small tables; params may be NULL. Ends the process when it cannot. */
struct adit_arena *shm_fixture_create(const char *name, const struct adit_create_params *params, uint64_t data_bytes);
struct adit_arena *shm_fixture_attach(const char *name, enum adit_role role);

/* Runs work in a child; wait gives its exit code (0: it returned), or -signal. */
pid_t shm_fixture_fork(void (*work)(void *user), void *user);
int shm_fixture_wait(pid_t child);
int shm_fixture_in_child(void (*work)(void *user), void *user);

/* Ends this process with the breaches when adit_verify finds any; flags of adit.h. */
void shm_fixture_verify(const struct adit_arena *arena, uint32_t flags);
/* The same when nobody else is attached and nothing is under way. */
void shm_fixture_verify_quiet(const struct adit_arena *arena);

/* Makes a post in memory shared with children: zeroed bytes that outlive fork. */
void *shm_fixture_shared(size_t bytes);
/* Waits until *word is at least wanted; ends the process after 20 s. */
void shm_fixture_until(const uint32_t *word, uint32_t wanted);
void shm_fixture_nap(uint32_t ms);

/* A generator by Marsaglia (xorshift64*), seeded by any number. */
uint64_t shm_fixture_random(uint64_t *seed);

#endif
