/* What a machine is made of (runtime/topology.h), read from made-up trees, and of this one held against the C library's word. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/topology.h"
#include "shm/shm.h"

static char root[] = "/tmp/adit-topology-XXXXXX";
static struct adit_topology *t;

/* A file below root, and the folders on the way. */
static __attribute__((format(printf, 2, 3))) void put(const char *text, const char *format, ...)
{
    char path[512];
    va_list list;
    int n = snprintf(path, sizeof path, "%s", root);
    va_start(list, format);
    vsnprintf(path + n, sizeof path - (size_t)n, format, list);
    va_end(list);
    for (char *p = path + n + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = 0;
        assert_true(!mkdir(path, 0700) || errno == EEXIST);
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static void cpu(uint32_t id, uint32_t package, uint32_t core, const char *siblings, const char *l3)
{
    char text[16];
    snprintf(text, sizeof text, "%u\n", package);
    put(text, "/sys/devices/system/cpu/cpu%u/topology/physical_package_id", id);
    snprintf(text, sizeof text, "%u\n", core);
    put(text, "/sys/devices/system/cpu/cpu%u/topology/core_id", id);
    static const char *const level[] = {"1\n", "1\n", "2\n", "3\n"}, *const type[] = {"Data\n", "Instruction\n", "Unified\n", "Unified\n"}, *const size[] = {"48K\n", "32K\n", "2048K\n", "60M\n"};
    for (uint32_t i = 0; i < 4; i++) {
        put(level[i], "/sys/devices/system/cpu/cpu%u/cache/index%u/level", id, i);
        put(type[i], "/sys/devices/system/cpu/cpu%u/cache/index%u/type", id, i);
        put(size[i], "/sys/devices/system/cpu/cpu%u/cache/index%u/size", id, i);
        put("64\n", "/sys/devices/system/cpu/cpu%u/cache/index%u/coherency_line_size", id, i);
        put(i == 3 ? l3 : siblings, "/sys/devices/system/cpu/cpu%u/cache/index%u/shared_cpu_list", id, i);
    }
}

static void node(uint32_t id, const char *cpus, const char *distance, uint64_t mib)
{
    char text[128];
    put(cpus, "/sys/devices/system/node/node%u/cpulist", id);
    put(distance, "/sys/devices/system/node/node%u/distance", id);
    snprintf(text, sizeof text, "Node %u MemTotal:  %llu kB\nNode %u MemFree: %llu kB\n", id, (unsigned long long)mib << 10, id, (unsigned long long)mib << 9);
    put(text, "/sys/devices/system/node/node%u/meminfo", id);
}

/* Two packages of two cores of two threads, CPU 6 offline; node 4 is far. */
static void make_machine(void)
{
    put("0-5,7\n", "/sys/devices/system/cpu/online");
    for (uint32_t i = 0; i < 8; i++)
        cpu(i, i / 4, i / 2 % 2, (const char *[]){"0-1\n", "2-3\n", "4-5\n", "6-7\n"}[i / 2], i < 4 ? "0-3\n" : "4-7\n");
    node(0, "0-3\n", "10 21 30\n", 1024);
    node(1, "4-7\n", "21 10 30\n", 2048);
    node(4, "\n", "30 30 10\n", 4096);
    put("0,1,4\n", "/sys/devices/system/node/online");
    put("250\n", "/sys/devices/system/node/node4/access0/initiators/read_latency");
    put("260\n", "/sys/devices/system/node/node4/access0/initiators/write_latency");
    put("20000\n", "/sys/devices/system/node/node4/access0/initiators/read_bandwidth");
    put("18000\n", "/sys/devices/system/node/node4/access0/initiators/write_bandwidth");
    put("0x030200\n", "/sys/bus/pci/devices/0000:81:00.0/class");
    put("0x10de\n", "/sys/bus/pci/devices/0000:81:00.0/vendor");
    put("0x2335\n", "/sys/bus/pci/devices/0000:81:00.0/device");
    put("1\n", "/sys/bus/pci/devices/0000:81:00.0/numa_node");
    put("0x020000\n", "/sys/bus/pci/devices/0000:02:00.0/class"); /* a network card */
    put("0x120000\n", "/sys/bus/pci/devices/0000:03:00.0/class");
    put("-1\n", "/sys/bus/pci/devices/0000:03:00.0/numa_node");
    put("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t1-5\nMems_allowed_list:\t0-1\n", "/proc/self/status");
    put("0::/a/b\n", "/proc/self/cgroup");
    put("max 100000\n", "/sys/fs/cgroup/a/b/cpu.max");
    put("150000 100000\n", "/sys/fs/cgroup/a/cpu.max");
    put("1073741824\n", "/sys/fs/cgroup/a/b/memory.max");
    put("max\n", "/sys/fs/cgroup/a/memory.max");
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    return !mkdtemp(root);
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    free(t);
    t = NULL;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command); /* NOLINT: a path of this program's */
}

static void a_machine_of_three_nodes_is_read_whole(void **state)
{
    (void)state;
    make_machine();
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_int_equal(t->nodes_n, 3);
    assert_int_equal(t->cpus_n, 7); /* (tried: those of the nodes, offline or not) */
    assert_true(t->nodes[0].id == 0 && t->nodes[1].id == 1 && t->nodes[2].id == 4); /* (tried: in the order of the folder) */
    assert_int_equal(adit_topology_node_of(t, 4), 2);
    assert_int_equal(adit_topology_node_of(t, 3), -1);
    assert_int_equal(adit_cpus_count(&t->nodes[0].cpus), 4);
    assert_int_equal(adit_cpus_count(&t->nodes[1].cpus), 3);
    assert_int_equal(adit_cpus_count(&t->nodes[2].cpus), 0);
    assert_int_equal(t->nodes[1].memory_bytes, 2ull << 30);
    assert_int_equal(t->nodes[1].free_bytes, 1ull << 30);
    assert_true(t->nodes[0].may_use && t->nodes[1].may_use && !t->nodes[2].may_use);
    assert_true(t->distance[0][0] == 10 && t->distance[0][1] == 21 && t->distance[2][0] == 30 && t->distance[2][2] == 10);
    assert_true(t->nodes[2].read_ns == 250 && t->nodes[2].write_ns == 260 && t->nodes[2].read_mib_s == 20000 && t->nodes[2].write_mib_s == 18000);
    assert_true(!t->nodes[0].read_ns && !t->is_cut);
}

static void cores_threads_and_caches_are_told_apart(void **state)
{
    (void)state;
    make_machine();
    assert_int_equal(adit_topology_read(root, &t), 0);
    for (uint32_t i = 0; i < t->cpus_n; i++) {
        const struct adit_topology_cpu *c = &t->cpus[i];
        assert_int_equal(c->id, i < 6 ? i : 7);
        assert_int_equal(c->node, c->id / 4);
        assert_int_equal(c->package, c->id / 4);
        assert_int_equal(c->core, c->id / 2 % 2);
        assert_int_equal(c->thread, c->id < 6 ? c->id % 2 : 0); /* 6 is offline (tried: by the core alone, of whatever package) */
        assert_int_equal(c->may_use, c->id >= 1 && c->id <= 5);
    }
    assert_int_equal(t->caches_n, 4 * 3 + 2); /* L1d, L1i, L2 of four cores, two L3 (tried: one a CPU) */
    assert_true(t->caches[0].level == 1 && t->caches[0].type == ADIT_CACHE_DATA && t->caches[0].bytes == 48 << 10 && t->caches[0].line_bytes == 64);
    assert_true(t->caches[13].level == 3 && t->caches[13].bytes == 60 << 20 && adit_cpus_has(&t->caches[13].cpus, 5) && !adit_cpus_has(&t->caches[13].cpus, 3));
}

static void limits_and_devices_are_read(void **state)
{
    (void)state;
    make_machine();
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_int_equal(t->cpu_limit_milli, 1500); /* (tried: the leaf alone) */
    assert_int_equal(t->memory_limit_bytes, 1 << 30);
    assert_int_equal(t->devices_n, 2);
    assert_string_equal(t->devices[0].place, "0000:03:00.0");
    assert_int_equal(t->devices[0].node, -1);
    assert_string_equal(t->devices[1].place, "0000:81:00.0");
    assert_true(t->devices[1].node == 1 && t->devices[1].vendor == 0x10de && t->devices[1].device == 0x2335 && t->devices[1].class_ == 0x030200);
}

/* tried: rounded down; the limit left out */
static void workers_are_as_many_as_there_is_processor_time_for(void **state)
{
    (void)state;
    make_machine();
    uint32_t cpus = adit_cpus();
    assert_int_equal(adit_topology_workers(root), cpus < 2 ? cpus : 2); /* 1.5 */
    put("40000 100000\n", "/sys/fs/cgroup/cpu.max");
    assert_int_equal(adit_topology_workers(root), 1);
    put("1 100000\n", "/sys/fs/cgroup/cpu.max");
    assert_int_equal(adit_topology_workers(root), 1);
    assert_int_equal(adit_topology_workers("/nowhere"), cpus);
}

/* Version 1, or both, as systemd and containers have it. (tried: cpuset taken for cpu; a container's path that is not there; -1 and the largest number as limits) */
static void limits_of_control_groups_of_version_1_hold_too(void **state)
{
    (void)state;
    make_machine();
    put("12:cpuset:/\n11:memory:/box/in\n4:cpuacct,cpu:/docker/12\n1:name=systemd:/cpu\n0::/\n", "/proc/self/cgroup");
    put("-1\n", "/sys/fs/cgroup/cpu/docker/12/cpu.cfs_quota_us");
    put("100000\n", "/sys/fs/cgroup/cpu/docker/12/cpu.cfs_period_us");
    put("9223372036854771712\n", "/sys/fs/cgroup/memory/box/in/memory.limit_in_bytes");
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_true(t->cpu_limit_milli == UINT32_MAX && t->memory_limit_bytes == UINT64_MAX);
    free(t);
    put("25000\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); /* what a container sees of its own */
    put("10000\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    put("1000\n", "/sys/fs/cgroup/cpuset/cpu.cfs_quota_us");
    put("10000\n", "/sys/fs/cgroup/cpuset/cpu.cfs_period_us");
    put("536870912\n", "/sys/fs/cgroup/memory/box/memory.limit_in_bytes");
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_int_equal(t->cpu_limit_milli, 2500);
    assert_int_equal(t->memory_limit_bytes, 512 << 20);
    free(t);
    put("150000\n", "/sys/fs/cgroup/cpu/docker/12/cpu.cfs_quota_us");
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_int_equal(t->cpu_limit_milli, 1500);
}

static void a_machine_without_nodes_is_one(void **state)
{
    (void)state;
    put("0-1\n", "/sys/devices/system/cpu/online");
    put("MemTotal: 1024 kB\nMemFree: 512 kB\n", "/proc/meminfo");
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_true(t->nodes_n == 1 && t->cpus_n == 2 && t->nodes[0].memory_bytes == 1 << 20 && t->distance[0][0] == 10);
    assert_true(adit_cpus_has(&t->nodes[0].cpus, 1) && t->nodes[0].may_use && t->cpus[1].may_use);
    assert_true(t->cpu_limit_milli == UINT32_MAX && t->memory_limit_bytes == UINT64_MAX && !t->devices_n && !t->caches_n);
}

/* Whatever stands in the files. (tried: a distance beyond the table; a folder's number as an index) */
static void nonsense_is_survived(void **state)
{
    (void)state;
    put("0-4095,99999\n", "/sys/devices/system/cpu/online");
    for (uint32_t i = 0; i < 80; i++)
        node(i * 50000000u, "0-9999\n", "10 x 300 400 -5 \n", 1ull << 40);
    put("9-3\n", "/sys/devices/system/node/node0/cpulist");
    put("\n", "/sys/devices/system/node/node50000000/distance");
    put("Cpus_allowed_list: zero\nMems_allowed_list: 70\n", "/proc/self/status");
    put("0::\n1:x:/\n", "/proc/self/cgroup");
    put("99999999999999999999999999 0\n", "/sys/fs/cgroup/cpu.max");
    put("0xffffffffff\n", "/sys/bus/pci/devices/0000:00:00.0/class");
    assert_int_equal(adit_topology_read(root, &t), 0);
    assert_true(t->is_cut && t->nodes_n == ADIT_TOPOLOGY_NODES && t->cpus_n == ADIT_TOPOLOGY_CPUS);
    assert_int_equal(t->distance[1][1], 10);
    assert_int_equal(t->distance[1][2], 20);
    assert_int_equal(adit_cpus_count(&t->nodes[0].cpus), 0);
}

static void where_there_is_no_machine_a_line_says_so(void **state)
{
    (void)state;
    assert_int_equal(adit_topology_read(root, &t), -ENOENT);
    assert_non_null(strstr(adit_fault_detail(), root));
    assert_non_null(strstr(adit_fault_detail(), "sysfs"));
    assert_null(t);
}

static void count(uint32_t number, void *user) { ((uint64_t *)user)[number / 64] |= 1ull << number % 64; }

static void lists_are_what_the_kernel_writes(void **state)
{
    static const char *const wrong[] = {"a", "1-", "-1", "3-1", "1,,2", "1 2", "0x3"}, *const right[] = {"", "\n", "0", "0-2,5\n", "7,7"};
    static const uint64_t bits[] = {0, 0, 1, 0x27, 0x80};
    (void)state;
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t seen[16] = {0};
        assert_false(adit_topology_list(wrong[i], count, seen));
    }
    for (uint32_t i = 0; i < sizeof right / sizeof *right; i++) {
        uint64_t seen[16] = {0};
        assert_true(adit_topology_list(right[i], count, seen));
        assert_int_equal(seen[0], bits[i]);
    }
}

static void this_machine_is_as_the_kernel_says(void **state)
{
    cpu_set_t may;
    uint32_t n = 0;
    (void)state;
    assert_int_equal(adit_topology_read(NULL, &t), 0);
    assert_int_equal(sched_getaffinity(0, sizeof may, &may), 0);
    assert_int_equal(t->cpus_n, sysconf(_SC_NPROCESSORS_ONLN));
    for (uint32_t i = 0; i < t->cpus_n; i++) {
        assert_int_equal(t->cpus[i].may_use, CPU_ISSET(t->cpus[i].id, &may) != 0);
        n += t->cpus[i].may_use;
        assert_true(adit_cpus_has(&t->nodes[t->cpus[i].node].cpus, t->cpus[i].id));
    }
    assert_int_equal(n, CPU_COUNT(&may));
    assert_true(t->nodes_n >= 1 && t->nodes[0].memory_bytes > 0);
}

#define IN_A_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_TREE(a_machine_of_three_nodes_is_read_whole), IN_A_TREE(cores_threads_and_caches_are_told_apart), IN_A_TREE(limits_and_devices_are_read),
        IN_A_TREE(workers_are_as_many_as_there_is_processor_time_for), IN_A_TREE(limits_of_control_groups_of_version_1_hold_too),
        IN_A_TREE(a_machine_without_nodes_is_one),         IN_A_TREE(nonsense_is_survived),                    IN_A_TREE(where_there_is_no_machine_a_line_says_so),
        IN_A_TREE(this_machine_is_as_the_kernel_says),     cmocka_unit_test(lists_are_what_the_kernel_writes),
    };
    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
