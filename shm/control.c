#include "shm/control.h"

#include <errno.h>
#include <string.h>

#include "shm/bitset.h"
#include "shm/metrics.h"
#include "shm/near.h"

#define MIX(h, v) (((h) ^ (uint64_t)(v)) * 0x100000001b3ull) /* FNV-1a, a word at a time */
#define TABLE_ALIGN 4096u

uint64_t adit_control_signature(void)
{
    uint64_t h = 0xcbf29ce484222325ull;
    h = MIX(h, ADIT_LAYOUT_VERSION);
    h = MIX(h, sizeof(struct adit_control));
    h = MIX(h, offsetof(struct adit_control, participants));
    h = MIX(h, offsetof(struct adit_control, segments));
    h = MIX(h, offsetof(struct adit_control, epoch));
    h = MIX(h, sizeof(struct adit_robust));
    h = MIX(h, offsetof(struct adit_robust, next));
    h = MIX(h, sizeof(struct adit_segment));
    h = MIX(h, sizeof(struct adit_participant));
    h = MIX(h, offsetof(struct adit_participant, label));
    h = MIX(h, sizeof(struct adit_reader_slot));
    h = MIX(h, sizeof(struct adit_entry));
    h = MIX(h, sizeof(struct adit_watch_slot));
    h = MIX(h, sizeof(struct adit_viewer_slot));
    h = MIX(h, sizeof(struct adit_material));
    h = MIX(h, sizeof(struct adit_ring_slot));
    h = MIX(h, sizeof(struct adit_ring_head));
    h = MIX(h, offsetof(struct adit_ring_head, tail_seen));
    h = MIX(h, sizeof(struct adit_lock_slot));
    h = MIX(h, offsetof(struct adit_lock_slot, copy));
    h = MIX(h, sizeof(struct adit_kind_slot));
    h = MIX(h, offsetof(struct adit_kind_slot, cost));
    h = MIX(h, sizeof(struct adit_queue_slot));
    h = MIX(h, offsetof(struct adit_queue_slot, level));
    h = MIX(h, offsetof(struct adit_queue_slot, handover));
    h = MIX(h, offsetof(struct adit_queue_slot, at_work));
    h = MIX(h, offsetof(struct adit_queue_slot, sleepers));
    h = MIX(h, sizeof(struct adit_task_slot));
    h = MIX(h, offsetof(struct adit_task_slot, long_args));
    h = MIX(h, sizeof(struct adit_task_after));
    h = MIX(h, sizeof(struct adit_task_uses));
    h = MIX(h, sizeof(struct adit_task_wants));
    h = MIX(h, sizeof(struct adit_task_memory));
    h = MIX(h, adit_task_groups(1u << 20));
    h = MIX(h, sizeof(struct adit_buffer_slot));
    h = MIX(h, sizeof(struct adit_worker_slot));
    h = MIX(h, sizeof(struct adit_metric_slot));
    h = MIX(h, sizeof(struct adit_metric_shard));
    h = MIX(h, offsetof(struct adit_metric_shard, was));
    h = MIX(h, sizeof(struct adit_metric_cell));
    h = MIX(h, sizeof(struct adit_frame_slot));
    h = MIX(h, offsetof(struct adit_frame_slot, ring));
    h = MIX(h, offsetof(struct adit_control, inner_at));
    h = MIX(h, sizeof(struct adit_waits));
    h = MIX(h, offsetof(struct adit_waits, proxy_owner));
    h = MIX(h, sizeof(struct adit_guest_page));
    h = MIX(h, offsetof(struct adit_guest_page, pins));
    h = MIX(h, sizeof(struct adit_version));
    h = MIX(h, offsetof(struct adit_version, plane));
    h = MIX(h, sizeof(struct adit_mesh));
    h = MIX(h, offsetof(struct adit_mesh, start));
    h = MIX(h, adit_bitset_words(1u << 20));
    h = MIX(h, ADIT_GRANULE_SHIFT);
    h = MIX(h, ADIT_EXTENT_SHIFT);
    return h;
}

static uint64_t place(struct adit_table *t, uint64_t at, uint64_t n, uint64_t each_bytes)
{
    at = (at + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
    *t = (struct adit_table){.at = at, .n = n};
    return at + n * each_bytes;
}

static uint64_t place_words(struct adit_segment *s, uint64_t at)
{
    s->extents = (s->granules + ADIT_EXTENT_GRANULES - 1) / ADIT_EXTENT_GRANULES;
    s->words_at = (at + 63) / 64 * 64;
    s->hints_at = s->words_at + (uint64_t)s->granules * 8;
    return s->hints_at + (uint64_t)s->extents * sizeof(struct adit_extent);
}

/* One shard a participant, one more for whoever finds none, and some for further threads: as many again. */
static uint64_t place_metrics(struct adit_control *head, uint64_t at, uint32_t participants)
{
    uint32_t shards = 1 + participants + (participants < ADIT_METRIC_SPARE ? participants : ADIT_METRIC_SPARE);
    at = place(&head->metrics, at, ADIT_METRICS_MAX, sizeof(struct adit_metric_slot));
    at = place(&head->metric_shards, at, shards, sizeof(struct adit_metric_shard));
    at = place(&head->metric_cells, at, 2 * shards, sizeof(struct adit_metric_cell));
    return place(&head->metric_commons, at, ADIT_METRIC_SERIES, sizeof(struct adit_metric_common));
}

uint64_t adit_control_layout(const struct adit_arena_plan *plan, struct adit_control *head, uint32_t segments_n)
{
    uint64_t at = sizeof *head, heap_bytes = (plan->heap_bytes + 4095) / 4096 * 4096;
    uint32_t guests = plan->guests_max, participants = plan->participants_max + guests, watches = plan->watches_max + guests * ADIT_GUEST_WATCHES;
    head->segments_n = segments_n;
    head->guests_max = guests;
    at = place(&head->participants, at, participants, sizeof(struct adit_participant));
    at = place(&head->readers, at, plan->readers_max + guests, sizeof(struct adit_reader_slot));
    at = place(&head->pins, at, (uint64_t)participants * plan->pins_max, 8);
    head->pins_each = plan->pins_max;
    head->segments[0].granules = (uint32_t)(heap_bytes >> ADIT_GRANULE_SHIFT);
    for (uint32_t i = 0; i < segments_n; i++) {
        if (i)
            head->segments[i].granules = (uint32_t)(head->segments[i].bytes >> ADIT_GRANULE_SHIFT);
        at = place_words(&head->segments[i], at);
    }
    at = place(&head->keys, at, plan->chunks_max, 8);
    at = place(&head->entries, at, plan->chunks_max, sizeof(struct adit_entry));
    at = place(&head->materials, at, plan->materials_max, sizeof(struct adit_material));
    at = place(&head->waits, at, 1, sizeof(struct adit_waits));
    head->inner_at = head->waits.at;
    at = place(&head->dirty, at, adit_bitset_words(plan->chunks_max) * 2, 8);
    at = place(&head->watches, at, watches, sizeof(struct adit_watch_slot));
    at = place(&head->watch_bits, at, adit_bitset_words(plan->chunks_max) * 2 * watches, 8);
    at = place(&head->rings, at, 64, sizeof(struct adit_ring_slot));
    at = place(&head->locks, at, 64, sizeof(struct adit_lock_slot));
    at = place(&head->kinds, at, ADIT_KINDS, sizeof(struct adit_kind_slot));
    at = place(&head->queues, at, ADIT_QUEUES, sizeof(struct adit_queue_slot));
    at = place(&head->tasks, at, plan->tasks_max, sizeof(struct adit_task_slot));
    at = place(&head->task_after, at, plan->tasks_max, sizeof(struct adit_task_after));
    at = place(&head->task_blockers, at, plan->tasks_max, 8);
    at = place(&head->task_uses, at, plan->tasks_max, sizeof(struct adit_task_uses));
    at = place(&head->task_use_bits, at, plan->tasks_max, 8);
    at = place(&head->task_wants, at, plan->tasks_max, sizeof(struct adit_task_wants));
    at = place(&head->task_memory, at, participants, sizeof(struct adit_task_memory));
    at = place(&head->task_groups, at, adit_task_groups(plan->tasks_max), 8);
    at = place(&head->buffers, at, plan->buffers_max, sizeof(struct adit_buffer_slot));
    at = place(&head->workers, at, ADIT_WORKER_SLOTS, sizeof(struct adit_worker_slot));
    at = place(&head->viewers, at, ADIT_VIEWERS_MAX, sizeof(struct adit_viewer_slot));
    at = place_metrics(head, at, participants);
    at = place(&head->frames, at, ADIT_FRAME_SLOTS, sizeof(struct adit_frame_slot));
    at = place(&head->heap, at, heap_bytes, 1);
    at = (at + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
    head->segments[0].granule_first = (uint32_t)(head->heap.at >> ADIT_GRANULE_SHIFT);
    head->segments[0].bytes = at;
    head->control_bytes = at;
    return at;
}

void adit_control_publish(struct adit_control *control, const struct adit_control *head)
{
    memcpy((uint8_t *)control + 8, (const uint8_t *)head + 8, sizeof *control - 8);
    for (uint32_t s = 0; s < head->segments_n; s++) {
        const struct adit_segment *g = &head->segments[s];
        uint64_t *words = (uint64_t *)(void *)((uint8_t *)control + g->words_at);
        struct adit_extent *hints = (struct adit_extent *)(void *)((uint8_t *)control + g->hints_at);
        for (uint32_t e = 0; e < g->extents; e++) { /* one free run an extent */
            uint32_t first = e << ADIT_EXTENT_SHIFT, n = g->granules - first;
            n = n < ADIT_EXTENT_GRANULES ? n : ADIT_EXTENT_GRANULES;
            words[first] = adit_word_make(0, ADIT_BLOCK_FREE, n, 0);
            hints[e] = (struct adit_extent){.largest = n};
        }
    }
    adit_metrics_describe((struct adit_metric_slot *)(void *)((uint8_t *)control + head->metrics.at));
    adit_store_release(&control->magic, ADIT_MAGIC); /* CONTROL:magic, pairs with adopt: all of the above is there */
}

/* Words of the control segment, or NULL when they do not lie inside. */
static void *words_at(const struct adit_arena *a, const struct adit_table *t, uint64_t each_bytes, uint64_t n_max)
{
    uint64_t at = t->at, n = t->n, bytes = a->maps[0].bytes;
    if (!n || n > n_max || at % 8 || at < sizeof(struct adit_control) || at > bytes || n > (bytes - at) / each_bytes)
        return NULL;
    return a->maps[0].base + at;
}

/* A table, likewise; its entries lie on lines of their own, and are copied by vectors. */
static void *table(const struct adit_arena *a, const struct adit_table *t, uint64_t each_bytes, uint64_t n_max)
{
    return t->at % 64 ? NULL : words_at(a, t, each_bytes, n_max);
}

static bool adopt_segment(struct adit_arena *a, const struct adit_segment *g, uint32_t i)
{
    struct adit_base *b = &a->segments[i];
    struct adit_table words = {g->words_at, g->granules}, hints = {g->hints_at, g->extents};
    *b = (struct adit_base){.base = a->maps[i].base, .bytes = a->maps[i].bytes,
                            .heads = a->maps[i].bytes >> ADIT_GRANULE_SHIFT, .granules = g->granules,
                            .first = g->granule_first, .extents = g->extents, .node = g->node};
    b->words = words_at(a, &words, 8, UINT32_MAX);
    b->hints = words_at(a, &hints, sizeof *b->hints, UINT32_MAX);
    a->maps[i].page_bytes = g->page_bytes;
    a->maps[i].node = g->node;
    if (!i && a->role == ADIT_ROLE_GUEST) { /* the heap is no guest's to see */
        b->granules = b->extents = 0;
        return true;
    }
    return b->words && b->hints && g->bytes == b->bytes &&
           (uint64_t)b->first + b->granules <= b->bytes >> ADIT_GRANULE_SHIFT &&
           b->extents == ((uint64_t)b->granules + ADIT_EXTENT_GRANULES - 1) / ADIT_EXTENT_GRANULES;
}

/* Those of tasks. */
static bool adopt_tasks(struct adit_arena *a, const struct adit_control *c)
{
    a->kinds = table(a, &c->kinds, sizeof *a->kinds, ADIT_KINDS);
    a->queues = table(a, &c->queues, sizeof *a->queues, ADIT_QUEUES);
    a->tasks = table(a, &c->tasks, sizeof *a->tasks, ADIT_TASKS_MAX);
    a->task_after = table(a, &c->task_after, sizeof *a->task_after, ADIT_TASKS_MAX);
    a->task_blockers = table(a, &c->task_blockers, 8, ADIT_TASKS_MAX);
    a->task_uses = table(a, &c->task_uses, sizeof *a->task_uses, ADIT_TASKS_MAX);
    a->task_use_bits = table(a, &c->task_use_bits, 8, ADIT_TASKS_MAX);
    a->task_wants = table(a, &c->task_wants, sizeof *a->task_wants, ADIT_TASKS_MAX);
    a->task_memory = table(a, &c->task_memory, sizeof *a->task_memory, ADIT_PARTICIPANTS_MAX);
    a->task_groups = table(a, &c->task_groups, 8, adit_task_groups(ADIT_TASKS_MAX));
    a->buffers = table(a, &c->buffers, sizeof *a->buffers, ADIT_BUFFERS_MAX);
    a->kinds_max = (uint32_t)c->kinds.n;
    a->queues_max = (uint32_t)c->queues.n;
    a->tasks_max = (uint32_t)c->tasks.n;
    a->workers = table(a, &c->workers, sizeof *a->workers, ADIT_WORKER_SLOTS);
    a->viewers = table(a, &c->viewers, sizeof *a->viewers, ADIT_VIEWERS_MAX);
    a->buffers_max = (uint32_t)c->buffers.n;
    a->workers_max = (uint32_t)c->workers.n;
    return a->kinds && a->queues && a->tasks && a->task_after && a->task_blockers && a->task_uses && a->task_use_bits && a->task_wants && a->task_memory && a->task_groups && a->buffers && a->workers && a->viewers &&
           c->viewers.n == ADIT_VIEWERS_MAX && c->task_wants.n == a->tasks_max && c->task_memory.n == a->participants_max && c->task_after.n == a->tasks_max && c->task_blockers.n == a->tasks_max &&
           c->task_uses.n == a->tasks_max && c->task_use_bits.n == a->tasks_max && c->task_groups.n == adit_task_groups(a->tasks_max);
}

static bool adopt_metrics(struct adit_arena *a, const struct adit_control *c)
{
    a->metrics = table(a, &c->metrics, sizeof *a->metrics, ADIT_METRICS_MAX);
    a->metric_shards = table(a, &c->metric_shards, sizeof *a->metric_shards, ADIT_METRIC_SHARDS_MAX);
    a->metric_cells = table(a, &c->metric_cells, sizeof *a->metric_cells, ADIT_METRIC_CELLS_MAX);
    a->metric_commons = table(a, &c->metric_commons, sizeof *a->metric_commons, ADIT_METRIC_SERIES);
    a->metric_shards_n = (uint32_t)c->metric_shards.n;
    a->metric_cells_n = (uint32_t)c->metric_cells.n;
    a->frames = table(a, &c->frames, sizeof *a->frames, ADIT_FRAME_SLOTS);
    return a->metrics && a->metric_shards && a->metric_cells && a->metric_commons && a->frames && c->frames.n == ADIT_FRAME_SLOTS && c->metrics.n == ADIT_METRICS_MAX && c->metric_commons.n == ADIT_METRIC_SERIES;
}

/* The tables that guests do not see; false when one lies outside. */
static bool adopt_inner(struct adit_arena *a, const struct adit_control *c)
{
    a->waits = table(a, &c->waits, sizeof *a->waits, 1);
    a->dirty = table(a, &c->dirty, 8, ADIT_CHUNKS_MAX);
    a->watches = table(a, &c->watches, sizeof *a->watches, ADIT_WATCHES_MAX);
    a->watch_bits = table(a, &c->watch_bits, 8, UINT32_MAX);
    a->rings = table(a, &c->rings, sizeof *a->rings, ADIT_RINGS_MAX);
    a->locks = table(a, &c->locks, sizeof *a->locks, ADIT_LOCKS_MAX);
    a->watches_max = (uint32_t)c->watches.n;
    a->rings_max = (uint32_t)c->rings.n;
    a->locks_max = (uint32_t)c->locks.n;
    return a->waits && a->dirty && a->watches && a->watch_bits && a->rings && a->locks && c->dirty.n == (uint64_t)a->bits_words * 2 &&
           c->watch_bits.n == (uint64_t)a->bits_words * 2 * a->watches_max && (uint64_t)a->guests_max * ADIT_GUEST_WATCHES <= a->watches_max &&
           adopt_tasks(a, c) && adopt_metrics(a, c);
}

/* The tables; false when one lies outside. */
static bool adopt_tables(struct adit_arena *a, const struct adit_control *c)
{
    a->participants = table(a, &c->participants, sizeof *a->participants, ADIT_PARTICIPANTS_MAX);
    a->readers = table(a, &c->readers, sizeof *a->readers, ADIT_READERS_MAX);
    a->pins = table(a, &c->pins, 8, (uint64_t)ADIT_PARTICIPANTS_MAX * ADIT_PINS_MAX);
    a->keys = table(a, &c->keys, 8, ADIT_CHUNKS_MAX);
    a->entries = table(a, &c->entries, sizeof *a->entries, ADIT_CHUNKS_MAX);
    a->materials = table(a, &c->materials, sizeof *a->materials, 65536);
    a->participants_max = (uint32_t)c->participants.n;
    a->readers_max = (uint32_t)c->readers.n;
    a->chunks_max = (uint32_t)c->keys.n;
    a->materials_max = (uint32_t)c->materials.n;
    a->guests_max = c->guests_max;
    a->bits_words = (uint32_t)adit_bitset_words(a->chunks_max);
    a->pins_each = c->pins_each;
    return a->participants && a->readers && a->pins && a->keys && a->entries && a->materials && c->entries.n == a->chunks_max &&
           a->pins_each && c->pins.n == (uint64_t)a->pins_each * a->participants_max && !(a->chunks_max & (a->chunks_max - 1)) &&
           a->guests_max <= ADIT_GUESTS_MAX && a->guests_max < a->participants_max && a->guests_max < a->readers_max &&
           (a->role == ADIT_ROLE_GUEST || adopt_inner(a, c));
}

int adit_control_adopt(struct adit_arena *arena)
{
    struct adit_control *live = (struct adit_control *)(void *)arena->maps[0].base, head;
    if (arena->maps[0].bytes < sizeof head || adit_load_acquire(&live->magic) != ADIT_MAGIC) /* CONTROL:magic */
        return adit_fault(-EPROTO, "arena %s: not an arena (no magic); it is damaged or of another program",
                          arena->name);
    memcpy(&head, live, sizeof head);
    if (head.layout_version != ADIT_LAYOUT_VERSION || head.signature != adit_control_signature())
        return adit_fault(-EPROTO,
                          "arena %s: layout %u/%016llx, this build knows %u/%016llx; use the same adit on both sides",
                          arena->name, head.layout_version, (unsigned long long)head.signature, ADIT_LAYOUT_VERSION,
                          (unsigned long long)adit_control_signature());
    if (head.control_bytes_head != sizeof head || (arena->role == ADIT_ROLE_GUEST ? head.inner_at : head.control_bytes) > arena->maps[0].bytes ||
         head.segments_n != arena->segments_n || head.segments_n < 2)
        return adit_fault(-EPROTO, "arena %s: its control segment is damaged (sizes do not agree)", arena->name);
    for (uint32_t i = 0; i < arena->segments_n; i++)
        if (!adopt_segment(arena, &head.segments[i], i))
            return adit_fault(-EPROTO, "arena %s: its segment %u is damaged (tables do not lie inside)", arena->name, i);
    if (!adopt_tables(arena, &head))
        return adit_fault(-EPROTO, "arena %s: its control segment is damaged (a table does not lie inside, or not on its lines)",
                          arena->name);
    arena->control = live;
    arena->fenced = head.fenced != 0;
    arena->placement = head.placement;
    arena->is_strict = head.strict_nodes != 0;
    adit_near_init(arena);
    memcpy(arena->guest_path, head.guest_path, sizeof arena->guest_path);
    arena->guest_path[sizeof arena->guest_path - 1] = 0;
    return 0;
}
