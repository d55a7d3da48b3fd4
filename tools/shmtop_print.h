/* shmtop_print.h - what the screens show, for pipes and programs: text, JSON, CSV. tools/README.md tells the shapes.
 */
#ifndef ADIT_SHMTOP_PRINT_H
#define ADIT_SHMTOP_PRINT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/shmtop_model.h"

#define SHMTOP_ALL_SCREENS UINT32_MAX

/* The newest snapshot as lines of at most width characters: of one screen, or of all, an empty line between two. */
void shmtop_print_text(const struct shmtop_model *model, uint32_t screen, uint32_t width, FILE *out);
/* The newest snapshot as one object: a sample. */
json_t *shmtop_print_json(const struct shmtop_model *model);
/* The tables of a screen, or the one table of that name (SCREEN.TABLE where both have the same); false: there is neither. */
bool shmtop_print_csv(const struct shmtop_model *model, const char *name, FILE *out);

#endif
