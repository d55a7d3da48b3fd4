#include "runtime/task_queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/params.h"

enum { QUEUE_FREE, QUEUE_VALID = 2 };

bool adit_queue_adopt(struct adit_arena *arena, uint32_t id, struct adit_queue *out)
{
    struct adit_queue_slot *s = &arena->queues[id];
    if (adit_load32_acquire(&s->state) != QUEUE_VALID) /* QUEUE:valid */
        return false;
    uint32_t first = adit_load32_relaxed(&s->first); /* relaxed: QUEUE:valid came first; each once */
    *out = (struct adit_queue){.arena = arena, .slot = s, .id = id, .order = adit_load32_relaxed(&s->order),
                               .levels_n = adit_load32_relaxed(&s->levels_n), .shift = adit_load32_relaxed(&s->shift)};
    if (out->order > ADIT_QUEUE_BY_LIFO || out->levels_n != adit_queue_levels(out->order) || out->shift > ADIT_TASK_SHIFT_MAX || first > arena->tasks_max ||
        (uint64_t)out->levels_n << out->shift > arena->tasks_max - first)
        return false;
    out->tasks = arena->tasks + first;
    out->groups = arena->task_groups + adit_task_group_index(id, first, out->shift, 0, 0);
    out->group_shift = adit_task_group_shift(out->shift);
    return true;
}

bool adit_task_resolve(const struct adit_queue *q, uint64_t handle, struct adit_task_place *out)
{
    uint32_t level = (uint32_t)(handle >> 48 & 15);
    uint64_t position = handle & ADIT_TASK_POSITION;
    if (handle >> 52 != q->id + 1 || level >= q->levels_n)
        return false;
    *out = (struct adit_task_place){adit_task_at(q, level, position), position, level};
    return true;
}

bool adit_task_find(struct adit_arena *arena, uint64_t handle, struct adit_queue *q, struct adit_task_place *out)
{
    uint64_t id = (handle >> 52) - 1;
    return id < arena->queues_max && adit_queue_adopt(arena, (uint32_t)id, q) && adit_task_resolve(q, handle, out);
}

static uint32_t find(const struct adit_arena *arena, const char *name)
{
    for (uint32_t i = 0; i < arena->queues_max; i++)
        if (adit_load32_acquire(&arena->queues[i].state) == QUEUE_VALID && !strncmp(arena->queues[i].name, name, ADIT_NAME_BYTES))
            return i;
    return UINT32_MAX;
}

/* Under the naming lock: queues lie behind one another, so the last one made says where the next may begin. A slot that a dead maker had begun
 * is not valid, and nobody has seen its tasks. */
static int make(struct adit_arena *arena, const char *name, uint32_t order, uint32_t shift, uint32_t *id)
{
    uint64_t first = 0, levels = adit_queue_levels(order);
    struct adit_queue before;
    for (*id = 0; *id < arena->queues_max && adit_load32_relaxed(&arena->queues[*id].state) == QUEUE_VALID; ++*id) {
        if (!adit_queue_adopt(arena, *id, &before))
            return adit_fault(-EPROTO, "arena %s: its queue %u is damaged, and nobody knows where another may lie", arena->name, *id);
        first = (uint64_t)(before.tasks - arena->tasks) + ((uint64_t)before.levels_n << before.shift);
    }
    if (*id == arena->queues_max)
        return adit_fault(-ENOSPC, "arena %s: all %u queues are in use", arena->name, arena->queues_max);
    if (levels << shift > arena->tasks_max - first)
        return adit_fault(-ENOSPC, "arena %s: queue %s needs %llu slots, and %llu of %u are left; create the arena with more (tasks_max)", arena->name, name,
                          (unsigned long long)(levels << shift), (unsigned long long)(arena->tasks_max - first), arena->tasks_max);
    struct adit_queue_slot *s = &arena->queues[*id];
    snprintf(s->name, sizeof s->name, "%s", name);
    s->order = order;
    s->levels_n = (uint32_t)levels;
    s->shift = shift;
    s->first = (uint32_t)first;
    adit_store32_release(&s->state, QUEUE_VALID); /* QUEUE:valid, pairs with adopt and find: all of the above */
    return 0;
}

static int find_or_make(struct adit_arena *arena, const char *name, uint32_t order, uint32_t shift, struct adit_queue *q)
{
    uint32_t id = find(arena, name);
    int error = 0;
    if (id == UINT32_MAX) {
        error = adit_naming_lock(arena);
        if (error)
            return error;
        id = find(arena, name);
        error = id == UINT32_MAX ? make(arena, name, order, shift, &id) : 0;
        adit_naming_unlock(arena);
    }
    if (error)
        return error;
    if (!adit_queue_adopt(arena, id, q))
        return adit_fault(-EPROTO, "arena %s: queue %.47s is damaged", arena->name, name);
    return q->order == order && q->shift == shift ? 0 : adit_fault(-EEXIST, "arena %s: queue %s is there with another order or capacity", arena->name, name);
}

int adit_queue_open(struct adit_arena *arena, const char *name, const struct adit_queue_params *params, struct adit_queue **out)
{
    static const struct adit_queue_params defaults = {.size = sizeof defaults};
    const struct adit_queue_params *p = params ? params : &defaults;
    struct adit_queue q;
    *out = NULL;
    int error = adit_params_check("adit_queue_open", p->size, sizeof *p);
    if (error)
        return error;
    uint32_t order = p->order ? (uint32_t)p->order - ADIT_ORDER_PRIORITY : ADIT_QUEUE_BY_PRIORITY, shift = 0;
    uint32_t capacity = p->capacity ? p->capacity : order == ADIT_QUEUE_BY_PRIORITY ? 256 : 1024;
    while (shift < 31 && 1u << shift < capacity)
        shift++;
    if (!arena->owner)
        return adit_fault(-EROFS, "arena %s: observers and guests have no tasks; attach as a consumer", arena->name);
    if (!name || !*name || strlen(name) >= ADIT_NAME_BYTES || order > ADIT_QUEUE_BY_LIFO || shift > ADIT_TASK_SHIFT_MAX)
        return adit_fault(-EINVAL, "arena %s: a queue has a name of 1 to 47 characters, an order of adit.h, and at most 2^%u tasks a level", arena->name, ADIT_TASK_SHIFT_MAX);
    error = find_or_make(arena, name, order, shift, &q);
    if (error)
        return error;
    *out = malloc(sizeof q);
    if (!*out)
        return adit_fault(-ENOMEM, "arena %s: no memory for a queue's handle", arena->name);
    **out = q;
    return 0;
}

void adit_queue_close(struct adit_queue **queue)
{
    free(*queue);
    *queue = NULL;
}
