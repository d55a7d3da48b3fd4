/* adit_version.c - the version that the library was built as, for programs that were compiled against another one. */
#include "runtime/adit_version.h"

const char *adit_version(void) { return ADIT_VERSION; }
