/* fuzz_control.c - hostile segments: the head that attach checks, then any words under the calls of adit.h.
 *
 * An input's first byte says which. Even: records of 6 bytes (where in the head 2, four bytes to put there), then adopting.
 * Odd: records of 9 bytes (where to damage 1, seed of the place 4, seed of the value 4), two bytes a call behind them: as many calls
 * as the second byte says, at most 4. The arena is private memory between guards (hostile_arena.h). */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shm/control.h"
#include "tests/hostile_calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 4u
#define RESTORE_EVERY 64u

static struct hostile h;

static void open_once(void)
{
    void *none = NULL;
    if (h.arena)
        return;
    REQUIRE(!shm_fixture_set_up(&none));
    hostile_open(&h);
    REQUIRE(!shm_fixture_tear_down(&none)); /* the copy needs no socket */
}

static uint64_t word_of(const uint8_t *data, uint32_t bytes)
{
    uint64_t w = 0;
    memcpy(&w, data, bytes);
    return w;
}

static void adopt(const uint8_t *data, size_t size)
{
    static struct adit_arena a;
    for (; size >= 6; data += 6, size -= 6)
        memcpy(h.base[0] + word_of(data, 2) % (sizeof(struct adit_control) - 4), data + 2, 4);
    a = (struct adit_arena){.name = "damaged", .segments_n = 2, .role = ADIT_ROLE_OBSERVER};
    for (uint32_t s = 0; s < 2; s++)
        a.maps[s] = (struct adit_mapping){.base = h.base[s], .bytes = h.bytes[s], .fd = -1};
    int error = adit_control_adopt(&a);
    if (error && error != -EPROTO)
        abort();
    struct adit_stats stats = {.size = sizeof stats};
    if (!error && adit_stats(&a, &stats))
        abort();
    memcpy(h.base[0], h.kept[0], sizeof(struct adit_control));
}

static void work(const uint8_t *data, size_t size)
{
    static uint32_t n;
    uint32_t calls_n = data[0] % (CALLS_MAX + 1);
    const uint8_t *calls = data + 1;
    if (size < 1 + 2 * (size_t)calls_n)
        return;
    data += 1 + 2 * calls_n;
    size -= 1 + 2 * (size_t)calls_n;
    if (n++ % RESTORE_EVERY == 0)
        hostile_restore(&h);
    for (; size >= 9; data += 9, size -= 9) {
        uint64_t seed = word_of(data, 5) + 1, other = word_of(data + 5, 4) + 1;
        uint64_t *word = hostile_place(&h, &seed);
        hostile_poke(&h, word, hostile_value(&h, &other, *word));
    }
    for (uint32_t i = 0; i < calls_n; i++) {
        uint64_t seed = word_of(calls + 2 * i, 2) + 1, used_ns;
        hostile_call_this(&h, calls[2 * i] % hostile_calls_n(), &seed, &used_ns);
    }
    hostile_mend(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    if (size < 2)
        return 0;
    if (data[0] & 1)
        work(data + 1, size - 1);
    else
        adopt(data + 1, size - 1);
    return 0;
}
