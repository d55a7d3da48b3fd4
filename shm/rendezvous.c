#include "shm/rendezvous.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "shm/aside.h"
#include "shm/fault.h"
#include "shm/layout.h"
#include "shm/os.h"

#define BACKLOG 64
#define LOCK_TRIES 5000 /* a millisecond apart */
#define SUFFIX ".sock"
#define ANSWER_NS 1000000000u /* of who listens: far longer than one takes to die, or to answer */

bool adit_rendezvous_name_is_valid(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n >= 1 && n < ADIT_NAME_BYTES && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* Opens path as a directory of this user's alone; make: also where it is not there yet. */
static int open_own(const char *path, bool make)
{
    struct stat s;
    if (make && mkdir(path, 0700) && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (!fstat(fd, &s) && s.st_uid == geteuid() && !(s.st_mode & 022))
        return fd;
    close(fd);
    return -EACCES;
}

/* Opens DIR; path receives its name. Who only looks does not make it: -ENOENT, without a line, when it is not there. */
static int open_directory(char path[ADIT_PLACE_BYTES], bool make)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && *runtime && *runtime != '/')
        return adit_fault(-EINVAL, "XDG_RUNTIME_DIR is '%.60s', which does not begin with a slash; set it to a whole path, or unset it",
                          runtime);
    if (runtime && *runtime) {
        if ((size_t)snprintf(path, ADIT_PLACE_BYTES, "%s/adit", runtime) >= ADIT_PLACE_BYTES)
            return adit_fault(-ENAMETOOLONG, "XDG_RUNTIME_DIR is longer than %d bytes; set it to a shorter path", ADIT_PLACE_BYTES - 6);
        int fd = open_own(path, make);
        return fd >= 0 || (!make && fd == -ENOENT)
                   ? fd
                   : adit_fault(fd, "%s: cannot be used for arenas (%s); it must be a folder of your own, no link to one, that nobody else "
                                    "may write to; see XDG_RUNTIME_DIR", path, strerror(-fd));
    }
    snprintf(path, ADIT_PLACE_BYTES, "/run/adit");
    int fd = open_own(path, make);
    if (fd < 0) {
        snprintf(path, ADIT_PLACE_BYTES, "/tmp/adit-%u", (unsigned)geteuid());
        fd = open_own(path, make);
    }
    return fd >= 0 || (!make && fd == -ENOENT)
               ? fd
               : adit_fault(fd, "%s: cannot be used for arenas (%s); set XDG_RUNTIME_DIR to a directory of your own", path,
                            strerror(-fd));
}

/* The address of name in the directory open as dir (by /proc, so that long paths fit in sun_path). */
static struct sockaddr_un address_of(int dir, const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "/proc/thread-self/fd/%d/%s" SUFFIX, dir, name);
    return a;
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int connect_to(const struct sockaddr_un *a, uint64_t timeout_ns)
{
    int fd = new_socket();
    if (fd < 0)
        return fd;
    uint64_t limit_us = timeout_ns / 1000 ? timeout_ns / 1000 : 1; /* 0 would be for ever */
    struct timeval limit = {.tv_sec = (time_t)(limit_us / 1000000u), .tv_usec = (suseconds_t)(limit_us % 1000000u)};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int result;
    do
        result = connect(fd, (const struct sockaddr *)a, sizeof *a);
    while (result && errno == EINTR); /* of a socket of this machine: nothing is under way then */
    if (!result)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static int connect_in(int dir, const char *name, uint64_t timeout_ns)
{
    struct sockaddr_un a = address_of(dir, name);
    return connect_to(&a, timeout_ns);
}

/* An exclusive lock of dir, or -ETIMEDOUT. The kernel gives it back when dir is closed or its holder dies. */
static int lock_directory(int dir)
{
    for (uint32_t i = 0; i < LOCK_TRIES; i++) {
        if (!flock(dir, LOCK_EX | LOCK_NB))
            return 0;
        struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
    }
    return -ETIMEDOUT;
}

/* Binds an address in a directory that is locked and swept. -EEXIST: somebody listens there; -ENOTSOCK: what is there is not to be swept. */
static int bind_locked(const struct sockaddr_un *a)
{
    int probe = connect_to(a, ANSWER_NS);
    if (probe >= 0) {
        close(probe);
        return -EEXIST;
    }
    if (probe == -EAGAIN || probe == -ETIMEDOUT) /* its backlog is full: somebody listens, however slowly */
        return -EEXIST;
    int fd = new_socket();
    if (fd < 0)
        return fd;
    adit_aside_refuse_rights(fd);
    if (!bind(fd, (const struct sockaddr *)a, sizeof *a) && !listen(fd, BACKLOG))
        return fd;
    int error = -errno;
    close(fd);
    return error == -EADDRINUSE ? -ENOTSOCK : error;
}

static int is_socket_name(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > strlen(SUFFIX) && !strcmp(d->d_name + n - strlen(SUFFIX), SUFFIX);
}

/* The arena's name in a file name of the directory; false when it cannot be one. */
static bool name_of(const char *file, char name[ADIT_NAME_BYTES])
{
    size_t n = strlen(file) - strlen(SUFFIX);
    if (n >= ADIT_NAME_BYTES)
        return false;
    memcpy(name, file, n);
    name[n] = 0;
    return adit_rendezvous_name_is_valid(name);
}

/* Removes the file in dir (AT_FDCWD: a path) if it is a socket: nobody listens there. What is no socket refuses, too, and stays. */
static void remove_socket(int dir, const char *file)
{
    struct stat s;
    if (!fstatat(dir, file, &s, AT_SYMLINK_NOFOLLOW) && S_ISSOCK(s.st_mode))
        (void)unlinkat(dir, file, 0);
}

/* Removes what a dead broker left in dir, whose address is a. True: somebody listens. */
static bool sweep_one(int dir, const char *file, const struct sockaddr_un *a)
{
    int fd = connect_to(a, ANSWER_NS);
    if (fd >= 0)
        close(fd);
    else if (fd == -ECONNREFUSED)
        remove_socket(dir, file);
    return fd >= 0;
}

/* For who leaves: of those who seem to listen one may be dying, whose sockets the kernel closes last. Says what any broker refuses, and waits for
 * a word, or until nobody listens, at most ANSWER_NS. */
static void outlast_the_dying(const struct sockaddr_un *a)
{
    uint64_t begin = adit_clock_ns(), passed = 0;
    for (; passed < ANSWER_NS; passed = adit_clock_ns() - begin) {
        char word[8];
        int fd = connect_to(a, ANSWER_NS - passed);
        if (fd < 0)
            return;
        ssize_t got = send(fd, "", 1, MSG_NOSIGNAL) == 1 ? recv(fd, word, sizeof word, 0) : 0;
        bool is_silent = got < 0 && errno == EAGAIN;
        close(fd);
        if (got > 0 || is_silent)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* hung up: it is gone now, or had no place for a guest */
    }
}

/* Removes the sockets that dead brokers left; dir is locked, so nobody is between bind and listen. */
static void sweep_locked(int dir)
{
    struct dirent **list = NULL;
    int n = scandirat(dir, ".", &list, is_socket_name, NULL);
    for (int i = 0; i < n; i++) {
        char name[ADIT_NAME_BYTES];
        if (name_of(list[i]->d_name, name)) {
            struct sockaddr_un a = address_of(dir, name);
            (void)sweep_one(dir, list[i]->d_name, &a);
        }
        free(list[i]);
    }
    free(list);
}

int adit_rendezvous_bind(const char *name, char place[ADIT_PLACE_BYTES])
{
    if (!adit_rendezvous_name_is_valid(name))
        return adit_fault(-EINVAL, "arena name '%.60s': use 1 to 47 of A-Z a-z 0-9 . _ -, not starting with a dot",
                          name ? name : "");
    int dir = open_directory(place, true);
    if (dir < 0)
        return dir;
    int fd = lock_directory(dir);
    if (!fd) {
        struct sockaddr_un a = address_of(dir, name);
        sweep_locked(dir);
        fd = bind_locked(&a);
    }
    close(dir);
    if (fd == -EEXIST)
        return adit_fault(fd, "arena %s: the name is in use (%s/%s" SUFFIX "); stop that one or choose another name", name,
                          place, name);
    if (fd == -ENOTSOCK)
        return adit_fault(-EEXIST, "arena %s: %s/%s" SUFFIX " is no socket of an arena; remove it or choose another name", name, place,
                          name);
    return fd < 0 ? adit_fault(fd, "arena %s: cannot listen in %s: %s", name, place, strerror(-fd)) : fd;
}

/* Locks dir, or closes it; dir or -errno. */
static int lock_or_close(int dir)
{
    int error = dir < 0 ? dir : lock_directory(dir);
    if (error && dir >= 0)
        close(dir);
    return error ? error : dir;
}

void adit_rendezvous_leave(const char *place, const char *name)
{
    char file[ADIT_NAME_BYTES + sizeof SUFFIX];
    snprintf(file, sizeof file, "%s" SUFFIX, name);
    int dir = open_own(place, false);
    if (dir < 0)
        return;
    struct sockaddr_un a = address_of(dir, name);
    outlast_the_dying(&a);
    if (lock_or_close(dir) < 0)
        return;
    (void)sweep_one(dir, file, &a);
    close(dir);
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

bool adit_rendezvous_is_path(const char *name) { return name && strchr(name, '/'); }

static bool address_of_path(const char *path, struct sockaddr_un *a)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (size_t)snprintf(a->sun_path, sizeof a->sun_path, "%s", path) < ADIT_GUEST_PATH_BYTES;
}

/* Lets everybody who reaches path ask; no other file, should somebody who may write to its directory have put one there. */
static int open_to_all(const char *path)
{
    struct stat s;
    char same[40];
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    snprintf(same, sizeof same, "/proc/thread-self/fd/%d", fd);
    int error = fstat(fd, &s) ? -errno : !S_ISSOCK(s.st_mode) ? -ENOTSOCK : chmod(same, 0666) ? -errno : 0;
    close(fd);
    return error;
}

int adit_rendezvous_bind_path(const char *place, const char *path)
{
    struct sockaddr_un a;
    if (!address_of_path(path, &a))
        return adit_fault(-ENAMETOOLONG, "guests' socket '%.60s...': longer than %u bytes; choose a shorter path", path,
                          ADIT_GUEST_PATH_BYTES - 1);
    /* under the lock of DIR: a stranger could hold one of the path's own directory for ever */
    int dir = lock_or_close(open_own(place, false)), fd = dir;
    if (dir >= 0) {
        fd = sweep_one(AT_FDCWD, path, &a) ? -EEXIST : bind_locked(&a);
        int error = fd >= 0 ? open_to_all(path) : 0;
        if (error) {
            close(fd);
            fd = error;
        }
        close(dir);
    }
    if (fd == -EEXIST)
        return adit_fault(fd, "guests' socket %s: somebody listens there; choose another path", path);
    if (fd == -ENOTSOCK)
        return adit_fault(-EEXIST, "guests' socket %s: there is something else that is no socket of an arena; remove it or choose another path",
                          path);
    return fd < 0 ? adit_fault(fd, "guests' socket %s: cannot listen there: %s; choose another path", path, strerror(-fd)) : fd;
}

void adit_rendezvous_leave_path(const char *place, const char *path)
{
    struct sockaddr_un a;
    if (!address_of_path(path, &a))
        return;
    outlast_the_dying(&a);
    int dir = lock_or_close(open_own(place, false));
    if (dir < 0)
        return;
    (void)sweep_one(AT_FDCWD, path, &a);
    close(dir);
}

static int connect_path(const char *path, uint64_t timeout_ns)
{
    struct sockaddr_un a;
    int fd = address_of_path(path, &a) ? connect_to(&a, timeout_ns) : -ENAMETOOLONG;
    switch (fd) {
    case -ENOENT: return adit_fault(fd, "%s: there is no such socket; `adit serve --guest-socket` makes one", path);
    case -ECONNREFUSED: return adit_fault(-ENOENT, "%s: nobody serves an arena there", path);
    case -EAGAIN: return adit_fault(-ETIMEDOUT, "%s: its broker does not answer", path);
    default: return fd < 0 ? adit_fault(fd, "%s: cannot connect: %s", path, strerror(-fd)) : fd;
    }
}

int adit_rendezvous_connect(const char *name, uint64_t timeout_ns, char place[ADIT_PLACE_BYTES])
{
    if (adit_rendezvous_is_path(name)) {
        *place = 0;
        return connect_path(name, timeout_ns);
    }
    if (!adit_rendezvous_name_is_valid(name))
        return adit_fault(-EINVAL, "arena name '%.60s': use 1 to 47 of A-Z a-z 0-9 . _ -, not starting with a dot",
                          name ? name : "");
    int dir = open_directory(place, false);
    if (dir < 0 && dir != -ENOENT)
        return dir;
    int fd = dir < 0 ? dir : connect_in(dir, name, timeout_ns);
    if (dir >= 0)
        close(dir);
    switch (fd) {
    case -ENOENT: return adit_fault(fd, "arena %s: there is none of that name in %s; `adit ls` shows those there are", name, place);
    case -ECONNREFUSED: return adit_fault(-ENOENT, "arena %s: its broker is gone; create it again", name);
    case -EAGAIN: return adit_fault(-ETIMEDOUT, "arena %s: its broker does not answer", name);
    default: return fd < 0 ? adit_fault(fd, "arena %s: cannot connect: %s", name, strerror(-fd)) : fd;
    }
}

int adit_rendezvous_each(int (*each)(const char *name, void *user), void *user)
{
    char place[ADIT_PLACE_BYTES];
    int dir = open_directory(place, false), result = 0;
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir; /* nobody has made an arena yet */
    if (!lock_directory(dir)) {
        sweep_locked(dir);
        (void)flock(dir, LOCK_UN);
    }
    struct dirent **list = NULL;
    int n = scandirat(dir, ".", &list, is_socket_name, alphasort);
    for (int i = 0; i < n; i++) {
        char name[ADIT_NAME_BYTES];
        int fd = !result && name_of(list[i]->d_name, name) ? connect_in(dir, name, ANSWER_NS) : -EINVAL;
        if (fd >= 0) {
            close(fd);
            result = each(name, user);
        }
        free(list[i]);
    }
    free(list);
    close(dir);
    return result;
}
