/* test_shmtop_view.c - what shmtop looks at: layouts, keys, history, the map, and that screen and JSON say the same; all without a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/shmtop_scenes.h"
#include "tools/shmtop_keys.h"
#include "tools/shmtop_map.h"
#include "tools/shmtop_print.h"

static struct shmtop_view view;

static int reset(void **state)
{
    (void)state;
    scene_reset();
    shmtop_view_init(&view);
    return 0;
}

static void key(int k)
{
    struct shmtop_scene scene;
    shmtop_scene_make(&view, &scene_model, &scene);
    shmtop_view_key(&view, &scene, k);
    shmtop_scene_fini(&scene);
}

static void keys(const char *text)
{
    for (; *text; text++)
        key(*text);
}

static void full(uint64_t second)
{
    struct shmtop_snapshot *s = scene_begin(second, 40);
    scene_fill(s);
    shmtop_model_add(&scene_model, s);
}

static const struct shmtop_line *chosen(const struct shmtop_page *page)
{
    const struct shmtop_line *found = NULL;
    for (uint32_t i = 0; i < page->count; i++)
        if (page->lines[i].style == SHMTOP_CHOSEN) {
            assert_null(found);
            found = &page->lines[i];
        }
    return found;
}

/* (tried: in shmtop_page.c a line not cut at the width.) */
static void no_line_is_wider_than_the_page_whatever_is_in_the_arena(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, scene_begin(1, 40));
    struct shmtop_snapshot *s = scene_begin(2, 40);
    scene_blow(s);
    shmtop_model_add(&scene_model, s);
    for (uint32_t width = 1; width <= 300; width++)
        for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++)
            for (view.mode = SHMTOP_SHOWN; view.mode <= SHMTOP_HELP; view.mode++) {
                const struct shmtop_page *p = scene_page(&view, width, width % 2 ? 20 : SHMTOP_ALL_ROWS);
                uint32_t wide = width < SHMTOP_WIDTH_MIN ? SHMTOP_WIDTH_MIN : width > SHMTOP_WIDTH_MAX ? SHMTOP_WIDTH_MAX : width;
                assert_true(p->count >= 3);
                for (uint32_t i = 0; i < p->count; i++) {
                    assert_true(strlen(p->lines[i].text) <= wide);
                    for (const char *c = p->lines[i].text; *c; c++)
                        assert_in_range(*c, 0x20, 0x7e);
                }
            }
}

/* (tried: lines of keys cut where they are longer than the page) */
static void help_is_whole_at_any_width(void **state)
{
    (void)state;
    full(1);
    view.screen = 0;
    view.mode = SHMTOP_HELP;
    for (uint32_t width = 50; width <= 200; width += 30) {
        const struct shmtop_page *p = scene_page(&view, width, SHMTOP_ALL_ROWS);
        char all[65536] = "";
        for (uint32_t i = 0; i < p->count; i++) {
            const char *text = p->lines[i].text + strspn(p->lines[i].text, " ");
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", text);
        }
        assert_non_null(strstr(all, "v what the verifier finds (of a live arena: at each v)"));
        assert_non_null(strstr(all, "where + and - change the layer"));
    }
    view.mode = SHMTOP_SHOWN;
}

static void every_screen_at_80_and_200_has_its_tables(void **state)
{
    (void)state;
    full(1);
    for (uint32_t width = 80; width <= 200; width += 120)
        for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
            const struct shmtop_page *p = scene_page(&view, width, width == 80 ? 20 : 46);
            char title[64];
            snprintf(title, sizeof title, "cave  %s  up 00:00:01", shmtop_screens[view.screen]->name);
            assert_true(scene_page_has(p, title));
            assert_true(scene_page_has(p, shmtop_screens[view.screen]->tables[0].columns[0].head));
            assert_true(p->count <= (width == 80 ? 20u : 46u) + 2);
        }
}

/* A row is remembered by what it is. (tried: remembered by its place.) */
static void the_row_looked_at_stays_the_same_while_rows_come_and_go(void **state)
{
    (void)state;
    shmtop_model_add(&scene_model, scene_begin(1, 40));
    view.screen = shmtop_screen_find("participants");
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, "feeder 0"));
    for (int i = 0; i < 30; i++)
        key(SHMTOP_KEY_DOWN);
    const struct shmtop_page *p = scene_page(&view, 80, 20);
    assert_non_null(strstr(chosen(p)->text, "feeder 30"));
    assert_int_equal(p->count, 22);
    assert_true(scene_page_has(p, "PID")); /* the head stays in sight */
    struct shmtop_snapshot *s = scene_begin(2, 40);
    memmove(s->participants, s->participants + 20, 20 * sizeof *s->participants);
    s->participants_n = 20;
    shmtop_model_add(&scene_model, s);
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, "feeder 30"));
    key(SHMTOP_KEY_END);
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, "feeder 39"));
    key(SHMTOP_KEY_HOME);
    key(SHMTOP_KEY_PAGE_DOWN);
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, "feeder 30"));
    keys("r"); /* no column is sorted by: nothing moves */
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, "feeder 30"));
}

static void keys_sort_filter_find_and_show_detail(void **state)
{
    (void)state;
    full(1);
    view.screen = shmtop_screen_find("participants");
    (void)scene_page(&view, 80, 40);
    keys(">>"); /* SLOT, PID: numbers begin with the least */
    assert_true(scene_page_has(scene_page(&view, 80, 40), "PID^"));
    keys("r");
    const struct shmtop_page *p = scene_page(&view, 80, 40);
    assert_true(scene_page_has(p, "PIDv"));
    key(SHMTOP_KEY_HOME);
    assert_non_null(strstr(chosen(scene_page(&view, 80, 40))->text, "feeder 39"));
    keys("/Feeder 1");
    char foot[SHMTOP_WIDTH_MAX];
    assert_non_null(strstr(shmtop_view_foot(&view, foot, sizeof foot), "filter: Feeder 1_"));
    key(SHMTOP_KEY_ENTER);
    p = scene_page(&view, 80, 40);
    assert_true(scene_page_has(p, "feeder 1 ") && scene_page_has(p, "feeder 19") && !scene_page_has(p, "feeder 2") && scene_page_has(p, "filter 'Feeder 1'"));
    keys("f15");
    key(SHMTOP_KEY_ENTER);
    assert_non_null(strstr(chosen(scene_page(&view, 80, 40))->text, "feeder 15"));
    key(SHMTOP_KEY_ENTER);
    p = scene_page(&view, 80, 60);
    assert_true(scene_page_has(p, "LABEL") && scene_page_has(p, "feeder 15") && scene_page_has(p, "What it calls itself.") && scene_page_has(p, "PINNED"));
    key(SHMTOP_KEY_ESCAPE); /* out of the detail */
    assert_true(scene_page_has(scene_page(&view, 80, 40), "filter 'Feeder 1'"));
    key(SHMTOP_KEY_ESCAPE); /* then the filter */
    assert_true(scene_page_has(scene_page(&view, 80, 60), "feeder 2 "));
    keys("h");
    p = scene_page(&view, 80, 90);
    assert_true(scene_page_has(p, "Keys") && scene_page_has(p, "Blocks that its pins keep."));
    key(SHMTOP_KEY_ESCAPE);
    keys("/xyz");
    key(SHMTOP_KEY_BACKSPACE);
    assert_string_equal(view.filter, "xy");
    key(SHMTOP_KEY_ESCAPE);
    assert_string_equal(view.filter, "");
    keys("q");
    assert_true(view.quits);
}

static void tables_of_one_screen_are_gone_through_and_clicked(void **state)
{
    (void)state;
    full(1);
    view.screen = shmtop_screen_find("tasks");
    assert_non_null(strstr(chosen(scene_page(&view, 120, 40))->text, "critical"));
    for (int i = 0; i < 5; i++)
        key(SHMTOP_KEY_DOWN);
    assert_non_null(strstr(chosen(scene_page(&view, 120, 40))->text, "kind 1")); /* the first task */
    key(SHMTOP_KEY_UP);
    assert_non_null(strstr(chosen(scene_page(&view, 120, 40))->text, "idle"));
    keys("tt");
    const struct shmtop_page *p = scene_page(&view, 120, 40);
    assert_non_null(strstr(chosen(p)->text, "zygote"));
    struct shmtop_scene scene;
    shmtop_scene_make(&view, &scene_model, &scene);
    shmtop_view_click(&view, &scene, scene_line(p, "TASKS"), 34); /* of the workers */
    assert_int_equal(shmtop_view_pick(&view, 2)->sort, 3);
    assert_true(shmtop_view_pick(&view, 2)->descends);
    shmtop_view_click(&view, &scene, scene_line(p, "TASKS"), 34);
    assert_false(shmtop_view_pick(&view, 2)->descends);
    shmtop_view_click(&view, &scene, scene_line(p, "poisoned"), 3);
    shmtop_scene_fini(&scene);
    assert_non_null(strstr(chosen(scene_page(&view, 120, 40))->text, "poisoned"));
    assert_int_equal(scene_line(scene_page(&view, 120, SHMTOP_ALL_ROWS), "normal      ")->style, SHMTOP_WARNING);
}

/* (tried: history not bounded in time, in bytes; [ going to the newest.) */
static void history_is_bounded_and_gone_through(void **state)
{
    (void)state;
    scene_model.span_ns = 10000000000u;
    for (uint64_t second = 1; second <= 30; second++) {
        struct shmtop_snapshot *s = scene_begin(second, 1);
        s->participants[0].info.published = second * second;
        shmtop_model_add(&scene_model, s);
    }
    assert_int_equal(scene_model.history_n, 11);
    view.screen = shmtop_screen_find("participants");
    assert_non_null(strstr(chosen(scene_page(&view, 80, 20))->text, " 59 ")); /* 900 - 841 */
    keys("[[");
    const struct shmtop_page *p = scene_page(&view, 80, 20);
    assert_true(scene_page_has(p, "PAUSED 2.0 s ago"));
    assert_non_null(strstr(chosen(p)->text, " 55 "));
    shmtop_model_add(&scene_model, scene_begin(31, 1)); /* goes on meanwhile, and the view stays */
    assert_true(scene_page_has(scene_page(&view, 80, 20), "PAUSED 3.0 s ago"));
    keys("]");
    assert_true(scene_page_has(scene_page(&view, 80, 20), "PAUSED 2.0 s ago"));
    keys("]]]");
    assert_false(scene_page_has(scene_page(&view, 80, 20), "PAUSED"));
    for (int i = 0; i < 50; i++)
        keys("[");
    assert_true(scene_page_has(scene_page(&view, 80, 20), "PAUSED 10.0 s ago"));
    keys("p");
    assert_int_equal(view.at_ns, 0);
    keys("p");
    assert_int_equal(view.at_ns, 31000000000u);
    for (uint64_t second = 32; second < 60; second++)
        shmtop_model_add(&scene_model, scene_begin(second, 1));
    assert_true(scene_page_has(scene_page(&view, 80, 20), "PAUSED 10.0 s ago")); /* what was looked at is gone: the oldest there is */
    scene_model.bytes_max = 3 * scene_model.history[0]->bytes;
    shmtop_model_add(&scene_model, scene_begin(60, 1));
    assert_int_equal(scene_model.history_n, 3);
    scene_model.bytes_max = 1;
    shmtop_model_add(&scene_model, scene_begin(61, 1));
    assert_int_equal(scene_model.history_n, 2);
}

/* (tried: who was not seen before taken for one that has just moved.) */
static void idle_is_since_a_counter_moved_last(void **state)
{
    static const uint64_t published[] = {5, 5, 9, 9, 9};
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct shmtop_snapshot *s = scene_begin(i + 1, 1);
        s->participants[0].info.published = published[i];
        shmtop_model_add(&scene_model, s);
    }
    assert_int_equal(scene_model.history[1]->participants[0].active_ns, 0);
    assert_int_equal(scene_model.history[4]->participants[0].active_ns, 3000000000u);
    view.screen = shmtop_screen_find("participants");
    assert_non_null(strstr(chosen(scene_page(&view, 140, 20))->text, "2.00 s"));
}

/* (tried: z and x changed places; dirty and clean changed colours.) */
static void the_map_shows_the_states_where_they_are(void **state)
{
    (void)state;
    full(1);
    view.screen = shmtop_screen_find("chunks");
    view.map.rows = 6;
    view.map.has_focus = false;
    const struct shmtop_page *p = scene_page(&view, 60, SHMTOP_ALL_ROWS);
    assert_true(scene_page_has(p, "world 0, lod 0, layer y 0, x -27 to 32, z -2 to 3")); /* around 3, 1 of the layer that has most */
    const struct shmtop_line *first = scene_line(p, "n.dwGrn."), *second = scene_line(p, "dwGrn.dw");
    assert_true(first && second == first + 1 && strstr(first->text, "n.dwGrn.") - first->text == 27);
    assert_true(scene_page_has(p, "at 3 0 1: given up") == false && scene_page_has(p, "at 3 0 1: "));
    view.map.is_blocks = view.map.has_focus = true;
    p = scene_page(&view, 60, SHMTOP_ALL_ROWS);
    const struct shmtop_line *painted = NULL;
    for (uint32_t i = 0; i < p->count && !painted; i++)
        if (p->lines[i].paint && p->lines[i].paint[28])
            painted = &p->lines[i];
    assert_non_null(painted);
    assert_memory_equal(painted->text, "\342\226\200\342\226\200", 6);
    /* rows are z -5 and on, two a line: this line is z -1 and 0, or 0 and 1 */
    key(SHMTOP_KEY_RIGHT);
    key(SHMTOP_KEY_DOWN);
    assert_true(view.map.is_placed && view.map.at.x == 4 && view.map.at.z == 2);
    assert_true(scene_page_has(scene_page(&view, 60, SHMTOP_ALL_ROWS), "at 4 0 2: "));
    keys("+");
    assert_true(scene_page_has(scene_page(&view, 60, SHMTOP_ALL_ROWS), "layer y 1"));
    assert_true(scene_page_has(scene_page(&view, 60, SHMTOP_ALL_ROWS), "at 4 1 2: no such key"));
    keys("--t"); /* now arrows are the table's */
    key(SHMTOP_KEY_DOWN);
    assert_true(view.map.at.z == 2 && chosen(scene_page(&view, 60, 60)));
    const struct adit_chunk_info dirty = {.state = ADIT_CHUNK_DIRTY}, clean = {.state = ADIT_CHUNK_CLEAN}, odd = {.state = 99};
    assert_true(shmtop_map_letter(&dirty) == 'd' && shmtop_map_letter(&clean) == '.' && shmtop_map_letter(NULL) == ' ' && shmtop_map_letter(&odd) == '?');
    assert_true(shmtop_map_paint(&dirty) == SHMTOP_YELLOW && shmtop_map_paint(&clean) == SHMTOP_GREEN && shmtop_map_paint(NULL) == SHMTOP_BLACK);
}

/* (tried: the lower half not painted.) */
static void half_blocks_have_the_upper_chunk_above(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(1, 0);
    *shmtop_snapshot_more(s, chunks) = (struct adit_chunk_info){.key = {.x = 0, .z = 0}, .state = ADIT_CHUNK_DIRTY};
    *shmtop_snapshot_more(s, chunks) = (struct adit_chunk_info){.key = {.x = 1, .z = 1}, .state = ADIT_CHUNK_CLEAN};
    shmtop_model_add(&scene_model, s);
    view.screen = shmtop_screen_find("chunks");
    view.map = (struct shmtop_map_state){.rows = 4, .is_blocks = true};
    const struct shmtop_page *p = scene_page(&view, 60, SHMTOP_ALL_ROWS); /* x -30 on, z -4 on: z 0 and 1 are the third line of the picture */
    const struct shmtop_line *row = scene_line(p, "layer y 0") + 3;
    assert_non_null(row->paint);
    assert_int_equal(row->paint[30], SHMTOP_YELLOW);
    assert_int_equal(row->paint[31], SHMTOP_GREEN << 4);
    assert_int_equal(row->paint[29] | row->paint[32], 0);
}

/* (tried: what is lately taken of all; the share of one for that of the other.) */
static void latencies_are_of_all_and_of_lately(void **state)
{
    (void)state;
    full(1);
    const struct shmtop_page *p = scene_page(&view, 80, SHMTOP_ALL_ROWS);
    assert_true(scene_page_has(p, "publish to mesh p50 1.02 ms, p99 8.13 ms") && scene_page_has(p, "task wait never yet; run p50 1.02 ms, p99 8.13 ms"));
    const struct shmtop_line *row = scene_line(p, "visible_ns ");
    assert_true(row && strstr(row->text, "     100  1.02 ms  8.13 ms  8.13 ms        -        -        -"));
    struct shmtop_snapshot *s = scene_begin(3, 1);
    scene_fill(s);
    for (uint32_t i = 0; i < 2; i++) { /* since then 90 of 1 ms, and none of 8 */
        s->latencies[i].all.bucket[SCENE_BUCKET_MS] = 180;
        s->latencies[i].all.bucket[SCENE_BUCKET_MS + 24] = 10;
        s->latencies[i].all.count = 190;
    }
    shmtop_model_add(&scene_model, s);
    row = scene_line(scene_page(&view, 80, SHMTOP_ALL_ROWS), "task_run_ns ");
    assert_true(row && strstr(row->text, "     190  1.02 ms  8.13 ms  8.13 ms       90  1.02 ms  1.02 ms"));
}

/* (tried: the oldest frame to the right; each column of two the last one's; a point's mark over that of frames that passed.) */
static void the_last_frames_are_drawn_with_their_budget(void **state)
{
    (void)state;
    full(1);
    keys("g");
    assert_string_equal(shmtop_screens[view.screen]->name, "frames");
    const struct shmtop_page *p = scene_page(&view, 200, SHMTOP_ALL_ROWS); /* 7 columns on the left for the scale */
    const struct shmtop_line *above = scene_line(p, "   150 |"), *budget = scene_line(p, "   100 +"), *floor = scene_line(p, "    25 |");
    assert_true(scene_page_has(p, "pid 1000 feeder 0: the last 100 frames of 10.0 ms, in % of that") && above && budget == above + 2 && floor == above + 5);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(above->text[8 + i], i == 8 ? '#' : ' ');
        assert_int_equal(budget->text[8 + i], i == 6 || i == 8 ? '#' : '-');
        assert_int_equal(above[3].text[8 + i], i == 6 || i == 8 ? '#' : ' ');
        assert_int_equal(floor->text[8 + i], '#');
        assert_int_equal(floor[1].text[8 + i], i == 6 || i == 9 ? '!' : i == 8 ? 's' : ' ');
    }
    assert_true(above->style == SHMTOP_WARNING && budget->style == SHMTOP_PLAIN && strlen(floor->text) == 108);
    const struct shmtop_line *row = scene_line(p, "   3     1000 feeder 0");
    assert_true(row && strstr(row->text, "open    10.0 ms      100       2       2  35.0 ms  4.00 ms") && strstr(row->text, "350.0"));
    assert_non_null(strstr(scene_line(p, "   3 draw ")->text, "5.00 ms       100        2   3.00 ms"));
    assert_non_null(strstr(scene_line(p, "   3          7 ")->text, "9.00 ms       0 draw"));
    p = scene_page(&view, 80, SHMTOP_ALL_ROWS);
    above = scene_line(p, "   150 |");
    assert_true(scene_page_has(p, "two a column") && above && strlen(above[5].text) == 58);
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(above->text[8 + i], i == 4 ? '#' : ' ');
        assert_int_equal(above[6].text[8 + i], i == 4 ? 's' : i == 3 ? '!' : ' ');
    }
    struct shmtop_snapshot *s = scene_begin(2, 1);
    *shmtop_snapshot_more(s, viewers) = (struct shmtop_viewer_seen){.slot = 5, .info = {.pid = 1000, .frame_ns = 16666667}};
    shmtop_model_add(&scene_model, s);
    p = scene_page(&view, 80, SHMTOP_ALL_ROWS); /* whose loop is its own affair */
    assert_true(!scene_page_has(p, "150 |") && strstr(scene_line(p, " viewer ")->text, "   -     1000 feeder 0       viewer  16.7 ms        -"));
}

/* Every cell that the screen shows is that of the JSON of the same snapshot. (tried: a scene without the snapshot before it.) */
static void screen_and_json_say_the_same(void **state)
{
    (void)state;
    full(1);
    struct shmtop_snapshot *s = scene_begin(3, 40);
    scene_fill(s);
    s->participants[7].info.published = 300;
    s->chunks[3].version += 10;
    shmtop_model_add(&scene_model, s);
    scene_model.findings = (struct shmtop_findings){.is_made = true, .found = 1, .kept = 1, .list = {{"I7", "watch 9", "its state 77 is none"}}};
    json_t *j = shmtop_print_json(&scene_model), *tables = json_object_get(j, "tables");
    assert_int_equal(json_array_size(json_object_get(j, "participant_list")), 40);
    assert_true(json_real_value(json_object_get(json_array_get(json_object_get(tables, "participants"), 7), "published_per_s")) == 150);
    for (view.screen = 0; view.screen < shmtop_screens_n; view.screen++) {
        struct shmtop_scene scene;
        shmtop_scene_make(&view, &scene_model, &scene);
        for (uint32_t i = 0; i < scene.screen->tables_n; i++) {
            const struct shmtop_table *t = &scene.tables[i];
            const json_t *list = json_object_get(tables, scene.screen->tables[i].name);
            json_t *mine = shmtop_table_json(t);
            assert_true(json_array_size(list) == t->shown && t->shown);
            assert_true(json_equal(list, mine));
            assert_int_equal(json_object_size(json_array_get(list, 0)), t->columns_n);
            json_decref(mine);
        }
        shmtop_scene_fini(&scene);
    }
    json_decref(j);
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    assert_true(shmtop_print_csv(&scene_model, "viewers", f)); /* a screen, and its first table */
    fclose(f);
    assert_true(strstr(text, "viewer,pid,") == text && strstr(text, "\n\nwatch,pid,"));
    free(text);
    f = open_memstream(&text, &bytes);
    assert_true(shmtop_print_csv(&scene_model, "watches", f) && !shmtop_print_csv(&scene_model, "nothing", f));
    fclose(f);
    assert_true(strstr(text, "watch,pid,") == text && !strstr(text, "viewer"));
    free(text);
    f = open_memstream(&text, &bytes);
    assert_true(shmtop_print_csv(&scene_model, "tasks.tasks", f) && !shmtop_print_csv(&scene_model, "tasks.watches", f));
    fclose(f);
    assert_true(strstr(text, "queue,level,kind,") == text && !strstr(text, "\n\n"));
    free(text);
}

static void only_what_is_seen_of_many_rows_is_laid_out(void **state)
{
    (void)state;
    struct shmtop_snapshot *s = scene_begin(1, 1);
    for (int32_t i = 0; i < (int32_t)SHMTOP_CHUNKS_MAX; i++)
        *shmtop_snapshot_more(s, chunks) = (struct adit_chunk_info){.key = {.x = i % 256, .z = i / 256}, .state = ADIT_CHUNK_CLEAN, .version = (uint64_t)i};
    s->chunks_all = SHMTOP_CHUNKS_MAX + 5;
    shmtop_model_add(&scene_model, s);
    view.screen = shmtop_screen_find("chunks");
    keys("t");
    key(SHMTOP_KEY_END);
    const struct shmtop_page *p = scene_page(&view, 80, 20);
    assert_int_equal(p->count, 22);
    assert_non_null(strstr(chosen(p)->text, "65,535"));
    key(SHMTOP_KEY_HOME);
    view.scroll = 0;
    assert_true(scene_page_has(scene_page(&view, 80, 60), "65,536 of 65,541 chunks"));
}

#define LAYOUT(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYOUT(no_line_is_wider_than_the_page_whatever_is_in_the_arena),
        LAYOUT(help_is_whole_at_any_width),
        LAYOUT(every_screen_at_80_and_200_has_its_tables),
        LAYOUT(the_row_looked_at_stays_the_same_while_rows_come_and_go),
        LAYOUT(keys_sort_filter_find_and_show_detail),
        LAYOUT(tables_of_one_screen_are_gone_through_and_clicked),
        LAYOUT(history_is_bounded_and_gone_through),
        LAYOUT(idle_is_since_a_counter_moved_last),
        LAYOUT(the_map_shows_the_states_where_they_are),
        LAYOUT(half_blocks_have_the_upper_chunk_above),
        LAYOUT(latencies_are_of_all_and_of_lately),
        LAYOUT(the_last_frames_are_drawn_with_their_budget),
        LAYOUT(screen_and_json_say_the_same),
        LAYOUT(only_what_is_seen_of_many_rows_is_laid_out),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scene_reset();
    return failed;
}
