/* kind_mesh.c - adit.mesh and adit.cull, by the mesher of dispatchers (mesher.h). A chunk is claimed as they do (dirty.h), so tasks and dispatchers may work side by side, and whoever dies
 * leaves it dirty: the next attempt, or a dispatcher, meshes it.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/dirty.h"
#include "runtime/mesher.h"
#include "runtime/store.h"

#define OTHERS_NS 1000000000u /* that somebody else may take for one chunk */
#define NAP_NS 50000u
#define TRIES_MAX 4u

static adit_mesh_kernel *best_kernel(void) { return adit_kind_kernel((const char[8]){""}); }

static int find(const struct adit_arena *arena, const struct adit_key *key, uint64_t *packed, uint32_t *index)
{
    if (!adit_key_try(key, packed))
        return -ERANGE;
    return adit_store_find(arena, *packed, index) && adit_load_acquire(&arena->entries[*index].current) ? 0 : -ENOENT;
}

/* Until nobody has anything to do for the entry. */
static int settle(const struct adit_task_run *run, uint32_t index, uint8_t flags, uint32_t *made)
{
    struct adit_arena *arena = run->arena;
    uint64_t begin = adit_clock_ns(), meshed = 0;
    while (!adit_dirty_is_done(arena, index)) { /* bounded by OTHERS_NS */
        if (adit_task_should_stop(run))
            return -ECANCELED;
        if (adit_dirty_claim_at(arena, index)) {
            struct adit_scratch *scratch;
            int error = adit_scratch_borrow(arena, &scratch);
            if (!error) {
                error = adit_mesher_run(arena, scratch, best_kernel(), flags, index);
                adit_scratch_give_back(arena, scratch);
            }
            (void)adit_mesher_done(arena, index, error); /* dirty still, where another attempt may do better */
            if (error)
                return error;
            meshed++;
        } else if (adit_clock_ns() - begin > OTHERS_NS) {
            return -EBUSY;
        } else {
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        }
        if (meshed == TRIES_MAX)
            break; /* it is published again and again: there is one of a later moment than the task */
    }
    *made = meshed > 0;
    return 0;
}

static int look(struct adit_arena *arena, const struct adit_key *key, struct adit_mesh_task_result *r)
{
    struct adit_reader *reader;
    struct adit_mesh_view view;
    int error = adit_rcu_borrow(arena, &reader);
    if (error)
        return error;
    adit_rcu_enter(reader);
    error = adit_mesh_acquire(reader, key, &view);
    if (!error)
        *r = (struct adit_mesh_task_result){.version = view.source[0], .serial = view.serial, .quads = view.quads_n, .faces = view.faces, .made = r->made};
    if (!adit_rcu_exit(reader))
        error = -ESTALE;
    adit_rcu_give_back(arena, reader);
    return error;
}

int adit_kind_mesh(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_mesh_args a;
    struct adit_mesh_task_result r = {0};
    uint64_t packed;
    uint32_t index;
    memcpy(&a, args, sizeof a);
    if (run->buffers_n || a.culled > 1 || a.zero)
        return -EINVAL;
    int status = find(run->arena, &a.key, &packed, &index);
    if (!status)
        status = settle(run, index, a.culled ? ADIT_MESH_CULLED : 0, &r.made);
    if (!status)
        status = look(run->arena, &a.key, &r);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}

/* ---- faces ---- */

/* With classes of its own where the process's are old: to make these anew may wait for sections, and a task with a buffer is in one. */
static int make(struct adit_arena *arena, struct adit_scratch *scratch, uint32_t index, struct adit_mesh_origin *origin, struct adit_mesh_result *m)
{
    int error = adit_mesher_make(arena, scratch, best_kernel(), ADIT_MESH_CULLED, index, NULL, origin, m);
    if (error != -ESTALE)
        return error;
    uint8_t *own = malloc(ADIT_MATERIALS);
    if (!own)
        return -ENOMEM;
    error = adit_mesher_make(arena, scratch, best_kernel(), ADIT_MESH_CULLED, index, own, origin, m);
    free(own);
    return error;
}

static void count(const struct adit_mesh_result *m, const struct adit_mesh_origin *origin, struct adit_cull_result *r)
{
    *r = (struct adit_cull_result){.version = origin->version[0], .faces = m->start[ADIT_MESH_RANGES]};
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        r->of[f] = m->start[(f + 1) * ADIT_MESH_CLASSES] - m->start[f * ADIT_MESH_CLASSES];
}

int adit_kind_cull(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_cull_args a;
    struct adit_cull_result r;
    struct adit_mesh_origin origin;
    struct adit_mesh_result m = {0};
    struct adit_scratch *scratch;
    uint64_t packed;
    uint32_t index;
    memcpy(&a, args, sizeof a);
    if (run->buffers_n > 1 || (run->buffers_n && run->buffers[0].access != ADIT_WRITE))
        return -EINVAL;
    if (run->buffers_n) {
        m.quads = run->buffers[0].data;
        m.quads_max = (uint32_t)(run->buffers[0].bytes / sizeof *m.quads);
    }
    int status = find(run->arena, &a.key, &packed, &index);
    if (!status)
        status = adit_scratch_borrow(run->arena, &scratch);
    if (status)
        return status;
    status = make(run->arena, scratch, index, &origin, &m);
    adit_scratch_give_back(run->arena, scratch);
    if (origin.key != packed)
        return -ENOENT; /* removed and forgotten since it was found */
    count(&m, &origin, &r);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status == -ENOSPC && !run->buffers_n ? 0 : status;
}
