#include "shm/near.h"

#define SAME 10u
#define UNKNOWN 255u /* the firmware says "unreachable" so */

static uint32_t distance_of(int32_t from, int32_t to)
{
    uint32_t d = from == to ? SAME : adit_numa_distance(from, to);
    return d && d < UNKNOWN ? d : UNKNOWN;
}

/* By insertion. */
void adit_near_order(struct adit_arena *a, uint32_t segment)
{
    uint8_t *near = a->near[segment];
    uint32_t n = a->segments_n - 1;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t other = (uint8_t)((segment - 1 + i) % n + 1);
        uint32_t at = i;
        for (; at && a->distance[segment][near[at - 1]] > a->distance[segment][other]; at--)
            near[at] = near[at - 1];
        near[at] = other;
    }
}

void adit_near_init(struct adit_arena *arena)
{
    arena->homes_n = 0;
    for (uint32_t s = 1; s < arena->segments_n; s++) {
        int32_t node = arena->segments[s].node;
        for (uint32_t k = 1; k < arena->segments_n; k++)
            arena->distance[s][k] = (uint8_t)(s == k ? SAME : distance_of(node, arena->segments[k].node));
        adit_near_order(arena, s);
        if (node < 0 || adit_numa_has_cpus((uint32_t)node))
            arena->homes[arena->homes_n++] = (uint8_t)s;
    }
    if (arena->homes_n)
        return;
    for (uint32_t s = 1; s < arena->segments_n; s++) /* another machine's image, or far nodes alone */
        arena->homes[arena->homes_n++] = (uint8_t)s;
}

uint32_t adit_near_node(const struct adit_arena *arena, int32_t node)
{
    uint32_t nearest = 1, least = UINT32_MAX;
    for (uint32_t s = 1; s < arena->segments_n; s++)
        if (arena->segments[s].node == node)
            return s;
    for (uint32_t s = 1; s < arena->segments_n && arena->segments_n > 2; s++) {
        uint32_t d = distance_of(node, arena->segments[s].node);
        if (d < least) {
            least = d;
            nearest = s;
        }
    }
    return nearest;
}

uint32_t adit_near_here(const struct adit_arena *arena) { return arena->segments_n == 2 ? 1 : adit_near_node(arena, adit_numa_here()); }
