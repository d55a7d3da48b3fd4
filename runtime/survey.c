#include "runtime/survey.h"

#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/store.h"

void adit_survey(struct adit_arena *arena, struct adit_agenda *agenda, uint32_t max, bool (*is_wanted)(void *user, uint32_t index), void *user)
{
    struct adit_dirty_walk walk = {0};
    struct adit_interest seen;
    uint64_t now = adit_clock_ns();
    uint32_t cursor = 0, index;
    adit_interest_look(arena, &seen);
    adit_agenda_begin(agenda, max, now);
    while (adit_dirty_next(arena, &walk, &cursor, &index)) {
        uint64_t since = adit_dirty_since(arena, index);
        if (!is_wanted || is_wanted(user, index))
            adit_agenda_add(agenda, index, adit_interest_rank(&seen, adit_store_key(arena, index), now > since ? now - since : 0));
    }
    adit_agenda_end(agenda, adit_clock_ns());
}
