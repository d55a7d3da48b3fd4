/* fuzz_mca.c - hostile Anvil regions: the whole reader, from sectors to the voxels of every chunk of the box.
 *
 * An input that begins with "NBT" is a column's data alone, put into a region here: mutations then reach the tags without
 * having to keep a checksum right. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/anvil_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTOR 4096u
#define CHUNKS_MAX 4u /* filled: few, so that many inputs are tried */

static void look_at(const struct adit_world *world)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    uint32_t chunks = 0;
    for (int32_t z = world->chunk_min[2]; z < world->chunk_max[2]; z++)
        for (int32_t y = world->chunk_min[1]; y < world->chunk_max[1]; y++)
            for (int32_t x = world->chunk_min[0]; x < world->chunk_max[0]; x++) {
                if (!adit_world_has_chunk(world, x, y, z) || chunks++ >= CHUNKS_MAX)
                    continue;
                if (adit_world_chunk(world, x, y, z, voxels) != 1)
                    abort(); /* has_chunk of a region is exact */
                for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i += 61)
                    if (voxels[i] > world->material_count)
                        abort();
            }
}

static uint8_t *wrap(const uint8_t *nbt, size_t size, size_t *region_size)
{
    uint32_t length = (uint32_t)size + 1, sectors = (length + 4 + SECTOR - 1) / SECTOR;
    uint8_t *region = calloc(2 + sectors, SECTOR);
    if (!region)
        return NULL;
    region[2] = 2;
    region[3] = (uint8_t)(sectors > 255 ? 255 : sectors);
    for (uint32_t i = 0; i < 4; i++)
        region[2 * SECTOR + i] = (uint8_t)(length >> (24 - 8 * i));
    region[2 * SECTOR + 4] = 3;
    memcpy(region + 2 * SECTOR + 5, nbt, size);
    *region_size = (size_t)(2 + sectors) * SECTOR;
    return region;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[ADIT_WORLD_LINE_BYTES] = "";
    struct adit_world *world = NULL;
    uint8_t *wrapped = size >= 3 && !memcmp(data, "NBT", 3) ? wrap(data + 3, size - 3, &size) : NULL;
    int result = adit_anvil_parse(wrapped ? wrapped : data, size, "fuzz.mca", NULL, &world,
                                  (struct adit_world_error){line, sizeof(line)});
    if (result ? world || !*line || strchr(line, '\n') : !world)
        abort();
    if (world)
        look_at(world);
    adit_world_close(world);
    free(wrapped);
    return 0;
}
