/* shmtop_memory.c - the screen memory: segments, blocks by size, and who holds memory back. */
#include <stdio.h>

#include "tools/arena_json.h"
#include "tools/say.h"
#include "tools/shmtop_look.h"

static void memory_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct adit_stats *s = &look->s->stats;
    shmtop_page_line(page, SHMTOP_PLAIN, "  versions    %s, of that %s content", ADIT_SAY_BYTES(s->version_bytes), ADIT_SAY_BYTES(s->version_payload_bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  meshes      %s", ADIT_SAY_BYTES(s->mesh_bytes));
    shmtop_page_line(page, SHMTOP_PLAIN, "  control     %s", ADIT_SAY_BYTES(s->control_bytes));
}

/* ---- segments --------------------------------------------------------------------------------------------------- */

static const struct shmtop_column segment_columns[] = {
    {"segment", "SEGMENT", "Its number; 0 is the heap, for rings and removals.", SHMTOP_NUMBER, 7, 0},
    {"node", "NODE", "The memory node it is bound to.", SHMTOP_NUMBER, 4, 70},
    {"bytes", "SIZE", "All bytes of it that blocks may use.", SHMTOP_BYTES, 9, 0},
    {"published_bytes", "PUBLISHED", "Blocks that readers may find.", SHMTOP_BYTES, 9, 0},
    {"retired_bytes", "RETIRED", "Blocks given up that readers may still see.", SHMTOP_BYTES, 9, 0},
    {"loaned_bytes", "ON LOAN", "Blocks that are being filled.", SHMTOP_BYTES, 9, 0},
    {"free_bytes", "FREE", "What is free.", SHMTOP_BYTES, 9, 0},
    {"largest_free_bytes", "LARGEST", "The longest free run, the largest block that can be had.", SHMTOP_BYTES, 9, 75},
    {"fragmented_percent", "FRAG %", "The share of what is free that does not lie in the longest run.", SHMTOP_PERCENT, 6, 84},
    {"blocks", "BLOCKS", "How many blocks there are.", SHMTOP_COUNT, 8, 92},
    {"page_bytes", "PAGE", "The size of its pages.", SHMTOP_BYTES, 8, 100},
    {"used_percent", "USED %", "The share of it that is not free.", SHMTOP_PERCENT, 6, 110},
};

static void segments_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct adit_stats *s = &look->s->stats;
    for (uint32_t i = 0; i < s->segments_n && i < sizeof s->segments / sizeof *s->segments; i++) {
        const struct adit_segment_stats *g = &s->segments[i];
        if (!shmtop_table_row(t, i, SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, i);
        shmtop_cell_node(t, g->node);
        shmtop_cell_count(t, g->bytes);
        shmtop_cell_count(t, g->published_bytes);
        shmtop_cell_count(t, g->retired_bytes);
        shmtop_cell_count(t, g->loaned_bytes);
        shmtop_cell_count(t, g->free_bytes);
        shmtop_cell_count(t, g->largest_free_bytes);
        shmtop_cell_real(t, g->free_bytes ? 100.0 - 100.0 * (double)g->largest_free_bytes / (double)g->free_bytes : 0);
        shmtop_cell_count(t, g->blocks);
        shmtop_cell_count(t, g->page_bytes);
        shmtop_cell_real(t, g->bytes ? 100.0 * (double)(g->bytes - g->free_bytes) / (double)g->bytes : 0);
    }
}

/* ---- blocks by size --------------------------------------------------------------------------------------------- */

static const struct shmtop_column class_columns[] = {
    {"segment", "SEGMENT", "The segment's number.", SHMTOP_NUMBER, 7, 0},
    {"bytes_max", "UP TO", "Blocks and free runs of at most so many bytes, and more than half of that.", SHMTOP_BYTES, 8, 0},
    {"blocks", "BLOCKS", "How many blocks there are of that size.", SHMTOP_COUNT, 8, 0},
    {"bytes", "BYTES", "Their bytes.", SHMTOP_BYTES, 9, 0},
    {"published_bytes", "PUBLISHED", "Bytes of those that readers may find.", SHMTOP_BYTES, 9, 0},
    {"retired_bytes", "RETIRED", "Bytes of those given up that readers may still see.", SHMTOP_BYTES, 9, 0},
    {"loaned_bytes", "ON LOAN", "Bytes of those that are being filled.", SHMTOP_BYTES, 9, 85},
    {"free_runs", "FREE RUNS", "How many free runs there are of that size.", SHMTOP_COUNT, 9, 65},
    {"free_bytes", "FREE", "Their bytes.", SHMTOP_BYTES, 9, 75},
};

static void classes_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->stats.segments_n && i < 16; i++)
        for (uint32_t class = 0; class < SHMTOP_BLOCK_CLASSES; class ++) {
            const struct shmtop_blocks *b = &look->s->blocks[i][class];
            if ((!b->blocks && !b->runs) || !shmtop_table_row(t, (uint64_t)i << 8 | class, SHMTOP_PLAIN))
                continue;
            shmtop_cell_number(t, i);
            shmtop_cell_count(t, (uint64_t)512 << class);
            shmtop_cell_count(t, b->blocks);
            shmtop_cell_count(t, b->bytes);
            shmtop_cell_count(t, b->published);
            shmtop_cell_count(t, b->retired);
            shmtop_cell_count(t, b->loaned);
            shmtop_cell_count(t, b->runs);
            shmtop_cell_count(t, b->free);
        }
}

/* ---- who holds what back ---------------------------------------------------------------------------------------- */

static const struct shmtop_column holder_columns[] = {
    {"pid", "PID", "The participant's process.", SHMTOP_NUMBER, 8, 0},
    {"label", "LABEL", "What it calls itself.", SHMTOP_TEXT, 16, 0},
    {"role", "ROLE", "What it may do.", SHMTOP_TEXT, 8, 90},
    {"retired_bytes", "RETIRED", "Blocks that are its to reclaim.", SHMTOP_BYTES, 9, 0},
    {"limbo_bytes", "LIMBO", "What it says that it has retired and not reclaimed yet.", SHMTOP_BYTES, 9, 0},
    {"loaned_bytes", "ON LOAN", "Blocks that it has on loan.", SHMTOP_BYTES, 9, 0},
    {"pinned_bytes", "PINNED", "Blocks that its pins keep.", SHMTOP_BYTES, 9, 65},
    {"pins", "PINS", "How many pins it has.", SHMTOP_COUNT, 6, 72},
    {"epochs_behind", "BEHIND", "How many epochs its oldest section lies behind: it keeps others from reclaiming what was retired since.", SHMTOP_COUNT, 7, 80},
};

static void holders_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_snapshot *s = look->s;
    for (uint32_t i = 0; i < s->participants_n; i++) {
        const struct shmtop_participant *p = &s->participants[i];
        uint64_t behind = shmtop_behind(s, &p->info);
        if (!(p->retired_bytes || p->info.limbo_bytes || p->loaned_bytes || p->info.pins || behind) ||
            !shmtop_table_row(t, (uint64_t)p->info.slot << 32 | p->info.generation, p->info.gone || behind > 1 ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, p->info.pid);
        shmtop_cell_text(t, p->info.label);
        shmtop_cell_text(t, adit_arena_role(p->info.role));
        shmtop_cell_count(t, p->retired_bytes);
        shmtop_cell_count(t, p->info.limbo_bytes);
        shmtop_cell_count(t, p->loaned_bytes);
        shmtop_cell_count(t, p->pinned_bytes);
        shmtop_cell_count(t, p->info.pins);
        shmtop_cell_count(t, behind);
    }
}

const struct shmtop_screen shmtop_screen_memory = {
    .name = "memory",
    .text = "Segments with what is free in them, blocks by size, and which participants hold memory back.",
    .lines = memory_lines,
    .tables = {{"segments", "Segments", segment_columns, sizeof segment_columns / sizeof *segment_columns, segments_fill},
               {"blocks", "Blocks by size", class_columns, sizeof class_columns / sizeof *class_columns, classes_fill},
               {"holders", "Who holds what back", holder_columns, sizeof holder_columns / sizeof *holder_columns, holders_fill}},
    .tables_n = 3,
};
