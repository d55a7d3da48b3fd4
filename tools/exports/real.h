/* real.h - the smaller, the larger and the limited of two reals.
 *
 * fminf and fmaxf have rules for NaN that make compilers call the library for them; these are two instructions. With a
 * NaN the second argument is returned, so adit_real_limit always answers within its limits.
 */
#ifndef ADIT_REAL_H
#define ADIT_REAL_H

static inline float adit_real_min(float a, float b) { return a < b ? a : b; }
static inline float adit_real_max(float a, float b) { return a > b ? a : b; }
static inline float adit_real_limit(float a, float low, float high)
{
    return adit_real_min(adit_real_max(a, low), high);
}

static inline double adit_real_min64(double a, double b) { return a < b ? a : b; }
static inline double adit_real_max64(double a, double b) { return a > b ? a : b; }

#endif
