/* shmtop_snapshot.c - lists double; what they take is counted as they grow. */
#include "tools/shmtop_snapshot.h"

#include <stdlib.h>
#include <string.h>

struct shmtop_snapshot *shmtop_snapshot_new(void)
{
    struct shmtop_snapshot *s = calloc(1, sizeof *s);
    if (s)
        s->bytes = sizeof *s;
    return s;
}

void shmtop_snapshot_free(struct shmtop_snapshot *s)
{
    if (!s)
        return;
    free(s->participants);
    free(s->chunks);
    free(s->kinds);
    free(s->queues);
    free(s->tasks);
    free(s->seats);
    free(s->locks);
    free(s->rings);
    free(s->watches);
    free(s->viewers);
    free(s->members);
    free(s->events);
    free(s->loops);
    free(s->latencies);
    free(s->makers);
    free(s->devices);
    free(s->alerts);
    free(s);
}

void *shmtop_snapshot_grow(struct shmtop_snapshot *s, void *list, uint32_t *n, uint32_t *max, size_t bytes)
{
    void *items;
    memcpy(&items, list, sizeof items);
    if (*n == *max) {
        uint32_t more = *max ? *max * 2 : 8;
        void *grown = more <= 1u << 24 ? reallocarray(items, more, bytes) : NULL;
        if (!grown) {
            s->is_short = true;
            return NULL;
        }
        memcpy(list, &grown, sizeof grown);
        items = grown;
        s->bytes += (size_t)(more - *max) * bytes;
        *max = more;
    }
    return memset((char *)items + (size_t)(*n)++ * bytes, 0, bytes);
}

int shmtop_key_compare(const struct adit_key *a, const struct adit_key *b)
{
    const int32_t l[] = {a->world, a->lod, a->y, a->z, a->x}, r[] = {b->world, b->lod, b->y, b->z, b->x};
    for (uint32_t i = 0; i < 5; i++)
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    return 0;
}

static int chunks_compare(const void *a, const void *b)
{
    return shmtop_key_compare(&((const struct adit_chunk_info *)a)->key, &((const struct adit_chunk_info *)b)->key);
}

void shmtop_snapshot_sort(struct shmtop_snapshot *s)
{
    if (s->chunks_n)
        qsort(s->chunks, s->chunks_n, sizeof *s->chunks, chunks_compare);
}

const struct adit_chunk_info *shmtop_snapshot_chunk(const struct shmtop_snapshot *s, const struct adit_key *key)
{
    const struct adit_chunk_info wanted = {.key = *key};
    return s && s->chunks_n ? bsearch(&wanted, s->chunks, s->chunks_n, sizeof wanted, chunks_compare) : NULL;
}

const struct shmtop_member *shmtop_snapshot_member(const struct shmtop_snapshot *s, uint32_t who)
{
    for (uint32_t i = 0; i < s->members_n; i++)
        if (s->members[i].who == who)
            return &s->members[i];
    return NULL;
}

uint64_t shmtop_key_id(const struct adit_key *key)
{
    return (uint64_t)key->world << 58 | (uint64_t)(key->lod & 15) << 54 | ((uint64_t)key->y & 0xfff) << 40 | ((uint64_t)key->x & 0xfffff) << 20 | ((uint64_t)key->z & 0xfffff);
}

uint32_t shmtop_block_class(uint64_t bytes)
{
    uint32_t class = 0;
    while (class + 1 < SHMTOP_BLOCK_CLASSES && (uint64_t)512 << class < bytes)
        class ++;
    return class;
}
