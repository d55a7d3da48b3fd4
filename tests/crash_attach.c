/* crash_attach.c - a process dies at any instruction of create, attach and detach: others go on, a name can be made again at once, and others
 * can attach. */
#include <dirent.h>
#include <string.h>

#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static void attach_producer(void *user)
{
    (void)user;
    (void)adit_attach("live", ADIT_PRODUCER, NULL, &crash_mine);
}

static void attach_consumer(void *user)
{
    (void)user;
    (void)adit_attach("live", ADIT_CONSUMER, NULL, &crash_mine);
}

static void detach(void *user)
{
    (void)user;
    adit_detach(&crash_mine);
}

static void create_another(void *user)
{
    static const struct adit_create_params small = {.size = sizeof small, .data_bytes = 2u << 20, .chunks_max = 32, .participants_max = 4,
                                                    .readers_max = 16, .watches_max = 2, .pins_max = 8, .materials_max = 64,
                                                    .heap_bytes = 64u << 10};
    (void)user;
    (void)adit_create("another", &small, &crash_mine);
}

static const char *both_are_old(struct adit_arena *arena)
{
    uint16_t material;
    if (crash_version(arena, &crash_key_a, &material) != 1 || material != CRASH_MATERIAL_OLD)
        return "a chunk has changed";
    struct adit_arena *joined;
    if (strcmp(arena->name, "live")) /* the copy's name is served, but not by who is in its image */
        return NULL;
    if (adit_attach("live", ADIT_CONSUMER, NULL, &joined))
        return "others cannot attach";
    adit_detach(&joined);
    return NULL;
}

static const char *a_is_removed(struct adit_arena *arena)
{
    uint16_t material;
    return crash_version(arena, &crash_key_a, &material) == 2 && !material ? NULL : "what the leaver had published is lost";
}

/* The name can be made at once, and nothing of the first try is left in the directory. */
static const char *another_can_be_created(struct adit_arena *arena)
{
    (void)arena;
    create_another(NULL);
    if (!crash_mine)
        return "the name cannot be made again";
    if (adit_chunk_put(crash_mine, &crash_key_a, crash_voxels(CRASH_MATERIAL_OLD), NULL))
        return "a chunk cannot be put";
    adit_detach(&crash_mine);
    DIR *d = opendir(shm_fixture_directory());
    struct dirent *e;
    const char *left = NULL;
    while (d && (e = readdir(d)))
        if (*e->d_name != '.' && !strstr(e->d_name, "live") && !strstr(e->d_name, "copy"))
            left = "a file of the dead creator is left";
    if (d)
        closedir(d);
    return left;
}

int main(void)
{
    static const char *const attach_met[] = {"adit_attach", "adit_broker_ask", "adit_control_adopt", "adit_participant_join",
                                             "adit_keeper_open", NULL};
    static const char *const detach_met[] = {"adit_detach", "adit_watch_fini", "adit_keeper_close", "adit_reclaimer_fini",
                                             "adit_participant_leave", NULL};
    static const char *const create_met[] = {"adit_create", "adit_rendezvous_bind", "adit_segment_create", "adit_control_publish",
                                             "adit_keeper_open", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "attach, producer", .run = attach_producer, .functions = attach_met}, .judge = both_are_old},
        {.op = {.name = "attach, consumer", .run = attach_consumer, .functions = attach_met}, .judge = both_are_old},
        {.op = {.name = "detach", .set_up = crash_attach_and_use, .run = detach, .functions = detach_met, .siblings_run = true},
         .judge = a_is_removed},
        {.op = {.name = "create", .run = create_another, .functions = create_met}, .judge = another_can_be_created, .kills_only = true},
    };
    return crash_arena_run("crash_attach", cases, sizeof cases / sizeof *cases);
}
