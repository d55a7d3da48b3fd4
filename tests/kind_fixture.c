#include "tests/kind_fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_NS 60000000000u
#define BUFFERS_MAX 64u
#define WORKERS_MAX 8u

struct adit_arena *kind_arena;
struct adit_queue *kind_queue;
static struct adit_pool *pool;
static pid_t worker[WORKERS_MAX];
static uint64_t buffers[BUFFERS_MAX];
static uint32_t buffers_n;

static void create(void)
{
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 64u << 20, .chunks_max = 1024};
    kind_arena = fixture_create(&c);
    REQUIRE(!adit_kinds_register_builtin(kind_arena) && !adit_kinds_register_builtin(kind_arena)); /* again is nothing */
    REQUIRE(!adit_queue_open(kind_arena, "work", NULL, &kind_queue));
}

void kind_open(uint32_t workers)
{
    const struct adit_pool_params p = {.size = sizeof p, .workers = workers};
    create();
    REQUIRE(!adit_pool_open(kind_queue, &p, &pool));
}

void kind_open_confined(uint32_t n)
{
    const struct adit_pool_params p = {.size = sizeof p, .processes = n, .confine = ADIT_CONFINE_STRICTLY};
    create();
    REQUIRE(!adit_pool_open(kind_queue, &p, &pool));
}

#ifdef __SANITIZE_THREAD__
#define THREADS 1u /* of a process: ThreadSanitizer does not see the edge by which a block comes back through another process to another thread */
#else
#define THREADS 2u
#endif

static void work_for_ever(void *user)
{
    const struct adit_pool_params params = {.size = sizeof params, .workers = THREADS};
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, *(const enum adit_role *)user);
    struct adit_queue *q;
    struct adit_pool *p;
    REQUIRE(!adit_kinds_register_builtin(a) && !adit_queue_open(a, "work", NULL, &q) && !adit_pool_open(q, &params, &p));
    for (;;)
        pause();
}

void kind_open_beside(enum adit_role role, uint32_t n)
{
    static enum adit_role of_worker;
    of_worker = role;
    REQUIRE(n <= WORKERS_MAX);
    for (uint32_t i = 0; i < n; i++)
        worker[i] = fixture_fork(work_for_ever, &of_worker);
    create();
    fixture_start();
}

void kind_kill(uint32_t i)
{
    REQUIRE(worker[i] && !kill(worker[i], SIGKILL));
    assert_int_equal(shm_fixture_wait(worker[i]), -SIGKILL);
    worker[i] = 0;
}

void kind_close(void)
{
    adit_pool_close(&pool);
    for (uint32_t i = 0; i < WORKERS_MAX; i++)
        if (worker[i])
            kind_kill(i);
    assert_true(fixture_eventually(fixture_is_alone, kind_arena));
    while (buffers_n)
        REQUIRE(!adit_buffer_destroy(kind_arena, buffers[--buffers_n]));
    (void)adit_reclaim(kind_arena, true);
    shm_fixture_verify(kind_arena, 0);
    adit_queue_close(&kind_queue);
    adit_detach(&kind_arena);
}

uint64_t kind_buffer(uint64_t bytes, const void *data)
{
    REQUIRE(buffers_n < BUFFERS_MAX && !adit_buffer_create(kind_arena, bytes, data, &buffers[buffers_n]));
    return buffers[buffers_n++];
}

void kind_read(uint64_t buffer, void *copy, uint64_t bytes)
{
    struct adit_reader *r;
    struct adit_buffer_view v;
    REQUIRE(!adit_reader_open(kind_arena, &r));
    adit_enter(r);
    REQUIRE(!adit_buffer_acquire(r, buffer, &v) && bytes <= v.bytes);
    memcpy(copy, v.data, bytes);
    REQUIRE(!adit_exit(r));
    adit_reader_close(&r);
}

const struct adit_use *kind_uses(uint64_t from, uint64_t to)
{
    static struct adit_use uses[2];
    uses[0] = (struct adit_use){from, ADIT_READ};
    uses[1] = (struct adit_use){to, ADIT_WRITE};
    return uses;
}

struct adit_task_result kind_run(const char *name, const void *args, uint32_t args_bytes, const struct adit_use *uses, uint32_t uses_n)
{
    struct adit_task_result r = {.size = sizeof r};
    struct adit_task_spec s = {.size = sizeof s, .args = args, .args_bytes = args_bytes, .uses = uses, .uses_n = uses_n};
    uint64_t task;
    REQUIRE(!adit_kind_find(kind_arena, name, &s.kind));
    REQUIRE(!adit_submit(kind_queue, &s, &task));
    REQUIRE(!adit_wait(kind_queue, task, LIMIT_NS, &r));
    return r;
}
