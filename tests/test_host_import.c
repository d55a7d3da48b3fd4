/* Memory of this process seen by a device where it lies: private and shared, read-only, not aligned, not there. It is taken and then has the right bytes, or it is
 * refused and nothing is left: never a fault. Lavapipe takes what is sound; a device that ADIT_TEST_DRIVER names may refuse any of it.
 *
 * (tried: address and length not looked at; what is not mapped taken; the buffer of a refused import left; the import's bytes one page further.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpu/host_import.h"
#include "gpu/submission.h"
#include "runtime/adit.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_group.h"

#define BYTES (64u << 10)
#define WAIT_NS 120000000000u


/* Byte i of what number n lays down. */
static uint8_t byte_of(uint32_t n, size_t i) { return (uint8_t)((i * 2654435761u >> 13) + n * 37); }

static void lay_down(uint8_t *at, size_t bytes, uint32_t n)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = byte_of(n, i);
}

static void assert_lies(const uint8_t *at, size_t bytes, uint32_t n)
{
    for (size_t i = 0; i < bytes; i++)
        if (at[i] != byte_of(n, i))
            fail_msg("byte %zu is %02x, not %02x", i, at[i], byte_of(n, i));
}

/* All of one memory to another, by the device. */
static void copy(const struct adit_gpu_memory *from, const struct adit_gpu_memory *to, size_t bytes)
{
    struct adit_submission s;
    assert_int_equal(adit_gpu_prepare(gpu, ADIT_GPU_GENERATE), 0);
    assert_int_equal(adit_submission_open(gpu, ADIT_GPU_GENERATE, 2, &s), VK_SUCCESS);
    assert_int_equal(adit_submission_begin(&s), VK_SUCCESS);
    adit_submission_copy(&s, from, 0, to, 0, bytes);
    adit_submission_to_host(&s);
    assert_int_equal(adit_submission_submit(&s), VK_SUCCESS);
    assert_int_equal(adit_submission_wait(&s, WAIT_NS), VK_SUCCESS);
    assert_true(adit_submission_close(&s));
}

/* False: it was refused, and nothing is left of it. */
static bool take(void *at, size_t bytes, struct adit_gpu_memory *out)
{
    uint32_t live = faulty_driver_live();
    VkResult r = adit_host_import_open(gpu, at, bytes, out);
    if (!r)
        return true;
    assert_true(r < 0);
    assert_int_equal(faulty_driver_live(), live);
    assert_null(out->buffer);
    assert_null(out->memory);
    return false;
}

/* The device reads what lies there, and writes what then lies there. */
static void is_seen(uint8_t *at, size_t bytes, bool may_be_refused, bool writes)
{
    struct adit_gpu_memory import, back;
    if (!take(at, bytes, &import)) {
        assert_true(may_be_refused || getenv("ADIT_TEST_DRIVER"));
        return;
    }
    assert_int_equal(adit_gpu_memory_open(gpu, bytes, ADIT_GPU_READBACK, &back), VK_SUCCESS);
    copy(&import, &back, bytes);
    assert_lies(back.at, bytes, 1);
    if (writes) {
        lay_down(back.at, bytes, 2);
        copy(&back, &import, bytes);
        assert_lies(at, bytes, 2);
    }
    adit_gpu_memory_close(gpu, &import);
    adit_gpu_memory_close(gpu, &back);
    assert_lies(at, bytes, writes ? 2 : 1); /* it is still ours */
}

static uint8_t *map(size_t bytes, int fd)
{
    uint8_t *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

static void private_memory_is_seen_where_it_lies(void **state)
{
    (void)state;
    uint8_t *at = map(BYTES, -1);
    lay_down(at, BYTES, 1);
    is_seen(at, BYTES, false, true);
    munmap(at, BYTES);
}

static void shared_memory_is_seen_through_every_mapping(void **state)
{
    static const unsigned flags[] = {0, MFD_HUGETLB};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        size_t bytes = flags[i] ? 2u << 20 : BYTES;
        int fd = memfd_create("seen", MFD_CLOEXEC | flags[i]);
        if (fd < 0 || ftruncate(fd, (off_t)bytes)) {
            assert_true(flags[i]);
            continue;
        }
        void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED) { /* no hugepages here */
            assert_true(flags[i]);
            close(fd);
            continue;
        }
        uint8_t *other = map(bytes, fd);
        lay_down(other, bytes, 1);
        is_seen(at, bytes, false, true);
        if (!getenv("ADIT_TEST_DRIVER"))
            assert_lies(other, bytes, 2);
        munmap(at, bytes);
        munmap(other, bytes);
        close(fd);
    }
}

/* As a consumer has an arena. */
static void read_only_memory_is_refused_or_read(void **state)
{
    (void)state;
    int fd = memfd_create("read", MFD_CLOEXEC);
    assert_true(fd >= 0 && !ftruncate(fd, BYTES));
    uint8_t *writer = map(BYTES, fd);
    lay_down(writer, BYTES, 1);
    uint8_t *at = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(at != MAP_FAILED);
    is_seen(at, BYTES, true, false);
    munmap(at, BYTES);
    munmap(writer, BYTES);
    close(fd);
}

static void what_is_not_aligned_or_not_there_is_refused(void **state)
{
    const size_t align = gpu->of->import_align, gap = (size_t)sysconf(_SC_PAGESIZE);
    struct adit_gpu_memory import;
    (void)state;
    if (!align)
        skip();
    uint8_t *at = map(BYTES, -1);
    uint32_t live = faulty_driver_live();
    const struct {
        void *at;
        size_t bytes;
    } bad[] = {{at + 1, align}, {at + 64, align}, {at + align / 2, align}, {at, align - 1}, {at, 1}, {at, align + 16}, {at, 0}, {at + 16, 0},
               {NULL, align}, {(void *)(UINTPTR_MAX - align + 1), align}, {at, SIZE_MAX - align + 1}, {at, SIZE_MAX / 2 / align * align}};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (adit_host_import_open(gpu, bad[i].at, bad[i].bytes, &import) != VK_ERROR_INVALID_EXTERNAL_HANDLE)
            fail_msg("%p, %zu bytes: not refused", bad[i].at, bad[i].bytes);
    munmap(at + BYTES / 2, gap); /* a hole in it */
    assert_int_equal(adit_host_import_open(gpu, at, BYTES, &import), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    munmap(at, BYTES);
    assert_int_equal(adit_host_import_open(gpu, at, BYTES, &import), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    assert_int_equal(faulty_driver_live(), live);
}

/* A device that wants more than a page's alignment. */
static void the_alignment_is_the_devices(void **state)
{
    struct adit_gpu *fresh;
    struct adit_gpu_memory import;
    (void)state;
    struct adit_gpu_device wide = gpu_list->devices[0];
    uint8_t *at = map(4 * BYTES, -1), *aligned = (uint8_t *)(((uintptr_t)at + BYTES - 1) & ~(uintptr_t)(BYTES - 1));
    wide.import_align = BYTES;
    assert_int_equal(adit_gpu_open(gpu_list, &wide, &fresh), 0);
    assert_int_equal(adit_host_import_open(fresh, aligned + BYTES / 2, BYTES, &import), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    assert_int_equal(adit_host_import_open(fresh, aligned, BYTES / 2, &import), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    VkResult r = adit_host_import_open(fresh, aligned, BYTES, &import);
    assert_true(!r || getenv("ADIT_TEST_DRIVER"));
    if (!r)
        adit_gpu_memory_close(fresh, &import);
    adit_gpu_close(&fresh);
    munmap(at, 4 * BYTES);
}

static void a_device_that_cannot_import_says_so(void **state)
{
    struct adit_gpu *fresh;
    struct adit_gpu_memory import;
    (void)state;
    struct adit_gpu_device without = gpu_list->devices[0];
    uint8_t *at = map(BYTES, -1);
    without.import_align = 0;
    assert_int_equal(adit_gpu_open(gpu_list, &without, &fresh), 0);
    assert_int_equal(adit_host_import_open(fresh, at, BYTES, &import), VK_ERROR_EXTENSION_NOT_PRESENT);
    adit_gpu_close(&fresh);
    munmap(at, BYTES);
}

/* The import is the device's first allocation. */
static void an_import_that_a_driver_refuses_leaves_nothing(void **state)
{
    struct adit_gpu *whole = gpu;
    struct adit_gpu_memory import;
    (void)state;
    uint8_t *at = map(BYTES, -1);
    faulty_driver_break("no-memory:1");
    assert_int_equal(adit_gpu_open(gpu_list, gpu_list->devices, &gpu), 0);
    bool taken = take(at, BYTES, &import);
    assert_false(taken);
    lay_down(at, BYTES, 1);
    is_seen(at, BYTES, false, true); /* the next one is the second */
    adit_gpu_close(&gpu);
    gpu = whole;
    munmap(at, BYTES);
}

/* (tried: one import of all; a seam that belongs to both sides) */
static void what_is_too_large_is_imported_in_pieces(void **state)
{
    struct adit_gpu *fresh;
    struct adit_host_imports *h;
    struct adit_gpu_device small = gpu_list->devices[0];
    const size_t piece = small.import_align * 4ul, bytes = 10 * piece + small.import_align;
    uint32_t which;
    VkDeviceSize at_byte;
    (void)state;
    uint8_t *at = map(2 * bytes, -1);
    const struct adit_import_range ranges[] = {{at, bytes}, {at + bytes, bytes}};
    small.import_max = piece;
    assert_int_equal(adit_gpu_open(gpu_list, &small, &fresh), 0);
    uint32_t live = faulty_driver_live();
    assert_int_equal(adit_host_imports_open(fresh, ranges, 2, &h), 0);
    assert_int_equal(h->n, 22);
    for (uint32_t i = 0; i < h->n; i++)
        assert_true(h->memory[i].bytes == (i % 11 == 10 ? small.import_align : piece) && h->at[i] == at + i / 11 * bytes + i % 11 * piece);
    assert_true(adit_host_imports_find(h, at + bytes + 3 * piece + 5, piece - 5, &which, &at_byte));
    assert_true(which == 14 && at_byte == 5);
    assert_false(adit_host_imports_find(h, at + 3 * piece + 5, piece - 4, &which, &at_byte)); /* copied, then */
    adit_host_imports_close(&h);
    small.import_max = small.import_align; /* 41 pieces each */
    assert_int_equal(adit_host_imports_open(fresh, ranges, 2, &h), -ENOTSUP);
    assert_null(h);
    assert_non_null(strstr(adit_detail(), "more than 64 pieces"));
    assert_int_equal(faulty_driver_live(), live);
    adit_gpu_close(&fresh);
    munmap(at, 2 * bytes);
}

static struct adit_gpu_device told_of(const char *fault)
{
    struct adit_gpu_list *list;
    faulty_driver_break(fault);
    assert_int_equal(adit_gpu_list_open(&list), 0);
    struct adit_gpu_device d = list->devices[0];
    adit_gpu_list_close(&list);
    faulty_driver_break("");
    return d;
}

/* (tried: neither asked, the alignment alone: 4,096) */
static void a_device_is_asked_what_it_can_import(void **state)
{
    struct adit_gpu_device d = told_of("");
    (void)state;
    assert_true(d.import_align > 0 && d.import_max >= d.import_align && d.import_max % d.import_align == 0);
    assert_int_equal(told_of("no-import").import_align, 0);
    assert_int_equal(told_of("dedicated").import_align, 0);
    assert_int_equal(told_of("short-memory").import_max, (1u << 20) / d.import_align * d.import_align);
}

static int tear_down(void **state)
{
    (void)state;
    (void)gpu_group_close(state);
    return faulty_driver_live() ? -1 : 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_memory_is_seen_where_it_lies),
        cmocka_unit_test(shared_memory_is_seen_through_every_mapping),
        cmocka_unit_test(read_only_memory_is_refused_or_read),
        cmocka_unit_test(what_is_not_aligned_or_not_there_is_refused),
        cmocka_unit_test(the_alignment_is_the_devices),
        cmocka_unit_test(a_device_that_cannot_import_says_so),
        cmocka_unit_test(what_is_too_large_is_imported_in_pieces),
        cmocka_unit_test(a_device_is_asked_what_it_can_import),
        cmocka_unit_test(an_import_that_a_driver_refuses_leaves_nothing),
    };
    gpu_use_drivers(faulty_driver_manifest(""));
    return cmocka_run_group_tests_name("imported memory", tests, gpu_group_open, tear_down);
}
