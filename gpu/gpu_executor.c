#include "gpu/gpu_executor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/gpu_parts.h"
#include "gpu/host_import.h"
#include "runtime/params.h"

#define BATCH_DEFAULT 256u
#define BATCH_SOFTWARE 16u /* of a program on the CPU, whose memory is the host's */
#define BATCH_MAX 4096u
#define CHUNK_SOURCE_BYTES (96u << 10)  /* of versions, on average: most terrain */
#define CHUNK_LARGEST_BYTES (640u << 10) /* at least one that is not */
#define CHUNK_DEVICE_BYTES (1640u << 10) /* of its memory, all buffers of a batch together */
#define CHUNK_VOXELS_BYTES (ADIT_CHUNK_VOXELS * 2u) /* the largest of a batch's buffers */

struct vulkan_devices {
    struct adit_devices shown;
    struct adit_gpu_list *list;
    struct adit_gpu *gpu[ADIT_EXECUTORS_MAX];
    struct adit_executor executor[ADIT_EXECUTORS_MAX];
};

_Static_assert(ADIT_GPU_DEVICES_MAX <= ADIT_EXECUTORS_MAX, "each device can be one");

/* ---- an executor: thin calls of mesh_batch.h */

static int open_batch(struct adit_executor *e, void **batch)
{
    static const uint8_t none[ADIT_MATERIALS];
    size_t source = (size_t)e->batch_max * CHUNK_SOURCE_BYTES + CHUNK_LARGEST_BYTES;
    struct adit_gpu *gpu = e->user;
    struct adit_mesh_batch *b;
    source = source < gpu->of->range_max ? source : (size_t)gpu->of->range_max;
    int error = adit_mesh_batch_open(gpu, none, e->batch_max, source, &b);
    *batch = error ? NULL : b;
    return error;
}

static void begin_batch(void *batch) { adit_mesh_batch_begin(batch); }
static void read_from_imports(void *batch, void *imports) { adit_mesh_batch_read_from(batch, imports); }

static int import_ranges(struct adit_executor *e, const struct adit_import_range *ranges, uint32_t n, void **imports)
{
    struct adit_host_imports *h;
    int error = adit_host_imports_open(e->user, ranges, n, &h);
    *imports = h;
    return error;
}

static void unimport_ranges(void *imports)
{
    struct adit_host_imports *h = imports;
    adit_host_imports_close(&h);
}

static int add_to_batch(void *batch, const struct adit_mesh_task *task) { return adit_mesh_batch_add(batch, task); }

static int submit_batch(void *batch, const uint8_t *classes)
{
    adit_mesh_batch_classes(batch, classes);
    return adit_mesh_batch_submit(batch);
}

static int wait_for_batch(void *batch, uint64_t timeout_ns) { return adit_mesh_batch_wait(batch, timeout_ns); }
static void result_of_batch(void *batch, uint32_t i, struct adit_mesh_result *result) { adit_mesh_batch_result(batch, i, result); }

static void close_batch(void *batch)
{
    struct adit_mesh_batch *b = batch;
    adit_mesh_batch_close(&b);
}

void adit_gpu_executor_init(struct adit_executor *e, struct adit_gpu *gpu, uint32_t i, uint32_t batch_max)
{
    uint64_t most = gpu->of->range_max / CHUNK_VOXELS_BYTES;
    uint64_t fitting = gpu->of->local_bytes / 4 / (2 * CHUNK_DEVICE_BYTES); /* two batches in a quarter of its memory */
    uint32_t n = batch_max ? batch_max : gpu->of->is_software ? BATCH_SOFTWARE : BATCH_DEFAULT;
    if (!batch_max && fitting < n)
        n = fitting > 1 ? (uint32_t)fitting : 1;
    *e = (struct adit_executor){.batch_max = n < most ? n : (uint32_t)most, .is_software = gpu->of->is_software, .node = gpu->of->is_software ? -1 : gpu->of->node, .user = gpu,
                                .open = open_batch, .begin = begin_batch, .import = import_ranges, .unimport = unimport_ranges,
                                .read_from = read_from_imports, .add = add_to_batch, .submit = submit_batch,
                                .wait = wait_for_batch, .result = result_of_batch, .close = close_batch};
    snprintf(e->name, sizeof e->name, "vulkan:%u", i);
}

/* ---- all devices */

static bool is_wanted(const struct adit_gpu_list *list, const struct adit_devices_params *p, uint32_t i)
{
    bool has_hardware = false;
    for (uint32_t k = 0; k < list->n; k++)
        has_hardware |= !list->devices[k].is_software && !list->devices[k].unfit;
    return p->only ? p->only >> i & 1 : !list->devices[i].is_software || (p->software && !has_hardware);
}

/* Each device that is asked for by its number must be there. */
static int check_numbers(const struct adit_gpu_list *list, uint32_t only)
{
    for (uint32_t i = 0; i < 32; i++)
        if (only >> i & 1 && i >= list->n)
            return adit_fault(-ENODEV, "vulkan:%u: there is no such device, there %s vulkan:0%s; `adit tiers` lists them", i,
                              list->n > 1 ? "are" : "is", list->n > 1 ? " and more" : "");
    return 0;
}

/* A device that cannot be made ready is left out; the line of the last one stays. */
static int open_all(struct vulkan_devices *v, const struct adit_devices_params *p)
{
    int error = 0;
    for (uint32_t i = 0; i < v->list->n; i++) {
        uint32_t n = v->shown.n;
        if (!is_wanted(v->list, p, i))
            continue;
        int status = adit_gpu_open(v->list, &v->list->devices[i], &v->gpu[n]);
        error = status ? status : error;
        if (status)
            continue;
        adit_gpu_executor_init(&v->executor[n], v->gpu[n], i, p->batch_max);
        if (p->copies)
            v->executor[n].import = NULL;
        v->shown.executor[n] = &v->executor[n];
        v->shown.n++;
    }
    if (v->shown.n)
        return 0;
    return error ? error : adit_fault(-ENODEV, "vulkan: none of its %u devices is hardware; `adit tiers` lists them", v->list->n);
}

int adit_devices_open(const struct adit_devices_params *params, struct adit_devices **out)
{
    static const struct adit_devices_params defaults = {.size = sizeof defaults};
    const struct adit_devices_params *p = params ? params : &defaults;
    *out = NULL;
    int error = adit_params_check("adit_devices_open", p->size, sizeof *p);
    if (error)
        return error;
    if (p->batch_max > BATCH_MAX)
        return adit_fault(-EINVAL, "adit_devices_open: a batch has at most %u chunks", BATCH_MAX);
    struct vulkan_devices *v = calloc(1, sizeof *v);
    if (!v)
        return adit_fault(-ENOMEM, "vulkan: no memory for the list of devices");
    error = adit_gpu_list_open(&v->list);
    error = error ? error : check_numbers(v->list, p->only);
    error = error ? error : open_all(v, p);
    *out = &v->shown;
    if (error)
        adit_devices_close(out);
    return error;
}

void adit_devices_close(struct adit_devices **devices)
{
    struct vulkan_devices *v = (struct vulkan_devices *)(void *)*devices;
    if (!v)
        return;
    for (uint32_t i = 0; i < v->shown.n; i++)
        adit_gpu_close(&v->gpu[i]);
    adit_gpu_list_close(&v->list);
    free(v);
    *devices = NULL;
}

uint32_t adit_devices_n(const struct adit_devices *devices) { return devices ? devices->n : 0; }

struct adit_gpu_list *adit_devices_list(struct adit_devices *devices) { return ((struct vulkan_devices *)(void *)devices)->list; }
