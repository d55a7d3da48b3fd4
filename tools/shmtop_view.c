/* shmtop_view.c - the body is laid out twice: first nothing of it is kept, to learn where the row looked at lies, then what is seen. */
#include "tools/shmtop_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void shmtop_view_init(struct shmtop_view *v)
{
    *v = (struct shmtop_view){.width = SHMTOP_WIDTH_MIN, .map = {.has_focus = true, .rows = 12}};
    for (uint32_t i = 0; i < SHMTOP_SCREENS_MAX; i++)
        for (uint32_t k = 0; k < SHMTOP_TABLES_MAX; k++)
            v->picks[i][k].sort = -1;
}

struct shmtop_pick *shmtop_view_pick(struct shmtop_view *v, uint32_t table) { return &v->picks[v->screen][table]; }

/* ---- a scene ---------------------------------------------------------------------------------------------------- */

void shmtop_scene_make(const struct shmtop_view *v, const struct shmtop_model *model, struct shmtop_scene *scene)
{
    uint32_t index = shmtop_model_at(model, v->at_ns);
    *scene = (struct shmtop_scene){.screen = shmtop_screens[v->screen]};
    scene->look = (struct shmtop_look){.model = model, .map = &v->map, .before = shmtop_model_before(model, index), .s = index < model->history_n ? model->history[index] : NULL};
    for (uint32_t i = 0; i < scene->screen->tables_n; i++) {
        const struct shmtop_tabled *tabled = &scene->screen->tables[i];
        const struct shmtop_pick *pick = &v->picks[v->screen][i];
        shmtop_table_init(&scene->tables[i], tabled->columns, tabled->columns_n);
        if (scene->look.s)
            tabled->fill(&scene->look, &scene->tables[i]);
        shmtop_table_arrange(&scene->tables[i], &(struct shmtop_arrangement){.sort = pick->sort, .descends = pick->descends, .filter = v->filter});
    }
}

void shmtop_scene_fini(struct shmtop_scene *scene)
{
    for (uint32_t i = 0; i < SHMTOP_TABLES_MAX; i++)
        shmtop_table_fini(&scene->tables[i]);
}

uint32_t shmtop_scene_place(const struct shmtop_view *v, const struct shmtop_scene *scene, uint32_t table)
{
    const struct shmtop_pick *pick = &v->picks[v->screen][table];
    const struct shmtop_table *t = &scene->tables[table];
    uint32_t place = pick->has_id ? shmtop_table_find(t, pick->id) : UINT32_MAX;
    return place != UINT32_MAX ? place : t->shown ? 0 : UINT32_MAX;
}

/* ---- the head --------------------------------------------------------------------------------------------------- */

static char *clock_text(uint64_t wall_ns, char out[12])
{
    time_t t = (time_t)(wall_ns / 1000000000ull);
    struct tm tm;
    if (!localtime_r(&t, &tm) || !strftime(out, 12, "%H:%M:%S", &tm))
        snprintf(out, 12, "?");
    return out;
}

static char *span_text(uint64_t ns, char out[24])
{
    unsigned long long s = ns / 1000000000ull;
    if (s < 86400)
        snprintf(out, 24, "%02llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 24, "%llud %02lluh", s / 86400, s / 3600 % 24);
    return out;
}

static void width_fit(struct shmtop_page *page)
{
    page->width = page->width < SHMTOP_WIDTH_MIN ? SHMTOP_WIDTH_MIN : page->width > SHMTOP_WIDTH_MAX ? SHMTOP_WIDTH_MAX : page->width;
}

static void title_line(const struct shmtop_view *v, const struct shmtop_scene *scene, struct shmtop_page *page)
{
    const struct shmtop_model *m = scene->look.model;
    const struct shmtop_snapshot *s = scene->look.s, *newest = m->history[m->history_n - 1];
    char now[12], span[24], name[64], behind[64] = "", filter[64] = "";
    uint64_t age = s->taken_wall_ns > s->stats.created_ns ? s->taken_wall_ns - s->stats.created_ns : 0;
    if (v->at_ns)
        snprintf(behind, sizeof behind, "  PAUSED %llu.%llu s ago", (unsigned long long)((newest->taken_ns - s->taken_ns) / 1000000000u),
                 (unsigned long long)((newest->taken_ns - s->taken_ns) / 100000000u % 10));
    if (*v->filter)
        snprintf(filter, sizeof filter, "  filter '%s'", v->filter);
    shmtop_ascii(name, sizeof name, m->name);
    if (m->is_image)
        shmtop_page_line(page, SHMTOP_TITLE, "%s  %s  image%s%s", name, scene->screen->name, filter, behind);
    else
        shmtop_page_line(page, SHMTOP_TITLE, "%s  %s  up %s  %s%s%s", name, scene->screen->name, span_text(age, span), clock_text(s->taken_wall_ns, now), behind, filter);
}

void shmtop_view_head(const struct shmtop_view *v, const struct shmtop_scene *scene, struct shmtop_page *page)
{
    const struct shmtop_model *m = scene->look.model;
    char left[12], text[sizeof m->trouble];
    width_fit(page);
    page->from = 0;
    page->rows = SHMTOP_ALL_ROWS;
    shmtop_page_clear(page);
    if (!scene->look.s) {
        shmtop_page_line(page, SHMTOP_WARNING, "%s: %s", shmtop_ascii((char[64]){0}, 64, m->name), *m->trouble ? shmtop_ascii(text, sizeof text, m->trouble) : "no sample yet");
        return;
    }
    title_line(v, scene, page);
    if (m->left_wall_ns && !m->is_image)
        shmtop_page_line(page, SHMTOP_WARNING, "the last producer has left, seen %s; nothing changes any more", clock_text(m->left_wall_ns, left));
    if (*m->notes)
        shmtop_page_line(page, SHMTOP_WARNING, "%s", shmtop_ascii(text, sizeof text, m->notes));
    if (*m->trouble)
        shmtop_page_line(page, SHMTOP_WARNING, "%s", shmtop_ascii(text, sizeof text, m->trouble));
    if (scene->look.s->is_short)
        shmtop_page_line(page, SHMTOP_WARNING, "memory is short: not all that there is is shown");
    shmtop_page_line(page, SHMTOP_PLAIN, "%s", "");
}

/* ---- the body --------------------------------------------------------------------------------------------------- */

/* Where, counted in lines of the body, the row looked at and the head of its table came to lie. */
struct found {
    uint32_t row, head;
    bool has_row;
};

static void table_layout(const struct shmtop_view *v, const struct shmtop_scene *scene, uint32_t i, struct shmtop_page *page, struct found *found)
{
    const struct shmtop_table *t = &scene->tables[i];
    const struct shmtop_pick *pick = &v->picks[v->screen][i];
    bool has_focus = v->table[v->screen] == i && !(scene->screen->has_map && v->map.has_focus);
    uint32_t chosen = has_focus ? shmtop_scene_place(v, scene, i) : UINT32_MAX;
    char text[SHMTOP_WIDTH_MAX + 1];
    if (page->total)
        shmtop_page_line(page, SHMTOP_PLAIN, "%s", "");
    if (scene->screen->tables_n > 1)
        shmtop_page_line(page, SHMTOP_TITLE, "%s", scene->screen->tables[i].title);
    if (has_focus)
        found->head = page->total;
    shmtop_table_head(t, pick->sort, pick->descends, page->width, text);
    struct shmtop_line *line = shmtop_page_line(page, SHMTOP_HEAD, "%s", text);
    if (line)
        line->table = (int32_t)i;
    if (!t->shown)
        shmtop_page_line(page, SHMTOP_QUIET, t->rows ? "(none that the filter lets through)" : "(none)");
    for (uint32_t place = 0; place < t->shown; place++) {
        if (place == chosen) {
            found->row = page->total;
            found->has_row = true;
        }
        if (!shmtop_page_wants(page)) {
            page->total++;
            continue;
        }
        shmtop_table_line(t, place, page->width, text);
        line = shmtop_page_line(page, place == chosen && page->rows != SHMTOP_ALL_ROWS ? SHMTOP_CHOSEN : t->styles[t->order[place]], "%s", text);
        if (line) {
            line->table = (int32_t)i;
            line->place = (int32_t)place;
        }
    }
    if (t->is_short)
        shmtop_page_line(page, SHMTOP_WARNING, "memory is short: rows are missing");
}

/* text in lines that begin with indent spaces, broken between words. */
static void text_wrap(struct shmtop_page *page, uint32_t indent, const char *text)
{
    uint32_t room = page->width > indent + 10 ? page->width - indent : 10;
    for (size_t n = strlen(text), take; n; text += take, n -= take) {
        while (*text == ' ') {
            text++;
            n--;
        }
        take = n;
        if (take > room) {
            for (take = room; take && text[take] != ' '; take--)
                ;
            take = take ? take : room;
        }
        if (take)
            shmtop_page_line(page, SHMTOP_PLAIN, "%*s%.*s", (int)indent, "", (int)take, text);
        else
            break;
    }
}

static void detail_layout(const struct shmtop_view *v, const struct shmtop_scene *scene, struct shmtop_page *page)
{
    uint32_t table = v->table[v->screen], place = shmtop_scene_place(v, scene, table);
    const struct shmtop_table *t = &scene->tables[table];
    char value[SHMTOP_CELL_BYTES];
    if (place == UINT32_MAX) {
        shmtop_page_line(page, SHMTOP_QUIET, "(it is not there any more)");
        return;
    }
    shmtop_page_line(page, SHMTOP_TITLE, "%s", scene->screen->tables[table].title);
    for (uint32_t i = 0; i < t->columns_n; i++) {
        const struct shmtop_column *c = &t->columns[i];
        shmtop_table_text(t, t->order[place], i, value);
        if (strlen(c->text) + 38 <= page->width && strlen(value) <= 24)
            shmtop_page_line(page, SHMTOP_PLAIN, "%-11s %-24s  %s", c->head, value, c->text);
        else {
            shmtop_page_line(page, SHMTOP_PLAIN, "%-11s %s", c->head, value);
            text_wrap(page, 12, c->text);
        }
    }
}

static void help_layout(const struct shmtop_scene *scene, struct shmtop_page *page)
{
    static const char *const keys[][2] = {{"1 .. 9, e, a, g, i, v, Tab", "the screens: e events, a alerts, g frames, i tiers, v what the verifier finds (of a live arena: at each v)"},
                                          {"arrows, Page Up, Page Down, Home, End", "the row looked at; on the map, where it looks"},
                                          {"Enter, Esc", "all about that row, and back"},
                                          {"t", "the next table; on chunks the map, too, where + and - change the layer"},
                                          {"< > s, r", "sort by another column; the other way round"},
                                          {"/, f, n", "filter by a text; find a text, the next one"},
                                          {"[ ] or , .", "back and forth in time"},
                                          {"p", "stay at this moment, or go on"},
                                          {"h, q", "this; end"}};
    shmtop_page_line(page, SHMTOP_TITLE, "Keys");
    for (uint32_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (41 + strlen(keys[i][1]) <= page->width) {
            shmtop_page_line(page, SHMTOP_PLAIN, "  %-38s %s", keys[i][0], keys[i][1]);
        } else {
            shmtop_page_line(page, SHMTOP_PLAIN, "  %s", keys[i][0]);
            text_wrap(page, 6, keys[i][1]);
        }
    shmtop_page_line(page, SHMTOP_PLAIN, "%s", "");
    shmtop_page_line(page, SHMTOP_TITLE, "%s", scene->screen->name);
    text_wrap(page, 2, scene->screen->text);
    for (uint32_t i = 0; i < scene->screen->tables_n; i++) {
        shmtop_page_line(page, SHMTOP_PLAIN, "%s", "");
        shmtop_page_line(page, SHMTOP_TITLE, "%s", scene->screen->tables[i].title);
        for (uint32_t k = 0; k < scene->screen->tables[i].columns_n; k++) {
            shmtop_page_line(page, SHMTOP_PLAIN, "  %s", scene->screen->tables[i].columns[k].head);
            text_wrap(page, 6, scene->screen->tables[i].columns[k].text);
        }
    }
}

static void body_layout(const struct shmtop_view *v, const struct shmtop_scene *scene, struct shmtop_page *page, struct found *found)
{
    shmtop_page_clear(page);
    *found = (struct found){0};
    if (!scene->look.s)
        return;
    if (v->mode == SHMTOP_HELP)
        help_layout(scene, page);
    else if (v->mode == SHMTOP_DETAIL)
        detail_layout(v, scene, page);
    else {
        if (scene->screen->lines)
            scene->screen->lines(&scene->look, page);
        for (uint32_t i = 0; i < scene->screen->tables_n; i++)
            table_layout(v, scene, i, page, found);
    }
}

/* The first line to be seen of total, so that the row looked at is among rows, below the head of its table. */
static uint32_t scroll_fit(uint32_t scroll, const struct found *found, uint32_t rows, uint32_t total)
{
    if (found->has_row) {
        if (found->row >= rows && found->row - rows + 1 > scroll)
            scroll = found->row - rows + 1;
        if (found->row < scroll + 2)
            scroll = found->row > 2 ? found->row - 2 : 0;
        if (found->row == found->head + 1 && found->row < rows && found->head < 4)
            scroll = 0; /* the first row: what stands above it, too */
    }
    uint32_t most = total > rows ? total - rows : 0;
    return scroll < most ? scroll : most;
}

void shmtop_view_body(struct shmtop_view *v, const struct shmtop_scene *scene, uint32_t rows, struct shmtop_page *page)
{
    struct found found;
    width_fit(page);
    v->width = page->width;
    page->from = 0;
    page->rows = rows;
    if (rows == SHMTOP_ALL_ROWS) {
        body_layout(v, scene, page, &found);
        return;
    }
    page->rows = 0;
    body_layout(v, scene, page, &found);
    v->scroll = scroll_fit(v->scroll, &found, rows, page->total);
    page->from = v->scroll;
    page->rows = rows;
    body_layout(v, scene, page, &found);
    if (found.has_row && found.head < page->from && found.row > page->from && page->count) { /* the head stays in sight */
        const uint32_t table = v->table[v->screen];
        const struct shmtop_pick *pick = &v->picks[v->screen][table];
        char text[SHMTOP_WIDTH_MAX + 1];
        shmtop_table_head(&scene->tables[table], pick->sort, pick->descends, page->width, text);
        char *copy = strdup(text);
        if (copy) {
            free(page->lines[0].text);
            free(page->lines[0].paint);
            page->lines[0] = (struct shmtop_line){.style = SHMTOP_HEAD, .table = (int32_t)table, .place = SHMTOP_HEAD_PLACE, .text = copy};
        }
    }
}

char *shmtop_view_foot(const struct shmtop_view *v, char *out, uint32_t bytes)
{
    if (v->typing == SHMTOP_TYPES_FILTER)
        snprintf(out, bytes, "filter: %s_   Enter ends, Esc takes it away", v->filter);
    else if (v->typing == SHMTOP_TYPES_SEARCH)
        snprintf(out, bytes, "find: %s_   Enter ends, n finds the next", v->search);
    else if (v->mode != SHMTOP_SHOWN)
        snprintf(out, bytes, "Esc back  up/down scroll  q quit");
    else
        snprintf(out, bytes, "1-%u screens  / filter  s sort  Enter detail  %s  [ ] time  h help  q quit", shmtop_screens_n < 9 ? shmtop_screens_n : 9, v->at_ns ? "p go on" : "p pause");
    return out;
}
