#include "perf/gpu_equal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/host_import.h"
#include "runtime/adit.h"
#include "tools/tier_chunks.h"

#define WAIT_NS 60000000000u
#define EACH 16u
#define CHUNK_BYTES ((ADIT_CHUNK_VOXELS * 2u) + (64u << 10)) /* of source, at most */

static bool said(const char *way, const char *why)
{
    printf("  FAILED: chunks of every kind, %s: %s\n", way, why);
    return false;
}

static bool is_equal(const struct adit_mesh_result *got, const struct adit_mesh_result *want)
{
    return !memcmp(got->start, want->start, sizeof got->start) && got->faces == want->faces && !memcmp(got->bounds_lo, want->bounds_lo, 3) &&
           !memcmp(got->bounds_hi, want->bounds_hi, 3) && !memcmp(got->quads, want->quads, want->start[ADIT_MESH_RANGES] * sizeof *want->quads);
}

/* Meshes up to EACH chunks from first on. *differ: how many are not the scalar kernel's. 0, or a negative errno. */
static int compare_some(struct adit_mesh_batch *b, const struct adit_host_imports *imports, const struct adit_tier_chunks *c, uint32_t first,
                        struct adit_tier_scratch *scratch, uint32_t *differ)
{
    const uint32_t n = c->n - first < EACH ? c->n - first : EACH;
    int error = 0;
    adit_mesh_batch_begin(b);
    if (imports)
        adit_mesh_batch_read_from(b, imports);
    for (uint32_t i = first; i < first + n && !error; i++) {
        const struct adit_tier_chunk *chunk = &c->chunk[i];
        struct adit_mesh_task task = {.version = chunk->version, .bytes = chunk->bytes, .rim = chunk->rim, .flags = chunk->flags};
        memcpy(task.beside, chunk->beside, sizeof task.beside);
        memcpy(task.beside_bytes, chunk->beside_bytes, sizeof task.beside_bytes);
        error = adit_mesh_batch_add(b, &task);
    }
    error = error ? error : adit_mesh_batch_submit(b);
    error = error ? error : adit_mesh_batch_wait(b, WAIT_NS);
    for (uint32_t i = 0; i < n && !error; i++) {
        struct adit_mesh_result got, want;
        adit_mesh_batch_result(b, i, &got);
        error = adit_tier_chunk_mesh(c, first + i, adit_mesh_scalar, scratch, &want);
        *differ += !error && !is_equal(&got, &want);
    }
    return error;
}

static bool compare(struct adit_gpu *gpu, const struct adit_tier_chunks *c, const struct adit_host_imports *imports, struct adit_tier_scratch *scratch,
                    json_t *out)
{
    const char *way = imports ? "fetched" : "copied";
    struct adit_mesh_batch *b;
    uint32_t differ = 0;
    int error = adit_mesh_batch_open(gpu, c->classes, EACH, (size_t)EACH * CHUNK_BYTES, &b);
    for (uint32_t first = 0; first < c->n && !error; first += EACH)
        error = compare_some(b, imports, c, first, scratch, &differ);
    adit_mesh_batch_close(&b);
    if (error)
        return said(way, *adit_detail() ? adit_detail() : adit_strerror(error));
    printf("  of every kind, %s: %u chunks: %s\n", way, c->n, differ ? "DIFFERENT" : "equal");
    json_object_set_new(out, way, json_integer(c->n - differ));
    return !differ || said(way, "their meshes are not those of the scalar kernel");
}

bool gpu_equal_bench(struct adit_gpu *gpu, json_t *report)
{
    const size_t align = gpu->of->import_align;
    struct adit_tier_chunks *c;
    struct adit_tier_scratch *scratch = aligned_alloc(64, sizeof *scratch);
    struct adit_host_imports *imports = NULL;
    json_t *out = json_object();
    if (!scratch || adit_tier_chunks_varied(&c)) {
        fputs("gpu-bench: no memory\n", stderr);
        exit(1);
    }
    const struct adit_import_range range = {c->blocks, align ? (c->used + align - 1) / align * align : 0};
    bool well = compare(gpu, c, NULL, scratch, out);
    if (!align)
        puts("  of every kind, fetched: this device imports no memory");
    else if (adit_host_imports_open(gpu, &range, 1, &imports))
        printf("  of every kind, fetched: %s\n", adit_detail());
    else
        well &= compare(gpu, c, imports, scratch, out);
    adit_host_imports_close(&imports);
    json_object_set_new(out, "chunks", json_integer(c->n));
    json_object_set_new(report, "equality", out);
    adit_tier_chunks_free(&c);
    free(scratch);
    return well;
}
