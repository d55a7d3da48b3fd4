/* storm_life.h - what the roles of torture_kills share among themselves: one life of one of them. */
#ifndef ADIT_STORM_LIFE_H
#define ADIT_STORM_LIFE_H

#include <stdlib.h>
#include <unistd.h>

#include "tests/storm_roles.h"

struct storm_life {
    enum storm_who who;
    uint32_t life, turn;
    enum storm_stage stage;
    uint64_t random;
    uint32_t bag_id;
    bool has_popped;
};

static inline void storm_do(const struct storm_life *l, const char *doing)
{
    __atomic_store_n(&storm->post[l->who].doing, doing, __ATOMIC_RELEASE);
}
static inline void storm_count(enum storm_who who) { __atomic_fetch_add(&storm->post[who].progress, 1, __ATOMIC_RELAXED); }
static inline uint64_t storm_random(struct storm_life *l) { return storm_mix(l->random++, l->who, l->life); }

/* Fails, and ends this process. */
#define storm_die(l, ...) (storm_fail((l)->who, __VA_ARGS__), _exit(1))

/* Attaches, or ends the test. */
struct adit_arena *storm_join(struct storm_life *l, enum adit_role role);
void storm_joined(struct storm_life *l, const struct adit_arena *arena);
/* Looks at the stage; false: time to leave. Ends this process when the test has failed. */
bool storm_works(struct storm_life *l);
/* Says that it rests in this turn, and sleeps a moment. */
void storm_rest(struct storm_life *l);

void storm_consumer_live(struct storm_life *l);

#endif
