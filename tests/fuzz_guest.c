/* fuzz_guest.c - any bytes in a guest's page under the proxy.
 *
 * An input is records of 11 bytes: where (2), what (8), and what happens then (1): bit 7 the proxy looks, the lower bits what others do first
 * (hostile_page.h). A whole input without such a bit is looked at once at its end. */
#include <stdlib.h>
#include <string.h>

#include "tests/hostile_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD 11u
#define RECORDS_MAX 64u

static struct hostile_page h;

static void close_page(void)
{
    void *none = NULL;
    hostile_page_close(&h);
    (void)shm_fixture_tear_down(&none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *none = NULL;
    if (!h.arena) {
        REQUIRE(!shm_fixture_set_up(&none));
        hostile_page_open(&h);
        REQUIRE(!atexit(close_page));
    }
    for (uint32_t n = 0; n < RECORDS_MAX && size >= RECORD; n++, data += RECORD, size -= RECORD) {
        uint16_t where;
        uint64_t what;
        memcpy(&where, data, 2);
        memcpy(&what, data + 2, 8);
        hostile_page_poke(&h, where, what);
        hostile_page_others(&h, data[10] & 15);
        if (data[10] & 128)
            hostile_page_look(&h);
    }
    hostile_page_look(&h);
    return 0;
}
