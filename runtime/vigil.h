/* vigil.h - how long a device is waited for before it is said to hang: by the clock since its submission, but never without having been looked at for a while by a
 * process that runs. A process that was stopped (SIGSTOP, a debugger, a suspended machine), or had something else to wait for, finds the time over at its first look,
 * though the device was stopped as well, or has long been done.
 *
 *     struct adit_vigil v = adit_vigil_begin(submitted_ns, most_ns);
 *     do
 *         status = wait(batch, ADIT_VIGIL_LOOK_NS);
 *     while (status == -ETIMEDOUT && adit_vigil_goes_on(&v));
 *
 * It goes on until most_ns have passed since the submission *and* looks took a quarter of that together, none of which counts for more than ADIT_VIGIL_LOOK_NS. Who hangs
 * is known most_ns after its submission, and a quarter of that after the first look at the latest.
 *
 * One thread's. Does not block. */
#ifndef ADIT_VIGIL_H
#define ADIT_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_VIGIL_LOOK_NS 100000000u

struct adit_vigil {
    uint64_t over_ns, looked_ns; /* when the time is over; when the last look ended, or the first began */
    uint64_t owed_ns;            /* of looks yet to be taken */
};

/* Just before the first look. since_ns: of adit_clock_ns. */
struct adit_vigil adit_vigil_begin(uint64_t since_ns, uint64_t most_ns);
/* Just after each look that found nothing, of at most ADIT_VIGIL_LOOK_NS. False: it hangs. */
bool adit_vigil_goes_on(struct adit_vigil *vigil);

#endif
