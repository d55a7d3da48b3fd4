/* vox_world.c - from placed models to chunks.
 *
 * The voxels of a model are sorted into cells of 32^3, keeping the file's order within a cell (of two voxels at one place
 * the later wins). A chunk is filled from the placements that touch it, each from its cells that do: a voxel is looked at
 * a few times in all, whatever the size of the scene. */
#include "tools/worlds/vox_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/vox_scene.h"

#define CELL_SHIFT 5
#define CELLS_MAX 512          /* 256 / 32, cubed */
#define CELLS_WORTH_VOXELS 512 /* a model of fewer voxels is one cell: the table of cells stays smaller than they */

struct voxel {
    uint8_t at[3], colour;
};

struct model {
    struct voxel *voxels; /* by cell */
    uint32_t count;
    uint32_t *cell_starts; /* CELLS_MAX + 1, or NULL: one cell */
    uint8_t lo[3], hi[3];  /* of the voxels */
};

struct pair {
    uint64_t chunk;
    uint32_t placement;
};

struct vox_world {
    struct adit_world_source source; /* first */
    struct model *models;
    uint32_t model_count;
    struct adit_vox_placement *placements;
    uint32_t placement_count;
    struct pair *pairs; /* by chunk, then placement */
    uint32_t pair_count;
    uint16_t ids[256]; /* material of a colour */
};

/* Keys lie within reach of the origin: 16 bits an axis hold them. */
static uint64_t chunk_code(const int32_t key[3])
{
    uint64_t code = 0;
    for (int a = 0; a < 3; a++)
        code = code << 16 | (uint16_t)(key[a] + 0x8000);
    return code;
}

static int by_chunk(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->chunk != y->chunk)
        return x->chunk < y->chunk ? -1 : 1;
    return (x->placement > y->placement) - (x->placement < y->placement);
}

/* The first pair of a chunk, or the place where it would be. */
static uint32_t first_pair(const struct vox_world *vox, uint64_t chunk)
{
    uint32_t lo = 0, hi = vox->pair_count;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (vox->pairs[middle].chunk < chunk)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static bool vox_has_chunk(const struct adit_world *world, const int32_t key[3])
{
    const struct vox_world *vox = (const struct vox_world *)(const void *)world->source;
    uint64_t chunk = chunk_code(key);
    uint32_t at = first_pair(vox, chunk);
    return at < vox->pair_count && vox->pairs[at].chunk == chunk;
}

/* The world's span of a model's span lo..hi under a placement, on axis a. */
static void span_of(const struct adit_vox_placement *placement, int a, int32_t lo, int32_t hi, int32_t *from,
                    int32_t *to)
{
    int32_t p = placement->offset[a] + placement->sign[a] * lo, q = placement->offset[a] + placement->sign[a] * hi;
    *from = p < q ? p : q;
    *to = p < q ? q : p;
}

/* Writes the voxels number first..last of a model that fall into the chunk. */
static bool fill_voxels(const struct vox_world *vox, const struct adit_vox_placement *placement,
                        const int32_t origin[3], uint32_t first, uint32_t last, uint16_t *voxels)
{
    const struct voxel *from = vox->models[placement->model].voxels;
    bool any = false;
    for (uint32_t i = first; i < last; i++) {
        uint32_t at[3];
        for (int a = 0; a < 3; a++)
            at[a] = (uint32_t)(placement->offset[a] + placement->sign[a] * from[i].at[placement->axis[a]] - origin[a]);
        if ((at[0] | at[1] | at[2]) < 64) {
            voxels[(at[2] * 64 + at[1]) * 64 + at[0]] = vox->ids[from[i].colour];
            any = true;
        }
    }
    return any;
}

/* Whether a cell, moved into the world, touches the chunk. */
static bool cell_touches(const struct adit_vox_placement *placement, uint32_t cell, const int32_t origin[3])
{
    const int32_t corner[3] = {(int32_t)(cell & 7) << CELL_SHIFT, (int32_t)(cell >> 3 & 7) << CELL_SHIFT,
                               (int32_t)(cell >> 6) << CELL_SHIFT};
    for (int a = 0; a < 3; a++) {
        int32_t from, to, lo = corner[placement->axis[a]];
        span_of(placement, a, lo, lo + (1 << CELL_SHIFT) - 1, &from, &to);
        if (to < origin[a] || from > origin[a] + 63)
            return false;
    }
    return true;
}

static int vox_fill(const struct adit_world *world, const int32_t key[3], uint16_t *voxels)
{
    const struct vox_world *vox = (const struct vox_world *)(const void *)world->source;
    const int32_t origin[3] = {key[0] * 64, key[1] * 64, key[2] * 64};
    uint64_t chunk = chunk_code(key);
    bool any = false;
    for (uint32_t p = first_pair(vox, chunk); p < vox->pair_count && vox->pairs[p].chunk == chunk; p++) {
        const struct adit_vox_placement *placement = &vox->placements[vox->pairs[p].placement];
        const struct model *model = &vox->models[placement->model];
        if (!model->cell_starts) {
            any |= fill_voxels(vox, placement, origin, 0, model->count, voxels);
            continue;
        }
        for (uint32_t cell = 0; cell < CELLS_MAX; cell++)
            if (model->cell_starts[cell] < model->cell_starts[cell + 1] && cell_touches(placement, cell, origin))
                any |=
                    fill_voxels(vox, placement, origin, model->cell_starts[cell], model->cell_starts[cell + 1], voxels);
    }
    return any;
}

static void vox_close(struct adit_world_source *source)
{
    struct vox_world *vox = (struct vox_world *)(void *)source;
    for (uint32_t m = 0; m < vox->model_count; m++) {
        free(vox->models[m].voxels);
        free(vox->models[m].cell_starts);
    }
    free(vox->models);
    free(vox->placements);
    free(vox->pairs);
    free(vox);
}

static uint32_t cell_of(const uint8_t *at)
{
    return (uint32_t)at[0] >> CELL_SHIFT | (uint32_t)at[1] >> CELL_SHIFT << 3 | (uint32_t)at[2] >> CELL_SHIFT << 6;
}

static bool is_sound(const struct adit_vox_model *from, const uint8_t *voxel)
{
    return voxel[0] < from->size[0] && voxel[1] < from->size[1] && voxel[2] < from->size[2] && voxel[3];
}

/* Copies the sound voxels of a model, by cells when they are many. Returns how many are not sound, or -ENOMEM. */
static int64_t take_model(struct model *model, const struct adit_vox_model *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        model->count += is_sound(from, from->voxels + 4 * (size_t)i);
    model->voxels = malloc((model->count ? model->count : 1) * sizeof(*model->voxels));
    if (model->count >= CELLS_WORTH_VOXELS)
        model->cell_starts = calloc(CELLS_MAX + 1, sizeof(*model->cell_starts));
    if (!model->voxels || (model->count >= CELLS_WORTH_VOXELS && !model->cell_starts))
        return -ENOMEM;
    uint32_t next[CELLS_MAX] = {0};
    if (model->cell_starts) {
        for (uint32_t i = 0; i < from->count; i++)
            if (is_sound(from, from->voxels + 4 * (size_t)i))
                model->cell_starts[cell_of(from->voxels + 4 * (size_t)i) + 1]++;
        for (uint32_t cell = 0; cell < CELLS_MAX; cell++) {
            next[cell] = model->cell_starts[cell];
            model->cell_starts[cell + 1] += model->cell_starts[cell];
        }
    }
    memset(model->lo, 255, sizeof(model->lo));
    for (uint32_t i = 0; i < from->count; i++) {
        const uint8_t *voxel = from->voxels + 4 * (size_t)i;
        if (!is_sound(from, voxel))
            continue;
        uint32_t place = next[model->cell_starts ? cell_of(voxel) : 0]++;
        model->voxels[place] = (struct voxel){{voxel[0], voxel[1], voxel[2]}, voxel[3]};
        for (int a = 0; a < 3; a++) {
            model->lo[a] = voxel[a] < model->lo[a] ? voxel[a] : model->lo[a];
            model->hi[a] = voxel[a] > model->hi[a] ? voxel[a] : model->hi[a];
        }
    }
    return (int64_t)from->count - model->count;
}

/* The span of chunks of a placement, per axis, both ends inclusive. False when its model is empty. */
static bool chunks_of(const struct vox_world *vox, const struct adit_vox_placement *placement, int32_t lo[3],
                      int32_t hi[3])
{
    const struct model *model = &vox->models[placement->model];
    for (int a = 0; a < 3; a++)
        span_of(placement, a, model->lo[placement->axis[a]], model->hi[placement->axis[a]], &lo[a], &hi[a]);
    return model->count > 0;
}

/* Lists which placements touch which chunks, and sets the world's box. Returns 0, -EFBIG or -ENOMEM. */
static int index_chunks(struct vox_world *vox, struct adit_world *world)
{
    int32_t box_lo[3] = {INT32_MAX, INT32_MAX, INT32_MAX}, box_hi[3] = {INT32_MIN, INT32_MIN, INT32_MIN};
    uint64_t total = 0;
    for (int pass = 0; pass < 2; pass++) { /* the first counts */
        if (pass && !(vox->pairs = malloc((total ? total : 1) * sizeof(*vox->pairs))))
            return -ENOMEM;
        for (uint32_t p = 0; p < vox->placement_count; p++) {
            int32_t lo[3], hi[3], key[3];
            uint64_t product = 1;
            if (!chunks_of(vox, &vox->placements[p], lo, hi))
                continue;
            for (int a = 0; a < 3; a++) {
                box_lo[a] = lo[a] < box_lo[a] ? lo[a] : box_lo[a];
                box_hi[a] = hi[a] >= box_hi[a] ? hi[a] + 1 : box_hi[a];
                lo[a] = adit_world_chunk_of(lo[a]);
                hi[a] = adit_world_chunk_of(hi[a]);
                product *= (uint64_t)(hi[a] - lo[a] + 1);
            }
            if (!pass && (total += product) > ADIT_VOX_PAIRS_MAX)
                return -EFBIG;
            for (key[2] = lo[2]; pass && key[2] <= hi[2]; key[2]++)
                for (key[1] = lo[1]; key[1] <= hi[1]; key[1]++)
                    for (key[0] = lo[0]; key[0] <= hi[0]; key[0]++)
                        vox->pairs[vox->pair_count++] = (struct pair){chunk_code(key), p};
        }
    }
    if (vox->pair_count)
        qsort(vox->pairs, vox->pair_count, sizeof(*vox->pairs), by_chunk);
    adit_world_set_box(world, box_lo, box_hi);
    return 0;
}

/* Makes materials of the colours that placed models use. */
static int give_ids(struct vox_world *vox, const struct adit_vox_file *file, struct adit_world *world)
{
    bool *seen = calloc(vox->model_count, sizeof(*seen));
    bool used[256] = {false};
    if (!seen)
        return -ENOMEM;
    for (uint32_t p = 0; p < vox->placement_count; p++) {
        const struct model *model = &vox->models[vox->placements[p].model];
        for (uint32_t i = 0; !seen[vox->placements[p].model] && i < model->count; i++)
            used[model->voxels[i].colour] = true;
        seen[vox->placements[p].model] = true;
    }
    free(seen);
    for (uint32_t colour = 1; colour < 256; colour++) {
        if (!used[colour])
            continue;
        char name[32];
        snprintf(name, sizeof(name), "colour %u", colour);
        uint32_t rgba = (file->rgba[colour] & ~0xffu) | file->alpha[colour];
        int id = adit_world_add_material(world, name, rgba,
                                         file->alpha[colour] < 255 ? ADIT_CLASS_TRANSLUCENT : ADIT_CLASS_OPAQUE);
        if (id < 0)
            return id;
        vox->ids[colour] = (uint16_t)id;
    }
    return 0;
}

/* Of a world without a voxel: refused when something was left out, with the first of it, else it is what the file says. */
static int take_empty(struct adit_world *world, const char *name, const char *first_lost, struct adit_world_error error)
{
    if (world->parts_skipped)
        return adit_world_fail(error, EBADMSG, "%s: its scene shows nothing: %s: export it again, or restore it from a backup", name,
                               first_lost);
    if (world->models_far)
        return adit_world_fail(error, EFBIG, "%s: its scene shows nothing: %s: move it closer", name, first_lost);
    adit_world_warn(world, "%s: its scene shows no voxel", name);
    return 0;
}

/* Makes the world of a file taken apart. Returns 0, or a negative errno with its line. */
static int build(struct vox_world *vox, const struct adit_vox_file *file, const char *name, struct adit_world *world,
                 struct adit_world_error error)
{
    char first_lost[ADIT_VOX_LOST_BYTES];
    int result = adit_vox_scene_place(file, name, world, &vox->placements, &vox->placement_count, first_lost, error);
    if (result)
        return result;
    vox->models = calloc(file->model_count, sizeof(*vox->models));
    if (!vox->models)
        return adit_world_fail(error, ENOMEM, "%s: no memory to read it", name);
    vox->model_count = file->model_count;
    int64_t sound = 0, damaged_all = 0;
    for (uint32_t m = 0; m < vox->model_count; m++) {
        int64_t damaged = take_model(&vox->models[m], &file->models[m]);
        if (damaged < 0)
            return adit_world_fail(error, ENOMEM, "%s: no memory to read it", name);
        if (damaged) {
            char what[ADIT_VOX_LOST_BYTES];
            snprintf(what, sizeof(what), "%lld voxels of model %u lie outside it or have colour 0", (long long)damaged, m);
            adit_world_warn(world, "%s: %s; left out", name, what);
            if (!world->parts_skipped++)
                memcpy(first_lost, what, sizeof(what));
        }
        sound += vox->models[m].count;
        damaged_all += damaged;
    }
    if (damaged_all && !sound)
        return adit_world_fail(error, EBADMSG,
                               "%s: none of its %lld voxels is sound (outside their models, or of colour 0): restore it "
                               "from a backup", name, (long long)damaged_all);
    result = index_chunks(vox, world);
    if (!result)
        result = give_ids(vox, file, world);
    if (result == -EFBIG)
        return adit_world_fail(error, EFBIG, "%s: its models touch more than %u chunks: split it", name,
                               ADIT_VOX_PAIRS_MAX);
    if (result)
        return adit_world_fail(error, -result, "%s: no memory to read it", name);
    return world->material_count ? 0 : take_empty(world, name, first_lost, error);
}

int adit_vox_parse(const uint8_t *data, size_t bytes, const char *spec, struct adit_world **out,
                   struct adit_world_error error)
{
    const char *name = adit_world_short(spec);
    struct vox_world *vox = calloc(1, sizeof(*vox));
    struct adit_world *world = adit_world_new(spec, "vox");
    *out = NULL;
    if (!vox || !world) {
        free(vox);
        adit_world_close(world);
        return adit_world_fail(error, ENOMEM, "%s: no memory to read it", name);
    }
    vox->source = (struct adit_world_source){vox_fill, vox_has_chunk, vox_close};
    world->source = &vox->source;
    struct adit_vox_file file;
    int result = adit_vox_file_read(&file, name, data, bytes, error);
    if (!result)
        result = build(vox, &file, name, world, error);
    adit_vox_file_fini(&file);
    if (result)
        adit_world_close(world);
    else
        *out = world;
    return result;
}
