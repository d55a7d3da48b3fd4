/* shmtop_findings.c - the screen findings: what the verifier has found, when it was asked. */
#include <string.h>
#include <time.h>

#include "tools/say.h"
#include "tools/shmtop_look.h"

#define WHAT_WIDTH 34 /* what is left of 60 */

static void findings_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    const struct shmtop_findings *f = &look->model->findings;
    time_t t = (time_t)(f->wall_ns / 1000000000u);
    struct tm tm;
    char at[12] = "?";
    if (!f->is_made) {
        shmtop_page_line(page, SHMTOP_QUIET, "  nobody has asked the verifier yet; v has it look, which stores nothing");
        return;
    }
    if (!localtime_r(&t, &tm) || !strftime(at, sizeof at, "%H:%M:%S", &tm))
        at[0] = '?';
    if (f->found < 0)
        shmtop_page_line(page, SHMTOP_WARNING, "  the verifier could not look: %s", adit_strerror(f->found));
    else if (!f->found)
        shmtop_page_line(page, SHMTOP_PLAIN, "  nothing is wrong: looked at %s, for %s", at, ADIT_SAY_DURATION((double)f->took_ns));
    else
        shmtop_page_line(page, SHMTOP_WARNING, "  %s%d breaches of invariants, %u of them below: looked at %s, for %s", f->found > 1024 ? "more than " : "", f->found > 1024 ? 1024 : f->found, f->kept, at,
                         ADIT_SAY_DURATION((double)f->took_ns));
    if (f->found >= 0)
        shmtop_page_line(page, SHMTOP_QUIET, "  came past %s blocks, %s versions, %s meshes, %s tasks, %s participants", ADIT_SAY_COUNT(f->counts.blocks), ADIT_SAY_COUNT(f->counts.versions),
                         ADIT_SAY_COUNT(f->counts.meshes), ADIT_SAY_COUNT(f->counts.tasks), ADIT_SAY_COUNT(f->counts.participants));
}

static const struct shmtop_column finding_columns[] = {
    {"invariant", "INV", "The invariant that is broken, I1 to I8.", SHMTOP_TEXT, 3, 0},
    {"place", "WHERE", "What part of the arena it is.", SHMTOP_TEXT, 21, 0},
    {"what", "WHAT", "What is wrong there.", SHMTOP_TEXT, WHAT_WIDTH, 0},
    {"what_rest", "(GOES ON)", "What of that has no room before.", SHMTOP_TEXT, 59, 120},
    {"number", "NO.", "In the order in which they were found, from 1.", SHMTOP_NUMBER, 5, 126},
};

static void findings_fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    const struct shmtop_findings *f = &look->model->findings;
    for (uint32_t i = 0; i < f->kept && i < SHMTOP_FINDINGS_MAX; i++) {
        if (!shmtop_table_row(t, i, SHMTOP_WARNING))
            continue;
        shmtop_cell_text(t, f->list[i].invariant);
        shmtop_cell_text(t, f->list[i].place);
        shmtop_cell_text(t, f->list[i].what);
        shmtop_cell_text(t, strlen(f->list[i].what) > WHAT_WIDTH ? f->list[i].what + WHAT_WIDTH : "");
        shmtop_cell_number(t, i + 1);
    }
}

const struct shmtop_screen shmtop_screen_findings = {
    .name = "findings",
    .key = 'v',
    .text = "What the verifier (as `adit check`) finds wrong: of an image at once, of an arena each time that v is pressed. It is of that look, not of a moment of the history.",
    .lines = findings_lines,
    .verifies = true,
    .tables = {{"findings", "Findings", finding_columns, sizeof finding_columns / sizeof *finding_columns, findings_fill}},
    .tables_n = 1,
};
