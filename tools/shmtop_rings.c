/* shmtop_rings.c - the screen rings: how full they are, and how much goes through. */
#include "tools/shmtop_look.h"

static const struct shmtop_column columns[] = {
    {"name", "NAME", "Its name.", SHMTOP_TEXT, 20, 0},
    {"kind", "KIND", "spsc: one pushes and one pops; mpmc: any; samples: sound, one float a channel.", SHMTOP_TEXT, 7, 0},
    {"filled", "FILLED", "Elements that are in it; of samples: frames.", SHMTOP_COUNT, 8, 0},
    {"capacity", "OF", "How many it can hold.", SHMTOP_COUNT, 8, 0},
    {"filled_percent", "FULL %", "The share that is full.", SHMTOP_PERCENT, 6, 0},
    {"pushed_per_s", "PUSH/s", "Elements pushed, a second.", SHMTOP_RATE, 7, 61},
    {"popped_per_s", "POP/s", "Elements popped, a second.", SHMTOP_RATE, 7, 69},
    {"pusher_pid", "PUSHER", "The process that pushed last; none: nobody, it has left, or any may.", SHMTOP_NUMBER, 8, 90},
    {"popper_pid", "POPPER", "The process that popped last.", SHMTOP_NUMBER, 8, 90},
    {"overrun", "OVERRUN", "Of samples: frames that found no room, ever.", SHMTOP_COUNT, 8, 100},
    {"underrun", "UNDERRUN", "Of samples: frames that were missing, ever.", SHMTOP_COUNT, 8, 110},
    {"element_bytes", "ELEMENT", "The size of an element; of samples: 4 a channel.", SHMTOP_BYTES, 8, 120},
    {"pushed", "PUSHED", "Elements pushed since it was made.", SHMTOP_COUNT, 12, 140},
    {"popped", "POPPED", "Elements popped since it was made.", SHMTOP_COUNT, 12, 140},
};

static const struct adit_ring_info *ring_before(const struct shmtop_snapshot *before, const struct shmtop_ring_seen *r)
{
    for (uint32_t i = 0; before && i < before->rings_n; i++)
        if (before->rings[i].slot == r->slot)
            return &before->rings[i].info;
    return NULL;
}

static void fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->rings_n; i++) {
        const struct shmtop_ring_seen *r = &look->s->rings[i];
        const struct adit_ring_info *was = ring_before(look->before, r);
        if (!shmtop_table_row(t, r->slot, SHMTOP_PLAIN))
            continue;
        shmtop_cell_text(t, r->info.name);
        shmtop_cell_text(t, r->info.kind == ADIT_RING_SPSC ? "spsc" : r->info.kind == ADIT_RING_MPMC ? "mpmc" : "samples");
        shmtop_cell_count(t, r->info.filled);
        shmtop_cell_count(t, r->info.capacity);
        shmtop_cell_real(t, r->info.capacity ? 100.0 * r->info.filled / r->info.capacity : 0);
        shmtop_cell_real(t, was ? shmtop_rate(look->s, look->before, r->info.pushed, was->pushed) : 0);
        shmtop_cell_real(t, was ? shmtop_rate(look->s, look->before, r->info.popped, was->popped) : 0);
        shmtop_cell_pid(t, r->info.pusher_pid);
        shmtop_cell_pid(t, r->info.popper_pid);
        shmtop_cell_count(t, r->info.overrun);
        shmtop_cell_count(t, r->info.underrun);
        shmtop_cell_count(t, r->info.element_bytes);
        shmtop_cell_count(t, r->info.pushed);
        shmtop_cell_count(t, r->info.popped);
    }
}

const struct shmtop_screen shmtop_screen_rings = {
    .name = "rings",
    .text = "Rings: how full they are, who is at them, and how much goes through.",
    .tables = {{"rings", "Rings", columns, sizeof columns / sizeof *columns, fill}},
    .tables_n = 1,
};
