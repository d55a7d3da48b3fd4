/* vox_file.h - a MagicaVoxel file taken apart: models, palette, materials and the nodes of the scene, unplaced.
 *
 *   "VOX " version, then chunks: id (4 letters), bytes of content, bytes of children, content, children
 *   MAIN > SIZE, XYZI       a model: its size, its voxels (x, y, z, colour), one byte each
 *          nTRN, nGRP, nSHP the scene: a transform has one child, a group many, a shape one model (or one a frame)
 *          LAYR             a layer; transforms that lie in a hidden one are hidden
 *          RGBA             the palette: entry i is the colour of index i + 1
 *          MATL, MATT       how a colour looks, in the newer and in the older form
 *          IMAP             the order in which the editor shows the palette; indices of voxels do not change by it
 *   Others (PACK, rOBJ, rCAM, NOTE, META ..) change no voxel and are passed over.
 *
 * z is up, as in the file. Sources: ephtracy/voxel-model, MagicaVoxel-file-format-vox.txt and -vox-extension.txt.
 */
#ifndef ADIT_VOX_FILE_H
#define ADIT_VOX_FILE_H

#include "tools/worlds/world_source.h"

#define ADIT_VOX_MODEL_DIM_MAX 256 /* a voxel's place is a byte an axis */
#define ADIT_VOX_MODELS_MAX 65536
#define ADIT_VOX_NODES_MAX 262144
#define ADIT_VOX_HIDDEN_LAYERS_MAX 256
#define ADIT_VOX_TRANSLATION_MAX (1 << 20) /* voxels; MagicaVoxel's own world has 2000 */

struct adit_vox_model {
    uint32_t size[3];
    const uint8_t *voxels; /* count times x, y, z, colour: in the file's memory */
    uint32_t count;
};

enum adit_vox_node_kind { ADIT_VOX_TRANSFORM, ADIT_VOX_GROUP, ADIT_VOX_SHAPE };

struct adit_vox_node {
    int32_t id;
    uint8_t kind; /* enum adit_vox_node_kind */
    bool hidden;
    uint8_t rotation; /* transforms: the packed byte, sound */
    int32_t translation[3];
    int32_t layer;           /* transforms; -1 none */
    const uint8_t *children; /* child_count little-endian 32 bit: node ids, or of a shape the model's number */
    uint32_t child_count;
};

struct adit_vox_file {
    struct adit_vox_model *models;
    uint32_t model_count, models_max;
    struct adit_vox_node *nodes; /* by ascending id */
    uint32_t node_count, nodes_max;
    int32_t hidden_layers[ADIT_VOX_HIDDEN_LAYERS_MAX];
    uint32_t hidden_layer_count;
    uint32_t rgba[256]; /* 0xRRGGBBAA of each index; 0 is no colour */
    uint8_t alpha[256]; /* 255 opaque, less is translucent */
};

/* Takes a file apart. It must stay in memory while file is used. Returns 0, or a negative errno with its line (-EBADMSG
 * damaged, -EINVAL no .vox or of an unknown version, -EFBIG, -ENOMEM); file is to be freed with _fini either way. */
int adit_vox_file_read(struct adit_vox_file *file, const char *name, const uint8_t *data, size_t bytes,
                       struct adit_world_error error);
void adit_vox_file_fini(struct adit_vox_file *file);

/* The node of this id, NULL when there is none. */
const struct adit_vox_node *adit_vox_file_node(const struct adit_vox_file *file, int32_t id);

/* Number i of a node's children. */
int32_t adit_vox_node_child(const struct adit_vox_node *node, uint32_t i);

#endif
