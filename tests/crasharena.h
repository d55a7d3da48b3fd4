/* crasharena.h - crash points of operations on an arena: what is there before, how it is recovered, what must hold afterwards.
 *
 *     static const struct crash_case cases[] = {{.op = {.name = "put", .set_up = crash_attach, .run = put, .functions = met},
 *                                                .judge = a_is_old_or_new}};
 *     int main(void) { return crash_arena_run("crash_publish", cases, 1); }
 *
 * Three processes. The host makes two arenas of one shape, `live` and `copy`, each with the scene below, and serves their names. The
 * tracer is its fork, so that it has the host's handles and none of its threads; it forks the child, which attaches to `live`, and
 * a judge for each verdict, so that a verdict that crashes or hangs is one, too, and none is left by the one before.
 *
 *     host: participant 0        tracer (the host's handles)  --- stops, steps, kills --->  child: participant 1
 *       threads: keepers           |  looks at live, forks the judge
 *                                judge: image of live -> copy; recovery; verifier; legal outcomes; round; nothing leaked
 *
 * After a snapshot the judge recovers the copy, told who is dead. After a kill the host's keeper finds out by itself and recovers
 * the arena (keeper.h), and the judge comes when it has. Where recovery itself is the operation the keeper keeps out of it.
 *
 * The scene: with ambient occlusion, chunks A, its neighbour B and D at its corner, of one material each, all meshed, a watch of the host that has been drained.
 * What a loaned block holds is not compared and not copied: nobody may look at it.
 */
#ifndef ADIT_CRASHARENA_H
#define ADIT_CRASHARENA_H

#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/crashpoint.h"

struct crash_case {
    struct crash_operation op;
    const char *(*judge)(struct adit_arena *arena); /* after recovery: NULL, or which outcome is none of the legal ones */
    void (*prepare)(struct adit_arena *arena);      /* by the host on both arenas, after the scene; NULL: nothing more */
    void (*victim)(void *user);  /* a process that ran this and was killed before the child begins; NULL: none */
    void (*victim_set_up)(void *user); /* NULL: crash_attach */
    const char *victim_at;       /* on entering this function */
    uint32_t victim_nth;         /* for that many times */
    bool kills_only;
    bool is_long; /* millions of points under AddressSanitizer, which passes it over unless ADIT_CRASH_EVERY is set */
    bool counts;  /* what is counted (shm/metrics.h) is looked at, too */
    bool is_takeover; /* with op.before crash_take_over: the host's keeper comes back when the child has been killed */
};

enum { CRASH_MATERIAL_OLD = 11, CRASH_MATERIAL_NEW }; /* what A and B are made of in the scene; what they become */

extern const struct adit_key crash_key_a, crash_key_b, crash_key_c, crash_key_d; /* C has no version in the scene */
/* In the child: its arena, and all voxels of one material. */
extern struct adit_arena *crash_mine;
void crash_attach(void *user);          /* producer */
void crash_attach_consumer(void *user);
void crash_attach_and_use(void *user);  /* producer, with something to give back: a retired version of A, a reader, a pin of B, a watch */
/* An op.before: the host's keeper ends, and leaves name and lock to the child. */
void crash_take_over(void *user);
const uint16_t *crash_voxels(uint16_t material);

/* For judges. The version's number, 0: none; material: what all of it is made of, 0: removed or none, UINT16_MAX: several, or torn. */
uint64_t crash_version(struct adit_arena *arena, const struct adit_key *key, uint16_t *material);
bool crash_is_dirty(struct adit_arena *arena, const struct adit_key *key);
bool crash_is_reported(const struct adit_key *key); /* by the host's watch, which is drained */
/* The outcomes of publishing: version 1 of material old (0: no version), or the next one of material new, and then the chunk and a
 * neighbour, of A also D, are dirty and the watch reports it. */
const char *crash_is_old_or_new(struct adit_arena *arena, const struct adit_key *key, uint16_t old, uint16_t new);
/* Meshes what is dirty, here and now; 0 or negative errno. */
int crash_mesh_all(struct adit_arena *arena);

/* All cases, snapshots and kills; prints their counts. The program's exit status. */
int crash_arena_run(const char *program, const struct crash_case *cases, uint32_t n);

#endif
