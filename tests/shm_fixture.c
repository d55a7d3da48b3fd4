#include "tests/shm_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The children attach (and so start threads) after a fork of a process that has some. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

static char directory[] = "/tmp/adit-fixture-XXXXXX"; /* other users' processes must get there, as they do not in TMPDIR */
static char sockets[80];

_Noreturn void shm_fixture_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s (last failure: %s)\n", file, line, condition, adit_detail());
    syscall(SYS_exit_group, 1);
    abort();
}

int shm_fixture_set_up(void **state)
{
    (void)state;
    char list[128];
    const char *before = getenv("ADIT_DISABLE");
    snprintf(list, sizeof list, "numa,%s", before ? before : "");
    if (!mkdtemp(directory) || setenv("XDG_RUNTIME_DIR", directory, 1) || setenv("ADIT_DISABLE", list, 1))
        return -1;
    snprintf(sockets, sizeof sockets, "%s/adit", directory);
    return 0;
}

int shm_fixture_tear_down(void **state)
{
    (void)state;
    (void)rmdir(sockets); /* not there when no test made an arena */
    return rmdir(directory);
}

const char *shm_fixture_directory(void) { return sockets; }

struct adit_arena *shm_fixture_create(const char *name, const struct adit_create_params *params, uint64_t data_bytes)
{
    struct adit_create_params p = {.size = sizeof p};
    struct adit_arena *a;
    if (params)
        p = *params;
    p.data_bytes = data_bytes;
    p.chunks_max = p.chunks_max ? p.chunks_max : 64;
    REQUIRE(!adit_create(name, &p, &a));
    for (uint32_t i = 0; i < 5000 && !adit_keeper_is_here(a); i++)
        shm_fixture_nap(1);
    REQUIRE(adit_keeper_is_here(a)); /* from here on only events make its thread store anything */
    return a;
}

struct adit_arena *shm_fixture_attach(const char *name, enum adit_role role)
{
    struct adit_arena *a;
    REQUIRE(!adit_attach(name, role, NULL, &a));
    return a;
}

/* glibc gives a child's threads the stacks, and so the pthread_t, that threads of its parent had, which ThreadSanitizer still
 * counts as running. Larger stacks than those are new ones. */
static void use_new_stacks(void)
{
    pthread_attr_t a;
    size_t bytes = 0;
    pthread_attr_init(&a);
    if (!pthread_getattr_default_np(&a) && !pthread_attr_getstacksize(&a, &bytes) &&
        !pthread_attr_setstacksize(&a, bytes + (4u << 20)))
        (void)pthread_setattr_default_np(&a);
    pthread_attr_destroy(&a);
}

pid_t shm_fixture_fork(void (*work)(void *user), void *user)
{
    fflush(NULL);
    pid_t p = fork();
    if (!p) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        use_new_stacks();
        work(user);
        syscall(SYS_exit_group, 0);
    }
    REQUIRE(p > 0);
    return p;
}

int shm_fixture_wait(pid_t child)
{
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int shm_fixture_in_child(void (*work)(void *user), void *user)
{
    return shm_fixture_wait(shm_fixture_fork(work, user));
}

static void print_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    fprintf(stderr, "%s %s: %s\n", b->invariant, b->place, b->what);
}

void shm_fixture_verify(const struct adit_arena *arena, uint32_t flags)
{
    struct adit_verify_params p = {.size = sizeof p, .flags = flags};
    REQUIRE(!adit_verify(arena, &p, print_breach, NULL));
}

void shm_fixture_verify_quiet(const struct adit_arena *arena)
{
    shm_fixture_verify(arena, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP);
}

void *shm_fixture_shared(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    return p;
}

void shm_fixture_nap(uint32_t ms)
{
    struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&nap, NULL);
}

void shm_fixture_until(const uint32_t *word, uint32_t wanted)
{
    for (uint32_t i = 0; i < 20000 && __atomic_load_n(word, __ATOMIC_ACQUIRE) < wanted; i++)
        shm_fixture_nap(1);
    REQUIRE(__atomic_load_n(word, __ATOMIC_ACQUIRE) >= wanted);
}

uint64_t shm_fixture_random(uint64_t *seed)
{
    uint64_t x = *seed ? *seed : 0x9e3779b97f4a7c15ull;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return x * 0x2545f4914f6cdd1dull;
}
