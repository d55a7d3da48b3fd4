/* command.h - a subcommand of adit: one file each, which exports one constant entry of this table.
 *
 * adit.c lists the entries, finds the one called, and returns what its run() returns: the exit code of the program.
 * A command prints its result on stdout, errors and progress on stderr.
 */
#ifndef ADIT_COMMAND_H
#define ADIT_COMMAND_H

enum adit_exit {
    ADIT_EXIT_DONE = 0,
    ADIT_EXIT_FAILED = 1,
    ADIT_EXIT_BAD_INPUT = 2,      /* usage, a file, an arena that is not there or too small */
    ADIT_EXIT_INTERRUPTED = 130,  /* SIGINT, as shells have it */
};

struct adit_command {
    const char *name;
    const char *summary; /* one line for the list of commands */
    /* argv[0] is the command's name. Returns an adit_exit. */
    int (*run)(int argc, char **argv);
};

extern const struct adit_command adit_command_run, adit_command_serve, adit_command_work, adit_command_feed,
    adit_command_watch, adit_command_mesh, adit_command_ls, adit_command_dump, adit_command_check, adit_command_tiers, adit_command_topo, adit_command_fly, adit_command_stats;

#endif
