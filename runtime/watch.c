#include "runtime/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/dirty.h"
#include "runtime/interest.h"
#include "runtime/key.h"
#include "runtime/params.h"
#include "runtime/store.h"

#define ANY 255u /* world or lod of a watch that hears every one; no key has it */

struct adit_watch {
    struct adit_arena *arena;
    struct adit_watch *next, **link; /* in arena->watches_open */
    struct adit_watch_slot *slot; /* NULL: a guest's, whose proxy has it */
    struct adit_event *event;     /* of slot, or of the guest's page */
    uint32_t guest_index;
    struct adit_bitset chunks, meshes;
    const uint32_t *lapses; /* of slot, or of the guest's page */
    uint32_t lapses_seen;
    bool is_after_lapse; /* the last event was one */
    uint32_t cursor;
    struct adit_watch_params box; /* the slot's, private */
    int fd; /* eventfd, -1: none asked for */
    pthread_t thread;
    uint32_t stop;  /* 1: the thread shall end */
    uint32_t armed; /* futex word: 1 while the thread is to wait for a change, 0 while fd is readable */
};

static struct adit_bitset bits_of(const struct adit_arena *arena, uint32_t watch, uint32_t which)
{
    return (struct adit_bitset){arena->watch_bits + ((size_t)watch * 2 + which) * arena->bits_words, arena->chunks_max};
}

static bool is_inside(const int32_t lo[3], const int32_t hi[3], uint8_t world, uint8_t lod, const struct adit_key *k)
{
    return (world == ANY || world == k->world) && (lod == ANY || lod == k->lod) &&
           k->x >= lo[0] && k->x < hi[0] && k->y >= lo[1] && k->y < hi[1] && k->z >= lo[2] && k->z < hi[2];
}

/* Tells the watch in slot i that its bits have changed. */
static void post(struct adit_arena *arena, uint32_t i)
{
    if (i < arena->guests_max * ADIT_GUEST_WATCHES)
        adit_proxy_call(arena, 0); /* which moves them on to the guest */
    else
        adit_event_post(&arena->watches[i].event);
}

/* True when an active slot wants to hear of key. The box is read word by word while a late owner may be replacing it: a
 * mixture can only add a key that next() drops, or leave out one that the new owner finds by looking after it is active. */
static bool wants(const struct adit_watch_slot *s, const struct adit_key *key, uint32_t what)
{
    int32_t lo[3], hi[3];
    for (int i = 0; i < 3; i++) {
        lo[i] = __atomic_load_n(&s->lo[i], __ATOMIC_RELAXED); /* relaxed: WATCH:active orders them */
        hi[i] = __atomic_load_n(&s->hi[i], __ATOMIC_RELAXED);
    }
    return (__atomic_load_n(&s->what, __ATOMIC_RELAXED) & what) &&
           is_inside(lo, hi, __atomic_load_n(&s->world, __ATOMIC_RELAXED), __atomic_load_n(&s->lod, __ATOMIC_RELAXED), key);
}

static uint64_t watches_high(const struct adit_arena *arena)
{
    uint64_t high = adit_load_seq_cst(&arena->control->watches_high);
    return high < arena->watches_max ? high : arena->watches_max;
}

void adit_watch_tell(struct adit_arena *arena, uint64_t packed, uint32_t index, uint32_t what)
{
    struct adit_key key = adit_key_unpack(packed);
    for (uint64_t i = 0, high = watches_high(arena); i < high; i++) {
        struct adit_watch_slot *s = &arena->watches[i];
        if (adit_load32_acquire(&s->state) != ADIT_WATCH_SLOT_ACTIVE || !wants(s, &key, what)) /* WATCH:active, pairs with open */
            continue;
        struct adit_bitset bits = bits_of(arena, (uint32_t)i, what == ADIT_WATCH_MESHES);
        adit_bitset_add(&bits, index);
        post(arena, (uint32_t)i);
    }
}

static bool has_bit(const struct adit_arena *arena, uint32_t watch, uint32_t index)
{
    struct adit_bitset chunks = bits_of(arena, watch, 0), meshes = bits_of(arena, watch, 1);
    return adit_bitset_has(&chunks, index) || adit_bitset_has(&meshes, index);
}

static bool is_of(const struct adit_arena *arena, uint32_t watch, const struct adit_key *key)
{
    const struct adit_watch_slot *s = &arena->watches[watch];
    return adit_load32_acquire(&s->state) == ADIT_WATCH_SLOT_ACTIVE && wants(s, key, ADIT_WATCH_CHUNKS | ADIT_WATCH_MESHES);
}

bool adit_watch_has_unseen(const struct adit_arena *arena, uint64_t packed, uint32_t index)
{
    struct adit_key key = adit_key_unpack(packed);
    for (uint32_t i = 0, high = (uint32_t)watches_high(arena); i < high; i++)
        if (has_bit(arena, i, index) && is_of(arena, i, &key))
            return true;
    return false;
}

void adit_watch_lapse(struct adit_arena *arena, uint64_t packed, uint32_t index)
{
    struct adit_key key = adit_key_unpack(packed);
    for (uint32_t i = 0, high = (uint32_t)watches_high(arena); i < high; i++) {
        bool is_guests = i < arena->guests_max * ADIT_GUEST_WATCHES; /* its bits may lie in its page */
        if (!(is_guests || has_bit(arena, i, index)) || !is_of(arena, i, &key))
            continue;
        adit_add32_seq_cst(&arena->watches[i].lapses, 1); /* WATCH:lapses, before the key goes, and while it is found by nobody */
        post(arena, i);
    }
}

void adit_watch_forget(struct adit_arena *arena, uint32_t index)
{
    for (uint64_t i = 0, high = watches_high(arena); i < high; i++) { /* whoever has them: a late word to the slot's last owner, too */
        struct adit_bitset chunks = bits_of(arena, (uint32_t)i, 0), meshes = bits_of(arena, (uint32_t)i, 1);
        if (adit_bitset_has(&chunks, index))
            adit_bitset_remove(&chunks, index);
        if (adit_bitset_has(&meshes, index))
            adit_bitset_remove(&meshes, index);
    }
}

bool adit_watch_node(const struct adit_arena *arena, uint64_t packed, uint32_t what, int32_t *node)
{
    uint64_t high = adit_load_relaxed(&arena->control->watches_high); /* relaxed, as all here: advice */
    struct adit_key key = adit_key_unpack(packed);
    bool is_one = false;
    high = high < arena->watches_max ? high : arena->watches_max;
    for (uint32_t i = 0; i < high; i++) {
        const struct adit_watch_slot *s = &arena->watches[i];
        if (adit_load32_relaxed(&s->state) != ADIT_WATCH_SLOT_ACTIVE || !wants(s, &key, what))
            continue;
        int32_t its = __atomic_load_n(&s->node, __ATOMIC_RELAXED);
        if (its < 0 || (is_one && its != *node))
            return false;
        *node = its;
        is_one = true;
    }
    return is_one;
}

bool adit_watch_is_by_others(const struct adit_arena *arena, uint64_t packed, uint32_t what)
{
    uint64_t high = adit_load_relaxed(&arena->control->watches_high); /* relaxed, as all here: advice */
    struct adit_key key = adit_key_unpack(packed);
    high = high < arena->watches_max ? high : arena->watches_max;
    for (uint32_t i = 0; i < high; i++) {
        const struct adit_watch_slot *s = &arena->watches[i];
        if (adit_load32_relaxed(&s->state) == ADIT_WATCH_SLOT_ACTIVE && wants(s, &key, what) && !adit_interest_has(arena, adit_load32_relaxed(&s->owner)))
            return true;
    }
    return false;
}

/* Says where this watch's thread is. */
static void tell_node(const struct adit_watch *w)
{
    int32_t here = w->slot && w->arena->segments_n > 2 ? adit_numa_here() : -1;
    if (here >= 0 && __atomic_load_n(&w->slot->node, __ATOMIC_RELAXED) != here) /* relaxed: see adit_watch_node */
        __atomic_store_n(&w->slot->node, here, __ATOMIC_RELAXED);
}

static void add_present(struct adit_watch *w)
{
    struct adit_arena *a = w->arena;
    for (uint32_t i = 0; i < a->chunks_max; i++) {
        uint64_t packed = adit_store_key(a, i);
        struct adit_key key = adit_key_unpack(packed);
        if (!packed || !is_inside(w->box.lo, w->box.hi, w->box.world, w->box.lod, &key))
            continue;
        if ((w->box.what & ADIT_WATCH_CHUNKS) && adit_load_acquire(&a->entries[i].current))
            adit_bitset_add(&w->chunks, i);
        if ((w->box.what & ADIT_WATCH_MESHES) && adit_load_acquire(&a->entries[i].mesh))
            adit_bitset_add(&w->meshes, i);
    }
}

/* Fills a claimed slot and makes it active. */
static void activate(struct adit_watch *w)
{
    struct adit_watch_slot *s = w->slot;
    for (uint32_t i = 0; i < w->arena->bits_words; i++) {
        adit_store_relaxed(&w->chunks.words[i], 0);
        adit_store_relaxed(&w->meshes.words[i], 0);
    }
    for (int i = 0; i < 3; i++) {
        __atomic_store_n(&s->lo[i], w->box.lo[i], __ATOMIC_RELAXED); /* relaxed: see wants */
        __atomic_store_n(&s->hi[i], w->box.hi[i], __ATOMIC_RELAXED);
    }
    __atomic_store_n(&s->node, -1, __ATOMIC_RELAXED);
    tell_node(w);
    __atomic_store_n(&s->world, w->box.world, __ATOMIC_RELAXED);
    __atomic_store_n(&s->lod, w->box.lod, __ATOMIC_RELAXED);
    __atomic_store_n(&s->what, (uint16_t)w->box.what, __ATOMIC_RELAXED);
    adit_store32_relaxed(&s->event.waiters, 0); /* a dead predecessor may have left its count */
    adit_store32_release(&s->state, ADIT_WATCH_SLOT_ACTIVE); /* WATCH:active */
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* before looking at what is there; pairs with the order commit, then state, of tell */
}

static bool claim_slot(struct adit_watch *w)
{
    struct adit_arena *a = w->arena;
    for (uint32_t i = a->guests_max * ADIT_GUEST_WATCHES; i < a->watches_max; i++) {
        uint32_t nobody = 0;
        if (adit_load32_relaxed(&a->watches[i].owner) || !adit_cas32_acq_rel(&a->watches[i].owner, &nobody, a->owner))
            continue;
        adit_store32_release(&a->watches[i].state, ADIT_WATCH_SLOT_SETTING);
        adit_raise_acq_rel(&a->control->watches_high, i + 1);
        w->slot = &a->watches[i];
        w->event = &w->slot->event;
        w->lapses = &w->slot->lapses;
        w->lapses_seen = adit_load32_acquire(w->lapses);
        w->chunks = bits_of(a, i, 0);
        w->meshes = bits_of(a, i, 1);
        return true;
    }
    return false;
}

/* Gets a slot to be told by, and is told from its return on. */
static int open_slot(struct adit_watch *w)
{
    struct adit_guest_watching g;
    if (w->arena->guest) {
        int error = adit_guest_watch_open(w->arena, w->box.lo, w->box.hi, w->box.world, w->box.lod, (uint16_t)w->box.what, &g);
        if (error)
            return error;
        w->guest_index = g.index;
        w->event = g.event;
        w->lapses = g.lapses;
        w->lapses_seen = adit_load32_acquire(w->lapses);
        w->chunks = g.chunks;
        w->meshes = g.meshes;
        return 0;
    }
    if (!claim_slot(w))
        return adit_fault(-EUSERS, "arena %s: all %u watches are taken; create it with a larger watches_max", w->arena->name,
                          w->arena->watches_max - w->arena->guests_max * ADIT_GUEST_WATCHES);
    activate(w);
    return 0;
}

static int check_params(const struct adit_watch_params *p)
{
    bool world = p->only & ADIT_WATCH_ONLY_WORLD, lod = p->only & ADIT_WATCH_ONLY_LOD;
    int error = adit_params_check("adit_watch_open", p->size, sizeof *p);
    if (error)
        return error;
    if (p->only > (ADIT_WATCH_ONLY_WORLD | ADIT_WATCH_ONLY_LOD) || (p->world && !world) || (p->lod && !lod))
        return adit_fault(-EINVAL, "adit_watch_open: world %u and lod %u count when only says so (ADIT_WATCH_ONLY_WORLD, _LOD), which is %u",
                          p->world, p->lod, p->only);
    const struct adit_key any = {.world = p->world, .lod = p->lod};
    uint64_t packed;
    if (!adit_key_try(&any, &packed))
        return adit_fault(-EINVAL, "adit_watch_open: world %u or lod %u is none a key can have", p->world, p->lod);
    return 0;
}

int adit_watch_open(struct adit_arena *arena, const struct adit_watch_params *params, struct adit_watch **out)
{
    static const struct adit_watch_params all = {.size = sizeof all};
    *out = NULL;
    int error = check_params(params ? params : &all);
    if (error)
        return error;
    if (!arena->owner && !arena->guest)
        return adit_fault(-EROFS, "arena %s: an observer cannot watch; attach as a consumer", arena->name);
    struct adit_watch *w = calloc(1, sizeof *w);
    if (!w)
        return adit_fault(-ENOMEM, "arena %s: no memory for a watch", arena->name);
    w->arena = arena;
    w->fd = -1;
    w->box = params ? *params : all;
    w->box.world = w->box.only & ADIT_WATCH_ONLY_WORLD ? w->box.world : ANY;
    w->box.lod = w->box.only & ADIT_WATCH_ONLY_LOD ? w->box.lod : ANY;
    w->box.what = w->box.what ? w->box.what : ADIT_WATCH_CHUNKS | ADIT_WATCH_MESHES;
    const int32_t none[6] = {0};
    if (!memcmp(w->box.lo, none, sizeof w->box.lo) && !memcmp(w->box.hi, none, sizeof w->box.hi))
        for (int i = 0; i < 3; i++) {
            w->box.lo[i] = INT32_MIN;
            w->box.hi[i] = INT32_MAX;
        }
    error = open_slot(w);
    if (error) {
        free(w);
        return error;
    }
    if (w->box.with_present)
        add_present(w);
    if (w->box.what & ADIT_WATCH_MESHES)
        adit_dirty_nudge(arena);
    pthread_mutex_lock(&arena->watches_lock);
    w->next = arena->watches_open;
    w->link = &arena->watches_open;
    if (w->next)
        w->next->link = &w->next;
    arena->watches_open = w;
    pthread_mutex_unlock(&arena->watches_lock);
    *out = w;
    return 0;
}

static bool is_ready(void *context)
{
    const struct adit_watch *w = context;
    uint32_t cursor = 0, i;
    return adit_bitset_find(&w->chunks, &cursor, &i) || adit_bitset_find(&w->meshes, &cursor, &i) || adit_load32_acquire(w->lapses) != adit_load32_relaxed(&w->lapses_seen);
}

/* Takes the entry out of both sets, as what it is by now. False: nothing had changed that this watch is to hear of. */
static bool take_at(struct adit_watch *w, uint32_t i, struct adit_watch_event *event)
{
    uint64_t packed = adit_store_key(w->arena, i); /* before the bits go: it cannot be forgotten unseen, and be another's, before */
    event->what = adit_bitset_remove(&w->chunks, i) ? ADIT_WATCH_CHUNKS : 0;
    event->what |= adit_bitset_remove(&w->meshes, i) ? ADIT_WATCH_MESHES : 0;
    if (event->what && adit_store_key(w->arena, i) != packed) /* another's, and the bits may have been its: it is looked at again */
        for (uint32_t which = 0; which < 2; which++)
            if (event->what >> which & 1)
                adit_bitset_add(which ? &w->meshes : &w->chunks, i);
    event->key = adit_key_unpack(packed);
    return event->what && packed && is_inside(w->box.lo, w->box.hi, w->box.world, w->box.lod, &event->key); /* no key: forgotten, and this watch has lapsed */
}

/* Not twice in a row while there is anything else: a guest is told of each chunk that is forgotten. */
static bool take_lapse(struct adit_watch *w, struct adit_watch_event *event)
{
    uint32_t lapses = adit_load32_acquire(w->lapses); /* WATCH:lapses: who takes it finds none of what lapsed so far */
    if (lapses == adit_load32_relaxed(&w->lapses_seen))
        return false;
    adit_store32_relaxed(&w->lapses_seen, lapses); /* relaxed: the descriptor's thread looks at it, too, and then again */
    w->is_after_lapse = true;
    *event = (struct adit_watch_event){.key = {.world = ANY}, .what = ADIT_WATCH_LAPSED};
    return true;
}

/* Takes the next member of both sets at or after the cursor; false: both are empty, and nothing has lapsed. */
static bool take(struct adit_watch *w, struct adit_watch_event *event)
{
    if (!w->is_after_lapse && take_lapse(w, event))
        return true;
    w->is_after_lapse = false;
    for (;;) { /* bounded by what is in the sets; a key outside the box is a late word for the slot's last owner */
        uint32_t a = w->cursor, b = w->cursor, i = 0, j = 0;
        bool has_chunk = adit_bitset_find(&w->chunks, &a, &i), has_mesh = adit_bitset_find(&w->meshes, &b, &j);
        if (!has_chunk && !has_mesh)
            return take_lapse(w, event);
        /* the one nearer after the cursor, so that keys are taken by turns */
        if (!has_chunk || (has_mesh && (uint32_t)(j - w->cursor) < (uint32_t)(i - w->cursor)))
            i = j;
        w->cursor = i + 1;
        if (take_at(w, i, event))
            return true;
    }
}

/* The descriptor goes quiet and the thread is to wait for the next change. */
static void rearm(struct adit_watch *w)
{
    uint64_t count;
    (void)!read(w->fd, &count, sizeof count);
    adit_store32_release(&w->armed, 1);
    adit_futex_wake(&w->armed, 1);
}

int adit_watch_next(struct adit_watch *watch, struct adit_watch_event *event, uint64_t timeout_ns)
{
    uint64_t begin = timeout_ns ? adit_clock_ns() : 0;
    tell_node(watch);
    for (;;) { /* bounded by timeout_ns */
        if (take(watch, event))
            return 0;
        if (watch->fd >= 0 && !adit_load32_acquire(&watch->armed)) {
            rearm(watch);
            continue; /* what came before the thread listens again is found now */
        }
        if (!timeout_ns)
            return -EAGAIN;
        uint64_t passed = adit_clock_ns() - begin;
        uint64_t left = timeout_ns == ADIT_FOREVER ? ADIT_FOREVER : passed < timeout_ns ? timeout_ns - passed : 0;
        if (watch->box.reader && !(adit_load_relaxed(watch->box.reader->slot) & 1)) /* relaxed: this thread's own */
            adit_rest(watch->box.reader);
        if (!left || adit_event_wait(watch->event, is_ready, watch, left))
            return take(watch, event) ? 0 : -ETIMEDOUT;
    }
}

static bool is_ready_or_stopped(void *context)
{
    struct adit_watch *w = context;
    return adit_load32_acquire(&w->stop) || is_ready(w);
}

/* Waits for changes on behalf of the descriptor. */
static void *descriptor_main(void *user)
{
    struct adit_watch *w = user;
    while (!adit_load32_acquire(&w->stop)) {
        if (!adit_load32_acquire(&w->armed)) {
            (void)adit_futex_wait(&w->armed, 0, ADIT_FOREVER);
            continue;
        }
        (void)adit_event_wait(w->event, is_ready_or_stopped, w, ADIT_FOREVER);
        (void)!write(w->fd, &(uint64_t){1}, 8); /* first: who finds 0 below drains the descriptor of this very word */
        adit_store32_release(&w->armed, 0);
    }
    return NULL;
}

int adit_watch_fd(struct adit_watch *watch)
{
    if (watch->fd >= 0)
        return watch->fd;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return adit_fault(-errno, "arena %s: no descriptor for a watch: %s", watch->arena->name, strerror(errno));
    watch->fd = fd;
    watch->armed = 1;
    int error = adit_thread_start(&watch->thread, descriptor_main, watch);
    if (!error)
        return fd;
    close(fd);
    watch->fd = -1;
    return adit_fault(error, "arena %s: no thread for a watch's descriptor: %s", watch->arena->name, strerror(-error));
}

void adit_watch_close(struct adit_watch **watch)
{
    struct adit_watch *w = *watch;
    if (!w)
        return;
    if (w->fd >= 0) {
        adit_store32_release(&w->stop, 1);
        adit_store32_release(&w->armed, 1);
        adit_futex_wake(&w->armed, 1);
        adit_add32_seq_cst(&w->event->seq, 1);
        adit_futex_wake(&w->event->seq, UINT32_MAX);
        pthread_join(w->thread, NULL);
        close(w->fd);
    }
    pthread_mutex_lock(&w->arena->watches_lock);
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    pthread_mutex_unlock(&w->arena->watches_lock);
    if (w->slot) {
        adit_store32_release(&w->slot->state, ADIT_WATCH_SLOT_FREE);
        adit_store32_release(&w->slot->owner, 0); /* after state: the next owner finds the slot quiet */
    } else {
        adit_guest_watch_close(w->arena, w->guest_index);
    }
    free(w);
    *watch = NULL;
}

void adit_watch_recover(struct adit_arena *arena, uint32_t owner)
{
    for (uint32_t i = 0; i < arena->watches_max; i++) {
        struct adit_watch_slot *s = &arena->watches[i];
        if (adit_load32_acquire(&s->owner) == owner) {
            adit_store32_release(&s->state, ADIT_WATCH_SLOT_FREE);
            adit_store32_release(&s->owner, 0); /* after state, as in close */
        } else if (adit_load32_acquire(&s->state) == ADIT_WATCH_SLOT_ACTIVE) { /* the dead may have told it by halves */
            struct adit_bitset chunks = bits_of(arena, i, 0), meshes = bits_of(arena, i, 1);
            adit_bitset_mend(&chunks);
            adit_bitset_mend(&meshes);
            post(arena, i);
        }
    }
}

void adit_watch_fini(struct adit_arena *arena)
{
    while (arena->watches_open) {
        struct adit_watch *w = arena->watches_open;
        adit_watch_close(&w);
    }
}
