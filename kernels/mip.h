/* mip.h - smaller and smaller copies of an image of RGBA, 8 bits a channel, by a box filter.
 *
 * Level n + 1 has half the width and height of level n, rounded down, at least 1, and its texels are the means of those of level n that they cover: two along an axis of even length;
 * three of an odd length of 2 m + 1, with weights m - x, m, x + 1 of the texel at x (S. Guthe and P. Heckbert, "Non-power-of-two mipmap creation", NVIDIA, 2005); all along one
 * of length 1. Colours are sRGB: they are decoded, averaged and encoded (IEC 61966-2-1), alpha is averaged as it is; or, as plain numbers, all four are.
 *
 *     struct adit_mip_srgb srgb;
 *     adit_mip_srgb_init(&srgb);
 *     adit_mip_halve(&srgb, image, width, height, half);        half: adit_mip_half(width) x adit_mip_half(height) texels
 */
#ifndef ADIT_MIP_H
#define ADIT_MIP_H

#include <stdint.h>

#define ADIT_MIP_DIM_MAX 65536u

/* The way to linear values of 16 bits and back. */
struct adit_mip_srgb {
    uint16_t linear[256];
    uint16_t from[256]; /* the least linear value that is encoded as i */
};
/* Some 30 us. */
void adit_mip_srgb_init(struct adit_mip_srgb *srgb);

static inline uint32_t adit_mip_half(uint32_t dim) { return dim > 1 ? dim / 2 : 1; }
/* How many levels there are below one of that size; 0 for 1 x 1. */
static inline uint32_t adit_mip_levels(uint32_t width, uint32_t height) { return 31 - (uint32_t)__builtin_clz(width | height | 1); }

/* Halves an image of width x height texels (1 to ADIT_MIP_DIM_MAX) of 4 bytes, rows one behind the other. srgb: NULL for plain numbers. Pure; from may be memory that others write
 * meanwhile: to is then worthless. */
void adit_mip_halve(const struct adit_mip_srgb *srgb, const uint8_t *from, uint32_t width, uint32_t height, uint8_t *to);

#endif
