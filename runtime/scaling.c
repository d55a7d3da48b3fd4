#include "runtime/scaling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAISED_FROM 0.6
#define MEMORY_MAX 0.95
#define RISING 0.02 /* a trend that is more than noise */
#define AT_WORK 0.7 /* share of their time that workers should be, of arrivals that were seen for a moment */

static const double thresholds[] = {0.3, RAISED_FROM, 0.8, 0.95};
static const char *const level_names[] = {"low", "normal", "raised", "high", "critical"};

void adit_scaling_init(struct adit_scaling *s, const struct adit_scaling_params *params) { *s = (struct adit_scaling){.params = *params, .effectiveness = -1}; }

static double clamp(double x) { return x > 0 ? x < 1 ? x : 1 : 0; } /* also what is not a number */

static double load_of(const struct adit_scaling *s, const struct adit_scaling_sample *x)
{
    double wait = s->params.wait_max_ns ? clamp((double)x->wait_ns / (double)s->params.wait_max_ns) : x->wait_ns > 0;
    double load = 0.5 * clamp(x->busy) + 0.3 * wait + 0.15 * clamp(x->cpu_pressure) + 0.05 * clamp(x->memory);
    return wait >= 1 && load < 0.96 ? 0.96 : load;
}

static enum adit_load_level level_of(double load)
{
    uint32_t level = 0;
    while (level < 4 && load >= thresholds[level])
        level++;
    return (enum adit_load_level)level;
}

/* Mean of the count loads that end `back` samples ago. */
static double mean(const struct adit_scaling *s, uint32_t back, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += s->loads[(s->n - 1 - back - i) % (2 * ADIT_SCALING_SPAN)];
    return sum / count;
}

static char grade_of(const struct adit_scaling *s, double load)
{
    uint32_t n = s->n < 2 * ADIT_SCALING_SPAN ? s->n : 2 * ADIT_SCALING_SPAN, marks = 0;
    double middle = mean(s, 0, n), sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (s->loads[i] - middle) * (s->loads[i] - middle);
    double variance = sum / n;
    marks += (uint32_t)(load >= thresholds[1]) + (load >= thresholds[2]) + (load >= thresholds[3]) + (variance > 0.1 * 0.1) + (variance > 0.25 * 0.25);
    return (char)('A' + marks);
}

/* Whether enough samples have followed the last change to say what it did. */
static void judge(struct adit_scaling *s, double load)
{
    if (!s->judge_in || --s->judge_in)
        return;
    double over = s->load_before > RAISED_FROM ? s->load_before - RAISED_FROM : 0, now = load > RAISED_FROM ? load - RAISED_FROM : 0;
    s->effectiveness = s->was_up ? (over > 0 ? clamp((over - now) / over) : 1) : clamp(1 - now / (1 - RAISED_FROM));
}

/* Workers for what arrived while the oldest task has waited. */
static uint32_t for_arrivals(const struct adit_scaling *s, const struct adit_scaling_sample *x)
{
    uint64_t arrived = 0, ended = 0;
    uint32_t n = s->n < 2 * ADIT_SCALING_SPAN ? s->n : 2 * ADIT_SCALING_SPAN, half = x->workers + (x->workers + 1) / 2;
    for (uint32_t i = 0; i < n; i++) {
        const struct adit_scaling_count *c = &s->counts[(s->n - 1 - i) % (2 * ADIT_SCALING_SPAN)];
        if (i && x->now_ns - c->now_ns > x->wait_ns)
            break; /* what it counted was before that task came */
        arrived += c->arrived;
        ended += c->ended;
    }
    double most = (double)x->workers + (double)arrived, keeps_up = ended ? (double)x->workers * (double)arrived / ((double)ended * AT_WORK) : most;
    keeps_up = keeps_up < most ? keeps_up : most;
    keeps_up = keeps_up < s->params.workers_max ? keeps_up : s->params.workers_max;
    return keeps_up > half ? (uint32_t)ceil(keeps_up) : half;
}

/* Workers that the level asks for. */
static uint32_t wanted(const struct adit_scaling *s, const struct adit_scaling_sample *x, enum adit_load_level level, double trend)
{
    uint32_t workers = x->workers;
    switch (level) {
    case ADIT_LOAD_LOW: return s->low_for >= ADIT_SCALING_SPAN && trend < RISING ? workers - 1 : workers;
    case ADIT_LOAD_RAISED: return trend > RISING ? workers + 1 : workers;
    case ADIT_LOAD_HIGH: return workers + (workers + 3) / 4;
    case ADIT_LOAD_CRITICAL: return for_arrivals(s, x);
    default: return workers;
    }
}

static uint32_t within(const struct adit_scaling *s, uint32_t workers)
{
    return workers < s->params.workers_min ? s->params.workers_min : workers > s->params.workers_max ? s->params.workers_max : workers;
}

/* What keeps a change from being made; NULL: nothing. */
static const char *obstacle(const struct adit_scaling *s, const struct adit_scaling_sample *x, bool is_up, enum adit_load_level level)
{
    uint64_t last = s->up_ns > s->down_ns ? s->up_ns : s->down_ns, since = x->now_ns - last;
    if (is_up && x->memory > MEMORY_MAX)
        return "memory is short";
    if (!last)
        return NULL;
    if (is_up && level == ADIT_LOAD_CRITICAL)
        return s->up_ns && x->now_ns - s->up_ns < s->params.settle_ns ? "not settled" : NULL;
    if (is_up)
        return since < s->params.cooldown_up_ns ? "changed a moment ago" : NULL;
    return since < s->params.cooldown_down_ns ? "changed a moment ago" : NULL;
}

struct adit_scaling_advice adit_scaling_step(struct adit_scaling *s, const struct adit_scaling_sample *x)
{
    struct adit_scaling_advice a = {.load = load_of(s, x)};
    s->counts[s->n % (2 * ADIT_SCALING_SPAN)] = (struct adit_scaling_count){x->now_ns, x->arrived, x->ended};
    s->loads[s->n++ % (2 * ADIT_SCALING_SPAN)] = a.load;
    a.level = level_of(a.load);
    s->low_for = a.level == ADIT_LOAD_LOW ? s->low_for + 1 : 0;
    a.trend = s->n >= 2 * ADIT_SCALING_SPAN ? mean(s, 0, ADIT_SCALING_SPAN) - mean(s, ADIT_SCALING_SPAN, ADIT_SCALING_SPAN) : 0;
    a.grade = grade_of(s, a.load);
    judge(s, a.load);
    a.effectiveness = s->effectiveness;
    a.workers = within(s, x->workers ? wanted(s, x, a.level, a.trend) : s->params.workers_min);
    if (a.workers == x->workers)
        return a;
    bool is_up = a.workers > x->workers;
    const char *why_not = obstacle(s, x, is_up, a.level);
    snprintf(a.reason, sizeof a.reason, "load %.2f is %s, wait %.1f ms, busy %.0f %%: %u to %u workers%s%s", a.load, level_names[a.level], (double)x->wait_ns * 1e-6,
             clamp(x->busy) * 100, x->workers, a.workers, why_not ? ", not now: " : "", why_not ? why_not : "");
    if (why_not) {
        a.workers = x->workers;
        return a;
    }
    *(is_up ? &s->up_ns : &s->down_ns) = x->now_ns;
    s->low_for = 0;
    s->load_before = a.load;
    s->was_up = is_up;
    s->judge_in = ADIT_SCALING_SPAN;
    return a;
}

/* The number that follows word in text. */
static bool number_after(const char *text, const char *word, double *out)
{
    const char *at = strstr(text, word);
    char *end;
    if (!at)
        return false;
    *out = strtod(at + strlen(word), &end);
    return end != at + strlen(word) && *out >= 0;
}

bool adit_scaling_pressure(const char *text, double *share)
{
    double percent;
    if (strncmp(text, "some ", 5) || !number_after(text, "avg10=", &percent))
        return false;
    *share = clamp(percent / 100);
    return true;
}

double adit_scaling_memory(uint64_t all, uint64_t available) { return all && all != UINT64_MAX ? clamp(1 - (double)available / (double)all) : 0; }
