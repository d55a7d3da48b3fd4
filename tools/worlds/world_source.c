/* world_source.c - the parts that all readers of worlds share.
 *
 * The world that users see is the head of a larger structure that owns its arrays, so that the public pointers can be
 * const: nothing but this file writes them. */
#include "tools/worlds/world_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SHOWN_MAX 200

struct world_owner {
    struct adit_world world; /* first: a world is cast to its owner */
    struct adit_world_material *materials;
    uint32_t materials_max;
    char **warnings;
    uint32_t warnings_max;
    char *spec;
};

static struct world_owner *owner_of(struct adit_world *world)
{
    return (struct world_owner *)(void *)world;
}

int adit_world_fail(struct adit_world_error error, int code, const char *format, ...)
{
    if (error.line && error.bytes) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error.line, error.bytes < ADIT_WORLD_LINE_BYTES ? error.bytes : ADIT_WORLD_LINE_BYTES, format,
                  arguments);
        va_end(arguments);
    }
    return -code;
}

struct adit_world *adit_world_new(const char *spec, const char *kind)
{
    struct world_owner *owner = calloc(1, sizeof(*owner));
    if (!owner)
        return NULL;
    owner->spec = strdup(spec);
    owner->materials_max = 16;
    owner->materials = calloc(owner->materials_max, sizeof(*owner->materials));
    if (owner->materials)
        owner->materials[0] = (struct adit_world_material){strdup("air"), 0, ADIT_CLASS_AIR};
    owner->world.spec = owner->spec;
    owner->world.kind = kind;
    owner->world.materials = owner->materials;
    if (!owner->spec || !owner->materials || !owner->materials[0].name) {
        adit_world_close(&owner->world);
        return NULL;
    }
    return &owner->world;
}

void adit_world_close(struct adit_world *world)
{
    if (!world)
        return;
    struct world_owner *owner = owner_of(world);
    if (world->source)
        world->source->close(world->source);
    for (uint32_t i = 0; owner->materials && i <= world->material_count; i++)
        free((void *)(uintptr_t)owner->materials[i].name);
    free(owner->materials);
    for (uint32_t i = 0; i < world->warning_count; i++)
        free(owner->warnings[i]);
    free(owner->warnings);
    free(owner->spec);
    free(owner);
}

int adit_world_add_material(struct adit_world *world, const char *name, uint32_t rgba, enum adit_class class)
{
    struct world_owner *owner = owner_of(world);
    uint32_t id = world->material_count + 1;
    if (id >= ADIT_MATERIALS)
        return -ENOSPC;
    if (id >= owner->materials_max) {
        uint32_t more = owner->materials_max * 2;
        struct adit_world_material *grown = realloc(owner->materials, more * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        owner->materials = grown;
        owner->materials_max = more;
        world->materials = grown;
    }
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    owner->materials[id] = (struct adit_world_material){copy, rgba, (uint8_t) class};
    world->material_count = id;
    return (int)id;
}

void adit_world_warn(struct adit_world *world, const char *format, ...)
{
    struct world_owner *owner = owner_of(world);
    if (world->warning_count == ADIT_WORLD_WARNINGS_MAX) {
        world->warnings_dropped++;
        return;
    }
    if (world->warning_count == owner->warnings_max) {
        uint32_t more = owner->warnings_max ? owner->warnings_max * 2 : 8;
        char **grown = realloc(owner->warnings, more * sizeof(*grown));
        if (!grown)
            return;
        owner->warnings = grown;
        owner->warnings_max = more;
        world->warnings = (const char *const *)grown;
    }
    char line[ADIT_WORLD_LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    char *copy = strdup(line);
    if (copy)
        owner->warnings[world->warning_count++] = copy;
}

void adit_world_set_box(struct adit_world *world, const int32_t voxel_min[3], const int32_t voxel_max[3])
{
    bool empty = false;
    for (int a = 0; a < 3; a++)
        empty |= voxel_min[a] >= voxel_max[a];
    for (int a = 0; a < 3; a++) {
        world->voxel_min[a] = empty ? 0 : voxel_min[a];
        world->voxel_max[a] = empty ? 0 : voxel_max[a];
        world->chunk_min[a] = empty ? 0 : adit_world_chunk_of(voxel_min[a]);
        world->chunk_max[a] = empty ? 0 : adit_world_chunk_of(voxel_max[a] - 1) + 1;
    }
}

bool adit_world_has_chunk(const struct adit_world *world, int32_t x, int32_t y, int32_t z)
{
    const int32_t key[3] = {x, y, z};
    for (int a = 0; a < 3; a++)
        if (key[a] < world->chunk_min[a] || key[a] >= world->chunk_max[a])
            return false;
    return !world->source->has_chunk || world->source->has_chunk(world, key);
}

int adit_world_chunk(const struct adit_world *world, int32_t x, int32_t y, int32_t z,
                     uint16_t voxels[ADIT_CHUNK_VOXELS])
{
    memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof(*voxels));
    if (!adit_world_has_chunk(world, x, y, z))
        return 0;
    const int32_t key[3] = {x, y, z};
    return world->source->fill(world, key, voxels);
}

/* Reads exactly bytes, or fails: a file that shrinks while it is read gives -EBADMSG. */
static int read_all(int fd, uint8_t *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t want = bytes - done < (1u << 30) ? bytes - done : 1u << 30;
        ssize_t got = read(fd, data + done, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EBADMSG;
        done += (size_t)got;
    }
    return 0;
}

const char *adit_world_short(const char *path)
{
    size_t length = strlen(path);
    return length > PATH_SHOWN_MAX ? path + length - PATH_SHOWN_MAX : path;
}

int adit_world_read_file(const char *path, uint64_t bytes_max, uint8_t **data, size_t *bytes,
                         struct adit_world_error error)
{
    const char *shown = adit_world_short(path);
    *data = NULL;
    *bytes = 0;
    /* O_NONBLOCK: a FIFO of that name answers at once and is then refused as no regular file. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return adit_world_fail(error, errno, "%s: cannot be opened: %s", shown, strerror(errno));
    struct stat facts;
    int result = 0;
    uint8_t *memory = NULL;
    if (fstat(fd, &facts))
        result = adit_world_fail(error, errno, "%s: cannot be read: %s", shown, strerror(errno));
    else if (!S_ISREG(facts.st_mode))
        result = adit_world_fail(error, EINVAL, "%s: is not a regular file: give the path of one", shown);
    else if ((uint64_t)facts.st_size > bytes_max)
        result = adit_world_fail(error, EFBIG, "%s: has %lld bytes, more than the %llu that are read: split it", shown,
                                 (long long)facts.st_size, (unsigned long long)bytes_max);
    else if (!(memory = malloc((size_t)facts.st_size + 1)))
        result = adit_world_fail(error, ENOMEM, "%s: no memory for its %lld bytes", shown, (long long)facts.st_size);
    else if ((result = read_all(fd, memory, (size_t)facts.st_size)))
        adit_world_fail(error, -result, "%s: cannot be read to its end: %s", shown,
                        result == -EBADMSG ? "it shrank meanwhile, try again" : strerror(-result));
    close(fd);
    if (result) {
        free(memory);
        return result;
    }
    *data = memory;
    *bytes = (size_t)facts.st_size;
    return 0;
}

void adit_world_printable(char *out, size_t bytes, const void *text, size_t text_bytes)
{
    const unsigned char *from = text;
    size_t n = 0;
    for (; n + 1 < bytes && n < text_bytes; n++)
        out[n] = from[n] >= 32 && from[n] < 127 ? (char)from[n] : '?';
    if (bytes)
        out[n] = 0;
}
