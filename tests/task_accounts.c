#include "tests/task_accounts.h"

#include <errno.h>
#include <string.h>

#include "runtime/buffer.h"

#define FIRST 1000000u /* in each account */
#define LOOK_EVERY 6u
#define BYTES (sizeof(struct account) * ACCOUNT_COPIES)

static uint64_t mix(uint32_t id)
{
    uint64_t seed = id + 1ull;
    return shm_fixture_random(&seed);
}

static bool is_look(uint32_t id) { return id % LOOK_EVERY == 0; }

/* The move of id: from one account to another one. */
static void move_of(uint32_t id, uint32_t *from, uint32_t *to, uint64_t *amount)
{
    uint64_t h = mix(id);
    *from = (uint32_t)(h & 3);
    *to = (*from + 1 + (uint32_t)(h >> 2) % 3) % ACCOUNTS;
    *amount = h >> 8 & 63;
}

static void change(struct account *a, uint32_t id, uint64_t amount)
{
    a->balance += amount;
    a->moves++;
    a->ids += mix(id);
}

void accounts_first(uint32_t number, struct account sums[ACCOUNTS])
{
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        sums[i] = (struct account){number, FIRST, 0, 0};
}

void accounts_add(uint32_t id, struct account sums[ACCOUNTS])
{
    uint32_t from, to;
    uint64_t amount;
    if (is_look(id))
        return;
    move_of(id, &from, &to, &amount);
    change(&sums[from], id, 0 - amount);
    change(&sums[to], id, amount);
}

void accounts_make(struct adit_arena *arena, uint32_t number, struct accounts *set)
{
    struct account all[ACCOUNT_COPIES], first[ACCOUNTS];
    accounts_first(number, first);
    for (uint32_t i = 0; i < ACCOUNT_COPIES; i++)
        all[i] = first[0];
    set->number = number;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        int error = -ENOMEM;
        for (uint32_t ms = 0; error == -ENOMEM && ms < 10000; ms++)
            if ((error = adit_buffer_create(arena, BYTES, all, &set->buffer[i])) == -ENOMEM) /* the dead may have it all, until they are recovered */
                shm_fixture_nap(1);
        REQUIRE(!error);
    }
}

uint32_t accounts_uses(const struct accounts *set, uint32_t id, struct adit_use uses[ACCOUNTS])
{
    uint32_t from, to;
    uint64_t amount;
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        uses[i] = (struct adit_use){set->buffer[i], ADIT_READ};
    if (is_look(id))
        return ACCOUNTS;
    move_of(id, &from, &to, &amount);
    uses[0] = (struct adit_use){set->buffer[from], ADIT_READ_WRITE};
    uses[1] = (struct adit_use){set->buffer[to], ADIT_READ_WRITE};
    return 2;
}

/* All copies are the same. */
static bool is_whole(const struct account *a)
{
    for (uint32_t i = 1; i < ACCOUNT_COPIES; i++)
        if (memcmp(&a[0], &a[i], sizeof *a))
            return false;
    return true;
}

const char *accounts_run(const struct adit_task_run *run, uint32_t id)
{
    uint32_t from, to;
    uint64_t amount, balance = 0, moves = 0;
    struct account *a[ACCOUNTS] = {0};
    if (run->buffers_n != (is_look(id) ? ACCOUNTS : 2))
        return "it has other buffers than it was submitted with";
    for (uint32_t i = 0; i < run->buffers_n; i++) {
        a[i] = run->buffers[i].data;
        if (!is_whole(a[i]))
            return "an account is torn";
        if (a[i]->number != a[0]->number)
            return "accounts of several sets";
        balance += a[i]->balance;
        moves += a[i]->moves;
    }
    if (is_look(id))
        return balance != (uint64_t)ACCOUNTS * FIRST ? "what accounts come to is not what it was" : moves % 2 ? "a move was made in part" : NULL;
    move_of(id, &from, &to, &amount);
    for (uint32_t i = 0; i < ACCOUNT_COPIES; i++) {
        change(&a[0][i], id, 0 - amount);
        change(&a[1][i], id, amount);
    }
    return NULL;
}

const char *accounts_judge(const struct adit_arena *arena, const struct accounts *set, const struct account sums[ACCOUNTS])
{
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        const struct adit_buffer_slot *b = adit_buffer_find(arena, set->buffer[i]);
        const struct account *a = b ? adit_arena_at(arena, adit_commit_ref(adit_load_acquire(&b->current)), BYTES) : NULL;
        if (!a)
            return "an account is gone";
        if (!is_whole(a))
            return "an account is torn";
        if (a->number != sums[i].number)
            return "an account of another set";
        if (a->moves != sums[i].moves)
            return a->moves < sums[i].moves ? "a move is lost" : "a move was made twice";
        if (a->balance != sums[i].balance || a->ids != sums[i].ids)
            return "one move is lost, and another made twice";
    }
    return NULL;
}
