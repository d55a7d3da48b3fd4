/* pieces.c - coordinates here are those of the volume without its border; the border begins at -1. */
#include "tools/pieces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/interrupt.h"
#include "tools/mesh_device.h"
#include "tools/moment.h"

#define QUADS_FIRST (64u << 10)

/* The rows around one strip: y and z from lo to hi, as far as the volume goes. */
struct strip {
    const struct adit_pieces *pieces;
    int32_t n[3];          /* of the volume without border */
    int32_t lo[3], hi[3];  /* what rows[] holds, x included */
    struct {
        uint16_t *rows;
        uint16_t *voxels, *planes; /* of one piece */
    } matter, light;
    uint64_t *quads;
    uint32_t quads_max;
};

/* Of the matter or the light of a strip. */
static const uint16_t *row_of(const struct strip *s, const uint16_t *rows, int32_t y, int32_t z)
{
    size_t width = (size_t)(s->hi[0] - s->lo[0]), height = (size_t)(s->hi[1] - s->lo[1]);
    return rows + ((size_t)(z - s->lo[2]) * height + (size_t)(y - s->lo[1])) * width - s->lo[0];
}

/* Reads the rows that the pieces at y0, z0 need. */
static int strip_read(struct strip *s, int32_t y0, int32_t z0, char *error, size_t error_bytes)
{
    int32_t border = (int32_t)s->pieces->border, from[3] = {0, y0 - 1, z0 - 1}, to[3] = {0, y0 + 65, z0 + 65};
    s->lo[0] = -border;
    s->hi[0] = s->n[0] + border;
    for (int a = 1; a < 3; a++) {
        s->lo[a] = from[a] > -border ? from[a] : -border;
        s->hi[a] = to[a] < s->n[a] + border ? to[a] : s->n[a] + border;
    }
    uint32_t y_lo = (uint32_t)(s->lo[1] + border), y_hi = (uint32_t)(s->hi[1] + border);
    uint32_t z_lo = (uint32_t)(s->lo[2] + border), z_hi = (uint32_t)(s->hi[2] + border);
    int status = adit_volume_rows(s->pieces->volume, y_lo, y_hi, z_lo, z_hi, s->matter.rows, error, error_bytes);
    if (!status && s->pieces->light)
        status = adit_volume_rows(s->pieces->light, y_lo, y_hi, z_lo, z_hi, s->light.rows, error, error_bytes);
    return status;
}

/* The layer beside face f of the piece into its plane; NULL when the volume ends there. */
static const uint16_t *plane_fill(const struct strip *s, const uint16_t *rows, uint16_t *planes, const int32_t origin[3], const int32_t dim[3],
                                  uint32_t f)
{
    uint32_t axis = adit_face_axis(f), u = adit_face_u(f), v = adit_face_v(f);
    int32_t layer = f & 1 ? origin[axis] + dim[axis] : origin[axis] - 1;
    if (layer < s->lo[axis] || layer >= s->hi[axis])
        return NULL;
    uint16_t *plane = planes + (size_t)f * ADIT_PLANE_VOXELS;
    int32_t p[3];
    p[axis] = layer;
    for (int32_t j = 0; j < dim[v]; j++)
        for (int32_t i = 0; i < dim[u]; i++) {
            p[u] = origin[u] + i;
            p[v] = origin[v] + j;
            plane[j * 64 + i] = row_of(s, rows, p[1], p[2])[p[0]];
        }
    return plane;
}

static bool is_opaque(const struct strip *s, const int32_t p[3])
{
    for (int a = 0; a < 3; a++)
        if (p[a] < s->lo[a] || p[a] >= s->hi[a])
            return false;
    return (s->pieces->classes[row_of(s, s->matter.rows, p[1], p[2])[p[0]]] & 3) == ADIT_CLASS_OPAQUE;
}

/* What lies diagonal to the piece. */
static void rim_fill(const struct strip *s, const int32_t origin[3], const int32_t dim[3], struct adit_mesh_rim *rim)
{
    *rim = (struct adit_mesh_rim){0};
    for (uint32_t axis = 0; axis < 3; axis++) {
        uint32_t first = adit_face_u(axis * 2), second = adit_face_v(axis * 2);
        for (uint32_t side = 0; side < 4; side++) {
            int32_t p[3];
            p[first] = side & 1 ? origin[first] + dim[first] : origin[first] - 1;
            p[second] = side & 2 ? origin[second] + dim[second] : origin[second] - 1;
            for (int32_t i = 0; i < dim[axis]; i++) {
                p[axis] = origin[axis] + i;
                rim->edge[axis * 4 + side] |= (uint64_t)is_opaque(s, p) << i;
            }
        }
    }
    for (uint32_t side = 0; side < 8; side++) {
        int32_t p[3];
        for (uint32_t a = 0; a < 3; a++)
            p[a] = side >> a & 1 ? origin[a] + dim[a] : origin[a] - 1;
        rim->corner |= (uint8_t)(is_opaque(s, p) << side);
    }
}

/* Runs the kernel, again with more room if it wants more. */
static int kernel_run(struct strip *s, const struct adit_mesh_source *source, struct adit_mesh_result *result)
{
    for (;;) {
        result->quads = s->quads;
        result->quads_max = s->quads_max;
        int status = s->pieces->device ? adit_mesh_device_run(s->pieces->device, source, result) : s->pieces->kernel(source, result);
        if (!status && s->pieces->exact)
            status = adit_mesh_exact(result);
        if (status != -ENOSPC)
            return status;
        uint32_t wanted = result->start[ADIT_MESH_RANGES];
        uint64_t *quads = wanted > s->quads_max ? realloc(s->quads, wanted * sizeof *quads) : NULL;
        if (!quads)
            return -ENOMEM;
        s->quads = quads;
        s->quads_max = wanted;
    }
}

/* One row of the piece into its cube; where that begins. */
static uint16_t *row_take(const struct strip *s, const uint16_t *rows, uint16_t *cube, const int32_t origin[3], const int32_t dim[3], int32_t y, int32_t z)
{
    uint16_t *to = cube + (z * 64 + y) * 64;
    memcpy(to, row_of(s, rows, origin[1] + y, origin[2] + z) + origin[0], (size_t)dim[0] * sizeof *to);
    return to;
}

static int piece_mesh(struct strip *s, struct adit_pieces *pieces, const int32_t origin[3])
{
    struct adit_mesh_source source = {.voxels = s->matter.voxels, .light = s->light.voxels, .classes = pieces->classes, .flags = pieces->flags};
    struct adit_mesh_result result = {0};
    int32_t dim[3];
    for (int a = 0; a < 3; a++) {
        dim[a] = s->n[a] - origin[a] < 64 ? s->n[a] - origin[a] : 64;
        source.dim[a] = (uint8_t)dim[a];
    }
    for (int32_t z = 0; z < dim[2]; z++)
        for (int32_t y = 0; y < dim[1]; y++) {
            uint16_t *to = row_take(s, s->matter.rows, s->matter.voxels, origin, dim, y, z);
            for (int32_t x = 0; x < dim[0]; x++)
                pieces->voxels += to[x] != 0;
            if (source.light)
                row_take(s, s->light.rows, s->light.voxels, origin, dim, y, z);
        }
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        source.plane[f] = plane_fill(s, s->matter.rows, s->matter.planes, origin, dim, f);
        if (source.light)
            source.light_plane[f] = plane_fill(s, s->light.rows, s->light.planes, origin, dim, f);
    }
    struct adit_mesh_rim rim;
    if (pieces->flags & ADIT_MESH_AO) {
        rim_fill(s, origin, dim, &rim);
        source.rim = &rim;
    }
    uint64_t start = adit_moment_ns();
    int status = kernel_run(s, &source, &result);
    pieces->mesh_ns += adit_moment_ns() - start;
    if (status)
        return status;
    pieces->count++;
    pieces->faces += result.faces;
    pieces->quads += result.start[ADIT_MESH_RANGES];
    const uint32_t at[3] = {(uint32_t)origin[0], (uint32_t)origin[1], (uint32_t)origin[2]};
    return result.start[ADIT_MESH_RANGES] ? pieces->take(at, &source, &result, pieces->user) : 0;
}

static int pieces_walk(struct adit_pieces *pieces, struct strip *s, char *error, size_t error_bytes)
{
    for (int32_t z = 0; z < s->n[2]; z += 64)
        for (int32_t y = 0; y < s->n[1]; y += 64) {
            int status = strip_read(s, y, z, error, error_bytes);
            for (int32_t x = 0; !status && x < s->n[0]; x += 64)
                status = adit_interrupt_is_set() ? -EINTR : piece_mesh(s, pieces, (const int32_t[3]){x, y, z});
            if (status && status != -EINTR && pieces->device && !*error)
                snprintf(error, error_bytes, "%s", adit_detail());
            if (status)
                return status;
        }
    return 0;
}

int adit_pieces_mesh(struct adit_pieces *pieces, char *error, size_t error_bytes)
{
    struct strip s = {.pieces = pieces, .quads_max = QUADS_FIRST};
    for (int a = 0; a < 3; a++)
        s.n[a] = (int32_t)pieces->volume->dim[a] - 2 * (int32_t)pieces->border;
    if (s.n[0] < 1 || s.n[1] < 1 || s.n[2] < 1) {
        snprintf(error, error_bytes, "%s: nothing is left of --dim within --border 1; each side needs 3 at least",
                 pieces->volume->path);
        return -EINVAL;
    }
    size_t row_voxels = (size_t)66 * 66 * pieces->volume->dim[0], planes_voxels = (size_t)ADIT_FACES * ADIT_PLANE_VOXELS;
    s.matter.rows = malloc(row_voxels * sizeof *s.matter.rows);
    s.matter.voxels = calloc(ADIT_CHUNK_VOXELS, sizeof *s.matter.voxels);
    s.matter.planes = calloc(planes_voxels, sizeof *s.matter.planes);
    if (pieces->light) {
        s.light.rows = malloc(row_voxels * sizeof *s.light.rows);
        s.light.voxels = calloc(ADIT_CHUNK_VOXELS, sizeof *s.light.voxels);
        s.light.planes = calloc(planes_voxels, sizeof *s.light.planes);
    }
    s.quads = malloc(s.quads_max * sizeof *s.quads);
    *error = 0;
    bool has_room = s.matter.rows && s.matter.voxels && s.matter.planes && s.quads &&
                    (!pieces->light || (s.light.rows && s.light.voxels && s.light.planes));
    int status = has_room ? pieces_walk(pieces, &s, error, error_bytes) : -ENOMEM;
    if (status == -ENOMEM && !*error)
        snprintf(error, error_bytes, "%s: not enough memory to mesh it", pieces->volume->path);
    free(s.matter.rows);
    free(s.matter.voxels);
    free(s.matter.planes);
    free(s.light.rows);
    free(s.light.voxels);
    free(s.light.planes);
    free(s.quads);
    return status;
}

/* A material number at *s; 0 when there is none in 1..65535. */
static uint32_t material_read(const char **s)
{
    uint32_t n = 0;
    for (; **s >= '0' && **s <= '9' && n < ADIT_MATERIALS; ++*s)
        n = n * 10 + (uint32_t)(**s - '0');
    return n < ADIT_MATERIALS ? n : 0;
}

int adit_pieces_classes(const char *text, uint8_t *classes, size_t *at)
{
    const char *s = text;
    while (*s) {
        enum adit_class class = *s == 't'   ? ADIT_CLASS_TRANSLUCENT
                                : *s == 'c' ? ADIT_CLASS_CUTOUT
                                : *s == 'o' ? ADIT_CLASS_OPAQUE
                                            : ADIT_CLASS_AIR;
        *at = (size_t)(s - text);
        if (class == ADIT_CLASS_AIR || s[1] != ':')
            return -EINVAL;
        s += 2;
        do {
            *at = (size_t)(s - text);
            uint32_t first = material_read(&s), last = first;
            if (*s == '-') {
                s++;
                last = material_read(&s);
            }
            if (!first || last < first || (*s && *s != ',' && *s != ';'))
                return -EINVAL;
            memset(classes + first, (int)class, last - first + 1);
        } while (*s == ',' && *++s);
        if (*s == ';')
            s++;
    }
    return 0;
}
