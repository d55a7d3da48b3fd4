/* shmtop_scenes.h - snapshots made up for tests of shmtop's layout, and a model to put them in.
 */
#ifndef ADIT_TESTS_SHMTOP_SCENES_H
#define ADIT_TESTS_SHMTOP_SCENES_H

#include "tools/shmtop_view.h"

#define SCENE_WALL_NS 1700000000000000000u /* when the arena was made */

#define SCENE_KEY (1ull << 56 | 3ull << 20 | 1) /* x 3, y 0, z 1 of world 0, as a key's word */

#define SCENE_BUCKET_MS 143u /* of a histogram: 0.98 to 1.05 ms; three octaves on are 24 buckets */

/* Numbers of the model's metrics. */
enum scene_metric { SCENE_PUT, SCENE_MESH, SCENE_DEATH, SCENE_TASK, SCENE_FRAME_MISSED, SCENE_VISIBLE, SCENE_TASK_RUN, SCENE_TIER_WRONG, SCENE_METRICS };

/* The model of the test under way; reset frees it. */
extern struct shmtop_model scene_model;
void scene_reset(void);

/* A snapshot at the given second, with some participants: "feeder 0", pid 1000, ... */
struct shmtop_snapshot *scene_begin(uint64_t second, uint32_t participants);
/* Of all other lists something: a layer of 8 x 4 chunks at y = 0 in all states and one at y = 1, kinds, a queue, tasks, seats, locks, rings, watches, viewers, members and their events, a frame loop. */
void scene_fill(struct shmtop_snapshot *s);
/* All that is a number as large as can be, and text without an end. */
void scene_blow(struct shmtop_snapshot *s);

/* A screen laid out: head and body below one another; kept until the next call. rows as shmtop_view_body. */
const struct shmtop_page *scene_page(struct shmtop_view *view, uint32_t width, uint32_t rows);
bool scene_page_has(const struct shmtop_page *page, const char *text);
/* The line that has the text; NULL: none. */
const struct shmtop_line *scene_line(const struct shmtop_page *page, const char *text);

#endif
