/* nodes.h - the NUMA nodes with processors that this thread may use, and a thread moved to one of them: a view of the topology (topology.h).
 *
 *     uint32_t n = adit_nodes_here(nodes);
 *     adit_node_enter(&nodes[i], &before);      this thread runs there, and what it starts now: threads, processes
 *     ...
 *     adit_node_exit(&before);
 *
 * The kernel lets a thread go elsewhere by itself when the last processor it may use goes offline (sched_setaffinity(2)), so nothing that is bound to a node hangs on it.
 */
#ifndef ADIT_NODES_H
#define ADIT_NODES_H

#include <sched.h>
#include <stdint.h>

#define ADIT_NODES_MAX 64u /* ADIT_TOPOLOGY_NODES */

struct adit_node {
    int32_t id;
    uint32_t cpus_n;
    cpu_set_t cpus;
};

/* The nodes, ascending; without NUMA, or with ADIT_DISABLE=numa, node 0 with all CPUs. Returns how many, at least 1. Reads sysfs where there are several: some milliseconds. */
uint32_t adit_nodes_here(struct adit_node nodes[ADIT_NODES_MAX]);

/* Lets this thread, and what it starts meanwhile (threads, processes), run on the CPUs of node alone, until it is let go. node NULL: changes nothing. */
void adit_node_enter(const struct adit_node *node, cpu_set_t *before);
void adit_node_exit(const cpu_set_t *before);

#endif
