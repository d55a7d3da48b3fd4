/* crash_lock.c - a process dies at any instruction of making a lock, of taking it, of changing what it protects, and of giving it back: the
 * next holder gets it at once, and what was committed last, whole.
 * (tried: a draft written in place: 466 points and 345 kills) */
#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/crasharena.h"
#include "tests/shm_fixture.h"

#define WORDS 32u
#define OLD 7u
#define WAIT_NS 100000000u /* nobody alive holds it: a wait that ends by this has found it lost */

static const struct adit_lock_params params = {.size = sizeof params, .bytes = WORDS * sizeof(uint64_t)};
static struct adit_lock *lock;

static void fill(uint64_t *words, uint64_t value)
{
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = value + i;
}

/* All words are value's. */
static bool is_of(const uint64_t *words, uint64_t value)
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (words[i] != value + i)
            return false;
    return true;
}

static void make_lock(struct adit_arena *arena)
{
    struct adit_lock *l;
    void *words;
    REQUIRE(!adit_lock_open(arena, "pair", &params, &l) && !adit_lock_lock(l, WAIT_NS, &words));
    fill(words, OLD);
    REQUIRE(!adit_lock_unlock(l));
    adit_lock_close(&l);
}

static void attach_and_open(void *user)
{
    crash_attach(user);
    REQUIRE(!adit_lock_open(crash_mine, "pair", &params, &lock));
}

CRASH_CODE static void change(void *user)
{
    void *bytes;
    (void)user;
    if (adit_lock_lock(lock, WAIT_NS, &bytes))
        return;
    volatile uint64_t *words = bytes;
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = words[i] + 1;
    (void)adit_lock_unlock(lock);
}

CRASH_CODE static void discard(void *user)
{
    void *bytes;
    (void)user;
    if (adit_lock_lock(lock, WAIT_NS, &bytes))
        return;
    *(volatile uint64_t *)bytes = 0;
    (void)adit_lock_discard(lock);
}

static void make(void *user)
{
    (void)user;
    (void)adit_lock_open(crash_mine, "pair", &params, &lock);
}

/* What readers see and what the next holder gets is one of the two; and it can be changed once more. */
static const char *is_old_or(struct adit_arena *arena, uint64_t old, uint64_t new)
{
    struct adit_lock *l;
    uint64_t words[WORDS];
    void *draft;
    if (adit_lock_open(arena, "pair", &params, &l))
        return "the lock cannot be opened";
    if (adit_lock_read(l, words, sizeof words, NULL) || (!is_of(words, old) && !is_of(words, new)))
        return "what is read is neither the old nor the new";
    if (adit_lock_lock(l, WAIT_NS, &draft) < 0)
        return "the lock is lost";
    if (!is_of(draft, words[0]))
        return "the next holder gets what was not committed";
    fill(draft, 100);
    if (adit_lock_unlock(l) || adit_lock_read(l, words, sizeof words, NULL) || !is_of(words, 100))
        return "what the next holder commits is not read";
    adit_lock_close(&l);
    return NULL;
}

static const char *is_changed_or_not(struct adit_arena *arena) { return is_old_or(arena, OLD, OLD + 1); }
static const char *is_unchanged(struct adit_arena *arena) { return is_old_or(arena, OLD, OLD); }

static const char *is_there_once(struct adit_arena *arena)
{
    struct adit_lock *l;
    uint64_t words[WORDS];
    void *draft;
    if (adit_lock_open(arena, "pair", &params, &l) || adit_lock_read(l, words, sizeof words, NULL))
        return "the lock cannot be made";
    for (uint32_t i = 0; i < WORDS; i++)
        if (words[i])
            return "a new lock's bytes are not zero";
    if (adit_lock_lock(l, WAIT_NS, &draft) < 0 || adit_lock_unlock(l))
        return "a new lock cannot be taken";
    adit_lock_close(&l);
    uint32_t n = 0;
    for (uint32_t i = 0; i < arena->locks_max; i++)
        n += arena->locks[i].state != 0;
    return n == 1 ? NULL : "the lock is there twice";
}

int main(void)
{
    static const char *const change_met[] = {"change", "adit_lock_lock", "adit_lock_unlock", "adit_robust_lock", "adit_robust_unlock", NULL};
    static const char *const discard_met[] = {"discard", "adit_lock_discard", NULL};
    static const char *const make_met[] = {"adit_lock_open", "adit_shm_lock_open", NULL};
    static const struct crash_case cases[] = {
        {.op = {.name = "lock, change, unlock", .set_up = attach_and_open, .run = change, .functions = change_met},
         .prepare = make_lock, .judge = is_changed_or_not},
        {.op = {.name = "lock, change, discard", .set_up = attach_and_open, .run = discard, .functions = discard_met},
         .prepare = make_lock, .judge = is_unchanged},
        {.op = {.name = "make a lock", .set_up = crash_attach, .run = make, .functions = make_met}, .judge = is_there_once},
    };
    return crash_arena_run("crash_lock", cases, sizeof cases / sizeof *cases);
}
