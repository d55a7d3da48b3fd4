/* rendezvous.h - where arenas are found: a directory of Unix sockets, one a name.
 *
 * DIR is $XDG_RUNTIME_DIR/adit (a relative path is refused), else /run/adit where it can be made, else /tmp/adit-UID; mode 0700,
 * owned by this user. Only bind makes it; who binds or connects keeps its path for leaving, whatever the environment says then. A
 * name is taken by binding DIR/NAME.sock under a lock (flock) of DIR, which the kernel gives back if the holder dies. A socket
 * on which nobody listens any more was left by a dead broker; the next bind or listing of any name removes it.
 *
 * Guests (guest.h) never reach DIR. For them there may be a second socket, at any path that its creator says; who can reach that path
 * and write to the socket (mode 0666) may ask. A name with a slash in it is such a path. There, too, a socket that refuses is replaced, under the
 * lock of DIR: the path's own directory is open to strangers, who could hold a lock of it for ever. (So two of this user's arenas must not ask
 * for one path at one moment from different DIRs.)
 */
#ifndef ADIT_RENDEZVOUS_H
#define ADIT_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_PLACE_BYTES 256 /* the path of DIR */

/* True when name can be an arena's: 1 to 47 of [A-Za-z0-9._-], not starting with a dot. */
bool adit_rendezvous_name_is_valid(const char *name);

/* Takes name: a listening SOCK_SEQPACKET descriptor, or -EEXIST (somebody listens there, or it is no socket), -EACCES, -EINVAL. Blocks at most
 * 5 s for the directory's lock. place receives the path of DIR. */
int adit_rendezvous_bind(const char *name, char place[ADIT_PLACE_BYTES]);
/* For who has closed his copy of the listening socket (before: of two who leave at once the later one finds nobody): removes the socket file in
 * place when it was the last, so the name is free. Waits for whoever seems to listen there to answer, at most a second (one that is stopped): it may be dying. */
void adit_rendezvous_leave(const char *place, const char *name);
/* The same for a path, under the lock of place, an arena's DIR: bind makes it with mode 0666 (as the directory is, so is who can reach it), leave
 * removes it with the last copy of its listening socket. -EEXIST: somebody listens there, or it is no socket; -ENAMETOOLONG. */
int adit_rendezvous_bind_path(const char *place, const char *path);
void adit_rendezvous_leave_path(const char *place, const char *path);
/* Whether name, of an attach, is a path. */
bool adit_rendezvous_is_path(const char *name);
/* A descriptor connected to the broker of name or path, or -ENOENT (no such arena, or its broker is dead), -EACCES, -EINVAL. */
int adit_rendezvous_connect(const char *name, uint64_t timeout_ns, char place[ADIT_PLACE_BYTES]);
/* Calls each for every name on which somebody listens, in alphabetic order, until it returns non-zero; returns that. */
int adit_rendezvous_each(int (*each)(const char *name, void *user), void *user);

#endif
