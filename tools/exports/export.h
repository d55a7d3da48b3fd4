/* export.h - a scene as a file that other programs read.
 *
 * | extension | what                              | colours                                  | limits                     |
 * | --------- | --------------------------------- | ---------------------------------------- | -------------------------- |
 * | .glb      | glTF 2.0 binary, a node a chunk   | per vertex, linear, 8 bits, with AO      | 4 GiB                      |
 * | .obj      | Wavefront text and a .mtl beside  | a material m<ID> each, sRGB              | none                       |
 * | .ply      | binary little endian, quad faces  | per vertex, sRGB, 8 bits, with AO        | 536,870,911 quads          |
 * | .quads    | `face x y z w h material 4xAO`    | material ids                             | none                       |
 *
 * All keep a quad a quad (glTF: two triangles), wind counter-clockwise seen from outside, and write positions in voxels
 * less the scene's origin; the scene's form asks for other geometry, which .quads, that has no corners, refuses. The
 * output is a function of the scene alone: the same scene gives the same bytes.
 */
#ifndef ADIT_EXPORT_H
#define ADIT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/exports/scene.h"
#include "tools/exports/shape.h"
#include "tools/exports/sink.h"

/* The extensions above as one text for messages: ".glb, .obj, .ply, .quads". */
const char *adit_export_formats(void);

/* Whether adit_export_write would know what to do with the extension of path; lets a tool refuse before it works. */
bool adit_export_has_format(const char *path);

/* The second file that stands beside path once it is written, by its extension: the .mtl of an .obj. 1 and its name in beside[PATH_MAX]; 0 where there
 * is none; or -ENAMETOOLONG. */
int adit_export_beside(const char *path, char *beside);

/* Writes the scene to path in the format of its extension (case does not matter). Appears whole or not at all (sink.h);
 * on error nothing is left behind. 0, or a negative errno and one line in error: -EINVAL an unknown extension or a
 * damaged scene, -EFBIG more than the format can hold, else what the system said. Blocks on the disk. */
int adit_export_write(const char *path, const struct adit_scene *scene, char *error, size_t error_bytes);

/* The same in the named format ("glb", "obj", "ply", "quads"), whatever the path is called. */
int adit_export_write_as(const char *path, const char *format, const struct adit_scene *scene, char *error,
                         size_t error_bytes);

/* A format's writer: puts the checked scene into sink; export.c opens and commits it. May return early with an error;
 * a failing disk need not be looked at, the sink remembers it. */
typedef int adit_export_writer(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes);

/* world.obj -> world.mtl, into mtl[PATH_MAX]. 0 or -ENAMETOOLONG. */
int adit_export_mtl_path(const char *path, char *mtl);

/* For writers: a shaper for scene, or -ENOMEM and a line. */
int adit_export_shaper(const struct adit_scene *scene, const struct adit_sink *sink, struct adit_shaper **shaper,
                       char *error, size_t error_bytes);

adit_export_writer adit_export_glb, adit_export_obj, adit_export_ply, adit_export_quads;

#endif
