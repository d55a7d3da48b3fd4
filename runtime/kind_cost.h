/* kind_cost.h - what runs of a kind cost, by how much work they are: learned by whoever runs them, looked at by adit_run (task_run.h) and adit_kind_look.
 *
 *     class of a task = that of its kind's work(): each four times as much as the one before
 *     cost word       = | measurements, to 65,535 16 | median, ns 48 |     0: none yet
 *
 * A median, not a mean: a measurement moves it towards itself by a sixteenth at most, however far off it is; by half of it while fewer than eight are known, so that a
 * first one that met cold caches is soon forgotten. (Ma, Muthukrishnan and Sandler, "Frugal streaming for estimating quantiles", 2013; the step is relative here.)
 *
 * The words lie in the arena, so what one process has learned others know, and it outlasts them all. Each is one relaxed store by whoever was last: a lost step does no harm, and a
 * writer that dies leaves the step made or not. They are advice: whatever lies there, a wrong one costs time and nothing else, and is learned away.
 *
 * Workers count what they run in private (adit_kind_tally), and after a short task they leave out some, a hundred at most, before they take another's time, which so costs a hundredth; whether they do is settled after the
 * task before, so the way from submit to the kind gains a look at two flags. How many are left out is drawn from what was measured last, so no rhythm of the tasks goes along with it.
 */
#ifndef ADIT_KIND_COST_H
#define ADIT_KIND_COST_H

#include "runtime/adit.h"
#include "shm/shm.h"

_Static_assert(ADIT_KIND_CLASSES == ADIT_KIND_COSTS, "adit_kind_info");

/* The class of so much work, and the least work of a class. Pure. */
uint32_t adit_kind_class(uint64_t work);
uint64_t adit_kind_class_work(uint32_t class);

/* Of a word: the median, 0: none was measured; how many were. Clamped to what the word's fields hold, whatever lies there. */
uint64_t adit_kind_cost_ns(const uint64_t *word);
uint32_t adit_kind_cost_known(const uint64_t *word);
/* One measurement more. Wait-free. */
void adit_kind_cost_learn(uint64_t *word, uint64_t measured_ns);

/* How much work a task of a kind that this process runs is (adit_kind_takes). */
uint64_t adit_kind_work_of(const struct adit_arena *arena, uint32_t kind, const void *args, uint32_t args_bytes, const uint64_t *buffer_bytes, uint32_t buffers_n);
/* What this process's registration guesses; 0: nothing. */
uint64_t adit_kind_guess_ns(const struct adit_arena *arena, uint32_t kind, uint64_t work);

/* What a worker's thread has run and not told, by kind. */
struct adit_kind_tally {
    uint32_t untold[ADIT_KINDS];
    uint32_t left_out; /* so many more are not measured */
};
/* Counts one; true: the time of the next, of whatever kind, is to be taken. */
static inline bool adit_kind_tally_count(struct adit_kind_tally *t, uint32_t kind)
{
    t->untold[kind % ADIT_KINDS]++;
    t->left_out -= t->left_out != 0;
    return !t->left_out;
}
/* It took so long, and ended well; tells what was counted of its kind. */
void adit_kind_tally_measure(struct adit_arena *arena, struct adit_kind_tally *tally, uint32_t kind, uint64_t work, uint64_t ns);
/* Tells what was counted of all kinds: before its thread sleeps or ends. */
void adit_kind_tally_tell(struct adit_arena *arena, struct adit_kind_tally *tally);
/* An attempt returned an error. */
void adit_kind_failed(struct adit_arena *arena, uint32_t kind);

#endif
