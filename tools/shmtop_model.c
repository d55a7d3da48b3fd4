/* shmtop_model.c - counters only grow, but a slot may be taken by another process between two samples: then the
 * generation differs, and there is no rate to tell. */
#include "tools/shmtop_model.h"

#include <stddef.h>
#include <string.h>

#include "tools/arena_json.h"
#include "tools/jsonout.h"

struct shmtop_sample *shmtop_model_next(struct shmtop_model *model)
{
    return &model->samples[model->taken % 2];
}

/* Columns are counted in characters, so a label from shared memory becomes ASCII, and none that steers a terminal. */
static void label_clean(char *label, size_t bytes)
{
    for (size_t i = 0; i < bytes && label[i]; i++)
        if (label[i] < 0x20 || label[i] > 0x7e)
            label[i] = '?';
    label[bytes - 1] = 0;
}

void shmtop_model_commit(struct shmtop_model *model)
{
    struct shmtop_sample *s = shmtop_model_next(model);
    for (uint32_t i = 0; i < s->participants_count; i++)
        label_clean(s->participants[i].label, sizeof s->participants[i].label);
    if (s->stats.deserted && !model->left_wall_ns)
        model->left_wall_ns = s->taken_wall_ns;
    if (!s->stats.deserted)
        model->left_wall_ns = 0;
    model->trouble[0] = 0;
    model->taken++;
}

const struct shmtop_sample *shmtop_model_last(const struct shmtop_model *model)
{
    return model->taken ? &model->samples[(model->taken - 1) % 2] : NULL;
}

const struct shmtop_sample *shmtop_model_before(const struct shmtop_model *model)
{
    return model->taken > 1 ? &model->samples[model->taken % 2] : NULL;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return now > before ? (double)(now - before) / seconds : 0;
}

struct shmtop_rates shmtop_model_rates(const struct shmtop_model *model, const struct adit_participant_info *p)
{
    struct shmtop_rates r = {0};
    const struct shmtop_sample *now = shmtop_model_last(model), *before = shmtop_model_before(model);
    if (!before || now->taken_ns <= before->taken_ns)
        return r;
    double seconds = (double)(now->taken_ns - before->taken_ns) / 1e9;
    for (uint32_t i = 0; i < before->participants_count; i++) {
        const struct adit_participant_info *b = &before->participants[i];
        if (b->slot != p->slot || b->generation != p->generation)
            continue;
        r.published = rate(p->published, b->published, seconds);
        r.edits = rate(p->edits, b->edits, seconds);
        r.meshed = rate(p->meshed, b->meshed, seconds);
        r.retired = rate(p->retired, b->retired, seconds);
        r.reclaimed = rate(p->reclaimed, b->reclaimed, seconds);
        r.grace_periods = rate(p->grace_periods, b->grace_periods, seconds);
    }
    return r;
}

struct shmtop_rates shmtop_model_rates_all(const struct shmtop_model *model)
{
    struct shmtop_rates sum = {0};
    const struct shmtop_sample *now = shmtop_model_last(model);
    for (uint32_t i = 0; now && i < now->participants_count; i++) {
        struct shmtop_rates r = shmtop_model_rates(model, &now->participants[i]);
        sum.published += r.published;
        sum.edits += r.edits;
        sum.meshed += r.meshed;
        sum.retired += r.retired;
        sum.reclaimed += r.reclaimed;
        sum.grace_periods += r.grace_periods;
    }
    return sum;
}

uint64_t shmtop_model_behind(const struct shmtop_sample *sample, const struct adit_participant_info *p)
{
    return p->oldest_epoch && sample->stats.epoch > p->oldest_epoch ? sample->stats.epoch - p->oldest_epoch : 0;
}

static void rates_set(json_t *o, const struct shmtop_rates *r)
{
    adit_jsonout_set_real(o, "published_per_s", r->published);
    adit_jsonout_set_real(o, "edits_per_s", r->edits);
    adit_jsonout_set_real(o, "meshed_per_s", r->meshed);
    adit_jsonout_set_real(o, "reclaimed_per_s", r->reclaimed);
    adit_jsonout_set_real(o, "grace_periods_per_s", r->grace_periods);
}

json_t *shmtop_model_json(const struct shmtop_model *model)
{
    const struct shmtop_sample *s = shmtop_model_last(model);
    if (!s)
        return json_object();
    json_t *o = adit_arena_stats_json(&s->stats), *list = json_array();
    struct shmtop_rates all = shmtop_model_rates_all(model);
    adit_jsonout_set_count(o, "taken_ns", s->taken_wall_ns);
    rates_set(o, &all);
    adit_jsonout_set(o, "segments", adit_arena_segments_json(&s->stats));
    for (uint32_t i = 0; i < s->participants_count; i++) {
        json_t *p = adit_arena_participant_json(&s->participants[i]);
        struct shmtop_rates r = shmtop_model_rates(model, &s->participants[i]);
        rates_set(p, &r);
        adit_jsonout_set_count(p, "epochs_behind", shmtop_model_behind(s, &s->participants[i]));
        json_array_append_new(list, p);
    }
    adit_jsonout_set(o, "participant_list", list);
    return o;
}
