/* What an arena counts, as told by adit_metrics.h: a scripted scene, every role, damage, and a storm after which only an image is left. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/task_fixture.h"

#define WAIT_NS 30000000000u

static uint16_t voxels[ADIT_CHUNK_VOXELS];

static uint32_t metric(const struct adit_arena *a, const char *name)
{
    uint32_t id = 0;
    REQUIRE(!adit_metric_find(a, name, &id));
    return id;
}

static int64_t value(const struct adit_arena *a, const char *name)
{
    int64_t n = -1;
    REQUIRE(!adit_metric_value(a, metric(a, name), ADIT_METRIC_ALL, 0, &n));
    return n;
}

static struct adit_histogram histogram(const struct adit_arena *a, const char *name, uint32_t label)
{
    struct adit_histogram h = {.size = sizeof h};
    REQUIRE(!adit_metric_histogram(a, metric(a, name), label, 0, &h));
    return h;
}

/* Events of that name among the last. */
static uint32_t events(const struct adit_arena *a, uint32_t who, const char *name)
{
    static struct adit_flight_event e[4096];
    uint32_t id = metric(a, name), n = 0;
    int all = adit_metric_events(a, who, e, 4096);
    for (int i = 0; i < all; i++)
        n += e[i].metric == id;
    return n;
}

static void every_metric_says_what_it_is(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_metric_info m = {.size = sizeof m};
    uint32_t n = 0, found, types[5] = {0};
    char label[64];
    int64_t v;
    (void)state;
    for (; adit_metric_get(a, n, &m) != -ERANGE; n++) {
        assert_true(m.type >= ADIT_METRIC_COUNTER && m.type <= ADIT_METRIC_EVENT && strlen(m.help) > 10 && m.labels);
        assert_int_equal(strspn(m.name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(m.name));
        assert_true(*m.name && (m.type == ADIT_METRIC_EVENT || *m.unit));
        assert_true(m.type != ADIT_METRIC_HISTOGRAM || !strcmp(m.unit, "ns"));
        types[m.type]++;
        if (m.type != ADIT_METRIC_EVENT) /* events are named by what happens, which is counted, too */
            assert_true(!adit_metric_find(a, m.name, &found) && found == n);
        assert_int_equal(adit_metric_label(a, n, m.labels, label, sizeof label), -ERANGE);
        int error = adit_metric_value(a, n, ADIT_METRIC_ALL, 0, &v);
        assert_int_equal(error, m.type == ADIT_METRIC_COUNTER || m.type == ADIT_METRIC_GAUGE ? 0 : -EINVAL);
        struct adit_histogram h = {.size = sizeof h};
        assert_int_equal(adit_metric_histogram(a, n, 0, 0, &h), m.type == ADIT_METRIC_HISTOGRAM ? 0 : -EINVAL);
        assert_int_equal(adit_metric_value(a, n, m.labels, 0, &v) != 0, true);
    }
    for (uint32_t i = ADIT_METRIC_COUNTER; i <= ADIT_METRIC_EVENT; i++)
        assert_true(types[i]);
    assert_int_equal(adit_metric_find(a, "no_such_thing", &found), -ENOENT);
    assert_int_equal(adit_metric_label(a, metric(a, "meshes_made"), 2, label, sizeof label), 0);
    assert_string_equal(label, "avx2");
    assert_int_equal(adit_metric_label(a, metric(a, "version_bytes"), 0, label, sizeof label), 0);
    assert_string_equal(label, "heap");
    m.size--;
    assert_int_equal(adit_metric_get(a, 0, &m), -EMSGSIZE);
    adit_detach(&a);
}

static void put(struct adit_arena *a, int32_t x, uint64_t seed)
{
    fixture_paint(seed, voxels);
    REQUIRE(!adit_chunk_put(a, &(struct adit_key){.x = x}, voxels, NULL));
}

/* tried: removals counted as puts alone; limbo that does not shrink */
static void chunks_and_meshes_are_counted(void **state)
{
    struct adit_arena *a = fixture_create(NULL), *o = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    struct adit_dispatcher *d;
    const struct adit_voxel_edit edit = {.x = 1, .y = 2, .z = 3, .material = 7};
    (void)state;
    put(a, 0, 1);
    put(a, 0, 3);
    put(a, 10, 2);
    assert_int_equal(adit_chunk_edit(a, &(struct adit_key){.x = 10}, &edit, 1, NULL), 0);
    assert_int_equal(adit_chunk_edit(a, &(struct adit_key){.x = 10}, &edit, 1, NULL), 0); /* changes nothing, and publishes nothing */
    put(a, 20, 1);
    assert_int_equal(adit_chunk_remove(a, &(struct adit_key){.x = 20}, NULL), 0);
    const struct adit_put_params stale = {.size = sizeof stale, .if_version = 77};
    assert_int_equal(adit_chunk_put(a, &(struct adit_key){.x = 0}, voxels, &stale), -ESTALE);
    assert_int_equal(value(o, "chunks_put"), 6);
    assert_int_equal(value(o, "chunks_removed"), 1);
    assert_int_equal(value(o, "chunks_edited"), 2);
    assert_int_equal(value(o, "puts_lost"), 1);
    assert_int_equal(histogram(o, "put_ns", ADIT_METRIC_ALL).count, 4);
    assert_int_equal(events(o, 0, "put"), 5);
    assert_int_equal(events(o, 0, "remove"), 1);
    int64_t in_data;
    assert_int_equal(adit_metric_value(o, metric(o, "version_bytes"), 1, 0, &in_data), 0);
    assert_true(in_data > 0 && in_data == value(o, "version_bytes"));
    assert_int_equal(adit_dispatcher_open(a, NULL, &d), 0);
    assert_int_equal(adit_settle(a, WAIT_NS), 0);
    adit_dispatcher_close(&d);
    struct adit_stats s = fixture_stats(a);
    assert_true(value(o, "meshes_made") >= (int64_t)s.meshes && s.meshes == 3);
    assert_true(value(o, "mesh_quads") >= (int64_t)s.quads);
    assert_int_equal(histogram(o, "visible_ns", ADIT_METRIC_ALL).count, value(o, "meshes_made"));
    assert_int_equal(histogram(o, "mesh_ns", ADIT_METRIC_ALL).count, value(o, "meshes_made"));
    assert_int_equal(events(o, 0, "mesh"), value(o, "meshes_made"));
    assert_true(fixture_eventually(fixture_is_tidy, a));
    assert_int_equal(value(o, "blocks_retired"), value(o, "blocks_reclaimed"));
    assert_int_equal(value(o, "bytes_retired"), value(o, "bytes_reclaimed"));
    assert_true(value(o, "blocks_retired") >= 3 && value(o, "grace_periods") >= 1);
    assert_int_equal(value(o, "limbo_blocks"), 0);
    assert_int_equal(value(o, "limbo_bytes"), 0);
    assert_int_equal(histogram(o, "grace_ns", 0).count, value(o, "grace_periods") + value(o, "grace_timeouts"));
    shm_fixture_verify_quiet(a);
    adit_detach(&o);
    adit_detach(&a);
}

/* ---- tasks */

static int run_as_told(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    int32_t status;
    memcpy(&status, args, sizeof status);
    (void)result;
    *result_bytes = 0;
    return run->attempt > 1 && status == -EIO ? 0 : status; /* the second attempt of one that fails so goes well */
}

/* tried: attempts that fail not counted as run */
static void tasks_are_counted_by_kind(void **state)
{
    const struct adit_kind_params kinds[2] = {{.size = sizeof *kinds, .name = "first", .run = run_as_told, .args_bytes_min = 4, .args_bytes_max = 4},
                                              {.size = sizeof *kinds, .name = "second", .run = run_as_told, .args_bytes_min = 4, .args_bytes_max = 4}};
    static const int32_t well = 0, badly = -EINVAL, twice = -EIO;
    struct adit_arena *a = fixture_create(NULL);
    struct adit_queue *q;
    uint32_t kind[2];
    char label[64];
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(adit_kind_register(a, &kinds[i], &kind[i]), 0);
    assert_int_equal(adit_queue_open(a, "tasks", NULL, &q), 0);
    struct adit_task_spec spec = {.size = sizeof spec, .kind = kind[0], .args = &well, .args_bytes = 4};
    uint64_t cancelled = task_submit(q, spec), tasks[20];
    assert_int_equal(adit_cancel(q, cancelled), 0);
    (void)task_take(q, cancelled);
    struct adit_pool *pool = task_pool(q, 2);
    for (uint32_t i = 0; i < 20; i++) {
        spec.kind = kind[i >= 10];
        spec.args = i == 3 ? &badly : i >= 17 ? &twice : &well;
        spec.retry_errors = i >= 17;
        tasks[i] = task_submit(q, spec);
    }
    for (uint32_t i = 0; i < 20; i++)
        (void)task_take(q, tasks[i]);
    adit_pool_close(&pool);
    int64_t n;
    assert_int_equal(adit_metric_value(a, metric(a, "tasks_submitted"), kind[0], 0, &n), 0);
    assert_int_equal(n, 11);
    assert_int_equal(adit_metric_value(a, metric(a, "tasks_run"), kind[0], 0, &n), 0);
    assert_int_equal(n, 10);
    assert_int_equal(adit_metric_value(a, metric(a, "tasks_run"), kind[1], 0, &n), 0);
    assert_int_equal(n, 13);
    assert_int_equal(value(a, "tasks_failed"), 4);
    assert_int_equal(value(a, "tasks_retried"), 3);
    assert_int_equal(value(a, "tasks_cancelled"), 1);
    assert_int_equal(events(a, 0, "task_failed"), 4);
    struct adit_histogram run = histogram(a, "task_run_ns", ADIT_METRIC_ALL); /* one is measured, and more by chance */
    assert_true(run.count >= 1 && run.count <= 23 && adit_histogram_quantile(&run, 0.5) < WAIT_NS);
    assert_true(histogram(a, "task_wait_ns", ADIT_METRIC_ALL).count >= 1 && events(a, 0, "task") >= 1);
    assert_int_equal(adit_metric_label(a, metric(a, "tasks_run"), kind[1], label, sizeof label), 0);
    assert_string_equal(label, "second");
    assert_int_equal(adit_metric_label(a, metric(a, "tasks_run"), 63, label, sizeof label), -ENOENT);
    adit_queue_close(&q);
    adit_detach(&a);
}

static int run_to_death(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    (void)run, (void)args, (void)result, (void)result_bytes;
    raise(SIGKILL);
    return 0;
}

static const struct adit_kind_params deadly = {.size = sizeof deadly, .name = "deadly", .run = run_to_death};

static void work_until_death(void *user)
{
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    struct adit_queue *q;
    uint32_t kind;
    (void)user;
    REQUIRE(!adit_kind_register(a, &deadly, &kind) && !adit_queue_open(a, "tasks", NULL, &q));
    (void)task_pool(q, 1);
    pause();
}

static void deaths_and_what_they_poison_are_counted(void **state)
{
    pid_t child[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++)
        child[i] = fixture_fork(work_until_death, NULL);
    struct adit_arena *a = fixture_create(NULL);
    struct adit_queue *q;
    uint32_t kind;
    assert_int_equal(adit_kind_register(a, &deadly, &kind), 0);
    assert_int_equal(adit_queue_open(a, "tasks", NULL, &q), 0);
    uint64_t task = task_submit(q, (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .attempts_max = 2});
    fixture_start();
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(shm_fixture_wait(child[i]), -SIGKILL);
    assert_int_equal(task_take(q, task).end, ADIT_ENDED_POISONED);
    assert_true(fixture_eventually(fixture_is_alone, a));
    for (uint32_t i = 0; i < 20000 && value(a, "deaths") < 2; i++) /* counted after the slot is free */
        shm_fixture_nap(1);
    assert_int_equal(value(a, "deaths"), 2);
    assert_int_equal(value(a, "tasks_poisoned"), 1);
    assert_int_equal(histogram(a, "recovery_ns", 0).count, 2);
    assert_true(events(a, 0, "death") == 2 && events(a, 0, "task_poisoned") == 1);
    adit_queue_close(&q);
    adit_detach(&a);
}

/* ---- locks, frames, roles */

static void *take_and_give(void *user)
{
    struct adit_lock *lock;
    void *bytes;
    REQUIRE(!adit_lock_open(user, "lock", NULL, &lock));
    REQUIRE(!adit_lock_lock(lock, WAIT_NS, &bytes));
    (void)adit_lock_unlock(lock);
    adit_lock_close(&lock);
    return NULL;
}

static void locks_that_others_have_are_counted(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    struct adit_lock *lock;
    pthread_t thread;
    void *bytes;
    (void)state;
    assert_int_equal(adit_lock_open(a, "lock", NULL, &lock), 0);
    assert_int_equal(adit_lock_lock(lock, 0, &bytes), 0);
    assert_int_equal(value(a, "locks_contended"), 0);
    assert_int_equal(pthread_create(&thread, NULL, take_and_give, a), 0);
    shm_fixture_until(&a->locks[0].robust.word, ADIT_ROBUST_WAITERS); /* it sleeps */
    assert_int_equal(adit_lock_unlock(lock), 0);
    pthread_join(thread, NULL);
    assert_int_equal(value(a, "locks_taken"), 2);
    assert_int_equal(value(a, "locks_contended"), 1);
    assert_int_equal(histogram(a, "lock_wait_ns", 0).count, 1);
    adit_lock_close(&lock);
    adit_detach(&a);
}

static void frames_are_counted_where_they_say(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    const struct adit_frame_point at_once = {"at once", 0};
    const struct adit_frame_params p = {.size = sizeof p, .period_ns = 1000000, .points = &at_once, .points_n = 1, .arena = a};
    struct adit_frame *f;
    uint64_t missed = 0;
    (void)state;
    assert_int_equal(adit_frame_open(&p, &f), 0);
    for (uint32_t i = 0; i < 4; i++) {
        missed += i ? (uint64_t)adit_frame_wait(f) : (uint64_t)(adit_frame_wait(f) & 0); /* before the first there was none */
        shm_fixture_nap(i == 2 ? 5 : 0);
        missed += adit_frame_reach(f, 0) == -ETIME;
    }
    assert_int_equal(value(a, "frames"), 3);
    assert_int_equal(value(a, "frames_missed"), missed);
    assert_true(missed >= 4);
    assert_int_equal(histogram(a, "frame_ns", 0).count, 3);
    adit_frame_close(&f);
    adit_detach(&a);
}

static void counting_can_be_switched_off(void **state)
{
    char before[256];
    (void)state;
    snprintf(before, sizeof before, "%s", getenv("ADIT_DISABLE") ? getenv("ADIT_DISABLE") : "");
    char off[300];
    snprintf(off, sizeof off, "%s,metrics", before);
    setenv("ADIT_DISABLE", off, 1);
    struct adit_arena *a = fixture_create(NULL);
    setenv("ADIT_DISABLE", before, 1);
    put(a, 0, 1);
    assert_int_equal(value(a, "chunks_put"), 0);
    assert_int_equal(events(a, 0, "put"), 0);
    struct adit_arena *b = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER); /* of this process only */
    put(b, 1, 1);
    assert_int_equal(value(a, "chunks_put"), 1);
    adit_detach(&b);
    shm_fixture_verify_quiet(a);
    adit_detach(&a);
}

/* tried: no comparison of the lists at attach */
static void who_has_another_list_counts_nothing(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    (void)state;
    a->metrics[0].help[0] ^= 1;
    struct adit_arena *b = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    put(b, 0, 1);
    assert_int_equal(value(a, "chunks_put"), 0);
    assert_non_null(strstr(adit_notes(b), "counts nothing"));
    adit_detach(&b);
    adit_detach(&a);
}

/* ---- damage */

/* Everything that looks in, of whatever lies there. */
static void look_everywhere(struct adit_arena *a)
{
    static struct adit_flight_event e[512];
    struct adit_metric_info m = {.size = sizeof m};
    struct adit_metric_thread t = {.size = sizeof t};
    struct adit_histogram h = {.size = sizeof h};
    char label[16];
    int64_t v;
    uint32_t id;
    for (uint32_t i = 0; i < ADIT_METRICS_MAX + 2; i++) {
        int error = adit_metric_get(a, i, &m);
        REQUIRE(!error || error == -EBADMSG || error == -ERANGE);
        REQUIRE(memchr(m.name, 0, sizeof m.name) && memchr(m.unit, 0, sizeof m.unit) && memchr(m.help, 0, sizeof m.help));
        (void)adit_metric_label(a, i, i * 7 % 70, label, sizeof label);
        (void)adit_metric_value(a, i, i % 3 ? ADIT_METRIC_ALL : i, i % 2 ? a->owner : 0, &v);
        (void)adit_metric_histogram(a, i, i % 3 ? ADIT_METRIC_ALL : i, i % 2 ? a->owner : 0, &h);
        (void)adit_histogram_quantile(&h, 0.99);
    }
    for (uint32_t i = 0; i < a->metric_shards_n + 1; i++)
        (void)adit_metric_thread_get(a, i, &t);
    (void)adit_metric_find(a, "put_ns", &id);
    REQUIRE(adit_metric_events(a, 0, e, 512) <= 512);
}

/* Others count meanwhile. */
static void copy_words(uint64_t *to, const uint64_t *from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        adit_store_relaxed(&to[i], adit_load_relaxed(&from[i]));
}

/* tried: a descriptor's range not looked at; its texts not ended */
static void damaged_metrics_are_errors(void **state)
{
    const struct adit_create_params small = {.size = sizeof small, .data_bytes = 4u << 20, .participants_max = 4};
    struct adit_arena *a = fixture_create(&small);
    uint64_t seed = 3, refused = 0;
    (void)state;
    put(a, 0, 1);
    uint64_t *words = (uint64_t *)(void *)a->metrics, n = ((uint64_t)((uint8_t *)a->metric_commons - (uint8_t *)a->metrics)) / 8;
    uint64_t *kept = malloc(n * 8);
    assert_non_null(kept);
    copy_words(kept, words, n);
    struct adit_metric_info endless = {.size = sizeof endless};
    memset(a->metrics[3].name, 'a', sizeof a->metrics[3].name);
    memset(a->metrics[3].unit, 'b', sizeof a->metrics[3].unit);
    memset(a->metrics[3].help, 'c', sizeof a->metrics[3].help);
    assert_int_equal(adit_metric_get(a, 3, &endless), 0);
    assert_true(strlen(endless.name) == 31 && strlen(endless.unit) == 13 && strlen(endless.help) == 139);
    copy_words(words, kept, n);
    for (uint32_t i = 0; i < 300; i++) {
        for (uint32_t k = 0; k < 200; k++) {
            uint64_t at = shm_fixture_random(&seed), to = shm_fixture_random(&seed);
            at = k % 2 ? at % (sizeof *a->metrics * ADIT_METRICS_MAX / 8) : at % n;
            adit_store_relaxed(&words[at], k % 3 == 0 ? to : k % 3 == 1 ? adit_load_relaxed(&words[at]) ^ 1ull << (to % 64) : to % 2 ? UINT64_MAX : 0);
        }
        look_everywhere(a);
        put(a, 0, 1 + i % 2 * 2);
        struct adit_metric_info m = {.size = sizeof m};
        for (uint32_t k = 0; k < ADIT_METRICS_MAX; k++)
            refused += adit_metric_get(a, k, &m) == -EBADMSG;
        const struct adit_verify_params v = {.size = sizeof v, .looks = 1};
        assert_true(adit_verify(a, &v, NULL, NULL) > 0);
        copy_words(words, kept, n);
    }
    assert_true(refused > 1000);
    for (uint32_t i = 0; i < 20; i++) { /* all of it */
        for (uint64_t k = 0; k < n; k++)
            adit_store_relaxed(&words[k], shm_fixture_random(&seed));
        look_everywhere(a);
        put(a, 0, 1 + i % 2 * 2);
    }
    copy_words(words, kept, n);
    free(kept);
    adit_detach(&a);
}

/* ---- a storm, and after it */

struct storm {
    uint32_t made, ready; /* of all */
};

static void *stir(void *user)
{
    struct adit_arena *a = user;
    uint16_t *mine = malloc(ADIT_CHUNK_VOXELS * sizeof *mine);
    REQUIRE(mine);
    for (uint32_t i = 0;; i++) {
        struct adit_key key = {.x = (int32_t)(i % 5)};
        fixture_paint(1 + i % 2 * 2, mine);
        REQUIRE(!adit_chunk_put(a, &key, mine, NULL));
        if (i % 7 == 3)
            (void)adit_chunk_remove(a, &key, NULL);
    }
    return NULL;
}

static void storm_on(struct adit_arena *a, struct storm *s)
{
    struct adit_dispatcher *d;
    pthread_t thread;
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    REQUIRE(!adit_dispatcher_open(a, &one, &d) && !pthread_create(&thread, NULL, stir, a));
    while (value(a, "meshes_made") < 20)
        shm_fixture_nap(1);
    __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

static void make_and_storm(void *user)
{
    struct storm *s = user;
    struct adit_arena *a = fixture_create(NULL);
    __atomic_store_n(&s->made, 1, __ATOMIC_SEQ_CST);
    storm_on(a, s);
}

static void join_and_storm(void *user)
{
    struct storm *s = user;
    shm_fixture_until(&s->made, 1);
    storm_on(shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER), s);
}

/* What the image tells of those whose processes are gone: each has threads, counts and events that end with what it did last. */
static void look_at_the_dead(struct adit_arena *image, const pid_t *pid, uint32_t n)
{
    struct adit_metric_thread t = {.size = sizeof t};
    uint64_t said[3] = {0};
    int64_t puts = 0, v;
    for (uint32_t i = 0; adit_metric_thread_get(image, i, &t) != -ERANGE; i++) {
        struct adit_flight_event e;
        if (!t.who)
            continue;
        for (uint32_t k = 0; k < n; k++)
            said[k] += t.pid == (uint32_t)pid[k] ? t.events : 0;
        assert_true(t.is_here && t.label[0]);
        assert_int_equal(adit_metric_events(image, t.who, &e, 1), 1);
        assert_true(e.who == t.who && e.at_ns);
    }
    for (uint32_t k = 0; k < n; k++)
        assert_true(said[k] > 0);
    assert_int_equal(adit_metric_value(image, metric(image, "chunks_put"), ADIT_METRIC_ALL, 0, &puts), 0);
    for (uint32_t i = 0, seen = 0; adit_metric_thread_get(image, i, &t) != -ERANGE; i++) { /* each participant once: all that was counted is somebody's */
        if (!t.who || seen >> t.slot & 1)
            continue;
        seen |= 1u << t.slot;
        assert_int_equal(adit_metric_value(image, metric(image, "chunks_put"), ADIT_METRIC_ALL, t.who, &v), 0);
        puts -= v;
    }
    assert_int_equal(puts, 0);
    assert_true(value(image, "meshes_made") >= 20 && events(image, 0, "put") && events(image, 0, "mesh"));
}

/* tried: an image whose dead are left out, as their processes are */
static void an_image_of_a_storm_in_which_all_were_killed_tells_what_they_did(void **state)
{
    struct storm *s = shm_fixture_shared(sizeof *s);
    char path[256];
    pid_t pid[3];
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it does not see that a block which another process has freed was read before (that one's grace period) */
#endif
    for (uint32_t i = 0; i < 3; i++)
        pid[i] = shm_fixture_fork(i ? join_and_storm : make_and_storm, s);
    shm_fixture_until(&s->ready, 3);
    struct adit_arena *o = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER), *image;
    for (uint32_t i = 0; i < 3; i++) /* all stopped first: nobody recovers anybody */
        kill(pid[i], SIGSTOP);
    shm_fixture_nap(20);
    for (uint32_t i = 0; i < 3; i++)
        kill(pid[i], SIGKILL);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(shm_fixture_wait(pid[i]), -SIGKILL);
    snprintf(path, sizeof path, "%s/storm.image", getenv("XDG_RUNTIME_DIR"));
    assert_int_equal(adit_image_save(o, path), 0);
    adit_detach(&o);
    assert_int_equal(adit_image_open(path, &image), 0);
    look_at_the_dead(image, pid, 3);
    shm_fixture_verify(image, 0);
    adit_detach(&image);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s.sock", shm_fixture_directory(), FIXTURE_NAME); /* nobody is left to take it away */
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_of_a_storm_in_which_all_were_killed_tells_what_they_did), /* first: it forks, and this process has no threads yet */
        cmocka_unit_test(deaths_and_what_they_poison_are_counted),
        cmocka_unit_test(every_metric_says_what_it_is),
        cmocka_unit_test(chunks_and_meshes_are_counted),
        cmocka_unit_test(tasks_are_counted_by_kind),
        cmocka_unit_test(locks_that_others_have_are_counted),
        cmocka_unit_test(frames_are_counted_where_they_say),
        cmocka_unit_test(counting_can_be_switched_off),
        cmocka_unit_test(who_has_another_list_counts_nothing),
        cmocka_unit_test(damaged_metrics_are_errors),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
