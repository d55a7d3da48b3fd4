/* adit_worker.c - the program adit-worker: the library, with its calls exported to the shared objects that it loads, and a zygote (zygote.h). */
#include <stdio.h>
#include <string.h>

#include "runtime/adit_version.h"
#include "runtime/zygote.h"

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version"))
        return printf("adit-worker %s\n", ADIT_VERSION) < 0;
    return adit_zygote_main(argc, argv);
}
