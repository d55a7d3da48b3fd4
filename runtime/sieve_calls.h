/* sieve_calls.h - the table of sieve.c: which system calls a confined process is let make, and which are its end. The first line that fits decides; a call on no line is EPERM.
 *
 * needs: 0, or enum adit_needs, one of which must be granted for the line to count. A line with a condition looks at the low half of one argument, which is all that the kernel uses
 * of these.
 */
#ifndef ADIT_SIEVE_CALLS_H
#define ADIT_SIEVE_CALLS_H

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runtime/adit.h"

enum adit_sieve_does { ADIT_SIEVE_LETS, ADIT_SIEVE_KILLS, ADIT_SIEVE_HIDES /* ENOSYS: the C library has another way, which can be judged */ };
enum adit_sieve_when { ADIT_SIEVE_ALWAYS, ADIT_SIEVE_EQUALS, ADIT_SIEVE_HAS_ALL, ADIT_SIEVE_HAS_NONE, ADIT_SIEVE_AT_MOST, ADIT_SIEVE_IS_SELF, ADIT_SIEVE_IS_MEMORY_FD };

struct adit_sieve_rule {
    uint32_t call;
    uint32_t needs;
    uint8_t does, when, argument; /* argument: from 0 */
    uint32_t value;
};

#define FILES (ADIT_NEEDS_FILES_READ | ADIT_NEEDS_FILES_WRITE)
#define ANY_IO (FILES | ADIT_NEEDS_NETWORK | ADIT_NEEDS_PROCESSES)
#define NET_IO (ADIT_NEEDS_NETWORK | ADIT_NEEDS_PROCESSES)
#define LETS(name) {SYS_##name, 0, ADIT_SIEVE_LETS, ADIT_SIEVE_ALWAYS, 0, 0}
#define LETS_IF(name, needs) {SYS_##name, needs, ADIT_SIEVE_LETS, ADIT_SIEVE_ALWAYS, 0, 0}
#define LETS_WHEN(name, needs, argument, when, value) {SYS_##name, needs, ADIT_SIEVE_LETS, ADIT_SIEVE_##when, argument, value}
#define KILLS(name) {SYS_##name, 0, ADIT_SIEVE_KILLS, ADIT_SIEVE_ALWAYS, 0, 0}
#define HIDES(name) {SYS_##name, 0, ADIT_SIEVE_HIDES, ADIT_SIEVE_ALWAYS, 0, 0}

#define OF_A_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define OF_A_NAMESPACE (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define TO_WRITE (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

#if defined __x86_64__
#define ADIT_SIEVE_ARCH AUDIT_ARCH_X86_64
#define ADIT_SIEVE_FOREIGN 0x40000000u /* calls from here on are another ABI's (x32) */
/* What this machine has beside the general calls: older forms, and ports. */
#define ADIT_SIEVE_CALLS_HERE                                                                                                                                                      \
    LETS(poll), LETS(pause), LETS(alarm), LETS(time), LETS_WHEN(open, 0, 1, HAS_ALL, O_PATH), LETS_IF(open, ADIT_NEEDS_FILES_WRITE),                                               \
        LETS_WHEN(open, ADIT_NEEDS_FILES_READ, 1, HAS_NONE, TO_WRITE), LETS_IF(stat, FILES), LETS_IF(lstat, FILES), LETS_IF(access, FILES), LETS_IF(readlink, FILES),              \
        LETS_IF(getdents, FILES), LETS_IF(dup2, ANY_IO), LETS_IF(pipe, ANY_IO), LETS_IF(select, ANY_IO), LETS_IF(creat, ADIT_NEEDS_FILES_WRITE),                                   \
        LETS_IF(rename, ADIT_NEEDS_FILES_WRITE), LETS_IF(mkdir, ADIT_NEEDS_FILES_WRITE), LETS_IF(rmdir, ADIT_NEEDS_FILES_WRITE), LETS_IF(unlink, ADIT_NEEDS_FILES_WRITE),          \
        LETS_IF(link, ADIT_NEEDS_FILES_WRITE), LETS_IF(symlink, ADIT_NEEDS_FILES_WRITE), LETS_IF(chmod, ADIT_NEEDS_FILES_WRITE), LETS_IF(epoll_wait, ADIT_NEEDS_NETWORK),          \
        LETS_IF(fork, ADIT_NEEDS_PROCESSES), LETS_IF(vfork, ADIT_NEEDS_PROCESSES), LETS_IF(arch_prctl, ADIT_NEEDS_PROCESSES), KILLS(iopl), KILLS(ioperm), KILLS(modify_ldt),
#elif defined __aarch64__
#define ADIT_SIEVE_ARCH AUDIT_ARCH_AARCH64
#define ADIT_SIEVE_FOREIGN UINT32_MAX
#define ADIT_SIEVE_CALLS_HERE
#else
#error "sieve_calls.h: what system calls of this machine are for is not known"
#endif
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half of an argument comes first");

#define ADIT_SIEVE_CALLS                                                                                                                                                           \
    /* waiting, clocks, memory: most of what a worker does */                                                                                                                      \
    LETS(futex), LETS(futex_waitv), LETS(membarrier), LETS(clock_gettime), LETS(clock_nanosleep), LETS(nanosleep), LETS(clock_getres), LETS(gettimeofday), LETS(sched_yield),      \
        LETS(getcpu), LETS(munmap), LETS(mremap), LETS(madvise), LETS(brk), LETS(mbind), LETS(set_mempolicy), LETS(get_mempolicy), LETS(restart_syscall), LETS(ppoll),             \
        LETS_IF(mmap, ADIT_NEEDS_CODE), LETS_WHEN(mmap, 0, 2, HAS_NONE, PROT_EXEC), LETS_IF(mprotect, ADIT_NEEDS_CODE), LETS_WHEN(mprotect, 0, 2, HAS_NONE, PROT_EXEC),            \
        /* itself: signals, timers, threads, its end */                                                                                                                            \
        LETS(rt_sigaction), LETS(rt_sigprocmask), LETS(rt_sigreturn), LETS(sigaltstack), LETS(rt_sigtimedwait), LETS(rt_sigsuspend), LETS(rt_sigpending),                          \
        LETS_IF(kill, ADIT_NEEDS_PROCESSES), LETS_WHEN(kill, 0, 0, IS_SELF, 0), LETS_IF(tgkill, ADIT_NEEDS_PROCESSES), LETS_WHEN(tgkill, 0, 0, IS_SELF, 0),                        \
        LETS(timer_create), LETS(timer_settime), LETS(timer_gettime), LETS(timer_getoverrun), LETS(timer_delete), LETS(setitimer), LETS(getitimer), LETS(exit),                    \
        LETS(exit_group), LETS(set_robust_list), LETS_WHEN(get_robust_list, 0, 0, EQUALS, 0), LETS(rseq), LETS(set_tid_address), HIDES(clone3),                                    \
        LETS_WHEN(clone, 0, 0, HAS_ALL, OF_A_THREAD), LETS_WHEN(clone, ADIT_NEEDS_PROCESSES, 0, HAS_NONE, OF_A_NAMESPACE),                                                         \
        LETS_WHEN(prctl, 0, 0, EQUALS, PR_SET_NAME),                                                                                                                               \
        /* looks that tell nothing of others' data */                                                                                                                              \
        LETS(getpid), LETS(gettid), LETS(getppid), LETS(getuid), LETS(geteuid), LETS(getgid), LETS(getegid), LETS(uname), LETS(sysinfo), LETS(getrusage), LETS(times),             \
        LETS(sched_getaffinity), LETS_WHEN(prlimit64, 0, 0, EQUALS, 0), LETS(getrandom), LETS(close), LETS(fstat), LETS(newfstatat),                                               \
        LETS_WHEN(openat, 0, 2, HAS_ALL, O_PATH), /* of peers' threads (adit_process_threads): a name, nothing can be read by it */                                                \
        LETS_WHEN(pread64, 0, 0, IS_MEMORY_FD, 0), LETS_WHEN(write, 0, 0, AT_MOST, 2), LETS_WHEN(writev, 0, 0, AT_MOST, 2),                                                        \
        /* files */                                                                                                                                                                \
        LETS_IF(openat, ADIT_NEEDS_FILES_WRITE), LETS_WHEN(openat, ADIT_NEEDS_FILES_READ, 2, HAS_NONE, TO_WRITE), HIDES(openat2), LETS_IF(read, ANY_IO), LETS_IF(readv, ANY_IO),   \
        LETS_IF(pread64, FILES), LETS_IF(preadv, FILES), LETS_IF(lseek, FILES), LETS_IF(getdents64, FILES), LETS_IF(readlinkat, FILES), LETS_IF(faccessat, FILES),                 \
        LETS_IF(faccessat2, FILES), LETS_IF(statx, FILES), LETS_IF(statfs, FILES), LETS_IF(fstatfs, FILES), LETS_IF(fadvise64, FILES), LETS_IF(flock, FILES),                      \
        LETS_IF(getcwd, FILES), LETS_IF(chdir, FILES), LETS_IF(fchdir, FILES), LETS_IF(fcntl, ANY_IO), LETS_IF(dup, ANY_IO), LETS_IF(dup3, ANY_IO), LETS_IF(pipe2, ANY_IO),        \
        LETS_IF(pselect6, ANY_IO), LETS_IF(write, ADIT_NEEDS_FILES_WRITE | NET_IO), LETS_IF(writev, ADIT_NEEDS_FILES_WRITE | NET_IO),                                              \
        LETS_IF(pwrite64, ADIT_NEEDS_FILES_WRITE), LETS_IF(pwritev, ADIT_NEEDS_FILES_WRITE), LETS_IF(ftruncate, ADIT_NEEDS_FILES_WRITE),                                           \
        LETS_IF(truncate, ADIT_NEEDS_FILES_WRITE), LETS_IF(fallocate, ADIT_NEEDS_FILES_WRITE), LETS_IF(fsync, ADIT_NEEDS_FILES_WRITE),                                             \
        LETS_IF(fdatasync, ADIT_NEEDS_FILES_WRITE), LETS_IF(msync, ADIT_NEEDS_FILES_WRITE), LETS_IF(renameat, ADIT_NEEDS_FILES_WRITE),                                             \
        LETS_IF(renameat2, ADIT_NEEDS_FILES_WRITE), LETS_IF(mkdirat, ADIT_NEEDS_FILES_WRITE), LETS_IF(unlinkat, ADIT_NEEDS_FILES_WRITE),                                           \
        LETS_IF(symlinkat, ADIT_NEEDS_FILES_WRITE), LETS_IF(linkat, ADIT_NEEDS_FILES_WRITE), LETS_IF(fchmod, ADIT_NEEDS_FILES_WRITE),                                              \
        LETS_IF(fchmodat, ADIT_NEEDS_FILES_WRITE), LETS_IF(utimensat, ADIT_NEEDS_FILES_WRITE), LETS_IF(umask, ADIT_NEEDS_FILES_WRITE | ADIT_NEEDS_PROCESSES),                      \
        LETS_IF(copy_file_range, ADIT_NEEDS_FILES_WRITE), LETS_IF(sendfile, ADIT_NEEDS_FILES_WRITE), LETS_IF(memfd_create, ADIT_NEEDS_FILES_WRITE),                                \
        /* network */                                                                                                                                                              \
        LETS_IF(socket, ADIT_NEEDS_NETWORK), LETS_IF(socketpair, NET_IO), LETS_IF(bind, ADIT_NEEDS_NETWORK), LETS_IF(listen, ADIT_NEEDS_NETWORK),                                  \
        LETS_IF(accept, ADIT_NEEDS_NETWORK), LETS_IF(accept4, ADIT_NEEDS_NETWORK), LETS_IF(connect, ADIT_NEEDS_NETWORK), LETS_IF(getsockname, ADIT_NEEDS_NETWORK),                 \
        LETS_IF(getpeername, ADIT_NEEDS_NETWORK), LETS_IF(sendto, NET_IO), LETS_IF(recvfrom, NET_IO), LETS_IF(sendmsg, NET_IO), LETS_IF(recvmsg, NET_IO),                          \
        LETS_IF(sendmmsg, ADIT_NEEDS_NETWORK), LETS_IF(recvmmsg, ADIT_NEEDS_NETWORK), LETS_IF(setsockopt, NET_IO), LETS_IF(getsockopt, NET_IO), LETS_IF(shutdown, NET_IO),         \
        LETS_IF(epoll_create1, ADIT_NEEDS_NETWORK), LETS_IF(epoll_ctl, ADIT_NEEDS_NETWORK), LETS_IF(epoll_pwait, ADIT_NEEDS_NETWORK), LETS_IF(eventfd2, NET_IO),                   \
        /* processes */                                                                                                                                                            \
        LETS_IF(execve, ADIT_NEEDS_PROCESSES), LETS_IF(execveat, ADIT_NEEDS_PROCESSES), LETS_IF(wait4, ADIT_NEEDS_PROCESSES), LETS_IF(waitid, ADIT_NEEDS_PROCESSES),               \
        LETS_IF(pidfd_open, ADIT_NEEDS_PROCESSES), LETS_IF(pidfd_send_signal, ADIT_NEEDS_PROCESSES), LETS_IF(setpgid, ADIT_NEEDS_PROCESSES),                                       \
        LETS_IF(setsid, ADIT_NEEDS_PROCESSES), LETS_IF(prlimit64, ADIT_NEEDS_PROCESSES), LETS_IF(prctl, ADIT_NEEDS_PROCESSES), LETS_IF(close_range, ADIT_NEEDS_PROCESSES),         \
        ADIT_SIEVE_CALLS_HERE                                                                                                                                                      \
        /* nobody comes here by mistake */                                                                                                                                         \
        KILLS(execve), KILLS(execveat), KILLS(ptrace), KILLS(process_vm_readv), KILLS(process_vm_writev), KILLS(process_madvise), KILLS(process_mrelease), KILLS(kcmp),            \
        KILLS(pidfd_getfd), KILLS(mount), KILLS(umount2), KILLS(move_mount), KILLS(open_tree), KILLS(fsopen), KILLS(fsmount), KILLS(mount_setattr), KILLS(pivot_root),             \
        KILLS(chroot), KILLS(unshare), KILLS(setns), KILLS(bpf), KILLS(perf_event_open), KILLS(userfaultfd), KILLS(io_uring_setup), KILLS(init_module),                            \
        KILLS(finit_module), KILLS(delete_module), KILLS(kexec_load), KILLS(kexec_file_load), KILLS(reboot), KILLS(swapon), KILLS(swapoff), KILLS(add_key),                        \
        KILLS(keyctl), KILLS(request_key), KILLS(open_by_handle_at), KILLS(personality), KILLS(acct), KILLS(settimeofday), KILLS(clock_settime), KILLS(sethostname),               \
        KILLS(setdomainname)

#endif
