/* kind_move.c - adit.move. What is moved is moved by compare-and-swap, a chunk at a time (move.h), so an attempt that died has moved some, and the next finds these where they are to be.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include "runtime/key.h"
#include "runtime/move.h"
#include "runtime/placement.h"
#include "runtime/store.h"

static bool is_inside(const struct adit_move_args *a, const struct adit_key *k)
{
    return k->world == a->world && k->lod == a->lod && k->x >= a->lo[0] && k->x < a->hi[0] && k->y >= a->lo[1] && k->y < a->hi[1] && k->z >= a->lo[2] && k->z < a->hi[2];
}

/* One sort of block of an entry; count: what becomes of it. */
static int move_one(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, bool is_mesh, uint32_t place, struct adit_move_result *r)
{
    const struct adit_entry *entry = &arena->entries[index];
    uint32_t segment = adit_placement_segment(arena, adit_load_acquire(is_mesh ? &entry->mesh : &entry->current));
    if (!segment || segment == place)
        return 0;
    int status = (is_mesh ? adit_move_mesh : adit_move_version)(arena, reader, index, place | ADIT_BLOCK_ONLY);
    *(is_mesh ? &r->meshes : &r->versions) += !status;
    r->replaced += status == 1;
    return status < 0 && !(is_mesh && status == -ENOSPC) ? status : 0; /* a mesh for which there is no room stays where it is */
}

static int move_chunk(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint64_t packed, uint32_t segment, struct adit_move_result *r)
{
    int status = move_one(arena, reader, index, false, segment, r);
    uint32_t lies = adit_placement_segment(arena, adit_load_acquire(&arena->entries[index].current));
    uint32_t wanted = adit_placement_of_mesh(arena, packed, lies);
    return status || wanted == ADIT_BLOCK_HERE ? status : move_one(arena, reader, index, true, wanted, r); /* HERE: its version lies in the heap, and says nothing */
}

int adit_kind_move(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_move_args a;
    struct adit_move_result r = {0};
    struct adit_arena *arena = run->arena;
    struct adit_reader *reader;
    memcpy(&a, args, sizeof a);
    uint32_t segment = adit_near_node(arena, a.node);
    if (run->buffers_n || a.zero || arena->segments[segment].node != a.node)
        return -EINVAL;
    int status = adit_rcu_borrow(arena, &reader);
    if (status)
        return status;
    for (uint32_t i = 0; i < arena->chunks_max && !status; i++) {
        uint64_t packed = adit_store_key(arena, i);
        struct adit_key key = adit_key_unpack(packed);
        if (!packed || !is_inside(&a, &key))
            continue;
        status = adit_task_should_stop(run) ? -ECANCELED : move_chunk(arena, reader, i, packed, segment, &r);
        adit_task_progress(run, r.versions);
    }
    adit_rcu_give_back(arena, reader);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}
