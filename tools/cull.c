#include "tools/cull.h"

#include <errno.h>
#include <signal.h>

#include "runtime/adit.h"
#include "tools/moment.h"

#define PAUSE_NS 8000000u /* between two kills, at most */
#define TRIES 64

/* Marsaglia's xorshift64*. */
static uint64_t roll(struct adit_cull *c)
{
    c->seed = c->seed ? c->seed : 1;
    c->seed ^= c->seed >> 12;
    c->seed ^= c->seed << 25;
    c->seed ^= c->seed >> 27;
    return c->seed * 0x2545f4914f6cdd1dull;
}

static bool is_at_work(const struct adit_cull *c, uint32_t i)
{
    const struct adit_crew_member *m = &c->crew->member[i];
    return !m->ended && !m->done && !m->error && !c->struck[i];
}

/* Somebody else is attached, and will be: a producer may just be leaving. */
static bool one_stays(const struct adit_cull *c, uint32_t without)
{
    for (uint32_t i = c->producers; i < c->crew->count; i++)
        if (i != without && is_at_work(c, i) && c->crew->member[i].ready)
            return true;
    return false;
}

/* The member that is the keeper, or the count of members. */
static uint32_t keeper(const struct adit_cull *c)
{
    struct adit_participant_info info;
    for (uint32_t slot = 0;; slot++) {
        int status = adit_participant_get(c->arena, slot, &info);
        if (status == -ERANGE)
            return c->crew->count;
        for (uint32_t i = 0; !status && info.keeper && i < c->crew->count; i++)
            if (c->crew->member[i].pid == (pid_t)info.pid)
                return i;
    }
}

/* Whom to kill; the count of members: nobody. Producers are at work for a short time only, so one of them comes first. */
static uint32_t choose(struct adit_cull *c, uint32_t serves)
{
    for (uint32_t i = 0; i < c->producers && !c->of_role[0]; i++)
        if (is_at_work(c, i) && one_stays(c, i))
            return i;
    return roll(c) % 3 ? (uint32_t)(roll(c) % c->crew->count) : serves;
}

static void strike(struct adit_cull *c)
{
    for (int i = 0; i < TRIES; i++) { /* nobody may be at work just then */
        uint32_t serves = keeper(c), one = choose(c, serves);
        if (one >= c->crew->count || !is_at_work(c, one) || !one_stays(c, one))
            continue;
        kill(c->crew->member[one].pid, SIGKILL);
        c->struck[one] = true;
        c->left--;
        c->of_role[one < c->producers ? 0 : one < c->producers + c->consumers ? 1 : 2]++;
        c->keepers += one == serves;
        return;
    }
}

int adit_cull_step(struct adit_cull *c)
{
    int status = 0;
    for (uint32_t i = 0; i < c->crew->count && !status; i++) {
        if (!c->struck[i] || !c->crew->member[i].ended)
            continue;
        c->struck[i] = false;
        if (!c->crew->member[i].lost)
            continue; /* it was done just before */
        c->lost++;
        status = adit_crew_restart(c->crew, i);
        if (!status && i < c->producers)
            adit_crew_tell(c->crew, i, 1, "go");
    }
    uint64_t now = adit_moment_ns();
    if (!status && c->left && now >= c->next_ns) {
        strike(c);
        c->next_ns = now + roll(c) % PAUSE_NS;
    }
    return status;
}

bool adit_cull_is_over(const struct adit_cull *c)
{
    bool over = !c->left;
    for (uint32_t i = 0; i < c->crew->count; i++)
        over &= !c->struck[i];
    return over;
}
