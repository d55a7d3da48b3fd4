/* What is counted in (I5) and how it is described (I7). Between any two instructions of all (layout_metrics.h):
 *
 *     owner                       of
 *     nobody                      whoever had it last, or nobody
 *     a participant that is there the same, or nobody: it has just come; or whoever had it before, for a moment
 *
 * A shard's first event is not behind its head, and the marks of its ring are of the places where they stand. Frame loops likewise. A descriptor's words lie in a shard, and no two descriptors have
 * the same; none lies behind one that is not there. What is counted is any number. */
#include "shm/metrics.h"
#include "shm/verify.h"

static void look_at_owner(struct adit_verifier *v, const char *what, uint32_t i, const uint32_t *word)
{
    uint32_t owner = adit_load32_acquire(word);
    const char *fault = owner ? adit_verify_owner(v, owner) : NULL;
    if (fault && adit_load32_acquire(word) == owner)
        adit_finding_add(v->findings, "I5", "%s %u|%s", what, i, fault);
}

static void look_at_ring(struct adit_verifier *v, uint32_t i)
{
    const struct adit_metric_shard *s = &v->arena->metric_shards[i];
    uint64_t first = adit_load_acquire(&s->first), head = adit_load_acquire(&s->head);
    if (first > head)
        adit_finding_add(v->findings, "I7", "metric shard %u|its first event is %llu, behind its last, %llu", i, (unsigned long long)first, (unsigned long long)head);
    for (uint64_t p = 0; p < ADIT_METRIC_EVENTS; p++) {
        uint64_t mark = adit_load_acquire(&s->events[p].mark);
        if (mark && ((mark >> 32) - 1) % ADIT_METRIC_EVENTS != p)
            adit_finding_add(v->findings, "I7", "metric shard %u event %llu|its mark %#llx is of another place", i, (unsigned long long)p, (unsigned long long)mark);
    }
}

/* used: one a word or series. */
static const char *describes_anew(const struct adit_metric_slot *m, uint8_t *words, uint8_t *series, uint8_t *events)
{
    uint8_t *used = m->type == ADIT_METRIC_SLOT_HISTOGRAM ? series : m->type == ADIT_METRIC_SLOT_EVENT ? events : words;
    for (uint32_t k = m->at; k < (uint32_t)m->at + m->n; k++) {
        if (used[k])
            return "another one has the same place";
        used[k] = 1;
    }
    return NULL;
}

static void look_at_descriptors(struct adit_verifier *v)
{
    uint8_t words[ADIT_METRIC_WORDS] = {0}, series[ADIT_METRIC_SERIES] = {0}, events[256] = {0};
    bool is_over = false;
    for (uint32_t i = 0; i < ADIT_METRICS_MAX; i++) {
        struct adit_metric_slot m;
        int error = adit_metrics_read_slot(v->arena, i, &m);
        bool is_there = v->arena->metrics[i].type;
        const char *fault = is_there && error ? "it does not describe what there can be" : is_there && is_over ? "it lies behind the last" : !error ? describes_anew(&m, words, series, events) : NULL;
        if (fault)
            adit_finding_add(v->findings, "I7", "metric %u|%s", i, fault);
        is_over |= !is_there;
    }
}

static void look_at_frames(struct adit_verifier *v, uint32_t i)
{
    const struct adit_frame_slot *s = &v->arena->frames[i];
    look_at_owner(v, "frame loop", i, &s->owner);
    if (adit_load32_relaxed(&s->points_n) > ADIT_FRAME_MARKS)
        adit_finding_add(v->findings, "I7", "frame loop %u|it has %u points, of %u", i, s->points_n, ADIT_FRAME_MARKS);
    for (uint64_t p = 0; p < ADIT_FRAME_RING; p++) {
        uint64_t mark = adit_load_acquire(&s->ring[p].mark);
        if (mark && ((mark >> 32) - 1) % ADIT_FRAME_RING != p)
            adit_finding_add(v->findings, "I7", "frame loop %u frame %llu|its mark %#llx is of another place", i, (unsigned long long)p, (unsigned long long)mark);
    }
}

void adit_verify_metrics(struct adit_verifier *v)
{
    const struct adit_arena *a = v->arena;
    look_at_descriptors(v);
    if (adit_load32_acquire(&a->metric_shards[0].owner))
        adit_finding_add(v->findings, "I5", "metric shard 0|it is everybody's, and has an owner");
    for (uint32_t i = 1; i < a->metric_shards_n; i++) {
        look_at_owner(v, "metric shard", i, &a->metric_shards[i].owner);
        look_at_ring(v, i);
    }
    for (uint32_t i = 0; i < ADIT_FRAME_SLOTS; i++)
        look_at_frames(v, i);
    for (uint32_t i = 0; i < a->metric_cells_n; i++) {
        look_at_owner(v, "metric cell", i, &a->metric_cells[i].owner);
        uint32_t series = adit_load32_acquire(&a->metric_cells[i].series);
        if (series > ADIT_METRIC_SERIES)
            adit_finding_add(v->findings, "I7", "metric cell %u|of series %u, of %u", i, series - 1, ADIT_METRIC_SERIES);
    }
}
