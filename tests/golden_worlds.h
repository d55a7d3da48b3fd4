/* golden_worlds.h - chunks of the generated worlds: FNV-1a of their voxels, and the mesh they have without neighbours.
 *
 * These numbers may change only when a world is meant to change; test_mesh_worlds.c prints the line it finds.
 */
#ifndef ADIT_TESTS_GOLDEN_WORLDS_H
#define ADIT_TESTS_GOLDEN_WORLDS_H

#include <stdint.h>

static const struct golden_chunk {
    const char *world;
    uint64_t seed;
    int32_t x, y, z;
    uint64_t hash;
    uint32_t faces, quads;
} golden_worlds[] = {
    { "terrain", 1, 0, 0, 0, 0x44a437890da89093, 44459, 9467 },
    { "terrain", 1, 0, 1, 0, 0x514e9aa80af68952, 204, 108 },
    { "terrain", 1, -1, 0, 3, 0xb814198ec321a273, 47166, 10807 },
    { "terrain", 1, 2, 1, 2, 0x8153adc44b2f8b0d, 24645, 7334 },
    { "terrain", 7, 5, 0, -8, 0xe441de0957f72e94, 50539, 10286 },
    { "noise50", 1, 0, 0, 0, 0x904a6cfaf8cf5b2c, 398936, 259364 },
    { "noise50", 1, -1, 2, 3, 0x0c39b0d7788cb5cd, 400144, 260621 },
    { "checker", 1, 0, 0, 0, 0xd23befe44fba2325, 786432, 786432 },
};
enum { GOLDEN_WORLDS = sizeof golden_worlds / sizeof *golden_worlds };

#endif
