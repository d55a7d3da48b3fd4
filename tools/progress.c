/* progress.c - whether a bar stands on the line is a fact of the terminal, hence of the process: one static flag, so
 * that whoever prints an error takes the bar away first. */
#include "tools/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/moment.h"
#include "tools/say.h"

#define FIRST_NS 500000000ull
#define BAR_NS 100000000ull
#define LINE_NS 3000000000ull
#define BAR_CELLS 30

static bool bar_is_shown;

void adit_progress_clear(void)
{
    if (bar_is_shown)
        fputs("\r\033[K", stderr);
    bar_is_shown = false;
}

void adit_progress_show(struct adit_progress *progress, uint64_t done, uint64_t total, const char *what)
{
    uint64_t now = adit_moment_ns();
    if (!progress->first_ns)
        progress->first_ns = now;
    bool terminal = isatty(STDERR_FILENO);
    if (progress->quiet || now - progress->first_ns < FIRST_NS ||
        now - progress->last_ns < (terminal ? BAR_NS : LINE_NS))
        return;
    if (!terminal && !total && !done && progress->last_what == what)
        return;
    progress->last_ns = now;
    progress->last_what = what;
    char line[192];
    const char *of = !total ? "" : progress->at_most ? " of at most " : " of ", *all = total ? ADIT_SAY_COUNT(total) : "";
    if (terminal && total) {
        char bar[BAR_CELLS + 1];
        uint64_t full = done >= total ? BAR_CELLS : done * BAR_CELLS / total;
        for (uint64_t i = 0; i < BAR_CELLS; i++)
            bar[i] = i < full ? '#' : '.';
        bar[BAR_CELLS] = 0;
        snprintf(line, sizeof line, "\r\033[K%s: [%s] %s%s%s %s", progress->program, bar, ADIT_SAY_COUNT(done), of, all,
                 what);
    } else if (!total && !done) {
        snprintf(line, sizeof line, "%s%s: %s%s", terminal ? "\r\033[K" : "", progress->program, what, terminal ? "" : "\n");
    } else {
        snprintf(line, sizeof line, "%s%s: %s%s%s %s%s", terminal ? "\r\033[K" : "", progress->program,
                 ADIT_SAY_COUNT(done), of, all, what, terminal ? "" : "\n");
    }
    fputs(line, stderr);
    bar_is_shown = terminal;
}
