/* sieve.h - the filter of system calls that a confined worker process installs (confine.h): seccomp(2) in its filter mode, a program of classic BPF.
 *
 *      other architecture, other ABI                  KILL
 *      call is on a line of sieve_calls.h, and its    LET, KILL, or ENOSYS, as the line says
 *        condition on an argument holds
 *      else                                           EPERM
 *
 * By hand and not by libseccomp: the program is a table walked from its front (the kernel keeps which calls are always let, and does not run it for these), so a library would
 * save a page of code and cost each worker the memory of its own. Documentation/userspace-api/seccomp_filter.rst.
 */
#ifndef ADIT_SIEVE_H
#define ADIT_SIEVE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define ADIT_SIEVE_LENGTH 2048u /* the most that a program has */

struct adit_sieve {
    struct sock_filter code[ADIT_SIEVE_LENGTH];
    uint16_t n;
};

/* Writes the program for a process that may do what needs (enum adit_needs, ored) says: its number, and a descriptor that it may pread, or -1. */
void adit_sieve_make(struct adit_sieve *sieve, uint32_t needs, uint32_t pid, int memory_fd);

/* Whether this kernel takes such programs. Makes a system call. */
bool adit_sieve_is_available(void);
/* Installs it, for all threads of this process and for good, and takes away that programs it may start have rights that it does not (PR_SET_NO_NEW_PRIVS). 0 or a negative errno. */
int adit_sieve_install(const struct adit_sieve *sieve);

#endif
