#include "tools/tier_energy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool number_read(const char *path, uint64_t *value)
{
    unsigned long long n;
    FILE *f = fopen(path, "re");
    bool well = f && fscanf(f, "%llu", &n) == 1;
    if (well)
        *value = n;
    if (f)
        fclose(f);
    return well;
}

void adit_tier_energy_open(struct adit_tier_energy *energy, const char *root)
{
    memset(energy, 0, sizeof *energy);
    for (uint32_t i = 0; i < ADIT_TIER_DOMAINS_MAX; i++) {
        struct adit_tier_domain *d = &energy->domain[energy->domains_n];
        char range[192];
        uint64_t now;
        int n = snprintf(d->path, sizeof d->path, "%s/intel-rapl:%u/energy_uj", root, i);
        snprintf(range, sizeof range, "%s/intel-rapl:%u/max_energy_range_uj", root, i);
        if (n > 0 && (size_t)n < sizeof d->path && number_read(d->path, &now) && number_read(range, &d->range_uj))
            energy->domains_n++;
    }
}

void adit_tier_energy_look(const struct adit_tier_energy *energy, struct adit_tier_energy_look *look)
{
    for (uint32_t i = 0; i < energy->domains_n; i++)
        if (!number_read(energy->domain[i].path, &look->uj[i]))
            look->uj[i] = UINT64_MAX;
}

double adit_tier_energy_since(const struct adit_tier_energy *energy, const struct adit_tier_energy_look *look)
{
    double sum = 0;
    for (uint32_t i = 0; i < energy->domains_n; i++) {
        uint64_t now, before = look->uj[i];
        if (before != UINT64_MAX && number_read(energy->domain[i].path, &now))
            sum += (double)(now >= before ? now - before : now + energy->domain[i].range_uj - before);
    }
    return sum;
}
