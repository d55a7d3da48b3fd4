/* shmtop_terminal.h - whether there is a terminal to draw on, asked before anything is drawn.
 */
#ifndef ADIT_SHMTOP_TERMINAL_H
#define ADIT_SHMTOP_TERMINAL_H

#include <stddef.h>

/* Whether stdin and stdout are a terminal that is known and large enough: 0, or an exit code and one line in error. */
int shmtop_terminal_check(char *error, size_t error_bytes);

#endif
