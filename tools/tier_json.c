/* tier_json.c - what is read back may be a file that anybody wrote: every value is looked at before it is taken. */
#include "tools/tier_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/jsonout.h"

#define FORMAT 1

const char *const adit_tier_state_names[ADIT_TIER_STATES] = {"ready", "off", "failed", "absent"};
const char *const adit_tier_kind_names[ADIT_COST_KINDS] = {"mesh", "generate"};
const char *const adit_tier_size_names[ADIT_SIZE_CLASSES] = {"uniform", "sparse", "dense", "noise"};

/* ---- there */

static json_t *cell_json(const struct adit_tier_cell *cell)
{
    json_t *o = json_object();
    adit_jsonout_set_real(o, "fixed_ns", cell->cost.fixed_ns);
    adit_jsonout_set_real(o, "each_ns", cell->cost.each_ns);
    adit_jsonout_set_real(o, "chunks_per_s", cell->chunks_per_s);
    adit_jsonout_set_real(o, "p50_ns", cell->p50_ns);
    adit_jsonout_set_real(o, "p99_ns", cell->p99_ns);
    if (cell->has_energy)
        adit_jsonout_set_real(o, "energy_uj", cell->energy_uj);
    return o;
}

static json_t *cells_json(const struct adit_tier *tier, uint32_t kind)
{
    json_t *o = NULL;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
        if (tier->cell[kind][size].is_measured) {
            o = o ? o : json_object();
            adit_jsonout_set(o, adit_tier_size_names[size], cell_json(&tier->cell[kind][size]));
        }
    return o;
}

static json_t *device_json(const struct adit_tier_device *d)
{
    json_t *o = json_object();
    adit_jsonout_set_text(o, "uuid", d->uuid);
    adit_jsonout_set_text(o, "pci", d->pci);
    adit_jsonout_set_text(o, "driver", d->driver);
    adit_jsonout_set_count(o, "local_bytes", d->local_bytes);
    adit_jsonout_set(o, "software", json_boolean(d->is_software));
    adit_jsonout_set(o, "unified", json_boolean(d->is_unified));
    adit_jsonout_set(o, "imports", json_boolean(d->imports));
    return o;
}

static json_t *tier_json(const struct adit_tier *tier)
{
    json_t *o = json_object();
    adit_jsonout_set_text(o, "name", tier->name);
    adit_jsonout_set_text(o, "long_name", tier->long_name);
    adit_jsonout_set_text(o, "state", adit_tier_state_names[tier->state]);
    if (*tier->why)
        adit_jsonout_set_text(o, "why", tier->why);
    adit_jsonout_set_count(o, "threads", tier->threads);
    adit_jsonout_set(o, "node", tier->node < 0 ? json_null() : json_integer(tier->node));
    for (uint32_t kind = 0; kind < ADIT_COST_KINDS; kind++)
        adit_jsonout_set(o, adit_tier_kind_names[kind], cells_json(tier, kind));
    if (*tier->device.uuid)
        adit_jsonout_set(o, "device", device_json(&tier->device));
    return o;
}

json_t *adit_tier_table_json(const struct adit_tier_table *table)
{
    json_t *o = json_object(), *tiers = json_array();
    adit_jsonout_set_count(o, "format", FORMAT);
    adit_jsonout_set_text(o, "fingerprint", table->fingerprint);
    adit_jsonout_set_count(o, "measured_at_ns", table->measured_at_ns);
    adit_jsonout_set_real(o, "measured_in_s", table->measured_in_s);
    adit_jsonout_set_count(o, "folded_devices", table->folded);
    for (uint32_t i = 0; i < table->n; i++)
        json_array_append_new(tiers, tier_json(&table->tiers[i]));
    adit_jsonout_set(o, "tiers", tiers);
    return o;
}

/* ---- and back */

static bool text_take(const json_t *o, const char *name, char *out, size_t bytes)
{
    const char *text = json_string_value(json_object_get(o, name));
    if (!text || strlen(text) >= bytes)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool count_take(const json_t *o, const char *name, uint64_t most, uint64_t *out)
{
    const json_t *value = json_object_get(o, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > most)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* A figure: finite, not negative. */
static bool real_take(const json_t *o, const char *name, double *out)
{
    const json_t *value = json_object_get(o, name);
    double v = json_number_value(value);
    if (!json_is_number(value) || !isfinite(v) || v < 0)
        return false;
    *out = v;
    return true;
}

static bool flag_take(const json_t *o, const char *name, bool *out)
{
    const json_t *value = json_object_get(o, name);
    *out = json_is_true(value);
    return json_is_boolean(value);
}

static bool cell_take(const json_t *o, struct adit_tier_cell *cell)
{
    cell->is_measured = true;
    cell->has_energy = json_object_get(o, "energy_uj") != NULL;
    return real_take(o, "fixed_ns", &cell->cost.fixed_ns) && real_take(o, "each_ns", &cell->cost.each_ns) &&
           real_take(o, "chunks_per_s", &cell->chunks_per_s) && real_take(o, "p50_ns", &cell->p50_ns) && real_take(o, "p99_ns", &cell->p99_ns) &&
           (!cell->has_energy || real_take(o, "energy_uj", &cell->energy_uj));
}

static bool device_take(const json_t *o, struct adit_tier_device *d)
{
    return text_take(o, "uuid", d->uuid, sizeof d->uuid) && text_take(o, "pci", d->pci, sizeof d->pci) &&
           text_take(o, "driver", d->driver, sizeof d->driver) && count_take(o, "local_bytes", INT64_MAX, &d->local_bytes) &&
           flag_take(o, "software", &d->is_software) && flag_take(o, "unified", &d->is_unified) && flag_take(o, "imports", &d->imports);
}

static bool state_take(const json_t *o, enum adit_tier_state *out)
{
    const char *text = json_string_value(json_object_get(o, "state"));
    for (uint32_t i = 0; text && i < ADIT_TIER_STATES; i++)
        if (!strcmp(text, adit_tier_state_names[i])) {
            *out = (enum adit_tier_state)i;
            return true;
        }
    return false;
}

static bool tier_take(const json_t *o, struct adit_tier *tier)
{
    const json_t *node = json_object_get(o, "node"), *device = json_object_get(o, "device");
    uint64_t threads, node_id = 0;
    bool well = text_take(o, "name", tier->name, sizeof tier->name) && *tier->name &&
                text_take(o, "long_name", tier->long_name, sizeof tier->long_name) && state_take(o, &tier->state) &&
                count_take(o, "threads", UINT32_MAX, &threads) && (json_is_null(node) || count_take(o, "node", INT32_MAX, &node_id));
    if (!well || (tier->state != ADIT_TIER_READY && !text_take(o, "why", tier->why, sizeof tier->why)) || (device && !device_take(device, &tier->device)))
        return false;
    tier->threads = (uint32_t)threads;
    tier->node = json_is_null(node) ? -1 : (int32_t)node_id;
    for (uint32_t kind = 0; kind < ADIT_COST_KINDS; kind++)
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++) {
            const json_t *cell = json_object_get(json_object_get(o, adit_tier_kind_names[kind]), adit_tier_size_names[size]);
            if (cell && !cell_take(cell, &tier->cell[kind][size]))
                return false;
        }
    return true;
}

int adit_tier_table_parse(const json_t *root, struct adit_tier_table **out)
{
    const json_t *tiers = json_object_get(root, "tiers");
    size_t n = json_array_size(tiers);
    uint64_t format = 0, folded = 0;
    *out = NULL;
    if (!json_is_array(tiers) || !n || n > ADIT_TIERS_MAX || !count_take(root, "format", FORMAT, &format) || format != FORMAT)
        return -EBADMSG;
    struct adit_tier_table *t = calloc(1, sizeof *t + n * sizeof *t->tiers);
    if (!t)
        return -ENOMEM;
    bool well = text_take(root, "fingerprint", t->fingerprint, sizeof t->fingerprint) &&
                count_take(root, "measured_at_ns", INT64_MAX, &t->measured_at_ns) && real_take(root, "measured_in_s", &t->measured_in_s) &&
                count_take(root, "folded_devices", UINT32_MAX, &folded);
    t->folded = (uint32_t)folded;
    t->n = (uint32_t)n;
    for (uint32_t i = 0; well && i < n; i++)
        well = tier_take(json_array_get(tiers, i), &t->tiers[i]);
    if (!well)
        adit_tier_table_free(&t);
    *out = t;
    return well ? 0 : -EBADMSG;
}
