#include "shm/admit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>

#include "shm/participant.h"
#include "shm/rcu.h"

uint64_t adit_guest_page_bytes(const struct adit_arena *arena)
{
    uint64_t bits = (uint64_t)arena->bits_words * 8 * 2 * ADIT_GUEST_WATCHES;
    return (sizeof(struct adit_guest_page) + bits + 4095) / 4096 * 4096;
}

static int make_page(struct adit_arena *arena, uint32_t k)
{
    struct adit_mapping m;
    char name[32], note[8];
    snprintf(name, sizeof name, "adit guest %u", k);
    int error = adit_segment_create(name, adit_guest_page_bytes(arena), -1, ADIT_PAGES_SMALL, &m, note, sizeof note);
    if (error)
        return error;
    /* nor may a guest add seals: FUTURE_WRITE would keep the next keeper from mapping it */
    if (fcntl(m.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        error = -errno;
    arena->guest_pages[k] = fcntl(m.fd, F_DUPFD_CLOEXEC, 0);
    arena->guest_bells[k] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    arena->guests_fds = k + 1;
    adit_segment_unmap(&m);
    return error || (arena->guest_pages[k] >= 0 && arena->guest_bells[k] >= 0) ? error : -EMFILE;
}

int adit_guest_pages_create(struct adit_arena *arena)
{
    int error = 0;
    for (uint32_t k = 0; k < arena->guests_max && !error; k++)
        error = make_page(arena, k);
    return error ? adit_fault(error, "arena %s: cannot make the pages of %u guests: %s; ask for fewer", arena->name,
                              arena->guests_max, strerror(-error))
                 : 0;
}

void adit_guest_pages_close(struct adit_arena *arena)
{
    for (uint32_t k = 0; k < arena->guests_fds; k++) {
        if (arena->guest_pages[k] >= 0)
            close(arena->guest_pages[k]);
        if (arena->guest_bells[k] >= 0)
            close(arena->guest_bells[k]);
    }
    arena->guests_fds = 0;
}

/* A free page that uid had before, else one that nobody had; guests_max: none. */
static uint32_t choose_page(const struct adit_arena *arena, uint32_t uid)
{
    uint32_t fresh = arena->guests_max;
    for (uint32_t k = 0; k < arena->guests_max; k++) {
        const struct adit_participant *p = &arena->participants[k];
        if (adit_part_state(adit_load_acquire(&p->word)) != ADIT_PART_FREE)
            continue;
        if (adit_load_relaxed(&p->joined_ns) && p->uid == uid) /* joined_ns: somebody was here */
            return k;
        if (!adit_load_relaxed(&p->joined_ns) && fresh == arena->guests_max)
            fresh = k;
    }
    return fresh;
}

int adit_admit(struct adit_arena *arena, struct adit_guest_page *const *pages, uint32_t pid, uint32_t uid, uint32_t *slot)
{
    uint64_t start_time = 0;
    int error = pid ? adit_process_start_time(pid, &start_time) : -ESRCH;
    uint32_t k = *slot = choose_page(arena, uid);
    if (error) /* hidden by /proc is as good as not there */
        return adit_error_is_poor(error) ? error : -ESRCH;
    if (k == arena->guests_max)
        return -EUSERS;
    struct adit_participant *p = &arena->participants[k];
    struct adit_reader_slot *s = &arena->readers[k];
    uint32_t generation = adit_part_generation(adit_load_relaxed(&p->word)) + 1, owner = adit_owner_make(k, generation);
    memset(pages[k], 0, adit_guest_page_bytes(arena));
    adit_store_release(&p->word, adit_part_make(ADIT_PART_JOINING, ADIT_ROLE_GUEST, generation, (uint32_t)start_time, pid));
    adit_store_relaxed(&p->start_time, start_time); /* relaxed: PART:alive orders it; who looks earlier finds another process */
    p->pid_ns = adit_process_pid_namespace();
    p->joined_ns = adit_clock_real_ns();
    p->published = p->edits = p->meshed = p->retired = p->reclaimed = p->grace_periods = 0;
    adit_store_relaxed(&p->limbo_bytes, 0); /* relaxed: reclaimers add up everybody's, for whom any recent value will do */
    p->uid = uid;
    snprintf(p->label, sizeof p->label, "guest, uid %u", uid);
    for (uint32_t i = 0; i < arena->pins_each; i++)
        adit_store_relaxed(&arena->pins[(size_t)k * arena->pins_each + i], 0);
    adit_store32_relaxed(&p->pins_high, 0);
    adit_store_relaxed(&s->intent, 0);
    adit_store_relaxed(&s->ousted, adit_mark_none(arena));
    s->tid = pid;
    adit_store32_release(&s->owner, owner);
    adit_store_release(&s->epoch, adit_load_acquire(&arena->control->epoch)); /* RCU:enter, for the guest */
    adit_raise_acq_rel(&arena->control->readers_high, k + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* a scan that did not see it began its epoch before: pairs with RCU:advance */
    adit_store_release(&p->word, adit_part_make(ADIT_PART_ALIVE, ADIT_ROLE_GUEST, generation, (uint32_t)start_time, pid)); /* PART:alive */
    return 0;
}

void adit_admit_end(struct adit_arena *arena, uint32_t slot)
{
    struct adit_participant *p = &arena->participants[slot];
    uint64_t word = adit_load_acquire(&p->word);
    if (adit_part_state(word) == ADIT_PART_FREE || !adit_participant_mark_dead(p, word))
        return;
    for (uint32_t i = 0; i < ADIT_GUEST_WATCHES; i++) {
        struct adit_watch_slot *w = &arena->watches[slot * ADIT_GUEST_WATCHES + i];
        adit_store32_release(&w->state, ADIT_WATCH_SLOT_FREE);
        adit_store32_release(&w->owner, 0); /* after state, as in adit_watch_close */
    }
    struct adit_reader_slot *s = &arena->readers[slot];
    adit_store_release(&s->epoch, 0); /* RCU:exit, for the guest */
    adit_store32_release(&s->owner, 0);
    for (uint32_t i = 0; i < arena->pins_each; i++)
        adit_store_release(&arena->pins[(size_t)slot * arena->pins_each + i], 0);
    adit_store32_release(&p->pins_high, 0);
    adit_participant_bury(p);
}
