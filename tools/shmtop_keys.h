/* shmtop_keys.h - what a key, or a click, changes in what is looked at: pure, so that it is tested without a terminal.
 */
#ifndef ADIT_SHMTOP_KEYS_H
#define ADIT_SHMTOP_KEYS_H

#include "tools/shmtop_view.h"

/* Keys that are no characters. */
enum shmtop_key {
    SHMTOP_KEY_UP = 0x1000,
    SHMTOP_KEY_DOWN,
    SHMTOP_KEY_LEFT,
    SHMTOP_KEY_RIGHT,
    SHMTOP_KEY_PAGE_UP,
    SHMTOP_KEY_PAGE_DOWN,
    SHMTOP_KEY_HOME,
    SHMTOP_KEY_END,
    SHMTOP_KEY_ENTER,
    SHMTOP_KEY_ESCAPE,
    SHMTOP_KEY_BACKSPACE,
    SHMTOP_KEY_TAB,
    SHMTOP_KEY_BACK_TAB,
};

/* scene: what was laid out before the key. */
void shmtop_view_key(struct shmtop_view *view, const struct shmtop_scene *scene, int key);
/* A click on character x of a line of the body: on a head it sorts, on a row it chooses that. */
void shmtop_view_click(struct shmtop_view *view, const struct shmtop_scene *scene, const struct shmtop_line *line, uint32_t x);

#endif
