/* torture_pool - the processes of a pool are killed and stopped at random: workers, standbys, the zygote that forks them; and no task is lost or committed twice.
 *
 *     torture_pool [SEED [SECONDS [KILLS]]]        for SECONDS (5), and until KILLS (150) were sent, whichever is later
 *
 * One program submits and takes, so what a task came to is known by its result; what it did to a buffer, which is committed with it or not at all, is counted. By SEED workers are confined or not, and
 * replaced after 40 tasks or not. What is legal:
 *
 *     a task           ends DONE with 0, by a worker process, once; with 15 attempts none is poisoned
 *     the buffer       holds what all tasks that added to it have added, each once
 *     at the end       the pool closes; no process of it is left, no seat or worker's slot in use, no participant but this one, and the verifier (QUIET) finds nothing
 *
 * Hung is a task that has not ended after 30 s. (tried: recovery that leaves what ran to the dead; that commits what an attempt had written which did not end) */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/worker_slot.h"
#include "tests/task_fixture.h"

#ifdef __SANITIZE_ADDRESS__
#define KILLS 40u
#else
#define KILLS 150u
#endif
#define WINDOW 64u
#define HUNG_NS 30000000000u
#define ADD_EVERY 4u /* of tasks one adds to the buffer */

enum shot { KILL_ZYGOTE, STOP_ZYGOTE, STOP_WORKER, TERM_WORKER, KILL_WORKER, KILL_ALL, SHOTS };
static const char *const shot_names[SHOTS] = {"zygotes killed", "stopped", "workers stopped", "ended by SIGTERM", "killed", "times all at once"};
static const uint32_t odds[SHOTS] = {3, 2, 7, 5, 76, 7}; /* of 100 */

static struct adit_arena *arena;
static struct adit_queue *queue;
static struct adit_pool *pool;
static uint32_t nap, add, stop;
static uint64_t buffer, shots[SHOTS], dice;

/* ---- the sniper, a thread --------------------------------------------------------------------------------------- */

static uint32_t below(uint32_t n, uint64_t *seed) { return (uint32_t)(shm_fixture_random(seed) % n); }

/* Sends it to pid if that is a child of parent (0: whoever's) once it is held by a descriptor, so no other process of that number is meant; rest_ms: and SIGCONT so long after. */
static bool shoot(uint32_t pid, uint32_t parent, int signal, uint32_t rest_ms)
{
    int fd = pid > 1 ? adit_process_open(pid) : -1;
    bool is_hit = fd >= 0 && (!parent || task_parent_of(pid) == parent) && !syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
    if (is_hit && signal == SIGSTOP) {
        shm_fixture_nap(rest_ms);
        (void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
    }
    if (fd >= 0)
        close(fd);
    return is_hit;
}

static uint32_t find_workers(uint32_t pids[ADIT_POOL_SEATS])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ADIT_POOL_SEATS; i++) {
        struct adit_worker_info w = {.size = sizeof w};
        if (!adit_worker_look(pool, i, &w) && w.pid && w.state < ADIT_WORKER_TERMINATED)
            pids[n++] = w.pid;
    }
    return n;
}

static void shoot_once(uint64_t *seed)
{
    uint32_t pids[ADIT_POOL_SEATS], n = find_workers(pids), draw = below(100, seed), one = n ? pids[below(n, seed)] : 0, zygote = n ? task_parent_of(one) : 0, hits = 0;
    enum shot shot = KILL_ZYGOTE;
    while (draw >= odds[shot])
        draw -= odds[shot++];
    if (!zygote || zygote == (uint32_t)getpid()) /* it is gone, or its zygote is */
        return;
    switch (shot) {
    case KILL_ZYGOTE: hits = shoot(zygote, (uint32_t)getpid(), SIGKILL, 0); break;
    case STOP_ZYGOTE: hits = shoot(zygote, (uint32_t)getpid(), SIGSTOP, below(30, seed)); break;
    case STOP_WORKER: hits = shoot(one, zygote, SIGSTOP, below(30, seed)); break;
    case TERM_WORKER: hits = shoot(one, zygote, SIGTERM, 0); break;
    case KILL_WORKER: hits = shoot(one, zygote, SIGKILL, 0); break;
    default:
        for (uint32_t i = 0; i < n; i++)
            hits |= shoot(pids[i], zygote, SIGKILL, 0);
    }
    __atomic_add_fetch(&shots[shot], hits, __ATOMIC_RELAXED);
}

static void *snipe(void *user)
{
    uint64_t seed = *(uint64_t *)user;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        shm_fixture_nap(1 + below(6, &seed));
        shoot_once(&seed);
    }
    return NULL;
}

static uint64_t all_shots(void)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < SHOTS; i++)
        n += __atomic_load_n(&shots[i], __ATOMIC_RELAXED);
    return n;
}

/* ---- the tasks -------------------------------------------------------------------------------------------------- */

struct task {
    uint64_t handle;
    uint32_t adds;
};
static struct task window[WINDOW];
static uint64_t tasks, again, added;

static void submit(struct task *t)
{
    const struct adit_use use = {buffer, ADIT_READ_WRITE};
    uint32_t argument = below(3, &dice);
    t->adds = tasks % ADD_EVERY ? 0 : argument + 1;
    argument = t->adds ? t->adds : argument;
    t->handle = task_submit(queue, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = t->adds ? add : nap, .args = &argument, .args_bytes = 4, .attempts_max = 15,
                                                           .priority = (enum adit_priority)(1 + below(5, &dice)), .uses = &use, .uses_n = t->adds ? 1 : 0});
    tasks++;
}

static void take(struct task *t)
{
    struct adit_task_result r = {.size = sizeof r};
    int error = adit_wait(queue, t->handle, HUNG_NS, &r);
    if (error || r.end != ADIT_ENDED_DONE || r.status || r.bytes != 4) {
        struct adit_task_info i = {.size = sizeof i};
        struct adit_pool_stats s = {.size = sizeof s};
        (void)adit_task_look(queue, t->handle, &i);
        (void)adit_pool_look(pool, &s);
        printf("torture_pool: task 0x%llx: wait %d, end %d, status %d, %u attempts; stage %d, attempt %u; the pool has %u processes, %u standbys, %llu deaths\n", (unsigned long long)t->handle, error, (int)r.end, r.status,
               r.attempts, (int)i.stage, i.attempt, s.processes, s.standbys, (unsigned long long)s.deaths);
        fflush(stdout);
    }
    REQUIRE(!error && r.end == ADIT_ENDED_DONE && !r.status && r.bytes == 4);
    again += r.attempts > 1;
    added += t->adds;
}

static uint64_t total(void)
{
    struct adit_reader *reader;
    struct adit_buffer_view v;
    uint64_t sum;
    REQUIRE(!adit_reader_open(arena, &reader));
    adit_enter(reader);
    REQUIRE(!adit_buffer_acquire(reader, buffer, &v));
    memcpy(&sum, v.data, sizeof sum);
    adit_exit(reader);
    adit_reader_close(&reader);
    return sum;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static void open_all(uint64_t seed)
{
    static char object[TASK_OBJECT_BYTES];
    const char *objects[] = {object, NULL};
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20, .participants_max = 250};
    const struct adit_pool_params p = {.size = sizeof p, .processes = 2, .standbys = 2, .objects = objects, .recycle_tasks = seed & 1 ? 40 : 0, .confine = seed & 2 ? ADIT_CONFINE_STRICTLY : ADIT_CONFINE_OFF};
    struct adit_kind_params k = {.size = sizeof k, .name = "nap", .args_bytes_max = 4, .result_bytes_max = 4};
    task_object("worker_kinds", object);
    arena = fixture_create(&c);
    REQUIRE(!adit_kind_register(arena, &k, &nap));
    k.name = "add";
    REQUIRE(!adit_kind_register(arena, &k, &add));
    REQUIRE(!adit_queue_open(arena, "work", NULL, &queue) && !adit_buffer_create(arena, 8, NULL, &buffer) && !adit_pool_open(queue, &p, &pool));
}

static bool has_no_children(void *user)
{
    (void)user;
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void close_all(void)
{
    adit_pool_close(&pool);
    REQUIRE(fixture_eventually(has_no_children, NULL) && fixture_eventually(fixture_is_alone, arena));
    for (uint32_t i = 0; i < arena->workers_max; i++)
        REQUIRE(adit_worker_life(arena->workers[i].word) == ADIT_LIFE_COLD);
    REQUIRE(!adit_buffer_destroy(arena, buffer));
    shm_fixture_verify_quiet(arena);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
    puts("torture_pool: processes are the point, of which ThreadSanitizer sees nothing");
    return 77;
#endif
    uint64_t n[3] = {1, 5, KILLS}, begin = adit_clock_ns();
    pthread_t sniper;
    for (int i = 1; i < argc && i < 4; i++)
        n[i - 1] = strtoull(argv[i], NULL, 10);
    dice = n[0] * 31 + 7;
    uint64_t seed = dice * 17 + 3;
    REQUIRE(!shm_fixture_set_up(NULL) && !prctl(PR_SET_CHILD_SUBREAPER, 1));
    open_all(n[0]);
    for (uint32_t i = 0; i < WINDOW; i++)
        submit(&window[i]);
    REQUIRE(!pthread_create(&sniper, NULL, snipe, &seed));
    for (uint32_t i = 0; adit_clock_ns() - begin < n[1] * 1000000000u || all_shots() < n[2]; i = (i + 1) % WINDOW) {
        take(&window[i]);
        submit(&window[i]);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(sniper, NULL);
    for (uint32_t i = 0; i < WINDOW; i++)
        take(&window[i]);
    if (total() != added)
        printf("torture_pool: the buffer holds %llu, tasks have added %llu\n", (unsigned long long)total(), (unsigned long long)added);
    REQUIRE(total() == added);
    struct adit_pool_stats s = {.size = sizeof s};
    REQUIRE(!adit_pool_look(pool, &s));
    close_all();
    REQUIRE(!shm_fixture_tear_down(NULL));
    printf("torture_pool: seed %llu: %llu tasks, %llu run again, %llu added;", (unsigned long long)n[0], (unsigned long long)tasks, (unsigned long long)again, (unsigned long long)added);
    for (uint32_t i = 0; i < SHOTS; i++)
        printf(" %llu %s,", (unsigned long long)shots[i], shot_names[i]);
    printf(" %llu deaths, %llu replaced; %.1f s: nothing lost, doubled or hung\n", (unsigned long long)s.deaths, (unsigned long long)s.recycled, (double)(adit_clock_ns() - begin) / 1e9);
    return 0;
}
