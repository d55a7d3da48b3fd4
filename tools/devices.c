#include "tools/devices.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "tools/jsonout.h"
#include "tools/say.h"

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

int adit_devices_choose(const char *program, const char *option, const struct adit_tiers *tiers, struct adit_devices **out)
{
    const struct adit_devices_params params = {.size = sizeof params, .device = tiers->device, .software = !tiers->is_default};
    *out = NULL;
    if (!tiers->devices || (tiers->is_default && !is_hardware_likely()))
        return 0;
    int error = adit_devices_open(&params, out);
    if (!error || tiers->is_default)
        return 0;
    adit_say_error(program, "%s: %s", option, *adit_detail() ? adit_detail() : adit_strerror(error));
    return error;
}

json_t *adit_devices_counts(const struct adit_dispatcher *dispatcher)
{
    json_t *counts = json_object();
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++)
        adit_jsonout_set_count(counts, tier.name, tier.meshed);
    return counts;
}

void adit_devices_tell_lost(const char *program, const struct adit_dispatcher *dispatcher)
{
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++)
        if (tier.is_lost)
            adit_say_note(program, "%s is lost, others mesh in its stead: %s", tier.name, tier.why);
}
