/* guest_pages.c - every page size an arena may have, on every node (tests/test_guest.sh makes a machine of two nodes with a page of 1 GiB each and runs this).
 *
 * The kernel's word is taken: smaps for the size of a mapping's pages, move_pages(2) for where each lies.
 */
#include <numa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "tests/segment_map.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static int nodes_n;
static uint16_t voxels[ADIT_CHUNK_VOXELS];

static struct adit_arena *create(uint32_t flags, uint64_t each_bytes)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = each_bytes * (unsigned)nodes_n, .flags = flags};
    struct adit_arena *a = NULL;
    int error = adit_create("pages", &p, &a);
    if (error)
        fail_msg("adit_create: %s: %s", adit_strerror(error), adit_detail());
    return a;
}

/* How many pages of all data segments are not of that size, or not on the node that stats tell. */
static int astray(struct adit_arena *a, uint64_t page_bytes, uint64_t each_bytes)
{
    struct adit_stats s = {.size = sizeof s};
    int n = 0;
    assert_return_code(adit_stats(a, &s), 0);
    assert_int_equal(s.segments_n, nodes_n + 1);
    for (int i = 0; i < nodes_n; i++) {
        const struct segment_map m = segment_map_of(i);
        assert_true(m.bytes >= each_bytes && m.bytes % page_bytes == 0 && s.segments[i + 1].page_bytes == m.page_bytes);
        assert_int_equal(s.segments[i + 1].node, i);
        n += m.page_bytes != page_bytes;
        for (uint64_t at = 0; at < m.bytes; at += page_bytes)
            n += segment_map_node(m.base + at) != i;
    }
    return n;
}

/* Without pages of 1 GiB there are others, and a note. */
static void of_the_rest(void)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 16 * MIB * (unsigned)nodes_n, .flags = ADIT_CREATE_HUGE_1G};
    struct adit_arena *second = NULL;
    assert_return_code(adit_create("second", &p, &second), 0);
    assert_non_null(strstr(adit_notes(second), "1 GiB"));
    adit_detach(&second);
}

/* tried: ADIT_DISABLE=numa, as test_guest.sh does once more */
static void every_page_of_every_size_lies_on_its_node_and_comes_back(void **state)
{
    static const struct {
        uint32_t flags;
        uint64_t page_bytes, each_bytes;
    } sizes[] = {{ADIT_CREATE_SMALL_PAGES, 4096, 8 * MIB}, {0, 2 * MIB, 16 * MIB}, {ADIT_CREATE_HUGE_1G, GIB, GIB}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct adit_key key = {.x = i};
        const struct adit_verify_params deep = {.size = sizeof deep, .flags = ADIT_VERIFY_DEEP | ADIT_VERIFY_QUIET};
        struct adit_arena *a = create(sizes[i].flags, sizes[i].each_bytes);
        assert_int_equal(astray(a, sizes[i].page_bytes, sizes[i].each_bytes), 0);
        assert_string_equal(adit_notes(a), "");
        assert_return_code(adit_chunk_put(a, &key, voxels, NULL), 0);
        assert_int_equal(adit_verify(a, &deep, NULL, NULL), 0);
        if (sizes[i].page_bytes == GIB)
            of_the_rest(); /* now that there are no more: an emulated processor takes seconds to clear them */
        adit_detach(&a);
    }
    struct adit_arena *again = create(ADIT_CREATE_HUGE_1G, GIB); /* they came back */
    assert_string_equal(adit_notes(again), "");
    adit_detach(&again);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_of_every_size_lies_on_its_node_and_comes_back),
    };
    nodes_n = numa_available() < 0 ? 1 : numa_max_node() + 1;
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i * 7 % 1000);
    if (nodes_n < 2) {
        puts("one memory node: tests/test_guest.sh runs this in a machine of several");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
