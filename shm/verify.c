/* Owners, readers, pins, watches, materials, the control segment's head (I4, I5, I7).
 *
 * Why a look at one owner word raises no false alarm. A participant is ALIVE before it stores its owner word anywhere, and has
 * taken all of them back before it is FREE. So with the owner word loaded first and the participant's after it, "names nobody"
 * can only be seen of a word that was taken back meanwhile, and then it is another when it is loaded again. */
#include "shm/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/control.h"
#include "shm/participant.h"

#define STATES_MAX 5u /* of a participant */

int adit_verifier_init(struct adit_verifier *v, const struct adit_arena *arena, bool quiet, bool living)
{
    *v = (struct adit_verifier){.arena = arena, .quiet = quiet, .living = (living || quiet) && !arena->is_image};
    v->lives = calloc(arena->participants_max, sizeof *v->lives);
    v->used = calloc(arena->buffers_max + 1u, 1);
    int error = v->lives && v->used ? adit_findings_open(&v->findings) : -ENOMEM;
    if (error)
        adit_verifier_fini(v);
    return error;
}

void adit_verifier_fini(struct adit_verifier *v)
{
    adit_findings_close(&v->findings);
    free(v->lives);
    free(v->used);
    v->lives = NULL;
    v->used = NULL;
}

/* Of the participant that word names: who has the slot by the time of the answer, or in a later question of the same look, may be another. */
static bool is_gone(struct adit_verifier *v, uint32_t slot, uint64_t word)
{
    const struct adit_participant *p = &v->arena->participants[slot];
    struct adit_verify_life *life = &v->lives[slot];
    if (life->word == word)
        return life->is_gone;
    bool gone = adit_participant_is_gone(p);
    if (adit_load_acquire(&p->word) != word)
        return false; /* it has left, and whose word named it sees that */
    *life = (struct adit_verify_life){word, gone};
    return gone;
}

const char *adit_verify_owner(struct adit_verifier *v, uint64_t owner)
{
    uint32_t slot = owner >> 28 ? UINT32_MAX : adit_owner_slot((uint32_t)owner);
    if (slot >= v->arena->participants_max) {
        snprintf(v->reason, sizeof v->reason, "owner %#llx names no slot", (unsigned long long)owner);
        return v->reason;
    }
    uint64_t word = adit_load_acquire(&v->arena->participants[slot].word); /* PART:alive */
    uint32_t generation = (uint32_t)owner & 0xffff;
    if (adit_part_state(word) == ADIT_PART_FREE)
        snprintf(v->reason, sizeof v->reason, "its owner, slot %u generation %u, has left", slot, generation);
    else if (adit_part_generation(word) != generation)
        snprintf(v->reason, sizeof v->reason, "its owner, slot %u generation %u, has left; the slot is at generation %u", slot,
                 generation, adit_part_generation(word));
    else if (v->living && is_gone(v, slot, word))
        snprintf(v->reason, sizeof v->reason, "its owner, slot %u, was process %u, which is gone", slot, adit_part_pid(word));
    else
        return NULL;
    return v->reason;
}

uint64_t adit_verify_word(const struct adit_arena *arena, uint64_t ref)
{
    uint32_t s = adit_ref_segment(ref);
    uint64_t granule = adit_verify_granule(ref);
    if (s >= arena->segments_n || adit_ref_byte(ref) % ADIT_GRANULE_BYTES || granule < arena->segments[s].first ||
        granule - arena->segments[s].first >= arena->segments[s].granules)
        return 0;
    return adit_load_acquire(&arena->segments[s].words[granule - arena->segments[s].first]);
}

const char *adit_verify_state_name(uint64_t word)
{
    static const char *const names[] = {"no block's head", "free", "claimed", "on loan", "published", "retired"};
    uint32_t state = (uint32_t)adit_word_state(word);
    return state < sizeof names / sizeof *names ? names[state] : "in no state there is";
}

/* ---- participants and their pins -------------------------------------------------------------------------------- */

static void look_at_participant(struct adit_verifier *v, uint32_t slot)
{
    const struct adit_participant *p = &v->arena->participants[slot];
    uint64_t word = adit_load_acquire(&p->word);
    uint32_t high = adit_load32_relaxed(&p->pins_high), role = adit_part_role(word);
    if (adit_part_state(word) == ADIT_PART_FREE)
        return;
    v->walked.participants++;
    bool is_guest = slot < v->arena->guests_max; /* these slots are guests', and no others */
    if ((uint32_t)adit_part_state(word) >= STATES_MAX || (role != ADIT_ROLE_PRODUCER && role != ADIT_ROLE_CONSUMER && !is_guest) ||
        (role != ADIT_ROLE_GUEST && is_guest))
        adit_finding_add(v->findings, "I5", "participant %u|its word %#llx has no state or role there is", slot,
                         (unsigned long long)word);
    else if (v->living && is_gone(v, slot, word) && adit_load_acquire(&p->word) == word)
        adit_finding_add(v->findings, "I5", "participant %u|process %u is gone and its slot not recovered", slot,
                         adit_part_pid(word));
    if (high > v->arena->pins_each && adit_load_acquire(&p->word) == word)
        adit_finding_add(v->findings, "I5", "participant %u|it says it used %u of %u pins", slot, high, v->arena->pins_each);
}

/* A pin keeps a block that was published when it was set; it may be retired by now, and no more than that. A guest may pin what is just
 * being freed, to its own harm (mirror.h). */
static void look_at_pin(struct adit_verifier *v, uint32_t slot, uint32_t i, const uint64_t *pin)
{
    uint64_t ref = adit_load_acquire(pin), part = adit_load_acquire(&v->arena->participants[slot].word);
    uint32_t high = adit_load32_acquire(&v->arena->participants[slot].pins_high);
    if (!ref)
        return;
    v->walked.pins++;
    uint64_t word = adit_verify_word(v->arena, ref);
    enum adit_block_state state = adit_word_state(word);
    if (adit_load_acquire(pin) != ref)
        return;
    if (adit_part_state(part) == ADIT_PART_FREE)
        adit_finding_add(v->findings, "I5", "participant %u pin %u|pins segment %u granule %llu, and the slot is free", slot, i,
                         adit_ref_segment(ref), (unsigned long long)adit_verify_granule(ref));
    else if (state != ADIT_BLOCK_PUBLISHED && state != ADIT_BLOCK_RETIRED && slot >= v->arena->guests_max)
        adit_finding_add(v->findings, "I4", "participant %u pin %u|pins segment %u granule %llu, which is %s", slot, i,
                         adit_ref_segment(ref), (unsigned long long)adit_verify_granule(ref), adit_verify_state_name(word));
    else if (v->quiet && i >= high)
        adit_finding_add(v->findings, "I4", "participant %u pin %u|reclaimers look at %u pins of it only", slot, i, high);
}

static void look_at_participants(struct adit_verifier *v)
{
    const struct adit_arena *a = v->arena;
    for (uint32_t slot = 0; slot < a->participants_max; slot++) {
        look_at_participant(v, slot);
        for (uint32_t i = 0; i < a->pins_each; i++)
            look_at_pin(v, slot, i, &a->pins[(size_t)slot * a->pins_each + i]);
    }
}

/* ---- readers ---------------------------------------------------------------------------------------------------- */

static void look_at_reader(struct adit_verifier *v, uint32_t i, uint64_t high)
{
    const struct adit_reader_slot *r = &v->arena->readers[i];
    uint32_t owner = adit_load32_acquire(&r->owner);
    uint64_t epoch = adit_load_acquire(&r->epoch), intent = adit_load_acquire(&r->intent);
    const char *fault = owner ? adit_verify_owner(v, owner) : NULL;
    v->walked.readers += owner != 0;
    if (adit_load32_acquire(&r->owner) != owner || adit_load_acquire(&r->epoch) != epoch ||
        adit_load_acquire(&r->intent) != intent)
        return; /* at work */
    if (fault)
        adit_finding_add(v->findings, "I5", "reader %u|%s", i, fault);
    if (!owner && (epoch & 1))
        adit_finding_add(v->findings, "I5", "reader %u|inside a section of epoch %llu, and nobody's", i,
                         (unsigned long long)epoch);
    if ((epoch & 1) && epoch > adit_load_acquire(&v->arena->control->epoch))
        adit_finding_add(v->findings, "I5", "reader %u|inside a section of epoch %llu, which is yet to come", i,
                         (unsigned long long)epoch);
    if ((epoch & 1) && i >= high && i >= adit_load_acquire(&v->arena->control->readers_high))
        adit_finding_add(v->findings, "I5", "reader %u|inside a section, and scans look at %llu readers only", i,
                         (unsigned long long)high);
    bool is_buffer = adit_intent_kind(intent) == ADIT_INTENT_BUFFER;
    const char *what = is_buffer ? "buffer" : "entry";
    uint32_t index = adit_intent_index(intent), max = is_buffer ? v->arena->buffers_max : v->arena->chunks_max;
    if (intent && index >= max)
        adit_finding_add(v->findings, "I5", "reader %u|is about to commit to %s %u of %u", i, what, index, max);
    else if (intent && (v->quiet || !owner))
        adit_finding_add(v->findings, "I5", "reader %u|%s %u was being published by it and nobody was told", i, what, index);
}

static void look_at_readers(struct adit_verifier *v)
{
    uint64_t epoch = adit_load_acquire(&v->arena->control->epoch);
    uint64_t high = adit_load_acquire(&v->arena->control->readers_high);
    if (!(epoch & 1) || epoch < ADIT_EPOCH_FIRST)
        adit_finding_add(v->findings, "I5", "control|the epoch is %llu; it is odd and at least %u", (unsigned long long)epoch,
                         ADIT_EPOCH_FIRST);
    if (high > v->arena->readers_max)
        adit_finding_add(v->findings, "I5", "control|%llu readers were used of %u", (unsigned long long)high,
                         v->arena->readers_max);
    for (uint32_t i = 0; i < v->arena->readers_max; i++)
        look_at_reader(v, i, high);
}

/* ---- watches, viewers, materials ----------------------------------------------------------------------------------------- */

static void look_at_watch(struct adit_verifier *v, uint32_t i)
{
    const struct adit_watch_slot *w = &v->arena->watches[i];
    uint32_t state = adit_load32_acquire(&w->state), owner = adit_load32_acquire(&w->owner);
    const char *fault = owner ? adit_verify_owner(v, owner) : NULL;
    uint64_t high = adit_load_acquire(&v->arena->control->watches_high); /* after state: it is raised before */
    if (adit_load32_acquire(&w->owner) != owner || adit_load32_acquire(&w->state) != state)
        return;
    if (fault)
        adit_finding_add(v->findings, "I5", "watch %u|%s", i, fault);
    if (state > ADIT_WATCH_SLOT_ACTIVE)
        adit_finding_add(v->findings, "I5", "watch %u|in state %u, which is none", i, state);
    else if (state != ADIT_WATCH_SLOT_FREE && !owner)
        adit_finding_add(v->findings, "I5", "watch %u|%s, and nobody's", i, state == ADIT_WATCH_SLOT_ACTIVE ? "active" : "being set up");
    if (state == ADIT_WATCH_SLOT_ACTIVE && i >= high)
        adit_finding_add(v->findings, "I5", "watch %u|active, and publishers look at %llu only", i, (unsigned long long)high);
}

static void look_at_viewer(struct adit_verifier *v, uint32_t i)
{
    const struct adit_viewer_slot *s = &v->arena->viewers[i];
    uint32_t state = adit_load32_acquire(&s->state), owner = adit_load32_acquire(&s->owner);
    const char *fault = owner ? adit_verify_owner(v, owner) : NULL;
    uint64_t high = adit_load_acquire(&v->arena->control->viewers_high); /* after state: it is raised before */
    if (adit_load32_acquire(&s->owner) != owner || adit_load32_acquire(&s->state) != state)
        return;
    if (fault)
        adit_finding_add(v->findings, "I5", "viewer %u|%s", i, fault);
    if (state > ADIT_VIEWER_ACTIVE)
        adit_finding_add(v->findings, "I5", "viewer %u|in state %u, which is none", i, state);
    else if (state != ADIT_VIEWER_FREE && !owner)
        adit_finding_add(v->findings, "I5", "viewer %u|%s, and nobody's", i, state == ADIT_VIEWER_ACTIVE ? "active" : "being set up");
    if (state == ADIT_VIEWER_ACTIVE && i >= high)
        adit_finding_add(v->findings, "I5", "viewer %u|active, and dispatchers look at %llu only", i, (unsigned long long)high);
}

static void look_at_material(struct adit_verifier *v, uint32_t id)
{
    const struct adit_material *m = &v->arena->materials[id];
    uint32_t state = adit_load32_acquire(&m->state), owner = adit_load32_acquire(&m->owner);
    const char *fault = owner && state != ADIT_MATERIAL_VALID ? adit_verify_owner(v, owner) : NULL;
    if (adit_load32_acquire(&m->owner) != owner || adit_load32_acquire(&m->state) != state)
        return;
    if (fault)
        adit_finding_add(v->findings, "I5", "material %u|being named: %s", id, fault);
    if (state > ADIT_MATERIAL_VALID)
        adit_finding_add(v->findings, "I5", "material %u|in state %u, which is none", id, state);
    else if (state != ADIT_MATERIAL_FREE && !owner)
        adit_finding_add(v->findings, "I5", "material %u|named by nobody", id);
    if (state >= ADIT_MATERIAL_NAMED && state <= ADIT_MATERIAL_VALID && !memchr(m->name, 0, sizeof m->name))
        adit_finding_add(v->findings, "I5", "material %u|its name has no end", id);
}

/* ---- the control segment's head --------------------------------------------------------------------------------- */

static bool is_same_table(const struct adit_arena *a, const struct adit_arena *b)
{
    for (uint32_t s = 0; s < a->segments_n; s++)
        if (a->segments[s].words != b->segments[s].words || a->segments[s].granules != b->segments[s].granules ||
            a->segments[s].hints != b->segments[s].hints || a->segments[s].first != b->segments[s].first)
            return false;
    return a->participants == b->participants && a->participants_max == b->participants_max && a->readers == b->readers &&
           a->readers_max == b->readers_max && a->pins == b->pins && a->pins_each == b->pins_each && a->keys == b->keys &&
           a->chunks_max == b->chunks_max && a->entries == b->entries && a->dirty == b->dirty && a->waits == b->waits && a->guests_max == b->guests_max && a->watches == b->watches &&
           a->watches_max == b->watches_max && a->watch_bits == b->watch_bits && a->materials == b->materials &&
           a->materials_max == b->materials_max && a->rings == b->rings && a->rings_max == b->rings_max && a->locks == b->locks &&
           a->locks_max == b->locks_max && a->kinds == b->kinds && a->kinds_max == b->kinds_max && a->queues == b->queues &&
           a->queues_max == b->queues_max && a->tasks == b->tasks && a->tasks_max == b->tasks_max && a->task_after == b->task_after && a->task_blockers == b->task_blockers &&
           a->task_uses == b->task_uses && a->task_use_bits == b->task_use_bits && a->task_wants == b->task_wants && a->task_memory == b->task_memory && a->task_groups == b->task_groups && a->buffers == b->buffers && a->buffers_max == b->buffers_max && a->workers == b->workers && a->viewers == b->viewers && a->metrics == b->metrics && a->metric_shards == b->metric_shards && a->metric_shards_n == b->metric_shards_n && a->metric_cells == b->metric_cells && a->metric_cells_n == b->metric_cells_n && a->metric_commons == b->metric_commons && a->frames == b->frames && a->workers_max == b->workers_max && a->fenced == b->fenced;
}

/* The head is written once, before anybody attaches: adopted again it gives the tables that this process has. */
static void look_at_head(struct adit_verifier *v)
{
    struct adit_arena again = {.segments_n = v->arena->segments_n};
    memcpy(again.maps, v->arena->maps, sizeof again.maps);
    memcpy(again.name, v->arena->name, sizeof again.name);
    if (adit_control_adopt(&again))
        adit_finding_add(v->findings, "I7", "control|nobody can attach any more: %s", adit_fault_detail());
    else if (!is_same_table(v->arena, &again))
        adit_finding_add(v->findings, "I7", "control|its tables are others than when this process attached");
}

void adit_verify_look(struct adit_verifier *v)
{
    look_at_head(v);
    memset(v->lives, 0, v->arena->participants_max * sizeof *v->lives);
    v->walked = (struct adit_verify_walked){0};
    look_at_participants(v);
    look_at_readers(v);
    for (uint32_t i = 0; i < v->arena->watches_max; i++)
        look_at_watch(v, i);
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX; i++)
        look_at_viewer(v, i);
    for (uint32_t i = 0; i < v->arena->materials_max; i++)
        look_at_material(v, i);
    adit_verify_blocks(v);
    adit_verify_rings(v);
    adit_verify_locks(v);
    memset(v->used, 0, v->arena->buffers_max);
    adit_verify_tasks(v);
    adit_verify_buffers(v); /* after tasks: they say what they use */
    adit_verify_workers(v);
    adit_verify_metrics(v);
}
