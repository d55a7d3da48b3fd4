// peer_tasks.cpp - StarPU's dmda as a peer of adit's router (peer_tasks.h): history-based models by kind and size, one worker a CPU, synchronous tasks. Its models are kept in a folder that goes with it.
#include "perf/peer_tasks.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ftw.h>
#include <starpu.h>
#include <unistd.h>

struct work {
    void (*body)(void *context);
    void *context;
    uint32_t size;
};

static starpu_perfmodel model[PEER_TASKS_KINDS];
static starpu_codelet codelet[PEER_TASKS_KINDS];
static char symbol[PEER_TASKS_KINDS][32], name[64], home[64];

static void call(void **, void *argument)
{
    const work *w = static_cast<work *>(argument);
    w->body(w->context);
}

static uint32_t footprint(starpu_task *task) { return static_cast<work *>(task->cl_arg)->size + 1; }

static int begin(const int cpu[2])
{
    starpu_conf conf;
    snprintf(home, sizeof home, "/tmp/peer-starpu-XXXXXX");
    if (!mkdtemp(home))
        return -errno;
    setenv("STARPU_HOME", home, 1);
    setenv("STARPU_SILENT", "1", 1);
    setenv("STARPU_CALIBRATE", "1", 1); // it goes on learning, as a router does
    starpu_conf_init(&conf);
    conf.sched_policy_name = "dmda";
    conf.ncpus = 2;
    conf.ncuda = conf.nopencl = 0;
    conf.use_explicit_workers_bindid = 1;
    conf.workers_bindid[0] = static_cast<unsigned>(cpu[0]);
    conf.workers_bindid[1] = static_cast<unsigned>(cpu[1]);
    for (uint32_t i = 0; i < PEER_TASKS_KINDS; i++) {
        snprintf(symbol[i], sizeof symbol[i], "adit_kind_%u", i);
        model[i].type = STARPU_HISTORY_BASED;
        model[i].symbol = symbol[i];
        model[i].footprint = footprint;
        codelet[i].cpu_funcs[0] = call;
        codelet[i].model = &model[i];
        codelet[i].name = symbol[i];
    }
    int error = starpu_init(&conf);
    if (!error)
        starpu_pause();
    return error;
}

static void rest(int rests)
{
    if (rests)
        starpu_pause();
    else
        starpu_resume();
}

static int run(uint32_t kind, uint32_t size, void (*body)(void *context), void *context)
{
    work w = {body, context, size};
    starpu_task *task = starpu_task_create();
    task->cl = &codelet[kind];
    task->cl_arg = &w;
    task->cl_arg_size = sizeof w;
    task->synchronous = 1;
    return starpu_task_submit(task);
}

static int take_away(const char *path, const struct stat *, int, struct FTW *) { return remove(path); }

static void end()
{
    starpu_resume();
    starpu_shutdown();
    (void)nftw(home, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

extern "C" __attribute__((visibility("default"))) const peer_tasks *adit_peer_tasks(void)
{
    static const peer_tasks peer = {PEER_TASKS_ABI, name, begin, rest, run, end};
    snprintf(name, sizeof name, "StarPU %d.%d.%d dmda", STARPU_MAJOR_VERSION, STARPU_MINOR_VERSION, STARPU_RELEASE_VERSION);
    return &peer;
}
