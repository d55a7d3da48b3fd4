#include "tools/tier_nodes.h"

#include <numa.h>
#include <string.h>

#include "shm/shm.h"

static struct adit_tier_node *node_of(struct adit_tier_node *nodes, uint32_t *n, int32_t id)
{
    uint32_t at = 0;
    while (at < *n && nodes[at].id < id)
        at++;
    if (at < *n && nodes[at].id == id)
        return &nodes[at];
    if (*n == ADIT_TIER_NODES_MAX)
        return NULL;
    memmove(&nodes[at + 1], &nodes[at], (*n - at) * sizeof *nodes);
    nodes[at] = (struct adit_tier_node){.id = id};
    (*n)++;
    return &nodes[at];
}

uint32_t adit_tier_nodes(struct adit_tier_node nodes[ADIT_TIER_NODES_MAX])
{
    cpu_set_t allowed;
    uint32_t n = 0;
    bool numa = !adit_os_is_disabled("numa") && numa_available() >= 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) { /* more CPUs than the set takes */
        CPU_ZERO(&allowed);
        CPU_SET(0, &allowed);
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        int id = numa ? numa_node_of_cpu(cpu) : 0;
        struct adit_tier_node *node = node_of(nodes, &n, id < 0 ? 0 : id);
        if (node) {
            CPU_SET((size_t)cpu, &node->cpus);
            node->cpus_n++;
        }
    }
    return n;
}

void adit_tier_node_enter(const struct adit_tier_node *node, cpu_set_t *before)
{
    CPU_ZERO(before);
    (void)sched_getaffinity(0, sizeof *before, before);
    (void)sched_setaffinity(0, sizeof node->cpus, &node->cpus); /* refused: it is measured where it runs */
}

void adit_tier_node_exit(const cpu_set_t *before)
{
    if (CPU_COUNT(before))
        (void)sched_setaffinity(0, sizeof *before, before);
}
