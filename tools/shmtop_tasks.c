/* shmtop_tasks.c - the screen tasks: queues by level, tasks, worker processes. */
#include "tools/say.h"
#include "tools/shmtop_look.h"

static void tasks_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    if (look->s->tasks_all > look->s->tasks_n)
        shmtop_page_line(page, SHMTOP_WARNING, "%s of %s tasks are shown", ADIT_SAY_COUNT(look->s->tasks_n), ADIT_SAY_COUNT(look->s->tasks_all));
}

static const char *level_name(const struct shmtop_snapshot *s, uint32_t queue, uint32_t level)
{
    static const char *const names[ADIT_QUEUE_LEVELS] = {"critical", "high", "normal", "low", "idle"};
    for (uint32_t i = 0; i < s->queues_n; i++)
        if (s->queues[i].slot == queue && s->queues[i].view.order != ADIT_ORDER_PRIORITY)
            return s->queues[i].view.order == ADIT_ORDER_FIFO ? "fifo" : "lifo";
    return level < ADIT_QUEUE_LEVELS ? names[level] : "?";
}

static const char *queue_name(const struct shmtop_snapshot *s, uint32_t queue)
{
    for (uint32_t i = 0; i < s->queues_n; i++)
        if (s->queues[i].slot == queue)
            return s->queues[i].view.name;
    return "?";
}

static const char *kind_name(const struct shmtop_snapshot *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->kinds_n; i++)
        if (s->kinds[i].id == id)
            return s->kinds[i].info.name;
    return "?";
}

/* ---- queues ----------------------------------------------------------------------------------------------------- */

static const struct shmtop_column queue_columns[] = {
    {"queue", "QUEUE", "The queue's name.", SHMTOP_TEXT, 14, 0},
    {"level", "LEVEL", "Its level: a priority, or the order of a queue that has one level.", SHMTOP_TEXT, 8, 0},
    {"capacity", "ROOM", "Tasks that the level can hold.", SHMTOP_COUNT, 7, 90},
    {"queued", "QUEUED", "Tasks that any worker may take.", SHMTOP_COUNT, 7, 0},
    {"running", "RUN", "Tasks that workers have.", SHMTOP_COUNT, 5, 0},
    {"held", "HELD", "Tasks that wait for others to end.", SHMTOP_COUNT, 6, 0},
    {"delayed", "DELAYED", "Tasks that wait for their time.", SHMTOP_COUNT, 7, 0},
    {"oldest_ns", "OLDEST", "How long the queued one that has waited longest could have run.", SHMTOP_DURATION, 9, 62},
    {"again", "AGAIN", "Tasks under way that were begun before: their worker died, or they failed and are tried again.", SHMTOP_COUNT, 6, 69},
    {"poisoned", "POISONED", "Tasks that killed each worker that ran them, and run no more; their result was not taken yet.", SHMTOP_COUNT, 8, 78},
    {"done", "DONE", "Tasks that have ended, and whose result nobody has taken yet.", SHMTOP_COUNT, 7, 94},
    {"cancelled", "CANCELLED", "Likewise those that were cancelled.", SHMTOP_COUNT, 9, 104},
    {"expired", "EXPIRED", "Likewise those that waited, or ran, too long.", SHMTOP_COUNT, 7, 112},
    {"sleepers", "SLEEPERS", "Workers of the queue that sleep until there is a task.", SHMTOP_COUNT, 8, 121},
};

static void queues_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->queues_n; i++) {
        const struct shmtop_queue_seen *q = &look->s->queues[i];
        for (uint32_t level = 0; level < q->view.levels_n && level < ADIT_QUEUE_LEVELS; level++) {
            const struct adit_level_info *l = &q->view.levels[level];
            if (!shmtop_table_row(t, (uint64_t)q->slot << 8 | level, l->poisoned ? SHMTOP_WARNING : SHMTOP_PLAIN))
                continue;
            shmtop_cell_text(t, q->view.name);
            shmtop_cell_text(t, level_name(look->s, q->slot, level));
            shmtop_cell_count(t, q->view.capacity);
            shmtop_cell_count(t, l->queued);
            shmtop_cell_count(t, l->running);
            shmtop_cell_count(t, l->held);
            shmtop_cell_count(t, l->delayed);
            shmtop_cell_age(t, look->s, l->oldest_ns);
            shmtop_cell_count(t, l->again);
            shmtop_cell_count(t, l->poisoned);
            shmtop_cell_count(t, l->done);
            shmtop_cell_count(t, l->cancelled);
            shmtop_cell_count(t, l->expired);
            shmtop_cell_count(t, q->view.sleepers);
        }
    }
}

/* ---- tasks ------------------------------------------------------------------------------------------------------ */

static const struct shmtop_column task_columns[] = {
    {"queue", "QUEUE", "The queue that it is in.", SHMTOP_TEXT, 14, 0},
    {"level", "LEVEL", "Its level there.", SHMTOP_TEXT, 8, 0},
    {"kind", "KIND", "What is to be run.", SHMTOP_TEXT, 16, 0},
    {"state", "STATE", "held (for others), delayed, queued, running, committed (its buffers are being replaced), done, cancelled, expired, poisoned.", SHMTOP_TEXT, 9, 0},
    {"attempt", "TRY", "How often it was begun.", SHMTOP_COUNT, 3, 0},
    {"attempts_max", "OF", "How often it may be begun.", SHMTOP_COUNT, 2, 90},
    {"age_ns", "AGE", "How long ago it could have run first, or again; none: it never could.", SHMTOP_DURATION, 9, 64},
    {"pid", "WORKER", "The process that runs it.", SHMTOP_NUMBER, 8, 73},
    {"submitter_pid", "FROM", "The process that has submitted it; none: it has left.", SHMTOP_NUMBER, 8, 100},
    {"status", "STATUS", "What its kind has returned, 0 or an error's number; none: it has not ended.", SHMTOP_NUMBER, 6, 110},
    {"progress", "PROGRESS", "How far it is, in the kind's own unit.", SHMTOP_COUNT, 9, 120},
    {"tag", "TAG", "A number of its submitter's.", SHMTOP_COUNT, 12, 140},
    {"task", "HANDLE", "Its handle.", SHMTOP_COUNT, 14, 160},
};

static const char *where_name(enum adit_task_where where)
{
    static const char *const names[] = {"?", "held", "delayed", "queued", "running", "committed", "done", "cancelled", "expired", "poisoned"};
    return (uint32_t)where < sizeof names / sizeof *names ? names[where] : "?";
}

static void tasks_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->tasks_n; i++) {
        const struct adit_task_view *k = &look->s->tasks[i];
        if (!shmtop_table_row(t, k->task, k->where == ADIT_TASK_IS_POISONED ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, queue_name(look->s, k->queue));
        shmtop_cell_text(t, level_name(look->s, k->queue, k->level));
        shmtop_cell_text(t, kind_name(look->s, k->kind));
        shmtop_cell_text(t, where_name(k->where));
        shmtop_cell_count(t, k->attempt);
        shmtop_cell_count(t, k->attempts_max);
        shmtop_cell_age(t, look->s, k->since_ns);
        shmtop_cell_pid(t, k->pid);
        shmtop_cell_pid(t, k->submitter_pid);
        if (k->where == ADIT_TASK_IS_DONE)
            shmtop_cell_number(t, k->status);
        else
            shmtop_cell_none(t);
        shmtop_cell_count(t, k->progress);
        shmtop_cell_count(t, k->tag);
        shmtop_cell_count(t, k->task);
    }
}

/* ---- workers ---------------------------------------------------------------------------------------------------- */

static const struct shmtop_column worker_columns[] = {
    {"seat", "SEAT", "Its place in the arena's table of worker processes.", SHMTOP_NUMBER, 4, 0},
    {"pid", "PID", "Its process; none: it is not ready yet.", SHMTOP_NUMBER, 8, 0},
    {"state", "STATE", "warming, ready, busy, cleaning, terminating, terminated; parked: it stands by; zygote: not a worker but what forks them.", SHMTOP_TEXT, 11, 0},
    {"tasks", "TASKS", "Tasks that it has run.", SHMTOP_COUNT, 9, 0},
    {"age_ns", "AGE", "How long it has been ready.", SHMTOP_DURATION, 9, 0},
    {"before", "BEFORE", "How many had this seat before it: they died, were replaced, or ended with their pool.", SHMTOP_COUNT, 6, 0},
    {"worn", "WORN", "Whether it is to be replaced.", SHMTOP_TEXT, 4, 0},
    {"confined", "CONFINED", "By what it is confined: s seccomp, l Landlock.", SHMTOP_TEXT, 8, 90},
    {"pool_pid", "POOL", "The process whose pool it is of; none: that has left.", SHMTOP_NUMBER, 8, 66},
    {"task", "RUNS", "The handle of the task that it runs.", SHMTOP_COUNT, 14, 120},
};

static const char *seat_state(const struct adit_seat_info *s)
{
    static const char *const names[] = {"cold", "warming", "ready", "busy", "cleaning", "terminating", "terminated"};
    return s->is_zygote ? "zygote" : s->is_parked ? "parked" : (uint32_t)s->state < sizeof names / sizeof *names ? names[s->state] : "?";
}

static void workers_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->seats_n; i++) {
        const struct shmtop_seat_seen *w = &look->s->seats[i];
        char confined[3] = "";
        if (!shmtop_table_row(t, (uint64_t)w->slot << 32 | w->info.sat, w->info.is_worn ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, w->slot);
        shmtop_cell_pid(t, w->info.pid);
        shmtop_cell_text(t, seat_state(&w->info));
        shmtop_cell_count(t, w->info.tasks);
        shmtop_cell_age(t, look->s, w->info.born_ns);
        shmtop_cell_count(t, w->info.sat ? w->info.sat - 1 : 0);
        shmtop_cell_text(t, w->info.is_worn ? "yes" : "no");
        if (w->info.confined_by & ADIT_CONFINED_BY_SECCOMP)
            confined[0] = 's';
        if (w->info.confined_by & ADIT_CONFINED_BY_LANDLOCK)
            confined[confined[0] ? 1 : 0] = 'l';
        shmtop_cell_text(t, confined);
        shmtop_cell_pid(t, w->info.pool_pid);
        if (w->info.task)
            shmtop_cell_count(t, w->info.task);
        else
            shmtop_cell_none(t);
    }
}

const struct shmtop_screen shmtop_screen_tasks = {
    .name = "tasks",
    .text = "Queues by level, tasks with their states, and worker processes.",
    .lines = tasks_lines,
    .tables = {{"queues", "Queues", queue_columns, sizeof queue_columns / sizeof *queue_columns, queues_fill},
               {"tasks", "Tasks", task_columns, sizeof task_columns / sizeof *task_columns, tasks_fill},
               {"workers", "Worker processes", worker_columns, sizeof worker_columns / sizeof *worker_columns, workers_fill}},
    .tables_n = 3,
};
