/* worker_program.h - where the program adit-worker lies, and how it is started. */
#ifndef ADIT_WORKER_PROGRAM_H
#define ADIT_WORKER_PROGRAM_H

#include <limits.h>
#include <sys/types.h>

/* Its path: wanted, else $ADIT_WORKER; else beside this program, in ../bin or ../../bin from there, else likewise beside the library, else in a folder of $PATH: so it is found in a build tree, below any prefix, where libraries lie in a folder of
 * their architecture, and by a program elsewhere that has the library in it. -ENOENT: none of these can be run; adit_detail names them. Whoever has more rights than who started it (setuid) heeds no environment. */
int adit_worker_program_find(const char *wanted, char path[PATH_MAX]);

/* Starts it with argv (argv[0] the path) and a socket as ADIT_ZYGOTE_FD, its other end in *socket; standard input is /dev/null, no signal is blocked
 * or ignored. 0 or a negative errno. It is a child of the calling thread, whose end it takes for this process's. */
int adit_worker_program_start(char *const *argv, pid_t *pid, int *socket);

#endif
