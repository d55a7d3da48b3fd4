#include "runtime/kind_cost.h"

#include <errno.h>
#include <string.h>

#include "runtime/frugal.h"
#include "runtime/kind.h"
#include "runtime/kind_able.h"
#include "runtime/params.h"

#define NS_BITS 48
#define NS_MAX ((1ull << NS_BITS) - 1) /* 78 hours */
#define KNOWN_MAX 65535u
#define FEW 8u          /* measurements that move the median by up to half of it */
#define STEP 16u        /* later ones: by a sixteenth */
#define MEASURING_NS 10000u /* of work for each that is measured: that costs a hundredth of it, two looks at a clock and some words of the arena */
#define LEFT_OUT_MAX 100u   /* tasks that are not measured, and up to 15 more */

uint32_t adit_kind_class(uint64_t work)
{
    uint32_t bits = work ? 64 - (uint32_t)__builtin_clzll(work) : 0, class = bits / 2;
    return class < ADIT_KIND_COSTS ? class : ADIT_KIND_COSTS - 1;
}

uint64_t adit_kind_class_work(uint32_t class) { return class ? 1ull << (2 * class - 1) : 0; }

uint64_t adit_kind_cost_ns(const uint64_t *word) { return adit_load_relaxed(word) & NS_MAX; } /* relaxed: a figure by itself */

uint32_t adit_kind_cost_known(const uint64_t *word) { return (uint32_t)(adit_load_relaxed(word) >> NS_BITS); } /* relaxed: likewise */

void adit_kind_cost_learn(uint64_t *word, uint64_t measured_ns)
{
    uint64_t seen = adit_load_relaxed(word), median = seen & NS_MAX, known = seen >> NS_BITS;
    uint64_t ns = measured_ns < NS_MAX ? measured_ns : NS_MAX;
    median = adit_frugal_step(known ? median : 0, ns, known < FEW ? 2 : STEP);
    known += known < KNOWN_MAX;
    adit_store_relaxed(word, known << NS_BITS | median); /* relaxed: an estimate, and whole */
}

uint64_t adit_kind_work_of(const struct adit_arena *arena, uint32_t kind, const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n)
{
    adit_kind_work *work = arena->kinds_here->price[kind].work;
    if (work)
        return work(args, args_bytes, buffer_bytes, buffers_n);
    uint64_t bytes = args_bytes;
    for (uint32_t i = 0; i < buffers_n; i++)
        bytes += buffer_bytes[i];
    return bytes;
}

uint64_t adit_kind_guess_ns(const struct adit_arena *arena, uint32_t kind, uint64_t work)
{
    const struct adit_kind_here *here = arena->kinds_here;
    double ns = (double)here->price[kind].guess_ns + here->price[kind].guess_each_ns * (double)work;
    return ns < (double)NS_MAX ? (uint64_t)ns : NS_MAX;
}

/* ---- what workers tell ---- */

static void tell(struct adit_arena *arena, struct adit_kind_tally *t, uint32_t kind)
{
    if (t->untold[kind] && kind < arena->kinds_max)
        (void)adit_add_relaxed(&arena->kinds[kind].cost.runs, t->untold[kind]); /* relaxed, all counts: figures */
    t->untold[kind] = 0;
}

void adit_kind_tally_measure(struct adit_arena *arena, struct adit_kind_tally *t, uint32_t kind, uint64_t work, uint64_t ns)
{
    uint64_t *word = &arena->kinds[kind].cost.by_worker[adit_kind_class(work)]; /* adit_kind_takes has said that there is one */
    tell(arena, t, kind);
    adit_kind_cost_learn(word, ns);
    uint64_t left_out = MEASURING_NS / (ns + 1);
    bool is_each = !left_out || adit_kind_cost_known(word) < FEW;
    t->left_out = is_each ? 0 : (uint32_t)(left_out < LEFT_OUT_MAX ? left_out : LEFT_OUT_MAX) + (uint32_t)(ns & 15);
}

void adit_kind_tally_tell(struct adit_arena *arena, struct adit_kind_tally *t)
{
    for (uint32_t kind = 0; kind < ADIT_KINDS; kind++)
        tell(arena, t, kind);
}

void adit_kind_failed(struct adit_arena *arena, uint32_t kind) { (void)adit_add_relaxed(&arena->kinds[kind].cost.failures, 1); }

/* ---- looking in ---- */

int adit_kind_look(const struct adit_arena *arena, uint32_t kind, struct adit_kind_info *info)
{
    int error = adit_params_check("adit_kind_look", info->size, sizeof *info);
    const struct adit_kind_slot *k = error ? NULL : adit_kind_named(arena, kind);
    if (!k)
        return error ? error : adit_fault(-ENOENT, "arena %s: kind %u: none of that id is registered", arena->name, kind);
    const struct adit_kind_cost *c = &k->cost;
    *info = (struct adit_kind_info){.size = sizeof *info, .capabilities = k->capabilities, .needs = k->needs, .participants = adit_kind_able_n(arena, kind, false, UINT32_MAX)};
    info->runs_here = adit_kinds_runnable(arena) >> kind & 1;
    memcpy(info->name, k->name, sizeof info->name - 1);
    info->inlined = adit_load_relaxed(&c->inlined); /* relaxed, all: figures */
    info->offloaded = adit_load_relaxed(&c->offloaded);
    info->runs = adit_load_relaxed(&c->runs) + info->inlined;
    info->failures = adit_load_relaxed(&c->failures);
    for (uint32_t i = 0; i < ADIT_KIND_CLASSES; i++)
        info->classes[i] = (struct adit_kind_class){.work = adit_kind_class_work(i), .worker_ns = adit_kind_cost_ns(&c->by_worker[i]),
                                                    .inline_ns = adit_kind_cost_ns(&c->in_place[i]),
                                                    .guess_ns = info->runs_here ? adit_kind_guess_ns(arena, kind, adit_kind_class_work(i)) : 0};
    return 0;
}
