/* crashtrace.h - one child under ptrace(2): a thread of it is stepped through the library, and run at full speed elsewhere.
 *
 *     crashtrace_start(&t, op, user);                 set up, all threads stopped, before the first instruction of op->run
 *     while (crashtrace_step(&t)) look(t.ip);         each boundary inside the library
 *     crashtrace_kill(&t);                            SIGKILL, and reaped
 *
 * Full speed is a return address on that thread's stack that leads to an int3 of the harness's own. The way to a
 * point further on has a breakpoint in the text, which other threads that meet it are led over. Debug registers would do, too, but virtual machines do not always have working ones.
 */
#ifndef ADIT_CRASHTRACE_H
#define ADIT_CRASHTRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/crashpoint.h"

#define CRASHTRACE_SIBLINGS_MAX 64u

struct crashtrace {
    pid_t pid; /* the child */
    pid_t tid; /* its thread that is stepped */
    uint64_t ip;
    uint64_t over; /* arriving here ends the operation */
    uint64_t call_over; /* and here a call out of the library */
    bool siblings_run;
    uint64_t breakpoint; /* or 0 */
    uint32_t siblings_n;
    pid_t siblings[CRASHTRACE_SIBLINGS_MAX];
    uint64_t steps;
};

/* The library's code of this program. */
extern const char adit_text_begin[] __asm__("__start_adit_text") __attribute__((visibility("hidden")));
extern const char adit_text_end[] __asm__("__stop_adit_text") __attribute__((visibility("hidden")));
static inline bool crashtrace_is_inside(uint64_t ip)
{
    return ip >= (uint64_t)(uintptr_t)adit_text_begin && ip < (uint64_t)(uintptr_t)adit_text_end;
}

/* True when this machine lets a child be stepped. */
bool crashtrace_is_possible(void);

void crashtrace_start(struct crashtrace *t, const struct crash_operation *op, void *user);
/* On to the next boundary inside the library; false: the operation is over. */
bool crashtrace_step(struct crashtrace *t);
/* On to the nth visit (from 1) of address from where the child is now; false: the operation was over before. */
bool crashtrace_run_to(struct crashtrace *t, uint64_t address, uint32_t nth);
void crashtrace_kill(struct crashtrace *t);

#endif
