/* editor.c - changes voxels live: a worm of glowing moss crawls through chunk 0,0,0 and eats what it meets.
 *
 *     adit serve cave &  producer cave  editor cave 500 &  adit watch cave --follow
 *
 * Each step is one batch of edits and one new version; whoever watches sees whole steps only, never half of one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/adit.h"

#define LENGTH 24 /* voxels of the worm */

int main(int argc, char **argv)
{
    struct adit_arena *arena;
    struct adit_material_info moss = {.name = "glowing moss", .rgba = 0x60ff90ff, .material_class = ADIT_CLASS_OPAQUE};
    struct adit_key key = {.x = 0, .y = 0, .z = 0};
    struct adit_voxel_edit body[LENGTH] = {{.x = 32, .y = 60, .z = 32}};
    uint16_t id = 0;
    long steps = argc == 3 ? strtol(argv[2], NULL, 10) : 200;
    if (argc < 2 || argc > 3 || adit_attach(argv[1], ADIT_PRODUCER, NULL, &arena))
        return fprintf(stderr, "editor: %s\n", argc < 2 || argc > 3 ? "give an arena's name [and a number of steps]"
                                                                     : adit_detail()), 2;
    int status = adit_material_register(arena, &moss, &id);
    srand(1);
    for (long i = 0; i < steps && !status; i++) {
        struct adit_voxel_edit head = body[i % LENGTH], edits[2];
        uint8_t *axis[] = {&head.x, &head.y, &head.z};
        int a = rand() % 3;
        *axis[a] = (uint8_t)((*axis[a] + (rand() % 2 ? 1 : 63)) % 64);
        edits[0] = body[(i + 1) % LENGTH]; /* the tail turns to air, */
        edits[0].material = 0;
        edits[1] = head; /* the head is new */
        edits[1].material = id;
        body[(i + 1) % LENGTH] = head;
        status = adit_chunk_edit(arena, &key, edits, 2, NULL);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* a hundred steps a second */
    }
    if (status)
        fprintf(stderr, "editor: %s\n", adit_detail());
    adit_detach(&arena);
    return status != 0;
}
