/* processor.c - see processor.h. __builtin_cpu_supports asks CPUID and XGETBV once, so an operating system that does not
 * save the wide registers counts as a processor without them. */
#include "kernels/processor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whether ADIT_DISABLE, a comma list of words, holds word: adit_os_is_disabled once more, as kernels includes no other folder. */
static bool is_disabled(const char *word)
{
    const char *list = getenv("ADIT_DISABLE");
    size_t length = strlen(word);
    while (list && *list) {
        size_t span = strcspn(list, ",");
        if (span == length && !memcmp(list, word, length))
            return true;
        list += span + (list[span] == ',');
    }
    return false;
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq") &&
           __builtin_cpu_supports("gfni") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static const char *const names[ADIT_ISAS] = {"scalar", "avx2", "avx512"};

static bool is_here(int isa)
{
    return isa == ADIT_ISA_SCALAR || (!is_disabled(names[isa]) && (isa == ADIT_ISA_AVX2 ? has_avx2() : has_avx512()));
}

int adit_isa_named(const char *name)
{
    for (int isa = 0; isa < ADIT_ISAS; isa++)
        if (!strcmp(names[isa], name))
            return is_here(isa) ? isa : -1;
    return -1;
}

enum adit_isa adit_isa_best(const char **name)
{
    int isa = ADIT_ISAS - 1;
    while (!is_here(isa))
        isa--;
    if (name)
        *name = names[isa];
    return (enum adit_isa)isa;
}
