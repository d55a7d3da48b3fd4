/* usl.h - the universal scalability law, fitted to measured points: what N workers bring together,
 *
 *     X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1))
 *
 * (Gunther, Guerrilla Capacity Planning, Springer 2007, chapters 4 to 6). lambda: what one brings; sigma: the share that is done one after the other; kappa: what keeping each other informed costs.
 *
 * The fit is linear: N / X = 1/lambda + sigma/lambda (N - 1) + kappa/lambda N (N - 1), least squares of the relative error, as times of all sizes are known equally well in their own measure. sigma and kappa are
 * not let below 0: where the best fit has one there, the best without it is taken, so superlinear points end at sigma 0.
 *
 * What it says of N that were not measured is a prediction. It knows of nothing that has not begun to tell at the measured N: a second socket, a full memory bus, a table of locks.
 */
#ifndef PERF_USL_H
#define PERF_USL_H

#include <stddef.h>
#include <stdint.h>

#define USL_POINTS_MIN 3 /* of different N; with three the curve goes through them and error says nothing */
#define USL_POINTS_MAX 64

struct usl {
    double lambda, sigma, kappa;
    double error;  /* root of the mean square of what is left, relative */
    size_t points;
};

/* Fits points (n[i], x[i]): workers, and what they did a second, both above 0. Returns 0, or -EINVAL: fewer than USL_POINTS_MIN different n, more than USL_POINTS_MAX points, or one that is no such number. */
int usl_fit(const double *n, const double *x, size_t count, struct usl *usl);

double usl_at(const struct usl *usl, double n);
/* The number of workers beyond which more bring less; INFINITY where kappa is 0, 1 where it is there already. */
double usl_peak(const struct usl *usl);

#endif
