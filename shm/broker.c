#include "shm/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shm/control.h"
#include "shm/proxy.h"
#include "shm/rendezvous.h"

#define CLIENTS_MAX 64u
#define CLIENT_NS 10000000000u /* to say hello, and to join */
#define GUESTS_AT_ONCE 16u
#define GUEST_NS 1000000000u
#define FDS_MAX (ADIT_SEGMENTS_MAX + 3 + 2 * ADIT_GUESTS_MAX) /* the kernel passes 253 at once */
#define RETRY_NS 1000000u
#define DEAF_NS 1000000u /* after a bell: a guest that rings all the time is heard a thousand times a second */

struct hello {
    uint64_t magic, signature;
    uint32_t layout_version, role;
};
/* Descriptors come in this order: segments, the inner part of control; listeners; pages, bells. */
struct answer {
    uint64_t magic;
    int32_t status; /* 0, or negative errno */
    uint32_t segments_n;
    uint64_t signature;
    uint32_t layout_version, pages_n;
    uint32_t has_inner, listeners_n, slot, pad;
};

/* Where clients come in. */
struct door {
    int listener; /* -1: there is none */
    bool is_guests;
    uint32_t clients_max, clients_n;
    uint64_t client_ns;
    struct {
        int fd;
        uint64_t deadline_ns;
    } clients[CLIENTS_MAX];
};

struct adit_broker {
    struct adit_arena *arena;
    struct adit_proxy *proxy; /* NULL: not yet */
    uint64_t deaf_until_ns;
    int fds[ADIT_SEGMENTS_MAX + 1][2]; /* of each segment, and of the inner part of control: read-only, writable; -1: not to be had */
    struct door doors[2];
};

#define INNER ADIT_SEGMENTS_MAX

static bool is_writable(uint32_t role, uint32_t segment)
{
    return role == ADIT_ROLE_PRODUCER || (role == ADIT_ROLE_CONSUMER && (!segment || segment == INNER));
}

/* 0 when the process at the other end may attach as hello says. */
static int judge(const struct adit_broker *b, const struct door *door, const struct ucred *peer, const struct hello *h, ssize_t n)
{
    if (!door->is_guests && peer->uid != geteuid() && peer->uid != 0)
        return -EACCES;
    if (n != (ssize_t)sizeof *h || h->magic != ADIT_MAGIC || h->layout_version != ADIT_LAYOUT_VERSION ||
        h->signature != adit_control_signature())
        return -EPROTO;
    if (h->role < ADIT_ROLE_PRODUCER || h->role > ADIT_ROLE_GUEST)
        return -EINVAL;
    if (door->is_guests && h->role != ADIT_ROLE_GUEST)
        return -EACCES;
    if (h->role == ADIT_ROLE_PRODUCER && b->arena->control->seal_writers)
        return -EPERM;
    for (uint32_t i = 0; i < b->arena->segments_n; i++)
        if (b->fds[i][is_writable(h->role, i)] < 0)
            return -EROFS;
    if (h->role == ADIT_ROLE_GUEST)
        return !b->arena->guests_max ? -ENOTSUP : b->proxy ? 0 : -EAGAIN;
    return b->arena->maps[0].inner_at && b->fds[INNER][is_writable(h->role, INNER)] < 0 ? -EROFS : 0;
}

/* What a client of that role is given, as a tells it; returns how many. */
static uint32_t choose_fds(const struct adit_broker *b, uint32_t role, struct answer *a, int fds[FDS_MAX])
{
    const struct adit_arena *arena = b->arena;
    uint32_t n = 0;
    for (; n < a->segments_n; n++)
        fds[n] = b->fds[n][is_writable(role, n)];
    if (role == ADIT_ROLE_GUEST) {
        a->pages_n = 1;
        fds[n++] = arena->guest_pages[a->slot];
        fds[n++] = arena->guest_bells[a->slot];
        return n;
    }
    a->has_inner = arena->maps[0].inner_at != 0;
    if (a->has_inner)
        fds[n++] = b->fds[INNER][is_writable(role, INNER)];
    if (role == ADIT_ROLE_OBSERVER)
        return n;
    for (uint32_t d = 0; d < 2; d++)
        if (b->doors[d].listener >= 0) {
            fds[n++] = b->doors[d].listener;
            a->listeners_n++;
        }
    a->pages_n = arena->guests_fds;
    for (uint32_t k = 0; k < 2 * a->pages_n; k++)
        fds[n++] = k < a->pages_n ? arena->guest_pages[k] : arena->guest_bells[k - a->pages_n];
    return n;
}

static void answer_client(const struct adit_broker *b, const struct door *door, int fd)
{
    struct hello h = {0};
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t length = sizeof peer;
    ssize_t n = recv(fd, &h, sizeof h, MSG_DONTWAIT | MSG_TRUNC);
    struct answer a = {.magic = ADIT_MAGIC, .segments_n = b->arena->segments_n, .signature = adit_control_signature(),
                       .layout_version = ADIT_LAYOUT_VERSION};
    a.status = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) ? -EACCES : judge(b, door, &peer, &h, n);
    if (!a.status && h.role == ADIT_ROLE_GUEST)
        a.status = adit_proxy_admit(b->proxy, (uint32_t)peer.pid, peer.uid, &a.slot);
    struct iovec part = {&a, sizeof a};
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (!a.status) {
        int fds[FDS_MAX];
        uint32_t fds_n = choose_fds(b, h.role, &a, fds);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fds_n * sizeof(int));
    }
    bool is_sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof a; /* a client that has gone misses nothing */
    if (!is_sent && !a.status && h.role == ADIT_ROLE_GUEST)
        adit_proxy_end(b->proxy, a.slot, adit_load_acquire(&b->arena->participants[a.slot].word));
}

static void accept_client(struct door *door)
{
    int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        struct timespec nap = {.tv_nsec = 10000000}; /* out of descriptors: the client stays in the backlog */
        nanosleep(&nap, NULL);
        return;
    }
    door->clients[door->clients_n].fd = fd;
    door->clients[door->clients_n++].deadline_ns = adit_clock_ns() + door->client_ns;
}

/* Whom poll shall look at for a door: its listener first. Returns how many. */
static uint32_t list_door(const struct door *door, struct pollfd *p)
{
    /* with all places taken the backlog waits, at most client_ns */
    p[0] = (struct pollfd){.fd = door->clients_n < door->clients_max ? door->listener : -1, .events = POLLIN};
    for (uint32_t i = 0; i < door->clients_n; i++)
        p[i + 1] = (struct pollfd){.fd = door->clients[i].fd, .events = POLLIN};
    return door->clients_n + 1;
}

/* Answers who has asked; true: somebody has left. */
static bool serve_door(const struct adit_broker *b, struct door *door, const struct pollfd *p, uint64_t now_ns)
{
    bool left = false;
    for (uint32_t i = door->clients_n; i-- > 0;) {
        bool has_left = p[i + 1].revents & (POLLHUP | POLLERR);
        if ((p[i + 1].revents & POLLIN) && !has_left)
            answer_client(b, door, door->clients[i].fd);
        if (has_left || now_ns > door->clients[i].deadline_ns) {
            left = true;
            close(door->clients[i].fd);
            door->clients[i] = door->clients[--door->clients_n];
        }
    }
    if (p[0].revents & POLLIN)
        accept_client(door);
    return left;
}

uint32_t adit_broker_step(struct adit_broker *b, int stop, int other, int timeout_ms)
{
    struct pollfd p[3 + 1 + CLIENTS_MAX + 1 + GUESTS_AT_ONCE] = {{.fd = stop, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    bool is_deaf = b->proxy && adit_clock_ns() < b->deaf_until_ns;
    p[2] = (struct pollfd){.fd = b->proxy && !is_deaf ? adit_proxy_bells(b->proxy) : -1, .events = POLLIN};
    uint32_t first = 3 + list_door(&b->doors[0], p + 3), n = first + list_door(&b->doors[1], p + first);
    if (poll(p, n, is_deaf && timeout_ms > 1 ? 1 : timeout_ms) < 0)
        return 0;
    uint64_t now_ns = adit_clock_ns();
    if (p[2].revents & POLLIN) {
        adit_proxy_answer(b->proxy);
        b->deaf_until_ns = now_ns + DEAF_NS;
    }
    bool left = serve_door(b, &b->doors[0], p + 3, now_ns);
    left |= serve_door(b, &b->doors[1], p + first, now_ns);
    return (left ? ADIT_BROKER_LEFT : 0) | (p[0].revents ? ADIT_BROKER_STOP : 0) | (p[1].revents ? ADIT_BROKER_OTHER : 0);
}

void adit_broker_close(struct adit_broker **broker)
{
    struct adit_broker *b = *broker;
    if (!b)
        return;
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX + 1; i++)
        for (uint32_t w = 0; w < 2; w++)
            if (b->fds[i][w] >= 0)
                close(b->fds[i][w]);
    for (uint32_t d = 0; d < 2; d++)
        for (uint32_t i = 0; i < b->doors[d].clients_n; i++)
            close(b->doors[d].clients[i].fd);
    free(b);
    *broker = NULL;
}

int adit_broker_open(struct adit_arena *arena, int listener, int guest_listener, struct adit_broker **out)
{
    struct adit_broker *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return adit_fault(-ENOMEM, "arena %s: no memory for its broker", arena->name);
    b->arena = arena;
    b->doors[0] = (struct door){.listener = listener, .clients_max = CLIENTS_MAX, .client_ns = CLIENT_NS};
    b->doors[1] = (struct door){.listener = guest_listener, .is_guests = true, .clients_max = GUESTS_AT_ONCE, .client_ns = GUEST_NS};
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        for (uint32_t w = 0; w < 2; w++)
            b->fds[i][w] = i < arena->segments_n ? adit_segment_reopen(&arena->maps[i], w) : -1;
    for (uint32_t w = 0; w < 2; w++)
        b->fds[INNER][w] = arena->maps[0].inner_at ? adit_segment_reopen_inner(&arena->maps[0], w) : -1;
    return 0;
}

void adit_broker_set_proxy(struct adit_broker *broker, struct adit_proxy *proxy) { broker->proxy = proxy; }

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

static void sort_out(const struct answer *a, const int *fds, struct adit_grant *g)
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

/* *connected: what went wrong is not connecting, of which detail says more. */
static int ask_once(const char *name, uint32_t role, uint64_t timeout_ns, struct answer *a, struct adit_grant *grant,
                    bool *connected)
{
    char place[ADIT_PLACE_BYTES];
    bool is_wrong = role != ADIT_ROLE_GUEST && adit_rendezvous_is_path(name);
    int fds[FDS_MAX], fd = is_wrong ? adit_fault(-EINVAL, "arena name '%.60s': a path is for guests; use 1 to 47 of A-Z a-z 0-9 . _ -", name)
                                    : adit_rendezvous_connect(name, timeout_ns, place);
    *connected = fd >= 0;
    if (fd < 0)
        return fd;
    struct hello h = {ADIT_MAGIC, adit_control_signature(), ADIT_LAYOUT_VERSION, role};
    int got = send(fd, &h, sizeof h, MSG_NOSIGNAL) == (ssize_t)sizeof h ? receive(fd, role, a, fds) : -errno;
    if (got <= 0) {
        close(fd);
        return got ? got : a->status == -EAGAIN ? -ECONNRESET : 0; /* a keeper that has just taken over: ask again */
    }
    sort_out(a, fds, grant);
    grant->connection = fd;
    memcpy(grant->place, place, sizeof place);
    return got;
}

static int refusal(const char *name, const struct answer *a)
{
    switch (a->status) {
    case -EACCES:
        return adit_fault(a->status, adit_rendezvous_is_path(name) ? "%s: guests come in by it; attach as ADIT_GUEST"
                                                                   : "arena %s: it belongs to another user; attach as that user", name);
    case -ENOTSUP: return adit_fault(a->status, "arena %s: it was made without guests; create it with guests_max (--guests)", name);
    case -EUSERS:
        return adit_fault(a->status, "arena %s: no page is left that a guest of this user may have; create it with more (--guests)", name);
    case -ESRCH:
        return adit_fault(a->status, "arena %s: its keeper cannot see this process (another PID namespace, or /proc hides it)", name);
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
