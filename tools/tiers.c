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
    if (n < bytes)
        snprintf(out + n, bytes - n, ", vulkan, vulkan:N");
}

static bool is_word(const char *s, size_t n, const char *word) { return strlen(word) == n && !strncmp(word, s, n); }

/* "vulkan" or "vulkan:N" with N below 16. */
static bool take_device(struct adit_tiers *t, const char *s, size_t n)
{
    int number = -1;
    if (n > 7 && n < 10 && !strncmp(s, "vulkan:", 7) && s[7] >= '0' && s[7] <= '9')
        number = n == 8 ? s[7] - '0' : s[7] == '1' && s[8] >= '0' && s[8] <= '5' ? 10 + s[8] - '0' : -1;
    if (number < 0 && !is_word(s, n, "vulkan"))
        return false;
    t->only |= number < 0 ? 0 : 1u << number;
    t->devices = true;
    return true;
}

/* Which kernel a word asks for, 1 + its place in the table; 0: none of this build. */
static size_t find_kernel(const char *s, size_t n, const char *best)
{
    for (size_t i = 0; i < KERNELS; i++)
        if (is_word(s, n, kernels[i]) || (is_word(s, n, "threads") && !strcmp(kernels[i], best)))
            return i + 1;
    return 0;
}

static int refuse(const char *program, const char *option, const char *s, size_t n, bool is_known)
{
    char there[96], shown[48];
    there_are(there, sizeof there);
    adit_say_printable(shown, sizeof shown, s, n);
    adit_say_error(program, "%s: %s '%s'; there are: %s", option, is_known ? "this processor has no tier" : "this build has no tier", shown, there);
    return -EINVAL;
}

int adit_tiers_choose(const char *program, const char *option, const char *list, struct adit_tiers *out)
{
    const char *best = NULL;
    adit_mesh_kernel_best(&best);
    *out = (struct adit_tiers){.kernel = best, .threads = !list, .devices = !list, .is_default = !list};
    size_t rank = 0; /* of the kernel in the table, plus one */
    for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        size_t n = strcspn(s, ","), found = find_kernel(s, n, best);
        if (!found && take_device(out, s, n))
            continue;
        if (!found || !adit_mesh_kernel_named(kernels[found - 1]))
            return refuse(program, option, s, n, found);
        out->threads = true;
        if (found > rank) {
            rank = found;
            out->kernel = kernels[found - 1];
        }
    }
    return 0;
}
