/* kind_generate.c - adit.generate. The commit is that of publishing: an attempt that died before it has left nothing, and one that died after it has left a version
 * which the next attempt finds in the place of `replaces` and knows by its voxels.
 */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include "kernels/kernels.h"
#include "runtime/key.h"

#define MATERIALS_MAX 64u /* of a generator */

/* Ids of the generator's materials in the arena, which has or gets their names. */
static int name_materials(struct adit_arena *arena, const struct adit_generator *g, uint16_t ids[MATERIALS_MAX])
{
    int error = g->materials_n <= MATERIALS_MAX ? 0 : -EINVAL;
    ids[0] = 0;
    for (uint32_t i = 1; i < g->materials_n && !error; i++) {
        struct adit_material_info info = {.rgba = g->materials[i].rgba, .material_class = g->materials[i].material_class};
        strncpy(info.name, g->materials[i].name, sizeof info.name - 1);
        ids[i] = 0;
        error = adit_material_register(arena, &info, &ids[i]);
    }
    return error;
}

static void make(const struct adit_generator *g, const struct adit_generate_args *a, const uint16_t ids[MATERIALS_MAX], uint16_t *voxels)
{
    adit_generate_level(g, a->seed, a->key.lod, a->key.x, a->key.y, a->key.z, voxels);
    bool is_same = true; /* as in an arena whose first materials these were: 0.1 ms saved, of 1.6 with all that is done to a chunk of terrain */
    for (uint32_t i = 0; i < g->materials_n; i++)
        is_same &= ids[i] == i;
    for (uint32_t i = 0; !is_same && i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = ids[voxels[i] % MATERIALS_MAX];
}

/* Whether what the key has now are these voxels. */
static int compare(struct adit_arena *arena, const struct adit_key *key, const uint16_t *voxels, struct adit_generate_result *r)
{
    uint16_t *there = adit_kind_voxels_take();
    int error = there ? adit_kind_read_chunk(arena, key, there, &r->version) : -ENOMEM;
    if (!error && memcmp(there, voxels, ADIT_CHUNK_VOXELS * sizeof *voxels))
        error = -EEXIST;
    adit_kind_voxels_give(there);
    return error;
}

static int publish(struct adit_arena *arena, const struct adit_generate_args *a, const uint16_t *voxels, struct adit_generate_result *r)
{
    const struct adit_put_params p = {.size = sizeof p, .version = &r->version, .if_version = a->replaces ? a->replaces : ADIT_VERSION_NONE, .renewable = a->renewable != 0};
    int error = adit_chunk_put(arena, &a->key, voxels, &p);
    r->published = !error;
    return error == -ESTALE ? compare(arena, &a->key, voxels, r) : error;
}

int adit_kind_generate(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_generate_args a;
    struct adit_generate_result r = {0};
    uint16_t ids[MATERIALS_MAX];
    uint64_t packed;
    memcpy(&a, args, sizeof a);
    const struct adit_generator *g = memchr(a.generator, 0, sizeof a.generator) ? adit_generator_named(a.generator) : NULL;
    if (!g || run->buffers_n)
        return -EINVAL;
    if (!adit_key_try(&a.key, &packed))
        return -ERANGE;
    uint16_t *voxels = adit_kind_voxels_take();
    int status = voxels ? name_materials(run->arena, g, ids) : -ENOMEM;
    if (!status) {
        make(g, &a, ids, voxels);
        status = publish(run->arena, &a, voxels, &r);
    }
    adit_kind_voxels_give(voxels);
    adit_kind_result(result, result_bytes, &r, sizeof r);
    return status;
}
