#include "runtime/key.h"

#include <errno.h>

#include "shm/shm.h"

#define XZ_MAX (1 << 19)
#define Y_MAX (1 << 11)

bool adit_key_try(const struct adit_key *k, uint64_t *packed)
{
    if (k->x < -XZ_MAX || k->x >= XZ_MAX || k->z < -XZ_MAX || k->z >= XZ_MAX || k->y < -Y_MAX || k->y >= Y_MAX ||
        k->lod > 15 || k->world > ADIT_WORLD_MAX)
        return false;
    *packed = (uint64_t)((uint32_t)k->z & 0xfffff) | (uint64_t)((uint32_t)k->x & 0xfffff) << 20 |
              (uint64_t)((uint32_t)k->y & 0xfff) << 40 | (uint64_t)k->lod << 52 | (uint64_t)(k->world + 1) << 56;
    return true;
}

int adit_key_pack(const struct adit_key *key, uint64_t *packed)
{
    if (adit_key_try(key, packed))
        return 0;
    return adit_fault(-ERANGE, "key (%d,%d,%d) lod %u world %u: x and z lie in -524288..524287, y in -2048..2047, "
                      "lod in 0..15, world in 0..%u", key->x, key->y, key->z, key->lod, key->world, ADIT_WORLD_MAX);
}

static int32_t extend(uint64_t v, int bits) { return (int32_t)((uint32_t)v << (32 - bits)) >> (32 - bits); }

struct adit_key adit_key_unpack(uint64_t p)
{
    return (struct adit_key){.x = extend(p >> 20 & 0xfffff, 20), .y = extend(p >> 40 & 0xfff, 12),
                             .z = extend(p & 0xfffff, 20), .lod = (uint8_t)(p >> 52 & 15),
                             .world = (uint8_t)((p >> 56 & 63) - 1)};
}

uint64_t adit_key_beside(uint64_t packed, const int32_t step[3])
{
    struct adit_key k = adit_key_unpack(packed);
    k.x += step[0];
    k.y += step[1];
    k.z += step[2];
    return adit_key_try(&k, &packed) ? packed : 0;
}

uint64_t adit_key_neighbour(uint64_t packed, enum adit_face face)
{
    int32_t step[3] = {0, 0, 0};
    step[adit_face_axis(face)] = face & 1 ? 1 : -1;
    return adit_key_beside(packed, step);
}
