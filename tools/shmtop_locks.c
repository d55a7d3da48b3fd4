/* shmtop_locks.c - the screen locks: who holds which, and whether somebody waits. */
#include "tools/shmtop_look.h"

static const struct shmtop_column columns[] = {
    {"name", "NAME", "Its name; in brackets: one of the arena's own. (keeper): held by who serves the name and recovers the dead; (naming): while something is given a name; (uses): while tasks that use buffers are submitted.", SHMTOP_TEXT, 24, 0},
    {"state", "STATE", "free; held; died: its holder has died, and nobody has taken it since.", SHMTOP_TEXT, 5, 0},
    {"pid", "OWNER", "The process that holds it.", SHMTOP_NUMBER, 8, 0},
    {"waited", "WAITED", "Whether somebody may sleep for it.", SHMTOP_TEXT, 6, 0},
    {"commits", "COMMITS", "How often its object was committed; none: it guards no object.", SHMTOP_COUNT, 10, 0},
    {"commits_per_s", "COMM/s", "The same, a second.", SHMTOP_RATE, 7, 65},
    {"deaths", "DEATHS", "Holders that died.", SHMTOP_COUNT, 6, 72},
    {"bytes", "OBJECT", "The size of its object.", SHMTOP_BYTES, 8, 90},
};

static const struct shmtop_lock_seen *lock_before(const struct shmtop_snapshot *before, uint32_t slot)
{
    for (uint32_t i = 0; before && i < before->locks_n; i++)
        if (before->locks[i].slot == slot)
            return &before->locks[i];
    return NULL;
}

static void fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->locks_n; i++) {
        const struct shmtop_lock_seen *l = &look->s->locks[i], *was = lock_before(look->before, l->slot);
        if (!shmtop_table_row(t, l->slot, l->info.has_died ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, l->info.name);
        shmtop_cell_text(t, l->info.has_died ? "died" : l->info.is_held ? "held" : "free");
        shmtop_cell_pid(t, l->info.pid);
        shmtop_cell_text(t, l->info.is_waited ? "yes" : "no");
        if (l->info.bytes) {
            shmtop_cell_count(t, l->info.commits);
            shmtop_cell_real(t, was ? shmtop_rate(look->s, look->before, l->info.commits, was->info.commits) : 0);
        } else {
            shmtop_cell_none(t);
            shmtop_cell_none(t);
        }
        shmtop_cell_count(t, l->info.deaths);
        if (l->info.bytes)
            shmtop_cell_count(t, l->info.bytes);
        else
            shmtop_cell_none(t);
    }
}

const struct shmtop_screen shmtop_screen_locks = {
    .name = "locks",
    .text = "Locks: who holds them, whether somebody waits, and how often their objects were committed.",
    .tables = {{"locks", "Locks", columns, sizeof columns / sizeof *columns, fill}},
    .tables_n = 1,
};
