/* oracle.c - see oracle.h. */
#include "tests/oracle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SOURCE "../shared/oracle/voxoracle.c"

static char program[64];

void oracle_open(void)
{
    char command[256];
    assert_true(!mkdir("build", 0777) || errno == EEXIST);
    assert_true(!mkdir("build/oracle", 0777) || errno == EEXIST);
    if (access(SOURCE, R_OK))
        return;
    snprintf(program, sizeof program, "build/oracle/voxoracle.%d", (int)getpid());
    snprintf(command, sizeof command, "cc -O2 -std=c11 -w -o %s %s", program, SOURCE);
    assert_int_equal(system(command), 0);
}

void oracle_close(void)
{
    if (*program)
        unlink(program);
}

const char *oracle_program(void)
{
    return *program ? program : NULL;
}

int oracle_run(const char *command, char *line, int n)
{
    FILE *pipe = popen(command, "r");
    char rest[256];
    assert_non_null(pipe);
    line[0] = '\0';
    if (fgets(line, n, pipe))
        while (fgets(rest, sizeof rest, pipe))
            ;
    return pclose(pipe);
}
