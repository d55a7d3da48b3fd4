#include "tests/segment_map.h"

#include <errno.h>
#include <numa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct segment_map segment_map_of(int i)
{
    struct segment_map found = {0};
    char wanted[32], line[512];
    FILE *smaps = fopen("/proc/self/smaps", "r");

    assert_non_null(smaps);
    snprintf(wanted, sizeof wanted, "/memfd:adit data %d ", i);
    while (fgets(line, sizeof line, smaps)) {
        unsigned long from, to, page_kib;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strstr(line, wanted)) {
            assert_null(found.base);
            found = (struct segment_map){(char *)from, to - from, 0}; /* NOLINT: an address is what it is */
        } else if (found.base && !found.page_bytes && sscanf(line, "KernelPageSize: %lu kB", &page_kib) == 1) {
            found.page_bytes = page_kib << 10;
        }
    }
    fclose(smaps);
    assert_non_null(found.base);
    return found;
}

int segment_map_node(const void *address)
{
    int status = -1;
    (void)*(const volatile char *)address; /* a page of shared memory has no node in a mapping that never touched it */
    assert_return_code(numa_move_pages(0, 1, (void *[]){(void *)(uintptr_t)address}, NULL, &status, 0), errno);
    return status;
}
