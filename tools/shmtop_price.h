/* shmtop_price.h - what runs of a kind cost, as a line through what the arena has learned of them class by class: cost = a + b x work. Pure.
 *
 *     shmtop_price_fit(info.classes, false, &p);         in a worker;  true: in place
 *
 * Each class counts the same, and by how far it is off in proportion, so that long runs do not drown short ones. The work of a class is taken for the middle of it: twice its least (in proportion: each begins
 * at four times the one before). Neither a nor b is below 0.
 */
#ifndef ADIT_SHMTOP_PRICE_H
#define ADIT_SHMTOP_PRICE_H

#include <stdbool.h>

#include "runtime/adit.h"

struct shmtop_price {
    uint32_t classes; /* that were measured; 0: nothing is known */
    bool has_b;       /* two or more were; else a is what that one takes */
    double a_ns, b_ns, off_percent; /* off_percent: how far the worst class is off */
};

void shmtop_price_fit(const struct adit_kind_class classes[ADIT_KIND_CLASSES], bool in_place, struct shmtop_price *out);

#endif
