/* interrupt.h - SIGINT, SIGTERM and SIGHUP as a flag that every loop looks at, so that what was begun is put away.
 *
 * A signal that comes a second after the first, or later, ends the process at once, with exit code 130. SIGPIPE is ignored: a closed stdout shows as a write
 * error, and the arena is left in order.
 */
#ifndef ADIT_INTERRUPT_H
#define ADIT_INTERRUPT_H

#include <stdbool.h>

void adit_interrupt_install(void);
bool adit_interrupt_is_set(void);

#endif
