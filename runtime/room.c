#include "runtime/room.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/key.h"
#include "runtime/store.h"

#define SHARES 16u            /* a look takes so many rounds while there is plenty */
#define KEYS_MAX 65536u       /* of a round, by their words */
#define HEADS 512u            /* of a round, at what is there: so many and a part of the store, */
#define HEADS_PARTS 256u
#define HEADS_MAX 8192u       /* to this */
#define SECTION_KEYS 512u
#define EXTENTS_MAX 8u        /* of a round */
#define RESERVE_PARTS 16u
#define RESERVE_MAX (64ull << 20)
#define EXTRA_PARTS 32u
#define EXTRA_LEAST 65536u    /* bytes; less is none */
#define GUESS_BYTES 131072u   /* of a chunk and its mesh, while there are fewer than */
#define GUESS_UNTIL 16u
#define SHORT_NS 250000000u
#define HEARD_NS (2 * SHORT_NS)
#define GROW_NS 1000000000u
#define EASE_NS 2000000000u

static uint64_t granules_of(uint64_t bytes) { return (bytes + ADIT_GRANULE_BYTES - 1) >> ADIT_GRANULE_SHIFT << ADIT_GRANULE_SHIFT; }

static uint64_t keys_max(const struct adit_room *r) { return r->arena->chunks_max - r->arena->chunks_max / 8; }

static uint64_t reserve_of(const struct adit_room *r)
{
    uint64_t part = r->data_bytes / RESERVE_PARTS;
    return (part < RESERVE_MAX ? part : RESERVE_MAX) + r->extra_bytes;
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

/* Keeps the farthest. */
static void hold(struct adit_room *r, const struct adit_room_held *h)
{
    if (r->holding_n < ADIT_ROOM_HELD_MAX)
        r->holding[r->holding_n++] = *h;
    else if (h->distance <= r->holding[r->nearest].distance)
        return;
    else
        r->holding[r->nearest] = *h;
    if (r->holding_n == ADIT_ROOM_HELD_MAX)
        for (uint32_t i = r->nearest = 0; i < ADIT_ROOM_HELD_MAX; i++)
            r->nearest = r->holding[i].distance < r->holding[r->nearest].distance ? i : r->nearest;
}

/* What is at an entry, inside a section. */
static void count_entry(struct adit_room *r, uint32_t index, uint64_t packed, const struct adit_interest *seen, uint8_t world, uint32_t levels)
{
    const struct adit_entry *entry = &r->arena->entries[index];
    struct adit_mesh_places places = {0};
    uint32_t bytes = 0;
    uint64_t commit = adit_load_acquire(&entry->current), mesh = adit_load_acquire(&entry->mesh); /* VIEW:acquire, VIEW:mesh */
    const struct adit_version *v = adit_store_version_sized(r->arena, commit, &bytes);
    if (commit && v && v->encoding == ADIT_ENC_REMOVED)
        return;
    r->counting.live++; /* one that is being published among them, and a damaged one */
    if (!v || v->key != packed)
        return;
    bool has_mesh = adit_store_mesh_placed(r->arena, mesh, &places);
    const uint64_t version_bytes = granules_of(bytes), mesh_bytes = has_mesh ? granules_of(places.bytes) : 0;
    r->counting.version_bytes += version_bytes;
    r->counting.mesh_bytes += mesh_bytes;
    r->counting.meshes += has_mesh;
    r->counting.unmeshed += !has_mesh && !(v->summary & ADIT_SUM_EMPTY);
    struct adit_key key = adit_key_unpack(packed);
    if (v->summary & ADIT_SUM_RENEWABLE && key.world == world && key.lod <= levels)
        hold(r, &(struct adit_room_held){.packed = packed, .bytes = version_bytes + mesh_bytes, .distance = adit_interest_distance(seen, packed)});
}

static void count_keys(struct adit_room *r, struct adit_reader *reader, uint32_t n, uint32_t heads, const struct adit_interest *seen, uint8_t world, uint32_t levels)
{
    while (n && heads && r->at < r->arena->chunks_max) {
        if (r->deep)
            adit_rcu_enter(reader);
        for (uint32_t i = 0; i < SECTION_KEYS && n && heads && r->at < r->arena->chunks_max; i++, n--, r->at++) {
            uint64_t packed = adit_store_key(r->arena, r->at);
            r->counting.keys += packed != 0;
            if (!packed || !r->deep)
                continue;
            count_entry(r, r->at, packed, seen, world, levels);
            heads--;
        }
        if (r->deep)
            (void)adit_rcu_exit(reader); /* ousted: counts that are a little wrong; what is removed is looked at again */
    }
}

static uint32_t extents_of(const struct adit_arena *arena)
{
    uint32_t n = 0;
    for (uint32_t s = 1; s < arena->segments_n; s++)
        n += arena->segments[s].extents;
    return n;
}

static void count_bytes(struct adit_room *r, uint32_t n)
{
    for (; n && r->segment < r->arena->segments_n; n--) {
        if (r->extent < r->arena->segments[r->segment].extents)
            r->freeing_bytes += adit_block_free_bytes(r->arena, r->segment, r->extent++, r->least_bytes);
        if (r->extent >= r->arena->segments[r->segment].extents) {
            r->segment++;
            r->extent = 0;
        }
    }
}

static int by_distance(const void *a, const void *b)
{
    const struct adit_room_held *p = a, *q = b;
    return p->distance != q->distance ? (p->distance < q->distance) - (p->distance > q->distance) : (p->packed > q->packed) - (p->packed < q->packed);
}

/* Whether meshes have found no memory since the look before. What the word was then says nothing: whoever counted may be gone. It is anybody's, so it is heard once in twice the time for which it stops all, whatever it says. */
static void hear_starved(struct adit_room *r, uint64_t now)
{
    const uint64_t starved = adit_load_relaxed(&r->arena->control->starved); /* relaxed: a count */
    const bool has_grown = starved > r->starved;
    r->starved = starved;
    if (!has_grown || now - r->heard_ns < HEARD_NS)
        return;
    r->heard_ns = now;
    adit_room_was_short(r, -ENOMEM, now);
}

/* A look has come to its end, and the next begins. */
static void turn(struct adit_room *r, uint32_t flying, uint64_t now)
{
    r->was_deep = r->deep;
    r->count = r->counting;
    if (!r->deep)
        r->count.live = r->count.keys;
    r->free_bytes = r->freeing_bytes;
    r->held_n = r->holding_n;
    for (uint32_t i = 0; i < r->held_n; i++)
        r->held[i] = r->holding[i];
    qsort(r->held, r->held_n, sizeof *r->held, by_distance);
    hear_starved(r, now);
    if (r->extra_bytes && now - r->eased_ns > EASE_NS) {
        r->extra_bytes -= r->extra_bytes / 4;
        r->extra_bytes = r->extra_bytes < EXTRA_LEAST ? 0 : r->extra_bytes;
        r->eased_ns = now;
    }
    r->unseen = r->flying + r->begun;
    r->flying = flying;
    r->begun = 0;
    r->at = r->extent = 0;
    r->segment = 1;
    r->counting = (struct adit_room_count){0};
    r->freeing_bytes = 0;
    r->least_bytes = r->was_deep && r->count.live ? r->count.version_bytes / r->count.live : 0; /* an average version is to fit, else it is no room */
    r->holding_n = r->nearest = 0;
    r->deep = r->free_bytes < r->data_bytes / 4 || r->count.keys > keys_max(r) / 4 * 3 || r->extra_bytes || now < r->short_ns;
}

bool adit_room_look(struct adit_room *r, struct adit_reader *reader, const struct adit_interest *seen, uint8_t world, uint32_t levels, uint32_t flying, uint64_t now_ns)
{
    const uint32_t shares = r->deep ? 1 : SHARES, keys = (r->arena->chunks_max + shares - 1) / shares, extents = (extents_of(r->arena) + shares - 1) / shares, heads = HEADS + r->arena->chunks_max / HEADS_PARTS;
    count_keys(r, reader, keys < KEYS_MAX ? keys : KEYS_MAX, heads < HEADS_MAX ? heads : HEADS_MAX, seen, world, levels);
    count_bytes(r, extents < EXTENTS_MAX ? extents : EXTENTS_MAX);
    bool is_end = r->at >= r->arena->chunks_max && r->segment >= r->arena->segments_n;
    if (is_end)
        turn(r, flying, now_ns);
    return is_end;
}

void adit_room_init(struct adit_room *r, const struct adit_arena *arena)
{
    *r = (struct adit_room){.arena = arena, .segment = 1, .starved = adit_load_relaxed(&arena->control->starved)};
    for (uint32_t s = 1; s < arena->segments_n; s++)
        r->data_bytes += (uint64_t)arena->segments[s].granules << ADIT_GRANULE_SHIFT;
    count_keys(r, NULL, arena->chunks_max, 1, NULL, 0, 0);
    count_bytes(r, UINT32_MAX);
    turn(r, 0, 0);
}

/* ---- what follows ----------------------------------------------------------------------------------------------- */

/* Bytes of a mesh, as they are on average. */
static uint64_t mesh_bytes(const struct adit_room_count *c) { return c->meshes ? c->mesh_bytes / c->meshes : 0; }

/* Bytes that a chunk takes, with its mesh if it will have one. */
static uint64_t each_bytes(const struct adit_room *r)
{
    const struct adit_room_count *c = &r->count;
    if (!r->was_deep || c->live < GUESS_UNTIL)
        return GUESS_BYTES;
    uint64_t all = c->version_bytes + mesh_bytes(c) * (c->meshes + c->unmeshed);
    return all / c->live + 1;
}

static uint64_t less(uint64_t from, uint64_t by) { return from > by ? from - by : 0; }

uint32_t adit_room_chunks(const struct adit_room *r, uint64_t now_ns, bool *is_keys)
{
    uint64_t begun = r->begun + r->unseen, owed = r->was_deep ? r->count.unmeshed * mesh_bytes(&r->count) : 0;
    uint64_t by_bytes = less(less(r->free_bytes, reserve_of(r) + owed) / each_bytes(r), begun);
    uint64_t live = less(keys_max(r), r->count.live), places = less(r->arena->chunks_max, r->count.keys); /* what was removed has one until it is forgotten */
    uint64_t by_keys = less(live && !places ? 1 : live < places ? live : places, begun); /* one, for which some are forgotten that would wait otherwise (tombstone.h) */
    *is_keys = by_keys < by_bytes;
    uint64_t n = now_ns < r->short_ns ? 0 : *is_keys ? by_keys : by_bytes;
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

uint64_t adit_room_lacking(const struct adit_room *r)
{
    return r->free_bytes < reserve_of(r) / 2 ? reserve_of(r) - r->free_bytes : 0;
}

void adit_room_was_short(struct adit_room *r, int error, uint64_t now_ns)
{
    const uint64_t most = r->data_bytes / 4, more = r->extra_bytes + r->data_bytes / EXTRA_PARTS;
    r->short_ns = now_ns + SHORT_NS;
    if (error != -ENOMEM || (r->extra_bytes && now_ns - r->eased_ns < GROW_NS)) /* many at once are one */
        return;
    r->extra_bytes = more < most ? more : most;
    r->eased_ns = now_ns;
}
