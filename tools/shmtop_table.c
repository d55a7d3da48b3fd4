/* shmtop_table.c - cells are kept row by row; texts in blocks that never move, so that cells may point into them. */
#include "tools/shmtop_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/jsonout.h"
#include "tools/say.h"

#define TEXT_BLOCK_BYTES 16384u

struct shmtop_text {
    struct shmtop_text *before;
    uint32_t used;
    char bytes[TEXT_BLOCK_BYTES];
};

void shmtop_table_init(struct shmtop_table *t, const struct shmtop_column *columns, uint32_t columns_n)
{
    *t = (struct shmtop_table){.columns = columns, .columns_n = columns_n < SHMTOP_COLUMNS_MAX ? columns_n : SHMTOP_COLUMNS_MAX};
}

void shmtop_table_fini(struct shmtop_table *t)
{
    while (t->texts) {
        struct shmtop_text *before = t->texts->before;
        free(t->texts);
        t->texts = before;
    }
    free(t->cells);
    free(t->ids);
    free(t->styles);
    free(t->order);
    *t = (struct shmtop_table){0};
}

/* ---- filling ---------------------------------------------------------------------------------------------------- */

/* *of with room for n of bytes each; false: it is as before. */
static bool room(void *of, size_t n, size_t bytes)
{
    void *was, *more;
    memcpy(&was, of, sizeof was);
    more = reallocarray(was, n, bytes);
    if (more)
        memcpy(of, &more, sizeof more);
    return more;
}

bool shmtop_table_row(struct shmtop_table *t, uint64_t id, enum shmtop_style style)
{
    if (t->rows == t->rows_max) {
        uint32_t more = t->rows_max ? t->rows_max * 2 : 16;
        if (more > 1u << 24 || !room(&t->cells, (size_t)more * t->columns_n, sizeof *t->cells) || !room(&t->ids, more, sizeof *t->ids) ||
            !room(&t->styles, more, sizeof *t->styles) || !room(&t->order, more, sizeof *t->order)) {
            t->is_short = true;
            t->filled = t->columns_n; /* what follows is for no row */
            return false;
        }
        t->rows_max = more;
    }
    struct shmtop_cell *cells = &t->cells[(size_t)t->rows * t->columns_n];
    for (uint32_t i = 0; i < t->columns_n; i++)
        cells[i] = (struct shmtop_cell){.is_none = true};
    t->ids[t->rows] = id;
    t->styles[t->rows] = (uint8_t)style;
    t->order[t->rows] = t->rows;
    t->shown = ++t->rows;
    t->filled = 0;
    return true;
}

static struct shmtop_cell *cell_next(struct shmtop_table *t)
{
    static struct shmtop_cell nowhere;
    if (!t->rows || t->filled >= t->columns_n)
        return &nowhere;
    struct shmtop_cell *c = &t->cells[(size_t)(t->rows - 1) * t->columns_n + t->filled++];
    c->is_none = false;
    return c;
}

char *shmtop_ascii(char *out, uint32_t bytes, const char *text)
{
    uint32_t n = (uint32_t)strnlen(text, bytes - 1);
    for (uint32_t i = 0; i < n; i++)
        out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    out[n] = 0;
    return out;
}

/* Columns are counted in characters, so text from shared memory becomes ASCII, and none that steers a terminal. */
static const char *text_keep(struct shmtop_table *t, const char *text)
{
    uint32_t n = (uint32_t)strnlen(text, SHMTOP_CELL_BYTES - 1);
    if (!t->texts || t->texts->used + n + 1 > TEXT_BLOCK_BYTES) {
        struct shmtop_text *block = malloc(sizeof *block);
        if (!block) {
            t->is_short = true;
            return "";
        }
        block->before = t->texts;
        block->used = 0;
        t->texts = block;
    }
    char *kept = t->texts->bytes + t->texts->used;
    t->texts->used += n + 1;
    return shmtop_ascii(kept, n + 1, text);
}

void shmtop_cell_text(struct shmtop_table *t, const char *text) { cell_next(t)->text = text_keep(t, text); }
void shmtop_cell_number(struct shmtop_table *t, int64_t number) { cell_next(t)->number = number; }
void shmtop_cell_count(struct shmtop_table *t, uint64_t count) { cell_next(t)->count = count; }
void shmtop_cell_none(struct shmtop_table *t) { cell_next(t)->is_none = true; }

void shmtop_cell_real(struct shmtop_table *t, double real)
{
    struct shmtop_cell *c = cell_next(t);
    c->real = isfinite(real) ? real : 0;
    c->is_none = !isfinite(real);
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static const struct shmtop_cell *cell_at(const struct shmtop_table *t, uint32_t row, uint32_t column)
{
    return &t->cells[(size_t)row * t->columns_n + column];
}

char *shmtop_scaled(char *out, size_t bytes, double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t u = 0;
    for (; value >= (u ? 999.95 : 1e4) && u + 1 < sizeof units / sizeof *units; u++)
        value /= 1e3;
    snprintf(out, bytes, u || (value > 0 && value < 10) ? "%.1f%s" : "%.0f%s", value, units[u]);
    return out;
}

/* width 0: none to keep. */
static void cell_format(const struct shmtop_column *column, const struct shmtop_cell *c, uint32_t width, char *out, size_t bytes)
{
    if (c->is_none) {
        snprintf(out, bytes, "-");
        return;
    }
    switch (column->kind) {
    case SHMTOP_TEXT: snprintf(out, bytes, "%s", c->text); break;
    case SHMTOP_NUMBER: snprintf(out, bytes, "%" PRId64, c->number); break;
    case SHMTOP_COUNT:
        adit_say_count(out, bytes, c->count);
        if (width && strlen(out) > width)
            shmtop_scaled(out, bytes, (double)c->count);
        break;
    case SHMTOP_BYTES: adit_say_bytes(out, bytes, c->count); break;
    case SHMTOP_RATE: shmtop_scaled(out, bytes, c->real); break;
    case SHMTOP_DURATION:
        if (c->count >= 120000000000u)
            snprintf(out, bytes, "%" PRIu64 "m%02" PRIu64 "s", c->count / 60000000000u, c->count / 1000000000u % 60);
        else
            adit_say_duration(out, bytes, (double)c->count);
        break;
    case SHMTOP_PERCENT: snprintf(out, bytes, "%.1f", c->real); break;
    }
}

char *shmtop_table_text(const struct shmtop_table *t, uint32_t row, uint32_t column, char out[SHMTOP_CELL_BYTES])
{
    cell_format(&t->columns[column], cell_at(t, row, column), 0, out, SHMTOP_CELL_BYTES);
    return out;
}

/* Whether a line that is `at` characters long so far goes on with that column. */
static bool column_is_seen(const struct shmtop_column *c, uint32_t width, uint32_t at) { return c->from_width <= width && at + (at ? 1u : 0u) + c->width <= width; }

/* Appends text in a column of the line. */
static uint32_t column_add(const struct shmtop_column *c, const char *text, uint32_t width, uint32_t at, char *line)
{
    char cell[SHMTOP_WIDTH_MAX + 1];
    int w = c->width;
    snprintf(cell, sizeof cell, c->kind == SHMTOP_TEXT ? "%s%-*.*s" : "%s%*.*s", at ? " " : "", w, w, text);
    for (const char *s = cell; *s && at < width; s++)
        line[at++] = *s;
    line[at] = 0;
    return at;
}

void shmtop_table_head(const struct shmtop_table *t, int32_t sort, bool descends, uint32_t width, char *line)
{
    uint32_t at = 0;
    line[0] = 0;
    for (uint32_t i = 0; i < t->columns_n; i++) {
        const struct shmtop_column *c = &t->columns[i];
        char head[32];
        size_t n = (size_t)snprintf(head, sizeof head, "%s", c->head), keep = c->width && n >= c->width ? c->width - 1u : n;
        if (sort == (int32_t)i && keep + 1 < sizeof head)
            snprintf(head + keep, sizeof head - keep, "%c", descends ? 'v' : '^');
        if (column_is_seen(c, width, at))
            at = column_add(c, head, width, at, line);
    }
}

void shmtop_table_line(const struct shmtop_table *t, uint32_t place, uint32_t width, char *line)
{
    uint32_t at = 0;
    line[0] = 0;
    for (uint32_t i = 0; i < t->columns_n && place < t->shown; i++) {
        const struct shmtop_column *c = &t->columns[i];
        char text[SHMTOP_CELL_BYTES];
        if (!column_is_seen(c, width, at))
            continue;
        cell_format(c, cell_at(t, t->order[place], i), c->width, text, sizeof text);
        if (strlen(text) > c->width && c->kind != SHMTOP_TEXT) { /* a number that is cut would be another one */
            memset(text, '#', c->width);
            text[c->width] = 0;
        }
        at = column_add(c, text, width, at, line);
    }
}

int32_t shmtop_table_column_at(const struct shmtop_table *t, uint32_t width, uint32_t x)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->columns_n; i++) {
        if (!column_is_seen(&t->columns[i], width, at))
            continue;
        at += at ? 1 : 0;
        if (x < at + t->columns[i].width)
            return (int32_t)i;
        at += t->columns[i].width;
    }
    return -1;
}

/* ---- arranging -------------------------------------------------------------------------------------------------- */

struct sorting {
    const struct shmtop_table *table;
    uint32_t column;
    bool descends;
};

static int cells_compare(enum shmtop_kind kind, const struct shmtop_cell *a, const struct shmtop_cell *b)
{
    switch (kind) {
    case SHMTOP_TEXT: return strcmp(a->text, b->text);
    case SHMTOP_NUMBER: return (a->number > b->number) - (a->number < b->number);
    case SHMTOP_RATE:
    case SHMTOP_PERCENT: return (a->real > b->real) - (a->real < b->real);
    default: return (a->count > b->count) - (a->count < b->count);
    }
}

static int rows_compare(const void *left, const void *right, void *user)
{
    const struct sorting *s = user;
    uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
    const struct shmtop_cell *a = cell_at(s->table, l, s->column), *b = cell_at(s->table, r, s->column);
    int c = a->is_none || b->is_none ? a->is_none - b->is_none : cells_compare(s->table->columns[s->column].kind, a, b) * (s->descends ? -1 : 1);
    return c ? c : (l > r) - (l < r); /* stable, whatever the C library sorts by */
}

static bool row_has(const struct shmtop_table *t, uint32_t row, const char *text)
{
    char cell[SHMTOP_CELL_BYTES];
    for (uint32_t i = 0; i < t->columns_n; i++)
        if (strcasestr(shmtop_table_text(t, row, i, cell), text))
            return true;
    return false;
}

void shmtop_table_arrange(struct shmtop_table *t, const struct shmtop_arrangement *how)
{
    struct sorting s = {t, (uint32_t)how->sort, how->descends};
    t->shown = 0;
    for (uint32_t row = 0; row < t->rows; row++)
        if (!how->filter || !*how->filter || row_has(t, row, how->filter))
            t->order[t->shown++] = row;
    if (how->sort >= 0 && s.column < t->columns_n && t->shown)
        qsort_r(t->order, t->shown, sizeof *t->order, rows_compare, &s);
}

uint32_t shmtop_table_search(const struct shmtop_table *t, const char *text, uint32_t after)
{
    for (uint32_t i = 1; *text && i <= t->shown; i++) {
        uint32_t place = (uint32_t)(((uint64_t)after + i) % t->shown);
        if (after == UINT32_MAX)
            place = i - 1;
        if (row_has(t, t->order[place], text))
            return place;
    }
    return UINT32_MAX;
}

uint32_t shmtop_table_find(const struct shmtop_table *t, uint64_t id)
{
    for (uint32_t i = 0; i < t->shown; i++)
        if (t->ids[t->order[i]] == id)
            return i;
    return UINT32_MAX;
}

/* ---- for programs ----------------------------------------------------------------------------------------------- */

static json_t *cell_json(enum shmtop_kind kind, const struct shmtop_cell *c)
{
    if (c->is_none)
        return json_null();
    switch (kind) {
    case SHMTOP_TEXT: return adit_jsonout_text(c->text);
    case SHMTOP_NUMBER: return json_integer(c->number);
    case SHMTOP_RATE:
    case SHMTOP_PERCENT: return json_real(c->real);
    default: return json_integer(c->count < INT64_MAX ? (json_int_t)c->count : INT64_MAX);
    }
}

json_t *shmtop_table_json(const struct shmtop_table *t)
{
    json_t *list = json_array();
    for (uint32_t place = 0; place < t->shown; place++) {
        json_t *o = json_object();
        for (uint32_t i = 0; i < t->columns_n; i++)
            adit_jsonout_set(o, t->columns[i].key, cell_json(t->columns[i].kind, cell_at(t, t->order[place], i)));
        json_array_append_new(list, o);
    }
    return list;
}

static void text_csv(const char *text, FILE *out)
{
    const char *mark = *text && text[1] && strchr("=+-@\t", *text) ? "'" : ""; /* spreadsheets would compute it, and labels are whatever a process calls itself */
    if (!strpbrk(text, ",\"\r\n")) {
        fprintf(out, "%s%s", mark, text);
        return;
    }
    fprintf(out, "\"%s", mark);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

void shmtop_table_csv(const struct shmtop_table *t, FILE *out)
{
    for (uint32_t i = 0; i < t->columns_n; i++)
        fprintf(out, "%s%s", i ? "," : "", t->columns[i].key);
    putc('\n', out);
    for (uint32_t place = 0; place < t->shown; place++) {
        for (uint32_t i = 0; i < t->columns_n; i++) {
            const struct shmtop_cell *c = cell_at(t, t->order[place], i);
            enum shmtop_kind kind = t->columns[i].kind;
            if (i)
                putc(',', out);
            if (c->is_none)
                continue;
            if (kind == SHMTOP_TEXT)
                text_csv(c->text, out);
            else if (kind == SHMTOP_NUMBER)
                fprintf(out, "%" PRId64, c->number);
            else if (kind == SHMTOP_RATE || kind == SHMTOP_PERCENT)
                fprintf(out, "%.6g", c->real);
            else
                fprintf(out, "%" PRIu64, c->count < INT64_MAX ? c->count : INT64_MAX);
        }
        putc('\n', out);
    }
}
