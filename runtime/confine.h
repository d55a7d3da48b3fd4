/* confine.h - a worker process gives up what its kinds do not need (enum adit_needs), for good.
 *
 *      files, network, other processes' signals   Landlock, as much of it as this kernel has (ABI 1: Linux 5.13; network 4: 6.7; signals 6: 6.12)
 *      system calls                               a filter (sieve.h)
 *
 * Both work for root and for plain users, and below filters that a container has already. They stand for each other where they overlap: of files the filter sees how they are opened, not
 * which, Landlock which, and not what else is done. What neither hides: that a file is there (stat), and what the worker has open: standard output and error, and its arena.
 */
#ifndef ADIT_CONFINE_H
#define ADIT_CONFINE_H

#include <stdint.h>

/* What this kernel has of it, enum adit_confined_by, ored; less what ADIT_DISABLE takes away (seccomp, landlock). */
uint32_t adit_confine_available(void);

/* Confines this process to what needs says, its number and memory_fd included (sieve.h), as far as this kernel can; *by: what by (0: ADIT_NEEDS_ANYTHING, or a kernel with neither). By its
 * only thread. 0, or the negative errno of what the kernel has and does not do: the process is not to be trusted with tasks then. */
int adit_confine(uint32_t needs, int memory_fd, uint32_t *by);

#endif
