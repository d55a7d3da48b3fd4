/* tier_energy.h - what the processors have used, where the kernel tells (Linux, Documentation/power/powercap: intel-rapl, which AMD's have, too).
 *
 *     struct adit_tier_energy energy;
 *     struct adit_tier_energy_look look;
 *     adit_tier_energy_open(&energy, ADIT_TIER_ENERGY_ROOT);
 *     adit_tier_energy_look(&energy, &look);
 *     work();
 *     microjoules = adit_tier_energy_since(&energy, &look);          of all packages, whoever used it
 *
 * Most machines let only root read it, and most guests have none: then there are no domains, and every answer is 0.
 */
#ifndef ADIT_TIER_ENERGY_H
#define ADIT_TIER_ENERGY_H

#include <stdint.h>

#define ADIT_TIER_ENERGY_ROOT "/sys/class/powercap"
#define ADIT_TIER_DOMAINS_MAX 16u

/* Packages, not their parts, which are counted in them. */
struct adit_tier_energy {
    uint32_t domains_n;
    struct adit_tier_domain {
        char path[160];
        uint64_t range_uj; /* the counter starts anew beyond */
    } domain[ADIT_TIER_DOMAINS_MAX];
};
struct adit_tier_energy_look {
    uint64_t uj[ADIT_TIER_DOMAINS_MAX];
};

/* Finds root/intel-rapl:N that can be read. */
void adit_tier_energy_open(struct adit_tier_energy *energy, const char *root);
void adit_tier_energy_look(const struct adit_tier_energy *energy, struct adit_tier_energy_look *look);
/* Microjoules since the look; a counter may have started anew once. */
double adit_tier_energy_since(const struct adit_tier_energy *energy, const struct adit_tier_energy_look *look);

#endif
