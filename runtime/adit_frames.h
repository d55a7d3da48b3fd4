/* adit_frames.h - where consumers look from, and loops at a rate. Part of adit.h, which includes it.
 */
#ifndef ADIT_FRAMES_H
#define ADIT_FRAMES_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- viewers ---------------------------------------------------------------------------------------------------- */

/* Where a consumer looks from, so that what it sees first is meshed first: dispatchers' threads, processes and devices take dirty chunks by their distance from the nearest viewer, in chunks of their level of detail; what lies behind counts as twice as
 * far, what is beyond the radius comes after all that is within; and what waits comes nearer by a chunk each 4 ms, so nothing starves. Without viewers chunks are taken as they come.
 *
 * A viewer that says how long its frames are gets a chunk's mesh no more often than it can show one: a chunk that all who see it see in frames is meshed at once when it changes, and then once a frame while it goes on changing, a quarter of the frame before
 * the next one begins, however often it is edited. Within the radius of a viewer without frames, and where somebody who is no viewer watches meshes, each change is meshed as soon as may be; in a world that all look at in frames what is within nobody's radius is
 * meshed ten times a second at most.
 *
 *     struct adit_viewer_place me = {.size = sizeof me, .at = {0, 80, 0}, .toward = {1, 0, 0}, .radius = 12 * 64};
 *     struct adit_viewer *v;
 *     adit_viewer_open(a, &me, &v);
 *     every frame: me.at[0] += 3; adit_viewer_move(v, &me);
 */
struct adit_viewer_place {
    size_t size;
    float at[3], toward[3]; /* voxels; toward: a direction, of a length from 1e-15 to 1e15, 0: none */
    float radius;           /* voxels, of level 0; of level n 2^n as far */
    uint8_t world;
    uint64_t frame_ns;    /* of its frames, to ADIT_FRAME_LONGEST; 0: it looks all the time */
    uint64_t frame_at_ns; /* CLOCK_MONOTONIC at which one of them begins (that of any time: now + adit_frame_left_ns); 0: not known, then meshes of a chunk are a frame apart */
};
#define ADIT_FRAME_LONGEST 1000000000u /* ns */
struct adit_viewer;
/* Makes a viewer, which counts until it is closed, or its process ends. -EROFS: observers and guests; -EUSERS: there are 64; -EINVAL: no numbers, or frames of more than a second; -EMSGSIZE; -ENOMEM. Wait-free, as move. */
ADIT_API int adit_viewer_open(struct adit_arena *arena, const struct adit_viewer_place *place, struct adit_viewer **out);
/* Says where it looks from now on. One thread at a time. -EINVAL, -EMSGSIZE: it stays where it was. */
ADIT_API int adit_viewer_move(struct adit_viewer *viewer, const struct adit_viewer_place *place);
/* Ends it: nothing is meshed sooner for its sake any more. Before the arena is detached; *viewer may be NULL. */
ADIT_API void adit_viewer_close(struct adit_viewer **viewer);

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* A loop at a rate, with points in each frame that must not be missed; and what became of them.
 *
 *     const struct adit_frame_point points[] = {{"draw", 8000000}, {"present", 15000000}};
 *     const struct adit_frame_params p = {.size = sizeof p, .period_ns = 16666667, .points = points, .points_n = 2};
 *     struct adit_frame *f;
 *     adit_frame_open(&p, &f);
 *     for (;;) {
 *         adit_frame_wait(f);
 *         ... adit_frame_reach(f, 0); ... adit_frame_reach(f, 1);
 *     }
 *
 * Background work (adit_pool_params.background, adit_dispatcher_params.background) yields: it runs in what the frames of all processes leave, so saturating it misses none. A frame is one thread's at a time, for all of these calls. */
#define ADIT_FRAME_POINTS 16u
#define ADIT_FRAME_BUCKETS 160u
struct adit_frame_point {
    const char *name;   /* 1 to 31 bytes */
    uint64_t offset_ns; /* from the frame's begin, to the period: until when it is to be reached */
};
struct adit_frame_params {
    size_t size;
    uint64_t period_ns; /* 0.1 ms to 10 s; default 16,666,667: 60 a second */
    const struct adit_frame_point *points; /* to 16 */
    uint32_t points_n;
    struct adit_arena *arena; /* whose metrics count these frames, attached until close; NULL: none */
};
struct adit_frame;
/* Makes a loop of that rate. -EINVAL, -EMSGSIZE, -ENOMEM. The first frame begins a period from now. */
ADIT_API int adit_frame_open(const struct adit_frame_params *params, struct adit_frame **out);
/* Sleeps until the next frame begins (clock_nanosleep(2)); returns how many whole frames have passed since the last wait without one: 0 when all is well. One that is late has less time; frames stay on their grid. */
ADIT_API int adit_frame_wait(struct adit_frame *frame);
/* Of the frame at hand; less than 0: it is over. No system call. */
ADIT_API int64_t adit_frame_left_ns(const struct adit_frame *frame);
/* The point is reached now. 0; -ETIME: too late, which is counted; -EINVAL: no such point, or no frame has begun. No system call. */
ADIT_API int adit_frame_reach(struct adit_frame *frame, uint32_t point);
struct adit_frame_point_info {
    char name[32];
    uint64_t reached, missed, late_most_ns;
};
struct adit_frame_info {
    size_t size;
    uint64_t period_ns, frames, skipped; /* skipped: passed without a wait */
    uint64_t late_p50_ns, late_p99_ns, late_p999_ns, late_most_ns; /* how late frames began, to a fifth; most: exactly */
    uint32_t points_n;
    struct adit_frame_point_info points[ADIT_FRAME_POINTS];
};
/* What has become of its frames and points since open. -EMSGSIZE. */
ADIT_API int adit_frame_look(const struct adit_frame *frame, struct adit_frame_info *info);
/* Frees the handle, which no thread is using, before the arena of its params is detached; *frame may be NULL. */
ADIT_API void adit_frame_close(struct adit_frame **frame);

#ifdef __cplusplus
}
#endif

#endif
