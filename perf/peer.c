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

const struct peer_mesher *peer_open(char *why, size_t why_bytes)
{
    char path[PATH_MAX];
    peer_path(PEER_LIBRARY, path, sizeof path);
    if (access(path, F_OK) != 0) {
        snprintf(why, why_bytes, "no peer at %s; perf/peer.h says how to make one, ADIT_PEERS=DIR where it is", path);
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(why, why_bytes, "the peer cannot be opened: %s", dlerror());
        return NULL;
    }
    peer_function *function = NULL;
    *(void **)&function = dlsym(library, PEER_FUNCTION); /* as dlopen(3) shows it: ISO C has no such conversion */
    const struct peer_mesher *peer = function ? function() : NULL;
    if (!peer || peer->abi != PEER_ABI) {
        snprintf(why, why_bytes, "%s exports no %s of version %u: build it again with perf/peer.h", path, PEER_FUNCTION, PEER_ABI);
        dlclose(library);
        return NULL;
    }
    return peer;
}
