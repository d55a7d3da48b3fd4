/* anvil_look.h - how a Minecraft block looks, from its name: a colour and a class.
 *
 * Some two hundred blocks stand in a table; the rest follow by rule: dye colour x kind (white_wool .. black_concrete),
 * species of wood x part (oak_log, mangrove_leaves), shape or treatment x base (polished_granite_stairs is granite).
 * A name that no rule knows gets a colour of its own, always the same one.
 *
 * Classes: glass, ice, water, slime, honey and portals are translucent; leaves, plants, torches, rails, ladders, doors,
 * bars, fences and the like are cutout, since one sees past them; everything else is opaque.
 */
#ifndef ADIT_ANVIL_LOOK_H
#define ADIT_ANVIL_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/quad.h"

/* Whether a block of this name is air: air, cave_air and void_air, with or without "minecraft:". */
bool adit_anvil_is_air(const char *name);

/* Whether a table or a rule knows the colour of a block: false for the names of mods. */
bool adit_anvil_is_known(const char *name);

/* The colour (0xRRGGBBAA) and the class of a block, by its name with or without its namespace. */
uint32_t adit_anvil_look(const char *name, enum adit_class *class);

#endif
