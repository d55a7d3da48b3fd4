/* harvest.c - everything pinned or copied is in one list, which is given back whatever happens in between. */
#include "tools/harvest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "tools/exports/exports.h"
#include "tools/interrupt.h"
#include "tools/relook.h"
#include "tools/volume.h"

/* The meshes held, and the scene made of them. */
struct sheaf {
    struct adit_scene_mesh *meshes;
    uint32_t *pins; /* of mesh i when copies[i] is NULL */
    uint64_t **copies;
    size_t count, max;
    bool copies_all; /* none is pinned */
    struct adit_material_info *infos;
    struct adit_scene_material *materials;
    uint32_t materials_count;
};

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && !strcasecmp(path + n - m, suffix);
}

/* Whether a file could be made at path: its directory is there and open to us. Not a promise, but told before the work. */
static int place_check(const char *option, const char *path, char *error, size_t error_bytes)
{
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof directory) {
        snprintf(error, error_bytes, "%s: the name is too long", option);
        return -ENAMETOOLONG;
    }
    if (slash)
        snprintf(directory, sizeof directory, "%.*s", n ? (int)n : 1, path);
    struct stat st;
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        snprintf(error, error_bytes, "%s %s: is a directory; give the name of a file", option, path);
        return -EISDIR;
    }
    if (access(directory, W_OK | X_OK)) {
        int failure = errno;
        snprintf(error, error_bytes, "%s %s: the directory %s: %s; create it or write elsewhere", option, path, directory,
                 strerror(failure));
        return -failure;
    }
    return 0;
}

/* One of the words of a list that a zero ends, or NULL for the first: its number. -EINVAL and a line. */
static int word_find(const char *option, const char *text, const char *const words[], char *error, size_t error_bytes)
{
    int i = 0;
    while (text && words[i] && strcmp(text, words[i]) != 0)
        i++;
    if (words[i])
        return i;
    size_t used = (size_t)snprintf(error, error_bytes, "%s: no such choice; give", option);
    for (i = 0; words[i] && used < error_bytes; i++)
        used += (size_t)snprintf(error + used, error_bytes - used, "%s %s", i ? " or" : "", words[i]);
    return -EINVAL;
}

/* The options that say what --out is like, understood. 0, or -EINVAL and a line. */
static int form_read(const struct adit_harvest_params *params, struct adit_scene_form *form, bool *exact, char *error,
                     size_t error_bytes)
{
    static const char *const modes[] = {"greedy", "exact", NULL}, *const axes[] = {"x", "y", "z", NULL};
    static const char *const windings[] = {"ccw", "cw", NULL};
    int mode = word_find("--mode", params->mode, modes, error, error_bytes);
    int axis = mode < 0 ? mode : word_find("--mirror", params->mirror, axes, error, error_bytes);
    int winding = axis < 0 ? axis : word_find("--winding", params->winding, windings, error, error_bytes);
    if (winding < 0)
        return winding;
    *exact = mode == 1;
    *form = (struct adit_scene_form){.conforming = params->no_t_junctions,
                                     .mirror = (uint8_t)(params->mirror ? axis + 1 : 0),
                                     .clockwise = winding == 1};
    const char *option = params->mirror ? "--mirror" : params->winding ? "--winding" : params->no_t_junctions ? "--no-t-junctions" : NULL;
    if (option && params->out && has_suffix(params->out, ".quads")) {
        snprintf(error, error_bytes, "%s: .quads has no corners; write .obj, .ply or .glb", option);
        return -EINVAL;
    }
    option = option ? option : params->mode ? "--mode" : NULL;
    if (option && !params->out) {
        snprintf(error, error_bytes, "%s: says what --out is to be like; give --out FILE, too", option);
        return -EINVAL;
    }
    return 0;
}

int adit_harvest_check(const struct adit_harvest_params *params, char *error, size_t error_bytes)
{
    struct adit_scene_form form;
    bool exact;
    if (form_read(params, &form, &exact, error, error_bytes))
        return -EINVAL;
    if (params->out && !adit_export_has_format(params->out)) {
        snprintf(error, error_bytes, "--out %s: no such format; end the name in one of %s", params->out,
                 adit_export_formats());
        return -EINVAL;
    }
    if (params->picture && !has_suffix(params->picture, ".png")) {
        snprintf(error, error_bytes, "--picture %s: pictures are PNG; end the name in .png", params->picture);
        return -EINVAL;
    }
    char beside[PATH_MAX];
    const char *names[ADIT_HARVEST_OUTPUTS_MAX], *const options[] = {"--out", "--picture", "--raw", "--out"};
    adit_harvest_outputs(params, names, beside);
    for (size_t i = 0; i < ADIT_HARVEST_OUTPUTS_MAX; i++)
        if (names[i] && place_check(options[i], names[i], error, error_bytes))
            return -EINVAL;
    for (size_t i = 0; i < ADIT_HARVEST_OUTPUTS_MAX; i++)
        for (size_t k = i + 1; k < ADIT_HARVEST_OUTPUTS_MAX; k++)
            if (names[i] && names[k] && (!strcmp(names[i], names[k]) || adit_sink_is_same_file(names[i], names[k]))) {
                snprintf(error, error_bytes, "%s: two outputs cannot have one name", names[i]);
                return -EINVAL;
            }
    return 0;
}

void adit_harvest_outputs(const struct adit_harvest_params *params, const char *names[ADIT_HARVEST_OUTPUTS_MAX], char *beside)
{
    names[0] = params->out;
    names[1] = params->picture;
    names[2] = params->raw;
    names[3] = params->out && adit_export_beside(params->out, beside) > 0 ? beside : NULL;
}

int adit_harvest_box_parse(const char *text, struct adit_harvest_box *box)
{
    const char *s = text;
    for (int i = 0; i < 6; i++) {
        if (!isdigit((unsigned char)*s) && *s != '-')
            return -EINVAL;
        char *end;
        errno = 0;
        long long v = strtoll(s, &end, 10);
        if (errno || end == s || *end != (i < 5 ? ',' : 0) || v < -((int64_t)1 << 40) || v > (int64_t)1 << 40)
            return -EINVAL;
        *(i < 3 ? &box->lo[i] : &box->hi[i - 3]) = v;
        s = end + 1;
    }
    for (int a = 0; a < 3; a++)
        if (box->hi[a] <= box->lo[a] || box->hi[a] - box->lo[a] > ADIT_HARVEST_SIDE_MAX)
            return -EINVAL;
    return 0;
}

static int sheaf_grow(struct sheaf *sheaf)
{
    if (sheaf->count < sheaf->max)
        return 0;
    size_t max = sheaf->max ? sheaf->max * 2 : 256;
    void *m = realloc(sheaf->meshes, max * sizeof *sheaf->meshes);
    if (m)
        sheaf->meshes = m;
    void *p = realloc(sheaf->pins, max * sizeof *sheaf->pins);
    if (p)
        sheaf->pins = p;
    void *c = realloc(sheaf->copies, max * sizeof *sheaf->copies);
    if (c)
        sheaf->copies = c;
    if (!m || !p || !c)
        return -ENOMEM;
    sheaf->max = max;
    return 0;
}

/* Copies the ranges out of shared memory, and looks at the copy: a peer may change them at any time. */
static bool ranges_copy(const struct adit_mesh_view *mesh, uint32_t start[ADIT_MESH_RANGES + 1])
{
    memcpy(start, mesh->start, (ADIT_MESH_RANGES + 1) * sizeof *start);
    bool sound = start[0] == 0 && start[ADIT_MESH_RANGES] == mesh->quads_n;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        sound &= start[r] <= start[r + 1];
    return sound;
}

/* One mesh to hold; first: how many were held before. */
struct hold {
    const struct adit_key *key;
    const int32_t *shift;
    struct sheaf *sheaf;
    size_t first;
};

/* Holds the mesh beyond the section: pinned, or copied when pins have run out. The sheaf has room for it. */
static int hold_look(struct adit_reader *reader, void *user)
{
    struct hold *hold = user;
    struct sheaf *sheaf = hold->sheaf;
    const struct adit_key *key = hold->key;
    const size_t i = hold->first;
    struct adit_mesh_view mesh;
    int status = adit_mesh_acquire(reader, key, &mesh);
    if (status == -ENOENT || status == -ERANGE || (!status && !mesh.quads_n))
        return 0; /* nothing to export */
    if (status)
        return status;
    struct adit_scene_mesh *m = &sheaf->meshes[i];
    *m = (struct adit_scene_mesh){.x = key->x + hold->shift[0], .y = key->y + hold->shift[1], .z = key->z + hold->shift[2],
                                  .quads = mesh.quads};
    sheaf->copies[i] = NULL;
    if (!ranges_copy(&mesh, m->start) || !adit_mesh_is_intact(&mesh))
        return -EBADMSG;
    if (sheaf->copies_all || adit_pin(reader, mesh.ref, &sheaf->pins[i])) {
        sheaf->copies[i] = malloc(mesh.quads_n * sizeof(uint64_t));
        if (!sheaf->copies[i])
            return -ENOMEM;
        memcpy(sheaf->copies[i], mesh.quads, mesh.quads_n * sizeof(uint64_t));
        m->quads = sheaf->copies[i];
    }
    sheaf->count = i + 1;
    return 0;
}

static void hold_undo(void *user)
{
    struct hold *hold = user;
    if (hold->sheaf->count > hold->first)
        free(hold->sheaf->copies[hold->first]); /* a pin is never had in such a section */
    hold->sheaf->count = hold->first;
}

static int mesh_hold(struct adit_reader *reader, const struct adit_key *key, const int32_t shift[3], struct sheaf *sheaf)
{
    struct hold hold = {key, shift, sheaf, sheaf->count};
    return sheaf_grow(sheaf) ? -ENOMEM : adit_relook(reader, hold_look, hold_undo, &hold);
}

/* How far world i moves so that all stand in a row: by whole chunks, from the end of the one before. */
static void shifts_make(const struct adit_tally *tally, int32_t shift[ADIT_TALLY_WORLDS][3])
{
    const struct adit_tally_world *first = NULL;
    int32_t next = 0;
    for (uint32_t i = 0; i < ADIT_TALLY_WORLDS; i++) {
        const struct adit_tally_world *t = tally->world[i];
        if (!t || !t->chunks)
            continue;
        for (int a = 0; a < 3 && first; a++)
            shift[i][a] = (a ? first->key_min[a] : next) - t->key_min[a];
        first = first ? first : t;
        next = t->key_max[0] + shift[i][0] + 1;
    }
}

static int meshes_hold(struct adit_reader *reader, const struct adit_tally *tally, struct sheaf *sheaf, char *error,
                       size_t error_bytes)
{
    int32_t (*shift)[3] = calloc(ADIT_TALLY_WORLDS, sizeof *shift);
    int status = shift ? 0 : -ENOMEM;
    if (shift)
        shifts_make(tally, shift);
    for (size_t i = 0; !status && i < tally->keys_count; i++) {
        const struct adit_key *key = &tally->keys[i];
        if (!key->lod)
            status = adit_interrupt_is_set() ? -EINTR : mesh_hold(reader, key, shift[key->world], sheaf);
        if (status && status != -EINTR && status != -ENOMEM)
            snprintf(error, error_bytes, "nothing is exported: world %u chunk %d,%d,%d: its mesh %s", key->world, key->x, key->y,
                     key->z, status == -EBADMSG  ? "is damaged; publish that chunk again (`adit check --deep` tells more)"
                             : status == -ESTALE ? "cannot be read, writers outrun this; try again when less is published"
                                                 : adit_strerror(status));
    }
    free(shift);
    return status;
}

/* Makes a copied mesh the one of fewest quads. */
static int mesh_exact(struct adit_scene_mesh *mesh, uint64_t *quads)
{
    struct adit_mesh_result result = {.quads = quads, .quads_max = mesh->start[ADIT_MESH_RANGES]};
    memcpy(result.start, mesh->start, sizeof result.start);
    if (adit_mesh_exact(&result))
        return -EBADMSG;
    memcpy(mesh->start, result.start, sizeof mesh->start);
    return 0;
}

static int meshes_exact(const struct sheaf *sheaf, char *error, size_t error_bytes)
{
    for (size_t i = 0; i < sheaf->count; i++) {
        struct adit_scene_mesh *mesh = &sheaf->meshes[i];
        int status = adit_interrupt_is_set() ? -EINTR : mesh_exact(mesh, sheaf->copies[i]);
        if (status == -EBADMSG)
            snprintf(error, error_bytes, "nothing is exported: the mesh at chunk %d,%d,%d covers a face twice or leaves its chunk; "
                     "publish that chunk again", mesh->x, mesh->y, mesh->z);
        if (status)
            return status;
    }
    return 0;
}

static int materials_copy(struct adit_arena *arena, uint16_t material_max, struct sheaf *sheaf)
{
    sheaf->materials_count = (uint32_t)material_max + 1;
    sheaf->infos = calloc(sheaf->materials_count, sizeof *sheaf->infos);
    sheaf->materials = calloc(sheaf->materials_count, sizeof *sheaf->materials);
    if (!sheaf->infos || !sheaf->materials)
        return -ENOMEM;
    for (uint32_t m = 1; m < sheaf->materials_count; m++) {
        struct adit_material_info *info = &sheaf->infos[m];
        bool named = !adit_material_get(arena, (uint16_t)m, info);
        info->name[sizeof info->name - 1] = 0;
        sheaf->materials[m] = (struct adit_scene_material){
            .name = named ? info->name : NULL,
            .rgba = named ? info->rgba : ADIT_SCENE_RGBA_UNKNOWN,
            .class = named && (unsigned)info->material_class <= ADIT_CLASS_CUTOUT ? (uint8_t)info->material_class
                                                                                  : (uint8_t)ADIT_CLASS_OPAQUE,
        };
    }
    return 0;
}

static void sheaf_release(struct adit_arena *arena, struct sheaf *sheaf)
{
    for (size_t i = 0; i < sheaf->count; i++)
        if (sheaf->copies[i])
            free(sheaf->copies[i]);
        else
            adit_unpin(arena, sheaf->pins[i]);
    free(sheaf->meshes);
    free(sheaf->pins);
    free(sheaf->copies);
    free(sheaf->infos);
    free(sheaf->materials);
}

static int scene_write(struct adit_arena *arena, struct adit_reader *reader, const struct adit_tally *tally,
                       const struct adit_harvest_params *params, const struct adit_harvest_box *box,
                       struct adit_harvest_result *result, char *error, size_t error_bytes)
{
    struct sheaf sheaf = {0};
    struct adit_scene_form form = {0};
    bool exact = false;
    int status = form_read(params, &form, &exact, error, error_bytes);
    sheaf.copies_all = !status && (exact || form.conforming);
    if (!status)
        status = meshes_hold(reader, tally, &sheaf, error, error_bytes);
    if (!status && exact)
        status = meshes_exact(&sheaf, error, error_bytes);
    if (!status)
        status = materials_copy(arena, tally->all.material_max, &sheaf);
    if (status == -ENOMEM)
        snprintf(error, error_bytes, "not enough memory to export %zu meshes", tally->keys_count);
    struct adit_scene scene = {.meshes = sheaf.meshes,
                               .meshes_count = sheaf.count,
                               .materials = sheaf.materials,
                               .materials_count = sheaf.materials_count,
                               .origin = {box->lo[0], box->lo[1], box->lo[2]},
                               .form = form};
    if (!status)
        result->meshes = sheaf.count;
    if (!status)
        result->quads = adit_scene_quads(&scene);
    if (!status && params->out)
        status = adit_export_write(params->out, &scene, error, error_bytes);
    const struct adit_picture_params look = {.step = params->step, .user = params->user};
    if (!status && params->picture)
        status = adit_interrupt_is_set() ? -EINTR
                                         : adit_picture_write(params->picture, &scene, &look, error, error_bytes);
    sheaf_release(arena, &sheaf);
    return status;
}

/* The chunks of the lowest world there is, of raw_world for a raw volume. */
static struct adit_harvest_box box_of(const struct adit_tally *tally, const struct adit_harvest_params *params)
{
    const struct adit_tally_world *t = params->raw ? tally->world[params->raw_world] : NULL;
    for (uint32_t i = 0; !params->raw && !t && i < ADIT_TALLY_WORLDS; i++)
        t = tally->world[i];
    struct adit_harvest_box box = {{0, 0, 0}, {0, 0, 0}};
    for (int a = 0; a < 3 && t && t->chunks; a++) {
        box.lo[a] = (int64_t)t->key_min[a] * ADIT_CHUNK_DIM;
        box.hi[a] = (int64_t)t->key_max[a] * ADIT_CHUNK_DIM;
    }
    return box;
}

int adit_harvest_take(struct adit_arena *arena, struct adit_reader *reader, const struct adit_tally *tally,
                      const struct adit_harvest_params *params, struct adit_harvest_result *result, char *error,
                      size_t error_bytes)
{
    memset(result, 0, sizeof *result);
    *error = 0;
    adit_sink_stop_when(adit_interrupt_is_set);
    struct adit_harvest_box box = params->box ? *params->box : box_of(tally, params);
    int status = 0;
    if (params->out || params->picture)
        status = scene_write(arena, reader, tally, params, &box, result, error, error_bytes);
    if (!status && params->raw) {
        const struct adit_tally_world *t = tally->world[params->raw_world];
        if (!params->box && (!t || !t->chunks)) {
            snprintf(error, error_bytes, "--raw %s: world %u has no chunks here", params->raw, params->raw_world);
            return -ENOENT;
        }
        struct adit_volume_out out = {.path = params->raw, .world = params->raw_world, .wide = t && t->material_max > 255};
        memcpy(out.lo, box.lo, sizeof out.lo);
        memcpy(out.hi, box.hi, sizeof out.hi);
        status = adit_volume_write(reader, &out, error, error_bytes);
        result->raw_box = box;
        result->raw_voxel_bytes = out.wide ? 2 : 1;
    }
    if (status == -EINTR)
        *error = 0; /* who broke it off knows why: a sink's line would speak of the disk */
    else if (status && !*error)
        snprintf(error, error_bytes, "cannot export: %s", strerror(-status));
    return status;
}
