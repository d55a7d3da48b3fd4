/* storm_sniper.c - ptrace(2) and the debug registers of x86: address in DR0 to DR3, DR7 says which are on and for what (Intel SDM 3,
 * 18.2.4: bit 2n on, bits 16+4n.. 01 writes, bits 18+4n.. 10 eight bytes). */
#include "tests/storm_sniper.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shm/shm.h"

#if defined(__x86_64__)
#define WATCHPOINTS 4u
#define LOOK_US 50u
#define LOOKS 600u

/* Waits for a stop of tid; false: none in time, or it has ended. */
static bool await_stop(pid_t tid, uint32_t looks)
{
    int status;
    for (uint32_t i = 0; i < looks; i++) {
        pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
        if (got)
            return got == tid && WIFSTOPPED(status);
        usleep(LOOK_US);
    }
    return false;
}

static bool poke(pid_t tid, uint32_t reg, uint64_t value)
{
    return !ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, u_debugreg) + reg * sizeof(uint64_t), value);
}

static bool set_watchpoints(pid_t tid, const uint64_t *at, uint32_t n)
{
    uint64_t control = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!poke(tid, i, at[i]))
            return false;
        control |= 1ull << 2 * i | (uint64_t)(1u | 2u << 2) << (16 + 4 * i);
    }
    return poke(tid, 7, control);
}

/* Where the first of the process's threads that is (not) its main thread keeps what it is about to commit. */
static uint32_t intents_of(const struct adit_arena *arena, pid_t pid, uintptr_t readers, bool main_thread, uint64_t *at, pid_t *tid)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < arena->readers_max && n < WATCHPOINTS; i++) {
        const struct adit_reader_slot *s = &arena->readers[i];
        uint32_t owner = adit_load32_acquire(&s->owner), of = adit_owner_slot(owner);
        pid_t thread = (pid_t)adit_load32_relaxed(&s->tid);
        if (!owner || of >= arena->participants_max ||
            (pid_t)adit_part_pid(adit_load_acquire(&arena->participants[of].word)) != pid || (thread == pid) != main_thread ||
            (n && thread != *tid))
            continue;
        *tid = thread;
        at[n++] = readers + i * sizeof *s + offsetof(struct adit_reader_slot, intent);
    }
    return n;
}

static void let_go(pid_t tid)
{
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    (void)await_stop(tid, 1000 * LOOKS); /* it must be let go, however busy the machine */
    (void)poke(tid, 7, 0);
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

static bool step_on(pid_t tid, uint32_t steps)
{
    if (!poke(tid, 7, 0))
        return false;
    for (uint32_t i = 0; i < steps; i++)
        if (ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL) || !await_stop(tid, LOOKS))
            return false;
    return true;
}

bool storm_aim(const struct adit_arena *arena, pid_t pid, uintptr_t readers, uint32_t steps, pid_t *tid)
{
    uint64_t at[WATCHPOINTS];
    uint32_t n = intents_of(arena, pid, readers, false, at, tid);
    if (!n)
        n = intents_of(arena, pid, readers, true, at, tid);
    if (!n || ptrace(PTRACE_SEIZE, *tid, NULL, NULL))
        return false;
    if (!ptrace(PTRACE_INTERRUPT, *tid, NULL, NULL) && await_stop(*tid, LOOKS) && set_watchpoints(*tid, at, n) &&
        !ptrace(PTRACE_CONT, *tid, NULL, NULL) && await_stop(*tid, LOOKS) && step_on(*tid, steps))
        return true;
    let_go(*tid);
    return false;
}

void storm_shoot(pid_t pid, pid_t tid)
{
    int status = 0;
    kill(pid, SIGKILL);
    while (tid != pid && waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status))
        continue;
}

#else

bool storm_aim(const struct adit_arena *arena, pid_t pid, uintptr_t readers, uint32_t steps, pid_t *tid)
{
    (void)arena, (void)pid, (void)readers, (void)steps, (void)tid;
    return false;
}

void storm_shoot(pid_t pid, pid_t tid)
{
    (void)tid;
    kill(pid, SIGKILL);
}

#endif
