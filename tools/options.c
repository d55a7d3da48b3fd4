/* options.c - the table is turned into getopt_long's own, so what users know of GNU options holds: --name=value,
 * unique abbreviations, -- ends them. Messages are ours, because getopt's name neither the command nor the cure. */
#include "tools/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/adit_version.h"
#include "tools/command.h"
#include "tools/man_page.h"
#include "tools/say.h"

static void help_print(const struct adit_usage *usage)
{
    printf("usage: %s [options]%s%s\n%s\n\noptions:\n", usage->program, *usage->operands ? " " : "", usage->operands,
           usage->summary);
    for (size_t i = 0; i < usage->options_count; i++) {
        const struct adit_option *o = &usage->options[i];
        if (!o->help)
            continue;
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s", o->name[1] ? "--" : "-", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        printf("  %-24s %s\n", left, o->help);
    }
    printf("  %-24s %s\n", "--help", "this text");
    printf("  %-24s %s\n", "--man", "the same as a manual page: pipe it to `man -l -`");
    printf("  %-24s %s\n", "--version", "which adit this is");
    if (usage->text)
        printf("\n%s", usage->text);
}

int adit_options_number(const char *text, bool bytes, uint64_t *value)
{
    if (*text < '0' || *text > '9')
        return -EINVAL;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno)
        return -ERANGE;
    if (bytes && *end) {
        static const char suffixes[] = "KMGT";
        const char *s = strchr(suffixes, *end >= 'a' ? *end - 32 : *end);
        if (!s)
            return -EINVAL;
        unsigned shift = 10 * (unsigned)(s - suffixes + 1);
        if (n > UINT64_MAX >> shift)
            return -ERANGE;
        n <<= shift;
        end++;
        if (*end == 'i' && end[1] == 'B')
            end += 2;
        else if (*end == 'B')
            end++;
    }
    if (*end)
        return -EINVAL;
    *value = n;
    return 0;
}

/* Stores one option's value; false after having said what is wrong with it. */
static bool value_store(const struct adit_usage *usage, const struct adit_option *o, const char *text)
{
    if (o->kind == ADIT_OPTION_FLAG) {
        *(bool *)o->target = true;
        return true;
    }
    if (o->kind == ADIT_OPTION_TEXT) {
        if (*text) {
            *(const char **)o->target = text;
            return true;
        }
        adit_say_error(usage->program, "--%s: the value is empty; give %s", o->name, o->argument);
        return false;
    }
    uint64_t n = 0;
    bool bytes = o->kind == ADIT_OPTION_BYTES;
    if (adit_options_number(text, bytes, &n) || n < o->min || n > o->max) {
        char shown[48], low[24], high[24];
        adit_say_printable(shown, sizeof shown, text, strlen(text));
        if (bytes)
            adit_say_error(usage->program, "%s%s: '%s' is not a size from %s to %s; write it like 512M or 2G",
                           o->name[1] ? "--" : "-", o->name, shown, adit_say_bytes(low, sizeof low, o->min),
                           adit_say_bytes(high, sizeof high, o->max));
        else
            adit_say_error(usage->program, "%s%s: '%s' is not a whole number from %llu to %llu",
                           o->name[1] ? "--" : "-", o->name, shown, (unsigned long long)o->min,
                           (unsigned long long)o->max);
        return false;
    }
    *(uint64_t *)o->target = n;
    return true;
}

/* What getopt did not understand. */
static void unknown_say(const struct adit_usage *usage, char *const *argv, const struct adit_option *known, int letter)
{
    char shown[64];
    if (known) {
        adit_say_error(usage->program, "--%s takes no value; see `%s --help`", known->name, usage->program);
        return;
    }
    if (letter)
        snprintf(shown, sizeof shown, "-%c", letter >= 32 && letter < 127 ? letter : '?');
    else
        adit_say_printable(shown, sizeof shown, argv[optind - 1], strlen(argv[optind - 1]));
    const char *name = letter ? "" : argv[optind - 1] + strspn(argv[optind - 1], "-");
    size_t length = strcspn(name, "="), alike = 0;
    for (size_t i = 0; i < usage->options_count && length; i++)
        alike += !strncmp(usage->options[i].name, name, length);
    adit_say_error(usage->program, "%s: %s; `%s --help` lists what there is", alike > 1 ? "several options begin so" : "no such option", shown, usage->program);
}

int adit_options_parse(const struct adit_usage *usage, int argc, char **argv, int *first)
{
    enum { HELP = 1000, MAN, VERSION, OPTION };
    struct option longs[ADIT_OPTIONS_MAX + 4] = {0};
    char shorts[2 * ADIT_OPTIONS_MAX + 2] = ":";
    size_t shorts_n = 1, count = usage->options_count < ADIT_OPTIONS_MAX ? usage->options_count : ADIT_OPTIONS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct adit_option *o = &usage->options[i];
        bool takes = o->kind != ADIT_OPTION_FLAG;
        longs[i] = (struct option){o->name, takes ? required_argument : no_argument, NULL, OPTION + (int)i};
        if (!o->name[1]) {
            shorts[shorts_n++] = o->name[0];
            if (takes)
                shorts[shorts_n++] = ':';
        }
    }
    shorts[shorts_n] = 0;
    longs[count] = (struct option){"help", no_argument, NULL, HELP};
    longs[count + 1] = (struct option){"man", no_argument, NULL, MAN};
    longs[count + 2] = (struct option){"version", no_argument, NULL, VERSION};
    opterr = 0;
    optind = 0; /* glibc: start anew, whatever was parsed before */
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const struct adit_option *o = NULL;
        if (c == HELP) {
            help_print(usage);
            return ADIT_EXIT_DONE;
        }
        if (c == MAN) {
            adit_man_page_print(usage, "adit(1), shmtop(1), perf-lab(1)");
            return ADIT_EXIT_DONE;
        }
        if (c == VERSION) { /* of the program, whatever its subcommand */
            printf("%.*s %s\n", (int)strcspn(usage->program, " "), usage->program, ADIT_VERSION);
            return ADIT_EXIT_DONE;
        }
        for (size_t i = 0; i < count; i++)
            if (c == OPTION + (int)i || (!usage->options[i].name[1] && c == usage->options[i].name[0]))
                o = &usage->options[i];
        if (c == ':') {
            adit_say_error(usage->program, "%s needs a value; see `%s --help`", argv[optind - 1], usage->program);
            return ADIT_EXIT_BAD_INPUT;
        }
        if (c == '?' || !o) {
            const struct adit_option *known = optopt >= OPTION ? &usage->options[optopt - OPTION] : NULL;
            unknown_say(usage, argv, known, optopt < HELP ? optopt : 0);
            return ADIT_EXIT_BAD_INPUT;
        }
        if (!value_store(usage, o, optarg))
            return ADIT_EXIT_BAD_INPUT;
    }
    *first = optind;
    return ADIT_OPTIONS_GO;
}
