#include "shm/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shm/control.h"
#include "shm/rendezvous.h"

#define CLIENTS_MAX 64u
#define CLIENT_NS 10000000000u /* to say hello, and to join */
#define FDS_MAX (ADIT_SEGMENTS_MAX + 1)
#define RETRY_NS 1000000u

struct hello {
    uint64_t magic, signature;
    uint32_t layout_version, role;
};
struct answer {
    uint64_t magic;
    int32_t status; /* 0, or negative errno */
    uint32_t segments_n;
    uint64_t signature;
    uint32_t layout_version, pad;
};

struct adit_broker {
    struct adit_arena *arena;
    int listener;
    int fds[ADIT_SEGMENTS_MAX][2]; /* of each segment: read-only, writable; -1: not to be had */
    struct {
        int fd;
        uint64_t deadline_ns;
    } clients[CLIENTS_MAX];
    uint32_t clients_n;
};

static bool is_writable(uint32_t role, uint32_t segment)
{
    return role == ADIT_ROLE_PRODUCER || (role == ADIT_ROLE_CONSUMER && !segment);
}

/* 0 when the process at the other end may attach as hello says. */
static int judge(const struct adit_broker *b, int fd, const struct hello *h, ssize_t n)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) || (peer.uid != geteuid() && peer.uid != 0))
        return -EACCES;
    if (n != (ssize_t)sizeof *h || h->magic != ADIT_MAGIC || h->layout_version != ADIT_LAYOUT_VERSION ||
        h->signature != adit_control_signature())
        return -EPROTO;
    if (h->role < ADIT_ROLE_PRODUCER || h->role > ADIT_ROLE_OBSERVER)
        return -EINVAL;
    if (h->role == ADIT_ROLE_PRODUCER && b->arena->control->seal_writers)
        return -EPERM;
    for (uint32_t i = 0; i < b->arena->segments_n; i++)
        if (b->fds[i][is_writable(h->role, i)] < 0)
            return -EROFS;
    return 0;
}

static void answer_client(const struct adit_broker *b, int fd)
{
    struct hello h = {0};
    ssize_t n = recv(fd, &h, sizeof h, MSG_DONTWAIT | MSG_TRUNC);
    struct answer a = {ADIT_MAGIC, judge(b, fd, &h, n), b->arena->segments_n, adit_control_signature(),
                       ADIT_LAYOUT_VERSION, 0};
    struct iovec part = {&a, sizeof a};
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (!a.status) {
        int fds[FDS_MAX];
        uint32_t fds_n = 0;
        for (; fds_n < a.segments_n; fds_n++)
            fds[fds_n] = b->fds[fds_n][is_writable(h.role, fds_n)];
        if (h.role != ADIT_ROLE_OBSERVER)
            fds[fds_n++] = b->listener;
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fds_n * sizeof(int));
    }
    (void)sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL); /* a client that has gone misses nothing */
}

static void accept_client(struct adit_broker *b)
{
    int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        struct timespec nap = {.tv_nsec = 10000000}; /* out of descriptors: the client stays in the backlog */
        nanosleep(&nap, NULL);
        return;
    }
    b->clients[b->clients_n].fd = fd;
    b->clients[b->clients_n++].deadline_ns = adit_clock_ns() + CLIENT_NS;
}

uint32_t adit_broker_step(struct adit_broker *b, int stop, int other, int timeout_ms)
{
    struct pollfd p[CLIENTS_MAX + 3] = {{.fd = stop, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    uint32_t happened = 0;
    /* with all places taken the backlog waits, at most CLIENT_NS */
    p[2] = (struct pollfd){.fd = b->clients_n < CLIENTS_MAX ? b->listener : -1, .events = POLLIN};
    for (uint32_t i = 0; i < b->clients_n; i++)
        p[i + 3] = (struct pollfd){.fd = b->clients[i].fd, .events = POLLIN};
    if (poll(p, b->clients_n + 3, timeout_ms) < 0)
        return 0;
    uint64_t now_ns = adit_clock_ns();
    for (uint32_t i = b->clients_n; i-- > 0;) {
        bool has_left = p[i + 3].revents & (POLLHUP | POLLERR);
        if ((p[i + 3].revents & POLLIN) && !has_left)
            answer_client(b, b->clients[i].fd);
        if (has_left || now_ns > b->clients[i].deadline_ns) {
            happened |= ADIT_BROKER_LEFT;
            close(b->clients[i].fd);
            b->clients[i] = b->clients[--b->clients_n];
        }
    }
    if (p[2].revents & POLLIN)
        accept_client(b);
    return happened | (p[0].revents ? ADIT_BROKER_STOP : 0) | (p[1].revents ? ADIT_BROKER_OTHER : 0);
}

void adit_broker_close(struct adit_broker **broker)
{
    struct adit_broker *b = *broker;
    if (!b)
        return;
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        for (uint32_t w = 0; w < 2; w++)
            if (b->fds[i][w] >= 0)
                close(b->fds[i][w]);
    for (uint32_t i = 0; i < b->clients_n; i++)
        close(b->clients[i].fd);
    free(b);
    *broker = NULL;
}

int adit_broker_open(struct adit_arena *arena, int listener, struct adit_broker **out)
{
    struct adit_broker *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return adit_fault(-ENOMEM, "arena %s: no memory for its broker", arena->name);
    b->arena = arena;
    b->listener = listener;
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        for (uint32_t w = 0; w < 2; w++)
            b->fds[i][w] = i < arena->segments_n ? adit_segment_reopen(&arena->maps[i], w) : -1;
    return 0;
}

/* Receives the answer and its descriptors: how many came, 0 with a refusal, or -errno. */
static int receive(int fd, uint32_t role, struct answer *a, int fds[FDS_MAX])
{
    struct iovec part = {a, sizeof *a};
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                       .msg_controllen = CMSG_LEN(FDS_MAX * sizeof(int))}; /* not its padding: room for one more, but not in fds */
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
    if (sound && !a->status && a->segments_n <= ADIT_SEGMENTS_MAX && got == a->segments_n + (role != ADIT_ROLE_OBSERVER))
        return (int)got;
    for (uint32_t i = 0; i < got; i++)
        close(fds[i]);
    if (sound && a->status)
        return 0;
    return m.msg_flags & MSG_CTRUNC ? -EMFILE : n == 0 ? -ECONNRESET : -EPROTO;
}

/* *connected: what went wrong is not connecting, of which detail says more. */
static int ask_once(const char *name, uint32_t role, uint64_t timeout_ns, struct answer *a, struct adit_grant *grant,
                    bool *connected)
{
    char place[ADIT_PLACE_BYTES];
    int fds[FDS_MAX], fd = adit_rendezvous_connect(name, timeout_ns, place);
    *connected = fd >= 0;
    if (fd < 0)
        return fd;
    struct hello h = {ADIT_MAGIC, adit_control_signature(), ADIT_LAYOUT_VERSION, role};
    int got = send(fd, &h, sizeof h, MSG_NOSIGNAL) == (ssize_t)sizeof h ? receive(fd, role, a, fds) : -errno;
    if (got <= 0) {
        close(fd);
        return got;
    }
    *grant = (struct adit_grant){.connection = fd, .listener = role == ADIT_ROLE_OBSERVER ? -1 : fds[a->segments_n],
                                 .fds_n = a->segments_n};
    memcpy(grant->place, place, sizeof place);
    memcpy(grant->fds, fds, a->segments_n * sizeof(int));
    return got;
}

static int refusal(const char *name, const struct answer *a)
{
    switch (a->status) {
    case -EACCES: return adit_fault(a->status, "arena %s: it belongs to another user; attach as that user", name);
    case -EPERM: return adit_fault(a->status, "arena %s: it is sealed against further writers; attach as a consumer", name);
    case -EPROTO:
        return adit_fault(a->status, "arena %s: layout %u/%016llx, this build knows %u/%016llx; use the same adit on both sides",
                          name, a->layout_version, (unsigned long long)a->signature, ADIT_LAYOUT_VERSION,
                          (unsigned long long)adit_control_signature());
    default: return adit_fault(a->status, "arena %s: its broker refused: %s", name, strerror(-a->status));
    }
}

int adit_broker_ask(const char *name, uint32_t role, uint64_t timeout_ns, struct adit_grant *grant)
{
    uint64_t begin = adit_clock_ns(), passed = 0;
    struct answer a = {0};
    bool connected;
    int got;
    do { /* bounded by timeout_ns */
        got = ask_once(name, role, timeout_ns - passed, &a, grant, &connected);
        if (got != -ECONNRESET && got != -EPIPE)
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
    return adit_fault(got, got == -EPROTO ? "arena %s: who answers there is no adit broker (%s)"
                                          : "arena %s: its broker gave no answer (%s)",
                      name, strerror(-got));
}
