#include "runtime/kind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kind_able.h"
#include "runtime/params.h"

enum { KIND_FREE, KIND_VALID = 2 };
#define CANS ((uint32_t)(ADIT_CAN_PUBLISH | ADIT_CAN_AVX2 | ADIT_CAN_AVX512 | ADIT_CAN_PROCESS))
#define NEEDS (2u * ADIT_NEEDS_ANYTHING - 1)

const struct adit_kind_slot *adit_kind_named(const struct adit_arena *arena, uint32_t kind)
{
    const struct adit_kind_slot *s = kind < arena->kinds_max ? &arena->kinds[kind] : NULL;
    return s && adit_load32_acquire(&s->state) == KIND_VALID ? s : NULL; /* KIND:valid */
}

uint64_t adit_kinds_runnable(const struct adit_arena *arena)
{
    struct adit_kind_here *here = __atomic_load_n(&arena->kinds_here, __ATOMIC_ACQUIRE); /* KINDS:here */
    return here ? adit_load_acquire(&here->runnable) : 0;                                /* KINDS:runnable */
}

bool adit_kind_takes(const struct adit_arena *arena, uint32_t kind, uint32_t args_bytes)
{
    if (kind >= ADIT_KINDS || !(adit_kinds_runnable(arena) >> kind & 1))
        return false;
    const struct adit_kind_here *here = arena->kinds_here;
    return args_bytes >= here->of[kind].args_bytes_min && args_bytes <= here->of[kind].args_bytes_max;
}

uint32_t adit_kinds_need(const struct adit_arena *arena, uint32_t *kind)
{
    uint64_t runnable = adit_kinds_runnable(arena);
    uint32_t needs = 0;
    *kind = UINT32_MAX;
    for (uint32_t i = 0; i < ADIT_KINDS; i++)
        if (runnable >> i & 1 && arena->kinds_here->of[i].needs) {
            *kind = needs ? *kind : i;
            needs |= arena->kinds_here->of[i].needs;
        }
    return needs;
}

void adit_kinds_fini(struct adit_arena *arena)
{
    free(arena->kinds_here);
    arena->kinds_here = NULL;
}

static uint32_t find(const struct adit_arena *arena, const char *name)
{
    for (uint32_t i = 0; i < arena->kinds_max; i++) {
        const struct adit_kind_slot *s = adit_kind_named(arena, i);
        if (s && !strncmp(s->name, name, ADIT_NAME_BYTES))
            return i;
    }
    return UINT32_MAX;
}

/* Under the naming lock. */
static int make(struct adit_arena *arena, const struct adit_kind_params *p, uint32_t *kind)
{
    for (uint32_t i = 0; i < arena->kinds_max; i++) {
        struct adit_kind_slot *s = &arena->kinds[i];
        if (adit_load32_relaxed(&s->state) != KIND_FREE) /* relaxed: under the lock */
            continue;
        snprintf(s->name, sizeof s->name, "%s", p->name);
        s->args_bytes_min = (uint16_t)p->args_bytes_min;
        s->args_bytes_max = (uint16_t)p->args_bytes_max;
        s->result_bytes_max = (uint16_t)p->result_bytes_max;
        s->capabilities = p->capabilities;
        s->needs = p->needs;
        adit_store32_release(&s->state, KIND_VALID); /* KIND:valid, pairs with adit_kind_named: all of the above */
        *kind = i;
        return 0;
    }
    return adit_fault(-ENOSPC, "arena %s: all %u kinds are named", arena->name, arena->kinds_max);
}

/* This process's table, made when there is none; under the naming lock. */
static int table_here(struct adit_arena *arena)
{
    if (arena->kinds_here)
        return 0;
    struct adit_kind_here *here = calloc(1, sizeof *here);
    if (!here)
        return adit_fault(-ENOMEM, "arena %s: no memory for its kinds", arena->name);
    here->guards = adit_os_is_debugging("guards");
    __atomic_store_n(&arena->kinds_here, here, __ATOMIC_RELEASE); /* KINDS:here, pairs with adit_kinds_runnable */
    return 0;
}

/* Under the naming lock. */
static int set_run(struct adit_arena *arena, const struct adit_kind_params *p, uint32_t kind)
{
    struct adit_kind_here *here = arena->kinds_here;
    if (!p->run || p->capabilities & ~adit_can_here(arena))
        return 0; /* its tasks stay in the queue for those who can */
    if (here->runnable >> kind & 1)
        return here->of[kind].run == p->run && here->of[kind].user == p->user
                   ? 0
                   : adit_fault(-EEXIST, "arena %s: kind %s has another function in this process", arena->name, p->name);
    here->of[kind].run = p->run;
    here->of[kind].user = p->user;
    here->of[kind].args_bytes_min = p->args_bytes_min;
    here->of[kind].args_bytes_max = p->args_bytes_max;
    here->price[kind].work = p->work;
    here->price[kind].guess_ns = p->guess_ns;
    here->price[kind].guess_each_ns = p->guess_each_ns;
    adit_kind_able_set(arena, kind);
    here->of[kind].needs = p->needs;
    adit_store_release(&here->runnable, here->runnable | 1ull << kind); /* KINDS:runnable, pairs with adit_kinds_runnable: run, user */
    for (uint32_t i = 0; i < arena->queues_max; i++) /* workers sleep by the kinds that they ran before */
        adit_event_wake(&arena->queues[i].work, UINT32_MAX);
    return 0;
}

static int find_or_make(struct adit_arena *arena, const struct adit_kind_params *p, uint32_t *kind)
{
    int error = table_here(arena);
    *kind = find(arena, p->name);
    if (!error && *kind == UINT32_MAX)
        error = make(arena, p, kind);
    if (error)
        return error;
    const struct adit_kind_slot *s = &arena->kinds[*kind];
    if (s->args_bytes_min != p->args_bytes_min || s->args_bytes_max != p->args_bytes_max || s->result_bytes_max != p->result_bytes_max ||
        s->capabilities != p->capabilities || s->needs != p->needs)
        return adit_fault(-EEXIST, "arena %s: kind %s is there with arguments of %u to %u bytes, results of %u, capabilities 0x%x and needs 0x%x", arena->name, p->name,
                          s->args_bytes_min, s->args_bytes_max, s->result_bytes_max, s->capabilities, s->needs);
    return set_run(arena, p, *kind);
}

int adit_kind_find(const struct adit_arena *arena, const char *name, uint32_t *kind)
{
    *kind = name ? find(arena, name) : UINT32_MAX;
    return *kind != UINT32_MAX ? 0 : adit_fault(-ENOENT, "arena %s: no process has registered a kind '%.47s'", arena->name, name ? name : "");
}

int adit_kind_register(struct adit_arena *arena, const struct adit_kind_params *params, uint32_t *kind)
{
    int error = adit_params_check("adit_kind_register", params->size, sizeof *params);
    if (error)
        return error;
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: observers and guests have no tasks; attach as a consumer", arena->name);
    if (!params->name || !*params->name || strlen(params->name) >= ADIT_NAME_BYTES || params->args_bytes_max > ADIT_TASK_BYTES ||
        params->args_bytes_min > params->args_bytes_max || params->result_bytes_max > ADIT_TASK_BYTES)
        return adit_fault(-EINVAL, "arena %s: a kind has a name of 1 to 47 characters, and arguments and results of at most %u bytes", arena->name,
                          ADIT_TASK_BYTES);
    if (params->capabilities & ~CANS || params->needs & ~NEEDS || !(params->guess_each_ns >= 0))
        return adit_fault(-EINVAL, "arena %s: kind %.47s with capabilities 0x%x (of 0x%x), needs 0x%x (of 0x%x) and a guess of %g ns each (0 or more)", arena->name, params->name,
                          params->capabilities, CANS, params->needs, NEEDS, params->guess_each_ns);
    error = adit_naming_lock(arena);
    if (error)
        return error;
    error = find_or_make(arena, params, kind);
    adit_naming_unlock(arena);
    return error;
}
