/* pipe_ring.c - see pipe_ring.h. A pipe takes and gives 8 bytes whole (pipe(7): writes of PIPE_BUF and less are atomic), a stream may be cut anywhere, but not one that is only ever written and read by 8. */
#include "perf/pipe_ring.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
    int read, write;
};

static int make_pipe(void *memory)
{
    struct ends *e = memory;
    int fd[2];
    if (pipe(fd) != 0)
        return -errno;
    *e = (struct ends){fd[0], fd[1]};
    return 0;
}

static int make_socket(void *memory)
{
    struct ends *e = memory;
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        return -errno;
    *e = (struct ends){fd[0], fd[1]};
    return 0;
}

static bool push(void *ring, uint64_t element)
{
    const struct ends *e = ring;
    return write(e->write, &element, sizeof element) == (ssize_t)sizeof element;
}

static bool pop(void *ring, uint64_t *element)
{
    const struct ends *e = ring;
    return read(e->read, element, sizeof *element) == (ssize_t)sizeof *element;
}

/* A read has no end before something comes, so it begins only when something is there; from there on until the marked element more will come. */
static bool await_first(void *ring, const uint32_t *word, uint32_t value)
{
    const struct ends *e = ring;
    struct pollfd one = {.fd = e->read, .events = POLLIN};
    while (poll(&one, 1, 0) <= 0)
        if (__atomic_load_n(word, __ATOMIC_RELAXED) != value)
            return false;
    return true;
}

static void fill(void *ring, uint64_t n) { peer_ring_fill(push, ring, n); }
static void trip(void *there, void *back, uint64_t n) { peer_ring_trip(push, pop, there, back, n); }

static bool drain(void *ring, const uint32_t *word, uint32_t value)
{
    return await_first(ring, word, value) && peer_ring_drain(pop, ring, word, value);
}

static bool echo(void *there, void *back, const uint32_t *word, uint32_t value)
{
    return await_first(there, word, value) && peer_ring_echo(push, pop, there, back, word, value);
}

const struct peer_ring pipe_rings[PIPE_RINGS] = {
    {"a pipe", false, false, sizeof(struct ends), make_pipe, fill, drain, trip, echo},
    {"a pair of Unix sockets", false, false, sizeof(struct ends), make_socket, fill, drain, trip, echo},
};
