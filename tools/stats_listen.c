/* stats_listen.c - one thread: it waits for sockets, answers whoever has sent a whole request, and looks now and then whether the arena is still there.
 *
 * An answer is made whole before its first byte is sent, and sent as its client takes it, so a slow one holds its own connection alone: of those there are CONNECTIONS_MAX, and one on which nothing
 * moves for IDLE_S seconds is closed. */
#include "tools/stats_listen.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/options.h"
#include "tools/say.h"
#include "tools/stats_export.h"

#define CONNECTIONS_MAX 32u
#define BACKLOG 128 /* who waits beyond them */
#define CONNECTION_BYTES ((size_t)16384) /* of a request; longer ones are refused */
#define IDLE_S 10u
#define STEP_MS 500

#define HTTP_CALLS(X) \
    X(start_daemon)   \
    X(stop_daemon)    \
    X(run_wait)       \
    X(create_response_from_buffer) \
    X(add_response_header)         \
    X(queue_response) \
    X(destroy_response)
#define POINTER(call) __typeof__(MHD_##call) *call;

struct listener {
    HTTP_CALLS(POINTER)
    struct adit_stats_source *source;
    char name[96]; /* as it is shown */
};

/* ---- answers ---------------------------------------------------------------------------------------------------- */

/* Takes text, from malloc. */
static enum MHD_Result answer(const struct listener *l, struct MHD_Connection *connection, unsigned status, const char *type, char *text, size_t bytes)
{
    struct MHD_Response *response = text ? l->create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(text);
        return MHD_NO; /* no memory: the connection is closed */
    }
    l->add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        l->add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = l->queue_response(connection, status, response);
    l->destroy_response(response);
    return result;
}

#define PLAIN "text/plain; charset=utf-8"

static enum MHD_Result answer_line(const struct listener *l, struct MHD_Connection *connection, unsigned status, const char *line)
{
    char *text = NULL;
    int n = asprintf(&text, "%s\n", line);
    return answer(l, connection, status, PLAIN, n < 0 ? NULL : text, n < 0 ? 0 : (size_t)n);
}

static enum MHD_Result answer_metrics(const struct listener *l, struct MHD_Connection *connection)
{
    struct adit_arena *arena = adit_stats_source_get(l->source);
    char *text = NULL;
    size_t bytes = 0;
    if (!arena)
        return answer_line(l, connection, MHD_HTTP_SERVICE_UNAVAILABLE, l->source->line);
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return MHD_NO;
    adit_stats_prometheus(arena, l->name, out);
    bool failed = ferror(out);
    if (fclose(out) || failed) {
        free(text);
        return MHD_NO;
    }
    return answer(l, connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, bytes);
}

static enum MHD_Result answer_page(const struct listener *l, struct MHD_Connection *connection)
{
    char *text = NULL, name[sizeof l->name * 5 + 1];
    size_t at = 0;
    for (const char *c = l->name; *c; c++)
        at += (size_t)(*c == '<' || *c == '>' || *c == '&' ? sprintf(name + at, "&#%d;", *c) : sprintf(name + at, "%c", *c));
    name[at] = 0;
    int n = asprintf(&text, "<!doctype html><title>adit: %s</title><p>What the arena %s counts: <a href=\"/metrics\">/metrics</a>\n", name, name);
    return answer(l, connection, MHD_HTTP_OK, "text/html; charset=utf-8", n < 0 ? NULL : text, n < 0 ? 0 : (size_t)n);
}

/* Called once as a request's head is there, for each part of its body, and at its end. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *body, size_t *body_bytes, void **request)
{
    const struct listener *l = user;
    (void)version;
    (void)body;
    if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
        return answer_line(l, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are understood here");
    if (!*request || *body_bytes) { /* a body is read past */
        *request = (void *)(uintptr_t)l;
        *body_bytes = 0;
        return MHD_YES;
    }
    return !strcmp(url, "/metrics") ? answer_metrics(l, connection) : !strcmp(url, "/") ? answer_page(l, connection) : answer_line(l, connection, MHD_HTTP_NOT_FOUND, "there is nothing here but /metrics");
}

/* ---- where ------------------------------------------------------------------------------------------------------ */

/* Splits where into address and port, "127.0.0.1" and "9100". */
static bool where_split(const char *where, char *address, size_t bytes, uint64_t *port)
{
    const char *colon = strrchr(where, ':'), *from = where, *digits = colon ? colon + 1 : where;
    size_t n = colon ? (size_t)(colon - where) : 0;
    if (colon && n > 1 && where[0] == '[' && colon[-1] == ']') {
        from++;
        n -= 2;
    } else if (memchr(where, ':', n)) {
        return false; /* of several, which belongs to the port? */
    }
    snprintf(address, bytes, "%.*s", colon ? (int)(n < bytes ? n : bytes - 1) : (int)sizeof "127.0.0.1" - 1, colon ? from : "127.0.0.1");
    return n < bytes && (!colon || n) && !adit_options_number(digits, false, port) && *port <= 65535;
}

/* A socket that listens, at what address and port, and whether others than this machine reach it; -1 after the line. */
static int socket_open(const char *program, const char *where, char *at, size_t at_bytes, bool *is_loopback)
{
    struct addrinfo *found = NULL, hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct sockaddr_storage bound;
    socklen_t bound_bytes = sizeof bound;
    uint64_t port = 0;
    char address[64], digits[8], shown[96];
    adit_say_printable(shown, sizeof shown, where, strlen(where));
    bool is_where = where_split(where, address, sizeof address, &port);
    snprintf(digits, sizeof digits, "%u", (unsigned)port);
    if (!is_where || getaddrinfo(address, digits, &hints, &found)) {
        adit_say_error(program, "--listen '%s': give a PORT up to 65535, or with an address in numbers 127.0.0.1:PORT or [::1]:PORT", shown);
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* a closed one of before is in nobody's way; a live one still is */
    int status = fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)&bound, &bound_bytes) ? errno : 0;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&bound;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&bound;
    freeaddrinfo(found);
    if (status) {
        const char *cure = status == EADDRINUSE      ? "; choose another port, or 0"
                           : status == EACCES        ? "; ports below 1024 are root's, choose another"
                           : status == EADDRNOTAVAIL ? "; that address is not this machine's, see `ip address`"
                                                     : "";
        adit_say_error(program, "--listen '%s': %s%s", shown, strerror(status), cure);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    bool is_six = bound.ss_family == AF_INET6;
    *is_loopback = is_six ? IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) : ntohl(four->sin_addr.s_addr) >> 24 == 127;
    snprintf(at, at_bytes, is_six ? "[%s]:%u" : "%s:%u", address, ntohs(is_six ? six->sin6_port : four->sin_port));
    return fd;
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

/* Opens libmicrohttpd, for as long as this process lives; false after the line. */
static bool library_open(const char *program, struct listener *l)
{
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    bool has_all = library != NULL;
#define FIND(call)                                       \
    *(void **)&l->call = library ? dlsym(library, "MHD_" #call) : NULL; /* as dlopen(3) shows it */ \
    has_all &= l->call != NULL;
    HTTP_CALLS(FIND)
    if (!has_all)
        adit_say_error(program, "--listen needs libmicrohttpd.so.12 (%s); install libmicrohttpd12, or use --textfile", library ? "this one lacks a call" : "it is not here");
    return has_all;
}

int adit_stats_listen_run(struct adit_stats_source *source, const char *where)
{
    struct listener l = {.source = source};
    bool is_loopback = false;
    char at[96];
    if (!library_open(source->program, &l))
        return ADIT_EXIT_FAILED;
    adit_say_printable(l.name, sizeof l.name, source->name, strlen(source->name));
    int fd = socket_open(source->program, where, at, sizeof at, &is_loopback);
    if (fd < 0)
        return ADIT_EXIT_BAD_INPUT;
    adit_interrupt_install();
    struct MHD_Daemon *daemon = l.start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, &l, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
    if (!daemon) {
        adit_say_error(source->program, "--listen: libmicrohttpd does not start: %s", strerror(errno));
        close(fd);
        return ADIT_EXIT_FAILED;
    }
    if (!is_loopback)
        adit_say_note(source->program, "whoever reaches %s can read this arena's metrics; nothing but an address of loopback keeps others out", at);
    printf("%s: http://%s/metrics\n", l.name, at);
    fflush(stdout);
    while (!adit_interrupt_is_set()) {
        l.run_wait(daemon, STEP_MS);
        adit_stats_source_look(source);
    }
    l.stop_daemon(daemon); /* closes fd and every connection */
    return ADIT_EXIT_DONE;
}
