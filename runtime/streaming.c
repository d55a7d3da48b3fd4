/* streaming.c - the world around viewers (adit_stream.h). One thread, round after round:
 *
 *     look at viewers -> take what tasks have ended -> what is missing around viewers, best first -> tasks, as many as there is room for; a share of the store -> what is too far is removed
 *                     -> a share of store and memory is counted (room.h); short of room: what is farthest is removed
 *
 * What is there is what the store says, so nothing here has to be right about the past: a chunk made by a task that nobody waits for any more is found by a later walk, and goes or stays as any other.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit.h"
#include "runtime/estimate.h"
#include "runtime/interest.h"
#include "runtime/params.h"
#include "runtime/room.h"
#include "runtime/scratch.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"

#define LEVELS_MAX 15u
#define FLIGHT_MAX 256u
#define FLIGHT 32u
#define LATE_NS 250000000u    /* that a task has at least, */
#define LATE_TIMES 8u         /* so many times what is usual, */
#define UNKNOWN_NS 2000000000u /* and while none has ended, before it is late */
#define STEP_NS 100000000u    /* of a round, at most, counts: a stream that was stopped itself finds nobody late */
#define LATE_EACH 3u          /* of a chunk: then it is not begun once more */
#define AHEAD 2u
#define KEEP 2u
#define CHUNKS_MAX 64u       /* ahead, keep; and a viewer's radius counts as so many at most */
#define RADIUS_MAX ((float)(CHUNKS_MAX * ADIT_CHUNK_DIM))
#define FAR 1048576.0f       /* chunks: no key lies so far out */
#define MISSING_MAX 1024u    /* of a round: the first ones its walks meet, from the inside out */
#define NEAR_LOOKS 10000u    /* of a round, at keys: from where viewers are outwards, */
#define FAR_LOOKS 10000u     /* and on from where the round before had to stop */
#define SECTION_LOOKS 1024u
#define FAILED_MAX 64u       /* keys that are let alone for a while */
#define FAILED_NS 1000000000u
#define CLOSE_NS 10000000000u /* that tasks under way have to end at close */
#define ROUND_NS 4000000u    /* between rounds while there is something to do */
#define IDLE_NS 16000000u
#define WALK_ROUNDS 16u      /* until all of the store has been looked at */
#define REMOVED_MAX 64u      /* in a round */
#define ASKED_MAX 256u       /* in a round, for which of them stay */
#define MARGIN 1.0f          /* chunks by which what goes for want of room must be farther than what is missing: a viewer that moves by as much to and fro changes nothing */
#define NEAREST 1.0f         /* chunks within which nothing goes for want of room */
#define EVICTED_MAX 64u      /* in a count of what there is */
#define SMALL_BYTES 1024u    /* a version and a mesh with nothing in them */
#define LACK_NS 200000000u   /* as much, before more goes as even the reserve is short; */
#define CREDIT_NS 2000000000u /* that what was removed has to become room */
#define STIR_NS 500000000u   /* after the last that happened rounds are as short as ever; */
#define FULL_NS 64000000u    /* then so long, while there is no room for anything, */
#define FULL_LOOKS 4u        /* and each counts as much as so many others: so room is found within half a second */

struct flight {
    uint64_t packed, task;
    uint64_t ran_ns;  /* that it has been seen running, of this attempt */
    uint32_t attempt;
    bool is_late, is_made; /* begun once more if it is still missing; another one of this chunk has made it */
};
struct missing {
    uint64_t packed;
    int32_t rank;
    float distance; /* room.h goes by this: it does not change as a viewer turns */
};

/* Of the places around viewers: ring by ring, in each by viewer, level, column; where it goes on, and what it has counted. */
struct walk {
    int32_t d, column;
    uint32_t viewer, lod, missing, wanted;
    float nearest; /* of what is missing; in chunks of its level, as below */
};

struct adit_stream {
    struct adit_arena *arena;
    struct adit_stream_params p;
    uint8_t args[ADIT_TASK_DATA_BYTES];
    struct adit_reader *reader;
    pthread_t thread;
    uint32_t stop; /* futex word */
    struct adit_interest seen; /* viewers of this world */
    struct flight flight[FLIGHT_MAX];
    uint32_t flights, lates; /* of them late */
    struct adit_estimate usual; /* of what tasks take, in rounds' time */
    uint64_t timed_ns; /* the last look at who is late */
    struct {
        uint64_t packed, until_ns;
    } failed[FAILED_MAX];
    uint32_t failed_at;
    uint64_t paused_ns; /* until then nothing is begun */
    struct missing missing[MISSING_MAX];
    uint32_t missing_n, missing_at; /* those before missing_at have been begun since, or have failed */
    struct walk far; /* zeroes: none is under way */
    uint32_t walk_at, sweep_at;
    struct adit_room room;
    bool pressed, blocked;                       /* there was no room for all that is seen; for all that is wanted, or nothing is begun for a while */
    uint32_t credit;                             /* so many were removed for what is missing that has not begun */
    uint64_t credit_ns, lacked_ns, stirred_ns;   /* when; when some last went as even the reserve was short; when something was last begun or removed, or a viewer moved */
    struct adit_interest_viewer before[ADIT_VIEWERS_MAX]; /* as they were */
    struct adit_stream_info info; /* w: the thread, relaxed, word by word */
};

/* ---- tasks ---- */

/* Late ones do not count: who runs one may be stopped, for ever. */
static bool is_flying(const struct adit_stream *s, uint64_t packed)
{
    uint32_t late = 0;
    for (uint32_t i = 0; i < s->flights; i++) {
        if (s->flight[i].packed != packed)
            continue;
        late += s->flight[i].is_late;
        if (!s->flight[i].is_late || late >= LATE_EACH)
            return true;
    }
    return false;
}

static bool has_failed(const struct adit_stream *s, uint64_t packed, uint64_t now)
{
    for (uint32_t i = 0; i < FAILED_MAX; i++)
        if (s->failed[i].packed == packed && now < s->failed[i].until_ns)
            return true;
    return false;
}

static void fail(struct adit_stream *s, uint64_t packed, int error)
{
    if (s->failed[s->failed_at].until_ns > adit_clock_ns()) /* so many at once: then it is no matter of one chunk */
        s->paused_ns = adit_clock_ns() + FAILED_NS;
    s->failed[s->failed_at].packed = packed;
    s->failed[s->failed_at].until_ns = adit_clock_ns() + FAILED_NS;
    s->failed_at = (s->failed_at + 1) % FAILED_MAX;
    if (error == -ENOMEM || error == -ENOSPC)
        adit_room_was_short(&s->room, error, adit_clock_ns());
    adit_add_relaxed(&s->info.failed, 1);
    __atomic_store_n(&s->info.last_error, error, __ATOMIC_RELAXED);
}

/* By how much a chunk lies beyond the radius, in chunks of its level. */
static float beyond(const struct adit_stream *s, uint64_t packed) { return adit_interest_beyond(&s->seen, packed) / (ADIT_CHUNK_DIM * (float)(1u << adit_key_unpack(packed).lod)); }

/* While there is no room for what is seen, nothing is kept for what may be seen again. */
static bool is_far(const struct adit_stream *s, uint64_t packed) { return beyond(s, packed) > (float)(s->p.ahead + (s->pressed ? 0 : s->p.keep)); }

/* Which tasks are late: seen running for much longer than is usual. Time in the queue does not count, nor an attempt whose worker died. */
static void time_flights(struct adit_stream *s)
{
    const uint64_t now = adit_clock_ns(), step = now - s->timed_ns < STEP_NS ? now - s->timed_ns : STEP_NS, usual = adit_estimate_ns(&s->usual);
    const uint64_t times = usual < UINT64_MAX / LATE_TIMES ? usual * LATE_TIMES : UINT64_MAX, most = !usual ? UNKNOWN_NS : times > LATE_NS ? times : LATE_NS;
    s->timed_ns = now;
    for (uint32_t i = 0; i < s->flights; i++) {
        struct flight *f = &s->flight[i];
        struct adit_task_info info = {.size = sizeof info};
        if (f->is_late || adit_task_look(s->p.queue, f->task, &info) || info.stage == ADIT_STAGE_ENDED)
            continue;
        bool goes_on = info.stage == ADIT_STAGE_RUNNING && info.attempt == f->attempt;
        f->ran_ns = goes_on ? f->ran_ns + step : 0;
        f->attempt = info.stage == ADIT_STAGE_RUNNING ? info.attempt : 0;
        if (f->ran_ns <= most)
            continue;
        f->is_late = true;
        s->lates++;
        adit_add_relaxed(&s->info.late, 1);
    }
}

/* A chunk is there: who else makes it will find it. */
static void has_landed(struct adit_stream *s, uint64_t packed)
{
    for (uint32_t i = 0; i < s->flights; i++)
        if (s->flight[i].packed == packed)
            s->flight[i].is_made = true;
}

/* Takes what has ended, and cancels what is too far by now; all: everything, and waits for what runs. */
static void land(struct adit_stream *s, bool all)
{
    const uint64_t ends_ns = all ? adit_clock_ns() + CLOSE_NS : 0;
    for (uint32_t i = 0; i < s->flights;) {
        struct flight *f = &s->flight[i];
        struct adit_task_result r = {.size = sizeof r};
        if (all || is_far(s, f->packed))
            (void)adit_cancel(s->p.queue, f->task);
        uint64_t now = all ? adit_clock_ns() : 0;
        int error = adit_wait(s->p.queue, f->task, now < ends_ns ? ends_ns - now : 0, &r);
        if (error == -ETIMEDOUT) { /* at close: its worker was stopped; what it makes all the same is there for others */
            i++;
            continue;
        }
        bool is_cancelled = error || r.end == ADIT_ENDED_CANCELLED || r.status == -ECANCELED;
        if (is_cancelled)
            adit_add_relaxed(&s->info.cancelled, 1);
        else if (r.end == ADIT_ENDED_DONE && (r.status == -EEXIST || (r.status >= 0 && f->is_made)))
            adit_add_relaxed(&s->info.found, 1);
        else if (r.end != ADIT_ENDED_DONE || r.status < 0)
            fail(s, f->packed, r.end == ADIT_ENDED_DONE ? r.status : -EOWNERDEAD);
        else
            adit_add_relaxed(&s->info.made, 1);
        if (!is_cancelled && r.end == ADIT_ENDED_DONE && !f->is_late)
            adit_estimate_add(&s->usual, f->ran_ns);
        if (!is_cancelled && r.end == ADIT_ENDED_DONE && r.status >= 0)
            has_landed(s, f->packed);
        s->lates -= f->is_late;
        *f = s->flight[--s->flights];
    }
}

static int launch(struct adit_stream *s, uint64_t packed)
{
    struct adit_key key = adit_key_unpack(packed);
    bool is_later = key.lod || beyond(s, packed) > 0; /* nobody sees it yet, or it stands in for what is finer: meshing what is seen goes before */
    const struct adit_task_spec spec = {.size = sizeof spec, .kind = s->p.kind, .priority = is_later ? ADIT_LOW : ADIT_NORMAL, .args = s->args, .args_bytes = s->p.args_bytes};
    struct flight *f = &s->flight[s->flights];
    memcpy(s->args + s->p.key_at, &key, sizeof key);
    *f = (struct flight){.packed = packed};
    int error = adit_submit(s->p.queue, &spec, &f->task);
    s->flights += !error;
    return error;
}

/* ---- what is missing ---- */

static bool is_there(const struct adit_arena *arena, uint64_t packed)
{
    uint32_t index, bytes;
    uint64_t commit;
    const struct adit_version *v = adit_store_current(arena, packed, &index, &commit, &bytes);
    return commit && (!v || v->encoding != ADIT_ENC_REMOVED); /* a damaged one is there, too: to make it again would hide that */
}

/* One place around a viewer. */
static void look_at(struct adit_stream *s, const struct adit_key *key, uint64_t now, struct walk *w)
{
    uint64_t packed;
    if (!adit_key_try(key, &packed))
        return;
    float by = beyond(s, packed);
    if (by > (float)s->p.ahead || is_there(s->arena, packed))
        return;
    float distance = adit_interest_distance(&s->seen, packed);
    *(by > 0 ? &w->wanted : &w->missing) += 1;
    w->nearest = distance < w->nearest ? distance : w->nearest;
    if (s->missing_n < MISSING_MAX && !is_flying(s, packed) && !has_failed(s, packed, now))
        s->missing[s->missing_n++] = (struct missing){.packed = packed, .rank = adit_interest_rank(&s->seen, packed, 0), .distance = distance};
}

/* A coordinate of the chunk of a level that a viewer is in; it may be told anything. */
static int32_t chunk_of(float voxel, uint32_t lod)
{
    float chunk = floorf(voxel / (ADIT_CHUNK_DIM * (float)(1u << lod)));
    return chunk > -FAR && chunk < FAR ? (int32_t)chunk : chunk > 0 ? (int32_t)FAR : -(int32_t)FAR;
}

/* How many rings around a viewer may have chunks for it, at any level: radius and chunks are twice as long from one to the next. */
static int32_t rings_of(const struct adit_stream *s, const struct adit_interest_viewer *v)
{
    float chunks = ceilf(v->radius / ADIT_CHUNK_DIM);
    return (int32_t)(chunks > 0 ? chunks : 0) + (int32_t)s->p.ahead; /* not more than 2 * CHUNKS_MAX: see() */
}

/* The column of a level that a viewer is in, and its rings. */
struct centre {
    int32_t x, z, rings;
};

/* Whether the walk comes by a column before it comes to it in ring d of viewer v: what several see is looked at once, where it is nearest to one of them. */
static bool was_passed(const struct centre *c, uint32_t n, uint32_t v, int32_t d, int32_t x, int32_t z)
{
    for (uint32_t u = 0; u < n; u++) {
        int32_t dx = abs(x - c[u].x), dz = abs(z - c[u].z), ring = dx > dz ? dx : dz;
        if (ring <= c[u].rings && (ring < d || (ring == d && u < v)))
            return true;
    }
    return false;
}

/* Column i of the square ring at distance d: the sides one after the other. */
static void go_around(int32_t d, int32_t i, int32_t *x, int32_t *z)
{
    int32_t side = d ? i / (2 * d) : 0, along = d ? i % (2 * d) - d : 0;
    *x += side == 0 ? along : side == 1 ? d : side == 2 ? -along : -d;
    *z += side == 0 ? -d : side == 1 ? along : side == 2 ? d : -along;
}

/* From where the walk is to the end of the ring, or as far as the looks last; whether it is at the end. */
static bool walk_ring(struct adit_stream *s, struct walk *w, uint64_t now, uint32_t *looks)
{
    struct centre c[ADIT_VIEWERS_MAX];
    for (uint32_t v = 0; v < s->seen.n; v++)
        c[v] = (struct centre){chunk_of(s->seen.viewer[v].at[0], w->lod), chunk_of(s->seen.viewer[v].at[2], w->lod), rings_of(s, &s->seen.viewer[v])};
    const int32_t y_lo = s->p.y_lo >> w->lod, y_hi = ((s->p.y_hi - 1) >> w->lod) + 1, columns = w->d ? 8 * w->d : 1;
    while (w->column < columns) {
        if (!*looks || adit_load32_acquire(&s->stop))
            return false;
        uint32_t left = *looks < SECTION_LOOKS ? *looks : SECTION_LOOKS, first = left;
        adit_rcu_enter(s->reader); /* a section for so many looks: none is long */
        for (; left && w->column < columns; w->column++) {
            struct adit_key key = {.world = s->p.world, .lod = (uint8_t)w->lod, .x = c[w->viewer].x, .z = c[w->viewer].z};
            go_around(w->d, w->column, &key.x, &key.z);
            bool passed = was_passed(c, s->seen.n, w->viewer, w->d, key.x, key.z);
            for (key.y = y_lo; key.y < y_hi && !passed; key.y++)
                look_at(s, &key, now, w);
            uint32_t cost = passed ? 1 : (uint32_t)(y_hi - y_lo);
            left -= cost < left ? cost : left;
        }
        (void)adit_rcu_exit(s->reader); /* ousted: it is looked at again in the next pass */
        *looks -= first - left;
    }
    return true;
}

/* Goes on with a walk, ring by ring, of all viewers: if there is too much, each has what is near it. Whether it has come to the end. Viewers may move meanwhile, come and go: then it has seen some places twice, or not, and the next one does. */
static bool walk_on(struct adit_stream *s, struct walk *w, uint64_t now, uint32_t looks)
{
    for (; w->d <= (int32_t)(2 * CHUNKS_MAX); w->d++, w->viewer = w->lod = 0, w->column = 0)
        for (; w->viewer < s->seen.n; w->viewer++, w->lod = 0, w->column = 0)
            for (; w->lod <= s->p.levels && w->d <= rings_of(s, &s->seen.viewer[w->viewer]); w->lod++, w->column = 0)
                if (!walk_ring(s, w, now, &looks))
                    return false;
    return true;
}

static int by_rank(const void *a, const void *b)
{
    const struct missing *p = a, *q = b;
    return p->rank != q->rank ? (p->rank > q->rank) - (p->rank < q->rank) : (p->packed > q->packed) - (p->packed < q->packed);
}

static int by_distance(const void *a, const void *b)
{
    const struct missing *p = a, *q = b;
    return p->distance != q->distance ? (p->distance > q->distance) - (p->distance < q->distance) : by_rank(a, b);
}

/* What both walks of a round met is there once. */
static void drop_doubles(struct adit_stream *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->missing_n; i++)
        if (!n || s->missing[i].packed != s->missing[n - 1].packed)
            s->missing[n++] = s->missing[i];
    s->missing_n = n;
}

static void set_number(float *word, float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    __atomic_store_n((uint32_t *)(void *)word, bits, __ATOMIC_RELAXED);
}

static float number(const float *word)
{
    float f;
    uint32_t bits = __atomic_load_n((const uint32_t *)(const void *)word, __ATOMIC_RELAXED);
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void tell(struct adit_stream *s, uint32_t missing, uint32_t wanted, float nearest, uint64_t now)
{
    __atomic_store_n(&s->info.missing, missing, __ATOMIC_RELAXED);
    __atomic_store_n(&s->info.wanted, wanted, __ATOMIC_RELAXED);
    set_number(&s->info.whole, missing ? nearest : INFINITY);
    if (!missing)
        adit_store_relaxed(&s->info.missing_ns, 0);
    else if (!s->info.missing_ns)
        adit_store_relaxed(&s->info.missing_ns, now);
}

/* In each round a walk begins where viewers are, since they move. If it does not come to its end, the rest of the round goes on with a long walk, which takes as many rounds as it needs. So no round is long, whatever viewers ask for,
 * what is nearest is found first, and what is farthest is found, too. */
static void find_missing(struct adit_stream *s)
{
    uint64_t now = adit_clock_ns();
    struct walk near = {.nearest = INFINITY};
    s->missing_n = 0;
    bool whole = walk_on(s, &near, now, NEAR_LOOKS);
    if (whole) {
        s->far = (struct walk){.nearest = INFINITY};
        tell(s, near.missing, near.wanted, near.nearest, now);
    } else {
        if (!s->far.d && !s->far.viewer && !s->far.lod && !s->far.column)
            s->far = near;
        if (walk_on(s, &s->far, now, FAR_LOOKS)) {
            tell(s, s->far.missing, s->far.wanted, near.nearest < s->far.nearest ? near.nearest : s->far.nearest, now);
            s->far = (struct walk){.nearest = INFINITY};
        } else if (near.missing > s->info.missing || near.wanted > s->info.wanted) { /* so many at least */
            tell(s, near.missing > s->info.missing ? near.missing : s->info.missing, near.wanted > s->info.wanted ? near.wanted : s->info.wanted, near.nearest < s->info.whole ? near.nearest : s->info.whole, now);
        }
    }
    qsort(s->missing, s->missing_n, sizeof *s->missing, s->pressed ? by_distance : by_rank);
    drop_doubles(s);
}

static bool is_seen(const struct missing *m) { return m->distance < (float)ADIT_RANK_BEYOND; }

static void launch_missing(struct adit_stream *s)
{
    const uint64_t now = adit_clock_ns();
    bool is_keys, has_none = false, is_short = now < s->room.short_ns;
    uint32_t i = 0, room = adit_room_chunks(&s->room, now, &is_keys);
    for (; now >= s->paused_ns && i < s->missing_n && s->flights < FLIGHT_MAX && s->flights - s->lates < s->p.flight_max; i++) {
        has_none = !room;
        if (has_none) /* i: the first that there is none for */
            break;
        int error = launch(s, s->missing[i].packed);
        if (error == -EAGAIN) /* the queue is full: others use it, too */
            break;
        if (error) {
            fail(s, s->missing[i].packed, error);
            continue;
        }
        adit_count(s->arena, ADIT_COUNT_STREAM_WANTED, 1);
        room--;
        adit_room_begun(&s->room);
        s->credit -= s->credit > 0;
        s->stirred_ns = now;
    }
    s->missing_at = i;
    s->pressed = (has_none && is_seen(&s->missing[i])) || (is_short && s->info.missing);
    s->blocked = has_none || is_short || now < s->paused_ns;
    __atomic_store_n(&s->info.pressed, !s->pressed ? 0 : is_keys ? ADIT_STREAM_KEYS : ADIT_STREAM_BYTES, __ATOMIC_RELAXED);
    __atomic_store_n(&s->info.under_way, s->flights, __ATOMIC_RELAXED);
}

/* ---- what is too far, and what there is no room for ---- */

/* Whether it is gone by this; false: it stays, or there is none. is_seen: then only if it can be made again. *asked: `leaving` was. */
static bool remove_one(struct adit_stream *s, uint64_t packed, bool is_seen, uint32_t *asked)
{
    struct adit_key key = adit_key_unpack(packed);
    struct adit_chunk_view view;
    adit_rcu_enter(s->reader);
    int error = adit_chunk_acquire(s->reader, &key, &view);
    if (!error && is_seen && !view.renewable)
        error = -EPERM;
    *asked += !error && s->p.leaving;
    bool stays = !error && s->p.leaving && s->p.leaving(&view, s->p.user);
    if (!adit_rcu_exit(s->reader) || error)
        return false; /* ousted: what was shown may have been anything, and is shown again */
    if (stays) {
        adit_add_relaxed(&s->info.kept, 1);
        return false;
    }
    const struct adit_put_params p = {.size = sizeof p, .if_version = view.version};
    error = adit_chunk_remove(s->arena, &key, &p);
    if (error && error != -ESTALE && error != -ENOENT)
        __atomic_store_n(&s->info.last_error, error, __ATOMIC_RELAXED);
    if (!error && adit_metrics_are_on(s->arena))
        adit_event(s->arena, ADIT_EVENT_EVICT, adit_clock_ns(), packed, 0);
    return !error;
}

static void remove_far(struct adit_stream *s)
{
    uint32_t n = (s->arena->chunks_max + WALK_ROUNDS - 1) / WALK_ROUNDS, asked = 0, removed = 0;
    for (uint32_t i = 0; i < n && asked < ASKED_MAX && removed < REMOVED_MAX; i++) {
        uint64_t packed = adit_store_key(s->arena, s->walk_at);
        s->walk_at = (s->walk_at + 1) & (s->arena->chunks_max - 1);
        struct adit_key key = adit_key_unpack(packed);
        if (!packed || key.world != s->p.world || key.lod > s->p.levels || !is_far(s, packed))
            continue;
        removed += remove_one(s, packed, false, &asked);
    }
    adit_add_relaxed(&s->info.removed, removed);
    adit_count(s->arena, ADIT_COUNT_STREAM_EVICTED, removed);
    s->stirred_ns = removed ? adit_clock_ns() : s->stirred_ns;
}

/* Where bytes are short, what was removed is forgotten at once, a share of the store a round: the small blocks that say so lie between those that were freed, and leave no run that is long enough for a chunk. */
static void forget_removed(struct adit_stream *s)
{
    uint32_t n = (s->arena->chunks_max + WALK_ROUNDS - 1) / WALK_ROUNDS;
    if (__atomic_load_n(&s->info.pressed, __ATOMIC_RELAXED) != ADIT_STREAM_BYTES && !adit_room_lacking(&s->room))
        return;
    uint32_t forgotten = adit_tombstones_sweep(s->arena, s->sweep_at, n, true);
    s->sweep_at = (s->sweep_at + n) & (s->arena->chunks_max - 1);
    s->stirred_ns = forgotten ? adit_clock_ns() : s->stirred_ns;
}

/* A count has come to its end: what goes for want of room. Since the farthest go first, and those that are farther by a margin only, what was removed is not made again before there is room. */
static void make_room(struct adit_stream *s)
{
    const uint64_t now = adit_clock_ns();
    uint64_t lacking = now - s->lacked_ns > LACK_NS ? adit_room_lacking(&s->room) : 0;
    uint32_t evicted = 0, asked = 0;
    bool is_keys = false, is_full = s->pressed && !adit_room_chunks(&s->room, now, &is_keys);
    if (now - s->credit_ns > CREDIT_NS) /* what has gone was too small to be of use */
        s->credit = 0;
    for (uint32_t i = 0; i < s->room.held_n && evicted < EVICTED_MAX && asked < ASKED_MAX; i++) {
        const struct adit_room_held *h = &s->room.held[i];
        const uint32_t at = s->missing_at + s->credit; /* what goes is for the first that has not begun, and for which nothing has gone yet */
        const struct missing *m = &s->missing[at < s->missing_n ? at : 0];
        float distance = adit_interest_distance(&s->seen, h->packed);
        bool is_exchange = is_full && at < s->missing_n && s->credit < s->p.flight_max && is_seen(m) && distance > m->distance + MARGIN;
        if (!(lacking && distance > NEAREST) && !is_exchange)
            continue;
        if ((lacking || !is_keys) && h->bytes <= SMALL_BYTES) /* nothing is gained by that */
            continue;
        if (!remove_one(s, h->packed, true, &asked))
            continue;
        evicted++;
        if (lacking) {
            s->lacked_ns = now;
            lacking = lacking > h->bytes ? lacking - h->bytes : 0;
            continue;
        }
        s->credit++;
        s->credit_ns = now;
    }
    adit_add_relaxed(&s->info.removed, evicted);
    adit_add_relaxed(&s->info.evicted, evicted);
    adit_count(s->arena, ADIT_COUNT_STREAM_EVICTED, evicted);
    s->stirred_ns = evicted ? now : s->stirred_ns;
}

/* ---- the thread ---- */

static void see(struct adit_stream *s)
{
    struct adit_interest all;
    adit_interest_look(s->arena, &all);
    s->seen.n = 0;
    for (uint32_t i = 0; i < all.n; i++)
        if (all.viewer[i].world == s->p.world) {
            struct adit_interest_viewer *v = &s->seen.viewer[s->seen.n++];
            *v = all.viewer[i];
            v->radius = v->radius < RADIUS_MAX ? v->radius : RADIUS_MAX; /* for all that follows: what is removed, as what is made */
        }
}

/* Whether a viewer has moved, come or gone since the round before. */
static bool has_moved(struct adit_stream *s)
{
    bool moved = false;
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX; i++) {
        const struct adit_interest_viewer none = {0}, *v = i < s->seen.n ? &s->seen.viewer[i] : &none;
        struct adit_interest_viewer *b = &s->before[i];
        moved |= v->at[0] != b->at[0] || v->at[1] != b->at[1] || v->at[2] != b->at[2] || v->radius != b->radius;
        *b = *v;
    }
    return moved;
}

static uint64_t pause_ns(struct adit_stream *s)
{
    const uint64_t now = adit_clock_ns();
    s->stirred_ns = has_moved(s) ? now : s->stirred_ns;
    if (!s->seen.n || (s->flights == s->lates && !s->missing_n && !s->blocked))
        return IDLE_NS;
    return s->flights > s->lates || !s->blocked || now - s->stirred_ns < STIR_NS ? ROUND_NS : FULL_NS;
}

static void *stream_main(void *user)
{
    struct adit_stream *s = user;
    uint64_t pause = 0;
    adit_room_init(&s->room, s->arena);
    while (!adit_load32_acquire(&s->stop)) {
        see(s);
        if (s->seen.n) {
            land(s, false);
            time_flights(s);
            find_missing(s);
            launch_missing(s);
            remove_far(s);
            forget_removed(s);
            for (uint32_t i = 0; i < (pause == FULL_NS ? FULL_LOOKS : 1); i++)
                if (adit_room_look(&s->room, s->reader, &s->seen, s->p.world, s->p.levels, s->flights, adit_clock_ns()))
                    make_room(s);
        }
        pause = pause_ns(s);
        (void)adit_futex_wait(&s->stop, 0, pause);
    }
    land(s, true);
    return NULL;
}

/* ---- open, close, look ---- */

static int check(struct adit_stream *s, const struct adit_stream_params *p)
{
    int error = adit_params_check("adit_stream_open", p->size, sizeof *p);
    if (error)
        return error;
    if (s->arena->role != ADIT_ROLE_PRODUCER)
        return adit_fault(-EROFS, "arena %s: this process may only read; attach as a producer", s->arena->name);
    if (!p->queue || p->y_lo >= p->y_hi || p->y_hi - p->y_lo > (int32_t)(2 * CHUNKS_MAX))
        return adit_fault(-EINVAL, "adit_stream_open: layers %d to %d, and %s; 1 to %u layers are possible", p->y_lo, p->y_hi, p->queue ? "a queue" : "no queue", 2 * CHUNKS_MAX);
    if (p->ahead > CHUNKS_MAX || p->keep > CHUNKS_MAX || p->flight_max > FLIGHT_MAX)
        return adit_fault(-EINVAL, "adit_stream_open: %u chunks ahead, %u more kept, %u tasks; up to %u, %u, %u are possible", p->ahead, p->keep, p->flight_max, CHUNKS_MAX, CHUNKS_MAX, FLIGHT_MAX);
    if (p->levels > LEVELS_MAX)
        return adit_fault(-EINVAL, "adit_stream_open: %u levels of detail; up to %u are possible", p->levels, LEVELS_MAX);
    if (p->args && (p->args_bytes > sizeof s->args || p->key_at > p->args_bytes || p->args_bytes - p->key_at < sizeof(struct adit_key)))
        return adit_fault(-EINVAL, "adit_stream_open: a key at byte %u of %u bytes of arguments; there are %zu at most", p->key_at, p->args_bytes, sizeof s->args);
    return 0;
}

static int set(struct adit_stream *s, const struct adit_stream_params *p)
{
    s->p = *p;
    s->p.ahead = p->ahead ? p->ahead : AHEAD;
    s->p.keep = p->keep ? p->keep : KEEP;
    s->p.flight_max = p->flight_max ? p->flight_max : FLIGHT;
    if (p->args) {
        memcpy(s->args, p->args, p->args_bytes);
        return 0;
    }
    const struct adit_generate_args terrain = {.generator = "terrain", .seed = p->seed, .renewable = 1};
    memcpy(s->args, &terrain, sizeof terrain);
    s->p.args_bytes = sizeof terrain;
    s->p.key_at = offsetof(struct adit_generate_args, key);
    int error = adit_kinds_register_builtin(s->arena);
    return error ? error : adit_kind_find(s->arena, "adit.generate", &s->p.kind);
}

int adit_stream_open(struct adit_arena *arena, const struct adit_stream_params *params, struct adit_stream **out)
{
    *out = NULL;
    struct adit_stream *s = calloc(1, sizeof *s);
    if (!s)
        return adit_fault(-ENOMEM, "arena %s: no memory for a stream", arena->name);
    s->arena = arena;
    s->far.nearest = s->info.whole = INFINITY;
    int error = check(s, params);
    if (!error)
        error = set(s, params);
    if (!error)
        error = adit_rcu_reader_open(arena, &s->reader);
    if (!error)
        error = adit_thread_start(&s->thread, stream_main, s);
    if (error) {
        adit_rcu_reader_close(&s->reader);
        free(s);
        return error == -EAGAIN ? adit_fault(error, "arena %s: cannot start the thread of a stream", arena->name) : error;
    }
    *out = s;
    return 0;
}

void adit_stream_close(struct adit_stream **stream)
{
    struct adit_stream *s = *stream;
    if (!s)
        return;
    adit_store32_release(&s->stop, 1);
    adit_futex_wake(&s->stop, 1);
    pthread_join(s->thread, NULL);
    adit_rcu_reader_close(&s->reader);
    free(s);
    *stream = NULL;
}

int adit_stream_look(const struct adit_stream *s, struct adit_stream_info *info)
{
    int error = adit_params_check("adit_stream_look", info->size, sizeof *info);
    if (error)
        return error;
    const struct adit_stream_info *from = &s->info;
    *info = (struct adit_stream_info){.size = sizeof *info, .missing = adit_load32_relaxed(&from->missing), .wanted = adit_load32_relaxed(&from->wanted), .under_way = adit_load32_relaxed(&from->under_way),
                                      .missing_ns = adit_load_relaxed(&from->missing_ns), .made = adit_load_relaxed(&from->made), .removed = adit_load_relaxed(&from->removed),
                                      .kept = adit_load_relaxed(&from->kept), .failed = adit_load_relaxed(&from->failed), .cancelled = adit_load_relaxed(&from->cancelled), .found = adit_load_relaxed(&from->found),
                                      .evicted = adit_load_relaxed(&from->evicted), .late = adit_load_relaxed(&from->late), .pressed = adit_load32_relaxed(&from->pressed), .whole = number(&from->whole),
                                      .last_error = __atomic_load_n(&from->last_error, __ATOMIC_RELAXED)};
    return 0;
}
