/* shmtop_data.c - the clocks are read here, so that model and view are functions of their input. */
#include "tools/shmtop_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shm/shm.h"
#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/moment.h"
#include "tools/say.h"
#include "tools/shmtop_meter.h"
#include "tools/shmtop_verify.h"

/* ---- opening ---------------------------------------------------------------------------------------------------- */

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

/* The only arena's name into f->only; 0, or the exit code. */
static int only_find(struct found *f, char *error, size_t error_bytes)
{
    int status = adit_arenas_each(arena_find, f);
    if (status < 0) {
        snprintf(error, error_bytes, "cannot look for arenas: %s", *adit_detail() ? adit_detail() : adit_strerror(status));
        return adit_arena_exit(status);
    }
    if (f->count == 1)
        return 0;
    if (f->count)
        snprintf(error, error_bytes, "there are %u arenas: %s; give the NAME of one", f->count, f->names);
    else
        snprintf(error, error_bytes, "there is no arena; `adit serve NAME` makes one");
    return ADIT_EXIT_BAD_INPUT;
}

static int image_open(const char *path, struct shmtop_model *model, struct adit_arena **arena, char *error, size_t error_bytes)
{
    int status = adit_image_open(path, arena);
    if (!status) {
        model->is_image = true;
        adit_say_printable(model->notes, sizeof model->notes, adit_notes(*arena), strcspn(adit_notes(*arena), "\n"));
        shmtop_meter_begin(*arena, model);
        shmtop_verify(*arena, model);
        return 0;
    }
    adit_say_printable(error, error_bytes, adit_detail(), strlen(adit_detail()));
    return status == -ENOMEM ? ADIT_EXIT_FAILED : ADIT_EXIT_BAD_INPUT;
}

int shmtop_data_open(const char *operand, struct shmtop_model *model, struct adit_arena **arena, char *error, size_t error_bytes)
{
    struct found f = {0};
    struct stat file;
    int code = operand ? 0 : only_find(&f, error, error_bytes);
    if (code)
        return code;
    const char *name = operand ? operand : f.only;
    bool is_file = operand && !stat(operand, &file) && S_ISREG(file.st_mode);
    adit_say_printable(model->name, sizeof model->name, name, strlen(name));
    if (is_file && (strchr(operand, '/') || adit_image_is(operand)))
        return image_open(operand, model, arena, error, error_bytes);
    int status = adit_arena_await(name, ADIT_OBSERVER, "shmtop", arena);
    if (!status)
        shmtop_meter_begin(*arena, model);
    if (!status)
        return 0;
    if (status != -EINTR)
        adit_arena_open_failure(name, status, error, error_bytes);
    return adit_arena_exit(status);
}

/* ---- one snapshot ----------------------------------------------------------------------------------------------- */

static int chunk_take(const struct adit_chunk_info *chunk, void *user)
{
    struct shmtop_snapshot *s = user;
    s->chunks_all++;
    struct adit_chunk_info *kept = s->chunks_n < SHMTOP_CHUNKS_MAX ? shmtop_snapshot_more(s, chunks) : NULL;
    if (kept)
        *kept = *chunk;
    return 0;
}

static int task_take(const struct adit_task_view *task, void *user)
{
    struct shmtop_snapshot *s = user;
    s->tasks_all++;
    struct adit_task_view *kept = s->tasks_n < SHMTOP_TASKS_MAX ? shmtop_snapshot_more(s, tasks) : NULL;
    if (kept)
        *kept = *task;
    return 0;
}

static int block_take(const struct adit_block_info *block, void *user)
{
    struct shmtop_snapshot *s = user;
    struct shmtop_blocks *c = &s->blocks[block->segment % 16][shmtop_block_class(block->bytes)];
    if (block->use == ADIT_BLOCK_IS_FREE) {
        c->runs++;
        c->free += block->bytes;
        return 0;
    }
    c->blocks++;
    c->bytes += block->bytes;
    c->loaned += block->use == ADIT_BLOCK_IS_LOANED ? block->bytes : 0;
    c->published += block->use == ADIT_BLOCK_IS_PUBLISHED ? block->bytes : 0;
    c->retired += block->use == ADIT_BLOCK_IS_RETIRED ? block->bytes : 0;
    for (uint32_t i = 0; i < s->participants_n && block->slot >= 0 && block->use != ADIT_BLOCK_IS_PUBLISHED; i++)
        if (s->participants[i].info.slot == (uint32_t)block->slot)
            *(block->use == ADIT_BLOCK_IS_LOANED ? &s->participants[i].loaned_bytes : &s->participants[i].retired_bytes) += block->bytes;
    return 0;
}

static void participants_take(struct adit_arena *arena, bool is_image, struct shmtop_snapshot *s)
{
    for (uint32_t slot = 0; slot < s->stats.participants_max; slot++) {
        struct adit_participant_info info;
        struct shmtop_participant *p = adit_participant_get(arena, slot, &info) ? NULL : shmtop_snapshot_more(s, participants);
        if (!p)
            continue;
        p->info = info;
        p->info.gone = info.gone && !is_image; /* the processes of an image are of another time */
        (void)adit_pinned_get(arena, slot, &p->pinned_bytes);
    }
}

/* Fills lists from calls that tell of one slot each: -ENOENT is a free one, -ERANGE the end. */
#define SLOTS_MAX 4096u
#define TAKE(s, list, call, arena)                                                 \
    for (uint32_t slot_ = 0; slot_ < SLOTS_MAX; slot_++) {                         \
        __typeof__(*(s)->list) seen_ = {.slot = slot_, .info.size = sizeof seen_.info}; \
        int status_ = call((arena), slot_, &seen_.info);                           \
        __typeof__((s)->list) kept_ = status_ ? NULL : shmtop_snapshot_more(s, list); \
        if (kept_)                                                                 \
            *kept_ = seen_;                                                        \
        if (status_ == -ERANGE)                                                    \
            break;                                                                 \
    }

static void slots_take(struct adit_arena *arena, struct shmtop_snapshot *s)
{
    TAKE(s, seats, adit_seat_get, arena)
    TAKE(s, locks, adit_lock_get, arena)
    TAKE(s, rings, adit_ring_get, arena)
    TAKE(s, watches, adit_watch_get, arena)
    TAKE(s, viewers, adit_viewer_get, arena)
    for (uint32_t slot = 0; slot < SLOTS_MAX; slot++) {
        struct shmtop_queue_seen seen = {.slot = slot, .view.size = sizeof seen.view};
        int status = adit_queue_get(arena, slot, &seen.view);
        struct shmtop_queue_seen *kept = status ? NULL : shmtop_snapshot_more(s, queues);
        if (kept)
            *kept = seen;
        if (status == -ERANGE)
            break;
    }
    for (uint32_t id = 0; id < 64; id++) { /* that an arena can name; there is no end to be told of */
        struct shmtop_kind_seen seen = {.id = id, .info.size = sizeof seen.info};
        struct shmtop_kind_seen *kept = adit_kind_look(arena, id, &seen.info) ? NULL : shmtop_snapshot_more(s, kinds);
        if (kept)
            *kept = seen;
    }
}

static void loops_take(struct adit_arena *arena, struct shmtop_snapshot *s)
{
    TAKE(s, loops, adit_frame_loop_get, arena)
    for (uint32_t i = 0; i < s->loops_n; i++) {
        int n = adit_frame_loop_frames(arena, s->loops[i].slot, s->loops[i].past, SHMTOP_FRAMES);
        s->loops[i].past_n = n > 0 ? (uint32_t)n : 0;
    }
}

void shmtop_data_sample(struct adit_arena *arena, struct shmtop_model *model)
{
    struct shmtop_snapshot *s = shmtop_snapshot_new();
    struct timespec wall;
    if (!s) {
        snprintf(model->trouble, sizeof model->trouble, "no memory for another snapshot");
        return;
    }
    clock_gettime(CLOCK_REALTIME, &wall);
    s->taken_wall_ns = (uint64_t)wall.tv_sec * 1000000000ull + (uint64_t)wall.tv_nsec;
    s->taken_ns = adit_moment_ns();
    s->stats.size = sizeof s->stats;
    int status = adit_stats(arena, &s->stats);
    if (status) {
        snprintf(model->trouble, sizeof model->trouble, "cannot be looked at: %s", adit_strerror(status));
        shmtop_snapshot_free(s);
        return;
    }
    participants_take(arena, model->is_image, s);
    (void)adit_chunk_each(arena, chunk_take, s);
    (void)adit_task_each(arena, task_take, s);
    (void)adit_block_look_each(arena, block_take, s);
    slots_take(arena, s);
    loops_take(arena, s);
    shmtop_meter_take(arena, model, s);
    s->now_ns = model->is_image ? adit_image_moment(arena, &s->taken_wall_ns) : s->taken_ns; /* the clock of now is another machine's, maybe */
    shmtop_model_add(model, s);
}
