/* generated_world.c - a spec names a generator of kernels/generate.h, a seed and a box that begins at key (0, 0, 0). */
#include "tools/worlds/generated_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#define NAME_BYTES 32
#define DIM_MAX 65536u /* chunks on one axis */

/* The sizes unless given: terrain fills its height, the others are dense and small. */
static const struct {
    const char *name;
    uint32_t size[3];
} sizes[] = {{"terrain", {8, 2, 8}}, {"", {2, 2, 2}}};

/* The generator that a spec begins with, and what follows its name (":..." or ""). */
static const struct adit_generator *generator_of(const char *spec, const char **rest)
{
    char name[NAME_BYTES];
    size_t bytes = strcspn(spec, ":");
    if (bytes >= sizeof(name))
        return NULL;
    memcpy(name, spec, bytes);
    name[bytes] = 0;
    *rest = spec + bytes;
    return adit_generator_named(name);
}

bool adit_generated_is_named(const char *spec)
{
    const char *rest;
    return generator_of(spec, &rest) != NULL;
}

static bool generated_has_chunk(const struct adit_world *world, const int32_t key[3])
{
    return !adit_generate_is_air(world->generator, key[1]);
}

static int generated_fill(const struct adit_world *world, const int32_t key[3], uint16_t *voxels)
{
    uint16_t any = 0;
    adit_generate(world->generator, world->seed, key[0], key[1], key[2], voxels);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        any |= voxels[i];
    return any != 0;
}

static void generated_close(struct adit_world_source *source)
{
    free(source);
}

/* Reads a number at *at, which moves behind it. 0, -EINVAL when there is none, -ERANGE when it is above max. */
static int read_number(const char **at, uint64_t max, uint64_t *value)
{
    if (**at < '0' || **at > '9')
        return -EINVAL;
    char *end;
    errno = 0;
    unsigned long long read = strtoull(*at, &end, 10);
    *value = read;
    *at = end;
    return errno || read > max ? -ERANGE : 0;
}

/* Reads [:SEED][:XxYxZ]. 0, -EINVAL when it is written otherwise, -ERANGE when only a number is too small or too large. */
static int read_rest(const char *rest, uint64_t *seed, uint32_t size[3])
{
    uint64_t value = 0;
    const char *at = rest;
    int result = 0;
    size_t digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
    if (*at == ':' && at[1 + digits] != 'x') {
        at++;
        result = read_number(&at, UINT64_MAX, seed);
    }
    for (int a = 0; a < 3 && *at && result != -EINVAL; a++) {
        int got = *at++ == (a ? 'x' : ':') ? read_number(&at, DIM_MAX, &value) : -EINVAL;
        result = got == -EINVAL || (a < 2 && !*at) ? -EINVAL : got || !value ? -ERANGE : result;
        size[a] = (uint32_t)value;
    }
    return *at ? -EINVAL : result;
}

static int set_up(struct adit_world *world, const char *rest, struct adit_world_error error)
{
    const char *name = world->generator->name;
    uint32_t size[3];
    memcpy(size, sizes[strcmp(name, sizes[0].name) ? 1 : 0].size, sizeof(size));
    world->seed = 1;
    int read = read_rest(rest, &world->seed, size);
    if (read == -ERANGE)
        return adit_world_fail(error, EINVAL, "%s: sides have 1 to %u chunks, a seed at most 64 bits: write %s[:SEED][:XxYxZ]",
                               adit_world_short(world->spec), DIM_MAX, name);
    if (read)
        return adit_world_fail(error, EINVAL, "%s: its seed or size is not understood: write %s[:SEED][:XxYxZ]",
                               adit_world_short(world->spec), name);
    if ((uint64_t)size[0] * size[1] * size[2] > ADIT_GENERATED_CHUNKS_MAX)
        return adit_world_fail(error, EFBIG, "%s: has more than %u chunks: make it smaller",
                               adit_world_short(world->spec), ADIT_GENERATED_CHUNKS_MAX);
    for (uint32_t m = 1; m < world->generator->materials_n; m++) {
        const struct adit_generate_material *from = &world->generator->materials[m];
        if (adit_world_add_material(world, from->name, from->rgba, from->material_class) < 0)
            return adit_world_fail(error, ENOMEM, "%s: no memory for its materials", name);
    }
    const int32_t lo[3] = {0, 0, 0};
    const int32_t hi[3] = {(int32_t)size[0] * 64, (int32_t)size[1] * 64, (int32_t)size[2] * 64};
    adit_world_set_box(world, lo, hi);
    return 0;
}

int adit_generated_open(const char *spec, struct adit_world **out, struct adit_world_error error)
{
    const char *rest = "";
    const struct adit_generator *generator = generator_of(spec, &rest);
    struct adit_world_source *source = calloc(1, sizeof(*source));
    struct adit_world *world = generator ? adit_world_new(spec, generator->name) : NULL;
    *out = NULL;
    if (!source || !world) {
        free(source);
        return adit_world_fail(error, generator ? ENOMEM : EINVAL, "%s: %s", adit_world_short(spec),
                               generator ? "no memory to make it" : "is no generator");
    }
    *source = (struct adit_world_source){generated_fill, generated_has_chunk, generated_close};
    world->source = source;
    world->generator = generator;
    int result = set_up(world, rest, error);
    if (result)
        adit_world_close(world);
    else
        *out = world;
    return result;
}
