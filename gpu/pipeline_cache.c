#include "gpu/pipeline_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "runtime/kept_file.h"

#define PATH_BYTES (ADIT_KEPT_PATH_BYTES + 64)
#define MAGIC 0x3163706974646131u

struct head {
    uint64_t magic, bytes, hash;
};
_Static_assert(sizeof(struct head) == 24, "as in pipeline_cache.h");

static uint64_t hash_of(const struct adit_gpu *g, const void *data, size_t bytes)
{
    uint64_t seed = XXH3_64bits(g->of->uuid, sizeof g->of->uuid);
    seed = XXH3_64bits_withSeed(g->of->driver, strlen(g->of->driver), seed);
    seed = XXH3_64bits_withSeed(g->of->driver_info, strlen(g->of->driver_info), seed);
    return XXH3_64bits_withSeed(data, bytes, seed);
}

/* In the first folder that the environment names. */
static bool path_of(const struct adit_gpu *g, char folder[ADIT_KEPT_PATH_BYTES], char path[PATH_BYTES])
{
    char uuid[33] = "";
    for (uint32_t i = 0; i < 16; i++)
        snprintf(uuid + 2 * i, 3, "%02x", g->of->uuid[i]);
    int error = adit_kept_folder(0, folder);
    error = error == -ENOENT ? adit_kept_folder(1, folder) : error;
    return !error && (size_t)snprintf(path, PATH_BYTES, "%s/pipelines-%s", folder, uuid) < PATH_BYTES;
}

/* ---- reading */

static bool read_all(int fd, void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = read(fd, (char *)data + at, bytes - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* The driver's data, NULL when the file is not ours or not whole. */
static void *read_file(const struct adit_gpu *g, const char *path, size_t *bytes)
{
    struct head head;
    uint64_t all;
    const char *why;
    void *data = NULL;
    int fd = adit_kept_open(path, sizeof head + ADIT_GPU_CACHE_MAX, &all, &why);
    if (fd >= 0 && read_all(fd, &head, sizeof head) && head.magic == MAGIC && head.bytes && head.bytes <= ADIT_GPU_CACHE_MAX && all == sizeof head + head.bytes)
        data = malloc(head.bytes);
    if (data && (!read_all(fd, data, head.bytes) || hash_of(g, data, head.bytes) != head.hash)) {
        free(data);
        data = NULL;
    }
    if (fd >= 0)
        close(fd);
    *bytes = data ? head.bytes : 0;
    return data;
}

VkResult adit_pipeline_cache_open(struct adit_gpu *g)
{
    char folder[ADIT_KEPT_PATH_BYTES], path[PATH_BYTES];
    void *data = path_of(g, folder, path) ? read_file(g, path, &g->cache_bytes) : NULL;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = g->cache_bytes,
                                            .pInitialData = data};
    VkResult r = g->d.CreatePipelineCache(g->d.device, &info, NULL, &g->cache);
    free(data);
    return r;
}

/* ---- writing */

void adit_pipeline_cache_save(struct adit_gpu *g)
{
    char folder[ADIT_KEPT_PATH_BYTES], path[PATH_BYTES];
    size_t bytes = 0;
    if (g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, NULL) || bytes <= g->cache_bytes || bytes > ADIT_GPU_CACHE_MAX ||
        !path_of(g, folder, path))
        return;
    void *data = malloc(bytes);
    if (data && !g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, data)) {
        struct head head = {.magic = MAGIC, .bytes = bytes, .hash = hash_of(g, data, bytes)};
        const struct iovec parts[] = {{&head, sizeof head}, {data, bytes}};
        if (!adit_kept_write(folder, path, parts, 2))
            g->cache_bytes = bytes;
    }
    free(data);
}
