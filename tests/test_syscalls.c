/* Once attached, publishing without waiters, acquiring and releasing make no system call: a filter kills whoever tries.
 *
 * Each case runs in a child: it attaches and warms up (first calls allocate working memory), then lets the kernel kill it at
 * any system call but the few that end it (seccomp, SECCOMP_RET_KILL_PROCESS), does the work, and exits. The filter is this
 * thread's alone: the library's own background threads go on. The first case is the control: a system call under the
 * filter is seen. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"

static char directory[] = "/tmp/adit-syscalls-XXXXXX";
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static const struct adit_key key = {.x = 3, .y = -1, .z = 7};

/* From here on only exit and exit_group are let through, for this thread. */
static void forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(99);
}

static void finish(int code) { syscall(SYS_exit_group, code); }

/* Runs work in a child; returns its exit code, or -signal. */
static int in_child(void (*work)(void))
{
    int status;
    pid_t p = fork();
    if (!p) {
        work();
        finish(0);
    }
    assert_int_equal(waitpid(p, &status, 0), p);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void call_the_kernel(void)
{
    forbid_system_calls();
    (void)syscall(SYS_getppid);
}

static void a_system_call_under_the_filter_is_seen(void **state)
{
    (void)state;
    assert_int_equal(in_child(call_the_kernel), -SIGSYS);
}

static void must(int error)
{
    if (error) {
        fprintf(stderr, "test_syscalls: %s (%s)\n", adit_detail(), adit_strerror(error));
        finish(1);
    }
}

static void publish(void)
{
    struct adit_arena *a;
    struct adit_loan loan;
    struct adit_voxel_edit edit = {1, 2, 3, 0, 9};
    must(adit_attach("calls", ADIT_PRODUCER, NULL, &a));
    for (uint32_t warm = 0; warm < 2; warm++) {
        must(adit_chunk_put(a, &key, voxels, NULL));
        must(adit_chunk_edit(a, &key, &edit, 1, NULL));
        edit.material++;
    }
    forbid_system_calls();
    for (uint32_t i = 0; i < 20; i++) {
        voxels[i] = (uint16_t)(1 + i);
        must(adit_chunk_put(a, &key, voxels, NULL));
        edit.material = (uint16_t)(20 + i);
        must(adit_chunk_edit(a, &key, &edit, 1, NULL));
        must(adit_chunk_loan(a, &key, &loan));
        memcpy(loan.voxels, voxels, sizeof voxels);
        must(adit_chunk_publish(a, &loan, NULL));
        must(adit_chunk_loan(a, &key, &loan));
        adit_chunk_discard(a, &loan);
    }
}

static void publishing_without_waiters_makes_no_system_call(void **state)
{
    (void)state;
    assert_int_equal(in_child(publish), 0);
}

static void read_chunks(void)
{
    struct adit_arena *a;
    struct adit_reader *r;
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    uint32_t pin;
    must(adit_attach("calls", ADIT_CONSUMER, NULL, &a));
    must(adit_reader_open(a, &r));
    forbid_system_calls();
    for (uint32_t i = 0; i < 1000; i++) {
        adit_enter(r);
        must(adit_chunk_acquire(r, &key, &view));
        must(adit_chunk_voxel(&view, 0, 0, 0) ? 0 : -1);
        must(adit_mesh_acquire(r, &key, &mesh));
        must(adit_pin(r, view.ref, &pin));
        adit_exit(r);
        must(adit_unpin(a, pin));
    }
}

static void acquiring_pinning_and_releasing_make_no_system_call(void **state)
{
    (void)state;
    assert_int_equal(in_child(read_chunks), 0);
}

static void pass_elements(void)
{
    struct adit_arena *a;
    struct adit_ring *ring;
    struct adit_samples *line;
    uint64_t element[8] = {0};
    float frames[256 * 2] = {0};
    must(adit_attach("calls", ADIT_CONSUMER, NULL, &a));
    must(adit_ring_open(a, "r", NULL, &ring));
    must(adit_samples_open(a, "s", NULL, &line));
    forbid_system_calls();
    for (uint32_t i = 0; i < 5000; i++) {
        must(adit_ring_push(ring, element, 1) == 1 && adit_ring_pop(ring, element, 1) == 1 ? 0 : -1);
        must(adit_samples_write(line, frames, 256) == 256 && adit_samples_read(line, frames, 256) == 256 ? 0 : -1);
    }
}

static void rings_without_waiters_make_no_system_call(void **state)
{
    (void)state;
    assert_int_equal(in_child(pass_elements), 0);
}

static void take_changes(void)
{
    struct adit_arena *a;
    struct adit_watch *w;
    struct adit_watch_event event;
    struct adit_watch_params params = {.size = sizeof params,
                                       .with_present = true};
    must(adit_attach("calls", ADIT_CONSUMER, NULL, &a));
    must(adit_watch_open(a, &params, &w));
    forbid_system_calls();
    must(adit_watch_next(w, &event, 0));
    must(adit_watch_next(w, &event, 0) == -EAGAIN ? 0 : -1);
}

static void taking_changes_that_are_there_makes_no_system_call(void **state)
{
    (void)state;
    assert_int_equal(in_child(take_changes), 0);
}

/* The arena lives in a process of its own: a child of one with threads could inherit an allocator's lock. */
static pid_t owner;
static int owner_ends[2]; /* it says "ready" on one pipe and ends when the other is closed */

static int own_arena(int ready, int end)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 128u << 20};
    struct adit_arena *arena;
    struct adit_dispatcher *d;
    char byte = 1;
    voxels[0] = 1;
    if (adit_create("calls", &params, &arena) || adit_chunk_put(arena, &key, voxels, NULL) ||
        adit_dispatcher_open(arena, NULL, &d) || adit_settle(arena, 20000000000u))
        return 1;
    adit_dispatcher_close(&d); /* a sleeping dispatcher would be a waiter */
    if (write(ready, &byte, 1) != 1)
        return 1;
    (void)!read(end, &byte, 1);
    adit_detach(&arena);
    return 0;
}

static int set_up(void **state)
{
    int ready[2], end[2];
    char byte;
    (void)state;
    if (!mkdtemp(directory) || setenv("XDG_RUNTIME_DIR", directory, 1) || pipe(ready) || pipe(end))
        return -1;
    owner = fork();
    if (!owner) {
        close(end[1]);
        _exit(own_arena(ready[1], end[0]));
    }
    close(ready[1]);
    close(end[0]);
    owner_ends[0] = ready[0];
    owner_ends[1] = end[1];
    voxels[0] = 1;
    return read(ready[0], &byte, 1) == 1 ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[64];
    int status;
    (void)state;
    close(owner_ends[0]);
    close(owner_ends[1]);
    waitpid(owner, &status, 0);
    snprintf(path, sizeof path, "%s/adit", directory);
    return status || rmdir(path) || rmdir(directory);
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
    puts("ThreadSanitizer makes system calls of its own");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_call_under_the_filter_is_seen),
        cmocka_unit_test(acquiring_pinning_and_releasing_make_no_system_call),
        cmocka_unit_test(rings_without_waiters_make_no_system_call),
        cmocka_unit_test(taking_changes_that_are_there_makes_no_system_call),
        cmocka_unit_test(publishing_without_waiters_makes_no_system_call),
    };
    return cmocka_run_group_tests_name("system calls", tests, set_up, tear_down);
}
