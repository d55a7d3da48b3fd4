#include "shm/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <numa.h>
#include <numaif.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

bool adit_os_is_disabled(const char *feature)
{
    const char *list = getenv("ADIT_DISABLE");
    size_t n = strlen(feature);
    while (list && *list) {
        const char *end = strchrnul(list, ',');
        if ((size_t)(end - list) == n && !memcmp(list, feature, n))
            return true;
        list = *end ? end + 1 : end;
    }
    return false;
}

static uint64_t clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t adit_clock_ns(void) { return clock_read(CLOCK_MONOTONIC); }
uint64_t adit_clock_real_ns(void) { return clock_read(CLOCK_REALTIME); }

int adit_futex_wait(const uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
    struct timespec limit, *wanted = NULL;
    if (timeout_ns != ADIT_FOREVER) {
        limit.tv_sec = (time_t)(timeout_ns / 1000000000u);
        limit.tv_nsec = (long)(timeout_ns % 1000000000u);
        wanted = &limit;
    }
    return syscall(SYS_futex, word, FUTEX_WAIT, value, wanted, NULL, 0) ? -errno : 0;
}

void adit_futex_wake(uint32_t *word, uint32_t n)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, n > INT_MAX ? INT_MAX : (int)n, NULL, NULL, 0);
}

/* Reads a small file of /proc or /sys into text (always terminated); returns its length or -errno. */
static int read_small(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, bytes - 1);
    int error = errno;
    close(fd);
    if (n < 0)
        return -error;
    text[n] = 0;
    return (int)n;
}

int adit_process_open(uint32_t pid)
{
    if (adit_os_is_disabled("pidfd"))
        return -ENOSYS;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

bool adit_error_is_poor(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS;
}

int adit_process_start_time(uint32_t pid, uint64_t *start_time)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    int got = read_small(path, text, sizeof text);
    if (got <= 0) /* who cannot be read may be there all the same: proc(5), hidepid */
        return kill((pid_t)pid, 0) && errno == ESRCH ? -ESRCH : got == 0 || got == -ENOENT || got == -ESRCH ? -EACCES : got;
    /* proc(5): the name in field 2 may hold anything, so count from the last ')'; the state is field 3, the threads 20 */
    char *p = strrchr(text, ')');
    bool is_zombie = p && p[1] && (p[2] == 'Z' || p[2] == 'X');
    uint64_t threads = 0;
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p + 1, ' ');
        if (p && field == 19)
            threads = strtoull(p + 1, NULL, 10);
    }
    if (!p)
        return -EPROTO;
    *start_time = strtoull(p + 1, NULL, 10);
    return is_zombie && threads < 2 ? -ESRCH : 0; /* of a process whose first thread has ended the others may run on */
}

uint64_t adit_process_pid_namespace(void)
{
    struct stat s;
    return stat("/proc/thread-self/ns/pid", &s) ? 0 : (uint64_t)s.st_ino;
}

/* A number in a file of a cgroup; UINT64_MAX when it is "max" or not there. */
static uint64_t cgroup_number(const char *group, const char *file)
{
    char path[1200], text[64];
    snprintf(path, sizeof path, "%s/%s", group, file);
    return read_small(path, text, sizeof text) > 0 && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* Bytes of file pages that the kernel drops first when a cgroup is full: they count as used there and are room all the same. */
static uint64_t cgroup_droppable(const char *group)
{
    char path[1200], text[8192];
    snprintf(path, sizeof path, "%s/memory.stat", group);
    if (read_small(path, text, sizeof text) <= 0)
        return 0;
    const char *p = strstr(text, "\ntotal_inactive_file "); /* v1, with all groups below */
    p = p ? p : strstr(text, "\ninactive_file ");
    return p ? strtoull(strchr(p, ' '), NULL, 10) : 0;
}

uint64_t adit_cgroup_room_bytes(const char *root, const char *path, bool v1)
{
    char group[1024];
    uint64_t least = UINT64_MAX;
    size_t root_bytes = strlen(root);
    if ((size_t)snprintf(group, sizeof group, "%s%s", root, path) >= sizeof group)
        return UINT64_MAX;
    for (;;) { /* bounded by the slashes of path */
        uint64_t limit = cgroup_number(group, v1 ? "memory.limit_in_bytes" : "memory.max");
        uint64_t used = cgroup_number(group, v1 ? "memory.usage_in_bytes" : "memory.current");
        if (limit != UINT64_MAX && used != UINT64_MAX) {
            uint64_t droppable = cgroup_droppable(group);
            used -= droppable < used ? droppable : used;
            uint64_t room = limit > used ? limit - used : 0;
            least = room < least ? room : least;
        }
        char *slash = strrchr(group + root_bytes, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

/* What the memory cgroups of this process still grant, whichever version has the memory controller; UINT64_MAX when unlimited or
 * unknown. Where a container shows only a part of the tree, the walk to the root meets it. */
static uint64_t cgroup_room(void)
{
    char own[4096], *rest = own;
    uint64_t least = UINT64_MAX;
    if (read_small("/proc/self/cgroup", own, sizeof own) <= 0)
        return least;
    for (char *line; (line = strsep(&rest, "\n"));) { /* cgroups(7): ID:CONTROLLERS:PATH */
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second)
            continue;
        *second = 0;
        bool v1 = !strcmp(first + 1, "memory");
        if (!v1 && first[1])
            continue;
        uint64_t room = adit_cgroup_room_bytes(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", second + 1, v1);
        least = room < least ? room : least;
    }
    return least;
}

/* The number of KiB behind name in a meminfo text; 0 when it is not there. */
static uint64_t meminfo_kib(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

uint64_t adit_memory_available_bytes(void)
{
    char text[4096];
    uint64_t available = UINT64_MAX;
    if (read_small("/proc/meminfo", text, sizeof text) > 0) {
        uint64_t kib = meminfo_kib(text, "MemAvailable:");
        available = kib ? kib * 1024 : available;
    }
    uint64_t room = cgroup_room();
    return room < available ? room : available;
}

uint64_t adit_numa_available_bytes(int32_t node)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/meminfo", node);
    if (read_small(path, text, sizeof text) <= 0)
        return UINT64_MAX;
    return (meminfo_kib(text, "MemFree:") + meminfo_kib(text, "Active(file):") + meminfo_kib(text, "Inactive(file):")) * 1024;
}

uint32_t adit_numa_nodes(int32_t *nodes, uint32_t nodes_max)
{
    uint32_t n = 0;
    if (adit_os_is_disabled("numa") || numa_available() < 0)
        return 0;
    struct bitmask *allowed = numa_get_mems_allowed();
    if (!allowed)
        return 0;
    for (int i = 0; i <= numa_max_node() && n < nodes_max; i++)
        if (numa_bitmask_isbitset(allowed, (unsigned)i) && numa_node_size64(i, NULL) > 0)
            nodes[n++] = i;
    numa_bitmask_free(allowed);
    return n;
}

int adit_numa_bind(int32_t node, struct adit_numa_policy *before)
{
    unsigned long mask[1024 / (8 * sizeof(unsigned long))] = {0};
    if (node < 0 || node >= 1024)
        return -EINVAL;
    *before = (struct adit_numa_policy){.mode = MPOL_DEFAULT};
    if (get_mempolicy(&before->mode, before->nodes, 1024, NULL, 0))
        return -errno;
    mask[(unsigned)node / (8 * sizeof *mask)] = 1ul << ((unsigned)node % (8 * sizeof *mask));
    return set_mempolicy(MPOL_BIND, mask, 1024) ? -errno : 0;
}

void adit_numa_restore(const struct adit_numa_policy *before)
{
    bool plain = before->mode == MPOL_DEFAULT || before->mode == MPOL_LOCAL;
    (void)set_mempolicy(before->mode, plain ? NULL : before->nodes, plain ? 0 : 1024);
}

int32_t adit_numa_here(void)
{
    unsigned cpu = 0, node = 0;
    return getcpu(&cpu, &node) ? -1 : (int32_t)node;
}
