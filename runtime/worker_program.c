#include "runtime/worker_program.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/zygote.h"
#include "shm/fault.h"

#define PROGRAM "adit-worker"

extern char **environ;

/* PROGRAM in the folder of file, in ../bin from there (lib and bin side by side), or in ../../bin (lib/x86_64-linux-gnu, as Debian has it). */
static bool is_beside(const char *file, char path[PATH_MAX])
{
    static const char *const folders[] = {"", "../bin/", "../../bin/"};
    const char *slash = strrchr(file, '/');
    int folder = slash ? (int)(slash + 1 - file) : 0;
    for (uint32_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (snprintf(path, PATH_MAX, "%.*s%s" PROGRAM, folder, file, folders[i]) < PATH_MAX && !access(path, X_OK))
            return true;
    return false;
}

/* PROGRAM in a folder of $PATH that begins with a slash: for programs that lie anywhere and have the library in them. */
static bool is_on_path(char path[PATH_MAX])
{
    const char *folder = secure_getenv("PATH");
    for (size_t n; folder && *folder; folder += n + (folder[n] == ':')) {
        n = strcspn(folder, ":");
        if (*folder == '/' && n < PATH_MAX && snprintf(path, PATH_MAX, "%.*s/" PROGRAM, (int)n, folder) < PATH_MAX && !access(path, X_OK))
            return true;
    }
    return false;
}

int adit_worker_program_find(const char *wanted, char path[PATH_MAX])
{
    char self[PATH_MAX];
    Dl_info library;
    const char *from = wanted ? wanted : secure_getenv("ADIT_WORKER");
    if (from && *from) {
        snprintf(path, PATH_MAX, "%s", from);
        return !access(path, X_OK) ? 0 : adit_fault(-ENOENT, "worker program %.200s: it cannot be run: %s", path, strerror(errno));
    }
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = 0;
    if (n > 0 && is_beside(self, path))
        return 0;
    if (dladdr((void *)(uintptr_t)adit_worker_program_find, &library) && library.dli_fname && is_beside(library.dli_fname, path))
        return 0;
    if (is_on_path(path))
        return 0;
    return adit_fault(-ENOENT, "no program " PROGRAM " beside %.200s or the library, nor in ../bin from there, nor on $PATH; name it by worker_path or $ADIT_WORKER", self);
}

int adit_worker_program_start(char *const *argv, pid_t *pid, int *socket)
{
    int pair[2];
    sigset_t signals;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], ADIT_ZYGOTE_FD);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawnattr_init(&attributes);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (error)
        close(pair[0]);
    else
        *socket = pair[0];
    return -error;
}
