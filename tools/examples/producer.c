/* producer.c - publishes a ball of stone into an arena: `adit serve cave`, then `producer cave`. */
#include <stdio.h>

#include "runtime/adit.h"

static uint16_t voxels[ADIT_CHUNK_VOXELS];

int main(int argc, char **argv)
{
    struct adit_arena *arena;
    struct adit_material_info stone = {.name = "stone", .rgba = 0x808488ff, .material_class = ADIT_CLASS_OPAQUE};
    struct adit_key key = {.x = 0, .y = 0, .z = 0};
    uint16_t id = 0; /* the id of that name, or the next free one */
    if (argc != 2 || adit_attach(argv[1], ADIT_PRODUCER, NULL, &arena))
        return fprintf(stderr, "producer: %s\n", argc == 2 ? adit_detail() : "give an arena's name"), 2;

    int status = adit_material_register(arena, &stone, &id);
    for (int z = 0; z < 64; z++)
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
                if ((x - 32) * (x - 32) + (y - 32) * (y - 32) + (z - 32) * (z - 32) < 28 * 28)
                    voxels[(z * 64 + y) * 64 + x] = id;
    if (!status)
        status = adit_chunk_put(arena, &key, voxels, NULL);
    if (status)
        fprintf(stderr, "producer: %s\n", adit_detail());
    adit_detach(&arena);
    return status != 0;
}
