/* shmtop_map.c - chunks are sorted (shmtop_snapshot.h), so a layer is one run of them, and what lies at a place is found by bisection. */
#include "tools/shmtop_map.h"

#include <stdio.h>
#include <string.h>

#include "tools/say.h"

#define HALF_BLOCK "\342\226\200" /* U+2580: the upper half in the one colour, the lower in the other */

static bool is_same_layer(const struct adit_key *a, const struct adit_key *b) { return a->world == b->world && a->lod == b->lod && a->y == b->y; }

/* The layer that has most chunks: its middle, and the first and last z in it. False: there are no chunks. */
static bool layer_find(const struct shmtop_snapshot *s, struct adit_key *middle, int32_t *first_z, int32_t *last_z)
{
    uint32_t best = 0, best_n = 0;
    for (uint32_t i = 0, n; i < s->chunks_n; i += n) {
        for (n = 1; i + n < s->chunks_n && is_same_layer(&s->chunks[i].key, &s->chunks[i + n].key); n++)
            ;
        if (n > best_n) {
            best = i;
            best_n = n;
        }
    }
    if (!best_n)
        return false;
    *middle = s->chunks[best].key;
    int32_t lo = middle->x, hi = middle->x;
    for (uint32_t i = best; i < best + best_n; i++) {
        lo = s->chunks[i].key.x < lo ? s->chunks[i].key.x : lo;
        hi = s->chunks[i].key.x > hi ? s->chunks[i].key.x : hi;
    }
    *first_z = s->chunks[best].key.z; /* they are sorted by z before x */
    *last_z = s->chunks[best + best_n - 1].key.z;
    middle->x = lo + (hi - lo) / 2; /* coordinates of keys have 20 bits */
    middle->z = *first_z + (*last_z - *first_z) / 2;
    return true;
}

bool shmtop_map_place(const struct shmtop_look *look, struct adit_key *at)
{
    int32_t first_z, last_z;
    if (!look->map || !look->map->is_placed)
        return layer_find(look->s, at, &first_z, &last_z);
    *at = look->map->at;
    return true;
}

char shmtop_map_letter(const struct adit_chunk_info *chunk)
{
    static const char letters[ADIT_CHUNK_STATES] = {'n', '.', 'd', 'w', 'G', 'r'};
    return !chunk ? ' ' : chunk->state < ADIT_CHUNK_STATES ? letters[chunk->state] : '?';
}

enum shmtop_paint shmtop_map_paint(const struct adit_chunk_info *chunk)
{
    static const enum shmtop_paint paints[ADIT_CHUNK_STATES] = {SHMTOP_WHITE, SHMTOP_GREEN, SHMTOP_YELLOW, SHMTOP_CYAN, SHMTOP_RED, SHMTOP_BLUE};
    return !chunk ? SHMTOP_BLACK : chunk->state < ADIT_CHUNK_STATES ? paints[chunk->state] : SHMTOP_MAGENTA;
}

static void row_draw(const struct shmtop_look *look, struct shmtop_page *page, struct adit_key from, const struct adit_key *at, uint32_t columns)
{
    char text[SHMTOP_WIDTH_MAX * 3 + 4];
    uint8_t paint[SHMTOP_WIDTH_MAX] = {0};
    size_t n = 0;
    bool is_blocks = look->map && look->map->is_blocks;
    for (uint32_t i = 0; i < columns; i++) {
        struct adit_key k = from;
        k.x += (int32_t)i;
        const struct adit_chunk_info *upper = shmtop_snapshot_chunk(look->s, &k);
        if (!is_blocks) {
            text[n++] = k.x == at->x && k.z == at->z && look->map && look->map->has_focus ? '@' : shmtop_map_letter(upper);
            continue;
        }
        bool is_at = k.x == at->x && (k.z == at->z || k.z + 1 == at->z) && look->map->has_focus;
        k.z++;
        enum shmtop_paint up = shmtop_map_paint(upper), down = shmtop_map_paint(shmtop_snapshot_chunk(look->s, &k));
        if (is_at)
            *(k.z == at->z ? &down : &up) = SHMTOP_MAGENTA;
        paint[i] = (uint8_t)((uint8_t)up | (uint8_t)down << 4);
        memcpy(text + n, HALF_BLOCK, 3);
        n += 3;
    }
    text[n] = 0;
    shmtop_page_picture(page, text, is_blocks ? paint : NULL, columns);
}

void shmtop_map_draw(const struct shmtop_look *look, struct shmtop_page *page)
{
    struct adit_key at, from;
    uint32_t rows = look->map ? look->map->rows : 8, columns = page->width < SHMTOP_WIDTH_MAX ? page->width : SHMTOP_WIDTH_MAX, each = look->map && look->map->is_blocks ? 2 : 1;
    if (!shmtop_map_place(look, &at)) {
        shmtop_page_line(page, SHMTOP_QUIET, "no chunks");
        return;
    }
    int32_t first_z, last_z;
    struct adit_key middle;
    bool is_placed = look->map && look->map->is_placed;
    if (each == 1 && !is_placed && layer_find(look->s, &middle, &first_z, &last_z) && (uint32_t)(last_z - first_z) + 3 < rows)
        rows = (uint32_t)(last_z - first_z) + 3; /* no more than there is, and a line around it */
    from = at;
    from.x -= (int32_t)(columns / 2);
    from.z -= (int32_t)(rows * each / 2);
    shmtop_page_line(page, SHMTOP_PLAIN, "world %u, lod %u, layer y %d, x %d to %d, z %d to %d", at.world, at.lod, at.y, from.x, from.x + (int32_t)columns - 1, from.z,
                     from.z + (int32_t)(rows * each) - 1);
    for (uint32_t row = 0; row < rows; row++, from.z += (int32_t)each)
        row_draw(look, page, from, &at, columns);
    if (each == 2)
        shmtop_page_line(page, SHMTOP_QUIET, "green clean, yellow dirty, cyan in work, red given up, blue removed, white none");
    else
        shmtop_page_line(page, SHMTOP_QUIET, ". clean   d dirty   w in work   G given up   r removed   n no version");
    const struct adit_chunk_info *c = shmtop_snapshot_chunk(look->s, &at);
    if (c)
        shmtop_page_line(page, SHMTOP_PLAIN, "at %d %d %d: %s, version %llu, %s, %s", at.x, at.y, at.z, shmtop_chunk_state(c->state), (unsigned long long)c->version, shmtop_encoding(c->encoding),
                         ADIT_SAY_BYTES(c->bytes));
    else
        shmtop_page_line(page, SHMTOP_PLAIN, "at %d %d %d: no such key", at.x, at.y, at.z);
}
