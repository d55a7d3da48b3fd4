/* partner.c - the partner's life: fork, pin, serve, die with the parent.
 *
 * The parent-death signal is asked for after the fork, so a parent that dies in between would be missed; comparing the
 * parent's pid afterwards closes that gap.
 */
#include "perf/partner.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASSIGN_TIMEOUT_NS 5e9
#define SPINS_BETWEEN_CHECKS 4096

void *partner_memory_create(size_t bytes)
{
    int fd = memfd_create("perf-lab", MFD_CLOEXEC);
    void *memory = MAP_FAILED;
    if (fd < 0)
        return NULL;
    if (ftruncate(fd, (off_t)bytes) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return NULL;
    memset(memory, 0, bytes);
    return memory;
}

void partner_memory_destroy(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

static void sleep_until_assigned(struct partner_words *words, uint32_t word)
{
    while (atomic_load_explicit(&words->assigned, memory_order_acquire) == word)
        syscall(SYS_futex, &words->assigned, FUTEX_WAIT, word, NULL, NULL, 0);
}

static _Noreturn void serve_forever(struct partner *partner)
{
    for (;;) {
        uint32_t word = atomic_load_explicit(&partner->words->assigned, memory_order_acquire), duty = word & 0xff;
        atomic_store_explicit(&partner->words->accepted, word, memory_order_release);
        partner->serving = word;
        partner->lane = word >> 8 & 0xff;
        if (duty == PARTNER_SLEEPS)
            sleep_until_assigned(partner->words, word);
        else if (duty <= partner->duties)
            partner->duty[duty].serve(partner, partner->duty[duty].context);
        else
            _exit(1);
    }
}

static _Noreturn void serve_process(struct partner *partner, int cpu, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || bench_pin(cpu) != 0)
        _exit(1);
    serve_forever(partner);
}

/* A thread's own copy of the partner, as a forked process has one, and its CPU. */
struct thread {
    struct partner partner;
    int cpu;
};

static void *serve_thread(void *context)
{
    struct thread *own = context;
    int error = bench_pin(own->cpu);
    atomic_store_explicit(&own->partner.words->thread, error ? error : gettid(), memory_order_release);
    if (error)
        return NULL;
    serve_forever(&own->partner);
}

static int prepare(struct partner *partner, struct bench *bench, const struct partner_duty *duties, uint32_t count)
{
    memset(partner, 0, sizeof *partner);
    if (bench->machine->cpu[1] < 0)
        return -ENODEV;
    if (count > PARTNER_DUTIES_MAX)
        return -EINVAL;
    partner->words = partner_memory_create(sizeof *partner->words);
    if (!partner->words)
        return -ENOMEM;
    memcpy(&partner->duty[1], duties, count * sizeof *duties);
    partner->duties = count;
    return 0;
}

int partner_start(struct partner *partner, struct bench *bench, const struct partner_duty *duties, uint32_t count)
{
    int unready = prepare(partner, bench, duties, count);
    if (unready)
        return unready;
    pid_t self = getpid();
    partner->pid = fork();
    if (partner->pid == 0)
        serve_process(partner, bench->machine->cpu[1], self);
    if (partner->pid < 0) {
        int error = -errno;
        partner_memory_destroy(partner->words, sizeof *partner->words);
        return error;
    }
    bench_watch_partner(bench, partner);
    return 0;
}

int partner_start_thread(struct partner *partner, struct bench *bench, const struct partner_duty *duties, uint32_t count)
{
    struct thread *own = calloc(1, sizeof *own);
    pthread_t thread;
    int error = own ? prepare(partner, bench, duties, count) : -ENOMEM, number = 0;
    if (error) {
        free(own);
        return error;
    }
    partner->is_thread = true;
    *own = (struct thread){*partner, bench->machine->cpu[1]};
    error = -pthread_create(&thread, NULL, serve_thread, own);
    while (!error && !(number = atomic_load_explicit(&partner->words->thread, memory_order_acquire)))
        sched_yield();
    if (error || number < 0) {
        if (!error)
            pthread_join(thread, NULL);
        free(own);
        partner_memory_destroy(partner->words, sizeof *partner->words);
        return error ? error : number;
    }
    pthread_detach(thread);
    partner->pid = number;
    bench_watch_partner(bench, partner);
    return 0;
}

int partner_assign_lane(struct partner *partner, uint32_t duty, uint32_t lane)
{
    struct partner_words *words = partner->words;
    uint32_t had = atomic_load_explicit(&words->assigned, memory_order_relaxed);
    uint32_t word = ((had >> 16) + 1) << 16 | lane << 8 | duty;

    partner->lane = lane;
    if (duty == PARTNER_SLEEPS && (had & 0xff) == PARTNER_SLEEPS)
        return 0;
    atomic_store_explicit(&words->assigned, word, memory_order_seq_cst);
    if ((had & 0xff) == PARTNER_SLEEPS)
        syscall(SYS_futex, &words->assigned, FUTEX_WAKE, 1, NULL, NULL, 0);
    double until = 0;
    for (uint64_t spins = 1; atomic_load_explicit(&words->accepted, memory_order_acquire) != word; spins++) {
        if (spins % SPINS_BETWEEN_CHECKS != 0)
            continue;
        siginfo_t info = {0};
        if (!partner->is_thread && waitid(P_PID, (id_t)partner->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == partner->pid)
            return -ECHILD;
        if (until <= 0)
            until = clock_now_ns() + ASSIGN_TIMEOUT_NS;
        else if (clock_now_ns() > until)
            return -ETIMEDOUT;
    }
    return 0;
}

int partner_confirm(struct partner *partner)
{
    uint32_t word = atomic_load_explicit(&partner->words->assigned, memory_order_relaxed);
    return partner_assign_lane(partner, word & 0xff, word >> 8 & 0xff);
}

void partner_stop(struct partner *partner)
{
    if (partner->pid <= 0)
        return;
    if (partner->is_thread) {
        (void)partner_assign(partner, PARTNER_SLEEPS);
        return;
    }
    kill(partner->pid, SIGKILL);
    while (waitpid(partner->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    partner_memory_destroy(partner->words, sizeof *partner->words);
    memset(partner, 0, sizeof *partner);
}
