/* broker.h - how a process gets the descriptors of an arena: the conversation, and the keeper's side of it, a step at a time.
 *
 *   client                              broker (a part of the keeper's thread, keeper.h)
 *   connect (rendezvous.h)  ------>     accept; SO_PEERCRED: the same user, or root?
 *   hello{layout, role}     ------>     the same layout? the role possible?
 *   <------ answer{status, segments} + SCM_RIGHTS: control and data descriptors, and the listening socket
 *                                       producer: both read-write; consumer: data read-only; observer: all read-only, no socket;
 *                                       both of the former: also the guests' socket, pages and bells, should they be the next keeper;
 *                                       guest: the outer part of control and data read-only, a page and a bell of its own (admit.h)
 *   map, check, join (arena.c)
 *   close                   ------>     somebody has joined or given up: look who is there
 *
 * Every participant holds the listening socket, so the name outlives the keeper, and clients that it had not answered when it
 * died are answered by the next (those it had accepted are cut off, and ask again).
 * Messages are SOCK_SEQPACKET, so none is ever partial; each connection is for one hello. At most 64 clients are being answered at once, each
 * has 10 s to say hello and to join, and none of them can delay the others. The guests' socket is another door with 64 places of its own, 4 a
 * uid, for 1 s each; who comes when all are taken has one of whoever has most. Whoever comes by it is a guest, whatever his uid.
 * A guest that does not read what it was given keeps that place: the kernel bounds the descriptors that a user has under way
 * (ETOOMANYREFS), and one uid can so hold up 4 grants of the keeper's at most. (16 uids that mean harm together can close the guests' door, not
 * the other one. Before Linux 6.16 one can, with descriptors whose release takes for ever: each connection that carries one keeps a place until it
 * is closed, aside.h, that of a uid with 4 places already among them.)
 */
#ifndef ADIT_BROKER_H
#define ADIT_BROKER_H

#include "shm/arena.h"

struct adit_broker;
struct adit_proxy;

/* For a keeper: makes ready to serve arena on listener and guest_listener (-1: none), which stay the caller's. -ENOMEM, -EMFILE, -ENFILE. */
int adit_broker_open(struct adit_arena *arena, int listener, int guest_listener, struct adit_broker **out);
/* Guests are let in and heard by proxy from now on (before that they are asked to come again). */
void adit_broker_set_proxy(struct adit_broker *broker, struct adit_proxy *proxy);
void adit_broker_close(struct adit_broker **broker);

/* Waits at most timeout_ms for stop or other to be readable or for clients, and answers those. 0; -EMFILE, -ENFILE, -ENOMEM, -EINVAL: this
 * process cannot take anybody in. */
int adit_broker_step(struct adit_broker *broker, int stop, int other, int timeout_ms);

/* What a client is granted; all its own, -1: not granted. */
struct adit_grant {
    int connection; /* to be closed once the client has joined */
    int fds[ADIT_SEGMENTS_MAX]; /* 0: the control segment */
    uint32_t fds_n;
    int inner;                    /* the inner part of the control segment, where that is one of its own */
    int listener, guest_listener; /* not an observer's, not a guest's */
    int pages[ADIT_GUESTS_MAX], bells[ADIT_GUESTS_MAX]; /* of all guests; a guest's own: the first */
    uint32_t pages_n, slot;       /* slot: of a guest */
    char place[ADIT_PLACE_BYTES]; /* where the name is (rendezvous.h) */
};

/* Closes what of it is there still. */
void adit_grant_close(struct adit_grant *grant);

/* Asks the broker of name; asks again when one dies on it. -ENOENT, -EACCES, -EPROTO, -EPERM, -ETIMEDOUT: nothing is granted. */
int adit_broker_ask(const char *name, uint32_t role, uint64_t timeout_ns, struct adit_grant *grant);

#endif
