/* shmtop_view.c - every line is cut at the width; columns are wide enough for what the counters of a day reach. */
#include "tools/shmtop_view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/arena_json.h"
#include "tools/say.h"

struct layout {
    const struct shmtop_model *model;
    const struct shmtop_sample *sample;
    struct shmtop_page *page;
    uint32_t width;
};

__attribute__((format(printf, 3, 4))) static void line_add(struct layout *l, enum shmtop_style style,
                                                           const char *format, ...)
{
    if (l->page->count == SHMTOP_LINES_MAX)
        return;
    struct shmtop_line *line = &l->page->lines[l->page->count++];
    line->style = style;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text, l->width + 1, format, arguments);
    va_end(arguments);
}

const char *shmtop_view_name(enum shmtop_screen screen)
{
    static const char *const names[SHMTOP_SCREENS] = {"overview", "participants", "memory"};
    return names[screen];
}

static char *clock_text(uint64_t wall_ns, char out[12])
{
    time_t t = (time_t)(wall_ns / 1000000000ull);
    struct tm tm;
    if (!localtime_r(&t, &tm) || !strftime(out, 12, "%H:%M:%S", &tm))
        snprintf(out, 12, "?");
    return out;
}

static char *span_text(uint64_t ns, char out[24])
{
    unsigned long long s = ns / 1000000000ull;
    if (s < 86400)
        snprintf(out, 24, "%02llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 24, "%llud %02lluh", s / 86400, s / 3600 % 24);
    return out;
}

/* A rate with the digits it is worth. */
static char *rate_text(double rate, char out[16])
{
    if (rate >= 1e6)
        snprintf(out, 16, "%.1fM", rate / 1e6);
    else if (rate >= 1e4)
        snprintf(out, 16, "%.1fk", rate / 1e3);
    else
        snprintf(out, 16, rate > 0 && rate < 10 ? "%.1f" : "%.0f", rate);
    return out;
}
#define RATE(v) rate_text((v), (char[16]){0})

/* used of all as a bar of the given number of cells. */
static void bar_fill(char *out, uint32_t cells, uint64_t used, uint64_t all)
{
    uint32_t full = all ? (uint32_t)((double)used / (double)all * cells + 0.5) : 0;
    full = full > cells ? cells : full == 0 && used ? 1 : full;
    memset(out, '#', full);
    memset(out + full, '.', cells - full);
    out[cells] = 0;
}

static void head_layout(struct layout *l, enum shmtop_screen screen)
{
    const struct shmtop_sample *s = l->sample;
    char now[12], left[12], span[24];
    uint64_t age = s->taken_wall_ns > s->stats.created_ns ? s->taken_wall_ns - s->stats.created_ns : 0;
    line_add(l, SHMTOP_TITLE, "%s  %s  up %s  %s", l->model->name, shmtop_view_name(screen), span_text(age, span),
             clock_text(s->taken_wall_ns, now));
    if (l->model->left_wall_ns)
        line_add(l, SHMTOP_WARNING, "the last producer has left, seen %s; nothing changes any more",
                 clock_text(l->model->left_wall_ns, left));
    if (*l->model->trouble)
        line_add(l, SHMTOP_WARNING, "%s", l->model->trouble);
    line_add(l, SHMTOP_PLAIN, "%s", "");
}

/* ---- overview --------------------------------------------------------------------------------------------------- */

static void data_sum(const struct adit_stats *s, struct adit_segment_stats *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t i = 1; i < s->segments_n && i < sizeof s->segments / sizeof *s->segments; i++) {
        sum->bytes += s->segments[i].bytes;
        sum->free_bytes += s->segments[i].free_bytes;
        sum->loaned_bytes += s->segments[i].loaned_bytes;
        sum->published_bytes += s->segments[i].published_bytes;
        sum->retired_bytes += s->segments[i].retired_bytes;
    }
}

/* Who holds reclaiming back most. */
static void oldest_layout(struct layout *l)
{
    const struct shmtop_sample *s = l->sample;
    const struct adit_participant_info *oldest = NULL;
    for (uint32_t i = 0; i < s->participants_count; i++) {
        const struct adit_participant_info *p = &s->participants[i];
        if (p->oldest_epoch && (!oldest || p->oldest_epoch < oldest->oldest_epoch))
            oldest = p;
    }
    if (oldest)
        line_add(l, shmtop_model_behind(s, oldest) > 1 ? SHMTOP_WARNING : SHMTOP_PLAIN,
                 "  section     oldest: %s (pid %u), %llu epochs behind", oldest->label, oldest->pid,
                 (unsigned long long)shmtop_model_behind(s, oldest));
    else
        line_add(l, SHMTOP_PLAIN, "  section     nobody is inside one; epoch %llu", (unsigned long long)s->stats.epoch);
}

static void overview_layout(struct layout *l)
{
    const struct adit_stats *s = &l->sample->stats;
    struct shmtop_rates r = shmtop_model_rates_all(l->model);
    struct adit_segment_stats data;
    char bar[41];
    data_sum(s, &data);
    uint64_t used = data.bytes - data.free_bytes;
    bar_fill(bar, l->width >= 100 ? 40 : 20, used, data.bytes);
    line_add(l, SHMTOP_PLAIN, "  data        [%s] %.1f %% of %s", bar,
             data.bytes ? 100.0 * (double)used / (double)data.bytes : 0.0, ADIT_SAY_BYTES(data.bytes));
    line_add(l, SHMTOP_PLAIN, "  blocks      published %s, retired %s, on loan %s", ADIT_SAY_BYTES(data.published_bytes),
             ADIT_SAY_BYTES(data.retired_bytes), ADIT_SAY_BYTES(data.loaned_bytes));
    line_add(l, SHMTOP_PLAIN, "  chunks      %s (%s of %s keys): %s uniform, %s bricks, %s dense, %s removed",
             ADIT_SAY_COUNT(s->chunks), ADIT_SAY_COUNT(s->keys), ADIT_SAY_COUNT(s->keys_max), ADIT_SAY_COUNT(s->encodings[1]),
             ADIT_SAY_COUNT(s->encodings[2]), ADIT_SAY_COUNT(s->encodings[3]), ADIT_SAY_COUNT(s->encodings[4]));
    line_add(l, SHMTOP_PLAIN, "  voxels      %s in %s", ADIT_SAY_COUNT(s->voxels), ADIT_SAY_BYTES(s->version_bytes));
    line_add(l, SHMTOP_PLAIN, "  meshes      %s: %s quads, %s faces in %s", ADIT_SAY_COUNT(s->meshes),
             ADIT_SAY_COUNT(s->quads), ADIT_SAY_COUNT(s->faces), ADIT_SAY_BYTES(s->mesh_bytes));
    line_add(l, SHMTOP_PLAIN, "  to mesh     %s dirty, %s in work", ADIT_SAY_COUNT(s->dirty), ADIT_SAY_COUNT(s->in_work));
    line_add(l, SHMTOP_PLAIN, "  per second  %s published, %s edits, %s meshed, %s reclaimed, %s grace periods",
             RATE(r.published), RATE(r.edits), RATE(r.meshed), RATE(r.reclaimed), RATE(r.grace_periods));
    line_add(l, SHMTOP_PLAIN, "  attached    %u of %u participants, %u of %u readers, %u of %u watches", s->participants,
             s->participants_max, s->readers, s->readers_max, s->watches, s->watches_max);
    oldest_layout(l);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* A column, and the narrowest page that has it: what matters less goes first. */
struct column {
    const char *head;
    int width; /* negative: to the left */
    uint32_t from_width;
};
#define CELL_BYTES 24
#define CELLS_MAX 12

static void row_add(struct layout *l, enum shmtop_style style, const struct column *columns, uint32_t count,
                    char cells[][CELL_BYTES])
{
    char text[SHMTOP_WIDTH_MAX + 1] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < count && at < sizeof text; i++) {
        const struct column *c = &columns[i];
        int width = c->width < 0 ? -c->width : c->width;
        if (c->from_width <= l->width)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%*.*s", at ? " " : "", c->width, width,
                                   cells ? cells[i] : c->head);
    }
    line_add(l, style, "%s", text);
}

static void participants_layout(struct layout *l)
{
    static const struct column columns[] = {{"SLOT", 4, 70},     {"PID", 8, 0},      {"ROLE", -8, 80},
                                            {"STATE", -7, 0},    {"LABEL", -12, 0},  {"PUB/s", 7, 0},
                                            {"EDIT/s", 7, 0},    {"MESH/s", 7, 0},   {"LIMBO", 9, 96},
                                            {"RDRS", 4, 96},    {"PINS", 4, 96},   {"BEHIND", 6, 0}};
    const uint32_t count = sizeof columns / sizeof *columns;
    const struct shmtop_sample *s = l->sample;
    row_add(l, SHMTOP_HEAD, columns, count, NULL);
    l->page->head = l->page->count;
    for (uint32_t i = 0; i < s->participants_count; i++) {
        const struct adit_participant_info *p = &s->participants[i];
        struct shmtop_rates r = shmtop_model_rates(l->model, p);
        char cells[CELLS_MAX][CELL_BYTES];
        snprintf(cells[0], CELL_BYTES, "%u", p->slot);
        snprintf(cells[1], CELL_BYTES, "%u", p->pid);
        snprintf(cells[2], CELL_BYTES, "%s", adit_arena_role(p->role));
        snprintf(cells[3], CELL_BYTES, "%s", p->gone ? "gone" : p->state);
        snprintf(cells[4], CELL_BYTES, "%.20s", p->label);
        snprintf(cells[5], CELL_BYTES, "%s", RATE(r.published));
        snprintf(cells[6], CELL_BYTES, "%s", RATE(r.edits));
        snprintf(cells[7], CELL_BYTES, "%s", RATE(r.meshed));
        adit_say_bytes(cells[8], CELL_BYTES, p->limbo_bytes);
        snprintf(cells[9], CELL_BYTES, "%u", p->readers);
        snprintf(cells[10], CELL_BYTES, "%u", p->pins);
        snprintf(cells[11], CELL_BYTES, "%llu", (unsigned long long)shmtop_model_behind(s, p));
        row_add(l, p->gone ? SHMTOP_WARNING : SHMTOP_PLAIN, columns, count, cells);
    }
}

static void segment_layout(struct layout *l, const struct column *columns, uint32_t count, uint32_t i)
{
    const struct adit_segment_stats *g = &l->sample->stats.segments[i];
    char cells[CELLS_MAX][CELL_BYTES], bar[61];
    snprintf(cells[0], CELL_BYTES, i ? "data %u" : "heap", i);
    snprintf(cells[1], CELL_BYTES, g->node < 0 ? "-" : "%d", g->node);
    adit_say_bytes(cells[2], CELL_BYTES, g->bytes);
    adit_say_bytes(cells[3], CELL_BYTES, g->published_bytes);
    adit_say_bytes(cells[4], CELL_BYTES, g->retired_bytes);
    adit_say_bytes(cells[5], CELL_BYTES, g->loaned_bytes);
    adit_say_bytes(cells[6], CELL_BYTES, g->free_bytes);
    adit_say_bytes(cells[7], CELL_BYTES, g->largest_free_bytes);
    snprintf(cells[8], CELL_BYTES, "%u", g->blocks);
    adit_say_bytes(cells[9], CELL_BYTES, g->page_bytes);
    row_add(l, SHMTOP_PLAIN, columns, count, cells);
    bar_fill(bar, l->width >= 100 ? 60 : 40, g->bytes - g->free_bytes, g->bytes);
    line_add(l, SHMTOP_PLAIN, "         [%s] %.1f %%", bar,
             g->bytes ? 100.0 * (double)(g->bytes - g->free_bytes) / (double)g->bytes : 0.0);
}

static void memory_layout(struct layout *l)
{
    static const struct column columns[] = {{"SEGMENT", -8, 0}, {"NODE", 4, 80},     {"SIZE", 9, 0},    {"PUBLISHED", 9, 0},
                                            {"RETIRED", 9, 0},  {"ON LOAN", 9, 0},   {"FREE", 9, 0},    {"LARGEST", 9, 80},
                                            {"BLOCKS", 7, 92},  {"PAGE", 7, 100}};
    const uint32_t count = sizeof columns / sizeof *columns;
    const struct adit_stats *s = &l->sample->stats;
    row_add(l, SHMTOP_HEAD, columns, count, NULL);
    l->page->head = l->page->count;
    for (uint32_t i = 0; i < s->segments_n && i < sizeof s->segments / sizeof *s->segments; i++)
        segment_layout(l, columns, count, i);
    line_add(l, SHMTOP_PLAIN, "%s", "");
    line_add(l, SHMTOP_PLAIN, "  versions    %s, of that %s content", ADIT_SAY_BYTES(s->version_bytes),
             ADIT_SAY_BYTES(s->version_payload_bytes));
    line_add(l, SHMTOP_PLAIN, "  meshes      %s", ADIT_SAY_BYTES(s->mesh_bytes));
    line_add(l, SHMTOP_PLAIN, "  control     %s", ADIT_SAY_BYTES(s->control_bytes));
}

void shmtop_view_layout(const struct shmtop_model *model, enum shmtop_screen screen, uint32_t width,
                        struct shmtop_page *page)
{
    struct layout l = {.model = model, .sample = shmtop_model_last(model), .page = page};
    l.width = width < SHMTOP_WIDTH_MIN ? SHMTOP_WIDTH_MIN : width > SHMTOP_WIDTH_MAX ? SHMTOP_WIDTH_MAX : width;
    page->count = page->head = 0;
    if (!l.sample) {
        line_add(&l, SHMTOP_WARNING, "%s: %s", model->name, *model->trouble ? model->trouble : "no sample yet");
        return;
    }
    head_layout(&l, screen);
    page->head = page->count;
    switch (screen) {
    case SHMTOP_PARTICIPANTS:
        participants_layout(&l);
        break;
    case SHMTOP_MEMORY:
        memory_layout(&l);
        break;
    default:
        overview_layout(&l);
        break;
    }
}
