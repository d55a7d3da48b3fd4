/* test_mesh_stack.c - kernels keep to the scratch memory that their headers promise: each runs on a stack of a known pattern, and how deep that was
 * written over is what it used. Sanitizers make frames larger, so there is nothing to say with them. (tried: one field more in the AVX-512 kernel) */
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "tests/fenced.h"

enum { STACK_BYTES = 4 << 20, PATTERN = 0xa5, KIB = 1024 };

static struct adit_mesh_source source;
static struct adit_mesh_result result, old;
static adit_mesh_kernel *kernel;

static void *run_nothing(void *user) { return user; }

static void *run_kernel(void *user)
{
    if (kernel(&source, &result))
        abort();
    return user;
}

static void *run_update(void *user)
{
    const struct adit_mesh_box edit = {{30, 30, 30}, {30, 30, 30}};
    if (adit_mesh_update(kernel, &source, &edit, &old, &result))
        abort();
    return user;
}

static void *run_exact(void *user)
{
    if (adit_mesh_exact(&result))
        abort();
    return user;
}

/* Bytes of its stack that a thread writes to. */
static size_t depth_of(void *(*run)(void *))
{
    uint8_t *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;
    size_t clean = 0;
    assert_true(stack != MAP_FAILED);
    memset(stack, PATTERN, STACK_BYTES);
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attr, run, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (clean < STACK_BYTES && stack[clean] == PATTERN)
        clean++;
    pthread_attr_destroy(&attr);
    munmap(stack, STACK_BYTES);
    return STACK_BYTES - clean;
}

static void keeps_to(const char *what, void *(*run)(void *), size_t limit)
{
    size_t depth = depth_of(run) - depth_of(run_nothing);
    printf("%s: %zu KiB\n", what, depth / KIB);
    if (depth > limit)
        fail_msg("%s takes %zu bytes of stack, %zu were promised", what, depth, limit);
}

/* Water of two materials in noise, 8 bits a voxel: with ADIT_MESH_TT_NONE it is meshed by way of other classes (mesh_fold.h). */
static void make_folded(struct adit_voxels *v)
{
    static uint8_t packed[ADIT_CHUNK_VOXELS];
    uint64_t rng = 2;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        packed[i] = (uint8_t)fenced_draw(&rng, 3);
    *v = (struct adit_voxels){.form = ADIT_VOXELS_BRICKS, .packed = packed, .bytes = sizeof packed, .palette = {0, 1, 4}};
    for (uint32_t i = 0; i < ADIT_BRICKS; i++)
        v->bricks[i] = adit_brick_make(4, ADIT_BRICK_CLEAR, i * ADIT_BRICK_VOXELS / 16, 0);
}

/* Noise of all classes with AO and light, so that everything is touched. */
static int set_up(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS], light[ADIT_CHUNK_VOXELS];
    static uint8_t classes[ADIT_MATERIALS];
    uint64_t rng = 1;
    (void)state;
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++) {
        voxels[i] = (uint16_t)fenced_draw(&rng, 9);
        light[i] = (uint16_t)fenced_draw(&rng, 3);
    }
    for (uint32_t i = 1; i < ADIT_MATERIALS; i++)
        classes[i] = (uint8_t)(1 + i % 3);
    source = (struct adit_mesh_source){.voxels = voxels, .classes = classes, .light = light, .dim = {64, 64, 64}, .flags = ADIT_MESH_AO};
    result.quads_max = old.quads_max = ADIT_MESH_QUADS_MAX;
    result.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    old.quads = malloc(ADIT_MESH_QUADS_MAX * sizeof(uint64_t));
    return result.quads && old.quads ? 0 : -1;
}

static void kernels_keep_to_their_stack(void **state)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    static struct adit_voxels folded;
    const struct adit_mesh_source noise = source;
    struct adit_mesh_source water = {.encoded = &folded, .classes = source.classes, .dim = {64, 64, 64}, .flags = ADIT_MESH_TT_NONE};
    (void)state;
    make_folded(&folded);
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip();
#endif
    for (int i = 0; i < 3; i++) {
        kernel = adit_mesh_kernel_named(names[i]);
        if (!kernel)
            continue;
        source = noise;
        keeps_to(names[i], run_kernel, ADIT_MESH_STACK_BYTES);
        source = water;
        keeps_to(names[i], run_kernel, ADIT_MESH_STACK_BYTES);
    }
    source = noise;
    kernel = adit_mesh_scalar;
    assert_int_equal(kernel(&source, &old), 0);
    keeps_to("update", run_update, 192 * KIB);
    assert_int_equal(kernel(&source, &result), 0);
    keeps_to("exact", run_exact, 128 * KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_keep_to_their_stack)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
