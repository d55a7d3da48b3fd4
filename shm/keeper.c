#include "shm/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "shm/aside.h"
#include "shm/broker.h"
#include "shm/deaths.h"
#include "shm/proxy.h"
#include "shm/rendezvous.h"
#include "shm/robust.h"

#ifdef __SANITIZE_THREAD__
#define STACK_BYTES 0u /* the default: ThreadSanitizer takes a stack that a child of fork() has again for a running thread's */
#else
#define STACK_BYTES (256u << 10)
#endif
#define ROUND_MS 1000     /* a keeper looks around at least so often, should a joiner have died before it could close */
#define ROUND_PROC_MS 50  /* so often where deaths are to be looked for in /proc */
#define PROXY_MS 2         /* while the one before may run still, and guests have nobody */
#define CLOSE_MS 1000      /* for the guests' listener to be closed */
#define RETRY_MS 20       /* after a recovery that had no memory */

struct adit_keeper {
    struct adit_arena *arena;
    int listener, guest_listener, stop_fd;
    uint32_t stop, is_here; /* is_here: w: the thread, release */
    pthread_t thread;
    struct adit_keeper *next; /* of this process's, under keepers_lock */
};

/* ---- fork ------------------------------------------------------------------------------------------------------- */

static struct adit_keeper *keepers;
static pthread_mutex_t keepers_lock = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void) { pthread_mutex_lock(&keepers_lock); }
static void after_fork(void) { pthread_mutex_unlock(&keepers_lock); }

/* A child has no keeper's thread: while it held the sockets, the name would be taken and nobody would answer there. */
static void in_child(void)
{
    for (struct adit_keeper *k = keepers; k; k = k->next) {
        close(k->listener);
        if (k->guest_listener >= 0)
            close(k->guest_listener);
    }
    keepers = NULL;
    pthread_mutex_unlock(&keepers_lock);
}

static void mind_forks(void) { (void)pthread_atfork(before_fork, after_fork, in_child); }

static void add_to_keepers(struct adit_keeper *k)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, mind_forks);
    pthread_mutex_lock(&keepers_lock);
    k->next = keepers;
    keepers = k;
    pthread_mutex_unlock(&keepers_lock);
}

/* With its sockets, if closes: no child has them then, and none closes numbers that are others' by now. */
static void take_from_keepers(struct adit_keeper *k, bool closes)
{
    pthread_mutex_lock(&keepers_lock);
    struct adit_keeper **at = &keepers;
    while (*at && *at != k)
        at = &(*at)->next;
    if (*at)
        *at = k->next;
    if (closes)
        close(k->listener);
    bool has_guests = closes && k->guest_listener >= 0;
    struct adit_aside *aside = has_guests ? adit_aside_close(k->guest_listener) : NULL;
    if (has_guests && !aside)
        close(k->guest_listener); /* no thread is to be had: then this one waits */
    for (uint32_t ms = 0; aside && !adit_aside_is_closed(aside) && ms < CLOSE_MS; ms++) /* with all that waits there unread */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    adit_aside_forget(&aside);
    pthread_mutex_unlock(&keepers_lock);
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

/* Recovers all who are known to be dead; false: one could not be recovered yet. Guests are the proxy's: without one they wait. */
static bool recover_dead(struct adit_keeper *k, struct adit_deaths *deaths, struct adit_proxy *proxy)
{
    uint32_t slot, guests = k->arena->guests_max;
    while (!adit_load32_acquire(&k->stop) && adit_deaths_next(deaths, proxy ? 0 : guests, &slot)) { /* bounded: each is recovered once */
        if (slot < guests)
            adit_proxy_end(proxy, slot, adit_load_acquire(&k->arena->participants[slot].word));
        else if (k->arena->recover(k->arena, slot))
            return false;
    }
    return true;
}

/* Begins to take part for guests when the one who did before has ended. */
static int open_proxy(struct adit_keeper *k, struct adit_broker *broker, struct adit_proxy **proxy)
{
    int error = !k->arena->guests_max || *proxy ? 0 : adit_proxy_open(k->arena, proxy);
    if (!error)
        adit_broker_set_proxy(broker, *proxy);
    return error;
}

/* What a keeper does until it is stopped, or has no descriptors for it: another may have some. */
static void keep(struct adit_keeper *k)
{
    struct adit_broker *broker = NULL;
    struct adit_deaths *deaths = NULL;
    struct adit_proxy *proxy = NULL;
    if (!adit_broker_open(k->arena, k->listener, k->guest_listener, &broker) && !adit_deaths_open(k->arena, &deaths)) {
        bool is_poor = false;
        adit_store32_release(&k->is_here, 1);
        while (!adit_load32_acquire(&k->stop) && !is_poor) {
            enum adit_deaths_view view = adit_deaths_look(deaths);
            bool all = recover_dead(k, deaths, proxy);
            int opened = open_proxy(k, broker, &proxy);
            bool waits = k->arena->guests_max && !proxy; /* for its predecessor: dead guests stay, and would be told of at once again */
            int error = adit_broker_step(broker, k->stop_fd, waits || !all ? -1 : adit_deaths_fd(deaths), /* one that waits is told of all the time */
                                         waits ? PROXY_MS : !all ? RETRY_MS : view != ADIT_DEATHS_SEEN ? ROUND_PROC_MS : ROUND_MS);
            is_poor = error || view == ADIT_DEATHS_UNSEEN || adit_error_is_poor(opened);
        }
        adit_store32_release(&k->is_here, 0);
    }
    adit_broker_close(&broker);
    adit_proxy_close(&proxy);
    adit_deaths_close(&deaths);
}

static void *keeper_main(void *user)
{
    struct adit_keeper *k = user;
    struct adit_robust *lock = &k->arena->waits->keeper;
    while (!adit_load32_acquire(&k->stop)) {
        int error = adit_robust_lock(lock, k->arena->owner, &k->stop, ADIT_FOREVER);
        if (!error || error == -EOWNERDEAD) { /* the table of participants tells what there is to mend */
            keep(k);
            adit_robust_unlock(lock);
        }
        if (!adit_load32_acquire(&k->stop)) { /* for others to take the lock meanwhile */
            struct timespec nap = {.tv_nsec = RETRY_MS * 1000000};
            nanosleep(&nap, NULL);
        }
    }
    return NULL;
}

static int start_thread(struct adit_keeper *k)
{
    pthread_attr_t small;
    sigset_t all, before;
    pthread_attr_init(&small);
    if (STACK_BYTES)
        (void)pthread_attr_setstacksize(&small, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    int error = pthread_create(&k->thread, &small, keeper_main, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&small);
    return -error;
}

int adit_keeper_open(struct adit_arena *arena, int listener, int guest_listener)
{
    struct adit_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return adit_fault(-ENOMEM, "arena %s: no memory for its keeper", arena->name);
    *k = (struct adit_keeper){.arena = arena, .listener = listener, .guest_listener = guest_listener, .stop_fd = eventfd(0, EFD_CLOEXEC)};
    add_to_keepers(k);
    int error = k->stop_fd < 0 ? -errno : start_thread(k);
    if (!error) {
        arena->keeper = k;
        return 0;
    }
    take_from_keepers(k, false);
    if (k->stop_fd >= 0)
        close(k->stop_fd);
    free(k);
    return adit_fault(error, "arena %s: cannot start its keeper: %s", arena->name, strerror(-error));
}

void adit_keeper_close(struct adit_arena *arena)
{
    struct adit_keeper *k = arena->keeper;
    if (!k)
        return;
    adit_store32_release(&k->stop, 1);
    (void)!write(k->stop_fd, &(uint64_t){1}, 8);
    adit_robust_wake_all(&arena->waits->keeper);
    pthread_join(k->thread, NULL);
    take_from_keepers(k, true);
    adit_rendezvous_leave(arena->place, arena->name);
    if (k->guest_listener >= 0)
        adit_rendezvous_leave_path(arena->place, arena->guest_path);
    close(k->stop_fd);
    free(k);
    arena->keeper = NULL;
}

bool adit_keeper_is_here(const struct adit_arena *arena)
{
    return arena->keeper && adit_load32_acquire(&arena->keeper->is_here);
}
