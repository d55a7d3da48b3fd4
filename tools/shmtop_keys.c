/* shmtop_keys.c - rows are remembered by what they are, not where, so a place is looked up for each step. */
#include "tools/shmtop_keys.h"

#include <string.h>

#include "tools/shmtop_map.h"

#define PAGE_ROWS 10

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void row_choose(struct shmtop_view *v, const struct shmtop_scene *scene, uint32_t table, uint32_t place)
{
    const struct shmtop_table *t = &scene->tables[table];
    struct shmtop_pick *pick = shmtop_view_pick(v, table);
    v->table[v->screen] = table;
    if (place < t->shown) {
        pick->has_id = true;
        pick->id = t->ids[t->order[place]];
    }
}

/* One row up (-1) or down (1), into the tables before or behind. */
static void row_step(struct shmtop_view *v, const struct shmtop_scene *scene, int step)
{
    uint32_t table = v->table[v->screen], place = shmtop_scene_place(v, scene, table);
    if (place != UINT32_MAX && (step > 0 ? place + 1 < scene->tables[table].shown : place > 0)) {
        row_choose(v, scene, table, step > 0 ? place + 1 : place - 1);
        return;
    }
    for (uint32_t i = table + (uint32_t)step; i < scene->screen->tables_n; i += (uint32_t)step) /* below 0 it wraps around, and is no table */
        if (scene->tables[i].shown) {
            row_choose(v, scene, i, step > 0 ? 0 : scene->tables[i].shown - 1);
            return;
        }
}

static void row_find(struct shmtop_view *v, const struct shmtop_scene *scene, bool is_next)
{
    const char *text = *v->search ? v->search : v->filter;
    for (uint32_t k = 0; k <= scene->screen->tables_n && *text; k++) {
        uint32_t table = (v->table[v->screen] + k) % scene->screen->tables_n, at = shmtop_scene_place(v, scene, table);
        uint32_t place = shmtop_table_search(&scene->tables[table], text, k || !is_next ? UINT32_MAX : at);
        bool goes_on = !k && is_next && place != UINT32_MAX && place <= at && scene->screen->tables_n > 1; /* around: the other tables first */
        if (place != UINT32_MAX && !goes_on) {
            row_choose(v, scene, table, place);
            v->map.has_focus = false;
            return;
        }
    }
}

/* ---- sorting ---------------------------------------------------------------------------------------------------- */

static void sort_by(struct shmtop_view *v, const struct shmtop_scene *scene, uint32_t table, int32_t column)
{
    struct shmtop_pick *pick = shmtop_view_pick(v, table);
    pick->sort = column;
    if (column >= 0) {
        enum shmtop_kind kind = scene->tables[table].columns[column].kind;
        pick->descends = kind != SHMTOP_TEXT && kind != SHMTOP_NUMBER; /* what is most first */
    }
}

/* The next column that is seen, or the one before; behind the last none. */
static void sort_step(struct shmtop_view *v, const struct shmtop_scene *scene, int step)
{
    uint32_t table = v->table[v->screen];
    const struct shmtop_table *t = &scene->tables[table];
    int32_t n = (int32_t)t->columns_n, column = shmtop_view_pick(v, table)->sort;
    do
        column = column + step > n - 1 ? -1 : column + step < -1 ? n - 1 : column + step;
    while (column >= 0 && t->columns[column].from_width > v->width);
    sort_by(v, scene, table, column);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void time_step(struct shmtop_view *v, const struct shmtop_model *m, int step)
{
    uint32_t index = shmtop_model_at(m, v->at_ns);
    if (index == UINT32_MAX)
        return;
    if (step < 0 && index)
        index--;
    else if (step > 0)
        index++;
    v->at_ns = index < m->history_n ? m->history[index]->taken_ns : 0; /* past the newest: along with it */
}

/* ---- the map ---------------------------------------------------------------------------------------------------- */

static bool map_key(struct shmtop_view *v, const struct shmtop_scene *scene, int key)
{
    int32_t dx = 0, dy = 0, dz = 0;
    struct adit_key at;
    switch (key) {
    case SHMTOP_KEY_LEFT: dx = -1; break;
    case SHMTOP_KEY_RIGHT: dx = 1; break;
    case SHMTOP_KEY_UP: dz = -1; break;
    case SHMTOP_KEY_DOWN: dz = 1; break;
    case SHMTOP_KEY_PAGE_UP: dz = -PAGE_ROWS; break;
    case SHMTOP_KEY_PAGE_DOWN: dz = PAGE_ROWS; break;
    case '+': dy = 1; break;
    case '-': dy = -1; break;
    default: return false;
    }
    if (!scene->look.s || !shmtop_map_place(&scene->look, &at))
        return true;
    at.x += dx;
    at.y += dy;
    at.z += dz;
    if (at.x >= -524288 && at.x < 524288 && at.z >= -524288 && at.z < 524288 && at.y >= -2048 && at.y < 2048) {
        v->map.at = at;
        v->map.is_placed = true;
    }
    return true;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static void screen_go(struct shmtop_view *v, uint32_t screen)
{
    v->screen = screen;
    v->scroll = 0;
    v->mode = SHMTOP_SHOWN;
    *v->filter = 0;
}

static void type_key(struct shmtop_view *v, const struct shmtop_scene *scene, int key)
{
    char *text = v->typing == SHMTOP_TYPES_FILTER ? v->filter : v->search;
    size_t n = strlen(text);
    if (key == SHMTOP_KEY_ENTER || key == SHMTOP_KEY_ESCAPE) {
        if (key == SHMTOP_KEY_ESCAPE)
            *text = 0;
        else if (v->typing == SHMTOP_TYPES_SEARCH)
            row_find(v, scene, false);
        v->typing = SHMTOP_NOT_TYPING;
    } else if (key == SHMTOP_KEY_BACKSPACE) {
        text[n ? n - 1 : 0] = 0;
    } else if (key >= 0x20 && key < 0x7f && n + 1 < SHMTOP_FILTER_BYTES) {
        text[n] = (char)key;
        text[n + 1] = 0;
    }
}

/* Help and detail: what scrolls and what leads back; true: that was all. */
static bool text_key(struct shmtop_view *v, int key)
{
    switch (key) {
    case SHMTOP_KEY_ESCAPE:
    case SHMTOP_KEY_ENTER:
    case SHMTOP_KEY_BACKSPACE:
    case 'h':
    case '?':
        v->mode = SHMTOP_SHOWN;
        v->scroll = 0;
        return true;
    case SHMTOP_KEY_DOWN: v->scroll++; return true;
    case SHMTOP_KEY_UP: v->scroll -= v->scroll > 0; return true;
    case SHMTOP_KEY_PAGE_DOWN: v->scroll += PAGE_ROWS; return true;
    case SHMTOP_KEY_PAGE_UP: v->scroll -= v->scroll < PAGE_ROWS ? v->scroll : PAGE_ROWS; return true;
    default: return false;
    }
}

static void next_table(struct shmtop_view *v, const struct shmtop_scene *scene)
{
    uint32_t *table = &v->table[v->screen];
    if (scene->screen->has_map && v->map.has_focus) {
        v->map.has_focus = false;
        *table = 0;
        return;
    }
    *table = (*table + 1) % scene->screen->tables_n;
    v->map.has_focus = scene->screen->has_map && !*table;
    v->scroll = 0;
}

static void row_key(struct shmtop_view *v, const struct shmtop_scene *scene, int key)
{
    uint32_t table = v->table[v->screen];
    switch (key) {
    case SHMTOP_KEY_UP: row_step(v, scene, -1); break;
    case SHMTOP_KEY_DOWN: row_step(v, scene, 1); break;
    case SHMTOP_KEY_PAGE_UP:
    case SHMTOP_KEY_PAGE_DOWN:
        for (uint32_t i = 0; i < PAGE_ROWS; i++)
            row_step(v, scene, key == SHMTOP_KEY_PAGE_UP ? -1 : 1);
        break;
    case SHMTOP_KEY_HOME: row_choose(v, scene, table, 0); break;
    case SHMTOP_KEY_END: row_choose(v, scene, table, scene->tables[table].shown - 1); break;
    case SHMTOP_KEY_ENTER:
        v->mode = SHMTOP_DETAIL;
        v->scroll = 0;
        row_choose(v, scene, table, shmtop_scene_place(v, scene, table));
        break;
    case SHMTOP_KEY_ESCAPE: *v->filter = 0; break;
    case '>':
    case 's': sort_step(v, scene, 1); break;
    case '<': sort_step(v, scene, -1); break;
    case 'r': shmtop_view_pick(v, table)->descends = !shmtop_view_pick(v, table)->descends; break;
    case 't': next_table(v, scene); break;
    case '/':
        v->typing = SHMTOP_TYPES_FILTER;
        v->mode = SHMTOP_SHOWN;
        break;
    case 'f':
        v->typing = SHMTOP_TYPES_SEARCH;
        *v->search = 0;
        break;
    case 'n': row_find(v, scene, true); break;
    default: break;
    }
}

void shmtop_view_key(struct shmtop_view *v, const struct shmtop_scene *scene, int key)
{
    const struct shmtop_model *m = scene->look.model;
    if (v->typing != SHMTOP_NOT_TYPING) {
        type_key(v, scene, key);
        return;
    }
    if (v->mode != SHMTOP_SHOWN && text_key(v, key))
        return;
    if (key >= '0' && key <= '9') {
        uint32_t screen = key == '0' ? 9 : (uint32_t)(key - '1');
        if (screen < shmtop_screens_n)
            screen_go(v, screen);
        return;
    }
    for (uint32_t i = 0; i < shmtop_screens_n; i++)
        if (shmtop_screens[i]->key && key == shmtop_screens[i]->key) {
            screen_go(v, i);
            v->verifies |= shmtop_screens[i]->verifies && !m->is_image; /* what an image has was found when it was opened */
            return;
        }
    if (scene->screen->has_map && v->map.has_focus && v->mode == SHMTOP_SHOWN && map_key(v, scene, key))
        return;
    switch (key) {
    case 'q':
    case 'Q': v->quits = true; break;
    case SHMTOP_KEY_TAB:
    case SHMTOP_KEY_RIGHT: screen_go(v, (v->screen + 1) % shmtop_screens_n); break;
    case SHMTOP_KEY_BACK_TAB:
    case SHMTOP_KEY_LEFT: screen_go(v, (v->screen + shmtop_screens_n - 1) % shmtop_screens_n); break;
    case 'p':
    case ' ': v->at_ns = v->at_ns || !m->history_n ? 0 : m->history[m->history_n - 1]->taken_ns; break;
    case '[':
    case ',': time_step(v, m, -1); break;
    case ']':
    case '.': time_step(v, m, 1); break;
    case 'h':
    case '?':
        v->mode = SHMTOP_HELP;
        v->scroll = 0;
        break;
    default: row_key(v, scene, key); break;
    }
}

void shmtop_view_click(struct shmtop_view *v, const struct shmtop_scene *scene, const struct shmtop_line *line, uint32_t x)
{
    if (v->mode != SHMTOP_SHOWN || line->table < 0 || (uint32_t)line->table >= scene->screen->tables_n)
        return;
    uint32_t table = (uint32_t)line->table;
    v->map.has_focus = false;
    v->table[v->screen] = table;
    if (line->place >= 0) {
        row_choose(v, scene, table, (uint32_t)line->place);
        return;
    }
    int32_t column = shmtop_table_column_at(&scene->tables[table], v->width, x);
    struct shmtop_pick *pick = shmtop_view_pick(v, table);
    if (column >= 0 && pick->sort == column)
        pick->descends = !pick->descends;
    else if (column >= 0)
        sort_by(v, scene, table, column);
}
