/* foreman_kinds.c - what worker processes of test_foreman's dispatchers load: a kind that tells where it runs, and, where FOREMAN_POISON names a block ("SEGMENT BYTE BYTES"), its pages taken
 * away from the process: who reads them dies of it, as of a fault in a mesher. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/adit.h"
#include "shm/shm.h"

#define PAGE 4096u

static int run_where(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t pid = (uint32_t)getpid();
    (void)run;
    (void)args;
    memcpy(result, &pid, sizeof pid);
    *result_bytes = sizeof pid;
    return 0;
}

static int poison(const struct adit_arena *arena, const char *where)
{
    unsigned segment;
    unsigned long long byte, bytes;
    if (sscanf(where, "%u %llu %llu", &segment, &byte, &bytes) != 3 || segment >= arena->segments_n)
        return -EINVAL;
    uint64_t begin = (byte + PAGE - 1) / PAGE * PAGE, end = (byte + bytes) / PAGE * PAGE; /* whole pages: its neighbours keep theirs */
    return end > begin && !mprotect((uint8_t *)arena->maps[segment].base + begin, end - begin, PROT_NONE) ? 0 : -EINVAL;
}

ADIT_API int adit_kinds_load(struct adit_arena *arena)
{
    const struct adit_kind_params p = {.size = sizeof p, .name = "where", .run = run_where, .result_bytes_max = 4};
    const char *where = getenv("FOREMAN_POISON");
    uint32_t kind;
    int error = adit_kind_register(arena, &p, &kind);
    return error || !where ? error : poison(arena, where);
}
