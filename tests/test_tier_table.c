/* test_tier_table.c - the table of tiers as it is kept and looked up, and what its figures are made of. Nothing is measured here but the clock of a job that
 * does nothing: test_tier_check does that. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/spawned.h"
#include "tools/tier_cache.h"
#include "tools/tier_figures.h"
#include "tools/tier_fingerprint.h"
#include "tools/tier_json.h"
#include "runtime/nodes.h"

#define FINGERPRINT "0123456789abcdef"

static char line[1024];

/* ---- a table with something in every place */

static struct adit_tier_table *table_make(const char *fingerprint)
{
    static const char *const names[] = {"inline", "threads:0", "threads:1", "vulkan:0", "vulkan:1", "scalar"};
    struct adit_tier_table *t = calloc(1, sizeof *t + 6 * sizeof *t->tiers);
    assert_non_null(t);
    snprintf(t->fingerprint, sizeof t->fingerprint, "%s", fingerprint);
    t->measured_at_ns = 1234567890123456789u;
    t->measured_in_s = 1.0 / 3;
    t->folded = 2;
    t->n = 6;
    for (uint32_t i = 0; i < t->n; i++) {
        struct adit_tier *tier = &t->tiers[i];
        snprintf(tier->name, sizeof tier->name, "%s", names[i]);
        snprintf(tier->long_name, sizeof tier->long_name, "\"%s\" of \xc3\xa9nergie \\ %u", names[i], i);
        tier->threads = i;
        tier->node = (int32_t)i - 1;
        for (uint32_t kind = 0; kind < ADIT_COST_KINDS; kind++)
            for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++)
                if (kind == 0 || size != i % 4)
                    tier->cell[kind][size] = (struct adit_tier_cell){
                        .is_measured = true, .has_energy = size == 1, .cost = {1e9 / (i + 3.0 + size), 0.1 * (i + 1.0)}, .chunks_per_s = 1e-7 * (size + 1.0),
                        .p50_ns = 123456789.123456789, .p99_ns = size, .energy_uj = size == 1 ? 2.0 / 3 : 0};
    }
    struct adit_tier *off = &t->tiers[3];
    off->state = ADIT_TIER_OFF;
    snprintf(off->why, sizeof off->why, "wrong bytes (chunk 3; quad 7)");
    off->device = (struct adit_tier_device){.uuid = "00112233445566778899aabbccddeeff", .pci = "0000:65:00.0", .driver = "d",
                                            .local_bytes = 1ull << 40, .is_software = true, .imports = true};
    return t;
}

static void kept_write(const char *fingerprint, char *path)
{
    struct adit_tier_table *t = table_make(fingerprint);
    assert_int_equal(adit_tier_cache_write(t, line, sizeof line), 0);
    memcpy(path, t->file, ADIT_TIER_PATH_BYTES);
    adit_tier_table_free(&t);
}

static char *file_text(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(1u << 16);
    assert_true(f && text);
    *bytes = fread(text, 1, 1u << 16, f);
    fclose(f);
    return text;
}

static void file_put(const char *path, const char *text, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fwrite(text, 1, bytes, f) == bytes && !fclose(f));
}

/* Not believed, with a line that names the file. */
static void assert_disbelieved(const char *fingerprint, const char *path, const char *why)
{
    struct adit_tier_table *t;
    *line = 0;
    assert_int_equal(adit_tier_cache_read(fingerprint, &t, line, sizeof line), -EBADMSG);
    assert_null(t);
    if (!strstr(line, path) || !strstr(line, why) || strchr(line, '\n'))
        fail_msg("'%s' does not name %s and '%s' in one line", line, path, why);
}

/* ---- the file */

static void a_table_is_read_as_it_was_kept(void **state)
{
    struct adit_tier_table *t = table_make(FINGERPRINT), *again;
    (void)state;
    assert_int_equal(adit_tier_cache_read(FINGERPRINT, &again, line, sizeof line), -ENOENT);
    assert_int_equal(adit_tier_cache_write(t, line, sizeof line), 0);
    assert_int_equal(adit_tier_cache_read(FINGERPRINT, &again, line, sizeof line), 0);
    assert_string_equal(again->file, t->file);
    assert_non_null(strstr(t->file, "/adit/tiers-" FINGERPRINT ".json"));
    assert_int_equal(again->n, t->n);
    assert_true(again->measured_at_ns == t->measured_at_ns && again->measured_in_s == t->measured_in_s && again->folded == t->folded);
    for (uint32_t i = 0; i < t->n; i++)
        assert_memory_equal(&again->tiers[i], &t->tiers[i], sizeof t->tiers[i]);
    assert_int_equal(spawned_files_count("adit", ".part"), 0);
    adit_tier_table_free(&again);
    assert_null(again);
    adit_tier_table_free(&again);
    adit_tier_table_free(&t);
}

/* (tried: no checksum: figures with a digit changed are believed) */
static void a_file_that_is_cut_or_changed_is_not_believed(void **state)
{
    char path[ADIT_TIER_PATH_BYTES];
    size_t bytes;
    (void)state;
    kept_write(FINGERPRINT, path);
    char *text = file_text(path, &bytes), *changed = malloc(bytes);
    assert_true(changed && bytes > 2000);
    for (size_t n = 0; n < bytes; n += n < 100 ? 7 : 331) {
        file_put(path, text, n);
        assert_disbelieved(FINGERPRINT, path, n ? "damaged" : "size");
    }
    for (size_t at = 3; at < bytes; at += 97)
        if (text[at] >= '0' && text[at] <= '8') {
            memcpy(changed, text, bytes);
            changed[at]++;
            file_put(path, changed, bytes);
            assert_disbelieved(FINGERPRINT, path, "damaged");
        }
    file_put(path, "[]", 2);
    assert_disbelieved(FINGERPRINT, path, "damaged");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_disbelieved(FINGERPRINT, path, "no file");
    assert_int_equal(rmdir(path), 0);
    file_put(path, text, bytes); /* the control: these bytes are good */
    struct adit_tier_table *t;
    assert_int_equal(adit_tier_cache_read(FINGERPRINT, &t, line, sizeof line), 0);
    adit_tier_table_free(&t);
    free(changed);
    free(text);
}

/* (tried: the mode not looked at; a part for each process: that of the killed stays) */
static void what_others_may_write_is_not_believed_and_no_part_stays(void **state)
{
    char path[ADIT_TIER_PATH_BYTES], part[ADIT_TIER_PATH_BYTES + 8];
    struct adit_tier_table *t;
    (void)state;
    kept_write(FINGERPRINT, path);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(chmod(path, i ? 0602 : 0620), 0);
        assert_disbelieved(FINGERPRINT, path, "others may write");
    }
    snprintf(part, sizeof part, "%s.part", path);
    file_put(part, "half a table of one that was killed", 35);
    kept_write(FINGERPRINT, path);
    assert_int_equal(spawned_files_count("adit", ".part"), 0);
    assert_int_equal(adit_tier_cache_read(FINGERPRINT, &t, line, sizeof line), 0);
    adit_tier_table_free(&t);
}

/* (tried: the fingerprint inside not compared) */
static void a_table_of_another_machine_is_not_believed(void **state)
{
    char path[ADIT_TIER_PATH_BYTES], other[ADIT_TIER_PATH_BYTES];
    (void)state;
    kept_write(FINGERPRINT, path);
    kept_write("fedcba9876543210", other);
    assert_int_equal(rename(path, other), 0);
    assert_disbelieved("fedcba9876543210", other, "another machine");
}

/* Each key that is needed, gone or of another kind, is an error and no table. (tried: figures below 0 taken) */
static void json_that_is_no_table_is_refused(void **state)
{
    static const char *const keys[] = {"format", "fingerprint", "measured_at_ns", "measured_in_s", "folded_devices", "tiers"};
    static const char *const of_tier[] = {"name", "long_name", "state", "why", "threads", "node"};
    static const char *const of_cell[] = {"fixed_ns", "each_ns", "chunks_per_s", "p50_ns", "p99_ns"};
    static const char *const of_device[] = {"uuid", "pci", "driver", "local_bytes", "software", "unified", "imports"};
    (void)state;
    for (uint32_t i = 0; i < 6 + 6 + 5 + 7; i++)
        for (uint32_t how = 0; how < 3; how++) {
            struct adit_tier_table *t = table_make(FINGERPRINT), *out;
            json_t *root = adit_tier_table_json(t), *tier = json_array_get(json_object_get(root, "tiers"), 3);
            json_t *cell = json_object_get(json_object_get(tier, "mesh"), "dense");
            json_t *in = i < 6 ? root : i < 12 ? tier : i < 17 ? cell : json_object_get(tier, "device");
            const char *key = i < 6 ? keys[i] : i < 12 ? of_tier[i - 6] : i < 17 ? of_cell[i - 12] : of_device[i - 17];
            assert_int_equal(adit_tier_table_parse(root, &out), 0); /* the control */
            adit_tier_table_free(&out);
            assert_non_null(json_object_get(in, key));
            if (how == 0)
                json_object_del(in, key);
            else
                json_object_set_new(in, key, how == 1 ? json_real(-1) : json_object());
            if (adit_tier_table_parse(root, &out) != -EBADMSG || out)
                fail_msg("%s changed in way %u, and taken", key, how);
            json_decref(root);
            adit_tier_table_free(&t);
        }
}

static void of_many_builds_a_few_tables_stay(void **state)
{
    char path[ADIT_TIER_PATH_BYTES], fingerprint[17];
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(fingerprint, sizeof fingerprint, "%016x", i);
        kept_write(fingerprint, path);
    }
    assert_int_equal(spawned_files_count("adit", "tiers-"), 9);
    struct adit_tier_table *t;
    assert_int_equal(adit_tier_cache_read(fingerprint, &t, line, sizeof line), 0); /* the last one is there */
    adit_tier_table_free(&t);
}

/* Of one machine and build, whatever the drivers. (tried: the first in the folder's order) */
static void the_newest_of_several_drivers_is_found(void **state)
{
    static const char *const kept[] = {"00112233aaaaaaaa", "00112233cccccccc", "00112233bbbbbbbb", "99112233dddddddd"};
    char path[ADIT_TIER_PATH_BYTES], newest[17];
    (void)state;
    assert_false(adit_tier_cache_newest("0011223300000000", 8, newest));
    for (uint32_t i = 0; i < 4; i++) {
        kept_write(kept[i], path);
        const struct timespec at[2] = {{.tv_sec = 1000, .tv_nsec = i == 1 ? 999 : i}, {.tv_sec = 1000, .tv_nsec = i == 1 ? 999 : i}};
        assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
    }
    assert_true(adit_tier_cache_newest("0011223300000000", 8, newest));
    assert_string_equal(newest, "00112233cccccccc");
    assert_true(adit_tier_cache_newest("9911223300000000", 8, newest));
    assert_string_equal(newest, "99112233dddddddd");
    assert_false(adit_tier_cache_newest("9911223400000000", 8, newest));
}

static void without_a_folder_it_cannot_be_kept_and_says_so(void **state)
{
    struct adit_tier_table *t = table_make(FINGERPRINT);
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    (void)state;
    file_put(spawned_file("file"), "x", 1);
    setenv("XDG_CACHE_HOME", spawned_file("file"), 1);
    setenv("HOME", spawned_file("file"), 1);
    assert_true(adit_tier_cache_write(t, line, sizeof line) < 0);
    assert_non_null(strstr(line, spawned_file("file")));
    assert_string_equal(t->file, "");
    setenv("HOME", spawned_file("."), 1); /* the second place */
    assert_int_equal(adit_tier_cache_write(t, line, sizeof line), 0);
    assert_non_null(strstr(t->file, "/.cache/adit/"));
    setenv("XDG_CACHE_HOME", "relative", 1); /* does not count */
    unsetenv("HOME");
    assert_true(adit_tier_cache_write(t, line, sizeof line) < 0);
    if (home)
        setenv("HOME", home, 1);
    free(home);
    adit_tier_table_free(&t);
}

/* ---- the fingerprint */

/* (tried: without ADIT_DISABLE) */
static void the_fingerprint_is_of_machine_drivers_and_environment(void **state)
{
    static struct adit_tier_fingerprint seen[8], again;
    static struct adit_gpu_list list;
    cpu_set_t before, one;
    uint32_t n = 0;
    (void)state;
    unsetenv("ADIT_DISABLE");
    adit_tier_fingerprint_make(NULL, &seen[n++]);
    adit_tier_fingerprint_make(NULL, &again);
    assert_string_equal(again.hex, seen[0].hex);
    assert_true(strlen(again.hex) == 16 && strstr(again.text, "build: ") && strstr(again.text, "kernel: Linux ") && !strstr(again.text, "build: 0000000000000000"));
    setenv("ADIT_DISABLE", "avx512", 1);
    adit_tier_fingerprint_make(NULL, &seen[n++]);
    unsetenv("ADIT_DISABLE");
    setenv("VK_DRIVER_FILES", "/nowhere", 1);
    adit_tier_fingerprint_make(NULL, &seen[n++]);
    unsetenv("VK_DRIVER_FILES");
    list.n = 1;
    snprintf(list.devices[0].driver_info, sizeof list.devices[0].driver_info, "22.3.6");
    adit_tier_fingerprint_make(&list, &seen[n++]);
    snprintf(list.devices[0].driver_info, sizeof list.devices[0].driver_info, "22.3.7");
    adit_tier_fingerprint_make(&list, &seen[n++]);
    list.devices[0].uuid[15] = 1;
    adit_tier_fingerprint_make(&list, &seen[n++]);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    if (CPU_COUNT(&before) > 1) {
        CPU_ZERO(&one);
        for (size_t cpu = 0; !CPU_COUNT(&one); cpu++)
            if (CPU_ISSET(cpu, &before))
                CPU_SET(cpu, &one);
        assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
        adit_tier_fingerprint_make(NULL, &seen[n++]);
        assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    }
    for (uint32_t i = 0; i < n; i++) /* the first half is of the CPU's side alone: the same but for what ADIT_DISABLE and fewer CPUs change */
        assert_int_equal(strncmp(seen[i].hex, seen[0].hex, ADIT_TIER_FINGERPRINT_CPU) == 0, i != 1 && i != 6);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < i; j++)
            if (!strcmp(seen[i].hex, seen[j].hex))
                fail_msg("%u and %u have one fingerprint:\n%s\n%s", i, j, seen[i].text, seen[j].text);
}

static void each_cpu_that_may_be_used_is_on_one_node(void **state)
{
    static struct adit_node nodes[ADIT_NODES_MAX];
    cpu_set_t all, sum, both, inside;
    (void)state;
    uint32_t n = adit_nodes_here(nodes);
    assert_in_range(n, 1, ADIT_NODES_MAX);
    CPU_ZERO(&sum);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(CPU_COUNT(&nodes[i].cpus), nodes[i].cpus_n);
        CPU_AND(&both, &sum, &nodes[i].cpus);
        assert_int_equal(CPU_COUNT(&both), 0);
        CPU_OR(&sum, &sum, &nodes[i].cpus);
        assert_true(i == 0 || nodes[i].id > nodes[i - 1].id);
    }
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_true(CPU_EQUAL(&all, &sum));
    adit_node_enter(&nodes[0], &both);
    assert_int_equal(sched_getaffinity(0, sizeof inside, &inside), 0);
    assert_true(CPU_EQUAL(&inside, &nodes[0].cpus));
    adit_node_exit(&both);
    assert_int_equal(sched_getaffinity(0, sizeof inside, &inside), 0);
    assert_true(CPU_EQUAL(&inside, &all));
}

/* ---- looking up */

static void tiers_are_found_by_name_and_by_family(void **state)
{
    struct adit_tier_table *t = table_make(FINGERPRINT);
    struct adit_cost cost[ADIT_SIZE_CLASSES] = {{1, 2}};
    (void)state;
    assert_ptr_equal(adit_tier_named(t, "vulkan:0"), &t->tiers[3]);
    assert_ptr_equal(adit_tier_named(t, "vulkan"), &t->tiers[4]); /* the first that is ready */
    assert_ptr_equal(adit_tier_named(t, "threads"), &t->tiers[1]);
    assert_null(adit_tier_named(t, "vulkan:7"));
    assert_null(adit_tier_named(t, "vulk"));
    assert_false(adit_tier_mesh_costs(&t->tiers[3], cost) || adit_tier_mesh_costs(NULL, cost));
    assert_true(cost[0].fixed_ns == 1 && cost[0].each_ns == 2);
    assert_true(adit_tier_mesh_costs(&t->tiers[4], cost));
    assert_true(cost[2].fixed_ns == t->tiers[4].cell[ADIT_COST_MESH][2].cost.fixed_ns);
    assert_float_equal(adit_tier_thread_ns(t, "scalar"), (0.2 * 1 + 0.3 * 2) / 2, 1e-9); /* of two nodes, 1 thread at 0.2 and 2 at 0.3 */
    assert_float_equal(adit_tier_thread_ns(t, "avx2"), 0, 0);
    t->tiers[1].state = t->tiers[2].state = ADIT_TIER_ABSENT;
    assert_float_equal(adit_tier_thread_ns(t, "scalar"), 0.6, 1e-9); /* alone */
    t->tiers[5].cell[ADIT_COST_MESH][3].is_measured = false;
    assert_float_equal(adit_tier_thread_ns(t, "scalar"), 0, 0);
    assert_string_equal(adit_tier_why(&t->tiers[3], line, sizeof line), "vulkan:0 is switched off: wrong bytes (chunk 3; quad 7)");
    assert_string_equal(adit_tier_why(&t->tiers[4], line, sizeof line), "");
    adit_tier_table_free(&t);
}

/* (tried: always the last of them) */
static void the_kernel_that_was_measured_fastest_is_taken(void **state)
{
    struct adit_tier_table *t = table_make(FINGERPRINT);
    struct adit_tier *scalar = &t->tiers[5], *avx2 = &t->tiers[0], *avx512 = &t->tiers[4];
    (void)state;
    snprintf(avx2->name, sizeof avx2->name, "avx2"); /* 0.1 ns */
    snprintf(avx512->name, sizeof avx512->name, "avx512"); /* 0.5 ns, scalar 0.6 */
    assert_string_equal(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL), "avx2");
    assert_string_equal(adit_tier_kernel(t, 5), "avx512");
    assert_string_equal(adit_tier_kernel(t, 1), "scalar");
    assert_null(adit_tier_kernel(t, 0));
    assert_float_equal(adit_tier_thread_ns(t, "avx512"), 0.5, 1e-9); /* not what the threads of the table ran */
    avx2->state = ADIT_TIER_OFF;
    assert_string_equal(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL), "avx512");
    avx512->cell[ADIT_COST_MESH][2].is_measured = false;
    assert_string_equal(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL), "scalar");
    scalar->state = ADIT_TIER_ABSENT;
    assert_string_equal(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL), "avx512"); /* not measured, but right */
    avx512->state = ADIT_TIER_OFF;
    assert_null(adit_tier_kernel(t, ADIT_TIER_KERNELS_ALL));
    adit_tier_table_free(&t);
}

/* (tried: the fixed price of a batch left out; a device that is off taken) */
static void a_device_generates_cheaper_by_all_of_its_price(void **state)
{
    struct adit_tier_table *t = table_make(FINGERPRINT);
    struct adit_tier *inl = &t->tiers[0], *device = &t->tiers[4];
    (void)state;
    for (uint32_t size = 0; size < ADIT_SIZE_CLASSES; size++) {
        inl->cell[ADIT_COST_GENERATE][size] = (struct adit_tier_cell){.is_measured = size > 0, .cost = {0, 800}};
        device->cell[ADIT_COST_GENERATE][size] = (struct adit_tier_cell){.is_measured = size < 3, .cost = {6400, size == 2 ? 900 : 500}};
    }
    assert_true(adit_tier_generates_cheaper(t, device, 100)); /* 564 and 964 of two sizes against 800 each */
    assert_false(adit_tier_generates_cheaper(t, device, 32)); /* 700 and 1100: not less */
    assert_false(adit_tier_generates_cheaper(t, NULL, 100) || adit_tier_generates_cheaper(NULL, device, 100));
    device->state = ADIT_TIER_OFF;
    assert_false(adit_tier_generates_cheaper(t, device, 100));
    device->state = ADIT_TIER_READY;
    inl->cell[ADIT_COST_GENERATE][1].is_measured = inl->cell[ADIT_COST_GENERATE][2].is_measured = false;
    assert_false(adit_tier_generates_cheaper(t, device, 100)); /* nothing to compare */
    adit_tier_table_free(&t);
}

/* ---- figures */

static void a_line_is_found_again_and_never_falls(void **state)
{
    const double n[] = {1, 16, 64}, line_ns[] = {1000 + 10, 1000 + 160, 1000 + 640}, through_0[] = {5, 80, 320}, falling[] = {900, 400, 300}, early[] = {10, 300, 1300};
    (void)state;
    struct adit_cost c = adit_tier_fit(n, line_ns, 3);
    assert_float_equal(c.fixed_ns, 1000, 1e-6);
    assert_float_equal(c.each_ns, 10, 1e-6);
    c = adit_tier_fit(n, through_0, 3);
    assert_float_equal(c.fixed_ns, 0, 1e-6);
    assert_float_equal(c.each_ns, 5, 1e-6);
    c = adit_tier_fit(n, falling, 3);
    assert_true(c.fixed_ns == 0 && c.each_ns > 0);
    c = adit_tier_fit(n, early, 3); /* the line would begin below 0 */
    assert_true(c.fixed_ns == 0 && c.each_ns > 10 && c.each_ns < 21);
    c = adit_tier_fit(n, line_ns, 1); /* one size tells no slope */
    assert_true(c.fixed_ns == 0);
    assert_float_equal(c.each_ns, 1010, 1e-6);
}

static void percentiles_are_of_the_sorted_values(void **state)
{
    double v[] = {50, 10, 40, 20, 30}, two[] = {3, 1};
    (void)state;
    assert_float_equal(adit_tier_percentile(v, 5, 0.5), 30, 0);
    assert_float_equal(adit_tier_percentile(v, 5, 0.99), 49.6, 1e-9);
    assert_float_equal(adit_tier_percentile(v, 5, 1), 50, 0);
    assert_float_equal(adit_tier_percentile(two, 2, 0.5), 2, 0);
    assert_float_equal(adit_tier_percentile(v, 0, 0.5), 0, 0);
}

static uint32_t runs_of[3];

static int count_run(void *user, enum adit_size_class size, uint32_t n)
{
    assert_int_equal(size, ADIT_SIZE_DENSE);
    runs_of[n == 1 ? 0 : n == 8 ? 1 : 2]++;
    return runs_of[0] > 20 ? *(int *)user : 0;
}

static void sizes_are_run_by_turns_and_an_error_ends_it(void **state)
{
    int fails = 0;
    const struct adit_tier_energy none = {0};
    struct adit_tier_cell cell;
    struct adit_tier_job job = {.run = count_run, .user = &fails, .sizes = {1, 8}, .sizes_n = 2, .singles = 3, .budget_ns = 0};
    (void)state;
    assert_int_equal(adit_tier_measure(&job, ADIT_SIZE_DENSE, &none, &cell), 0);
    assert_true(cell.is_measured && !cell.has_energy && cell.p50_ns > 0 && cell.p99_ns >= cell.p50_ns && cell.chunks_per_s > 0 && cell.cost.each_ns > 0);
    assert_true(runs_of[0] == 2 * 3 && runs_of[1] == 1 + 2 && !runs_of[2]); /* once before, then two rounds */
    fails = -EIO;
    job.budget_ns = 60000000000u;
    assert_int_equal(adit_tier_measure(&job, ADIT_SIZE_DENSE, &none, &cell), -EIO);
    assert_false(cell.is_measured);
}

/* ---- energy */

static void counter_put(const char *domain, const char *name, const char *value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", spawned_file("rapl"), domain);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", spawned_file("rapl"), domain, name);
    file_put(path, value, strlen(value));
}

/* (tried: a counter that starts anew taken for 2^64 less) */
static void energy_is_summed_over_packages_and_survives_a_wrap(void **state)
{
    struct adit_tier_energy energy;
    struct adit_tier_energy_look look;
    (void)state;
    adit_tier_energy_open(&energy, spawned_file("rapl")); /* not there */
    assert_int_equal(energy.domains_n, 0);
    assert_int_equal(mkdir(spawned_file("rapl"), 0700), 0);
    counter_put("intel-rapl:0", "max_energy_range_uj", "1000000\n");
    counter_put("intel-rapl:0", "energy_uj", "999000\n");
    counter_put("intel-rapl:2", "max_energy_range_uj", "1000000\n");
    counter_put("intel-rapl:2", "energy_uj", "5\n");
    counter_put("intel-rapl:0:0", "max_energy_range_uj", "1000000\n"); /* a part of 0 */
    counter_put("intel-rapl:0:0", "energy_uj", "7\n");
    counter_put("intel-rapl:3", "energy_uj", "7\n"); /* how far it counts is not told */
    adit_tier_energy_open(&energy, spawned_file("rapl"));
    assert_int_equal(energy.domains_n, 2);
    adit_tier_energy_look(&energy, &look);
    counter_put("intel-rapl:0", "energy_uj", "500\n");
    counter_put("intel-rapl:2", "energy_uj", "25\n");
    counter_put("intel-rapl:0:0", "energy_uj", "700\n");
    assert_float_equal(adit_tier_energy_since(&energy, &look), 1500 + 20, 1e-9);
}

static int home_make(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", spawned_home_make(), 1);
    return 0;
}

static int home_remove(void **state)
{
    (void)state;
    spawned_home_remove();
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, home_make, home_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_read_as_it_was_kept),
        TEST(a_file_that_is_cut_or_changed_is_not_believed),
        TEST(what_others_may_write_is_not_believed_and_no_part_stays),
        TEST(a_table_of_another_machine_is_not_believed),
        TEST(json_that_is_no_table_is_refused),
        TEST(of_many_builds_a_few_tables_stay),
        TEST(the_newest_of_several_drivers_is_found),
        TEST(without_a_folder_it_cannot_be_kept_and_says_so),
        TEST(the_fingerprint_is_of_machine_drivers_and_environment),
        TEST(each_cpu_that_may_be_used_is_on_one_node),
        TEST(tiers_are_found_by_name_and_by_family),
        TEST(the_kernel_that_was_measured_fastest_is_taken),
        TEST(a_device_generates_cheaper_by_all_of_its_price),
        TEST(a_line_is_found_again_and_never_falls),
        TEST(percentiles_are_of_the_sorted_values),
        TEST(sizes_are_run_by_turns_and_an_error_ends_it),
        TEST(energy_is_summed_over_packages_and_survives_a_wrap),
    };
    return cmocka_run_group_tests_name("table of tiers", tests, NULL, NULL);
}
