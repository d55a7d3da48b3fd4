/* hostile_looks.h - of the calls of hostile_calls.h those that look in, at one thing after the other and at what was counted: choices by r; what each answers.
 */
#ifndef ADIT_HOSTILE_LOOKS_H
#define ADIT_HOSTILE_LOOKS_H

#include "tests/hostile_arena.h"

int hostile_look_one_by_one(struct hostile *h, uint64_t r);
int hostile_metrics(struct hostile *h, uint64_t r);
int hostile_metric_events(struct hostile *h, uint64_t r);

#endif
