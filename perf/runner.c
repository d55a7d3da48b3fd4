/* runner.c - a scene's process and its watch.
 *
 * The parent blocks SIGCHLD and the stop signals and takes them with sigtimedwait, so no handler runs and no wake-up is
 * lost. As the subreaper of everything below it, the parent collects partners whose scene died under them (they are
 * killed by their parent-death signal) before the next scene starts, so no spinning stranger falsifies it.
 */
#include "perf/runner.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENE_LIMIT_SHORT_S 60
#define SCENE_LIMIT_S 300
#define SCENE_LIMIT_SOAK_S 1800
#define REAP_LIMIT_NS 2e9

static sigset_t watched, before;
static char folder[64];

struct figure_list *runner_init(void)
{
    struct figure_list *list =
        mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (list == MAP_FAILED)
        return NULL;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &watched, &before) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return NULL;
    snprintf(folder, sizeof folder, "/tmp/perf-lab-XXXXXX");
    if (!mkdtemp(folder) || setenv("XDG_RUNTIME_DIR", folder, 1) != 0)
        return NULL;
    return list;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void runner_fini(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A kernel that groups processes by session for scheduling weighs nice values within a group only: so the scene gets a
 * session, and the session the priority. What fails leaves the priority as it was. */
static void raise_priority(int nice_wanted)
{
    FILE *file = setsid() < 0 ? NULL : fopen("/proc/self/autogroup", "we");
    if (file) {
        fprintf(file, "%d", nice_wanted);
        fclose(file);
    }
    setpriority(PRIO_PROCESS, 0, nice_wanted);
}

static _Noreturn void run_scene(const struct machine *machine, const struct scene *scene, struct figure_list *list,
                                bool is_short, pid_t parent)
{
    struct bench bench;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    raise_priority(machine->nice);
    bench_init(&bench, machine, scene->name, list, is_short);
    int error = bench_pin(machine->cpu[0]);
    if (error)
        bench_fail(&bench, "pin", "pinning to a CPU", error);
    else
        error = scene->run(&bench);
    if (error == -ENODEV)
        bench_skip(&bench, "all", "needs two CPUs, and this process may use one only");
    fflush(NULL);
    _exit(error ? 1 : 0); /* what the scene made is the kernel's to undo, memory included */
}

/* Collects what is left of a scene: its own process is gone, its partners die by signal. */
static void reap_rest(void)
{
    double until = clock_now_ns() + REAP_LIMIT_NS;
    const struct timespec nap = {.tv_nsec = 1000000};
    while (clock_now_ns() < until) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return;
        if (pid == 0)
            nanosleep(&nap, NULL);
    }
}

static void add_failure(struct figure_list *list, const struct scene *scene, const char *why)
{
    struct figure *figure = figure_add(list, scene->name, "all", "-");
    if (!figure)
        return;
    figure->state = FIGURE_FAILED;
    snprintf(figure->note, sizeof figure->note, "%s", why);
}

/* Waits for the scene's end. Returns 0 with its status, -ETIMEDOUT, or -EINTR on a stop signal. */
static int wait_for_scene(pid_t pid, double limit_s, int *status)
{
    double until = clock_now_ns() + limit_s * 1e9;
    for (;;) {
        double left = until - clock_now_ns();
        if (left <= 0)
            return -ETIMEDOUT;
        struct timespec wait = {.tv_sec = (time_t)(left / 1e9), .tv_nsec = (long)left % 1000000000};
        int got = sigtimedwait(&watched, NULL, &wait);
        if (got > 0 && got != SIGCHLD)
            return -EINTR;
        if (waitpid(pid, status, WNOHANG) == pid)
            return 0;
    }
}

int runner_run(const struct machine *machine, const struct scene *scene, struct figure_list *list, bool is_short)
{
    uint32_t had = list->count;
    int status = 0;

    if (scene->cpus > 1 && machine->cpu[1] < 0) {
        struct figure *figure = figure_add(list, scene->name, "all", "-");
        if (figure) {
            figure->state = FIGURE_SKIPPED;
            snprintf(figure->note, sizeof figure->note, "needs two CPUs, and this process may use one only");
        }
        return 0;
    }
    fflush(NULL);
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        run_scene(machine, scene, list, is_short, self);
    if (pid < 0) {
        add_failure(list, scene, strerror(errno));
        return 0;
    }
    int error = wait_for_scene(pid, scene->is_soak ? SCENE_LIMIT_SOAK_S : is_short ? SCENE_LIMIT_SHORT_S : SCENE_LIMIT_S, &status);
    if (error) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    reap_rest();
    if (error == -ETIMEDOUT)
        add_failure(list, scene, "no end within its time limit");
    else if (!error && WIFSIGNALED(status))
        add_failure(list, scene, strsignal(WTERMSIG(status)));
    else if (!error && WEXITSTATUS(status) != 0 && list->count == had)
        add_failure(list, scene, "ended without a figure");
    return error == -EINTR ? -EINTR : 0;
}
