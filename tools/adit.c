/* adit.c - the program: a table of subcommands, help and version. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "runtime/adit_version.h"
#include "tools/command.h"
#include "tools/man_page.h"
#include "tools/say.h"

static const struct adit_command *const commands[] = {
    &adit_command_run,  &adit_command_serve, &adit_command_work, &adit_command_feed, &adit_command_watch, &adit_command_fly,
    &adit_command_mesh, &adit_command_ls,    &adit_command_dump,  &adit_command_check, &adit_command_tiers,
    &adit_command_topo, &adit_command_stats,
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
    printf("adit %s - voxel worlds in shared memory\n\nusage: adit COMMAND [options]\n\n", ADIT_VERSION);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`adit COMMAND --help` tells more; begin with `adit run terrain --picture terrain.png`.\n");
}

static void man_print(void)
{
    adit_man_page_begin("adit", "voxel worlds in shared memory");
    adit_man_page_section("SYNOPSIS");
    puts(".B adit\nCOMMAND [options]");
    adit_man_page_section("COMMANDS");
    for (size_t i = 0; i < COMMANDS; i++)
        adit_man_page_item(commands[i]->name, commands[i]->summary);
    adit_man_page_section("OPTIONS");
    adit_man_page_item("--help", "the list of commands, on stdout");
    adit_man_page_item("--man", "this page, on stdout");
    adit_man_page_item("--version", "which adit this is, on stdout");
    adit_man_page_section("FILES");
    adit_man_page_item("$XDG_RUNTIME_DIR/adit/NAME.sock", "where the arena NAME is served; else /run/adit, else /tmp/adit-UID");
    adit_man_page_item("$XDG_CACHE_HOME/adit", "measured tiers and compiled pipelines; else ~/.cache/adit. It may be removed at any time");
    adit_man_page_section("ENVIRONMENT");
    adit_man_page_item("ADIT_DISABLE", "what to do without, of hugepages,numa,membarrier,pidfd,seccomp,landlock,metrics,avx512,avx2,vulkan,import");
    adit_man_page_item("VK_DRIVER_FILES", "the Vulkan drivers that are asked (the loader's own)");
    adit_man_page_section("SEE ALSO");
    for (size_t i = 0; i < COMMANDS; i++)
        printf(".BR adit\\-%s (1),\n", commands[i]->name);
    puts(".BR adit (3),\n.BR adit\\-worker (1),\n.BR shmtop (1),\n.BR perf\\-lab (1)");
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
        printf("adit %s\n", ADIT_VERSION);
        return finish(ADIT_EXIT_DONE);
    }
    bool help = !strcmp(argv[1], "help");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || (help && argc == 2)) {
        help_print();
        return finish(ADIT_EXIT_DONE);
    }
    if (!strcmp(argv[1], "--man")) {
        man_print();
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
