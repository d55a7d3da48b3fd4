#include "runtime/recover.h"

#include <errno.h>

#include "runtime/buffer.h"
#include "runtime/dirty.h"
#include "runtime/frame_log.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "runtime/kind_able.h"
#include "runtime/material.h"
#include "runtime/publish.h"
#include "runtime/store.h"
#include "runtime/task_wants.h"
#include "runtime/watch.h"

#define ALL_SIDES 0x3fu

/* What the thread of a reader slot was at when it died (publish.h). Whether it got to its commit does not matter: an entry told of
 * once too often is looked at and found as it was. */
static void finish_intent(struct adit_arena *arena, const struct adit_reader_slot *slot)
{
    uint64_t intent = adit_load_acquire(&slot->intent), replaced = adit_load_acquire(&slot->replacing); /* INTENT */
    uint32_t index = adit_intent_index(intent);
    if (adit_intent_kind(intent) == ADIT_INTENT_BUFFER) {
        if (index < arena->buffers_max && replaced && adit_load_acquire(&arena->buffers[index].current) != replaced)
            (void)adit_block_orphan(arena, adit_commit_ref(replaced));
        return;
    }
    if (!intent || index >= arena->chunks_max)
        return;
    struct adit_entry *entry = &arena->entries[index];
    bool is_mesh = adit_intent_kind(intent) == ADIT_INTENT_MESH;
    if (is_mesh)
        adit_watch_tell(arena, adit_store_key(arena, index), index, ADIT_WATCH_MESHES);
    else if (adit_load_acquire(&entry->current))
        adit_publish_tell(arena, index, ALL_SIDES);
    if (replaced && adit_load_acquire(is_mesh ? &entry->mesh : &entry->current) != replaced)
        (void)adit_block_orphan(arena, adit_commit_ref(replaced));
}

/* What commit words and rings name now. */
static int collect_named(struct adit_arena *arena, struct adit_refset *named)
{
    int error = 0;
    *named = (struct adit_refset){0};
    for (uint32_t i = 0; i < arena->chunks_max && !error; i++) {
        uint64_t current = adit_load_acquire(&arena->entries[i].current), mesh = adit_load_acquire(&arena->entries[i].mesh);
        if (current)
            error = adit_refset_add(named, adit_commit_ref(current));
        if (mesh && !error)
            error = adit_refset_add(named, adit_commit_ref(mesh));
    }
    for (uint32_t i = 0; i < arena->rings_max && !error; i++) {
        uint64_t ref = adit_load_acquire(&arena->rings[i].ref);
        if (ref)
            error = adit_refset_add(named, ref);
    }
    for (uint32_t i = 0; i < arena->buffers_max && !error; i++) {
        uint64_t current = adit_load_acquire(&arena->buffers[i].current);
        if (current)
            error = adit_refset_add(named, adit_commit_ref(current));
    }
    adit_refset_sort(named);
    return error;
}

static void count_recovery(struct adit_arena *arena, uint32_t owner, uint64_t begin, int error)
{
    uint64_t now = adit_clock_ns();
    adit_count(arena, error ? ADIT_COUNT_RECOVERIES_FAILED : ADIT_COUNT_DEATHS, 1);
    if (error)
        return;
    adit_record(arena, ADIT_HISTOGRAM_RECOVERY_NS, now - begin, 1);
    ADIT_PROBE(recovery, owner, now - begin);
    adit_event(arena, ADIT_EVENT_RECOVERED, now, owner, now - begin);
}

/* The participant of that word is dead. */
static int recover(struct adit_arena *arena, uint32_t slot, uint64_t word)
{
    struct adit_participant *p = &arena->participants[slot];
    struct adit_refset named;
    uint32_t owner = adit_owner_make(slot, adit_part_generation(word));
    for (uint32_t i = 0; i < arena->readers_max; i++)
        if (adit_load32_acquire(&arena->readers[i].owner) == owner)
            finish_intent(arena, &arena->readers[i]);
    adit_salvage_readers(arena, owner);
    bool is_all = adit_tasks_recover(arena, owner); /* RECOVER:tasks, before what the dead was meshing is dirty again: who finds that sees whose task it was (foreman.h) */
    adit_task_wants_forget(arena, slot);
    adit_dirty_recover(arena, owner);
    adit_watch_recover(arena, owner);
    adit_viewers_recover(arena, owner);
    adit_material_recover(arena, owner);
    adit_kinds_able_clear(arena, slot);
    adit_buffers_recover(arena, owner);
    int error = adit_ring_recover(arena, owner);
    if (error || !is_all)
        return error ? error : -EAGAIN; /* again later, before what the dead had is taken for nobody's */
    error = collect_named(arena, &named);
    if (!error) {
        adit_salvage_blocks(arena, owner, &named);
        adit_salvage_pins(arena, slot);
        adit_metrics_salvage(arena, owner);
        adit_frame_log_recover(arena, owner);
        adit_participant_bury(p);
    }
    adit_refset_fini(&named);
    return error;
}

int adit_recover_participant(struct adit_arena *arena, uint32_t slot)
{
    struct adit_participant *p = &arena->participants[slot];
    uint64_t word = adit_load_acquire(&p->word), begin = adit_clock_ns();
    if (adit_part_state(word) == ADIT_PART_FREE || !adit_participant_mark_dead(p, word))
        return 0;
    uint32_t owner = adit_owner_make(slot, adit_part_generation(word));
    if (adit_part_state(word) != ADIT_PART_DEAD) {
        ADIT_PROBE(death, owner, adit_part_pid(word));
        adit_event(arena, ADIT_EVENT_DEATH, begin, owner, adit_part_pid(word));
    }
    int error = recover(arena, slot, word);
    count_recovery(arena, owner, begin, error);
    return error;
}

int adit_recover_all(struct adit_arena *arena, uint32_t *recovered)
{
    int error = 0;
    *recovered = 0;
    for (uint32_t i = arena->guests_max; i < arena->participants_max && !error; i++) { /* guests are the proxy's (proxy.h) */
        struct adit_participant *p = &arena->participants[i];
        uint64_t word = adit_load_acquire(&p->word);
        if (p == arena->self || !adit_participant_is_gone(p) || adit_load_acquire(&p->word) != word)
            continue; /* changed meanwhile: it left by itself, and a newcomer may have the slot */
        error = adit_recover_participant(arena, i);
        *recovered += !error;
    }
    return error;
}
