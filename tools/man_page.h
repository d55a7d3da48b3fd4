/* man_page.h - the manual page of a command, made of the table that parses its options: what --help says, in the form that man(1) reads (groff_man(7), mandoc(1)).
 *
 *     adit run --man > adit-run.1        ninja man makes all of them below build/man
 */
#ifndef ADIT_MAN_PAGE_H
#define ADIT_MAN_PAGE_H

#include "tools/options.h"

/* On stdout. also: the pages to see, "adit(1), shmtop(1)". */
void adit_man_page_print(const struct adit_usage *usage, const char *also);

/* The same parts, for who has no table of options: NAME.1's head with its one line, a section's head, and text of which lines that begin with a blank stay as they are. */
void adit_man_page_begin(const char *program, const char *summary);
void adit_man_page_section(const char *head);
void adit_man_page_text(const char *text);
/* A term and what it means. */
void adit_man_page_item(const char *term, const char *means);

#endif
