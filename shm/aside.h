/* aside.h - closing what a stranger has sent something to, without waiting for it.
 *
 * Whoever closes the last descriptor of a file waits as long as its release takes, and a Unix socket takes along what lies unread in it:
 * descriptors that a stranger has sent may be a TCP connection with SO_LINGER and a day's patience, or a file of a file system of his own. Linux 6.16
 * can refuse descriptors (SO_PASSRIGHTS, adit_aside_refuse_rights). Elsewhere what a stranger could write to is closed by a thread of its own.
 */
#ifndef ADIT_ASIDE_H
#define ADIT_ASIDE_H

#include <stdbool.h>

struct adit_aside;

/* Begins to close fd. NULL: there is no memory or thread for it now, and fd is open. */
struct adit_aside *adit_aside_close(int fd);
/* Whether it is closed. */
bool adit_aside_is_closed(const struct adit_aside *aside);
/* Gives the handle back, be fd closed or not. Accepts NULL. */
void adit_aside_forget(struct adit_aside **aside);

/* Has a listening socket, and those accepted from it, take no descriptors, where the kernel can. */
void adit_aside_refuse_rights(int listener);

#endif
