#include "runtime/placement.h"

#include "runtime/key.h"
#include "runtime/watch.h"

#define REGION_BITS 17u /* x and z of keys have 20 bits */
#define MIDDLE (1 << 19)

/* From the largest square down: which quarter the cell is in, and the quarter turned so that the curve goes on where it left. */
uint64_t adit_hilbert(uint32_t x, uint32_t z, uint32_t bits)
{
    uint64_t index = 0;
    for (uint32_t s = 1u << (bits - 1); s; s >>= 1) {
        uint32_t right = (x & s) != 0, up = (z & s) != 0, low = s - 1;
        index += (uint64_t)s * s * ((3 * right) ^ up);
        x &= low;
        z &= low;
        if (up)
            continue;
        uint32_t was = right ? low - x : x;
        x = right ? low - z : z;
        z = was;
    }
    return index;
}

/* Layers begin one further each, so that a tower is shared out as well as a plain. */
static uint32_t region_of(const struct adit_key *k, uint32_t n)
{
    uint32_t x = (uint32_t)(k->x + MIDDLE) >> ADIT_REGION_SHIFT, y = (uint32_t)(k->y + MIDDLE) >> ADIT_REGION_SHIFT, z = (uint32_t)(k->z + MIDDLE) >> ADIT_REGION_SHIFT;
    return (uint32_t)((adit_hilbert(x, z, REGION_BITS) + y + k->lod + k->world) % n);
}

static uint32_t wanted(const struct adit_arena *arena, const struct adit_key *k)
{
    switch ((enum adit_placement)arena->placement) {
    case ADIT_PLACE_REGION: return arena->homes[region_of(k, arena->homes_n)];
    case ADIT_PLACE_INTERLEAVED: return arena->homes[(uint32_t)(k->x + k->y + k->z + 3 * MIDDLE) % arena->homes_n];
    case ADIT_PLACE_PRODUCER: break;
    }
    return ADIT_BLOCK_HERE;
}

uint32_t adit_placement_of(const struct adit_arena *arena, uint64_t packed)
{
    if (arena->segments_n == 2)
        return 1;
    struct adit_key key = adit_key_unpack(packed);
    return wanted(arena, &key) | (arena->is_strict ? ADIT_BLOCK_ONLY : 0);
}

uint32_t adit_placement_of_mesh(const struct adit_arena *arena, uint64_t packed, uint32_t segment)
{
    int32_t node;
    if (arena->segments_n == 2)
        return 1;
    if (adit_watch_node(arena, packed, ADIT_WATCH_MESHES, &node))
        return adit_near_node(arena, node);
    return segment ? segment : ADIT_BLOCK_HERE;
}
