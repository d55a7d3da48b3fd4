/* generate_noise.h - hashes and value noise in 32-bit integers, for generate_terrain.c. All shifts right of signed numbers
 * keep the sign; all products and sums of hashes are modulo 2^32.
 *
 *     m(a):      a ^= a>>16; a *= 7FEB352D; a ^= a>>15; a *= 846CA68B; a ^= a>>16
 *     key(k):    m(low half of seed ^ m(high half of seed + k*27D4EB2F))          k: which noise
 *     H_k(x,y,z) = m(m(m(key(k) ^ x*9E3779B1) + y*85EBCA77) + z*C2B2AE3D)
 *     P_k(x,y,z) = H_k(x,y,z) & 65535                                            a lattice point
 *     L(a,b,w)   = a + ((b-a)*w >> 12)                                           w: 0..4096
 *     W(t)       = ((t*t >> 12) * (12288 - 2*t)) >> 12                           smooth step, t: 0..4095
 *     N2_k,b(x,z): cells of 2^b a side, X = x>>b, wx = W((x mod 2^b) << (12-b)), Z and wz likewise:
 *                L(L(P_k(X,0,Z), P_k(X+1,0,Z), wx), L(P_k(X,0,Z+1), P_k(X+1,0,Z+1), wx), wz)           0..65535
 *     N3_k(x,y,z): cells of 16x8x16, interpolated along y, then z, then x in the same way.
 */
#ifndef ADIT_GENERATE_NOISE_H
#define ADIT_GENERATE_NOISE_H

#include <stdint.h>

static inline uint32_t adit_noise_mix(uint32_t a)
{
    a = (a ^ a >> 16) * 0x7feb352du;
    a = (a ^ a >> 15) * 0x846ca68bu;
    return a ^ a >> 16;
}

static inline uint32_t adit_noise_key(uint64_t seed, uint32_t k)
{
    return adit_noise_mix((uint32_t)seed ^ adit_noise_mix((uint32_t)(seed >> 32) + k * 0x27d4eb2fu));
}

static inline uint32_t adit_noise_hash(uint32_t key, int32_t x, int32_t y, int32_t z)
{
    uint32_t a = adit_noise_mix(key ^ (uint32_t)x * 0x9e3779b1u);
    a = adit_noise_mix(a + (uint32_t)y * 0x85ebca77u);
    return adit_noise_mix(a + (uint32_t)z * 0xc2b2ae3du);
}

static inline int32_t adit_noise_point(uint32_t key, int32_t x, int32_t y, int32_t z)
{
    return (int32_t)(adit_noise_hash(key, x, y, z) & 0xffff);
}

static inline int32_t adit_noise_lerp(int32_t a, int32_t b, int32_t w)
{
    return a + ((b - a) * w >> 12);
}

/* The weight of coordinate a in its cell of 2^bits. */
static inline int32_t adit_noise_weight(int32_t a, uint32_t bits)
{
    int32_t t = (int32_t)((uint32_t)a & ((1u << bits) - 1)) << (12 - bits);
    return ((t * t >> 12) * (12288 - 2 * t)) >> 12;
}

#endif
