/* export_glb.c - glTF 2.0 in its binary container (Khronos Group, "glTF 2.0 Specification", 2021; sections cited).
 *
 *     header 12 | JSON chunk: 8 + text, padded with spaces | BIN chunk: 8 + bytes
 *
 *     BIN:  indices u16 | indices u32 | vertices of mesh 0 | vertices of mesh 1 | ...             plain
 *           vertices of mesh 0 | its indices u32 | vertices of mesh 1 | its indices u32 | ...     conforming
 *
 * Plain, every quad is four vertices of its own, wound counter-clockwise, so the indices of all quads follow one pattern,
 * 0 1 2 0 2 3 and onwards: one run of it, as long as the largest primitive, serves every primitive (its accessor takes
 * the first 6 n). Primitives of more than 16,383 quads use the run of u32, as 65,535 is not an index (3.7.2.1). Where the
 * scene is to conform, quads have any number of vertices, and each mesh has indices of its own.
 *
 * A vertex is 32 bytes: position 3 f32 in voxels of its chunk, normal 3 f32, colour 4 u8 normalised, material u16 and two
 * bytes that fill up to four (3.6.2.4). _MATERIAL is an attribute of our own, as 3.7.2.1 allows: the number in the world's table,
 * whose names stand in the extras of the file. The three materials of glTF only say how a class is drawn. COLOR_0 is linear
 * (3.9.2), the materials table is sRGB: colours are converted, which in 8 bits leaves the darkest shades few steps. Ambient occlusion, where
 * quads have any, darkens them (shape.h).
 * The scale and place of a chunk is its node's.
 *
 * Two passes over the quads: one for min and max (which the JSON, written first, must hold), one for the vertices. Two
 * more where the scene is to conform: to count what quads come to, before all, and for the indices. */
#include "tools/exports/export.h"
#include "tools/exports/shade.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define VERTEX_BYTES 32u
#define QUADS_U16_MAX 16383u /* 65,532 vertices, the last numbered 65,531 */
#define HEADER_BYTES 12u
#define CHUNK_HEADER_BYTES 8u
#define JSON_MAGIC 0x4e4f534au
#define BIN_MAGIC 0x004e4942u
#define GLTF_MAGIC 0x46546c67u
enum { TARGET_VERTICES = 34962, TARGET_INDICES = 34963, TYPE_U8 = 5121, TYPE_U16 = 5123, TYPE_U32 = 5125, TYPE_F32 = 5126 };

/* What the counts alone decide. */
struct layout {
    struct adit_shape_count (*parts)[ADIT_MESH_CLASSES]; /* of each mesh, by class; faces are triangles */
    uint32_t u16_quads, u32_quads; /* quads covered by the runs of indices, which only plain scenes have */
    uint64_t meshes;               /* with at least one quad */
    uint64_t bin_bytes;
};

/* One export: what all of its steps look at. */
struct writing {
    const struct adit_scene *scene;
    struct adit_sink *sink;
    struct adit_shaper *shaper;
    struct layout layout;
};

static uint32_t mesh_quads(const struct adit_scene_mesh *mesh)
{
    return mesh->start[ADIT_MESH_RANGES] - mesh->start[0];
}

/* Of all classes of mesh m. */
static struct adit_shape_count mesh_parts(const struct layout *layout, size_t m)
{
    struct adit_shape_count sum = {0};
    for (uint32_t i = 0; i < ADIT_MESH_CLASSES; i++) {
        sum.corners += layout->parts[m][i].corners;
        sum.faces += layout->parts[m][i].faces;
    }
    return sum;
}

static void lay_out(struct writing *w)
{
    const struct adit_scene *scene = w->scene;
    struct layout *layout = &w->layout;
    for (size_t m = 0; m < scene->meshes_count; m++) {
        adit_shaper_mesh(w->shaper, &scene->meshes[m]);
        layout->meshes += mesh_quads(&scene->meshes[m]) > 0;
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            struct adit_shape_count *part = &layout->parts[m][class - 1];
            uint32_t quads = adit_scene_mesh_quads(&scene->meshes[m], class);
            uint32_t *longest = quads > QUADS_U16_MAX ? &layout->u32_quads : &layout->u16_quads;
            *part = adit_shaper_count(w->shaper, &scene->meshes[m], class, 3);
            layout->bin_bytes += part->corners * VERTEX_BYTES;
            if (scene->form.conforming)
                layout->bin_bytes += part->faces * 12;
            else
                *longest = quads > *longest ? quads : *longest;
        }
    }
    layout->bin_bytes += (uint64_t)layout->u16_quads * 12 + (uint64_t)layout->u32_quads * 24;
}

/* ---- JSON: each list is one walk over the meshes that have quads, in the same order */

static const char *comma(uint64_t n)
{
    return n ? "," : "";
}

static void write_nodes(const struct adit_scene *scene, struct adit_sink *sink)
{
    uint64_t node = 0;
    adit_sink_text(sink, ",\"nodes\":[");
    for (size_t m = 0; m < scene->meshes_count; m++) {
        const struct adit_scene_mesh *mesh = &scene->meshes[m];
        int64_t at[3];
        if (!mesh_quads(mesh))
            continue;
        adit_shaper_origin(scene, mesh, at);
        adit_sink_printf(sink, "%s{\"name\":\"chunk %d %d %d\",\"mesh\":%llu,\"translation\":[%lld,%lld,%lld]", comma(node),
                         mesh->x, mesh->y, mesh->z, (unsigned long long)node, (long long)at[0], (long long)at[1],
                         (long long)at[2]);
        if (mesh->lod)
            adit_sink_printf(sink, ",\"scale\":[%d,%d,%d]", 1 << mesh->lod, 1 << mesh->lod, 1 << mesh->lod);
        adit_sink_text(sink, "}");
        node++;
    }
    adit_sink_text(sink, "]");
}

static void write_meshes(const struct adit_scene *scene, struct adit_sink *sink)
{
    uint64_t accessor = 0, written = 0;
    adit_sink_text(sink, ",\"meshes\":[");
    for (size_t m = 0; m < scene->meshes_count; m++) {
        uint32_t primitives = 0;
        if (!mesh_quads(&scene->meshes[m]))
            continue;
        adit_sink_printf(sink, "%s{\"primitives\":[", comma(written++));
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            if (!adit_scene_mesh_quads(&scene->meshes[m], class))
                continue;
            adit_sink_printf(sink,
                             "%s{\"attributes\":{\"POSITION\":%llu,\"NORMAL\":%llu,\"COLOR_0\":%llu,\"_MATERIAL\":%llu},"
                             "\"indices\":%llu,\"material\":%u,\"mode\":4}",
                             comma(primitives++), (unsigned long long)accessor, (unsigned long long)accessor + 1,
                             (unsigned long long)accessor + 2, (unsigned long long)accessor + 3,
                             (unsigned long long)accessor + 4, class - 1);
            accessor += 5;
        }
        adit_sink_text(sink, "]}");
    }
    adit_sink_text(sink, "]");
}

static void write_materials(struct adit_sink *sink)
{
    static const char *const lines[ADIT_MESH_CLASSES] = {
        "{\"name\":\"opaque\",\"alphaMode\":\"OPAQUE\"",
        ",{\"name\":\"translucent\",\"alphaMode\":\"BLEND\"",
        ",{\"name\":\"cutout\",\"alphaMode\":\"MASK\",\"alphaCutoff\":0.5",
    };
    adit_sink_text(sink, ",\"materials\":[");
    for (uint32_t class = 0; class < ADIT_MESH_CLASSES; class++) {
        adit_sink_text(sink, lines[class]);
        adit_sink_text(sink, ",\"pbrMetallicRoughness\":{\"metallicFactor\":0,\"roughnessFactor\":1}}");
    }
    adit_sink_text(sink, "]");
}

/* Bytes of the UTF-8 sequence at s, which a 0 ends; 0 when it is none (RFC 3629, section 4). */
static size_t utf8_bytes(const uint8_t *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool longer = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool none = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
    return longer || none ? 0 : n;
}

/* A name from a world file as a JSON string; control characters go, what is no UTF-8 becomes a question mark. */
static void write_name(const char *name, struct adit_sink *sink)
{
    adit_sink_text(sink, "\"");
    for (const uint8_t *s = (const uint8_t *)name; *s;) {
        size_t n = utf8_bytes(s);
        if (!n)
            adit_sink_text(sink, "?");
        else if (*s == '"' || *s == '\\')
            adit_sink_printf(sink, "\\%c", *s);
        else if (*s >= 0x20 && *s != 0x7f)
            adit_sink_write(sink, s, n);
        s += n ? n : 1;
    }
    adit_sink_text(sink, "\"");
}

/* The world's materials that quads have, by number and name. */
static void write_extras(const struct adit_scene *scene, struct adit_sink *sink)
{
    uint64_t used[65536 / 64] = {0}, written = 0;
    for (size_t m = 0; m < scene->meshes_count; m++)
        for (uint32_t i = scene->meshes[m].start[0]; i < scene->meshes[m].start[ADIT_MESH_RANGES]; i++) {
            uint16_t id = (uint16_t)adit_quad_material(adit_scene_quad(&scene->meshes[m], i));
            used[id / 64] |= 1ull << id % 64;
        }
    adit_sink_text(sink, ",\"extras\":{\"materials\":[");
    for (uint32_t id = 0; id < scene->materials_count && id < 65536; id++) {
        if (!(used[id / 64] >> id % 64 & 1) || !scene->materials[id].name)
            continue;
        adit_sink_printf(sink, "%s{\"id\":%u,\"name\":", comma(written++), id);
        write_name(scene->materials[id].name, sink);
        adit_sink_text(sink, "}");
    }
    adit_sink_text(sink, "]}");
}

/* Where the arrays of one primitive lie: buffer views, and offsets in them. */
struct part_place {
    uint64_t vertex_view, vertex_offset, index_view, index_offset;
    int index_type;
};

/* The five accessors of one primitive. */
static void write_accessors_of(const struct writing *w, const struct adit_scene_mesh *mesh, uint32_t class,
                               const struct adit_shape_count *part, const struct part_place *place)
{
    unsigned long long view = place->vertex_view, offset = place->vertex_offset, vertices = part->corners;
    uint32_t low[3], high[3], mirror = w->scene->form.mirror;
    int64_t lo[3], hi[3];
    adit_scene_mesh_bounds(mesh, class, low, high);
    for (uint32_t axis = 0; axis < 3; axis++) {
        lo[axis] = mirror == axis + 1 ? -(int64_t)high[axis] : (int64_t)low[axis];
        hi[axis] = mirror == axis + 1 ? -(int64_t)low[axis] : (int64_t)high[axis];
    }
    adit_sink_printf(w->sink,
                     "{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"VEC3\","
                     "\"min\":[%lld,%lld,%lld],\"max\":[%lld,%lld,%lld]}",
                     view, offset, TYPE_F32, vertices, (long long)lo[0], (long long)lo[1], (long long)lo[2], (long long)hi[0],
                     (long long)hi[1], (long long)hi[2]);
    adit_sink_printf(w->sink, ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"VEC3\"}",
                     view, offset + 12, TYPE_F32, vertices);
    adit_sink_printf(w->sink,
                     ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"normalized\":true,\"count\":%llu,"
                     "\"type\":\"VEC4\"}",
                     view, offset + 24, TYPE_U8, vertices);
    adit_sink_printf(w->sink, ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"SCALAR\"}",
                     view, offset + 28, TYPE_U16, vertices);
    adit_sink_printf(w->sink, ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"SCALAR\"}",
                     (unsigned long long)place->index_view, (unsigned long long)place->index_offset, place->index_type,
                     (unsigned long long)part->faces * 3);
}

/* Views: plain, the runs of indices that exist come first, u16 before u32, then one a mesh; conforming, two a mesh. */
static void write_accessors(const struct writing *w)
{
    const struct layout *layout = &w->layout;
    bool conforming = w->scene->form.conforming;
    struct part_place place = {.vertex_view = (uint64_t)(layout->u16_quads > 0) + (layout->u32_quads > 0)};
    uint64_t written = 0;
    adit_sink_text(w->sink, ",\"accessors\":[");
    for (size_t m = 0; m < w->scene->meshes_count; m++) {
        place.vertex_offset = place.index_offset = 0;
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            const struct adit_shape_count *part = &layout->parts[m][class - 1];
            if (!part->corners)
                continue;
            bool wide = conforming || part->corners > 4 * QUADS_U16_MAX;
            place.index_view = conforming ? place.vertex_view + 1 : wide && layout->u16_quads;
            place.index_type = wide ? TYPE_U32 : TYPE_U16;
            adit_sink_text(w->sink, comma(written++));
            write_accessors_of(w, &w->scene->meshes[m], class, part, &place);
            place.vertex_offset += part->corners * VERTEX_BYTES;
            place.index_offset += conforming ? part->faces * 12 : 0;
        }
        place.vertex_view += place.vertex_offset ? 1u + conforming : 0;
    }
    adit_sink_text(w->sink, "]");
}

static void write_view(struct adit_sink *sink, uint64_t offset, uint64_t bytes, int target)
{
    adit_sink_printf(sink, "%s{\"buffer\":0,\"byteOffset\":%llu,\"byteLength\":%llu,", comma(offset),
                     (unsigned long long)offset, (unsigned long long)bytes);
    if (target == TARGET_VERTICES)
        adit_sink_printf(sink, "\"byteStride\":%u,", VERTEX_BYTES);
    adit_sink_printf(sink, "\"target\":%d}", target);
}

static void write_views(const struct writing *w)
{
    const struct layout *layout = &w->layout;
    uint64_t offset = 0;
    adit_sink_text(w->sink, ",\"bufferViews\":[");
    if (layout->u16_quads)
        write_view(w->sink, 0, (uint64_t)layout->u16_quads * 12, TARGET_INDICES);
    offset += (uint64_t)layout->u16_quads * 12;
    if (layout->u32_quads)
        write_view(w->sink, offset, (uint64_t)layout->u32_quads * 24, TARGET_INDICES);
    offset += (uint64_t)layout->u32_quads * 24;
    for (size_t m = 0; m < w->scene->meshes_count; m++) {
        struct adit_shape_count parts = mesh_parts(layout, m);
        if (!parts.corners)
            continue;
        write_view(w->sink, offset, parts.corners * VERTEX_BYTES, TARGET_VERTICES);
        offset += parts.corners * VERTEX_BYTES;
        if (w->scene->form.conforming) {
            write_view(w->sink, offset, parts.faces * 12, TARGET_INDICES);
            offset += parts.faces * 12;
        }
    }
    adit_sink_printf(w->sink, "],\"buffers\":[{\"byteLength\":%llu}]", (unsigned long long)layout->bin_bytes);
}

static void write_json(const struct writing *w)
{
    const struct layout *layout = &w->layout;
    struct adit_sink *sink = w->sink;
    adit_sink_text(sink, "{\"asset\":{\"version\":\"2.0\",\"generator\":\"adit\"},\"scene\":0,\"scenes\":[{\"name\":\"world\"");
    if (layout->meshes) { /* an empty list is not valid glTF (5.1), so an empty world has no lists */
        adit_sink_text(sink, ",\"nodes\":[");
        for (uint64_t node = 0; node < layout->meshes; node++) {
            adit_sink_text(sink, comma(node));
            adit_sink_decimal(sink, (int64_t)node);
        }
        adit_sink_text(sink, "]");
    }
    adit_sink_text(sink, "}]");
    if (layout->meshes) {
        write_nodes(w->scene, sink);
        write_meshes(w->scene, sink);
        write_materials(sink);
        write_accessors(w);
        write_views(w);
        write_extras(w->scene, sink);
    }
    adit_sink_text(sink, "}");
    while (adit_sink_offset(sink) % 4) /* at most three */
        adit_sink_text(sink, " ");
}

/* ---- BIN */

/* The runs: two triangles a quad, as shape.c makes them of a plain one. */
static void write_runs(const struct writing *w)
{
    static const uint8_t ahead[6] = {0, 1, 2, 0, 2, 3}, turned[6] = {0, 2, 1, 0, 3, 2};
    const uint8_t *pattern = w->scene->form.clockwise != (w->scene->form.mirror != 0) ? turned : ahead;
    for (uint32_t quad = 0; quad < w->layout.u16_quads; quad++)
        for (uint32_t k = 0; k < 6; k++)
            adit_sink_u16(w->sink, (uint16_t)(quad * 4 + pattern[k]));
    for (uint32_t quad = 0; quad < w->layout.u32_quads; quad++)
        for (uint32_t k = 0; k < 6; k++)
            adit_sink_u32(w->sink, quad * 4 + pattern[k]);
}

/* IEC 61966-2-1, the inverse transfer function. */
static void linear_table(uint8_t linear[256])
{
    for (int i = 0; i < 256; i++) {
        double c = i / 255.0;
        linear[i] = (uint8_t)lround(255 * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)));
    }
}

static void write_vertices(const struct writing *w, const struct adit_shape *shape, uint64_t quad, uint32_t face,
                           uint32_t class, const uint8_t linear[256])
{
    uint32_t rgba = adit_scene_rgba(w->scene, adit_quad_material(quad));
    uint8_t alpha = class == ADIT_CLASS_TRANSLUCENT ? (uint8_t)rgba : 255;
    uint8_t color[4] = {linear[rgba >> 24], linear[rgba >> 16 & 255], linear[rgba >> 8 & 255], alpha};
    int32_t normal[3];
    adit_shaper_normal(w->scene, face, normal);
    for (uint32_t i = 0; i < shape->corners; i++) {
        for (uint32_t k = 0; k < 3 && !shape->is_open; k++)
            color[k] = (uint8_t)lroundf(255 * shape->open[i] * adit_shade_linear((float)(rgba >> (24 - 8 * k) & 255) / 255));
        for (uint32_t axis = 0; axis < 3; axis++)
            adit_sink_f32(w->sink, shape->corner[i][axis]);
        for (uint32_t axis = 0; axis < 3; axis++)
            adit_sink_f32(w->sink, (float)normal[axis]);
        adit_sink_write(w->sink, color, sizeof color);
        adit_sink_u16(w->sink, (uint16_t)adit_quad_material(quad));
        adit_sink_u16(w->sink, 0);
    }
}

/* The vertices of one class of a mesh, or with linear NULL its indices, which count from the first of these. */
static void write_part(const struct writing *w, const struct adit_scene_mesh *mesh, uint32_t class, const uint8_t linear[256])
{
    uint32_t first = 0;
    for (uint32_t face = 0; face < ADIT_FACES; face++) {
        for (uint32_t i = adit_scene_first(mesh, face, class); i < adit_scene_end(mesh, face, class); i++) {
            uint64_t quad = adit_scene_quad(mesh, i);
            const struct adit_shape *shape = adit_shaper_quad(w->shaper, quad, face, 3);
            if (linear)
                write_vertices(w, shape, quad, face, class, linear);
            for (uint32_t k = 0; !linear && k < 3 * shape->faces; k++)
                adit_sink_u32(w->sink, first + shape->face[k / 3][k % 3]);
            first += shape->corners;
        }
    }
}

static void write_bin(const struct writing *w)
{
    uint8_t linear[256];
    linear_table(linear);
    adit_sink_u32(w->sink, (uint32_t)w->layout.bin_bytes);
    adit_sink_u32(w->sink, BIN_MAGIC);
    write_runs(w);
    for (size_t m = 0; m < w->scene->meshes_count; m++) {
        const struct adit_scene_mesh *mesh = &w->scene->meshes[m];
        adit_shaper_mesh(w->shaper, mesh);
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++)
            write_part(w, mesh, class, linear);
        for (uint32_t class = ADIT_CLASS_OPAQUE; w->scene->form.conforming && class <= ADIT_CLASS_CUTOUT; class++)
            write_part(w, mesh, class, NULL);
    }
}

static int refuse(const struct adit_sink *sink, uint64_t bytes, char *error, size_t error_bytes)
{
    snprintf(error, error_bytes, "%s: GLB holds at most 4 GiB and this world needs %.1f; export .ply or .obj, or fewer chunks",
             adit_sink_path(sink), (double)bytes / (1 << 30));
    return -EFBIG;
}

static int write_all(struct writing *w, char *error, size_t error_bytes)
{
    struct adit_sink *sink = w->sink;
    lay_out(w);
    if (w->layout.bin_bytes > UINT32_MAX)
        return refuse(sink, w->layout.bin_bytes, error, error_bytes);
    for (uint32_t i = 0; i < 5; i++) /* header and JSON chunk header: their lengths are known at the end */
        adit_sink_u32(sink, 0);
    write_json(w);
    uint64_t json_bytes = adit_sink_offset(sink) - HEADER_BYTES - CHUNK_HEADER_BYTES;
    uint64_t total = adit_sink_offset(sink) + (w->layout.meshes ? CHUNK_HEADER_BYTES + w->layout.bin_bytes : 0);
    if (total > UINT32_MAX)
        return refuse(sink, total, error, error_bytes);
    if (w->layout.meshes)
        write_bin(w);
    uint8_t head[HEADER_BYTES + CHUNK_HEADER_BYTES];
    uint32_t words[5] = {GLTF_MAGIC, 2, (uint32_t)total, (uint32_t)json_bytes, JSON_MAGIC};
    for (uint32_t i = 0; i < sizeof head; i++)
        head[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    adit_sink_patch(sink, 0, head, sizeof head);
    return 0;
}

int adit_export_glb(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    struct writing w = {.scene = scene, .sink = sink};
    w.layout.parts = calloc(scene->meshes_count + 1, sizeof *w.layout.parts);
    if (!w.layout.parts) {
        snprintf(error, error_bytes, "%s: out of memory; export fewer chunks", adit_sink_path(sink));
        return -ENOMEM;
    }
    int status = adit_export_shaper(scene, sink, &w.shaper, error, error_bytes);
    if (!status)
        status = write_all(&w, error, error_bytes);
    adit_shaper_close(w.shaper);
    free(w.layout.parts);
    return status;
}
