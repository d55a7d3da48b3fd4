/* stats.c - looking in (adit.h): what is in an arena, counted from outside while others go on. Any role, stores nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/dirty.h"
#include "runtime/params.h"
#include "runtime/store.h"
#include "runtime/task_queue.h"

static void count_block(uint64_t ref, uint64_t word, void *user)
{
    struct adit_segment_stats *s = user;
    uint64_t bytes = (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT;
    (void)ref;
    switch (adit_word_state(word)) {
    case ADIT_BLOCK_FREE:
        s->free_bytes += bytes;
        s->largest_free_bytes = bytes > s->largest_free_bytes ? bytes : s->largest_free_bytes;
        return;
    case ADIT_BLOCK_CLAIMED:
    case ADIT_BLOCK_LOANED: s->loaned_bytes += bytes; break;
    case ADIT_BLOCK_PUBLISHED: s->published_bytes += bytes; break;
    case ADIT_BLOCK_RETIRED: s->retired_bytes += bytes; break;
    default: return;
    }
    s->blocks++;
}

static void count_segments(const struct adit_arena *arena, struct adit_stats *stats)
{
    stats->segments_n = arena->segments_n;
    for (uint32_t i = 0; i < arena->segments_n; i++) {
        struct adit_segment_stats *s = &stats->segments[i];
        s->bytes = (uint64_t)arena->segments[i].granules << ADIT_GRANULE_SHIFT;
        s->page_bytes = arena->maps[i].page_bytes;
        s->node = arena->segments[i].node;
        adit_block_each(arena, i, count_block, s);
    }
}

/* An observer has no section: what is read here may be reused at any moment. Fields of the head are all that is looked at. */
static void count_version(const struct adit_arena *arena, uint64_t commit, struct adit_stats *stats)
{
    const struct adit_version *v = adit_store_version(arena, commit);
    bool is_unseen = arena->guest && commit && !adit_ref_segment(adit_commit_ref(commit)); /* in the heap: a removal */
    uint32_t encoding = v ? v->encoding : 0;
    stats->chunks += is_unseen;
    stats->encodings[ADIT_ENC_REMOVED] += is_unseen;
    if (encoding < ADIT_ENC_UNIFORM || encoding > ADIT_ENC_REMOVED)
        return;
    stats->chunks++;
    stats->encodings[encoding]++;
    stats->voxels += v->solid;
    stats->version_bytes += adit_block_bytes(arena, adit_commit_ref(commit));
    stats->version_payload_bytes += v->payload_bytes;
}

static void count_mesh(const struct adit_arena *arena, uint64_t commit, struct adit_stats *stats)
{
    const struct adit_mesh *m = adit_store_mesh(arena, commit);
    if (!m)
        return;
    stats->meshes++;
    stats->mesh_bytes += adit_block_bytes(arena, adit_commit_ref(commit));
    stats->quads += m->start[ADIT_MESH_RANGES];
    stats->faces += m->faces;
}

static void count_task(uint64_t word, struct adit_stats *stats)
{
    switch (adit_task_state(word)) {
    case ADIT_TASK_HELD:
    case ADIT_TASK_DELAYED: stats->tasks_delayed++; return;
    case ADIT_TASK_QUEUED: stats->tasks_queued++; return;
    case ADIT_TASK_RUNNING: stats->tasks_running++; return;
    default: stats->tasks_ended += adit_task_has_ended(word);
    }
}

static void count_tasks(struct adit_arena *arena, struct adit_stats *stats)
{
    struct adit_queue q;
    uint64_t slots = arena->tasks_max; /* queues do not share any */
    for (uint32_t id = 0; id < arena->queues_max; id++) {
        if (!adit_queue_adopt(arena, id, &q) || (uint64_t)q.levels_n << q.shift > slots)
            continue;
        slots -= (uint64_t)q.levels_n << q.shift;
        stats->queues++;
        for (uint64_t i = 0; i < (uint64_t)q.levels_n << q.shift; i++)
            count_task(adit_load_relaxed(&q.tasks[i].word), stats); /* relaxed: for people */
    }
}

int adit_stats(struct adit_arena *arena, struct adit_stats *stats)
{
    int error = adit_params_check("adit_stats", stats->size, sizeof *stats);
    if (error)
        return error;
    *stats = (struct adit_stats){.size = sizeof *stats, .created_ns = arena->control->created_ns,
                                 .epoch = adit_load_relaxed(&arena->control->epoch) / ADIT_EPOCH_STEP,
                                 .participants_max = arena->participants_max, .readers_max = arena->readers_max,
                                 .watches_max = arena->watches_max, .keys_max = arena->chunks_max,
                                 .control_bytes = arena->maps[0].bytes};
    snprintf(stats->name, sizeof stats->name, "%s", arena->name);
    uint32_t keeper = arena->waits ? adit_load32_relaxed(&arena->waits->keeper.owner) : 0;
    stats->deserted = true;
    for (uint32_t i = 0; i < arena->participants_max; i++) {
        uint64_t word = adit_load_acquire(&arena->participants[i].word);
        if (adit_part_state(word) == ADIT_PART_FREE)
            continue;
        stats->participants++;
        if (keeper == adit_owner_make(i, adit_part_generation(word)))
            stats->keeper_pid = adit_part_pid(word);
        if (adit_part_role(word) == ADIT_ROLE_PRODUCER && !adit_participant_is_gone(&arena->participants[i]))
            stats->deserted = false;
    }
    for (uint32_t i = 0; i < arena->readers_max; i++)
        stats->readers += adit_load32_relaxed(&arena->readers[i].owner) != 0;
    for (uint32_t i = 0; i < arena->watches_max; i++)
        stats->watches += adit_load32_relaxed(&arena->watches[i].owner) != 0;
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX && arena->viewers; i++)
        stats->viewers += adit_load32_relaxed(&arena->viewers[i].owner) != 0;
    if (arena->dirty) { /* a guest does not see it */
        struct adit_bitset dirty = adit_dirty_set(arena), working = adit_working_set(arena);
        stats->dirty = adit_bitset_count(&dirty);
        stats->in_work = adit_bitset_count(&working);
    }
    for (uint32_t i = 0; i < arena->chunks_max; i++) {
        if (!adit_store_key(arena, i))
            continue;
        stats->keys++;
        count_version(arena, adit_load_acquire(&arena->entries[i].current), stats);
        count_mesh(arena, adit_load_acquire(&arena->entries[i].mesh), stats);
    }
    count_segments(arena, stats);
    count_tasks(arena, stats);
    return 0;
}

int adit_participant_get(struct adit_arena *arena, uint32_t slot, struct adit_participant_info *out)
{
    static const char *const states[] = {"free", "joining", "alive", "leaving", "dead"};
    if (slot >= arena->participants_max)
        return -ERANGE;
    const struct adit_participant *p = &arena->participants[slot];
    uint64_t word = adit_load_acquire(&p->word); /* PART:alive */
    if (adit_part_state(word) == ADIT_PART_FREE)
        return -ENOENT;
    *out = (struct adit_participant_info){.slot = slot, .generation = adit_part_generation(word),
        .pid = adit_part_pid(word), .uid = p->uid, .role = (enum adit_role)adit_part_role(word),
        .state = adit_part_state(word) <= ADIT_PART_DEAD ? states[adit_part_state(word)] : "damaged", .gone = adit_participant_is_gone(p), .joined_ns = p->joined_ns,
        .published = adit_load_relaxed(&p->published), .edits = adit_load_relaxed(&p->edits),
        .meshed = adit_load_relaxed(&p->meshed), .retired = adit_load_relaxed(&p->retired),
        .reclaimed = adit_load_relaxed(&p->reclaimed), .grace_periods = adit_load_relaxed(&p->grace_periods),
        .limbo_bytes = adit_load_relaxed(&p->limbo_bytes), .pins = adit_pins_count(arena, slot)};
    memcpy(out->label, p->label, sizeof out->label);
    out->label[sizeof out->label - 1] = 0;
    uint32_t owner = adit_owner_make(slot, out->generation);
    out->keeper = arena->waits && (adit_load32_relaxed(&arena->waits->keeper.word) & ADIT_ROBUST_TID) &&
                  adit_load32_relaxed(&arena->waits->keeper.owner) == owner; /* relaxed: for people */
    for (uint32_t i = 0; i < arena->readers_max; i++) {
        if (adit_load32_relaxed(&arena->readers[i].owner) != owner)
            continue;
        uint64_t epoch = adit_load_relaxed(&arena->readers[i].epoch);
        out->readers++;
        if ((epoch & 1) && out->role != ADIT_GUEST && (!out->oldest_epoch || epoch / ADIT_EPOCH_STEP < out->oldest_epoch))
            out->oldest_epoch = epoch / ADIT_EPOCH_STEP;
    }
    return 0;
}

int adit_ring_get(const struct adit_arena *arena, uint32_t slot, struct adit_ring_info *out)
{
    struct adit_ring ring;
    int error = adit_params_check("adit_ring_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_ring_info){.size = sizeof *out};
    if (slot >= arena->rings_max)
        return adit_fault(-ERANGE, "arena %s: it has %u rings at most", arena->name, arena->rings_max);
    const struct adit_ring_slot *s = &arena->rings[slot];
    if (adit_load32_acquire(&s->state) != ADIT_RING_SLOT_VALID) /* RING:valid */
        return adit_fault(-ENOENT, "arena %s: there is no ring %u", arena->name, slot);
    error = adit_ring_adopt(arena, s, &ring);
    if (error)
        return error;
    const struct adit_ring_head *h = ring.head;
    out->kind = (enum adit_ring_kind)ring.kind;
    out->element_bytes = ring.element_bytes;
    out->capacity = (uint32_t)ring.mask + 1;
    out->popped = adit_load_acquire(&h->head);
    out->pushed = adit_load_acquire(&h->tail);
    int64_t filled = (int64_t)(out->pushed - out->popped); /* below 0: tail is stored late (ring.c) */
    out->filled = filled < 0 ? 0 : filled < out->capacity ? (uint32_t)filled : out->capacity;
    out->overrun = adit_load_relaxed(&h->overrun); /* relaxed, here and below: for people to read */
    out->underrun = adit_load_relaxed(&h->underrun);
    out->pusher_pid = adit_participant_pid(arena, adit_load32_relaxed(&h->pusher));
    out->popper_pid = adit_participant_pid(arena, adit_load32_relaxed(&h->popper));
    snprintf(out->name, sizeof out->name, "%.47s", s->name);
    return adit_load32_acquire(&s->state) == ADIT_RING_SLOT_VALID ? 0 : adit_fault(-ENOENT, "arena %s: ring %u has just ended", arena->name, slot);
}
