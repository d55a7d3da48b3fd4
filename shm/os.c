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

#include "shm/atomics.h"

/* Whether the comma list has that word. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    while (list && *list) {
        const char *end = strchrnul(list, ',');
        if ((size_t)(end - list) == n && !memcmp(list, word, n))
            return true;
        list = *end ? end + 1 : end;
    }
    return false;
}

bool adit_os_is_disabled(const char *feature) { return has_word(getenv("ADIT_DISABLE"), feature); }

bool adit_os_is_debugging(const char *aid) { return has_word(getenv("ADIT_DEBUG"), aid); }

static uint64_t clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t adit_clock_ns(void) { return clock_read(CLOCK_MONOTONIC); }
uint64_t adit_clock_real_ns(void) { return clock_read(CLOCK_REALTIME); }

uint32_t adit_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (uint32_t)CPU_COUNT(&set);
}

int adit_thread_start(pthread_t *thread, void *(*main)(void *user), void *user)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, main, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

int adit_thread_background(void)
{
    const struct sched_param none = {.sched_priority = 0};
    return sched_setscheduler(0, SCHED_IDLE, &none) ? -errno : 0;
}

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

int adit_futex_wait_bits(const uint32_t *word, uint32_t value, uint32_t bits, uint64_t timeout_ns)
{
    uint64_t now = adit_clock_ns(), until_ns = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, timeout_ns == ADIT_FOREVER ? NULL : &until, NULL, bits) ? -errno : 0;
}

void adit_futex_wake_bits(uint32_t *word, uint32_t n, uint32_t bits)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_BITSET, n > INT_MAX ? INT_MAX : (int)n, NULL, NULL, bits);
}

int adit_futex_wait_any(const struct adit_futex_look *looks, uint32_t n, uint64_t timeout_ns)
{
    struct futex_waitv all[FUTEX_WAITV_MAX];
    uint64_t until_ns = adit_clock_ns() + timeout_ns;
    struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
    if (n > FUTEX_WAITV_MAX || adit_os_is_disabled("waitv"))
        return n > FUTEX_WAITV_MAX ? -EINVAL : -ENOSYS;
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct futex_waitv){.val = looks[i].value, .uaddr = (uint64_t)(uintptr_t)looks[i].word, .flags = FUTEX_32};
    long woken = syscall(SYS_futex_waitv, all, n, 0, timeout_ns == ADIT_FOREVER ? NULL : &until, CLOCK_MONOTONIC);
    return woken < 0 ? -errno : (int)woken;
}

int adit_file_text(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *text = 0;
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

int adit_process_threads_open(uint32_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%u/task", pid);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

uint32_t adit_process_threads(int fd)
{
    struct stat s; /* links of the folder: itself, its parent, and one a thread (fs/proc/base.c, proc_task_getattr) */
    return fstat(fd, &s) || s.st_nlink < 3 ? 0 : (uint32_t)s.st_nlink - 2;
}

uint32_t adit_process_threads_here(void)
{
    int fd = adit_process_threads_open((uint32_t)getpid());
    uint32_t n = fd < 0 ? 0 : adit_process_threads(fd);
    if (fd >= 0)
        close(fd);
    return n;
}

int adit_process_memory_open(uint32_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%u/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

uint64_t adit_process_memory(int fd)
{
    char text[256], *p = text;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    (void)strtoull(p, &p, 10); /* proc(5): size, resident, shared, in pages */
    uint64_t resident = strtoull(p, &p, 10), shared = strtoull(p, &p, 10);
    return resident > shared ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t adit_process_private_bytes(uint32_t pid)
{
    int fd = adit_process_memory_open(pid);
    uint64_t bytes = fd < 0 ? 0 : adit_process_memory(fd);
    if (fd >= 0)
        close(fd);
    return bytes;
}

bool adit_error_is_poor(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS;
}

int adit_process_start_time(uint32_t pid, uint64_t *start_time)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    int got = adit_file_text(path, text, sizeof text);
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

bool adit_process_is_stopped(uint32_t pid)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    const char *p = adit_file_text(path, text, sizeof text) > 0 ? strrchr(text, ')') : NULL; /* as above */
    return p && p[1] && (p[2] == 'T' || p[2] == 't');
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
    return adit_file_text(path, text, sizeof text) > 0 && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : UINT64_MAX;
}

/* Bytes of file pages that the kernel drops first when a cgroup is full: they count as used there and are room all the same. */
static uint64_t cgroup_droppable(const char *group)
{
    char path[1200], text[8192];
    snprintf(path, sizeof path, "%s/memory.stat", group);
    if (adit_file_text(path, text, sizeof text) <= 0)
        return 0;
    const char *p = strstr(text, "\ntotal_inactive_file "); /* v1, with all groups below */
    p = p ? p : strstr(text, "\ninactive_file ");
    return p ? strtoull(strchr(p, ' '), NULL, 10) : 0;
}

/* What one cgroup lets be used, and what of it is left. */
static uint64_t cgroup_limit(const char *group, bool v1) { return cgroup_number(group, v1 ? "memory.limit_in_bytes" : "memory.max"); }

static uint64_t cgroup_left(const char *group, bool v1)
{
    uint64_t limit = cgroup_limit(group, v1), used = cgroup_number(group, v1 ? "memory.usage_in_bytes" : "memory.current");
    if (limit == UINT64_MAX || used == UINT64_MAX)
        return UINT64_MAX;
    uint64_t droppable = cgroup_droppable(group);
    used -= droppable < used ? droppable : used;
    return limit > used ? limit - used : 0;
}

/* The least of what of says of the cgroup at path and of those above it. */
static uint64_t cgroup_least(const char *root, const char *path, bool v1, uint64_t (*of)(const char *group, bool v1))
{
    char group[1024];
    uint64_t least = UINT64_MAX;
    size_t root_bytes = strlen(root);
    if ((size_t)snprintf(group, sizeof group, "%s%s", root, path) >= sizeof group)
        return UINT64_MAX;
    for (;;) { /* bounded by the slashes of path */
        uint64_t bytes = of(group, v1);
        least = bytes < least ? bytes : least;
        char *slash = strrchr(group + root_bytes, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

uint64_t adit_cgroup_room_bytes(const char *root, const char *path, bool v1) { return cgroup_least(root, path, v1, cgroup_left); }

/* The least of what of says of the memory cgroups of this process, whichever version has the memory controller; UINT64_MAX when unlimited or
 * unknown. Where a container shows only a part of the tree, the walk to the root meets it. */
static uint64_t cgroup_own(uint64_t (*of)(const char *group, bool v1))
{
    char own[4096], *rest = own;
    uint64_t least = UINT64_MAX;
    if (adit_file_text("/proc/self/cgroup", own, sizeof own) <= 0)
        return least;
    for (char *line; (line = strsep(&rest, "\n"));) { /* cgroups(7): ID:CONTROLLERS:PATH */
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second)
            continue;
        *second = 0;
        bool v1 = !strcmp(first + 1, "memory");
        if (!v1 && first[1])
            continue;
        uint64_t bytes = cgroup_least(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", second + 1, v1, of);
        least = bytes < least ? bytes : least;
    }
    return least;
}

/* The number of KiB behind name in a meminfo text; 0 when it is not there. */
static uint64_t meminfo_kib(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

/* What the machine says of itself behind name, cut by what of says of cgroups. */
static uint64_t memory_bytes(const char *name, uint64_t (*of)(const char *group, bool v1))
{
    char text[4096];
    uint64_t kib = adit_file_text("/proc/meminfo", text, sizeof text) > 0 ? meminfo_kib(text, name) : 0, bytes = kib ? kib * 1024 : UINT64_MAX, cut = cgroup_own(of);
    return cut < bytes ? cut : bytes;
}

uint64_t adit_memory_available_bytes(void) { return memory_bytes("MemAvailable:", cgroup_left); }

uint64_t adit_memory_all_bytes(void)
{
    static uint64_t all; /* 0: not looked at yet */
    uint64_t bytes = adit_load_relaxed(&all); /* relaxed: each finds the same */
    if (!bytes)
        adit_store_relaxed(&all, bytes = memory_bytes("MemTotal:", cgroup_limit));
    return bytes;
}

uint64_t adit_numa_available_bytes(int32_t node)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d/meminfo", node);
    if (adit_file_text(path, text, sizeof text) <= 0)
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

uint32_t adit_numa_nodes_end(void)
{
    static uint64_t end; /* 0: not looked at yet */
    uint64_t n = adit_load_relaxed(&end); /* relaxed: each finds the same */
    if (!n)
        adit_store_relaxed(&end, n = adit_os_is_disabled("numa") || numa_available() < 0 ? 1 : (uint64_t)numa_max_node() + 1);
    return (uint32_t)n;
}

uint32_t adit_numa_distance(int32_t from, int32_t to)
{
    int32_t end = (int32_t)adit_numa_nodes_end();
    if (from == to)
        return 10;
    return from < 0 || to < 0 || from >= end || to >= end ? 0 : (uint32_t)numa_distance(from, to);
}

bool adit_numa_has_cpus(uint32_t node)
{
    if (adit_numa_nodes_end() == 1)
        return !node;
    struct bitmask *cpus = node < adit_numa_nodes_end() ? numa_allocate_cpumask() : NULL;
    bool has = cpus && !numa_node_to_cpus((int)node, cpus) && numa_bitmask_weight(cpus);
    if (cpus)
        numa_free_cpumask(cpus);
    return has;
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
    if (adit_numa_nodes_end() == 1)
        return 0;
    return getcpu(&cpu, &node) ? -1 : (int32_t)node;
}
