/* processor.h - what this processor may be asked for by a kernel. For the files that choose kernels.
 *
 * A feature is there when the processor has every extension behind it, the operating system saves its registers, and the
 * environment variable ADIT_DISABLE (a comma list, for instance "hugepages,avx512") does not take it away.
 */
#ifndef ADIT_PROCESSOR_H
#define ADIT_PROCESSOR_H

#include <stdbool.h>

/* Everything that the edges of the AVX-512 files in kernels/build.ninja are compiled for. Reads ADIT_DISABLE: ask once.
 * Any thread, as long as none changes the environment. */
bool adit_processor_has_avx512(void);

/* The same for the AVX2 files. */
bool adit_processor_has_avx2(void);

#endif
