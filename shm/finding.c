#include "shm/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES (2 * ADIT_FINDINGS_MAX) /* of the table, a power of two */
#define WORDS_MAX (8 * ADIT_FINDINGS_MAX) /* findings put into words a look: hostile memory has no end of them */

struct adit_findings {
    struct adit_finding *kept; /* grows */
    uint32_t n, room;
    uint32_t look;
    uint32_t words; /* findings of this look */
    bool is_cut;
    uint16_t table[PLACES]; /* by id: index + 1 of kept, 0 none */
};

int adit_findings_open(struct adit_findings **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void adit_findings_close(struct adit_findings **findings)
{
    if (*findings)
        free((*findings)->kept);
    free(*findings);
    *findings = NULL;
}

void adit_findings_look(struct adit_findings *findings)
{
    findings->look++;
    findings->words = 0;
}

/* FNV-1a; strings with their ends, so that they do not run together. */
static uint64_t mix(uint64_t h, const char *text)
{
    do
        h = (h ^ (uint8_t)*text) * 0x100000001b3ull;
    while (*text++);
    return h;
}

/* Where id stands in the table, or the free place for it. The table is never more than half full. */
static uint32_t place_of(const struct adit_findings *f, uint64_t id)
{
    uint32_t at = (uint32_t)(id ^ id >> 32) & (PLACES - 1);
    while (f->table[at] && f->kept[f->table[at] - 1].id != id)
        at = (at + 1) & (PLACES - 1);
    return at;
}

static bool has_room(struct adit_findings *f)
{
    if (f->n < f->room)
        return true;
    uint32_t more = f->room ? f->room * 4 : 16;
    more = more < ADIT_FINDINGS_MAX ? more : ADIT_FINDINGS_MAX;
    struct adit_finding *grown = f->n < more ? realloc(f->kept, more * sizeof *grown) : NULL;
    if (!grown)
        return false;
    f->kept = grown;
    f->room = more;
    return true;
}

void adit_finding_add(struct adit_findings *findings, const char *invariant, const char *format, ...)
{
    struct adit_findings *f = findings;
    char text[sizeof f->kept->place + sizeof f->kept->what];
    struct adit_finding made = {.look = f->look};
    if (++f->words > WORDS_MAX || (f->look == 1 && f->is_cut)) {
        f->is_cut |= f->look == 1;
        return;
    }
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char *what = strchr(text, '|');
    if (what)
        *what++ = 0;
    snprintf(made.invariant, sizeof made.invariant, "%s", invariant);
    snprintf(made.place, sizeof made.place, "%.*s", (int)sizeof made.place - 1, text);
    snprintf(made.what, sizeof made.what, "%.*s", (int)sizeof made.what - 1, what ? what : "");
    made.id = mix(mix(mix(0xcbf29ce484222325ull, made.invariant), made.place), made.what);
    uint32_t at = place_of(f, made.id);
    if (f->table[at]) {
        struct adit_finding *before = &f->kept[f->table[at] - 1];
        before->look = before->look == f->look - 1 ? f->look : before->look;
    } else if (f->look == 1 && !has_room(f)) {
        f->is_cut = true;
    } else if (f->look == 1) {
        f->kept[f->n++] = made;
        f->table[at] = (uint16_t)f->n;
    }
}

uint32_t adit_findings_count(const struct adit_findings *findings)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < findings->n; i++)
        n += findings->kept[i].look == findings->look;
    return n;
}

void adit_findings_each(const struct adit_findings *findings, void (*each)(const struct adit_finding *finding, void *user),
                        void *user)
{
    for (uint32_t i = 0; i < findings->n; i++)
        if (findings->kept[i].look == findings->look)
            each(&findings->kept[i], user);
}

bool adit_findings_is_cut(const struct adit_findings *findings) { return findings->is_cut; }
