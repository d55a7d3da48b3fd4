#include "runtime/task_groups.h"

#define MARKS (uint64_t)(ADIT_TASK_GROUP_ENDED | ADIT_TASK_GROUP_FREE)

void adit_task_group_raise(uint64_t *group, uint64_t to)
{
    uint64_t seen = adit_load_relaxed(group); /* relaxed: the CAS says whether it was that */
    while (seen < to || seen & MARKS) {
        uint64_t bare = seen & ~MARKS;
        if (adit_cas_seq_cst(group, &seen, bare > to ? bare : to)) /* GROUP:enter; bounded by others who do the same, or settle */
            return;
    }
}

struct adit_task_walk adit_task_walk_from(const struct adit_queue *q, uint32_t level, uint64_t without, uint64_t slot)
{
    return (struct adit_task_walk){.q = q, .level = level, .without = without, .left = 1ull << q->shift, .next = slot & ((1ull << q->shift) - 1)};
}

struct adit_task_walk adit_task_walk(const struct adit_queue *q, uint32_t level, uint64_t without) { return adit_task_walk_from(q, level, without, 0); }

/* Which marks the group at hand can have, as far as slot i goes, whose word is word: see the table in task_groups.h. */
static uint64_t marks_of(const struct adit_task_walk *w, uint64_t i, uint64_t word)
{
    uint64_t used = w->group >> ADIT_TASK_GROUP_ROUND; /* the round behind p's */
    int32_t lead = adit_task_lead(word, used & 0xffffff);
    if (adit_task_state(word) == ADIT_TASK_FREE && lead >= 0)
        return MARKS;
    if (adit_task_state(word) != ADIT_TASK_FREE && !adit_task_has_ended(word))
        return 0;
    bool is_over = (lead == -1 && adit_task_has_ended(word)) || (lead < 0 && w->tail > ((used - 1) << w->q->shift | i));
    return is_over ? ADIT_TASK_GROUP_ENDED : 0;
}

static void settle(const struct adit_task_walk *w)
{
    uint64_t seen = w->group;
    if (w->marks & ~seen) /* GROUP:settle. It fails: a submitter was there meanwhile, or another who looks */
        (void)adit_cas_seq_cst(adit_task_group_at(w->q, w->level, w->end - 1), &seen, seen | w->marks);
}

/* Begins with the next group that has not the mark; false: all have been looked at. */
static bool begin_group(struct adit_task_walk *w)
{
    const uint64_t each = 1ull << w->q->group_shift;
    while (w->left) { /* a level's groups at most, and the one where it began again */
        uint64_t part = each - (w->next & (each - 1));
        part = part < w->left ? part : w->left;
        w->group = adit_load_seq_cst(adit_task_group_at(w->q, w->level, w->next)); /* GROUP:look, pairs with GROUP:enter */
        w->left -= part;
        if (w->group & ~MARKS && !(w->group & w->without)) {
            w->end = w->next + part;
            w->marks = part == each ? MARKS : 0; /* where it began in the middle it sees a part at a time */
            w->tail = adit_load_seq_cst(&w->q->slot->level[w->level].tail) & ADIT_TASK_POSITION; /* before the slots */
            return true;
        }
        w->next = (w->next + part) & ((1ull << w->q->shift) - 1);
    }
    return false;
}

bool adit_task_walk_on(struct adit_task_walk *w)
{
    if (w->end && w->next == w->end) {
        settle(w);
        w->end = 0;
        w->next &= (1ull << w->q->shift) - 1;
    }
    if (!w->end && !begin_group(w))
        return false;
    w->slot = w->next++;
    w->word = adit_load_seq_cst(&adit_task_at(w->q, w->level, w->slot)->word); /* TASK:queued, TASK:held; after tail */
    w->marks &= marks_of(w, w->slot, w->word);
    return true;
}

uint32_t adit_task_walk_group(struct adit_task_walk *w, uint64_t *slot)
{
    if (!begin_group(w))
        return 0;
    uint32_t n = (uint32_t)(w->end - w->next);
    *slot = w->next;
    for (uint64_t i = w->next; w->marks && i < w->end; i++)
        w->marks &= marks_of(w, i, adit_load_seq_cst(&adit_task_at(w->q, w->level, i)->word)); /* after tail */
    settle(w);
    w->next = w->end & ((1ull << w->q->shift) - 1);
    w->end = 0;
    return n;
}
