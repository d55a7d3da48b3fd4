/* world.c - which reader a spec is for. */
#include "tools/worlds/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/worlds/anvil_world.h"
#include "tools/worlds/generated_world.h"
#include "tools/worlds/raw_world.h"
#include "tools/worlds/vox_world.h"

static bool ends_with(const char *spec, const char *suffix)
{
    size_t n = strlen(spec), s = strlen(suffix);
    return n > s && strcasecmp(spec + n - s, suffix) == 0;
}

/* Splits FILE.raw:SHAPE at the last ".raw:" before the shape. NULL when the spec has no such form. */
static char *split_raw(const char *spec, const char **shape)
{
    *shape = "";
    if (ends_with(spec, ".raw"))
        return strdup(spec);
    const char *at = NULL;
    for (const char *p = strchr(spec, '.'); p; p = strchr(p + 1, '.'))
        if (!strncasecmp(p, ".raw:", 5))
            at = p;
    if (!at)
        return NULL;
    *shape = at + 5;
    return strndup(spec, (size_t)(at + 4 - spec));
}

static int open_file(const char *spec, bool is_vox, struct adit_world **out, struct adit_world_error error)
{
    uint8_t *data;
    size_t bytes;
    int result = adit_world_read_file(spec, ADIT_WORLD_FILE_MAX, &data, &bytes, error);
    if (result)
        return result;
    result =
        is_vox ? adit_vox_parse(data, bytes, spec, out, error) : adit_anvil_parse(data, bytes, spec, spec, out, error);
    free(data);
    return result;
}

int adit_world_open(const char *spec, struct adit_world **out, char *error, size_t error_bytes)
{
    const struct adit_world_error line = {error, error_bytes};
    *out = NULL;
    if (adit_generated_is_named(spec))
        return adit_generated_open(spec, out, line);
    if (ends_with(spec, ".vox") || ends_with(spec, ".mca"))
        return open_file(spec, ends_with(spec, ".vox"), out, line);
    const char *shape;
    char *path = split_raw(spec, &shape);
    if (!path)
        return adit_world_fail(line, EINVAL,
                               "%s: is no world: give terrain, noise50, checker, FILE.vox, FILE.mca or FILE.raw:X,Y,Z",
                               adit_world_short(spec));
    int result = adit_raw_open(spec, path, shape, out, line);
    free(path);
    return result;
}
