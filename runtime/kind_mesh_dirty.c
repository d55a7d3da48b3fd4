/* kind_mesh_dirty.c - adit.mesh_dirty: what a dispatcher's foreman (foreman.h) hands to workers, threads and processes alike. A task is an offer to mesh one chunk; whether there is anything to
 * do is decided by the claim (dirty.h) when it runs. So one offer too many ends at once, and who dies at any instruction leaves a chunk that is dirty again.
 *
 * An attempt after a death comes sooner than the recovery of who died (some 50 us against as many ms): it waits until that one's claim is undone. Else the chunk
 * would be taken for somebody else's, the task for done, and nobody would count how many workers it has killed.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "runtime/dirty.h"
#include "runtime/mesher.h"

#define OTHERS_NS 60000000000u /* for the recovery of a dead worker, which a keeper learns of by the pidfd, up to 0.1 s a GiB that it had touched; or somebody else who is at the chunk */
#define LOOK_NS 50000
#define STARVED_NAP_NS 5000000

static void nap(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

/* 0: this worker's. 1: there is nothing to do. */
static int claim(const struct adit_task_run *run, uint32_t index)
{
    uint64_t begin = run->attempt > 1 ? adit_clock_ns() : 0;
    while (!adit_dirty_claim_at(run->arena, index)) { /* bounded by OTHERS_NS */
        if (run->attempt == 1 || adit_dirty_is_done(run->arena, index))
            return 1;
        if (adit_task_should_stop(run))
            return -ECANCELED;
        if (adit_clock_ns() - begin > OTHERS_NS)
            return -EBUSY;
        nap(LOOK_NS);
    }
    return 0;
}

int adit_kind_mesh_dirty(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_mesh_dirty_args a;
    struct adit_mesh_dirty_result r = {0};
    memcpy(&a, args, sizeof a);
    adit_mesh_kernel *kernel = adit_kind_kernel(a.kernel);
    if (run->buffers_n || a.index >= run->arena->chunks_max || a.culled > 1 || a.zero[0] || a.zero[1] || a.zero[2] || !kernel)
        return -EINVAL;
    int status = claim(run, a.index);
    if (!status) {
        uint64_t begin = adit_clock_ns(), made = 0;
        bool is_ended = adit_mesher_work(run->arena, kernel, a.culled ? ADIT_MESH_CULLED : 0, a.index, &made);
        uint64_t took = adit_clock_ns() - begin;
        r.took_ns = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        r.made = (uint32_t)made;
        if (!is_ended)
            nap(STARVED_NAP_NS); /* there is no memory: it is dirty again */
    }
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status < 0 ? status : 0;
}
