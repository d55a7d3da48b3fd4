#include "runtime/agenda.h"

#define WORTH 16u /* times as long as the walk took */

static void swap(struct adit_agenda_item *a, struct adit_agenda_item *b)
{
    struct adit_agenda_item was = *a;
    *a = *b;
    *b = was;
}

/* The heap [0, n) is one but for at, which may be too good for its place. */
static void sift(struct adit_agenda_item *item, uint32_t n, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && item[child + 1].rank > item[child].rank;
        if (item[child].rank <= item[at].rank)
            return;
        swap(&item[child], &item[at]);
    }
}

void adit_agenda_begin(struct adit_agenda *a, uint32_t max, uint64_t now_ns)
{
    a->max = max;
    a->begun_ns = now_ns;
    a->n = a->taken = 0;
}

void adit_agenda_add(struct adit_agenda *a, uint32_t index, int32_t rank)
{
    if (a->n == a->max) {
        if (rank >= a->item[0].rank)
            return;
        a->item[0] = (struct adit_agenda_item){rank, index};
        sift(a->item, a->n, 0);
        return;
    }
    uint32_t at = a->n++;
    a->item[at] = (struct adit_agenda_item){rank, index};
    for (; at && a->item[(at - 1) / 2].rank < a->item[at].rank; at = (at - 1) / 2)
        swap(&a->item[(at - 1) / 2], &a->item[at]);
}

void adit_agenda_end(struct adit_agenda *a, uint64_t now_ns)
{
    for (uint32_t n = a->n; n > 1;) {
        swap(&a->item[0], &a->item[--n]);
        sift(a->item, n, 0);
    }
    a->fresh_ns = now_ns + WORTH * (now_ns - a->begun_ns);
}
