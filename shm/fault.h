/* fault.h - how calls fail: a negative errno, and one line that tells this thread what, where and what cures it.
 *
 *     return adit_fault(-EEXIST, "arena %s: the name is in use by pid %d; stop it or choose another name", name, pid);
 */
#ifndef ADIT_FAULT_H
#define ADIT_FAULT_H

/* Keeps the line (cut at 511 bytes) for adit_detail() of this thread and returns error. Async-signal-unsafe. */
int adit_fault(int error, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* This thread's last line, "" when there was none. */
const char *adit_fault_detail(void);

#endif
