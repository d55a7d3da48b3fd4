/* shmtop_table.h - tables of shmtop: typed cells under columns that say what they mean; one description for screen, help, manual, JSON and CSV.
 *
 *     static const struct shmtop_column columns[] = {{"pid", "PID", "Its process.", SHMTOP_NUMBER, 8, 0}, {"limbo_bytes", "LIMBO", "Retired, not yet reclaimed.", SHMTOP_BYTES, 9, 96}};
 *     struct shmtop_table t;
 *     shmtop_table_init(&t, columns, 2);
 *     if (shmtop_table_row(&t, pid, SHMTOP_PLAIN)) {              cells follow in the order of the columns
 *         shmtop_cell_number(&t, pid);
 *         shmtop_cell_count(&t, bytes);
 *     }
 *     shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 1, .descends = true, .filter = "12"});
 *     for (uint32_t i = 0; i < t.shown; i++) shmtop_table_line(&t, i, 80, line);
 *     shmtop_table_fini(&t);
 *
 * A cell is its raw value: that is sorted by and goes into JSON and CSV. Its text is made from it when a line is laid out. Pure: nothing here touches a terminal, a clock or an arena.
 * When memory is short rows are left out, and is_short says so.
 */
#ifndef ADIT_SHMTOP_TABLE_H
#define ADIT_SHMTOP_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SHMTOP_WIDTH_MIN 60
#define SHMTOP_WIDTH_MAX 240
#define SHMTOP_COLUMNS_MAX 24u
#define SHMTOP_CELL_BYTES 128u /* of a cell's text */

enum shmtop_kind {
    SHMTOP_TEXT,     /* to the left; all others to the right */
    SHMTOP_NUMBER,   /* a whole number that is no amount: pids, coordinates */
    SHMTOP_COUNT,    /* how many: 1,234 or 12.3M */
    SHMTOP_BYTES,    /* 1.5 KiB */
    SHMTOP_RATE,     /* a second */
    SHMTOP_DURATION, /* nanoseconds: 1.50 ms */
    SHMTOP_PERCENT,  /* 0 to 100 */
};

/* A column, and the narrowest page that has it: what matters less goes first. */
struct shmtop_column {
    const char *key;  /* in JSON and CSV; lower case, the unit last */
    const char *head; /* on the screen */
    const char *text; /* what it is: one sentence, for help, detail and manual */
    enum shmtop_kind kind;
    uint8_t width;
    uint8_t from_width;
};

enum shmtop_style { SHMTOP_PLAIN, SHMTOP_TITLE, SHMTOP_HEAD, SHMTOP_WARNING, SHMTOP_QUIET, SHMTOP_CHOSEN, SHMTOP_STYLES };

struct shmtop_cell {
    union {
        const char *text; /* printable ASCII, the table's */
        uint64_t count;   /* COUNT, BYTES, DURATION */
        int64_t number;
        double real; /* RATE, PERCENT */
    };
    bool is_none; /* nothing to tell: "-", JSON null, CSV nothing; sorted behind all others */
};

struct shmtop_table {
    const struct shmtop_column *columns;
    uint32_t columns_n, rows, rows_max, filled; /* filled: cells of the last row that are set */
    struct shmtop_cell *cells; /* rows * columns_n */
    uint64_t *ids;             /* of rows: the same thing has the same in every snapshot */
    uint8_t *styles;           /* of rows, enum shmtop_style */
    uint32_t *order, shown;    /* rows as arranged: order[0 .. shown) */
    struct shmtop_text *texts;
    bool is_short;
};

struct shmtop_arrangement {
    int32_t sort; /* a column, -1: as filled */
    bool descends;
    const char *filter; /* rows with a cell whose text has this in it, whatever the case; NULL, "": all */
};

/* text as printable ASCII in out, at most bytes with its 0; whatever else becomes '?'. Returns out. */
char *shmtop_ascii(char *out, uint32_t bytes, const char *text);
/* A number with the digits it is worth: 7.5, 1234, 12.3k. Returns out. */
char *shmtop_scaled(char *out, size_t bytes, double value);

void shmtop_table_init(struct shmtop_table *t, const struct shmtop_column *columns, uint32_t columns_n);
void shmtop_table_fini(struct shmtop_table *t);

/* Begins a row. False: memory is short, and the row is not there. Cells not set afterwards are none. */
bool shmtop_table_row(struct shmtop_table *t, uint64_t id, enum shmtop_style style);
/* The next cell of that row. Text is copied, what is no printable ASCII becomes '?'; of a number that is none: nothing to tell. */
void shmtop_cell_text(struct shmtop_table *t, const char *text);
void shmtop_cell_number(struct shmtop_table *t, int64_t number);
void shmtop_cell_count(struct shmtop_table *t, uint64_t count);
void shmtop_cell_real(struct shmtop_table *t, double real);
void shmtop_cell_none(struct shmtop_table *t);

/* Sorts (stable: what is equal stays as filled, in both directions) and filters into order. */
void shmtop_table_arrange(struct shmtop_table *t, const struct shmtop_arrangement *how);
/* The place in order of the next row after `after` (UINT32_MAX: from the first on) that has the text in a cell, going on at the top; UINT32_MAX: none has. */
uint32_t shmtop_table_search(const struct shmtop_table *t, const char *text, uint32_t after);
/* The place in order of the row with that id, UINT32_MAX: it is not shown. */
uint32_t shmtop_table_find(const struct shmtop_table *t, uint64_t id);

/* The cell of a row (not a place in order) as text, without a width to keep. Returns out. */
char *shmtop_table_text(const struct shmtop_table *t, uint32_t row, uint32_t column, char out[SHMTOP_CELL_BYTES]);
/* A line of exactly as many characters as the columns that a page of width has and that fit in it, at most width: the heads, the sorted one marked, or the row at a place in order. line has room for width + 1. */
void shmtop_table_head(const struct shmtop_table *t, int32_t sort, bool descends, uint32_t width, char *line);
void shmtop_table_line(const struct shmtop_table *t, uint32_t place, uint32_t width, char *line);
/* The column that covers the character x of such a line; -1: none. */
int32_t shmtop_table_column_at(const struct shmtop_table *t, uint32_t width, uint32_t x);

/* The rows as shown: an array of objects; lines after one of keys, as RFC 4180 has them, ended by \n. */
json_t *shmtop_table_json(const struct shmtop_table *t);
void shmtop_table_csv(const struct shmtop_table *t, FILE *out);

#endif
