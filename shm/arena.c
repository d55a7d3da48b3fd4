/* Create and attach, step by step; if the process dies in between, the kernel closes what only it had:
 *
 *   create: bind the names -> make segments -> lay out control -> publish (magic) -> seal -> adopt -> guests' pages -> join -> keeper
 *   attach: ask the broker -> map -> adopt (check) -> join -> keeper; a guest: map its page, as the keeper has joined for it
 *   bare:   attach without the keeper; what forks and its children: rejoin -> forget the parent's -> join
 *   detach: keeper ends, the next takes over -> reclaim, orphan the rest -> close readers, unpin -> leave -> unmap
 *
 * Up to join nothing in shared memory names the process; from then on the keeper recovers what it leaves.
 */
#include "shm/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "shm/admit.h"
#include "shm/broker.h"
#include "shm/control.h"
#include "shm/guest.h"
#include "shm/keeper.h"
#include "shm/metrics.h"
#include "shm/participant.h"
#include "shm/rcu.h"
#include "shm/rendezvous.h"
#include "shm/retire.h"

#define DATA_ALIGN (2ull << 20)

static struct adit_arena *new_arena(const char *place, const char *name, uint32_t role,
                                    int (*recover)(struct adit_arena *, uint32_t), adit_mind *mind)
{
    struct adit_arena *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        a->maps[i].fd = -1;
    a->role = role;
    a->recover = recover;
    a->mind = mind;
    snprintf(a->name, sizeof a->name, "%s", name);
    snprintf(a->place, sizeof a->place, "%s", place);
    pthread_mutex_init(&a->classes_lock, NULL);
    pthread_mutex_init(&a->watches_lock, NULL);
    pthread_mutex_init(&a->memory_here.lock, NULL);
    pthread_mutex_init(&a->meshing.lock, NULL);
    return a;
}

static void free_arena(struct adit_arena *a)
{
    for (uint32_t i = 0; i < ADIT_SEGMENTS_MAX; i++)
        adit_segment_unmap(&a->maps[i]);
    pthread_mutex_destroy(&a->classes_lock);
    pthread_mutex_destroy(&a->watches_lock);
    pthread_mutex_destroy(&a->memory_here.lock);
    pthread_mutex_destroy(&a->meshing.lock);
    free(a);
}

static void add_note(struct adit_arena *a, const char *note)
{
    size_t n = strlen(a->notes);
    if (*note)
        snprintf(a->notes + n, sizeof a->notes - n, "%s%s", n ? "\n" : "", note);
}

static void begin_metrics(struct adit_arena *a)
{
    bool is_other;
    adit_metrics_begin(a, &is_other);
    if (!a->is_bare)
        (void)adit_metrics_seat(a); /* that it has come is told, be it that it never counts */
    if (is_other)
        add_note(a, "metrics: this process counts nothing (the arena was made by a build that counts other things)");
}

/* What every role needs once the control segment is adopted. */
static int join(struct adit_arena *a, const char *label)
{
    if (a->role == ADIT_ROLE_OBSERVER || a->role == ADIT_ROLE_GUEST)
        return 0;
    if (!a->fenced && adit_membarrier_register())
        return adit_fault(-EPERM, "arena %s: it needs membarrier, which this process may not use; take it away for all by "
                          "ADIT_DISABLE=membarrier at create", a->name);
    int error = adit_participant_join(a, label);
    begin_metrics(a);
    if (!error)
        error = adit_rcu_pool_init(a);
    if (!error && a->role == ADIT_ROLE_PRODUCER)
        error = adit_reclaimer_init(a);
    if (!error && a->role == ADIT_ROLE_PRODUCER && !a->is_bare)
        error = adit_reclaimer_start(a);
    return error;
}

/* Makes the data segments, one a node, and tells head of them. */
static int create_data(struct adit_arena *a, const struct adit_arena_plan *plan, struct adit_control *head)
{
    int32_t nodes[ADIT_SEGMENTS_MAX - 1] = {-1};
    uint32_t n = adit_numa_nodes(nodes, ADIT_SEGMENTS_MAX - 1);
    bool bind = n > 1;
    if (!n) {
        n = 1;
        if (adit_os_is_disabled("numa"))
            add_note(a, "data: not bound to nodes (numa is switched off by ADIT_DISABLE)");
    }
    uint64_t each = (plan->data_bytes / n + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
    for (uint32_t i = 0; i < n; i++) {
        char name[40], note[256];
        struct adit_mapping *m = &a->maps[i + 1];
        snprintf(name, sizeof name, "adit data %u", i);
        int error = adit_segment_create(name, each, bind ? nodes[i] : -1, plan->pages, m, note, sizeof note);
        if (error)
            return error;
        add_note(a, note);
        head->segments[i + 1].bytes = m->bytes;
        head->segments[i + 1].page_bytes = m->page_bytes;
        head->segments[i + 1].node = m->node;
        a->segments_n = i + 2;
    }
    return 0;
}

/* Makes the control segment's memory: one memfd, or with guests two, of which they get the first. */
static int make_control(struct adit_arena *a, const struct adit_control *head, uint64_t bytes)
{
    char note[256];
    struct adit_mapping inner;
    uint64_t outer_bytes = head->guests_max ? head->inner_at : bytes;
    int error = adit_segment_create("adit control", outer_bytes, -1, ADIT_PAGES_SMALL, &a->maps[0], note, sizeof note);
    if (error || !head->guests_max)
        return error;
    error = adit_segment_create("adit inner", bytes - outer_bytes, -1, ADIT_PAGES_SMALL, &inner, note, sizeof note);
    if (!error && (error = adit_segment_join(&a->maps[0], &inner)))
        adit_fault(error, "arena %s: its control segment cannot be mapped: %s", a->name, strerror(-error));
    return error;
}

static int create_control(struct adit_arena *a, const struct adit_arena_plan *plan, struct adit_control *head)
{
    head->layout_version = ADIT_LAYOUT_VERSION;
    head->control_bytes_head = sizeof *head;
    head->signature = adit_control_signature();
    head->created_ns = adit_clock_real_ns();
    head->seal_writers = plan->seal_writers;
    head->tt_none = plan->tt_none;
    head->ao = plan->ao;
    head->placement = plan->placement;
    head->strict_nodes = plan->strict_nodes;
    head->hold_max_bytes = plan->hold_max_bytes;
    head->fenced = !adit_membarrier_is_available();
    head->epoch = ADIT_EPOCH_FIRST;
    if (head->fenced)
        add_note(a, "readers: a full fence at every enter (no membarrier on this host)");
    snprintf(head->name, sizeof head->name, "%s", plan->name);
    snprintf(head->guest_path, sizeof head->guest_path, "%s", plan->guest_path ? plan->guest_path : "");
    if (getrandom(head->uuid, sizeof head->uuid, 0) != (ssize_t)sizeof head->uuid)
        return adit_fault(-EIO, "arena %s: the kernel gives no random bytes", plan->name);
    uint64_t bytes = adit_control_layout(plan, head, a->segments_n);
    int error = make_control(a, head, bytes);
    if (error)
        return error;
    head->segments[0].page_bytes = a->maps[0].page_bytes;
    head->segments[0].node = -1;
    adit_control_publish((struct adit_control *)(void *)a->maps[0].base, head);
    return 0;
}

static int create_all(struct adit_arena *a, const struct adit_arena_plan *plan)
{
    struct adit_control head = {0};
    int error = create_data(a, plan, &head);
    if (!error)
        error = create_control(a, plan, &head);
    for (uint32_t i = 0; !error && i < a->segments_n; i++) {
        error = adit_segment_seal(&a->maps[i], i && plan->seal_writers);
        if (error)
            adit_fault(error, "arena %s: cannot seal its segments: %s", a->name, strerror(-error));
    }
    if (!error)
        error = adit_control_adopt(a);
    if (!error)
        error = adit_guest_pages_create(a);
    if (!error)
        error = join(a, plan->label);
    return error;
}

int adit_arena_create(const struct adit_arena_plan *plan, struct adit_arena **out)
{
    *out = NULL;
    char place[ADIT_PLACE_BYTES];
    int listener = adit_rendezvous_bind(plan->name, place);
    if (listener < 0)
        return listener;
    int guest_listener = plan->guest_path ? adit_rendezvous_bind_path(place, plan->guest_path) : -1;
    struct adit_arena *a = new_arena(place, plan->name, ADIT_ROLE_PRODUCER, plan->recover, plan->mind);
    int error = !a ? -ENOMEM : plan->guest_path && guest_listener < 0 ? guest_listener : create_all(a, plan);
    if (!error)
        error = adit_keeper_open(a, listener, guest_listener);
    if (error) {
        close(listener);
        if (guest_listener >= 0) {
            close(guest_listener);
            adit_rendezvous_leave_path(place, plan->guest_path);
        }
        adit_rendezvous_leave(place, plan->name);
        adit_arena_detach(&a);
        return error;
    }
    *out = a;
    return 0;
}

/* Maps what was granted; takes over its descriptors of segments. */
static int map_grant(struct adit_arena *a, struct adit_grant *grant)
{
    int error = 0;
    for (uint32_t i = 0; i < grant->fds_n; i++) {
        bool writable = a->role == ADIT_ROLE_PRODUCER || (a->role == ADIT_ROLE_CONSUMER && !i);
        if (error)
            close(grant->fds[i]);
        else if ((error = adit_segment_map(grant->fds[i], writable, &a->maps[i])))
            adit_fault(error, "arena %s: its segment %u cannot be mapped: %s", a->name, i, strerror(-error));
    }
    a->segments_n = grant->fds_n;
    grant->fds_n = 0;
    if (!error && grant->inner >= 0) {
        struct adit_mapping inner;
        error = adit_segment_map(grant->inner, a->maps[0].writable, &inner);
        grant->inner = -1;
        if (!error)
            error = adit_segment_join(&a->maps[0], &inner);
        if (error)
            adit_fault(error, "arena %s: its control segment cannot be mapped: %s", a->name, strerror(-error));
    }
    return error;
}

/* Once the tables are adopted: as a guest; or for those who come after this keeper. */
static int take_pages(struct adit_arena *a, struct adit_grant *grant)
{
    uint32_t n = grant->pages_n;
    if (a->role != ADIT_ROLE_GUEST) {
        memcpy(a->guest_pages, grant->pages, n * sizeof(int));
        memcpy(a->guest_bells, grant->bells, n * sizeof(int));
        a->guests_fds = n;
        grant->pages_n = 0;
        return n == a->guests_max || a->role == ADIT_ROLE_OBSERVER
                   ? 0
                   : adit_fault(-EPROTO, "arena %s: its broker gave %u pages of guests, and it has %u", a->name, n, a->guests_max);
    }
    if (n != 1)
        return adit_fault(-EPROTO, "arena %s: its broker gave %u pages to one guest", a->name, n);
    grant->pages_n = 0;
    memcpy(a->name, a->control->name, sizeof a->name); /* it may have come by a path */
    a->name[sizeof a->name - 1] = 0;
    return adit_guest_open(a, grant->slot, grant->pages[0], grant->bells[0]);
}

int adit_arena_attach(const struct adit_attach_plan *plan, struct adit_arena **out)
{
    struct adit_grant grant;
    *out = NULL;
    int error = adit_broker_ask(plan->name, plan->role, plan->timeout_ns, &grant);
    if (error)
        return error;
    struct adit_arena *a = new_arena(grant.place, plan->name, plan->role, plan->recover, plan->mind);
    error = a ? map_grant(a, &grant) : -ENOMEM;
    if (!error) {
        a->is_bare = plan->is_bare;
        error = adit_control_adopt(a);
    }
    if (!error)
        error = take_pages(a, &grant);
    if (!error)
        error = join(a, plan->label);
    if (a && a->is_bare)
        adit_guest_pages_close(a); /* for the next keeper, which this is never */
    if (!error && !plan->is_bare && grant.listener >= 0 && !(error = adit_keeper_open(a, grant.listener, grant.guest_listener)))
        grant.listener = grant.guest_listener = -1;
    if (grant.listener >= 0) {
        close(grant.listener);
        adit_rendezvous_leave(grant.place, plan->name);
        grant.listener = -1;
    }
    if (grant.guest_listener >= 0 && a && *a->guest_path) {
        close(grant.guest_listener);
        adit_rendezvous_leave_path(grant.place, a->guest_path);
        grant.guest_listener = -1;
    }
    adit_grant_close(&grant); /* the connection, too: the keeper looks who is there */
    if (error)
        adit_arena_detach(&a);
    *out = a;
    return error;
}

int adit_arena_rejoin(struct adit_arena *a, const char *label)
{
    a->self = NULL;
    a->owner = 0;
    a->watches_open = NULL;
    adit_rcu_pool_forget(a);
    adit_metrics_forget(a);
    int error = adit_participant_join(a, label);
    if (error)
        a->metrics_serial = 0;
    if (!error && a->role == ADIT_ROLE_PRODUCER)
        error = adit_reclaimer_forget(a);
    return error;
}

int adit_arena_adopt(const char *name, const struct adit_mapping *maps, uint32_t n, struct adit_arena **out)
{
    struct adit_arena *a = new_arena("", name, ADIT_ROLE_OBSERVER, NULL, NULL);
    for (uint32_t i = 0; i < n; i++) {
        struct adit_mapping m = maps[i];
        if (a)
            a->maps[i] = m;
        else
            adit_segment_unmap(&m);
    }
    int error = a ? 0 : -ENOMEM;
    if (!error) {
        a->segments_n = n;
        error = adit_control_adopt(a);
    }
    if (error)
        adit_arena_detach(&a);
    *out = a;
    return error;
}

/* Gives back reader slots and pins that the application left open. */
static void give_back_all(struct adit_arena *a)
{
    uint32_t slot = adit_owner_slot(a->owner);
    for (uint32_t i = 0; i < a->readers_max; i++)
        if (adit_load32_relaxed(&a->readers[i].owner) == a->owner) {
            adit_store_release(&a->readers[i].epoch, 0);
            adit_store32_release(&a->readers[i].owner, 0);
        }
    for (uint32_t i = 0; i < a->pins_each; i++)
        adit_store_release(&a->pins[(size_t)slot * a->pins_each + i], 0);
    adit_store32_release(&a->self->pins_high, 0);
}

void adit_arena_detach(struct adit_arena **arena)
{
    struct adit_arena *a = *arena;
    if (!a)
        return;
    adit_guest_close(a);
    adit_keeper_close(a);
    adit_guest_pages_close(a);
    adit_reclaimer_fini(a); /* its thread reads, too (mind) */
    if (a->pool)
        adit_rcu_pool_fini(a);
    if (a->self) {
        give_back_all(a);
        adit_metrics_end(a);
        adit_participant_leave(a);
    }
    free_arena(a);
    *arena = NULL;
}
