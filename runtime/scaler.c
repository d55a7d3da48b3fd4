#include "runtime/scaler.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/scaling.h"
#include "shm/shm.h"

#define WAIT_MAX_NS 1500000u   /* with what it takes to see it and to start a thread, two milliseconds */
#define LOOK_NS 1000000u       /* while there is work */
#define LOOK_AGAIN_NS 100000u  /* no sooner than so after the last one */
#define REST_NS 20000000u      /* while there is none */
#define SETTLE_WAITS 5u        /* wait_max until what waits is worked off */
#define MACHINE_NS 100000000u  /* between looks at the machine */
#define UP_NS 1000000000u      /* after a change, before the next one upwards */
#define DOWN_NS 10000000000u   /* likewise downwards */
#define BUSY_SHARE 0.05        /* that a look counts in the busy share: some twenty of them */

struct adit_scaler {
    struct adit_scaler_params p;
    pthread_t thread;
    uint32_t stop; /* a futex, too */
    double cpu_pressure, memory;
    uint64_t machine_ns; /* of the last look at it */
    struct sort {
        struct adit_scaling scaling;
        double busy;
        struct adit_scaler_view before;
        enum refusal { REFUSED_NOT, REFUSED_NOW, REFUSED_FAILED } refused; /* the last advice was to wait, or could not be followed, and that was told of */
        uint32_t load_millis, grade; /* w: the thread, relaxed */
    } sorts[ADIT_SCALER_SORTS];
    uint64_t changes; /* w: the thread, relaxed */
};

/* What cannot be read counts as no pressure. */
static void look_at_machine(struct adit_scaler *s, uint64_t now)
{
    char text[4096];
    if (now - s->machine_ns < MACHINE_NS)
        return;
    s->machine_ns = now;
    if (adit_file_text("/proc/pressure/cpu", text, sizeof text) <= 0 || !adit_scaling_pressure(text, &s->cpu_pressure))
        s->cpu_pressure = 0;
    s->memory = adit_scaling_memory(adit_memory_all_bytes(), adit_memory_available_bytes());
}

/* Tells of what was changed, and once of what was not. */
static void tell(struct adit_scaler *s, uint32_t i, const struct adit_scaling_advice *a, uint32_t from, uint32_t to)
{
    enum refusal refused = from != to ? REFUSED_NOT : a->workers == from ? REFUSED_NOW : REFUSED_FAILED;
    struct sort *sort = &s->sorts[i];
    struct adit_scaled change = {.what = s->p.sorts[i].what, .from = from, .to = to, .load = a->load, .trend = a->trend, .grade = a->grade, .effectiveness = a->effectiveness};
    if (!*a->reason) {
        sort->refused = REFUSED_NOT;
        return;
    }
    memcpy(change.reason, a->reason, sizeof change.reason);
    if (s->p.scaled && (!refused || refused > sort->refused))
        s->p.scaled(&change, s->p.user);
    sort->refused = refused && refused < sort->refused ? sort->refused : refused;
}

/* How long until the next look: sooner where a task will have waited too long before. */
static uint64_t rest_ns(const struct sort *sort, uint32_t at_work, uint64_t wait_ns)
{
    uint64_t most = sort->scaling.params.wait_max_ns, left = wait_ns < most ? most - wait_ns : LOOK_NS;
    if (!wait_ns)
        return at_work ? LOOK_NS : REST_NS;
    return left < LOOK_AGAIN_NS ? LOOK_AGAIN_NS : left < LOOK_NS ? left : LOOK_NS;
}

/* One look at threads or processes; returns how long to rest. */
static uint64_t step(struct adit_scaler *s, uint32_t i)
{
    struct adit_scaler_view v;
    const struct adit_scaler_sort *p = &s->p.sorts[i];
    struct sort *sort = &s->sorts[i];
    uint64_t now = adit_clock_ns();
    p->look(s->p.pool, &v);
    look_at_machine(s, now);
    sort->busy += BUSY_SHARE * ((v.workers ? (double)v.at_work / v.workers : 0) - sort->busy);
    const struct adit_scaling_sample x = {.now_ns = now, .workers = v.workers, .busy = sort->busy, .wait_ns = v.oldest_ns < now ? now - v.oldest_ns : 0,
                                          .arrived = v.arrived - sort->before.arrived, .ended = v.ended - sort->before.ended, .cpu_pressure = s->cpu_pressure, .memory = s->memory};
    sort->before = v;
    struct adit_scaling_advice a = adit_scaling_step(&sort->scaling, &x);
    int resized = a.workers != v.workers ? p->resize(s->p.pool, a.workers) : 0;
    uint32_t to = resized > 0 ? (uint32_t)resized : v.workers;
    adit_store_relaxed(&s->changes, s->changes + (to != v.workers));
    adit_store32_relaxed(&sort->load_millis, (uint32_t)(a.load * 1000));
    adit_store32_relaxed(&sort->grade, (uint32_t)a.grade);
    tell(s, i, &a, v.workers, to);
    return rest_ns(sort, v.at_work, x.wait_ns);
}

/* Until the next look, or, where nothing goes on, a thread begins a task. */
static void rest(const struct adit_scaler *s, uint64_t ns)
{
    if (ns < REST_NS) {
        (void)adit_futex_wait(&s->stop, 0, ns);
        return;
    }
    adit_store32_release(s->p.rests, 1);
    if (!adit_load32_acquire(&s->stop)) /* who stops it makes rests 0 afterwards */
        (void)adit_futex_wait(s->p.rests, 1, ns);
    adit_store32_release(s->p.rests, 0);
}

static void *scaler_main(void *user)
{
    struct adit_scaler *s = user;
    while (!adit_load32_acquire(&s->stop)) {
        uint64_t ns = REST_NS;
        for (uint32_t i = 0; i < s->p.sorts_n; i++) {
            uint64_t its = step(s, i);
            ns = its < ns ? its : ns;
        }
        rest(s, ns);
    }
    return NULL;
}

int adit_scaler_open(const struct adit_scaler_params *params, struct adit_scaler **out)
{
    struct adit_scaler *s = *out = calloc(1, sizeof *s);
    if (!s)
        return adit_fault(-ENOMEM, "no memory for a scaler");
    s->p = *params;
    uint64_t wait_max = params->wait_max_ns ? params->wait_max_ns : WAIT_MAX_NS;
    for (uint32_t i = 0; i < params->sorts_n; i++) {
        adit_scaling_init(&s->sorts[i].scaling, &(struct adit_scaling_params){.workers_min = params->sorts[i].workers_min, .workers_max = params->sorts[i].workers_max,
                                                                              .wait_max_ns = wait_max,
                                                                              .cooldown_up_ns = params->cooldown_up_ns ? params->cooldown_up_ns : UP_NS,
                                                                              .cooldown_down_ns = params->cooldown_down_ns ? params->cooldown_down_ns : DOWN_NS,
                                                                              .settle_ns = SETTLE_WAITS * wait_max});
        params->sorts[i].look(params->pool, &s->sorts[i].before);
    }
    int error = adit_thread_start(&s->thread, scaler_main, s);
    if (!error)
        return 0;
    free(s);
    *out = NULL;
    return adit_fault(error, "cannot start a scaler: %s", strerror(-error));
}

void adit_scaler_close(struct adit_scaler **scaler)
{
    struct adit_scaler *s = *scaler;
    if (!s)
        return;
    adit_store32_release(&s->stop, 1);
    adit_futex_wake(&s->stop, 1);
    adit_store32_release(s->p.rests, 0);
    adit_futex_wake(s->p.rests, 1);
    pthread_join(s->thread, NULL);
    free(s);
    *scaler = NULL;
}

void adit_scaler_look(const struct adit_scaler *s, struct adit_pool_stats *stats)
{
    stats->changes = adit_load_relaxed(&s->changes);
    for (uint32_t i = 0; i < s->p.sorts_n; i++) {
        double load = adit_load32_relaxed(&s->sorts[i].load_millis) * 1e-3;
        if (i && load <= stats->load)
            continue;
        stats->load = load;
        stats->grade = (char)adit_load32_relaxed(&s->sorts[i].grade);
    }
}
