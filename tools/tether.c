/* tether.c - the reader keeps what came of a line until its end comes; nothing is parsed before. */
#include "tools/tether.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/interrupt.h"
#include "tools/jsonout.h"

#define READ_BYTES 4096

void adit_tether_init(struct adit_tether *tether, int fd)
{
    *tether = (struct adit_tether){.fd = fd};
}

void adit_tether_fini(struct adit_tether *tether)
{
    if (tether->fd >= 0)
        close(tether->fd);
    free(tether->buffer);
    *tether = (struct adit_tether){.fd = -1, .closed = true};
}

int adit_tether_send(struct adit_tether *tether, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return -ENOMEM;
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the end: what follows goes by length */
    n++;
    int status = 0;
    for (size_t at = 0; at < n && !status;) {
        ssize_t sent = send(tether->fd, text + at, n - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else if (errno != EINTR)
            status = -EPIPE;
    }
    free(text);
    return status;
}

/* Takes a whole line out of the buffer, if there is one. */
static int line_take(struct adit_tether *tether, json_t **object)
{
    char *end = tether->have ? memchr(tether->buffer, '\n', tether->have) : NULL;
    if (!end)
        return -EAGAIN;
    size_t n = (size_t)(end - tether->buffer);
    *object = json_loadb(tether->buffer, n, 0, NULL);
    tether->have -= n + 1;
    memmove(tether->buffer, end + 1, tether->have);
    if (!*object)
        tether->closed = true;
    return *object ? 0 : -EBADMSG;
}

int adit_tether_receive(struct adit_tether *tether, int timeout_ms, json_t **object)
{
    *object = NULL;
    for (;;) {
        int status = line_take(tether, object);
        if (status != -EAGAIN)
            return status;
        if (tether->closed)
            return -EPIPE;
        struct pollfd p = {.fd = tether->fd, .events = POLLIN};
        int ready = poll(&p, 1, timeout_ms);
        if (ready <= 0)
            return -EAGAIN; /* also after a signal: the caller looks */
        if (tether->room - tether->have < READ_BYTES) {
            size_t room = tether->room ? tether->room * 2 : 2 * READ_BYTES;
            char *buffer = room <= ADIT_TETHER_LINE_MAX ? realloc(tether->buffer, room) : NULL;
            if (!buffer) {
                tether->closed = true;
                return -EBADMSG;
            }
            tether->buffer = buffer;
            tether->room = room;
        }
        ssize_t got = recv(tether->fd, tether->buffer + tether->have, tether->room - tether->have, 0);
        if (got > 0)
            tether->have += (size_t)got;
        else if (got == 0 || errno != EINTR)
            tether->closed = true;
    }
}

void adit_tether_join(struct adit_tether *tether, int fd)
{
    adit_tether_init(tether, fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* should run have died already, the tether is closed */
}

void adit_tether_fail(struct adit_tether *tether, const char *line, int exit_code)
{
    adit_tether_send(tether, json_pack("{s:o,s:i}", "error", adit_jsonout_text(line), "exit", exit_code));
}

static bool object_says(const json_t *object, const char *what)
{
    const char *said = json_string_value(json_object_get(object, "do"));
    return said && !strcmp(said, what);
}

int adit_tether_await(struct adit_tether *tether, const char *what)
{
    for (;;) {
        json_t *object;
        int status = adit_tether_receive(tether, 100, &object);
        bool said = !status && object_says(object, what);
        json_decref(object);
        if (said)
            return 0;
        if (status == -EPIPE || status == -EBADMSG)
            return -EPIPE;
        if (adit_interrupt_is_set())
            return -EINTR;
    }
}

bool adit_tether_has(struct adit_tether *tether, const char *what)
{
    json_t *object;
    int status = adit_tether_receive(tether, 0, &object);
    bool said = status == -EPIPE || status == -EBADMSG || (!status && object_says(object, what));
    json_decref(object);
    return said;
}
