/* tier_nodes.h - the NUMA nodes with CPUs that this process may use, and a thread moved to one of them. */
#ifndef ADIT_TIER_NODES_H
#define ADIT_TIER_NODES_H

#include <sched.h>
#include <stdint.h>

#define ADIT_TIER_NODES_MAX 100u

struct adit_tier_node {
    int32_t id;
    uint32_t cpus_n;
    cpu_set_t cpus;
};

/* The nodes, ascending; without NUMA, or with ADIT_DISABLE=numa, node 0 with all CPUs. Returns how many, at least 1. */
uint32_t adit_tier_nodes(struct adit_tier_node nodes[ADIT_TIER_NODES_MAX]);

/* Lets this thread, and what it starts meanwhile (threads, processes), run on the CPUs of node alone, until it is let go. */
void adit_tier_node_enter(const struct adit_tier_node *node, cpu_set_t *before);
void adit_tier_node_exit(const cpu_set_t *before);

#endif
