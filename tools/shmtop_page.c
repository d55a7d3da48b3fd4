/* shmtop_page.c - texts are as long as they are, one allocation each: a window has few. */
#include "tools/shmtop_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool shmtop_page_wants(const struct shmtop_page *p)
{
    return p->total >= p->from && (p->rows == SHMTOP_ALL_ROWS || p->total - p->from < p->rows);
}

/* Takes text and paint. */
static struct shmtop_line *line_keep(struct shmtop_page *p, enum shmtop_style style, char *text, uint8_t *paint)
{
    if (p->count == p->lines_max) {
        uint32_t more = p->lines_max ? p->lines_max * 2 : 64;
        struct shmtop_line *lines = reallocarray(p->lines, more, sizeof *lines);
        if (lines) {
            p->lines = lines;
            p->lines_max = more;
        }
    }
    p->total++;
    if (!text || p->count == p->lines_max) {
        p->is_short = true;
        free(text);
        free(paint);
        return NULL;
    }
    struct shmtop_line *line = &p->lines[p->count++];
    *line = (struct shmtop_line){.style = style, .table = SHMTOP_NO_TABLE, .place = SHMTOP_HEAD_PLACE, .text = text, .paint = paint};
    return line;
}

struct shmtop_line *shmtop_page_line(struct shmtop_page *p, enum shmtop_style style, const char *format, ...)
{
    char text[SHMTOP_WIDTH_MAX + 1];
    if (!shmtop_page_wants(p)) {
        p->total++;
        return NULL;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, p->width < SHMTOP_WIDTH_MAX ? p->width + 1 : sizeof text, format, arguments);
    va_end(arguments);
    return line_keep(p, style, strdup(text), NULL);
}

struct shmtop_line *shmtop_page_picture(struct shmtop_page *p, const char *text, const uint8_t *paint, uint32_t n)
{
    if (!shmtop_page_wants(p)) {
        p->total++;
        return NULL;
    }
    uint8_t *kept = paint ? malloc(n ? n : 1) : NULL;
    if (kept)
        memcpy(kept, paint, n);
    return line_keep(p, SHMTOP_PLAIN, strdup(text), kept);
}

void shmtop_page_clear(struct shmtop_page *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        free(p->lines[i].text);
        free(p->lines[i].paint);
    }
    p->count = p->total = 0;
}

void shmtop_page_fini(struct shmtop_page *p)
{
    shmtop_page_clear(p);
    free(p->lines);
    p->lines = NULL;
    p->lines_max = 0;
}
