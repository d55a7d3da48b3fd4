#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shm/broker.h"
#include "shm/control.h"
#include "shm/rendezvous.h"
#include "shm/wire.h"

#define RETRY_NS 1000000u

/* Receives the answer and its descriptors: how many came, 0 with a refusal, or -errno. */
static int receive(int fd, uint32_t role, struct adit_answer *a, int fds[ADIT_WIRE_FDS_MAX])
{
    struct iovec part = {a, sizeof *a};
    union {
        char bytes[CMSG_SPACE(ADIT_WIRE_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                       .msg_controllen = CMSG_LEN(ADIT_WIRE_FDS_MAX * sizeof(int))}; /* not its padding: room for one more, but not in fds */
    ssize_t n;
    do
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR); /* stopped and continued; SO_RCVTIMEO bounds each */
    if (n < 0)
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    uint32_t got = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            got = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(c), got * sizeof(int));
        }
    bool sound = n == (ssize_t)sizeof *a && a->magic == ADIT_MAGIC && a->status <= 0 && a->status > -4096;
    if (sound && !a->status && a->segments_n <= ADIT_SEGMENTS_MAX && a->has_inner < 2 && a->listeners_n < 3 &&
        (a->listeners_n > 0) == (role == ADIT_ROLE_PRODUCER || role == ADIT_ROLE_CONSUMER) &&
        a->pages_n <= ADIT_GUESTS_MAX && got == a->segments_n + a->has_inner + a->listeners_n + 2 * a->pages_n)
        return (int)got;
    for (uint32_t i = 0; i < got; i++)
        close(fds[i]);
    if (sound && a->status)
        return 0;
    return m.msg_flags & MSG_CTRUNC ? -EMFILE : n == 0 ? -ECONNRESET : -EPROTO;
}

void adit_grant_close(struct adit_grant *g)
{
    for (uint32_t i = 0; i < g->fds_n; i++)
        close(g->fds[i]);
    for (uint32_t i = 0; i < 2 * g->pages_n; i++)
        close(i < g->pages_n ? g->pages[i] : g->bells[i - g->pages_n]);
    const int others[] = {g->connection, g->inner, g->listener, g->guest_listener};
    for (uint32_t i = 0; i < 4; i++)
        if (others[i] >= 0)
            close(others[i]);
    *g = (struct adit_grant){.connection = -1, .inner = -1, .listener = -1, .guest_listener = -1};
}

static void sort_out(const struct adit_answer *a, const int *fds, struct adit_grant *g)
{
    *g = (struct adit_grant){.fds_n = a->segments_n, .pages_n = a->pages_n, .slot = a->slot};
    memcpy(g->fds, fds, a->segments_n * sizeof(int));
    fds += a->segments_n;
    g->inner = a->has_inner ? *fds++ : -1;
    g->listener = a->listeners_n > 0 ? *fds++ : -1;
    g->guest_listener = a->listeners_n > 1 ? *fds++ : -1;
    memcpy(g->pages, fds, a->pages_n * sizeof(int));
    memcpy(g->bells, fds + a->pages_n, a->pages_n * sizeof(int));
}

/* Who listens there has not answered in time: *silent is its pid if it is stopped, else 0. It is who began to listen; a keeper that has taken over since is another one. */
static void look_at_silence(int fd, uint32_t *silent)
{
    struct ucred who;
    socklen_t n = sizeof who;
    bool is_known = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) && who.pid > 0; /* unix(7) */
    *silent = is_known && adit_process_is_stopped((uint32_t)who.pid) ? (uint32_t)who.pid : 0;
}

/* *connected: what went wrong is not connecting, of which detail says more. *silent: see look_at_silence. */
static int ask_once(const char *name, uint32_t role, uint64_t timeout_ns, struct adit_answer *a, struct adit_grant *grant,
                    bool *connected, uint32_t *silent)
{
    char place[ADIT_PLACE_BYTES];
    bool is_wrong = role != ADIT_ROLE_GUEST && adit_rendezvous_is_path(name);
    int fds[ADIT_WIRE_FDS_MAX], fd = is_wrong ? adit_fault(-EINVAL, "arena name '%.60s': a path is for guests; use 1 to 47 of A-Z a-z 0-9 . _ -", name)
                                    : adit_rendezvous_connect(name, timeout_ns, place);
    *connected = fd >= 0;
    if (fd < 0)
        return fd;
    struct adit_hello h = {ADIT_MAGIC, adit_control_signature(), ADIT_LAYOUT_VERSION, role};
    /* cut off before it was said or after, it is the same */
    int got = send(fd, &h, sizeof h, MSG_NOSIGNAL) == (ssize_t)sizeof h ? receive(fd, role, a, fds) : errno == EPIPE ? -ECONNRESET : -errno;
    if (got == -ETIMEDOUT)
        look_at_silence(fd, silent);
    if (got <= 0) {
        close(fd);
        return got ? got : a->status == -EAGAIN ? -ECONNRESET : 0; /* a keeper that has just taken over: ask again */
    }
    sort_out(a, fds, grant);
    grant->connection = fd;
    memcpy(grant->place, place, sizeof place);
    return got;
}

static int refusal(const char *name, const struct adit_answer *a)
{
    switch (a->status) {
    case -EACCES:
        return adit_fault(a->status, adit_rendezvous_is_path(name) ? "%s: guests come in by it; attach as ADIT_GUEST"
                                                                   : "arena %s: it belongs to another user; attach as that user", name);
    case -ENOTSUP: return adit_fault(a->status, "arena %s: it was made without guests; create it with guests_max (`adit serve --guests N`)", name);
    case -EUSERS:
        return adit_fault(a->status, "arena %s: no page is left that a guest of this user may have; create it with more (`adit serve --guests N`)", name);
    case -ESRCH:
        return adit_fault(a->status, "arena %s: its keeper cannot see this process (another PID namespace, or /proc hides it)", name);
    case -EPERM: return adit_fault(a->status, "arena %s: it is sealed against further writers; attach as a consumer", name);
    case -EPROTO:
        return adit_fault(a->status, "arena %s: layout %u/%016llx, this build knows %u/%016llx; use the same adit on both sides",
                          name, a->layout_version, (unsigned long long)a->signature, ADIT_LAYOUT_VERSION,
                          (unsigned long long)adit_control_signature());
    case -EMFILE: case -ENFILE: case -ETOOMANYREFS:
        return adit_fault(a->status, "arena %s: its keeper has no descriptors left to give (%s); ask again, or raise its RLIMIT_NOFILE", name,
                          strerror(-a->status));
    default: return adit_fault(a->status, "arena %s: its broker refused: %s", name, strerror(-a->status));
    }
}

int adit_broker_ask(const char *name, uint32_t role, uint64_t timeout_ns, struct adit_grant *grant)
{
    uint64_t begin = adit_clock_ns(), passed = 0;
    struct adit_answer a = {0};
    bool connected;
    uint32_t silent = 0;
    int got;
    do { /* bounded by timeout_ns */
        got = ask_once(name, role, timeout_ns - passed, &a, grant, &connected, &silent);
        if (got != -ECONNRESET)
            break;
        struct timespec nap = {.tv_nsec = RETRY_NS}; /* the broker died on us: another takes over */
        nanosleep(&nap, NULL);
        passed = adit_clock_ns() - begin;
    } while (passed < timeout_ns);
    if (got > 0)
        return 0;
    if (got == 0)
        return refusal(name, &a);
    if (!connected)
        return got;
    if (silent)
        return adit_fault(got, "arena %s: process %u, which answers for it, is stopped; let it go on (kill -CONT %u)", name, silent, silent);
    return adit_fault(got, got == -EPROTO ? "arena %s: who answers there is no adit broker (%s)"
                                          : "arena %s: its broker gave no answer (%s)",
                      name, strerror(-got));
}
