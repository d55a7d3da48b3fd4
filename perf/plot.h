/* plot.h - a drawing by gnuplot, as SVG text to stand in a page.
 *
 *     struct plot plot = {0};
 *     if (!plot_begin(&plot)) { fprintf(plot.script, "plot ...\n"); svg = plot_end(&plot); }
 *
 * Text of results goes in through plot_label, which leaves nothing that gnuplot would take for more than text.
 */
#ifndef PERF_PLOT_H
#define PERF_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct plot {
    FILE *script;
    int fd;
};

/* Whether gnuplot (Debian: gnuplot-nox) is there and draws. Asks once, in some tens of milliseconds. */
bool plot_is_there(void);

/* Opens a script. Returns 0 or a negative errno. */
int plot_begin(struct plot *plot);

/* Has gnuplot draw it. Returns "<svg ...>...</svg>", to be freed, or NULL where it failed. Blocks for 30 s at most. */
char *plot_end(struct plot *plot, unsigned width, unsigned height);

/* Lets go of it, nothing drawn. */
void plot_drop(struct plot *plot);

/* Text as a gnuplot string between double quotes may hold it. Returns out. */
char *plot_label(char *out, size_t bytes, const char *text);

#endif
