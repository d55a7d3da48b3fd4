/* Routing (runtime/route.h) on tiers that are made up: a clock, costs and noise of the tests' own, so all figures here are exact and the same everywhere. What real tiers make of it perf-lab shows (route). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/route.h"

enum { TIERS = 4, KINDS = 6, SIZES = 8, INLINE = 0, SLOW, MANY, DEVICE };

static uint64_t seed;

static uint64_t drawn(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static bool is_exact;

/* 0.9 to 1.1 */
static double noise(void) { return is_exact ? 1 : 0.9 + (double)(drawn() % 2001) / 10000; }

/* What work of a kind and size takes a tier: a hand-over, and a run. Inline has none to hand over; the device is quick and dear to reach; kinds differ in what they gain there. */
static uint64_t handover_of(uint32_t tier) { return (const uint64_t[]){0, 2000, 3000, 60000}[tier]; }
static uint64_t run_of(uint32_t tier, uint32_t kind, uint32_t size)
{
    static const double speed[TIERS][KINDS] = {{1, 1, 1, 1, 1, 1}, {0.8, 1.2, 1, 0.7, 1.5, 0.9}, {2, 1.8, 2.2, 1.1, 1, 2}, {20, 8, 1.5, 30, 0.5, 4}};
    return (uint64_t)((double)(500ull << (2 * size)) / speed[tier][kind]);
}

static struct adit_route made(enum adit_route_rule rule, uint32_t workers)
{
    struct adit_route r = {.rule = rule, .tiers_n = TIERS, .tiers = calloc(TIERS, sizeof *r.tiers)};
    assert_non_null(r.tiers);
    for (uint32_t i = 0; i < TIERS; i++)
        r.tiers[i].workers = workers;
    return r;
}

/* One after the other. *took: of the tiers taken, *best: of the best for each, by what it takes without noise. slow: of tier MANY. Returns why. */
static enum adit_route_why one(struct adit_route *r, uint64_t *now, uint32_t kind, uint32_t size, double slow, double outlier, uint64_t *took, uint64_t *best)
{
    const struct adit_route_work w = {.kind = kind, .size_class = size, .tiers = (1u << TIERS) - 1};
    struct adit_route_decision d;
    uint64_t least = UINT64_MAX, own = 0;
    assert_true(adit_route_choose(r, &w, *now, &d));
    for (uint32_t i = 0; i < TIERS; i++) {
        uint64_t run = (uint64_t)((double)run_of(i, kind, size) * (i == MANY ? slow : 1));
        uint64_t all = run + handover_of(i);
        least = all < least ? all : least;
        own = i == d.tier ? all : own;
    }
    double factor = noise();
    uint64_t run = (uint64_t)((double)(own - handover_of(d.tier)) * factor * outlier), all = run + handover_of(d.tier);
    *now += all;
    adit_route_end(r, &d, *now);
    adit_route_learn(r, &d, run, d.was_idle, handover_of(d.tier));
    *took += own;
    *best += least;
    return d.why;
}

/* Tasks of all kinds and sizes, n of each, in an order of chance. Returns what the router lost against the best tier for each. */
static double regret(struct adit_route *r, uint64_t *now, uint32_t n, double slow, uint32_t outliers)
{
    uint64_t took = 0, best = 0;
    for (uint32_t i = 0; i < n * KINDS * SIZES; i++) {
        uint32_t kind = (uint32_t)(drawn() % KINDS), size = (uint32_t)(drawn() % SIZES);
        one(r, now, kind, size, slow, outliers && i % outliers == 0 ? 500 : 1, &took, &best);
    }
    return (double)took / (double)best;
}

/* tried: unknown tiers not taken first; dear ones taken KNOWN times; means instead of estimates (the outliers); no hand-over in the price (inline for small work) */
static void the_best_tier_is_taken_after_ten_of_each(void **state)
{
    for (seed = 1; seed < 40; seed += 13) {
        struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 1);
        uint64_t now = 1;
        (void)regret(&r, &now, 10, 1, 0);
        double calm = regret(&r, &now, 100, 1, 0), mad = regret(&r, &now, 100, 1, 97);
        assert_true(calm >= 1 && calm <= 1.05);
        assert_true(mad <= 1.10);
        free(r.tiers);
    }
    (void)state;
}

/* tried: a rule that is taken for another */
static void other_policies_lose(void **state)
{
    for (uint32_t rule = ADIT_ROUTE_BY_TURNS; rule <= ADIT_ROUTE_BY_ORDER; rule++) {
        struct adit_route r = made((enum adit_route_rule)rule, 1);
        uint64_t now = seed = 7;
        assert_true(regret(&r, &now, 20, 1, 0) > 1.5);
        free(r.tiers);
    }
    (void)state;
}

/* Of one cell: within so many tasks it is where it belongs. tried: the slow median alone; no credit for those not taken */
static void a_tier_that_slows_down_is_left_and_taken_back(void **state)
{
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 1);
    uint64_t now = 1, took = 0, best = 0;
    const uint32_t kind = 2, size = 6; /* 2 ms inline, 0.9 on MANY, 1.4 on the device, which is next */
    seed = 5;
    for (uint32_t i = 0; i < 200; i++)
        one(&r, &now, kind, size, 1, 1, &took, &best);
    uint64_t slowed = now;
    for (uint32_t right = 0; right < 5;) {
        took = best = 0;
        one(&r, &now, kind, size, 4, 1, &took, &best);
        right = took == best ? right + 1 : 0;
        assert_true(now - slowed < 50000000);
    }
    for (uint32_t i = 0; i < 200; i++)
        one(&r, &now, kind, size, 4, 1, &took, &best);
    uint32_t tasks = 0;
    for (uint32_t right = 0; right < 5; tasks++) {
        took = best = 0;
        one(&r, &now, kind, size, 1, 1, &took, &best);
        right = took == best ? right + 1 : 0;
        assert_true(tasks < 4000);
    }
    free(r.tiers);
    (void)state;
}

/* tried: credit of a 64th to each */
static void trying_costs_a_fiftieth_at_most(void **state)
{
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 1);
    uint64_t now = seed = 3, spent = 0, lost = 0;
    uint32_t tries = 0;
    (void)regret(&r, &now, 30, 1, 0);
    for (uint32_t i = 0; i < 40000; i++) {
        uint64_t took = 0, best = 0;
        if (one(&r, &now, (uint32_t)(drawn() % KINDS), (uint32_t)(drawn() % SIZES), 1, 1, &took, &best) == ADIT_WHY_TRIED) {
            lost += took - best;
            tries++;
        }
        spent += best;
    }
    assert_true(tries > 100);
    assert_true(lost * 50 <= spent);
    free(r.tiers);
    (void)state;
}

/* ---- many at once ---- */

/* Hands over n of one kind and size that are there at once, and lets them end when they do. Returns when the last has. */
static uint64_t all_of(struct adit_route *r, uint32_t kind, uint32_t size, uint32_t n, uint32_t by[TIERS])
{
    enum { MOST = 4000 };
    static struct adit_route_decision d[MOST];
    static uint64_t ends[MOST], ran[MOST];
    static uint64_t free_at[TIERS][8];
    uint64_t now = 1, last = 0;
    assert_true(n <= MOST);
    memset(free_at, 0, sizeof free_at);
    memset(by, 0, TIERS * sizeof *by);
    const struct adit_route_work w = {.kind = kind, .size_class = size, .tiers = (1u << TIERS) - 1};
    for (uint32_t i = 0; i < n; i++) {
        assert_true(adit_route_choose(r, &w, now, &d[i]));
        uint32_t t = d[i].tier, k = 0;
        by[t]++;
        for (uint32_t m = 1; m < r->tiers[t].workers; m++)
            k = free_at[t][m] < free_at[t][k] ? m : k;
        ran[i] = (uint64_t)((double)run_of(t, kind, size) * noise());
        free_at[t][k] = ends[i] = (free_at[t][k] > now ? free_at[t][k] : now) + handover_of(t) + ran[i];
    }
    for (uint32_t done = 0; done < n; done++) {
        uint32_t next = 0;
        for (uint32_t i = 1; i < n; i++)
            next = ends[i] < ends[next] ? i : next;
        now = last = ends[next];
        adit_route_end(r, &d[next], now);
        ends[next] = UINT64_MAX;
    }
    return last;
}

/* All tiers together are quicker than the best alone: each gets what it can do until all end. tried: no wait in the price; the wait of all workers together not shared */
static void a_backlog_is_shared_so_that_all_end_together(void **state)
{
    for (uint32_t workers = 1; workers <= 2; workers++) {
        struct adit_route r = made(ADIT_ROUTE_BY_FINISH, workers);
        uint64_t now = seed = 11, took = 0, best = 0;
        uint32_t by[TIERS];
        const uint32_t kind = 2, size = 5, n = 600;
        is_exact = true; /* nothing is learned while they are handed over: what is off then stays so */
        for (uint32_t i = 0; i < 60; i++)
            one(&r, &now, kind, size, 1, 1, &took, &best);
        is_exact = false;
        for (uint32_t i = 0; i < TIERS; i++)
            r.tiers[i].due_ns = 0;
        uint64_t last = all_of(&r, kind, size, n, by);
        double rate = 0;
        for (uint32_t i = 0; i < TIERS; i++) {
            rate += workers / (double)(run_of(i, kind, size) + handover_of(i));
            assert_true(by[i] > 0);
        }
        assert_true((double)last < 1.05 * n / rate);
        free(r.tiers);
    }
    (void)state;
}

/* One quick tier that hangs, beside a slower one that does not. tried: the lateness forgotten with the next decision, so that it looks idle again a task's length later */
static void a_tier_that_hangs_is_given_ever_less(void **state)
{
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 8);
    const struct adit_route_work w = {.kind = 0, .size_class = 6, .tiers = 1u << SLOW | 1u << DEVICE};
    struct adit_route_decision d;
    uint64_t now = 1, took = 0, best = 0;
    uint32_t hung = 0;
    seed = 9;
    for (uint32_t i = 0; i < 60; i++)
        one(&r, &now, 0, 6, 1, 1, &took, &best);
    r.tiers[DEVICE].workers = 1;
    for (uint32_t i = 0; i < 5000; i++) {
        assert_true(adit_route_choose(&r, &w, now, &d));
        now += 500000; /* its 0.2 ms are over each time */
        if (d.tier == DEVICE)
            hung++; /* and never ends */
        else
            adit_route_end(&r, &d, now);
    }
    assert_in_range(hung, 1, 40); /* a doubling each, and tries */
    free(r.tiers);
    (void)state;
}

/* tried: taken again for ever, as not measured yet */
static void a_tier_of_which_nothing_comes_is_left(void **state)
{
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 4);
    const struct adit_route_work w = {.kind = 1, .size_class = 2, .tiers = 1u << INLINE | 1u << MANY | 1u << DEVICE};
    struct adit_route_decision d;
    uint32_t at[TIERS] = {0};
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(adit_route_choose(&r, &w, 1000 * i, &d));
        at[d.tier]++;
        if (d.tier == INLINE) { /* others fail, or do not answer in time */
            adit_route_end(&r, &d, 1000 * i + 800);
            adit_route_learn(&r, &d, 800, true, 0);
        } else {
            adit_route_lost(&r, &d);
        }
    }
    assert_in_range(at[MANY], 3, 30);
    assert_in_range(at[DEVICE], 3, 30);
    memset(r.tiers, 0, TIERS * sizeof *r.tiers);
    for (uint32_t i = 0; i < TIERS; i++)
        r.tiers[i].workers = 1;
    memset(at, 0, sizeof at);
    for (uint32_t i = 0; i < 300; i++) { /* nothing comes of any: somebody is taken */
        assert_true(adit_route_choose(&r, &w, 1000 * i, &d));
        at[d.tier]++;
        adit_route_lost(&r, &d);
    }
    assert_int_equal(at[INLINE] + at[MANY] + at[DEVICE], 300);
    free(r.tiers);
    (void)state;
}

/* ---- what comes to nothing ---- */

/* One after the other, on MANY and SLOW (half as quick), of which `lost` in a thousand come to nothing there, by chance, after lost_ns. Returns the tier. */
static uint32_t one_of_two(struct adit_route *r, uint64_t *now, const uint32_t lost[TIERS], uint64_t lost_ns, uint64_t *took, uint64_t *best)
{
    const struct adit_route_work w = {.kind = 2, .size_class = 6, .tiers = 1u << SLOW | 1u << MANY};
    struct adit_route_decision d;
    assert_true(adit_route_choose(r, &w, *now, &d));
    uint64_t run = (uint64_t)((double)run_of(d.tier, 2, 6) * noise());
    if (drawn() % 1000 < lost[d.tier]) {
        *now += lost_ns;
        *took += lost_ns;
        adit_route_lost(r, &d);
        adit_route_fruitless(r, &d, lost_ns);
    } else {
        *now += run + handover_of(d.tier);
        *took += run_of(d.tier, 2, 6) + handover_of(d.tier);
        *best += run_of(MANY, 2, 6) + handover_of(MANY);
        adit_route_end(r, &d, *now);
        adit_route_learn(r, &d, run, d.was_idle, handover_of(d.tier));
    }
    return d.tier;
}

static uint32_t of_many(struct adit_route *r, uint64_t *now, const uint32_t lost[TIERS], uint64_t lost_ns, uint32_t n, uint64_t *took)
{
    uint64_t best = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        at += one_of_two(r, now, lost, lost_ns, took, &best) == MANY;
    return at;
}

/* After a thousand good ones: 0.1 s each until who calls gives up, or an error at once. tried: lost shares not in the price; tries at the price of a good run; not taken back before five good ones */
static void a_tier_that_hangs_or_fails_is_left_and_taken_back(void **state)
{
    static const uint32_t none[TIERS] = {0}, all[TIERS] = {[MANY] = 1000};
    for (uint32_t hangs = 0; hangs < 2; hangs++) {
        struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 8);
        uint64_t now = 1, took = 0, lost_ns = hangs ? 100000000 : 1000, others = run_of(SLOW, 2, 6) + handover_of(SLOW);
        seed = 21;
        assert_true(of_many(&r, &now, none, 0, 1000, &took) > 950);
        assert_in_range(of_many(&r, &now, all, lost_ns, 100, &took), 4, 6);
        took = 0;
        uint32_t n = 100000, tries = of_many(&r, &now, all, lost_ns, n, &took);
        assert_in_range(tries, 1, n / 256);
        assert_true(tries * (lost_ns > others ? lost_ns : others) * 64 <= n * others);
        uint32_t tasks = 0;
        for (uint32_t right = 0; right < 5; tasks++) {
            right = of_many(&r, &now, none, 0, 1, &took) ? right + 1 : 0;
            assert_true(tasks < 256 * (lost_ns / others + 3));
        }
        assert_true(of_many(&r, &now, none, 0, 1000, &took) > 950);
        free(r.tiers);
    }
    (void)state;
}

/* Its arguments are wrong, or no is its answer: of whatever share, the price decides, but for chance in one of ten. tried: shares compared with none lost instead of with the least */
static void what_fails_everywhere_goes_where_it_costs_least(void **state)
{
    for (uint32_t lost = 100; lost <= 1000; lost += 100) {
        struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 8);
        const uint32_t none[TIERS] = {0}, all[TIERS] = {[MANY] = lost, [SLOW] = lost};
        uint64_t now = 1, took = 0;
        seed = lost;
        of_many(&r, &now, none, 0, 100, &took);
        assert_true(of_many(&r, &now, all, 900000, 10000, &took) > 9000);
        free(r.tiers);
    }
    (void)state;
}

/* tried: the share that is lost at the other left out, so that both look alike */
static void a_broken_tier_is_left_for_one_where_half_fail(void **state)
{
    const uint32_t none[TIERS] = {0}, half[TIERS] = {[MANY] = 1000, [SLOW] = 500};
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 8);
    uint64_t now = 1, took = 0;
    seed = 4;
    of_many(&r, &now, none, 0, 100, &took);
    assert_true(of_many(&r, &now, half, 900000, 10000, &took) < 1000);
    free(r.tiers);
    (void)state;
}

/* ---- what can run where ---- */

static void only_who_can_is_taken_and_why_is_said(void **state)
{
    for (uint32_t rule = ADIT_ROUTE_BY_FINISH; rule <= ADIT_ROUTE_BY_ORDER; rule++) {
        struct adit_route r = made((enum adit_route_rule)rule, 1);
        struct adit_route_work w = {.tiers = 0};
        struct adit_route_decision d;
        assert_false(adit_route_choose(&r, &w, 1, &d));
        for (uint32_t i = 0; i < 40; i++) {
            w.tiers = i % 2 ? 1u << MANY : 1u << MANY | 1u << DEVICE;
            assert_true(adit_route_choose(&r, &w, 1000 + i, &d));
            assert_true(w.tiers >> d.tier & 1);
            assert_int_equal(d.why == ADIT_WHY_ONLY, i % 2);
            adit_route_end(&r, &d, 2000 + i);
            adit_route_learn(&r, &d, 9, true, 1);
        }
        free(r.tiers);
    }
    (void)state;
}

/* Remote memory is a price like any other. tried: it left out */
static void what_lies_far_is_run_where_it_lies(void **state)
{
    struct adit_route r = made(ADIT_ROUTE_BY_FINISH, 4);
    struct adit_route_work w = {.tiers = 1u << SLOW | 1u << MANY};
    struct adit_route_decision d;
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(adit_route_choose(&r, &w, i, &d));
        adit_route_end(&r, &d, i);
        adit_route_learn(&r, &d, 1000, true, 100);
    }
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t far = i & 1 ? SLOW : MANY;
        memset(w.remote_ns, 0, sizeof w.remote_ns);
        w.remote_ns[far] = 400;
        assert_true(adit_route_choose(&r, &w, 100 + i, &d));
        assert_true(d.tier != far || d.why == ADIT_WHY_TRIED);
        adit_route_end(&r, &d, 100 + i);
        adit_route_learn(&r, &d, 1000, true, 100);
    }
    free(r.tiers);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_tier_is_taken_after_ten_of_each),
        cmocka_unit_test(other_policies_lose),
        cmocka_unit_test(a_tier_that_slows_down_is_left_and_taken_back),
        cmocka_unit_test(trying_costs_a_fiftieth_at_most),
        cmocka_unit_test(a_backlog_is_shared_so_that_all_end_together),
        cmocka_unit_test(a_tier_that_hangs_is_given_ever_less),
        cmocka_unit_test(a_tier_of_which_nothing_comes_is_left),
        cmocka_unit_test(a_tier_that_hangs_or_fails_is_left_and_taken_back),
        cmocka_unit_test(what_fails_everywhere_goes_where_it_costs_least),
        cmocka_unit_test(a_broken_tier_is_left_for_one_where_half_fail),
        cmocka_unit_test(only_who_can_is_taken_and_why_is_said),
        cmocka_unit_test(what_lies_far_is_run_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
