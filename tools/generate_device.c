/* Two batches by turns. A slot is filled, submitted when it is full, and given back chunk by chunk: the older one when the younger one is full, so that the device has
 * always one in hand while the other is published. A lost device is not asked again: its slots keep their keys, which are given back without voxels. */
#include "tools/generate_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/generate_batch.h"
#include "runtime/vigil.h"
#include "shm/shm.h"
#include "tools/devices.h"
#include "tools/interrupt.h"
#include "tools/say.h"
#include "tools/tier_table.h"
#include "tools/tiers.h"

#define BATCH_HARDWARE 64u /* chunks of 512 KiB each, on either side of the bus */
#define BATCH_SOFTWARE 16u
#define HUNG_NS 20000000000u  /* lavapipe takes 0.1 s a batch, and longer on a busy machine */

enum slot_state { FILLING, SUBMITTED, READY, GONE /* with the device: keys without voxels */ };

struct slot {
    struct adit_generate_batch *batch;
    enum slot_state state;
    uint32_t n, taken;
    struct adit_key key[BATCH_HARDWARE];
    uint32_t materials[BATCH_HARDWARE]; /* that the world of each has, air included */
    uint64_t up_ns; /* when it was submitted */
};

struct adit_generate_device {
    const char *program;
    char name[24];
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    struct slot slot[2];
    uint32_t oldest, batch_max;
    bool is_lost;
};

/* ---- which one */

#define CPU (-2)

/* CPU, or as adit_tiers_device. */
static int number_of(const char *text) { return !strcmp(text, "cpu") ? CPU : adit_tiers_device(text, strlen(text)); }

int adit_generate_wish_check(const char *text, char *line, size_t line_bytes)
{
    char shown[48];
    if (!text || number_of(text) != ADIT_TIERS_NO_DEVICE)
        return 0;
    snprintf(line, line_bytes, "--generate: nothing here is called '%s'; there are: cpu, vulkan, vulkan:N",
             adit_say_printable(shown, sizeof shown, text, strlen(text)));
    return -EINVAL;
}

static uint32_t batch_of(const struct adit_gpu_device *of) { return of->is_software ? BATCH_SOFTWARE : BATCH_HARDWARE; }

/* A verdict of the table: whether device i may be asked, and (unless it was asked for) should be. line: why not. */
static bool is_worth_it(const struct adit_gpu_list *list, const struct adit_tier_table *table, uint32_t i, bool is_asked, char *line, size_t line_bytes)
{
    char name[24];
    snprintf(name, sizeof name, "vulkan:%u", i);
    const struct adit_tier *tier = table ? adit_tier_named(table, name) : NULL;
    if (list->devices[i].unfit) {
        snprintf(line, line_bytes, "--generate: %s: %s", name, list->devices[i].unfit);
        return false;
    }
    if (tier && tier->state == ADIT_TIER_OFF) {
        char why[320];
        snprintf(line, line_bytes, "--generate: %s; `adit tiers --bench` tries it again", adit_tier_why(tier, why, sizeof why));
        return false;
    }
    return is_asked || (!list->devices[i].is_software && adit_tier_generates_cheaper(table, tier, BATCH_HARDWARE));
}

/* The device that is meant, or -1: hardware before software. */
static int choose(const struct adit_gpu_list *list, const struct adit_tier_table *table, int number, bool is_asked, char *line, size_t line_bytes)
{
    int chosen = -1;
    if (number >= 0 && (uint32_t)number >= list->n) {
        snprintf(line, line_bytes, "--generate: there is no vulkan:%d; `adit tiers` lists what there is", number);
        return -1;
    }
    for (uint32_t i = 0; i < list->n; i++)
        if ((number < 0 || (uint32_t)number == i) && (chosen < 0 || (list->devices[chosen].is_software && !list->devices[i].is_software)) &&
            is_worth_it(list, table, i, is_asked, line, line_bytes))
            chosen = (int)i;
    return chosen;
}

/* ---- open, close */

static int make_ready(struct adit_generate_device *d, const struct adit_gpu_device *of)
{
    int error = adit_gpu_open(d->list, of, &d->gpu);
    d->batch_max = batch_of(of);
    error = error ? error : adit_generate_batch_open_fitting(d->gpu, &d->batch_max, &d->slot[0].batch);
    return error ? error : adit_generate_batch_open_fitting(d->gpu, &d->batch_max, &d->slot[1].batch); /* as many or fewer */
}

/* With Vulkan open. -ENODEV, with a line where there is one to say: no device is meant. */
static int open_chosen(struct adit_generate_device *d, int number, bool is_asked, char *line, size_t line_bytes)
{
    const struct adit_tier_params p = {.program = d->program, .wish = ADIT_TIERS_CACHED, .quiet = true, .gpus = d->list};
    struct adit_tier_table *table;
    if (adit_tier_table_get(&p, &table))
        table = NULL; /* nothing is known */
    int chosen = choose(d->list, table, number, is_asked, line, line_bytes);
    adit_tier_table_free(&table);
    if (chosen < 0)
        return -ENODEV;
    snprintf(d->name, sizeof d->name, "vulkan:%d", chosen);
    int error = make_ready(d, &d->list->devices[chosen]);
    if (error)
        snprintf(line, line_bytes, "--generate: %s; leave --generate away, and the CPU does it", adit_detail());
    return error;
}

int adit_generate_device_open(const struct adit_generate_wish *wish, struct adit_generate_device **out, char *line, size_t line_bytes)
{
    int number = wish->text ? number_of(wish->text) : -1;
    *out = NULL;
    if (number == ADIT_TIERS_NO_DEVICE)
        return adit_generate_wish_check(wish->text, line, line_bytes);
    if (number == CPU || (!wish->text && !adit_devices_are_likely()))
        return 0;
    struct adit_generate_device *d = calloc(1, sizeof *d);
    if (!d) {
        snprintf(line, line_bytes, "not enough memory for batches of chunks");
        return -ENOMEM;
    }
    d->program = wish->program;
    int error = adit_gpu_list_open(&d->list);
    if (error)
        snprintf(line, line_bytes, "--generate: %s", adit_detail());
    error = error ? error : open_chosen(d, number, wish->text, line, line_bytes);
    *out = d;
    if (error)
        adit_generate_device_close(out);
    if (error && !wish->text)
        *line = 0;
    return wish->text ? error : 0;
}

void adit_generate_device_close(struct adit_generate_device **device)
{
    struct adit_generate_device *d = *device;
    if (!d)
        return;
    for (uint32_t i = 0; i < 2; i++)
        adit_generate_batch_close(&d->slot[i].batch);
    adit_gpu_close(&d->gpu);
    adit_gpu_list_close(&d->list);
    free(d);
    *device = NULL;
}

const char *adit_generate_device_name(const struct adit_generate_device *d) { return d->name; }

/* ---- chunks */

static void lose(struct adit_generate_device *d, const char *why)
{
    if (!d->is_lost)
        adit_say_note(d->program, "%s is lost, the CPU generates in its stead: %s", d->name, why);
    d->is_lost = true;
}

static void submit(struct adit_generate_device *d, struct slot *s)
{
    int error = d->is_lost ? -EIO : adit_generate_batch_submit(s->batch);
    if (error && !d->is_lost)
        lose(d, adit_detail());
    s->state = error ? GONE : SUBMITTED;
    s->up_ns = adit_clock_ns();
}

void adit_generate_device_ask(struct adit_generate_device *d, const struct adit_world *world, const struct adit_key *key)
{
    struct slot *s = &d->slot[d->oldest];
    if (s->state != FILLING)
        s = &d->slot[d->oldest ^ 1];
    if (!s->n && !d->is_lost)
        adit_generate_batch_begin(s->batch);
    int error = d->is_lost ? 0 : adit_generate_batch_add(s->batch, world->generator, world->seed, key->x, key->y, key->z);
    if (error)
        lose(d, adit_strerror(error));
    s->materials[s->n] = world->generator->materials_n;
    s->key[s->n++] = *key;
    if (s->n == d->batch_max)
        submit(d, s);
}

/* Until the device is done with it, or lost. -EINTR, or 0. */
static int await(struct adit_generate_device *d, struct slot *s)
{
    struct adit_vigil vigil = adit_vigil_begin(s->up_ns, HUNG_NS);
    int error;
    do {
        if (adit_interrupt_is_set())
            return -EINTR;
        error = adit_generate_batch_wait(s->batch, ADIT_VIGIL_LOOK_NS);
    } while (error == -ETIMEDOUT && adit_vigil_goes_on(&vigil));
    if (error == -ETIMEDOUT)
        lose(d, "a batch has not ended in 20 s; it hangs");
    else if (error)
        lose(d, adit_detail());
    s->state = error ? GONE : READY;
    return 0;
}

/* Those of the next one, unless it holds what its world does not have: then nothing of the device is believed any more. */
static const uint16_t *voxels_of(struct adit_generate_device *d, struct slot *s)
{
    const uint16_t *voxels;
    uint32_t most = 0;
    adit_generate_batch_result(s->batch, s->taken, &voxels);
    for (uint32_t v = 0; v < ADIT_CHUNK_VOXELS; v++)
        most = voxels[v] > most ? voxels[v] : most;
    if (most < s->materials[s->taken])
        return voxels;
    lose(d, "it gave a material that the world does not have");
    s->state = GONE;
    return NULL;
}

int adit_generate_device_next(struct adit_generate_device *d, bool all, struct adit_key *key, const uint16_t **voxels)
{
    struct slot *s = &d->slot[d->oldest], *other = &d->slot[d->oldest ^ 1];
    if (s->n && s->taken == s->n) {
        s->n = s->taken = 0;
        s->state = FILLING;
        d->oldest ^= 1;
        struct slot *swap = s;
        s = other;
        other = swap;
    }
    bool is_begun = s->taken || s->state == GONE; /* what is being given back goes on to its end */
    if (!s->n || (!all && !is_begun && other->state == FILLING))
        return 0;
    if (s->state == FILLING)
        submit(d, s);
    if (all && other->state == FILLING && other->n)
        submit(d, other);
    if (s->state == SUBMITTED && d->is_lost)
        s->state = GONE; /* what it has of it is not waited for */
    if (s->state == SUBMITTED && await(d, s))
        return -EINTR;
    *voxels = s->state == READY ? voxels_of(d, s) : NULL;
    *key = s->key[s->taken++];
    return 1;
}
