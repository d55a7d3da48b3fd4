/* witness.c - order inside a section: the mesh is acquired before the version, so the version at hand is at least as
 * new as the one the mesh was made from; the other way round a publisher in between would look like a fault. */
#include "tools/witness.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/moment.h"
#include "tools/relook.h"

/* What was last seen of a key. */
struct seen {
    struct adit_key key;
    uint64_t version, serial, source;
};

static int seen_compare(const void *a, const void *b)
{
    const struct adit_key *p = &((const struct seen *)a)->key, *q = &((const struct seen *)b)->key;
    int64_t d = (int64_t)p->x - q->x;
    if (!d)
        d = (int64_t)p->z - q->z;
    if (!d)
        d = (int64_t)p->y - q->y;
    if (!d)
        d = (p->world << 8 | p->lod) - (q->world << 8 | q->lod);
    return (d > 0) - (d < 0);
}

/* The entry of key, made when it is new. NULL when memory is short. */
static struct seen *seen_of(struct adit_witness *w, const struct adit_key *key)
{
    struct seen probe = {.key = *key};
    struct seen *const *found = tfind(&probe, &w->seen, seen_compare);
    if (found)
        return *found;
    struct seen *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    *s = probe;
    if (tsearch(s, &w->seen, seen_compare))
        return s;
    free(s);
    return NULL;
}

__attribute__((format(printf, 4, 5))) static void fault_add(struct adit_witness *w, uint64_t *counter,
                                                            const struct adit_key *k, const char *format, ...)
{
    ++*counter;
    if (*w->fault)
        return;
    int n = snprintf(w->fault, sizeof w->fault, "world %u chunk %d,%d,%d: ", k->world, k->x, k->y, k->z);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->fault + n, sizeof w->fault - (size_t)n, format, arguments);
    va_end(arguments);
}

int adit_witness_open(struct adit_arena *arena, struct adit_witness **out)
{
    *out = NULL;
    struct adit_witness *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->arena = arena;
    w->opened_ns = adit_moment_ns();
    w->voxels = malloc(sizeof(uint16_t) * ADIT_CHUNK_VOXELS);
    struct adit_watch_params params = {.size = sizeof params,
                                        .with_present = true};
    int status = w->voxels ? adit_reader_open(arena, &w->reader) : -ENOMEM;
    if (!status)
        status = adit_watch_open(arena, &params, &w->watch);
    if (status)
        adit_witness_close(&w);
    *out = w;
    return status;
}

void adit_witness_close(struct adit_witness **witness)
{
    struct adit_witness *w = *witness;
    *witness = NULL;
    if (!w)
        return;
    adit_watch_close(&w->watch);
    adit_reader_close(&w->reader);
    tdestroy(w->seen, free);
    free(w->voxels);
    free(w);
}

/* Expands the version at hand unless it is already. */
static void voxels_need(struct adit_witness *w, const struct adit_chunk_view *view)
{
    if (w->voxels_version != view->version)
        adit_chunk_decode(view, w->voxels);
    w->voxels_version = view->version;
}

static void version_look(struct adit_witness *w, struct seen *seen, const struct adit_chunk_view *view)
{
    uint64_t now = adit_moment_ns();
    if (view->version < seen->version)
        fault_add(w, &w->backward, &view->key, "version %llu after %llu", (unsigned long long)view->version,
                  (unsigned long long)seen->version);
    if (view->version <= seen->version)
        return; /* looked at before */
    seen->version = view->version;
    w->versions++;
    if (view->published_ns >= w->opened_ns && now >= view->published_ns)
        adit_latency_add(&w->version_latency, now - view->published_ns);
    if (!adit_chunk_is_intact(view))
        fault_add(w, &w->torn, &view->key, "version %llu is not as it was published",
                  (unsigned long long)view->version);
    voxels_need(w, view);
    uint32_t solid = 0;
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        solid += w->voxels[i] != 0;
    if (solid != view->solid)
        fault_add(w, &w->wrong, &view->key, "version %llu has %u voxels, its head says %u",
                  (unsigned long long)view->version, solid, view->solid);
}

/* Whether the first and the last voxel under a quad exist and, where voxels are at hand, have its material. */
static bool quad_fits(const uint16_t *voxels, uint64_t q, uint32_t face)
{
    uint32_t p[3] = {adit_quad_x(q), adit_quad_y(q), adit_quad_z(q)}, e[3] = {p[0], p[1], p[2]};
    e[adit_face_u(face)] += adit_quad_w(q) - 1;
    e[adit_face_v(face)] += adit_quad_h(q) - 1;
    if (e[0] > 63 || e[1] > 63 || e[2] > 63)
        return false;
    uint32_t m = adit_quad_material(q);
    return !voxels || (voxels[(p[2] * 64 + p[1]) * 64 + p[0]] == m && voxels[(e[2] * 64 + e[1]) * 64 + e[0]] == m);
}

static void mesh_look(struct adit_witness *w, struct seen *seen, const struct adit_mesh_view *mesh,
                      const struct adit_chunk_view *view)
{
    uint64_t now = adit_moment_ns();
    if (mesh->serial < seen->serial || mesh->source[0] < seen->source)
        fault_add(w, &w->backward, &mesh->key, "mesh %llu of version %llu after mesh %llu of version %llu",
                  (unsigned long long)mesh->serial, (unsigned long long)mesh->source[0],
                  (unsigned long long)seen->serial, (unsigned long long)seen->source);
    if (view && mesh->source[0] > view->version)
        fault_add(w, &w->wrong, &mesh->key, "a mesh of version %llu, but version %llu is current",
                  (unsigned long long)mesh->source[0], (unsigned long long)view->version);
    if (mesh->serial <= seen->serial)
        return;
    seen->serial = mesh->serial;
    seen->source = mesh->source[0];
    w->meshes++;
    if (mesh->source_ns >= w->opened_ns && now >= mesh->source_ns)
        adit_latency_add(&w->mesh_latency, now - mesh->source_ns);
    if (!adit_mesh_is_intact(mesh))
        fault_add(w, &w->torn, &mesh->key, "mesh %llu is not as it was published", (unsigned long long)mesh->serial);
    bool same = view && view->version == mesh->source[0];
    if (same)
        voxels_need(w, view);
    uint32_t start[ADIT_MESH_RANGES + 1];
    memcpy(start, mesh->start, sizeof start); /* looked at once: the arena is not ours to trust */
    uint64_t area = 0, misfits = 0;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        for (uint32_t i = start[r]; i < start[r + 1] && i < mesh->quads_n; i++) {
            uint64_t q = *(const volatile uint64_t *)&mesh->quads[i];
            area += adit_quad_w(q) * adit_quad_h(q);
            misfits += !quad_fits(same ? w->voxels : NULL, q, r / ADIT_MESH_CLASSES);
        }
    if (area != mesh->faces || misfits)
        fault_add(w, &w->wrong, &mesh->key, "mesh %llu covers %llu faces, its head says %u; %llu quads lie wrong",
                  (unsigned long long)mesh->serial, (unsigned long long)area, mesh->faces,
                  (unsigned long long)misfits);
}

/* One change, and what was seen before it. */
struct change {
    struct adit_witness *witness, before;
    struct seen *seen, seen_before;
    const struct adit_key *key;
};

static int change_look(struct adit_reader *reader, void *user)
{
    struct change *change = user;
    struct adit_witness *w = change->witness;
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    w->voxels_version = 0;
    int no_mesh = adit_mesh_acquire(reader, change->key, &mesh);
    int no_view = adit_chunk_acquire(reader, change->key, &view);
    if (!no_view)
        version_look(w, change->seen, &view);
    if (!no_mesh)
        mesh_look(w, change->seen, &mesh, no_view ? NULL : &view);
    w->last.version = no_view ? 0 : view.version;
    w->last.solid = no_view ? 0 : view.solid;
    w->last.serial = no_mesh ? 0 : mesh.serial;
    w->last.quads = no_mesh ? 0 : mesh.quads_n;
    int failed = no_view && no_view != -ENOENT ? no_view : no_mesh && no_mesh != -ENOENT ? no_mesh : 0;
    if (failed)
        fault_add(w, &w->torn, change->key, "cannot be acquired: %s", adit_strerror(failed));
    return 0;
}

/* The voxels are memory and not something seen, and stay where they are. */
static void change_undo(void *user)
{
    struct change *change = user;
    *change->witness = change->before;
    *change->seen = change->seen_before;
}

static int change_take(struct adit_witness *w, const struct adit_key *key)
{
    struct seen *seen = seen_of(w, key);
    if (!seen)
        return -ENOMEM;
    struct change change = {.witness = w, .before = *w, .seen = seen, .seen_before = *seen, .key = key};
    return adit_relook(w->reader, change_look, change_undo, &change);
}

int adit_witness_step(struct adit_witness *w, uint64_t timeout_ns, struct adit_watch_event *event)
{
    struct adit_watch_event local;
    event = event ? event : &local;
    adit_rest(w->reader);
    int status = adit_watch_next(w->watch, event, timeout_ns);
    if (status)
        return status;
    w->events++;
    if (event->what == ADIT_WATCH_LAPSED)
        return 0; /* what it has seen of chunks that are gone stays: numbers go on when one comes back */
    return change_take(w, &event->key);
}
