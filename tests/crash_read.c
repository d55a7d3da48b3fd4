/* crash_read.c - who reads dies at any instruction of a section, a pin, a watch, a reader's or a material's making: nothing that is read has changed, and
 * what was held back is let go: the versions replaced afterwards are reclaimed.
 * (tried: recovery that keeps pins: 148 points and 148 kills) */
#include <string.h>

#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static struct adit_reader *reader;
static uint32_t pins[2];
static uint64_t pinned_ref;

static void attach_and_open(void *user)
{
    crash_attach_consumer(user);
    REQUIRE(!adit_reader_open(crash_mine, &reader));
}

CRASH_CODE static void read_twice(void *user)
{
    struct adit_chunk_view chunk;
    struct adit_mesh_view mesh;
    (void)user;
    for (uint32_t i = 0; i < 2; i++) { /* the first enter is fenced */
        adit_enter(reader);
        (void)adit_chunk_acquire(reader, &crash_key_a, &chunk);
        (void)adit_mesh_acquire(reader, &crash_key_b, &mesh);
        (void)adit_chunk_voxel(&chunk, 1, 2, 3);
        adit_exit(reader);
    }
    adit_rest(reader);
}

CRASH_CODE static void pin_and_unpin(void *user)
{
    struct adit_chunk_view chunk;
    (void)user;
    adit_enter(reader);
    if (!adit_chunk_acquire(reader, &crash_key_a, &chunk) && !adit_pin(reader, chunk.ref, &pins[0]) &&
        !adit_pin(reader, chunk.ref, &pins[1]))
        pinned_ref = chunk.ref;
    adit_exit(reader);
    (void)adit_unpin(crash_mine, pins[0]);
    (void)adit_unpin(crash_mine, pins[1]);
}

static void open_and_close_reader(void *user)
{
    (void)user;
    struct adit_reader *r;
    if (!adit_reader_open(crash_mine, &r))
        adit_reader_close(&r);
}

static void watch_and_close(void *user)
{
    static const struct adit_watch_params present = {.size = sizeof present, .with_present = true};
    struct adit_watch *watch;
    struct adit_watch_event event;
    (void)user;
    if (adit_watch_open(crash_mine, &present, &watch))
        return;
    (void)adit_watch_next(watch, &event, 0);
    (void)adit_watch_next(watch, &event, 0);
    adit_watch_close(&watch);
}

static void be_a_viewer(void *user)
{
    struct adit_viewer_place place = {.size = sizeof place, .toward = {1, 0, 0}, .radius = 640};
    struct adit_viewer *viewer;
    (void)user;
    if (adit_viewer_open(crash_mine, &place, &viewer))
        return;
    place.at[1] = 70;
    (void)adit_viewer_move(viewer, &place);
    adit_viewer_close(&viewer);
}

static void register_material(void *user)
{
    struct adit_material_info glass = {.name = "glass", .material_class = ADIT_CLASS_TRANSLUCENT};
    uint16_t id = 0;
    (void)user;
    (void)adit_material_register(crash_mine, &glass, &id);
}

/* A is what it was; then both are replaced, so that the round finds out whether the dead still hold the old versions back. */
static const char *nothing_has_changed(struct adit_arena *arena)
{
    uint16_t material;
    if (crash_version(arena, &crash_key_a, &material) != 1 || material != CRASH_MATERIAL_OLD ||
        crash_version(arena, &crash_key_b, &material) != 1 || material != CRASH_MATERIAL_OLD)
        return "a chunk has changed";
    if (adit_chunk_put(arena, &crash_key_a, crash_voxels(CRASH_MATERIAL_NEW), NULL) ||
        adit_chunk_put(arena, &crash_key_b, crash_voxels(CRASH_MATERIAL_NEW), NULL))
        return "a chunk cannot be put";
    return NULL;
}

/* The name can be given, once, whether the dead got to it or not. */
static const char *glass_can_be_named(struct adit_arena *arena)
{
    struct adit_material_info glass = {.name = "glass", .material_class = ADIT_CLASS_TRANSLUCENT}, is;
    uint16_t id = 0, again = 0;
    if (adit_material_register(arena, &glass, &id) || adit_material_register(arena, &glass, &again) || id != again ||
        adit_material_get(arena, id, &is) || strcmp(is.name, glass.name) || is.material_class != ADIT_CLASS_TRANSLUCENT)
        return "a material half named by the dead cannot be named";
    return nothing_has_changed(arena);
}

int main(void)
{
    static const char *const read_met[] = {"read_twice", "adit_chunk_acquire", "adit_mesh_acquire", "adit_store_find", NULL};
    static const char *const pin_met[] = {"adit_pin", "adit_pin_set", "adit_unpin", NULL};
    static const char *const reader_met[] = {"adit_rcu_reader_open", "adit_rcu_reader_close", NULL};
    static const char *const watch_met[] = {"adit_watch_open", "adit_watch_next", "adit_watch_close", NULL};
    static const char *const viewer_met[] = {"adit_viewer_open", "adit_viewer_move", "adit_viewer_close", NULL};
    static const char *const material_met[] = {"adit_material_register", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "enter, acquire, exit", .set_up = attach_and_open, .run = read_twice, .functions = read_met},
         .judge = nothing_has_changed},
        {.op = {.name = "pin, unpin", .set_up = attach_and_open, .run = pin_and_unpin, .functions = pin_met},
         .judge = nothing_has_changed},
        {.op = {.name = "reader open, close", .set_up = crash_attach_consumer, .run = open_and_close_reader, .functions = reader_met},
         .judge = nothing_has_changed},
        {.op = {.name = "watch open, next, close", .set_up = crash_attach_consumer, .run = watch_and_close, .functions = watch_met},
         .judge = nothing_has_changed},
        {.op = {.name = "viewer open, move, close", .set_up = crash_attach_consumer, .run = be_a_viewer, .functions = viewer_met},
         .judge = nothing_has_changed},
        {.op = {.name = "name a material", .set_up = crash_attach, .run = register_material, .functions = material_met},
         .judge = glass_can_be_named},
    };
    return crash_arena_run("crash_read", cases, sizeof cases / sizeof *cases);
}
