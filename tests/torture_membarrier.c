/* torture_membarrier - what shm/membarrier.h says of the kernel, and that this test would see it broken.
 *
 *     torture_membarrier [SEED [SECONDS]]
 *
 * The oracle is the store-buffering litmus (Sewell et al., x86-TSO, CACM 2010) on two processors:
 *
 *     reader                               writer
 *     stores into cold lines               y = 1
 *     x = 1                                membarrier
 *     compiler barrier                     r2 = x
 *     r1 = y
 *
 * r1 = r2 = 0 must never be seen where the barrier reaches the reader. Controls, which must be able to fail: GLOBAL_EXPEDITED and a
 * reader that never registered (must fail, else this machine shows nothing and the test is skipped), one that registered on the
 * other processor while this one idled, and one that goes on where another thread of its process has exited (both reported only: how
 * they do depends on what else runs here). What must hold: everywhere() with a reader of another process, here() with a thread of this
 * one, both where a thread has exited. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "shm/shm.h"

#define ROUNDS 10000u
#define ROUNDS_SLOW 60u /* of everywhere(): 8 ms each */
#define COLD 40u
#define COLD_BYTES (32u << 20)

enum mode { UNREGISTERED, IDLED, THREAD_GONE, EVERYWHERE, HERE, MODES };
static const struct {
    const char *name;
    uint32_t rounds;
} modes[MODES] = {
    {"GLOBAL_EXPEDITED, reader unregistered (control)", ROUNDS},
    {"GLOBAL_EXPEDITED, registered while its processor idled (control)", ROUNDS},
    {"GLOBAL_EXPEDITED, registered, then a thread exited (control)", ROUNDS},
    {"everywhere, a thread exited", ROUNDS_SLOW},
    {"here, a thread exited", ROUNDS},
};

struct shared {
    _Alignas(128) uint32_t x;
    _Alignas(128) uint32_t y;
    _Alignas(128) uint32_t r1, done;
    _Alignas(128) uint32_t go, stop, ready;
    _Alignas(4096) uint8_t cold[COLD_BYTES];
};

static uint32_t processors[2];

static bool find_processors(void)
{
    cpu_set_t set;
    uint32_t n = 0;
    if (sched_getaffinity(0, sizeof set, &set))
        return false;
    for (uint32_t i = 0; i < CPU_SETSIZE && n < 2; i++)
        if (CPU_ISSET(i, &set))
            processors[n++] = i;
    return n == 2;
}

/* Both: which 2. */
static void move_to(int which)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < 2; i++)
        if (which == i || which == 2)
            CPU_SET(processors[i], &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void *come_and_go(void *user)
{
    move_to(1);
    return user;
}

/* Makes the state that mode names, and goes to processor 1. */
static void prepare(enum mode mode)
{
    if (mode == IDLED) {
        move_to(1);
        usleep(500); /* from now on processor 1 idles with this address space */
    }
    move_to(0);
    if (mode != UNREGISTERED && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0))
        _exit(1);
    pthread_t other;
    if (mode >= THREAD_GONE && (pthread_create(&other, NULL, come_and_go, NULL) || pthread_join(other, NULL)))
        _exit(1);
    move_to(1);
}

static int read_for_ever(struct shared *s, enum mode mode, uint64_t seed)
{
    prepare(mode);
    adit_store32_release(&s->ready, 1);
    for (uint32_t round = 1;; round++) {
        while (adit_load32_acquire(&s->go) != round) {
            if (adit_load32_acquire(&s->stop))
                return 0;
            adit_spin_pause();
        }
        for (uint32_t i = 0; i < COLD; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            *(volatile uint8_t *)&s->cold[(seed >> 33) % COLD_BYTES] = (uint8_t)i;
        }
        adit_store32_relaxed(&s->x, 1);
        adit_barrier_compiler();
        s->r1 = adit_load32_relaxed(&s->y);
        adit_store32_release(&s->done, round);
    }
}

static int barrier(enum mode mode)
{
    switch (mode) {
    case EVERYWHERE: return adit_membarrier_everywhere();
    case HERE: return adit_membarrier_here();
    default: return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    }
}

static uint32_t count_failures(struct shared *s, enum mode mode)
{
    uint32_t failures = 0;
    for (uint32_t round = 1; round <= modes[mode].rounds; round++) {
        adit_store32_relaxed(&s->x, 0);
        adit_store32_relaxed(&s->y, 0);
        adit_store32_release(&s->go, round);
        for (volatile uint32_t k = 0; k < round * 7 % 400; k++) {
        }
        adit_store32_relaxed(&s->y, 1);
        adit_barrier_compiler();
        if (barrier(mode))
            exit(1);
        uint32_t r2 = adit_load32_relaxed(&s->x);
        while (adit_load32_acquire(&s->done) != round)
            adit_spin_pause();
        failures += !s->r1 && !r2;
    }
    return failures;
}

struct reader {
    struct shared *shared;
    uint64_t seed;
};
static void *read_here(void *user)
{
    struct reader *r = user;
    (void)read_for_ever(r->shared, HERE, r->seed);
    return NULL;
}

/* A process of its own by exec, which is where registrations end. */
static pid_t read_there(int fd, enum mode mode, uint64_t seed)
{
    char fd_text[16], mode_text[16], seed_text[32];
    snprintf(fd_text, sizeof fd_text, "%d", fd);
    snprintf(mode_text, sizeof mode_text, "%d", (int)mode);
    snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    pid_t reader = fork();
    if (!reader) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        move_to(2); /* it looks for the processors itself */
        execl("/proc/self/exe", "torture_membarrier", "reader", fd_text, mode_text, seed_text, (char *)NULL);
        _exit(1);
    }
    return reader;
}

/* One reader of this mode; its failures. Ends the test when the reader cannot be had. */
static uint32_t run(enum mode mode, uint64_t seed)
{
    int fd = memfd_create("litmus", 0), status = 0;
    struct reader reader = {MAP_FAILED, seed};
    if (fd >= 0 && !ftruncate(fd, sizeof *reader.shared))
        reader.shared = mmap(NULL, sizeof *reader.shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct shared *s = reader.shared;
    if (s == MAP_FAILED)
        exit(1);
    memset(s->cold, 1, sizeof s->cold);
    pthread_t thread;
    pid_t process = mode == HERE ? 0 : read_there(fd, mode, seed);
    if (process < 0 || (!process && pthread_create(&thread, NULL, read_here, &reader)))
        exit(1);
    while (!adit_load32_acquire(&s->ready)) {
        if (process && waitpid(process, &status, WNOHANG))
            exit(1);
        usleep(100);
    }
    uint32_t failures = count_failures(s, mode);
    adit_store32_release(&s->stop, 1);
    if (process ? waitpid(process, &status, 0) != process || status : pthread_join(thread, NULL) != 0)
        exit(1);
    munmap(s, sizeof *s);
    close(fd);
    return failures;
}

int main(int argc, char **argv)
{
    if (!find_processors() || !adit_membarrier_is_available()) {
        printf("it takes two processors and membarrier\n");
        return 77;
    }
    if (argc == 5 && !strcmp(argv[1], "reader")) {
        struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
        return s == MAP_FAILED ? 1 : read_for_ever(s, (enum mode)atoi(argv[3]), strtoull(argv[4], NULL, 10));
    }
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t end = adit_clock_ns() + (argc > 2 ? strtoull(argv[2], NULL, 10) : 5) * 1000000000u;
    uint32_t failures[MODES] = {0}, runs[MODES] = {0};
    if (adit_membarrier_register())
        return 1;
    move_to(0);
    for (uint32_t turn = 0; adit_clock_ns() < end || turn < 2 * MODES; turn++) {
        enum mode mode = (enum mode)(turn % MODES);
        failures[mode] += run(mode, seed + turn);
        runs[mode]++;
    }
    for (uint32_t mode = 0; mode < MODES; mode++)
        printf("torture_membarrier: %s: %u of %u rounds failed\n", modes[mode].name, failures[mode],
               runs[mode] * modes[mode].rounds);
    if (failures[EVERYWHERE] || failures[HERE])
        return 1;
    if (!failures[UNREGISTERED])
        printf("this machine did not show the control, so the rest says nothing\n");
    return failures[UNREGISTERED] ? 0 : 77;
}
