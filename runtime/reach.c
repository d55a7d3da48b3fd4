#include "runtime/reach.h"

#include "runtime/dirty.h"
#include "runtime/offers.h"
#include "runtime/survey.h"

#define KEEPS 4u               /* chunks a worker that stay with it: it has begun, or will, before a thief has fetched them */
#define WAITED_NS 200000u      /* four wakes: a foreman that is there has looked by then */
#define STUCK_NS 100000000u    /* then also what would stay with it: its foreman is stopped, or has no processor */

static bool is_nearest(const struct adit_arena *arena, const struct adit_reach *all, uint32_t n, uint32_t i, uint32_t segment)
{
    uint32_t own = adit_near_distance(arena, all[i].segment, segment);
    for (uint32_t k = 0; k < n; k++)
        if (adit_near_distance(arena, all[k].segment, segment) < own)
            return false;
    return true;
}

void adit_reaches_init(struct adit_reach *reaches, const struct adit_arena *arena, const int32_t *nodes, const uint32_t *workers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        reaches[i] = (struct adit_reach){.segment = adit_near_node(arena, nodes[i])};
    for (uint32_t i = 0; i < n && n > 1; i++)
        for (uint32_t s = 1; s < arena->segments_n; s++)
            if (is_nearest(arena, reaches, n, i, s))
                reaches[i].homes |= 1u << s;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t s = 1; s < arena->segments_n; s++)
                reaches[i].workers[s] = (uint16_t)(reaches[i].workers[s] + (reaches[k].homes >> s & 1) * workers[k]);
}

/* How many of those that wait in a segment are left over. */
static uint32_t left_over(const struct adit_reach *reach, const struct adit_reach_passed *passed, uint32_t segment)
{
    uint32_t keeps = KEEPS * reach->workers[segment];
    return passed->n[segment] > keeps ? (passed->n[segment] - keeps + 1) / 2 : 0;
}

/* What may be stolen in one look. */
struct theft {
    const struct adit_arena *arena;
    uint32_t segment;
    uint64_t now_ns, waited_ns; /* longer than that */
    bool (*may_take)(void *user, uint32_t index);
    void *user;
};

static bool is_loot(void *user, uint32_t index)
{
    const struct theft *t = user;
    const struct adit_entry *entry = &t->arena->entries[index];
    return adit_placement_segment(t->arena, adit_load_relaxed(&entry->current)) == t->segment && (int64_t)(t->now_ns - adit_dirty_since(t->arena, index)) > (int64_t)t->waited_ns &&
           t->may_take(t->user, index); /* relaxed, both: advice */
}

/* Of what has waited for so long in a segment, what viewers see first. */
static uint32_t list_of(struct adit_arena *arena, struct theft *t, uint64_t waited_ns, uint32_t *list, uint32_t n_max)
{
    struct adit_agenda_item items[ADIT_OFFERS_MAX];
    struct adit_agenda agenda = {.item = items};
    uint32_t n = 0;
    t->now_ns = adit_clock_ns();
    t->waited_ns = waited_ns;
    adit_survey(arena, &agenda, n_max < ADIT_OFFERS_MAX ? n_max : ADIT_OFFERS_MAX, is_loot, t);
    while (n < n_max && adit_agenda_take(&agenda, &list[n]))
        n++;
    return n;
}

uint32_t adit_reach_steal(const struct adit_reach *reach, struct adit_arena *arena, const struct adit_reach_passed *passed, bool (*may_take)(void *user, uint32_t index), void *user, uint32_t *list, uint32_t n_max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i + 1 < arena->segments_n && !n && n_max; i++) {
        struct theft t = {.arena = arena, .segment = adit_near_at(arena, reach->segment, i), .may_take = may_take, .user = user};
        uint32_t most = left_over(reach, passed, t.segment);
        if (most)
            n = list_of(arena, &t, WAITED_NS, list, most < n_max ? most : n_max);
        if (passed->n[t.segment] && !n)
            n = list_of(arena, &t, STUCK_NS, list, n_max);
    }
    return n;
}
