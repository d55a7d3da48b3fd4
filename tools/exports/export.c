/* export.c - picks the format and keeps the promise that a file is whole or absent. See export.h. */
#include "tools/exports/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct format {
    const char *name;
    adit_export_writer *write;
} formats[] = {
    {"glb", adit_export_glb},
    {"obj", adit_export_obj},
    {"ply", adit_export_ply},
    {"quads", adit_export_quads},
};
#define FORMATS (sizeof formats / sizeof *formats)

static const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (!strcasecmp(name, formats[i].name))
            return &formats[i];
    return NULL;
}

static const struct format *format_of_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    return dot ? format_named(dot + 1) : NULL;
}

const char *adit_export_formats(void)
{
    return ".glb, .obj, .ply, .quads";
}

bool adit_export_has_format(const char *path)
{
    return format_of_path(path) != NULL;
}

int adit_export_beside(const char *path, char *beside)
{
    const struct format *format = format_of_path(path);
    if (!format || format->write != adit_export_obj)
        return 0;
    int status = adit_export_mtl_path(path, beside);
    return status ? status : 1;
}

int adit_export_shaper(const struct adit_scene *scene, const struct adit_sink *sink, struct adit_shaper **shaper,
                       char *error, size_t error_bytes)
{
    int status = adit_shaper_open(scene, shaper);
    if (status)
        snprintf(error, error_bytes, "%s: out of memory; export fewer chunks", adit_sink_path(sink));
    return status;
}

static int write_format(const char *path, const struct format *format, const struct adit_scene *scene, char *error,
                        size_t error_bytes)
{
    struct adit_sink *sink;
    int status = adit_scene_check(scene, error, error_bytes);
    if (!status)
        status = adit_sink_open(path, &sink, error, error_bytes);
    if (status)
        return status;
    status = format->write(scene, sink, error, error_bytes);
    if (!status)
        return adit_sink_commit(&sink, error, error_bytes);
    adit_sink_discard(&sink);
    return status;
}

int adit_export_write(const char *path, const struct adit_scene *scene, char *error, size_t error_bytes)
{
    const struct format *format = format_of_path(path);
    if (!format) {
        snprintf(error, error_bytes, "%s: no export format has this extension; use one of %s", path,
                 adit_export_formats());
        return -EINVAL;
    }
    return write_format(path, format, scene, error, error_bytes);
}

int adit_export_write_as(const char *path, const char *name, const struct adit_scene *scene, char *error,
                         size_t error_bytes)
{
    const struct format *format = format_named(name);
    if (!format) {
        snprintf(error, error_bytes, "%s: no export format is called %s; use one of %s", path, name,
                 adit_export_formats());
        return -EINVAL;
    }
    return write_format(path, format, scene, error, error_bytes);
}
