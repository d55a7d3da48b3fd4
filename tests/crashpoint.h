/* crashpoint.h - kill -9 at every instruction: an operation on shared memory is stopped, or its process killed, at each instruction
 * boundary inside the library, and what is left is recovered and judged.
 *
 *     static const struct crash_operation put = {.name = "put", .set_up = attach, .run = put_one, .functions = met};
 *     crash_snapshots(&put, &subject, user, &report);     one traced run, memory copied and judged at each boundary
 *     crash_kills(&put, &subject, user, &report);         a real SIGKILL for each chosen boundary
 *     crash_print("crash_publish", &put, &report);
 *
 * Which code counts. All of the library lies in one section, adit_text, between __start_adit_text and __stop_adit_text: the
 * partial link tests/crashable.ld gathers every .text section of the library's objects there, and crash_begin ends the program when a
 * function named adit_* lies elsewhere. A test puts code of its own there by CRASH_CODE (inline functions of adit.h in a wrapper).
 * Calls that leave the section (libc, the kernel) run at full speed up to their return, so a death inside memcpy is not a point.
 *
 * How. The child is attached to by ptrace(2) once it is set up: its first thread is stepped, its others are held (or run while the
 * first one is outside, siblings_run). Snapshots are compared with the one before first: where no byte of shared memory has
 * changed the verdict is the same, as a dead process leaves nothing else. What the kernel does at a death (robust lists, closed
 * descriptors) only a kill shows: first and last visit of each address, each boundary after which memory had changed, and a
 * sample. ADIT_CRASH_VISITS=N kills at one in N of those visits only. Tracer and child share a processor, which makes a stop ten times cheaper.
 */
#ifndef ADIT_CRASHPOINT_H
#define ADIT_CRASHPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* Code of a test that is to be stepped like the library's. */
#define CRASH_CODE __attribute__((section("adit_text"), noinline, used))

struct crash_operation {
    const char *name;
    void (*set_up)(void *user); /* in the child, not stepped */
    void (*run)(void *user);    /* in the child, stepped (NULL with until): short outside the library, as that part is stepped, too */
    const char *const *functions; /* ends with NULL: each must have been met, or the walk has failed */
    const char *until;          /* not NULL: stepped is the one thread that set_up has started, until it enters this function */
    void (*before)(void *user); /* by the tracer, once all threads of the child are stopped; NULL: nothing */
    bool siblings_run;          /* the child's other threads run while the first is outside the library; else they are held */
};

/* The memory that the operation works on. All in the tracer; verdicts are NULL or what is wrong. */
struct crash_subject {
    void (*reset)(void *user);              /* before each child: everything as it was at first */
    bool (*snapshot)(void *user);           /* looks at the memory; true: it differs from the last look */
    const char *(*judge_copy)(void *user);  /* recovers a copy of what the last look saw */
    const char *(*judge_live)(void *user);  /* recovers the memory itself, after a kill */
};

struct crash_report {
    uint32_t points, tested, states, bad; /* boundaries; of them looked at; different memories judged; found bad */
    uint32_t kills_wanted, kills, missed, kills_bad; /* missed: the child ended, or went another way, before that visit */
    double seconds;
    char first_bad[200], first_kill_bad[200];
    /* of the walk, for the kills */
    uint32_t *at, *visit; /* offset in adit_text, and which visit of it, from 1 (repeated strings: UINT32_MAX) */
    uint8_t *changed;     /* memory had changed when this boundary was reached */
    uint32_t room;
};

/* Reads symbols, pins this process to one processor. Ends the program with status 77 and a line where single-stepping is not
 * possible or the program runs under ThreadSanitizer, and with 1 where library code would be missed. */
void crash_begin(void);

/* Both end the program when the harness itself cannot go on. */
void crash_snapshots(const struct crash_operation *op, const struct crash_subject *subject, void *user,
                     struct crash_report *report);
void crash_kills(const struct crash_operation *op, const struct crash_subject *subject, void *user,
                 struct crash_report *report);

/* A line of counts, and the first bad points. True when nothing was bad and all was done. */
bool crash_print(const char *program, const struct crash_operation *op, const struct crash_report *report);
void crash_report_fini(struct crash_report *report);

/* Ends the program with status 1 and a line. */
_Noreturn void crash_fail(const char *what, const char *detail);

#endif
