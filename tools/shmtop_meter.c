/* shmtop_meter.c - recorders are read all at once: their events are of one list, sorted by time. How many they may hold is known before from what their threads say. */
#include "tools/shmtop_meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/worker_slot.h"

#define THREADS_MAX 65536u    /* of a list that lies in shared memory */
#define LABELS_MAX 64u
#define RECORDER_EVENTS 256u  /* that a thread's ring holds */

void shmtop_meter_begin(const struct adit_arena *arena, struct shmtop_model *model)
{
    for (model->metrics_n = 0; model->metrics_n < SHMTOP_METRICS_MAX; model->metrics_n++) {
        struct adit_metric_info *m = &model->metrics[model->metrics_n];
        *m = (struct adit_metric_info){.size = sizeof *m};
        int error = adit_metric_get(arena, model->metrics_n, m);
        if (error && error != -EBADMSG) /* a damaged one stays, as nothing */
            break;
    }
}

static struct shmtop_member *member_find(struct shmtop_snapshot *s, uint32_t who)
{
    for (uint32_t i = 0; i < s->members_n; i++)
        if (s->members[i].who == who)
            return &s->members[i];
    return NULL;
}

static struct shmtop_member *member_of(struct shmtop_snapshot *s, const struct adit_metric_thread *t)
{
    struct shmtop_member *m = member_find(s, t->who);
    m = m ? m : shmtop_snapshot_more(s, members);
    if (m && !m->who) {
        m->who = t->who;
        m->slot = t->slot;
        m->pid = t->pid;
        memcpy(m->label, t->label, sizeof m->label);
        m->label[sizeof m->label - 1] = 0;
    }
    return m;
}

/* Returns how many events there may be. */
static uint32_t members_take(const struct adit_arena *arena, struct shmtop_snapshot *s)
{
    uint32_t events = 0;
    for (uint32_t i = 0; i < THREADS_MAX; i++) {
        struct adit_metric_thread t = {.size = sizeof t};
        int error = adit_metric_thread_get(arena, i, &t);
        if (error == -ENOENT)
            continue;
        if (error)
            break;
        struct shmtop_member *m = t.who ? member_of(s, &t) : NULL;
        if (!m)
            continue;
        m->threads++;
        m->events += t.events;
        m->is_here |= t.is_here;
        events += RECORDER_EVENTS; /* it goes on meanwhile */
    }
    return events;
}

/* A counter's or gauge's value; 0: there is no such metric. */
static int64_t value_of(const struct adit_arena *arena, const struct shmtop_model *model, const char *name)
{
    uint32_t metric = shmtop_model_metric_find(model, name);
    int64_t value = 0;
    return metric != UINT32_MAX && !adit_metric_value(arena, metric, ADIT_METRIC_ALL, 0, &value) ? value : 0;
}

static int64_t value_at(const struct adit_arena *arena, const struct shmtop_model *model, const char *name, uint32_t label, uint32_t who)
{
    uint32_t metric = shmtop_model_metric_find(model, name);
    int64_t value = 0;
    return metric != UINT32_MAX && !adit_metric_value(arena, metric, label, who, &value) ? value : 0;
}

/* How many values the label of a metric has, at most LABELS_MAX. */
static uint32_t labels_of(const struct shmtop_model *model, const char *name)
{
    uint32_t metric = shmtop_model_metric_find(model, name), n = metric == UINT32_MAX ? 0 : model->metrics[metric].labels;
    return n < LABELS_MAX ? n : LABELS_MAX;
}

static uint64_t whole(double ns) { return ns > 0 && ns < 9e18 ? (uint64_t)ns : 0; }

/* Of one participant: kind by kind, of those that have been run, as each look at a histogram is one at all cells. */
static struct shmtop_crew_seen crew_of(const struct adit_arena *arena, const struct shmtop_model *model, const struct shmtop_snapshot *s, uint32_t who)
{
    uint32_t metric = shmtop_model_metric_find(model, "task_run_ns");
    struct shmtop_crew_seen seen = {0};
    for (uint32_t i = 0; i < s->kinds_n; i++) {
        struct adit_histogram h = {.size = sizeof h};
        uint64_t runs = s->kinds[i].info.runs ? (uint64_t)value_at(arena, model, "tasks_run", s->kinds[i].id, who) : 0;
        seen.runs += runs;
        if (runs && metric != UINT32_MAX && !adit_metric_histogram(arena, metric, s->kinds[i].id, who, &h))
            seen.spent_ns += whole(adit_histogram_sum(&h));
    }
    return seen;
}

static void makers_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    uint32_t made = shmtop_model_metric_find(model, "meshes_made"), took = shmtop_model_metric_find(model, "mesh_ns");
    for (uint32_t i = 0; i < labels_of(model, "meshes_made"); i++) {
        struct shmtop_maker_seen seen = {.maker = i, .meshes = (uint64_t)value_at(arena, model, "meshes_made", i, 0)};
        struct adit_histogram h = {.size = sizeof h};
        if (adit_metric_label(arena, made, i, seen.name, sizeof seen.name) || (took != UINT32_MAX && adit_metric_histogram(arena, took, i, 0, &h)))
            continue;
        seen.median_ns = adit_histogram_quantile(&h, 0.5);
        seen.spent_ns = whole(adit_histogram_sum(&h));
        struct shmtop_maker_seen *kept = shmtop_snapshot_more(s, makers);
        if (kept)
            *kept = seen;
    }
}

static void devices_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    for (uint32_t i = 0; i < labels_of(model, "device_tiers"); i++) {
        const struct shmtop_device_seen seen = {.device = i,
                                                .tiers = value_at(arena, model, "device_tiers", i, 0),
                                                .off = value_at(arena, model, "device_off", i, 0),
                                                .fixed_ns = value_at(arena, model, "device_fixed_ns", i, 0),
                                                .each_ns = value_at(arena, model, "device_each_ns", i, 0),
                                                .chunks = value_at(arena, model, "device_chunks", i, 0),
                                                .meshes = (uint64_t)value_at(arena, model, "device_meshes", i, 0),
                                                .busy_ns = (uint64_t)value_at(arena, model, "device_busy_ns", i, 0)};
        struct shmtop_device_seen *kept = seen.tiers > 0 || seen.meshes ? shmtop_snapshot_more(s, devices) : NULL;
        if (kept)
            *kept = seen;
    }
}

/* Worker processes are known by their label: also those that have left, as long as they are told of. All others' are threads'; what is run in place is not among them. */
static void crews_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    const struct adit_histogram *run = shmtop_latency(model, s, "task_run_ns");
    struct shmtop_crew_seen all = {(uint64_t)value_at(arena, model, "tasks_run", ADIT_METRIC_ALL, 0), run ? whole(adit_histogram_sum(run)) : 0};
    for (uint32_t i = 0; i < s->members_n; i++) {
        const struct shmtop_member *m = &s->members[i];
        if (strncmp(m->label, ADIT_WORKER_LABEL, sizeof ADIT_WORKER_LABEL - 1))
            continue;
        struct shmtop_crew_seen its = crew_of(arena, model, s, m->who);
        s->by_processes.runs += its.runs;
        s->by_processes.spent_ns += its.spent_ns;
    }
    s->by_threads.runs = all.runs > s->by_processes.runs ? all.runs - s->by_processes.runs : 0; /* they go on meanwhile */
    s->by_threads.spent_ns = all.spent_ns > s->by_processes.spent_ns ? all.spent_ns - s->by_processes.spent_ns : 0;
}

static void latencies_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    for (uint32_t i = 0; i < model->metrics_n; i++) {
        struct shmtop_latency seen = {.metric = i, .all.size = sizeof seen.all};
        if (model->metrics[i].type != ADIT_METRIC_HISTOGRAM || adit_metric_histogram(arena, i, ADIT_METRIC_ALL, 0, &seen.all))
            continue;
        struct shmtop_latency *kept = shmtop_snapshot_more(s, latencies);
        if (kept)
            *kept = seen;
    }
}

static void events_take(const struct adit_arena *arena, struct shmtop_snapshot *s)
{
    uint32_t max = members_take(arena, s);
    struct adit_flight_event *all = max ? malloc(max * sizeof *all) : NULL;
    int n = all ? adit_metric_events(arena, 0, all, max) : 0;
    struct shmtop_member *m = NULL;
    s->is_short |= (max && !all) || n < 0;
    s->events_all = n > 0 ? (uint64_t)n : 0;
    for (int i = n; i-- > 0;) {
        if (!m || m->who != all[i].who)
            m = member_find(s, all[i].who);
        if ((uint32_t)(n - 1 - i) >= SHMTOP_EVENTS_MAX && (!m || m->told >= SHMTOP_EVENTS_EACH))
            continue;
        struct adit_flight_event *kept = shmtop_snapshot_more(s, events);
        if (kept)
            *kept = all[i];
        if (m)
            m->told++;
    }
    free(all);
}

void shmtop_meter_take(const struct adit_arena *arena, const struct shmtop_model *model, struct shmtop_snapshot *s)
{
    s->frames_missed = value_of(arena, model, "frames_missed");
    s->tiers_off = value_of(arena, model, "tiers_off");
    latencies_take(arena, model, s);
    events_take(arena, s);
    makers_take(arena, model, s);
    devices_take(arena, model, s);
    crews_take(arena, model, s);
}
