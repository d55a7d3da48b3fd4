/* crew.c - posix_spawn, because this process has threads by now (the broker's, the workers'), and after a fork of such a
 * process little is safe to call. waitpid asks for each member by pid: nobody else's children are reaped. */
#include "tools/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/moment.h"

#define END_TERM_NS 1500000000ull
#define END_KILL_NS 2000000000ull
#define END_STEP_NS 5000000ull
#define LITTER_TRIES 8 /* names of temporary files a sink tries (tools/exports/sink.h) that are worth looking for */

extern char **environ;

static void argv_free(char **argv)
{
    for (char **a = argv; a && *a; a++)
        free(*a);
    free(argv);
}

/* "adit", then argv. */
static char **argv_copy(char *const *argv)
{
    size_t n = 0;
    while (argv[n])
        n++;
    char **copy = calloc(n + 2, sizeof *copy);
    bool whole = copy && (copy[0] = strdup("adit"));
    for (size_t i = 0; whole && i < n; i++)
        whole = (copy[i + 1] = strdup(argv[i]));
    if (whole)
        return copy;
    argv_free(copy);
    return NULL;
}

/* Starts the process of a member whose label and argv are set. */
static int member_start(struct adit_crew_member *m)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pair[1], ADIT_TETHER_FD);
    int failed = posix_spawn(&m->pid, "/proc/self/exe", &actions, NULL, m->argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (failed) {
        close(pair[0]);
        return -failed;
    }
    adit_tether_init(&m->tether, pair[0]);
    return 0;
}

int adit_crew_spawn(struct adit_crew *crew, const char *label, char *const *argv)
{
    if (crew->count == ADIT_CREW_MAX)
        return -EUSERS;
    struct adit_crew_member *m = &crew->member[crew->count];
    *m = (struct adit_crew_member){.argv = argv_copy(argv)};
    snprintf(m->label, sizeof m->label, "%s", label);
    int status = m->argv ? member_start(m) : -ENOMEM;
    if (status)
        argv_free(m->argv);
    else
        crew->count++;
    return status;
}

int adit_crew_restart(struct adit_crew *crew, uint32_t index)
{
    struct adit_crew_member *m = &crew->member[index], anew = {.argv = m->argv};
    memcpy(anew.label, m->label, sizeof anew.label);
    adit_tether_fini(&m->tether);
    json_decref(m->done);
    free(m->error);
    *m = anew;
    int status = member_start(m);
    if (status) { /* it stays lost */
        adit_tether_init(&m->tether, -1);
        m->tether.closed = m->ended = m->lost = true;
    }
    return status;
}

static void message_take(struct adit_crew_member *m, json_t *object)
{
    const char *error = json_string_value(json_object_get(object, "error"));
    m->ready |= json_is_true(json_object_get(object, "ready"));
    m->caught_up |= json_is_true(json_object_get(object, "caught_up"));
    if (json_object_get(object, "drawn")) {
        m->drawn = (uint32_t)json_integer_value(json_object_get(object, "drawn"));
        m->drawn_of = (uint32_t)json_integer_value(json_object_get(object, "of"));
    }
    json_t *done = json_object_get(object, "done");
    if (done && !m->done)
        m->done = json_incref(done);
    if (error && !m->error) {
        m->error = strdup(error);
        m->error_exit = (int)json_integer_value(json_object_get(object, "exit"));
    }
    json_decref(object);
}

/* All that a member has said so far, and whether it has ended. */
static void member_pump(struct adit_crew_member *m)
{
    json_t *object;
    int status;
    while (!(status = adit_tether_receive(&m->tether, 0, &object)))
        message_take(m, object);
    if (!m->ended && waitpid(m->pid, &m->wait_status, WNOHANG) == m->pid) {
        m->ended = true;
        while (!adit_tether_receive(&m->tether, 0, &object)) /* what it said last */
            message_take(m, object);
        m->lost = !m->done && !m->error;
    }
}

void adit_crew_pump(struct adit_crew *crew, int timeout_ms)
{
    struct pollfd p[ADIT_CREW_MAX];
    nfds_t n = 0;
    bool closing = false;
    for (uint32_t i = 0; i < crew->count; i++) {
        const struct adit_crew_member *m = &crew->member[i];
        if (!m->ended && !m->tether.closed)
            p[n++] = (struct pollfd){.fd = m->tether.fd, .events = POLLIN};
        closing |= !m->ended && m->tether.closed;
    }
    if (closing && timeout_ms > 5)
        timeout_ms = 5; /* it is about to become reapable */
    poll(p, n, timeout_ms);
    for (uint32_t i = 0; i < crew->count; i++)
        if (!crew->member[i].ended)
            member_pump(&crew->member[i]);
}

void adit_crew_tell(struct adit_crew *crew, uint32_t first, uint32_t count, const char *what)
{
    for (uint32_t i = first; i < first + count; i++)
        adit_tether_send(&crew->member[i].tether, json_pack("{s:s}", "do", what));
}

const struct adit_crew_member *adit_crew_failure(const struct adit_crew *crew)
{
    const struct adit_crew_member *lost = NULL;
    for (uint32_t i = 0; i < crew->count; i++) {
        if (crew->member[i].error)
            return &crew->member[i];
        if (crew->member[i].lost && !lost)
            lost = &crew->member[i];
    }
    return lost;
}

uint32_t adit_crew_lost(const struct adit_crew *crew)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < crew->count; i++)
        n += crew->member[i].lost;
    return n;
}

char *adit_crew_how_lost(const struct adit_crew_member *m, char *out, size_t bytes)
{
    if (WIFSIGNALED(m->wait_status))
        snprintf(out, bytes, "was killed by signal %d (%s)", WTERMSIG(m->wait_status),
                 strsignal(WTERMSIG(m->wait_status)));
    else
        snprintf(out, bytes, "ended early with code %d", WEXITSTATUS(m->wait_status));
    return out;
}

/* Whether all have ended within limit_ns. Members that end here on our word are not lost. */
static bool all_ended(struct adit_crew *crew, uint64_t limit_ns)
{
    for (uint64_t until = adit_moment_ns() + limit_ns;;) {
        bool all = true;
        for (uint32_t i = 0; i < crew->count; i++) {
            struct adit_crew_member *m = &crew->member[i];
            m->ended = m->ended || waitpid(m->pid, &m->wait_status, WNOHANG) != 0;
            all &= m->ended;
        }
        if (all || adit_moment_ns() > until)
            return all;
        adit_moment_sleep(END_STEP_NS);
    }
}

static void all_signal(const struct adit_crew *crew, int signal)
{
    for (uint32_t i = 0; i < crew->count; i++)
        if (!crew->member[i].ended)
            kill(crew->member[i].pid, signal);
}

/* A sink names its temporary file TARGET.PID-N.part. */
static void litter_remove(pid_t pid, const char *output)
{
    char target[PATH_MAX], name[PATH_MAX + 64];
    if (!realpath(output, target))
        snprintf(target, sizeof target, "%s", output);
    for (int i = 0; i < LITTER_TRIES; i++) {
        snprintf(name, sizeof name, "%s.%ld-%d.part", target, (long)pid, i);
        unlink(name);
    }
}

void adit_crew_end(struct adit_crew *crew, const char *const *outputs)
{
    if (!all_ended(crew, 0)) {
        all_signal(crew, SIGTERM);
        if (!all_ended(crew, END_TERM_NS)) {
            all_signal(crew, SIGCONT);
            all_signal(crew, SIGKILL);
            all_ended(crew, END_KILL_NS);
        }
    }
    for (uint32_t i = 0; i < crew->count; i++) {
        struct adit_crew_member *m = &crew->member[i];
        for (const char *const *o = outputs; o && *o; o++)
            if (WIFSIGNALED(m->wait_status))
                litter_remove(m->pid, *o);
        adit_tether_fini(&m->tether);
        json_decref(m->done);
        free(m->error);
        argv_free(m->argv);
    }
    crew->count = 0;
}
