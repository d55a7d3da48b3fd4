/* test_stats_listen.c - `adit stats --listen` over sockets, as Prometheus and others meet it, and --textfile, as node_exporter does: what is served, of which arena, to whom, and what of it others can
 * spoil. States are waited for, never times. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "tests/adit_called.h"

#define TRIES 6000 /* of 10 ms each, at most */
#define SLOW 16u

static char *const cave = (char *)"cave", *const stats = (char *)"stats", *const listen_at = (char *)"--listen", *const textfile = (char *)"--textfile", *const every = (char *)"--every";
static struct spawned serve, listener;
static uint16_t port;

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); }

/* ---- a client --------------------------------------------------------------------------------------------------- */

/* A socket there; -1: nobody listens. */
static int connected(const char *address, uint16_t to)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(to)};
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 60}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void sent(int fd, const char *text) { assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text)); }

/* All that comes until the other end closes, to be freed. */
static char *received(int fd)
{
    static char text[1u << 20];
    size_t n = 0;
    for (ssize_t got; n < sizeof text - 1 && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) != 0;) {
        if (got < 0)
            fail_msg("no answer: %s, after %zu bytes", strerror(errno), n);
        n += (size_t)got;
    }
    text[n] = 0;
    close(fd);
    return strdup(text);
}

/* The whole answer to METHOD PATH, to be freed. */
static char *asked(const char *method, const char *path)
{
    char request[256];
    int fd = connected("127.0.0.1", port);
    assert_true(fd >= 0);
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method, path);
    sent(fd, request);
    return received(fd);
}

static unsigned status_of(const char *answer)
{
    unsigned status = 0;
    assert_int_equal(sscanf(answer, "HTTP/1.1 %u", &status), 1);
    return status;
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* Asks for /metrics until the status is that one, and returns the answer. */
static char *awaited(unsigned status)
{
    for (int i = 0; i < TRIES; i++, nap()) {
        char *answer = asked("GET", "/metrics");
        if (status_of(answer) == status)
            return answer;
        free(answer);
    }
    fail_msg("never %u", status);
    return NULL;
}

static double series(const char *text, const char *begin)
{
    const char *at = strstr(text, begin);
    assert_non_null(at);
    return strtod(strstr(at, "} ") + 2, NULL);
}

/* ---- what is started -------------------------------------------------------------------------------------------- */

static void serve_start(void)
{
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"32M", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
}

static void ended(struct spawned *run, int with, int code)
{
    assert_true(run->pid > 0); /* 0 where a test has failed before it was started again: all of this group would get it */
    kill(run->pid, with);
    spawned_wait(run);
    if (run->exit_code != code)
        fail_msg("exit %d, wanted %d\n%s%s", run->exit_code, code, run->out, run->err);
}

/* What a program has said so far, to be freed. */
static char *said(int fd)
{
    char *text = calloc(1, 65536);
    assert_true(text && pread(fd, text, 65535, 0) >= 0);
    return text;
}

static void listener_start(void)
{
    unsigned there = 0;
    spawned_start(ADIT, ARGV(stats, cave, listen_at, (char *)"0"), &listener);
    assert_true(spawned_says(&listener, "/metrics\n"));
    char *text = said(listener.out_fd);
    assert_int_equal(sscanf(text, "cave: http://127.0.0.1:%u/metrics", &there), 1);
    free(text);
    port = (uint16_t)there;
    assert_true(there > 0 && there < 65536);
}

static void chunks_put(uint32_t n)
{
    struct adit_arena *arena = NULL;
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    assert_int_equal(adit_attach(cave, ADIT_PRODUCER, NULL, &arena), 0);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(adit_chunk_put(arena, &(struct adit_key){.x = (int32_t)i}, voxels, NULL), 0);
    adit_detach(&arena);
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

/* tried: text/plain without its version; the page for every path; no Allow */
static void prometheus_is_served(void **state)
{
    (void)state;
    char *answer = asked("GET", "/metrics");
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strcasestr(answer, "\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_true(series(answer, "\nadit_chunks_put_total{arena=\"cave\"} ") == 3);
    FILE *promtool = access("/usr/bin/promtool", X_OK) ? NULL : popen("/usr/bin/promtool check metrics", "w");
    if (promtool) { /* Debian's prometheus: their own parser */
        fputs(body_of(answer), promtool);
        assert_int_equal(pclose(promtool), 0);
    }
    free(answer);
    chunks_put(2);
    answer = asked("GET", "/metrics?name=x");
    assert_true(series(answer, "\nadit_chunks_put_total{arena=\"cave\"} ") == 5);
    free(answer);
    answer = asked("HEAD", "/metrics");
    assert_true(status_of(answer) == 200 && !*body_of(answer) && strcasestr(answer, "\r\ncontent-length: "));
    free(answer);
    answer = asked("GET", "/");
    assert_true(status_of(answer) == 200 && strstr(body_of(answer), "<a href=\"/metrics\">") && strcasestr(answer, "\r\ncontent-type: text/html"));
    free(answer);
    static const char *const nothing[] = {"/metrics/", "/metric", "/favicon.ico", "/../etc/passwd", "//"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        answer = asked("GET", nothing[i]);
        assert_int_equal(status_of(answer), 404);
        free(answer);
    }
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "FROB"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        answer = asked(methods[i], "/metrics");
        assert_true(status_of(answer) == 405 && strcasestr(answer, "\r\nallow: GET, HEAD\r\n"));
        free(answer);
    }
}

/* tried: one bound to all addresses */
static void nobody_else_is_listened_to(void **state)
{
    (void)state;
    assert_int_equal(connected("127.0.0.2", port), -1); /* this machine's as much as its outer addresses are */
    struct spawned wide;
    spawned_start(ADIT, ARGV(stats, cave, listen_at, (char *)"0.0.0.0:0"), &wide);
    assert_true(spawned_says(&wide, "http://0.0.0.0:"));
    unsigned there = 0;
    char *text = said(wide.out_fd), *note = said(wide.err_fd);
    assert_true(sscanf(text, "cave: http://0.0.0.0:%u", &there) == 1 && strstr(note, "can read this arena's metrics"));
    free(text);
    free(note);
    int fd = connected("127.0.0.2", (uint16_t)there);
    assert_true(fd >= 0);
    close(fd);
    ended(&wide, SIGINT, 0);
    spawned_free(&wide);
}

/* A process that says a byte more on each socket, again and again, so that none of them is ever silent. */
static pid_t dripper_start(const int *fds, uint32_t n)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!pid)
        for (uint32_t i = 0; i <= n; i++)
            i < n ? (void)send(fds[i], "x", 1, MSG_NOSIGNAL) : nap();
    return pid;
}

/* Clients that say nothing, half of it byte by byte, or take no answer. tried: room for as many connections as these are */
static void who_is_slow_is_in_nobodys_way(void **state)
{
    int slow[SLOW], crowd[40];
    (void)state;
    for (uint32_t i = 0; i < SLOW; i++) {
        assert_true((slow[i] = connected("127.0.0.1", port)) >= 0);
        sent(slow[i], i % 2 ? "GET /metrics HTTP/1.1\r\nHost: " : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"); /* these are never read */
    }
    pid_t dripper = dripper_start(slow, SLOW);
    for (uint32_t i = 0; i < 20; i++) {
        char *answer = asked("GET", "/metrics");
        assert_int_equal(status_of(answer), 200);
        free(answer);
    }
    kill(dripper, SIGKILL);
    assert_int_equal(waitpid(dripper, NULL, 0), dripper);
    /* more than there may be: they wait, and once others have gone they are served */
    for (uint32_t i = 0; i < 40; i++)
        assert_true((crowd[i] = connected("127.0.0.1", port)) >= 0);
    for (uint32_t i = 0; i < SLOW; i++)
        close(slow[i]);
    for (uint32_t i = 0; i < 39; i++)
        close(crowd[i]);
    sent(crowd[39], "GET /metrics HTTP/1.0\r\n\r\n");
    char *answer = received(crowd[39]);
    assert_int_equal(status_of(answer), 200);
    free(answer);
    /* a head without end, one that is no HTTP */
    int fd = connected("127.0.0.1", port);
    assert_true(fd >= 0);
    sent(fd, "GET /metrics HTTP/1.1\r\n");
    for (int i = 0; i < 4000 && send(fd, "X-Padding: abcdefghijklmnopqrstuvwxyz\r\n", 39, MSG_NOSIGNAL) > 0; i++)
        ;
    close(fd);
    fd = connected("127.0.0.1", port);
    sent(fd, "\x16\x03\x01 hello\r\n\r\n");
    close(fd);
    answer = asked("GET", "/metrics");
    assert_int_equal(status_of(answer), 200);
    free(answer);
}

/* Whether a process maps shared memory of an arena. */
static bool maps_arena(pid_t pid)
{
    char path[64], line[512];
    bool maps = false;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        maps |= strstr(line, "memfd:") && strstr(line, "adit");
    fclose(f);
    return maps;
}

/* tried: an arena held for ever (200 with what it last counted, and its memory is not given back) */
static void an_arena_that_goes_is_missed_and_found_again(void **state)
{
    (void)state;
    char *answer = asked("GET", "/metrics");
    assert_true(status_of(answer) == 200 && maps_arena(listener.pid));
    free(answer);
    ended(&serve, SIGTERM, 0);
    spawned_free(&serve);
    for (int i = 0; maps_arena(listener.pid); i++, nap())
        assert_true(i < TRIES);
    answer = awaited(503);
    assert_true(strstr(body_of(answer), "cave") && strchr(body_of(answer), '\n') && !strchr(body_of(answer), '\n')[1]);
    free(answer);
    answer = asked("GET", "/");
    assert_int_equal(status_of(answer), 200);
    free(answer);
    serve_start();
    answer = awaited(200);
    assert_true(series(answer, "\nadit_chunks_put_total{arena=\"cave\"} ") == 0);
    free(answer);
    /* killed, as well: it holds what nobody serves no longer than a look */
    ended(&serve, SIGKILL, 128 + SIGKILL);
    spawned_free(&serve);
    free(awaited(503));
    serve_start();
    free(awaited(200));
}

static void a_signal_ends_it(void **state)
{
    struct spawned second;
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    adit_refuses("choose another port", ARGV(stats, cave, listen_at, text));
    int slow = connected("127.0.0.1", port);
    sent(slow, "GET /met");
    ended(&listener, SIGTERM, 0);
    assert_true(!*listener.err);
    spawned_free(&listener);
    assert_int_equal(connected("127.0.0.1", port), -1);
    close(slow);
    bool is_up = false;
    for (int i = 0; i < 20 && !is_up; i++, nap()) { /* the same port, at once, unless somebody else was given it meanwhile */
        spawned_start(ADIT, ARGV(stats, cave, listen_at, text), &second);
        is_up = spawned_says(&second, "/metrics\n");
        if (is_up)
            break;
        spawned_wait(&second);
        spawned_free(&second);
    }
    assert_true(is_up);
    ended(&second, SIGINT, 0);
    spawned_free(&second);
    listener_start();
}

/* Waits until a file is there, or is not. */
static void await_file(const char *path, bool is_there)
{
    for (int i = 0; !access(path, F_OK) != is_there; i++, nap())
        assert_true(i < TRIES);
}

static char *text_of(const char *path)
{
    char *text = calloc(1, 1u << 20);
    FILE *f = fopen(path, "r");
    assert_true(text && f && fread(text, 1, (1u << 20) - 1, f) > 1000);
    fclose(f);
    return text;
}

/* tried: left there while its arena is gone */
static void a_textfile_is_whole_and_never_of_the_past(void **state)
{
    struct spawned run;
    struct stat was, is;
    (void)state;
    char *path = spawned_file("cave.prom");
    adit_want(0, ARGV(stats, cave, textfile, path), &run);
    assert_true(!*run.out && !*run.err);
    spawned_free(&run);
    char *text = text_of(path);
    assert_true(series(text, "\nadit_chunks_put_total{arena=\"cave\"} ") >= 0 && text[strlen(text) - 1] == '\n');
    free(text);
    assert_int_equal(stat(path, &was), 0);
    spawned_start(ADIT, ARGV(stats, cave, textfile, path, every, (char *)"1"), &run);
    for (int i = 0; !stat(path, &is) && is.st_ino == was.st_ino; i++, nap()) /* another file each time */
        assert_true(i < TRIES);
    ended(&serve, SIGTERM, 0);
    spawned_free(&serve);
    await_file(path, false);
    serve_start();
    await_file(path, true);
    ended(&run, SIGTERM, 0);
    assert_true(strstr(run.err, "is away until it is there") && strstr(run.err, "cave is there again"));
    spawned_free(&run);
    await_file(path, true);
    assert_int_equal(spawned_files_count(".", ".part"), 0);
    adit_refuses("cannot write", ARGV(stats, cave, textfile, spawned_file("none/cave.prom"), every, (char *)"1"));
    adit_refuses("cannot write", ARGV(stats, cave, textfile, spawned_file("none/cave.prom")));
}

static void wrong_options_give_one_line_and_exit_2(void **state)
{
    (void)state;
    static const char *const wrong[] = {"65536", "x", "127.0.0.1", "127.0.0.1:", ":9100", "[::1]", "::1:9100", "[]:9100", "localhost:9100", "9100x", "-1", "1.2.3:4:5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        adit_refuses("give a PORT up to 65535", ARGV(stats, cave, listen_at, (char *)(uintptr_t)wrong[i]));
    adit_refuses("that address is not this machine's", ARGV(stats, cave, listen_at, (char *)"192.0.2.1:0"));
    adit_refuses("give one of", ARGV(stats, cave, listen_at, (char *)"0", (char *)"--json"));
    adit_refuses("--every is of --textfile", ARGV(stats, cave, every, (char *)"1"));
    adit_refuses("from 1 to", ARGV(stats, cave, textfile, spawned_file("x"), every, (char *)"0"));
    struct spawned run;
    char *image = spawned_file("image");
    adit_want(0, ARGV((char *)"dump", cave, (char *)"--image", image, (char *)"--brief"), &run);
    spawned_free(&run);
    adit_refuses("an image does not change", ARGV(stats, image, listen_at, (char *)"0"));
    adit_refuses("give one arena's NAME", ARGV(stats, listen_at, (char *)"0"));
}

static int set_up(void **state)
{
    (void)state;
    spawned_home_make();
    serve_start();
    chunks_put(3);
    listener_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ended(&listener, SIGTERM, 0);
    spawned_free(&listener);
    ended(&serve, SIGTERM, 0);
    spawned_free(&serve);
    spawned_home_remove();
    return 0;
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skipped: what is read of an arena by who has no section, and order through other processes, ThreadSanitizer cannot follow");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_is_served),
        cmocka_unit_test(nobody_else_is_listened_to),
        cmocka_unit_test(who_is_slow_is_in_nobodys_way),
        cmocka_unit_test(an_arena_that_goes_is_missed_and_found_again),
        cmocka_unit_test(a_signal_ends_it),
        cmocka_unit_test(a_textfile_is_whole_and_never_of_the_past),
        cmocka_unit_test(wrong_options_give_one_line_and_exit_2),
    };
    return cmocka_run_group_tests_name("stats_listen", tests, set_up, tear_down);
}
