/* metrics.c - counting: who has which shard, and the ring of events (metrics.h, layout_metrics.h).
 *
 * Why nothing that was counted is lost or counted twice. Words of shards and cells are never set back and never moved: the sum over all of them is the count. A death
 * leaves the words as they are, whatever it comes in the middle of, as an addition is one store. Two threads never have the same shard: owner says whose process has it,
 * by a compare-and-swap, and within a process it is one seat's, under seats_lock. A dead owner's word is set to 0 by recovery alone, when its process is gone.
 *
 * A reader of a ring (after H.-J. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012) copies an event between two looks at its mark:
 *
 *     writer: mark = 0 ; fence release ; the rest, relaxed       ; mark = p's, release ; head = p + 1, release
 *     reader: load mark, acquire       ; copy the rest, relaxed  ; fence acquire       ; load mark: the same, or it is left out
 *
 * A reader that copied any word of a later event passes its fence and then sees that event's mark, or the 0 before it. Marks of one place differ by their serials. */
#include "shm/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local struct adit_metric_seats adit_metric_seats;

static pthread_mutex_t seats_lock = PTHREAD_MUTEX_INITIALIZER;
static struct adit_metric_seat *seats; /* of this process, all its arenas'; under seats_lock */
static pthread_key_t thread_end;
static bool has_thread_end;

/* ---- threads and forks ------------------------------------------------------------------------------------------ */

/* A thread ends: its seats are for the next ones. */
static void stand_up(void *thread)
{
    memset(&adit_metric_seats, 0, sizeof adit_metric_seats);
    pthread_mutex_lock(&seats_lock);
    for (struct adit_metric_seat *s = seats; s; s = s->next)
        if (s->thread == thread)
            s->thread = NULL;
    pthread_mutex_unlock(&seats_lock);
}

static void before_fork(void) { pthread_mutex_lock(&seats_lock); }
static void after_fork(void) { pthread_mutex_unlock(&seats_lock); }

static void mind_threads(void)
{
    has_thread_end = !pthread_key_create(&thread_end, stand_up);
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

/* ---- shards and cells ------------------------------------------------------------------------------------------- */

/* Whether this participant may have a further shard: others keep one each. Advice, as others come and go. */
static bool may_have_more(const struct adit_arena *a)
{
    uint32_t unused = 0, coming = 0;
    for (uint32_t i = 0; i < a->participants_max; i++)
        coming += adit_part_state(adit_load_relaxed(&a->participants[i].word)) == ADIT_PART_FREE;
    for (uint32_t i = 1; i < a->metric_shards_n; i++)
        unused += !adit_load32_relaxed(&a->metric_shards[i].owner);
    return unused > coming;
}

/* Takes the free shard that was left first: one that nobody ever had, if there is one, behind which nothing need be looked at, as each is on pages that a new process has not touched.
 * NULL: there is none. */
static struct adit_metric_shard *take_shard(const struct adit_arena *a)
{
    for (uint32_t tries = 0; tries < a->metric_shards_n; tries++) { /* each time somebody else was quicker */
        struct adit_metric_shard *best = NULL;
        uint64_t first = UINT64_MAX;
        for (uint32_t i = 1; i < a->metric_shards_n && first; i++) {
            struct adit_metric_shard *s = &a->metric_shards[i];
            uint64_t left = adit_load_relaxed(&s->left_ns); /* relaxed: advice; the CAS decides */
            if (adit_load32_relaxed(&s->owner) || left >= first)
                continue;
            first = left;
            best = s;
        }
        uint32_t nobody = 0;
        if (!best)
            return NULL;
        if (adit_cas32_acq_rel(&best->owner, &nobody, a->owner)) /* METRIC:take, pairs with METRIC:leave: what the last owner counted */
            return best;
    }
    return NULL;
}

/* The words of one thread, from now on this one's. */
static void begin_shard(const struct adit_arena *a, struct adit_metric_shard *s, uint32_t tid)
{
    adit_store32_release(&s->of, 0); /* METRIC:of */
    __atomic_thread_fence(__ATOMIC_RELEASE); /* and before what follows, for who looks at of again */
    for (uint32_t i = 0; i < ADIT_METRIC_WORDS; i++)
        adit_store_relaxed(&s->was[i], adit_load_relaxed(&s->value[i]));
    adit_store_relaxed(&s->first, adit_load_relaxed(&s->head));
    adit_store32_relaxed(&s->pid, (uint32_t)getpid());
    adit_store32_relaxed(&s->tid, tid);
    adit_store_relaxed(&s->since_ns, adit_clock_ns());
    adit_store_relaxed(&s->left_ns, 0);
    uint64_t label[sizeof s->label / 8];
    memcpy(label, a->self->label, sizeof label);
    for (uint32_t i = 0; i < sizeof s->label / 8; i++)
        adit_store_relaxed((uint64_t *)(void *)s->label + i, label[i]);
    adit_store32_release(&s->of, a->owner); /* METRIC:of, pairs with who looks: all of the above */
}

/* Takes a free cell of no series, so that what others have left stays; else of this one, the one left first. NULL: there is none. */
static struct adit_metric_cell *take_cell(const struct adit_arena *a, uint32_t series)
{
    for (uint32_t tries = 0; tries < a->metric_cells_n; tries++) { /* each time somebody else was quicker */
        struct adit_metric_cell *best = NULL, *blank = NULL;
        uint64_t first = UINT64_MAX;
        for (uint32_t i = 0; i < a->metric_cells_n && !blank; i++) {
            struct adit_metric_cell *c = &a->metric_cells[i];
            uint32_t its = adit_load32_acquire(&c->series); /* METRIC:series */
            uint64_t left = adit_load_relaxed(&c->left_ns);
            if (adit_load32_relaxed(&c->owner))
                continue;
            if (its == series + 1 && left < first) {
                first = left;
                best = c;
            } else if (!its) {
                blank = c;
            }
        }
        best = blank ? blank : best;
        uint32_t nobody = 0;
        if (!best)
            return NULL;
        if (!adit_cas32_acq_rel(&best->owner, &nobody, a->owner)) /* METRIC:take */
            continue;
        uint32_t its = adit_load32_relaxed(&best->series);
        if (!its)
            adit_store32_release(&best->series, series + 1); /* METRIC:series, pairs with who sums: the buckets are 0 */
        if (!its || its == series + 1)
            return best;
        adit_store32_release(&best->owner, 0); /* another owner has given it another series meanwhile */
    }
    return NULL;
}

static void begin_cell(const struct adit_arena *a, struct adit_metric_cell *c)
{
    adit_store32_release(&c->of, 0);         /* METRIC:of */
    __atomic_thread_fence(__ATOMIC_RELEASE); /* as above */
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++)
        adit_store_relaxed(&c->was[i], adit_load_relaxed(&c->bucket[i]));
    adit_store_relaxed(&c->left_ns, 0);
    adit_store32_release(&c->of, a->owner); /* METRIC:of */
}

uint64_t *adit_metrics_cell(struct adit_metric_seat *seat, uint32_t series)
{
    struct adit_metric_cell *c = seat->is_shared ? NULL : take_cell(seat->arena, series);
    if (c)
        begin_cell(seat->arena, c);
    seat->is_common[series] = !c;
    return seat->bucket[series] = c ? c->bucket : seat->arena->metric_commons[series].bucket;
}

/* ---- seats ------------------------------------------------------------------------------------------------------ */

/* This thread's, or one whose thread has ended; under seats_lock. */
static struct adit_metric_seat *find_seat(const struct adit_arena *a, const void *thread)
{
    struct adit_metric_seat *left = NULL;
    for (struct adit_metric_seat *s = seats; s; s = s->next) {
        if (s->serial != a->metrics_serial)
            continue;
        if (s->thread == thread)
            return s;
        left = s->thread ? left : s;
    }
    return left;
}

/* Under seats_lock. A shard of its own, unless others would have none: then the one that all share. */
static struct adit_metric_seat *new_seat(struct adit_arena *a)
{
    bool is_first = true;
    for (const struct adit_metric_seat *s = seats; s && is_first; s = s->next)
        is_first = s->serial != a->metrics_serial;
    struct adit_metric_seat *seat = calloc(1, sizeof *seat);
    if (!seat)
        return NULL;
    seat->shard = is_first || may_have_more(a) ? take_shard(a) : NULL;
    seat->is_shared = !seat->shard;
    seat->shard = seat->shard ? seat->shard : a->metric_shards;
    seat->head = adit_load_relaxed(&seat->shard->head);
    seat->arena = a;
    seat->serial = a->metrics_serial;
    seat->next = seats;
    seats = seat;
    return seat;
}

/* The seat of this thread, *is_new: it was another's before, or nobody's. NULL: no memory. */
static struct adit_metric_seat *seat_of(struct adit_arena *a, uint32_t tid, bool *is_new)
{
    const struct adit_metric_seats *mine = &adit_metric_seats;
    pthread_mutex_lock(&seats_lock);
    struct adit_metric_seat *seat = find_seat(a, mine);
    seat = seat ? seat : new_seat(a);
    if (seat && has_thread_end)
        (void)pthread_setspecific(thread_end, mine);
    *is_new = seat && seat->thread != mine;
    if (*is_new) {
        seat->thread = mine;
        seat->tid = tid;
    }
    pthread_mutex_unlock(&seats_lock);
    return seat;
}

struct adit_metric_seat *adit_metrics_sit(struct adit_arena *a)
{
    struct adit_metric_seats *mine = &adit_metric_seats;
    bool is_new = false;
    if (!a->metrics_serial)
        return NULL;
    uint32_t tid = 0;
    struct adit_metric_seat *seat = mine->at[1].serial == a->metrics_serial ? mine->at[1].seat : seat_of(a, tid = (uint32_t)syscall(SYS_gettid), &is_new);
    if (!seat)
        return NULL;
    if (is_new && !seat->is_shared && adit_load32_relaxed(&seat->shard->of) != a->owner)
        begin_shard(a, seat->shard, tid);
    mine->at[1] = mine->at[0];
    mine->at[0].serial = a->metrics_serial;
    mine->at[0].seat = seat;
    if (is_new)
        adit_event(a, ADIT_EVENT_JOIN, adit_clock_ns(), a->owner, tid);
    return seat;
}

void adit_event(struct adit_arena *arena, enum adit_event_id type, uint64_t at_ns, uint64_t a, uint64_t b)
{
    struct adit_metric_seat *seat = adit_metrics_seat(arena);
    if (!seat || seat->is_shared)
        return;
    struct adit_metric_event *e = &seat->shard->events[seat->head % ADIT_METRIC_EVENTS];
    adit_store_relaxed(&e->mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* METRIC:mark, see above */
    adit_store_relaxed(&e->at_ns, at_ns);
    adit_store_relaxed(&e->a, a);
    adit_store_relaxed(&e->b, b);
    adit_store_release(&e->mark, adit_metric_event_mark(seat->head, type, seat->tid)); /* METRIC:mark */
    seat->head++;
    adit_store_release(&seat->shard->head, seat->head); /* METRIC:head, pairs with who looks: it is there */
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

#define COPY_TEXT(to, from) (void)snprintf(to, sizeof to, "%s", from)

static uint16_t describe(struct adit_metric_slot *m, enum adit_metric_slot_type type, enum adit_metric_slot_label label, const char *const text[3], uint32_t at, uint32_t n)
{
    *m = (struct adit_metric_slot){.type = (uint8_t)type, .label = (uint8_t)label, .at = (uint16_t)at, .n = (uint16_t)n};
    COPY_TEXT(m->name, text[0]);
    COPY_TEXT(m->unit, text[1]);
    COPY_TEXT(m->help, text[2]);
    return 1;
}

void adit_metrics_describe(struct adit_metric_slot *m)
{
    uint32_t i = 0;
#define TEXT(...) ((const char *const[]){__VA_ARGS__})
#define ADIT_X(id, label, name, unit, help) i += describe(&m[i], ADIT_METRIC_SLOT_COUNTER, ADIT_LABEL_##label, TEXT(name, unit, help), ADIT_COUNT_##id, ADIT_LABEL_N_##label);
    ADIT_COUNTERS(ADIT_X)
#undef ADIT_X
#define ADIT_X(id, label, name, unit, help) i += describe(&m[i], ADIT_METRIC_SLOT_GAUGE, ADIT_LABEL_##label, TEXT(name, unit, help), ADIT_COUNT_##id, ADIT_LABEL_N_##label);
    ADIT_GAUGES(ADIT_X)
#undef ADIT_X
#define ADIT_X(id, label, name, unit, help) i += describe(&m[i], ADIT_METRIC_SLOT_HISTOGRAM, ADIT_LABEL_##label, TEXT(name, unit, help), ADIT_HISTOGRAM_##id, ADIT_LABEL_N_##label);
    ADIT_HISTOGRAMS(ADIT_X)
#undef ADIT_X
#define ADIT_X(id, name, unit, help) i += describe(&m[i], ADIT_METRIC_SLOT_EVENT, ADIT_LABEL_NONE, TEXT(name, unit, help), ADIT_EVENT_##id, 1);
    ADIT_EVENTS(ADIT_X)
#undef ADIT_X
    memset(&m[i], 0, (ADIT_METRICS_MAX - i) * sizeof *m);
}

#define ADIT_X_IS_1(...) +1
_Static_assert(0 ADIT_COUNTERS(ADIT_X_IS_1) ADIT_GAUGES(ADIT_X_IS_1) ADIT_HISTOGRAMS(ADIT_X_IS_1) ADIT_EVENTS(ADIT_X_IS_1) <= ADIT_METRICS_MAX, "there is room for their descriptors");

static uint64_t next_serial(void)
{
    static uint64_t serials;
    return adit_add_relaxed(&serials, 1) + 1; /* relaxed: no two are the same */
}

void adit_metrics_begin(struct adit_arena *a, bool *is_other)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static struct adit_metric_slot own[ADIT_METRICS_MAX];
    *is_other = false;
    if (!a->owner || adit_os_is_disabled("metrics"))
        return;
    pthread_once(&once, mind_threads);
    pthread_mutex_lock(&seats_lock);
    if (!own[0].type)
        adit_metrics_describe(own);
    pthread_mutex_unlock(&seats_lock);
    *is_other = memcmp(own, a->metrics, sizeof own) != 0;
    a->metrics_serial = *is_other ? 0 : next_serial();
}

static void give_back(const struct adit_arena *a, struct adit_metric_seat *seat, uint64_t now)
{
    for (uint32_t i = 0; i < ADIT_METRIC_SERIES; i++) {
        if (!seat->bucket[i] || seat->is_common[i])
            continue;
        struct adit_metric_cell *c = (struct adit_metric_cell *)(void *)((uint8_t *)seat->bucket[i] - offsetof(struct adit_metric_cell, bucket));
        adit_store_relaxed(&c->left_ns, now);
        adit_store32_release(&c->owner, 0); /* METRIC:leave */
    }
    if (!seat->is_shared && adit_load32_relaxed(&seat->shard->owner) == a->owner) {
        adit_store_relaxed(&seat->shard->left_ns, now);
        adit_store32_release(&seat->shard->owner, 0); /* METRIC:leave, pairs with METRIC:take */
    }
}

/* Takes this attach's seats out of the list. */
static struct adit_metric_seat *unlink_seats(const struct adit_arena *a)
{
    struct adit_metric_seat *gone = NULL;
    pthread_mutex_lock(&seats_lock);
    for (struct adit_metric_seat **at = &seats; *at;) {
        struct adit_metric_seat *s = *at;
        if (s->serial != a->metrics_serial) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        s->next = gone;
        gone = s;
    }
    pthread_mutex_unlock(&seats_lock);
    return gone;
}

void adit_metrics_end(struct adit_arena *a)
{
    if (!a->metrics_serial)
        return;
    uint64_t now = adit_clock_ns();
    adit_event(a, ADIT_EVENT_LEAVE, now, a->owner, 0);
    for (struct adit_metric_seat *s = unlink_seats(a), *next; s; s = next) {
        next = s->next;
        give_back(a, s, now);
        free(s);
    }
    a->metrics_serial = 0;
}

void adit_metrics_forget(struct adit_arena *a)
{
    if (!a->metrics_serial)
        return;
    for (struct adit_metric_seat *s = unlink_seats(a), *next; s; s = next) {
        next = s->next;
        free(s);
    }
    a->metrics_serial = next_serial();
}

void adit_metrics_salvage(struct adit_arena *a, uint32_t owner)
{
    uint64_t now = adit_clock_ns();
    for (uint32_t i = 1; i < a->metric_shards_n; i++) {
        struct adit_metric_shard *s = &a->metric_shards[i];
        if (adit_load32_acquire(&s->owner) != owner)
            continue;
        adit_store_relaxed(&s->left_ns, now);
        adit_store32_release(&s->owner, 0); /* METRIC:leave, for the dead */
    }
    for (uint32_t i = 0; i < a->metric_cells_n; i++) {
        struct adit_metric_cell *c = &a->metric_cells[i];
        if (adit_load32_acquire(&c->owner) != owner)
            continue;
        adit_store_relaxed(&c->left_ns, now);
        adit_store32_release(&c->owner, 0); /* METRIC:leave, for the dead */
    }
}
