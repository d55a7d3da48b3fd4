/* spares.h - working memory that is dear to make, handed from one task of this process to the next: taken by one, given back, taken by another.
 *
 *     static struct adit_spares plans;
 *     struct plan *p = adit_spares_take(&plans);
 *     if (!p)
 *         p = make();
 *     ...
 *     if (!adit_spares_give(&plans, p))
 *         destroy(p);
 *
 * Any thread; wait-free. What is kept, ADIT_SPARES at most of each, stays until the process ends.
 */
#ifndef ADIT_SPARES_H
#define ADIT_SPARES_H

#include <stdbool.h>
#include <stddef.h>

#define ADIT_SPARES 8u

struct adit_spares {
    void *of[ADIT_SPARES];
};

/* One that nobody has, or NULL. */
static inline void *adit_spares_take(struct adit_spares *s)
{
    for (unsigned i = 0; i < ADIT_SPARES; i++) {
        void *p = __atomic_load_n(&s->of[i], __ATOMIC_RELAXED) ? __atomic_exchange_n(&s->of[i], NULL, __ATOMIC_ACQUIRE) : NULL; /* SPARES:give; relaxed: a look */
        if (p)
            return p;
    }
    return NULL;
}

/* False: as many are kept already; it is still the caller's. */
static inline bool adit_spares_give(struct adit_spares *s, void *p)
{
    for (unsigned i = 0; i < ADIT_SPARES; i++) {
        void *none = NULL;
        if (__atomic_compare_exchange_n(&s->of[i], &none, p, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) /* SPARES:give, pairs with take: what is in it */
            return true;
    }
    return false;
}

#endif
