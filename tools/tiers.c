/* tiers.c - known names stand in a table, from slow to fast, so that "no such tier" and "not on this processor" are
 * two different answers. */
#include "tools/tiers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernels/mesh.h"
#include "tools/say.h"

static const char *const kernels[] = {"scalar", "avx2", "avx512"}; /* slow to fast */
#define KERNELS (sizeof kernels / sizeof *kernels)

static void there_are(char *out, size_t bytes)
{
    size_t n = (size_t)snprintf(out, bytes, "threads");
    for (size_t i = 0; i < KERNELS; i++)
        if (adit_mesh_kernel_named(kernels[i]) && n < bytes)
            n += (size_t)snprintf(out + n, bytes - n, ", %s", kernels[i]);
}

int adit_tiers_choose(const char *program, const char *option, const char *list, const char **kernel)
{
    const char *best = NULL;
    adit_mesh_kernel_best(&best);
    *kernel = list ? NULL : best;
    size_t rank = 0; /* of *kernel in the table, plus one */
    for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        size_t n = strcspn(s, ","), found = 0;
        for (size_t i = 0; i < KERNELS; i++)
            if ((strlen(kernels[i]) == n && !strncmp(kernels[i], s, n)) ||
                (n == 7 && !strncmp(s, "threads", 7) && !strcmp(kernels[i], best)))
                found = i + 1;
        if (!found || !adit_mesh_kernel_named(kernels[found - 1])) {
            char there[96], shown[48];
            there_are(there, sizeof there);
            adit_say_printable(shown, sizeof shown, s, n);
            adit_say_error(program, "%s: %s '%s'; there are: %s", option,
                           found ? "this processor has no tier" : "this build has no tier", shown, there);
            return -EINVAL;
        }
        if (found > rank) {
            rank = found;
            *kernel = kernels[found - 1];
        }
    }
    return 0;
}
