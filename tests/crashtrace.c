#include "tests/crashtrace.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crashsymbols.h"

#define INT3 0xcc
#define REGISTER(name) ((void *)offsetof(struct user_regs_struct, name))
#define OPTIONS (PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

/* Where a child arrives when its operation has returned: stepping ends here. The harness's own text, so never inside. */
__attribute__((noinline, used)) static void operation_is_over(void) { __asm__ volatile("" ::: "memory"); }

/* Where a call out of the library returns to: its return address is replaced by this one for as long as it runs. */
__attribute__((noinline, used)) static void call_is_over(void) { __asm__ volatile("int3" ::: "memory"); }

static long request(int what, pid_t pid, void *address, void *data, const char *name)
{
    errno = 0;
    long r = ptrace(what, pid, address, data);
    if (r == -1 && errno)
        crash_fail(name, strerror(errno));
    return r;
}

static uint64_t read_register(const struct crashtrace *t, void *which)
{
    return (uint64_t)request(PTRACE_PEEKUSER, t->tid, which, NULL, "PTRACE_PEEKUSER");
}

static void forget_sibling(struct crashtrace *t, pid_t tid)
{
    for (uint32_t i = 0; i < t->siblings_n; i++)
        if (t->siblings[i] == tid)
            t->siblings[i--] = t->siblings[--t->siblings_n];
}

static void add_sibling(struct crashtrace *t, pid_t tid)
{
    if (t->siblings_n == CRASHTRACE_SIBLINGS_MAX)
        crash_fail("crashtrace", "a child with too many threads");
    t->siblings[t->siblings_n++] = tid;
}

/* Waits until thread tid stops; false: it is no more. */
static bool wait_stop(pid_t tid, int *status)
{
    while (waitpid(tid, status, __WALL) < 0)
        if (errno != EINTR)
            return false;
    return WIFSTOPPED(*status);
}

static void hold(struct crashtrace *t, pid_t tid)
{
    int status;
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || !wait_stop(tid, &status))
        forget_sibling(t, tid);
    else if (t->breakpoint && !(status >> 16) && WSTOPSIG(status) == SIGTRAP) /* it has just met it: back before it */
        request(PTRACE_POKEUSER, tid, REGISTER(rip), (void *)t->breakpoint, "PTRACE_POKEUSER");
}

/* The threads that the child has started while it was set up. */
static void seize_siblings(struct crashtrace *t)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", t->pid);
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        pid_t tid = (pid_t)atoi(e->d_name);
        if (tid <= 0 || tid == t->pid || ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS))
            continue;
        add_sibling(t, tid);
        hold(t, tid);
    }
    if (d)
        closedir(d);
}

static void let_siblings_go(const struct crashtrace *t)
{
    for (uint32_t i = 0; i < t->siblings_n; i++)
        (void)ptrace(PTRACE_CONT, t->siblings[i], NULL, NULL); /* one that has ended meanwhile needs none */
}

static void hold_siblings(struct crashtrace *t)
{
    for (uint32_t i = t->siblings_n; i-- > 0;)
        hold(t, t->siblings[i]);
}

/* Waits for the first thread's next stop by a trap; what else stops it is dealt with. how: what to go on with after such. */
static void wait_trap(struct crashtrace *t, int how)
{
    for (;;) {
        int status;
        if (!wait_stop(t->tid, &status))
            crash_fail("crashtrace", "the child has ended in the middle of its operation");
        int event = status >> 16;
        if (event == PTRACE_EVENT_CLONE) {
            unsigned long tid = 0;
            request(PTRACE_GETEVENTMSG, t->tid, NULL, &tid, "PTRACE_GETEVENTMSG");
            add_sibling(t, (pid_t)tid);
            if (!wait_stop((pid_t)tid, &status))
                forget_sibling(t, (pid_t)tid);
            else if (t->siblings_run)
                (void)ptrace(PTRACE_CONT, (pid_t)tid, NULL, NULL);
        } else if (!event && WSTOPSIG(status) == SIGTRAP)
            break;
        else if (!event) {
            char at[80];
            snprintf(at, sizeof at, "signal %d at 0x%llx", WSTOPSIG(status), (unsigned long long)read_register(t, REGISTER(rip)));
            crash_fail("the operation has got a signal", at);
        }
        request(how, t->tid, NULL, NULL, "ptrace, going on");
    }
    t->ip = read_register(t, REGISTER(rip));
}

static void step_once(struct crashtrace *t)
{
    t->steps++;
    request(PTRACE_SINGLESTEP, t->tid, NULL, NULL, "PTRACE_SINGLESTEP");
    wait_trap(t, PTRACE_SINGLESTEP);
}

static void write_register(const struct crashtrace *t, void *which, uint64_t value)
{
    request(PTRACE_POKEUSER, t->tid, which, (void *)value, "PTRACE_POKEUSER");
}

/* Puts byte where address points in the child's text and returns what was there. */
static uint8_t patch(const struct crashtrace *t, uint64_t address, uint8_t byte)
{
    uint64_t word = (uint64_t)request(PTRACE_PEEKTEXT, t->tid, (void *)address, NULL, "PTRACE_PEEKTEXT");
    request(PTRACE_POKETEXT, t->tid, (void *)address, (void *)((word & ~(uint64_t)0xff) | byte), "PTRACE_POKETEXT");
    return (uint8_t)word;
}

/* Another thread has met the breakpoint: it goes over it while the stepped one is held. True: that one has arrived meanwhile. */
static bool pass_breakpoint(struct crashtrace *t, pid_t sibling, uint64_t address, uint8_t there)
{
    int status, passed;
    if (ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) || !wait_stop(t->tid, &status))
        crash_fail("crashtrace", "the child has ended in the middle of its operation");
    patch(t, address, there);
    request(PTRACE_POKEUSER, sibling, REGISTER(rip), (void *)address, "PTRACE_POKEUSER");
    request(PTRACE_SINGLESTEP, sibling, NULL, NULL, "PTRACE_SINGLESTEP");
    bool lives = wait_stop(sibling, &passed);
    patch(t, address, INT3);
    if (lives)
        request(PTRACE_CONT, sibling, NULL, NULL, "PTRACE_CONT");
    else
        forget_sibling(t, sibling);
    if (status >> 16 || WSTOPSIG(status) != SIGTRAP) {
        request(PTRACE_CONT, t->tid, NULL, NULL, "PTRACE_CONT");
        return false;
    }
    return true; /* the interrupt that it has not met yet stops it once more later, which wait_trap lets pass */
}

/* Waits until the stepped thread traps, while others may meet the breakpoint at address as well. */
static void wait_arrival(struct crashtrace *t, uint64_t address, uint8_t there)
{
    for (bool arrived = false; !arrived;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0 && errno == EINTR)
            continue;
        if (tid < 0 || (tid == t->tid && !WIFSTOPPED(status)))
            crash_fail("crashtrace", "the child has ended in the middle of its operation");
        bool is_trap = WIFSTOPPED(status) && !(status >> 16) && WSTOPSIG(status) == SIGTRAP;
        if (!WIFSTOPPED(status))
            forget_sibling(t, tid);
        else if (is_trap && tid == t->tid)
            arrived = true;
        else if (is_trap)
            arrived = pass_breakpoint(t, tid, address, there);
        else if (status >> 16)
            request(PTRACE_CONT, tid, NULL, NULL, "PTRACE_CONT");
        else
            crash_fail("crashtrace", "the child has got a signal");
    }
    t->ip = read_register(t, REGISTER(rip));
}

/* Runs at full speed to address or to where the operation is over; ip stands there. Breakpoints are in the text that all threads
 * share. */
static void run_to_either(struct crashtrace *t, uint64_t address)
{
    uint8_t at_over = patch(t, t->over, INT3), there = patch(t, address, INT3); /* in this order, as both may be the same */
    t->breakpoint = address;
    if (t->siblings_run)
        let_siblings_go(t);
    request(PTRACE_CONT, t->tid, NULL, NULL, "PTRACE_CONT");
    wait_arrival(t, address, there);
    if (t->siblings_run)
        hold_siblings(t);
    t->breakpoint = 0;
    patch(t, address, there);
    patch(t, t->over, at_over);
    if (t->ip != address + 1 && t->ip != t->over + 1)
        crash_fail("crashtrace", "a trap of nobody's");
    t->ip--;
    write_register(t, REGISTER(rip), t->ip);
}

/* Runs at full speed until the call that has just been entered returns. Others may run beside it: they never return to where this
 * thread's stack says. */
static void run_outside(struct crashtrace *t)
{
    void *top = (void *)read_register(t, REGISTER(rsp));
    uint64_t back = (uint64_t)request(PTRACE_PEEKDATA, t->tid, top, NULL, "PTRACE_PEEKDATA of a return address");
    request(PTRACE_POKEDATA, t->tid, top, (void *)t->call_over, "PTRACE_POKEDATA of a return address");
    if (t->siblings_run)
        let_siblings_go(t);
    request(PTRACE_CONT, t->tid, NULL, NULL, "PTRACE_CONT");
    wait_trap(t, PTRACE_CONT);
    if (t->siblings_run)
        hold_siblings(t);
    if (t->ip != t->call_over + 1)
        crash_fail("crashtrace", "a trap of nobody's");
    t->ip = back;
    write_register(t, REGISTER(rip), back);
}

/* The instruction at ip is a return (with or without a prefix): c3, c2, f3 c3, f2 c3. The child's text is ours. */
static bool is_return(uint64_t ip)
{
    const uint8_t *text = (const uint8_t *)(uintptr_t)ip;
    text += *text == 0xf3 || *text == 0xf2;
    return *text == 0xc3 || *text == 0xc2;
}

bool crashtrace_step(struct crashtrace *t)
{
    for (;;) {
        uint64_t before = t->ip;
        step_once(t);
        if (crashtrace_is_inside(before) && !crashtrace_is_inside(t->ip) && !is_return(before))
            run_outside(t);
        if (t->ip == t->over)
            return false;
        if (crashtrace_is_inside(t->ip))
            return true;
    }
}

bool crashtrace_run_to(struct crashtrace *t, uint64_t address, uint32_t nth)
{
    while (t->ip != address || --nth) {
        while (t->ip == address) /* off it, as a breakpoint under it would stop it at once; all rounds of a rep are one visit */
            step_once(t);
        if (t->ip != t->over)
            run_to_either(t, address);
        if (t->ip == t->over)
            return false;
    }
    return true;
}

/* Of the int3 in call_is_over, before which the compiler may have put something. */
static uint64_t address_of_int3(void)
{
    const uint8_t *text = (const uint8_t *)(uintptr_t)call_is_over;
    while (*text != INT3)
        text++;
    return (uint64_t)(uintptr_t)text;
}

_Noreturn static void be_the_child(int wire, const struct crash_operation *op, void *user)
{
    char go = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (op->set_up)
        op->set_up(user);
    if (send(wire, &go, 1, 0) == 1 && read(wire, &go, 1) == 1) {
        op->run(user);
        operation_is_over();
    }
    syscall(SYS_exit_group, 0);
    abort();
}

/* The child's first thread is on its way to op->run. */
static void go_to_run(struct crashtrace *t, const struct crash_operation *op, int wire)
{
    char go = 1;
    t->over = (uint64_t)(uintptr_t)operation_is_over;
    if (write(wire, &go, 1) != 1)
        crash_fail("write", strerror(errno));
    run_to_either(t, (uint64_t)(uintptr_t)op->run); /* the harness's text: only this thread comes there */
    if (t->ip == t->over)
        crash_fail(op->name, "its operation was not reached");
}

/* The thread that the set-up has started is stepped, and the first one held. */
static void go_with_sibling(struct crashtrace *t, const struct crash_operation *op)
{
    uint64_t end;
    if (t->siblings_n != 1 || !crashsymbols_range(op->until, 0, &t->over, &end))
        crash_fail(op->name, "there is not one thread beside the first, or no such function to end at");
    t->tid = t->siblings[0];
    t->siblings[0] = t->pid;
    t->ip = read_register(t, REGISTER(rip));
}

void crashtrace_start(struct crashtrace *t, const struct crash_operation *op, void *user)
{
    int wire[2], status;
    char ready;
    *t = (struct crashtrace){.siblings_run = op->siblings_run, .call_over = address_of_int3()};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire))
        crash_fail("socketpair", strerror(errno));
    fflush(NULL);
    t->pid = t->tid = fork();
    if (!t->pid) {
        close(wire[0]);
        be_the_child(wire[1], op, user);
    }
    close(wire[1]);
    if (t->pid < 0 || read(wire[0], &ready, 1) != 1)
        crash_fail(op->name, "its child has not got through set_up");
    request(PTRACE_SEIZE, t->pid, NULL, (void *)OPTIONS, "PTRACE_SEIZE");
    request(PTRACE_INTERRUPT, t->pid, NULL, NULL, "PTRACE_INTERRUPT");
    if (!wait_stop(t->pid, &status))
        crash_fail(op->name, "its child has ended before its operation");
    seize_siblings(t);
    if (op->before)
        op->before(user);
    if (op->until)
        go_with_sibling(t, op);
    else
        go_to_run(t, op, wire[0]);
    close(wire[0]);
}

void crashtrace_kill(struct crashtrace *t)
{
    int status;
    kill(t->pid, SIGKILL);
    for (;;) { /* its other threads are reaped by their tracer, too; the first one comes last */
        pid_t p = waitpid(-1, &status, __WALL);
        if ((p < 0 && errno != EINTR) || (p == t->pid && !WIFSTOPPED(status)))
            break;
    }
    t->pid = 0;
}

static void three_steps(void *user)
{
    for (volatile int i = 0; i < 3; i++)
        (void)user;
}

bool crashtrace_is_possible(void)
{
    static const struct crash_operation trial = {.name = "trial", .run = three_steps};
    pid_t p = fork();
    int status;
    if (p < 0)
        return false;
    if (!p) {
        struct crashtrace t;
        alarm(10);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        crashtrace_start(&t, &trial, NULL);
        _exit(crashtrace_step(&t)); /* nothing of it lies inside */
    }
    return waitpid(p, &status, 0) == p && WIFEXITED(status) && !WEXITSTATUS(status);
}
