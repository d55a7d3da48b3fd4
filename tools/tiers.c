/* tiers.c - names that are known and not here are told from others, so that "no such tier" and "not on this processor" are
 * two different answers. */
#include "tools/tiers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernels/mesh.h"
#include "shm/shm.h"
#include "tools/say.h"

/* The kernels that this processor has. */
static uint32_t kernels_here(void)
{
    uint32_t set = 0;
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++)
        set |= (adit_mesh_kernel_named(adit_tier_kernel_names[k]) ? 1u : 0) << k;
    return set;
}

static void there_are(char *out, size_t bytes)
{
    size_t n = (size_t)snprintf(out, bytes, "threads");
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++)
        if ((kernels_here() >> k & 1) && n < bytes)
            n += (size_t)snprintf(out + n, bytes - n, ", %s", adit_tier_kernel_names[k]);
    if (n < bytes)
        snprintf(out + n, bytes - n, ", vulkan, vulkan:N");
}

static bool is_word(const char *s, size_t n, const char *word) { return strlen(word) == n && !strncmp(word, s, n); }

/* N below 16. */
int adit_tiers_device(const char *s, size_t n)
{
    int number = is_word(s, n, "vulkan") ? -1 : ADIT_TIERS_NO_DEVICE;
    if (n > 7 && n < 10 && !strncmp(s, "vulkan:", 7) && s[7] >= '0' && s[7] <= '9')
        number = n == 8 ? s[7] - '0' : s[7] == '1' && s[8] >= '0' && s[8] <= '5' ? 10 + s[8] - '0' : number;
    return number;
}

static bool take_device(struct adit_tiers *t, const char *s, size_t n)
{
    int number = adit_tiers_device(s, n);
    if (number == ADIT_TIERS_NO_DEVICE)
        return false;
    t->only |= number < 0 ? 0 : 1u << number;
    t->devices = true;
    return true;
}

/* Which kernels a word asks for; 0: none of this build. */
static uint32_t find_kernels(const char *s, size_t n)
{
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++)
        if (is_word(s, n, adit_tier_kernel_names[k]))
            return 1u << k;
    return is_word(s, n, "threads") ? kernels_here() : 0;
}

static int refuse(const struct adit_tiers_wish *wish, const char *s, size_t n, bool is_known)
{
    char there[96], shown[48];
    there_are(there, sizeof there);
    adit_say_printable(shown, sizeof shown, s, n);
    adit_say_error(wish->program, "%s: %s '%s'; there are: %s", wish->option, is_known ? "this processor has no tier" : "this build has no tier", shown, there);
    return -EINVAL;
}

static const char *widest(uint32_t kernels)
{
    const char *kernel = NULL;
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++)
        if (kernels >> k & 1)
            kernel = adit_tier_kernel_names[k];
    return kernel;
}

static int parse(const struct adit_tiers_wish *wish, struct adit_tiers *out)
{
    const char *list = wish->list;
    *out = (struct adit_tiers){.threads = !list, .devices = !list, .is_default = !list};
    for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        size_t n = strcspn(s, ",");
        uint32_t found = find_kernels(s, n);
        if (!found && take_device(out, s, n))
            continue;
        if (!(found & kernels_here()))
            return refuse(wish, s, n, found);
        out->threads = true;
        out->kernels |= found;
    }
    if (!out->threads || out->is_default)
        out->kernels = kernels_here();
    out->kernel = widest(out->kernels);
    return 0;
}

void adit_tiers_off_add(const char *program, const struct adit_tier *tier, struct adit_tiers *tiers)
{
    char line[320];
    if (program)
        adit_say_note(program, "%s", adit_tier_why(tier, line, sizeof line));
    if (tiers->off_n == ADIT_TIERS_OFF_MAX)
        return;
    struct adit_tiers_off *off = &tiers->off[tiers->off_n++];
    memcpy(off->name, tier->name, sizeof off->name);
    memcpy(off->why, tier->why, sizeof off->why);
}

void adit_tiers_off_tell(struct adit_arena *arena, const struct adit_tiers *tiers)
{
    if (tiers->off_n)
        adit_count(arena, ADIT_COUNT_TIERS_OFF, tiers->off_n);
    for (uint32_t i = 0; i < tiers->off_n; i++) {
        const char *name = tiers->off[i].name;
        int device = adit_tiers_device(name, strlen(name));
        uint64_t maker = device == ADIT_TIERS_NO_DEVICE ? ADIT_MAKER_OTHER : ADIT_MAKER_DEVICE;
        for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++)
            maker = strcmp(name, adit_tier_kernel_names[k]) ? maker : ADIT_MAKER_SCALAR + k;
        adit_event(arena, ADIT_EVENT_TIER_WRONG, adit_clock_ns(), maker, device > 0 ? (uint64_t)device : 0);
    }
}

int adit_tiers_judge(const struct adit_tiers_wish *wish, const struct adit_tier_table *table, struct adit_tiers *tiers)
{
    for (uint32_t k = 0; k < ADIT_TIER_KERNELS; k++) {
        const struct adit_tier *tier = adit_tier_named(table, adit_tier_kernel_names[k]);
        if (!(tiers->kernels >> k & 1) || !tier || tier->state != ADIT_TIER_OFF)
            continue;
        tiers->kernels &= ~(1u << k);
        adit_tiers_off_add(wish->is_told ? NULL : wish->program, tier, tiers);
    }
    const char *fastest = adit_tier_kernel(table, tiers->kernels);
    fastest = fastest ? fastest : widest(tiers->kernels); /* that was never measured: nothing is known against it */
    if (!fastest) {
        adit_say_error(wish->program, "%s: no kernel is left that makes right meshes; `adit tiers --bench` tries them again", wish->option);
        return -ENODEV;
    }
    tiers->kernel = fastest;
    tiers->thread_ns = (uint64_t)adit_tier_thread_ns(table, fastest);
    return 0;
}

int adit_tiers_choose(const struct adit_tiers_wish *wish, struct adit_tiers *out)
{
    const struct adit_tier_params params = {.program = wish->program, .wish = ADIT_TIERS_OF_CPU, .quiet = true};
    struct adit_tier_table *table;
    int error = parse(wish, out);
    if (error || adit_tier_table_get(&params, &table))
        return error; /* without a table nothing is known against any */
    error = adit_tiers_judge(wish, table, out);
    adit_tier_table_free(&table);
    return error;
}
