/* storm_final.c - the quiet run publishes some versions by the same script, then the same last state, in an arena of its own. */
#include "tests/storm_final.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shm/shm.h"
#include "tests/storm_roles.h"

#define QUIET_VERSIONS 9u /* each kind of operation on every chunk */
#define SETTLE_NS 60000000000ull

static uint16_t voxels[ADIT_CHUNK_VOXELS], quiet_voxels[ADIT_CHUNK_VOXELS];

/* ---- rings */

static void check_rings(struct adit_arena *a)
{
    struct adit_ring *bag = storm_ring(a, STORM_BAG), *belt = storm_ring(a, STORM_BELT);
    uint64_t element[8], last = storm->belt_last >> 20;
    if (!belt || !bag || adit_ring_pop(bag, element, 1))
        storm_fail(STORM_BAG, "at the end it is not there, or not empty");
    while (belt && adit_ring_pop(belt, element, 1)) {
        if (element[0] != last && element[0] != last + 1 && element[0] != (storm->belt_last >> 20) + 2)
            storm_fail(STORM_BELT, "element %llu, left in it, after %llu", (unsigned long long)element[0], (unsigned long long)last);
        last = element[0];
    }
    if (last < storm->belt_done && last + 1 < storm->belt_done) /* the very last may have gone with its popper */
        storm_fail(STORM_BELT, "element %llu is gone", (unsigned long long)storm->belt_done);
    adit_ring_close(&bag);
    adit_ring_close(&belt);
    if (adit_ring_destroy(a, "bag") || adit_ring_destroy(a, "belt"))
        storm_fail(STORM_BAG, "the rings cannot be ended: %s", adit_detail());
}

/* ---- bytes */

static uint64_t heap_in_use(const struct adit_stats *s) { return s->segments[0].bytes - s->segments[0].free_bytes; }

/* What is in use beyond what the store names, retired and on loan included; segment 0 beyond what it had when it was new. */
static uint64_t left_over(struct adit_arena *a, struct adit_stats *s)
{
    uint64_t in_use = 0;
    *s = (struct adit_stats){.size = sizeof *s};
    if (adit_stats(a, s))
        return UINT64_MAX;
    for (uint32_t i = 1; i < s->segments_n; i++)
        in_use += s->segments[i].bytes - s->segments[i].free_bytes;
    return in_use - (s->version_bytes + s->mesh_bytes) + (heap_in_use(s) - storm->heap_bytes);
}

static void check_bytes(struct adit_arena *a)
{
    struct adit_stats s;
    for (uint32_t i = 0; i < 200 && (left_over(a, &s) || s.participants != 1); i++) {
        (void)adit_reclaim(a, true);
        usleep(20000);
    }
    if (left_over(a, &s))
        storm_fail(STORM_ANCHOR, "%lld bytes are left over: in segment 0 %llu (%llu on loan, %llu retired), when new %llu; in segment 1 "
                   "%llu on loan, %llu retired", (long long)left_over(a, &s), (unsigned long long)heap_in_use(&s),
                   (unsigned long long)s.segments[0].loaned_bytes, (unsigned long long)s.segments[0].retired_bytes,
                   (unsigned long long)storm->heap_bytes, (unsigned long long)s.segments[1].loaned_bytes,
                   (unsigned long long)s.segments[1].retired_bytes);
    if (s.participants != 1 || s.readers || s.watches)
        storm_fail(STORM_ANCHOR, "not alone at the end: %u participants, %u readers, %u watches", s.participants, s.readers, s.watches);
}

static void tell_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    storm_fail(STORM_ANCHOR, "the verifier, at the end: %s %s: %s", b->invariant, b->place, b->what);
}

/* ---- a quiet run */

static int quiet_run(struct adit_arena *a)
{
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    int error = storm_materials(a);
    if (!error)
        error = adit_dispatcher_open(a, &p, &d);
    if (error)
        return error;
    for (uint64_t v = 1; v <= QUIET_VERSIONS && !error; v++)
        for (uint32_t i = 0; i < STORM_CHUNKS && !error; i++)
            error = storm_publish(a, storm->seed, i, v, voxels);
    for (uint32_t i = 0; i < STORM_CHUNKS && !error; i++)
        error = storm_finish(a, storm->seed, i, QUIET_VERSIONS, voxels);
    if (!error)
        error = adit_settle(a, SETTLE_NS);
    adit_dispatcher_close(&d);
    return error;
}

static bool same_mesh(const struct adit_mesh_view *a, const struct adit_mesh_view *b)
{
    return a->quads_n == b->quads_n && a->faces == b->faces && !memcmp(a->start, b->start, (ADIT_MESH_RANGES + 1) * sizeof *a->start) &&
           !memcmp(a->quads, b->quads, a->quads_n * sizeof *a->quads) && !memcmp(a->bounds_lo, b->bounds_lo, 3) &&
           !memcmp(a->bounds_hi, b->bounds_hi, 3);
}

/* Returns the quads that were compared. */
static uint64_t compare_chunk(struct adit_reader *r, struct adit_reader *quiet, uint32_t chunk)
{
    struct adit_key key = storm_key(chunk);
    struct adit_chunk_view v, quiet_v;
    struct adit_mesh_view m = {0}, quiet_m;
    int error = adit_chunk_acquire(r, &key, &v), quiet_error = adit_chunk_acquire(quiet, &key, &quiet_v);
    if (error != quiet_error || (error && error != -ENOENT))
        storm_fail(STORM_ANCHOR, "chunk %u: acquired after the storm: %d, after a quiet run: %d", chunk, error, quiet_error);
    if (!error && !quiet_error) {
        adit_chunk_decode(&v, voxels);
        adit_chunk_decode(&quiet_v, quiet_voxels);
        if (memcmp(voxels, quiet_voxels, sizeof voxels))
            storm_fail(STORM_ANCHOR, "chunk %u: the voxels are not those of a quiet run", chunk);
    }
    error = adit_mesh_acquire(r, &key, &m);
    quiet_error = adit_mesh_acquire(quiet, &key, &quiet_m);
    if (error || quiet_error || !same_mesh(&m, &quiet_m))
        storm_fail(STORM_ANCHOR, "chunk %u: the mesh is not that of a quiet run (%d, %d)", chunk, error, quiet_error);
    return error ? 0 : m.quads_n;
}

static void compare_with_quiet(struct adit_arena *a)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 64u << 20, .chunks_max = 256, .materials_max = 1024};
    struct adit_arena *quiet = NULL;
    struct adit_reader *r = NULL, *quiet_r = NULL;
    uint64_t quads = 0;
    int error = adit_create("quiet", &p, &quiet);
    if (!error)
        error = quiet_run(quiet);
    if (!error)
        error = adit_reader_open(a, &r);
    if (!error)
        error = adit_reader_open(quiet, &quiet_r);
    if (!error) {
        adit_enter(r);
        adit_enter(quiet_r);
        for (uint32_t i = 0; i < STORM_CHUNKS; i++)
            quads += compare_chunk(r, quiet_r, i);
        adit_exit(quiet_r);
        adit_exit(r);
    }
    if (error || quads < STORM_CHUNKS)
        storm_fail(STORM_ANCHOR, "the quiet run: %s, %llu quads", adit_strerror(error), (unsigned long long)quads);
    adit_reader_close(&r);
    adit_reader_close(&quiet_r);
    adit_detach(&quiet);
}

/* A name is given once, whoever died naming. */
static void check_materials(struct adit_arena *a)
{
    struct adit_material_info one, other;
    for (uint32_t i = 1; i < 1024; i++)
        for (uint32_t j = i + 1; j < 1024 && !adit_material_get(a, (uint16_t)i, &one); j++)
            if (!adit_material_get(a, (uint16_t)j, &other) && !strcmp(one.name, other.name))
                storm_fail(STORM_PRODUCER, "materials %u and %u are both named %s", i, j, one.name);
}

void storm_final_check(struct adit_arena *a)
{
    const struct adit_verify_params p = {.size = sizeof p, .flags = ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP};
    check_rings(a);
    compare_with_quiet(a);
    check_materials(a);
    check_bytes(a);
    int breaches = adit_verify(a, &p, tell_breach, NULL);
    if (breaches < 0)
        storm_fail(STORM_ANCHOR, "the verifier, at the end: %s", adit_strerror(breaches));
}
