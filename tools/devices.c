#include "tools/devices.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "gpu/gpu_executor.h"
#include "tools/jsonout.h"
#include "tools/say.h"
#include "tools/tier_table.h"

/* What drivers of GPUs leave: render nodes of the kernel's graphics, NVIDIA's devices, those of WSL. */
static bool is_hardware_likely(void)
{
    static const char *const signs[] = {"/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/dxg"};
    glob_t found = {0};
    bool is_likely = getenv("VK_DRIVER_FILES") || getenv("VK_ICD_FILENAMES"); /* somebody has thought of it */
    for (size_t i = 0; i < sizeof signs / sizeof *signs && !is_likely; i++) {
        is_likely = !glob(signs[i], 0, NULL, &found);
        globfree(&found);
    }
    return is_likely;
}

static bool has_hardware(const struct adit_devices *devices)
{
    for (uint32_t i = 0; i < devices->n; i++)
        if (!devices->executor[i]->is_software)
            return true;
    return false;
}

/* Costs and verdicts of the table, where there is one. */
static void apply_table(const struct adit_devices_wish *wish, struct adit_devices *devices)
{
    const struct adit_tier_params p = {.program = wish->program, .quiet = wish->quiet, .gpus = adit_devices_list(devices),
                                       .wish = wish->measures && has_hardware(devices) ? ADIT_TIERS_USUAL : ADIT_TIERS_CACHED};
    struct adit_tier_table *table;
    uint32_t kept = 0;
    char line[320];
    if (adit_tier_table_get(&p, &table))
        return; /* nothing is known: the dispatcher finds out */
    for (uint32_t i = 0; i < devices->n; i++) {
        struct adit_executor *e = devices->executor[i];
        const struct adit_tier *tier = adit_tier_named(table, e->name);
        if (tier && tier->state == ADIT_TIER_OFF) {
            adit_say_note(wish->program, "%s", adit_tier_why(tier, line, sizeof line));
            continue;
        }
        (void)adit_tier_mesh_costs(tier, e->cost);
        devices->executor[kept++] = e;
    }
    devices->n = kept;
    adit_tier_table_free(&table);
}

int adit_devices_choose(const struct adit_devices_wish *wish, const struct adit_tiers *tiers, struct adit_devices **out)
{
    const struct adit_devices_params params = {.size = sizeof params, .only = tiers->only, .software = !tiers->is_default};
    *out = NULL;
    if (!tiers->devices || (tiers->is_default && !is_hardware_likely()))
        return 0;
    int error = adit_devices_open(&params, out);
    if (error && tiers->is_default)
        return 0;
    if (error) {
        adit_say_error(wish->program, "%s: %s", wish->option, *adit_detail() ? adit_detail() : adit_strerror(error));
        return error;
    }
    apply_table(wish, *out);
    if ((*out)->n)
        return 0;
    adit_devices_close(out);
    if (tiers->is_default)
        return 0;
    adit_say_error(wish->program, "%s: no device is left that makes right meshes; `adit tiers --bench` tries them again", wish->option);
    return -ENODEV;
}

json_t *adit_devices_counts(const struct adit_dispatcher *dispatcher)
{
    json_t *counts = json_object();
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++)
        adit_jsonout_set_count(counts, tier.name, tier.meshed);
    return counts;
}

void adit_devices_tell_lost(const char *program, const struct adit_dispatcher *dispatcher, uint32_t *told)
{
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++) {
        if (!tier.is_lost || *told >> i & 1)
            continue;
        *told |= 1u << i;
        adit_say_note(program, "%s is lost, others mesh in its stead: %s", tier.name, tier.why);
    }
}
