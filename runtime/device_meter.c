#include "runtime/device_meter.h"

/* A gauge that says `was` by this meter says `is` from now on. */
static void tell(const struct adit_device_meter *m, uint32_t first, uint64_t *was, uint64_t is)
{
    if (m->arena && is != *was)
        adit_count(m->arena, first + m->device, is - *was); /* what is less is added modulo 2^64 */
    *was = is;
}

void adit_device_meter_begin(struct adit_device_meter *m, struct adit_arena *arena, uint32_t device)
{
    *m = (struct adit_device_meter){.arena = device < ADIT_LABEL_N_DEVICE ? arena : NULL, .device = device};
    if (m->arena)
        adit_count(arena, ADIT_COUNT_DEVICE_TIERS + device, 1);
}

void adit_device_meter_price(struct adit_device_meter *m, uint64_t fixed_ns, uint64_t each_ns)
{
    tell(m, ADIT_COUNT_DEVICE_FIXED_NS, &m->fixed_ns, fixed_ns);
    tell(m, ADIT_COUNT_DEVICE_EACH_NS, &m->each_ns, each_ns);
}

void adit_device_meter_under_way(struct adit_device_meter *m, uint64_t chunks, uint64_t now_ns)
{
    if (m->arena && m->chunks && now_ns > m->busy_from_ns)
        adit_count(m->arena, ADIT_COUNT_DEVICE_BUSY_NS + m->device, now_ns - m->busy_from_ns);
    m->busy_from_ns = now_ns;
    tell(m, ADIT_COUNT_DEVICE_CHUNKS, &m->chunks, chunks);
}

void adit_device_meter_made(const struct adit_device_meter *m)
{
    if (m->arena)
        adit_count(m->arena, ADIT_COUNT_DEVICE_MESHES + m->device, 1);
}

void adit_device_meter_lost(struct adit_device_meter *m)
{
    if (m->arena && !m->is_lost)
        adit_count(m->arena, ADIT_COUNT_DEVICE_OFF + m->device, 1);
    m->is_lost = true;
}

void adit_device_meter_end(struct adit_device_meter *m)
{
    adit_device_meter_under_way(m, 0, m->busy_from_ns);
    adit_device_meter_price(m, 0, 0);
    if (m->arena && m->is_lost)
        adit_count(m->arena, ADIT_COUNT_DEVICE_OFF + m->device, UINT64_MAX);
    if (m->arena)
        adit_count(m->arena, ADIT_COUNT_DEVICE_TIERS + m->device, UINT64_MAX);
    m->arena = NULL;
}
