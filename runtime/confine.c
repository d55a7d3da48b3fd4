#include "runtime/confine.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/adit.h"
#include "runtime/sieve.h"
#include "shm/os.h"

/* Documentation/userspace-api/landlock.rst, newer than the headers that this is built with. */
struct ruleset {
    uint64_t files, ports, scopes;
};
#define FILES_OF_ABI_1 ((1ull << 13) - 1)
#define FILES_OF_ABI_2 ((1ull << 14) - 1) /* to other folders */
#define FILES_OF_ABI_3 ((1ull << 15) - 1) /* truncate */
#define FILES_OF_ABI_5 ((1ull << 16) - 1) /* calls to devices */
#define PORTS 3u           /* TCP: bind, connect */
#define SCOPE_SOCKETS 1u   /* abstract sockets of others */
#define SCOPE_SIGNALS 2u   /* signals to others */

static int landlock_abi(void)
{
    long abi = adit_os_is_disabled("landlock") ? 0 : syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* What is to be handled, so denied: no rule grants any of it. */
static struct ruleset handled(uint32_t needs, int abi)
{
    uint64_t files = abi >= 5 ? FILES_OF_ABI_5 : abi >= 3 ? FILES_OF_ABI_3 : abi >= 2 ? FILES_OF_ABI_2 : FILES_OF_ABI_1;
    if (needs & ADIT_NEEDS_FILES_READ)
        files &= ~(uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
    if (needs & ADIT_NEEDS_FILES_WRITE)
        files &= LANDLOCK_ACCESS_FS_EXECUTE;
    if (needs & ADIT_NEEDS_PROCESSES)
        files &= ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
    bool has_network = needs & ADIT_NEEDS_NETWORK;
    uint64_t scopes = (has_network ? 0 : SCOPE_SOCKETS) | (needs & ADIT_NEEDS_PROCESSES ? 0 : SCOPE_SIGNALS);
    return (struct ruleset){files, abi >= 4 && !has_network ? PORTS : 0, abi >= 6 ? scopes : 0};
}

/* 0: done, or there is nothing to do. */
static int restrict_by_landlock(uint32_t needs, int abi)
{
    struct ruleset r = handled(needs, abi);
    size_t bytes = (abi >= 6 ? 3 : abi >= 4 ? 2 : 1) * sizeof(uint64_t);
    if (!r.files && !r.ports && !r.scopes)
        return 0;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &r, bytes, 0);
    if (fd < 0)
        return -errno;
    int error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, fd, 0) ? -errno : 0;
    close(fd);
    return error;
}

uint32_t adit_confine_available(void)
{
    return (adit_sieve_is_available() ? ADIT_CONFINED_BY_SECCOMP : 0) | (landlock_abi() ? ADIT_CONFINED_BY_LANDLOCK : 0);
}

int adit_confine(uint32_t needs, int memory_fd, uint32_t *by)
{
    struct adit_sieve sieve;
    int abi = landlock_abi(), error = 0;
    *by = 0;
    if (needs & ADIT_NEEDS_ANYTHING)
        return 0;
    (void)adit_memory_all_bytes(); /* looked up while /proc may be read (task_wants.h) */
    if (abi) {
        error = restrict_by_landlock(needs, abi);
        *by |= error ? 0 : ADIT_CONFINED_BY_LANDLOCK;
    }
    if (error || !adit_sieve_is_available())
        return error;
    adit_sieve_make(&sieve, needs, (uint32_t)getpid(), memory_fd); /* last: it takes away the calls of the above */
    error = adit_sieve_install(&sieve);
    *by |= error ? 0 : ADIT_CONFINED_BY_SECCOMP;
    return error;
}
