#include "tests/shmtop_scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shmtop_model scene_model;
static struct shmtop_page pages[2], both;

/* In the order of enum scene_metric. */
static void scene_metrics(void)
{
    static const struct adit_metric_info metrics[SCENE_METRICS] = {
        [SCENE_PUT] = {.name = "put", .help = "A version was published: the key, its number", .type = ADIT_METRIC_EVENT, .labels = 1},
        [SCENE_MESH] = {.name = "mesh", .unit = "ns", .help = "A mesh was made: the key, how long it took", .type = ADIT_METRIC_EVENT, .labels = 1},
        [SCENE_DEATH] = {.name = "death", .help = "A participant is found dead: its owner word, its pid", .type = ADIT_METRIC_EVENT, .labels = 1},
        [SCENE_TASK] = {.name = "task", .unit = "ns", .help = "An attempt of a task: its handle, how long it took; the kind in the upper 8 bits", .type = ADIT_METRIC_EVENT, .labels = 1},
        [SCENE_FRAME_MISSED] = {.name = "frame_missed", .help = "A point of a frame was reached too late: the frame's number, the point", .type = ADIT_METRIC_EVENT, .labels = 1},
        [SCENE_VISIBLE] = {.name = "visible_ns", .unit = "ns", .help = "Time from the publication of the newest version in a mesh to that of the mesh", .type = ADIT_METRIC_HISTOGRAM, .labels = 1},
        [SCENE_TASK_RUN] = {.name = "task_run_ns", .unit = "ns", .help = "Time that an attempt runs", .type = ADIT_METRIC_HISTOGRAM, .label = ADIT_METRIC_BY_KIND, .labels = 64},
        [SCENE_TIER_WRONG] = {.name = "tier_wrong", .help = "A kernel is switched off: what, its number", .type = ADIT_METRIC_EVENT, .labels = 1},
    };
    memcpy(scene_model.metrics, metrics, sizeof metrics);
    scene_model.metrics_n = SCENE_METRICS;
}

void scene_reset(void)
{
    shmtop_model_fini(&scene_model);
    memset(&scene_model, 0, sizeof scene_model);
    snprintf(scene_model.name, sizeof scene_model.name, "cave");
    scene_metrics();
    shmtop_limits_init(&scene_model.limits);
    shmtop_page_fini(&pages[0]);
    shmtop_page_fini(&pages[1]);
    free(both.lines);
    both = (struct shmtop_page){0};
}

struct shmtop_snapshot *scene_begin(uint64_t second, uint32_t participants)
{
    struct shmtop_snapshot *s = shmtop_snapshot_new();
    s->taken_ns = s->now_ns = second * 1000000000u;
    s->taken_wall_ns = SCENE_WALL_NS + s->taken_ns;
    s->stats.created_ns = SCENE_WALL_NS;
    s->stats.epoch = 100;
    s->stats.segments_n = 2;
    s->stats.keeper_pid = 77;
    s->stats.segments[1] = (struct adit_segment_stats){.bytes = 1 << 28, .free_bytes = 1 << 27, .published_bytes = 1 << 27};
    for (uint32_t i = 0; i < participants; i++) {
        struct shmtop_participant *p = shmtop_snapshot_more(s, participants);
        p->info = (struct adit_participant_info){.slot = i, .generation = 1, .pid = 1000 + i, .role = ADIT_PRODUCER, .state = "alive"};
        snprintf(p->info.label, sizeof p->info.label, "feeder %u", i);
    }
    return s;
}

void scene_fill(struct shmtop_snapshot *s)
{
    for (int32_t i = 0; i < 33; i++) {
        struct adit_chunk_info *c = shmtop_snapshot_more(s, chunks);
        *c = (struct adit_chunk_info){.key = {.x = i == 32 ? 5 : i % 8, .y = i == 32, .z = i == 32 ? 5 : i / 8}, .state = (uint8_t)(i % ADIT_CHUNK_STATES), .encoding = (uint8_t)(1 + i % 4), .node = -1,
                                      .version = 1 + (uint64_t)i, .bytes = 512u * (uint32_t)(i + 1), .published_ns = s->taken_ns - 1000000000u};
    }
    s->chunks_all = s->chunks_n;
    if (s->participants_n) {
        s->participants[0].info.pins = 2;
        s->participants[0].pinned_bytes = 4096;
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct shmtop_kind_seen *k = shmtop_snapshot_more(s, kinds);
        k->id = i;
        snprintf(k->info.name, sizeof k->info.name, "kind %u", i);
        k->info.runs = 100 * i;
        k->info.classes[i] = (struct adit_kind_class){.work = 1u << i, .worker_ns = 1500, .inline_ns = i ? 900 : 0};
    }
    struct shmtop_queue_seen *q = shmtop_snapshot_more(s, queues);
    q->view = (struct adit_queue_view){.name = "work", .order = ADIT_ORDER_PRIORITY, .levels_n = 5, .capacity = 256};
    q->view.levels[2] = (struct adit_level_info){.queued = 3, .poisoned = 1, .oldest_ns = s->taken_ns - 2000000000u};
    for (uint32_t i = 0; i < 4; i++)
        *shmtop_snapshot_more(s, tasks) = (struct adit_task_view){.task = i + 1, .level = 2, .kind = 1, .attempt = i, .attempts_max = 3, .where = i == 3 ? ADIT_TASK_IS_POISONED : ADIT_TASK_IS_QUEUED,
                                                                  .since_ns = s->taken_ns - 1000000u * i, .submitter_pid = 1000};
    s->tasks_all = s->tasks_n;
    for (uint32_t i = 0; i < 2; i++)
        *shmtop_snapshot_more(s, seats) = (struct shmtop_seat_seen){.slot = i, .info = {.state = i ? ADIT_WORKER_BUSY : ADIT_WORKER_READY, .is_zygote = !i, .pid = 2000 + i, .sat = 3, .tasks = 9}};
    *shmtop_snapshot_more(s, locks) = (struct shmtop_lock_seen){.slot = 3, .info = {.name = "door", .bytes = 64, .is_held = true, .pid = 1001, .commits = 12}};
    *shmtop_snapshot_more(s, rings) = (struct shmtop_ring_seen){.slot = 0, .info = {.name = "line", .kind = ADIT_RING_SPSC, .capacity = 64, .filled = 16, .pushed = 40, .popped = 24}};
    *shmtop_snapshot_more(s, watches) = (struct shmtop_watch_seen){.slot = 0, .info = {.pid = 1000, .what = 3, .is_active = true, .pending = 4, .node = -1}};
    *shmtop_snapshot_more(s, viewers) = (struct shmtop_viewer_seen){.slot = 0, .info = {.pid = 1000, .is_active = true, .at = {1, 2, 3}, .radius = 512}};
    for (uint32_t i = 0; i < 2; i++)
        *shmtop_snapshot_more(s, members) = (struct shmtop_member){.who = 65537 + i, .slot = i, .pid = 1000 + i, .threads = 1, .told = 2, .events = 300, .is_here = !i, .label = "feeder"};
    const struct adit_flight_event said[] = {{s->taken_ns - 1000000u, SCENE_DEATH, 65537, 1000, 65538, 1001},
                                             {s->taken_ns - 2000000u, SCENE_TASK, 65537, 1000, 77, 1ull << 56 | 2500},
                                             {s->taken_ns - 3000000u, SCENE_MESH, 65538, 1001, SCENE_KEY, 1200000},
                                             {s->taken_ns - 4000000u, SCENE_PUT, 65538, 1001, SCENE_KEY, 5}};
    for (uint32_t i = 0; i < 4; i++)
        *shmtop_snapshot_more(s, events) = said[i];
    s->events_all = 600;
    struct shmtop_loop_seen *loop = shmtop_snapshot_more(s, loops); /* 100 frames of 10 ms: numbers 7 and 10 missed "draw", 9 was too long, and 2 passed behind it */
    loop->slot = 3;
    loop->past_n = SHMTOP_FRAMES;
    loop->info = (struct adit_frame_loop_info){.who = 65537, .pid = 1000, .is_here = true, .since_ns = s->taken_ns / 2, .period_ns = 10000000, .frames = 100, .skipped = 2, .label = "feeder 0", .points_n = 2,
                                               .points = {{"draw", 100, 2, 3000000}, {"present", 100, 0, 0}}, .offset_ns = {5000000, 9000000}};
    for (uint32_t i = 0; i < SHMTOP_FRAMES; i++)
        loop->past[i] = (struct adit_frame_past){.number = i + 1, .begin_ns = s->taken_ns - (SHMTOP_FRAMES - i) * 1000000, .late_ns = 1000 * i, .took_ns = i == 8 ? 35000000 : i == 6 ? 9000000 : 4000000, .skipped = i == 8 ? 2 : 0,
                                                 .missed = i == 6 || i == 9};
    for (uint32_t i = 0; i < 2; i++) { /* a hundred to a second: 90 of 1 ms, 10 of 8 ms */
        struct shmtop_latency *l = shmtop_snapshot_more(s, latencies);
        l->metric = i ? SCENE_TASK_RUN : SCENE_VISIBLE;
        l->all.size = sizeof l->all;
        l->all.count = 100 * (s->taken_ns / 1000000000u);
        l->all.bucket[SCENE_BUCKET_MS] = l->all.count / 10 * 9;
        l->all.bucket[SCENE_BUCKET_MS + 24] = l->all.count / 10;
    }
    const char *const makers[] = {"other", "scalar", "avx2", "avx512", "device"};
    for (uint32_t i = 0; i < 5; i++) { /* avx512 and the devices share it: 600 and 400 a second */
        struct shmtop_maker_seen *m = shmtop_snapshot_more(s, makers);
        uint64_t seconds = s->taken_ns / 1000000000u;
        *m = (struct shmtop_maker_seen){.maker = i, .meshes = i == 3 ? 600 * seconds : i == 4 ? 400 * seconds : 0, .median_ns = i == 3 ? 90000 : 0, .spent_ns = i == 3 ? 1500000000u * seconds : 0};
        snprintf(m->name, sizeof m->name, "%s", makers[i]);
    }
    for (uint32_t i = 0; i < 2; i++) /* the second one is lost to one of two */
        *shmtop_snapshot_more(s, devices) = (struct shmtop_device_seen){.device = i, .tiers = 1 + i, .off = i, .fixed_ns = i ? 80000 : 40000, .each_ns = i ? 10000 : 7000, .chunks = i ? 0 : 32,
                                                                        .meshes = i ? 0 : 400 * (s->taken_ns / 1000000000u), .busy_ns = i ? 0 : s->taken_ns / 4};
    s->by_threads = (struct shmtop_crew_seen){.runs = 200, .spent_ns = s->taken_ns * 2};
    s->by_processes = (struct shmtop_crew_seen){.runs = 100, .spent_ns = s->taken_ns / 2};
    s->blocks[1][4] = (struct shmtop_blocks){.blocks = 3, .bytes = 3 * 8192, .published = 8192, .retired = 16384, .runs = 2, .free = 9000};
}

void scene_blow(struct shmtop_snapshot *s)
{
    scene_fill(s);
    memset(&s->stats.chunks, 0xff, (size_t)((char *)&s->stats.keeper_pid - (char *)&s->stats.chunks));
    s->stats.segments_n = UINT32_MAX;
    memset(s->stats.segments, 0xff, sizeof s->stats.segments);
    memset(s->blocks, 0xff, sizeof s->blocks);
    s->stats.deserted = true;
    for (uint32_t i = 0; i < s->participants_n; i++) {
        struct shmtop_participant *p = &s->participants[i];
        memset(p->info.label, 'w', sizeof p->info.label - 1);
        p->info.pid = UINT32_MAX;
        p->info.limbo_bytes = p->info.published = p->pinned_bytes = p->loaned_bytes = p->retired_bytes = UINT64_MAX;
        p->info.oldest_epoch = p->info.joined_ns = 1;
    }
    for (uint32_t i = 0; i < s->chunks_n; i++) {
        struct adit_key key = s->chunks[i].key;
        memset(&s->chunks[i], 0xff, sizeof s->chunks[i]);
        s->chunks[i].key = key;
    }
    for (uint32_t i = 0; i < s->tasks_n; i++) {
        memset(&s->tasks[i], 0xff, sizeof s->tasks[i]);
        s->tasks[i].is_detached = s->tasks[i].is_cancelled = true;
    }
    memset(&s->queues[0].view, 0xff, sizeof s->queues[0].view);
    s->queues[0].view.name[47] = 0;
    memset(s->locks[0].info.name, 0x1b, sizeof s->locks[0].info.name - 1);
    s->locks[0].info.commits = UINT64_MAX;
    s->locks[0].info.pid = s->locks[0].info.deaths = s->locks[0].info.bytes = UINT32_MAX;
    memset(s->rings[0].info.name, 0x9b, sizeof s->rings[0].info.name - 1);
    s->rings[0].info.pushed = UINT64_MAX;
    memset(&s->viewers[0].info.at, 0xff, sizeof s->viewers[0].info.at); /* no numbers */
    memset(s->events, 0xff, s->events_n * sizeof *s->events);
    memset(&s->loops[0], 0xff, sizeof s->loops[0]);
    s->loops[0].info.is_here = true;
    memset(s->loops[0].info.label, 0x1b, sizeof s->loops[0].info.label - 1);
    s->loops[0].info.label[31] = 0;
    s->events[1].metric = SCENE_TASK;
    s->events[2].metric = SCENE_MESH;
    memset(s->members, 0xff, sizeof *s->members);
    memset(s->members[0].label, 0x1b, sizeof s->members[0].label - 1);
    s->members[0].label[sizeof s->members[0].label - 1] = 0;
    s->members[0].is_here = true;
    memset(s->latencies[0].all.bucket, 0xff, sizeof s->latencies[0].all.bucket);
    s->latencies[0].all.count = UINT64_MAX;
    s->frames_missed = s->tiers_off = INT64_MAX;
    memset(s->makers, 0xff, sizeof *s->makers);
    memset(s->makers[0].name, 0x1b, sizeof s->makers[0].name - 1);
    s->makers[0].name[sizeof s->makers[0].name - 1] = 0;
    memset(&s->devices[0], 0xff, sizeof s->devices[0]);
    s->devices[1] = (struct shmtop_device_seen){.device = UINT32_MAX, .tiers = INT64_MAX, .off = INT64_MIN, .fixed_ns = INT64_MAX, .each_ns = INT64_MAX, .chunks = INT64_MAX, .meshes = UINT64_MAX, .busy_ns = UINT64_MAX};
    memset(&s->by_threads, 0xff, sizeof s->by_threads);
    s->watches[0].info = (struct adit_watch_info){.pid = UINT32_MAX, .what = UINT32_MAX, .lapses = UINT32_MAX, .pending = UINT64_MAX, .lo = {INT32_MIN, INT32_MIN, INT32_MIN}};
}

const struct shmtop_page *scene_page(struct shmtop_view *view, uint32_t width, uint32_t rows)
{
    struct shmtop_scene scene;
    shmtop_scene_make(view, &scene_model, &scene);
    pages[0].width = pages[1].width = width;
    shmtop_view_head(view, &scene, &pages[0]);
    shmtop_view_body(view, &scene, rows, &pages[1]);
    shmtop_scene_fini(&scene);
    free(both.lines);
    both = (struct shmtop_page){.width = pages[0].width, .total = pages[0].total + pages[1].total, .count = pages[0].count + pages[1].count};
    both.lines = calloc(both.count + 1u, sizeof *both.lines);
    memcpy(both.lines, pages[0].lines, pages[0].count * sizeof *both.lines);
    if (pages[1].count)
        memcpy(both.lines + pages[0].count, pages[1].lines, pages[1].count * sizeof *both.lines);
    return &both;
}

const struct shmtop_line *scene_line(const struct shmtop_page *page, const char *text)
{
    for (uint32_t i = 0; i < page->count; i++)
        if (strstr(page->lines[i].text, text))
            return &page->lines[i];
    return NULL;
}

bool scene_page_has(const struct shmtop_page *page, const char *text) { return scene_line(page, text) != NULL; }
