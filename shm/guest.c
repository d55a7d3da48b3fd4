#include "shm/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shm/admit.h"
#include "shm/mirror.h"

#define ANSWER_NS 2000000000u /* for the proxy; a keeper that died has a successor long before */
#define NAP_MIN_NS 10000u     /* between looks for it, doubled up to */
#define NAP_MAX_NS 1000000u
#define RING_NAPS 16u         /* looks after which it rings again: the keeper that heard may have died */

struct adit_guest {
    struct adit_mapping page;
    uint32_t slot;
    int bell;
    pthread_mutex_t lock; /* of pins and watches wanted */
    uint64_t revokes[ADIT_GUEST_PINS]; /* as they were when that pin was set */
    uint32_t serial;                   /* of the last wish */
};

static struct adit_guest_page *page_of(const struct adit_arena *arena) { return (struct adit_guest_page *)(void *)arena->guest->page.base; }

int adit_guest_open(struct adit_arena *arena, uint32_t slot, int page_fd, int bell)
{
    struct adit_guest *g = calloc(1, sizeof *g);
    int error = g ? adit_segment_map(page_fd, true, &g->page) : -ENOMEM;
    if (!g)
        close(page_fd);
    if (!error && (slot >= arena->guests_max || g->page.bytes != adit_guest_page_bytes(arena)))
        error = -EPROTO;
    if (error) {
        close(bell);
        if (g)
            adit_segment_unmap(&g->page);
        free(g);
        return adit_fault(error, "arena %s: what its broker gave this guest is not a page of its own: %s", arena->name, strerror(-error));
    }
    g->slot = slot;
    g->bell = bell;
    pthread_mutex_init(&g->lock, NULL);
    arena->guest = g;
    return 0;
}

static void ring(const struct adit_guest *g) { (void)!write(g->bell, &(uint64_t){1}, 8); }

void adit_guest_ring(const struct adit_arena *arena) { ring(arena->guest); }

void adit_guest_close(struct adit_arena *arena)
{
    struct adit_guest *g = arena->guest;
    if (!g)
        return;
    adit_store32_release(&page_of(arena)->leaving, 1);
    ring(g);
    adit_segment_unmap(&g->page);
    close(g->bell);
    pthread_mutex_destroy(&g->lock);
    free(g);
    arena->guest = NULL;
}

/* ---- readers ---------------------------------------------------------------------------------------------------- */

int adit_guest_reader_open(struct adit_arena *arena, struct adit_reader **out)
{
    struct adit_reader *r = aligned_alloc(64, sizeof *r);
    if (!r)
        return adit_fault(-ENOMEM, "arena %s: no memory for a reader", arena->name);
    for (uint32_t i = 0; i < ADIT_GUEST_SECTIONS; i++) {
        struct adit_guest_section *s = &page_of(arena)->sections[i];
        uint32_t nobody = 0;
        if (!adit_cas32_acq_rel(&s->taken, &nobody, 1))
            continue;
        adit_store_relaxed(&s->epoch, 0);
        adit_store_relaxed(&s->mark, ADIT_MARK_FENCED); /* no section can begin at 1: exit and acquire look closer, always */
        *r = (struct adit_reader){.slot = &s->epoch, .epoch = &arena->control->epoch, .fenced = ADIT_GUEST_ALWAYS,
                                  .always = ADIT_GUEST_ALWAYS, .index = i, .arena = arena,
                                  .proxied = &arena->readers[arena->guest->slot]};
        *out = r;
        return 0;
    }
    free(r);
    return adit_fault(-EUSERS, "arena %s: all %u readers that a guest may have are open", arena->name, ADIT_GUEST_SECTIONS);
}

void adit_guest_reader_close(struct adit_reader *r)
{
    adit_store_release(r->slot, 0); /* GUEST:exit */
    adit_store32_release(&page_of(r->arena)->sections[r->index].taken, 0);
}

void adit_guest_enter(struct adit_reader *r)
{
    adit_barrier_after_rmw(); /* GUEST:enter, the caller's exchange; pairs with PROXY:look */
    r->ousts = adit_load_acquire(&r->proxied->ousts); /* first: a mark that comes after it is seen below, or raises it */
    r->is_stale = adit_load_acquire(&r->proxied->ousted) > ADIT_MARK_FENCED;
}

bool adit_guest_is_ousted(const struct adit_reader *r)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* OUST:look, pairs with OUST:mark */
    return r->is_stale || adit_load_acquire(&r->proxied->ousted) > ADIT_MARK_FENCED || adit_load_acquire(&r->proxied->ousts) != r->ousts;
}

/* ---- asking the proxy ------------------------------------------------------------------------------------------- */

/* Rings until answered(context) is true; false: ANSWER_NS have passed. */
static bool ask(const struct adit_guest *g, bool (*answered)(const void *context), const void *context)
{
    uint64_t begin = adit_clock_ns(), nap_ns = NAP_MIN_NS;
    for (uint32_t i = 0; !answered(context); i++) { /* bounded by ANSWER_NS */
        if (adit_clock_ns() - begin > ANSWER_NS)
            return false;
        if (i % RING_NAPS == 0)
            ring(g);
        struct timespec nap = {.tv_nsec = (long)nap_ns};
        nanosleep(&nap, NULL);
        nap_ns = nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
    }
    return true;
}

struct wish {
    const uint64_t *answer;
    uint64_t wanted;
};

static bool is_wish_answered(const void *context)
{
    const struct wish *w = context;
    return (adit_load_acquire(w->answer) & ~ADIT_GUEST_PIN_REFUSED) == w->wanted; /* PIN:answer */
}

static int pin_locked(struct adit_reader *r, uint64_t ref, uint32_t *pin)
{
    struct adit_arena *arena = r->arena;
    struct adit_guest *g = arena->guest;
    uint32_t n = arena->pins_each < ADIT_GUEST_PINS ? arena->pins_each : ADIT_GUEST_PINS, i = 0;
    struct adit_guest_pin *p = page_of(arena)->pins;
    while (i < n && adit_load_relaxed(&p[i].wanted))
        i++;
    if (i == n)
        return adit_fault(-ENOSPC, "arena %s: all %u pins that a guest may have are in use", arena->name, n);
    g->serial = g->serial % 0x7fff + 1;
    struct wish w = {&p[i].answer, (uint64_t)g->serial << 48 | ref};
    uint64_t revokes = g->revokes[i] = adit_load_acquire(&r->proxied->revokes);
    adit_store_release(&p[i].wanted, w.wanted);
    bool is_answered = ask(g, is_wish_answered, &w), is_set = adit_load_acquire(&p[i].answer) == w.wanted;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the pin, then the look: a reclaimer marks, then looks at pins (OUST:mark) */
    bool is_ousted = adit_guest_is_ousted(r), is_revoked = adit_load_acquire(&r->proxied->revokes) != revokes;
    *pin = i;
    if (is_set && !is_ousted && !is_revoked)
        return 0;
    adit_store_release(&p[i].wanted, 0);
    if (is_ousted)
        return adit_fault(-ESTALE, "arena %s: the section was in the way of a producer and was ousted; leave it and begin anew", arena->name);
    if (is_revoked)
        return adit_fault(-EAGAIN, "arena %s: a producer had no memory left, and pins of guests were taken away", arena->name);
    return is_answered ? adit_fault(-ENOSPC, "arena %s: guests may not pin more memory than %llu KiB each", arena->name,
                                    (unsigned long long)(arena->control->hold_max_bytes / 2 / arena->guests_max >> 10))
                       : adit_fault(-ETIMEDOUT, "arena %s: its keeper does not answer guests", arena->name);
}

int adit_guest_pin(struct adit_reader *reader, uint64_t ref, uint32_t *pin)
{
    pthread_mutex_lock(&reader->arena->guest->lock);
    int error = pin_locked(reader, ref, pin);
    pthread_mutex_unlock(&reader->arena->guest->lock);
    return error;
}

int adit_guest_unpin(struct adit_arena *arena, uint32_t pin)
{
    struct adit_guest_pin *p = page_of(arena)->pins;
    if (pin >= ADIT_GUEST_PINS || !adit_load_relaxed(&p[pin].wanted))
        return adit_fault(-EINVAL, "arena %s: pin %u is not in use", arena->name, pin);
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* after all reads of the block; pairs with PIN:revoke */
    bool is_revoked = adit_load_acquire(&arena->readers[arena->guest->slot].revokes) != arena->guest->revokes[pin];
    adit_store_release(&p[pin].wanted, 0); /* our reads of the block are before the proxy's look; it comes by when memory is wanted */
    if (is_revoked)
        return adit_fault(-ESTALE, "arena %s: a producer had no memory left, and the pin was taken away; throw away what was read by it",
                          arena->name);
    return 0;
}

/* ---- watches ---------------------------------------------------------------------------------------------------- */

static bool is_watch_answered(const void *context)
{
    uint32_t state = adit_load32_acquire(context);
    return state != ADIT_GUEST_WATCH_WANTED && state != ADIT_GUEST_WATCH_UNWANTED;
}

int adit_guest_watch_open(struct adit_arena *arena, const int32_t lo[3], const int32_t hi[3], uint8_t world, uint8_t lod,
                          uint16_t what, struct adit_guest_watching *out)
{
    struct adit_guest_page *page = page_of(arena);
    uint32_t i = 0;
    int error = 0;
    pthread_mutex_lock(&arena->guest->lock);
    while (i < ADIT_GUEST_WATCHES && adit_load32_acquire(&page->watches[i].state) != ADIT_GUEST_WATCH_NONE)
        i++;
    if (i == ADIT_GUEST_WATCHES) {
        error = adit_fault(-EUSERS, "arena %s: all %u watches that a guest may have are open", arena->name, ADIT_GUEST_WATCHES);
    } else {
        struct adit_guest_watch *w = &page->watches[i];
        *out = (struct adit_guest_watching){.index = i, .event = &w->event, .lapses = &w->lapses, .chunks = adit_guest_bits(arena, page, i, 0),
                                            .meshes = adit_guest_bits(arena, page, i, 1)};
        memset(out->chunks.words, 0, (size_t)arena->bits_words * 2 * 8); /* both: nobody adds to them now */
        for (int d = 0; d < 3; d++) {
            __atomic_store_n(&w->lo[d], lo[d], __ATOMIC_RELAXED); /* relaxed: state orders them */
            __atomic_store_n(&w->hi[d], hi[d], __ATOMIC_RELAXED);
        }
        __atomic_store_n(&w->world, world, __ATOMIC_RELAXED);
        __atomic_store_n(&w->lod, lod, __ATOMIC_RELAXED);
        __atomic_store_n(&w->what, what, __ATOMIC_RELAXED);
        adit_store32_release(&w->state, ADIT_GUEST_WATCH_WANTED);
        if (!ask(arena->guest, is_watch_answered, &w->state)) {
            adit_store32_release(&w->state, ADIT_GUEST_WATCH_UNWANTED);
            error = adit_fault(-ETIMEDOUT, "arena %s: its keeper does not answer guests", arena->name);
        }
    }
    pthread_mutex_unlock(&arena->guest->lock);
    return error;
}

void adit_guest_watch_close(struct adit_arena *arena, uint32_t index)
{
    uint32_t *state = &page_of(arena)->watches[index].state;
    pthread_mutex_lock(&arena->guest->lock);
    adit_store32_release(state, ADIT_GUEST_WATCH_UNWANTED);
    (void)ask(arena->guest, is_watch_answered, state); /* what nobody answers is closed by the next proxy */
    pthread_mutex_unlock(&arena->guest->lock);
}
