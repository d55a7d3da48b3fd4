/* processor.h - what this processor may be asked for by a kernel. For the files that choose kernels.
 *
 * A feature is there when the processor has every extension behind it, the operating system saves its registers, and the
 * environment variable ADIT_DISABLE (a comma list, for instance "hugepages,avx512") does not take it away.
 */
#ifndef ADIT_PROCESSOR_H
#define ADIT_PROCESSOR_H

/* For what kernels are compiled, slowest first; the first runs on every processor. */
enum adit_isa { ADIT_ISA_SCALAR, ADIT_ISA_AVX2, ADIT_ISA_AVX512, ADIT_ISAS };

/* The instruction set of that name ("scalar", "avx2", "avx512"), or -1 when there is none, or not here. Here means everything that files of that name are
 * compiled for in kernels/build.ninja. Reads ADIT_DISABLE: ask once. Any thread, as long as none changes the environment. */
int adit_isa_named(const char *name);

/* The best one here; *name (may be NULL) says which. */
enum adit_isa adit_isa_best(const char **name);

#endif
