/* scene_watched.c - what being watched costs: a chunk of hills published and meshed again and again, with shmtop at 10 Hz beside it and with that shmtop stopped, in turn. Once with a processor left to shmtop,
 * once with one load on each of two, which it has to share. It prints one
 * screen each time, as a terminal shows one, of an arena of 512 chunks.
 *
 * A sample is a stretch of many looks of shmtop's, as a block of a lab's usual length would meet none of them. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "perf/lab_arena.h"
#include "perf/lab_voxels.h"
#include "perf/lab_workers.h"
#include "perf/scenes.h"
#include "runtime/dirty.h"
#include "runtime/key.h"
#include "runtime/mesher.h"
#include "runtime/store.h"

#define CHUNKS 512u
#define STRETCH_NS 500e6
#define STRETCH_SHORT_NS 300e6
#define PAIRS 60u
#define PAIRS_SHORT 8u
#define LOOKS_MAX 20000u /* a millisecond apart */
#define RATIO 1.01

static struct voxels_source source;

/* One thread's. */
struct load {
    struct adit_arena *arena;
    struct adit_key key;
    uint32_t index;
    int cpu;
    double stretch_ns;
    uint64_t rounds;
    int error;
};

/* shmtop, and what it prints into. */
struct watcher {
    pid_t pid;
    int out;
};

/* ---- the load --------------------------------------------------------------------------------------------------- */

static void *load_run(void *user)
{
    struct load *l = user;
    adit_mesh_kernel *kernel = adit_mesh_kernel_best(NULL);
    uint64_t made = 0;
    l->rounds = 0;
    l->error = bench_pin(l->cpu);
    for (double until = clock_now_ns() + l->stretch_ns; !l->error && clock_now_ns() < until; l->rounds++) {
        l->error = adit_chunk_put(l->arena, &l->key, source.voxels, NULL);
        adit_dirty_mark(l->arena, l->index);
        if (!l->error && (!adit_dirty_claim_at(l->arena, l->index) || !adit_mesher_work(l->arena, kernel, 0, l->index, &made)))
            l->error = -EIO;
    }
    return NULL;
}

/* Nanoseconds a round of n loads at once, the last of them in this thread; or a negative errno. */
static double stretch(struct load *loads, uint32_t n)
{
    pthread_t other;
    double from = clock_now_ns();
    int error = n > 1 ? pthread_create(&other, NULL, load_run, &loads[1]) : 0;
    if (error)
        return -error;
    load_run(&loads[0]);
    if (n > 1)
        pthread_join(other, NULL);
    uint64_t rounds = loads[0].rounds + (n > 1 ? loads[1].rounds : 0);
    error = loads[0].error ? loads[0].error : n > 1 ? loads[1].error : 0;
    return error ? error : (clock_now_ns() - from) * n / (double)rounds;
}

/* ---- the watcher ------------------------------------------------------------------------------------------------ */

static char path[4200]; /* of the shmtop beside this program */

static bool has_shmtop(void)
{
    ssize_t n = readlink("/proc/self/exe", path, 4096);
    path[n < 0 ? 0 : n] = 0;
    char *slash = strrchr(path, '/');
    snprintf(slash ? slash : path, 64, "/shmtop");
    return !access(path, X_OK);
}

static _Noreturn void become_shmtop(struct bench *bench, const char *name, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!bench_unpin(bench->machine) && dup2(out, 1) == 1)
        execl(path, "shmtop", name, "--batch", "--screen", "overview", "-n", "1000000000", "--interval", "100", (char *)NULL);
    _exit(127);
}

static uint64_t printed(const struct watcher *w)
{
    struct stat file;
    return fstat(w->out, &file) ? 0 : (uint64_t)file.st_size;
}

/* Has it stop or go on, and waits until it does. */
static int watcher_turn(const struct watcher *w, bool on)
{
    int status;
    if (kill(w->pid, on ? SIGCONT : SIGSTOP) || waitpid(w->pid, &status, WUNTRACED | WCONTINUED) != w->pid)
        return -errno;
    return on ? (WIFCONTINUED(status) ? 0 : -ECHILD) : WIFSTOPPED(status) ? 0 : -ECHILD;
}

/* Started, has looked once, and stopped. */
static int watcher_start(struct bench *bench, const char *name, struct watcher *w)
{
    w->out = memfd_create("shmtop", MFD_CLOEXEC);
    w->pid = w->out < 0 ? -1 : fork();
    if (!w->pid)
        become_shmtop(bench, name, w->out);
    if (w->pid < 0)
        return -errno;
    for (uint32_t i = 0; i < LOOKS_MAX && !printed(w); i++) {
        if (waitpid(w->pid, NULL, WNOHANG))
            return -ECHILD;
        lab_nap_ms(1);
    }
    return printed(w) ? watcher_turn(w, false) : -ETIMEDOUT;
}

static void watcher_end(struct watcher *w)
{
    if (w->pid > 0) {
        kill(w->pid, SIGKILL);
        waitpid(w->pid, NULL, 0);
    }
    if (w->out >= 0)
        close(w->out);
}

/* ---- the figures ------------------------------------------------------------------------------------------------ */

static int watched_pairs(struct bench *bench, struct load *loads, uint32_t n, const struct watcher *w, const char *figure)
{
    static double ns[2][PAIRS];
    uint32_t pairs = bench->is_short ? PAIRS_SHORT : PAIRS, seen = 0;
    for (uint32_t i = 0; i < pairs; i++)
        for (uint32_t k = 0; k < 2; k++) {
            bool on = ((i + k) & 1) == 0;
            uint64_t before = printed(w);
            int error = on ? watcher_turn(w, true) : 0;
            double took = error ? error : stretch(loads, n);
            error = on && took > 0 ? watcher_turn(w, false) : 0;
            if (took <= 0 || error)
                return took < 0 ? (int)took : error ? error : -EIO;
            seen += on && printed(w) > before;
            ns[on ? 0 : 1][i] = took;
        }
    if (seen < pairs / 2) {
        bench_fail(bench, figure, "shmtop did not look often enough beside it", -ETIMEDOUT);
        return -ETIMEDOUT;
    }
    return bench_record(bench, &(struct bench_spec){.figure = figure, .unit = "us", .scale = 1e-3, .ours = {"watched", NULL, NULL}, .raw = {"not watched", NULL, NULL}, .goal = {GOAL_RATIO, RATIO}}, ns[0], ns[1], pairs);
}

static int fill(struct adit_arena *arena)
{
    int error = 0;
    for (uint32_t i = 0; i < CHUNKS && !error; i++)
        error = adit_chunk_put(arena, &(struct adit_key){.x = (int32_t)(i % 32), .z = (int32_t)(i / 32)}, source.voxels, NULL);
    return error;
}

static int load_open(struct load *l)
{
    uint64_t packed;
    int error = adit_chunk_put(l->arena, &l->key, source.voxels, NULL);
    return error ? error : adit_key_try(&l->key, &packed) && adit_store_find(l->arena, packed, &l->index) ? 0 : -ENOENT;
}

static int run(struct bench *bench)
{
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = 192u << 20};
    struct watcher w = {.out = -1};
    struct adit_arena *arena = NULL;
    char name[LAB_ARENA_NAME_BYTES];
    if (!has_shmtop()) {
        bench_skip(bench, "all", "there is no shmtop beside perf-lab: ninja");
        return 0;
    }
    lab_arena_name(name);
    int error = voxels_source_fill(&source, &voxels_inputs[0]);
    if (!error)
        error = lab_arena_create(bench, name, &room, &arena);
    if (!error)
        error = fill(arena);
    double stretch_ns = bench->is_short ? STRETCH_SHORT_NS : STRETCH_NS;
    struct load loads[2] = {{.arena = arena, .key = {.x = 100}, .cpu = bench->machine->cpu[0], .stretch_ns = stretch_ns}, {.arena = arena, .key = {.x = 200}, .cpu = bench->machine->cpu[1], .stretch_ns = stretch_ns}};
    for (uint32_t i = 0; i < 2 && !error; i++)
        error = load_open(&loads[i]);
    if (!error)
        error = watcher_start(bench, name, &w);
    if (!error)
        error = watched_pairs(bench, loads, 1, &w, "a chunk put and meshed, a processor left");
    if (!error)
        error = watched_pairs(bench, loads, 2, &w, "the same, none left");
    if (error)
        bench_fail(bench, "all", *adit_detail() ? adit_detail() : "shmtop beside a load", error);
    watcher_end(&w);
    adit_detach(&arena);
    return error;
}

const struct scene scene_watched = {
    .name = "watched",
    .what = "chunks published and meshed with shmtop at 10 Hz beside, and with it stopped",
    .unit = "us",
    .goal = "1 % at most: a ratio of 1.01",
    .cpus = 2,
    .run = run,
};
