#include "tests/stepped.h"

#include <setjmp.h>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

static bool (*current_hook)(uint32_t n, void *user);
static void *current_user;
static volatile uint32_t steps;
static volatile sig_atomic_t is_inside, is_over;

/* Comes after each instruction while the trap flag is set, which the kernel clears for the handler itself. */
static void on_trap(int signal, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    (void)signal, (void)info;
    if (is_inside && !current_hook(++steps, current_user))
        is_over = 1;
    if (is_over)
        *flags &= ~(greg_t)TRAP_FLAG;
    else
        *flags |= TRAP_FLAG;
}

uint32_t stepped_run(void (*work)(void *user), bool (*hook)(uint32_t n, void *user), void *user)
{
    struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO}, before;
    current_hook = hook;
    current_user = user;
    steps = 0;
    is_inside = is_over = 0;
    sigaction(SIGTRAP, &trap, &before);
    raise(SIGTRAP); /* its return sets the flag */
    is_inside = 1;
    work(user);
    is_inside = 0;
    is_over = 1; /* the trap after this store ends it */
    sigaction(SIGTRAP, &before, NULL);
    return steps;
}

#else

uint32_t stepped_run(void (*work)(void *user), bool (*hook)(uint32_t n, void *user), void *user)
{
    (void)hook;
    work(user);
    return 0;
}

#endif

static sigjmp_buf out;
static uint32_t death_at;

static bool die_there(uint32_t n, void *user)
{
    (void)user;
    if (n == death_at)
        siglongjmp(out, 1);
    return true;
}

uint32_t stepped_death(void (*work)(void *user), uint32_t at, void *user, bool *is_dead)
{
    death_at = at;
    *is_dead = true;
    if (sigsetjmp(out, 1))
        return death_at;
    uint32_t n = stepped_run(work, die_there, user);
    *is_dead = false;
    return n;
}
