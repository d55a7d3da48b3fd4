/* tiers.h - the names of what can mesh in this build, as users give and read them.
 *
 *   threads   worker threads of the dispatcher with the fastest kernel of this processor
 *   scalar    worker threads with the portable kernel
 *   avx2      worker threads with the AVX2 kernel, where the processor has it
 *   avx512    worker threads with the AVX-512 kernel, where the processor has it
 *
 * Of several in a list the fastest is taken. Figures name the kernel that ran.
 */
#ifndef ADIT_TIERS_H
#define ADIT_TIERS_H

/* Chooses from a list such as "scalar,avx512" (NULL: the best there is). *kernel becomes the name of a kernel. 0, or
 * -EINVAL after one line that lists what there is; option is how the user gave it, for that line. */
int adit_tiers_choose(const char *program, const char *option, const char *list, const char **kernel);

#endif
