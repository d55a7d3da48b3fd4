/* progress.h - how far long work is, on stderr: a bar where stderr is a terminal, else a line every few seconds.
 *
 *     struct adit_progress progress = {.program = "adit run", .quiet = false};
 *     while (...) adit_progress_show(&progress, done, total, "chunks published");
 *     adit_progress_clear();
 *
 * Cheap to call often: it draws at most ten times a second, and never before the first half second has passed, so
 * short work shows nothing. One process draws; children that report to it do not.
 */
#ifndef ADIT_PROGRESS_H
#define ADIT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct adit_progress {
    const char *program;
    bool quiet;
    bool at_most;               /* total is a bound: "of at most" */
    uint64_t first_ns, last_ns; /* 0 at first */
    const char *last_what;      /* unmeasured work is told once where there is no bar */
};

/* total 0: not known; done 0 as well: what alone is shown, for work that cannot be measured. */
void adit_progress_show(struct adit_progress *progress, uint64_t done, uint64_t total, const char *what);

/* Takes a bar off the terminal's line, if one is there. */
void adit_progress_clear(void);

#endif
