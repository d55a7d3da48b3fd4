/* What another user can do to an arena of which he holds the descriptors of a consumer and of an observer (SCM_RIGHTS: the worst
 * case), nor as a guest: nothing. A program of its own (this one, run anew, so that it inherits no mapping) drops to another uid, tries all that it can
 * think of, and the owner's memory is as it was. Each try is made on something that allows it, too, where it must succeed.
 * test_broker has what the socket refuses. As a plain user the tries that only another uid is refused are left out.
 *
 * (tried: with data segments of mode 0666 reopening succeeds, with writable descriptors handed to consumers all of them do.) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

#define STRANGER 65534
#define FDS_MAX 8u
#define PAGE 4096u

/* What the owner tells the stranger, beside the descriptors. */
struct letter {
    pid_t pid;          /* of the owner */
    uint64_t address;   /* of his data */
    uint32_t fds_n;
    int owner_fd;       /* number of his writable descriptor */
    char directory[64]; /* of his sockets */
    char guests[64];    /* where guests come in */
};

/* ---- tries on a descriptor; true: it worked */

static void *map(int fd, int protection, int flags)
{
    void *p = mmap(NULL, PAGE, protection, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool map_writable(int fd) { return map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) || map(fd, PROT_WRITE, MAP_SHARED); }

static bool make_writable(int fd)
{
    uint8_t *p = map(fd, PROT_READ, MAP_SHARED);
    REQUIRE(p); /* this much is given */
    return !mprotect(p, PAGE, PROT_READ | PROT_WRITE) || !mprotect(p, PAGE, PROT_WRITE);
}

static bool write_to_it(int fd)
{
    struct iovec part = {(void *)(uintptr_t)"stolen", 6};
    return pwrite(fd, "stolen", 6, 0) > 0 || pwritev(fd, &part, 1, 0) > 0;
}

static bool copy_into_it(int fd)
{
    int ends[2];
    REQUIRE(!pipe(ends) && write(ends[1], "stolen", 6) == 6);
    bool worked = splice(ends[0], NULL, fd, &(off64_t){0}, 6, 0) > 0;
    close(ends[0]);
    close(ends[1]);
    return worked;
}

static bool cut_it(int fd)
{
    struct stat s;
    REQUIRE(!fstat(fd, &s));
    return !ftruncate(fd, s.st_size / 2) || !ftruncate(fd, s.st_size * 2);
}

static bool punch_it(int fd)
{
    static const int modes[] = {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE, 0};
    for (uint32_t i = 0; i < 4; i++)
        if (!fallocate(fd, modes[i], 0, PAGE))
            return true;
    return false;
}

static bool seal_it(int fd) { return !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) || !fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL); }

static bool drop_its_pages(int fd)
{
    uint8_t *p = map(fd, PROT_READ, MAP_SHARED);
    return p && (!madvise(p, PAGE, MADV_REMOVE) || !madvise(p, PAGE, 23 /* MADV_POPULATE_WRITE */));
}

static bool change_its_flags(int fd)
{
    (void)fcntl(fd, F_SETFL, O_RDWR); /* says yes, and does nothing */
    return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

static bool reopen_it(int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDWR) >= 0 || open(path, O_WRONLY) >= 0 || open(path, O_RDONLY | O_TRUNC) >= 0;
}

static bool own_it(int fd) { return !fchmod(fd, 0666) || !fchown(fd, STRANGER, STRANGER); }

static const struct {
    const char *name;
    bool (*try)(int fd);
    bool needs_other; /* the owner himself may */
} tries[] = {
    {"a writable mapping", map_writable, false}, {"mprotect", make_writable, false}, {"writing", write_to_it, false},
    {"splicing", copy_into_it, false}, {"dropping pages", drop_its_pages, false}, {"flags", change_its_flags, false},
    {"punching holes", punch_it, false}, {"truncating", cut_it, false}, {"reopening", reopen_it, true},
    {"mode and owner", own_it, true}, {"seals", seal_it, false},
};

/* ---- tries on a process */

static bool write_into_process(pid_t pid, uint64_t address)
{
    struct iovec from = {(void *)(uintptr_t)"stolen", 6}, to = {(void *)(uintptr_t)address, 6};
    return process_vm_writev(pid, &from, 1, &to, 1, 0) > 0;
}

static bool open_memory_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    return open(path, O_RDWR) >= 0;
}

static bool open_descriptor_of(pid_t pid, int fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    return open(path, O_RDWR) >= 0 || open(path, O_RDONLY) >= 0;
}

static bool take_descriptor_of(pid_t pid, int fd)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0;
}

static uint32_t told;

static void tell(bool wrong, const char *what, uint32_t i, bool worked)
{
    told += wrong;
    if (wrong)
        fprintf(stderr, "%s of descriptor %u: %s\n", what, i, worked ? "worked" : "was refused where it is allowed");
}

/* Node policy of a mapping: the kernel lets anybody who maps shared memory set it; pages that are there stay where and as they are. */
static void set_policy(int fd, uint64_t bytes)
{
    unsigned long node = 1;
    void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    REQUIRE(p != MAP_FAILED);
    (void)syscall(SYS_mbind, p, bytes, 2 /* MPOL_BIND */, &node, 8, 2 /* MPOL_MF_MOVE */);
    (void)madvise(p, bytes, MADV_DONTNEED);
    (void)madvise(p, bytes, 21 /* MADV_PAGEOUT */);
    (void)munmap(p, bytes);
}

static void try_process(const struct letter *l)
{
    static char mine[8];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    tell(write_into_process(l->pid, l->address), "process_vm_writev", 0, true);
    tell(!write_into_process(getpid(), (uint64_t)(uintptr_t)mine), "process_vm_writev", 1, false);
    tell(open_memory_of(l->pid), "/proc/PID/mem", 0, true);
    tell(!open_memory_of(getpid()), "/proc/PID/mem", 1, false);
    tell(open_descriptor_of(l->pid, l->owner_fd), "/proc/PID/fd", 0, true);
    tell(!open_descriptor_of(getpid(), memfd_create("mine", 0)), "/proc/PID/fd", 1, false);
    tell(take_descriptor_of(l->pid, l->owner_fd), "pidfd_getfd", 0, true);
    tell(!ptrace(PTRACE_SEIZE, l->pid, 0, 0), "ptrace", 0, true);
    tell(!kill(l->pid, SIGSTOP), "kill", 0, true);
    tell(opendir(l->directory) != NULL, "the socket's directory", 0, true);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/uid.sock", l->directory);
    tell(!connect(socket(AF_UNIX, SOCK_SEQPACKET, 0), (struct sockaddr *)&at, sizeof at), "the socket", 0, true);
}

/* As a guest, by the door that is open to him: reads, pins, watches, and can make nothing of what he was given but that. */
static void try_as_guest(const struct letter *l)
{
    struct adit_arena *a;
    struct adit_reader *r;
    struct adit_chunk_view view;
    struct adit_watch *watch;
    struct adit_key key = {.x = 0};
    uint32_t pin;
    REQUIRE(!adit_attach(l->guests, ADIT_GUEST, NULL, &a) && !adit_reader_open(a, &r) && !adit_watch_open(a, NULL, &watch));
    adit_enter(r);
    REQUIRE(!adit_chunk_acquire(r, &key, &view) && adit_chunk_is_intact(&view) && !adit_pin(r, view.ref, &pin) && !adit_exit(r));
    for (uint32_t s = 0; s < a->segments_n; s++)
        for (uint32_t t = 0; t < sizeof tries / sizeof *tries; t++)
            tell(tries[t].try(a->maps[s].fd), tries[t].name, s, true);
    REQUIRE(!a->waits && !a->maps[0].inner_at); /* nobody's futex word but his own */
    for (int fd = 0; fd < 1024; fd++) { /* his page: the one descriptor that can be written */
        struct stat s;
        int flags = fcntl(fd, F_GETFL);
        if (fstat(fd, &s) || !S_ISREG(s.st_mode) || s.st_uid == geteuid() || flags < 0 || (flags & O_ACCMODE) != O_RDWR)
            continue;
        tell((uint64_t)s.st_size != adit_guest_page_bytes(a), "a writable descriptor", (uint32_t)fd, true);
        tell(cut_it(fd), "truncating his page", (uint32_t)fd, true);
        tell(seal_it(fd), "sealing his page", (uint32_t)fd, true);
        tell(own_it(fd), "owning his page", (uint32_t)fd, true);
        REQUIRE(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE)); /* it is his; the proxy finds zeroes */
    }
    adit_watch_close(&watch);
    adit_reader_close(&r);
    adit_detach(&a);
}

static uint32_t receive(int from, struct letter *l, int fds[FDS_MAX])
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {l, sizeof *l};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    REQUIRE(recvmsg(from, &m, 0) == (ssize_t)sizeof *l && CMSG_FIRSTHDR(&m));
    memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), l->fds_n * sizeof(int));
    return l->fds_n;
}

/* The stranger: a fresh program with one descriptor. */
static int stranger(int from, bool is_other)
{
    struct letter l;
    int fds[FDS_MAX];
    REQUIRE(!is_other || (!setgroups(0, NULL) && !setgid(STRANGER) && !setuid(STRANGER) && !prctl(PR_SET_DUMPABLE, 1)));
    uint32_t n = receive(from, &l, fds);
    for (uint32_t t = 0; t < sizeof tries / sizeof *tries; t++) {
        if (tries[t].needs_other && !is_other)
            continue;
        int own = memfd_create("own", MFD_ALLOW_SEALING); /* the control: fresh for each, as some spoil it */
        REQUIRE(own >= 0 && !ftruncate(own, 16 * PAGE) && !fchmod(own, 0666));
        tell(!tries[t].try(own), tries[t].name, FDS_MAX, false);
        for (uint32_t i = 0; i < n; i++)
            tell(tries[t].try(fds[i]), tries[t].name, i, true);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct stat s;
        uint8_t *copy = map(fds[i], PROT_READ | PROT_WRITE, MAP_PRIVATE); /* a copy of his own */
        REQUIRE(copy && !fstat(fds[i], &s));
        memset(copy, 0xee, PAGE);
        set_policy(fds[i], (uint64_t)s.st_size);
    }
    if (is_other) {
        try_process(&l);
        try_as_guest(&l);
    }
    return told ? 1 : 0;
}

/* ---- the owner */

/* Where everybody may look, as its creator wishes. */
static char door[] = "/tmp/adit-guests-XXXXXX", guest_path[64];

static struct adit_arena *arena;

static void send_letter(int to, const struct letter *l, const int *fds)
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec part = {(void *)(uintptr_t)l, sizeof *l};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(l->fds_n * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(l->fds_n * sizeof(int))};
    memcpy(CMSG_DATA(c), fds, l->fds_n * sizeof(int));
    assert_int_equal(sendmsg(to, &m, 0), sizeof *l);
}

static int run_stranger(const struct letter *l, const int *fds, bool is_other)
{
    int ends[2];
    char number[16], other[2] = {is_other ? '1' : '0', 0};
    char *const arguments[] = {"stranger", "--stranger", number, other, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    int end = dup(ends[1]); /* the one that outlives exec */
    snprintf(number, sizeof number, "%d", end);
    send_letter(ends[0], l, fds);
    pid_t child = fork();
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv("/proc/self/exe", arguments);
        syscall(SYS_exit_group, 2);
    }
    close(ends[0]);
    close(ends[1]);
    close(end);
    return shm_fixture_wait(child);
}

static void strangers_with_descriptors_can_change_nothing(void **state)
{
    struct adit_arena *consumer = shm_fixture_attach("uid", ADIT_CONSUMER), *observer = shm_fixture_attach("uid", ADIT_OBSERVER);
    struct adit_arena *guest = shm_fixture_attach("uid", ADIT_GUEST);
    const int fds[] = {consumer->maps[1].fd, observer->maps[0].fd, observer->maps[1].fd, guest->maps[0].fd, guest->maps[1].fd};
    struct letter l = {.pid = getpid(), .address = (uint64_t)(uintptr_t)arena->maps[1].base, .fds_n = 5, .owner_fd = arena->maps[1].fd};
    bool is_other = !geteuid();
    (void)state;
    if (!is_other)
        print_message("not root: what only another user is refused is left out\n");
    snprintf(l.directory, sizeof l.directory, "%s", shm_fixture_directory());
    snprintf(l.guests, sizeof l.guests, "%s", guest_path);
    uint8_t *copy = malloc(arena->maps[1].bytes);
    memcpy(copy, arena->maps[1].base, arena->maps[1].bytes);
    assert_int_equal(run_stranger(&l, fds, is_other), 0);
    assert_memory_equal(copy, arena->maps[1].base, arena->maps[1].bytes);
    free(copy);
    for (uint32_t i = 0; i < 2; i++) {
        struct stat s;
        assert_int_equal(fstat(arena->maps[i].fd, &s), 0);
        assert_int_equal(s.st_size, i ? arena->maps[i].bytes : arena->maps[i].inner_at);
        assert_int_equal(s.st_mode & 0777, 0600);
        assert_int_equal(s.st_uid, geteuid());
        assert_int_equal(fcntl(arena->maps[i].fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
    }
    adit_detach(&consumer);
    adit_detach(&observer);
    adit_detach(&guest);
}

/* The owner's pages are all there and his to write, whatever policy a stranger has set. */
static void the_owner_goes_on(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_verify_params p = {.size = sizeof p, .flags = ADIT_VERIFY_DEEP};
    (void)state;
    for (uint64_t at = 0; at < arena->maps[1].bytes; at += PAGE) {
        volatile uint8_t *byte = arena->maps[1].base + at;
        *byte = *byte;
    }
    for (int32_t i = 0; i < 8; i++) {
        struct adit_key key = {.x = i};
        voxels[i] = 7;
        assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    }
    assert_int_equal(adit_verify(arena, &p, NULL, NULL), 0);
}

static int set_up(void **state)
{
    static uint16_t voxels[ADIT_CHUNK_VOXELS];
    struct adit_key key = {.x = 0};
    if (shm_fixture_set_up(state))
        return -1;
    struct adit_create_params p = {.size = sizeof p, .guests_max = 2, .guest_path = guest_path};
    if (!mkdtemp(door) || chmod(door, 0755))
        return -1;
    snprintf(guest_path, sizeof guest_path, "%s/guests", door);
    arena = shm_fixture_create("uid", &p, 4u << 20);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i % 11);
    return adit_chunk_put(arena, &key, voxels, NULL);
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    if (rmdir(door)) /* its socket is gone */
        return -1;
    return shm_fixture_tear_down(state);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--stranger"))
        return stranger(atoi(argv[2]), argv[3][0] == '1');
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_with_descriptors_can_change_nothing),
        cmocka_unit_test(the_owner_goes_on),
    };
    return cmocka_run_group_tests_name("hostile_uid", tests, set_up, tear_down);
}
