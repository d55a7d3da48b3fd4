/* task_accounts.h - buffers as accounts, and what tasks do to them: moves between two, and looks at all four. What they come to is known from which moves were committed, in whatever order; a
 * move that was lost, doubled, or done in part is seen by the next task that looks, or by the judge. */
#ifndef ADIT_TASK_ACCOUNTS_H
#define ADIT_TASK_ACCOUNTS_H

#include "tests/shm_fixture.h"

#define ACCOUNTS 4u

/* A set of accounts; shared by whoever submits. number: 0: none. */
struct accounts {
    uint32_t number;
    uint64_t buffer[ACCOUNTS];
};
/* What an account holds, once for each ACCOUNT_COPIES of it in its buffer. */
struct account {
    uint64_t number, balance, moves, ids; /* ids: a sum of something made of each move's id */
};
#define ACCOUNT_COPIES 50u

/* Makes a set in this process's name (a producer): it ends with the process. Ends it when it cannot. */
void accounts_make(struct adit_arena *arena, uint32_t number, struct accounts *set);
/* The buffers that the task of id uses; returns how many: ACCOUNTS for a look, 2 for a move. */
uint32_t accounts_uses(const struct accounts *set, uint32_t id, struct adit_use uses[ACCOUNTS]);
/* What its kind does. NULL, or what is wrong with the accounts it was given. */
const char *accounts_run(const struct adit_task_run *run, uint32_t id);

/* What they hold at first; after the move of id (nothing for a look). */
void accounts_first(uint32_t number, struct account sums[ACCOUNTS]);
void accounts_add(uint32_t id, struct account sums[ACCOUNTS]);
/* Whether the set holds these; nobody is at it. arena: any role's. NULL, or what is wrong. */
const char *accounts_judge(const struct adit_arena *arena, const struct accounts *set, const struct account sums[ACCOUNTS]);

#endif
