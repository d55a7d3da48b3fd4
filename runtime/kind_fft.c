/* kind_fft.c - adit.fft, by KISS FFT (M. Borgerding; BSD-3): mixed radix, real transforms by complex ones of half the length. Its plans hold what a transform works in, so each is
 * one thread's at a time; making one takes longer than using it. */
#include "runtime/kinds.h"

#include <errno.h>
#include <string.h>

#include <kissfft/kiss_fftr.h>

#include "runtime/spares.h"

_Static_assert(sizeof(kiss_fft_cpx) == 2 * sizeof(float), "the library was built for floats");

struct plan {
    kiss_fftr_cfg of;
    kiss_fft_cpx bins[]; /* points / 2 + 1: the library's form of a spectrum */
};

#define SIZES 11u /* 64 to 65,536 */
_Static_assert(ADIT_FFT_POINTS_MIN << (SIZES - 1) == ADIT_FFT_POINTS_MAX, "sizes");
static struct adit_spares spares[SIZES][2];

static struct plan *new_plan(uint32_t points, bool inverse)
{
    struct plan *p = malloc(sizeof *p + (points / 2 + 1) * sizeof *p->bins);
    if (p)
        p->of = kiss_fftr_alloc((int)points, inverse, NULL, NULL);
    if (p && !p->of) {
        free(p);
        p = NULL;
    }
    return p;
}

static void forward(struct plan *p, uint32_t points, const float *samples, float *spectrum)
{
    kiss_fftr(p->of, samples, p->bins);
    spectrum[0] = p->bins[0].r;
    spectrum[1] = p->bins[points / 2].r;
    memcpy(spectrum + 2, p->bins + 1, (points - 2) * sizeof *spectrum);
}

static void inverse(struct plan *p, uint32_t points, const float *spectrum, float *samples)
{
    float scale = 1.0f / (float)points;
    p->bins[0] = (kiss_fft_cpx){spectrum[0], 0};
    p->bins[points / 2] = (kiss_fft_cpx){spectrum[1], 0};
    memcpy(p->bins + 1, spectrum + 2, (points - 2) * sizeof *spectrum);
    kiss_fftri(p->of, p->bins, samples);
    for (uint32_t i = 0; i < points; i++)
        samples[i] *= scale;
}

static int transform(const struct adit_task_run *run, struct plan *p, const struct adit_fft_args *a, const struct adit_kind_io *io)
{
    const float *from = io->from;
    float *to = io->to;
    for (uint32_t i = 0; i < a->count; i++, from += a->points, to += a->points) {
        if (adit_task_should_stop(run))
            return -ECANCELED;
        if (a->inverse)
            inverse(p, a->points, from, to);
        else
            forward(p, a->points, from, to);
    }
    return 0;
}

uint64_t adit_kind_fft_work(const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n)
{
    struct adit_fft_args a;
    (void)args_bytes;
    (void)buffer_bytes;
    (void)buffers_n;
    memcpy(&a, args, sizeof a);
    uint64_t points = a.points ? a.points : 1;
    return (a.count ? a.count : 1) * points * (uint64_t)(63 - __builtin_clzll(points)); /* of arguments that are refused: any number */
}

int adit_kind_fft(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct adit_fft_args a;
    struct adit_kind_io io;
    (void)result;
    (void)result_bytes;
    memcpy(&a, args, sizeof a);
    a.count += !a.count;
    if (adit_kind_io_open(run, &io) || a.points < ADIT_FFT_POINTS_MIN || a.points > ADIT_FFT_POINTS_MAX || a.points & (a.points - 1) || a.inverse > 1 || a.zero)
        return -EINVAL;
    uint64_t bytes = (uint64_t)a.count * a.points * sizeof(float);
    if (io.from_bytes < bytes || io.to_bytes < bytes)
        return -EINVAL;
    struct adit_spares *kept = &spares[__builtin_ctz(a.points / ADIT_FFT_POINTS_MIN)][a.inverse];
    struct plan *p = adit_spares_take(kept);
    p = p ? p : new_plan(a.points, a.inverse);
    if (!p)
        return -ENOMEM;
    int status = transform(run, p, &a, &io);
    if (!adit_spares_give(kept, p)) {
        free(p->of);
        free(p);
    }
    return status;
}
