/* crash_publish.c - a producer dies at any instruction of put, of publishing a loan, of edit and of remove: the chunk is what it was or
 * what it was to be, whole; who must know of a new version is told; nothing is leaked. Preparing a loan: crash_mesh.
 *
 * (tried: no intent before the commit: 1,321 points and 736 kills of "publish a loan, prepared" find a version nobody is told of; the
 * intent cleared before the old block is retired: 72 points and 72 kills find it named by nothing) */
#include <string.h>

#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static const struct adit_voxel_edit edit = {.x = 3, .y = 5, .z = 63, .material = CRASH_MATERIAL_NEW};
static struct adit_loan loan;

static void put_a(void *user)
{
    (void)user;
    (void)adit_chunk_put(crash_mine, &crash_key_a, crash_voxels(CRASH_MATERIAL_NEW), NULL);
}

static void put_c(void *user)
{
    (void)user;
    (void)adit_chunk_put(crash_mine, &crash_key_c, crash_voxels(CRASH_MATERIAL_NEW), NULL);
}

static void take_loan(void *user)
{
    crash_attach(user);
    REQUIRE(!adit_chunk_loan(crash_mine, &crash_key_a, &loan));
    memcpy(loan.voxels, crash_voxels(CRASH_MATERIAL_NEW), ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
}

static void take_prepared_loan(void *user)
{
    take_loan(user);
    REQUIRE(!adit_chunk_prepare(crash_mine, &loan));
}

static void publish_loan(void *user)
{
    (void)user;
    (void)adit_chunk_publish(crash_mine, &loan, NULL);
}

static void edit_a(void *user)
{
    (void)user;
    (void)adit_chunk_edit(crash_mine, &crash_key_a, &edit, 1, NULL);
}

static void remove_a(void *user)
{
    (void)user;
    (void)adit_chunk_remove(crash_mine, &crash_key_a, NULL);
}

static const char *a_is_old_or_new(struct adit_arena *arena)
{
    return crash_is_old_or_new(arena, &crash_key_a, CRASH_MATERIAL_OLD, CRASH_MATERIAL_NEW);
}

static const char *c_is_missing_or_new(struct adit_arena *arena)
{
    return crash_is_old_or_new(arena, &crash_key_c, 0, CRASH_MATERIAL_NEW);
}

static const char *a_is_old_or_removed(struct adit_arena *arena)
{
    return crash_is_old_or_new(arena, &crash_key_a, CRASH_MATERIAL_OLD, 0);
}

/* The edited version differs in one voxel; B's side of A is not touched by it, so B need not be dirty. */
static const char *a_is_old_or_edited(struct adit_arena *arena)
{
    struct adit_reader *reader;
    struct adit_chunk_view view;
    const char *why = "the chunk cannot be read";
    uint16_t voxel = 0, other = 0;
    if (adit_reader_open(arena, &reader))
        return why;
    adit_enter(reader);
    if (!adit_chunk_acquire(reader, &crash_key_a, &view) && adit_chunk_is_intact(&view)) {
        why = NULL;
        voxel = adit_chunk_voxel(&view, edit.x, edit.y, edit.z);
        other = adit_chunk_voxel(&view, edit.x + 1u, edit.y, edit.z);
    }
    adit_exit(reader);
    adit_reader_close(&reader);
    if (why || (view.version == 1 && voxel == CRASH_MATERIAL_OLD))
        return why;
    if (view.version != 2 || voxel != CRASH_MATERIAL_NEW || other != CRASH_MATERIAL_OLD)
        return "neither the old version nor the edited one";
    return crash_is_dirty(arena, &crash_key_a) && crash_is_reported(&crash_key_a) ? NULL : "nobody hears of the edited version";
}

int main(void)
{
    static const char *const put_met[] = {"adit_chunk_put", "adit_publish_version", "adit_block_alloc", "adit_publish_tell", NULL};
    static const char *const publish_met[] = {"adit_chunk_publish", "adit_publish_version", "adit_retire", NULL};
    static const char *const edit_met[] = {"adit_chunk_edit", "adit_publish_version", "adit_retire", NULL};
    static const char *const remove_met[] = {"adit_chunk_remove", "adit_publish_version", "adit_retire", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "put, replacing", .set_up = crash_attach, .run = put_a, .functions = put_met}, .judge = a_is_old_or_new},
        {.op = {.name = "put, the first", .set_up = crash_attach, .run = put_c, .functions = put_met}, .is_long = true, .judge = c_is_missing_or_new},
        {.op = {.name = "publish a loan, prepared", .set_up = take_prepared_loan, .run = publish_loan, .functions = publish_met},
         .judge = a_is_old_or_new},
        {.op = {.name = "remove", .set_up = crash_attach, .run = remove_a, .functions = remove_met}, .judge = a_is_old_or_removed},
        {.op = {.name = "edit", .set_up = crash_attach, .run = edit_a, .functions = edit_met}, .is_long = true, .judge = a_is_old_or_edited},
    };
    return crash_arena_run("crash_publish", cases, sizeof cases / sizeof *cases);
}
