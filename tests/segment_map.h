/* segment_map.h - what the kernel says of an arena's memory: smaps for the size of a segment's pages, move_pages(2) for where a page lies. Fails the test where it cannot say.
 */
#ifndef ADIT_TESTS_SEGMENT_MAP_H
#define ADIT_TESTS_SEGMENT_MAP_H

#include <stddef.h>

struct segment_map {
    char *base;
    size_t bytes, page_bytes;
};

/* The mapping of data segment i, from 0, of the one arena this process has attached. */
struct segment_map segment_map_of(int i);
/* The node of the page of an address, which is touched. */
int segment_map_node(const void *address);

#endif
