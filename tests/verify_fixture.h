/* verify_fixture.h - what tests of the verifier share: an arena with something of everything in it, and breaches by name. */
#ifndef ADIT_VERIFY_FIXTURE_H
#define ADIT_VERIFY_FIXTURE_H

#include "tests/chunk_fixture.h"

/* An arena that this process made and nobody works on: eight chunks of all encodings at (0..1,0..1,0..1), each in its second
 * version and meshed, one of them removed; a reader, a pin, a watch, a loan, a lock committed once, an SPSC ring of 8 with 3 elements and an MPMC one, which
 * has gone round once, with 4, and a ring of samples of 16 frames, written to 20 and read to 17;
 * a FIFO queue of 8 whose slots hold a result, nothing any more, a task that waits, a delayed one, a cancelled one, and nothing yet,
 * and an empty PRIORITY queue of 2 a level; a buffer of 600 bytes, which the delayed one writes. */
struct verify_scene {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_watch *watch;
    struct adit_ring *spsc, *mpmc;
    struct adit_samples *samples;
    struct adit_lock *lock;
    struct adit_queue *fifo, *levels;
    struct adit_loan loan;
    uint64_t buffer;
    uint32_t pin;
};
#define VERIFY_CHUNKS 8u
#define VERIFY_REMOVED 5u /* the chunk that was taken out */
#define VERIFY_PLAIN 1u   /* a chunk in bricks */
#define VERIFY_DENSE 2u   /* a dense one */
#define VERIFY_PINNED 3u

struct adit_key verify_key(uint32_t chunk);
/* small: in 4 MiB, with simple chunks only and without the loan: for tests of very many rounds. */
void verify_scene_make(struct verify_scene *scene, bool small);
void verify_scene_end(struct verify_scene *scene);

#define VERIFY_SIMPLE (1ull << 40)
/* Publishes chunk as fixture_paint paints seed, or a few boxes for seeds from VERIFY_SIMPLE on. */
void verify_put(struct adit_arena *arena, uint32_t chunk, uint64_t seed);
/* Meshes what is dirty. */
void verify_mesh(struct adit_arena *arena);

/* adit_verify; breaches are kept for verify_said until the next call. flags of adit.h; looks 0: the default. */
int verify_run(const struct adit_arena *arena, uint32_t flags, uint32_t looks);
/* Whether one of them is of invariant at place, and tells of what. */
bool verify_said(const char *invariant, const char *place, const char *what);
/* All of them as lines, for messages. */
const char *verify_lines(void);

/* Damage: VERIFY_POKE(arena->control->epoch, 7) stores; heal puts everything back as it was. */
#define VERIFY_POKE(lvalue, value) verify_poke(&(lvalue), (uint64_t)(value), sizeof(lvalue))
void verify_poke(void *at, uint64_t value, uint32_t bytes);
void verify_heal(void);
/* The damage done is reported as such; then it is healed, and nothing is reported. */
void verify_wanted(const struct adit_arena *arena, uint32_t flags, const char *invariant, const char *place, const char *what);
/* A place, in printf's manner; stays for three more. */
const char *verify_at(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define VERIFY_NOBODY adit_owner_make(6, 9) /* slot 6 was never taken */

#endif
