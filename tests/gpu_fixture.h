/* gpu_fixture.h - chunks as a device is given them, out of plain voxels and planes; and lavapipe, so that tests need no GPU. */
#ifndef ADIT_GPU_FIXTURE_H
#define ADIT_GPU_FIXTURE_H

#include "gpu/mesh_batch.h"

/* A chunk with neighbours that have just the border planes asked for. */
struct gpu_chunk {
    void *version, *beside[ADIT_FACES];
    struct adit_mesh_task task;
};

/* plane[f] may be NULL: no neighbour there. Free with gpu_chunk_free. */
void gpu_chunk_make(struct gpu_chunk *chunk, const uint16_t *voxels, uint16_t *const plane[ADIT_FACES], const uint8_t *classes, uint32_t flags);
void gpu_chunk_free(struct gpu_chunk *chunk);

/* The driver file that ADIT_TEST_DRIVER names (to run a test on a real device), else lavapipe's, or NULL where it is not installed. */
const char *gpu_test_driver(void);
/* Has Vulkan find drivers alone (VK_DRIVER_FILES, a list with colons); exits with 77 and a line when drivers is NULL. */
void gpu_use_drivers(const char *drivers);

#endif
