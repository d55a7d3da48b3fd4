#include "tests/hostile_looks.h"

#include <errno.h>

static int seen_chunk(const struct adit_chunk_info *c, void *user) { return c->state >= ADIT_CHUNK_STATES || user ? -EPROTO : 0; }
static int seen_task(const struct adit_task_view *t, void *user) { return (unsigned)t->where > ADIT_TASK_IS_POISONED || user ? -EPROTO : 0; }
static int seen_block(const struct adit_block_info *b, void *user) { return b->slot >= (int32_t)ADIT_PARTICIPANTS_MAX || user ? -EPROTO : 0; }

int hostile_look_one_by_one(struct hostile *h, uint64_t r)
{
    struct adit_queue_view queue = {.size = sizeof queue};
    struct adit_seat_info seat = {.size = sizeof seat};
    struct adit_lock_info lock = {.size = sizeof lock};
    struct adit_watch_info watch = {.size = sizeof watch};
    struct adit_viewer_info viewer = {.size = sizeof viewer};
    uint64_t bytes;
    uint32_t slot = (uint32_t)(r >> 8) % (r >> 4 & 1 ? 4 : 300);
    switch (r % 9) {
    case 0: return adit_chunk_each(h->arena, seen_chunk, NULL);
    case 1: return adit_task_each(h->arena, seen_task, NULL);
    case 2: return adit_block_look_each(h->arena, seen_block, NULL);
    case 3: return adit_queue_get(h->arena, slot, &queue);
    case 4: return adit_seat_get(h->arena, slot, &seat);
    case 5: return adit_lock_get(h->arena, slot, &lock);
    case 6: return adit_watch_get(h->arena, slot, &watch);
    case 7: return adit_viewer_get(h->arena, slot, &viewer);
    default: return adit_pinned_get(h->arena, slot, &bytes);
    }
}

int hostile_metrics(struct hostile *h, uint64_t r)
{
    struct adit_metric_info m = {.size = sizeof m};
    struct adit_metric_thread t = {.size = sizeof t};
    struct adit_histogram histogram = {.size = sizeof histogram};
    uint32_t metric = (uint32_t)(r % (ADIT_METRICS_MAX + 1));
    char label[16];
    int64_t value;
    (void)adit_metric_thread_get(h->arena, (uint32_t)(r >> 32) % (h->arena->metric_shards_n + 1), &t);
    (void)adit_metric_label(h->arena, metric, (uint32_t)(r >> 8) % 70, label, sizeof label);
    (void)adit_metric_value(h->arena, metric, r & 256 ? ADIT_METRIC_ALL : 0, r & 512 ? h->arena->owner : 0, &value);
    (void)adit_metric_histogram(h->arena, metric, r & 256 ? ADIT_METRIC_ALL : 0, r & 512 ? h->arena->owner : 0, &histogram);
    (void)adit_histogram_quantile(&histogram, 0.5);
    struct adit_frame_loop_info loop = {.size = sizeof loop};
    struct adit_frame_past frames[ADIT_FRAME_LOOP_FRAMES];
    REQUIRE(adit_frame_loop_get(h->arena, (uint32_t)(r >> 40) % 3, &loop) || (loop.points_n <= ADIT_FRAME_POINTS && !loop.label[31]));
    REQUIRE(adit_frame_loop_frames(h->arena, (uint32_t)(r >> 40) % 3, frames, ADIT_FRAME_LOOP_FRAMES) <= (int)ADIT_FRAME_LOOP_FRAMES);
    return adit_metric_get(h->arena, metric, &m);
}

int hostile_metric_events(struct hostile *h, uint64_t r)
{
    struct adit_flight_event events[16];
    int n = adit_metric_events(h->arena, r & 1 ? h->arena->owner : 0, events, 16);
    REQUIRE(n <= 16);
    return n < 0 ? n : 0;
}
