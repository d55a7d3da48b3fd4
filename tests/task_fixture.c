#include "tests/task_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_NS 30000000000u

struct adit_pool *task_pool(struct adit_queue *queue, uint32_t workers)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = workers};
    struct adit_pool *pool;
    REQUIRE(!adit_pool_open(queue, &p, &pool));
    return pool;
}

uint64_t task_submit(struct adit_queue *queue, struct adit_task_spec spec)
{
    uint64_t task = 0;
    REQUIRE(!adit_submit(queue, &spec, &task));
    return task;
}

struct adit_task_result task_take(struct adit_queue *queue, uint64_t task)
{
    struct adit_task_result r = {.size = sizeof r};
    REQUIRE(!adit_wait(queue, task, LIMIT_NS, &r));
    return r;
}

enum adit_task_stage task_stage(const struct adit_queue *queue, uint64_t task)
{
    struct adit_task_info i = {.size = sizeof i};
    return adit_task_look(queue, task, &i) ? 0 : i.stage;
}

void task_object(const char *name, char path[TASK_OBJECT_BYTES])
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = 0;
    snprintf(path, TASK_OBJECT_BYTES, "%.*s/kinds/lib%s.so", (int)(strrchr(self, '/') - self), self, name);
}

int task_run_nothing(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    (void)result;
    (void)result_bytes;
    return 0;
}

uint32_t task_parent_of(uint32_t pid)
{
    char path[64], line[256];
    unsigned parent = 0;
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "PPid: %u", &parent) != 1) {
    }
    if (f)
        fclose(f);
    return parent;
}

void task_skip_without_pidfds(void)
{
    int fd = adit_process_open((uint32_t)getpid());
    if (fd < 0)
        skip();
    close(fd);
}
