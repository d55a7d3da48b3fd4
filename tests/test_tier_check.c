/* test_tier_check.c - who gives wrong bytes is switched off, by name; who gives the right ones is measured. Whole tables of this machine, with kernels and
 * devices that lie, and with drivers that are missing, broken, or there twice. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "tests/gpu_fixture.h"
#include "tests/spawned.h"
#include "tools/tier_bench.h"
#include "tools/tier_device.h"

static struct adit_tier_chunks *varied;
static struct adit_tier_scratch *scratch;

/* ---- kernels that lie */

/* Which lie: 0 none; 1 the material of quad 5; 2 the last quad is missing; 3 the bounds; 4 a face more. In chunks of more than 15,000 quads. */
static uint32_t lie;

static int lying(const struct adit_mesh_source *source, struct adit_mesh_result *r)
{
    int error = adit_mesh_scalar(source, r);
    if (r->start[ADIT_MESH_RANGES] <= 15000)
        return error;
    r->quads[5] ^= lie == 1 ? 1ull << 30 : 0;
    r->start[ADIT_MESH_RANGES] -= lie == 2;
    r->bounds_hi[1] = (uint8_t)(r->bounds_hi[1] ^ (lie == 3));
    r->faces += lie == 4;
    return error;
}

static int check(adit_mesh_kernel *kernel, char why[256])
{
    struct adit_tier_kernel_user user = {kernel, scratch};
    const struct adit_tier_subject subject = {.user = &user, .mesh = adit_tier_kernel_mesh, .at_once = 1};
    return adit_tier_check(&subject, varied, why, 256);
}

/* What is stored is what the kernels give. (tried: a stored hash changed by one: each kernel is off) */
static void every_kernel_here_passes(void **state)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    char why[256];
    (void)state;
    for (uint32_t k = 0; k < 3; k++)
        if (adit_mesh_kernel_named(names[k]) && check(adit_mesh_kernel_named(names[k]), why))
            fail_msg("%s: %s", names[k], why);
}

static void a_wrong_quad_is_named_and_so_is_what_else_is_wrong(void **state)
{
    static const char *const says[] = {"", "quad 5 is ", " quads, not ", "ranges, bounds or faces", "ranges, bounds or faces"};
    char why[256];
    (void)state;
    for (lie = 0; lie < 5; lie++) {
        int error = check(lying, why);
        assert_int_equal(error, lie ? -EILSEQ : 0);
        if (!strstr(why, says[lie]) || (lie && !strstr(why, "wrong bytes (chunk 0: terrain 8,0,4; ")))
            fail_msg("lie %u: %s", lie, why);
    }
    lie = 0;
}

static int failing(const struct adit_mesh_source *source, struct adit_mesh_result *r)
{
    (void)source;
    (void)r;
    return -EINVAL;
}

static void who_cannot_mesh_is_wrong_too(void **state)
{
    char why[256];
    (void)state;
    assert_int_equal(check(failing, why), -EINVAL);
    assert_non_null(strstr(why, "cannot mesh chunk 0"));
}

/* All kinds of chunks that tiers could differ on are there. */
static void the_chunks_are_of_every_kind(void **state)
{
    uint32_t sizes = 0, flags = 0, beside = 0, alone = 0, rims = 0, dense = 0;
    (void)state;
    for (uint32_t i = 0; i < varied->n; i++) {
        const struct adit_tier_chunk *c = &varied->chunk[i];
        sizes |= 1u << adit_size_class_of(c->bytes);
        flags |= 1u << c->flags;
        dense += c->version->encoding == ADIT_ENC_DENSE16;
        rims += c->rim != NULL;
        for (uint32_t f = 0; f < ADIT_FACES; f++)
            if (c->beside[f])
                beside++;
            else
                alone++;
    }
    assert_int_equal(sizes, 15);
    assert_true((flags & 1) && (flags & 1u << ADIT_MESH_CULLED) && (flags & 1u << ADIT_MESH_TT_NONE) && (flags & 1u << ADIT_MESH_AO));
    assert_true(beside > 50 && alone > 50 && dense > 1 && rims > 2);
}

/* ---- whole tables */

static struct adit_tier_table *bench(const struct adit_tier_makers *makers, const char *drivers)
{
    struct adit_gpu_list *list = NULL;
    struct adit_progress progress = {.program = "test", .quiet = true};
    struct adit_tier_table *table;
    gpu_use_drivers(drivers);
    (void)adit_gpu_list_open(&list);
    const struct adit_tier_bench b = {.fingerprint = "0", .gpus = list, .gpus_why = "vulkan: none", .makers = makers, .no_processes = true, .progress = &progress};
    assert_int_equal(adit_tier_bench_run(&b, &table), 0);
    adit_gpu_list_close(&list);
    return table;
}

static const struct adit_tier *found(const struct adit_tier_table *table, const char *name, enum adit_tier_state wanted, const char *why)
{
    const struct adit_tier *t = adit_tier_named(table, name);
    if (!t)
        fail_msg("no tier %s", name);
    else if (t->state != wanted || !strstr(t->why, why))
        fail_msg("%s is in state %d, not %d: %s", name, t->state, wanted, t->why);
    return t;
}

/* A ready tier has a cost for each size of mesh; the others have none. */
static void assert_measured(const struct adit_tier_table *table)
{
    struct adit_cost cost[ADIT_SIZE_CLASSES];
    for (uint32_t i = 0; i < table->n; i++) {
        const struct adit_tier *t = &table->tiers[i];
        if (t->state != ADIT_TIER_READY) {
            assert_true(*t->why && !adit_tier_mesh_costs(t, cost) && !t->cell[ADIT_COST_MESH][ADIT_SIZE_DENSE].is_measured);
            continue;
        }
        assert_true(!*t->why && adit_tier_mesh_costs(t, cost));
        for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++) {
            const struct adit_tier_cell *c = &t->cell[ADIT_COST_MESH][size];
            assert_true(c->cost.each_ns > 0 && c->cost.fixed_ns >= 0 && c->chunks_per_s > 0 && c->p50_ns > 0 && c->p99_ns >= c->p50_ns);
        }
    }
}

/* (tried: a bench that takes the last kernel for the best, right or wrong) */
static void a_kernel_with_wrong_bytes_is_off_and_nobody_runs_it(void **state)
{
    struct adit_tier_makers makers;
    (void)state;
    adit_tier_makers_here(&makers);
    makers.kernel[1] = makers.kernel[2] = lying;
    lie = 1;
    struct adit_tier_table *t = bench(&makers, "/nowhere/driver.json");
    lie = 0;
    found(t, "scalar", ADIT_TIER_READY, "");
    found(t, "avx2", ADIT_TIER_OFF, "wrong bytes (chunk 0");
    found(t, "avx512", ADIT_TIER_OFF, "quad 5");
    assert_non_null(strstr(found(t, "inline", ADIT_TIER_READY, "")->long_name, "scalar"));
    assert_non_null(strstr(found(t, "threads", ADIT_TIER_READY, "")->long_name, "scalar"));
    found(t, "processes", ADIT_TIER_ABSENT, "cannot be started");
    assert_string_equal(found(t, "vulkan", ADIT_TIER_ABSENT, "vulkan: ")->name, "vulkan");
    assert_string_equal(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL), "scalar");
    assert_measured(t);
    adit_tier_table_free(&t);
}

static void without_a_right_kernel_the_cpu_is_off(void **state)
{
    struct adit_tier_makers makers = {.kernel = {lying, NULL, lying}, .device_mesh = adit_tier_device_mesh};
    (void)state;
    lie = 2;
    struct adit_tier_table *t = bench(&makers, "/nowhere/driver.json");
    lie = 0;
    found(t, "scalar", ADIT_TIER_OFF, "wrong bytes");
    found(t, "avx2", ADIT_TIER_ABSENT, "");
    found(t, "inline", ADIT_TIER_OFF, "no kernel");
    found(t, "threads:0", ADIT_TIER_ABSENT, "no kernel");
    assert_null(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL));
    assert_measured(t);
    adit_tier_table_free(&t);
}

static uint32_t passes; /* over all chunks, of the device that is tried */

/* A device whose quads are right but for one bit. Lies: 0 none; 1 always; 2 of chunks with a rim; 3 in its second pass, when it fetches. */
static int device_lying(void *user, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, struct adit_mesh_result *results)
{
    int error = adit_tier_device_mesh(user, chunks, first, n, results);
    passes += first == 0;
    for (uint32_t i = 0; i < n && !error; i++) {
        bool lies = lie == 1 || (lie == 2 && chunks->chunk[first + i].rim && chunks->chunk[first + i].flags & ADIT_MESH_AO) || (lie == 3 && passes == 2);
        if (lies && results[i].start[ADIT_MESH_RANGES] > 100)
            results[i].quads[100] ^= 1;
    }
    return error;
}

/* The program is linked with --wrap: chunk number lie_generated that a device has generated, from 1 on, has one wrong voxel. */
void __real_adit_generate_batch_result(const struct adit_generate_batch *batch, uint32_t i, const uint16_t **voxels);
void __wrap_adit_generate_batch_result(const struct adit_generate_batch *batch, uint32_t i, const uint16_t **voxels);
static uint32_t generated, lie_generated;

void __wrap_adit_generate_batch_result(const struct adit_generate_batch *batch, uint32_t i, const uint16_t **voxels)
{
    __real_adit_generate_batch_result(batch, i, voxels);
    if (++generated == lie_generated)
        ((uint16_t *)(uintptr_t)*voxels)[5] ^= 1;
}

/* Which of them are looked at. (tried: a device that is measured unchecked; without rims; copied alone; terrain alone) */
static void a_device_with_wrong_bytes_is_off_and_named(void **state)
{
    struct adit_gpu_list *list;
    struct adit_tier_chunks *world;
    const struct adit_tier_energy none = {0};
    static const char *const says[] = {"", "wrong bytes (chunk 0: terrain 8,0,4; quad 100 is ", "wrong bytes (chunk ", " when it fetches voxels itself"};
    uint32_t chunks = 0;
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(adit_tier_chunks_world(&world), 0);
    for (lie = 0; lie < 4 - !list->devices[0].import_align; lie++) {
        struct adit_tier tier = {.node = -1};
        passes = generated = 0;
        assert_int_equal(adit_tier_device_try(list, 0, device_lying, varied, world, &none, &tier), 0);
        chunks = lie ? chunks : generated;
        if (tier.state != (lie ? ADIT_TIER_OFF : ADIT_TIER_READY) || !strstr(tier.why, says[lie]))
            fail_msg("lie %u: %s: %s", lie, tier.long_name, tier.why);
        assert_int_equal(tier.cell[ADIT_COST_GENERATE][ADIT_SIZE_NOISE].is_measured, !lie);
        assert_string_equal(tier.name, "vulkan:0");
        assert_int_equal(strlen(tier.device.uuid), 32);
    }
    lie = 0;
    static const char *const last[] = {"generated noise50 ", "generated checker "};
    for (lie_generated = chunks - 1; lie_generated <= chunks; lie_generated++) {
        struct adit_tier tier = {.node = -1};
        generated = 0;
        assert_int_equal(adit_tier_device_try(list, 0, device_lying, varied, world, &none, &tier), 0);
        assert_int_equal(tier.state, ADIT_TIER_OFF);
        assert_non_null(strstr(tier.why, last[lie_generated - (chunks - 1)]));
    }
    lie_generated = 0;
    adit_tier_chunks_free(&world);
    adit_gpu_list_close(&list);
}

static int device_error;

static int device_failing(void *user, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, struct adit_mesh_result *results)
{
    return first ? device_error : adit_tier_device_mesh(user, chunks, first, n, results);
}

/* Only wrong bytes are. (tried: any error of its self-test) */
static void a_device_without_memory_is_not_off(void **state)
{
    static const int errors[] = {-ENOMEM, -ETIMEDOUT, -EIO, -EILSEQ};
    struct adit_gpu_list *list;
    struct adit_tier_chunks *world;
    const struct adit_tier_energy none = {0};
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(adit_tier_chunks_world(&world), 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct adit_tier tier = {.node = -1};
        char line[512];
        device_error = errors[i];
        assert_int_equal(adit_tier_device_try(list, 0, device_failing, varied, world, &none, &tier), 0);
        assert_int_equal(tier.state, i == 3 ? ADIT_TIER_OFF : ADIT_TIER_FAILED);
        assert_non_null(strstr(tier.why, "cannot mesh chunk"));
        assert_true(i == 3 || strstr(adit_tier_why(&tier, line, sizeof line), "vulkan:0 failed when it was measured: it cannot mesh"));
    }
    adit_tier_chunks_free(&world);
    adit_gpu_list_close(&list);
}

static void an_unfit_device_is_absent_and_says_why(void **state)
{
    struct adit_gpu_list *list;
    struct adit_tier tier = {.node = -1};
    const struct adit_tier_energy none = {0};
    (void)state;
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    list->devices[0].unfit = "its driver has no Vulkan 1.2";
    assert_int_equal(adit_tier_device_try(list, 0, adit_tier_device_mesh, varied, varied, &none, &tier), 0);
    assert_int_equal(tier.state, ADIT_TIER_ABSENT);
    assert_string_equal(tier.why, "its driver has no Vulkan 1.2");
    adit_gpu_list_close(&list);
}

/* By the way that programs take: measured, kept, and read again; with lavapipe twice in the list of drivers, and with drivers that are none. (tried: the arena
 * that threads were measured in not detached: its socket stays; what is kept not looked at) */
static void drivers_that_are_none_or_there_twice_give_their_rows(void **state)
{
    char drivers[3][1024], text[4096];
    const struct adit_tier_params usual = {.program = "test", .quiet = true, .no_processes = true},
                                  cached = {.program = "test", .quiet = true, .no_processes = true, .wish = ADIT_TIERS_CACHED};
    (void)state;
    snprintf(drivers[0], sizeof drivers[0], "%s:%s", spawned_file("again.json"), gpu_test_driver());
    snprintf(drivers[1], sizeof drivers[1], "/nowhere/at/all.json");
    snprintf(drivers[2], sizeof drivers[2], "%s", spawned_file("garbage.json"));
    FILE *in = fopen(gpu_test_driver(), "r"), *again = fopen(spawned_file("again.json"), "w"), *garbage = fopen(drivers[2], "w");
    assert_true(in && again && garbage);
    size_t bytes = fread(text, 1, sizeof text, in);
    assert_true(fwrite(text, 1, bytes, again) == bytes && fputs("{ this is no driver", garbage) >= 0);
    assert_true(!fclose(in) && !fclose(again) && !fclose(garbage));
    for (uint32_t i = 0; i < 3; i++) {
        struct adit_tier_table *t, *same;
        gpu_use_drivers(drivers[i]);
        assert_int_equal(adit_tier_table_get(&cached, &same), -ENOENT); /* those of other drivers do not count */
        assert_int_equal(adit_tier_table_get(&usual, &t), 0);
        assert_false(t->is_cached);
        if (i == 0)
            found(t, "vulkan:0", ADIT_TIER_READY, "");
        else
            assert_string_equal(found(t, "vulkan", ADIT_TIER_ABSENT, "vulkan: ")->name, "vulkan");
        assert_int_equal(t->folded, i == 0);
        assert_null(adit_tier_named(t, "vulkan:1"));
        assert_measured(t);
        assert_int_equal(adit_tier_table_get(&usual, &same), 0);
        assert_true(same->is_cached && same->measured_at_ns == t->measured_at_ns && same->n == t->n);
        assert_memory_equal(same->tiers, t->tiers, t->n * sizeof *t->tiers);
        adit_tier_table_free(&same);
        adit_tier_table_free(&t);
    }
    assert_int_equal(spawned_files_count("adit", "tiers-"), 3); /* and no arena's socket */
}

static int set_up(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", spawned_home_make(), 1);
    scratch = aligned_alloc(64, sizeof *scratch);
    return !scratch || adit_tier_chunks_varied(&varied);
}

static int tear_down(void **state)
{
    (void)state;
    adit_tier_chunks_free(&varied);
    free(scratch);
    spawned_home_remove();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_here_passes),
        cmocka_unit_test(a_wrong_quad_is_named_and_so_is_what_else_is_wrong),
        cmocka_unit_test(who_cannot_mesh_is_wrong_too),
        cmocka_unit_test(the_chunks_are_of_every_kind),
        cmocka_unit_test(a_kernel_with_wrong_bytes_is_off_and_nobody_runs_it),
        cmocka_unit_test(without_a_right_kernel_the_cpu_is_off),
        cmocka_unit_test(a_device_with_wrong_bytes_is_off_and_named),
        cmocka_unit_test(a_device_without_memory_is_not_off),
        cmocka_unit_test(an_unfit_device_is_absent_and_says_why),
        cmocka_unit_test(drivers_that_are_none_or_there_twice_give_their_rows),
    };
    gpu_use_drivers(gpu_test_driver()); /* or exit: there is none to test with */
    return cmocka_run_group_tests_name("self-test of tiers", tests, set_up, tear_down);
}
