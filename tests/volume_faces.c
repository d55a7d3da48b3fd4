#include "tests/volume_faces.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/mesh.h"

uint8_t *file_read(const char *path, size_t *bytes)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        fail_msg("%s cannot be read", path);
    *bytes = (size_t)st.st_size;
    uint8_t *data = malloc(*bytes + 1);
    assert_non_null(data);
    assert_int_equal(read(fd, data, *bytes), *bytes);
    data[*bytes] = 0;
    close(fd);
    return data;
}

void file_write(const char *path, const void *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    close(fd);
}

/* Of the voxels or the light of a volume; 0 outside. */
static int cell_at(const struct volume *v, const uint16_t *cells, int x, int y, int z)
{
    int b = v->border, dx = v->n[0] + 2 * b, dy = v->n[1] + 2 * b;
    if (x < -b || y < -b || z < -b || x >= v->n[0] + b || y >= v->n[1] + b || z >= v->n[2] + b)
        return 0;
    return cells[((size_t)(z + b) * (size_t)dy + (size_t)(y + b)) * (size_t)dx + (size_t)(x + b)];
}

int voxel_at(const struct volume *v, int x, int y, int z)
{
    return cell_at(v, v->voxels, x, y, z);
}

static bool face_is_visible(const struct volume *v, int x, int y, int z, int face)
{
    int p[3] = {x, y, z}, a = voxel_at(v, x, y, z);
    p[face / 2] += face % 2 ? 1 : -1;
    int b = voxel_at(v, p[0], p[1], p[2]), ca = v->classes[a & 255], cb = v->classes[b & 255];
    if (!a || cb == ADIT_CLASS_OPAQUE)
        return false;
    if (!b || ca == ADIT_CLASS_OPAQUE)
        return true;
    return a == b ? ca == ADIT_CLASS_CUTOUT : !v->tt_none;
}

/* The AO of a corner of a face. */
static int ao_at(const struct volume *v, const int at[3], int face, int corner)
{
    int opaque[3], u = (int)adit_face_u((uint32_t)face), w = (int)adit_face_v((uint32_t)face);
    for (int i = 0; i < 3; i++) { /* beside it one way, the other way, both */
        int p[3] = {at[0], at[1], at[2]};
        p[face / 2] += face % 2 ? 1 : -1;
        p[u] += i == 1 ? 0 : corner & 1 ? 1 : -1;
        p[w] += i == 0 ? 0 : corner & 2 ? 1 : -1;
        opaque[i] = v->classes[voxel_at(v, p[0], p[1], p[2]) & 255] == ADIT_CLASS_OPAQUE;
    }
    return opaque[0] && opaque[1] ? 0 : 3 - opaque[0] - opaque[1] - opaque[2];
}

/* The face at i, j of a quad of w x h with these corners. */
static void ao_fits(const struct volume *v, const int at[3], int face, const int ao[4], int i, int j, int w, int h)
{
    for (int corner = 0; corner < 4; corner++) {
        int a = i + (corner & 1), b = j + (corner >> 1);
        int between = ao[0] * (w - a) * (h - b) + ao[1] * a * (h - b) + ao[2] * (w - a) * b + ao[3] * a * b;
        assert_int_equal(between, ao_at(v, at, face, corner) * w * h);
    }
}

/* The numbers of a line behind AO: of the face at q, i along w and j along h of its quad. */
static void rest_fits(const struct volume *v, const int q[3], int face, int i, int j, const int *rest)
{
    if (v->atlas.texels) {
        int x = rest[0] + (rest[2] > 1 ? i : 0), y = rest[1] + (rest[3] > 1 ? j : 0);
        assert_true(x >= 0 && y >= 0 && x < v->atlas.width && y < v->atlas.height);
        assert_int_equal(v->atlas.texels[(size_t)y * (size_t)v->atlas.width + (size_t)x], voxel_at(v, q[0], q[1], q[2]));
        rest += 4;
    }
    if (v->light) {
        int p[3] = {q[0], q[1], q[2]};
        p[face / 2] += face % 2 ? 1 : -1;
        assert_int_equal(*rest, cell_at(v, v->light, p[0], p[1], p[2]) & 1023);
    }
}

/* Whether a face at q may be in a quad of material m that begins at p. */
static bool material_fits(const struct volume *v, const int q[3], const int p[3], int m)
{
    int mine = voxel_at(v, q[0], q[1], q[2]);
    return mine == m || (v->any_opaque && v->classes[mine & 255] == ADIT_CLASS_OPAQUE && v->classes[m & 255] == ADIT_CLASS_OPAQUE &&
                         voxel_at(v, p[0], p[1], p[2]) == m);
}

int64_t quads_fit(const struct volume *v, const char *path, int64_t *quads)
{
    size_t bytes, cells = (size_t)v->n[0] * (size_t)v->n[1] * (size_t)v->n[2];
    char *text = (char *)file_read(path, &bytes);
    uint8_t *covered = calloc(6, cells);
    assert_non_null(covered);
    *quads = 0;
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        if (*line == '#')
            continue;
        int k[16], n = 7 + (v->has_ao ? 4 : 0) + (v->atlas.texels ? 4 : 0) + (v->light ? 1 : 0);
        char *s = line, *end;
        for (int i = 0; i < n; i++, s = end) {
            k[i] = (int)strtol(s, &end, 10);
            if (end == s || (i == 0 && (k[0] < 0 || k[0] > 5)))
                fail_msg("line %lld: not a quad", (long long)*quads);
        }
        assert_true(n == 7 || *s == '\n'); /* a run's lines have AO all the same */
        ++*quads;
        int f = k[0], p[3] = {k[1], k[2], k[3]}, w = k[4], h = k[5], m = k[6];
        for (int j = 0; j < h; j++)
            for (int i = 0; i < w; i++) {
                int q[3] = {p[0], p[1], p[2]};
                q[adit_face_u((uint32_t)f)] += i;
                q[adit_face_v((uint32_t)f)] += j;
                bool in = q[0] >= 0 && q[1] >= 0 && q[2] >= 0 && q[0] < v->n[0] && q[1] < v->n[1] && q[2] < v->n[2];
                if (!in || !face_is_visible(v, q[0], q[1], q[2], f) || !material_fits(v, q, p, m))
                    fail_msg("face %d of %d,%d,%d (material %d) is not visible, or not of that material", f, q[0], q[1],
                             q[2], m);
                if (v->has_ao)
                    ao_fits(v, q, f, k + 7, i, j, w, h);
                rest_fits(v, q, f, i, j, k + (v->has_ao ? 11 : 7));
                size_t at = ((size_t)q[2] * (size_t)v->n[1] + (size_t)q[1]) * (size_t)v->n[0] + (size_t)q[0];
                if (covered[(size_t)f * cells + at]++)
                    fail_msg("face %d of %d,%d,%d is covered twice", f, q[0], q[1], q[2]);
            }
    }
    int64_t faces = 0, seen = 0;
    for (int f = 0; f < 6; f++)
        for (int z = 0; z < v->n[2]; z++)
            for (int y = 0; y < v->n[1]; y++)
                for (int x = 0; x < v->n[0]; x++) {
                    faces += face_is_visible(v, x, y, z, f);
                    seen += covered[(size_t)f * cells + ((size_t)z * (size_t)v->n[1] + (size_t)y) * (size_t)v->n[0] + (size_t)x];
                }
    assert_int_equal(seen, faces);
    free(covered);
    free(text);
    return faces;
}

struct volume volume_opaque(const uint16_t *voxels, int x, int y, int z, int border)
{
    struct volume v = {.n = {x, y, z}, .border = border, .voxels = voxels};
    memset(v.classes, ADIT_CLASS_OPAQUE, sizeof v.classes);
    v.classes[0] = ADIT_CLASS_AIR;
    return v;
}
