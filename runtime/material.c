#include "runtime/material.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <urcu/urcu-bp.h>

#include "shm/participant.h"

#define NAMING_NS 50000000u /* that one call waits for others to have named a slot */
#define NAP_NS 50000u

struct adit_classes {
    uint64_t changes; /* classes_changes when it was made */
    uint8_t by_id[ADIT_MATERIALS];
};

/* MATERIAL:named, pairs with name_slot: what it says can be read. */
static bool is_named(const struct adit_material *m)
{
    uint32_t state = adit_load32_acquire(&m->state);
    return state == ADIT_MATERIAL_NAMED || state == ADIT_MATERIAL_VALID;
}

/* MATERIAL:valid, pairs with count_class: who sees it finds its class counted. */
static bool is_valid(const struct adit_material *m) { return adit_load32_acquire(&m->state) == ADIT_MATERIAL_VALID; }

/* Makes a named material valid; by its registrar, whoever finds it, or recovery: counted twice does no harm. */
static void count_class(struct adit_arena *arena, struct adit_material *m)
{
    if (is_valid(m))
        return;
    if (m->material_class != ADIT_CLASS_OPAQUE)
        adit_add_seq_cst(&arena->control->classes_changes, 1); /* CLASSES:changes */
    adit_store32_release(&m->state, ADIT_MATERIAL_VALID); /* MATERIAL:valid: after the count */
}

void adit_classes_copy(const struct adit_arena *arena, uint8_t by_id[ADIT_MATERIALS])
{
    memset(by_id, ADIT_CLASS_OPAQUE, ADIT_MATERIALS);
    by_id[0] = ADIT_CLASS_AIR;
    for (uint32_t i = 1; i < arena->materials_max; i++) {
        uint8_t c = is_named(&arena->materials[i]) ? arena->materials[i].material_class : ADIT_CLASS_OPAQUE;
        by_id[i] = c <= ADIT_CLASS_CUTOUT ? c : ADIT_CLASS_OPAQUE;
    }
}

static struct adit_classes *new_table(struct adit_arena *arena, uint64_t changes)
{
    struct adit_classes *t = malloc(sizeof *t);
    if (!t)
        return NULL;
    adit_classes_copy(arena, t->by_id);
    t->changes = changes;
    return t;
}

/* A child of fork inherits liburcu's registry, with threads that it does not have. */
static void prepare_fork(void) { pthread_atfork(urcu_bp_before_fork, urcu_bp_after_fork_parent, urcu_bp_after_fork_child); }

/* Makes a table that knows of changes and frees the one it replaces. */
static int refresh(struct adit_arena *arena, uint64_t changes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct adit_classes *old = NULL, *fresh = NULL;
    pthread_once(&once, prepare_fork);
    pthread_mutex_lock(&arena->classes_lock);
    bool stale = !arena->classes || arena->classes->changes < changes;
    if (stale)
        fresh = new_table(arena, changes);
    if (fresh) {
        adit_tsan_release(&arena->classes);
        old = rcu_xchg_pointer(&arena->classes, fresh);
    }
    pthread_mutex_unlock(&arena->classes_lock);
    if (old) {
        urcu_bp_synchronize_rcu();
        adit_tsan_acquire(arena->notes); /* any private address that is no lock: the readers' edge */
        free(old);
    }
    return !stale || fresh ? 0 : adit_fault(-ENOMEM, "arena %s: no memory for its table of classes", arena->name);
}

/* The table if it knows of changes, entered; else NULL. */
static const uint8_t *enter_current(struct adit_arena *arena, uint64_t changes)
{
    urcu_bp_read_lock();
    struct adit_classes *t = rcu_dereference(arena->classes);
    adit_tsan_acquire(&arena->classes);
    if (t && t->changes >= changes)
        return t->by_id;
    adit_classes_exit(arena);
    return NULL;
}

const uint8_t *adit_classes_try(struct adit_arena *arena)
{
    return enter_current(arena, adit_load_acquire(&arena->control->classes_changes)); /* as below */
}

const uint8_t *adit_classes_enter(struct adit_arena *arena)
{
    /* CLASSES:changes. Acquire: the materials counted are there (pairs with count_class). */
    uint64_t changes = adit_load_acquire(&arena->control->classes_changes);
    for (;;) { /* twice, unless classes change meanwhile: each round knows of what was there when the call began */
        const uint8_t *classes = enter_current(arena, changes);
        if (classes)
            return classes;
        if (refresh(arena, changes))
            return NULL;
    }
}

void adit_classes_exit(struct adit_arena *arena)
{
    (void)arena;
    adit_tsan_release(arena->notes);
    urcu_bp_read_unlock();
}

void adit_material_fini(struct adit_arena *arena)
{
    free(arena->classes);
    arena->classes = NULL;
}

/* Fills the slot of id if nobody has it; false when somebody does. */
static bool name_slot(struct adit_arena *arena, uint32_t id, const struct adit_material_info *info)
{
    struct adit_material *m = &arena->materials[id];
    uint32_t nobody = 0;
    if (adit_load32_relaxed(&m->owner) || !adit_cas32_acq_rel(&m->owner, &nobody, arena->owner))
        return false;
    adit_store32_release(&m->state, ADIT_MATERIAL_NAMING);
    memcpy(m->name, info->name, sizeof m->name);
    m->rgba = info->rgba;
    m->material_class = (uint8_t)info->material_class;
    adit_store32_release(&m->state, ADIT_MATERIAL_NAMED); /* MATERIAL:named */
    count_class(arena, m);
    return true;
}

/* Waits until a slot that somebody has claimed is named or free again; false when that takes too long. *deadline_ns: of the call, 0: it has not
 * waited yet. What stands for nobody is not waited for. */
static bool settle(const struct adit_arena *arena, const struct adit_material *m, uint64_t *deadline_ns)
{
    while (adit_load32_acquire(&m->state) <= ADIT_MATERIAL_NAMING && adit_participant_has(arena, adit_load32_relaxed(&m->owner))) { /* bounded by the deadline */
        uint64_t now = adit_clock_ns();
        *deadline_ns = *deadline_ns ? *deadline_ns : now + NAMING_NS;
        if (now > *deadline_ns)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL); /* its keeper frees what a dead one was naming */
    }
    return true;
}

static bool has_name(const struct adit_material *m, const struct adit_material_info *info)
{
    return is_named(m) && !strncmp(m->name, info->name, sizeof m->name);
}

/* Gives slot id the name, or finds that it has it. 0; -EEXIST: it has another; -EAGAIN: somebody is naming it, and does not go on. */
static int name_or_find(struct adit_arena *arena, uint32_t id, const struct adit_material_info *info, uint64_t *deadline_ns)
{
    struct adit_material *m = &arena->materials[id];
    do { /* again when who was naming it has died: once for each of them */
        if (name_slot(arena, id, info))
            return 0;
        if (!settle(arena, m, deadline_ns))
            return adit_fault(-EAGAIN, "arena %s: a process is naming material %u and does not go on; register it again", arena->name, id);
    } while (!adit_load32_relaxed(&m->owner));
    if (!has_name(m, info))
        return -EEXIST;
    count_class(arena, m);
    return 0;
}

static int register_at(struct adit_arena *arena, const struct adit_material_info *info, uint32_t id)
{
    uint64_t deadline_ns = 0;
    if (id >= arena->materials_max)
        return adit_fault(-ENOSPC, "arena %s: material id %u; %u can be named, create it with a larger materials_max",
                          arena->name, id, arena->materials_max);
    for (uint32_t i = 1; i < arena->materials_max; i++)
        if (i != id && has_name(&arena->materials[i], info))
            return adit_fault(-EEXIST, "arena %s: '%.47s' is material %u already, not %u", arena->name, info->name, i, id);
    int error = name_or_find(arena, id, info, &deadline_ns);
    return error != -EEXIST ? error
                            : adit_fault(-EEXIST, "arena %s: material %u is named '%.47s', not '%.47s'", arena->name, id,
                                         arena->materials[id].name, info->name);
}

int adit_material_register(struct adit_arena *arena, const struct adit_material_info *info, uint16_t *id)
{
    if (arena->role != ADIT_ROLE_PRODUCER)
        return adit_fault(-EROFS, "arena %s: only producers name materials", arena->name);
    struct adit_material_info clean = {.rgba = info->rgba, .material_class = info->material_class};
    uint64_t deadline_ns = 0;
    size_t n = strnlen(info->name, sizeof info->name);
    if (!n || n == sizeof info->name || info->material_class < ADIT_CLASS_OPAQUE ||
        info->material_class > ADIT_CLASS_CUTOUT)
        return adit_fault(-EINVAL, "arena %s: a material has a name of 1 to 47 bytes and the class opaque, translucent or "
                          "cutout", arena->name);
    memcpy(clean.name, info->name, n);
    if (*id)
        return register_at(arena, &clean, *id);
    for (uint32_t i = 1; i < arena->materials_max; i++)
        if (has_name(&arena->materials[i], &clean)) {
            count_class(arena, &arena->materials[i]);
            *id = (uint16_t)i;
            return 0;
        }
    /* Slots are taken in order, so two who name the same material meet at the same slot: the first free one. */
    for (uint32_t i = 1; i < arena->materials_max; i++) {
        int error = name_or_find(arena, i, &clean, &deadline_ns);
        if (error == -EEXIST)
            continue;
        *id = error ? 0 : (uint16_t)i;
        return error;
    }
    return adit_fault(-ENOSPC, "arena %s: all %u materials are named; create it with a larger materials_max", arena->name,
                      arena->materials_max);
}

void adit_material_recover(struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 1; i < arena->materials_max; i++) {
        struct adit_material *m = &arena->materials[i];
        if (adit_load32_acquire(&m->owner) != owner)
            continue;
        if (is_named(m)) {
            count_class(arena, m);
            continue;
        }
        adit_store32_release(&m->state, ADIT_MATERIAL_FREE);
        adit_store32_release(&m->owner, 0); /* after state; pairs with the CAS of name_slot */
    }
}

int adit_material_get(const struct adit_arena *arena, uint16_t id, struct adit_material_info *info)
{
    if (id >= arena->materials_max || !is_valid(&arena->materials[id]))
        return adit_fault(-ENOENT, "arena %s: material %u has no name", arena->name, id);
    const struct adit_material *m = &arena->materials[id];
    memcpy(info->name, m->name, sizeof info->name);
    info->name[sizeof info->name - 1] = 0;
    info->rgba = m->rgba;
    info->material_class = m->material_class <= ADIT_CLASS_CUTOUT ? (enum adit_class)m->material_class : ADIT_CLASS_OPAQUE;
    return 0;
}
