/* kind_atlas.c - adit.atlas. The list of images is copied before it is judged, so that a peer that writes it meanwhile leads nowhere; texels are only copied. */
#include "runtime/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#define SIDE_MAX 16384u
#define MARGIN_MAX 64u

/* What one call works in. */
struct atlas {
    struct adit_atlas_args args;
    const uint8_t *from;
    uint8_t *to;
    struct adit_atlas_place *places;
    struct adit_atlas_result result;
    struct adit_skyline sky;
    struct listed {
        struct adit_atlas_image image;
        uint32_t number;
    } *list;
    struct adit_skyline_node *nodes;
};

/* Tallest first, then widest, then as they came. */
static int compare(const void *left, const void *right)
{
    const struct listed *l = left, *r = right;
    if (l->image.height != r->image.height)
        return l->image.height < r->image.height ? 1 : -1;
    if (l->image.width != r->image.width)
        return l->image.width < r->image.width ? 1 : -1;
    return l->number < r->number ? -1 : 1;
}

/* Copies an image and its margin to where its corner is x, y. */
static void copy(struct atlas *a, const struct adit_atlas_image *image, uint32_t x, uint32_t y)
{
    uint32_t margin = a->args.margin;
    const uint8_t *texels = a->from + image->at;
    for (uint32_t row = 0; row < image->height + 2 * margin; row++) {
        uint32_t of = row < margin ? 0 : row - margin < image->height ? row - margin : image->height - 1;
        const uint8_t *source = texels + (uint64_t)of * image->width * 4;
        uint8_t *to = a->to + ((uint64_t)(y - margin + row) * a->args.width + x) * 4;
        memcpy(to, source, (size_t)image->width * 4);
        for (uint32_t i = 1; i <= margin; i++) {
            memcpy(to - i * 4, source, 4);
            memcpy(to + (size_t)(image->width + i - 1) * 4, source + (size_t)(image->width - 1) * 4, 4);
        }
    }
}

static int place_all(const struct adit_task_run *run, struct atlas *a)
{
    uint32_t around = 2 * a->args.margin;
    for (uint32_t i = 0; i < a->args.images; i++) {
        const struct adit_atlas_image *image = &a->list[i].image;
        uint32_t x, y;
        if (adit_task_should_stop(run))
            return -ECANCELED;
        int error = adit_skyline_place(&a->sky, image->width + around, image->height + around, &x, &y);
        if (error)
            return error;
        uint32_t bottom = y + image->height + around;
        copy(a, image, x + a->args.margin, y + a->args.margin);
        a->places[a->list[i].number] = (struct adit_atlas_place){x + a->args.margin, y + a->args.margin, image->width, image->height};
        a->result.height = a->result.height < bottom ? bottom : a->result.height;
        a->result.texels += (uint64_t)image->width * image->height;
        a->result.placed++;
    }
    return 0;
}

/* Copies and judges the list. */
static int read_list(struct atlas *a, uint64_t bytes)
{
    const struct adit_atlas_image *images = (const struct adit_atlas_image *)(const void *)a->from;
    for (uint32_t i = 0; i < a->args.images; i++) {
        struct listed *l = &a->list[i];
        memcpy(&l->image, &images[i], sizeof l->image);
        l->number = i;
        uint64_t size = (uint64_t)l->image.width * l->image.height * 4;
        if (!l->image.width || !l->image.height || l->image.width > SIDE_MAX || l->image.height > SIDE_MAX || l->image.at % 4 || l->image.at > bytes ||
            size > bytes - l->image.at)
            return -EINVAL;
    }
    qsort(a->list, a->args.images, sizeof *a->list, compare);
    return 0;
}

static int check(const struct adit_task_run *run, const struct adit_atlas_args *a)
{
    const struct adit_task_buffer *b = run->buffers;
    bool are_buffers = run->buffers_n == 3 && b[0].access == ADIT_READ && b[1].access == ADIT_WRITE && b[2].access == ADIT_WRITE;
    bool are_args = a->images && a->images <= ADIT_ATLAS_IMAGES_MAX && a->width && a->width <= SIDE_MAX && a->height && a->height <= SIDE_MAX && a->margin <= MARGIN_MAX;
    if (!are_buffers || !are_args)
        return -EINVAL;
    return b[0].bytes < a->images * sizeof(struct adit_atlas_image) || b[1].bytes < (uint64_t)a->width * a->height * 4 ||
                   b[2].bytes < a->images * sizeof(struct adit_atlas_place)
               ? -EINVAL
               : 0;
}

int adit_kind_atlas(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    struct atlas a = {.from = NULL};
    memcpy(&a.args, args, sizeof a.args);
    int status = check(run, &a.args);
    if (status)
        return status;
    a.from = run->buffers[0].data;
    a.to = run->buffers[1].data;
    a.places = run->buffers[2].data;
    a.list = malloc(a.args.images * sizeof *a.list);
    a.nodes = malloc((a.args.images + 1) * sizeof *a.nodes);
    status = a.list && a.nodes ? read_list(&a, run->buffers[0].bytes) : -ENOMEM;
    if (!status) {
        adit_skyline_init(&a.sky, a.args.width, a.args.height, a.nodes, a.args.images + 1);
        status = place_all(run, &a);
    }
    free(a.list);
    free(a.nodes);
    adit_kind_result(result, result_bytes, &a.result, sizeof a.result);
    return status;
}
