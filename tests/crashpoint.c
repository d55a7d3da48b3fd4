#include "tests/crashpoint.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/crashsymbols.h"
#include "tests/crashtrace.h"

#define VISITS_MAX 256u    /* a later visit is not waited for by a kill: each one before costs a stop */
#define CHANGES_MAX 600u   /* kills at boundaries after which memory had changed */
#define SAMPLE 100u        /* kills at others, besides first and last visits */
#define MISSED_SHARE 20u   /* of the kills one in so many may miss: what the kernel or the clock decides differs from run to run */
#ifdef __SANITIZE_ADDRESS__
#define EVERY 23u
#else
#define EVERY 1u
#endif

static uint32_t every = EVERY;
static uint32_t visits_every = 1; /* of first and last visits, one in so many is killed at */

_Noreturn void crash_fail(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    fflush(NULL);
    _exit(1);
}

static bool is_where_it_belongs(const char *name, uint64_t begin, uint64_t end, void *user)
{
    *(const char **)user = name;
    return strncmp(name, "adit_", 5) || (crashtrace_is_inside(begin) && end <= (uint64_t)(uintptr_t)adit_text_end);
}

_Noreturn static void skip(const char *why)
{
    puts(why);
    exit(77);
}

void crash_begin(void)
{
    const char *text = getenv("ADIT_CRASH_EVERY"), *name = "";
    cpu_set_t one;
#ifdef __SANITIZE_THREAD__
    skip("skipped: ThreadSanitizer's children cannot be stepped");
#endif
    if (text && atoi(text) > 0)
        every = (uint32_t)atoi(text);
    text = getenv("ADIT_CRASH_VISITS");
    if (text && atoi(text) > 0)
        visits_every = (uint32_t)atoi(text);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!crashsymbols_open())
        crash_fail("crash_begin", "this program has no symbol table");
    if (!crashsymbols_each(is_where_it_belongs, &name))
        crash_fail(name, "lies outside adit_text: link the library through tests/crashable.ld");
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one); /* tracer and child on one processor, whichever was the idlest just now */
    (void)sched_setaffinity(0, sizeof one, &one); /* only slower without */
    if (!crashtrace_is_possible())
        skip("skipped: no single-stepping here (ptrace is not to be had)");
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t address_of(uint32_t at) { return (uint64_t)(uintptr_t)adit_text_begin + at; }

static void *grown(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);
    if (!p)
        crash_fail("crashpoint", "no memory");
    return p;
}

static void note_bad(char *first, size_t bytes, uint64_t address, uint32_t point, const char *why)
{
    char name[96];
    if (*first)
        return;
    crashsymbols_name(address, name, sizeof name);
    snprintf(first, bytes, "before %s (boundary %u): %s", name, point, why);
}

static void add_point(struct crash_report *r, uint32_t *visits, uint64_t ip, bool changed)
{
    if (r->points == r->room) {
        r->room = r->room ? r->room * 2 : 4096;
        r->at = grown(r->at, r->room * sizeof *r->at);
        r->visit = grown(r->visit, r->room * sizeof *r->visit);
        r->changed = grown(r->changed, r->room);
    }
    uint32_t at = (uint32_t)(ip - (uint64_t)(uintptr_t)adit_text_begin), before = r->points;
    bool repeats = before && r->at[before - 1] == at; /* rep movs and the like: a breakpoint stops at the first round only */
    visits[at] += !repeats;
    r->at[before] = at;
    r->visit[before] = repeats ? UINT32_MAX : visits[at];
    r->changed[before] = changed;
    r->points++;
}

/* Every function that the operation must pass through was met. */
static void check_functions(const struct crash_operation *op, const uint32_t *visits)
{
    for (const char *const *f = op->functions; f && *f; f++) {
        uint64_t begin = 0, end = 0, met = 0;
        for (uint32_t nth = 0; crashsymbols_range(*f, nth, &begin, &end) || !nth; nth++)
            for (uint64_t a = begin; a < end && crashtrace_is_inside(a); a++)
                met += visits[a - (uint64_t)(uintptr_t)adit_text_begin];
        if (!met) {
            fprintf(stderr, "%s: ", op->name);
            crash_fail(*f, "no crash point inside");
        }
    }
}

/* Looks at the memory and judges it when it is new. */
static bool look(const struct crash_subject *subject, void *user, struct crash_report *r, const char **why)
{
    bool changed = subject->snapshot(user);
    r->tested++;
    if (changed || !r->states) {
        r->states++;
        *why = subject->judge_copy(user);
    }
    r->bad += *why != NULL;
    return changed;
}

void crash_snapshots(const struct crash_operation *op, const struct crash_subject *subject, void *user,
                     struct crash_report *r)
{
    double begin = seconds_now();
    uint32_t *visits = calloc((size_t)(adit_text_end - adit_text_begin), sizeof *visits);
    struct crashtrace t;
    const char *why = NULL;
    if (!visits)
        crash_fail("crashpoint", "no memory");
    crash_report_fini(r);
    *r = (struct crash_report){0};
    subject->reset(user);
    crashtrace_start(&t, op, user);
    for (bool more = true; more;) {
        more = crashtrace_step(&t);
        bool changed = false;
        if (!more || r->points % every == 0) {
            changed = look(subject, user, r, &why);
            if (why)
                note_bad(r->first_bad, sizeof r->first_bad, t.ip, r->points, why);
        }
        if (more)
            add_point(r, visits, t.ip, changed);
    }
    crashtrace_kill(&t);
    check_functions(op, visits);
    free(visits);
    r->seconds += seconds_now() - begin;
}

/* Marks the boundaries to be killed at; returns how many. */
static uint32_t choose(const struct crash_report *r, uint8_t *chosen)
{
    size_t text = (size_t)(adit_text_end - adit_text_begin);
    uint32_t *last = calloc(text, sizeof *last), n = 0, changes = 0, visits = 0, stride = r->points / SAMPLE + 1;
    if (!last)
        crash_fail("crashpoint", "no memory");
    for (uint32_t i = 0; i < r->points; i++) {
        if (r->visit[i] <= VISITS_MAX)
            last[r->at[i]] = i;
        changes += r->changed[i];
    }
    uint32_t each_change = changes / CHANGES_MAX + 1;
    changes = 0;
    for (uint32_t i = 0; i < r->points; i++) {
        bool by_change = r->changed[i] && changes++ % each_change == 0;
        bool by_visit = (r->visit[i] == 1 || last[r->at[i]] == i) && visits++ % visits_every == 0;
        chosen[i] = r->visit[i] <= VISITS_MAX && (by_visit || by_change || i % stride == stride / 2);
        if (chosen[i] && n++ % every)
            chosen[i] = 0;
    }
    free(last);
    return (n + every - 1) / every;
}

void crash_kills(const struct crash_operation *op, const struct crash_subject *subject, void *user,
                 struct crash_report *r)
{
    double begin = seconds_now();
    uint8_t *chosen = grown(NULL, r->points + 1);
    struct crashtrace t;
    r->kills_wanted = choose(r, chosen);
    for (uint32_t i = 0; i < r->points; i++) {
        if (!chosen[i])
            continue;
        subject->reset(user);
        crashtrace_start(&t, op, user);
        bool is_there = crashtrace_run_to(&t, address_of(r->at[i]), r->visit[i]);
        crashtrace_kill(&t);
        r->missed += !is_there;
        r->kills += is_there;
        const char *why = subject->judge_live(user);
        if (why) {
            r->kills_bad++;
            note_bad(r->first_kill_bad, sizeof r->first_kill_bad, address_of(r->at[i]), i, why);
        }
    }
    free(chosen);
    r->seconds += seconds_now() - begin;
}

bool crash_print(const char *program, const struct crash_operation *op, const struct crash_report *r)
{
    printf("%s: %s: %u points, %u looked at, %u different memories, %u bad; %u kills, %u missed, %u bad; %.1f s\n", program,
           op->name, r->points, r->tested, r->states, r->bad, r->kills, r->missed, r->kills_bad, r->seconds);
    if (*r->first_bad)
        printf("  bad: %s\n", r->first_bad);
    if (*r->first_kill_bad)
        printf("  bad after a kill: %s\n", r->first_kill_bad);
    bool few = r->missed * MISSED_SHARE > r->kills_wanted;
    if (few)
        printf("  too many kills have missed their point\n");
    return !r->bad && !r->kills_bad && !few && r->points;
}

void crash_report_fini(struct crash_report *r)
{
    free(r->at);
    free(r->visit);
    free(r->changed);
    r->at = r->visit = NULL;
    r->changed = NULL;
}
