/* shmtop_screen.c - newterm, not initscr: initscr exits by itself when TERM is wrong, without endwin and without our line.
 *
 * Waiting is getch with a timeout, so keys, resizes (KEY_RESIZE) and the next sample share one wait. A signal ends the
 * loop through the flag of interrupt.h; endwin then restores the terminal. */
#include "tools/shmtop_screen.h"

#include <curses.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/shmtop_data.h"
#include "tools/shmtop_view.h"

#define WAIT_MS_MAX 100

struct screen {
    struct shmtop_model *model;
    struct shmtop_page page;
    enum shmtop_screen shown;
    uint32_t scroll;
    bool paused, quits;
};

static attr_t style_attributes(enum shmtop_style style)
{
    switch (style) {
    case SHMTOP_TITLE:
        return A_BOLD;
    case SHMTOP_HEAD:
        return A_REVERSE;
    case SHMTOP_WARNING:
        return A_BOLD | (has_colors() ? (attr_t)COLOR_PAIR(1) : 0);
    default:
        return A_NORMAL;
    }
}

static void line_draw(int row, int columns, const struct shmtop_line *line)
{
    attrset((int)style_attributes(line->style));
    mvaddnstr(row, 0, line->text, columns);
    for (int x = (int)strlen(line->text); line->style == SHMTOP_HEAD && x < columns; x++)
        mvaddch(row, x, ' ');
    attrset(A_NORMAL);
}

static void page_draw(struct screen *s)
{
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    erase();
    if (columns < SHMTOP_WIDTH_MIN || rows < SHMTOP_HEIGHT_MIN) {
        char line[96];
        snprintf(line, sizeof line, "too small: %dx%d needed (q quits)", SHMTOP_WIDTH_MIN, SHMTOP_HEIGHT_MIN);
        mvaddnstr(0, 0, line, columns);
        refresh();
        return;
    }
    shmtop_view_layout(s->model, s->shown, (uint32_t)columns, &s->page);
    const struct shmtop_page *p = &s->page;
    uint32_t room = (uint32_t)rows - 1, body = room > p->head ? room - p->head : 0, more = p->count - p->head;
    if (s->scroll + body > more)
        s->scroll = more > body ? more - body : 0;
    for (uint32_t i = 0; i < p->head && i < room; i++)
        line_draw((int)i, columns, &p->lines[i]);
    for (uint32_t i = 0; i < body && p->head + s->scroll + i < p->count; i++)
        line_draw((int)(p->head + i), columns, &p->lines[p->head + s->scroll + i]);
    char keys[128];
    snprintf(keys, sizeof keys, "1 overview  2 participants  3 memory  %s  q quit%s", s->paused ? "p go on" : "p pause",
             more > body ? "  up/down scroll" : "");
    attrset(A_REVERSE);
    mvaddnstr(rows - 1, 0, keys, columns);
    attrset(A_NORMAL);
    refresh();
}

static void key_take(struct screen *s, int key)
{
    uint32_t screens = SHMTOP_SCREENS;
    switch (key) {
    case 'q':
    case 'Q':
        s->quits = true;
        break;
    case '1':
    case '2':
    case '3':
        s->shown = (enum shmtop_screen)(key - '1');
        s->scroll = 0;
        break;
    case '\t':
    case KEY_RIGHT:
        s->shown = (enum shmtop_screen)(((uint32_t)s->shown + 1) % screens);
        s->scroll = 0;
        break;
    case KEY_LEFT:
        s->shown = (enum shmtop_screen)(((uint32_t)s->shown + screens - 1) % screens);
        s->scroll = 0;
        break;
    case 'p':
    case ' ':
        s->paused = !s->paused;
        break;
    case KEY_DOWN:
        s->scroll++;
        break;
    case KEY_UP:
        s->scroll -= s->scroll > 0;
        break;
    case KEY_NPAGE:
        s->scroll += 10;
        break;
    case KEY_PPAGE:
        s->scroll -= s->scroll < 10 ? s->scroll : 10;
        break;
    default:
        break;
    }
}

static void screen_loop(struct screen *s, struct adit_arena *arena, uint64_t interval_ns)
{
    uint64_t next = adit_moment_ns() + interval_ns;
    page_draw(s);
    while (!s->quits && !adit_interrupt_is_set()) {
        uint64_t now = adit_moment_ns();
        if (now >= next) {
            next = now + interval_ns;
            if (!s->paused)
                shmtop_data_sample(arena, s->model);
            page_draw(s);
        }
        uint64_t left_ms = next > now ? (next - now) / 1000000 + 1 : 1;
        timeout(left_ms < WAIT_MS_MAX ? (int)left_ms : WAIT_MS_MAX);
        int key = getch();
        if (key == ERR && feof(stdin))
            s->quits = true;
        if (key != ERR) {
            key_take(s, key);
            page_draw(s);
        }
    }
}

int shmtop_screen_run(struct adit_arena *arena, struct shmtop_model *model, uint64_t interval_ns, char *error,
                      size_t error_bytes)
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
    if (has_colors() && start_color() == OK && use_default_colors() == OK)
        init_pair(1, COLOR_RED, -1);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    s->model = model;
    screen_loop(s, arena, interval_ns);
    endwin();
    delscreen(terminal);
    free(s);
    return adit_interrupt_is_set() ? ADIT_EXIT_INTERRUPTED : ADIT_EXIT_DONE;
}
