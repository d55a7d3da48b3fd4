/* metrics_read.c - looking in: sums over shards and cells, copies of events (metrics.h). All that is read is a number by itself: relaxed, and none of it leads anywhere.
 *
 * What is one owner's is the difference between what stands there and what stood there when it came; of is looked at before and after, so that both are of one owner (the
 * next one stores 0 there, and passes a fence, before it changes was). */
#include <errno.h>
#include <string.h>

#include "shm/metrics.h"

static bool is_text(char *text, uint32_t bytes)
{
    text[bytes - 1] = 0;
    for (uint32_t i = 0; text[i]; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

static bool is_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c != '_' && (*c < 'a' || *c > 'z') && (*c < '0' || *c > '9'))
            return false;
    return *name;
}

/* Labels, and how many there may be of each. */
static bool is_range(const struct adit_metric_slot *m)
{
    uint32_t end = m->type == ADIT_METRIC_SLOT_HISTOGRAM ? ADIT_METRIC_SERIES : m->type == ADIT_METRIC_SLOT_EVENT ? 256 : ADIT_METRIC_WORDS;
    return m->n && m->n <= ADIT_METRIC_LABELS && m->at < end && m->n <= end - m->at && (m->label || m->n == 1);
}

int adit_metrics_read_slot(const struct adit_arena *arena, uint32_t id, struct adit_metric_slot *out)
{
    *out = (struct adit_metric_slot){0};
    if (id >= ADIT_METRICS_MAX || !arena->metrics)
        return -ENOENT;
    memcpy(out, &arena->metrics[id], sizeof *out);
    if (!out->type)
        return -ENOENT;
    bool is_sound = is_text(out->name, sizeof out->name) && is_text(out->unit, sizeof out->unit) && is_text(out->help, sizeof out->help) && is_name(out->name) &&
                    out->type <= ADIT_METRIC_SLOT_EVENT && out->label < ADIT_LABELS && is_range(out);
    if (!is_sound)
        *out = (struct adit_metric_slot){0};
    return is_sound ? 0 : -EBADMSG;
}

/* Adds to *sum what owner (0: anybody) has added to a word. */
static void add_difference(uint64_t *sum, const uint64_t *value, const uint64_t *was, uint32_t owner)
{
    *sum += adit_load_relaxed(value) - (owner ? adit_load_relaxed(was) : 0);
}

/* What owner's threads have added to a word. is_here: of those alone that are there. */
static uint64_t of_owner(const struct adit_arena *a, uint32_t word, uint32_t owner, bool is_here)
{
    uint64_t sum = 0;
    for (uint32_t i = 1; i < a->metric_shards_n; i++) {
        const struct adit_metric_shard *s = &a->metric_shards[i];
        uint32_t of = adit_load32_acquire(&s->of); /* METRIC:of */
        uint64_t its = 0;
        if (!of || (owner && of != owner) || (is_here && adit_load32_relaxed(&s->owner) != of))
            continue;
        add_difference(&its, &s->value[word], &s->was[word], of);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        sum += adit_load32_relaxed(&s->of) == of ? its : 0;
    }
    return sum;
}

uint64_t adit_metrics_sum(const struct adit_arena *arena, uint32_t word, uint32_t owner)
{
    uint64_t sum = 0;
    if (word >= ADIT_METRIC_WORDS || !arena->metrics)
        return 0;
    if (owner)
        return of_owner(arena, word, owner, false);
    for (uint32_t i = 0; i < arena->metric_shards_n; i++)
        add_difference(&sum, &arena->metric_shards[i].value[word], NULL, 0);
    return sum;
}

int64_t adit_metrics_level(const struct adit_arena *arena, uint32_t word, uint32_t owner)
{
    if (word >= ADIT_METRIC_WORDS || !arena->metrics)
        return 0;
    uint64_t shared = owner ? 0 : adit_load_relaxed(&arena->metric_shards[0].value[word]); /* of threads that found no shard: whose is not known */
    return (int64_t)(of_owner(arena, word, owner, true) + shared);
}

void adit_metrics_sum_series(const struct adit_arena *arena, uint32_t series, uint32_t owner, uint64_t *buckets)
{
    memset(buckets, 0, ADIT_METRIC_BUCKETS * sizeof *buckets);
    if (series >= ADIT_METRIC_SERIES || !arena->metrics)
        return;
    for (uint32_t k = 0; k < ADIT_METRIC_BUCKETS && !owner; k++)
        buckets[k] = adit_load_relaxed(&arena->metric_commons[series].bucket[k]);
    for (uint32_t i = 0; i < arena->metric_cells_n; i++) {
        const struct adit_metric_cell *c = &arena->metric_cells[i];
        uint32_t of = adit_load32_acquire(&c->of); /* METRIC:of */
        if (adit_load32_acquire(&c->series) != series + 1 || (owner && of != owner)) /* METRIC:series */
            continue;
        uint64_t its[ADIT_METRIC_BUCKETS] = {0};
        for (uint32_t k = 0; k < ADIT_METRIC_BUCKETS; k++)
            add_difference(&its[k], &c->bucket[k], &c->was[k], owner);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        bool is_sound = !owner || adit_load32_relaxed(&c->of) == of;
        for (uint32_t k = 0; k < ADIT_METRIC_BUCKETS && is_sound; k++)
            buckets[k] += its[k];
    }
}

uint32_t adit_metrics_read_events(const struct adit_arena *arena, uint32_t shard, struct adit_metric_event *out)
{
    if (!arena->metrics || shard >= arena->metric_shards_n)
        return 0;
    const struct adit_metric_shard *s = &arena->metric_shards[shard];
    uint64_t head = adit_load_acquire(&s->head), first = adit_load_relaxed(&s->first); /* METRIC:head */
    uint64_t n = head - first < ADIT_METRIC_EVENTS ? head - first : ADIT_METRIC_EVENTS;
    uint32_t copied = 0;
    for (uint64_t p = head - n; p != head; p++) { /* a ring at most */
        const struct adit_metric_event *e = &s->events[p % ADIT_METRIC_EVENTS];
        uint64_t mark = adit_load_acquire(&e->mark); /* METRIC:mark */
        if (mark >> 32 != (p + 1) % (1ull << 32))
            continue;
        out[copied] = (struct adit_metric_event){mark, adit_load_relaxed(&e->at_ns), adit_load_relaxed(&e->a), adit_load_relaxed(&e->b)};
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* METRIC:mark, see metrics.c */
        copied += adit_load_relaxed(&e->mark) == mark;
    }
    return copied;
}
