/* agenda.h - the chunks to be meshed next, the soonest needed first, out of however many are dirty: the best of a walk, by rank (interest.h), kept while they are worth more than another walk.
 *
 *     struct adit_agenda a = {.item = room for max};
 *     adit_agenda_begin(&a, max, now);  for all that are dirty: adit_agenda_add(&a, index, rank);  adit_agenda_end(&a, later);     (survey.h does so)
 *     while (adit_agenda_is_fresh(&a, now) && adit_agenda_take(&a, &index)) ...
 *
 * A walk over n chunks costs time in proportion to n; what it found is used for 16 times as long, so walks take a seventeenth of the time, and among few chunks a new one is seen within microseconds.
 *
 * Adding keeps a heap of the best so far with the worst of them on top (Williams, "Algorithm 232: heapsort", CACM 7, 1964): constant for most of those that are not among them. One thread at a time; pure but for what it
 * holds.
 */
#ifndef ADIT_AGENDA_H
#define ADIT_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct adit_agenda_item {
    int32_t rank;
    uint32_t index;
};
struct adit_agenda {
    uint64_t begun_ns, fresh_ns; /* of the last walk; until when what is left of it counts */
    uint32_t n, taken, max;
    struct adit_agenda_item *item; /* the owner's */
};

/* For the best max, at least 1, of what is added. */
void adit_agenda_begin(struct adit_agenda *agenda, uint32_t max, uint64_t now_ns);
void adit_agenda_add(struct adit_agenda *agenda, uint32_t index, int32_t rank);
/* Sorts them. */
void adit_agenda_end(struct adit_agenda *agenda, uint64_t now_ns);

static inline bool adit_agenda_is_fresh(const struct adit_agenda *agenda, uint64_t now_ns) { return agenda->taken < agenda->n && now_ns < agenda->fresh_ns; }
/* The next in order; false: there are no more. */
static inline bool adit_agenda_take(struct adit_agenda *agenda, uint32_t *index)
{
    if (agenda->taken >= agenda->n)
        return false;
    *index = agenda->item[agenda->taken++].index;
    return true;
}

#endif
