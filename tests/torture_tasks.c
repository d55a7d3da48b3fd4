/* torture_tasks - who submits and who runs tasks is killed at random, again and again, and no task is lost or committed twice.
 *
 *     torture_tasks [SEED [SECONDS [KILLS [TASKS]]]]        for SECONDS (5), and until KILLS (200) were killed and TASKS (10^5) committed, whichever is latest
 *
 * Three processes submit to a small queue of five levels, three have two workers each, two only take part; whoever of the eight is the keeper recovers the dead, and is killed
 * in the midst of that, too. The oracle is a word a task in memory outside the arena. What is legal:
 *
 *     submit refused it                  it never runs
 *     its submitter died in the call     it never runs, or all of the next line holds
 *     submit returned                    it runs, and its last run came to its end; unless it was cancelled
 *     waits for others                   these ran to their end before, or were cancelled
 *     a run after another                the earlier one's process was killed, or that run failed and was to be tried again; its attempt is higher. (One that was ousted, too, is tried again, though its kind
 *                                        saw nothing of that. Nobody is here: sections may hold back all that the arena has. With the default, a worker that lost its processor for
 *                                        30 ms in a section was, where others had just retired 1 MiB: legal, and taken for doubled. Tried: with it three runs of four end so.)
 *     committed                          once: it never runs again. A worker's thread says so for its last task when it runs the next, so what a thread committed just
 *                                        before it was killed is not known to be: one a killed thread ("unsure" in the figures)
 *     a result                           is taken once by a submitter that lives, with the arguments of its task, and at no other time says -ENOENT
 *     uses buffers                       these are accounts (task_accounts.h), and a move between two of them is made once, whole or not at all; the sets are made by the two that only take
 *                                        part, and end with them. Such tasks are not cancelled, so at rest what accounts hold is known from which moves ran to their end
 *     at rest                            all slots are FREE, no block is on loan, the dead are recovered, the verifier (QUIET, DEEP) finds nothing
 *
 * Hung is a queue that commits nothing, or a process that does not come to rest, for 10 s. Of a while in which the sniper or who waits did not get to look, be it that the machine stood still, or
 * that the kernel took seconds to reap one of the killed (seen, on a laden machine), STEP_NS count.
 * When it fails, the last lines say what there was: processes, participants, the queue's words and those of slots in use.
 *
 * (tried: a recovery that leaves RUNNING tasks, DETACHED, or what has ended; that ends a RUNNING one, returns one that has ended, or poisons too early; a claim without
 * compare-and-swap; a worker that takes over what has run for 5 ms; one that claims HELD tasks; uses of which the next does not know; shadows that an attempt leaves. Each ends it within 300 kills. FILLING left to the dead and the hint of a delayed task are some
 * instructions of millions, COMMITTED without its buffers ends one run of three: crash_task has those.) */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/task_queue.h"
#include "tests/task_accounts.h"

#ifdef __SANITIZE_ADDRESS__
#define KILLS 60u
#define TASKS 20000u
#define HUNG_NS 40000000000ull /* everything takes some four times as long */
#else
#define KILLS 200u
#define TASKS 100000u
#define HUNG_NS 10000000000ull
#endif
#define STEP_NS (HUNG_NS / 50)
#define ARENA "tasks"
#define DATA_BYTES (8ull << 20)
#define CAPACITY 16u
#define USES_EVERY 8u /* of tasks one uses buffers */
#define SLOW_EVERY 499u /* of those one is at them for 30 ms, as is who loses its processor */
#define RECORDS (1u << 24)
#define LIVES (1u << 20)
#define HELD_MAX 12u /* results that a submitter has not taken yet */
#define AFTER 3u     /* that a task may wait for */
#define KILLS_BETWEEN_RESTS 50u
#define KILLS_BETWEEN_LOOKS 10u
#define REST_LOOKS 1000u /* 3 ms apart */

enum who { ANCHOR, ANCHOR_2, SUBMITTER, WORKER = SUBMITTER + 3, ROLES = WORKER + 3 };
enum stage { STORM, REST, LEAVE };

/* A task's word: | life 32 of its last run's process | runs 8 | attempt 8 of the last | taken 4 | committed 4 | bits 8 | */
#define SUBMITTED 1ull /* submit has returned */
#define REFUSED 2ull
#define CANCELLED 4ull /* or will be */
#define RETURNED 8ull  /* the last run is about to return */
#define FAILED 16ull   /* it failed and is to be tried again */
#define COMMITTED (1ull << 8)
#define TAKEN (1ull << 12)
static uint32_t committed_of(uint64_t w) { return (uint32_t)(w >> 8 & 15); }
static uint32_t taken_of(uint64_t w) { return (uint32_t)(w >> 12 & 15); }
static uint32_t attempt_of(uint64_t w) { return (uint32_t)(w >> 16 & 255); }
static uint32_t runs_of(uint64_t w) { return (uint32_t)(w >> 24 & 255); }
static uint32_t life_of(uint64_t w) { return (uint32_t)(w >> 32); }

static struct storm {
    uint64_t seed, next, commits, runs;
    uint32_t stage, turn, lives, has_failed;
    struct post {
        uint32_t life, attached, rested; /* attached: the life that is; rested: the turn in which it is at rest */
        pid_t pid;
    } post[ROLES];
    struct accounts accounts[2]; /* of the two that take part; seq is odd while they are stored */
    uint32_t seq[2], sets;
    char why[300];
    uint8_t is_killed[LIVES]; /* set before the signal */
    uint64_t task[RECORDS];
    uint16_t set_of[RECORDS]; /* number of the accounts that it uses, 0: none; w: the submitter */
} *storm;

struct args {
    uint32_t id, spin, retries;
    uint32_t after[AFTER]; /* ids + 1 of tasks that it waits for; in long ones, as more is */
    uint8_t more[28];      /* of id */
};
#define SHORT_ARGS offsetof(struct args, after)

static void fail(const char *format, ...)
{
    va_list list;
    if (__atomic_exchange_n(&storm->has_failed, 1, __ATOMIC_SEQ_CST))
        return;
    va_start(list, format);
    vsnprintf(storm->why, sizeof storm->why, format, list);
    va_end(list);
    __atomic_store_n(&storm->has_failed, 2, __ATOMIC_SEQ_CST);
}
static bool has_failed(void) { return __atomic_load_n(&storm->has_failed, __ATOMIC_ACQUIRE); }
static enum stage stage(void) { return (enum stage)__atomic_load_n(&storm->stage, __ATOMIC_ACQUIRE); }

/* ---- workers ---- */

static struct post *mine;
static _Thread_local uint64_t *previous; /* what this thread ran last and committed when it runs the next */

static void check_run(uint64_t w, const struct args *a, uint32_t attempt)
{
    if (w & REFUSED)
        fail("task %u: was refused and runs", a->id);
    else if (committed_of(w) || taken_of(w))
        fail("task %u: doubled: committed, its result taken %u times, and runs as attempt %u", a->id, taken_of(w), attempt);
    else if (runs_of(w) && !(w & FAILED) && !__atomic_load_n(&storm->is_killed[life_of(w)], __ATOMIC_ACQUIRE))
        fail("task %u: doubled: attempt %u runs, and attempt %u's process was not killed", a->id, attempt, attempt_of(w));
    else if (attempt <= attempt_of(w))
        fail("task %u: attempt %u after %u", a->id, attempt, attempt_of(w));
    for (uint32_t i = 0; i < AFTER; i++)
        if (a->after[i]) {
            uint64_t before = __atomic_load_n(&storm->task[(a->after[i] - 1) % RECORDS], __ATOMIC_ACQUIRE);
            if (!(before & CANCELLED) && (!(before & RETURNED) || before & FAILED))
                fail("task %u: runs before %u, for which it waits, has ended: %llx", a->id, a->after[i] - 1, (unsigned long long)before);
        }
}

static int run_mark(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct args a = {0};
    memcpy(&a, args, run->args_bytes);
    if (previous && committed_of(__atomic_fetch_add(previous, COMMITTED, __ATOMIC_ACQ_REL)))
        fail("task %u: doubled: committed twice", (uint32_t)(previous - storm->task));
    if (previous)
        __atomic_add_fetch(&storm->commits, 1, __ATOMIC_RELAXED);
    previous = NULL;
    if (a.id >= RECORDS || run->tag != a.id || (run->args_bytes == sizeof a && a.more[27] != (uint8_t)(a.id + 27))) {
        fail("a task with wrong arguments: %u of %u bytes, tag %llu", a.id, run->args_bytes, (unsigned long long)run->tag);
        return -EIO;
    }
    uint64_t *word = &storm->task[a.id], w = __atomic_load_n(word, __ATOMIC_ACQUIRE), ours;
    do {
        check_run(w, &a, run->attempt);
        ours = (w & (SUBMITTED | REFUSED | CANCELLED)) | (uint64_t)run->attempt << 16 | (uint64_t)(runs_of(w) + 1) << 24 | (uint64_t)mine->life << 32;
    } while (!__atomic_compare_exchange_n(word, &w, ours, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    __atomic_add_fetch(&storm->runs, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < a.spin; i++)
        adit_spin_pause();
    memcpy(result, &a, sizeof a.id + sizeof a.spin);
    *result_bytes = sizeof a.id + (a.id % 3 ? sizeof a.spin : sizeof a.spin + sizeof a.retries); /* short, and long */
    const char *wrong = run->buffers_n ? accounts_run(run, a.id) : NULL;
    if (run->buffers_n && a.id % SLOW_EVERY == 0)
        shm_fixture_nap(30);
    if (wrong)
        fail("task %u: %s", a.id, wrong);
    bool fails = run->attempt <= a.retries;
    __atomic_fetch_or(word, fails ? RETURNED | FAILED : RETURNED, __ATOMIC_ACQ_REL);
    previous = fails ? NULL : word;
    return fails ? -EIO : 0;
}

/* ---- processes ---- */

static struct adit_arena *arena;
static struct adit_queue *queue;
static uint32_t kind;

static void know(adit_kind_run *run)
{
    const struct adit_kind_params k = {.size = sizeof k, .name = "mark", .run = run, .args_bytes_min = SHORT_ARGS, .args_bytes_max = 64, .result_bytes_max = 64};
    const struct adit_queue_params small = {.size = sizeof small, .capacity = CAPACITY};
    REQUIRE(!adit_kind_register(arena, &k, &kind) && !adit_queue_open(arena, "work", &small, &queue));
}

/* Says that it has nothing under way, until the storm goes on. */
static void rest(void)
{
    while (stage() == REST) {
        __atomic_store_n(&mine->rested, __atomic_load_n(&storm->turn, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
        shm_fixture_nap(1);
    }
}

static void take_part(void)
{
    while (stage() != LEAVE)
        shm_fixture_nap(1);
}

static void work(void)
{
    const struct adit_pool_params two = {.size = sizeof two, .workers = 2};
    struct adit_pool *pool;
    know(run_mark);
    REQUIRE(!adit_pool_open(queue, &two, &pool));
    take_part();
    adit_pool_close(&pool);
}

struct held {
    uint64_t task;
    uint32_t id;
};

/* The accounts that one of the two has, if it is not just making them. */
static bool load_accounts(uint32_t which, struct accounts *set)
{
    uint32_t seq = __atomic_load_n(&storm->seq[which], __ATOMIC_ACQUIRE);
    *set = storm->accounts[which];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return set->number && !(seq & 1) && __atomic_load_n(&storm->seq[which], __ATOMIC_RELAXED) == seq;
}

/* Alone: whoever did so before is dead. */
static void make_accounts(uint32_t which)
{
    struct accounts set;
    accounts_make(arena, __atomic_add_fetch(&storm->sets, 1, __ATOMIC_ACQ_REL) & 0xffff, &set);
    __atomic_fetch_or(&storm->seq[which], 1, __ATOMIC_ACQ_REL);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    storm->accounts[which] = set;
    __atomic_add_fetch(&storm->seq[which], 1, __ATOMIC_RELEASE);
}

static void take(const struct held *h)
{
    struct adit_task_result r = {.size = sizeof r};
    uint32_t id;
    int error = -ETIMEDOUT;
    for (uint64_t waited = 0; error == -ETIMEDOUT && waited < HUNG_NS; waited += STEP_NS)
        error = adit_wait(queue, h->task, STEP_NS, &r);
    memcpy(&id, r.data, sizeof id);
    uint64_t w = __atomic_fetch_add(&storm->task[h->id], TAKEN, __ATOMIC_ACQ_REL);
    bool is_cancelled = w & CANCELLED;
    if (error)
        fail("task %u: %s, %llx: no result (%d)", h->id, error == -ETIMEDOUT ? "hung" : "lost", (unsigned long long)w, error);
    else if (taken_of(w))
        fail("task %u: doubled: its result is taken twice", h->id);
    else if (r.end == ADIT_ENDED_DONE ? id != h->id || r.tag != h->id || (r.status && !is_cancelled) || !(w & RETURNED) : r.end != ADIT_ENDED_CANCELLED || !is_cancelled)
        fail("task %u: ended %d, status %d, id %u, attempt %u, %llx", h->id, r.end, r.status, id, r.attempts, (unsigned long long)w);
}

/* A task of id, that may wait for some of those held. */
static struct adit_task_spec make(uint64_t *dice, uint32_t id, const struct held *held, uint32_t held_n, struct args *a, uint64_t after[AFTER])
{
    uint64_t r = shm_fixture_random(dice), more = shm_fixture_random(dice);
    uint32_t n = more & 3 ? 0 : (uint32_t)(more >> 2) % (AFTER + 1), kinds_of_args = r >> 32 & 1;
    *a = (struct args){.id = id, .spin = (uint32_t)(r % 200), .retries = r >> 8 & 15 ? 0 : 1 + (uint32_t)(r >> 12 & 1)};
    for (uint32_t k = 0; k < sizeof a->more; k++)
        a->more[k] = (uint8_t)(id + k);
    n = n < held_n ? n : held_n;
    for (uint32_t k = 0; k < n; k++) {
        const struct held *h = &held[(more >> (8 + 8 * k)) % held_n];
        after[k] = h->task;
        a->after[k] = h->id + 1;
    }
    return (struct adit_task_spec){.size = sizeof(struct adit_task_spec), .kind = kind, .priority = (enum adit_priority)(1 + r / 65536 % 5), .args = a,
                                   .args_bytes = kinds_of_args && !n ? SHORT_ARGS : sizeof *a, .attempts_max = ADIT_TASK_ATTEMPTS_MAX, .retry_errors = true,
                                   .after = after, .after_n = n, .after_failures = true, .detached = (r >> 33 & 3) == 0, .tag = id,
                                   .delay_ns = r >> 35 & 15 ? 0 : r >> 40 & 0xfffff, .backoff_ns = r >> 60 & 1 ? 0 : r >> 41 & 0x3ffff};
}

/* Has it use accounts, if there are any. */
static void use_accounts(struct adit_task_spec *s, uint32_t id, struct adit_use uses[ACCOUNTS])
{
    struct accounts set;
    if (!load_accounts(id / USES_EVERY % 2, &set))
        return;
    s->uses = uses;
    s->uses_n = accounts_uses(&set, id, uses);
    __atomic_store_n(&storm->set_of[id], (uint16_t)set.number, __ATOMIC_RELEASE);
}

/* n at once; how many of them are held, behind the held_n that are. */
static uint32_t submit(uint64_t *dice, struct held *held, uint32_t held_n, uint32_t n)
{
    struct args a[HELD_MAX];
    struct adit_task_spec s[HELD_MAX];
    struct adit_use uses[HELD_MAX][ACCOUNTS];
    uint64_t tasks[HELD_MAX], after[HELD_MAX][AFTER], first = __atomic_fetch_add(&storm->next, n, __ATOMIC_ACQ_REL);
    uint32_t kept = 0;
    if (first + n > RECORDS)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        s[i] = make(dice, (uint32_t)(first + i), held, held_n, &a[i], after[i]);
    for (uint32_t i = 0; i < n; i++)
        if ((first + i) % USES_EVERY < 2)
            use_accounts(&s[i], (uint32_t)(first + i), uses[i]);
    int done = adit_submit_n(queue, s, n, tasks);
    if (done < 0 && done != -EAGAIN && (done != -ENOENT || !s[0].uses_n)) /* whoever had the accounts has just died */
        fail("submit: %d", done);
    for (uint32_t i = 0; i < n; i++) {
        bool is_there = (int)i < done;
        __atomic_fetch_or(&storm->task[first + i], is_there ? SUBMITTED : REFUSED, __ATOMIC_ACQ_REL);
        if (is_there && !s[i].detached)
            held[held_n + kept++] = (struct held){tasks[i], (uint32_t)first + i};
    }
    if (done < (int)n)
        (void)adit_queue_wait_room(queue, s[done > 0 ? done : 0].priority, 50000000);
    return kept;
}

static void cancel(const struct held *h)
{
    __atomic_fetch_or(&storm->task[h->id], CANCELLED, __ATOMIC_ACQ_REL);
    int error = adit_cancel(queue, h->task);
    if (error && error != -EBUSY && error != -EALREADY)
        fail("task %u: lost: cancelled: %d", h->id, error);
}

static void submit_on(void)
{
    struct held held[2 * HELD_MAX];
    uint32_t n = 0;
    uint64_t dice = storm->seed * 1000003 + mine->life;
    know(NULL);
    while (stage() != LEAVE && !has_failed()) {
        uint64_t r = shm_fixture_random(&dice);
        if (n && (stage() == REST || n >= HELD_MAX || r % 3 == 0)) {
            uint32_t which = (uint32_t)(r >> 8) % n;
            if (r >> 40 & 1 && !(r >> 41 & 15) && !storm->set_of[held[which].id])
                cancel(&held[which]);
            take(&held[which]);
            held[which] = held[--n];
        } else if (stage() == REST) {
            rest();
        } else if (__atomic_load_n(&storm->next, __ATOMIC_ACQUIRE) + HELD_MAX < RECORDS) {
            n += submit(&dice, held, n, 1 + (uint32_t)(r >> 8) % 6);
        } else {
            shm_fixture_nap(1);
        }
    }
    while (n && !has_failed())
        take(&held[--n]);
}

static void live(void *user)
{
    mine = user;
    enum who who = (enum who)(mine - storm->post);
    const struct adit_create_params p = {.size = sizeof p, .participants_max = 64, .data_bytes = DATA_BYTES, .hold_max_bytes = DATA_BYTES, .chunks_max = 64};
    if (who == ANCHOR && mine->life == 1)
        REQUIRE(!adit_create(ARENA, &p, &arena));
    else
        REQUIRE(!adit_attach(ARENA, who >= SUBMITTER && who < WORKER ? ADIT_CONSUMER : ADIT_PRODUCER, NULL, &arena));
    if (who < SUBMITTER)
        make_accounts(who);
    __atomic_store_n(&mine->attached, mine->life, __ATOMIC_RELEASE);
    if (who < SUBMITTER)
        take_part();
    else if (who < WORKER)
        submit_on();
    else
        work();
    if (queue)
        adit_queue_close(&queue);
    adit_detach(&arena);
}

/* ---- the sniper ---- */

static struct adit_arena *window; /* as an observer */
static uint64_t kills, recoverers, stops, rests, dice, unsure_max, moves, reap_max_ns, stolen;

/* How long something has not been so, as far as this process has looked. */
struct patience {
    uint64_t looked_ns, waited_ns;
};
static bool is_over(struct patience *p)
{
    uint64_t now = adit_clock_ns(), passed = p->looked_ns ? now - p->looked_ns : 0;
    p->looked_ns = now;
    p->waited_ns += passed < STEP_NS ? passed : STEP_NS;
    return p->waited_ns > HUNG_NS;
}

static bool is_attached(enum who w) { return __atomic_load_n(&storm->post[w].attached, __ATOMIC_ACQUIRE) == storm->post[w].life; }

static void start(enum who w)
{
    storm->post[w].life = ++storm->lives;
    storm->post[w].pid = shm_fixture_fork(live, &storm->post[w]);
}

static void look_for_ends(void)
{
    for (enum who w = 0; w < ROLES; w++) {
        int status;
        if (storm->post[w].pid && waitpid(storm->post[w].pid, &status, WNOHANG) == storm->post[w].pid) {
            storm->post[w].pid = 0;
            if (status || stage() != LEAVE)
                fail("role %u ended by itself, status %x", w, (unsigned)status);
        }
    }
}

static struct adit_stats stats(void)
{
    struct adit_stats s = {.size = sizeof s};
    REQUIRE(!adit_stats(window, &s));
    return s;
}

static void tell_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    fprintf(stderr, "torture_tasks: %s %s: %s\n", b->invariant, b->place, b->what);
}

static void verify(uint32_t flags)
{
    /* At rest a worker may be about to drop a buffer, or to give a block back, for longer than three looks, where it has no processor; a leak stays. */
    const struct adit_verify_params p = {.size = sizeof p, .flags = flags, .looks = flags ? REST_LOOKS : 0};
    int breaches = adit_verify(window, &p, tell_breach, NULL);
    if (breaches)
        fail("the verifier: %d", breaches);
}

/* The arena lives while an anchor does. */
static void kill_one(void)
{
    enum who w = (enum who)(shm_fixture_random(&dice) % ROLES);
    uint64_t r = shm_fixture_random(&dice);
    struct post *p = &storm->post[w];
    if ((w <= ANCHOR_2 && !is_attached(ANCHOR + ANCHOR_2 - w)) || (!is_attached(w) && r & 7))
        return;
    if (!(r >> 8 & 15)) { /* stopped first, perhaps just that */
        kill(p->pid, SIGSTOP);
        usleep((useconds_t)(r >> 16 & 0xfff));
        verify(0); /* wherever one stands still, it finds nothing */
        stops++;
        if (r >> 32 & 1) {
            kill(p->pid, SIGCONT);
            return;
        }
    }
    recoverers += (pid_t)stats().keeper_pid == p->pid;
    __atomic_store_n(&storm->is_killed[p->life], 1, __ATOMIC_SEQ_CST);
    kill(p->pid, SIGKILL);
    uint64_t begin = adit_clock_ns();
    if (waitpid(p->pid, NULL, 0) != p->pid)
        fail("cannot reap role %u", w);
    begin = adit_clock_ns() - begin;
    reap_max_ns = begin > reap_max_ns ? begin : reap_max_ns;
    unsure_max += w >= WORKER ? 2 : 0;
    kills++;
    start(w);
}

/* Of the queue's slots those that are in use; the first of them. */
static uint32_t count_used(uint64_t *first)
{
    struct adit_queue q;
    uint32_t n = 0;
    for (uint64_t i = 0; adit_queue_adopt(window, 0, &q) && i < (uint64_t)q.levels_n << q.shift; i++) {
        uint64_t word = adit_load_acquire(&q.tasks[i].word);
        if (adit_task_state(word) == ADIT_TASK_FREE)
            continue;
        *first = n++ ? *first : word;
    }
    return n;
}

static bool has_loans(const struct adit_stats *s)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < s->segments_n; i++)
        bytes += s->segments[i].loaned_bytes;
    return bytes;
}

static bool is_at_rest(uint64_t *used)
{
    struct adit_stats s = stats();
    uint32_t n = 0;
    for (enum who w = 0; w < ROLES; w++)
        n += is_attached(w) && (w < SUBMITTER || w >= WORKER || __atomic_load_n(&storm->post[w].rested, __ATOMIC_ACQUIRE) == storm->turn);
    return n == ROLES && s.participants == ROLES && !count_used(used) && !has_loans(&s);
}

/* Of the two sets that are there: each move that ran to its end was made once. */
static void check_accounts(void)
{
    for (uint32_t which = 0; which < 2; which++) {
        struct account sums[ACCOUNTS];
        struct accounts set;
        REQUIRE(load_accounts(which, &set));
        accounts_first(set.number, sums);
        for (uint64_t id = 0; id < storm->next && id < RECORDS; id++)
            if (storm->set_of[id] == set.number && storm->task[id] & RETURNED) {
                accounts_add((uint32_t)id, sums);
                moves++;
            }
        const char *wrong = accounts_judge(window, &set, sums);
        if (wrong)
            fail("set %u of accounts: %s", set.number, wrong);
    }
}

static void come_to_rest(void)
{
    uint64_t used = 0;
    struct patience p = {0};
    __atomic_store_n(&storm->stage, REST, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&storm->turn, 1, __ATOMIC_SEQ_CST); /* after the stage: who rests in this turn stays at rest */
    while (!is_at_rest(&used) && !has_failed()) {
        look_for_ends();
        usleep(200);
        if (is_over(&p) && !is_at_rest(&used))
            fail("leaked or hung: no rest: %u slots in use, one %llx; %u participants", count_used(&used), (unsigned long long)used, stats().participants);
    }
    if (!has_failed())
        verify(ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP);
    if (!has_failed())
        check_accounts();
    rests++;
}

static void rage(uint64_t seconds, uint64_t kills_wanted, uint64_t tasks)
{
    uint64_t begin = adit_clock_ns(), seen = 0, next_rest = KILLS_BETWEEN_RESTS, next_look = 0;
    struct patience p = {0};
    uint64_t pause_us = kills_wanted ? seconds * 1000000 / kills_wanted : 10000;
    pause_us = pause_us < 4000 ? 4000 : pause_us > 20000 ? 20000 : pause_us;
    while (!has_failed() && (kills < kills_wanted || adit_clock_ns() - begin < seconds * 1000000000u || seen < tasks)) {
        uint64_t commits = __atomic_load_n(&storm->commits, __ATOMIC_ACQUIRE);
        if (commits != seen)
            p = (struct patience){0};
        seen = commits;
        if (is_over(&p))
            fail("hung: %llu committed, and no more", (unsigned long long)seen);
        if (storm->next + HELD_MAX >= RECORDS)
            break; /* more cannot be told apart */
        usleep((useconds_t)(shm_fixture_random(&dice) % pause_us));
        kill_one();
        look_for_ends();
        if (kills >= next_look) {
            verify(0);
            next_look = kills + KILLS_BETWEEN_LOOKS;
        }
        if (kills >= next_rest && !has_failed()) {
            come_to_rest();
            next_rest = kills + KILLS_BETWEEN_RESTS;
            __atomic_store_n(&storm->stage, STORM, __ATOMIC_RELEASE);
            p = (struct patience){0};
        }
    }
}

/* ---- the end ---- */

static struct {
    uint64_t refused, unknown, again, unsure, cancelled, taken;
} count;

static void check_all(void)
{
    uint64_t n = storm->next < RECORDS ? storm->next : RECORDS;
    for (uint64_t i = 0; i < n && !has_failed(); i++) {
        uint64_t w = storm->task[i];
        if (w & SUBMITTED && !runs_of(w) && !(w & CANCELLED))
            fail("task %llu: lost: submitted and never run, %llx", (unsigned long long)i, (unsigned long long)w);
        if (runs_of(w) && (!(w & RETURNED) || w & FAILED) && !(w & CANCELLED))
            fail("task %llu: lost: its last run did not come to its end, %llx", (unsigned long long)i, (unsigned long long)w);
        if (committed_of(w) > 1 || taken_of(w) > 1)
            fail("task %llu: doubled, %llx", (unsigned long long)i, (unsigned long long)w);
        count.refused += (w & REFUSED) != 0;
        count.unknown += !(w & (SUBMITTED | REFUSED));
        count.again += runs_of(w) > 1;
        count.cancelled += (w & CANCELLED) != 0;
        count.taken += taken_of(w);
        count.unsure += runs_of(w) && !committed_of(w) && !taken_of(w) && !(w & CANCELLED);
    }
    if (count.unsure > unsure_max + 2 * (ROLES - WORKER)) /* the last of each thread that lives, too */
        fail("lost: %llu runs were not committed, and %llu threads killed", (unsigned long long)count.unsure, (unsigned long long)unsure_max);
}

/* Of the machine's processors, in all, in its clock ticks. */
static uint64_t stolen_ticks(void)
{
    unsigned long long n[8] = {0};
    FILE *f = fopen("/proc/stat", "r");
    int got = f ? fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]) : 0;
    if (f)
        fclose(f);
    return got == 8 ? n[7] : 0;
}

static void tell_level(const struct adit_queue *q, uint32_t level)
{
    printf(" | %u: head %#llx tail %llu group %#llx:", level, (unsigned long long)adit_load_acquire(&q->slot->level[level].head),
           (unsigned long long)adit_load_acquire(&q->slot->level[level].tail), (unsigned long long)adit_load_acquire(&q->groups[(uint64_t)level << (q->shift - q->group_shift)]));
    for (uint64_t i = 0; i >> q->shift == 0; i++) {
        const struct adit_task_slot *t = adit_task_at(q, level, i);
        uint64_t word = adit_load_acquire(&t->word), at = (uint64_t)(t - q->arena->tasks);
        if (adit_task_state(word) != ADIT_TASK_FREE)
            printf(" %llu %#llx of %#x task %llu flags %#x blocker %#llx;", (unsigned long long)i, (unsigned long long)word, t->submitter, (unsigned long long)t->tag, t->flags,
                   (unsigned long long)adit_load_acquire(&q->arena->task_blockers[at]));
    }
}

/* Whatever there is, with everybody stopped: three lines, as who reads of a failure may have the last ones only. */
static void tell_all(void)
{
    struct adit_participant_info info;
    struct adit_queue q;
    for (enum who w = 0; w < ROLES; w++)
        if (storm->post[w].pid)
            kill(storm->post[w].pid, SIGSTOP);
    printf("stage %u, turn %u; longest reap %.1f ms, %llu ticks stolen; roles (pid, attached/life, rested):", storm->stage, storm->turn, (double)reap_max_ns / 1e6, (unsigned long long)(stolen_ticks() - stolen));
    for (enum who w = 0; w < ROLES; w++)
        printf(" %d %u/%u %u;", (int)storm->post[w].pid, storm->post[w].attached, storm->post[w].life, storm->post[w].rested);
    printf("\nkeeper %#x %u, uses %#x %u, drops due %u; participants:", window->waits->keeper.word, window->waits->keeper.owner, window->waits->uses.word, window->waits->uses.owner, window->waits->drops_due);
    for (uint32_t i = 0; i < window->participants_max; i++)
        if (!adit_participant_get(window, i, &info))
            printf(" %u.%u pid %u %s%s%s limbo %llu readers %u inside since %llu;", i, info.generation, info.pid, info.state, info.gone ? " gone" : "", info.keeper ? " keeper" : "",
                   (unsigned long long)info.limbo_bytes, info.readers, (unsigned long long)info.oldest_epoch);
    if (adit_queue_adopt(window, 0, &q)) {
        printf("\nqueue: spinner %#llx, waiters %u, due %llu of %llu", (unsigned long long)q.slot->spinner, q.slot->work.waiters, (unsigned long long)q.slot->due_ns, (unsigned long long)adit_clock_ns());
        for (uint32_t level = 0; level < q.levels_n; level++)
            tell_level(&q, level);
    }
    puts("");
}

static void part(void)
{
    __atomic_store_n(&storm->stage, LEAVE, __ATOMIC_RELEASE);
    struct patience p = {0};
    for (;; usleep(1000)) {
        uint32_t left = 0;
        look_for_ends();
        for (enum who w = 0; w < ROLES; w++)
            left += storm->post[w].pid != 0;
        if (!left || is_over(&p) || has_failed()) {
            if (left && !has_failed())
                fail("hung: %u processes do not leave", left);
            break;
        }
    }
    for (enum who w = 0; w < ROLES; w++)
        if (storm->post[w].pid) {
            kill(storm->post[w].pid, SIGKILL);
            waitpid(storm->post[w].pid, NULL, 0);
        }
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
    puts("torture_tasks: processes are the point, of which ThreadSanitizer sees nothing");
    return 77;
#endif
    uint64_t n[4] = {1, 5, KILLS, TASKS}, begin = adit_clock_ns();
    for (int i = 1; i < argc && i < 5; i++)
        n[i - 1] = strtoull(argv[i], NULL, 10);
    if (shm_fixture_set_up(NULL))
        return 1;
    storm = shm_fixture_shared(sizeof *storm);
    storm->seed = n[0];
    dice = n[0] * 31 + 7;
    stolen = stolen_ticks();
    start(ANCHOR);
    shm_fixture_until(&storm->post[ANCHOR].attached, 1);
    REQUIRE(!adit_attach(ARENA, ADIT_OBSERVER, NULL, &window));
    for (enum who w = ANCHOR_2; w < ROLES; w++)
        start(w);
    rage(n[1], n[2], n[3]);
    if (!has_failed())
        come_to_rest();
    if (!has_failed())
        check_all();
    if (has_failed())
        tell_all();
    part();
    adit_detach(&window);
    if (!has_failed() && shm_fixture_tear_down(NULL))
        fail("the runtime directory is not empty");
    printf("torture_tasks: seed %llu: %llu tasks, %llu runs, %llu results; %llu killed (%llu keepers), %llu stopped, %llu times at rest, with %llu moves and looks of %u sets of buffers counted; %llu run again, %llu unsure, %llu of submitters "
           "that died in the call, %llu refused, %llu cancelled; %.1f s: %s%s\n",
           (unsigned long long)n[0], (unsigned long long)(storm->next - count.refused), (unsigned long long)storm->runs, (unsigned long long)count.taken,
           (unsigned long long)kills, (unsigned long long)recoverers, (unsigned long long)stops, (unsigned long long)rests, (unsigned long long)moves, storm->sets, (unsigned long long)count.again,
           (unsigned long long)count.unsure, (unsigned long long)count.unknown, (unsigned long long)count.refused, (unsigned long long)count.cancelled,
           (double)(adit_clock_ns() - begin) / 1e9, has_failed() ? "FAILED: " : "nothing lost, doubled, leaked or hung", has_failed() ? storm->why : "");
    return has_failed() ? 1 : 0;
}
