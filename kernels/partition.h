/* partition.h - cutting a plane region of unit cells into the fewest rectangles.
 *
 * A region is given by which cells belong together: a cell is joined to its right and to its lower neighbour or not.
 * Cutting takes joins away until what stays joined are rectangles, as few as there can be. Regions may have holes, touch
 * at corners and lie inside each other; every one of the plane is cut at once.
 *
 *      u ->                 reflex corner o : three of four cells around a point belong together
 *    v +---+---+---+        good chord      : a line between two reflex corners through the inside of the region
 *      | a   a   a |
 *      +---o . . o-+        a cut along a good chord mends two reflex corners, any other cut one: the fewest rectangles
 *          | a   a |        are had by as many good chords as can be chosen with no two of them meeting
 */
#ifndef ADIT_PARTITION_H
#define ADIT_PARTITION_H

#include <stdint.h>

#include "kernels/quad.h"

/* Bit u of right[v]: cells (u,v) and (u+1,v) belong together; of below[v]: (u,v) and (u,v+1). Bit 63 of every right[] and
 * all of below[63] are 0. Of the four joins around a point three are never without the fourth. */
struct adit_partition {
    uint64_t right[ADIT_CHUNK_DIM], below[ADIT_CHUNK_DIM];
};

/* Cuts every region into the fewest rectangles. Pure, deterministic, any thread; 60 KB of stack; at most some thousand
 * chords, whose matching takes O(crossings * sqrt(chords)). */
void adit_partition_cut(struct adit_partition *joins);

#endif
