/* hostile_calls.h - every call of adit.h, on an arena whose memory may hold anything: what is called, what it may answer, how long
 * it may take.
 *
 * A call must answer 0, a count, or an error that adit.h knows; anything else ends the process, and so does one that has not
 * come back after HOSTILE_HUNG_S. What a call used is processor time, or all its time if it has slept; that of calls that adit.h
 * allows to wait, and that did, does not count. */
#ifndef ADIT_HOSTILE_CALLS_H
#define ADIT_HOSTILE_CALLS_H

#include "tests/hostile_arena.h"

#define HOSTILE_HUNG_S 12u

/* Starts and ends the thread that watches for calls that do not come back; *state is named when one does not. */
void hostile_watchdog_start(const uint64_t *state);
void hostile_watchdog_stop(void);

/* One call, chosen by *seed: mostly cheap ones. Its number goes to *call, the processor time it used to *used_ns (0: not counted). */
void hostile_call(struct hostile *h, uint64_t *seed, uint32_t *call, uint64_t *used_ns);
/* The calls there are, and their names. */
uint32_t hostile_calls_n(void);
const char *hostile_call_name(uint32_t call);
/* That very call. */
void hostile_call_this(struct hostile *h, uint32_t call, uint64_t *seed, uint64_t *used_ns);
/* Reading only: what a consumer does with chunk and mesh, choices by *seed. */
void hostile_read(struct hostile *h, uint64_t *seed);

#endif
