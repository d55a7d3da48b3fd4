/* scene_raw_touch.c - the first touch of 256 KiB of a memfd: new pages, pages that exist but are not mapped yet, and huge
 * pages. This is why an arena is allocated wholly when it is created. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perf/scenes.h"

#define VALUE_BYTES (256u * 1024)
#define VALUES_MAX 64
#define HUGE_BYTES (2u << 20)

struct touch {
    unsigned flags;  /* of memfd_create */
    size_t page_bytes;
    bool is_placed;  /* pages exist before (fallocate); only the mapping is new */
};

/* One byte a page over `values` values, in a fresh memfd each block; making and freeing it is not timed. */
static double touch_block(void *context, uint64_t rounds)
{
    struct touch *touch = context;
    uint64_t values = rounds < VALUES_MAX ? rounds : VALUES_MAX;
    size_t bytes = (values * VALUE_BYTES + touch->page_bytes - 1) / touch->page_bytes * touch->page_bytes;
    int fd = memfd_create("perf-lab-touch", MFD_CLOEXEC | touch->flags);
    uint8_t *memory = MAP_FAILED;
    int error = 0;
    double ns = 0;

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)bytes) != 0 || (touch->is_placed && fallocate(fd, 0, 0, (off_t)bytes) != 0))
        error = -errno;
    if (!error)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!error && memory == MAP_FAILED)
        error = -errno;
    if (!error) {
        double from = clock_now_ns();
        for (size_t at = 0; at < bytes; at += touch->page_bytes)
            *(volatile uint8_t *)(memory + at) = 1;
        ns = (clock_now_ns() - from) / ((double)bytes / VALUE_BYTES);
        munmap(memory, bytes);
    }
    close(fd);
    return error ? error : ns;
}

static int run(struct bench *bench)
{
    size_t page = bench->machine->page_bytes;
    struct {
        const char *name;
        struct touch touch;
        uint64_t values; /* a block's */
    } cases[] = {{"256 KiB, new pages", {0, page, false}, 16},
                 {"256 KiB, pages placed before", {0, page, true}, 16},
                 {"256 KiB, new 2 MiB pages", {MFD_HUGETLB | MFD_HUGE_2MB, HUGE_BYTES, false}, 16},
                 {"256 KiB, 2 MiB pages placed before", {MFD_HUGETLB | MFD_HUGE_2MB, HUGE_BYTES, true}, 16}};
    int error = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && !error; i++) {
        if (cases[i].touch.page_bytes == HUGE_BYTES && bench->machine->hugepages_free < 4) {
            bench_skip(bench, cases[i].name, "no free huge pages: sysctl vm.nr_hugepages=64 gives some");
            continue;
        }
        error = bench_measure(bench, &(struct bench_spec){.figure = cases[i].name, .unit = "us", .scale = 1e-3,
                                                          .ours = {"touch", touch_block, &cases[i].touch},
                                                          .rounds_max = cases[i].values});
    }
    return error;
}

const struct scene scene_raw_touch = {
    .name = "raw-touch",
    .what = "the first touch of 256 KiB of shared memory, by page size",
    .unit = "us",
    .goal = "",
    .cpus = 1,
    .run = run,
};
