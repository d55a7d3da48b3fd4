#include "tools/devices.h"

#include <errno.h>
#include <string.h>
#include <glob.h>
#include <stdlib.h>

#include "gpu/gpu_executor.h"
#include "tools/jsonout.h"
#include "tools/say.h"

/* What drivers of GPUs leave: render nodes of the kernel's graphics, NVIDIA's devices, those of WSL. */
bool adit_devices_are_likely(void)
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
static int apply_table(const struct adit_tiers_wish *wish, struct adit_tiers *tiers, struct adit_devices *devices)
{
    const struct adit_tier_params p = {.program = wish->program, .quiet = wish->quiet, .gpus = adit_devices_list(devices),
                                       .wish = wish->measures && has_hardware(devices) ? ADIT_TIERS_USUAL : ADIT_TIERS_CACHED};
    struct adit_tier_table *table;
    uint32_t kept = 0;
    if (adit_tier_table_get(&p, &table))
        return 0; /* nothing is known: the dispatcher finds out */
    for (uint32_t i = 0; i < devices->n; i++) {
        struct adit_executor *e = devices->executor[i];
        const struct adit_tier *tier = adit_tier_named(table, e->name);
        if (tier && tier->state == ADIT_TIER_OFF) {
            adit_tiers_off_add(wish->program, tier, tiers);
            continue;
        }
        (void)adit_tier_mesh_costs(tier, e->cost);
        devices->executor[kept++] = e;
    }
    devices->n = kept;
    int error = adit_tiers_judge(wish, table, tiers);
    adit_tier_table_free(&table);
    return error;
}

static void tell_without(const struct adit_tiers_wish *wish)
{
    if (wish->policy)
        adit_say_note(wish->program, "--policy %s says how devices get their shares, and there is no device: it changes nothing", wish->policy);
}

int adit_devices_choose(const struct adit_tiers_wish *wish, struct adit_tiers *tiers, struct adit_devices **out)
{
    const struct adit_devices_params params = {.size = sizeof params, .only = tiers->only, .software = !tiers->is_default};
    *out = NULL;
    int error = 0;
    bool is_without = !tiers->devices || (tiers->is_default && !adit_devices_are_likely());
    if (!is_without)
        error = adit_devices_open(&params, out);
    if (is_without || (error && tiers->is_default)) {
        tell_without(wish);
        return 0;
    }
    if (error) {
        adit_say_error(wish->program, "%s: %s", wish->option, *adit_detail() ? adit_detail() : adit_strerror(error));
        return error;
    }
    error = apply_table(wish, tiers, *out);
    if (!error && (*out)->n)
        return 0;
    adit_devices_close(out);
    if (error)
        return error;
    if (tiers->is_default) {
        tell_without(wish);
        return 0;
    }
    adit_say_error(wish->program, "%s: no device is left that makes right meshes; `adit tiers --bench` tries them again", wish->option);
    return -ENODEV;
}

static bool is_processes(const struct adit_tier_info *tier) { return !strcmp(tier->name, "processes"); }

json_t *adit_devices_counts(const struct adit_dispatcher *dispatcher)
{
    json_t *counts = json_object();
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++)
        if (!is_processes(&tier))
            adit_jsonout_set_count(counts, tier.name, tier.meshed);
    return counts;
}

static const struct adit_column columns[] = {
    {"AFTER", 10, "when it decided, from the first of these decisions on"},
    {"BACKLOG", 8, "chunks that waited then"},
    {"TAKEN", 8, "chunks of these that the device went for"},
    {"FIXED", 10, "what a batch was held to cost it, however small"},
    {"EACH", 10, "what each chunk was held to add to that"},
    {"A THREAD'S", 10, "what a chunk was held to cost a thread; -: there is none"},
    {" WHY", 0, "the reason, or the policy's name"},
};
const struct adit_columns adit_devices_columns = {"decisions (--explain)", columns, sizeof columns / sizeof *columns};

static void explain_one(const struct adit_dispatcher *dispatcher, uint32_t tier, const char *name)
{
    struct adit_share_report r = {.size = sizeof r};
    uint32_t n = 0;
    while (!adit_dispatcher_explain(dispatcher, tier, n, &r))
        n++;
    if (!n) {
        fprintf(stderr, "%s: nothing waited whenever it looked: threads and processes took all\n", name);
        return;
    }
    uint64_t first_ns = r.at_ns;
    fprintf(stderr, "%s: its last %u decisions\n", name, n);
    adit_columns_print(&adit_devices_columns, stderr);
    for (uint32_t i = n; i--;)
        if (!adit_dispatcher_explain(dispatcher, tier, i, &r))
            fprintf(stderr, "%10s %8u %8u %10s %10s %10s  %s\n", ADIT_SAY_DURATION((double)(r.at_ns > first_ns ? r.at_ns - first_ns : 0)), r.backlog, r.taken, ADIT_SAY_DURATION((double)r.fixed_ns),
                    ADIT_SAY_DURATION((double)r.each_ns), r.threads ? ADIT_SAY_DURATION((double)r.thread_ns) : "-", r.why);
}

void adit_devices_explain(const char *program, const struct adit_dispatcher *dispatcher)
{
    struct adit_tier_info tier;
    uint32_t devices = 0;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++) {
        if (is_processes(&tier))
            continue;
        devices++;
        explain_one(dispatcher, i, tier.name);
    }
    if (!devices)
        adit_say_note(program, "there is no device to decide about: threads and processes took all");
}

bool adit_devices_processes(const struct adit_dispatcher *dispatcher, struct adit_tier_info *info)
{
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, info); i++)
        if (is_processes(info))
            return true;
    return false;
}

json_t *adit_devices_processes_json(const struct adit_tier_info *info)
{
    return json_pack("{s:I,s:I,s:I}", "meshed", (json_int_t)info->meshed, "deaths", (json_int_t)info->deaths, "given_up", (json_int_t)info->given_up);
}

int adit_devices_check(const struct adit_tiers_wish *wish, const struct adit_tiers *tiers, uint64_t processes)
{
    enum adit_route_policy policy;
    if (wish->policy && adit_route_policy_named(wish->policy, &policy)) {
        adit_say_error(wish->program, "--policy: %s", adit_detail());
        return -EINVAL;
    }
    if (tiers->threads || !processes)
        return 0;
    adit_say_error(wish->program, "%s %s leaves --worker-processes nothing to do; add threads to the list, or leave that out", wish->option, wish->list);
    return -EINVAL;
}

void adit_devices_tell_lost(const char *program, const struct adit_dispatcher *dispatcher, struct adit_devices_told *told)
{
    struct adit_tier_info tier;
    for (uint32_t i = 1; dispatcher && !adit_dispatcher_tier(dispatcher, i, &tier); i++) {
        if (is_processes(&tier) && tier.given_up > told->given_up) {
            told->given_up = tier.given_up;
            adit_say_note(program, "%s", tier.why);
        }
        if (!tier.is_lost || told->lost >> i & 1)
            continue;
        told->lost |= 1u << i;
        adit_say_note(program, "%s is lost, others mesh in its stead: %s", tier.name, tier.why);
    }
}
