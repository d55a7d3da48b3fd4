/* adit_stream.h - a world without end, streamed in and out of an arena as viewers move. Part of adit.h, which includes it.
 */
#ifndef ADIT_STREAM_H
#define ADIT_STREAM_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Sees to it that the chunks around viewers are there, and that those far from all of them are not. What is missing is made by tasks, what is needed first before the rest
 * (runtime/interest.h); what is too far is removed. Meshing is a dispatcher's, as always.
 *
 *          <------------- removed            keep  ahead  radius  |viewer|  radius  ahead  keep            removed ------------->
 *     ...  :  .  .  .  .  .  .  .  .  .  .  .  |  stays  |  made  |   made   |   made  |  stays  |  .  .  .  .  .  .  .  .  .  . :  ...
 *
 *     const struct adit_stream_params p = {.size = sizeof p, .queue = q, .seed = 7, .y_lo = -1, .y_hi = 3};
 *     adit_stream_open(a, &p, &stream);      q: a queue with workers, of a pool of threads or processes
 *     adit_viewer_move(v, &me); ...          as ever; the rest follows
 *
 * Beyond the radius the world goes on in less detail: chunks of level 1 are made within twice the radius, of level 2 within four times, and so on to `levels`; ahead and keep count in chunks of the level. Each level is a whole disc, so as many
 * chunks as level 0 has, and there is something to draw where a finer one is still to come: draw, of those that cover a place, the finest that has its mesh. Edits show at level 0, and at others once adit.lod_publish has told them; only levels that are there
 * should be told, as with edits (below).
 *
 * Of `terrain`, the world that comes by itself, levels 1 to 6 show ground; level 7 has single voxels of mountain and those beyond are air (kernels/generate.h), though their chunks are made and kept as any other.
 *
 * A limitation: there are two definitions of a level. Generated chunks take a voxel out of each 2^L along each axis; adit.lod_publish halves by what most of eight voxels are. Both are good likenesses of level 0, but not the same: one edit that is told upwards changes
 * the look of the whole octant that is told, and not only of what was edited (in four chunks of level 1 of `terrain` the highest voxel was then another in 65 to 77 % of the columns).
 *
 * Tasks are of NORMAL priority within a viewer's radius, at level 0, and LOW ahead and at other levels, so on a queue of priorities (the dispatcher's own, "adit.mesh", will do) meshes of what is seen go before what is not yet.
 *
 * It remembers nothing that the store does not say: if its process dies, whoever opens a stream next goes on where it was, tasks that are still to come included. One a world: two
 * would make the same chunks, to no harm but the work. Without viewers in its world it does nothing, and nothing is removed.
 * Where there is no room for all that viewers see (memory, with room for meshes; places of the store), what is nearest to any of them is there, at whatever level, and the rest is not: what is farther than something missing by more than a
 * chunk is removed, and that is made. So whoever asks for much has what is near it, as the others have. Only what can be made again goes while it is seen: versions whose publisher said so (adit_put_params.renewable; the default kind does), never
 * edits, nor what others have published. `pressed`, `missing` and `whole` tell; nothing is made and removed in turns, and nothing fails on and on; once there is room, all comes by itself. Kept beyond ahead is nothing then.
 * A sixteenth of the data, 64 MiB at most, and an eighth of the store's places are left to meshes, edits and what is being removed.
 *
 * A viewer's radius counts as 64 chunks at most, whatever it says: any consumer may be one. Of what is around them it looks at 20,000 places in a round, half of them from where viewers are outwards, half from where it stopped in the round before; so a viewer
 * that asks for very much delays what is far from the others, and not what is near them.
 *
 * Edit only what is there, and say so: adit_chunk_edit with if_version of the version that was seen. Without it an edit of a chunk that has not come yet, or is just going, begins from air, is the chunk from then on, and
 * the world's own never comes there.
 *
 * Chunks of its world that others publish, edits among them, are removed like its own when they are far; `leaving` is where they can be saved, and a kind of one's own where they come back from. */
struct adit_chunk_view;
struct adit_stream_params {
    size_t size;
    struct adit_queue *queue; /* stays open as long as the stream */
    uint8_t world;
    int32_t y_lo, y_hi;  /* chunks of these layers, y_lo <= y < y_hi, and no others are made; all of them are removed */
    uint32_t ahead;      /* chunks that are made beyond a viewer's radius; default 2 */
    uint32_t keep;       /* chunks beyond that, before what is there is removed; default 2 */
    uint32_t levels;     /* of detail, beyond level 0; to 15. Default 0: what others publish at levels above this one is let alone */
    uint32_t flight_max; /* tasks under way, to 256; default 32. Many keep workers busy; few follow turns sooner */
    uint64_t seed;       /* of adit.generate with "terrain", the default kind */
    uint32_t kind;       /* another kind that publishes a chunk, renewable if it can make it again just so: args, with the key (struct adit_key) put into it at key_at. Status less than 0: it is tried again a second later. args NULL: the default kind */
    const void *args;
    uint32_t args_bytes, key_at;
    /* Before a chunk is removed, for want of room too, which is then as view says (renewable: there is nothing to save): called by the stream's thread inside a section, so it must not block for long, nor call what is for outside sections. 0: go on; anything else: it stays,
     * and is asked about again at the next walk over the store, 0.1 to 0.3 s later. A version that is published meanwhile is not removed, and is asked about in its turn. NULL: all go. */
    int (*leaving)(const struct adit_chunk_view *view, void *user);
    void *user;
};
struct adit_stream;
enum adit_stream_pressed { ADIT_STREAM_BYTES = 1 /* memory: a larger arena helps */, ADIT_STREAM_KEYS /* places of the store: more chunks_max does */ };
/* Starts a thread, which takes the more of a processor the more there is around viewers: a round each 4 ms while there is something to do, each 16 ms otherwise, each 64 ms while nothing moves and there is no room for what is missing. Producers only (-EROFS). -EINVAL: layers, sizes, or where the key is to be put; -ENOENT: no such kind; -EMSGSIZE, -ENOMEM, -EAGAIN. */
ADIT_API int adit_stream_open(struct adit_arena *arena, const struct adit_stream_params *params, struct adit_stream **out);
/* Cancels what has not begun, waits for what has, 10 s at most, and for the thread; chunks stay. Before the queue is closed. */
ADIT_API void adit_stream_close(struct adit_stream **stream);

struct adit_stream_info {
    size_t size;
    uint32_t missing;     /* chunks within a viewer's radius that are not there, each once, however many see it. Where there is so much around viewers that it takes several rounds to look at: of when it last had looked at all, or as many as it has met, if more */
    uint32_t wanted;      /* those beyond it, up to ahead; likewise */
    uint32_t under_way;   /* tasks */
    uint64_t missing_ns;  /* CLOCK_MONOTONIC since when there has been something missing without a break; 0: there is not. The backlog as a time: viewers are too fast, or workers too few, once it grows */
    float whole;          /* how far all is there, around every viewer, at every level: the distance of the nearest that is missing, in chunks of its level; INFINITY: to the radius of each. What is left of a radius that there is no room for */
    uint32_t pressed;     /* what there is no room for, so that chunks stay missing: enum adit_stream_pressed; 0: there is */
    uint64_t made, removed, kept, failed, cancelled, found; /* since open: chunks made, removed; how often `leaving` kept one; tasks that failed, or were not needed any more, or found that somebody had published
                            * something else there */
    uint64_t evicted;     /* of those removed: though within sight, for want of room */
    uint64_t late;        /* tasks that ran for much longer than is usual (8 times, a quarter of a second at least), as where a worker was stopped: what they make is asked for once more if it is missing; whoever comes second finds it. They are among under_way until they end */
    int32_t last_error;   /* of a task that failed, or of what it could not do itself; 0: none yet */
};
/* How far it is, as of a moment ago. Any thread. -EMSGSIZE. */
ADIT_API int adit_stream_look(const struct adit_stream *stream, struct adit_stream_info *info);

#ifdef __cplusplus
}
#endif

#endif
