/* storm_roles.h - the processes of torture_kills: what each does until it is killed, what it checks, and what it notes in a page of the test
 * that outlives it.
 *
 *   stage     producers, clerks     workers   consumers                                      anchors
 *   STORM     at work               at work   at work                                        create, attach, wait
 *   HALT      rest                  at work   at work                                        wait
 *   COMPARE   rest; clerks first    at work   take what their watch still has, compare what  wait
 *             empty the MPMC ring             they were told of with what is current; rest
 *   FINISH    make the last state   at work   rest                                           wait
 *   LEAVE     detach and end        the same  the same                                       wait
 *   EMPTY                                                                                    detach and end
 *
 * Legal, for whoever looks at any moment (anything else ends the test, told by storm_fail):
 *   - a version is whole: voxels, hash and number are those of the script; removed where the script says so;
 *   - numbers never go back within a consumer's life, nor below `floor`, what had been returned to a producer: no version is lost;
 *   - a mesh is whole, its serial and the versions it names never go back;
 *   - a section that held back too much is ousted, and told so when it ends; what was read in it does not count;
 *   - what is pinned is unchanged when it is let go; whatever changed has been told to a watch;
 *   - a lock's object is as some holder committed it, and holds what had been committed; elements of rings as ring.h says. */
#ifndef ADIT_STORM_ROLES_H
#define ADIT_STORM_ROLES_H

#include <sys/types.h>

#include "tests/storm_script.h"

#define STORM_ARENA "storm"
#define STORM_CONSUMERS 2u
#define STORM_CLERKS 2u
#define STORM_PASSING 12u /* chunks of world 1: they come, go and are forgotten */
#define STORM_BAG_IDS (1u << 22) /* of a clerk from one rest to the next; one that has used them up pushes no more */

enum storm_stage { STORM_STORM, STORM_HALT, STORM_COMPARE, STORM_FINISH, STORM_LEAVE, STORM_EMPTY };

/* Who is who; then things that must move whoever moves them. */
enum storm_who { STORM_ANCHOR, STORM_ANCHOR_2, STORM_PRODUCER, STORM_PRODUCER_2, STORM_WORKER, STORM_WORKER_2, STORM_CONSUMER,
                 STORM_CONSUMER_2, STORM_CLERK, STORM_CLERK_2, STORM_ROLES,
                 STORM_MESHES = STORM_ROLES, STORM_BELT, STORM_BAG, STORM_TALLY, STORM_POSTS };

struct storm_post {
    uint64_t progress;
    const char *doing; /* the call it is in: a literal of this program, the same in all its children */
    uint32_t life;     /* how often it was started */
    uint32_t attached; /* the life that is attached */
    uint32_t rests;    /* the turn in which it rests */
    uintptr_t readers; /* where its arena has the table of readers */
    uint32_t fragile;  /* is popping from the bag: what it pops may go with it */
};

struct storm_page {
    uint64_t seed;
    uint32_t turn; /* counts stages, the stage in the low three bits; w: the orchestrator */
    uint32_t failed, created;
    uint64_t heap_bytes; /* in use when the arena was new */
    struct storm_post post[STORM_POSTS];
    uint64_t floor[STORM_CHUNKS]; /* versions whose publishing had returned */
    uint64_t passing[STORM_PASSING]; /* the same of chunks of another world, which come and go and are forgotten */
    uint64_t tally[STORM_CLERKS]; /* changes of the lock's object whose unlock had returned */
    uint64_t belt_begun, belt_done; /* elements of the SPSC ring: noted before a push, and after */
    uint64_t belt_last; /* popped last: number and the pusher's life (20 bits) */
    uint32_t bag_begun[STORM_CLERKS]; /* MPMC: ids noted before a push */
    uint64_t bag_sent[STORM_CLERKS][STORM_BAG_IDS / 64], bag_got[STORM_CLERKS][STORM_BAG_IDS / 64];
    uint64_t published, looks, told, pins, shortages, ousted, forgotten; /* for the last line */
};

extern struct storm_page *storm;

/* Lives the next life of a role in this process, a child without threads; does not return. */
_Noreturn void storm_live(enum storm_who who);
const char *storm_name(enum storm_who who);

/* Says on stderr what is wrong, once for a process, and ends the test. */
__attribute__((format(printf, 2, 3))) void storm_fail(enum storm_who who, const char *format, ...);

/* Notes an element popped from the bag: pusher in the upper half, id in the lower. False: it was there before, or never pushed. */
bool storm_bag_note(uint64_t element);
/* The bag's and the belt's shape. */
struct adit_ring *storm_ring(struct adit_arena *arena, enum storm_who which);

static inline enum storm_stage storm_stage_of(uint32_t turn) { return (enum storm_stage)(turn & 7); }

#endif
