#include "runtime/interest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/params.h"

#define VOXELS ((float)ADIT_CHUNK_DIM)
#define BEHIND 2u         /* chunks more, and twice as far */
#define AGE_NS 4000000u   /* that a chunk must wait to rank as one chunk nearer */
#define UNSEEN_NS 100000000u /* between meshes of what is in no sight, in a world that is looked at in frames */
#define LEAD_OF 4u        /* of a frame: so long before it begins a mesh is begun that is to be there then */

struct adit_viewer {
    struct adit_arena *arena;
    struct adit_viewer_slot *slot;
};

/* ---- ranks ------------------------------------------------------------------------------------------------------ */

static float length_of(const float v[3]) { return sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

static float edge_of(const struct adit_key *k) { return VOXELS * (float)(1u << k->lod); }

/* How far a viewer is from the chunk's nearest point, in voxels. *ahead: from the viewer to its middle, along where it looks. */
static float distance_of(const struct adit_interest_viewer *v, const struct adit_key *k, float *ahead)
{
    float edge = edge_of(k), low[3] = {(float)k->x * edge, (float)k->y * edge, (float)k->z * edge}, off[3];
    *ahead = 0;
    for (int i = 0; i < 3; i++) {
        off[i] = v->at[i] < low[i] ? low[i] - v->at[i] : v->at[i] > low[i] + edge ? v->at[i] - low[i] - edge : 0;
        *ahead += (low[i] + edge / 2 - v->at[i]) * v->toward[i];
    }
    return length_of(off);
}

/* In chunks of its level. */
static float rank_of(const struct adit_interest_viewer *v, const struct adit_key *k)
{
    float edge = edge_of(k), ahead, distance = distance_of(v, k, &ahead), rank = distance / edge;
    bool is_behind = ahead < -edge / 2; /* its middle is half a chunk behind */
    rank = is_behind ? 2 * rank + BEHIND : rank;
    rank = rank < ADIT_RANK_BEYOND - 1 ? rank : ADIT_RANK_BEYOND - 1;
    return distance > v->radius * (float)(1u << k->lod) ? rank + ADIT_RANK_BEYOND : rank;
}

int32_t adit_interest_rank(const struct adit_interest *seen, uint64_t packed, uint64_t waited_ns)
{
    struct adit_key key = adit_key_unpack(packed);
    float least = 2 * ADIT_RANK_BEYOND - 1;
    for (uint32_t i = 0; i < seen->n; i++) {
        float rank = seen->viewer[i].world == key.world ? rank_of(&seen->viewer[i], &key) : least;
        least = rank < least ? rank : least;
    }
    uint64_t younger = waited_ns / (AGE_NS / ADIT_RANK_PARTS);
    return (int32_t)(ADIT_RANK_PARTS * least) - (younger < ADIT_RANK_AGED ? (int32_t)younger : ADIT_RANK_AGED);
}

float adit_interest_beyond(const struct adit_interest *seen, uint64_t packed)
{
    struct adit_key key = adit_key_unpack(packed);
    float least = INFINITY, ahead;
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct adit_interest_viewer *v = &seen->viewer[i];
        float beyond = v->world == key.world ? distance_of(v, &key, &ahead) - v->radius * (float)(1u << key.lod) : INFINITY;
        least = beyond < least ? beyond : least;
    }
    return least;
}

float adit_interest_distance(const struct adit_interest *seen, uint64_t packed)
{
    struct adit_key key = adit_key_unpack(packed);
    const float edge = edge_of(&key);
    float least = INFINITY, ahead;
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct adit_interest_viewer *v = &seen->viewer[i];
        if (v->world != key.world)
            continue;
        float far = distance_of(v, &key, &ahead), chunks = far / edge;
        chunks = chunks < ADIT_RANK_BEYOND - 1 ? chunks : ADIT_RANK_BEYOND - 1;
        chunks += far > v->radius * (float)(1u << key.lod) ? ADIT_RANK_BEYOND : 0;
        least = chunks < least ? chunks : least;
    }
    return least;
}

/* ---- how often -------------------------------------------------------------------------------------------------- */

/* The next time after now at which a mesh for a frame of the viewer's is to be begun. */
static uint64_t next_of(const struct adit_interest_viewer *v, uint64_t now)
{
    if (!v->frame_at_ns)
        return now + v->frame_ns;
    uint64_t begun = v->frame_at_ns + v->frame_ns - v->frame_ns / LEAD_OF; /* once; of what wraps around no harm comes: the remainder is below frame_ns */
    uint64_t since = now >= begun ? (now - begun) % v->frame_ns : v->frame_ns - 1 - (begun - now - 1) % v->frame_ns;
    return now + v->frame_ns - since;
}

uint64_t adit_interest_due(const struct adit_interest *seen, uint64_t packed, uint64_t now_ns)
{
    struct adit_key key = adit_key_unpack(packed);
    uint64_t due = 0;
    bool is_looked_at = false, has_watcher = false; /* its world; by somebody who looks all the time */
    for (uint32_t i = 0; i < seen->n; i++) {
        const struct adit_interest_viewer *v = &seen->viewer[i];
        float ahead;
        if (v->world != key.world)
            continue;
        is_looked_at = true;
        has_watcher |= !v->frame_ns;
        if (distance_of(v, &key, &ahead) > v->radius * (float)(1u << key.lod))
            continue;
        if (!v->frame_ns)
            return 0;
        uint64_t next = next_of(v, now_ns);
        due = !due || next < due ? next : due;
    }
    return due || !is_looked_at || has_watcher ? due : now_ns + UNSEEN_NS;
}

/* ---- viewers ---------------------------------------------------------------------------------------------------- */

static float number(const float *word)
{
    float f;
    uint32_t bits = __atomic_load_n((const uint32_t *)(const void *)word, __ATOMIC_RELAXED); /* relaxed: advice */
    __builtin_memcpy(&f, &bits, sizeof f);
    return isfinite(f) ? f : 0;
}

static void set_number(float *word, float f)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &f, sizeof bits);
    __atomic_store_n((uint32_t *)(void *)word, bits, __ATOMIC_RELAXED);
}

void adit_interest_look(const struct adit_arena *arena, struct adit_interest *seen)
{
    uint64_t high = adit_interest_high(arena);
    seen->n = 0;
    for (uint32_t i = 0; i < high && i < ADIT_VIEWERS_MAX; i++) {
        const struct adit_viewer_slot *s = &arena->viewers[i];
        if (adit_load32_acquire(&s->state) != ADIT_VIEWER_ACTIVE) /* VIEWER:active: its place is there */
            continue;
        struct adit_interest_viewer *v = &seen->viewer[seen->n++];
        for (int k = 0; k < 3; k++) {
            v->at[k] = number(&s->at[k]);
            v->toward[k] = number(&s->toward[k]);
        }
        float long_ = length_of(v->toward);
        for (int k = 0; k < 3; k++)
            v->toward[k] = long_ > 0 && isfinite(long_) ? v->toward[k] / long_ : 0;
        v->radius = number(&s->radius);
        v->world = __atomic_load_n(&s->world, __ATOMIC_RELAXED);
        uint64_t frame_ns = adit_load_relaxed(&s->frame_ns);
        v->frame_ns = frame_ns < ADIT_FRAME_LONGEST ? frame_ns : ADIT_FRAME_LONGEST;
        v->frame_at_ns = adit_load_relaxed(&s->frame_at_ns);
    }
}

bool adit_interest_has(const struct adit_arena *arena, uint32_t owner)
{
    uint64_t high = adit_interest_high(arena);
    for (uint32_t i = 0; i < high && i < ADIT_VIEWERS_MAX; i++)
        if (adit_load32_relaxed(&arena->viewers[i].owner) == owner && adit_load32_relaxed(&arena->viewers[i].state) == ADIT_VIEWER_ACTIVE) /* relaxed, both: advice */
            return true;
    return false;
}

static int check(const struct adit_viewer_place *p)
{
    int error = adit_params_check("adit_viewer_*", p->size, sizeof *p);
    for (int i = 0; i < 3 && !error; i++)
        if (!isfinite(p->at[i]) || !isfinite(p->toward[i]))
            error = adit_fault(-EINVAL, "adit_viewer_*: a place or direction that is no number");
    if (!error && !(p->radius >= 0 && isfinite(p->radius)))
        error = adit_fault(-EINVAL, "adit_viewer_*: a radius of %g voxels", (double)p->radius);
    if (!error && p->frame_ns > ADIT_FRAME_LONGEST)
        error = adit_fault(-EINVAL, "adit_viewer_*: frames of %llu ns; give them up to a second, or 0", (unsigned long long)p->frame_ns);
    return error;
}

static void place(struct adit_viewer_slot *s, const struct adit_viewer_place *p)
{
    for (int i = 0; i < 3; i++) {
        set_number(&s->at[i], p->at[i]);
        set_number(&s->toward[i], p->toward[i]);
    }
    set_number(&s->radius, p->radius);
    __atomic_store_n(&s->world, p->world, __ATOMIC_RELAXED);
    adit_store_relaxed(&s->frame_ns, p->frame_ns);
    adit_store_relaxed(&s->frame_at_ns, p->frame_at_ns);
}

int adit_viewer_open(struct adit_arena *arena, const struct adit_viewer_place *at, struct adit_viewer **out)
{
    *out = NULL;
    int error = check(at);
    if (error)
        return error;
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: observers and guests are no viewers; attach as a consumer", arena->name);
    struct adit_viewer *v = calloc(1, sizeof *v);
    if (!v)
        return adit_fault(-ENOMEM, "arena %s: no memory for a viewer", arena->name);
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX && !v->slot; i++) {
        uint32_t nobody = 0;
        if (adit_load32_relaxed(&arena->viewers[i].owner) || !adit_cas32_acq_rel(&arena->viewers[i].owner, &nobody, arena->owner))
            continue;
        v->slot = &arena->viewers[i];
        adit_store32_release(&v->slot->state, ADIT_VIEWER_SETTING);
        adit_raise_acq_rel(&arena->control->viewers_high, i + 1);
    }
    if (!v->slot) {
        free(v);
        return adit_fault(-EUSERS, "arena %s: all %u viewers are taken", arena->name, ADIT_VIEWERS_MAX);
    }
    v->arena = arena;
    place(v->slot, at);
    adit_store32_release(&v->slot->state, ADIT_VIEWER_ACTIVE); /* VIEWER:active */
    adit_dirty_nudge(arena);
    *out = v;
    return 0;
}

int adit_viewer_move(struct adit_viewer *viewer, const struct adit_viewer_place *to)
{
    int error = check(to);
    if (!error) {
        place(viewer->slot, to);
        adit_dirty_nudge(viewer->arena);
    }
    return error;
}

static void release(struct adit_viewer_slot *s)
{
    adit_store32_release(&s->state, ADIT_VIEWER_FREE);
    adit_store32_release(&s->owner, 0); /* after state: the next owner finds the slot quiet */
}

void adit_viewer_close(struct adit_viewer **viewer)
{
    if (!*viewer)
        return;
    release((*viewer)->slot);
    free(*viewer);
    *viewer = NULL;
}

void adit_viewers_recover(struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < ADIT_VIEWERS_MAX; i++)
        if (adit_load32_acquire(&arena->viewers[i].owner) == owner)
            release(&arena->viewers[i]);
}
