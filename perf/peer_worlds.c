/* peer_worlds.c - see peer_worlds.h. What is aimed at: 3.5 times as fast as the peer on terrain, 4.3 on worlds of Minecraft, 6 on noise. Regions lie in
 * the folder ADIT_WORLDS, ../shared/worlds when that is not set. */
#include "perf/peer_worlds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/peer_level.h"
#include "tools/worlds/world.h"

#define LEVEL_BYTES_MAX (1L << 30)
#define REGION_CUTS_MAX 4096

/* Chunks of an input beside each other. Their own outermost layer is the neighbours': the 62^3 inside are meshed. */
static int make_input(const struct peer_world *world, uint16_t (*volumes)[ADIT_CHUNK_VOXELS], char *why, size_t why_bytes)
{
    struct voxels_source *source = aligned_alloc(64, (sizeof *source + 63) & ~(size_t)63);
    int error = source ? -ENOENT : -ENOMEM;
    snprintf(why, why_bytes, "no such input");
    for (uint32_t i = 0; i < voxels_inputs_n && source; i++) {
        if (strcmp(voxels_inputs[i].name, world->from))
            continue;
        error = 0;
        for (uint32_t v = 0; v < world->n && !error; v++) {
            error = voxels_source_fill_at(source, &voxels_inputs[i], (int32_t)(v % 8), (int32_t)(v / 8));
            for (uint32_t at = 0; at < ADIT_CHUNK_VOXELS; at++)
                volumes[v][at] = peer_material(source->voxels[at]);
        }
    }
    free(source);
    return error ? error : (int)world->n;
}

/* Reads a file whole. NULL, with errno, when that cannot be. */
static uint8_t *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *data = NULL;
    if (!file)
        return NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    rewind(file);
    if (length > LEVEL_BYTES_MAX)
        errno = EFBIG;
    else if (length > 0 && (data = malloc((size_t)length)) && fread(data, 1, (size_t)length, file) != (size_t)length) {
        free(data);
        data = NULL;
        errno = EIO;
    }
    *bytes = data ? (size_t)length : 0;
    fclose(file);
    return data;
}

/* Chunks spread evenly over the level. */
static int make_level(const struct peer_world *world, uint16_t (*volumes)[ADIT_CHUNK_VOXELS], char *why, size_t why_bytes)
{
    char path[PATH_MAX];
    size_t bytes;
    peer_path(world->from, path, sizeof path);
    uint8_t *level = read_file(path, &bytes), *volume = malloc(PEER_VOLUME_BYTES);
    uint32_t chunks = level ? peer_level_chunks(level, bytes) : 0, n = chunks < world->n ? chunks : world->n;
    int error = level && volume ? 0 : -ENOENT;
    snprintf(why, why_bytes, "%s: %s; it is a file of the peer's own project, kept beside the peer", path, strerror(errno));
    if (level && n == 0)
        error = -EBADMSG;
    for (uint32_t i = 0; i < n && !error; i++) {
        error = peer_level_chunk(level, bytes, (uint32_t)((uint64_t)i * chunks / n), volume);
        for (uint32_t at = 0; at < ADIT_CHUNK_VOXELS && !error; at++)
            volumes[i][at] = volume[at];
    }
    free(volume);
    free(level);
    return error ? error : (int)n;
}

/* The volume of 64^3 at voxel `from`, from up to eight chunks; one chunk is kept, as neighbours along x ask for the same again. */
struct cutter {
    const struct adit_world *world;
    uint16_t chunk[ADIT_CHUNK_VOXELS];
};

static int32_t floor_chunk(int32_t voxel)
{
    return voxel >> 6;
}

static int cut(struct cutter *cutter, const int32_t from[3], uint16_t *volume)
{
    uint32_t solid = 0;
    for (int32_t corner = 0; corner < 8; corner++) {
        int32_t key[3], low[3], high[3]; /* of the part of that chunk in the volume */
        for (int axis = 0; axis < 3; axis++) {
            key[axis] = floor_chunk(from[axis]) + (corner >> axis & 1);
            low[axis] = key[axis] * 64 > from[axis] ? key[axis] * 64 : from[axis];
            high[axis] = key[axis] * 64 + 64 < from[axis] + 64 ? key[axis] * 64 + 64 : from[axis] + 64;
        }
        if (low[0] >= high[0] || low[1] >= high[1] || low[2] >= high[2])
            continue;
        int got = adit_world_chunk(cutter->world, key[0], key[1], key[2], cutter->chunk);
        if (got < 0)
            return got;
        for (int32_t z = low[2]; z < high[2]; z++)
            for (int32_t y = low[1]; y < high[1]; y++)
                for (int32_t x = low[0]; x < high[0]; x++) {
                    uint16_t material = peer_material(cutter->chunk[((z & 63) * 64 + (y & 63)) * 64 + (x & 63)]);
                    volume[((z - from[2]) * 64 + y - from[1]) * 64 + x - from[0]] = material;
                    solid += material != 0;
                }
    }
    return solid > 0 && solid < ADIT_CHUNK_VOXELS;
}

/* A region in cuts of 62^3 and their neighbours, those that hold both voxels and air. */
static int make_region(const struct peer_world *world, uint16_t (*volumes)[ADIT_CHUNK_VOXELS], char *why, size_t why_bytes)
{
    const char *folder = getenv("ADIT_WORLDS");
    char path[PATH_MAX];
    struct adit_world *region;
    uint32_t n = 0, cuts = 0;
    int got = 0;
    snprintf(path, sizeof path, "%s/%s", folder && *folder ? folder : "../shared/worlds", world->from);
    if (adit_world_open(path, &region, why, why_bytes))
        return -ENOENT;
    struct cutter *cutter = malloc(sizeof *cutter);
    int32_t at[3], *low = region->voxel_min, *high = region->voxel_max;
    if (cutter)
        cutter->world = region;
    for (at[2] = low[2]; at[2] + 62 <= high[2] && cutter; at[2] += LAB_CUT_DIM)
        for (at[1] = low[1]; at[1] < high[1]; at[1] += LAB_CUT_DIM)
            for (at[0] = low[0]; at[0] + 62 <= high[0] && n < world->n && got >= 0 && cuts++ < REGION_CUTS_MAX; at[0] += LAB_CUT_DIM) {
                got = cut(cutter, (int32_t[]){at[0] - 1, at[1] - 1, at[2] - 1}, volumes[n]);
                n += got > 0;
            }
    bool had_memory = cutter != NULL;
    free(cutter);
    adit_world_close(region);
    return !had_memory ? -ENOMEM : got < 0 ? got : (int)n;
}

const struct peer_world peer_worlds[] = {
    {"hills", 3.5, make_input, "hills", 1},
    {"hills, 64 in turn", 3.5, make_input, "hills", 64},
    {"terrain", 3.5, make_input, "terrain", 1},
    {"terrain, 64 in turn", 3.5, make_input, "terrain", 64},
    {"demo terrain", 3.5, make_level, PEER_LEVEL_FILE, 64},
    {"Minecraft 1.13", 4.3, make_region, "anvil-1.13.2.mca", 64},
    {"Minecraft 1.18", 4.3, make_region, "anvil-1.18.2.mca", 64},
    {"Minecraft 1.20", 4.3, make_region, "anvil-1.20.mca", 64},
    {"noise50", 6, make_input, "noise50", 1},
    {"checker", 0, make_input, "checker", 1},
    {"empty", 0, make_input, "empty", 1},
};
const uint32_t peer_worlds_n = sizeof peer_worlds / sizeof *peer_worlds;
