/* shmtop_frames.c - the screen frames: who keeps them, how long they were, and their points.
 *
 *     150 |        #              the time that a frame took, from when it was to begin, in % of its period, a column a frame (two, the longer one, on narrow pages)
 *     125 |        #
 *     100 +--------#-----         its budget; what is above it was too long
 *      75 |  # #   #   #  #
 *     ...
 *         |    !   s              ! missed a point; s: whole frames passed behind it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/say.h"
#include "tools/shmtop_look.h"

#define GRAPHS 2u  /* of so many loops */
#define STEPS 6u   /* of 25 % of the period */
#define WIDE 112u  /* a page that has room for a column a frame */

static uint64_t missed_of(const struct shmtop_loop_seen *l)
{
    uint64_t missed = 0;
    for (uint32_t i = 0; i < l->info.points_n && i < ADIT_FRAME_POINTS; i++)
        missed += l->info.points[i].missed;
    return missed;
}

static int numbers_compare(const void *a, const void *b)
{
    uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;
    return (l > r) - (l < r);
}

/* Of the last frames: what a share of them is not beyond; took: how long they were, else how late they began. False: there are none. */
static bool share_of(const struct shmtop_loop_seen *l, bool took, double share, uint64_t *out)
{
    uint64_t sorted[SHMTOP_FRAMES];
    uint32_t n = l->past_n < SHMTOP_FRAMES ? l->past_n : SHMTOP_FRAMES;
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = took ? l->past[i].took_ns : l->past[i].late_ns;
    if (n)
        qsort(sorted, n, sizeof *sorted, numbers_compare);
    *out = n ? sorted[(uint32_t)((n - 1) * share + 0.5)] : 0;
    return n;
}

/* ---- the graph -------------------------------------------------------------------------------------------------- */

/* Columns of each `together` frames: how high, and what is below. Returns how many. */
static uint32_t columns_make(const struct shmtop_loop_seen *l, uint32_t together, uint32_t *height, char *marks)
{
    uint32_t n = 0, all = l->past_n < SHMTOP_FRAMES ? l->past_n : SHMTOP_FRAMES;
    double step = (double)l->info.period_ns / 4;
    for (uint32_t i = 0; i < all; i += together, n++) {
        height[n] = 0;
        marks[n] = ' ';
        for (uint32_t k = i; k < i + together && k < all; k++) {
            double steps = step > 0 ? (double)l->past[k].took_ns / step : 0;
            uint32_t high = steps >= STEPS ? STEPS : (uint32_t)steps + (steps > (uint32_t)steps);
            height[n] = high > height[n] ? high : height[n];
            marks[n] = l->past[k].skipped ? 's' : l->past[k].missed && marks[n] == ' ' ? '!' : marks[n];
        }
    }
    return n;
}

static void graph_lay(const struct shmtop_loop_seen *l, struct shmtop_page *page)
{
    uint32_t height[SHMTOP_FRAMES], together = page->width >= WIDE ? 1 : 2;
    char marks[SHMTOP_FRAMES + 1] = "", line[SHMTOP_FRAMES + 1], label[SHMTOP_CELL_BYTES];
    uint32_t n = columns_make(l, together, height, marks), all = l->past_n < SHMTOP_FRAMES ? l->past_n : SHMTOP_FRAMES;
    marks[n] = line[n] = 0;
    shmtop_page_line(page, SHMTOP_TITLE, "  pid %u %s: the last %u frames of %s%s, in %% of that", l->info.pid, shmtop_ascii(label, sizeof label, l->info.label), all,
                     ADIT_SAY_DURATION((double)l->info.period_ns), together > 1 ? ", two a column" : "");
    for (uint32_t row = STEPS; row > 0; row--) {
        bool is_budget = row == 4;
        for (uint32_t i = 0; i < n; i++)
            line[i] = height[i] >= row ? '#' : is_budget ? '-' : ' ';
        shmtop_page_line(page, row > 4 && strchr(line, '#') ? SHMTOP_WARNING : SHMTOP_PLAIN, "  %4u %c%s", row * 25, is_budget ? '+' : '|', line);
    }
    shmtop_page_line(page, strspn(marks, " ") < n ? SHMTOP_WARNING : SHMTOP_PLAIN, "       |%s", marks);
}

static void frames_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_snapshot *s = look->s;
    uint32_t drawn = 0, loops = 0;
    for (uint32_t here = 2; here-- > 0;) /* those that are there first */
        for (uint32_t i = 0; i < s->loops_n; i++) {
            if (s->loops[i].info.is_here != here || !s->loops[i].past_n)
                continue;
            loops++;
            if (drawn < GRAPHS)
                graph_lay(&s->loops[i], page);
            drawn += drawn < GRAPHS;
        }
    if (loops > drawn)
        shmtop_page_line(page, SHMTOP_QUIET, "  %u more loops are in the tables", loops - drawn);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static const struct shmtop_column loop_columns[] = {
    {"loop", "LOOP", "Its slot; none: a viewer that has told how long its frames are, and whose loop is its own affair.", SHMTOP_NUMBER, 4, 0},
    {"pid", "PID", "Its process.", SHMTOP_NUMBER, 8, 0},
    {"label", "WHO", "What the participant calls itself.", SHMTOP_TEXT, 14, 0},
    {"state", "STATE", "open (be it dead, and not recovered yet), left: closed, or died; viewer.", SHMTOP_TEXT, 6, 0},
    {"period_ns", "PERIOD", "How long its frames are: the budget of each.", SHMTOP_DURATION, 8, 0},
    {"frames", "FRAMES", "Frames that have ended, ever.", SHMTOP_COUNT, 8, 0},
    {"skipped", "SKIPPED", "Whole frames that have passed without being begun, ever.", SHMTOP_COUNT, 7, 62},
    {"missed", "MISSED", "Points that were reached too late, ever.", SHMTOP_COUNT, 7, 70},
    {"took_most_ns", "LONGEST", "The longest of the last 100, from when it was to begin to its end.", SHMTOP_DURATION, 8, 79},
    {"took_half_ns", "TOOK P50", "Half of the last 100 took no longer.", SHMTOP_DURATION, 8, 88},
    {"late_half_ns", "LATE P50", "Half of the last 100 began no later.", SHMTOP_DURATION, 8, 97},
    {"late_most_ns", "LATEST", "How late the latest of the last 100 began.", SHMTOP_DURATION, 8, 106},
    {"budget_percent", "BUDGET %", "The longest of the last 100, of the period.", SHMTOP_PERCENT, 8, 115},
    {"age_ns", "AGE", "How long ago it was opened.", SHMTOP_DURATION, 9, 125},
};

static void share_cell(struct shmtop_table *t, const struct shmtop_loop_seen *l, bool took, double share)
{
    uint64_t ns;
    if (share_of(l, took, share, &ns))
        shmtop_cell_count(t, ns);
    else
        shmtop_cell_none(t);
}

static void loop_row(const struct shmtop_look *look, const struct shmtop_loop_seen *l, struct shmtop_table *t)
{
    uint64_t longest, missed = missed_of(l);
    bool has_frames = share_of(l, true, 1, &longest) && l->info.period_ns;
    if (!shmtop_table_row(t, l->info.since_ns * 64 + l->slot, l->info.skipped || missed ? SHMTOP_WARNING : l->info.is_here ? SHMTOP_PLAIN : SHMTOP_QUIET))
        return;
    shmtop_cell_number(t, l->slot);
    shmtop_cell_number(t, l->info.pid);
    shmtop_cell_text(t, l->info.label);
    shmtop_cell_text(t, l->info.is_here ? "open" : "left");
    shmtop_cell_count(t, l->info.period_ns);
    shmtop_cell_count(t, l->info.frames);
    shmtop_cell_count(t, l->info.skipped);
    shmtop_cell_count(t, missed);
    share_cell(t, l, true, 1);
    share_cell(t, l, true, 0.5);
    share_cell(t, l, false, 0.5);
    share_cell(t, l, false, 1);
    if (has_frames)
        shmtop_cell_real(t, 100 * (double)longest / (double)l->info.period_ns);
    else
        shmtop_cell_none(t);
    shmtop_cell_age(t, look->s, l->info.since_ns);
}

static void loops_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->loops_n; i++)
        loop_row(look, &s->loops[i], t);
    for (uint32_t i = 0; i < s->viewers_n; i++) {
        const struct adit_viewer_info *v = &s->viewers[i].info;
        const char *label = "?";
        for (uint32_t k = 0; k < s->participants_n; k++)
            label = s->participants[k].info.pid == v->pid ? s->participants[k].info.label : label;
        if (!v->frame_ns || !shmtop_table_row(t, UINT64_MAX - s->viewers[i].slot, SHMTOP_PLAIN))
            continue;
        shmtop_cell_none(t);
        shmtop_cell_pid(t, v->pid);
        shmtop_cell_text(t, label);
        shmtop_cell_text(t, "viewer");
        shmtop_cell_count(t, v->frame_ns);
    }
}

static const struct shmtop_column point_columns[] = {
    {"loop", "LOOP", "The loop's slot.", SHMTOP_NUMBER, 4, 0},
    {"point", "POINT", "The point's name.", SHMTOP_TEXT, 16, 0},
    {"budget_ns", "BUDGET", "Until when it is to be reached, from the frame's begin.", SHMTOP_DURATION, 9, 0},
    {"reached", "REACHED", "How often it was reached.", SHMTOP_COUNT, 9, 0},
    {"missed", "MISSED", "How often of that too late.", SHMTOP_COUNT, 8, 0},
    {"late_most_ns", "LATEST", "How much too late at the most.", SHMTOP_DURATION, 9, 0},
};

static void points_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->loops_n; i++)
        for (uint32_t k = 0; k < look->s->loops[i].info.points_n && k < ADIT_FRAME_POINTS; k++) {
            const struct adit_frame_loop_info *l = &look->s->loops[i].info;
            if (!shmtop_table_row(t, (l->since_ns * 64 + look->s->loops[i].slot) * 16 + k, l->points[k].missed ? SHMTOP_WARNING : SHMTOP_PLAIN))
                continue;
            shmtop_cell_number(t, look->s->loops[i].slot);
            shmtop_cell_text(t, l->points[k].name);
            shmtop_cell_count(t, l->offset_ns[k]);
            shmtop_cell_count(t, l->points[k].reached);
            shmtop_cell_count(t, l->points[k].missed);
            shmtop_cell_count(t, l->points[k].late_most_ns);
        }
}

static const struct shmtop_column frame_columns[] = {
    {"loop", "LOOP", "The loop's slot.", SHMTOP_NUMBER, 4, 0},
    {"frame", "FRAME", "Its number, from 1.", SHMTOP_COUNT, 10, 0},
    {"age_ns", "AGE", "How long ago it was to begin.", SHMTOP_DURATION, 9, 0},
    {"late_ns", "LATE", "How much later it began.", SHMTOP_DURATION, 9, 0},
    {"took_ns", "TOOK", "From when it was to begin to its end.", SHMTOP_DURATION, 9, 0},
    {"skipped", "SKIPPED", "Whole frames that passed behind it.", SHMTOP_COUNT, 7, 0},
    {"missed", "MISSED", "The points that were reached too late.", SHMTOP_TEXT, 32, 86},
};

static void frames_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->loops_n; i++)
        for (uint32_t k = look->s->loops[i].past_n < SHMTOP_FRAMES ? look->s->loops[i].past_n : SHMTOP_FRAMES; k-- > 0;) {
            const struct shmtop_loop_seen *l = &look->s->loops[i];
            const struct adit_frame_past *p = &l->past[k];
            char names[SHMTOP_CELL_BYTES] = "";
            size_t at = 0;
            for (uint32_t b = 0; b < l->info.points_n && b < ADIT_FRAME_POINTS; b++)
                if (p->missed >> b & 1 && at < sizeof names)
                    at += (size_t)snprintf(names + at, sizeof names - at, "%s%.31s", at ? " " : "", l->info.points[b].name);
            if (!shmtop_table_row(t, (uint64_t)l->slot << 48 ^ p->begin_ns, p->skipped || p->missed || p->took_ns > l->info.period_ns ? SHMTOP_WARNING : SHMTOP_PLAIN))
                continue;
            shmtop_cell_number(t, l->slot);
            shmtop_cell_count(t, p->number);
            shmtop_cell_age(t, look->s, p->begin_ns);
            shmtop_cell_count(t, p->late_ns);
            shmtop_cell_count(t, p->took_ns);
            shmtop_cell_count(t, p->skipped);
            shmtop_cell_text(t, names);
        }
}

const struct shmtop_screen shmtop_screen_frames = {
    .name = "frames",
    .key = 'g',
    .text = "Loops at a rate, and viewers with frames: a graph of the last 100, their budgets, points that were missed.",
    .lines = frames_lines,
    .tables = {{"loops", "Who keeps frames", loop_columns, sizeof loop_columns / sizeof *loop_columns, loops_fill},
               {"points", "Points", point_columns, sizeof point_columns / sizeof *point_columns, points_fill},
               {"frames", "The last 100 frames of each loop, the newest first", frame_columns, sizeof frame_columns / sizeof *frame_columns, frames_fill}},
    .tables_n = 3,
};
