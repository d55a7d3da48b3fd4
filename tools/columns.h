/* columns.h - the columns of a table that a command prints: the heads above its rows and the manual page (options.h, tables) come from the same strings.
 *
 *     static const struct adit_column columns[] = {{"NAME", -24, "the arena's"}, {"SIZE", 10, "of its data segments"}};
 *     static const struct adit_columns arenas = {"arenas", columns, 2};
 *     adit_columns_print(&arenas, stdout);
 */
#ifndef ADIT_COLUMNS_H
#define ADIT_COLUMNS_H

#include <stdio.h>

#include "tools/options.h"

struct adit_column {
    const char *head; /* blanks before it keep a distance, and are not part of it */
    int width;        /* characters; below 0: to the left; 0: the last, as long as it is */
    const char *text; /* what it is */
};

struct adit_columns {
    const char *table; /* what its rows are: "participants" */
    const struct adit_column *columns;
    size_t n;
};

/* The line of heads, a blank between two. */
void adit_columns_print(const struct adit_columns *columns, FILE *out);
void adit_columns_tell(const struct adit_columns *columns, adit_column_tell *tell);

#endif
