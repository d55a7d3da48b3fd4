/* shmtop_model.c - counters only grow, but a slot may be taken by another process between two snapshots: then the
 * generation differs, and there is no rate to tell. */
#include "tools/shmtop_model.h"

#include <stddef.h>
#include <string.h>

#include "tools/shmtop_alarm.h"

static void oldest_drop(struct shmtop_model *m)
{
    m->bytes -= m->history[0]->bytes;
    shmtop_snapshot_free(m->history[0]);
    memmove(m->history, m->history + 1, --m->history_n * sizeof *m->history);
}

static bool has_moved(const struct adit_participant_info *a, const struct adit_participant_info *b)
{
    return a->published != b->published || a->edits != b->edits || a->meshed != b->meshed || a->retired != b->retired || a->reclaimed != b->reclaimed;
}

void shmtop_model_add(struct shmtop_model *m, struct shmtop_snapshot *s)
{
    const struct shmtop_snapshot *last = m->history_n ? m->history[m->history_n - 1] : NULL;
    uint64_t span = m->span_ns ? m->span_ns : SHMTOP_HISTORY_NS;
    size_t bytes_max = m->bytes_max ? m->bytes_max : SHMTOP_HISTORY_BYTES;
    shmtop_snapshot_sort(s);
    for (uint32_t i = 0; i < s->participants_n; i++) {
        struct shmtop_participant *p = &s->participants[i];
        const struct shmtop_participant *was = shmtop_participant_before(last, &p->info);
        p->active_ns = was && !has_moved(&p->info, &was->info) ? was->active_ns : was ? s->taken_ns : 0;
    }
    if (!s->stats.deserted)
        m->left_wall_ns = 0;
    else if (!m->left_wall_ns)
        m->left_wall_ns = s->taken_wall_ns;
    shmtop_alarm_take(m, s);
    m->trouble[0] = 0;
    if (m->history_n == SHMTOP_HISTORY_MAX)
        oldest_drop(m);
    m->history[m->history_n++] = s;
    m->bytes += s->bytes;
    while (m->history_n > 2 && (m->bytes > bytes_max || s->taken_ns - m->history[0]->taken_ns > span))
        oldest_drop(m);
}

void shmtop_model_fini(struct shmtop_model *m)
{
    while (m->history_n)
        oldest_drop(m);
}

uint32_t shmtop_model_at(const struct shmtop_model *m, uint64_t at_ns)
{
    uint32_t index = m->history_n - 1; /* UINT32_MAX of none */
    while (at_ns && m->history_n && index && m->history[index]->taken_ns > at_ns)
        index--;
    return index;
}

const struct shmtop_snapshot *shmtop_model_before(const struct shmtop_model *m, uint32_t index)
{
    return index && index < m->history_n ? m->history[index - 1] : NULL;
}

double shmtop_rate(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before, uint64_t now, uint64_t then)
{
    if (!before || s->taken_ns <= before->taken_ns || now <= then)
        return 0;
    return (double)(now - then) / ((double)(s->taken_ns - before->taken_ns) / 1e9);
}

const struct shmtop_participant *shmtop_participant_before(const struct shmtop_snapshot *before, const struct adit_participant_info *p)
{
    for (uint32_t i = 0; before && i < before->participants_n; i++)
        if (before->participants[i].info.slot == p->slot && before->participants[i].info.generation == p->generation)
            return &before->participants[i];
    return NULL;
}

struct shmtop_rates shmtop_rates(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before, const struct adit_participant_info *p)
{
    const struct shmtop_participant *was = shmtop_participant_before(before, p);
    struct shmtop_rates r = {0};
    if (was) {
        r.published = shmtop_rate(s, before, p->published, was->info.published);
        r.edits = shmtop_rate(s, before, p->edits, was->info.edits);
        r.meshed = shmtop_rate(s, before, p->meshed, was->info.meshed);
        r.retired = shmtop_rate(s, before, p->retired, was->info.retired);
        r.reclaimed = shmtop_rate(s, before, p->reclaimed, was->info.reclaimed);
        r.grace_periods = shmtop_rate(s, before, p->grace_periods, was->info.grace_periods);
    }
    return r;
}

struct shmtop_rates shmtop_rates_all(const struct shmtop_snapshot *s, const struct shmtop_snapshot *before)
{
    struct shmtop_rates sum = {0};
    for (uint32_t i = 0; i < s->participants_n; i++) {
        struct shmtop_rates r = shmtop_rates(s, before, &s->participants[i].info);
        sum.published += r.published;
        sum.edits += r.edits;
        sum.meshed += r.meshed;
        sum.retired += r.retired;
        sum.reclaimed += r.reclaimed;
        sum.grace_periods += r.grace_periods;
    }
    return sum;
}

const struct adit_metric_info *shmtop_model_metric(const struct shmtop_model *m, uint32_t metric)
{
    return metric < m->metrics_n && metric < SHMTOP_METRICS_MAX && m->metrics[metric].type ? &m->metrics[metric] : NULL;
}

uint32_t shmtop_model_metric_find(const struct shmtop_model *m, const char *name)
{
    for (uint32_t i = 0; i < m->metrics_n && i < SHMTOP_METRICS_MAX; i++)
        if (m->metrics[i].type && !strcmp(m->metrics[i].name, name))
            return i;
    return UINT32_MAX;
}

const struct adit_histogram *shmtop_latency(const struct shmtop_model *m, const struct shmtop_snapshot *s, const char *name)
{
    uint32_t metric = shmtop_model_metric_find(m, name);
    for (uint32_t i = 0; i < s->latencies_n; i++)
        if (s->latencies[i].metric == metric)
            return &s->latencies[i].all;
    return NULL;
}

bool shmtop_latency_since(const struct shmtop_snapshot *before, const struct shmtop_latency *now, struct adit_histogram *out)
{
    for (uint32_t i = 0; before && i < before->latencies_n; i++)
        if (before->latencies[i].metric == now->metric)
            return !adit_histogram_between(&before->latencies[i].all, &now->all, out);
    return false;
}

uint64_t shmtop_behind(const struct shmtop_snapshot *s, const struct adit_participant_info *p)
{
    return p->oldest_epoch && s->stats.epoch > p->oldest_epoch ? s->stats.epoch - p->oldest_epoch : 0;
}

bool shmtop_age(const struct shmtop_snapshot *s, uint64_t at_ns, uint64_t *age_ns)
{
    *age_ns = s->now_ns > at_ns ? s->now_ns - at_ns : 0;
    return at_ns && at_ns <= s->now_ns;
}
