/* shmtop_view.h - from the model to lines of text: a pure function, the same for curses, for --batch and for tests.
 */
#ifndef ADIT_SHMTOP_VIEW_H
#define ADIT_SHMTOP_VIEW_H

#include <stdint.h>

#include "tools/shmtop_model.h"

#define SHMTOP_WIDTH_MIN 60
#define SHMTOP_WIDTH_MAX 240
#define SHMTOP_HEIGHT_MIN 10
#define SHMTOP_LINES_MAX (SHMTOP_PARTICIPANTS_MAX + 64)

enum shmtop_screen { SHMTOP_OVERVIEW, SHMTOP_PARTICIPANTS, SHMTOP_MEMORY, SHMTOP_SCREENS };
enum shmtop_style { SHMTOP_PLAIN, SHMTOP_TITLE, SHMTOP_HEAD, SHMTOP_WARNING };

struct shmtop_line {
    enum shmtop_style style;
    char text[SHMTOP_WIDTH_MAX + 1]; /* ASCII, at most the width asked for */
};

/* lines[0 .. head) stay at the top, the others scroll. */
struct shmtop_page {
    uint32_t count, head;
    struct shmtop_line lines[SHMTOP_LINES_MAX];
};

const char *shmtop_view_name(enum shmtop_screen screen);

/* Lays a screen out in width columns (SHMTOP_WIDTH_MIN..MAX, others are brought into that). */
void shmtop_view_layout(const struct shmtop_model *model, enum shmtop_screen screen, uint32_t width,
                        struct shmtop_page *page);

#endif
