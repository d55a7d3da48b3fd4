/* Why this is correct: frames in [head, tail) are the reader's, all others the writer's, and each index is moved by one side, after it has done with
 * what it gives away (labels and deaths in samples.h). A copy of the other's index is an older value of it, so what a side takes for
 * its own by it is its own. The copies lie in shared memory, on the line of their side's index, so that one who takes over could find a copy that
 * its predecessor loaded: it loads anew, as the order that the load gave was the predecessor's.
 *
 * Bounded whatever stands in the head: n frames are at most the capacity, their places are masked, and no loop depends on it. */
#include "shm/samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shm/event.h"
#include "shm/ring.h"
#include "shm/ring_names.h"

struct adit_samples {
    struct adit_ring ring;
};

int adit_shm_samples_open(struct adit_arena *arena, const char *name, uint32_t channels, uint32_t capacity_frames,
                          struct adit_samples **out)
{
    struct adit_samples samples;
    *out = NULL;
    if (!channels || channels > ADIT_SAMPLES_CHANNELS_MAX)
        return adit_fault(-EINVAL, "arena %s: a ring of samples has 1 to %u channels, not %u", arena->name, ADIT_SAMPLES_CHANNELS_MAX, channels);
    int error = adit_ring_bind(arena, name, ADIT_RING_KIND_SAMPLES, channels * (uint32_t)sizeof(float), capacity_frames, &samples.ring);
    if (error)
        return error;
    *out = malloc(sizeof samples);
    if (!*out)
        return adit_fault(-ENOMEM, "arena %s: no memory for the handle of a ring of samples", arena->name);
    **out = samples;
    return 0;
}

void adit_samples_close(struct adit_samples **samples)
{
    free(*samples);
    *samples = NULL;
}

/* How many of n, when have are there by the indices; none when these are damaged. */
static uint32_t part_of(const struct adit_ring *r, uint64_t have, uint32_t n)
{
    return have > r->mask + 1 ? 0 : have < n ? (uint32_t)have : n;
}

/* The n frames from index at on lie in two pieces at most; bytes of the first. */
static size_t bytes_before_wrap(const struct adit_ring *r, uint64_t at, uint32_t n)
{
    uint64_t before = r->mask + 1 - (at & r->mask);
    return (size_t)(n < before ? n : before) * r->stride;
}

uint32_t adit_samples_write(struct adit_samples *samples, const float *frames, uint32_t n)
{
    const struct adit_ring *r = &samples->ring;
    struct adit_ring_head *h = r->head;
    const uint64_t capacity = r->mask + 1;
    uint64_t tail = adit_load_relaxed(&h->tail), room = adit_load_relaxed(&h->head_seen) + capacity - tail; /* relaxed: ours alone */
    bool is_new = adit_load32_relaxed(&h->pusher) != r->owner;
    if (__builtin_expect(is_new, 0) || room < n || room > capacity) {
        uint64_t head = adit_load_acquire(&h->head); /* SAMPLES:head */
        adit_store_relaxed(&h->head_seen, head);
        room = head + capacity - tail;
        if (is_new)
            adit_store32_release(&h->pusher, r->owner); /* after the copy that it vouches for */
    }
    uint32_t fits = part_of(r, room, n);
    if (fits) {
        size_t bytes = (size_t)fits * r->stride, first = bytes_before_wrap(r, tail, fits);
        memcpy(r->slots + (tail & r->mask) * r->stride, frames, first);
        if (first < bytes)
            memcpy(r->slots, (const uint8_t *)frames + first, bytes - first);
        adit_store_release(&h->tail, tail + fits); /* SAMPLES:tail */
        adit_event_post(&h->item);
    }
    if (fits < n)
        adit_store_relaxed(&h->overrun, adit_load_relaxed(&h->overrun) + (n - fits));
    return fits;
}

uint32_t adit_samples_read(struct adit_samples *samples, float *frames, uint32_t n)
{
    const struct adit_ring *r = &samples->ring;
    struct adit_ring_head *h = r->head;
    uint64_t head = adit_load_relaxed(&h->head), there = adit_load_relaxed(&h->tail_seen) - head; /* relaxed: ours alone */
    bool is_new = adit_load32_relaxed(&h->popper) != r->owner;
    if (__builtin_expect(is_new, 0) || there < n || there > r->mask + 1) {
        uint64_t tail = adit_load_acquire(&h->tail); /* SAMPLES:tail */
        adit_store_relaxed(&h->tail_seen, tail);
        there = tail - head;
        if (is_new)
            adit_store32_release(&h->popper, r->owner); /* after the copy that it vouches for */
    }
    uint32_t got = part_of(r, there, n);
    size_t bytes = (size_t)got * r->stride, first = bytes_before_wrap(r, head, got);
    if (got) {
        memcpy(frames, r->slots + (head & r->mask) * r->stride, first);
        if (first < bytes)
            memcpy((uint8_t *)frames + first, r->slots, bytes - first);
        adit_store_release(&h->head, head + got); /* SAMPLES:head */
        adit_event_post(&h->room);
    }
    if (got < n) {
        memset((uint8_t *)frames + bytes, 0, (size_t)(n - got) * r->stride); /* all bits 0: 0.0f */
        adit_store_relaxed(&h->underrun, adit_load_relaxed(&h->underrun) + (n - got));
    }
    return got;
}

/* Frames that are there. Of the side that asks its own index is exact, so the other can only have made it better since. */
static uint64_t fill_of(const struct adit_ring *r)
{
    uint64_t head = adit_load_acquire(&r->head->head); /* SAMPLES:head */
    return adit_load_acquire(&r->head->tail) - head; /* SAMPLES:tail */
}

uint32_t adit_samples_fill(const struct adit_samples *samples)
{
    const struct adit_ring *r = &samples->ring;
    uint64_t fill = fill_of(r);
    return (uint32_t)(fill <= r->mask + 1 ? fill : r->mask + 1); /* who is at neither end may have loaded head long before tail */
}

uint64_t adit_samples_overrun(const struct adit_samples *samples) { return adit_load_relaxed(&samples->ring.head->overrun); }
uint64_t adit_samples_underrun(const struct adit_samples *samples) { return adit_load_relaxed(&samples->ring.head->underrun); }

struct wish {
    const struct adit_ring *ring;
    uint32_t n;
};

static bool has_fill(void *context)
{
    const struct wish *w = context;
    uint64_t fill = fill_of(w->ring);
    return fill >= w->n && fill <= w->ring->mask + 1;
}

static bool has_room(void *context)
{
    const struct wish *w = context;
    uint64_t capacity = w->ring->mask + 1, fill = fill_of(w->ring);
    return fill <= capacity && capacity - fill >= w->n;
}

static int wait_for(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns, bool is_room)
{
    struct wish wish = {&samples->ring, n};
    struct adit_ring_head *h = samples->ring.head;
    return n > samples->ring.mask + 1 ? -EINVAL : adit_event_wait(is_room ? &h->room : &h->item, is_room ? has_room : has_fill, &wish, timeout_ns);
}

int adit_samples_wait_room(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns) { return wait_for(samples, n, timeout_ns, true); }
int adit_samples_wait_fill(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns) { return wait_for(samples, n, timeout_ns, false); }
