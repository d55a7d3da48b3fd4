/* crash_mesh.c - who meshes a chunk, prepares a loan, or moves a version or a mesh, dies at any instruction of that, kernel included: the mesh is the old one and the chunk is
 * marked dirty, or the new one; the loan is given back; what is moved is there, wherever it lies. */
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/mesher.h"
#include "runtime/move.h"
#include "runtime/scratch.h"
#include "runtime/store.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static struct adit_loan loan;

static void take_loan(void *user)
{
    crash_attach(user);
    REQUIRE(!adit_chunk_loan(crash_mine, &crash_key_a, &loan));
    memcpy(loan.voxels, crash_voxels(CRASH_MATERIAL_NEW), ADIT_CHUNK_VOXELS * sizeof *loan.voxels);
}

static void prepare_loan(void *user)
{
    (void)user;
    (void)adit_chunk_prepare(crash_mine, &loan);
}

static const char *a_is_old(struct adit_arena *arena)
{
    uint16_t material;
    return crash_version(arena, &crash_key_a, &material) == 1 && material == CRASH_MATERIAL_OLD ? NULL : "the chunk has changed";
}

static void make_a_dirty(struct adit_arena *arena)
{
    REQUIRE(!adit_chunk_put(arena, &crash_key_a, crash_voxels(CRASH_MATERIAL_NEW), NULL));
    REQUIRE(crash_is_dirty(arena, &crash_key_a));
}

static void mesh_one(void *user)
{
    (void)user;
    uint32_t cursor = 0, index;
    struct adit_scratch *s;
    if (!adit_dirty_claim(crash_mine, &cursor, &index) || adit_scratch_borrow(crash_mine, &s))
        return;
    (void)adit_mesher_run(crash_mine, s, adit_mesh_kernel_best(NULL), 0, index);
    adit_scratch_give_back(crash_mine, s);
    adit_dirty_finish(crash_mine, index, false);
}

static const char *a_is_meshed_or_dirty(struct adit_arena *arena)
{
    struct adit_reader *reader;
    struct adit_mesh_view view;
    bool is_new = false, is_sound = false;
    if (adit_reader_open(arena, &reader))
        return "no reader";
    adit_enter(reader);
    if (!adit_mesh_acquire(reader, &crash_key_a, &view) && adit_mesh_is_intact(&view)) {
        is_sound = true;
        is_new = view.source[0] == 2;
    }
    adit_exit(reader);
    adit_reader_close(&reader);
    if (!is_sound)
        return "the mesh is torn";
    return is_new || crash_is_dirty(arena, &crash_key_a) ? NULL : "the mesh is old and nobody will make it again";
}

static struct adit_reader *borrowed;
static uint32_t index_of_a;

static void be_ready_to_move(void *user)
{
    uint64_t packed;
    crash_attach(user);
    REQUIRE(!adit_key_pack(&crash_key_a, &packed) && adit_store_find(crash_mine, packed, &index_of_a));
    REQUIRE(!adit_rcu_borrow(crash_mine, &borrowed));
}

static void move_version(void *user)
{
    (void)user;
    (void)adit_move_version(crash_mine, borrowed, index_of_a, ADIT_BLOCK_HERE);
}

static void move_mesh(void *user)
{
    (void)user;
    (void)adit_move_mesh(crash_mine, borrowed, index_of_a, ADIT_BLOCK_HERE);
}

/* Wherever it lies. */
static const char *a_is_what_it_was(struct adit_arena *arena)
{
    struct adit_reader *reader;
    struct adit_mesh_view view;
    const char *wrong = a_is_old(arena);
    if (wrong || adit_reader_open(arena, &reader))
        return wrong ? wrong : "no reader";
    adit_enter(reader);
    if (adit_mesh_acquire(reader, &crash_key_a, &view) || !adit_mesh_is_intact(&view) || view.source[0] != 1)
        wrong = "the mesh is another, or torn";
    adit_exit(reader);
    adit_reader_close(&reader);
    return wrong;
}

int main(void)
{
    static const char *const version_met[] = {"adit_move_version", "adit_block_publish", "adit_retire", NULL};
    static const char *const moved_met[] = {"adit_move_mesh", "adit_dirty_hold", "adit_retire", "adit_dirty_finish", NULL};
    static const char *const mesh_met[] = {"adit_dirty_claim", "adit_mesher_run", "adit_dirty_finish", "adit_watch_tell", NULL};
    static const char *const loan_met[] = {"adit_chunk_prepare", "adit_encode_dense_finish", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "mesh", .set_up = crash_attach, .run = mesh_one, .functions = mesh_met}, .is_long = true, .judge = a_is_meshed_or_dirty,
         .prepare = make_a_dirty},
        {.op = {.name = "move a version", .set_up = be_ready_to_move, .run = move_version, .functions = version_met}, .judge = a_is_what_it_was},
        {.op = {.name = "move a mesh", .set_up = be_ready_to_move, .run = move_mesh, .functions = moved_met}, .judge = a_is_what_it_was},
        {.op = {.name = "prepare a loan", .set_up = take_loan, .run = prepare_loan, .functions = loan_met}, .is_long = true, .judge = a_is_old},
    };
    return crash_arena_run("crash_mesh", cases, sizeof cases / sizeof *cases);
}
