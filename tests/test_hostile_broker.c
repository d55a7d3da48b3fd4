/* Attaching to what is no arena (shm/broker.h, shm/segment.h): somebody else answers at the name, with bytes that are wrong, cut off or
 * too many, and with descriptors that are no memfd, not sealed, too small, not writable, or hold other things than they say. Each is
 * an error code with one line, in every role, and leaves no descriptor behind.
 *
 * (tried: with room for as many descriptors as fit into the padding of the control message, too_many overflows a stack array.) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/wire.h"
#include "tests/shm_fixture.h"

#define FDS_MAX 160u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

/* What is answered. */
static struct {
    struct adit_answer answer;
    uint32_t bytes, fds_n;
    int fds[FDS_MAX];
} reply;

static struct adit_answer good;
static uint8_t *segments[2];
static uint64_t bytes_of[2];
static int listener = -1;
static uint32_t stop, serving; /* serving: the server is not in accept */

static void send_reply(int to)
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {&reply.answer, reply.bytes};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (reply.fds_n) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(reply.fds_n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(reply.fds_n * sizeof(int))};
        memcpy(CMSG_DATA(c), reply.fds, reply.fds_n * sizeof(int));
    }
    (void)sendmsg(to, &m, MSG_NOSIGNAL);
}

/* Answers everybody with reply. */
static void *serve(void *user)
{
    char hello[64];
    (void)user;
    while (!adit_load32_acquire(&stop)) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        adit_store32_release(&serving, 0);
        (void)poll(&p, 1, 1000);
        adit_store32_release(&serving, 1);
        int fd = p.revents & POLLIN ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0)
            continue;
        if (recv(fd, hello, sizeof hello, 0) > 0)
            send_reply(fd);
        close(fd);
    }
    return NULL;
}

/* Descriptors of this process while the server, a thread of it, holds none and nobody waits for it. */
static uint32_t count_fds(void)
{
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    uint32_t n = 0;
    while (poll(&waiting, 1, 0) || adit_load32_acquire(&serving)) /* bounded: the server answers and closes */
        shm_fixture_nap(1);
    DIR *d = opendir("/proc/self/fd");
    REQUIRE(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* A sealed memfd that holds what segment s of a sound arena holds, cut to bytes. */
static int segment_fd(uint32_t s, uint64_t bytes, int seals)
{
    int fd = memfd_create("segment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    uint64_t part = bytes < bytes_of[s] ? bytes : bytes_of[s];
    REQUIRE(fd >= 0 && !ftruncate(fd, (off_t)bytes) && pwrite(fd, segments[s], part, 0) == (ssize_t)part);
    REQUIRE(!seals || !fcntl(fd, F_ADD_SEALS, seals));
    return fd;
}

static void reply_with(const struct adit_answer *a, uint32_t bytes, uint32_t fds_n, const int *fds)
{
    (void)count_fds(); /* the server has done with the last one */
    reply.answer = *a;
    reply.answer.listeners_n = fds_n > a->segments_n;
    reply.bytes = bytes;
    reply.fds_n = fds_n;
    memcpy(reply.fds, fds, fds_n * sizeof *fds);
}

/* Attaches in each role; wanted 0: some error will do. */
static void refused_within(const char *what, int wanted, uint64_t timeout_ns)
{
    const struct adit_attach_params p = {.size = sizeof p, .timeout_ns = timeout_ns};
    for (int role = ADIT_PRODUCER; role <= ADIT_OBSERVER; role++) {
        struct adit_arena *a = (void *)&reply;
        uint32_t before = count_fds();
        int error = adit_attach("foreign", (enum adit_role)role, &p, &a);
        if (error >= 0 || a || !*adit_detail() || strchr(adit_detail(), '\n') || (wanted && error != wanted))
            fail_msg("%s, role %d: %d (%s)", what, role, error, adit_detail());
        assert_int_equal(count_fds(), before);
    }
}

static void refused(const char *what, int wanted) { refused_within(what, wanted, 60000000000u); }

static void answers_that_are_wrong_are_errors(void **state)
{
    struct adit_answer a = good;
    int none[1] = {0};
    (void)state;
    reply_with(&a, sizeof a, 0, none);
    refused("no descriptors", -EPROTO);
    reply_with(&a, sizeof a - 1, 0, none);
    refused("cut off", -EPROTO);
    reply_with(&a, 1, 0, none);
    refused("a byte", -EPROTO);
    reply_with(&a, 0, 0, none);
    refused_within("nothing", 0, 100000000u); /* asked again and again, for as long: the broker may have died */
    a.magic ^= 1;
    reply_with(&a, sizeof a, 0, none);
    refused("another magic", -EPROTO);
    a = good;
    a.status = 1;
    reply_with(&a, sizeof a, 0, none);
    refused("a status above 0", -EPROTO);
    a.status = INT32_MIN;
    reply_with(&a, sizeof a, 0, none);
    refused("a status that is no errno", -EPROTO);
    a.status = -EUSERS;
    reply_with(&a, sizeof a, 0, none);
    refused("a refusal", -EUSERS);
}

static void numbers_of_descriptors_that_are_wrong_are_errors(void **state)
{
    int zero = open("/dev/zero", O_RDWR | O_CLOEXEC), fds[FDS_MAX];
    struct adit_answer a = good;
    (void)state;
    for (uint32_t i = 0; i < FDS_MAX; i++)
        fds[i] = zero;
    for (uint32_t n = 1; n <= 150; n++) { /* too_many: 148 fit into the room for 147, with its padding */
        a.segments_n = n % 3 ? 2 : n;
        reply_with(&a, sizeof a, n, fds);
        refused("descriptors of /dev/zero", 0);
    }
    static const uint32_t lies[] = {0, 1, 16, 17, 18, INT32_MAX, UINT32_MAX};
    for (uint32_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        a.segments_n = lies[i];
        reply_with(&a, sizeof a, 3, fds);
        refused("a number of segments", 0);
    }
    close(zero);
}

/* The control segment and one of data, which must not pass as an arena. */
static void refused_pair(const char *what, int control, int data)
{
    const int three[] = {control, data, control};
    struct adit_answer a = good;
    reply_with(&a, sizeof a, 3, three); /* with a listener: for those who join */
    refused(what, 0);
    reply_with(&a, sizeof a, 2, three);
    refused(what, 0);
    if (control != data)
        close(data);
    close(control);
}

static void descriptors_that_are_no_segments_are_errors(void **state)
{
    char path[128];
    int ends[2];
    (void)state;
    int sound = segment_fd(1, bytes_of[1], SEALS);
    REQUIRE(!pipe2(ends, O_CLOEXEC));
    refused_pair("a pipe", ends[0], ends[1]);
    refused_pair("a device", open("/dev/null", O_RDWR | O_CLOEXEC), dup(sound));
    refused_pair("a directory", open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), dup(sound));
    snprintf(path, sizeof path, "%s/file", shm_fixture_directory());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(file >= 0 && !unlink(path) && write(file, segments[0], bytes_of[0]) == (ssize_t)bytes_of[0]);
    refused_pair("a file", file, dup(sound));
    refused_pair("a control segment that could shrink", segment_fd(0, bytes_of[0], 0), dup(sound));
    refused_pair("a data segment that could shrink", segment_fd(0, bytes_of[0], SEALS), segment_fd(1, bytes_of[1], F_SEAL_GROW));
    refused_pair("an empty control segment", segment_fd(0, 0, SEALS), dup(sound));
    refused_pair("a short control segment", segment_fd(0, 4095, SEALS), dup(sound));
    refused_pair("a control segment's head alone", segment_fd(0, 4096, SEALS), dup(sound));
    refused_pair("a control segment without its end", segment_fd(0, bytes_of[0] - 4096, SEALS), dup(sound));
    refused_pair("a short data segment", segment_fd(0, bytes_of[0], SEALS), segment_fd(1, 4096, SEALS));
    refused_pair("a data segment of another size", segment_fd(0, bytes_of[0], SEALS), segment_fd(1, bytes_of[1] + 4096, SEALS));
    refused_pair("data for control", segment_fd(1, bytes_of[1], SEALS), dup(sound));
    refused_pair("one for both", dup(sound), dup(sound));
    close(sound);
}

static void descriptors_that_allow_less_than_the_role_are_errors(void **state)
{
    const struct adit_attach_params p = {.size = sizeof p, .timeout_ns = 60000000000u};
    char path[64];
    struct adit_arena *a;
    struct adit_answer answer = good;
    int control = segment_fd(0, bytes_of[0], SEALS), data = segment_fd(1, bytes_of[1], SEALS);
    (void)state;
    snprintf(path, sizeof path, "/proc/self/fd/%d", control);
    int read_only[] = {open(path, O_RDONLY | O_CLOEXEC), data, data};
    reply_with(&answer, sizeof answer, 3, read_only);
    assert_int_equal(adit_attach("foreign", ADIT_CONSUMER, &p, &a), -EACCES);
    assert_null(a);
    assert_int_equal(adit_attach("foreign", ADIT_PRODUCER, &p, &a), -EACCES);
    assert_null(a);
    reply_with(&answer, sizeof answer, 2, read_only); /* the control: an observer needs no more, so this is an arena */
    assert_int_equal(adit_attach("foreign", ADIT_OBSERVER, &p, &a), 0);
    adit_detach(&a);
    close(read_only[0]);
    close(control);
    close(data);
}

/* A segment as it is at this moment, its keeper at work. */
__attribute__((no_sanitize("thread"))) static void copy_live(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 8)
        *(uint64_t *)(void *)(to + i) = *(const volatile uint64_t *)(const void *)(from + i);
}

static int set_up(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_arena *a = shm_fixture_create("sound", NULL, 2u << 20);
    for (uint32_t s = 0; s < 2; s++) {
        bytes_of[s] = a->maps[s].bytes;
        segments[s] = malloc(bytes_of[s]);
        copy_live(segments[s], a->maps[s].base, bytes_of[s]);
    }
    good = (struct adit_answer){.magic = ADIT_MAGIC, .segments_n = 2, .signature = a->control->signature, .layout_version = ADIT_LAYOUT_VERSION};
    adit_detach(&a);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/foreign.sock", shm_fixture_directory());
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 8);
}

static int tear_down(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/foreign.sock", shm_fixture_directory());
    unlink(path);
    close(listener);
    free(segments[0]);
    free(segments[1]);
    return shm_fixture_tear_down(state);
}

static pthread_t server;
static int start_server(void **state)
{
    return set_up(state) || pthread_create(&server, NULL, serve, NULL);
}
static int stop_server(void **state)
{
    adit_store32_release(&stop, 1);
    shutdown(listener, SHUT_RDWR); /* accept returns */
    pthread_join(server, NULL);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_that_are_wrong_are_errors),
        cmocka_unit_test(numbers_of_descriptors_that_are_wrong_are_errors),
        cmocka_unit_test(descriptors_that_are_no_segments_are_errors),
        cmocka_unit_test(descriptors_that_allow_less_than_the_role_are_errors),
    };
    return cmocka_run_group_tests_name("hostile_broker", tests, start_server, stop_server);
}
