/* shmtop_alarm.c - each kind is measured by a function of its own; what it measures counts for the grade, be it below the limit. */
#include "tools/shmtop_alarm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Something was measured: value of what id stands for, since_ns when it came to the limit (0: not known). */
__attribute__((format(printf, 7, 8))) static void measured(const struct shmtop_model *model, struct shmtop_snapshot *s, enum shmtop_limit limit, uint64_t id, uint64_t since_ns, uint64_t value,
                                                           const char *about, ...)
{
    uint64_t at = model->limits.at[limit];
    double reached = at ? (double)value / (double)at : 0;
    s->reached[limit] = reached > s->reached[limit] ? reached : s->reached[limit];
    if (!at || value < at || s->alerts_n == SHMTOP_ALERTS_MAX)
        return;
    struct shmtop_alert *a = shmtop_snapshot_more(s, alerts);
    if (!a)
        return;
    *a = (struct shmtop_alert){.limit = limit, .id = id, .since_ns = since_ns && since_ns <= s->now_ns ? since_ns : s->now_ns, .value = value};
    va_list arguments;
    va_start(arguments, about);
    vsnprintf(a->about, sizeof a->about, about, arguments);
    va_end(arguments);
}

#define ID_OF(p) ((uint64_t)(p)->info.slot << 32 | (p)->info.generation)

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static uint64_t data_sum(const struct adit_stats *stats, bool is_retired, uint64_t *all)
{
    uint64_t sum = 0;
    *all = 0;
    for (uint32_t i = 1; i < stats->segments_n && i < 16; i++) {
        *all += stats->segments[i].bytes;
        sum += is_retired ? stats->segments[i].retired_bytes : stats->segments[i].bytes - stats->segments[i].free_bytes;
    }
    return sum;
}

/* What was retired waits for the oldest section; how much of it for that alone is not known, and nobody else can be asked first. */
static void readers_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    uint64_t all, retired = data_sum(&s->stats, true, &all);
    const struct shmtop_participant *oldest = NULL;
    for (uint32_t i = 0; i < s->participants_n; i++)
        if (shmtop_behind(s, &s->participants[i].info) > 1 && (!oldest || s->participants[i].info.oldest_epoch < oldest->info.oldest_epoch))
            oldest = &s->participants[i];
    for (uint32_t i = 0; i < s->participants_n; i++) {
        const struct shmtop_participant *p = &s->participants[i];
        uint64_t held = p == oldest && retired > p->pinned_bytes ? retired : p->pinned_bytes;
        measured(model, s, SHMTOP_READER_HELD, ID_OF(p), 0, held, "pid %u %.31s", p->info.pid, p->info.label);
    }
}

static void memory_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    uint64_t all, used = data_sum(&s->stats, false, &all);
    double share = all ? 100.0 * (double)used / (double)all : 0;
    measured(model, s, SHMTOP_MEMORY_USED, 0, 0, (uint64_t)(share < 100 ? share : 100), "data of the arena");
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void queues_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    for (uint32_t i = 0; i < s->queues_n; i++)
        for (uint32_t l = 0; l < s->queues[i].view.levels_n && l < ADIT_QUEUE_LEVELS; l++) {
            uint64_t oldest = s->queues[i].view.levels[l].oldest_ns, age;
            if (shmtop_age(s, oldest, &age))
                measured(model, s, SHMTOP_QUEUE_WAIT, (uint64_t)s->queues[i].slot << 8 | l, oldest + model->limits.at[SHMTOP_QUEUE_WAIT], age, "queue %.31s, level %u", s->queues[i].view.name, l);
        }
}

static void meshes_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    const struct adit_chunk_info *oldest = NULL;
    uint64_t age;
    for (uint32_t i = 0; i < s->chunks_n; i++)
        if (s->chunks[i].state == ADIT_CHUNK_DIRTY && s->chunks[i].dirty_ns && (!oldest || s->chunks[i].dirty_ns < oldest->dirty_ns))
            oldest = &s->chunks[i];
    if (oldest && shmtop_age(s, oldest->dirty_ns, &age))
        measured(model, s, SHMTOP_MESH_WAIT, 0, oldest->dirty_ns + model->limits.at[SHMTOP_MESH_WAIT], age, "chunk %d %d %d", oldest->key.x, oldest->key.y, oldest->key.z);
}

/* ---- frames, tiers ---------------------------------------------------------------------------------------------- */

/* Of a loop in the last minute, as far as its last frames go; *first_ns: when the first of them was to begin. */
static uint64_t loop_dropped(const struct shmtop_snapshot *s, const struct shmtop_loop_seen *l, uint64_t *first_ns)
{
    uint64_t dropped = 0, age;
    for (uint32_t i = l->past_n < SHMTOP_FRAMES ? l->past_n : SHMTOP_FRAMES; i-- > 0;) {
        const struct adit_frame_past *p = &l->past[i];
        uint64_t n = (uint64_t)p->skipped + (uint64_t)__builtin_popcount(p->missed);
        if (!n || !shmtop_age(s, p->begin_ns, &age) || age > SHMTOP_FRAMES_SPAN_NS)
            continue;
        dropped += n;
        *first_ns = p->begin_ns;
    }
    return dropped;
}

/* By the counter, as far as the history goes, or by what recorders and loops still hold: each may know of some that the others do not. */
static void frames_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    uint32_t missed = shmtop_model_metric_find(model, "frame_missed");
    uint64_t told = 0, first_ns = 0, counted = 0;
    const struct shmtop_member *who = NULL;
    for (uint32_t i = 0; i < s->events_n && missed != UINT32_MAX; i++) {
        uint64_t age;
        if (s->events[i].metric != missed || !shmtop_age(s, s->events[i].at_ns, &age) || age > SHMTOP_FRAMES_SPAN_NS)
            continue;
        who = who ? who : shmtop_snapshot_member(s, s->events[i].who);
        first_ns = s->events[i].at_ns;
        told++;
    }
    for (uint32_t i = 0; i < model->history_n && !counted; i++)
        if (s->taken_ns - model->history[i]->taken_ns <= SHMTOP_FRAMES_SPAN_NS && s->frames_missed > model->history[i]->frames_missed)
            counted = (uint64_t)s->frames_missed - (uint64_t)model->history[i]->frames_missed;
    const struct shmtop_loop_seen *worst = NULL;
    uint64_t most = 0, looped = 0, since_ns = 0;
    for (uint32_t i = 0; i < s->loops_n; i++) {
        uint64_t its_ns = 0, n = loop_dropped(s, &s->loops[i], &its_ns);
        looped += n;
        since_ns = n && (!since_ns || its_ns < since_ns) ? its_ns : since_ns;
        worst = n > most ? &s->loops[i] : worst;
        most = n > most ? n : most;
    }
    counted = looped > counted ? looped : counted;
    if (worst && most >= told)
        measured(model, s, SHMTOP_FRAMES_DROPPED, 0, since_ns, counted, "pid %u %.31s", worst->info.pid, worst->info.label);
    else if (who)
        measured(model, s, SHMTOP_FRAMES_DROPPED, 0, first_ns, told > counted ? told : counted, "pid %u %.31s", who->pid, who->label);
    else
        measured(model, s, SHMTOP_FRAMES_DROPPED, 0, 0, counted, "loops at a rate");
}

static void tiers_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    measured(model, s, SHMTOP_TIERS_OFF, 0, 0, s->tiers_off > 0 ? (uint64_t)s->tiers_off : 0, "devices and kernels");
}

/* ---- the dead --------------------------------------------------------------------------------------------------- */

static bool is_told(const struct shmtop_snapshot *s, const char *about)
{
    for (uint32_t i = 0; i < s->alerts_n; i++)
        if (s->alerts[i].limit == SHMTOP_PARTICIPANT_LOST && !strncmp(s->alerts[i].about, about, strlen(about)))
            return true;
    return false;
}

/* The limit is how long it is told: there is no less and no more of it. */
static void lost_add(const struct shmtop_model *model, struct shmtop_snapshot *s, uint64_t id, uint64_t since_ns, uint32_t pid, const char *label)
{
    char about[24];
    snprintf(about, sizeof about, "pid %u ", pid);
    if (!model->limits.at[SHMTOP_PARTICIPANT_LOST] || is_told(s, about))
        return;
    measured(model, s, SHMTOP_PARTICIPANT_LOST, id, since_ns, model->limits.at[SHMTOP_PARTICIPANT_LOST], "%s%.31s", about, label);
}

static void lost_measure(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    uint32_t death = shmtop_model_metric_find(model, "death");
    for (uint32_t i = 0; i < s->participants_n; i++) { /* nobody has recovered these yet */
        const struct adit_participant_info *p = &s->participants[i].info;
        if (p->gone || (p->state && !strcmp(p->state, "dead")))
            lost_add(model, s, ID_OF(&s->participants[i]), 0, p->pid, p->label);
    }
    for (uint32_t i = 0; i < s->events_n && death != UINT32_MAX; i++) {
        const struct adit_flight_event *e = &s->events[i];
        uint64_t age;
        if (e->metric != death || !shmtop_age(s, e->at_ns, &age) || age > model->limits.at[SHMTOP_PARTICIPANT_LOST])
            continue;
        const struct shmtop_member *who = e->a <= UINT32_MAX ? shmtop_snapshot_member(s, (uint32_t)e->a) : NULL;
        lost_add(model, s, e->a ^ 1ull << 63, e->at_ns, (uint32_t)e->b, who ? who->label : "");
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

uint32_t shmtop_alarm_kinds(const struct shmtop_snapshot *s)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < s->alerts_n; i++)
        kinds |= 1u << s->alerts[i].limit;
    return (uint32_t)__builtin_popcount(kinds);
}

enum shmtop_limit shmtop_alarm_nearest(const struct shmtop_snapshot *s)
{
    uint32_t nearest = 0;
    for (uint32_t i = 1; i < SHMTOP_LIMITS; i++)
        nearest = s->reached[i] > s->reached[nearest] ? i : nearest;
    return (enum shmtop_limit)nearest;
}

static char grade_of(const struct shmtop_snapshot *s)
{
    uint32_t kinds = shmtop_alarm_kinds(s);
    double nearest = s->reached[shmtop_alarm_nearest(s)];
    bool has_trouble = false;
    for (uint32_t i = 0; i < s->queues_n; i++)
        for (uint32_t l = 0; l < s->queues[i].view.levels_n && l < ADIT_QUEUE_LEVELS; l++)
            has_trouble |= s->queues[i].view.levels[l].poisoned > 0;
    for (uint32_t i = 0; i < s->chunks_n && !has_trouble; i++)
        has_trouble = s->chunks[i].state == ADIT_CHUNK_GIVEN_UP;
    return kinds >= 3 ? 'F' : kinds == 2 ? 'E' : kinds ? 'D' : has_trouble || nearest >= 0.75 ? 'C' : nearest >= 0.5 ? 'B' : 'A';
}

/* An alert of the snapshot before goes on: since then. */
static void since_keep(struct shmtop_snapshot *s, const struct shmtop_snapshot *last)
{
    for (uint32_t i = 0; i < s->alerts_n; i++) {
        struct shmtop_alert *a = &s->alerts[i];
        for (uint32_t k = 0; last && k < last->alerts_n; k++)
            if (last->alerts[k].limit == a->limit && last->alerts[k].id == a->id && last->alerts[k].since_ns < a->since_ns)
                a->since_ns = last->alerts[k].since_ns;
        if (a->limit == SHMTOP_PARTICIPANT_LOST)
            a->value = s->now_ns - a->since_ns;
    }
}

void shmtop_alarm_take(const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    readers_measure(model, s);
    queues_measure(model, s);
    meshes_measure(model, s);
    frames_measure(model, s);
    tiers_measure(model, s);
    lost_measure(model, s);
    memory_measure(model, s);
    since_keep(s, model->history_n ? model->history[model->history_n - 1] : NULL);
    s->grade = grade_of(s);
}
