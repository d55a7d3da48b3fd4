/* verifying.c - adit_verify (adit.h): looks, until nothing is found or what is found has stayed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/params.h"
#include "runtime/verify_world.h"

#define LOOKS 3u
#define LOOKS_MAX 1000u
#define PAUSE_NS 3000000 /* between looks: longer than a process that is not stopped stays between two instructions, mostly */

struct reporting {
    void (*each)(const struct adit_breach *breach, void *user);
    void *user;
};

static void report(const struct adit_finding *finding, void *user)
{
    const struct reporting *r = user;
    struct adit_breach b = {finding->invariant, finding->place, finding->what};
    r->each(&b, r->user);
}

static int look(struct adit_verifier *v, bool deep, void *buffer, struct adit_verify_counts *counts)
{
    *counts = (struct adit_verify_counts){0};
    adit_findings_look(v->findings);
    adit_verify_look(v);
    int error = adit_verify_world(v, deep, buffer, counts);
    counts->participants = v->walked.participants;
    counts->readers = v->walked.readers;
    counts->pins = v->walked.pins;
    counts->rings = v->walked.rings;
    counts->tasks = v->walked.tasks;
    counts->blocks = v->walked.blocks;
    counts->block_bytes = v->walked.block_bytes;
    counts->free_bytes = v->walked.free_bytes;
    return error;
}

static int look_often(struct adit_verifier *v, const struct adit_verify_params *p, struct adit_verify_counts *counts)
{
    uint32_t looks = p->looks ? p->looks : LOOKS;
    void *buffer = aligned_alloc(64, ADIT_VERIFY_BUFFER_BYTES);
    int error = buffer ? look(v, p->flags & ADIT_VERIFY_DEEP, buffer, counts) : -ENOMEM;
    for (uint32_t i = 1; i < looks && i < LOOKS_MAX && !error && adit_findings_count(v->findings); i++) {
        struct timespec pause = {.tv_nsec = PAUSE_NS};
        nanosleep(&pause, NULL);
        error = look(v, p->flags & ADIT_VERIFY_DEEP, buffer, counts);
    }
    free(buffer);
    return error;
}

int adit_verify(const struct adit_arena *arena, const struct adit_verify_params *params,
                void (*each)(const struct adit_breach *breach, void *user), void *user)
{
    static const struct adit_verify_params defaults = {.size = sizeof defaults};
    const struct adit_verify_params *p = params ? params : &defaults;
    struct adit_verify_counts counts = {0};
    struct adit_verifier v;
    int error = adit_params_check("adit_verify", p->size, sizeof *p);
    if (error)
        return error;
    if (arena->guest)
        return adit_fault(-EROFS, "arena %s: a guest sees a part of it only; attach as an observer to verify it", arena->name);
    error = adit_verifier_init(&v, arena, p->flags & ADIT_VERIFY_QUIET, p->flags & ADIT_VERIFY_LIVING);
    if (!error)
        error = look_often(&v, p, &counts);
    if (error) {
        adit_verifier_fini(&v);
        return adit_fault(error, "arena %s: no memory to verify it", arena->name);
    }
    int n = (int)adit_findings_count(v.findings);
    if (each)
        adit_findings_each(v.findings, report, &(struct reporting){each, user});
    if (n && adit_findings_is_cut(v.findings)) {
        struct adit_breach more = {"more", "arena", "there are more findings than can be kept; the rest is not listed"};
        if (each)
            each(&more, user);
        n++;
    }
    if (p->counts)
        *p->counts = counts;
    adit_verifier_fini(&v);
    return n;
}
