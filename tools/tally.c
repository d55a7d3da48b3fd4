/* tally.c - first the list of keys in one section, then the chunks, so that reclaiming never waits for long. */
#include "tools/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/relook.h"

struct key_list {
    struct adit_key *keys;
    size_t count, max;
};

static int key_add(const struct adit_key *key, void *user)
{
    struct key_list *list = user;
    if (list->count == list->max) {
        size_t max = list->max ? list->max * 2 : 256;
        struct adit_key *keys = realloc(list->keys, max * sizeof *keys);
        if (!keys)
            return -ENOMEM;
        list->keys = keys;
        list->max = max;
    }
    list->keys[list->count++] = *key;
    return 0;
}

/* By world, then columns: the order people and files like. */
static int key_compare(const void *a, const void *b)
{
    const struct adit_key *p = a, *q = b;
    const int64_t left[] = {p->world, p->lod, p->x, p->z, p->y}, right[] = {q->world, q->lod, q->x, q->z, q->y};
    for (int i = 0; i < 5; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static struct adit_tally_world *world_of(struct adit_tally *tally, uint8_t world)
{
    if (!tally->world[world])
        tally->world[world] = calloc(1, sizeof **tally->world);
    return tally->world[world];
}

/* Scratch of one tally: voxels, and which materials each world uses. */
struct scratch {
    uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint8_t used[ADIT_MATERIALS];
};

static void version_count(struct adit_tally_world *t, const struct adit_chunk_view *view, struct scratch *s)
{
    adit_chunk_decode(view, s->voxels);
    uint64_t solid = 0;
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        solid += s->voxels[i] != 0;
    const int32_t key[3] = {view->key.x, view->key.y, view->key.z};
    for (int a = 0; a < 3 && !view->key.lod; a++) {
        if (!t->chunks || key[a] < t->key_min[a])
            t->key_min[a] = key[a];
        if (!t->chunks || key[a] >= t->key_max[a])
            t->key_max[a] = key[a] + 1;
    }
    t->chunks++;
    t->voxels += solid;
    t->version_bytes += view->bytes;
}

static void mesh_count(struct adit_tally_world *t, const struct adit_mesh_view *mesh)
{
    for (uint32_t i = 0; i < mesh->quads_n; i++) {
        uint64_t q = *(const volatile uint64_t *)&mesh->quads[i];
        t->faces += adit_quad_w(q) * adit_quad_h(q);
    }
    t->quads += mesh->quads_n;
    t->mesh_bytes += mesh->bytes;
}

/* One chunk to count, and its world's figures before. */
struct count {
    const struct adit_key *key;
    struct adit_tally_world *world, before;
    struct scratch *scratch;
};

static int count_look(struct adit_reader *reader, void *user)
{
    struct count *count = user;
    struct adit_tally_world *t = count->world;
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    int no_mesh = adit_mesh_acquire(reader, count->key, &mesh);
    int no_view = adit_chunk_acquire(reader, count->key, &view);
    if (no_view)
        return no_view;
    version_count(t, &view, count->scratch);
    if (!no_mesh)
        mesh_count(t, &mesh);
    t->unmeshed += no_mesh || mesh.source[0] != view.version;
    return 0;
}

static void count_undo(void *user)
{
    struct count *count = user;
    *count->world = count->before;
}

static int chunk_count(struct adit_reader *reader, struct adit_tally *tally, const struct adit_key *key,
                       struct scratch *s)
{
    struct adit_tally_world *t = world_of(tally, key->world);
    if (!t)
        return -ENOMEM;
    struct count count = {key, t, *t, s};
    int status = adit_relook(reader, count_look, count_undo, &count);
    if (status == -ESTALE)
        return status;
    for (size_t i = 0; !status && i < ADIT_CHUNK_VOXELS; i++)
        s->used[s->voxels[i]] = 1;
    return 0; /* what cannot be acquired is not counted */
}

/* Moves the marks of the world that was counted last into its numbers, and starts anew. */
static void materials_close(struct adit_tally_world *t, struct scratch *s, uint8_t *used_all)
{
    for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
        if (s->used[m]) {
            t->materials++;
            t->material_max = (uint16_t)m;
            used_all[m] = 1;
        }
    memset(s->used, 0, sizeof s->used);
}

static void totals_close(struct adit_tally *tally, const uint8_t *used_all)
{
    struct adit_tally_world *all = &tally->all;
    for (uint32_t i = 0; i < ADIT_TALLY_WORLDS; i++) {
        const struct adit_tally_world *t = tally->world[i];
        if (!t)
            continue;
        all->chunks += t->chunks;
        all->voxels += t->voxels;
        all->faces += t->faces;
        all->quads += t->quads;
        all->version_bytes += t->version_bytes;
        all->mesh_bytes += t->mesh_bytes;
        all->unmeshed += t->unmeshed;
        if (t->material_max > all->material_max)
            all->material_max = t->material_max;
    }
    for (uint32_t m = 1; m < ADIT_MATERIALS; m++)
        all->materials += used_all[m];
}

int adit_tally_keys(struct adit_reader *reader, struct adit_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    struct key_list list = {0};
    adit_enter(reader);
    int status = adit_keys_each(reader, key_add, &list);
    adit_exit(reader);
    tally->keys = list.keys;
    tally->keys_count = list.count;
    if (list.count)
        qsort(list.keys, list.count, sizeof *list.keys, key_compare);
    return status;
}

int adit_tally_take(struct adit_reader *reader, struct adit_tally *tally)
{
    int status = adit_tally_keys(reader, tally);
    struct scratch *s = calloc(1, sizeof *s);
    uint8_t *used_all = calloc(1, ADIT_MATERIALS);
    if (!s || !used_all)
        status = -ENOMEM;
    const struct adit_key *keys = tally->keys;
    size_t count = tally->keys_count;
    for (size_t i = 0; !status && i < count; i++) {
        status = adit_interrupt_is_set() ? -EINTR : chunk_count(reader, tally, &keys[i], s);
        if (!status && (i + 1 == count || keys[i + 1].world != keys[i].world))
            materials_close(tally->world[keys[i].world], s, used_all);
    }
    if (!status)
        totals_close(tally, used_all);
    free(used_all);
    free(s);
    return status;
}

void adit_tally_close(struct adit_tally *tally)
{
    for (uint32_t i = 0; i < ADIT_TALLY_WORLDS; i++)
        free(tally->world[i]);
    free(tally->keys);
    memset(tally, 0, sizeof *tally);
}

static void figures_set(json_t *o, const struct adit_tally_world *t)
{
    adit_jsonout_set_count(o, "chunks", t->chunks);
    adit_jsonout_set_count(o, "voxels", t->voxels);
    adit_jsonout_set_count(o, "visible_faces", t->faces);
    adit_jsonout_set_count(o, "quads", t->quads);
    adit_jsonout_set_count(o, "bytes", t->version_bytes + t->mesh_bytes);
    adit_jsonout_set_count(o, "materials", t->materials);
    adit_jsonout_set_count(o, "unmeshed", t->unmeshed);
}

json_t *adit_tally_json(const struct adit_tally_world *t)
{
    json_t *o = json_object();
    figures_set(o, t);
    return o;
}

json_t *adit_tally_worlds_json(const struct adit_tally *tally)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < ADIT_TALLY_WORLDS; i++) {
        if (!tally->world[i])
            continue;
        json_t *o = json_object();
        adit_jsonout_set_count(o, "world", i);
        figures_set(o, tally->world[i]);
        json_array_append_new(list, o);
    }
    return list;
}
