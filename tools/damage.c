/* damage.c - each kind of loss has a line of its own, because each has a cure of its own. */
#include "tools/damage.h"

#include "tools/command.h"
#include "tools/say.h"

struct adit_damage adit_damage_of(const struct adit_world *world)
{
    return (struct adit_damage){.columns_read = world->columns_read,
                                .columns_skipped = world->columns_skipped,
                                .columns_large = world->columns_large,
                                .parts_skipped = world->parts_skipped,
                                .models_far = world->models_far};
}

int adit_damage_exit(const char *program, const char *spec, const struct adit_damage *damage)
{
    const uint32_t columns = damage->columns_read + damage->columns_large + damage->columns_skipped;
    int code = ADIT_EXIT_DONE;
    if (damage->columns_skipped) {
        adit_say_error(program, "%s: %u of its %u chunk columns are damaged and left out, the rest is done; restore it from a backup", spec,
                       damage->columns_skipped, columns);
        code = ADIT_EXIT_BAD_INPUT;
    }
    if (damage->columns_large) {
        adit_say_error(program, "%s: %u of its %u chunk columns are too big to be read and left out, the rest is done; give the region in "
                       "copies with fewer of its columns each", spec, damage->columns_large, columns);
        code = ADIT_EXIT_BAD_INPUT;
    }
    if (damage->parts_skipped) {
        adit_say_error(program, "%s: %u of its parts (references of the scene, models) are damaged and left out, the rest is done; "
                       "export it again, or restore it from a backup", spec, damage->parts_skipped);
        code = ADIT_EXIT_BAD_INPUT;
    }
    if (damage->models_far) {
        adit_say_error(program, "%s: %u of its models stand too far from the origin and are left out, the rest is done; move them "
                       "closer", spec, damage->models_far);
        code = ADIT_EXIT_BAD_INPUT;
    }
    return code;
}
