/* whole.c - all of it in one program: a chunk published, meshed and read in an arena of its own, and a task run in a worker process: `whole ./sum.so`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/adit.h"

#define VALUES 100

static uint16_t voxels[ADIT_CHUNK_VOXELS];

/* A floor of 64 x 64 stones, published, meshed by a thread of this process, and read where it lies. */
static int mesh_a_floor(struct adit_arena *arena)
{
    struct adit_material_info stone = {.name = "stone", .rgba = 0x808488ff, .material_class = ADIT_CLASS_OPAQUE};
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    struct adit_key key = {.x = 0, .y = 0, .z = 0};
    struct adit_dispatcher *dispatcher = NULL;
    struct adit_reader *reader = NULL;
    struct adit_mesh_view mesh;
    uint16_t id = 0;
    int status = adit_material_register(arena, &stone, &id);
    for (int z = 0; z < 64; z++)
        for (int x = 0; x < 64; x++)
            voxels[z * 64 * 64 + x] = id;
    status = status ? status : adit_dispatcher_open(arena, &one, &dispatcher);
    status = status ? status : adit_chunk_put(arena, &key, voxels, NULL);
    status = status ? status : adit_settle(arena, 10000000000u);
    status = status ? status : adit_reader_open(arena, &reader);
    if (!status) {
        adit_enter(reader); /* from here to exit what is acquired stays as it is */
        status = adit_mesh_acquire(reader, &key, &mesh);
        if (!status)
            printf("a floor: %u quads cover %u faces\n", mesh.quads_n, mesh.faces);
        adit_exit(reader);
    }
    adit_reader_close(&reader);
    adit_dispatcher_close(&dispatcher);
    return status;
}

/* The numbers from 1 on, added up by another process, which has loaded the kind from object. */
static int sum_elsewhere(struct adit_arena *arena, const char *object)
{
    const char *const objects[] = {object, NULL};
    const struct adit_pool_params one = {.size = sizeof one, .processes = 1, .objects = objects};
    struct adit_task_result result = {.size = sizeof result};
    struct adit_use use = {.access = ADIT_READ};
    struct adit_task_spec spec = {.size = sizeof spec, .uses = &use, .uses_n = 1};
    struct adit_queue *queue = NULL;
    struct adit_pool *pool = NULL;
    float values[VALUES];
    uint64_t task;
    for (int i = 0; i < VALUES; i++)
        values[i] = (float)(i + 1);
    int status = adit_queue_open(arena, "sums", NULL, &queue);
    status = status ? status : adit_pool_open(queue, &one, &pool); /* returns when the process is ready, and has named its kinds */
    status = status ? status : adit_kind_find(arena, "sum", &spec.kind);
    status = status ? status : adit_buffer_create(arena, sizeof values, values, &use.buffer);
    status = status ? status : adit_submit(queue, &spec, &task);
    status = status ? status : adit_wait(queue, task, 10000000000u, &result);
    status = status ? status : result.status;
    if (!status) {
        struct { double sum; int64_t pid; } r;
        memcpy(&r, result.data, sizeof r);
        printf("the sum of 1 to %d is %.0f, says %s process\n", VALUES, r.sum, r.pid == getpid() ? "this" : "another");
        status = r.pid == getpid() ? -EFAULT : 0;
    }
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    return status;
}

int main(int argc, char **argv)
{
    const struct adit_create_params small = {.size = sizeof small, .data_bytes = 32u << 20, .chunks_max = 64};
    struct adit_arena *arena = NULL;
    char name[32];
    if (argc != 2)
        return fprintf(stderr, "whole: give the path of sum.so\n"), 2;
    snprintf(name, sizeof name, "whole-%ld", (long)getpid());
    int status = adit_create(name, &small, &arena);
    status = status ? status : mesh_a_floor(arena);
    status = status ? status : sum_elsewhere(arena, argv[1]);
    if (status)
        fprintf(stderr, "whole: %s (%s)\n", adit_strerror(status), adit_detail());
    else
        printf("adit %s, compiled with %s\n", adit_version(), ADIT_VERSION);
    adit_detach(&arena);
    return status != 0;
}
