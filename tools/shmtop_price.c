#include "tools/shmtop_price.h"

#include <math.h>

/* Sums over classes, each weighted by 1 / cost squared: then what is least is the sum of squares of (a + b x - y) / y. */
struct sums {
    double w, wx, wxx, wy, wxy;
};

static double ns_of(const struct adit_kind_class *c, bool in_place) { return (double)(in_place ? c->inline_ns : c->worker_ns); }

static double work_of(const struct adit_kind_class *c) { return 2.0 * (double)c->work; }

static void solve(const struct sums *s, struct shmtop_price *p)
{
    double det = s->w * s->wxx - s->wx * s->wx;
    p->has_b = p->classes > 1 && det > 1e-12 * s->w * s->wxx;
    p->b_ns = p->has_b ? (s->w * s->wxy - s->wx * s->wy) / det : 0;
    if (p->b_ns < 0)
        p->b_ns = 0;
    p->a_ns = (s->wy - p->b_ns * s->wx) / s->w;
    if (p->a_ns < 0) { /* through 0, then */
        p->a_ns = 0;
        p->b_ns = s->wxy / s->wxx;
    }
}

void shmtop_price_fit(const struct adit_kind_class classes[ADIT_KIND_CLASSES], bool in_place, struct shmtop_price *out)
{
    struct sums s = {0};
    *out = (struct shmtop_price){0};
    for (uint32_t i = 0; i < ADIT_KIND_CLASSES; i++) {
        double y = ns_of(&classes[i], in_place), x = work_of(&classes[i]);
        if (y <= 0)
            continue;
        double w = 1 / (y * y);
        out->classes++;
        s.w += w;
        s.wx += w * x;
        s.wxx += w * x * x;
        s.wy += w * y;
        s.wxy += w * x * y;
    }
    if (!out->classes)
        return;
    solve(&s, out);
    for (uint32_t i = 0; i < ADIT_KIND_CLASSES; i++) {
        double y = ns_of(&classes[i], in_place);
        if (y > 0)
            out->off_percent = fmax(out->off_percent, 100 * fabs(out->a_ns + out->b_ns * work_of(&classes[i]) - y) / y);
    }
}
