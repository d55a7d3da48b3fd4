/* raw_world.c - the file's size is checked against the shape once, before anything is read; a file that shrinks later
 * gives short reads, which are errors. pread needs no shared file position: chunks may be read by many threads. */
#include "tools/worlds/raw_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCAN_BYTES (1u << 20)
#define ROW_TOGETHER_BYTES 1024 /* rows up to this long are read 64 at once */

struct raw_world {
    struct adit_world_source source; /* first */
    int fd;
    uint32_t unit; /* bytes of a voxel */
    int32_t dim[3];
};

static int read_at(int fd, uint8_t *data, size_t bytes, uint64_t offset)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(fd, data + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EBADMSG; /* it shrank */
        done += (size_t)got;
    }
    return 0;
}

static void raw_close(struct adit_world_source *source)
{
    struct raw_world *raw = (struct raw_world *)(void *)source;
    if (raw->fd >= 0)
        close(raw->fd);
    free(raw);
}

/* Widens count voxels. Returns whether any is no air. */
static uint16_t widen(const struct raw_world *raw, const uint8_t *from, uint16_t *to, uint32_t count)
{
    uint16_t any = 0;
    for (uint32_t i = 0; i < count; i++) {
        to[i] = (uint16_t)(raw->unit == 1 ? from[i] : from[2 * i] | from[2 * i + 1] << 8);
        any |= to[i];
    }
    return any;
}

static int raw_fill(const struct adit_world *world, const int32_t key[3], uint16_t *voxels)
{
    const struct raw_world *raw = (const struct raw_world *)(const void *)world->source;
    uint64_t first[3], size[3];
    for (int a = 0; a < 3; a++) { /* the key is in the box: at least one voxel on each axis */
        first[a] = (uint64_t)key[a] * 64;
        size[a] = (uint64_t)raw->dim[a] - first[a] < 64 ? (uint64_t)raw->dim[a] - first[a] : 64;
    }
    const uint64_t row = (uint64_t)raw->dim[0] * raw->unit;
    const uint64_t rows = row <= ROW_TOGETHER_BYTES ? size[1] : 1; /* read at once */
    uint8_t buffer[ROW_TOGETHER_BYTES * 64];
    uint16_t any = 0;
    for (uint64_t z = 0; z < size[2]; z++)
        for (uint64_t y = 0; y < size[1]; y += rows) {
            uint64_t offset = ((first[2] + z) * (uint64_t)raw->dim[1] + first[1] + y) * row + first[0] * raw->unit;
            int error = read_at(raw->fd, buffer, (rows - 1) * row + size[0] * raw->unit, offset);
            if (error)
                return error;
            for (uint64_t r = 0; r < rows; r++)
                any |= widen(raw, buffer + r * row, voxels + (z * 64 + y + r) * 64, (uint32_t)size[0]);
        }
    return any != 0;
}

/* Reads "X,Y,Z" or "X,Y,Z:u16". 0, -EINVAL when it is not written so, or -EFBIG when it is and a size is too large. */
static int read_shape(const char *shape, struct raw_world *raw)
{
    bool is_large = false;
    const char *at = shape;
    for (int a = 0; a < 3; a++) {
        char *end;
        if (*at < '0' || *at > '9')
            return -EINVAL;
        unsigned long value = strtoul(at, &end, 10); /* ULONG_MAX when it is larger still */
        if (value == 0 || (a < 2 && *end != ','))
            return -EINVAL;
        is_large |= value > ADIT_RAW_DIM_MAX;
        raw->dim[a] = (int32_t)(value & INT32_MAX); /* itself, unless it is too large */
        at = a < 2 ? end + 1 : end;
    }
    raw->unit = strcmp(at, ":u16") == 0 ? 2 : 1;
    if (*at != 0 && raw->unit != 2)
        return -EINVAL;
    return is_large ? -EFBIG : 0;
}

/* The largest value in the file. Returns 0 or a negative errno. */
static int find_largest(const struct raw_world *raw, uint64_t bytes, uint32_t *largest)
{
    uint8_t *data = malloc(SCAN_BYTES);
    int error = data ? 0 : -ENOMEM;
    *largest = 0;
    for (uint64_t at = 0; at < bytes && !error; at += SCAN_BYTES) {
        size_t part = bytes - at < SCAN_BYTES ? (size_t)(bytes - at) : SCAN_BYTES;
        error = read_at(raw->fd, data, part, at);
        for (size_t i = 0; i < part && !error; i += raw->unit) {
            uint32_t value = raw->unit == 1 ? data[i] : data[i] | (uint32_t)data[i + 1] << 8;
            *largest = value > *largest ? value : *largest;
        }
    }
    free(data);
    return error;
}

int adit_raw_add_materials(struct adit_world *world, uint32_t count)
{
    for (uint32_t id = 1; id <= count; id++) {
        /* Neighbouring ids far apart in hue: steps of the golden ratio round the colour wheel. */
        uint32_t hue = id * 0x9e3779b9u, sector = (uint32_t)((uint64_t)hue * 6 >> 32), part = (hue * 6) >> 24;
        uint32_t rise = 0x50 + part * 0x90 / 255, fall = 0xe0 - part * 0x90 / 255;
        const uint32_t wheel[6] = {0xe00050 | rise << 8, 0x00e050 | fall << 16, 0x50e000 | rise,
                                   0x5000e0 | fall << 8, 0x0050e0 | rise << 16, 0xe05000 | fall};
        char name[16];
        snprintf(name, sizeof(name), "m%u", id);
        int added = adit_world_add_material(world, name, wheel[sector] << 8 | 0xff, ADIT_CLASS_OPAQUE);
        if (added < 0)
            return added;
    }
    return 0;
}

/* Opens the file, compares its size with the shape and sets the world up. */
static int open_file(struct raw_world *raw, struct adit_world *world, const char *path, struct adit_world_error error)
{
    const char *name = adit_world_short(path);
    struct stat facts;
    raw->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (raw->fd < 0 || fstat(raw->fd, &facts))
        return adit_world_fail(error, errno, "%s: cannot be opened: %s", name, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return adit_world_fail(error, EINVAL, "%s: is not a regular file: give the path of one", name);
    const uint64_t plane = (uint64_t)raw->dim[0] * (uint64_t)raw->dim[1] * raw->unit; /* at most 2^41 */
    if (plane > ADIT_RAW_BYTES_MAX || plane * (uint64_t)raw->dim[2] > ADIT_RAW_BYTES_MAX)
        return adit_world_fail(error, EFBIG, "%s: %d,%d,%d is more than the 16 GiB that are read: split it", name,
                               raw->dim[0], raw->dim[1], raw->dim[2]);
    const uint64_t bytes = plane * (uint64_t)raw->dim[2];
    if ((uint64_t)facts.st_size != bytes)
        return adit_world_fail(error, EINVAL,
                               "%s: has %lld bytes, %d,%d,%d of %u bytes each are %llu: correct the sizes", name,
                               (long long)facts.st_size, raw->dim[0], raw->dim[1], raw->dim[2], raw->unit,
                               (unsigned long long)bytes);
    uint32_t largest;
    int result = find_largest(raw, bytes, &largest);
    if (!result)
        result = adit_raw_add_materials(world, largest);
    if (result)
        return adit_world_fail(error, -result, "%s: cannot be read to its end: %s", name, strerror(-result));
    adit_world_set_box(world, (const int32_t[3]){0, 0, 0}, raw->dim);
    return 0;
}

int adit_raw_open(const char *spec, const char *path, const char *shape, struct adit_world **out,
                  struct adit_world_error error)
{
    struct raw_world *raw = calloc(1, sizeof(*raw));
    struct adit_world *world = adit_world_new(spec, "raw");
    *out = NULL;
    if (!raw || !world) {
        free(raw);
        adit_world_close(world);
        return adit_world_fail(error, ENOMEM, "%s: no memory to read it", adit_world_short(path));
    }
    raw->fd = -1;
    raw->source = (struct adit_world_source){raw_fill, NULL, raw_close};
    world->source = &raw->source;
    int result = read_shape(shape, raw);
    if (result == -EFBIG)
        adit_world_fail(error, EFBIG, "%s: its sizes \"%.40s\" are too large: at most %u voxels a side are read: split it",
                        adit_world_short(path), shape, ADIT_RAW_DIM_MAX);
    else if (result)
        adit_world_fail(error, EINVAL,
                        "%s: its sizes \"%.40s\" are not understood: write FILE.raw:X,Y,Z, with :u16 for 16 bit voxels",
                        adit_world_short(path), shape);
    else
        result = open_file(raw, world, path, error);
    if (result)
        adit_world_close(world);
    else
        *out = world;
    return result;
}
