/* peer_level.h - the level files of the demonstration of "binary greedy meshing" (github.com/cgerikj/binary-greedy-meshing), so that a
 * peer can be measured on the terrain that its own figures are of. From src/data/level_file.h and rle.h there:
 *
 *     byte      what
 *     0         size: the level is size x size chunks
 *     1         size * size entries of 12 bytes, little endian: key, first byte of the chunk in the file, its length in bytes
 *     ...       chunks: pairs (material, how many), which together give 64^3 voxels, z running fastest, then x, then y
 *
 * A chunk is 62 voxels from the next; its outermost layer is its neighbours'. The file may hold any bytes: what does not add up is refused.
 */
#ifndef PERF_PEER_LEVEL_H
#define PERF_PEER_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#define PEER_LEVEL_FILE "demo_terrain_64" /* beside the peer's library */

/* Chunks that the table of a level of so many bytes has. Returns 0 when the bytes hold no whole table. */
uint32_t peer_level_chunks(const uint8_t *level, size_t bytes);

/* Fills volume, byte (z*64 + y)*64 + x, with chunk number i of the table. Returns 0; or -EBADMSG when there is no such chunk, when it leaves the
 * file, or when its pairs do not give 64^3 voxels: volume is then worthless. */
int peer_level_chunk(const uint8_t *level, size_t bytes, uint32_t i, uint8_t volume[64 * 64 * 64]);

#endif
