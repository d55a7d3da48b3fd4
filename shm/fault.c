#include "shm/fault.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char line[512];

int adit_fault(int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return error;
}

const char *adit_fault_detail(void) { return line; }
