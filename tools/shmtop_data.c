/* shmtop_data.c - the clocks are read here, so that model and view are functions of their input. */
#include "tools/shmtop_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/moment.h"
#include "tools/say.h"

/* The arenas there are, as far as the line goes. */
struct found {
    uint32_t count;
    char only[64], names[256];
};

static int arena_find(const char *name, void *user)
{
    struct found *f = user;
    char shown[64];
    adit_say_printable(shown, sizeof shown, name, strlen(name));
    if (!f->count++)
        snprintf(f->only, sizeof f->only, "%s", name);
    size_t n = strlen(f->names);
    snprintf(f->names + n, sizeof f->names - n, "%s%s", n ? ", " : "", shown);
    return 0;
}

int shmtop_data_open(const char *name, struct shmtop_model *model, struct adit_arena **arena, char *error,
                     size_t error_bytes)
{
    struct found f = {0};
    if (!name) {
        int status = adit_arenas_each(arena_find, &f);
        if (status < 0) {
            snprintf(error, error_bytes, "cannot look for arenas: %s", *adit_detail() ? adit_detail() : adit_strerror(status));
            return adit_arena_exit(status);
        }
        if (f.count != 1) {
            if (f.count)
                snprintf(error, error_bytes, "there are %u arenas: %s; give the NAME of one", f.count, f.names);
            else
                snprintf(error, error_bytes, "there is no arena; `adit serve NAME` makes one");
            return ADIT_EXIT_BAD_INPUT;
        }
        name = f.only;
    }
    int status = adit_arena_await(name, ADIT_OBSERVER, "shmtop", arena);
    if (status) {
        if (status != -EINTR)
            adit_arena_open_failure(name, status, error, error_bytes);
        return adit_arena_exit(status);
    }
    adit_say_printable(model->name, sizeof model->name, name, strlen(name));
    return 0;
}

void shmtop_data_sample(struct adit_arena *arena, struct shmtop_model *model)
{
    struct shmtop_sample *s = shmtop_model_next(model);
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    s->taken_wall_ns = (uint64_t)wall.tv_sec * 1000000000ull + (uint64_t)wall.tv_nsec;
    s->taken_ns = adit_moment_ns();
    s->stats = (struct adit_stats){.size = sizeof s->stats};
    s->participants_count = 0;
    int status = adit_stats(arena, &s->stats);
    if (status) {
        snprintf(model->trouble, sizeof model->trouble, "cannot be looked at: %s", adit_strerror(status));
        return;
    }
    for (uint32_t slot = 0; slot < s->stats.participants_max && s->participants_count < SHMTOP_PARTICIPANTS_MAX; slot++)
        if (!adit_participant_get(arena, slot, &s->participants[s->participants_count]))
            s->participants_count++;
    shmtop_model_commit(model);
}
