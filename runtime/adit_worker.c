/* adit_worker.c - the program adit-worker: the library, with its calls exported to the shared objects that it loads, and a zygote (zygote.h). */
#include "runtime/zygote.h"

int main(int argc, char **argv) { return adit_zygote_main(argc, argv); }
