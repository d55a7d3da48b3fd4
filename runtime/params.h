/* params.h - every params struct of adit.h begins with its size, so that a program built against another one is told. */
#ifndef ADIT_PARAMS_H
#define ADIT_PARAMS_H

#include <errno.h>
#include <stddef.h>

#include "shm/fault.h"

/* 0, or -EMSGSIZE when the size a caller of call set is not wanted. */
static inline int adit_params_check(const char *call, size_t size, size_t wanted)
{
    return size == wanted ? 0
                          : adit_fault(-EMSGSIZE, "%s: params->size is %zu, this library's is %zu; set it to sizeof", call,
                                       size, wanted);
}

#endif
