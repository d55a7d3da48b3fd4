#include "shm/broker.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shm/aside.h"
#include "shm/control.h"
#include "shm/proxy.h"
#include "shm/wire.h"

#define CLIENTS_MAX 64u        /* at a door */
#define CLIENT_NS 10000000000u /* to say hello, and to join */
#define GUESTS_EACH 4u         /* of one uid */
#define GUEST_NS 1000000000u
#define DEAF_NS 1000000u /* after a bell: a guest that rings all the time is heard a thousand times a second */

/* SILENT: has said nothing yet; ANSWERED: has its answer, which is the only one; UNREAD: a guest that is gone or late, and whose answer lies
 * unread. The kernel counts descriptors that are under way against this user, of whom it lets only so many be; so the place stays taken until they
 * are read or thrown away. LEAVING: a guest's connection is being closed, which may take a while (aside.h). */
enum client_state { SILENT, ANSWERED, UNREAD, LEAVING };
struct client {
    int fd;
    enum client_state state;
    struct adit_aside *aside; /* LEAVING; NULL: not begun */
    struct ucred peer;
    uint64_t deadline_ns;
};

/* Where clients come in. */
struct door {
    int listener; /* -1: there is none */
    bool is_guests;
    uint32_t each_max, clients_n; /* each_max: of one uid */
    uint64_t client_ns;
    struct client clients[CLIENTS_MAX];
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
static int judge(const struct adit_broker *b, const struct door *door, const struct ucred *peer, const struct adit_hello *h, ssize_t n)
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
static uint32_t choose_fds(const struct adit_broker *b, uint32_t role, struct adit_answer *a, int fds[ADIT_WIRE_FDS_MAX])
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

/* Sends a, with fds_n descriptors; 0 or -errno. */
static int send_answer(int to, const struct adit_answer *a, const int *fds, uint32_t fds_n)
{
    struct iovec part = {(void *)(uintptr_t)a, sizeof *a};
    union {
        char bytes[CMSG_SPACE(ADIT_WIRE_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fds_n) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fds_n * sizeof(int));
    }
    return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *a ? 0 : -errno;
}

/* Hears and answers a client, once. False: it is to go, refused or gone. What a guest says is only looked at and goes when it is closed (aside.h);
 * closed with that unread it would not see its refusal, so it has its second to hang up first. */
static bool answer_client(const struct adit_broker *b, const struct door *door, struct client *client)
{
    struct adit_hello h = {0};
    int fds[ADIT_WIRE_FDS_MAX];
    ssize_t n = recv(client->fd, &h, sizeof h, MSG_DONTWAIT | MSG_TRUNC | (door->is_guests ? MSG_PEEK : 0));
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    struct adit_answer a = {.magic = ADIT_MAGIC, .segments_n = b->arena->segments_n, .signature = adit_control_signature(),
                       .layout_version = ADIT_LAYOUT_VERSION, .status = judge(b, door, &client->peer, &h, n)};
    if (!a.status && h.role == ADIT_ROLE_GUEST)
        a.status = adit_proxy_admit(b->proxy, (uint32_t)client->peer.pid, client->peer.uid, &a.slot);
    if (!a.status) {
        int error = send_answer(client->fd, &a, fds, choose_fds(b, h.role, &a, fds));
        client->state = ANSWERED;
        if (!error)
            return true;
        if (h.role == ADIT_ROLE_GUEST)
            adit_proxy_end(b->proxy, a.slot, adit_load_acquire(&b->arena->participants[a.slot].word));
        a.status = error;
    }
    client->state = ANSWERED;
    return !send_answer(client->fd, &a, NULL, 0) && door->is_guests;
}

static bool has_unread(const struct client *c)
{
    int bytes = 0;
    return !ioctl(c->fd, SIOCOUTQ, &bytes) && bytes; /* unix(7): sent, and not read by the other end */
}

/* Begins to let a client go. */
static void dismiss(const struct door *door, struct client *c)
{
    c->state = LEAVING;
    if (door->is_guests)
        c->aside = adit_aside_close(c->fd);
    else
        close(c->fd);
}

/* Whether its place is free; begins again what could not begin. */
static bool has_left(const struct door *door, struct client *c)
{
    if (!door->is_guests)
        return true;
    if (!c->aside)
        c->aside = adit_aside_close(c->fd);
    if (!c->aside || !adit_aside_is_closed(c->aside))
        return false;
    adit_aside_forget(&c->aside);
    return true;
}

static uint32_t count_of(const struct door *door, uid_t uid)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < door->clients_n; i++)
        n += door->clients[i].peer.uid == uid;
    return n;
}

/* Makes room at a full door, for the next step: who has most places there loses its oldest that can be cut off. */
static void make_room(struct door *door)
{
    uint32_t which = CLIENTS_MAX, most = 0;
    for (uint32_t i = 0; i < door->clients_n; i++) {
        struct client *c = &door->clients[i];
        if (c->state == ANSWERED && door->is_guests && has_unread(c))
            c->state = UNREAD;
        uint32_t n = c->state == UNREAD || c->state == LEAVING ? 0 : count_of(door, c->peer.uid);
        if (n > most || (n && n == most && c->deadline_ns < door->clients[which].deadline_ns)) {
            which = i;
            most = n;
        }
    }
    if (which < CLIENTS_MAX)
        dismiss(door, &door->clients[which]);
}

/* 0, or that this process can take nobody in: the client stays in the backlog. */
static int accept_client(struct door *door)
{
    if (door->clients_n == CLIENTS_MAX) {
        make_room(door);
        return 0;
    }
    struct client *c = &door->clients[door->clients_n];
    socklen_t length = sizeof c->peer;
    *c = (struct client){.fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (c->fd < 0)
        return adit_error_is_poor(-errno) ? -errno : 0;
    bool may = !getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &length) && count_of(door, c->peer.uid) < door->each_max;
    c->deadline_ns = adit_clock_ns() + door->client_ns;
    door->clients_n++;
    if (!may)
        dismiss(door, c); /* it asks again */
    return 0;
}

/* Full, and nobody can be cut off. */
static bool is_stuck(const struct door *door)
{
    uint32_t n = 0;
    while (n < door->clients_n && (door->clients[n].state == UNREAD || door->clients[n].state == LEAVING))
        n++;
    return n == CLIENTS_MAX;
}

/* Whether somebody's place is to be free in an instant. */
static bool is_leaving(const struct door *door)
{
    for (uint32_t i = 0; i < door->clients_n; i++)
        if (door->clients[i].state == LEAVING)
            return true;
    return false;
}

/* Whom poll shall look at for a door: its listener first. Returns how many. */
static uint32_t list_door(const struct door *door, struct pollfd *p)
{
    p[0] = (struct pollfd){.fd = is_stuck(door) ? -1 : door->listener, .events = POLLIN};
    for (uint32_t i = 0; i < door->clients_n; i++) {
        const struct client *c = &door->clients[i];
        p[i + 1] = (struct pollfd){.fd = c->state == UNREAD || c->state == LEAVING ? -1 : c->fd, .events = c->state == SILENT ? POLLIN : POLLRDHUP};
    }
    return door->clients_n + 1;
}

/* Whether a client is to go: what poll said of it has been heard. */
static bool is_done(const struct adit_broker *b, const struct door *door, struct client *c, short revents, uint64_t now_ns)
{
    bool is_over = revents & (POLLHUP | POLLERR | POLLRDHUP) || now_ns > c->deadline_ns;
    if (c->state == UNREAD)
        return !has_unread(c);
    if (c->state == SILENT && (revents & POLLIN) && !(revents & (POLLHUP | POLLERR)))
        return !answer_client(b, door, c);
    if (is_over && c->state == ANSWERED && door->is_guests && has_unread(c)) {
        c->state = UNREAD;
        return false;
    }
    return is_over;
}

/* Answers who has asked. 0, or -errno: this process can take nobody in. */
static int serve_door(const struct adit_broker *b, struct door *door, const struct pollfd *p, uint64_t now_ns)
{
    for (uint32_t i = door->clients_n; i-- > 0;) {
        struct client *c = &door->clients[i];
        if (c->state != LEAVING && is_done(b, door, c, p[i + 1].revents, now_ns))
            dismiss(door, c);
        if (c->state == LEAVING && has_left(door, c))
            *c = door->clients[--door->clients_n];
    }
    return p[0].revents & POLLIN ? accept_client(door) : 0;
}

int adit_broker_step(struct adit_broker *b, int stop, int other, int timeout_ms)
{
    struct pollfd p[3 + 2 * (1 + CLIENTS_MAX)] = {{.fd = stop, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    bool is_deaf = b->proxy && adit_clock_ns() < b->deaf_until_ns;
    p[2] = (struct pollfd){.fd = b->proxy && !is_deaf ? adit_proxy_bells(b->proxy) : -1, .events = POLLIN};
    uint32_t first = 3 + list_door(&b->doors[0], p + 3), n = first + list_door(&b->doors[1], p + first);
    bool is_soon = is_deaf || is_leaving(&b->doors[1]);
    if (poll(p, n, is_soon && timeout_ms > 1 ? 1 : timeout_ms) < 0)
        return errno == EINTR ? 0 : -errno; /* EINVAL: more than RLIMIT_NOFILE, which was lowered */
    uint64_t now_ns = adit_clock_ns();
    if (p[2].revents & POLLIN) {
        adit_proxy_answer(b->proxy);
        b->deaf_until_ns = now_ns + DEAF_NS;
    }
    int error = serve_door(b, &b->doors[0], p + 3, now_ns), other_error = serve_door(b, &b->doors[1], p + first, now_ns);
    return error ? error : other_error;
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
        for (uint32_t i = 0; i < b->doors[d].clients_n; i++) {
            struct client *c = &b->doors[d].clients[i];
            if (c->state != LEAVING)
                dismiss(&b->doors[d], c);
            if (b->doors[d].is_guests && !c->aside)
                close(c->fd); /* no thread is to be had: then this one waits */
            adit_aside_forget(&c->aside);
        }
    free(b);
    *broker = NULL;
}

int adit_broker_open(struct adit_arena *arena, int listener, int guest_listener, struct adit_broker **out)
{
    struct adit_broker *b = calloc(1, sizeof *b);
    int error = 0;
    *out = b;
    if (!b)
        return adit_fault(-ENOMEM, "arena %s: no memory for its broker", arena->name);
    b->arena = arena;
    b->doors[0] = (struct door){.listener = listener, .each_max = CLIENTS_MAX, .client_ns = CLIENT_NS};
    b->doors[1] = (struct door){.listener = guest_listener, .is_guests = true, .each_max = GUESTS_EACH, .client_ns = GUEST_NS};
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX + 1; i++)
        for (uint32_t w = 0; w < 2; w++) {
            int *fd = &b->fds[i][w];
            *fd = i < arena->segments_n                       ? adit_segment_reopen(&arena->maps[i], w)
                  : i == INNER && arena->maps[0].inner_at ? adit_segment_reopen_inner(&arena->maps[0], w)
                                                              : -1;
            error = adit_error_is_poor(*fd) ? *fd : error;
        }
    if (error) {
        adit_broker_close(out);
        return adit_fault(error, "arena %s: its broker has no descriptors: %s", arena->name, strerror(-error));
    }
    return 0;
}

void adit_broker_set_proxy(struct adit_broker *broker, struct adit_proxy *proxy) { broker->proxy = proxy; }
