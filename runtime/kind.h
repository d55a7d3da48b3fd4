/* kind.h - kinds of tasks: a name and sizes in the arena, and in each process that runs it a function. Public calls: adit_tasks.h.
 *
 * Ids are indices into the arena's table, given under the naming lock and never taken back, so a valid slot is never anything else and reading it takes
 * no lock. A maker that dies before it stores state leaves a free slot. Functions are private: a hostile id finds none.
 */
#ifndef ADIT_KIND_H
#define ADIT_KIND_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* This process's side: one an arena, made with the first kind. */
struct adit_kind_here {
    uint64_t runnable; /* a bit a kind that has run; w: registrars, release, after run */
    bool guards;       /* they run between guards (task_guard.h) */
    struct {
        adit_kind_run *run;
        void *user;
        uint32_t args_bytes_min, args_bytes_max, needs; /* as registered: what lies in the arena a mad peer may change */
    } of[ADIT_KINDS];
    struct {
        adit_kind_work *work; /* NULL: bytes */
        uint64_t guess_ns;
        double guess_each_ns;
        struct adit_kind_tries {
            uint64_t spent_ns; /* expected of all adit_run since the way not taken was tried; this and what follows: w: its callers, relaxed */
            uint64_t took_ns;  /* when it was tried last; 0: never */
        } tries[ADIT_KIND_COSTS];
    } price[ADIT_KINDS]; /* who only runs kinds has no use for it */
};

/* A bit for each kind this process can run. */
uint64_t adit_kinds_runnable(const struct adit_arena *arena);
/* Whether this process runs that kind, and with so many bytes of arguments. */
bool adit_kind_takes(const struct adit_arena *arena, uint32_t kind, uint32_t args_bytes);
/* What the kinds this process can run need, ored (enum adit_needs); *kind: the first that needs anything, UINT32_MAX: none. */
uint32_t adit_kinds_need(const struct adit_arena *arena, uint32_t *kind);
/* The slot of a kind that is named; NULL: none. */
const struct adit_kind_slot *adit_kind_named(const struct adit_arena *arena, uint32_t kind);
/* At detach. */
void adit_kinds_fini(struct adit_arena *arena);

#endif
