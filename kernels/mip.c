#include "kernels/mip.h"

#include <math.h>

/* The texels along an axis that one of the next level covers. */
struct span {
    uint32_t at, n, weight[3];
};

static struct span span_of(uint32_t x, uint32_t dim)
{
    uint32_t m = dim / 2;
    if (dim == 1)
        return (struct span){0, 1, {1}};
    if (dim % 2 == 0)
        return (struct span){2 * x, 2, {1, 1}};
    return (struct span){2 * x, 3, {m - x, m, x + 1}};
}

static double decode(double v) { return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4); }

void adit_mip_srgb_init(struct adit_mip_srgb *s)
{
    s->from[0] = 0;
    for (uint32_t i = 0; i < 256; i++) {
        s->linear[i] = (uint16_t)(decode(i / 255.0) * 65535 + 0.5);
        if (i)
            s->from[i] = (uint16_t)(decode((i - 0.5) / 255) * 65535 + 0.5); /* in the middle, as eyes see it */
    }
}

static uint8_t encode(const struct adit_mip_srgb *s, uint32_t linear)
{
    uint32_t i = 0;
    for (uint32_t step = 128; step; step /= 2) /* the last one whose border is not above it */
        i += s->from[i + step] <= linear ? step : 0;
    return (uint8_t)i;
}

static void halve_texel(const struct adit_mip_srgb *s, const uint8_t *from, uint32_t width, const struct span *across, const struct span *down, uint8_t *to)
{
    uint64_t sum[4] = {0}, all = 0; /* below 2^16 * 2^34 */
    for (uint32_t y = 0; y < down->n; y++)
        for (uint32_t x = 0; x < across->n; x++) {
            const uint8_t *texel = from + ((uint64_t)(down->at + y) * width + across->at + x) * 4;
            uint64_t weight = (uint64_t)down->weight[y] * across->weight[x];
            for (uint32_t c = 0; c < 4; c++)
                sum[c] += weight * (s && c < 3 ? s->linear[texel[c]] : texel[c]);
            all += weight;
        }
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t mean = (uint32_t)((sum[c] + all / 2) / all);
        to[c] = s && c < 3 ? encode(s, mean) : (uint8_t)mean;
    }
}

void adit_mip_halve(const struct adit_mip_srgb *srgb, const uint8_t *from, uint32_t width, uint32_t height, uint8_t *to)
{
    for (uint32_t y = 0; y < adit_mip_half(height); y++) {
        struct span down = span_of(y, height);
        for (uint32_t x = 0; x < adit_mip_half(width); x++, to += 4) {
            struct span across = span_of(x, width);
            halve_texel(srgb, from, width, &across, &down, to);
        }
    }
}
