/* options.h - options of a command as a table, from which both the parsing (getopt_long) and the help text come.
 *
 *     struct { const char *out; bool json; uint64_t workers; } o = {0};
 *     const struct adit_option table[] = {
 *         {"out", "FILE", ADIT_OPTION_TEXT, &o.out, 0, 0, "write the meshes to FILE"},
 *         {"workers", "N", ADIT_OPTION_COUNT, &o.workers, 1, 1024, "meshing threads (default: one a CPU)"},
 *         {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
 *     };
 *     const struct adit_usage usage = {"adit run", "WORLD...", "What it does.", "More about it.", table, 3};
 *     int status = adit_options_parse(&usage, argc, argv, &first);
 *     if (status != ADIT_OPTIONS_GO) return status;
 *
 * Every table has --help by itself, --man, its manual page (man_page.h), which also has what the columns of its tables are, and --version. A wrong option gives one line on stderr with the cure.
 */
#ifndef ADIT_OPTIONS_H
#define ADIT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADIT_OPTIONS_MAX 32
#define ADIT_OPTIONS_GO (-1) /* parsed, go on; any other value is the exit code */

enum adit_option_kind {
    ADIT_OPTION_FLAG,   /* bool */
    ADIT_OPTION_COUNT,  /* uint64_t, min..max */
    ADIT_OPTION_BYTES,  /* uint64_t, with K, M, G, T as powers of 1024, min..max */
    ADIT_OPTION_TEXT,   /* const char *, not empty */
};

struct adit_option {
    const char *name;     /* without the dashes; one letter makes a short option */
    const char *argument; /* what the help calls it; NULL for flags */
    enum adit_option_kind kind;
    void *target;
    uint64_t min, max;
    const char *help; /* NULL: not in the help, for what this program's own processes tell each other */
};

/* Called for each column of each table: what the table's rows are, the column's head, and what it is (columns.h). */
typedef void adit_column_tell(const char *table, const char *head, const char *text);

struct adit_usage {
    const char *program;   /* "adit run": begins every line */
    const char *operands;  /* "WORLD..." */
    const char *summary;   /* one line */
    const char *text;      /* below the options, may be NULL */
    const struct adit_option *options;
    size_t options_count;
    void (*tables)(adit_column_tell *tell); /* tells of all columns that the command prints, for the manual page; NULL: there are none */
};

/* Parses argv[1..]. Options and operands may stand in any order; *first is the index of the first operand, and argv has
 * been put in order. Returns ADIT_OPTIONS_GO, or the code to exit with: help was shown, or a line of error was. */
int adit_options_parse(const struct adit_usage *usage, int argc, char **argv, int *first);

/* A number, all of text: 0, or -EINVAL, -ERANGE. bytes: suffixes are understood. */
int adit_options_number(const char *text, bool bytes, uint64_t *value);

#endif
