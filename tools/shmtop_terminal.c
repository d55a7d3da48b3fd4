/* shmtop_terminal.c - a file of its own, because term.h defines words such as lines and columns as macros. */
#include "tools/shmtop_terminal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/shmtop_view.h"

#include <curses.h>
#include <term.h>

int shmtop_terminal_check(char *error, size_t error_bytes)
{
    const char *term = getenv("TERM");
    int failure = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        snprintf(error, error_bytes, "stdin or stdout is not a terminal; use --batch or --json");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (!term || !*term) {
        snprintf(error, error_bytes, "TERM is not set, so the terminal cannot be drawn on; set it (TERM=xterm) or use --batch");
        return ADIT_EXIT_BAD_INPUT;
    }
    bool can = setupterm(NULL, STDOUT_FILENO, &failure) == OK;
    if (can) {
        can = cursor_address != NULL;
        del_curterm(cur_term);
    }
    if (!can) {
        snprintf(error, error_bytes, "the terminal '%.32s' is not known or cannot move its cursor; set TERM or use --batch", term);
        return ADIT_EXIT_BAD_INPUT;
    }
    struct winsize size;
    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row &&
        (size.ws_col < SHMTOP_WIDTH_MIN || size.ws_row < SHMTOP_HEIGHT_MIN)) {
        snprintf(error, error_bytes, "the terminal has %u columns and %u rows; at least %d and %d are needed, or use --batch",
                 size.ws_col, size.ws_row, SHMTOP_WIDTH_MIN, SHMTOP_HEIGHT_MIN);
        return ADIT_EXIT_BAD_INPUT;
    }
    return 0;
}
