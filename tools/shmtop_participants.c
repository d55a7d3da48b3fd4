/* shmtop_participants.c - the screen participants: who is attached, what it does, and what it holds. */
#include "tools/arena_json.h"
#include "tools/shmtop_look.h"

static const struct shmtop_column columns[] = {
    {"slot", "SLOT", "Its slot in the arena's table of participants.", SHMTOP_NUMBER, 4, 70},
    {"pid", "PID", "Its process.", SHMTOP_NUMBER, 8, 0},
    {"role", "ROLE", "What it may do: producer, consumer, guest.", SHMTOP_TEXT, 8, 80},
    {"state", "STATE", "joining, alive, leaving, dead (being recovered); gone: there is no such process any more, and nobody has recovered it yet.", SHMTOP_TEXT, 7, 0},
    {"label", "LABEL", "What it calls itself.", SHMTOP_TEXT, 12, 0},
    {"keeper", "KEEPER", "Whether it serves the name and recovers the dead.", SHMTOP_TEXT, 6, 150},
    {"published_per_s", "PUB/s", "Versions that it has published, a second.", SHMTOP_RATE, 7, 0},
    {"edits_per_s", "EDIT/s", "Voxels that it has edited, a second.", SHMTOP_RATE, 7, 0},
    {"meshed_per_s", "MESH/s", "Meshes that it has made, a second.", SHMTOP_RATE, 7, 0},
    {"limbo_bytes", "LIMBO", "What it has retired and not reclaimed yet.", SHMTOP_BYTES, 9, 96},
    {"loaned_bytes", "LOANED", "Blocks that it has on loan, or is just taking or giving back.", SHMTOP_BYTES, 9, 120},
    {"pinned_bytes", "PINNED", "Blocks that its pins keep.", SHMTOP_BYTES, 9, 120},
    {"readers", "RDRS", "Its reading threads.", SHMTOP_COUNT, 4, 96},
    {"pins", "PINS", "Its pins: blocks kept beyond a section.", SHMTOP_COUNT, 5, 96},
    {"epochs_behind", "BEHIND", "How many epochs its oldest section lies behind; nothing that was retired since is reclaimed.", SHMTOP_COUNT, 6, 0},
    {"idle_ns", "IDLE", "How long none of its counters has moved, as far as the history goes; none: that was not seen yet.", SHMTOP_DURATION, 8, 130},
    {"age_ns", "AGE", "How long it has been attached.", SHMTOP_DURATION, 9, 140},
    {"published", "PUBLISHED", "Versions that it has published.", SHMTOP_COUNT, 10, 160},
    {"meshed", "MESHED", "Meshes that it has made.", SHMTOP_COUNT, 10, 170},
};

static void fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->participants_n; i++) {
        const struct shmtop_participant *p = &s->participants[i];
        struct shmtop_rates r = shmtop_rates(s, look->before, &p->info);
        if (!shmtop_table_row(t, (uint64_t)p->info.slot << 32 | p->info.generation, p->info.gone ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, p->info.slot);
        shmtop_cell_number(t, p->info.pid);
        shmtop_cell_text(t, adit_arena_role(p->info.role));
        shmtop_cell_text(t, p->info.gone ? "gone" : p->info.state);
        shmtop_cell_text(t, p->info.label);
        shmtop_cell_text(t, p->info.keeper ? "yes" : "no");
        shmtop_cell_real(t, r.published);
        shmtop_cell_real(t, r.edits);
        shmtop_cell_real(t, r.meshed);
        shmtop_cell_count(t, p->info.limbo_bytes);
        shmtop_cell_count(t, p->loaned_bytes);
        shmtop_cell_count(t, p->pinned_bytes);
        shmtop_cell_count(t, p->info.readers);
        shmtop_cell_count(t, p->info.pins);
        shmtop_cell_count(t, shmtop_behind(s, &p->info));
        if (p->active_ns && p->active_ns <= s->taken_ns)
            shmtop_cell_count(t, s->taken_ns - p->active_ns);
        else
            shmtop_cell_none(t);
        if (p->info.joined_ns && p->info.joined_ns <= s->taken_wall_ns && !look->model->is_image)
            shmtop_cell_count(t, s->taken_wall_ns - p->info.joined_ns);
        else
            shmtop_cell_none(t);
        shmtop_cell_count(t, p->info.published);
        shmtop_cell_count(t, p->info.meshed);
    }
}

const struct shmtop_screen shmtop_screen_participants = {
    .name = "participants",
    .text = "Who is attached, what each does a second, and what it holds.",
    .tables = {{"participants", "Participants", columns, sizeof columns / sizeof *columns, fill}},
    .tables_n = 1,
};
