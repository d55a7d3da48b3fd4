/* crash_forget.c - a producer dies at any instruction of forgetting a removed chunk (runtime/tombstone.h): its key is there or not, what it had is given back once, who
 * watches is told, and numbers go on.
 *
 * (tried: recovery that leaves the key leaving: the verifier finds it so, by nobody; the key gone before watches are told: the watch does not hear of it) */
#include <string.h>

#include "runtime/store.h"
#include "runtime/tombstone.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static uint32_t index_of_a;

static void remove_a(void *user)
{
    uint64_t packed;
    crash_attach(user);
    REQUIRE(!adit_key_pack(&crash_key_a, &packed) && adit_store_find(crash_mine, packed, &index_of_a) && !adit_chunk_remove(crash_mine, &crash_key_a, NULL));
}

/* Its mesh is still of before it was removed. */
static void forget_a(void *user)
{
    (void)user;
    (void)adit_tombstones_sweep(crash_mine, index_of_a, 1, true);
}

static const char *a_is_removed_or_forgotten(struct adit_arena *arena)
{
    uint64_t version = 0;
    const struct adit_put_params p = {.size = sizeof p, .if_version = ADIT_VERSION_NONE, .version = &version};
    uint16_t material;
    uint64_t number = crash_version(arena, &crash_key_a, &material);
    if (material || (number && number != 2))
        return "the chunk is neither removed nor forgotten";
    if (!crash_is_reported(&crash_key_a))
        return "the watch does not hear that the chunk is gone";
    if (adit_chunk_put(arena, &crash_key_a, crash_voxels(CRASH_MATERIAL_NEW), &p))
        return "it cannot come back";
    if (crash_version(arena, &crash_key_a, &material) != version || material != CRASH_MATERIAL_NEW)
        return "what came back is not what is read";
    return version < 3 ? "its numbers begin again" : NULL;
}

int main(void)
{
    static const char *const met[] = {"adit_tombstones_sweep", "adit_dirty_hold", "adit_grace_period_of", "adit_watch_lapse", "adit_watch_forget", "adit_retire", "adit_dirty_finish", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "forget", .set_up = remove_a, .run = forget_a, .functions = met}, .judge = a_is_removed_or_forgotten},
    };
    return crash_arena_run("crash_forget", cases, sizeof cases / sizeof *cases);
}
