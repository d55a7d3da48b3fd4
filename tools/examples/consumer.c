/* consumer.c - waits for the first mesh of an arena and reads it where it lies: `consumer cave`. */
#include <stdio.h>

#include "runtime/adit.h"

int main(int argc, char **argv)
{
    struct adit_arena *arena;
    struct adit_reader *reader = NULL;
    struct adit_watch *watch = NULL;
    if (argc != 2 || adit_attach(argv[1], ADIT_CONSUMER, NULL, &arena))
        return fprintf(stderr, "consumer: %s\n", argc == 2 ? adit_detail() : "give an arena's name"), 2;

    struct adit_watch_event change;
    int status = adit_reader_open(arena, &reader);
    const struct adit_watch_params all = {.size = sizeof all, .what = ADIT_WATCH_MESHES, .with_present = true, .reader = reader};
    if (!status)
        status = adit_watch_open(arena, &all, &watch);
    do /* LAPSED: chunks that were removed are forgotten by now; this consumer keeps none */
        status = status ? status : adit_watch_next(watch, &change, 10000000000u); /* at most ten seconds */
    while (!status && change.what == ADIT_WATCH_LAPSED);
    if (!status) {
        struct adit_mesh_view mesh;
        adit_enter(reader); /* from here to exit what is acquired stays as it is */
        status = adit_mesh_acquire(reader, &change.key, &mesh);
        if (!status)
            printf("chunk %d,%d,%d: %u quads cover %u faces\n", change.key.x, change.key.y, change.key.z, mesh.quads_n, mesh.faces);
        adit_exit(reader);
    }
    if (status)
        fprintf(stderr, "consumer: %s\n", adit_strerror(status));
    adit_watch_close(&watch);
    adit_reader_close(&reader);
    adit_detach(&arena);
    return status != 0;
}
