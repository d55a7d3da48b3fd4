/* peer_fixture.c - a peer for perf-lab's scene "peer-mesh" (perf/peer.h): it counts faces when it takes a volume, and says so when it meshes. With
 * ADIT_PEER_FIXTURE=lies one face too many, with ADIT_PEER_FIXTURE=old it is of another ABI. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perf/peer.h"

static uint32_t last;

static bool is_told(const char *what)
{
    const char *told = getenv("ADIT_PEER_FIXTURE");
    return told && !strcmp(told, what);
}

/* Faces of the voxels inside the outermost layer, each looked at by itself. */
static void *take(const uint8_t volume[PEER_VOLUME_BYTES])
{
    static const int step[6] = {1, -1, 64, -64, 4096, -4096};
    uint32_t *faces = calloc(1, sizeof *faces);
    if (!faces)
        return NULL;
    for (int z = 1; z < 63; z++)
        for (int y = 1; y < 63; y++)
            for (int x = 1; x < 63; x++) {
                const uint8_t *at = volume + (z * 64 + y) * 64 + x;
                for (int side = 0; side < 6; side++)
                    *faces += *at && !at[step[side]];
            }
    return faces;
}

static uint32_t mesh(void *taken)
{
    return last = *(const uint32_t *)taken;
}

static uint64_t faces(void)
{
    return last + is_told("lies");
}

__attribute__((visibility("default"))) const struct peer_mesher *adit_peer_mesher(void);

const struct peer_mesher *adit_peer_mesher(void)
{
    static struct peer_mesher mesher = {PEER_ABI, "a fixture", take, free, mesh, faces};
    mesher.abi = is_told("old") ? 0 : PEER_ABI;
    return &mesher;
}
