#include "tests/gpu_fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/encoding.h"

/* Drivers keep what they have made until the process ends, and one more copy of each freed shader is more memory than there is. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=1"; }

static void *encode(const uint16_t *voxels, const uint8_t *classes)
{
    struct adit_encode_plan *plan = malloc(adit_encode_plan_bytes());
    size_t bytes;
    if (!plan || adit_encode_plan(plan, voxels, classes, &bytes))
        abort();
    void *block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!block)
        abort();
    memset(block, 0, bytes);
    adit_encode_write(plan, block);
    free(plan);
    return block;
}

/* A chunk of air whose side that faces ours is plane. */
static void *neighbour(const uint16_t *plane, uint32_t face, const uint8_t *classes)
{
    static const uint32_t step[3] = {1, 64, 4096};
    uint16_t *voxels = calloc(ADIT_CHUNK_VOXELS, sizeof *voxels);
    if (!voxels)
        abort();
    uint16_t *layer = voxels + (face & 1 ? 0 : 63) * step[adit_face_axis(face)];
    for (uint32_t v = 0; v < 64; v++)
        for (uint32_t u = 0; u < 64; u++)
            layer[u * step[adit_face_u(face)] + v * step[adit_face_v(face)]] = plane[v * 64 + u];
    void *block = encode(voxels, classes);
    free(voxels);
    return block;
}

void gpu_chunk_make(struct gpu_chunk *c, const uint16_t *voxels, uint16_t *const plane[ADIT_FACES], const uint8_t *classes, uint32_t flags)
{
    *c = (struct gpu_chunk){.version = encode(voxels, classes)};
    c->task = (struct adit_mesh_task){.version = c->version, .flags = flags};
    c->task.bytes = c->task.version->bytes;
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        if (plane[f]) {
            c->beside[f] = neighbour(plane[f], f, classes);
            c->task.beside[f] = c->beside[f];
            c->task.beside_bytes[f] = c->task.beside[f]->bytes;
        }
}

void gpu_chunk_free(struct gpu_chunk *c)
{
    free(c->version);
    for (uint32_t f = 0; f < ADIT_FACES; f++)
        free(c->beside[f]);
    *c = (struct gpu_chunk){0};
}

const char *gpu_test_driver(void)
{
    static char path[256];
    glob_t found;
    if (getenv("ADIT_TEST_DRIVER"))
        return getenv("ADIT_TEST_DRIVER");
    if (!*path && !glob("/usr/share/vulkan/icd.d/lvp_icd*.json", 0, NULL, &found)) {
        snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
        globfree(&found);
    }
    return *path ? path : NULL;
}

void gpu_use_drivers(const char *drivers)
{
#ifdef __SANITIZE_THREAD__
    puts("ThreadSanitizer sees nothing of a driver's locks");
    exit(77);
#endif
    if (!drivers) {
        puts("lavapipe is not installed (Debian: mesa-vulkan-drivers)");
        exit(77);
    }
    setenv("VK_DRIVER_FILES", drivers, 1);
    setenv("VK_ICD_FILENAMES", drivers, 1); /* the name of the same before Vulkan 1.3.207 */
}
