#include "tests/crasharena.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/recover.h"
#include "shm/broker.h"
#include "shm/keeper.h"
#include "tests/crashscene.h"
#include "tests/crashsymbols.h"
#include "tests/crashtrace.h"
#include "tests/shm_fixture.h"

#define JUDGE_S 20u /* a verdict takes milliseconds; one that takes this long hangs */

/* The bytes of an arena: all of the control segment, and of the data segment the blocks that readers may see. */
struct image {
    uint8_t *control, *data;
};

/* What the tracer wants the host's keeper to be, and what it is. */
struct wish {
    uint32_t keepers_closed, keepers_opened; /* how often, as wished */
    uint32_t closed, opened;                 /* and as done */
    uint32_t is_over;
};

struct verdict {
    uint32_t is_given;
    char text[240];
};

static struct {
    const struct crash_case *its;
    struct adit_arena *live, *copy;
    struct adit_watch *live_watch, *copy_watch;
    struct image first, seen; /* before the child; at the last look */
    bool has_seen;
    struct verdict *verdict; /* shared with judges */
    struct wish *wish;       /* shared with the tracer */
} scene;

struct adit_arena *crash_mine;

/* A thread takes the cells of its histograms as it needs them, from among those that other children have left or have yet: done before the operation, so that this is the same in each child. */
static void take_cells(void)
{
    for (uint32_t i = 0; i < ADIT_HISTOGRAMS_N; i++)
        adit_record(crash_mine, i, 1, 0);
}

void crash_attach(void *user)
{
    (void)user;
    crash_mine = shm_fixture_attach("live", ADIT_PRODUCER);
    take_cells();
}

void crash_attach_consumer(void *user)
{
    (void)user;
    crash_mine = shm_fixture_attach("live", ADIT_CONSUMER);
    take_cells();
}

void crash_attach_and_use(void *user)
{
    struct adit_reader *reader;
    struct adit_watch *watch;
    struct adit_chunk_view view;
    uint32_t pin;
    crash_attach(user);
    REQUIRE(!adit_reader_open(crash_mine, &reader) && !adit_watch_open(crash_mine, NULL, &watch));
    adit_enter(reader);
    REQUIRE(!adit_chunk_acquire(reader, &crash_key_b, &view) && !adit_pin(reader, view.ref, &pin));
    adit_exit(reader);
    REQUIRE(!adit_chunk_remove(crash_mine, &crash_key_a, NULL));
}

/* ---- images */

/* Of the control segment all but the slots of locks that no test here makes, half a megabyte to compare at each instruction, and what is counted, which is nobody's business but that of
 * cases that say so; of that, common histograms are left out. */
#define LOCKS_USED 2u
#define PARTS 3u
struct part {
    uint64_t at, bytes;
};
static uint64_t at_of(const void *p) { return (uint64_t)((const uint8_t *)p - scene.live->segments[0].base); }
static void parts_of_control(struct part parts[PARTS])
{
    uint64_t end = scene.live->maps[0].bytes, locks = at_of(scene.live->locks), metrics = at_of(scene.live->metrics), commons = at_of(scene.live->metric_commons);
    uint64_t hole = locks + LOCKS_USED * sizeof(struct adit_lock_slot), after = locks + scene.live->locks_max * sizeof(struct adit_lock_slot);
    uint64_t behind = commons + ADIT_METRIC_SERIES * sizeof *scene.live->metric_commons, until = scene.its->counts ? commons : metrics;
    parts[0] = (struct part){0, hole};
    parts[1] = (struct part){after, until - after};
    parts[2] = (struct part){behind, end - behind};
}

struct transfer {
    uint8_t *to;
    const uint8_t *from;
    bool differs;
};

static void transfer_block(uint64_t ref, uint64_t word, void *user)
{
    struct transfer *t = user;
    uint64_t at = adit_ref_byte(ref), n = (uint64_t)adit_word_granules(word) << ADIT_GRANULE_SHIFT;
    enum adit_block_state s = adit_word_state(word);
    if ((s != ADIT_BLOCK_PUBLISHED && s != ADIT_BLOCK_RETIRED) || at + n > scene.live->segments[1].bytes)
        return;
    if (t->differs || memcmp(t->to + at, t->from + at, n)) {
        t->differs = true;
        memcpy(t->to + at, t->from + at, n);
    }
}

/* Copies the blocks that words of arena show; true when one differed. */
static bool transfer_blocks(const struct adit_arena *words_of, uint8_t *to, const uint8_t *from)
{
    struct transfer t = {to, from, false};
    adit_block_each(words_of, 1, transfer_block, &t);
    return t.differs;
}

/* All but the keeper's lock, which belongs to a thread of the host and to the kernel. */
static void restore(struct adit_arena *arena, const struct image *image)
{
    const size_t at = (size_t)((const uint8_t *)&arena->waits->keeper - arena->segments[0].base), after = at + sizeof arena->waits->keeper;
    struct part parts[PARTS];
    uint8_t *base = arena->segments[0].base;
    parts_of_control(parts);
    memcpy(base, image->control, at);
    memcpy(base + after, image->control + after, parts[0].bytes - after);
    for (uint32_t i = 1; i < PARTS; i++)
        memcpy(base + parts[i].at, image->control + parts[i].at, parts[i].bytes);
    (void)transfer_blocks(arena, arena->segments[1].base, image->data);
}

static bool take(struct image *image, const struct adit_arena *arena)
{
    bool differs = false;
    struct part parts[PARTS];
    parts_of_control(parts);
    for (uint32_t i = 0; i < PARTS; i++) {
        const uint8_t *now = arena->segments[0].base + parts[i].at;
        if (memcmp(image->control + parts[i].at, now, parts[i].bytes)) {
            memcpy(image->control + parts[i].at, now, parts[i].bytes);
            differs = true;
        }
    }
    return transfer_blocks(arena, image->data, arena->segments[1].base) || differs;
}

/* Until the host's keeper has recovered everybody but the host: false when it does not within ten seconds. */
static bool wait_recovered(void)
{
    struct timespec nap = {.tv_nsec = 20000};
    for (uint32_t n = 0; n < 100000; n++) {
        uint32_t left = 0;
        for (uint32_t i = 1; i < scene.live->participants_max; i++)
            left += adit_part_state(adit_load_acquire(&scene.live->participants[i].word)) != ADIT_PART_FREE;
        if (!left)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

/* By the tracer. */
static void close_host_keeper(void)
{
    shm_fixture_until(&scene.wish->closed, __atomic_add_fetch(&scene.wish->keepers_closed, 1, __ATOMIC_SEQ_CST));
}
static void open_host_keeper(void)
{
    if (scene.wish->keepers_opened != scene.wish->keepers_closed)
        shm_fixture_until(&scene.wish->opened, __atomic_add_fetch(&scene.wish->keepers_opened, 1, __ATOMIC_SEQ_CST));
}

void crash_take_over(void *user)
{
    (void)user;
    close_host_keeper();
}

static void reset(void *user)
{
    (void)user;
    open_host_keeper();
    if (!scene.its->victim)
        (void)wait_recovered();
    restore(scene.live, &scene.first);
    scene.has_seen = false;
}

static bool snapshot(void *user)
{
    (void)user;
    bool differs = take(&scene.seen, scene.live) || !scene.has_seen;
    scene.has_seen = true;
    return differs && !scene.its->kills_only;
}

/* ---- verdicts */

static void say(const char *text)
{
    snprintf(scene.verdict->text, sizeof scene.verdict->text, "%s", text);
    __atomic_store_n(&scene.verdict->is_given, 1, __ATOMIC_RELEASE);
}

/* Recovery that is told who is dead: the child whose memory was copied still runs. */
static const char *recover_told(struct adit_arena *arena)
{
    for (uint32_t i = 1; i < arena->participants_max; i++)
        if (adit_recover_participant(arena, i))
            return "recovery has failed";
    return NULL;
}

/* Recovery that finds out. With victims it is all there is, else the host's keeper has done everything already. */
static const char *recover_found(struct adit_arena *arena)
{
    uint32_t found;
    if (adit_recover_all(arena, &found))
        return "recovery has failed";
    return found && !scene.its->victim ? "the keeper has left somebody" : NULL;
}

static void judge(struct adit_arena *arena, struct adit_watch *watch, const char *(*recover)(struct adit_arena *arena))
{
    crash_scene_use(watch);
    const char *why = recover(arena);
    if (!why)
        why = recover(arena); /* nothing is left to do */
    if (!why)
        why = crash_scene_is_recovered(arena);
    if (!why && scene.its->judge)
        why = scene.its->judge(arena);
    if (!why)
        why = crash_scene_round(arena);
    say(why ? why : "");
}

static const char *outcome_of(pid_t judging)
{
    static char text[300];
    int status = 0;
    while (waitpid(judging, &status, __WALL) != judging) {
    }
    if (!scene.verdict->is_given && WIFSIGNALED(status))
        snprintf(text, sizeof text, "recovery or what follows it %s %d (%s)", WTERMSIG(status) == SIGALRM ? "hangs:" : "dies:",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (!scene.verdict->is_given)
        snprintf(text, sizeof text, "what follows recovery has ended with status %d", WEXITSTATUS(status));
    else
        snprintf(text, sizeof text, "%s", scene.verdict->text);
    return *text ? text : NULL;
}

static const char *judge_in_child(bool is_copy)
{
    scene.verdict->is_given = 0;
    fflush(NULL);
    pid_t p = fork();
    if (p < 0)
        crash_fail("fork", strerror(errno));
    if (!p) {
        alarm(JUDGE_S);
        if (is_copy)
            judge(scene.copy, scene.copy_watch, recover_told);
        else
            judge(scene.live, scene.live_watch, recover_found);
        _exit(0);
    }
    return outcome_of(p);
}

/* What the kernel does with a robust lock whose holder has ended (linux/futex.h); in the live arena it does it itself. */
static void hand_on(struct adit_robust *robust)
{
    if (robust->word & ADIT_ROBUST_TID)
        robust->word = (robust->word & ADIT_ROBUST_WAITERS) | ADIT_ROBUST_DIED;
}

static const char *judge_copy(void *user)
{
    (void)user;
    if (scene.its->kills_only)
        return NULL;
    restore(scene.copy, &scene.seen);
    hand_on(&scene.copy->waits->naming);
    hand_on(&scene.copy->waits->uses);
    for (uint32_t i = 0; i < LOCKS_USED; i++)
        hand_on(&scene.copy->locks[i].robust);
    return judge_in_child(true);
}

static const char *judge_live(void *user)
{
    (void)user;
    open_host_keeper();
    if (!scene.its->victim && !wait_recovered())
        return "nobody recovers the dead";
    return judge_in_child(false);
}

/* ---- the host and the tracer */

/* Leaves a participant behind that died where the case says. */
static void kill_victim(const struct crash_case *c)
{
    const struct crash_operation op = {.name = "the victim", .set_up = c->victim_set_up ? c->victim_set_up : crash_attach,
                                       .run = c->victim};
    struct crashtrace t;
    uint64_t at, end;
    if (!crashsymbols_range(c->victim_at, 0, &at, &end))
        crash_fail(c->victim_at, "no such function");
    crashtrace_start(&t, &op, NULL);
    if (!crashtrace_run_to(&t, at, c->victim_nth))
        crash_fail(c->victim_at, "the victim does not come there");
    crashtrace_kill(&t);
}

static void make_image(struct image *image)
{
    image->control = calloc(1, scene.live->maps[0].bytes);
    image->data = malloc(scene.live->segments[1].bytes);
    if (!image->control || !image->data)
        crash_fail("crasharena", "no memory");
}

static int trace(const char *program, const struct crash_case *c)
{
    static const struct crash_subject subject = {reset, snapshot, judge_copy, judge_live};
    struct crash_report report = {0};
    make_image(&scene.first);
    make_image(&scene.seen);
    if (c->victim)
        kill_victim(c);
    (void)take(&scene.first, scene.live);
    crash_snapshots(&c->op, &subject, NULL, &report);
    crash_kills(&c->op, &subject, NULL, &report);
    bool good = crash_print(program, &c->op, &report);
    crash_report_fini(&report);
    return !good;
}

struct arguments {
    const char *program;
    const struct crash_case *its;
    uint32_t *is_ready; /* shared: the host has ended its threads that write */
};

static void be_the_tracer(void *user)
{
    const struct arguments *a = user;
    shm_fixture_until(a->is_ready, 1);
    int failed = trace(a->program, a->its);
    open_host_keeper();
    __atomic_store_n(&scene.wish->is_over, 1, __ATOMIC_RELEASE);
    _exit(failed);
}

/* The host's keeper where recovery is the operation: it leaves that to the child and the judge. */
static int leave_the_dead(struct adit_arena *arena, uint32_t slot)
{
    (void)arena;
    (void)slot;
    return -EAGAIN;
}

/* The tracer has ended, or is about to. */
static bool is_over(pid_t tracer)
{
    siginfo_t ended = {0};
    return __atomic_load_n(&scene.wish->is_over, __ATOMIC_ACQUIRE) ||
           waitid(P_PID, (id_t)tracer, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid;
}

/* By the host, until the tracer is done: its keeper goes and comes as wished. */
static void serve_wishes(pid_t tracer)
{
    struct wish *w = scene.wish;
    struct timespec nap = {.tv_nsec = 20000};
    while (!is_over(tracer)) {
        struct adit_grant grant; /* a copy of the listening socket, so that the name stays */
        if (w->closed != __atomic_load_n(&w->keepers_closed, __ATOMIC_ACQUIRE)) {
            REQUIRE(!adit_broker_ask("live", ADIT_ROLE_CONSUMER, 1000000000u, &grant));
            int listener = grant.listener;
            grant.listener = -1;
            adit_grant_close(&grant);
            char first = scene.live->place[0];
            scene.live->place[0] = 0; /* no folder: it does not wait for who has the socket, this process, to answer */
            adit_keeper_close(scene.live);
            scene.live->place[0] = first;
            __atomic_add_fetch(&w->closed, 1, __ATOMIC_RELEASE);
            while (w->opened == __atomic_load_n(&w->keepers_opened, __ATOMIC_ACQUIRE) && !is_over(tracer))
                nanosleep(&nap, NULL);
            REQUIRE(!adit_keeper_open(scene.live, listener, -1));
            __atomic_add_fetch(&w->opened, 1, __ATOMIC_RELEASE);
        }
        nanosleep(&nap, NULL);
    }
}

static int run_one(const char *program, const struct crash_case *c)
{
    struct arguments a = {program, c, shm_fixture_shared(sizeof *a.is_ready)};
    scene.its = c;
    scene.verdict = shm_fixture_shared(sizeof *scene.verdict);
    scene.wish = shm_fixture_shared(sizeof *scene.wish);
    scene.live = crash_scene_create("live", &scene.live_watch);
    scene.copy = crash_scene_create("copy", &scene.copy_watch);
    if (c->prepare) {
        c->prepare(scene.live);
        c->prepare(scene.copy);
    }
    if (c->victim)
        scene.live->recover = leave_the_dead; /* read by the keeper's thread when somebody has died, and nobody has yet */
    pid_t tracer = shm_fixture_fork(be_the_tracer, &a);
    adit_reclaimer_fini(scene.live); /* of the host's threads the keepers stay: they write when somebody has died */
    adit_reclaimer_fini(scene.copy);
    __atomic_store_n(a.is_ready, 1, __ATOMIC_RELEASE);
    if (c->is_takeover)
        serve_wishes(tracer);
    int status = shm_fixture_wait(tracer);
    if (status)
        printf("%s: %s: the tracer has ended with status %d\n", program, c->op.name, status);
    adit_detach(&scene.live);
    adit_detach(&scene.copy);
    munmap(scene.verdict, sizeof *scene.verdict);
    munmap(scene.wish, sizeof *scene.wish);
    munmap(a.is_ready, sizeof *a.is_ready);
    return status;
}

static bool is_passed_over(const char *program, const struct crash_case *c)
{
#ifdef __SANITIZE_ADDRESS__
    if (c->is_long && !getenv("ADIT_CRASH_EVERY")) {
        printf("%s: %s: passed over under AddressSanitizer; set ADIT_CRASH_EVERY to walk it here, too\n", program, c->op.name);
        return true;
    }
#endif
    (void)program;
    (void)c;
    return false;
}

int crash_arena_run(const char *program, const struct crash_case *cases, uint32_t n)
{
    uint32_t failed = 0, done = 0;
    const char *only = getenv("ADIT_CRASH_ONLY");
    crash_begin();
    if (shm_fixture_set_up(NULL))
        crash_fail("shm_fixture_set_up", strerror(errno));
    for (uint32_t i = 0; i < n; i++)
        if ((!only || strstr(cases[i].op.name, only)) && !is_passed_over(program, &cases[i])) {
            failed += run_one(program, &cases[i]) != 0;
            done++;
        }
    if (shm_fixture_tear_down(NULL))
        crash_fail("the runtime directory", "something is left in it");
    printf("%s: %u of %u operations, %u failed\n", program, done, n, failed);
    return failed ? 1 : done ? 0 : 77;
}
