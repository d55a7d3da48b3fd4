/* shmtop_screen.c - newterm, not initscr: initscr exits by itself when TERM is wrong, without endwin and without our line.
 *
 * Waiting is getch with a timeout, so keys, resizes (KEY_RESIZE) and the next sample share one wait. A signal ends the
 * loop through the flag of interrupt.h; endwin then restores the terminal. */
#include "tools/shmtop_screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/shmtop_data.h"
#include "tools/shmtop_keys.h"
#include "tools/shmtop_verify.h"
#include "tools/shmtop_view.h"

#define WAIT_MS_MAX 100
#define ESCAPE_MS 50 /* so long a key that begins with Esc may take to come whole */
#define PAIR_WARNING 1
#define PAIR_MAP 2 /* this and 55 more, of two colours that differ: what terminals of 8 or 16 colours have room for, which have 64 pairs */
#define PAIRS_MAP 56
#define FULL_BLOCK "\342\226\210" /* U+2588 */

struct screen {
    struct shmtop_model *model;
    struct shmtop_view view;
    struct shmtop_scene scene;
    struct shmtop_page head, body;
    bool has_map_colours;
};

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static attr_t style_attributes(enum shmtop_style style)
{
    switch (style) {
    case SHMTOP_TITLE: return A_BOLD;
    case SHMTOP_HEAD: return A_REVERSE;
    case SHMTOP_WARNING: return A_BOLD | (has_colors() ? (attr_t)COLOR_PAIR(PAIR_WARNING) : 0);
    case SHMTOP_QUIET: return A_DIM;
    case SHMTOP_CHOSEN: return A_REVERSE | A_BOLD;
    default: return A_NORMAL;
    }
}

static void line_draw(int row, int columns, const struct shmtop_line *line)
{
    attrset((int)style_attributes(line->style));
    mvaddnstr(row, 0, line->text, columns);
    for (int x = (int)strlen(line->text); (line->style == SHMTOP_HEAD || line->style == SHMTOP_CHOSEN) && x < columns; x++)
        mvaddch(row, x, ' ');
    attrset(A_NORMAL);
}

/* The pair of an upper and a lower colour that differ. */
static int map_pair(int up, int down) { return PAIR_MAP + up * 7 + (down < up ? down : down - 1); }

static void picture_draw(int row, int columns, const struct shmtop_line *line)
{
    move(row, 0);
    for (int x = 0; x < columns && line->text[x * 3]; x++) { /* each is a half-block of three bytes */
        int up = line->paint[x] & 7, down = line->paint[x] >> 4 & 7;
        if (up == SHMTOP_BLACK && down == SHMTOP_BLACK) { /* nothing is there */
            attrset(A_NORMAL);
            addch(' ');
            continue;
        }
        attrset((int)COLOR_PAIR(map_pair(up, up == down ? SHMTOP_BLACK : down)));
        addnstr(up == down ? FULL_BLOCK : line->text + x * 3, 3); /* of one colour: all of it is the upper one's */
    }
    attrset(A_NORMAL);
}

static void page_draw(const struct shmtop_page *p, int first, int rows, int columns)
{
    for (uint32_t i = 0; i < p->count && (int)i < rows; i++)
        if (p->lines[i].paint)
            picture_draw(first + (int)i, columns, &p->lines[i]);
        else
            line_draw(first + (int)i, columns, &p->lines[i]);
}

static void scene_draw(struct screen *s)
{
    int rows, columns;
    char foot[SHMTOP_WIDTH_MAX + 1];
    getmaxyx(stdscr, rows, columns);
    erase();
    shmtop_scene_fini(&s->scene);
    shmtop_scene_make(&s->view, s->model, &s->scene);
    if (columns < SHMTOP_WIDTH_MIN || rows < SHMTOP_HEIGHT_MIN) {
        snprintf(foot, sizeof foot, "too small: %dx%d needed (q quits)", SHMTOP_WIDTH_MIN, SHMTOP_HEIGHT_MIN);
        mvaddnstr(0, 0, foot, columns);
        refresh();
        return;
    }
    s->head.width = s->body.width = (uint32_t)columns;
    shmtop_view_head(&s->view, &s->scene, &s->head);
    int room = rows - 1 - (int)s->head.count;
    room = room > 1 ? room : 1;
    s->view.map.rows = room > 13 ? (uint32_t)room / 2 - 2 : 4;
    s->view.map.is_blocks = s->has_map_colours;
    shmtop_view_body(&s->view, &s->scene, (uint32_t)room, &s->body);
    page_draw(&s->head, 0, rows - 1, columns);
    page_draw(&s->body, (int)s->head.count, room, columns);
    attrset(A_REVERSE);
    mvaddnstr(rows - 1, 0, shmtop_view_foot(&s->view, foot, sizeof foot), columns);
    attrset(A_NORMAL);
    refresh();
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static int key_of(int key)
{
    static const struct {
        int curses, ours;
    } keys[] = {{KEY_UP, SHMTOP_KEY_UP}, {KEY_DOWN, SHMTOP_KEY_DOWN}, {KEY_LEFT, SHMTOP_KEY_LEFT}, {KEY_RIGHT, SHMTOP_KEY_RIGHT}, {KEY_PPAGE, SHMTOP_KEY_PAGE_UP},
                {KEY_NPAGE, SHMTOP_KEY_PAGE_DOWN}, {KEY_HOME, SHMTOP_KEY_HOME}, {KEY_END, SHMTOP_KEY_END}, {KEY_ENTER, SHMTOP_KEY_ENTER}, {'\n', SHMTOP_KEY_ENTER},
                {'\r', SHMTOP_KEY_ENTER}, {033, SHMTOP_KEY_ESCAPE}, {KEY_BACKSPACE, SHMTOP_KEY_BACKSPACE}, {0x7f, SHMTOP_KEY_BACKSPACE}, {'\b', SHMTOP_KEY_BACKSPACE},
                {'\t', SHMTOP_KEY_TAB}, {KEY_BTAB, SHMTOP_KEY_BACK_TAB}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].curses == key)
            return keys[i].ours;
    return key >= 0x20 && key < 0x7f ? key : 0;
}

static void mouse_take(struct screen *s)
{
    MEVENT event;
    if (getmouse(&event) != OK)
        return;
    for (uint32_t i = 0; i < 3 && event.bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED); i++) { /* the wheel */
        shmtop_view_key(&s->view, &s->scene, event.bstate & BUTTON4_PRESSED ? SHMTOP_KEY_UP : SHMTOP_KEY_DOWN);
        shmtop_scene_fini(&s->scene);
        shmtop_scene_make(&s->view, s->model, &s->scene);
    }
    uint32_t row = (uint32_t)event.y - s->head.count;
    if (event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) && event.y >= (int)s->head.count && row < s->body.count && event.x >= 0)
        shmtop_view_click(&s->view, &s->scene, &s->body.lines[row], (uint32_t)event.x);
}

static void screen_loop(struct screen *s, struct adit_arena *arena, uint64_t interval_ns)
{
    uint64_t next = adit_moment_ns() + interval_ns;
    scene_draw(s);
    while (!s->view.quits && !adit_interrupt_is_set()) {
        uint64_t now = adit_moment_ns();
        if (now >= next) {
            next = now + interval_ns;
            if (!s->model->is_image)
                shmtop_data_sample(arena, s->model); /* also while the view stays at a moment: that is what history is */
            scene_draw(s);
        }
        uint64_t left_ms = next > now ? (next - now) / 1000000 + 1 : 1;
        timeout(left_ms < WAIT_MS_MAX ? (int)left_ms : WAIT_MS_MAX);
        int key = getch();
        if (key == ERR && feof(stdin))
            s->view.quits = true;
        if (key == ERR)
            continue;
        if (key == KEY_MOUSE)
            mouse_take(s);
        else if (key != KEY_RESIZE && key_of(key))
            shmtop_view_key(&s->view, &s->scene, key_of(key));
        if (s->view.verifies)
            shmtop_verify(arena, s->model);
        s->view.verifies = false;
        scene_draw(s);
    }
}

/* Colours of any terminal that has eight. */
static bool colours_begin(void)
{
    if (!has_colors() || start_color() != OK || use_default_colors() != OK)
        return false;
    init_pair(PAIR_WARNING, COLOR_RED, -1);
    bool can = COLORS >= 8 && COLOR_PAIRS >= PAIR_MAP + PAIRS_MAP && !strcmp(nl_langinfo(CODESET), "UTF-8");
    for (short up = 0; up < 8 && can; up++)
        for (short down = 0; down < 8 && can; down++)
            can = up == down || init_pair((short)map_pair(up, down), up, down) == OK;
    return can;
}

int shmtop_screen_run(struct adit_arena *arena, struct shmtop_model *model, uint64_t interval_ns, char *error, size_t error_bytes)
{
    struct screen *s = calloc(1, sizeof *s);
    setlocale(LC_ALL, "");
    SCREEN *terminal = s ? newterm(NULL, stdout, stdin) : NULL;
    if (!terminal) {
        free(s);
        snprintf(error, error_bytes, "the terminal cannot be drawn on; use --batch");
        return ADIT_EXIT_FAILED;
    }
    adit_interrupt_install(); /* after newterm, which takes SIGINT and SIGTERM for itself */
    shmtop_view_init(&s->view);
    s->has_map_colours = colours_begin();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    mouseinterval(0);
    mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    s->model = model;
    screen_loop(s, arena, interval_ns);
    endwin();
    delscreen(terminal);
    shmtop_scene_fini(&s->scene);
    shmtop_page_fini(&s->head);
    shmtop_page_fini(&s->body);
    free(s);
    return adit_interrupt_is_set() ? ADIT_EXIT_INTERRUPTED : ADIT_EXIT_DONE;
}
