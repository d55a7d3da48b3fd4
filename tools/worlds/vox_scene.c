/* vox_scene.c - a walk of the scene with a stack of its own. A node on the path from the root is marked: meeting it again
 * is a circle. Nodes may be shared by several parents; the visits are counted, so a graph that unfolds to more than
 * ADIT_VOX_VISITS_MAX is refused rather than walked. Translations are at most 2^20 and depth 256: sums fit 32 bits. */
#include "tools/worlds/vox_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A turn by quarters and flips: row r of the matrix has sign[r] at column axis[r]. Then a move. z up. */
struct pose {
    uint8_t axis[3];
    int8_t sign[3];
    int32_t move[3];
};

struct frame {
    const struct adit_vox_node *node;
    uint32_t next; /* child */
    struct pose pose;
};

struct walk {
    const struct adit_vox_file *file;
    const char *name;
    struct adit_world *world;
    struct adit_world_error error;
    struct adit_vox_placement *placements;
    uint32_t count, max, visits;
    bool *on_path;    /* by place of a node in file->nodes */
    char *first_lost; /* ADIT_VOX_LOST_BYTES, empty until something is left out */
};

/* Leaves out what a reference should have led to; what: where it stands. */
static void lose(struct walk *walk, const char *what)
{
    if (!walk->world->parts_skipped++)
        snprintf(walk->first_lost, ADIT_VOX_LOST_BYTES, "%s", what);
    adit_world_warn(walk->world, "%s: %s; left out", walk->name, what);
}

static struct pose unpack(const struct adit_vox_node *node)
{
    struct pose pose = {{0, 1, 2}, {1, 1, 1}, {0, 0, 0}};
    if (node->kind != ADIT_VOX_TRANSFORM)
        return pose;
    pose.axis[0] = node->rotation & 3;
    pose.axis[1] = node->rotation >> 2 & 3;
    pose.axis[2] = (uint8_t)(3 - pose.axis[0] - pose.axis[1]); /* the one that is left */
    for (int r = 0; r < 3; r++) {
        pose.sign[r] = node->rotation >> (4 + r) & 1 ? -1 : 1;
        pose.move[r] = node->translation[r];
    }
    return pose;
}

/* What a child's pose is in the world: parent after child. */
static struct pose compose(const struct pose *parent, const struct pose *child)
{
    struct pose pose;
    for (int r = 0; r < 3; r++) {
        uint8_t via = parent->axis[r];
        pose.axis[r] = child->axis[via];
        pose.sign[r] = (int8_t)(parent->sign[r] * child->sign[via]);
        pose.move[r] = parent->move[r] + parent->sign[r] * child->move[via];
    }
    return pose;
}

/* Whether all of a placed model lies within reach of the origin. */
static bool is_near(const struct adit_vox_model *model, const struct adit_vox_placement *placement)
{
    for (int a = 0; a < 3; a++) {
        int32_t first = placement->offset[a];
        int32_t last = first + placement->sign[a] * (int32_t)model->size[placement->axis[a]];
        if (abs(first) > ADIT_VOX_REACH || abs(last) > ADIT_VOX_REACH)
            return false;
    }
    return true;
}

static int add(struct walk *walk, const struct adit_vox_placement *placement)
{
    if (!is_near(&walk->file->models[placement->model], placement)) {
        char what[ADIT_VOX_LOST_BYTES];
        snprintf(what, sizeof(what), "model %u is placed more than %d voxels from the origin", placement->model, ADIT_VOX_REACH);
        if (!walk->world->models_far++ && !walk->world->parts_skipped)
            memcpy(walk->first_lost, what, sizeof(what));
        adit_world_warn(walk->world, "%s: %s; left out", walk->name, what);
        return 0;
    }
    if (walk->count == walk->max) {
        uint32_t more = walk->max ? walk->max * 2 : 16;
        struct adit_vox_placement *grown =
            more > ADIT_VOX_PLACEMENTS_MAX ? NULL : realloc(walk->placements, more * sizeof(*grown));
        if (!grown)
            return adit_world_fail(walk->error, more > ADIT_VOX_PLACEMENTS_MAX ? EFBIG : ENOMEM,
                                   "%s: its scene places more than %u models: split it", walk->name, walk->max);
        walk->placements = grown;
        walk->max = more;
    }
    walk->placements[walk->count++] = *placement;
    return 0;
}

/* Places the model of a shape. */
static int place(struct walk *walk, const struct adit_vox_node *shape, const struct pose *pose)
{
    if (!shape->child_count)
        return 0;
    int32_t number = adit_vox_node_child(shape, 0);
    if (number < 0 || (uint32_t)number >= walk->file->model_count) {
        char what[ADIT_VOX_LOST_BYTES];
        snprintf(what, sizeof(what), "scene node %d shows model %d of %u", shape->id, number, walk->file->model_count);
        lose(walk, what);
        return 0;
    }
    const struct adit_vox_model *model = &walk->file->models[number];
    struct adit_vox_placement placement = {.model = (uint32_t)number};
    static const uint8_t row_of[3] = {0, 2, 1}; /* x, y, z of the world from the rows x, z, -y of the file */
    for (int a = 0; a < 3; a++) {
        uint8_t row = row_of[a];
        int32_t middle = (int32_t)model->size[pose->axis[row]] / 2;
        int32_t offset = pose->sign[row] > 0 ? pose->move[row] - middle : pose->move[row] + middle - 1;
        placement.axis[a] = pose->axis[row];
        placement.sign[a] = pose->sign[row];
        placement.offset[a] = offset;
        if (a == 2) { /* cell y becomes cell -y - 1 */
            placement.sign[a] = (int8_t)-placement.sign[a];
            placement.offset[a] = -offset - 1;
        }
    }
    return add(walk, &placement);
}

static bool is_hidden(const struct adit_vox_file *file, const struct adit_vox_node *node)
{
    if (node->hidden)
        return true;
    for (uint32_t i = 0; node->layer >= 0 && i < file->hidden_layer_count; i++)
        if (file->hidden_layers[i] == node->layer)
            return true;
    return false;
}

/* Opens a node below its parent: pushes it unless it is hidden. */
static int enter(struct walk *walk, struct frame *frames, uint32_t *depth, const struct adit_vox_node *node)
{
    const size_t at = (size_t)(node - walk->file->nodes);
    if (walk->on_path[at])
        return adit_world_fail(walk->error, EBADMSG, "%s: its scene runs in a circle at node %d: export it again",
                               walk->name, node->id);
    if (*depth == ADIT_VOX_DEPTH_MAX)
        return adit_world_fail(walk->error, EFBIG, "%s: its scene is nested more than %d deep at node %d: flatten it",
                               walk->name, ADIT_VOX_DEPTH_MAX, node->id);
    if (++walk->visits > ADIT_VOX_VISITS_MAX)
        return adit_world_fail(walk->error, EFBIG, "%s: its scene unfolds to more than %u nodes: split it", walk->name,
                               ADIT_VOX_VISITS_MAX);
    if (is_hidden(walk->file, node))
        return 0;
    struct pose own = unpack(node);
    frames[*depth] = (struct frame){node, 0, *depth ? compose(&frames[*depth - 1].pose, &own) : own};
    walk->on_path[at] = true;
    ++*depth;
    return node->kind == ADIT_VOX_SHAPE ? place(walk, node, &frames[*depth - 1].pose) : 0;
}

static int walk_scene(struct walk *walk)
{
    struct frame frames[ADIT_VOX_DEPTH_MAX];
    uint32_t depth = 0;
    const struct adit_vox_node *root = adit_vox_file_node(walk->file, 0);
    int result = enter(walk, frames, &depth, root ? root : walk->file->nodes);
    while (!result && depth) { /* each turn visits a child or leaves a node */
        struct frame *top = &frames[depth - 1];
        if (top->node->kind == ADIT_VOX_SHAPE || top->next == top->node->child_count) {
            walk->on_path[top->node - walk->file->nodes] = false;
            depth--;
            continue;
        }
        int32_t id = adit_vox_node_child(top->node, top->next++);
        const struct adit_vox_node *child = adit_vox_file_node(walk->file, id);
        if (child) {
            result = enter(walk, frames, &depth, child);
        } else {
            char what[ADIT_VOX_LOST_BYTES];
            snprintf(what, sizeof(what), "scene node %d has a child %d that is not there", top->node->id, id);
            lose(walk, what);
        }
    }
    return result;
}

/* Side by side along x, standing on y = 0; a row that grows long goes on in another one behind it. */
static int place_in_rows(struct walk *walk)
{
    int32_t x = 0, z = 0, depth = 0;
    int result = 0;
    for (uint32_t m = 0; m < walk->file->model_count && !result; m++) {
        const struct adit_vox_model *model = &walk->file->models[m];
        const int32_t width = (int32_t)model->size[0], behind = (int32_t)model->size[1];
        if (x + width > ADIT_VOX_REACH / 2) {
            x = 0;
            z += depth + 1;
            depth = 0;
        }
        struct adit_vox_placement placement = {.model = m,
                                               .axis = {0, 2, 1},
                                               .sign = {1, 1, -1},
                                               .offset = {x, 0, z + behind - 1}};
        x += width + 1;
        depth = depth > behind ? depth : behind;
        result = add(walk, &placement);
    }
    return result;
}

int adit_vox_scene_place(const struct adit_vox_file *file, const char *name, struct adit_world *world,
                         struct adit_vox_placement **placements, uint32_t *count, char first_lost[ADIT_VOX_LOST_BYTES],
                         struct adit_world_error error)
{
    struct walk walk = {.file = file, .name = name, .world = world, .error = error, .first_lost = first_lost};
    *first_lost = 0;
    *placements = NULL;
    *count = 0;
    walk.on_path = calloc(file->node_count + 1, sizeof(*walk.on_path));
    int result;
    if (!walk.on_path)
        result = adit_world_fail(error, ENOMEM, "%s: no memory to read it", name);
    else
        result = file->node_count ? walk_scene(&walk) : place_in_rows(&walk);
    free(walk.on_path);
    if (result) {
        free(walk.placements);
        return result;
    }
    *placements = walk.placements;
    *count = walk.count;
    return 0;
}
