/* tether.h - the line between `adit run` and its producers and consumers: JSON objects, one a line, over a socket pair.
 *
 *   run -> child    {"do": "go"}        begin to publish            {"do": "finish"}  all is published and meshed
 *   child -> run    {"ready": true}     attached, files are open    {"caught_up": true}  saw all there is to see
 *                   {"drawn": 30, "of": 100}  parts of the picture
 *                   {"done": {...}}     figures; it ends now        {"error": "line", "exit": 2}  it ends now
 *
 * A tether that closes means that the other side has ended. Nothing but control runs over it: voxels and meshes are in
 * the arena.
 */
#ifndef ADIT_TETHER_H
#define ADIT_TETHER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define ADIT_TETHER_FD 3                      /* in the child */
#define ADIT_TETHER_LINE_MAX ((size_t)1 << 20)

struct adit_tether {
    int fd;
    char *buffer;
    size_t have, room;
    bool closed;
};

void adit_tether_init(struct adit_tether *tether, int fd);
void adit_tether_fini(struct adit_tether *tether); /* closes fd */

/* Sends object, and takes it. 0, or -EPIPE when the other side has gone, -ENOMEM. Blocks while the socket is full. */
int adit_tether_send(struct adit_tether *tether, json_t *object);

/* The next object, waiting up to timeout_ms. 0 and *object, which the caller frees with json_decref; -EAGAIN; -EPIPE;
 * -EBADMSG when it is not JSON or too long (the tether counts as closed then). */
int adit_tether_receive(struct adit_tether *tether, int timeout_ms, json_t **object);

/* For the child: begins with the descriptor that run left it, and ends when run does. */
void adit_tether_join(struct adit_tether *tether, int fd);
/* Sends the line of error and the exit code it deserves. */
void adit_tether_fail(struct adit_tether *tether, const char *line, int exit_code);
/* Waits for {"do": what}; 0, -EINTR after a signal, -EPIPE. */
int adit_tether_await(struct adit_tether *tether, const char *what);
/* Whether {"do": what} has come; does not wait. -EPIPE counts as yes: there is nobody left to work for. */
bool adit_tether_has(struct adit_tether *tether, const char *what);

#endif
