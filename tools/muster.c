/* muster.c - arguments that come from users stand behind their option or behind --, so none is taken for another. */
#include "tools/muster.h"

#include <stdio.h>
#include <string.h>

#include "tools/feeder.h"

#define ARGUMENTS_MAX (ADIT_FEEDER_WORLDS_MAX + 32)

struct arguments {
    size_t count;
    char *at[ARGUMENTS_MAX];
};

/* Arguments are not written to; execve only wants them so. */
static void argument_add(struct arguments *a, const char *text)
{
    if (a->count + 1 < ARGUMENTS_MAX)
        a->at[a->count++] = (char *)(uintptr_t)text;
}

static void arguments_begin(struct arguments *a, const char *command, const char *label)
{
    memset(a, 0, sizeof *a);
    argument_add(a, command);
    argument_add(a, "--tether");
    argument_add(a, "3");
    argument_add(a, "--label");
    argument_add(a, label);
}
_Static_assert(ADIT_TETHER_FD == 3, "the descriptor in the arguments above");

static int spawn(struct adit_crew *crew, const char *label, struct arguments *a, char *error, size_t error_bytes)
{
    int status = adit_crew_spawn(crew, label, a->at);
    if (status)
        snprintf(error, error_bytes, "cannot start %s: %s", label, strerror(-status));
    return status;
}

static int producer_spawn(const struct adit_muster *m, uint32_t index, struct adit_crew *crew, char *error,
                          size_t error_bytes)
{
    char label[24], part[32], edits[24], seed[24];
    struct arguments a;
    snprintf(label, sizeof label, "producer %u", index + 1);
    snprintf(part, sizeof part, "%u/%u", index + 1, m->producers);
    snprintf(edits, sizeof edits, "%llu",
             (unsigned long long)(m->edits / m->producers + (index < m->edits % m->producers)));
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)m->seed);
    arguments_begin(&a, "feed", label);
    const char *const options[] = {"--part", part, "--edits", edits, "--seed", seed, "--classes",
                                   m->opaque ? "opaque" : "default"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        argument_add(&a, options[i]);
    if (m->generate) {
        argument_add(&a, "--generate");
        argument_add(&a, m->generate);
    }
    argument_add(&a, "--");
    argument_add(&a, m->arena);
    for (uint32_t i = 0; i < m->specs_count; i++)
        argument_add(&a, m->specs[i]);
    return spawn(crew, label, &a, error, error_bytes);
}

static int consumer_spawn(const struct adit_muster *m, uint32_t index, struct adit_crew *crew, char *error,
                          size_t error_bytes)
{
    char label[24];
    struct arguments a;
    snprintf(label, sizeof label, "consumer %u", index + 1);
    arguments_begin(&a, "watch", label);
    if (index == 0) {
        const struct adit_harvest_params *h = m->harvest;
        const char *const files[][2] = {
            {"--box", m->box},    {"--out", h->out},       {"--picture", h->picture}, {"--raw", h->raw},
            {"--mode", h->mode},  {"--mirror", h->mirror}, {"--winding", h->winding}};
        argument_add(&a, "--reports");
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            if (files[i][1]) {
                argument_add(&a, files[i][0]);
                argument_add(&a, files[i][1]);
            }
        if (h->no_t_junctions)
            argument_add(&a, "--no-t-junctions");
    }
    argument_add(&a, "--");
    argument_add(&a, m->arena);
    return spawn(crew, label, &a, error, error_bytes);
}

static int worker_spawn(const struct adit_muster *m, uint32_t index, struct adit_crew *crew, char *error, size_t error_bytes)
{
    char label[24], threads[24];
    struct arguments a;
    snprintf(label, sizeof label, "worker %u", index + 1);
    snprintf(threads, sizeof threads, "%llu", (unsigned long long)m->threads);
    arguments_begin(&a, "work", label);
    if (m->threads) {
        argument_add(&a, "--workers");
        argument_add(&a, threads);
    }
    if (m->tiers) {
        argument_add(&a, "--tiers");
        argument_add(&a, m->tiers);
    }
    if (m->policy) {
        argument_add(&a, "--policy");
        argument_add(&a, m->policy);
    }
    if (m->culled)
        argument_add(&a, "--culled");
    argument_add(&a, "--");
    argument_add(&a, m->arena);
    return spawn(crew, label, &a, error, error_bytes);
}

int adit_muster(const struct adit_muster *m, struct adit_crew *crew, char *error, size_t error_bytes)
{
    int status = 0;
    for (uint32_t i = 0; !status && i < m->producers; i++)
        status = producer_spawn(m, i, crew, error, error_bytes);
    for (uint32_t i = 0; !status && i < m->consumers; i++)
        status = consumer_spawn(m, i, crew, error, error_bytes);
    for (uint32_t i = 0; !status && i < m->workers; i++)
        status = worker_spawn(m, i, crew, error, error_bytes);
    return status;
}
