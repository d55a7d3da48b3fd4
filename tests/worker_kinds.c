/* worker_kinds.c - kinds that worker processes load, for test_worker_process and others. What WORKER_KINDS says makes loading them go wrong. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/adit.h"

static void nap(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

static void tell_pid(void *result, uint32_t *result_bytes)
{
    uint32_t pid = (uint32_t)getpid();
    memcpy(result, &pid, sizeof pid);
    *result_bytes = sizeof pid;
}

/* Sleeps for as many milliseconds as its argument says, unless it is to stop. */
static int run_nap(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t ms;
    memcpy(&ms, args, sizeof ms);
    adit_task_progress(run, (uint64_t)getpid());
    tell_pid(result, result_bytes);
    for (uint32_t i = 0; i < ms * 10; i++) {
        if (adit_task_should_stop(run))
            return -ECANCELED;
        nap(100000);
    }
    return 0;
}

static volatile uint32_t for_ever = 1;

/* Runs for ever, and hears nothing. */
static int run_deaf(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    sigset_t all;
    (void)args;
    (void)result;
    (void)result_bytes;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    adit_task_progress(run, (uint64_t)getpid());
    while (for_ever)
        nap(1000000);
    return 0;
}

/* Runs for as many milliseconds as its argument says (0: for ever), and does not look whether it is to stop; signals come as they do. */
static int run_heedless(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t ms;
    struct timespec begin, now;
    memcpy(&ms, args, sizeof ms);
    tell_pid(result, result_bytes);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    adit_task_progress(run, (uint64_t)getpid());
    do {
        nap(1000000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!ms || (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < (long)ms);
    return 0;
}

static void *kept; /* a chain */

/* Keeps as many bytes as its argument says, whole MiB, touched, for ever. */
static int run_grow(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t bytes;
    (void)run;
    memcpy(&bytes, args, sizeof bytes);
    for (void **more; bytes; bytes -= 1u << 20) {
        more = malloc(1u << 20);
        if (!more)
            return -ENOMEM;
        memset(more, 1, 1u << 20);
        *more = kept;
        kept = more;
    }
    tell_pid(result, result_bytes);
    return 0;
}

static void *sleep_for_ever(void *user)
{
    while (!user)
        pause();
    return NULL;
}

static int start_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, sleep_for_ever, NULL) || pthread_detach(thread) ? -EAGAIN : 0;
}

static int run_thread(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run;
    (void)args;
    tell_pid(result, result_bytes);
    return start_thread();
}

static volatile uint32_t depths;
static __attribute__((noinline)) uint32_t overflow(uint32_t depth)
{
    volatile uint8_t room[4096];
    room[depth % sizeof room] = (uint8_t)depth;
    depths++;
    return depths ? overflow(depth + 1) + room[depth % sizeof room] : 0;
}

/* Dies of a signal in all attempts before that of its argument: of SIGKILL, or as bits 8 and up say, of SIGABRT as abort() does, of SIGSEGV as a stack does that overflows. */
static int run_die(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t wanted;
    memcpy(&wanted, args, sizeof wanted);
    if (run->attempt < (wanted & 0xff) && wanted >> 8 == SIGABRT)
        abort();
    if (run->attempt < (wanted & 0xff) && wanted >> 8 == SIGSEGV)
        (void)overflow(0);
    if (run->attempt < (wanted & 0xff))
        (void)kill(getpid(), SIGKILL);
    tell_pid(result, result_bytes);
    return 0;
}

/* Adds its argument to its buffer, in two steps with time between them. */
static int run_add(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    uint32_t n;
    memcpy(&n, args, sizeof n);
    if (run->buffers_n != 1 || run->buffers[0].bytes != 8)
        return -EINVAL;
    uint64_t *sum = run->buffers[0].data;
    *sum += 1;
    nap(n * 300000);
    *sum += n - 1;
    tell_pid(result, result_bytes);
    return 0;
}

static void *outlive(void *user)
{
    (void)user;
    for (uint32_t i = 0; i < 300; i++)
        nap(1000000);
    _exit(0);
}

/* In its first attempt the worker's own thread ends, and another of its process goes on for a while. */
static int run_split(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    pthread_t thread;
    (void)args;
    tell_pid(result, result_bytes);
    adit_task_progress(run, (uint64_t)getpid());
    nap(100000000); /* to be seen */
    if (run->attempt > 1)
        return 0;
    if (pthread_create(&thread, NULL, outlive, NULL))
        return -EAGAIN;
    syscall(SYS_exit, 0);
    return -EPROTO;
}

/* Publishes a chunk of one material, so the one before is given up. */
static int run_publish(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_key key = {.x = 1};
    uint32_t n;
    memcpy(&n, args, sizeof n);
    tell_pid(result, result_bytes);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)((i * 7 + n) % 5);
    return adit_chunk_put(run->arena, &key, voxels, NULL);
}

static void tell_progress(uint64_t done, uint64_t n, void *user)
{
    (void)n;
    adit_task_progress(user, done);
}

/* Maps naps of 1 ms, a minute of them, onto the queue that it is of, and tells how far that is. */
static int run_map(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const uint32_t one = 1;
    struct adit_batch_params p = {.size = sizeof p, .under_way_max = 4, .progress = tell_progress, .user = (void *)(uintptr_t)run};
    struct adit_queue *q;
    (void)args;
    (void)result;
    (void)result_bytes;
    int error = adit_kind_find(run->arena, "nap", &p.kind);
    if (!error)
        error = adit_queue_open(run->arena, "work", NULL, &q);
    if (error)
        return error;
    error = adit_map(q, &p, &(struct adit_map_items){.n = 60000, .args = &one, .args_bytes = sizeof one}, NULL);
    adit_queue_close(&q);
    return error;
}

ADIT_API int adit_kinds_load(struct adit_arena *arena)
{
    static const struct {
        const char *name;
        adit_kind_run *run;
        uint32_t capabilities;
    } kinds[] = {{"nap", run_nap, 0}, {"deaf", run_deaf, 0}, {"heedless", run_heedless, 0}, {"grow", run_grow, 0}, {"thread", run_thread, 0}, {"die", run_die, 0}, {"publish", run_publish, 0}, {"split", run_split, 0},
                 {"map", run_map, 0}, {"add", run_add, 0}, {"apart", run_nap, ADIT_CAN_PROCESS}};
    const char *fault = getenv("WORKER_KINDS");
    int error = 0;
    if (fault && !strcmp(fault, "thread"))
        return start_thread();
    if (fault && !strcmp(fault, "error"))
        return -EPERM;
    if (fault && !strcmp(fault, "crash"))
        (void)kill(getpid(), SIGKILL);
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds && !error; i++) {
        struct adit_kind_params p = {.size = sizeof p, .name = kinds[i].name, .run = kinds[i].run, .args_bytes_max = 4, .result_bytes_max = 4, .capabilities = kinds[i].capabilities};
        uint32_t id;
        error = adit_kind_register(arena, &p, &id);
    }
    while (!error && fault && !strcmp(fault, "hang"))
        pause();
    return error;
}
