/* shmtop_map.h - the picture of the screen chunks: the states of one layer of chunks, seen from above; pure.
 *
 *     x to the right, z down:     in half-blocks a character is two chunks, the one of lower z above; else a letter a chunk
 */
#ifndef ADIT_SHMTOP_MAP_H
#define ADIT_SHMTOP_MAP_H

#include "tools/shmtop_look.h"

/* What is looked at: map->at, or, where nobody has chosen, the middle of the layer that has most chunks. False: there are no chunks. */
bool shmtop_map_place(const struct shmtop_look *look, struct adit_key *at);
/* The picture around that, with a line that says what is where, and one about the chunk that is looked at. */
void shmtop_map_draw(const struct shmtop_look *look, struct shmtop_page *page);
/* The letter, and the colour, of a chunk there; NULL: none. */
char shmtop_map_letter(const struct adit_chunk_info *chunk);
enum shmtop_paint shmtop_map_paint(const struct adit_chunk_info *chunk);

#endif
