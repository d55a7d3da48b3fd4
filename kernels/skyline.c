#include "kernels/skyline.h"

#include <errno.h>
#include <string.h>

void adit_skyline_init(struct adit_skyline *sky, uint32_t width, uint32_t height, struct adit_skyline_node *nodes, uint32_t nodes_max)
{
    *sky = (struct adit_skyline){width, height, 1, nodes_max, nodes};
    nodes[0] = (struct adit_skyline_node){0, 0, width};
}

/* How far down the line is beneath a rectangle that begins at node i; UINT32_MAX: it does not fit across. */
static uint32_t level_at(const struct adit_skyline *sky, uint32_t i, uint32_t width)
{
    uint32_t y = 0, covered = 0;
    if (width > sky->width - sky->nodes[i].x)
        return UINT32_MAX;
    for (; covered < width; covered += sky->nodes[i++].width)
        y = sky->nodes[i].y > y ? sky->nodes[i].y : y;
    return y;
}

/* Node i is new: those that it covers go, or become narrower, and neighbours of one height become one. */
static void settle(struct adit_skyline *sky, uint32_t i)
{
    struct adit_skyline_node *n = sky->nodes;
    uint32_t end = n[i].x + n[i].width, k = i + 1;
    while (k < sky->nodes_n && n[k].x + n[k].width <= end)
        k++;
    if (k < sky->nodes_n && n[k].x < end) {
        n[k].width -= end - n[k].x;
        n[k].x = end;
    }
    if (k < sky->nodes_n && n[k].y == n[i].y) {
        n[i].width += n[k].width;
        k++;
    }
    if (i && n[i - 1].y == n[i].y) {
        n[i - 1].width += n[i].width;
        i--;
    }
    memmove(n + i + 1, n + k, (sky->nodes_n - k) * sizeof *n);
    sky->nodes_n -= k - i - 1;
}

int adit_skyline_place(struct adit_skyline *sky, uint32_t width, uint32_t height, uint32_t *x, uint32_t *y)
{
    uint32_t best = UINT32_MAX, best_y = UINT32_MAX;
    if (!width || !height)
        return -EINVAL;
    for (uint32_t i = 0; i < sky->nodes_n; i++) {
        uint32_t level = level_at(sky, i, width);
        if (level < best_y && height <= sky->height && level <= sky->height - height) {
            best = i;
            best_y = level;
        }
    }
    if (best == UINT32_MAX || sky->nodes_n == sky->nodes_max)
        return -ENOSPC;
    *x = sky->nodes[best].x;
    *y = best_y;
    memmove(sky->nodes + best + 1, sky->nodes + best, (sky->nodes_n - best) * sizeof *sky->nodes);
    sky->nodes_n++;
    sky->nodes[best] = (struct adit_skyline_node){*x, best_y + height, width};
    settle(sky, best);
    return 0;
}
