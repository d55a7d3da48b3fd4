/* export_obj.c - Wavefront OBJ text with its .mtl beside it.
 *
 * Format: Wavefront, "Object Files (.obj)", Advanced Visualizer Appendix B1. A face of four a quad (triangles where the scene
 * is to conform) with its own vertices, on the unit grid; one of six normals; `usemtl m<ID>` names the material. The .mtl lists the materials that
 * occur, Kd in sRGB as the table has it (which readers differ about), d below 1 for what is see-through.
 *
 * Two files cannot be renamed as one: both are brought to the disk first, the .mtl is renamed before the .obj that
 * names it. A reader in between sees the old model with the new colours. */
#include "tools/exports/export.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 120

static void write_row(struct adit_sink *sink, const char *word, const int64_t numbers[], uint32_t count)
{
    adit_sink_text(sink, word);
    for (uint32_t i = 0; i < count; i++) {
        adit_sink_write(sink, " ", 1);
        adit_sink_decimal(sink, numbers[i]);
    }
    adit_sink_write(sink, "\n", 1);
}

/* What is written from mesh to mesh. */
struct writing {
    const struct adit_scene *scene;
    struct adit_sink *sink;
    struct adit_shaper *shaper;
    int64_t vertex;   /* the number of the next one */
    int32_t material; /* the last one named, or -1 */
    uint8_t used[ADIT_MATERIALS / 8];
};

static void write_quad(struct writing *w, uint64_t quad, uint32_t face, const int64_t origin[3], uint32_t lod)
{
    const struct adit_shape *shape = adit_shaper_quad(w->shaper, quad, face, 4);
    for (uint32_t i = 0; i < shape->corners; i++) {
        int64_t at[3];
        for (uint32_t axis = 0; axis < 3; axis++)
            at[axis] = origin[axis] + shape->corner[i][axis] * ((int64_t)1 << lod);
        write_row(w->sink, "v", at, 3);
    }
    for (uint32_t i = 0; i < shape->faces; i++) {
        adit_sink_write(w->sink, "f", 1);
        for (uint32_t k = 0; k < shape->sides; k++) {
            adit_sink_write(w->sink, " ", 1);
            adit_sink_decimal(w->sink, w->vertex + shape->face[i][k]);
            adit_sink_write(w->sink, "//", 2);
            adit_sink_decimal(w->sink, face + 1);
        }
        adit_sink_write(w->sink, "\n", 1);
    }
    w->vertex += shape->corners;
}

static void write_mesh(struct writing *w, const struct adit_scene_mesh *mesh)
{
    int64_t origin[3];
    adit_shaper_origin(w->scene, mesh, origin);
    adit_shaper_mesh(w->shaper, mesh);
    if (mesh->start[0] < mesh->start[ADIT_MESH_RANGES])
        adit_sink_printf(w->sink, "o chunk_%d_%d_%d\n", mesh->x, mesh->y, mesh->z);
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
            uint64_t quad = adit_scene_quad(mesh, i);
            uint32_t id = adit_quad_material(quad);
            if ((int32_t)id != w->material) {
                w->material = (int32_t)id;
                w->used[id / 8] = (uint8_t)(w->used[id / 8] | 1u << id % 8);
                adit_sink_printf(w->sink, "usemtl m%u\n", id);
            }
            write_quad(w, quad, range / ADIT_MESH_CLASSES, origin, mesh->lod);
        }
    }
}

/* A name from a world file as a comment: what could end the line or the file is left out. */
static void write_comment(struct adit_sink *sink, const char *name)
{
    char clean[NAME_BYTES_MAX + 1];
    size_t used = 0;
    for (size_t i = 0; name && name[i] && used < NAME_BYTES_MAX; i++)
        if ((uint8_t)name[i] >= 0x20 && name[i] != 0x7f)
            clean[used++] = name[i];
    clean[used] = '\0';
    adit_sink_printf(sink, "\n# %s\n", used ? clean : "without a name");
}

static void write_materials(const struct adit_scene *scene, struct adit_sink *sink,
                            const uint8_t used[ADIT_MATERIALS / 8])
{
    adit_sink_text(sink, "# made by adit\n");
    for (uint32_t id = 0; id < ADIT_MATERIALS; id++) {
        if (!(used[id / 8] >> id % 8 & 1))
            continue;
        uint32_t rgba = adit_scene_rgba(scene, id);
        bool known = id < scene->materials_count;
        bool translucent = known && scene->materials[id].class == ADIT_CLASS_TRANSLUCENT;
        write_comment(sink, known ? scene->materials[id].name : NULL);
        adit_sink_printf(sink, "newmtl m%u\nKd %.6f %.6f %.6f\nKs 0 0 0\nd %.6f\nillum 1\n", id, (rgba >> 24) / 255.0,
                         (rgba >> 16 & 255) / 255.0, (rgba >> 8 & 255) / 255.0,
                         translucent ? (rgba & 255) / 255.0 : 1.0);
    }
}

int adit_export_mtl_path(const char *path, char *mtl)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    int stem = (int)(dot ? dot - path : (ptrdiff_t)strlen(path));
    int n = snprintf(mtl, PATH_MAX, "%.*s.mtl", stem, path);
    return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static void write_model(struct writing *w, const char *mtl)
{
    const char *slash = strrchr(mtl, '/');
    adit_sink_text(w->sink, "# made by adit, one unit a voxel, y up\nmtllib ");
    adit_sink_text(w->sink, slash ? slash + 1 : mtl);
    adit_sink_text(w->sink, "\n");
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        int32_t normal[3];
        adit_shaper_normal(w->scene, face, normal);
        write_row(w->sink, "vn", (const int64_t[3]){normal[0], normal[1], normal[2]}, 3);
    }
    for (size_t m = 0; m < w->scene->meshes_count; m++)
        write_mesh(w, &w->scene->meshes[m]);
}

int adit_export_obj(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    struct writing w = {.scene = scene, .sink = sink, .vertex = 1, .material = -1};
    char mtl[PATH_MAX];
    struct adit_sink *mtl_sink = NULL;
    int status = adit_export_mtl_path(adit_sink_path(sink), mtl);
    if (status)
        snprintf(error, error_bytes, "%s: cannot write the .mtl beside it: name too long; choose a shorter name", adit_sink_path(sink));
    if (!status)
        status = adit_export_shaper(scene, sink, &w.shaper, error, error_bytes);
    if (!status)
        status = adit_sink_open(mtl, &mtl_sink, error, error_bytes);
    if (!status) {
        write_model(&w, mtl);
        write_materials(scene, mtl_sink, w.used);
        status = adit_sink_flush(sink, error, error_bytes);
    }
    if (!status)
        status = adit_sink_commit(&mtl_sink, error, error_bytes);
    adit_sink_discard(&mtl_sink);
    adit_shaper_close(w.shaper);
    return status;
}
