/* bench.c - the repetition rule, and what counts as a disturbance.
 *
 * The kernel counts, for each thread, the times it was taken off its CPU against its will (ru_nivcsw). The count is
 * read around each pair, for the measuring thread by getrusage and for the partner from /proc/PID/status, both outside
 * the timed blocks. That alone would prefer pairs during which the partner was away all the time: so it answers at the
 * start of each block (partner_assign) and at the end of the pair. Answers and an equal count prove that it was there.
 * Interrupts and the hypervisor's own scheduling remain; medians have to bear those.
 */
#include "perf/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "perf/partner.h"

#define INTERVAL_ENOUGH 0.01
#define ROUNDS_LIMIT (1ull << 32)
#define CALIBRATE_STEPS 48
#define CALIBRATE_ENOUGH 3 /* blocks of full length before the measuring begins */

void bench_init(struct bench *bench, const struct machine *machine, const char *scene, struct figure_list *list,
                bool is_short)
{
    memset(bench, 0, sizeof *bench);
    bench->machine = machine;
    bench->scene = scene;
    bench->list = list;
    bench->is_short = is_short;
    bench->budget_ns = is_short ? 0.4e9 : 4e9;
    bench->least_ns = is_short ? 0.1e9 : 1e9;
    bench->block_ns = is_short ? 150e3 : 400e3;
}

static int let_run_on(const cpu_set_t *set) { return sched_setaffinity(0, sizeof *set, set) == 0 ? 0 : -errno; }

int bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return let_run_on(&set);
}

int bench_unpin(const struct machine *machine)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < machine->cpus_online && i < CPU_SETSIZE; i++)
        CPU_SET(i, &set);
    return let_run_on(&set);
}

void bench_skip(struct bench *bench, const char *figure, const char *why)
{
    struct figure *row = figure_add(bench->list, bench->scene, figure, "-");
    if (!row)
        return;
    row->state = FIGURE_SKIPPED;
    snprintf(row->note, sizeof row->note, "%s", why);
}

void bench_fail(struct bench *bench, const char *figure, const char *what, int error)
{
    struct figure *row = figure_add(bench->list, bench->scene, figure, "-");
    if (!row)
        return;
    row->state = FIGURE_FAILED;
    snprintf(row->note, sizeof row->note, "%s: %s", what, strerror(error < 0 ? -error : error));
}

void bench_watch_partner(struct bench *bench, struct partner *partner)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)partner->pid);
    bench->partner = partner;
    bench->partner_status_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* Times this thread and the partner were taken off their CPUs so far; -1 when the partner cannot be asked. */
static long switches(const struct bench *bench)
{
    static const char name[] = "nonvoluntary_ctxt_switches:";
    struct rusage usage;
    char text[4096];
    long count = getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;

    if (!bench->partner)
        return count;
    ssize_t got = pread(bench->partner_status_fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    const char *at = strstr(text, name);
    return at ? count + strtol(at + sizeof name - 1, NULL, 10) : -1;
}

/* Rounds for a block of the wanted length. Serves as warm-up: the rounds grow at most fourfold from one block to the next,
 * and the first ones (faults, cold caches, a partner just awake) do not count, since a block that falls short of the wanted
 * length has it grow on. */
static int calibrate(const struct bench *bench, const struct bench_spec *spec, const struct bench_side *side,
                     uint64_t *rounds)
{
    uint64_t limit = spec->rounds_max ? spec->rounds_max : ROUNDS_LIMIT;
    int enough = 0;

    *rounds = 1;
    for (int step = 0; step < CALIBRATE_STEPS && enough < CALIBRATE_ENOUGH; step++) {
        double ns = side->block(side->context, *rounds);
        if (ns < 0)
            return (int)ns;
        double length = ns * (double)*rounds, growth = length > 0 ? bench->block_ns / length : 4;
        enough = growth < 1.25 || *rounds >= limit ? enough + 1 : 0;
        if (growth > 1 || enough == CALIBRATE_ENOUGH) {
            double wanted = (double)*rounds * (growth > 4 ? 4 : growth);
            *rounds = wanted >= (double)limit ? limit : wanted < 1 ? 1 : (uint64_t)wanted;
        }
    }
    return 0;
}

struct samples {
    double ours[STATS_SAMPLES_MAX], raw[STATS_SAMPLES_MAX], ratio[STATS_SAMPLES_MAX], sorted[STATS_SAMPLES_MAX];
    size_t count;
    uint32_t disturbed;
    bool crowded; /* so many pairs were disturbed that some had to be kept */
};

static int run_pair(const struct bench_spec *spec, const uint64_t rounds[2], bool raw_first, double *ours, double *raw)
{
    const struct bench_side *a = &spec->ours, *b = &spec->raw;

    *ours = *raw = 0;
    if (b->block && raw_first && (*raw = b->block(b->context, rounds[1])) < 0)
        return (int)*raw;
    if ((*ours = a->block(a->context, rounds[0])) < 0)
        return (int)*ours;
    if (b->block && !raw_first && (*raw = b->block(b->context, rounds[1])) < 0)
        return (int)*raw;
    return 0;
}

static void interval_of(struct samples *samples, const double *values, struct stats_interval *interval, double *middle)
{
    memcpy(samples->sorted, values, samples->count * sizeof *values);
    stats_sort(samples->sorted, samples->count);
    *middle = stats_median(samples->sorted, samples->count);
    stats_median_interval(samples->sorted, samples->count, samples->count, interval);
}

static bool is_narrow(struct samples *samples, const struct bench_spec *spec)
{
    struct stats_interval interval;
    double middle;
    interval_of(samples, spec->raw.block ? samples->ratio : samples->ours, &interval, &middle);
    return stats_interval_width(&interval, middle) < INTERVAL_ENOUGH;
}

static int collect(struct bench *bench, const struct bench_spec *spec, const uint64_t rounds[2], struct samples *samples)
{
    double began = clock_now_ns(), until = began + bench->budget_ns;
    size_t judge_at = BENCH_PAIRS_MIN;

    for (uint64_t pair = 0; samples->count < STATS_SAMPLES_MAX; pair++) {
        double ours, raw;
        long before = switches(bench);
        int error = run_pair(spec, rounds, pair & 1, &ours, &raw);
        if (!error && bench->partner)
            error = partner_confirm(bench->partner);
        if (error)
            return error;
        double now = clock_now_ns();
        bool late = now > until;
        if (switches(bench) != before) {
            samples->disturbed++;
            if (!late && samples->disturbed <= samples->count + BENCH_PAIRS_MIN)
                continue;
            samples->crowded = true;
        }
        samples->ours[samples->count] = ours;
        samples->raw[samples->count] = raw;
        samples->ratio[samples->count++] = raw > 0 ? ours / raw : 0;
        if (samples->count >= BENCH_PAIRS_MIN && late)
            break;
        if (samples->count >= judge_at && now - began > bench->least_ns) {
            if (is_narrow(samples, spec))
                break;
            judge_at *= 2;
        }
    }
    return 0;
}

static void conclude(const struct bench_spec *spec, struct samples *samples, bool has_raw, struct figure *row)
{
    double scale = spec->scale > 0 ? spec->scale : 1, middle;

    interval_of(samples, samples->ours, &row->interval, &row->median);
    row->p10 = stats_percentile(samples->sorted, samples->count, 0.1) * scale;
    row->p90 = stats_percentile(samples->sorted, samples->count, 0.9) * scale;
    row->p99 = stats_has_percentile(samples->count, 0.99) ? stats_percentile(samples->sorted, samples->count, 0.99) * scale : NAN;
    row->p999 = stats_has_percentile(samples->count, 0.999) ? stats_percentile(samples->sorted, samples->count, 0.999) * scale : NAN;
    row->median *= scale;
    row->interval.low *= scale;
    row->interval.high *= scale;
    row->goal = spec->goal;
    row->blocks = (uint32_t)samples->count;
    row->blocks_disturbed = samples->disturbed;
    row->has_raw = has_raw;
    if (row->has_raw) {
        struct stats_interval unused;
        snprintf(row->raw_name, sizeof row->raw_name, "%s", spec->raw.name);
        interval_of(samples, samples->raw, &unused, &middle);
        row->raw_median = middle * scale;
        interval_of(samples, samples->ratio, &row->ratio_interval, &row->ratio);
    }
    snprintf(row->note, sizeof row->note, "%s%s%s", spec->note ? spec->note : "", spec->note && samples->crowded ? "; " : "",
             samples->crowded ? "busy machine: disturbed blocks are among these" : "");
}

static void add_row(struct bench *bench, const struct bench_spec *spec, struct samples *samples, bool has_raw)
{
    struct figure *row = figure_add(bench->list, bench->scene, spec->figure, spec->unit);
    if (!row)
        return;
    conclude(spec, samples, has_raw, row);
    fprintf(stderr, "    %-38s %12.3f %s\n", row->name, row->median, row->unit);
}

int bench_record(struct bench *bench, const struct bench_spec *spec, const double *ours, const double *raw, size_t count)
{
    struct samples *samples = calloc(1, sizeof *samples);
    int error = !samples ? -ENOMEM : !count || count > STATS_SAMPLES_MAX ? -EINVAL : 0;
    for (size_t i = 0; i < count && !error; i++) {
        samples->ours[i] = ours[i];
        samples->raw[i] = raw ? raw[i] : 0;
        samples->ratio[i] = raw && raw[i] > 0 ? ours[i] / raw[i] : 0;
        samples->count++;
    }
    if (error)
        bench_fail(bench, spec->figure, "recording", error);
    else
        add_row(bench, spec, samples, raw != NULL);
    free(samples);
    return error;
}

int bench_measure(struct bench *bench, const struct bench_spec *spec)
{
    struct samples *samples = calloc(1, sizeof *samples);
    uint64_t rounds[2] = {0, 0};
    int error = samples ? 0 : -ENOMEM;

    if (!error)
        error = calibrate(bench, spec, &spec->ours, &rounds[0]);
    if (!error && spec->raw.block)
        error = calibrate(bench, spec, &spec->raw, &rounds[1]);
    if (!error)
        error = collect(bench, spec, rounds, samples);
    if (error)
        bench_fail(bench, spec->figure, "measuring", error);
    else
        add_row(bench, spec, samples, spec->raw.block != NULL);
    free(samples);
    return error;
}
