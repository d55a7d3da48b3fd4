/* confine_kinds.c - kinds for test_confine: "try" does what confined workers are not let do; what CONFINE_NEEDS says, "reader", which needs files read, is registered, too. */
#include "tests/confine_kinds.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/adit.h"

#define FILE_OF_ALL "/etc/passwd"

/* 0 for what is no error, closing what was opened. */
static int opened(int fd)
{
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int done(long result) { return result < 0 ? errno : 0; }

static int try_read(int fd)
{
    char byte;
    return done(read(fd, &byte, 1));
}

static int try_memory(void)
{
    char *block = malloc(8u << 20);
    if (!block)
        return errno;
    memset(block, 1, 8u << 20);
    block = realloc(block, 16u << 20);
    free(block);
    return block ? 0 : ENOMEM;
}

static void *count(void *user) { return ++*(int *)user, NULL; }

static int try_thread(void)
{
    pthread_t thread;
    int counted = 0, error = pthread_create(&thread, NULL, count, &counted);
    return error ? error : pthread_join(thread, NULL) ? EIO : counted == 1 ? 0 : EIO;
}

static volatile sig_atomic_t heard;
static void hear(int signal) { heard = signal; }

static int try_signal(void)
{
    heard = 0;
    if (signal(SIGUSR1, hear) == SIG_ERR || raise(SIGUSR1) || heard != SIGUSR1)
        return errno ? errno : EIO;
    return done(kill(getpid(), SIGUSR1));
}

static int try_timer(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    const struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    heard = 0;
    if (signal(SIGUSR1, hear) == SIG_ERR || timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
        return errno;
    for (uint32_t i = 0; i < 5000 && !heard; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    timer_delete(timer);
    return heard ? 0 : EIO;
}

static int try_list(void)
{
    DIR *d = opendir("/");
    if (!d)
        return errno;
    closedir(d);
    return 0;
}

static int try_read_of_path(void)
{
    int fd = open(FILE_OF_ALL, O_PATH | O_CLOEXEC), error = fd < 0 ? EIO : try_read(fd);
    if (fd >= 0)
        close(fd);
    return error;
}

static int try_connect(void)
{
    const struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = fd < 0 ? errno : done(connect(fd, (const struct sockaddr *)&nobody, sizeof nobody));
    if (fd >= 0)
        close(fd);
    return error;
}

static int try_fork(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    return pid < 0 ? errno : done(waitpid(pid, NULL, 0));
}

static int try_new_clone(void)
{
    struct clone_args a = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &a, sizeof a);
    if (!pid)
        _exit(0);
    return pid < 0 ? errno : done(waitpid((pid_t)pid, NULL, 0));
}

static int try_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return errno;
    int error = done(mprotect(p, 4096, PROT_READ | PROT_EXEC));
    munmap(p, 4096);
    void *q = error ? mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
    return error && q != MAP_FAILED ? 0 : error;
}

static int try_read_parent(void)
{
    char byte;
    struct iovec mine = {&byte, 1}, theirs = {&byte, 1};
    return done(process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0));
}

static int try_foreign(void)
{
#if defined __x86_64__
    return done(syscall(0x40000000 | SYS_getpid));
#else
    (void)kill(getpid(), SIGSYS); /* there is none */
    return 0;
#endif
}

static int try_what_is_let(enum confine_try what)
{
    switch (what) {
    case TRY_NOTHING: return 0;
    case TRY_MEMORY: return try_memory();
    case TRY_SLEEP: return done(nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL));
    case TRY_THREAD: return try_thread();
    case TRY_SIGNAL_SELF: return try_signal();
    case TRY_TIMER: return try_timer();
    case TRY_STDERR: return done(write(STDERR_FILENO, "", 0));
    default: return EINVAL;
    }
}

static int try_what_is_denied(enum confine_try what)
{
    struct rlimit limit;
    switch (what) {
    case TRY_READ_FILE: return opened(open(FILE_OF_ALL, O_RDONLY | O_CLOEXEC));
    case TRY_LIST_FOLDER: return try_list();
    case TRY_WRITE_FILE: return opened(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    case TRY_READ_OF_PATH: return try_read_of_path();
    case TRY_SOCKET: return opened(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    case TRY_CONNECT: return try_connect();
    case TRY_FORK: return try_fork();
    case TRY_NEW_CLONE: return try_new_clone();
    case TRY_KILL_PARENT: return done(kill(getppid(), SIGCHLD)); /* which it would ignore */
    case TRY_PARENT_GROUP: return done(kill(0, 0));
    case TRY_CODE: return try_code();
    case TRY_MEMFD: return opened(memfd_create("none", MFD_CLOEXEC));
    case TRY_STDIN: return try_read(STDIN_FILENO);
    case TRY_LIMITS_OF_PARENT: return done(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
    default: return EINVAL;
    }
}

static int try_what_kills(enum confine_try what)
{
    char *none[] = {NULL};
    switch (what) {
    case TRY_EXECVE: return done(execve("/bin/true", none, none));
    case TRY_PTRACE: return done(ptrace(PTRACE_SEIZE, getppid(), 0, 0));
    case TRY_READ_PARENT: return try_read_parent();
    case TRY_MOUNT: return done(mount("none", "/nowhere", "tmpfs", 0, NULL));
    case TRY_UNSHARE: return done(unshare(CLONE_NEWUSER));
    case TRY_FOREIGN_CALL: return try_foreign();
    default: return EINVAL;
    }
}

static int run_try(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    enum confine_try what;
    (void)run;
    memcpy(&what, args, sizeof what);
    errno = 0;
    int error = what < TRY_READ_FILE ? try_what_is_let(what) : what < TRY_EXECVE ? try_what_is_denied(what) : try_what_kills(what);
    memcpy(result, &error, sizeof error);
    *result_bytes = sizeof error;
    return 0;
}

ADIT_API int adit_kinds_load(struct adit_arena *arena)
{
    const char *needs = getenv("CONFINE_NEEDS");
    struct adit_kind_params p = {.size = sizeof p, .name = "try", .run = run_try, .args_bytes_min = 4, .args_bytes_max = 4, .result_bytes_max = 4};
    uint32_t id;
    int error = adit_kind_register(arena, &p, &id);
    if (error || !needs)
        return error;
    p.name = "reader";
    p.needs = (uint32_t)strtoul(needs, NULL, 10);
    return adit_kind_register(arena, &p, &id);
}
