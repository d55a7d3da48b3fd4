/* shmtop_overview.c - the screen overview: all of it in some lines, and memory by node and page size. */
#include <stdio.h>

#include "tools/say.h"
#include "tools/shmtop_alarm.h"
#include "tools/shmtop_look.h"

static void data_sum(const struct adit_stats *s, struct adit_segment_stats *sum)
{
    *sum = (struct adit_segment_stats){0};
    for (uint32_t i = 1; i < s->segments_n && i < sizeof s->segments / sizeof *s->segments; i++) {
        sum->bytes += s->segments[i].bytes;
        sum->free_bytes += s->segments[i].free_bytes;
        sum->loaned_bytes += s->segments[i].loaned_bytes;
        sum->published_bytes += s->segments[i].published_bytes;
        sum->retired_bytes += s->segments[i].retired_bytes;
    }
}

#define RATE(v) shmtop_scaled((char[16]){0}, 16, (v))

/* Who holds reclaiming back most. */
static void oldest_line(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    const struct adit_participant_info *oldest = NULL;
    char label[SHMTOP_CELL_BYTES];
    for (uint32_t i = 0; i < s->participants_n; i++) {
        const struct adit_participant_info *p = &s->participants[i].info;
        if (p->oldest_epoch && (!oldest || p->oldest_epoch < oldest->oldest_epoch))
            oldest = p;
    }
    if (oldest)
        shmtop_page_line(page, shmtop_behind(s, oldest) > 1 ? SHMTOP_WARNING : SHMTOP_PLAIN, "  section     oldest: %s (pid %u), %llu epochs behind",
                         shmtop_ascii(label, sizeof label, oldest->label), oldest->pid, (unsigned long long)shmtop_behind(s, oldest));
    else
        shmtop_page_line(page, SHMTOP_PLAIN, "  section     nobody is inside one; epoch %llu", (unsigned long long)s->stats.epoch);
}

static void trouble_line(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    uint32_t gone = 0;
    uint64_t poisoned = 0, given_up = 0;
    for (uint32_t i = 0; i < s->participants_n; i++)
        gone += s->participants[i].info.gone;
    for (uint32_t i = 0; i < s->queues_n; i++)
        for (uint32_t l = 0; l < s->queues[i].view.levels_n && l < ADIT_QUEUE_LEVELS; l++)
            poisoned += s->queues[i].view.levels[l].poisoned;
    for (uint32_t i = 0; i < s->chunks_n; i++)
        given_up += s->chunks[i].state == ADIT_CHUNK_GIVEN_UP;
    bool is_bad = gone || poisoned || given_up;
    shmtop_page_line(page, is_bad ? SHMTOP_WARNING : SHMTOP_PLAIN, "  trouble     %u participants gone, %s tasks poisoned, %s chunks given up", gone, ADIT_SAY_COUNT(poisoned), ADIT_SAY_COUNT(given_up));
}

/* "p50 1.20 ms, p99 3.40 ms", or that it has not happened. */
static const char *percentiles(const struct shmtop_look *look, const char *name, char out[64])
{
    const struct adit_histogram *h = shmtop_latency(look->model, look->s, name);
    if (h && h->count)
        snprintf(out, 64, "p50 %s, p99 %s", ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 0.5)), ADIT_SAY_DURATION((double)adit_histogram_quantile(h, 0.99)));
    else
        snprintf(out, 64, "never yet");
    return out;
}

static void latency_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    char wait[64], run[64];
    shmtop_page_line(page, SHMTOP_PLAIN, "  latency     publish to mesh %s", percentiles(look, "visible_ns", wait));
    shmtop_page_line(page, SHMTOP_PLAIN, "              task wait %s; run %s", percentiles(look, "task_wait_ns", wait), percentiles(look, "task_run_ns", run));
}

/* The grade and why, and all alerts by their names. */
static void grade_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    enum shmtop_limit nearest = shmtop_alarm_nearest(s);
    if (!s->alerts_n) {
        shmtop_page_line(page, SHMTOP_PLAIN, "  grade       %c: nothing is at its limit; nearest %s, at %.0f %%", s->grade, shmtop_limit_about[nearest].name, 100 * s->reached[nearest]);
        return;
    }
    shmtop_page_line(page, SHMTOP_WARNING, "  grade       %c: %u alerts of %u kinds; key a shows them, and what to do", s->grade, s->alerts_n, shmtop_alarm_kinds(s));
    for (uint32_t i = 0, of = 0; i < SHMTOP_LIMITS; i++, of = 0) {
        const struct shmtop_alert *first = NULL;
        char about[sizeof first->about];
        for (uint32_t k = 0; k < s->alerts_n; k++)
            if (s->alerts[k].limit == i) {
                first = first ? first : &s->alerts[k];
                of++;
            }
        if (first)
            shmtop_page_line(page, SHMTOP_WARNING, "  alert       %s: %s, %s%s", shmtop_limit_about[i].name, shmtop_limit_text(shmtop_limit_about[i].measure, first->value, (char[32]){0}, 32),
                             shmtop_ascii(about, sizeof about, first->about), of > 1 ? ", and others" : "");
    }
}

static void overview_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct adit_stats *s = &look->s->stats;
    struct shmtop_rates r = shmtop_rates_all(look->s, look->before);
    struct adit_segment_stats data;
    char bar[41];
    data_sum(s, &data);
    uint64_t used = data.bytes - data.free_bytes;
    shmtop_bar(bar, page->width >= 100 ? 40 : 20, used, data.bytes);
    shmtop_page_line(page, SHMTOP_PLAIN, "  data        [%s] %.1f %% of %s", bar, data.bytes ? 100.0 * (double)used / (double)data.bytes : 0.0, ADIT_SAY_BYTES(data.bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  blocks      published %s, retired %s, on loan %s", ADIT_SAY_BYTES(data.published_bytes), ADIT_SAY_BYTES(data.retired_bytes), ADIT_SAY_BYTES(data.loaned_bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  chunks      %s (%s of %s keys): %s uniform, %s bricks, %s dense, %s removed", ADIT_SAY_COUNT(s->chunks), ADIT_SAY_COUNT(s->keys),
                     ADIT_SAY_COUNT(s->keys_max), ADIT_SAY_COUNT(s->encodings[1]), ADIT_SAY_COUNT(s->encodings[2]), ADIT_SAY_COUNT(s->encodings[3]), ADIT_SAY_COUNT(s->encodings[4]));
    shmtop_page_line(page, SHMTOP_PLAIN, "  voxels      %s in %s", ADIT_SAY_COUNT(s->voxels), ADIT_SAY_BYTES(s->version_bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  meshes      %s: %s quads, %s faces in %s", ADIT_SAY_COUNT(s->meshes), ADIT_SAY_COUNT(s->quads), ADIT_SAY_COUNT(s->faces), ADIT_SAY_BYTES(s->mesh_bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  to mesh     %s dirty, %s in work", ADIT_SAY_COUNT(s->dirty), ADIT_SAY_COUNT(s->in_work));
    shmtop_page_line(page, SHMTOP_PLAIN, "  tasks       %s queued, %s running, %s waiting for others or their time, %s ended", ADIT_SAY_COUNT(s->tasks_queued), ADIT_SAY_COUNT(s->tasks_running),
                     ADIT_SAY_COUNT(s->tasks_delayed), ADIT_SAY_COUNT(s->tasks_ended));
    shmtop_page_line(page, SHMTOP_PLAIN, "  per second  %s published, %s edits, %s meshed, %s reclaimed, %s grace periods", RATE(r.published), RATE(r.edits), RATE(r.meshed), RATE(r.reclaimed),
                     RATE(r.grace_periods));
    shmtop_page_line(page, SHMTOP_PLAIN, "  attached    %u of %u participants, %u of %u readers, %u of %u watches", s->participants, s->participants_max, s->readers, s->readers_max, s->watches,
                     s->watches_max);
    oldest_line(look, page);
    latency_lines(look, page);
    trouble_line(look, page);
    grade_lines(look, page);
}

static const struct shmtop_column node_columns[] = {
    {"node", "NODE", "The memory node that data of the arena lie on; none: they are bound to no node.", SHMTOP_NUMBER, 5, 0},
    {"page_bytes", "PAGE", "The size of the pages that they lie in.", SHMTOP_BYTES, 8, 0},
    {"segments", "SEGMENTS", "How many data segments are of that node and page size.", SHMTOP_COUNT, 8, 0},
    {"bytes", "SIZE", "All bytes of them that blocks may use.", SHMTOP_BYTES, 9, 0},
    {"used_bytes", "USED", "Bytes of them that blocks take.", SHMTOP_BYTES, 9, 0},
    {"free_bytes", "FREE", "Bytes that are free.", SHMTOP_BYTES, 9, 0},
    {"used_percent", "USED %", "The share that is used.", SHMTOP_PERCENT, 6, 0},
};

static void nodes_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct adit_stats *s = &look->s->stats;
    uint32_t n = s->segments_n < 16 ? s->segments_n : 16;
    for (uint32_t i = 1; i < n; i++) {
        struct adit_segment_stats sum = {0};
        uint32_t same = 0;
        bool is_first = true;
        for (uint32_t k = 1; k < n; k++) {
            const struct adit_segment_stats *g = &s->segments[k];
            if (g->node != s->segments[i].node || g->page_bytes != s->segments[i].page_bytes)
                continue;
            is_first = is_first && k >= i;
            same++;
            sum.bytes += g->bytes;
            sum.free_bytes += g->free_bytes;
        }
        if (!is_first || !shmtop_table_row(t, (uint64_t)(uint32_t)s->segments[i].node << 32 | s->segments[i].page_bytes, SHMTOP_PLAIN))
            continue;
        shmtop_cell_node(t, s->segments[i].node);
        shmtop_cell_count(t, s->segments[i].page_bytes);
        shmtop_cell_count(t, same);
        shmtop_cell_count(t, sum.bytes);
        shmtop_cell_count(t, sum.bytes - sum.free_bytes);
        shmtop_cell_count(t, sum.free_bytes);
        shmtop_cell_real(t, sum.bytes ? 100.0 * (double)(sum.bytes - sum.free_bytes) / (double)sum.bytes : 0);
    }
}

/* ---- latencies -------------------------------------------------------------------------------------------------- */

static const struct shmtop_column latency_columns[] = {
    {"name", "LATENCY", "The histogram's name.", SHMTOP_TEXT, 13, 0},
    {"times", "TIMES", "How often it was measured since the arena was made.", SHMTOP_COUNT, 8, 0},
    {"p50_ns", "P50", "Half of them took no longer; this and all the others within 6.25 %.", SHMTOP_DURATION, 8, 0},
    {"p99_ns", "P99", "99 % of them took no longer.", SHMTOP_DURATION, 8, 0},
    {"most_ns", "MOST", "None took longer.", SHMTOP_DURATION, 8, 0},
    {"recent_times", "LATELY", "How often it was measured since the snapshot before; none: there is none.", SHMTOP_COUNT, 8, 0},
    {"recent_p50_ns", "P50", "Half of those took no longer.", SHMTOP_DURATION, 8, 67},
    {"recent_p99_ns", "P99", "99 % of those took no longer.", SHMTOP_DURATION, 8, 76},
    {"what", "WHAT", "What is measured.", SHMTOP_TEXT, 63, 140},
};

static void quantile_cell(struct shmtop_table *t, const struct adit_histogram *h, double share)
{
    if (h && h->count)
        shmtop_cell_count(t, adit_histogram_quantile(h, share));
    else
        shmtop_cell_none(t);
}

static void latencies_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->latencies_n; i++) {
        const struct shmtop_latency *l = &look->s->latencies[i];
        const struct adit_metric_info *m = shmtop_model_metric(look->model, l->metric);
        struct adit_histogram since = {.size = sizeof since};
        bool has_since = shmtop_latency_since(look->before, l, &since);
        if (!m || !shmtop_table_row(t, l->metric, SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, m->name);
        shmtop_cell_count(t, l->all.count);
        quantile_cell(t, &l->all, 0.5);
        quantile_cell(t, &l->all, 0.99);
        quantile_cell(t, &l->all, 1);
        if (has_since)
            shmtop_cell_count(t, since.count);
        else
            shmtop_cell_none(t);
        quantile_cell(t, has_since ? &since : NULL, 0.5);
        quantile_cell(t, has_since ? &since : NULL, 0.99);
        shmtop_cell_text(t, m->help);
    }
}

const struct shmtop_screen shmtop_screen_overview = {
    .name = "overview",
    .text = "All of it in some lines, memory by node and page size, and how long things take.",
    .lines = overview_lines,
    .tables = {{"nodes", "Memory by node and page size", node_columns, sizeof node_columns / sizeof *node_columns, nodes_fill},
               {"latencies", "Latencies", latency_columns, sizeof latency_columns / sizeof *latency_columns, latencies_fill}},
    .tables_n = 2,
};
