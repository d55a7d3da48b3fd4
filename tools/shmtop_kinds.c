/* shmtop_kinds.c - the screen kinds: what tasks of a kind cost on each tier of execution, as the arena has learned it, and where they were run. */
#include <stdio.h>

#include "tools/shmtop_look.h"

static const struct shmtop_column kind_columns[] = {
    {"kind", "KIND", "Its number in the arena.", SHMTOP_NUMBER, 4, 0},
    {"name", "NAME", "Its name.", SHMTOP_TEXT, 22, 0},
    {"participants", "RUN BY", "Participants that run it now.", SHMTOP_COUNT, 6, 0},
    {"runs", "RUNS", "Attempts that were made, by workers and in place.", SHMTOP_COUNT, 9, 0},
    {"runs_per_s", "RUNS/s", "Attempts a second.", SHMTOP_RATE, 7, 0},
    {"failures", "FAILED", "Attempts that returned an error.", SHMTOP_COUNT, 7, 0},
    {"inlined", "IN PLACE", "How often adit_run ran it on the thread that called.", SHMTOP_COUNT, 9, 70},
    {"offloaded", "TO WORKER", "How often adit_run handed it to a worker.", SHMTOP_COUNT, 9, 80},
    {"inlined_percent", "IN PL. %", "The share of adit_run that was run in place; none: it was not called.", SHMTOP_PERCENT, 8, 90},
    {"needs", "NEEDS", "What a confined worker must be let do for it: r reads files, w writes files, n network, p processes, c code, a anything.", SHMTOP_TEXT, 6, 100},
    {"can", "CAN", "What a process must be able to do to run it: p publish, 2 AVX2, 5 AVX-512, w be a worker process.", SHMTOP_TEXT, 5, 110},
};

static void flags_text(uint32_t flags, const char *letters, char out[16])
{
    uint32_t n = 0;
    for (uint32_t i = 0; letters[i] && n < 15; i++)
        if (flags >> i & 1)
            out[n++] = letters[i];
    out[n] = 0;
}

static const struct shmtop_kind_seen *kind_before(const struct shmtop_snapshot *before, uint32_t id)
{
    for (uint32_t i = 0; before && i < before->kinds_n; i++)
        if (before->kinds[i].id == id)
            return &before->kinds[i];
    return NULL;
}

static void kinds_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->kinds_n; i++) {
        const struct shmtop_kind_seen *k = &look->s->kinds[i], *was = kind_before(look->before, k->id);
        char flags[16];
        if (!shmtop_table_row(t, k->id, SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, k->id);
        shmtop_cell_text(t, k->info.name);
        shmtop_cell_count(t, k->info.participants);
        shmtop_cell_count(t, k->info.runs);
        shmtop_cell_real(t, was ? shmtop_rate(look->s, look->before, k->info.runs, was->info.runs) : 0);
        shmtop_cell_count(t, k->info.failures);
        shmtop_cell_count(t, k->info.inlined);
        shmtop_cell_count(t, k->info.offloaded);
        double all = (double)k->info.inlined + (double)k->info.offloaded;
        if (all > 0)
            shmtop_cell_real(t, 100.0 * (double)k->info.inlined / all);
        else
            shmtop_cell_none(t);
        flags_text(k->info.needs, "rwnpca", flags);
        shmtop_cell_text(t, flags);
        flags_text(k->info.capabilities, "p25w", flags);
        shmtop_cell_text(t, flags);
    }
}

static const struct shmtop_column cost_columns[] = {
    {"kind", "KIND", "The kind's number.", SHMTOP_NUMBER, 4, 0},
    {"name", "NAME", "The kind's name.", SHMTOP_TEXT, 22, 0},
    {"work", "WORK FROM", "The least work of this class, in the kind's own unit; each class has four times as much as the one before.", SHMTOP_COUNT, 14, 0},
    {"worker_ns", "WORKER", "What a run of that class takes in a worker (median); none: not measured.", SHMTOP_DURATION, 9, 0},
    {"inline_ns", "IN PLACE", "What adit_run takes in place, from call to return (median); none: not measured.", SHMTOP_DURATION, 9, 62},
};

static void cost_cell(struct shmtop_table *t, uint64_t ns)
{
    if (ns)
        shmtop_cell_count(t, ns);
    else
        shmtop_cell_none(t);
}

static void costs_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->kinds_n; i++)
        for (uint32_t class = 0; class < ADIT_KIND_CLASSES; class ++) {
            const struct shmtop_kind_seen *k = &look->s->kinds[i];
            const struct adit_kind_class *c = &k->info.classes[class];
            if ((!c->worker_ns && !c->inline_ns) || !shmtop_table_row(t, (uint64_t)k->id << 8 | class, SHMTOP_PLAIN))
                continue;
            shmtop_cell_number(t, k->id);
            shmtop_cell_text(t, k->info.name);
            shmtop_cell_count(t, c->work);
            cost_cell(t, c->worker_ns);
            cost_cell(t, c->inline_ns);
        }
}

static const struct shmtop_column handover_columns[] = {
    {"queue", "QUEUE", "The queue's name.", SHMTOP_TEXT, 22, 0},
    {"hot_ns", "HOT", "What handing a task to a worker and its result back takes beyond its run, where a worker looks for tasks.", SHMTOP_DURATION, 9, 0},
    {"asleep_ns", "ASLEEP", "The same, where all workers sleep.", SHMTOP_DURATION, 9, 0},
    {"busy_ns", "BUSY", "The same, where none is to be seen.", SHMTOP_DURATION, 9, 0},
};

static void handovers_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->queues_n; i++) {
        const struct shmtop_queue_seen *q = &look->s->queues[i];
        if (!shmtop_table_row(t, q->slot, SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, q->view.name);
        cost_cell(t, q->view.hot_ns);
        cost_cell(t, q->view.asleep_ns);
        cost_cell(t, q->view.busy_ns);
    }
}

const struct shmtop_screen shmtop_screen_kinds = {
    .name = "kinds",
    .text = "Kinds of tasks: where they were run, what they cost in a worker and in place, and what handing over costs.",
    .tables = {{"kinds", "Kinds of tasks", kind_columns, sizeof kind_columns / sizeof *kind_columns, kinds_fill},
               {"costs", "Costs by class of work", cost_columns, sizeof cost_columns / sizeof *cost_columns, costs_fill},
               {"handovers", "Costs of handing over", handover_columns, sizeof handover_columns / sizeof *handover_columns, handovers_fill}},
    .tables_n = 3,
};
