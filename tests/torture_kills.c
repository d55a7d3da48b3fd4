/* torture_kills - everybody is killed at random, again and again, and nothing may come of it.
 *
 *     torture_kills [SEED [SECONDS [KILLS]]]        for SECONDS and until KILLS (300) processes were killed, whichever is later
 *
 * Ten processes work on one arena (storm_roles.h says what each does and what it checks); this one starts them, and starts each again
 * as soon as it is dead. It kills one at a random moment, after a stop or without; two at once; most of all the keeper, and the
 * keeper just after another, in the middle of its recovery. One of the two anchors is attached at every moment, so the arena lives;
 * each of them, the creator too, is killed when the other is there. This process looks in as an observer and takes no slot.
 *
 * Every so many kills one is killed between a commit and what follows from it (storm_sniper.h), and all is brought to rest: the dead
 * are all recovered, all is meshed, each published version is there, watches have told of everything, and the verifier finds nothing
 * at QUIET and DEEP. At the end producers make the last state; it must equal, voxels and meshes byte for byte, that of an arena in which
 * nobody was ever killed; one participant is left, and not one byte in use that the store does not name. Wedged is who makes
 * no progress for 10 s, in however many lives, while it is not stopped.
 *
 * (tried: a recovery that leaves out one step: telling of versions, retiring what a commit replaced, work claims, blocks, pins, readers,
 * watches, rings; one that takes no block for named; none at all; reclaimers that pass by the heap; a keeper that takes the next owner
 * of a slot for dead. Each ends it within 300 kills. A half-named material and a mesh not told of do not: the next namer
 * and the next mesher see to them.) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/storm_final.h"
#include "tests/storm_roles.h"
#include "tests/storm_sniper.h"

#ifdef __SANITIZE_ADDRESS__
#define KILLS 60u
#define WEDGED_NS 40000000000ull /* everything takes some four times as long */
#else
#define KILLS 300u
#define WEDGED_NS 10000000000ull
#endif
#define KILLS_BETWEEN_RESTS 25u
#define SNIPE_STEPS 250u
#define DOINGS 32u

static struct adit_arena *window; /* as an observer */
static uint64_t dice;
static struct {
    pid_t pid[STORM_ROLES];
    uint64_t progress[STORM_POSTS], moved_ns[STORM_POSTS];
    uint64_t kills, keepers, pairs, stops, rests, snipes, fragile, gone /* poppers of the MPMC ring, and what went with them */;
    struct {
        const char *what;
        uint32_t n;
    } doing[DOINGS]; /* what the killed were at */
} t;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t roll(void) { return storm_mix(storm->seed, 77, dice++); }

/* Whoever waits does so awake when it is short, so that moments are fine. */
static void pass(uint64_t ns)
{
    if (ns > 2000000)
        nanosleep(&(struct timespec){.tv_nsec = (long)(ns - 1000000)}, NULL);
    for (uint64_t end = now_ns() + (ns > 2000000 ? 1000000 : ns); now_ns() < end;)
        continue;
}

static bool has_failed(void) { return __atomic_load_n(&storm->failed, __ATOMIC_ACQUIRE); }

/* ---- processes */

static void start(enum storm_who who)
{
    struct storm_post *p = &storm->post[who];
    p->life++;
    __atomic_store_n(&p->attached, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&p->doing, "starting", __ATOMIC_SEQ_CST);
    fflush(stdout);
    pid_t orchestrator = getpid(), pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == orchestrator)
            storm_live(who);
        _exit(1);
    }
    if (pid < 0)
        storm_fail(who, "cannot fork: %s", strerror(errno));
    t.pid[who] = pid > 0 ? pid : 0;
}

static bool is_attached(enum storm_who who)
{
    return __atomic_load_n(&storm->post[who].attached, __ATOMIC_ACQUIRE) == storm->post[who].life;
}

/* Reaps who ended by itself, which nobody may before the stage lets them. */
static void look_for_ends(void)
{
    int status;
    for (enum storm_who w = 0; w < STORM_ROLES; w++)
        if (t.pid[w] && waitpid(t.pid[w], &status, WNOHANG) == t.pid[w]) {
            t.pid[w] = 0;
            if (storm_stage_of(storm->turn) < STORM_LEAVE || status)
                storm_fail(w, "ended by itself, %s %d, at: %s", WIFSIGNALED(status) ? "signal" : "code",
                           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), storm->post[w].doing);
        }
}

static void clocks_reset(void)
{
    for (uint32_t w = 0; w < STORM_POSTS; w++)
        t.moved_ns[w] = now_ns();
}

/* Ends the test when somebody, or something that many move, has not moved for too long. */
static void look_for_wedged(void)
{
    uint64_t now = now_ns();
    for (enum storm_who w = 0; w < STORM_POSTS; w++) {
        uint64_t progress = __atomic_load_n(&storm->post[w].progress, __ATOMIC_RELAXED);
        if (progress != t.progress[w] || (w >= STORM_ROLES && storm_stage_of(storm->turn) != STORM_STORM))
            t.moved_ns[w] = now;
        t.progress[w] = progress;
        if (now - t.moved_ns[w] > WEDGED_NS)
            storm_fail(w, "wedged: no progress for %llu s, last at: %s", (unsigned long long)(WEDGED_NS / 1000000000u),
                       w < STORM_ROLES ? storm->post[w].doing : "(done by many)");
    }
}

static void kill_all(void)
{
    for (enum storm_who w = 0; w < STORM_ROLES; w++)
        if (t.pid[w]) {
            kill(t.pid[w], SIGKILL);
            waitpid(t.pid[w], NULL, 0);
            t.pid[w] = 0;
        }
}

/* ---- killing */

static void set_stage(enum storm_stage stage)
{
    __atomic_store_n(&storm->turn, (storm->turn | 7) + 1 + (uint32_t)stage, __ATOMIC_RELEASE);
    clocks_reset();
}

static void count_doing(const char *what)
{
    uint32_t i = 0;
    while (i + 1 < DOINGS && t.doing[i].what && t.doing[i].what != what && strcmp(t.doing[i].what, what))
        i++;
    t.doing[i].what = what;
    t.doing[i].n++;
}

static struct adit_stats stats(void)
{
    struct adit_stats s = {.size = sizeof s};
    if (adit_stats(window, &s))
        storm_fail(STORM_ANCHOR, "cannot look in: %s", adit_detail());
    return s;
}

static enum storm_who keeper(void)
{
    pid_t pid = (pid_t)stats().keeper_pid;
    for (enum storm_who w = 0; w < STORM_ROLES; w++)
        if (pid && t.pid[w] == pid)
            return w;
    return STORM_ROLES;
}

/* The arena lives while one anchor does. */
static bool may_die(enum storm_who w)
{
    enum storm_who other = w == STORM_ANCHOR ? STORM_ANCHOR_2 : STORM_ANCHOR;
    return w < STORM_ROLES && t.pid[w] && (w > STORM_ANCHOR_2 || (t.pid[other] && is_attached(other)));
}

static void strike(enum storm_who w)
{
    kill(t.pid[w], SIGKILL);
    count_doing(storm->post[w].doing);
    t.kills++;
}

static void bury(enum storm_who w)
{
    waitpid(t.pid[w], NULL, 0);
    t.pid[w] = 0;
    t.fragile += __atomic_load_n(&storm->post[w].fragile, __ATOMIC_ACQUIRE);
}

/* Mostly somebody at work; sometimes whoever it is, who may not be attached yet. */
static enum storm_who pick(enum storm_who but)
{
    bool any = !(roll() & 3);
    for (uint32_t i = 0; i < 200; i++) {
        enum storm_who w = (enum storm_who)(roll() % STORM_ROLES);
        if (w != but && may_die(w) && (any || is_attached(w)))
            return w;
        pass(any ? 0 : 20000);
    }
    return STORM_ROLES;
}

/* One or two at once; a stop before, or instead. */
static void kill_some(void)
{
    uint64_t how = roll() % 100;
    enum storm_who first = how < 30 ? keeper() : STORM_ROLES, second = STORM_ROLES;
    t.keepers += first < STORM_ROLES && may_die(first);
    if (!may_die(first))
        first = pick(STORM_ROLES);
    if (!may_die(first))
        return;
    if (how >= 85) { /* stopped for a moment: nobody takes it for dead */
        kill(t.pid[first], SIGSTOP);
        pass(roll() % 30000000);
        t.stops++;
        if (how >= 93) {
            kill(t.pid[first], SIGCONT);
            return;
        }
    }
    strike(first);
    if (how >= 20 && how < 55) { /* the keeper at its recovery, or anybody else; the first is dead by now, or not yet */
        pass(roll() % (how & 1 ? 400000 : 50000));
        second = how < 45 ? keeper() : pick(first);
        if (second != first && may_die(second) && !(first <= STORM_ANCHOR_2 && second <= STORM_ANCHOR_2)) {
            t.keepers += how < 45;
            t.pairs++;
            strike(second);
        } else {
            second = STORM_ROLES;
        }
    }
    if (!(roll() & 3))
        pass(roll() % 2000000); /* a zombie is dead, too */
    bury(first);
    start(first);
    for (uint32_t i = 0; how >= 55 && how < 65 && i < 3 && may_die(first); i++) { /* while it attaches */
        pass(roll() % 1500000);
        strike(first);
        bury(first);
        start(first);
    }
    if (second < STORM_ROLES) {
        bury(second);
        start(second);
    }
}

/* Kills a producer or a worker while it commits, and nobody works on that chunk again before all is at rest: so what recovery
 * must do for it is not done by the next version. */
static enum storm_who snipe(void)
{
    enum storm_who w = (enum storm_who)(STORM_PRODUCER + roll() % 4);
    pid_t tid;
    uint32_t steps = (uint32_t)(roll() % SNIPE_STEPS);
    if (!is_attached(w) || !storm_aim(window, t.pid[w], storm->post[w].readers, steps, &tid))
        return STORM_ROLES;
    set_stage(STORM_HALT);
    pass(2000000); /* others of its kind come to rest */
    storm_shoot(t.pid[w], tid);
    count_doing("committing");
    t.kills++;
    t.snipes++;
    return w;
}

/* ---- stages */

/* All of first..last rest in this turn. */
static bool all_rest(enum storm_who first, enum storm_who last)
{
    for (enum storm_who w = first; w <= last; w++)
        if (__atomic_load_n(&storm->post[w].rests, __ATOMIC_ACQUIRE) != storm->turn)
            return false;
    return true;
}

static bool writers_rest(void) { return all_rest(STORM_PRODUCER, STORM_PRODUCER_2) && all_rest(STORM_CLERK, STORM_CLERK_2); }
static bool consumers_rest(void) { return all_rest(STORM_CONSUMER, STORM_CONSUMER_2); }

static bool all_are_there(void)
{
    for (enum storm_who w = 0; w < STORM_ROLES; w++)
        if (!is_attached(w))
            return false;
    return stats().participants == STORM_ROLES; /* the dead are recovered */
}

static bool is_settled(void)
{
    struct adit_stats s = stats();
    return !s.dirty && !s.in_work;
}

static bool have_left(void)
{
    for (enum storm_who w = STORM_PRODUCER; w < STORM_ROLES; w++)
        if (t.pid[w])
            return false;
    return true;
}

/* Waits until so; what is not so after the time that means wedged is told. */
static void await(bool (*is_so)(void), const char *what)
{
    for (uint64_t end = now_ns() + WEDGED_NS; !has_failed() && !is_so(); usleep(1000)) {
        look_for_ends();
        look_for_wedged();
        struct adit_stats s = stats();
        if (now_ns() > end)
            storm_fail(STORM_MESHES, "wedged: %s: not within %llu s; %u participants, %llu dirty, %llu in work, keeper %u", what,
                       (unsigned long long)(WEDGED_NS / 1000000000u), s.participants, (unsigned long long)s.dirty,
                       (unsigned long long)s.in_work, s.keeper_pid);
    }
}

static void tell_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    fprintf(stderr, "torture_kills: %s %s: %s\n", b->invariant, b->place, b->what);
}

static void verify(struct adit_arena *a, uint32_t flags, const char *when)
{
    const struct adit_verify_params p = {.size = sizeof p, .flags = flags};
    int breaches = has_failed() ? 0 : adit_verify(a, &p, tell_breach, NULL);
    if (breaches)
        storm_fail(STORM_ANCHOR, "the verifier, %s: %d", when, breaches);
}

/* What was pushed into the MPMC ring and never popped has gone with a popper, one each at most. */
static void check_bag(void)
{
    uint64_t missing = 0;
    for (uint32_t c = 0; c < STORM_CLERKS; c++) {
        for (uint32_t i = 0; i <= storm->bag_begun[c] / 64; i++)
            missing += (uint32_t)__builtin_popcountll(storm->bag_sent[c][i] & ~storm->bag_got[c][i]);
        memset(storm->bag_sent[c], 0, sizeof storm->bag_sent[c]);
        memset(storm->bag_got[c], 0, sizeof storm->bag_got[c]);
        storm->bag_begun[c] = 0;
    }
    if (missing > t.fragile)
        storm_fail(STORM_BAG, "%llu elements are gone, and %llu poppers", (unsigned long long)missing, (unsigned long long)t.fragile);
    t.gone += missing;
    t.fragile = 0;
}

static void come_to_rest(void)
{
    enum storm_who hit = snipe();
    set_stage(STORM_HALT);
    if (hit < STORM_ROLES) {
        bury(hit);
        start(hit);
    }
    await(all_are_there, "all are there and nobody else");
    await(writers_rest, "producers and clerks come to rest");
    await(is_settled, "all is meshed");
    set_stage(STORM_COMPARE);
    await(consumers_rest, "consumers compare");
    await(writers_rest, "clerks empty the MPMC ring");
    if (has_failed())
        return;
    check_bag();
    for (uint32_t i = 0; i < STORM_CHUNKS; i++) {
        struct adit_key key = storm_key(i);
        uint64_t now = 0;
        if (adit_chunk_version(window, &key, &now) || now < storm->floor[i])
            storm_fail(STORM_PRODUCER + storm_producer_of(i), "chunk %u: version %llu is lost, at rest it is %llu", i,
                       (unsigned long long)storm->floor[i], (unsigned long long)now);
    }
    verify(window, ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP, "at rest");
    t.rests++;
}

static void rage(uint64_t seconds, uint64_t kills)
{
    uint64_t end = now_ns() + seconds * 1000000000u, next_rest = KILLS_BETWEEN_RESTS, next_look = 0;
    set_stage(STORM_STORM);
    while (!has_failed() && (t.kills < kills || now_ns() < end)) {
        uint64_t busy = roll() % 8;
        pass(busy < 5 ? roll() % 300000 : busy < 7 ? roll() % 3000000 : roll() % 20000000);
        kill_some();
        look_for_ends();
        look_for_wedged();
        if (t.kills >= next_look) {
            verify(window, 0, "in the storm");
            next_look = t.kills + 25;
        }
        if (t.kills >= next_rest && !has_failed()) {
            come_to_rest();
            next_rest = t.kills + KILLS_BETWEEN_RESTS;
            set_stage(STORM_STORM);
        }
    }
    if (!has_failed())
        come_to_rest();
}

/* The last state, then everybody goes, the anchors when this process is a participant. */
static struct adit_arena *part(void)
{
    struct adit_arena *a = NULL;
    set_stage(STORM_FINISH);
    await(writers_rest, "producers make the last state");
    await(is_settled, "the last state is meshed");
    if (has_failed())
        return NULL;
    set_stage(STORM_LEAVE);
    await(have_left, "all leave");
    if (has_failed() || adit_attach(STORM_ARENA, ADIT_PRODUCER, NULL, &a))
        return NULL;
    set_stage(STORM_EMPTY);
    for (uint64_t end = now_ns() + WEDGED_NS; (t.pid[0] || t.pid[1]) && now_ns() < end && !has_failed(); usleep(1000))
        look_for_ends();
    if (t.pid[0] || t.pid[1])
        storm_fail(t.pid[0] ? STORM_ANCHOR : STORM_ANCHOR_2, "does not leave");
    return a;
}

/* ---- the end */

static void report(uint64_t begin_ns, bool failed)
{
    printf("killed at:");
    for (uint32_t i = 0; i < DOINGS && t.doing[i].what; i++)
        printf("%s %s %u", i ? "," : "", t.doing[i].what, t.doing[i].n);
    printf("\ntorture_kills: seed %llu: %llu killed (%llu keepers, %llu pairs, %llu at a commit), %llu stopped, %llu times at rest, %llu published (%llu waited "
           "for memory), %llu looks (%llu ousted), %llu told, %llu forgotten, %llu pins, %llu lock, %llu + %llu ring (%llu gone), %.1f s: %s\n",
           (unsigned long long)storm->seed, (unsigned long long)t.kills, (unsigned long long)t.keepers, (unsigned long long)t.pairs,
           (unsigned long long)t.snipes,
           (unsigned long long)t.stops, (unsigned long long)t.rests, (unsigned long long)storm->published,
           (unsigned long long)storm->shortages, (unsigned long long)storm->looks,
           (unsigned long long)storm->ousted, (unsigned long long)storm->told, (unsigned long long)storm->forgotten,
           (unsigned long long)storm->pins, (unsigned long long)storm->post[STORM_TALLY].progress,
           (unsigned long long)storm->post[STORM_BELT].progress, (unsigned long long)storm->post[STORM_BAG].progress,
           (unsigned long long)t.gone,
           (double)(now_ns() - begin_ns) / 1e9, failed ? "FAILED" : "ok");
}

/* For whoever looks into a failure: the arena as it was. */
static void keep_image(void)
{
    const char *path = getenv("ADIT_STORM_IMAGE");
    if (path && window && adit_image_save(window, path))
        fprintf(stderr, "torture_kills: no image: %s\n", adit_detail());
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_THREAD__
    puts("torture_kills: processes are the point, of which ThreadSanitizer sees nothing");
    return 77;
#endif
    uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, kills = argc > 3 ? strtoull(argv[3], NULL, 10) : KILLS, begin = now_ns();
    char directory[64], path[80]; /* short: a socket's name goes in there */
    const char *tmp = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/adit-kills-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    storm = mmap(NULL, sizeof *storm, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (storm == MAP_FAILED || !mkdtemp(directory) || setenv("XDG_RUNTIME_DIR", directory, 1))
        return 1;
    storm->seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    start(STORM_ANCHOR);
    for (uint64_t end = begin + WEDGED_NS; !storm->created && !has_failed() && now_ns() < end; usleep(1000))
        look_for_ends();
    if (!has_failed() && adit_attach(STORM_ARENA, ADIT_OBSERVER, NULL, &window))
        storm_fail(STORM_ANCHOR, "cannot observe: %s", adit_detail());
    for (enum storm_who w = STORM_ANCHOR_2; w < STORM_ROLES && !has_failed(); w++)
        start(w);
    if (!has_failed())
        rage(seconds, kills);
    struct adit_arena *a = has_failed() ? NULL : part();
    if (a)
        storm_final_check(a);
    if (has_failed())
        keep_image();
    kill_all();
    adit_detach(&window);
    adit_detach(&a);
    snprintf(path, sizeof path, "%s/adit", directory);
    bool failed = has_failed();
    if (!failed && (rmdir(path) || rmdir(directory))) {
        fprintf(stderr, "torture_kills: %s is not empty\n", path);
        failed = true;
    }
    report(begin, failed);
    return failed;
}
