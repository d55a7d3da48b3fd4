#include "perf/lab_workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shm/shm.h"

#define WAIT_NS 5000000000u
#define LOOKS_MAX 20000u /* a millisecond apart */

void lab_nap_ms(uint32_t ms) { nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL); }

const char *const *lab_workers_objects(void)
{
    static char path[4200];
    static const char *objects[2] = {path, NULL};
    ssize_t n = readlink("/proc/self/exe", path, 4096);
    path[n < 0 ? 0 : n] = 0;
    char *slash = strrchr(path, '/');
    snprintf(slash ? slash : path, 64, "/../perf/libworker_stamp.so");
    if (access(path, R_OK)) /* not a build tree: as tools/install has it */
        snprintf(slash ? slash : path, 64, "/../lib/adit/libworker_stamp.so");
    return objects;
}

int lab_workers_wait(const struct adit_queue *queue, const struct adit_pool *pool, uint64_t task)
{
    struct adit_task_info info = {.size = sizeof info};
    struct adit_pool_stats stats = {.size = sizeof stats};
    for (uint32_t i = 0; i < LOOKS_MAX; i++, lab_nap_ms(1))
        if (!adit_task_look(queue, task, &info) && info.progress && info.pid && !adit_pool_look(pool, &stats) && stats.standbys)
            return (int)info.pid;
    return -ETIMEDOUT;
}

static _Noreturn void hold_until_killed(struct adit_robust *word, int ready)
{
    if (adit_robust_lock(word, 1, NULL, 0) == -EBUSY || write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

struct notice {
    struct adit_robust *robust;
    uint32_t word;
    uint64_t at_ns;
};

static void *wait_for_notice(void *user)
{
    struct notice *n = user;
    while (adit_load32_acquire(&n->robust->word) == n->word) /* bounded: the child is about to be killed */
        (void)adit_futex_wait(&n->robust->word, n->word, WAIT_NS);
    n->at_ns = adit_clock_ns();
    return NULL;
}

double lab_notice_of_kill(struct adit_robust *word)
{
    int ready[2];
    char byte;
    pthread_t thread;
    if (pipe(ready))
        return -errno;
    pid_t child = fork();
    if (!child)
        hold_until_killed(word, ready[1]);
    close(ready[1]);
    ssize_t n = child > 0 ? read(ready[0], &byte, 1) : -1;
    close(ready[0]);
    if (n != 1)
        return -EIO;
    struct notice notice = {.robust = word, .word = __atomic_or_fetch(&word->word, ADIT_ROBUST_WAITERS, __ATOMIC_SEQ_CST)};
    int error = pthread_create(&thread, NULL, wait_for_notice, &notice);
    lab_nap_ms(3);
    uint64_t from = adit_clock_ns();
    kill(child, SIGKILL);
    lab_nap_ms(5); /* out of the way */
    waitpid(child, NULL, 0);
    if (!error)
        pthread_join(thread, NULL);
    return error ? -error : (double)(notice.at_ns - from);
}
