/* topology.h - what this machine is made of, in one small table: nodes and how far they are from one another, processors and which of them are one core, caches, devices, and what this process
 * may use of it. Read from files below a root, so that a made-up machine can be put under it.
 *
 *     /sys/devices/system/node/...     which nodes there are, their processors, memory, distances; how fast a far one is (HMAT)
 *     /sys/devices/system/cpu/...      which processors are online, cores, packages, caches
 *     /sys/bus/pci/devices/...         graphics and accelerators, and the node that each is at
 *     /proc/self/status, cgroup        processors and nodes that this process may use, processor time and memory that it may have
 *
 * Sources: Linux, Documentation/ABI/stable/sysfs-devices-node, admin-guide/cputopology.rst, admin-guide/mm/numaperf.rst, ABI/testing/sysfs-devices-system-cpu, admin-guide/cgroup-v2.rst.
 */
#ifndef ADIT_TOPOLOGY_H
#define ADIT_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_TOPOLOGY_NODES 64u
#define ADIT_TOPOLOGY_CPUS 1024u
#define ADIT_TOPOLOGY_CACHES 512u
#define ADIT_TOPOLOGY_DEVICES 64u
#define ADIT_TOPOLOGY_LOCAL 10u /* distance of a node to itself */

/* A set of processors. */
struct adit_cpus {
    uint64_t word[ADIT_TOPOLOGY_CPUS / 64];
};
static inline bool adit_cpus_has(const struct adit_cpus *s, uint32_t cpu) { return cpu < ADIT_TOPOLOGY_CPUS && s->word[cpu / 64] >> cpu % 64 & 1; }
static inline void adit_cpus_add(struct adit_cpus *s, uint32_t cpu)
{
    if (cpu < ADIT_TOPOLOGY_CPUS)
        s->word[cpu / 64] |= 1ull << cpu % 64;
}
uint32_t adit_cpus_count(const struct adit_cpus *s);

struct adit_topology_node {
    uint32_t id;           /* the kernel's */
    struct adit_cpus cpus; /* online; none: a far node, memory alone */
    uint64_t memory_bytes, free_bytes;
    bool may_use; /* this process its memory */
    /* From the nearest node with processors, as the firmware says (HMAT); 0: it does not. */
    uint32_t read_ns, write_ns;
    uint64_t read_mib_s, write_mib_s;
};

struct adit_topology_cpu {
    uint32_t id, node; /* node: index into nodes */
    uint32_t package, core; /* the kernel's; of the same package and core: threads of one core */
    uint32_t thread;        /* its number among those of its core */
    bool may_use;
};

enum adit_cache_type { ADIT_CACHE_UNIFIED, ADIT_CACHE_DATA, ADIT_CACHE_INSTRUCTION };
/* One cache, however many processors share it. */
struct adit_topology_cache {
    uint32_t level, line_bytes;
    enum adit_cache_type type;
    uint64_t bytes;
    struct adit_cpus cpus;
};

struct adit_topology_device {
    char place[16];  /* "0000:3b:00.0" */
    uint32_t class_; /* PCI class, 24 bits */
    uint32_t vendor, device;
    int32_t node; /* index into nodes; -1: the firmware does not say */
};

struct adit_topology {
    uint32_t nodes_n, cpus_n, caches_n, devices_n;
    struct adit_topology_node nodes[ADIT_TOPOLOGY_NODES]; /* ascending, as are cpus */
    uint8_t distance[ADIT_TOPOLOGY_NODES][ADIT_TOPOLOGY_NODES]; /* [from][to], by index; 10: itself */
    struct adit_topology_cpu cpus[ADIT_TOPOLOGY_CPUS];
    struct adit_topology_cache caches[ADIT_TOPOLOGY_CACHES]; /* by level, type, first processor */
    struct adit_topology_device devices[ADIT_TOPOLOGY_DEVICES];
    uint32_t cpu_limit_milli;    /* of cgroups: thousandths of a processor; UINT32_MAX: none */
    uint64_t memory_limit_bytes; /* likewise; UINT64_MAX: none */
    bool is_cut; /* the machine has more than fits */
};

/* Reads the machine below root ("" or NULL: this one). A machine without nodes in sysfs is one node with all processors. *out is to be freed. -ENOMEM; -ENOENT: there are no processors below
 * root, with a line that says where it looked. */
int adit_topology_read(const char *root, struct adit_topology **out);
/* How many threads have a processor each: those that this process may run on, but no more than the processor time that its cgroups let it have (of version 1 or 2, rounded up); 1 at least. More would be throttled in the midst of what they do. root as above. Reads a few files. */
uint32_t adit_topology_workers(const char *root);
/* The index of a node by the kernel's number; -1: there is none. */
int32_t adit_topology_node_of(const struct adit_topology *t, uint32_t id);

/* A kernel's list of numbers ("0-3,8"): each is told below ADIT_TOPOLOGY_CPUS. False: it is none. */
bool adit_topology_list(const char *text, void (*tell)(uint32_t number, void *user), void *user);

#endif
