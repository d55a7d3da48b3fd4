/* confine_kinds.h - what the kind "try" of confine_kinds.c tries, by the number that is its argument; its result is 0 where it was let, else the errno. */
#ifndef ADIT_CONFINE_KINDS_H
#define ADIT_CONFINE_KINDS_H

enum confine_try {
    /* what any kind may */
    TRY_NOTHING,
    TRY_MEMORY,
    TRY_SLEEP,
    TRY_THREAD,
    TRY_SIGNAL_SELF,
    TRY_TIMER,
    TRY_STDERR,
    /* what is denied */
    TRY_READ_FILE,
    TRY_LIST_FOLDER,
    TRY_WRITE_FILE,
    TRY_READ_OF_PATH, /* a file opened as a mere name, then read by it */
    TRY_SOCKET,
    TRY_CONNECT, /* by TCP, to nobody */
    TRY_FORK,
    TRY_NEW_CLONE,
    TRY_KILL_PARENT,
    TRY_PARENT_GROUP,
    TRY_CODE,
    TRY_MEMFD,
    TRY_STDIN,
    TRY_LIMITS_OF_PARENT,
    /* what kills */
    TRY_EXECVE,
    TRY_PTRACE,
    TRY_READ_PARENT,
    TRY_MOUNT,
    TRY_UNSHARE,
    TRY_FOREIGN_CALL, /* x86-64: by the number of another ABI */
    TRIES
};

#endif
