#include "tools/roll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/jsonout.h"
#include "tools/say.h"

void adit_roll_call(struct adit_arena *arena, bool living, struct adit_roll *roll)
{
    struct adit_participant_info p;
    *roll = (struct adit_roll){0};
    for (uint32_t slot = 0;; slot++) { /* to the end of the table */
        int status = adit_participant_get(arena, slot, &p);
        if (status == -ERANGE)
            return;
        if (status)
            continue;
        if (p.keeper) {
            roll->keeper = p;
            roll->has_keeper = true;
        }
        if (strcmp(p.state, "dead") && !(living && p.gone))
            continue;
        if (roll->dead_n < ADIT_ROLL_DEAD_MAX)
            roll->dead[roll->dead_n] = p;
        roll->dead_n++;
    }
}

static const char *label_of(const struct adit_participant_info *p, char *text, size_t bytes)
{
    return adit_say_printable(text, bytes, p->label, strnlen(p->label, sizeof p->label));
}

char *adit_roll_keeper(const struct adit_roll *roll, char *text, size_t bytes)
{
    char label[64];
    if (roll->has_keeper)
        snprintf(text, bytes, "keeper pid %u (slot %u, %s)", roll->keeper.pid, roll->keeper.slot,
                 label_of(&roll->keeper, label, sizeof label));
    else
        snprintf(text, bytes, "no keeper");
    return text;
}

void adit_roll_print(const struct adit_roll *roll, const char *name)
{
    char label[64];
    for (uint32_t i = 0; i < roll->dead_n && i < ADIT_ROLL_DEAD_MAX; i++)
        printf("%s: slot %u, pid %u (%s), is dead and %s\n", name, roll->dead[i].slot, roll->dead[i].pid,
               label_of(&roll->dead[i], label, sizeof label),
               strcmp(roll->dead[i].state, "dead") ? "waits for recovery" : "being recovered");
    if (roll->dead_n > ADIT_ROLL_DEAD_MAX)
        printf("%s: %u more are dead\n", name, roll->dead_n - ADIT_ROLL_DEAD_MAX);
}

static json_t *person_json(const struct adit_participant_info *p)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "slot", p->slot);
    adit_jsonout_set_count(o, "pid", p->pid);
    adit_jsonout_set_text(o, "state", p->state);
    adit_jsonout_set(o, "label", adit_jsonout_text_n(p->label, strnlen(p->label, sizeof p->label)));
    return o;
}

void adit_roll_json(const struct adit_roll *roll, json_t *object)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < roll->dead_n && i < ADIT_ROLL_DEAD_MAX; i++)
        json_array_append_new(list, person_json(&roll->dead[i]));
    adit_jsonout_set(object, "keeper", roll->has_keeper ? person_json(&roll->keeper) : json_null());
    adit_jsonout_set_count(object, "dead", roll->dead_n);
    adit_jsonout_set(object, "dead_list", list);
}
