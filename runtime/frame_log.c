/* frame_log.c - frames in the arena, written and read.
 *
 *     loop:   mark = 0 ; fence release ; the rest, relaxed ; mark = n's, release ; frames = n, release
 *     reader: load frames, acquire ; load mark, acquire ; copy the rest, relaxed ; fence acquire ; load mark: the same, or it is left out
 *
 * Of two owners one after the other a reader sees one: of is 0 while the next one writes who it is, before which a fence stands, and is looked at before and after (shm/metrics_read.c, the same). */
#include "runtime/frame_log.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/params.h"

#define VALID (1ull << 31)
#define SKIPPED_MAX 0x7fffu

_Static_assert(ADIT_FRAME_MARKS == ADIT_FRAME_POINTS && ADIT_FRAME_LOOP_FRAMES == ADIT_FRAME_RING, "one number of points, one of frames");

/* ---- written ---------------------------------------------------------------------------------------------------- */

/* Text by words: who looks in sees each whole. bytes: a multiple of 8. */
static void put_text(char *to, const char *text, size_t bytes)
{
    char whole[32] = "";
    memcpy(whole, text, strnlen(text, bytes - 1));
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t word;
        memcpy(&word, whole + 8 * i, 8);
        adit_store_relaxed((uint64_t *)(void *)to + i, word);
    }
}

static struct adit_frame_slot *take(const struct adit_arena *a)
{
    for (uint32_t tries = 0; tries < ADIT_FRAME_SLOTS; tries++) { /* each time somebody else was quicker */
        struct adit_frame_slot *best = NULL;
        uint64_t first = UINT64_MAX;
        for (uint32_t i = 0; i < ADIT_FRAME_SLOTS && first; i++) {
            struct adit_frame_slot *s = &a->frames[i];
            uint64_t left = adit_load_relaxed(&s->left_ns); /* relaxed: advice; the CAS decides */
            if (adit_load32_relaxed(&s->owner) || left >= first)
                continue;
            first = left;
            best = s;
        }
        uint32_t nobody = 0;
        if (!best)
            return NULL;
        if (adit_cas32_acq_rel(&best->owner, &nobody, a->owner)) /* FRAMES:take, pairs with FRAMES:leave: what the last owner stored */
            return best;
    }
    return NULL;
}

struct adit_frame_slot *adit_frame_log_open(const struct adit_arena *arena, const struct adit_frame_params *p, uint64_t period_ns)
{
    struct adit_frame_slot *s = arena && adit_metrics_are_on(arena) ? take(arena) : NULL;
    if (!s)
        return NULL;
    adit_store32_release(&s->of, 0);         /* FRAMES:of */
    __atomic_thread_fence(__ATOMIC_RELEASE); /* and before what follows, for who looks at of again */
    adit_store32_relaxed(&s->pid, (uint32_t)getpid());
    adit_store32_relaxed(&s->tid, (uint32_t)syscall(SYS_gettid));
    adit_store_relaxed(&s->since_ns, adit_clock_ns());
    adit_store_relaxed(&s->left_ns, 0);
    adit_store_relaxed(&s->period_ns, period_ns);
    adit_store_relaxed(&s->frames, 0);
    adit_store_relaxed(&s->skipped, 0);
    adit_store32_relaxed(&s->points_n, p->points_n);
    put_text(s->label, arena->self->label, sizeof s->label);
    for (uint32_t i = 0; i < p->points_n; i++) {
        put_text(s->points[i].name, p->points[i].name, sizeof s->points[i].name);
        adit_store_relaxed(&s->points[i].offset_ns, p->points[i].offset_ns);
        adit_frame_log_reach(s, i, 0, 0, 0);
    }
    for (uint32_t i = 0; i < ADIT_FRAME_RING; i++)
        adit_store_relaxed(&s->ring[i].mark, 0);
    adit_store32_release(&s->of, arena->owner); /* FRAMES:of, pairs with who looks: all of the above */
    return s;
}

void adit_frame_log_add(struct adit_frame_slot *s, const struct adit_frame_past *past, uint64_t skipped)
{
    struct adit_frame_entry *e = &s->ring[(past->number - 1) % ADIT_FRAME_RING];
    uint64_t behind = past->skipped < SKIPPED_MAX ? past->skipped : SKIPPED_MAX;
    adit_store_relaxed(&e->mark, 0);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* FRAMES:mark, see above */
    adit_store_relaxed(&e->begin_ns, past->begin_ns);
    adit_store_relaxed(&e->late_ns, past->late_ns);
    adit_store_relaxed(&e->took_ns, past->took_ns);
    adit_store_release(&e->mark, past->number << 32 | VALID | behind << 16 | (past->missed & 0xffff)); /* FRAMES:mark */
    adit_store_relaxed(&s->skipped, skipped);
    adit_store_release(&s->frames, past->number); /* FRAMES:frames, pairs with who looks: it is there */
}

void adit_frame_log_reach(struct adit_frame_slot *s, uint32_t point, uint64_t reached, uint64_t missed, uint64_t late_most_ns)
{
    adit_store_relaxed(&s->points[point].reached, reached); /* relaxed, all: each is right by itself */
    adit_store_relaxed(&s->points[point].missed, missed);
    adit_store_relaxed(&s->points[point].late_most_ns, late_most_ns);
}

void adit_frame_log_close(const struct adit_arena *arena, struct adit_frame_slot *s)
{
    if (!s || adit_load32_relaxed(&s->owner) != arena->owner)
        return;
    adit_store_relaxed(&s->left_ns, adit_clock_ns());
    adit_store32_release(&s->owner, 0); /* FRAMES:leave, pairs with FRAMES:take */
}

void adit_frame_log_recover(const struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < ADIT_FRAME_SLOTS; i++) {
        struct adit_frame_slot *s = &arena->frames[i];
        if (adit_load32_acquire(&s->owner) != owner)
            continue;
        adit_store_relaxed(&s->left_ns, adit_clock_ns());
        adit_store32_release(&s->owner, 0); /* FRAMES:leave, for the dead */
    }
}

/* ---- looked at -------------------------------------------------------------------------------------------------- */

static void get_text(char *to, const char *from, size_t bytes)
{
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t word = adit_load_relaxed((const uint64_t *)(const void *)from + i);
        memcpy(to + 8 * i, &word, 8);
    }
    to[bytes - 1] = 0;
}

/* The slot, and whose it is; NULL: *error. */
static const struct adit_frame_slot *look_at(const struct adit_arena *arena, uint32_t loop, uint32_t *of, int *error)
{
    *error = loop >= ADIT_FRAME_SLOTS || !arena->frames ? -ERANGE : 0;
    if (*error)
        return NULL;
    *of = adit_load32_acquire(&arena->frames[loop].of); /* FRAMES:of */
    *error = *of ? 0 : -ENOENT;
    return *of ? &arena->frames[loop] : NULL;
}

/* Whether it is still the same one's. */
static int stays(const struct adit_frame_slot *s, uint32_t of)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return adit_load32_relaxed(&s->of) == of ? 0 : -ENOENT;
}

int adit_frame_loop_get(const struct adit_arena *arena, uint32_t loop, struct adit_frame_loop_info *out)
{
    uint32_t of;
    int error = adit_params_check("adit_frame_loop_get", out->size, sizeof *out);
    if (error)
        return error;
    *out = (struct adit_frame_loop_info){.size = sizeof *out};
    const struct adit_frame_slot *s = look_at(arena, loop, &of, &error);
    if (!s)
        return error;
    out->who = of;
    out->pid = adit_load32_relaxed(&s->pid);
    out->tid = adit_load32_relaxed(&s->tid);
    out->is_here = adit_load32_relaxed(&s->owner) == of;
    out->since_ns = adit_load_relaxed(&s->since_ns);
    out->left_ns = out->is_here ? 0 : adit_load_relaxed(&s->left_ns);
    out->period_ns = adit_load_relaxed(&s->period_ns);
    out->frames = adit_load_acquire(&s->frames);
    out->skipped = adit_load_relaxed(&s->skipped);
    get_text(out->label, s->label, sizeof out->label);
    uint32_t n = adit_load32_relaxed(&s->points_n);
    out->points_n = n < ADIT_FRAME_POINTS ? n : ADIT_FRAME_POINTS;
    for (uint32_t i = 0; i < out->points_n; i++) {
        const struct adit_frame_mark *m = &s->points[i];
        out->points[i] = (struct adit_frame_point_info){.reached = adit_load_relaxed(&m->reached), .missed = adit_load_relaxed(&m->missed), .late_most_ns = adit_load_relaxed(&m->late_most_ns)};
        get_text(out->points[i].name, m->name, sizeof out->points[i].name);
        out->offset_ns[i] = adit_load_relaxed(&m->offset_ns);
    }
    return stays(s, of);
}

int adit_frame_loop_frames(const struct adit_arena *arena, uint32_t loop, struct adit_frame_past *out, uint32_t max)
{
    uint32_t of, copied = 0;
    int error;
    const struct adit_frame_slot *s = look_at(arena, loop, &of, &error);
    if (!s)
        return error;
    uint64_t frames = adit_load_acquire(&s->frames); /* FRAMES:frames */
    uint32_t n = frames < ADIT_FRAME_RING ? (uint32_t)frames : ADIT_FRAME_RING;
    n = n < max ? n : max;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t number = frames - n + 1 + i;
        const struct adit_frame_entry *e = &s->ring[(number - 1) % ADIT_FRAME_RING];
        uint64_t mark = adit_load_acquire(&e->mark); /* FRAMES:mark */
        if (mark >> 32 != (number & UINT32_MAX) || !(mark & VALID))
            continue;
        out[copied] = (struct adit_frame_past){number, adit_load_relaxed(&e->begin_ns), adit_load_relaxed(&e->late_ns), adit_load_relaxed(&e->took_ns), (uint32_t)(mark >> 16 & SKIPPED_MAX), (uint32_t)(mark & 0xffff)};
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        copied += adit_load_relaxed(&e->mark) == mark;
    }
    error = stays(s, of);
    return error ? error : (int)copied;
}
