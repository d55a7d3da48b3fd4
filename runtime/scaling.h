/* scaling.h - how many workers a pool should have: pure arithmetic on samples, without a clock or a system call of its own.
 *
 *     sample  ->  load 0..1  ->  level       ->  what it comes to
 *                                  low        below 0.3   one less, once it has been so for ten samples and the load does not rise
 *                                  normal     to 0.6      as it is
 *                                  raised     to 0.8      one more, if the load rises
 *                                  high       to 0.95     a quarter more
 *                                  critical   above       as many as arrivals ask for, at least half as many more, whatever the cooldown
 *
 * Load is what the workers cannot keep up with, more than how busy the machine is: 0.5 busy share of the workers + 0.3 queue wait, as a share of what it may be + 0.15 CPU pressure
 * + 0.05 memory in use; and critical as soon as the queue wait is what it may be, however the rest looks. The trend is the mean of the last ten samples against the ten before.
 *
 * Critical is met in one step rather than in several. While the oldest task has waited, so many arrived and so many ended (both counts since then; where tasks are begun in order, those that
 * arrived are those that wait): workers x arrived / ended would keep up, and have 0.7 of their time to do so; but no more are added than tasks arrived. What waits is not
 * gone at once: it is critical again for another step only after settle_ns.
 *
 * After a change upwards nothing goes down for cooldown_down_ns and nothing but critical goes up for cooldown_up_ns, so a load that comes and goes every second is met once, and
 * kept. With less than a twentieth of memory left nothing goes up. (The thresholds are those of the issue; step sizes and cooldowns are parameters. For hysteresis by separate
 * thresholds and cooldowns: T. Lorido-Botran et al., "A Review of Auto-scaling Techniques for Elastic Applications in Cloud Environments", J. Grid Computing 2014.)
 *
 * A change is judged by what followed: its effectiveness is the share of the load above 0.6 that is gone ten samples after a change upwards (1: all of it), or 1 less what came above it
 * after one downwards. The grade is of load and stability: A below 0.6 and steady, one letter more for each of: above 0.6, 0.8, 0.95, and for a spread (standard deviation of
 * twenty samples) above 0.1 and 0.25; F at most.
 */
#ifndef ADIT_SCALING_H
#define ADIT_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#define ADIT_SCALING_SPAN 10u /* samples of a mean */

struct adit_scaling_params {
    uint32_t workers_min, workers_max;
    uint64_t wait_max_ns;      /* what the oldest task may wait */
    uint64_t cooldown_up_ns, cooldown_down_ns;
    uint64_t settle_ns;        /* after a change upwards, before the next because of a critical load */
};

/* What was seen at a moment. */
struct adit_scaling_sample {
    uint64_t now_ns;
    uint32_t workers;      /* there are */
    double busy;           /* share of them that runs tasks, 0..1, since the sample before */
    uint64_t wait_ns;      /* of the oldest task that waits; 0: none does */
    uint64_t arrived, ended; /* tasks, since the sample before; of queues that others serve, too, ended is less than that */
    double cpu_pressure;   /* share of time in which something waited for a CPU, 0..1 */
    double memory;         /* in use, 0..1 */
};

enum adit_load_level { ADIT_LOAD_LOW, ADIT_LOAD_NORMAL, ADIT_LOAD_RAISED, ADIT_LOAD_HIGH, ADIT_LOAD_CRITICAL };

struct adit_scaling_advice {
    uint32_t workers; /* there should be */
    double load, trend; /* trend: of the last ten samples' mean over the ten's before, less that; 0 until there are twenty */
    enum adit_load_level level;
    char grade;                 /* 'A' to 'F' */
    double effectiveness;       /* of the last change that was judged; below 0: none was */
    char reason[96];            /* in one line, when workers is another number, or would be but for what it says; else "" */
};

struct adit_scaling {
    struct adit_scaling_params params;
    double loads[2 * ADIT_SCALING_SPAN]; /* a ring of the last samples; likewise what they counted */
    struct adit_scaling_count {
        uint64_t now_ns, arrived, ended;
    } counts[2 * ADIT_SCALING_SPAN];
    uint32_t n;                          /* samples so far */
    uint32_t low_for;                    /* samples in a row that were low */
    uint64_t up_ns, down_ns;             /* of the last changes; 0: none */
    double load_before;                  /* of the last change, to be judged */
    bool was_up;
    uint32_t judge_in; /* samples; 0: nothing to judge */
    double effectiveness;
};

void adit_scaling_init(struct adit_scaling *s, const struct adit_scaling_params *params);
/* Takes the next sample. What is advised is taken to be done. */
struct adit_scaling_advice adit_scaling_step(struct adit_scaling *s, const struct adit_scaling_sample *sample);

/* What the machine says, for a sample: the share of time that something waited for a CPU, from the text of /proc/pressure/cpu (its "some avg10"). False: the text is not what it should be.
 * (Documentation/accounting/psi.rst.) */
bool adit_scaling_pressure(const char *text, double *share);
/* The share of memory in use, of what shm/os.h says of the machine and of cgroups: adit_memory_all_bytes, adit_memory_available_bytes. 0 where that is not known. */
double adit_scaling_memory(uint64_t all, uint64_t available);

#endif
