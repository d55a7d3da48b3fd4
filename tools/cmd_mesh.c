/* cmd_mesh.c - `adit mesh`: one raw volume to quads, without an arena: what a mesher is judged by.
 *
 * A quad is a text line `face x y z w h material`, with --ao, --atlas and --light more numbers; faces and axes as in kernels/quad.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "tools/arena_open.h"
#include "tools/atlas.h"
#include "tools/command.h"
#include "tools/exports/exports.h"
#include "tools/halved.h"
#include "tools/devices.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/mesh_device.h"
#include "tools/moment.h"
#include "tools/options.h"
#include "tools/pieces.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/tiers.h"
#include "tools/volume.h"

#define PROGRAM "adit mesh"
#define LINES_BYTES (64u << 10)
#define LOD_MAX 12 /* the longest volume is then one voxel */
#define LINE_BYTES_MAX 112u /* sixteen numbers below 65,536, spaces and an end */

struct mesh_options {
    const char *dim, *tier, *classes, *mode, *tt, *quads, *merge, *atlas, *light;
    uint64_t border, lod;
    bool ao, wide, json, quiet;
};

/* Where lines go: a sink, stdout, or nowhere. */
struct lines {
    struct adit_sink *sink;
    bool to_stdout, has_ao, has_light;
    struct adit_atlas *atlas; /* or NULL */
    struct adit_progress progress;
    uint64_t layers_all;
    size_t have;
    char bytes[LINES_BYTES];
};

static const char help_text[] =
    "FILE.raw holds the voxels alone, a byte each (--u16: two, little endian), x running fastest, then y, then z; 0 is\n"
    "air. --border 1: the outermost shell, counted in --dim, is neighbour data: seen, but without faces of its own.\n"
    "--classes: t translucent, c cutout, o opaque, as in 't:4,8-9;c:7'; all others are opaque.\n"
    "--tt none leaves out faces between different materials that are not opaque.\n"
    "A quad is a line `face x y z w h material`: faces 0..5 are -X +X -Y +Y -Z +Z; w runs along y for X faces, else\n"
    "along x; h along y for Z faces, else along z. Coordinates count from the first voxel inside the border.\n"
    "--ao adds ambient occlusion, 0 dark to 3 open, of the quad's corners in the order u0v0 u1v0 u0v1 u1v1 (u along w, v along h); faces are\n"
    "merged only where that changes nothing.\n"
    "--merge any: opaque faces are merged whatever their material; the line has that of the quad's first face. --atlas OUT.png then writes a picture\n"
    "of 16-bit greys, each the material of a face, and lines go on with `x y w h`, the part of it that is spread over the quad (w along its w, h\n"
    "along its h): as large as the quad, or 1 1 where all is one material.\n"
    "--light FILE.raw: a value of each cell, two bytes little endian, the size of the volume; 0 to 1023 count. Faces are merged only if the cells\n"
    "before them have the same value, with which the line then ends. Beyond the volume it is 0.\n"
    "The volume is cut into pieces of 64 a side; no quad is longer.\n"
    "--mode exact: no cover of a piece's faces has fewer quads (with --ao: where AO is even); greedy is within 2 % of it for worlds, not for\n"
    "every volume, and many times faster.\n"
    "--lod N halves the volume N times first: 2x2x2 voxels become the material that most of them have, or air if fewer than\n"
    "four are not. Coordinates and voxels are then those of the halved volume.\n";

static int lines_flush(struct lines *l)
{
    if (l->sink)
        adit_sink_write(l->sink, l->bytes, l->have);
    else if (l->to_stdout && fwrite(l->bytes, 1, l->have, stdout) != l->have)
        return -EPIPE;
    l->have = 0;
    return 0;
}

static void number_put(struct lines *l, uint32_t n, char after)
{
    char digits[12];
    size_t i = sizeof digits;
    do {
        digits[--i] = (char)('0' + n % 10);
    } while (n /= 10);
    memcpy(l->bytes + l->have, digits + i, sizeof digits - i);
    l->have += sizeof digits - i;
    l->bytes[l->have++] = after;
}

/* What follows the material in a line: number i of a piece. */
static void rest_put(struct lines *l, uint64_t q, uint32_t i, uint32_t atlas_x, uint32_t atlas_y)
{
    for (uint32_t corner = 0; corner < 4 && l->has_ao; corner++)
        number_put(l, adit_quad_ao(q) >> 2 * corner & 3, ' ');
    if (l->atlas) {
        uint32_t place = l->atlas->piece.places[i];
        number_put(l, atlas_x + adit_patch_x(place), ' ');
        number_put(l, atlas_y + adit_patch_y(place), ' ');
        number_put(l, adit_patch_is_flat(place) ? 1 : adit_quad_w(q), ' ');
        number_put(l, adit_patch_is_flat(place) ? 1 : adit_quad_h(q), ' ');
    }
    if (l->has_light)
        number_put(l, adit_quad_light(q), ' ');
    l->bytes[l->have - 1] = '\n';
}

static int piece_take(const uint32_t origin[3], const struct adit_mesh_source *source, const struct adit_mesh_result *r, void *user)
{
    struct lines *l = user;
    uint32_t atlas_x = 0, atlas_y = 0;
    adit_progress_show(&l->progress, origin[2] / 64, l->layers_all, "layers of pieces");
    int status = l->atlas ? adit_atlas_add(l->atlas, source, r, &atlas_x, &atlas_y) : 0;
    if (status)
        return status;
    for (uint32_t range = 0; range < ADIT_MESH_RANGES && (l->sink || l->to_stdout); range++)
        for (uint32_t i = r->start[range]; i < r->start[range + 1]; i++) {
            uint64_t q = r->quads[i];
            if (l->have > LINES_BYTES - LINE_BYTES_MAX && lines_flush(l))
                return -EPIPE;
            number_put(l, range / ADIT_MESH_CLASSES, ' ');
            number_put(l, origin[0] + adit_quad_x(q), ' ');
            number_put(l, origin[1] + adit_quad_y(q), ' ');
            number_put(l, origin[2] + adit_quad_z(q), ' ');
            number_put(l, adit_quad_w(q), ' ');
            number_put(l, adit_quad_h(q), ' ');
            number_put(l, adit_quad_material(q), ' ');
            rest_put(l, q, i, atlas_x, atlas_y);
        }
    return 0;
}

/* One of two words, or the first when text is NULL. False after a line of error. */
static bool word_choose(const char *option, const char *text, const char *first, const char *second, bool *is_second)
{
    *is_second = text && !strcmp(text, second);
    if (!text || *is_second || !strcmp(text, first))
        return true;
    char shown[48];
    adit_say_error(PROGRAM, "%s '%s': give %s or %s", option,
                   adit_say_printable(shown, sizeof shown, text, strlen(text)), first, second);
    return false;
}

/* The mode named: flags of a source, and whether the mesh is made exact. False after a line of error. */
static bool mode_choose(const char *text, uint8_t *flags, bool *exact)
{
    bool culled = text && !strcmp(text, "culled");
    *exact = text && !strcmp(text, "exact");
    *flags = culled ? ADIT_MESH_CULLED : 0;
    if (!text || culled || *exact || !strcmp(text, "greedy"))
        return true;
    char shown[48];
    adit_say_error(PROGRAM, "--mode '%s': give greedy, exact or culled",
                   adit_say_printable(shown, sizeof shown, text, strlen(text)));
    return false;
}

/* Fills pieces from the options. False after a line of error. */
static bool pieces_prepare(const struct mesh_options *o, uint8_t *classes, uint32_t dim[3], struct adit_pieces *pieces,
                           struct adit_tiers *tiers)
{
    bool exact, tt_none, any;
    uint8_t flags;
    size_t at;
    const struct adit_tiers_wish wish = {.program = PROGRAM, .option = "--tier", .list = o->tier, .quiet = true};
    if (!o->dim || adit_volume_dim_parse(o->dim, dim)) {
        adit_say_error(PROGRAM, "give --dim X,Y,Z: how many voxels along each axis, each 1 to %d", ADIT_VOLUME_SIDE_MAX);
        return false;
    }
    memset(classes, ADIT_CLASS_OPAQUE, ADIT_MATERIALS);
    classes[0] = ADIT_CLASS_AIR;
    if (o->classes && adit_pieces_classes(o->classes, classes, &at)) {
        char shown[48];
        adit_say_error(PROGRAM, "--classes: not understood from '%s'; write it like t:4,8-9;c:7, materials 1 to 65535",
                       adit_say_printable(shown, sizeof shown, o->classes + at, strlen(o->classes + at)));
        return false;
    }
    if (!mode_choose(o->mode, &flags, &exact) ||
        !word_choose("--tt", o->tt, "both", "none", &tt_none) || !word_choose("--merge", o->merge, "material", "any", &any) || adit_tiers_choose(&wish, tiers))
        return false;
    if (any && (exact || (flags & ADIT_MESH_CULLED))) {
        adit_say_error(PROGRAM, "--merge any and --mode %s: only greedy merges opaque faces whatever their material", o->mode);
        return false;
    }
    if (o->atlas && !any) {
        adit_say_error(PROGRAM, "--atlas: each quad has one material, so there is nothing to write; add --merge any");
        return false;
    }
    *pieces = (struct adit_pieces){.border = (uint32_t)o->border,
                                   .classes = classes,
                                   .flags = (uint8_t)(flags | (tt_none ? ADIT_MESH_TT_NONE : 0) | (o->ao ? ADIT_MESH_AO : 0) |
                                                    (any ? ADIT_MESH_ANY_OPAQUE : 0)),
                                   .exact = exact,
                                   .kernel = adit_mesh_kernel_named(tiers->kernel),
                                   .take = piece_take};
    return true;
}

/* Opens the device, where one is asked for; tier: the name of what will mesh. False after a line of error. */
static bool device_take(struct adit_tiers *tiers, struct adit_pieces *pieces, struct adit_devices **devices, char tier[32])
{
    *devices = NULL;
    snprintf(tier, 32, "%s", tiers->kernel);
    tiers->devices &= !tiers->is_default;
    if (tiers->devices && tiers->threads) {
        adit_say_error(PROGRAM, "--tier: give one, a kernel or a device");
        return false;
    }
    if (adit_devices_choose(&(struct adit_tiers_wish){.program = PROGRAM, .option = "--tier", .quiet = true}, tiers, devices))
        return false;
    if (!*devices)
        return true;
    snprintf(tier, 32, "%s", (*devices)->executor[0]->name);
    if (!adit_mesh_device_open(*devices, &pieces->device))
        return true;
    adit_say_error(PROGRAM, "--tier %s: %s", tier, adit_detail());
    adit_devices_close(devices);
    return false;
}

static json_t *figures(const char *file, const uint32_t dim[3], uint64_t lod, const struct adit_pieces *p, const struct adit_atlas *atlas,
                       const char *tier, uint64_t ns)
{
    json_t *o = json_object();
    adit_jsonout_set_text(o, "file", file);
    adit_jsonout_set(o, "dim", json_pack("[i,i,i]", (int)dim[0], (int)dim[1], (int)dim[2]));
    adit_jsonout_set_count(o, "border", p->border);
    adit_jsonout_set_count(o, "lod", lod);
    adit_jsonout_set_text(o, "tier", tier);
    adit_jsonout_set_count(o, "pieces", p->count);
    adit_jsonout_set_count(o, "voxels", p->voxels);
    adit_jsonout_set_count(o, "visible_faces", p->faces);
    adit_jsonout_set_count(o, "quads", p->quads);
    if (atlas) {
        adit_jsonout_set_count(o, "atlas_width", adit_atlas_width(atlas));
        adit_jsonout_set_count(o, "atlas_height", adit_atlas_height(atlas));
        adit_jsonout_set_count(o, "atlas_texels", atlas->used);
    }
    adit_jsonout_set_real(o, "seconds", (double)ns / 1e9);
    adit_jsonout_set_real(o, "mesh_seconds", (double)p->mesh_ns / 1e9);
    return o;
}

/* Opens what is meshed: the file, or what comes of halving it. */
static int source_open(const char *file, const struct mesh_options *o, const uint32_t dim[3], const char *tier,
                       struct adit_volume *volume, char *error, size_t error_bytes)
{
    struct adit_volume whole;
    adit_lod_kernel *halve = adit_lod_kernel_named(tier);
    int status = adit_volume_open(file, dim, o->wide, &whole, error, error_bytes);
    *volume = whole;
    if (status || !o->lod)
        return status;
    status = adit_halved_open(&whole, (uint32_t)o->lod, halve ? halve : adit_lod_kernel_best(NULL), volume, error, error_bytes);
    adit_volume_close(&whole);
    return status;
}

static int mesh_work(const char *file, const struct mesh_options *o, const uint32_t dim[3], const char *tier,
                     struct adit_pieces *pieces, struct lines *l)
{
    char error[768] = "";
    struct adit_volume volume, light = {.fd = -1};
    int status = source_open(file, o, dim, tier, &volume, error, sizeof error);
    if (!status && o->light) {
        status = adit_volume_open(o->light, dim, true, &light, error, sizeof error);
        pieces->light = &light;
    }
    l->layers_all = (volume.dim[2] + 63) / 64;
    if (!status && o->quads && !l->to_stdout)
        status = adit_sink_open(o->quads, &l->sink, error, sizeof error);
    pieces->volume = &volume;
    pieces->user = l;
    if (!status)
        status = adit_pieces_mesh(pieces, error, sizeof error);
    if (!status)
        status = lines_flush(l);
    struct adit_sink *atlas = NULL; /* both files are whole before the first stands at its name */
    if (!status && l->atlas)
        status = adit_atlas_open(l->atlas, o->atlas, &atlas, error, sizeof error);
    if (!status && atlas)
        status = adit_sink_flush(atlas, error, sizeof error);
    if (!status && l->sink)
        status = adit_sink_commit(&l->sink, error, sizeof error);
    if (!status && atlas)
        status = adit_sink_commit(&atlas, error, sizeof error);
    adit_sink_discard(&atlas);
    if (!status && l->to_stdout && fflush(stdout))
        status = -EPIPE;
    adit_sink_discard(&l->sink);
    adit_volume_close(&volume);
    adit_volume_close(&light);
    adit_progress_clear();
    if (status == -EPIPE)
        adit_say_error(PROGRAM, "cannot write all quads to stdout; is it closed, or the disk full?");
    else if (status == -EFBIG && l->atlas && !*error)
        adit_say_error(PROGRAM, "--atlas %s: needs more than %u rows of %u texels; mesh a smaller volume", o->atlas, ADIT_ATLAS_ROWS_MAX,
                       ADIT_ATLAS_COLUMNS * ADIT_PATCH_WIDTH_MIN);
    else if (status && status != -EINTR)
        adit_say_error(PROGRAM, "%s", *error ? error : strerror(-status));
    return adit_arena_exit(status);
}

/* Whether files and options can be had together. False after a line of error. */
static bool files_agree(const char *file, const struct mesh_options *o, bool to_stdout)
{
    const char *out[] = {to_stdout ? NULL : o->quads, o->atlas}, *const option[] = {"--quads", "--atlas"}, *const what[] = {"quads", "atlas"};
    const char *in[] = {file, o->light}, *const is[] = {"the volume itself", "the light"};
    if (to_stdout && o->json) {
        adit_say_error(PROGRAM, "--quads - and --json both want stdout; write the quads to a file");
        return false;
    }
    for (int i = 0; i < 4; i++)
        if (out[i / 2] && in[i % 2] && adit_sink_is_same_file(in[i % 2], out[i / 2])) {
            adit_say_error(PROGRAM, "%s %s: that is %s; write the %s to another file", option[i / 2], out[i / 2], is[i % 2], what[i / 2]);
            return false;
        }
    if (o->atlas && !o->quads) {
        adit_say_error(PROGRAM, "--atlas: where a quad has its patch stands in its line; add --quads OUT");
        return false;
    }
    if (o->atlas && out[0] && (!strcmp(o->atlas, out[0]) || adit_sink_is_same_file(o->atlas, out[0]))) {
        adit_say_error(PROGRAM, "--atlas %s: the quads go there; give it a name of its own", o->atlas);
        return false;
    }
    size_t n = o->atlas ? strlen(o->atlas) : 0;
    if (o->atlas && (n < 4 || strcasecmp(o->atlas + n - 4, ".png"))) {
        adit_say_error(PROGRAM, "--atlas %s: pictures are PNG; end the name in .png", o->atlas);
        return false;
    }
    if (o->lod && (o->border || o->light)) {
        adit_say_error(PROGRAM, o->border ? "--lod and --border 1: a shell of one voxel cannot be halved; give the volume without its border"
                                          : "--lod and --light: light is not halved; leave one of them out");
        return false;
    }
    return true;
}

static int mesh_run(int argc, char **argv)
{
    struct mesh_options o = {0};
    const struct adit_option table[] = {
        {"dim", "X,Y,Z", ADIT_OPTION_TEXT, &o.dim, 0, 0, "size of the volume, border included"},
        {"border", "0|1", ADIT_OPTION_COUNT, &o.border, 0, 1, "1: the outermost shell is neighbour data (default 0)"},
        {"lod", "N", ADIT_OPTION_COUNT, &o.lod, 0, LOD_MAX, "halve the volume N times first (default 0)"},
        {"ao", NULL, ADIT_OPTION_FLAG, &o.ao, 0, 0, "ambient occlusion of each corner"},
        {"u16", NULL, ADIT_OPTION_FLAG, &o.wide, 0, 0, "two bytes a voxel"},
        {"classes", "SPEC", ADIT_OPTION_TEXT, &o.classes, 0, 0, "which materials are not opaque"},
        {"mode", "greedy|exact|culled", ADIT_OPTION_TEXT, &o.mode, 0, 0, "merge faces, into the fewest quads, or a quad each (default greedy)"},
        {"tt", "both|none", ADIT_OPTION_TEXT, &o.tt, 0, 0, "faces between different see-through materials (default both)"},
        {"merge", "material|any", ADIT_OPTION_TEXT, &o.merge, 0, 0, "what opaque faces of a quad share (default material)"},
        {"light", "FILE.raw", ADIT_OPTION_TEXT, &o.light, 0, 0, "light of each cell: merge only faces of the same"},
        {"tier", "TIER", ADIT_OPTION_TEXT, &o.tier, 0, 0, "scalar, avx2, avx512, vulkan or vulkan:N (default: the fastest kernel)"},
        {"quads", "OUT|-", ADIT_OPTION_TEXT, &o.quads, 0, 0, "write the quads to OUT, or to stdout"},
        {"atlas", "OUT.png", ADIT_OPTION_TEXT, &o.atlas, 0, 0, "with --merge any: the quads' materials as a picture"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
        {"quiet", NULL, ADIT_OPTION_FLAG, &o.quiet, 0, 0, "no progress"},
    };
    const struct adit_usage usage = {PROGRAM, "FILE.raw", "Meshes one raw volume.", help_text, table,
                                     sizeof table / sizeof *table, NULL};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    static uint8_t classes[ADIT_MATERIALS];
    static struct lines lines;
    static struct adit_atlas atlas;
    struct adit_pieces pieces;
    uint32_t dim[3];
    struct adit_tiers tiers;
    struct adit_devices *devices;
    char tier[32];
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one FILE.raw; see `%s --help`", PROGRAM);
        return ADIT_EXIT_BAD_INPUT;
    }
    lines.has_ao = o.ao;
    lines.has_light = o.light;
    lines.atlas = o.atlas ? &atlas : NULL;
    lines.to_stdout = o.quads && !strcmp(o.quads, "-");
    if (!files_agree(argv[first], &o, lines.to_stdout))
        return ADIT_EXIT_BAD_INPUT;
    if (!pieces_prepare(&o, classes, dim, &pieces, &tiers) || !device_take(&tiers, &pieces, &devices, tier))
        return ADIT_EXIT_BAD_INPUT;
    lines.progress = (struct adit_progress){.program = PROGRAM, .quiet = o.quiet};
    adit_interrupt_install();
    uint64_t start = adit_moment_ns();
    code = mesh_work(argv[first], &o, dim, tier, &pieces, &lines);
    uint64_t ns = adit_moment_ns() - start;
    adit_mesh_device_close(&pieces.device);
    adit_devices_close(&devices);
    json_t *json = !code && o.json ? figures(argv[first], dim, o.lod, &pieces, lines.atlas, tier, ns) : NULL;
    adit_atlas_fini(&atlas);
    if (code)
        return code;
    if (o.json)
        return adit_jsonout_print(PROGRAM, json) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    fprintf(lines.to_stdout ? stderr : stdout, "%s: %s: %s voxels, %s visible faces in %s quads, %llu pieces by %s; %s, %s of it meshing\n",
            PROGRAM, argv[first], ADIT_SAY_COUNT(pieces.voxels), ADIT_SAY_COUNT(pieces.faces), ADIT_SAY_COUNT(pieces.quads),
            (unsigned long long)pieces.count, tier, ADIT_SAY_DURATION((double)ns), ADIT_SAY_DURATION((double)pieces.mesh_ns));
    return ADIT_EXIT_DONE;
}

const struct adit_command adit_command_mesh = {"mesh", "mesh one raw volume, without an arena", mesh_run};
