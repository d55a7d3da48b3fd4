/* halved.c - two layers of z at a time, in tiles as large as a kernel takes. A cell never lies in two tiles, since tiles begin at
 * even voxels. Each level is a file of its own, of an eighth of the one before, which is closed as soon as it has been read. */
#include "tools/halved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/interrupt.h"

#define TILE ADIT_CHUNK_DIM

/* A file that goes when it is closed, or a negative errno and a line. */
static int nameless_open(char *error, size_t error_bytes)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    folder = folder && *folder ? folder : "/tmp";
    int length = snprintf(path, sizeof path, "%s/adit-halved-XXXXXX", folder);
    int fd = length < (int)sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    int status = length < (int)sizeof path ? -errno : -ENAMETOOLONG;
    if (fd < 0) {
        snprintf(error, error_bytes, "%s: no file for the coarser voxels can be made there: %s; name another folder in TMPDIR", folder,
                 strerror(-status));
        return status;
    }
    unlink(path);
    return fd;
}

static int layer_write(int fd, const uint16_t *layer, size_t bytes, char *error, size_t error_bytes)
{
    const char *p = (const char *)layer;
    while (bytes) {
        ssize_t n = write(fd, p, bytes);
        if (n < 0 && errno == EINTR && !adit_interrupt_is_set())
            continue;
        if (n <= 0) {
            int status = n < 0 ? -errno : -EIO;
            snprintf(error, error_bytes, "cannot write the coarser voxels: %s; name a folder with room in TMPDIR", strerror(-status));
            return status;
        }
        p += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* Halves the layers of from, which has depth of them (1 or 2), side by side. */
static int layers_halve(const uint16_t *from, const uint32_t dim[3], uint32_t depth, adit_lod_kernel *halve, uint16_t *to)
{
    uint32_t to_row = (dim[0] + 1) / 2, to_layer = to_row * ((dim[1] + 1) / 2);
    int status = 0;
    for (uint32_t y = 0; y < dim[1]; y += TILE)
        for (uint32_t x = 0; x < dim[0]; x += TILE) {
            uint32_t width = dim[0] - x < TILE ? dim[0] - x : TILE, height = dim[1] - y < TILE ? dim[1] - y : TILE;
            status |= halve(&(struct adit_lod_halving){.from = from + (size_t)y * dim[0] + x,
                                                       .to = to + (size_t)(y / 2) * to_row + x / 2,
                                                       .from_row = dim[0],
                                                       .from_layer = dim[0] * dim[1],
                                                       .to_row = to_row,
                                                       .to_layer = to_layer,
                                                       .dim = {(uint8_t)width, (uint8_t)height, (uint8_t)depth}});
        }
    return status;
}

static int volume_halve(const struct adit_volume *from, adit_lod_kernel *halve, struct adit_volume *to, char *error, size_t error_bytes)
{
    const uint32_t *dim = from->dim;
    size_t layer = (size_t)dim[0] * dim[1];
    *to = (struct adit_volume){.path = from->path, .wide = true, .fd = nameless_open(error, error_bytes)};
    for (int a = 0; a < 3; a++)
        to->dim[a] = (dim[a] + 1) / 2;
    if (to->fd < 0)
        return to->fd;
    size_t half = (size_t)to->dim[0] * to->dim[1];
    uint16_t *read = malloc(2 * layer * sizeof *read), *halved = malloc(half * sizeof *halved);
    int status = read && halved ? 0 : -ENOMEM;
    if (status)
        snprintf(error, error_bytes, "%s: not enough memory for two layers of it", from->path);
    for (uint32_t z = 0; !status && z < dim[2]; z += 2) {
        uint32_t depth = dim[2] - z < 2 ? 1 : 2;
        status = adit_interrupt_is_set() ? -EINTR : adit_volume_rows(from, 0, dim[1], z, z + depth, read, error, error_bytes);
        if (!status)
            status = layers_halve(read, dim, depth, halve, halved);
        if (!status)
            status = layer_write(to->fd, halved, half * sizeof *halved, error, error_bytes);
    }
    free(halved);
    free(read);
    return status;
}

int adit_halved_open(const struct adit_volume *from, uint32_t times, adit_lod_kernel *halve, struct adit_volume *halved, char *error,
                     size_t error_bytes)
{
    int status = 0;
    *halved = (struct adit_volume){.fd = -1};
    for (uint32_t i = 0; i < times && !status; i++) {
        struct adit_volume next;
        status = volume_halve(i ? halved : from, halve, &next, error, error_bytes);
        adit_volume_close(halved);
        *halved = next;
    }
    if (status)
        adit_volume_close(halved);
    return status;
}
