/* scene_death.c - how long a killed reader holds memory back: from SIGKILL to the grace period that passes it, beside the same kill's
 * pidfd, which is the earliest moment at which the kernel says that nothing of the process runs any more. The reader has touched
 * every page of the arena's data, since what takes the kernel its time is unmapping them. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/lab_arena.h"
#include "perf/scenes.h"
#include "shm/shm.h"

#define TIMEOUT_NS 5000000000u
#define MAPPED_BYTES (2ull << 30)
#define MAPPED_BYTES_SHORT (64ull << 20)

struct death {
    char name[LAB_ARENA_NAME_BYTES];
    int cpu; /* of the reader: not the one that waits, whose looks would slow the unmapping down */
    struct adit_arena *arena;
};

/* The child: inside a section, with every page touched, until it is killed. */
static _Noreturn void read_until_killed(const struct death *d, int ready)
{
    struct adit_arena *a;
    struct adit_reader *r;
    if (bench_pin(d->cpu) || adit_attach(d->name, ADIT_CONSUMER, NULL, &a) || adit_reader_open(a, &r))
        _exit(1);
    adit_enter(r);
    for (uint32_t s = 1; s < a->segments_n; s++)
        for (uint64_t at = 0; at < a->segments[s].bytes; at += 4096)
            bench_consume(*(volatile uint8_t *)(a->segments[s].base + at));
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* A reader that is ready to be killed, or a negative errno. */
static pid_t start_reader(const struct death *d)
{
    int ready[2];
    char byte;
    if (pipe(ready))
        return -errno;
    pid_t child = fork();
    if (!child) {
        close(ready[0]);
        read_until_killed(d, ready[1]);
    }
    close(ready[1]);
    ssize_t n = child > 0 ? read(ready[0], &byte, 1) : -1;
    close(ready[0]);
    return n == 1 ? child : -EIO;
}

/* Kills one reader a round and waits for what shall be timed. */
static double kills(struct death *d, uint64_t rounds, int (*wait_for)(struct death *d, int pidfd))
{
    double all = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        pid_t child = start_reader(d);
        if (child < 0)
            return child;
        int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
        double from = clock_now_ns();
        kill(child, SIGKILL);
        int error = wait_for(d, pidfd);
        all += clock_now_ns() - from;
        close(pidfd);
        waitpid(child, NULL, 0);
        if (error)
            return error;
        if ((error = adit_grace_period(d->arena, TIMEOUT_NS))) /* the next one begins with an empty table */
            return error;
    }
    return all / (double)rounds;
}

static int wait_for_grace(struct death *d, int pidfd)
{
    (void)pidfd;
    return adit_grace_period(d->arena, TIMEOUT_NS);
}
static int wait_for_pidfd(struct death *d, int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    (void)d;
    return poll(&p, 1, 5000) == 1 ? 0 : -ETIMEDOUT;
}
static double grace_block(void *context, uint64_t rounds) { return kills(context, rounds, wait_for_grace); }
static double pidfd_block(void *context, uint64_t rounds) { return kills(context, rounds, wait_for_pidfd); }

/* With 2 MiB pages, or as far as there are any; then with 4 KiB ones, of which there are 512 times as many to unmap. */
static int run_pages(struct bench *bench, uint64_t bytes, uint32_t flags)
{
    struct death death = {.cpu = bench->machine->cpu[1]};
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = bytes, .flags = flags};
    lab_arena_name(death.name);
    int error = lab_arena_create(bench, death.name, &params, &death.arena);
    if (error)
        return error;
    char figure[64];
    uint32_t page_bytes = death.arena->maps[1].page_bytes;
    snprintf(figure, sizeof figure, "%llu MiB mapped, %u KiB pages", (unsigned long long)(bytes >> 20), page_bytes >> 10);
    if (!flags && page_bytes == 4096)
        bench_skip(bench, "2 MiB pages", "none are reserved for it (vm.nr_hugepages)");
    else
        error = bench_measure(bench, &(struct bench_spec){.figure = figure, .unit = "ms", .scale = 1e-6, .rounds_max = 1,
                                                          .ours = {"reclaiming goes on", grace_block, &death},
                                                          .raw = {"its pidfd is readable", pidfd_block, &death},
                                                          .goal = {GOAL_BEYOND, 1.0}});
    adit_detach(&death.arena);
    return error;
}

static int run(struct bench *bench)
{
    uint64_t bytes = bench->is_short ? MAPPED_BYTES_SHORT : MAPPED_BYTES;
    if (adit_memory_available_bytes() < 2 * bytes) {
        bench_skip(bench, "all", "less memory than the scene's arena twice");
        return 0;
    }
    int error = run_pages(bench, bytes, 0);
    return error ? error : run_pages(bench, bytes, ADIT_CREATE_SMALL_PAGES);
}

const struct scene scene_death = {
    .name = "death",
    .what = "a reader killed in its section until memory is reclaimed again, against its pidfd",
    .unit = "ms",
    .goal = "at most 1 ms beyond the pidfd",
    .cpus = 2,
    .run = run,
};
