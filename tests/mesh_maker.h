/* mesh_maker.h - meshes for the tests of what is made from meshes: of the generated volumes, and of random quads.
 *
 * A made mesh has room for one quad more than it has quads, in memory of its own that ends before an unreadable page.
 */
#ifndef ADIT_TESTS_MESH_MAKER_H
#define ADIT_TESTS_MESH_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mesh.h"

/* What random quads are like. */
struct mesh_traits {
    uint32_t layers_of_64; /* how many of 64 layers of a range hold quads, about */
    uint32_t quads_max;    /* of such a layer: 1..quads_max */
    uint32_t materials;    /* different ones, at most */
    uint32_t ranges;       /* a set of bits: which may hold quads */
    bool has_ao, has_light;
};

/* The best kernel's mesh of a kind of volumes.h, 62^3 with a border, seed 7; classes "t:4;c:7" or all opaque. */
void mesh_of_kind(const char *kind, bool is_mixed, uint8_t flags, struct adit_mesh_result *mesh);

/* Random quads in the order of mesh.h's layers, with true bounds and faces. They may overlap. */
void mesh_of_chance(uint64_t seed, const struct mesh_traits *traits, struct adit_mesh_result *mesh);

void mesh_free(struct adit_mesh_result *mesh);

#endif
