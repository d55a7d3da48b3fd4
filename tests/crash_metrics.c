/* crash_metrics.c - a process dies at any instruction of coming to count, counting, leaving, and of recovering one that did: what others had counted before is there, once, and what it had counted
 * itself at most once. All free shards and cells have been somebody's before, who has left.
 * (tried: value set to 0 where was is to be taken; recovery that frees a shard and sets it back) */
#include <string.h>

#include "runtime/recover.h"
#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define LEFT 1000u /* that each shard's last owner has counted */

static uint64_t edits_before[2], takes_before[2]; /* live, copy: as counted when the child begins */

static uint32_t which(const struct adit_arena *arena) { return strcmp(arena->name, "live") != 0; }

static uint64_t edits(const struct adit_arena *arena, uint32_t who) { return adit_metrics_sum(arena, ADIT_COUNT_CHUNKS_EDITED, who); }

static uint64_t takes(const struct adit_arena *arena, uint32_t who)
{
    uint64_t bucket[ADIT_METRIC_BUCKETS], n = 0;
    adit_metrics_sum_series(arena, ADIT_HISTOGRAM_FRAME_NS, who, bucket);
    for (uint32_t i = 0; i < ADIT_METRIC_BUCKETS; i++)
        n += bucket[i];
    return n;
}

static void fill_up(struct adit_arena *arena)
{
    for (uint32_t i = 1; i < arena->metric_shards_n; i++)
        if (!arena->metric_shards[i].owner) {
            arena->metric_shards[i].value[ADIT_COUNT_CHUNKS_EDITED] = LEFT;
            arena->metric_shards[i].left_ns = i;
        }
    for (uint32_t i = 0; i < arena->metric_cells_n; i++)
        if (!arena->metric_cells[i].owner) {
            arena->metric_cells[i].series = ADIT_HISTOGRAM_FRAME_NS + 1;
            arena->metric_cells[i].bucket[i] = LEFT;
            arena->metric_cells[i].left_ns = i;
        }
    edits_before[which(arena)] = edits(arena, 0);
    takes_before[which(arena)] = takes(arena, 0);
}

/* Twice, so that the second time there is a seat. */
CRASH_CODE static void count_in(struct adit_arena *arena)
{
    for (uint32_t i = 0; i < 2; i++) {
        adit_count(arena, ADIT_COUNT_CHUNKS_EDITED, 1);
        adit_record(arena, ADIT_HISTOGRAM_FRAME_NS, 1000, 1);
        adit_event(arena, ADIT_EVENT_FRAME, 1, 2, 3);
    }
}

/* As if it had just come. */
static void attach_and_stand(void *user)
{
    bool is_other;
    crash_attach(user);
    adit_metrics_end(crash_mine);
    adit_metrics_begin(crash_mine, &is_other);
}

static void count(void *user)
{
    (void)user;
    count_in(crash_mine);
}

static void attach_and_count(void *user)
{
    crash_attach(user);
    count_in(crash_mine);
}

static void leave(void *user)
{
    (void)user;
    adit_metrics_end(crash_mine);
}

static void recover_victim(void *user)
{
    (void)user;
    (void)adit_recover_participant(crash_mine, 1);
}

/* Counts between least and most are the child's or the victim's. */
static const char *has_counts(struct adit_arena *arena, uint64_t least, uint64_t most)
{
    uint64_t p = edits(arena, 0) - edits_before[which(arena)], t = takes(arena, 0) - takes_before[which(arena)];
    if (p < least || p > most || t < least || t > most)
        return "what was counted is lost, or there twice";
    for (uint32_t i = 1; i < arena->metric_shards_n; i++) {
        const struct adit_metric_shard *s = &arena->metric_shards[i];
        struct adit_metric_event events[ADIT_METRIC_EVENTS];
        if (s->owner && s->owner != arena->owner)
            return "a shard is the dead's still";
        if (s->of && s->of != arena->owner && edits(arena, s->of) > most)
            return "somebody is told to have counted what others did";
        uint32_t n = s->of && s->of != arena->owner ? adit_metrics_read_events(arena, i, events) : 0;
        for (uint32_t k = 0; k < n; k++)
            if (adit_metric_event_type(events[k].mark) == ADIT_EVENT_FRAME && (events[k].a != 2 || events[k].b != 3))
                return "an event is torn";
    }
    count_in(arena);
    p = edits(arena, 0) - edits_before[which(arena)] - p;
    t = takes(arena, 0) - takes_before[which(arena)] - t;
    return p == 2 && t == 2 ? NULL : "it does not go on counting";
}

static const char *none_to_two(struct adit_arena *arena) { return has_counts(arena, 0, 2); }
static const char *two(struct adit_arena *arena) { return has_counts(arena, 2, 2); }

int main(void)
{
    static const char *const count_met[] = {"adit_metrics_sit", "adit_metrics_cell", "adit_event", NULL}, *const leave_met[] = {"adit_metrics_end", NULL};
    static const char *const recover_met[] = {"adit_metrics_salvage", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "come and count", .set_up = attach_and_stand, .run = count, .functions = count_met}, .prepare = fill_up, .judge = none_to_two, .counts = true},
        {.op = {.name = "count and leave", .set_up = attach_and_count, .run = leave, .functions = leave_met}, .prepare = fill_up, .judge = two, .counts = true},
        {.op = {.name = "recover one that counted", .set_up = crash_attach, .run = recover_victim, .functions = recover_met}, .prepare = fill_up, .judge = two, .victim = leave,
         .victim_set_up = attach_and_count, .victim_at = "adit_metrics_end", .victim_nth = 1, .counts = true},
    };
    return crash_arena_run("crash_metrics", cases, sizeof cases / sizeof *cases);
}
