#include "shm/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/admit.h"
#include "shm/mirror.h"
#include "shm/participant.h"
#include "shm/rcu.h"

#define NAP_NS 100000000u     /* with nothing to do */
#define NAP_MIN_NS 20000u     /* while a guest is in somebody's way: doubled up to */
#define NAP_MAX_NS 2000000u

struct adit_proxy {
    struct adit_arena *arena;
    struct adit_guest_page *pages[ADIT_GUESTS_MAX];
    bool is_in[ADIT_GUESTS_MAX]; /* under lock */
    int bells;                   /* epoll */
    pthread_mutex_t lock;        /* of all that is written for guests */
    pthread_t thread;
    uint32_t stop;
    uint64_t calls; /* as the last pass found them; the thread's own */
};

/* ---- sections --------------------------------------------------------------------------------------------------- */

/* The latest epoch that guest k cannot have a section before; see the head of proxy.h. */
static uint64_t oldest_of(const struct adit_guest_page *page, uint64_t epoch)
{
    uint64_t oldest = epoch;
    for (uint32_t i = 0; i < ADIT_GUEST_SECTIONS; i++) {
        uint64_t word = adit_load_acquire(&page->sections[i].epoch); /* once; pairs with GUEST:exit */
        if ((word & 1) && word < oldest)
            oldest = word;
    }
    return oldest;
}

/* Moves guest k's slot on. True: a grace period waits for it still. */
static bool advance(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k)
{
    struct adit_reader_slot *s = &arena->readers[k];
    uint64_t epoch = adit_load_acquire(&arena->control->epoch); /* PROXY:epoch, pairs with RCU:advance */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);                    /* PROXY:look, pairs with GUEST:enter */
    uint64_t oldest = oldest_of(page, epoch), was = adit_load_relaxed(&s->epoch); /* relaxed: ours */
    adit_mirror_pins(arena, page, k); /* before the slot moves: who sees it moved sees the pins */
    uint64_t mark = adit_load_acquire(&s->ousted);
    bool is_ousted = mark > adit_mark_none(arena);
    if (is_ousted) {
        adit_store_release(&s->ousts, adit_load_relaxed(&s->ousts) + 1);
        oldest = adit_load_acquire(&arena->control->epoch); /* as late as the mark: who set it has passed this slot already */
    }
    if (oldest > was) /* PROXY:move, pairs with RCU:scan; seq_cst: the guest's next enter may look for the mark */
        (void)__atomic_exchange_n(&s->epoch, oldest, __ATOMIC_SEQ_CST);
    if (is_ousted)
        (void)adit_cas_acq_rel(&s->ousted, &mark, adit_mark_none(arena));
    return (oldest > was ? oldest : was) < adit_load_relaxed(&arena->waits->proxy_wanted); /* relaxed: who raises it calls */
}

enum adit_proxy_sight adit_proxy_pass(struct adit_arena *arena, struct adit_guest_page *page, uint32_t k)
{
    if (adit_load32_acquire(&page->leaving)) { /* whether it does or not: it has no more to say */
        adit_admit_end(arena, k);
        return ADIT_PROXY_LEFT;
    }
    bool has_more = adit_mirror_watches(arena, page, k);
    return advance(arena, page, k) || has_more ? ADIT_PROXY_SOON : ADIT_PROXY_CALM;
}

/* Under lock. */
static bool pass(struct adit_proxy *p, uint32_t k)
{
    enum adit_proxy_sight sight = adit_proxy_pass(p->arena, p->pages[k], k);
    p->is_in[k] = sight != ADIT_PROXY_LEFT;
    return sight == ADIT_PROXY_SOON;
}

static bool is_called(void *context)
{
    struct adit_proxy *p = context;
    return adit_load_seq_cst(&p->arena->waits->proxy_calls) != p->calls || adit_load32_acquire(&p->stop);
}

static void *proxy_main(void *user)
{
    struct adit_proxy *p = user;
    uint64_t nap_ns = NAP_NS;
    while (!adit_load32_acquire(&p->stop)) {
        bool soon = false;
        p->calls = adit_load_seq_cst(&p->arena->waits->proxy_calls);
        for (uint32_t k = 0; k < p->arena->guests_max; k++) {
            pthread_mutex_lock(&p->lock);
            soon |= p->is_in[k] && pass(p, k);
            pthread_mutex_unlock(&p->lock);
        }
        nap_ns = !soon ? NAP_NS : nap_ns == NAP_NS ? NAP_MIN_NS : nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
        (void)adit_event_wait(&p->arena->waits->proxy_event, is_called, p, nap_ns);
    }
    return NULL;
}

/* ---- the keeper's calls ----------------------------------------------------------------------------------------- */

int adit_proxy_admit(struct adit_proxy *p, uint32_t pid, uint32_t uid, uint32_t *slot)
{
    pthread_mutex_lock(&p->lock);
    for (uint32_t k = 0; k < p->arena->guests_max; k++) /* who leaves makes room */
        if (p->is_in[k] && adit_load32_acquire(&p->pages[k]->leaving))
            (void)pass(p, k);
    int error = adit_admit(p->arena, p->pages, pid, uid, slot);
    if (!error)
        p->is_in[*slot] = true;
    pthread_mutex_unlock(&p->lock);
    return error;
}

void adit_proxy_end(struct adit_proxy *p, uint32_t slot, uint64_t word)
{
    pthread_mutex_lock(&p->lock);
    uint64_t now = adit_load_acquire(&p->arena->participants[slot].word);
    if (adit_part_with(now, ADIT_PART_FREE) == adit_part_with(word, ADIT_PART_FREE)) {
        adit_admit_end(p->arena, slot);
        p->is_in[slot] = false;
    }
    pthread_mutex_unlock(&p->lock);
}

int adit_proxy_bells(const struct adit_proxy *p) { return p->bells; }

void adit_proxy_answer(struct adit_proxy *p)
{
    struct epoll_event rung[ADIT_GUESTS_MAX];
    (void)epoll_wait(p->bells, rung, ADIT_GUESTS_MAX, 0); /* reports each ring once; which it was does not matter */
    adit_proxy_call(p->arena, 0);
}

/* Whether the process that ran the last proxy may be running still. */
static bool has_predecessor(const struct adit_arena *arena)
{
    uint32_t owner = adit_load32_acquire(&arena->waits->proxy_owner);
    return owner != arena->owner && adit_participant_has(arena, owner);
}

static int map_pages(struct adit_proxy *p)
{
    for (uint32_t k = 0; k < p->arena->guests_max; k++) {
        /* Edges only: the guest shares the bell's flags, so a read may block for ever (it clears O_NONBLOCK and reads first). */
        struct epoll_event rings = {.events = EPOLLIN | EPOLLET, .data.u32 = k};
        uint64_t bytes = adit_guest_page_bytes(p->arena);
        struct stat s;
        if (fstat(p->arena->guest_pages[k], &s))
            return -errno;
        if ((uint64_t)s.st_size != bytes)
            return -EPROTO;
        void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->arena->guest_pages[k], 0);
        if (page == MAP_FAILED)
            return -errno;
        p->pages[k] = page;
        (void)madvise(page, bytes, MADV_DONTDUMP);
        uint64_t word = adit_load_acquire(&p->arena->participants[k].word);
        p->is_in[k] = adit_part_state(word) == ADIT_PART_ALIVE; /* the others are seen to when their process ends */
        if (epoll_ctl(p->bells, EPOLL_CTL_ADD, p->arena->guest_bells[k], &rings))
            return -errno;
    }
    return 0;
}

static void close_all(struct adit_proxy *p)
{
    for (uint32_t k = 0; k < ADIT_GUESTS_MAX; k++)
        if (p->pages[k])
            (void)munmap(p->pages[k], adit_guest_page_bytes(p->arena));
    if (p->bells >= 0)
        close(p->bells);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int adit_proxy_open(struct adit_arena *arena, struct adit_proxy **out)
{
    *out = NULL;
    if (has_predecessor(arena))
        return -EAGAIN;
    struct adit_proxy *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->arena = arena;
    p->bells = epoll_create1(EPOLL_CLOEXEC);
    pthread_mutex_init(&p->lock, NULL);
    int error = p->bells < 0 ? -errno : arena->guests_fds < arena->guests_max ? -EPROTO : map_pages(p);
    if (!error) {
        adit_store32_release(&arena->waits->proxy_owner, arena->owner); /* from here on the next waits for this process's end */
        error = adit_thread_start(&p->thread, proxy_main, p);
        if (error)
            adit_store32_release(&arena->waits->proxy_owner, 0);
    }
    if (error) {
        close_all(p);
        return error;
    }
    *out = p;
    return 0;
}

void adit_proxy_close(struct adit_proxy **proxy)
{
    struct adit_proxy *p = *proxy;
    if (!p)
        return;
    adit_store32_release(&p->stop, 1);
    adit_proxy_call(p->arena, 0);
    pthread_join(p->thread, NULL);
    adit_store32_release(&p->arena->waits->proxy_owner, 0);
    close_all(p);
    *proxy = NULL;
}
