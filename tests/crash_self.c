/* crash_self.c - the crash-point harness held to its word (crashpoint.h): a small shared structure with an undo log that survives
 * a death at any instruction, and the same with defects that are open for a moment only, which must be found.
 *
 *   step of move                     if the process dies right after
 *   1 lock (robust)                  the next one gets EOWNERDEAD and recovers
 *   2 undo = a, b, version           undo is not valid: nothing to do
 *   3 undo.valid = 1                 recovery puts back a, b, version
 *   4 a, payload, b, version         the same
 *   5 shadow = payload               the same, and payload = shadow, half of it old (nobody looks until 6 is done)
 *   6 undo.valid = 0                 done
 *   7 unlock
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/crashpoint.h"

#define CELLS 32u
#define FIRST 7u

struct pair {
    pthread_mutex_t lock;
    uint64_t a, b, version, valid;
    uint64_t undo_a, undo_b, undo_version;
    uint64_t payload[CELLS];
};

enum defect {
    SOUND,
    UNDO_LATE,   /* a is stored one instruction before undo.valid */
    UNDO_SHORT,  /* undo.valid is cleared one instruction before version is stored */
    LOCK_ASLEEP, /* the lock is not robust: only the kernel's part at a real death shows it */
    DEFECTS
};

static struct {
    struct pair *live;       /* shared with the child */
    struct pair seen, copy;  /* the last look, and what is recovered of it */
    enum defect defect;
} self;

static void store(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }

CRASH_CODE static void undo(struct pair *p)
{
    if (!__atomic_load_n(&p->valid, __ATOMIC_ACQUIRE))
        return;
    store(&p->a, p->undo_a);
    store(&p->b, p->undo_b);
    store(&p->version, p->undo_version);
    for (uint32_t i = 0; i < CELLS; i++)
        store(&p->payload[i], p->undo_a + i);
    store(&p->valid, 0);
}

/* The neighbours here are neighbours in the machine's code, too: plain stores of values that are in registers by then. */
CRASH_CODE static void move(struct pair *p)
{
    if (pthread_mutex_lock(&p->lock))
        return;
    uint64_t a = p->a + 1, b = p->b + 1, one = 1, zero = 0;
    p->undo_a = p->a;
    p->undo_b = p->b;
    p->undo_version = p->version;
    if (self.defect == UNDO_LATE)
        __asm__ volatile("movq %1, %0; movq %3, %2" : "=m"(p->a), "+r"(a), "=m"(p->valid), "+r"(one)::"memory");
    else
        __asm__ volatile("movq %1, %0; movq %3, %2" : "=m"(p->valid), "+r"(one), "=m"(p->a), "+r"(a)::"memory");
    for (uint32_t i = 0; i < CELLS; i++)
        store(&p->payload[i], a + i);
    store(&p->b, b);
    if (self.defect == UNDO_SHORT)
        __asm__ volatile("movq %1, %0; movq %3, %2" : "=m"(p->valid), "+r"(zero), "=m"(p->version), "+r"(a)::"memory");
    else
        __asm__ volatile("movq %1, %0; movq %3, %2" : "=m"(p->version), "+r"(a), "=m"(p->valid), "+r"(zero)::"memory");
    pthread_mutex_unlock(&p->lock);
}

static void move_once(void *user)
{
    (void)user;
    move(self.live);
}

static void reset(void *user)
{
    (void)user;
    struct pair *p = self.live;
    pthread_mutexattr_t shared;
    memset(p, 0, sizeof *p);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    if (self.defect != LOCK_ASLEEP)
        pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&p->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    p->a = p->b = p->version = FIRST;
    for (uint32_t i = 0; i < CELLS; i++)
        p->payload[i] = FIRST + i;
}

static bool snapshot(void *user)
{
    (void)user;
    bool changed = memcmp(&self.seen, self.live, sizeof self.seen) != 0;
    memcpy(&self.seen, self.live, sizeof self.seen);
    return changed;
}

/* What a survivor finds: all before, or all after. */
static const char *look_at(const struct pair *p)
{
    if (p->a != p->b)
        return "a and b differ";
    if (p->version != p->a)
        return "version is not a's";
    if (p->a != FIRST && p->a != FIRST + 1)
        return "neither before nor after";
    for (uint32_t i = 0; i < CELLS; i++)
        if (p->payload[i] != p->a + i)
            return "the payload is torn";
    return NULL;
}

static const char *judge_copy(void *user)
{
    (void)user;
    memcpy(&self.copy, &self.seen, sizeof self.copy);
    undo(&self.copy);
    return look_at(&self.copy);
}

static const char *judge_live(void *user)
{
    (void)user;
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 2000000; /* the owner is dead and reaped: nobody is waited for */
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    int error = pthread_mutex_timedlock(&self.live->lock, &limit);
    if (error == EOWNERDEAD) {
        undo(self.live);
        pthread_mutex_consistent(&self.live->lock);
    } else if (error)
        return "the lock stays taken";
    const char *why = look_at(self.live);
    pthread_mutex_unlock(&self.live->lock);
    return why;
}

/* What the harness must say of each variant. Without a sanitizer's checks in between the windows are two boundaries wide at most. */
static bool is_as_expected(const struct crash_report *r)
{
    bool by_snapshot = self.defect == UNDO_LATE || self.defect == UNDO_SHORT, by_kill = self.defect != SOUND;
    if ((r->bad != 0) != by_snapshot || (r->kills_bad != 0) != by_kill || !r->kills || r->missed)
        return false;
    return !by_snapshot || (r->bad <= 2 && r->kills_bad <= 2);
}

int main(void)
{
    static const char *const names[DEFECTS] = {"sound", "undo a moment late", "undo a moment short", "lock not robust"};
    static const char *const met[] = {"move", NULL};
    static const struct crash_subject subject = {reset, snapshot, judge_copy, judge_live};
    int wrong = 0;
    if (!getenv("ADIT_CRASH_EVERY"))
        setenv("ADIT_CRASH_EVERY", "1", 1); /* a window of one boundary is not found by every other one */
    crash_begin();
    self.live = mmap(NULL, sizeof *self.live, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (self.live == MAP_FAILED)
        crash_fail("crash_self", "no shared memory");
    for (uint32_t d = 0; d < DEFECTS; d++) {
        const struct crash_operation op = {.name = names[d], .run = move_once, .functions = met};
        struct crash_report r = {0};
        self.defect = (enum defect)d;
        crash_snapshots(&op, &subject, NULL, &r);
        crash_kills(&op, &subject, NULL, &r);
        (void)crash_print("crash_self", &op, &r);
        if (!is_as_expected(&r)) {
            printf("crash_self: %s: the harness was expected to say otherwise\n", names[d]);
            wrong = 1;
        }
        crash_report_fini(&r);
    }
    return wrong;
}
