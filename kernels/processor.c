/* processor.c - see processor.h. __builtin_cpu_supports asks CPUID and XGETBV once, so an operating system that does not
 * save the wide registers counts as a processor without them. */
#include "kernels/processor.h"

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

bool adit_processor_has_avx512(void)
{
    return !is_disabled("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq") &&
           __builtin_cpu_supports("gfni") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

bool adit_processor_has_avx2(void)
{
    return !is_disabled("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
