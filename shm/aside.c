#include "shm/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shm/atomics.h"
#include "shm/os.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* asm-generic/socket.h, Linux 6.16 */
#endif
#ifdef __SANITIZE_THREAD__
#define STACK_BYTES 0u /* the default: see keeper.c */
#else
#define STACK_BYTES (64u << 10)
#endif

/* Of two, the thread and who holds the handle, the one that is done last frees it. */
enum { CLOSING, CLOSED, FORGOTTEN };
struct adit_aside {
    int fd;
    uint32_t state; /* exchange, acq_rel */
};

static void *close_it(void *user)
{
    struct adit_aside *a = user;
    close(a->fd);
    if (__atomic_exchange_n(&a->state, CLOSED, __ATOMIC_ACQ_REL) == FORGOTTEN)
        free(a);
    return NULL;
}

struct adit_aside *adit_aside_close(int fd)
{
    struct adit_aside *a = malloc(sizeof *a);
    pthread_attr_t detached;
    sigset_t all, before;
    pthread_t thread;
    if (!a)
        return NULL;
    *a = (struct adit_aside){.fd = fd, .state = CLOSING};
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (STACK_BYTES)
        (void)pthread_attr_setstacksize(&detached, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the application's */
    int error = pthread_create(&thread, &detached, close_it, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    if (!error)
        return a;
    free(a);
    return NULL;
}

bool adit_aside_is_closed(const struct adit_aside *aside) { return adit_load32_acquire(&aside->state) == CLOSED; }

void adit_aside_forget(struct adit_aside **aside)
{
    if (*aside && __atomic_exchange_n(&(*aside)->state, FORGOTTEN, __ATOMIC_ACQ_REL) == CLOSED)
        free(*aside);
    *aside = NULL;
}

void adit_aside_refuse_rights(int listener)
{
    if (!adit_os_is_disabled("passrights"))
        (void)setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
}
