/* peer.c - see peer.h. A library of another ABI is refused by its number, before anything else of it is called. */
#include "perf/peer.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes the last n parts off a path. */
static void climb(char *path, int n)
{
    for (char *slash; n > 0 && (slash = strrchr(path, '/')); n--)
        *slash = '\0';
}

void peer_path(const char *file, char *path, size_t bytes)
{
    const char *folder = getenv("ADIT_PEERS");
    char program[PATH_MAX];

    if (folder && *folder) {
        snprintf(path, bytes, "%s%s/%s", folder[0] == '/' ? "" : "./", folder, file);
        return;
    }
    ssize_t got = readlink("/proc/self/exe", program, sizeof program - 1);
    program[got > 0 ? got : 0] = '\0';
    climb(program, 3); /* bin/perf-lab, and the variant */
    snprintf(path, bytes, "%s/peers/%s", program, file);
}

typedef const void *any_function(void);

const void *peer_open(const struct peer_library *library, char *why, size_t why_bytes)
{
    char path[PATH_MAX];
    uint32_t abi;
    peer_path(library->file, path, sizeof path);
    if (access(path, F_OK) != 0) {
        snprintf(why, why_bytes, "no peer at %s; %s, ADIT_PEERS=DIR where it is", path, library->cure);
        return NULL;
    }
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened) {
        snprintf(why, why_bytes, "the peer cannot be opened: %s", dlerror());
        return NULL;
    }
    any_function *function = NULL;
    *(void **)&function = dlsym(opened, library->function); /* as dlopen(3) shows it: ISO C has no such conversion */
    const void *peer = function ? function() : NULL;
    if (peer)
        memcpy(&abi, peer, sizeof abi);
    if (!peer || abi != library->abi) {
        snprintf(why, why_bytes, "%s exports no %s of version %u: build it again with the peer.h of this perf-lab", path, library->function, library->abi);
        dlclose(opened);
        return NULL;
    }
    return peer;
}
