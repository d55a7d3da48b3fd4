/* skyline.h - rectangles put into a larger one, one after the other: the skyline packer with the rule "bottom left" (J. Jylanki, "A thousand ways to pack the bin", 2010, section 4).
 *
 * What lies above no rectangle is a line of steps. A rectangle goes where its far side gets least far down, and of such places leftmost; what it covers beneath is lost.
 * Given the tallest first it fills mostly more than nine tenths.
 *
 *     width                        x ->
 *     +---------------------+    y  a a a b b c      nodes:  | x 0, y 2, 3 wide | x 3, y 1, 2 wide | ... |
 *     |                     |    |  a a a . . c
 *
 *     struct adit_skyline_node nodes[101];
 *     struct adit_skyline sky;
 *     adit_skyline_init(&sky, 1024, 1024, nodes, 101);     for up to 100 rectangles
 *     if (adit_skyline_place(&sky, w, h, &x, &y)) ... full
 */
#ifndef ADIT_SKYLINE_H
#define ADIT_SKYLINE_H

#include <stdint.h>

struct adit_skyline_node {
    uint32_t x, y, width;
};
struct adit_skyline {
    uint32_t width, height, nodes_n, nodes_max;
    struct adit_skyline_node *nodes; /* the caller's, from left to right, without gaps */
};

/* Empty, of width x height, 1 to 2^24 each. nodes has room for nodes_max of them: one more than rectangles will always do. */
void adit_skyline_init(struct adit_skyline *sky, uint32_t width, uint32_t height, struct adit_skyline_node *nodes, uint32_t nodes_max);

/* Finds a place for another rectangle of width x height, its corner of least coordinates in *x, *y. Pure. -ENOSPC: there is none, or none for a node; -EINVAL: a side is 0. */
int adit_skyline_place(struct adit_skyline *sky, uint32_t width, uint32_t height, uint32_t *x, uint32_t *y);

#endif
