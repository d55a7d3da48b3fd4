/* shmtop_print.c - the same scenes as on the terminal, unsorted and unfiltered. */
#include "tools/shmtop_print.h"

#include <string.h>

#include "tools/arena_json.h"
#include "tools/jsonout.h"
#include "tools/shmtop_view.h"

#define MAP_ROWS 16u

static void page_print(const struct shmtop_page *page, FILE *out)
{
    for (uint32_t i = 0; i < page->count; i++)
        fprintf(out, "%s\n", page->lines[i].text);
}

void shmtop_print_text(const struct shmtop_model *model, uint32_t screen, uint32_t width, FILE *out)
{
    struct shmtop_page page = {.width = width};
    struct shmtop_view view;
    shmtop_view_init(&view);
    view.map.has_focus = false;
    view.map.rows = MAP_ROWS;
    uint32_t first = screen == SHMTOP_ALL_SCREENS ? 0 : screen, last = screen == SHMTOP_ALL_SCREENS ? shmtop_screens_n - 1 : screen;
    for (view.screen = first; view.screen <= last; view.screen++) {
        struct shmtop_scene scene;
        shmtop_scene_make(&view, model, &scene);
        shmtop_view_head(&view, &scene, &page);
        page_print(&page, out);
        shmtop_view_body(&view, &scene, SHMTOP_ALL_ROWS, &page);
        page_print(&page, out);
        shmtop_scene_fini(&scene);
        if (view.screen < last)
            putc('\n', out);
    }
    shmtop_page_fini(&page);
}

static void rates_set(json_t *o, const struct shmtop_rates *r)
{
    adit_jsonout_set_real(o, "published_per_s", r->published);
    adit_jsonout_set_real(o, "edits_per_s", r->edits);
    adit_jsonout_set_real(o, "meshed_per_s", r->meshed);
    adit_jsonout_set_real(o, "reclaimed_per_s", r->reclaimed);
    adit_jsonout_set_real(o, "grace_periods_per_s", r->grace_periods);
}

static json_t *tables_json(const struct shmtop_model *model)
{
    json_t *tables = json_object();
    struct shmtop_view view;
    shmtop_view_init(&view);
    for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
        struct shmtop_scene scene;
        shmtop_scene_make(&view, model, &scene);
        for (uint32_t i = 0; i < scene.screen->tables_n; i++)
            adit_jsonout_set(tables, scene.screen->tables[i].name, shmtop_table_json(&scene.tables[i]));
        shmtop_scene_fini(&scene);
    }
    return tables;
}

json_t *shmtop_print_json(const struct shmtop_model *model)
{
    uint32_t index = shmtop_model_at(model, 0);
    if (index == UINT32_MAX)
        return json_object();
    const struct shmtop_snapshot *s = model->history[index], *before = shmtop_model_before(model, index);
    json_t *o = adit_arena_stats_json(&s->stats), *list = json_array();
    struct shmtop_rates all = shmtop_rates_all(s, before);
    adit_jsonout_set_count(o, "taken_ns", s->taken_wall_ns);
    adit_jsonout_set_text(o, "grade", (const char[]){s->grade, 0});
    adit_jsonout_set_count(o, "alerts", s->alerts_n);
    rates_set(o, &all);
    adit_jsonout_set(o, "segments", adit_arena_segments_json(&s->stats));
    for (uint32_t i = 0; i < s->participants_n; i++) {
        json_t *p = adit_arena_participant_json(&s->participants[i].info);
        struct shmtop_rates r = shmtop_rates(s, before, &s->participants[i].info);
        rates_set(p, &r);
        adit_jsonout_set_count(p, "epochs_behind", shmtop_behind(s, &s->participants[i].info));
        json_array_append_new(list, p);
    }
    adit_jsonout_set(o, "participant_list", list);
    adit_jsonout_set_count(o, "chunks_all", s->chunks_all);
    adit_jsonout_set_count(o, "tasks_all", s->tasks_all);
    adit_jsonout_set(o, "breaches", model->findings.is_made && model->findings.found >= 0 ? json_integer(model->findings.found) : json_null());
    adit_jsonout_set(o, "tables", tables_json(model));
    return o;
}

bool shmtop_print_csv(const struct shmtop_model *model, const char *name, FILE *out)
{
    struct shmtop_view view;
    uint32_t printed = 0;
    shmtop_view_init(&view);
    for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
        const struct shmtop_screen *screen = shmtop_screens[view.screen];
        bool is_screen = !strcmp(screen->name, name), is_table = shmtop_screen_find(name) == UINT32_MAX;
        struct shmtop_scene scene;
        shmtop_scene_make(&view, model, &scene);
        for (uint32_t i = 0; i < screen->tables_n; i++) {
            char both[64];
            snprintf(both, sizeof both, "%s.%s", screen->name, screen->tables[i].name);
            if (!is_screen && !(is_table && (!strcmp(screen->tables[i].name, name) || !strcmp(both, name))))
                continue;
            if (printed++)
                putc('\n', out);
            shmtop_table_csv(&scene.tables[i], out);
        }
        shmtop_scene_fini(&scene);
    }
    return printed;
}
