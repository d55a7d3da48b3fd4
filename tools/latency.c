/* latency.c - bucket of v: v itself below 32, else its five bits after the highest, in the row of that highest bit.
 * The same idea as HdrHistogram's (G. Tene); written from the idea. */
#include "tools/latency.h"

#include <math.h>

#include "tools/jsonout.h"

#define ROW (1u << ADIT_LATENCY_SHIFT)

static uint32_t bucket_of(uint64_t v)
{
    if (v < ROW)
        return (uint32_t)v;
    uint32_t high = 63 - (uint32_t)__builtin_clzll(v);
    return (high - ADIT_LATENCY_SHIFT + 1) * ROW + ((uint32_t)(v >> (high - ADIT_LATENCY_SHIFT)) & (ROW - 1));
}

static uint64_t bucket_middle(uint32_t b)
{
    if (b < ROW)
        return b;
    uint32_t shift = b / ROW - 1;
    return ((uint64_t)(ROW + b % ROW) << shift) + ((1ull << shift) >> 1);
}

void adit_latency_add(struct adit_latency *latency, uint64_t ns)
{
    latency->bucket[bucket_of(ns)]++;
    latency->count++;
}

uint64_t adit_latency_quantile(const struct adit_latency *latency, double share)
{
    uint64_t want = (uint64_t)ceil(share * (double)latency->count), seen = 0;
    for (uint32_t b = 0; b < ADIT_LATENCY_BUCKETS; b++) {
        seen += latency->bucket[b];
        if (seen >= want && seen)
            return bucket_middle(b);
    }
    return 0;
}

json_t *adit_latency_save(const struct adit_latency *latency)
{
    json_t *list = json_array();
    for (uint32_t b = 0; b < ADIT_LATENCY_BUCKETS; b++)
        if (latency->bucket[b])
            json_array_append_new(list, json_pack("[I,I]", (json_int_t)b, (json_int_t)latency->bucket[b]));
    return list;
}

void adit_latency_merge(struct adit_latency *latency, const json_t *saved)
{
    for (size_t i = 0; i < json_array_size(saved); i++) {
        const json_t *pair = json_array_get(saved, i);
        json_int_t b = json_integer_value(json_array_get(pair, 0)), n = json_integer_value(json_array_get(pair, 1));
        if (b < 0 || b >= (json_int_t)ADIT_LATENCY_BUCKETS || n <= 0)
            continue;
        latency->bucket[b] += (uint64_t)n;
        latency->count += (uint64_t)n;
    }
}

json_t *adit_latency_json(const struct adit_latency *latency)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "p50", adit_latency_quantile(latency, 0.5));
    adit_jsonout_set_count(o, "p99", adit_latency_quantile(latency, 0.99));
    adit_jsonout_set_count(o, "samples", latency->count);
    return o;
}
