/* palette.c - mapping costs about what reading the chunk costs: four voxels at a time are compared with the last four,
 * because real worlds are long runs of one material. */
#include "tools/palette.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A material's name in the arena. Names too long for it end in a hash, so that two of them stay two. */
static void name_make(const struct adit_palette *palette, uint32_t local, char *out, size_t bytes)
{
    if (palette->numeric || local > palette->world->material_count) {
        snprintf(out, bytes, "m%u", local);
        return;
    }
    const char *name = palette->world->materials[local].name;
    size_t n = name ? strlen(name) : 0;
    if (n && n < bytes) {
        memcpy(out, name, n + 1);
        return;
    }
    uint32_t hash = 2166136261u; /* FNV-1a (Fowler, Noll, Vo) */
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    snprintf(out, bytes, "%.*s~%08x", (int)(bytes - 10), n ? name : "material", n ? hash : local);
}

static int material_register(struct adit_palette *palette, uint32_t local)
{
    struct adit_material_info info = {.rgba = 0xd03fd0ffu, .material_class = ADIT_CLASS_OPAQUE};
    if (local <= palette->world->material_count) {
        info.rgba = palette->world->materials[local].rgba;
        if (!palette->opaque)
            info.material_class = (enum adit_class)palette->world->materials[local].class;
    }
    name_make(palette, local, info.name, sizeof info.name);
    uint16_t id = palette->numeric ? (uint16_t)local : 0;
    int status = adit_material_register(palette->arena, &info, &id);
    if (palette->numeric && status == -EEXIST) {
        id = 0;
        status = adit_material_register(palette->arena, &info, &id);
        palette->moved++;
    } else if (palette->numeric && (status == -ENOSPC || status == -EINVAL)) {
        id = (uint16_t)local;
        status = 0;
        palette->unnamed++;
    } else if (!status && palette->numeric && id != local) {
        palette->moved++;
    }
    if (status) {
        snprintf(palette->error, sizeof palette->error, "material %s: %s%s", info.name, adit_strerror(status),
                 status == -ENOSPC ? "; make the arena with more --materials" : "");
        return status;
    }
    struct adit_material_info there;
    if (!adit_material_get(palette->arena, id, &there) && there.material_class != info.material_class)
        palette->other_class++;
    palette->id[local] = id;
    palette->known[local] = 1;
    palette->used[palette->used_count++] = id;
    return 0;
}

struct adit_palette *adit_palette_open(struct adit_arena *arena, const struct adit_world *world, bool opaque)
{
    struct adit_palette *palette = calloc(1, sizeof *palette);
    if (!palette)
        return NULL;
    palette->arena = arena;
    palette->world = world;
    palette->opaque = opaque;
    palette->numeric = !strcmp(world->kind, "raw") || !strcmp(world->kind, "noise50") || !strcmp(world->kind, "checker");
    palette->known[0] = 1; /* air is air */
    return palette;
}

void adit_palette_close(struct adit_palette **palette)
{
    free(*palette);
    *palette = NULL;
}

int adit_palette_register(struct adit_palette *palette)
{
    int status = 0;
    for (uint32_t m = 1; !palette->numeric && !status && m <= palette->world->material_count; m++)
        if (!palette->known[m])
            status = material_register(palette, m);
    return status;
}

int adit_palette_map(struct adit_palette *palette, uint16_t voxels[ADIT_CHUNK_VOXELS])
{
    uint64_t from = 0, to = 0; /* four of air stay four of air */
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i += 4) {
        uint64_t four;
        memcpy(&four, voxels + i, 8);
        if (four != from) {
            uint16_t mapped[4];
            for (size_t k = 0; k < 4; k++) {
                uint16_t local = voxels[i + k];
                int status = palette->known[local] ? 0 : material_register(palette, local);
                if (status)
                    return status;
                mapped[k] = palette->id[local];
            }
            from = four;
            memcpy(&to, mapped, 8);
        }
        if (to != four)
            memcpy(voxels + i, &to, 8);
    }
    return 0;
}
