#include "tools/stats_textfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/arena_open.h"
#include "tools/command.h"
#include "tools/exports/sink.h"
#include "tools/interrupt.h"
#include "tools/moment.h"
#include "tools/say.h"
#include "tools/stats_export.h"

#define STEP_NS 100000000ull

int adit_stats_textfile_write(const struct adit_arena *arena, const char *name, const char *path, char *error, size_t error_bytes)
{
    struct adit_sink *sink = NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    bool failed = !out;
    if (out) {
        adit_stats_prometheus(arena, name, out);
        failed = ferror(out);
        failed |= fclose(out) != 0;
    }
    int status = failed ? -ENOMEM : adit_sink_open(path, &sink, error, error_bytes);
    if (failed)
        snprintf(error, error_bytes, "%s: no memory to write it", path);
    if (sink) {
        adit_sink_write(sink, text, bytes);
        status = adit_sink_commit(&sink, error, error_bytes);
    }
    free(text);
    return status;
}

/* Sleeps in steps, to see a signal. */
static void wait_until(struct adit_stats_source *source, uint64_t until)
{
    for (uint64_t now; (now = adit_moment_ns()) < until && !adit_interrupt_is_set();) {
        adit_moment_sleep(until - now < STEP_NS ? until - now : STEP_NS);
        adit_stats_source_look(source);
    }
}

int adit_stats_textfile_run(struct adit_stats_source *source, const char *path, uint64_t every_s)
{
    bool is_written = false, was_there = true;
    char name[96], error[512];
    adit_say_printable(name, sizeof name, source->name, strlen(source->name));
    adit_interrupt_install();
    while (!adit_interrupt_is_set()) {
        uint64_t next = adit_moment_ns() + every_s * 1000000000ull; /* from now: what was stopped for long writes once, not once for each time */
        struct adit_arena *arena = adit_stats_source_get(source);
        int status = arena ? adit_stats_textfile_write(arena, name, path, error, sizeof error) : 0;
        if (status)
            adit_say_error(source->program, "%s", error);
        if (status && !is_written)
            return adit_arena_exit(status);
        if (arena != NULL && !was_there)
            adit_say_note(source->program, "%s is there again", name);
        if (!arena && was_there)
            adit_say_note(source->program, "%s; %s is away until it is there", source->line, path);
        if (!arena && is_written && !unlink(path))
            is_written = false;
        is_written |= arena && !status;
        was_there = arena != NULL;
        wait_until(source, next);
    }
    return ADIT_EXIT_DONE;
}
