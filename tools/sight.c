#include "tools/sight.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/moment.h"

#define SIDE 64 /* of the window that columns are folded into: more than a radius on both sides */

_Static_assert(2 * ADIT_SIGHT_RADIUS_MAX + 2 < SIDE, "no two columns in sight share a place");

/* A chunk in sight. */
struct cell {
    struct adit_key key;
    uint64_t frame;      /* the last in which it was in sight; 0: never */
    uint64_t since_ns;   /* it is bare since then; 0: it is not */
    uint64_t version;    /* that was last seen, 0: none */
    bool is_new;         /* it has not had a mesh since it came into sight */
};

struct adit_sight {
    struct adit_reader *reader;
    int32_t y_lo;
    uint32_t radius, layers;
    uint8_t world, lod;
    float edge; /* of a chunk, in voxels */
    uint64_t frame;
    uint32_t in_sight, bare;
    struct cell cell[SIDE][SIDE][ADIT_SIGHT_LAYERS_MAX];
    struct adit_sight_figures *figures;
};

int adit_sight_open(struct adit_arena *arena, uint32_t radius, int32_t y_lo, uint32_t layers, uint8_t world, uint8_t lod, struct adit_sight_figures *figures, struct adit_sight **out)
{
    struct adit_sight *s = calloc(1, sizeof *s);
    *out = s;
    if (!s)
        return -ENOMEM;
    s->radius = radius;
    s->y_lo = y_lo;
    s->layers = layers;
    s->world = world;
    s->lod = lod;
    s->figures = figures;
    s->edge = ADIT_CHUNK_DIM * (float)(1u << lod);
    int error = adit_reader_open(arena, &s->reader);
    if (error)
        adit_sight_close(out);
    return error;
}

void adit_sight_close(struct adit_sight **sight)
{
    if (*sight)
        adit_reader_close(&(*sight)->reader);
    free(*sight);
    *sight = NULL;
}

/* How far the chunk's nearest point is, in chunks; as viewers count (runtime/interest.h). */
static float distance(const struct adit_sight *s, const float at[3], const struct adit_key *k)
{
    const float low[3] = {(float)k->x * s->edge, (float)k->y * s->edge, (float)k->z * s->edge};
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        float off = at[i] < low[i] ? low[i] - at[i] : at[i] > low[i] + s->edge ? at[i] - low[i] - s->edge : 0;
        sum += off * off;
    }
    return sqrtf(sum) / s->edge;
}

static struct cell *cell_of(struct adit_sight *s, const struct adit_key *k) { return &s->cell[(uint32_t)k->x % SIDE][(uint32_t)k->z % SIDE][k->y - s->y_lo]; }

/* The chunk in c is bare no more, since ns. */
static void dress(struct adit_sight *s, struct cell *c, uint64_t ns)
{
    adit_latency_add(c->is_new ? &s->figures->came : &s->figures->edited, ns > c->since_ns ? ns - c->since_ns : 0);
    c->since_ns = 0;
    c->is_new = false;
}

/* What was in c goes out of sight. */
static void drop(struct adit_sight *s, struct cell *c, uint64_t now)
{
    if (c->frame && c->since_ns) {
        s->figures->lost++;
        dress(s, c, now);
    }
    c->frame = 0;
}

static void look_at(struct adit_sight *s, const struct adit_key *key, uint64_t now)
{
    struct cell *c = cell_of(s, key);
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    if (!c->frame || memcmp(&c->key, key, sizeof *key)) {
        drop(s, c, now);
        *c = (struct cell){.key = *key, .since_ns = now, .is_new = true};
    }
    c->frame = s->frame;
    s->in_sight++;
    adit_enter(s->reader);
    int no_mesh = adit_mesh_acquire(s->reader, key, &mesh); /* the mesh first: so the version is not older than its own */
    int no_view = adit_chunk_acquire(s->reader, key, &view);
    uint64_t version = no_view ? 0 : view.version, published = no_view ? 0 : view.published_ns, meshed = no_mesh ? 0 : mesh.source[0], meshed_ns = no_mesh ? 0 : mesh.published_ns;
    bool is_torn = (version && version != c->version && !adit_chunk_is_intact(&view)) || (meshed && c->since_ns && !adit_mesh_is_intact(&mesh)); /* each once: bytes are hashed */
    if (adit_exit(s->reader)) /* ousted: the next frame sees it */
        return;
    s->figures->torn += (no_view && no_view != -ENOENT) || (no_mesh && no_mesh != -ENOENT) || is_torn;
    if (version && !c->since_ns && version != c->version) /* another one since it last was meshed */
        c->since_ns = published;
    if (!version && !c->since_ns && c->version) { /* removed, in sight: it comes anew */
        c->since_ns = now;
        c->is_new = true;
    }
    c->version = version;
    if (version && c->since_ns && meshed == version)
        dress(s, c, meshed_ns);
    s->bare += c->since_ns != 0;
}

void adit_sight_look(struct adit_sight *s, const float at[3])
{
    int32_t x = (int32_t)floorf(at[0] / s->edge), z = (int32_t)floorf(at[2] / s->edge), r = (int32_t)s->radius + 1;
    uint64_t now = adit_moment_ns();
    struct adit_key key = {.world = s->world, .lod = s->lod};
    s->frame++;
    s->in_sight = s->bare = 0;
    for (key.x = x - r; key.x <= x + r; key.x++)
        for (key.z = z - r; key.z <= z + r; key.z++)
            for (key.y = s->y_lo; key.y < s->y_lo + (int32_t)s->layers; key.y++)
                if (distance(s, at, &key) <= (float)s->radius)
                    look_at(s, &key, now);
    struct cell *all = &s->cell[0][0][0];
    for (uint32_t i = 0; i < sizeof s->cell / sizeof *all; i++)
        if (all[i].frame && all[i].frame != s->frame)
            drop(s, &all[i], now);
}

uint32_t adit_sight_count(const struct adit_sight *s, uint32_t *bare)
{
    *bare = s->bare;
    return s->in_sight;
}

bool adit_sight_pick(const struct adit_sight *s, uint64_t random, struct adit_key *key, uint64_t *version)
{
    const struct cell *all = &s->cell[0][0][0];
    uint32_t n = sizeof s->cell / sizeof *all;
    for (uint32_t i = 0; i < n; i++) {
        const struct cell *c = &all[(random + i) % n];
        if (!c->frame || !c->version)
            continue;
        *key = c->key;
        *version = c->version;
        return true;
    }
    return false;
}
