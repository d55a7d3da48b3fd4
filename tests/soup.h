/* soup.h - the polygons of an exported file, whatever its format, and the judges of them.
 *
 * Readers know the formats and nothing of the writers; what a format does not allow fails the test. Positions are those of
 * the file (glTF: with the node's translation). PLY has no normals and no material numbers: normal is 0, material 0.
 */
#ifndef ADIT_TESTS_SOUP_H
#define ADIT_TESTS_SOUP_H

#include <stddef.h>
#include <stdint.h>

#include "tests/export_world.h"

struct polygon {
    uint32_t sides; /* 3 or 4 */
    uint32_t material;
    double at[4][3], normal[3];
};

struct soup {
    struct polygon *polygons;
    size_t count, max;
};

/* By the extension of path: .obj, .ply, .glb. Free with soup_free. */
void soup_read(struct soup *soup, const char *path);
void soup_free(struct soup *soup);

/* Negates an axis of all positions and normals: what a mirrored transform does. */
void soup_mirror(struct soup *soup, uint32_t axis);

/* Polygons, taken the way they wind, that do not face where the normal says, or have no area. */
uint64_t soup_wrong_normals(const struct soup *soup);

/* How often a corner lies strictly inside an edge, counted once for each polygon's edge and place; *points, if not NULL: places that
 * are both a corner and inside an edge. All positions must be whole and within 0..dim of the world. */
uint64_t soup_t_junctions(const struct soup *soup, const uint32_t dim[3], uint64_t *points);

/* Enters all polygons into the world's ledger: those of four corners as rectangles, triangles by which of the unit faces'
 * sample points (one in each, number sample of 3) they hold. Returns twice the area of all. */
double soup_cover(const struct soup *soup, struct export_world *world, uint32_t sample);

#endif
