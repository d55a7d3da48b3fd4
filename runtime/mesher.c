#include "runtime/mesher.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/dirty.h"
#include "runtime/encoding.h"
#include "runtime/interest.h"
#include "runtime/material.h"
#include "runtime/placement.h"
#include "runtime/publish.h"
#include "runtime/rim.h"
#include "runtime/store.h"
#include "runtime/watch.h"

#define QUADS_FIRST 65536u

#define ATTEMPTS 4u /* at a mesh that lacks room or classes; a version may come meanwhile that needs more again */

/* What was read from the store inside the section. voxels points into the version's block. */
struct sources {
    struct adit_mesh_origin origin;
    struct adit_voxels voxels;
    struct adit_mesh_source source;
    struct adit_rim_cells cells; /* with ADIT_MESH_AO, as what follows */
    struct adit_mesh_rim rim;
    bool empty;
};

static void see(struct adit_mesh_origin *o, uint32_t i, const struct adit_version *v)
{
    o->version[i] = v->version;
    o->newest_ns = v->published_ns > o->newest_ns ? v->published_ns : o->newest_ns;
}

/* The version that has the key now, or NULL. Its first *bytes may be looked at. */
static const struct adit_version *find_version(const struct adit_arena *arena, uint64_t key, uint32_t *bytes)
{
    uint32_t index;
    uint64_t commit;
    return key ? adit_store_current(arena, key, &index, &commit, bytes) : NULL;
}

/* The neighbour across face: its version and the side that faces us. */
static void read_neighbour(struct adit_arena *arena, struct adit_scratch *scratch, uint64_t packed, uint32_t face,
                           struct sources *s)
{
    uint32_t bytes;
    const struct adit_version *v = find_version(arena, adit_key_neighbour(packed, face), &bytes);
    if (!v || !adit_decode_plane_within(v, bytes, face ^ 1, scratch->plane[face]))
        return;
    see(&s->origin, face + 1, v);
    s->origin.border_hash[face] = v->border_hash[face ^ 1];
    s->source.plane[face] = scratch->plane[face];
}

/* The cells around it, where they count. */
static void read_rim(const struct adit_arena *arena, uint64_t packed, uint32_t flags, struct adit_rim_cells *cells, struct adit_mesh_origin *o)
{
    if (!(flags & ADIT_MESH_AO))
        return;
    adit_rim_read(arena, packed, cells, &o->newest_ns);
    o->rim_hash = adit_rim_hash(cells);
}

/* Everything the kernel needs: planes are copied out, the version is read where it lies. -EBADMSG. */
static int read_sources(struct adit_arena *arena, struct adit_scratch *scratch, uint32_t index, struct sources *s)
{
    uint64_t packed = adit_store_key(arena, index);
    uint32_t bytes;
    const struct adit_version *v = adit_store_version_sized(arena, adit_load_acquire(&arena->entries[index].current), &bytes);
    s->origin.key = packed;
    if (!v || !adit_voxels_view_within(v, bytes, &s->voxels))
        return -EBADMSG;
    s->empty = v->encoding == ADIT_ENC_REMOVED || (v->summary & ADIT_SUM_EMPTY);
    see(&s->origin, 0, v);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        read_neighbour(arena, scratch, packed, f, s);
    read_rim(arena, packed, s->source.flags, &s->cells, &s->origin);
    return 0;
}

/* Classes are those of now, what was read is all here: s->source is what the kernel is given. */
static int mesh(struct sources *s, const uint8_t *classes, adit_mesh_kernel *kernel, struct adit_mesh_result *r)
{
    s->source.classes = classes;
    if (s->source.flags & ADIT_MESH_AO) {
        adit_rim_opacity(&s->cells, classes, &s->rim);
        s->source.rim = &s->rim;
    }
    return kernel(&s->source, r);
}

static uint32_t all_flags(const struct adit_arena *arena, uint8_t flags)
{
    return flags | (arena->control->tt_none ? ADIT_MESH_TT_NONE : 0) | (arena->control->ao ? ADIT_MESH_AO : 0);
}

/* Classes after all was read: they know of each material that may be there. */
static int mesh_classed(struct adit_arena *arena, struct sources *s, adit_mesh_kernel *kernel, uint8_t *own, struct adit_mesh_result *r)
{
    const uint8_t *classes = adit_classes_try(arena);
    if (classes) {
        int error = mesh(s, classes, kernel, r);
        adit_classes_exit(arena);
        return error;
    }
    if (!own)
        return -ESTALE;
    adit_classes_copy(arena, own);
    return mesh(s, own, kernel, r);
}

int adit_mesher_make(struct adit_arena *arena, struct adit_scratch *scratch, adit_mesh_kernel *kernel, uint8_t flags, uint32_t index, uint8_t *own,
                     struct adit_mesh_origin *origin, struct adit_mesh_result *r)
{
    struct sources s;
    const struct adit_mesh_source source = {.encoded = &s.voxels, .dim = {64, 64, 64}, .flags = (uint8_t)all_flags(arena, flags)};
    s.origin = (struct adit_mesh_origin){0};
    s.source = source;
    *r = (struct adit_mesh_result){.quads = r->quads, .quads_max = r->quads_max, .bounds_lo = {63, 63, 63}};
    adit_rcu_enter(scratch->reader);
    int error = read_sources(arena, scratch, index, &s);
    if (!error && !s.empty)
        error = mesh_classed(arena, &s, kernel, own, r);
    *origin = s.origin;
    return adit_rcu_exit(scratch->reader) ? error : -EAGAIN;
}

/* Gets what the last attempt lacked. */
static int provide(struct adit_arena *arena, struct adit_scratch *scratch, int lacking, uint32_t quads_n)
{
    if (lacking == -ENOSPC)
        return adit_scratch_grow_quads(scratch, quads_n);
    if (lacking != -ESTALE)
        return lacking;
    if (!adit_classes_enter(arena))
        return -ENOMEM;
    adit_classes_exit(arena);
    return 0;
}

/* When viewers can see its next mesh. */
static void set_due(struct adit_arena *arena, uint32_t index, uint64_t packed)
{
    struct adit_interest seen;
    if (!adit_interest_high(arena))
        return;
    adit_interest_look(arena, &seen);
    uint64_t due = adit_watch_is_by_others(arena, packed, ADIT_WATCH_MESHES) ? 0 : adit_interest_due(&seen, packed, adit_clock_ns());
    adit_store_relaxed(&arena->entries[index].due_ns, due); /* relaxed: advice */
}

static enum adit_maker maker_of(adit_mesh_kernel *kernel)
{
    return kernel == adit_mesh_scalar ? ADIT_MAKER_SCALAR : kernel == adit_mesh_avx2 ? ADIT_MAKER_AVX2 : kernel == adit_mesh_avx512 ? ADIT_MAKER_AVX512 : ADIT_MAKER_OTHER;
}

/* Before the section ends: then the block may be another's. */
static void count_mesh(struct adit_arena *arena, const struct adit_mesh *m, uint64_t ref, const struct adit_mesh_origin *o)
{
    uint64_t took = o->begin_ns ? m->published_ns - o->begin_ns : 0;
    adit_count(arena, ADIT_COUNT_MESHES_MADE + o->maker % ADIT_LABEL_N_MAKER, 1);
    adit_count(arena, ADIT_COUNT_MESH_BYTES + adit_ref_segment(ref) % ADIT_SEGMENTS_MAX, m->bytes);
    adit_count(arena, ADIT_COUNT_MESH_QUADS, m->start[ADIT_MESH_RANGES]);
    if (o->newest_ns && o->newest_ns < m->published_ns)
        adit_record(arena, ADIT_HISTOGRAM_VISIBLE_NS, m->published_ns - o->newest_ns, 1);
    if (took)
        adit_record(arena, ADIT_HISTOGRAM_MESH_NS + o->maker % ADIT_LABEL_N_MAKER, took, 1);
    ADIT_PROBE(mesh, m->key, took);
    adit_event(arena, ADIT_EVENT_MESH, m->published_ns, m->key, took);
}

int adit_mesher_publish(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, const struct adit_mesh_origin *o,
                        const struct adit_mesh_result *r)
{
    struct adit_entry *entry = &arena->entries[index];
    uint64_t packed = adit_store_key(arena, index), ref;
    size_t quads_bytes = (size_t)r->start[ADIT_MESH_RANGES] * 8, bytes = sizeof(struct adit_mesh) + quads_bytes;
    uint32_t place = adit_placement_of_mesh(arena, packed, adit_placement_segment(arena, adit_load_relaxed(&entry->current)));
    int error = adit_block_alloc(arena, bytes, place, &ref);
    if (error)
        return error;
    struct adit_mesh *m = adit_arena_at(arena, ref, bytes);
    adit_rcu_enter(reader); /* as in publish.h: what is replaced is looked at, and the intent stands, inside a section */
    uint64_t old = adit_load_acquire(&entry->mesh);
    const struct adit_mesh *before = adit_store_mesh(arena, old);
    *m = (struct adit_mesh){.kind = ADIT_KIND_MESH, .bytes = (uint32_t)bytes, .key = packed,
                            .serial = 1 + (before ? before->serial : adit_load_acquire(&arena->control->version_floor)), .faces = r->faces, .quads_at = sizeof *m,
                            .source_ns = o->newest_ns, .publisher = arena->owner, .rim_hash = o->rim_hash};
    memcpy(m->source, o->version, sizeof m->source);
    memcpy(m->border_hash, o->border_hash, sizeof m->border_hash);
    memcpy(m->start, r->start, sizeof m->start);
    memcpy(m->bounds_lo, r->bounds_lo, sizeof m->bounds_lo);
    memcpy(m->bounds_hi, r->bounds_hi, sizeof m->bounds_hi);
    if (quads_bytes)
        memcpy(m + 1, r->quads, quads_bytes);
    m->content_hash = XXH3_64bits_withSeed(m + 1, quads_bytes, packed);
    m->published_ns = adit_clock_ns();
    adit_block_publish(arena, ref);
    /* MESH:commit. Release: the mesh is whole for whoever acquires the word (VIEW:mesh). */
    if (!adit_intent_set(arena, reader, ADIT_INTENT_MESH, index, old) ||
        !adit_cas_acq_rel(&entry->mesh, &old, adit_commit_make(m->serial, ref))) {
        adit_intent_clear(arena, reader);
        (void)adit_rcu_exit(reader);
        adit_block_unpublish(arena, ref);
        adit_block_free(arena, ref);
        return adit_fault(-EAGAIN, "arena %s: somebody else committed this chunk's mesh, or this section was ousted", arena->name);
    }
    if (old)
        adit_retire(arena, adit_commit_ref(old));
    adit_watch_tell(arena, packed, index, ADIT_WATCH_MESHES);
    count_mesh(arena, m, ref, o);
    adit_intent_clear(arena, reader);
    (void)adit_rcu_exit(reader);
    set_due(arena, index, packed);
    adit_retire_help(arena);
    adit_add_relaxed(&arena->self->meshed, 1);
    return 0;
}

int adit_mesher_run(struct adit_arena *arena, struct adit_scratch *scratch, adit_mesh_kernel *kernel, uint8_t flags,
                    uint32_t index)
{
    struct adit_mesh_origin origin;
    struct adit_mesh_result r;
    uint64_t begin_ns = adit_metrics_are_on(arena) ? adit_clock_ns() : 0;
    int error = adit_scratch_grow_quads(scratch, QUADS_FIRST), lacking = -EAGAIN;
    for (uint32_t attempt = 0; !error && attempt < ATTEMPTS; attempt++) {
        r.quads = scratch->quads;
        r.quads_max = scratch->quads_max;
        lacking = adit_mesher_make(arena, scratch, kernel, flags, index, NULL, &origin, &r);
        if (!lacking)
            break;
        error = provide(arena, scratch, lacking, r.start[ADIT_MESH_RANGES]);
    }
    if (!error && lacking)
        error = -EAGAIN; /* it changed each time */
    origin.maker = maker_of(kernel);
    origin.begin_ns = begin_ns;
    return error ? error : adit_mesher_publish(arena, scratch->reader, index, &origin, &r);
}

bool adit_mesher_done(struct adit_arena *arena, uint32_t index, int error)
{
    bool again = error == -ENOMEM || error == -EAGAIN || error == -EUSERS;
    adit_count(arena, ADIT_COUNT_MESHES_STARVED, error == -ENOMEM);
    if (error == -ENOMEM)
        adit_add_relaxed(&arena->control->starved, 1);
    else if (adit_load_relaxed(&arena->control->starved))
        adit_store_relaxed(&arena->control->starved, 0);
    adit_dirty_finish(arena, index, again);
    return !again;
}

bool adit_mesher_work(struct adit_arena *arena, adit_mesh_kernel *kernel, uint8_t flags, uint32_t index, uint64_t *meshed)
{
    struct adit_scratch *scratch;
    if (adit_dirty_is_given_up(arena, index)) { /* a neighbour has changed */
        adit_dirty_finish(arena, index, false);
        return true;
    }
    int error = adit_scratch_borrow(arena, &scratch);
    if (!error) {
        error = adit_mesher_run(arena, scratch, kernel, flags, index);
        adit_scratch_give_back(arena, scratch);
    }
    if (!error)
        adit_add_relaxed(meshed, 1);
    return adit_mesher_done(arena, index, error);
}

/* Inside a section: the chunk as a task. 1: nothing for a device. */
static int make_task(struct adit_arena *arena, uint64_t packed, const struct adit_version *v, uint32_t bytes, struct adit_mesh_origin *o,
                     struct adit_mesh_task *task)
{
    if (!v)
        return -EBADMSG;
    if (v->encoding == ADIT_ENC_REMOVED || v->encoding == ADIT_ENC_UNIFORM || v->summary & ADIT_SUM_EMPTY)
        return 1;
    task->version = v;
    task->bytes = bytes;
    see(o, 0, v);
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        uint32_t beside_bytes;
        const struct adit_version *beside = find_version(arena, adit_key_neighbour(packed, f), &beside_bytes);
        if (!beside)
            continue;
        see(o, f + 1, beside);
        o->border_hash[f] = beside->border_hash[f ^ 1];
        task->beside[f] = beside;
        task->beside_bytes[f] = beside_bytes;
    }
    return 0;
}

int adit_mesher_add(struct adit_arena *arena, uint8_t flags, uint32_t index, const struct adit_executor *executor, void *batch,
                    struct adit_mesh_origin *origin)
{
    struct adit_rim_cells cells;
    struct adit_mesh_rim rim;
    struct adit_mesh_task task = {.flags = all_flags(arena, flags)};
    uint64_t packed = adit_store_key(arena, index);
    uint32_t bytes = 0;
    *origin = (struct adit_mesh_origin){0};
    const struct adit_version *v = adit_store_version_sized(arena, adit_load_acquire(&arena->entries[index].current), &bytes);
    int error = make_task(arena, packed, v, bytes, origin, &task);
    if (!error && task.flags & ADIT_MESH_AO) {
        read_rim(arena, packed, task.flags, &cells, origin);
        const uint8_t *classes = adit_classes_try(arena);
        error = classes ? 0 : 1; /* they are to be made anew, which may block */
        if (classes) {
            adit_rim_opacity(&cells, classes, &rim);
            adit_classes_exit(arena);
            task.rim = &rim;
        }
    }
    return error ? error : executor->add(batch, &task);
}
