/* storm_final.h - what torture_kills asks of the arena when everybody has gone: nothing left over, and the state of a quiet run. */
#ifndef ADIT_STORM_FINAL_H
#define ADIT_STORM_FINAL_H

#include "runtime/adit.h"

/* This process is the only participant, and may start threads. What is wrong is told by storm_fail. */
void storm_final_check(struct adit_arena *arena);

#endif
