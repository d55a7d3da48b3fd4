/* vox_file.c - one cursor over one chunk's content at a time; a chunk that says more than it holds ends the reading with
 * the chunk's place. Arrays grow by doubling up to stated limits. */
#include "tools/worlds/vox_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_HEAD_BYTES 12
#define DICT_VALUE_BYTES 64 /* longer values than this are none that matter here */

/* The chunk being read: content from at to end. broken is set by the first read beyond the end. */
struct cursor {
    const uint8_t *at, *end;
    bool broken;
};

struct reading {
    struct adit_vox_file *file;
    const char *name;
    const uint8_t *data;
    struct adit_world_error error;
    uint32_t size[3]; /* of the last SIZE chunk */
    bool has_size;
};

static uint32_t little_endian(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Moves on by bytes and returns where they began; NULL beyond the end, then and ever after. */
static const uint8_t *take(struct cursor *from, uint64_t bytes)
{
    if (from->broken || bytes > (uint64_t)(from->end - from->at)) {
        from->broken = true;
        return NULL;
    }
    const uint8_t *start = from->at;
    from->at += bytes;
    return start;
}

static uint32_t take_u32(struct cursor *from)
{
    const uint8_t *at = take(from, 4);
    return at ? little_endian(at) : 0;
}

/* One key that a dictionary is searched for, and its value when it is there. */
struct wanted {
    const char *key;
    char value[DICT_VALUE_BYTES];
};

static const uint8_t *take_string(struct cursor *from, uint32_t *bytes)
{
    *bytes = take_u32(from);
    return take(from, *bytes);
}

/* Reads a dictionary: each pair takes eight bytes at least, so a false count ends at the chunk's end. */
static void take_dict(struct cursor *from, struct wanted *wanted, size_t wanted_count)
{
    uint32_t pairs = take_u32(from);
    for (uint32_t p = 0; p < pairs && !from->broken; p++) {
        uint32_t key_bytes, value_bytes;
        const uint8_t *key = take_string(from, &key_bytes), *value = take_string(from, &value_bytes);
        for (size_t w = 0; w < wanted_count && !from->broken; w++)
            if (strlen(wanted[w].key) == key_bytes && !memcmp(wanted[w].key, key, key_bytes))
                adit_world_printable(wanted[w].value, DICT_VALUE_BYTES, value, value_bytes);
    }
}

/* Makes room for one more element. Returns the array, grown when needed, or NULL. */
static void *room_for_one(void *array, uint32_t count, uint32_t *max, size_t bytes)
{
    if (count < *max)
        return array;
    uint32_t more = *max ? *max * 2 : 16;
    void *grown = realloc(array, more * bytes);
    if (grown)
        *max = more;
    return grown;
}

static int no_memory(struct reading *reading)
{
    return adit_world_fail(reading->error, ENOMEM, "%s: no memory to read it", reading->name);
}

static int bad_chunk(struct reading *reading, const uint8_t *chunk, const char *what)
{
    char id[5];
    adit_world_printable(id, sizeof(id), chunk, 4);
    return adit_world_fail(reading->error, EBADMSG, "%s: chunk %s at byte %zu %s: export it again", reading->name, id,
                           (size_t)(chunk - reading->data), what);
}

static int read_size(struct reading *reading, const uint8_t *chunk, struct cursor *from)
{
    for (int a = 0; a < 3; a++)
        reading->size[a] = take_u32(from);
    reading->has_size = true;
    if (!from->broken)
        for (int a = 0; a < 3; a++)
            if (reading->size[a] > ADIT_VOX_MODEL_DIM_MAX)
                return bad_chunk(reading, chunk, "gives a model of more than 256 voxels a side");
    return 0;
}

static int read_voxels(struct reading *reading, const uint8_t *chunk, struct cursor *from)
{
    struct adit_vox_file *file = reading->file;
    uint32_t count = take_u32(from);
    const uint8_t *voxels = take(from, 4ull * count);
    if (from->broken)
        return 0;
    if (!reading->has_size)
        return bad_chunk(reading, chunk, "has no SIZE before it");
    if (file->model_count == ADIT_VOX_MODELS_MAX)
        return adit_world_fail(reading->error, EFBIG, "%s: has more than %d models: split it", reading->name,
                               ADIT_VOX_MODELS_MAX);
    void *grown = room_for_one(file->models, file->model_count, &file->models_max, sizeof(*file->models));
    if (!grown)
        return no_memory(reading);
    file->models = grown;
    struct adit_vox_model *model = &file->models[file->model_count++];
    *model = (struct adit_vox_model){.voxels = voxels, .count = count};
    memcpy(model->size, reading->size, sizeof(model->size));
    reading->has_size = false;
    return 0;
}

static int read_palette(struct reading *reading, struct cursor *from)
{
    const uint8_t *rgba = take(from, 256 * 4);
    for (uint32_t i = 1; rgba && i < 256; i++, rgba += 4) /* index i is entry i - 1; the last entry is no colour */
        reading->file->rgba[i] = (uint32_t)rgba[0] << 24 | (uint32_t)rgba[1] << 16 | (uint32_t)rgba[2] << 8 | 0xffu;
    return 0;
}

static uint8_t alpha_of_transparency(double transparency)
{
    double alpha = 255 * (1 - transparency);
    if (!(alpha > 48)) /* a file may say "nan" */
        return 48;
    return alpha > 208 ? 208 : (uint8_t)alpha;
}

/* MATL: glass, blend and media are translucent, by how much _trans or _alpha says. */
static int read_material(struct reading *reading, struct cursor *from)
{
    struct wanted wanted[] = {{"_type", ""}, {"_trans", ""}, {"_alpha", ""}};
    uint32_t index = take_u32(from);
    take_dict(from, wanted, 3);
    if (from->broken || index == 0 || index > 255)
        return 0;
    const char *type = wanted[0].value, *amount = wanted[1].value[0] ? wanted[1].value : wanted[2].value;
    double transparency = amount[0] ? strtod(amount, NULL) : 0.5;
    bool glassy = !strcmp(type, "_glass") || !strcmp(type, "_blend") || !strcmp(type, "_media");
    if (glassy || (amount[0] && transparency > 0 && transparency < 1))
        reading->file->alpha[index] = alpha_of_transparency(transparency);
    return 0;
}

/* MATT, before version 0.99: type 2 is glass, its weight how much of it. */
static int read_old_material(struct reading *reading, struct cursor *from)
{
    uint32_t index = take_u32(from), type = take_u32(from), bits = take_u32(from);
    float weight;
    memcpy(&weight, &bits, sizeof(weight));
    if (!from->broken && index > 0 && index < 256 && type == 2 && weight > 0)
        reading->file->alpha[index] = alpha_of_transparency(weight > 1 ? 0.5 : 0.5 * (double)weight);
    return 0;
}

static int read_layer(struct reading *reading, struct cursor *from)
{
    struct adit_vox_file *file = reading->file;
    struct wanted wanted[] = {{"_hidden", ""}};
    int32_t id = (int32_t)take_u32(from);
    take_dict(from, wanted, 1);
    if (from->broken || strcmp(wanted[0].value, "1") != 0)
        return 0;
    if (file->hidden_layer_count == ADIT_VOX_HIDDEN_LAYERS_MAX)
        return adit_world_fail(reading->error, EFBIG, "%s: hides more than %d layers: show some", reading->name,
                               ADIT_VOX_HIDDEN_LAYERS_MAX);
    file->hidden_layers[file->hidden_layer_count++] = id;
    return 0;
}

/* The first frame of a transform; the others of an animation are passed over. */
static int read_frames(struct reading *reading, const uint8_t *chunk, struct cursor *from, struct adit_vox_node *node)
{
    uint32_t frames = take_u32(from);
    node->rotation = 1 << 2; /* rows 0, 1, 2: no rotation */
    for (uint32_t f = 0; f < frames && !from->broken; f++) {
        struct wanted wanted[] = {{"_r", ""}, {"_t", ""}};
        take_dict(from, wanted, 2);
        if (f > 0 || from->broken)
            continue;
        if (wanted[0].value[0]) {
            long r = strtol(wanted[0].value, NULL, 10);
            if (r < 0 || r > 127 || (r & 3) == 3 || (r >> 2 & 3) == 3 || (r & 3) == (r >> 2 & 3))
                return bad_chunk(reading, chunk, "has a rotation that is none");
            node->rotation = (uint8_t)r;
        }
        char *at = wanted[1].value;
        for (int a = 0; a < 3 && *at; a++) {
            long t = strtol(at, &at, 10);
            if (t < -ADIT_VOX_TRANSLATION_MAX || t > ADIT_VOX_TRANSLATION_MAX)
                return bad_chunk(reading, chunk, "moves its child out of any world");
            node->translation[a] = (int32_t)t;
        }
    }
    return 0;
}

/* The model of a shape: of several (frames of an animation) the one with the lowest _f, the first of equals. */
static void read_shape_models(struct cursor *from, struct adit_vox_node *node)
{
    uint32_t count = take_u32(from);
    long best_frame = 0;
    for (uint32_t i = 0; i < count && !from->broken; i++) {
        const uint8_t *model = take(from, 4);
        struct wanted wanted[] = {{"_f", ""}};
        take_dict(from, wanted, 1);
        long frame = strtol(wanted[0].value, NULL, 10);
        if (from->broken || (node->child_count && frame >= best_frame))
            continue;
        node->children = model;
        node->child_count = 1;
        best_frame = frame;
    }
}

static int read_node(struct reading *reading, const uint8_t *chunk, struct cursor *from)
{
    struct adit_vox_file *file = reading->file;
    struct adit_vox_node node = {.layer = -1};
    struct wanted wanted[] = {{"_hidden", ""}};
    int result = 0;
    node.id = (int32_t)take_u32(from);
    take_dict(from, wanted, 1);
    node.hidden = !strcmp(wanted[0].value, "1");
    if (!memcmp(chunk, "nTRN", 4)) {
        node.kind = ADIT_VOX_TRANSFORM;
        node.children = take(from, 4);
        node.child_count = node.children != NULL;
        take_u32(from); /* reserved */
        node.layer = (int32_t)take_u32(from);
        result = read_frames(reading, chunk, from, &node);
    } else if (!memcmp(chunk, "nGRP", 4)) {
        node.kind = ADIT_VOX_GROUP;
        node.child_count = take_u32(from);
        node.children = take(from, 4ull * node.child_count);
    } else {
        node.kind = ADIT_VOX_SHAPE;
        read_shape_models(from, &node);
    }
    if (result || from->broken)
        return result;
    if (file->node_count == ADIT_VOX_NODES_MAX)
        return adit_world_fail(reading->error, EFBIG, "%s: its scene has more than %d nodes: split it", reading->name,
                               ADIT_VOX_NODES_MAX);
    void *grown = room_for_one(file->nodes, file->node_count, &file->nodes_max, sizeof(*file->nodes));
    if (!grown)
        return no_memory(reading);
    file->nodes = grown;
    file->nodes[file->node_count++] = node;
    return 0;
}

static int read_chunk(struct reading *reading, const uint8_t *chunk, struct cursor *from)
{
    int result = 0;
    if (!memcmp(chunk, "SIZE", 4))
        result = read_size(reading, chunk, from);
    else if (!memcmp(chunk, "XYZI", 4))
        result = read_voxels(reading, chunk, from);
    else if (!memcmp(chunk, "RGBA", 4))
        result = read_palette(reading, from);
    else if (!memcmp(chunk, "MATL", 4))
        result = read_material(reading, from);
    else if (!memcmp(chunk, "MATT", 4))
        result = read_old_material(reading, from);
    else if (!memcmp(chunk, "LAYR", 4))
        result = read_layer(reading, from);
    else if (!memcmp(chunk, "nTRN", 4) || !memcmp(chunk, "nGRP", 4) || !memcmp(chunk, "nSHP", 4))
        result = read_node(reading, chunk, from);
    return !result && from->broken ? bad_chunk(reading, chunk, "holds less than it says") : result;
}

/* The palette of a file without RGBA. Indices 1..215 are the cube of six levels a channel, from white down, blue running
 * fastest, without its black end; then ten steps each of red, green, blue and grey. */
static void default_palette(uint32_t rgba[256])
{
    static const uint8_t steps[10] = {0xee, 0xdd, 0xbb, 0xaa, 0x88, 0x77, 0x55, 0x44, 0x22, 0x11};
    for (uint32_t i = 0; i < 215; i++) {
        uint32_t red = 255 - i / 36 * 51, green = 255 - i / 6 % 6 * 51, blue = 255 - i % 6 * 51;
        rgba[i + 1] = red << 24 | green << 16 | blue << 8 | 0xffu;
    }
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t step = steps[i % 10], channel = i / 10;
        uint32_t grey = step << 24 | step << 16 | step << 8;
        rgba[i + 216] = (channel == 3 ? grey : step << (24 - 8 * channel)) | 0xffu;
    }
}

static int by_id(const void *a, const void *b)
{
    int32_t x = ((const struct adit_vox_node *)a)->id, y = ((const struct adit_vox_node *)b)->id;
    return (x > y) - (x < y);
}

/* Sorts the nodes and sees that no id occurs twice. */
static int order_nodes(struct reading *reading)
{
    struct adit_vox_file *file = reading->file;
    if (file->node_count)
        qsort(file->nodes, file->node_count, sizeof(*file->nodes), by_id);
    for (uint32_t i = 1; i < file->node_count; i++)
        if (file->nodes[i].id == file->nodes[i - 1].id)
            return adit_world_fail(reading->error, EBADMSG, "%s: its scene has two nodes %d: export it again",
                                   reading->name, file->nodes[i].id);
    return 0;
}

int adit_vox_file_read(struct adit_vox_file *file, const char *name, const uint8_t *data, size_t bytes,
                       struct adit_world_error error)
{
    struct reading reading = {.file = file, .name = name, .data = data, .error = error};
    *file = (struct adit_vox_file){0};
    memset(file->alpha, 255, sizeof(file->alpha));
    default_palette(file->rgba);
    if (bytes < 8 || memcmp(data, "VOX ", 4) != 0)
        return adit_world_fail(error, EINVAL, "%s: does not begin with \"VOX \": it is no MagicaVoxel file", name);
    uint32_t version = little_endian(data + 4);
    if (version != 150 && version != 200)
        return adit_world_fail(error, EINVAL, "%s: is of version %u (byte 4), 150 and 200 are known: export it anew",
                               name, version);
    const uint8_t *at = data + 8, *end = data + bytes;
    bool in_main = false;
    while (at < end) {
        uint64_t left = (uint64_t)(end - at);
        if (left < CHUNK_HEAD_BYTES)
            return adit_world_fail(error, EBADMSG, "%s: breaks off at byte %zu, within a chunk's head: it is truncated",
                                   name, bytes);
        uint64_t content = little_endian(at + 4), children = little_endian(at + 8);
        bool is_main = !in_main && !memcmp(at, "MAIN", 4);
        if (content + children > left - CHUNK_HEAD_BYTES)
            return bad_chunk(&reading, at, "is longer than the file: it is truncated");
        if (!in_main && !is_main)
            return bad_chunk(&reading, at, "stands where MAIN should");
        struct cursor from = {at + CHUNK_HEAD_BYTES, at + CHUNK_HEAD_BYTES + content, false};
        int result = is_main ? 0 : read_chunk(&reading, at, &from);
        if (result)
            return result;
        at += CHUNK_HEAD_BYTES + content;
        if (is_main) /* its children are the rest; what follows them is not read */
            end = at + children;
        else
            at += children;
        in_main = true;
    }
    if (!in_main || !file->model_count)
        return adit_world_fail(error, EBADMSG, "%s: holds no model: it is truncated or empty", name);
    return order_nodes(&reading);
}

void adit_vox_file_fini(struct adit_vox_file *file)
{
    free(file->models);
    free(file->nodes);
    *file = (struct adit_vox_file){0};
}

const struct adit_vox_node *adit_vox_file_node(const struct adit_vox_file *file, int32_t id)
{
    const struct adit_vox_node wanted = {.id = id};
    return file->node_count ? bsearch(&wanted, file->nodes, file->node_count, sizeof(*file->nodes), by_id) : NULL;
}

int32_t adit_vox_node_child(const struct adit_vox_node *node, uint32_t i)
{
    return (int32_t)little_endian(node->children + 4 * (size_t)i);
}
