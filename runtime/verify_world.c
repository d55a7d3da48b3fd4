#include "runtime/verify_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/dirty.h"
#include "runtime/encoding.h"
#include "runtime/key.h"
#include "runtime/rim.h"
#include "runtime/store.h"

_Static_assert(ADIT_ENCODED_BYTES_MAX <= ADIT_VERIFY_BUFFER_BYTES, "a version's copy");

enum { RING_VALID = 2 };

struct world {
    struct adit_verifier *v;
    const struct adit_arena *arena;
    bool deep;
    uint8_t *buffer;
    struct adit_verify_counts *seen;
    uint64_t *named; /* quiet: refs that commit words and ring slots name */
    size_t named_n, named_room;
};

/* A finding at entry i. */
__attribute__((format(printf, 4, 5), cold)) static void say(struct world *w, const char *invariant, uint32_t i, const char *format,
                                                            ...)
{
    struct adit_key k = adit_key_unpack(adit_load_relaxed(&w->arena->keys[i]));
    char what[160], far[32] = "";
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (k.world || k.lod)
        snprintf(far, sizeof far, " world %u lod %u", k.world, k.lod);
    adit_finding_add(w->v->findings, invariant, "entry %u (%d,%d,%d)%s|%s", i, k.x, k.y, k.z, far, what);
}

static uint64_t number_of(const struct adit_arena *arena, uint32_t i)
{
    const struct adit_entry *e = &arena->entries[i];
    return adit_store_number(e, adit_load_acquire(&e->current));
}

/* The number that no version a key has had is above. */
static uint64_t number_at(const struct adit_arena *arena, uint64_t packed)
{
    uint32_t i;
    uint64_t number = packed && adit_store_find(arena, packed, &i) ? number_of(arena, i) : 0, floor = adit_load_acquire(&arena->control->version_floor);
    return !packed || number > floor ? number : floor; /* it may have been forgotten, and be back */
}

/* Whether a block in segment 0 holds what may lie there: of versions, removals only (chunk.c). */
static bool may_lie_in_heap(const uint8_t *block, uint64_t bytes)
{
    const struct adit_version *v = (const struct adit_version *)(const void *)block;
    return block && bytes >= sizeof *v && v->kind == ADIT_KIND_VERSION && v->encoding == ADIT_ENC_REMOVED;
}

/* The block that commit, read from *word, names, and its bytes; NULL, having said why. */
static const uint8_t *block_of(struct world *w, uint32_t i, const uint64_t *word, uint64_t commit, const char *which, uint64_t *bytes)
{
    uint64_t ref = adit_commit_ref(commit), block_word = adit_verify_word(w->arena, ref);
    enum adit_block_state state = adit_word_state(block_word);
    *bytes = (uint64_t)adit_word_granules(block_word) << ADIT_GRANULE_SHIFT;
    const uint8_t *block = *bytes ? adit_arena_at(w->arena, ref, *bytes) : NULL;
    if (!adit_ref_segment(ref) && !may_lie_in_heap(block, *bytes))
        block = NULL;
    if (block && state == ADIT_BLOCK_PUBLISHED)
        return block;
    if (adit_load_acquire(word) != commit)
        return NULL; /* another is current by now */
    say(w, state == ADIT_BLOCK_FREE ? "I4" : "I2", i, "its current %s is segment %u granule %llu, which is %s%s", which,
        adit_ref_segment(ref), (unsigned long long)adit_verify_granule(ref), adit_verify_state_name(block_word),
        state == ADIT_BLOCK_PUBLISHED ? " and reaches beyond its segment" : "");
    return NULL;
}

/* ---- versions --------------------------------------------------------------------------------------------------- */

/* What is wrong with the version whose head lies copied in the buffer; the rest is copied here. */
static const char *fault_of_version(struct world *w, uint64_t packed, const uint8_t *block, uint64_t room)
{
    struct adit_version *v = (struct adit_version *)(void *)w->buffer;
    if (v->kind != ADIT_KIND_VERSION)
        return "its current version's block holds none";
    if (v->bytes < sizeof *v || v->bytes > room || v->bytes > ADIT_ENCODED_BYTES_MAX)
        return "its current version does not fit its block";
    if (v->key != packed)
        return "its current version is of another key";
    memcpy(w->buffer + sizeof *v, block + sizeof *v, v->bytes - sizeof *v);
    if (!adit_encoding_is_sound(v, v->bytes))
        return "its current version is not soundly encoded";
    if (w->deep && adit_encode_hash(v) != v->content_hash)
        return "its current version's bytes are not those that were published";
    return NULL;
}

static void look_at_version(struct world *w, uint32_t i, uint64_t packed, uint64_t commit)
{
    const struct adit_entry *e = &w->arena->entries[i];
    const struct adit_version *v = (const struct adit_version *)(const void *)w->buffer;
    uint64_t room, number = adit_store_number(e, commit);
    const uint8_t *block = block_of(w, i, &e->current, commit, "version", &room);
    if (!block)
        return;
    memcpy(w->buffer, block, sizeof *v);
    const char *fault = fault_of_version(w, packed, block, room);
    if (adit_load_acquire(&e->current) != commit)
        return;
    w->seen->versions++;
    w->seen->hashed_bytes += w->deep && !fault ? v->bytes : 0;
    if (fault)
        say(w, "I2", i, "%s", fault);
    else if (!v->version || v->version != number)
        say(w, "I3", i, "its commit word and number say version %llu, the version says %llu", (unsigned long long)number,
            (unsigned long long)v->version);
}

/* ---- meshes ----------------------------------------------------------------------------------------------------- */

static const char *fault_of_mesh(struct world *w, const struct adit_mesh *m, uint64_t packed, const uint8_t *block, uint64_t room)
{
    uint64_t quads = m->start[ADIT_MESH_RANGES];
    if (m->kind != ADIT_KIND_MESH)
        return "its current mesh's block holds none";
    if (m->bytes < sizeof *m || m->bytes > room)
        return "its current mesh does not fit its block";
    if (m->key != packed)
        return "its current mesh is of another key";
    if (m->quads_at % 8 || m->quads_at < sizeof *m || m->quads_at > m->bytes || quads > (m->bytes - m->quads_at) / 8)
        return "its current mesh's quads lie outside its block";
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        if (m->start[r] > m->start[r + 1])
            return "its current mesh's ranges run backwards";
    if (w->deep && XXH3_64bits_withSeed(block + m->quads_at, (size_t)quads * 8, packed) != m->content_hash)
        return "its current mesh's quads are not those that were published";
    return NULL;
}

/* The versions a mesh names are not above those of now: numbers only grow, and these are read later. */
static void look_at_sources(struct world *w, uint32_t i, uint64_t packed, uint64_t commit, const struct adit_mesh *m)
{
    uint64_t number = number_of(w->arena, i);
    if (adit_load_acquire(&w->arena->entries[i].mesh) != commit)
        return; /* removed and forgotten: the mesh goes before the version does */
    if (!m->source[0] || m->source[0] > number)
        say(w, "I8", i, "its mesh is of version %llu, the current one is %llu", (unsigned long long)m->source[0],
            (unsigned long long)number);
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        number = m->source[f + 1] ? number_at(w->arena, adit_key_neighbour(packed, f)) : 0;
        if (m->source[f + 1] > number)
            say(w, "I8", i, "its mesh names version %llu of the neighbour across face %u, whose current one is %llu",
                (unsigned long long)m->source[f + 1], f, (unsigned long long)number);
    }
}

static void look_at_mesh(struct world *w, uint32_t i, uint64_t packed, uint64_t commit)
{
    const struct adit_entry *e = &w->arena->entries[i];
    struct adit_mesh m;
    uint64_t room;
    const uint8_t *block = block_of(w, i, &e->mesh, commit, "mesh", &room);
    if (!block)
        return;
    memcpy(&m, block, sizeof m);
    const char *fault = fault_of_mesh(w, &m, packed, block, room);
    if (adit_load_acquire(&e->mesh) != commit)
        return;
    w->seen->meshes++;
    w->seen->hashed_bytes += w->deep && !fault ? m.bytes : 0;
    if (fault)
        say(w, "I2", i, "%s", fault);
    else if (!m.serial || (m.serial & 0xffffff) != commit >> 40)
        say(w, "I3", i, "its commit word says mesh %llu, the mesh says %llu", (unsigned long long)(commit >> 40),
            (unsigned long long)m.serial);
    else
        look_at_sources(w, i, packed, commit, &m);
}

/* ---- the way from dirty to meshed ------------------------------------------------------------------------------- */

static void look_at_work(struct world *w, uint32_t i, uint64_t packed)
{
    struct adit_bitset dirty = adit_dirty_set(w->arena), working = adit_working_set(w->arena);
    const uint64_t *work_at = &w->arena->entries[i].work;
    bool is_working = adit_bitset_has(&working, i), is_dirty = adit_bitset_has(&dirty, i);
    uint64_t work = adit_load_acquire(work_at);
    const char *fault = work ? adit_verify_owner(w->v, work) : NULL;
    if (adit_load_acquire(work_at) != work)
        return;
    if (fault)
        say(w, "I5", i, "being meshed: %s", fault);
    else if (work && w->v->quiet)
        say(w, "I7", i, "claimed for meshing by slot %u, and nobody is at it", adit_owner_slot((uint32_t)work));
    if (is_working && !work && adit_bitset_has(&working, i))
        say(w, "I7", i, "in the working set, and nobody's");
    is_dirty = is_dirty && adit_bitset_has(&dirty, i);
    if ((is_dirty || is_working) && !packed && !adit_load_acquire(&w->arena->keys[i]) && !adit_load_acquire(work_at)) /* who has the work of a place without a key is about to tidy it */
        say(w, "I7", i, "in the %s set without a key", is_dirty ? "dirty" : "working");
}

/* A copy of the head of entry i's version; false: there is none, or a damaged one, which is said elsewhere. */
static bool peek_version(const struct adit_arena *arena, uint32_t i, struct adit_version *head)
{
    const struct adit_version *v = adit_store_version(arena, adit_load_acquire(&arena->entries[i].current));
    if (v)
        memcpy(head, v, sizeof *head);
    return v;
}

/* With ambient occlusion a mesh was made from the cells diagonal to its chunk, too. */
static void look_at_rim(struct world *w, uint32_t i, uint64_t packed, const struct adit_mesh *m)
{
    struct adit_rim_cells cells;
    uint64_t newest_ns = 0;
    if (!w->arena->control->ao)
        return;
    adit_rim_read(w->arena, packed, &cells, &newest_ns);
    if (m->rim_hash != adit_rim_hash(&cells))
        say(w, "I7", i, "its mesh knows other cells diagonal to it than there are, and it is not dirty");
}

/* Quiet: an entry that waits for no mesh has the mesh of now, or is of a version that was given up. */
static void look_at_settled(struct world *w, uint32_t i, uint64_t packed)
{
    const struct adit_entry *e = &w->arena->entries[i];
    struct adit_bitset dirty = adit_dirty_set(w->arena), working = adit_working_set(w->arena);
    struct adit_version now, near;
    const struct adit_mesh *m = adit_store_mesh(w->arena, adit_load_acquire(&e->mesh));
    uint64_t air = adit_plane_hash_uniform(0);
    if (adit_bitset_has(&dirty, i) || adit_bitset_has(&working, i) || adit_load_acquire(&e->work) || adit_dirty_is_given_up(w->arena, i) ||
        !peek_version(w->arena, i, &now))
        return;
    if (!m) {
        if (now.encoding != ADIT_ENC_REMOVED && !adit_load_acquire(&e->mesh))
            say(w, "I7", i, "version %llu has no mesh, and is not dirty", (unsigned long long)now.version);
        return;
    }
    if (m->source[0] != now.version) {
        say(w, "I7", i, "its mesh is of version %llu, the current one is %llu, and it is not dirty", (unsigned long long)m->source[0],
            (unsigned long long)now.version);
        return;
    }
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        uint32_t j;
        uint64_t key = adit_key_neighbour(packed, f), used = m->border_hash[f] ? m->border_hash[f] : air;
        bool is_there = key && adit_store_find(w->arena, key, &j) && peek_version(w->arena, j, &near);
        if (used != (is_there ? near.border_hash[f ^ 1] : air))
            say(w, "I7", i, "its mesh knows another border across face %u than the neighbour has, and it is not dirty", f);
    }
    look_at_rim(w, i, packed, m);
}

/* ---- the store -------------------------------------------------------------------------------------------------- */

static int name(struct world *w, uint64_t ref)
{
    if (w->named_n == w->named_room) {
        size_t more = w->named_room ? w->named_room * 2 : 1024;
        uint64_t *grown = realloc(w->named, more * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        w->named = grown;
        w->named_room = more;
    }
    w->named[w->named_n++] = ref;
    return 0;
}

/* A key that comes or goes does so by who has the entry's work. */
static void look_at_change(struct world *w, uint32_t i, uint64_t word)
{
    if (!adit_load_acquire(&w->arena->entries[i].work) && adit_load_acquire(&w->arena->keys[i]) == word && !adit_load_acquire(&w->arena->entries[i].work))
        say(w, "I5", i, "its key is %s, by nobody", (word & ADIT_KEY_STATE) == ADIT_KEY_TENTATIVE ? "being entered" : (word & ADIT_KEY_STATE) == ADIT_KEY_LEAVING ? "being forgotten" : "in no state");
}

static void say_if_still(struct world *w, uint32_t i, uint64_t word, const char *what)
{
    uint32_t found;
    if (adit_load_acquire(&w->arena->keys[i]) == word && !adit_store_find(w->arena, word, &found) && adit_load_acquire(&w->arena->keys[i]) == word)
        say(w, "I2", i, "%s", what);
}

static void look_at_key(struct world *w, uint32_t i, uint64_t word, uint64_t packed)
{
    struct adit_key k = adit_key_unpack(packed);
    uint64_t again;
    uint32_t found;
    w->seen->keys++;
    if (!adit_key_try(&k, &again) || again != packed)
        say(w, "I2", i, "its key %#llx is none", (unsigned long long)packed);
    else if (word != packed)
        look_at_change(w, i, word);
    else if (!adit_store_find(w->arena, packed, &found))
        say_if_still(w, i, word, "its key is not found from where its hash begins");
    else if (found != i && adit_load_acquire(&w->arena->keys[i]) == word && adit_load_acquire(&w->arena->keys[found]) == packed)
        say(w, "I2", i, "its key is found at entry %u", found);
}

static int look_at_entry(struct world *w, uint32_t i)
{
    const struct adit_entry *e = &w->arena->entries[i];
    uint64_t current = adit_load_acquire(&e->current), mesh = adit_load_acquire(&e->mesh);
    uint64_t word = adit_load_acquire(&w->arena->keys[i]), packed = word & ~ADIT_KEY_STATE; /* after the commit words: it was there before them */
    int error = 0;
    look_at_work(w, i, packed);
    if (!packed || word & ADIT_KEY_TENTATIVE) {
        if ((current || mesh) && adit_load_acquire(&e->current) == current && adit_load_acquire(&e->mesh) == mesh && adit_load_acquire(&w->arena->keys[i]) == word)
            say(w, "I2", i, "it has a %s and no key", current ? "version" : "mesh"); /* as it was before the look at the key, and after: not of a key that was forgotten in between */
        if (!packed)
            return 0;
    }
    look_at_key(w, i, word, packed);
    if (current)
        look_at_version(w, i, packed, current);
    if (mesh)
        look_at_mesh(w, i, packed, mesh);
    if (w->v->quiet && current)
        look_at_settled(w, i, packed);
    if (w->v->quiet && current)
        error = name(w, adit_commit_ref(current));
    if (w->v->quiet && mesh && !error)
        error = name(w, adit_commit_ref(mesh));
    return error;
}

/* ---- leaks ------------------------------------------------------------------------------------------------------ */

static int compare_refs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void look_at_block(uint64_t ref, uint64_t word, void *user)
{
    struct world *w = user;
    if (adit_word_state(word) != ADIT_BLOCK_PUBLISHED ||
        (w->named_n && bsearch(&ref, w->named, w->named_n, sizeof ref, compare_refs)))
        return;
    adit_finding_add(w->v->findings, "I2", "segment %u granule %llu|published (%u granules), and named by no %s: leaked",
                     adit_ref_segment(ref), (unsigned long long)adit_verify_granule(ref), adit_word_granules(word),
                     adit_ref_segment(ref) ? "commit word" : "ring and no commit word");
}

/* Quiet: each published block is named, and once. */
static int look_at_names(struct world *w)
{
    int error = 0;
    for (uint32_t i = 0; i < w->arena->rings_max && !error; i++)
        if (adit_load32_acquire(&w->arena->rings[i].state) == RING_VALID)
            error = name(w, adit_load_acquire(&w->arena->rings[i].ref));
    for (uint32_t i = 0; i < w->arena->buffers_max && !error; i++) {
        uint64_t current = adit_load_acquire(&w->arena->buffers[i].current);
        if (current)
            error = name(w, adit_commit_ref(current));
    }
    if (error)
        return error;
    if (w->named_n)
        qsort(w->named, w->named_n, sizeof *w->named, compare_refs);
    for (size_t k = 1; k < w->named_n; k++)
        if (w->named[k] == w->named[k - 1] && (k < 2 || w->named[k] != w->named[k - 2]))
            adit_finding_add(w->v->findings, "I2", "segment %u granule %llu|named more than once", adit_ref_segment(w->named[k]),
                             (unsigned long long)adit_verify_granule(w->named[k]));
    for (uint32_t s = 0; s < w->arena->segments_n; s++)
        adit_block_each(w->arena, s, look_at_block, w);
    return 0;
}

int adit_verify_world(struct adit_verifier *v, bool deep, void *buffer, struct adit_verify_counts *seen)
{
    struct world w = {.v = v, .arena = v->arena, .deep = deep, .buffer = buffer, .seen = seen};
    int error = 0;
    for (uint32_t i = 0; i < w.arena->chunks_max && !error; i++)
        error = look_at_entry(&w, i);
    if (v->quiet && !error)
        error = look_at_names(&w);
    free(w.named);
    return error;
}
