/* fuzz_vox.c - hostile MagicaVoxel files: the whole reader, from chunks of the file to the voxels of the world. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/vox_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHUNKS_MAX 4u  /* filled: few, so that many inputs are tried */
#define KEYS_MAX 4096u /* asked for */

static void look_at(const struct adit_world *world)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint32_t chunks = 0, keys = 0;
    for (int32_t z = world->chunk_min[2]; z < world->chunk_max[2]; z++)
        for (int32_t y = world->chunk_min[1]; y < world->chunk_max[1]; y++)
            for (int32_t x = world->chunk_min[0]; x < world->chunk_max[0] && keys < KEYS_MAX; x++, keys++) {
                if (!adit_world_has_chunk(world, x, y, z) || chunks++ >= CHUNKS_MAX)
                    continue;
                int got = adit_world_chunk(world, x, y, z, voxels);
                /* All zero when the first is and each equals the next. */
                int any = voxels[0] || memcmp(voxels, voxels + 1, sizeof(voxels) - sizeof(*voxels));
                if (got != any)
                    abort();
                for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i += 61)
                    if (voxels[i] > world->material_count)
                        abort();
            }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[ADIT_WORLD_LINE_BYTES] = "";
    struct adit_world *world = NULL;
    int result = adit_vox_parse(data, size, "fuzz.vox", &world, (struct adit_world_error){line, sizeof(line)});
    if (result ? world || !*line || strchr(line, '\n') : !world)
        abort();
    if (world)
        look_at(world);
    adit_world_close(world);
    return 0;
}
