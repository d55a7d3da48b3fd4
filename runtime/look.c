/* look.c - looking in further (adit_look.h). Any role, stores nothing.
 *
 * An observer has no section: whatever is read may be something else a moment later, and all of it is hostile. So each word is loaded once, relaxed where it is for people to read, numbers of
 * slots are bounded before they lead anywhere, and tables that a guest does not map have no slots here. */
#include <errno.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/dirty.h"
#include "runtime/params.h"
#include "runtime/store.h"
#include "runtime/task_queue.h"

/* A field of text out of shared memory. */
static void name_copy(char *out, const char *from, size_t bytes)
{
    memcpy(out, from, bytes - 1);
    out[bytes - 1] = 0;
}

/* ---- chunks ----------------------------------------------------------------------------------------------------- */

static enum adit_chunk_state state_of(const struct adit_arena *arena, uint32_t index, uint64_t current, uint32_t owner, uint8_t encoding)
{
    const struct adit_bitset dirty = adit_dirty_set(arena);
    if (owner)
        return ADIT_CHUNK_IN_WORK;
    if (arena->dirty && adit_bitset_has(&dirty, index)) /* a guest does not see it */
        return ADIT_CHUNK_DIRTY;
    if (!current)
        return ADIT_CHUNK_NONE;
    if (adit_load_relaxed(&arena->entries[index].given_up) == current)
        return ADIT_CHUNK_GIVEN_UP;
    return encoding == ADIT_ENC_REMOVED ? ADIT_CHUNK_REMOVED : ADIT_CHUNK_CLEAN;
}

static void chunk_look(const struct adit_arena *arena, uint32_t index, uint64_t packed, struct adit_chunk_info *out)
{
    const struct adit_entry *e = &arena->entries[index];
    uint64_t current = adit_load_acquire(&e->current), mesh = adit_load_acquire(&e->mesh);
    const struct adit_version *v = adit_store_version(arena, current);
    const struct adit_mesh *m = adit_store_mesh(arena, mesh);
    uint32_t owner = (uint32_t)adit_load_relaxed(&e->work) & 0xfffffff;
    *out = (struct adit_chunk_info){.key = adit_key_unpack(packed), .node = -1, .version = adit_store_number(e, current), .dirty_ns = adit_load_relaxed(&e->dirty_ns),
                                    .pid = adit_participant_pid(arena, owner)};
    if (v) { /* it was there when it was found; its block may be another's by now */
        uint64_t bytes = adit_block_bytes(arena, adit_commit_ref(current));
        int32_t node = arena->segments[adit_ref_segment(adit_commit_ref(current))].node;
        out->encoding = v->encoding >= ADIT_ENC_UNIFORM && v->encoding <= ADIT_ENC_REMOVED ? v->encoding : 0;
        out->bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
        out->solid = v->solid < ADIT_CHUNK_VOXELS ? v->solid : ADIT_CHUNK_VOXELS;
        out->published_ns = v->published_ns;
        out->node = node >= 0 && node <= INT16_MAX ? (int16_t)node : -1;
    }
    if (m) {
        uint64_t bytes = adit_block_bytes(arena, adit_commit_ref(mesh));
        out->mesh = m->serial;
        out->mesh_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
        out->quads = m->start[ADIT_MESH_RANGES];
    }
    out->state = (uint8_t)state_of(arena, index, current, owner, out->encoding);
}

int adit_chunk_each(const struct adit_arena *arena, int (*each)(const struct adit_chunk_info *chunk, void *user), void *user)
{
    for (uint32_t i = 0; i < arena->chunks_max; i++) {
        struct adit_chunk_info info;
        uint64_t packed = adit_store_key(arena, i);
        if (!packed)
            continue;
        chunk_look(arena, i, packed, &info);
        int stops = each(&info, user);
        if (stops)
            return stops;
    }
    return 0;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

struct block_walk {
    const struct adit_arena *arena;
    int (*each)(const struct adit_block_info *block, void *user);
    void *user;
    int stops;
};

static void block_look(uint64_t ref, uint64_t word, void *user)
{
    static const enum adit_block_use uses[ADIT_BLOCK_STATES] = {[ADIT_BLOCK_FREE] = ADIT_BLOCK_IS_FREE, [ADIT_BLOCK_CLAIMED] = ADIT_BLOCK_IS_LOANED, [ADIT_BLOCK_LOANED] = ADIT_BLOCK_IS_LOANED,
                                                                [ADIT_BLOCK_PUBLISHED] = ADIT_BLOCK_IS_PUBLISHED, [ADIT_BLOCK_RETIRED] = ADIT_BLOCK_IS_RETIRED};
    struct block_walk *w = user;
    uint32_t owner = adit_word_owner(word);
    enum adit_block_state state = adit_word_state(word);
    if (w->stops || state >= ADIT_BLOCK_STATES || !uses[state])
        return;
    const struct adit_block_info info = {.bytes = (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT, .segment = adit_ref_segment(ref), .use = uses[state],
                                         .slot = adit_participant_has(w->arena, owner) ? (int32_t)adit_owner_slot(owner) : -1};
    w->stops = w->each(&info, w->user);
}

int adit_block_look_each(const struct adit_arena *arena, int (*each)(const struct adit_block_info *block, void *user), void *user)
{
    struct block_walk w = {arena, each, user, 0};
    for (uint32_t i = 0; i < arena->segments_n && !w.stops; i++)
        adit_block_each(arena, i, block_look, &w);
    return w.stops;
}

int adit_pinned_get(const struct adit_arena *arena, uint32_t slot, uint64_t *bytes)
{
    *bytes = 0;
    if (slot >= arena->participants_max)
        return -ERANGE;
    uint32_t high = adit_load32_relaxed(&arena->participants[slot].pins_high);
    for (uint32_t i = 0; i < high && i < arena->pins_each; i++) {
        uint64_t ref = adit_load_relaxed(&arena->pins[(size_t)slot * arena->pins_each + i]);
        *bytes += ref ? adit_block_bytes(arena, ref) : 0;
    }
    return 0;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------ */

static void level_count(struct adit_level_info *l, const struct adit_task_slot *t, uint64_t word)
{
    enum adit_task_state state = adit_task_state(word);
    uint64_t since = adit_load_relaxed(&t->waits_ns);
    uint64_t *const counts[ADIT_TASK_STATES] = {[ADIT_TASK_HELD] = &l->held, [ADIT_TASK_DELAYED] = &l->delayed, [ADIT_TASK_QUEUED] = &l->queued, [ADIT_TASK_RUNNING] = &l->running,
                                                [ADIT_TASK_COMMITTED] = &l->running, [ADIT_TASK_DONE] = &l->done, [ADIT_TASK_CANCELLED] = &l->cancelled,
                                                [ADIT_TASK_EXPIRED] = &l->expired, [ADIT_TASK_POISONED] = &l->poisoned};
    if (state >= ADIT_TASK_STATES || !counts[state])
        return;
    ++*counts[state];
    if (state == ADIT_TASK_QUEUED && since && (!l->oldest_ns || since < l->oldest_ns))
        l->oldest_ns = since;
    /* attempt counts those begun: one that waits after its first is there again, one that runs after its second */
    if (!adit_task_has_ended(word))
        l->again += adit_task_attempt(word) > (state == ADIT_TASK_RUNNING || state == ADIT_TASK_COMMITTED);
}

int adit_queue_get(struct adit_arena *arena, uint32_t slot, struct adit_queue_view *out)
{
    struct adit_queue q;
    int error = adit_params_check("adit_queue_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_queue_view){.size = sizeof *out};
    if (slot >= arena->queues_max || !arena->queues)
        return -ERANGE;
    if (adit_load32_acquire(&arena->queues[slot].state) != 2)
        return -ENOENT;
    if (!adit_queue_adopt(arena, slot, &q) || (uint64_t)q.levels_n << q.shift > arena->tasks_max)
        return -EPROTO;
    const struct adit_queue_slot *s = q.slot;
    name_copy(out->name, s->name, sizeof out->name);
    out->order = q.order == ADIT_QUEUE_BY_FIFO ? ADIT_ORDER_FIFO : q.order == ADIT_QUEUE_BY_LIFO ? ADIT_ORDER_LIFO : ADIT_ORDER_PRIORITY;
    out->levels_n = q.levels_n < ADIT_QUEUE_LEVELS ? q.levels_n : ADIT_QUEUE_LEVELS;
    out->capacity = 1u << q.shift;
    out->sleepers = adit_load32_relaxed(&s->work.waiters);
    struct adit_queue_info info = {.size = sizeof info};
    if (!adit_queue_look(&q, &info)) {
        out->hot_ns = info.hot_ns;
        out->asleep_ns = info.asleep_ns;
        out->busy_ns = info.busy_ns;
    }
    for (uint32_t level = 0; level < out->levels_n; level++)
        for (uint64_t i = 0; i >> q.shift == 0; i++) {
            const struct adit_task_slot *t = adit_task_at(&q, level, i);
            level_count(&out->levels[level], t, adit_load_acquire(&t->word));
        }
    return 0;
}

static bool task_look(const struct adit_queue *q, uint32_t level, uint64_t i, struct adit_task_view *out)
{
    static const enum adit_task_where wheres[ADIT_TASK_STATES] = {
        [ADIT_TASK_HELD] = ADIT_TASK_IS_HELD, [ADIT_TASK_DELAYED] = ADIT_TASK_IS_DELAYED, [ADIT_TASK_QUEUED] = ADIT_TASK_IS_QUEUED, [ADIT_TASK_RUNNING] = ADIT_TASK_IS_RUNNING,
        [ADIT_TASK_COMMITTED] = ADIT_TASK_IS_COMMITTED, [ADIT_TASK_DONE] = ADIT_TASK_IS_DONE, [ADIT_TASK_CANCELLED] = ADIT_TASK_IS_CANCELLED, [ADIT_TASK_EXPIRED] = ADIT_TASK_IS_EXPIRED,
        [ADIT_TASK_POISONED] = ADIT_TASK_IS_POISONED};
    const struct adit_task_slot *t = adit_task_at(q, level, i);
    uint64_t word = adit_load_acquire(&t->word);
    enum adit_task_state state = adit_task_state(word);
    if (state >= ADIT_TASK_STATES || !wheres[state])
        return false;
    struct adit_task_place place = adit_task_place_of(q, level, i, word);
    bool is_running = state == ADIT_TASK_RUNNING || state == ADIT_TASK_COMMITTED;
    *out = (struct adit_task_view){
        .task = adit_task_handle(q, level, place.position), .tag = adit_load_relaxed(&t->tag), .progress = adit_load_relaxed(&t->progress), .since_ns = adit_load_relaxed(&t->waits_ns),
        .queue = q->id, .level = level, .kind = __atomic_load_n(&t->kind, __ATOMIC_RELAXED), .attempt = adit_task_attempt(word), .attempts_max = adit_task_attempts_max(t),
        .pid = is_running ? adit_participant_pid(q->arena, adit_task_owner(word)) : 0,
        .submitter_pid = adit_participant_pid(q->arena, adit_load32_relaxed(&t->submitter)),
        .status = state == ADIT_TASK_DONE ? (int32_t)__atomic_load_n(&t->status, __ATOMIC_RELAXED) : 0, .where = wheres[state], .is_detached = (word & ADIT_TASK_DETACHED) != 0,
        .is_cancelled = (word & ADIT_TASK_CANCEL) != 0};
    return true;
}

int adit_task_each(struct adit_arena *arena, int (*each)(const struct adit_task_view *task, void *user), void *user)
{
    struct adit_queue q;
    uint64_t slots = arena->tasks_max; /* queues do not share any: a damaged table ends here */
    for (uint32_t id = 0; id < arena->queues_max && arena->queues; id++) {
        if (!adit_queue_adopt(arena, id, &q) || (uint64_t)q.levels_n << q.shift > slots)
            continue;
        slots -= (uint64_t)q.levels_n << q.shift;
        for (uint32_t level = 0; level < q.levels_n; level++)
            for (uint64_t i = 0; i >> q.shift == 0; i++) {
                struct adit_task_view view;
                int stops = task_look(&q, level, i, &view) ? each(&view, user) : 0;
                if (stops)
                    return stops;
            }
    }
    return 0;
}

int adit_seat_get(const struct adit_arena *arena, uint32_t slot, struct adit_seat_info *out)
{
    int error = adit_params_check("adit_seat_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_seat_info){.size = sizeof *out};
    if (slot >= arena->workers_max || !arena->workers)
        return -ERANGE;
    const struct adit_worker_slot *s = &arena->workers[slot];
    uint64_t word = adit_load_acquire(&s->word);
    enum adit_worker_life life = adit_worker_life(word);
    out->sat = adit_worker_generation(word);
    if (life == ADIT_LIFE_COLD || life >= ADIT_LIVES)
        return -ENOENT;
    out->state = (enum adit_worker_state)life; /* in the same order: adit_tasks.h */
    out->is_zygote = !adit_load32_relaxed(&s->zygote);
    out->is_parked = !out->is_zygote && life == ADIT_LIFE_READY && !adit_load32_relaxed(&s->go);
    out->is_worn = adit_load32_relaxed(&s->worn) != 0;
    out->pid = life >= ADIT_LIFE_READY ? adit_load32_relaxed(&s->pid) : 0;
    out->pool_pid = adit_participant_pid(arena, adit_worker_pool(word));
    out->confined_by = adit_load32_relaxed(&s->confined_by);
    out->task = life == ADIT_LIFE_BUSY ? adit_load_relaxed(&s->task) : 0;
    out->tasks = life >= ADIT_LIFE_READY && !out->is_zygote ? adit_load_relaxed(&s->tasks) : 0;
    out->born_ns = life >= ADIT_LIFE_READY ? adit_load_relaxed(&s->born_ns) : 0;
    return 0;
}

/* ---- locks, watches, viewers ------------------------------------------------------------------------------------ */

static void robust_look(const struct adit_arena *arena, const struct adit_robust *r, struct adit_lock_info *out)
{
    uint32_t word = adit_load32_acquire(&r->word);
    out->is_held = (word & ADIT_ROBUST_TID) != 0;
    out->is_waited = (word & ADIT_ROBUST_WAITERS) != 0;
    out->has_died = (word & ADIT_ROBUST_DIED) != 0;
    out->pid = out->is_held ? adit_participant_pid(arena, adit_load32_relaxed(&r->owner)) : 0;
    out->deaths = adit_load32_relaxed(&r->deaths);
}

int adit_lock_get(const struct adit_arena *arena, uint32_t slot, struct adit_lock_info *out)
{
    int error = adit_params_check("adit_lock_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_lock_info){.size = sizeof *out};
    if (!arena->waits || !arena->locks)
        return -ERANGE;
    const struct {
        const char *name;
        const struct adit_robust *robust;
    } own[] = {{"(keeper)", &arena->waits->keeper}, {"(naming)", &arena->waits->naming}, {"(uses)", &arena->waits->uses}};
    const uint32_t own_n = sizeof own / sizeof *own;
    if (slot < own_n) {
        strcpy(out->name, own[slot].name);
        robust_look(arena, own[slot].robust, out);
        return 0;
    }
    if (slot - own_n >= arena->locks_max)
        return -ERANGE;
    const struct adit_lock_slot *s = &arena->locks[slot - own_n];
    if (adit_load32_acquire(&s->state) != 2)
        return -ENOENT;
    name_copy(out->name, s->name, sizeof out->name);
    out->bytes = s->bytes;
    out->commits = adit_load_relaxed(&s->commit);
    robust_look(arena, &s->robust, out);
    return 0;
}

int adit_watch_get(const struct adit_arena *arena, uint32_t slot, struct adit_watch_info *out)
{
    int error = adit_params_check("adit_watch_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_watch_info){.size = sizeof *out};
    if (slot >= arena->watches_max || !arena->watch_bits) /* a guest sees no bits */
        return -ERANGE;
    const struct adit_watch_slot *s = &arena->watches[slot];
    uint32_t owner = adit_load32_acquire(&s->owner);
    if (!owner)
        return -ENOENT;
    out->pid = adit_participant_pid(arena, owner);
    out->is_active = adit_load32_relaxed(&s->state) == ADIT_WATCH_SLOT_ACTIVE;
    out->is_waited = adit_load32_relaxed(&s->event.waiters) != 0;
    out->what = s->what & (ADIT_WATCH_CHUNKS | ADIT_WATCH_MESHES);
    out->lapses = adit_load32_relaxed(&s->lapses);
    out->node = __atomic_load_n(&s->node, __ATOMIC_RELAXED);
    memcpy(out->lo, s->lo, sizeof out->lo);
    memcpy(out->hi, s->hi, sizeof out->hi);
    for (uint32_t which = 0; which < 2; which++) {
        const struct adit_bitset bits = {arena->watch_bits + ((size_t)slot * 2 + which) * arena->bits_words, arena->chunks_max};
        out->pending += adit_bitset_count(&bits);
    }
    return 0;
}

int adit_viewer_get(const struct adit_arena *arena, uint32_t slot, struct adit_viewer_info *out)
{
    int error = adit_params_check("adit_viewer_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_viewer_info){.size = sizeof *out};
    if (slot >= ADIT_VIEWERS_MAX || !arena->viewers)
        return -ERANGE;
    const struct adit_viewer_slot *s = &arena->viewers[slot];
    uint32_t owner = adit_load32_acquire(&s->owner);
    if (!owner)
        return -ENOENT;
    out->pid = adit_participant_pid(arena, owner);
    out->is_active = adit_load32_relaxed(&s->state) == ADIT_VIEWER_ACTIVE;
    out->world = s->world;
    out->frame_ns = adit_load_relaxed(&s->frame_ns);
    __atomic_load(&s->radius, &out->radius, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < 3; i++) {
        __atomic_load(&s->at[i], &out->at[i], __ATOMIC_RELAXED);
        __atomic_load(&s->toward[i], &out->toward[i], __ATOMIC_RELAXED);
    }
    return 0;
}
