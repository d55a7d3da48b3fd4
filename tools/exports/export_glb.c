/* export_glb.c - glTF 2.0 in its binary container (Khronos Group, "glTF 2.0 Specification", 2021; sections cited).
 *
 *     header 12 | JSON chunk: 8 + text, padded with spaces | BIN chunk: 8 + bytes
 *
 *     BIN:  indices u16 | indices u32 | vertices of mesh 0 | vertices of mesh 1 | ...
 *
 * Every quad is four vertices of its own, wound counter-clockwise, so the indices of all quads follow one pattern,
 * 0 1 2 0 2 3 and onwards: one run of it, as long as the largest primitive, serves every primitive (its accessor takes
 * the first 6 n). Primitives of more than 16,383 quads use the run of u32, as 65,535 is not an index (3.7.2.1).
 *
 * A vertex is 32 bytes: position 3 f32 in voxels of its chunk, normal 3 f32, colour 4 u8 normalised, material u16 and two
 * bytes that fill up to four (3.6.2.4). _MATERIAL is an attribute of our own, as 3.7.2.1 allows: the number in the world's table,
 * whose names stand in the extras of the file. The three materials of glTF only say how a class is drawn. COLOR_0 is linear
 * (3.9.2), the materials table is sRGB: colours are converted, which in 8 bits leaves the darkest shades few steps.
 * The scale and place of a chunk is its node's.
 *
 * Two passes over the quads: one for min and max (which the JSON, written first, must hold), one for the vertices. */
#include "tools/exports/export.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define VERTEX_BYTES 32u
#define QUAD_BYTES (4 * VERTEX_BYTES)
#define QUADS_U16_MAX 16383u /* 65,532 vertices, the last numbered 65,531 */
#define HEADER_BYTES 12u
#define CHUNK_HEADER_BYTES 8u
#define JSON_MAGIC 0x4e4f534au
#define BIN_MAGIC 0x004e4942u
#define GLTF_MAGIC 0x46546c67u
enum { TARGET_VERTICES = 34962, TARGET_INDICES = 34963, TYPE_U8 = 5121, TYPE_U16 = 5123, TYPE_U32 = 5125, TYPE_F32 = 5126 };

/* What the counts alone decide. */
struct layout {
    uint32_t u16_quads, u32_quads; /* quads covered by the runs of indices */
    uint64_t meshes;               /* with at least one quad */
    uint64_t bin_bytes;
};

static uint32_t mesh_quads(const struct adit_scene_mesh *mesh)
{
    return mesh->start[ADIT_MESH_RANGES] - mesh->start[0];
}

static uint64_t index_bytes(const struct layout *layout)
{
    return (uint64_t)layout->u16_quads * 12 + (uint64_t)layout->u32_quads * 24;
}

static void lay_out(const struct adit_scene *scene, struct layout *layout)
{
    *layout = (struct layout){0};
    for (size_t m = 0; m < scene->meshes_count; m++) {
        layout->meshes += mesh_quads(&scene->meshes[m]) > 0;
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            uint32_t quads = adit_scene_mesh_quads(&scene->meshes[m], class);
            uint32_t *longest = quads > QUADS_U16_MAX ? &layout->u32_quads : &layout->u16_quads;
            *longest = quads > *longest ? quads : *longest;
        }
    }
    layout->bin_bytes = index_bytes(layout) + adit_scene_quads(scene) * QUAD_BYTES;
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
        adit_scene_mesh_origin(scene, mesh, at);
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

/* The five accessors of one primitive; offset is where its vertices begin in the mesh's buffer view. */
static void write_accessors_of(const struct adit_scene_mesh *mesh, uint32_t class, uint64_t view, uint64_t offset,
                               uint64_t first_view, struct adit_sink *sink)
{
    uint32_t lo[3], hi[3], quads = adit_scene_mesh_quads(mesh, class);
    bool wide = quads > QUADS_U16_MAX;
    adit_scene_mesh_bounds(mesh, class, lo, hi);
    adit_sink_printf(sink,
                     "{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"VEC3\","
                     "\"min\":[%u,%u,%u],\"max\":[%u,%u,%u]}",
                     (unsigned long long)view, (unsigned long long)offset, TYPE_F32, (unsigned long long)quads * 4, lo[0],
                     lo[1], lo[2], hi[0], hi[1], hi[2]);
    adit_sink_printf(sink, ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"VEC3\"}",
                     (unsigned long long)view, (unsigned long long)offset + 12, TYPE_F32, (unsigned long long)quads * 4);
    adit_sink_printf(sink,
                     ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"normalized\":true,\"count\":%llu,"
                     "\"type\":\"VEC4\"}",
                     (unsigned long long)view, (unsigned long long)offset + 24, TYPE_U8, (unsigned long long)quads * 4);
    adit_sink_printf(sink, ",{\"bufferView\":%llu,\"byteOffset\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"SCALAR\"}",
                     (unsigned long long)view, (unsigned long long)offset + 28, TYPE_U16, (unsigned long long)quads * 4);
    adit_sink_printf(sink, ",{\"bufferView\":%llu,\"componentType\":%d,\"count\":%llu,\"type\":\"SCALAR\"}",
                     (unsigned long long)(wide ? first_view - 1 : 0), wide ? TYPE_U32 : TYPE_U16,
                     (unsigned long long)quads * 6);
}

/* Views: the runs of indices that exist come first, u16 before u32; then one a mesh. */
static void write_accessors(const struct adit_scene *scene, uint64_t first_view, struct adit_sink *sink)
{
    uint64_t view = first_view, written = 0;
    adit_sink_text(sink, ",\"accessors\":[");
    for (size_t m = 0; m < scene->meshes_count; m++) {
        uint64_t offset = 0;
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++) {
            uint32_t quads = adit_scene_mesh_quads(&scene->meshes[m], class);
            if (!quads)
                continue;
            adit_sink_text(sink, comma(written++));
            write_accessors_of(&scene->meshes[m], class, view, offset, first_view, sink);
            offset += (uint64_t)quads * QUAD_BYTES;
        }
        view += offset > 0;
    }
    adit_sink_text(sink, "]");
}

static void write_view(struct adit_sink *sink, uint64_t offset, uint64_t bytes, int target)
{
    adit_sink_printf(sink, "%s{\"buffer\":0,\"byteOffset\":%llu,\"byteLength\":%llu,", comma(offset),
                     (unsigned long long)offset, (unsigned long long)bytes);
    if (target == TARGET_VERTICES)
        adit_sink_printf(sink, "\"byteStride\":%u,", VERTEX_BYTES);
    adit_sink_printf(sink, "\"target\":%d}", target);
}

static void write_views(const struct adit_scene *scene, const struct layout *layout, struct adit_sink *sink)
{
    uint64_t offset = 0;
    adit_sink_text(sink, ",\"bufferViews\":[");
    if (layout->u16_quads)
        write_view(sink, 0, (uint64_t)layout->u16_quads * 12, TARGET_INDICES);
    offset += (uint64_t)layout->u16_quads * 12;
    if (layout->u32_quads)
        write_view(sink, offset, (uint64_t)layout->u32_quads * 24, TARGET_INDICES);
    offset += (uint64_t)layout->u32_quads * 24;
    for (size_t m = 0; m < scene->meshes_count; m++) {
        uint64_t bytes = (uint64_t)mesh_quads(&scene->meshes[m]) * QUAD_BYTES;
        if (bytes)
            write_view(sink, offset, bytes, TARGET_VERTICES);
        offset += bytes;
    }
    adit_sink_printf(sink, "],\"buffers\":[{\"byteLength\":%llu}]", (unsigned long long)layout->bin_bytes);
}

static void write_json(const struct adit_scene *scene, const struct layout *layout, struct adit_sink *sink)
{
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
        write_nodes(scene, sink);
        write_meshes(scene, sink);
        write_materials(sink);
        write_accessors(scene, (uint64_t)(layout->u16_quads > 0) + (layout->u32_quads > 0), sink);
        write_views(scene, layout, sink);
        write_extras(scene, sink);
    }
    adit_sink_text(sink, "}");
    while (adit_sink_offset(sink) % 4) /* at most three */
        adit_sink_text(sink, " ");
}

/* ---- BIN */

static void write_indices(const struct layout *layout, struct adit_sink *sink)
{
    static const uint8_t pattern[6] = {0, 1, 2, 0, 2, 3};
    for (uint32_t quad = 0; quad < layout->u16_quads; quad++)
        for (uint32_t k = 0; k < 6; k++)
            adit_sink_u16(sink, (uint16_t)(quad * 4 + pattern[k]));
    for (uint32_t quad = 0; quad < layout->u32_quads; quad++)
        for (uint32_t k = 0; k < 6; k++)
            adit_sink_u32(sink, quad * 4 + pattern[k]);
}

/* IEC 61966-2-1, the inverse transfer function. */
static void linear_table(uint8_t linear[256])
{
    for (int i = 0; i < 256; i++) {
        double c = i / 255.0;
        linear[i] = (uint8_t)lround(255 * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)));
    }
}

static void write_quads(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, uint32_t face, uint32_t class,
                        const uint8_t linear[256], struct adit_sink *sink)
{
    float normal[3] = {0, 0, 0};
    normal[adit_face_axis(face)] = face & 1 ? 1 : -1;
    for (uint32_t i = adit_scene_first(mesh, face, class); i < adit_scene_end(mesh, face, class); i++) {
        uint64_t quad = adit_scene_quad(mesh, i);
        uint32_t corners[4][3], rgba = adit_scene_rgba(scene, adit_quad_material(quad));
        uint8_t alpha = class == ADIT_CLASS_TRANSLUCENT ? (uint8_t)rgba : 255;
        uint8_t color[4] = {linear[rgba >> 24], linear[rgba >> 16 & 255], linear[rgba >> 8 & 255], alpha};
        adit_scene_corners(quad, face, corners);
        for (uint32_t k = 0; k < 4; k++) {
            for (uint32_t axis = 0; axis < 3; axis++)
                adit_sink_f32(sink, (float)corners[k][axis]);
            for (uint32_t axis = 0; axis < 3; axis++)
                adit_sink_f32(sink, normal[axis]);
            adit_sink_write(sink, color, sizeof color);
            adit_sink_u16(sink, (uint16_t)adit_quad_material(quad));
            adit_sink_u16(sink, 0);
        }
    }
}

static void write_bin(const struct adit_scene *scene, const struct layout *layout, struct adit_sink *sink)
{
    uint8_t linear[256];
    linear_table(linear);
    adit_sink_u32(sink, (uint32_t)layout->bin_bytes);
    adit_sink_u32(sink, BIN_MAGIC);
    write_indices(layout, sink);
    for (size_t m = 0; m < scene->meshes_count; m++)
        for (uint32_t class = ADIT_CLASS_OPAQUE; class <= ADIT_CLASS_CUTOUT; class++)
            for (uint32_t face = 0; face < ADIT_FACES; face++)
                write_quads(scene, &scene->meshes[m], face, class, linear, sink);
}

static int refuse(const struct adit_sink *sink, uint64_t bytes, char *error, size_t error_bytes)
{
    snprintf(error, error_bytes, "%s: GLB holds at most 4 GiB and this world needs %.1f; export .ply or .obj, or fewer chunks",
             adit_sink_path(sink), (double)bytes / (1 << 30));
    return -EFBIG;
}

int adit_export_glb(const struct adit_scene *scene, struct adit_sink *sink, char *error, size_t error_bytes)
{
    struct layout layout;
    lay_out(scene, &layout);
    if (layout.bin_bytes > UINT32_MAX)
        return refuse(sink, layout.bin_bytes, error, error_bytes);
    for (uint32_t i = 0; i < 5; i++) /* header and JSON chunk header: their lengths are known at the end */
        adit_sink_u32(sink, 0);
    write_json(scene, &layout, sink);
    uint64_t json_bytes = adit_sink_offset(sink) - HEADER_BYTES - CHUNK_HEADER_BYTES;
    uint64_t total = adit_sink_offset(sink) + (layout.meshes ? CHUNK_HEADER_BYTES + layout.bin_bytes : 0);
    if (total > UINT32_MAX)
        return refuse(sink, total, error, error_bytes);
    if (layout.meshes)
        write_bin(scene, &layout, sink);
    uint8_t head[HEADER_BYTES + CHUNK_HEADER_BYTES];
    uint32_t words[5] = {GLTF_MAGIC, 2, (uint32_t)total, (uint32_t)json_bytes, JSON_MAGIC};
    for (uint32_t i = 0; i < sizeof head; i++)
        head[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    adit_sink_patch(sink, 0, head, sizeof head);
    return 0;
}
