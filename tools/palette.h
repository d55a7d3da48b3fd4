/* palette.h - from the material ids of one world to those of an arena, by name.
 *
 * A world numbers its materials as it likes; an arena has one numbering for all its producers, and its rule "the same
 * name always answers the same id" is what makes several producers agree without talking to each other. Volumes of bare
 * numbers (raw, noise50, checker) keep their numbers: their materials are called m<ID> and ask for that very id. Where
 * that id has another name already they get another one, as everybody else.
 *
 * Materials are registered when a chunk first contains them, or all at once with adit_palette_register.
 */
#ifndef ADIT_PALETTE_H
#define ADIT_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/adit.h"
#include "tools/worlds/world.h"

struct adit_palette {
    struct adit_arena *arena;
    const struct adit_world *world;
    bool opaque;     /* register every material as opaque, whatever the world says */
    bool numeric;    /* names are m<ID> */
    uint32_t moved;  /* numbers that could not be kept */
    uint32_t unnamed; /* numbers beyond what the arena can name: kept, opaque, without a colour */
    uint32_t other_class; /* materials that somebody else had registered with another class */
    char error[256]; /* after a failure: what and which cure */
    uint16_t id[ADIT_MATERIALS]; /* valid where known */
    uint8_t known[ADIT_MATERIALS];
    uint32_t used_count;
    uint16_t used[ADIT_MATERIALS]; /* the arena's ids of all registered so far, in that order */
};

/* A palette for world in arena; both must outlive it. NULL when memory is short. */
struct adit_palette *adit_palette_open(struct adit_arena *arena, const struct adit_world *world, bool opaque);
void adit_palette_close(struct adit_palette **palette);

/* Registers all materials of a world with names (nothing for bare numbers: they register as they occur). 0, or a
 * negative errno and palette->error. */
int adit_palette_register(struct adit_palette *palette);

/* Turns a chunk's ids into the arena's, in place. 0, or a negative errno and palette->error. */
int adit_palette_map(struct adit_palette *palette, uint16_t voxels[ADIT_CHUNK_VOXELS]);

#endif
