#include "shm/participant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int adit_participant_join(struct adit_arena *arena, const char *label)
{
    uint32_t pid = (uint32_t)getpid();
    uint64_t start_time;
    int error = adit_process_start_time(pid, &start_time); /* whom nobody can tell from his successor would be taken for dead */
    if (error)
        return adit_fault(error, "arena %s: cannot read this process's start time in /proc: %s", arena->name, strerror(-error));
    for (uint32_t i = arena->guests_max; i < arena->participants_max; i++) {
        struct adit_participant *p = &arena->participants[i];
        uint64_t word = adit_load_relaxed(&p->word); /* relaxed: the CAS decides */
        if (adit_part_state(word) != ADIT_PART_FREE)
            continue;
        uint32_t generation = adit_part_generation(word) + 1;
        if (!adit_cas_acq_rel(&p->word, &word, adit_part_make(ADIT_PART_JOINING, arena->role, generation, (uint32_t)start_time, pid)))
            continue;
        p->start_time = start_time;
        p->pid_ns = adit_process_pid_namespace();
        p->joined_ns = adit_clock_real_ns();
        p->published = p->edits = p->meshed = p->retired = p->reclaimed = p->grace_periods = p->limbo_bytes = 0;
        p->uid = geteuid();
        snprintf(p->label, sizeof p->label, "%s", label && *label ? label : program_invocation_short_name);
        arena->self = p;
        arena->owner = adit_owner_make(i, generation);
        /* PART:alive. Release: who sees ALIVE sees the identity above */
        adit_store_release(&p->word, adit_part_make(ADIT_PART_ALIVE, arena->role, generation, (uint32_t)start_time, pid));
        return 0;
    }
    return adit_fault(-EUSERS, "arena %s: all %u participant slots are taken; create it with a larger participants_max",
                      arena->name, arena->participants_max - arena->guests_max);
}

void adit_participant_leave(struct adit_arena *arena)
{
    if (!arena->self)
        return;
    uint64_t word = adit_load_relaxed(&arena->self->word);
    adit_store_release(&arena->self->word, adit_part_with(word, ADIT_PART_LEAVING));
    /* leave: release, all we did is before the slot's reuse (pairs with the CAS of join) */
    adit_store_release(&arena->self->word, adit_part_make(ADIT_PART_FREE, 0, adit_part_generation(word), 0, 0));
    arena->self = NULL;
    arena->owner = 0;
}

bool adit_participant_is(const struct adit_participant *p, uint64_t word, uint64_t start_time)
{
    enum adit_participant_state state = adit_part_state(word);
    return (uint8_t)start_time == adit_part_birth(word) &&
           (state == ADIT_PART_JOINING || start_time == adit_load_relaxed(&p->start_time));
}

int adit_participant_look(const struct adit_participant *p)
{
    uint64_t word = adit_load_acquire(&p->word), start_time; /* PART:alive */
    enum adit_participant_state state = adit_part_state(word);
    if (state == ADIT_PART_FREE || state == ADIT_PART_DEAD)
        return state == ADIT_PART_FREE ? 0 : -ESRCH;
    uint64_t pid_ns = state == ADIT_PART_JOINING ? 0 : p->pid_ns;
    if (pid_ns && pid_ns != adit_process_pid_namespace())
        return 0;
    int error = adit_process_start_time(adit_part_pid(word), &start_time);
    return error ? error : adit_participant_is(p, word, start_time) ? 0 : -ESRCH;
}

bool adit_participant_is_gone(const struct adit_participant *p) { return adit_participant_look(p) == -ESRCH; }

bool adit_participant_has(const struct adit_arena *arena, uint32_t owner)
{
    uint32_t slot = owner ? adit_owner_slot(owner) : UINT32_MAX;
    uint64_t word = slot < arena->participants_max ? adit_load_acquire(&arena->participants[slot].word) : 0;
    return adit_part_state(word) != ADIT_PART_FREE && adit_owner_make(slot, adit_part_generation(word)) == owner;
}

uint32_t adit_participant_pid(const struct adit_arena *arena, uint32_t owner)
{
    uint32_t slot = owner ? adit_owner_slot(owner) : UINT32_MAX;
    uint64_t word = slot < arena->participants_max ? adit_load_acquire(&arena->participants[slot].word) : 0;
    bool is_same = adit_part_state(word) != ADIT_PART_FREE && adit_owner_make(slot, adit_part_generation(word)) == owner;
    return is_same ? adit_part_pid(word) : 0;
}

bool adit_participant_mark_dead(struct adit_participant *p, uint64_t word)
{
    /* PART:dead. Acquire: what the dead one stored, as far as it got. */
    return adit_part_state(word) == ADIT_PART_DEAD || adit_cas_acq_rel(&p->word, &word, adit_part_with(word, ADIT_PART_DEAD));
}

void adit_participant_bury(struct adit_participant *p)
{
    uint64_t word = adit_load_relaxed(&p->word);
    /* PART:bury. Release: all recovery did is before the slot's reuse (pairs with the CAS of join). */
    adit_store_release(&p->word, adit_part_make(ADIT_PART_FREE, 0, adit_part_generation(word), 0, 0));
}
