/* Robust words and users' locks (I5, I7).
 *
 * What a robust word and its owner may say together, between any two instructions (robust.c):
 *
 *     word               owner word
 *     0                  nobody
 *     held by a thread   its participant; nobody, or a holder before it that died, for the moment after it took or before it gives
 *     OWNER_DIED         the participant that died, or nobody: legal as long as nobody takes it
 *
 * The kernel changes the word of an ending thread before that thread can no longer be found, so a word that names none is never
 * legal. That is asked only where every participant is of this PID namespace: thread ids mean nothing elsewhere, nor in an
 * image. Quiet: nobody holds anything but the keeper its lock, and the keeper is there. */
#include "shm/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shm/robust.h"

enum { LOCK_FREE, LOCK_VALID = 2 };

static bool is_at_home(const struct adit_arena *a)
{
    uint64_t here = adit_process_pid_namespace();
    for (uint32_t i = 0; i < a->participants_max && !a->is_image; i++) {
        enum adit_participant_state state = adit_part_state(adit_load_acquire(&a->participants[i].word)); /* PART:alive */
        if ((state == ADIT_PART_ALIVE || state == ADIT_PART_LEAVING) && a->participants[i].pid_ns != here)
            return false;
    }
    return here && !a->is_image;
}

/* place: as findings tell it. may_hold: in a quiet arena, too. */
static void look_at_robust(struct adit_verifier *v, const struct adit_robust *r, const char *place, bool may_hold, bool at_home)
{
    uint32_t word = adit_load32_acquire(&r->word), owner = adit_load32_acquire(&r->owner), thread = word & ADIT_ROBUST_TID;
    const char *fault = NULL;
    uint64_t start_time;
    char text[128];
    if (!thread)
        return;
    if (owner >> 28 || (owner && adit_owner_slot(owner) >= v->arena->participants_max))
        fault = "its holder names no slot";
    else if (at_home && adit_process_start_time(thread, &start_time) == -ESRCH)
        fault = "no such thread is there";
    else if (v->quiet && !may_hold)
        fault = "nobody is at it";
    else if (v->quiet)
        fault = owner ? adit_verify_owner(v, owner) : "by nobody";
    if (!fault)
        return;
    snprintf(text, sizeof text, "%s", fault);
    if ((adit_load32_acquire(&r->word) & ADIT_ROBUST_TID) == thread && adit_load32_acquire(&r->owner) == owner)
        adit_finding_add(v->findings, "I5", "%s|held by thread %u, owner %#x: %s", place, thread, owner, text);
}

static void look_at_lock(struct adit_verifier *v, uint32_t i, bool at_home)
{
    const struct adit_lock_slot *s = &v->arena->locks[i];
    uint32_t state = adit_load32_acquire(&s->state); /* LOCK:valid */
    char place[32];
    if (state == LOCK_FREE)
        return;
    if (state != LOCK_VALID) {
        adit_finding_add(v->findings, "I5", "lock %u|in state %u, which is none", i, state);
        return;
    }
    v->walked.locks++;
    snprintf(place, sizeof place, "lock %u", i);
    look_at_robust(v, &s->robust, place, false, at_home);
    if (!*s->name || !memchr(s->name, 0, sizeof s->name))
        adit_finding_add(v->findings, "I5", "lock %u|its name has no %s", i, *s->name ? "end" : "characters");
    if (!s->bytes || s->bytes > ADIT_LOCK_BYTES_MAX)
        adit_finding_add(v->findings, "I7", "lock %u|guards %u bytes; it may be 1 to %u", i, s->bytes, ADIT_LOCK_BYTES_MAX);
    uint64_t commit = adit_load_acquire(&s->commit), draft = adit_load_acquire(&s->draft); /* LOCK:commit; draft is of between */
    if (draft - commit > 1 && adit_load_acquire(&s->commit) == commit)
        adit_finding_add(v->findings, "I7", "lock %u|its draft is version %llu, and %llu is committed", i, (unsigned long long)draft,
                         (unsigned long long)commit);
}

void adit_verify_locks(struct adit_verifier *v)
{
    bool at_home = is_at_home(v->arena);
    look_at_robust(v, &v->arena->waits->keeper, "keeper", true, at_home);
    look_at_robust(v, &v->arena->waits->naming, "naming", false, at_home);
    for (uint32_t i = 0; i < v->arena->locks_max; i++)
        look_at_lock(v, i, at_home);
}
