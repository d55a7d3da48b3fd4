/* interrupt.c - the handler only stores a number; SA_RESTART is off, so that waits return with EINTR and look.
 *
 * One Ctrl-C may come as two signals (timeout(1) signals its child and then the group), so what comes within a second of
 * the first is the same wish. Only a later one means that the orderly way takes too long. */
#include "tools/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/moment.h"

#define PATIENCE_NS 1000000000ull

static volatile sig_atomic_t caught;
static uint64_t caught_ns; /* touched by the handler only */

static void handler(int signal)
{
    uint64_t now = adit_moment_ns(); /* clock_gettime is safe in handlers */
    if (!caught) {
        caught = signal;
        caught_ns = now;
    } else if (now - caught_ns > PATIENCE_NS) {
        _exit(ADIT_EXIT_INTERRUPTED);
    }
}

void adit_interrupt_install(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&action.sa_mask, signals[i]); /* the handler runs for one at a time */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool adit_interrupt_is_set(void)
{
    return caught != 0;
}
