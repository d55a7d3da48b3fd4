/* volume.c - the size is checked once at open and every read is checked again, because a file may shrink meanwhile. */
#include "tools/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/exports/exports.h"
#include "tools/interrupt.h"
#include "tools/relook.h"

#define LAYERS_BYTES_MAX ((uint64_t)128 << 20) /* of layers held while writing, unless one alone is larger */
#define LAYER_VOXELS_MAX ((uint64_t)1 << 28)

int adit_volume_dim_parse(const char *text, uint32_t dim[3])
{
    const char *s = text;
    for (int a = 0; a < 3; a++) {
        uint32_t v = 0;
        const char *from = s;
        for (; *s >= '0' && *s <= '9' && v <= ADIT_VOLUME_SIDE_MAX; s++)
            v = v * 10 + (uint32_t)(*s - '0');
        if (s == from || v < 1 || v > ADIT_VOLUME_SIDE_MAX || *s != (a < 2 ? ',' : 0))
            return -EINVAL;
        dim[a] = v;
        s++;
    }
    return 0;
}

int adit_volume_open(const char *path, const uint32_t dim[3], bool wide, struct adit_volume *volume, char *error,
                     size_t error_bytes)
{
    *volume = (struct adit_volume){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .wide = wide};
    memcpy(volume->dim, dim, sizeof volume->dim);
    struct stat st;
    int status = 0;
    if (volume->fd < 0 || fstat(volume->fd, &st)) {
        status = -errno;
        snprintf(error, error_bytes, "%s: cannot read: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        status = -EINVAL;
        snprintf(error, error_bytes, "%s: not a regular file; a volume is read out of order, so copy it into one", path);
    } else {
        uint64_t want = (uint64_t)dim[0] * dim[1] * dim[2] * (wide ? 2 : 1);
        if ((uint64_t)st.st_size != want) {
            status = -EINVAL;
            snprintf(error, error_bytes, "%s: has %llu bytes, but --dim %u,%u,%u%s asks for %llu; correct --dim or --u16",
                     path, (unsigned long long)st.st_size, dim[0], dim[1], dim[2], wide ? " --u16" : "",
                     (unsigned long long)want);
        }
    }
    if (status)
        adit_volume_close(volume);
    return status;
}

void adit_volume_close(struct adit_volume *volume)
{
    if (volume->fd >= 0)
        close(volume->fd);
    volume->fd = -1;
}

static int bytes_read(const struct adit_volume *volume, uint64_t at, uint8_t *out, size_t n, char *error,
                      size_t error_bytes)
{
    while (n) {
        ssize_t got = pread(volume->fd, out, n, (off_t)at);
        if (got < 0 && errno == EINTR && !adit_interrupt_is_set())
            continue;
        if (got <= 0) {
            int failure = got < 0 ? errno : EIO;
            snprintf(error, error_bytes, "%s: at byte %llu: %s", volume->path, (unsigned long long)at,
                     got < 0 ? strerror(errno) : "the file has become shorter");
            return -failure;
        }
        out += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

int adit_volume_rows(const struct adit_volume *volume, uint32_t y0, uint32_t y1, uint32_t z0, uint32_t z1,
                     uint16_t *out, char *error, size_t error_bytes)
{
    size_t row = (size_t)(y1 - y0) * volume->dim[0], wide = volume->wide ? 2 : 1;
    for (uint32_t z = z0; z < z1; z++, out += row) {
        uint64_t at = ((uint64_t)z * volume->dim[1] + y0) * volume->dim[0] * wide;
        /* bytes go to the end of the row's place, so that widening forwards never overtakes itself */
        uint8_t *bytes = (uint8_t *)out + (volume->wide ? 0 : row);
        int status = bytes_read(volume, at, bytes, row * wide, error, error_bytes);
        if (status)
            return status;
        for (size_t i = 0; i < row; i++)
            out[i] = (uint16_t)(volume->wide ? bytes[2 * i] | bytes[2 * i + 1] << 8 : bytes[i]);
    }
    return 0;
}

/* A key and where its voxels go. */
struct chunk_look {
    struct adit_key key;
    uint16_t *voxels;
};

static int chunk_look(struct adit_reader *reader, void *user)
{
    struct chunk_look *look = user;
    struct adit_chunk_view view;
    int status = adit_chunk_acquire(reader, &look->key, &view);
    if (status)
        return status;
    adit_chunk_decode(&view, look->voxels);
    return adit_chunk_is_intact(&view) ? 0 : -EBADMSG; /* looked at afterwards: then it was when it was decoded */
}

/* The voxels of a key. -ENOENT: never published, or beyond what keys can name: air. Otherwise 0, or a negative errno and a line. */
static int chunk_read(struct adit_reader *reader, const char *path, const struct adit_key *key, uint16_t *voxels, char *error,
                      size_t error_bytes)
{
    struct chunk_look look = {*key, voxels};
    int status = adit_relook(reader, chunk_look, NULL, &look);
    if (status == -ESTALE)
        snprintf(error, error_bytes, "%s: not written: world %u chunk %d,%d,%d cannot be read, writers outrun this; try again when "
                 "less is published", path, key->world, key->x, key->y, key->z);
    else if (status && status != -ENOENT && status != -ERANGE)
        snprintf(error, error_bytes, "%s: not written: world %u chunk %d,%d,%d %s; publish it again (`adit check --deep` tells more)",
                 path, key->world, key->x, key->y, key->z, status == -EBADMSG ? "is damaged" : adit_strerror(status));
    return status == -ERANGE ? -ENOENT : status;
}

/* The layers lo.z + from .. lo.z + from + count of the box, into layers (x fastest, then y, then z). */
static int layers_fill(struct adit_reader *reader, const struct adit_volume_out *out, int64_t from, int64_t count,
                       uint16_t *chunk, uint16_t *layers, char *error, size_t error_bytes)
{
    int64_t dx = out->hi[0] - out->lo[0], dy = out->hi[1] - out->lo[1];
    int64_t z0 = out->lo[2] + from, z1 = z0 + count;
    memset(layers, 0, (size_t)(dx * dy * count) * sizeof *layers);
    for (int64_t cz = z0 >> 6; cz <= (z1 - 1) >> 6; cz++)
        for (int64_t cy = out->lo[1] >> 6; cy <= (out->hi[1] - 1) >> 6; cy++)
            for (int64_t cx = out->lo[0] >> 6; cx <= (out->hi[0] - 1) >> 6; cx++) {
                if (adit_interrupt_is_set())
                    return -EINTR;
                struct adit_key key = {.x = (int32_t)cx, .y = (int32_t)cy, .z = (int32_t)cz, .world = out->world};
                int status = chunk_read(reader, out->path, &key, chunk, error, error_bytes);
                if (status == -ENOENT)
                    continue;
                if (status)
                    return status;
                int64_t x0 = cx * 64 > out->lo[0] ? cx * 64 : out->lo[0];
                int64_t x1 = cx * 64 + 64 < out->hi[0] ? cx * 64 + 64 : out->hi[0];
                for (int64_t z = cz * 64 > z0 ? cz * 64 : z0; z < cz * 64 + 64 && z < z1; z++)
                    for (int64_t y = cy * 64 > out->lo[1] ? cy * 64 : out->lo[1]; y < cy * 64 + 64 && y < out->hi[1]; y++)
                        memcpy(layers + ((z - z0) * dy + y - out->lo[1]) * dx + x0 - out->lo[0],
                               chunk + ((z & 63) * 64 + (y & 63)) * 64 + (x0 & 63),
                               (size_t)(x1 - x0) * sizeof *chunk);
            }
    return 0;
}

/* Voxels into the bytes of the file, in place. */
static int voxels_pack(uint16_t *voxels, size_t n, bool wide)
{
    uint8_t *bytes = (uint8_t *)voxels;
    for (size_t i = 0; i < n; i++) {
        uint16_t v = voxels[i];
        if (wide) {
            bytes[2 * i] = (uint8_t)v;
            bytes[2 * i + 1] = (uint8_t)(v >> 8);
        } else if (v > 255) {
            return -ERANGE;
        } else {
            bytes[i] = (uint8_t)v;
        }
    }
    return 0;
}

int adit_volume_write(struct adit_reader *reader, const struct adit_volume_out *out, char *error, size_t error_bytes)
{
    int64_t d[3];
    for (int a = 0; a < 3; a++)
        d[a] = out->hi[a] - out->lo[a];
    if (d[0] * d[1] > (int64_t)LAYER_VOXELS_MAX) {
        snprintf(error, error_bytes, "%s: a layer of %lld by %lld voxels is too large; give a smaller --box", out->path,
                 (long long)d[0], (long long)d[1]);
        return -EFBIG;
    }
    uint64_t layer = (uint64_t)(d[0] * d[1]), at_once = LAYERS_BYTES_MAX / 2 / (layer ? layer : 1);
    at_once = at_once < 1 ? 1 : at_once > 64 ? 64 : at_once;
    uint16_t *layers = malloc(layer * at_once * sizeof *layers + 1);
    uint16_t *chunk = malloc(sizeof *chunk * ADIT_CHUNK_VOXELS);
    struct adit_sink *sink = NULL;
    int status = layers && chunk ? 0 : -ENOMEM;
    if (status)
        snprintf(error, error_bytes, "%s: not enough memory for a layer of %lld by %lld voxels", out->path,
                 (long long)d[0], (long long)d[1]);
    if (!status)
        status = adit_sink_open(out->path, &sink, error, error_bytes);
    for (int64_t z = 0; !status && z < d[2] && layer;) {
        int64_t n = d[2] - z < (int64_t)at_once ? d[2] - z : (int64_t)at_once;
        status = layers_fill(reader, out, z, n, chunk, layers, error, error_bytes);
        if (!status && (status = voxels_pack(layers, layer * (uint64_t)n, out->wide)))
            snprintf(error, error_bytes, "%s: a material beyond 255 appeared meanwhile; run it again", out->path);
        if (!status)
            adit_sink_write(sink, layers, layer * (uint64_t)n * (out->wide ? 2 : 1));
        z += n;
    }
    if (!status)
        status = adit_sink_commit(&sink, error, error_bytes);
    adit_sink_discard(&sink);
    free(chunk);
    free(layers);
    return status;
}
