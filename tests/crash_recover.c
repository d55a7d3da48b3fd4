/* crash_recover.c - who recovers the dead dies at any instruction of that, and so does who takes over as keeper: the next one recovers both. The
 * first dead, the victim, stops where recovery has most to do: with a block on loan, with a version committed that nobody has been told
 * of, with one just retired, and with readers, pins and a watch.
 * (tried: a slot freed before what it owned is recovered: 3,989 points and 811 kills of "recover, of one with much") */
#include <string.h>

#include "runtime/recover.h"
#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

static void publish_a(void *user)
{
    (void)user;
    (void)adit_chunk_remove(crash_mine, &crash_key_a, NULL);
}

static void settle(void *user)
{
    (void)user;
    (void)adit_settle(crash_mine, 0);
}

/* The child finds the victim in slot 1. */
static void recover_victim(void *user)
{
    (void)user;
    (void)adit_recover_participant(crash_mine, 1);
}

static const char *a_is_old_or_removed(struct adit_arena *arena)
{
    return crash_is_old_or_new(arena, &crash_key_a, CRASH_MATERIAL_OLD, 0);
}

static const char *a_is_removed(struct adit_arena *arena)
{
    uint16_t material;
    return crash_version(arena, &crash_key_a, &material) == 2 && !material ? NULL : "what the victim had published is lost";
}

/* Whoever is keeper now lets others attach. */
static const char *a_is_old_or_removed_and_open(struct adit_arena *arena)
{
    const char *why = a_is_old_or_removed(arena);
    struct adit_arena *joined;
    if (why || strcmp(arena->name, "live"))
        return why;
    if (adit_attach("live", ADIT_CONSUMER, NULL, &joined))
        return "others cannot attach";
    adit_detach(&joined);
    return NULL;
}

int main(void)
{
    static const char *const recover_met[] = {"adit_recover_participant", "adit_salvage_readers", "adit_salvage_blocks",
                                              "adit_salvage_pins", "adit_participant_bury", NULL};
    static const char *const takeover_met[] = {"adit_broker_open", "adit_deaths_open", "adit_deaths_look",
                                               "adit_recover_participant", NULL};
#define RECOVERY(what, at, nth)                                                                                                   \
    {.op = {.name = "recover, " what, .set_up = crash_attach, .run = recover_victim, .functions = recover_met},                   \
     .judge = a_is_old_or_removed, .victim = publish_a, .victim_at = at, .victim_nth = nth}
    static const struct crash_case cases[] = {
        RECOVERY("of a loan", "adit_encode_removed", 1),
        RECOVERY("of a commit", "adit_publish_tell", 1),
        RECOVERY("of a retirement", "adit_retire_help", 1),
        {.op = {.name = "recover, of one with much", .set_up = crash_attach, .run = recover_victim, .functions = recover_met},
         .judge = a_is_removed, .victim = settle, .victim_set_up = crash_attach_and_use, .victim_at = "adit_settle", .victim_nth = 1},
        {.op = {.name = "take over as keeper, recover", .set_up = crash_attach_consumer, .functions = takeover_met,
                .until = "adit_broker_step", .before = crash_take_over},
         .judge = a_is_old_or_removed_and_open, .victim = publish_a, .victim_at = "adit_publish_tell", .victim_nth = 1, .is_takeover = true},
    };
    return crash_arena_run("crash_recover", cases, sizeof cases / sizeof *cases);
}
