#include "tools/shmtop_verify.h"

#include <string.h>
#include <time.h>

#include "tools/moment.h"
#include "tools/say.h"

static void finding_take(const struct adit_breach *b, void *user)
{
    struct shmtop_findings *f = user;
    if (f->kept == SHMTOP_FINDINGS_MAX)
        return;
    struct shmtop_finding *kept = &f->list[f->kept++];
    adit_say_printable(kept->invariant, sizeof kept->invariant, b->invariant, strlen(b->invariant));
    adit_say_printable(kept->place, sizeof kept->place, b->place, strlen(b->place));
    adit_say_printable(kept->what, sizeof kept->what, b->what, strlen(b->what));
}

void shmtop_verify(const struct adit_arena *arena, struct shmtop_model *model)
{
    struct shmtop_findings *f = &model->findings;
    struct timespec wall;
    uint64_t begin = adit_moment_ns();
    *f = (struct shmtop_findings){.is_made = true};
    clock_gettime(CLOCK_REALTIME, &wall);
    f->wall_ns = (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec;
    const struct adit_verify_params params = {.size = sizeof params, .looks = model->is_image ? 1 : 0, .counts = &f->counts};
    f->found = adit_verify(arena, &params, finding_take, f);
    f->took_ns = adit_moment_ns() - begin;
}
