#include "runtime/move.h"

#include <errno.h>
#include <string.h>

#include "runtime/dirty.h"
#include "runtime/publish.h"
#include "runtime/store.h"

#define OUSTS_MAX 4u /* in a row */

/* What is moved: a commit word of an entry, and what it names. */
struct cargo {
    uint64_t *word;
    enum adit_intent_kind kind;
    uint32_t index;
};

/* Inside a section: the block, and how long it is; NULL: damaged. */
static const void *block_of(const struct adit_arena *arena, const struct cargo *c, uint64_t commit, uint32_t *bytes)
{
    struct adit_mesh_places places;
    if (c->kind == ADIT_INTENT_VERSION)
        return adit_store_version_sized(arena, commit, bytes);
    const void *mesh = adit_store_mesh_placed(arena, commit, &places);
    *bytes = mesh ? places.bytes : 0;
    return mesh;
}

/* Copies what commit names into the block at ref, and commits that. 1: another is there by now. -EAGAIN: ousted. */
static int replace(struct adit_arena *arena, struct adit_reader *reader, const struct cargo *c, uint64_t commit, uint64_t ref, uint32_t bytes)
{
    uint64_t old = commit;
    uint32_t now = 0;
    adit_rcu_enter(reader);
    const void *from = adit_load_acquire(c->word) == commit ? block_of(arena, c, commit, &now) : NULL;
    if (from && now == bytes) /* while the word is what it was, the block is nobody else's until this section ends */
        memcpy(adit_arena_at(arena, ref, bytes), from, bytes);
    int error = !from ? 1 : now != bytes ? -EBADMSG : adit_block_publish(arena, ref) ? 0 : -EINVAL;
    if (!error) {
        bool is_sure = adit_intent_set(arena, reader, c->kind, c->index, commit); /* also: what was copied was there */
        /* MOVE:commit. Release: the copy is whole for whoever acquires the word; as PUBLISH:commit, MESH:commit. */
        error = !is_sure ? -EAGAIN : adit_cas_acq_rel(c->word, &old, adit_commit_make(commit >> 40, ref)) ? 0 : 1;
        if (error)
            adit_block_unpublish(arena, ref);
        else
            adit_retire(arena, adit_commit_ref(commit));
        adit_intent_clear(arena, reader);
    }
    (void)adit_rcu_exit(reader); /* ousted or not: see publish.c */
    return error;
}

static int move(struct adit_arena *arena, struct adit_reader *reader, const struct cargo *c, uint32_t place)
{
    int error = -EAGAIN;
    for (uint32_t i = 0; error == -EAGAIN && i < OUSTS_MAX; i++) {
        uint32_t bytes = 0;
        uint64_t ref;
        adit_rcu_enter(reader);
        uint64_t commit = adit_load_acquire(c->word);
        const void *from = block_of(arena, c, commit, &bytes);
        (void)adit_rcu_exit(reader);
        if (!commit || (c->kind == ADIT_INTENT_VERSION && commit == adit_load_acquire(&arena->entries[c->index].given_up)))
            return 1;
        error = from ? adit_block_alloc(arena, bytes, place, &ref) : -EBADMSG;
        if (error)
            return error;
        error = replace(arena, reader, c, commit, ref, bytes);
        if (error)
            adit_block_free(arena, ref);
    }
    if (!error)
        adit_retire_help(arena);
    return error;
}

/* Held, so that the version is not given up, nor its mesh made, meanwhile. */
static int hold_and_move(struct adit_arena *arena, struct adit_reader *reader, const struct cargo *c, uint32_t place)
{
    if (!adit_dirty_hold(arena, c->index))
        return 1;
    int error = move(arena, reader, c, place);
    adit_dirty_finish(arena, c->index, false);
    return error;
}

int adit_move_version(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint32_t place)
{
    return hold_and_move(arena, reader, &(struct cargo){&arena->entries[index].current, ADIT_INTENT_VERSION, index}, place);
}

int adit_move_mesh(struct adit_arena *arena, struct adit_reader *reader, uint32_t index, uint32_t place)
{
    return hold_and_move(arena, reader, &(struct cargo){&arena->entries[index].mesh, ADIT_INTENT_MESH, index}, place);
}
