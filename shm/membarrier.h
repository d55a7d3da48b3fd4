/* membarrier.h - a barrier that one thread executes on behalf of others, so that readers need none of their own (membarrier(2)).
 *
 * Two of its commands are used, and a third is not.
 *
 *   PRIVATE_EXPEDITED   all threads of this process, by looking at what each processor runs: sound, some 15 us
 *   GLOBAL              all threads of all processes, by a grace period of the kernel's own: sound, 8 to 16 ms
 *   GLOBAL_EXPEDITED    all threads of all registered processes in 15 us: passes threads by, so it is not used
 *
 * Why not. The kernel keeps "is the process here registered?" per processor and sets it when the processor changes from one address
 * space to another (membarrier_switch_mm in kernel/sched/sched.h, Linux 5.10 to 6.18 at least). It is cleared when a thread exits
 * (exit_mm in kernel/exit.c), and a processor that idles keeps the address space it had. So when a thread exits, and the next that runs
 * on that processor is another thread of the same process, there is no change, the mark stays cleared, and barriers pass that
 * thread by for as long as it runs there. The same happens to a thread that comes back to a processor which has idled since before the
 * process registered. tests/torture_membarrier.c shows both on a quiet 2-CPU guest (Linux 6.18: 7 to 8 %
 * of its rounds fail; where other processes run in between, none may), and that the two others hold.
 */
#ifndef ADIT_MEMBARRIER_H
#define ADIT_MEMBARRIER_H

#include <stdbool.h>

/* This kernel has both and ADIT_DISABLE does not name them (never under ThreadSanitizer, which cannot see them). */
bool adit_membarrier_is_available(void);

/* Registers this process for here; once is enough, fork keeps it, exec does not. 0 or -errno. */
int adit_membarrier_register(void);

/* All threads of this process have executed a full barrier. Blocks for an interrupt of each processor that runs one. 0 or -errno. */
int adit_membarrier_here(void);

/* All threads of all processes have. Blocks for a grace period of the kernel, 8 to 16 ms. 0 or -errno. */
int adit_membarrier_everywhere(void);

#endif
