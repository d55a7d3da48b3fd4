/* adit.c - the program: a table of subcommands, help and version. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/say.h"

static const struct adit_command *const commands[] = {
    &adit_command_run,  &adit_command_serve, &adit_command_work, &adit_command_feed, &adit_command_watch, &adit_command_fly,
    &adit_command_mesh, &adit_command_ls,    &adit_command_dump,  &adit_command_check, &adit_command_tiers,
    &adit_command_topo,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const struct adit_command *command_named(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static void help_print(void)
{
    printf("adit %s - voxel worlds in shared memory\n\nusage: adit COMMAND [options]\n\n", ADIT_TOOLS_VERSION);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`adit COMMAND --help` tells more; begin with `adit run terrain --picture terrain.png`.\n");
}

static int command_unknown(const char *name)
{
    char shown[48];
    adit_say_error("adit", "no such command: %s; `adit --help` lists what there is",
                   adit_say_printable(shown, sizeof shown, name, strlen(name)));
    return ADIT_EXIT_BAD_INPUT;
}

/* Output that was lost is a failure: a full disk, a closed pipe. */
static int finish(int code)
{
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    if (code != ADIT_EXIT_DONE)
        return code;
    adit_say_error("adit", "cannot write all to stdout; is it closed, or the disk full?");
    return ADIT_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    adit_say_begin();
    if (argc < 2) {
        adit_say_error("adit", "give a command; `adit --help` lists what there is");
        return ADIT_EXIT_BAD_INPUT;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("adit %s\n", ADIT_TOOLS_VERSION);
        return finish(ADIT_EXIT_DONE);
    }
    bool help = !strcmp(argv[1], "help");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || (help && argc == 2)) {
        help_print();
        return finish(ADIT_EXIT_DONE);
    }
    const struct adit_command *command = command_named(argv[help ? 2 : 1]);
    if (!command)
        return command_unknown(argv[help ? 2 : 1]);
    if (help) {
        char *asked[] = {argv[2], (char *)"--help", NULL};
        return finish(command->run(2, asked));
    }
    return finish(command->run(argc - 1, argv + 1));
}
