/* shmtop_look.h - what a screen is: a name, lines above, tables; and what it is given to look at. A screen is a file with one of these and a line in shmtop_screens.c.
 *
 *     static void fill(const struct shmtop_look *look, struct shmtop_table *t) { for each thing of look->s: shmtop_table_row, cells }
 *     const struct shmtop_screen shmtop_screen_rings = {.name = "rings", .text = "Rings, ...", .tables = {{"rings", "Rings", columns, sizeof columns / sizeof *columns, fill}}, .tables_n = 1};
 */
#ifndef ADIT_SHMTOP_LOOK_H
#define ADIT_SHMTOP_LOOK_H

#include "tools/shmtop_model.h"
#include "tools/shmtop_page.h"
#include "tools/shmtop_table.h"

#define SHMTOP_TABLES_MAX 4u

/* The map of the screen chunks: one layer of a world at a level of detail. */
struct shmtop_map_state {
    struct adit_key at; /* what is looked at */
    bool is_placed;     /* at is somebody's choice; else it is where most chunks are */
    bool has_focus;     /* arrows move over the map, not over the table */
    bool is_blocks;     /* half-blocks and colours; else letters */
    uint32_t rows;      /* characters that it may have, one below another */
};

struct shmtop_look {
    const struct shmtop_model *model;
    const struct shmtop_snapshot *s;      /* the one looked at */
    const struct shmtop_snapshot *before; /* NULL: none, so there are no rates */
    const struct shmtop_map_state *map;
};

struct shmtop_tabled {
    const char *name;  /* in JSON and for --csv; no two are the same */
    const char *title; /* above it, where a screen has several */
    const struct shmtop_column *columns;
    uint32_t columns_n;
    void (*fill)(const struct shmtop_look *look, struct shmtop_table *t);
};

struct shmtop_screen {
    const char *name;
    char key; /* beside its number; 0: none */
    const char *text; /* one sentence */
    void (*lines)(const struct shmtop_look *look, struct shmtop_page *page); /* above the tables; NULL: none */
    bool has_map;
    bool verifies; /* its key has the verifier look */
    struct shmtop_tabled tables[SHMTOP_TABLES_MAX];
    uint32_t tables_n;
};

/* All of them, in the order of their keys. */
extern const struct shmtop_screen *const shmtop_screens[];
extern const uint32_t shmtop_screens_n;
#define SHMTOP_SCREENS_MAX 16u

/* The screen of that name; UINT32_MAX: there is none. */
uint32_t shmtop_screen_find(const char *name);

/* Shared by screens: a chunk's state as a word, and an encoding's. */
const char *shmtop_chunk_state(uint8_t state);
const char *shmtop_encoding(uint8_t encoding);
/* A cell that says how long ago a moment was, or nothing. */
void shmtop_cell_age(struct shmtop_table *t, const struct shmtop_snapshot *s, uint64_t at_ns);
/* A pid, or nothing for 0; a node, or nothing below 0. */
void shmtop_cell_pid(struct shmtop_table *t, uint32_t pid);
void shmtop_cell_node(struct shmtop_table *t, int32_t node);
/* A bar of so many cells, used of all of them filled. */
void shmtop_bar(char *out, uint32_t cells, uint64_t used, uint64_t all);

#endif
