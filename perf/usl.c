/* usl.c - see usl.h. The normal equations are of three unknowns at most, in a basis that is far from degenerate for small N, so they are solved as they are, by elimination with pivots. */
#include "perf/usl.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define UNKNOWNS 3 /* 1/lambda, sigma/lambda, kappa/lambda */

/* N / X over its own size: row[] . unknowns = 1, so what is left is relative. */
static void make_row(double n, double x, double row[UNKNOWNS])
{
    double weight = x / n;
    row[0] = weight;
    row[1] = weight * (n - 1);
    row[2] = weight * n * (n - 1);
}

/* Solves the first count equations in place; false where they say nothing. */
static bool solve(double m[UNKNOWNS][UNKNOWNS + 1], int count)
{
    for (int column = 0; column < count; column++) {
        int best = column;
        for (int row = column + 1; row < count; row++)
            if (fabs(m[row][column]) > fabs(m[best][column]))
                best = row;
        if (!(fabs(m[best][column]) > 0))
            return false;
        for (int k = 0; k <= UNKNOWNS; k++) {
            double kept = m[column][k];
            m[column][k] = m[best][k];
            m[best][k] = kept;
        }
        for (int row = 0; row < count; row++) {
            double factor = row == column ? 0 : m[row][column] / m[column][column];
            for (int k = 0; k <= UNKNOWNS; k++)
                m[row][k] -= factor * m[column][k];
        }
    }
    for (int row = 0; row < count; row++)
        m[row][UNKNOWNS] /= m[row][row];
    return true;
}

/* The best fit with the unknowns of which is_in is set; the others are 0. Returns the sum of squares of what is left, or INFINITY where there is none of it. */
static double fit(const double *n, const double *x, size_t count, const bool is_in[UNKNOWNS], double unknown[UNKNOWNS])
{
    double m[UNKNOWNS][UNKNOWNS + 1] = {{0}}, left = 0;
    int index[UNKNOWNS], used = 0;
    for (int k = 0; k < UNKNOWNS; k++)
        if (is_in[k])
            index[used++] = k;
    for (size_t i = 0; i < count; i++) {
        double row[UNKNOWNS];
        make_row(n[i], x[i], row);
        for (int a = 0; a < used; a++) {
            for (int b = 0; b < used; b++)
                m[a][b] += row[index[a]] * row[index[b]];
            m[a][UNKNOWNS] += row[index[a]];
        }
    }
    memset(unknown, 0, UNKNOWNS * sizeof *unknown);
    if (!solve(m, used))
        return INFINITY;
    for (int a = 0; a < used; a++)
        unknown[index[a]] = m[a][UNKNOWNS];
    for (size_t i = 0; i < count; i++) {
        double row[UNKNOWNS], sum = -1;
        make_row(n[i], x[i], row);
        for (int k = 0; k < UNKNOWNS; k++)
            sum += row[k] * unknown[k];
        left += sum * sum;
    }
    return unknown[0] > 0 && unknown[1] >= 0 && unknown[2] >= 0 && isfinite(left) ? left : INFINITY;
}

static size_t different(const double *n, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++)
            is_new = is_new && n[k] != n[i];
        found += is_new;
    }
    return found;
}

int usl_fit(const double *n, const double *x, size_t count, struct usl *usl)
{
    static const bool ways[][UNKNOWNS] = {{true, true, true}, {true, true, false}, {true, false, true}, {true, false, false}};
    double best = INFINITY;
    if (count > USL_POINTS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (!(n[i] > 0) || !(x[i] > 0) || !isfinite(n[i]) || !isfinite(x[i]))
            return -EINVAL;
    if (different(n, count) < USL_POINTS_MIN)
        return -EINVAL;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        double unknown[UNKNOWNS], left = fit(n, x, count, ways[w], unknown);
        if (left >= best)
            continue;
        best = left;
        *usl = (struct usl){.lambda = 1 / unknown[0], .sigma = unknown[1] / unknown[0], .kappa = unknown[2] / unknown[0], .error = sqrt(left / (double)count), .points = count};
    }
    return isfinite(best) ? 0 : -EINVAL;
}

double usl_at(const struct usl *usl, double n) { return usl->lambda * n / (1 + usl->sigma * (n - 1) + usl->kappa * n * (n - 1)); }

double usl_peak(const struct usl *usl)
{
    if (!(usl->kappa > 0))
        return INFINITY;
    double peak = usl->sigma < 1 ? sqrt((1 - usl->sigma) / usl->kappa) : 1;
    return peak > 1 ? peak : 1;
}
