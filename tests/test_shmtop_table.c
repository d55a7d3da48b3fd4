/* test_shmtop_table.c - tables of shmtop: cells as text, sorted, filtered, found, as JSON and CSV; and that the columns of every screen say what they must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/shmtop_look.h"
#include "tools/shmtop_table.h"

static const struct shmtop_column columns[] = {
    {"name", "NAME", "A name.", SHMTOP_TEXT, 8, 0},         {"pid", "PID", "A number.", SHMTOP_NUMBER, 5, 0},      {"count", "COUNT", "How many.", SHMTOP_COUNT, 6, 0},
    {"bytes", "BYTES", "Bytes.", SHMTOP_BYTES, 8, 0},       {"rate_per_s", "RATE", "A rate.", SHMTOP_RATE, 6, 0},  {"age_ns", "AGE", "A time.", SHMTOP_DURATION, 8, 0},
    {"share_percent", "%", "A share.", SHMTOP_PERCENT, 5, 0}, {"more", "MORE", "Where there is room.", SHMTOP_TEXT, 30, 90}};
#define COLUMNS (sizeof columns / sizeof *columns)

static void row(struct shmtop_table *t, uint64_t id, const char *name, int64_t pid, uint64_t count)
{
    assert_true(shmtop_table_row(t, id, SHMTOP_PLAIN));
    shmtop_cell_text(t, name);
    shmtop_cell_number(t, pid);
    shmtop_cell_count(t, count);
    shmtop_cell_count(t, count * 1024);
    shmtop_cell_real(t, (double)count / 2);
    shmtop_cell_count(t, count * 1000);
    shmtop_cell_real(t, 12.34);
}

static struct shmtop_table filled(void)
{
    struct shmtop_table t;
    shmtop_table_init(&t, columns, COLUMNS);
    row(&t, 11, "pear", 7, 3);
    row(&t, 12, "apple", -2, 1234567);
    row(&t, 13, "Plum", 7, 1);
    row(&t, 14, "fig", 40, 3);
    return t;
}

static const char *order_of(const struct shmtop_table *t)
{
    static char text[64];
    size_t n = 0;
    for (uint32_t i = 0; i < t->shown; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%u", (unsigned)(t->ids[t->order[i]] - 10));
    text[n] = 0;
    return text;
}

/* (tried: in shmtop_table.c a count that does not fit cut instead of scaled; a cell that is none not told apart.) */
static void cells_are_text_as_their_kind_says(void **state)
{
    struct shmtop_table t = filled();
    char text[SHMTOP_CELL_BYTES], line[SHMTOP_WIDTH_MAX + 1];
    (void)state;
    assert_string_equal(shmtop_table_text(&t, 1, 0, text), "apple");
    assert_string_equal(shmtop_table_text(&t, 1, 1, text), "-2");
    assert_string_equal(shmtop_table_text(&t, 1, 2, text), "1,234,567");
    assert_string_equal(shmtop_table_text(&t, 0, 3, text), "3 KiB");
    assert_string_equal(shmtop_table_text(&t, 0, 4, text), "1.5");
    assert_string_equal(shmtop_table_text(&t, 0, 5, text), "3.00 us");
    assert_string_equal(shmtop_table_text(&t, 0, 6, text), "12.3");
    assert_string_equal(shmtop_table_text(&t, 0, 7, text), "-");
    shmtop_table_line(&t, 1, 80, line);
    assert_non_null(strstr(line, "  1.2M ")); /* does not fit with commas */
    shmtop_table_line(&t, 0, 80, line);
    assert_string_equal(line, "pear         7      3    3 KiB    1.5  3.00 us  12.3");
    shmtop_table_head(&t, 2, true, 80, line);
    assert_string_equal(line, "NAME       PID COUNTv    BYTES   RATE      AGE     %");
    shmtop_table_head(&t, 0, false, 90, line);
    assert_non_null(strstr(line, "NAME^"));
    assert_non_null(strstr(line, "MORE"));
    assert_int_equal(shmtop_table_column_at(&t, 80, 0), 0);
    assert_int_equal(shmtop_table_column_at(&t, 80, 9), 1);
    assert_int_equal(shmtop_table_column_at(&t, 80, 51), 6);
    assert_int_equal(shmtop_table_column_at(&t, 80, 60), -1);
    shmtop_table_fini(&t);
}

static void hostile_text_and_numbers_stay_in_their_columns(void **state)
{
    struct shmtop_table t;
    char line[SHMTOP_WIDTH_MAX + 1], text[300];
    (void)state;
    memset(text, 'w', sizeof text - 1);
    text[sizeof text - 1] = 0;
    shmtop_table_init(&t, columns, COLUMNS);
    row(&t, 1, "\033[2J\302\233x\n", INT64_MIN, UINT64_MAX);
    row(&t, 2, text, INT64_MAX, 0);
    shmtop_cell_text(&t, text);
    shmtop_cell_text(&t, "there is no such column");
    shmtop_table_row(&t, 3, SHMTOP_PLAIN);
    shmtop_cell_none(&t);
    shmtop_cell_none(&t);
    shmtop_cell_none(&t);
    shmtop_cell_none(&t);
    shmtop_cell_real(&t, 0.0 / (double)(t.rows - 3)); /* no number */
    assert_true(t.cells[2 * COLUMNS + 4].is_none);
    for (uint32_t width = SHMTOP_WIDTH_MIN; width <= SHMTOP_WIDTH_MAX; width++) {
        char head[SHMTOP_WIDTH_MAX + 1];
        shmtop_table_head(&t, 2, true, width, head);
        for (uint32_t i = 0; i < t.shown; i++) {
            shmtop_table_line(&t, i, width, line);
            assert_true(strlen(line) == strlen(head) && strlen(line) <= width);
            for (const char *c = line; *c; c++)
                assert_in_range(*c, 0x20, 0x7e);
        }
    }
    shmtop_table_line(&t, 0, 80, line);
    assert_non_null(strstr(line, "?[2J??x?"));
    assert_non_null(strstr(line, "? #####")); /* (tried: the first five digits of another number) */
    shmtop_table_fini(&t);
}

/* (tried: equals in the order opposite to that in which they were filled; none sorted by its bits.) */
static void sorting_is_stable_both_ways_and_none_comes_last(void **state)
{
    struct shmtop_table t = filled();
    (void)state;
    assert_string_equal(order_of(&t), "1234");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 1});
    assert_string_equal(order_of(&t), "2134");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 1, .descends = true});
    assert_string_equal(order_of(&t), "4132");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 2, .descends = true});
    assert_string_equal(order_of(&t), "2143");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 0});
    assert_string_equal(order_of(&t), "3241"); /* by bytes: capitals first */
    shmtop_table_row(&t, 15, SHMTOP_PLAIN);
    shmtop_cell_text(&t, "none");
    for (int descends = 0; descends < 2; descends++)
        for (int32_t column = 1; column < 7; column++) {
            shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = column, .descends = descends});
            assert_int_equal(t.ids[t.order[4]], 15);
        }
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = -1});
    assert_string_equal(order_of(&t), "12345");
    shmtop_table_fini(&t);
}

static void filters_and_searches_look_at_all_cells(void **state)
{
    struct shmtop_table t = filled();
    (void)state;
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = -1, .filter = "PL"}); /* apple, Plum */
    assert_string_equal(order_of(&t), "23");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = -1, .filter = "1,234"});
    assert_string_equal(order_of(&t), "2");
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = -1, .filter = "nobody"});
    assert_int_equal(t.shown, 0);
    assert_int_equal(shmtop_table_search(&t, "p", UINT32_MAX), UINT32_MAX);
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = -1, .filter = ""});
    assert_int_equal(shmtop_table_search(&t, "pl", UINT32_MAX), 1);
    assert_int_equal(shmtop_table_search(&t, "pl", 1), 2);
    assert_int_equal(shmtop_table_search(&t, "pl", 2), 1); /* around */
    assert_int_equal(shmtop_table_search(&t, "pear", 0), 0);
    assert_int_equal(shmtop_table_search(&t, "", 0), UINT32_MAX);
    assert_int_equal(shmtop_table_find(&t, 14), 3);
    assert_int_equal(shmtop_table_find(&t, 99), UINT32_MAX);
    shmtop_table_fini(&t);
}

/* (tried: a text that a spreadsheet takes for a formula as it is) */
static void json_and_csv_have_the_raw_values(void **state)
{
    struct shmtop_table t;
    char *text = NULL;
    size_t bytes = 0;
    (void)state;
    shmtop_table_init(&t, columns, COLUMNS);
    row(&t, 1, "=1+a,\"b\"", -5, 1234567);
    json_t *list = shmtop_table_json(&t), *o = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(o, "name")), "=1+a,\"b\"");
    assert_int_equal(json_integer_value(json_object_get(o, "pid")), -5);
    assert_int_equal(json_integer_value(json_object_get(o, "count")), 1234567);
    assert_int_equal(json_integer_value(json_object_get(o, "bytes")), 1234567ll * 1024);
    assert_true(json_real_value(json_object_get(o, "rate_per_s")) == 1234567 / 2.0);
    assert_true(json_is_null(json_object_get(o, "more")));
    json_decref(list);
    FILE *f = open_memstream(&text, &bytes);
    assert_non_null(f);
    shmtop_table_csv(&t, f);
    fclose(f);
    assert_string_equal(text, "name,pid,count,bytes,rate_per_s,age_ns,share_percent,more\n\"'=1+a,\"\"b\"\"\",-5,1234567,1264196608,617284,1234567000,12.34,\n");
    free(text);
    shmtop_table_fini(&t);
}

static void many_rows_are_kept(void **state)
{
    struct shmtop_table t;
    (void)state;
    shmtop_table_init(&t, columns, COLUMNS);
    for (uint64_t i = 0; i < 70000; i++)
        row(&t, i, "row", (int64_t)i, 70000 - i);
    shmtop_table_arrange(&t, &(struct shmtop_arrangement){.sort = 2});
    assert_int_equal(t.shown, 70000);
    assert_int_equal(t.ids[t.order[0]], 69999);
    assert_false(t.is_short);
    shmtop_table_fini(&t);
}

static bool ends(const char *text, const char *with) { return strlen(text) >= strlen(with) && !strcmp(text + strlen(text) - strlen(with), with); }

/* Every column says what it is, and a page that is as wide as it asks for has room for it. */
static void columns_of_all_screens_are_defined_and_fit(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < shmtop_screens_n; s++)
        for (uint32_t i = 0; i < shmtop_screens[s]->tables_n; i++) {
            const struct shmtop_tabled *d = &shmtop_screens[s]->tables[i];
            assert_in_range(d->columns_n, 1, SHMTOP_COLUMNS_MAX);
            for (uint32_t c = 0; c < d->columns_n; c++) {
                const struct shmtop_column *k = &d->columns[c];
                uint32_t wide = 0;
                assert_true(strspn(k->key, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(k->key) && *k->head && ends(k->text, "."));
                assert_true((k->kind == SHMTOP_DURATION) == ends(k->key, "_ns"));
                assert_true((k->kind == SHMTOP_RATE) == ends(k->key, "_per_s") || k->kind == SHMTOP_RATE);
                assert_true((k->kind == SHMTOP_PERCENT) == ends(k->key, "_percent"));
                assert_in_range(strlen(k->head), 1, k->width);
                for (uint32_t e = 0; e < c; e++)
                    assert_string_not_equal(k->key, d->columns[e].key);
                for (uint32_t e = 0; e < d->columns_n; e++)
                    if (d->columns[e].from_width <= (k->from_width > SHMTOP_WIDTH_MIN ? k->from_width : SHMTOP_WIDTH_MIN))
                        wide += d->columns[e].width + 1u;
                if (wide - 1 > (k->from_width > SHMTOP_WIDTH_MIN ? k->from_width : SHMTOP_WIDTH_MIN))
                    fail_msg("%s: %s asks for a page of %u, on which columns take %u", d->name, k->key, k->from_width, wide - 1);
            }
            for (uint32_t o = 0; o <= s; o++)
                for (uint32_t k = 0; k < (o < s ? shmtop_screens[o]->tables_n : i); k++)
                    assert_string_not_equal(d->name, shmtop_screens[o]->tables[k].name);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_text_as_their_kind_says),
        cmocka_unit_test(hostile_text_and_numbers_stay_in_their_columns),
        cmocka_unit_test(sorting_is_stable_both_ways_and_none_comes_last),
        cmocka_unit_test(filters_and_searches_look_at_all_cells),
        cmocka_unit_test(json_and_csv_have_the_raw_values),
        cmocka_unit_test(many_rows_are_kept),
        cmocka_unit_test(columns_of_all_screens_are_defined_and_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
