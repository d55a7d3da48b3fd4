/* anvil_numeric.h - the block names of today for the numeric ids of Minecraft 1.2 to 1.12.
 *
 * Until 1.12 a voxel is an id (8 bits, 12 with the Add nibbles) and 4 bits of data. Where the data choose a material
 * (species of wood, colour of wool, kind of stone) the name says which; where they choose a facing or a growth stage,
 * they are dropped. Ids that the game never had are named "numeric:ID".
 * Source: minecraft.wiki, "Java Edition data values/Pre-flattening".
 */
#ifndef ADIT_ANVIL_NUMERIC_H
#define ADIT_ANVIL_NUMERIC_H

#include <stddef.h>
#include <stdint.h>

#define ADIT_ANVIL_NAME_BYTES 256 /* no block name that is read or made is longer, its end included */

/* Writes the name of id (0..4095) with data (0..15), for example "minecraft:light_blue_wool". */
void adit_anvil_numeric_name(uint32_t id, uint32_t data, char name[ADIT_ANVIL_NAME_BYTES]);

/* The 16 dye colours in the order of their data values: "white" .. "black". */
extern const char *const adit_anvil_dyes[16];

#endif
