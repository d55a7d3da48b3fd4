/* exact.h - a mesh with the fewest quads there can be, made from any mesh of the same faces.
 *
 * Greedy meshing leaves 0 to 2 % more quads than needed in worlds (17 % in a layer of T shapes), which costs a renderer nothing and an exported file a little. The exact
 * mesh covers the same unit faces with as few rectangles as each region of one face, layer, class and material can be
 * cut into (kernels/partition.h says how). It needs no voxels, only the quads: what is visible was settled by whoever
 * made them, so borders, classes and ADIT_MESH_TT_NONE hold as they did, and the meshes that lie in an arena
 * can be made exact on their way out.
 *
 *     struct adit_mesh_result result = { .quads = quads, .quads_max = max };
 *     int status = mesh(&source, &result);       any kernel, greedy or culled
 *     if (!status)
 *         status = adit_mesh_exact(&result);
 *
 * Faces belong to one region if all the bits of their quads beyond place and size agree: material, AO and light. A
 * quad whose four corners differ in AO is left as it is: what may be merged with it depends on its gradient.
 */
#ifndef ADIT_EXACT_H
#define ADIT_EXACT_H

#include "kernels/mesh.h"

/* Replaces result's quads, in place, by the exact mesh of the same faces: never more of them; ranges and order as in mesh.h,
 * bounds and faces unchanged. Where AO is even the outcome depends on the faces alone, not on the quads that covered them. Quads must be
 * memory that no peer writes. Pure: no system call, no allocation, any thread; at most 128 KiB of stack. About a millisecond a
 * chunk, more for noise. Returns 0; or -EINVAL, with result an empty mesh, when it was no mesh: more quads than
 * quads_max, ranges or layers out of order, a quad that leaves the chunk or covers what another does. */
int adit_mesh_exact(struct adit_mesh_result *result);

#endif
