/* Names and who may have which descriptor (shm/rendezvous.h, shm/broker.h): taken, bad, stale names; what each role can do to
 * the memory; strangers, garbage, silence. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shm/broker.h"
#include "shm/wire.h"
#include "tests/shm_fixture.h"

#define STRANGER 65534

static struct adit_arena *arena;

static bool is_one_line(const char *text) { return *text && !strchr(text, '\n'); }

static struct sockaddr_un address_of(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/%s.sock", shm_fixture_directory(), name);
    return a;
}

/* A raw connection, with a limit on how long answers may take. */
static int connect_raw(const char *name)
{
    struct sockaddr_un a = address_of(name);
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    REQUIRE(!connect(fd, (struct sockaddr *)&a, sizeof a));
    return fd;
}

static int32_t ask_raw(const void *bytes, size_t n)
{
    struct adit_answer a = {0};
    int fd = connect_raw("names");
    REQUIRE(send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n);
    REQUIRE(recv(fd, &a, sizeof a, 0) == (ssize_t)sizeof a); /* a recv without room for descriptors gets none */
    REQUIRE(a.magic == ADIT_MAGIC && a.layout_version == ADIT_LAYOUT_VERSION);
    close(fd);
    return a.status;
}

static struct adit_hello good_hello(void)
{
    struct adit_hello h = {ADIT_MAGIC, 0, ADIT_LAYOUT_VERSION, ADIT_CONSUMER};
    memcpy(&h.signature, (const uint8_t *)arena->control + offsetof(struct adit_control, signature), 8);
    return h;
}

static uint32_t count_fds(void)
{
    uint32_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    REQUIRE(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void a_name_in_use_is_refused(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20};
    struct adit_arena *a = (void *)&p;
    (void)state;
    assert_int_equal(adit_create("names", &p, &a), -EEXIST);
    assert_null(a);
    assert_non_null(strstr(adit_detail(), "in use"));
    assert_true(is_one_line(adit_detail()));
    a = shm_fixture_attach("names", ADIT_CONSUMER); /* and the first is none the worse */
    adit_detach(&a);
}

static void bad_names_are_refused_and_missing_ones_told(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".x", "a/b", "../x", "a b", "\xc3\xa4", "a\nb", "a%sb", "a:b",
                                      "0123456789012345678901234567890123456789012345678"};
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20};
    struct adit_arena *a;
    (void)state;
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(adit_create(bad[i], &p, &a), -EINVAL);
        assert_int_equal(adit_attach(bad[i], ADIT_CONSUMER, NULL, &a), -EINVAL);
        assert_null(a);
    }
    assert_int_equal(adit_create(NULL, &p, &a), -EINVAL);
    assert_int_equal(adit_attach("none", ADIT_CONSUMER, NULL, &a), -ENOENT);
    assert_null(a);
    assert_true(is_one_line(adit_detail()));
    assert_int_equal(adit_attach("names", (enum adit_role)0, NULL, &a), -EINVAL);
    assert_int_equal(adit_attach("names", (enum adit_role)(ADIT_GUEST + 1), NULL, &a), -EINVAL);
    /* the longest name there may be is one */
    a = shm_fixture_create("01234567890123456789012345678901234567890123456", NULL, 2u << 20);
    adit_detach(&a);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct sockaddr_un at = address_of("stale");
    struct adit_arena *a;
    (void)state;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd); /* nobody listens any more, the file stays */
    assert_int_equal(access(at.sun_path, F_OK), 0);
    assert_int_equal(adit_attach("stale", ADIT_CONSUMER, NULL, &a), -ENOENT);
    a = shm_fixture_create("stale", NULL, 2u << 20);
    struct adit_arena *c = shm_fixture_attach("stale", ADIT_CONSUMER);
    adit_detach(&c);
    adit_detach(&a);
    assert_int_not_equal(access(at.sun_path, F_OK), 0);
}

static void write_data(void *user)
{
    struct adit_arena *a = shm_fixture_attach("names", (enum adit_role)(uintptr_t)user);
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
    ((volatile uint8_t *)a->segments[1].base)[4096] = 1;
}

static void write_control(void *user)
{
    struct adit_arena *a = shm_fixture_attach("names", (enum adit_role)(uintptr_t)user);
    signal(SIGSEGV, SIG_DFL);
    ((volatile uint8_t *)a->control)[4095] = 0;
}

/* Nothing that a descriptor allows makes its memory writable, smaller or empty. */
static void check_read_only(const struct adit_mapping *m)
{
    assert_int_equal(fcntl(m->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(mprotect(m->base, 4096, PROT_READ | PROT_WRITE), -1);
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0), MAP_FAILED);
    assert_int_equal(pwrite(m->fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(m->fd, 4096), -1);
    assert_int_equal(ftruncate(m->fd, (off_t)m->bytes * 2), -1);
    assert_int_equal(fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    assert_int_equal(fcntl(m->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void consumers_can_do_nothing_to_the_data(void **state)
{
    struct adit_arena *c = shm_fixture_attach("names", ADIT_CONSUMER);
    (void)state;
    for (uint32_t i = 1; i < c->segments_n; i++)
        check_read_only(&c->maps[i]);
    adit_detach(&c);
    assert_int_equal(shm_fixture_in_child(write_data, (void *)ADIT_CONSUMER), -SIGSEGV);
    assert_int_equal(shm_fixture_in_child(write_control, (void *)ADIT_CONSUMER), 0);
    assert_int_equal(shm_fixture_in_child(write_data, (void *)ADIT_PRODUCER), 0); /* the control: it is the role */
}

static void observers_write_nowhere_and_take_no_slot(void **state)
{
    struct adit_stats before = {.size = sizeof before}, after = before;
    (void)state;
    assert_int_equal(adit_stats(arena, &before), 0);
    for (uint32_t i = 0; i < 500 && before.participants > 1; i++) { /* the children of the tests before are being recovered */
        shm_fixture_nap(10);
        assert_int_equal(adit_stats(arena, &before), 0);
    }
    struct adit_arena *o = shm_fixture_attach("names", ADIT_OBSERVER);
    assert_int_equal(adit_stats(o, &after), 0);
    assert_int_equal(after.participants, before.participants);
    for (uint32_t i = 0; i < o->segments_n; i++)
        check_read_only(&o->maps[i]);
    assert_int_equal(adit_unpin(o, 0), -EINVAL);
    adit_detach(&o);
    assert_int_equal(shm_fixture_in_child(write_data, (void *)ADIT_OBSERVER), -SIGSEGV);
    assert_int_equal(shm_fixture_in_child(write_control, (void *)ADIT_OBSERVER), -SIGSEGV);
}

static void segments_keep_their_size(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < arena->segments_n; i++) {
        int seals = fcntl(arena->maps[i].fd, F_GET_SEALS);
        assert_int_equal(seals & (F_SEAL_SHRINK | F_SEAL_GROW), F_SEAL_SHRINK | F_SEAL_GROW);
        assert_int_equal(ftruncate(arena->maps[i].fd, 0), -1); /* sizes between huge pages would be -EINVAL */
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(arena->maps[i].fd, (off_t)(arena->maps[i].bytes + arena->maps[i].page_bytes)), -1);
        assert_int_equal(errno, EPERM);
    }
}

static void become_a_stranger(void)
{
    REQUIRE(!setgid(STRANGER) && !setuid(STRANGER) && !prctl(PR_SET_DUMPABLE, 1)); /* else /proc/self/fd is root's */
}

static void reopen_as_stranger(void *user)
{
    char path[40];
    struct adit_arena *c = shm_fixture_attach("names", ADIT_CONSUMER);
    (void)user;
    int fd = memfd_create("control", 0); /* the control: what is anybody's can be reopened */
    REQUIRE(fd >= 0 && !fchmod(fd, 0666));
    become_a_stranger();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    REQUIRE(open(path, O_RDWR) >= 0);
    for (uint32_t i = 1; i < c->segments_n; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", c->maps[i].fd);
        REQUIRE(open(path, O_RDWR) < 0 && errno == EACCES);
    }
}

static void attach_as_stranger(void *user)
{
    struct adit_arena *a;
    struct adit_hello h = good_hello();
    (void)user;
    become_a_stranger();
    REQUIRE(adit_attach("names", ADIT_CONSUMER, NULL, &a) == -EACCES && !a && is_one_line(adit_detail()));
    REQUIRE(ask_raw(&h, sizeof h) == -EACCES); /* past the directory: the broker itself */
}

static void strangers_get_nothing(void **state)
{
    char parent[64];
    struct sockaddr_un at = address_of("names");
    (void)state;
    if (geteuid()) {
        print_message("not root: the case of another user is left out\n");
        return;
    }
    snprintf(parent, sizeof parent, "%s/..", shm_fixture_directory());
    assert_true(!chmod(parent, 0755) && !chmod(shm_fixture_directory(), 0755) && !chmod(at.sun_path, 0666));
    int attached = shm_fixture_in_child(attach_as_stranger, NULL);
    assert_true(!chmod(parent, 0700) && !chmod(shm_fixture_directory(), 0700) && !chmod(at.sun_path, 0700));
    assert_int_equal(attached, 0);
    assert_int_equal(shm_fixture_in_child(reopen_as_stranger, NULL), 0);
}

static void hellos_that_are_wrong_get_an_answer_and_no_memory(void **state)
{
    struct adit_hello h = good_hello();
    uint8_t garbage[300];
    (void)state;
    assert_int_equal(ask_raw(&h, sizeof h), 0);
    h.signature ^= 1;
    assert_int_equal(ask_raw(&h, sizeof h), -EPROTO);
    h = good_hello();
    h.layout_version++;
    assert_int_equal(ask_raw(&h, sizeof h), -EPROTO);
    h = good_hello();
    h.magic = 0;
    assert_int_equal(ask_raw(&h, sizeof h), -EPROTO);
    h = good_hello();
    h.role = 0;
    assert_int_equal(ask_raw(&h, sizeof h), -EINVAL);
    h.role = ADIT_GUEST + 1;
    assert_int_equal(ask_raw(&h, sizeof h), -EINVAL);
    h.role = ADIT_GUEST;
    assert_int_equal(ask_raw(&h, sizeof h), -ENOTSUP); /* this arena has none */
    h = good_hello();
    assert_int_equal(ask_raw(&h, sizeof h - 1), -EPROTO);
    memset(garbage, 0xa5, sizeof garbage);
    memcpy(garbage, &h, sizeof h); /* a good one with a tail */
    assert_int_equal(ask_raw(garbage, sizeof garbage), -EPROTO);
    assert_int_equal(ask_raw(garbage + 100, 1), -EPROTO);
}

static void silent_clients_delay_nobody(void **state)
{
    int silent[40];
    struct adit_attach_params p = {.size = sizeof p, .timeout_ns = 20000000000u};
    struct adit_arena *c;
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        silent[i] = connect_raw("names");
    for (uint32_t i = 0; i < 20; i += 2) /* some leave without a word */
        close(silent[i]);
    uint64_t begin = adit_clock_ns();
    assert_int_equal(adit_attach("names", ADIT_CONSUMER, &p, &c), 0);
    uint64_t took = adit_clock_ns() - begin;
    adit_detach(&c);
    /* not a matter of speed: who waited for a silent client would wait for the end of its 2 s */
    assert_true(took < 1900000000u);
    for (uint32_t i = 0; i < 40; i++)
        if (i >= 20 || i % 2)
            close(silent[i]);
}

static void attaching_leaks_no_descriptor(void **state)
{
    struct adit_arena *a;
    (void)state;
    a = shm_fixture_attach("names", ADIT_CONSUMER);
    adit_detach(&a);
    shm_fixture_nap(50); /* the broker closes its end when it has seen ours closed */
    uint32_t before = count_fds(), after = 0;
    for (uint32_t i = 0; i < 200; i++) {
        a = shm_fixture_attach("names", i % 10 ? i % 2 ? ADIT_CONSUMER : ADIT_OBSERVER : ADIT_PRODUCER);
        adit_detach(&a);
        assert_int_equal(adit_attach("none", ADIT_CONSUMER, NULL, &a), -ENOENT);
    }
    for (uint32_t i = 0; i < 200 && (after = count_fds()) > before; i++)
        shm_fixture_nap(10);
    assert_true(after <= before); /* before may count what the broker had yet to close */
}

static void participants_are_counted(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .participants_max = 3};
    struct adit_arena *a = shm_fixture_create("few", &p, 2u << 20), *two[2], *more;
    (void)state;
    two[0] = shm_fixture_attach("few", ADIT_CONSUMER);
    two[1] = shm_fixture_attach("few", ADIT_PRODUCER);
    assert_int_equal(adit_attach("few", ADIT_CONSUMER, NULL, &more), -EUSERS);
    assert_null(more);
    assert_non_null(strstr(adit_detail(), "participants_max"));
    more = shm_fixture_attach("few", ADIT_OBSERVER);
    adit_detach(&more);
    adit_detach(&two[0]);
    more = shm_fixture_attach("few", ADIT_CONSUMER);
    adit_detach(&more);
    adit_detach(&two[1]);
    adit_detach(&a);
}

static void serve_until_killed(void *user)
{
    (void)user;
    (void)shm_fixture_create("stopped", NULL, 2u << 20);
    for (;;)
        pause();
}

static bool is_served(void *user)
{
    struct adit_grant g;
    (void)user;
    bool is = !adit_broker_ask("stopped", ADIT_ROLE_OBSERVER, 1000000000u, &g);
    if (is)
        adit_grant_close(&g);
    return is;
}

/* (tried: the line without the process) */
static void who_is_stopped_and_should_answer_is_named(void **state)
{
    char named[40];
    struct adit_grant g;
    (void)state;
    pid_t child = shm_fixture_fork(serve_until_killed, NULL);
    for (uint32_t i = 0; i < 10000 && !is_served(NULL); i++)
        shm_fixture_nap(3);
    assert_int_equal(kill(child, SIGSTOP), 0);
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    snprintf(named, sizeof named, "process %d, which answers", (int)child);
    assert_int_equal(adit_broker_ask("stopped", ADIT_ROLE_OBSERVER, 100000000u, &g), -ETIMEDOUT);
    assert_non_null(strstr(adit_detail(), named));
    assert_non_null(strstr(adit_detail(), "kill -CONT"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(shm_fixture_wait(child), -SIGKILL);
}

static void a_sealed_arena_takes_no_more_producers(void **state)
{
    struct adit_create_params p = {.size = sizeof p, .flags = ADIT_CREATE_SEAL_WRITERS};
    struct adit_arena *a = shm_fixture_create("sealed", &p, 2u << 20), *other;
    (void)state;
    assert_int_equal(adit_attach("sealed", ADIT_PRODUCER, NULL, &other), -EPERM);
    assert_null(other);
    assert_true(is_one_line(adit_detail()));
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, a->maps[1].fd, 0), MAP_FAILED);
    other = shm_fixture_attach("sealed", ADIT_CONSUMER);
    adit_detach(&other);
    ((volatile uint8_t *)a->segments[1].base)[0] = 1; /* the creator goes on writing */
    adit_detach(&a);
}

static void absurd_sizes_are_clean_errors(void **state)
{
    const struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20};
    struct adit_create_params bad[8];
    struct adit_arena *a;
    (void)state;
    uint32_t before = count_fds();
    for (uint32_t i = 0; i < 8; i++)
        bad[i] = p;
    bad[0].data_bytes = UINT64_MAX;
    bad[1].data_bytes = (1ull << 40) + 1;
    bad[2].participants_max = UINT32_MAX;
    bad[3].readers_max = UINT32_MAX;
    bad[4].pins_max = UINT32_MAX;
    bad[5].chunks_max = UINT32_MAX;
    bad[6].heap_bytes = UINT64_MAX;
    bad[7].watches_max = UINT32_MAX;
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(adit_create("absurd", &bad[i], &a), -EINVAL);
        assert_null(a);
        assert_true(is_one_line(adit_detail()));
    }
    bad[0].data_bytes = 1ull << 40;
    assert_int_equal(adit_create("absurd", &bad[0], &a), -ENOMEM); /* a TiB: possible, not here */
    assert_true(is_one_line(adit_detail()));
    bad[0].size = 1;
    assert_int_not_equal(adit_create("absurd", &bad[0], &a), 0);
    for (uint32_t i = 0; i < 200 && count_fds() != before; i++)
        usleep(10000); /* the broker of this process still holds who looked whether its name is taken */
    assert_int_equal(count_fds(), before);
    assert_int_equal(adit_attach("absurd", ADIT_CONSUMER, NULL, &a), -ENOENT);
}

static int count_name(const char *name, void *user)
{
    (void)name;
    ++*(uint32_t *)user;
    return 0;
}

/* Makes another runtime directory and sets it; the fixture's is restored by use_fixture_again. */
static void use_another(char *another)
{
    REQUIRE(mkdtemp(another) && !setenv("XDG_RUNTIME_DIR", another, 1));
}

static void use_fixture_again(void)
{
    char directory[64];
    snprintf(directory, sizeof directory, "%.*s", (int)(strlen(shm_fixture_directory()) - strlen("/adit")), shm_fixture_directory());
    REQUIRE(!setenv("XDG_RUNTIME_DIR", directory, 1));
}

/* (tried: a look that makes it leaves a folder that rmdir stumbles over) */
static void who_only_looks_makes_no_directory(void **state)
{
    (void)state;
    char another[] = "/tmp/adit-other-XXXXXX";
    struct adit_arena *a;
    uint32_t names = 0;
    use_another(another);
    assert_int_equal(adit_arenas_each(count_name, &names), 0);
    assert_int_equal(names, 0);
    assert_int_equal(adit_attach("names", ADIT_OBSERVER, NULL, &a), -ENOENT);
    assert_true(is_one_line(adit_detail()) && strstr(adit_detail(), another));
    use_fixture_again();
    assert_int_equal(rmdir(another), 0);
    assert_int_equal(adit_arenas_each(count_name, &names), 0);
    assert_int_equal(names, 1);
}

/* (tried: ignored, it leads to /run/adit or /tmp without a word) */
static void a_relative_runtime_directory_is_refused(void **state)
{
    (void)state;
    struct adit_arena *a;
    uint32_t names = 0;
    REQUIRE(!setenv("XDG_RUNTIME_DIR", "run/me", 1));
    int created = adit_create("relative", NULL, &a), attached = adit_attach("names", ADIT_OBSERVER, NULL, &a),
        listed = adit_arenas_each(count_name, &names);
    use_fixture_again();
    assert_int_equal(created, -EINVAL);
    assert_int_equal(attached, -EINVAL);
    assert_int_equal(listed, -EINVAL);
    assert_true(is_one_line(adit_detail()) && strstr(adit_detail(), "'run/me'"));
}

/* (tried: looked up anew at detach, the file stays where it was bound) */
static void a_name_is_given_back_where_it_was_taken(void **state)
{
    (void)state;
    char another[] = "/tmp/adit-other-XXXXXX", folder[64], file[96];
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20};
    struct adit_arena *made, *joined;
    use_another(another);
    snprintf(folder, sizeof folder, "%s/adit", another);
    snprintf(file, sizeof file, "%s/moved.sock", folder);
    REQUIRE(!adit_create("moved", &p, &made) && !adit_attach("moved", ADIT_CONSUMER, NULL, &joined));
    use_fixture_again();
    adit_detach(&made);
    assert_int_equal(access(file, F_OK), 0); /* who is left keeps it */
    adit_detach(&joined);
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(another), 0);
}

/* (tried: all that refuses a connection removed) */
static void what_is_no_socket_is_left_alone(void **state)
{
    static const char *const kinds[] = {"file", "fifo", "link", "folder"};
    struct adit_create_params p = {.size = sizeof p, .data_bytes = 2u << 20};
    struct sockaddr_un at[4];
    struct adit_arena *a;
    struct stat s;
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        at[i] = address_of(kinds[i]);
        int fd = !i ? open(at[i].sun_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
        REQUIRE(!i ? fd >= 0 && !close(fd) : i == 1 ? !mkfifo(at[i].sun_path, 0600) : i == 2 ? !symlink("nowhere", at[i].sun_path)
                                                                                               : !mkdir(at[i].sun_path, 0700));
    }
    a = shm_fixture_create("beside", NULL, 2u << 20);
    adit_detach(&a);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(adit_create(kinds[i], &p, &a), -EEXIST);
        assert_true(is_one_line(adit_detail()) && strstr(adit_detail(), "no socket") && strstr(adit_detail(), at[i].sun_path));
        assert_int_equal(lstat(at[i].sun_path, &s), 0);
        assert_int_equal(i == 3 ? rmdir(at[i].sun_path) : unlink(at[i].sun_path), 0);
    }
    a = shm_fixture_create("last", NULL, 2u << 20);
    struct sockaddr_un last = address_of("last");
    assert_int_equal(unlink(last.sun_path), 0);
    int fd = open(last.sun_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* somebody's, put there meanwhile */
    close(fd);
    adit_detach(&a);
    assert_int_equal(unlink(last.sun_path), 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("names", NULL, 4u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_in_use_is_refused),
        cmocka_unit_test(bad_names_are_refused_and_missing_ones_told),
        cmocka_unit_test(a_stale_socket_is_replaced),
        cmocka_unit_test(consumers_can_do_nothing_to_the_data),
        cmocka_unit_test(observers_write_nowhere_and_take_no_slot),
        cmocka_unit_test(segments_keep_their_size),
        cmocka_unit_test(strangers_get_nothing),
        cmocka_unit_test(hellos_that_are_wrong_get_an_answer_and_no_memory),
        cmocka_unit_test(silent_clients_delay_nobody),
        cmocka_unit_test(attaching_leaks_no_descriptor),
        cmocka_unit_test(participants_are_counted),
        cmocka_unit_test(who_is_stopped_and_should_answer_is_named),
        cmocka_unit_test(a_sealed_arena_takes_no_more_producers),
        cmocka_unit_test(who_only_looks_makes_no_directory),
        cmocka_unit_test(a_relative_runtime_directory_is_refused),
        cmocka_unit_test(a_name_is_given_back_where_it_was_taken),
        cmocka_unit_test(what_is_no_socket_is_left_alone),
        cmocka_unit_test(absurd_sizes_are_clean_errors),
    };
    return cmocka_run_group_tests_name("broker", tests, set_up, tear_down);
}
