/* shmtop_page.h - lines of text as a screen lays them out; only those in a window are kept, so that a table of 65,536 rows costs what is seen of it.
 *
 *     struct shmtop_page p = {.width = 80, .from = 100, .rows = 20};       SHMTOP_ALL_ROWS: all
 *     shmtop_page_line(&p, SHMTOP_PLAIN, "%u keys", n);                     total counts each
 *     ... p.lines[0 .. count), the first of which is number from
 *     shmtop_page_fini(&p);
 */
#ifndef ADIT_SHMTOP_PAGE_H
#define ADIT_SHMTOP_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/shmtop_table.h"

#define SHMTOP_ALL_ROWS UINT32_MAX

/* What a line shows, for whoever clicks on it. */
#define SHMTOP_NO_TABLE (-1)
#define SHMTOP_HEAD_PLACE (-1)

struct shmtop_line {
    enum shmtop_style style;
    int32_t table; /* of the screen, SHMTOP_NO_TABLE */
    int32_t place; /* the row's in the table's order, or SHMTOP_HEAD_PLACE */
    char *text;    /* at most width characters: printable ASCII, and half-blocks in UTF-8 where there is paint */
    uint8_t *paint; /* a colour a character: the upper half in the low 4 bits, the lower in the high ones (enum shmtop_paint); NULL: none */
};

/* Of the 8 colours that every terminal with colours has. */
enum shmtop_paint { SHMTOP_BLACK, SHMTOP_RED, SHMTOP_GREEN, SHMTOP_YELLOW, SHMTOP_BLUE, SHMTOP_MAGENTA, SHMTOP_CYAN, SHMTOP_WHITE };

struct shmtop_page {
    uint32_t width, from, rows; /* set before */
    uint32_t total, count;
    bool is_short; /* of memory: lines are missing */
    struct shmtop_line *lines;
    uint32_t lines_max;
};

/* Whether the next line is in the window: else its text need not be made. */
bool shmtop_page_wants(const struct shmtop_page *page);
/* The next line, cut at the width; control characters are not looked for. NULL: it is not in the window, or memory is short. */
__attribute__((format(printf, 3, 4))) struct shmtop_line *shmtop_page_line(struct shmtop_page *page, enum shmtop_style style, const char *format, ...);
/* The next line as it is: text of n characters in any number of bytes, at most width; paint (n of them) may be NULL. */
struct shmtop_line *shmtop_page_picture(struct shmtop_page *page, const char *text, const uint8_t *paint, uint32_t n);
/* Empties it, to be laid out anew; frees it. */
void shmtop_page_clear(struct shmtop_page *page);
void shmtop_page_fini(struct shmtop_page *page);

#endif
