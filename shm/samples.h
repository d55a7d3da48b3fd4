/* samples.h - rings of samples: a stream of float frames from one process to another that never waits, as sound needs it.
 *
 * A third kind of ring (ring.h): named, made, ended and recovered as these are; the element is a *frame*, one float a channel. One
 * writing and one reading thread at a time, in any processes. Neither ever waits for the other:
 *
 *     write n   what finds no room is dropped, the last frames of the n, and counted: overrun
 *     read n    what is missing is silence (0.0f), behind the frames that were there, and counted: underrun
 *
 *   block:  | struct adit_ring_head | frames: capacity x channels floats, no words between them |       index i lies at i mod capacity
 *
 *           head        tail
 *            |...........|                   frames that can be read: [head, tail); room: capacity - (tail - head)
 *
 * The state is two indices, each stored by one side only, after what it tells of:
 *
 *     label          stores                          loads                        what it carries
 *     SAMPLES:tail   the writer, release             the reader, acquire          the frames before tail, whole
 *     SAMPLES:head   the reader, release             the writer, acquire          that the frames before head were copied out
 *
 *     transition     made by                         if that process dies right before it
 *     tail += n      the writer, frames copied in    none of these n were written: they lie in the room, where nobody looks
 *     head += n      the reader, frames copied out   none of these n were read: the next reader is given them
 *     overrun += n   the writer, after tail          not counted: the call had not returned
 *     underrun += n  the reader, after head          the same
 *     pusher, popper the side that begins            nothing: names are for operators, and for when to trust a copy of the other's index
 *
 * So a write shows all of its frames at once or none, and the next writer or reader goes on exactly where the dead one's last call had got, needing
 * no recovery (once the process before it has ended); adit_ring_recover takes the names away. Between any two instructions
 *
 *     head <= tail_seen <= tail <= head_seen + capacity <= head + capacity                                        (verify_ring.c)
 *
 * Each side keeps a copy of the other's index and looks at the real one only when the copy does not suffice: the writer once in a
 * capacity while the reader keeps up, the reader once in a read while it has all there is. Wait-free: a call is two memcpys at most, and a
 * wake if somebody sleeps. Indices that a hostile peer stored are masked into the frames: a wrong one is no room (all is dropped) or
 * nothing there (all is silence).
 */
#ifndef ADIT_SAMPLES_H
#define ADIT_SAMPLES_H

#include "shm/arena.h"

#ifndef ADIT_API
#define ADIT_API __attribute__((visibility("default")))
#endif

#define ADIT_SAMPLES_CHANNELS_MAX 1024u

struct adit_samples; /* this process's handle */

/* Makes the ring name (channels 1..1024, capacity_frames a power of two to 2^20) or opens it. Errors as adit_shm_ring_open. */
int adit_shm_samples_open(struct adit_arena *arena, const char *name, uint32_t channels, uint32_t capacity_frames,
                          struct adit_samples **out);

/* Public: see runtime/adit.h. */
ADIT_API void adit_samples_close(struct adit_samples **samples);
ADIT_API uint32_t adit_samples_write(struct adit_samples *samples, const float *frames, uint32_t n);
ADIT_API uint32_t adit_samples_read(struct adit_samples *samples, float *frames, uint32_t n);
ADIT_API uint32_t adit_samples_fill(const struct adit_samples *samples);
ADIT_API uint64_t adit_samples_overrun(const struct adit_samples *samples);
ADIT_API uint64_t adit_samples_underrun(const struct adit_samples *samples);
ADIT_API int adit_samples_wait_room(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns);
ADIT_API int adit_samples_wait_fill(struct adit_samples *samples, uint32_t n, uint64_t timeout_ns);

#endif
