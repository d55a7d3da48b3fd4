/* hostile_arena.h - an arena that may be damaged at will: private memory, guarded on both sides, put back in a moment.
 *
 * A sound arena with chunks of every encoding, meshes, rings, a lock, pins, a watch, queues of each order with tasks and a dead participant is made, copied, and
 * left; the copy is joined as a producer. Around each segment lie five GiB that nobody may touch: a place in a head has 32 bits, so
 * whatever it says, one that leads outside ends the program here (and one that stays inside its segment harms nobody).
 *
 *     hostile_open(&h);
 *     for (...) {
 *         hostile_damage(&h, &seed, n);
 *         hostile_call(&h, &seed);          (hostile_calls.h)
 *         hostile_mend(&h);
 *     }
 *     hostile_restore(&h);                  what the calls themselves have changed
 *     hostile_close(&h);
 */
#ifndef ADIT_HOSTILE_ARENA_H
#define ADIT_HOSTILE_ARENA_H

#include "tests/shm_fixture.h"

#define HOSTILE_CHUNKS 8u
#define HOSTILE_DAMAGE_MAX 4096u
#define HOSTILE_QUEUES 3u
#define HOSTILE_TASK_SLOTS 32u /* 20 of the queue by priority, 8 FIFO, 4 LIFO */

struct hostile {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_watch *watch;
    struct adit_viewer *viewer;
    struct adit_ring *spsc, *mpmc;
    struct adit_samples *samples;
    struct adit_lock *lock;
    struct adit_queue *queues[HOSTILE_QUEUES];
    uint32_t kind;
    uint64_t tasks[8];   /* handles, of these queues by turns; 0: none */
    uint64_t buffers[2]; /* of 100 and 3,000 bytes */
    uint8_t *base[2], *kept[2]; /* segments, and what they hold when sound */
    uint64_t bytes[2];
    struct {
        uint64_t *word, was;
    } damaged[HOSTILE_DAMAGE_MAX];
    uint32_t damaged_n;
};

/* Queue i of the arena; opened or made. Its kind, whose runs do no harm. */
int hostile_queue_open(struct adit_arena *arena, uint32_t i, struct adit_queue **out);
int hostile_kind_register(struct adit_arena *arena, const char *name, uint32_t *kind);

/* Ends the process when it cannot. An arena of the fixture is made meanwhile, so its set-up comes first. */
void hostile_open(struct hostile *h);
void hostile_close(struct hostile *h);
/* Its part before detach, without restoring. */
void hostile_close_handles(struct hostile *h);

/* Chunk i's key: 0 uniform, 1 bricks, 2 dense, 3 removed, 4 to 7 bricks, side by side. */
struct adit_key hostile_key(uint32_t i);

/* One word of the control segment becomes value, until hostile_mend. What the kernel reads is left out: thread ids in the naming
 * lock and in that of uses (a call would wait its 5 s for that thread, as documented). */
void hostile_poke(struct hostile *h, uint64_t *word, uint64_t value);
/* n words, at places that lead somewhere or anywhere. */
void hostile_damage(struct hostile *h, uint64_t *seed, uint32_t n);
/* A place and a value as damage chooses them. */
uint64_t *hostile_place(const struct hostile *h, uint64_t *seed);
uint64_t hostile_value(const struct hostile *h, uint64_t *seed, uint64_t was);
/* Words back to what they were. */
void hostile_mend(struct hostile *h);
/* Both segments back to what they were at open. */
void hostile_restore(struct hostile *h);

#endif
