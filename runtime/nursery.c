#include "runtime/nursery.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/worker_program.h"
#include "runtime/worker_slot.h"

#define LOADING_NS 500000000u /* that one which is still loading has to find its socket closed; what it loads may never return, and then nobody looks there */
#define NAP_NS 200000u        /* between looks whether it has ended */

int adit_nursery_init(struct adit_nursery *n, const struct adit_queue *queue, const struct adit_pool_params *p)
{
    *n = (struct adit_nursery){.arena = queue->arena, .socket = -1};
    int error = adit_worker_program_find(p->worker_path, n->program);
    const uint64_t numbers[ADIT_ZYGOTE_WORDS] = {[ADIT_ZYGOTE_ROLE] = n->arena->role, [ADIT_ZYGOTE_QUEUE] = queue->id, [ADIT_ZYGOTE_PARENT] = (uint64_t)getpid(), [ADIT_ZYGOTE_CONFINE] = p->confine, [ADIT_ZYGOTE_BACKGROUND] = p->background,
                                                 [ADIT_ZYGOTE_TASKS] = p->recycle_tasks, [ADIT_ZYGOTE_AGE] = p->recycle_age_ns, [ADIT_ZYGOTE_BYTES] = p->recycle_bytes};
    n->argv[0] = n->program;
    n->argv[ADIT_ZYGOTE_ARENA] = n->arena->name;
    for (uint32_t i = ADIT_ZYGOTE_ROLE; i < ADIT_ZYGOTE_WORDS; i++) {
        snprintf(n->numbers[i], sizeof n->numbers[i], "%llu", (unsigned long long)numbers[i]);
        n->argv[i] = n->numbers[i];
    }
    for (uint32_t i = 0; !error && p->objects && p->objects[i]; i++) {
        if (i == ADIT_POOL_OBJECTS)
            return adit_fault(-EINVAL, "arena %s: more than %u objects", n->arena->name, ADIT_POOL_OBJECTS);
        n->argv[ADIT_ZYGOTE_WORDS + i] = strdup(p->objects[i]);
        if (!n->argv[ADIT_ZYGOTE_WORDS + i])
            error = adit_fault(-ENOMEM, "arena %s: no memory for a pool", n->arena->name);
    }
    return error;
}

void adit_nursery_fini(struct adit_nursery *n)
{
    for (char **object = n->argv + ADIT_ZYGOTE_WORDS; *object; object++)
        free(*object);
}

static void leave_slot(struct adit_nursery *n)
{
    (void)(adit_worker_move(n->slot, ADIT_LIFE_TERMINATED) && adit_worker_move(n->slot, ADIT_LIFE_COLD));
    n->slot = NULL;
}

int adit_nursery_start(struct adit_nursery *n)
{
    n->slot = adit_worker_slot_claim(n->arena, 0);
    if (!n->slot)
        return adit_fault(-EUSERS, "arena %s: all %u slots of worker processes are taken", n->arena->name, n->arena->workers_max);
    snprintf(n->numbers[ADIT_ZYGOTE_SLOT], sizeof n->numbers[ADIT_ZYGOTE_SLOT], "%u", (uint32_t)(n->slot - n->arena->workers));
    int error = adit_worker_program_start(n->argv, &n->pid, &n->socket);
    n->is_starting = !error;
    n->started_ns = adit_clock_ns();
    n->wished = n->done = 0;
    if (!error)
        return 0;
    leave_slot(n);
    return adit_fault(error, "arena %s: worker program %.200s cannot be started: %s", n->arena->name, n->program, strerror(-error));
}

int adit_nursery_hear(struct adit_nursery *n)
{
    struct adit_zygote_report report = {0};
    ssize_t bytes = recv(n->socket, &report, sizeof report, MSG_DONTWAIT);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return -EAGAIN;
    report.why[sizeof report.why - 1] = 0;
    n->is_starting = false;
    bool is_said = bytes == (ssize_t)sizeof report;
    if (is_said && !report.error)
        return 0;
    int status = adit_nursery_end(n, ADIT_NURSERY_LEAVING_NS);
    if (is_said)
        return adit_fault(report.error < 0 && report.error != -EAGAIN ? report.error : -ECHILD, "%s", report.why);
    return WIFSIGNALED(status) ? adit_fault(-ECHILD, "arena %s: its worker program was killed by signal %d while it loaded the kinds", n->arena->name, WTERMSIG(status))
                               : adit_fault(-ECHILD, "arena %s: its worker program ended with code %d before it was ready", n->arena->name, WEXITSTATUS(status));
}

bool adit_nursery_wish(struct adit_nursery *n, const struct adit_zygote_wish *wishes, uint32_t count)
{
    if (send(n->socket, wishes, count * sizeof *wishes, MSG_NOSIGNAL | MSG_DONTWAIT) <= 0)
        return false;
    n->step_ns = n->wished == n->done ? adit_clock_ns() : n->step_ns;
    n->wished += count;
    return true;
}

uint64_t adit_nursery_silent_ns(struct adit_nursery *n)
{
    uint64_t done = n->slot && !n->is_starting ? adit_load_relaxed(&n->slot->tasks) : n->wished, now = adit_clock_ns(); /* relaxed: a count */
    n->step_ns = done != n->done ? now : n->step_ns;
    n->done = done;
    return done == n->wished ? 0 : now - n->step_ns;
}

/* The wait status of a child that is to end by itself; after limit_ns it is killed. */
static int reap(pid_t pid, uint64_t limit_ns)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    uint64_t until = adit_clock_ns() + limit_ns;
    int status = 0;
    pid_t ended;
    while (!(ended = waitpid(pid, &status, WNOHANG)) && adit_clock_ns() < until)
        nanosleep(&nap, NULL);
    if (ended) /* or somebody else has reaped it, and the number is another's by now */
        return status;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { /* bounded: nothing outlives that signal */
    }
    return status;
}

void adit_nursery_shut(struct adit_nursery *n) { (void)shutdown(n->socket, SHUT_WR); }

int adit_nursery_end(struct adit_nursery *n, uint64_t limit_ns)
{
    close(n->socket);
    int status = reap(n->pid, n->is_starting && limit_ns > LOADING_NS ? LOADING_NS : limit_ns);
    n->is_starting = false;
    leave_slot(n);
    return status;
}

bool adit_nursery_is_ready(const struct adit_nursery *n)
{
    return n->slot && !n->is_starting && adit_load32_acquire(&n->slot->alive.word) & ADIT_ROBUST_TID;
}
