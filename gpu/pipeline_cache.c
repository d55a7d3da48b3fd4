#include "gpu/pipeline_cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <xxhash.h>

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

/* The file's path, its folders made. XDG: a path that is not absolute is as none. */
static bool path_of(const struct adit_gpu *g, char *path, size_t bytes)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char folder[512], uuid[33] = "";
    for (uint32_t i = 0; i < 16; i++)
        snprintf(uuid + 2 * i, 3, "%02x", g->of->uuid[i]);
    int n = cache && *cache == '/' ? snprintf(folder, sizeof folder, "%s", cache) : home ? snprintf(folder, sizeof folder, "%s/.cache", home) : -1;
    if (n < 0 || (size_t)n >= sizeof folder - 8)
        return false;
    (void)mkdir(folder, 0700);
    strcat(folder, "/adit");
    (void)mkdir(folder, 0700);
    return (size_t)snprintf(path, bytes, "%s/pipelines-%s", folder, uuid) < bytes;
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

/* The driver's data, NULL when the file is not ours or not whole. O_NONBLOCK: what waits for a writer is no file. */
static void *read_file(const struct adit_gpu *g, const char *path, size_t *bytes)
{
    struct head head;
    struct stat st;
    void *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_ours = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
    if (is_ours && read_all(fd, &head, sizeof head) && head.magic == MAGIC && head.bytes && head.bytes <= ADIT_GPU_CACHE_MAX &&
        (uint64_t)st.st_size == sizeof head + head.bytes)
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
    char path[560];
    void *data = path_of(g, path, sizeof path) ? read_file(g, path, &g->cache_bytes) : NULL;
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO, .initialDataSize = g->cache_bytes,
                                            .pInitialData = data};
    VkResult r = g->d.CreatePipelineCache(g->d.device, &info, NULL, &g->cache);
    free(data);
    return r;
}

/* ---- writing */

/* The part, locked and empty; -1: somebody else is at it, or there is no such place. */
static int open_part(const char *part)
{
    struct stat ours, there;
    int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -1;
    /* between the open and the lock the one before may have renamed it: then it is the file that others read */
    if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &ours) && !lstat(part, &there) && ours.st_ino == there.st_ino && S_ISREG(ours.st_mode) &&
        !ftruncate(fd, 0))
        return fd;
    close(fd);
    return -1;
}

static bool write_all(int fd, const void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = write(fd, (const char *)data + at, bytes - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool write_file(const struct adit_gpu *g, const char *path, const void *data, size_t bytes)
{
    const struct head head = {.magic = MAGIC, .bytes = bytes, .hash = hash_of(g, data, bytes)};
    char part[600];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open_part(part);
    if (fd < 0)
        return false;
    bool is_whole = write_all(fd, &head, sizeof head) && write_all(fd, data, bytes) && !rename(part, path);
    if (!is_whole)
        (void)unlink(part);
    close(fd);
    return is_whole;
}

void adit_pipeline_cache_save(struct adit_gpu *g)
{
    char path[560];
    size_t bytes = 0;
    if (g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, NULL) || bytes <= g->cache_bytes || bytes > ADIT_GPU_CACHE_MAX ||
        !path_of(g, path, sizeof path))
        return;
    void *data = malloc(bytes);
    if (data && !g->d.GetPipelineCacheData(g->d.device, g->cache, &bytes, data) && write_file(g, path, data, bytes))
        g->cache_bytes = bytes;
    free(data);
}
