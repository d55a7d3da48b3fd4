/* os.h - the kernel's part: futexes, clocks, who a process is, how much memory there is.
 *
 * The only file that knows of ADIT_DISABLE, the comma list in the environment that takes features away one by one so that
 * every fallback is exercised: hugepages, numa, membarrier, pidfd, passrights, waitv, seccomp, landlock, metrics (and avx512 and avx2, which kernels/ asks for itself; vulkan and import, which are
 * gpu/'s). Likewise of ADIT_DEBUG, a list of what looks for faults of users at a price: guards (runtime/task_guard.h).
 */
#ifndef ADIT_OS_H
#define ADIT_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define ADIT_FOREVER UINT64_MAX

/* True when ADIT_DISABLE lists feature. Any thread. */
bool adit_os_is_disabled(const char *feature);
/* True when ADIT_DEBUG lists aid. Any thread. */
bool adit_os_is_debugging(const char *aid);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds (vDSO, no system call). */
uint64_t adit_clock_ns(void);
uint64_t adit_clock_real_ns(void);

/* CPUs that this process may use; at least 1. */
uint32_t adit_cpus(void);
/* Starts a thread that is given no signals: those are the application's. 0 or a negative errno. */
int adit_thread_start(pthread_t *thread, void *(*main)(void *user), void *user);
/* Lets the calling thread run on processor time alone that no other thread wants (SCHED_IDLE, sched(7)), for the rest of its life, and what it starts from now on. 0 or a negative errno. */
int adit_thread_background(void);

/* Sleeps until *word differs from value, a wake, a signal, or timeout_ns has passed (ADIT_FOREVER: no limit). 0, or
 * -ETIMEDOUT, -EAGAIN (the word differed), -EINTR. Works between processes. futex(2). */
int adit_futex_wait(const uint32_t *word, uint32_t value, uint64_t timeout_ns);
/* Wakes up to n sleepers of word. */
void adit_futex_wake(uint32_t *word, uint32_t n);
/* The same, of sleepers by bits, not 0: a wake is for those that have one of its bits in common, or slept without. FUTEX_WAIT_BITSET, futex(2). */
int adit_futex_wait_bits(const uint32_t *word, uint32_t value, uint32_t bits, uint64_t timeout_ns);
void adit_futex_wake_bits(uint32_t *word, uint32_t n, uint32_t bits);

/* Sleeps until one of n words (to 128) differs from its value, a wake of any, or as above. The index of one that was woken, or -EAGAIN, -ETIMEDOUT, -EINTR;
 * -ENOSYS: this kernel cannot, or ADIT_DISABLE says so (waitv). futex_waitv, Linux 5.16. */
struct adit_futex_look {
    const uint32_t *word;
    uint32_t value;
};
int adit_futex_wait_any(const struct adit_futex_look *looks, uint32_t n, uint64_t timeout_ns);

/* A descriptor by which the threads of a process can be counted, whatever becomes of its number; or -errno. */
int adit_process_threads_open(uint32_t pid);
/* How many threads it has that can still run; one that has ended and waits to be reaped: 1, its first thread. 0: it is gone. No memory of the process is
 * looked at, so one that is being unmapped does not delay the answer. */
uint32_t adit_process_threads(int fd);
/* The same for this process. */
uint32_t adit_process_threads_here(void);
/* Bytes of a process's memory that are no file's or shared memory's (/proc/PID/statm), those it still has in common with its parent included; 0: unknown. */
uint64_t adit_process_private_bytes(uint32_t pid);
/* The same by a descriptor, opened before: -errno; 0: unknown. */
int adit_process_memory_open(uint32_t pid);
uint64_t adit_process_memory(int fd);
/* A descriptor that becomes readable when the process has ended with all its threads (pidfd_open(2)); -ESRCH: there is none;
 * -ENOSYS: this kernel has none, or ADIT_DISABLE says so. */
int adit_process_open(uint32_t pid);
/* Start time of a process (clock ticks after boot, /proc/PID/stat field 22). -ESRCH: there is no such process, or none of its threads runs
 * any more; another error: it cannot be told (this process has no descriptor left, /proc hides that one), which is no death. */
int adit_process_start_time(uint32_t pid, uint64_t *start_time);
/* Whether it is there and stopped (SIGSTOP, a debugger), as far as /proc tells. */
bool adit_process_is_stopped(uint32_t pid);
/* Whether an error says that this process, or the machine, is out of descriptors or memory: another process may do better. */
bool adit_error_is_poor(int error);
/* Inode of this process's PID namespace; 0 when unknown. */
uint64_t adit_process_pid_namespace(void);

/* Reads a small file of /proc or /sys, up to bytes - 1 of it, into text, which is terminated in any case; returns its length or -errno. */
int adit_file_text(const char *path, char *text, size_t bytes);
/* Bytes a new allocation may take before the kernel would have to kill: MemAvailable, cut by the limits of cgroups. */
uint64_t adit_memory_available_bytes(void);
/* What this process can have at most: the machine's memory, cut by the limits of cgroups. As it was at the first call; UINT64_MAX: unknown. */
uint64_t adit_memory_all_bytes(void);
/* The least that the cgroup at path ("/a/b") below root, and those above it, still grant; UINT64_MAX: no limit anywhere. v1: the
 * files have the names of version 1. */
uint64_t adit_cgroup_room_bytes(const char *root, const char *path, bool v1);

/* The same for one node: what is free there or holds file pages. UINT64_MAX when unknown. An allocation bound to a node that has
 * less is no error but a kill. */
uint64_t adit_numa_available_bytes(int32_t node);

/* Nodes that have memory this process may use, ascending; at most nodes_max. Returns how many; 0: no NUMA here. */
uint32_t adit_numa_nodes(int32_t *nodes, uint32_t nodes_max);
/* One more than the highest node, with memory or without. */
uint32_t adit_numa_nodes_end(void);
/* How far memory of node to is from processors of node from, as the firmware says: 10 the same; 0: unknown. */
uint32_t adit_numa_distance(int32_t from, int32_t to);
/* Whether threads can run on it. */
bool adit_numa_has_cpus(uint32_t node);
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
