/* task_guard.h - a kind run on fenced copies, so that it is caught where it writes and must not (ADIT_DEBUG=guards; README.md has the drawing).
 *
 * Arguments, result and each buffer are copied into private memory, between bytes of a pattern and, a page further, memory without access. After the kind has returned the pattern is
 * looked at, and what may only be read is compared with what it was copied of; only what is sound goes back. Not seen: what is written further off where other memory
 * is, and reading outside, but where there is no access.
 */
#ifndef ADIT_TASK_GUARD_H
#define ADIT_TASK_GUARD_H

#include "runtime/adit.h"

/* Runs kind so. Its status, or -ENOMEM; or -EFAULT, and result, of ADIT_TASK_DATA_BYTES, is a line of text of *result_bytes, its end included: what of all that is stored of the
 * kind's. The buffers of run stay valid throughout; blocks for as long as the kind does. Any thread. */
int adit_task_guard_run(adit_kind_run *kind, const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes);

#endif
