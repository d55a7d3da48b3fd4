/* man_page.c - man(7) macros: what every system with man(1) reads. Text is escaped, so nothing in it is taken for a request. */
#include "tools/man_page.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "runtime/adit_version.h"
#include "tools/command.h"

/* A line's characters, without its end. */
static void put_escaped(const char *text, size_t bytes)
{
    if (bytes && (*text == '.' || *text == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < bytes; i++)
        switch (text[i]) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '"':
            fputs("\\(dq", stdout);
            break;
        default:
            putchar(text[i]);
        }
}

static void put(const char *text) { put_escaped(text, strlen(text)); }

/* "adit run" is the page adit-run. */
static void put_name(const char *program, bool is_upper)
{
    char name[64];
    size_t n = strlen(program) < sizeof name ? strlen(program) : sizeof name - 1;
    for (size_t i = 0; i < n; i++)
        name[i] = program[i] == ' ' ? '-' : (char)(is_upper ? toupper((unsigned char)program[i]) : program[i]);
    put_escaped(name, n);
}

void adit_man_page_begin(const char *program, const char *summary)
{
    fputs(".TH ", stdout);
    put_name(program, true);
    printf(" 1 \"\" \"adit %s\" \"adit\"\n.SH NAME\n", ADIT_VERSION);
    put_name(program, false);
    fputs(" \\- ", stdout);
    put_escaped(summary, strcspn(summary, "."));
    putchar('\n');
}

void adit_man_page_section(const char *head) { printf(".SH %s\n", head); }

void adit_man_page_text(const char *text)
{
    bool is_as_it_is = false, is_first = true;
    for (const char *line = text; *line;) {
        size_t bytes = strcspn(line, "\n");
        bool indented = bytes && (*line == ' ' || *line == '\t');
        if (indented != is_as_it_is && bytes)
            puts(!indented ? ".fi" : is_first ? ".nf" : ".PP\n.nf");
        is_as_it_is = bytes ? indented : is_as_it_is;
        if (!bytes && !is_as_it_is && !is_first && line[1])
            puts(".PP");
        else if (bytes || is_as_it_is) {
            put_escaped(line, bytes);
            putchar('\n');
        }
        is_first = false;
        line += bytes + (line[bytes] == '\n');
    }
    if (is_as_it_is)
        puts(".fi");
}

void adit_man_page_item(const char *term, const char *means)
{
    fputs(".TP\n.B \"", stdout);
    put(term);
    puts("\"");
    put(means);
    putchar('\n');
}

/* A column, below the head of its table when that has not been named yet. */
static void put_column(const char *table, const char *head, const char *text)
{
    static char last[96];
    if (strcmp(last, table)) {
        snprintf(last, sizeof last, "%s", table);
        fputs(".SS ", stdout);
        put(table);
        putchar('\n');
    }
    adit_man_page_item(head, text);
}

void adit_man_page_print(const struct adit_usage *usage, const char *also)
{
    adit_man_page_begin(usage->program, usage->summary);
    adit_man_page_section("SYNOPSIS");
    fputs(".B \"", stdout);
    put(usage->program);
    fputs("\"\n[options]", stdout);
    if (*usage->operands) {
        putchar(' ');
        put(usage->operands);
    }
    putchar('\n');
    adit_man_page_section("DESCRIPTION");
    put(usage->summary);
    putchar('\n');
    if (usage->text) {
        puts(".PP");
        adit_man_page_text(usage->text);
    }
    adit_man_page_section("OPTIONS");
    for (size_t i = 0; i < usage->options_count; i++) {
        const struct adit_option *o = &usage->options[i];
        char term[96];
        if (!o->help)
            continue;
        snprintf(term, sizeof term, "%s%s%s%s", o->name[1] ? "--" : "-", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        adit_man_page_item(term, o->help);
    }
    adit_man_page_item("--help", "what it does and its options, on stdout");
    adit_man_page_item("--man", "this page, on stdout");
    adit_man_page_item("--version", "which adit this is, on stdout");
    if (usage->tables) {
        adit_man_page_section("COLUMNS");
        usage->tables(put_column);
    }
    adit_man_page_section("EXIT STATUS");
    adit_man_page_item("0", "done");
    adit_man_page_item("1", "failed: one line on stderr says what and where");
    adit_man_page_item("2", "wrong usage or input: one line on stderr names the place and the cure");
    adit_man_page_item("130", "interrupted");
    adit_man_page_section("SEE ALSO");
    put(also);
    putchar('\n');
}
