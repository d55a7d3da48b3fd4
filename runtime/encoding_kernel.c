/* encoding_kernel.c - which loops over voxels this processor runs, and those that are by table everywhere.
 *
 * The choice cannot be seen in any byte, so it is kept in a plain word: two threads that make it at once store the same.
 */
#include "runtime/encoding_tile.h"

#include <stddef.h>
#include <string.h>

#include "kernels/quad.h"
#include "runtime/encoding_lanes.h"
#include "shm/shm.h"

const struct adit_tile_kernel *adit_tile_kernel_named(const char *name)
{
    if (strcmp(name, "portable") == 0)
        return &adit_tile_portable;
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") && !adit_os_is_disabled(name))
        return &adit_tile_avx2;
    return NULL;
}

const struct adit_tile_kernel *adit_tile_kernel_best(void)
{
    static const struct adit_tile_kernel *best;
    const struct adit_tile_kernel *kernel = __atomic_load_n(&best, __ATOMIC_RELAXED); /* points to constant data */
    if (!kernel) {
        kernel = adit_tile_kernel_named("avx2");
        if (!kernel)
            kernel = &adit_tile_portable;
        __atomic_store_n(&best, kernel, __ATOMIC_RELAXED);
    }
    return kernel;
}

void adit_tile_mark(const uint16_t *tile, uint64_t *present)
{
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++) {
        uint64_t bit = 1ull << (tile[i] & 63);
        if (!(present[tile[i] >> 6] & bit)) /* most are marked already: a test, and no store to wait for */
            present[tile[i] >> 6] |= bit;
    }
}

void adit_tile_map(const uint16_t *tile, const uint8_t *index_of, uint8_t *out)
{
#pragma GCC unroll 16
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i++)
        out[i] = index_of[tile[i]];
}

/* 16 voxels at a time: one class where they are one material, nearly always in real worlds, else 16. */
void adit_tile_mask_by_class(const uint16_t *tile, const uint8_t *classes, uint8_t *out, uint32_t *solid, uint32_t *opaque)
{
    uint32_t is_solid = 0, is_opaque = 0;
    for (uint32_t i = 0; i < ADIT_TILE_VOXELS; i += 16) {
        adit_lanes all = adit_lanes_all(tile[i]);
        adit_signed_lanes same = adit_lanes_load(tile + i) == all;
        uint32_t bits = 0;
        for (uint32_t x = ADIT_LANES; x < 16; x += ADIT_LANES)
            same &= adit_lanes_load(tile + i + x) == all;
        if (adit_lanes_hold(same)) {
            uint32_t c = classes[tile[i]];
            bits = c == ADIT_CLASS_OPAQUE ? 0xffff : 0;
            is_opaque += c == ADIT_CLASS_OPAQUE ? 16 : 0;
            is_solid += c == ADIT_CLASS_AIR ? 0 : 16;
        } else {
            for (uint32_t x = 0; x < 16; x++) {
                uint32_t c = classes[tile[i + x]];
                bits |= (uint32_t)(c == ADIT_CLASS_OPAQUE) << x;
                is_opaque += c == ADIT_CLASS_OPAQUE;
                is_solid += c != ADIT_CLASS_AIR;
            }
        }
        memcpy(out + i / 8, &bits, 2);
    }
    *solid += is_solid;
    *opaque += is_opaque;
}
