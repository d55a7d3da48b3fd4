/* finding.h - what a verifier found, over several looks.
 *
 * Others go on while one walks, so a walk may see half of a change. A finding therefore counts only when it is made in every
 * look, in the same words (which carry the values seen): a change under way has ended by the next look, or has other values.
 *
 *     adit_findings_open(&f);
 *     do {
 *         adit_findings_look(f);                        adit_finding_add(f, "I1", "segment 1 granule 7|no block", ...)
 *     } while (adit_findings_count(f) && looks-- > 1);
 *     adit_findings_each(f, each, user);
 *
 * Private memory of one thread. At most ADIT_FINDINGS_MAX are kept; is_cut tells that there were more.
 */
#ifndef ADIT_FINDING_H
#define ADIT_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_FINDINGS_MAX 1024u

struct adit_finding {
    uint64_t id; /* a hash of the rest */
    uint32_t look; /* the last one that made it */
    char invariant[8];
    char place[64], what[192];
};

struct adit_findings;

/* -ENOMEM. */
int adit_findings_open(struct adit_findings **out);
void adit_findings_close(struct adit_findings **findings);

/* Begins the next look. */
void adit_findings_look(struct adit_findings *findings);
/* A finding of this look. format: the place, '|', and what is wrong there, in printf's manner. */
void adit_finding_add(struct adit_findings *findings, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* How many were made in every look so far, and each of them in the order of the first look. */
uint32_t adit_findings_count(const struct adit_findings *findings);
void adit_findings_each(const struct adit_findings *findings, void (*each)(const struct adit_finding *finding, void *user),
                        void *user);
/* The first look made more than can be kept. */
bool adit_findings_is_cut(const struct adit_findings *findings);

#endif
