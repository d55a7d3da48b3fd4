#include "shm/deaths.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shm/participant.h"

enum watched { NOBODY, BY_PIDFD, BY_PROC, DEAD };

struct adit_deaths {
    struct adit_arena *arena;
    int epoll;
    struct {
        uint64_t word; /* of the participant, but for its state */
        int pidfd;     /* -1: none */
        enum watched watched;
    } of[];
};

/* What tells one participant of a slot from another: generation, birth, pid. */
static uint64_t identity_of(uint64_t word) { return word & ((1ull << 56) - 1); }

int adit_deaths_open(struct adit_arena *arena, struct adit_deaths **out)
{
    uint32_t n = arena->participants_max;
    struct adit_deaths *d = *out = calloc(1, sizeof *d + n * sizeof d->of[0]);
    if (!d)
        return adit_fault(-ENOMEM, "arena %s: no memory to watch its participants", arena->name);
    d->arena = arena;
    for (uint32_t i = 0; i < n; i++)
        d->of[i].pidfd = -1;
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (d->epoll >= 0)
        return 0;
    int error = -errno;
    free(d);
    *out = NULL;
    return adit_fault(error, "arena %s: cannot watch its participants: %s", arena->name, strerror(-error));
}

/* Readable itself, whatever the epoll set says: what stands there may be of a predecessor in the slot. */
static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return pidfd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static void forget(struct adit_deaths *d, uint32_t slot)
{
    if (d->of[slot].pidfd >= 0) {
        /* taken out by hand: closing does it only when no copy is left, and a child of fork() has one */
        (void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, d->of[slot].pidfd, NULL);
        close(d->of[slot].pidfd);
    }
    d->of[slot].pidfd = -1;
    d->of[slot].watched = NOBODY;
}

void adit_deaths_close(struct adit_deaths **deaths)
{
    struct adit_deaths *d = *deaths;
    if (!d)
        return;
    for (uint32_t i = 0; i < d->arena->participants_max; i++)
        forget(d, i);
    close(d->epoll);
    free(d);
    *deaths = NULL;
}

int adit_deaths_fd(const struct adit_deaths *deaths) { return deaths->epoll; }

/* Begins to watch the participant in slot, whose word is word. */
static void watch(struct adit_deaths *d, uint32_t slot, uint64_t word)
{
    struct adit_participant *p = &d->arena->participants[slot];
    d->of[slot].word = identity_of(word);
    d->of[slot].watched = BY_PROC;
    if (adit_part_state(word) == ADIT_PART_DEAD) {
        d->of[slot].watched = DEAD;
        return;
    }
    int pidfd = adit_process_open(adit_part_pid(word));
    struct epoll_event readable = {.events = EPOLLIN, .data.u32 = slot};
    uint64_t start_time;
    /* the start time is read after the descriptor is there: the process it stands for is the participant's, or is gone */
    if (pidfd >= 0 && !adit_process_start_time(adit_part_pid(word), &start_time) && adit_participant_is(p, word, start_time) &&
        !epoll_ctl(d->epoll, EPOLL_CTL_ADD, pidfd, &readable)) {
        d->of[slot].pidfd = pidfd;
        d->of[slot].watched = BY_PIDFD;
    } else if (pidfd >= 0) {
        close(pidfd);
    }
}

enum adit_deaths_view adit_deaths_look(struct adit_deaths *d)
{
    enum adit_deaths_view view = ADIT_DEATHS_SEEN;
    for (uint32_t i = 0; i < d->arena->participants_max; i++) {
        struct adit_participant *p = &d->arena->participants[i];
        uint64_t word = adit_load_acquire(&p->word); /* PART:alive */
        if (d->of[i].watched != NOBODY && identity_of(word) != d->of[i].word)
            forget(d, i);
        if (adit_part_state(word) == ADIT_PART_FREE || p == d->arena->self)
            continue;
        if (d->of[i].watched == NOBODY)
            watch(d, i, word);
        if (d->of[i].watched != BY_PROC)
            continue;
        int error = adit_participant_look(p);
        if (error == -ESRCH)
            d->of[i].watched = DEAD;
        else if (view != ADIT_DEATHS_UNSEEN)
            view = adit_error_is_poor(error) ? ADIT_DEATHS_UNSEEN : ADIT_DEATHS_BY_PROC;
    }
    return view;
}

bool adit_deaths_next(struct adit_deaths *d, uint32_t first, uint32_t *slot)
{
    struct epoll_event ended[16];
    int n = epoll_wait(d->epoll, ended, 16, 0);
    for (int i = 0; i < n; i++)
        if (has_ended(d->of[ended[i].data.u32].pidfd))
            d->of[ended[i].data.u32].watched = DEAD;
    for (uint32_t i = first; i < d->arena->participants_max; i++) {
        uint64_t word = adit_load_acquire(&d->arena->participants[i].word);
        if (d->of[i].watched != DEAD)
            continue;
        if (adit_part_state(word) != ADIT_PART_FREE && identity_of(word) == d->of[i].word) {
            *slot = i;
            return true;
        }
        forget(d, i); /* it left by itself, or is recovered */
    }
    return false;
}
