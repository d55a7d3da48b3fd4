/* os.h - the kernel's part: futexes, clocks, who a process is, how much memory there is.
 *
 * The only file that knows of ADIT_DISABLE, the comma list in the environment that takes features away one by one so that
 * every fallback is exercised: hugepages, numa, membarrier, pidfd, passrights (and avx512 and avx2, which kernels/ asks for itself).
 */
#ifndef ADIT_OS_H
#define ADIT_OS_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_FOREVER UINT64_MAX

/* True when ADIT_DISABLE lists feature. Any thread. */
bool adit_os_is_disabled(const char *feature);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds (vDSO, no system call). */
uint64_t adit_clock_ns(void);
uint64_t adit_clock_real_ns(void);

/* Sleeps until *word differs from value, a wake, a signal, or timeout_ns has passed (ADIT_FOREVER: no limit). 0, or
 * -ETIMEDOUT, -EAGAIN (the word differed), -EINTR. Works between processes. futex(2). */
int adit_futex_wait(const uint32_t *word, uint32_t value, uint64_t timeout_ns);
/* Wakes up to n sleepers of word. */
void adit_futex_wake(uint32_t *word, uint32_t n);

/* A descriptor that becomes readable when the process has ended with all its threads (pidfd_open(2)); -ESRCH: there is none;
 * -ENOSYS: this kernel has none, or ADIT_DISABLE says so. */
int adit_process_open(uint32_t pid);
/* Start time of a process (clock ticks after boot, /proc/PID/stat field 22). -ESRCH: there is no such process, or none of its threads runs
 * any more; another error: it cannot be told (this process has no descriptor left, /proc hides that one), which is no death. */
int adit_process_start_time(uint32_t pid, uint64_t *start_time);
/* Whether an error says that this process, or the machine, is out of descriptors or memory: another process may do better. */
bool adit_error_is_poor(int error);
/* Inode of this process's PID namespace; 0 when unknown. */
uint64_t adit_process_pid_namespace(void);

/* Bytes a new allocation may take before the kernel would have to kill: MemAvailable, cut by the limits of cgroups. */
uint64_t adit_memory_available_bytes(void);
/* The least that the cgroup at path ("/a/b") below root, and those above it, still grant; UINT64_MAX: no limit anywhere. v1: the
 * files have the names of version 1. */
uint64_t adit_cgroup_room_bytes(const char *root, const char *path, bool v1);

/* The same for one node: what is free there or holds file pages. UINT64_MAX when unknown. An allocation bound to a node that has
 * less is no error but a kill. */
uint64_t adit_numa_available_bytes(int32_t node);

/* Nodes that have memory this process may use, ascending; at most nodes_max. Returns how many; 0: no NUMA here. */
uint32_t adit_numa_nodes(int32_t *nodes, uint32_t nodes_max);
/* A thread's memory policy, kept while another is in force. */
struct adit_numa_policy {
    int mode;
    unsigned long nodes[1024 / (8 * sizeof(unsigned long))];
};
/* Makes allocations of this thread come from node only (set_mempolicy), keeping the policy in force before; 0 or -errno. */
int adit_numa_bind(int32_t node, struct adit_numa_policy *before);
void adit_numa_restore(const struct adit_numa_policy *before);
/* The node of the CPU this runs on (vDSO). */
int32_t adit_numa_here(void);

#endif
