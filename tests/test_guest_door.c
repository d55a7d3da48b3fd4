/* The guests' door under siege (shm/broker.h, shm/rendezvous.h): by those who may reach it, and mean harm. Nobody else waits for them, and nobody's
 * keeper is kept busy or runs out of what the kernel grants.
 *
 * (tried: a keeper that answers each hello of a connection, one that polls what has hung up, one that forgets unread answers, or closes what it was sent itself, 16 places for
 * whoever comes first, and a lock of the socket's own directory: each fails its test.) */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/control.h"
#include "shm/wire.h"
#include "tests/shm_fixture.h"

#define OWNER 65533 /* uids, where root runs this */
#define STRANGER 65534
#define GUESTS 8u

static char yard[64], path[ADIT_GUEST_PATH_BYTES]; /* a directory that everybody may enter, and the guests' socket in it */
static struct adit_arena *arena;

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    return fd;
}

static void connect_it(int fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    REQUIRE(!connect(fd, (struct sockaddr *)&a, sizeof a));
}

static int connect_raw(void)
{
    int fd = new_socket();
    connect_it(fd);
    return fd;
}

static void say_hello(int fd)
{
    struct adit_hello h = {ADIT_MAGIC, adit_control_signature(), ADIT_LAYOUT_VERSION, ADIT_ROLE_GUEST};
    (void)!send(fd, &h, sizeof h, MSG_NOSIGNAL); /* one that was cut off is none the worse */
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static uint32_t participants(void)
{
    struct adit_stats s = {.size = sizeof s};
    REQUIRE(!adit_stats(arena, &s));
    return s.participants;
}

static void until_participants(uint32_t n)
{
    for (uint32_t i = 0; i < 5000 && participants() != n; i++)
        shm_fixture_nap(1);
    assert_int_equal(participants(), n);
}

/* ---- one hello -------------------------------------------------------------------------------------------------- */

static void say_many_hellos(void *user)
{
    uint32_t *answers = user;
    struct adit_answer a;
    int fd = connect_raw();
    for (uint32_t i = 0; i < 4; i++)
        say_hello(fd);
    while (is_readable(fd, 300) && recv(fd, &a, sizeof a, 0) > 0) /* without room for descriptors */
        ++*answers;
    shm_fixture_until(answers + 1, 1);
}

static void a_connection_is_for_one_hello(void **state)
{
    uint32_t *answers = shm_fixture_shared(8);
    (void)state;
    pid_t child = shm_fixture_fork(say_many_hellos, answers);
    shm_fixture_until(answers, 1);
    shm_fixture_nap(100);
    assert_int_equal(participants(), 2); /* and one page */
    __atomic_store_n(&answers[1], 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(child), 0);
    assert_int_equal(answers[0], 1);
    until_participants(1);
}

static uint64_t cpu_ns(void)
{
    struct timespec t;
    REQUIRE(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct hang_up {
    uint32_t how, done, stop;
};

static void hang_up(void *user)
{
    struct hang_up *h = user;
    int fd = connect_raw();
    if (h->how == 1)
        say_hello(fd);
    REQUIRE(h->how != 1 || is_readable(fd, 5000)); /* and it stays unread */
    REQUIRE(!shutdown(fd, h->how ? SHUT_RDWR : SHUT_WR));
    __atomic_store_n(&h->done, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&h->stop, 1);
}

/* A keeper that polls what has hung up runs without end: half a second here. */
static void what_has_hung_up_is_not_polled(void **state)
{
    (void)state;
    for (uint32_t how = 0; how < 3; how++) {
        struct hang_up *h = shm_fixture_shared(sizeof *h);
        h->how = how;
        pid_t child = shm_fixture_fork(hang_up, h);
        shm_fixture_until(&h->done, 1);
        uint64_t begin = cpu_ns();
        shm_fixture_nap(500);
        uint64_t used = cpu_ns() - begin;
        __atomic_store_n(&h->stop, 1, __ATOMIC_RELEASE);
        assert_int_equal(shm_fixture_wait(child), 0);
        if (used > 200000000u)
            fail_msg("way %u: %llu ms of CPU time in 500", how, (unsigned long long)(used / 1000000));
    }
    until_participants(1);
}

/* ---- unread answers --------------------------------------------------------------------------------------------- */

/* Says hello on the parent's socket and ends: its page is given back, the answer stays on the way. */
static void say_hello_and_die(void *user)
{
    connect_it(*(int *)user);
    say_hello(*(int *)user);
    REQUIRE(is_readable(*(int *)user, 5000));
}

/* True: an answer lies there; false: it was cut off. */
static bool leave_unread(int *fd)
{
    *fd = new_socket();
    REQUIRE(!shm_fixture_in_child(say_hello_and_die, fd));
    struct pollfd p = {.fd = *fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && !(p.revents & POLLHUP);
}

static void unread_answers_are_counted(void **state)
{
    struct adit_attach_params p = {.size = sizeof p, .timeout_ns = 300000000u};
    struct adit_arena *a;
    int fds[12];
    uint32_t answered = 0;
    (void)state;
    for (uint32_t i = 0; i < 12; i++)
        answered += leave_unread(&fds[i]);
    assert_int_equal(answered, 4);
    shm_fixture_nap(1200); /* longer than a guest has for all it does */
    assert_true(adit_attach(path, ADIT_GUEST, &p, &a) < 0);
    shutdown(fds[1], SHUT_RDWR); /* hung up, but as full as before */
    shm_fixture_nap(1200);
    assert_true(adit_attach(path, ADIT_GUEST, &p, &a) < 0);
    for (uint32_t i = 0; i < 12; i++)
        close(fds[i]);
    p.timeout_ns = 10000000000u;
    assert_int_equal(adit_attach(path, ADIT_GUEST, &p, &a), 0);
    adit_detach(&a);
    until_participants(1);
}

/* ---- other users ------------------------------------------------------------------------------------------------ */

static void become(uid_t uid)
{
    REQUIRE(!setgid(uid) && !setuid(uid) && !prctl(PR_SET_DUMPABLE, 1) && !prctl(PR_SET_PDEATHSIG, SIGKILL));
}

static bool is_root(void)
{
    if (geteuid())
        print_message("not root: the case of other users is left out\n");
    return !geteuid();
}

static void keep_silent(void *user)
{
    uint32_t *post = user;
    int fds[100];
    become(STRANGER);
    for (uint32_t i = 0; i < 100; i++)
        fds[i] = -1;
    while (!__atomic_load_n(&post[1], __ATOMIC_ACQUIRE)) {
        for (uint32_t i = 0; i < 60; i++) {
            if (fds[i] >= 0 && !is_readable(fds[i], 0))
                continue;
            if (fds[i] >= 0)
                close(fds[i]); /* cut off: at once anew */
            fds[i] = connect_raw();
        }
        __atomic_store_n(&post[0], 1, __ATOMIC_RELEASE);
        shm_fixture_nap(1);
    }
}

static void silence_of_one_user_delays_no_other(void **state)
{
    uint32_t *post = shm_fixture_shared(8);
    struct adit_arena *a;
    (void)state;
    if (!is_root())
        return;
    pid_t child = shm_fixture_fork(keep_silent, post);
    shm_fixture_until(post, 1);
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t begin = adit_clock_ns();
        assert_int_equal(adit_attach(path, ADIT_GUEST, NULL, &a), 0);
        assert_true(adit_clock_ns() - begin < 900000000u); /* who waits for a silent one waits for the end of its second */
        adit_detach(&a);
    }
    __atomic_store_n(&post[1], 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(child), 0);
    until_participants(1);
}

struct siege {
    uint32_t ready, stop, answered;
    char directory[64], path[80];
};

/* A plain user's arena, of which the kernel lets 128 descriptors be under way. */
static void own_an_arena(void *user)
{
    struct siege *s = user;
    struct rlimit few = {128, 128};
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 4u << 20, .guests_max = GUESTS, .guest_path = s->path};
    struct adit_arena *a;
    become(OWNER);
    REQUIRE(!setrlimit(RLIMIT_NOFILE, &few) && !setenv("XDG_RUNTIME_DIR", s->directory, 1));
    REQUIRE(!adit_create("siege", &p, &a));
    __atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&s->stop, 1);
    adit_detach(&a);
}

static void besiege(void *user)
{
    struct siege *s = user;
    int fds[60];
    become(STRANGER);
    snprintf(path, sizeof path, "%s", s->path);
    for (uint32_t i = 0; i < 60; i++) {
        s->answered += leave_unread(&fds[i]);
        shm_fixture_nap(30); /* for longer than a guest has for all it does */
    }
    __atomic_store_n(&s->ready, 2, __ATOMIC_RELEASE);
    shm_fixture_until(&s->stop, 1);
}

static void join_the_owner(void *user)
{
    struct siege *s = user;
    struct adit_arena *a;
    become(OWNER);
    REQUIRE(!setenv("XDG_RUNTIME_DIR", s->directory, 1));
    REQUIRE(!adit_attach("siege", ADIT_PRODUCER, NULL, &a));
    adit_detach(&a);
}

static void unread_answers_leave_the_owner_what_the_kernel_grants(void **state)
{
    struct siege *s = shm_fixture_shared(sizeof *s);
    char sockets[80];
    (void)state;
    if (!is_root())
        return;
    snprintf(s->directory, sizeof s->directory, "/tmp/adit-siege-XXXXXX");
    assert_true(mkdtemp(s->directory) && !chmod(s->directory, 0755) && !chown(s->directory, OWNER, OWNER));
    snprintf(s->path, sizeof s->path, "%s/guests", s->directory);
    pid_t owner = shm_fixture_fork(own_an_arena, s);
    shm_fixture_until(&s->ready, 1);
    pid_t stranger = shm_fixture_fork(besiege, s);
    shm_fixture_until(&s->ready, 2);
    assert_int_equal(s->answered, 4);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(shm_fixture_in_child(join_the_owner, s), 0);
    __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
    assert_int_equal(shm_fixture_wait(stranger), 0);
    assert_int_equal(shm_fixture_wait(owner), 0);
    snprintf(sockets, sizeof sockets, "%s/adit", s->directory);
    assert_int_equal(rmdir(sockets), 0);
    assert_int_equal(rmdir(s->directory), 0);
}

/* ---- what is sent to it ----------------------------------------------------------------------------------------- */

struct mail {
    uint32_t sent, stop;
    int error; /* errno of the last one: the kernel lets none through */
};

/* A connection to itself that is full and that lingers: whoever closes it last waits for an hour. */
static int lingering_connection(int *other)
{
    static char rubbish[65536];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger linger = {1, 3600};
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(!bind(listener, (struct sockaddr *)&at, sizeof at) && !listen(listener, 1) && !getsockname(listener, (struct sockaddr *)&at, &length));
    REQUIRE(!connect(fd, (struct sockaddr *)&at, sizeof at));
    *other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (send(fd, rubbish, sizeof rubbish, MSG_DONTWAIT) > 0) {
    }
    REQUIRE(*other >= 0 && !setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    close(listener);
    return fd;
}

static void send_lingering_connections(void *user)
{
    struct mail *m = user;
    int others[4], doors[4];
    for (uint32_t i = 0; i < 4; i++) {
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr align;
        } control = {{0}};
        struct iovec part = {(char[]){"hello"}, 5};
        struct msghdr h = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
        int fd = lingering_connection(&others[i]);
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        doors[i] = connect_raw();
        m->error = sendmsg(doors[i], &h, MSG_NOSIGNAL) == 5 ? 0 : errno;
        if (m->error)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)); /* it is this one's to close */
        close(fd);
        shutdown(doors[i], SHUT_WR);
    }
    __atomic_store_n(&m->sent, 1, __ATOMIC_RELEASE);
    shm_fixture_until(&m->stop, 1);
}

/* With what Linux 6.16 has against it and without. (tried: a keeper that closes them itself: it sleeps for an hour) */
static void what_lingers_holds_up_no_keeper(void **state)
{
    char *kept = strdup(getenv("ADIT_DISABLE")), disabled[64];
    (void)state;
    for (uint32_t refuses = 0; refuses < 2; refuses++) {
        struct adit_create_params p = {.size = sizeof p, .guests_max = 1, .guest_path = path};
        struct adit_attach_params soon = {.size = sizeof soon, .timeout_ns = 5000000000u};
        struct mail *m = shm_fixture_shared(sizeof *m);
        struct adit_arena *a, *other;
        snprintf(disabled, sizeof disabled, "%s%s", kept, refuses ? "" : ",passrights");
        setenv("ADIT_DISABLE", disabled, 1);
        snprintf(path, sizeof path, "%s/lingering", yard);
        a = shm_fixture_create(refuses ? "refusing" : "lingering", &p, 4u << 20);
        pid_t child = shm_fixture_fork(send_lingering_connections, m);
        shm_fixture_until(&m->sent, 1);
        shm_fixture_nap(1300); /* longer than a guest has for all it does */
        print_message("descriptors sent to the door: %s\n", m->error ? strerror(m->error) : "let through");
        assert_true(refuses || !m->error);
        assert_int_equal(adit_attach(a->name, ADIT_OBSERVER, &soon, &other), 0);
        adit_detach(&other);
        assert_int_equal(adit_attach(path, ADIT_GUEST, &soon, &other), refuses && m->error ? 0 : -ECONNRESET);
        if (other)
            adit_detach(&other);
        uint64_t begin = adit_clock_ns();
        adit_detach(&a);
        assert_true(adit_clock_ns() - begin < 10000000000u);
        __atomic_store_n(&m->stop, 1, __ATOMIC_RELEASE);
        assert_int_equal(shm_fixture_wait(child), 0);
    }
    snprintf(path, sizeof path, "%s/guests", yard);
    setenv("ADIT_DISABLE", kept, 1);
    free(kept);
}

/* ---- its directory ---------------------------------------------------------------------------------------------- */

static void a_lock_of_the_doors_directory_stops_nobody(void **state)
{
    char other[ADIT_GUEST_PATH_BYTES];
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 4u << 20, .guests_max = 1, .guest_path = other};
    struct adit_arena *a;
    (void)state;
    snprintf(other, sizeof other, "%s/other", yard);
    int lock = open(yard, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(lock >= 0 && !flock(lock, LOCK_EX)); /* as whoever may read it can */
    assert_int_equal(adit_create("other", &p, &a), 0);
    adit_detach(&a);
    assert_int_not_equal(access(other, F_OK), 0);
    close(lock);
}

static int open_the_door(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .guests_max = GUESTS, .guest_path = path};
    (void)state;
    arena = shm_fixture_create("door", &p, 4u << 20);
    return 0;
}

static int close_the_door(void **state)
{
    (void)state;
    adit_detach(&arena);
    return 0;
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    snprintf(yard, sizeof yard, "/tmp/adit-yard-XXXXXX");
    if (!mkdtemp(yard) || chmod(yard, 0755))
        return -1;
    snprintf(path, sizeof path, "%s/guests", yard);
    return 0;
}

static int tear_down(void **state) { return rmdir(yard) ? -1 : shm_fixture_tear_down(state); }

int main(void)
{
#define AT_THE_DOOR(test) cmocka_unit_test_setup_teardown(test, open_the_door, close_the_door)
    const struct CMUnitTest tests[] = {
        /* First, while this process has no threads: AddressSanitizer does not let go of its locks in a child of fork(), and this child has a keeper. */
        cmocka_unit_test(unread_answers_leave_the_owner_what_the_kernel_grants),
        AT_THE_DOOR(a_connection_is_for_one_hello),
        AT_THE_DOOR(what_has_hung_up_is_not_polled),
        AT_THE_DOOR(unread_answers_are_counted),
        AT_THE_DOOR(silence_of_one_user_delays_no_other),
        cmocka_unit_test(what_lingers_holds_up_no_keeper),
        cmocka_unit_test(a_lock_of_the_doors_directory_stops_nobody),
    };
    return cmocka_run_group_tests_name("guest_door", tests, set_up, tear_down);
}
