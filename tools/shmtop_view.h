/* shmtop_view.h - what of the model is looked at, and its layout in lines: pure functions, the same for curses, for --batch and for tests.
 *
 *     struct shmtop_view v;  shmtop_view_init(&v);
 *     struct shmtop_scene scene;
 *     shmtop_scene_make(&v, &model, &scene);                  the tables of the screen, filled, filtered and sorted
 *     shmtop_view_head(&v, &scene, &head);                    lines that stay at the top
 *     shmtop_view_body(&v, &scene, rows, &body);              the lines below, as many as there is room for, around the row looked at
 *     shmtop_view_key(&v, &scene, key);                       shmtop_keys.h
 *     shmtop_scene_fini(&scene);
 */
#ifndef ADIT_SHMTOP_VIEW_H
#define ADIT_SHMTOP_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/shmtop_look.h"

#define SHMTOP_HEIGHT_MIN 10
#define SHMTOP_FILTER_BYTES 40u

enum shmtop_mode { SHMTOP_SHOWN, SHMTOP_DETAIL /* of one row */, SHMTOP_HELP };
enum shmtop_typing { SHMTOP_NOT_TYPING, SHMTOP_TYPES_FILTER, SHMTOP_TYPES_SEARCH };

/* How a table is looked at. */
struct shmtop_pick {
    int32_t sort; /* a column, -1: as filled */
    bool descends;
    bool has_id;
    uint64_t id; /* of the row looked at; while it is not there, or none was chosen, it is the first one */
};

struct shmtop_view {
    uint32_t screen, width; /* width: as last laid out */
    uint32_t table[SHMTOP_SCREENS_MAX]; /* that has the row looked at */
    struct shmtop_pick picks[SHMTOP_SCREENS_MAX][SHMTOP_TABLES_MAX];
    struct shmtop_map_state map;
    enum shmtop_mode mode;
    enum shmtop_typing typing;
    char filter[SHMTOP_FILTER_BYTES], search[SHMTOP_FILTER_BYTES];
    uint32_t scroll; /* the first line of the body; of help and detail, too */
    uint64_t at_ns;  /* the moment looked at; 0: the newest */
    bool quits;
    bool verifies; /* the verifier is to look; whoever has it look takes this back */
};

/* A screen's tables at one moment. */
struct shmtop_scene {
    struct shmtop_look look; /* look.s NULL: there is no snapshot */
    const struct shmtop_screen *screen;
    struct shmtop_table tables[SHMTOP_TABLES_MAX];
};

void shmtop_view_init(struct shmtop_view *view);
struct shmtop_pick *shmtop_view_pick(struct shmtop_view *view, uint32_t table);

void shmtop_scene_make(const struct shmtop_view *view, const struct shmtop_model *model, struct shmtop_scene *scene);
void shmtop_scene_fini(struct shmtop_scene *scene);
/* The place of the row looked at in a table; UINT32_MAX: it has none. */
uint32_t shmtop_scene_place(const struct shmtop_view *view, const struct shmtop_scene *scene, uint32_t table);

/* page->width is set (SHMTOP_WIDTH_MIN..MAX, others are brought into that); from and rows are set by these. */
void shmtop_view_head(const struct shmtop_view *view, const struct shmtop_scene *scene, struct shmtop_page *page);
/* rows: that there is room for, SHMTOP_ALL_ROWS: any. Sets view->scroll so that the row looked at is among them. */
void shmtop_view_body(struct shmtop_view *view, const struct shmtop_scene *scene, uint32_t rows, struct shmtop_page *page);
/* The line at the bottom: keys, or what is being typed. */
char *shmtop_view_foot(const struct shmtop_view *view, char *out, uint32_t bytes);

#endif
