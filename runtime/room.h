/* room.h - what room there is in an arena for more chunks of a stream (adit_stream.h), and which of those that are there could make some.
 *
 * Counted are free bytes, by the words of blocks, and keys, by the store: a share a round, so a count is of a moment ago, of seconds ago in a store of a million, and what was under way as it began, or was begun since, is taken off. While there is plenty, that is all. Once there is not
 * (deep), what lies in the store is looked at, too: what a chunk takes with its mesh, how many meshes are still to come, and which chunks that can be made again lie farthest from all viewers.
 *
 *     data bytes   |  versions, meshes, others' things        | owed: meshes to come | chunks that may be begun |   reserve   |
 *                                                                                              adit_room_chunks     1/16, 64 MiB at most, and `extra`: more each time that memory was short all the same
 *     keys         |  live                                    | chunks that may be begun                         | 1/8, for tombstones
 *
 *     adit_room_init(&room, arena);
 *     each round:  n = adit_room_chunks(&room, now);   begin n tasks at most;   adit_room_begun(&room);   a task ended with -ENOMEM, -ENOSPC: adit_room_was_short(&room, error, now)
 *                  if (adit_room_look(&room, reader, &seen, world, levels, flying, now))     a count has come to its end: room.held is new
 *                      below half of the reserve (adit_room_lacking): the farthest go;  else, while nothing may be begun: each that is farther than something missing by a margin
 *
 * Between half of the reserve and all of it nothing happens: so nothing is made and removed in turns.
 */
#ifndef ADIT_ROOM_H
#define ADIT_ROOM_H

#include "runtime/interest.h"
#include "shm/shm.h"

#define ADIT_ROOM_HELD_MAX 256u

/* One that can be made again. */
struct adit_room_held {
    uint64_t packed;
    uint64_t bytes; /* with its mesh */
    float distance; /* adit_interest_distance as it was */
};

struct adit_room_count {
    uint64_t keys, live /* of them not removed */, unmeshed /* have no mesh yet */, meshes, version_bytes, mesh_bytes;
};

struct adit_room {
    const struct adit_arena *arena;
    uint64_t data_bytes;
    struct adit_room_count count, counting;  /* of the last look, the one under way */
    uint64_t free_bytes, freeing_bytes, least_bytes; /* in free runs of so many at least */
    uint32_t at, segment, extent;            /* where it goes on: in the store, in memory */
    bool deep, was_deep;                     /* the one under way; the last */
    uint64_t begun, flying, unseen;          /* chunks: since this look began; under way then; the same two of the last one, which may not have come by them */
    uint64_t extra_bytes, eased_ns, short_ns; /* see above; when it last became less, or more; nothing is begun until then */
    uint64_t starved, heard_ns;              /* control->starved as it was; when it last counted */
    struct adit_room_held held[ADIT_ROOM_HELD_MAX]; /* of the last look, the farthest first */
    uint32_t held_n;
    struct adit_room_held holding[ADIT_ROOM_HELD_MAX];
    uint32_t holding_n, nearest; /* of holding: the one nearest to a viewer */
};

/* Counts what there is, without looking at what lies in it: as long as the store is. */
void adit_room_init(struct adit_room *room, const struct adit_arena *arena);
/* Goes on counting, 65,536 keys at most, of 512 to 8,192 of which (deep; by the size of the store) what is there is looked at, and 256 MiB. True: it has come to an end. reader: outside a section. flying: tasks that are under way. */
bool adit_room_look(struct adit_room *room, struct adit_reader *reader, const struct adit_interest *seen, uint8_t world, uint32_t levels, uint32_t flying, uint64_t now_ns);
/* How many chunks may be begun. *is_keys: it is keys that there are fewest of. */
uint32_t adit_room_chunks(const struct adit_room *room, uint64_t now_ns, bool *is_keys);
static inline void adit_room_begun(struct adit_room *room) { room->begun++; }
/* So many bytes are to be given back, since even the reserve is half gone; 0: there is room enough. */
uint64_t adit_room_lacking(const struct adit_room *room);
/* A task found no room, or meshes did: nothing is begun for a quarter of a second, and after -ENOMEM the reserve is a 32nd of the arena larger, once a second at most and to a quarter of it; 2 s later a quarter of that less, and so on. */
void adit_room_was_short(struct adit_room *room, int error, uint64_t now_ns);

#endif
