#include "shm/membarrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shm/os.h"

static int command(int which)
{
    return syscall(SYS_membarrier, which, 0, 0) ? -errno : 0;
}

bool adit_membarrier_is_available(void)
{
#ifdef __SANITIZE_THREAD__
    return false;
#else
    const long wanted = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands > 0 && (commands & wanted) == wanted && !adit_os_is_disabled("membarrier");
#endif
}

int adit_membarrier_register(void) { return command(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }
int adit_membarrier_here(void) { return command(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }
int adit_membarrier_everywhere(void) { return command(MEMBARRIER_CMD_GLOBAL); }
