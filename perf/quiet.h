/* quiet.h - whether anybody else was at work: a look at the pair of CPUs before a run and after it.
 *
 * A loop that does nothing but read the clock sees each time it was not there: somebody else ran, an interrupt, the hypervisor. And of who waits or runs elsewhere /proc/loadavg tells, since a hog evades the CPU that is
 * looked at. Neither proves what was between the two looks; disturbed blocks (bench.h) and stolen time (machine.h) speak of that.
 */
#ifndef PERF_QUIET_H
#define PERF_QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/machine.h"

#define QUIET_TEXT_MAX 128

struct quiet {
    bool is_known;        /* it was looked at */
    int cpu[2];           /* cpu[1]: -1 where there is one */
    double lost[2];       /* share of the time that the loop was not there, 0 to 1 */
    double longest_ns;    /* the longest it was away */
    double others;        /* threads that ran or were ready, but for the loop's own; the mean of looks */
    uint32_t cpus_online;
};

/* Looks for a tenth of a second at each CPU of the pair. The calling thread's CPUs are as they were afterwards. What cannot be had counts as quiet; is_known is false where no CPU could be looked at. */
void quiet_probe(const struct machine *machine, struct quiet *quiet);

/* Pure: loud is a hundredth of a CPU lost, or others for an eighth of the machine's CPUs. */
bool quiet_is_loud(const struct quiet *quiet);
/* "quiet", "loud: 12.0 % of CPU 0 lost, 4.1 ms at once; 1.0 others ready", or "not looked at". Returns out. */
char *quiet_say(const struct quiet *quiet, char *out, size_t bytes);

#endif
