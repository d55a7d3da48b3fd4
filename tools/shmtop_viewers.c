/* shmtop_viewers.c - the screen viewers: who looks from where, and who is told of what. */
#include <stdio.h>

#include "tools/shmtop_look.h"

static const struct shmtop_column viewer_columns[] = {
    {"viewer", "VIEWER", "Its slot.", SHMTOP_NUMBER, 6, 0},
    {"pid", "PID", "Whose it is.", SHMTOP_NUMBER, 8, 0},
    {"state", "STATE", "active, or being set up.", SHMTOP_TEXT, 7, 0},
    {"world", "WORLD", "The world that it looks at.", SHMTOP_NUMBER, 5, 0},
    {"at", "AT", "Where it is: x, y, z, in voxels.", SHMTOP_TEXT, 24, 0},
    {"toward", "TOWARD", "Where it looks: a direction.", SHMTOP_TEXT, 20, 94},
    {"radius", "RADIUS", "How far it sees, in voxels.", SHMTOP_RATE, 8, 63},
    {"frame_ns", "FRAME", "How long its frames are; none: it looks all the time.", SHMTOP_DURATION, 9, 73},
};

static void viewers_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->viewers_n; i++) {
        const struct shmtop_viewer_seen *v = &look->s->viewers[i];
        char text[SHMTOP_CELL_BYTES];
        if (!shmtop_table_row(t, v->slot, SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, v->slot);
        shmtop_cell_pid(t, v->info.pid);
        shmtop_cell_text(t, v->info.is_active ? "active" : "setting");
        shmtop_cell_number(t, v->info.world);
        snprintf(text, sizeof text, "%.6g %.6g %.6g", (double)v->info.at[0], (double)v->info.at[1], (double)v->info.at[2]);
        shmtop_cell_text(t, text);
        snprintf(text, sizeof text, "%.3g %.3g %.3g", (double)v->info.toward[0], (double)v->info.toward[1], (double)v->info.toward[2]);
        shmtop_cell_text(t, text);
        shmtop_cell_real(t, (double)v->info.radius);
        if (v->info.frame_ns)
            shmtop_cell_count(t, v->info.frame_ns);
        else
            shmtop_cell_none(t);
    }
}

static const struct shmtop_column watch_columns[] = {
    {"watch", "WATCH", "Its slot.", SHMTOP_NUMBER, 5, 0},
    {"pid", "PID", "Whose it is.", SHMTOP_NUMBER, 8, 0},
    {"state", "STATE", "active: publishers tell it; else it is being set up or ended.", SHMTOP_TEXT, 7, 0},
    {"what", "WHAT", "What it is told of: chunks, meshes.", SHMTOP_TEXT, 13, 0},
    {"pending", "PENDING", "Changes that it has not taken yet.", SHMTOP_COUNT, 8, 0},
    {"sleeps", "SLEEPS", "Whether its thread sleeps until something changes.", SHMTOP_TEXT, 6, 0},
    {"lapses", "LAPSES", "Chunks that were forgotten before it had looked at them.", SHMTOP_COUNT, 6, 0},
    {"node", "NODE", "The memory node that its thread was on when it looked last.", SHMTOP_NUMBER, 4, 80},
    {"from", "FROM", "The lowest key of its box: x, y, z.", SHMTOP_TEXT, 22, 90},
    {"to", "TO", "The key behind the highest one.", SHMTOP_TEXT, 22, 110},
};

static void watches_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->watches_n; i++) {
        const struct adit_watch_info *w = &look->s->watches[i].info;
        char text[SHMTOP_CELL_BYTES];
        if (!shmtop_table_row(t, look->s->watches[i].slot, w->lapses ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, look->s->watches[i].slot);
        shmtop_cell_pid(t, w->pid);
        shmtop_cell_text(t, w->is_active ? "active" : "setting");
        shmtop_cell_text(t, w->what == (ADIT_WATCH_CHUNKS | ADIT_WATCH_MESHES) ? "chunks meshes" : w->what == ADIT_WATCH_CHUNKS ? "chunks" : w->what ? "meshes" : "nothing");
        shmtop_cell_count(t, w->pending);
        shmtop_cell_text(t, w->is_waited ? "yes" : "no");
        shmtop_cell_count(t, w->lapses);
        shmtop_cell_node(t, w->node);
        snprintf(text, sizeof text, "%d %d %d", w->lo[0], w->lo[1], w->lo[2]);
        shmtop_cell_text(t, text);
        snprintf(text, sizeof text, "%d %d %d", w->hi[0], w->hi[1], w->hi[2]);
        shmtop_cell_text(t, text);
    }
}

const struct shmtop_screen shmtop_screen_viewers = {
    .name = "viewers",
    .text = "Viewers, where they look from, and watches, who is told of what.",
    .tables = {{"viewers", "Viewers", viewer_columns, sizeof viewer_columns / sizeof *viewer_columns, viewers_fill},
               {"watches", "Watches", watch_columns, sizeof watch_columns / sizeof *watch_columns, watches_fill}},
    .tables_n = 2,
};
