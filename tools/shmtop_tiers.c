/* shmtop_tiers.c - the screen tiers: who does tasks and meshes, what it costs there, how much of it each has had, what waits, and what is switched off. */
#include <stdio.h>
#include <string.h>

#include "tools/shmtop_look.h"
#include "tools/shmtop_price.h"

/* One row. Shares are of what those with the same unit have done. */
struct tier {
    uint64_t id, done, done_before, spent_ns, spent_before;
    const char *name, *unit;
    uint64_t workers, offered, under_way, fixed_ns, each_ns; /* each_ns 0: no price is known */
    bool has_workers, has_queue, has_price, is_off;
    char off[64];
};
enum tier_id { TIER_INLINE, TIER_THREADS, TIER_PROCESSES, TIER_MAKER = 0x100, TIER_DEVICE = 0x200 };
#define TIERS_MAX 96u

struct tiers {
    uint32_t n;
    bool has_before;
    struct tier of[TIERS_MAX];
    char names[TIERS_MAX][24];
};

static struct tier *tier_more(struct tiers *t, uint64_t id, const char *name, const char *unit)
{
    struct tier *x = t->n < TIERS_MAX ? &t->of[t->n] : NULL;
    if (!x)
        return NULL;
    snprintf(t->names[t->n], sizeof t->names[0], "%s", name);
    *x = (struct tier){.id = id, .name = t->names[t->n++], .unit = unit};
    return x;
}

/* ---- of tasks --------------------------------------------------------------------------------------------------- */

static uint64_t inlined_of(const struct shmtop_snapshot *s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; s && i < s->kinds_n; i++)
        n += s->kinds[i].info.inlined;
    return n;
}

static void queues_sum(const struct shmtop_snapshot *s, uint64_t *queued, uint64_t *running)
{
    *queued = *running = 0;
    for (uint32_t i = 0; i < s->queues_n; i++)
        for (uint32_t l = 0; l < s->queues[i].view.levels_n && l < ADIT_QUEUE_LEVELS; l++) {
            *queued += s->queues[i].view.levels[l].queued;
            *running += s->queues[i].view.levels[l].running;
        }
}

static void seats_sum(const struct shmtop_snapshot *s, uint64_t *workers, uint64_t *busy)
{
    *workers = *busy = 0;
    for (uint32_t i = 0; i < s->seats_n; i++) {
        const struct adit_seat_info *seat = &s->seats[i].info;
        *workers += seat->pid && !seat->is_zygote && !seat->is_parked;
        *busy += seat->pid && !seat->is_zygote && seat->state == ADIT_WORKER_BUSY;
    }
}

static void task_tiers(const struct shmtop_look *look, struct tiers *t)
{
    const struct shmtop_snapshot *s = look->s, *was = look->before;
    uint64_t queued, running, workers, busy;
    struct tier *x = tier_more(t, TIER_INLINE, "inline", "tasks");
    queues_sum(s, &queued, &running);
    seats_sum(s, &workers, &busy);
    x->done = inlined_of(s);
    x->done_before = inlined_of(was);
    for (uint32_t i = 0; i < 2; i++) {
        const struct shmtop_crew_seen *now = i ? &s->by_processes : &s->by_threads, *then = !was ? NULL : i ? &was->by_processes : &was->by_threads;
        x = tier_more(t, i ? TIER_PROCESSES : TIER_THREADS, i ? "processes" : "threads", "tasks");
        x->done = now->runs;
        x->spent_ns = now->spent_ns;
        x->done_before = then ? then->runs : 0;
        x->spent_before = then ? then->spent_ns : 0;
        x->has_queue = true;
        x->offered = queued;
        x->under_way = i ? busy : running > busy ? running - busy : 0;
        x->has_workers = i;
        x->workers = i ? workers : 0;
    }
}

/* ---- of meshes -------------------------------------------------------------------------------------------------- */

static bool is_device(const struct shmtop_maker_seen *m) { return !strcmp(m->name, "device"); }

static const struct shmtop_maker_seen *maker_before(const struct shmtop_snapshot *was, uint32_t maker)
{
    for (uint32_t i = 0; was && i < was->makers_n; i++)
        if (was->makers[i].maker == maker)
            return &was->makers[i];
    return NULL;
}

static const struct shmtop_device_seen *device_before(const struct shmtop_snapshot *was, uint32_t device)
{
    for (uint32_t i = 0; was && i < was->devices_n; i++)
        if (was->devices[i].device == device)
            return &was->devices[i];
    return NULL;
}

/* Of who is attached, a kernel or device that was switched off as its meshes were wrong; who has left did so with that. */
static uint32_t wrong_count(const struct shmtop_look *look, uint64_t maker)
{
    uint32_t metric = shmtop_model_metric_find(look->model, "tier_wrong"), n = 0;
    for (uint32_t i = 0; i < look->s->events_n && metric != UINT32_MAX; i++) {
        const struct adit_flight_event *e = &look->s->events[i];
        const struct shmtop_member *m = e->metric == metric && e->a == maker ? shmtop_snapshot_member(look->s, e->who) : NULL;
        n += m && m->is_here;
    }
    return n;
}

static void wrong_tell(const struct shmtop_look *look, uint64_t maker, struct tier *x)
{
    uint32_t n = wrong_count(look, maker);
    x->is_off = n;
    if (n)
        snprintf(x->off, sizeof x->off, "its meshes were wrong, in %u process%s", n, n == 1 ? "" : "es");
}

static uint64_t chunks_on_devices(const struct shmtop_snapshot *s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->devices_n; i++)
        n += s->devices[i].chunks > 0 ? (uint64_t)s->devices[i].chunks : 0;
    return n;
}

static void kernel_tiers(const struct shmtop_look *look, struct tiers *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->makers_n; i++) {
        const struct shmtop_maker_seen *m = &s->makers[i], *then = maker_before(look->before, m->maker);
        bool is_known = m->meshes || wrong_count(look, m->maker) || !strcmp(m->name, "scalar") || !strcmp(m->name, "avx2") || !strcmp(m->name, "avx512");
        struct tier *x = is_known && (!is_device(m) || (!s->devices_n && wrong_count(look, m->maker))) ? tier_more(t, TIER_MAKER + m->maker, m->name, "meshes") : NULL;
        if (!x)
            continue;
        x->done = m->meshes;
        x->spent_ns = m->spent_ns;
        x->done_before = then ? then->meshes : 0;
        x->spent_before = then ? then->spent_ns : 0;
        x->has_price = m->median_ns;
        x->each_ns = m->median_ns;
        wrong_tell(look, m->maker, x);
    }
}

static uint64_t mean_of(int64_t sum, int64_t n) { return sum > 0 && n > 0 ? (uint64_t)(sum / n) : 0; }

static void device_tiers(const struct shmtop_look *look, struct tiers *t)
{
    for (uint32_t i = 0; i < look->s->devices_n; i++) {
        const struct shmtop_device_seen *d = &look->s->devices[i], *then = device_before(look->before, d->device);
        char name[24];
        snprintf(name, sizeof name, "device %u", d->device);
        struct tier *x = tier_more(t, TIER_DEVICE + d->device, name, "meshes");
        if (!x)
            return;
        x->done = d->meshes;
        x->spent_ns = d->busy_ns;
        x->done_before = then ? then->meshes : 0;
        x->spent_before = then ? then->busy_ns : 0;
        x->has_workers = x->has_queue = true;
        x->workers = d->tiers > 0 ? (uint64_t)d->tiers : 0;
        x->offered = look->s->stats.dirty;
        x->under_way = d->chunks > 0 ? (uint64_t)d->chunks : 0;
        x->fixed_ns = mean_of(d->fixed_ns, d->tiers);
        x->each_ns = mean_of(d->each_ns, d->tiers);
        x->has_price = x->each_ns;
        x->is_off = d->off > 0;
        if (x->is_off)
            snprintf(x->off, sizeof x->off, "lost to %lld of %lld dispatchers", (long long)d->off, (long long)d->tiers);
    }
}

/* ---- the tables ------------------------------------------------------------------------------------------------- */

static void tiers_make(const struct shmtop_look *look, struct tiers *t)
{
    t->n = 0;
    t->has_before = look->before;
    task_tiers(look, t);
    kernel_tiers(look, t);
    device_tiers(look, t);
}

static const struct shmtop_column tier_columns[] = {
    {"tier", "TIER", "Who does it: inline is the thread that calls, threads and processes are workers that take tasks, the others make meshes.", SHMTOP_TEXT, 10, 0},
    {"unit", "OF", "What it does: tasks (attempts), or meshes.", SHMTOP_TEXT, 6, 0},
    {"done", "DONE", "How many it has done since the arena was made, by all who were there; processes: as far as those are told of that have left.", SHMTOP_COUNT, 9, 0},
    {"done_per_s", "DONE/s", "The same, in a second.", SHMTOP_RATE, 7, 0},
    {"share_percent", "SHARE %", "Its share of all tasks, or of all meshes.", SHMTOP_PERCENT, 7, 0},
    {"offered", "OFFERED", "Its queue: tasks queued, for threads and processes together; for devices: dirty chunks, for all who mesh together.", SHMTOP_COUNT, 7, 0},
    {"under_way", "AT WORK", "Tasks that run; chunks in batches that the device has.", SHMTOP_COUNT, 7, 0},
    {"busy", "BUSY", "How many were at work at once, in the mean since the snapshot before: of a device the share of that time in which it had a batch.", SHMTOP_RATE, 6, 66},
    {"busy_percent", "BUSY %", "That as a share of its workers, or of the dispatchers that have the device; none: nobody tells how many there are.", SHMTOP_PERCENT, 6, 78},
    {"off", "OFF", "Whether it is switched off, for whom of who is attached, and why; empty: it is not.", SHMTOP_TEXT, 38, 120},
    {"is_off", "OFF?", "yes: see OFF.", SHMTOP_TEXT, 4, 71},
    {"workers", "WORKERS", "Worker processes, without those that stand by; dispatchers that have the device; none: nobody tells.", SHMTOP_COUNT, 7, 130},
    {"fixed_ns", "EACH TIME", "What a batch costs it beside its chunks, as learned.", SHMTOP_DURATION, 9, 140},
    {"each_ns", "A CHUNK", "What a chunk costs it: of a device as learned, of a kernel the median.", SHMTOP_DURATION, 9, 150},
};

static void amount_cell(struct shmtop_table *t, bool is, uint64_t count)
{
    if (is)
        shmtop_cell_count(t, count);
    else
        shmtop_cell_none(t);
}

static void real_cell(struct shmtop_table *t, bool is, double real)
{
    if (is)
        shmtop_cell_real(t, real);
    else
        shmtop_cell_none(t);
}

static double share_of(const struct tiers *t, const struct tier *x)
{
    double all = 0;
    for (uint32_t i = 0; i < t->n; i++)
        all += strcmp(t->of[i].unit, x->unit) ? 0 : (double)t->of[i].done;
    return all > 0 ? 100.0 * (double)x->done / all : -1;
}

static void tiers_fill(const struct shmtop_look *look, struct shmtop_table *table)
{
    struct tiers t;
    tiers_make(look, &t);
    for (uint32_t i = 0; i < t.n; i++) {
        const struct tier *x = &t.of[i];
        double share = share_of(&t, x), busy = shmtop_rate(look->s, look->before, x->spent_ns, x->spent_before) / 1e9;
        bool has_busy = t.has_before && x->id != TIER_INLINE;
        if (!shmtop_table_row(table, x->id, x->is_off ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(table, x->name);
        shmtop_cell_text(table, x->unit);
        shmtop_cell_count(table, x->done);
        shmtop_cell_real(table, shmtop_rate(look->s, look->before, x->done, x->done_before));
        real_cell(table, share >= 0, share);
        amount_cell(table, x->has_queue, x->offered);
        amount_cell(table, x->has_queue, x->under_way);
        real_cell(table, has_busy, busy);
        real_cell(table, has_busy && x->has_workers && x->workers, x->workers ? 100.0 * busy / (double)x->workers : 0);
        shmtop_cell_text(table, x->off);
        shmtop_cell_text(table, x->is_off ? "yes" : "");
        amount_cell(table, x->has_workers, x->workers);
        amount_cell(table, x->has_price && x->id >= TIER_DEVICE, x->fixed_ns);
        amount_cell(table, x->has_price, x->each_ns);
    }
}

static const struct shmtop_column model_columns[] = {
    {"tier", "TIER", "Where it runs: inline is the thread that calls, a worker is a thread or process that takes tasks.", SHMTOP_TEXT, 10, 0},
    {"kind", "KIND", "What runs: a kind of tasks, or meshes of chunks.", SHMTOP_TEXT, 21, 0},
    {"a_ns", "A", "What it costs however little work it is, in cost = A + B x work, which fits what was measured by class of work (kinds) best.", SHMTOP_DURATION, 9, 0},
    {"b_per_unit", "B NS/UNIT", "What each unit of the kind's work costs beside that, in ns (of meshes: each chunk); none: only one class of work was measured.", SHMTOP_RATE, 9, 0},
    {"classes", "CLASSES", "Classes of work that were measured.", SHMTOP_COUNT, 7, 0},
    {"off_percent", "OFF BY %", "How far the worst of these classes is from that line.", SHMTOP_PERCENT, 8, 75},
};

static void model_row(struct shmtop_table *t, uint64_t id, const char *tier, const char *kind, const struct shmtop_price *p)
{
    if (!p->classes || !shmtop_table_row(t, id, SHMTOP_PLAIN))
        return;
    shmtop_cell_text(t, tier);
    shmtop_cell_text(t, kind);
    shmtop_cell_count(t, p->a_ns > 0 && p->a_ns < 9e18 ? (uint64_t)(p->a_ns + 0.5) : 0);
    real_cell(t, p->has_b, p->b_ns);
    shmtop_cell_count(t, p->classes);
    real_cell(t, p->has_b, p->off_percent);
}

static void models_fill(const struct shmtop_look *look, struct shmtop_table *table)
{
    struct tiers t;
    for (uint32_t i = 0; i < look->s->kinds_n; i++)
        for (uint32_t in_place = 0; in_place < 2; in_place++) {
            const struct shmtop_kind_seen *k = &look->s->kinds[i];
            struct shmtop_price p;
            shmtop_price_fit(k->info.classes, in_place, &p);
            model_row(table, (uint64_t)k->id << 8 | in_place, in_place ? "inline" : "worker", k->info.name, &p);
        }
    tiers_make(look, &t);
    for (uint32_t i = 0; i < t.n; i++) {
        const struct tier *x = &t.of[i];
        const struct shmtop_price p = {.classes = 1, .has_b = true, .a_ns = (double)x->fixed_ns, .b_ns = (double)x->each_ns};
        if (x->has_price)
            model_row(table, 1ull << 32 | x->id, x->name, "meshes", &p);
    }
}

static void tiers_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    uint64_t on_devices = chunks_on_devices(s), in_work = s->stats.in_work;
    shmtop_page_line(page, s->tiers_off > 0 ? SHMTOP_WARNING : SHMTOP_PLAIN, "  %lld switched off; chunks: %llu wait for a mesh, kernels have %llu, devices %llu", (long long)s->tiers_off,
                     (unsigned long long)s->stats.dirty, (unsigned long long)(in_work > on_devices ? in_work - on_devices : 0), (unsigned long long)on_devices);
}

const struct shmtop_screen shmtop_screen_tiers = {
    .name = "tiers",
    .key = 'i',
    .text = "Tiers of execution: what each has done, its share, its queue, how busy it is, what it costs, and what is switched off.",
    .lines = tiers_lines,
    .tables = {{"tiers", "Tiers", tier_columns, sizeof tier_columns / sizeof *tier_columns, tiers_fill},
               {"models", "Costs: A + B x work", model_columns, sizeof model_columns / sizeof *model_columns, models_fill}},
    .tables_n = 2,
};
